//! The parts of a `CREATE TABLE` statement, found in its tokens.

use limbeck::schema::Computed;

use super::{ColumnText, ConstraintText, What};
use crate::token::{Kind, Token};

/// The position of the parenthesis that closes the one at `open`.
pub(super) fn matching(tokens: &[Token<'_>], open: usize) -> Option<usize> {
    let mut depth = 0_usize;
    for (i, token) in tokens.iter().enumerate().skip(open) {
        if token.is_symbol('(') {
            depth += 1;
        } else if token.is_symbol(')') {
            depth = depth.checked_sub(1)?;
            if depth == 0 {
                return Some(i);
            }
        }
    }
    None
}

/// The parts between commas.
pub(super) fn split<'a, 't>(tokens: &'a [Token<'t>]) -> Vec<&'a [Token<'t>]> {
    let mut depth = 0_i32;
    tokens
        .split(|token| {
            depth += i32::from(token.is_symbol('(')) - i32::from(token.is_symbol(')'));
            depth == 0 && token.is_symbol(',')
        })
        .collect()
}

fn source<'s>(sql: &'s str, tokens: &[Token<'_>]) -> &'s str {
    match (tokens.first(), tokens.last()) {
        (Some(first), Some(last)) => &sql[first.start..last.end()],
        _ => "",
    }
}

pub(super) fn column(sql: &str, item: &[Token<'_>]) -> Option<ColumnText> {
    let (name, rest) = item.split_first()?;
    let starts = starts(rest);
    let type_end = starts.first().copied().unwrap_or(rest.len());
    Some(ColumnText {
        name: name.identifier()?,
        written: name.text.to_string(),
        type_name: source(sql, &rest[..type_end]).to_string(),
        constraints: constraints(sql, &rest[type_end..]).into_iter().collect::<Option<_>>()?,
    })
}

/// Where constraints begin.
fn starts(tokens: &[Token<'_>]) -> Vec<usize> {
    let mut starts = Vec::new();
    let mut depth = 0_i32;
    for (i, token) in tokens.iter().enumerate() {
        depth += i32::from(token.is_symbol('(')) - i32::from(token.is_symbol(')'));
        if depth > 0 || token.kind != Kind::Word {
            continue;
        }
        let before = |back: usize| i.checked_sub(back).and_then(|i| tokens.get(i));
        let after = |word: &str| before(1).is_some_and(|t| t.is(word));
        let named = before(2).is_some_and(|t| t.is("constraint")) && starts.last() == Some(&(i.wrapping_sub(2)));
        let begins = match token.text.to_ascii_lowercase().as_str() {
            "constraint" | "primary" | "unique" | "check" | "collate" | "generated" | "references" | "foreign" => true,
            "not" => !tokens.get(i + 1).is_some_and(|t| t.is("deferrable")),
            "null" => !after("set") && !after("not") && !after("default"),
            "default" => !after("set"),
            "as" => !after("always"),
            _ => false,
        };
        // A foreign key of the table has its own REFERENCES.
        let inside_foreign_key = token.is("references")
            && starts.last().is_some_and(|&s| tokens[s..i].iter().take(3).any(|t| t.is("foreign")));
        if begins && !named && !inside_foreign_key && !after("constraint") {
            starts.push(i);
        }
    }
    starts
}

pub(super) fn constraints(sql: &str, tokens: &[Token<'_>]) -> Vec<Option<ConstraintText>> {
    let starts = starts(tokens);
    let ends = starts.iter().skip(1).copied().chain([tokens.len()]);
    starts.iter().zip(ends).map(|(&start, end)| constraint(sql, &tokens[start..end])).collect()
}

fn constraint(sql: &str, tokens: &[Token<'_>]) -> Option<ConstraintText> {
    let text = source(sql, tokens).to_string();
    let (name, rest) = if tokens.first()?.is("constraint") {
        (Some(tokens.get(1)?.identifier()?), tokens.get(2..)?)
    } else {
        (None, tokens)
    };
    let first = rest.first()?;
    let what = match first.text.to_ascii_lowercase().as_str() {
        "primary" => What::PrimaryKey(names(rest, 2)),
        "unique" => What::Unique(names(rest, 1)),
        "check" => {
            let open = rest.iter().position(|t| t.is_symbol('('))?;
            let close = matching(rest, open)?;
            What::Check(source(sql, &rest[open + 1..close]).to_string())
        }
        "foreign" => {
            let to = rest.iter().position(|t| t.is("references"))?;
            What::ForeignKey { columns: names(rest, 2), target: rest.get(to + 1)?.identifier()? }
        }
        "references" => What::ForeignKey { columns: Vec::new(), target: rest.get(1)?.identifier()? },
        "not" => What::NotNull,
        "null" => What::Null,
        "default" => What::Default,
        "collate" => What::Collate(rest.get(1)?.identifier()?),
        "generated" | "as" => {
            let open = rest.iter().position(|t| t.is_symbol('('))?;
            let close = matching(rest, open)?;
            What::Generated(Computed {
                expression: source(sql, &rest[open + 1..close]).to_string(),
                stored: rest.get(close + 1).is_some_and(|t| t.is("stored")),
            })
        }
        _ => return None,
    };
    Some(ConstraintText { name, what, text })
}

/// The names in the parentheses at `open`; none where there are no parentheses.
fn names(tokens: &[Token<'_>], open: usize) -> Vec<String> {
    if !tokens.get(open).is_some_and(|t| t.is_symbol('(')) {
        return Vec::new();
    }
    let Some(close) = matching(tokens, open) else { return Vec::new() };
    split(&tokens[open + 1..close]).into_iter().filter_map(|part| part.first()?.identifier()).collect()
}
