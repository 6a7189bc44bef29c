//! PostgreSQL's enumerations, and which columns have them.

use std::collections::BTreeMap;

use limbeck::dialect::{Dialect, ddl};
use limbeck::schema::{EnumType, SqlType};

/// The enumerations of a schema: how columns of them are declared, and arrays of them, the name, and each value.
pub(super) const ENUMS: &str = "SELECT format_type(t.oid, NULL), format_type(t.typarray, NULL), t.typname::text, \
     e.enumlabel::text FROM pg_type t JOIN pg_enum e ON e.enumtypid = t.oid JOIN pg_namespace n ON n.oid = t.typnamespace \
     WHERE n.nspname = $1::text ORDER BY t.typname, e.enumsortorder";

/// A row of [`ENUMS`].
pub(super) type EnumRow = (String, String, String, String);

/// The enumerations, by how the server writes their names.
#[derive(Default)]
pub(super) struct Enums {
    by_declaration: BTreeMap<String, SqlType>,
    pub(super) all: Vec<EnumType>,
}

impl Enums {
    pub(super) fn new(rows: Vec<EnumRow>) -> Self {
        let mut gathered: Vec<(String, String, String, Vec<String>)> = Vec::new();
        for (declared, array, name, value) in rows {
            match gathered.last_mut() {
                Some((_, _, last, values)) if *last == name => values.push(value),
                _ => gathered.push((declared, array, name, vec![value])),
            }
        }
        let mut enums = Enums::default();
        for (declared, array, name, values) in gathered {
            let found = EnumType::read(name, values);
            let one = SqlType::Enum(found.clone());
            // As a model's array of them is spelled.
            let many = SqlType::Other(format!("{}[]", ddl::type_name(Dialect::Postgres, &one)));
            enums.by_declaration.insert(declared, one);
            enums.by_declaration.insert(array, many);
            enums.all.push(found);
        }
        enums
    }

    /// The type of a column that is declared so, where it is an enumeration or an array of one.
    pub(super) fn of(&self, declared: &str) -> Option<SqlType> {
        self.by_declaration.get(declared).cloned()
    }
}
