//! Random expressions: the database and a few lines of Rust agree on what they are, NULL and all.
//!
//! An expression and what it means are made side by side, from a row of random bytes: where these end, there are only
//! columns and values left to choose, so that a failure shrinks to a small expression.
#![allow(clippy::type_complexity)]

use std::cell::RefCell;
use std::collections::{BTreeMap, BTreeSet};
use std::rc::Rc;

use chrono::{Datelike, Days, Months};
use limbeck::dialect::Dialect;
use limbeck::engine::Connection;
use limbeck::prelude::*;
use limbeck::sql::{DatePart, Expr, case, concat, literal, row_number, window};
use limbeck::types::ColumnType;
use limbeck_test_support::{Kind, TestDb};
use proptest::prelude::*;
use proptest::test_runner::TestRunner;

#[derive(Model, Debug, Clone)]
struct Item {
    #[column(primary_key)]
    id: i64,
    a: Option<i64>,
    b: i64,
    word: Option<String>,
    name: String,
    flag: Option<bool>,
    day: Option<NaiveDate>,
}

/// An expression, and what it is for a row.
struct Term<T: ColumnType> {
    sql: Expr<Option<T>>,
    value: Rc<dyn Fn(&Item) -> Option<T>>,
}

impl<T: ColumnType> Clone for Term<T> {
    fn clone(&self) -> Self {
        Term { sql: self.sql.clone(), value: Rc::clone(&self.value) }
    }
}

fn term<E>(
    sql: E,
    value: impl Fn(&Item) -> Option<<E::Type as ColumnType>::Base> + 'static,
) -> Term<<E::Type as ColumnType>::Base>
where
    E: Expression,
    <E::Type as ColumnType>::Base: ColumnType<Base = <E::Type as ColumnType>::Base>,
{
    Term { sql: sql.nullable(), value: Rc::new(value) }
}

impl<T: ColumnType<Base = T>> Term<T> {
    fn of(&self, row: &Item) -> Option<T> {
        (self.value)(row)
    }

    /// A function of one operand, NULL for NULL.
    fn map<E>(
        self,
        sql: impl FnOnce(Expr<Option<T>>) -> E,
        value: impl Fn(T) -> <E::Type as ColumnType>::Base + 'static,
    ) -> Term<<E::Type as ColumnType>::Base>
    where
        E: Expression,
        <E::Type as ColumnType>::Base: ColumnType<Base = <E::Type as ColumnType>::Base>,
    {
        term(sql(self.sql.clone()), move |row| self.of(row).map(&value))
    }

    /// A function of two operands, NULL where one is.
    fn with<U, E>(
        self,
        other: Term<U>,
        sql: impl FnOnce(Expr<Option<T>>, Expr<Option<U>>) -> E,
        value: impl Fn(T, U) -> <E::Type as ColumnType>::Base + 'static,
    ) -> Term<<E::Type as ColumnType>::Base>
    where
        U: ColumnType<Base = U>,
        E: Expression,
        <E::Type as ColumnType>::Base: ColumnType<Base = <E::Type as ColumnType>::Base>,
    {
        let sql = sql(self.sql.clone(), other.sql.clone());
        term(sql, move |row| Some(value(self.of(row)?, other.of(row)?)))
    }
}

/// Makes expressions of bytes.
struct Maker<'b> {
    bytes: &'b [u8],
    sqlite: bool,
}

