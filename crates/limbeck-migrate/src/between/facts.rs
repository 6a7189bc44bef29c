//! What PostgreSQL has beside tables and what models say of them: sequences, domains, other types, constraints that say
//! more, comments, and how tables and columns are kept.

use std::collections::{BTreeMap, BTreeSet};

use limbeck::dialect::{Dialect, ddl};
use limbeck::engine::Connection;
use limbeck::schema::{SqlType, TableName};
use limbeck::types::Value;

use super::{drops_type, fetch_catalog, place};
use crate::compare::{ObjectChange, Op};
use crate::error::Result;
use crate::reflect::Schema;
use crate::reflect::create::mentions_in;

const DIALECT: Dialect = Dialect::Postgres;
const FACTS: &str = include_str!("facts.sql");

/// A thing, or with a key one of its settings.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Fact {
    stage: i32,
    kind: String,
    /// The table that it belongs to.
    table: Option<TableName>,
    /// The column, constraint or index of it.
    part: Option<String>,
    named: String,
    key: String,
    /// What is the same when it is the same.
    base: String,
    make: String,
    take: String,
    change: String,
    /// Whether the statement that makes the thing says this too.
    inline: bool,
    /// The start of a sequence, the schema of a type, or the index that a setting is about.
    extra: String,
}

impl Fact {
    fn id(&self) -> (&str, &str, &str) {
        (&self.kind, &self.named, &self.key)
    }

    fn is_thing(&self) -> bool {
        self.key.is_empty()
    }

    /// Whether it goes with its table, and comes behind it.
    fn is_of_table(&self) -> bool {
        matches!(self.kind.as_str(), "constraint" | "statistics")
    }

    fn owner(&self) -> Option<(&TableName, &str)> {
        Some((self.table.as_ref()?, self.part.as_deref()?))
    }
}

/// Reads them all, in an order in which they can be made.
pub(super) async fn read(connection: &mut Connection, current: Option<&str>) -> Result<Vec<Fact>> {
    type Row = (
        (i32, String, Option<String>, Option<String>, Option<String>),
        (String, String, String, String),
        (String, String, bool, String),
    );
    let own = [Value::Text(current.unwrap_or_default().to_string().into())];
    let rows: Vec<Row> = fetch_catalog!(connection, FACTS, &own);
    let facts = rows.into_iter().map(|row| {
        let ((stage, kind, schema, of, part), (named, key, base, make), (take, change, inline, extra)) = row;
        let table = schema.zip(of).map(|(schema, of)| place(schema, of, current));
        Fact { stage, kind, table, part, named, key, base, make, take, change, inline, extra }
    });
    Ok(facts.collect())
}

/// Makes of each column that a sequence numbers one with a default, beside the sequence: so all of the sequence counts.
/// One that is an identity on the other side stays what it is, since there the numbering itself changes.
pub(super) fn sequences(
    live: &mut Schema,
    live_facts: &mut Vec<Fact>,
    wanted: &mut Schema,
    wanted_facts: &mut Vec<Fact>,
) {
    let identities = |schema: &Schema| -> BTreeSet<(TableName, String)> {
        let of = |table: &limbeck::schema::Table| {
            let name = table.full_name();
            let numbered = table.columns.iter().filter(|column| column.generated && column.serial.is_none());
            numbered.map(|column| (name.clone(), column.name.clone())).collect::<Vec<_>>()
        };
        schema.tables.iter().flat_map(of).collect()
    };
    let (of_live, of_wanted) = (identities(live), identities(wanted));
    spell_out(live, live_facts, &of_wanted);
    spell_out(wanted, wanted_facts, &of_live);
}

fn spell_out(schema: &mut Schema, facts: &mut Vec<Fact>, identities: &BTreeSet<(TableName, String)>) {
    for table in &mut schema.tables {
        let name = table.full_name();
        for column in &mut table.columns {
            let Some(serial) = column.serial.clone() else { continue };
            let is_own = |fact: &Fact| fact.kind == "sequence" && fact.owner() == Some((&name, column.name.as_str()));
            if identities.contains(&(name.clone(), column.name.clone())) {
                facts.retain(|fact| !is_own(fact));
                continue;
            }
            let things = || facts.iter().filter(|fact| fact.is_thing() && is_own(fact));
            let by_name = things().find(|fact| fact.named.trim_end_matches('"').ends_with(&serial));
            let Some(sequence) = by_name.or_else(|| things().next()) else { continue };
            column.server_default = Some(format!("nextval({}::regclass)", ddl::text_literal(&sequence.named)));
            column.generated = false;
            column.serial = None;
        }
    }
}

