//! The service without its process: what `main` serves, and what the tests call.

pub mod error;
pub mod models;
pub mod posts;
pub mod users;

use std::time::Instant;

use axum::Router;
use axum::extract::Request;
use axum::middleware::{Next, from_fn};
use axum::response::Response;
use axum::routing::{get, post};
use limbeck::session::SessionMaker;
use tracing::Instrument as _;

/// The revisions in `migrations/`, compiled into every program that uses this crate.
pub static MIGRATIONS: limbeck_migrate::Embedded = limbeck_migrate::embed!("migrations");

/// All of the service. Its state is the maker of sessions: each request opens one.
pub fn app(sessions: SessionMaker) -> Router {
    Router::new()
        .route("/users", post(users::create))
        .route("/users/{id}", get(users::read))
        .route("/posts", get(posts::list).post(posts::create))
        .route("/posts/{id}", get(posts::read).patch(posts::edit).delete(posts::remove))
        .layer(from_fn(in_a_span))
        .with_state(sessions)
}

/// A span for each request, so that the log shows the statements of a request with it.
async fn in_a_span(request: Request, next: Next) -> Response {
    let span = tracing::info_span!("request", method = %request.method(), path = request.uri().path());
    async {
        let begin = Instant::now();
        let response = next.run(request).await;
        tracing::info!(status = response.status().as_u16(), micros = begin.elapsed().as_micros() as u64, "answered");
        response
    }
    .instrument(span)
    .await
}
