//! Reading row by row.

use limbeck::prelude::*;
use limbeck::{Error, Result};
use limbeck_test_support::{TestDb, both};

use super::*;

/// A thousand nodes more.
async fn many(sessions: &SessionMaker) -> Result<()> {
    let mut session = sessions.open();
    session.add_all((0..1000).map(|n| Node::builder().name(format!("n{n:04}"))));
    session.commit().await
}

both! {
    async fn a_stream_gives_values_row_by_row(db: TestDb) -> Result<()> {
        let (sessions, _) = blog(&db).await?;
        many(&sessions).await?;
        for autocommit in [false, true] {
            let mut session = sessions.clone().autocommit(autocommit).open();
            let mut rows = session.stream(select(Node).filter(Node.name.like("n%")).order_by(Node.name)).await?;
            let mut count = 0;
            while let Some(node) = rows.next().await? {
                assert_eq!(node.name, format!("n{count:04}"));
                count += 1;
            }
            assert_eq!(count, 1000);
            assert!(rows.next().await?.is_none(), "it stays at its end");
            drop(rows);
            assert_eq!(session.count(select(Node)).await?, 1004);
            let mut none = session.stream(select(Node.id).filter(Node.name.eq("nobody"))).await?;
            assert_eq!(none.next().await?, None);
        }
        Ok(())
    }

    async fn a_stream_that_is_dropped_leaves_the_session_usable(db: TestDb) -> Result<()> {
        let (sessions, _) = blog(&db).await?;
        many(&sessions).await?;
        for autocommit in [false, true] {
            let mut session = sessions.clone().autocommit(autocommit).open();
            for taken in [0, 1, 300] {
                let mut rows = session.stream(select((Node.id, Node.name)).order_by(Node.id)).await?;
                for _ in 0..taken {
                    rows.next().await?.expect("a row");
                }
                drop(rows);
                assert_eq!(session.count(select(Node)).await?, 1004, "autocommit {autocommit}, {taken} rows taken");
            }
            // Nothing of it is left in a transaction that writes, either.
            session.begin().await?;
            let node = session.get(Node, 1).await?.expect("the root");
            session[node].name = format!("root {autocommit}");
            session.flush().await?;
            for _ in 0..2 {
                let mut rows = session.stream(select(Node.name).order_by(Node.id)).await?;
                assert_eq!(rows.next().await?.expect("a row"), format!("root {autocommit}"), "what was flushed is seen");
            }
            session.commit().await?;
        }
        let mut session = sessions.open();
        assert_eq!(session.one(select(Node.name).filter(Node.id.eq(1))).await?, "root true");
        Ok(())
    }

    async fn a_stream_takes_hand_written_sql_and_refuses_what_needs_objects(db: TestDb) -> Result<()> {
        let (sessions, _) = blog(&db).await?;
        let mut session = sessions.open();
        let query = sql("SELECT name, id FROM nodes WHERE id > :after ORDER BY id").bind("after", 2).rows::<(String, i64)>();
        let mut rows = session.stream(query).await?;
        assert_eq!(rows.next().await?, Some(("right".into(), 3)));
        drop(rows);
        let loads = session.stream(select(Author).with(Author.posts)).await;
        assert!(matches!(loads, Err(Error::Statement(why)) if why.contains("pages")));
        Ok(())
    }
}