/// Takes the constraints out of the tables that say more than a table can.
pub(super) fn constraints(schema: &mut Schema, facts: &[Fact]) {
    let special = facts.iter().filter(|fact| fact.kind == "constraint" && fact.is_thing());
    let special: BTreeSet<(&TableName, &str)> = special.filter_map(Fact::owner).collect();
    for table in &mut schema.tables {
        let name = table.full_name();
        let stays = |own: Option<&str>| own.is_none_or(|own| !special.contains(&(&name, own)));
        table.primary_key.take_if(|key| !stays(key.name.as_deref()));
        table.uniques.retain(|unique| stays(unique.name.as_deref()));
        table.foreign_keys.retain(|key| stays(key.name.as_deref()));
        table.checks.retain(|check| stays(check.name.as_deref()));
    }
}

/// What operations make.
#[derive(Default)]
struct Made {
    tables: BTreeSet<TableName>,
    parts: BTreeSet<(TableName, String)>,
    things: BTreeSet<(String, String)>,
}

impl Made {
    fn by<'o>(ops: impl Iterator<Item = Op>, current: Option<&str>, things: impl Iterator<Item = &'o Fact>) -> Made {
        let mut made = Made::default();
        for op in ops {
            let part = match &op {
                Op::CreateTable(table) => {
                    made.tables.insert(table.full_name());
                    None
                }
                Op::CreateEnum(values) => {
                    let schema = current.map(|schema| format!("{}.", DIALECT.ident(schema))).unwrap_or_default();
                    made.things.insert(("type".into(), format!("{schema}{}", DIALECT.ident(values.name()))));
                    None
                }
                Op::AddColumn { column, .. } => Some(column.name.clone()),
                Op::AlterColumn { from, to, .. } if to.generated && !from.generated => Some(to.name.clone()),
                Op::CreateIndex { index, .. } => Some(index.name.clone()),
                Op::AddUnique { unique, .. } => unique.name.clone(),
                Op::AddCheck { check, .. } => check.name.clone(),
                Op::AddForeignKey { key, .. } => key.name.clone(),
                Op::SetPrimaryKey { to: Some(key), .. } => key.name.clone(),
                _ => None,
            };
            made.parts.extend(op.table().zip(part));
        }
        made.things.extend(things.map(|fact| (fact.kind.clone(), fact.named.clone())));
        made
    }

    fn has(&self, fact: &Fact) -> bool {
        let thing = self.things.contains(&(fact.kind.clone(), fact.named.clone()));
        // The table of a sequence is only where its numbers go.
        if thing || fact.kind == "sequence" {
            return thing;
        }
        let Some(table) = &fact.table else { return false };
        let part = |part: &str| self.parts.contains(&(table.clone(), part.to_string()));
        self.tables.contains(table) || fact.part.as_deref().is_some_and(part) || part(&fact.extra)
    }
}

