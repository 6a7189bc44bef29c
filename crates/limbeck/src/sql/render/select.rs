//! SELECT, and what can stand in its FROM.

use super::Renderer;
use crate::dialect::{Dialect, ddl};
use crate::error::Result;
use crate::model::mapping::Path;
use crate::sql::check;
use crate::sql::compile::Wanted;
use crate::sql::compound::{Compound, SetOp};
use crate::sql::expression::Order;
use crate::sql::join::{Join, JoinKind, On};
use crate::sql::lock::{Lock, Wait};
use crate::sql::node::{Node, Source};
use crate::sql::select::{Distinct, Projection, SelectCore};
use crate::sql::shape::{Shape, ShapeKind, offset_is_bound};
use crate::sql::share;
use crate::sql::subquery::{Body, Derived, Origin, Output, ValueRows};
use crate::types::Kind;

impl Renderer {
    /// A SELECT, checked first.
    pub(crate) fn select(&mut self, select: &SelectCore, wanted: Wanted) -> Result<()> {
        let mut shape = Shape::new(ShapeKind::Select);
        shape.select(select, wanted, self.dialect);
        let ctes = shape.ctes();
        check::tables(select, &ctes)?;
        self.with(&ctes)?;
        let (limit, offset) = select.bounds(wanted);
        // An inner query where the number of rows is not that of the tables, or where they are locked.
        let bounded = limit.is_some() || offset.is_some() || select.more().lock.is_some();
        let nested = wanted == Wanted::Count && (bounded || select.is_whole());
        match wanted {
            Wanted::Exists => self.push("SELECT EXISTS ("),
            Wanted::Count if nested => self.push("SELECT count(*) FROM ("),
            _ => self,
        };
        if wanted.is_rows() {
            self.undefer.clone_from(&select.more().undefer);
        }
        self.query(select, if nested { Wanted::Exists } else { wanted }, None)?;
        if wanted == Wanted::Exists {
            self.push(")");
        } else if nested {
            self.push(") AS counted");
        }
        self.finish()
    }

    /// `WITH …`
    pub(crate) fn with(&mut self, ctes: &[&Derived]) -> Result<()> {
        for (index, cte) in ctes.iter().enumerate() {
            self.push(if index > 0 { ", " } else { "WITH " });
            if index == 0 && ctes.iter().any(|cte| matches!(cte.body, Body::Recursive(_))) {
                self.push("RECURSIVE ");
            }
            self.ident(cte.name).push(" AS (");
            match &cte.body {
                Body::Cte(core) => self.query(core, Wanted::Rows, Some(&cte.columns))?,
                Body::Recursive(recursion) => {
                    let op = if recursion.distinct { SetOp::Union } else { SetOp::UnionAll };
                    self.side(&recursion.base, op, false, Some(&cte.columns))?;
                    self.push(op.sql());
                    self.side(&recursion.step, op, true, None)?;
                }
                Body::Query(_) | Body::Itself | Body::Alias(_) | Body::Values(_) => {}
            }
            self.push(")");
        }
        if !ctes.is_empty() {
            self.push(" ");
        }
        Ok(())
    }

    /// A query inside an expression.
    pub(super) fn inner_query(&mut self, select: &SelectCore, wanted: Wanted) -> &mut Self {
        let outcome = self.query(select, wanted, None);
        self.note(outcome)
    }

