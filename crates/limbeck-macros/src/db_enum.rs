//! `derive(DbEnum)`: an enum as a column's type.

use proc_macro2::{Ident, TokenStream};
use quote::quote;
use syn::{Data, DeriveInput, Fields, LitStr, Variant};

use crate::ctxt::Ctxt;
use crate::input::attr;
use crate::naming;

/// PostgreSQL keeps as many bytes of a name, and of a value.
const MAX_LENGTH: usize = 63;

/// How values are spelled, unless a variant says its own.
#[derive(Clone, Copy)]
enum Spelling {
    Snake,
    ScreamingSnake,
    Kebab,
    Camel,
    Pascal,
    Lower,
    Upper,
}

const SPELLINGS: &[(&str, Spelling)] = &[
    ("snake_case", Spelling::Snake),
    ("SCREAMING_SNAKE_CASE", Spelling::ScreamingSnake),
    ("kebab-case", Spelling::Kebab),
    ("camelCase", Spelling::Camel),
    ("PascalCase", Spelling::Pascal),
    ("lowercase", Spelling::Lower),
    ("UPPERCASE", Spelling::Upper),
];

impl Spelling {
    fn of(self, variant: &str) -> String {
        match self {
            Spelling::Snake => naming::snake_case(variant),
            Spelling::ScreamingSnake => naming::snake_case(variant).to_uppercase(),
            Spelling::Kebab => naming::snake_case(variant).replace('_', "-"),
            Spelling::Camel => {
                let mut letters = variant.chars();
                let first = letters.next().map(|letter| letter.to_lowercase().to_string());
                first.unwrap_or_default() + letters.as_str()
            }
            Spelling::Pascal => variant.to_owned(),
            Spelling::Lower => variant.to_lowercase(),
            Spelling::Upper => variant.to_uppercase(),
        }
    }
}

/// The enum, read.
struct DbEnum<'i> {
    ident: &'i Ident,
    name: String,
    variants: Vec<(&'i Ident, String)>,
}

/// The enum's impls.
///
/// # Errors
/// All errors of the enum, as `compile_error!`s.
pub(crate) fn expand(input: &DeriveInput) -> Result<TokenStream, TokenStream> {
    let ctxt = Ctxt::default();
    let read = read(&ctxt, input);
    ctxt.finish()?;
    Ok(read.map(|read| items(&read)).unwrap_or_default())
}

fn read<'i>(ctxt: &Ctxt, input: &'i DeriveInput) -> Option<DbEnum<'i>> {
    let mut name = naming::snake_case(&attr::plain(&input.ident));
    let mut spelling = Spelling::Snake;
    attr::options(ctxt, &input.attrs, "db_enum", &["name", "rename_all"], |option, content| {
        match option.to_string().as_str() {
            "name" => {
                let said = attr::text(content)?;
                name = said.value();
                check_length(ctxt, &said, "a type's name", &name);
            }
            "rename_all" => spelling = spelling_of(&attr::text(content)?)?,
            _ => return Ok(false),
        }
        Ok(true)
    });
    if !input.generics.params.is_empty() {
        ctxt.error(&input.generics, "an enum that a database knows cannot be generic");
    }
    let Data::Enum(data) = &input.data else {
        let message =
            "`DbEnum` is for an enum; a struct around one value is a column's type by `#[derive(ColumnType)]`";
        ctxt.error(&input.ident, message);
        return None;
    };
    if data.variants.is_empty() {
        ctxt.error(&input.ident, "an enum without values has nothing to keep in a column");
    }
    let mut variants: Vec<(&Ident, String)> = Vec::new();
    for variant in &data.variants {
        let value = value_of(ctxt, variant, spelling);
        if let Some((other, _)) = variants.iter().find(|(_, known)| *known == value) {
            ctxt.error(&variant.ident, format!("`{other}` and `{}` are both the value `{value}`", variant.ident));
        }
        variants.push((&variant.ident, value));
    }
    Some(DbEnum { ident: &input.ident, name, variants })
}

