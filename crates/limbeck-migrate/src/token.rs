//! The words of SQL, as far as migrations need them: to find where a statement ends, to compare two texts
//! without their spaces, and to read SQLite's own `CREATE TABLE` statements.

use limbeck::dialect::Dialect;

/// What a token is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Kind {
    /// A keyword or a plain identifier.
    Word,
    /// An identifier in quotes.
    Quoted,
    /// A text, in any of its quotes.
    Text,
    /// A number.
    Number,
    /// One character of anything else.
    Symbol,
    /// A comment.
    Comment,
}

/// A token, as it stands in the source.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Token<'a> {
    pub(crate) kind: Kind,
    pub(crate) text: &'a str,
    /// Where it begins, in bytes.
    pub(crate) start: usize,
}

impl Token<'_> {
    /// Where it ends, in bytes.
    pub(crate) fn end(&self) -> usize {
        self.start + self.text.len()
    }

    /// Whether it is this keyword.
    pub(crate) fn is(&self, word: &str) -> bool {
        self.kind == Kind::Word && self.text.eq_ignore_ascii_case(word)
    }

    /// Whether it is this character.
    pub(crate) fn is_symbol(&self, symbol: char) -> bool {
        self.kind == Kind::Symbol && self.text.starts_with(symbol)
    }

    /// The identifier that it is, without quotes. SQLite takes a text for one, too.
    pub(crate) fn identifier(&self) -> Option<String> {
        match self.kind {
            Kind::Word => Some(self.text.to_string()),
            Kind::Quoted | Kind::Text => {
                let close = self.text.chars().next_back()?;
                let inner = self.text.get(1..self.text.len() - 1)?;
                Some(if close == ']' {
                    inner.to_string()
                } else {
                    inner.replace(&format!("{close}{close}"), &close.to_string())
                })
            }
            _ => None,
        }
    }
}

/// Where the source ends inside something.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Unterminated {
    /// What is not closed.
    pub(crate) what: &'static str,
    /// Where it begins, in bytes.
    pub(crate) start: usize,
}

/// The tokens of a source, comments among them, spaces not.
pub(crate) fn tokens(dialect: Dialect, source: &str) -> Result<Vec<Token<'_>>, Unterminated> {
    let mut out = Vec::new();
    let mut at = 0;
    while let Some(c) = source[at..].chars().next() {
        if c.is_whitespace() || c == '\u{feff}' {
            at += c.len_utf8();
            continue;
        }
        let (kind, end) = next(dialect, source, at, c)?;
        out.push(Token { kind, text: &source[at..end], start: at });
        at = end;
    }
    Ok(out)
}

/// The tokens without comments.
pub(crate) fn code(dialect: Dialect, source: &str) -> Result<Vec<Token<'_>>, Unterminated> {
    let mut tokens = tokens(dialect, source)?;
    tokens.retain(|token| token.kind != Kind::Comment);
    Ok(tokens)
}

fn next(dialect: Dialect, source: &str, at: usize, c: char) -> Result<(Kind, usize), Unterminated> {
    let rest = &source[at..];
    let bytes = rest.as_bytes();
    let postgres = dialect == Dialect::Postgres;
    let closed = |what, end: Option<usize>| end.map(|end| at + end).ok_or(Unterminated { what, start: at });
    Ok(match c {
        '-' if rest.starts_with("--") => (Kind::Comment, at + rest.find(['\n', '\r']).unwrap_or(rest.len())),
        '/' if rest.starts_with("/*") => {
            let end = block_comment(bytes, postgres);
            // SQLite lets the end of the source close a comment.
            (Kind::Comment, if postgres { closed("comment", end)? } else { at + end.unwrap_or(bytes.len()) })
        }
        '\'' => (Kind::Text, closed("text", quoted(bytes, 0, false))?),
        '"' => (Kind::Quoted, closed("identifier", quoted(bytes, 0, false))?),
        '`' if !postgres => (Kind::Quoted, closed("identifier", quoted(bytes, 0, false))?),
        '[' if !postgres => (Kind::Quoted, closed("identifier", rest.find(']').map(|i| i + 1))?),
        '$' if postgres && dollar_tag(rest).is_some() => {
            let tag = dollar_tag(rest).unwrap_or_default();
            let end = rest[tag.len()..].find(tag).map(|i| i + 2 * tag.len());
            (Kind::Text, closed("dollar-quoted text", end)?)
        }
        _ if c.is_ascii_digit() || (c == '.' && bytes.get(1).is_some_and(u8::is_ascii_digit)) => {
            (Kind::Number, at + number(bytes))
        }
        _ if is_word(c) => {
            let end = rest.find(|c| !is_word(c) && !c.is_ascii_digit() && c != '$').unwrap_or(rest.len());
            let prefix = &rest[..end];
            let escapes = postgres && prefix.eq_ignore_ascii_case("e");
            let texty = escapes
                || prefix.eq_ignore_ascii_case("x")
                || (postgres && (prefix.eq_ignore_ascii_case("b") || prefix.eq_ignore_ascii_case("n")));
            if texty && bytes.get(end) == Some(&b'\'') {
                (Kind::Text, closed("text", quoted(bytes, end, escapes))?)
            } else {
                (Kind::Word, at + end)
            }
        }
        _ => (Kind::Symbol, at + c.len_utf8()),
    })
}

