//! How each database spells SQL.

pub mod ddl;
mod enums;
mod quote;
mod type_name;

pub(crate) use enums::enum_of;

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

    /// An identifier, quoted where it has to be.
    pub fn ident(self, ident: &str) -> String {
        let mut out = String::with_capacity(ident.len());
        self.write_ident(&mut out, ident);
        out
    }
}
