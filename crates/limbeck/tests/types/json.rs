//! JSON: as it comes, and of a type of one's own.

use std::collections::BTreeMap;

use limbeck::prelude::*;
use limbeck::types::Json;
use limbeck_test_support::{TestDb, both};
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use crate::case::{case, check, engine};

#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub(crate) struct Settings {
    theme: String,
    sizes: Vec<f64>,
    #[serde(default)]
    more: BTreeMap<String, i64>,
}

fn dark() -> Settings {
    Settings { theme: "dark".into(), sizes: vec![1.0, 2.5], more: BTreeMap::from([("a".into(), i64::MAX)]) }
}

case!(Tree: Value, (), json!({"a": [1, 2.0, null], "b": "x"}));
case!(Typed: Json<Settings>, (), Json(dark()));

const TREE: [&str; 2] = [r#"'{"a": [1, 2.0, null], "b": "x"}'"#; 2];
const TYPED: [&str; 2] = [r#"'{"theme": "dark", "sizes": [1.0, 2.5], "more": {"a": 9223372036854775807}}'"#; 2];

/// The page's example that SQLAlchemy refuses, since its models have a `metadata` already.
#[derive(Model, Debug)]
#[model(table = "documents")]
struct Document {
    #[column(primary_key)]
    id: i64,
    metadata: Value,
    extra: Option<Value>,
    #[column(json)]
    settings: Json<Settings>,
}

fn document(metadata: Value, extra: Option<Value>) -> impl limbeck::model::New<Model = Document> {
    Document::builder().metadata(metadata).extra(extra).settings(dark())
}

/// One whose own check has the name that the one of the type would have.
#[derive(Model, Debug)]
#[model(table = "notes")]
struct Note {
    #[column(primary_key)]
    id: i64,
    #[column(check("data IS NOT NULL"))]
    data: Value,
    tags: Vec<String>,
    more: Option<Value>,
}

async fn engine_of_notes(db: &TestDb) -> Engine {
    let engine = Engine::builder(db.url()).connect().await.unwrap();
    engine.create_all(&limbeck::metadata![Note].unwrap()).await.unwrap();
    engine
}

async fn documents(db: &TestDb) -> Engine {
    let engine = Engine::builder(db.url()).connect().await.unwrap();
    engine.create_all(&limbeck::metadata![Document].unwrap()).await.unwrap();
    engine
}

both! {
    async fn values_of_every_shape(db: TestDb) {
        let values = vec![
            Value::Null, json!(true), json!(0), json!(-1), json!(u64::MAX), json!(i64::MIN), json!(0.1), json!(1e17),
            json!(1e300), json!(5e-324), json!(100.0), json!(""), json!("it's \"ä𝄞\" \\u0000 \n"), json!([]), json!({}),
            json!([[], [null]]), json!({"": {"a": {"b": [1, 2.0]}}}), json!("123"), json!("null"),
        ];
        check::<Tree>(db, values, TREE).await;
    }

    async fn a_type_of_one_s_own(db: TestDb) {
        check::<Typed>(db, vec![Json(Settings::default()), Json(dark())], TYPED).await;
    }

    async fn a_change_inside_is_noticed_at_flush(db: TestDb) {
        let sessions = documents(&db).await.sessionmaker();
        let mut session = sessions.open();
        let row = session.add(document(json!({"tags": ["a"]}), None));
        session.commit().await.unwrap();
        session[row].metadata["tags"][0] = json!("b");
        session[row].settings.sizes.push(4.0);
        assert!(session.is_modified(row).unwrap());
        session.commit().await.unwrap();
        // What is borrowed to be changed and is not changed sends nothing.
        session[row].settings.sizes.reverse();
        session[row].settings.sizes.reverse();
        let before = session.stats();
        session.commit().await.unwrap();
        assert_eq!(session.stats().statements, before.statements);
        let mut other = sessions.open();
        let row = other.one(select(Document)).await.unwrap();
        assert_eq!(other[row].metadata, json!({"tags": ["b"]}));
        assert_eq!(other[row].settings.sizes, [1.0, 2.5, 4.0]);
    }

    async fn null_of_sql_is_not_null_of_json(db: TestDb) {
        let sessions = documents(&db).await.sessionmaker();
        let mut session = sessions.open();
        session.add(document(Value::Null, None));
        session.add(document(Value::Null, Some(Value::Null)));
        session.commit().await.unwrap();
        assert_eq!(session.count(select(Document).filter(Document.extra.is_null())).await.unwrap(), 1);
        let mut other = sessions.open();
        let rows = other.all(select(Document).order_by(Document.id)).await.unwrap();
        let extra: Vec<_> = rows.iter().map(|row| other[*row].extra.clone()).collect();
        assert_eq!(extra, [None, Some(Value::Null)]);
        // PostgreSQL's `json` keeps the text that was sent, down to the order.
        let text = if db.is_postgres() { "settings::text" } else { "settings" };
        let text = limbeck::sql::trusted(format!("SELECT {text} FROM documents LIMIT 1")).rows::<String>();
        let found = session.first(text).await.unwrap().unwrap();
        assert_eq!(found, r#"{"theme":"dark","sizes":[1.0,2.5],"more":{"a":9223372036854775807}}"#);
    }

    async fn json_that_the_type_cannot_read_is_named(db: TestDb) {
        let engine = engine::<Typed>(&db, TYPED[0]).await;
        let mut session = engine.sessionmaker().open();
        session.execute(sql(r#"INSERT INTO things (value, maybe, given) VALUES ('{"theme": 7}', NULL, '{}')"#)).await.unwrap();
        let error = session.all(select(Typed)).await.unwrap_err().to_string();
        assert!(error.starts_with("cannot read things.value: expected JSON of the column's type, found the"), "{error}");
        assert!(error.contains(r#"{"theme": 7}"#) || error.contains(r#"{\"theme\": 7}"#), "{error}");
        assert!(error.contains("invalid type: integer `7`, expected a string"), "{error}");
    }

    /// PostgreSQL by its types, SQLite by a CHECK.
    async fn what_is_no_json_is_refused_by_the_database(db: TestDb) {
        let engine = engine_of_notes(&db).await;
        let mut session = engine.sessionmaker().open();
        let insert = |data: &str, tags: &str| {
            limbeck::sql::trusted(format!("INSERT INTO notes (data, tags, more) VALUES ('{data}', '{tags}', NULL)"))
        };
        let tags = if db.is_postgres() { "{a}" } else { "[\"a\"]" };
        session.execute(insert("{\"a\": 1}", tags)).await.unwrap();
        session.commit().await.unwrap();
        for (data, tags) in [("{a: 1}", tags), ("", tags), ("1 2", tags), ("1", "[a")] {
            let error = session.execute(insert(data, tags)).await.unwrap_err();
            session.rollback().await.unwrap();
            if !db.is_postgres() {
                let name = if tags == "[a" { "ck_notes_tags" } else { "ck_notes_data_json" };
                assert!(matches!(error, limbeck::Error::CheckViolation(_)), "{error:?}");
                assert!(error.to_string().contains(name), "{error}");
            }
        }
        let note = session.one(select(Note)).await.unwrap();
        assert_eq!((&session[note].data, &session[note].more), (&json!({"a": 1}), &None));
        assert_eq!(session[note].tags, ["a"]);
    }

    async fn what_json_cannot_hold_is_refused_before_it_is_sent(db: TestDb) {
        let engine = documents(&db).await;
        let mut session = engine.sessionmaker().open();
        let row = session.add(document(json!({"a": "\0"}), None));
        let error = session.flush().await.unwrap_err().to_string();
        assert_eq!(error, "Document.metadata: JSON with a NUL character, which PostgreSQL cannot hold");
        session[row].metadata = json!({"a": "\\u0000"});
        session.flush().await.unwrap();
    }
}
