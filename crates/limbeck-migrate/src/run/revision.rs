//! The transaction of one revision, and what SQLite needs around it when a table is rebuilt.

use std::time::{Duration, Instant};

use limbeck::dialect::Dialect;
use limbeck::engine::Connection;

use super::progress::{Progress, Watch};
use crate::error::{Error, Result};
use crate::revision::Section;

/// A revision's open transaction.
pub(super) struct Run {
    rebuild: Option<Rebuild>,
}

/// What was before a rebuild: `PRAGMA foreign_keys` has no effect inside a transaction, so it is set before, and
/// afterwards set back.
struct Rebuild {
    foreign_keys: i64,
    legacy_alter_table: i64,
    /// Rows that pointed nowhere before; the rebuild must not add to them. `None` where SQLite cannot say,
    /// because a key refers to columns that are not unique.
    dangling: Option<Vec<Dangling>>,
}

/// Table, rowid, target, number of the key.
type Dangling = (String, Option<i64>, String, i64);

impl Run {
    pub(super) async fn begin(connection: &mut Connection, section: &Section, wait: Duration) -> Result<Run> {
        if connection.dialect() == Dialect::Postgres {
            // A revision may set what it likes for its session, as dumps do; the next one, and whoever gets
            // the connection afterwards, should not see it.
            connection.close_on_return();
        }
        if !section.foreign_keys_off {
            begin(connection, wait).await?;
            return Ok(Run { rebuild: None });
        }
        let foreign_keys = pragma(connection, "foreign_keys").await?;
        let legacy_alter_table = pragma(connection, "legacy_alter_table").await?;
        // Whatever happens from here on, even that this future is dropped: the pool closes the connection
        // instead of lending it with foreign keys off.
        connection.close_on_return();
        connection.execute_raw("PRAGMA foreign_keys = OFF").await?;
        // Without it, the last step of a rebuild fails where a view or trigger names the table.
        connection.execute_raw("PRAGMA legacy_alter_table = ON").await?;
        begin(connection, wait).await?;
        let dangling = dangling(connection).await.ok();
        Ok(Run { rebuild: Some(Rebuild { foreign_keys, legacy_alter_table, dangling }) })
    }

    /// Commits where the body went well, and rolls back otherwise.
    pub(super) async fn end<T>(self, connection: &mut Connection, outcome: Result<T>) -> Result<T> {
        let outcome = match (&self.rebuild, outcome) {
            (Some(rebuild), Ok(value)) => rebuild.verify(connection).await.map(|()| value),
            (_, outcome) => outcome,
        };
        let outcome = match outcome {
            Ok(value) => connection.commit().await.map(|()| value).map_err(Error::from),
            Err(error) => {
                // The first error says more than one of the rollback would.
                let _ = connection.rollback().await;
                Err(error)
            }
        };
        if connection.dialect() == Dialect::Postgres && outcome.is_ok() {
            connection.execute_raw("RESET ALL").await?;
        }
        if let Some(rebuild) = self.rebuild {
            let restored = rebuild.restore(connection).await;
            if outcome.is_ok() {
                restored?;
            }
        }
        outcome
    }
}

impl Rebuild {
    async fn verify(&self, connection: &mut Connection) -> Result<()> {
        let Some(before) = &self.dangling else { return Ok(()) };
        let new: Vec<Dangling> = dangling(connection).await?.into_iter().filter(|row| !before.contains(row)).collect();
        let Some((table, rowid, target, _)) = new.first() else { return Ok(()) };
        Err(Error::Integrity(format!(
            "the revision would leave {} row(s) that refer to rows which are not there, such as row {} of {table} to \
             {target}; nothing was applied",
            new.len(),
            rowid.map_or_else(|| "?".to_string(), |id| id.to_string())
        )))
    }

    async fn restore(&self, connection: &mut Connection) -> Result<()> {
        connection.execute_raw(&format!("PRAGMA legacy_alter_table = {}", self.legacy_alter_table)).await?;
        connection.execute_raw(&format!("PRAGMA foreign_keys = {}", self.foreign_keys)).await?;
        Ok(())
    }
}

/// Begins the transaction. On SQLite that is the run's lock too, and another run may hold it for longer than a
/// statement would wait.
async fn begin(connection: &mut Connection, wait: Duration) -> Result<()> {
    let start = Instant::now();
    loop {
        match connection.begin().await {
            Err(limbeck::Error::Conflict { .. }) if start.elapsed() < wait => {}
            Err(limbeck::Error::Conflict { .. }) => return Err(Error::Locked { waited: start.elapsed() }),
            outcome => return Ok(outcome?),
        }
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
}

async fn pragma(connection: &mut Connection, name: &str) -> Result<i64> {
    let rows: Vec<(i64,)> = connection.fetch_raw(&format!("PRAGMA {name}"), &[]).await?;
    Ok(rows.first().map_or(0, |row| row.0))
}

async fn dangling(connection: &mut Connection) -> Result<Vec<Dangling>> {
    Ok(connection.fetch_raw("SELECT \"table\", rowid, parent, fkid FROM pragma_foreign_key_check", &[]).await?)
}

/// Runs the statements of a section, one message each.
pub(super) async fn execute(connection: &mut Connection, file: &str, section: &Section, watch: &Watch) -> Result<()> {
    let of = section.statements.len();
    for (i, statement) in section.statements.iter().enumerate() {
        watch.tell(&Progress::Statement { file, line: statement.line, sql: &statement.sql, position: i + 1, of });
        if let Err(source) = connection.execute_raw(&statement.sql).await {
            return Err(Error::Statement {
                file: file.to_string(),
                line: statement.line,
                sql: statement.sql.clone(),
                source: Box::new(source),
            });
        }
    }
    Ok(())
}
