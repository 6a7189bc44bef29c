//! The `limbeck` command.
//!
//! It comes in two forms with the same words. The global one finds a project's migrations in its folder, and runs
//! all that needs no models without compiling anything. The project's own one, a binary of a few lines that
//! `limbeck init` writes, has the models linked in; the global one runs it for `revision --autogenerate`,
//! `check`, `doctor` and `diagram`, and it goes to production with the migrations embedded:
//!
//! ```ignore
//! use my_app as _; // links the models
//!
//! fn main() -> std::process::ExitCode {
//!     limbeck_cli::main(limbeck_migrate::embed!("migrations"))
//! }
//! ```
//!
//! # Settings
//!
//! From `limbeck.toml` beside `Cargo.toml`, or `[package.metadata.limbeck]` in it:
//!
//! ```toml
//! databases = ["sqlite", "postgres"]   # one revision file for each; if not said, that of DATABASE_URL
//! migrations = "migrations"            # the folder
//! bin = "my-app-limbeck"               # the project's binary, where there are several
//!
//! [urls]                               # for autogenerate, which compares each database with the models
//! sqlite = "sqlite://dev.db"
//!
//! [lint.rules]                         # `limbeck lint`: see the page on it in the book
//! L010 = "error"
//! ```
//!
//! The database is `--url`, or `DATABASE_URL` of the environment or of `.env`. Where several are declared,
//! `DATABASE_URL_SQLITE` and `DATABASE_URL_POSTGRES` say where each is. A declared SQLite without a URL is made
//! in memory from the revisions so far, so that nothing but the other one is needed.
//!
//! # Exit codes
//!
//! 0 done, 1 error (also words that are not understood), 2 differences or pending revisions, 3 the lint found
//! something, 4 lock not obtained, 5 a person has to decide.

mod args;
mod commands;
mod config;
mod diagram;
mod help;
mod output;
mod patch;
mod progress;
mod project;
mod renames;
mod said;

use std::borrow::Borrow;
use std::process::ExitCode;

use clap::{CommandFactory, FromArgMatches};
use limbeck_migrate::{Embedded, Error};

use args::{Args, Command};
use project::Context;

/// The result of a command: its exit code.
type Outcome = Result<u8, Error>;

/// Runs the command of a project's own binary: models are those that are linked into it. The migrations are read
/// from the project's folder where the program is run in it, and otherwise those that are embedded.
pub fn main(embedded: impl Borrow<Embedded>) -> ExitCode {
    run(Some(*embedded.borrow()))
}

/// Runs the global command.
pub fn global() -> ExitCode {
    run(None)
}

fn run(embedded: Option<Embedded>) -> ExitCode {
    output::color_by(said::color());
    let matches = match Args::command().try_get_matches() {
        Ok(matches) => matches,
        Err(error) => return said::misunderstood(&error),
    };
    let args = match Args::from_arg_matches(&matches) {
        Ok(args) => args,
        Err(error) => return said::misunderstood(&error),
    };
    output::prepare(args.json, args.color);
    let outcome = match tokio::runtime::Builder::new_current_thread().enable_all().build() {
        Ok(runtime) => runtime.block_on(dispatch(args, embedded)),
        Err(error) => Err(Error::io("the runtime", error)),
    };
    ExitCode::from(output::finish(matches.subcommand_name().unwrap_or_default(), outcome))
}

async fn dispatch(args: Args, embedded: Option<Embedded>) -> Outcome {
    // What works without a project does not look for one.
    let project = || Context::find(&args, embedded);
    match &args.command {
        Command::Init(init) => commands::init::run(init, args.package.as_deref()),
        #[cfg(feature = "new")]
        Command::New(new) => commands::new::run(new, args.package.as_deref()),
        Command::Diff(diff) => commands::diff::run(diff, args.verbose).await,
        Command::Diagram(diagram) => commands::diagram::run(&args, diagram, embedded).await,
        Command::Doctor(doctor) => commands::doctor::run(&args, doctor, embedded).await,
        Command::Lint(lint) => commands::lint::run(&args, lint, embedded),
        Command::Completions { shell } => commands::completions::run(*shell),
        Command::Revision(revision) => commands::revision::run(&project()?, revision).await,
        Command::Upgrade { revision, sql: true } => commands::script::upgrade(&project()?, revision),
        Command::Downgrade { revision, sql: true } => commands::script::downgrade(&project()?, revision),
        Command::Upgrade { revision, .. } => commands::upgrade::run(&project()?, revision).await,
        Command::Downgrade { revision, .. } => commands::downgrade::run(&project()?, revision).await,
        Command::Current => commands::current::run(&project()?).await,
        Command::History(history) => commands::history::run(&project()?, history).await,
        Command::Show(show) => commands::show::run(&project()?, show),
        Command::Heads => commands::heads::run(&project()?),
        Command::Merge(merge) => commands::merge::run(&project()?, merge),
        Command::Rebase(rebase) => commands::rebase::run(&project()?, rebase).await,
        Command::Stamp(stamp) => commands::stamp::run(&project()?, stamp).await,
        Command::Check => commands::check::run(&project()?).await,
        Command::Test(test) => commands::test::run(&project()?, test).await,
        Command::Repair => commands::repair::run(&project()?).await,
    }
}
