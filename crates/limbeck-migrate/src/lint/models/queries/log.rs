//! Statements in logs.

/// What a statement begins with.
const BEGINNINGS: &[&str] = &["SELECT", "UPDATE", "DELETE", "WITH", "INSERT"];

/// The statement of a line, without the parameters behind it.
pub(super) fn statement(line: &str) -> Option<String> {
    let line = without_colours(line);
    for field in ["\"sql\":\"", "\"sql\": \"", "sql=\""] {
        if let Some(at) = line.find(field) {
            return quoted(&line[at + field.len()..]);
        }
    }
    let (before, sql) = beginning(&line)?;
    if before.ends_with(" rows  ") {
        // The line of `echo`: between the words of a statement is one space, before its parameters are two.
        return Some(sql.split("  ").next().unwrap_or(sql).to_string());
    }
    // A plain statement, or one behind the label that PostgreSQL's log has.
    (before.trim().is_empty() || before.ends_with(": ")).then(|| sql.trim_end().to_string())
}

fn beginning(line: &str) -> Option<(&str, &str)> {
    let starts = line.char_indices().filter(|&(at, c)| {
        c.is_ascii_alphabetic() && line[..at].chars().next_back().is_none_or(|before| !before.is_alphanumeric())
    });
    let is = |at: usize, word: &str| {
        let end = at + word.len();
        line.get(at..end).is_some_and(|text| text.eq_ignore_ascii_case(word))
            && line[end..].chars().next().is_none_or(|c| !c.is_alphanumeric() && c != '_')
    };
    let mut places = starts.map(|(at, _)| at);
    places.find(|&at| BEGINNINGS.iter().any(|word| is(at, word))).map(|at| line.split_at(at))
}

/// What stands before the closing quote, without the escapes of JSON and of Rust.
fn quoted(text: &str) -> Option<String> {
    let mut out = String::new();
    let mut letters = text.chars();
    loop {
        match letters.next()? {
            '"' => return Some(out),
            '\\' => match letters.next()? {
                'n' | 'r' | 't' => out.push(' '),
                'u' => {
                    let rest = letters.as_str();
                    let (digits, length) = match rest.strip_prefix('{') {
                        Some(braced) => (braced.split('}').next()?, braced.find('}')? + 2),
                        None => (rest.get(..4)?, 4),
                    };
                    out.push(u32::from_str_radix(digits, 16).ok().and_then(char::from_u32).unwrap_or(' '));
                    letters = rest.get(length..)?.chars();
                }
                other => out.push(other),
            },
            letter => out.push(letter),
        }
    }
}

/// The line without the codes by which terminals colour text.
fn without_colours(line: &str) -> String {
    let mut out = String::with_capacity(line.len());
    let mut rest = line;
    while let Some(at) = rest.find("\u{1b}[") {
        out.push_str(&rest[..at]);
        let behind = &rest[at + 2..];
        let end = behind.find(|c: char| c.is_ascii_alphabetic()).map_or(behind.len(), |end| end + 1);
        rest = &behind[end..];
    }
    out.push_str(rest);
    out
}

#[cfg(test)]
mod tests {
    use super::statement;

    #[test]
    fn statements_are_found_in_every_kind_of_log() {
        let sql = "SELECT a FROM t WHERE b = 'x'";
        for line in [
            "   0.042 ms      1 rows  SELECT a FROM t WHERE b = 'x'  [1, \"SELECT\"]",
            "   0.042 ms      0 rows  SELECT a FROM t WHERE b = 'x'  FAILED: no such table: t",
            "SELECT a FROM t WHERE b = 'x'",
            "2026-11-22T10:00:00Z DEBUG limbeck::sql: sql=\"SELECT a FROM t WHERE b = 'x'\" parameters=\"[1]\" rows=1",
            "\u{1b}[2m2026\u{1b}[0m \u{1b}[3msql\u{1b}[0m\u{1b}[2m=\u{1b}[0m\"SELECT a FROM t WHERE b = 'x'\" rows=1",
            r#"{"level":"DEBUG","fields":{"sql":"SELECT a\nFROM t WHERE b = \u0027x\u0027","rows":1}}"#,
            "2026-11-22 10:00:00 UTC [7] LOG:  execute <unnamed>: SELECT a FROM t WHERE b = 'x'",
        ] {
            assert_eq!(statement(line).as_deref(), Some(sql), "{line}");
        }
        assert_eq!(statement("sql=\"SELECT \\\"a\\\" FROM t\"").as_deref(), Some("SELECT \"a\" FROM t"));
        for line in
            ["", "-- the update of rows", "listening on 0.0.0.0", "BEGIN", "   0.1 ms   0 rows  COMMIT", "sql=\"SEL"]
        {
            assert_eq!(statement(line), None, "{line}");
        }
    }
}
