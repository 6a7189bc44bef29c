//! Options of a column that have brackets: `computed("…", stored)`, `identity(…)`, `collation(…)`.

use proc_macro2::Span;
use syn::ext::IdentExt;
use syn::parse::ParseStream;
use syn::{Ident, LitInt, LitStr, Token};

use super::attr;
use super::table::{bracketed, comma, sql};

/// `computed("price * quantity", stored)`
pub(crate) struct Computed {
    pub(crate) expression: LitStr,
    pub(crate) stored: bool,
}

impl Computed {
    pub(super) fn read(name: &Ident, input: ParseStream<'_>) -> syn::Result<Self> {
        let usage = "write the expression in SQL: `computed(\"price * quantity\", stored)`";
        let content = bracketed(name, input, usage)?;
        let mut computed = Computed { expression: sql(&content, name.span(), usage)?, stored: true };
        comma(&content)?;
        while !content.is_empty() {
            let word = content.call(Ident::parse_any)?;
            match word.to_string().as_str() {
                "stored" => computed.stored = true,
                "virtual" => computed.stored = false,
                _ => return Err(attr::unknown(&word, "option of `computed`", &["stored", "virtual"])),
            }
            comma(&content)?;
        }
        Ok(computed)
    }
}

/// `identity(always, start = 100, increment = 10)`
pub(crate) struct Identity {
    pub(crate) span: Span,
    pub(crate) always: bool,
    pub(crate) start: i64,
    pub(crate) increment: i64,
}

impl Identity {
    pub(super) fn read(name: &Ident, input: ParseStream<'_>) -> syn::Result<Self> {
        let content = bracketed(name, input, "write `identity(always)` or `identity(by_default, start = 1000)`")?;
        let mut identity = Identity { span: name.span(), always: false, start: 1, increment: 1 };
        while !content.is_empty() {
            let word = content.call(Ident::parse_any)?;
            match word.to_string().as_str() {
                "always" => identity.always = true,
                "by_default" => identity.always = false,
                "start" => identity.start = positive(&content)?,
                "increment" => identity.increment = positive(&content)?,
                _ => {
                    let known = ["always", "by_default", "start", "increment"];
                    return Err(attr::unknown(&word, "option of `identity`", &known));
                }
            }
            comma(&content)?;
        }
        Ok(identity)
    }
}

/// Numbers go up, since rows that come back from the database are told apart by that.
fn positive(input: ParseStream<'_>) -> syn::Result<i64> {
    input.parse::<Token![=]>()?;
    let message = "a whole number from 1 on is expected here";
    let number: LitInt = input.parse().map_err(|error: syn::Error| syn::Error::new(error.span(), message))?;
    match number.base10_parse::<i64>() {
        Ok(value) if value >= 1 => Ok(value),
        _ => Err(syn::Error::new(number.span(), message)),
    }
}

/// `collation = "C"`, or `collation(postgres = "C", sqlite = "NOCASE")`
pub(crate) struct Collation {
    pub(crate) postgres: Option<LitStr>,
    pub(crate) sqlite: Option<LitStr>,
}

impl Collation {
    pub(super) fn read(name: &Ident, input: ParseStream<'_>) -> syn::Result<Self> {
        if input.peek(Token![=]) {
            let both = attr::text(input)?;
            return Ok(Collation { postgres: Some(both.clone()), sqlite: Some(both) });
        }
        let usage =
            "write `collation = \"C\"`, or one for each database: `collation(postgres = \"C\", sqlite = \"NOCASE\")`";
        let content = bracketed(name, input, usage)?;
        Collation::each(name, &content, usage)
    }

    /// `("C")`, or one for each database, behind a key of an index.
    pub(super) fn of_key(name: &Ident, input: ParseStream<'_>) -> syn::Result<Self> {
        let usage =
            "write `collate(\"C\")`, or one for each database: `collate(postgres = \"C\", sqlite = \"NOCASE\")`";
        let content = bracketed(name, input, usage)?;
        if content.peek(LitStr) {
            let both = sql(&content, name.span(), usage)?;
            return Ok(Collation { postgres: Some(both.clone()), sqlite: Some(both) });
        }
        Collation::each(name, &content, usage)
    }

    fn each(name: &Ident, content: ParseStream<'_>, usage: &str) -> syn::Result<Self> {
        let mut collation = Collation { postgres: None, sqlite: None };
        while !content.is_empty() {
            let word = content.call(Ident::parse_any)?;
            match word.to_string().as_str() {
                "postgres" => collation.postgres = Some(attr::text(content)?),
                "sqlite" => collation.sqlite = Some(attr::text(content)?),
                _ => return Err(attr::unknown(&word, "database", &["postgres", "sqlite"])),
            }
            comma(content)?;
        }
        if collation.postgres.is_none() && collation.sqlite.is_none() {
            return Err(syn::Error::new(name.span(), usage));
        }
        Ok(collation)
    }
}
