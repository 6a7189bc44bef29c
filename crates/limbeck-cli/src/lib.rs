//! The `limbeck` command.
//!
//! It comes in two forms with the same words. The global one finds a project's migrations in its folder, and runs
//! all that needs no models without compiling anything. The project's own one, a binary of a few lines that
//! `limbeck init` writes, has the models linked in; the global one runs it for `revision --autogenerate` and
//! `check`, and it goes to production with the migrations embedded:
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
//! ```
//!
//! The database is `--url`, or `DATABASE_URL` of the environment or of `.env`. Where several are declared,
//! `DATABASE_URL_SQLITE` and `DATABASE_URL_POSTGRES` say where each is. A declared SQLite without a URL is made
//! in memory from the revisions so far, so that nothing but the other one is needed.
//!
//! # Exit codes
//!
//! 0 done, 1 error, 2 differences or pending revisions, 4 lock not obtained, 5 a person has to decide.

mod args;
mod commands;
mod config;
#[cfg(feature = "new")]
mod naming;
mod output;
mod project;

use std::borrow::Borrow;
use std::process::ExitCode;

use clap::Parser;
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
    let args = Args::parse();
    let runtime = match tokio::runtime::Builder::new_current_thread().enable_all().build() {
        Ok(runtime) => runtime,
        Err(error) => {
            output::error(&format!("the runtime does not start: {error}"));
            return ExitCode::FAILURE;
        }
    };
    let code = match runtime.block_on(dispatch(args, embedded)) {
        Ok(code) => code,
        Err(error) => {
            output::error(&error.to_string());
            error.exit_code()
        }
    };
    ExitCode::from(code)
}

async fn dispatch(args: Args, embedded: Option<Embedded>) -> Outcome {
    if let Command::Init(init) = &args.command {
        return commands::init::run(init, args.package.as_deref());
    }
    if let Command::Diff(diff) = &args.command {
        return commands::diff::run(diff, args.verbose).await;
    }
    #[cfg(feature = "new")]
    if let Command::New(new) = &args.command {
        return commands::new::run(new, args.package.as_deref());
    }
    let context = Context::find(&args, embedded)?;
    match &args.command {
        Command::Revision(revision) => commands::revision::run(&context, revision).await,
        Command::Upgrade { revision } => commands::upgrade::run(&context, revision).await,
        Command::Downgrade { revision } => commands::downgrade::run(&context, revision).await,
        Command::Current => commands::current::run(&context).await,
        Command::History => commands::history::run(&context),
        Command::Heads => commands::heads::run(&context),
        Command::Check => commands::check::run(&context).await,
        Command::Repair => commands::repair::run(&context).await,
        Command::Init(_) | Command::Diff(_) => Ok(0),
        #[cfg(feature = "new")]
        Command::New(_) => Ok(0),
    }
}
