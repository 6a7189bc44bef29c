//! The two sides of each relationship: what the new struct gets, and what the models that are there get.

use limbeck::schema::naming;
use syn::spanned::Spanned;

use super::edit::Edit;
use super::field::{Field, Of};
use super::imports;
use super::insert;
use super::modules::{Crate, Model, Module};
use super::names;
use super::relation::{Kind, OnDelete, Side};
use super::render;
use super::source::bytes;
use super::target::{self, Key};

/// The struct that is to be.
#[derive(Debug)]
pub(super) struct Own<'s> {
    pub(super) entity: &'s str,
    pub(super) table: &'s str,
    /// Its module, from the root of the crate.
    pub(super) module: Vec<String>,
    pub(super) key: Key,
    /// Names of types that its file has already.
    pub(super) taken: Vec<String>,
}

/// What the relationships make of it.
#[derive(Debug, Default)]
pub(super) struct Plan {
    /// The columns that are foreign keys, each by the position of its field.
    pub(super) keys: Vec<(usize, Vec<String>)>,
    pub(super) relationships: Vec<Vec<String>>,
    pub(super) imports: Vec<Vec<String>>,
    /// Names of fields of the new struct, beside those that are said.
    pub(super) fields: Vec<String>,
    pub(super) edits: Vec<(usize, Edit)>,
    /// What a person should know: what was added where, and what was decided.
    pub(super) added: Vec<String>,
    pub(super) decided: Vec<String>,
    /// The association tables.
    pub(super) tables: Vec<String>,
}

/// A relationship that was said, with its other end found.
struct Relation<'c, 'f> {
    position: usize,
    field: &'f Field,
    kind: Kind,
    /// `None` where it is the new model itself.
    target: Option<Model<'c>>,
    /// The field at the other end; `None` where there is none.
    back: Option<String>,
    /// Whether the key has to be named, since there is another between the same two.
    several: bool,
}

/// More fields for a model that is there.
struct Far<'c> {
    model: Model<'c>,
    names: Vec<String>,
    columns: Vec<Vec<String>>,
    relationships: Vec<Vec<String>>,
}

/// Plans both sides of all relationships. All mistakes are found.
pub(super) fn plan(all: &Crate, own: &Own<'_>, fields: &[Field]) -> Result<Plan, Vec<String>> {
    let mut errors = Vec::new();
    let relations = found(all, own, fields, &mut errors);
    let mut plan = Plan::default();
    let mut far: Vec<Far<'_>> = Vec::new();
    let mut written: Vec<(String, String)> = Vec::new();
    for relation in &relations {
        let done = match relation.target {
            Some(model) => {
                let name = own_name(all, own, &model, &mut plan, &mut written);
                name.and_then(|name| one(all, own, relation, Some((model, name)), &mut plan, &mut far))
            }
            None => one(all, own, relation, None, &mut plan, &mut far),
        };
        errors.extend(done.err().map(|message| relation.field.wrong(message)));
    }
    for far in far {
        errors.extend(far.edit(all, own, &mut plan).err());
    }
    if errors.is_empty() { Ok(plan) } else { Err(errors) }
}

/// The relationships with their other ends, and the names of the fields there.
fn found<'c, 'f>(
    all: &'c Crate,
    own: &Own<'_>,
    fields: &'f [Field],
    errors: &mut Vec<String>,
) -> Vec<Relation<'c, 'f>> {
    let mut relations: Vec<Relation<'c, 'f>> = Vec::new();
    for (position, field) in fields.iter().enumerate() {
        let Of::Relation(kind, said) = &field.of else { continue };
        let target = match said.as_str() == own.entity {
            true => None,
            false => match target::find(all, said) {
                Ok(model) => Some(model),
                Err(message) => {
                    errors.push(field.wrong(message));
                    continue;
                }
            },
        };
        relations.push(Relation { position, field, kind: *kind, target, back: None, several: false });
    }
    let same = |a: &Relation<'_, '_>, b: &Relation<'_, '_>| match (&a.target, &b.target) {
        (None, None) => true,
        (Some(a), Some(b)) => std::ptr::eq(a.item, b.item),
        _ => false,
    };
    let key_is_here = |kind: Kind| kind == Kind::BelongsTo;
    for i in 0..relations.len() {
        let to_same: Vec<&Relation<'_, '_>> = relations.iter().filter(|other| same(other, &relations[i])).collect();
        let relation = &relations[i];
        let keys = to_same
            .iter()
            .filter(|other| other.kind != Kind::ManyToMany && key_is_here(other.kind) == key_is_here(relation.kind));
        let several = relation.target.is_none() || keys.count() > 1;
        let back = match (&relation.field.back_populates, relation.field.is_one_sided()) {
            (_, true) => None,
            (Some(said), _) => Some(said.clone()),
            (None, _) => {
                let name = |relation: &Relation<'_, '_>| plain_name(own, relation.field, relation.kind);
                let alike =
                    |other: &&&Relation<'_, '_>| other.field.back_populates.is_none() && name(other) == name(relation);
                Some(back_name(own, relation, to_same.iter().filter(alike).count() > 1))
            }
        };
        relations[i].back = back;
        relations[i].several = several;
    }
    relations
}

