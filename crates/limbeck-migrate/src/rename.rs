//! Renames: asked for with `was` or `--rename`, never guessed.
//!
//! They are made before anything else is compared, and what they make of the schema is not worked out here: the
//! database makes them in a transaction, is read, and takes them back. So a table's checks, its indexes, the foreign
//! keys of other tables, and on SQLite views and triggers have the words that they will have.
//!
//! Constraints and indexes keep the names that they have; names are not compared.

use std::collections::BTreeSet;
use std::fmt;
use std::str::FromStr;

use limbeck::dialect::Dialect;
use limbeck::schema::{Metadata, Table, TableName};

use crate::compare::Op;
use crate::error::{Error, Result};
use crate::reflect::Schema;

/// A rename that a person asked for: `users.fullname=users.full_name`, or `members=users` for a table.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Rename {
    /// What the database has: a table or a column, with its table as it is called in the database or the models.
    pub from: String,
    /// What the models have.
    pub to: String,
}

impl Rename {
    fn refused(&self, why: &str) -> Error {
        Error::NeedsPerson(format!("`--rename {self}`: {why}"))
    }
}

impl fmt::Display for Rename {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}={}", self.from, self.to)
    }
}

impl FromStr for Rename {
    type Err = String;

    /// # Errors
    /// When it is not two names with `=` between them.
    fn from_str(text: &str) -> Result<Self, String> {
        match text.split_once('=').map(|(from, to)| (from.trim(), to.trim())) {
            Some((from, to)) if !from.is_empty() && !to.is_empty() => {
                Ok(Rename { from: from.to_string(), to: to.to_string() })
            }
            _ => Err("a rename is the old name, `=`, and the new one: users.fullname=users.full_name".to_string()),
        }
    }
}

/// What is to be renamed in a database.
#[derive(Debug, Default)]
pub(crate) struct Renames {
    /// The operations, in an order in which each new name is free.
    pub(crate) ops: Vec<Op>,
    /// Those `was` of the models that have nothing more to say: `users.full_name (was = "fullname")`.
    pub(crate) done: Vec<String>,
}

/// Finds what is to be renamed. `wanted` is what the models want of this database.
///
/// # Errors
/// [`Error::NeedsPerson`] where the old name and the new one are both there, or a name is not there at all.
pub(crate) fn find(said: &[Rename], wanted: &Metadata, live: &Schema) -> Result<Renames> {
    let mut out = Renames::default();
    let mut used: BTreeSet<usize> = BTreeSet::new();
    let tables = tables(said, wanted, live, &mut used, &mut out)?;
    for table in &wanted.tables {
        let name = table.full_name();
        let old = tables.iter().find(|(_, to)| *to == name).map_or(&name, |(from, _)| from);
        // One that has gone to another model is not this one.
        let taken = *old == name && tables.iter().any(|(from, _)| *from == name);
        if let Some(live) = live.table(old).filter(|_| !taken) {
            columns(said, table, live, &mut used, &mut out)?;
        }
    }
    if let Some((_, rename)) = said.iter().enumerate().find(|(i, _)| !used.contains(i)) {
        let why = "the first has to be a table or column of the database, the second one of the models, in that table";
        return Err(rename.refused(why));
    }
    Ok(out)
}

/// The tables that are renamed.
fn tables(
    said: &[Rename],
    wanted: &Metadata,
    live: &Schema,
    used: &mut BTreeSet<usize>,
    out: &mut Renames,
) -> Result<Vec<(TableName, TableName)>> {
    let is = |name: &TableName, text: &str| {
        name.to_string() == text
            || (name.schema.is_none()
                && live.current.as_ref().is_some_and(|schema| format!("{schema}.{}", name.name) == text))
    };
    let mut names = Names::new(live.tables.iter().map(Table::full_name), wanted.tables.iter().map(Table::full_name));
    for (i, rename) in said.iter().enumerate() {
        let from = live.tables.iter().map(Table::full_name).find(|name| is(name, &rename.from));
        let to = wanted.tables.iter().map(Table::full_name).find(|name| is(name, &rename.to));
        let (Some(from), Some(to)) = (from, to) else { continue };
        if from.schema != to.schema {
            return Err(rename.refused("a table stays in its schema; write the revision by hand (`limbeck revision`)"));
        }
        used.insert(i);
        names.said.push((from, to));
    }
    for table in &wanted.tables {
        let Some(was) = &table.was else { continue };
        let from = TableName { schema: table.schema.clone(), name: was.clone() };
        names.was.push((from, table.full_name()));
    }
    let what = |name: &TableName| name.to_string();
    let pairs = names.settle(&what, "table", &mut out.done)?;
    let scratch = |like: &TableName, number| TableName { name: scratch(number), ..like.clone() };
    let steps = names.in_order(pairs.clone(), scratch);
    out.ops.extend(steps.into_iter().map(|(from, to)| Op::RenameTable { from, to }));
    if let Some((from, to)) = pairs.iter().find(|(from, _)| !names.live_only(from, &pairs)) {
        return Err(Error::NeedsPerson(format!(
            "{from} is renamed to {to}, and a model is for another table {from}, which would be new: its constraints \
             and indexes would have the names that those of {to} keep. Rename first, and write a revision that gives \
             these other names"
        )));
    }
    Ok(pairs)
}

