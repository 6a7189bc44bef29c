//! Which boxes and lines a picture of tables has.

use std::collections::{BTreeMap, BTreeSet, VecDeque};

use limbeck::schema::{Column, ForeignKey, Index, SqlType, Table, TableName};

/// Which columns a box shows.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, clap::ValueEnum)]
pub(crate) enum Columns {
    /// All of them.
    #[default]
    All,
    /// Those of primary and foreign keys.
    Keys,
    /// None: names of tables alone.
    None,
}

/// What becomes of a table that only ties two others together.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, clap::ValueEnum)]
pub(crate) enum Associations {
    /// A line between the two, many to many, with the table's name.
    #[default]
    Edges,
    /// A box, as for any other table.
    Tables,
}

/// How many rows may be at an end of a line for one row at the other.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(crate) enum Many {
    One,
    ZeroOrOne,
    ZeroOrMore,
}

/// A column in a box.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Row {
    pub(crate) name: String,
    pub(crate) kind: String,
    pub(crate) nullable: bool,
    pub(crate) primary: bool,
    pub(crate) foreign: bool,
    pub(crate) unique: bool,
}

/// A table.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Node {
    pub(crate) name: String,
    pub(crate) rows: Vec<Row>,
}

/// A line between two tables, or from one to itself.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Edge {
    /// The box that refers, and the row at which the line begins; the box itself where there is no such row.
    pub(crate) from: (usize, Option<usize>),
    /// The box that is referred to.
    pub(crate) to: (usize, Option<usize>),
    /// How many rows of `from` may refer to one of `to`.
    pub(crate) many_from: Many,
    /// How many rows of `to` one of `from` refers to.
    pub(crate) many_to: Many,
    /// The referring columns, or the table in between.
    pub(crate) label: String,
}

/// The picture before it has places.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Graph {
    pub(crate) nodes: Vec<Node>,
    pub(crate) edges: Vec<Edge>,
}

impl Graph {
    /// The picture of these tables. Keys to tables that are not among them are left out.
    pub(crate) fn new(tables: &[&Table], columns: Columns, associations: Associations) -> Graph {
        let all: BTreeMap<TableName, &Table> = tables.iter().map(|table| (table.full_name(), *table)).collect();
        let between: BTreeSet<TableName> = match associations {
            Associations::Tables => BTreeSet::new(),
            Associations::Edges => {
                let ties = all.iter().filter(|(name, table)| {
                    is_association(table)
                        && table
                            .foreign_keys
                            .iter()
                            .all(|key| all.contains_key(&key.target()) && key.target() != **name)
                        && !all.values().any(|other| other.foreign_keys.iter().any(|key| key.target() == **name))
                });
                ties.map(|(name, _)| name.clone()).collect()
            }
        };
        let boxes: Vec<&Table> = all.values().copied().filter(|table| !between.contains(&table.full_name())).collect();
        let place: BTreeMap<TableName, usize> = boxes.iter().enumerate().map(|(i, t)| (t.full_name(), i)).collect();
        let nodes: Vec<Node> = boxes.iter().map(|table| node(table, columns)).collect();
        let end = |table: &TableName, column: Option<&String>| -> Option<(usize, Option<usize>)> {
            let node = *place.get(table)?;
            Some((node, column.and_then(|column| nodes[node].rows.iter().position(|row| row.name == *column))))
        };
        let mut edges = Vec::new();
        for table in all.values() {
            if between.contains(&table.full_name()) {
                let [a, b] = &table.foreign_keys[..] else { continue };
                let (Some(from), Some(to)) = (end(&a.target(), None), end(&b.target(), None)) else { continue };
                let label = table.full_name().to_string();
                edges.push(Edge { from, to, many_from: Many::ZeroOrMore, many_to: Many::ZeroOrMore, label });
                continue;
            }
            for key in &table.foreign_keys {
                let from = end(&table.full_name(), key.columns.first());
                let Some((from, to)) = from.zip(end(&key.target(), key.target_columns.first())) else { continue };
                let optional = key.columns.iter().any(|name| table.column(name).is_some_and(|c| c.nullable));
                edges.push(Edge {
                    from,
                    to,
                    many_from: if is_unique(table, key) { Many::ZeroOrOne } else { Many::ZeroOrMore },
                    many_to: if optional { Many::ZeroOrOne } else { Many::One },
                    label: key.columns.join(", "),
                });
            }
        }
        Graph { nodes, edges }
    }
}

