//! `#[model(embed)]`: structs whose columns join those of a model.
#![cfg(all(feature = "sqlite", feature = "postgres"))]
#![allow(missing_docs, unreachable_pub)]

use limbeck::model::{Embedded, Timestamps};
use limbeck::prelude::*;
use limbeck::schema::SqlType;
use limbeck::session::Session;
use limbeck::{Error, Result};
use limbeck_test_support::{TestDb, both};

#[derive(Embed, Clone, Debug, PartialEq)]
pub struct Address {
    pub street: String,
    #[column(length = 10, index, name = "postcode")]
    pub zip: String,
    pub note: Option<String>,
}

#[derive(Embed, Clone, Debug, PartialEq)]
pub struct Size {
    #[column(default = 1)]
    pub width: i32,
    #[column(server_default = "2")]
    pub height: i32,
}

/// One that embeds another.
#[derive(Embed, Clone, Debug, PartialEq)]
pub struct Look {
    pub colour: Option<String>,
    #[model(embed, prefix = "size_")]
    pub size: Size,
}

#[derive(Embed, Clone, Debug, PartialEq)]
pub struct Owner {
    #[column(foreign_key(Customer.id, on_delete = set_null))]
    pub owner_id: Option<i64>,
    #[column(unique)]
    pub tag: Option<String>,
}

#[derive(Model, Debug)]
pub struct Customer {
    #[column(primary_key)]
    pub id: i64,
    #[model(embed, prefix = "home_")]
    pub home: Address,
    pub name: String,
    #[model(embed, prefix = "billing_")]
    pub billing: Address,
    #[model(embed)]
    pub timestamps: Timestamps,
    #[column(text)]
    pub notes: Deferred<Option<String>>,
}

#[derive(Model, Debug)]
#[model(
    unique(look.size.width, owner.tag),
    index(look.colour desc, id, include(look.size.height)),
    index(owner.tag, name = "ix_tagged", unique, where = "tag IS NOT NULL")
)]
pub struct Thing {
    #[column(primary_key)]
    pub id: i64,
    #[model(embed)]
    pub look: Look,
    #[model(embed)]
    pub owner: Owner,
}

async fn session(db: &TestDb) -> Session {
    let engine = Engine::builder(db.url()).connect().await.expect("a database");
    let metadata = limbeck::metadata![Customer, Thing].expect("models that fit");
    engine.create_all(&metadata).await.expect("tables");
    engine.sessionmaker().open()
}

fn address(street: &str) -> Address {
    Address { street: street.into(), zip: "10115".into(), note: None }
}

#[test]
fn embedded_columns_come_after_the_model_s_own_and_before_deferred_ones() {
    let names: Vec<_> = Customer::def().columns.iter().map(|column| (column.field, column.name)).collect();
    assert_eq!(
        names,
        [
            ("id", "id"),
            ("name", "name"),
            ("home.street", "home_street"),
            ("home.zip", "home_postcode"),
            ("home.note", "home_note"),
            ("billing.street", "billing_street"),
            ("billing.zip", "billing_postcode"),
            ("billing.note", "billing_note"),
            ("timestamps.created_at", "created_at"),
            ("timestamps.updated_at", "updated_at"),
            ("notes", "notes"),
        ]
    );
    assert_eq!(Customer.billing.zip.def().name, "billing_postcode");
    assert_eq!(Customer.notes.def().name, "notes");
    assert_eq!(format!("{:?}", Customer.timestamps.updated_at), "Customer.timestamps.updated_at");
}

#[test]
fn options_of_the_table_name_embedded_columns_by_their_path() {
    let metadata = limbeck::metadata![Customer, Thing].expect("models that fit");
    let things = metadata.tables.iter().find(|table| table.name == "things").expect("it is there");
    let uniques: Vec<_> = things.uniques.iter().map(|unique| unique.columns.join(", ")).collect();
    assert_eq!(uniques, ["tag", "size_width, tag"]);
    let index = |name: &str| things.indexes.iter().find(|index| index.name == name).expect("it is there");
    let options = index("ix_things_colour_id").options.as_ref().expect("it has some");
    assert_eq!(
        (options.columns(), options.include.as_slice()),
        (vec!["colour".to_string(), "id".to_string()], ["size_height".to_string()].as_slice(),)
    );
    assert_eq!(index("ix_tagged").columns, ["tag"]);
}

#[test]
fn nested_structs_prefix_in_turn() {
    let names: Vec<_> = Thing::def().columns.iter().map(|column| (column.field, column.name)).collect();
    assert_eq!(
        names,
        [
            ("id", "id"),
            ("look.colour", "colour"),
            ("look.size.width", "size_width"),
            ("look.size.height", "size_height"),
            ("owner.owner_id", "owner_id"),
            ("owner.tag", "tag"),
        ]
    );
    assert_eq!(Thing.look.size.height.def().server_default, Some("2"));
    const { assert!(<Look as Embedded>::DEFAULTED && <Timestamps as Embedded>::DEFAULTED) };
    const { assert!(!<Address as Embedded>::DEFAULTED) };
}

