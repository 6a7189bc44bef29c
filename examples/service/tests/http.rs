//! The service as its clients see it, on a database for each test.

mod common;

use std::future::{Future as _, poll_fn};
use std::task::Poll;
use std::time::Duration;

use axum::Router;
use axum::body::{Body, to_bytes};
use axum::http::{Request, StatusCode, header};
use common::database;
use limbeck::prelude::*;
use limbeck::session::NPlusOne;
use limbeck::testing::TestDatabase;
use serde_json::{Value, json};
use service::models::{Post, Tag};
use tower::ServiceExt as _;

const NOTHING: Value = Value::Null;

/// The service on a database. In tests, a query in a loop is an error.
fn app(database: &TestDatabase) -> Router {
    service::app(database.sessions().n_plus_one(NPlusOne::Error(1)))
}

/// Sends a request; what comes back.
async fn send(app: &Router, method: &str, uri: &str, body: Value) -> (StatusCode, Value) {
    let request = Request::builder().method(method).uri(uri).header(header::CONTENT_TYPE, "application/json");
    let body = if body.is_null() { Body::empty() } else { Body::from(body.to_string()) };
    let response = app.clone().oneshot(request.body(body).expect("a request")).await.expect("an answer");
    let status = response.status();
    let bytes = to_bytes(response.into_body(), usize::MAX).await.expect("a body");
    let shown = String::from_utf8_lossy(&bytes).into_owned();
    (status, serde_json::from_slice(&bytes).unwrap_or(Value::String(shown)))
}

/// A user, and a published post with two tags for each title.
async fn fill(app: &Router, titles: &[&str]) {
    let (status, user) = send(app, "POST", "/users", json!({"email": "ada@example.com", "username": "ada"})).await;
    assert_eq!((status, &user["username"], &user["posts"]), (StatusCode::CREATED, &json!("ada"), &json!(0)));
    for title in titles {
        let new = json!({"title": title, "body": "…", "author_id": user["id"], "tags": ["rust", "databases"]});
        let (status, post) = send(app, "POST", "/posts", new).await;
        assert_eq!((status, &post["status"], &post["version"]), (StatusCode::CREATED, &json!("draft"), &json!(1)));
        let edit = json!({"version": 1, "status": "published"});
        let (status, post) = send(app, "PATCH", &format!("/posts/{}", post["id"]), edit).await;
        assert_eq!((status, &post["status"], &post["version"]), (StatusCode::OK, &json!("published"), &json!(2)));
    }
}

#[tokio::test]
async fn a_post_is_written_published_read_and_deleted() {
    let database = database().await;
    let app = app(&database);
    fill(&app, &["Hello"]).await;

    let (status, post) = send(&app, "GET", "/posts/1", NOTHING).await;
    assert_eq!(status, StatusCode::OK);
    assert_eq!(post["author"], json!({"id": 1, "username": "ada"}));
    assert_eq!(post["tags"], json!(["databases", "rust"]));
    assert!(post["created_at"].as_str().is_some_and(|time| time.ends_with('Z')), "{post}");

    assert_eq!(send(&app, "DELETE", "/posts/1", NOTHING).await, (StatusCode::NO_CONTENT, json!("")));
    assert_eq!(send(&app, "GET", "/posts/1", NOTHING).await.0, StatusCode::NOT_FOUND);
    assert_eq!(send(&app, "DELETE", "/posts/1", NOTHING).await.0, StatusCode::NOT_FOUND);
}

#[tokio::test]
async fn pages_follow_each_other_and_each_is_two_statements() {
    let database = database().await;
    let app = app(&database);
    fill(&app, &["One", "Two", "Three"]).await;

    database.log().take();
    let (_, page) = send(&app, "GET", "/posts?limit=2&tag=rust", NOTHING).await;
    assert_eq!(database.log().queries().len(), 2);
    let card = json!({"id": 3, "title": "Three", "author": "ada", "tags": ["databases", "rust"]});
    assert_eq!((&page["posts"][0], &page["next"]), (&card, &json!(2)));

    let (_, page) = send(&app, "GET", "/posts?limit=2&tag=rust&after=2", NOTHING).await;
    assert_eq!((&page["posts"][0]["title"], &page["posts"][1], &page["next"]), (&json!("One"), &NOTHING, &NOTHING));
    let (_, page) = send(&app, "GET", "/posts?tag=history", NOTHING).await;
    assert_eq!(page["posts"], json!([]));
}

