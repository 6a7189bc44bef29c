//! What a view selects: its columns, its joins, and the keys of its lists.

use std::collections::BTreeSet;
use std::sync::{Mutex, PoisonError};

use super::View;
use crate::error::{Error, Result};
use crate::model::mapping::{KeyPair, Path};
use crate::model::{Model, ModelDef};
use crate::sql::expression::Expression;
use crate::sql::join::{Join, JoinKind, On};
use crate::sql::node::{ColumnRef, Node, Source};
use crate::sql::select::SelectCore;
use crate::sql::selection::Projection;
use crate::sql::subquery::Origin;
use crate::types::ColumnType;

/// A view's statement while it is put together.
#[derive(Debug)]
pub struct Plan {
    /// The tables: first the model's, then each that is joined, behind the one that it is joined to.
    tables: Vec<Table>,
    /// The one that is spoken of.
    here: usize,
    columns: Vec<Selected>,
    /// The columns of the row that are the key of each list.
    keys: Vec<Vec<usize>>,
    /// Keys that no field names, behind the fields' columns.
    extra: Vec<(usize, usize)>,
    /// The field that is spoken of: `PostCard.author`.
    field: (&'static str, &'static str),
    /// What cannot be, for when the query is built.
    wrong: Option<Error>,
}

#[derive(Debug)]
struct Table {
    source: Source,
    /// The table that it is joined to, and the relationship.
    joined: Option<(usize, usize)>,
    /// Whether a row may be without it: no field says that there is one.
    left: bool,
}

/// A column of the statement.
#[derive(Debug)]
struct Selected {
    node: Node,
    nullable: bool,
    /// The table whose row it is about.
    table: usize,
}

impl Plan {
    /// A plan over a model's table.
    pub(super) fn over(model: &'static ModelDef) -> Self {
        let table = Table { source: Source { model, alias: None }, joined: None, left: false };
        Plan {
            tables: vec![table],
            here: 0,
            columns: Vec::new(),
            keys: Vec::new(),
            extra: Vec::new(),
            field: ("", ""),
            wrong: None,
        }
    }

    pub(super) fn of<V: View>() -> Self {
        let mut plan = Plan::over(V::Model::def());
        V::plan(&mut plan);
        plan
    }

    /// Used by `derive(View)`: what follows is of this field.
    #[doc(hidden)]
    pub fn field(&mut self, view: &'static str, field: &'static str) -> &mut Self {
        self.field = (view, field);
        self
    }

    /// Used by `derive(View)`: an expression over the columns of the model.
    #[doc(hidden)]
    pub fn expression<E: Expression>(&mut self, expression: E) {
        let mut node = expression.into_node();
        let here = self.tables[self.here].source;
        if here.alias.is_some() {
            node.rename(Source { alias: None, ..here }, here);
        }
        self.select(node, E::Type::NULLABLE);
    }

    /// A column of the table that is spoken of.
    pub(super) fn column(&mut self, index: usize, nullable: bool) {
        self.select(self.node(self.here, index), nullable);
    }

    fn select(&mut self, node: Node, nullable: bool) {
        self.columns.push(Selected { node, nullable, table: self.here });
    }

    /// Whether there is a row of the table that is spoken of.
    pub(super) fn presence(&mut self) {
        let key = self.tables[self.here].source.model.primary_key.first().copied().unwrap_or(0);
        let node = self.node(self.here, key);
        self.select(Node::IsNull(Box::new(node), true), false);
    }

    fn node(&self, table: usize, index: usize) -> Node {
        let Source { model, alias } = self.tables[table].source;
        Node::Column(ColumnRef { model, alias, index: index as u16 })
    }

    /// Speaks of the table at the other end of a to-one relationship; fields that follow the same one share the join.
    pub(super) fn along(&mut self, relation: usize, optional: bool, then: impl FnOnce(&mut Plan)) {
        let from = self.here;
        if !optional && let Some(wrong) = self.may_lead_nowhere(relation) {
            self.wrong.get_or_insert(wrong);
        }
        let known = self.tables.iter().position(|table| table.joined == Some((from, relation)));
        self.here = known.unwrap_or_else(|| self.join(from, relation));
        self.tables[self.here].left &= optional;
        then(self);
        self.here = from;
    }

    fn join(&mut self, from: usize, relation: usize) -> usize {
        let parent = &self.tables[from].source;
        let relation_def = &parent.model.relations[relation];
        let model = (relation_def.target)();
        let mut source = Source { model, alias: None };
        let is_taken = |name: &str| self.tables.iter().any(|table| table.source.name() == name);
        if is_taken(source.name()) {
            let way = parent.alias.map(|alias| format!("{alias}_")).unwrap_or_default();
            let mut name = format!("{way}{}", relation_def.field);
            while is_taken(&name) {
                name.push('_');
            }
            source.alias = Some(kept(name));
        }
        self.tables.push(Table { source, joined: Some((from, relation)), left: true });
        self.tables.len() - 1
    }

