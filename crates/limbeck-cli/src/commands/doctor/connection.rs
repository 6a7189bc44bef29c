//! The way to the database, step by step: the URL, the host's name, the port, the login, the database.

use std::net::{TcpStream, ToSocketAddrs};
use std::time::Duration;

use limbeck::Error;
use limbeck::engine::Engine;
use limbeck_migrate::revision::History;

use super::report::Report;
use super::sqlite;

/// How long each step may take.
const PATIENCE: Duration = Duration::from_secs(5);

/// Connects; or says which step it is that fails.
pub(super) async fn examine(report: &mut Report, url: &str, history: Option<&History>) -> Option<Engine> {
    let mut url = url.to_string();
    if let Some(path) = sqlite::file(&url) {
        report.about(&format!("sqlite://{}", path.display()));
        if !sqlite::is_there(report, &path, history) {
            return None;
        }
        // Opened for writing, a database is turned to WAL; nothing shall be changed here.
        url = format!("{}?mode=ro", url.split('?').next().unwrap_or(&url));
    }
    match Engine::builder(&url).pool_size(2).max_overflow(0).connect().await {
        Ok(engine) => {
            if sqlite::file(&url).is_none() {
                report.about(engine.url());
            }
            report.ok("connection", "the database can be reached, and the login is accepted");
            Some(engine)
        }
        Err(error) => {
            match &error {
                Error::Connect { url, message } => {
                    let is_file = sqlite::file(url).is_some();
                    if !is_file {
                        report.about(url);
                    }
                    let places = if is_file { Vec::new() } else { places(url) };
                    unreachable(report, &places, message);
                }
                Error::FeatureMissing { feature, .. } => report.fail(
                    "url",
                    error.to_string(),
                    format!("build the project's limbeck binary with the feature `{feature}`"),
                ),
                _ => report.fail("url", error.to_string(), "an example: postgres://user:password@localhost:5432/app"),
            }
            None
        }
    }
}

fn unreachable(report: &mut Report, places: &[(String, u16)], message: &str) {
    for (host, port) in places {
        let found: Vec<_> = match (host.as_str(), *port).to_socket_addrs() {
            Ok(found) => found.collect(),
            Err(error) => {
                report.fail(
                    "dns",
                    format!("the name `{host}` cannot be resolved: {error}"),
                    "look at the host in the URL, and at the network's name server",
                );
                return;
            }
        };
        report.ok("dns", format!("`{host}` is {}", found.first().map_or_else(String::new, |at| at.ip().to_string())));
        let tried: Vec<_> = found.iter().map(|address| TcpStream::connect_timeout(address, PATIENCE)).collect();
        if tried.iter().any(Result::is_ok) {
            report.ok("tcp", format!("port {port} of `{host}` answers"));
        } else {
            let why = tried.into_iter().find_map(Result::err).map_or_else(String::new, |error| format!(": {error}"));
            report.fail(
                "tcp",
                format!("port {port} of `{host}` cannot be reached{why}"),
                "is the server running, does it listen there (`listen_addresses`), does a firewall stand between?",
            );
            return;
        }
    }
    let (what, advice) = message.split_once("; ").unwrap_or((message, ""));
    let lower = what.to_lowercase();
    let check = if lower.contains("database") && lower.contains("does not exist") {
        "database"
    } else if ["password", "authentication", "role", "pg_hba"].iter().any(|word| lower.contains(word)) {
        "login"
    } else {
        "connection"
    };
    let advice = match (check, advice) {
        ("login", "") => "look at the user and the password in the URL, and at the server's pg_hba.conf",
        (_, advice) => advice,
    };
    report.fail(check, what, advice);
}

/// The hosts and ports of a URL. One that is a folder is of a socket, to which no name or port leads.
fn places(url: &str) -> Vec<(String, u16)> {
    const PORT: u16 = 5432;
    let Some((_, rest)) = url.split_once("://") else { return Vec::new() };
    let (path, query) = rest.split_once('?').unwrap_or((rest, ""));
    let authority = path.split('/').next().unwrap_or_default();
    let hosts = authority.rsplit_once('@').map_or(authority, |(_, hosts)| hosts);
    let named = query.split('&').filter_map(|part| part.strip_prefix("host=")).next_back();
    let hosts = if hosts.is_empty() { named.unwrap_or("localhost") } else { hosts };
    let place = |text: &str| {
        let (host, port) = match text.rsplit_once(':') {
            Some((host, port)) if !port.contains(']') => (host, port.parse().unwrap_or(PORT)),
            _ => (text, PORT),
        };
        (host.trim_matches(['[', ']']).to_string(), port)
    };
    let is_folder = |host: &str| host.starts_with('/') || host.to_ascii_lowercase().starts_with("%2f");
    hosts.split(',').filter(|host| !is_folder(host)).map(place).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_places_of_a_url() {
        let of = |url| places(url).iter().map(|(host, port)| format!("{host} {port}")).collect::<Vec<_>>().join(", ");
        assert_eq!(of("postgres://ann@db/app"), "db 5432");
        assert_eq!(of("postgres://ann@db:6000,other/app?x=1"), "db 6000, other 5432");
        assert_eq!(of("postgres://[::1]:77/app"), "::1 77");
        assert_eq!(of("postgres:///app"), "localhost 5432");
        assert_eq!(of("postgres:///app?host=/tmp"), "");
        assert_eq!(of("postgres://%2Ftmp/app"), "");
    }
}
