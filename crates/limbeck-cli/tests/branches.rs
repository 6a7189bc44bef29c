//! Two people add a revision each: heads, merges, branches that stay apart, and moving one behind the other.

use std::path::{Path, PathBuf};
use std::process::Command;

use limbeck_test_support::TempFolder;

/// A project without models, and its database.
struct Project {
    folder: TempFolder,
}

impl Project {
    fn new() -> Project {
        let project = Project { folder: TempFolder::new() };
        std::fs::create_dir(project.path().join("migrations")).expect("a folder");
        std::fs::write(project.path().join("limbeck.toml"), "databases = [\"sqlite\"]\n").expect("a file");
        std::fs::write(project.lock(), "").expect("a file");
        project
    }

    fn path(&self) -> &Path {
        self.folder.path()
    }

    fn lock(&self) -> PathBuf {
        self.path().join("migrations/limbeck.lock")
    }

    /// What `limbeck` says, on both of its outputs, and the code that it ends with.
    fn limbeck(&self, arguments: &[&str]) -> (i32, String) {
        let mut command = Command::new(env!("CARGO_BIN_EXE_limbeck"));
        command.args(arguments).current_dir(self.path()).env("DATABASE_URL", "sqlite://app.db");
        let output = command.env_remove("CARGO_MANIFEST_DIR").output().expect("limbeck runs");
        let said = [output.stdout, output.stderr].concat();
        (output.status.code().unwrap_or(-1), String::from_utf8_lossy(&said).into_owned())
    }

    fn ok(&self, arguments: &[&str]) -> String {
        let (code, said) = self.limbeck(arguments);
        assert_eq!(code, 0, "{arguments:?}\n{said}");
        said
    }

    fn fails(&self, arguments: &[&str], message: &str) {
        let (code, said) = self.limbeck(arguments);
        assert_eq!(code, 1, "{arguments:?}\n{said}");
        assert!(said.contains(message), "{arguments:?}\n{said}");
    }

    /// A revision with this id, that makes a table of the same name.
    fn revision(&self, id: &str, more: &[&str]) {
        let said = self.ok(&[&["revision", "-m", id, "--rev-id", id], more].concat());
        let file = said.split_whitespace().find(|word| word.ends_with(".sql")).expect("a file");
        let file = self.path().join(file);
        let text = std::fs::read_to_string(&file).expect("the file");
        let up = format!("-- limbeck: upgrade\nCREATE TABLE {id} (id INTEGER);\n");
        let text = text.replace("-- limbeck: upgrade\n", &up) + &format!("DROP TABLE {id};\n");
        std::fs::write(&file, text).expect("the file");
        self.ok(&["repair"]);
    }

    /// The ids of the revisions that a command has written of, in order.
    fn ids(&self, arguments: &[&str]) -> Vec<String> {
        let said = self.ok(arguments);
        let rest = |line: &'_ str| -> Option<String> {
            let rest = line.strip_prefix("applied ").or_else(|| line.strip_prefix("took back "))?;
            rest.split_whitespace().next().map(str::to_string)
        };
        said.lines().filter_map(rest).collect()
    }
}

#[test]
fn a_branch_that_was_not_applied_moves_behind_the_other() {
    let project = Project::new();
    project.revision("base1", &[]);
    project.revision("mine1", &[]);
    project.ok(&["upgrade", "head"]);
    project.fails(&["revision", "-m", "x", "--head", "base1"], "base1 is not a head: `--splice`");
    project.revision("yours1", &["--head", "base1", "--splice"]);
    project.revision("yours2", &["--head", "yours1"]);
    assert!(project.ok(&["heads"]).contains("yours2"));
    project.fails(&["upgrade", "head"], "2 heads, mine1 and yours2: `limbeck rebase` moves");
    project.fails(&["revision", "-m", "x"], "2 heads");
    project.fails(&["rebase", "mine1"], "the database has revision mine1 already");

    let said = project.ok(&["rebase"]);
    assert!(said.contains("yours1, yours2 behind mine1"), "{said}");
    assert!(project.ok(&["show", "yours1"]).contains("revises=mine1"));
    assert_eq!(project.ids(&["upgrade", "head"]), ["yours1", "yours2"]);
    project.fails(&["rebase"], "there is no second head");
}

