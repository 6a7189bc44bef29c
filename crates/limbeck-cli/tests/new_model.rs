//! `limbeck new model`: what it writes compiles, and becomes the columns that were said; what was there stays.

use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};

use limbeck_test_support::{Kind, TempFolder, TestDb};

/// A package that uses this checkout. All share a target directory, so that the dependencies are built once: no two
/// packages that are compiled have the same name.
struct Project {
    folder: TempFolder,
    url: String,
}

impl Project {
    fn new(name: &str) -> Project {
        Project::with(
            name,
            "limbeck = { path = \"LIMBECK\", features = [\"postgres\", \"decimal\", \"json\", \"uuid\"] }\nserde_json = \
             \"1\"\nuuid = { version = \"1\", features = [\"v7\"] }\ntokio = { version = \"1\", features = [\"macros\", \
             \"rt\"] }\n",
        )
    }

    fn with(name: &str, dependencies: &str) -> Project {
        let folder = TempFolder::new();
        // The versions that this workspace has been built with, so that nothing is asked of a registry.
        std::fs::copy(checkout().join("Cargo.lock"), folder.path().join("Cargo.lock")).unwrap();
        let url = format!("sqlite://{}", folder.path().join("app.db").display());
        let project = Project { folder, url };
        project.write(
            "Cargo.toml",
            &format!(
                "[package]\nname = \"{name}\"\nversion = \"0.1.0\"\nedition = \"2024\"\n\n[dependencies]\n{dependencies}\n\
                 [workspace]\n"
            ),
        );
        project.write("src/lib.rs", "//! The models.\n");
        project
    }

    fn path(&self, file: &str) -> PathBuf {
        self.folder.path().join(file)
    }

    fn write(&self, file: &str, text: &str) {
        let path = self.path(file);
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::fs::write(path, text.replace("LIMBECK", &checkout().join("crates/limbeck").display().to_string()))
            .unwrap();
    }

    fn read(&self, file: &str) -> String {
        std::fs::read_to_string(self.path(file)).unwrap()
    }

    fn command(&self, program: &str, arguments: &[&str]) -> Output {
        Command::new(program)
            .args(arguments)
            .current_dir(self.folder.path())
            .env("DATABASE_URL", &self.url)
            .env("CARGO_TARGET_DIR", Path::new(env!("CARGO_TARGET_TMPDIR")).join("projects"))
            .env("CARGO_NET_OFFLINE", "true")
            .env_remove("CARGO")
            .env_remove("CARGO_MANIFEST_DIR")
            .output()
            .unwrap()
    }

    /// Runs `limbeck`; what it printed, when it ended with this code.
    fn limbeck(&self, arguments: &[&str], code: i32) -> String {
        let output = self.command(env!("CARGO_BIN_EXE_limbeck"), arguments);
        let said = format!("{}{}", String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr));
        assert_eq!(output.status.code(), Some(code), "limbeck {arguments:?}:\n{said}");
        said
    }

    /// `limbeck new model`, with its words divided by spaces.
    fn new_model(&self, words: &str) -> String {
        self.limbeck(&[&["new", "model"], &words.split(' ').collect::<Vec<_>>()[..]].concat(), 0)
    }

    /// What is wrong with it; nothing of the package has changed.
    fn refused(&self, words: &str) -> String {
        let before = self.files();
        let said = self.limbeck(&[&["new", "model"], &words.split(' ').collect::<Vec<_>>()[..]].concat(), 1);
        assert!(self.files() == before, "a refusal writes nothing: {said}");
        said
    }

    /// All files but those of Cargo, with their bytes.
    fn files(&self) -> Vec<(PathBuf, Vec<u8>)> {
        let mut folders = vec![self.path("src")];
        let mut files = Vec::new();
        while let Some(folder) = folders.pop() {
            for entry in folder.read_dir().unwrap() {
                let path = entry.unwrap().path();
                match path.is_dir() {
                    true => folders.push(path),
                    false => files.push((path.clone(), std::fs::read(&path).unwrap())),
                }
            }
        }
        files.sort();
        files
    }

    fn cargo(&self, arguments: &[&str]) -> String {
        let output = self.command("cargo", arguments);
        let said = String::from_utf8_lossy(&output.stderr);
        assert!(output.status.success(), "cargo {arguments:?}:\n{said}");
        format!("{}{said}", String::from_utf8_lossy(&output.stdout))
    }

    /// That rustfmt, as it is by default, would change nothing.
    fn is_formatted(&self) {
        let files: Vec<String> = self.files().into_iter().map(|(path, _)| path.display().to_string()).collect();
        let files: Vec<&str> = files.iter().map(String::as_str).filter(|file| file.ends_with(".rs")).collect();
        let output = self.command("rustfmt", &[&["--check", "--edition", "2024"], &files[..]].concat());
        assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stdout));
    }
}

/// This checkout.
fn checkout() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).ancestors().nth(2).unwrap().to_path_buf()
}

/// The words of a type, its name as a field, a default, and its column on PostgreSQL.
const TYPES: [(&str, &str, &str, &str); 20] = [
    ("string(100)", "short", "it's", "VARCHAR(100)"),
    ("string", "word", "\"a\"", "VARCHAR"),
    ("text", "body", "b", "TEXT"),
    ("int", "middle", "-3", "INTEGER"),
    ("bigint", "large", "9000000000", "BIGINT"),
    ("smallint", "small", "7", "SMALLINT"),
    ("float", "double", "0.5", "DOUBLE PRECISION"),
    ("real", "single", "2", "REAL"),
    ("numeric(10,2)", "price", "1.5", "NUMERIC(10, 2)"),
    ("numeric", "exact", "-0.125", "NUMERIC"),
    ("bool", "truth", "true", "BOOLEAN"),
    ("datetime", "moment", "now", "TIMESTAMP WITH TIME ZONE"),
    ("naive_datetime", "reading", "now", "TIMESTAMP"),
    ("date", "day", "today", "DATE"),
    ("time", "clock", "now", "TIME"),
    ("interval", "delay", "90m", "INTERVAL"),
    ("json", "data", "{\"a\":[1]}", "JSONB"),
    ("uuid", "code", "new", "UUID"),
    ("bytes", "blob", "empty", "BYTEA"),
    ("enum(draft,in-review)", "status", "in-review", "_status"),
];

