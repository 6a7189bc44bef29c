//! `sql!("… {id} … {..ids}")`: a statement written by hand whose values are named in its text.
//!
//! The text is taken apart here, while the program compiles (`text`), so nothing is searched for when it runs,
//! and what stands in the braces is Rust: a name that is not in scope is an error of the compiler.

mod text;

use proc_macro2::{Ident, Span, TokenStream};
use quote::{format_ident, quote, quote_spanned};
use syn::ext::IdentExt;
use syn::parse::{Parse, ParseStream};
use syn::{Expr, Lit, LitStr, Member, Token};

use text::{Piece, Said};

/// What is written between the brackets of `sql!`.
pub(crate) struct Input {
    text: LitStr,
    arguments: Vec<Argument>,
}

/// `limit = n * 2`, after the text.
struct Argument {
    name: Ident,
    value: Expr,
}

impl Parse for Input {
    fn parse(input: ParseStream<'_>) -> syn::Result<Self> {
        let text = literal(input.parse()?)?;
        let mut arguments: Vec<Argument> = Vec::new();
        while !input.is_empty() {
            input.parse::<Token![,]>()?;
            if input.is_empty() {
                break;
            }
            if !(input.peek(Ident::peek_any) && input.peek2(Token![=]) && !input.peek2(Token![==])) {
                return Err(input.error("values have names: write `{limit}` in the text and `limit = …` here"));
            }
            let name = input.call(Ident::parse_any)?;
            input.parse::<Token![=]>()?;
            if arguments.iter().any(|other| other.name == name) {
                return Err(syn::Error::new(name.span(), format!("`{name}` is said twice")));
            }
            arguments.push(Argument { name, value: input.parse()? });
        }
        Ok(Input { text, arguments })
    }
}

fn literal(expression: Expr) -> syn::Result<LitStr> {
    match expression {
        Expr::Lit(literal) => match literal.lit {
            Lit::Str(text) => Ok(text),
            other => Err(not_literal(&other)),
        },
        Expr::Group(group) => literal(*group.expr),
        other => Err(not_literal(&other)),
    }
}

fn not_literal(found: impl quote::ToTokens) -> syn::Error {
    syn::Error::new_spanned(
        found,
        "`sql!` takes the text of the statement as a literal, so that no value can get into it; for a text that is put \
         together at run time there is `limbeck::sql::trusted(text)`, and for a file `limbeck::sql::sql(include_str!(…))`",
    )
}

/// The statement as an expression.
///
/// # Errors
/// When the text cannot be taken apart, or an argument is not in it.
pub(crate) fn expand(input: &Input) -> syn::Result<TokenStream> {
    let pieces = text::pieces(&input.text.value()).map_err(|why| syn::Error::new(input.text.span(), why))?;
    // What a value's type lacks is said at the text, since no part of it can be pointed at.
    let span = input.text.span();
    let mut texts = vec![String::new()];
    let mut parts = Vec::new();
    let mut used = vec![false; input.arguments.len()];
    for piece in pieces {
        match piece {
            Piece::Text(text) => texts.last_mut().into_iter().for_each(|last| last.push_str(&text)),
            Piece::Part(said, name) => {
                let value = input.value(&name, &mut used)?;
                parts.push(match said {
                    Said::Value => quote_spanned!(span=> .__value(#value)),
                    Said::List { negated } => quote_spanned!(span=> .__list(#value, #negated)),
                    Said::Name => quote_spanned!(span=> .__name(#value)),
                });
                texts.push(String::new());
            }
        }
    }
    if let Some(unused) = input.arguments.iter().zip(&used).find(|(_, used)| !**used).map(|(argument, _)| argument) {
        let name = &unused.name;
        return Err(syn::Error::new(name.span(), format!("`{{{name}}}` is not in the text")));
    }
    let values = input.arguments.iter().map(|argument| {
        let (local, value) = (argument.local(), &argument.value);
        quote!(let #local = &(#value);)
    });
    Ok(quote! {{
        #(#values)*
        ::limbeck::sql::Sql::__of(&[#(#texts),*])#(#parts)*
    }})
}

impl Argument {
    /// The variable that holds it, which no expression of the caller's can mean.
    fn local(&self) -> Ident {
        format_ident!("{}", self.name.unraw(), span = Span::mixed_site())
    }
}

impl Input {
    /// A reference to what braces name: `id`, `user.id`, or an argument.
    fn value(&self, name: &str, used: &mut [bool]) -> syn::Result<TokenStream> {
        let span = self.text.span();
        let wrong = |_| {
            let why = format!(
                "`{{{name}}}` is neither a name nor a field: name the value, as in `sql!(\"… {{value}}\", value = {name})`"
            );
            syn::Error::new(span, why)
        };
        let mut expression: Expr = LitStr::new(name, span).parse().map_err(wrong)?;
        let Some(root) = root(&mut expression) else { return Err(wrong(syn::Error::new(span, ""))) };
        let argument = self.arguments.iter().position(|argument| argument.name == *root);
        let Some(argument) = argument else { return Ok(quote!(&#expression)) };
        used[argument] = true;
        *root = self.arguments[argument].local();
        Ok(match expression {
            Expr::Path(_) => quote!(#expression),
            _ => quote!(&#expression),
        })
    }
}

/// The name that a path of fields begins with: `user` of `user.address.city`.
fn root(expression: &mut Expr) -> Option<&mut Ident> {
    match expression {
        Expr::Path(path) if path.qself.is_none() => {
            path.path.segments.iter().all(|segment| segment.arguments.is_empty()).then_some(())?;
            path.path.segments.first_mut().map(|segment| &mut segment.ident)
        }
        Expr::Field(field) => match &field.member {
            Member::Named(_) | Member::Unnamed(_) => root(&mut field.base),
        },
        _ => None,
    }
}
