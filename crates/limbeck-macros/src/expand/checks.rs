//! What is checked while the program compiles: things that need another struct, or a type's constants.

use proc_macro2::TokenStream;
use quote::{quote, quote_spanned};
use syn::ext::IdentExt;
use syn::spanned::Spanned;

use super::model::label;
use super::{local, option};
use crate::input::{Column, Kind, Model, Relation};

pub(super) fn items(model: &Model) -> TokenStream {
    let keys = model.columns.iter().filter_map(|column| {
        let key = column.foreign_key.as_ref()?;
        let (ty, target, field) = (&column.ty, &key.target, &key.column);
        let target = quote_spanned!(target.span()=> <#target as ::limbeck::__private::HasTable>::TABLE.#field);
        Some(quote_spanned!(ty.span()=> ::limbeck::__private::reference(#target).check::<#ty>();))
    });
    let far_keys = model.relations.iter().filter(|relation| relation.kind == Kind::HasMany).filter_map(|relation| {
        let (key, target) = (relation.key.as_ref()?, &relation.target);
        Some(quote! {
            let _: ::limbeck::model::Column<#target, _> = <#target as ::limbeck::__private::HasTable>::TABLE.#key;
        })
    });
    let types = model.columns.iter().filter_map(|column| of_type(model, column));
    let back = model.relations.iter().filter_map(|relation| back_populates(model, relation));
    quote! {
        #[allow(dead_code)]
        fn __check() {
            #(#keys)*
            #(#far_keys)*
        }
        #(#types)*
        #(#back)*
    }
}

/// That a column's type, which only the compiler knows, fits its options.
fn of_type(model: &Model, column: &Column) -> Option<TokenStream> {
    let ty = &column.ty;
    let (test, span, what) = match &column.length {
        Some(length) => ("can_have_length", length.span(), "`length` is for text"),
        None if column.text => ("can_have_length", column.ident.span(), "`text` is for text"),
        None if column.generated => {
            ("can_be_generated", column.ident.span(), "a key that the database generates is an integer")
        }
        None => return None,
    };
    let (test, message) = (local(test), format!("{what}, which `{}.{}` is not", model.name, column.field));
    let panic = quote_spanned!(span=> ::core::panic!(#message));
    Some(quote! {
        const _: () = if !::limbeck::schema::SqlType::#test::<#ty>() {
            #panic
        };
    })
}

/// That the field named by `back_populates` is there and leads back here is checked by its type; that it
/// names this one, by a constant. The constant stands alone: initialisers that need each other do not compile.
fn back_populates(model: &Model, relation: &Relation) -> Option<TokenStream> {
    let back = relation.back_populates.as_ref()?;
    let (owner, target, field, ty) = (&model.ident, &relation.target, &relation.field, &relation.ty);
    let secondary = option(relation.secondary.as_ref().map(syn::LitStr::value).as_deref());
    let far_field = back.unraw().to_string();
    let near = label(model, relation);
    let far = format!("{}.{far_field}", quote!(#target).to_string().replace(' ', ""));
    let mutual = format!("`{near}` has `back_populates = {far_field}`, so `{far}` needs `back_populates = {field}`");
    let tables = format!("`{near}` and `{far}` have to name the same association table in `secondary`");
    let far_table = quote!(<#target as ::limbeck::__private::HasTable>);
    let panic = |message: &str| quote_spanned!(back.span()=> ::core::panic!(#message));
    let (not_mutual, other_table) = (panic(&mutual), panic(&tables));
    let over = (relation.kind == Kind::ManyToMany).then(|| {
        quote! {
            if !::limbeck::__private::is_over(#far_table::RELATIONS, #far_field, #secondary) {
                #other_table;
            }
        }
    });
    let side = quote_spanned!(back.span()=> ::limbeck::__private::side(#far_table::TABLE.#back).check::<#ty, #owner>(););
    Some(quote! {
        const _: () = {
            #side
            if !::limbeck::__private::populates(#far_table::RELATIONS, #far_field, #field) {
                #not_mutual;
            }
            #over
        };
    })
}
