//! A relationship: a field that is marked `#[relationship]`.

use syn::{Attribute, Field, Ident, LitStr, Type, Visibility};

use super::relation_options::{self, RelationOptions};
use super::{Column, CompositeKey, attr, types};
use crate::ctxt::Ctxt;

const OPTIONS: [&str; 7] = ["back_populates", "key", "secondary", "local", "remote", "view_only", "allow"];

/// The direction of a relationship.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Kind {
    BelongsTo,
    HasMany,
    HasOne,
    ManyToMany,
}

impl Kind {
    /// The name of the field's type, and of the variant of `RelationKind`.
    pub(crate) fn name(self) -> &'static str {
        match self {
            Kind::BelongsTo => "BelongsTo",
            Kind::HasMany => "HasMany",
            Kind::HasOne => "HasOne",
            Kind::ManyToMany => "ManyToMany",
        }
    }

    /// The direction that a field's type says, and the type that it leads to.
    pub(super) fn of(ty: &Type) -> Option<(Self, Option<&Type>)> {
        let segment = types::last_segment(ty)?;
        let kinds = [Kind::BelongsTo, Kind::HasMany, Kind::HasOne, Kind::ManyToMany];
        let kind = kinds.into_iter().find(|kind| segment.ident == kind.name())?;
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
    /// The foreign key's fields: of this struct for a `BelongsTo`, of the target for a `HasMany` or `HasOne`.
    pub(crate) key: Vec<Ident>,
    pub(crate) secondary: Option<LitStr>,
    /// The columns of the association table that refer to this model.
    pub(crate) local: Vec<LitStr>,
    /// The columns of the association table that refer to the target.
    pub(crate) remote: Vec<LitStr>,
    pub(crate) view_only: bool,
    /// What else is said of it.
    pub(crate) options: RelationOptions,
}

