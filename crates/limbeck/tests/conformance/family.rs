//! Parents and children, each pair with another cascade; and what is sent for them, in short.

use std::sync::{Arc, Mutex};

use limbeck::metadata;
use limbeck::prelude::*;
use limbeck::session::Session;
use limbeck_test_support::TestDb;

/// No cascade beyond the default, and a key that can be NULL.
#[derive(Model, Debug)]
#[model(table = "cas_owners")]
pub struct Owner {
    #[column(primary_key)]
    pub id: i64,
    pub name: String,
    #[relationship(back_populates = owner)]
    pub pets: HasMany<Pet>,
}

#[derive(Model, Debug)]
#[model(table = "cas_pets")]
pub struct Pet {
    #[column(primary_key)]
    pub id: i64,
    pub name: String,
    #[column(foreign_key(Owner.id))]
    pub owner_id: Option<i64>,
    #[relationship(back_populates = pets)]
    pub owner: BelongsTo<Option<Owner>>,
}

/// Everything of an artist goes with them, two levels deep, over keys that cannot be NULL.
#[derive(Model, Debug)]
#[model(table = "cas_artists")]
pub struct Artist {
    #[column(primary_key)]
    pub id: i64,
    pub name: String,
    #[relationship(back_populates = artist, cascade = "all, delete-orphan")]
    pub albums: HasMany<Album>,
}

#[derive(Model, Debug)]
#[model(table = "cas_albums")]
pub struct Album {
    #[column(primary_key)]
    pub id: i64,
    pub title: String,
    #[column(foreign_key(Artist.id))]
    pub artist_id: i64,
    #[relationship(back_populates = albums)]
    pub artist: BelongsTo<Artist>,
    #[relationship(back_populates = album, cascade(all, delete_orphan))]
    pub tracks: HasMany<Track>,
}

#[derive(Model, Debug)]
#[model(table = "cas_tracks")]
pub struct Track {
    #[column(primary_key)]
    pub id: i64,
    pub title: String,
    #[column(foreign_key(Album.id))]
    pub album_id: i64,
    #[relationship(back_populates = tracks)]
    pub album: BelongsTo<Album>,
}

/// `delete` without `delete-orphan`.
#[derive(Model, Debug)]
#[model(table = "cas_teams")]
pub struct Team {
    #[column(primary_key)]
    pub id: i64,
    #[relationship(back_populates = team, cascade(all))]
    pub players: HasMany<Player>,
}

#[derive(Model, Debug)]
#[model(table = "cas_players")]
pub struct Player {
    #[column(primary_key)]
    pub id: i64,
    #[column(foreign_key(Team.id))]
    pub team_id: Option<i64>,
    #[relationship(back_populates = players)]
    pub team: BelongsTo<Option<Team>>,
}

/// A tree that goes with its root.
#[derive(Model, Debug)]
#[model(table = "cas_folders")]
pub struct Folder {
    #[column(primary_key)]
    pub id: i64,
    #[column(foreign_key(Folder.id))]
    pub parent_id: Option<i64>,
    #[relationship(back_populates = children, key = parent_id)]
    pub parent: BelongsTo<Option<Folder>>,
    #[relationship(back_populates = parent, cascade(all, delete_orphan))]
    pub children: HasMany<Folder>,
}

/// What is not loaded is the database's.
#[derive(Model, Debug)]
#[model(table = "cas_depots")]
pub struct Depot {
    #[column(primary_key)]
    pub id: i64,
    #[relationship(back_populates = depot, cascade(all, delete_orphan), passive_deletes)]
    pub boxes: HasMany<Carton>,
    #[relationship(back_populates = depot, passive_deletes)]
    pub carts: HasMany<Cart>,
    #[relationship(back_populates = depot, passive_deletes = "all")]
    pub signs: HasMany<Sign>,
}