/// What `git merge` leaves when both sides have added a line to the lock file.
#[test]
fn a_conflict_in_the_lock_file_is_settled_by_rebase_and_by_merge() {
    for command in ["rebase", "merge"] {
        let project = Project::new();
        project.revision("base1", &[]);
        project.revision("mine1", &[]);
        project.ok(&["upgrade", "head"]);
        project.revision("yours1", &["--head", "base1", "--splice"]);
        let lock = std::fs::read_to_string(project.lock()).expect("the lock file");
        let line = |id: &str| lock.lines().find(|line| line.starts_with(id)).expect("its line").to_string();
        let conflict =
            format!("{}\n<<<<<<< HEAD\n{}\n=======\n{}\n>>>>>>> yours\n", line("base1"), line("mine1"), line("yours1"));
        std::fs::write(project.lock(), conflict).expect("the lock file");
        project.fails(&["upgrade"], "limbeck.lock:2: two branches have added a revision each");
        let said = project.ok(&[command]);
        assert!(said.contains("git had left a conflict"), "{said}");
        assert_eq!(project.ids(&["upgrade", "head"])[0], "yours1");
        assert_eq!(project.ok(&["heads"]).lines().count(), 1);
    }
}

#[test]
fn branches_that_stay_apart_go_up_and_down_on_their_own() {
    let project = Project::new();
    project.revision("core1", &["--branch-label", "core"]);
    project.revision("bill1", &["--head", "base", "--branch-label", "billing"]);
    project.revision("core2", &["--head", "core@head"]);
    project.revision("bill2", &["--head", "billing@head", "--depends-on", "core2"]);
    project.fails(&["revision", "-m", "x", "--head", "core@head", "--branch-label", "core"], "taken by revision core1");
    project.fails(&["revision", "-m", "x", "--head", "bilig@head"], "the labels are core, billing");
    assert_eq!(project.ids(&["upgrade", "core@+1"]), ["core1"]);
    assert_eq!(project.ids(&["upgrade", "billing@head"]), ["bill1", "core2", "bill2"]);
    assert_eq!(project.ids(&["downgrade", "core@base"]), ["bill2", "core2", "core1"]);
    assert_eq!(project.ids(&["upgrade", "heads"]).len(), 3);
    project.fails(&["downgrade"], "say the branch");
    let history = project.ok(&["history", "--range", "core:core@head"]);
    assert_eq!(history.lines().count(), 2, "{history}");
    assert!(history.contains("core1 [core] after base"), "{history}");

    let said = project.ok(&["merge", "-m", "One line again"]);
    assert!(said.contains("one_line_again"), "{said}");
    assert_eq!(project.ids(&["upgrade", "head"]).len(), 1);
    project.fails(&["merge"], "a merge joins two or more");
}

#[tokio::test]
async fn a_database_is_stamped_without_running_anything() {
    let project = Project::new();
    project.revision("aaaa1", &[]);
    project.revision("bbbb1", &[]);
    let said = project.ok(&["stamp", "aaaa1"]);
    assert!(said.contains("recorded aaaa1"), "{said}");
    assert_eq!(project.ids(&["upgrade"]), ["bbbb1"]);
    assert!(project.ok(&["stamp", "base"]).contains("forgot bbbb1"));
    assert!(project.ok(&["stamp", "base"]).contains("nothing to do"));
    project.fails(&["stamp", "--from-alembic"], "no table `alembic_version`");
    project.fails(&["stamp", "zzzz"], "there is no revision `zzzz`");

    let url = format!("sqlite://{}", project.path().join("alembic.db").display());
    let engine = limbeck::engine::Engine::builder(url).connect().await.expect("a database");
    let mut connection = engine.connect().await.expect("a connection");
    connection.execute_raw("CREATE TABLE alembic_version (version_num VARCHAR(32))").await.expect("a table");
    connection.execute_raw("INSERT INTO alembic_version VALUES ('91ab34')").await.expect("a row");
    drop(connection);
    engine.close().await;
    let said = project.ok(&["--url", "sqlite://alembic.db", "stamp", "--from-alembic"]);
    assert!(said.contains("Alembic was at 91ab34") && said.contains("recorded bbbb1"), "{said}");
}
