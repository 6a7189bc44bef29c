//! Any schema from any other: after the upgrade nothing differs, after the downgrade it is what it was.
//!
//! Schemas are drawn from a seed, which the failure names.

mod support;

use limbeck::dialect::Dialect;
use limbeck::schema::{
    Action, ArrayType, Check, Collation, Column, Computed, Deferrable, EnumType, Identity, Index, IndexKey, IndexOn,
    IndexOptions, Metadata, SqlType, Table, naming,
};
use limbeck_test_support::{Kind, TestDb};
use support::{Project, With, metadata, sorted, table};

/// xorshift: enough to draw from, the same everywhere.
struct Draw(u64);

impl Draw {
    fn below(&mut self, end: usize) -> usize {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        usize::try_from(self.0 % end as u64).unwrap()
    }

    fn chance(&mut self, percent: usize) -> bool {
        self.below(100) < percent
    }

    fn one<T: Clone>(&mut self, of: &[T]) -> T {
        of[self.below(of.len())].clone()
    }
}

const NAMES: [&str; 6] = ["alpha", "beta", "Gamma", "order", "epsilon", "zeta"];

/// A type and the defaults that it may have.
fn types() -> Vec<(SqlType, &'static [&'static str])> {
    vec![
        (SqlType::SmallInteger, &["0", "-7"]),
        (SqlType::Integer, &["0", "40 + 2", "-1"]),
        (SqlType::BigInteger, &["12345678901"]),
        (SqlType::Real, &["0.5"]),
        (SqlType::Double, &["1.25", "1e3"]),
        (SqlType::Boolean, &["true", "false"]),
        (SqlType::String { length: Some(20) }, &["''", "'it''s'", "lower('ABC')"]),
        (SqlType::String { length: None }, &["'a,b(c'", "'NULL'"]),
        (SqlType::Text, &["'-- no comment'", "'two\nlines'"]),
        (SqlType::DateTime { timezone: true }, &["CURRENT_TIMESTAMP"]),
        (SqlType::DateTime { timezone: false }, &["CURRENT_TIMESTAMP"]),
        (SqlType::Date, &["CURRENT_DATE"]),
        (SqlType::Time, &["'12:30:00'", "CURRENT_TIME"]),
        (SqlType::Interval, &["'00:00:01'"]),
        (SqlType::Numeric { precision: Some(10), scale: 2 }, &["0", "1.50"]),
        (SqlType::Numeric { precision: None, scale: 0 }, &["0.000001"]),
        (SqlType::LargeBinary, &["''"]),
        (SqlType::Json { binary: true }, &["'{}'", "'[1, \"a\"]'", "'null'"]),
        (SqlType::Uuid { text: false }, &["'00000000-0000-0000-0000-000000000001'"]),
        (SqlType::Uuid { text: true }, &["'00000000000000000000000000000001'"]),
        (SqlType::Array(ArrayType::new(&SqlType::Integer)), &["'{}'"]),
        (SqlType::Array(ArrayType::new(&SqlType::Text)), &["'{}'"]),
        (SqlType::Array(ArrayType::new(&SqlType::Numeric { precision: None, scale: 0 })), &["'{}'"]),
        (SqlType::Array(ArrayType::new(&SqlType::Uuid { text: false })), &["'{}'"]),
        (SqlType::Array(ArrayType::new(&SqlType::DateTime { timezone: true })), &["'{}'"]),
    ]
}

/// An enum, which has the same values in all of a schema, and the defaults that columns of it may have.
fn moods(draw: &mut Draw) -> (SqlType, &'static [&'static str]) {
    let (values, defaults): (&[&str], &'static [&'static str]) = draw.one(&[
        (&["good", "it's so-so"][..], &["'good'", "'it''s so-so'"][..]),
        (&["bad", "good", "it's so-so", "new"][..], &["'good'", "'new'"][..]),
        (&["good", "bad"][..], &["'bad'"][..]),
    ]);
    (SqlType::Enum(EnumType::read("Mood".into(), values.iter().map(|v| (*v).to_string()).collect())), defaults)
}