impl Maker<'_> {
    /// A number below `n`; 0 when the bytes have come to their end.
    fn pick(&mut self, n: u8) -> u8 {
        match self.bytes.split_first() {
            Some((first, rest)) => {
                self.bytes = rest;
                first % n
            }
            None => 0,
        }
    }

    fn int(&mut self, depth: u8) -> Term<i64> {
        let depth = depth.saturating_sub(1);
        match if depth == 0 { self.pick(3) } else { self.pick(20) } {
            0 => term(Item.b, |row| Some(row.b)),
            1 => term(Item.a, |row| row.a),
            2 => {
                let value = [Some(-3), Some(0), Some(1), Some(7), None][usize::from(self.pick(5))];
                term(literal(value), move |_| value)
            }
            3 => self.int(depth).with(self.int(depth), |x, y| x + y, |x, y| x + y),
            4 => self.int(depth).with(self.int(depth), |x, y| x - y, |x, y| x - y),
            // By a small number, or the product would not fit.
            5 => self.int(depth).with(self.int(1), |x, y| x * y, |x, y| x * y),
            6 => {
                let by = [-3, -2, 2, 5][usize::from(self.pick(4))];
                self.int(depth).map(|x| x / by, move |x| x / by)
            }
            7 => {
                let by = [-3, -2, 2, 5][usize::from(self.pick(4))];
                self.int(depth).map(|x| x % by, move |x| x % by)
            }
            8 => self.int(depth).map(|x| -x, |x| -x),
            9 => self.int(depth).map(|x| 2 - x, |x| 2 - x),
            10 => self.int(depth).map(Expr::abs, i64::abs),
            11 => self.int(depth).map(|x| x.sign().cast::<i64>(), i64::signum),
            12 => self.text(depth).map(|x| x.length().cast::<i64>(), |x| x.chars().count() as i64),
            13 => self.text(depth).map(
                |x| x.position("b").cast::<i64>(),
                |x| x.chars().position(|c| c == 'b').map_or(0, |at| at as i64 + 1),
            ),
            14 => self.day(depth).map(
                |x| (x.clone().year() * 12 + x.month()).cast::<i64>(),
                |x| i64::from(x.year() * 12 + x.month() as i32),
            ),
            15 => {
                self.day(depth).with(self.day(depth), |x, y| x.days_since(y).cast::<i64>(), |x, y| (x - y).num_days())
            }
            16 => {
                let (x, y, sqlite) = (self.int(depth), self.int(depth), self.sqlite);
                term(x.sql.clone().greatest(y.sql.clone()), move |row| match (x.of(row), y.of(row)) {
                    (Some(x), Some(y)) => Some(x.max(y)),
                    (one, other) => one.or(other).filter(|_| !sqlite),
                })
            }
            17 => self.condition(depth).map(|x| x.cast::<i64>(), i64::from),
            _ => {
                let (x, y) = (self.int(depth), self.int(depth));
                self.choice(depth, x, y)
            }
        }
    }

    fn text(&mut self, depth: u8) -> Term<String> {
        let depth = depth.saturating_sub(1);
        match if depth == 0 { self.pick(3) } else { self.pick(14) } {
            0 => term(Item.name, |row| Some(row.name.clone())),
            1 => term(Item.word, |row| row.word.clone()),
            2 => {
                let value = ["", "b", "Ab", " x% "].get(usize::from(self.pick(5))).map(|text| (*text).to_owned());
                match value.clone() {
                    Some(text) => term(literal(text), move |_| value.clone()),
                    // Compared with a NULL that is a value, `eq` means IS NULL.
                    None => term(literal("b".to_owned()).nullif("b"), |_| None),
                }
            }
            3 => self.text(depth).with(self.text(depth), |x, y| x + y, |x, y| x + &y),
            4 => self.text(depth).map(Expr::lower, |x| x.to_lowercase()),
            5 => self.text(depth).map(Expr::upper, |x| x.to_uppercase()),
            6 => self.text(depth).map(Expr::trim, |x| x.trim_matches(' ').to_owned()),
            7 => self.text(depth).map(|x| x.trim_start() + ".", |x| x.trim_start_matches(' ').to_owned() + "."),
            8 => {
                let (start, length) = (self.pick(4) + 1, self.pick(4));
                self.text(depth).map(
                    |x| x.substr(i32::from(start), i32::from(length)),
                    move |x| x.chars().skip(usize::from(start) - 1).take(length.into()).collect(),
                )
            }
            9 => self.text(depth).with(self.text(depth), |x, y| x.replace("b", y), |x, y| x.replace('b', &y)),
            10 => self.int(depth).map(|x| x.cast::<String>(), |x| x.to_string()),
            11 => {
                let (x, y) = (self.text(depth), self.text(depth));
                term(concat((x.sql.clone(), "-", y.sql.clone())), move |row| {
                    Some(format!("{}-{}", x.of(row).unwrap_or_default(), y.of(row).unwrap_or_default()))
                })
            }
            _ => {
                let (x, y) = (self.text(depth), self.text(depth));
                self.choice(depth, x, y)
            }
        }
    }

    fn day(&mut self, depth: u8) -> Term<NaiveDate> {
        let depth = depth.saturating_sub(1);
        match if depth == 0 { self.pick(2) } else { self.pick(7) } {
            0 => term(Item.day, |row| row.day),
            1 => {
                let day = NaiveDate::from_ymd_opt(2024, 1 + u32::from(self.pick(12)), 29);
                term(literal(day), move |_| day)
            }
            2 => {
                let days = i32::from(self.pick(80)) - 40;
                let shift = Days::new(days.unsigned_abs().into());
                self.day(depth).map(
                    |x| x.add_days(days),
                    move |x| {
                        if days < 0 { x.checked_sub_days(shift) } else { x.checked_add_days(shift) }.expect("a day")
                    },
                )
            }
            3 => {
                let months = i32::from(self.pick(40)) - 20;
                let shift = Months::new(months.unsigned_abs());
                self.day(depth).map(
                    |x| x.add_months(months),
                    move |x| {
                        if months < 0 { x.checked_sub_months(shift) } else { x.checked_add_months(shift) }
                            .expect("a day")
                    },
                )
            }
            4 => self.day(depth).map(|x| x.date_trunc(DatePart::Month), |x| x.with_day(1).expect("a day")),
            5 => self
                .day(depth)
                .map(|x| x.date_trunc(DatePart::Week), |x| x - Days::new(x.weekday().num_days_from_monday().into())),
            _ => {
                let (x, y) = (self.day(depth), self.day(depth));
                self.choice(depth, x, y)
            }
        }
    }

    /// CASE, coalesce, nullif: of any type.
    fn choice<T>(&mut self, depth: u8, x: Term<T>, y: Term<T>) -> Term<T>
    where
        T: ColumnType<Base = T>,
    {
        match self.pick(4) {
            0 => term(x.sql.clone().coalesce(y.sql.clone()), move |row| x.of(row).or_else(|| y.of(row))),
            1 => term(x.sql.clone().nullif(y.sql.clone()), move |row| {
                x.of(row).filter(|x| y.of(row).as_ref() != Some(x))
            }),
            2 => {
                let condition = self.condition(depth);
                term(case().when(condition.sql.clone(), x.sql.clone()).end(), move |row| {
                    x.of(row).filter(|_| condition.of(row) == Some(true))
                })
            }
            _ => {
                let (first, second) = (self.condition(depth), self.condition(depth));
                let sql = case()
                    .when(first.sql.clone(), x.sql.clone())
                    .when(second.sql.clone(), None::<T>)
                    .otherwise(y.sql.clone());
                term(sql, move |row| match (first.of(row), second.of(row)) {
                    (Some(true), _) => x.of(row),
                    (_, Some(true)) => None,
                    _ => y.of(row),
                })
            }
        }
    }

    fn condition(&mut self, depth: u8) -> Term<bool> {
        let depth = depth.saturating_sub(1);
        let sqlite = self.sqlite;
        // SQLite's LIKE takes ASCII letters for the same in both cases.
        let plain = move |x: &str| if sqlite { x.to_ascii_lowercase() } else { x.to_owned() };
        match if depth == 0 { self.pick(1) } else { self.pick(18) } {
            0 => term(Item.flag, |row| row.flag),
            1 => self.int(depth).with(self.int(depth), |x, y| x.lt(y), |x, y| x < y),
            2 => self.int(depth).with(self.int(depth), |x, y| x.ge(y), |x, y| x >= y),
            3 => self.text(depth).with(self.text(depth), |x, y| x.eq(y), |x, y| x == y),
            4 => self.day(depth).with(self.day(depth), |x, y| x.ne(y), |x, y| x != y),
            5 => {
                let (x, low, high) = (self.int(depth), self.int(depth), self.int(depth));
                let not = self.pick(2) == 1;
                let (a, b, c) = (x.sql.clone(), low.sql.clone(), high.sql.clone());
                let sql = if not { a.not_between(b, c) } else { a.between(b, c) };
                term(sql, move |row| {
                    let least = x.of(row).zip(low.of(row)).map(|(x, low)| x >= low);
                    let most = x.of(row).zip(high.of(row)).map(|(x, high)| x <= high);
                    and(least, most).map(|within| within != not)
                })
            }
            6 => {
                let (x, y) = (self.text(depth), self.text(depth));
                term(x.sql.clone().is_distinct_from(y.sql.clone()), move |row| Some(x.of(row) != y.of(row)))
            }
            7 => {
                let (x, y) = (self.day(depth), self.day(depth));
                term(x.sql.clone().is_not_distinct_from(y.sql.clone()), move |row| Some(x.of(row) == y.of(row)))
            }
            8 => {
                let (x, y, z) = (self.int(depth), self.int(depth), self.int(depth));
                term(x.sql.clone().in_([y.sql.clone(), z.sql.clone()]), move |row| {
                    let equal = |other: Option<i64>| x.of(row).zip(other).map(|(x, y)| x == y);
                    or(equal(y.of(row)), equal(z.of(row)))
                })
            }
            9 => self.text(depth).with(
                self.text(depth),
                |x, y| x.starts_with(y),
                move |x, y| plain(&x).starts_with(&plain(&y)),
            ),
            10 => self.text(depth).with(
                self.text(depth),
                |x, y| x.contains(y),
                move |x, y| plain(&x).contains(&plain(&y)),
            ),
            11 => self.text(depth).map(|x| x.ends_with("b% "), move |x| plain(&x).ends_with("b% ")),
            12 => self.condition(depth).map(|x| !x, |x| !x),
            13 => {
                let (x, y) = (self.condition(depth), self.condition(depth));
                term(x.sql.clone().and(y.sql.clone()), move |row| and(x.of(row), y.of(row)))
            }
            14 => {
                let (x, y) = (self.condition(depth), self.condition(depth));
                term(x.sql.clone().or(y.sql.clone()), move |row| or(x.of(row), y.of(row)))
            }
            15 => {
                let x = self.int(depth);
                term(x.sql.clone().is_null(), move |row| Some(x.of(row).is_none()))
            }
            16 => {
                let x = self.condition(depth);
                term(x.sql.clone().is_true(), move |row| Some(x.of(row) == Some(true)))
            }
            _ => {
                let x = self.condition(depth);
                term(x.sql.clone().is_false(), move |row| Some(x.of(row) == Some(false)))
            }
        }
    }
}

