//! The rules, and what is said of each in the book, by `--explain` and in findings.

use super::subject::{Findings, Subject};
use super::{allow, indexes, keys, names, nulls, queries, relations, times, types};
use crate::lint::Severity;

/// A rule over models.
#[derive(Clone, Copy)]
pub struct Rule {
    /// `L001`
    pub code: &'static str,
    /// `singular-model-name`
    pub name: &'static str,
    /// How strictly it is meant where nothing is said.
    pub severity: Severity,
    /// What it wants, in a sentence.
    pub summary: &'static str,
    /// Why.
    pub reason: &'static str,
    /// What to do.
    pub fix: &'static str,
    /// What it does not mean, where that has to be said.
    pub exceptions: &'static str,
    /// Whether `--fix` can do it, at least in plain cases.
    pub fixable: bool,
    /// Models that break it, and models that do not, as Rust in two modules.
    source: &'static str,
    pub(super) check: fn(&Subject<'_>, &mut Findings<'_>),
}

impl std::fmt::Debug for Rule {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(self.code)
    }
}

impl PartialEq for Rule {
    fn eq(&self, other: &Self) -> bool {
        self.code == other.code
    }
}

impl Rule {
    /// Models that break the rule, as Rust.
    pub fn wrong(&self) -> String {
        self.module("wrong")
    }

    /// The same models as they should be.
    pub fn right(&self) -> String {
        self.module("right")
    }

    fn module(&self, name: &str) -> String {
        let lines = self.source.lines().skip_while(|line| *line != format!("pub mod {name} {{"));
        let body = lines.skip(1).take_while(|line| *line != "}");
        let body: Vec<&str> = body.map(|line| line.strip_prefix("    ").unwrap_or(line)).collect();
        let shown = |line: &&str| !line.starts_with("use limbeck::prelude") && line.trim() != "// here";
        let shown = body.into_iter().filter(shown);
        let text: Vec<&str> = shown.map(|line| line.split(" // here").next().unwrap_or(line)).collect();
        text.join("\n").trim().to_string()
    }
}

/// The rule of a code or a name.
pub fn find(named: &str) -> Option<&'static Rule> {
    RULES.iter().find(|rule| rule.code.eq_ignore_ascii_case(named) || rule.name == named)
}

/// The rule that was most likely meant.
pub fn nearest(named: &str) -> Option<&'static Rule> {
    let wanted = named.to_lowercase();
    let near = |rule: &'static Rule| {
        let code = strsim::osa_distance(&wanted, &rule.code.to_lowercase());
        let name = strsim::osa_distance(&wanted, rule.name);
        let part = usize::from(!rule.name.split('-').any(|word| word.len() > 3 && word == wanted)) * usize::MAX;
        (code.saturating_mul(3).min(name).min(part), rule)
    };
    let (distance, rule) = RULES.iter().map(near).min_by_key(|(distance, _)| *distance)?;
    (distance <= 1 + wanted.len().max(6) / 3).then_some(rule)
}

macro_rules! rule {
    ($code:literal, $name:literal, $severity:ident, $check:expr, fixable: $fixable:literal,
     $summary:literal, reason: $reason:literal, fix: $fix:literal, but: $but:literal) => {
        Rule {
            code: $code,
            name: $name,
            severity: Severity::$severity,
            summary: $summary,
            reason: $reason,
            fix: $fix,
            exceptions: $but,
            fixable: $fixable,
            source: include_str!(concat!("examples/", $code, ".rs")),
            check: $check,
        }
    };
}

