//! `limbeck history`

use limbeck_migrate::Migrator;
use limbeck_migrate::revision::{History, Revision};
use serde_json::{Value, json};

use crate::Outcome;
use crate::output::{bold, line, result};
use crate::project::Context;

#[derive(Debug, clap::Args)]
pub(crate) struct Arguments {
    /// The revisions from one to another, both among them: base:head, 3f2a:, current:head.
    #[arg(short, long, value_name = "FROM:TO")]
    range: Option<String>,
}

/// A revision, for a program.
pub(crate) fn described(revision: &Revision, history: &History) -> Value {
    json!({
        "id": revision.id,
        "parents": revision.parents,
        "labels": revision.labels,
        "depends_on": revision.depends_on,
        "message": revision.message,
        "created": revision.created,
        "head": history.is_head(revision),
        "files": revision.files().collect::<Vec<_>>(),
    })
}

pub(crate) async fn run(context: &Context, args: &Arguments) -> Outcome {
    let history = context.history()?;
    let revisions: Vec<&Revision> = match &args.range {
        None => history.revisions().iter().collect(),
        Some(range) => {
            // Only `current` needs the database.
            let applied = match range.split(':').any(|end| end == "current") {
                true => {
                    let engine = context.engine().await?;
                    let applied = Migrator::new(history.clone()).applied_ids(&engine).await?;
                    engine.close().await;
                    Some(applied)
                }
                false => None,
            };
            history.range(range, applied.as_ref())?
        }
    };
    result("revisions", revisions.iter().rev().map(|revision| described(revision, &history)).collect());
    if history.revisions().is_empty() {
        line("there are no revisions yet");
    }
    for revision in revisions.into_iter().rev() {
        let head = if history.is_head(revision) { " (head)" } else { "" };
        let parents = if revision.parents.is_empty() { "base".to_string() } else { revision.parents.join(", ") };
        let labels = match &revision.labels[..] {
            [] => String::new(),
            labels => format!(" [{}]", labels.join(", ")),
        };
        let needs = match &revision.depends_on[..] {
            [] => String::new(),
            needs => format!(", needs {}", needs.join(", ")),
        };
        let created = revision.created.as_deref().map_or_else(String::new, |at| format!(", {at}"));
        line(&format!("{}{labels}{head} after {parents}{needs}{created}: {}", bold(&revision.id), revision.message));
    }
    Ok(0)
}
