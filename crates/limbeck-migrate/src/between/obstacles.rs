//! What cannot be changed for the sake of something that is not managed: a view over a column that goes, a function that
//! a default calls and that is not there. Better left out, and said, than to fail in the middle.

use std::collections::BTreeSet;

use limbeck::dialect::Dialect;
use limbeck::schema::TableName;

use super::unmanaged::{Bond, Missing};
use crate::compare::Op;
use crate::reflect::Schema;
use crate::render::render;
use crate::token::{self, Token};

/// The operations that can be made, and why the others cannot.
pub(super) fn leave_out(ops: Vec<Op>, live: &Schema, missing: &[Missing], bonds: &[Bond]) -> (Vec<Op>, Vec<String>) {
    let mut left = Left::new(missing, bonds);
    let texts: Vec<(String, String)> = ops.iter().map(|op| both_ways(op, live)).collect();
    let mut reasons: Vec<Option<String>> = vec![None; ops.len()];
    // What is left out may be what another operation needs.
    loop {
        let before = reasons.iter().flatten().count();
        for (i, op) in ops.iter().enumerate().filter(|(_, op)| !matches!(op, Op::DropForeignKey { .. })) {
            if reasons[i].is_none()
                && let Some(why) = left.obstacle(op, &texts[i].0)
            {
                left.add(op, &texts[i].1);
                reasons[i] = Some(why);
            }
        }
        if reasons.iter().flatten().count() == before {
            break;
        }
    }
    let mut kept = Vec::new();
    let mut said = Vec::new();
    for (op, why) in ops.into_iter().zip(reasons) {
        match why {
            None => kept.push(op),
            Some(why) => said.push(format!("left out: {}: {why}", op.describe())),
        }
    }
    said.dedup();
    (kept, said)
}

fn both_ways(op: &Op, live: &Schema) -> (String, String) {
    let plan = render(std::slice::from_ref(op), live);
    let text = |steps: &[crate::revision::DraftStep]| {
        let statements = steps.iter().flat_map(|step| step.statements.iter().map(String::as_str));
        statements.collect::<Vec<_>>().join(";\n")
    };
    (text(&plan.upgrade), text(&plan.downgrade))
}

/// What is not there, and what has to stay.
struct Left<'b> {
    bonds: &'b [Bond],
    /// Names with what they are.
    functions: Vec<(String, String)>,
    relations: Vec<(String, String)>,
    types: Vec<(String, String)>,
    tables: BTreeSet<TableName>,
    columns: BTreeSet<(TableName, String)>,
    /// What makes things that stay.
    staying: Vec<String>,
    /// Tables to which something that stays refers.
    referred: BTreeSet<TableName>,
}

impl<'b> Left<'b> {
    fn new(missing: &[Missing], bonds: &'b [Bond]) -> Self {
        let mut left = Left {
            bonds,
            functions: Vec::new(),
            relations: Vec::new(),
            types: Vec::new(),
            tables: BTreeSet::new(),
            columns: BTreeSet::new(),
            staying: Vec::new(),
            referred: BTreeSet::new(),
        };
        for Missing { kind, named } in missing {
            let entry = || (bare(named), format!("the {kind} {named}"));
            match kind.as_str() {
                "function" | "procedure" | "aggregate" => left.functions.push(entry()),
                "range type" | "base type" | "type of an extension" | "collation" => left.types.push(entry()),
                "view" | "materialized view" | "partitioned table" | "partition" | "foreign table" | "typed table"
                | "inheriting table" => left.relations.push(entry()),
                _ => {}
            }
        }
        left
    }

    /// Why an operation cannot be made.
    fn obstacle(&self, op: &Op, sql: &str) -> Option<String> {
        self.missing(op, sql).or_else(|| self.bound(op)).or_else(|| self.stays(op))
    }

    /// What it needs and is not there.
    fn missing(&self, op: &Op, sql: &str) -> Option<String> {
        if let Some(table) = op.table()
            && self.tables.contains(&table)
        {
            return Some(format!("there is no table {table}"));
        }
        let tokens = token::code(Dialect::Postgres, sql).unwrap_or_default();
        let calls = |name: &str| tokens.windows(2).any(|t| is(&t[0], name) && t[1].is_symbol('('));
        let names = |name: &str| tokens.iter().any(|token| is(token, name));
        let refers = |name: &str| {
            let is_object = matches!(op, Op::Object(_));
            tokens.iter().enumerate().any(|(i, token)| {
                let behind = |back: usize| i >= back && tokens[i - back].is("references");
                is(token, name) && (is_object || behind(1) || behind(3))
            })
        };
        let what = |known: &[(String, String)], has: &dyn Fn(&str) -> bool| {
            known.iter().find(|(name, _)| has(name)).map(|(_, what)| what.clone())
        };
        let column = || {
            let table = op.table()?;
            let gone = self.columns.iter().find(|(of, column)| *of == table && names(column))?;
            Some(format!("the column {}.{}", gone.0, gone.1))
        };
        let needed = what(&self.functions, &calls)
            .or_else(|| what(&self.relations, &refers))
            .or_else(|| what(&self.types, &names))
            .or_else(column)?;
        Some(format!("it needs {needed}, which the first database does not have"))
    }

