//! What a relationship says of its objects' lives and order: `cascade`, `passive_deletes`, `order_by`, `post_update`,
//! `single_parent`.

use proc_macro2::Span;
use syn::ext::IdentExt;
use syn::parse::ParseStream;
use syn::{Ident, LitBool, LitStr, Token};

use super::attr;
use super::relation::Kind;
use super::table::{Field, bracketed, comma};
use crate::ctxt::Ctxt;

const CASCADES: &[&str] =
    &["save_update", "merge", "delete", "delete_orphan", "refresh_expire", "expunge", "all", "none"];

/// What `all` stands for.
const ALL: &[&str] = &["save_update", "merge", "delete", "refresh_expire", "expunge"];

const CASCADE_USAGE: &str =
    "write `cascade(all, delete_orphan)`, or as SQLAlchemy does `cascade = \"all, delete-orphan\"`";

/// The options.
#[derive(Default)]
pub(crate) struct RelationOptions {
    pub(crate) cascade: Option<Cascade>,
    pub(crate) passive_deletes: Option<(Span, PassiveDeletes)>,
    pub(crate) order_by: Vec<OrderBy>,
    /// Where it is said.
    order_span: Option<Span>,
    pub(crate) post_update: Option<Span>,
    pub(crate) single_parent: Option<Span>,
}

/// The options' names, for the list of all.
pub(super) const NAMES: [&str; 5] = ["cascade", "passive_deletes", "order_by", "post_update", "single_parent"];

/// What goes on to the objects at the other end.
pub(crate) struct Cascade {
    span: Span,
    /// Each once, without `all` and `none`.
    pub(crate) words: Vec<&'static str>,
}

/// What a deleted object does with children that are not loaded.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum PassiveDeletes {
    No,
    Yes,
    All,
}

/// A column of the target that a collection is ordered by.
pub(crate) struct OrderBy {
    pub(crate) field: Field,
    pub(crate) descending: bool,
}

impl RelationOptions {
    /// Reads an option, if it is one of these.
    pub(super) fn read(&mut self, name: &Ident, input: ParseStream<'_>) -> syn::Result<bool> {
        match name.to_string().as_str() {
            "cascade" => self.cascade = Some(Cascade::read(name, input)?),
            "passive_deletes" => self.passive_deletes = Some((name.span(), PassiveDeletes::read(input)?)),
            "order_by" => {
                self.order_by = order_by(name, input)?;
                self.order_span = Some(name.span());
            }
            "post_update" => self.post_update = attr::flag(input)?.then(|| name.span()),
            "single_parent" => self.single_parent = attr::flag(input)?.then(|| name.span()),
            _ => return Ok(false),
        }
        Ok(true)
    }

    /// Whether none is said.
    pub(crate) fn is_empty(&self) -> bool {
        self.cascade.is_none()
            && self.passive_deletes.is_none()
            && self.order_by.is_empty()
            && self.post_update.is_none()
            && self.single_parent.is_none()
    }

    /// Refuses what makes no sense together, or for a relationship of that kind.
    pub(super) fn check(&self, ctxt: &Ctxt, kind: Kind, view_only: bool) {
        let error = |span: Span, message: &str| ctxt.push(syn::Error::new(span, message));
        let (far_key, name) = (matches!(kind, Kind::HasMany | Kind::HasOne), kind.name());
        if let Some(cascade) = &self.cascade {
            cascade.check(ctxt, kind, self.single_parent.is_some(), view_only);
        }
        if let (Some(span), true) = (self.single_parent, far_key) {
            error(
                span,
                &format!(
                    "an object has one parent by a `{name}` anyway: `single_parent` is for a `BelongsTo` or a `ManyToMany`"
                ),
            );
        }
        if let (Some(span), Kind::ManyToMany) = (self.post_update, kind) {
            error(span, "rows of an association table never wait for each other: `post_update` is for the other kinds");
        }
        if let (Some(span), Kind::BelongsTo | Kind::HasOne) = (self.order_span, kind) {
            error(span, &format!("a `{name}` leads to one object: `order_by` is for a `HasMany` or a `ManyToMany`"));
        }
        let Some((span, passive)) = self.passive_deletes else { return };
        if kind == Kind::BelongsTo && passive != PassiveDeletes::No {
            error(
                span,
                "`passive_deletes` leaves the rows that have the key to the database; those are this model's own, so \
                 say it at the other end",
            );
        }
        if passive == PassiveDeletes::All && self.cascade.as_ref().is_some_and(|cascade| cascade.has("delete")) {
            error(
                span,
                "`passive_deletes = \"all\"` never touches the other end's rows, and the cascade `delete` deletes them: take one away",
            );
        }
        if passive == PassiveDeletes::All && kind == Kind::ManyToMany {
            error(
                span,
                "`passive_deletes = \"all\"` is for a `HasMany` or a `HasOne`: the rows of an association table go with either end",
            );
        }
    }
}

