//! What `derive(Model)` writes: definitions, builders, copies and their differences, and that no name in a
//! user's crate breaks it.
#![allow(missing_docs, unreachable_pub)]

use limbeck::model::{ColumnSet, Draft, New, NewObject, RelationKind, RelationRef, TableOf};
use limbeck::prelude::*;
use limbeck::schema::{Action, SqlType};
use limbeck::sql::Fetch;
use limbeck::types::{Cell, Value};
use limbeck::{Row, model};

#[derive(Model, Debug)]
#[model(table = "users")]
pub struct User {
    #[column(primary_key)]
    pub id: i64,
    /// Where letters go.
    #[column(unique)]
    pub email: String,
    #[column(unique, length = 100)]
    pub username: String,
    #[column(text)]
    pub hashed_password: String,
    pub full_name: Option<String>,
    #[column(default = true)]
    pub is_active: bool,
    #[column(default = Utc::now())]
    pub created_at: DateTime<Utc>,
    #[column(default = Utc::now(), on_update = Utc::now())]
    pub updated_at: DateTime<Utc>,
    #[relationship(back_populates = author)]
    pub posts: HasMany<Post>,
}

#[derive(Model, Debug)]
pub struct Post {
    #[column(primary_key)]
    pub id: i64,
    #[column(index)]
    pub title: String,
    #[column(server_default = "'draft'", name = "post_state")]
    pub state: String,
    #[column(foreign_key(User.id, on_delete = cascade))]
    pub author_id: i64,
    #[column(foreign_key(User.id, on_delete = set_null, on_update = restrict), index = false)]
    pub editor_id: Option<i64>,
    #[relationship(back_populates = posts)]
    pub author: BelongsTo<User>,
    #[relationship]
    pub editor: BelongsTo<Option<User>>,
    #[relationship(secondary = "post_tags", back_populates = posts)]
    pub tags: ManyToMany<Tag>,
}

#[derive(Model, Debug)]
pub struct Tag {
    #[column(primary_key)]
    pub id: i32,
    #[column(unique)]
    pub name: String,
    #[relationship(secondary = "post_tags", back_populates = tags)]
    pub posts: ManyToMany<Post>,
}

/// A composite key, one part of which is a foreign key.
#[derive(Model, Debug)]
pub struct Vote {
    #[column(primary_key, foreign_key(User.id))]
    pub user_id: i64,
    #[column(primary_key, foreign_key(crate::Post.id))]
    pub post_id: i64,
    #[column(default = 1.0)]
    pub weight: Option<f64>,
    #[column(default = "up", on_update = self::direction())]
    pub direction: String,
}

fn direction() -> String {
    "changed".to_owned()
}

fn draft<N: New>(new: N) -> Draft<N::Model> {
    match new.into_new() {
        NewObject::Draft(draft) => draft,
        NewObject::Again(_) => panic!("expected a draft"),
    }
}

fn names(set: ColumnSet, def: &model::ModelDef) -> Vec<&'static str> {
    set.iter().map(|i| def.columns[i].field).collect()
}

#[test]
fn a_model_describes_its_table() {
    let def = User::def();
    assert_eq!((def.name, def.table, def.primary_key), ("User", "users", &[0][..]));
    assert!(def.path().ends_with("derive::User"), "{}", def.path());
    assert!(def.location.0.ends_with("derive.rs") && def.location.1 > 10, "{:?}", def.location);
    let types: Vec<&SqlType> = def.columns.iter().map(|column| column.sql_type).collect();
    let moment = SqlType::DateTime { timezone: true };
    assert_eq!(
        types,
        [
            &SqlType::BigInteger,
            &SqlType::String { length: None },
            &SqlType::String { length: Some(100) },
            &SqlType::Text,
            &SqlType::String { length: None },
            &SqlType::Boolean,
            &moment,
            &moment,
        ]
    );
    let nullable: Vec<&str> = def.columns.iter().filter(|c| c.nullable).map(|c| c.name).collect();
    assert_eq!(nullable, ["full_name"]);
    let unique: Vec<&str> = def.columns.iter().filter(|c| c.unique).map(|c| c.name).collect();
    assert_eq!(unique, ["email", "username"]);
    assert_eq!(def.generated_key(), Some(0));
}

#[test]
fn tables_without_a_name_are_named_by_the_plural() {
    assert_eq!(Post::def().table, "posts");
    assert_eq!(Vote::def().table, "votes");
}

#[test]
fn names_and_server_defaults_are_the_database_s() {
    let state = &Post::def().columns[2];
    assert_eq!((state.field, state.name, state.server_default), ("state", "post_state", Some("'draft'")));
    assert!(state.made_by_database());
    assert_eq!(Post::column_name(2), ("posts".into(), "post_state".into()));
}

