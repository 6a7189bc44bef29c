//! Relationships: their kinds, and what becomes of the children of a deleted row.

use super::names;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Kind {
    BelongsTo,
    HasMany,
    HasOne,
    ManyToMany,
}

impl Kind {
    /// The name of the field's type.
    pub(super) fn name(self) -> &'static str {
        match self {
            Kind::BelongsTo => "BelongsTo",
            Kind::HasMany => "HasMany",
            Kind::HasOne => "HasOne",
            Kind::ManyToMany => "ManyToMany",
        }
    }

    /// The word that it is said by.
    pub(super) fn word(self) -> &'static str {
        match self {
            Kind::BelongsTo => "belongs_to",
            Kind::HasMany => "has_many",
            Kind::HasOne => "has_one",
            Kind::ManyToMany => "many_to_many",
        }
    }
}

/// What the database does to the rows that refer to a deleted one.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum OnDelete {
    Cascade,
    Restrict,
    SetNull,
    NoAction,
}

const ACTIONS: [(&str, OnDelete); 4] = [
    ("cascade", OnDelete::Cascade),
    ("restrict", OnDelete::Restrict),
    ("set_null", OnDelete::SetNull),
    ("no_action", OnDelete::NoAction),
];

impl OnDelete {
    pub(super) fn read(said: &str) -> Result<OnDelete, String> {
        let word = said.replace('-', "_");
        if let Some((_, action)) = ACTIONS.iter().find(|(known, _)| *known == word) {
            return Ok(*action);
        }
        let known = ACTIONS.map(|(known, _)| known);
        Err(match names::nearest(&word, &known) {
            Some(near) => format!("there is no `on_delete={said}`: did you mean `{near}`?"),
            None => format!("there is no `on_delete={said}`: {}", known.join(", ")),
        })
    }

    pub(super) fn word(self) -> &'static str {
        ACTIONS.iter().find(|(_, action)| *action == self).map_or("no_action", |(word, _)| word)
    }

    /// What is decided where nobody said it: nothing is lost by a delete.
    pub(super) fn by_default(nullable: bool) -> OnDelete {
        if nullable { OnDelete::SetNull } else { OnDelete::Restrict }
    }
}

/// One side of a relationship, as a field of a struct.
#[derive(Debug)]
pub(super) struct Side {
    pub(super) kind: Kind,
    /// The field's name, as Rust writes it.
    pub(super) field: String,
    /// The model at the other end, as the file writes it.
    pub(super) target: String,
    /// Whether it is a `BelongsTo<Option<…>>`.
    pub(super) optional: bool,
    pub(super) back_populates: Option<String>,
    /// The key's field, where there is more than one to the same model.
    pub(super) key: Option<String>,
    pub(super) secondary: Option<String>,
}

impl Side {
    /// Its lines; `wrapper` is how the file writes the name of its kind.
    pub(super) fn lines(&self, wrapper: &str, visibility: &str) -> Vec<String> {
        let options = [
            self.secondary.as_ref().map(|name| format!("secondary = {name:?}")),
            self.back_populates.as_ref().map(|name| format!("back_populates = {name}")),
            self.key.as_ref().map(|name| format!("key = {name}")),
        ];
        let options: Vec<String> = options.into_iter().flatten().collect();
        let attribute = match &options[..] {
            [] => "#[relationship]".to_string(),
            options => format!("#[relationship({})]", options.join(", ")),
        };
        let target = if self.optional { format!("Option<{}>", self.target) } else { self.target.clone() };
        vec![attribute, format!("{visibility}{}: {wrapper}<{target}>,", self.field)]
    }
}
