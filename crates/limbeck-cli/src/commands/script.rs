//! `limbeck upgrade --sql` and `limbeck downgrade --sql`: what a run would send, without any database.

use limbeck::dialect::Dialect;
use limbeck_migrate::run::Script;
use limbeck_migrate::{Error, Migrator};
use serde_json::json;

use crate::Outcome;
use crate::config::dialect_of;
use crate::output::{note, plain, results};
use crate::project::Context;

pub(crate) fn upgrade(context: &Context, range: &str) -> Outcome {
    print(context, |migrator, dialect| migrator.upgrade_script(dialect, range))
}

pub(crate) fn downgrade(context: &Context, range: &str) -> Outcome {
    print(context, |migrator, dialect| migrator.downgrade_script(dialect, range))
}

fn print(context: &Context, script: impl Fn(&Migrator, Dialect) -> Result<Script, Error>) -> Outcome {
    let script = script(&context.migrator()?, dialect(context)?)?;
    results(json!({ "dialect": script.dialect.name(), "revisions": script.revisions, "sql": script.sql }));
    if script.sql.is_empty() {
        note("nothing to do between these two");
    } else {
        plain(script.sql.trim_end());
    }
    Ok(0)
}

/// The kind of database: what is said, the one that the project declares, or that of its URL.
fn dialect(context: &Context) -> Result<Dialect, Error> {
    if context.said_url().is_none()
        && let [dialect] = context.config.databases[..]
    {
        return Ok(dialect);
    }
    let url = context.config.url(context.said_url())?;
    dialect_of(&url).ok_or_else(|| {
        let scheme = url.split(':').next().unwrap_or_default();
        Error::Revision(format!("the scheme of `{scheme}:…` is not known: sqlite, postgres"))
    })
}
