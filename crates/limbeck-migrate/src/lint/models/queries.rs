//! L004: columns that executed statements filter by.
//!
//! `log` finds the statements in a log, `filters` the conditions in a statement. Which index a database would choose is
//! not asked: that needs its plans and its data. What can be said without is that no index begins with any of the
//! columns.

mod filters;
mod log;

use std::collections::{BTreeMap, HashMap};

use limbeck::schema::{IndexOn, Metadata, SqlType, Table, TableName};

use super::edit::{Edit, add_model_option, add_option};
use super::subject::{Findings, Subject};
use filters::{Filter, Filtered};

/// Executed statements, read from a log.
#[derive(Clone, Debug, Default)]
pub struct QueryLog {
    /// The statements, with the file and line of each.
    statements: Vec<(String, String)>,
}

/// Columns by which statements filter a table that no index serves.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Unserved {
    /// What is filtered: columns compared for equality first. Columns, or expressions such as `lower(email)`.
    keys: Vec<Filtered>,
    /// How many statements.
    count: usize,
    /// The first of them: `echo.log:17`.
    first: String,
}

impl QueryLog {
    /// Reads a log: what `echo` prints, events of `tracing` as text or as JSON, PostgreSQL's own log, or plain SQL. One
    /// statement a line; lines without one are passed over.
    pub fn read(name: &str, text: &str) -> Self {
        let lines = text.lines().enumerate();
        let statements =
            lines.filter_map(|(i, line)| Some((log::statement(line)?, format!("{name}:{}", i + 1)))).collect();
        QueryLog { statements }
    }

    /// Takes the statements of another log in.
    pub fn add(&mut self, other: QueryLog) {
        self.statements.extend(other.statements);
    }

    /// How many statements there are.
    pub fn len(&self) -> usize {
        self.statements.len()
    }

    /// Whether there is none.
    pub fn is_empty(&self) -> bool {
        self.statements.is_empty()
    }

    /// What no index serves, by table.
    pub(super) fn unserved(&self, metadata: &Metadata) -> HashMap<TableName, Vec<Unserved>> {
        // A program repeats itself: each text is looked at once.
        let mut texts: BTreeMap<&str, (usize, &str)> = BTreeMap::new();
        for (sql, place) in &self.statements {
            texts.entry(sql).or_insert((0, place)).0 += 1;
        }
        let mut out: HashMap<TableName, Vec<Unserved>> = HashMap::new();
        for (sql, (count, place)) in texts {
            for (table, found) in filters::filters(sql, metadata) {
                let Some(keys) = unserved(table, &found, metadata) else { continue };
                let known = out.entry(table.full_name()).or_default();
                match known.iter_mut().find(|one| one.keys == keys) {
                    Some(one) => one.count += count,
                    None => known.push(Unserved { keys, count, first: place.to_string() }),
                }
            }
        }
        out
    }
}

/// What one statement filters a table by, unless an index serves it.
fn unserved(table: &Table, found: &[Filter], metadata: &Metadata) -> Option<Vec<Filtered>> {
    if found.iter().any(|filter| leads(table, &filter.of)) {
        return None;
    }
    let other_end = |filter: &Filter| match &filter.joined {
        // A join is served from either end.
        Some((other, column)) => metadata.tables.iter().any(|t| t.full_name() == *other && leads(t, column)),
        None => false,
    };
    let counts = |filter: &&Filter| {
        let boolean = matches!(&filter.of, Filtered::Column(name) if is(table, name, &SqlType::Boolean));
        !boolean && !other_end(filter)
    };
    let mut kept: Vec<&Filter> = found.iter().filter(counts).collect();
    kept.sort_by_key(|filter| !filter.equal);
    let mut keys: Vec<Filtered> = Vec::new();
    for filter in kept {
        if !keys.contains(&filter.of) {
            keys.push(filter.of.clone());
        }
    }
    (!keys.is_empty()).then_some(keys)
}

