//! `limbeck repair`

use limbeck_migrate::Migrator;
use limbeck_migrate::revision::{History, LOCK_FILE, repair_folder};

use crate::Outcome;
use crate::output::line;
use crate::project::Context;

pub(crate) async fn run(context: &Context) -> Outcome {
    let folder = context.folder()?;
    let mut changed = false;
    for file in repair_folder(&folder)? {
        line(&format!("{LOCK_FILE}: recorded {file}"));
        changed = true;
    }
    // Without a database there is only the file to repair: a clone on a build machine has none.
    if context.config.url(context.said_url()).is_ok() {
        let engine = context.engine().await?;
        for id in Migrator::new(History::read(&folder)?).repair(&engine).await? {
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
