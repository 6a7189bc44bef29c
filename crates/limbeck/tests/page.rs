//! The page of DESIGN and the README, as it is written there.

mod common;
use common::*;
use limbeck::prelude::*;

#[tokio::test]
async fn the_page() -> limbeck::Result<()> {
    let engine = engine("sqlite::memory:").await;
    let sessions = engine.sessionmaker().expire_on_commit(false).autoflush(false);
    let mut session = sessions.open();
    let ada = session.add(User::builder().email("ada@example.com").username("ada").hashed_password("…"));
    let rust = session.add(Tag::builder().name("rust"));
    let post = session.add(Post::builder().title("Hello").author(ada).tags([rust]));
    session.commit().await?;
    assert!(session[ada].id > 0);
    assert_eq!(session[post].author_id, session[ada].id);
    session[ada].full_name = Some("Ada Lovelace".into());
    session.commit().await?;
    let mut session = sessions.open();
    let posts = session
        .all(
            select(Post)
                .filter(Post.title.eq("Hello"))
                .with(Post.author)
                .with(Post.tags)
                .order_by(Post.id.desc())
                .limit(20),
        )
        .await?;
    assert_eq!(posts.len(), 1);
    for post in posts {
        let post = &session[post];
        assert_eq!(session[post.author].full_name.as_deref(), Some("Ada Lovelace"));
        for tag in &post.tags {
            assert_eq!(session[tag].name, "rust");
        }
        assert_eq!(post.tags.len(), 1);
    }
    Ok(())
}
