//! The difference between what models want and what a database has.

mod enums;
mod indexes;
mod op;
mod replace;
mod spelling;
pub(crate) mod types;

use std::collections::BTreeSet;

use limbeck::dialect::{Dialect, ddl};
use limbeck::schema::{Check, Column, EnumType, ForeignKey, Metadata, PrimaryKey, Table, TableName, in_creation_order};

pub use op::{EnumColumn, ObjectChange, Op};
pub use spelling::Spelling;

use crate::reflect::Schema;

/// What would make the database what the models say.
#[derive(Clone, Debug, Default)]
pub struct Diff {
    /// The operations, in an order in which they can be done; backwards and inverted they take it back.
    pub ops: Vec<Op>,
    /// Tables that no model has and no revision made: they belong to someone else and are left alone.
    pub unknown: Vec<String>,
}

/// Compares.
///
/// `owned` are the tables that revisions of this project made: of those that no model has any more, only
/// these are dropped.
///
/// `wanted` is what the models want of this database: [`Schema::adopt`].
///
/// The names of constraints and indexes are not compared, nor is the order of columns.
pub fn compare(wanted: &Metadata, live: &Schema, spelling: &Spelling, owned: &BTreeSet<TableName>) -> Diff {
    compare_with(wanted, live, spelling, owned, None)
}

/// Compares; `types` are all enumerations that are wanted, where that is more than those of the columns.
pub(crate) fn compare_with(
    wanted: &Metadata,
    live: &Schema,
    spelling: &Spelling,
    owned: &BTreeSet<TableName>,
    types: Option<&[EnumType]>,
) -> Diff {
    let dialect = live.dialect;
    let mut parts = Parts::default();
    let mut created = Vec::new();
    let wanted_schemas: BTreeSet<&String> = wanted.tables.iter().filter_map(|table| table.schema.as_ref()).collect();
    let missing = wanted_schemas.into_iter().filter(|schema| !live.schemas.contains(*schema));
    parts.create_schemas.extend(missing.map(|schema| Op::CreateSchema(schema.clone())));
    for table in &wanted.tables {
        match live.table(&table.full_name()) {
            Some(live) => parts.table(dialect, spelling, table, live),
            None => created.push(table.clone()),
        }
    }
    if dialect == Dialect::Postgres {
        parts.replace_columns(wanted, live);
    }
    let kept: BTreeSet<TableName> = wanted.tables.iter().map(Table::full_name).collect();
    // A revision may name the schema that is current now.
    let is_ours = |table: &TableName| {
        owned.contains(table)
            || (table.schema.is_none()
                && owned.contains(&TableName { schema: live.current.clone(), name: table.name.clone() }))
    };
    let (gone, unknown): (Vec<&Table>, Vec<&Table>) =
        live.tables.iter().filter(|table| !kept.contains(&table.full_name())).partition(|t| is_ours(&t.full_name()));
    let dropped: BTreeSet<TableName> = gone.iter().map(|table| table.full_name()).collect();
    let gone = in_creation_order(gone.into_iter().cloned().collect());
    for (table, late) in later_keys(dialect, gone).into_iter().rev() {
        parts.drop_keys.extend(late.into_iter().map(|key| Op::DropForeignKey { table: table.full_name(), key }));
        parts.drop_tables.push(Op::DropTable(table));
    }
    for (table, late) in later_keys(dialect, created) {
        parts.add_keys.extend(late.into_iter().map(|key| Op::AddForeignKey { table: table.full_name(), key }));
        parts.create_tables.push(Op::CreateTable(table));
    }
    if dialect == Dialect::Postgres {
        parts.enums(wanted, live, &dropped, types);
        parts.release_keys(wanted, live);
    }
    Diff { ops: parts.in_order(), unknown: unknown.into_iter().map(|table| table.full_name().to_string()).collect() }
}

/// Tables with the foreign keys that have to wait until all of them exist taken out.
fn later_keys(dialect: Dialect, tables: Vec<Table>) -> Vec<(Table, Vec<ForeignKey>)> {
    let all = tables.clone();
    tables
        .into_iter()
        .enumerate()
        .map(|(position, mut table)| {
            let waits = ddl::waits(dialect, &all, position);
            let (late, now) = std::mem::take(&mut table.foreign_keys).into_iter().partition(|key| waits(key));
            table.foreign_keys = now;
            (table, late)
        })
        .collect()
}

/// The operations by kind: what refers goes before what is referred to, what is in the way before what needs
/// the place, and new tables come when the keys that they refer to are there.
#[derive(Default)]
struct Parts {
    create_schemas: Vec<Op>,
    create_enums: Vec<Op>,
    alter_enums: Vec<Op>,
    drop_enums: Vec<Op>,
    drop_keys: Vec<Op>,
    drop_tables: Vec<Op>,
    drop_checks: Vec<Op>,
    drop_indexes: Vec<Op>,
    drop_computed: Vec<Op>,
    columns: Vec<Op>,
    primary_keys: Vec<Op>,
    drop_columns: Vec<Op>,
    add_computed: Vec<Op>,
    add_indexes: Vec<Op>,
    add_checks: Vec<Op>,
    logged: Vec<Op>,
    comments: Vec<Op>,
    create_tables: Vec<Op>,
    add_keys: Vec<Op>,
}

