//! Whole projects, outside of this workspace, from `init` to `check`.

use std::path::{Path, PathBuf};
use std::process::{Command, Output};

use limbeck_test_support::{Kind, TempFolder, TestDb};

const MODELS: &str = r#"
use limbeck::prelude::*;

#[derive(Model, Debug)]
#[model(table = "users")]
pub struct User {
    #[column(primary_key)]
    pub id: i64,
    #[column(unique, length = 100)]
    pub email: String,
    #[column(server_default = "true")]
    pub is_active: bool,
    #[relationship(back_populates = author)]
    pub posts: HasMany<Post>,
}

#[derive(Model, Debug)]
#[model(table = "posts")]
pub struct Post {
    #[column(primary_key)]
    pub id: i64,
    pub title: String,
    #[column(foreign_key(User.id, on_delete = cascade))]
    pub author_id: i64,
    #[relationship(back_populates = posts)]
    pub author: BelongsTo<User>,
    #[relationship(secondary = "post_tags", back_populates = posts)]
    pub tags: ManyToMany<Tag>,
}

#[derive(Model, Debug)]
pub struct Tag {
    #[column(primary_key)]
    pub id: i64,
    #[column(unique)]
    pub name: String,
    #[relationship(secondary = "post_tags", back_populates = tags)]
    pub posts: ManyToMany<Post>,
}
"#;

/// A folder with packages that use this checkout. They share a target directory, so that the dependencies are
/// built once: no two packages of these tests have the same name.
struct Projects {
    folder: TempFolder,
    url: String,
}

impl Projects {
    fn new() -> Projects {
        let folder = TempFolder::new();
        // The versions that this workspace has been built with, so that nothing is asked of a registry.
        std::fs::copy(checkout().join("Cargo.lock"), folder.path().join("Cargo.lock")).unwrap();
        let url = format!("sqlite://{}", folder.path().join("app.db").display());
        Projects { folder, url }
    }

    fn path(&self) -> &Path {
        self.folder.path()
    }

    fn write(&self, file: &str, text: &str) {
        let path = self.path().join(file);
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::fs::write(path, text.replace("LIMBECK", &checkout().join("crates/limbeck").display().to_string()))
            .unwrap();
    }

    fn read(&self, file: &str) -> String {
        std::fs::read_to_string(self.path().join(file)).unwrap()
    }

    fn command(&self, folder: &str, program: &str, arguments: &[&str]) -> Output {
        Command::new(program)
            .args(arguments)
            .current_dir(self.path().join(folder))
            .env("DATABASE_URL", &self.url)
            .env("CARGO_TARGET_DIR", Path::new(env!("CARGO_TARGET_TMPDIR")).join("projects"))
            .env("CARGO_NET_OFFLINE", "true")
            .env_remove("CARGO")
            .env_remove("CARGO_MANIFEST_DIR")
            .output()
            .unwrap()
    }

