//! `/users`

use axum::Json;
use axum::extract::{Path, State};
use axum::http::StatusCode;
use limbeck::prelude::*;
use limbeck::session::SessionMaker;
use serde::{Deserialize, Serialize};

use crate::error::ApiError;
use crate::models::User;

/// What a client sends.
#[derive(Deserialize, Clone, Debug)]
pub struct NewUser {
    pub email: String,
    pub username: String,
}

/// What a client gets. Its fields are the query.
#[derive(View, Serialize, Debug)]
#[view(User)]
pub struct Profile {
    pub id: i64,
    pub email: String,
    pub username: String,
    #[view(expr = User.posts.count())]
    pub posts: i64,
}

/// `POST /users`
pub async fn create(
    State(sessions): State<SessionMaker>,
    Json(new): Json<NewUser>,
) -> Result<(StatusCode, Json<Profile>), ApiError> {
    let mut session = sessions.open();
    let user = session.add(User::builder().email(new.email).username(new.username));
    session.commit().await?;
    let profile = session.one(select(Profile).filter(User.id.eq(session[user].id))).await?;
    Ok((StatusCode::CREATED, Json(profile)))
}

/// `GET /users/{id}`
pub async fn read(State(sessions): State<SessionMaker>, Path(id): Path<i64>) -> Result<Json<Profile>, ApiError> {
    Ok(Json(sessions.open().one(select(Profile).filter(User.id.eq(id))).await?))
}
