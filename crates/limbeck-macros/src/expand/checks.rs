//! What is checked while the program compiles: things that need another struct, or a type's constants.

use proc_macro2::{Span, TokenStream};
use quote::{quote, quote_spanned};
use syn::ext::IdentExt;
use syn::spanned::Spanned;

use super::model::label;
use super::{local, option};
use crate::input::{Column, Generated, Kind, Model, Relation};

pub(super) fn items(model: &Model) -> TokenStream {
    let columns = columns(model);
    let embeds = super::embed::checks(model);
    let far = |relation: &&Relation| matches!(relation.kind, Kind::HasMany | Kind::HasOne);
    let far_keys = model.relations.iter().filter(far).flat_map(|relation| {
        let target = &relation.target;
        relation.key.iter().map(move |key| {
            quote! {
                let _: ::limbeck::model::Column<#target, _> = <#target as ::limbeck::__private::HasTable>::TABLE.#key;
            }
        })
    });
    let orders = model.relations.iter().flat_map(|relation| {
        let target = &relation.target;
        relation.options.order_by.iter().map(move |order| {
            let (field, inner) = (&order.field.ident, &order.field.inner);
            quote! {
                let _: ::limbeck::model::Column<#target, _> =
                    <#target as ::limbeck::__private::HasTable>::TABLE.#field #(.#inner)*;
            }
        })
    });
    let back = model.relations.iter().filter_map(|relation| back_populates(model, relation));
    quote! {
        #[allow(dead_code)]
        fn __check() {
            #(#far_keys)*
            #(#orders)*
        }
        #columns
        #embeds
        #(#back)*
    }
}

/// What is checked of the struct's own columns.
pub(super) fn columns(model: &Model) -> TokenStream {
    let keys = model.columns.iter().filter_map(|column| {
        let key = column.foreign_key.as_ref()?;
        let (ty, target, field) = (&column.ty, &key.target, &key.column);
        let target = quote_spanned!(target.span()=> <#target as ::limbeck::__private::HasTable>::TABLE.#field);
        Some(quote_spanned!(ty.span()=> ::limbeck::__private::reference(#target).check::<#ty>();))
    });
    let composite_keys = model.options.foreign_keys.iter().flat_map(|key| {
        let target = &key.target;
        key.columns.iter().zip(&key.fields).map(move |(own, field)| {
            let ty = &model.columns[own.column].ty;
            let target = quote_spanned!(field.span()=> <#target as ::limbeck::__private::HasTable>::TABLE.#field);
            quote_spanned!(own.ident.span()=> ::limbeck::__private::reference(#target).check::<#ty>();)
        })
    });
    let types = model.columns.iter().filter_map(|column| of_type(model, column));
    let nulls = model.columns.iter().filter_map(|column| nullability(model, column));
    quote! {
        #[allow(dead_code)]
        fn __check_keys() {
            #(#keys)*
            #(#composite_keys)*
        }
        #(#types)*
        #(#nulls)*
    }
}

/// That a column's type, which only the compiler knows, fits its options.
fn of_type(model: &Model, column: &Column) -> Option<TokenStream> {
    let ty = &column.ty;
    let (test, span, what) = match &column.length {
        Some(length) => ("can_have_length", length.span(), "`length` is for text"),
        None if column.named_type.is_some() => ("can_have_length", column.ident.span(), "`type` is for text"),
        None if column.text => ("can_be_text", column.ident.span(), "`text` is for text and UUIDs"),
        None if column.numeric.is_some() => ("can_be_numeric", column.ident.span(), "`numeric` is for decimals"),
        None if column.json => ("can_be_json", column.ident.span(), "`json` is for JSON"),
        None if column.version => {
            ("can_be_generated", column.ident.span(), "a version is an integer (`i64`, `i32` or `i16`)")
        }
        None if column.generated == Generated::Yes => {
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

/// Whether a column may be NULL, where its type's tokens do not say it and an option depends on it.
fn nullability(model: &Model, column: &Column) -> Option<TokenStream> {
    if column.nullability().is_some() {
        return None;
    }
    let (ident, ty) = (&column.ident, &column.ty);
    let mut checks = Vec::new();
    let mut check = |wanted: bool, span: Span, message: String| {
        let panic = quote_spanned!(span=> ::core::panic!(#message));
        checks.push(quote!(if <#ty as ::limbeck::__private::Field>::NULLABLE != #wanted { #panic }));
    };
    if column.primary_key {
        check(false, ident.span(), format!("`{}.{}`: a primary key cannot be NULL", model.name, column.field));
    }
    if column.version {
        check(false, ident.span(), format!("`{}.{}`: a version cannot be NULL", model.name, column.field));
    }
    let by_composite = |key: &crate::input::CompositeKey| {
        key.options.sets_null() && key.columns.iter().any(|field| model.columns[field.column].ident == *ident)
    };
    if column.sets_null() || model.options.foreign_keys.iter().any(by_composite) {
        check(true, ident.span(), format!("`{}.{}`: {}", model.name, column.field, column.needs_null()));
    }
    for relation in model.relations.iter().filter(|relation| relation.kind == Kind::BelongsTo) {
        if relation.key.as_slice() == std::slice::from_ref(ident) {
            let message = format!("`{}`: {}", label(model, relation), relation.wrong_null(column));
            check(relation.optional, relation.ident.span(), message);
        }
    }
    (!checks.is_empty()).then(|| quote!(const _: () = { #(#checks)* };))
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
    let opposite = format!(
        "`{near}` is a `{}`, and `{far}` cannot be its other side: a `BelongsTo` is that of a `HasMany` or `HasOne`",
        relation.kind.name()
    );
    let panic = |message: &str| quote_spanned!(back.span()=> ::core::panic!(#message));
    let (not_mutual, other_table, not_opposite) = (panic(&mutual), panic(&tables), panic(&opposite));
    let kind = local(relation.kind.name());
    let over = (relation.kind == Kind::ManyToMany).then(|| {
        quote! {
            if !::limbeck::__private::is_over(#far_table::RELATIONS, #far_field, #secondary) {
                #other_table;
            }
        }
    });
    let side =
        quote_spanned!(back.span()=> ::limbeck::__private::side(#far_table::TABLE.#back).check::<#ty, #owner>(););
    Some(quote! {
        const _: () = {
            #side
            if !::limbeck::__private::populates(#far_table::RELATIONS, #far_field, #field) {
                #not_mutual;
            }
            if !::limbeck::__private::is_opposite(
                #far_table::RELATIONS,
                #far_field,
                ::limbeck::model::RelationKind::#kind,
            ) {
                #not_opposite;
            }
            #over
        };
    })
}
