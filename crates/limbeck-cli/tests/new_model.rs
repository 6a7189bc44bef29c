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
    ("datetime", "moment", "now", "TIMESTAMPTZ"),
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
        let fields: Vec<String> =
            TYPES.iter().map(|(ty, name, default, _)| format!("{name}:{}", with(ty, default))).collect();
        project.limbeck(
            &[
                &["new", "model"],
                &what.split(' ').collect::<Vec<_>>()[..],
                &fields.iter().map(String::as_str).collect::<Vec<_>>(),
            ]
            .concat(),
            0,
        );
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
    project
        .limbeck(&[&["new", "model", "arrays", "Basket", "tags:enum(new,old)[]:default=[]"], &arrays[..]].concat(), 0);
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
            let column =
                if name == "status" { format!("{}_status", table.trim_end_matches('s')) } else { column.to_string() };
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

/// A crate in which models are where people put them.
fn neighbours(project: &Project) {
    project.write(
        "src/lib.rs",
        "//! The models.\n\nmod accounts;\npub mod library;\n\n/// In braces.\npub mod places {\n    use \
         limbeck::prelude::*;\n\n    #[derive(Model, Debug)]\n    pub struct Place {\n        #[column(primary_key)]\n        \
         pub id: i32,\n    }\n}\n",
    );
    // Private modules, of which the names are handed on; a key of a type of its own.
    project.write("src/accounts/mod.rs", "mod ids;\nmod models;\n\npub use ids::UserId;\npub use models::*;\n");
    project.write(
        "src/accounts/ids.rs",
        "use limbeck::prelude::*;\n\n#[derive(ColumnType, Clone, Copy, Debug, PartialEq, Eq, Hash)]\npub struct UserId(pub \
         i64);\n",
    );
    project.write(
        "src/accounts/models.rs",
        "use limbeck::prelude::*;\n\nuse super::UserId;\n\n/// Somebody.\n#[derive(Model, Debug)]\npub struct User {\n    \
         #[column(primary_key)]\n    pub id: UserId,\n    pub name: String, // as shown\n    // The end.\n}\n",
    );
    // Without the prelude, and with something else that is called Post.
    project.write("src/library.rs", "pub mod models;\n");
    project.write(
        "src/library/models.rs",
        "use limbeck::Model;\n\npub enum Post {\n    Letter,\n}\n\n#[derive(Model, Debug)]\npub struct Tag {\n    \
         #[column(primary_key, length = 30)]\n    pub name: String,\n}\n\n#[derive(Model, Debug)]\npub struct Comment {\n    \
         #[column(primary_key)]\n    pub id: i64,\n}\n\n#[derive(limbeck::Model, Debug)]\n#[model(table = \"pictures\")]\npub \
         struct Image {\n    #[column(primary_key)]\n    pub id: i64,\n}\n",
    );
}

