//! What is asked of an object between two flushes: what was changed, and what `on_update` adds to it.

use proc_macro2::TokenStream;
use quote::quote;

use super::model::value_of;
use super::{embed, local};
use crate::input::Model;

/// `snapshot`, `changed`, `normalize`: an object beside its copy.
pub(super) fn copies(model: &Model) -> TokenStream {
    let ident = &model.ident;
    let columns = model.columns.iter().map(|column| {
        let (field, ty) = (&column.ident, column.field_type());
        quote!(#field: <#ty as ::limbeck::__private::Field>::copy(&self.#field))
    });
    let embeds = model.embeds.iter().map(|embed| {
        let (field, ty) = (&embed.ident, embed.as_embedded());
        quote!(#field: #ty::snapshot(&self.#field))
    });
    let relations = model.relations.iter().map(|relation| {
        let field = &relation.ident;
        quote!(#field: ::core::clone::Clone::clone(&self.#field))
    });
    let changed = model.columns.iter().enumerate().map(|(i, column)| {
        let (field, ty, i) = (&column.ident, column.field_type(), model.number(i));
        quote!(if <#ty as ::limbeck::__private::Field>::differs(&self.#field, &old.#field) { set.insert(#i); })
    });
    let normalize = model.columns.iter().enumerate().map(|(i, column)| {
        let (field, ty, i) = (&column.ident, column.field_type(), model.number(i));
        quote! {
            if columns.contains(#i) {
                <#ty as ::limbeck::__private::Field>::normalize(&mut self.#field);
            }
        }
    });
    let (embed_changed, embed_normalize) = (embed::changed(model), embed::normalize(model));
    quote! {
        fn snapshot(&self) -> Self {
            #ident { #(#columns,)* #(#embeds,)* #(#relations,)* }
        }

        fn changed(&self, old: &Self) -> ::limbeck::model::ColumnSet {
            let mut set = ::limbeck::model::ColumnSet::EMPTY;
            #(#changed)*
            #(#embed_changed)*
            set
        }

        fn normalize(&mut self, columns: ::limbeck::model::ColumnSet) {
            #(#normalize)*
            #(#embed_normalize)*
        }
    }
}

/// `touch`, `touched`: what `on_update` makes of columns, in an object and for a statement over many rows.
pub(super) fn touch(model: &Model) -> TokenStream {
    let (changed, set) = (local("changed"), local("set"));
    let mut updates: Vec<TokenStream> = model
        .columns
        .iter()
        .enumerate()
        .filter_map(|(i, column)| {
            let (field, i) = (&column.ident, model.number(i));
            let value = value_of(column, column.on_update.as_ref()?);
            Some(quote! {
                if !#changed.contains(#i) {
                    self.#field = #value;
                    #set.insert(#i);
                }
            })
        })
        .collect();
    updates.extend(embed::touch_all(model, &changed, &set));
    let values = model.columns.iter().enumerate().filter_map(|(i, column)| {
        let (ty, i) = (&column.ty, model.number(i));
        let value = value_of(column, column.on_update.as_ref()?);
        Some(quote! {
            if !#changed.contains(#i) {
                let mut value: #ty = #value;
                <#ty as ::limbeck::__private::Field>::normalize(&mut value);
                #set.push((#i, <#ty as ::limbeck::__private::Field>::encode(&value).into_owned()));
            }
        })
    });
    let values: Vec<TokenStream> = values.chain(embed::touched_all(model, &changed, &set)).collect();
    if updates.is_empty() {
        return quote! {
            fn touch(&mut self, _: ::limbeck::model::ColumnSet) -> ::limbeck::model::ColumnSet {
                ::limbeck::model::ColumnSet::EMPTY
            }
        };
    }
    quote! {
        fn touch(&mut self, #changed: ::limbeck::model::ColumnSet) -> ::limbeck::model::ColumnSet {
            let mut #set = ::limbeck::model::ColumnSet::EMPTY;
            #(#updates)*
            self.normalize(#set);
            #set
        }

        fn touched(
            #changed: ::limbeck::model::ColumnSet,
        ) -> ::std::vec::Vec<(usize, ::limbeck::types::Value<'static>)> {
            let mut #set = ::std::vec::Vec::new();
            #(#values)*
            #set
        }
    }
}
