//! `allow(L008, reason = "…")`: what `limbeck lint` shall not say, and why.
//!
//! Here is only seen to it that a reason is given. Nothing becomes of it in the program: the lint reads the source, and
//! says which codes it does not know.

use syn::ext::IdentExt;
use syn::parse::ParseStream;
use syn::{Ident, LitStr};

use super::attr;
use super::table::{bracketed, comma};

/// Reads the option behind its name.
pub(super) fn check(name: &Ident, input: ParseStream<'_>) -> syn::Result<()> {
    let usage = "name the rule of `limbeck lint`, and say why it does not hold here: `allow(L008, reason = \"…\")`";
    let content = bracketed(name, input, usage)?;
    let (mut codes, mut reason): (usize, Option<LitStr>) = (0, None);
    while !content.is_empty() {
        let word = content.call(Ident::parse_any)?;
        match (word == "reason", content.peek(syn::Token![=])) {
            (true, true) => reason = Some(attr::text(&content)?),
            (false, true) => return Err(attr::unknown(&word, "option of `allow`", &["reason"])),
            (_, false) => codes += 1,
        }
        comma(&content)?;
    }
    match reason {
        Some(reason) if reason.value().trim().is_empty() => Err(syn::Error::new(reason.span(), usage)),
        Some(_) if codes > 0 => Ok(()),
        _ => Err(syn::Error::new(name.span(), usage)),
    }
}
