//! Which relationships to load along with a query.

use crate::model::{Model, Related, ToMany, ToOne};

/// A relationship to load, and what to load of the objects at its other end.
#[derive(Clone, Debug)]
pub struct Load {
    /// Which of the owner's relationships.
    pub(crate) relation: usize,
    /// What to load next.
    pub(crate) nested: Vec<Load>,
}

/// A relationship to load, with what is to be loaded of its target.
#[derive(Clone, Debug)]
pub struct LoadOf<R> {
    relation: R,
    nested: Vec<Load>,
}

/// What `.with(…)` takes: a relationship of `M`, perhaps with others nested in it.
#[diagnostic::on_unimplemented(
    message = "`{Self}` is not a relationship of `{M}`",
    label = "expected one of `{M}`, as `User.posts` is one of `User`"
)]
pub trait IntoLoad<M> {
    /// The relationship, without its type.
    fn into_load(self) -> Load;
}

#[diagnostic::do_not_recommend]
impl<R: Related> IntoLoad<R::Owner> for LoadOf<R> {
    fn into_load(self) -> Load {
        Load { relation: self.relation.index(), nested: self.nested }
    }
}

impl<R: Related> LoadOf<R> {
    /// Loads a relationship of the target, too.
    #[must_use]
    pub fn with<L: IntoLoad<R::Target>>(mut self, load: L) -> Self {
        self.nested.push(load.into_load());
        self
    }
}

macro_rules! loads {
    ($name:ident) => {
        #[diagnostic::do_not_recommend]
        impl<M: Model, T: Model> IntoLoad<M> for $name<M, T> {
            fn into_load(self) -> Load {
                Load { relation: self.index(), nested: Vec::new() }
            }
        }

        impl<M: Model, T: Model> $name<M, T> {
            /// Loads a relationship of the target, too: `User.posts.with(Post.tags)`.
            pub fn with<L: IntoLoad<T>>(self, load: L) -> LoadOf<Self> {
                LoadOf { relation: self, nested: vec![load.into_load()] }
            }
        }
    };
}

loads!(ToOne);
loads!(ToMany);
