//! The lint of models, over models that are compiled.

#![allow(missing_docs, dead_code, unreachable_pub)]

mod book;
mod examples;
mod models;
mod rules;
mod session;
mod support;