fn and(x: Option<bool>, y: Option<bool>) -> Option<bool> {
    match (x, y) {
        (Some(false), _) | (_, Some(false)) => Some(false),
        (Some(true), Some(true)) => Some(true),
        _ => None,
    }
}

fn or(x: Option<bool>, y: Option<bool>) -> Option<bool> {
    and(x.map(|x| !x), y.map(|y| !y)).map(|neither| !neither)
}

/// Rows of many combinations of values.
async fn items(url: &str) -> (Connection, Vec<Item>) {
    let engine = Engine::builder(url).connect().await.expect("an engine");
    engine.create_all(&limbeck::metadata![Item].expect("metadata")).await.expect("tables");
    let mut session = engine.sessionmaker().open();
    let days = [None, NaiveDate::from_ymd_opt(2024, 2, 29), NaiveDate::from_ymd_opt(1969, 12, 31)];
    for a in [None, Some(-2), Some(0), Some(5)] {
        for (word, name) in [(None, "abc"), (Some(""), "✓b"), (Some(" Ab% "), "it's a_b"), (Some("B"), "x")] {
            for flag in [None, Some(true), Some(false)] {
                let item = session.add(Item::builder().name(name).b(a.unwrap_or(3) - 1));
                let item = &mut session[item];
                (item.a, item.word, item.flag) = (a, word.map(str::to_owned), flag);
                item.day = days[(name.len() + a.map_or(0, |a| a.unsigned_abs() as usize)) % 3];
            }
        }
    }
    session.commit().await.expect("the items");
    let mut connection = engine.connect().await.expect("a connection");
    let items = connection.all(select(Item).order_by(Item.id)).await.expect("items");
    assert_eq!(items.len(), 48);
    (connection, items)
}