#[test]
fn foreign_keys_know_their_target_and_actions_and_are_indexed_unless_refused() {
    let [_, title, _, author, editor] = Post::def().columns else { panic!("five columns") };
    let key = author.foreign_key.as_ref().expect("a key");
    assert_eq!(((key.target)().name, key.field), ("User", "id"));
    assert_eq!((key.on_delete, key.on_update), (Action::Cascade, Action::NoAction));
    let key = editor.foreign_key.as_ref().expect("a key");
    assert_eq!((key.on_delete, key.on_update), (Action::SetNull, Action::Restrict));
    assert_eq!((title.index, author.index, editor.index), (true, true, false));
    // The first column of a composite key has the key's own index.
    assert_eq!((Vote::def().columns[0].index, Vote::def().columns[1].index), (false, true));
}

#[test]
fn relationships_know_direction_target_key_and_other_side() {
    let [author, editor, tags] = Post::def().relations else { panic!("three relationships") };
    assert_eq!((author.label, author.kind, author.key), ("Post.author", RelationKind::BelongsTo, &["author_id"][..]));
    assert_eq!(((author.target)().name, author.back_populates), ("User", Some("posts")));
    // Two keys lead to `users`: the one that is called like the relationship is meant.
    assert_eq!((editor.key, editor.back_populates), (&["editor_id"][..], None));
    assert_eq!((tags.kind, tags.secondary), (RelationKind::ManyToMany, Some("post_tags")));
    let [posts] = User::def().relations else { panic!("one relationship") };
    assert_eq!((posts.kind, posts.key, (posts.target)().table), (RelationKind::HasMany, &[][..], "posts"));
}

#[test]
fn a_composite_key_is_a_tuple_and_not_generated() {
    let vote = draft(Vote::builder().user_id(1).post_id(2)).object;
    assert_eq!(vote.key(), (1_i64, 2_i64));
    assert_eq!(Vote::def().primary_key, [0, 1]);
    assert_eq!(Vote::def().generated_key(), None);
}

#[test]
fn every_linked_model_is_registered() {
    let mut found: Vec<&str> =
        limbeck::__private::inventory::iter::<model::Registered>.into_iter().map(|r| (r.0)().name).collect();
    found.sort_unstable();
    assert!(["Post", "Tag", "User", "Vote"].iter().all(|name| found.contains(name)), "{found:?}");
}

#[test]
fn a_builder_fills_in_defaults_and_remembers_what_was_given() {
    let Draft { object, given } = draft(
        User::builder().hashed_password("…").username(String::from("ada")).email(String::from("ada@example.com")),
    );
    assert_eq!((object.id, object.email.as_str(), object.username.as_str()), (0, "ada@example.com", "ada"));
    assert_eq!((object.full_name.as_deref(), object.is_active), (None, true));
    assert!(!object.posts.is_loaded());
    assert_eq!(
        names(given, User::def()),
        ["email", "username", "hashed_password", "is_active", "created_at", "updated_at"]
    );
}

#[test]
fn a_value_given_is_kept_even_if_it_is_the_placeholder_or_differs_from_the_default() {
    let user = || User::builder().email("e").username("u").hashed_password("h");
    let Draft { object, given } = draft(user().id(0).is_active(false).full_name("Ada"));
    assert_eq!((object.is_active, object.full_name.as_deref()), (false, Some("Ada")));
    assert!(given.contains(0) && given.contains(4));
    assert!(draft(user().full_name(None::<String>)).given.contains(4), "NULL on purpose is a value");
}

#[test]
fn what_a_default_or_a_setter_makes_is_cut_to_microseconds() {
    let precise = DateTime::from_timestamp(1_700_000_000, 123_456_789).expect("in range");
    let user = draft(User::builder().email("e").username("u").hashed_password("h").created_at(precise)).object;
    assert_eq!(user.created_at.timestamp_subsec_nanos(), 123_456_000);
    assert_eq!(user.updated_at.timestamp_subsec_nanos() % 1000, 0);
}

#[test]
fn literals_in_options_are_converted_and_expressions_see_what_is_in_scope() {
    let Draft { mut object, .. } = draft(Vote::builder().user_id(1).post_id(2));
    assert_eq!((object.weight, object.direction.as_str()), (Some(1.0), "up"));
    assert_eq!(names(object.touch(ColumnSet::EMPTY), Vote::def()), ["direction"]);
    assert_eq!(object.direction, "changed");
}

#[test]
fn a_model_by_value_gives_every_column_but_a_generated_key_that_is_its_placeholder() {
    let tag = |id| Tag { id, name: "rust".into(), posts: ManyToMany::default() };
    assert_eq!(names(draft(tag(0)).given, Tag::def()), ["name"]);
    assert_eq!(names(draft(tag(7)).given, Tag::def()), ["id", "name"]);
}

