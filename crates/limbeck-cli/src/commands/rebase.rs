//! `limbeck rebase`

use std::collections::BTreeSet;
use std::path::Path;

use limbeck_migrate::revision::{History, LOCK_FILE, settle_lock_file};
use limbeck_migrate::{Error, Migrator};
use serde_json::json;

use crate::Outcome;
use crate::output::{green, line, note, results};
use crate::project::Context;

#[derive(Debug, clap::Args)]
pub(crate) struct Rebase {
    /// The head of the branch that moves; where it is not said, the head that the database does not have.
    #[arg(value_name = "REVISION")]
    head: Option<String>,

    /// Behind which revision it goes, where there are more than two heads.
    #[arg(long, value_name = "REVISION")]
    onto: Option<String>,
}

/// Writes `limbeck.lock` anew where git left a conflict in it.
pub(crate) fn settled(folder: &Path) -> Result<(), Error> {
    if settle_lock_file(folder)? {
        note(&format!("git had left a conflict in {LOCK_FILE}: it was written anew from the files"));
    }
    Ok(())
}

pub(crate) async fn run(context: &Context, args: &Rebase) -> Outcome {
    let folder = context.folder()?;
    settled(&folder)?;
    let history = History::read(&folder)?;
    // A clone on a build machine has no database, and what nobody can ask is taken as not applied.
    let applied = match context.config.url(context.said_url()) {
        Ok(_) => {
            let engine = context.engine().await?;
            let applied = Migrator::new(history.clone()).applied_ids(&engine).await?;
            engine.close().await;
            applied
        }
        Err(_) => BTreeSet::new(),
    };
    let plan = history.rebase(args.head.as_deref(), args.onto.as_deref(), |r| applied.contains(&r.id))?;
    plan.write(&folder, &history)?;
    results(json!({ "moved": plan.moved, "onto": plan.onto }));
    line(&format!("{} {} behind {}", green("moved"), plan.moved.join(", "), plan.onto));
    Ok(0)
}
