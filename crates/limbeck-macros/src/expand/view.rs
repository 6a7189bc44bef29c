//! `impl View` and the constant that has the struct's name.
//!
//! Each function goes through the fields in their order. What a field is (a column, a row, a list) is decided by the
//! traits of the model's constants: the derive sees names only.

use proc_macro2::{Delimiter, Group, Ident, Span, TokenStream};
use quote::{format_ident, quote, quote_spanned};
use syn::spanned::Spanned;

use crate::input::{View, ViewField, ViewSource};

/// All items of the view.
pub(crate) fn view(view: &View) -> TokenStream {
    let (ident, name, vis, model) = (&view.ident, &view.name, &view.vis, &view.model);
    let plans = view.fields.iter().map(|field| plan(view, field));
    let columns = view.fields.iter().map(|field| columns(view, field));
    let reads = view.fields.iter().map(|field| read(view, field));
    let lists: Vec<TokenStream> = view.fields.iter().filter_map(|field| lists(view, field)).collect();
    let fields = view.fields.iter().map(|field| &field.ident);
    let model_type = quote_spanned!(model.span()=> #model);
    quote! {
        #[doc(hidden)]
        #[allow(non_upper_case_globals, dead_code, unreachable_pub)]
        #vis const #ident: ::limbeck::sql::ViewOf<#ident> = ::limbeck::sql::ViewOf::new();

        #[automatically_derived]
        const _: () = {
            impl ::limbeck::sql::View for #ident {
                type Model = #model_type;

                const NAME: &'static str = #name;

                fn plan(plan: &mut ::limbeck::sql::Plan) {
                    #(#plans)*
                }

                fn columns() -> usize {
                    0 #(+ #columns)*
                }

                fn read(
                    row: &mut ::limbeck::sql::Reader<'_, '_>,
                ) -> ::core::result::Result<Self, ::limbeck::types::DecodeError> {
                    #(#reads)*
                    ::core::result::Result::Ok(#ident { #(#fields),* })
                }

                fn gather<Root: ::core::marker::Send + 'static>(
                    access: &::limbeck::sql::Access<Root, Self>,
                    lists: &mut ::limbeck::sql::Lists<Root>,
                ) {
                    let _ = (access, &lists);
                    #(#lists)*
                }
            }

            impl ::limbeck::sql::Fetch for #ident {
                type Tracked = Self;

                fn width() -> usize {
                    <Self as ::limbeck::sql::View>::columns()
                }

                fn fetch(
                    row: &::limbeck::Row<'_>,
                    at: usize,
                ) -> ::core::result::Result<Self, ::limbeck::types::DecodeError> {
                    ::limbeck::__private::read_view(row, at)
                }

                fn track(
                    _: &mut ::limbeck::session::Loader<'_>,
                    row: &::limbeck::Row<'_>,
                    at: usize,
                ) -> ::limbeck::Result<Self> {
                    ::limbeck::__private::track_view(row, at)
                }

                fn resolve(_: &::limbeck::Row<'_>) -> ::limbeck::Result<::std::vec::Vec<usize>> {
                    ::core::result::Result::Err(::limbeck::__private::by_hand::<Self>())
                }

                fn check() -> ::limbeck::Result<()> {
                    ::limbeck::__private::check_view::<Self>()
                }

                fn lists() -> ::limbeck::sql::ListPlan<Self> {
                    ::limbeck::sql::lists_of::<Self>()
                }

                fn tracked_lists() -> ::limbeck::sql::ListPlan<Self> {
                    ::limbeck::sql::lists_of::<Self>()
                }
            }
        };
    }
}