#[test]
fn a_to_one_object_stands_for_its_key() {
    // No handle can be had without a session, so this is about types: `author` satisfies `author_id`.
    fn finished<N: New>(_: impl FnOnce(Tracked<User>, Tracked<Tag>) -> N) {}
    finished(|ada, rust| Post::builder().title("Hello").author(ada).tags([rust]).editor(ada));
    finished(|ada, _| Post::builder().author(ada).title("Hello").editor(Some(ada)));
    finished(|_, rust| Post::builder().title("Hello").author_id(7).tags(vec![rust]));
}

#[test]
fn columns_that_differ_are_found_and_only_those() {
    let mut user = draft(User::builder().email("e").username("u").hashed_password("h")).object;
    let before = user.snapshot();
    assert!(user.changed(&before).is_empty());
    user.full_name = Some("Ada".into());
    user.is_active = false;
    assert_eq!(names(user.changed(&before), User::def()), ["full_name", "is_active"]);
}

#[test]
fn on_update_leaves_columns_that_were_changed_alone() {
    let mut user = draft(User::builder().email("e").username("u").hashed_password("h")).object;
    let fixed = DateTime::UNIX_EPOCH;
    user.updated_at = fixed;
    let mut changed = ColumnSet::EMPTY;
    changed.insert(7);
    assert!(user.touch(changed).is_empty());
    assert_eq!(user.updated_at, fixed);
    assert_eq!(names(user.touch(ColumnSet::EMPTY), User::def()), ["updated_at"]);
    assert!(user.updated_at > fixed && user.updated_at.timestamp_subsec_nanos().is_multiple_of(1000));
}

#[test]
fn values_go_out_and_come_back() {
    let user = draft(User::builder().id(7).email("e").username("u").hashed_password("h").full_name("Ada")).object;
    let values: Vec<Value<'_>> = (0..User::width()).map(|i| user.value(i)).collect();
    assert_eq!((&values[0], &values[1]), (&Value::I64(7), &Value::Text("e".into())));
    let mut row = vec![Value::Bool(true)];
    row.extend(values);
    let again = User::decode(&Row::from_values(&row), 1).expect("the row is whole");
    assert!(again.changed(&user).is_empty());
    assert!(!again.posts.is_loaded());
}

#[test]
fn a_value_that_does_not_fit_names_its_column() {
    let row = [Value::I32(1), Value::Bool(true)];
    let error = Tag::decode(&Row::from_values(&row), 0).expect_err("a boolean is no text");
    assert_eq!(error.column, Some(1));
    let mut tag = Tag { id: 0, name: String::new(), posts: ManyToMany::default() };
    tag.set_value(1, Cell::from_value(&Value::Text("rust".into()))).expect("text");
    assert_eq!(tag.name, "rust");
    assert!(tag.set_value(0, Cell::from_value(&Value::Null)).is_err());
}

#[test]
fn relationship_fields_are_found_by_position() {
    let mut post = draft(Post::builder().title("Hello").author_id(1)).object;
    assert!(matches!(post.relation(0), RelationRef::One(_)));
    assert!(matches!(post.relation(2), RelationRef::Many(_)));
    assert!(matches!(post.relation_mut(2), model::RelationMut::Many(_)));
    let error = post.author.try_get().expect_err("it is not loaded");
    assert!(error.to_string().contains("Post.author"), "{error}");
}

#[test]
fn the_constant_names_columns_and_can_be_aliased() {
    assert_eq!(
        format!("{:?} {:?} {:?} {User:?}", User.email, User.posts, Post.editor),
        "User.email User.posts Post.editor User"
    );
    assert_eq!(User.username.def().name, "username");
    let boss = User.alias("boss");
    assert_eq!((TableOf::alias(&boss), TableOf::alias(&User)), (Some("boss"), None));
}

// ------------------------------------------------------------------------------------------ hostile names

/// Columns that are called like what is generated, or like a keyword.
#[derive(Model, Debug)]
struct Hostile {
    #[column(primary_key)]
    new: i64,
    build: String,
    builder: String,
    table: String,
    alias: String,
    r#type: String,
    into_new: Option<i64>,
    def: Option<i64>,
    key: Option<i64>,
    value: Option<i64>,
    given: Option<i64>,
    draft: Option<i64>,
    column: Option<i64>,
    object: Option<i64>,
    set: Option<i64>,
    row: Option<i64>,
    #[column(default = 1)]
    at: i64,
}

