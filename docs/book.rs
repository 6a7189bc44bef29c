//! The book, whose chapters are the documentation of these modules, so that every snippet is compiled and run:
//! `cargo test -p limbeck-book --doc`. To read it: `mdbook serve docs`.

#[doc = include_str!("src/introduction.md")]
pub mod introduction {}

#[doc = include_str!("src/tutorial.md")]
pub mod tutorial {}

#[doc = include_str!("src/service.md")]
pub mod service {}

#[doc = include_str!("src/models.md")]
pub mod models {}

#[doc = include_str!("src/column-types.md")]
pub mod column_types {}

#[doc = include_str!("src/relationships.md")]
pub mod relationships {}

#[doc = include_str!("src/queries.md")]
pub mod queries {}

#[doc = include_str!("src/raw-sql.md")]
pub mod raw_sql {}

#[doc = include_str!("src/views.md")]
pub mod views {}

#[doc = include_str!("src/engine.md")]
pub mod engine {}

#[doc = include_str!("src/session.md")]
pub mod session {}

#[doc = include_str!("src/loading.md")]
pub mod loading {}

#[doc = include_str!("src/flush.md")]
pub mod flush {}

#[doc = include_str!("src/writes.md")]
pub mod writes {}

#[doc = include_str!("src/cascades.md")]
pub mod cascades {}

#[doc = include_str!("src/transactions.md")]
pub mod transactions {}

#[doc = include_str!("src/testing.md")]
pub mod testing {}

#[doc = include_str!("src/migrations.md")]
pub mod migrations {}

#[doc = include_str!("src/new-model.md")]
pub mod new_model {}

#[doc = include_str!("src/lint.md")]
pub mod lint {}

#[doc = include_str!("src/cli.md")]
pub mod cli {}

#[doc = include_str!("src/diff.md")]
pub mod diff {}

#[doc = include_str!("src/borrow-checker.md")]
pub mod borrow_checker {}

#[doc = include_str!("src/from-sqlalchemy.md")]
pub mod from_sqlalchemy {}

#[doc = include_str!("src/from-diesel.md")]
pub mod from_diesel {}

#[doc = include_str!("src/from-seaorm.md")]
pub mod from_seaorm {}

#[doc = include_str!("src/architecture.md")]
pub mod architecture {}

#[doc = include_str!("../README.md")]
pub mod readme {}

pub mod blog;