#[test]
fn every_relationship_compiles_and_has_both_sides() {
    let project = Project::new("every-relation");
    neighbours(&project);
    project.limbeck(&["init", "--database", "sqlite", "--database", "postgres"], 0);
    let said = project.new_model(
        "blog Post id:uuid author:belongs_to(User) editor:belongs_to(accounts::models::User)? \
         tags:many_to_many(Tag) place:belongs_to(Place):unique:on_delete=cascade comments:has_many(Comment) \
         cover:has_one(Image) parent:belongs_to(Post)? related:many_to_many(Post) \
         language:belongs_to(Tag):back_populates=none type:enum(note,none)?",
    );
    for part in ["added to User: author_posts", "posts.author_id refuses", "comments.post_id is set to NULL"] {
        assert!(said.contains(part), "{part} is not in\n{said}");
    }
    assert!(!said.contains("place_id"), "what was said needs no word: {said}");
    let post = project.read("src/blog/models.rs");
    for part in [
        "use crate::accounts::{User, UserId};\nuse crate::library::models::{Comment, Image, Tag};\nuse \
         crate::places::Place;\n",
        "    #[column(primary_key, default = Uuid::now_v7())]\n    pub id: Uuid,\n",
        "    #[column(foreign_key(User.id, on_delete = restrict))]\n    pub author_id: UserId,\n",
        "    #[column(foreign_key(User.id, on_delete = set_null))]\n    pub editor_id: Option<UserId>,\n",
        "    #[column(unique, foreign_key(Place.id, on_delete = cascade))]\n    pub place_id: i32,\n",
        "    #[relationship(back_populates = author_posts, key = author_id)]\n    pub author: BelongsTo<User>,\n",
        "    #[relationship(back_populates = parent, key = parent_id)]\n    pub children: HasMany<Post>,\n",
        "    #[relationship(secondary = \"post_related\", back_populates = related)]\n    pub related_of: \
         ManyToMany<Post>,\n",
        "    #[column(length = 30, foreign_key(Tag.name, on_delete = restrict))]\n    pub language_id: String,\n",
        "    #[relationship]\n    pub language: BelongsTo<Tag>,\n",
        "    pub r#type: Option<PostType>,\n",
    ] {
        assert!(post.contains(part), "{part} is not in\n{post}");
    }
    let user = project.read("src/accounts/models.rs");
    assert!(
        user.contains("use super::UserId;\n\nuse crate::blog::models::Post;\n\n/// Somebody.")
            || user.contains("use super::UserId;\nuse crate::blog::models::Post;\n"),
        "{user}"
    );
    assert!(
        user.ends_with(
            "    pub name: String, // as shown\n    #[relationship(back_populates = author, key = author_id)]\n    pub \
             author_posts: HasMany<Post>,\n    #[relationship(back_populates = editor, key = editor_id)]\n    pub \
             editor_posts: HasMany<Post>,\n    // The end.\n}\n"
        ),
        "{user}"
    );
    let library = project.read("src/library/models.rs");
    assert!(
        library.contains(
            "    pub name: String,\n    #[relationship(secondary = \"post_tags\", back_populates = tags)]\n    pub posts: \
             limbeck::prelude::ManyToMany<crate::blog::models::Post>,\n}"
        ),
        "{library}"
    );
    assert!(library.contains("pub post_id: Option<limbeck::prelude::Uuid>,"), "{library}");
    let root = project.read("src/lib.rs");
    assert!(root.contains("mod accounts;\npub mod blog;\npub mod library;\n"), "{root}");
    assert!(root.contains("        pub post: HasOne<crate::blog::models::Post>,\n"), "{root}");
    project.is_formatted();

    // A second one, in a module of the first.
    project.new_model("blog/drafts Draft post:belongs_to(Post) text:string");
    assert_eq!(project.read("src/blog/mod.rs"), "pub mod drafts;\npub mod models;\n");
    assert!(project.read("src/blog/models.rs").contains("use crate::blog::drafts::models::Draft;"));
    project.is_formatted();

    let Some(postgres) = TestDb::of(Kind::Postgres) else { return };
    let on_postgres = |arguments: &[&'static str], code| {
        project.limbeck(&[&["--url", postgres.url()], arguments].concat(), code);
    };
    on_postgres(&["revision", "--autogenerate", "-m", "Add blog table"], 0);
    for _ in 0..2 {
        on_postgres(&["upgrade", "head"], 0);
        on_postgres(&["check"], 0);
        project.limbeck(&["upgrade", "head"], 0);
        project.limbeck(&["check"], 0);
    }
    let warnings = project.cargo(&["check", "--features", "limbeck-cli"]);
    assert!(!warnings.contains("warning"), "{warnings}");
}

const USER: &str = "use limbeck::prelude::*;\n\n#[derive(Model, Debug)]\npub struct User {\n    #[column(primary_key)]\n    \
                    pub id: i64,\n    pub name: String,\n}\n";

/// A package that is never compiled.
fn small() -> Project {
    let project = Project::with("small", "limbeck = { path = \"LIMBECK\" }\n");
    project.write("src/lib.rs", "pub mod users;\n");
    project.write("src/users/mod.rs", "pub mod models;\n");
    project.write("src/users/models.rs", USER);
    project
}

