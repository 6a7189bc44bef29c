//! The examples in the help of each command. A test parses every one of them.

/// A heading as clap prints its own.
macro_rules! examples {
    ($($line:literal)*) => {
        concat!("\x1b[1m\x1b[4mExamples:\x1b[0m", $("\n  ", $line,)*)
    };
}

pub(crate) const LIMBECK: &str = examples![
    "limbeck init                                  prepares a package"
    "limbeck revision --autogenerate -m \"Start\"    writes what the models have and the database lacks"
    "limbeck upgrade                               applies what is pending"
    "limbeck doctor                                looks for what is wrong"
];

pub(crate) const INIT: &str = examples![
    "limbeck init"
    "limbeck init --database sqlite --database postgres"
    "limbeck -p shop init --yes                    a package of a workspace, asking nothing"
];

pub(crate) const REVISION: &str = examples![
    "limbeck revision --autogenerate -m \"Add widgets\""
    "limbeck revision -m \"Fill in slugs\"           an empty one, to be written by hand"
    "limbeck revision --autogenerate -m \"No nicknames\" --drop users.nickname"
];

pub(crate) const UPGRADE: &str = examples![
    "limbeck upgrade                               to the newest revision"
    "limbeck upgrade +1                            the next one"
    "limbeck upgrade 3f2a                          up to the one whose id begins so"
    "limbeck --url postgres://localhost/app upgrade head"
];

pub(crate) const DOWNGRADE: &str = examples![
    "limbeck downgrade                             takes the last one back"
    "limbeck downgrade -2                          the last two"
    "limbeck downgrade 3f2a                        back to the one whose id begins so"
    "limbeck downgrade base                        all of them"
];

pub(crate) const CURRENT: &str = examples!["limbeck current" "limbeck current --json"];

pub(crate) const HISTORY: &str = examples!["limbeck history" "limbeck history --json"];

pub(crate) const HEADS: &str = examples!["limbeck heads" "limbeck heads --json"];

pub(crate) const CHECK: &str = examples![
    "limbeck check                                 for a build machine: exit code 2 stops it"
    "limbeck check --json"
];

pub(crate) const DIFF: &str = examples![
    "limbeck diff postgres://localhost/staging postgres://localhost/production"
    "limbeck diff sqlite://old.db sqlite://new.db --downgrade"
];

pub(crate) const REPAIR: &str = examples!["limbeck repair" "limbeck --url sqlite://app.db repair"];

pub(crate) const COMPLETIONS: &str = examples![
    "limbeck completions bash                      for ~/.local/share/bash-completion/completions/limbeck"
    "limbeck completions zsh                       for a file _limbeck in a folder of $fpath"
    "limbeck completions fish                      for ~/.config/fish/completions/limbeck.fish"
];

#[cfg(test)]
mod tests {
    use clap::{CommandFactory, Parser};

    use crate::args::Args;

    /// The words of an example, as a shell would split them.
    fn words(line: &str) -> Vec<String> {
        // Two spaces begin what is said about it.
        let line = line.trim().split("  ").next().unwrap_or_default();
        let mut words = Vec::new();
        for (i, part) in line.split('"').enumerate() {
            if i % 2 == 1 {
                words.push(part.to_string());
            } else {
                words.extend(part.split_whitespace().map(str::to_string));
            }
        }
        words
    }

    /// All commands with their path: `new model` as `["new", "model"]`.
    fn leaves(command: &clap::Command, path: &[String], found: &mut Vec<(Vec<String>, clap::Command)>) {
        for sub in command.get_subcommands().filter(|sub| sub.get_name() != "help") {
            let path = [path, &[sub.get_name().to_string()]].concat();
            if sub.has_subcommands() {
                leaves(sub, &path, found);
            } else {
                found.push((path, sub.clone()));
            }
        }
    }

    #[test]
    fn every_command_has_examples_that_it_understands() {
        let mut commands = Vec::new();
        leaves(&Args::command(), &[], &mut commands);
        assert!(commands.len() > 10, "{}", commands.len());
        for (path, command) in commands {
            let name = path.join(" ");
            let help = command.get_after_help().map(ToString::to_string).unwrap_or_default();
            let lines: Vec<&str> = help.lines().filter(|line| line.starts_with("  limbeck")).collect();
            assert!(!lines.is_empty(), "`limbeck {name}` has no example: {help}");
            for line in lines {
                assert!(line.contains(&name), "`{line}` is an example of `{name}`");
                Args::try_parse_from(words(line)).unwrap_or_else(|error| panic!("{line}\n{error}"));
            }
        }
    }

    #[test]
    fn the_command_is_consistent() {
        Args::command().debug_assert();
    }
}
