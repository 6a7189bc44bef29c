//! SQLAlchemy's Session and Alembic's autogenerate, for Rust.

extern crate self as limbeck;

pub mod dialect;
pub(crate) mod driver;
pub mod engine;
mod error;
pub mod model;
pub mod prelude;
pub mod schema;
pub mod session;
pub mod sql;
pub mod types;

pub use driver::Row;
pub use error::{DatabaseError, Error, Holder, Result, Violation};
pub use limbeck_macros::Model;

#[doc(hidden)]
#[path = "private.rs"]
pub mod __private;
