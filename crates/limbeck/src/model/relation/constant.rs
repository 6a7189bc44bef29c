//! Relationship constants: `User.posts`.

use std::fmt;
use std::marker::PhantomData;

use crate::model::{Model, RelationKind};

/// The constant of a to-one relationship, whichever side has the key: `Post.author`, `User.profile`, from `M`
/// to `T`.
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
        matches!(Self::Owner::def().relations[self.index()].kind, RelationKind::HasMany | RelationKind::ManyToMany)
    }
}
