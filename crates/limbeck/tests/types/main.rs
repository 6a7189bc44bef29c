//! Column types: that what is written comes back, on both databases, and that what would not is refused.
#![cfg(all(
    feature = "chrono",
    feature = "decimal",
    feature = "jiff",
    feature = "json",
    feature = "time",
    feature = "uuid",
    feature = "sqlite",
    feature = "postgres"
))]

mod arrays;
mod case;
mod json;
mod random;
mod refusals;
mod scalars;
mod unreadable;
mod uuids;
