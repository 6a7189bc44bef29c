//! `limbeck downgrade`

use crate::Outcome;
use crate::output::{line, yellow};
use crate::project::Context;

pub(crate) async fn run(context: &Context, target: &str) -> Outcome {
    let migrator = context.migrator()?;
    let engine = context.engine().await?;
    let reverted = migrator
        .downgrade_with(&engine, target, |reverted| {
            line(&format!("{} {} {}", yellow("took back"), reverted.id, reverted.message));
        })
        .await?;
    if reverted.is_empty() {
        line("nothing to do: the database is there already");
    }
    engine.close().await;
    Ok(0)
}