/// What the field at the other end is called where nobody said it.
fn back_name(own: &Own<'_>, relation: &Relation<'_, '_>, several: bool) -> String {
    let field = &relation.field.name;
    match (relation.target.is_none(), field.as_str(), relation.kind) {
        (true, "parent", Kind::BelongsTo) if !relation.field.unique => "children".into(),
        (true, "children", Kind::HasMany) => "parent".into(),
        (true, _, Kind::ManyToMany) => format!("{field}_of"),
        _ if several => format!("{field}_{}", plain_name(own, relation.field, relation.kind)),
        _ => plain_name(own, relation.field, relation.kind),
    }
}

/// The new model's name, in the plural where there may be many.
fn plain_name(own: &Own<'_>, field: &Field, kind: Kind) -> String {
    match kind {
        Kind::BelongsTo | Kind::ManyToMany if !field.unique => naming::table(own.entity),
        _ => naming::snake_case(own.entity),
    }
}

/// How the new file writes the name of a model, and what it imports for that.
fn own_name(
    all: &Crate,
    own: &Own<'_>,
    model: &Model<'_>,
    plan: &mut Plan,
    written: &mut Vec<(String, String)>,
) -> Result<String, String> {
    let name = model.name();
    let way = all.way(model.module, &name, &model.item.vis, &own.module)?;
    let path = [&["crate".to_string()], &way[..]].concat();
    let full = imports::written(&path);
    if let Some((_, short)) = written.iter().find(|(known, _)| *known == full) {
        return Ok(short.clone());
    }
    let called = way.last().cloned().unwrap_or_default();
    let is_taken = called == own.entity
        || own.taken.contains(&called)
        || written.iter().any(|(_, short)| *short == called)
        || !names::is_free_in_models(&called);
    let short = if is_taken { full.clone() } else { called };
    if !is_taken {
        plan.imports.push(path);
    }
    if !matches!(model.item.vis, syn::Visibility::Public(_)) {
        plan.decided.push(format!(
            "`{name}` is not `pub`, and rustc warns of a `pub` struct that leads to it: make `{}` `pub(crate)`, too",
            own.entity
        ));
    }
    written.push((full, short.clone()));
    Ok(short)
}

