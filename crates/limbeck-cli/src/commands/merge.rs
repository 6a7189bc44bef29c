//! `limbeck merge`

use limbeck::dialect::Dialect;
use limbeck_migrate::Error;
use limbeck_migrate::render::Plan;
use limbeck_migrate::revision::{History, NewRevision};
use serde_json::json;

use super::rebase::settled;
use crate::Outcome;
use crate::config::shown;
use crate::output::{green, line, results};
use crate::project::Context;

#[derive(Debug, clap::Args)]
pub(crate) struct Merge {
    /// The revisions to join: ids, or heads for all of them.
    #[arg(default_value = "heads", value_name = "REVISION")]
    revisions: Vec<String>,

    /// What it does; made of the ids where it is not said.
    #[arg(short, long)]
    message: Option<String>,

    /// A name of the branch that begins with it.
    #[arg(long = "branch-label", value_name = "NAME")]
    labels: Vec<String>,

    /// An id for it, instead of a made-up one.
    #[arg(long, value_name = "ID")]
    rev_id: Option<String>,
}

pub(crate) fn run(context: &Context, args: &Merge) -> Outcome {
    let folder = context.folder()?;
    settled(&folder)?;
    let history = History::read(&folder)?;
    let mut revision = NewRevision::new("").follows(&args.revisions).labels(&args.labels);
    let parents = revision.parents(&history)?;
    if parents.len() < 2 {
        return Err(Error::Revision(match parents.first() {
            Some(one) => format!("there is only {one}, and a merge joins two or more"),
            None => "there are no revisions to join".into(),
        }));
    }
    revision.message = args.message.clone().unwrap_or_else(|| format!("Merge {}", parents.join(" and ")));
    if let Some(id) = &args.rev_id {
        revision = revision.id(id);
    }
    let databases = context.config.revision_databases(context.said_url())?;
    let plans: Vec<(Dialect, Plan)> = databases.into_iter().map(|dialect| (dialect, Plan::default())).collect();
    let files: Vec<String> = revision.write(&folder, &history, &plans)?.iter().map(|path| shown(path)).collect();
    results(json!({ "id": revision.id, "parents": parents, "files": files }));
    for file in files {
        line(&format!("{} {file}", green("wrote")));
    }
    line(&format!("  it joins {}", parents.join(" and ")));
    Ok(0)
}
