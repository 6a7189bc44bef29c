//! Toasty, on either database: `include` for what is to be loaded along, `create_many` for many rows.

use std::future::Future;
use std::pin::Pin;

use chrono::{DateTime, Utc};
use jiff::Timestamp;
use toasty::Deferred;

use crate::contender::{Contender, Outcome, Result, Task};
use crate::measure::Work;
use crate::user::{NewGraph, NewUser, Sum};

#[derive(Debug, toasty::Model)]
#[table = "users"]
struct User {
    #[key]
    #[auto]
    id: i64,
    #[unique]
    email: String,
    #[unique]
    username: String,
    hashed_password: String,
    full_name: Option<String>,
    is_active: bool,
    created_at: Timestamp,
    updated_at: Timestamp,
    #[has_many(pair = author)]
    posts: Deferred<Vec<Post>>,
}

#[derive(Debug, toasty::Model)]
#[table = "posts"]
struct Post {
    #[key]
    #[auto]
    id: i64,
    title: String,
    body: String,
    #[index]
    author_id: i64,
    #[belongs_to(key = author_id, references = id)]
    author: Deferred<User>,
    #[has_many(pair = post)]
    links: Deferred<Vec<PostTag>>,
    #[has_many(via = links.tag)]
    tags: Deferred<Vec<Tag>>,
}

#[derive(Debug, toasty::Model)]
#[table = "tags"]
struct Tag {
    #[key]
    #[auto]
    id: i64,
    #[unique]
    name: String,
    #[has_many(pair = tag)]
    links: Deferred<Vec<PostTag>>,
}

/// The join model of a many-to-many relationship.
#[derive(Debug, toasty::Model)]
#[table = "post_tags"]
#[key(post_id, tag_id)]
struct PostTag {
    #[index]
    post_id: i64,
    #[belongs_to(key = post_id, references = id)]
    post: Deferred<Post>,
    #[index]
    tag_id: i64,
    #[belongs_to(key = tag_id, references = id)]
    tag: Deferred<Tag>,
}

/// Rows in one INSERT: SQLite binds 32,766 values at most.
const ROWS: usize = 1_000;

pub struct Toasty {
    db: toasty::Db,
}

impl Toasty {
    pub async fn connect(url: &str) -> Result<Toasty> {
        let models = toasty::models!(User, Post, Tag, PostTag);
        Ok(Toasty { db: toasty::Db::builder().models(models).max_pool_size(1).connect(url).await? })
    }

    async fn select(&mut self, n: i64) -> Result<Outcome> {
        let query = User::filter(User::fields().id().le(n)).order_by(User::fields().id().asc());
        sum(&query.exec(&mut self.db).await?)
    }

    async fn get(&mut self, ids: &[i64]) -> Result<Outcome> {
        let mut total = Sum::default();
        for id in ids {
            add(&mut total, &User::get_by_id(&mut self.db, id).await?)?;
        }
        Ok(total.into())
    }

    async fn insert(&mut self, users: &[NewUser]) -> Result<Outcome> {
        let mut transaction = self.db.transaction().await?;
        let mut keys = Vec::with_capacity(users.len());
        for rows in users.chunks(ROWS) {
            let mut many = User::create_many();
            for user in rows {
                many = many.item(new(user)?);
            }
            keys.extend(many.exec(&mut transaction).await?.into_iter().map(|user| user.id));
        }
        transaction.commit().await?;
        Ok(keys.into())
    }

    async fn change(&mut self, n: i64, name: &str) -> Result<Outcome> {
        let mut transaction = self.db.transaction().await?;
        let query = User::filter(User::fields().id().le(n)).order_by(User::fields().id().asc());
        let mut users = query.exec(&mut transaction).await?;
        let total = sum(&users)?;
        for user in &mut users {
            let name = format!("{name}{}", user.id);
            user.update().full_name(name).exec(&mut transaction).await?;
        }
        transaction.commit().await?;
        Ok(total)
    }

