//! What can be wrong with a PostgreSQL server for a program and its migrations.

use std::collections::HashMap;

use limbeck::dialect::{Dialect, ddl};
use limbeck::engine::{Connection, Engine};
use limbeck::schema::{Metadata, SqlType};

use super::Doctor;
use super::report::Report;
use crate::config::Config;

/// The oldest server whose catalog has what reflection reads.
const OLDEST: i64 = 120_000;

/// The oldest server that still gets fixes.
const MAINTAINED: i64 = 140_000;

/// What the engine has where nothing is said.
const POOL_SIZE: i64 = 5;
const MAX_OVERFLOW: i64 = 10;

/// What the server says of itself and of the login.
struct Facts {
    user: String,
    database: String,
    schema: String,
    standby: bool,
    may_create_schema: bool,
    may_create_table: bool,
    connections: i64,
    /// The least of the limits of the database and of the login; `None` where there are none.
    own_limit: Option<i64>,
}

const FACTS: &str = "SELECT current_user::text, current_database()::text, coalesce(current_schema()::text, ''), \
    pg_is_in_recovery(), has_database_privilege(current_database(), 'CREATE'), \
    coalesce(has_schema_privilege(current_schema()::text, 'CREATE'), false), \
    (SELECT count(*) FROM pg_stat_activity WHERE backend_type = 'client backend'), \
    (SELECT nullif(datconnlimit, -1)::int8 FROM pg_database WHERE datname = current_database()), \
    (SELECT nullif(rolconnlimit, -1)::int8 FROM pg_roles WHERE rolname = current_user)";

type Row = (String, String, String, bool, bool, bool, i64, Option<i64>, Option<i64>);

/// Looks at the server.
pub(super) async fn examine(
    report: &mut Report,
    engine: &Engine,
    config: &Config,
    doctor: &Doctor,
    wanted: Option<&Metadata>,
) {
    let outcome = async {
        let mut connection = engine.connect().await?;
        let settings = Settings::read(&mut connection).await?;
        let rows: Vec<Row> = connection.fetch_raw(FACTS, &[]).await?;
        if let Some((user, database, schema, standby, may_create_schema, may_create_table, connections, a, b)) =
            rows.into_iter().next()
        {
            let own_limit = a.into_iter().chain(b).min();
            let facts =
                Facts { user, database, schema, standby, may_create_schema, may_create_table, connections, own_limit };
            version(report, &settings);
            rights(report, &facts);
            pool(report, &settings, &facts, config, doctor.instances);
            conventions(report, &settings, &facts);
            timeouts(report, &settings, &facts);
            pooler(report, engine.url());
        }
        match wanted {
            Some(wanted) => types(report, &mut connection, wanted).await,
            None => Ok(()),
        }
    };
    let outcome: limbeck::Result<()> = outcome.await;
    if let Err(error) = outcome {
        report.fail("server", error.to_string(), "the server's settings cannot be read");
    }
}

/// The settings of the session, as the server, the database, the login and the URL make them.
struct Settings(HashMap<String, String>);

impl Settings {
    async fn read(connection: &mut Connection) -> limbeck::Result<Settings> {
        let rows: Vec<(String, String)> =
            connection.fetch_raw("SELECT name, coalesce(setting, '') FROM pg_settings", &[]).await?;
        Ok(Settings(rows.into_iter().collect()))
    }

    fn text(&self, name: &str) -> &str {
        self.0.get(name).map(String::as_str).unwrap_or_default()
    }

    fn number(&self, name: &str) -> i64 {
        self.text(name).parse().unwrap_or(0)
    }
}

fn version(report: &mut Report, settings: &Settings) {
    let said = format!("PostgreSQL {}", settings.text("server_version"));
    match settings.number("server_version_num") {
        number if number < OLDEST => report.fail("version", said, "limbeck needs PostgreSQL 12 or newer"),
        number if number < MAINTAINED => {
            report.warn("version", said, "it gets no fixes any more: plan to upgrade the server");
        }
        _ => report.ok("version", said),
    }
}

