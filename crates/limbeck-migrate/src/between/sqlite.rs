//! SQLite: what counts is the text that it keeps. Where the changes of tables do not lead to it, the table is made anew in
//! the other one's words.

use std::collections::BTreeSet;

use limbeck::dialect::Dialect;
use limbeck::engine::Connection;
use limbeck::schema::{Metadata, TableName};

use super::unmanaged::Unmanaged;
use crate::compare::{Op, Spelling, compare_with};
use crate::error::Result;
use crate::reflect::create::{ConstraintText, CreateTable, What};
use crate::reflect::{Schema, SqliteTable};
use crate::render::sqlite::applied;
use crate::token;

const OTHERS: &str = "SELECT CASE WHEN type = 'table' THEN 'virtual table' ELSE type END, name, sql FROM sqlite_schema \
     WHERE type IN ('view', 'trigger') OR (type = 'table' AND lower(sql) LIKE 'create virtual%')";

pub(super) fn operations(live: &mut Schema, wanted: &Schema) -> Vec<Op> {
    let all: BTreeSet<TableName> = live.tables.iter().map(|table| table.full_name()).collect();
    let diff = compare_with(&Metadata::new(wanted.tables.clone()), live, &Spelling::exact(), &all, None);
    let mut ops = diff.ops;
    for (name, to) in &wanted.sqlite {
        let Some(before) = live.sqlite.get(name) else {
            // A new table comes in its own words. Triggers are not managed.
            live.sqlite.insert(name.clone(), SqliteTable { triggers: Vec::new(), ..to.clone() });
            continue;
        };
        let own = || ops.iter().filter(|op| op.table().is_some_and(|table| table.name == *name));
        let after = applied(before, own().cloned().collect());
        // What is made anew can as well have the other one's words.
        let anew = own().any(|op| {
            !matches!(op, Op::AddColumn { .. } | Op::DropColumn { .. } | Op::CreateIndex { .. } | Op::DropIndex { .. })
        });
        if anew || canonical(&after.create) != canonical(&to.create) {
            let table = TableName::from(name.as_str());
            let to = SqliteTable { triggers: before.triggers.clone(), ..to.clone() };
            ops.push(Op::Rewrite { table, from: Box::new(before.clone()), to: Box::new(to) });
        }
    }
    ops
}

/// What is not managed, by kind and name.
pub(super) async fn others(connection: &mut Connection) -> Result<Unmanaged> {
    let rows: Vec<(String, String, String)> = connection.fetch_raw(OTHERS, &[]).await?;
    let things = rows.into_iter().map(|(kind, name, sql)| ((kind, name), token::normal(Dialect::Sqlite, &sql)));
    Ok(Unmanaged::of(things.collect()))
}

/// What a table says, whatever the order of its columns and the place of its constraints.
fn canonical(table: &CreateTable) -> BTreeSet<String> {
    let normal = |sql: &str| token::normal(Dialect::Sqlite, sql);
    let constraint = |about: &[String], k: &ConstraintText| {
        let name = k.name.clone().unwrap_or_default().to_lowercase();
        let text = match &k.what {
            // Of a column alone, it may stand with the column or with the table.
            What::PrimaryKey(_) | What::Unique(_) | What::ForeignKey { .. } if about.len() == 1 => alone(&k.text),
            _ => normal(&k.text),
        };
        let about = match k.what {
            What::Check(_) => String::new(),
            _ => about.join(",").to_lowercase(),
        };
        format!("{name} {about}: {text}")
    };
    let mut parts = BTreeSet::new();
    for column in &table.columns {
        parts.insert(format!("column {} {}", column.name.to_lowercase(), normal(&column.type_name)));
    }
    for (about, k) in table.all_constraints().filter(|(_, k)| k.what != What::Null) {
        parts.insert(constraint(&about, k));
    }
    parts.insert(format!("options {}", normal(&table.options)));
    parts
}

/// The tokens of a constraint of one column, without its name and the list of that column.
fn alone(sql: &str) -> String {
    let Ok(tokens) = token::code(Dialect::Sqlite, sql) else { return sql.to_string() };
    let named = tokens.first().is_some_and(|token| token.is("constraint"));
    let mut rest = &tokens[if named { 2.min(tokens.len()) } else { 0 }..];
    let mut kept = Vec::new();
    if rest.first().is_some_and(|token| token.is("foreign")) {
        // `FOREIGN KEY (a) REFERENCES …`
        let at = rest.iter().position(|token| token.is("references")).unwrap_or(0);
        rest = &rest[at..];
    } else if rest.first().is_some_and(|token| token.is("primary") || token.is("unique"))
        && let Some(open) = rest.iter().position(|token| token.is_symbol('('))
        && open <= 2
        && rest.get(open + 2).is_some_and(|token| token.is_symbol(')'))
    {
        kept.extend_from_slice(&rest[..open]);
        rest = &rest[open + 3..];
    }
    kept.extend_from_slice(rest);
    token::normal_of(&kept)
}
