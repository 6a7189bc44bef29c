//! A column: a field that is not a relationship.

use proc_macro2::TokenStream;
use quote::quote;
use syn::ext::IdentExt;
use syn::parse::ParseStream;
use syn::{Attribute, Expr, Ident, LitInt, LitStr, Path, Token, Type, Visibility};

use super::column_options::{Collation, Computed, Identity};
use super::table::{self, Check, Index, Unique};
use super::{attr, types};
use crate::ctxt::Ctxt;

const OPTIONS: &[&str] = &[
    "primary_key",
    "unique",
    "index",
    "name",
    "length",
    "text",
    "numeric",
    "json",
    "default",
    "server_default",
    "on_update",
    "foreign_key",
    "autoincrement",
    "computed",
    "identity",
    "comment",
    "collation",
    "check",
    "type",
    "version",
    "was",
    "allow",
];

/// A column.
pub(crate) struct Column {
    pub(crate) ident: Ident,
    /// The field's name, without `r#`.
    pub(crate) field: String,
    pub(crate) vis: Visibility,
    pub(crate) docs: Vec<Attribute>,
    /// The type of its values: `T`, where the field is a `Deferred<T>`.
    pub(crate) ty: Type,
    /// Whether the field is a `Deferred<T>`.
    pub(crate) deferred: bool,
    /// The column's name in the database.
    pub(crate) name: String,
    pub(crate) primary_key: bool,
    pub(crate) unique: bool,
    /// Whether there is an index; foreign keys have one unless it was refused.
    pub(crate) index: bool,
    pub(crate) length: Option<LitInt>,
    pub(crate) text: bool,
    /// `numeric(p, s)`
    pub(crate) numeric: Option<(LitInt, LitInt)>,
    /// Whether PostgreSQL keeps its JSON as text.
    pub(crate) json: bool,
    pub(crate) default: Option<Expr>,
    pub(crate) server_default: Option<LitStr>,
    pub(crate) on_update: Option<Expr>,
    pub(crate) foreign_key: Option<ForeignKey>,
    /// The name of a type of PostgreSQL's.
    pub(crate) named_type: Option<LitStr>,
    pub(crate) computed: Option<Computed>,
    pub(crate) identity: Option<Identity>,
    pub(crate) comment: Option<LitStr>,
    pub(crate) collation: Option<Collation>,
    /// The name that it had before.
    pub(crate) was: Option<LitStr>,
    /// Whether it counts the changes of its row: the lock of those that write it.
    pub(crate) version: bool,
    /// Its constraints and index that have options. They become the table's.
    pub(super) unique_options: Option<Unique>,
    pub(super) index_options: Option<Index>,
    pub(super) check: Option<Check>,
    /// Whether the database numbers it. Known when the whole struct is.
    pub(crate) generated: Generated,
    pub(super) autoincrement: Option<bool>,
    pub(super) index_said: Option<bool>,
    /// Whether there is a `foreign_key`, be it wrong.
    pub(super) foreign_key_said: bool,
}

/// Whether the database numbers a column.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Generated {
    No,
    Yes,
    /// The type's constant says it, which only the compiler can read.
    ByType,
}

/// What a column refers to.
pub(crate) struct ForeignKey {
    pub(crate) target: Path,
    pub(crate) column: Ident,
    pub(crate) options: KeyOptions,
}

/// What is said of a foreign key behind what it refers to.
pub(crate) struct KeyOptions {
    pub(crate) on_delete: Action,
    pub(crate) on_update: Action,
    /// A variant of `limbeck::schema::Deferrable`.
    pub(crate) deferrable: &'static str,
    pub(crate) name: Option<LitStr>,
    /// Whether there is an index for a key of several columns, unless its columns lead another.
    pub(crate) index: bool,
}

/// A variant of `limbeck::schema::Action`.
pub(crate) type Action = &'static str;

