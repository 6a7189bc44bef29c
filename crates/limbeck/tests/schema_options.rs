//! What a model says of its table beyond columns and keys, on real databases.

use limbeck::Error;
use limbeck::dialect::{Dialect, ddl};
use limbeck::prelude::*;
use limbeck::schema::{Identity, Metadata};
use limbeck_test_support::{TestDb, both};

#[derive(Model, Debug)]
#[model(
    schema = "shop",
    comment = "What was ordered; it's kept for \\ ever",
    check("quantity < 1000"),
    unique(customer, reference),
    index(customer, price desc),
    index("lower(reference)", name = "ix_orders_reference", unique, where = "quantity > 0"),
    index(reference collate(postgres = "C"), name = "ix_orders_c", method = "btree", include(price)),
)]
struct Order {
    #[column(primary_key, identity(always, start = 100, increment = 10))]
    id: i64,
    #[column(index(method = "hash"), comment = "The name.")]
    customer: String,
    #[column(collation(postgres = "C", sqlite = "NOCASE"))]
    reference: String,
    #[column(check("price >= 0", name = "ck_positive"))]
    price: i64,
    #[column(default = 1, check("quantity > 0"))]
    quantity: i64,
    #[column(computed("price * quantity", stored))]
    total: i64,
    #[column(computed("nullif(price, 0)"))]
    charged: Option<i64>,
    #[relationship(back_populates = order)]
    parts: HasMany<Part>,
    #[relationship(secondary = "order_tags", back_populates = orders)]
    tags: ManyToMany<Tag>,
}

#[derive(Model, Debug)]
#[model(schema = "stock")]
struct Part {
    #[column(primary_key)]
    id: i64,
    name: String,
    #[column(foreign_key(Order.id, on_delete = cascade, name = "fk_part_order"), unique(name = "uq_one_part"))]
    order_id: i64,
    #[relationship(back_populates = parts)]
    order: BelongsTo<Order>,
}

#[derive(Model, Debug)]
#[model(schema = "shop")]
struct Tag {
    #[column(primary_key)]
    id: i64,
    name: String,
    #[relationship(secondary = "order_tags", back_populates = tags)]
    orders: ManyToMany<Order>,
}

fn models() -> Metadata {
    limbeck::metadata![Order, Part, Tag].expect("metadata")
}

async fn engine(db: &TestDb) -> Engine {
    let engine = Engine::builder(db.url()).connect().await.expect("an engine");
    let models = models();
    engine.create_all(&models).await.expect("tables");
    engine.create_all(&models).await.expect("tables that are there are left");
    engine
}

fn order(customer: &str, reference: &str, price: i64) -> impl limbeck::model::New<Model = Order> {
    Order::builder().customer(customer).reference(reference).price(price)
}

