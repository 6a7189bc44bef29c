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
        #[cfg(feature = "sqlite")]
        ("sqlite://", "names no file"),
        #[cfg(feature = "sqlite")]
        ("sqlite://x.db?cache=shared", "unknown option `cache=shared`"),
        #[cfg(feature = "postgres")]
        ("postgres://localhost:port/blog", "cannot be used: invalid connection string"),
    ] {
        let error = Engine::builder(url).connect().await.unwrap_err();
        assert!(matches!(error, Error::Config(_)), "{url}: {error}");
        assert!(error.to_string().contains(says), "{url}: {error}");
    }
}

#[cfg(not(all(feature = "sqlite", feature = "postgres")))]
#[tokio::test]
async fn a_database_that_is_not_compiled_in_names_the_feature_to_add() {
    let (url, missing) =
        if cfg!(feature = "sqlite") { ("postgres://h/d", "postgres") } else { ("sqlite://x.db", "sqlite") };
    let error = Engine::builder(url).connect().await.unwrap_err();
    assert!(matches!(error, Error::FeatureMissing { feature, .. } if feature == missing), "{error}");
    assert!(error.to_string().contains(&format!("add the feature `{missing}`")), "{error}");
}

#[test]
fn a_dot_env_file_is_read_and_the_environment_wins() {
    // `load` reads the process's own environment and folder, so it is asked in a process of its own.
    if std::env::var_os("LIMBECK_TEST_SETTINGS").is_some() {
        let settings = Settings::load().unwrap();
        println!("url={} debug={} size={:?}", settings.database_url, settings.debug, settings.pool_size);
        return;
    }
    let folder = limbeck_test_support::TempFolder::new();
    let below = folder.path().join("src");
    std::fs::create_dir(&below).unwrap();
    let file = "# ours\nDATABASE_URL=\"sqlite://from-file.db\"\nexport DEBUG=true\nDATABASE_POOL_SIZE=7\n";
    std::fs::write(folder.path().join(".env"), file).unwrap();
    let said = std::process::Command::new(std::env::current_exe().unwrap())
        .args(["--exact", "a_dot_env_file_is_read_and_the_environment_wins", "--nocapture"])
        .current_dir(&below)
        .env("LIMBECK_TEST_SETTINGS", "1")
        .env("DATABASE_POOL_SIZE", "9")
        .env_remove("DATABASE_URL")
        .env_remove("DEBUG")
        .output()
        .unwrap();
    let said = String::from_utf8_lossy(&said.stdout).into_owned();
    assert!(said.contains("url=sqlite://from-file.db debug=true size=Some(9)"), "{said}");
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
