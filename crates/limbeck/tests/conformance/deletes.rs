//! Deletes, where no cascade says more: what happens to the keys of others.

use limbeck::prelude::*;
use limbeck::session::State;
use limbeck::{Error, Result};
use limbeck_test_support::{TestDb, both};

use super::family::*;

fn owner(name: &str) -> impl limbeck::model::New<Model = Owner> + use<> {
    Owner::builder().name(name)
}

both! {
    async fn u03_deleting_a_parent_and_all_its_loaded_children_deletes_them_in_one_batch_first(db: TestDb) -> Result<()> {
        let (mut session, sent) = open(&db).await;
        let ada = session.add(owner("ada"));
        let pets = session.add_all(["a", "b"].map(|name| Pet::builder().name(name).owner(ada)));
        session.commit().await?;
        sent.take();
        session.delete(ada)?;
        pets.iter().try_for_each(|pet| session.delete(*pet))?;
        session.commit().await?;
        assert_eq!(sent.take(), ["DELETE cas_pets ×2", "DELETE cas_owners ×1"]);
        assert_eq!((rows(&mut session, "cas_pets").await, rows(&mut session, "cas_owners").await), (0, 0));
        Ok(())
    }

    /// SQLAlchemy loads the children to find out; here the key is set to NULL by one statement that reads nothing.
    async fn u04_deleting_a_parent_alone_sets_its_childrens_keys_to_null(db: TestDb) -> Result<()> {
        let (mut session, sent) = open(&db).await;
        let ada = session.add(owner("ada"));
        let pets = session.add_all(["a", "b"].map(|name| Pet::builder().name(name).owner(ada)));
        session.commit().await?;
        sent.take();
        session.delete(ada)?;
        session.commit().await?;
        assert_eq!(sent.take(), ["UPDATE cas_pets SET owner_id ×2", "DELETE cas_owners ×1"]);
        for pet in pets {
            assert_eq!(session.state(pet)?, State::Persistent);
            assert_eq!((session[pet].owner_id, session[pet].owner.get()), (None, None));
        }
        assert_eq!(session.count(select(Pet).filter(Pet.owner_id.is_null())).await?, 2);
        Ok(())
    }

    async fn u05_a_deleted_target_leaves_null_behind_and_the_referring_rows_stay(db: TestDb) -> Result<()> {
        let (mut session, sent) = open(&db).await;
        let (ada, bob) = (session.add(owner("ada")), session.add(owner("bob")));
        let pets = session.add_all(["a", "b"].map(|name| Pet::builder().name(name).owner(ada)));
        session.commit().await?;
        sent.take();
        // One child goes elsewhere, one nowhere, and the target goes.
        session.link(pets[0], Pet.owner, bob)?;
        session.assign(pets[1], Pet.owner, None).await?;
        session.delete(ada)?;
        session.commit().await?;
        let all = sent.take();
        assert_eq!(all.last().map(String::as_str), Some("DELETE cas_owners ×1"));
        assert_eq!(session[pets[0]].owner_id, Some(session[bob].id));
        assert_eq!(session[pets[1]].owner_id, None);
        assert_eq!(rows(&mut session, "cas_pets").await, 2);
        Ok(())
    }

    async fn u07_deleting_children_reads_no_parent(db: TestDb) -> Result<()> {
        let (mut session, sent) = open(&db).await;
        let ada = session.add(owner("ada"));
        session.add_all(["a", "b"].map(|name| Pet::builder().name(name).owner(ada)));
        session.commit().await?;
        session.expunge_all();
        let pets = session.all(select(Pet)).await?;
        sent.take();
        pets.iter().try_for_each(|pet| session.delete(*pet))?;
        session.commit().await?;
        assert_eq!(sent.take(), ["DELETE cas_pets ×2"]);
        Ok(())
    }

    async fn u08_clearing_an_unloaded_to_one_writes_null_and_reads_nothing(db: TestDb) -> Result<()> {
        let (mut session, sent) = open(&db).await;
        let ada = session.add(owner("ada"));
        session.add(Pet::builder().name("a").owner(ada));
        session.commit().await?;
        session.expunge_all();
        let pet = session.one(select(Pet)).await?;
        sent.take();
        assert!(!session[pet].owner.is_loaded());
        session.assign(pet, Pet.owner, None).await?;
        session.commit().await?;
        assert_eq!(sent.take(), ["UPDATE cas_pets SET owner_id ×1"]);
        assert_eq!((session[pet].owner_id, session[pet].owner.get()), (None, None));
        Ok(())
    }

    async fn u11_an_association_row_follows_both_ends_and_a_later_update_loads_no_collection(db: TestDb) -> Result<()> {
        let (mut session, sent) = open(&db).await;
        let label = session.add(Label::builder().name("l"));
        session.add(Playlist::builder().labels([label]));
        session.commit().await?;
        let all = sent.take();
        assert_eq!(all.last().map(String::as_str), Some("INSERT cas_list_labels ×1"));
        assert_eq!(all.len(), 3);
        session.expunge_all();
        let label = session.one(select(Label)).await?;
        sent.take();
        session[label].name = "m".into();
        session.commit().await?;
        assert_eq!(sent.take(), ["UPDATE cas_labels SET name ×1"]);
        assert!(!session[label].lists.is_loaded());
        Ok(())
    }

    /// A relationship that raises when it is read, as all do here, is no hindrance to a flush.
    async fn u12_a_collection_that_nobody_may_read_unloaded_is_seen_to_by_the_flush(db: TestDb) -> Result<()> {
        let (mut session, _) = open(&db).await;
        let artist = session.add(Artist::builder().name("a"));
        let album = session.add(Album::builder().title("x").artist(artist));
        session.add(Track::builder().title("t").album(album));
        let ada = session.add(owner("ada"));
        session.add(Pet::builder().name("p").owner(ada));
        session.commit().await?;
        session.expunge_all();
        let (artist, ada) = (session.one(select(Artist)).await?, session.one(select(Owner)).await?);
        assert!(session[artist].albums.try_handles().is_err() && session[ada].pets.try_handles().is_err());
        session.delete(artist)?;
        session.delete(ada)?;
        session.commit().await?;
        assert_eq!((rows(&mut session, "cas_tracks").await, rows(&mut session, "cas_pets").await), (0, 1));
        Ok(())
    }

    async fn u23_an_association_is_emptied_and_a_part_of_it_kept_row_by_row(db: TestDb) -> Result<()> {
        let (mut session, sent) = open(&db).await;
        let labels = session.add_all(["a", "b", "c"].map(|name| Label::builder().name(name)));
        let list = session.add(Playlist::builder().labels(labels.clone()));
        session.commit().await?;
        sent.take();
        session.assign(list, Playlist.labels, [labels[1]]).await?;
        session.commit().await?;
        assert_eq!(sent.take(), ["DELETE cas_list_labels ×2"]);
        assert_eq!(session[labels[0]].lists.len(), 0);
        assert_eq!(session[labels[1]].lists.handles().collect::<Vec<_>>(), [list]);
        session.assign(list, Playlist.labels, []).await?;
        session.commit().await?;
        assert_eq!(sent.take(), ["DELETE cas_list_labels ×1"]);
        assert_eq!((rows(&mut session, "cas_list_labels").await, rows(&mut session, "cas_labels").await), (0, 3));
        Ok(())
    }

    async fn u34_passive_deletes_leave_what_is_not_loaded_to_the_database(db: TestDb) -> Result<()> {
        let (mut session, sent) = open(&db).await;
        let depot = session.add(Depot::builder());
        session.add_all((0..3).map(|_| Carton::builder().depot(depot)));
        session.commit().await?;
        session.expunge_all();
        let depot = session.one(select(Depot)).await?;
        sent.take();
        session.delete(depot)?;
        session.commit().await?;
        assert_eq!(sent.take(), ["DELETE cas_depots ×1"]);
        assert_eq!(rows(&mut session, "cas_boxes").await, 0);
        Ok(())
    }

    async fn u34_passive_deletes_see_to_what_is_loaded(db: TestDb) -> Result<()> {
        let (mut session, sent) = open(&db).await;
        let depot = session.add(Depot::builder());
        let boxes = session.add_all((0..3).map(|_| Carton::builder().depot(depot)));
        let cart = session.add(Cart::builder().depot(depot));
        session.commit().await?;
        sent.take();
        session.delete(depot)?;
        session.commit().await?;
        assert_eq!(
            sent.take(),
            ["UPDATE cas_carts SET depot_id ×1", "DELETE cas_boxes ×3", "DELETE cas_depots ×1"]
        );
        assert!(gone(&session, boxes[0]));
        assert_eq!(session[cart].depot_id, None);
        Ok(())
    }

    async fn u34_a_passive_key_that_the_database_keeps_is_its_error(db: TestDb) -> Result<()> {
        let (mut session, sent) = open(&db).await;
        let depot = session.add(Depot::builder());
        session.add(Cart::builder().depot(depot));
        session.commit().await?;
        session.expunge_all();
        let depot = session.one(select(Depot)).await?;
        sent.take();
        session.delete(depot)?;
        let refused = session.flush().await.unwrap_err();
        assert!(matches!(refused, Error::ForeignKeyViolation(_)), "{refused}");
        assert_eq!(sent.take().iter().filter(|line| line.starts_with("UPDATE")).count(), 0);
        // As before: with the mark taken away it may be loaded, and go.
        session.add(depot);
        session.load(depot, Depot.carts).await?;
        session.delete(depot)?;
        session.commit().await?;
        assert_eq!(rows(&mut session, "cas_depots").await, 0);
        Ok(())
    }

    async fn u34_passive_deletes_all_never_touch_a_key(db: TestDb) -> Result<()> {
        let (mut session, sent) = open(&db).await;
        let depot = session.add(Depot::builder());
        let sign = session.add(Sign::builder().depot(depot));
        session.commit().await?;
        sent.take();
        assert_eq!(session[depot].signs.len(), 1);
        session.delete(depot)?;
        let refused = session.flush().await.unwrap_err();
        let Error::ForeignKeyViolation(violation) = &refused else { panic!("{refused}") };
        assert!(!sent.take().iter().any(|line| line.starts_with("UPDATE")));
        // Models lead to each other, and are printed all the same.
        assert!(format!("{violation:?}").contains("Depot"));
        assert_eq!(session[sign].depot_id, Some(session[depot].id));
        session.rollback().await?;
        assert_eq!(session.state(depot)?, State::Persistent);
        Ok(())
    }

    /// SQLAlchemy: "tried to blank-out primary key column". Here the call is refused.
    async fn u46_a_key_that_is_the_childs_own_cannot_be_unlinked_and_goes_by_cascade(db: TestDb) -> Result<()> {
        let (mut session, sent) = open(&db).await;
        let account = session.add(Account::builder());
        let settings = session.add(Settings::builder().account(account));
        session.commit().await?;
        sent.take();
        let refused = session.unlink(account, Account.settings, settings).unwrap_err();
        assert!(refused.to_string().contains("`account_id` is NOT NULL"), "{refused}");
        session.delete(account)?;
        session.commit().await?;
        let all: Vec<String> = sent.take().into_iter().filter(|line| !line.starts_with("SELECT")).collect();
        assert_eq!(all, ["DELETE cas_settings ×1", "DELETE cas_accounts ×1"]);
        Ok(())
    }

    async fn a_parent_whose_child_moved_in_the_same_flush_is_deleted_after_the_move(db: TestDb) -> Result<()> {
        let (mut session, sent) = open(&db).await;
        let ada = session.add(owner("ada"));
        session.add(owner("bob"));
        session.add(Pet::builder().name("a").owner(ada));
        session.commit().await?;
        session.expunge_all();
        let owners = session.all(select(Owner).order_by(Owner.name)).await?;
        let (ada, bob) = (owners[0], owners[1]);
        let pet = session.one(select(Pet)).await?;
        sent.take();
        session.link(bob, Owner.pets, pet)?;
        session.delete(ada)?;
        session.commit().await?;
        let all = sent.take();
        assert_eq!(all.first().map(String::as_str), Some("UPDATE cas_pets SET owner_id ×1"));
        assert_eq!(all.last().map(String::as_str), Some("DELETE cas_owners ×1"));
        assert_eq!(session[pet].owner_id, Some(session[bob].id));
        Ok(())
    }
}
