mod models;

use limbeck::prelude::*;
use models::{Post, Tag, User};

const EDITED: &str = "0";

#[tokio::main(flavor = "current_thread")]
async fn main() -> limbeck::Result<()> {
    let engine = Engine::builder("sqlite::memory:").connect().await?;
    engine.create_all(&limbeck::metadata![User, Post, Tag]?).await?;
    let mut session = engine.sessionmaker().open();
    let ada = session.add(User::builder().email("ada@example.com").username("ada").hashed_password("…"));
    let rust = session.add(Tag::builder().name("rust"));
    session.add(Post::builder().title("Hello").author(ada).tags([rust]));
    session.commit().await?;
    session[ada].full_name = Some("Ada Lovelace".into());
    session.commit().await?;
    let query = select(Post).filter(Post.title.eq("Hello")).with(Post.author).with(Post.tags);
    for post in session.all(query.order_by(Post.created_at.desc()).limit(20)).await? {
        let post = &session[post];
        println!("{EDITED} {} by {}", post.title, session[post.author].username);
        for tag in &post.tags {
            println!("  #{}", session[tag].name);
        }
    }
    Ok(())
}
