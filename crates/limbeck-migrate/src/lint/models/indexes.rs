//! L017, L018, L019, L021: indexes and unique constraints.

use limbeck::model::{IndexDef, IndexKeyOf};
use limbeck::schema::SqlType;

use super::edit::{Edit, add_option, remove_option, replace_option};
use super::source::{Attribute, Opt};
use super::subject::{Findings, Place, Subject};

/// What a model has an index by.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Origin {
    PrimaryKey,
    /// `unique` of a column, alone.
    ColumnUnique(usize),
    /// `index` of a column, or that of its foreign key.
    ColumnIndex(usize),
    /// `unique(…)`, of the table or of a column, by number.
    Unique(usize),
    /// `index(…)`, likewise.
    Index(usize),
}

/// An index over plain columns, of all rows.
struct Entry {
    origin: Origin,
    columns: Vec<usize>,
    descending: Vec<bool>,
    unique: bool,
    /// Whether it has a name of its own.
    named: bool,
}

/// All indexes over plain columns: first those of columns, then those of the table.
fn entries(subject: &Subject<'_>) -> Vec<Entry> {
    let plain = |origin, columns: &[usize], unique| Entry {
        origin,
        columns: columns.to_vec(),
        descending: vec![false; columns.len()],
        unique,
        named: false,
    };
    let options = &subject.model.options;
    let mut all = vec![plain(Origin::PrimaryKey, subject.model.primary_key, true)];
    for (i, column) in subject.columns() {
        // With options, the unique is among those of the table.
        if column.unique && !options.uniques.iter().any(|unique| unique.columns == [i]) {
            all.push(plain(Origin::ColumnUnique(i), &[i], true));
        }
        if column.index {
            all.push(plain(Origin::ColumnIndex(i), &[i], false));
        }
    }
    for (k, unique) in options.uniques.iter().enumerate() {
        all.push(Entry { named: unique.name.is_some(), ..plain(Origin::Unique(k), unique.columns, true) });
    }
    all.extend(options.indexes.iter().enumerate().filter_map(|(k, index)| entry(k, index)));
    all
}

fn entry(k: usize, index: &IndexDef) -> Option<Entry> {
    let btree = index.method.is_none_or(|method| method.eq_ignore_ascii_case("btree"));
    if !btree || index.predicate.is_some() || !index.include.is_empty() {
        return None;
    }
    let column = |of: &IndexKeyOf| match of {
        IndexKeyOf::Column(column) => Some(*column),
        IndexKeyOf::Expression(_) => None,
    };
    let plain =
        index.keys.iter().all(|key| key.opclass.is_none() && key.collation.is_none() && key.nulls_first.is_none());
    let columns: Option<Vec<usize>> = index.keys.iter().map(|key| column(&key.of)).collect();
    columns.filter(|_| plain).map(|columns| Entry {
        origin: Origin::Index(k),
        columns,
        descending: index.keys.iter().map(|key| key.descending).collect(),
        unique: index.unique,
        named: index.name.is_some(),
    })
}

impl Entry {
    /// Whether whatever this serves is served by the other one.
    fn is_beginning_of(&self, other: &Entry) -> bool {
        other.columns.starts_with(&self.columns)
            // An index is read in both directions.
            && (other.descending.starts_with(&self.descending)
                || self.descending.iter().zip(&other.descending).all(|(a, b)| a != b))
    }

    fn described(&self, subject: &Subject<'_>) -> String {
        let columns = subject.fields(&self.columns);
        match self.origin {
            Origin::PrimaryKey => format!("the primary key {columns}"),
            Origin::ColumnUnique(_) | Origin::Unique(_) => format!("the unique constraint of {columns}"),
            Origin::ColumnIndex(_) | Origin::Index(_) => format!("the index of {columns}"),
        }
    }
}

/// Where something is written that a model has an index by.
struct Written<'a> {
    place: Place,
    option: Option<(&'a Attribute, &'a Opt)>,
}

fn written<'a>(subject: &Subject<'a>, origin: Origin) -> Written<'a> {
    let of_column = |column: usize, name: &str| {
        let field = subject.own_field(column);
        let option = field.and_then(|field| option_in(&field.attributes, "column", |option| option.name == name));
        Written { place: subject.at_option(option.map(|(_, option)| option), subject.at(column)), option }
    };
    // Those of the struct come first, then those of its columns, in their order.
    let of_table = |name: &str, number: usize| {
        let mut all: Vec<(&Attribute, &Opt, Place)> = Vec::new();
        if let Some(source) = subject.source {
            for attribute in source.model.attributes.iter().filter(|attribute| attribute.name == "model") {
                let options = attribute.options.iter().filter(|option| option.name == name);
                all.extend(options.map(|option| (attribute, option, subject.at_model())));
            }
        }
        for (i, _) in subject.columns() {
            let Some(field) = subject.own_field(i) else { continue };
            let with = |option: &Opt| option.name == name && option.brackets.is_some();
            if let Some((attribute, option)) = option_in(&field.attributes, "column", with) {
                all.push((attribute, option, subject.at(i)));
            }
        }
        match all.into_iter().nth(number) {
            Some((attribute, option, place)) => {
                Written { place: subject.at_option(Some(option), place), option: Some((attribute, option)) }
            }
            None => Written { place: subject.at_model(), option: None },
        }
    };
    match origin {
        Origin::PrimaryKey => Written { place: subject.at_model(), option: None },
        Origin::ColumnUnique(column) => of_column(column, "unique"),
        Origin::ColumnIndex(column) => of_column(column, "index"),
        Origin::Unique(number) => of_table("unique", number),
        Origin::Index(number) => of_table("index", number),
    }
}

