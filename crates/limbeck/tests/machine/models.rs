//! The models: each kind of relationship, key and column that a flush has to think of.

use std::sync::atomic::{AtomicI64, Ordering};

use limbeck::prelude::*;

/// A value that is never the same twice, so that each UPDATE that applies `on_update` can be told.
pub fn tick() -> i64 {
    static NEXT: AtomicI64 = AtomicI64::new(1);
    NEXT.fetch_add(1, Ordering::Relaxed)
}

/// What most others belong to; people have bosses among themselves.
#[derive(Model, Debug)]
#[model(table = "people")]
pub struct Person {
    #[column(primary_key)]
    pub id: i64,
    /// Which row of the reference it is. Every table has one; it never changes.
    pub label: i64,
    #[column(unique)]
    pub email: String,
    #[column(unique)]
    pub nick: Option<String>,
    pub note: Option<String>,
    #[column(server_default = "5")]
    pub points: i32,
    #[column(computed("points * 2", stored))]
    pub double: i32,
    #[column(default = tick(), on_update = tick())]
    pub tick: i64,
    #[column(foreign_key(Person.id))]
    pub boss_id: Option<i64>,
    #[relationship(back_populates = reports)]
    pub boss: BelongsTo<Option<Person>>,
    #[relationship(back_populates = boss)]
    pub reports: HasMany<Person>,
    #[relationship(back_populates = person)]
    pub profile: HasOne<Profile>,
    #[relationship(back_populates = person)]
    pub passport: HasOne<Passport>,
    #[relationship(back_populates = person)]
    pub tasks: HasMany<Task>,
    #[relationship(back_populates = person)]
    pub pins: HasMany<Pin>,
    #[relationship(back_populates = person)]
    pub badges: HasMany<Badge>,
    #[relationship(back_populates = person)]
    pub docs: HasMany<Doc>,
}

/// One-to-one over a key that can be NULL: the flush sets it to NULL when the person goes.
#[derive(Model, Debug)]
#[model(table = "profiles")]
pub struct Profile {
    #[column(primary_key)]
    pub id: i64,
    pub label: i64,
    pub note: Option<String>,
    #[column(unique, foreign_key(Person.id))]
    pub person_id: Option<i64>,
    #[relationship(back_populates = profile)]
    pub person: BelongsTo<Option<Person>>,
}

/// One-to-one over a key that cannot be NULL: it goes with the person.
#[derive(Model, Debug)]
#[model(table = "passports")]
pub struct Passport {
    #[column(primary_key)]
    pub id: i64,
    pub label: i64,
    pub note: Option<String>,
    #[column(unique, foreign_key(Person.id, on_delete = cascade))]
    pub person_id: i64,
    #[relationship(back_populates = passport)]
    pub person: BelongsTo<Person>,
}

/// It goes with its person, and perhaps is in a room, whose key has two columns.
#[derive(Model, Debug)]
#[model(table = "tasks", foreign_key((room_code, room_floor), Room(code, floor)))]
pub struct Task {
    #[column(primary_key)]
    pub id: i64,
    pub label: i64,
    pub title: String,
    #[column(default = tick(), on_update = tick())]
    pub tick: i64,
    #[column(foreign_key(Person.id, on_delete = cascade))]
    pub person_id: i64,
    pub room_code: Option<String>,
    pub room_floor: Option<i32>,
    #[relationship(back_populates = tasks)]
    pub person: BelongsTo<Person>,
    #[relationship(back_populates = tasks)]
    pub room: BelongsTo<Option<Room>>,
    #[relationship(secondary = "task_tags", back_populates = tasks)]
    pub tags: ManyToMany<Tag>,
}

/// Its name, which cannot be NULL, is unique.
#[derive(Model, Debug)]
#[model(table = "tags")]
pub struct Tag {
    #[column(primary_key)]
    pub id: i64,
    pub label: i64,
    #[column(unique)]
    pub name: String,
    #[relationship(secondary = "task_tags", back_populates = tags)]
    pub tasks: ManyToMany<Task>,
}

/// A key of two columns that the program gives.
#[derive(Model, Debug)]
#[model(table = "rooms")]
pub struct Room {
    #[column(primary_key)]
    pub code: String,
    #[column(primary_key)]
    pub floor: i32,
    pub label: i64,
    #[relationship(back_populates = room)]
    pub tasks: HasMany<Task>,
}

/// It keeps its person from being deleted.
#[derive(Model, Debug)]
#[model(table = "pins")]
pub struct Pin {
    #[column(primary_key)]
    pub id: i64,
    pub label: i64,
    pub note: Option<String>,
    #[column(foreign_key(Person.id))]
    pub person_id: i64,
    #[relationship(back_populates = pins)]
    pub person: BelongsTo<Person>,
}

/// A key that means something, and that the program changes; the database sets its person to NULL.
#[derive(Model, Debug)]
#[model(table = "badges")]
pub struct Badge {
    #[column(primary_key)]
    pub code: String,
    pub label: i64,
    pub note: Option<String>,
    #[column(foreign_key(Person.id, on_delete = set_null))]
    pub person_id: Option<i64>,
    #[relationship(back_populates = badges)]
    pub person: BelongsTo<Option<Person>>,
}

/// It is changed only as it was read, and what belongs to it does not outlive it.
#[derive(Model, Debug)]
#[model(table = "docs")]
pub struct Doc {
    #[column(primary_key)]
    pub id: i64,
    pub label: i64,
    pub title: String,
    pub hits: i32,
    pub note: Option<String>,
    #[column(version)]
    pub version: i64,
    #[column(foreign_key(Person.id))]
    pub person_id: Option<i64>,
    #[relationship(back_populates = docs)]
    pub person: BelongsTo<Option<Person>>,
    #[relationship(back_populates = doc, cascade(save_update, merge, delete, delete_orphan))]
    pub pages: HasMany<Page>,
    #[relationship(back_populates = doc, cascade(save_update, merge, delete, delete_orphan))]
    pub cover: HasOne<Cover>,
}

/// An orphan without its document.
#[derive(Model, Debug)]
#[model(table = "pages")]
pub struct Page {
    #[column(primary_key)]
    pub id: i64,
    pub label: i64,
    pub note: Option<String>,
    #[column(foreign_key(Doc.id))]
    pub doc_id: i64,
    #[relationship(back_populates = pages)]
    pub doc: BelongsTo<Doc>,
    #[relationship(back_populates = page, cascade(save_update, merge, delete))]
    pub marks: HasMany<Mark>,
}

/// An orphan without its document, of which each has one at most.
#[derive(Model, Debug)]
#[model(table = "covers")]
pub struct Cover {
    #[column(primary_key)]
    pub id: i64,
    pub label: i64,
    pub note: Option<String>,
    #[column(unique, foreign_key(Doc.id))]
    pub doc_id: i64,
    #[relationship(back_populates = cover)]
    pub doc: BelongsTo<Doc>,
}

/// It is deleted with its page, and can be without one.
#[derive(Model, Debug)]
#[model(table = "marks")]
pub struct Mark {
    #[column(primary_key)]
    pub id: i64,
    pub label: i64,
    pub note: Option<String>,
    #[column(foreign_key(Page.id))]
    pub page_id: Option<i64>,
    #[relationship(back_populates = marks)]
    pub page: BelongsTo<Option<Page>>,
}
