//! Joins: along relationships, and on conditions.

use super::expression::Condition;
use super::fetch::Fetch;
use super::node::{Node, Source};
use super::select::Select;
use super::subquery::{FromClause, Origin, Subquery};
use crate::model::{Model, Related, TableOf, ToMany, ToOne};

/// A join.
#[derive(Clone, Debug)]
pub(crate) struct Join {
    pub(crate) kind: JoinKind,
    /// What it adds.
    pub(crate) to: Origin,
    pub(crate) on: On,
}

/// Which rows a join keeps that have no partner.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u8)]
pub(crate) enum JoinKind {
    /// None.
    Inner = 1,
    /// Those of what was there before.
    Left,
    /// Those of what it adds.
    Right,
    /// Both.
    Full,
}

/// What makes two rows partners.
#[derive(Clone, Debug)]
pub(crate) enum On {
    /// A relationship of a model.
    Relation {
        /// Where it starts.
        from: Source,
        /// Which of the model's relationships it follows.
        relation: usize,
    },
    /// A relationship that is loaded along.
    Loaded {
        /// Where it starts.
        from: Source,
        /// Which of the model's relationships it follows.
        relation: usize,
        /// Which rows of the target are loaded.
        filter: Vec<Node>,
    },
    /// A condition.
    Condition(Node),
    /// Every row with every row of a subquery, which may name columns of what was there before.
    Lateral,
    /// Every row with every row.
    Nothing,
}

/// What `join` takes: a relationship, as in `.join(Post.author)`, perhaps to an alias, as in
/// `.join(Employee.boss.to(boss))`.
#[diagnostic::on_unimplemented(
    message = "`{Self}` is not a relationship",
    label = "expected a relationship, such as `User.posts`; `join_on` takes a table and a condition"
)]
pub trait JoinPath {
    /// The join.
    #[doc(hidden)]
    fn into_path(self) -> (Source, usize, Source);
}

#[diagnostic::do_not_recommend]
impl<R: Related> JoinPath for R {
    fn into_path(self) -> (Source, usize, Source) {
        let from = Source { model: R::Owner::def(), alias: self.alias() };
        (from, self.index(), Source { model: R::Target::def(), alias: None })
    }
}

/// A relationship that leads to an alias of its target: `Employee.boss.to(boss)`.
#[derive(Clone, Copy, Debug)]
pub struct RelatedTo<R> {
    relation: R,
    alias: Option<&'static str>,
}

#[diagnostic::do_not_recommend]
impl<R: Related> JoinPath for RelatedTo<R> {
    fn into_path(self) -> (Source, usize, Source) {
        let (from, relation, to) = self.relation.into_path();
        (from, relation, Source { alias: self.alias, ..to })
    }
}

macro_rules! to {
    ($name:ident) => {
        impl<M: Model, T: Model> $name<M, T> {
            /// The relationship to its target under another name: `.join(Employee.boss.to(boss))`.
            pub fn to<S: TableOf<Model = T>>(self, table: S) -> RelatedTo<Self> {
                RelatedTo { relation: self, alias: table.alias() }
            }
        }
    };
}

to!(ToOne);
to!(ToMany);

impl<T: Fetch> Select<T> {
    /// Joins the table at the other end of a relationship (an inner join): `.join(Post.author)`.
    ///
    /// A row that has several partners, as along a to-many, comes once for each. A table can be in a query once;
    /// for a second time it needs another name:
    ///
    /// ```
    /// # use limbeck::prelude::*;
    /// # #[derive(Model)]
    /// # struct Employee {
    /// #     #[column(primary_key)] id: i64,
    /// #     name: String,
    /// #     #[column(foreign_key(Employee.id))] boss_id: Option<i64>,
    /// #     #[relationship(back_populates = reports)] boss: BelongsTo<Option<Employee>>,
    /// #     #[relationship(back_populates = boss)] reports: HasMany<Employee>,
    /// # }
    /// let boss = Employee.alias("boss");
    /// let of_ada = select(Employee).join(Employee.boss.to(boss)).filter(boss.name.eq("Ada"));
    /// ```
    pub fn join<P: JoinPath>(self, path: P) -> Self {
        self.along(JoinKind::Inner, path)
    }