both! {
    async fn a_computed_column_is_read_back_after_every_write(db: TestDb) {
        let engine = engine(&db).await;
        let mut session = engine.sessionmaker().open();
        let orders = [session.add(order("ada", "a", 5)), session.add(order("ada", "b", 7)), session.add(order("b", "c", 0))];
        session.commit().await.expect("three orders");
        let totals = |session: &limbeck::session::Session| orders.map(|o| (session[o].total, session[o].charged));
        assert_eq!(totals(&session), [(5, Some(5)), (7, Some(7)), (0, None)]);

        // Several rows of one shape, of which the database may give back any first; then one.
        for (n, order) in orders.into_iter().rev().enumerate() {
            session[order].quantity = n as i64 + 2;
        }
        session.flush().await.expect("three updates");
        assert_eq!(totals(&session), [(20, Some(5)), (21, Some(7)), (0, None)]);
        session[orders[2]].price = 9;
        session.commit().await.expect("an update");
        assert_eq!(totals(&session)[2], (18, Some(9)));
        assert_eq!(session.all(select(Order.total).order_by(Order.total)).await.expect("totals"), [18, 20, 21]);

        // What came back is not taken for a change.
        assert!(session.dirty(Order).next().is_none());
    }

    async fn what_a_flush_read_back_is_forgotten_when_it_is_rolled_back(db: TestDb) {
        let engine = engine(&db).await;
        let mut session = engine.sessionmaker().open();
        let order = session.add(order("ada", "a", 5));
        session.commit().await.expect("an order");
        session[order].price = 50;
        session.flush().await.expect("an update");
        assert_eq!(session[order].total, 50);
        session.rollback().await.expect("a rollback");
        assert_eq!((session[order].price, session[order].total), (5, 5));
    }

    async fn nothing_is_written_to_what_the_database_makes(db: TestDb) {
        let engine = engine(&db).await;
        let mut session = engine.sessionmaker().open();
        let one = session.add(order("ada", "a", 5));
        session.commit().await.expect("an order");
        session[one].total = 99;
        let error = session.flush().await.expect_err("a computed column was set");
        let Error::InvalidValue { model: "Order", column: "total", reason, .. } = &error else { panic!("{error}") };
        assert!(reason.contains("computes"), "{reason}");
        session.rollback().await.expect("a rollback");

        // By value, a computed column holds something; what it holds does not count, but a key that is said does.
        let by_value = |id: i64, reference: &str| Order {
            id,
            customer: "grace".into(),
            reference: reference.into(),
            price: 3,
            quantity: 2,
            total: -1,
            charged: None,
            parts: HasMany::default(),
            tags: ManyToMany::default(),
        };
        let added = session.add(by_value(0, "x"));
        session.flush().await.expect("an order by value");
        assert_eq!((session[added].total, session[added].charged), (6, Some(3)));
        session.add(by_value(7, "y"));
        let error = session.flush().await.expect_err("a key was given");
        assert!(matches!(error, Error::InvalidValue { column: "id", .. }), "{error}");
    }

    async fn tables_of_schemas_are_read_and_written(db: TestDb) {
        let engine = engine(&db).await;
        let mut session = engine.sessionmaker().open();
        let (red, blue) = (session.add(Tag::builder().name("red")), session.add(Tag::builder().name("blue")));
        let one = session.add(Order::builder().customer("ada").reference("a").price(5).tags([red, blue]));
        let part = session.add(Part::builder().name("wheel").order(one));
        session.commit().await.expect("a graph");
        if db.is_postgres() {
            assert_eq!(session[one].id, 100);
        }
        session.unlink(one, Order.tags, blue).expect("an unlink");
        session[part].name = "axle".into();
        session.commit().await.expect("an update");

        let mut session = engine.sessionmaker().open();
        let found = session
            .all(select(Order).join(Order.parts).filter(Part.name.eq("axle")).with(Order.parts).with(Order.tags))
            .await
            .expect("a query over two schemas");
        assert_eq!(found.len(), 1);
        let one = &session[found[0]];
        assert_eq!((one.parts.len(), one.tags.len()), (1, 1));
        let tagged = session.all(select(Tag).join(Tag.orders).filter(Order.customer.eq("ada"))).await.expect("tags");
        assert_eq!(tagged.len(), 1);
        let part = session.one(select(Part).with(Part.order)).await.expect("a part");
        assert_eq!(session[part].order.get(), Some(found[0]));
        let again = session.get(Order, session[found[0]].id).await.expect("a row");
        assert_eq!(again, Some(found[0]));
        session.delete(found[0]).expect("a delete");
        session.commit().await.expect("it goes with what refers to it");
        assert_eq!(session.count(select(Part)).await.expect("a count"), 0);
    }

    async fn constraints_hold_and_are_named(db: TestDb) {
        let engine = engine(&db).await;
        let mut session = engine.sessionmaker().open();
        let added = session.add(order("ada", "a", 5));
        session.add(Part::builder().name("wheel").order(added));
        session.commit().await.expect("an order");
        for (wrong, constraint) in [
            (Order::builder().customer("x").reference("1").price(-1).quantity(1), "ck_positive"),
            (Order::builder().customer("x").reference("1").price(1).quantity(0), "ck_orders_quantity"),
            (Order::builder().customer("x").reference("1").price(1).quantity(2000), "ck_orders_quantity_1000"),
        ] {
            session.add(wrong);
            let error = session.flush().await.expect_err(constraint);
            let Error::CheckViolation(violation) = &error else { panic!("{error}") };
            assert_eq!(violation.constraint.as_deref(), Some(constraint));
            session.rollback().await.expect("a rollback");
        }
        // The unique index is over the lower case, of rows that count.
        session.add(order("ada", "A", 5));
        let error = session.flush().await.expect_err("the reference is there");
        assert!(matches!(error, Error::UniqueViolation(_)), "{error}");
        session.rollback().await.expect("a rollback");
        session.add(Part::builder().name("second").order(added));
        let error = session.flush().await.expect_err("an order has one part");
        assert!(matches!(error, Error::UniqueViolation(_)), "{error}");
    }
}

