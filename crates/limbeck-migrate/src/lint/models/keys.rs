//! L003, L014, L015, L016: foreign keys.

use std::collections::{BTreeMap, VecDeque};

use limbeck::model::{Cascade, ModelDef, RelationKind};
use limbeck::schema::{Action, Deferrable, ForeignKey, Index, IndexOn, SqlType, Table, TableName};

use super::edit::{Edit, add_option, append, remove_option};
use super::source::Opt;
use super::subject::{Findings, Place, Subject};

/// A foreign key of a model, of one column or of several.
struct Key<'a> {
    columns: Vec<usize>,
    target: &'static ModelDef,
    /// The columns referred to.
    fields: Vec<&'static str>,
    on_delete: Action,
    /// As it is written, if that is known.
    option: Option<&'a Opt>,
}

impl<'a> Key<'a> {
    fn place(&self, subject: &Subject<'a>) -> Place {
        let otherwise = match self.columns[..] {
            [column] => subject.at(column),
            _ => subject.at_model(),
        };
        subject.at_option(self.option, otherwise)
    }
}

fn keys<'a>(subject: &Subject<'a>) -> Vec<Key<'a>> {
    let single = subject.columns().filter_map(|(i, column)| {
        let key = column.foreign_key?;
        let option = subject.written(i).and_then(|field| field.option("foreign_key"));
        let (target, fields) = ((key.target)(), vec![key.field]);
        Some(Key { columns: vec![i], target, fields, on_delete: key.on_delete, option })
    });
    let written = subject.model_options("foreign_key");
    let several = subject.model.foreign_keys.iter().enumerate().map(|(i, key)| Key {
        columns: key.columns.to_vec(),
        target: (key.target)(),
        fields: key.fields.to_vec(),
        on_delete: key.on_delete,
        option: written.get(i).copied(),
    });
    single.chain(several).collect()
}

/// L003
pub(super) fn unindexed(subject: &Subject<'_>, out: &mut Findings<'_>) {
    for key in keys(subject) {
        let names: Vec<&str> = key.columns.iter().map(|&column| subject.column(column).name).collect();
        if leads(subject.table, &names) {
            continue;
        }
        let mut place = key.place(subject);
        let mut edits = Vec::new();
        if let ([column], Some(source)) = (&key.columns[..], subject.source) {
            let own = subject.own_field(*column);
            let off = own.and_then(|field| {
                let attribute = field.attributes.iter().find(|attribute| {
                    attribute.name == "column" && attribute.options.iter().any(|option| option.name == "index")
                })?;
                Some((attribute, attribute.options.iter().find(|option| option.name == "index")?))
            });
            if let Some((attribute, option)) = off.filter(|(_, option)| !option.is_on()) {
                place = subject.at_option(Some(option), place);
                edits.push(remove_option(source.file, attribute, option));
            }
        }
        let fields = subject.fields(&key.columns);
        let message = format!("the foreign key {fields} of `{}` has no index", subject.model.name);
        out.add_fixable(place, message, "take out `index = false`, or begin another index with it", edits);
    }
}

/// Whether an index of the table, be it that of a constraint, begins with these columns, in whatever order.
fn leads(table: &Table, columns: &[&str]) -> bool {
    let begins = |of: &[String]| {
        let first = of.get(..columns.len()).unwrap_or_default();
        !first.is_empty() && first.iter().all(|name| columns.contains(&name.as_str()))
    };
    let full = |index: &&Index| index.options.as_ref().is_none_or(|options| options.predicate.is_none());
    let columns_first = |index: &Index| match &index.options {
        None => begins(&index.columns),
        Some(options) => {
            let first = options.keys.iter().take_while(|key| matches!(key.on, IndexOn::Column(_))).count();
            begins(index.columns.get(..first).unwrap_or_default())
        }
    };
    table.primary_key.as_ref().is_some_and(|key| begins(&key.columns))
        || table.uniques.iter().any(|unique| begins(&unique.columns))
        || table.indexes.iter().filter(full).any(columns_first)
}

/// L014
pub(super) fn undecided(subject: &Subject<'_>, out: &mut Findings<'_>) {
    for key in keys(subject) {
        // Whether it was said is known from the source alone.
        let Some(option) = key.option else { continue };
        if key.on_delete != Action::NoAction || option.says("on_delete") {
            continue;
        }
        let cascades = other_end_cascades(subject, &key);
        let (fields, target) = (subject.fields(&key.columns), key.target.name);
        let message = format!("it is not said what becomes of a `{}` whose `{target}` is deleted", subject.model.name);
        let nullable = key.columns.iter().any(|&column| subject.column(column).nullable);
        let help = match (cascades, nullable) {
            (true, _) => format!("add `on_delete = cascade` to {fields}, as `{target}` does with loaded objects"),
            (false, true) => format!("add `on_delete = set_null`, `cascade` or `restrict` to {fields}"),
            (false, false) => format!("add `on_delete = cascade` or `restrict` to {fields}"),
        };
        let own = key.columns.len() > 1 || subject.own_field(key.columns[0]).is_some();
        let edits = match (subject.source, &option.brackets) {
            (Some(source), Some(brackets)) if cascades && own => {
                vec![append(source.file, brackets, "on_delete = cascade")]
            }
            _ => Vec::new(),
        };
        out.add_fixable(key.place(subject), message, help, edits);
    }
}

