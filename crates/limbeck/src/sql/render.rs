//! A query as SQL text. Runs once for each shape; what a running query costs is in `shape`.

use super::compile::Wanted;
use super::node::{ColumnRef, Node, Source};
use super::select::{Projection, SelectCore};
use crate::dialect::Dialect;
use crate::driver::Param;
use crate::error::{Error, Result};
use crate::model::ModelDef;
use crate::model::mapping::Path;
use crate::types::Kind;

/// A statement while it is written.
pub(crate) struct Renderer {
    pub(crate) dialect: Dialect,
    pub(crate) sql: String,
    pub(crate) params: Vec<Param>,
}

impl Renderer {
    pub(crate) fn new(dialect: Dialect) -> Self {
        Renderer { dialect, sql: String::with_capacity(128), params: Vec::new() }
    }

    pub(crate) fn push(&mut self, sql: &str) -> &mut Self {
        self.sql.push_str(sql);
        self
    }

    pub(crate) fn ident(&mut self, ident: &str) -> &mut Self {
        self.dialect.write_ident(&mut self.sql, ident);
        self
    }

    /// `table.column`
    pub(crate) fn qualified(&mut self, table: &str, column: &str) -> &mut Self {
        self.ident(table).push(".").ident(column)
    }

    /// A placeholder for one value.
    pub(crate) fn param(&mut self, kind: Kind) -> &mut Self {
        self.placeholder(Param::One(kind))
    }

    fn placeholder(&mut self, param: Param) -> &mut Self {
        self.params.push(param);
        match self.dialect {
            Dialect::Sqlite => self.sql.push('?'),
            Dialect::Postgres => {
                self.sql.push('$');
                self.sql.push_str(&self.params.len().to_string());
            }
        }
        self
    }

    /// A placeholder for an array (PostgreSQL).
    pub(crate) fn array_param(&mut self, kind: Kind) -> &mut Self {
        self.placeholder(Param::Many(kind))
    }

    /// ` IN (a list in one parameter)`, after what is looked for.
    pub(crate) fn in_list(&mut self, kind: Kind, negated: bool) -> &mut Self {
        match self.dialect {
            Dialect::Sqlite => {
                self.push(if negated { " NOT IN" } else { " IN" }).push(" (SELECT value FROM json_each(");
                self.array_param(kind).push("))")
            }
            Dialect::Postgres => self.push(if negated { " <> ALL(" } else { " = ANY(" }).array_param(kind).push(")"),
        }
    }

    /// All columns of a model, separated by commas.
    pub(crate) fn columns(&mut self, model: &'static ModelDef, qualifier: &str) -> &mut Self {
        for (index, column) in model.columns.iter().enumerate() {
            if index > 0 {
                self.push(", ");
            }
            self.qualified(qualifier, column.name);
        }
        self
    }

    pub(crate) fn select(&mut self, select: &SelectCore, wanted: Wanted) -> Result<()> {
        check_tables(select)?;
        match wanted {
            Wanted::Exists => {
                self.push("SELECT EXISTS (SELECT 1");
            }
            Wanted::Count if select.limit.is_some() || select.offset.is_some() => {
                self.push("SELECT count(*) FROM (SELECT 1");
            }
            Wanted::Count => {
                self.push("SELECT count(*)");
            }
            Wanted::Rows | Wanted::First | Wanted::One => {
                self.push("SELECT ");
                for (index, item) in select.projection.iter().enumerate() {
                    if index > 0 {
                        self.push(", ");
                    }
                    match item {
                        Projection::Model(source) => self.columns(source.model, source.name()),
                        Projection::Node(node) => self.node(node),
                    };
                }
            }
        }
        if let Some(from) = &select.from {
            self.push(" FROM ").table(from);
        }
        for join in &select.joins {
            self.join(join.from, join.relation, join.to)?;
        }
        for (index, condition) in select.filter.iter().enumerate() {
            self.push(if index == 0 { " WHERE " } else { " AND " });
            if matches!(condition, Node::Or(_)) && select.filter.len() > 1 {
                self.push("(").node(condition).push(")");
            } else {
                self.node(condition);
            }
        }
        if wanted.is_rows() {
            for (index, order) in select.order_by.iter().enumerate() {
                self.push(if index == 0 { " ORDER BY " } else { ", " }).node(&order.node);
                if order.descending {
                    self.push(" DESC");
                }
            }
        }
        self.bounds(select, wanted);
        match wanted {
            Wanted::Exists => {
                self.push(")");
            }
            Wanted::Count if select.limit.is_some() || select.offset.is_some() => {
                self.push(") AS counted");
            }
            _ => {}
        }
        Ok(())
    }

    fn bounds(&mut self, select: &SelectCore, wanted: Wanted) {
        let limit = match wanted {
            Wanted::First => Some(select.limit.map_or(1, |limit| limit.min(1))),
            Wanted::One => Some(select.limit.map_or(2, |limit| limit.min(2))),
            _ => select.limit,
        };
        match (limit, select.offset) {
            (Some(rows), _) => {
                self.push(" LIMIT ").push(&rows.to_string());
            }
            // SQLite has no OFFSET without LIMIT.
            (None, Some(_)) if self.dialect == Dialect::Sqlite => {
                self.push(" LIMIT -1");
            }
            _ => {}
        }
        if let Some(rows) = select.offset {
            self.push(" OFFSET ").push(&rows.to_string());
        }
    }

