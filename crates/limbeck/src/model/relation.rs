//! Relationship fields (`HasMany<Post>`) and relationship constants (`User.posts`).
//!
//! A field holds handles, never objects, and is loaded or not: an unloaded one is not empty, and reading
//! it is an error that names the call which loads it. All handles that one query loads lie in one shared
//! slice, of which each collection is a range: loading a thousand collections is one allocation.

use std::fmt;
use std::marker::PhantomData;
use std::ops::Range;
use std::sync::Arc;

use super::{Handle, Model, RelationKind, Tracked};
use crate::error::{Error, Result};

// ---------------------------------------------------------------------------------------------- fields

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
    Loaded { shared: Arc<Vec<Handle>>, range: Range<u32> },
}

impl Many {
    pub(crate) fn of(handles: Vec<Handle>) -> Self {
        let range = 0..handles.len() as u32;
        Many::Loaded { shared: Arc::new(handles), range }
    }

    pub(crate) fn part(shared: &Arc<Vec<Handle>>, range: Range<u32>) -> Self {
        Many::Loaded { shared: Arc::clone(shared), range }
    }

    pub(crate) fn handles(&self) -> Option<&[Handle]> {
        match self {
            Many::Unloaded => None,
            Many::Loaded { shared, range } => shared.get(range.start as usize..range.end as usize),
        }
    }

    /// Changes a loaded collection: in place where nobody else looks at its handles, so that adding to a
    /// collection one by one stays linear.
    pub(crate) fn change(&mut self, change: &mut dyn FnMut(&mut Vec<Handle>)) {
        let Many::Loaded { shared, range } = self else { return };
        let whole = range.start == 0 && range.end as usize == shared.len();
        match Arc::get_mut(shared).filter(|_| whole) {
            Some(handles) => change(handles),
            None => {
                let mut handles = shared[range.start as usize..range.end as usize].to_vec();
                change(&mut handles);
                *shared = Arc::new(handles);
            }
        }
        *range = 0..shared.len() as u32;
    }
}

impl PartialEq for Many {
    fn eq(&self, other: &Self) -> bool {
        match (self, other) {
            (Many::Loaded { shared: a, range: r }, Many::Loaded { shared: b, range: s })
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
    /// A `BelongsTo`.
    One(&'a OneField),
    /// A `HasMany` or `ManyToMany`.
    Many(&'a ManyField),
}

/// A relationship field to change, by its direction. Used by the session.
#[derive(Debug)]
pub enum RelationMut<'a> {
    /// A `BelongsTo`.
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

/// What a `BelongsTo` may point to: a model, or an `Option` of one where the key is nullable.
#[diagnostic::on_unimplemented(
    message = "`{Self}` is not a model",
    label = "a relationship points to a model, or to an `Option` of one"
)]
pub trait Target {
    /// The model.
    type Model: Model;
}

impl<M: Model> Target for M {
    type Model = M;
}

impl<M: Model> Target for Option<M> {
    type Model = M;
}

/// The "one" side of a relationship: a field of the model whose table has the foreign key.
///
/// `session[post.author]` is the author. `BelongsTo<Option<User>>` is for a nullable key.
pub struct BelongsTo<T>(OneField, PhantomData<fn() -> T>);

impl<T: Target> BelongsTo<T> {
    /// A field that is not loaded; `label` names it in messages. Used by `derive(Model)`.
    pub const fn unloaded(label: &'static str) -> Self {
        BelongsTo(OneField { state: One::Unloaded, label }, PhantomData)
    }

    /// A field that points to `target`. Used by builders.
    pub const fn linked(label: &'static str, target: Option<Tracked<T::Model>>) -> Self {
        let target = match target {
            Some(tracked) => Some(tracked.raw),
            None => None,
        };
        BelongsTo(OneField { state: One::Loaded(target), label }, PhantomData)
    }

    /// Whether the field has been loaded or set.
    pub fn is_loaded(&self) -> bool {
        self.0.state != One::Unloaded
    }

    /// The object that this points to; `None` where the key is NULL.
    ///
    /// # Panics
    /// When the relationship is not loaded; [`try_get`](Self::try_get) returns an error instead.
    #[track_caller]
    pub fn get(&self) -> Option<Tracked<T::Model>> {
        match self.try_get() {
            Ok(target) => target,
            Err(error) => panic!("{error}"),
        }
    }

    /// The object that this points to; `None` where the key is NULL.
    ///
    /// # Errors
    /// [`Error::NotLoaded`] when the relationship is not loaded.
    pub fn try_get(&self) -> Result<Option<Tracked<T::Model>>> {
        match self.0.state {
            One::Unloaded => Err(not_loaded(self.0.label)),
            One::Loaded(target) => Ok(target.map(Tracked::new)),
        }
    }

    /// Used by `derive(Model)`.
    #[doc(hidden)]
    pub fn raw(&self) -> RelationRef<'_> {
        RelationRef::One(&self.0)
    }

    /// Used by `derive(Model)`.
    #[doc(hidden)]
    pub fn raw_mut(&mut self) -> RelationMut<'_> {
        RelationMut::One(&mut self.0)
    }
}