impl PassiveDeletes {
    /// Nothing, `= true`, `= false` or `= "all"`.
    fn read(input: ParseStream<'_>) -> syn::Result<Self> {
        if !input.peek(Token![=]) {
            return Ok(PassiveDeletes::Yes);
        }
        input.parse::<Token![=]>()?;
        if input.peek(LitStr) {
            let text: LitStr = input.parse()?;
            if text.value() == "all" {
                return Ok(PassiveDeletes::All);
            }
            return Err(syn::Error::new(text.span(), "write `passive_deletes`, or `passive_deletes = \"all\"`"));
        }
        Ok(if input.parse::<LitBool>()?.value { PassiveDeletes::Yes } else { PassiveDeletes::No })
    }
}

impl Cascade {
    fn read(name: &Ident, input: ParseStream<'_>) -> syn::Result<Self> {
        let words = if input.peek(Token![=]) { text_words(input)? } else { listed_words(name, input)? };
        let mut cascade = Cascade { span: name.span(), words: Vec::new() };
        let (alone, several) = (words.iter().find(|word| *word == "none"), words.len() > 1);
        if let (Some(none), true) = (alone, several) {
            return Err(syn::Error::new(none.span(), "`none` stands alone"));
        }
        for word in &words {
            let text = word.to_string();
            match CASCADES.iter().find(|known| **known == text) {
                None => return Err(attr::unknown(word, "cascade", CASCADES)),
                Some(&"none") => {}
                Some(&"all") => cascade.words.extend(ALL),
                Some(known) => cascade.words.push(known),
            }
        }
        cascade.words.sort_unstable();
        cascade.words.dedup();
        Ok(cascade)
    }

    fn has(&self, word: &str) -> bool {
        self.words.contains(&word)
    }

    fn check(&self, ctxt: &Ctxt, kind: Kind, single_parent: bool, view_only: bool) {
        let error = |message: &str| ctxt.push(syn::Error::new(self.span, message));
        if self.has("delete_orphan") && !self.has("delete") {
            error("`delete_orphan` deletes who lost a parent, and has to delete with the parent, too: add `delete`");
        }
        if self.has("delete_orphan") && !single_parent && matches!(kind, Kind::BelongsTo | Kind::ManyToMany) {
            error(&format!(
                "by a `{}` an object may have many parents, and `delete_orphan` would delete it when it loses one of \
                 them: add `single_parent`, which refuses a second",
                kind.name()
            ));
        }
        let writes = ["save_update", "merge", "delete", "delete_orphan"];
        if let (true, Some(word)) = (view_only, writes.iter().find(|word| self.has(word))) {
            error(&format!("a relationship that is `view_only` writes nothing: take `{word}` out of its cascade"));
        }
    }
}

/// `= "all, delete-orphan"`
fn text_words(input: ParseStream<'_>) -> syn::Result<Vec<Ident>> {
    input.parse::<Token![=]>()?;
    let text: LitStr = input.parse().map_err(|error: syn::Error| syn::Error::new(error.span(), CASCADE_USAGE))?;
    let words = text.value().replace('-', "_");
    let words = words.split(',').map(str::trim).filter(|word| !word.is_empty());
    words
        .map(|word| {
            let mut word = syn::parse_str::<Ident>(word).map_err(|_| syn::Error::new(text.span(), CASCADE_USAGE))?;
            word.set_span(text.span());
            Ok(word)
        })
        .collect()
}

/// `(all, delete_orphan)`
fn listed_words(name: &Ident, input: ParseStream<'_>) -> syn::Result<Vec<Ident>> {
    let content = bracketed(name, input, CASCADE_USAGE)?;
    if content.is_empty() {
        return Err(syn::Error::new(name.span(), CASCADE_USAGE));
    }
    let mut words = Vec::new();
    while !content.is_empty() {
        words.push(content.call(Ident::parse_any)?);
        comma(&content)?;
    }
    Ok(words)
}

/// `= title`, `= desc(created_at)`, `= (desc(created_at), title)`, or the list without `=`.
fn order_by(name: &Ident, input: ParseStream<'_>) -> syn::Result<Vec<OrderBy>> {
    let usage = "name fields of the other model: `order_by = title`, `order_by(desc(created_at), title)`";
    let assigned = input.parse::<Option<Token![=]>>()?.is_some();
    if assigned && !input.peek(syn::token::Paren) {
        return Ok(vec![OrderBy::read(input, usage)?]);
    }
    let content = bracketed(name, input, usage)?;
    let mut columns = Vec::new();
    while !content.is_empty() {
        columns.push(OrderBy::read(&content, usage)?);
        comma(&content)?;
    }
    if columns.is_empty() { Err(syn::Error::new(name.span(), usage)) } else { Ok(columns) }
}

impl OrderBy {
    fn read(input: ParseStream<'_>, usage: &str) -> syn::Result<Self> {
        if input.peek(LitStr) {
            return Err(input.error(usage));
        }
        let word = input.call(Ident::parse_any)?;
        if !input.peek(syn::token::Paren) {
            return Ok(OrderBy { field: Field::read(word, input)?, descending: false });
        }
        let descending = match word.to_string().as_str() {
            "asc" => false,
            "desc" => true,
            _ => return Err(attr::unknown(&word, "order", &["asc", "desc"])),
        };
        let content;
        syn::parenthesized!(content in input);
        let field = Field::read(content.call(Ident::parse_any)?, &content)?;
        if content.is_empty() { Ok(OrderBy { field, descending }) } else { Err(content.error(usage)) }
    }
}