#[test]
fn models_in_the_root_of_the_crate_are_found_there() {
    let project = small();
    project.write("src/lib.rs", &format!("//! All.\n\n{USER}"));
    std::fs::remove_dir_all(project.path("src/users")).unwrap();
    project.new_model("blog Post id:string(8) author:belongs_to(User) readers:has_many(User)");
    let root = project.read("src/lib.rs");
    assert!(
        root.starts_with("//! All.\n\npub mod blog;\n\nuse limbeck::prelude::*;\n\nuse crate::blog::models::Post;\n"),
        "{root}"
    );
    assert!(
        root.contains(
            "    #[column(length = 8, foreign_key(Post.id, on_delete = set_null))]\n    pub post_id: Option<String>,\n"
        ),
        "{root}"
    );
    // One is in the plural and the other is not, so that neither needs a longer name.
    assert!(
        root.contains("    pub posts: HasMany<Post>,\n") && root.contains("    pub post: BelongsTo<Option<Post>>,\n"),
        "{root}"
    );
    assert!(project.read("src/blog/models.rs").contains("use crate::User;\n"));
    project.is_formatted();
}

#[test]
fn modules_are_written_as_the_project_writes_its_own() {
    let project = small();
    std::fs::rename(project.path("src/users/mod.rs"), project.path("src/users.rs")).unwrap();
    project.new_model("shop/orders Order user:belongs_to(User)");
    let files: Vec<String> = project.files().iter().map(|(path, _)| path.display().to_string()).collect();
    assert!(!files.iter().any(|file| file.ends_with("mod.rs")), "{files:?}");
    assert_eq!(project.read("src/shop.rs"), "pub mod orders;\n");
    assert_eq!(project.read("src/shop/orders.rs"), "pub mod models;\n");
    assert!(project.read("src/shop/orders/models.rs").contains("//! The models of orders.\n"));
    assert_eq!(project.read("src/lib.rs"), "pub mod shop;\npub mod users;\n");

    // A keyword as a module and as a field, and what a crate calls itself. What comes next is for the same package.
    let said = project.new_model("type Kind match:int -p small");
    assert!(
        said.contains("  limbeck -p small revision --autogenerate") && said.contains("limbeck -p small upgrade"),
        "{said}"
    );
    assert!(project.read("src/lib.rs").contains("pub mod r#type;\n"));
    project.new_model("loops Loop kind:belongs_to(Kind)");
    assert!(project.read("src/loops/models.rs").contains("use crate::r#type::models::Kind;\n"));
    project.is_formatted();
}

/// The file of the other side, before and after: the lines that came, and all others byte by byte where they were.
fn added_lines(before: &str, after: &str) -> Vec<String> {
    let (mut old, mut added) = (before.split_inclusive('\n').peekable(), Vec::new());
    for line in after.split_inclusive('\n') {
        match old.peek() {
            Some(next) if *next == line => drop(old.next()),
            _ => added.push(line.to_string()),
        }
    }
    assert_eq!(old.next(), None, "a line of the file is gone or has changed:\n{after}");
    added
}

#[test]
fn nothing_else_in_the_file_of_the_other_side_moves() {
    let (import, option, field) =
        ("use crate::blog::models::Post;", "#[relationship(back_populates = author)]", "pub posts: HasMany<Post>,");
    let crlf = USER.replace('\n', "\r\n");
    let tabs = USER.replace("    ", "\t");
    let odd = "\u{feff}//! Öde 𝄞.\r\n\r\n#![allow(dead_code)]\r\nuse   limbeck :: prelude ::* ; // all\r\n/* a\r\n * b */\r\n\
               mod x { pub fn  f( ) {} }\r\n\r\n/// Doc ä.\r\n#[derive( Debug,Model )]\r\n#[model(table=\"people\")] // why\r\npub \
               struct User\r\n{\r\n\t#[column( primary_key )] pub id:i64,\r\n\r\n\t/// ü\r\n\tpub   name : String, // 𝄞, last\r\n\r\n\t\
               // the end\r\n}\r\n\r\nimpl User { fn  g(&self){} }\r\n  // no newline";
    for (text, nl, indentation) in
        [(USER, "\n", "    "), (&crlf, "\r\n", "    "), (&tabs, "\n", "\t"), (odd, "\r\n", "\t")]
    {
        let project = small();
        project.write("src/users/models.rs", text);
        project.new_model("blog Post author:belongs_to(User)");
        let after = project.read("src/users/models.rs");
        // Of the two lines that the import came with, which is the new blank one cannot be told.
        let mut added = added_lines(text, &after);
        added[..2].sort();
        let expected = [
            nl.to_string(),
            format!("{import}{nl}"),
            format!("{indentation}{option}{nl}"),
            format!("{indentation}{field}{nl}"),
        ];
        assert_eq!(added, expected, "{after}");
    }
    // A comma is all that a last line may get.
    let project = small();
    let bare = USER.replace("String,\n}", "String // last\n}");
    project.write("src/users/models.rs", &bare);
    project.new_model("blog Post author:belongs_to(User)");
    let after = project.read("src/users/models.rs");
    assert_eq!(added_lines(&bare.replace("String //", "String, //"), &after).len(), 4, "{after}");
}