/// An expression of each type for each row.
async fn each_row(db: &mut Connection, items: &[Item], maker: &mut Maker<'_>) -> Result<(), TestCaseError> {
    let (int, text, day, condition) = (maker.int(5), maker.text(5), maker.day(5), maker.condition(5));
    let terms = (int.sql.clone(), text.sql.clone(), day.sql.clone(), condition.sql.clone());
    let query = select(terms).from(Item).order_by(Item.id);
    let found = db.all(&query).await.map_err(|error| TestCaseError::fail(error.to_string()))?;
    for (row, found) in items.iter().zip(found) {
        let expected = (int.of(row), text.of(row), day.of(row), condition.of(row));
        prop_assert_eq!(found, expected, "{:?} in {}", row, query.to_sql(Dialect::Postgres).unwrap_or_default());
    }
    Ok(())
}

/// Aggregates of random expressions over the rows that a random condition leaves.
async fn all_rows(db: &mut Connection, items: &[Item], maker: &mut Maker<'_>) -> Result<(), TestCaseError> {
    let (int, text, kept, holds) = (maker.int(4), maker.text(4), maker.condition(4), maker.condition(4));
    let query = select((
        count().filter(kept.sql.clone()),
        int.sql.clone().count_distinct(),
        int.sql.clone().sum().filter(kept.sql.clone()),
        int.sql.clone().min(),
        int.sql.clone().max().filter(holds.sql.clone()).filter(kept.sql.clone()),
        holds.sql.clone().bool_and().filter(kept.sql.clone()),
        holds.sql.clone().bool_or(),
        text.sql.clone().string_agg("|").order_by(Item.id.desc()).filter(kept.sql.clone()),
    ))
    .from(Item);
    let found = db.one(&query).await.map_err(|error| TestCaseError::fail(error.to_string()))?;
    let rows = || items.iter().filter(|row| kept.of(row) == Some(true));
    let ints = || items.iter().filter_map(|row| int.of(row));
    let sum = rows().filter_map(|row| int.of(row)).fold(None, |sum, x| Some(sum.unwrap_or(0) + x));
    let most = rows().filter(|row| holds.of(row) == Some(true)).filter_map(|row| int.of(row)).max();
    let all = rows().filter_map(|row| holds.of(row)).fold(None, |all, x| Some(all.unwrap_or(true) && x));
    let any = items.iter().filter_map(|row| holds.of(row)).fold(None, |any, x| Some(any.unwrap_or(false) || x));
    let texts: Vec<String> = rows().rev().filter_map(|row| text.of(row)).collect();
    let expected = (
        rows().count() as i64,
        ints().collect::<BTreeSet<i64>>().len() as i64,
        sum,
        ints().min(),
        most,
        all,
        any,
        (!texts.is_empty()).then(|| texts.join("|")),
    );
    prop_assert_eq!(found, expected, "{}", query.to_sql(Dialect::Postgres).unwrap_or_default());
    Ok(())
}