#[tokio::test]
async fn what_the_database_refuses_is_said_with_the_field() {
    let database = database().await;
    let app = app(&database);
    fill(&app, &[]).await;

    let (status, problem) = send(&app, "POST", "/users", json!({"email": "a@b", "username": "ada"})).await;
    assert_eq!((status, &problem["fields"]), (StatusCode::CONFLICT, &json!(["username"])));
    let (status, problem) = send(&app, "POST", "/users", json!({"email": "ada@example.com", "username": "b"})).await;
    assert_eq!((status, &problem["fields"]), (StatusCode::CONFLICT, &json!(["email"])));

    let post = |title: &str, author: i64| json!({"title": title, "body": "", "author_id": author});
    let (status, _) = send(&app, "POST", "/posts", post("Whose?", 99)).await;
    assert_eq!(status, StatusCode::UNPROCESSABLE_ENTITY);
    let (status, problem) = send(&app, "POST", "/posts", post(&"long ".repeat(50), 1)).await;
    assert_eq!((status, &problem["fields"]), (StatusCode::UNPROCESSABLE_ENTITY, &json!(["title"])));
    assert_eq!(send(&app, "GET", "/posts/1", NOTHING).await.0, StatusCode::NOT_FOUND);
    assert_eq!(send(&app, "GET", "/users/99", NOTHING).await.0, StatusCode::NOT_FOUND);
}

#[tokio::test]
async fn nobody_overwrites_a_version_that_he_has_not_seen() {
    let database = database().await;
    let app = app(&database);
    fill(&app, &["Hello"]).await;

    let (status, post) = send(&app, "PATCH", "/posts/1", json!({"version": 2, "tags": ["history"]})).await;
    assert_eq!((status, &post["version"], &post["tags"]), (StatusCode::OK, &json!(3), &json!(["history"])));
    let (status, problem) = send(&app, "PATCH", "/posts/1", json!({"version": 2, "title": "Mine"})).await;
    assert_eq!((status, &problem["fields"]), (StatusCode::CONFLICT, &json!(["version"])));
    assert_eq!(problem["error"], "was changed meanwhile, and is in version 3");
}

#[tokio::test]
async fn without_a_free_connection_the_client_is_asked_to_come_again() {
    let database = database().await;
    let engine = Engine::builder(database.url()).pool_size(1).max_overflow(0).pool_timeout(Duration::from_millis(20));
    let engine = engine.connect().await.expect("an engine");
    let app = service::app(engine.sessionmaker());

    let held = engine.connect().await.expect("the only connection");
    assert_eq!(send(&app, "GET", "/posts", NOTHING).await.0, StatusCode::SERVICE_UNAVAILABLE);
    drop(held);
    assert_eq!(send(&app, "GET", "/posts", NOTHING).await.0, StatusCode::OK);
}

/// A client that goes away drops the future of its request, wherever it is just then.
#[tokio::test]
async fn a_request_that_is_dropped_leaves_nothing_half_done() {
    let database = database().await;
    let engine = Engine::builder(database.url()).pool_size(1).max_overflow(0).connect().await.expect("an engine");
    let app = service::app(engine.sessionmaker());
    fill(&app, &[]).await;

    for polls in 0..40 {
        let new = json!({"title": polls.to_string(), "body": "", "author_id": 1, "tags": [format!("tag {polls}")]});
        let mut request = Box::pin(send(&app, "POST", "/posts", new));
        for _ in 0..polls {
            let answer = poll_fn(|context| Poll::Ready(request.as_mut().poll(context))).await;
            if answer.is_ready() {
                break;
            }
            tokio::time::sleep(Duration::from_micros(200)).await;
        }
    }

    // The one connection serves the next request, and every post that is there has its tag.
    let (status, _) = send(&app, "GET", "/posts", NOTHING).await;
    assert_eq!(status, StatusCode::OK);
    let mut session = database.sessions().open();
    let untagged = select(Post).filter(!Post.tags.any(Tag.name.starts_with("tag ")));
    assert_eq!(session.count(untagged).await.expect("a number"), 0);
    assert_ne!(session.count(select(Post)).await.expect("a number"), 0, "the last ones were not dropped");
}
