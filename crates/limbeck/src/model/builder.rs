//! New objects: what `User::builder()` gathers and `session.add` takes.

use super::{ColumnSet, Model, Tracked};

/// Something that `session.add` takes: a finished builder, a model by value, or the handle of an object
/// that was rolled back and is to be added again.
#[diagnostic::on_unimplemented(
    message = "`{Self}` is not something that a session can add",
    label = "expected a finished builder or a model"
)]
pub trait New {
    /// The model that it makes.
    type Model: Model;

    /// What to add.
    fn into_new(self) -> NewObject<Self::Model>;
}

/// What a [`New`] comes to.
#[derive(Debug)]
pub enum NewObject<M> {
    /// An object that no session knows yet.
    Draft(Draft<M>),
    /// An object that this session knows and that has no row any more.
    Again(Tracked<M>),
}

/// An object to add, and which of its columns were given.
#[derive(Debug)]
pub struct Draft<M> {
    /// The object; columns that were not given hold their placeholder.
    pub object: M,
    /// The columns that were given, or have a default.
    pub given: ColumnSet,
}

impl<M: Model> New for Draft<M> {
    type Model = M;

    fn into_new(self) -> NewObject<M> {
        NewObject::Draft(self)
    }
}

impl<M: Model> New for Tracked<M> {
    type Model = M;

    fn into_new(self) -> NewObject<M> {
        NewObject::Again(self)
    }
}

/// The state of a required column in a builder: it has a value. A type parameter of `UserBuilder`.
#[derive(Debug)]
pub struct Given;

/// The state of a required column in a builder: it has no value yet. A type parameter of `UserBuilder`.
#[derive(Debug)]
pub struct Missing;

/// The state of something in a builder that has no value yet, and that only the compiler knows to be required: a key whose
/// type may be one that the database numbers, an embedded struct that may have defaults. A type parameter of
/// `UserBuilder`.
#[derive(Debug)]
pub struct MissingUnless<const OPTIONAL: bool>;

/// A value that a builder's setter takes for a column of type `T`: `T` itself, `T` for an `Option<T>`,
/// and `&str` where a `String` is wanted.
#[diagnostic::on_unimplemented(
    message = "a column of type `{T}` cannot be set from a `{Self}`",
    label = "expected a `{T}`"
)]
pub trait Assign<T> {
    /// The column's value.
    fn assign(self) -> T;
}

#[diagnostic::do_not_recommend]
impl<T> Assign<T> for T {
    fn assign(self) -> T {
        self
    }
}

#[diagnostic::do_not_recommend]
impl<T> Assign<Option<T>> for T {
    fn assign(self) -> Option<T> {
        Some(self)
    }
}

#[diagnostic::do_not_recommend]
impl Assign<String> for &str {
    fn assign(self) -> String {
        self.to_owned()
    }
}

#[diagnostic::do_not_recommend]
impl Assign<String> for &String {
    fn assign(self) -> String {
        self.clone()
    }
}

#[diagnostic::do_not_recommend]
impl Assign<Option<String>> for &str {
    fn assign(self) -> Option<String> {
        Some(self.to_owned())
    }
}

#[diagnostic::do_not_recommend]
impl Assign<Option<String>> for &String {
    fn assign(self) -> Option<String> {
        Some(self.clone())
    }
}

#[diagnostic::do_not_recommend]
impl Assign<Option<String>> for Option<&str> {
    fn assign(self) -> Option<String> {
        self.map(str::to_owned)
    }
}
