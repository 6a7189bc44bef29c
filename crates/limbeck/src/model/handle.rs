//! Handles: what the session gives out in place of references.

use std::fmt;
use std::hash::{Hash, Hasher};
use std::marker::PhantomData;

/// A handle without its type: 32 bits of slot, 32 bits of stamp.
///
/// Every stamp is drawn once in the process, so a handle of another session, or of an object that was
/// expunged and whose slot is used again, never fits.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Handle {
    pub(crate) slot: u32,
    pub(crate) stamp: std::num::NonZeroU32,
}

/// A handle to an object in a session: `session[user]` is the object.
///
/// It is eight bytes and `Copy`, so the borrow checker lets it lie about where a reference could not.
pub struct Tracked<M> {
    pub(crate) raw: Handle,
    marker: PhantomData<fn() -> M>,
}

impl<M> Tracked<M> {
    pub(crate) const fn new(raw: Handle) -> Self {
        Tracked { raw, marker: PhantomData }
    }

    /// The handle without its type, to compare it with [`Violation::object`](crate::Violation::object).
    pub const fn handle(self) -> Handle {
        self.raw
    }
}

impl<M> Clone for Tracked<M> {
    fn clone(&self) -> Self {
        *self
    }
}

impl<M> Copy for Tracked<M> {}

impl<M> PartialEq for Tracked<M> {
    fn eq(&self, other: &Self) -> bool {
        self.raw == other.raw
    }
}

impl<M> Eq for Tracked<M> {}

impl<M> Hash for Tracked<M> {
    fn hash<H: Hasher>(&self, state: &mut H) {
        self.raw.hash(state);
    }
}

impl<M> fmt::Debug for Tracked<M> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let name = std::any::type_name::<M>();
        write!(f, "{}#{}", name.rsplit("::").next().unwrap_or(name), self.raw.slot)
    }
}
