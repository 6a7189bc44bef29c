//! Fields that hold any number of objects.

use std::fmt;
use std::marker::PhantomData;
use std::ops::Range;
use std::sync::Arc;

use super::{Many, ManyField, RelationMut, RelationRef, UNNAMED, not_loaded};
use crate::error::Result;
use crate::model::{Handle, Model, Tracked};

macro_rules! to_many {
    ($(#[$doc:meta])* $name:ident) => {
        $(#[$doc])*
        pub struct $name<T>(ManyField, PhantomData<fn() -> T>);

        impl<T: Model> $name<T> {
            /// A field that is not loaded; `label` names it in messages. Used by `derive(Model)`.
            pub const fn unloaded(label: &'static str) -> Self {
                $name(ManyField { state: Many::Unloaded, label }, PhantomData)
            }

            /// A field that holds `targets`. Used by builders.
            pub fn linked(label: &'static str, targets: impl IntoIterator<Item = Tracked<T>>) -> Self {
                let handles = targets.into_iter().map(|tracked| tracked.raw).collect();
                $name(ManyField { state: Many::of(handles), label }, PhantomData)
            }

            /// Whether the collection has been loaded.
            pub fn is_loaded(&self) -> bool {
                !matches!(self.0.state, Many::Unloaded)
            }

            /// Whether it was loaded with a filter, or up to a limit, so that there may be others: what it holds is
            /// read as ever, and [`Session::load`](crate::session::Session::load) fetches the rest.
            pub fn is_partial(&self) -> bool {
                self.0.state.is_partial()
            }

            /// The handles, as an iterator that borrows nothing: the objects can be changed while it runs.
            ///
            /// # Panics
            /// When the relationship is not loaded; [`try_handles`](Self::try_handles) returns an error
            /// instead.
            #[track_caller]
            pub fn handles(&self) -> Handles<T> {
                match self.try_handles() {
                    Ok(handles) => handles,
                    Err(error) => panic!("{error}"),
                }
            }

            /// The handles, as an iterator that borrows nothing.
            ///
            /// # Errors
            /// [`Error::NotLoaded`](crate::Error::NotLoaded) when the relationship is not loaded.
            pub fn try_handles(&self) -> Result<Handles<T>> {
                match &self.0.state {
                    Many::Unloaded => Err(not_loaded(self.0.label)),
                    Many::Loaded { shared, range, .. } => Ok(Handles {
                        shared: shared.clone(),
                        range: range.clone(),
                        marker: PhantomData,
                    }),
                }
            }

            /// How many there are.
            ///
            /// # Panics
            /// When the relationship is not loaded.
            #[track_caller]
            pub fn len(&self) -> usize {
                self.handles().len()
            }

            /// Whether there are none.
            ///
            /// # Panics
            /// When the relationship is not loaded.
            #[track_caller]
            pub fn is_empty(&self) -> bool {
                self.len() == 0
            }

            /// Whether `target` is among them.
            ///
            /// # Panics
            /// When the relationship is not loaded.
            #[track_caller]
            pub fn contains(&self, target: Tracked<T>) -> bool {
                self.handles().any(|handle| handle == target)
            }

            /// Used by `derive(Model)`.
            #[doc(hidden)]
            pub fn raw(&self) -> RelationRef<'_> {
                RelationRef::Many(&self.0)
            }

            /// Used by `derive(Model)`.
            #[doc(hidden)]
            pub fn raw_mut(&mut self) -> RelationMut<'_> {
                RelationMut::Many(&mut self.0)
            }
        }

        impl<T> Clone for $name<T> {
            fn clone(&self) -> Self {
                $name(self.0.clone(), PhantomData)
            }
        }

        impl<T> PartialEq for $name<T> {
            fn eq(&self, other: &Self) -> bool {
                self.0.state == other.0.state
            }
        }

        impl<T> Default for $name<T> {
            fn default() -> Self {
                $name(ManyField { state: Many::Unloaded, label: UNNAMED }, PhantomData)
            }
        }

        impl<T> fmt::Debug for $name<T> {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                match self.0.state.handles() {
                    None => f.write_str("<not loaded>"),
                    Some(handles) => {
                        f.debug_list().entries(handles.iter().map(|h| format_args!("#{}", h.slot).to_string())).finish()
                    }
                }
            }
        }

        impl<T: Model> IntoIterator for &$name<T> {
            type Item = Tracked<T>;
            type IntoIter = Handles<T>;

            /// # Panics
            /// When the relationship is not loaded.
            #[track_caller]
            fn into_iter(self) -> Handles<T> {
                self.handles()
            }
        }
    };
}

to_many! {
    /// The "many" side of a one-to-many relationship: the other table has the foreign key.
    HasMany
}

to_many! {
    /// Either side of a many-to-many relationship, over an association table.
    ManyToMany
}

/// The handles of a collection: an iterator that owns what it reads.
#[derive(Debug, Clone)]
pub struct Handles<T> {
    shared: Option<Arc<Vec<Handle>>>,
    range: Range<u32>,
    marker: PhantomData<fn() -> T>,
}

impl<T> Iterator for Handles<T> {
    type Item = Tracked<T>;

    #[inline]
    fn next(&mut self) -> Option<Tracked<T>> {
        let index = self.range.next()?;
        self.shared.as_ref()?.get(index as usize).map(|handle| Tracked::new(*handle))
    }

    fn size_hint(&self) -> (usize, Option<usize>) {
        self.range.size_hint()
    }
}

impl<T> DoubleEndedIterator for Handles<T> {
    fn next_back(&mut self) -> Option<Tracked<T>> {
        let index = self.range.next_back()?;
        self.shared.as_ref()?.get(index as usize).map(|handle| Tracked::new(*handle))
    }
}

impl<T> ExactSizeIterator for Handles<T> {}
