//! L005 to L007: columns that may be NULL and should not.

use limbeck::schema::{Index, SqlType};

use super::subject::{Findings, Subject};
use super::words::words;

/// Names of columns by which people find a row.
const NATURAL: &[&str] = &["email", "username", "login", "slug", "code", "sku", "isbn", "iban", "handle", "key"];

/// L005
pub(super) fn defaulted(subject: &Subject<'_>, out: &mut Findings<'_>) {
    for (i, column) in subject.columns().filter(|(_, column)| column.nullable) {
        let client = subject.written(i).is_some_and(|field| field.option("default").is_some());
        if !client && column.server_default.is_none() {
            continue;
        }
        let label = subject.label(i);
        let message = format!("`{label}` has a default and may be NULL all the same");
        out.add(subject.at(i), message, "write its type without `Option`, or take the default away");
    }
}

/// L006
pub(super) fn unique(subject: &Subject<'_>, out: &mut Findings<'_>) {
    for (i, column) in subject.columns().filter(|(_, column)| column.nullable && column.foreign_key.is_none()) {
        let natural = words(column.name).last().is_some_and(|word| NATURAL.contains(&word.as_str()));
        let alone = subject.table.uniques.iter().find(|unique| unique.columns == [column.name]);
        if natural && alone.is_some_and(|unique| !unique.nulls_not_distinct) {
            let message = format!("`{}` is unique and may be NULL: any number of rows may have none", subject.label(i));
            let help = format!("rows are found by their {}: write its type without `Option`", column.name);
            out.add(subject.at(i), message, help);
        }
    }
    let constraints = subject.table.uniques.iter().filter(|unique| !unique.nulls_not_distinct);
    let indexes = subject.table.indexes.iter().filter(|index| index.unique && index.is_plain());
    for columns in constraints.map(|unique| &unique.columns).chain(indexes.map(|index| &index.columns)) {
        if columns.len() < 2 {
            continue;
        }
        let nullable = |name: &&String| subject.table.column(name).is_some_and(|column| column.nullable);
        let Some(null) = columns.iter().find(nullable) else { continue };
        let others: Vec<&str> = columns.iter().filter(|name| *name != null).map(String::as_str).collect();
        if subject.table.indexes.iter().any(|index| is_for_nulls(index, null, &others)) {
            continue;
        }
        let Some(i) = subject.model.columns.iter().position(|column| column.name == null) else { continue };
        let others = others.join(", ");
        let message = format!(
            "`{}` may be NULL, and is unique together with {others}: rows without it may have equal {others}",
            subject.label(i)
        );
        let help = format!(
            "write its type without `Option`, or add `index({others}, unique, where = \"{null} IS NULL\")` to the model"
        );
        out.add(subject.at(i), message, help);
    }
}

/// Whether an index makes the other columns unique where one is NULL.
fn is_for_nulls(index: &Index, null: &str, others: &[&str]) -> bool {
    let predicate = index.options.as_ref().and_then(|options| options.predicate.as_deref()).unwrap_or_default();
    let words: Vec<String> = predicate.split_whitespace().map(str::to_lowercase).collect();
    index.unique && words == [&null.to_lowercase(), "is", "null"] && index.columns == others
}

/// L007
pub(super) fn boolean(subject: &Subject<'_>, out: &mut Findings<'_>) {
    for (i, _) in subject.columns().filter(|(_, column)| column.nullable && *column.sql_type == SqlType::Boolean) {
        let message = format!("`{}` is a boolean of three values", subject.label(i));
        out.add(
            subject.at(i),
            message,
            "write `bool` with `#[column(default = false)]`, or an enum of the three cases",
        );
    }
}
