use super::*;
use crate::dialect::{Dialect, ddl};
use crate::model::{ColumnDef, ForeignKeyDef, ModelId, RelationKind};
use crate::schema::{SqlType, association};

const PLAIN: ColumnDef = ColumnDef {
    field: "id",
    name: "id",
    sql_type: &SqlType::BigInteger,
    nullable: false,
    unique: false,
    index: false,
    generated: false,
    server_default: None,
    foreign_key: None,
    options: crate::model::ColumnOptions::NONE,
    deferred: false,
};

const fn model(
    name: &'static str,
    table: &'static str,
    columns: &'static [ColumnDef],
    relations: &'static [RelationDef],
    id: &'static ModelId,
) -> ModelDef {
    ModelDef {
        name,
        module: "shop",
        location: ("shop.rs", 1),
        table,
        columns,
        relations,
        primary_key: &[0],
        foreign_keys: &[],
        options: crate::model::TableOptions::NONE,
        id,
        store: crate::session::new_store::<Nothing>,
    }
}

const fn many(
    field: &'static str,
    label: &'static str,
    target: fn() -> &'static ModelDef,
    back: Option<&'static str>,
) -> RelationDef {
    RelationDef {
        field,
        label,
        kind: RelationKind::ManyToMany,
        target,
        back_populates: back,
        key: &[],
        secondary: Some("post_tags"),
        local: &[],
        remote: &[],
        view_only: false,
        options: crate::model::RelationOptions::DEFAULT,
    }
}

const KEY: ColumnDef = ColumnDef { generated: true, ..PLAIN };

fn user() -> &'static ModelDef {
    static ID: ModelId = ModelId::new();
    static DEF: ModelDef = model(
        "User",
        "users",
        &[
            KEY,
            ColumnDef {
                field: "email",
                name: "email",
                sql_type: &SqlType::String { length: Some(100) },
                unique: true,
                index: true,
                ..PLAIN
            },
            ColumnDef {
                field: "best_post_id",
                name: "best_post_id",
                nullable: true,
                foreign_key: Some(ForeignKeyDef {
                    target: post,
                    field: "id",
                    on_delete: Action::SetNull,
                    on_update: Action::NoAction,
                    deferrable: Deferrable::NotDeferrable,
                    name: None,
                }),
                ..PLAIN
            },
        ],
        &[],
        &ID,
    );
    &DEF
}

fn post() -> &'static ModelDef {
    static ID: ModelId = ModelId::new();
    static DEF: ModelDef = model(
        "Post",
        "posts",
        &[
            KEY,
            ColumnDef {
                field: "author_id",
                name: "author",
                index: true,
                foreign_key: Some(ForeignKeyDef {
                    target: user,
                    field: "id",
                    on_delete: Action::Cascade,
                    on_update: Action::NoAction,
                    deferrable: Deferrable::NotDeferrable,
                    name: None,
                }),
                ..PLAIN
            },
        ],
        &[many("tags", "Post.tags", tag, Some("posts"))],
        &ID,
    );
    &DEF
}

fn tag() -> &'static ModelDef {
    static ID: ModelId = ModelId::new();
    static DEF: ModelDef = model(
        "Tag",
        "tags",
        &[ColumnDef { sql_type: &SqlType::Integer, ..KEY }],
        &[many("posts", "Tag.posts", post, Some("tags"))],
        &ID,
    );
    &DEF
}

fn other_user() -> &'static ModelDef {
    static ID: ModelId = ModelId::new();
    static DEF: ModelDef = ModelDef { module: "billing", ..model("User", "users", &[KEY], &[], &ID) };
    &DEF
}

fn person() -> &'static ModelDef {
    static ID: ModelId = ModelId::new();
    static DEF: ModelDef = model(
        "Person",
        "people",
        &[KEY],
        &[
            many("following", "Person.following", person, Some("followers")),
            many("followers", "Person.followers", person, Some("following")),
        ],
        &ID,
    );
    &DEF
}