#[derive(Model, Debug)]
#[model(table = "cas_boxes")]
pub struct Carton {
    #[column(primary_key)]
    pub id: i64,
    #[column(foreign_key(Depot.id, on_delete = cascade))]
    pub depot_id: i64,
    #[relationship(back_populates = boxes)]
    pub depot: BelongsTo<Depot>,
}

#[derive(Model, Debug)]
#[model(table = "cas_carts")]
pub struct Cart {
    #[column(primary_key)]
    pub id: i64,
    #[column(foreign_key(Depot.id))]
    pub depot_id: Option<i64>,
    #[relationship(back_populates = carts)]
    pub depot: BelongsTo<Option<Depot>>,
}

#[derive(Model, Debug)]
#[model(table = "cas_signs")]
pub struct Sign {
    #[column(primary_key)]
    pub id: i64,
    #[column(foreign_key(Depot.id))]
    pub depot_id: Option<i64>,
    #[relationship(back_populates = signs)]
    pub depot: BelongsTo<Option<Depot>>,
}

/// One passport a person, which is nothing without them.
#[derive(Model, Debug)]
#[model(table = "cas_people")]
pub struct Person {
    #[column(primary_key)]
    pub id: i64,
    #[relationship(back_populates = person, cascade(all, delete_orphan))]
    pub passport: HasOne<Passport>,
}

#[derive(Model, Debug)]
#[model(table = "cas_passports")]
pub struct Passport {
    #[column(primary_key)]
    pub id: i64,
    #[column(unique, foreign_key(Person.id))]
    pub person_id: i64,
    #[relationship(back_populates = passport)]
    pub person: BelongsTo<Person>,
}

/// The key is on the side of the parent.
#[derive(Model, Debug)]
#[model(table = "cas_parties")]
pub struct Party {
    #[column(primary_key)]
    pub id: i64,
    #[column(unique, foreign_key(Venue.id))]
    pub venue_id: Option<i64>,
    #[relationship(back_populates = party, cascade = "all, delete-orphan", single_parent)]
    pub venue: BelongsTo<Option<Venue>>,
}

#[derive(Model, Debug)]
#[model(table = "cas_venues")]
pub struct Venue {
    #[column(primary_key)]
    pub id: i64,
    #[relationship(back_populates = venue)]
    pub party: HasOne<Party>,
}

/// Over an association table.
#[derive(Model, Debug)]
#[model(table = "cas_lists")]
pub struct Playlist {
    #[column(primary_key)]
    pub id: i64,
    #[relationship(secondary = "cas_list_songs", back_populates = lists, cascade(all, delete_orphan), single_parent)]
    pub songs: ManyToMany<Song>,
    #[relationship(secondary = "cas_list_labels", back_populates = lists)]
    pub labels: ManyToMany<Label>,
}

#[derive(Model, Debug)]
#[model(table = "cas_songs")]
pub struct Song {
    #[column(primary_key)]
    pub id: i64,
    #[relationship(secondary = "cas_list_songs", back_populates = songs)]
    pub lists: ManyToMany<Playlist>,
}

#[derive(Model, Debug)]
#[model(table = "cas_labels")]
pub struct Label {
    #[column(primary_key)]
    pub id: i64,
    pub name: String,
    #[relationship(secondary = "cas_list_labels", back_populates = labels)]
    pub lists: ManyToMany<Playlist>,
}

/// A key of two columns.
#[derive(Model, Debug)]
#[model(table = "cas_rooms")]
pub struct Room {
    #[column(primary_key)]
    pub house: i64,
    #[column(primary_key)]
    pub number: i64,
    #[relationship(back_populates = room, cascade(all, delete_orphan))]
    pub chairs: HasMany<Chair>,
}

#[derive(Model, Debug)]
#[model(table = "cas_chairs", foreign_key((house, room_number), Room(house, number)))]
pub struct Chair {
    #[column(primary_key)]
    pub id: i64,
    pub house: i64,
    pub room_number: i64,
    #[relationship(back_populates = chairs)]
    pub room: BelongsTo<Room>,
}

