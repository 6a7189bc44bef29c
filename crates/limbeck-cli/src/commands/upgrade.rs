//! `limbeck upgrade`

use limbeck_migrate::Applied;
use serde_json::{Value, json};

use crate::Outcome;
use crate::output::{green, line, result, results};
use crate::progress::Progress;
use crate::project::Context;

pub(crate) async fn run(context: &Context, target: &str) -> Outcome {
    let mut progress = Progress::new();
    let migrator = context.migrator()?.on_progress(progress.watch());
    let engine = context.engine().await?;
    results(json!({ "database": engine.url(), "applied": [] }));
    let mut so_far = Vec::new();
    let done = migrator
        .upgrade_with(&engine, target, |applied| {
            progress.pause();
            so_far.push(described(applied));
            result("applied", json!(so_far));
            line(&format!("{} {} {}", green("applied"), applied.id, applied.message));
        })
        .await;
    progress.end();
    if done?.is_empty() {
        line("nothing to do: the database is there already");
    }
    engine.close().await;
    Ok(0)
}

/// A revision that was applied or taken back, for a program.
pub(super) fn described(revision: &Applied) -> Value {
    json!({ "id": revision.id, "message": revision.message, "file": revision.file, "at": revision.at })
}
