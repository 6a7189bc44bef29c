//! Queries: expressions, statements, and their rendering. No driver is known here.

mod fetch;

pub use fetch::Fetch;
