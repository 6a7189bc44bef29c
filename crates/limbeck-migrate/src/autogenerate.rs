//! From models and a live database to a revision.

use limbeck::engine::Engine;
use limbeck::schema::{Column, Metadata, Table, TableName};

use crate::compare::{Diff, Op, Spelling, compare, types};
use crate::error::{Error, Result};
use crate::reflect::Schema;
use crate::rename::{self, Rename};
use crate::revision::owned_tables;
use crate::run::Migrator;

/// The difference between models and one database.
#[derive(Clone, Debug)]
pub struct Difference {
    /// The database as it is, once the renames at the beginning of the operations are made.
    pub live: Schema,
    /// What would make it what the models say.
    pub diff: Diff,
    /// Why expressions could only be compared as texts, where that is so.
    pub note: Option<String>,
    /// Tables and columns (`users.full_name`) whose `was` has nothing more to say to this database.
    pub renamed: Vec<String>,
}

/// Something that would go while something like it comes: only a person knows whether it is the same.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Question {
    /// What would go: a table (`members`) or a column (`users.fullname`).
    pub gone: String,
    /// Whether it is a table.
    pub is_table: bool,
    /// What it may be called now, the likeliest first, each with how alike the two are.
    pub candidates: Vec<(String, &'static str)>,
}

/// Compares models with a database, which has to be at head. What the models say with `was` is renamed.
///
/// # Errors
/// [`Error::NotAtHead`] when revisions are pending: what they will do would be found as differences.
/// [`Error::NeedsPerson`] where a `was` names something that is there beside its new name.
pub async fn difference(migrator: &Migrator, engine: &Engine, wanted: &Metadata) -> Result<Difference> {
    difference_after(migrator, engine, wanted, &[]).await
}

/// The same, with renames that a person asked for.
///
/// To see what a rename makes of the schema, it is made and taken back at once; on PostgreSQL that waits for the
/// table's lock for 5 seconds at most.
///
/// # Errors
/// As [`difference`], and [`Error::NeedsPerson`] where a rename cannot be made.
pub async fn difference_after(
    migrator: &Migrator,
    engine: &Engine,
    wanted: &Metadata,
    renames: &[Rename],
) -> Result<Difference> {
    migrator.check_at_head(engine).await?;
    let owned = owned_tables(migrator.history(), engine.dialect())?;
    let mut connection = engine.connect().await?;
    let mut live = Schema::read_for(&mut connection, wanted, &owned).await?;
    let found = rename::find(renames, &live.adopt(wanted)?, &live)?;
    let statements: Vec<String> = found.ops.iter().filter_map(|op| rename::statement(live.dialect, op)).collect();
    if !statements.is_empty() {
        live = Schema::read_after(&mut connection, wanted, &owned, &statements).await?;
    }
    let mut wanted = live.adopt(wanted)?;
    for table in &mut wanted.tables {
        table.was = None;
        table.columns.iter_mut().for_each(|column| column.was = None);
    }
    let spelling = Spelling::ask(&mut connection, &wanted, &live).await?;
    let mut diff = compare(&wanted, &live, &spelling, &owned);
    diff.ops.splice(0..0, found.ops);
    Ok(Difference { live, diff, note: spelling.note, renamed: found.done })
}

impl Difference {
    /// What only a person can say: tables that go, and columns that go while others come in the same table. `allowed`
    /// names those that may go.
    pub fn questions(&self, allowed: &[String]) -> Vec<Question> {
        let is_open = |name: &String| !allowed.contains(name);
        let mut out = Vec::new();
        for op in &self.diff.ops {
            match op {
                Op::DropTable(table) => {
                    let gone = table.full_name().to_string();
                    out.push(Question { gone, is_table: true, candidates: self.tables_like(table) });
                }
                Op::DropColumn { table, column } if !self.is_made_anew(table, column) => {
                    let candidates = self.columns_like(table, column);
                    if !candidates.is_empty() {
                        let gone = format!("{table}.{}", column.name);
                        out.push(Question { gone, is_table: false, candidates });
                    }
                }
                _ => {}
            }
        }
        out.retain(|question| is_open(&question.gone));
        out
    }