/// Stands in for the model behind `ModelDef::store`, which these tests never call.
use nothing::Nothing;
mod nothing {
    use crate::model::*;
    use crate::types::{Cell, DecodeError, Value};

    pub(super) struct Nothing;

    impl crate::sql::Fetch for Nothing {
        type Tracked = Tracked<Self>;
        fn width() -> usize {
            0
        }
        fn fetch(_: &crate::Row<'_>, _: usize) -> Result<Self, DecodeError> {
            Ok(Nothing)
        }
        fn track(
            loader: &mut crate::session::Loader<'_>,
            row: &crate::Row<'_>,
            at: usize,
        ) -> crate::Result<Self::Tracked> {
            loader.track(row, at)
        }
    }

    impl Model for Nothing {
        type Key = i64;
        fn def() -> &'static ModelDef {
            super::tag()
        }
        fn decode(_: &crate::Row<'_>, _: usize) -> Result<Self, DecodeError> {
            Ok(Nothing)
        }
        fn key(&self) -> i64 {
            0
        }
        fn value(&self, _: usize) -> Value<'_> {
            Value::Null
        }
        fn set_value(&mut self, _: usize, _: Cell<'_>) -> Result<(), DecodeError> {
            Ok(())
        }
        fn snapshot(&self) -> Self {
            Nothing
        }
        fn changed(&self, _: &Self) -> ColumnSet {
            ColumnSet::EMPTY
        }
        fn normalize(&mut self, _: ColumnSet) {}
        fn touch(&mut self, _: ColumnSet) -> ColumnSet {
            ColumnSet::EMPTY
        }
        fn relation(&self, _: usize) -> RelationRef<'_> {
            unreachable!("it has no relationships")
        }
        fn relation_mut(&mut self, _: usize) -> RelationMut<'_> {
            unreachable!("it has no relationships")
        }
    }
}

#[test]
fn association_tables_come_from_either_end() {
    let metadata = Metadata::of(&[tag(), post(), user()]).unwrap();
    let names: Vec<&str> = metadata.tables.iter().map(|t| t.name.as_str()).collect();
    // users and posts refer to each other; the first by name goes first once nothing else is ready.
    assert_eq!(names, ["tags", "posts", "post_tags", "users"]);
    assert_eq!(
        ddl::create_table(Dialect::Postgres, metadata.table("post_tags").unwrap()),
        "CREATE TABLE post_tags (\n    post_id BIGINT NOT NULL,\n    tag_id INTEGER NOT NULL,\n    \
         CONSTRAINT pk_post_tags PRIMARY KEY (post_id, tag_id),\n    \
         CONSTRAINT fk_post_tags_post_id_posts FOREIGN KEY (post_id) REFERENCES posts (id) ON DELETE CASCADE,\n    \
         CONSTRAINT fk_post_tags_tag_id_tags FOREIGN KEY (tag_id) REFERENCES tags (id) ON DELETE CASCADE\n)"
    );
    assert_eq!(metadata.table("post_tags").unwrap().indexes[0].name, "ix_post_tags_tag_id");
}

#[test]
fn association_is_the_same_seen_from_both_ends() {
    let from_post = association(post(), &post().relations[0]).expect("an association");
    let from_tag = association(tag(), &tag().relations[0]).expect("an association");
    assert_eq!(from_post.local, [("post_id".to_string(), 0)]);
    assert_eq!((from_post.local, from_post.remote), (from_tag.remote, from_tag.local));
}

#[test]
fn a_model_related_to_itself_names_the_ends_by_their_fields() {
    let following = association(person(), &person().relations[0]).expect("an association");
    let followers = association(person(), &person().relations[1]).expect("an association");
    assert_eq!(following.remote[0].0, "following_id");
    assert_eq!(following.local[0].0, "followers_id");
    assert_eq!(followers.remote, following.local);
    assert_eq!(Metadata::of(&[person()]).unwrap().tables.len(), 2);
}

