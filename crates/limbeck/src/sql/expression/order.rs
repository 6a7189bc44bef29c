//! The order of rows.

use super::core::Expression;
use crate::sql::node::Node;

/// One term of an ORDER BY.
#[derive(Clone, Debug)]
pub struct Order {
    pub(crate) node: Node,
    pub(crate) descending: bool,
    pub(crate) nulls: Option<Nulls>,
}

/// Where NULLs stand.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Nulls {
    First = 1,
    Last,
}

impl Order {
    /// `NULLS FIRST`
    pub fn nulls_first(mut self) -> Self {
        self.nulls = Some(Nulls::First);
        self
    }

    /// `NULLS LAST`
    pub fn nulls_last(mut self) -> Self {
        self.nulls = Some(Nulls::Last);
        self
    }

    /// What stands after the expression.
    pub(crate) fn suffix(&self) -> &'static str {
        match (self.descending, self.nulls) {
            (false, None) => "",
            (true, None) => " DESC",
            (false, Some(Nulls::First)) => " NULLS FIRST",
            (false, Some(Nulls::Last)) => " NULLS LAST",
            (true, Some(Nulls::First)) => " DESC NULLS FIRST",
            (true, Some(Nulls::Last)) => " DESC NULLS LAST",
        }
    }

    /// All that its text depends on but the expression, in one byte of a shape.
    pub(crate) fn mark(&self) -> u8 {
        u8::from(self.descending) | self.nulls.map_or(0, |nulls| (nulls as u8) << 1)
    }
}

/// What `order_by` takes: a column or expression (ascending), `.desc()` of one, or a tuple of these.
#[diagnostic::on_unimplemented(
    message = "cannot order by `{Self}`",
    label = "expected a column, an expression, or `.asc()`/`.desc()` of one"
)]
pub trait IntoOrder {
    /// The terms, in order.
    fn into_order(self, terms: &mut Vec<Order>);
}

#[diagnostic::do_not_recommend]
impl<E: Expression> IntoOrder for E {
    fn into_order(self, terms: &mut Vec<Order>) {
        terms.push(self.asc());
    }
}

#[diagnostic::do_not_recommend]
impl IntoOrder for Order {
    fn into_order(self, terms: &mut Vec<Order>) {
        terms.push(self);
    }
}

macro_rules! order_tuple {
    ($($name:ident $index:tt),+) => {
        #[diagnostic::do_not_recommend]
        impl<$($name: IntoOrder),+> IntoOrder for ($($name,)+) {
            fn into_order(self, terms: &mut Vec<Order>) {
                $(self.$index.into_order(terms);)+
            }
        }
    };
}

order_tuple!(A 0, B 1);
order_tuple!(A 0, B 1, C 2);
order_tuple!(A 0, B 1, C 2, D 3);
order_tuple!(A 0, B 1, C 2, D 3, E 4);
order_tuple!(A 0, B 1, C 2, D 3, E 4, F 5);
