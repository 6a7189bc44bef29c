//! Expressions over the rows at the other end of a to-many relationship: `User.posts.count()`.

use std::sync::Arc;

use super::expression::{Condition, Expr, Expression, count};
use super::join::{Join, JoinKind, On};
use super::node::{ColumnRef, InnerQuery, Node, Source};
use super::select::SelectCore;
use super::selection::Projection;
use super::subquery::Origin;
use crate::model::mapping::Path;
use crate::model::{Model, Related, ToMany};

impl<M: Model, T: Model> ToMany<M, T> {
    /// How many rows there are at the other end: a subquery that counts them, for each row.
    ///
    /// ```
    /// # use limbeck::prelude::*;
    /// # #[derive(Model)]
    /// # struct User {
    /// #     #[column(primary_key)] id: i64,
    /// #     username: String,
    /// #     #[relationship(back_populates = author)] posts: HasMany<Post>,
    /// # }
    /// # #[derive(Model)]
    /// # struct Post {
    /// #     #[column(primary_key)] id: i64,
    /// #     views: i64,
    /// #     #[column(foreign_key(User.id))] author_id: i64,
    /// #     #[relationship(back_populates = posts)] author: BelongsTo<User>,
    /// # }
    /// // SELECT users.username, (SELECT count(*) FROM posts WHERE posts.author_id = users.id) FROM users
    /// let active = select((User.username, User.posts.count()));
    /// ```
    pub fn count(self) -> Expr<i64> {
        let mut core = self.rows();
        core.projection = vec![Projection::Node { node: count().into_node(), nullable: false }];
        Expr::new(Node::Scalar(InnerQuery(Arc::new(core))))
    }

    /// Whether there is a row at the other end for which the condition holds: `User.posts.any(Post.views.gt(100))`.
    ///
    /// In a relationship of a table with itself, the condition is about the row at this end: give the other one a name
    /// in a subquery with [`exists`](super::exists).
    pub fn any<E: Condition>(self, condition: E) -> Expr<bool> {
        let mut core = self.rows();
        core.filter.push(condition.into_node());
        Expr::new(Node::Exists(InnerQuery(Arc::new(core))))
    }

    /// The rows at the other end.
    fn rows(self) -> SelectCore {
        let (relation, alias) = (self.index(), self.alias());
        let here = Source { model: M::def(), alias };
        // The other end has another name only where it would hide this one.
        let hides = std::ptr::eq(T::def(), M::def()) && alias.is_none();
        let there = Source { model: T::def(), alias: hides.then_some(M::def().relations[relation].field) };
        let column = |source: Source, index: usize| {
            Node::Column(ColumnRef { model: source.model, alias: source.alias, index: index as u16 })
        };
        let equal = |left: Node, right: Node| Node::Binary("=", Box::new((left, right)));
        let mut core = SelectCore {
            projection: vec![Projection::Model { source: there, optional: false }],
            ..SelectCore::default()
        };
        let path = M::def().mapping().map(|mapping| &mapping.relations[relation].path);
        if let Ok(Path::HasMany(keys) | Path::HasOne(keys)) = path {
            core.from = Some(Origin::Table(there));
            core.filter.extend(keys.iter().map(|pair| equal(column(there, pair.key), column(here, pair.to))));
            return core;
        }
        // An association table is no model's: this end's table leads through it, by another name. So does a model
        // that contradicts itself, which the join says when it is rendered.
        let owner = Source { model: M::def(), alias: Some("owner") };
        core.from = Some(Origin::Table(owner));
        let on = On::Relation { from: owner, relation };
        core.joins.push(Join { kind: JoinKind::Inner, to: Origin::Table(there), on });
        let key = M::def().primary_key.iter();
        core.filter.extend(key.map(|index| equal(column(owner, *index), column(here, *index))));
        core
    }
}
