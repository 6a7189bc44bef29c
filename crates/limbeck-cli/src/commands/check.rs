//! `limbeck check`

use limbeck::schema::Metadata;
use limbeck_migrate::Migrator;
use limbeck_migrate::autogenerate::difference;
use limbeck_migrate::compare::Op;
use limbeck_migrate::revision::LOCK_FILE;
use serde_json::json;

use crate::Outcome;
use crate::config::in_file;
use crate::output::{green, line, note, results};
use crate::project::Context;

pub(crate) async fn run(context: &Context) -> Outcome {
    if !context.has_models() {
        return context.run_project_binary();
    }
    let wanted = Metadata::registered()?;
    let history = context.history()?;
    if let Some(edited) = history.edited().first() {
        return Err(in_file(
            &edited.file,
            format!("the file was edited after {LOCK_FILE} recorded it: run `limbeck repair` after a look at it"),
        ));
    }
    history.head()?;
    let engine = context.engine().await?;
    let found = difference(&Migrator::new(history), &engine, &wanted).await?;
    engine.close().await;
    if let Some(why) = &found.note {
        note(&format!("defaults were compared as texts, since the server could not be asked: {why}"));
    }
    for table in &found.diff.unknown {
        note(&format!("the table {table} is of no model and no revision made it: it is left alone"));
    }
    for name in &found.renamed {
        note(&format!("{name} has its new name here: its `was` may go when all databases are renamed"));
    }
    results(json!({
        "database": engine.url(),
        "differences": found.diff.ops.iter().map(Op::describe).collect::<Vec<_>>(),
        "unmanaged": found.diff.unknown.iter().map(ToString::to_string).collect::<Vec<_>>(),
    }));
    if found.diff.ops.is_empty() {
        line(&green("the database is what the models say"));
        return Ok(0);
    }
    line("the models differ from the database:");
    for op in &found.diff.ops {
        line(&format!("  {}", op.describe()));
    }
    line("`limbeck revision --autogenerate -m \"…\"` writes a revision for it");
    Ok(2)
}