/// The child's key is its parent's.
#[derive(Model, Debug)]
#[model(table = "cas_accounts")]
pub struct Account {
    #[column(primary_key)]
    pub id: i64,
    #[relationship(back_populates = account, cascade(all))]
    pub settings: HasOne<Settings>,
    #[relationship(back_populates = account)]
    pub photo: HasOne<Photo>,
}

#[derive(Model, Debug)]
#[model(table = "cas_settings")]
pub struct Settings {
    #[column(primary_key, foreign_key(Account.id))]
    pub account_id: i64,
    #[relationship(back_populates = settings)]
    pub account: BelongsTo<Account>,
}

#[derive(Model, Debug)]
#[model(table = "cas_photos")]
pub struct Photo {
    #[column(primary_key, foreign_key(Account.id))]
    pub account_id: i64,
    #[relationship(back_populates = photo)]
    pub account: BelongsTo<Account>,
}

/// Two parents, and an orphan without either; and one that is not added with its child.
#[derive(Model, Debug)]
#[model(table = "cas_topics")]
pub struct Topic {
    #[column(primary_key)]
    pub id: i64,
    #[relationship(back_populates = topic, cascade(all, delete_orphan))]
    pub remarks: HasMany<Remark>,
}

#[derive(Model, Debug)]
#[model(table = "cas_critics")]
pub struct Critic {
    #[column(primary_key)]
    pub id: i64,
    #[relationship(back_populates = critic, cascade(all, delete_orphan))]
    pub remarks: HasMany<Remark>,
}

#[derive(Model, Debug)]
#[model(table = "cas_remarks")]
pub struct Remark {
    #[column(primary_key)]
    pub id: i64,
    #[column(foreign_key(Topic.id))]
    pub topic_id: Option<i64>,
    #[relationship(back_populates = remarks)]
    pub topic: BelongsTo<Option<Topic>>,
    #[column(foreign_key(Critic.id))]
    pub critic_id: Option<i64>,
    #[relationship(back_populates = remarks)]
    pub critic: BelongsTo<Option<Critic>>,
    #[column(foreign_key(Owner.id))]
    pub owner_id: Option<i64>,
    #[relationship(cascade(none))]
    pub owner: BelongsTo<Option<Owner>>,
}

/// What was sent, a line a statement: `DELETE cas_pets ×2`. `UPDATE` names what it sets. Transactions are left out.
#[derive(Clone, Default)]
pub struct Sent(Arc<Mutex<Vec<String>>>);

impl Sent {
    pub fn take(&self) -> Vec<String> {
        std::mem::take(&mut *self.0.lock().expect("the log"))
    }
}

/// `   0.123 ms      2 rows  DELETE FROM "a" WHERE …` → `DELETE a ×2`
fn short(line: &str) -> Option<String> {
    let (head, text) = line.split_once(" rows  ")?;
    let rows = head.split_whitespace().last()?;
    let text = text.replace('"', "");
    let words: Vec<&str> = text.split_whitespace().collect();
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
pub async fn open(db: &TestDb) -> (Session, Sent) {
    let sent = Sent::default();
    let log = sent.clone();
    let engine = Engine::builder(db.url())
        .echo_to(move |line| log.0.lock().expect("the log").extend(short(line)))
        .connect()
        .await
        .expect("the test's database");
    let models = metadata![
        Owner, Pet, Artist, Album, Track, Team, Player, Folder, Depot, Carton, Cart, Sign, Person, Passport, Party,
        Venue, Playlist, Song, Label, Room, Chair, Account, Settings, Photo, Topic, Critic, Remark
    ];
    engine.create_all(&models.expect("metadata")).await.expect("tables");
    sent.take();
    (engine.sessionmaker().open(), sent)
}

/// How many rows a table has.
pub async fn rows(session: &mut Session, table: &str) -> i64 {
    let counted = session.one(limbeck::sql::trusted(format!("SELECT count(*) FROM {table}")).rows::<i64>()).await;
    counted.expect("a count")
}