    /// Runs `limbeck`; what it printed, when it ended with this code.
    fn limbeck(&self, folder: &str, arguments: &[&str], code: i32) -> String {
        let output = self.command(folder, env!("CARGO_BIN_EXE_limbeck"), arguments);
        let said = format!("{}{}", String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr));
        assert_eq!(output.status.code(), Some(code), "limbeck {arguments:?}:\n{said}");
        said
    }

    /// Runs `limbeck --json`, through the project's own binary: its standard output is one JSON object.
    fn told(&self, folder: &str, arguments: &[&str], code: i32) -> serde_json::Value {
        let output = self.command(folder, env!("CARGO_BIN_EXE_limbeck"), arguments);
        assert_eq!(output.status.code(), Some(code), "{}", String::from_utf8_lossy(&output.stdout));
        serde_json::from_slice(&output.stdout).expect("one JSON object")
    }

    /// Runs a command of cargo, which has to succeed.
    fn cargo(&self, folder: &str, arguments: &[&str]) -> String {
        let output = self.command(folder, "cargo", arguments);
        let said = String::from_utf8_lossy(&output.stderr);
        assert!(output.status.success(), "cargo {arguments:?}:\n{said}");
        String::from_utf8_lossy(&output.stdout).into_owned()
    }

    fn revisions(&self, folder: &str) -> Vec<PathBuf> {
        let entries = std::fs::read_dir(self.path().join(folder).join("migrations")).unwrap();
        let paths = entries.map(|entry| entry.unwrap().path());
        let mut sql: Vec<PathBuf> = paths.filter(|path| path.extension().is_some_and(|e| e == "sql")).collect();
        sql.sort();
        sql
    }

    /// From models to a database that is what they say, and back.
    fn models_become_a_database(&self, folder: &str) {
        let pending = self.limbeck(folder, &["check"], 2);
        assert!(pending.contains("create table users"), "{pending}");
        let told = self.told(folder, &["check", "--json"], 2);
        assert!(told["result"]["differences"].to_string().contains("create table users"), "{told}");
        let drift = self.limbeck(folder, &["doctor"], 2);
        assert!(drift.contains("drift") && drift.contains("create table users"), "{drift}");
        let told = self.told(folder, &["revision", "--autogenerate", "-m", "Add users, posts and tags", "--json"], 0);
        assert!(told["result"]["operations"][0]["sql"].is_array(), "{told}");
        let [file] = &self.revisions(folder)[..] else { panic!("there is one revision") };
        let sql = std::fs::read_to_string(file).unwrap();
        for table in ["users", "posts", "tags", "post_tags"] {
            assert!(sql.contains(&format!("CREATE TABLE {table} (")), "{sql}");
        }
        let behind = self.limbeck(folder, &["check"], 2);
        assert!(behind.contains("not at head") && behind.contains("limbeck upgrade head"), "{behind}");
        assert!(self.limbeck(folder, &["current"], 0).contains("base"));
        assert!(self.limbeck(folder, &["upgrade"], 0).contains("applied"));
        assert!(self.limbeck(folder, &["current"], 0).contains("(head) Add users, posts and tags"));
        self.limbeck(folder, &["check"], 0);
        assert!(self.limbeck(folder, &["doctor"], 0).contains("the database is what the models say"));
        let again = self.limbeck(folder, &["revision", "--autogenerate", "-m", "Nothing"], 0);
        assert!(again.contains("nothing to do"), "{again}");
        assert_eq!(self.revisions(folder).len(), 1);
        assert!(self.limbeck(folder, &["history"], 0).contains("after base"));
    }
}

/// This checkout.
fn checkout() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).ancestors().nth(2).unwrap().to_path_buf()
}

