//! The text of a `sql!`, taken apart at its braces.
//!
//! It is read as the databases read it, as far as quotes and comments go: a value in a quoted text would be sent
//! as the text `$1`, and the mistake would be found by nobody.

/// A piece of the text.
#[derive(Debug, PartialEq)]
pub(super) enum Piece {
    Text(String),
    /// What stood in braces.
    Part(Said, String),
}

/// What braces ask for.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) enum Said {
    /// `{id}`
    Value,
    /// `IN {..ids}`, without the `IN`, which each database spells in its own way.
    List { negated: bool },
    /// `{#Post.title}`
    Name,
}

/// Where in the text no value can stand.
enum Quoted {
    /// `'…'`, `"…"` or `` `…` ``; in an `E'…'` a backslash takes away what the next character means.
    In { quote: char, escapes: bool },
    /// `-- …`
    Line,
    /// `/* … */`
    Block { depth: u32 },
    /// `$tag$ … $tag$`
    Dollar { tag: String },
}

impl Quoted {
    fn name(&self) -> &'static str {
        match self {
            Quoted::In { quote: '\'', .. } | Quoted::Dollar { .. } => "a quoted text",
            Quoted::In { .. } => "a quoted name",
            Quoted::Line | Quoted::Block { .. } => "a comment",
        }
    }
}

struct Reader<'t> {
    rest: &'t str,
    text: String,
    pieces: Vec<Piece>,
    quoted: Option<Quoted>,
}

/// Takes a text apart.
///
/// # Errors
/// What is wrong with its braces.
pub(super) fn pieces(text: &str) -> Result<Vec<Piece>, String> {
    let mut reader = Reader { rest: text, text: String::new(), pieces: Vec::new(), quoted: None };
    while let Some(next) = reader.rest.chars().next() {
        match next {
            '{' | '}' => reader.brace(next)?,
            _ => {
                let width = reader.step(next);
                reader.take(width);
            }
        }
    }
    if !reader.text.is_empty() {
        reader.pieces.push(Piece::Text(reader.text));
    }
    Ok(reader.pieces)
}

impl Reader<'_> {
    /// Passes over text.
    fn take(&mut self, bytes: usize) {
        self.text.push_str(&self.rest[..bytes]);
        self.rest = &self.rest[bytes..];
    }

    /// How many bytes belong together here, and what they begin or end.
    fn step(&mut self, next: char) -> usize {
        let rest = self.rest;
        let width = next.len_utf8();
        match &mut self.quoted {
            None => {
                self.quoted = match next {
                    '\'' | '"' | '`' => Some(Quoted::In { quote: next, escapes: next == '\'' && self.after_e() }),
                    '-' if rest.starts_with("--") => Some(Quoted::Line),
                    '/' if rest.starts_with("/*") => {
                        self.quoted = Some(Quoted::Block { depth: 1 });
                        return 2;
                    }
                    '$' => match dollar_tag(rest) {
                        Some(tag) if !self.after_word() => {
                            let width = tag.len();
                            self.quoted = Some(Quoted::Dollar { tag: tag.to_owned() });
                            return width;
                        }
                        _ => None,
                    },
                    _ => None,
                };
            }
            Some(Quoted::In { escapes: true, .. }) if next == '\\' => {
                return width + rest[width..].chars().next().map_or(0, char::len_utf8);
            }
            Some(Quoted::In { quote, .. }) if next == *quote => self.quoted = None,
            Some(Quoted::Line) if next == '\n' => self.quoted = None,
            Some(Quoted::Block { depth }) if rest.starts_with("/*") => {
                *depth += 1;
                return 2;
            }
            Some(Quoted::Block { depth }) if rest.starts_with("*/") => {
                *depth -= 1;
                if *depth == 0 {
                    self.quoted = None;
                }
                return 2;
            }
            Some(Quoted::Dollar { tag }) if rest.starts_with(tag.as_str()) => {
                let width = tag.len();
                self.quoted = None;
                return width;
            }
            Some(_) => {}
        }
        width
    }

    /// Whether an `E` that begins a text with escapes stands right before.
    fn after_e(&self) -> bool {
        let mut before = self.text.chars().rev();
        matches!(before.next(), Some('e' | 'E')) && !before.next().is_some_and(is_word)
    }

    fn after_word(&self) -> bool {
        self.text.chars().next_back().is_some_and(is_word)
    }

    fn brace(&mut self, brace: char) -> Result<(), String> {
        let doubled = self.rest[1..].starts_with(brace);
        if doubled {
            self.text.push(brace);
            self.rest = &self.rest[2..];
            return Ok(());
        }
        if brace == '}' {
            return Err("a `}` stands alone: a brace of the statement's own is written `}}`".into());
        }
        let Some(end) = self.rest.find('}') else {
            return Err("a `{` is not closed: a brace of the statement's own is written `{{`".into());
        };
        let content = self.rest[1..end].trim();
        if let Some(quoted) = &self.quoted {
            return Err(format!(
                "`{{{content}}}` stands in {}, where no value can be bound: take it out of there, or write `{{{{` for a brace",
                quoted.name()
            ));
        }
        if content.is_empty() {
            return Err("`{}` names no value: write `{name}`, or `{{}}` for two braces".into());
        }
        self.rest = &self.rest[end + 1..];
        if let Some(list) = content.strip_prefix("..") {
            return self.list(list.trim());
        }
        let (said, name) = match content.strip_prefix('#') {
            Some(name) => (Said::Name, name.trim()),
            None => (Said::Value, content),
        };
        self.part(said, name);
        Ok(())
    }

    fn part(&mut self, said: Said, name: &str) {
        self.pieces.push(Piece::Text(std::mem::take(&mut self.text)));
        self.pieces.push(Piece::Part(said, name.to_owned()));
    }

    /// A list: the `IN` before it goes, and with it the parentheses around it, where there are.
    fn list(&mut self, name: &str) -> Result<(), String> {
        let misplaced = || format!("`{{..{name}}}` stands after `IN` or `NOT IN`, and not elsewhere");
        let before = self.text.trim_end();
        let opened = before.strip_suffix('(');
        let before = opened.unwrap_or(before);
        if opened.is_some() {
            let Some(rest) = self.rest.trim_start().strip_prefix(')') else {
                return Err(format!("`{{..{name}}}` is the whole list: nothing else stands in its parentheses"));
            };
            self.rest = rest;
        }
        let before = without_word(before, "IN").ok_or_else(misplaced)?;
        let negated = without_word(before, "NOT");
        let kept = negated.unwrap_or(before).trim_end().len();
        let negated = negated.is_some();
        self.text.truncate(kept);
        self.part(Said::List { negated }, name);
        Ok(())
    }
}

