//! SQLAlchemy's unit of work, case by case: what is sent, and what is left in the database and in memory.
//!
//! A test is named after its case (`u51_…`) and what it shows.
#![cfg(all(feature = "sqlite", feature = "postgres"))]

mod between;
mod cascades;
#[path = "../common/mod.rs"]
mod common;
mod deferred;
mod deletes;
mod family;
mod lists;
mod order;
mod sent;
mod states;
mod ties;
mod trees;
mod uniques;
mod versions;
mod writes;