#[test]
fn a_package_that_is_only_a_program() {
    let projects = Projects::new();
    projects.write(
        "Cargo.toml",
        "[package]\nname = \"shop\"\nversion = \"0.1.0\"\nedition = \"2024\"\n\n[dependencies]\nlimbeck = { path = \
         \"LIMBECK\" }\n\n[workspace]\n",
    );
    projects.write("src/models.rs", MODELS);
    projects.write(
        "src/main.rs",
        "mod models;\n\nfn main() {\n    println!(\"{}\", std::any::type_name::<models::User>());\n}\n",
    );

    // Nobody is there to be asked: nothing is touched.
    let asked = projects.limbeck(".", &["init"], 5);
    assert!(asked.contains("mod models") && asked.contains("--yes"), "{asked}");
    assert!(!projects.path().join("src/lib.rs").exists());
    assert!(projects.limbeck(".", &["current"], 1).contains("limbeck init"));

    projects.limbeck(".", &["init", "--yes"], 0);
    assert!(projects.read("src/lib.rs").contains("pub mod models;"));
    assert!(projects.read("src/main.rs").contains("use shop::models;"));
    // The application is still what `cargo run` runs.
    assert_eq!(projects.cargo(".", &["run", "--quiet"]).trim(), "shop::models::User");
    projects.models_become_a_database(".");

    // A second time, nothing is left to do.
    let manifest = projects.read("Cargo.toml");
    projects.limbeck(".", &["init"], 0);
    assert_eq!(projects.read("Cargo.toml"), manifest);

    // A column comes, its revision is edited before it is applied, and all of it goes again.
    let models = MODELS.replace("pub title: String,", "pub title: String,\n    pub slug: Option<String>,");
    projects.write("src/models.rs", &models);
    // The project's own binary knows the models: the revisions are sound, and not all that they say.
    let own = ["run", "--quiet", "--features", "limbeck-cli", "--bin", "shop-limbeck", "--", "test"];
    let tried = |code: i32| {
        let output = projects.command(".", "cargo", &own);
        let said = String::from_utf8_lossy(&output.stdout).into_owned();
        assert_eq!(output.status.code(), Some(code), "{said}{}", String::from_utf8_lossy(&output.stderr));
        said
    };
    let said = tried(2);
    assert!(said.contains("1 revision(s)") && said.contains("  add column posts.slug"), "{said}");
    projects.limbeck(".", &["revision", "--autogenerate", "-m", "Add slugs"], 0);
    assert!(tried(0).contains("2 revision(s)"));
    let files = projects.revisions(".");
    let file = files.iter().find(|file| file.to_string_lossy().contains("_add_slugs.")).unwrap();
    let sql = std::fs::read_to_string(file).unwrap();
    assert!(sql.contains("ALTER TABLE posts ADD COLUMN slug VARCHAR;"), "{sql}");
    let edited = sql.replace("slug VARCHAR;", "slug VARCHAR;\nUPDATE posts SET slug = lower(title);");
    std::fs::write(file, &edited).unwrap();
    let upgraded = projects.limbeck(".", &["upgrade"], 0);
    assert!(upgraded.contains("was edited"), "{upgraded}");
    projects.limbeck(".", &["check"], 0);

    // Once applied, an edit is an error, until it is recorded.
    std::fs::write(file, &sql).unwrap();
    let error = projects.limbeck(".", &["upgrade"], 1);
    assert!(error.contains("edited after") && error.contains("limbeck repair"), "{error}");
    projects.limbeck(".", &["repair"], 0);
    projects.limbeck(".", &["check"], 0);

    // A table whose model is gone is not dropped unless it is said.
    let (users_and_posts, _) = models.split_once("#[derive(Model, Debug)]\npub struct Tag").unwrap();
    let fewer = users_and_posts.replace(
        "    #[relationship(secondary = \"post_tags\", back_populates = posts)]\n    pub tags: ManyToMany<Tag>,\n",
        "",
    );
    // Nor is a column that may have another name now.
    let fewer = fewer.replace("pub title: String", "pub headline: String");
    projects.write("src/models.rs", &fewer);
    let refused = projects.limbeck(".", &["revision", "--autogenerate", "-m", "No tags"], 5);
    assert!(refused.contains("--drop post_tags") && refused.contains("use my_models as _;"), "{refused}");
    assert!(refused.contains("--rename posts.title=posts.headline"), "{refused}");
    assert_eq!(projects.revisions(".").len(), 2);
    let arguments = ["revision", "--autogenerate", "-m", "No tags", "--drop", "tags", "--drop", "post_tags"];
    let rename = ["--rename", "posts.title=posts.headline"];
    let wrote = projects.limbeck(".", &[&arguments[..], &rename].concat(), 0);
    assert!(wrote.contains("rename column posts.title to headline"), "{wrote}");
    projects.limbeck(".", &["upgrade"], 0);
    projects.limbeck(".", &["check"], 0);

    projects.limbeck(".", &["downgrade", "-1"], 0);
    projects.limbeck(".", &["downgrade", "base"], 0);
    assert!(projects.limbeck(".", &["current"], 0).contains("base"));
    projects.limbeck(".", &["upgrade", "+1"], 0);
}

#[test]
fn a_package_with_its_models_in_a_second_crate() {
    let projects = Projects::new();
    projects.write(
        "Cargo.toml",
        "[package]\nname = \"app\"\nversion = \"0.1.0\"\nedition = \"2024\"\n\n[dependencies]\nmy-models = { path = \
         \"my-models\" }\nlimbeck = { path = \"LIMBECK\" }\n\n[workspace]\n",
    );
    projects.write("src/main.rs", "fn main() {\n    println!(\"{}\", std::any::type_name::<my_models::User>());\n}\n");
    projects.write(
        "my-models/Cargo.toml",
        "[package]\nname = \"my-models\"\nversion = \"0.1.0\"\nedition = \"2024\"\n\n[dependencies]\nlimbeck = { path = \
         \"LIMBECK\" }\n",
    );
    projects.write("my-models/src/lib.rs", MODELS);
    projects.limbeck(".", &["init"], 0);
    assert!(projects.read("src/bin/limbeck.rs").contains("use my_models as _;"));
    assert!(!projects.path().join("src/lib.rs").exists(), "nothing of the package's own has to move");
    projects.models_become_a_database(".");

    // A crate that is not named is not linked, and its tables are not taken for gone.
    let binary = projects.read("src/bin/limbeck.rs").replace("use my_models as _;\n", "");
    projects.write("src/bin/limbeck.rs", &binary);
    let error = projects.limbeck(".", &["revision", "--autogenerate", "-m", "Oops"], 1);
    assert!(error.contains("no models") && error.contains("as _;"), "{error}");
}