impl Parts {
    fn in_order(mut self) -> Vec<Op> {
        let (released, keys) = self.keys_of_computed();
        [
            self.create_schemas,
            self.create_enums,
            self.drop_keys,
            self.drop_tables,
            self.drop_checks,
            self.drop_indexes,
            released,
            self.drop_computed,
            self.alter_enums,
            self.columns,
            self.primary_keys,
            self.drop_columns,
            self.add_computed,
            keys,
            self.add_indexes,
            self.add_checks,
            self.logged,
            self.comments,
            self.create_tables,
            self.add_keys,
            self.drop_enums,
        ]
        .concat()
    }

    /// The primary keys over computed columns that go or come: such a key goes before its column, and comes after it.
    fn keys_of_computed(&mut self) -> (Vec<Op>, Vec<Op>) {
        let has = |ops: &[Op], of: &TableName, key: Option<&PrimaryKey>| {
            ops.iter().any(|op| match op {
                Op::AddColumn { table, column } | Op::DropColumn { table, column } => {
                    table == of && key.is_some_and(|key| key.columns.contains(&column.name))
                }
                _ => false,
            })
        };
        let (mut released, mut later) = (Vec::new(), Vec::new());
        self.primary_keys.retain(|op| {
            let Op::SetPrimaryKey { table, from, to } = op else { return true };
            if !has(&self.drop_computed, table, from.as_ref()) && !has(&self.add_computed, table, to.as_ref()) {
                return true;
            }
            if from.is_some() {
                released.push(Op::SetPrimaryKey { table: table.clone(), from: from.clone(), to: None });
            }
            if to.is_some() {
                later.push(Op::SetPrimaryKey { table: table.clone(), from: None, to: to.clone() });
            }
            false
        });
        (released, later)
    }

    /// PostgreSQL changes no column or key that a foreign key depends on: the foreign key goes and comes again.
    fn release_keys(&mut self, wanted: &Metadata, live: &Schema) {
        let retyped = |table: &TableName, columns: &[String]| {
            let anew = columns.iter().any(|column| self.is_made_anew(table, column));
            anew || self.columns.iter().any(|op| match op {
                Op::AlterColumn { table: altered, from, to } => {
                    altered == table && is_retyped(from, to) && columns.contains(&to.name)
                }
                _ => false,
            })
        };
        let mut removed: Vec<(&TableName, &[String])> = Vec::new();
        for op in self.primary_keys.iter().chain(&self.drop_indexes) {
            match op {
                Op::SetPrimaryKey { table, from: Some(key), .. } => removed.push((table, &key.columns)),
                Op::DropUnique { table, unique } => removed.push((table, &unique.columns)),
                Op::DropIndex { table, index } if index.unique => removed.push((table, &index.columns)),
                _ => {}
            }
        }
        let rests_on = |key: &ForeignKey| {
            removed.iter().any(|(table, columns)| {
                **table == key.target() && columns.iter().all(|column| key.target_columns.contains(column))
            })
        };
        let mut released = Vec::new();
        for table in wanted.tables.iter().filter_map(|wanted| live.table(&wanted.full_name())) {
            let name = table.full_name();
            for key in &table.foreign_keys {
                let depends =
                    retyped(&name, &key.columns) || retyped(&key.target(), &key.target_columns) || rests_on(key);
                let drop = Op::DropForeignKey { table: name.clone(), key: key.clone() };
                if depends && !self.drop_keys.contains(&drop) {
                    released.push(drop);
                }
            }
        }
        self.add_keys.extend(released.iter().map(|drop| drop.clone().inverse()));
        self.drop_keys.extend(released);
    }

    fn table(&mut self, dialect: Dialect, spelling: &Spelling, wanted: &Table, live: &Table) {
        let table = || wanted.full_name();
        for column in &wanted.columns {
            match live.column(&column.name) {
                None => self.columns.push(Op::AddColumn { table: table(), column: column.clone() }),
                Some(old) => self.column(dialect, spelling, wanted, column, old),
            }
        }
        for column in &live.columns {
            if wanted.column(&column.name).is_none() {
                self.drop_columns.push(Op::DropColumn { table: table(), column: column.clone() });
            }
        }
        let key = |table: &Table| table.primary_key.as_ref().map(|key| key.columns.clone());
        let name = |table: &'_ Table| table.primary_key.as_ref().and_then(|key| key.name.clone());
        if key(wanted) != key(live) || !spelling.same_name(name(wanted).as_deref(), name(live).as_deref()) {
            self.primary_keys.push(Op::SetPrimaryKey {
                table: table(),
                from: live.primary_key.clone(),
                to: wanted.primary_key.clone(),
            });
        }
        self.indexes(dialect, spelling, wanted, live);
        let same = |a: &Check, b: &Check| spelling.same_check(dialect, &wanted.full_name(), a, b);
        for (check, missing) in unmatched(&wanted.checks, &live.checks, |check| check.name.as_deref(), same) {
            if missing && types::is_json_of_others(dialect, wanted, live, check) {
                continue;
            }
            let (table, check) = (table(), check.clone());
            if missing {
                self.add_checks.push(Op::AddCheck { table, check });
            } else {
                self.drop_checks.push(Op::DropCheck { table, check });
            }
        }
        if wanted.comment != live.comment {
            let (from, to) = (live.comment.clone(), wanted.comment.clone());
            self.comments.push(Op::SetComment { table: table(), index: None, from, to });
        }
        if wanted.unlogged != live.unlogged {
            self.logged.push(Op::SetLogged { table: table(), logged: !wanted.unlogged });
        }
        let same = |a: &ForeignKey, b: &ForeignKey| {
            same_foreign_key(a, b) && spelling.same_name(a.name.as_deref(), b.name.as_deref())
        };
        for (key, missing) in unmatched(&wanted.foreign_keys, &live.foreign_keys, |key| key.name.as_deref(), same) {
            let (table, key) = (table(), key.clone());
            if missing {
                self.add_keys.push(Op::AddForeignKey { table, key });
            } else {
                self.drop_keys.push(Op::DropForeignKey { table, key });
            }
        }
    }

