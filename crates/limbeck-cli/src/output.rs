//! What is shown, and how.

use std::io::{IsTerminal, Write};

/// Colour only where a person looks.
fn paint(terminal: bool, code: &str, text: &str) -> String {
    let wanted = terminal && std::env::var_os("NO_COLOR").is_none_or(|v| v.is_empty());
    if wanted { format!("\x1b[{code}m{text}\x1b[0m") } else { text.to_string() }
}

pub(crate) fn green(text: &str) -> String {
    paint(std::io::stdout().is_terminal(), "32", text)
}

pub(crate) fn yellow(text: &str) -> String {
    paint(std::io::stdout().is_terminal(), "33", text)
}

pub(crate) fn bold(text: &str) -> String {
    paint(std::io::stdout().is_terminal(), "1", text)
}

/// A line on standard output. A reader that has gone away (`limbeck history | head`) is no error.
pub(crate) fn line(text: &str) {
    let _ = writeln!(std::io::stdout(), "{text}");
}

pub(crate) fn error(text: &str) {
    let label = paint(std::io::stderr().is_terminal(), "1;31", "error:");
    let _ = writeln!(std::io::stderr(), "{label} {text}");
}

pub(crate) fn note(text: &str) {
    let label = paint(std::io::stderr().is_terminal(), "1;33", "note:");
    let _ = writeln!(std::io::stderr(), "{label} {text}");
}

/// Asks a question; `None` where nobody can answer.
pub(crate) fn ask(question: &str) -> Option<bool> {
    if !std::io::stdin().is_terminal() {
        return None;
    }
    let _ = write!(std::io::stderr(), "{question} [y/N] ");
    let _ = std::io::stderr().flush();
    let mut answer = String::new();
    std::io::stdin().read_line(&mut answer).ok()?;
    Some(matches!(answer.trim().to_lowercase().as_str(), "y" | "yes"))
}
