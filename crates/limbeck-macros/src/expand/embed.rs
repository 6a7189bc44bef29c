//! Embedded structs: what a model does with those that it has, and the items that one becomes.

use proc_macro2::{Ident, TokenStream};
use quote::{format_ident, quote};

use super::builder::Unset;
use super::companion;
use super::copies::{copies, touch};
use super::model::{columns, values as own_values};
use super::table::{column_constants, doc, new_column_constants};
use crate::input::{Embed, Model};

/// The pieces of `decode`, `value` and `set_value` for the embedded structs.
pub(super) struct Values {
    pub(super) reads: Vec<TokenStream>,
    pub(super) fields: Vec<TokenStream>,
    pub(super) values: Vec<TokenStream>,
    pub(super) sets: Vec<TokenStream>,
}

/// Each embedded struct, with the number of its first column and how many it has, as expressions.
fn each(model: &Model) -> impl Iterator<Item = (&Embed, TokenStream, TokenStream)> {
    model.embeds.iter().enumerate().map(|(i, embed)| (embed, model.embedded(i), embed.width()))
}

pub(super) fn values(model: &Model, read: &dyn Fn(&Ident, TokenStream) -> TokenStream) -> Values {
    let mut out = Values { reads: Vec::new(), fields: Vec::new(), values: Vec::new(), sets: Vec::new() };
    for (i, (embed, first, width)) in each(model).enumerate() {
        let (field, ty, variable) = (&embed.ident, embed.as_embedded(), format_ident!("__e{i}"));
        out.reads.push(read(&variable, quote!(#ty::decode(row, at + #first))));
        out.fields.push(quote!(#field: #variable));
        let inside = quote!(number if (#first..#first + #width).contains(&number));
        out.values.push(quote! {
            #inside => #ty::value(&self.#field, number - (#first))
        });
        out.sets.push(quote! {
            #inside => #ty::set_value(&mut self.#field, number - (#first), cell)
        });
    }
    out
}

pub(super) fn changed(model: &Model) -> Vec<TokenStream> {
    let piece = |(embed, first, _): (&Embed, TokenStream, TokenStream)| {
        let (field, ty) = (&embed.ident, embed.as_embedded());
        quote! {
            set = set.union(#ty::changed(&self.#field, &old.#field).outside(#first));
        }
    };
    each(model).map(piece).collect()
}

pub(super) fn normalize(model: &Model) -> Vec<TokenStream> {
    let piece = |(embed, first, width): (&Embed, TokenStream, TokenStream)| {
        let (field, ty) = (&embed.ident, embed.as_embedded());
        quote!(#ty::normalize(&mut self.#field, columns.inside(#first, #width));)
    };
    each(model).map(piece).collect()
}

pub(super) fn touch_all(model: &Model, changed: &Ident, set: &Ident) -> Vec<TokenStream> {
    let piece = |(embed, first, width): (&Embed, TokenStream, TokenStream)| {
        let (field, ty) = (&embed.ident, embed.as_embedded());
        quote! {
            #set = #set.union(
                #ty::touch(&mut self.#field, #changed.inside(#first, #width))
                    .outside(#first),
            );
        }
    };
    each(model).map(piece).collect()
}

pub(super) fn touched_all(model: &Model, changed: &Ident, set: &Ident) -> Vec<TokenStream> {
    let piece = |(embed, first, width): (&Embed, TokenStream, TokenStream)| {
        let ty = embed.as_embedded();
        quote! {
            for (column, value) in #ty::touched(#changed.inside(#first, #width)) {
                #set.push((column + #first, value));
            }
        }
    };
    each(model).map(piece).collect()
}

/// The checks that need the columns of the embedded structs.
pub(super) fn checks(model: &Model) -> TokenStream {
    if model.embeds.is_empty() {
        return TokenStream::new();
    }
    let (ident, name, columns) = (&model.ident, &model.name, columns(model));
    let check = quote::quote_spanned!(ident.span()=> ::limbeck::__private::check(#name, COLUMNS));
    quote! {
        const _: () = {
            const COLUMNS: &[::limbeck::model::ColumnDef] = #columns;
            #check
        };
    }
}

/// All items of a struct that is to be embedded.
pub(crate) fn items(model: &Model) -> TokenStream {
    let (ident, vis, name) = (&model.ident, &model.vis, &model.name);
    let table = companion(model, "Columns");
    let owner = quote!(__M);
    let constants = column_constants(model, &owner);
    let new_constants = new_column_constants(model, &owner, &quote!(first));
    let (all, own, copies, touch) = (columns(model), own_values(model), copies(model), touch(model));
    let (defaulted, absent) = (defaulted(model), absent(model));
    let checks = checks(model);
    let types = super::checks::columns(model);
    let table_doc = doc(&format!("The columns of a `{name}`, as columns of the model `__M` that embeds it."));
    quote! {
        #table_doc
        #[allow(dead_code, unreachable_pub)]
        #vis struct #table<__M> {
            #(#constants,)*
        }

        #[automatically_derived]
        impl<__M> ::core::clone::Clone for #table<__M> {
            #[inline]
            fn clone(&self) -> Self {
                *self
            }
        }

        #[automatically_derived]
        impl<__M> ::core::marker::Copy for #table<__M> {}

        #[automatically_derived]
        impl<__M> ::core::fmt::Debug for #table<__M> {
            fn fmt(&self, f: &mut ::core::fmt::Formatter<'_>) -> ::core::fmt::Result {
                f.write_str(#name)
            }
        }

        #[automatically_derived]
        #[allow(dead_code, unreachable_pub)]
        impl #ident {
            #[doc(hidden)]
            #vis const fn __columns<__M>(
                first: u16,
                alias: ::core::option::Option<&'static str>,
            ) -> #table<__M> {
                #table { #(#new_constants,)* }
            }
        }

        #[automatically_derived]
        const _: () = {
            #[diagnostic::do_not_recommend]
            impl ::limbeck::model::Embedded for #ident {
                const COLUMNS: &'static [::limbeck::model::ColumnDef] = #all;
                const DEFAULTED: bool = #defaulted;
                type Columns<__M> = #table<__M>;

                #own
                #copies
                #touch
                #absent
            }
            #checks
            #types
        };
    }
}

/// Whether a new object can leave the struct out, as an expression.
fn defaulted(model: &Model) -> TokenStream {
    let own = !model.columns.iter().any(|column| column.is_required());
    let nested = model.embeds.iter().map(|embed| {
        let ty = embed.as_embedded();
        quote!(#ty::DEFAULTED)
    });
    quote!(#own #(&& #nested)*)
}

/// `absent`: the struct of a new object that left it out.
fn absent(model: &Model) -> TokenStream {
    let ident = &model.ident;
    let result = quote!(::core::option::Option<(Self, ::limbeck::model::ColumnSet)>);
    if model.columns.iter().any(|column| column.is_required()) {
        return quote! {
            fn absent() -> #result {
                ::core::option::Option::None
            }
        };
    }
    let mut fields = Vec::new();
    let mut given = Vec::new();
    for (i, column) in model.columns.iter().enumerate() {
        let (field, number) = (&column.ident, model.number(i));
        let value = match Unset::of(model, column) {
            Unset::Default(value) => {
                given.push(quote!(given.insert(#number);));
                value
            }
            Unset::Placeholder(value) => value,
            // Then it would be required.
            Unset::Never => quote!(::limbeck::__private::given(::core::option::Option::None)),
        };
        fields.push(quote!(#field: #value));
    }
    let nested = each(model).enumerate().map(|(i, (embed, first, _))| {
        let (ty, variable) = (embed.as_embedded(), format_ident!("__e{i}"));
        quote! {
            let (#variable, inner) = match #ty::absent() {
                ::core::option::Option::Some(absent) => absent,
                ::core::option::Option::None => return ::core::option::Option::None,
            };
            given = given.union(inner.outside(#first));
        }
    });
    let nested_fields = model.embeds.iter().enumerate().map(|(i, embed)| {
        let (field, variable) = (&embed.ident, format_ident!("__e{i}"));
        quote!(#field: #variable)
    });
    quote! {
        #[allow(unused_mut)]
        fn absent() -> #result {
            let mut given = ::limbeck::model::ColumnSet::EMPTY;
            #(#given)*
            #(#nested)*
            ::core::option::Option::Some((#ident { #(#fields,)* #(#nested_fields,)* }, given))
        }
    }
}
