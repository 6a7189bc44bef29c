//! The project's side: its revision files, its models, and how a database stands to both.

use limbeck::engine::Engine;
use limbeck::schema::Metadata;
use limbeck_migrate::autogenerate::difference;
use limbeck_migrate::revision::{History, LOCK_FILE};
use limbeck_migrate::{Error, Migrator};

use super::report::Report;
use crate::output::counted;
use crate::project::Context;

/// How many differences are named.
const NAMED: usize = 10;

/// Looks at the files and the lock file.
pub(super) fn files(report: &mut Report, context: &Context) -> Option<History> {
    let history = match context.history() {
        Ok(history) => history,
        Err(error) => {
            report.fail("revisions", error.to_string(), "no revision can be applied until this is mended");
            return None;
        }
    };
    let mut fine = true;
    for edited in history.edited() {
        fine = false;
        report.warn(
            "revisions",
            format!("{} was edited after {LOCK_FILE} recorded it", edited.file),
            "look at the edit, then run `limbeck repair`",
        );
    }
    for file in unrecorded(context, &history) {
        fine = false;
        report.warn(
            "revisions",
            format!("{file} is not in {LOCK_FILE}, and is not applied"),
            "run `limbeck repair` if it is a revision, or move it elsewhere",
        );
    }
    let heads: Vec<&str> = history.heads().iter().map(|head| head.id.as_str()).collect();
    if heads.len() > 1 {
        fine = false;
        report.fail(
            "revisions",
            format!("there are several heads: {}", heads.join(", ")),
            "two branches have met: let one follow the other, by its `revises`, and run `limbeck repair`",
        );
    }
    if fine {
        report.ok("revisions", format!("{} of them, as {LOCK_FILE} has recorded", history.revisions().len()));
    }
    Some(history)
}

/// The files of SQL in the folder that the lock file does not name.
fn unrecorded(context: &Context, history: &History) -> Vec<String> {
    let Some(entries) = context.folder().ok().and_then(|folder| folder.read_dir().ok()) else { return Vec::new() };
    let recorded = |name: &str| history.revisions().iter().any(|revision| revision.files().any(|file| file == name));
    let names = entries.filter_map(|entry| entry.ok()?.file_name().into_string().ok());
    let mut names: Vec<String> = names.filter(|name| name.ends_with(".sql") && !recorded(name)).collect();
    names.sort();
    names
}

/// The models that are linked in.
pub(super) fn models(report: &mut Report) -> Option<Metadata> {
    match Metadata::registered() {
        Ok(models) => {
            report.ok("models", counted(models.tables.len(), "table"));
            Some(models)
        }
        Err(error) => {
            report.fail("models", error.to_string(), "the models are not compared with the database");
            None
        }
    }
}

/// Looks at what a database lacks.
pub(super) async fn database(report: &mut Report, history: &History, engine: &Engine, wanted: Option<&Metadata>) {
    let migrator = Migrator::new(history.clone());
    match migrator.pending(engine).await.map(|pending| pending.len()) {
        Ok(0) => report.ok("pending", "no revision is pending"),
        Ok(_) => {
            let pending = migrator.pending(engine).await.unwrap_or_default();
            let list: Vec<String> = pending.iter().map(|r| format!("\n{} {}", r.id, r.message)).collect();
            report.behind("pending", format!("{} pending:{}", list.len(), list.concat()), "run `limbeck upgrade`");
            return;
        }
        Err(error) => {
            report.fail("pending", error.to_string(), "the database and the revisions here do not fit together");
            return;
        }
    }
    let Some(wanted) = wanted else { return };
    match difference(&migrator, engine, wanted).await {
        Ok(found) if found.diff.ops.is_empty() => report.ok("drift", "the database is what the models say"),
        Ok(found) => {
            let ops = &found.diff.ops;
            let mut list: Vec<String> = ops.iter().take(NAMED).map(|op| format!("\n{}", op.describe())).collect();
            if ops.len() > NAMED {
                list.push(format!("\nand {} more", ops.len() - NAMED));
            }
            report.behind(
                "drift",
                format!("the models differ from the database:{}", list.concat()),
                "`limbeck revision --autogenerate -m \"…\"` writes a revision for it",
            );
        }
        Err(Error::NotAtHead { .. }) => report.behind("drift", "revisions are pending", "run `limbeck upgrade`"),
        Err(error) => report.fail("drift", error.to_string(), "the models cannot be compared with the database"),
    }
}
