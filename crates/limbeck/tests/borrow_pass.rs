//! The idioms of working with the borrow checker: what has to compile, and does what it says.
//!
//! What must not compile is in `ui/types/borrow_*.rs`.
#![cfg(feature = "sqlite")]

mod common;

use common::*;
use limbeck::Result;
use limbeck::prelude::*;
use limbeck::session::Session;

async fn blog(session: &mut Session) -> Result<(Tracked<User>, Vec<Tracked<Post>>)> {
    let ada = session.add(user("ada"));
    let tags = session.add_all(["a", "b"].map(|name| Tag::builder().name(name)));
    let posts = session.add_all(["x", "y"].map(|title| Post::builder().title(title).author(ada).tags(tags.clone())));
    session.commit().await?;
    Ok((ada, posts))
}

#[tokio::test]
async fn an_object_is_written_from_another() -> Result<()> {
    let mut session = session("sqlite::memory:").await;
    let (ada, posts) = blog(&mut session).await?;
    session[posts[0]].title = session[posts[1]].title.clone();
    session[ada].full_name = Some(format!("{} and {}", session[posts[0]].title, session[posts[1]].title));
    assert_eq!(session[ada].full_name.as_deref(), Some("y and y"));
    Ok(())
}

#[tokio::test]
async fn a_loop_over_handles_loads_and_writes() -> Result<()> {
    let mut session = session("sqlite::memory:").await;
    blog(&mut session).await?;
    let mut session = session.engine().sessionmaker().open();
    for post in session.all(select(Post)).await? {
        session.load(post, Post.tags).await?;
        for tag in session[post].tags.handles() {
            session[tag].name.push('!');
        }
        for tag in &session[post].tags {
            assert!(session[tag].name.ends_with('!'));
        }
    }
    session.commit().await?;
    let names: Vec<String> = session.all(select(Tag.name).order_by(Tag.id)).await?;
    assert_eq!(names, ["a!!", "b!!"]);
    Ok(())
}

#[tokio::test]
async fn handles_are_an_owned_iterator_of_known_length_from_both_ends() -> Result<()> {
    let mut session = session("sqlite::memory:").await;
    let (ada, posts) = blog(&mut session).await?;
    let handles = session[ada].posts.handles();
    session.commit().await?;
    assert_eq!(handles.len(), 2);
    assert_eq!(handles.rev().collect::<Vec<_>>(), [posts[1], posts[0]]);
    Ok(())
}

#[tokio::test]
async fn an_index_takes_a_handle_a_reference_to_one_and_a_relationship() -> Result<()> {
    let mut session = session("sqlite::memory:").await;
    let (ada, posts) = blog(&mut session).await?;
    for post in &posts {
        assert_eq!(session[post].author_id, session[ada].id);
        session[post].title.push('?');
        assert_eq!(session[session[post].author].username, "ada");
    }
    let author = session[posts[0]].author;
    session[author].full_name = Some("Ada".into());
    assert_eq!(session[ada].full_name.as_deref(), Some("Ada"));
    Ok(())
}

#[tokio::test]
async fn two_objects_are_borrowed_at_once_by_pair_mut() -> Result<()> {
    let mut session = session("sqlite::memory:").await;
    let (_, posts) = blog(&mut session).await?;
    let (a, b) = session.pair_mut(posts[0], posts[1])?;
    std::mem::swap(&mut a.title, &mut b.title);
    session.commit().await?;
    assert_eq!(session.all(select(Post.title).order_by(Post.id)).await?, ["y", "x"]);
    Ok(())
}

#[tokio::test]
async fn expressions_own_their_values() -> Result<()> {
    let mut session = session("sqlite::memory:").await;
    let (ada, _) = blog(&mut session).await?;
    let by_name = User.username.eq(&session[ada].username);
    let found = session.one(select(User).filter(by_name)).await?;
    assert_eq!(found, ada);
    Ok(())
}

#[tokio::test]
async fn a_function_takes_a_session_and_a_handle() -> Result<()> {
    async fn rename(session: &mut Session, user: Tracked<User>, name: &str) -> Result<()> {
        session[user].username = name.to_owned();
        session.flush().await
    }
    fn read(session: &Session, user: Tracked<User>) -> &str {
        &session[user].username
    }
    let mut session = session("sqlite::memory:").await;
    let (ada, _) = blog(&mut session).await?;
    rename(&mut session, ada, "lovelace").await?;
    assert_eq!(read(&session, ada), "lovelace");
    Ok(())
}

#[tokio::test]
async fn a_session_moves_into_a_task_and_its_maker_into_many() -> Result<()> {
    let sessions = sessions("sqlite::memory:").await;
    let mut session = sessions.open();
    let task = tokio::spawn(async move {
        blog(&mut session).await?;
        Ok::<_, limbeck::Error>(session)
    });
    let mut session = task.await.expect("no panic")?;
    assert_eq!(session.count(select(Post)).await?, 2);
    session.commit().await?;
    let counts = [1, 2].map(|_| {
        let sessions = sessions.clone();
        tokio::spawn(async move { sessions.transaction(async |session| session.count(select(Tag)).await).await })
    });
    for count in counts {
        assert_eq!(count.await.expect("no panic")?, 2);
    }
    Ok(())
}

#[tokio::test]
async fn fresh_borrows_what_it_has_read() -> Result<()> {
    let mut session = session("sqlite::memory:").await;
    let (ada, _) = blog(&mut session).await?;
    session.expire_all();
    let name = session.fresh(ada).await?.username.clone();
    session[ada].full_name = Some(name);
    assert_eq!(session[ada].full_name.as_deref(), Some("ada"));
    Ok(())
}
