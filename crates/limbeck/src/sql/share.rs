//! Values that share a placeholder.
//!
//! PostgreSQL takes two expressions for the same one when their texts are: `views % $1` in the select list is not
//! `views % $2` in GROUP BY, whatever is bound. So in a query that groups or compares its rows, and in an aggregate
//! of distinct values that has an order, equal values are one parameter. SQLite asks for no such thing.
//!
//! The shape and the text decide alike and in the same order; the shape says which value a placeholder is shared
//! with, so queries whose values are equal in other places have other shapes. Elsewhere each value has a placeholder of
//! its own, and a shape does not depend on values.

use super::expression::Call;
use super::select::{Distinct, SelectCore};
use crate::dialect::Dialect;
use crate::types::Value;

/// Whether equal values of this query are one parameter.
pub(super) fn in_query(select: &SelectCore, dialect: Dialect) -> bool {
    let more = select.more();
    dialect == Dialect::Postgres
        && select.has_more()
        && (!more.group_by.is_empty() || !matches!(more.distinct, Distinct::No))
}

/// Whether equal values of this call are one parameter.
pub(super) fn in_call(call: &Call, dialect: Dialect) -> bool {
    dialect == Dialect::Postgres && call.is_ordered_set()
}

/// Whether one can be sent in the other's place: nearly `==`, which takes 0.0 for -0.0 and 1.5 for 1.50.
pub(super) fn same(a: &Value<'_>, b: &Value<'_>) -> bool {
    match (a, b) {
        (Value::F32(a), Value::F32(b)) => a.to_bits() == b.to_bits(),
        (Value::F64(a), Value::F64(b)) => a.to_bits() == b.to_bits(),
        (Value::Decimal(a), Value::Decimal(b)) => a == b && a.to_string() == b.to_string(),
        (Value::Array(a), Value::Array(b)) => a.len() == b.len() && a.iter().zip(b).all(|(a, b)| same(a, b)),
        _ => a == b,
    }
}

/// Whether one list can be sent in the other's place.
pub(super) fn same_list(a: &[Value<'_>], b: &[Value<'_>]) -> bool {
    a.len() == b.len() && a.iter().zip(b).all(|(a, b)| same(a, b))
}

/// Where equal values share a placeholder: what was met so far, while that is so.
pub(super) struct Sharing<T>(Option<Vec<T>>);

impl<T> Sharing<T> {
    pub(super) const fn none() -> Self {
        Sharing(None)
    }

    /// From here on equal values share a placeholder, if `share` says so. Whether that is new.
    pub(super) fn begin(&mut self, share: bool) -> bool {
        let new = share && self.0.is_none();
        if new {
            self.0 = Some(Vec::new());
        }
        new
    }

    /// Ends what [`begin`](Self::begin) began.
    pub(super) fn end(&mut self, began: bool) {
        if began {
            self.0 = None;
        }
    }

    /// What was met, where values are shared.
    pub(super) fn met(&mut self) -> Option<&mut Vec<T>> {
        self.0.as_mut()
    }
}
