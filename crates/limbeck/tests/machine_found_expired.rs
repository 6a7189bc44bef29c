//! What the state machine (`machine`) found where objects are expired, rows are versioned, or both go at once: each case
//! as small as it can be.
#![cfg(all(feature = "sqlite", feature = "postgres"))]

mod common;

use common::*;
use limbeck::Result;
use limbeck::prelude::*;
use limbeck::sql::update;
use limbeck_test_support::{TestDb, both};

/// Who has at most one plate.
#[derive(Model, Debug)]
#[model(table = "owners")]
struct Owner {
    #[column(primary_key)]
    id: i64,
    #[relationship(back_populates = owner)]
    plate: HasOne<Plate>,
}

/// It can be without its owner.
#[derive(Model, Debug)]
#[model(table = "plates")]
struct Plate {
    #[column(primary_key)]
    id: i64,
    #[column(unique, foreign_key(Owner.id))]
    owner_id: Option<i64>,
    #[relationship(back_populates = plate)]
    owner: BelongsTo<Option<Owner>>,
}

/// The program gives its key.
#[derive(Model, Debug)]
#[model(table = "crates")]
struct Crate {
    #[column(primary_key)]
    code: String,
    #[relationship(back_populates = inside)]
    items: HasMany<Item>,
}

#[derive(Model, Debug)]
#[model(table = "items")]
struct Item {
    #[column(primary_key)]
    id: i64,
    #[column(foreign_key(Crate.code))]
    crate_code: Option<String>,
    #[relationship(back_populates = items, key = crate_code)]
    inside: BelongsTo<Option<Crate>>,
}

/// What is in it goes with it, over two steps, and nobody tells the session.
#[derive(Model, Debug)]
#[model(table = "heaps")]
struct Heap {
    #[column(primary_key)]
    id: i64,
}

#[derive(Model, Debug)]
#[model(table = "bags")]
struct Bag {
    #[column(primary_key)]
    id: i64,
    #[column(foreign_key(Heap.id, on_delete = cascade))]
    heap_id: i64,
    #[relationship]
    heap: BelongsTo<Heap>,
}

#[derive(Model, Debug)]
#[model(table = "coins")]
struct Coin {
    #[column(primary_key)]
    id: i64,
    #[column(foreign_key(Bag.id, on_delete = cascade))]
    bag_id: i64,
    #[relationship]
    bag: BelongsTo<Bag>,
}

/// What the program changes only as it was read.
#[derive(Model, Debug)]
#[model(table = "authors")]
struct Author {
    #[column(primary_key)]
    id: i64,
    #[relationship(back_populates = author)]
    books: HasMany<Book>,
}

#[derive(Model, Debug)]
#[model(table = "books")]
struct Book {
    #[column(primary_key)]
    id: i64,
    #[column(version)]
    version: i64,
    #[column(foreign_key(Author.id))]
    author_id: Option<i64>,
    #[relationship(back_populates = books)]
    author: BelongsTo<Option<Author>>,
}

/// A session over these.
async fn owning(url: &str) -> Result<limbeck::session::Session> {
    let engine = Engine::builder(url).connect().await?;
    engine.create_all(&limbeck::metadata![Owner, Plate, Crate, Item, Heap, Bag, Coin, Author, Book]?).await?;
    Ok(engine.sessionmaker().open())
}