#[test]
fn a_dry_run_is_a_patch_and_touches_nothing() {
    let project = small();
    let before = project.files();
    let words = ["new", "model", "blog", "Post", "title:string(100)", "author:belongs_to(User)", "--dry-run"];
    let output = project.command(env!("CARGO_BIN_EXE_limbeck"), &words);
    assert!(output.status.success());
    assert!(project.files() == before, "nothing was written");
    assert!(String::from_utf8_lossy(&output.stderr).contains("dry run: nothing was written"));

    // The patch, applied, is what the command writes.
    let mut git =
        Command::new("git").args(["apply", "-"]).current_dir(project.path(".")).stdin(Stdio::piped()).spawn().unwrap();
    std::io::Write::write_all(&mut git.stdin.take().unwrap(), &output.stdout).unwrap();
    assert!(git.wait().unwrap().success(), "{}", String::from_utf8_lossy(&output.stdout));
    let other = small();
    other.limbeck(&words[..words.len() - 1], 0);
    let names = |project: &Project| -> Vec<(PathBuf, Vec<u8>)> {
        let root = project.path("");
        project
            .files()
            .into_iter()
            .map(|(path, text)| (path.strip_prefix(&root).unwrap().to_path_buf(), text))
            .collect()
    };
    assert!(names(&project) == names(&other));
    assert_eq!(names(&other).len(), 5);
}

#[test]
fn nothing_is_overwritten() {
    let project = small();
    project.new_model("blog Post title:string");
    let again = project.refused("blog Comment text:string");
    assert!(again.contains("src/blog/models.rs is there already") && again.contains("blog/NAME"), "{again}");
    project.new_model("blog/comments Comment text:string post:belongs_to(Post)");
    assert_eq!(project.read("src/blog/mod.rs"), "pub mod comments;\npub mod models;\n");
    let table = project.refused("other Post title:string");
    assert!(table.contains("the table `posts` is that of `Post` in src/blog/models.rs:"), "{table}");
    project.new_model("other Post title:string --table other_posts");
    project.write("src/folder/models/mod.rs", "//! Others.\n");
    assert!(project.refused("folder Leaf").contains("src/folder/models/mod.rs is there already"));

    // Modules that are declared and not there yet, and the other way round, are what they look like.
    project.write("src/lib.rs", "pub mod blog;\npub mod later;\npub mod other;\npub mod users;\n");
    project.new_model("later Late at:datetime");
    assert_eq!(project.read("src/later/mod.rs"), "pub mod models;\n");
    project.write("src/found.rs", "//! Found.\n\nfn f() {}\n");
    project.new_model("found Find at:datetime");
    assert_eq!(project.read("src/found.rs"), "//! Found.\n\npub mod models;\n\nfn f() {}\n");
    assert!(project.read("src/lib.rs").starts_with("pub mod blog;\npub mod found;\npub mod later;\n"));
    assert!(project.path("src/found/models.rs").is_file());
    project.is_formatted();
}