fn option_in<'a>(
    attributes: &'a [Attribute],
    name: &str,
    wanted: impl Fn(&Opt) -> bool,
) -> Option<(&'a Attribute, &'a Opt)> {
    let mut of_name = attributes.iter().filter(|attribute| attribute.name == name);
    of_name.find_map(|attribute| Some((attribute, attribute.options.iter().find(|option| wanted(option))?)))
}

/// The edit that takes an index out.
fn removal(subject: &Subject<'_>, origin: Origin, found: &Written<'_>) -> Vec<Edit> {
    let Some(source) = subject.source else { return Vec::new() };
    if let Origin::ColumnIndex(column) = origin
        && subject.column(column).foreign_key.is_some()
    {
        // A foreign key has one unless it is refused, or it is unique or leads the primary key.
        let by_default = !subject.column(column).unique && subject.model.primary_key.first() != Some(&column);
        match (found.option, subject.own_field(column)) {
            (Some((_, option)), _) if by_default => return vec![replace_option(option, "index = false")],
            (None, Some(field)) if by_default => {
                return vec![add_option(source.file, field, "column", "index = false")];
            }
            _ => {}
        }
    }
    found.option.map(|(attribute, option)| remove_option(source.file, attribute, option)).into_iter().collect()
}

/// L017
pub(super) fn unbounded(subject: &Subject<'_>, out: &mut Findings<'_>) {
    let mut columns: Vec<usize> = entries(subject).into_iter().flat_map(|entry| entry.columns).collect();
    columns.sort_unstable();
    columns.dedup();
    for i in columns {
        let column = subject.column(i);
        let what = match column.sql_type {
            SqlType::Text => "text of any length",
            SqlType::String { length: None } => "text without a `length`",
            _ => continue,
        };
        let refers = subject.model.foreign_keys.iter().any(|key| key.columns.contains(&i));
        if column.foreign_key.is_some() || refers {
            continue;
        }
        let message = format!("`{}` is {what}, and in an index", subject.label(i));
        out.add(subject.at(i), message, "say how long it may be: `#[column(length = 200)]`");
    }
}

/// L018
pub(super) fn redundant(subject: &Subject<'_>, out: &mut Findings<'_>) {
    let all = entries(subject);
    for (position, entry) in all.iter().enumerate() {
        let longer = |(other, more): (usize, &Entry)| {
            other != position
                && entry.is_beginning_of(more)
                && (more.columns.len() > entry.columns.len() || more.unique || other < position)
        };
        let Some((_, more)) = all.iter().enumerate().find(|&(other, more)| longer((other, more))) else { continue };
        // What has a name takes the place of the one that the column has.
        let replaces = entry.named && matches!(more.origin, Origin::ColumnIndex(_));
        if entry.unique || replaces {
            continue;
        }
        let found = written(subject, entry.origin);
        let implicit = matches!(entry.origin, Origin::ColumnIndex(_)) && found.option.is_none();
        let columns = subject.fields(&entry.columns);
        let message = match implicit {
            true => format!("the foreign key {columns} has an index of its own, beside {}", more.described(subject)),
            false => format!("the index of {columns} serves nothing that {} does not", more.described(subject)),
        };
        let refers = matches!(entry.origin, Origin::ColumnIndex(i) if subject.column(i).foreign_key.is_some());
        let help = if refers { "write `index = false`" } else { "take it out" };
        let edits = removal(subject, entry.origin, &found);
        out.add_fixable(found.place, message, help, edits);
    }
}

/// L019
pub(super) fn unique(subject: &Subject<'_>, out: &mut Findings<'_>) {
    let all = entries(subject);
    for (position, entry) in all.iter().enumerate().filter(|(_, entry)| entry.unique) {
        if entry.origin == Origin::PrimaryKey || is_referred_to(subject, &entry.columns) {
            continue;
        }
        let tells = |(other, less): (usize, &Entry)| {
            let within = less.columns.iter().all(|column| entry.columns.contains(column));
            let never_null = less.columns.iter().all(|&column| !subject.column(column).nullable);
            let earlier = less.columns.len() < entry.columns.len() || other < position;
            other != position
                && less.unique
                && within
                && earlier
                && (never_null || less.columns.len() == entry.columns.len())
        };
        let Some((_, less)) = all.iter().enumerate().find(|&(other, less)| tells((other, less))) else { continue };
        let found = written(subject, entry.origin);
        let message =
            format!("that {} are unique follows from {}", subject.fields(&entry.columns), less.described(subject));
        let message = if entry.columns.len() == 1 { message.replacen(" are unique", " is unique", 1) } else { message };
        let edits = removal(subject, entry.origin, &found);
        out.add_fixable(found.place, message, "take it out", edits);
    }
}

/// Whether a foreign key of several columns refers to these, which have to be unique for that.
fn is_referred_to(subject: &Subject<'_>, columns: &[usize]) -> bool {
    let own = subject.model;
    subject.schema.models.iter().flat_map(|model| model.foreign_keys).any(|key| {
        std::ptr::eq((key.target)(), own)
            && key.fields.len() == columns.len()
            && columns.iter().all(|&column| key.fields.contains(&own.columns[column].field))
    })
}

/// L021
pub(super) fn boolean(subject: &Subject<'_>, out: &mut Findings<'_>) {
    for entry in entries(subject).into_iter().filter(|entry| !entry.unique) {
        let [column] = entry.columns[..] else { continue };
        if *subject.column(column).sql_type != SqlType::Boolean {
            continue;
        }
        let found = written(subject, entry.origin);
        let message = format!("the index of `{}` tells two values apart", subject.label(column));
        let help = "take it out, or index only the rows of the rare value";
        let edits = removal(subject, entry.origin, &found);
        out.add_fixable(found.place, message, help, edits);
    }
}
