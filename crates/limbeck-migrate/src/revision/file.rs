//! The revision file: plain SQL that people review, with two sections and a header.
//!
//! ```sql
//! -- Add widgets
//! -- limbeck: revision=3f2a9c1b7d10 revises=91ab34cd56ef created=2026-11-22T08:12:00Z database=sqlite
//!
//! -- limbeck: upgrade
//! -- step 1: create table widgets
//! CREATE TABLE widgets (…);
//!
//! -- limbeck: downgrade                               (loses data: widgets)
//! DROP TABLE widgets;
//! ```

use std::fmt::Write as _;

use limbeck::dialect::Dialect;

use super::split::{self, Part};
use crate::error::{Error, Result};

/// A revision file that was read.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RevisionFile {
    /// The file's name.
    pub file: String,
    /// What it does, from the comment above the header.
    pub message: String,
    /// The revision's id.
    pub id: String,
    /// The revisions that it follows; none for the first.
    pub parents: Vec<String>,
    /// When it was made.
    pub created: Option<String>,
    /// The way there.
    pub upgrade: Section,
    /// The way back; `None` where the file has no such section.
    pub downgrade: Option<Section>,
}

/// A section of a revision file.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Section {
    /// Its statements, in order.
    pub statements: Vec<Statement>,
    /// Whether one of its steps rebuilds an SQLite table, so that foreign keys have to be off before the
    /// transaction begins.
    pub foreign_keys_off: bool,
}

/// A statement of a revision.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Statement {
    /// Its text, without the semicolon.
    pub sql: String,
    /// The line on which it begins.
    pub line: usize,
    /// The step that it belongs to: `create table widgets`.
    pub step: Option<String>,
    /// Whether it runs in the revision's transaction; not where its step has `-- limbeck: transaction=none`.
    pub transaction: bool,
}

impl Section {
    /// Runs of statements that share a transaction, and each statement that has none, with the number of the first.
    pub(crate) fn blocks(&self) -> Vec<(usize, &[Statement])> {
        let mut blocks = Vec::new();
        let mut first = 0;
        for block in self.statements.chunk_by(|a, b| a.transaction && b.transaction) {
            blocks.push((first, block));
            first += block.len();
        }
        blocks
    }

    /// Whether all of it is one transaction.
    pub(crate) fn is_whole(&self) -> bool {
        self.statements.iter().all(|statement| statement.transaction)
    }
}

/// Which statements a `transaction=none` that was met holds for.
#[derive(Clone, Copy, PartialEq, Eq)]
enum NoTransaction {
    Off,
    /// It holds for what comes next: a step, or one statement that no step's title precedes.
    Next,
    /// It holds until the next title.
    Step,
}

/// The header of a file, which can be read without knowing how its database writes SQL.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Header {
    pub(crate) message: String,
    pub(crate) id: String,
    pub(crate) parents: Vec<String>,
    pub(crate) labels: Vec<String>,
    pub(crate) depends_on: Vec<String>,
    pub(crate) created: Option<String>,
    pub(crate) database: Option<Dialect>,
}

/// The database by its name.
pub(crate) fn dialect_named(name: &str) -> Option<Dialect> {
    [Dialect::Sqlite, Dialect::Postgres].into_iter().find(|dialect| dialect.name() == name)
}

/// The database of a file, from its name: `….postgres.sql`.
pub(crate) fn dialect_of_name(file: &str) -> Option<Dialect> {
    dialect_named(file.strip_suffix(".sql")?.rsplit_once('.')?.1)
}

impl Header {
    pub(crate) fn read(file: &str, source: &str) -> Result<Header> {
        let mut header = Header { database: dialect_of_name(file), ..Header::default() };
        for (i, line) in source.trim_start_matches('\u{feff}').lines().enumerate() {
            let Some(comment) = line.trim().strip_prefix("--") else {
                if line.trim().is_empty() {
                    continue;
                }
                break;
            };
            let Some(directive) = comment.trim().strip_prefix("limbeck:") else {
                if header.message.is_empty() {
                    header.message = comment.trim().to_string();
                }
                continue;
            };
            header.keys(file, i + 1, directive.trim())?;
            return Ok(header);
        }
        Err(Error::file(
            file,
            1,
            "a revision begins with a line `-- limbeck: revision=<id> revises=<id of the one before>`, which is missing",
        ))
    }

