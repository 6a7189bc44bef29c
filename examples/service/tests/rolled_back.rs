//! Handlers are functions: called without HTTP, in a transaction that nobody commits.

mod common;

use axum::Json;
use axum::extract::{Path, State};
use limbeck::prelude::*;
use limbeck::testing;
use service::error::ApiError;
use service::models::{Status, Tag, User};
use service::posts::{self, Edit, NewPost};
use service::users::{self, NewUser};

#[tokio::test]
async fn a_post_gets_its_tags_and_the_database_stays_as_it_was() -> Result<(), ApiError> {
    let database = common::database().await;
    let real = database.sessions();
    let sessions = testing::rolled_back(&real).await?;
    let state = || State(sessions.clone());

    let new = NewUser { email: "ada@example.com".into(), username: "ada".into() };
    let (_, Json(ada)) = users::create(state(), Json(new)).await?;
    let tags = vec!["rust".into(), "rust".into(), "history".into()];
    let new = NewPost { title: "Hello".into(), body: "…".into(), author_id: ada.id, tags };
    let (_, Json(post)) = posts::create(state(), Json(new)).await?;
    assert_eq!((post.status, post.tags.join(" ")), (Status::Draft, "history rust".into()));

    let tags = Some(vec!["rust".into(), "news".into()]);
    let edit = Edit { version: post.version, title: None, body: None, status: None, tags };
    let Json(post) = posts::edit(state(), Path(post.id), Json(edit)).await?;
    assert_eq!((post.version, post.tags.join(" ")), (2, "news rust".into()));
    assert_eq!(sessions.open().count(select(Tag)).await?, 3);

    drop(sessions);
    assert_eq!(real.open().count(select(User)).await?, 0);
    Ok(())
}
