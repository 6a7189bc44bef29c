//! Tables, columns, indexes and constraints as plain data: what models become, what a database is read
//! into, and what migrations compare. No I/O, and no knowledge of any driver.

mod association;
mod enums;
mod metadata;
pub mod naming;
mod sql_type;
mod table;

pub use association::{Association, association};
pub use metadata::{Metadata, MetadataError, in_creation_order};
pub use sql_type::{ArrayType, EnumType, SqlType};
pub use table::{Action, Check, Column, Deferrable, ForeignKey, Index, PrimaryKey, Table, UniqueConstraint};
