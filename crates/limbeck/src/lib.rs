//! SQLAlchemy's Session and Alembic's autogenerate, for Rust.

extern crate self as limbeck;

pub mod dialect;
pub(crate) mod driver;
pub mod engine;
mod error;
pub mod model;
pub mod schema;
pub mod session;
pub mod sql;
pub mod types;

pub use driver::Row;
pub use error::{DatabaseError, Error, Holder, Result, Violation};

#[doc(hidden)]
pub mod __private {
    //! What the macros' output names. Not part of the interface.
    pub use crate::session::new_store;
    pub use inventory;
}