fn value_of(ctxt: &Ctxt, variant: &Variant, spelling: Spelling) -> String {
    let mut value = spelling.of(&attr::plain(&variant.ident));
    attr::options(ctxt, &variant.attrs, "db_enum", &["rename"], |option, content| {
        if option != "rename" {
            return Ok(false);
        }
        value = attr::text(content)?.value();
        Ok(true)
    });
    if !matches!(variant.fields, Fields::Unit) {
        ctxt.error(
            &variant.fields,
            "a value of a `DbEnum` is a name and nothing else: keep a variant's fields in columns of their own, or the \
             whole enum as `Json<…>`",
        );
    }
    check_length(ctxt, &variant.ident, "a value", &value);
    if value.contains('\0') {
        ctxt.error(&variant.ident, "a value cannot have a NUL character, which PostgreSQL does not keep");
    }
    value
}

fn check_length(ctxt: &Ctxt, place: impl quote::ToTokens, what: &str, text: &str) {
    if text.len() > MAX_LENGTH {
        ctxt.error(place, format!("{what} has at most {MAX_LENGTH} bytes on PostgreSQL; `{text}` has {}", text.len()));
    }
}

fn spelling_of(said: &LitStr) -> syn::Result<Spelling> {
    let text = said.value();
    match SPELLINGS.iter().find(|(name, _)| *name == text) {
        Some((_, spelling)) => Ok(*spelling),
        None => {
            let known: Vec<String> = SPELLINGS.iter().map(|(name, _)| format!("`{name}`")).collect();
            Err(syn::Error::new(said.span(), format!("unknown spelling `{text}`; known are {}", known.join(", "))))
        }
    }
}

fn items(DbEnum { ident, name, variants }: &DbEnum<'_>) -> TokenStream {
    let column_type = quote!(::limbeck::types::ColumnType);
    let db_enum = quote!(::limbeck::types::DbEnum);
    let (variant, value): (Vec<_>, Vec<_>) = variants.iter().map(|(variant, value)| (*variant, value)).unzip();
    let first = variant.first();
    let known = variants.iter().map(|(_, value)| value.as_str()).collect::<Vec<_>>().join("`, `");
    let expected = format!("a `{ident}`, which is one of `{known}`");
    quote! {
        #[automatically_derived]
        impl #db_enum for #ident {
            const NAME: &'static str = #name;
            const VALUES: &'static [&'static str] = &[#(#value),*];

            fn value(&self) -> &'static str {
                match self {
                    #(#ident::#variant => #value,)*
                }
            }

            fn from_value(name: &str) -> ::core::option::Option<Self> {
                match name {
                    #(#value => ::core::option::Option::Some(#ident::#variant),)*
                    _ => ::core::option::Option::None,
                }
            }
        }

        #[automatically_derived]
        impl #column_type for #ident {
            type Base = Self;
            type Null<T: #column_type> = T;
            const SQL_TYPE: ::limbeck::schema::SqlType = ::limbeck::schema::SqlType::Enum(
                ::limbeck::schema::EnumType::new(#name, &[#(::std::borrow::Cow::Borrowed(#value)),*]),
            );

            fn encode(&self) -> ::limbeck::types::Value<'_> {
                ::limbeck::types::Value::Text(::std::borrow::Cow::Borrowed(#db_enum::value(self)))
            }

            fn decode(
                cell: ::limbeck::types::Cell<'_>,
            ) -> ::core::result::Result<Self, ::limbeck::types::DecodeError> {
                let found = ::limbeck::types::Cell::text(&cell)?;
                match <Self as #db_enum>::from_value(found) {
                    ::core::option::Option::Some(value) => ::core::result::Result::Ok(value),
                    ::core::option::Option::None => ::core::result::Result::Err(
                        ::limbeck::types::DecodeError::new(#expected, ::std::format!("the text {found:?}")),
                    ),
                }
            }
        }

        #[automatically_derived]
        impl ::limbeck::types::Placeholder for #ident {
            fn placeholder() -> Self {
                #ident::#first
            }
        }

        #[automatically_derived]
        impl ::limbeck::types::Element for #ident {}
    }
}
