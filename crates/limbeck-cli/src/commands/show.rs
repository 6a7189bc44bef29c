//! `limbeck show`

use serde_json::json;

use super::history::described;
use crate::Outcome;
use crate::output::{bold, line, plain, results};
use crate::project::Context;

#[derive(Debug, clap::Args)]
pub(crate) struct Show {
    /// The revision: head, an id or its first characters, a label, head-1.
    #[arg(default_value = "head")]
    revision: String,
}

pub(crate) fn run(context: &Context, args: &Show) -> Outcome {
    let history = context.history()?;
    let revisions = history.named(&args.revision)?;
    results(json!({ "revisions": revisions.iter().map(|r| described(r, &history)).collect::<Vec<_>>() }));
    for revision in revisions {
        line(&format!("{} {}", bold(&revision.id), revision.message));
        for (file, text) in revision.texts() {
            line(&bold(file));
            plain(text.trim_end());
        }
    }
    Ok(0)
}
