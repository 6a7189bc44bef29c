//! What the command says, and to whom: JSON, colour, exit codes, settings, and what it answers to mistakes. All of it
//! without models, so that nothing is compiled.

use std::path::Path;
use std::process::{Command, Output};

use limbeck_test_support::TempFolder;
use serde_json::Value;

/// A project without models: its revisions are written by hand.
struct Project {
    folder: TempFolder,
}

impl Project {
    fn new() -> Project {
        let project = Project { folder: TempFolder::new() };
        project.write("limbeck.toml", "databases = [\"sqlite\"]\n");
        project.write("migrations/limbeck.lock", "");
        project
    }

    /// One with two revisions; the second fails where a table `late` is.
    fn with_revisions() -> Project {
        let project = Project::new();
        for (message, up, down) in [
            ("Add users", "CREATE TABLE users (id INTEGER PRIMARY KEY);", "DROP TABLE users;"),
            ("Add late", "CREATE TABLE late (id INTEGER);", "DROP TABLE late;"),
        ] {
            let said = project.json(&["revision", "-m", message], 0);
            let file = said["result"]["files"][0].as_str().expect("a file").to_string();
            let text = project.read(&file);
            let text = text.replace("-- limbeck: upgrade\n", &format!("-- limbeck: upgrade\n{up}\n"));
            let (before, _) = text.split_once("-- limbeck: downgrade").expect("a downgrade");
            project.write(&file, &format!("{before}-- limbeck: downgrade\n{down}\n"));
        }
        project.json(&["repair"], 0);
        project
    }

    fn path(&self) -> &Path {
        self.folder.path()
    }

    fn write(&self, file: &str, text: &str) {
        let path = self.path().join(file);
        std::fs::create_dir_all(path.parent().expect("a folder")).expect("a folder");
        std::fs::write(path, text).expect("a file");
    }

    fn read(&self, file: &str) -> String {
        std::fs::read_to_string(self.path().join(file)).expect("a file")
    }

    fn run(&self, arguments: &[&str], environment: &[(&str, &str)]) -> Output {
        let mut command = Command::new(env!("CARGO_BIN_EXE_limbeck"));
        command.args(arguments).current_dir(self.path());
        for name in ["DATABASE_URL", "DATABASE_URL_SQLITE", "NO_COLOR", "CLICOLOR_FORCE", "CARGO_MANIFEST_DIR"] {
            command.env_remove(name);
        }
        command.envs(environment.iter().copied()).output().expect("limbeck runs")
    }

    /// Runs it on the project's database, with `--json`: what it told, when it ended with this code.
    fn json(&self, arguments: &[&str], code: i32) -> Value {
        let output = self.run(&[arguments, &["--json"]].concat(), &[("DATABASE_URL", "sqlite://app.db")]);
        let (out, err) = (text(&output.stdout), text(&output.stderr));
        assert_eq!(output.status.code(), Some(code), "{arguments:?}\n{out}{err}");
        let value: Value = serde_json::from_str(&out).unwrap_or_else(|error| panic!("{error}\n{out}"));
        assert_eq!(value["exit_code"], code);
        let members: Vec<&String> = value.as_object().expect("an object").keys().collect();
        assert_eq!(members, ["command", "error", "exit_code", "notes", "result"], "the shape is the same for all");
        value
    }
}

fn text(bytes: &[u8]) -> String {
    String::from_utf8_lossy(bytes).into_owned()
}

/// The members of a result, and of the first element of each list in it.
fn shape(value: &Value) -> String {
    match value {
        Value::Object(members) => {
            let members: Vec<String> =
                members.iter().map(|(name, value)| format!("{name}: {}", shape(value))).collect();
            format!("{{{}}}", members.join(", "))
        }
        Value::Array(all) => format!("[{}]", all.first().map(shape).unwrap_or_default()),
        Value::String(_) => "text".into(),
        Value::Number(_) => "number".into(),
        Value::Bool(_) => "yes or no".into(),
        Value::Null => "null".into(),
    }
}

