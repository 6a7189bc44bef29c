//! What the state machine (`machine`) found in the session, each case as small as it can be.
#![cfg(all(feature = "sqlite", feature = "postgres"))]

mod common;

use common::*;
use limbeck::Result;
use limbeck::prelude::*;
use limbeck::session::State;
use limbeck_test_support::{TestDb, both};

/// Who has at most one of each.
#[derive(Model, Debug)]
#[model(table = "owners")]
struct Owner {
    #[column(primary_key)]
    id: i64,
    #[relationship(back_populates = owner)]
    licence: HasOne<Licence>,
    #[relationship(back_populates = owner)]
    plate: HasOne<Plate>,
}

/// It cannot be without its owner, and goes with it.
#[derive(Model, Debug)]
#[model(table = "licences")]
struct Licence {
    #[column(primary_key)]
    id: i64,
    #[column(unique, foreign_key(Owner.id, on_delete = cascade))]
    owner_id: i64,
    #[relationship(back_populates = licence)]
    owner: BelongsTo<Owner>,
}

/// It can.
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
    #[relationship(back_populates = inside)]
    seals: HasMany<Seal>,
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

#[derive(Model, Debug)]
#[model(table = "seals")]
struct Seal {
    #[column(primary_key)]
    id: i64,
    #[column(foreign_key(Crate.code, on_delete = cascade))]
    crate_code: String,
    #[relationship(back_populates = seals, key = crate_code)]
    inside: BelongsTo<Crate>,
}

#[derive(Model, Debug)]
#[model(table = "people")]
struct Person {
    #[column(primary_key)]
    id: i64,
    #[column(unique)]
    name: String,
    #[relationship(back_populates = person)]
    badges: HasMany<Badge>,
}

/// The program gives its key, and the database sets its person to NULL.
#[derive(Model, Debug)]
#[model(table = "badges")]
struct Badge {
    #[column(primary_key)]
    code: String,
    #[column(foreign_key(Person.id, on_delete = set_null))]
    person_id: Option<i64>,
    #[relationship(back_populates = badges)]
    person: BelongsTo<Option<Person>>,
}

/// A session over these.
async fn owning(url: &str) -> Result<limbeck::session::Session> {
    let engine = Engine::builder(url).connect().await?;
    engine.create_all(&limbeck::metadata![Owner, Licence, Plate, Crate, Item, Seal, Person, Badge]?).await?;
    Ok(engine.sessionmaker().open())
}

