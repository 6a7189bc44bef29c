//! Whether a query names only tables that are in it, and each of them once.
//!
//! A forgotten join would be a cross product on some databases and a riddle of an error on others. A query inside
//! another one may name the tables of that one too; so the check walks down with the tables of all queries around.

use std::collections::VecDeque;

use super::compound::Compound;
use super::expression::Form;
use super::join::{Join, JoinKind, On};
use super::node::{ColumnRef, DerivedColumn, InnerQuery, Node, Source};
use super::op::Level;
use super::select::{Distinct, Projection, SelectCore};
use super::subquery::{Body, Derived, Origin};
use crate::error::{Error, Result};
use crate::model::ModelDef;

/// Checks the tables of a query. `ctes` are those that its WITH has.
pub(super) fn tables(select: &SelectCore, ctes: &[&Derived]) -> Result<()> {
    let checker = Checker::new(ctes)?;
    checker.ctes()?;
    checker.select(select, None)
}

/// The check of one statement.
pub(super) struct Checker<'c> {
    ctes: &'c [&'c Derived],
}

/// The tables that an expression may name: of its query, and of the queries around.
pub(super) struct Scope<'s> {
    pub(super) known: Vec<Known>,
    pub(super) around: Option<&'s Scope<'s>>,
}

/// One table of a query.
pub(super) struct Known {
    origin: Origin,
    /// A row may be without it.
    optional: bool,
}

impl Known {
    pub(super) fn new(origin: Origin) -> Self {
        Known { origin, optional: false }
    }

    /// Whether it has the columns of that model, under that name.
    fn is(&self, source: &Source) -> bool {
        match &self.origin {
            Origin::Table(table) => table.same(source),
            Origin::Derived(derived) => {
                source.subquery() == Some(derived.name)
                    && derived.models.iter().any(|model| std::ptr::eq(*model, source.model))
            }
        }
    }

    fn is_derived(&self, id: u64) -> bool {
        matches!(&self.origin, Origin::Derived(derived) if derived.id == id)
    }
}

impl<'s> Scope<'s> {
    fn find(&self, is: &dyn Fn(&Known) -> bool) -> Option<&Known> {
        let here = self.known.iter().find(|known| is(known));
        here.or_else(|| self.around.and_then(|around| around.find(is)))
    }

    /// The tables of models, innermost first.
    fn sources(&self) -> Vec<Source> {
        let mut sources = self.around.map(Scope::sources).unwrap_or_default();
        let here = self.known.iter().filter_map(|known| match &known.origin {
            Origin::Table(source) => Some(*source),
            Origin::Derived(_) => None,
        });
        sources.splice(0..0, here);
        sources
    }
}

