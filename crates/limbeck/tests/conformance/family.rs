//! Parents and children, each pair with another cascade; and what is sent for them, in short.

use limbeck::prelude::*;
use limbeck::session::{Session, State};
use limbeck::{Error, metadata};
use limbeck_test_support::TestDb;

use super::sent::{Sent, sessions_with};

/// No cascade beyond the default, and a key that can be NULL.
#[derive(Model, Debug)]
#[model(table = "cas_owners")]
pub(crate) struct Owner {
    #[column(primary_key)]
    pub(crate) id: i64,
    pub(crate) name: String,
    #[relationship(back_populates = owner)]
    pub(crate) pets: HasMany<Pet>,
}

#[derive(Model, Debug)]
#[model(table = "cas_pets")]
pub(crate) struct Pet {
    #[column(primary_key)]
    pub(crate) id: i64,
    pub(crate) name: String,
    #[column(foreign_key(Owner.id))]
    pub(crate) owner_id: Option<i64>,
    #[relationship(back_populates = pets)]
    pub(crate) owner: BelongsTo<Option<Owner>>,
}

/// Everything of an artist goes with them, two levels deep, over keys that cannot be NULL.
#[derive(Model, Debug)]
#[model(table = "cas_artists")]
pub(crate) struct Artist {
    #[column(primary_key)]
    pub(crate) id: i64,
    pub(crate) name: String,
    #[relationship(back_populates = artist, cascade = "all, delete-orphan")]
    pub(crate) albums: HasMany<Album>,
}

#[derive(Model, Debug)]
#[model(table = "cas_albums")]
pub(crate) struct Album {
    #[column(primary_key)]
    pub(crate) id: i64,
    pub(crate) title: String,
    #[column(foreign_key(Artist.id))]
    pub(crate) artist_id: i64,
    #[relationship(back_populates = albums)]
    pub(crate) artist: BelongsTo<Artist>,
    #[relationship(back_populates = album, cascade(all, delete_orphan))]
    pub(crate) tracks: HasMany<Track>,
}

#[derive(Model, Debug)]
#[model(table = "cas_tracks")]
pub(crate) struct Track {
    #[column(primary_key)]
    pub(crate) id: i64,
    pub(crate) title: String,
    #[column(foreign_key(Album.id))]
    pub(crate) album_id: i64,
    #[relationship(back_populates = tracks)]
    pub(crate) album: BelongsTo<Album>,
}

/// `delete` without `delete-orphan`.
#[derive(Model, Debug)]
#[model(table = "cas_teams")]
pub(crate) struct Team {
    #[column(primary_key)]
    pub(crate) id: i64,
    #[relationship(back_populates = team, cascade(all))]
    pub(crate) players: HasMany<Player>,
}

#[derive(Model, Debug)]
#[model(table = "cas_players")]
pub(crate) struct Player {
    #[column(primary_key)]
    pub(crate) id: i64,
    #[column(foreign_key(Team.id))]
    pub(crate) team_id: Option<i64>,
    #[relationship(back_populates = players)]
    pub(crate) team: BelongsTo<Option<Team>>,
}

/// A tree that goes with its root.
#[derive(Model, Debug)]
#[model(table = "cas_folders")]
pub(crate) struct Folder {
    #[column(primary_key)]
    pub(crate) id: i64,
    #[column(foreign_key(Folder.id))]
    pub(crate) parent_id: Option<i64>,
    #[relationship(back_populates = children, key = parent_id)]
    pub(crate) parent: BelongsTo<Option<Folder>>,
    #[relationship(back_populates = parent, cascade(all, delete_orphan))]
    pub(crate) children: HasMany<Folder>,
}

/// What is not loaded is the database's.
#[derive(Model, Debug)]
#[model(table = "cas_depots")]
pub(crate) struct Depot {
    #[column(primary_key)]
    pub(crate) id: i64,
    #[relationship(back_populates = depot, cascade(all, delete_orphan), passive_deletes)]
    pub(crate) boxes: HasMany<Carton>,
    #[relationship(back_populates = depot, passive_deletes)]
    pub(crate) carts: HasMany<Cart>,
    #[relationship(back_populates = depot, passive_deletes = "all")]
    pub(crate) signs: HasMany<Sign>,
}

