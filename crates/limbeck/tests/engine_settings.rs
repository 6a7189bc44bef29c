//! Settings and URLs.

use std::collections::HashMap;
use std::time::Duration;

use limbeck::Error;
use limbeck::engine::{Engine, Settings};

fn settings(vars: &[(&str, &str)]) -> limbeck::Result<Settings> {
    let vars: HashMap<String, String> = vars.iter().map(|(k, v)| (k.to_string(), v.to_string())).collect();
    Settings::from_lookup(|name| vars.get(name).cloned())
}

#[test]
fn a_missing_url_is_named_and_an_example_given() {
    for vars in [&[][..], &[("DATABASE_URL", "  ")]] {
        let error = settings(vars).unwrap_err();
        assert!(matches!(&error, Error::Config(m) if m.starts_with("DATABASE_URL is not set")), "{error}");
    }
}

#[test]
fn variables_are_read_and_a_bad_one_is_named() {
    let read = settings(&[
        ("DATABASE_URL", "sqlite::memory:"),
        ("DEBUG", "Yes"),
        ("DATABASE_POOL_SIZE", "3"),
        ("DATABASE_MAX_OVERFLOW", "-1"),
        ("DATABASE_POOL_TIMEOUT", "1.5"),
        ("DATABASE_POOL_RECYCLE", "-1"),
        ("DATABASE_POOL_PRE_PING", "off"),
    ])
    .unwrap();
    assert!(read.debug);
    assert_eq!(read.pool_size, Some(3));
    assert_eq!(read.max_overflow, Some(-1));
    assert_eq!(read.pool_timeout, Some(Duration::from_millis(1500)));
    assert_eq!(read.pool_recycle, None);
    assert_eq!(read.pool_pre_ping, Some(false));
    for (name, value) in [
        ("DEBUG", "perhaps"),
        ("DATABASE_POOL_SIZE", "-3"),
        ("DATABASE_POOL_TIMEOUT", "soon"),
        ("DATABASE_POOL_TIMEOUT", "-5"),
    ] {
        let error = settings(&[("DATABASE_URL", "sqlite::memory:"), (name, value)]).unwrap_err().to_string();
        assert!(error.contains(name) && error.contains(value), "{error}");
    }
}

#[test]
fn passwords_do_not_show() {
    let settings = Settings::new("postgres://ann:secret@db/blog");
    assert!(!format!("{settings:?}").contains("secret"));
    assert!(!format!("{:?}", Engine::from_settings(&settings)).contains("secret"));
}

#[tokio::test]
async fn a_url_that_cannot_be_used_says_what_is_wrong_with_it() {
    for (url, says) in [
        ("mysql://root@localhost/x", "unknown database `mysql`"),
        ("blog.db", "is not a database URL"),
        ("sqlite://", "names no file"),
        ("sqlite://x.db?cache=shared", "unknown option `cache=shared`"),
    ] {
        let error = Engine::builder(url).connect().await.unwrap_err().to_string();
        assert!(error.contains(says), "{url}: {error}");
    }
}

#[cfg(feature = "sqlite")]
#[tokio::test]
async fn a_file_in_a_directory_that_is_not_there_says_so() {
    let error = Engine::builder("sqlite:///no/such/place/blog.db").connect().await.unwrap_err();
    assert!(matches!(&error, Error::Connect { message, .. } if message == "the directory /no/such/place is not there"));
}

#[cfg(feature = "postgres")]
#[tokio::test]
async fn a_server_that_does_not_run_is_named_with_host_and_port_and_without_password() {
    let error = Engine::builder("postgres://ann:secret@127.0.0.1:1/blog").connect().await.unwrap_err();
    let text = error.to_string();
    assert!(matches!(error, Error::Connect { .. }), "{text}");
    assert!(text.contains("postgres://ann@127.0.0.1:1/blog"), "{text}");
    assert!(text.contains("is PostgreSQL running at 127.0.0.1:1?"), "{text}");
    assert!(!text.contains("secret"), "{text}");
}

#[cfg(feature = "postgres")]
#[tokio::test]
async fn a_database_that_is_not_there_says_how_to_make_it() {
    let server = limbeck_test_support::Postgres::shared();
    let error = Engine::builder(server.url("no_such_blog")).connect().await.unwrap_err().to_string();
    assert!(error.contains("`createdb no_such_blog`"), "{error}");
}
