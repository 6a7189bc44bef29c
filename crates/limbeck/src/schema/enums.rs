//! Whether all columns mean the same by the name of an enumeration.

use std::collections::HashMap;

use super::{EnumType, MetadataError, Table};
use crate::dialect::enum_of;

/// Checks the enumerations of a schema: PostgreSQL has one type of a name.
pub(super) fn check(tables: &[Table]) -> Result<(), MetadataError> {
    let mut seen: HashMap<&str, (&EnumType, String)> = HashMap::new();
    for table in tables {
        for column in &table.columns {
            let Some(values) = enum_of(&column.sql_type) else { continue };
            let place = format!("`{}.{}`", table.name, column.name);
            match seen.get(values.name()) {
                Some((other, first)) if *other != values => {
                    return Err(MetadataError(format!(
                        "{first} and {place} have enums that are both called `{}` in the database, with different values \
                         ({} and {}): give one another name, `#[db_enum(name = \"…\")]`",
                        values.name(),
                        other.values().join(", "),
                        values.values().join(", ")
                    )));
                }
                Some(_) => {}
                None => {
                    seen.insert(values.name(), (values, place));
                }
            }
        }
    }
    Ok(())
}