    fn table(&mut self, source: &Source) -> &mut Self {
        self.ident(source.model.table);
        if let Some(alias) = source.alias {
            self.push(" AS ").ident(alias);
        }
        self
    }

    fn join(&mut self, from: Source, relation: usize, to: Source) -> Result<()> {
        let resolved = &from.model.mapping()?.relations[relation];
        match &resolved.path {
            Path::BelongsTo { key, to: column } => {
                self.push(" JOIN ").table(&to).push(" ON ");
                self.qualified(to.name(), to.model.columns[*column].name).push(" = ");
                self.qualified(from.name(), from.model.columns[*key].name);
            }
            Path::HasMany { key, from: column } => {
                self.push(" JOIN ").table(&to).push(" ON ");
                self.qualified(to.name(), to.model.columns[*key].name).push(" = ");
                self.qualified(from.name(), from.model.columns[*column].name);
            }
            Path::ManyToMany(link) => {
                self.push(" JOIN ").ident(&link.table).push(" ON ");
                for (index, (column, key)) in link.local.iter().enumerate() {
                    self.push(if index > 0 { " AND " } else { "" });
                    self.qualified(&link.table, column).push(" = ");
                    self.qualified(from.name(), from.model.columns[*key].name);
                }
                self.push(" JOIN ").table(&to).push(" ON ");
                for (index, (column, key)) in link.remote.iter().enumerate() {
                    self.push(if index > 0 { " AND " } else { "" });
                    self.qualified(to.name(), to.model.columns[*key].name).push(" = ");
                    self.qualified(&link.table, column);
                }
            }
        }
        Ok(())
    }

    fn column(&mut self, column: &ColumnRef) -> &mut Self {
        let name = column.model.columns[usize::from(column.index)].name;
        self.qualified(column.source().name(), name)
    }

    pub(crate) fn node(&mut self, node: &Node) -> &mut Self {
        match node {
            Node::Column(column) => self.column(column),
            Node::Bind(_, kind) => self.param(*kind),
            Node::Binary(operator, sides) => self.inner(&sides.0).push(" ").push(operator).push(" ").inner(&sides.1),
            Node::And(parts) => self.parts(parts, " AND "),
            Node::Or(parts) => self.parts(parts, " OR "),
            Node::Not(inner) => self.push("NOT ").inner(inner),
            Node::IsNull(inner, negated) => self.inner(inner).push(if *negated { " IS NOT NULL" } else { " IS NULL" }),
            Node::InValues { item, kind, negated, .. } => self.inner(item).in_list(*kind, *negated),
            Node::InList { item, list, negated } => {
                self.inner(item).push(if *negated { " NOT IN (" } else { " IN (" });
                self.list(list).push(")")
            }
            Node::CountAll => self.push("count(*)"),
            Node::Call(name, arguments) => self.push(name).push("(").list(arguments).push(")"),
        }
    }

    fn list(&mut self, nodes: &[Node]) -> &mut Self {
        for (index, node) in nodes.iter().enumerate() {
            self.push(if index > 0 { ", " } else { "" }).node(node);
        }
        self
    }

    fn parts(&mut self, parts: &[Node], between: &str) -> &mut Self {
        for (index, part) in parts.iter().enumerate() {
            self.push(if index > 0 { between } else { "" });
            match part {
                Node::And(_) | Node::Or(_) => self.push("(").node(part).push(")"),
                _ => self.node(part),
            };
        }
        self
    }

    /// An operand: in parentheses unless it cannot be misread without.
    fn inner(&mut self, node: &Node) -> &mut Self {
        match node {
            Node::Column(_) | Node::Bind(..) | Node::CountAll | Node::Call(..) => self.node(node),
            _ => self.push("(").node(node).push(")"),
        }
    }
}

/// Every table that the query names has to be in it: a forgotten join would be a cross product.
fn check_tables(select: &SelectCore) -> Result<()> {
    let mut known: Vec<Source> = select.from.into_iter().collect();
    for join in &select.joins {
        if !known.iter().any(|source| source.same(&join.from)) {
            return Err(missing(&join.from, join.from.model.relations[join.relation].label, &known));
        }
        known.push(join.to);
    }
    let mut error = None;
    let mut check = |source: Source, what: &str| {
        if error.is_none() && !known.iter().any(|k| k.same(&source)) {
            error = Some(missing(&source, what, &known));
        }
    };
    let mut check_node = |node: &Node| {
        node.columns(&mut |column| {
            let def = &column.model.columns[usize::from(column.index)];
            check(column.source(), &format!("{}.{}", column.model.name, def.field));
        });
    };
    for item in &select.projection {
        if let Projection::Node(node) = item {
            check_node(node);
        }
    }
    select.filter.iter().for_each(&mut check_node);
    select.order_by.iter().for_each(|order| check_node(&order.node));
    for item in &select.projection {
        if let Projection::Model(source) = item {
            check(*source, source.model.name);
        }
    }
    error.map_or(Ok(()), Err)
}

#[cold]
fn missing(source: &Source, what: &str, known: &[Source]) -> Error {
    let table = source.name();
    let join = known.iter().find_map(|from| {
        let relation = from.model.relations.iter().find(|r| std::ptr::eq((r.target)(), source.model))?;
        Some(format!(": add `.join({})`", relation.label))
    });
    Error::Statement(format!(
        "`{what}` is used, but the table `{table}` is not in the query{}",
        join.unwrap_or_default()
    ))
}
