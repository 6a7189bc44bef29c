//! A relationship: a field that is marked `#[relationship]`.

use syn::{Attribute, Field, Ident, LitStr, Type, Visibility};

use super::{Column, attr, types};
use crate::ctxt::Ctxt;

const OPTIONS: &[&str] = &["back_populates", "key", "secondary"];

/// The direction of a relationship.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Kind {
    BelongsTo,
    HasMany,
    ManyToMany,
}

impl Kind {
    /// The name of the field's type, and of the variant of `RelationKind`.
    pub(crate) fn name(self) -> &'static str {
        match self {
            Kind::BelongsTo => "BelongsTo",
            Kind::HasMany => "HasMany",
            Kind::ManyToMany => "ManyToMany",
        }
    }

    /// The direction that a field's type says, and the type that it leads to.
    pub(super) fn of(ty: &Type) -> Option<(Self, Option<&Type>)> {
        let segment = types::last_segment(ty)?;
        let kind =
            [Kind::BelongsTo, Kind::HasMany, Kind::ManyToMany].into_iter().find(|kind| segment.ident == kind.name())?;
        Some((kind, types::only_argument(segment)))
    }
}

/// A relationship.
pub(crate) struct Relation {
    pub(crate) ident: Ident,
    /// The field's name, without `r#`.
    pub(crate) field: String,
    pub(crate) vis: Visibility,
    pub(crate) docs: Vec<Attribute>,
    pub(crate) ty: Type,
    pub(crate) kind: Kind,
    /// The model at the other end, without its `Option`.
    pub(crate) target: Type,
    /// Whether it is a `BelongsTo<Option<…>>`.
    pub(crate) optional: bool,
    pub(crate) back_populates: Option<Ident>,
    /// The foreign key's field: of this struct for a `BelongsTo`, of the target for a `HasMany`.
    pub(crate) key: Option<Ident>,
    pub(crate) secondary: Option<LitStr>,
}

impl Relation {
    /// Reads a field that is marked `#[relationship]`.
    pub(super) fn read(ctxt: &Ctxt, field: &Field, ident: &Ident) -> Option<Self> {
        let Some((kind, Some(target))) = Kind::of(&field.ty) else {
            ctxt.error(
                &field.ty,
                "a relationship's type is `HasMany<Model>`, `BelongsTo<Model>`, `BelongsTo<Option<Model>>` or \
                 `ManyToMany<Model>`",
            );
            return None;
        };
        let inner = types::option_of(target);
        if let (Some(inner), Kind::HasMany | Kind::ManyToMany) = (inner, kind) {
            let inner = quote::quote!(#inner);
            ctxt.error(
                &field.ty,
                format!("a collection is empty rather than `None`: write `{}<{inner}>`", kind.name()),
            );
        }
        let mut relation = Relation {
            ident: ident.clone(),
            field: attr::plain(ident),
            vis: field.vis.clone(),
            docs: attr::docs(&field.attrs),
            ty: field.ty.clone(),
            kind,
            target: inner.unwrap_or(target).clone(),
            optional: inner.is_some(),
            back_populates: None,
            key: None,
            secondary: None,
        };
        attr::options(ctxt, &field.attrs, "relationship", OPTIONS, |name, input| {
            match name.to_string().as_str() {
                "back_populates" => relation.back_populates = Some(attr::field(input)?),
                "key" => relation.key = Some(attr::field(input)?),
                "secondary" => relation.secondary = Some(attr::text(input)?),
                _ => return Ok(false),
            }
            Ok(true)
        });
        relation.check(ctxt);
        Some(relation)
    }

    fn check(&self, ctxt: &Ctxt) {
        match (self.kind, &self.secondary, &self.key) {
            (Kind::ManyToMany, None, _) => ctxt.error(
                &self.ty,
                "a `ManyToMany` needs its association table: `#[relationship(secondary = \"post_tags\")]`",
            ),
            (Kind::ManyToMany, _, Some(key)) => {
                ctxt.error(
                    key,
                    "the keys of a `ManyToMany` are in its association table: `key` is for the other kinds",
                );
            }
            (Kind::BelongsTo | Kind::HasMany, Some(secondary), _) => ctxt.error(
                secondary,
                format!("`secondary` is for a `ManyToMany`; a `{}` has no association table", self.kind.name()),
            ),
            _ => {}
        }
    }

    /// Finds the foreign key of a `BelongsTo` among the struct's columns.
    pub(super) fn resolve_key(&mut self, ctxt: &Ctxt, model: &Ident, columns: &[Column]) {
        if self.kind != Kind::BelongsTo {
            return;
        }
        let column = match &self.key {
            Some(key) => {
                let column = columns.iter().find(|column| column.ident == *key);
                match column {
                    None => ctxt.error(key, format!("`{model}` has no column `{key}`")),
                    Some(column) if column.foreign_key.is_none() => {
                        let hint = "a relationship's key refers to the other table: add `foreign_key(…)` to it";
                        ctxt.error(key, format!("`{key}` is not a foreign key: {hint}"));
                    }
                    Some(_) => {}
                }
                column
            }
            None => self.guess_key(ctxt, model, columns),
        };
        let Some(column) = column else { return };
        if column.nullability() == Some(!self.optional) {
            ctxt.error(&self.ty, self.wrong_null(column));
        }
        self.key = Some(column.ident.clone());
    }

    /// The message for a field that is `BelongsTo<Option<…>>` and whose key is not, or the other way round.
    pub(crate) fn wrong_null(&self, key: &Column) -> String {
        let target = &self.target;
        let target = quote::quote!(#target);
        let (can, wanted) =
            if self.optional { ("cannot", target.to_string()) } else { ("may", format!("Option<{target}>")) };
        format!("its key `{}` {can} be NULL: write `BelongsTo<{wanted}>`", key.field)
    }

    fn guess_key<'c>(&self, ctxt: &Ctxt, model: &Ident, columns: &'c [Column]) -> Option<&'c Column> {
        let target = &types::last_segment(&self.target)?.ident;
        let to_target = |column: &&Column| {
            let key = column.foreign_key.as_ref();
            let named = key.and_then(|key| key.target.segments.last()).map(|segment| &segment.ident);
            named.is_some_and(|named| named == target || (named == "Self" && target == model))
        };
        let candidates: Vec<&Column> = columns.iter().filter(to_target).collect();
        match candidates.as_slice() {
            [one] => Some(one),
            // The error of the key itself is enough.
            [] if columns.iter().any(|column| column.foreign_key_said && column.foreign_key.is_none()) => None,
            [] => {
                let (field, id) = (&self.field, if self.optional { "Option<i64>" } else { "i64" });
                ctxt.error(
                    &self.ty,
                    format!(
                        "`{model}` has no foreign key to `{target}`: add `#[column(foreign_key({target}.id))] \
                         {field}_id: {id}`, or name the key with `key = …`"
                    ),
                );
                None
            }
            many => {
                let named = format!("{}_id", self.field);
                let found = many.iter().find(|column| column.field == named).copied();
                if found.is_none() {
                    let keys: Vec<String> = many.iter().map(|column| format!("`{}`", column.field)).collect();
                    ctxt.error(
                        &self.ty,
                        format!("there are several keys to `{target}` ({}): name one with `key = …`", keys.join(", ")),
                    );
                }
                found
            }
        }
    }
}