/// Operations with those for all the rest, in order.
pub(super) fn with(
    ops: Vec<Op>,
    live: &Schema,
    wanted: &Schema,
    live_facts: &[Fact],
    wanted_facts: &[Fact],
) -> Vec<Op> {
    let of_live: BTreeMap<_, &Fact> = live_facts.iter().map(|fact| (fact.id(), fact)).collect();
    let of_wanted: BTreeMap<_, &Fact> = wanted_facts.iter().map(|fact| (fact.id(), fact)).collect();
    let differs = |fact: &Fact, other: &BTreeMap<_, &Fact>| match other.get(&fact.id()) {
        Some(other) => fact.is_of_table() && fact.base != other.base,
        None => true,
    };
    let created: Vec<&Fact> = wanted_facts.iter().filter(|f| f.is_thing() && differs(f, &of_live)).collect();
    let dropped: Vec<&Fact> = live_facts.iter().filter(|f| f.is_thing() && differs(f, &of_wanted)).collect();
    let made = Made::by(ops.iter().cloned(), wanted.current.as_deref(), created.iter().copied());
    let gone = ops.iter().map(|op| op.clone().inverse());
    let gone = Made::by(gone, live.current.as_deref(), dropped.iter().copied());

    let mut out = Out::default();
    for fact in &created {
        let op = thing(fact, true);
        match fact.kind.as_str() {
            "schema" => out.schemas.push(op),
            _ if fact.is_of_table() => out.behind.push((fact.stage, op)),
            _ => out.before.push(op),
        }
    }
    for fact in dropped.iter().rev() {
        let op = thing(fact, false);
        if fact.is_of_table() { out.away.push(op) } else { out.last.push(op) }
    }
    for fact in wanted_facts.iter().filter(|fact| fact.is_thing()) {
        if let Some(old) = of_live.get(&fact.id())
            && !fact.is_of_table()
            && fact.base != old.base
        {
            out.before.push(made_anew(old, fact, live, wanted));
        }
    }
    for fact in live_facts.iter().filter(|fact| !fact.is_thing()).rev() {
        let other = of_wanted.get(&fact.id());
        if fact.key == "owned by" {
            if other.is_none_or(|other| other.base != fact.base || gone.has_owner(fact)) {
                out.away.push(setting(fact, vec![fact.take.clone()], vec![fact.make.clone()]));
            }
        } else if gone.has(fact) {
            if !fact.inline {
                out.away.push(setting(fact, Vec::new(), vec![fact.make.clone()]));
            }
        } else if other.is_none() && !fact.take.is_empty() {
            out.behind.push((fact.stage, setting(fact, vec![fact.take.clone()], vec![fact.make.clone()])));
        }
    }
    for fact in wanted_facts.iter().filter(|fact| !fact.is_thing()) {
        let old = of_live.get(&fact.id());
        if fact.key == "owned by" {
            if old.is_none_or(|old| old.base != fact.base || made.has_owner(fact)) {
                let mut statements = vec![fact.make.clone()];
                if !made.has_owner(fact) && made.has(fact) {
                    statements.extend(behind_the_rows(fact, wanted_facts));
                }
                out.behind.push((fact.stage, setting(fact, statements, vec![fact.take.clone()])));
            }
        } else if made.has(fact) {
            if !fact.inline {
                out.behind.push((fact.stage, setting(fact, vec![fact.make.clone()], Vec::new())));
            }
        } else {
            let way = |of: &Fact| vec![if of.change.is_empty() { &of.make } else { &of.change }.clone()];
            match old {
                Some(old) if old.base == fact.base => {}
                Some(old) if fact.key == "options" => {
                    let (there, back) = renumbered(old, fact);
                    out.behind.push((fact.stage, setting(fact, vec![there], vec![back])));
                }
                Some(old) => out.behind.push((fact.stage, setting(fact, way(fact), way(old)))),
                None if fact.take.is_empty() => {}
                None => {
                    out.behind.push((fact.stage, setting(fact, vec![fact.make.clone()], vec![fact.take.clone()])));
                }
            }
        }
    }
    out.in_order(ops)
}

impl Made {
    /// Whether the column that owns a sequence is made.
    fn has_owner(&self, fact: &Fact) -> bool {
        fact.owner().is_some_and(|(table, column)| {
            self.tables.contains(table) || self.parts.contains(&(table.clone(), column.to_string()))
        })
    }
}

/// The operations by their place.
#[derive(Default)]
struct Out {
    schemas: Vec<Op>,
    before: Vec<Op>,
    away: Vec<Op>,
    behind: Vec<(i32, Op)>,
    last: Vec<Op>,
}