    /// What depends on what it changes.
    fn bound(&self, op: &Op) -> Option<String> {
        let of = |table: &TableName, column: Option<&str>| {
            self.bonds.iter().find(|bond| {
                bond.table.as_ref() == Some(table)
                    && match column {
                        Some(column) => bond.column.as_deref() == Some(column),
                        None => !bond.is_own,
                    }
            })
        };
        let bond = match op {
            Op::DropTable(table) => of(&table.full_name(), None),
            Op::DropColumn { table, column } => of(table, Some(&column.name)),
            Op::AlterColumn { table, from, to }
                if from.sql_type != to.sql_type || from.collation != to.collation || from.computed != to.computed =>
            {
                of(table, Some(&to.name))
            }
            Op::Object(change) => self
                .bonds
                .iter()
                .find(|bond| bond.type_name.as_deref().is_some_and(|name| takes_type(&change.title, name))),
            Op::DropEnum(values) | Op::AlterEnum { from: values, anew: true, .. } => {
                self.bonds.iter().find(|bond| bond.type_name.as_deref().is_some_and(|name| bare(name) == values.name()))
            }
            _ => None,
        }?;
        Some(format!("{} depends on it", bond.user))
    }

    /// Whether something that could not go has it.
    fn stays(&self, op: &Op) -> Option<String> {
        let named = match op {
            Op::DropTable(table) if self.referred.contains(&table.full_name()) => {
                return Some("a table that stays refers to it".to_string());
            }
            Op::DropEnum(values) => values.name().to_string(),
            Op::Object(change) => change.title.strip_prefix("drop ")?.split_once(' ')?.1.to_string(),
            _ => return None,
        };
        let has = self.staying.iter().any(|sql| sql.contains(&named));
        has.then(|| "something that stays needs it".to_string())
    }

    /// Notes what comes of it that an operation is left out.
    fn add(&mut self, op: &Op, inverse: &str) {
        let not_made = |name: &str| (bare(name), format!("`{name}`, which is left out"));
        match op {
            Op::CreateTable(table) => {
                self.relations.push((table.name.clone(), format!("the table {}", table.full_name())));
                self.tables.insert(table.full_name());
            }
            Op::AddColumn { table, column } => {
                self.columns.insert((table.clone(), column.name.clone()));
            }
            Op::CreateEnum(values) => self.types.push(not_made(values.name())),
            Op::Object(change) => {
                if let Some(("domain" | "type", name)) =
                    change.title.strip_prefix("create ").and_then(|title| title.split_once(' '))
                {
                    self.types.push(not_made(name));
                }
                if change.title.starts_with("drop ") {
                    self.staying.push(inverse.to_string());
                }
            }
            Op::DropTable(table) => {
                self.referred.extend(table.foreign_keys.iter().map(|key| key.target()));
                self.staying.push(inverse.to_string());
            }
            Op::DropColumn { .. } => self.staying.push(inverse.to_string()),
            _ => {}
        }
    }
}

/// Whether a change of that title takes a type away, or makes it anew.
fn takes_type(title: &str, name: &str) -> bool {
    ["drop domain ", "drop type ", "make the domain ", "make the type "]
        .iter()
        .any(|head| title.strip_prefix(head).is_some_and(|rest| rest.strip_suffix(" anew").unwrap_or(rest) == name))
}

fn is(token: &Token<'_>, name: &str) -> bool {
    token.identifier().is_some_and(|identifier| identifier == name)
}

/// The name alone: of `public."two words"(integer)` what is between the quotes.
fn bare(named: &str) -> String {
    let tokens = token::code(Dialect::Postgres, named).unwrap_or_default();
    let end = tokens.iter().position(|token| token.is_symbol('(')).unwrap_or(tokens.len());
    tokens[..end].last().and_then(Token::identifier).unwrap_or_else(|| named.to_string())
}