/// Both sides of one relationship.
fn one<'c>(
    all: &'c Crate,
    own: &Own<'_>,
    relation: &Relation<'c, '_>,
    target: Option<(Model<'c>, String)>,
    plan: &mut Plan,
    far: &mut Vec<Far<'c>>,
) -> Result<(), String> {
    let Relation { field, kind, back, several, .. } = relation;
    let name = target.as_ref().map_or(own.entity.to_string(), |(_, name)| name.clone());
    let target_name = target.as_ref().map_or(own.entity.to_string(), |(model, _)| model.name());
    let rust_back = back.as_deref().map(names::rust);
    let side = |kind, key: Option<String>, secondary: Option<String>| Side {
        kind,
        field: names::rust(&field.name),
        target: name.clone(),
        optional: false,
        back_populates: rust_back.clone(),
        key,
        secondary,
    };
    // The other side leads back here.
    let far_name = match &target {
        Some((model, _)) => name_in(all, own, model)?,
        None => own.entity.to_string(),
    };
    let other = |kind, key: Option<String>, secondary: Option<String>| Side {
        kind,
        field: rust_back.clone().unwrap_or_default(),
        target: far_name.clone(),
        optional: false,
        back_populates: Some(names::rust(&field.name)),
        key,
        secondary,
    };
    let mut far_columns = Vec::new();
    let far_side = match kind {
        Kind::BelongsTo => {
            if target.is_none() && !field.nullable {
                return Err("the first row has no other to refer to: put a `?` behind the type".into());
            }
            let key = match &target {
                Some((model, _)) => target::key(all, model, &own.module)?,
                None => own.key.clone(),
            };
            let column = format!("{}_id", field.name);
            plan.imports.extend(key.import.clone().filter(|_| target.is_some()));
            let on_delete = field.on_delete.unwrap_or(OnDelete::by_default(field.nullable));
            let mut options = key.options.clone();
            options.push(format!("foreign_key({name}.{}, on_delete = {})", key.field, on_delete.word()));
            if field.unique {
                options.insert(0, "unique".into());
            }
            let ty = render::optional(&key.ty, field.nullable);
            plan.keys.push((relation.position, render::lines(&options, &column, &ty, "pub ")));
            plan.fields.push(column.clone());
            decide(plan, &format!("{}.{column}", own.table), on_delete, field.on_delete.is_some());
            let key = several.then(|| names::rust(&column));
            let mut side = side(Kind::BelongsTo, key.clone(), None);
            side.optional = field.nullable;
            plan.relationships.push(side.lines("BelongsTo", "pub "));
            other(if field.unique { Kind::HasOne } else { Kind::HasMany }, key, None)
        }
        Kind::HasMany | Kind::HasOne => {
            let back = back.clone().unwrap_or_default();
            let column = format!("{back}_id");
            let on_delete = field.on_delete.unwrap_or(OnDelete::SetNull);
            let mut options = own.key.options.clone();
            options.push(format!("foreign_key({far_name}.{}, on_delete = {})", own.key.field, on_delete.word()));
            if *kind == Kind::HasOne {
                options.insert(0, "unique".into());
            }
            let table = target.as_ref().map_or(own.table.to_string(), |(model, _)| model.table());
            decide(plan, &format!("{table}.{column}"), on_delete, field.on_delete.is_some());
            let items = target.as_ref().map(|(model, _)| all.items(model.module));
            let ty = match own.key.ty.as_str() {
                known @ ("i16" | "i32" | "i64" | "String") => known.to_string(),
                other => items.map_or(other.to_string(), |items| imports::of_prelude(items, other)),
            };
            // Rows that are there have none yet.
            far_columns.push((column.clone(), options, format!("Option<{ty}>")));
            let key = several.then(|| names::rust(&column));
            plan.relationships.push(side(*kind, key.clone(), None).lines(kind.name(), "pub "));
            let mut other = other(Kind::BelongsTo, key, None);
            other.optional = true;
            other
        }
        Kind::ManyToMany => {
            let one = naming::snake_case(own.entity);
            let secondary = field.secondary.clone().unwrap_or_else(|| format!("{one}_{}", field.name));
            if plan.tables.contains(&secondary) {
                return Err(format!(
                    "two relationships would be kept in the table `{secondary}`: say another by `:secondary=NAME`"
                ));
            }
            plan.tables.push(secondary.clone());
            plan.relationships.push(side(Kind::ManyToMany, None, Some(secondary.clone())).lines("ManyToMany", "pub "));
            other(Kind::ManyToMany, None, Some(secondary))
        }
    };
    let Some(back) = back else { return Ok(()) };
    let added = |plan: &mut Plan, columns: &[String]| {
        let what: Vec<&str> = columns.iter().map(String::as_str).chain([back.as_str()]).collect();
        plan.added.push(format!("{target_name}: {}", what.join(", ")));
    };
    let column_names: Vec<String> = far_columns.iter().map(|(name, ..)| name.clone()).collect();
    match &target {
        None => {
            for (column, options, ty) in far_columns {
                plan.keys.push((relation.position, render::lines(&options, &column, &ty, "pub ")));
                plan.fields.push(column);
            }
            plan.relationships.push(far_side.lines(far_side.kind.name(), "pub "));
            plan.fields.push(back.clone());
        }
        Some((model, _)) => {
            let position = match far.iter().position(|far| std::ptr::eq(far.model.item, model.item)) {
                Some(position) => position,
                None => {
                    far.push(Far { model: *model, names: Vec::new(), columns: Vec::new(), relationships: Vec::new() });
                    far.len() - 1
                }
            };
            let far = &mut far[position];
            for name in column_names.iter().chain([back]) {
                far.take(name)?;
            }
            let visibility = visibility(model);
            let wrapper = imports::of_prelude(all.items(model.module), far_side.kind.name());
            far.columns.extend(
                far_columns.iter().map(|(column, options, ty)| render::lines(options, column, ty, &visibility)),
            );
            far.relationships.push(far_side.lines(&wrapper, &visibility));
            added(plan, &column_names);
        }
    }
    Ok(())
}