/// Window functions over the rows, in parts.
async fn around_rows(db: &mut Connection, items: &[Item], maker: &mut Maker<'_>) -> Result<(), TestCaseError> {
    let (int, part) = (maker.int(4), maker.condition(4));
    let parts = window().partition_by(part.sql.clone()).order_by(Item.id);
    let query = select((
        row_number().over(parts.clone()),
        int.sql.clone().lag(1).over(parts.clone()),
        int.sql.clone().sum().over(parts.rows_between(-1..=1)),
    ))
    .from(Item)
    .order_by(Item.id);
    let found = db.all(&query).await.map_err(|error| TestCaseError::fail(error.to_string()))?;
    for (row, found) in items.iter().zip(found) {
        let peers: Vec<&Item> = items.iter().filter(|other| part.of(other) == part.of(row)).collect();
        let at = peers.iter().position(|other| other.id == row.id).expect("a row is its own peer");
        let near = &peers[at.saturating_sub(1)..peers.len().min(at + 2)];
        let sum = near.iter().filter_map(|row| int.of(row)).fold(None, |sum, x| Some(sum.unwrap_or(0) + x));
        let before = at.checked_sub(1).and_then(|before| int.of(peers[before]));
        prop_assert_eq!(found, (at as i64 + 1, before, sum), "{}", query.to_sql(Dialect::Postgres).unwrap_or_default());
    }
    Ok(())
}