#[test]
fn the_json_of_each_command_has_its_shape() {
    let project = Project::with_revisions();
    let revision = "{created: text, depends_on: [], files: [text], head: yes or no, id: text, labels: [], message: text, \
                    parents: [text]}";
    let done = "[{at: text, file: text, id: text, message: text}]";
    for (arguments, wanted) in [
        (&["history"][..], format!("{{revisions: [{revision}]}}")),
        (&["heads"], "{heads: [{id: text, message: text}]}".into()),
        (
            &["test"],
            "{databases: [{database: text, dialect: text, models: null, revisions: [{faults: [], file: text, id: text, \
             message: text}]}]}"
                .into(),
        ),
        (&["upgrade", "--sql"], "{dialect: text, revisions: [text], sql: text}".into()),
        (&["current"], "{database: text, revisions: []}".into()),
        (&["upgrade"], format!("{{applied: {done}, database: text}}")),
        (
            &["current"],
            "{database: text, revisions: [{applied_at: text, head: yes or no, id: text, known: yes or no, \
          message: text}]}"
                .into(),
        ),
        (&["downgrade", "base"], format!("{{database: text, reverted: {done}}}")),
        (&["repair"], "{files: [], revisions: []}".into()),
        (&["revision", "-m", "More"], "{files: [text], operations: []}".into()),
        (&["completions", "bash"], "{script: text}".into()),
    ] {
        let told = project.json(arguments, 0);
        assert_eq!(told["command"], arguments[0]);
        assert_eq!(told["error"], Value::Null);
        assert_eq!(shape(&told["result"]), wanted, "{arguments:?}");
    }
}

#[test]
fn an_error_is_json_too_and_tells_what_was_done_before_it() {
    let project = Project::with_revisions();
    project.json(&["upgrade", "+1"], 0);
    project.json(&["downgrade"], 0);
    let file =
        project.json(&["history"], 0)["result"]["revisions"][0]["files"][0].as_str().expect("a file").to_string();
    let path = format!("migrations/{file}");
    project.write(&path, &project.read(&path).replace("CREATE TABLE late", "CREATE TABLE users"));
    let told = project.json(&["upgrade"], 1);
    assert_eq!(told["error"]["kind"], "statement");
    assert_eq!(told["error"]["file"], file.as_str());
    let line = 1 + project.read(&path).lines().position(|line| line.starts_with("CREATE")).expect("the statement");
    assert_eq!(told["error"]["line"], line);
    assert_eq!(told["result"]["applied"][0]["message"], "Add users", "that one stays");
    assert!(told["notes"][0].as_str().is_some_and(|note| note.contains("was edited")), "{told}");

    let told = project.json(&["upgrade", "nothing"], 1);
    assert_eq!((told["error"]["kind"].as_str(), &told["error"]["file"]), (Some("revision"), &Value::Null));
}

#[test]
fn a_log_says_at_which_revision_a_run_is_and_standard_output_does_not() {
    let project = Project::with_revisions();
    let output = project.run(&["upgrade"], &[("DATABASE_URL", "sqlite://app.db")]);
    let (out, err) = (text(&output.stdout), text(&output.stderr));
    assert!(err.contains("[1/2] ") && err.contains("[2/2] ") && err.contains("Add late"), "{err}");
    assert!(!out.contains('[') && out.lines().count() == 2, "{out}");
    // One alone says enough when it is done.
    project.json(&["downgrade"], 0);
    let output = project.run(&["upgrade"], &[("DATABASE_URL", "sqlite://app.db")]);
    assert_eq!(text(&output.stderr), "");
}

#[test]
fn words_that_are_not_understood_are_an_error_and_not_a_difference() {
    let project = Project::new();
    let output = project.run(&["upgrad"], &[]);
    assert_eq!(output.status.code(), Some(1));
    assert!(text(&output.stderr).contains("'upgrade'"), "{}", text(&output.stderr));
    let told = project.json(&["upgrade", "--nonsense"], 1);
    assert_eq!((told["error"]["kind"].as_str(), &told["command"]), (Some("usage"), &Value::Null));
    for arguments in [&["--help"][..], &["--version"], &["help", "upgrade"], &["upgrade", "--help"]] {
        assert_eq!(project.run(arguments, &[]).status.code(), Some(0), "{arguments:?}");
    }
}