const DEFERRABLE: &[(&str, &str)] =
    &[("initially_deferred", "InitiallyDeferred"), ("initially_immediate", "InitiallyImmediate")];

const ACTIONS: &[(&str, Action)] = &[
    ("cascade", "Cascade"),
    ("set_null", "SetNull"),
    ("restrict", "Restrict"),
    ("no_action", "NoAction"),
    ("set_default", "SetDefault"),
];

pub(super) const KEY_IS_FETCHED: &str =
    "a foreign key is always fetched, for relationships need it: it cannot be `Deferred`";

impl Column {
    /// Reads a field's options.
    pub(super) fn read(ctxt: &Ctxt, field: &syn::Field, ident: &Ident) -> Self {
        let plain = attr::plain(ident);
        let deferred = types::deferred(&field.ty);
        let mut column = Column {
            ident: ident.clone(),
            name: plain.clone(),
            field: plain,
            vis: field.vis.clone(),
            docs: attr::docs(&field.attrs),
            ty: deferred.unwrap_or(&field.ty).clone(),
            deferred: deferred.is_some(),
            primary_key: false,
            unique: false,
            index: false,
            length: None,
            text: false,
            numeric: None,
            json: false,
            default: None,
            server_default: None,
            on_update: None,
            foreign_key: None,
            named_type: None,
            computed: None,
            identity: None,
            comment: None,
            collation: None,
            was: None,
            version: false,
            unique_options: None,
            index_options: None,
            check: None,
            generated: Generated::No,
            autoincrement: None,
            index_said: None,
            foreign_key_said: false,
        };
        attr::options(ctxt, &field.attrs, "column", OPTIONS, |name, input| column.option(ctxt, name, input));
        column.check(ctxt, field);
        if column.version && column.default.is_none() {
            column.default = Some(syn::parse_quote!(1));
        }
        column
    }

    fn option(&mut self, ctxt: &Ctxt, name: &Ident, input: ParseStream<'_>) -> syn::Result<bool> {
        match name.to_string().as_str() {
            "primary_key" => self.primary_key = attr::flag(input)?,
            "unique" if input.peek(syn::token::Paren) => {
                self.unique = true;
                self.unique_options = Some(table::unique_of_column(ctxt, name, input)?);
            }
            "unique" => self.unique = attr::flag(input)?,
            "index" if input.peek(syn::token::Paren) => {
                self.index_said = Some(false);
                self.index_options = Some(Index::of_column(name, input, &self.ident)?);
            }
            "index" => self.index_said = Some(attr::flag(input)?),
            "check" => self.check = Some(table::check(name, input)?),
            "computed" => self.computed = Some(Computed::read(name, input)?),
            "identity" => self.identity = Some(Identity::read(name, input)?),
            "type" => self.named_type = Some(type_name(input)?),
            "comment" => self.comment = Some(attr::text(input)?),
            "was" => self.was = Some(attr::text(input)?),
            "collation" => self.collation = Some(Collation::read(name, input)?),
            "version" => self.version = attr::flag(input)?,
            "allow" => super::allow::check(name, input)?,
            "text" => self.text = attr::flag(input)?,
            "json" => self.json = attr::flag(input)?,
            "numeric" => self.numeric = Some(numeric(name, input)?),
            "autoincrement" => self.autoincrement = Some(attr::flag(input)?),
            "name" => self.name = attr::text(input)?.value(),
            "length" => self.length = Some(length(input)?),
            "default" => self.default = Some(expression(input)?),
            "on_update" => self.on_update = Some(expression(input)?),
            "server_default" => self.server_default = Some(attr::text(input)?),
            "foreign_key" => {
                self.foreign_key_said = true;
                self.foreign_key = Some(foreign_key(ctxt, name, input)?);
            }
            _ => return Ok(false),
        }
        Ok(true)
    }

