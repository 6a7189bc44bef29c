//! What was found.

use serde_json::{Value, json};

use crate::output::{green, line, red, yellow};

#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Level {
    Ok,
    Warn,
    Fail,
}

impl Level {
    fn name(self) -> &'static str {
        match self {
            Level::Ok => "ok",
            Level::Warn => "warn",
            Level::Fail => "fail",
        }
    }
}

/// One thing that was looked at.
#[derive(Debug)]
struct Finding {
    /// The database that it is about, if it is about one.
    database: Option<String>,
    /// What was looked at, in a word.
    check: &'static str,
    level: Level,
    message: String,
    /// What to do; empty where there is nothing.
    advice: String,
}

/// All that was found.
#[derive(Debug, Default)]
pub(super) struct Report {
    findings: Vec<Finding>,
    database: Option<String>,
    behind: bool,
}

impl Report {
    /// What follows is about this database.
    pub(super) fn about(&mut self, database: &str) {
        self.database = Some(database.to_string());
    }

    fn add(&mut self, check: &'static str, level: Level, message: String, advice: String) {
        self.findings.push(Finding { database: self.database.clone(), check, level, message, advice });
    }

    pub(super) fn ok(&mut self, check: &'static str, message: impl Into<String>) {
        self.add(check, Level::Ok, message.into(), String::new());
    }

    /// Nothing is wrong, but there is something to know.
    pub(super) fn ok_but(&mut self, check: &'static str, message: impl Into<String>, advice: impl Into<String>) {
        self.add(check, Level::Ok, message.into(), advice.into());
    }

    pub(super) fn warn(&mut self, check: &'static str, message: impl Into<String>, advice: impl Into<String>) {
        self.add(check, Level::Warn, message.into(), advice.into());
    }

    pub(super) fn fail(&mut self, check: &'static str, message: impl Into<String>, advice: impl Into<String>) {
        self.add(check, Level::Fail, message.into(), advice.into());
    }

    /// The database is not what it should be, which a revision mends: exit code 2.
    pub(super) fn behind(&mut self, check: &'static str, message: impl Into<String>, advice: impl Into<String>) {
        self.behind = true;
        self.warn(check, message, advice);
    }

    fn count(&self, level: Level) -> usize {
        self.findings.iter().filter(|finding| finding.level == level).count()
    }

    /// 1 where something failed, 2 where the database is behind, 0 otherwise.
    pub(super) fn exit_code(&self) -> u8 {
        match (self.count(Level::Fail), self.behind) {
            (0, false) => 0,
            (0, true) => 2,
            _ => 1,
        }
    }

    pub(super) fn for_programs(&self) -> Value {
        let finding = |finding: &Finding| {
            json!({
                "database": finding.database,
                "check": finding.check,
                "level": finding.level.name(),
                "message": finding.message,
                "advice": if finding.advice.is_empty() { None } else { Some(&finding.advice) },
            })
        };
        json!({ "findings": self.findings.iter().map(finding).collect::<Vec<_>>() })
    }

    pub(super) fn print(&self) {
        let mut about = &None;
        for finding in &self.findings {
            if finding.database != *about {
                about = &finding.database;
                line(&format!("\n{}", about.as_deref().unwrap_or_default()));
            }
            let label = match finding.level {
                Level::Ok => green("ok  "),
                Level::Warn => yellow("warn"),
                Level::Fail => red("fail"),
            };
            line(&format!("{label} {}: {}", finding.check, indented(&finding.message)));
            if !finding.advice.is_empty() {
                line(&format!("       {}", indented(&finding.advice)));
            }
        }
        line(&format!(
            "\n{} ok, {} to look at, {} wrong",
            self.count(Level::Ok),
            self.count(Level::Warn),
            self.count(Level::Fail)
        ));
    }
}

fn indented(text: &str) -> String {
    text.replace('\n', "\n       ")
}
