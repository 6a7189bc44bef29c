//! `limbeck revision`

use limbeck::dialect::Dialect;
use limbeck::engine::Engine;
use limbeck::schema::Metadata;
use limbeck_migrate::autogenerate::{Difference, difference_after};
use limbeck_migrate::render::{Plan, render};
use limbeck_migrate::revision::{DraftStep, NewRevision};
use limbeck_migrate::{Error, Migrator};
use serde_json::json;

use crate::Outcome;
use crate::args::Revision;
use crate::config::shown;
use crate::output::{green, line, note, results};
use crate::project::Context;
use crate::renames::{self, Answers};

pub(crate) async fn run(context: &Context, args: &Revision) -> Outcome {
    if args.autogenerate && !context.has_models() {
        return context.run_project_binary();
    }
    let folder = context.folder()?;
    let history = context.history_to_run()?;
    let databases = context.config.revision_databases(context.said_url())?;
    let plans: Vec<(Dialect, Plan)> = if args.autogenerate {
        let wanted = Metadata::registered()?;
        let migrator = Migrator::new(history.clone());
        let mut plans = Vec::new();
        // What is answered for one database is the answer for the next.
        let mut said = Answers { renames: args.renames.clone(), drops: args.drops.clone() };
        for dialect in databases {
            plans.push((dialect, plan(context, &migrator, dialect, &wanted, &mut said).await?));
        }
        if plans.iter().all(|(_, plan)| plan.upgrade.is_empty()) {
            results(json!({ "files": [], "operations": [] }));
            line("nothing to do: the database is what the models say");
            return Ok(0);
        }
        plans
    } else {
        databases.into_iter().map(|dialect| (dialect, Plan::default())).collect()
    };
    let mut revision =
        NewRevision::new(&args.message).splice(args.splice).labels(&args.labels).depends_on(&args.depends_on);
    if let Some(head) = &args.head {
        revision = revision.follows([head]);
    }
    if let Some(id) = &args.rev_id {
        revision = revision.id(id);
    }
    let files: Vec<String> = revision.write(&folder, &history, &plans)?.iter().map(|path| shown(path)).collect();
    let operations = plans.iter().flat_map(|(dialect, plan)| {
        let described =
            |step: &DraftStep| json!({ "database": dialect.name(), "title": step.title, "sql": step.statements });
        plan.upgrade.iter().map(described)
    });
    results(json!({ "files": files, "operations": operations.collect::<Vec<_>>() }));
    for file in files {
        line(&format!("{} {file}", green("wrote")));
    }
    // What is to be known is the same for each database, apart from what only one of them lacks.
    let mut warnings: Vec<&String> = plans.iter().flat_map(|(_, plan)| &plan.warnings).collect();
    warnings.sort();
    warnings.dedup();
    for warning in warnings {
        note(warning);
    }
    if let [(_, plan)] = &plans[..] {
        for step in &plan.upgrade {
            line(&format!("  {}", step.title));
        }
    }
    Ok(0)
}

/// What one database lacks.
async fn plan(
    context: &Context,
    migrator: &Migrator,
    dialect: Dialect,
    wanted: &Metadata,
    said: &mut Answers,
) -> Result<Plan, Error> {
    let engine = database(context, migrator, dialect).await?;
    let found = asked(migrator, &engine, wanted, said).await;
    engine.close().await;
    let found = found?;
    if let Some(why) = &found.note {
        note(&format!("defaults were compared as texts, since the server could not be asked: {why}"));
    }
    for table in &found.diff.unknown {
        note(&format!("the table {table} is of no model and no revision made it: it is left alone"));
    }
    Ok(render(&found.diff.ops, &found.live))
}

/// The difference, once a person has said what became of what would go.
async fn asked(
    migrator: &Migrator,
    engine: &Engine,
    wanted: &Metadata,
    said: &mut Answers,
) -> Result<Difference, Error> {
    loop {
        let found = difference_after(migrator, engine, wanted, &said.renames).await?;
        let questions = found.questions(&said.drops);
        if questions.is_empty() || !renames::ask(&questions, said)? {
            found.refuse_losses(&said.drops)?;
            return Ok(found);
        }
    }
}

/// The database to compare with.
async fn database(context: &Context, migrator: &Migrator, dialect: Dialect) -> Result<Engine, Error> {
    if let Some(url) = context.config.url_of(dialect, context.said_url()) {
        return context.engine_at(&url).await;
    }
    if dialect == Dialect::Sqlite {
        // SQLite needs no server: the revisions so far make the database that they are compared with.
        let engine = context.engine_at("sqlite::memory:").await?;
        migrator.upgrade(&engine, "head").await?;
        return Ok(engine);
    }
    Err(Error::Revision(format!(
        "the project is declared for {0} too, whose database has to be compared with the models: set DATABASE_URL_{1}, or \
         `{0}` in the table [urls] of limbeck.toml",
        dialect.name(),
        dialect.name().to_uppercase()
    )))
}
