//! Models: what `derive(Model)` says about a struct, and the types that its fields and constants have.

mod builder;
mod cascade;
mod column;
mod def;
pub(crate) mod embed;
mod handle;
mod key;
pub(crate) mod mapping;
mod options;
pub(crate) mod registry;
mod relation;
#[cfg(feature = "chrono")]
mod timestamps;

pub use builder::{Assign, Draft, Given, Missing, MissingUnless, New, NewObject};
pub use cascade::{Cascade, OrderDef, PassiveDeletes, RelationOptions};
pub use column::{Column, TableOf};
pub use def::{ColumnDef, ColumnSet, ForeignKeyDef, Model, ModelDef, ModelId, RelationDef, RelationKind};
pub use embed::Embedded;
pub use handle::{Handle, Tracked};
pub use key::{IntoKey, Key};
pub use options::{
    CheckDef, CollationDef, ColumnOptions, CompositeKeyDef, ComputedDef, IdentityDef, IndexDef, IndexKeyDef,
    IndexKeyOf, TableOptions, UniqueDef,
};
pub use registry::{Registered, registered};
pub use relation::{
    BelongsTo, Handles, HasMany, HasOne, ManyToMany, Related, RelationMut, RelationRef, Target, ToMany, ToOne,
};
pub(crate) use relation::{Many, One};
#[cfg(feature = "chrono")]
pub use timestamps::Timestamps;
