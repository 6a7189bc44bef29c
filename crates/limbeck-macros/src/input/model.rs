//! The struct as a whole.

use proc_macro2::{Literal, TokenStream};
use quote::{ToTokens, quote, quote_spanned};
use syn::{Data, DeriveInput, Field, Fields, Ident, Visibility};

use super::attr::{self, span_of};
use super::table::{self, Field as ColumnOf};
use super::{Column, Embed, Generated, Kind, Relation, TableOptions};
use crate::ctxt::Ctxt;
use crate::naming;

/// The most columns that a model can have: `ColumnSet` is as wide.
const MAX_COLUMNS: usize = 128;

/// A model, or a struct that models embed: that has neither a table nor relationships nor a key.
pub(crate) struct Model {
    pub(crate) ident: Ident,
    /// The struct's name, without `r#`.
    pub(crate) name: String,
    pub(crate) vis: Visibility,
    pub(crate) table: String,
    pub(crate) options: TableOptions,
    /// Its own columns, deferred ones last.
    pub(crate) columns: Vec<Column>,
    /// The structs that it embeds.
    pub(crate) embeds: Vec<Embed>,
    pub(crate) relations: Vec<Relation>,
    /// The positions of the primary key's columns.
    pub(crate) primary_key: Vec<usize>,
}

impl Model {
    /// Reads a struct.
    ///
    /// # Errors
    /// All errors of the struct, as `compile_error!`s.
    pub(crate) fn read(input: &DeriveInput) -> Result<Self, TokenStream> {
        let ctxt = Ctxt::default();
        let mut model = Model::of(input);
        attr::options(&ctxt, &input.attrs, "model", table::OPTIONS, |name, content| {
            if name != "table" {
                return model.options.option(&ctxt, name, content);
            }
            model.table = attr::text(content)?.value();
            Ok(true)
        });
        if !input.generics.params.is_empty() {
            ctxt.error(&input.generics, "a model cannot be generic: each table needs a struct of its own");
        }
        for name in ["column", "relationship"] {
            if let Some(span) = span_of(&input.attrs, name) {
                ctxt.push(syn::Error::new(span, format!("`#[{name}]` is for a field; the struct has `#[model(…)]`")));
            }
        }
        if let Some(fields) = named_fields(&ctxt, input, "a model is a struct with named fields, one for each column") {
            for field in fields {
                model.field(&ctxt, field);
            }
            model.resolve(&ctxt);
        }
        ctxt.finish()?;
        Ok(model)
    }

    fn of(input: &DeriveInput) -> Self {
        Model {
            ident: input.ident.clone(),
            name: attr::plain(&input.ident),
            vis: input.vis.clone(),
            table: naming::table(&attr::plain(&input.ident)),
            options: TableOptions::default(),
            columns: Vec::new(),
            embeds: Vec::new(),
            relations: Vec::new(),
            primary_key: Vec::new(),
        }
    }

    /// Reads a struct that is to be embedded.
    ///
    /// # Errors
    /// All errors of the struct, as `compile_error!`s.
    pub(crate) fn read_embedded(input: &DeriveInput) -> Result<Self, TokenStream> {
        let ctxt = Ctxt::default();
        let mut model = Model::of(input);
        super::embed::check_struct(&ctxt, input);
        if let Some(fields) = named_fields(&ctxt, input, "an embedded struct has named fields, one for each column") {
            for field in fields {
                model.field(&ctxt, field);
            }
            model.resolve_embedded(&ctxt);
        }
        ctxt.finish()?;
        Ok(model)
    }

