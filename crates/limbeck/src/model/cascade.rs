//! What a relationship says of its objects' lives and order, beyond where it leads.

use std::fmt;

/// The options of a relationship.
#[derive(Clone, Copy, Debug)]
pub struct RelationOptions {
    /// What goes on to the objects at the other end.
    pub cascade: Cascade,
    /// What a deleted object does with children that are not loaded.
    pub passive_deletes: PassiveDeletes,
    /// What a collection is ordered by.
    pub order_by: &'static [OrderDef],
    /// Whether its key is written by an UPDATE of its own, after the rows are inserted and before they are deleted.
    pub post_update: bool,
    /// Whether an object may have only one parent by it.
    pub single_parent: bool,
}

impl RelationOptions {
    /// What a relationship has that says nothing.
    pub const DEFAULT: RelationOptions = RelationOptions {
        cascade: Cascade::DEFAULT,
        passive_deletes: PassiveDeletes::No,
        order_by: &[],
        post_update: false,
        single_parent: false,
    };
}

/// A column that a collection is ordered by.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct OrderDef {
    /// The field of the target; that of an embedded struct is named with it: `timestamps.created_at`.
    pub field: &'static str,
    /// Whether the order is backwards.
    pub descending: bool,
}

/// What an object that is deleted does with the rows that have its key and are not loaded: `passive_deletes`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum PassiveDeletes {
    /// They are seen to: deleted where the relationship has the cascade `delete`, else their keys are set to NULL.
    #[default]
    No,
    /// They are left to the foreign key's `on_delete`. What is loaded is seen to.
    Yes,
    /// Likewise, and what is loaded is left alone, too.
    All,
}

/// What goes on from an object to those at the other end of a relationship: SQLAlchemy's `cascade`.
///
/// ```
/// use limbeck::model::Cascade;
///
/// assert!(Cascade::ALL.contains(Cascade::DELETE));
/// assert!(!Cascade::ALL.contains(Cascade::DELETE_ORPHAN));
/// assert_eq!(Cascade::DEFAULT.to_string(), "save-update, merge");
/// ```
#[derive(Clone, Copy, Default, PartialEq, Eq, Hash)]
pub struct Cascade(u8);

impl Cascade {
    /// Nothing: `cascade(none)`.
    pub const NONE: Cascade = Cascade(0);
    /// What is linked is written with the object. The session has it already, since only objects of the session can be
    /// linked.
    pub const SAVE_UPDATE: Cascade = Cascade(1);
    /// `merge` copies the objects at the other end, too.
    pub const MERGE: Cascade = Cascade(1 << 1);
    /// What the object leads to is deleted with it.
    pub const DELETE: Cascade = Cascade(1 << 2);
    /// What is taken away from the object is deleted.
    pub const DELETE_ORPHAN: Cascade = Cascade(1 << 3);
    /// `refresh` and `expire` reach the objects at the other end.
    pub const REFRESH_EXPIRE: Cascade = Cascade(1 << 4);
    /// `expunge` reaches the objects at the other end.
    pub const EXPUNGE: Cascade = Cascade(1 << 5);
    /// All but [`DELETE_ORPHAN`](Self::DELETE_ORPHAN): `cascade(all)`.
    pub const ALL: Cascade = Cascade(0b11_0111);
    /// [`SAVE_UPDATE`](Self::SAVE_UPDATE) and [`MERGE`](Self::MERGE), which a relationship has that says nothing.
    pub const DEFAULT: Cascade = Cascade(0b11);

    /// What is in either.
    #[must_use]
    pub const fn union(self, other: Cascade) -> Cascade {
        Cascade(self.0 | other.0)
    }

    /// Whether all of the other is in it.
    pub const fn contains(self, other: Cascade) -> bool {
        self.0 & other.0 == other.0
    }
}

impl fmt::Display for Cascade {
    /// As SQLAlchemy writes it: `save-update, merge`.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let names = [
            (Cascade::SAVE_UPDATE, "save-update"),
            (Cascade::MERGE, "merge"),
            (Cascade::DELETE, "delete"),
            (Cascade::DELETE_ORPHAN, "delete-orphan"),
            (Cascade::REFRESH_EXPIRE, "refresh-expire"),
            (Cascade::EXPUNGE, "expunge"),
        ];
        let names: Vec<&str> =
            names.iter().filter(|(cascade, _)| self.contains(*cascade)).map(|(_, name)| *name).collect();
        f.write_str(if names.is_empty() { "none" } else { "" })?;
        f.write_str(&names.join(", "))
    }
}

impl fmt::Debug for Cascade {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Cascade({self})")
    }
}