#[test]
fn the_options_of_embedded_columns_hold() {
    let metadata = limbeck::metadata![Customer, Thing].unwrap();
    let customers = metadata.table("customers").unwrap();
    assert_eq!(customers.column("home_postcode").unwrap().sql_type, SqlType::String { length: Some(10) });
    let indexes: Vec<_> = customers.indexes.iter().map(|index| index.name.as_str()).collect();
    assert_eq!(indexes, ["ix_customers_home_postcode", "ix_customers_billing_postcode"]);
    let things = metadata.table("things").unwrap();
    assert_eq!(things.foreign_keys[0].name.as_deref(), Some("fk_things_owner_id_customers"));
    assert_eq!(things.uniques[0].name.as_deref(), Some("uq_things_tag"));
    assert_eq!(things.indexes[0].name, "ix_things_owner_id");
}

#[test]
fn an_alias_has_the_embedded_columns_too() {
    let other = Customer.alias("other");
    let sql = select(other.home.street).to_sql(limbeck::dialect::Dialect::Sqlite).unwrap();
    assert_eq!(sql, "SELECT other.home_street FROM customers AS other");
}

both! {
    async fn an_embedded_struct_is_written_read_and_changed(db: TestDb) -> Result<()> {
        let mut session = session(&db).await;
        let before = Utc::now();
        let ada = session.add(Customer::builder().name("Ada").home(address("Home St")).billing(address("Bill Rd")));
        session.commit().await?;
        let created = session[ada].timestamps.created_at;
        assert!(created >= before - chrono::Duration::seconds(1));

        session[ada].billing.note = Some("c/o".into());
        session.commit().await?;
        assert_eq!(session[ada].timestamps.created_at, created);
        assert!(session[ada].timestamps.updated_at > session[ada].timestamps.created_at);
        let updated = session[ada].timestamps.updated_at;
        session[ada].timestamps.updated_at = created;
        session.commit().await?;
        assert_eq!(session[ada].timestamps.updated_at, created);

        session.expunge_all();
        let found = select(Customer).filter(Customer.billing.note.eq("c/o")).filter(Customer.home.street.eq("Home St"))
            .filter(Customer.timestamps.updated_at.lt(updated));
        let ada = session.one(found).await?;
        assert_eq!(session[ada].home, address("Home St"));
        assert_eq!(session[ada].billing, Address { note: Some("c/o".into()), ..address("Bill Rd") });
        assert_eq!(session[ada].timestamps, Timestamps { created_at: created, updated_at: created });
        session.load_column(ada, Customer.notes).await?;
        assert_eq!(*session[ada].notes, None);
        session.set(ada, Customer.home.street, "New St".to_string())?;
        session.commit().await?;
        assert_eq!(session.one(select(Customer.home.street)).await?, "New St");
        Ok(())
    }

    async fn what_has_defaults_is_left_out_of_a_new_object(db: TestDb) -> Result<()> {
        let mut session = session(&db).await;
        let plain = session.add(Thing::builder());
        let size = Size { width: 7, height: 8 };
        let given = session.add(Thing::builder().look(Look { colour: Some("red".into()), size: size.clone() }));
        session.commit().await?;
        assert_eq!(session[plain].look, Look { colour: None, size: Size { width: 1, height: 2 } });
        assert_eq!(session[given].look.size, size);
        session.refresh(plain).await?;
        assert_eq!(session[plain].look.size, Size { width: 1, height: 2 });
        Ok(())
    }

    async fn a_rollback_brings_embedded_columns_back(db: TestDb) -> Result<()> {
        let mut session = session(&db).await;
        let thing = session.add(Thing::builder());
        session.commit().await?;
        session[thing].look.size.width = 9;
        session.flush().await?;
        session[thing].look.colour = Some("blue".into());
        session.rollback().await?;
        assert_eq!(session[thing].look, Look { colour: None, size: Size { width: 1, height: 2 } });
        Ok(())
    }

    async fn a_broken_rule_names_the_embedded_column(db: TestDb) -> Result<()> {
        let mut session = session(&db).await;
        let owner = Owner { owner_id: None, tag: Some("same".into()) };
        session.add_all([0, 1].map(|_| Thing::builder().owner(owner.clone())));
        let Err(Error::UniqueViolation(violation)) = session.commit().await else { panic!("two of one tag") };
        assert_eq!(violation.columns, ["tag"]);
        let mut session = self::session(&db).await;
        session.add(Customer::builder().name("x").home(address("a\0b")).billing(address("")));
        let error = session.commit().await.unwrap_err().to_string();
        assert!(error.contains("home.street"), "{error}");
        Ok(())
    }
}
