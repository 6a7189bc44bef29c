//! `impl FromRow` and `impl Fetch` of a struct that is read by the names of columns.

use proc_macro2::{Literal, TokenStream};
use quote::{quote, quote_spanned};
use syn::spanned::Spanned;

use crate::input::{FromRow, RowField, RowSource};

/// All items of the struct.
pub(crate) fn from_row(row: &FromRow) -> TokenStream {
    let (ident, name) = (&row.ident, &row.name);
    let columns = row.fields.iter().map(columns_type);
    // A row of one column is its value and no tuple.
    let columns = match row.fields.as_slice() {
        [_] => quote!(#(#columns)*),
        _ => quote!((#(#columns,)*)),
    };
    let named = row.fields.iter().map(|field| named(name, field));
    let own = Literal::usize_unsuffixed(row.fields.iter().filter(|field| is_column(field)).count());
    let nested: Vec<TokenStream> = row.fields.iter().filter(|field| !is_column(field)).map(width).collect();
    let reads = row.fields.iter().map(read);
    let fields = row.fields.iter().map(|field| &field.ident);
    quote! {
        #[automatically_derived]
        const _: () = {
            impl ::limbeck::sql::FromRow for #ident {
                type Columns = #columns;

                fn fields(fields: &mut ::limbeck::sql::Fields) {
                    #(#named)*
                }

                fn read(
                    row: &::limbeck::Row<'_>,
                    positions: ::limbeck::sql::Positions<'_>,
                    first: usize,
                ) -> ::core::result::Result<Self, ::limbeck::types::DecodeError> {
                    let mut next = first;
                    #(#reads)*
                    let _ = next;
                    ::core::result::Result::Ok(#ident { #(#fields),* })
                }
            }

            impl ::limbeck::sql::Fetch for #ident {
                type Tracked = Self;

                fn width() -> usize {
                    #own #(+ #nested)*
                }

                fn fetch(
                    row: &::limbeck::Row<'_>,
                    at: usize,
                ) -> ::core::result::Result<Self, ::limbeck::types::DecodeError> {
                    <Self as ::limbeck::sql::FromRow>::read(row, ::limbeck::sql::Positions::IN_ORDER, at)
                }

                fn track(
                    _: &mut ::limbeck::session::Loader<'_>,
                    row: &::limbeck::Row<'_>,
                    at: usize,
                ) -> ::limbeck::Result<Self> {
                    <Self as ::limbeck::sql::FromRow>::read(row, ::limbeck::sql::Positions::IN_ORDER, at).map_err(
                        |source| ::limbeck::__private::unreadable::<Self>(source, ::limbeck::sql::Positions::IN_ORDER),
                    )
                }

                fn resolve(row: &::limbeck::Row<'_>) -> ::limbeck::Result<::std::vec::Vec<usize>> {
                    ::limbeck::__private::resolve::<Self>(row)
                }

                fn fetch_at(
                    row: &::limbeck::Row<'_>,
                    positions: ::limbeck::sql::Positions<'_>,
                ) -> ::core::result::Result<Self, ::limbeck::types::DecodeError> {
                    <Self as ::limbeck::sql::FromRow>::read(row, positions, 0)
                }

                fn track_at(
                    _: &mut ::limbeck::session::Loader<'_>,
                    row: &::limbeck::Row<'_>,
                    positions: ::limbeck::sql::Positions<'_>,
                ) -> ::limbeck::Result<Self> {
                    <Self as ::limbeck::sql::FromRow>::read(row, positions, 0)
                        .map_err(|source| ::limbeck::__private::unreadable::<Self>(source, positions))
                }

                fn column_name(position: usize) -> (::std::string::String, ::std::string::String) {
                    ::limbeck::__private::field_name::<Self>(position)
                }
            }
        };
    }
}

fn is_column(field: &RowField) -> bool {
    matches!(field.source, RowSource::Column { .. })
}

fn columns_type(field: &RowField) -> TokenStream {
    let ty = &field.ty;
    match field.source {
        RowSource::Column { .. } => quote!(#ty),
        RowSource::Flatten { .. } => quote!(<#ty as ::limbeck::sql::Flatten>::Columns),
    }
}

fn width(field: &RowField) -> TokenStream {
    let ty = &field.ty;
    quote!(<#ty as ::limbeck::sql::Flatten>::width())
}

fn named(owner: &str, field: &RowField) -> TokenStream {
    let ty = &field.ty;
    match &field.source {
        RowSource::Column { name, or_default } => {
            let field = &field.field;
            quote!(fields.column(#owner, #field, #name, #or_default);)
        }
        RowSource::Flatten { prefix } => quote!(fields.flatten::<#ty>(#prefix);),
    }
}

fn read(field: &RowField) -> TokenStream {
    let (ident, ty) = (&field.ident, &field.ty);
    let (read, width) = match &field.source {
        RowSource::Column { or_default: false, .. } => {
            (quote_spanned!(ty.span()=> ::limbeck::__private::column::<#ty>), quote!(1))
        }
        RowSource::Column { or_default: true, .. } => {
            (quote_spanned!(ty.span()=> ::limbeck::__private::column_or_default::<#ty>), quote!(1))
        }
        RowSource::Flatten { .. } => (quote!(<#ty as ::limbeck::sql::Flatten>::read), width(field)),
    };
    quote! {
        let #ident: #ty = match #read(row, positions, next) {
            ::core::result::Result::Ok(value) => value,
            ::core::result::Result::Err(error) => return ::core::result::Result::Err(error),
        };
        next += #width;
    }
}
