//! `derive(Model)`.