/// Whether a table has two keys and nothing else, and each pair of rows once.
fn is_association(table: &Table) -> bool {
    let keys: BTreeSet<&String> = table.foreign_keys.iter().flat_map(|key| &key.columns).collect();
    let all: BTreeSet<&String> = table.columns.iter().map(|column| &column.name).collect();
    let same = |columns: &[String]| columns.iter().collect::<BTreeSet<_>>() == all;
    let once =
        table.primary_key.iter().map(|key| &key.columns).chain(table.uniques.iter().map(|unique| &unique.columns));
    table.foreign_keys.len() == 2 && keys == all && once.into_iter().any(|columns| same(columns))
}

/// Whether at most one row can refer to another by this key.
fn is_unique(table: &Table, key: &ForeignKey) -> bool {
    let within = |columns: &[String]| !columns.is_empty() && columns.iter().all(|column| key.columns.contains(column));
    table.primary_key.as_ref().is_some_and(|primary| within(&primary.columns))
        || table.uniques.iter().any(|unique| within(&unique.columns))
        || table.indexes.iter().any(|index| forbids_equal(index) && within(&index.columns))
}

/// Whether an index forbids equal values of its columns, in all rows.
fn forbids_equal(index: &Index) -> bool {
    index.unique && index.is_plain()
}

fn node(table: &Table, columns: Columns) -> Node {
    let row = |column: &Column| Row {
        name: column.name.clone(),
        kind: kind(&column.sql_type),
        nullable: column.nullable,
        primary: table.primary_key.as_ref().is_some_and(|key| key.columns.contains(&column.name)),
        foreign: table.foreign_keys.iter().any(|key| key.columns.contains(&column.name)),
        unique: table.uniques.iter().any(|unique| unique.columns == [column.name.clone()])
            || table.indexes.iter().any(|index| forbids_equal(index) && index.columns == [column.name.clone()]),
    };
    let shown = |row: &Row| match columns {
        Columns::All => true,
        Columns::Keys => row.primary || row.foreign,
        Columns::None => false,
    };
    Node { name: table.full_name().to_string(), rows: table.columns.iter().map(row).filter(shown).collect() }
}

/// A type in a word.
fn kind(sql_type: &SqlType) -> String {
    match sql_type {
        SqlType::SmallInteger => "smallint".into(),
        SqlType::Integer => "integer".into(),
        SqlType::BigInteger => "bigint".into(),
        SqlType::Real => "real".into(),
        SqlType::Double => "double".into(),
        SqlType::Numeric { precision: Some(precision), scale: 0 } => format!("numeric({precision})"),
        SqlType::Numeric { precision: Some(precision), scale } => format!("numeric({precision},{scale})"),
        SqlType::Numeric { .. } => "numeric".into(),
        SqlType::Boolean => "boolean".into(),
        SqlType::String { length: Some(length) } => format!("varchar({length})"),
        SqlType::String { length: None } => "varchar".into(),
        SqlType::Text => "text".into(),
        SqlType::LargeBinary => "bytes".into(),
        SqlType::DateTime { timezone: true } => "timestamptz".into(),
        SqlType::DateTime { timezone: false } => "timestamp".into(),
        SqlType::Date => "date".into(),
        SqlType::Time => "time".into(),
        SqlType::Interval => "interval".into(),
        SqlType::Json { .. } => "json".into(),
        SqlType::Array(array) => format!("{}[]", kind(array.element())),
        SqlType::Uuid { .. } => "uuid".into(),
        SqlType::Enum(of) => of.name().to_string(),
        SqlType::Named(name) => (*name).to_string(),
        SqlType::Other(name) => name.to_lowercase(),
    }
}

/// The tables at most so many keys away from one of them, in either direction.
pub(crate) fn around<'t>(tables: &[&'t Table], start: &TableName, depth: usize) -> Vec<&'t Table> {
    let mut steps: BTreeMap<TableName, usize> = BTreeMap::from([(start.clone(), 0)]);
    let mut next = VecDeque::from([start.clone()]);
    while let Some(at) = next.pop_front() {
        let step = steps.get(&at).copied().unwrap_or(0);
        if step == depth {
            continue;
        }
        for table in tables {
            for key in &table.foreign_keys {
                let (from, to) = (table.full_name(), key.target());
                for (one, other) in [(&from, &to), (&to, &from)] {
                    if *one == at && !steps.contains_key(other) {
                        steps.insert(other.clone(), step + 1);
                        next.push_back(other.clone());
                    }
                }
            }
        }
    }
    tables.iter().copied().filter(|table| steps.contains_key(&table.full_name())).collect()
}
