//! One table for each type: the column as it is, one that may be NULL, one with a default, one with a server default.

use std::fmt::Debug;

use limbeck::model::{Column, New};
use limbeck::prelude::*;
use limbeck::schema::{Metadata, SqlType};
use limbeck::sql::Select;
use limbeck::types::ColumnType;
use limbeck_test_support::TestDb;

/// The model of a type.
pub(crate) trait Case: Model + Debug {
    type Value: ColumnType<Base = Self::Value, Null<bool> = bool> + Debug;

    const VALUE: Column<Self, Self::Value>;
    const MAYBE: Column<Self, Option<Self::Value>>;

    fn query() -> Select<Self>;
    fn row(value: Self::Value, maybe: Option<Self::Value>) -> impl New<Model = Self>;
    fn id(&self) -> i64;
    fn plain(&self) -> &Self::Value;
    fn plain_mut(&mut self) -> &mut Self::Value;
    fn maybe(&self) -> &Option<Self::Value>;
    fn given(&self) -> &Self::Value;
    fn made(&self) -> &Self::Value;
    /// What the columns `given` and `made` are to hold.
    fn default() -> Self::Value;
}

/// Declares the model of a type, with the options of its column and its default.
macro_rules! case {
    ($name:ident: $ty:ty, ($($option:tt)*), $default:expr) => {
        #[derive(limbeck::Model, Debug)]
        #[model(table = "things")]
        pub(crate) struct $name {
            #[column(primary_key)]
            pub(crate) id: i64,
            #[column($($option)*)]
            pub(crate) value: $ty,
            #[column($($option)*)]
            pub(crate) maybe: Option<$ty>,
            #[column(default = $default)]
            pub(crate) given: $ty,
            // What it is differs between the databases: see `engine`.
            #[column(server_default = "NULL")]
            pub(crate) made: $ty,
        }

        impl $crate::case::Case for $name {
            type Value = $ty;

            const VALUE: limbeck::model::Column<Self, $ty> = $name.value;
            const MAYBE: limbeck::model::Column<Self, Option<$ty>> = $name.maybe;

            fn query() -> limbeck::sql::Select<Self> {
                limbeck::sql::select($name)
            }

            fn row(value: $ty, maybe: Option<$ty>) -> impl limbeck::model::New<Model = Self> {
                $name::builder().value(value).maybe(maybe)
            }

            fn id(&self) -> i64 {
                self.id
            }

            fn plain(&self) -> &$ty {
                &self.value
            }

            fn plain_mut(&mut self) -> &mut $ty {
                &mut self.value
            }

            fn maybe(&self) -> &Option<$ty> {
                &self.maybe
            }

            fn given(&self) -> &$ty {
                &self.given
            }

            fn made(&self) -> &$ty {
                &self.made
            }

            fn default() -> $ty {
                $default
            }
        }
    };
}

pub(crate) use case;

/// An engine over a database with the table of a case, whose server default is `made`.
pub(crate) async fn engine<C: Case>(db: &TestDb, made: &str) -> Engine {
    let engine = Engine::builder(db.url()).connect().await.unwrap();
    let mut metadata = Metadata::of(&[C::def()]).unwrap();
    metadata.tables[0].columns[4].server_default = Some(made.into());
    engine.create_all(&metadata).await.unwrap();
    engine
}

/// Writes values and reads them in every way there is. `made` is the SQL of the default, on SQLite and on PostgreSQL.
pub(crate) async fn check<C: Case>(db: TestDb, values: Vec<C::Value>, made: [&str; 2]) {
    let engine = engine::<C>(&db, made[usize::from(db.is_postgres())]).await;
    let sessions = engine.sessionmaker();
    let mut session = sessions.open();

    // Written in one batch, with what the database makes read back by it.
    let rows: Vec<_> = values.iter().map(|value| session.add(C::row(value.clone(), Some(value.clone())))).collect();
    let empty = session.add(C::row(values[0].clone(), None));
    session.flush().await.unwrap();
    for (row, value) in rows.iter().zip(&values) {
        let row = &session[*row];
        assert_eq!((row.plain(), row.maybe().as_ref()), (value, Some(value)));
        assert_eq!((row.given(), row.made()), (&C::default(), &C::default()));
    }
    session.commit().await.unwrap();

    // Read by a session that knows nothing of them.
    let mut other = sessions.open();
    for (row, value) in rows.iter().zip(&values) {
        let row = other.get_by_key::<C>(session[*row].key()).await;
        assert_eq!((row.plain(), row.maybe().as_ref()), (value, Some(value)));
        assert_eq!((row.given(), row.made()), (&C::default(), &C::default()));
    }
    let row = other.get_by_key::<C>(session[empty].key()).await;
    assert_eq!((row.plain(), row.maybe()), (&values[0], &None));

    // In a filter: each finds itself, all find all.
    for value in &values {
        let found = session.all(C::query().filter(C::VALUE.eq(value.clone()))).await.unwrap();
        assert!(!found.is_empty(), "{value:?}");
        assert!(found.iter().all(|row| session[*row].plain() == value), "{value:?}");
        let same = session.count(C::query().filter(C::MAYBE.eq(Some(value.clone())))).await.unwrap();
        assert!(same >= 1, "{value:?}");
    }
    let all = values.len() as u64 + 1;
    assert_eq!(session.count(C::query().filter(C::VALUE.in_(&values))).await.unwrap(), all);
    assert_eq!(session.count(C::query().filter(C::VALUE.not_in(&values))).await.unwrap(), 0);
    assert_eq!(session.count(C::query().filter(C::MAYBE.is_null())).await.unwrap(), 1);
    assert_eq!(session.count(C::query().filter(C::VALUE.ne(C::VALUE))).await.unwrap(), 0);

    // In an UPDATE: each row gets the next one's value.
    for (row, value) in rows.iter().zip(values.iter().cycle().skip(1)) {
        *session[*row].plain_mut() = value.clone();
    }
    session.commit().await.unwrap();
    let mut other = sessions.open();
    for (row, value) in rows.iter().zip(values.iter().cycle().skip(1)) {
        assert_eq!(other.get_by_key::<C>(session[*row].key()).await.plain(), value);
    }

    // Bound to SQL written by hand, and read from it. That SQLite's column has text for a UUID, such SQL cannot know.
    if *C::VALUE.def().sql_type == (SqlType::Uuid { text: true }) && !db.is_postgres() {
        return;
    }
    for value in values {
        let found =
            session.all(sql("SELECT value FROM things WHERE value = :v").bind("v", value.clone()).rows::<C::Value>());
        assert!(found.await.unwrap().contains(&value), "{value:?}");
    }
}

/// Reading by key, for models of which nothing is known.
pub(crate) trait GetByKey {
    async fn get_by_key<C: Case>(&mut self, key: C::Key) -> &C;
}

impl GetByKey for limbeck::session::Session {
    async fn get_by_key<C: Case>(&mut self, key: C::Key) -> &C {
        let rows = self.all(C::query()).await.unwrap();
        let found = rows.into_iter().find(|row| self[*row].key() == key);
        &self[found.expect("the row")]
    }
}
