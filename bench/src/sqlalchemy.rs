//! SQLAlchemy, in a Python process of its own, which is told what to do and answers with its time.

use std::env;
use std::future::Future;
use std::io::{BufRead, BufReader, Write};
use std::path::PathBuf;
use std::pin::Pin;
use std::process::{Child, ChildStdin, ChildStdout, Command, Stdio};

use serde_json::{Value, json};

use crate::contender::{Contender, Outcome, Result, Task};
use crate::user::{NewUser, Sum};

pub struct SqlAlchemy {
    child: Child,
    input: ChildStdin,
    output: BufReader<ChildStdout>,
}

impl SqlAlchemy {
    /// Starts it; `None` where SQLAlchemy is not installed (`scripts/setup` does).
    pub fn start(url: &str) -> Result<Option<SqlAlchemy>> {
        let Some(python) = python() else {
            eprintln!("SQLAlchemy is not installed: scripts/setup does it");
            return Ok(None);
        };
        let script = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("src/sqlalchemy_orm.py");
        let mut child =
            Command::new(python).arg(script).arg(url).stdin(Stdio::piped()).stdout(Stdio::piped()).spawn()?;
        let (Some(input), Some(output)) = (child.stdin.take(), child.stdout.take()) else {
            return Err("a process without pipes".into());
        };
        Ok(Some(SqlAlchemy { child, input, output: BufReader::new(output) }))
    }

    fn ask(&mut self, task: Task<'_>) -> Result<Outcome> {
        let question = match task {
            Task::Select(n) => json!({"work": "select", "n": n}),
            Task::Get(ids) => json!({"work": "get", "ids": ids}),
            Task::Insert(users) => json!({"work": "insert", "users": users.iter().map(user).collect::<Vec<_>>()}),
            Task::Change(n, name) => json!({"work": "change", "n": n, "name": name}),
            Task::Eager(n) => json!({"work": "eager", "n": n}),
            Task::Graph(graph) => {
                let posts = |(post, tags): &(crate::user::NewPost, [usize; 2])| json!([post.title, post.body, tags]);
                let users: Vec<Value> = graph
                    .users
                    .iter()
                    .map(|(of, its)| json!([user(of), its.iter().map(posts).collect::<Vec<_>>()]))
                    .collect();
                json!({"work": "graph", "tags": graph.tags, "users": users})
            }
            Task::Delete(above) => json!({"work": "delete", "above": above}),
        };
        writeln!(self.input, "{question}")?;
        self.input.flush()?;
        let mut line = String::new();
        if self.output.read_line(&mut line)? == 0 {
            return Err("SQLAlchemy ended".into());
        }
        let answer: Value = serde_json::from_str(&line)?;
        let keys = answer["keys"].as_array().map(|keys| keys.iter().filter_map(Value::as_i64).collect());
        Ok(Outcome {
            sum: Sum(answer["sum"].as_u64().ok_or("no sum")?),
            keys: keys.unwrap_or_default(),
            seconds: answer["seconds"].as_f64(),
        })
    }
}

impl Contender for SqlAlchemy {
    fn name(&self) -> &'static str {
        "SQLAlchemy (Python)"
    }

    fn measures_itself(&self) -> bool {
        true
    }

    fn run<'a>(&'a mut self, task: Task<'a>) -> Pin<Box<dyn Future<Output = Result<Outcome>> + 'a>> {
        Box::pin(async move { self.ask(task) })
    }
}

impl Drop for SqlAlchemy {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

fn user(user: &NewUser) -> Value {
    json!([
        user.email,
        user.username,
        user.hashed_password,
        user.full_name,
        user.is_active,
        user.created_at.timestamp_micros(),
        user.updated_at.timestamp_micros(),
    ])
}

/// The Python that has it: as `scripts/setup` looks for it.
fn python() -> Option<PathBuf> {
    let home = env::var_os("LIMBECK_PYTHON_HOME").map(PathBuf::from).or_else(|| {
        let cache = env::var_os("XDG_CACHE_HOME").map(PathBuf::from);
        Some(cache.or_else(|| Some(PathBuf::from(env::var_os("HOME")?).join(".cache")))?.join("limbeck/python"))
    });
    let own = env::var_os("LIMBECK_PYTHON").map_or_else(|| "python3".into(), PathBuf::from);
    [Some(own), home.map(|home| home.join("bin/python"))].into_iter().flatten().find(|python| {
        let there = Command::new(python).args(["-c", "import sqlalchemy, psycopg"]).stderr(Stdio::null()).status();
        there.is_ok_and(|status| status.success())
    })
}