fn decide(plan: &mut Plan, column: &str, on_delete: OnDelete, is_said: bool) {
    if is_said {
        return;
    }
    let what = match on_delete {
        OnDelete::SetNull => "is set to NULL when the row that it refers to is deleted",
        _ => "refuses that the row which it refers to is deleted",
    };
    plan.decided
        .push(format!("{column} {what} (on_delete = {}); `:on_delete=cascade` deletes along", on_delete.word()));
}

/// How the file of a model writes the name of the new one.
fn name_in(all: &Crate, own: &Own<'_>, model: &Model<'_>) -> Result<String, String> {
    let from = &model.module.path;
    let path = own_way(all, own, from)?;
    let short = !model.module.is_inline() && imports::is_free(all.items(model.module), own.entity);
    Ok(if short { own.entity.to_string() } else { imports::written(&path) })
}

/// The path of the new model, as another module sees it.
fn own_way(all: &Crate, own: &Own<'_>, from: &[String]) -> Result<Vec<String>, String> {
    let depth = (0..own.module.len()).rev().find(|&depth| all.module(&own.module[..depth]).is_some()).unwrap_or(0);
    let Some(deepest) = all.module(&own.module[..depth]) else { return Err("the crate has no root".into()) };
    let rest = [&own.module[depth..], &[own.entity.to_string()]].concat();
    let public = syn::Visibility::Public(Default::default());
    let way = all.way(deepest, &rest[0], &public, from)?;
    Ok([&["crate".to_string()], &way[..], &rest[1..]].concat())
}

/// The visibility of a model's key, which its other fields most likely have.
fn visibility(model: &Model<'_>) -> String {
    let vis = model.item.fields.iter().find_map(|field| match field.vis {
        syn::Visibility::Inherited => None,
        _ => Some(&model.source.text[bytes(field.vis.span())]),
    });
    vis.map(|vis| format!("{vis} ")).unwrap_or_default()
}

impl Far<'_> {
    /// Keeps a name free for a field.
    fn take(&mut self, name: &str) -> Result<(), String> {
        let other = |ident: &syn::Ident| syn::ext::IdentExt::unraw(ident) == name;
        let there = self.model.item.fields.iter().find(|field| field.ident.as_ref().is_some_and(other));
        let message = |place: String| {
            Err(format!(
                "{place}: `{}` has a field `{name}` already: say another name for the other side by \
                 `:back_populates=NAME`",
                self.model.name()
            ))
        };
        if let Some(field) = there {
            let line = self.model.source.line_number(bytes(field.ident.span()).start);
            return message(format!("{}:{line}", self.model.source.shown));
        }
        if self.names.iter().any(|known| known == name) {
            return message(self.model.place());
        }
        self.names.push(name.to_string());
        Ok(())
    }

    fn edit(self, all: &Crate, own: &Own<'_>, plan: &mut Plan) -> Result<(), String> {
        let module: &Module = self.model.module;
        let lines: Vec<String> = self.columns.into_iter().chain(self.relationships).flatten().collect();
        let Some(edits) = insert::fields(self.model.source, self.model.item, &lines) else {
            return Err(format!("{}: there is no place for a field in `{}`", self.model.place(), self.model.name()));
        };
        plan.edits.extend(edits.into_iter().map(|edit| (module.source, edit)));
        if !module.is_inline() && imports::is_free(all.items(module), own.entity) {
            let path = own_way(all, own, &module.path)?;
            let known = plan.edits.iter().any(|(source, edit)| {
                *source == module.source && edit.text.contains(&format!("use {};", imports::written(&path)))
            });
            if !known {
                plan.edits.push((module.source, imports::add(self.model.source, &path)));
            }
        }
        Ok(())
    }
}
