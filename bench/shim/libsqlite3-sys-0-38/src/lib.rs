//! libsqlite3-sys 0.40 under a version that the rusqlite of Toasty accepts.

#![no_std]

pub use real::*;
