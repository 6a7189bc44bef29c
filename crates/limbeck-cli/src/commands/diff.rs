//! `limbeck diff`: two databases, without any project.

use limbeck::engine::Engine;
use limbeck_migrate::Error;
use limbeck_migrate::between::{Between, between};
use limbeck_migrate::render::{Plan, render};
use limbeck_migrate::revision::DraftStep;
use serde_json::{Value, json};

use crate::Outcome;
use crate::args::Diff;
use crate::output::{is_json, note, plain, results};

/// What the command exits with where the databases differ.
const DIFFERENT: u8 = 2;

pub(crate) async fn run(args: &Diff, verbose: bool) -> Outcome {
    let from = engine(&args.from, verbose).await?;
    let to = engine(&args.to, verbose).await?;
    let found = between(&from, &to).await?;
    from.close().await;
    to.close().await;
    let plan = render(&found.diff.ops, &found.live);
    say(&found, &plan, args.downgrade);
    results(json(&found, &plan));
    print(if args.downgrade { &plan.downgrade } else { &plan.upgrade });
    Ok(if found.diff.ops.is_empty() && found.left_out.is_empty() { 0 } else { DIFFERENT })
}

async fn engine(url: &str, verbose: bool) -> Result<Engine, Error> {
    // To read a database that is not there would make it.
    let path = url.strip_prefix("sqlite:").map(|rest| rest.trim_start_matches("//"));
    let path = path.map(|path| path.split('?').next().unwrap_or(path));
    if let Some(path) = path.filter(|path| !path.is_empty() && !path.contains(":memory:"))
        && !std::path::Path::new(path).exists()
    {
        return Err(Error::Revision(format!("there is no database at {url}")));
    }
    Ok(Engine::builder(url).echo(verbose).pool_size(1).connect().await?)
}

/// What a person should know, on standard error.
fn say(found: &Between, plan: &Plan, downgrade: bool) {
    if is_json() {
        return; // All of it has a place of its own in the result.
    }
    for text in found.unmanaged.iter().map(|text| format!("not managed: {text}")).chain(found.left_out.iter().cloned())
    {
        note(&text);
    }
    let steps = if downgrade {
        for lost in &plan.loses {
            note(&format!("loses data: {lost}"));
        }
        &plan.downgrade
    } else {
        for warning in &plan.warnings {
            note(warning);
        }
        &plan.upgrade
    };
    if steps.iter().any(|step| step.foreign_keys_off) {
        note("run it outside of a transaction: tables are made anew, for which SQLite must not follow foreign keys");
    }
}

/// The SQL and nothing else.
fn print(steps: &[DraftStep]) {
    if steps.iter().any(|step| step.foreign_keys_off) {
        plain("PRAGMA foreign_keys = OFF;");
        // Without it, the last step fails where a view or trigger names the table.
        plain("PRAGMA legacy_alter_table = ON;");
    }
    for statement in steps.iter().flat_map(|step| &step.statements) {
        plain(&format!("{statement};"));
    }
}

fn json(found: &Between, plan: &Plan) -> Value {
    let steps = |steps: &[DraftStep]| -> Vec<Value> {
        let step = |step: &DraftStep| json!({ "title": step.title, "sql": step.statements, "foreign_keys_off": step.foreign_keys_off });
        steps.iter().map(step).collect()
    };
    json!({
        "operations": steps(&plan.upgrade),
        "downgrade": steps(&plan.downgrade),
        "downgrade_loses": plan.loses,
        "warnings": plan.warnings,
        "unmanaged": found.unmanaged,
        "left_out": found.left_out,
    })
}
