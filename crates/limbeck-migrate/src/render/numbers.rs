//! Columns that PostgreSQL numbers: an identity, or a sequence with a default (`serial`).

use limbeck::dialect::{Dialect, ddl};
use limbeck::schema::{Column, TableName};

const DIALECT: Dialect = Dialect::Postgres;

/// Whether a column is to be numbered in another way.
pub(super) fn differ(from: &Column, to: &Column) -> bool {
    from.generated != to.generated || is_another_kind(from, to) || (to.serial.is_none() && from.identity != to.identity)
}

/// An identity instead of a sequence, or the other way round.
fn is_another_kind(from: &Column, to: &Column) -> bool {
    from.generated && to.generated && from.serial != to.serial
}

/// Ends the old numbering, or changes it in place.
pub(super) fn change(table: &TableName, from: &Column, to: &Column) -> Vec<String> {
    let change = |action: &str| alter(table, &to.name, action);
    if from.generated && to.generated && !is_another_kind(from, to) {
        let numbers = to.identity.unwrap_or_default();
        return vec![change(&format!(
            "SET GENERATED {} SET START WITH {} SET INCREMENT BY {}",
            if numbers.always { "ALWAYS" } else { "BY DEFAULT" },
            numbers.start,
            numbers.increment
        ))];
    }
    match &from.serial {
        _ if !from.generated => Vec::new(),
        None => vec![change("DROP IDENTITY")],
        Some(sequence) => {
            vec![change("DROP DEFAULT"), format!("DROP SEQUENCE {}", in_schema_of(table, sequence))]
        }
    }
}

/// Begins the new numbering, behind the rows that are there.
pub(super) fn begin(table: &TableName, from: &Column, to: &Column) -> Vec<String> {
    if from.generated && !is_another_kind(from, to) {
        return Vec::new();
    }
    let name = DIALECT.ident(&to.name);
    let table_name = DIALECT.table(table);
    let start = to.identity.unwrap_or_default().start;
    let next = format!("(SELECT greatest(coalesce(max({name}) + 1, {start}), {start}) FROM {table_name})");
    let Some(sequence) = &to.serial else {
        return vec![
            alter(table, &to.name, &format!("ADD{}", ddl::identity(to.identity))),
            format!(
                "SELECT setval(pg_get_serial_sequence({}, {}), {next}, false)",
                ddl::text_literal(&table_name),
                ddl::text_literal(&to.name)
            ),
        ];
    };
    let sequence = in_schema_of(table, sequence);
    let literal = ddl::text_literal(&sequence);
    let type_name = ddl::type_name(DIALECT, &to.sql_type);
    vec![
        format!("CREATE SEQUENCE {sequence} AS {type_name} OWNED BY {table_name}.{name}"),
        alter(table, &to.name, &format!("SET DEFAULT nextval({literal})")),
        format!("SELECT setval({literal}, {next}, false)"),
    ]
}

fn alter(table: &TableName, column: &str, action: &str) -> String {
    format!("ALTER TABLE {} ALTER COLUMN {} {action}", DIALECT.table(table), DIALECT.ident(column))
}

fn in_schema_of(table: &TableName, name: &str) -> String {
    DIALECT.table(&TableName { schema: table.schema.clone(), name: name.to_string() })
}