fn schema(draw: &mut Draw, kind: Kind) -> Metadata {
    let mut names: Vec<&str> = NAMES.to_vec();
    names.retain(|_| draw.chance(60));
    let mood = moods(draw);
    let mut tables: Vec<Table> = names.iter().map(|name| one_table(draw, name, &names, &mood)).collect();
    for table in &mut tables {
        say_more(draw, kind, table);
    }
    // A table may be in another schema; what refers to it says so.
    let schemas: Vec<Option<String>> =
        tables.iter().map(|_| draw.chance(20).then(|| draw.one(&["shop", "Other one"]).to_string())).collect();
    for (table, schema) in tables.iter_mut().zip(&schemas) {
        table.schema.clone_from(schema);
        for key in &mut table.foreign_keys {
            let target = names.iter().position(|name| *name == key.target_table).unwrap();
            key.target_schema.clone_from(&schemas[target]);
        }
    }
    metadata(tables)
}

/// Comments, checks, collations, computed and numbered columns, and indexes that are more than columns.
fn say_more(draw: &mut Draw, kind: Kind, table: &mut Table) {
    let postgres = kind == Kind::Postgres;
    let texts = ["it's", "a \\ b", "two\nlines", "$limbeck$"];
    let quoted = |name: &str| Dialect::Postgres.ident(name);
    table.comment = draw.chance(20).then(|| draw.one(&texts).to_string());
    let mut number = 0;
    let mut unused = |what: &str| {
        number += 1;
        format!("{what}_{}_{number}", table.name)
    };
    let (mut checks, mut indexes) = (Vec::new(), Vec::new());
    let mut check =
        |name: String, expression: String| checks.push(Check { name: Some(name), expression, ..Check::default() });
    for column in &mut table.columns {
        column.comment = draw.chance(15).then(|| draw.one(&texts).to_string());
        let name = quoted(&column.name);
        match column.sql_type {
            _ if column.generated => {
                let identity =
                    Identity { always: draw.chance(50), start: draw.one(&[1, 50]), increment: draw.one(&[1, 3]) };
                column.identity = Some(identity).filter(|identity| draw.chance(40) && *identity != Identity::default());
            }
            SqlType::SmallInteger | SqlType::Integer | SqlType::BigInteger
                if !["ref", "id", "k"].contains(&column.name.as_str()) && draw.chance(40) =>
            {
                column.server_default = None;
                let expression = draw.one(&["id + 1", "id * 2", "coalesce(id, 7)", "abs( id )"]).to_string();
                column.computed = Some(Computed { expression, stored: postgres || draw.chance(60) });
            }
            SqlType::SmallInteger | SqlType::Integer | SqlType::Double if draw.chance(30) => {
                check(unused("ck"), draw.one(&[format!("{name} > -100"), format!("{name} BETWEEN 1 AND 5 OR id > 3")]));
            }
            SqlType::String { .. } | SqlType::Text => {
                if draw.chance(25) {
                    column.collation =
                        Some(draw.one(&[("C", "NOCASE"), ("POSIX", "RTRIM")])).map(|(postgres, sqlite)| Collation {
                            postgres: Some(postgres.into()),
                            sqlite: Some(sqlite.into()),
                        });
                }
                if draw.chance(25) {
                    check(unused("ck"), draw.one(&[format!("{name} <> 'it''s'"), format!("length({name}) < 40")]));
                }
                if draw.chance(25) {
                    indexes.push((IndexOn::Expression(format!("lower({name})")), column.name.clone()));
                }
            }
            // Of the name that the check of the type would have.
            SqlType::Json { .. } | SqlType::Array(_) if draw.chance(30) => {
                check(naming::check(&table.name, &column.name), format!("{name} IS NOT NULL OR id > 0"));
            }
            _ => {}
        }
        if draw.chance(30) {
            indexes.push((IndexOn::Column(column.name.clone()), column.name.clone()));
        }
    }
    if draw.chance(20) {
        check(unused("ck"), draw.one(&["id <> 5", "id<>5", "id > 0 AND id < 1000000"]).to_string());
    }
    for (on, column) in indexes {
        let key = IndexKey {
            on,
            descending: draw.chance(30),
            nulls_first: draw.chance(20).then(|| draw.chance(50)),
            opclass: None,
            collation: None,
        };
        let nulls_first = key.nulls_first.filter(|first| *first != key.descending);
        let hash = draw.chance(15) && !key.descending && nulls_first.is_none();
        let options = IndexOptions {
            keys: vec![IndexKey { nulls_first, ..key }],
            predicate: draw.chance(40).then(|| draw.one(&["id > 3", "id IS NOT NULL", "id in (1, 2)"]).to_string()),
            method: hash.then(|| "hash".to_string()),
            include: if draw.chance(20) && !hash && column != "id" { vec!["id".to_string()] } else { Vec::new() },
        };
        if !options.is_plain() {
            let unique = draw.chance(20) && !hash;
            let (name, columns) = (unused("ix"), options.columns());
            table.indexes.push(Index { name, columns, unique, options: Some(options), ..Index::default() });
        }
    }
    table.checks.extend(checks);
    for key in &mut table.foreign_keys {
        key.deferrable =
            draw.one(&[Deferrable::NotDeferrable, Deferrable::InitiallyImmediate, Deferrable::InitiallyDeferred]);
    }
    if postgres {
        table.uniques.iter_mut().filter(|unique| unique.columns != ["id"]).for_each(|unique| {
            unique.nulls_not_distinct = draw.chance(20);
        });
    }
}