both! {
    async fn a_collection_does_not_keep_what_the_database_may_have_taken_along_with_its_parent(db: TestDb) -> Result<()> {
        let mut session = session(db.url()).await;
        let rust = session.add(Tag::builder().name("rust"));
        let ada = session.add(user("ada"));
        let post = session.add(Post::builder().title("Hello").author(ada).tags([rust]));
        session.commit().await?;
        session.load(rust, Tag.posts).await?;
        session.expire(post)?;
        session.delete(ada)?;
        session.flush().await?;
        assert!(!session[rust].posts.is_loaded());
        session.rollback().await?;
        assert_eq!(session.related(rust, Tag.posts).await?, [post]);
        Ok(())
    }

    async fn what_refers_to_an_object_that_may_be_gone_is_read_again(db: TestDb) -> Result<()> {
        let mut session = owning(db.url()).await?;
        let heap = session.add(Heap::builder());
        let bag = session.add(Bag::builder().heap(heap));
        let coin = session.add(Coin::builder().bag(bag));
        let other = session.add(Coin::builder().bag(bag));
        session.commit().await?;
        session.expire(bag)?;
        session.delete(heap)?;
        session.flush().await?;
        for coin in [coin, other] {
            assert!(matches!(session.fresh(coin).await, Err(limbeck::Error::StaleRow(_))));
        }
        session.rollback().await?;
        session.fresh(bag).await?;
        assert_eq!(session.fresh(coin).await?.bag_id, 1);
        Ok(())
    }

    async fn an_expired_object_that_is_deleted_leaves_the_collection_that_its_row_was_in(db: TestDb) -> Result<()> {
        let mut session = session(db.url()).await;
        let (one, other) = (session.add(Shelf::builder()), session.add(Shelf::builder()));
        let loose = session.add(Loose::builder().shelf(one));
        session.commit().await?;
        session.load(one, Shelf.loose).await?;
        let mut nested = session.begin_nested().await?;
        nested.execute(sql("UPDATE loose SET shelf_id = 2")).await?;
        nested.refresh(loose).await?;
        assert_eq!(nested[loose].shelf_id, Some(nested[other].id));
        nested.rollback().await?;
        session.delete(loose)?;
        session.flush().await?;
        assert!(session[one].loose.try_handles().is_ok_and(|mut left| left.next().is_none()));
        Ok(())
    }

    async fn who_is_to_have_a_place_is_known_though_its_owner_was_expired_since(db: TestDb) -> Result<()> {
        let mut session = owning(db.url()).await?;
        let owner = session.add(Owner::builder());
        session.commit().await?;
        let one = session.add(Plate::builder().owner(owner));
        session.expire(owner)?;
        let other = session.add(Plate::builder().owner(owner));
        assert_eq!(session[one].owner.get(), None);
        session.expire_all();
        let last = session.add(Plate::builder().owner(owner));
        assert_eq!(session[other].owner.get(), None);
        session.commit().await?;
        assert_eq!([one, other, last].map(|plate| session[plate].owner_id), [None, None, Some(1)]);
        Ok(())
    }

    async fn a_rollback_brings_no_handle_of_an_expunged_object_back(db: TestDb) -> Result<()> {
        let mut session = owning(db.url()).await?;
        let owner = session.add(Owner::builder());
        let (one, other) = (session.add(Plate::builder().owner(owner)), session.add(Plate::builder()));
        session.commit().await?;
        session.load(owner, Owner.plate).await?;
        session.link(other, Plate.owner, owner)?;
        session.flush().await?;
        session.expunge(one)?;
        session.rollback().await?;
        let found = session.related(owner, Owner.plate).await?;
        assert!(found.len() == 1 && session[found[0]].owner_id == Some(1));
        Ok(())
    }

    async fn a_new_row_that_is_linked_to_a_deleted_one_is_not_given_the_key_that_this_never_got(db: TestDb) -> Result<()> {
        let mut session = owning(db.url()).await?;
        let old = session.add(Crate::builder().code("a"));
        session.commit().await?;
        session[old].code = "b".into();
        let item = session.add(Item::builder().inside(old));
        session.delete(old)?;
        session.commit().await?;
        assert_eq!(session[item].crate_code, None);
        assert_eq!(session.all(select(Item.crate_code)).await?, [None]);
        Ok(())
    }

    async fn a_row_with_a_version_goes_with_the_one_that_it_refers_to(db: TestDb) -> Result<()> {
        let mut session = owning(db.url()).await?;
        let author = session.add(Author::builder());
        let (one, other) = (session.add(Book::builder().author(author)), session.add(Book::builder().author(author)));
        session.commit().await?;
        // Nobody knows whose books these are.
        session.expire(author)?;
        session.delete(author)?;
        session.delete(one)?;
        session.commit().await?;
        assert_eq!((session[other].author_id, session[other].version), (None, 2));
        assert_eq!(session.all(select((Book.author_id, Book.version))).await?, [(None, 2)]);
        Ok(())
    }

    async fn a_statement_that_moves_rows_of_expired_objects_leaves_no_collection_untrue(db: TestDb) -> Result<()> {
        let mut session = owning(db.url()).await?;
        let (ada, bob) = (session.add(Author::builder()), session.add(Author::builder()));
        let book = session.add(Book::builder().author(ada));
        session.commit().await?;
        session.load([ada, bob], Author.books).await?;
        let bob_id = session[bob].id;
        session.expire(book)?;
        session.execute(update(Book).set(Book.author_id, bob_id).all_rows()).await?;
        assert!(session.related(ada, Author.books).await?.is_empty());
        assert_eq!(session.related(bob, Author.books).await?, [book]);
        session.rollback().await?;
        assert_eq!(session.related(ada, Author.books).await?, [book]);
        assert!(session.related(bob, Author.books).await?.is_empty());
        Ok(())
    }

    async fn an_expired_object_with_a_version_is_linked_whatever_it_held(db: TestDb) -> Result<()> {
        let mut session = owning(db.url()).await?;
        let (ada, bob) = (session.add(Author::builder()), session.add(Author::builder()));
        let book = session.add(Book::builder().author(ada));
        session.commit().await?;
        session.expire(book)?;
        session.delete(ada)?;
        session.flush().await?;
        session.link(book, Book.author, bob)?;
        session.commit().await?;
        assert_eq!((session[book].author_id, session[book].version), (Some(session[bob].id), 3));
        Ok(())
    }

    async fn what_is_linked_to_what_it_belongs_to_and_expunged_keeps_its_place(db: TestDb) -> Result<()> {
        let mut session = owning(db.url()).await?;
        let owner = session.add(Owner::builder());
        let plate = session.add(Plate::builder().owner(owner));
        session.commit().await?;
        session.expire_all();
        session.link(owner, Owner.plate, plate)?;
        session.expunge(plate)?;
        session.commit().await?;
        assert_eq!(session.all(select(Plate.owner_id)).await?, [Some(1)]);
        Ok(())
    }
}