impl Out {
    fn in_order(mut self, ops: Vec<Op>) -> Vec<Op> {
        // Those that take something away were gathered first.
        self.behind.sort_by_key(|(stage, _)| *stage);
        let (types, ops): (Vec<Op>, Vec<Op>) = ops.into_iter().partition(|op| matches!(op, Op::CreateEnum(_)));
        let (gone, ops): (Vec<Op>, Vec<Op>) = ops.into_iter().partition(drops_type);
        // Schemas are things here, with or without a table in them.
        let ops = ops.into_iter().filter(|op| !matches!(op, Op::CreateSchema(_))).collect();
        let ops = types_among_tables(ops, &mut self.before, &mut self.last);
        let behind = self.behind.into_iter().map(|(_, op)| op).collect();
        let (schemas, last) = self.last.into_iter().partition(|op| op.describe().starts_with("drop schema "));
        [self.schemas, types, self.before, self.away, ops, behind, last, gone, schemas].concat()
    }
}

/// Puts the types that have to do with the rows of a table that comes or goes among the tables.
fn types_among_tables(ops: Vec<Op>, before: &mut Vec<Op>, last: &mut Vec<Op>) -> Vec<Op> {
    let come = |op: &Op| matches!(op, Op::CreateTable(_));
    let go = |op: &Op| matches!(op, Op::DropTable(_));
    let mut last_inverse: Vec<Op> = last.drain(..).rev().map(Op::inverse).collect();
    let (mut coming, mut going) = (Vec::new(), Vec::new());
    let at = |is: &dyn Fn(&Op) -> bool| ops.iter().position(is);
    let (first_coming, first_going) = (at(&come), at(&go));
    let mut out = Vec::new();
    for op in &ops {
        if come(op) {
            coming.push(op.clone());
        } else if go(op) {
            going.push(op.clone());
        }
    }
    coming.splice(0..0, take_row_types(before, &coming));
    let mut gone: Vec<Op> = going.into_iter().rev().map(Op::inverse).collect();
    gone.splice(0..0, take_row_types(&mut last_inverse, &gone));
    last.extend(last_inverse.into_iter().rev().map(Op::inverse));
    let (mut coming, mut gone) = (Some(in_order_of_need(coming)), Some(in_order_of_need(gone)));
    for (i, op) in ops.iter().enumerate() {
        if Some(i) == first_coming {
            out.extend(coming.take().unwrap_or_default());
        }
        if Some(i) == first_going {
            out.extend(gone.take().unwrap_or_default().into_iter().rev().map(Op::inverse));
        }
        if !come(op) && !go(op) {
            out.push(op.clone());
        }
    }
    out
}

/// Takes out the types that are made of rows of one of these tables, and what is made of those.
fn take_row_types(types: &mut Vec<Op>, tables: &[Op]) -> Vec<Op> {
    let mut out: Vec<Op> = Vec::new();
    loop {
        let is_one = |op: &Op| {
            let Some(name) = made_type(op) else { return false };
            let says = |other: &Op| made_name(other).is_some_and(|other| other != name && needs(op, &other));
            tables.iter().chain(&out).any(says)
        };
        let Some(at) = types.iter().position(is_one) else { return out };
        out.push(types.remove(at));
    }
}

/// The name of a domain or type that an operation makes.
fn made_type(op: &Op) -> Option<String> {
    let Op::Object(change) = op else { return None };
    let (kind, name) = change.title.strip_prefix("create ")?.split_once(' ')?;
    matches!(kind, "domain" | "type").then(|| name.rsplit('.').next().unwrap_or(name).trim_matches('"').to_string())
}

fn made_name(op: &Op) -> Option<String> {
    match op {
        Op::CreateTable(table) => Some(table.name.clone()),
        _ => made_type(op),
    }
}

/// Whether an operation that makes something names something else.
fn needs(op: &Op, name: &str) -> bool {
    match op {
        Op::CreateTable(table) => {
            let typed = |sql_type: &SqlType| mentions_in(DIALECT, &ddl::type_name(DIALECT, sql_type), name);
            table.columns.iter().any(|column| typed(&column.sql_type))
                || table.foreign_keys.iter().any(|key| key.target_table == name && key.target_table != table.name)
        }
        Op::Object(change) => change.statements.iter().any(|sql| mentions_in(DIALECT, sql, name)),
        _ => false,
    }
}