fn is_word(c: char) -> bool {
    c == '_' || c.is_alphabetic() || (!c.is_ascii() && !c.is_whitespace())
}

/// The end of what begins with the quote at `open`; a doubled quote stands for itself.
fn quoted(bytes: &[u8], open: usize, escapes: bool) -> Option<usize> {
    let quote = bytes[open];
    let mut i = open + 1;
    loop {
        match *bytes.get(i)? {
            b'\\' if escapes => i += 2,
            b if b == quote && bytes.get(i + 1) == Some(&quote) => i += 2,
            b if b == quote => return Some(i + 1),
            _ => i += 1,
        }
    }
}

fn block_comment(bytes: &[u8], nested: bool) -> Option<usize> {
    let (mut i, mut depth) = (2, 1);
    while i + 1 < bytes.len() {
        match &bytes[i..i + 2] {
            b"*/" => {
                depth -= 1;
                i += 2;
                if depth == 0 {
                    return Some(i);
                }
            }
            b"/*" if nested => {
                depth += 1;
                i += 2;
            }
            _ => i += 1,
        }
    }
    None
}

/// `$$` or `$tag$` at the beginning of the text.
fn dollar_tag(rest: &str) -> Option<&str> {
    let end = rest[1..].find('$')? + 1;
    let name = &rest[1..end];
    let valid =
        !name.starts_with(|c: char| c.is_ascii_digit()) && name.chars().all(|c| is_word(c) || c.is_ascii_digit());
    valid.then(|| &rest[..=end])
}

fn number(bytes: &[u8]) -> usize {
    let mut i = 0;
    while let Some(&b) = bytes.get(i) {
        let exponent_sign = matches!(b, b'+' | b'-')
            && i > 0
            && matches!(bytes[i - 1], b'e' | b'E')
            && !matches!(bytes.get(1), Some(b'x' | b'X'));
        if !(b.is_ascii_alphanumeric() || b == b'.' || b == b'_' || exponent_sign) {
            break;
        }
        i += 1;
    }
    i
}

/// The text without what does not matter: spaces, comments, the case of words. Two texts with one form mean
/// the same. A source that does not end well is returned as it is.
pub(crate) fn normal(dialect: Dialect, source: &str) -> String {
    match code(dialect, source) {
        Ok(tokens) => normal_of(&tokens),
        Err(_) => source.to_string(),
    }
}

/// The normal form of tokens, one a line: no token but a quoted one has a line break in it.
pub(crate) fn normal_of(tokens: &[Token<'_>]) -> String {
    let mut out = String::new();
    for token in tokens {
        match token.kind {
            Kind::Comment => continue,
            Kind::Word | Kind::Number => out.push_str(&token.text.to_lowercase()),
            // A checkout may have changed line ends inside a literal, too.
            _ => out.push_str(&token.text.replace("\r\n", "\n")),
        }
        out.push('\n');
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    fn texts(dialect: Dialect, source: &str) -> Vec<&str> {
        tokens(dialect, source).unwrap().iter().map(|t| t.text).collect()
    }

    #[test]
    fn literals_and_comments_are_one_token_each() {
        assert_eq!(
            texts(Dialect::Postgres, "a $x$ ; $y$ ; $x$ E'\\';' 'it''s;' /* /* ; */ ; */ b -- ;\n\"c;\"\"\" 1.5e-3 $1"),
            [
                "a",
                "$x$ ; $y$ ; $x$",
                "E'\\';'",
                "'it''s;'",
                "/* /* ; */ ; */",
                "b",
                "-- ;",
                "\"c;\"\"\"",
                "1.5e-3",
                "$",
                "1"
            ]
        );
        assert_eq!(
            texts(Dialect::Sqlite, "[a;b] `c``;` x'00' /* /* */ $$ 'a\\'"),
            ["[a;b]", "`c``;`", "x'00'", "/* /* */", "$", "$", "'a\\'"]
        );
    }

    #[test]
    fn what_is_not_closed_is_found() {
        let error = tokens(Dialect::Postgres, "SELECT $a$ never").unwrap_err();
        assert_eq!(error, Unterminated { what: "dollar-quoted text", start: 7 });
        assert_eq!(tokens(Dialect::Sqlite, "'x").unwrap_err().what, "text");
        assert_eq!(tokens(Dialect::Postgres, "a /* b").unwrap_err().what, "comment");
    }

    #[test]
    fn spaces_comments_case_and_line_ends_do_not_count() {
        let a = normal(Dialect::Sqlite, "CREATE TABLE t(\r\n  a TEXT DEFAULT 'X' -- why\r\n)");
        assert_eq!(a, normal(Dialect::Sqlite, "create table T (a text\ndefault 'X')"));
        assert_ne!(a, normal(Dialect::Sqlite, "create table T (a text default 'x')"));
        assert_ne!(normal(Dialect::Sqlite, "a b"), normal(Dialect::Sqlite, "ab"));
    }

    #[test]
    fn identifiers_lose_their_quotes() {
        let names: Vec<_> = tokens(Dialect::Sqlite, "a \"b\"\"c\" [d e] `f` 'g'").unwrap();
        let names: Vec<_> = names.iter().filter_map(Token::identifier).collect();
        assert_eq!(names, ["a", "b\"c", "d e", "f", "g"]);
    }
}
