//! `limbeck current`

use limbeck_migrate::Migrator;

use crate::Outcome;
use crate::output::{bold, line};
use crate::project::Context;

pub(crate) async fn run(context: &Context) -> Outcome {
    let history = context.history()?;
    let heads: Vec<String> = history.heads().into_iter().map(|head| head.id.clone()).collect();
    let engine = context.engine().await?;
    let current = Migrator::new(history).current(&engine).await?;
    engine.close().await;
    if current.is_empty() {
        line("base: no revision is applied");
    }
    for revision in current {
        let known = if revision.message.is_empty() { "(not among the migrations here)" } else { &revision.message };
        let head = if heads.contains(&revision.id) { " (head)" } else { "" };
        line(&format!("{}{head} {known}, applied {}", bold(&revision.id), revision.at));
    }
    Ok(0)
}
