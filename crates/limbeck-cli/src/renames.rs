//! Asks what became of what the models lack: it has another name, or it goes.

use std::io::{BufRead, IsTerminal, Write};

use limbeck_migrate::autogenerate::Question;
use limbeck_migrate::{Error, Rename};

use crate::output::is_json;

/// What a person said of tables and columns that would go.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Answers {
    /// These have other names now.
    pub(crate) renames: Vec<Rename>,
    /// These may go.
    pub(crate) drops: Vec<String>,
}

/// Asks, and adds what was answered; `false` where there is nobody to answer.
///
/// A table that has another name may have columns that have other names too: then there is more to ask.
pub(crate) fn ask(questions: &[Question], answers: &mut Answers) -> Result<bool, Error> {
    if is_json() || !std::io::stdin().is_terminal() || !std::io::stderr().is_terminal() {
        return Ok(false);
    }
    ask_on(questions, answers, &mut std::io::stdin().lock(), &mut std::io::stderr())?;
    Ok(true)
}

fn ask_on(
    questions: &[Question],
    answers: &mut Answers,
    input: &mut impl BufRead,
    output: &mut impl Write,
) -> Result<(), Error> {
    let mut taken: Vec<&str> = Vec::new();
    for Question { gone, is_table, candidates } in questions {
        let what = if *is_table { "table" } else { "column" };
        let left: Vec<&(String, &str)> =
            candidates.iter().filter(|(name, _)| !taken.contains(&name.as_str())).collect();
        let _ = writeln!(output, "No model has the {what} {gone} any more. What became of it?");
        for (number, (name, how)) in (1..).zip(&left) {
            let _ = writeln!(output, "  {number}  it is called {name} now ({how})");
        }
        let _ = writeln!(output, "  d  it goes, with its data");
        let _ = writeln!(output, "  a  nothing of this: write no revision");
        let to = choice(left.len(), input, output)?.and_then(|number| left.get(number));
        match to {
            Some((name, _)) => {
                taken.push(name);
                answers.renames.push(Rename { from: gone.clone(), to: name.clone() });
            }
            None => answers.drops.push(gone.clone()),
        }
    }
    Ok(())
}

/// The number of a candidate, counted from 0; `None` where it goes.
fn choice(count: usize, input: &mut impl BufRead, output: &mut impl Write) -> Result<Option<usize>, Error> {
    loop {
        let _ = write!(output, "> ");
        let _ = output.flush();
        let mut answer = String::new();
        let read = input.read_line(&mut answer).map_err(|error| Error::io("standard input", error))?;
        match answer.trim().to_lowercase().as_str() {
            _ if read == 0 => return Err(Error::NeedsPerson("nothing was answered, and nothing written".into())),
            "a" => return Err(Error::NeedsPerson("nothing was written".into())),
            "d" => return Ok(None),
            number => match number.parse::<usize>() {
                Ok(number) if (1..=count).contains(&number) => return Ok(Some(number - 1)),
                _ => {
                    let numbers = if count == 0 { String::new() } else { format!("a number up to {count}, ") };
                    let _ = writeln!(output, "{numbers}d or a");
                }
            },
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn asked(answers: &str) -> (Result<Answers, Error>, String) {
        let questions = [
            Question {
                gone: "users.fullname".into(),
                is_table: false,
                candidates: vec![("users.full_name".into(), "the same type"), ("users.age".into(), "another type")],
            },
            Question {
                gone: "users.years".into(),
                is_table: false,
                candidates: vec![("users.full_name".into(), "another type"), ("users.age".into(), "the same type")],
            },
            Question { gone: "widgets".into(), is_table: true, candidates: vec![] },
        ];
        let (mut said, mut output) = (Answers::default(), Vec::new());
        let outcome = ask_on(&questions, &mut said, &mut answers.as_bytes(), &mut output);
        (outcome.map(|()| said), String::from_utf8(output).unwrap())
    }

    #[test]
    fn a_number_is_a_rename_and_d_a_loss() {
        let (said, output) = asked("1\n1\nd\n");
        let said = said.unwrap();
        let renames: Vec<String> = said.renames.iter().map(ToString::to_string).collect();
        // What the first took is not offered to the second.
        assert_eq!(renames, ["users.fullname=users.full_name", "users.years=users.age"]);
        assert_eq!(said.drops, ["widgets"]);
        assert!(output.contains("  1  it is called users.full_name now (the same type)\n"), "{output}");
        assert!(output.contains("No model has the table widgets any more."), "{output}");
    }

    #[test]
    fn what_is_no_answer_is_asked_again_and_the_end_writes_nothing() {
        let (said, output) = asked("yes\n3\nd\nd\nd\n");
        assert_eq!(said.unwrap().drops, ["users.fullname", "users.years", "widgets"]);
        assert!(output.contains("a number up to 2, d or a"), "{output}");
        for text in ["a\n", "1\nA\n", "", "1\n"] {
            assert_eq!(asked(text).0.unwrap_err().exit_code(), 5, "{text:?}");
        }
    }
}
