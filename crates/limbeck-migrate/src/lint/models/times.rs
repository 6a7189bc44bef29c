//! L008, L009, L010, L022: dates and times.

use limbeck::model::ColumnDef;
use limbeck::schema::SqlType;

use super::edit::{add_fields, add_option};
use super::source::{Field, SourceFile};
use super::subject::{Findings, Subject};
use super::words::words;

const CREATED: &[&str] = &["created_at", "created_on", "inserted_at", "inserted_on", "created", "date_created"];
const UPDATED: &[&str] =
    &["updated_at", "updated_on", "modified_at", "modified_on", "changed_at", "updated", "modified", "date_modified"];

fn of<'c>(columns: &'c [ColumnDef], names: &[&str]) -> Option<(usize, &'c ColumnDef)> {
    columns.iter().enumerate().find(|(_, column)| names.contains(&column.name))
}

/// Whether a file writes times as chrono does, by way of the prelude.
fn has_chrono(file: &SourceFile) -> bool {
    file.text.contains("limbeck::prelude::*") && !file.text.contains("jiff::")
}

/// L008
pub(super) fn missing(subject: &Subject<'_>, out: &mut Findings<'_>) {
    if subject.is_association() {
        return;
    }
    let columns = subject.model.columns;
    let mut missing = Vec::new();
    if of(columns, CREATED).is_none() {
        missing.push(("created_at", "#[column(default = Utc::now())]"));
    }
    if of(columns, UPDATED).is_none() {
        missing.push(("updated_at", "#[column(default = Utc::now(), on_update = Utc::now())]"));
    }
    if missing.is_empty() {
        return;
    }
    let names: Vec<String> = missing.iter().map(|(name, _)| format!("`{name}`")).collect();
    let message = format!("the table `{}` has no {}", subject.model.table, names.join(" and no "));
    let help = match missing.len() {
        1 => format!("add `{}` with `{}`", missing[0].0, missing[0].1),
        _ => "add `#[model(embed)] timestamps: Timestamps`, of `limbeck::model`, or both columns".to_string(),
    };
    let edits = subject.source.filter(|source| has_chrono(source.file)).and_then(|source| {
        let is_column = |field: &&Field| !field.attributes.iter().any(|attribute| attribute.name == "relationship");
        let last = source.model.fields.iter().rfind(is_column)?;
        let fields: Vec<(String, String)> = missing
            .iter()
            .map(|(name, attribute)| ((*attribute).to_string(), format!("{name}: DateTime<Utc>")))
            .collect();
        Some(vec![add_fields(source.file, last, &fields)])
    });
    out.add_fixable(subject.at_model(), message, help, edits.unwrap_or_default());
}

/// L009
pub(super) fn idle(subject: &Subject<'_>, out: &mut Findings<'_>) {
    for (names, updated) in [(CREATED, false), (UPDATED, true)] {
        let Some((i, column)) = of(subject.model.columns, names) else { continue };
        // What is written elsewhere is trusted.
        let Some(field) = subject.written(i) else { continue };
        let mut lacks = Vec::new();
        if field.option("default").is_none() && column.server_default.is_none() && column.options.computed.is_none() {
            lacks.push("default");
        }
        if updated && field.option("on_update").is_none() && column.options.computed.is_none() {
            lacks.push("on_update");
        }
        if lacks.is_empty() {
            continue;
        }
        let message = format!(
            "`{}` has no `{}`: who writes a row has to think of it",
            subject.label(i),
            lacks.join("` and no `")
        );
        let now = if field.type_text.ends_with("Timestamp") { "Timestamp::now()" } else { "Utc::now()" };
        let options: Vec<String> = lacks.iter().map(|option| format!("{option} = {now}")).collect();
        let options = options.join(", ");
        let edits = match (subject.source, subject.own_field(i)) {
            (Some(source), Some(own)) if own.type_text == "DateTime<Utc>" && has_chrono(source.file) => {
                vec![add_option(source.file, own, "column", &options)]
            }
            _ => Vec::new(),
        };
        out.add_fixable(subject.at(i), message, format!("add `{options}`"), edits);
    }
}

/// L010
pub(super) fn naive(subject: &Subject<'_>, out: &mut Findings<'_>) {
    let naive = SqlType::DateTime { timezone: false };
    for (i, column) in subject.columns().filter(|(_, column)| *column.sql_type == naive) {
        // `starts_at_local`: somebody has thought of it.
        if words(column.name).iter().any(|word| word == "local") {
            continue;
        }
        let message = format!("`{}` is a date and time without a zone", subject.label(i));
        out.add(subject.at(i), message, "write `DateTime<Utc>`, which is a moment");
    }
}

/// L022
pub(super) fn text(subject: &Subject<'_>, out: &mut Findings<'_>) {
    for (i, column) in subject.columns() {
        let text = matches!(column.sql_type, SqlType::String { .. } | SqlType::Text);
        let words = words(column.name);
        let (last, alone) = (words.last().map(String::as_str).unwrap_or_default(), words.len() == 1);
        if text && (["date", "datetime", "timestamp"].contains(&last) || (!alone && ["at", "time"].contains(&last))) {
            let message = format!("`{}` is a time by its name, and text by its type", subject.label(i));
            out.add(subject.at(i), message, "write `DateTime<Utc>`, `NaiveDate` or `NaiveTime`");
        }
    }
}
