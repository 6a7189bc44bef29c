//! A small blog over HTTP: `cargo run -p service`, then
//!
//! ```console
//! $ curl -s localhost:3000/users --json '{"email": "ada@example.com", "username": "ada"}'
//! $ curl -s localhost:3000/posts --json '{"title": "Hello", "body": "…", "author_id": 1, "tags": ["rust"]}'
//! $ curl -s localhost:3000/posts/1 -X PATCH --json '{"version": 1, "status": "published"}'
//! $ curl -s 'localhost:3000/posts?tag=rust'
//! ```
//!
//! It uses the SQLite file `service.db`, or what `DATABASE_URL` says. The log shows each request with its statements
//! and their time; `RUST_LOG=info` leaves the statements out.

use std::error::Error;
use std::io::IsTerminal as _;
use std::time::Duration;

use limbeck::engine::{Engine, Settings};
use limbeck_migrate::Migrator;
use tokio::net::TcpListener;
use tracing_subscriber::filter::Targets;
use tracing_subscriber::layer::SubscriberExt as _;
use tracing_subscriber::util::SubscriberInitExt as _;

#[tokio::main]
async fn main() -> Result<(), Box<dyn Error>> {
    let filter = std::env::var("RUST_LOG").unwrap_or_else(|_| "info,limbeck::sql=debug".into());
    let log = tracing_subscriber::fmt::layer().with_writer(std::io::stderr).with_ansi(std::io::stderr().is_terminal());
    tracing_subscriber::registry().with(log).with(filter.parse::<Targets>()?).init();

    let mut settings = Settings::load_or("sqlite://service.db")?;
    // A client that waits longer is better told to come again. DATABASE_POOL_TIMEOUT says otherwise.
    settings.pool_timeout.get_or_insert(Duration::from_secs(5));
    let engine = Engine::from_settings(&settings).pool_pre_ping(true).connect().await?;

    // Of several that start at once, one migrates, and the others wait for it.
    for revision in Migrator::embedded(&service::MIGRATIONS)?.upgrade(&engine, "head").await? {
        tracing::info!(revision = revision.id, "applied: {}", revision.message);
    }

    let address = std::env::var("BIND").unwrap_or_else(|_| "127.0.0.1:3000".into());
    let listener = TcpListener::bind(&address).await?;
    tracing::info!("listening on http://{}", listener.local_addr()?);
    axum::serve(listener, service::app(engine.sessionmaker())).with_graceful_shutdown(stopped()).await?;
    engine.close().await;
    tracing::info!("all requests are answered, and the connections closed");
    Ok(())
}

/// Ends with Ctrl-C, or where the system wants the process to stop.
async fn stopped() {
    let interrupt = async {
        if let Err(error) = tokio::signal::ctrl_c().await {
            tracing::error!(%error, "Ctrl-C cannot be noticed");
            std::future::pending::<()>().await;
        }
    };
    #[cfg(unix)]
    let terminate = async {
        match tokio::signal::unix::signal(tokio::signal::unix::SignalKind::terminate()) {
            Ok(mut signal) => _ = signal.recv().await,
            Err(_) => std::future::pending().await,
        }
    };
    #[cfg(not(unix))]
    let terminate = std::future::pending::<()>();
    tokio::select! {
        () = interrupt => {}
        () = terminate => {}
    }
}
