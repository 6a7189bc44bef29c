//! `limbeck current`

use limbeck_migrate::Migrator;
use serde_json::json;

use crate::Outcome;
use crate::output::{bold, line, results};
use crate::project::Context;

pub(crate) async fn run(context: &Context) -> Outcome {
    let history = context.history()?;
    let heads: Vec<String> = history.heads().into_iter().map(|head| head.id.clone()).collect();
    let ids: Vec<String> = history.revisions().iter().map(|revision| revision.id.clone()).collect();
    let engine = context.engine().await?;
    let current = Migrator::new(history).current(&engine).await?;
    engine.close().await;
    let known = |id: &str| ids.iter().any(|known| known == id);
    let described = current.iter().map(|revision| {
        json!({
            "id": revision.id,
            "message": revision.message,
            "applied_at": revision.at,
            "head": heads.contains(&revision.id),
            "known": known(&revision.id),
        })
    });
    results(json!({ "database": engine.url(), "revisions": described.collect::<Vec<_>>() }));
    if current.is_empty() {
        line("base: no revision is applied");
    }
    for revision in current {
        let message = if known(&revision.id) { &revision.message } else { "(not among the migrations here)" };
        let head = if heads.contains(&revision.id) { " (head)" } else { "" };
        line(&format!("{}{head} {message}, applied {}", bold(&revision.id), revision.at));
    }
    Ok(0)
}
