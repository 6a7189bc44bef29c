//! What is shown, and how: words for a person, or with `--json` one object for a program.
//!
//! Commands say both, [`line`] and [`note`] for a person and [`result`] for a program; which of them is seen is
//! decided here. That is state of the process, as its standard output is. Colour is written always and taken out
//! by `anstream` where nobody would see it: `--color`, `NO_COLOR`, `CLICOLOR_FORCE`, or no terminal.

use std::io::{IsTerminal, Write};
use std::sync::{LazyLock, Mutex, MutexGuard, PoisonError};

use anstyle::{AnsiColor, Style};
use clap::ColorChoice;
use limbeck_migrate::Error;
use serde_json::{Map, Value, json};

/// What a program is told at the end.
#[derive(Default)]
struct Report {
    json: bool,
    /// The project's own binary has told it.
    told: bool,
    result: Map<String, Value>,
    notes: Vec<String>,
}

static REPORT: LazyLock<Mutex<Report>> = LazyLock::new(Mutex::default);

fn report() -> MutexGuard<'static, Report> {
    REPORT.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Decides for whom the output is, before anything is shown.
pub(crate) fn prepare(json: bool, color: ColorChoice) {
    report().json = json;
    color_by(color);
}

/// Decides about colour.
pub(crate) fn color_by(color: ColorChoice) {
    match color {
        ColorChoice::Auto => anstream::ColorChoice::Auto,
        ColorChoice::Always => anstream::ColorChoice::Always,
        ColorChoice::Never => anstream::ColorChoice::Never,
    }
    .write_global();
}

/// `1 model`, `2 models`
pub(crate) fn counted(count: usize, what: &str) -> String {
    format!("{count} {what}{}", if count == 1 { "" } else { "s" })
}

/// Whether a program reads.
pub(crate) fn is_json() -> bool {
    report().json
}

fn paint(style: Style, text: &str) -> String {
    format!("{style}{text}{style:#}")
}

pub(crate) fn green(text: &str) -> String {
    paint(AnsiColor::Green.on_default(), text)
}

pub(crate) fn yellow(text: &str) -> String {
    paint(AnsiColor::Yellow.on_default(), text)
}

pub(crate) fn red(text: &str) -> String {
    paint(AnsiColor::Red.on_default(), text)
}

pub(crate) fn bold(text: &str) -> String {
    paint(Style::new().bold(), text)
}

/// A line for a person, on standard output. A reader that has gone away (`limbeck history | head`) is no error.
pub(crate) fn line(text: &str) {
    if !is_json() {
        let _ = writeln!(anstream::stdout(), "{text}");
    }
}

/// A line on standard output, of which nothing is taken for colour: SQL, or a file.
pub(crate) fn plain(text: &str) {
    if !is_json() {
        let _ = writeln!(std::io::stdout(), "{text}");
    }
}

/// A line for a person beside the output, on standard error.
pub(crate) fn beside(text: &str) {
    if !is_json() {
        let _ = writeln!(anstream::stderr(), "{text}");
    }
}

/// What a person should know, on standard error; in JSON it is among the notes.
pub(crate) fn note(text: &str) {
    let mut report = report();
    if report.json {
        report.notes.push(text.to_string());
    } else {
        let _ = writeln!(anstream::stderr(), "{} {text}", paint(AnsiColor::Yellow.on_default().bold(), "note:"));
    }
}

/// A member of the result that a program gets. Said again, it replaces what was said before: a command that may fail
/// in the middle tells what it has done as it does it.
pub(crate) fn result(name: &str, value: Value) {
    report().result.insert(name.to_string(), value);
}

/// One more of a list in the result.
pub(crate) fn more(name: &str, value: Value) {
    if let Some(Value::Array(list)) = report().result.get_mut(name) {
        list.push(value);
    }
}

/// All members of the result at once.
pub(crate) fn results(value: Value) {
    if let Value::Object(members) = value {
        report().result.extend(members);
    }
}

/// The project's own binary has run with the same words, and told the result itself.
pub(crate) fn told_already() {
    report().told = true;
}

/// The end of a command: its exit code, and the error that it ended with.
pub(crate) fn finish(command: &str, outcome: Result<u8, Error>) -> u8 {
    let code = outcome.as_ref().map_or_else(Error::exit_code, |code| *code);
    let mut report = report();
    if report.json && !report.told {
        let object = json!({
            "command": command,
            "exit_code": code,
            "result": std::mem::take(&mut report.result),
            "notes": std::mem::take(&mut report.notes),
            "error": outcome.err().map(|error| described(&error)),
        });
        let _ = writeln!(std::io::stdout(), "{object:#}");
    } else if let Err(error) = outcome {
        write_error(&error.to_string());
    }
    code
}

/// Words that cannot be understood, told as [`finish`] tells an error.
pub(crate) fn misunderstood(message: &str) {
    let error = json!({ "kind": "usage", "message": message.trim_end(), "file": null, "line": null });
    let object = json!({ "command": null, "exit_code": 1, "result": {}, "notes": [], "error": error });
    let _ = writeln!(std::io::stdout(), "{object:#}");
}

fn write_error(text: &str) {
    let _ = writeln!(anstream::stderr(), "{} {text}", paint(AnsiColor::Red.on_default().bold(), "error:"));
}

fn described(error: &Error) -> Value {
    let (file, line) = error.place().map_or((None, None), |(file, line)| (Some(file), line));
    let mut object = json!({ "kind": error.kind(), "message": error.to_string(), "file": file, "line": line });
    if let Error::NotAtHead { missing } = error {
        object["pending"] = missing.iter().map(|(id, message)| json!({ "id": id, "message": message })).collect();
    }
    object
}

/// Asks a question; `None` where nobody can answer.
pub(crate) fn ask(question: &str) -> Option<bool> {
    if !std::io::stdin().is_terminal() || is_json() {
        return None;
    }
    let _ = write!(std::io::stderr(), "{question} [y/N] ");
    let _ = std::io::stderr().flush();
    let mut answer = String::new();
    std::io::stdin().read_line(&mut answer).ok()?;
    Some(matches!(answer.trim().to_lowercase().as_str(), "y" | "yes"))
}