    /// The number of a column among all of the model's, as an expression.
    pub(crate) fn number(&self, column: usize) -> TokenStream {
        if self.columns[column].deferred {
            let first = self.first_deferred();
            let after = Literal::usize_unsuffixed(column - first);
            let start = self.embedded(self.embeds.len());
            if self.embeds.is_empty() {
                Literal::usize_unsuffixed(column).into_token_stream()
            } else {
                quote!(#start + #after)
            }
        } else {
            Literal::usize_unsuffixed(column).into_token_stream()
        }
    }

    /// The number of a column that an option of the table names, as an expression.
    pub(crate) fn number_of(&self, field: &ColumnOf) -> TokenStream {
        if field.inner.is_empty() {
            return self.number(field.column);
        }
        let (ty, first, inner) = (&self.embeds[field.column].ty, self.embedded(field.column), field.inner());
        let (model, at) = (&self.name, &field.ident);
        let found = quote_spanned!(field.ident.span()=>
            ::limbeck::__private::embedded_column(#model, ::core::stringify!(#at), #inner, COLUMNS)
        );
        quote! {{
            const COLUMNS: &[::limbeck::model::ColumnDef] = <#ty as ::limbeck::model::Embedded>::COLUMNS;
            #first + #found
        }}
    }

    /// The number of the first column of an embedded struct, as an expression; of the one behind the last, the number
    /// of the first deferred column.
    pub(crate) fn embedded(&self, embed: usize) -> TokenStream {
        let first = Literal::usize_unsuffixed(self.first_deferred());
        let before = self.embeds[..embed].iter().map(Embed::width);
        quote!(#first #(+ #before)*)
    }

    /// How many columns there are, as an expression.
    pub(crate) fn width(&self) -> TokenStream {
        let deferred = Literal::usize_unsuffixed(self.columns.len() - self.first_deferred());
        let start = self.embedded(self.embeds.len());
        if self.embeds.is_empty() {
            Literal::usize_unsuffixed(self.columns.len()).into_token_stream()
        } else {
            quote!(#start + #deferred)
        }
    }

    /// How many of its own columns are not deferred.
    pub(crate) fn first_deferred(&self) -> usize {
        self.columns.iter().position(|column| column.deferred).unwrap_or(self.columns.len())
    }

    /// Its deferred columns, by position.
    pub(crate) fn deferred(&self) -> impl Iterator<Item = (usize, &Column)> {
        self.columns.iter().enumerate().filter(|(_, column)| column.deferred)
    }

    fn field(&mut self, ctxt: &Ctxt, field: &Field) {
        let Some(ident) = &field.ident else { return };
        if ident.to_string().starts_with("__") {
            ctxt.error(ident, "names that begin with `__` are kept for the code that is generated");
        }
        if span_of(&field.attrs, "model").is_some() {
            self.embeds.extend(Embed::read(ctxt, field, ident));
            return;
        }
        let relationship = span_of(&field.attrs, "relationship");
        if let (Some(span), Some(_)) = (span_of(&field.attrs, "column"), relationship) {
            ctxt.push(syn::Error::new(span, "a field is a column or a relationship, not both"));
            return;
        }
        if relationship.is_some() {
            self.relations.extend(Relation::read(ctxt, field, ident));
        } else if let Some((kind, _)) = Kind::of(&field.ty) {
            let hint = match kind {
                Kind::ManyToMany => "#[relationship(secondary = \"association_table\")]",
                _ => "#[relationship]",
            };
            ctxt.error(&field.ty, format!("a `{}` field is marked `{hint}`", kind.name()));
        } else {
            self.columns.push(Column::read(ctxt, field, ident));
        }
    }

    /// What depends on more than one field.
    fn resolve(&mut self, ctxt: &Ctxt) {
        self.columns.sort_by_key(|column| column.deferred);
        self.primary_key = (0..self.columns.len()).filter(|&i| self.columns[i].primary_key).collect();
        match self.primary_key.as_slice() {
            [] => ctxt.error(
                &self.ident,
                format!("`{}` has no primary key: mark a field with `#[column(primary_key)]`", self.name),
            ),
            &[lone] => self.columns[lone].generated = generated(&self.columns[lone]),
            [_, rest @ ..] => {
                for &i in &self.primary_key {
                    if self.columns[i].autoincrement == Some(true) || self.columns[i].identity.is_some() {
                        ctxt.error(&self.columns[i].ident, "the database generates a lone key only, not a part of one");
                    }
                }
                if let Some(&fifth) = rest.get(3) {
                    ctxt.error(&self.columns[fifth].ident, "a primary key has at most four columns");
                }
            }
        }
        if let Some(column) = self.columns.get(MAX_COLUMNS) {
            let count = self.columns.len();
            ctxt.error(
                &column.ident,
                format!("`{}` has {count} columns; a model has at most {MAX_COLUMNS}", self.name),
            );
        }
        if let Some(second) = self.columns.iter().filter(|column| column.version).nth(1) {
            ctxt.error(&second.ident, "a model has one version: another column is it already");
        }
        self.index_keys();
        self.same_names(ctxt);
        self.gather();
        self.options.resolve(ctxt, &self.ident, &self.columns, &self.embeds);
        for relation in &mut self.relations {
            relation.resolve_key(ctxt, &self.ident, &self.columns, &self.options.foreign_keys);
        }
    }

    fn resolve_embedded(&mut self, ctxt: &Ctxt) {
        for column in &self.columns {
            super::embed::check_column(ctxt, column);
        }
        for relation in &self.relations {
            ctxt.error(&relation.ty, "an embedded struct has columns only: relationships belong in the model");
        }
        if self.columns.is_empty() && self.embeds.is_empty() {
            ctxt.error(&self.ident, "an embedded struct needs at least one column");
        }
        self.index_keys();
        self.same_names(ctxt);
    }

    fn index_keys(&mut self) {
        let first_key = self.primary_key.first().copied();
        for (i, column) in self.columns.iter_mut().enumerate() {
            // A unique column and the first of a key have an index by their constraint.
            let by_default = column.foreign_key.is_some() && !column.unique && first_key != Some(i);
            column.index = column.index_said.unwrap_or(by_default);
        }
    }

    /// What columns say of themselves with options becomes the table's.
    fn gather(&mut self) {
        for (i, column) in self.columns.iter_mut().enumerate() {
            self.options.indexes.extend(column.index_options.take());
            if let Some(mut unique) = column.unique_options.take() {
                unique.columns.push(ColumnOf::new(column.ident.clone()));
                self.options.uniques.push(unique);
            }
            if let Some(mut check) = column.check.take() {
                check.column = Some(i);
                self.options.checks.push(check);
            }
        }
    }

    fn same_names(&self, ctxt: &Ctxt) {
        for (i, column) in self.columns.iter().enumerate() {
            if let Some(other) = self.columns[..i].iter().find(|other| other.name == column.name) {
                let message = format!("`{}` and `{}` are both column `{}`", other.field, column.field, column.name);
                ctxt.error(&column.ident, message);
            }
        }
    }
}

fn generated(key: &Column) -> Generated {
    match key.autoincrement {
        _ if key.identity.is_some() => Generated::Yes,
        Some(true) => Generated::Yes,
        None if key.foreign_key.is_none() && key.default.is_none() && key.server_default.is_none() => {
            key.generated_by_type()
        }
        _ => Generated::No,
    }
}

/// The fields of a struct with names; of anything else, the error with what there should be.
pub(super) fn named_fields<'i>(
    ctxt: &Ctxt,
    input: &'i DeriveInput,
    wanted: &str,
) -> Option<&'i syn::punctuated::Punctuated<Field, syn::Token![,]>> {
    let this = match &input.data {
        Data::Struct(data) => match &data.fields {
            Fields::Named(fields) => return Some(&fields.named),
            Fields::Unnamed(_) => "a tuple struct",
            Fields::Unit => "a struct without fields",
        },
        Data::Enum(_) => "an enum",
        Data::Union(_) => "a union",
    };
    ctxt.error(&input.ident, format!("{wanted}; this is {this}"));
    None
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The messages for a struct.
    fn errors(source: &str) -> Vec<String> {
        let input = syn::parse_str(source).expect("a struct");
        let Err(tokens) = Model::read(&input) else { return Vec::new() };
        let file: syn::File = syn::parse2(tokens).expect("items");
        file.items
            .iter()
            .map(|item| match item {
                syn::Item::Macro(item) => item.mac.parse_body::<syn::LitStr>().expect("a message").value(),
                _ => panic!("expected a compile_error"),
            })
            .collect()
    }

    #[test]
    fn a_model_has_as_many_columns_as_a_set_of_them_holds() {
        let model = |count: usize| {
            let columns: String = (1..count).map(|i| format!("c{i}: i64,")).collect();
            format!("struct Wide {{ #[column(primary_key)] id: i64, {columns} }}")
        };
        assert_eq!(errors(&model(128)), [""; 0]);
        assert_eq!(errors(&model(129)), ["`Wide` has 129 columns; a model has at most 128"]);
    }

    #[test]
    fn a_key_has_at_most_four_columns() {
        let model = |count: usize| {
            let columns: String = (0..count).map(|i| format!("#[column(primary_key)] c{i}: i64,")).collect();
            format!("struct Wide {{ {columns} }}")
        };
        assert_eq!(errors(&model(4)), [""; 0]);
        assert_eq!(errors(&model(5)), ["a primary key has at most four columns"]);
    }

    #[test]
    fn attributes_at_the_wrong_place_are_refused() {
        let found = errors("#[column(unique)] struct M { #[column(primary_key)] #[model(table = \"x\")] name: i64 }");
        assert!(found[0].starts_with("`#[column]` is for a field"), "{found:?}");
        assert!(found[1].starts_with("unknown option of `#[model]` `table`"), "{found:?}");
    }

    #[test]
    fn a_wrong_key_is_one_error_although_a_relationship_needs_it() {
        let found = errors(
            "struct P { #[column(primary_key)] id: i64, #[column(foreign_key(User))] user_id: i64, \
             #[relationship] user: BelongsTo<User> }",
        );
        assert_eq!(found, ["write the model and its column: `foreign_key(User.id)`"]);
    }

    #[test]
    fn an_option_after_a_wrong_one_is_still_read() {
        let found = errors("struct M { #[column(primary_key, length = many, uniqe, name = 3, text = 1)] id: i64 }");
        assert_eq!(found.len(), 4, "{found:?}");
    }

    #[test]
    fn options_of_the_table_name_fields_that_are_there() {
        let found = errors(
            "#[model(index(titel desc), unique(title, title), index(title, include(nothing_like_it)), \
             foreign_key((title, x), Other(a)), index(title upwards), check(\"\"), foreign_key((title), Other(a)))] \
             struct Post { #[column(primary_key)] id: i64, title: String }",
        );
        let expected = [
            "unknown order of an index `upwards`",
            "write the condition in SQL",
            "a key of one column is an option of the column",
            "`Post` has no column `titel`: did you mean `title`?",
            "`Post` has no column `nothing_like_it`",
            "`title` is said twice",
            "`Post` has no column `x`",
            "2 columns refer to 1",
        ];
        for (found, expected) in found.iter().zip(expected) {
            assert!(found.starts_with(expected), "{found}, {expected}");
        }
        assert_eq!(found.len(), expected.len(), "{found:?}");
    }

    #[test]
    fn options_of_the_table_name_embedded_columns_by_their_path() {
        let found = errors(
            "#[model(index(times), index(created_at), unique(time.created_at), index(title.x), \
             unique(times.a, times.a), index(times.a, include(times.b)))] \
             struct Post { #[column(primary_key)] id: i64, title: String, #[model(embed)] times: Times }",
        );
        let expected = [
            "`times` is an embedded struct: name one of its columns, `times.column`",
            "`Post` has no column `created_at`: a column of an embedded struct is named with its field, \
             `times.created_at`",
            "`title` is a column, not an embedded struct: write `title` alone",
            "`Post` has no column `time.created_at`: did you mean `times`?",
            "`times.a` is said twice",
        ];
        assert_eq!(found, expected);
        let found = errors(
            "#[model(foreign_key((a.b, c), Other(a, b)))] struct Post { #[column(primary_key)] id: i64, c: i64 }",
        );
        assert!(found[0].starts_with("a foreign key of several columns is between columns of the models"), "{found:?}");
    }

    #[test]
    fn a_key_is_fetched() {
        let found = errors(
            "#[model(foreign_key((b, c), Other(a, b)))] struct Post { #[column(primary_key)] id: Deferred<i64>, \
             #[column(foreign_key(User.id))] a: Deferred<i64>, b: Deferred<i64>, c: i64 }",
        );
        let expected = ["a primary key is always fetched", "a foreign key is always", "a foreign key is always"];
        assert_eq!(found.len(), expected.len(), "{found:?}");
        assert!(found.iter().zip(expected).all(|(found, expected)| found.starts_with(expected)), "{found:?}");
    }

    #[test]
    fn what_the_lint_shall_not_say_has_a_reason() {
        let right = "#[model(allow(L001, L002, reason = \"imported\"), allow(L008, reason = \"read only\"))] struct M { \
                     #[column(primary_key, allow(L020, reason = \"few rows\"))] id: i32 }";
        assert_eq!(errors(right), [""; 0]);
        for wrong in ["allow", "allow(L001)", "allow(reason = \"x\")", "allow(L001, reason = \" \")", "allow()"] {
            let found = errors(&format!("#[model({wrong})] struct M {{ #[column(primary_key)] id: i64 }}"));
            assert!(matches!(&found[..], [one] if one.starts_with("name the rule")), "{wrong}: {found:?}");
        }
        let found = errors("#[model(allow(L001, why = \"x\"))] struct M { #[column(primary_key)] id: i64 }");
        assert!(found[0].starts_with("unknown option of `allow` `why`"), "{found:?}");
    }

    #[test]
    fn what_the_database_makes_is_made_by_nothing_else() {
        let found = errors(
            "struct M { #[column(primary_key)] id: i64, #[column(computed(\"id + 1\"), default = 1)] a: i64, \
             #[column(identity(always))] b: i64, #[column(identity(start = 0))] c: i64, \
             #[column(type = \"varchar(3)\")] d: String }",
        );
        assert_eq!(found.len(), 4, "{found:?}");
        assert!(found[0].starts_with("a computed column has no `default`"), "{found:?}");
        assert!(found[1].starts_with("`identity` is for a lone primary key"), "{found:?}");
        assert!(found[2].starts_with("a whole number from 1 on"), "{found:?}");
        assert!(found[3].starts_with("this is the name of a type"), "{found:?}");
    }
}
