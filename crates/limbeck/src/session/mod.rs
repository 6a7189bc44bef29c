//! The session.

use crate::model::{Model, Tracked};
use crate::driver::Row;
use crate::error::Result;

/// Objects of one model in a session; the session's business alone.
pub trait AnyStore: Send + Sync {}

/// Where rows of a query become tracked objects; the session's business alone.
#[derive(Debug)]
pub struct Loader<'s>(std::marker::PhantomData<&'s mut ()>);

impl Loader<'_> {
    /// Finds or makes the object of a row. Used by `derive(Model)`.
    #[doc(hidden)]
    pub fn track<M: Model>(&mut self, _row: &Row<'_>, _at: usize) -> Result<Tracked<M>> {
        Err(crate::error::Error::Closed)
    }
}

/// Used by `derive(Model)`.
#[doc(hidden)]
pub fn new_store<M: Model>() -> Box<dyn AnyStore> {
    struct S;
    impl AnyStore for S {}
    Box::new(S)
}
