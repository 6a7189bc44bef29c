//! Trees that are rebuilt: nodes that change places, a node that goes from the middle, keys of two columns of which one
//! is shared with the key of the row itself.

use limbeck::prelude::*;
use limbeck::session::Session;
use limbeck::{Result, metadata};
use limbeck_test_support::{TestDb, both};

use crate::sent::{Sent, sessions};

#[derive(Model, Debug)]
#[model(table = "tr_nodes")]
struct Node {
    #[column(primary_key)]
    id: i64,
    #[column(foreign_key(Node.id))]
    parent_id: Option<i64>,
    #[relationship(back_populates = children, key = parent_id)]
    parent: BelongsTo<Option<Node>>,
    #[relationship(back_populates = parent)]
    children: HasMany<Node>,
}

/// A root is its own parent.
#[derive(Model, Debug)]
#[model(table = "tr_units")]
struct Unit {
    #[column(primary_key)]
    code: String,
    #[column(foreign_key(Unit.code))]
    parent_code: String,
    #[relationship(back_populates = children, key = parent_code)]
    parent: BelongsTo<Unit>,
    #[relationship(back_populates = parent, cascade(all))]
    children: HasMany<Unit>,
}

/// A section is of its parent's book.
#[derive(Model, Debug)]
#[model(table = "tr_chapters", foreign_key((book, parent), Chapter(book, number)))]
struct Chapter {
    #[column(primary_key)]
    book: String,
    #[column(primary_key)]
    number: i32,
    parent: Option<i32>,
    #[relationship(back_populates = sections, key = (book, parent))]
    inside: BelongsTo<Option<Chapter>>,
    #[relationship(back_populates = inside)]
    sections: HasMany<Chapter>,
}

async fn open(db: &TestDb) -> Result<(Session, Sent)> {
    let (sessions, sent) = sessions(db, metadata![Node, Unit, Chapter]?).await;
    Ok((sessions.open(), sent))
}

/// Each chapter with its parent.
async fn chapters(session: &mut Session) -> Result<Vec<(i32, Option<i32>)>> {
    session.all(select((Chapter.number, Chapter.parent)).order_by(Chapter.number)).await
}

both! {
    async fn parent_and_child_change_places_in_one_statement(db: TestDb) -> Result<()> {
        let (mut session, sent) = open(&db).await?;
        let root = session.add(Node::builder());
        let a = session.add(Node::builder().parent(root));
        let b = session.add(Node::builder().parent(a));
        let leaf = session.add(Node::builder().parent(b));
        session.commit().await?;
        sent.take();
        session.link(b, Node.parent, root)?;
        session.link(a, Node.parent, b)?;
        session.link(leaf, Node.parent, a)?;
        session.commit().await?;
        assert_eq!(sent.take(), ["UPDATE tr_nodes (3)"]);
        let children = |session: &Session, node: Tracked<Node>| session[node].children.handles().collect::<Vec<_>>();
        assert_eq!([root, b, a].map(|node| children(&session, node)), [[b], [a], [leaf]]);
        // One goes from the middle: what is below it goes up, or becomes a root.
        session.link(a, Node.parent, root)?;
        session.delete(b)?;
        session.commit().await?;
        session.delete(a)?;
        session.commit().await?;
        assert_eq!(session[leaf].parent_id, None);
        assert!(children(&session, root).is_empty());
        let rows = session.all(select(Node.parent_id)).await?;
        assert_eq!(rows, [None, None]);
        Ok(())
    }

    async fn a_tree_whose_root_is_its_own_parent_goes_with_it(db: TestDb) -> Result<()> {
        let (mut session, sent) = open(&db).await?;
        let root = session.add(Unit::builder().code("root").parent_code("root"));
        let a = session.add(Unit::builder().code("a").parent(root));
        session.add(Unit::builder().code("b").parent(a));
        session.commit().await?;
        session.expunge_all();
        let root = session.get(Unit, "root".to_string()).await?.expect("it is there");
        sent.take();
        session.delete(root)?;
        session.commit().await?;
        assert_eq!(sent.take(), ["DELETE tr_units (3)"]);
        Ok(())
    }

    async fn a_key_that_shares_a_column_with_the_rows_own_is_linked_at_any_depth(db: TestDb) -> Result<()> {
        let (mut session, _) = open(&db).await?;
        let chapters_of = |number| Chapter::builder().book("b").number(number);
        let all = session.add_all((1..=4).map(chapters_of));
        for pair in all.windows(2) {
            session.link(pair[0], Chapter.sections, pair[1])?;
        }
        session.commit().await?;
        assert_eq!(chapters(&mut session).await?, [(1, None), (2, Some(1)), (3, Some(2)), (4, Some(3))]);
        Ok(())
    }

    /// The book is a part of the chapter's own key, and is linked with the parent: it stays, and so do the sections.
    async fn a_subtree_moves_within_its_book_and_nothing_below_it_is_touched(db: TestDb) -> Result<()> {
        let (mut session, sent) = open(&db).await?;
        let chapter = |number| Chapter::builder().book("b").number(number);
        let one = session.add(chapter(1));
        let two = session.add(chapter(2).inside(one));
        let three = session.add(chapter(3).inside(two));
        let four = session.add(chapter(4));
        session.commit().await?;
        sent.take();
        session.link(four, Chapter.sections, two)?;
        session.commit().await?;
        assert_eq!(sent.take(), ["UPDATE tr_chapters (1)"]);
        assert_eq!(chapters(&mut session).await?, [(1, None), (2, Some(4)), (3, Some(2)), (4, None)]);
        // A new section of one that is moved in the same flush.
        let five = session.add(chapter(5));
        session.link(one, Chapter.sections, two)?;
        session.link(two, Chapter.sections, five)?;
        session.commit().await?;
        assert_eq!(session[five].parent, Some(2));
        assert_eq!(session[two].sections.handles().collect::<Vec<_>>(), [three, five]);
        assert_eq!(
            chapters(&mut session).await?,
            [(1, None), (2, Some(1)), (3, Some(2)), (4, None), (5, Some(2))]
        );
        Ok(())
    }
}