/// The columns that are renamed in a table; `live` has its old name.
fn columns(said: &[Rename], table: &Table, live: &Table, used: &mut BTreeSet<usize>, out: &mut Renames) -> Result<()> {
    let (new, old) = (table.full_name(), live.full_name());
    let column_of = |table: &TableName, text: &str| text.strip_prefix(&format!("{table}.")).map(str::to_string);
    let names = |table: &Table| table.columns.iter().map(|column| column.name.clone()).collect::<Vec<_>>();
    let mut names = Names::new(names(live).into_iter(), names(table).into_iter());
    for (i, rename) in said.iter().enumerate().filter(|(i, _)| !used.contains(i)).collect::<Vec<_>>() {
        let from = column_of(&old, &rename.from).or_else(|| column_of(&new, &rename.from));
        let from = from.filter(|name| live.column(name).is_some());
        let to = column_of(&new, &rename.to).filter(|name| table.column(name).is_some());
        let (Some(from), Some(to)) = (from, to) else { continue };
        used.insert(i);
        names.said.push((from, to));
    }
    for column in &table.columns {
        names.was.extend(column.was.iter().map(|was| (was.clone(), column.name.clone())));
    }
    let pairs = names.settle(&|name: &String| format!("{new}.{name}"), "column", &mut out.done)?;
    let steps = names.in_order(pairs, |_, number| scratch(number));
    out.ops.extend(steps.into_iter().map(|(from, to)| Op::RenameColumn { table: new.clone(), from, to }));
    Ok(())
}

/// What something is called while others change places.
fn scratch(number: usize) -> String {
    format!("_limbeck_renamed_{number}")
}

/// Names that have to differ: those of tables, or those of a table's columns.
struct Names<T> {
    live: BTreeSet<T>,
    wanted: BTreeSet<T>,
    /// Old and new, by `--rename`.
    said: Vec<(T, T)>,
    /// Old and new, by `was`.
    was: Vec<(T, T)>,
}

impl<T: Ord + Clone> Names<T> {
    fn new(live: impl Iterator<Item = T>, wanted: impl Iterator<Item = T>) -> Self {
        Names { live: live.collect(), wanted: wanted.collect(), said: Vec::new(), was: Vec::new() }
    }

    /// What is to be renamed.
    fn settle(&self, shown: &dyn Fn(&T) -> String, what: &str, done: &mut Vec<String>) -> Result<Vec<(T, T)>> {
        let mut pairs: Vec<(T, T)> = Vec::new();
        for (from, to) in &self.said {
            let refused = |why: &str| Rename { from: shown(from), to: shown(to) }.refused(why);
            if pairs.iter().any(|(other, name)| other == from || name == to) {
                return Err(refused("one of these names is in another `--rename` too"));
            }
            if self.live.contains(to) && !self.said.iter().any(|(other, _)| other == to) {
                return Err(refused(&format!(
                    "the database has both, and what is the {what} now would have to go first"
                )));
            }
            pairs.push((from.clone(), to.clone()));
        }
        // A flag wins over what a model says.
        let is_said = |from: &T, to: &T| self.said.iter().any(|(other, name)| other == from || name == to);
        let mut open: Vec<&(T, T)> = self.was.iter().filter(|(from, to)| !is_said(from, to)).collect();
        open.retain(|(from, to)| {
            let is_open = self.live.contains(from) && from != to;
            if !is_open && self.live.contains(to) {
                done.push(shown(to));
            }
            is_open
        });
        // A name that is taken is free when what has it gets another one.
        while let Some(i) =
            open.iter().position(|(_, to)| !self.live.contains(to) || pairs.iter().any(|(from, _)| from == to))
        {
            let pair = open.remove(i).clone();
            if pairs.iter().any(|(from, to)| *from == pair.0 || *to == pair.1) {
                return Err(Error::NeedsPerson(format!(
                    "{} was {}, and so was another {what}, say the models: take one `was` away",
                    shown(&pair.1),
                    shown(&pair.0)
                )));
            }
            pairs.push(pair);
        }
        for (from, to) in open.iter().copied() {
            let (old, new) = (shown(from), shown(to));
            if self.in_circle(&open, to) {
                return Err(Error::NeedsPerson(format!(
                    "{new} was {old}, and the other way round, say the models: whether that has been done is nothing \
                     that the database tells. Say it once with `--rename {old}={new}` and so on for each, and take the \
                     `was` away"
                )));
            }
            if !self.wanted.contains(from) {
                return Err(Error::NeedsPerson(format!(
                    "{new} was {old}, says its model, but the database has both. If {old} shall go, take the `was` away; \
                     otherwise say where its values belong in a revision of your own (`limbeck revision`)"
                )));
            }
            done.push(new);
        }
        Ok(pairs)
    }

