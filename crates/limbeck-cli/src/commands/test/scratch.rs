//! The database in which revisions are tried: one that is made and dropped, or an empty one that somebody names.

use std::path::PathBuf;

use limbeck::dialect::Dialect;
use limbeck::engine::{Connection, Engine};
use limbeck_migrate::revision::NewRevision;
use limbeck_migrate::{Error, Migrator};

use crate::output::note;
use crate::project::Context;

/// What SQLSTATE says where a role may not do something.
const NOT_ALLOWED: &str = "42501";

/// What there is in a database of PostgreSQL, apart from what extensions bring.
const THINGS: &str = "WITH own AS (SELECT oid, quote_ident(nspname) || '.' AS schema FROM pg_namespace WHERE nspname !~ \
     '^pg_' AND nspname <> 'information_schema'), things AS (SELECT 'pg_class'::regclass AS of, c.oid, schema || \
     quote_ident(relname) AS name FROM pg_class c JOIN own ON own.oid = relnamespace UNION ALL SELECT 'pg_type'::regclass, \
     t.oid, schema || quote_ident(typname) FROM pg_type t JOIN own ON own.oid = typnamespace WHERE typtype IN ('d', 'e', \
     'r') UNION ALL SELECT 'pg_proc'::regclass, p.oid, schema || quote_ident(proname) FROM pg_proc p JOIN own ON own.oid = \
     pronamespace) SELECT name::text FROM things WHERE NOT EXISTS (SELECT FROM pg_depend d WHERE d.classid = of AND d.objid \
     = things.oid AND d.deptype = 'e') ORDER BY name LIMIT 3";

pub(super) struct Scratch {
    pub(super) engine: Engine,
    home: Home,
}

/// Whose it is.
enum Home {
    /// It goes with its folder.
    Folder(Folder),
    /// It was made on a server.
    Made { server: Engine, name: String },
    /// Somebody has named it.
    Said,
}

/// A folder that is removed with all that is in it.
struct Folder(PathBuf);

impl Drop for Folder {
    fn drop(&mut self) {
        // What stays behind in a temporary folder hurts nobody.
        let _ = std::fs::remove_dir_all(&self.0);
    }
}

impl Scratch {
    /// A file of SQLite. In memory, a database would go with the connection that a rebuild of a table closes.
    pub(super) async fn in_a_file(context: &Context) -> Result<Scratch, Error> {
        let path = std::env::temp_dir().join(name());
        std::fs::create_dir(&path).map_err(|error| Error::io(path.display().to_string(), error))?;
        let url = format!("sqlite://{}", path.join("test.db").display()).replace(' ', "%20");
        let folder = Folder(path);
        Ok(Scratch { engine: context.engine_at(&url).await?, home: Home::Folder(folder) })
    }

    /// A new database on the server of a URL.
    pub(super) async fn on_server(context: &Context, url: &str) -> Result<Scratch, Error> {
        let server = context.engine_at(url).await?;
        let name = name();
        match server.connect().await?.execute_raw(&format!("CREATE DATABASE {name}")).await {
            Ok(_) => {}
            Err(limbeck::Error::Database(error)) if error.code.as_deref() == Some(NOT_ALLOWED) => {
                return Err(Error::Revision(format!(
                    "the role of {} may not make a database to try the revisions in: `ALTER ROLE … CREATEDB` lets it, or \
                     name an empty database by `--scratch URL`",
                    server.url()
                )));
            }
            Err(error) => return Err(error.into()),
        }
        let home = Home::Made { server: server.clone(), name: name.clone() };
        match context.engine_at(&with_database(url, &name)).await {
            Ok(engine) => Ok(Scratch { engine, home }),
            Err(error) => {
                drop_database(&server, &name).await;
                Err(error)
            }
        }
    }

    /// One that somebody names, which has to be empty.
    pub(super) async fn said(context: &Context, url: &str) -> Result<Scratch, Error> {
        let engine = context.engine_at(url).await?;
        let there = things(&mut engine.connect().await?).await?;
        if !there.is_empty() {
            return Err(Error::Revision(format!(
                "the database {} is not empty: it has {}. Revisions are taken back and applied in it, so name one that has \
                 nothing to lose",
                engine.url(),
                there.join(", ")
            )));
        }
        Ok(Scratch { engine, home: Home::Said })
    }

    /// Leaves nothing behind, as far as that can be.
    pub(super) async fn end(self, migrator: &Migrator) {
        if let Home::Said = self.home
            && let Err(error) = empty(&self.engine, migrator).await
        {
            note(&format!("the database {} keeps what was made in it: {error}", self.engine.url()));
        }
        self.engine.close().await;
        match self.home {
            Home::Made { server, name } => {
                drop_database(&server, &name).await;
                server.close().await;
            }
            Home::Folder(folder) => drop(folder),
            Home::Said => {}
        }
    }
}

/// Takes everything back.
async fn empty(engine: &Engine, migrator: &Migrator) -> Result<(), Error> {
    migrator.downgrade(engine, "base").await?;
    let mut connection = engine.connect().await?;
    for table in ["limbeck_statement", "limbeck_revision"] {
        connection.execute_raw(&format!("DROP TABLE IF EXISTS {table}")).await?;
    }
    Ok(())
}

async fn drop_database(server: &Engine, name: &str) {
    let dropped = async {
        let mut connection = server.connect().await?;
        // PostgreSQL 12 does not know FORCE, which an interrupted statement needs.
        match connection.execute_raw(&format!("DROP DATABASE {name} WITH (FORCE)")).await {
            Ok(_) => Ok(()),
            Err(_) => connection.execute_raw(&format!("DROP DATABASE {name}")).await.map(drop),
        }
    };
    if let Err(error) = dropped.await {
        note(&format!("the database {name}, which was made for the test, is still there: {error}"));
    }
}

/// The names of a few things that a database has.
async fn things(connection: &mut Connection) -> Result<Vec<String>, Error> {
    let query = match connection.dialect() {
        Dialect::Postgres => THINGS,
        _ => "SELECT name FROM sqlite_schema WHERE name NOT LIKE 'sqlite!_%' ESCAPE '!' ORDER BY name LIMIT 3",
    };
    let rows: Vec<(String,)> = connection.fetch_raw(query, &[]).await?;
    Ok(rows.into_iter().map(|row| row.0).collect())
}

/// A name that nothing has.
fn name() -> String {
    format!("limbeck_test_{}", NewRevision::new("").id)
}

/// The URL of another database of the same server.
fn with_database(url: &str, name: &str) -> String {
    let (place, query) = url.split_once('?').unwrap_or((url, ""));
    let (scheme, rest) = place.split_once("://").unwrap_or((place, ""));
    let authority = rest.split('/').next().unwrap_or_default();
    let query: Vec<&str> = query.split('&').filter(|part| !part.is_empty() && !part.starts_with("dbname=")).collect();
    let query = if query.is_empty() { String::new() } else { format!("?{}", query.join("&")) };
    format!("{scheme}://{authority}/{name}{query}")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_url_of_another_database_keeps_all_else() {
        for (url, wanted) in [
            ("postgres://u:p%2F@h:5/app", "postgres://u:p%2F@h:5/x"),
            ("postgresql://h", "postgresql://h/x"),
            ("postgres:///app?host=/tmp&dbname=b&sslmode=require", "postgres:///x?host=/tmp&sslmode=require"),
        ] {
            assert_eq!(with_database(url, "x"), wanted);
        }
    }
}
