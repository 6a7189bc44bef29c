//! `derive(ColumnType)`: a struct around one value as a column's type, and as a key.
#![cfg(all(feature = "sqlite", feature = "postgres"))]
#![allow(missing_docs, unreachable_pub)]

use limbeck::prelude::*;
use limbeck::schema::SqlType;
use limbeck::session::Session;
use limbeck::{Error, Result};
use limbeck_test_support::{TestDb, both};

#[derive(ColumnType, Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct UserId(i64);

#[derive(ColumnType, Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct PostId {
    number: i32,
}

#[derive(ColumnType, Clone, Debug, PartialEq, Eq, Hash)]
pub struct Code(String);

/// A type without a placeholder, around which there is a newtype.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Letters(String);

impl limbeck::types::ColumnType for Letters {
    type Base = Self;
    type Null<T: limbeck::types::ColumnType> = T;
    const SQL_TYPE: SqlType = SqlType::Text;
    fn encode(&self) -> limbeck::types::Value<'_> {
        self.0.encode()
    }
    fn decode(cell: limbeck::types::Cell<'_>) -> Result<Self, limbeck::types::DecodeError> {
        String::decode(cell).map(Letters)
    }
}

#[derive(ColumnType, Clone, Debug, PartialEq, Eq, Hash)]
pub struct Name(Letters);

#[derive(ColumnType, Clone, Copy, Debug, PartialEq)]
pub struct Seen(DateTime<Utc>);

type Author = UserId;

#[derive(Model, Debug)]
pub struct User {
    #[column(primary_key)]
    pub id: UserId,
    #[column(unique)]
    pub name: Name,
    pub seen: Option<Seen>,
    #[relationship(back_populates = author)]
    pub posts: HasMany<Post>,
}

#[derive(Model, Debug)]
pub struct Post {
    #[column(primary_key)]
    pub id: PostId,
    #[column(length = 20)]
    pub title: Code,
    #[column(foreign_key(User.id))]
    pub author_id: Author,
    #[column(foreign_key(User.id))]
    pub editor_id: Option<UserId>,
    #[relationship(back_populates = posts, key = author_id)]
    pub author: BelongsTo<User>,
}

/// A key that the database cannot number, of a newtype.
#[derive(Model, Debug)]
pub struct Country {
    #[column(primary_key)]
    pub code: Name,
    pub name: String,
}

/// A key that the database could number and does not.
#[derive(Model, Debug)]
pub struct Row {
    #[column(primary_key, autoincrement = false)]
    pub id: UserId,
}

async fn session(db: &TestDb) -> Session {
    let engine = Engine::builder(db.url()).connect().await.expect("a database");
    let metadata = limbeck::metadata![User, Post, Country, Row].expect("models that fit");
    engine.create_all(&metadata).await.expect("tables");
    engine.sessionmaker().open()
}

#[test]
fn a_newtype_has_the_column_of_what_is_in_it() {
    let types: Vec<_> = Post::def().columns.iter().map(|column| (column.name, column.sql_type)).collect();
    assert_eq!(
        types,
        [
            ("id", &SqlType::Integer),
            ("title", &SqlType::String { length: Some(20) }),
            ("author_id", &SqlType::BigInteger),
            ("editor_id", &SqlType::BigInteger)
        ]
    );
    assert!(Post::def().columns[3].nullable);
}

#[test]
fn a_newtype_around_an_integer_is_numbered_as_a_key_and_others_are_not() {
    assert_eq!(User::def().generated_key(), Some(0));
    assert_eq!(Post::def().generated_key(), Some(0));
    assert_eq!(Country::def().generated_key(), None);
    assert_eq!(Row::def().generated_key(), None);
}

both! {
    async fn newtypes_are_keys_and_values(db: TestDb) -> Result<()> {
        let mut session = session(&db).await;
        let seen = Seen("2024-02-29T12:30:00.000001Z".parse().unwrap());
        let ada = session.add(User::builder().name(Name(Letters("ada".into()))).seen(seen));
        let post = session.add(Post::builder().title(Code("Hello".into())).author(ada));
        session.add(Country::builder().code(Name(Letters("DE".into()))).name("Germany"));
        session.add(Row::builder().id(UserId(0)));
        session.commit().await?;
        let id = session[ada].id;
        assert!(id.0 > 0 && session[post].id.number > 0);
        assert_eq!(session[post].author_id, id);

        session.expunge_all();
        let ada = session.get(User, id).await?.expect("the user");
        assert_eq!(session[ada].seen, Some(seen));
        let posts = session.all(
            select(Post).filter(Post.author_id.eq(id)).filter(Post.title.in_([Code("Hello".into()), Code("x".into())]))
                .filter(Post.editor_id.is_null()).with(Post.author)).await?;
        assert_eq!(session[session[posts[0]].author].id, id);
        session[posts[0]].editor_id = Some(id);
        session.commit().await?;
        let editors: Vec<Option<UserId>> = session.all(select(Post.editor_id)).await?;
        assert_eq!(editors, [Some(id)]);
        assert!(session.get(Row, UserId(0)).await?.is_some());
        Ok(())
    }

    async fn a_model_by_value_leaves_the_number_to_the_database(db: TestDb) -> Result<()> {
        let mut session = session(&db).await;
        let make = |id, name: &str| User {
            id: UserId(id), name: Name(Letters(name.into())), seen: None, posts: HasMany::default(),
        };
        let first = session.add(make(0, "first"));
        let tenth = session.add(make(10, "tenth"));
        let country = session.add(Country { code: Name(Letters(String::new())), name: "Nowhere".into() });
        session.commit().await?;
        assert_eq!((session[first].id, session[tenth].id), (UserId(1), UserId(10)));
        assert_eq!(session[country].code.0.0, "");
        Ok(())
    }

    async fn a_value_that_the_inner_type_cannot_read_is_its_error(db: TestDb) -> Result<()> {
        let mut session = session(&db).await;
        let ada = session.add(User::builder().name(Name(Letters("ada".into()))));
        session.commit().await?;
        let id = session[ada].id;
        let error = session.all(limbeck::prelude::sql("select id from users").rows::<Code>()).await.unwrap_err();
        assert!(matches!(&error, Error::Decode { .. }), "{error}");
        assert_eq!(session.one(select(User.id)).await?, id);
        Ok(())
    }
}