impl<'c> Checker<'c> {
    pub(super) fn new(ctes: &'c [&'c Derived]) -> Result<Self> {
        for (index, cte) in ctes.iter().enumerate() {
            if ctes[..index].iter().any(|other| other.name == cte.name) {
                return Err(Error::Statement(format!(
                    "two CTEs of the statement are called `{}`: give one of them another name",
                    cte.name
                )));
            }
        }
        Ok(Checker { ctes })
    }

    /// The queries in WITH, which see no tables but their own.
    pub(super) fn ctes(&self) -> Result<()> {
        self.ctes.iter().try_for_each(|cte| match &cte.body {
            Body::Cte(core) => self.select(core, None),
            Body::Recursive(recursion) => {
                self.select(&recursion.base, None)?;
                self.select(&recursion.step, None)
            }
            _ => Ok(()),
        })
    }

    pub(super) fn select(&self, select: &SelectCore, around: Option<&Scope<'_>>) -> Result<()> {
        let more = select.more();
        if let Some(compound) = &more.compound {
            return self.compound(select, compound, around);
        }
        let mut scope = Scope { known: Vec::new(), around };
        match &select.from {
            Some(from) => self.origin(from, &mut scope, false)?,
            None => {
                if select.is_whole() || !select.joins.is_empty() || !select.filter.is_empty() {
                    let say = "the query names no table: say which, as in `select(count()).from(User)`";
                    return Err(Error::Statement(say.into()));
                }
            }
        }
        for join in &select.joins {
            self.join(join, &mut scope)?;
        }
        for item in &select.projection {
            self.projection(item, &scope)?;
        }
        super::undefer::check(select)?;
        self.nodes(&select.filter, &scope)?;
        rows_only(&select.filter, &scope)?;
        locked(select)?;
        if let Distinct::On(nodes) = &more.distinct {
            self.nodes(nodes, &scope)?;
        }
        self.nodes(&more.group_by, &scope)?;
        self.nodes(&more.having, &scope)?;
        for source in more.lock.iter().flat_map(|lock| &lock.of) {
            self.source(source, &|| format!("`.lock_of({})`", source.label()), &scope)?;
        }
        select.order_by.iter().try_for_each(|order| self.node(&order.node, &scope))
    }

    fn compound(&self, select: &SelectCore, compound: &Compound, around: Option<&Scope<'_>>) -> Result<()> {
        let more = select.more();
        let changed = [
            (select.from.is_some(), "from"),
            (!select.joins.is_empty(), "join"),
            (!select.filter.is_empty(), "filter"),
            (!matches!(more.distinct, Distinct::No), "distinct"),
            (!more.group_by.is_empty(), "group_by"),
            (!more.having.is_empty(), "having"),
            (more.lock.is_some(), "with_for_update"),
            (!more.undefer.is_empty(), "undefer"),
        ];
        if let Some((_, what)) = changed.iter().find(|(is, _)| *is) {
            return Err(Error::Statement(format!(
                "`.{what}(…)` cannot follow `.{}(…)`: call it on the queries that are put together, or make them a \
                 `.subquery(\"name\")` and select from that",
                compound.op.method()
            )));
        }
        if select.order_by.iter().any(|order| select.position(&order.node).is_none()) {
            return Err(Error::Statement(format!(
                "after `.{}(…)` rows can be ordered by what the first query selects, and by nothing else: select it too",
                compound.op.method()
            )));
        }
        super::undefer::check_side(&compound.sides.0)?;
        super::undefer::check_side(&compound.sides.1)?;
        self.select(&compound.sides.0, around)?;
        self.select(&compound.sides.1, around)
    }

    /// Adds what stands in FROM.
    pub(super) fn origin(&self, origin: &Origin, scope: &mut Scope<'_>, lateral: bool) -> Result<()> {
        if let Origin::Table(source) = origin {
            if let Some(name) = source.subquery() {
                return Err(Error::Statement(format!(
                    "columns of the subquery `{name}` are used, but it is not in the query: add `.from(&{name})` or \
                     `.join_on(&{name}, …)`"
                )));
            }
            if self.ctes.iter().any(|cte| cte.name == source.model.table) {
                return Err(Error::Statement(format!(
                    "the CTE `{0}` is called as the table `{0}`, which the statement uses too: give it another name",
                    source.model.table
                )));
            }
        }
        if scope.known.iter().any(|known| known.origin.name() == origin.name()) {
            return Err(twice(origin));
        }
        if let Origin::Derived(derived) = origin {
            if let Some(refusal) = &derived.refusal {
                return Err(Error::Statement(refusal.clone()));
            }
            if let Body::Query(core) = &derived.body {
                self.select(core, if lateral { Some(&*scope) } else { scope.around })?;
            }
        }
        scope.known.push(Known::new(origin.clone()));
        Ok(())
    }

    fn join(&self, join: &Join, scope: &mut Scope<'_>) -> Result<()> {
        if let On::Relation { from, relation } | On::Loaded { from, relation, .. } = &join.on {
            let label = || {
                let relation = &from.model.relations[*relation];
                format!("`.join({}.{})`", from.label(), relation.field)
            };
            self.source(from, &label, scope)?;
        }
        self.origin(&join.to, scope, matches!(join.on, On::Lateral))?;
        if let On::Loaded { filter, .. } = &join.on {
            self.nodes(filter, scope)?;
            rows_only(filter, scope)?;
        }
        if let On::Condition(condition) = &join.on {
            self.node(condition, scope)?;
            if let Some(aggregate) = of_many_rows(condition, scope) {
                return Err(misplaced(aggregate, "a join's condition"));
            }
        }
        let last = scope.known.len() - 1;
        if matches!(join.kind, JoinKind::Right | JoinKind::Full) {
            scope.known[..last].iter_mut().for_each(|known| known.optional = true);
        }
        scope.known[last].optional = matches!(join.kind, JoinKind::Left | JoinKind::Full);
        Ok(())
    }

    pub(super) fn projection(&self, item: &Projection, scope: &Scope<'_>) -> Result<()> {
        match item {
            Projection::Model { source, optional } => {
                let known = self.source(source, &|| format!("`{}`", source.label()), scope)?;
                if known.optional && !optional { Err(absent(source.label(), source.name())) } else { Ok(()) }
            }
            Projection::Node { node, nullable } => {
                self.node(node, scope)?;
                match if *nullable { None } else { nulls(node, scope) } {
                    Some((column, table)) => Err(absent(&column, table)),
                    None => Ok(()),
                }
            }
        }
    }

    pub(super) fn nodes(&self, nodes: &[Node], scope: &Scope<'_>) -> Result<()> {
        nodes.iter().try_for_each(|node| self.node(node, scope))
    }

    /// Checks an expression that a column of one row is set to.
    pub(super) fn row_value(&self, node: &Node, scope: &Scope<'_>) -> Result<()> {
        self.node(node, scope)?;
        match of_many_rows(node, scope) {
            Some(form) => Err(misplaced_value(form)),
            None => Ok(()),
        }
    }

    /// Checks the tables of an expression, and the queries in it.
    pub(super) fn node(&self, node: &Node, scope: &Scope<'_>) -> Result<()> {
        let mut outcome = Ok(());
        node.walk(&mut |node| {
            if outcome.is_ok() {
                outcome = match node {
                    Node::Column(column) => self.source(&column.source(), &|| name(column), scope).map(|_| ()),
                    Node::Derived(column) => derived(column, scope),
                    Node::Scalar(InnerQuery(core)) | Node::Exists(InnerQuery(core)) => self.select(core, Some(scope)),
                    Node::InQuery { query, .. } => self.select(&query.0, Some(scope)),
                    _ => Ok(()),
                };
            }
        });
        outcome
    }

    fn source<'s>(&self, source: &Source, what: &dyn Fn() -> String, scope: &'s Scope<'s>) -> Result<&'s Known> {
        scope.find(&|known| known.is(source)).ok_or_else(|| missing(source, &what(), scope))
    }
}