#[derive(Model, Debug)]
#[model(table = "cas_boxes")]
pub(crate) struct Carton {
    #[column(primary_key)]
    pub(crate) id: i64,
    #[column(foreign_key(Depot.id, on_delete = cascade))]
    pub(crate) depot_id: i64,
    #[relationship(back_populates = boxes)]
    pub(crate) depot: BelongsTo<Depot>,
}

#[derive(Model, Debug)]
#[model(table = "cas_carts")]
pub(crate) struct Cart {
    #[column(primary_key)]
    pub(crate) id: i64,
    #[column(foreign_key(Depot.id))]
    pub(crate) depot_id: Option<i64>,
    #[relationship(back_populates = carts)]
    pub(crate) depot: BelongsTo<Option<Depot>>,
}

#[derive(Model, Debug)]
#[model(table = "cas_signs")]
pub(crate) struct Sign {
    #[column(primary_key)]
    pub(crate) id: i64,
    #[column(foreign_key(Depot.id))]
    pub(crate) depot_id: Option<i64>,
    #[relationship(back_populates = signs)]
    pub(crate) depot: BelongsTo<Option<Depot>>,
}

/// One passport a person, which is nothing without them.
#[derive(Model, Debug)]
#[model(table = "cas_people")]
pub(crate) struct Person {
    #[column(primary_key)]
    pub(crate) id: i64,
    #[relationship(back_populates = person, cascade(all, delete_orphan))]
    pub(crate) passport: HasOne<Passport>,
}

#[derive(Model, Debug)]
#[model(table = "cas_passports")]
pub(crate) struct Passport {
    #[column(primary_key)]
    pub(crate) id: i64,
    #[column(unique, foreign_key(Person.id))]
    pub(crate) person_id: i64,
    #[relationship(back_populates = passport)]
    pub(crate) person: BelongsTo<Person>,
}

/// The key is on the side of the parent.
#[derive(Model, Debug)]
#[model(table = "cas_parties")]
pub(crate) struct Party {
    #[column(primary_key)]
    pub(crate) id: i64,
    #[column(unique, foreign_key(Venue.id))]
    pub(crate) venue_id: Option<i64>,
    #[relationship(back_populates = party, cascade = "all, delete-orphan", single_parent)]
    pub(crate) venue: BelongsTo<Option<Venue>>,
}

#[derive(Model, Debug)]
#[model(table = "cas_venues")]
pub(crate) struct Venue {
    #[column(primary_key)]
    pub(crate) id: i64,
    #[relationship(back_populates = venue)]
    pub(crate) party: HasOne<Party>,
}

/// Over an association table.
#[derive(Model, Debug)]
#[model(table = "cas_lists")]
pub(crate) struct Playlist {
    #[column(primary_key)]
    pub(crate) id: i64,
    #[relationship(secondary = "cas_list_songs", back_populates = lists, cascade(all, delete_orphan), single_parent)]
    pub(crate) songs: ManyToMany<Song>,
    #[relationship(secondary = "cas_list_labels", back_populates = lists)]
    pub(crate) labels: ManyToMany<Label>,
}

#[derive(Model, Debug)]
#[model(table = "cas_songs")]
pub(crate) struct Song {
    #[column(primary_key)]
    pub(crate) id: i64,
    #[relationship(secondary = "cas_list_songs", back_populates = songs)]
    pub(crate) lists: ManyToMany<Playlist>,
}

#[derive(Model, Debug)]
#[model(table = "cas_labels")]
pub(crate) struct Label {
    #[column(primary_key)]
    pub(crate) id: i64,
    pub(crate) name: String,
    #[relationship(secondary = "cas_list_labels", back_populates = labels)]
    pub(crate) lists: ManyToMany<Playlist>,
}

/// A key of two columns.
#[derive(Model, Debug)]
#[model(table = "cas_rooms")]
pub(crate) struct Room {
    #[column(primary_key)]
    pub(crate) house: i64,
    #[column(primary_key)]
    pub(crate) number: i64,
    #[relationship(back_populates = room, cascade(all, delete_orphan))]
    pub(crate) chairs: HasMany<Chair>,
}

#[derive(Model, Debug)]
#[model(table = "cas_chairs", foreign_key((house, room_number), Room(house, number)))]
pub(crate) struct Chair {
    #[column(primary_key)]
    pub(crate) id: i64,
    pub(crate) house: i64,
    pub(crate) room_number: i64,
    #[relationship(back_populates = chairs)]
    pub(crate) room: BelongsTo<Room>,
}