    fn keys(&mut self, file: &str, line: usize, text: &str) -> Result<()> {
        for pair in text.split_whitespace() {
            match pair.split_once('=') {
                Some(("revision", id)) if is_id(id) => self.id = id.to_string(),
                Some(("revises", ids)) => self.parents = names(file, line, pair, ids)?,
                Some(("labels", labels)) => self.labels = names(file, line, pair, labels)?,
                Some(("depends_on", ids)) => self.depends_on = names(file, line, pair, ids)?,
                Some(("created", at)) => self.created = Some(at.to_string()),
                Some(("database", name)) => {
                    let Some(dialect) = dialect_named(name) else {
                        return Err(Error::file(file, line, format!("there is no database `{name}`")));
                    };
                    if self.database.is_some_and(|by_name| by_name != dialect) {
                        return Err(Error::file(
                            file,
                            line,
                            format!("the file is named for another database than {name}"),
                        ));
                    }
                    self.database = Some(dialect);
                }
                _ => {
                    return Err(Error::file(
                        file,
                        line,
                        format!(
                            "`{pair}` is not a key of a revision's header: revision, revises, created, database, \
                             labels, depends_on"
                        ),
                    ));
                }
            }
        }
        if self.id.is_empty() {
            return Err(Error::file(file, line, "the header has no `revision=<id>`"));
        }
        Ok(())
    }
}

/// Ids or labels with commas between them.
fn names(file: &str, line: usize, pair: &str, text: &str) -> Result<Vec<String>> {
    let names: Vec<String> = text.split(',').filter(|name| !name.is_empty()).map(str::to_string).collect();
    match names.iter().find(|name| !is_id(name)) {
        Some(name) => Err(Error::file(
            file,
            line,
            format!("`{name}` in `{pair}` is not a name: letters, digits and underscores, and commas between several"),
        )),
        None => Ok(names),
    }
}

/// Whether a text can be a revision's id.
pub(crate) fn is_id(text: &str) -> bool {
    !text.is_empty() && text.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'_')
}

impl RevisionFile {
    /// Reads a revision file as `dialect` would.
    ///
    /// # Errors
    /// When it has no header, a directive that is not known, or something that is not closed; the error names
    /// the file and the line.
    pub fn parse(dialect: Dialect, file: &str, source: &str) -> Result<Self> {
        let header = Header::read(file, source)?;
        if let Some(other) = header.database.filter(|database| *database != dialect) {
            return Err(Error::file(
                file,
                None,
                format!(
                    "the revision is written for {}, and this database is {}: declare both, `databases = [\"{}\", \
                     \"{}\"]`, to have a file for each",
                    other.name(),
                    dialect.name(),
                    other.name(),
                    dialect.name()
                ),
            ));
        }
        let mut upgrade = None;
        let mut downgrade: Option<Section> = None;
        let mut step = None;
        let mut none = NoTransaction::Off;
        for part in split::parts(dialect, file, source)? {
            let section = if downgrade.is_some() { &mut downgrade } else { &mut upgrade };
            match part {
                Part::Directive { text, .. } if text.starts_with("revision=") => {}
                Part::Directive { text: "upgrade", line } => {
                    if section.is_some() {
                        return Err(Error::file(file, line, "there is one `upgrade` section, and it comes first"));
                    }
                    *section = Some(Section::default());
                    (step, none) = (None, NoTransaction::Off);
                }
                Part::Directive { text: "downgrade", line } => {
                    if downgrade.is_some() {
                        return Err(Error::file(file, line, "there is one `downgrade` section"));
                    }
                    downgrade = Some(Section::default());
                    (step, none) = (None, NoTransaction::Off);
                }
                Part::Directive { text: "transaction=none", line } => match section {
                    Some(_) => none = NoTransaction::Next,
                    None => return Err(outside(file, line)),
                },
                Part::Directive { text: "sqlite-foreign-keys=off", line } => match section {
                    Some(section) if dialect == Dialect::Sqlite => section.foreign_keys_off = true,
                    Some(_) => {
                        return Err(Error::file(file, line, "`sqlite-foreign-keys` is a directive for SQLite alone"));
                    }
                    None => return Err(outside(file, line)),
                },
                Part::Directive { text, line } => {
                    return Err(Error::file(
                        file,
                        line,
                        format!(
                            "the directive `{text}` is not known: upgrade, downgrade, transaction=none, \
                             sqlite-foreign-keys=off, begin, end"
                        ),
                    ));
                }
                Part::Comment { text } => {
                    if let Some(title) = text.strip_prefix("step ").and_then(|text| text.split_once(": ")) {
                        step = Some(title.1.to_string());
                        none = if none == NoTransaction::Next { NoTransaction::Step } else { NoTransaction::Off };
                    }
                }
                Part::Statement { sql, line } => match section {
                    Some(section) => {
                        let transaction = none == NoTransaction::Off;
                        section.statements.push(Statement {
                            sql: sql.to_string(),
                            line,
                            step: step.clone(),
                            transaction,
                        });
                        if none == NoTransaction::Next {
                            none = NoTransaction::Off;
                        }
                    }
                    None => return Err(outside(file, line)),
                },
            }
        }
        Ok(RevisionFile {
            file: file.to_string(),
            message: header.message,
            id: header.id,
            parents: header.parents,
            created: header.created,
            upgrade: upgrade.ok_or_else(|| Error::file(file, None, "there is no line `-- limbeck: upgrade`"))?,
            downgrade,
        })
    }
}

