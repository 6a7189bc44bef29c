//! Opening a connection to PostgreSQL.

use std::time::Duration;

use tokio_postgres::Config;
use tokio_postgres::config::Host;
use tokio_postgres::error::SqlState;

use super::error::message_of;
use super::statements::Statements;
use super::tls::{self, Tls};
use super::{Postgres, Tx};
use crate::driver::{Common, without_password};
use crate::engine::IsolationLevel;
use crate::error::{Error, Result};

/// How long to wait for a server that does not answer, unless the URL's `connect_timeout` says otherwise.
const CONNECT_TIMEOUT: Duration = Duration::from_secs(10);

/// What a connection is opened with.
#[derive(Clone)]
pub(crate) struct Settings {
    config: Config,
    tls: Tls,
    /// Without its password.
    url: String,
    statement_cache: usize,
    isolation: Option<IsolationLevel>,
}

impl Settings {
    /// Reads a URL.
    pub(crate) fn parse(url: &str, common: Common) -> Result<Self> {
        let shown = without_password(url);
        let (url, mode) = tls::split(url);
        let mut config: Config = url.parse().map_err(|e: tokio_postgres::Error| {
            Error::Config(format!("the URL {shown} cannot be used: {}", message_of(&e)))
        })?;
        let tls = Tls::new(&mode, &mut config)?;
        if config.get_hosts().is_empty() && config.get_hostaddrs().is_empty() {
            config.host("localhost");
        }
        if config.get_application_name().is_none() {
            config.application_name("limbeck");
        }
        if config.get_connect_timeout().is_none() {
            config.connect_timeout(CONNECT_TIMEOUT);
        }
        Ok(Settings { config, tls, url: shown, statement_cache: common.statement_cache, isolation: common.isolation })
    }

    /// `db.example.com:5432`
    fn place(&self) -> String {
        let ports = self.config.get_ports();
        let places = self.config.get_hosts().iter().enumerate().map(|(i, host)| {
            let port = ports.get(i).or(ports.first()).copied().unwrap_or(5432);
            match host {
                Host::Tcp(name) => format!("{name}:{port}"),
                #[cfg(unix)]
                Host::Unix(path) => format!("{}/.s.PGSQL.{port}", path.display()),
            }
        });
        places.collect::<Vec<_>>().join(", ")
    }

    #[cold]
    fn unreachable(&self, error: &tokio_postgres::Error) -> Error {
        let said = message_of(error);
        let message = match error.code() {
            Some(&SqlState::INVALID_CATALOG_NAME) => {
                let name = self.config.get_dbname().or(self.config.get_user()).unwrap_or_default();
                format!("{said}; make it with `createdb {name}`, or name another one in the URL")
            }
            Some(&SqlState::INVALID_PASSWORD | &SqlState::INVALID_AUTHORIZATION_SPECIFICATION) => {
                format!("{said}; look at the user and the password in the URL")
            }
            Some(&SqlState::TOO_MANY_CONNECTIONS) => {
                format!("{said}; lower `pool_size` and `max_overflow`, or raise the server's `max_connections`")
            }
            Some(_) => said,
            None => format!("{said}; is PostgreSQL running at {}?", self.place()),
        };
        Error::Connect { url: self.url.clone(), message }
    }
}

impl Postgres {
    /// Opens a connection, whose reading and writing is a task of the current runtime.
    pub(crate) async fn connect(settings: &Settings) -> Result<Self> {
        let client = settings.tls.open(&settings.config).await.map_err(|e| settings.unreachable(&e))?;
        let begin = match settings.isolation {
            None => "BEGIN",
            Some(IsolationLevel::ReadCommitted) => "BEGIN ISOLATION LEVEL READ COMMITTED",
            Some(IsolationLevel::RepeatableRead) => "BEGIN ISOLATION LEVEL REPEATABLE READ",
            Some(IsolationLevel::Serializable) => "BEGIN ISOLATION LEVEL SERIALIZABLE",
        };
        let cancel = client.cancel_token();
        Ok(Postgres {
            client,
            cancel,
            tls: settings.tls.clone(),
            statements: Statements::new(settings.statement_cache),
            raw: Statements::new(settings.statement_cache),
            pending: String::new(),
            tx: Tx::None,
            begin,
            flying: false,
            doubtful: false,
            unknown: false,
        })
    }
}
