//! An embedded struct: a field that is marked `#[model(embed)]`, and what such a struct cannot have.

use proc_macro2::TokenStream;
use quote::{quote, quote_spanned};
use syn::spanned::Spanned;
use syn::{Attribute, DeriveInput, Field, Ident, LitStr, Type, Visibility};

use super::attr::{self, span_of};
use super::{Column, types};
use crate::ctxt::Ctxt;

/// A field whose columns join those of the model.
pub(crate) struct Embed {
    pub(crate) ident: Ident,
    /// The field's name, without `r#`.
    pub(crate) field: String,
    pub(crate) vis: Visibility,
    pub(crate) docs: Vec<Attribute>,
    pub(crate) ty: Type,
    /// What its columns' names begin with.
    pub(crate) prefix: String,
}

impl Embed {
    /// Reads a field with `#[model(…)]`.
    pub(super) fn read(ctxt: &Ctxt, field: &Field, ident: &Ident) -> Option<Self> {
        let mut embed = Embed {
            ident: ident.clone(),
            field: attr::plain(ident),
            vis: field.vis.clone(),
            docs: attr::docs(&field.attrs),
            ty: field.ty.clone(),
            prefix: String::new(),
        };
        let (mut said, mut wrong) = (false, false);
        attr::options(ctxt, &field.attrs, "model", &["embed", "prefix"], |name, input| {
            match name.to_string().as_str() {
                "embed" => said = attr::flag(input)?,
                "prefix" => {
                    let prefix: LitStr = attr::text(input)?;
                    embed.prefix = prefix.value();
                }
                _ => {
                    wrong = true;
                    return Ok(false);
                }
            }
            Ok(true)
        });
        let span = span_of(&field.attrs, "model");
        match span {
            Some(span) if !said && !wrong => {
                ctxt.push(syn::Error::new(span, "say `#[model(embed)]`: on a field it can mean nothing else"));
                return None;
            }
            _ => {}
        }
        for name in ["column", "relationship"] {
            if let Some(span) = span_of(&field.attrs, name) {
                let message = format!("an embedded struct has no `#[{name}(…)]`: its own fields have them");
                ctxt.push(syn::Error::new(span, message));
            }
        }
        if let Some(inner) = types::option_of(&field.ty).or_else(|| types::deferred(&field.ty)) {
            let inner = quote!(#inner);
            ctxt.error(
                &field.ty,
                format!("an embedded struct is always there: write `{inner}`, with fields that may be NULL"),
            );
        }
        Some(embed)
    }

    /// How many columns it has, as an expression.
    pub(crate) fn width(&self) -> TokenStream {
        let ty = self.as_embedded();
        quote!(#ty::COLUMNS.len())
    }

    /// Its type as an `Embedded`, where the field is: the compiler points there when it is none.
    pub(crate) fn as_embedded(&self) -> TokenStream {
        let ty = &self.ty;
        quote_spanned!(ty.span()=> <#ty as ::limbeck::model::Embedded>)
    }
}

/// What the struct itself cannot have.
pub(super) fn check_struct(ctxt: &Ctxt, input: &DeriveInput) {
    if !input.generics.params.is_empty() {
        ctxt.error(&input.generics, "an embedded struct cannot be generic: the types of its columns have to be known");
    }
    for name in ["model", "column", "relationship"] {
        if let Some(span) = span_of(&input.attrs, name) {
            ctxt.push(syn::Error::new(span, format!("an embedded struct has no `#[{name}(…)]`; its fields have")));
        }
    }
}

/// What a column of an embedded struct cannot be.
pub(super) fn check_column(ctxt: &Ctxt, column: &Column) {
    if column.primary_key {
        ctxt.error(&column.ident, "a primary key belongs in the model, not in a struct that it embeds");
    }
    if column.unique_options.is_some() || column.index_options.is_some() || column.check.is_some() {
        let message = "a constraint with options belongs to the table: say it in the model's `#[model(…)]`";
        ctxt.error(&column.ident, message);
    }
    if column.version {
        ctxt.error(&column.ident, "a version belongs in the model, not in a struct that it embeds");
    }
    if column.deferred {
        ctxt.error(&column.ident, "a deferred column belongs in the model, not in a struct that it embeds");
    }
}