/// One project, two databases: a file for each from the same models, and each runs its own.
#[test]
fn a_package_on_both_databases() {
    let Some(postgres) = TestDb::of(Kind::Postgres) else { return };
    let projects = Projects::new();
    projects.write(
        "Cargo.toml",
        "[package]\nname = \"bistro\"\nversion = \"0.1.0\"\nedition = \"2024\"\n\n[dependencies]\nlimbeck = { path = \
         \"LIMBECK\", features = [\"postgres\"] }\n\n[workspace]\n",
    );
    projects.write("src/lib.rs", MODELS);
    projects.limbeck(".", &["init", "--database", "sqlite", "--database", "postgres"], 0);

    // Only PostgreSQL has to be there: SQLite's revisions so far are run in memory.
    let missing = projects.limbeck(".", &["revision", "--autogenerate", "-m", "Start"], 1);
    assert!(missing.contains("DATABASE_URL_POSTGRES"), "{missing}");
    let on_postgres = ["--url", postgres.url()];
    let with = |arguments: &[&'static str]| [&on_postgres[..], arguments].concat();
    projects.limbeck(".", &with(&["revision", "--autogenerate", "-m", "Start"]), 0);
    let files = projects.revisions(".");
    let [on_pg, on_sqlite] = &files[..] else { panic!("there are two files: {files:?}") };
    assert!(on_pg.to_string_lossy().ends_with("_start.postgres.sql"), "{on_pg:?}");
    assert!(on_sqlite.to_string_lossy().ends_with("_start.sqlite.sql"), "{on_sqlite:?}");
    assert!(std::fs::read_to_string(on_pg).unwrap().contains("GENERATED BY DEFAULT AS IDENTITY"));

    let models = MODELS.replace("pub title: String,", "pub title: String,\n    pub views: Option<i32>,");
    for round in 0..2 {
        projects.limbeck(".", &["upgrade"], 0);
        projects.limbeck(".", &["check"], 0);
        projects.limbeck(".", &with(&["upgrade"]), 0);
        projects.limbeck(".", &with(&["check"]), 0);
        if round == 0 {
            projects.write("src/lib.rs", &models);
            projects.limbeck(".", &with(&["revision", "--autogenerate", "-m", "Views"]), 0);
            assert_eq!(projects.revisions(".").len(), 4);
        }
    }
    projects.limbeck(".", &with(&["downgrade", "base"]), 0);
}

#[test]
fn a_workspace_of_two_packages() {
    let projects = Projects::new();
    projects.write(
        "Cargo.toml",
        "[workspace]\nresolver = \"3\"\nmembers = [\"market\", \"crm\"]\n\n[workspace.dependencies]\nlimbeck = { path = \
         \"LIMBECK\" }\n",
    );
    for package in ["market", "crm"] {
        projects.write(
            &format!("{package}/Cargo.toml"),
            &format!(
                "[package]\nname = \"{package}\"\nversion = \"0.1.0\"\nedition = \"2024\"\n\n[dependencies]\nlimbeck = \
                 {{ workspace = true }}\n"
            ),
        );
        projects.write(&format!("{package}/src/main.rs"), "fn main() {}\n");
    }
    projects.write("market/src/lib.rs", MODELS);
    projects.write(
        "crm/src/lib.rs",
        "use limbeck::prelude::*;\n\n#[derive(Model, Debug)]\npub struct Client {\n    #[column(primary_key)]\n    pub id: \
         i64,\n    pub name: String,\n}\n",
    );
    let which = projects.limbeck(".", &["init"], 1);
    assert!(which.contains("-p") && which.contains("market"), "{which}");
    projects.limbeck(".", &["init", "-p", "market"], 0);
    // The only one that has migrations is meant, wherever in the workspace it is said.
    assert!(projects.limbeck(".", &["check"], 2).contains("create table users"));
    projects.limbeck("crm", &["init"], 0);

    projects.models_become_a_database("market");
    let url = format!("sqlite://{}", projects.path().join("crm.db").display());
    let which = projects.limbeck(".", &["current"], 1);
    assert!(which.contains("-p") && which.contains("market") && which.contains("crm"), "{which}");
    projects.limbeck(".", &["-p", "crm", "--url", &url, "revision", "--autogenerate", "-m", "Clients"], 0);
    projects.limbeck("crm/src", &["--url", &url, "upgrade", "head"], 0);
    projects.limbeck(".", &["-p", "crm", "--url", &url, "check"], 0);
    // The one's tables are the other's business: in one database, they are left alone.
    let shared = projects.limbeck("crm", &["check"], 1);
    assert!(shared.contains("not among the migrations here"), "{shared}");
}
