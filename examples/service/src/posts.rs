//! `/posts`

use axum::Json;
use axum::extract::{Path, Query, State};
use axum::http::StatusCode;
use limbeck::Error;
use limbeck::prelude::*;
use limbeck::session::{Session, SessionMaker};
use limbeck::sql::desc;
use serde::{Deserialize, Serialize};

use crate::error::ApiError;
use crate::models::{Post, Status, Tag, User};

/// How many posts a page has, unless the client says it, and at most.
const PAGE: u64 = 20;
const LONGEST_PAGE: u64 = 100;

/// A post in a list.
#[derive(View, Serialize, Debug)]
#[view(Post)]
pub struct PostCard {
    pub id: i64,
    pub title: String,
    #[view(path = author.username)]
    pub author: String,
    #[view(path = tags.name, order_by = Tag.name)]
    pub tags: Vec<String>,
}

/// A post with all that is shown of it.
#[derive(View, Serialize, Debug)]
#[view(Post)]
pub struct PostPage {
    pub id: i64,
    pub title: String,
    pub body: String,
    pub status: Status,
    pub version: i32,
    #[view(expr = Post.timestamps.created_at)]
    pub created_at: DateTime<Utc>,
    pub author: Author,
    #[view(path = tags.name, order_by = Tag.name)]
    pub tags: Vec<String>,
}

/// Who wrote it.
#[derive(View, Serialize, Debug)]
#[view(User)]
pub struct Author {
    pub id: i64,
    pub username: String,
}

/// What `GET /posts` may be asked.
#[derive(Deserialize, Debug)]
pub struct Wanted {
    tag: Option<String>,
    after: Option<i64>,
    limit: Option<u64>,
}

/// A part of a list. `next` goes into the `after` of the next request.
#[derive(Serialize, Debug)]
pub struct Page {
    pub posts: Vec<PostCard>,
    pub next: Option<i64>,
}

/// `GET /posts?tag=rust&after=17&limit=20`: what is published, the newest first. The page begins after a row and not
/// at a number of rows, so the last one costs what the first does, and nothing is shown twice while others write.
pub async fn list(State(sessions): State<SessionMaker>, Query(wanted): Query<Wanted>) -> Result<Json<Page>, ApiError> {
    let limit = wanted.limit.unwrap_or(PAGE).clamp(1, LONGEST_PAGE);
    let posts = select(PostCard)
        .filter(Post.status.eq(Status::Published))
        .filter(wanted.tag.map(|tag| Post.tags.any(Tag.name.eq(tag))))
        .keyset(desc(Post.id), wanted.after)
        .limit(limit);
    let posts = sessions.open().all(posts).await?;
    let next = posts.last().map(|post| post.id).filter(|_| posts.len() as u64 == limit);
    Ok(Json(Page { posts, next }))
}

/// `GET /posts/{id}`
pub async fn read(State(sessions): State<SessionMaker>, Path(id): Path<i64>) -> Result<Json<PostPage>, ApiError> {
    Ok(Json(page(&mut sessions.open(), id).await?))
}

/// What a client sends for a new post.
#[derive(Deserialize, Clone, Debug)]
pub struct NewPost {
    pub title: String,
    pub body: String,
    pub author_id: i64,
    #[serde(default)]
    pub tags: Vec<String>,
}

/// `POST /posts`, in a transaction: two that make the same new tags in another order wait for each other, one of them
/// is aborted by the database, and is run again.
pub async fn create(
    State(sessions): State<SessionMaker>,
    Json(new): Json<NewPost>,
) -> Result<(StatusCode, Json<PostPage>), ApiError> {
    let post = sessions
        .transaction(async move |session| {
            let tags = tags_named(session, &new.tags).await?;
            let post = Post::builder().title(new.title).body(new.body).author_id(new.author_id).tags(tags);
            let post = session.add(post);
            session.flush().await?;
            let id = session[post].id;
            page(session, id).await
        })
        .await?;
    Ok((StatusCode::CREATED, Json(post)))
}

/// What a client sends to change a post: what is left out stays.
#[derive(Deserialize, Clone, Debug)]
pub struct Edit {
    /// The version that the client has seen.
    pub version: i32,
    pub title: Option<String>,
    pub body: Option<String>,
    pub status: Option<Status>,
    pub tags: Option<Vec<String>>,
}

/// `PATCH /posts/{id}`: 409 if somebody else has changed the post since the client read it.
pub async fn edit(
    State(sessions): State<SessionMaker>,
    Path(id): Path<i64>,
    Json(edit): Json<Edit>,
) -> Result<Json<PostPage>, ApiError> {
    let mut session = sessions.open();
    let post = session.get(Post, id).await?.ok_or(Error::NoRows)?;
    session.expect_version(post, edit.version)?;

    if let Some(title) = edit.title {
        session[post].title = title;
    }
    if let Some(body) = edit.body {
        session[post].body = body;
    }
    if let Some(status) = edit.status {
        session[post].status = status;
    }
    // New tags are rows of another table: this writes the post's, and so counts its version, for them too.
    session[post].timestamps.updated_at = Utc::now();
    if let Some(names) = edit.tags {
        let tags = tags_named(&mut session, &names).await?;
        session.assign(post, Post.tags, tags).await?;
    }
    session.commit().await?;
    Ok(Json(page(&mut session, id).await?))
}

/// `DELETE /posts/{id}`
pub async fn remove(State(sessions): State<SessionMaker>, Path(id): Path<i64>) -> Result<StatusCode, ApiError> {
    let mut session = sessions.open();
    let post = session.get(Post, id).await?.ok_or(Error::NoRows)?;
    session.delete(post)?;
    session.commit().await?;
    Ok(StatusCode::NO_CONTENT)
}

async fn page(session: &mut Session, id: i64) -> limbeck::Result<PostPage> {
    session.one(select(PostPage).filter(Post.id.eq(id))).await
}

/// The tags of these names. Those that are new are made, without a look whether they are: somebody else may make them
/// between the look and the INSERT.
async fn tags_named(session: &mut Session, names: &[String]) -> limbeck::Result<Vec<Tracked<Tag>>> {
    if names.is_empty() {
        return Ok(Vec::new());
    }
    let rows = names.iter().map(|name| Tag::builder().name(name.as_str()));
    session.execute(insert(Tag).rows(rows).on_conflict(Tag.name).do_nothing()).await?;
    session.all(select(Tag).filter(Tag.name.in_(names)).order_by(Tag.name)).await
}
