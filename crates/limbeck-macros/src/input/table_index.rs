//! `index(a, b desc, "lower(title)", unique, where = "…", method = "gin", include(c))`

use syn::ext::IdentExt;
use syn::parse::ParseStream;
use syn::{Ident, LitStr, Token};

use super::attr;
use super::column_options::Collation;
use super::table::{Field, bracketed, comma, fields, sql};

const OPTIONS: &[&str] = &["name", "unique", "where", "method", "include"];
const ORDERS: &[&str] = &["asc", "desc", "nulls_first", "nulls_last", "opclass", "collate"];

/// An index.
pub(crate) struct Index {
    pub(crate) name: Option<LitStr>,
    pub(crate) keys: Vec<IndexKey>,
    pub(crate) unique: bool,
    pub(crate) predicate: Option<LitStr>,
    pub(crate) method: Option<LitStr>,
    pub(crate) include: Vec<Field>,
}

/// One of the things that an index is ordered by.
pub(crate) struct IndexKey {
    pub(crate) of: KeyOf,
    pub(crate) descending: bool,
    pub(crate) nulls_first: Option<bool>,
    pub(crate) opclass: Option<LitStr>,
    pub(crate) collation: Option<Collation>,
}

/// A column or an expression.
pub(crate) enum KeyOf {
    Column(Field),
    Expression(LitStr),
}

impl IndexKey {
    fn new(of: KeyOf) -> Self {
        IndexKey { of, descending: false, nulls_first: None, opclass: None, collation: None }
    }

    /// What may stand behind a key: `desc nulls_last opclass("…")`.
    fn order(&mut self, content: ParseStream<'_>) -> syn::Result<()> {
        while !content.is_empty() && !content.peek(Token![,]) {
            let word = content.call(Ident::parse_any)?;
            if !self.order_word(&word, content)? {
                return Err(attr::unknown(&word, "order of an index", ORDERS));
            }
        }
        Ok(())
    }

    fn order_word(&mut self, word: &Ident, content: ParseStream<'_>) -> syn::Result<bool> {
        let text = |usage: &str| -> syn::Result<LitStr> {
            let content = bracketed(word, content, usage)?;
            sql(&content, word.span(), usage)
        };
        match word.to_string().as_str() {
            "asc" => self.descending = false,
            "desc" => self.descending = true,
            "nulls_first" => self.nulls_first = Some(true),
            "nulls_last" => self.nulls_first = Some(false),
            "opclass" => self.opclass = Some(text("write the operator class: `opclass(\"gin_trgm_ops\")`")?),
            "collate" => self.collation = Some(Collation::of_key(word, content)?),
            _ => return Ok(false),
        }
        Ok(true)
    }
}

impl Index {
    fn new() -> Self {
        Index { name: None, keys: Vec::new(), unique: false, predicate: None, method: None, include: Vec::new() }
    }

    /// `index(…)` of a table.
    pub(super) fn of_table(name: &Ident, input: ParseStream<'_>) -> syn::Result<Self> {
        let usage = "name what it is ordered by: `index(author_id, created_at desc)`";
        let content = bracketed(name, input, usage)?;
        let mut index = Index::new();
        while !content.is_empty() {
            if content.peek(LitStr) {
                let mut key = IndexKey::new(KeyOf::Expression(sql(&content, name.span(), usage)?));
                key.order(&content)?;
                index.keys.push(key);
            } else {
                let word = content.call(Ident::parse_any)?;
                if !index.option(&word, &content)? {
                    if content.peek(Token![=]) {
                        return Err(attr::unknown(&word, "option of `index`", OPTIONS));
                    }
                    let mut key = IndexKey::new(KeyOf::Column(Field::read(word, &content)?));
                    key.order(&content)?;
                    index.keys.push(key);
                }
            }
            comma(&content)?;
        }
        if index.keys.is_empty() {
            return Err(syn::Error::new(name.span(), usage));
        }
        Ok(index)
    }

    /// `index(…)` of a column, which is the key.
    pub(super) fn of_column(name: &Ident, input: ParseStream<'_>, column: &Ident) -> syn::Result<Self> {
        let content = bracketed(name, input, "write `index`, or its options: `index(desc, method = \"hash\")`")?;
        let mut index = Index::new();
        let mut key = IndexKey::new(KeyOf::Column(Field::new(column.clone())));
        while !content.is_empty() {
            let word = content.call(Ident::parse_any)?;
            if !index.option(&word, &content)? && !key.order_word(&word, &content)? {
                let known: Vec<&str> = OPTIONS.iter().chain(ORDERS).copied().collect();
                return Err(attr::unknown(&word, "option of `index`", &known));
            }
            comma(&content)?;
        }
        index.keys.push(key);
        Ok(index)
    }

    fn option(&mut self, word: &Ident, content: ParseStream<'_>) -> syn::Result<bool> {
        let assigned = content.peek(Token![=]);
        match word.to_string().as_str() {
            "name" if assigned => self.name = Some(attr::text(content)?),
            "where" if assigned => self.predicate = Some(attr::text(content)?),
            "method" if assigned => self.method = Some(attr::text(content)?),
            "unique" => self.unique = attr::flag(content)?,
            "include" if content.peek(syn::token::Paren) => {
                let columns = bracketed(word, content, "")?;
                self.include = fields(&columns)?;
            }
            _ => return Ok(false),
        }
        Ok(true)
    }

    /// The fields that it names.
    pub(super) fn fields(&mut self) -> impl Iterator<Item = &mut Field> {
        let keys = self.keys.iter_mut().filter_map(|key| match &mut key.of {
            KeyOf::Column(field) => Some(field),
            KeyOf::Expression(_) => None,
        });
        keys.chain(&mut self.include)
    }
}