/// All rules, by code.
pub static RULES: &[Rule] = &[
    rule!(
        "L001", "singular-model-name", Warn, names::model, fixable: false,
        "A model has a singular name.",
        reason: "One object is one row: `User::builder()` makes a user, and `HasMany<User>` has many of them.",
        fix: "Rename the struct, and keep the table by `#[model(table = \"…\")]` where its name shall not change.",
        but: "`Status`, `Address`, `News`, `Series`, `Settings` and their like are singular, or both."
    ),
    rule!(
        "L002", "plural-table-name", Warn, names::table, fixable: false,
        "A table has a plural name.",
        reason: "A table holds many rows, and its name stands in SQL where all of them are meant: `SELECT … FROM users`. \
                 `user` and `order` are words of SQL, besides, and have to be quoted.",
        fix: "Leave `table` out: the derive makes the plural of the struct's name. Or say the plural.",
        but: "Words that are their own plural (`news`, `data`, `equipment`) are right. The association tables of \
              `secondary` are not asked."
    ),
    rule!(
        "L003", "unindexed-foreign-key", Warn, keys::unindexed, fixable: true,
        "A foreign key leads an index.",
        reason: "No database makes that index by itself. Without it, to load a collection reads the whole table, and so \
                 does the database at each DELETE or change of key of a row that is referred to, holding its locks.",
        fix: "Take out `index = false`: a foreign key is indexed unless that is said.",
        but: "An index of several columns, a unique constraint or the primary key will do if it begins with the key."
    ),
    rule!(
        "L004", "unindexed-filter", Warn, queries::check, fixable: true,
        "Columns that statements filter by lead an index.",
        reason: "A statement whose conditions no index serves reads every row of the table, and is the slower the \
                 more there are.",
        fix: "Add `index` to the column, or `index(a, b)` to the model for columns that are filtered together.",
        but: "Asked only with `--queries FILE`, a log of executed statements. If one of the columns that a statement \
              filters a table by leads an index, that is enough. `IS NULL`, `<>`, `LIKE` and conditions on booleans do \
              not count, since an index seldom serves them."
    ),
    rule!(
        "L005", "nullable-with-default", Warn, nulls::defaulted, fixable: false,
        "A column that always has a value is NOT NULL.",
        reason: "A default says that there is no row without a value. With `Option` each reader has to treat a case that \
                 does not come, and one UPDATE can bring it after all.",
        fix: "Write the type without `Option`; where NULL has a meaning of its own, take the default away.",
        but: "`T` is NOT NULL and `Option<T>` is NULL, so a required column is one whose type says so, and the builder \
              asks for it. What a tool can see is an `Option` that contradicts something else: this rule, L006 and L007."
    ),
    rule!(
        "L006", "nullable-in-unique", Warn, nulls::unique, fixable: false,
        "The columns of a unique constraint are NOT NULL.",
        reason: "NULL is not equal to NULL: rows that have one in the constraint are never equal, and so it lets any \
                 number of them in. Of a natural key (email, username, slug, code, sku …) there should be no row \
                 without.",
        fix: "Write the type without `Option`. Or say what holds for NULL: `nulls_not_distinct` (PostgreSQL 15), or a \
              unique index for these rows, `index(name, unique, where = \"parent_id IS NULL\")`.",
        but: "A lone unique column that is no natural key by its name may be an `Option`: a one-to-one key, for example."
    ),
    rule!(
        "L007", "nullable-boolean", Warn, nulls::boolean, fixable: false,
        "A boolean is NOT NULL.",
        reason: "With NULL it has three values, and `WHERE NOT flag` misses the rows that have none.",
        fix: "Write `bool` with a default. Where there are three cases, name them: an enum with `derive(DbEnum)`.",
        but: ""
    ),
    rule!(
        "L008", "missing-timestamps", Warn, times::missing, fixable: true,
        "A table has `created_at` and `updated_at`.",
        reason: "The first question to a wrong row is when it came and when it was changed, and it can only be \
                 answered if it was recorded from the beginning.",
        fix: "Embed them, `#[model(embed)] timestamps: Timestamps`, or write both columns.",
        but: "Not asked of association tables: those of `secondary`, and models whose primary key consists of foreign \
              keys. `inserted_at`, `modified_at` and names on `_on` are taken, too."
    ),
    rule!(
        "L009", "idle-timestamps", Warn, times::idle, fixable: true,
        "`created_at` has a default, and `updated_at` a default and `on_update`.",
        reason: "A time that somebody has to think of is wrong in the one place where nobody did.",
        fix: "`#[column(default = Utc::now())]`, and for `updated_at` also `on_update = Utc::now()`.",
        but: ""
    ),
    rule!(
        "L010", "naive-timestamp", Warn, times::naive, fixable: false,
        "A date and time has a zone.",
        reason: "Without one it is the reading of a clock nobody knows where. It is another moment on a server in \
                 another zone, and in autumn an hour comes twice.",
        fix: "`DateTime<Utc>` (`timestamptz`) is a moment, on every database.",
        but: "A reading of a clock that is meant as one (opening hours, an alarm at 7) is right: call it \
              local (`begins_at_local`), beside a column with the name of the zone, or allow it."
    ),
    rule!(
        "L011", "float-money", Error, types::money, fixable: false,
        "Money is no float.",
        reason: "0.1 + 0.2 is not 0.3 in `f64`: sums are off by a cent, and rounding hides it until the books do not \
                 balance.",
        fix: "`Decimal` with `numeric(12, 2)`, or an integer of the smallest coin.",
        but: "By name: price, amount, total, cost, balance, fee, salary, tax … but not a rate, \
              percentage or factor, nor what has a unit (`total_kwh`)."
    ),
    rule!(
        "L012", "text-enum", Warn, types::enumeration, fixable: false,
        "A column of a few known values is an enum.",
        reason: "As text it takes every misspelling, and the compiler does not say which cases a `match` forgot.",
        fix: "`#[derive(DbEnum)] enum Status { … }` is a type of its own on PostgreSQL and a check on SQLite.",
        but: "By name (status, state, kind, type, role, stage, phase, priority …) or by a check of a few texts. A foreign \
              key to a table of the values is right; so are a content type and the state of an address."
    ),
    rule!(
        "L013", "one-sided-relationship", Warn, relations::one_sided, fixable: false,
        "A relationship is said at both ends, by `back_populates`.",
        reason: "The session keeps both ends of one relationship true at once. Of two that do not name each other it \
                 knows nothing: after `link`, one side is stale until it is read again.",
        fix: "Give the other model the relationship back, and name each as the other's `back_populates`.",
        but: "`view_only` relationships are only read, and need no other end."
    ),
    rule!(
        "L014", "undecided-on-delete", Warn, keys::undecided, fixable: true,
        "A foreign key says what happens when its target is deleted.",
        reason: "Unsaid, the database refuses, which is found out when the first user cannot be deleted. That may be \
                 right, but it should have been decided.",
        fix: "`on_delete = cascade` for what is a part of the target, `restrict` for what must not be lost, `set_null` for \
              what only mentions it. `no_action` is a decision, too.",
        but: "`--fix` writes `cascade` where the other end has the cascade `delete`."
    ),
    rule!(
        "L015", "required-key-cycle", Error, keys::cycle, fixable: false,
        "Foreign keys that lead in a circle have a side that may be NULL.",
        reason: "Each row of the circle needs another one to be there first: no first row can be inserted.",
        fix: "Make one of the keys an `Option`, or `deferrable = initially_deferred` (PostgreSQL and SQLite).",
        but: ""
    ),
    rule!(
        "L016", "key-type-mismatch", Error, keys::mismatch, fixable: true,
        "A foreign key has the type of its target, to the length.",
        reason: "A shorter key cannot hold every value that it may refer to, a longer one holds values that cannot be; \
                 and databases compare unlike types slowly, or not at all.",
        fix: "Say the same `length`, `numeric` or `text` as the target.",
        but: "Keys of another Rust type are refused by the compiler."
    ),
    rule!(
        "L017", "unbounded-text-index", Warn, indexes::unbounded, fixable: false,
        "Text in an index has a length.",
        reason: "An entry of a B-tree has to fit into a page: PostgreSQL refuses to insert what is longer than some 2,700 \
                 bytes, in production, when the first such text comes.",
        fix: "Say a `length`. For long texts index a part or a hash, `index(\"md5(body)\")`, or use another method.",
        but: "Foreign keys are not asked: their target is. Nor are `gin`, `gist`, `hash` and `brin`."
    ),
    rule!(
        "L018", "redundant-index", Warn, indexes::redundant, fixable: true,
        "No index is the beginning of another.",
        reason: "The longer one serves the same statements. The shorter one only costs a write for each row, space and \
                 memory.",
        fix: "Take the shorter out. A foreign key that leads an index of several columns needs none of its own: \
              `index = false`.",
        but: "Unique indexes, partial ones, expressions and other methods say something of their own."
    ),
    rule!(
        "L019", "redundant-unique", Warn, indexes::unique, fixable: true,
        "No unique constraint repeats the key, or another one.",
        reason: "Columns among which the primary key is are unique already, as are those among which another unique is. \
                 The second index costs a write for each row.",
        fix: "Take it out.",
        but: "One that a foreign key of several columns refers to is needed."
    ),
    rule!(
        "L020", "small-generated-key", Off, types::small_key, fixable: false,
        "A generated key is an `i64`.",
        reason: "2,147,483,647 rows are many until they are not, and numbers of failed inserts are gone as well. To \
                 widen the key of a large table, and every key that refers to it, takes a night.",
        fix: "`i64`.",
        but: "Off by default, since most tables stay small."
    ),
    rule!(
        "L021", "boolean-index", Warn, indexes::boolean, fixable: true,
        "No index is of a boolean alone.",
        reason: "It has two values: where half of the rows match, the database reads the table anyway.",
        fix: "Take it out; for a rare value, index only these rows: `index(id, where = \"failed\")`.",
        but: ""
    ),
    rule!(
        "L022", "time-as-text", Warn, times::text, fixable: false,
        "Dates and times are not text.",
        reason: "Text takes any spelling, sorts by it, and cannot be compared with `now()`.",
        fix: "`DateTime<Utc>`, `NaiveDate` or `NaiveTime`.",
        but: "By name: what ends with `_at`, `_date` or `_time`."
    ),
    rule!(
        "L900", "unknown-code", Warn, allow::unknown, fixable: false,
        "What is allowed is a rule.",
        reason: "An `allow` with a code that no rule has allows nothing, and looks as if it did.",
        fix: "Write the code of the rule that was meant: `limbeck lint --list` has them all.",
        but: ""
    ),
    rule!(
        "L901", "unused-allow", Warn, allow::unused, fixable: true,
        "What is allowed is there.",
        reason: "An `allow` outlives what it was written for, and then hides the next mistake of that kind.",
        fix: "Take it out.",
        but: "Rules that are off, or were not asked, do not count."
    ),
];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn codes_and_names_are_known_once_and_in_order() {
        assert!(RULES.windows(2).all(|pair| pair[0].code < pair[1].code));
        for rule in RULES {
            assert_eq!(find(&rule.code.to_lowercase()), Some(rule));
            assert_eq!(find(rule.name), Some(rule));
            assert!(!rule.wrong().is_empty() && !rule.right().is_empty(), "{rule:?}");
        }
    }

    #[test]
    fn the_nearest_rule_is_proposed_and_a_far_one_is_not() {
        for (said, meant) in [
            ("L0001", Some("L001")),
            ("L01", Some("L001")),
            ("singular-model-names", Some("L001")),
            ("float_money", Some("L011")),
            ("money", Some("L011")),
            ("timestamps", Some("L008")),
            ("serialize-with", None),
        ] {
            assert_eq!(nearest(said).map(|rule| rule.code), meant, "{said}");
        }
    }
}
