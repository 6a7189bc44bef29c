//! `derive(ColumnType)`: a struct around one value, as a column's type.

use proc_macro2::{Ident, TokenStream};
use quote::{quote, quote_spanned};
use syn::spanned::Spanned;
use syn::{Data, DeriveInput, Error, Fields, Member, Result, Type};

/// The struct's impls.
pub(crate) fn expand(input: &DeriveInput) -> Result<TokenStream> {
    let (member, inner) = only_field(input)?;
    if !input.generics.params.is_empty() {
        return Err(Error::new_spanned(
            &input.generics,
            "a column's type cannot be generic here: derive it for a struct around one known type, or implement \
             `limbeck::types::ColumnType` by hand",
        ));
    }
    let ident = &input.ident;
    let column_type = quote!(::limbeck::types::ColumnType);
    let (not_null, construct) = (not_null(ident, inner), quote!(|value| #ident { #member: value }));
    // The bound is on the field, so that the compiler points there when its type has no column.
    let as_column = quote_spanned!(inner.span()=> <#inner as ::limbeck::types::ColumnType>);
    Ok(quote! {
        #[automatically_derived]
        impl #column_type for #ident {
            type Base = Self;
            type Null<T: #column_type> = T;
            const SQL_TYPE: ::limbeck::schema::SqlType = #as_column::SQL_TYPE;
            const NUMBERED: bool = <#inner as #column_type>::NUMBERED;

            #[inline]
            fn encode(&self) -> ::limbeck::types::Value<'_> {
                <#inner as #column_type>::encode(&self.#member)
            }

            #[inline]
            fn decode(
                cell: ::limbeck::types::Cell<'_>,
            ) -> ::core::result::Result<Self, ::limbeck::types::DecodeError> {
                <#inner as #column_type>::decode(cell).map(#construct)
            }

            fn normalize(&mut self) {
                <#inner as #column_type>::normalize(&mut self.#member);
            }
        }

        // The lifetime makes the bound one that may not hold: then this is no impl.
        #[automatically_derived]
        impl ::limbeck::types::Placeholder for #ident
        where
            for<'__never> #inner: ::limbeck::types::Placeholder,
        {
            fn placeholder() -> Self {
                #ident { #member: <#inner as ::limbeck::types::Placeholder>::placeholder() }
            }
        }

        #[automatically_derived]
        impl ::limbeck::types::Element for #ident where for<'__never> #inner: ::limbeck::types::Element {}

        #not_null
    })
}

/// That the field's type cannot be NULL, which an alias may hide.
fn not_null(ident: &Ident, inner: &Type) -> TokenStream {
    let message =
        format!("`{ident}` is a column's type around one that may be NULL: write `Option<{ident}>` in the model");
    let panic = quote_spanned!(inner.span()=> ::core::panic!(#message));
    quote! {
        const _: () = if <#inner as ::limbeck::types::ColumnType>::NULLABLE {
            #panic
        };
    }
}

fn only_field(input: &DeriveInput) -> Result<(Member, &Type)> {
    let usage = format!("a column's type is a struct around one value: `struct {}(i64);`", input.ident);
    let fields = match &input.data {
        Data::Struct(data) => &data.fields,
        Data::Enum(_) => {
            let message = "an enum's values are kept by name: `#[derive(DbEnum)]` makes one a column's type";
            return Err(Error::new_spanned(&input.ident, message));
        }
        Data::Union(_) => return Err(Error::new_spanned(&input.ident, usage)),
    };
    let mut all = fields.iter();
    match (all.next(), all.next()) {
        (Some(field), None) => {
            let member = match (fields, &field.ident) {
                (Fields::Named(_), Some(name)) => Member::Named(name.clone()),
                _ => Member::Unnamed(0.into()),
            };
            Ok((member, &field.ty))
        }
        _ => Err(Error::new_spanned(&input.ident, usage)),
    }
}
