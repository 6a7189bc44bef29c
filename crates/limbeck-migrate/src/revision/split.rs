//! From a revision's text to its statements.
//!
//! A lexer finds where each statement ends: semicolons in texts, comments, dollar quotes, the bodies of
//! SQLite's triggers and of PostgreSQL's `BEGIN ATOMIC` functions do not end one. What a person knows better
//! stands between `-- limbeck: begin` and `-- limbeck: end`, and is one statement.

use limbeck::dialect::Dialect;

use crate::error::{Error, Result};
use crate::token::{self, Kind, Token};

/// A part of a revision file.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Part<'a> {
    /// A whole line `-- limbeck: …`: what follows the colon, without the remark in parentheses at its end.
    Directive { text: &'a str, line: usize },
    /// A comment on a line of its own: what follows the dashes.
    Comment { text: &'a str },
    /// A statement, without its semicolon.
    Statement { sql: &'a str, line: usize },
}

/// The directive that a comment is.
pub(super) fn directive<'a>(source: &str, comment: &Token<'a>) -> Option<&'a str> {
    let line_start = source[..comment.start].rfind('\n').map_or(0, |i| i + 1);
    if !source[line_start..comment.start].trim_start_matches('\u{feff}').trim().is_empty() {
        return None;
    }
    let text = comment.text.strip_prefix("--")?.trim_start().strip_prefix("limbeck:")?.trim();
    // A remark needs a space before it, so that a value may end with a parenthesis.
    let text = match text.rfind(" (") {
        Some(i) if text.ends_with(')') => text[..i].trim_end(),
        _ => text,
    };
    Some(text)
}

/// The parts of a revision file, in order.
pub(super) fn parts<'a>(dialect: Dialect, file: &str, source: &'a str) -> Result<Vec<Part<'a>>> {
    let line_of = |at: usize| source[..at].matches('\n').count() + 1;
    let tokens = token::tokens(dialect, source).map_err(|error| {
        Error::file(file, line_of(error.start), format!("this {} is not closed before the end of the file", error.what))
    })?;
    let mut parts = Vec::new();
    let mut statement: Option<Open> = None;
    let mut i = 0;
    while let Some(token) = tokens.get(i) {
        i += 1;
        if token.kind == Kind::Comment {
            match (directive(source, token), &statement) {
                (Some("begin"), None) => {
                    let end =
                        tokens[i..].iter().position(|t| t.kind == Kind::Comment && directive(source, t) == Some("end"));
                    let Some(end) = end else {
                        return Err(Error::file(file, line_of(token.start), "`begin` has no `-- limbeck: end`"));
                    };
                    if let (Some(first), Some(last)) = (tokens.get(i), tokens[..i + end].last())
                        && end > 0
                    {
                        let sql = source[first.start..last.end()].trim_end_matches(';').trim_end();
                        parts.push(Part::Statement { sql, line: line_of(first.start) });
                    }
                    i += end + 1;
                }
                (Some(text), None) => parts.push(Part::Directive { text, line: line_of(token.start) }),
                (Some(text), Some(open)) => {
                    return Err(Error::file(
                        file,
                        line_of(token.start),
                        format!(
                            "the directive `{text}` stands inside the statement that begins on line {}; is a semicolon \
                             missing?",
                            line_of(open.start)
                        ),
                    ));
                }
                (None, None) => {
                    let text = token.text.trim_start_matches("--").trim();
                    parts.push(Part::Comment { text });
                }
                (None, Some(_)) => {}
            }
            continue;
        }
        match &mut statement {
            None if token.is_symbol(';') => {}
            None => {
                let mut open = Open::new(dialect, token.start);
                open.add(token);
                statement = Some(open);
            }
            Some(open) if token.is_symbol(';') && open.may_end() => {
                let sql = source[open.start..token.start].trim_end();
                parts.push(Part::Statement { sql, line: line_of(open.start) });
                statement = None;
            }
            Some(open) => open.add(token),
        }
    }
    if let Some(open) = statement {
        if open.body {
            return Err(Error::file(file, line_of(open.start), "the body of this statement has no `END;`"));
        }
        parts.push(Part::Statement { sql: source[open.start..].trim_end(), line: line_of(open.start) });
    }
    Ok(parts)
}