/// Refuses a filter over what is made of many rows: it looks at the rows one by one.
pub(super) fn rows_only(filter: &[Node], scope: &Scope<'_>) -> Result<()> {
    match filter.iter().find_map(|node| of_many_rows(node, scope)) {
        Some(form) => Err(misplaced(form, "`filter`")),
        None => Ok(()),
    }
}

/// The aggregate or window function of this query in an expression. An aggregate over columns of a query around, and
/// of no others, is of that query.
fn of_many_rows<'n>(node: &'n Node, scope: &Scope<'_>) -> Option<&'n Form> {
    let mut found = None;
    node.walk(&mut |node| {
        if let Node::Form(form) = node
            && (form.is_window() || (form.is_aggregate() && !is_around(node, scope)))
        {
            found.get_or_insert(&**form);
        }
    });
    found
}

/// Whether an expression has columns, and all of them are of queries around.
fn is_around(node: &Node, scope: &Scope<'_>) -> bool {
    let (mut any, mut all) = (false, true);
    node.walk(&mut |node| {
        let is_here: bool = match node {
            Node::Column(column) => scope.known.iter().any(|known| known.is(&column.source())),
            Node::Derived(column) => scope.known.iter().any(|known| known.is_derived(column.of.id)),
            _ => return,
        };
        any = true;
        all &= !is_here;
    });
    any && all
}

#[cold]
fn misplaced(form: &Form, place: &str) -> Error {
    Error::Statement(if form.is_window() {
        format!(
            "a window function cannot be used in {place}: select it in a `.subquery(\"name\")`, and filter the query \
             that reads that"
        )
    } else {
        format!("an aggregate cannot be used in {place}, which is for single rows: use `having`, which is for groups")
    })
}

#[cold]
fn misplaced_value(form: &Form) -> Error {
    let what = if form.is_window() { "a window function" } else { "an aggregate" };
    Error::Statement(format!(
        "{what} cannot be set, since it is made of many rows and a column is set row by row: compute it by a query of its \
         own, as in `.set(column, select(…).scalar())`"
    ))
}

/// Refuses a lock on rows that are none of a table's. SQLite, which has no such clause, refuses it too: what is
/// written for one database runs on the other.
fn locked(select: &SelectCore) -> Result<()> {
    let more = select.more();
    if more.lock.is_none() {
        return Ok(());
    }
    let selected = |is: &dyn Fn(&Form) -> bool| {
        let mut found = false;
        for item in &select.projection {
            if let Projection::Node { node, .. } = item {
                node.walk(&mut |node| found |= matches!(node, Node::Form(form) if is(form)));
            }
        }
        found
    };
    let what = [
        (!more.group_by.is_empty(), "`.group_by(…)`"),
        (!more.having.is_empty(), "`.having(…)`"),
        (!matches!(more.distinct, Distinct::No), "`.distinct()`"),
        (selected(&Form::is_aggregate), "an aggregate"),
        (selected(&Form::is_window), "a window function"),
    ];
    match what.iter().find(|(is, _)| *is) {
        Some((_, what)) => Err(Error::Statement(format!(
            "a query with {what} cannot lock rows, since its rows are made of others: lock those of the table by a query \
             of its own, or filter by one, as in `.filter(Post.id.in_(…))`"
        ))),
        None => Ok(()),
    }
}