/// The child's key is its parent's.
#[derive(Model, Debug)]
#[model(table = "cas_accounts")]
pub(crate) struct Account {
    #[column(primary_key)]
    pub(crate) id: i64,
    #[relationship(back_populates = account, cascade(all))]
    pub(crate) settings: HasOne<Settings>,
    #[relationship(back_populates = account)]
    pub(crate) photo: HasOne<Photo>,
}

#[derive(Model, Debug)]
#[model(table = "cas_settings")]
pub(crate) struct Settings {
    #[column(primary_key, foreign_key(Account.id))]
    pub(crate) account_id: i64,
    #[relationship(back_populates = settings)]
    pub(crate) account: BelongsTo<Account>,
}

#[derive(Model, Debug)]
#[model(table = "cas_photos")]
pub(crate) struct Photo {
    #[column(primary_key, foreign_key(Account.id))]
    pub(crate) account_id: i64,
    #[relationship(back_populates = photo)]
    pub(crate) account: BelongsTo<Account>,
}

/// Two parents, and an orphan without either; and one that is not added with its child.
#[derive(Model, Debug)]
#[model(table = "cas_topics")]
pub(crate) struct Topic {
    #[column(primary_key)]
    pub(crate) id: i64,
    #[relationship(back_populates = topic, cascade(all, delete_orphan))]
    pub(crate) remarks: HasMany<Remark>,
}

#[derive(Model, Debug)]
#[model(table = "cas_critics")]
pub(crate) struct Critic {
    #[column(primary_key)]
    pub(crate) id: i64,
    #[relationship(back_populates = critic, cascade(all, delete_orphan))]
    pub(crate) remarks: HasMany<Remark>,
}

#[derive(Model, Debug)]
#[model(table = "cas_remarks")]
pub(crate) struct Remark {
    #[column(primary_key)]
    pub(crate) id: i64,
    #[column(foreign_key(Topic.id))]
    pub(crate) topic_id: Option<i64>,
    #[relationship(back_populates = remarks)]
    pub(crate) topic: BelongsTo<Option<Topic>>,
    #[column(foreign_key(Critic.id))]
    pub(crate) critic_id: Option<i64>,
    #[relationship(back_populates = remarks)]
    pub(crate) critic: BelongsTo<Option<Critic>>,
    #[column(foreign_key(Owner.id))]
    pub(crate) owner_id: Option<i64>,
    #[relationship(cascade(none))]
    pub(crate) owner: BelongsTo<Option<Owner>>,
}

/// A line a statement: `DELETE cas_pets ×2`. `UPDATE` names what it sets. Transactions are left out.
fn short(rows: &str, sql: &str) -> Option<String> {
    let words: Vec<&str> = sql.split_whitespace().collect();
    let after = |word: &str| words.iter().position(|w| *w == word).and_then(|at| words.get(at + 1)).copied();
    let said = match *words.first()? {
        "SELECT" => format!("SELECT {}", after("FROM")?),
        "INSERT" => format!("INSERT {}", after("INTO")?),
        "DELETE" => format!("DELETE {}", after("FROM")?),
        "UPDATE" => format!("UPDATE {} SET {}", words.get(1)?, after("SET")?),
        _ => return None,
    };
    Some(format!("{said} ×{rows}"))
}

/// A session over a fresh database, and what it sends.
pub(crate) async fn open(db: &TestDb) -> (Session, Sent) {
    let models = metadata![
        Owner, Pet, Artist, Album, Track, Team, Player, Folder, Depot, Carton, Cart, Sign, Person, Passport, Party,
        Venue, Playlist, Song, Label, Room, Chair, Account, Settings, Photo, Topic, Critic, Remark
    ];
    let (sessions, sent) = sessions_with(db, models.expect("metadata"), short).await;
    (sessions.open(), sent)
}

/// How many rows a table has.
pub(crate) async fn rows(session: &mut Session, table: &str) -> i64 {
    let counted = session.one(limbeck::sql::trusted(format!("SELECT count(*) FROM {table}")).rows::<i64>()).await;
    counted.expect("a count")
}

/// Whether an object's row was deleted: its handle fits until the commit.
pub(crate) fn gone<M: Model>(session: &Session, object: Tracked<M>) -> bool {
    matches!(session.state(object), Ok(State::Deleted) | Err(Error::StaleHandle { .. }))
}