fn rights(report: &mut Report, facts: &Facts) {
    let Facts { user, database, schema, .. } = facts;
    if facts.standby {
        report.warn(
            "standby",
            "this server is a standby, which can only be read",
            "migrations go to the primary: give its URL",
        );
    }
    if schema.is_empty() {
        report.fail(
            "schema",
            "none of the schemas in `search_path` exists, so that there is no place for tables",
            format!("CREATE SCHEMA public; or ALTER ROLE {user} SET search_path = …"),
        );
    } else if facts.may_create_table {
        report.ok("rights", format!("`{user}` may make tables in the schema `{schema}`"));
    } else {
        report.warn(
            "rights",
            format!("`{user}` may not make tables in the schema `{schema}`: migrations would fail"),
            format!("GRANT CREATE ON SCHEMA {schema} TO {user}; or run migrations with another login"),
        );
    }
    if facts.may_create_schema {
        report.ok("scratch", "expressions can be compared in a scratch schema, which is rolled back");
    } else {
        report.ok_but(
            "scratch",
            format!("`{user}` may not make schemas: expressions are compared in temporary tables"),
            format!(
                "GRANT CREATE ON DATABASE {database} TO {user}; makes the comparison exact for enumerations as well"
            ),
        );
    }
}

fn pool(report: &mut Report, settings: &Settings, facts: &Facts, config: &Config, instances: u32) {
    let said = |name: &str, default: i64| config.number(name).unwrap_or(default);
    let (size, overflow) = (said("DATABASE_POOL_SIZE", POOL_SIZE), said("DATABASE_MAX_OVERFLOW", MAX_OVERFLOW));
    let max = settings.number("max_connections");
    let reserved = settings.number("superuser_reserved_connections") + settings.number("reserved_connections");
    let room = facts.own_limit.map_or(max - reserved, |limit| limit.min(max - reserved));
    let server = match facts.own_limit {
        Some(limit) if limit == room => format!("the limit of `{}` or `{}` is {limit}", facts.user, facts.database),
        _ => format!("the server takes {max} connections, {reserved} of them reserved"),
    };
    // 0 and below mean that there is no limit.
    if size <= 0 || overflow < 0 {
        report.warn(
            "pool",
            format!("the pool has no limit, and {server}"),
            "set DATABASE_POOL_SIZE and DATABASE_MAX_OVERFLOW, or say `pool_size` and `max_overflow` in the program",
        );
        return;
    }
    let wanted = (size + overflow) * i64::from(instances);
    let pools = match instances {
        1 => format!("a pool of up to {wanted} connections ({size} and {overflow} more)"),
        _ => format!("{instances} pools of up to {} connections, {wanted} in all", size + overflow),
    };
    let now = facts.connections;
    if wanted > room {
        let each = (room / i64::from(instances)).max(1);
        report.fail(
            "pool",
            format!("{pools}, but {server}"),
            format!("let DATABASE_POOL_SIZE and DATABASE_MAX_OVERFLOW be {each} together, or raise the server's limit"),
        );
    } else if wanted + now > room {
        report.warn(
            "pool",
            format!("{pools}; {server}, and {now} are open now"),
            "under load, connections will be refused: lower DATABASE_POOL_SIZE, or find out who has them",
        );
    } else {
        let fit = room / (size + overflow);
        report.ok("pool", format!("{pools}; {server}: room for {fit} instances"));
    }
}

fn conventions(report: &mut Report, settings: &Settings, facts: &Facts) {
    match settings.text("server_encoding") {
        "UTF8" => report.ok("encoding", "UTF8"),
        other => report.fail(
            "encoding",
            format!("the database's encoding is {other}: not every text can be stored"),
            format!("make it anew: CREATE DATABASE {} ENCODING 'UTF8' TEMPLATE template0", facts.database),
        ),
    }
    let zone = settings.text("TimeZone");
    if ["utc", "etc/utc", "gmt", "etc/gmt", "zulu"].contains(&zone.to_ascii_lowercase().as_str()) {
        report.ok("time zone", zone);
    } else {
        report.warn(
            "time zone",
            format!("{zone}: `now()` in a column without time zone is that zone's time"),
            format!("ALTER DATABASE {} SET timezone = 'UTC'; or use DateTime<Utc> in all models", facts.database),
        );
    }
    match settings.text("default_transaction_isolation") {
        "read committed" => report.ok("isolation", "read committed"),
        other => report.warn(
            "isolation",
            format!("transactions are {other} unless they say otherwise"),
            "say `isolation_level` when the engine is made: a session that has only read sends no BEGIN otherwise",
        ),
    }
    if settings.text("default_transaction_read_only") == "on" {
        report.warn(
            "read only",
            "transactions can only read unless they say otherwise: migrations would fail",
            format!("ALTER ROLE {} SET default_transaction_read_only = off;", facts.user),
        );
    }
}