    /// Whether the renames that stand for themselves lead from this name back to it.
    fn in_circle(&self, open: &[&(T, T)], start: &T) -> bool {
        let mut at = start;
        for _ in 0..open.len() {
            match open.iter().find(|(_, to)| to == at) {
                Some((from, _)) if from == start => return true,
                Some((from, _)) => at = from,
                None => return false,
            }
        }
        false
    }

    /// Renames one after the other, each to a name that is free then.
    fn in_order(&self, pairs: Vec<(T, T)>, scratch: impl Fn(&T, usize) -> T) -> Vec<(T, T)> {
        let mut taken = self.live.clone();
        let (mut left, mut steps) = (pairs, Vec::new());
        let mut number = 0;
        while !left.is_empty() {
            let (from, to) = match left.iter().position(|(_, to)| !taken.contains(to)) {
                Some(i) => left.remove(i),
                None => {
                    // They change places: one steps aside.
                    let aside = loop {
                        number += 1;
                        let name = scratch(&left[0].0, number);
                        if !taken.contains(&name) {
                            break name;
                        }
                    };
                    let from = std::mem::replace(&mut left[0].0, aside.clone());
                    (from, aside)
                }
            };
            taken.remove(&from);
            taken.insert(to.clone());
            steps.push((from, to));
        }
        steps
    }

    /// Whether nothing new comes under a name that is left.
    fn live_only(&self, name: &T, pairs: &[(T, T)]) -> bool {
        !self.wanted.contains(name) || pairs.iter().any(|(_, to)| to == name)
    }
}

/// The statement of a rename; none for another operation.
pub(crate) fn statement(dialect: Dialect, op: &Op) -> Option<String> {
    Some(match op {
        Op::RenameTable { from, to } => {
            format!("ALTER TABLE {} RENAME TO {}", dialect.table(from), dialect.ident(&to.name))
        }
        Op::RenameColumn { table, from, to } => format!(
            "ALTER TABLE {} RENAME COLUMN {} TO {}",
            dialect.table(table),
            dialect.ident(from),
            dialect.ident(to)
        ),
        _ => return None,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn names(live: &[&str], wanted: &[&str], was: &[(&str, &str)]) -> Names<String> {
        let text = |text: &&str| (*text).to_string();
        let mut names = Names::new(live.iter().map(text), wanted.iter().map(text));
        names.was = was.iter().map(|(from, to)| (text(from), text(to))).collect();
        names
    }

    fn steps(names: &Names<String>) -> Result<String, String> {
        let pairs =
            names.settle(&|name: &String| name.clone(), "column", &mut Vec::new()).map_err(|e| e.to_string())?;
        let steps = names.in_order(pairs, |_, number| format!("t{number}"));
        Ok(steps.iter().map(|(from, to)| format!("{from}>{to}")).collect::<Vec<_>>().join(" "))
    }

    #[test]
    fn each_new_name_is_free_when_it_is_given() {
        let mut chain = names(&["a", "b"], &["b", "c"], &[("a", "b"), ("b", "c")]);
        assert_eq!(steps(&chain).unwrap(), "b>c a>b");
        // And when it has been done, there is nothing to do.
        chain.live = ["b", "c"].map(String::from).into();
        assert_eq!(steps(&chain).unwrap(), "");

        let mut circle = names(&["a", "b", "c", "t1"], &["a", "b", "c", "t1"], &[]);
        circle.said = [("a", "b"), ("b", "c"), ("c", "a")].map(|(a, b)| (a.to_string(), b.to_string())).into();
        assert_eq!(steps(&circle).unwrap(), "a>t2 c>a b>c t2>b");
    }

    #[test]
    fn was_says_nothing_once_the_old_name_is_gone_and_is_refused_where_both_are_there() {
        let was = &[("a", "b")];
        assert_eq!(steps(&names(&["a"], &["b"], was)).unwrap(), "a>b");
        assert_eq!(steps(&names(&["b"], &["b"], was)).unwrap(), "");
        assert_eq!(steps(&names(&[], &["b"], was)).unwrap(), "");
        // Another one has the old name now.
        assert_eq!(steps(&names(&["a", "b"], &["a", "b"], was)).unwrap(), "");
        assert!(steps(&names(&["a", "b"], &["b"], was)).unwrap_err().contains("the database has both"));
        let circle = names(&["a", "b"], &["a", "b"], &[("a", "b"), ("b", "a")]);
        assert!(steps(&circle).unwrap_err().contains("--rename a=b"));
    }

    #[test]
    fn a_rename_is_two_names() {
        let rename: Rename = "users.fullname = users.full_name".parse().unwrap();
        assert_eq!(rename.to_string(), "users.fullname=users.full_name");
        for text in ["users", "=a", "a=", ""] {
            assert!(text.parse::<Rename>().is_err(), "{text}");
        }
    }
}