    /// A SELECT without what is around it. `names` are those that another query calls its columns by.
    pub(crate) fn query(&mut self, select: &SelectCore, wanted: Wanted, names: Option<&[Output]>) -> Result<()> {
        let sharing = self.sharing.begin(share::in_query(select, self.dialect));
        let undefer = std::mem::take(&mut self.undefer);
        let more = select.more();
        if let Some(compound) = &more.compound {
            self.compound(compound, names)?;
        } else {
            self.push("SELECT ");
            match &more.distinct {
                Distinct::No => {}
                Distinct::Rows => {
                    self.push("DISTINCT ");
                }
                Distinct::On(_) if self.dialect == Dialect::Sqlite => {
                    self.refuse("`distinct_on`", "use `group_by`, or a window function in a subquery");
                }
                Distinct::On(nodes) => {
                    self.push("DISTINCT ON (").placed(nodes, select).push(") ");
                }
            }
            if wanted.is_rows() || select.is_whole() {
                self.projection(&select.projection, names);
                for column in &undefer {
                    self.push(", ").column(column);
                }
            } else {
                self.push(if wanted == Wanted::Count { "count(*)" } else { "1" });
            }
            if let Some(from) = &select.from {
                self.push(" FROM ").origin(from)?;
            }
            self.joins(select)?;
            self.conditions(" WHERE ", &select.filter);
            if !more.group_by.is_empty() {
                self.push(" GROUP BY ").placed(&more.group_by, select);
            }
            self.conditions(" HAVING ", &more.having);
        }
        if wanted.is_rows() {
            for (index, order) in select.order_by.iter().enumerate() {
                self.push(if index == 0 { " ORDER BY " } else { ", " }).order(order, select);
            }
        }
        let (limit, offset) = select.bounds(wanted);
        self.bounds(limit, offset);
        if let Some(lock) = &more.lock
            && self.dialect == Dialect::Postgres
        {
            self.lock(lock);
        }
        self.sharing.end(sharing);
        Ok(())
    }

    /// ` WHERE a AND b`
    pub(crate) fn conditions(&mut self, word: &str, conditions: &[Node]) -> &mut Self {
        for (index, condition) in conditions.iter().enumerate() {
            self.push(if index == 0 { word } else { " AND " });
            if matches!(condition, Node::Or(_)) && conditions.len() > 1 {
                self.push("(").node(condition).push(")");
            } else {
                self.node(condition);
            }
        }
        self
    }

    fn order(&mut self, order: &Order, select: &SelectCore) -> &mut Self {
        let compound = select.more().compound.is_some();
        match if compound { select.position(&order.node) } else { select.place(&order.node) } {
            Some(place) => self.push(&place.to_string()),
            None => self.node(&order.node),
        };
        self.push(order.suffix())
    }

    /// Expressions of which those that are selected are named by their place.
    fn placed(&mut self, nodes: &[Node], select: &SelectCore) -> &mut Self {
        for (index, node) in nodes.iter().enumerate() {
            self.push(if index > 0 { ", " } else { "" });
            match select.place(node) {
                Some(place) => self.push(&place.to_string()),
                None => self.node(node),
            };
        }
        self
    }

    /// The select list.
    pub(crate) fn projection(&mut self, items: &[Projection], names: Option<&[Output]>) -> &mut Self {
        let mut next = 0;
        for (index, item) in items.iter().enumerate() {
            self.push(if index > 0 { ", " } else { "" });
            match item {
                Projection::Model { source, .. } => self.columns(source.model, self.name_of(source)),
                Projection::Node { node, .. } => self.node(node),
            };
            if let Some(output) = names.and_then(|names| names.get(next))
                && !output.plain
            {
                self.push(" AS ").ident(&output.name);
            }
            next += item.width();
        }
        self
    }

    fn compound(&mut self, compound: &Compound, names: Option<&[Output]>) -> Result<()> {
        self.side(&compound.sides.0, compound.op, false, names)?;
        self.push(compound.op.sql());
        self.side(&compound.sides.1, compound.op, true, None)
    }