fn derived(column: &DerivedColumn, scope: &Scope<'_>) -> Result<()> {
    if scope.find(&|known| known.is_derived(column.of.id)).is_some() {
        return Ok(());
    }
    Err(Error::Statement(format!(
        "a column of the subquery `{0}` is used, but it is not in the query: add `.join_on(&{0}, …)`",
        column.of.name
    )))
}

/// The column that makes an expression NULL in rows that are without its table, where it is known to do so.
fn nulls(node: &Node, scope: &Scope<'_>) -> Option<(String, &'static str)> {
    let either = |nodes: &[Node]| nodes.iter().find_map(|node| nulls(node, scope));
    match node {
        Node::Column(column) => {
            let source = column.source();
            let known = scope.find(&|known| known.is(&source))?;
            known.optional.then(|| (name(column).trim_matches('`').to_owned(), source.name()))
        }
        Node::Derived(column) => {
            let known = scope.find(&|known| known.is_derived(column.of.id))?;
            let name = &column.of.columns.get(column.index)?.name;
            known.optional.then(|| (format!("{}.{name}", column.of.name), column.of.name))
        }
        Node::Binary(_, sides) => nulls(&sides.0, scope).or_else(|| nulls(&sides.1, scope)),
        Node::Not(inner) => nulls(inner, scope),
        Node::InValues { item, .. } => nulls(item, scope),
        // Arithmetic. A function may have its own mind about NULL, as `coalesce` has.
        Node::Op(op, operands) if matches!(op.level, Level::Add | Level::Multiply | Level::Unary) => either(operands),
        _ => None,
    }
}

/// `` `User.name` ``
fn name(column: &ColumnRef) -> String {
    let field = column.model.columns[usize::from(column.index)].field;
    format!("`{}.{field}`", column.source().label())
}

#[cold]
fn absent(what: &str, table: &str) -> Error {
    Error::Statement(format!(
        "`{what}` is selected, but the outer join leaves rows without `{table}`: select `{what}.optional()`, which is \
         `None` there"
    ))
}

#[cold]
fn missing(source: &Source, what: &str, scope: &Scope<'_>) -> Error {
    let table = source.model.table;
    if let Some(name) = source.subquery() {
        return Error::Statement(format!(
            "{what} is used, but the subquery `{name}` is not in the query: add `.join_on(&{name}, …)`"
        ));
    }
    let Some(alias) = source.alias else {
        let cure = route(&scope.sources(), source.model).map(|joins| format!(": add `{joins}`")).unwrap_or_default();
        return Error::Statement(format!("{what} is used, but the table `{table}` is not in the query{cure}"));
    };
    Error::Statement(format!(
        "{what} is used, but `{table}` under the name `{alias}` is not in the query: begin it with `.from({alias})`, \
         or join it, as in `.join(….to({alias}))`"
    ))
}

#[cold]
fn twice(origin: &Origin) -> Error {
    match origin {
        Origin::Table(source) => {
            let (model, table) = (source.model.name, source.model.table);
            Error::Statement(format!(
                "the table `{table}` is in the query twice: give it another name, as in `let other = \
                 {model}.alias(\"other\")` and `.join(….to(other))`"
            ))
        }
        Origin::Derived(derived) => Error::Statement(format!(
            "`{0}` is in the query twice: give it another name, as in `{0}.alias(\"other\")`",
            derived.name
        )),
    }
}

/// The shortest joins that lead from the tables of a query to another: `.join(User.posts).join(Post.tags)`.
fn route(known: &[Source], wanted: &'static ModelDef) -> Option<String> {
    let mut seen: Vec<*const ModelDef> = known.iter().map(|source| std::ptr::from_ref(source.model)).collect();
    let mut ways: VecDeque<(&'static ModelDef, String)> = VecDeque::new();
    let mut next: VecDeque<(&'static ModelDef, Option<&'static str>, String)> =
        known.iter().map(|source| (source.model, source.alias, String::new())).collect();
    loop {
        while let Some((model, alias, way)) = next.pop_front() {
            for relation in model.relations {
                let target = (relation.target)();
                let way = format!("{way}.join({}.{})", alias.unwrap_or(model.name), relation.field);
                if std::ptr::eq(target, wanted) {
                    return Some(way);
                }
                if !seen.contains(&std::ptr::from_ref(target)) {
                    seen.push(target);
                    ways.push_back((target, way));
                }
            }
        }
        next.extend(ways.drain(..).map(|(model, way)| (model, None, way)));
        if next.is_empty() {
            return None;
        }
    }
}