fn outside(file: &str, line: usize) -> Error {
    Error::file(file, line, "this stands before the line `-- limbeck: upgrade`")
}

/// A revision file that is to be written.
#[derive(Clone, Debug, Default)]
pub struct Draft {
    /// What it does.
    pub message: String,
    /// Its id.
    pub id: String,
    /// The revisions that it follows.
    pub parents: Vec<String>,
    /// Names of the branch that begins with it.
    pub labels: Vec<String>,
    /// The revisions of other branches that have to be applied before it.
    pub depends_on: Vec<String>,
    /// When it was made: `2026-11-22T08:12:00Z`.
    pub created: String,
    /// The way there.
    pub upgrade: Vec<DraftStep>,
    /// The way back.
    pub downgrade: Vec<DraftStep>,
    /// What the way back loses: `widgets`, `users.email`.
    pub loses: Vec<String>,
}

/// A step of a revision that is to be written.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct DraftStep {
    /// What it does: `create table widgets`.
    pub title: String,
    /// Whether it rebuilds an SQLite table.
    pub foreign_keys_off: bool,
    /// Whether its statements run outside of the revision's transaction.
    pub no_transaction: bool,
    /// Its statements, without semicolons.
    pub statements: Vec<String>,
}

impl Draft {
    /// The file's text.
    pub fn write(&self, dialect: Dialect) -> String {
        let mut out = String::new();
        let message = self.message.split_whitespace().collect::<Vec<_>>().join(" ");
        let _ = writeln!(out, "-- {message}");
        let _ = write!(
            out,
            "-- limbeck: revision={} revises={} created={} database={}",
            self.id,
            self.parents.join(","),
            self.created,
            dialect.name()
        );
        for (key, names) in [("labels", &self.labels), ("depends_on", &self.depends_on)] {
            if !names.is_empty() {
                let _ = write!(out, " {key}={}", names.join(","));
            }
        }
        out.push('\n');
        out.push_str("\n-- limbeck: upgrade\n");
        write_steps(&mut out, &self.upgrade);
        out.push_str("\n-- limbeck: downgrade");
        if !self.loses.is_empty() {
            let _ = write!(out, "      (loses data: {})", self.loses.join(", ").replace(['(', ')', '\n'], " "));
        }
        out.push('\n');
        write_steps(&mut out, &self.downgrade);
        out
    }
}