    /// New tables of the same schema, those with the most columns in common first.
    fn tables_like(&self, gone: &Table) -> Vec<(String, &'static str)> {
        let mut found: Vec<(usize, String, &'static str)> = Vec::new();
        for op in &self.diff.ops {
            let Op::CreateTable(table) = op else { continue };
            if table.schema != gone.schema {
                continue;
            }
            let common = table.columns.iter().filter(|column| gone.column(&column.name).is_some()).count();
            let how = match common {
                0 => "no column of the same name",
                _ if common == table.columns.len() && common == gone.columns.len() => "the same columns",
                _ => "some columns of the same names",
            };
            found.push((common, table.full_name().to_string(), how));
        }
        found.sort_by_key(|(common, ..)| std::cmp::Reverse(*common));
        found.into_iter().map(|(_, name, how)| (name, how)).collect()
    }

    /// New columns of the table, those of the same shape first.
    fn columns_like(&self, of: &TableName, gone: &Column) -> Vec<(String, &'static str)> {
        let mut found: Vec<(u8, String, &'static str)> = Vec::new();
        for op in &self.diff.ops {
            let Op::AddColumn { table, column } = op else { continue };
            if table != of || self.is_made_anew(table, column) {
                continue;
            }
            let same = types::same_type(self.live.dialect, &column.sql_type, &gone.sql_type);
            let (rank, how) = match same {
                true if column.nullable == gone.nullable => (0, "the same type"),
                true if column.nullable => (1, "the same type, but it may be NULL"),
                true => (1, "the same type, but NOT NULL"),
                false => (2, "another type"),
            };
            found.push((rank, format!("{table}.{}", column.name), how));
        }
        found.sort_by_key(|(rank, ..)| *rank);
        found.into_iter().map(|(_, name, how)| (name, how)).collect()
    }

    /// PostgreSQL changes how a column is computed by making it anew.
    fn is_made_anew(&self, table: &TableName, column: &Column) -> bool {
        let named = |op: &&Op| match op {
            Op::DropColumn { table: of, column: other } | Op::AddColumn { table: of, column: other } => {
                of == table && other.name == column.name
            }
            _ => false,
        };
        self.diff.ops.iter().filter(named).count() > 1
    }

    /// Makes sure that nothing is lost which nobody said could go. `allowed` names tables (`widgets`) and columns
    /// (`users.fullname`).
    ///
    /// A table that no model has any more may be one whose crate is not linked. A table or column that goes while
    /// another comes may be one that was renamed.
    ///
    /// # Errors
    /// [`Error::NeedsPerson`] says what to allow; or that a name in `allowed` is not one of those that go.
    pub fn refuse_losses(&self, allowed: &[String]) -> Result<()> {
        let goes = |name: &String| {
            self.diff.ops.iter().any(|op| match op {
                Op::DropTable(table) => table.full_name().to_string() == *name,
                Op::DropColumn { table, column } => format!("{table}.{}", column.name) == *name,
                _ => false,
            })
        };
        if let Some(name) = allowed.iter().find(|name| !goes(name)) {
            return Err(Error::NeedsPerson(format!(
                "`--drop {name}`: that is not a table or column which the database has and the models lack"
            )));
        }
        let questions = self.questions(allowed);
        if questions.is_empty() { Ok(()) } else { Err(Error::NeedsPerson(complaint(&questions))) }
    }
}

/// What nobody could be asked, and how to say it.
fn complaint(questions: &[Question]) -> String {
    let mut lines = Vec::new();
    for Question { gone, is_table, candidates } in questions {
        let what = if *is_table { "table" } else { "column" };
        lines.push(format!("no model has the {what} {gone} any more:"));
        for (name, how) in candidates {
            lines.push(format!("  --rename {gone}={name}      if that is its name now ({how})"));
        }
        lines.push(format!("  --drop {gone}      if it shall go with its data"));
    }
    if questions.iter().any(|question| question.is_table) {
        lines.push(
            "if a crate of models is not linked into the project's limbeck binary, name it there: `use my_models as _;`"
                .to_string(),
        );
    }
    lines.join("\n")
}
