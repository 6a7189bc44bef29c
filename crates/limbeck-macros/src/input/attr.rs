//! Options in an attribute: `#[column(unique, length = 100)]`.

use proc_macro2::Span;
use syn::ext::IdentExt;
use syn::parse::{ParseStream, Parser};
use syn::{Attribute, Ident, LitBool, LitStr, Meta, Token};

use crate::ctxt::Ctxt;
use crate::naming;

/// Reads the options of every attribute called `name`: `read` is given each option's name and reads what
/// follows it, and says whether it knows the name. One wrong option does not hide the next.
pub(crate) fn options(
    ctxt: &Ctxt,
    attrs: &[Attribute],
    name: &str,
    known: &[&str],
    mut read: impl FnMut(&Ident, ParseStream<'_>) -> syn::Result<bool>,
) {
    let mut seen: Vec<String> = Vec::new();
    for attr in attrs.iter().filter(|attr| attr.path().is_ident(name)) {
        match &attr.meta {
            Meta::Path(_) => {}
            Meta::List(list) => {
                let parser = |input: ParseStream<'_>| {
                    every_option(ctxt, input, name, known, &mut seen, &mut read);
                    Ok(())
                };
                if let Err(error) = parser.parse2(list.tokens.clone()) {
                    ctxt.push(error);
                }
            }
            Meta::NameValue(_) => ctxt.error(attr, format!("options are written in brackets: `#[{name}(…)]`")),
        }
    }
}

fn every_option(
    ctxt: &Ctxt,
    input: ParseStream<'_>,
    attr: &str,
    known: &[&str],
    seen: &mut Vec<String>,
    read: &mut impl FnMut(&Ident, ParseStream<'_>) -> syn::Result<bool>,
) {
    while !input.is_empty() {
        match one_option(input, attr, known, seen, read) {
            Ok(()) => {}
            Err(error) => {
                ctxt.push(error);
                skip_to_comma(input);
            }
        }
        if input.is_empty() {
            return;
        }
        if let Err(error) = input.parse::<Token![,]>() {
            ctxt.push(error);
            skip_to_comma(input);
            let _ = input.parse::<Option<Token![,]>>();
        }
    }
}

fn one_option(
    input: ParseStream<'_>,
    attr: &str,
    known: &[&str],
    seen: &mut Vec<String>,
    read: &mut impl FnMut(&Ident, ParseStream<'_>) -> syn::Result<bool>,
) -> syn::Result<()> {
    let name = input.call(Ident::parse_any)?;
    let text = name.to_string();
    if !read(&name, input)? {
        return Err(unknown(&name, &format!("option of `#[{attr}]`"), known));
    }
    let repeated = text == "allow" || (attr == "model" && super::table::REPEATED.contains(&text.as_str()));
    if seen.contains(&text) && !repeated {
        return Err(syn::Error::new(name.span(), format!("`{text}` is said twice")));
    }
    seen.push(text);
    Ok(())
}

/// An option that is not known, with the nearest that is.
pub(crate) fn unknown(name: &Ident, what: &str, known: &[&str]) -> syn::Error {
    let text = name.to_string();
    let message = match naming::nearest(&text, known) {
        Some(nearest) => format!("unknown {what} `{text}`: did you mean `{nearest}`?"),
        None => format!("unknown {what} `{text}`; known are {}", listed(known)),
    };
    syn::Error::new(name.span(), message)
}

fn listed(known: &[&str]) -> String {
    known.iter().map(|name| format!("`{name}`")).collect::<Vec<_>>().join(", ")
}

fn skip_to_comma(input: ParseStream<'_>) {
    while !input.is_empty() && !input.peek(Token![,]) {
        // A token tree can always be read where there is one.
        if input.parse::<proc_macro2::TokenTree>().is_err() {
            return;
        }
    }
}

/// `= "text"`
pub(crate) fn text(input: ParseStream<'_>) -> syn::Result<LitStr> {
    input.parse::<Token![=]>()?;
    let text: LitStr = input.parse()?;
    if text.value().is_empty() {
        return Err(syn::Error::new(text.span(), "this cannot be empty"));
    }
    Ok(text)
}

/// A flag: nothing, `= true` or `= false`.
pub(super) fn flag(input: ParseStream<'_>) -> syn::Result<bool> {
    if !input.peek(Token![=]) {
        return Ok(true);
    }
    input.parse::<Token![=]>()?;
    Ok(input.parse::<LitBool>()?.value)
}

/// `= field`
pub(super) fn field(input: ParseStream<'_>) -> syn::Result<Ident> {
    input.parse::<Token![=]>()?;
    if input.peek(LitStr) {
        let text: LitStr = input.parse()?;
        return Err(syn::Error::new(
            text.span(),
            format!("a field's name is written without quotes: {}", text.value()),
        ));
    }
    input.call(Ident::parse_any)
}

/// `= field`, or `= (field, field)`
pub(super) fn fields(input: ParseStream<'_>) -> syn::Result<Vec<Ident>> {
    let ahead = input.fork();
    ahead.parse::<Token![=]>()?;
    if !ahead.peek(syn::token::Paren) {
        return Ok(vec![field(input)?]);
    }
    input.parse::<Token![=]>()?;
    let content;
    syn::parenthesized!(content in input);
    let fields = content.parse_terminated(Ident::parse_any, Token![,])?;
    if fields.is_empty() {
        return Err(content.error("this cannot be empty"));
    }
    Ok(fields.into_iter().collect())
}

/// `= "text"`, or `= ("text", "text")`
pub(super) fn texts(input: ParseStream<'_>) -> syn::Result<Vec<LitStr>> {
    let ahead = input.fork();
    ahead.parse::<Token![=]>()?;
    if !ahead.peek(syn::token::Paren) {
        return Ok(vec![text(input)?]);
    }
    input.parse::<Token![=]>()?;
    let content;
    syn::parenthesized!(content in input);
    let texts = content.parse_terminated(<LitStr as syn::parse::Parse>::parse, Token![,])?;
    if texts.iter().any(|text| text.value().is_empty()) || texts.is_empty() {
        return Err(content.error("this cannot be empty"));
    }
    Ok(texts.into_iter().collect())
}

/// The doc comments among the attributes.
pub(super) fn docs(attrs: &[Attribute]) -> Vec<Attribute> {
    attrs.iter().filter(|attr| attr.path().is_ident("doc")).cloned().collect()
}

/// The name of a field as the database and messages say it.
pub(crate) fn plain(ident: &Ident) -> String {
    ident.unraw().to_string()
}

/// The span of the first attribute of that name.
pub(super) fn span_of(attrs: &[Attribute], name: &str) -> Option<Span> {
    attrs.iter().find(|attr| attr.path().is_ident(name)).map(syn::spanned::Spanned::span)
}
