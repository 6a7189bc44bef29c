//! The models and the revisions of the blog.

pub mod models;

/// The revisions in `migrations/`, compiled into every program that uses this crate.
pub static MIGRATIONS: limbeck_migrate::Embedded = limbeck_migrate::embed!("migrations");
