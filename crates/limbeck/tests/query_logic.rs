//! Random conditions: the database and a few lines of Rust agree on the rows, NULL and all.

use std::sync::Arc;

use limbeck::engine::Connection;
use limbeck::prelude::*;
use limbeck::sql::Expr;
use limbeck_test_support::{Kind, TestDb};
use proptest::prelude::*;
use proptest::test_runner::TestRunner;

#[derive(Model, Debug, Clone)]
struct Item {
    #[column(primary_key)]
    id: i64,
    a: Option<i32>,
    b: Option<i32>,
    word: Option<String>,
    flag: Option<bool>,
    sure: bool,
}

#[derive(Clone, Copy, Debug)]
enum Number {
    A,
    B,
}

#[derive(Clone, Copy, Debug)]
enum Comparison {
    Eq,
    Ne,
    Lt,
    Le,
    Gt,
    Ge,
}

#[derive(Clone, Debug)]
enum Condition {
    /// A column and a value.
    Value(Number, Comparison, Option<i32>),
    /// Two columns.
    Columns(Number, Comparison, Number),
    IsNull(Number, bool),
    In(Number, Vec<Option<i32>>, bool),
    /// A list of a column and a value.
    InColumns(Number, Option<i32>, bool),
    Word(Vec<Option<&'static str>>, bool),
    Like(&'static str, bool),
    Flag,
    Sure,
    Not(Arc<Condition>),
    And(Arc<Condition>, Arc<Condition>),
    Or(Arc<Condition>, Arc<Condition>),
    /// A condition as a value.
    Equals(Arc<Condition>, Arc<Condition>),
    Unknown(Arc<Condition>, bool),
}

fn condition() -> impl Strategy<Value = Condition> {
    let number = || prop_oneof![Just(Number::A), Just(Number::B)];
    let value = || prop::option::weighted(0.8, 0..3i32);
    let word = || prop::option::weighted(0.8, prop_oneof![Just("a"), Just("ab"), Just("it's"), Just("")]);
    let comparison = || {
        use Comparison::*;
        prop_oneof![Just(Eq), Just(Ne), Just(Lt), Just(Le), Just(Gt), Just(Ge)]
    };
    let leaf = prop_oneof![
        (number(), comparison(), value()).prop_map(|(n, c, v)| Condition::Value(n, c, v)),
        (number(), comparison(), number()).prop_map(|(n, c, m)| Condition::Columns(n, c, m)),
        (number(), any::<bool>()).prop_map(|(n, not)| Condition::IsNull(n, not)),
        (number(), prop::collection::vec(value(), 0..4), any::<bool>())
            .prop_map(|(n, l, not)| Condition::In(n, l, not)),
        (number(), value(), any::<bool>()).prop_map(|(n, v, not)| Condition::InColumns(n, v, not)),
        (prop::collection::vec(word(), 0..4), any::<bool>()).prop_map(|(l, not)| Condition::Word(l, not)),
        (prop_oneof![Just("a"), Just("a%"), Just("_"), Just("%b"), Just("%"), Just("_t%"), Just("")], any::<bool>())
            .prop_map(|(p, not)| Condition::Like(p, not)),
        Just(Condition::Flag),
        Just(Condition::Sure),
    ];
    leaf.prop_recursive(6, 48, 2, |inner| {
        let inner = inner.prop_map(Arc::new);
        let two = || (inner.clone(), inner.clone());
        prop_oneof![
            inner.clone().prop_map(Condition::Not),
            two().prop_map(|(x, y)| Condition::And(x, y)),
            two().prop_map(|(x, y)| Condition::And(x, y)),
            two().prop_map(|(x, y)| Condition::Or(x, y)),
            two().prop_map(|(x, y)| Condition::Or(x, y)),
            two().prop_map(|(x, y)| Condition::Equals(x, y)),
            (inner.clone(), any::<bool>()).prop_map(|(x, not)| Condition::Unknown(x, not)),
        ]
    })
}

impl Condition {
    /// As limbeck's expression.
    fn expression(&self) -> Expr<bool> {
        let column = |number: &Number| match number {
            Number::A => Item.a,
            Number::B => Item.b,
        };
        match self {
            Condition::Value(n, c, v) => compared(column(n), *c, *v),
            Condition::Columns(n, c, m) => compared(column(n), *c, column(m)),
            Condition::IsNull(n, false) => column(n).is_null(),
            Condition::IsNull(n, true) => column(n).is_not_null(),
            Condition::In(n, list, false) => column(n).in_(list.clone()),
            Condition::In(n, list, true) => column(n).not_in(list.clone()),
            Condition::InColumns(n, v, not) => {
                // An operand that is neither plain value nor column: the first makes it a list of expressions.
                let list = [Operand::Column(Item.b), Operand::Value(*v)];
                if *not { column(n).not_in(list) } else { column(n).in_(list) }
            }
            Condition::Word(list, false) => Item.word.in_(list.iter().copied()),
            Condition::Word(list, true) => Item.word.not_in(list.iter().copied()),
            Condition::Like(pattern, false) => Item.word.like(*pattern),
            Condition::Like(pattern, true) => Item.word.not_like(*pattern),
            Condition::Flag => Item.flag.and(Item.flag),
            Condition::Sure => Item.sure.or(Item.sure),
            Condition::Not(x) => !x.expression(),
            Condition::And(x, y) => x.expression().and(y.expression()),
            Condition::Or(x, y) => x.expression().or(y.expression()),
            Condition::Equals(x, y) => x.expression().eq(y.expression()),
            Condition::Unknown(x, false) => x.expression().is_null(),
            Condition::Unknown(x, true) => x.expression().is_not_null(),
        }
    }

    /// What SQL says of a row: true, false or unknown.
    fn holds(&self, row: &Item) -> Option<bool> {
        let number = |number: &Number| match number {
            Number::A => row.a,
            Number::B => row.b,
        };
        match self {
            // Equal to a value that is NULL means IS NULL, as documented; to a column that is NULL, unknown.
            Condition::Value(n, Comparison::Eq, None) => Some(number(n).is_none()),
            Condition::Value(n, Comparison::Ne, None) => Some(number(n).is_some()),
            Condition::Value(n, c, v) => c.of(number(n), *v),
            Condition::Columns(n, c, m) => c.of(number(n), number(m)),
            Condition::IsNull(n, not) => Some(number(n).is_none() != *not),
            Condition::In(n, list, not) => within(number(n), list).map(|found| found != *not),
            Condition::InColumns(n, v, not) => within(number(n), &[row.b, *v]).map(|found| found != *not),
            Condition::Word(list, not) => within(row.word.as_deref(), list).map(|found| found != *not),
            Condition::Like(pattern, not) => row.word.as_ref().map(|word| like(word, pattern) != *not),
            Condition::Flag => row.flag,
            Condition::Sure => Some(row.sure),
            Condition::Not(x) => x.holds(row).map(|holds| !holds),
            Condition::And(x, y) => match (x.holds(row), y.holds(row)) {
                (Some(false), _) | (_, Some(false)) => Some(false),
                (Some(true), Some(true)) => Some(true),
                _ => None,
            },
            Condition::Or(x, y) => match (x.holds(row), y.holds(row)) {
                (Some(true), _) | (_, Some(true)) => Some(true),
                (Some(false), Some(false)) => Some(false),
                _ => None,
            },
            Condition::Equals(x, y) => Some(x.holds(row)? == y.holds(row)?),
            Condition::Unknown(x, not) => Some(x.holds(row).is_none() != *not),
        }
    }
}

/// A column or a value in one list.
enum Operand {
    Column(limbeck::model::Column<Item, Option<i32>>),
    Value(Option<i32>),
}

impl limbeck::sql::Operand<i32> for Operand {
    type Null<U: limbeck::types::ColumnType> = Option<U::Base>;

    fn into_operand(self) -> limbeck::sql::Node {
        match self {
            Operand::Column(column) => limbeck::sql::Operand::<i32>::into_operand(column),
            Operand::Value(value) => limbeck::sql::Operand::<i32>::into_operand(value),
        }
    }
}

fn compared<V: limbeck::sql::Operand<i32>>(
    column: limbeck::model::Column<Item, Option<i32>>,
    comparison: Comparison,
    other: V,
) -> Expr<bool> {
    match comparison {
        Comparison::Eq => column.eq(other),
        Comparison::Ne => column.ne(other),
        Comparison::Lt => column.lt(other),
        Comparison::Le => column.le(other),
        Comparison::Gt => column.gt(other),
        Comparison::Ge => column.ge(other),
    }
}

impl Comparison {
    fn of(self, x: Option<i32>, y: Option<i32>) -> Option<bool> {
        let (x, y) = (x?, y?);
        Some(match self {
            Comparison::Eq => x == y,
            Comparison::Ne => x != y,
            Comparison::Lt => x < y,
            Comparison::Le => x <= y,
            Comparison::Gt => x > y,
            Comparison::Ge => x >= y,
        })
    }
}

fn within<T: PartialEq>(item: Option<T>, list: &[Option<T>]) -> Option<bool> {
    if list.is_empty() {
        return Some(false);
    }
    let item = Some(item?);
    if list.contains(&item) {
        return Some(true);
    }
    if list.contains(&None) { None } else { Some(false) }
}

fn like(text: &str, pattern: &str) -> bool {
    let mut rest = pattern.chars();
    match rest.next() {
        None => text.is_empty(),
        Some('%') => (0..=text.len()).any(|at| like(&text[at..], rest.as_str())),
        Some(c) => {
            let mut chars = text.chars();
            chars.next().is_some_and(|d| c == '_' || c == d) && like(chars.as_str(), rest.as_str())
        }
    }
}

/// Every combination of the columns' values.
async fn items(url: &str) -> (Connection, Vec<Item>) {
    let engine = Engine::builder(url).connect().await.expect("an engine");
    engine.create_all(&limbeck::metadata![Item].expect("metadata")).await.expect("tables");
    let mut session = engine.sessionmaker().open();
    for a in [None, Some(0), Some(1), Some(2)] {
        for b in [None, Some(0), Some(2)] {
            for word in [None, Some(""), Some("a"), Some("ab"), Some("it's")] {
                for flag in [None, Some(true), Some(false)] {
                    let item = session.add(Item::builder().sure(a == Some(1)));
                    let item = &mut session[item];
                    (item.a, item.b, item.word, item.flag) = (a, b, word.map(str::to_owned), flag);
                }
            }
        }
    }
    session.commit().await.expect("the items");
    let mut connection = engine.connect().await.expect("a connection");
    let items = connection.all(select(Item).order_by(Item.id)).await.expect("items");
    assert_eq!(items.len(), 180);
    (connection, items)
}

fn agrees(db: TestDb) {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().expect("a runtime");
    let (connection, items) = runtime.block_on(items(db.url()));
    // A test case may not change what it captures.
    let connection = std::cell::RefCell::new(connection);
    let mut runner = TestRunner::new(ProptestConfig { cases: 400, failure_persistence: None, ..Default::default() });
    let outcome = runner.run(&condition(), |condition| {
        let query = select(Item.id).filter(condition.expression()).order_by(Item.id);
        let found =
            runtime.block_on(connection.borrow_mut().all(&query)).map_err(|e| TestCaseError::fail(e.to_string()))?;
        let expected: Vec<i64> =
            items.iter().filter(|item| condition.holds(item) == Some(true)).map(|item| item.id).collect();
        prop_assert_eq!(found, expected, "{}", query.to_sql(limbeck::dialect::Dialect::Sqlite).unwrap_or_default());
        Ok(())
    });
    if let Err(error) = outcome {
        panic!("{error}");
    }
}

#[test]
fn conditions_mean_on_sqlite_what_sql_says() {
    if let Some(db) = TestDb::of(Kind::Sqlite) {
        agrees(db);
    }
}

#[test]
fn conditions_mean_on_postgres_what_sql_says() {
    if let Some(db) = TestDb::of(Kind::Postgres) {
        agrees(db);
    }
}