#[test]
fn columns_may_be_called_like_what_is_generated() {
    let hostile = draft(
        Hostile::builder().build("b").builder("b").table("t").alias("a").r#type("T").value(1).into_new(2).draft(3),
    );
    let object = hostile.object;
    assert_eq!((object.r#type.as_str(), object.value, object.into_new), ("T", Some(1), Some(2)));
    assert_eq!(Hostile::def().columns[5].name, "type");
    assert_eq!(format!("{:?}", Hostile.r#type), "Hostile.type");
    assert_eq!(format!("{:?}", Hostile.alias("h").alias), "Hostile.alias");
    assert_eq!(Hostile::def().table, "hostiles");
}

/// Models that are called like what the standard library, or limbeck, has.
mod hostile_models {
    use limbeck::prelude::{BelongsTo, HasMany, Model};

    macro_rules! models {
        ($($name:ident)*) => {
            $(
                #[derive(Model)]
                pub struct $name {
                    #[column(primary_key)]
                    pub id: i64,
                    #[column(default = 1)]
                    pub count: i32,
                    pub parent_id: std::option::Option<i64>,
                }
            )*
        };
    }

    models!(Option Result String Some None Ok Err Session Default Clone Vec Box Copy Column Table Given Missing Draft Value);

    #[derive(Model)]
    pub struct Row {
        #[column(primary_key)]
        pub id: i64,
        #[column(foreign_key(Option.id))]
        pub option_id: i64,
        #[relationship]
        pub option: BelongsTo<Option>,
        #[column(foreign_key(Row.id))]
        pub row_id: std::option::Option<i64>,
        #[relationship(back_populates = rows)]
        pub row: BelongsTo<std::option::Option<Row>>,
        #[relationship(back_populates = row)]
        pub rows: HasMany<Row>,
    }
}

#[test]
fn models_may_be_called_like_the_standard_library_s_types() {
    use limbeck::model::Model;
    assert_eq!(hostile_models::Option::def().table, "options");
    assert_eq!(hostile_models::Session::def().table, "sessions");
    let row = draft(hostile_models::Row::builder().option_id(1)).object;
    assert_eq!((row.id, row.row_id), (0, None));
    let [_, up, down] = hostile_models::Row::def().relations else { panic!("three relationships") };
    assert_eq!((up.key, down.back_populates), (&["row_id"][..], Some("row")));
}

#[test]
fn a_model_may_be_in_a_function() {
    const LIMIT: i64 = 3;
    #[derive(Model)]
    struct Local {
        #[column(primary_key, autoincrement = false)]
        id: i64,
        #[column(default = LIMIT * 2)]
        limit: i64,
    }
    let Draft { object, given } = draft(Local::builder().id(4));
    assert_eq!((object.id, object.limit, given.len()), (4, 6, 2));
    assert!(!Local::def().columns[0].generated);
    assert_eq!(Local::def().table, "locals");
}

/// Nothing that a model does not need is asked of it or of a column's type: this one is neither `Clone` nor
/// `Debug`, and its column's type is not `Debug`, has no placeholder and another base.
mod own_types {
    use limbeck::model::Model;
    use limbeck::schema::SqlType;
    use limbeck::types::{Cell, ColumnType, DecodeError, Value};

    #[derive(Clone, PartialEq)]
    pub struct Colour(pub i32);

    impl ColumnType for Colour {
        type Base = Self;
        type Null<T: ColumnType> = T;
        const SQL_TYPE: SqlType = SqlType::Integer;

        fn encode(&self) -> Value<'_> {
            Value::I32(self.0)
        }

        fn decode(cell: Cell<'_>) -> Result<Self, DecodeError> {
            i32::decode(cell).map(Colour)
        }

        fn normalize(&mut self) {
            self.0 &= 0x00ff_ffff;
        }
    }

    #[derive(limbeck::Model)]
    pub struct Paint {
        #[column(primary_key)]
        id: i64,
        pub colour: Colour,
        pub under: Option<Colour>,
    }

    impl Paint {
        pub fn key_of(&self) -> i64 {
            Model::key(self)
        }
    }
}

#[test]
fn a_type_of_one_s_own_is_normalised_and_needs_no_placeholder() {
    let paint =
        draft(own_types::Paint::builder().colour(own_types::Colour(0x7f00_0001)).under(own_types::Colour(-1))).object;
    assert_eq!((paint.colour.0, paint.under.as_ref().map(|c| c.0), paint.key_of()), (1, Some(0x00ff_ffff), 0));
}

/// A key whose integer has another name is generated when that is said.
type Id = i64;

#[derive(Model)]
struct Renamed {
    #[column(primary_key, autoincrement = true)]
    id: Id,
    #[column(foreign_key(Renamed.id), unique)]
    next_id: Option<Id>,
}

#[test]
fn an_integer_by_another_name_is_generated_on_request_and_a_unique_key_needs_no_index() {
    let [id, next] = Renamed::def().columns else { panic!("two columns") };
    assert!(id.generated);
    assert!(next.unique && !next.index);
    assert!(draft(Renamed::builder()).given.is_empty());
    let renamed = Renamed { id: 0, next_id: None };
    assert_eq!((renamed.id, renamed.next_id), (0, None));
}
