//! `limbeck upgrade`

use crate::Outcome;
use crate::output::{green, line};
use crate::project::Context;

pub(crate) async fn run(context: &Context, target: &str) -> Outcome {
    let migrator = context.migrator()?;
    let engine = context.engine().await?;
    let applied = migrator
        .upgrade_with(&engine, target, |applied| {
            line(&format!("{} {} {}", green("applied"), applied.id, applied.message));
        })
        .await?;
    if applied.is_empty() {
        line("nothing to do: the database is there already");
    }
    engine.close().await;
    Ok(0)
}
