//! What a client is told when something goes wrong.

use axum::Json;
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use limbeck::Error;
use serde::Serialize;

/// An error of a handler: limbeck's, which says what the answer is. `?` makes it.
#[derive(Debug)]
pub struct ApiError(Error);

impl From<Error> for ApiError {
    fn from(error: Error) -> Self {
        ApiError(error)
    }
}

/// The body: `{"error": "is taken already", "fields": ["email"]}`.
#[derive(Serialize)]
struct Problem {
    error: String,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    fields: Vec<String>,
}

impl IntoResponse for ApiError {
    fn into_response(self) -> Response {
        let (status, error, fields) = match &self.0 {
            Error::NoRows => (StatusCode::NOT_FOUND, "there is no such thing".into(), vec![]),
            Error::UniqueViolation(v) => (StatusCode::CONFLICT, "is taken already".into(), v.columns.clone()),
            Error::StaleRow(stale) if stale.is_gone => (StatusCode::NOT_FOUND, "was deleted".into(), vec![]),
            Error::StaleRow(stale) => {
                let now = stale.found.map(|version| format!(", and is in version {version}")).unwrap_or_default();
                (StatusCode::CONFLICT, format!("was changed meanwhile{now}"), vec!["version".into()])
            }
            Error::ForeignKeyViolation(v) => {
                (StatusCode::UNPROCESSABLE_ENTITY, "refers to what is not there".into(), v.columns.clone())
            }
            Error::InvalidValue { column, reason, .. } => {
                (StatusCode::UNPROCESSABLE_ENTITY, reason.clone(), vec![column.to_string()])
            }
            // It was tried again by `sessions.transaction`, and can be once more.
            Error::PoolTimeout { .. }
            | Error::Conflict { .. }
            | Error::Connect { .. }
            | Error::ConnectionLost { .. } => {
                tracing::warn!(error = %self.0);
                (StatusCode::SERVICE_UNAVAILABLE, "try again in a moment".into(), vec![])
            }
            // What it is, is nothing to a client, but to whoever reads the log.
            _ => {
                tracing::error!(error = %self.0);
                (StatusCode::INTERNAL_SERVER_ERROR, "something is wrong here".into(), vec![])
            }
        };
        (status, Json(Problem { error, fields })).into_response()
    }
}
