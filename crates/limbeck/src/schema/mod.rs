//! Tables, columns, indexes and constraints as plain data: what models become, what a database is read
//! into, and what migrations compare. No I/O, and no knowledge of any driver.

mod association;
mod enums;
mod foreign_key;
mod index;
mod metadata;
mod name;
pub mod naming;
mod options;
mod plural;
mod sql_type;
mod table;

pub use association::{Association, association};
pub use index::{Index, IndexKey, IndexOn, IndexOptions};
pub use metadata::{Metadata, MetadataError, in_creation_order};
pub use name::TableName;
pub use sql_type::{ArrayType, EnumType, SqlType};
pub use table::{
    Action, Check, Collation, Column, Computed, Deferrable, ForeignKey, Identity, PrimaryKey, Table, UniqueConstraint,
};
