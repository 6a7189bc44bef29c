//! `limbeck repair`

use limbeck_migrate::Migrator;
use limbeck_migrate::revision::{History, LOCK_FILE, repair_folder};
use serde_json::json;

use crate::Outcome;
use crate::output::{line, result};
use crate::project::Context;

pub(crate) async fn run(context: &Context) -> Outcome {
    let folder = context.folder()?;
    let files = repair_folder(&folder)?;
    result("files", json!(files));
    result("revisions", json!([]));
    let mut changed = !files.is_empty();
    for file in files {
        line(&format!("{LOCK_FILE}: recorded {file}"));
    }
    // Without a database there is only the file to repair: a clone on a build machine has none.
    if context.config.url(context.said_url()).is_ok() {
        let engine = context.engine().await?;
        let revisions = Migrator::new(History::read(&folder)?).repair(&engine).await?;
        result("revisions", json!(revisions));
        for id in revisions {
            line(&format!("{}: recorded {id}", engine.url()));
            changed = true;
        }
        engine.close().await;
    }
    if !changed {
        line("nothing to repair");
    }
    Ok(0)
}
