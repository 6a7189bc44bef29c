//! Reading page by page.

use limbeck::prelude::*;
use limbeck::{Error, Result};
use limbeck_test_support::{TestDb, both};

use super::*;

/// All pages of a query, as the names of their nodes, and how many objects were in the session at most.
async fn pages(session: &mut Session, query: limbeck::sql::Select<Node>, rows: u64) -> Result<Vec<Vec<String>>> {
    let mut pages = session.pages(query, rows);
    let mut all = Vec::new();
    while let Some(nodes) = pages.next(session).await? {
        all.push(nodes.iter().map(|node| session[node].name.clone()).collect());
        session.expunge_all();
    }
    assert_eq!(pages.next(session).await?, None, "it stays at its end");
    Ok(all)
}

both! {
    async fn pages_go_on_after_the_last_row(db: TestDb) -> Result<()> {
        let (sessions, log) = blog(&db).await?;
        let mut session = sessions.open();
        let all = pages(&mut session, select(Node).order_by(Node.name.desc()), 3).await?;
        assert_eq!(all, [vec!["root".to_string(), "right".into(), "left".into()], vec!["leaf".into()]]);
        let sent = selects(&log);
        assert_eq!(sent.len(), 2, "the second page is not full, and so the last: {sent:?}");
        assert!(!sent[1].contains("OFFSET"));
        assert!(sent[1].contains("nodes.name < ") && sent[1].ends_with("ORDER BY nodes.name DESC, nodes.id LIMIT 3"), "{sent:?}");
        assert_eq!(pages(&mut session, select(Node).filter(Node.name.eq("none")), 3).await?, Vec::<Vec<String>>::new());
        assert_eq!(pages(&mut session, select(Node).order_by(Node.id).limit(3).offset(1), 2).await?, [
            vec!["left".to_string(), "right".into()],
            vec!["leaf".into()],
        ], "the query's own limit is for all pages, its offset for the first");
        Ok(())
    }

    async fn a_column_that_may_be_null_can_order_pages(db: TestDb) -> Result<()> {
        let (sessions, _) = blog(&db).await?;
        let mut session = sessions.open();
        session.add(Node::builder().name("other root"));
        session.commit().await?;
        session.expunge_all();
        let orders = [
            Node.parent_id.asc(),
            Node.parent_id.desc(),
            Node.parent_id.asc().nulls_first(),
            Node.parent_id.asc().nulls_last(),
            Node.parent_id.desc().nulls_first(),
            Node.parent_id.desc().nulls_last(),
        ];
        for order in orders {
            let query = select(Node).order_by((order, Node.id.desc()));
            let nodes = session.all(query.clone()).await?;
            let whole: Vec<String> = nodes.iter().map(|node| session[node].name.clone()).collect();
            for rows in 1..=6 {
                assert_eq!(pages(&mut session, query.clone(), rows).await?.concat(), whole, "pages of {rows}");
            }
        }
        Ok(())
    }

    async fn relationships_are_loaded_with_each_page(db: TestDb) -> Result<()> {
        let (sessions, log) = blog(&db).await?;
        let mut session = sessions.open();
        let query = select(Author).with(Author.posts.joined()).with(Author.profile).order_by(Author.name);
        let mut pages = session.pages(query, 2);
        let mut sizes = Vec::new();
        while let Some(authors) = pages.next(&mut session).await? {
            for author in authors {
                assert!(session[author].profile.is_loaded());
                sizes.push(session[author].posts.len());
            }
        }
        assert_eq!(sizes, [2, 1, 0]);
        assert_eq!(selects(&log).len(), 4);
        Ok(())
    }

    async fn what_has_no_key_to_go_on_from_is_refused(db: TestDb) -> Result<()> {
        let (sessions, _) = blog(&db).await?;
        let mut session = sessions.open();
        let mut refused = Vec::new();
        for query in [
            select(Author).order_by(Author.name.length()),
            select(Author).group_by(Author.id),
            select(Author).with(Author.posts.inner_joined()),
        ] {
            match session.pages(query, 2).next(&mut session).await {
                Err(Error::Statement(why)) => refused.push(why),
                other => panic!("{other:?}"),
            }
        }
        assert!(refused[0].contains("ordered by columns") && refused[1].contains("grouped") && refused[2].contains("inner_joined"));
        Ok(())
    }

    async fn a_dropped_page_is_read_again(db: TestDb) -> Result<()> {
        let (sessions, _) = blog(&db).await?;
        let mut session = sessions.open();
        let mut pages = session.pages(select(Node).order_by(Node.id), 2);
        assert!(common::polled(pages.next(&mut session), 0).await.is_none());
        let first = pages.next(&mut session).await?.expect("a page");
        assert_eq!(session[first[0]].name, "root");
        Ok(())
    }
}