/// Whether the target has a relationship over the key that deletes with it.
fn other_end_cascades(subject: &Subject<'_>, key: &Key<'_>) -> bool {
    let over = |fields: &[&str]| {
        let own = key.columns.iter().map(|&column| subject.column(column).field);
        fields.is_empty() || own.eq(fields.iter().copied())
    };
    key.target.relations.iter().any(|relation| {
        let back = relation.back_populates.and_then(|back| subject.model.relation_of_field(back));
        matches!(relation.kind, RelationKind::HasMany | RelationKind::HasOne)
            && std::ptr::eq((relation.target)(), subject.model)
            && relation.options.cascade.contains(Cascade::DELETE)
            && over(relation.key)
            && back.is_none_or(|back| over(subject.model.relations[back].key))
            // Without a word about the key it is the only one between the two.
            && keys(subject).iter().filter(|other| std::ptr::eq(other.target, key.target)).count() == 1
    })
}

/// L015
pub(super) fn cycle(subject: &Subject<'_>, out: &mut Findings<'_>) {
    let own = subject.table.full_name();
    for (position, key) in subject.table.foreign_keys.iter().enumerate() {
        if !is_required(subject.table, key) {
            continue;
        }
        let Some(path) = way(subject, &key.target(), &own) else { continue };
        // Each circle is said once, at the first of its tables.
        if path.iter().any(|table| *table < own) {
            continue;
        }
        let names = path.iter().map(ToString::to_string).collect::<Vec<_>>().join(" → ");
        let place = keys(subject).get(position).map_or_else(|| subject.at_model(), |key| key.place(subject));
        let columns = key.columns.join(", ");
        let message = match path.len() {
            1 => {
                format!("each row of `{own}` needs another one: `{columns}` refers to its own table and cannot be NULL")
            }
            _ => format!("foreign keys that cannot be NULL lead in a circle: {own} → {names}"),
        };
        out.add(
            place,
            message,
            format!("write the type of `{columns}` as an `Option`, or that of another key of the circle"),
        );
    }
}

/// The tables from one to another over keys that cannot be NULL: the shortest way, with both its ends.
fn way(subject: &Subject<'_>, from: &TableName, to: &TableName) -> Option<Vec<TableName>> {
    let mut before: BTreeMap<TableName, Option<TableName>> = BTreeMap::from([(from.clone(), None)]);
    let mut queue = VecDeque::from([from.clone()]);
    while let Some(at) = queue.pop_front() {
        if at == *to {
            let mut path = vec![at.clone()];
            let mut step = before.get(&at).cloned().flatten();
            while let Some(table) = step {
                step = before.get(&table).cloned().flatten();
                path.push(table);
            }
            path.reverse();
            return Some(path);
        }
        let Some(table) = subject.schema.table(&at) else { continue };
        for key in table.foreign_keys.iter().filter(|key| is_required(table, key)) {
            let target = key.target();
            if !before.contains_key(&target) {
                before.insert(target.clone(), Some(at.clone()));
                queue.push_back(target);
            }
        }
    }
    None
}

fn is_required(table: &Table, key: &ForeignKey) -> bool {
    let required = |name: &String| table.column(name).is_some_and(|column| !column.nullable);
    key.deferrable != Deferrable::InitiallyDeferred && key.columns.iter().all(required)
}

/// L016
pub(super) fn mismatch(subject: &Subject<'_>, out: &mut Findings<'_>) {
    for key in keys(subject) {
        for (&column, field) in key.columns.iter().zip(&key.fields) {
            let own = subject.column(column);
            let Some(target) = key.target.columns.iter().find(|target| target.field == *field) else { continue };
            if own.sql_type == target.sql_type {
                continue;
            }
            let (of_own, of_target) = (described(own.sql_type), described(target.sql_type));
            let (label, target_label) = (subject.label(column), format!("{}.{field}", key.target.name));
            let message = format!("`{label}` is {of_own}, and `{target_label}`, which it refers to, {of_target}");
            let mut edits: Vec<Edit> = Vec::new();
            if let (
                SqlType::String { length: Some(length) },
                SqlType::String { length: None },
                Some(source),
                Some(field),
            ) = (target.sql_type, own.sql_type, subject.source, subject.own_field(column))
            {
                edits.push(add_option(source.file, field, "column", &format!("length = {length}")));
            }
            out.add_fixable(subject.at(column), message, format!("give it the type of `{target_label}`"), edits);
        }
    }
}

fn described(sql_type: &SqlType) -> String {
    match sql_type {
        SqlType::String { length: Some(length) } => format!("text of at most {length} characters"),
        SqlType::String { length: None } => "text without a `length`".into(),
        SqlType::Text => "`text`".into(),
        SqlType::Numeric { precision: Some(precision), scale } => format!("`numeric({precision}, {scale})`"),
        SqlType::Numeric { precision: None, .. } => "a decimal without `numeric`".into(),
        SqlType::Uuid { text: true } => "a UUID as `text`".into(),
        SqlType::Uuid { text: false } => "a UUID".into(),
        SqlType::Named(name) => format!("`{name}`"),
        other => format!("{other:?}"),
    }
}