    /// Toasty 0.11 answers this with `not yet implemented: cast_expr`, as soon as the tags are included: so it is left
    /// out, by `does`.
    async fn eager(&mut self, n: i64) -> Result<Outcome> {
        let query = User::filter(User::fields().id().le(n))
            .order_by(User::fields().id().asc())
            .include(User::fields().posts().tags());
        let users = query.exec(&mut self.db).await?;
        let mut total = Sum::default();
        for user in &users {
            add(&mut total, user)?;
            for post in user.posts.get() {
                let tags = post.tags.get().iter().map(|tag| (tag.id, tag.name.as_str()));
                total.post(post.id, &post.title, &post.body, post.author_id, tags);
            }
        }
        Ok(total.into())
    }

    async fn graph(&mut self, graph: &NewGraph) -> Result<Outcome> {
        let mut transaction = self.db.transaction().await?;
        let mut many = Tag::create_many();
        for name in &graph.tags {
            many = many.item(Tag::create().name(name));
        }
        let tags = many.exec(&mut transaction).await?;
        let mut many = User::create_many();
        for (user, _) in &graph.users {
            many = many.item(new(user)?);
        }
        let users = many.exec(&mut transaction).await?;
        let mut many = Post::create_many();
        for ((_, posts), author) in graph.users.iter().zip(&users) {
            for (post, _) in posts {
                many = many.item(Post::create().title(&post.title).body(&post.body).author_id(author.id));
            }
        }
        let posts = many.exec(&mut transaction).await?;
        let mut many = PostTag::create_many();
        for ((_, of), post) in graph.users.iter().flat_map(|(_, posts)| posts).zip(&posts) {
            for tag in of {
                many = many.item(PostTag::create().post_id(post.id).tag_id(tags[*tag].id));
            }
        }
        many.exec(&mut transaction).await?;
        transaction.commit().await?;
        Ok(users.iter().map(|user| user.id).collect::<Vec<i64>>().into())
    }

    async fn delete(&mut self, above: i64) -> Result<Outcome> {
        let mut transaction = self.db.transaction().await?;
        let query = User::filter(User::fields().id().gt(above)).order_by(User::fields().id().asc());
        let users = query.exec(&mut transaction).await?;
        let total = sum(&users)?;
        for user in users {
            user.delete().exec(&mut transaction).await?;
        }
        transaction.commit().await?;
        Ok(total)
    }
}

impl Contender for Toasty {
    fn name(&self) -> &'static str {
        "Toasty"
    }

    fn does(&self, work: Work) -> bool {
        !matches!(work, Work::Eager(_))
    }

    fn run<'a>(&'a mut self, task: Task<'a>) -> Pin<Box<dyn Future<Output = Result<Outcome>> + 'a>> {
        Box::pin(async move {
            match task {
                Task::Select(n) => self.select(n).await,
                Task::Get(ids) => self.get(ids).await,
                Task::Insert(users) => self.insert(users).await,
                Task::Change(n, name) => self.change(n, name).await,
                Task::Eager(n) => self.eager(n).await,
                Task::Graph(graph) => self.graph(graph).await,
                Task::Delete(above) => self.delete(above).await,
            }
        })
    }
}

fn new(user: &NewUser) -> Result<<User as toasty::schema::Model>::Create> {
    Ok(User::create()
        .email(&user.email)
        .username(&user.username)
        .hashed_password(&user.hashed_password)
        .full_name(user.full_name.clone())
        .is_active(user.is_active)
        .created_at(Timestamp::from_microsecond(user.created_at.timestamp_micros())?)
        .updated_at(Timestamp::from_microsecond(user.updated_at.timestamp_micros())?))
}

fn sum(users: &[User]) -> Result<Outcome> {
    let mut total = Sum::default();
    for user in users {
        add(&mut total, user)?;
    }
    Ok(total.into())
}

fn add(total: &mut Sum, user: &User) -> Result<()> {
    // What is summed up are chrono's times.
    let time = |time: Timestamp| DateTime::<Utc>::from_timestamp_micros(time.as_microsecond()).ok_or("not a time");
    total.add(
        user.id,
        &user.email,
        &user.username,
        &user.hashed_password,
        user.full_name.as_deref(),
        user.is_active,
        time(user.created_at)?,
        time(user.updated_at)?,
    );
    Ok(())
}