#[test]
fn what_is_wrong_is_named_with_what_to_do() {
    let project = small();
    project.write(
        "src/lib.rs",
        "pub mod users;\n\nmod secret {\n    pub mod inner {\n        #[derive(limbeck::Model)]\n        pub struct Hidden {\n            \
         #[column(primary_key)]\n            id: i64,\n        }\n    }\n}\n\npub struct Plain;\n\nmacro_rules! made {\n    () => {\n        \
         pub struct Made {}\n    };\n}\n\npub mod several {\n    #[derive(limbeck::Model)]\n    #[model(table = \
         \"others\")]\n    pub struct User {\n        #[column(primary_key)]\n        pub id: i64,\n    }\n    \
         #[derive(limbeck::Model)]\n    pub struct Seat {\n        #[column(primary_key)]\n        pub row: i64,\n        \
         #[column(primary_key)]\n        pub number: i64,\n    }\n}\n\nmod deep {\n    mod models {\n        \
         #[derive(limbeck::Model)]\n        pub struct Deep {\n            #[column(primary_key)]\n            pub id: i64,\n        \
         }\n    }\n}\n",
    );
    project.write("src/broken.rs", "struct {");
    for (words, expected) in [
        (
            "Blog Posts titel",
            "FEATURE `Blog`: names are written in snake case: `blog`\nENTITY `Posts`: the struct should be called `Post`",
        ),
        ("blog Post titel", "FIELD `titel`: expected name:type"),
        (
            "blog Post a:int b:strng c:txt",
            "FIELD `b:strng`: there is no type `strng`: did you mean `string`?\nFIELD `c:txt`",
        ),
        ("blog Post a:int a:text", "`a` is said twice"),
        ("blog Post id:text?", "a key is a bigint"),
        ("blog Post data:json", "cargo add limbeck --features json\n  cargo add serde_json"),
        ("blog Post price:numeric code:uuid", "cargo add limbeck --features decimal,uuid"),
        ("blog Post n:smallint:default=40000", "`default=40000`: expected a whole number of 16 bits"),
        ("blog Post s:string(2):default=abc", "at most 2 characters"),
        ("blog Post s:enum(a,b):default=c", "expected one of a, b"),
        ("blog Post at:datetime:default=2024-01-01", "expected `now`"),
        (
            "blog Post author:belongs_to(Usr)",
            "no model `Usr` in this crate: did you mean `User`?\nmodels are in\n  src/lib.rs: User, Seat, Hidden, Deep\n",
        ),
        (
            "blog Post author:belongs_to(User)",
            "several models `User`: say which by its path\n  crate::several::User in src/lib.rs:24\n  crate::users::models::User in src/users/models.rs:4",
        ),
        (
            "blog Post author:belongs_to(users::models::User):back_populates=name",
            "src/users/models.rs:7: `User` has a field `name` already",
        ),
        ("blog Post author:belongs_to(users::models::User) author_id:int", "make the field `author_id`"),
        ("blog Post hidden:belongs_to(Hidden)", "the key `Hidden.id` is private"),
        ("blog Post deep:belongs_to(Deep)", "the module `models` is private"),
        ("blog Post plain:belongs_to(Plain)", "src/lib.rs:13: the struct `Plain` has no derive(Model)"),
        ("blog Post made:belongs_to(Made)", "src/lib.rs:15: `Made` seems to be made by a macro"),
        ("blog Post seat:belongs_to(Seat)", "`Seat` has a key of 2 columns"),
        ("blog Post parent:belongs_to(Post)", "put a `?` behind the type"),
        ("secret Post a:int", "the module `crate::secret` is written in braces"),
        ("Plain Post a:int", "`plain`"),
        ("several Post a:int --table users", "written in braces"),
        ("blog Post a:int --table users", "the table `users` is that of `User` in src/users/models.rs:4"),
        ("blog Post tags:many_to_many(Seat):secondary=users", "the association table `users` is in use by `User`"),
    ] {
        let said = project.refused(words);
        assert!(said.contains(expected), "{words}: {expected} is not in\n{said}");
    }
    project.write("src/lib.rs", "pub mod broken;\npub mod users;\n");
    let said = project.refused("blog Post author:belongs_to(Usr)");
    assert!(said.contains("not read: src/broken.rs:1: this is not Rust"), "{said}");
    project.new_model("blog Post author:belongs_to(User)");

    // Nowhere, in a program without a library, and without limbeck.
    let nowhere = TempFolder::new();
    let output = Command::new(env!("CARGO_BIN_EXE_limbeck"))
        .args(["new", "model", "blog", "Post"])
        .current_dir(nowhere.path())
        .output()
        .unwrap();
    assert!(String::from_utf8_lossy(&output.stderr).contains("there is no Cargo.toml here"));
    let program = Project::with("program", "limbeck = { path = \"LIMBECK\" }\n");
    std::fs::rename(program.path("src/lib.rs"), program.path("src/main.rs")).unwrap();
    assert!(program.refused("blog Post a:int").contains("`limbeck init` makes src/lib.rs"));
    assert!(Project::with("bare", "").refused("blog Post a:int").contains("`cargo add limbeck`"));
}