    fn check(&self, ctxt: &Ctxt, field: &syn::Field) {
        if let Some(name) = self.named_type.as_ref().filter(|_| self.text || self.length.is_some()) {
            ctxt.error(name, "a column has a `type`, or is `text` or has a `length`");
        }
        if let Some((precision, _)) = self.numeric.as_ref().filter(|_| self.text || self.length.is_some() || self.json)
        {
            ctxt.error(precision, "a column is `numeric`, text or JSON, not several of them");
        }
        if self.text
            && let Some(length) = &self.length
        {
            ctxt.error(length, "`text` has no length: say `text` or `length`, not both");
        }
        if self.primary_key && types::option_of(&self.ty).is_some() {
            ctxt.error(&self.ty, "a primary key cannot be NULL: its type cannot be an `Option`");
        }
        if self.primary_key && types::is_float(&self.ty) {
            ctxt.error(&self.ty, "a float cannot be a primary key: rows are found again by it, and NaN is not itself");
        }
        if let (Some(default), Some(_)) = (&self.default, &self.server_default) {
            ctxt.error(
                default,
                "say `default` (evaluated by the program) or `server_default` (by the database), not both",
            );
        }
        if self.autoincrement.is_some() && !self.primary_key {
            ctxt.error(&field.ident, "`autoincrement` is for a primary key");
        }
        self.check_made(ctxt);
        if self.version {
            self.check_version(ctxt);
        }
        if self.sets_null() && self.nullability() == Some(false) {
            ctxt.error(&self.ty, self.needs_null());
        }
        if self.deferred {
            self.check_deferred(ctxt, field);
        }
    }

    /// That nothing but the session and the program counts the changes of a row.
    fn check_version(&self, ctxt: &Ctxt) {
        if self.is_option() {
            ctxt.error(&self.ty, "a version cannot be NULL: its type is `i64`, `i32` or `i16`, without `Option`");
        }
        let others = [
            (self.primary_key, "a primary key"),
            (self.foreign_key_said, "a foreign key"),
            (self.deferred, "`Deferred`"),
            (self.server_default.is_some(), "made by `server_default`"),
            (self.computed.is_some(), "computed"),
            (self.on_update.is_some(), "made by `on_update`"),
        ];
        for (_, other) in others.iter().filter(|(said, _)| *said) {
            ctxt.error(&self.ident, format!("a version cannot be {other}: the session counts it"));
        }
    }

    fn check_deferred(&self, ctxt: &Ctxt, field: &syn::Field) {
        if self.primary_key {
            ctxt.error(&field.ty, "a primary key is always fetched: it cannot be `Deferred`");
        }
        if self.foreign_key_said {
            ctxt.error(&field.ty, KEY_IS_FETCHED);
        }
        if let Some(value) = &self.on_update {
            ctxt.error(value, "a deferred column is written only when it is set: it has no `on_update`");
        }
    }

