//! The items that a model becomes.
//!
//! What the caller can name stands beside the struct: `UserTable`, the constant `User`, `UserBuilder`. The
//! rest is in an anonymous constant. Every path is absolute, since a model may be called `Option` or `Result`.

mod builder;
mod checks;
mod copies;
mod embed;
mod from_row;
mod model;
mod options;
mod table;
mod view;

use proc_macro2::{Ident, Span, TokenStream};
use quote::{format_ident, quote};

pub(crate) use embed::items as embedded;
pub(crate) use from_row::from_row;
pub(crate) use view::view;

use crate::input::Model;

/// All items of a model.
pub(crate) fn model(model: &Model) -> TokenStream {
    let table = table::items(model);
    let builder = builder::items(model);
    let model_impl = self::model::items(model);
    let complete = builder::complete(model);
    let checks = checks::items(model);
    quote! {
        #table
        #builder
        #[automatically_derived]
        const _: () = {
            #model_impl
            #complete
            #checks
        };
    }
}

/// A local name that an expression of the user's cannot mean.
fn local(name: &str) -> Ident {
    Ident::new(name, Span::mixed_site())
}

/// `UserTable`, `UserBuilder`
fn companion(model: &Model, suffix: &str) -> Ident {
    format_ident!("{}{suffix}", model.name, span = model.ident.span())
}

/// `Option` in generated code.
fn option(text: Option<&str>) -> TokenStream {
    match text {
        Some(text) => quote!(::core::option::Option::Some(#text)),
        None => quote!(::core::option::Option::None),
    }
}
