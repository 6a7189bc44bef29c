//! Foreign keys of several columns: in the metadata, in the database, and their types.

use limbeck::prelude::*;
use limbeck::schema::{Action, Deferrable};
use limbeck::{dialect::Dialect, dialect::ddl};
use limbeck_test_support::{TestDb, both};

#[derive(Model, Debug)]
struct OrderLine {
    #[column(primary_key)]
    order_id: i64,
    #[column(primary_key)]
    line_no: i32,
    article: String,
}

#[derive(Model, Debug)]
#[model(foreign_key((order_id, line), OrderLine(order_id, line_no), on_delete = cascade, deferrable = initially_deferred))]
struct Delivery {
    #[column(primary_key)]
    id: i64,
    order_id: i64,
    #[column(name = "line_number")]
    line: Option<i32>,
}

#[test]
fn a_key_of_several_columns_is_in_the_metadata_with_an_index() {
    let def = <Delivery as limbeck::model::Model>::def();
    assert_eq!(def.foreign_keys[0].columns, [1, 2]);
    assert_eq!(def.foreign_keys[0].fields, ["order_id", "line_no"]);
    assert_eq!((def.foreign_keys[0].target)().name, "OrderLine");
    let metadata = limbeck::metadata![OrderLine, Delivery].expect("metadata");
    let table = metadata.table("deliveries").expect("a table");
    let key = &table.foreign_keys[0];
    assert_eq!(key.name.as_deref(), Some("fk_deliveries_order_id_line_number_order_lines"));
    assert_eq!(
        (&key.columns[..], &key.target_columns[..]),
        (
            &["order_id".to_string(), "line_number".to_string()][..],
            &["order_id".to_string(), "line_no".to_string()][..]
        )
    );
    assert_eq!((key.on_delete, key.deferrable), (Action::Cascade, Deferrable::InitiallyDeferred));
    assert_eq!(table.indexes[0].name, "ix_deliveries_order_id_line_number");
    assert!(ddl::create_table(Dialect::Postgres, table).contains(
        "FOREIGN KEY (order_id, line_number) REFERENCES order_lines (order_id, line_no) ON DELETE CASCADE DEFERRABLE \
         INITIALLY DEFERRED"
    ));
}

both! {
    async fn a_deferred_key_is_checked_at_the_commit(db: TestDb) {
        let engine = Engine::builder(db.url()).connect().await.expect("an engine");
        engine.create_all(&limbeck::metadata![OrderLine, Delivery].expect("metadata")).await.expect("tables");
        let sessions = engine.sessionmaker();
        let mut session = sessions.open();
        session.add(Delivery::builder().order_id(1).line(7));
        session.flush().await.expect("the order may come later");
        session.add(OrderLine::builder().order_id(1).line_no(7).article("lamp"));
        session.commit().await.expect("both are there");
        session.add(Delivery::builder().order_id(2).line(7));
        session.flush().await.expect("not checked yet");
        let error = session.commit().await.expect_err("there is no such line");
        assert!(matches!(error, limbeck::Error::ForeignKeyViolation(_)), "{error}");
    }
}
