mod models;

use chrono::Utc;
use diesel::connection::SimpleConnection;
use diesel::prelude::*;
use models::{NewPost, NewTag, NewUser, Post, PostTag, Tag, User, post_tags, posts, tags, users};

const EDITED: &str = "0";

const TABLES: &str = "
CREATE TABLE users (
    id INTEGER NOT NULL PRIMARY KEY, email VARCHAR NOT NULL UNIQUE, username VARCHAR(100) NOT NULL UNIQUE,
    hashed_password VARCHAR NOT NULL, full_name VARCHAR, is_active BOOLEAN NOT NULL, created_at DATETIME NOT NULL,
    updated_at DATETIME NOT NULL
);
CREATE TABLE posts (
    id INTEGER NOT NULL PRIMARY KEY, title VARCHAR NOT NULL, created_at DATETIME NOT NULL,
    author_id BIGINT NOT NULL REFERENCES users (id) ON DELETE CASCADE
);
CREATE TABLE tags (id INTEGER NOT NULL PRIMARY KEY, name VARCHAR NOT NULL UNIQUE);
CREATE TABLE post_tags (
    post_id BIGINT NOT NULL REFERENCES posts (id), tag_id BIGINT NOT NULL REFERENCES tags (id),
    PRIMARY KEY (post_id, tag_id)
);";

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let mut connection = SqliteConnection::establish(":memory:")?;
    connection.batch_execute(TABLES)?;
    let now = Utc::now().naive_utc();
    connection.transaction(|connection| {
        let ada: i64 = diesel::insert_into(users::table)
            .values(NewUser {
                email: "ada@example.com",
                username: "ada",
                hashed_password: "…",
                full_name: None,
                is_active: true,
                created_at: now,
                updated_at: now,
            })
            .returning(users::id)
            .get_result(connection)?;
        let rust: i64 = diesel::insert_into(tags::table)
            .values(NewTag { name: "rust" })
            .returning(tags::id)
            .get_result(connection)?;
        let post: i64 = diesel::insert_into(posts::table)
            .values(NewPost { title: "Hello", created_at: now, author_id: ada })
            .returning(posts::id)
            .get_result(connection)?;
        diesel::insert_into(post_tags::table).values(PostTag { post_id: post, tag_id: rust }).execute(connection)?;
        diesel::update(users::table.find(ada)).set(users::full_name.eq("Ada Lovelace")).execute(connection)
    })?;
    let found: Vec<(Post, User)> = posts::table
        .inner_join(users::table)
        .filter(posts::title.eq("Hello"))
        .order(posts::created_at.desc())
        .limit(20)
        .select((Post::as_select(), User::as_select()))
        .load(&mut connection)?;
    let all: Vec<&Post> = found.iter().map(|(post, _)| post).collect();
    let tags_of: Vec<(PostTag, Tag)> = PostTag::belonging_to(&all)
        .inner_join(tags::table)
        .select((PostTag::as_select(), Tag::as_select()))
        .load(&mut connection)?;
    for ((post, author), tags) in found.iter().zip(tags_of.grouped_by(&all)) {
        println!("{EDITED} {} by {}", post.title, author.username);
        for (_, tag) in tags {
            println!("  #{}", tag.name);
        }
    }
    Ok(())
}
