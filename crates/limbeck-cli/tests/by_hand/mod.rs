//! Projects whose revisions are written by hand, and that have no models.

// Each test program uses a part of it.
#![allow(dead_code)]

use std::path::Path;
use std::process::{Command, Output, Stdio};

use limbeck_test_support::TempFolder;
use serde_json::Value;

pub(crate) struct Project {
    pub(crate) folder: TempFolder,
    pub(crate) url: String,
}

/// A revision: id, header beside the id, upgrade and downgrade.
pub(crate) struct Written<'a> {
    pub(crate) id: &'a str,
    pub(crate) header: &'a str,
    pub(crate) up: &'a str,
    pub(crate) down: Option<&'a str>,
}

impl Project {
    /// Revisions of which each follows the one before.
    pub(crate) fn line(url: &str, revisions: &[(&str, &str, Option<&str>)]) -> Project {
        let mut parent = "";
        let mut written = Vec::new();
        let headers: Vec<String> =
            revisions.iter().map(|(id, ..)| format!("revises={}", std::mem::replace(&mut parent, id))).collect();
        for ((id, up, down), header) in revisions.iter().zip(&headers) {
            written.push(Written { id, header, up, down: *down });
        }
        Project::new(url, &written)
    }

    pub(crate) fn new(url: &str, revisions: &[Written<'_>]) -> Project {
        let project = Project { folder: TempFolder::new(), url: url.to_string() };
        let migrations = project.path().join("migrations");
        std::fs::create_dir(&migrations).expect("a folder");
        std::fs::write(project.path().join("limbeck.toml"), "").expect("a file");
        std::fs::write(migrations.join("limbeck.lock"), "").expect("a file");
        for Written { id, header, up, down } in revisions {
            let down = down.map(|down| format!("\n-- limbeck: downgrade\n{down}\n")).unwrap_or_default();
            let text = format!("-- {id}\n-- limbeck: revision={id} {header}\n\n-- limbeck: upgrade\n{up}\n{down}");
            std::fs::write(migrations.join(format!("{id}.sql")), text).expect("a file");
        }
        project.limbeck(&["repair"], 0);
        project
    }

    pub(crate) fn path(&self) -> &Path {
        self.folder.path()
    }

    pub(crate) fn command(&self, arguments: &[&str]) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_limbeck"));
        command.args(arguments).current_dir(self.path()).env("DATABASE_URL", &self.url);
        command.env_remove("CARGO_MANIFEST_DIR").stdout(Stdio::piped()).stderr(Stdio::piped());
        command
    }

    pub(crate) fn output(&self, arguments: &[&str]) -> Output {
        self.command(arguments).output().expect("limbeck runs")
    }

    /// What it says, when it ends with this code.
    pub(crate) fn limbeck(&self, arguments: &[&str], code: i32) -> String {
        let output = self.output(arguments);
        let status = output.status.code();
        let said = String::from_utf8_lossy(&[output.stdout, output.stderr].concat()).into_owned();
        assert_eq!(status, Some(code), "{arguments:?}\n{said}");
        said
    }

    /// What it tells a program, when it ends with this code.
    pub(crate) fn told(&self, arguments: &[&str], code: i32) -> Value {
        let output = self.output(&[arguments, &["--json"]].concat());
        let said = String::from_utf8_lossy(&output.stdout).into_owned();
        assert_eq!(output.status.code(), Some(code), "{arguments:?}\n{said}");
        serde_json::from_str(&said).expect("one JSON object")
    }
}