    /// Joins along a relationship, and keeps the rows that have no partner (a left outer join). What is selected of
    /// the joined table is [`optional`](super::Expression::optional):
    ///
    /// ```
    /// # use limbeck::prelude::*;
    /// # #[derive(Model)]
    /// # struct User {
    /// #     #[column(primary_key)] id: i64,
    /// #     #[relationship(back_populates = author)] posts: HasMany<Post>,
    /// # }
    /// # #[derive(Model)]
    /// # struct Post {
    /// #     #[column(primary_key)] id: i64,
    /// #     title: String,
    /// #     #[column(foreign_key(User.id))] author_id: i64,
    /// #     #[relationship(back_populates = posts)] author: BelongsTo<User>,
    /// # }
    /// // Rows of (User, Option<Post>).
    /// let all = select((User, Post.optional())).left_join(User.posts);
    /// ```
    pub fn left_join<P: JoinPath>(self, path: P) -> Self {
        self.along(JoinKind::Left, path)
    }

    /// Joins along a relationship, and keeps the rows of the joined table that have no partner.
    pub fn right_join<P: JoinPath>(self, path: P) -> Self {
        self.along(JoinKind::Right, path)
    }

    /// Joins along a relationship, and keeps the rows of both sides that have no partner.
    pub fn full_join<P: JoinPath>(self, path: P) -> Self {
        self.along(JoinKind::Full, path)
    }

    /// Joins a table or a subquery on a condition (an inner join):
    /// `.join_on(User, User.email.eq(Invitation.email))`.
    pub fn join_on<F: FromClause, E: Condition>(self, table: F, condition: E) -> Self {
        self.on(JoinKind::Inner, table.into_origin(), On::Condition(condition.into_node()))
    }

    /// Joins on a condition, and keeps the rows that have no partner.
    pub fn left_join_on<F: FromClause, E: Condition>(self, table: F, condition: E) -> Self {
        self.on(JoinKind::Left, table.into_origin(), On::Condition(condition.into_node()))
    }

    /// Joins on a condition, and keeps the rows of the joined table that have no partner.
    pub fn right_join_on<F: FromClause, E: Condition>(self, table: F, condition: E) -> Self {
        self.on(JoinKind::Right, table.into_origin(), On::Condition(condition.into_node()))
    }

    /// Joins on a condition, and keeps the rows of both sides that have no partner.
    ///
    /// PostgreSQL takes only conditions of equality here.
    pub fn full_join_on<F: FromClause, E: Condition>(self, table: F, condition: E) -> Self {
        self.on(JoinKind::Full, table.into_origin(), On::Condition(condition.into_node()))
    }

    /// Joins every row with every row.
    pub fn cross_join<F: FromClause>(self, table: F) -> Self {
        self.on(JoinKind::Inner, table.into_origin(), On::Nothing)
    }

    /// Joins a subquery that may name columns of the tables before it, and so is run for each of their rows.
    ///
    /// On PostgreSQL. SQLite has none: to run the query there is an error.
    pub fn join_lateral<R>(self, query: &Subquery<R>) -> Self {
        self.on(JoinKind::Inner, query.into_origin(), On::Lateral)
    }

    /// As [`join_lateral`](Self::join_lateral), and keeps the rows for which the subquery has none.
    pub fn left_join_lateral<R>(self, query: &Subquery<R>) -> Self {
        self.on(JoinKind::Left, query.into_origin(), On::Lateral)
    }

    fn along<P: JoinPath>(self, kind: JoinKind, path: P) -> Self {
        let (from, relation, to) = path.into_path();
        self.on(kind, Origin::Table(to), On::Relation { from, relation })
    }

    fn on(mut self, kind: JoinKind, to: Origin, on: On) -> Self {
        self.core.joins.push(Join { kind, to, on });
        self
    }
}