    fn column(&mut self, dialect: Dialect, spelling: &Spelling, table: &Table, wanted: &Column, live: &Column) {
        let name = table.full_name();
        let in_key = table.primary_key.as_ref().is_some_and(|key| key.columns.contains(&wanted.name));
        let same_type = types::same_type(dialect, &wanted.sql_type, &live.sql_type);
        let same_default = spelling.same_default(dialect, &name, wanted, live);
        let same_computed = spelling.same_computed(dialect, &name, wanted, live);
        // A lone INTEGER key of SQLite is the rowid, numbered or not.
        let same_numbering =
            wanted.generated == live.generated || (dialect == Dialect::Sqlite && live.generated && !wanted.generated);
        let same_identity = wanted.identity == live.identity;
        let same_serial = wanted.serial.is_some() == live.serial.is_some();
        let same_null = wanted.nullable == live.nullable || in_key;
        let same_collation = same_collation(dialect, wanted, live);
        // What is the same keeps the live spelling, so that the step says, and the way back restores, only
        // what differs.
        let to = Column {
            name: wanted.name.clone(),
            sql_type: if same_type { &live.sql_type } else { &wanted.sql_type }.clone(),
            nullable: if same_null { live.nullable } else { wanted.nullable },
            server_default: if same_default { &live.server_default } else { &wanted.server_default }.clone(),
            generated: if same_numbering { live.generated } else { wanted.generated },
            serial: if same_numbering && same_serial { &live.serial } else { &wanted.serial }.clone(),
            identity: if same_identity { live.identity } else { wanted.identity },
            computed: if same_computed { &live.computed } else { &wanted.computed }.clone(),
            collation: if same_collation { &live.collation } else { &wanted.collation }.clone(),
            comment: wanted.comment.clone(),
            was: None,
        };
        if to != *live {
            self.columns.push(Op::AlterColumn { table: name, from: live.clone(), to });
        }
    }
}

/// Whether two columns sort alike. SQLite takes a collation's name in any case.
fn same_collation(dialect: Dialect, wanted: &Column, live: &Column) -> bool {
    let name = |column: &Column| {
        let name = column.collation.as_ref()?.on(dialect)?;
        Some(if dialect == Dialect::Sqlite { name.to_ascii_uppercase() } else { name.to_string() })
    };
    name(wanted).filter(|name| dialect != Dialect::Sqlite || name != "BINARY") == name(live)
}

/// Whether the values of a column are made anew: PostgreSQL then wants nothing to depend on it.
fn is_retyped(from: &Column, to: &Column) -> bool {
    from.sql_type != to.sql_type || from.collation != to.collation
}

fn same_foreign_key(a: &ForeignKey, b: &ForeignKey) -> bool {
    a.columns == b.columns
        && a.target() == b.target()
        && a.deferrable == b.deferrable
        && a.target_columns == b.target_columns
        && a.on_delete == b.on_delete
        && a.on_update == b.on_update
}

/// What is only wanted (true) or only there (false). Names do not count, unless one is in the way: what has the name
/// of something else that is wanted has to go.
fn unmatched<'a, T>(
    wanted: &'a [T],
    live: &'a [T],
    name: impl Fn(&T) -> Option<&str>,
    same: impl Fn(&T, &T) -> bool,
) -> Vec<(&'a T, bool)> {
    let in_the_way =
        |other: &T| wanted.iter().any(|item| name(item).is_some() && name(item) == name(other) && !same(item, other));
    let (mut out, mut left): (Vec<_>, Vec<&T>) = (Vec::new(), live.iter().collect());
    for item in wanted {
        match left.iter().position(|other| same(item, other) && !in_the_way(other)) {
            Some(i) => {
                left.remove(i);
            }
            None => out.push((item, true)),
        }
    }
    out.extend(left.into_iter().map(|item| (item, false)));
    out
}
