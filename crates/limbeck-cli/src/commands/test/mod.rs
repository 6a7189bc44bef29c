//! `limbeck test`: every revision up, down and up again, in a database that is made for it.

mod scratch;

use std::future::Future;
use std::pin::pin;
use std::task::Poll;

use limbeck::dialect::Dialect;
use limbeck::engine::Engine;
use limbeck::schema::Metadata;
use limbeck_migrate::autogenerate::difference;
use limbeck_migrate::between::Changes;
use limbeck_migrate::compare::Op;
use limbeck_migrate::run::{Fault, Tested};
use limbeck_migrate::{Error, Migrator};
use serde_json::{Value, json};

use crate::Outcome;
use crate::config::dialect_of;
use crate::output::{green, line, more, note, red, results, yellow};
use crate::progress::Progress;
use crate::project::Context;
use scratch::Scratch;

/// What the command exits with where something cannot be done.
const FAILED: u8 = 1;
/// What the command exits with where something differs.
const DIFFERENT: u8 = 2;

#[derive(Debug, clap::Args)]
pub(crate) struct Test {
    /// The first revision to try, with all that need it; the others are only applied.
    #[arg(long, value_name = "REVISION")]
    from: Option<String>,

    /// Takes a revision without a `downgrade` section for sound.
    #[arg(long)]
    allow_irreversible: bool,

    /// An empty database to try them in, instead of one that is made and dropped.
    #[arg(long, value_name = "URL", conflicts_with = "url")]
    scratch: Option<String>,
}

/// A kind of database to try the revisions on, and where one is.
struct Place {
    dialect: Dialect,
    url: Option<String>,
}

pub(crate) async fn run(context: &Context, args: &Test) -> Outcome {
    let migrator = Migrator::new(context.history()?);
    results(json!({ "databases": [] }));
    let mut worst = 0;
    for place in places(context, args)? {
        let scratch = match (&args.scratch, &place.url) {
            (Some(url), _) => Scratch::said(context, url).await?,
            (None, Some(url)) if place.dialect == Dialect::Postgres => Scratch::on_server(context, url).await?,
            _ => Scratch::in_a_file(context).await?,
        };
        let mut progress = Progress::new();
        let watched = migrator.clone().on_progress(progress.watch());
        let outcome = unless_interrupted(try_all(context, args, &watched, &scratch.engine, &progress)).await;
        progress.end();
        scratch.end(&migrator).await;
        worst = worse(worst, outcome?);
    }
    Ok(worst)
}

/// Where to try them: on the database that is named, and otherwise on each kind that the project declares.
fn places(context: &Context, args: &Test) -> Result<Vec<Place>, Error> {
    let config = &context.config;
    let at = |url: String| match dialect_of(&url) {
        Some(dialect) => Ok(vec![Place { dialect, url: Some(url) }]),
        None => {
            let scheme = url.split(':').next().unwrap_or_default();
            Err(Error::Revision(format!("the scheme of `{scheme}:…` is not known: sqlite, postgres")))
        }
    };
    if let Some(url) = args.scratch.as_deref().or(context.said_url()) {
        return at(url.to_string());
    }
    if config.databases.is_empty() {
        return at(config.url(None)?);
    }
    let declared = config.databases.iter().map(|&dialect| match config.url_of(dialect, None) {
        None if dialect == Dialect::Postgres => Err(Error::Revision(
            "the project is declared for postgres, and no server is known where a database could be made: set \
             DATABASE_URL_POSTGRES, or name one by `--url`"
                .into(),
        )),
        url => Ok(Place { dialect, url }),
    });
    declared.collect()
}

async fn try_all(context: &Context, args: &Test, migrator: &Migrator, engine: &Engine, progress: &Progress) -> Outcome {
    let dialect = engine.dialect().name();
    let mut told = json!({ "dialect": dialect, "database": engine.url(), "revisions": [], "models": null });
    let (mut worst, mut count) = (0, 0);
    let tried = migrator
        .test(engine, args.from.as_deref(), |tested| {
            progress.pause();
            count += 1;
            worst = tested.faults.iter().fold(worst, |worst, fault| worse(worst, code(fault, args)));
            say(tested, args);
            if let Value::Array(revisions) = &mut told["revisions"] {
                revisions.push(described(tested));
            }
        })
        .await;
    let compared = match &tried {
        Ok(()) if worst == 0 => models(context, migrator, engine).await,
        _ => Ok(None),
    };
    if let Ok(Some(differences)) = &compared {
        told["models"] = json!(differences);
    }
    more("databases", told);
    tried?;
    if worst != 0 {
        line(&red(&format!("not every revision is sound on {dialect}")));
        return Ok(worst);
    }
    line(&format!("on {dialect}, {count} revision(s): {}", green("up, down and up again lead to the same schema")));
    match compared? {
        Some(differences) if !differences.is_empty() => {
            line(&red("at head, the models differ from the database:"));
            differences.iter().for_each(|operation| line(&format!("  {operation}")));
            Ok(DIFFERENT)
        }
        _ => Ok(0),
    }
}

