//! Where the `:name`s of a statement are.
//!
//! Only what the database would take for a parameter is one: not what stands in texts, quoted names and comments,
//! which each database ends in its own way.

use crate::dialect::Dialect;

#[derive(Debug, PartialEq)]
pub(super) enum Piece<'s> {
    Text(&'s str),
    Name(&'s str),
}

/// Splits a statement at its `:name`s.
pub(super) fn split(text: &str, dialect: Dialect) -> Vec<Piece<'_>> {
    let bytes = text.as_bytes();
    let mut pieces = Vec::new();
    let (mut start, mut at) = (0, 0);
    while at < bytes.len() {
        at = match bytes[at] {
            b'\'' if dialect == Dialect::Postgres && has_escapes(bytes, at) => quoted(bytes, at, Some(b'\\')),
            b'\'' | b'"' | b'`' => quoted(bytes, at, None),
            b'[' if dialect == Dialect::Sqlite => text[at..].find(']').map_or(bytes.len(), |end| at + end + 1),
            b'-' if bytes[at..].starts_with(b"--") => text[at..].find('\n').map_or(bytes.len(), |end| at + end),
            b'/' if bytes[at..].starts_with(b"/*") => comment(bytes, at, dialect),
            b'$' if dialect == Dialect::Postgres => dollar_quoted(text, at).unwrap_or(at + 1),
            b':' if bytes[at..].starts_with(b"::") => at + 2,
            b':' => {
                let name = &text[at + 1..at + 1 + name_length(&bytes[at + 1..])];
                if !name.is_empty() {
                    pieces.push(Piece::Text(&text[start..at]));
                    pieces.push(Piece::Name(name));
                    start = at + 1 + name.len();
                }
                at + 1 + name.len()
            }
            _ => at + 1,
        };
    }
    pieces.push(Piece::Text(&text[start..]));
    pieces
}

/// How many bytes of an identifier the text begins with.
fn name_length(bytes: &[u8]) -> usize {
    match bytes.first() {
        Some(first) if first.is_ascii_alphabetic() || *first == b'_' => {
            bytes.iter().take_while(|byte| byte.is_ascii_alphanumeric() || **byte == b'_').count()
        }
        _ => 0,
    }
}

/// Whether the quote at `at` begins an `E'…'` string, in which a backslash takes away what the next character means.
fn has_escapes(bytes: &[u8], at: usize) -> bool {
    let before = |back: usize| at.checked_sub(back).map_or(b' ', |i| bytes[i]);
    matches!(before(1), b'E' | b'e') && !(before(2).is_ascii_alphanumeric() || before(2) == b'_')
}

/// The end of what is quoted from `at` on. A doubled quote is the end of one text and the begin of the next.
fn quoted(bytes: &[u8], at: usize, escape: Option<u8>) -> usize {
    let mut end = at + 1;
    while end < bytes.len() && bytes[end] != bytes[at] {
        end += if Some(bytes[end]) == escape { 2 } else { 1 };
    }
    (end + 1).min(bytes.len())
}

/// The end of the comment that begins at `at`. PostgreSQL nests them.
fn comment(bytes: &[u8], at: usize, dialect: Dialect) -> usize {
    let (mut end, mut depth) = (at + 2, 1);
    while end < bytes.len() {
        if bytes[end..].starts_with(b"*/") {
            depth -= 1;
            end += 2;
            if depth == 0 {
                return end;
            }
        } else if dialect == Dialect::Postgres && bytes[end..].starts_with(b"/*") {
            depth += 1;
            end += 2;
        } else {
            end += 1;
        }
    }
    bytes.len()
}

/// The end of a dollar-quoted string that begins at `at`, if one does.
fn dollar_quoted(text: &str, at: usize) -> Option<usize> {
    let tag_end = at + 1 + text[at + 1..].find('$')?;
    let tag = &text[at..=tag_end];
    let name = &tag[1..tag.len() - 1];
    if !name.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'_') || name.starts_with(|c: char| c.is_ascii_digit()) {
        return None;
    }
    Some(text[tag_end + 1..].find(tag).map_or(text.len(), |end| tag_end + 1 + end + tag.len()))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn names(text: &str, dialect: Dialect) -> Vec<&str> {
        split(text, dialect)
            .into_iter()
            .filter_map(|piece| match piece {
                Piece::Name(name) => Some(name),
                Piece::Text(_) => None,
            })
            .collect()
    }

    #[test]
    fn only_real_placeholders_are_found() {
        for dialect in [Dialect::Sqlite, Dialect::Postgres] {
            let names = |text| names(text, dialect);
            assert_eq!(names("SELECT :a, ':no', \":no\", x::text, :b_2 -- :no\n, :a"), ["a", "b_2", "a"]);
            assert_eq!(names("SELECT 'it''s :no', '10:30', :x"), ["x"]);
            assert_eq!(names("SELECT ':unterminated"), Vec::<&str>::new());
            assert_eq!(names("SELECT /* :no */ :yes, 'é' || :é_is_no_name, ' :no"), ["yes"]);
            assert_eq!(names(":a-:b/:c -- :no"), ["a", "b", "c"]);
        }
    }

    #[test]
    fn each_database_quotes_in_its_own_way() {
        assert_eq!(names("SELECT $$ :no $$, $t$ :no $t$, :yes, $1", Dialect::Postgres), ["yes"]);
        assert_eq!(names(r"SELECT E'\' :no', e'\\', :yes, name'\', :x'", Dialect::Postgres), ["yes", "x"]);
        assert_eq!(names("SELECT /* /* :no */ :no */ :yes, a[:n]", Dialect::Postgres), ["yes", "n"]);
        assert_eq!(names("SELECT [:no], $a, $b, /* /* :no */ :yes", Dialect::Sqlite), ["yes"]);
    }
}
