//! libsqlite3-sys 0.40 under a version that Diesel accepts.

#![no_std]

pub use real::*;
