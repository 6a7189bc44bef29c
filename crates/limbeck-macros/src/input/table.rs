//! What `#[model(…)]` says of the table: schema, comment, keys of several columns, indexes, checks.
//!
//! Options that may be said several times (`index`, `unique`, `check`, `foreign_key`) gather here. Names of fields
//! are kept as they are written until the struct's fields are known; `resolve` finds the columns.

use proc_macro2::Span;
use syn::ext::IdentExt;
use syn::parse::ParseStream;
use syn::{Ident, LitStr, Path, Token};

use super::column::{self, Column, KeyOptions};
use super::{Embed, allow, attr};
use crate::ctxt::Ctxt;
use crate::naming;

pub(crate) use super::table_index::{Index, IndexKey, KeyOf};

/// The options of `#[model(…)]`.
pub(super) const OPTIONS: &[&str] =
    &["table", "schema", "comment", "was", "index", "unique", "check", "foreign_key", "allow"];

/// Options of `#[model(…)]` that may be said more than once.
pub(super) const REPEATED: &[&str] = &["index", "unique", "check", "foreign_key", "allow"];

/// The table's options.
#[derive(Default)]
pub(crate) struct TableOptions {
    pub(crate) schema: Option<LitStr>,
    pub(crate) comment: Option<LitStr>,
    /// The name that it had before.
    pub(crate) was: Option<LitStr>,
    pub(crate) indexes: Vec<Index>,
    pub(crate) uniques: Vec<Unique>,
    pub(crate) checks: Vec<Check>,
    pub(crate) foreign_keys: Vec<CompositeKey>,
}

/// A field that an option names: a column, or one of an embedded struct, `timestamps.created_at`.
#[derive(Clone)]
pub(crate) struct Field {
    pub(crate) ident: Ident,
    /// Of an embedded column: what stands behind the first dot.
    pub(crate) inner: Vec<Ident>,
    /// The position among the columns, or of the embedded struct among those, once that is known.
    pub(crate) column: usize,
}

/// `unique(a, b, name = "…", nulls_not_distinct, deferrable = …)`
pub(crate) struct Unique {
    pub(crate) columns: Vec<Field>,
    pub(crate) name: Option<LitStr>,
    pub(crate) nulls_not_distinct: bool,
    /// The variant of `Deferrable`.
    pub(crate) deferrable: &'static str,
}

const UNIQUE_OPTIONS: &[&str] = &["name", "nulls_not_distinct", "deferrable"];

impl Unique {
    fn new() -> Self {
        Unique { columns: Vec::new(), name: None, nulls_not_distinct: false, deferrable: "NotDeferrable" }
    }

    /// Reads an option that stands behind its name; says whether it knows it.
    fn option(&mut self, ctxt: &Ctxt, word: &Ident, content: ParseStream<'_>) -> syn::Result<bool> {
        match word.to_string().as_str() {
            "name" if content.peek(Token![=]) => self.name = Some(attr::text(content)?),
            "nulls_not_distinct" => self.nulls_not_distinct = attr::flag(content)?,
            "deferrable" if content.peek(Token![=]) => self.deferrable = column::moment(ctxt, content)?,
            _ => return Ok(false),
        }
        Ok(true)
    }
}

/// `check("sql", name = "…")`
pub(crate) struct Check {
    pub(crate) expression: LitStr,
    pub(crate) name: Option<LitStr>,
    /// The column that it was said at.
    pub(crate) column: Option<usize>,
}

/// `foreign_key((a, b), Target(x, y), on_delete = …)`
pub(crate) struct CompositeKey {
    pub(crate) columns: Vec<Field>,
    pub(crate) target: Path,
    pub(crate) fields: Vec<Ident>,
    pub(crate) options: KeyOptions,
}

impl TableOptions {
    /// Reads an option; says whether it knows the name.
    pub(super) fn option(&mut self, ctxt: &Ctxt, name: &Ident, input: ParseStream<'_>) -> syn::Result<bool> {
        match name.to_string().as_str() {
            "schema" => self.schema = Some(attr::text(input)?),
            "comment" => self.comment = Some(attr::text(input)?),
            "was" => self.was = Some(attr::text(input)?),
            "index" => self.indexes.push(Index::of_table(name, input)?),
            "unique" => self.uniques.push(unique(ctxt, name, input)?),
            "check" => self.checks.push(check(name, input)?),
            "foreign_key" => self.foreign_keys.push(composite_key(ctxt, name, input)?),
            "allow" => allow::check(name, input)?,
            _ => return Ok(false),
        }
        Ok(true)
    }