#[test]
fn a_project_has_its_own_template() {
    let project = small();
    let built_in = project.limbeck(&["new", "model", "--print-template"], 0);
    project.write("templates/model.rs", &built_in);
    project.new_model("blog Post title:string author:belongs_to(User)");
    let with_copy = project.read("src/blog/models.rs");
    let other = small();
    other.new_model("blog Post title:string author:belongs_to(User)");
    assert_eq!(with_copy, other.read("src/blog/models.rs"), "the printed template is the built-in one");

    project.write(
        "templates/model.rs",
        "//! {{feature_name}}: {{EntityName}} ({{entity_name}}), in {{table_name}}.\nuse limbeck::prelude::*;\n{{imports}}\n{{enums}}\n\
         /// One.\n#[derive(Model, Debug, Clone)]\n#[model(table = \"{{ table_name }}\")]\npub struct {{EntityName}} {\n    \
         {{columns}}\n\n    {{relationships}}\n\n    // When.\n    {{timestamps}}\n}\n",
    );
    project.new_model("shop SalesOrder state:enum(open)");
    assert_eq!(
        project.read("src/shop/models.rs"),
        "//! shop: SalesOrder (sales_order), in sales_orders.\nuse limbeck::prelude::*;\n/// The values of \
         `SalesOrder.state`.\n#[derive(DbEnum, Clone, Copy, Debug, PartialEq, Eq)]\npub enum SalesOrderState {\n    Open,\n}\n\
         /// One.\n#[derive(Model, Debug, Clone)]\n#[model(table = \"sales_orders\")]\npub struct SalesOrder {\n    \
         #[column(primary_key)]\n    pub id: i64,\n    pub state: SalesOrderState,\n\n    // When.\n    #[column(default = \
         Utc::now())]\n    pub created_at: DateTime<Utc>,\n    #[column(default = Utc::now(), on_update = Utc::now())]\n    pub \
         updated_at: DateTime<Utc>,\n}\n"
    );
    project.write("templates/model.rs", "struct {{EntityName}} {\n    {{fields}}\n    {{field}}\n}\n");
    let error = project.refused("a A x:int");
    assert!(
        error.contains("templates/model.rs:3: there is nothing called `field`: did you mean `{{fields}}`?"),
        "{error}"
    );
    project.write("templates/model.rs", "struct {{EntityName}} {\n    {{fields}}\n");
    let error = project.refused("a A x:int");
    assert!(error.contains("src/a/models.rs from templates/model.rs") && error.contains("not Rust"), "{error}");
}

#[test]
fn the_limbeck_binary_links_the_crate_of_the_model() {
    let project = small();
    project.write(
        "src/users/models.rs",
        &USER.replace("pub struct", "pub(crate) struct").replace("pub id", "pub(crate) id"),
    );
    let said = project.new_model("blog Post user:belongs_to(User)");
    assert!(said.contains("`limbeck init` makes it") && said.contains("make `Post` `pub(crate)`"), "{said}");
    assert!(project.read("src/users/models.rs").contains("    pub(crate) posts: HasMany<Post>,\n"));
    let binary = "//! Ours.\n\nuse others as _;\n\nfn main() {}\n";
    project.write("src/bin/limbeck.rs", binary);
    assert!(project.new_model("shop Order a:int").contains("edited src/bin/limbeck.rs"));
    assert_eq!(project.read("src/bin/limbeck.rs"), binary.replace("others as _;\n", "others as _;\nuse small as _;\n"));
    assert!(!project.new_model("parts Part a:int").contains("limbeck.rs"));
}