    /// The error of a field that has to have a row, over a relationship that may lead nowhere: an inner join would
    /// leave out the rows without a partner, because of how they are shown.
    fn may_lead_nowhere(&self, relation: usize) -> Option<Error> {
        let model = self.tables[self.here].source.model;
        let label = model.relations[relation].label;
        let why = match model.mapping().map(|mapping| &mapping.relations[relation].path) {
            Err(error) => return Some(error),
            Ok(Path::BelongsTo(keys)) => {
                let key = keys.iter().find(|pair| model.columns[pair.key].nullable)?.key;
                format!("`{}.{}` may be NULL", model.name, model.columns[key].field)
            }
            Ok(_) => "there may be no row at its other end".to_owned(),
        };
        let (view, field) = self.field;
        Some(Error::Statement(format!(
            "`{view}.{field}` follows `{label}`, and {why}: its type has to be an `Option`, which is a LEFT JOIN"
        )))
    }

    /// A list along a to-many relationship: its key is in the row.
    pub(super) fn list(&mut self, relation: usize) {
        let model = self.tables[self.here].source.model;
        match key_columns(model, relation) {
            Ok(columns) => self.keys.push(columns.clone()),
            Err(error) => {
                self.wrong.get_or_insert(error);
                self.keys.push(Vec::new());
                return;
            }
        }
        // Positions are known when all fields are.
        self.extra.push((self.here, relation));
    }

    /// The whole of it: the statement, and where in its rows the keys of the lists are.
    fn finish(mut self) -> (SelectCore, Vec<Vec<usize>>) {
        // What is behind a table that may have no row may have none either.
        for table in 0..self.tables.len() {
            if let Some((from, _)) = self.tables[table].joined {
                self.tables[table].left |= self.tables[from].left;
            }
        }
        let lists = std::mem::take(&mut self.extra);
        let keys = std::mem::take(&mut self.keys);
        let keys = lists.iter().zip(keys).map(|((table, _), columns)| self.positions(*table, &columns)).collect();
        let joins = self.tables.iter().filter_map(|table| {
            let (from, relation) = table.joined?;
            Some(Join {
                kind: if table.left { JoinKind::Left } else { JoinKind::Inner },
                to: Origin::Table(table.source),
                on: On::Relation { from: self.tables[from].source, relation },
            })
        });
        let projection = self.columns.into_iter().map(|column| Projection::Node {
            node: column.node,
            nullable: column.nullable || self.tables[column.table].left,
        });
        let core = SelectCore {
            joins: joins.collect(),
            from: Some(Origin::Table(self.tables[0].source)),
            projection: projection.collect(),
            ..SelectCore::default()
        };
        (core, keys)
    }

    /// Where columns of a table are in the row; those that no field names come behind the others.
    fn positions(&mut self, table: usize, columns: &[usize]) -> Vec<usize> {
        let source = self.tables[table].source;
        columns
            .iter()
            .map(|column| {
                let is_it = |selected: &Selected| {
                    matches!(selected.node, Node::Column(found)
                        if found.source().same(&source) && usize::from(found.index) == *column)
                };
                self.columns.iter().position(is_it).unwrap_or_else(|| {
                    self.columns.push(Selected { node: self.node(table, *column), nullable: true, table });
                    self.columns.len() - 1
                })
            })
            .collect()
    }

    /// The statement.
    pub(super) fn core(self) -> SelectCore {
        self.finish().0
    }

    /// Where in the rows the keys of the lists are.
    pub(super) fn list_keys(self) -> Vec<Vec<usize>> {
        self.finish().1
    }

    /// The statement, and where in its rows the keys of its lists are.
    ///
    /// # Errors
    /// What is wrong with the view.
    pub(super) fn checked(mut self) -> Result<(SelectCore, Vec<Vec<usize>>)> {
        match self.wrong.take() {
            None => Ok(self.finish()),
            Some(error) => Err(error),
        }
    }
}

/// The columns of a model by whose values the rows at the other end of a to-many relationship are found.
pub(super) fn key_columns(model: &'static ModelDef, relation: usize) -> Result<Vec<usize>> {
    Ok(match &model.mapping()?.relations[relation].path {
        Path::BelongsTo(keys) => KeyPair::columns(keys),
        Path::HasMany(keys) | Path::HasOne(keys) => KeyPair::referred(keys),
        Path::ManyToMany(link) => link.local.iter().map(|(_, key)| *key).collect(),
    })
}

/// A name for as long as the process runs, as aliases have to be; each is kept once.
pub(crate) fn kept(name: String) -> &'static str {
    static NAMES: Mutex<BTreeSet<&'static str>> = Mutex::new(BTreeSet::new());
    let mut names = NAMES.lock().unwrap_or_else(PoisonError::into_inner);
    if let Some(known) = names.get(name.as_str()) {
        return known;
    }
    let name: &'static str = Box::leak(name.into_boxed_str());
    names.insert(name);
    name
}