    /// Finds the columns that the options name.
    pub(super) fn resolve(&mut self, ctxt: &Ctxt, model: &Ident, columns: &[Column], embeds: &[Embed]) {
        let find = |field: &mut Field| field.resolve(ctxt, model, columns, embeds);
        for index in &mut self.indexes {
            index.fields().for_each(find);
        }
        for unique in &mut self.uniques {
            unique.columns.iter_mut().for_each(find);
            check_twice(ctxt, &unique.columns);
        }
        for key in &mut self.foreign_keys {
            key.columns.iter_mut().for_each(find);
            check_twice(ctxt, &key.columns);
            key.check(ctxt, columns);
        }
    }
}

impl Field {
    pub(super) fn new(ident: Ident) -> Self {
        Field { ident, inner: Vec::new(), column: 0 }
    }

    /// Reads what may stand behind the first name: `.created_at`.
    pub(super) fn read(ident: Ident, content: ParseStream<'_>) -> syn::Result<Self> {
        let mut field = Field::new(ident);
        while content.peek(Token![.]) {
            content.parse::<Token![.]>()?;
            field.inner.push(content.call(Ident::parse_any)?);
        }
        Ok(field)
    }

    /// As it is written: `timestamps.created_at`.
    pub(crate) fn path(&self) -> String {
        let parts: Vec<String> =
            std::iter::once(&self.ident).chain(&self.inner).map(|part| part.unraw().to_string()).collect();
        parts.join(".")
    }

    /// What the embedded struct calls the column.
    pub(crate) fn inner(&self) -> String {
        let parts: Vec<String> = self.inner.iter().map(|part| part.unraw().to_string()).collect();
        parts.join(".")
    }

    fn resolve(&mut self, ctxt: &Ctxt, model: &Ident, columns: &[Column], embeds: &[Embed]) {
        let name = self.ident.unraw().to_string();
        let column = columns.iter().position(|column| column.field == name);
        let embed = embeds.iter().position(|embed| embed.field == name);
        match (column, embed, self.inner.is_empty()) {
            (Some(column), _, true) => self.column = column,
            (_, Some(embed), false) => self.column = embed,
            (Some(_), _, false) => {
                ctxt.error(&self.ident, format!("`{name}` is a column, not an embedded struct: write `{name}` alone"));
            }
            (None, Some(_), true) => {
                let message = format!("`{name}` is an embedded struct: name one of its columns, `{name}.column`");
                ctxt.error(&self.ident, message);
            }
            (None, None, alone) => {
                let (columns, embeds) =
                    (columns.iter().map(|c| c.field.as_str()), embeds.iter().map(|e| e.field.as_str()));
                let known: Vec<&str> = if alone { columns.collect() } else { embeds.clone().collect() };
                let hint = match (naming::nearest(&name, &known), embeds.clone().next()) {
                    (Some(nearest), _) => format!(": did you mean `{nearest}`?"),
                    (None, Some(embed)) if alone => {
                        format!(": a column of an embedded struct is named with its field, `{embed}.{name}`")
                    }
                    (None, _) => String::new(),
                };
                ctxt.error(&self.ident, format!("`{model}` has no column `{}`{hint}", self.path()));
            }
        }
    }
}

fn check_twice(ctxt: &Ctxt, fields: &[Field]) {
    for (i, field) in fields.iter().enumerate() {
        if fields[..i].iter().any(|other| other.path() == field.path()) {
            ctxt.error(&field.ident, format!("`{}` is said twice", field.path()));
        }
    }
}

impl CompositeKey {
    fn check(&self, ctxt: &Ctxt, columns: &[Column]) {
        if self.columns.len() != self.fields.len() {
            let (own, far) = (self.columns.len(), self.fields.len());
            ctxt.error(&self.target, format!("{own} columns refer to {far}: each column refers to one"));
        }
        for field in &self.columns {
            let Some(column) = columns.get(field.column) else { continue };
            if self.options.sets_null() && column.nullability() == Some(false) {
                ctxt.error(&field.ident, column.needs_null());
            }
            if column.deferred {
                ctxt.error(&field.ident, column::KEY_IS_FETCHED);
            }
        }
    }
}

/// What is in the brackets behind an option.
pub(super) fn bracketed<'a>(
    name: &Ident,
    input: ParseStream<'a>,
    usage: &str,
) -> syn::Result<syn::parse::ParseBuffer<'a>> {
    if !input.peek(syn::token::Paren) {
        return Err(syn::Error::new(name.span(), usage));
    }
    let content;
    syn::parenthesized!(content in input);
    Ok(content)
}

