//! What can be said on the command line.

use clap::{ColorChoice, Parser};

use limbeck_migrate::Rename;

use crate::commands::diagram::Diagram;
use crate::commands::doctor::Doctor;
use crate::commands::history::Arguments as History;
use crate::commands::lint::Lint;
use crate::commands::merge::Merge;
use crate::commands::rebase::Rebase;
use crate::commands::show::Show;
use crate::commands::stamp::Stamp;
use crate::commands::test::Test;
use crate::help;

/// Migrations for limbeck: compares the models of a program with its database, and writes and applies what is
/// missing.
#[derive(Debug, Parser)]
#[command(name = "limbeck", version, long_about = None, after_help = help::LIMBECK)]
pub(crate) struct Args {
    /// The package, in a workspace with several that have migrations.
    #[arg(short, long, global = true, value_name = "NAME")]
    pub(crate) package: Option<String>,

    /// The database, instead of DATABASE_URL.
    #[arg(long, global = true, value_name = "URL")]
    pub(crate) url: Option<String>,

    /// Shows the SQL that is sent.
    #[arg(short, long, global = true)]
    pub(crate) verbose: bool,

    /// Prints one JSON object on standard output and nothing else, errors too.
    #[arg(long, global = true)]
    pub(crate) json: bool,

    /// Colours: auto is on a terminal, unless NO_COLOR is set.
    #[arg(long, global = true, value_name = "WHEN", default_value = "auto")]
    pub(crate) color: ColorChoice,

    #[command(subcommand)]
    pub(crate) command: Command,
}

#[derive(Debug, clap::Subcommand)]
pub(crate) enum Command {
    /// Prepares a package: the folder of the migrations and the project's own limbeck binary.
    #[command(after_help = help::INIT)]
    Init(Init),
    /// Writes what a project gets more of: a model.
    #[cfg(feature = "new")]
    #[command(subcommand)]
    New(crate::commands::new::New),
    /// Writes a new revision.
    #[command(after_help = help::REVISION)]
    Revision(Revision),
    /// Applies revisions: head, +1, an id, a branch.
    #[command(after_help = help::UPGRADE)]
    Upgrade {
        /// Where to go: head, heads, +1, an id or its first characters, a label, label@head.
        #[arg(default_value = "head")]
        revision: String,

        /// Prints the SQL and needs no database. REVISION may be FROM:TO; without FROM the database is a new one.
        #[arg(long)]
        sql: bool,
    },
    /// Takes revisions back: -1, base, an id, a branch.
    #[command(after_help = help::DOWNGRADE)]
    Downgrade {
        /// Where to go: -1, base, an id or its first characters, label@base.
        #[arg(default_value = "-1", allow_hyphen_values = true)]
        revision: String,

        /// Prints the SQL and needs no database. REVISION is FROM:TO.
        #[arg(long)]
        sql: bool,
    },
    /// Shows the revision that the database is at.
    #[command(after_help = help::CURRENT)]
    Current,
    /// Lists the revisions, newest first.
    #[command(after_help = help::HISTORY)]
    History(History),
    /// Shows a revision with its files.
    #[command(after_help = help::SHOW)]
    Show(Show),
    /// Lists the revisions that no other one follows: one, unless branches have met.
    #[command(after_help = help::HEADS)]
    Heads,
    /// Writes a revision that joins several heads.
    #[command(after_help = help::MERGE)]
    Merge(Merge),
    /// Moves a branch of revisions that was not applied behind the other head.
    #[command(after_help = help::REBASE)]
    Rebase(Rebase),
    /// Records where the database is, and runs nothing.
    #[command(after_help = help::STAMP)]
    Stamp(Stamp),
    /// Compares the models with the database: exit code 2 when they differ or revisions are pending.
    #[command(after_help = help::CHECK)]
    Check,
    /// Tries every revision, up, down and up again, in a database that is made for it: exit code 2 when one does not lead
    /// back.
    #[command(after_help = help::TEST)]
    Test(Test),
    /// Compares two databases and prints the SQL that turns the first into the second: exit code 2 when they differ. No
    /// project is needed.
    #[command(after_help = help::DIFF)]
    Diff(Diff),
    /// Says what a reviewer would say of the models: exit code 3 when something is found.
    #[command(after_help = help::LINT)]
    Lint(Lint),
    /// Records a reviewed edit of revision files, in limbeck.lock and in the database.
    #[command(after_help = help::REPAIR)]
    Repair,
    /// Draws the models, or with --url the tables of a database: Mermaid, Graphviz or SVG.
    #[command(after_help = help::DIAGRAM)]
    Diagram(Diagram),
    /// Looks for what is wrong with the project and its database, and says what to do. It changes nothing.
    #[command(after_help = help::DOCTOR)]
    Doctor(Doctor),
    /// Prints a script that completes commands and options in a shell.
    #[command(after_help = help::COMPLETIONS)]
    Completions {
        /// The shell.
        shell: clap_complete::Shell,
    },
}

#[derive(Debug, clap::Args)]
pub(crate) struct Init {
    /// A database that the project runs on: sqlite, postgres. Said twice for both.
    #[arg(long = "database", value_name = "NAME")]
    pub(crate) databases: Vec<String>,

    /// Does not ask before it changes Rust files.
    #[arg(short, long)]
    pub(crate) yes: bool,
}

#[derive(Debug, clap::Args)]
pub(crate) struct Revision {
    /// What it does.
    #[arg(short, long)]
    pub(crate) message: String,

    /// Fills it with what the models have and the database lacks.
    #[arg(long)]
    pub(crate) autogenerate: bool,

    /// A table or column that has another name now: members=users, users.fullname=users.full_name.
    #[arg(long = "rename", value_name = "OLD=NEW", requires = "autogenerate")]
    pub(crate) renames: Vec<Rename>,

    /// A table (widgets) or column (users.fullname) that may go with its data.
    #[arg(long = "drop", value_name = "NAME", requires = "autogenerate")]
    pub(crate) drops: Vec<String>,

    /// The revision that it follows, instead of the head: an id, label@head, or base for a line of its own.
    #[arg(long, value_name = "REVISION")]
    pub(crate) head: Option<String>,

    /// Lets it follow a revision that is not a head, which begins a branch.
    #[arg(long)]
    pub(crate) splice: bool,

    /// A name of the branch that begins with it.
    #[arg(long = "branch-label", value_name = "NAME")]
    pub(crate) labels: Vec<String>,

    /// A revision of another branch that has to be applied before it.
    #[arg(long = "depends-on", value_name = "REVISION")]
    pub(crate) depends_on: Vec<String>,

    /// An id for it, instead of a made-up one.
    #[arg(long, value_name = "ID")]
    pub(crate) rev_id: Option<String>,
}

#[derive(Debug, clap::Args)]
pub(crate) struct Diff {
    /// The database as it is.
    #[arg(value_name = "URL-A")]
    pub(crate) from: String,

    /// The database that it should be like.
    #[arg(value_name = "URL-B")]
    pub(crate) to: String,

    /// Prints the way back instead: from the second, as it is then, to the first.
    #[arg(long)]
    pub(crate) downgrade: bool,
}