/// Groups by a random condition and a random number.
async fn in_groups(db: &mut Connection, items: &[Item], maker: &mut Maker<'_>) -> Result<(), TestCaseError> {
    let (key, half, int) = (maker.int(4), maker.condition(4), maker.int(4));
    let query = select((key.sql.clone(), half.sql.clone(), count(), int.sql.clone().sum()))
        .from(Item)
        .group_by((key.sql.clone(), half.sql.clone()))
        .having(int.sql.clone().count().gt(1));
    let mut found = db.all(&query).await.map_err(|error| TestCaseError::fail(error.to_string()))?;
    let mut groups: BTreeMap<(Option<i64>, Option<bool>), Vec<Option<i64>>> = BTreeMap::new();
    for row in items {
        groups.entry((key.of(row), half.of(row))).or_default().push(int.of(row));
    }
    groups.retain(|_, ints| ints.iter().flatten().count() > 1);
    let expected: Vec<_> = groups
        .into_iter()
        .map(|((key, half), ints)| (key, half, ints.len() as i64, Some(ints.iter().flatten().sum::<i64>())))
        .collect();
    found.sort();
    prop_assert_eq!(found, expected, "{}", query.to_sql(Dialect::Postgres).unwrap_or_default());
    Ok(())
}

fn agrees(kind: Kind) {
    let sqlite = matches!(kind, Kind::Sqlite);
    let Some(db) = TestDb::of(kind) else { return };
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().expect("a runtime");
    let (connection, items) = runtime.block_on(items(db.url()));
    // A test case may not change what it captures.
    let connection = RefCell::new(connection);
    let mut runner = TestRunner::new(ProptestConfig { cases: 300, failure_persistence: None, ..Default::default() });
    let outcome = runner.run(&prop::collection::vec(any::<u8>(), 0..300), |bytes| {
        let db = &mut *connection.borrow_mut();
        let maker = &mut Maker { bytes: &bytes, sqlite };
        runtime.block_on(async {
            each_row(db, &items, maker).await?;
            all_rows(db, &items, maker).await?;
            around_rows(db, &items, maker).await?;
            in_groups(db, &items, maker).await
        })
    });
    if let Err(error) = outcome {
        panic!("{error}");
    }
}

#[test]
fn expressions_mean_on_sqlite_what_sql_says() {
    agrees(Kind::Sqlite);
}

#[test]
fn expressions_mean_on_postgres_what_sql_says() {
    agrees(Kind::Postgres);
}