impl<T> Clone for BelongsTo<T> {
    fn clone(&self) -> Self {
        *self
    }
}

impl<T> Copy for BelongsTo<T> {}

impl<T> PartialEq for BelongsTo<T> {
    fn eq(&self, other: &Self) -> bool {
        self.0.state == other.0.state
    }
}

impl<T> Eq for BelongsTo<T> {}

impl<T> Default for BelongsTo<T> {
    fn default() -> Self {
        BelongsTo(OneField { state: One::Unloaded, label: UNNAMED }, PhantomData)
    }
}

impl<T> fmt::Debug for BelongsTo<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.0.state {
            One::Unloaded => f.write_str("<not loaded>"),
            One::Loaded(None) => f.write_str("None"),
            One::Loaded(Some(handle)) => write!(f, "#{}", handle.slot),
        }
    }
}

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
            /// [`Error::NotLoaded`] when the relationship is not loaded.
            pub fn try_handles(&self) -> Result<Handles<T>> {
                match &self.0.state {
                    Many::Unloaded => Err(not_loaded(self.0.label)),
                    Many::Loaded { shared, range } => Ok(Handles {
                        shared: Arc::clone(shared),
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
    shared: Arc<Vec<Handle>>,
    range: Range<u32>,
    marker: PhantomData<fn() -> T>,
}

impl<T> Iterator for Handles<T> {
    type Item = Tracked<T>;

    #[inline]
    fn next(&mut self) -> Option<Tracked<T>> {
        let index = self.range.next()?;
        Some(Tracked::new(self.shared[index as usize]))
    }

    fn size_hint(&self) -> (usize, Option<usize>) {
        self.range.size_hint()
    }
}

impl<T> DoubleEndedIterator for Handles<T> {
    fn next_back(&mut self) -> Option<Tracked<T>> {
        let index = self.range.next_back()?;
        Some(Tracked::new(self.shared[index as usize]))
    }
}

impl<T> ExactSizeIterator for Handles<T> {}

// ------------------------------------------------------------------------------------------- constants

/// The constant of a to-one relationship: `Post.author`, from `M` to `T`.
pub struct ToOne<M, T> {
    index: u16,
    alias: Option<&'static str>,
    marker: PhantomData<fn() -> (M, T)>,
}

/// The constant of a to-many relationship: `User.posts`, from `M` to `T`.
pub struct ToMany<M, T> {
    index: u16,
    alias: Option<&'static str>,
    marker: PhantomData<fn() -> (M, T)>,
}

macro_rules! constant {
    ($name:ident) => {
        impl<M, T> Clone for $name<M, T> {
            fn clone(&self) -> Self {
                *self
            }
        }

        impl<M, T> Copy for $name<M, T> {}

        impl<M: Model, T> fmt::Debug for $name<M, T> {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(M::def().relations[usize::from(self.index)].label)
            }
        }

        #[diagnostic::do_not_recommend]
        impl<M: Model, T: Model> Related for $name<M, T> {
            type Owner = M;
            type Target = T;

            fn index(&self) -> usize {
                usize::from(self.index)
            }

            fn alias(&self) -> Option<&'static str> {
                self.alias
            }
        }
    };
}

constant!(ToOne);
constant!(ToMany);

impl<M, T> ToOne<M, T> {
    /// Used by `derive(Model)`.
    #[doc(hidden)]
    pub const fn new(index: u16, alias: Option<&'static str>) -> Self {
        ToOne { index, alias, marker: PhantomData }
    }
}

impl<M, T> ToMany<M, T> {
    /// Used by `derive(Model)`.
    #[doc(hidden)]
    pub const fn new(index: u16, alias: Option<&'static str>) -> Self {
        ToMany { index, alias, marker: PhantomData }
    }
}

/// A relationship constant: what `link`, `load`, `join` and `with` take.
#[diagnostic::on_unimplemented(
    message = "`{Self}` is not a relationship",
    label = "expected a relationship, such as `User.posts`"
)]
pub trait Related: Copy {
    /// The model that has the relationship.
    type Owner: Model;
    /// The model that it leads to.
    type Target: Model;

    /// Which of the owner's relationships it is.
    fn index(&self) -> usize;

    /// The alias of the owner's table that it starts from.
    fn alias(&self) -> Option<&'static str>;

    /// Whether it leads to many.
    fn is_many(&self) -> bool {
        Self::Owner::def().relations[self.index()].kind != RelationKind::BelongsTo
    }
}