fn timeouts(report: &mut Report, settings: &Settings, facts: &Facts) {
    match settings.number("idle_in_transaction_session_timeout") {
        0 => report.ok_but(
            "idle transactions",
            "a transaction that is left open stays so, with its locks",
            format!("ALTER ROLE {} SET idle_in_transaction_session_timeout = '5min'; ends it", facts.user),
        ),
        limit => report.ok("idle transactions", format!("are ended after {}; not that of a migration", span(limit))),
    }
    match settings.number("statement_timeout") {
        0 => report.ok("statement timeout", "none: a migration may take its time"),
        limit => report.warn(
            "statement timeout",
            format!("a statement is cancelled after {}: also one of a migration, such as an index", span(limit)),
            "let migrations have a login of their own: ALTER ROLE … SET statement_timeout = 0;",
        ),
    }
    match settings.number("lock_timeout") {
        0 => report.ok_but(
            "lock timeout",
            "none: a migration waits for a lock, and everybody who comes after it waits for the migration",
            "let the login of migrations have one: ALTER ROLE … SET lock_timeout = '5s';",
        ),
        limit => report.ok("lock timeout", format!("a migration gives up after {}", span(limit))),
    }
}

/// Milliseconds for a person.
fn span(milliseconds: i64) -> String {
    if milliseconds % 1000 == 0 { format!("{} s", milliseconds / 1000) } else { format!("{milliseconds} ms") }
}

/// A pooler does not say that it is one: its usual port and names do.
fn pooler(report: &mut Report, url: &str) {
    if is_pooled(url) {
        report.warn(
            "pooler",
            "the URL leads to a pooler such as PgBouncer",
            "in its transaction mode say `statement_cache(0)` when the engine is made; give migrations the server's own \
             URL",
        );
    }
}

fn is_pooled(url: &str) -> bool {
    let authority = url.split_once("://").map_or(url, |(_, rest)| rest).split('/').next().unwrap_or_default();
    let host = authority.rsplit('@').next().unwrap_or_default();
    host.ends_with(":6432") || host.contains("pgbouncer") || host.contains("pooler")
}

/// The types that models name, which extensions and revisions make.
async fn types(report: &mut Report, connection: &mut Connection, wanted: &Metadata) -> limbeck::Result<()> {
    let wanted = wanted.on(Dialect::Postgres)?;
    let mut missing = Vec::new();
    let mut seen = std::collections::BTreeSet::new();
    for table in &wanted.tables {
        for column in &table.columns {
            let name = match &column.sql_type {
                SqlType::Named(name) => (*name).to_string(),
                SqlType::Other(name) => name.clone(),
                _ => continue,
            };
            if seen.insert(name.clone()) {
                let base = name.split('(').next().unwrap_or(&name).trim();
                let query = format!("SELECT to_regtype({}) IS NOT NULL", ddl::text_literal(base));
                let found: Vec<(bool,)> = connection.fetch_raw(&query, &[]).await?;
                if found.first().is_some_and(|row| !row.0) {
                    missing.push((name, format!("{}.{}", table.full_name(), column.name)));
                }
            }
        }
    }
    for (name, place) in &missing {
        report.fail(
            "types",
            format!("there is no type `{name}`, which {place} has"),
            format!("CREATE EXTENSION {name}; where an extension has it, in a revision before the table's"),
        );
    }
    if missing.is_empty() && !seen.is_empty() {
        report.ok("types", format!("the server has {}", seen.into_iter().collect::<Vec<_>>().join(", ")));
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_pooler_is_seen_by_its_port_or_name() {
        for url in ["postgres://a@db:6432/x", "postgres://pgbouncer/x", "postgres://a@ep-1-pooler.eu.example/x"] {
            assert!(is_pooled(url), "{url}");
        }
        for url in ["postgres://a@db:5432/x", "postgres:///pooler", "postgres://pooler@db/x"] {
            assert!(!is_pooled(url), "{url}");
        }
    }
}
