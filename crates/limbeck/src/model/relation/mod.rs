//! Relationship fields (`HasMany<Post>`) and relationship constants (`User.posts`).
//!
//! A field holds handles, never objects, and is loaded or not: an unloaded one is not empty, and reading
//! it is an error that names the call which loads it. All handles that one query loads lie in one shared
//! slice, of which each collection is a range: loading a thousand collections is one allocation.
//!
//! * `one`, `many`: the fields, by what they hold. `constant`: what `link`, `load`, `join` and `with` take.

mod constant;
mod many;
mod one;

pub use constant::{Related, ToMany, ToOne};
pub use many::{Handles, HasMany, ManyToMany};
pub use one::{BelongsTo, HasOne, Target};

use std::ops::Range;
use std::sync::Arc;

use super::Handle;
use crate::error::Error;

/// The state of a to-one field.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum One {
    Unloaded,
    Loaded(Option<Handle>),
}

/// The state of a to-many field.
#[derive(Clone, Debug)]
pub(crate) enum Many {
    Unloaded,
    Loaded {
        /// `None` where there is nothing to share: every object that is added has such collections.
        shared: Option<Arc<Vec<Handle>>>,
        range: Range<u32>,
        /// There may be others: it was loaded with a filter, or up to a limit.
        partial: bool,
    },
}

impl One {
    /// What it leads to, if it is loaded and not nothing.
    pub(crate) fn handle(self) -> Option<Handle> {
        match self {
            One::Loaded(handle) => handle,
            One::Unloaded => None,
        }
    }
}

impl Many {
    pub(crate) fn of(handles: Vec<Handle>) -> Self {
        let range = 0..handles.len() as u32;
        Many::Loaded { shared: (!handles.is_empty()).then(|| Arc::new(handles)), range, partial: false }
    }

    pub(crate) fn part(shared: &Arc<Vec<Handle>>, range: Range<u32>, partial: bool) -> Self {
        Many::Loaded { shared: (!range.is_empty()).then(|| Arc::clone(shared)), range, partial }
    }

    /// Whether it holds some of what there is, and perhaps not all.
    pub(crate) fn is_partial(&self) -> bool {
        matches!(self, Many::Loaded { partial: true, .. })
    }

    pub(crate) fn handles(&self) -> Option<&[Handle]> {
        match self {
            Many::Unloaded => None,
            Many::Loaded { shared: None, .. } => Some(&[]),
            Many::Loaded { shared: Some(shared), range, .. } => shared.get(range.start as usize..range.end as usize),
        }
    }

    /// Changes a loaded collection: in place where nobody else looks at its handles, so that adding to a
    /// collection one by one stays linear.
    pub(crate) fn change(&mut self, change: &mut dyn FnMut(&mut Vec<Handle>)) {
        let Many::Loaded { shared, range, .. } = self else { return };
        let mine = |handles: &&mut Vec<Handle>| range.start == 0 && range.end as usize == handles.len();
        let length = match shared.as_mut().and_then(Arc::get_mut).filter(mine) {
            Some(handles) => {
                change(handles);
                handles.len()
            }
            None => {
                let part = shared.as_ref().and_then(|all| all.get(range.start as usize..range.end as usize));
                let mut handles = part.unwrap_or_default().to_vec();
                change(&mut handles);
                shared.insert(Arc::new(handles)).len()
            }
        };
        *range = 0..length as u32;
    }
}

impl PartialEq for Many {
    fn eq(&self, other: &Self) -> bool {
        match (self, other) {
            (Many::Loaded { shared: Some(a), range: r, .. }, Many::Loaded { shared: Some(b), range: s, .. })
                if Arc::ptr_eq(a, b) && r == s =>
            {
                true
            }
            _ => self.handles() == other.handles(),
        }
    }
}

/// A relationship field, by its direction. Used by the session.
#[derive(Debug, Clone, Copy)]
pub enum RelationRef<'a> {
    /// A `BelongsTo` or `HasOne`.
    One(&'a OneField),
    /// A `HasMany` or `ManyToMany`.
    Many(&'a ManyField),
}

/// A relationship field to change, by its direction. Used by the session.
#[derive(Debug)]
pub enum RelationMut<'a> {
    /// A `BelongsTo` or `HasOne`.
    One(&'a mut OneField),
    /// A `HasMany` or `ManyToMany`.
    Many(&'a mut ManyField),
}

impl RelationMut<'_> {
    /// Names the field for messages.
    pub(crate) fn name(self, name: &'static str) {
        match self {
            RelationMut::One(field) => field.label = name,
            RelationMut::Many(field) => field.label = name,
        }
    }
}

/// A to-one field without its type.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct OneField {
    pub(crate) state: One,
    label: &'static str,
}

/// A to-many field without its type.
#[derive(Clone, Debug, PartialEq)]
pub struct ManyField {
    pub(crate) state: Many,
    label: &'static str,
}

/// The label of a field that a user made by `Default`: the session knows better once the object is added.
const UNNAMED: &str = "this relationship";

#[cold]
fn not_loaded(label: &'static str) -> Error {
    Error::NotLoaded { relation: label }
}