#[test]
fn every_type_compiles_and_becomes_its_column() {
    let project = Project::new("every-type");
    project.limbeck(&["init", "--database", "sqlite", "--database", "postgres"], 0);
    let all = |what: &str, with: &dyn Fn(&str, &str) -> String| {
        let fields: Vec<String> = TYPES.iter().map(|(ty, name, default, _)| format!("{name}:{}", with(ty, default))).collect();
        project.limbeck(&[&["new", "model"], &what.split(' ').collect::<Vec<_>>()[..], &fields.iter().map(String::as_str).collect::<Vec<_>>()].concat(), 0);
    };
    all("plain Plain", &|ty, _| ty.to_string());
    all("nullable Hole", &|ty, _| format!("{ty}?"));
    all("unique Token", &|ty, _| format!("{ty}:unique"));
    all("indexed Entry", &|ty, _| format!("{ty}?:index"));
    all("given Draft", &|ty, default| format!("{ty}:default={default}"));
    all("given/perhaps Guess --no-timestamps", &|ty, default| format!("{ty}?:default={default}"));
    // Of the types that have brackets, arrays have them not; text and JSON have none.
    let arrays = TYPES.iter().filter(|(ty, ..)| !ty.contains(['(']) && !["text", "json"].contains(ty));
    let arrays: Vec<String> = arrays
        .flat_map(|(ty, name, ..)| [format!("{name}s:{ty}[]"), format!("maybe_{name}s:{ty}[]?:default=[]")])
        .collect();
    let arrays: Vec<&str> = arrays.iter().map(String::as_str).collect();
    project.limbeck(&[&["new", "model", "arrays", "Basket", "tags:enum(new,old)[]:default=[]"], &arrays[..]].concat(), 0);
    project.new_model("keyed Ticket id:uuid type:string match:int?:server_default=1+1");
    project.new_model("named Country id:string(2) name:string:unique --table lands");
    project.is_formatted();

    // Objects are made of defaults alone, and are written and read.
    project.write(
        "src/main.rs",
        "use every_type::given::models::Draft;\nuse every_type::given::perhaps::models::Guess;\nuse \
         limbeck::prelude::*;\n\n#[tokio::main(flavor = \"current_thread\")]\nasync fn main() -> limbeck::Result<()> {\n    \
         let engine = Engine::builder(\"sqlite::memory:\").connect().await?;\n    \
         engine.create_all(&limbeck::metadata![Draft, Guess]?).await?;\n    let mut session = \
         engine.sessionmaker().open();\n    session.add(Draft::builder());\n    session.add(Guess::builder());\n    \
         session.commit().await?;\n    session.expunge_all();\n    let draft = session.one(select(Draft)).await?;\n    let \
         guess = session.one(select(Guess)).await?;\n    println!(\"{:#?} {:#?}\", &session[draft], &session[guess]);\n    \
         Ok(())\n}\n",
    );
    let shown = project.cargo(&["run", "--quiet", "--bin", "every-type"]);
    for value in ["\"it's\"", "1.50,", "InReview", "9000000000,", "-0.125,", "Some(\n        1.50", "5400"] {
        assert!(shown.contains(value), "{value} is not in\n{shown}");
    }

    let Some(postgres) = TestDb::of(Kind::Postgres) else { return };
    let on_postgres = |arguments: &[&'static str], code| {
        project.limbeck(&[&["--url", postgres.url()], arguments].concat(), code);
    };
    on_postgres(&["revision", "--autogenerate", "-m", "Everything"], 0);
    let migrations = project.path("migrations").read_dir().unwrap().map(|entry| entry.unwrap().path());
    let file = migrations.into_iter().find(|path| path.to_string_lossy().ends_with(".postgres.sql")).unwrap();
    let sql = std::fs::read_to_string(file).unwrap();
    for (table, null, unique) in [("plains", " NOT NULL", false), ("holes", "", false), ("tokens", " NOT NULL", true)] {
        let body = sql.split(&format!("CREATE TABLE {table} (")).nth(1).unwrap().split("\n);").next().unwrap();
        for (_, name, _, column) in TYPES {
            let column = if name == "status" { format!("{}_status", table.trim_end_matches('s')) } else { column.to_string() };
            let line = body.lines().find(|line| line.trim().starts_with(&format!("{name} "))).unwrap();
            assert_eq!(line.trim().trim_end_matches(','), format!("{name} {column}{null}"), "{table}");
            assert_eq!(body.contains(&format!("CONSTRAINT uq_{table}_{name} UNIQUE ({name})")), unique, "{body}");
        }
    }
    for (_, name, ..) in TYPES {
        assert!(sql.contains(&format!("CREATE INDEX ix_entries_{name} ON entries ({name});")), "{sql}");
    }
    assert!(sql.contains("CREATE TABLE lands (") && sql.contains("type VARCHAR NOT NULL"), "{sql}");
    for _ in 0..2 {
        on_postgres(&["upgrade"], 0);
        on_postgres(&["check"], 0);
        project.limbeck(&["upgrade"], 0);
        project.limbeck(&["check"], 0);
    }
}
