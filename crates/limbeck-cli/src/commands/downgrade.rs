//! `limbeck downgrade`

use serde_json::json;

use crate::Outcome;
use crate::commands::upgrade::described;
use crate::output::{line, result, results, yellow};
use crate::progress::Progress;
use crate::project::Context;

pub(crate) async fn run(context: &Context, target: &str) -> Outcome {
    let mut progress = Progress::new();
    let migrator = context.migrator()?.on_progress(progress.watch());
    let engine = context.engine().await?;
    results(json!({ "database": engine.url(), "reverted": [] }));
    let mut so_far = Vec::new();
    let done = migrator
        .downgrade_with(&engine, target, |reverted| {
            progress.pause();
            so_far.push(described(reverted));
            result("reverted", json!(so_far));
            line(&format!("{} {} {}", yellow("took back"), reverted.id, reverted.message));
        })
        .await;
    progress.end();
    if done?.is_empty() {
        line("nothing to do: the database is there already");
    }
    engine.close().await;
    Ok(0)
}
