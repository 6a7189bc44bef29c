//! Every operator and function: the SQL that it is on each database, and what it answers there.
// `x - x` is an expression here, and an empty range is one of the tests.
#![allow(clippy::eq_op, clippy::reversed_empty_ranges, clippy::type_complexity)]

mod expr;

use expr::*;
use limbeck::dialect::Dialect;
use limbeck::prelude::*;
use limbeck::sql::{
    aggregate_func, all_of, any_of, case, concat, cume_dist, dense_rank, func, literal, ntile, percent_rank, rank,
    row_number, window,
};
use limbeck::sql_function;
use limbeck_test_support::{TestDb, both};

fn texts<const N: usize>(texts: [&str; N]) -> Vec<String> {
    texts.map(str::to_owned).into()
}

both! {
    async fn comparisons(db: TestDb) {
        let db = &mut items(&db).await;
        check!(db, Item.n.between(0, 7), @"
        n BETWEEN ? AND ?
        n BETWEEN $1 AND $2
        ", [true, false, true]);
        check!(db, Item.n.not_between(Item.n, 0), @"
        n NOT BETWEEN n AND ?
        n NOT BETWEEN n AND $1
        ", [true, false, false]);
        check!(db, Item.n.between(0, 1).or(Item.ok).and(Item.n.eq(7).between(false, true)), @"
        (n BETWEEN ? AND ? OR ok) AND (n = ?) BETWEEN ? AND ?
        (n BETWEEN $1 AND $2 OR ok) AND (n = $3) BETWEEN $4 AND $5
        ", [true, false, true]);
        check!(db, Item.m.is_distinct_from(2), @"
        m IS NOT ?
        m IS DISTINCT FROM $1
        ", [false, true, true]);
        check!(db, Item.m.is_distinct_from(None), @"
        m IS NOT ?
        m IS DISTINCT FROM $1
        ", [true, false, true]);
        check!(db, Item.m.is_not_distinct_from(Item.m), @"
        m IS m
        m IS NOT DISTINCT FROM m
        ", [true, true, true]);
        check!(db, Item.m.gt(0).is_true(), @"
        (m > ?) IS TRUE
        (m > $1) IS TRUE
        ", [true, false, false]);
        check!(db, Item.m.gt(0).is_false(), @"
        (m > ?) IS FALSE
        (m > $1) IS FALSE
        ", [false, false, true]);
        check!(db, Item.m.gt(0).nullable(), @"
        m > ?
        m > $1
        ", [Some(true), None, Some(false)]);
        check!(db, (!Item.m.gt(0).nullable()).nullable(), @"
        NOT (m > ?)
        NOT (m > $1)
        ", [Some(false), None, Some(true)]);
    }

    async fn conditions_made_at_run_time(db: TestDb) {
        let db = &mut items(&db).await;
        let some = [Item.n.gt(0), Item.ok.eq(true)];
        check!(db, all_of(some.clone()), @"
        n > ? AND ok = ?
        n > $1 AND ok = $2
        ", [true, false, false]);
        check!(db, any_of(some.clone()).and(Item.n.lt(9)), @"
        (n > ? OR ok = ?) AND n < ?
        (n > $1 OR ok = $2) AND n < $3
        ", [true, false, false]);
        check!(db, any_of([Item.ok]), @"ok", [true, false, false]);
        check!(db, all_of(some[..0].to_vec()), @"TRUE", [true, true, true]);
        check!(db, any_of(some[..0].to_vec()), @"FALSE", [false, false, false]);
    }

    async fn arithmetic(db: TestDb) {
        let db = &mut items(&db).await;
        check!(db, Item.n + 1, @"
        n + ?
        n + $1
        ", [8, -6, 1]);
        check!(db, Item.n - Item.m, @"n - m", [Some(5), None, Some(2)]);
        check!(db, Item.small * 2, @"
        small * ?
        small * $1
        ", [6i16, -6, 0]);
        // Cut towards zero.
        check!(db, Item.n / 2, @"
        n / ?
        n / $1
        ", [3, -3, 0]);
        check!(db, Item.n % 4, @"
        n % ?
        n % $1
        ", [3, -3, 0]);
        check!(db, Item.x / 2.0, @"
        x / ?
        x / $1
        ", [1.25, -1.25, 0.0]);
        check!(db, Item.y + 1.0, @"
        y + ?
        y + $1
        ", [None, Some(1.5), Some(11.0)]);
        check!(db, Item.n + None::<i32>, @"
        n + ?
        n + $1
        ", [None::<i32>, None, None]);
        check!(db, -Item.n, @"-n", [-7, 7, 0]);
        check!(db, -(-Item.n), @"-(-n)", [7, -7, 0]);
        check!(db, 10 - Item.n, @"
        ? - n
        $1 - n
        ", [3, 17, 10]);
        check!(db, 10 - (Item.n - 1), @"
        ? - (n - ?)
        $1 - (n - $2)
        ", [4, 18, 11]);
        check!(db, 10i64 - Item.big + 1, @"
        ? - big + ?
        $1 - big + $2
        ", [-4_999_999_989i64, 12, 11]);
        check!(db, literal(2.0) * Item.y, @"
        ? * y
        $1 * y
        ", [None, Some(1.0), Some(20.0)]);
        check!(db, (Item.n + 1) * (Item.n - 1), @"
        (n + ?) * (n - ?)
        (n + $1) * (n - $2)
        ", [48, 48, -1]);
        check!(db, Item.n + 1 + 2 * Item.n, @"
        n + ? + ? * n
        n + $1 + $2 * n
        ", [22, -20, 1]);
        check!(db, Item.n - (Item.n - Item.n), @"n - (n - n)", [7, -7, 0]);
        check!(db, Item.n / (Item.n * 2 + 1), @"
        n / (n * ? + ?)
        n / (n * $1 + $2)
        ", [0, 0, 0]);
        check!(db, (Item.n + 1).gt(Item.n * 2).and(Item.n.ne(-7)), @"
        n + ? > n * ? AND n <> ?
        n + $1 > n * $2 AND n <> $3
        ", [false, false, true]);
        check!(db, Item.m.sum() + 1, @"
        sum(m) + ?
        CAST(sum(m) AS BIGINT) + $1
        ", [Some(1i64)], whole);
        check!(db, 1 + Item.m.sum(), @"
        ? + sum(m)
        $1 + CAST(sum(m) AS BIGINT)
        ", [Some(1i64)], whole);
    }

    async fn functions_of_numbers(db: TestDb) {
        let db = &mut items(&db).await;
        check!(db, Item.n.abs(), @"abs(n)", [7, 7, 0]);
        check!(db, Item.m.sign(), @"
        sign(m)
        CAST(sign(m) AS INTEGER)
        ", [Some(1), None, Some(-1)]);
        check!(db, (Item.x + 0.1).round(), @"
        round(x + ?)
        round(x + $1)
        ", [3.0, -2.0, 0.0]);
        check!(db, (Item.x / 3.0).round_to(2), @"
        round(x / ?, ?)
        CAST(round(CAST(x / $1 AS NUMERIC), $2) AS DOUBLE PRECISION)
        ", [0.83, -0.83, 0.0]);
        check!(db, Item.x.floor(), @"
        CAST(iif(abs(x) < 9007199254740992.0, CAST(x AS INTEGER) - ((x) < CAST(x AS INTEGER)), x) AS REAL)
        floor(x)
        ", [2.0, -3.0, 0.0]);
        check!(db, (Item.x + 0.0).ceil(), @"
        CAST(iif(abs(x + ?) < 9007199254740992.0, CAST(x + ? AS INTEGER) + ((x + ?) > CAST(x + ? AS INTEGER)), x + ?) AS REAL)
        ceil(x + $1)
        ", [3.0, -2.0, 0.0]);
        check!(db, (Item.y * 1e300).ceil(), @"
        CAST(iif(abs(y * ?) < 9007199254740992.0, CAST(y * ? AS INTEGER) + ((y * ?) > CAST(y * ? AS INTEGER)), y * ?) AS REAL)
        ceil(y * $1)
        ", [None, Some(5e299), Some(1e301)]);
    }

    async fn choices(db: TestDb) {
        let db = &mut items(&db).await;
        let size = case().when(Item.n.gt(0), "more").when(Item.n.lt(0), "less").otherwise("none");
        check!(db, size.clone(), @"
        CASE WHEN n > ? THEN ? WHEN n < ? THEN ? ELSE ? END
        CASE WHEN n > $1 THEN $2 WHEN n < $3 THEN $4 ELSE $5 END
        ", texts(["more", "less", "none"]));
        check!(db, size.upper().eq("MORE"), @"
        upper(CASE WHEN n > ? THEN ? WHEN n < ? THEN ? ELSE ? END) = ?
        upper(CASE WHEN n > $1 THEN $2 WHEN n < $3 THEN $4 ELSE $5 END) = $6
        ", [true, false, false]);
        check!(db, case().when(Item.ok, Item.n).otherwise(Item.m), @"CASE WHEN ok THEN n ELSE m END", [Some(7), None, Some(-2)]);
        check!(db, case().when(Item.ok, 1).end() + 1, @"
        CASE WHEN ok THEN ? END + ?
        CASE WHEN ok THEN $1 END + $2
        ", [Some(2), None, None]);
        check!(db, Item.m.coalesce(0), @"
        coalesce(m, ?)
        coalesce(m, $1)
        ", [2, 0, -2]);
        check!(db, Item.nick.coalesce(Item.nick).coalesce("-"), @"
        coalesce(nick, nick, ?)
        coalesce(nick, nick, $1)
        ", texts(["-", "B", ""]));
        check!(db, Item.nick.nullif(""), @"
        nullif(nick, ?)
        nullif(nick, $1)
        ", [None, Some("B".to_owned()), None]);
        check!(db, Item.n.greatest(1), @"
        max(n, ?)
        greatest(n, $1)
        ", [7, 1, 1]);
        check!(db, Item.n.least(Item.small.cast::<i32>()), @"
        min(n, CAST(small AS INTEGER))
        least(n, CAST(small AS int4))
        ", [3, -7, 0]);
    }

    async fn texts_and_patterns(db: TestDb) {
        let postgres = db.is_postgres();
        let db = &mut items(&db).await;
        check!(db, Item.name.lower(), @"lower(name)", texts(["ada", "bea%_/", " öle "]));
        check!(db, Item.nick.upper(), @"upper(nick)", [None, Some("B".to_owned()), Some(String::new())]);
        check!(db, Item.name.trim().length(), @"length(trim(name))", [3, 6, 3]);
        check!(db, Item.name.trim_start() + "|", @"
        ltrim(name) || ?
        ltrim(name) || $1
        ", texts(["Ada|", "bea%_/|", "öle |"]));
        check!(db, Item.name.trim_end().concat(Item.nick), @"rtrim(name) || nick", [None, Some("bea%_/B".to_owned()), Some(" öle".to_owned())]);
        check!(db, concat((Item.nick, Item.name, "!")), @"
        concat(nick, name, ?)
        concat(nick, name, $1)
        ", texts(["Ada!", "Bbea%_/!", " öle !"]));
        check!(db, Item.name.substr(2, 2), @"
        substr(name, ?, ?)
        substr(name, $1, $2)
        ", texts(["da", "ea", "öl"]));
        check!(db, Item.name.substr_from(Item.name.length()), @"substr(name, length(name))", texts(["a", "/", " "]));
        check!(db, Item.name.replace("a", Item.name.substr(1, 1)), @"
        replace(name, ?, substr(name, ?, ?))
        replace(name, $1, substr(name, $2, $3))
        ", texts(["AdA", "beb%_/", " öle "]));
        check!(db, Item.name.position("a"), @"
        instr(name, ?)
        strpos(name, $1)
        ", [3, 3, 0]);
        check!(db, Item.name.like("%a"), @"
        name LIKE ?
        name LIKE $1
        ", [true, false, false]);
        check!(db, Item.name.ilike("%A%"), @"
        name LIKE ?
        name ILIKE $1
        ", [true, true, false]);
        check!(db, Item.name.not_ilike("a%"), @"
        name NOT LIKE ?
        name NOT ILIKE $1
        ", [false, true, true]);
        check!(db, Item.name.like_escape("%!%%", '!'), @"
        name LIKE ? ESCAPE ?
        name LIKE $1 ESCAPE $2
        ", [false, true, false]);
        check!(db, Item.name.ilike_escape("BEA!%!_/", '!'), @"
        name LIKE ? ESCAPE ?
        name ILIKE $1 ESCAPE $2
        ", [false, true, false]);
        check!(db, Item.name.starts_with("be"), @"
        name LIKE ? ESCAPE '/'
        name LIKE $1 ESCAPE '/'
        ", [false, true, false]);
        check!(db, Item.name.ends_with("%_/"), @"
        name LIKE ? ESCAPE '/'
        name LIKE $1 ESCAPE '/'
        ", [false, true, false]);
        check!(db, Item.name.contains("%"), @"
        name LIKE ? ESCAPE '/'
        name LIKE $1 ESCAPE '/'
        ", [false, true, false]);
        check!(db, Item.name.contains(Item.name.substr_from(4)), @"
        name LIKE '%' || replace(replace(replace(substr(name, ?), '/', '//'), '%', '/%'), '_', '/_') || '%' ESCAPE '/'
        name LIKE '%' || replace(replace(replace(substr(name, $1), '/', '//'), '%', '/%'), '_', '/_') || '%' ESCAPE '/'
        ", [true, true, true]);
        let bea = !postgres; // by case
        check!(db, Item.name.starts_with(Item.nick).nullable(), @"name LIKE replace(replace(replace(nick, '/', '//'), '%', '/%'), '_', '/_') || '%' ESCAPE '/'", [None, Some(bea), Some(true)]);
        // Each database has collations of its own.
        if postgres {
            check!(db, Item.name.collate("C").lt("a"), @"
            name COLLATE \"C\" < ?
            name COLLATE \"C\" < $1
            ", [true, false, true]);
        } else {
            check!(db, Item.name.collate("NOCASE").eq("ADA"), @"
            name COLLATE \"NOCASE\" = ?
            name COLLATE \"NOCASE\" = $1
            ", [true, false, false]);
        }
    }

    async fn casts(db: TestDb) {
        let db = &mut items(&db).await;
        check!(db, Item.n.cast::<String>() + "!", @"
        CAST(n AS TEXT) || ?
        CAST(n AS text) || $1
        ", texts(["7!", "-7!", "0!"]));
        check!(db, Item.m.cast::<f64>() / 4.0, @"
        CAST(m AS REAL) / ?
        CAST(m AS float8) / $1
        ", [Some(0.5), None, Some(-0.5)]);
        check!(db, Item.n.cast::<i64>() * 5_000_000_000, @"
        CAST(n AS INTEGER) * ?
        CAST(n AS int8) * $1
        ", [35_000_000_000i64, -35_000_000_000, 0]);
        check!(db, Item.ok.cast::<i64>(), @"
        CAST(ok AS INTEGER)
        CAST(CAST(ok AS integer) AS int8)
        ", [1i64, 0, 0]);
        check!(db, Item.ok.cast::<String>(), @"
        iif(ok, 'true', 'false')
        CAST(ok AS text)
        ", texts(["true", "false", "false"]));
        check!(db, Item.m.cast::<bool>(), @"(m <> 0)", [Some(true), None, Some(true)]);
        check!(db, (Item.n.cast::<String>() + "0").cast::<i32>(), @"
        CAST(CAST(n AS TEXT) || ? AS INTEGER)
        CAST(CAST(n AS text) || $1 AS int4)
        ", [70, -70, 0]);
    }

    async fn aggregates(db: TestDb) {
        let db = &mut items(&db).await;
        check!(db, count(), @"count(*)", [3i64], whole);
        check!(db, Item.m.count(), @"count(m)", [2i64], whole);
        check!(db, Item.ok.count_distinct(), @"count(DISTINCT ok)", [2i64], whole);
        check!(db, count().filter(Item.n.lt(1)).filter(Item.ok.or(Item.n.eq(0))), @"
        count(*) FILTER (WHERE n < ? AND (ok OR n = ?))
        count(*) FILTER (WHERE n < $1 AND (ok OR n = $2))
        ", [1i64], whole);
        check!(db, Item.n.sum(), @"
        sum(n)
        CAST(sum(n) AS BIGINT)
        ", [Some(0i64)], whole);
        check!(db, Item.big.sum().filter(Item.big.gt(0)), @"
        sum(big) FILTER (WHERE big > ?)
        CAST(sum(big) FILTER (WHERE big > $1) AS BIGINT)
        ", [Some(5_000_000_000i64)], whole);
        check!(db, Item.small.sum().filter(Item.small.gt(9)), @"
        sum(small) FILTER (WHERE small > ?)
        CAST(sum(small) FILTER (WHERE small > $1) AS BIGINT)
        ", [None::<i64>], whole);
        check!(db, Item.x.sum(), @"
        sum(x)
        CAST(sum(x) AS DOUBLE PRECISION)
        ", [Some(0.0)], whole);
        check!(db, Item.n.avg().filter(Item.n.ge(0)), @"
        avg(n) FILTER (WHERE n >= ?)
        CAST(avg(n) FILTER (WHERE n >= $1) AS DOUBLE PRECISION)
        ", [Some(3.5)], whole);
        check!(db, Item.name.min(), @"min(name)", [Some(" öle ".to_owned())], whole);
        check!(db, Item.m.max(), @"max(m)", [Some(2)], whole);
        check!(db, Item.ok.max(), @"
        max(ok)
        bool_or(ok)
        ", [Some(true)], whole);
        check!(db, Item.n.gt(-9).bool_and(), @"
        min(n > ?)
        bool_and(n > $1)
        ", [Some(true)], whole);
        check!(db, Item.ok.bool_or().filter(Item.n.le(0)), @"
        max(ok) FILTER (WHERE n <= ?)
        bool_or(ok) FILTER (WHERE n <= $1)
        ", [Some(false)], whole);
        check!(
            db,
            Item.name.trim().string_agg("; ").order_by(Item.n.desc()),
            @"
        string_agg(trim(name), ? ORDER BY n DESC)
        string_agg(trim(name), $1 ORDER BY n DESC)
        ",
            [Some("Ada; öle; bea%_/".to_owned())],
            whole
        );
        check!(db, Item.n.abs().sum().distinct(), @"
        sum(DISTINCT abs(n))
        CAST(sum(DISTINCT abs(n)) AS BIGINT)
        ", [Some(7i64)], whole);
    }

    async fn windows(db: TestDb) {
        let db = &mut items(&db).await;
        let by_n = window().order_by(Item.n);
        check!(db, row_number().over(by_n.clone()), @"row_number() OVER (ORDER BY n)", [3i64, 1, 2]);
        check!(db, rank().over(window().order_by(Item.ok.desc())), @"rank() OVER (ORDER BY ok DESC)", [1i64, 2, 2]);
        check!(db, dense_rank().over(window().partition_by((Item.ok, Item.m)).order_by(Item.n)), @"dense_rank() OVER (PARTITION BY ok, m ORDER BY n)", [1i64, 1, 1]);
        check!(db, percent_rank().over(by_n.clone()), @"percent_rank() OVER (ORDER BY n)", [1.0, 0.0, 0.5]);
        check!(db, cume_dist().over(window()), @"cume_dist() OVER ()", [1.0, 1.0, 1.0]);
        check!(db, ntile(2).over(by_n.clone()), @"
        ntile(?) OVER (ORDER BY n)
        ntile($1) OVER (ORDER BY n)
        ", [2i64, 1, 1]);
        check!(db, Item.n.lag(1).over(by_n.clone()), @"
        lag(n, ?) OVER (ORDER BY n)
        lag(n, $1) OVER (ORDER BY n)
        ", [Some(0), None, Some(-7)]);
        check!(db, Item.n.lead_or(2, 0).over(by_n.clone()), @"
        lead(n, ?, ?) OVER (ORDER BY n)
        lead(n, $1, $2) OVER (ORDER BY n)
        ", [0, 7, 0]);
        check!(db, Item.n.first_value().over(by_n.clone()), @"first_value(n) OVER (ORDER BY n)", [Some(-7), Some(-7), Some(-7)]);
        check!(db, Item.n.nth_value(2).over(by_n.clone()), @"
        nth_value(n, ?) OVER (ORDER BY n)
        nth_value(n, $1) OVER (ORDER BY n)
        ", [Some(0), None, Some(0)]);
        check!(db, Item.n.last_value().over(by_n.clone().rows_between(..)), @"last_value(n) OVER (ORDER BY n ROWS BETWEEN UNBOUNDED PRECEDING AND UNBOUNDED FOLLOWING)", [Some(7), Some(7), Some(7)]);
        check!(db, Item.n.sum().over(window()) - 1, @"
        sum(n) OVER () - ?
        CAST(sum(n) OVER () AS BIGINT) - $1
        ", [Some(-1i64), Some(-1), Some(-1)]);
        check!(db, Item.n.sum().over(by_n.clone().rows_between(..=0)), @"
        sum(n) OVER (ORDER BY n ROWS BETWEEN UNBOUNDED PRECEDING AND CURRENT ROW)
        CAST(sum(n) OVER (ORDER BY n ROWS BETWEEN UNBOUNDED PRECEDING AND CURRENT ROW) AS BIGINT)
        ", [Some(0i64), Some(-7), Some(-7)]);
        check!(db, Item.n.sum().over(by_n.clone().rows_between(-1..1)), @"
        sum(n) OVER (ORDER BY n ROWS BETWEEN 1 PRECEDING AND CURRENT ROW)
        CAST(sum(n) OVER (ORDER BY n ROWS BETWEEN 1 PRECEDING AND CURRENT ROW) AS BIGINT)
        ", [Some(7i64), Some(-7), Some(-7)]);
        check!(db, count().filter(Item.ok).over(by_n.clone().groups_between(1..)), @"count(*) FILTER (WHERE ok) OVER (ORDER BY n GROUPS BETWEEN 1 FOLLOWING AND UNBOUNDED FOLLOWING)", [0i64, 1, 1]);
        check!(db, count().over(by_n.range_between(-7..=7)), @"count(*) OVER (ORDER BY n RANGE BETWEEN 7 PRECEDING AND 7 FOLLOWING)", [2i64, 2, 3]);
    }

    async fn nulls_stand_where_they_are_told(db: TestDb) {
        let db = &mut items(&db).await;
        let query = select(Item.m).order_by((Item.m.desc().nulls_last(), Item.id));
        assert_sql!(query, @"m FROM items ORDER BY m DESC NULLS LAST, id");
        assert_eq!(db.all(query).await.expect("rows"), [Some(2), Some(-2), None]);
        let query = select(Item.m).order_by(Item.m.asc().nulls_first());
        assert_sql!(query, @"m FROM items ORDER BY m NULLS FIRST");
        assert_eq!(db.all(query).await.expect("rows"), [None, Some(-2), Some(2)]);
    }

    async fn functions_by_name(db: TestDb) {
        let db = &mut items(&db).await;
        check!(db, func::<i32>("length", (Item.name,)) + 1, @"
        length(name) + ?
        length(name) + $1
        ", [4, 7, 6]);
        check!(db, func::<String>("replace", (Item.name, "A", "a")), @"
        replace(name, ?, ?)
        replace(name, $1, $2)
        ", texts(["ada", "bea%_/", " öle "]));
        check!(db, aggregate_func::<Option<i32>>("max", Item.n).filter(Item.n.lt(5)), @"
        max(n) FILTER (WHERE n < ?)
        max(n) FILTER (WHERE n < $1)
        ", [Some(0)], whole);
        check!(db, shorter(Item.nick, 1), @"
        substr(nick, ?, ?)
        substr(nick, $1, $2)
        ", [None, Some("B".to_owned()), Some(String::new())]);
        check!(db, shorter("Hello", Item.small.cast::<i32>().abs()), @"
        substr(?, ?, abs(CAST(small AS INTEGER)))
        substr($1, $2, abs(CAST(small AS int4)))
        ", texts(["Hel", "Hel", ""]));
        check!(db, least_of_all(Item.n).over(window().partition_by(Item.ok)), @"min(n) OVER (PARTITION BY ok)", [Some(7), Some(-7), Some(-7)]);
    }
}

sql_function! {
    /// The first characters.
    #[name = "substr"]
    fn characters(text: String, from: i32, length: i32) -> String;
    #[name = "min"]
    aggregate fn least_of_all(values: i32) -> Option<i32>;
    fn coalesce() -> String;
}

fn shorter<T, L>(
    text: T,
    length: L,
) -> limbeck::sql::Expr<T::Null<<i32 as limbeck::types::ColumnType>::Null<L::Null<String>>>>
where
    T: limbeck::sql::Operand<String>,
    L: limbeck::sql::Operand<i32>,
{
    characters(text, 1, length)
}

#[test]
fn what_a_database_lacks_is_said_when_the_statement_is_built() {
    let refused = |query: limbeck::Result<String>| query.expect_err("a refusal").to_string();
    let sqlite = Dialect::Sqlite;
    assert_eq!(
        refused(select(Item.x.sqrt()).to_sql(sqlite)),
        "sqrt cannot be used on sqlite: it is built without its mathematical functions"
    );
    assert!(select(Item.x.sqrt()).to_sql(Dialect::Postgres).is_ok());
    assert_eq!(
        refused(select(Item.name.string_agg(",").distinct()).to_sql(sqlite)),
        "DISTINCT in a call with two arguments cannot be used on sqlite: SQLite takes it with one only; select the \
         distinct values in a subquery first"
    );
    for dialect in [sqlite, Dialect::Postgres] {
        let name = dialect.name();
        assert_eq!(
            refused(select(Item.n.count_distinct().over(window())).to_sql(dialect)),
            format!("DISTINCT before OVER cannot be used on {name}: a window function cannot have it")
        );
        assert_eq!(
            refused(select(Item.n.sum().over(window().rows_between(1..=0))).to_sql(dialect)),
            format!("the frame of a window cannot be used on {name}: it ends before it begins")
        );
        assert_eq!(
            refused(select(func::<i32>("f(); drop table items; --", ())).from(Item).to_sql(dialect)),
            format!(
                "`f(); drop table items; --` cannot be used on {name}: it is not the name of a function: letters, \
                 digits and `_`, perhaps after a schema and a dot"
            )
        );
    }
    assert_eq!(
        refused(select(Item.at.cast::<i32>()).to_sql(sqlite)),
        "a cast cannot be used on sqlite: it has no cast from DateTime to I32"
    );
    let _ = coalesce;
}
