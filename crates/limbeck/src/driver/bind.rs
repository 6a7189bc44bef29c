//! Parameters.

use crate::types::Value;

/// What is bound to one placeholder.
#[derive(Clone, Debug)]
pub(crate) enum Bind<'a> {
    /// One value.
    One(Value<'a>),
    /// A list for `= ANY($1)` on PostgreSQL, `IN (SELECT value FROM json_each(?))` on SQLite: one statement
    /// whatever its length.
    Many(&'a [Value<'a>]),
}

impl<'a> From<Value<'a>> for Bind<'a> {
    fn from(value: Value<'a>) -> Self {
        Bind::One(value)
    }
}