/// What the models have and the database lacks; `None` where they are not linked into this program.
async fn models(context: &Context, migrator: &Migrator, engine: &Engine) -> Result<Option<Vec<String>>, Error> {
    if !context.has_models() {
        return Ok(None);
    }
    if migrator.history().heads().len() > 1 {
        note("the models were not compared: there are several heads");
        return Ok(None);
    }
    let found = difference(migrator, engine, &Metadata::registered()?).await?;
    Ok(Some(found.diff.ops.iter().map(Op::describe).collect()))
}

/// The exit code of a fault.
fn code(fault: &Fault, args: &Test) -> u8 {
    match fault {
        Fault::Irreversible if args.allow_irreversible => 0,
        Fault::DowngradeDiffers(_) | Fault::AgainDiffers(_) => DIFFERENT,
        _ => FAILED,
    }
}

/// An error says more than a difference.
fn worse(a: u8, b: u8) -> u8 {
    match (a, b) {
        (FAILED, _) | (_, FAILED) => FAILED,
        _ => a.max(b),
    }
}

fn say(tested: &Tested, args: &Test) {
    let sound = tested.faults.iter().all(|fault| code(fault, args) == 0);
    let verdict = match (sound, tested.faults.is_empty()) {
        (true, true) => green("sound"),
        (true, false) => yellow("irreversible"),
        (false, _) => red("not sound"),
    };
    line(&format!("{verdict} {} {}", tested.id, tested.message));
    if sound {
        return;
    }
    for fault in &tested.faults {
        for text in message(fault, tested).lines() {
            line(&format!("  {text}"));
        }
        if let Some(changes) = changes(fault) {
            changes.operations.iter().chain(&changes.unmanaged).for_each(|text| line(&format!("    {text}")));
            let sql = changes.sql.iter().flat_map(|sql| sql.lines());
            sql.for_each(|sql| line(&format!("      | {sql}")));
        }
    }
}

fn message(fault: &Fault, tested: &Tested) -> String {
    let Tested { id, file, .. } = tested;
    match fault {
        Fault::Irreversible => {
            format!("{file}: revision {id} has no `downgrade` section: write one, or say `--allow-irreversible`")
        }
        Fault::Downgrade(error) => format!("its downgrade fails: {error}"),
        Fault::DowngradeDiffers(_) => {
            format!(
                "{file}: the downgrade of {id} does not lead back to what was before it; what it leaves to be done:"
            )
        }
        Fault::Again(error) => format!("it cannot be applied again after its downgrade: {error}"),
        Fault::AgainDiffers(_) => format!(
            "{file}: applied again after its downgrade, {id} makes another schema than at first; what is missing then:"
        ),
        _ => format!("{file}: {fault:?}"),
    }
}

fn changes(fault: &Fault) -> Option<&Changes> {
    match fault {
        Fault::DowngradeDiffers(changes) | Fault::AgainDiffers(changes) => Some(changes),
        _ => None,
    }
}

/// A revision that was tried, for a program.
fn described(tested: &Tested) -> Value {
    let fault = |fault: &Fault| {
        let kind = match fault {
            Fault::Irreversible => "irreversible",
            Fault::Downgrade(_) => "downgrade",
            Fault::DowngradeDiffers(_) => "downgrade_differs",
            Fault::Again(_) => "again",
            Fault::AgainDiffers(_) => "again_differs",
            _ => "other",
        };
        let changes = changes(fault).cloned().unwrap_or_default();
        json!({
            "kind": kind,
            "message": message(fault, tested),
            "operations": changes.operations,
            "sql": changes.sql,
            "unmanaged": changes.unmanaged,
        })
    };
    let faults: Vec<Value> = tested.faults.iter().map(fault).collect();
    json!({ "id": tested.id, "message": tested.message, "file": tested.file, "faults": faults })
}

/// Ends early at Ctrl-C, so that what was made for the test can be taken away.
async fn unless_interrupted(work: impl Future<Output = Outcome>) -> Outcome {
    let (mut work, mut interrupt) = (pin!(work), pin!(tokio::signal::ctrl_c()));
    std::future::poll_fn(|context| match work.as_mut().poll(context) {
        Poll::Ready(outcome) => Poll::Ready(outcome),
        Poll::Pending => interrupt
            .as_mut()
            .poll(context)
            .map(|_| Err(Error::Revision("interrupted: the revisions were not all tried".into()))),
    })
    .await
}