impl Relation {
    /// Reads a field that is marked `#[relationship]`.
    pub(super) fn read(ctxt: &Ctxt, field: &Field, ident: &Ident) -> Option<Self> {
        let Some((kind, Some(target))) = Kind::of(&field.ty) else {
            ctxt.error(
                &field.ty,
                "a relationship's type is `HasMany<Model>`, `HasOne<Model>`, `BelongsTo<Model>`, \
                 `BelongsTo<Option<Model>>` or `ManyToMany<Model>`",
            );
            return None;
        };
        let inner = types::option_of(target);
        let why = match kind {
            Kind::BelongsTo => None,
            Kind::HasOne => Some("a `HasOne` may hold nothing anyway"),
            Kind::HasMany | Kind::ManyToMany => Some("a collection is empty rather than `None`"),
        };
        if let (Some(inner), Some(why)) = (inner, why) {
            let inner = quote::quote!(#inner);
            ctxt.error(&field.ty, format!("{why}: write `{}<{inner}>`", kind.name()));
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
            key: Vec::new(),
            secondary: None,
            local: Vec::new(),
            remote: Vec::new(),
            view_only: false,
            options: RelationOptions::default(),
        };
        let known = [OPTIONS.as_slice(), &relation_options::NAMES].concat();
        attr::options(ctxt, &field.attrs, "relationship", &known, |name, input| {
            match name.to_string().as_str() {
                "back_populates" => relation.back_populates = Some(attr::field(input)?),
                "key" => relation.key = attr::fields(input)?,
                "secondary" => relation.secondary = Some(attr::text(input)?),
                "local" => relation.local = attr::texts(input)?,
                "remote" => relation.remote = attr::texts(input)?,
                "view_only" => relation.view_only = attr::flag(input)?,
                "allow" => super::allow::check(name, input)?,
                _ => return relation.options.read(name, input),
            }
            Ok(true)
        });
        relation.check(ctxt);
        Some(relation)
    }

    fn check(&self, ctxt: &Ctxt) {
        let associated = self.kind == Kind::ManyToMany;
        if associated && self.secondary.is_none() {
            ctxt.error(
                &self.ty,
                "a `ManyToMany` needs its association table: `#[relationship(secondary = \"post_tags\")]`",
            );
        }
        if let (true, Some(key)) = (associated, self.key.first()) {
            ctxt.error(key, "the keys of a `ManyToMany` are in its association table: `key` is for the other kinds");
        }
        let kind = self.kind.name();
        if let (false, Some(secondary)) = (associated, &self.secondary) {
            ctxt.error(secondary, format!("`secondary` is for a `ManyToMany`; a `{kind}` has no association table"));
        }
        if let (false, Some(name)) = (associated, self.local.iter().chain(&self.remote).next()) {
            ctxt.error(
                name,
                format!("`local` and `remote` name columns of an association table, which a `{kind}` has not"),
            );
        }
        if !associated && self.view_only {
            ctxt.error(&self.ty, "`view_only` is for a `ManyToMany` whose association table has a model of its own");
        }
        self.options.check(ctxt, self.kind, self.view_only);
    }

    /// Finds the foreign key of a `BelongsTo` among the struct's columns and its keys of several.
    pub(super) fn resolve_key(&mut self, ctxt: &Ctxt, model: &Ident, columns: &[Column], keys: &[CompositeKey]) {
        if self.kind != Kind::BelongsTo {
            return;
        }
        let key = if self.key.is_empty() {
            self.guess_key(ctxt, model, columns, keys)
        } else {
            self.named_key(ctxt, model, columns, keys)
        };
        let Some(key) = key else { return };
        if let Some(column) = self.nullability_differs(&key) {
            ctxt.error(&self.ty, self.wrong_null(column));
        }
        self.key = key.into_iter().map(|column| column.ident.clone()).collect();
    }

    /// The columns of the key that `key` names.
    fn named_key<'c>(
        &self,
        ctxt: &Ctxt,
        model: &Ident,
        columns: &'c [Column],
        keys: &[CompositeKey],
    ) -> Option<Vec<&'c Column>> {
        let mut found = Vec::with_capacity(self.key.len());
        for key in &self.key {
            match columns.iter().find(|column| column.ident == *key) {
                None => ctxt.error(key, format!("`{model}` has no column `{key}`")),
                Some(column) => found.push(column),
            }
        }
        if found.len() < self.key.len() {
            return None;
        }
        if let ([column], [key]) = (found.as_slice(), self.key.as_slice())
            && column.foreign_key.is_none()
            && !column.foreign_key_said
        {
            let whole =
                self.composites(model, columns, keys).find(|key| key.iter().any(|one| one.ident == column.ident));
            if whole.is_none() {
                let hint = "a relationship's key refers to the other table: add `foreign_key(…)` to it";
                ctxt.error(key, format!("`{key}` is not a foreign key: {hint}"));
            }
            return whole;
        }
        if found.len() > 1 {
            let whole = self.composites(model, columns, keys).find(|key| {
                key.len() == found.len() && found.iter().all(|column| key.iter().any(|one| one.ident == column.ident))
            });
            if whole.is_none() {
                let (target, names) = (types::last_segment(&self.target).map(|last| last.ident.to_string()), &self.key);
                let names: Vec<String> = names.iter().map(ToString::to_string).collect();
                let (target, names) = (target.unwrap_or_default(), names.join(", "));
                ctxt.error(
                    &self.key[0],
                    format!(
                        "`{model}` has no foreign key of the columns ({names}) to `{target}`: add \
                         `#[model(foreign_key(({names}), {target}(…)))]`"
                    ),
                );
            }
            return whole;
        }
        Some(found)
    }

    /// The keys of several columns that lead to the target.
    fn composites<'c>(
        &self,
        model: &Ident,
        columns: &'c [Column],
        keys: &[CompositeKey],
    ) -> impl Iterator<Item = Vec<&'c Column>> {
        let to_target = keys.iter().filter(|key| self.leads_to(model, &key.target));
        to_target.filter_map(|key| key.columns.iter().map(|field| columns.get(field.column)).collect())
    }

    /// Whether a key's target is written as this relationship's.
    fn leads_to(&self, model: &Ident, path: &syn::Path) -> bool {
        let Some(target) = types::last_segment(&self.target).map(|segment| &segment.ident) else { return false };
        let named = path.segments.last().map(|segment| &segment.ident);
        named.is_some_and(|named| named == target || (named == "Self" && target == model))
    }

    /// A column that shows the field to be an `Option` where its key cannot be NULL, or not to be one where it
    /// can. One column that can be NULL makes the whole key so.
    fn nullability_differs<'c>(&self, key: &[&'c Column]) -> Option<&'c Column> {
        if self.optional {
            let never = key.iter().all(|column| column.nullability() == Some(false));
            key.first().copied().filter(|_| never)
        } else {
            key.iter().copied().find(|column| column.nullability() == Some(true))
        }
    }

    /// The message for a field that is `BelongsTo<Option<…>>` and whose key is not, or the other way round.
    pub(crate) fn wrong_null(&self, key: &Column) -> String {
        let target = &self.target;
        let target = quote::quote!(#target);
        let (can, wanted) =
            if self.optional { ("cannot", target.to_string()) } else { ("may", format!("Option<{target}>")) };
        format!("its key `{}` {can} be NULL: write `BelongsTo<{wanted}>`", key.field)
    }

    fn guess_key<'c>(
        &self,
        ctxt: &Ctxt,
        model: &Ident,
        columns: &'c [Column],
        keys: &[CompositeKey],
    ) -> Option<Vec<&'c Column>> {
        let target = &types::last_segment(&self.target)?.ident;
        let to_target =
            |column: &&Column| column.foreign_key.as_ref().is_some_and(|key| self.leads_to(model, &key.target));
        let single = columns.iter().filter(to_target).map(|column| vec![column]);
        let candidates: Vec<Vec<&Column>> = single.chain(self.composites(model, columns, keys)).collect();
        match candidates.as_slice() {
            [one] => Some(one.clone()),
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
                let found = many.iter().find(|key| matches!(key.as_slice(), [column] if column.field == named));
                if found.is_none() {
                    let name = |key: &Vec<&Column>| match key.as_slice() {
                        [column] => format!("`{}`", column.field),
                        several => {
                            let fields: Vec<&str> = several.iter().map(|column| column.field.as_str()).collect();
                            format!("`({})`", fields.join(", "))
                        }
                    };
                    let keys: Vec<String> = many.iter().map(name).collect();
                    ctxt.error(
                        &self.ty,
                        format!("there are several keys to `{target}` ({}): name one with `key = …`", keys.join(", ")),
                    );
                }
                found.cloned()
            }
        }
    }
}
