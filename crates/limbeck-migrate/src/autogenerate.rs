//! From models and a live database to a revision.

use std::collections::{BTreeMap, BTreeSet};

use limbeck::engine::Engine;
use limbeck::schema::{Metadata, TableName};

use crate::compare::{Diff, Op, Spelling, compare};
use crate::error::{Error, Result};
use crate::reflect::Schema;
use crate::revision::owned_tables;
use crate::run::Migrator;

/// The difference between models and one database.
#[derive(Clone, Debug)]
pub struct Difference {
    /// The database as it is.
    pub live: Schema,
    /// What would make it what the models say.
    pub diff: Diff,
    /// Why expressions could only be compared as texts, where that is so.
    pub note: Option<String>,
}

/// Compares models with a database, which has to be at head.
///
/// # Errors
/// [`Error::NotAtHead`] when revisions are pending: what they will do would be found as differences.
pub async fn difference(migrator: &Migrator, engine: &Engine, wanted: &Metadata) -> Result<Difference> {
    migrator.check_at_head(engine).await?;
    let owned = owned_tables(migrator.history(), engine.dialect())?;
    let mut connection = engine.connect().await?;
    let live = Schema::read_for(&mut connection, wanted, &owned).await?;
    let wanted = live.adopt(wanted)?;
    let spelling = Spelling::ask(&mut connection, &wanted, &live).await?;
    let diff = compare(&wanted, &live, &spelling, &owned);
    Ok(Difference { live, diff, note: spelling.note })
}

impl Difference {
    /// Makes sure that nothing is lost which nobody said could go. `allowed` names tables (`widgets`) and columns
    /// (`users.fullname`).
    ///
    /// A table that no model has any more may be one whose crate is not linked. A column that goes while another
    /// comes in the same table may be one that was renamed.
    ///
    /// # Errors
    /// [`Error::NeedsPerson`] says what to allow; or that a name in `allowed` is not one of those that go.
    pub fn refuse_losses(&self, allowed: &[String]) -> Result<()> {
        let mut used = BTreeSet::new();
        let mut may = |name: String| {
            let allowed = allowed.contains(&name);
            used.insert(name);
            allowed
        };
        let mut tables = Vec::new();
        let mut columns: BTreeMap<&TableName, (Vec<&str>, Vec<&str>)> = BTreeMap::new();
        // PostgreSQL changes how a column is computed by making it anew.
        let made_anew = |op: &Op| match op {
            Op::DropColumn { table, column } | Op::AddColumn { table, column } => {
                let named = |other: &&Op| match other {
                    Op::DropColumn { table: of, column: other } | Op::AddColumn { table: of, column: other } => {
                        of == table && other.name == column.name
                    }
                    _ => false,
                };
                self.diff.ops.iter().filter(named).count() > 1
            }
            _ => false,
        };
        for op in &self.diff.ops {
            match op {
                _ if made_anew(op) => {}
                Op::DropTable(table) if !may(table.full_name().to_string()) => {
                    tables.push(table.full_name().to_string());
                }
                Op::DropColumn { table, column } if !may(format!("{table}.{}", column.name)) => {
                    columns.entry(table).or_default().0.push(&column.name);
                }
                Op::AddColumn { table, column } => columns.entry(table).or_default().1.push(&column.name),
                _ => {}
            }
        }
        if let Some(name) = allowed.iter().find(|name| !used.contains(*name)) {
            return Err(Error::NeedsPerson(format!(
                "`--drop {name}`: that is not a table or column which the database has and the models lack"
            )));
        }
        let mut complaints = Vec::new();
        if !tables.is_empty() {
            let flags: Vec<String> = tables.iter().map(|table| format!("--drop {table}")).collect();
            complaints.push(format!(
                "no model has the table(s) {} any more. If they shall go, say so: {}. If a crate of models is not linked \
                 into the project's limbeck binary, name it there: `use my_models as _;`",
                tables.join(", "),
                flags.join(" ")
            ));
        }
        for (table, (gone, new)) in columns.into_iter().filter(|(_, (gone, new))| !gone.is_empty() && !new.is_empty()) {
            let flags: Vec<String> = gone.iter().map(|column| format!("--drop {table}.{column}")).collect();
            complaints.push(format!(
                "in {table}, {} would go and {} would come: if that is a new name for the same values, they would be \
                 lost; write the revision by hand (`limbeck revision -m`, with ALTER TABLE … RENAME COLUMN). If they \
                 shall go, say so: {}",
                gone.join(", "),
                new.join(", "),
                flags.join(" ")
            ));
        }
        if complaints.is_empty() { Ok(()) } else { Err(Error::NeedsPerson(complaints.join("\n"))) }
    }
}