    /// One of the queries of a compound: in a query of its own where it could be read as something else.
    fn side(&mut self, side: &SelectCore, op: SetOp, right: bool, names: Option<&[Output]>) -> Result<()> {
        let inner = side.more().compound.as_ref().map(|compound| compound.op);
        let bounded = !side.order_by.is_empty() || side.limit.is_some() || side.offset.is_some();
        let plain = match inner {
            _ if bounded || side.more().lock.is_some() => false,
            None => true,
            // All read from the left, but for INTERSECT, which PostgreSQL reads first.
            Some(inner) => !right && (op != SetOp::Intersect || inner == SetOp::Intersect),
        };
        if plain {
            return self.query(side, Wanted::Rows, names);
        }
        self.push("SELECT * FROM (");
        self.query(side, Wanted::Rows, names)?;
        self.push(") AS side");
        Ok(())
    }

    fn bounds(&mut self, limit: Option<u64>, offset: Option<u64>) {
        match (limit, offset) {
            (Some(rows), _) => {
                self.push(" LIMIT ").push(&rows.to_string());
            }
            // SQLite has no OFFSET without LIMIT.
            (None, Some(_)) if self.dialect == Dialect::Sqlite => {
                self.push(" LIMIT -1");
            }
            _ => {}
        }
        match offset {
            Some(_) if offset_is_bound(self.dialect) => {
                self.push(" OFFSET ").param(Kind::I64);
            }
            Some(rows) => {
                self.push(" OFFSET ").push(&rows.to_string());
            }
            None => {}
        }
    }

    fn lock(&mut self, lock: &Lock) {
        self.push(if lock.shared { " FOR SHARE" } else { " FOR UPDATE" });
        for (index, source) in lock.of.iter().enumerate() {
            self.push(if index > 0 { ", " } else { " OF " }).ident(source.name());
        }
        match lock.wait {
            Wait::Until => self,
            Wait::Skip => self.push(" SKIP LOCKED"),
            Wait::Fail => self.push(" NOWAIT"),
        };
    }

    /// `posts`, `posts AS p`
    pub(crate) fn table(&mut self, source: &Source) -> &mut Self {
        self.table_of(source.model);
        if source.alias.is_some() {
            self.push(" AS ").ident(source.name());
        }
        self
    }

    /// What stands in FROM.
    pub(crate) fn origin(&mut self, origin: &Origin) -> Result<()> {
        match origin {
            Origin::Table(source) => {
                self.table(source);
            }
            Origin::Derived(derived) => match &derived.body {
                Body::Query(core) => {
                    self.push("(").query(core, Wanted::Rows, Some(&derived.columns))?;
                    self.push(") AS ").ident(derived.name);
                }
                Body::Values(values) => {
                    self.values(values).push(" AS ").ident(derived.name);
                }
                Body::Cte(_) | Body::Recursive(_) | Body::Itself => {
                    self.ident(derived.name);
                }
                Body::Alias(of) => {
                    self.ident(of.name).push(" AS ").ident(derived.name);
                }
            },
        }
        Ok(())
    }

    /// `(VALUES (…), (…))`. No rows are a query that finds none.
    fn values(&mut self, values: &ValueRows) -> &mut Self {
        if values.rows.is_empty() {
            self.push("(SELECT ");
            for (index, sql_type) in values.types.iter().enumerate() {
                let name = ddl::type_name(self.dialect, sql_type);
                self.push(if index > 0 { ", " } else { "" });
                self.push("CAST(NULL AS ").push(&name).push(") AS column").push(&(index + 1).to_string());
            }
            return self.push(" WHERE 1 = 0)");
        }
        self.push("(VALUES ");
        for row in 0..values.rows.len() {
            self.push(if row > 0 { ", (" } else { "(" });
            for (index, sql_type) in values.types.iter().enumerate() {
                self.push(if index > 0 { ", " } else { "" }).param(sql_type.kind());
            }
            self.push(")");
        }
        self.push(")")
    }

    fn joins(&mut self, select: &SelectCore) -> Result<()> {
        // An association table is named only here, so a second way through it can be given a name.
        let origins = select.from.iter().chain(select.joins.iter().map(|join| &join.to));
        let mut taken: Vec<String> = origins.map(|origin| origin.name().to_owned()).collect();
        select.joins.iter().try_for_each(|join| self.join(join, &mut taken))
    }

