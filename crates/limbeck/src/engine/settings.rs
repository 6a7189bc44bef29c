//! Settings from the environment and `.env`.

use std::collections::HashMap;
use std::time::Duration;

use crate::error::{Error, Result};

/// What an application reads from its environment.
///
/// | variable | meaning |
/// |---|---|
/// | `DATABASE_URL` | required |
/// | `DEBUG` | `true`, `1`, `yes`, `on`: statements are echoed |
/// | `DATABASE_POOL_SIZE`, `DATABASE_MAX_OVERFLOW` | connections |
/// | `DATABASE_POOL_TIMEOUT`, `DATABASE_POOL_RECYCLE` | seconds |
/// | `DATABASE_POOL_PRE_PING` | as `DEBUG` |
///
/// Give it to [`Engine::from_settings`](super::Engine::from_settings).
#[derive(Clone)]
#[non_exhaustive]
pub struct Settings {
    /// The URL, with its password.
    pub database_url: String,
    /// Whether statements are echoed.
    pub debug: bool,
    /// See [`EngineBuilder::pool_size`](super::EngineBuilder::pool_size).
    pub pool_size: Option<usize>,
    /// See [`EngineBuilder::max_overflow`](super::EngineBuilder::max_overflow).
    pub max_overflow: Option<i32>,
    /// See [`EngineBuilder::pool_timeout`](super::EngineBuilder::pool_timeout).
    pub pool_timeout: Option<Duration>,
    /// See [`EngineBuilder::pool_recycle`](super::EngineBuilder::pool_recycle).
    pub pool_recycle: Option<Duration>,
    /// See [`EngineBuilder::pool_pre_ping`](super::EngineBuilder::pool_pre_ping).
    pub pool_pre_ping: Option<bool>,
}

impl std::fmt::Debug for Settings {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Settings")
            .field("database_url", &crate::driver::without_password(&self.database_url))
            .field("debug", &self.debug)
            .field("pool_size", &self.pool_size)
            .field("max_overflow", &self.max_overflow)
            .field("pool_timeout", &self.pool_timeout)
            .field("pool_recycle", &self.pool_recycle)
            .field("pool_pre_ping", &self.pool_pre_ping)
            .finish()
    }
}

impl Settings {
    /// Reads the environment, and for what it lacks the file `.env` of the working directory or the nearest
    /// directory above it. The process's environment is not changed.
    ///
    /// # Errors
    /// [`Error::Config`] names the variable that is missing or cannot be read, or the line of `.env`.
    pub fn load() -> Result<Self> {
        let lookup = environment()?;
        Settings::from_lookup(lookup)
    }

    /// [`load`](Self::load) for a program that has a database of its own to fall back to.
    ///
    /// # Errors
    /// As [`load`](Self::load), but that `DATABASE_URL` may be missing.
    pub fn load_or(database_url: &str) -> Result<Self> {
        let lookup = environment()?;
        Settings::from_lookup(|name| {
            lookup(name).or_else(|| (name == "DATABASE_URL").then(|| database_url.to_string()))
        })
    }

    /// Settings with this URL and nothing else said.
    pub fn new(database_url: impl Into<String>) -> Self {
        Settings {
            database_url: database_url.into(),
            debug: false,
            pool_size: None,
            max_overflow: None,
            pool_timeout: None,
            pool_recycle: None,
            pool_pre_ping: None,
        }
    }

    /// Reads the variables through a function: from a configuration service, say.
    ///
    /// # Errors
    /// [`Error::Config`] names the variable that is missing or cannot be read.
    pub fn from_lookup(lookup: impl Fn(&str) -> Option<String>) -> Result<Self> {
        let get = |name: &'static str| {
            lookup(name).map(|text| text.trim().to_string()).filter(|text| !text.is_empty()).map(|text| (name, text))
        };
        let Some((_, url)) = get("DATABASE_URL") else {
            return Err(Error::Config(
                "DATABASE_URL is not set: put it into the environment or into .env, for example \
                 `DATABASE_URL=sqlite://blog.db`"
                    .into(),
            ));
        };
        let mut settings = Settings::new(url);
        settings.debug = get("DEBUG").map(boolean).transpose()?.unwrap_or(false);
        settings.pool_size = get("DATABASE_POOL_SIZE").map(|v| number(v, "a number of connections")).transpose()?;
        settings.max_overflow = get("DATABASE_MAX_OVERFLOW")
            .map(|v| number(v, "a number of connections, or -1 for no limit"))
            .transpose()?;
        settings.pool_timeout = get("DATABASE_POOL_TIMEOUT").map(seconds).transpose()?;
        // SQLAlchemy's -1 is "never".
        settings.pool_recycle =
            get("DATABASE_POOL_RECYCLE").filter(|(_, text)| text != "-1").map(seconds).transpose()?;
        settings.pool_pre_ping = get("DATABASE_POOL_PRE_PING").map(boolean).transpose()?;
        Ok(settings)
    }
}

/// The environment, and behind it the nearest `.env`.
fn environment() -> Result<impl Fn(&str) -> Option<String>> {
    let mut file = HashMap::new();
    match dotenvy::dotenv_iter() {
        Ok(lines) => {
            for line in lines {
                let (name, value) = line.map_err(|e| Error::Config(format!(".env cannot be read: {e}")))?;
                file.insert(name, value);
            }
        }
        Err(e) if e.not_found() => {}
        Err(e) => return Err(Error::Config(format!(".env cannot be read: {e}"))),
    }
    Ok(move |name: &str| std::env::var(name).ok().or_else(|| file.get(name).cloned()))
}

fn boolean((name, text): (&str, String)) -> Result<bool> {
    match text.to_ascii_lowercase().as_str() {
        "true" | "1" | "yes" | "on" => Ok(true),
        "false" | "0" | "no" | "off" => Ok(false),
        _ => Err(invalid(name, &text, "true or false (also 1/0, yes/no, on/off)")),
    }
}

fn number<T: std::str::FromStr>((name, text): (&str, String), what: &str) -> Result<T> {
    text.parse().map_err(|_| invalid(name, &text, what))
}

fn seconds((name, text): (&str, String)) -> Result<Duration> {
    let what = "a number of seconds";
    let count: f64 = text.parse().map_err(|_| invalid(name, &text, what))?;
    Duration::try_from_secs_f64(count).map_err(|_| invalid(name, &text, what))
}

#[cold]
fn invalid(name: &str, text: &str, what: &str) -> Error {
    Error::Config(format!("{name} is `{text}`: expected {what}"))
}
