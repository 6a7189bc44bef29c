//! How each database's bytes travel.
//!
//! A driver knows statements ([`Stmt`]), values and rows; it knows nothing of models or sessions. The set
//! of drivers is closed: rows are decoded by a `match`, not through `dyn`, straight from the driver's bytes.

mod row;
mod stmt;

pub use row::Row;
pub(crate) use row::RowSink;
pub(crate) use stmt::{Bind, Param, Returns, RowSource, Stmt, Write, Written};
