//! What has to be known of the words before they are understood: whether their mistakes are told in colour, or in
//! JSON.

use std::process::ExitCode;

use clap::{ColorChoice, ValueEnum};

use crate::output;

fn words() -> impl Iterator<Item = String> {
    std::env::args_os().skip(1).map(|word| word.to_string_lossy().into_owned()).take_while(|word| word != "--")
}

/// The `--color` that is said; auto where none or a wrong one is.
pub(crate) fn color() -> ColorChoice {
    let mut words = words();
    while let Some(word) = words.next() {
        let value = match word.strip_prefix("--color") {
            Some("") => words.next(),
            Some(rest) => rest.strip_prefix('=').map(str::to_string),
            None => None,
        };
        if let Some(color) = value.and_then(|value| ColorChoice::from_str(&value, true).ok()) {
            return color;
        }
    }
    ColorChoice::Auto
}

/// Shows the help that was asked for, or what is wrong with the words. That is 1 and not the 2 that is usual for it,
/// since 2 says that something is pending.
pub(crate) fn misunderstood(error: &clap::Error) -> ExitCode {
    if !error.use_stderr() {
        // A reader that has gone away is no error.
        let _ = error.print();
        return ExitCode::SUCCESS;
    }
    if words().any(|word| word == "--json") {
        output::misunderstood(&error.to_string());
    } else {
        let _ = error.print();
    }
    ExitCode::FAILURE
}
