//! `limbeck heads`

use serde_json::json;

use crate::Outcome;
use crate::output::{bold, line, result};
use crate::project::Context;

pub(crate) fn run(context: &Context) -> Outcome {
    let history = context.history()?;
    let heads = history.heads();
    result("heads", heads.iter().map(|head| json!({ "id": head.id, "message": head.message })).collect());
    for head in heads {
        line(&format!("{} {}", bold(&head.id), head.message));
    }
    Ok(0)
}