/// The text before a word at its end.
fn without_word<'t>(text: &'t str, word: &str) -> Option<&'t str> {
    let text = text.trim_end();
    let start = text.len().checked_sub(word.len())?;
    let (before, last) = (text.get(..start)?, text.get(start..)?);
    (last.eq_ignore_ascii_case(word) && !before.chars().next_back().is_some_and(is_word)).then_some(before)
}

fn is_word(char: char) -> bool {
    char.is_alphanumeric() || char == '_'
}

/// `$$` or `$tag$`, if the text begins with one.
fn dollar_tag(text: &str) -> Option<&str> {
    let end = 1 + text[1..].find('$')?;
    let name = &text[1..end];
    let is_tag = name.chars().all(is_word) && !name.starts_with(|c: char| c.is_ascii_digit());
    is_tag.then(|| &text[..=end])
}

#[cfg(test)]
mod tests {
    use super::*;

    fn text(text: &str) -> Piece {
        Piece::Text(text.to_owned())
    }

    fn part(said: Said, name: &str) -> Piece {
        Piece::Part(said, name.to_owned())
    }

    #[test]
    fn braces_are_values_and_doubled_braces_are_braces() {
        assert_eq!(
            pieces("SELECT '{{\"a\": 1}}', { user.id }::int").as_deref(),
            Ok(&[text("SELECT '{\"a\": 1}', "), part(Said::Value, "user.id"), text("::int")][..])
        );
        assert_eq!(pieces("").as_deref(), Ok(&[][..]));
    }

    #[test]
    fn a_list_takes_its_in_along() {
        let found = |said| Ok(vec![text("x"), part(said, "ids"), text(" AND y")]);
        assert_eq!(pieces("x IN {..ids} AND y"), found(Said::List { negated: false }));
        assert_eq!(pieces("x in ( {.. ids} ) AND y"), found(Said::List { negated: false }));
        assert_eq!(pieces("x NOT\n  IN {..ids} AND y"), found(Said::List { negated: true }));
        let elsewhere = Err("`{..ids}` stands after `IN` or `NOT IN`, and not elsewhere".to_owned());
        assert_eq!(pieces("x = {..ids}"), elsewhere);
        assert_eq!(pieces("x JOIN {..ids}"), elsewhere);
        assert!(pieces("x IN ({..ids}, 1)").expect_err("two items").contains("the whole list"));
        assert!(pieces("x IN (1, {..ids})").is_err());
    }

    #[test]
    fn a_value_in_quotes_is_refused() {
        for (sql, place) in [
            ("SELECT '{id}'", "a quoted text"),
            ("SELECT 'it''s {id}'", "a quoted text"),
            ("SELECT E'\\'{id}'", "a quoted text"),
            ("SELECT $do$ '{id} $do$", "a quoted text"),
            ("SELECT \"{id}\"", "a quoted name"),
            ("SELECT 1 -- don't {id}", "a comment"),
            ("SELECT /* /* */ {id} */ 1", "a comment"),
        ] {
            let why = pieces(sql).expect_err(sql);
            assert!(why.starts_with(&format!("`{{id}}` stands in {place}")), "{sql}: {why}");
        }
    }

    #[test]
    fn what_ends_a_quote_is_seen() {
        for sql in [
            "SELECT 'it''s' || {id}",
            "SELECT 'a\\', {id}",
            "SELECT E'\\\\', {id}",
            "-- don't\nSELECT {id}",
            "SELECT /* it's */ {id}",
            "SELECT $$ it's $$, {id}",
            "SELECT $1, $2, {id}",
            "SELECT a$b, c$d, {id}",
            "SELECT \"it's\", {id}",
        ] {
            let found = pieces(sql).expect(sql);
            assert!(found.contains(&part(Said::Value, "id")), "{sql}: {found:?}");
        }
    }

    #[test]
    fn braces_that_name_nothing_are_refused() {
        assert!(pieces("SELECT {}").is_err());
        assert!(pieces("SELECT {id").is_err());
        assert!(pieces("SELECT id}").is_err());
    }
}