#[test]
fn two_models_for_one_table_are_an_error_that_names_both() {
    let error = Metadata::of(&[user(), other_user(), post(), tag()]).unwrap_err().to_string();
    assert!(error.contains("shop::User") && error.contains("billing::User") && error.contains("`users`"), "{error}");
}

#[test]
fn the_same_model_twice_is_one_table() {
    assert_eq!(Metadata::of(&[person(), person()]).unwrap(), Metadata::of(&[person()]).unwrap());
}

#[test]
fn a_model_that_is_left_out_is_named() {
    let error = Metadata::of(&[user()]).unwrap_err().to_string();
    assert!(error.contains("User.best_post_id") && error.contains("shop::Post"), "{error}");
}

#[test]
fn a_unique_column_needs_no_second_index() {
    let metadata = Metadata::of(&[user(), post(), tag()]).unwrap();
    let users = metadata.table("users").unwrap();
    assert!(users.indexes.is_empty());
    assert_eq!(users.uniques[0].name.as_deref(), Some("uq_users_email"));
    assert_eq!(metadata.table("posts").unwrap().indexes[0].name, "ix_posts_author");
}

#[test]
fn circular_keys_wait_on_postgresql_and_stay_inline_on_sqlite() {
    let metadata = Metadata::of(&[user(), post(), tag()]).unwrap();
    let sqlite = ddl::create_all(Dialect::Sqlite, &metadata).unwrap();
    assert!(sqlite.iter().all(|sql| !sql.contains("ALTER")));
    let postgres = ddl::create_all(Dialect::Postgres, &metadata).unwrap();
    let last = postgres.last().unwrap();
    assert!(last.contains("ADD CONSTRAINT fk_posts_author_users"), "{last}");
    assert_eq!(postgres.iter().filter(|sql| sql.contains("fk_posts_author_users")).count(), 1);
}

#[test]
fn a_long_chain_of_keys_is_sorted_without_recursion() {
    let tables: Vec<Table> = (0..5000)
        .map(|i| {
            let mut table = Metadata::of(&[person()]).unwrap().tables[1].clone();
            table.name = format!("t{i:05}");
            table.foreign_keys.truncate(1);
            table.foreign_keys[0].target_table = format!("t{:05}", i + 1);
            table
        })
        .collect();
    let sorted = in_creation_order(tables);
    assert_eq!(sorted[0].name, "t04999");
    assert_eq!(sorted[4999].name, "t00000");
}

#[test]
fn defaults_are_parenthesised_on_sqlite_unless_literals() {
    for (default, sqlite) in [
        ("true", "true"),
        ("-1.5", "-1.5"),
        ("'it''s'", "'it''s'"),
        ("'a' || 'b'", "('a' || 'b')"),
        ("CURRENT_TIMESTAMP", "CURRENT_TIMESTAMP"),
        ("lower('A')", "(lower('A'))"),
        ("(1) + (2)", "((1) + (2))"),
        ("(1 + 2)", "(1 + 2)"),
    ] {
        assert_eq!(ddl::default_expression(Dialect::Sqlite, default), sqlite);
        assert_eq!(ddl::default_expression(Dialect::Postgres, default), default);
    }
}

#[test]
fn keys_and_types_are_spelled_for_each_database() {
    let metadata = Metadata::of(&[user(), post(), tag()]).unwrap();
    let users = metadata.table("users").unwrap();
    assert!(ddl::create_table(Dialect::Sqlite, users).starts_with(
        "CREATE TABLE users (\n    id INTEGER NOT NULL,\n    email VARCHAR(100) NOT NULL,\n    best_post_id INTEGER,\n    \
         CONSTRAINT pk_users PRIMARY KEY (id),\n    CONSTRAINT uq_users_email UNIQUE (email),"
    ));
    assert!(ddl::create_table(Dialect::Postgres, users).starts_with(
        "CREATE TABLE users (\n    id BIGINT GENERATED BY DEFAULT AS IDENTITY NOT NULL,\n    \
         email VARCHAR(100) NOT NULL,\n    best_post_id BIGINT,"
    ));
}