/// Each behind what it needs; of a circle, as they came.
fn in_order_of_need(mut ops: Vec<Op>) -> Vec<Op> {
    if ops.iter().all(|op| made_type(op).is_none()) {
        return ops;
    }
    let mut out = Vec::new();
    while !ops.is_empty() {
        let is_ready = |op: &Op| {
            let own = made_name(op);
            !ops.iter().filter_map(made_name).any(|name| Some(&name) != own.as_ref() && needs(op, &name))
        };
        let next = ops.iter().position(is_ready).unwrap_or(0);
        out.push(ops.remove(next));
    }
    out
}

fn thing(fact: &Fact, comes: bool) -> Op {
    let (make, take) = (format!("create {} {}", fact.kind, fact.named), format!("drop {} {}", fact.kind, fact.named));
    let change = ObjectChange {
        title: make,
        inverse_title: take,
        statements: vec![fact.make.clone()],
        inverse: vec![fact.take.clone()],
    };
    if comes { Op::Object(change) } else { Op::Object(change).inverse() }
}

fn setting(fact: &Fact, statements: Vec<String>, inverse: Vec<String>) -> Op {
    let title = format!("{} {}: {}", fact.kind, fact.named, fact.key);
    Op::Object(ObjectChange { inverse_title: title.clone(), title, statements, inverse })
}

/// Other options of a sequence, there and back. One that stands where the new bounds do not reach begins anew.
fn renumbered(from: &Fact, to: &Fact) -> (String, String) {
    let numbers = |fact: &Fact| -> Vec<i64> { fact.extra.split(' ').filter_map(|n| n.parse().ok()).collect() };
    let change = |fact: &Fact, last: i64| match numbers(fact)[..] {
        [_, start, min, max] if last < min || last > max => (format!("{} RESTART WITH {start}", fact.make), start),
        _ => (fact.make.clone(), last),
    };
    let last = numbers(from).first().copied().unwrap_or(1);
    let (there, last) = change(to, last);
    (there, change(from, last).0)
}

/// A sequence that comes to rows which have their numbers goes on behind them.
fn behind_the_rows(fact: &Fact, facts: &[Fact]) -> Option<String> {
    let sequence =
        facts.iter().find(|other| other.is_thing() && other.kind == fact.kind && other.named == fact.named)?;
    let (table, column) = fact.owner()?;
    let (table, column, start) = (DIALECT.table(table), DIALECT.ident(column), &sequence.extra);
    Some(format!(
        "SELECT setval({}, (SELECT greatest(coalesce(max({column}) + 1, {start}), {start}) FROM {table}), false)",
        ddl::text_literal(&fact.named)
    ))
}

/// A type that cannot be changed into the other: a new one, to which the columns are converted by way of their text.
fn made_anew(from: &Fact, to: &Fact, live: &Schema, wanted: &Schema) -> Op {
    let way = |to: &Fact, now: &Schema, then: &Schema| {
        let word = if to.kind == "domain" { "DOMAIN" } else { "TYPE" };
        let mut statements = vec![format!("ALTER {word} {} RENAME TO _limbeck_old", to.named), to.make.clone()];
        for table in &now.tables {
            let Some(other) = then.table(&table.full_name()) else { continue };
            for column in &table.columns {
                let SqlType::Other(declared) = &column.sql_type else { continue };
                let brackets = declared.strip_prefix(to.named.as_str());
                let Some(brackets) = brackets.filter(|rest| rest.is_empty() || *rest == "[]") else { continue };
                if other.column(&column.name).is_none_or(|other| other.sql_type != column.sql_type) {
                    continue;
                }
                let name = DIALECT.ident(&column.name);
                let alter = format!("ALTER TABLE {} ALTER COLUMN {name}", DIALECT.table(&table.full_name()));
                statements.extend(column.server_default.as_ref().map(|_| format!("{alter} DROP DEFAULT")));
                statements.push(format!("{alter} TYPE {declared} USING {name}::TEXT{brackets}::{declared}"));
                let default = column.server_default.as_ref();
                statements.extend(default.map(|default| format!("{alter} SET DEFAULT {default}")));
            }
        }
        statements.push(format!("DROP {word} {}._limbeck_old", DIALECT.ident(&to.extra)));
        statements
    };
    let title = format!("make the {} {} anew", to.kind, to.named);
    Op::Object(ObjectChange {
        inverse_title: title.clone(),
        title,
        statements: way(to, live, wanted),
        inverse: way(from, wanted, live),
    })
}