/// `a, b`
pub(super) fn fields(content: ParseStream<'_>) -> syn::Result<Vec<Field>> {
    let mut fields = Vec::new();
    while !content.is_empty() {
        fields.push(Field::read(content.call(Ident::parse_any)?, content)?);
        comma(content)?;
    }
    Ok(fields)
}

/// The columns of a foreign key of several.
fn key_fields(content: ParseStream<'_>) -> syn::Result<Vec<Field>> {
    let fields = fields(content)?;
    if let Some(inner) = fields.iter().find_map(|field| field.inner.first()) {
        let message = "a foreign key of several columns is between columns of the models themselves, \
                       not of structs that they embed";
        return Err(syn::Error::new(inner.span(), message));
    }
    Ok(fields)
}

fn unique(ctxt: &Ctxt, name: &Ident, input: ParseStream<'_>) -> syn::Result<Unique> {
    let content = bracketed(name, input, "name the columns: `unique(first, second)`")?;
    let mut unique = Unique::new();
    while !content.is_empty() {
        let word = content.call(Ident::parse_any)?;
        if !unique.option(ctxt, &word, &content)? {
            if content.peek(Token![=]) {
                return Err(attr::unknown(&word, "option of `unique`", UNIQUE_OPTIONS));
            }
            unique.columns.push(Field::read(word, &content)?);
        }
        comma(&content)?;
    }
    if unique.columns.is_empty() {
        return Err(syn::Error::new(name.span(), "name the columns: `unique(first, second)`"));
    }
    Ok(unique)
}

/// `(name = "…", nulls_not_distinct, deferrable = …)` behind a column's `unique`.
pub(super) fn unique_of_column(ctxt: &Ctxt, name: &Ident, input: ParseStream<'_>) -> syn::Result<Unique> {
    let content = bracketed(name, input, "write `unique` or `unique(name = \"…\")`")?;
    let mut unique = Unique::new();
    while !content.is_empty() {
        let word = content.call(Ident::parse_any)?;
        if !unique.option(ctxt, &word, &content)? {
            return Err(attr::unknown(&word, "option of `unique`", UNIQUE_OPTIONS));
        }
        comma(&content)?;
    }
    Ok(unique)
}

/// `("sql", name = "…")`
pub(super) fn check(name: &Ident, input: ParseStream<'_>) -> syn::Result<Check> {
    let usage = "write the condition in SQL: `check(\"price > 0\")`";
    let content = bracketed(name, input, usage)?;
    let expression = sql(&content, name.span(), usage)?;
    let mut check = Check { expression, name: None, column: None };
    comma(&content)?;
    while !content.is_empty() {
        let word = content.call(Ident::parse_any)?;
        match word.to_string().as_str() {
            "name" => check.name = Some(attr::text(&content)?),
            _ => return Err(attr::unknown(&word, "option of `check`", &["name"])),
        }
        comma(&content)?;
    }
    Ok(check)
}

/// A piece of SQL, which is not empty.
pub(super) fn sql(content: ParseStream<'_>, span: Span, usage: &str) -> syn::Result<LitStr> {
    if !content.peek(LitStr) {
        return Err(syn::Error::new(if content.is_empty() { span } else { content.span() }, usage));
    }
    let text: LitStr = content.parse()?;
    if text.value().trim().is_empty() {
        return Err(syn::Error::new(text.span(), usage));
    }
    Ok(text)
}

pub(super) fn comma(content: ParseStream<'_>) -> syn::Result<()> {
    if !content.is_empty() {
        content.parse::<Token![,]>()?;
    }
    Ok(())
}

fn composite_key(ctxt: &Ctxt, name: &Ident, input: ParseStream<'_>) -> syn::Result<CompositeKey> {
    let usage =
        "write the columns, and what they refer to: `foreign_key((order_id, line_no), OrderLine(order_id, line_no))`";
    let content = bracketed(name, input, usage)?;
    let own = bracketed(name, &content, usage)?;
    let columns = key_fields(&own)?;
    content.parse::<Token![,]>().map_err(|error| syn::Error::new(error.span(), usage))?;
    let target = content.call(Path::parse_mod_style).map_err(|error| syn::Error::new(error.span(), usage))?;
    let far = bracketed(name, &content, usage)?;
    let fields = key_fields(&far)?.into_iter().map(|field| field.ident).collect();
    let options = KeyOptions::read(ctxt, &content, true)?;
    if columns.len() < 2 {
        let usage = "a key of one column is an option of the column: `#[column(foreign_key(User.id))]`";
        return Err(syn::Error::new(name.span(), usage));
    }
    Ok(CompositeKey { columns, target, fields, options })
}