fn is(table: &Table, column: &str, sql_type: &SqlType) -> bool {
    table.column(column).is_some_and(|column| column.sql_type == *sql_type)
}

/// Whether an index of the table begins with that.
fn leads(table: &Table, wanted: &Filtered) -> bool {
    match wanted {
        Filtered::Column(name) => {
            let first = |columns: &[String]| columns.first() == Some(name);
            let by_key = table.indexes.iter().any(|index| match &index.options {
                None => first(&index.columns),
                Some(options) => options.keys.first().is_some_and(|key| key.on == IndexOn::Column(name.clone())),
            });
            by_key
                || table.primary_key.as_ref().is_some_and(|key| first(&key.columns))
                || table.uniques.iter().any(|unique| first(&unique.columns))
        }
        Filtered::Expression(text) => {
            let options = table.indexes.iter().filter_map(|index| index.options.as_ref());
            options.filter_map(|options| options.keys.first()).any(|key| match &key.on {
                IndexOn::Expression(sql) => filters::normal(sql) == *text,
                IndexOn::Column(_) => false,
            })
        }
    }
}

/// L004
pub(super) fn check(subject: &Subject<'_>, out: &mut Findings<'_>) {
    let Some(unserved) = &subject.schema.unserved else { return };
    for found in unserved.get(&subject.table.full_name()).into_iter().flatten() {
        let position = |key: &Filtered| match key {
            Filtered::Column(name) => subject.model.columns.iter().position(|column| column.name == name),
            Filtered::Expression(_) => None,
        };
        let columns: Option<Vec<usize>> = found.keys.iter().map(position).collect();
        let texts: Vec<String> = found.keys.iter().map(|key| format!("`{}`", key.text())).collect();
        let by = texts.join(", ");
        let statements = match found.count {
            1 => format!("a statement filters `{}` by {by}", subject.table.name),
            count => format!("{count} statements filter `{}` by {by}", subject.table.name),
        };
        let message =
            format!("{statements}, and no index begins with {}", if texts.len() > 1 { "any of them" } else { "it" });
        let index = index_of(subject, columns.as_deref(), &found.keys);
        let help = format!("add `{index}`; first seen at {}", found.first);
        let place = match columns.as_deref() {
            Some([first, ..]) => subject.at(*first),
            _ => subject.at_model(),
        };
        let edits = columns.map(|columns| edits(subject, &columns, &index)).unwrap_or_default();
        out.add_fixable(place, message, help, edits);
    }
}

/// The index as a model says it.
fn index_of(subject: &Subject<'_>, columns: Option<&[usize]>, keys: &[Filtered]) -> String {
    match columns {
        Some([column]) if subject.own_field(*column).is_some() => "#[column(index)]".to_string(),
        Some(columns) => {
            let fields: Vec<&str> = columns.iter().map(|&column| subject.column(column).field).collect();
            format!("#[model(index({}))]", fields.join(", "))
        }
        None => {
            let keys: Vec<String> = keys
                .iter()
                .map(|key| match key {
                    Filtered::Column(name) => name.clone(),
                    Filtered::Expression(text) => format!("\"{text}\""),
                })
                .collect();
            format!("#[model(index({}))]", keys.join(", "))
        }
    }
}

fn edits(subject: &Subject<'_>, columns: &[usize], index: &str) -> Vec<Edit> {
    let bounded =
        |column: &usize| !matches!(subject.column(*column).sql_type, SqlType::Text | SqlType::String { length: None });
    let Some(source) = subject.source.filter(|_| columns.iter().all(bounded)) else { return Vec::new() };
    let option = index.trim_start_matches("#[column(").trim_start_matches("#[model(").trim_end_matches(")]");
    match (columns, subject.own_field(columns[0])) {
        ([_], Some(field)) => {
            // A foreign key that refused its index is another rule's.
            let said = field.option("index").is_some();
            if said { Vec::new() } else { vec![add_option(source.file, field, "column", option)] }
        }
        _ => add_model_option(source.file, source.model, option).into_iter().collect(),
    }
}
