//! `UNION`, `INTERSECT`, `EXCEPT`: the rows of two queries in one.

use super::fetch::Fetch;
use super::select::{Select, SelectCore};

/// Two queries, and how their rows are put together.
#[derive(Clone, Debug)]
pub(crate) struct Compound {
    pub(crate) op: SetOp,
    pub(crate) sides: Box<(SelectCore, SelectCore)>,
}

/// How the rows of two queries are put together.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u8)]
pub(crate) enum SetOp {
    Union = 1,
    UnionAll,
    Intersect,
    Except,
}

impl SetOp {
    /// What it is called here.
    pub(crate) fn method(self) -> &'static str {
        match self {
            SetOp::Union => "union",
            SetOp::UnionAll => "union_all",
            SetOp::Intersect => "intersect",
            SetOp::Except => "except",
        }
    }

    pub(crate) fn sql(self) -> &'static str {
        match self {
            SetOp::Union => " UNION ",
            SetOp::UnionAll => " UNION ALL ",
            SetOp::Intersect => " INTERSECT ",
            SetOp::Except => " EXCEPT ",
        }
    }
}

impl<T: Fetch> Select<T> {
    /// The rows of both queries, each once. The result can be ordered by what the first one selects, and limited; to
    /// filter or join it, make it a [`subquery`](Select::subquery).
    ///
    /// ```
    /// # use limbeck::prelude::*;
    /// # #[derive(Model)]
    /// # struct User { #[column(primary_key)] id: i64, email: String }
    /// # #[derive(Model)]
    /// # struct Invitation { #[column(primary_key)] id: i64, email: String }
    /// let known = select(User.email).union(select(Invitation.email)).order_by(User.email);
    /// ```
    pub fn union(self, other: Select<T>) -> Select<T> {
        self.compound(SetOp::Union, other)
    }

    /// The rows of both queries, equal ones as often as there are such. See [`union`](Self::union).
    pub fn union_all(self, other: Select<T>) -> Select<T> {
        self.compound(SetOp::UnionAll, other)
    }

    /// The rows that both queries have, each once. See [`union`](Self::union).
    pub fn intersect(self, other: Select<T>) -> Select<T> {
        self.compound(SetOp::Intersect, other)
    }

    /// The rows that the other query has not, each once. See [`union`](Self::union).
    pub fn except(self, other: Select<T>) -> Select<T> {
        self.compound(SetOp::Except, other)
    }

    fn compound(mut self, op: SetOp, other: Select<T>) -> Select<T> {
        // What is loaded along is loaded for the rows of the whole.
        let loads = std::mem::take(&mut self.core.loads);
        let projection = self.core.projection.clone();
        let mut core = SelectCore { projection, loads, ..SelectCore::default() };
        core.more_mut().compound = Some(Compound { op, sides: Box::new((self.core, other.core)) });
        Select::of(core)
    }
}