    /// The type of its field.
    pub(crate) fn field_type(&self) -> TokenStream {
        let ty = &self.ty;
        if self.deferred { quote!(::limbeck::types::Deferred<#ty>) } else { quote!(#ty) }
    }

    /// Whether its foreign key sets it to NULL.
    pub(crate) fn sets_null(&self) -> bool {
        self.foreign_key.as_ref().is_some_and(|key| key.options.sets_null())
    }

    /// The message for one that sets what cannot be NULL.
    pub(crate) fn needs_null(&self) -> String {
        let ty = &self.ty;
        format!("`set_null` needs a column that can be NULL: `Option<{}>`", quote::quote!(#ty))
    }

    /// Whether it may be NULL, as far as the type's tokens say.
    pub(crate) fn nullability(&self) -> Option<bool> {
        types::nullability(&self.ty)
    }

    /// Whether the type is written as an `Option`.
    pub(crate) fn is_option(&self) -> bool {
        types::option_of(&self.ty).is_some()
    }

    /// Whether the database numbers it as a lone key, as far as its type's tokens say.
    pub(super) fn generated_by_type(&self) -> Generated {
        match types::is_key_integer(&self.ty) {
            true => Generated::Yes,
            // What is known to be none of them.
            false if self.nullability().is_some() => Generated::No,
            false => Generated::ByType,
        }
    }

    /// Whether an object cannot be made without a value for it, or perhaps cannot.
    pub(crate) fn is_required(&self) -> bool {
        !self.is_option()
            && self.generated != Generated::Yes
            && self.default.is_none()
            && self.server_default.is_none()
            && self.computed.is_none()
    }

    /// Whether the database alone makes its values: nothing is ever sent.
    pub(crate) fn is_read_only(&self) -> bool {
        self.computed.is_some() || self.identity.as_ref().is_some_and(|identity| identity.always)
    }

    /// That what the database makes is not made by something else, too.
    fn check_made(&self, ctxt: &Ctxt) {
        if let Some(computed) = &self.computed {
            let others = [
                (self.default.is_some(), "default"),
                (self.server_default.is_some(), "server_default"),
                (self.on_update.is_some(), "on_update"),
                (self.primary_key, "primary_key"),
                (self.identity.is_some(), "identity"),
            ];
            for (_, other) in others.iter().filter(|(said, _)| *said) {
                ctxt.error(
                    &computed.expression,
                    format!("a computed column has no `{other}`: its row makes its value"),
                );
            }
        }
        if let Some(identity) = &self.identity {
            for (said, other) in
                [(self.default.is_some(), "default"), (self.server_default.is_some(), "server_default")]
            {
                if said {
                    ctxt.push(syn::Error::new(identity.span, format!("say `identity` or `{other}`, not both")));
                }
            }
            if !self.primary_key {
                let message = "`identity` is for a lone primary key, which is what databases can number alike";
                ctxt.push(syn::Error::new(identity.span, message));
            }
            if self.autoincrement == Some(false) {
                let message = "`identity` numbers the rows, `autoincrement = false` does not: say one";
                ctxt.push(syn::Error::new(identity.span, message));
            }
        }
    }
}

/// `= "citext"`
fn type_name(input: ParseStream<'_>) -> syn::Result<LitStr> {
    let name = attr::text(input)?;
    let plain = |c: char| c.is_alphanumeric() || c == '_';
    if !name.value().chars().all(plain) {
        let message = "this is the name of a type of PostgreSQL's whose values are text, such as \"citext\"; it has no \
                       parameters and no schema";
        return Err(syn::Error::new(name.span(), message));
    }
    Ok(name)
}

fn length(input: ParseStream<'_>) -> syn::Result<LitInt> {
    input.parse::<Token![=]>()?;
    let length: LitInt = input.parse()?;
    match length.base10_parse::<u32>() {
        Ok(0) => Err(syn::Error::new(length.span(), "a column of length 0 holds nothing")),
        Ok(_) => Ok(length),
        Err(_) => Err(syn::Error::new(length.span(), "a length is a whole number of characters, such as 100")),
    }
}

/// `(10, 2)`
fn numeric(name: &Ident, input: ParseStream<'_>) -> syn::Result<(LitInt, LitInt)> {
    let usage = "say how many digits there are, and how many of them after the point: `numeric(10, 2)`";
    if !input.peek(syn::token::Paren) {
        return Err(syn::Error::new(name.span(), usage));
    }
    let content;
    syn::parenthesized!(content in input);
    let wrong = |error: syn::Error| syn::Error::new(error.span(), usage);
    let precision: LitInt = content.parse().map_err(wrong)?;
    content.parse::<Token![,]>().map_err(wrong)?;
    let scale: LitInt = content.parse().map_err(wrong)?;
    if !content.is_empty() {
        return Err(syn::Error::new(name.span(), usage));
    }
    // What a `Decimal` holds, and so no more than any database does.
    match (precision.base10_parse::<u32>(), scale.base10_parse::<u32>()) {
        (Ok(digits @ 1..=28), Ok(fraction)) if fraction <= digits => Ok((precision, scale)),
        (Ok(1..=28), _) => {
            Err(syn::Error::new(scale.span(), "there cannot be more digits after the point than digits"))
        }
        _ => Err(syn::Error::new(precision.span(), "a `Decimal` has from 1 to 28 digits")),
    }
}

fn expression(input: ParseStream<'_>) -> syn::Result<Expr> {
    input.parse::<Token![=]>()?;
    input.parse()
}

/// `(User.id, on_delete = cascade)`
fn foreign_key(ctxt: &Ctxt, name: &Ident, input: ParseStream<'_>) -> syn::Result<ForeignKey> {
    let usage = "write the model and its column: `foreign_key(User.id)`";
    if !input.peek(syn::token::Paren) {
        return Err(syn::Error::new(name.span(), usage));
    }
    let content;
    syn::parenthesized!(content in input);
    let target = content.call(Path::parse_mod_style).map_err(|error| syn::Error::new(error.span(), usage))?;
    if !content.peek(Token![.]) {
        return Err(syn::Error::new_spanned(&target, usage));
    }
    content.parse::<Token![.]>()?;
    let column = content.call(Ident::parse_any)?;
    let options = KeyOptions::read(ctxt, &content, false)?;
    Ok(ForeignKey { target, column, options })
}

impl KeyOptions {
    /// `, on_delete = cascade, name = "…"`
    pub(super) fn read(ctxt: &Ctxt, content: ParseStream<'_>, composite: bool) -> syn::Result<Self> {
        let mut key = KeyOptions {
            on_delete: "NoAction",
            on_update: "NoAction",
            deferrable: "NotDeferrable",
            name: None,
            index: true,
        };
        while !content.is_empty() {
            content.parse::<Token![,]>()?;
            if content.is_empty() {
                break;
            }
            let option = content.call(Ident::parse_any)?;
            match option.to_string().as_str() {
                "on_delete" => key.on_delete = choice(ctxt, content, "action", ACTIONS)?.unwrap_or("NoAction"),
                "on_update" => key.on_update = choice(ctxt, content, "action", ACTIONS)?.unwrap_or("NoAction"),
                "deferrable" => key.deferrable = moment(ctxt, content)?,
                "name" => key.name = Some(attr::text(content)?),
                "index" if composite => key.index = attr::flag(content)?,
                _ => {
                    let known: &[&str] = match composite {
                        true => &["on_delete", "on_update", "deferrable", "name", "index"],
                        false => &["on_delete", "on_update", "deferrable", "name"],
                    };
                    return Err(attr::unknown(&option, "option of `foreign_key`", known));
                }
            }
        }
        Ok(key)
    }

    /// Whether the key sets its columns to NULL.
    pub(crate) fn sets_null(&self) -> bool {
        self.on_delete == "SetNull" || self.on_update == "SetNull"
    }
}

/// `= one_of_them`
/// `= initially_deferred`: when a constraint is checked.
pub(super) fn moment(ctxt: &Ctxt, content: ParseStream<'_>) -> syn::Result<&'static str> {
    Ok(choice(ctxt, content, "moment", DEFERRABLE)?.unwrap_or("NotDeferrable"))
}

fn choice(
    ctxt: &Ctxt,
    input: ParseStream<'_>,
    what: &str,
    of: &[(&str, &'static str)],
) -> syn::Result<Option<&'static str>> {
    input.parse::<Token![=]>()?;
    let name = input.call(Ident::parse_any)?;
    let found = of.iter().find(|(known, _)| name == known);
    if found.is_none() {
        let known: Vec<&str> = of.iter().map(|(known, _)| *known).collect();
        ctxt.push(attr::unknown(&name, what, &known));
    }
    Ok(found.map(|(_, variant)| *variant))
}
