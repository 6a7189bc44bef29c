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
    "limbeck revision --autogenerate -m \"Full names\" --rename users.fullname=users.full_name"
    "limbeck revision --autogenerate -m \"No nicknames\" --drop users.nickname"
    "limbeck revision -m \"Billing\" --head base --branch-label billing"
];

pub(crate) const UPGRADE: &str = examples![
    "limbeck upgrade                               to the newest revision"
    "limbeck upgrade +1                            the next one"
    "limbeck upgrade heads                         to all heads of branches that stay apart"
    "limbeck upgrade 3f2a                          up to the one whose id begins so"
    "limbeck --url postgres://localhost/app upgrade head"
    "limbeck upgrade --sql 3f2a:head               the SQL, for somebody else to run"
];

pub(crate) const DOWNGRADE: &str = examples![
    "limbeck downgrade                             takes the last one back"
    "limbeck downgrade -2                          the last two"
    "limbeck downgrade 3f2a                        back to the one whose id begins so"
    "limbeck downgrade base                        all of them"
    "limbeck downgrade --sql head:3f2a             the SQL, for somebody else to run"
];

pub(crate) const CURRENT: &str = examples!["limbeck current" "limbeck current --json"];

pub(crate) const HISTORY: &str = examples![
    "limbeck history"
    "limbeck history --range current:head          what the database lacks"
    "limbeck history --json"
];

pub(crate) const SHOW: &str = examples![
    "limbeck show                                  the newest revision"
    "limbeck show head-1                           the one before it"
    "limbeck show 3f2a"
];

pub(crate) const MERGE: &str = examples![
    "limbeck merge                                 all heads"
    "limbeck merge 3f2a 91ab -m \"Widgets and gadgets\""
];

pub(crate) const REBASE: &str = examples![
    "limbeck rebase                                the head that the database does not have"
    "limbeck rebase 3f2a                           the branch that ends with this one"
    "limbeck rebase 3f2a --onto 91ab"
];

pub(crate) const STAMP: &str = examples![
    "limbeck stamp head                            a database that was made in another way is at head"
    "limbeck stamp --from-alembic                  the same, where Alembic made it"
    "limbeck stamp base --purge                    forgets all"
];

pub(crate) const HEADS: &str = examples!["limbeck heads" "limbeck heads --json"];

pub(crate) const CHECK: &str = examples![
    "limbeck check                                 for a build machine: exit code 2 stops it"
    "limbeck check --json"
];

pub(crate) const TEST: &str = examples![
    "limbeck test                                  all revisions, on each database of the project"
    "limbeck test --from 3f2a                      this one and those that need it"
    "limbeck test --scratch postgres://localhost/empty"
];

pub(crate) const DIFF: &str = examples![
    "limbeck diff postgres://localhost/staging postgres://localhost/production"
    "limbeck diff sqlite://old.db sqlite://new.db --downgrade"
];

pub(crate) const LINT: &str = examples![
    "limbeck lint                                  exit code 3 when something is found"
    "limbeck lint --fix --dry-run                  what can be mended, as a diff"
    "limbeck lint --queries echo.log               also what statements filter by without an index"
    "limbeck lint --select L003,L014               two rules and no other"
    "limbeck lint --explain L014                   what it wants, why, and an example"
];

pub(crate) const REPAIR: &str = examples!["limbeck repair" "limbeck --url sqlite://app.db repair"];

pub(crate) const DIAGRAM: &str = examples![
    "limbeck diagram                               Mermaid, on standard output"
    "limbeck diagram -o docs/tables.svg"
    "limbeck diagram --around orders --depth 2 --columns keys -o orders.svg"
    "limbeck diagram --url postgres://localhost/app --schema sales,stock -o app.dot"
];

pub(crate) const DOCTOR: &str = examples![
    "limbeck doctor"
    "limbeck doctor --instances 4                  four programs, each with a pool"
    "limbeck --url postgres://localhost/app doctor --without-models"
];

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

    /// The page with the help of each command behind its mark, as it is now.
    fn with_help(page: &str) -> String {
        let mut commands = Vec::new();
        let mut all = Args::command();
        all.build();
        leaves(&all, &[], &mut commands);
        let mut help: std::collections::BTreeMap<String, String> = commands
            .into_iter()
            .map(|(path, command)| {
                let name = path.join(" ");
                let global = ["package", "url", "verbose", "json", "color", "help"];
                let command = command.mut_args(|arg| {
                    let hidden = global.contains(&arg.get_id().as_str());
                    arg.hide(hidden)
                });
                let mut command = command.bin_name(format!("limbeck {name}")).after_help("");
                let help = command.render_help().to_string();
                let lines: Vec<&str> = help.trim().lines().map(str::trim_end).collect();
                (name, format!("```text\n{}\n```\n", lines.join("\n")))
            })
            .collect();
        let mut out = String::new();
        let mut lines = page.lines().peekable();
        while let Some(line) = lines.next() {
            out.push_str(line);
            out.push('\n');
            let Some(name) = line.strip_prefix("<!-- help: ").and_then(|line| line.strip_suffix(" -->")) else {
                continue;
            };
            let text =
                help.remove(name).unwrap_or_else(|| panic!("the page has the help of `{name}` twice, or it is gone"));
            out.push_str(&text);
            if lines.next_if(|line| *line == "```text").is_some() {
                while lines.next_if(|line| *line != "```").is_some() {}
                lines.next();
            }
        }
        assert!(help.is_empty(), "docs/src/cli.md says nothing of {:?}: it needs a mark", help.keys());
        out
    }

    /// With UPDATE_CLI_PAGE=1, it writes the page anew.
    #[cfg(feature = "new")]
    #[test]
    fn the_page_of_the_book_has_the_help_of_each_command() {
        let file = concat!(env!("CARGO_MANIFEST_DIR"), "/../../docs/src/cli.md");
        let page = std::fs::read_to_string(file).expect("the page");
        let now = with_help(&page);
        if std::env::var_os("UPDATE_CLI_PAGE").is_some() {
            std::fs::write(file, &now).expect("the page can be written");
        }
        assert!(page == now, "docs/src/cli.md is behind: UPDATE_CLI_PAGE=1 cargo nextest run -p limbeck-cli the_page");
    }

    #[test]
    fn the_command_is_consistent() {
        Args::command().debug_assert();
    }
}