/// A statement whose end has not been met.
struct Open {
    dialect: Dialect,
    start: usize,
    /// Its first words, to see what it is.
    words: Vec<String>,
    /// Whether it has a body in which statements end.
    body: bool,
    /// The last two tokens: a body ends with `; END`.
    last: [Last; 2],
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Last {
    Semicolon,
    /// `BEGIN` or `ATOMIC`, after which a body may end at once.
    Begin,
    End,
    Other,
}

impl Open {
    fn new(dialect: Dialect, start: usize) -> Self {
        Open { dialect, start, words: Vec::new(), body: false, last: [Last::Other; 2] }
    }

    fn add(&mut self, token: &Token<'_>) {
        let last = match token.kind {
            Kind::Symbol if token.is_symbol(';') => Last::Semicolon,
            Kind::Word if token.is("begin") || token.is("atomic") => Last::Begin,
            Kind::Word if token.is("end") => Last::End,
            _ => Last::Other,
        };
        if token.kind == Kind::Word && self.words.len() < 5 {
            self.words.push(token.text.to_lowercase());
        }
        let created = |what: &[&str]| {
            self.words.first().is_some_and(|w| w == "create") && self.words.iter().any(|w| what.contains(&w.as_str()))
        };
        match self.dialect {
            Dialect::Sqlite => self.body |= token.is("begin") && created(&["trigger"]),
            _ => {
                self.body |= token.is("atomic") && self.last[1] == Last::Begin && created(&["function", "procedure"]);
            }
        }
        self.last = [self.last[1], last];
    }

    /// Whether a semicolon here ends it.
    fn may_end(&self) -> bool {
        !self.body || matches!(self.last, [Last::Semicolon | Last::Begin, Last::End])
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn statements(dialect: Dialect, source: &str) -> Vec<(&str, usize)> {
        let parts = parts(dialect, "x.sql", source).unwrap();
        parts
            .into_iter()
            .filter_map(|part| match part {
                Part::Statement { sql, line } => Some((sql, line)),
                _ => None,
            })
            .collect()
    }

    #[test]
    fn semicolons_in_texts_and_comments_end_nothing() {
        assert_eq!(
            statements(Dialect::Postgres, "SELECT ';' /* ; */;\n\n;SELECT $a$;$a$ -- ;\n  + 1;\nSELECT 3"),
            [("SELECT ';' /* ; */", 1), ("SELECT $a$;$a$ -- ;\n  + 1", 3), ("SELECT 3", 5)]
        );
    }

    #[test]
    fn a_trigger_ends_with_its_body() {
        let trigger = "CREATE TEMP TRIGGER t AFTER INSERT ON a BEGIN\n  UPDATE b SET c = CASE WHEN 1 THEN 2 END;\n  \
                       DELETE FROM d;\nEND";
        let source = format!("{trigger};\nSELECT 1;");
        assert_eq!(statements(Dialect::Sqlite, &source), [(trigger, 1), ("SELECT 1", 5)]);
    }

    #[test]
    fn an_atomic_function_ends_with_its_body() {
        let function = "CREATE OR REPLACE FUNCTION f() RETURNS int LANGUAGE sql BEGIN ATOMIC SELECT 1; SELECT CASE WHEN \
                        true THEN 1 END; END";
        let source = format!("{function}; SELECT 2;");
        assert_eq!(statements(Dialect::Postgres, &source), [(function, 1), ("SELECT 2", 1)]);
    }

    #[test]
    fn what_is_fenced_is_one_statement() {
        assert_eq!(
            statements(Dialect::Sqlite, "-- limbeck: begin\nodd; thing;\n-- limbeck: end\nSELECT 1;"),
            [("odd; thing", 2), ("SELECT 1", 4)]
        );
    }

    #[test]
    fn a_directive_is_a_whole_line_outside_of_texts() {
        let source = "SELECT '\n-- limbeck: upgrade\n'; -- limbeck: no\n  -- limbeck: downgrade   (loses data: a)\n";
        let directives: Vec<_> = parts(Dialect::Sqlite, "x.sql", source)
            .unwrap()
            .into_iter()
            .filter(|part| matches!(part, Part::Directive { .. }))
            .collect();
        assert_eq!(directives, [Part::Directive { text: "downgrade", line: 4 }]);
    }

    #[test]
    fn a_missing_semicolon_is_found_by_the_next_directive() {
        let error = parts(Dialect::Sqlite, "x.sql", "SELECT 1\n-- limbeck: downgrade\n").unwrap_err().to_string();
        assert!(error.starts_with("x.sql:2:") && error.contains("line 1"), "{error}");
    }
}
