//! `UserBuilder`: a new object whose required columns the compiler counts.
//!
//! A required column is a type parameter, `Missing` or `Given`; nothing else is. The values are gathered in
//! one draft, which is not generic, so that a setter is a move and the rest is compiled once. A setter takes
//! the draft out first: what may have to be dropped is then of the same type in every state.

use proc_macro2::{Ident, Literal, Span, TokenStream};
use quote::{format_ident, quote, quote_spanned};
use syn::Type;

use super::model::{generated, label, unloaded, value_of};
use super::table::doc;
use super::{companion, local};
use crate::input::{Column, Embed, Generated, Kind, Model, Relation};

/// The type parameters: one for each required column, and for each embedded struct, which may be required.
struct States<'m> {
    span: Span,
    fields: Vec<Required<'m>>,
    params: Vec<Ident>,
}

/// A field that has to be given, or perhaps has to.
struct Required<'m> {
    ident: &'m Ident,
    /// Its name, without `r#`.
    name: &'m str,
    /// The state of one that has no value yet.
    missing: TokenStream,
    /// Whether only the compiler knows if it is required.
    perhaps: bool,
}

impl<'m> Required<'m> {
    fn column(column: &'m Column) -> Self {
        let ty = &column.ty;
        let perhaps = column.generated == Generated::ByType;
        let missing = if perhaps {
            quote!(::limbeck::model::MissingUnless<{ <#ty as ::limbeck::__private::Field>::NUMBERED }>)
        } else {
            quote!(::limbeck::model::Missing)
        };
        Required { ident: &column.ident, name: &column.field, missing, perhaps }
    }

    fn embed(embed: &'m Embed) -> Self {
        let ty = embed.as_embedded();
        let missing = quote!(::limbeck::model::MissingUnless<{ #ty::DEFAULTED }>);
        Required { ident: &embed.ident, name: &embed.field, missing, perhaps: true }
    }
}

impl<'m> States<'m> {
    fn of(model: &'m Model) -> Self {
        let columns = model.columns.iter().filter(|column| column.is_required()).map(Required::column);
        let fields: Vec<Required<'m>> = columns.chain(model.embeds.iter().map(Required::embed)).collect();
        let params = (0..fields.len()).map(|i| format_ident!("S{i}", span = model.ident.span())).collect();
        States { span: model.ident.span(), fields, params }
    }

    /// `<S0, S1>`, or nothing.
    fn list(&self) -> TokenStream {
        let params = &self.params;
        if params.is_empty() { TokenStream::new() } else { quote_spanned!(self.span=> <#(#params),*>) }
    }

    /// `<S0, Given>`: the parameters once these columns have a value.
    fn with(&self, columns: &[Ident]) -> TokenStream {
        if self.params.is_empty() {
            return TokenStream::new();
        }
        let states = self.fields.iter().zip(&self.params).map(|(required, param)| {
            if columns.contains(required.ident) { quote!(::limbeck::model::Given) } else { quote!(#param) }
        });
        quote!(<#(#states),*>)
    }

    /// The states of a builder in which nothing has a value yet.
    fn missing(&self) -> TokenStream {
        if self.params.is_empty() {
            return TokenStream::new();
        }
        let states = self.fields.iter().map(|required| &required.missing);
        quote!(<#(#states),*>)
    }
}

pub(super) fn items(model: &Model) -> TokenStream {
    let (ident, vis, name) = (&model.ident, &model.vis, &model.name);
    let (builder, draft) = (companion(model, "Builder"), format_ident!("__{}Draft", model.name));
    let builder_name = builder.to_string();
    let states = States::of(model);
    let (list, params) = (states.list(), &states.params);
    let missing = states.missing();
    // What only the database makes cannot be set.
    let settable = || model.columns.iter().filter(|column| !column.is_read_only());
    let setters = settable().map(|column| column_setter(model, &builder, &states, column));
    let embeds = model.embeds.iter().map(|embed| embed_setter(model, &builder, &states, embed));
    let links = model.relations.iter().map(|relation| relation_setter(model, &builder, &states, relation));
    let builder_doc = doc(&format!("A new `{name}`; `session.add` takes it once every required column has a value."));
    let start_doc = doc(&format!("A new `{name}`, without any value yet."));
    let fields = settable().map(|column| {
        let (ident, ty) = (&column.ident, &column.ty);
        quote!(#ident: ::core::option::Option<#ty>)
    });
    let embed_fields = model.embeds.iter().map(|embed| {
        let (ident, ty) = (&embed.ident, &embed.ty);
        quote!(#ident: ::core::option::Option<#ty>)
    });
    let relation_fields = model.relations.iter().map(|relation| {
        let (ident, ty) = (&relation.ident, &relation.ty);
        quote!(#ident: #ty)
    });
    let nothing = settable().map(|column| {
        let ident = &column.ident;
        quote!(#ident: ::core::option::Option::None)
    });
    let no_embeds = model.embeds.iter().map(|embed| {
        let ident = &embed.ident;
        quote!(#ident: ::core::option::Option::None)
    });
    let unloaded = model.relations.iter().map(|relation| unloaded(model, relation));
    let finish = finish(model, &draft);
    let initial = states.fields.iter().map(|required| &required.missing);
    let defaults = if params.is_empty() { TokenStream::new() } else { quote!(<#(#params = #initial),*>) };
    quote! {
        #builder_doc
        #[allow(unreachable_pub)]
        #[must_use = "a builder does nothing until a session adds it"]
        #vis struct #builder #defaults {
            __draft: #draft,
            __state: ::core::marker::PhantomData<(#(#params,)*)>,
        }

        #[automatically_derived]
        impl #list ::core::fmt::Debug for #builder #list {
            fn fmt(&self, f: &mut ::core::fmt::Formatter<'_>) -> ::core::fmt::Result {
                f.debug_struct(#builder_name).finish_non_exhaustive()
            }
        }

        struct #draft {
            #(#fields,)*
            #(#embed_fields,)*
            #(#relation_fields,)*
        }

        #[automatically_derived]
        #[allow(dead_code, unreachable_pub)]
        impl #ident {
            #start_doc
            #vis fn builder() -> #builder #missing {
                #builder {
                    __draft: #draft { #(#nothing,)* #(#no_embeds,)* #(#unloaded,)* },
                    __state: ::core::marker::PhantomData,
                }
            }
        }

        #[automatically_derived]
        #[allow(dead_code, unreachable_pub)]
        impl #list #builder #list {
            #(#setters)*
            #(#embeds)*
            #(#links)*
        }

        #finish
    }
}

fn column_setter(model: &Model, builder: &Ident, states: &States<'_>, column: &Column) -> TokenStream {
    let (ident, ty, vis) = (&column.ident, &column.ty, &column.vis);
    let docs = &column.docs;
    let doc = docs.is_empty().then(|| doc(&format!("Sets `{}.{}`.", model.name, column.field)));
    let after = states.with(std::slice::from_ref(ident));
    let argument = quote_spanned!(ident.span()=> impl ::limbeck::model::Assign<#ty>);
    quote! {
        #(#docs)*
        #doc
        #[inline]
        #vis fn #ident(self, value: #argument) -> #builder #after {
            let mut __draft = self.__draft;
            ::limbeck::__private::set(&mut __draft.#ident, value);
            #builder { __draft, __state: ::core::marker::PhantomData }
        }
    }
}

fn embed_setter(model: &Model, builder: &Ident, states: &States<'_>, embed: &Embed) -> TokenStream {
    let Embed { ident, ty, vis, docs, .. } = embed;
    let doc = docs.is_empty().then(|| doc(&format!("Sets `{}.{}`.", model.name, embed.field)));
    let after = states.with(std::slice::from_ref(ident));
    quote! {
        #(#docs)*
        #doc
        #[inline]
        #vis fn #ident(self, value: #ty) -> #builder #after {
            let mut __draft = self.__draft;
            __draft.#ident = ::core::option::Option::Some(value);
            #builder { __draft, __state: ::core::marker::PhantomData }
        }
    }
}

fn relation_setter(model: &Model, builder: &Ident, states: &States<'_>, relation: &Relation) -> TokenStream {
    let Relation { ident, vis, docs, target, .. } = relation;
    let label = label(model, relation);
    let doc = docs.is_empty().then(|| doc(&format!("Links `{label}`.")));
    let kind = local(relation.kind.name());
    let (argument, value) = match relation.kind {
        Kind::BelongsTo if relation.optional => (
            quote!(impl ::core::convert::Into<::core::option::Option<::limbeck::model::Tracked<#target>>>),
            quote!(::core::convert::Into::into(target)),
        ),
        Kind::BelongsTo | Kind::HasOne => {
            (quote!(::limbeck::model::Tracked<#target>), quote!(::core::option::Option::Some(target)))
        }
        Kind::HasMany | Kind::ManyToMany => {
            (quote!(impl ::core::iter::IntoIterator<Item = ::limbeck::model::Tracked<#target>>), quote!(target))
        }
    };
    let after = if relation.kind == Kind::BelongsTo { states.with(&relation.key) } else { states.list() };
    quote! {
        #(#docs)*
        #doc
        #vis fn #ident(self, target: #argument) -> #builder #after {
            let mut __draft = self.__draft;
            __draft.#ident = ::limbeck::model::#kind::linked(#label, #value);
            #builder { __draft, __state: ::core::marker::PhantomData }
        }
    }
}

/// The object of a finished draft.
fn finish(model: &Model, draft_type: &Ident) -> TokenStream {
    let ident = &model.ident;
    let (draft, given, object) = (local("draft"), local("given"), local("object"));
    let mut always = 0_u128;
    let mut more = Vec::new();
    let mut columns = Vec::with_capacity(model.columns.len());
    for (i, column) in model.columns.iter().enumerate() {
        let (field, number) = (&column.ident, model.number(i));
        let mut give = || {
            // The number of a deferred column may be a sum that only the compiler knows.
            if column.deferred {
                more.push(quote!(#given.insert(#number);));
            } else {
                always |= 1 << i;
            }
        };
        let value = match Unset::of(model, column) {
            Unset::Never => {
                give();
                quote!(::limbeck::__private::given(#draft.#field))
            }
            Unset::Placeholder(value) if column.is_read_only() => value,
            Unset::Default(value) => {
                give();
                quote!(match #draft.#field {
                    ::core::option::Option::Some(value) => value,
                    ::core::option::Option::None => #value,
                })
            }
            Unset::Placeholder(value) => {
                more.push(quote! {
                    if let ::core::option::Option::Some(_) = #draft.#field {
                        #given.insert(#number);
                    }
                });
                quote!(match #draft.#field {
                    ::core::option::Option::Some(value) => value,
                    ::core::option::Option::None => #value,
                })
            }
        };
        columns.push(if column.deferred {
            quote!(#field: ::limbeck::types::Deferred::new(#value))
        } else {
            quote!(#field: #value)
        });
    }
    let mut embeds = Vec::new();
    for (i, embed) in model.embeds.iter().enumerate() {
        let (field, ty, first, width) = (&embed.ident, embed.as_embedded(), model.embedded(i), embed.width());
        let (value, inner) = (format_ident!("__e{i}"), format_ident!("__g{i}"));
        more.push(quote! {
            let (#value, #inner) = match #draft.#field {
                ::core::option::Option::Some(value) => (value, ::limbeck::model::ColumnSet::first(#width)),
                ::core::option::Option::None => {
                    ::limbeck::__private::given(#ty::absent())
                }
            };
            #given = #given.union(#inner.outside(#first));
        });
        embeds.push(quote!(#field: #value));
    }
    let relations = model.relations.iter().map(|relation| {
        let field = &relation.ident;
        quote!(#field: #draft.#field)
    });
    let always = Literal::u128_unsuffixed(always);
    quote! {
        #[automatically_derived]
        impl #draft_type {
            #[allow(unused_mut)]
            fn __finish(#draft: Self) -> ::limbeck::model::Draft<#ident> {
                let mut #given = ::limbeck::model::ColumnSet(#always);
                #(#more)*
                let mut #object = #ident { #(#columns,)* #(#embeds,)* #(#relations,)* };
                ::limbeck::model::Model::normalize(&mut #object, #given);
                ::limbeck::model::Draft { object: #object, given: #given }
            }
        }
    }
}

/// What a column that was not set holds.
pub(super) enum Unset {
    /// It was set: the type parameters say so.
    Never,
    /// Its default, which counts as given.
    Default(TokenStream),
    /// Nothing of its own: the database will make the value.
    Placeholder(TokenStream),
}

impl Unset {
    pub(super) fn of(model: &Model, column: &Column) -> Self {
        let ty = &column.ty;
        let linked = || {
            let by = |relation: &Relation| relation.kind == Kind::BelongsTo && relation.key.contains(&column.ident);
            model.relations.iter().any(by)
        };
        if let Some(default) = &column.default {
            Unset::Default(value_of(column, default))
        } else if column.is_option() {
            Unset::Placeholder(quote!(::core::option::Option::None))
        } else if column.generated == Generated::ByType {
            Unset::Placeholder(key_placeholder(ty))
        } else if column.is_required() && !linked() {
            Unset::Never
        } else {
            Unset::Placeholder(quote!(<#ty as ::limbeck::__private::Fill>::placeholder()))
        }
    }
}

/// The placeholder of a key's type that may have none.
fn key_placeholder(ty: &Type) -> TokenStream {
    quote! {{
        #[allow(unused_imports)]
        use ::limbeck::__private::{HasNoPlaceholder as _, HasPlaceholder as _};
        (&::limbeck::__private::Unset::<#ty>::new()).value()
    }}
}

/// `impl New` for the finished builder and for the model itself.
pub(super) fn complete(model: &Model) -> TokenStream {
    let (ident, name) = (&model.ident, &model.name);
    let (builder, draft) = (companion(model, "Builder"), format_ident!("__{}Draft", model.name));
    let states = States::of(model);
    let (list, params) = (states.list(), &states.params);
    let message = format!("cannot create a `{name}`: a required column has no value");
    let traits: Vec<Ident> = states
        .fields
        .iter()
        .map(|required| format_ident!("Required_{}", required.name, span = required.ident.span()))
        .collect();
    let required = states.fields.iter().zip(&traits).map(|(field, required)| {
        let label = format!("`{}` is still required", field.name);
        let perhaps = field.perhaps.then(|| quote!(impl #required for ::limbeck::model::MissingUnless<true> {}));
        quote_spanned! {field.ident.span()=>
            #[diagnostic::on_unimplemented(message = #message, label = #label)]
            #[allow(non_camel_case_types)]
            trait #required {}
            impl #required for ::limbeck::model::Given {}
            #perhaps
        }
    });
    let by_value = by_value(model);
    // The spans are those of the struct and its fields, since the compiler points at them when a column is missing.
    let new = quote_spanned! {ident.span()=>
        impl #list ::limbeck::model::New for #builder #list
        where
            #(#params: #traits,)*
        {
            type Model = #ident;

            fn into_new(self) -> ::limbeck::model::NewObject<#ident> {
                ::limbeck::model::NewObject::Draft(#draft::__finish(self.__draft))
            }
        }
    };
    quote! {
        #(#required)*
        #new
        #by_value
    }
}

fn by_value(model: &Model) -> TokenStream {
    let (ident, width) = (&model.ident, model.width());
    let computed = model.columns.iter().enumerate().filter(|(_, column)| column.computed.is_some()).map(|(i, _)| {
        let i = model.number(i);
        quote!(given.remove(#i);)
    });
    let numbered = model.columns.iter().enumerate().find(|(_, column)| column.generated != Generated::No);
    let generated = numbered.map(|(i, column)| {
        let (field, ty, i) = (&column.ident, &column.ty, model.number(i));
        if column.generated == Generated::ByType {
            let (numbered, placeholder) = (generated(column), key_placeholder(ty));
            quote! {
                if #numbered && self.#field == #placeholder {
                    given.remove(#i);
                }
            }
        } else {
            quote! {
                if self.#field == <#ty as ::limbeck::__private::Fill>::placeholder() {
                    given.remove(#i);
                }
            }
        }
    });
    let unloaded = model.deferred().map(|(i, column)| {
        let (field, i) = (&column.ident, model.number(i));
        quote! {
            if !self.#field.is_loaded() {
                given.remove(#i);
            }
        }
    });
    quote! {
        #[automatically_derived]
        impl ::limbeck::model::New for #ident {
            type Model = #ident;

            #[allow(unused_mut)]
            fn into_new(mut self) -> ::limbeck::model::NewObject<#ident> {
                let mut given = ::limbeck::model::ColumnSet::first(#width);
                #(#computed)*
                #generated
                #(#unloaded)*
                ::limbeck::model::Model::normalize(&mut self, given);
                ::limbeck::model::NewObject::Draft(::limbeck::model::Draft { object: self, given })
            }
        }
    }
}
