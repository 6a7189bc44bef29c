//! The cascades `delete`, `delete-orphan`, `save-update`, `expunge` and `refresh-expire`.

use limbeck::prelude::*;
use limbeck::session::{Session, State};
use limbeck::{Error, Result};
use limbeck_test_support::{TestDb, both};

use super::family::*;

/// An artist with so many albums of so many tracks each, committed.
async fn artist(session: &mut Session, albums: usize, tracks: usize) -> Result<Tracked<Artist>> {
    let artist = session.add(Artist::builder().name("artist"));
    for a in 0..albums {
        let album = session.add(Album::builder().title(format!("album {a}")).artist(artist));
        for t in 0..tracks {
            session.add(Track::builder().title(format!("track {t}")).album(album));
        }
    }
    session.commit().await?;
    Ok(artist)
}

/// As [`artist`], with nothing but the artist in the session.
async fn lone_artist(session: &mut Session, albums: usize, tracks: usize) -> Result<Tracked<Artist>> {
    artist(session, albums, tracks).await?;
    session.expunge_all();
    session.one(select(Artist)).await
}

fn album(title: &str, artist: Tracked<Artist>) -> impl limbeck::model::New<Model = Album> + use<> {
    Album::builder().title(title).artist(artist)
}

both! {
    async fn u35_delete_orphan_deletes_the_rows_of_a_list_that_is_replaced(db: TestDb) -> Result<()> {
        let (mut session, sent) = open(&db).await;
        let artist = artist(&mut session, 3, 0).await?;
        let old: Vec<_> = session[artist].albums.handles().collect();
        sent.take();
        let new = session.add(album("new", artist));
        session.assign(artist, Artist.albums, [old[0], new]).await?;
        session.commit().await?;
        let all: Vec<String> = sent.take().into_iter().filter(|line| !line.starts_with("SELECT")).collect();
        assert_eq!(all, ["INSERT cas_albums ×1", "DELETE cas_albums ×2"]);
        assert_eq!(session[artist].albums.handles().collect::<Vec<_>>(), [old[0], new]);
        assert_eq!((session.state(old[0])?, gone(&session, old[1])), (State::Persistent, true));
        session.assign(artist, Artist.albums, []).await?;
        session.commit().await?;
        assert_eq!(rows(&mut session, "cas_albums").await, 0);
        Ok(())
    }

    /// SQLAlchemy expunges it. Here it stays in the session as a transient object, so that its handle still fits.
    async fn u36_a_pending_child_that_is_taken_away_is_not_inserted(db: TestDb) -> Result<()> {
        let (mut session, sent) = open(&db).await;
        let artist = artist(&mut session, 0, 0).await?;
        sent.take();
        let lost = session.add(album("lost", artist));
        let track = session.add(Track::builder().title("lost").album(lost));
        let kept = session.add(album("kept", artist));
        session.unlink(artist, Artist.albums, lost)?;
        assert_eq!((session.state(lost)?, session.state(track)?), (State::Transient, State::Transient));
        assert_eq!(session.new(Album).collect::<Vec<_>>(), [kept]);
        session.commit().await?;
        assert_eq!(sent.take(), ["INSERT cas_albums ×1"]);
        assert_eq!(session[lost].title, "lost");
        assert_eq!(session[artist].albums.handles().collect::<Vec<_>>(), [kept]);
        Ok(())
    }

    async fn u36_a_pending_target_that_is_replaced_is_not_inserted(db: TestDb) -> Result<()> {
        let (mut session, sent) = open(&db).await;
        let party = session.add(Party::builder());
        session.commit().await?;
        sent.take();
        let (lost, kept) = (session.add(Venue::builder()), session.add(Venue::builder()));
        session.link(party, Party.venue, lost)?;
        session.link(party, Party.venue, kept)?;
        assert_eq!(session.state(lost)?, State::Transient);
        session.commit().await?;
        assert_eq!(sent.take(), ["INSERT cas_venues ×1", "UPDATE cas_parties SET venue_id ×1"]);
        Ok(())
    }

    async fn u36_without_delete_orphan_a_pending_child_stays_pending(db: TestDb) -> Result<()> {
        let (mut session, _) = open(&db).await;
        let team = session.add(Team::builder());
        let player = session.add(Player::builder().team(team));
        session.unlink(team, Team.players, player)?;
        assert_eq!(session.state(player)?, State::Pending);
        session.commit().await?;
        assert_eq!((rows(&mut session, "cas_players").await, session[player].team_id), (1, None));
        Ok(())
    }

    async fn u37_a_delete_reaches_what_is_not_loaded_in_one_query_a_level(db: TestDb) -> Result<()> {
        let (mut session, sent) = open(&db).await;
        let artist = lone_artist(&mut session, 3, 4).await?;
        sent.take();
        session.delete(artist)?;
        assert!(sent.take().is_empty());
        session.commit().await?;
        assert_eq!(
            sent.take(),
            [
                "SELECT cas_albums ×3",
                "SELECT cas_tracks ×12",
                "DELETE cas_tracks ×12",
                "DELETE cas_albums ×3",
                "DELETE cas_artists ×1"
            ]
        );
        for table in ["cas_artists", "cas_albums", "cas_tracks"] {
            assert_eq!(rows(&mut session, table).await, 0);
        }
        Ok(())
    }

    async fn a_part_of_a_collection_is_not_all_that_goes(db: TestDb) -> Result<()> {
        let (mut session, _) = open(&db).await;
        artist(&mut session, 4, 1).await?;
        session.expunge_all();
        let one = select(Artist).with(Artist.albums.filter(Album.title.eq("album 1")));
        let artist = session.one(one).await?;
        assert!(session[artist].albums.is_partial());
        let album = session[artist].albums.handles().next().unwrap();
        session.unlink(artist, Artist.albums, album)?;
        session.commit().await?;
        assert_eq!((rows(&mut session, "cas_albums").await, rows(&mut session, "cas_tracks").await), (3, 3));
        session.delete(artist)?;
        session.commit().await?;
        assert_eq!((rows(&mut session, "cas_albums").await, rows(&mut session, "cas_tracks").await), (0, 0));
        Ok(())
    }

    async fn a_thousand_children_cost_as_many_statements_as_one(db: TestDb) -> Result<()> {
        let (mut session, sent) = open(&db).await;
        let mut costs = Vec::new();
        for albums in [1, 500] {
            let artist = lone_artist(&mut session, albums, 2).await?;
            sent.take();
            session.delete(artist)?;
            session.commit().await?;
            costs.push(sent.take().len());
            session.expunge_all();
        }
        assert_eq!(costs, [5, 5]);
        assert_eq!(rows(&mut session, "cas_tracks").await, 0);
        Ok(())
    }

    async fn u39_delete_without_orphan_sets_the_key_of_a_removed_child_to_null(db: TestDb) -> Result<()> {
        let (mut session, sent) = open(&db).await;
        let team = session.add(Team::builder());
        let players = session.add_all((0..2).map(|_| Player::builder().team(team)));
        session.commit().await?;
        sent.take();
        session.unlink(team, Team.players, players[0])?;
        session.commit().await?;
        assert_eq!(sent.take(), ["UPDATE cas_players SET team_id ×1"]);
        assert_eq!(session.state(players[0])?, State::Persistent);
        session.delete(team)?;
        session.commit().await?;
        assert_eq!(sent.take(), ["DELETE cas_players ×1", "DELETE cas_teams ×1"]);
        assert_eq!(rows(&mut session, "cas_players").await, 1);
        Ok(())
    }

    async fn u40_a_second_parent_by_a_to_one_is_an_error_and_the_other_side_moves_it(db: TestDb) -> Result<()> {
        let (mut session, _) = open(&db).await;
        let venue = session.add(Venue::builder());
        let first = session.add(Party::builder().venue(venue));
        let second = session.add(Party::builder());
        let refused = session.link(second, Party.venue, venue).unwrap_err();
        assert_eq!(
            refused.to_string(),
            "`Venue`: has a parent by `Party.venue` already, which is `single_parent`: unlink it from that one first"
        );
        session.commit().await?;
        assert!(session.link(second, Party.venue, venue).is_err());
        // Through the other side it moves, and is no orphan.
        session.link(venue, Venue.party, second)?;
        session.commit().await?;
        assert_eq!((session[first].venue_id, session[second].venue_id), (None, Some(session[venue].id)));
        assert_eq!(session.state(venue)?, State::Persistent);
        // Objects of another session are not known: the handles of a fresh one are.
        session.expunge_all();
        let parties = session.all(select(Party).order_by(Party.id)).await?;
        let venue = session.one(select(Venue)).await?;
        assert!(session.link(parties[0], Party.venue, venue).is_err());
        Ok(())
    }

    async fn u40_a_second_parent_over_an_association_is_an_error(db: TestDb) -> Result<()> {
        let (mut session, _) = open(&db).await;
        let song = session.add(Song::builder());
        let first = session.add(Playlist::builder().songs([song]));
        let second = session.add(Playlist::builder());
        assert!(session.link(second, Playlist.songs, song).is_err());
        assert!(session.link(song, Song.lists, second).is_err());
        session.link(first, Playlist.songs, song)?;
        session.commit().await?;
        assert!(session.link(second, Playlist.songs, song).is_err());
        session.unlink(first, Playlist.songs, song)?;
        session.link(second, Playlist.songs, song)?;
        session.commit().await?;
        assert_eq!(session.state(song)?, State::Persistent);
        assert_eq!(session[second].songs.handles().collect::<Vec<_>>(), [song]);
        assert_eq!((rows(&mut session, "cas_songs").await, rows(&mut session, "cas_list_songs").await), (1, 1));
        Ok(())
    }

    async fn u40_a_builder_cannot_give_an_object_a_second_parent_either(db: TestDb) -> Result<()> {
        let (mut session, _) = open(&db).await;
        let venue = session.add(Venue::builder());
        session.add(Party::builder().venue(venue));
        let second = session.add(Party::builder().venue(venue));
        let refused = session.flush().await.unwrap_err();
        assert!(matches!(refused, Error::InvalidState { model: "Venue", .. }), "{refused}");
        let other = session.add(Venue::builder());
        session.link(second, Party.venue, other)?;
        session.commit().await?;
        Ok(())
    }

    async fn an_orphan_of_a_to_one_is_deleted_though_it_was_not_loaded(db: TestDb) -> Result<()> {
        let (mut session, sent) = open(&db).await;
        for _ in 0..3 {
            let venue = session.add(Venue::builder());
            session.add(Party::builder().venue(venue));
        }
        session.commit().await?;
        session.expunge_all();
        let parties = session.all(select(Party).order_by(Party.id)).await?;
        let new = session.add(Venue::builder());
        sent.take();
        session.assign(parties[0], Party.venue, None).await?;
        session.link(parties[1], Party.venue, new)?;
        session.commit().await?;
        let all = sent.take();
        assert_eq!(all.iter().filter(|line| line.starts_with("SELECT")).collect::<Vec<_>>(), ["SELECT cas_venues ×2"]);
        assert_eq!(all.last().map(String::as_str), Some("DELETE cas_venues ×2"));
        session.delete(parties[2])?;
        session.commit().await?;
        assert_eq!(rows(&mut session, "cas_venues").await, 1);
        Ok(())
    }

    async fn u42_an_object_whose_key_was_given_by_value_is_no_orphan(db: TestDb) -> Result<()> {
        let (mut session, _) = open(&db).await;
        let artist = artist(&mut session, 0, 0).await?;
        let id = session[artist].id;
        session.expunge_all();
        let album = session.add(Album::builder().title("alone").artist_id(id));
        let remark = session.add(Remark::builder());
        session.commit().await?;
        assert_eq!((session.state(album)?, session.state(remark)?), (State::Persistent, State::Persistent));
        // Nor is one whose key is written by value.
        let topic = session.add(Topic::builder());
        session.link(remark, Remark.topic, topic)?;
        session.commit().await?;
        session[remark].topic_id = None;
        session.commit().await?;
        assert_eq!((session.state(remark)?, rows(&mut session, "cas_remarks").await), (State::Persistent, 1));
        Ok(())
    }

    /// In SQLAlchemy a related object may be in no session; without the cascade it is then left out, with a warning. A
    /// handle is always one of the session's. What comes nearest is an object that was rolled back: linked by a
    /// relationship with `save-update` it is added again; without it, the flush says that it is missing.
    async fn u43_without_save_update_a_linked_object_is_not_added(db: TestDb) -> Result<()> {
        let (mut session, _) = open(&db).await;
        let (topic, owner) = (session.add(Topic::builder()), session.add(Owner::builder().name("o")));
        session.rollback().await?;
        let remark = session.add(Remark::builder());
        session.link(remark, Remark.topic, topic)?;
        assert_eq!(session.state(topic)?, State::Pending);
        session.link(remark, Remark.owner, owner)?;
        assert_eq!(session.state(owner)?, State::Transient);
        let refused = session.flush().await.unwrap_err();
        assert!(refused.to_string().contains("`Remark.owner` links to it: add it again"), "{refused}");
        session.add(owner);
        session.commit().await?;
        assert_eq!(session[remark].owner_id, Some(session[owner].id));
        assert_eq!(session[remark].topic_id, Some(session[topic].id));
        Ok(())
    }

    async fn what_is_unlinked_and_linked_elsewhere_is_moved(db: TestDb) -> Result<()> {
        let (mut session, sent) = open(&db).await;
        let (ada, bob) = (artist(&mut session, 2, 1).await?, session.add(Artist::builder().name("bob")));
        session.commit().await?;
        let albums: Vec<_> = session[ada].albums.handles().collect();
        let pending = session.add(album("new", ada));
        sent.take();
        for album in albums.iter().chain([&pending]) {
            session.unlink(ada, Artist.albums, *album)?;
        }
        session.link(bob, Artist.albums, albums[0])?;
        session.link(bob, Artist.albums, pending)?;
        session.commit().await?;
        let all: Vec<String> = sent.take().into_iter().filter(|line| !line.starts_with("SELECT")).collect();
        assert_eq!(
            all,
            [
                "UPDATE cas_albums SET artist_id ×1",
                "INSERT cas_albums ×1",
                "DELETE cas_tracks ×1",
                "DELETE cas_albums ×1"
            ]
        );
        assert_eq!(session[bob].albums.len(), 2);
        assert_eq!((gone(&session, albums[1]), session[ada].albums.len()), (true, 0));
        Ok(())
    }

    async fn an_orphan_by_the_childs_own_side_is_one_too(db: TestDb) -> Result<()> {
        let (mut session, _) = open(&db).await;
        let topic = session.add(Topic::builder());
        let remark = session.add(Remark::builder().topic(topic));
        session.commit().await?;
        session.assign(remark, Remark.topic, None).await?;
        session.commit().await?;
        assert!(gone(&session, remark));
        assert_eq!(rows(&mut session, "cas_remarks").await, 0);
        Ok(())
    }

    async fn who_loses_one_of_two_parents_is_an_orphan(db: TestDb) -> Result<()> {
        let (mut session, _) = open(&db).await;
        let (topic, critic) = (session.add(Topic::builder()), session.add(Critic::builder()));
        let both = session.add(Remark::builder().topic(topic).critic(critic));
        let one = session.add(Remark::builder().critic(critic));
        session.commit().await?;
        session.unlink(topic, Topic.remarks, both)?;
        session.commit().await?;
        // The other never had a topic to lose.
        assert_eq!((gone(&session, both), session.state(one)?), (true, State::Persistent));
        assert_eq!(session[critic].remarks.handles().collect::<Vec<_>>(), [one]);
        Ok(())
    }

    async fn a_tree_goes_with_its_root_level_by_level(db: TestDb) -> Result<()> {
        let (mut session, sent) = open(&db).await;
        let root = session.add(Folder::builder());
        let mut level = vec![root];
        for _ in 0..5 {
            level = level.iter().flat_map(|parent| [*parent; 2]).collect::<Vec<_>>();
            level = session.add_all(level.into_iter().map(|parent| Folder::builder().parent(parent)));
        }
        let other = session.add(Folder::builder());
        session.commit().await?;
        let (root, other) = (session[root].id, session[other].id);
        session.expunge_all();
        let root = session.get(Folder, root).await?.unwrap();
        sent.take();
        session.delete(root)?;
        session.commit().await?;
        let all = sent.take();
        assert_eq!(
            all[..6],
            [2, 4, 8, 16, 32, 0].map(|count| format!("SELECT cas_folders ×{count}"))
        );
        assert!(all[6..].iter().all(|line| line.starts_with("DELETE cas_folders")));
        assert_eq!(rows(&mut session, "cas_folders").await, 1);
        assert!(session.get(Folder, other).await?.is_some());
        Ok(())
    }

    async fn a_circle_of_rows_ends_the_cascade(db: TestDb) -> Result<()> {
        let (mut session, sent) = open(&db).await;
        let a = session.add(Folder::builder());
        let b = session.add(Folder::builder().parent(a));
        session.commit().await?;
        session.execute(sql("UPDATE cas_folders SET parent_id = 2 WHERE id = 1")).await?;
        session.commit().await?;
        let (a_id, b_id) = (session[a].id, session[b].id);
        assert_eq!((a_id, b_id), (1, 2));
        session.expunge_all();
        let b = session.get(Folder, b_id).await?.unwrap();
        sent.take();
        session.delete(b)?;
        // Both are found, once each; whether rows that refer to each other can go is the database's to say.
        let done = session.flush().await;
        assert_eq!(sent.take().iter().filter(|line| line.starts_with("SELECT")).count(), 2);
        if let Err(refused) = done {
            assert!(matches!(refused, Error::ForeignKeyViolation(_)), "{refused}");
        }
        Ok(())
    }

    async fn a_child_of_a_composite_key_goes_with_its_parent_or_without_it(db: TestDb) -> Result<()> {
        let (mut session, sent) = open(&db).await;
        let rooms = session.add_all([1, 2].map(|number| Room::builder().house(1).number(number)));
        let chairs: Vec<_> =
            rooms.iter().flat_map(|room| [*room; 2]).map(|room| session.add(Chair::builder().room(room))).collect();
        session.commit().await?;
        session.unlink(rooms[0], Room.chairs, chairs[0])?;
        session.commit().await?;
        assert!(gone(&session, chairs[0]));
        session.expunge_all();
        let rooms_now = session.all(select(Room)).await?;
        sent.take();
        rooms_now.iter().try_for_each(|room| session.delete(*room))?;
        session.commit().await?;
        assert_eq!(sent.take(), ["SELECT cas_chairs ×3", "DELETE cas_chairs ×3", "DELETE cas_rooms ×2"]);
        Ok(())
    }

    async fn a_one_to_one_that_is_replaced_leaves_no_orphan(db: TestDb) -> Result<()> {
        let (mut session, sent) = open(&db).await;
        let person = session.add(Person::builder());
        let old = session.add(Passport::builder().person(person));
        session.commit().await?;
        sent.take();
        let new = session.add(Passport::builder().person(person));
        session.commit().await?;
        assert_eq!(sent.take(), ["DELETE cas_passports ×1", "INSERT cas_passports ×1"]);
        assert_eq!((gone(&session, old), session[person].passport.get()), (true, Some(new)));
        // The same where nobody knows who has the place.
        session.expunge_all();
        let person = session.one(select(Person)).await?;
        let third = session.add(Passport::builder().person(person));
        sent.take();
        session.commit().await?;
        assert_eq!(
            sent.take(),
            ["SELECT cas_passports ×1", "DELETE cas_passports ×1", "INSERT cas_passports ×1"]
        );
        assert_eq!(session[person].passport.get(), Some(third));
        assert_eq!(rows(&mut session, "cas_passports").await, 1);
        Ok(())
    }

    async fn an_orphan_of_an_association_is_deleted_if_it_was_in_it(db: TestDb) -> Result<()> {
        let (mut session, sent) = open(&db).await;
        let songs = session.add_all((0..3).map(|_| Song::builder()));
        let list = session.add(Playlist::builder().songs(songs[..2].to_vec()));
        session.commit().await?;
        let ids: Vec<i64> = songs.iter().map(|song| session[*song].id).collect();
        session.unlink(list, Playlist.songs, songs[2])?;
        session.unlink(list, Playlist.songs, songs[0])?;
        sent.take();
        session.commit().await?;
        assert_eq!(sent.take(), ["DELETE cas_list_songs ×1", "DELETE cas_songs ×1"]);
        // Not loaded, it is asked whether they were there.
        session.expunge_all();
        let list = session.one(select(Playlist)).await?;
        for id in &ids[1..] {
            let song = session.get(Song, *id).await?.unwrap();
            session.unlink(list, Playlist.songs, song)?;
        }
        session.commit().await?;
        let left = session.all(select(Song)).await?;
        assert_eq!(left.iter().map(|song| session[*song].id).collect::<Vec<_>>(), [ids[2]]);
        Ok(())
    }

    async fn a_delete_over_an_association_takes_the_targets_along(db: TestDb) -> Result<()> {
        let (mut session, _) = open(&db).await;
        let songs = session.add_all((0..3).map(|_| Song::builder()));
        session.add(Playlist::builder().songs(songs));
        session.commit().await?;
        session.expunge_all();
        let list = session.one(select(Playlist)).await?;
        session.delete(list)?;
        session.commit().await?;
        for table in ["cas_lists", "cas_songs", "cas_list_songs"] {
            assert_eq!(rows(&mut session, table).await, 0, "{table}");
        }
        Ok(())
    }

    async fn a_pending_child_goes_with_a_deleted_parent(db: TestDb) -> Result<()> {
        let (mut session, _) = open(&db).await;
        let artist = artist(&mut session, 1, 0).await?;
        let new = session.add(album("new", artist));
        let track = session.add(Track::builder().title("new").album(new));
        session.delete(artist)?;
        session.commit().await?;
        assert_eq!((session.state(new)?, session.state(track)?), (State::Transient, State::Transient));
        assert_eq!(rows(&mut session, "cas_albums").await, 0);
        let again = session.add(Artist::builder().name("again"));
        session.link(again, Artist.albums, new)?;
        session.commit().await?;
        assert_eq!((rows(&mut session, "cas_albums").await, session[new].title.as_str()), (1, "new"));
        Ok(())
    }

    async fn a_persistent_child_of_a_pending_parent_that_is_given_up_stays(db: TestDb) -> Result<()> {
        let (mut session, sent) = open(&db).await;
        let topic = session.add(Topic::builder());
        let remark = session.add(Remark::builder().topic(topic));
        session.commit().await?;
        let pending = session.add(Topic::builder());
        session.link(pending, Topic.remarks, remark)?;
        // It has to be led back before the new parent can go.
        session.link(topic, Topic.remarks, remark)?;
        session.expunge(pending)?;
        sent.take();
        session.commit().await?;
        assert_eq!(sent.take(), Vec::<String>::new());
        assert_eq!(session.state(remark)?, State::Persistent);
        Ok(())
    }

    async fn a_failed_flush_takes_the_marks_back(db: TestDb) -> Result<()> {
        let (mut session, _) = open(&db).await;
        let artist = artist(&mut session, 2, 1).await?;
        let ada = session.add(Owner::builder().name("ada"));
        session.commit().await?;
        let albums: Vec<_> = session[artist].albums.handles().collect();
        let new = session.add(album("new", artist));
        session.delete(artist)?;
        // This is refused by the database, whatever the order.
        let twin = session.add(Owner::builder().id(session[ada].id).name("twin"));
        assert!(session.flush().await.is_err());
        assert_eq!(session.deleted(Artist).collect::<Vec<_>>(), [artist]);
        assert_eq!((session.deleted(Album).count(), session.deleted(Track).count()), (0, 0));
        assert_eq!((session.state(albums[0])?, session.state(new)?), (State::Persistent, State::Pending));
        assert_eq!(session[artist].albums.len(), 3);
        session.expunge(twin)?;
        session.add(artist);
        session.commit().await?;
        assert_eq!(rows(&mut session, "cas_albums").await, 3);
        Ok(())
    }

    async fn a_rollback_brings_back_what_a_cascade_deleted(db: TestDb) -> Result<()> {
        let (mut session, _) = open(&db).await;
        let artist = artist(&mut session, 2, 2).await?;
        let albums: Vec<_> = session[artist].albums.handles().collect();
        let mut nested = session.begin_nested().await?;
        nested.unlink(artist, Artist.albums, albums[0])?;
        nested.flush().await?;
        assert_eq!((nested.state(albums[0])?, nested[artist].albums.len()), (State::Deleted, 1));
        nested.rollback().await?;
        assert_eq!((session.state(albums[0])?, session[artist].albums.len()), (State::Persistent, 2));
        session.delete(artist)?;
        session.flush().await?;
        assert_eq!(session.state(albums[1])?, State::Deleted);
        session.rollback().await?;
        assert_eq!((session.state(artist)?, session.state(albums[1])?), (State::Persistent, State::Persistent));
        assert_eq!((session[artist].albums.len(), session[albums[0]].tracks.len()), (2, 2));
        session.delete(artist)?;
        session.commit().await?;
        assert_eq!(rows(&mut session, "cas_tracks").await, 0);
        Ok(())
    }

    async fn expunge_takes_along_what_the_cascade_reaches(db: TestDb) -> Result<()> {
        let (mut session, sent) = open(&db).await;
        let artist = artist(&mut session, 2, 1).await?;
        let album = session[artist].albums.handles().next().unwrap();
        let track = session[album].tracks.handles().next().unwrap();
        sent.take();
        let value = session.expunge(artist)?;
        assert_eq!(value.name, "artist");
        assert!(matches!(session.try_get(album), Err(Error::StaleHandle { .. })));
        assert!(matches!(session.try_get(track), Err(Error::StaleHandle { .. })));
        // Without the cascade the others stay.
        let ada = session.add(Owner::builder().name("ada"));
        let pet = session.add(Pet::builder().name("p").owner(ada));
        session.commit().await?;
        session.expunge(ada)?;
        assert_eq!(session[pet].name, "p");
        assert_eq!(rows(&mut session, "cas_tracks").await, 2);
        Ok(())
    }

    async fn expire_and_refresh_reach_what_the_cascade_reaches(db: TestDb) -> Result<()> {
        let (mut session, _) = open(&db).await;
        let artist = artist(&mut session, 1, 1).await?;
        let album = session[artist].albums.handles().next().unwrap();
        let track = session[album].tracks.handles().next().unwrap();
        session.execute(sql("UPDATE cas_tracks SET title = 'changed'")).await?;
        session.refresh(artist).await?;
        assert_eq!(session.fresh(track).await?.title, "changed");
        session.execute(sql("UPDATE cas_tracks SET title = 'again'")).await?;
        session.load(artist, Artist.albums.with(Album.tracks)).await?;
        session.expire(artist)?;
        assert!(matches!(session.try_get(album), Err(Error::Expired { .. })));
        assert_eq!(session.fresh(track).await?.title, "again");
        Ok(())
    }

    async fn a_child_that_was_moved_by_its_key_column_stays(db: TestDb) -> Result<()> {
        let (mut session, _) = open(&db).await;
        let (ada, bob) = (artist(&mut session, 2, 1).await?, artist(&mut session, 0, 0).await?);
        let albums: Vec<_> = session[ada].albums.handles().collect();
        session[albums[0]].artist_id = session[bob].id;
        session.delete(ada)?;
        session.commit().await?;
        assert_eq!((session.state(albums[0])?, gone(&session, albums[1])), (State::Persistent, true));
        assert_eq!(session[bob].albums.handles().collect::<Vec<_>>(), [albums[0]]);
        assert_eq!((rows(&mut session, "cas_albums").await, rows(&mut session, "cas_tracks").await), (1, 1));
        Ok(())
    }

    /// The collection still holds it. SQLAlchemy deletes it.
    async fn a_child_that_others_moved_meanwhile_stays_once_it_was_read_again(db: TestDb) -> Result<()> {
        let (mut session, _) = open(&db).await;
        let (ada, bob) = (artist(&mut session, 2, 0).await?, artist(&mut session, 0, 0).await?);
        let albums: Vec<_> = session[ada].albums.handles().collect();
        let moved = limbeck::sql::trusted(format!("UPDATE cas_albums SET artist_id = {} WHERE id = {}",
            session[bob].id, session[albums[0]].id));
        session.execute(moved).await?;
        session.commit().await?;
        session.refresh(albums[0]).await?;
        assert!(session[ada].albums.contains(albums[0]));
        session.delete(ada)?;
        session.commit().await?;
        assert_eq!((session.state(albums[0])?, gone(&session, albums[1])), (State::Persistent, true));
        assert_eq!(rows(&mut session, "cas_albums").await, 1);
        Ok(())
    }
}
