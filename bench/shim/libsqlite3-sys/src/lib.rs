//! libsqlite3-sys 0.40 under a version that Diesel and sqlx accept.

#![no_std]

pub use real::*;
