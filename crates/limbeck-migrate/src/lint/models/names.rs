//! L001, L002: names of models and tables.

use limbeck::schema::naming;

use super::subject::{Findings, Subject};
use super::words::{is_for_many, last_word, singular};

/// L001
pub(super) fn model(subject: &Subject<'_>, out: &mut Findings<'_>) {
    let name = subject.model.name;
    let word = last_word(name);
    let Some(one) = singular(&word) else { return };
    // Which letters the name has in capitals is kept, for all but the end.
    let kept = name.len().checked_sub(word.len()).and_then(|at| name.get(..at).zip(name.get(at..)));
    let proposed = match kept {
        Some((before, end)) if end.eq_ignore_ascii_case(&word) && one.is_ascii() => {
            let mut letters = one.chars();
            let first = letters.next().map(|c| c.to_ascii_uppercase()).into_iter();
            format!("{before}{}", first.chain(letters).collect::<String>())
        }
        _ => one,
    };
    let message = format!("the model `{name}` has a plural name");
    out.add(subject.at_model(), message, format!("call it `{proposed}`: an object of it is one row"));
}

/// L002
pub(super) fn table(subject: &Subject<'_>, out: &mut Findings<'_>) {
    let table = subject.model.table;
    let word = last_word(table);
    // The derive's own names are plural by its rules.
    if is_for_many(&word) || table == naming::table(subject.model.name) {
        return;
    }
    let option = subject.model_options("table").first().copied();
    let place = subject.at_option(option, subject.at_model());
    let help = match table.strip_suffix(&word) {
        Some(before) => format!("call it `{before}{}`, and rename it in the next revision", naming::plural(&word)),
        None => format!("call it `{}`, and rename it in the next revision", naming::table(subject.model.name)),
    };
    out.add(place, format!("the table `{table}` has a singular name"), help);
}