fn write_steps(out: &mut String, steps: &[DraftStep]) {
    for (i, step) in steps.iter().enumerate() {
        if i > 0 {
            out.push('\n');
        }
        if step.foreign_keys_off {
            out.push_str("-- limbeck: sqlite-foreign-keys=off\n");
        }
        if step.no_transaction {
            out.push_str("-- limbeck: transaction=none\n");
        }
        let _ = writeln!(out, "-- step {}: {}", i + 1, step.title.replace('\n', " "));
        for statement in &step.statements {
            let _ = writeln!(out, "{statement};");
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn draft() -> Draft {
        Draft {
            message: "Add\nwidgets".into(),
            id: "3f2a9c1b7d10".into(),
            parents: vec!["91ab34cd56ef".into()],
            labels: Vec::new(),
            depends_on: Vec::new(),
            created: "2026-11-22T08:12:00Z".into(),
            upgrade: vec![
                DraftStep {
                    title: "create table widgets".into(),
                    statements: vec!["CREATE TABLE widgets (\n    id INTEGER\n)".into(), "SELECT 1".into()],
                    ..DraftStep::default()
                },
                DraftStep {
                    title: "rebuild".into(),
                    foreign_keys_off: true,
                    statements: vec!["SELECT 2".into()],
                    ..DraftStep::default()
                },
            ],
            downgrade: vec![DraftStep {
                title: "drop table widgets".into(),
                statements: vec!["DROP TABLE widgets".into()],
                ..DraftStep::default()
            }],
            loses: vec!["widgets".into()],
        }
    }

    #[test]
    fn what_is_written_is_what_is_read() {
        let text = draft().write(Dialect::Sqlite);
        let file = RevisionFile::parse(Dialect::Sqlite, "a.sql", &text).unwrap();
        assert_eq!(file.message, "Add widgets");
        assert_eq!((file.id.as_str(), file.parents.as_slice()), ("3f2a9c1b7d10", &["91ab34cd56ef".to_string()][..]));
        assert!(file.upgrade.foreign_keys_off);
        let steps: Vec<_> = file.upgrade.statements.iter().map(|s| (s.step.as_deref().unwrap(), s.line)).collect();
        assert_eq!(steps, [("create table widgets", 6), ("create table widgets", 9), ("rebuild", 13)]);
        let downgrade = file.downgrade.unwrap();
        assert_eq!(downgrade.statements[0].sql, "DROP TABLE widgets");
        assert!(!downgrade.foreign_keys_off);
    }

    #[test]
    fn a_step_without_a_transaction_stands_alone() {
        let text = "-- a\n-- limbeck: revision=aa\n-- limbeck: upgrade\nA;\nB;\n-- limbeck: transaction=none\n-- step 2: \
                    indexes\nC;\nD;\n-- step 3: rest\nE;\nF;\n-- limbeck: downgrade\n-- limbeck: transaction=none\nG;\nH;\n";
        let file = RevisionFile::parse(Dialect::Postgres, "a.sql", text).unwrap();
        let blocks = |section: &Section| -> Vec<(usize, Vec<String>)> {
            let texts = |block: &[Statement]| block.iter().map(|s| s.sql.clone()).collect();
            section.blocks().into_iter().map(|(first, block)| (first, texts(block))).collect()
        };
        let words = |text: &str| text.split(' ').map(str::to_string).collect::<Vec<_>>();
        assert_eq!(blocks(&file.upgrade), [(0, words("A B")), (2, words("C")), (3, words("D")), (4, words("E F"))]);
        assert_eq!(blocks(&file.downgrade.unwrap()), [(0, words("G")), (1, words("H"))]);
    }

    #[test]
    fn the_form_of_the_file() {
        let mut draft = draft();
        draft.upgrade.truncate(1);
        assert_eq!(
            draft.write(Dialect::Postgres),
            "-- Add widgets\n-- limbeck: revision=3f2a9c1b7d10 revises=91ab34cd56ef created=2026-11-22T08:12:00Z \
             database=postgres\n\n-- limbeck: upgrade\n-- step 1: create table widgets\nCREATE TABLE widgets (\n    id \
             INTEGER\n);\nSELECT 1;\n\n-- limbeck: downgrade      (loses data: widgets)\n-- step 1: drop table \
             widgets\nDROP TABLE widgets;\n"
        );
    }

    #[test]
    fn mistakes_are_named_with_file_and_line() {
        let cases = [
            ("SELECT 1;", "a.sql:1: a revision begins with a line"),
            ("-- limbeck: revision=aa colour=red\n", "a.sql:1: `colour=red` is not a key"),
            ("-- limbeck: revision=aa\n\n-- limbeck: transaction=some\n", "a.sql:3: the directive `transaction=some`"),
            ("-- limbeck: revision=aa\nSELECT 1;\n-- limbeck: upgrade\n", "a.sql:2: this stands before"),
            ("-- limbeck: revision=aa\n", "a.sql: there is no line `-- limbeck: upgrade`"),
            (
                "-- limbeck: revision=aa database=postgres\n-- limbeck: upgrade\n",
                "a.sql: the revision is written for postgres",
            ),
            ("-- limbeck: revision=aa\n-- limbeck: upgrade\nSELECT '\n", "a.sql:3: this text is not closed"),
        ];
        for (source, message) in cases {
            let error = RevisionFile::parse(Dialect::Sqlite, "a.sql", source).unwrap_err().to_string();
            assert!(error.starts_with(message), "{error}");
        }
    }
}
