//! Fields that hold one object or none.

use std::fmt;
use std::marker::PhantomData;

use super::{One, OneField, RelationMut, RelationRef, UNNAMED, not_loaded};
use crate::error::Result;
use crate::model::{Model, Tracked};

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

macro_rules! to_one {
    ($(#[$doc:meta])* $name:ident) => {
        $(#[$doc])*
        pub struct $name<T>(OneField, PhantomData<fn() -> T>);

        impl<T: Target> $name<T> {
            /// A field that is not loaded; `label` names it in messages. Used by `derive(Model)`.
            pub const fn unloaded(label: &'static str) -> Self {
                $name(OneField { state: One::Unloaded, label }, PhantomData)
            }

            /// A field that points to `target`. Used by builders.
            pub const fn linked(label: &'static str, target: Option<Tracked<T::Model>>) -> Self {
                let target = match target {
                    Some(tracked) => Some(tracked.raw),
                    None => None,
                };
                $name(OneField { state: One::Loaded(target), label }, PhantomData)
            }

            /// Whether the field has been loaded or set.
            pub fn is_loaded(&self) -> bool {
                self.0.state != One::Unloaded
            }

            /// The object that this points to; `None` where there is none.
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

            /// The object that this points to; `None` where there is none.
            ///
            /// # Errors
            /// [`Error::NotLoaded`](crate::Error::NotLoaded) when the relationship is not loaded.
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

        impl<T> Clone for $name<T> {
            fn clone(&self) -> Self {
                *self
            }
        }

        impl<T> Copy for $name<T> {}

        impl<T> PartialEq for $name<T> {
            fn eq(&self, other: &Self) -> bool {
                self.0.state == other.0.state
            }
        }

        impl<T> Eq for $name<T> {}

        impl<T> Default for $name<T> {
            fn default() -> Self {
                $name(OneField { state: One::Unloaded, label: UNNAMED }, PhantomData)
            }
        }

        impl<T> fmt::Debug for $name<T> {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                match self.0.state {
                    One::Unloaded => f.write_str("<not loaded>"),
                    One::Loaded(None) => f.write_str("None"),
                    One::Loaded(Some(handle)) => write!(f, "#{}", handle.slot),
                }
            }
        }
    };
}

to_one! {
    /// The "one" side of a relationship: a field of the model whose table has the foreign key.
    ///
    /// `session[post.author]` is the author. `BelongsTo<Option<User>>` is for a nullable key.
    BelongsTo
}

to_one! {
    /// One-to-one, from the side without the key: the other table has the foreign key, and it is unique there.
    ///
    /// Like every relationship it is loaded or not. Loaded, it holds an object or none, whatever the key's
    /// nullability: a user may have no profile yet. `session[user.profile]` is the profile.
    ///
    /// ```
    /// use limbeck::prelude::*;
    ///
    /// #[derive(Model)]
    /// struct User {
    ///     #[column(primary_key)]
    ///     id: i64,
    ///     #[relationship(back_populates = user)]
    ///     profile: HasOne<Profile>,
    /// }
    ///
    /// #[derive(Model)]
    /// struct Profile {
    ///     #[column(primary_key)]
    ///     id: i64,
    ///     #[column(unique, foreign_key(User.id))]
    ///     user_id: i64,
    ///     #[relationship(back_populates = profile)]
    ///     user: BelongsTo<User>,
    /// }
    /// ```
    HasOne
}
