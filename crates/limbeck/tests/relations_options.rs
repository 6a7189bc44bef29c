//! What `#[relationship(…)]` says of lives and order reaches the model's definition.

use limbeck::model::{Cascade, Model, OrderDef, PassiveDeletes, RelationOptions};
use limbeck::prelude::*;

#[derive(Embed, Debug, Clone, PartialEq)]
struct Stamps {
    made: i64,
}

#[derive(Model, Debug)]
struct Author {
    #[column(primary_key)]
    id: i64,
    #[relationship(key = author_id)]
    plain: HasMany<Book>,
    #[relationship(key = author_id, cascade(all, delete_orphan), passive_deletes, order_by = title, post_update)]
    listed: HasMany<Book>,
    #[relationship(key = author_id, cascade = "all, delete-orphan", order_by(desc(stamps.made), asc(id)))]
    quoted: HasMany<Book>,
    #[relationship(key = author_id, cascade(none), passive_deletes = "all", order_by = (title, desc(id)))]
    nothing: HasMany<Book>,
}

#[derive(Model, Debug)]
struct Book {
    #[column(primary_key)]
    id: i64,
    title: String,
    #[model(embed)]
    stamps: Stamps,
    #[column(foreign_key(Author.id))]
    author_id: i64,
    #[relationship(cascade = "save-update, delete, delete-orphan", single_parent, post_update)]
    author: BelongsTo<Author>,
    #[relationship(key = author_id, cascade(refresh_expire, expunge), passive_deletes = false)]
    second: BelongsTo<Author>,
}

fn options<M: Model>(field: &str) -> RelationOptions {
    let relations = M::def().relations;
    relations.iter().find(|relation| relation.field == field).expect("a field").options
}

#[test]
fn a_relationship_that_says_nothing_has_the_default_cascade() {
    let plain = options::<Author>("plain");
    assert_eq!(plain.cascade, Cascade::SAVE_UPDATE.union(Cascade::MERGE));
    assert_eq!(plain.passive_deletes, PassiveDeletes::No);
    assert!(plain.order_by.is_empty() && !plain.post_update && !plain.single_parent);
}

#[test]
fn a_cascade_is_written_as_words_or_as_sqlalchemy_writes_it() {
    let whole = Cascade::ALL.union(Cascade::DELETE_ORPHAN);
    assert_eq!(options::<Author>("listed").cascade, whole);
    assert_eq!(options::<Author>("quoted").cascade, whole);
    assert_eq!(options::<Author>("nothing").cascade, Cascade::NONE);
    assert_eq!(options::<Book>("author").cascade.to_string(), "save-update, delete, delete-orphan");
    assert_eq!(options::<Book>("second").cascade, Cascade::REFRESH_EXPIRE.union(Cascade::EXPUNGE));
}

#[test]
fn flags_are_said_or_not() {
    let (listed, nothing, author) =
        (options::<Author>("listed"), options::<Author>("nothing"), options::<Book>("author"));
    assert_eq!(listed.passive_deletes, PassiveDeletes::Yes);
    assert_eq!(nothing.passive_deletes, PassiveDeletes::All);
    assert_eq!(options::<Book>("second").passive_deletes, PassiveDeletes::No);
    assert!(listed.post_update && author.post_update && !nothing.post_update);
    assert!(author.single_parent && !listed.single_parent);
}

#[test]
fn an_order_names_fields_of_the_other_model() {
    let order = |field, descending| OrderDef { field, descending };
    assert_eq!(options::<Author>("listed").order_by, [order("title", false)]);
    assert_eq!(options::<Author>("quoted").order_by, [order("stamps.made", true), order("id", false)]);
    assert_eq!(options::<Author>("nothing").order_by, [order("title", false), order("id", true)]);
}
