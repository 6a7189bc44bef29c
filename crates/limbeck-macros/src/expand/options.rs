//! The options of a table and its columns, as constants.

use proc_macro2::{Literal, TokenStream};
use quote::quote;
use syn::LitStr;
use syn::ext::IdentExt;

use super::{local, option};
use crate::input::{
    Collation, Column, CompositeKey, Index, IndexKey, KeyOf, KeyOptions, Model, PassiveDeletes, Relation,
};

fn text(text: Option<&LitStr>) -> TokenStream {
    option(text.map(LitStr::value).as_deref())
}

fn some(value: Option<TokenStream>) -> TokenStream {
    match value {
        Some(value) => quote!(::core::option::Option::Some(#value)),
        None => quote!(::core::option::Option::None),
    }
}

/// `TableOptions { … }`
pub(super) fn table(model: &Model) -> TokenStream {
    let options = &model.options;
    let (schema, comment) = (text(options.schema.as_ref()), text(options.comment.as_ref()));
    let was = text(options.was.as_ref());
    let uniques = options.uniques.iter().map(|unique| {
        let name = text(unique.name.as_ref());
        let columns = unique.columns.iter().map(|field| model.number_of(field));
        let (nulls, deferrable) = (unique.nulls_not_distinct, local(unique.deferrable));
        quote! {
            ::limbeck::model::UniqueDef {
                name: #name,
                columns: &[#(#columns),*],
                nulls_not_distinct: #nulls,
                deferrable: ::limbeck::schema::Deferrable::#deferrable,
            }
        }
    });
    let indexes = options.indexes.iter().map(|index| index_def(model, index));
    let checks = options.checks.iter().map(|check| {
        let (name, expression) = (text(check.name.as_ref()), &check.expression);
        let column = some(check.column.map(|column| {
            let column = model.number(column);
            quote!(#column)
        }));
        quote!(::limbeck::model::CheckDef { name: #name, expression: #expression, column: #column })
    });
    quote! {
        ::limbeck::model::TableOptions {
            schema: #schema,
            comment: #comment,
            was: #was,
            uniques: &[#(#uniques),*],
            indexes: &[#(#indexes),*],
            checks: &[#(#checks),*],
        }
    }
}

fn index_def(model: &Model, def: &Index) -> TokenStream {
    let (name, unique) = (text(def.name.as_ref()), def.unique);
    let (predicate, method) = (text(def.predicate.as_ref()), text(def.method.as_ref()));
    let keys = def.keys.iter().map(|key| index_key(model, key));
    let include = def.include.iter().map(|field| model.number_of(field));
    quote! {
        ::limbeck::model::IndexDef {
            name: #name,
            keys: &[#(#keys),*],
            unique: #unique,
            predicate: #predicate,
            method: #method,
            include: &[#(#include),*],
        }
    }
}

fn index_key(model: &Model, key: &IndexKey) -> TokenStream {
    let of = match &key.of {
        KeyOf::Column(field) => {
            let column = model.number_of(field);
            quote!(Column(#column))
        }
        KeyOf::Expression(sql) => quote!(Expression(#sql)),
    };
    let descending = key.descending;
    let nulls_first = some(key.nulls_first.map(|first| quote!(#first)));
    let opclass = text(key.opclass.as_ref());
    let collation = some(key.collation.as_ref().map(collation_def));
    quote! {
        ::limbeck::model::IndexKeyDef {
            of: ::limbeck::model::IndexKeyOf::#of,
            descending: #descending,
            nulls_first: #nulls_first,
            opclass: #opclass,
            collation: #collation,
        }
    }
}

/// The options of a foreign key: `on_delete: …, name: …,`
pub(super) fn key(options: &KeyOptions) -> TokenStream {
    let (on_delete, on_update) = (local(options.on_delete), local(options.on_update));
    let (deferrable, name) = (local(options.deferrable), text(options.name.as_ref()));
    quote! {
        on_delete: ::limbeck::schema::Action::#on_delete,
        on_update: ::limbeck::schema::Action::#on_update,
        deferrable: ::limbeck::schema::Deferrable::#deferrable,
        name: #name,
    }
}

/// A foreign key of several columns.
pub(super) fn composite_key(model: &Model, def: &CompositeKey) -> TokenStream {
    let columns = def.columns.iter().map(|field| model.number_of(field));
    let (target, fields) = (&def.target, def.fields.iter().map(|field| field.unraw().to_string()));
    let (options, indexed) = (key(&def.options), def.options.index);
    quote! {
        ::limbeck::model::CompositeKeyDef {
            index: #indexed,
            columns: &[#(#columns),*],
            target: <#target as ::limbeck::__private::HasTable>::DEF,
            fields: &[#(#fields),*],
            #options
        }
    }
}

fn collation_def(collation: &Collation) -> TokenStream {
    let (postgres, sqlite) = (text(collation.postgres.as_ref()), text(collation.sqlite.as_ref()));
    quote!(::limbeck::model::CollationDef { postgres: #postgres, sqlite: #sqlite })
}

/// `ColumnOptions { … }`
pub(super) fn column(column: &Column) -> TokenStream {
    let computed = column.computed.as_ref().map(|computed| {
        let (expression, stored) = (&computed.expression, computed.stored);
        quote!(::limbeck::model::ComputedDef { expression: #expression, stored: #stored })
    });
    let identity = column.identity.as_ref().map(|identity| {
        let always = identity.always;
        let (start, increment) = (Literal::i64_unsuffixed(identity.start), Literal::i64_unsuffixed(identity.increment));
        quote!(::limbeck::model::IdentityDef { always: #always, start: #start, increment: #increment })
    });
    let collation = column.collation.as_ref().map(collation_def);
    let comment = text(column.comment.as_ref());
    let was = text(column.was.as_ref());
    let version = column.version;
    let says_nothing = computed.is_none() && identity.is_none() && collation.is_none();
    if says_nothing && column.comment.is_none() && column.was.is_none() && !version {
        return quote!(::limbeck::model::ColumnOptions::NONE);
    }
    let (computed, identity, collation) = (some(computed), some(identity), some(collation));
    quote! {
        ::limbeck::model::ColumnOptions {
            computed: #computed,
            identity: #identity,
            comment: #comment,
            collation: #collation,
            version: #version,
            was: #was,
        }
    }
}

/// `RelationOptions { … }`
pub(super) fn relation(relation: &Relation) -> TokenStream {
    let options = &relation.options;
    if options.is_empty() && !relation.view_only {
        return quote!(::limbeck::model::RelationOptions::DEFAULT);
    }
    let cascade = match &options.cascade {
        // What is only read has nothing to hand on.
        None if relation.view_only => quote!(::limbeck::model::Cascade::NONE),
        None => quote!(::limbeck::model::Cascade::DEFAULT),
        Some(cascade) => {
            let words = cascade.words.iter().map(|word| local(&word.to_uppercase()));
            quote!(::limbeck::model::Cascade::NONE #(.union(::limbeck::model::Cascade::#words))*)
        }
    };
    let passive_deletes = local(match options.passive_deletes {
        None | Some((_, PassiveDeletes::No)) => "No",
        Some((_, PassiveDeletes::Yes)) => "Yes",
        Some((_, PassiveDeletes::All)) => "All",
    });
    let order_by = options.order_by.iter().map(|order| {
        let (field, descending) = (order.field.path(), order.descending);
        quote!(::limbeck::model::OrderDef { field: #field, descending: #descending })
    });
    let (post_update, single_parent) = (options.post_update.is_some(), options.single_parent.is_some());
    quote! {
        ::limbeck::model::RelationOptions {
            cascade: #cascade,
            passive_deletes: ::limbeck::model::PassiveDeletes::#passive_deletes,
            order_by: &[#(#order_by),*],
            post_update: #post_update,
            single_parent: #single_parent,
        }
    }
}
