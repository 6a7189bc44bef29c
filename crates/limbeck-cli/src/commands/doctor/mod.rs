//! `limbeck doctor`: looks for what is wrong with a project and its databases, and says what to do. It changes nothing.

mod args;
mod connection;
mod postgres;
mod project;
mod report;
mod sqlite;

use limbeck::dialect::Dialect;
use limbeck_migrate::{Embedded, Error};

pub(crate) use args::Doctor;

use crate::Outcome;
use crate::args::Args;
use crate::config::{Config, DATABASES};
use crate::output::results;
use crate::project::Context;
use report::Report;

pub(crate) async fn run(args: &Args, doctor: &Doctor, embedded: Option<Embedded>) -> Outcome {
    let mut report = Report::default();
    let context = match Context::find(args, embedded) {
        Ok(context) => Some(context),
        Err(error) => {
            not_found(&mut report, args, &error);
            None
        }
    };
    if let Some(context) = context.as_ref().filter(|context| !context.has_models() && !doctor.without_models) {
        match context.run_project_binary() {
            Ok(code) => return Ok(code),
            Err(error) => report.warn(
                "models",
                format!("the models are not looked at: {error}"),
                "`limbeck doctor --without-models` does not try",
            ),
        }
    }
    let own;
    let config = match &context {
        Some(context) => &context.config,
        None => {
            own = Config::read(None).unwrap_or_default();
            &own
        }
    };
    let history = context.as_ref().and_then(|context| project::files(&mut report, context));
    let wanted = context.as_ref().filter(|context| context.has_models()).and_then(|_| project::models(&mut report));
    for url in urls(&mut report, config, args.url.as_deref()) {
        let Some(engine) = connection::examine(&mut report, &url, history.as_ref()).await else { continue };
        match engine.dialect() {
            Dialect::Postgres => postgres::examine(&mut report, &engine, config, doctor, wanted.as_ref()).await,
            _ => sqlite::examine(&mut report, &engine).await,
        }
        if let Some(history) = &history {
            project::database(&mut report, history, &engine, wanted.as_ref()).await;
        }
        engine.close().await;
    }
    results(report.for_programs());
    report.print();
    Ok(report.exit_code())
}

/// Without a project, a database that is named can be looked at all the same.
fn not_found(report: &mut Report, args: &Args, error: &Error) {
    match error {
        Error::Revision(message) if args.url.is_some() => {
            report.warn("project", message, "in the project's folder, its migrations and models are looked at too");
        }
        Error::Revision(message) => report.fail("project", message, "run it in the project's folder, or give `--url`"),
        other => report.fail("settings", other.to_string(), "mend the file"),
    }
}

/// The databases to look at: the one that is said, or all that are known.
fn urls(report: &mut Report, config: &Config, said: Option<&str>) -> Vec<String> {
    match config.url(said) {
        Ok(url) => vec![url],
        Err(error) => {
            let known: Vec<String> = DATABASES.into_iter().filter_map(|dialect| config.url_of(dialect, None)).collect();
            if known.is_empty() {
                report.fail("url", error.to_string(), "the database is not looked at");
            }
            known
        }
    }
}