/// The constant of the model that a path ends at, with those on the way.
///
/// One function checks that the field's type fits, and hides what the constant is: so that a field that does not fit
/// is one error, at its type, in whatever place it is met first.
fn source(view: &View, field: &ViewField, path: &[Ident]) -> TokenStream {
    let (model, ty) = (&view.model, &field.ty);
    let table = quote!(<#model as ::limbeck::__private::HasTable>::TABLE);
    let names: Vec<Ident> = (0..path.len()).map(|i| format_ident!("__{i}", span = Span::mixed_site())).collect();
    let hops = path.iter().enumerate().map(|(i, part)| {
        let name = &names[i];
        match i.checked_sub(1).map(|before| &names[before]) {
            None => quote!(let #name = #table.#part;),
            Some(before) => {
                let table = quote_spanned!(part.span()=> ::limbeck::__private::target_of(#before));
                quote!(let #name = #table.#part;)
            }
        }
    });
    let Some((last, hops_before)) = names.split_last() else { return TokenStream::new() };
    let end = if hops_before.is_empty() { quote!(#last) } else { quote!(::limbeck::sql::End(#last)) };
    let whole = hops_before.iter().rev().fold(end, |rest, hop| quote!(::limbeck::sql::Via::new(#hop, #rest)));
    let checked = quote_spanned!(ty.span()=> ::limbeck::__private::view_field::<_, #ty>(#whole));
    group(field, Delimiter::Brace, quote!(#(#hops)* #checked))
}

/// Brackets that stand at the field's type.
fn group(field: &ViewField, delimiter: Delimiter, tokens: TokenStream) -> TokenStream {
    let mut group = Group::new(delimiter, tokens);
    group.set_span(field.ty.span());
    quote!(#group)
}

/// A function of `ViewField`, spoken at the field's type, so that an error is.
fn call(field: &ViewField, function: &str, arguments: TokenStream) -> TokenStream {
    let span = field.ty.span();
    let function = Ident::new(function, span);
    let function = quote_spanned!(span=> ::limbeck::sql::ViewField::#function);
    let arguments = group(field, Delimiter::Parenthesis, arguments);
    quote!(#function #arguments)
}

fn plan(view: &View, field: &ViewField) -> TokenStream {
    let (name, field_name, ty) = (&view.name, &field.field, &field.ty);
    match &field.source {
        ViewSource::Path(path) => {
            let source = source(view, field, path);
            let call = call(field, "plan", quote!(#source, plan.field(#name, #field_name)));
            quote!(#call;)
        }
        ViewSource::Expr(expr) => {
            let checked = quote_spanned!(ty.span()=> ::limbeck::__private::view_expression::<_, #ty>(#expr));
            quote!(plan.field(#name, #field_name).expression(#checked);)
        }
    }
}

fn columns(view: &View, field: &ViewField) -> TokenStream {
    match &field.source {
        ViewSource::Path(path) => {
            let source = source(view, field, path);
            call(field, "columns", source)
        }
        ViewSource::Expr(_) => quote!(1),
    }
}

fn read(view: &View, field: &ViewField) -> TokenStream {
    let (ident, ty) = (&field.ident, &field.ty);
    let value = match &field.source {
        ViewSource::Path(path) => {
            let source = source(view, field, path);
            call(field, "read", quote!(#source, row))
        }
        ViewSource::Expr(_) => quote!(row.column::<#ty>()),
    };
    quote! {
        let #ident: #ty = match #value {
            ::core::result::Result::Ok(value) => value,
            ::core::result::Result::Err(error) => return ::core::result::Result::Err(error),
        };
    }
}

fn lists(view: &View, field: &ViewField) -> Option<TokenStream> {
    let ViewSource::Path(path) = &field.source else { return None };
    let (ident, source) = (&field.ident, source(view, field, path));
    let gather = quote_spanned!(field.ty.span()=> ::limbeck::sql::Lists::field);
    let arguments =
        group(field, Delimiter::Parenthesis, quote!(lists, access, #source, |view: &mut Self| &mut view.#ident));
    let order_by = field.order_by.as_ref().map(|order| quote!(lists.order_by(#order);));
    let filter = field.filter.as_ref().map(|filter| quote!(lists.filter(#filter);));
    Some(quote! {
        #order_by
        #filter
        #gather #arguments;
    })
}
