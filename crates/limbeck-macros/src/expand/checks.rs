//! What is checked while the program compiles: things that need another struct, or a type's constants.

use proc_macro2::TokenStream;
use quote::{quote, quote_spanned};
use syn::ext::IdentExt;
use syn::spanned::Spanned;

use super::option;
use crate::input::{Kind, Model, Relation};

pub(super) fn items(model: &Model) -> TokenStream {
    let keys = model.columns.iter().filter_map(|column| {
        let key = column.foreign_key.as_ref()?;
        let (ty, target, field) = (&column.ty, &key.target, &key.column);
        let target = quote_spanned!(target.span()=> <#target as ::limbeck::__private::HasTable>::TABLE);
        Some(quote_spanned!(ty.span()=> ::limbeck::__private::foreign_key::<#ty, _, _>(#target.#field);))
    });
    let far_keys = model.relations.iter().filter(|relation| relation.kind == Kind::HasMany).filter_map(|relation| {
        let (key, target) = (relation.key.as_ref()?, &relation.target);
        Some(quote! {
            let _: ::limbeck::model::Column<#target, _> = <#target as ::limbeck::__private::HasTable>::TABLE.#key;
        })
    });
    let generated = model.columns.iter().filter(|column| column.generated).map(|column| {
        let ty = &column.ty;
        quote!(::limbeck::__private::generated::<#ty>();)
    });
    // A constant of its own for each relationship: each error is shown, and no initialiser needs another.
    let back = model.relations.iter().filter_map(|relation| back_populates(model, relation));
    quote! {
        #[allow(dead_code)]
        fn __check() {
            #(#keys)*
            #(#far_keys)*
        }
        const _: () = { #(#generated)* };
        #(#back)*
    }
}

fn back_populates(model: &Model, relation: &Relation) -> Option<TokenStream> {
    let back = relation.back_populates.as_ref()?;
    let (owner, target, field) = (&model.ident, &relation.target, &relation.field);
    let kind = &relation.ty;
    let secondary = option(relation.secondary.as_ref().map(syn::LitStr::value).as_deref());
    let (name, far) = (&model.name, quote!(#target).to_string().replace(' ', ""));
    let back_name = back.unraw().to_string();
    let message = format!(
        "`{name}.{field}` says `back_populates = {back_name}`, so `{far}.{back_name}` has to say `back_populates = {field}`"
    );
    let tables = format!("`{name}.{field}` and `{far}.{back_name}` have to name the same association table in `secondary`");
    let check = quote_spanned! {back.span()=>
        .check_back::<#kind, #owner>(#field, #secondary, #message, #tables)
    };
    Some(quote! {
        const _: () = <#target as ::limbeck::__private::HasTable>::TABLE.#back #check;
    })
}
