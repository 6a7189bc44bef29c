//! `UserTable`, and the constant that has the struct's name.

use proc_macro2::{Literal, TokenStream};
use quote::{quote, quote_spanned};
use syn::spanned::Spanned;

use super::model::relation_def;
use super::{companion, local};
use crate::input::{Kind, Model, Relation};

pub(super) fn items(model: &Model) -> TokenStream {
    let (ident, vis, name) = (&model.ident, &model.vis, &model.name);
    let table = companion(model, "Table");
    let owner = quote!(#ident);
    let columns = column_constants(model, &owner);
    let relations = model.relations.iter().map(|relation| {
        let (docs, vis, ident) = (&relation.docs, &relation.vis, &relation.ident);
        let doc = docs.is_empty().then(|| doc(&format!("`{name}.{}`", relation.field)));
        let ty = constant(model, relation);
        quote!(#(#docs)* #doc #vis #ident: #ty)
    });
    let new_columns = new_column_constants(model, &owner, &quote!(0));
    let new_relations = model.relations.iter().enumerate().map(|(i, relation)| {
        let (ident, i) = (&relation.ident, Literal::u16_unsuffixed(i as u16));
        let kind = match relation.kind {
            Kind::BelongsTo | Kind::HasOne => local("ToOne"),
            Kind::HasMany | Kind::ManyToMany => local("ToMany"),
        };
        quote!(#ident: ::limbeck::model::#kind::new(#i, alias))
    });
    let relation_defs = model.relations.iter().map(|relation| relation_def(model, relation));
    let table_doc = doc(&format!("The columns and relationships of `{name}`; the constant `{name}` is one."));
    quote! {
        #table_doc
        #[allow(dead_code, unreachable_pub)]
        #vis struct #table {
            #(#columns,)*
            #(#relations,)*
            __alias: ::core::option::Option<&'static str>,
        }

        #[doc(hidden)]
        #[allow(non_upper_case_globals, dead_code, unreachable_pub)]
        #vis const #ident: #table = #table::__new(::core::option::Option::None);

        #[automatically_derived]
        #[allow(dead_code, unreachable_pub)]
        impl #table {
            const fn __new(alias: ::core::option::Option<&'static str>) -> Self {
                #table { #(#new_columns,)* #(#new_relations,)* __alias: alias }
            }

            /// The same table under another name, to join it with itself.
            #[must_use]
            #vis const fn alias(self, name: &'static str) -> Self {
                Self::__new(::core::option::Option::Some(name))
            }

            /// The model of which a row may have none, as an outer join leaves it: selected, it is an `Option`.
            #[must_use]
            #vis const fn optional(self) -> ::limbeck::sql::Optional<Self> {
                ::limbeck::sql::Optional::new(self)
            }
        }

        #[automatically_derived]
        impl ::core::clone::Clone for #table {
            #[inline]
            fn clone(&self) -> Self {
                *self
            }
        }

        #[automatically_derived]
        impl ::core::marker::Copy for #table {}

        #[automatically_derived]
        impl ::core::fmt::Debug for #table {
            fn fmt(&self, f: &mut ::core::fmt::Formatter<'_>) -> ::core::fmt::Result {
                f.write_str(#name)
            }
        }

        #[automatically_derived]
        impl ::limbeck::model::TableOf for #table {
            type Model = #ident;

            fn alias(&self) -> ::core::option::Option<&'static str> {
                self.__alias
            }
        }

        #[automatically_derived]
        #[diagnostic::do_not_recommend]
        impl ::limbeck::__private::HasTable for #ident {
            type Table = #table;
            const TABLE: #table = #table::__new(::core::option::Option::None);
            const RELATIONS: &'static [::limbeck::model::RelationDef] = &[#(#relation_defs),*];
        }
    }
}

/// The fields of columns and embedded structs, of a model `owner`.
pub(super) fn column_constants(model: &Model, owner: &TokenStream) -> Vec<TokenStream> {
    let name = &model.name;
    let columns = model.columns.iter().map(|column| {
        let (docs, vis, ident, ty) = (&column.docs, &column.vis, &column.ident, &column.ty);
        let doc = docs.is_empty().then(|| doc(&format!("`{name}.{}`", column.field)));
        quote!(#(#docs)* #doc #vis #ident: ::limbeck::model::Column<#owner, #ty>)
    });
    let embeds = model.embeds.iter().map(|embed| {
        let (docs, vis, ident, ty) = (&embed.docs, &embed.vis, &embed.ident, embed.as_embedded());
        let doc = docs.is_empty().then(|| doc(&format!("The columns of `{name}.{}`.", embed.field)));
        quote!(#(#docs)* #doc #vis #ident: #ty::Columns<#owner>)
    });
    columns.chain(embeds).collect()
}

/// Their values, where the first column has the number `first`; `alias` is in scope.
pub(super) fn new_column_constants(model: &Model, owner: &TokenStream, first: &TokenStream) -> Vec<TokenStream> {
    // A number beyond what a model can have is found by a check of its own.
    let columns = model.columns.iter().enumerate().map(|(i, column)| {
        let (ident, i) = (&column.ident, model.number(i));
        quote!(#ident: ::limbeck::model::Column::new(#first + (#i) as u16, alias))
    });
    let embeds = model.embeds.iter().enumerate().map(|(i, embed)| {
        let (ident, ty, i) = (&embed.ident, &embed.ty, model.embedded(i));
        let columns = quote_spanned!(ty.span()=> <#ty>::__columns);
        quote!(#ident: #columns::<#owner>(#first + (#i) as u16, alias))
    });
    columns.chain(embeds).collect()
}

/// The type of a relationship's constant.
pub(super) fn constant(model: &Model, relation: &Relation) -> TokenStream {
    let (owner, target) = (&model.ident, &relation.target);
    match relation.kind {
        Kind::BelongsTo | Kind::HasOne => quote!(::limbeck::model::ToOne<#owner, #target>),
        Kind::HasMany | Kind::ManyToMany => quote!(::limbeck::model::ToMany<#owner, #target>),
    }
}

/// A doc comment.
pub(super) fn doc(text: &str) -> TokenStream {
    quote!(#[doc = #text])
}