#[derive(Model, Debug)]
struct Account {
    #[column(primary_key)]
    id: i64,
    #[column(unique, type = "short_name")]
    name: String,
}

both! {
    async fn a_type_without_a_rust_name_is_text(db: TestDb) {
        let engine = Engine::builder(db.url()).connect().await.expect("an engine");
        if db.is_postgres() {
            let mut connection = engine.connect().await.expect("a connection");
            connection.execute_raw("CREATE DOMAIN short_name AS text CHECK (length(VALUE) < 5)").await.expect("a type");
        }
        engine.create_all(&limbeck::metadata![Account].expect("metadata")).await.expect("a table");
        let mut session = engine.sessionmaker().open();
        session.add_all([Account::builder().name("ada"), Account::builder().name("bob")]);
        session.commit().await.expect("two accounts");
        let mut session = engine.sessionmaker().open();
        let ada = session.one(select(Account).filter(Account.name.eq("ada"))).await.expect("one");
        assert_eq!(session[ada].name, "ada");
        session[ada].name = "eve".into();
        session.commit().await.expect("an update");
        if db.is_postgres() {
            session[ada].name = "too long".into();
            let error = session.commit().await.expect_err("the type's own check");
            assert!(matches!(error, Error::CheckViolation(_)), "{error}");
        }
    }
}

