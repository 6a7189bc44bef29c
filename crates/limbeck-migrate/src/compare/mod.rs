//! The difference between what models want and what a database has.

mod op;
mod spelling;
mod types;

use std::collections::BTreeSet;

use limbeck::dialect::{Dialect, ddl};
use limbeck::schema::{Column, ForeignKey, Index, Metadata, Table, in_creation_order};

pub use op::Op;
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
/// What models cannot say is not compared: checks, and indexes on expressions or with a predicate. Neither
/// are the names of constraints and indexes, nor the order of columns.
pub fn compare(wanted: &Metadata, live: &Schema, spelling: &Spelling, owned: &BTreeSet<String>) -> Diff {
    let dialect = live.dialect;
    let mut parts = Parts::default();
    let mut created = Vec::new();
    for table in &wanted.tables {
        match live.table(&table.name) {
            Some(live) => parts.table(dialect, spelling, table, live),
            None => created.push(table.clone()),
        }
    }
    let (gone, unknown): (Vec<&Table>, Vec<&Table>) =
        live.tables.iter().filter(|table| wanted.table(&table.name).is_none()).partition(|t| owned.contains(&t.name));
    let gone = in_creation_order(gone.into_iter().cloned().collect());
    for (table, late) in later_keys(dialect, gone).into_iter().rev() {
        parts.drop_keys.extend(late.into_iter().map(|key| Op::DropForeignKey { table: table.name.clone(), key }));
        parts.drop_tables.push(Op::DropTable(table));
    }
    for (table, late) in later_keys(dialect, created) {
        parts.add_keys.extend(late.into_iter().map(|key| Op::AddForeignKey { table: table.name.clone(), key }));
        parts.create_tables.push(Op::CreateTable(table));
    }
    Diff { ops: parts.in_order(), unknown: unknown.into_iter().map(|table| table.name.clone()).collect() }
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
/// the place.
#[derive(Default)]
struct Parts {
    drop_keys: Vec<Op>,
    drop_indexes: Vec<Op>,
    drop_tables: Vec<Op>,
    create_tables: Vec<Op>,
    columns: Vec<Op>,
    primary_keys: Vec<Op>,
    drop_columns: Vec<Op>,
    add_indexes: Vec<Op>,
    add_keys: Vec<Op>,
}

impl Parts {
    fn in_order(self) -> Vec<Op> {
        [
            self.drop_keys,
            self.drop_indexes,
            self.drop_tables,
            self.create_tables,
            self.columns,
            self.primary_keys,
            self.drop_columns,
            self.add_indexes,
            self.add_keys,
        ]
        .concat()
    }

    fn table(&mut self, dialect: Dialect, spelling: &Spelling, wanted: &Table, live: &Table) {
        let table = || wanted.name.clone();
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
        if key(wanted) != key(live) {
            self.primary_keys.push(Op::SetPrimaryKey {
                table: table(),
                from: live.primary_key.clone(),
                to: wanted.primary_key.clone(),
            });
        }
        self.indexes(wanted, live);
        for (key, missing) in unmatched(&wanted.foreign_keys, &live.foreign_keys, same_foreign_key) {
            let (table, key) = (table(), key.clone());
            if missing {
                self.add_keys.push(Op::AddForeignKey { table, key });
            } else {
                self.drop_keys.push(Op::DropForeignKey { table, key });
            }
        }
    }

    fn column(&mut self, dialect: Dialect, spelling: &Spelling, table: &Table, wanted: &Column, live: &Column) {
        let place = (table.name.as_str(), wanted.name.as_str());
        let in_key = table.primary_key.as_ref().is_some_and(|key| key.columns.contains(&wanted.name));
        let same_type = types::same_type(dialect, &wanted.sql_type, &live.sql_type);
        let same_default =
            spelling.same_default(dialect, place, wanted.server_default.as_deref(), live.server_default.as_deref());
        // A lone INTEGER key of SQLite is the rowid, numbered or not.
        let same_numbering =
            wanted.generated == live.generated || (dialect == Dialect::Sqlite && live.generated && !wanted.generated);
        let same_null = wanted.nullable == live.nullable || in_key;
        if same_type && same_default && same_numbering && same_null {
            return;
        }
        // What is the same keeps the live spelling, so that the step says, and the way back restores, only
        // what differs.
        let to = Column {
            name: wanted.name.clone(),
            sql_type: if same_type { &live.sql_type } else { &wanted.sql_type }.clone(),
            nullable: if same_null { live.nullable } else { wanted.nullable },
            server_default: if same_default { &live.server_default } else { &wanted.server_default }.clone(),
            generated: if same_numbering { live.generated } else { wanted.generated },
        };
        self.columns.push(Op::AlterColumn { table: table.name.clone(), from: live.clone(), to });
    }

    /// Unique constraints and indexes. A unique index is as good as the constraint.
    fn indexes(&mut self, wanted: &Table, live: &Table) {
        let table = || wanted.name.clone();
        let plain: Vec<&Index> = live.indexes.iter().filter(|index| index.definition.is_none()).collect();
        let mut kept: BTreeSet<&str> = BTreeSet::new();
        let mut kept_uniques: BTreeSet<usize> = BTreeSet::new();
        for unique in &wanted.uniques {
            let constraint = (0..live.uniques.len())
                .find(|&i| !kept_uniques.contains(&i) && live.uniques[i].columns == unique.columns);
            let index = plain.iter().find(|index| index.unique && index.columns == unique.columns);
            match (constraint, index) {
                (Some(i), _) => {
                    kept_uniques.insert(i);
                }
                (None, Some(index)) => {
                    kept.insert(&index.name);
                }
                (None, None) => self.add_indexes.push(Op::AddUnique { table: table(), unique: unique.clone() }),
            }
        }
        for index in &wanted.indexes {
            if let Some(definition) = &index.definition {
                if !live.indexes.iter().any(|other| other.definition.as_ref() == Some(definition)) {
                    self.create_index(wanted, live, index);
                }
                continue;
            }
            let same = |other: &&&Index| {
                other.columns == index.columns && other.unique == index.unique && !kept.contains(other.name.as_str())
            };
            // Of several alike, the one of that name stays.
            match plain.iter().filter(same).max_by_key(|other| other.name == index.name) {
                Some(found) => {
                    kept.insert(&found.name);
                }
                None => self.create_index(wanted, live, index),
            }
        }
        for index in plain.into_iter().filter(|index| !kept.contains(index.name.as_str())) {
            self.drop_indexes.push(Op::DropIndex { table: table(), index: index.clone() });
        }
        for i in (0..live.uniques.len()).filter(|i| !kept_uniques.contains(i)) {
            self.drop_indexes.push(Op::DropUnique { table: table(), unique: live.uniques[i].clone() });
        }
    }
}

impl Parts {
    /// An index that models cannot say is left alone, unless it has the name of one that they do say.
    fn create_index(&mut self, wanted: &Table, live: &Table, index: &Index) {
        let table = || wanted.name.clone();
        if let Some(odd) = live.indexes.iter().find(|other| other.name == index.name && other.definition.is_some()) {
            self.drop_indexes.push(Op::DropIndex { table: table(), index: odd.clone() });
        }
        self.add_indexes.push(Op::CreateIndex { table: table(), index: index.clone() });
    }
}

fn same_foreign_key(a: &ForeignKey, b: &ForeignKey) -> bool {
    a.columns == b.columns
        && a.target_table == b.target_table
        && a.target_columns == b.target_columns
        && a.on_delete == b.on_delete
        && a.on_update == b.on_update
}

/// What is only wanted (true) or only there (false).
fn unmatched<'a, T>(wanted: &'a [T], live: &'a [T], same: impl Fn(&T, &T) -> bool) -> Vec<(&'a T, bool)> {
    let mut left: Vec<&T> = live.iter().collect();
    let mut out = Vec::new();
    for item in wanted {
        match left.iter().position(|other| same(item, other)) {
            Some(i) => {
                left.remove(i);
            }
            None => out.push((item, true)),
        }
    }
    out.extend(left.into_iter().map(|item| (item, false)));
    out
}
