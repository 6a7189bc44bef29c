//! `limbeck history`

use limbeck_migrate::revision::Revision;
use serde_json::json;

use crate::Outcome;
use crate::output::{bold, line, result};
use crate::project::Context;

pub(crate) fn run(context: &Context) -> Outcome {
    let history = context.history()?;
    let heads: Vec<&str> = history.heads().into_iter().map(|head| head.id.as_str()).collect();
    let described = |revision: &Revision| {
        json!({
            "id": revision.id,
            "parents": revision.parents,
            "message": revision.message,
            "created": revision.created,
            "head": heads.contains(&revision.id.as_str()),
            "files": revision.files().collect::<Vec<_>>(),
        })
    };
    result("revisions", history.revisions().iter().rev().map(described).collect());
    if history.revisions().is_empty() {
        line("there are no revisions yet");
    }
    for revision in history.revisions().iter().rev() {
        let head = if heads.contains(&revision.id.as_str()) { " (head)" } else { "" };
        let parents = if revision.parents.is_empty() { "base".to_string() } else { revision.parents.join(", ") };
        let created = revision.created.as_deref().map_or_else(String::new, |at| format!(", {at}"));
        line(&format!("{}{head} after {parents}{created}: {}", bold(&revision.id), revision.message));
    }
    Ok(0)
}