#[test]
fn colour_is_where_it_is_wanted() {
    let project = Project::with_revisions();
    let colored = |arguments: &[&str], environment: &[(&str, &str)]| {
        let output = project.run(arguments, environment);
        output.stdout.contains(&0x1b) || output.stderr.contains(&0x1b)
    };
    assert!(!colored(&["heads"], &[]), "no terminal");
    assert!(colored(&["heads", "--color", "always"], &[]));
    assert!(colored(&["heads"], &[("CLICOLOR_FORCE", "1")]));
    assert!(!colored(&["heads"], &[("CLICOLOR_FORCE", "1"), ("NO_COLOR", "1")]));
    assert!(!colored(&["heads", "--color=never"], &[("CLICOLOR_FORCE", "1")]));
    assert!(!colored(&["heads", "--color", "always", "--json"], &[]));
    // Before the words are understood, too.
    assert!(colored(&["nonsense", "--color=always"], &[]));
    assert!(!colored(&["nonsense"], &[]));
    assert!(colored(&["upgrade", "--help", "--color", "always"], &[]));
}

#[test]
fn the_command_line_wins_over_the_environment_over_env_over_the_files() {
    let project = Project::with_revisions();
    let database = |arguments: &[&str], environment: &[(&str, &str)]| {
        let output = project.run(&[arguments, &["current", "--json"]].concat(), environment);
        let told: Value = serde_json::from_slice(&output.stdout).expect("JSON");
        told["result"]["database"].as_str().unwrap_or_default().to_string()
    };
    project.write(
        "Cargo.toml",
        "[package]\nname = \"app\"\n\n[package.metadata.limbeck.urls]\nsqlite = \"sqlite://manifest.db\"\n",
    );
    assert_eq!(database(&[], &[]), "sqlite://manifest.db");
    project.write("limbeck.toml", "databases = [\"sqlite\"]\n\n[urls]\nsqlite = \"sqlite://own.db\"\n");
    assert_eq!(database(&[], &[]), "sqlite://own.db");
    project.write(".env", "DATABASE_URL=sqlite://env.db\n");
    assert_eq!(database(&[], &[]), "sqlite://env.db");
    assert_eq!(database(&[], &[("DATABASE_URL", "sqlite://variable.db")]), "sqlite://variable.db");
    let said = database(&["--url", "sqlite://said.db"], &[("DATABASE_URL", "sqlite://variable.db")]);
    assert_eq!(said, "sqlite://said.db");
}

#[test]
fn mistakes_are_answered_with_what_to_do() {
    let project = Project::new();
    let said = |arguments: &[&str], environment: &[(&str, &str)]| {
        let output = project.run(arguments, environment);
        assert_eq!(output.status.code(), Some(1), "{arguments:?}");
        assert!(output.stdout.is_empty(), "{}", text(&output.stdout));
        text(&output.stderr).trim_end().to_string()
    };
    assert_eq!(
        said(&["current"], &[]),
        "error: DATABASE_URL is not set: put it into the environment or into .env, or give `--url sqlite://app.db`"
    );
    let scheme = said(&["current", "--url", "mysql://localhost/app"], &[]);
    assert!(scheme.contains("limbeck knows `sqlite://` and `postgres://`"), "{scheme}");
    let no_url = said(&["current", "--url", "app.db"], &[]);
    assert!(no_url.contains("is not a database URL: expected"), "{no_url}");
    project.write(".env", "# ours\nDATABASE_URL='sqlite://x\n");
    assert_eq!(said(&["current"], &[]), "error: .env:2: expected NAME=value");
    project.write(".env", "");
    project.write("limbeck.toml", "migrations = \"migrations\"\ndatabase = []\n");
    let unknown = said(&["history"], &[]);
    assert_eq!(unknown, "error: limbeck.toml:2: `database` is not a setting: did you mean `databases`?");
    project.write("limbeck.toml", "databases = [\n");
    assert!(said(&["history"], &[]).starts_with("error: limbeck.toml:"), "{}", said(&["history"], &[]));
}