fn one_table(draw: &mut Draw, name: &str, all: &[&str], mood: &(SqlType, &'static [&'static str])) -> Table {
    let mut out = table(name);
    let mut types = types();
    // As likely as some others together.
    types.extend(std::iter::repeat_n(mood.clone(), 5));
    let columns = ["a", "b", "Cc", "select", "d d"];
    for column in columns.into_iter().filter(|_| draw.chance(60)).collect::<Vec<_>>() {
        let (sql_type, defaults) = draw.one(&types);
        out.columns.push(Column {
            nullable: draw.chance(50),
            server_default: draw.chance(40).then(|| draw.one(defaults).to_string()),
            ..Column::new(column, sql_type)
        });
        if draw.chance(25) {
            out = out.unique(&[column]);
        }
        if draw.chance(25) {
            out = out.index(&[column]);
        }
    }
    if draw.chance(50) {
        let target = draw.one(all);
        let action = draw.one(&[Action::NoAction, Action::Restrict, Action::Cascade, Action::SetNull]);
        out = out.column("ref", SqlType::BigInteger).nullable().refers("ref", target, action);
        if draw.chance(50) {
            out.foreign_keys[0].on_update = draw.one(&[Action::Cascade, Action::SetNull, Action::SetDefault]);
        }
        if draw.chance(50) {
            out = out.index(&["ref"]);
        }
    }
    if draw.chance(20) {
        out = out.column("k", SqlType::Integer).key(&["id", "k"]);
        out.columns.iter_mut().for_each(|c| c.generated = false);
        // What refers to a table refers to a unique column of it.
        let columns = ["id".to_string()];
        out.uniques.push(limbeck::schema::UniqueConstraint {
            name: Some(naming::unique(name, &columns)),
            columns: columns.to_vec(),
            ..limbeck::schema::UniqueConstraint::default()
        });
    }
    out
}

async fn run(kind: Kind, seed: u64) {
    let Some(db) = TestDb::of(kind) else { return };
    let mut draw = Draw(seed.wrapping_mul(0x9e37_79b9_7f4a_7c15) | 1);
    let (first, second) = (schema(&mut draw, kind), schema(&mut draw, kind));
    let project = Project::new(db).await;
    let what = format!("{kind:?}, seed {seed}");
    let Some(_) = project.autogenerate("First", &first).await else { return };
    project.upgrade().await;
    assert_eq!(project.ops(&first).await, [], "{what}: after the first");
    let before = project.schema_of(&first).await;
    let Some(plan) = project.autogenerate("Second", &second).await else { return };
    if let Err(error) = project.migrator().upgrade(&project.engine, "head").await {
        panic!("{what}: {error}\n{plan:#?}");
    }
    assert_eq!(project.ops(&second).await, [], "{what}: after {plan:#?}");
    if let Err(error) = project.migrator().downgrade(&project.engine, "-1").await {
        panic!("{what}: {error}\n{plan:#?}");
    }
    assert_eq!(sorted(project.schema_of(&first).await), sorted(before), "{what}: back from {plan:#?}");
    project.engine.close().await;
}

/// How many schemas; `LIMBECK_PROPERTY_CASES` for more.
fn cases(default: u64) -> u64 {
    std::env::var("LIMBECK_PROPERTY_CASES").ok().and_then(|n| n.parse().ok()).unwrap_or(default)
}

#[tokio::test]
async fn any_schema_from_any_other_on_sqlite() {
    for seed in 1..=cases(60) {
        run(Kind::Sqlite, seed).await;
    }
}

#[tokio::test]
async fn any_schema_from_any_other_on_postgres() {
    for seed in 1..=cases(20) {
        run(Kind::Postgres, seed).await;
    }
}
