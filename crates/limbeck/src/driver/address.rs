//! Which database a URL means.

use std::time::Duration;

use super::Driver;
use crate::dialect::Dialect;
use crate::engine::IsolationLevel;
use crate::error::{Error, Result};

/// Where a database is and how a connection to it is opened.
#[derive(Clone)]
pub(crate) enum Address {
    #[cfg(feature = "sqlite")]
    Sqlite(super::sqlite::Settings),
    #[cfg(feature = "postgres")]
    Postgres(Box<super::postgres::Settings>),
}

/// What every driver wants to know beside the URL.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Common {
    /// Prepared statements kept by a connection.
    pub(crate) statement_cache: usize,
    /// SQLite: how long a lock is waited for.
    #[cfg_attr(not(feature = "sqlite"), allow(dead_code))]
    pub(crate) busy_timeout: Duration,
    /// Of each transaction; the database's own default otherwise.
    #[cfg_attr(not(feature = "postgres"), allow(dead_code))]
    pub(crate) isolation: Option<IsolationLevel>,
}

impl Address {
    /// Reads a URL.
    pub(crate) fn parse(url: &str, common: Common) -> Result<Self> {
        let Some((scheme, rest)) = url.split_once(':') else {
            return Err(Error::Config(format!(
                "`{url}` is not a database URL: expected `sqlite://file.db` or `postgres://user:password@host/database`"
            )));
        };
        // SQLAlchemy's `postgresql+asyncpg`: here the driver is not chosen by the URL.
        let base = scheme.split('+').next().unwrap_or(scheme);
        match base {
            "sqlite" => sqlite(rest, common),
            "postgres" | "postgresql" => postgres(base, rest, common),
            _ => Err(Error::Config(format!(
                "unknown database `{scheme}` in the URL: limbeck knows `sqlite://` and `postgres://`"
            ))),
        }
    }

    pub(crate) fn dialect(&self) -> Dialect {
        match self {
            #[cfg(feature = "sqlite")]
            Address::Sqlite(_) => Dialect::Sqlite,
            #[cfg(feature = "postgres")]
            Address::Postgres(_) => Dialect::Postgres,
        }
    }

    /// Opens a connection.
    pub(crate) async fn connect(&self) -> Result<Driver> {
        match self {
            #[cfg(feature = "sqlite")]
            Address::Sqlite(settings) => super::sqlite::Sqlite::connect(settings).await.map(Driver::Sqlite),
            #[cfg(feature = "postgres")]
            Address::Postgres(settings) => {
                super::postgres::Postgres::connect(settings).await.map(|p| Driver::Postgres(Box::new(p)))
            }
        }
    }

    /// Whether the database lives only as long as a connection to it is open.
    pub(crate) fn needs_anchor(&self) -> bool {
        match self {
            #[cfg(feature = "sqlite")]
            Address::Sqlite(settings) => matches!(settings.target, super::sqlite::Target::Memory(_)),
            #[cfg(feature = "postgres")]
            Address::Postgres(_) => false,
        }
    }
}

#[cfg(feature = "sqlite")]
fn sqlite(rest: &str, common: Common) -> Result<Address> {
    Ok(Address::Sqlite(super::sqlite::Settings {
        target: super::sqlite::Target::parse(rest)?,
        statement_cache: common.statement_cache,
        busy_timeout: common.busy_timeout,
    }))
}

#[cfg(not(feature = "sqlite"))]
fn sqlite(_: &str, _: Common) -> Result<Address> {
    Err(Error::FeatureMissing { scheme: "sqlite".into(), feature: "sqlite" })
}

#[cfg(feature = "postgres")]
fn postgres(_: &str, rest: &str, common: Common) -> Result<Address> {
    let settings = super::postgres::Settings::parse(&format!("postgres:{rest}"), common)?;
    Ok(Address::Postgres(Box::new(settings)))
}

#[cfg(not(feature = "postgres"))]
fn postgres(scheme: &str, _: &str, _: Common) -> Result<Address> {
    Err(Error::FeatureMissing { scheme: scheme.into(), feature: "postgres" })
}

/// A URL as it may be shown: without its password.
pub(crate) fn without_password(url: &str) -> String {
    let Some((scheme, rest)) = url.split_once("://") else { return url.to_string() };
    let (authority, path) = rest.split_at(rest.find(['/', '?']).unwrap_or(rest.len()));
    // A password may hold an @ that should have been written %40: the last one ends it.
    let (user, host) = match authority.rsplit_once('@') {
        Some((user, host)) => (user.split(':').next().unwrap_or(user), Some(host)),
        None => (authority, None),
    };
    let mut out = format!("{scheme}://{user}");
    if let Some(host) = host {
        out.push('@');
        out.push_str(host);
    }
    let (path, query) = path.split_once('?').map_or((path, None), |(p, q)| (p, Some(q)));
    out.push_str(path);
    let query: Vec<&str> =
        query.into_iter().flat_map(|q| q.split('&')).filter(|part| !part.starts_with("password=")).collect();
    if !query.is_empty() {
        out.push('?');
        out.push_str(&query.join("&"));
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn passwords_are_not_shown() {
        for (url, shown) in [
            ("postgres://ann:secret@db:5432/blog", "postgres://ann@db:5432/blog"),
            ("postgres://ann:se@cret@db/blog?sslmode=require", "postgres://ann@db/blog?sslmode=require"),
            ("postgres://db/blog?user=ann&password=secret", "postgres://db/blog?user=ann"),
            ("postgres://db/blog", "postgres://db/blog"),
            ("sqlite://blog.db", "sqlite://blog.db"),
            ("sqlite::memory:", "sqlite::memory:"),
        ] {
            assert_eq!(without_password(url), shown);
        }
    }
}
