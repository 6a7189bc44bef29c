//! Common table expressions: subqueries that are written once, in WITH, and recursive ones.

use std::sync::Arc;

use super::fetch::Fetch;
use super::select::Select;
use super::subquery::{Body, Derived, Recursion, Subquery, next_id};

impl<T: Fetch> Select<T> {
    /// The query as rows for another one, written in WITH: once, however often they are used there.
    ///
    /// Which statement has the WITH, and in which order several stand there, follows from where they are used.
    ///
    /// ```
    /// # use limbeck::prelude::*;
    /// # #[derive(Model)]
    /// # struct Post { #[column(primary_key)] id: i64, title: String, author_id: i64 }
    /// let counts = select((Post.author_id, count())).group_by(Post.author_id).cte("counts");
    /// let (author, posts) = counts.columns();
    /// let most = select(posts.clone()).from(&counts).order_by(posts.clone().desc()).limit(1);
    /// let busiest = select(author).from(&counts).filter(posts.eq(most.scalar()));
    /// ```
    pub fn cte(self, name: &'static str) -> Subquery<T> {
        let core = Arc::new(self.core);
        Subquery::of(Derived::new(next_id(), name, &core, Body::Cte(Arc::clone(&core))))
    }
}

/// A recursive CTE: the rows of `base`, and those that `step` finds from rows that were found before, until there are
/// no more. `step` is given the rows to go on from. A row that is found twice is there twice (`UNION ALL`).
///
/// ```
/// # use limbeck::prelude::*;
/// # use limbeck::sql::recursive;
/// # #[derive(Model)]
/// # struct Node { #[column(primary_key)] id: i64, name: String, #[column(foreign_key(Node.id))] parent_id: Option<i64> }
/// let root = select(Node).filter(Node.parent_id.is_null());
/// let tree = recursive("tree", root, |tree| {
///     let parent = tree.columns();
///     select(Node).join_on(tree, parent.id.eq(Node.parent_id))
/// });
/// let names = select(tree.columns().name).from(&tree);
/// ```
pub fn recursive<T: Fetch>(
    name: &'static str,
    base: Select<T>,
    step: impl FnOnce(&Subquery<T>) -> Select<T>,
) -> Subquery<T> {
    build(name, base, step, false)
}

/// As [`recursive`], but a row that is found again is left out and not followed (`UNION`): for graphs with circles.
pub fn recursive_distinct<T: Fetch>(
    name: &'static str,
    base: Select<T>,
    step: impl FnOnce(&Subquery<T>) -> Select<T>,
) -> Subquery<T> {
    build(name, base, step, true)
}

fn build<T: Fetch>(
    name: &'static str,
    base: Select<T>,
    step: impl FnOnce(&Subquery<T>) -> Select<T>,
    distinct: bool,
) -> Subquery<T> {
    let id = next_id();
    let base = base.core;
    let step = step(&Subquery::of(Derived::new(id, name, &base, Body::Itself))).core;
    let recursion = Arc::new(Recursion { base, step, distinct });
    Subquery::of(Derived::new(id, name, &recursion.base, Body::Recursive(Arc::clone(&recursion))))
}