#[test]
fn each_database_is_told_what_it_has_a_notion_of() {
    let postgres = ddl::create_all(Dialect::Postgres, &models()).expect("statements").join(";\n");
    for part in [
        "CREATE SCHEMA IF NOT EXISTS shop",
        "CREATE TABLE IF NOT EXISTS shop.orders (",
        "id BIGINT GENERATED ALWAYS AS IDENTITY (START WITH 100 INCREMENT BY 10) NOT NULL",
        "reference VARCHAR COLLATE \"C\" NOT NULL",
        "total BIGINT GENERATED ALWAYS AS (price * quantity) STORED NOT NULL",
        "CONSTRAINT uq_orders_customer_reference UNIQUE (customer, reference)",
        "CONSTRAINT ck_positive CHECK (price >= 0)",
        "CONSTRAINT ck_orders_quantity CHECK (quantity > 0)",
        "CREATE INDEX IF NOT EXISTS ix_orders_customer_price ON shop.orders (customer, price DESC)",
        "CREATE UNIQUE INDEX IF NOT EXISTS ix_orders_reference ON shop.orders ((lower(reference))) WHERE quantity > 0",
        "CREATE INDEX IF NOT EXISTS ix_orders_c ON shop.orders (reference COLLATE \"C\") INCLUDE (price)",
        "CREATE INDEX IF NOT EXISTS ix_orders_customer ON shop.orders USING hash (customer)",
        "COMMENT ON TABLE shop.orders IS E'What was ordered; it''s kept for \\\\ ever'",
        "COMMENT ON COLUMN shop.orders.customer IS 'The name.'",
        "CONSTRAINT fk_part_order FOREIGN KEY (order_id) REFERENCES shop.orders (id) ON DELETE CASCADE",
        "CONSTRAINT uq_one_part UNIQUE (order_id)",
        "CREATE TABLE IF NOT EXISTS shop.order_tags (",
        "REFERENCES shop.tags (id)",
    ] {
        assert!(postgres.contains(part), "{part}\n{postgres}");
    }
    let sqlite = ddl::create_all(Dialect::Sqlite, &models()).expect("statements").join(";\n");
    for part in [
        "CREATE TABLE IF NOT EXISTS orders (\n    id INTEGER NOT NULL,",
        "reference VARCHAR COLLATE \"NOCASE\" NOT NULL",
        "total INTEGER GENERATED ALWAYS AS (price * quantity) STORED NOT NULL",
        "CREATE INDEX IF NOT EXISTS ix_orders_customer ON orders (customer)",
        "CREATE UNIQUE INDEX IF NOT EXISTS ix_orders_reference ON orders ((lower(reference))) WHERE quantity > 0",
        "REFERENCES orders (id)",
    ] {
        assert!(sqlite.contains(part), "{part}\n{sqlite}");
    }
    for part in ["SCHEMA", "shop.", "COMMENT", "USING", "IDENTITY", "INCLUDE"] {
        assert!(!sqlite.contains(part), "{part}\n{sqlite}");
    }
}

#[test]
fn options_are_in_the_metadata() {
    let models = models();
    let orders = models.table("shop.orders").expect("a table");
    assert_eq!(
        orders.column("id").and_then(|id| id.identity),
        Some(Identity { always: true, start: 100, increment: 10 })
    );
    assert_eq!(orders.full_name().to_string(), "shop.orders");
    assert!(models.table("orders").is_none(), "that would be the current schema's");
    assert_eq!(models.table("stock.parts").expect("a table").foreign_keys[0].target().to_string(), "shop.orders");
}

mod elsewhere {
    use limbeck::prelude::*;

    #[derive(Model, Debug)]
    #[model(schema = "legacy", table = "tags", unique(name, nulls_not_distinct))]
    pub(super) struct OldTag {
        #[column(primary_key)]
        pub(super) id: i64,
        pub(super) name: Option<String>,
    }
}

#[test]
fn what_a_database_cannot_hold_is_refused_by_name() {
    let models = limbeck::metadata![Order, Part, Tag, elsewhere::OldTag].expect("two schemas are two tables");
    ddl::create_all(Dialect::Postgres, &models).expect("statements");
    let error = ddl::create_all(Dialect::Sqlite, &models).expect_err("one table for two models").to_string();
    assert!(error.contains("elsewhere::OldTag") && error.contains("schema_options::Tag"), "{error}");
    let alone = limbeck::metadata![elsewhere::OldTag].expect("metadata");
    let error = ddl::create_all(Dialect::Sqlite, &alone).expect_err("SQLite cannot check it").to_string();
    assert!(error.contains("nulls_not_distinct") && error.contains("tags"), "{error}");
}

#[derive(Model, Debug)]
#[model(was = "articles")]
struct Post {
    #[column(primary_key)]
    id: i64,
    #[column(was = "name")]
    title: String,
}

#[test]
fn a_model_says_what_its_table_and_columns_were_called() {
    let metadata = limbeck::metadata![Post].expect("metadata");
    let posts = metadata.table("posts").expect("the table");
    assert_eq!(posts.was.as_deref(), Some("articles"));
    let was: Vec<_> = posts.columns.iter().map(|column| (column.name.as_str(), column.was.as_deref())).collect();
    assert_eq!(was, [("id", None), ("title", Some("name"))]);
}