    fn join(&mut self, join: &Join, taken: &mut Vec<String>) -> Result<()> {
        let word = match join.kind {
            JoinKind::Inner => " JOIN ",
            JoinKind::Left => " LEFT JOIN ",
            JoinKind::Right => " RIGHT JOIN ",
            JoinKind::Full => " FULL JOIN ",
        };
        match (&join.on, &join.to) {
            (On::Relation { from, relation }, Origin::Table(to)) => self.along(word, from, *relation, to, taken)?,
            (On::Loaded { from, relation, filter }, Origin::Table(to)) => {
                self.along(word, from, *relation, to, taken)?;
                for condition in filter {
                    self.push(" AND ");
                    if matches!(condition, Node::Or(_)) {
                        self.push("(").node(condition).push(")");
                    } else {
                        self.node(condition);
                    }
                }
            }
            // Relationships lead to tables.
            (On::Relation { .. } | On::Loaded { .. }, Origin::Derived(_)) => {}
            (On::Condition(condition), to) => {
                self.push(word).origin(to)?;
                self.push(" ON ").node(condition);
            }
            (On::Lateral, to) => {
                if self.dialect == Dialect::Sqlite {
                    self.refuse("a lateral join", "select the values by `.scalar()`, one by one");
                }
                self.push(word).push("LATERAL ").origin(to)?;
                self.push(" ON true");
            }
            (On::Nothing, to) => {
                self.push(" CROSS JOIN ").origin(to)?;
            }
        }
        Ok(())
    }

    /// A join along a relationship.
    fn along(
        &mut self,
        word: &str,
        from: &Source,
        relation: usize,
        to: &Source,
        taken: &mut Vec<String>,
    ) -> Result<()> {
        match &from.model.mapping()?.relations[relation].path {
            Path::BelongsTo(keys) => {
                self.push(word).table(to);
                for (index, pair) in keys.iter().enumerate() {
                    self.push(if index == 0 { " ON " } else { " AND " });
                    let (there, here) = (to.model.columns[pair.to].name, from.model.columns[pair.key].name);
                    self.equal((to.name(), there), (from.name(), here));
                }
            }
            Path::HasMany(keys) | Path::HasOne(keys) => {
                self.push(word).table(to);
                for (index, pair) in keys.iter().enumerate() {
                    self.push(if index == 0 { " ON " } else { " AND " });
                    let (there, here) = (to.model.columns[pair.key].name, from.model.columns[pair.to].name);
                    self.equal((to.name(), there), (from.name(), here));
                }
            }
            Path::ManyToMany(link) => {
                let name = free_name(link.table, taken);
                self.push(word).table_in(link.schema, link.table);
                if name != link.table {
                    self.push(" AS ").ident(&name);
                }
                for (index, (column, key)) in link.local.iter().enumerate() {
                    self.push(if index == 0 { " ON " } else { " AND " });
                    self.equal((&name, column), (from.name(), from.model.columns[*key].name));
                }
                self.push(word).table(to);
                for (index, (column, key)) in link.remote.iter().enumerate() {
                    self.push(if index == 0 { " ON " } else { " AND " });
                    self.equal((to.name(), to.model.columns[*key].name), (&name, column));
                }
                taken.push(name);
            }
        }
        Ok(())
    }

    /// `a.x = b.y`
    fn equal(&mut self, left: (&str, &str), right: (&str, &str)) -> &mut Self {
        self.qualified(left.0, left.1).push(" = ").qualified(right.0, right.1)
    }
}

/// A name that no table of the query has: the table's own, or `post_tags_2`.
fn free_name(table: &str, taken: &[String]) -> String {
    let mut name = table.to_owned();
    let mut number = 2;
    while taken.contains(&name) {
        name = format!("{table}_{number}");
        number += 1;
    }
    name
}
