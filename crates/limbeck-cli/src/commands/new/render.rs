//! Columns and enums as lines of Rust.

use super::default;
use super::field::Field;
use super::names;
use super::project::{Dates, Project};
use super::types::{Scalar, Type, Value};
use limbeck::schema::naming;

/// The type of a column's values, as Rust writes it; `name` is what its enum is called.
pub(super) fn rust_type(ty: &Type, name: &str, dates: Option<Dates>) -> String {
    let dated = |chrono: &str, jiff: &str, time: &str| match dates {
        Some(Dates::Jiff) => jiff.to_string(),
        Some(Dates::Time) => time.to_string(),
        _ => chrono.to_string(),
    };
    let one = match &ty.of {
        Scalar::SmallInt => "i16".into(),
        Scalar::Int => "i32".into(),
        Scalar::BigInt => "i64".into(),
        Scalar::Float => "f64".into(),
        Scalar::Real => "f32".into(),
        Scalar::Bool => "bool".into(),
        Scalar::String(_) | Scalar::Text => "String".into(),
        Scalar::Numeric(_) => "Decimal".into(),
        Scalar::DateTime => dated("DateTime<Utc>", "jiff::Timestamp", "time::OffsetDateTime"),
        Scalar::NaiveDateTime => dated("NaiveDateTime", "jiff::civil::DateTime", "time::PrimitiveDateTime"),
        Scalar::Date => dated("NaiveDate", "jiff::civil::Date", "time::Date"),
        Scalar::Time => dated("NaiveTime", "jiff::civil::Time", "time::Time"),
        Scalar::Interval => dated("TimeDelta", "jiff::SignedDuration", "time::Duration"),
        Scalar::Json => "serde_json::Value".into(),
        Scalar::Uuid => "Uuid".into(),
        Scalar::Bytes => "Vec<u8>".into(),
        Scalar::Enum(_) => name.to_string(),
    };
    if ty.array { format!("Vec<{one}>") } else { one }
}

/// What a column says of its type beside Rust's.
pub(super) fn type_options(ty: &Type) -> Vec<String> {
    match ty.of {
        Scalar::String(Some(length)) => vec![format!("length = {length}")],
        Scalar::Text => vec!["text".into()],
        Scalar::Numeric(Some((precision, scale))) => vec![format!("numeric({precision}, {scale})")],
        _ => Vec::new(),
    }
}

/// The lines of a column.
pub(super) fn column(
    field: &Field,
    ty: &Type,
    enum_name: &str,
    is_key: bool,
    project: &Project,
) -> Result<Vec<String>, String> {
    let mut options = Vec::new();
    if is_key {
        options.push("primary_key".to_string());
    }
    if field.unique {
        options.push("unique".into());
    }
    if field.index {
        options.push("index".into());
    }
    options.extend(type_options(ty));
    match &field.default {
        Some(said) => {
            let default = default::read(said, ty, enum_name, project).map_err(|message| field.wrong(message))?;
            options.push(default.option(field.nullable));
        }
        None if is_key && ty.of == Scalar::Uuid => {
            options.extend(default::new_uuid(project).map(|new| format!("default = {new}")));
        }
        None => {}
    }
    if let Some(sql) = &field.server_default {
        options.push(format!("server_default = {sql:?}"));
    }
    let ty = rust_type(ty, enum_name, project.dates());
    Ok(lines(&options, &field.name, &optional(&ty, field.nullable), "pub "))
}

pub(super) fn optional(ty: &str, nullable: bool) -> String {
    if nullable { format!("Option<{ty}>") } else { ty.to_string() }
}

/// A field with its options.
pub(super) fn lines(options: &[String], name: &str, ty: &str, visibility: &str) -> Vec<String> {
    let attribute = (!options.is_empty()).then(|| format!("#[column({})]", options.join(", ")));
    attribute.into_iter().chain([format!("{visibility}{}: {ty},", names::rust(name))]).collect()
}

/// The enum of a column.
pub(super) fn enumeration(name: &str, of: &str, values: &[Value]) -> Vec<String> {
    let mut lines = vec![
        format!("/// The values of `{of}`."),
        "#[derive(DbEnum, Clone, Copy, Debug, PartialEq, Eq)]".to_string(),
        format!("pub enum {name} {{"),
    ];
    for value in values {
        if naming::snake_case(&value.variant) != value.value {
            lines.push(format!("    #[db_enum(rename = {:?})]", value.value));
        }
        lines.push(format!("    {},", value.variant));
    }
    lines.push("}".into());
    lines
}
