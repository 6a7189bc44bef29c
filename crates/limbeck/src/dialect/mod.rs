//! How each database spells SQL.

mod checks;
pub mod ddl;
mod enums;
mod kept;
mod quote;
mod type_name;

pub(crate) use enums::enum_of;

use crate::schema::TableName;

/// A database's way to spell SQL.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Dialect {
    /// SQLite.
    Sqlite,
    /// PostgreSQL.
    Postgres,
}

impl Dialect {
    /// `sqlite`, `postgres`: the scheme of its URLs and the suffix of its revision files.
    pub const fn name(self) -> &'static str {
        match self {
            Dialect::Sqlite => "sqlite",
            Dialect::Postgres => "postgres",
        }
    }

    /// Writes an identifier, quoted where it has to be: reserved words, capitals, odd characters.
    pub fn write_ident(self, out: &mut String, ident: &str) {
        if quote::needs_quotes(ident) {
            out.push('"');
            out.push_str(&ident.replace('"', "\"\""));
            out.push('"');
        } else {
            out.push_str(ident);
        }
    }

    /// Writes a table's name; with its schema, where the database has schemas.
    pub fn write_table(self, out: &mut String, schema: Option<&str>, name: &str) {
        if let Some(schema) = schema
            && self == Dialect::Postgres
        {
            self.write_ident(out, schema);
            out.push('.');
        }
        self.write_ident(out, name);
    }

    /// A table's name; with its schema, where the database has schemas.
    pub fn table(self, name: &TableName) -> String {
        let mut out = String::with_capacity(name.name.len());
        self.write_table(&mut out, name.schema.as_deref(), &name.name);
        out
    }

    /// An identifier, quoted where it has to be.
    pub fn ident(self, ident: &str) -> String {
        let mut out = String::with_capacity(ident.len());
        self.write_ident(&mut out, ident);
        out
    }
}