both! {
    async fn a_savepoint_is_rolled_back_after_expunge_all(db: TestDb) -> Result<()> {
        let mut session = session(db.url()).await;
        session.add(Tag::builder().name("before"));
        let mut nested = session.begin_nested().await?;
        nested.expunge_all();
        let rust = nested.add(Tag::builder().name("rust"));
        nested.flush().await?;
        nested.rollback().await?;
        assert_eq!(session.state(rust)?, State::Transient);
        session.commit().await?;
        assert_eq!(session.all(select(Tag.name)).await?, ["before"]);
        Ok(())
    }

    async fn what_was_read_after_writes_that_no_object_follows_is_read_again_after_a_rollback(db: TestDb) -> Result<()> {
        let mut session = session(db.url()).await;
        let rust = session.add(Tag::builder().name("rust"));
        session.commit().await?;
        session[rust].name = "Rust".into();
        session.flush().await?;
        session.expunge(rust)?;
        let again = session.get(Tag, 1).await?.expect("the tag");
        assert_eq!(session[again].name, "Rust");
        session.rollback().await?;
        assert!(matches!(session.try_get(again), Err(limbeck::Error::Expired { .. })));
        assert_eq!(session.fresh(again).await?.name, "rust");
        // A key that a DELETE set to NULL, of a row that was read afterwards.
        let shelf = session.add(Shelf::builder());
        let loose = session.add(Loose::builder().shelf(shelf));
        session.commit().await?;
        session.expunge(loose)?;
        session.delete(shelf)?;
        session.flush().await?;
        let loose = session.one(select(Loose)).await?;
        assert_eq!(session[loose].shelf_id, None);
        session.rollback().await?;
        let key = session[shelf].id;
        assert_eq!(session.fresh(loose).await?.shelf_id, Some(key));
        Ok(())
    }

    async fn refreshing_an_object_keeps_what_it_was_linked_to(db: TestDb) -> Result<()> {
        let mut session = session(db.url()).await;
        let shelf = session.add(Shelf::builder());
        let loose = session.add(Loose::builder().shelf(shelf));
        session.commit().await?;
        session.unlink(loose, Loose.shelf, shelf)?;
        session.refresh(loose).await?;
        session.commit().await?;
        assert_eq!(session.all(select(Loose.shelf_id)).await?, [None]);
        Ok(())
    }

    async fn an_object_that_was_moved_and_deleted_in_one_flush_is_in_no_collection(db: TestDb) -> Result<()> {
        let mut session = session(db.url()).await;
        let (one, other) = (session.add(Shelf::builder()), session.add(Shelf::builder()));
        let loose = session.add(Loose::builder().shelf(one));
        session.commit().await?;
        session.load(&vec![one, other], Shelf.loose).await?;
        session.link(loose, Loose.shelf, other)?;
        session.delete(loose)?;
        session.commit().await?;
        assert!(session[one].loose.is_empty() && session[other].loose.is_empty());
        Ok(())
    }

    async fn a_collection_that_an_expunged_object_was_moved_out_of_is_loaded_again(db: TestDb) -> Result<()> {
        let mut session = session(db.url()).await;
        let (one, other) = (session.add(Shelf::builder()), session.add(Shelf::builder()));
        let loose = session.add(Loose::builder().shelf(one));
        session.commit().await?;
        session.load(&vec![one, other], Shelf.loose).await?;
        session.link(loose, Loose.shelf, other)?;
        session.expunge(loose)?;
        session.load(&vec![one, other], Shelf.loose).await?;
        assert_eq!((session[one].loose.len(), session[other].loose.len()), (1, 0));
        Ok(())
    }

    async fn a_row_that_goes_with_its_parent_gets_no_new_links(db: TestDb) -> Result<()> {
        let mut session = session(db.url()).await;
        let ada = session.add(user("ada"));
        let post = session.add(Post::builder().title("Hello").author(ada));
        session.commit().await?;
        // The user has to go first, since another one takes her name.
        session.delete(ada)?;
        session.add(user("ada"));
        let rust = session.add(Tag::builder().name("rust"));
        session.link(post, Post.tags, rust)?;
        session.commit().await?;
        assert_eq!(session.count(select(Post)).await?, 0);
        session.load(rust, Tag.posts).await?;
        assert!(session[rust].posts.is_empty());
        Ok(())
    }

    async fn a_new_row_that_was_linked_to_a_deleted_one_does_not_fall_to_its_successor(db: TestDb) -> Result<()> {
        let mut session = session(db.url()).await;
        let ada = session.add(user("ada"));
        session.commit().await?;
        session.add(Post::builder().title("Hello").author(ada));
        session.delete(ada)?;
        // SQLite gives her the number of the one that is gone.
        let other = session.add(user("ada"));
        session.commit().await?;
        session.load(other, User.posts).await?;
        assert!(session[other].posts.is_empty());
        assert_eq!(session.count(select(Post)).await?, 0);
        Ok(())
    }

    async fn a_row_whose_key_is_written_leaves_the_collection_though_its_own_field_is_not_loaded(db: TestDb) -> Result<()> {
        let mut session = session(db.url()).await;
        let shelf = session.add(Shelf::builder());
        let loose = session.add(Loose::builder().shelf(shelf));
        session.commit().await?;
        session.expire(loose)?;
        session.fresh(loose).await?;
        session[loose].shelf_id = None;
        session.commit().await?;
        assert!(session[shelf].loose.is_empty());
        Ok(())
    }

    async fn a_parent_that_was_expunged_and_read_again_is_assigned_its_children_once(db: TestDb) -> Result<()> {
        let mut session = session(db.url()).await;
        let shelf = session.add(Shelf::builder());
        let fixed = session.add(Fixed::builder().shelf(shelf));
        session.commit().await?;
        let id = session.expunge(shelf)?.id;
        let shelf = session.get(Shelf, id).await?.expect("the shelf");
        session.assign(shelf, Shelf.fixed, [fixed]).await?;
        assert_eq!(session[shelf].fixed.len(), 1);
        Ok(())
    }

    async fn what_is_not_to_be_deleted_after_all_is_in_what_was_loaded_meanwhile(db: TestDb) -> Result<()> {
        let mut session = sessions(db.url()).await.autoflush(false).open();
        let shelf = session.add(Shelf::builder());
        let loose = session.add(Loose::builder().shelf(shelf));
        let rust = session.add(Tag::builder().name("rust"));
        let ada = session.add(user("ada"));
        let post = session.add(Post::builder().title("Hello").author(ada).tags([rust]));
        session.commit().await?;
        session.expire(shelf)?;
        session.expire(rust)?;
        session.expire(post)?;
        session.fresh(post).await?;
        session.delete(loose)?;
        session.delete(post)?;
        assert!(session.related(shelf, Shelf.loose).await?.is_empty());
        assert!(session.related(rust, Tag.posts).await?.is_empty());
        session.add(loose);
        session.add(post);
        assert_eq!(session.related(shelf, Shelf.loose).await?, [loose]);
        assert_eq!(session.related(rust, Tag.posts).await?, [post]);
        session.commit().await?;
        assert_eq!(session.count(select(Loose)).await?, 1);
        Ok(())
    }

    async fn a_place_that_the_newcomer_did_not_get_is_not_empty(db: TestDb) -> Result<()> {
        let mut session = owning(db.url()).await?;
        let owner = session.add(Owner::builder());
        let first = session.add(Licence::builder().owner(owner));
        session.commit().await?;
        session.expunge(first)?;
        let second = session.add(Licence::builder().owner(owner));
        assert!(matches!(session.commit().await, Err(limbeck::Error::UniqueViolation(_))));
        session.expunge(second)?;
        assert_eq!(session.related(owner, Owner.licence).await?.len(), 1);
        Ok(())
    }

    async fn a_place_is_made_free_though_the_parent_is_deleted_as_well(db: TestDb) -> Result<()> {
        let mut session = owning(db.url()).await?;
        let owner = session.add(Owner::builder());
        let first = session.add(Plate::builder().owner(owner));
        session.commit().await?;
        session.expunge(first)?;
        session.add(Plate::builder().owner(owner));
        session.delete(owner)?;
        session.commit().await?;
        assert_eq!(session.all(select(Plate.owner_id)).await?, [None, None]);
        Ok(())
    }

    async fn what_was_linked_to_a_deleted_object_is_not_given_to_the_one_that_takes_its_key(db: TestDb) -> Result<()> {
        let mut session = owning(db.url()).await?;
        let old = session.add(Crate::builder().code("a"));
        let item = session.add(Item::builder());
        session.commit().await?;
        let new_item = session.add(Item::builder().inside(old));
        session.link(item, Item.inside, old)?;
        session.delete(old)?;
        let new = session.add(Crate::builder().code("a"));
        session.commit().await?;
        assert_eq!(session.all(select(Item.crate_code)).await?, [None, None]);
        assert_eq!((session[item].crate_code.as_deref(), session[new_item].crate_code.as_deref()), (None, None));
        assert_eq!(session[item].inside.get(), None);
        assert!(session.related(new, Crate.items).await?.is_empty());
        // What cannot be without it is refused.
        let seal = session.add(Seal::builder().inside(new));
        session.delete(new)?;
        let newest = session.add(Crate::builder().code("a"));
        let error = session.flush().await.expect_err("the seal leads nowhere");
        assert!(error.to_string().contains("another one takes"), "{error}");
        session.link(seal, Seal.inside, newest)?;
        session.commit().await?;
        assert_eq!(session.related(newest, Crate.seals).await?, [seal]);
        Ok(())
    }

    async fn what_was_read_in_doubt_and_deleted_is_expired_by_the_rollback_of_the_whole(db: TestDb) -> Result<()> {
        let mut session = session(db.url()).await;
        session.add(Tag::builder().name("rust"));
        session.flush().await?;
        session.expunge_all();
        let rust = session.one(select(Tag)).await?;
        session.delete(rust)?;
        session.begin_nested().await?.rollback().await?;
        session.rollback().await?;
        assert!(matches!(session.try_get(rust), Err(limbeck::Error::Expired { .. })));
        Ok(())
    }

    async fn who_is_to_be_deleted_keeps_its_place_until_then(db: TestDb) -> Result<()> {
        let mut session = owning(db.url()).await?;
        let owner = session.add(Owner::builder());
        let first = session.add(Plate::builder().owner(owner));
        session.commit().await?;
        session.expire_all();
        session.delete(first)?;
        let second = session.add(Plate::builder().owner(owner));
        session.fresh(first).await?;
        session.add(first);
        session.commit().await?;
        assert_eq!(session.related(owner, Owner.plate).await?, [second]);
        assert_eq!(session.fresh(first).await?.owner_id, None);
        Ok(())
    }

    async fn a_row_that_gets_another_object_is_not_given_to_the_successor_of_its_parent(db: TestDb) -> Result<()> {
        let mut session = owning(db.url()).await?;
        let person = session.add(Person::builder().name("ada"));
        let old = session.add(Badge::builder().code("a"));
        session.commit().await?;
        session.delete(old)?;
        let new = session.add(Badge::builder().code("a").person(person));
        // SQLite gives the number of the one that is gone to the one that takes its name.
        session.delete(person)?;
        session.add(Person::builder().name("ada"));
        session.commit().await?;
        assert_eq!(session.all(select(Badge.person_id)).await?, [None]);
        assert_eq!(session[new].person_id, None);
        Ok(())
    }

    async fn what_was_expunged_out_of_a_collection_is_unlinked_by_assigning_others(db: TestDb) -> Result<()> {
        let mut session = session(db.url()).await;
        let rust = session.add(Tag::builder().name("rust"));
        let ada = session.add(user("ada"));
        session.add(Post::builder().title("Hello").author(ada).tags([rust]));
        session.commit().await?;
        session.expunge_all();
        let rust = session.one(select(Tag).with(Tag.posts)).await?;
        let post = session.one(select(Post)).await?;
        session.expunge(post)?;
        session.assign(rust, Tag.posts, []).await?;
        session.commit().await?;
        let post = session.one(select(Post)).await?;
        assert!(session.related(post, Post.tags).await?.is_empty());
        Ok(())
    }

    async fn a_place_is_taken_from_objects_of_its_own_model_only(db: TestDb) -> Result<()> {
        let mut session = owning(db.url()).await?;
        let owner = session.add(Owner::builder());
        session.commit().await?;
        // Their keys have the same columns.
        let licence = session.add(Licence::builder().owner(owner));
        let one = session.add(Plate::builder().owner(owner));
        session.expire(owner)?;
        let other = session.add(Plate::builder());
        session.link(owner, Owner.plate, other)?;
        session.commit().await?;
        assert_eq!((session[one].owner_id, session[other].owner_id, session[licence].owner_id), (None, Some(1), 1));
        Ok(())
    }

    async fn what_was_linked_to_a_deleted_object_leads_nowhere_though_that_one_made_room(db: TestDb) -> Result<()> {
        let mut session = owning(db.url()).await?;
        let (ada, bob) = (session.add(Person::builder().name("ada")), session.add(Person::builder().name("bob")));
        let badge = session.add(Badge::builder().code("a").person(ada));
        session.commit().await?;
        session.link(badge, Badge.person, bob)?;
        session.delete(bob)?;
        session.add(Person::builder().name("bob"));
        session.commit().await?;
        assert_eq!(session.all(select(Badge.person_id)).await?, [None]);
        assert_eq!((session[badge].person_id, session[badge].person.get()), (None, None));
        Ok(())
    }

    async fn who_stays_after_all_has_lost_its_place_though_the_parent_is_to_be_deleted(db: TestDb) -> Result<()> {
        let mut session = owning(db.url()).await?;
        let owner = session.add(Owner::builder());
        let first = session.add(Plate::builder().owner(owner));
        session.commit().await?;
        session.delete(first)?;
        let second = session.add(Plate::builder().owner(owner));
        session.delete(owner)?;
        session.add(first);
        assert_eq!(session[first].owner.get(), None);
        session.add(owner);
        session.commit().await?;
        assert_eq!((session[first].owner_id, session[second].owner_id), (None, Some(session[owner].id)));
        Ok(())
    }
}
