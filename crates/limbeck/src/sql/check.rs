//! Whether a query names only tables that are in it, and each of them once.
//!
//! A forgotten join would be a cross product on some databases and a riddle of an error on others.

use std::collections::VecDeque;

use super::node::{Node, Source};
use super::select::{Projection, SelectCore};
use crate::error::{Error, Result};
use crate::model::ModelDef;

/// Checks the tables of a query.
pub(super) fn tables(select: &SelectCore) -> Result<()> {
    let Some(from) = select.from else {
        return Err(Error::Statement("the query names no table: say which, as in `select(count()).from(User)`".into()));
    };
    let mut known = vec![from];
    for join in &select.joins {
        if !known.iter().any(|source| source.same(&join.from)) {
            let relation = join.from.model.relations[join.relation].label;
            return Err(missing(&join.from, &format!("`.join({relation})`"), &known));
        }
        if known.iter().any(|source| source.name() == join.to.name()) {
            return Err(twice(&join.to));
        }
        known.push(join.to);
    }
    let check = |node: &Node| {
        let mut outcome = Ok(());
        node.columns(&mut |column| {
            if outcome.is_ok() && !known.iter().any(|source| source.same(&column.source())) {
                let field = column.model.columns[usize::from(column.index)].field;
                let what = format!("`{}.{field}`", column.alias.unwrap_or(column.model.name));
                outcome = Err(missing(&column.source(), &what, &known));
            }
        });
        outcome
    };
    for item in &select.projection {
        match item {
            Projection::Node(node) => check(node)?,
            Projection::Model(source) if !known.iter().any(|other| other.same(source)) => {
                return Err(missing(source, &format!("`{}`", source.alias.unwrap_or(source.model.name)), &known));
            }
            Projection::Model(_) => {}
        }
    }
    super::undefer::check(select)?;
    select.filter.iter().try_for_each(check)?;
    select.order_by.iter().try_for_each(|order| check(&order.node))
}

#[cold]
fn missing(source: &Source, what: &str, known: &[Source]) -> Error {
    let table = source.model.table;
    let Some(alias) = source.alias else {
        let cure = route(known, source.model).map(|joins| format!(": add `{joins}`")).unwrap_or_default();
        return Error::Statement(format!("{what} is used, but the table `{table}` is not in the query{cure}"));
    };
    Error::Statement(format!(
        "{what} is used, but `{table}` under the name `{alias}` is not in the query: begin it with `.from({alias})`"
    ))
}

#[cold]
fn twice(source: &Source) -> Error {
    let (model, table) = (source.model.name, source.model.table);
    Error::Statement(format!(
        "the table `{table}` is in the query twice: begin the query with another name for it, as in `let other = \
         {model}.alias(\"other\")` and `.from(other).join(other.…)`"
    ))
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
