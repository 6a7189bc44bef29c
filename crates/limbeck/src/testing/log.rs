//! What was sent.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

/// Keeps the text of each statement that an engine sends. A clone is the same log.
///
/// ```
/// # use limbeck::prelude::*;
/// # #[derive(Model)]
/// # struct Tag { #[column(primary_key)] id: i64, name: String }
/// use limbeck::testing::StatementLog;
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() -> limbeck::Result<()> {
///
/// let log = StatementLog::new();
/// let engine = Engine::builder("sqlite::memory:").echo_to(log.sink()).connect().await?;
/// # engine.create_all(&limbeck::metadata![Tag]?).await?;
/// log.take();
/// engine.sessionmaker().open().all(select(Tag.name)).await?;
/// assert_eq!(log.queries(), ["SELECT tags.name FROM tags"]);
/// # Ok(())
/// # }
/// ```
#[derive(Clone, Debug, Default)]
pub struct StatementLog {
    lines: Arc<Mutex<Vec<String>>>,
}

impl StatementLog {
    /// An empty log.
    pub fn new() -> Self {
        StatementLog::default()
    }

    /// What [`EngineBuilder::echo_to`](crate::engine::EngineBuilder::echo_to) takes, to write here.
    pub fn sink(&self) -> impl Fn(&str) + Send + Sync + 'static {
        let log = self.clone();
        move |line| log.lines().push(statement(line).to_string())
    }

    /// The statements since the last call, `BEGIN` and `COMMIT` among them, without times and parameters.
    pub fn take(&self) -> Vec<String> {
        std::mem::take(&mut *self.lines())
    }

    /// The same, without those that only begin and end transactions and savepoints.
    pub fn queries(&self) -> Vec<String> {
        let mut all = self.take();
        all.retain(|line| !is_control(line));
        all
    }

    fn lines(&self) -> MutexGuard<'_, Vec<String>> {
        // A line is pushed or not: nothing is halfway after a panic.
        self.lines.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// `  0.12 ms  1 rows  SELECT 1  [params]` → `SELECT 1`
fn statement(line: &str) -> &str {
    let text = line.split_once(" rows  ").map_or(line, |(_, rest)| rest);
    text.split("  ").next().unwrap_or_default()
}

fn is_control(statement: &str) -> bool {
    let word = statement.split(' ').next().unwrap_or_default();
    matches!(word, "BEGIN" | "COMMIT" | "ROLLBACK" | "SAVEPOINT" | "RELEASE")
}

/// Runs code and asserts how many statements a session, an engine or a connection has sent meanwhile. `BEGIN`,
/// `COMMIT`, `SAVEPOINT` and their like do not count, so that the number is the same on all databases.
///
/// The code is a block of the function around it, so `.await` and `?` work in it; its value is that of the macro.
///
/// ```
/// # use limbeck::prelude::*;
/// # #[derive(Model)]
/// # struct Tag { #[column(primary_key)] id: i64, name: String }
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() -> limbeck::Result<()> {
/// # let engine = Engine::builder("sqlite::memory:").connect().await?;
/// # engine.create_all(&limbeck::metadata![Tag]?).await?;
/// # let mut session = engine.sessionmaker().open();
/// let names = limbeck::assert_statements!(session, 2, {
///     session.add_all([Tag::builder().name("rust"), Tag::builder().name("sql")]);
///     session.flush().await?; // one INSERT for both
///     session.all(select(Tag.name)).await?
/// });
/// # assert_eq!(names.len(), 2);
/// # Ok(())
/// # }
/// ```
///
/// # Panics
/// When the number is another.
#[macro_export]
macro_rules! assert_statements {
    ($whose:expr, $expected:expr, $code:block) => {{
        let before = $whose.stats();
        let value = $code;
        let sent = ($whose.stats() - before).queries();
        ::std::assert!(sent == $expected, "expected {} statement(s), {sent} were sent", $expected,);
        value
    }};
}
