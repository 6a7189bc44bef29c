//! `impl Model`, `impl Fetch`, and the registration.

use proc_macro2::{Literal, TokenStream};
use quote::quote;
use syn::ext::IdentExt;
use syn::{Expr, Lit};

use super::copies::{copies, touch};
use super::{embed, local, option, options};
use crate::input::{Column, Generated, Model, Relation};

pub(super) fn items(model: &Model) -> TokenStream {
    let ident = &model.ident;
    let definition = definition(model);
    let key = key(model);
    let values = values(model);
    let copies = copies(model);
    let touch = touch(model);
    let deferred = deferred(model);
    let relations = relations(model);
    let fetch = fetch(model);
    quote! {
        #[automatically_derived]
        #[diagnostic::do_not_recommend]
        impl ::limbeck::model::Model for #ident {
            #key
            #definition
            #values
            #copies
            #touch
            #deferred
            #relations
        }
        #fetch
        ::limbeck::__private::inventory::submit! {
            ::limbeck::model::Registered(<#ident as ::limbeck::model::Model>::def)
        }
    }
}

pub(super) fn index(i: usize) -> Literal {
    Literal::usize_unsuffixed(i)
}

fn definition(model: &Model) -> TokenStream {
    let (ident, name, table) = (&model.ident, &model.name, &model.table);
    let columns = columns(model);
    let primary_key = model.primary_key.iter().map(|&i| index(i));
    let foreign_keys = model.options.foreign_keys.iter().map(|key| options::composite_key(model, key));
    let options = options::table(model);
    quote! {
        fn def() -> &'static ::limbeck::model::ModelDef {
            static ID: ::limbeck::model::ModelId = ::limbeck::model::ModelId::new();
            static DEF: ::limbeck::model::ModelDef = ::limbeck::model::ModelDef {
                name: #name,
                module: ::core::module_path!(),
                location: (::core::file!(), ::core::line!()),
                table: #table,
                columns: #columns,
                relations: <#ident as ::limbeck::__private::HasTable>::RELATIONS,
                primary_key: &[#(#primary_key),*],
                foreign_keys: &[#(#foreign_keys),*],
                options: #options,
                id: &ID,
                store: ::limbeck::__private::new_store::<#ident>,
            };
            &DEF
        }
    }
}

/// The columns, as an expression: a slice, put together by a constant function where structs are embedded.
pub(super) fn columns(model: &Model) -> TokenStream {
    let columns: Vec<TokenStream> = model.columns.iter().map(column_def).collect();
    if model.embeds.is_empty() {
        return quote!(&[#(#columns),*]);
    }
    let (own, deferred) = columns.split_at(model.first_deferred());
    let width = model.width();
    let parts = model.embeds.iter().map(|embed| {
        let (field, prefix, ty) = (&embed.field, &embed.prefix, embed.as_embedded());
        quote! {
            ::limbeck::__private::Part {
                field: #field,
                prefix: #prefix,
                columns: #ty::COLUMNS,
            }
        }
    });
    quote! {
        {
            const PARTS: &[::limbeck::__private::Part] = &[#(#parts),*];
            const NAMES: &[u8] = &::limbeck::__private::names::<{ ::limbeck::__private::names_length(PARTS) }>(PARTS);
            const COLUMNS: &[::limbeck::model::ColumnDef] =
                &::limbeck::__private::columns::<{ #width }>(&[#(#own),*], PARTS, NAMES, &[#(#deferred),*]);
            COLUMNS
        }
    }
}

fn column_def(column: &Column) -> TokenStream {
    let Column { field, name, ty, unique, index, deferred, .. } = column;
    let sql_type = match (&column.length, column.text) {
        (Some(length), _) => quote! {
            &::limbeck::schema::SqlType::String { length: ::core::option::Option::Some(#length) }
        },
        (None, true) => quote!(const { &::limbeck::schema::SqlType::text::<#ty>() }),
        (None, false) => match &column.numeric {
            Some((precision, scale)) => quote! {
                &::limbeck::schema::SqlType::Numeric {
                    precision: ::core::option::Option::Some(#precision),
                    scale: #scale,
                }
            },
            None if column.named_type.is_some() => {
                let name = &column.named_type;
                quote!(&::limbeck::schema::SqlType::Named(#name))
            }
            None if column.json => quote!(&::limbeck::schema::SqlType::Json { binary: false }),
            None => quote!(<#ty as ::limbeck::__private::Field>::SQL_TYPE),
        },
    };
    let generated = generated(column);
    let server_default = option(column.server_default.as_ref().map(syn::LitStr::value).as_deref());
    let foreign_key = match &column.foreign_key {
        None => quote!(::core::option::Option::None),
        Some(key) => {
            let (target, field) = (&key.target, key.column.unraw().to_string());
            let options = options::key(&key.options);
            quote! {
                ::core::option::Option::Some(::limbeck::model::ForeignKeyDef {
                    target: <#target as ::limbeck::__private::HasTable>::DEF,
                    field: #field,
                    #options
                })
            }
        }
    };
    let options = options::column(column);
    quote! {
        ::limbeck::model::ColumnDef {
            field: #field,
            name: #name,
            sql_type: #sql_type,
            nullable: <#ty as ::limbeck::__private::Field>::NULLABLE,
            unique: #unique,
            index: #index,
            generated: #generated,
            server_default: #server_default,
            foreign_key: #foreign_key,
            deferred: #deferred,
            options: #options,
        }
    }
}

/// Whether the database numbers a column, as a constant expression.
pub(super) fn generated(column: &Column) -> TokenStream {
    let ty = &column.ty;
    match column.generated {
        Generated::Yes => quote!(true),
        Generated::No => quote!(false),
        Generated::ByType => quote!(<#ty as ::limbeck::__private::Field>::NUMBERED),
    }
}

pub(super) fn relation_def(model: &Model, relation: &Relation) -> TokenStream {
    let (field, target) = (&relation.field, &relation.target);
    let label = label(model, relation);
    let kind = local(relation.kind.name());
    let back = option(relation.back_populates.as_ref().map(|back| back.unraw().to_string()).as_deref());
    let key = relation.key.iter().map(|key| key.unraw().to_string());
    let (local_columns, remote_columns, view_only) = (&relation.local, &relation.remote, relation.view_only);
    let options = options::relation(relation);
    let secondary = option(relation.secondary.as_ref().map(syn::LitStr::value).as_deref());
    quote! {
        ::limbeck::model::RelationDef {
            field: #field,
            label: #label,
            kind: ::limbeck::model::RelationKind::#kind,
            target: <#target as ::limbeck::__private::HasTable>::DEF,
            back_populates: #back,
            key: &[#(#key),*],
            secondary: #secondary,
            local: &[#(#local_columns),*],
            remote: &[#(#remote_columns),*],
            view_only: #view_only,
            options: #options,
        }
    }
}

/// `Post.author`
pub(super) fn label(model: &Model, relation: &Relation) -> String {
    format!("{}.{}", model.name, relation.field)
}

fn key(model: &Model) -> TokenStream {
    let columns: Vec<&Column> = model.primary_key.iter().map(|&i| &model.columns[i]).collect();
    let types = columns.iter().map(|column| &column.ty);
    let copies = columns.iter().map(|column| {
        let (field, ty) = (&column.ident, &column.ty);
        quote!(<#ty as ::limbeck::__private::Field>::copy(&self.#field))
    });
    let (ty, value) = match columns.as_slice() {
        [_] => (quote!(#(#types)*), quote!(#(#copies)*)),
        _ => (quote!((#(#types),*)), quote!((#(#copies),*))),
    };
    quote! {
        type Key = #ty;

        #[inline]
        fn key(&self) -> Self::Key {
            #value
        }
    }
}

/// `decode`, `value`, `set_value`: what goes to and comes from rows.
pub(super) fn values(model: &Model) -> TokenStream {
    let (ident, name) = (&model.ident, &model.name);
    // A variable for each column, and no `?`: in debug builds this is half the code of the shorter form.
    let locals: Vec<_> = (0..model.columns.len()).map(|i| quote::format_ident!("__{i}")).collect();
    let read = |variable: &proc_macro2::Ident, value: TokenStream| {
        quote! {
            let #variable = match #value {
                ::core::result::Result::Ok(value) => value,
                ::core::result::Result::Err(error) => return ::core::result::Result::Err(error),
            };
        }
    };
    let reads = model.columns.iter().enumerate().map(|(i, column)| {
        let (ty, number) = (&column.ty, model.number(i));
        let label = format!("{name}.{}", column.field);
        let value = if column.deferred {
            let scale = match &column.numeric {
                Some((_, scale)) => quote!(::core::option::Option::Some(#scale)),
                None => quote!(::core::option::Option::None),
            };
            quote!(::limbeck::types::Deferred::<#ty>::read(row, at, #number, #label, #scale))
        } else if let Some((_, scale)) = &column.numeric {
            quote!(<#ty as ::limbeck::__private::Field>::get_scaled(row, at, #number, #scale))
        } else {
            quote!(<#ty as ::limbeck::__private::Field>::get(row, at, #number))
        };
        read(&locals[i], value)
    });
    let fields = model.columns.iter().zip(&locals).map(|(column, variable)| {
        let field = &column.ident;
        quote!(#field: #variable)
    });
    let unloaded = model.relations.iter().map(|relation| unloaded(model, relation));
    let values = arms(model, |column| {
        let (field, ty) = (&column.ident, column.field_type());
        quote!(<#ty as ::limbeck::__private::Field>::encode(&self.#field))
    });
    let sets = arms(model, |column| {
        let (field, ty) = (&column.ident, column.field_type());
        match &column.numeric {
            Some((_, scale)) => {
                quote!(<#ty as ::limbeck::__private::Field>::set_scaled(&mut self.#field, cell, #scale))
            }
            None => quote!(<#ty as ::limbeck::__private::Field>::set(&mut self.#field, cell)),
        }
    });
    let embeds = embed::values(model, &read);
    let (embed_reads, embed_fields, embed_values, embed_sets) =
        (embeds.reads, embeds.fields, embeds.values, embeds.sets);
    quote! {
        fn decode(
            row: &::limbeck::Row<'_>,
            at: usize,
        ) -> ::core::result::Result<Self, ::limbeck::types::DecodeError> {
            #(#reads)*
            #(#embed_reads)*
            ::core::result::Result::Ok(#ident { #(#fields,)* #(#embed_fields,)* #(#unloaded,)* })
        }

        fn value(&self, column: usize) -> ::limbeck::types::Value<'_> {
            match column {
                #(#values,)*
                #(#embed_values,)*
                _ => ::limbeck::__private::no_column(#name, column),
            }
        }

        fn set_value(
            &mut self,
            column: usize,
            cell: ::limbeck::types::Cell<'_>,
        ) -> ::core::result::Result<(), ::limbeck::types::DecodeError> {
            match column {
                #(#sets,)*
                #(#embed_sets,)*
                _ => ::limbeck::__private::no_column(#name, column),
            }
        }
    }
}

/// The arms of a `match` over the numbers of a model's own columns.
fn arms(model: &Model, value: impl Fn(&Column) -> TokenStream) -> Vec<TokenStream> {
    let arm = |(i, column): (usize, &Column)| {
        let (number, value) = (model.number(i), value(column));
        if column.deferred && !model.embeds.is_empty() {
            // A sum is no pattern.
            quote!(number if number == #number => #value)
        } else {
            quote!(#number => #value)
        }
    };
    model.columns.iter().enumerate().map(arm).collect()
}

/// `author: BelongsTo::unloaded("Post.author")`
pub(super) fn unloaded(model: &Model, relation: &Relation) -> TokenStream {
    let (field, label, kind) = (&relation.ident, label(model, relation), local(relation.kind.name()));
    quote!(#field: ::limbeck::model::#kind::unloaded(#label))
}

/// `is_loaded`, `unload`: where there are deferred columns.
fn deferred(model: &Model) -> TokenStream {
    if model.deferred().next().is_none() {
        return TokenStream::new();
    }
    let (mut loaded, mut unloads) = (Vec::new(), Vec::new());
    for (i, column) in model.deferred() {
        let (field, number) = (&column.ident, model.number(i));
        let label = format!("{}.{}", model.name, column.field);
        loaded.push(quote!(number if number == #number => self.#field.is_loaded()));
        unloads.push(quote!(number if number == #number => self.#field.unload(#label)));
    }
    quote! {
        fn is_loaded(&self, column: usize) -> bool {
            match column {
                #(#loaded,)*
                _ => true,
            }
        }

        fn unload(&mut self, column: usize) {
            match column {
                #(#unloads,)*
                _ => {}
            }
        }
    }
}

/// The value that an option's expression gives a column. A literal is converted as a builder's setter
/// would (`default = "draft"` for a `String`); anything else is of the column's type already.
pub(super) fn value_of(column: &Column, expression: &Expr) -> TokenStream {
    let ty = &column.ty;
    if is_literal(expression) {
        quote!(::limbeck::model::Assign::<#ty>::assign(#expression))
    } else {
        let value = local("value");
        quote!({ let #value: #ty = #expression; #value })
    }
}

fn is_literal(expression: &Expr) -> bool {
    match expression {
        Expr::Lit(literal) => !matches!(literal.lit, Lit::Verbatim(_)),
        Expr::Unary(unary) => matches!(*unary.expr, Expr::Lit(_)),
        Expr::Group(group) => is_literal(&group.expr),
        _ => false,
    }
}

fn relations(model: &Model) -> TokenStream {
    let name = &model.name;
    let arms = |method: &str| -> Vec<TokenStream> {
        let method = local(method);
        let arm = |(i, relation): (usize, &Relation)| {
            let (field, i) = (&relation.ident, index(i));
            quote!(#i => self.#field.#method())
        };
        model.relations.iter().enumerate().map(arm).collect()
    };
    let (shared, exclusive) = (arms("raw"), arms("raw_mut"));
    quote! {
        fn relation(&self, relation: usize) -> ::limbeck::model::RelationRef<'_> {
            match relation {
                #(#shared,)*
                _ => ::limbeck::__private::no_relation(#name, relation),
            }
        }

        fn relation_mut(&mut self, relation: usize) -> ::limbeck::model::RelationMut<'_> {
            match relation {
                #(#exclusive,)*
                _ => ::limbeck::__private::no_relation(#name, relation),
            }
        }
    }
}

fn fetch(model: &Model) -> TokenStream {
    let (ident, width) = (&model.ident, model.embedded(model.embeds.len()));
    quote! {
        #[automatically_derived]
        #[diagnostic::do_not_recommend]
        impl ::limbeck::sql::Fetch for #ident {
            type Tracked = ::limbeck::model::Tracked<#ident>;

            #[inline]
            fn width() -> usize {
                #width
            }

            #[inline]
            fn model() -> ::core::option::Option<&'static ::limbeck::model::ModelDef> {
                ::core::option::Option::Some(<#ident as ::limbeck::model::Model>::def())
            }

            #[inline]
            fn fetch(
                row: &::limbeck::Row<'_>,
                at: usize,
            ) -> ::core::result::Result<Self, ::limbeck::types::DecodeError> {
                <#ident as ::limbeck::model::Model>::decode(row, at)
            }

            #[inline]
            fn track(
                loader: &mut ::limbeck::session::Loader<'_>,
                row: &::limbeck::Row<'_>,
                at: usize,
            ) -> ::limbeck::Result<Self::Tracked> {
                loader.track::<#ident>(row, at)
            }

            fn column_name(position: usize) -> (::std::string::String, ::std::string::String) {
                ::limbeck::__private::column_name(<#ident as ::limbeck::model::Model>::def(), position)
            }
        }

        #[automatically_derived]
        impl ::limbeck::sql::Columns for #ident {
            type Columns = <#ident as ::limbeck::__private::HasTable>::Table;
            type Optional = <#ident as ::limbeck::__private::HasTable>::Table;

            fn columns(columns: &mut ::limbeck::sql::DerivedColumns<'_>) -> Self::Columns {
                let alias = columns.model(#width);
                <#ident as ::limbeck::__private::HasTable>::TABLE.alias(alias)
            }

            fn optional(columns: &mut ::limbeck::sql::DerivedColumns<'_>) -> Self::Optional {
                <Self as ::limbeck::sql::Columns>::columns(columns)
            }
        }
    }
}
