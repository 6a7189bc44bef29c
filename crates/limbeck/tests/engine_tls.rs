//! PostgreSQL over TLS: what each `sslmode` asks for.
#![cfg(feature = "postgres")]

use limbeck::Error;
use limbeck::engine::Engine;

#[cfg(not(feature = "tls"))]
#[tokio::test]
async fn without_the_feature_a_url_that_asks_for_tls_names_it() {
    for mode in ["require", "verify-full"] {
        let url = format!("postgres://ann@127.0.0.1:1/blog?sslmode={mode}");
        let error = Engine::builder(url).connect().await.unwrap_err();
        assert!(matches!(error, Error::FeatureMissing { feature: "tls", .. }), "{error}");
        assert!(error.to_string().contains("add the feature `tls`"), "{error}");
    }
}

#[tokio::test]
async fn an_unknown_sslmode_is_named_with_those_that_are_known() {
    let error = Engine::builder("postgres://ann@127.0.0.1:1/blog?sslmode=maybe").connect().await.unwrap_err();
    assert!(matches!(&error, Error::Config(m) if m.contains("sslmode=maybe") && m.contains("verify-full")), "{error}");
}

#[cfg(feature = "tls")]
mod encrypted {
    use std::os::unix::fs::{MetadataExt, PermissionsExt, chown};
    use std::path::Path;
    use std::{fs, time::Duration};

    use super::*;
    use limbeck_test_support::{Postgres, TempFolder};

    const FILES: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/tls");

    /// A server with our certificate; the folder holds its key, which only its own user may read.
    fn server() -> (Postgres, TempFolder) {
        let folder = TempFolder::new();
        let owner = fs::metadata(Postgres::shared().socket_folder()).unwrap();
        fs::set_permissions(folder.path(), fs::Permissions::from_mode(0o755)).unwrap();
        for file in ["server.pem", "server.key"] {
            let copy = folder.path().join(file);
            fs::copy(Path::new(FILES).join(file), &copy).unwrap();
            fs::set_permissions(&copy, fs::Permissions::from_mode(0o600)).unwrap();
            chown(&copy, Some(owner.uid()), Some(owner.gid())).unwrap();
        }
        let at = folder.path().display();
        let server = Postgres::own_with(&[
            "ssl = on",
            &format!("ssl_cert_file = '{at}/server.pem'"),
            &format!("ssl_key_file = '{at}/server.key'"),
        ]);
        (server, folder)
    }

    async fn is_encrypted(url: String) -> limbeck::Result<bool> {
        let engine = Engine::builder(url).connect().await?;
        let mut c = engine.connect().await?;
        let sql = "SELECT ssl FROM pg_stat_ssl WHERE pid = pg_backend_pid()";
        Ok(c.fetch_raw::<bool>(sql, &[]).await?[0])
    }

    #[tokio::test]
    async fn each_mode_encrypts_and_checks_what_it_says() {
        let (server, _folder) = server();
        let database = server.database();
        let url = |rest: &str| format!("{}{rest}", database.url());
        let authority = format!("sslrootcert={FILES}/authority.pem");
        assert!(!is_encrypted(url("?sslmode=disable")).await.unwrap());
        assert!(is_encrypted(url("")).await.unwrap());
        assert!(is_encrypted(url("?sslmode=prefer")).await.unwrap());
        assert!(is_encrypted(url("?sslmode=require")).await.unwrap());
        assert!(is_encrypted(url(&format!("?sslmode=verify-full&{authority}"))).await.unwrap());
        // Mozilla does not know our authority.
        let error = is_encrypted(url("?sslmode=verify-full")).await.unwrap_err();
        assert!(matches!(&error, Error::Connect { message, .. } if message.contains("UnknownIssuer")), "{error}");
        // The certificate is for 127.0.0.1 only.
        let other = database.url().replace("127.0.0.1", "localhost");
        let error = is_encrypted(format!("{other}?sslmode=verify-full&{authority}")).await.unwrap_err();
        assert!(matches!(error, Error::Connect { .. }), "{error}");
        let error = is_encrypted(url("?sslmode=verify-full&sslrootcert=/no/such/file")).await.unwrap_err();
        assert!(matches!(&error, Error::Config(m) if m.contains("/no/such/file")), "{error}");
    }

    #[tokio::test]
    async fn a_statement_that_was_given_up_is_cancelled_over_tls_as_well() {
        let (server, _folder) = server();
        let database = server.database();
        let engine =
            Engine::builder(format!("{}?sslmode=require", database.url())).pool_size(1).max_overflow(0).connect().await;
        let engine = engine.unwrap();
        let mut c = engine.connect().await.unwrap();
        let sleep = c.execute_raw("SELECT pg_sleep(300)");
        assert!(tokio::time::timeout(Duration::from_millis(50), sleep).await.is_err());
        drop(c);
        // Its place in the pool is free only when the server has been told.
        drop(tokio::time::timeout(Duration::from_secs(20), engine.connect()).await.unwrap().unwrap());
        let running = "SELECT count(*) FROM pg_stat_activity WHERE query LIKE '%pg_sleep(300)%' AND state = 'active' \
                       AND pid <> pg_backend_pid()";
        for attempt in 0.. {
            if server.sql("postgres", running) == "0" {
                break;
            }
            assert!(attempt < 200, "it still runs");
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    }
}

#[cfg(feature = "tls")]
#[tokio::test]
async fn a_server_without_tls_is_refused_by_require() {
    let database = limbeck_test_support::Postgres::shared().database();
    let error = Engine::builder(format!("{}?sslmode=require", database.url())).connect().await.unwrap_err();
    assert!(matches!(&error, Error::Connect { message, .. } if message.contains("does not support TLS")), "{error}");
}
