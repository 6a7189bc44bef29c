//! What a file with models or queries begins with: `use limbeck::prelude::*;`.
//!
//! `Session` and `Result` are left out on purpose, since models and modules may be called so: they are
//! `limbeck::session::Session` and `limbeck::Result`.

// One name, two things: the trait and the derive.
pub use crate::model::Model;
pub use limbeck_macros::{ColumnType, DbEnum, Embed, FromRow, Model, View, sql};

pub use crate::engine::Engine;
pub use crate::model::{BelongsTo, HasMany, HasOne, ManyToMany, Tracked};
pub use crate::sql::{Expression, count, delete, exists, insert, select, sql, update};
// The methods that expressions have by their type; nobody needs the names.
pub use crate::sql::{
    AggregateExpression as _, ArrayExpression as _, CastExpression as _, ContainsExpression as _,
    NumberExpression as _, TextExpression as _, TimeExpression as _, ValueExpression as _, WindowExpression as _,
};
pub use crate::types::Deferred;

#[cfg(feature = "json")]
pub use crate::sql::JsonExpression as _;

#[cfg(feature = "chrono")]
pub use chrono::{DateTime, NaiveDate, NaiveDateTime, NaiveTime, TimeDelta, Utc};

#[cfg(feature = "json")]
pub use crate::types::Json;
#[cfg(feature = "decimal")]
pub use rust_decimal::Decimal;
#[cfg(feature = "uuid")]
pub use uuid::Uuid;
