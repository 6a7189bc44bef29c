//! `limbeck lint` on whole projects: what it says and where, what it changes, and what it is told.

use std::path::{Path, PathBuf};
use std::process::{Command, Output};

use limbeck_test_support::TempFolder;
use serde_json::Value;

/// Models with everything that `--fix` mends, and one thing that it does not.
const MODELS: &str = r#"//! A shop.

use limbeck::prelude::*;

/// Who buys.
#[derive(Model, Debug)]
pub struct Customer {
    #[column(primary_key, unique)]
    pub id: i64,
    #[column(unique, index, length = 254)]
    pub email: String,
    #[column(length = 100)]
    pub city: String,
    #[column(index)]
    pub is_active: bool,
    #[relationship(back_populates = customer, cascade(all, delete_orphan))]
    pub orders: HasMany<Order>,
}

/// What is paid in.
#[derive(Model, Debug)]
#[model(allow(L008, reason = "a standard has them"), allow(L001, reason = "it is singular"))]
pub struct Currency {
    #[column(primary_key, length = 3)]
    pub code: String,
}

/// What somebody bought.
#[derive(Model, Debug)]
#[model(index(customer_id, number))]
pub struct Order {
    #[column(primary_key)]
    pub id: i64,
    #[column(foreign_key(Customer.id))]
    pub customer_id: i64,
    pub number: i32,
    // Of the currency.
    #[column(foreign_key(Currency.code, on_delete = restrict), index = false)]
    pub currency: String,
    pub created_at: DateTime<Utc>,
    /// When it was changed.
    #[column(default = Utc::now())]
    pub updated_at: DateTime<Utc>,
    #[relationship(back_populates = orders)]
    pub customer: BelongsTo<Customer>,
}
"#;

const QUERIES: &str =
    "   0.042 ms      1 rows  SELECT customers.id FROM customers WHERE customers.city = ?  [\"Rome\"]\n";

/// A package that uses this checkout, in the target directory that other tests of projects have.
struct Project {
    folder: TempFolder,
}

impl Project {
    fn new(name: &str, models: &str) -> Project {
        let project = Project { folder: TempFolder::new() };
        let checkout = Path::new(env!("CARGO_MANIFEST_DIR")).ancestors().nth(2).unwrap();
        std::fs::copy(checkout.join("Cargo.lock"), project.path("Cargo.lock")).unwrap();
        let limbeck = checkout.join("crates/limbeck").display().to_string();
        project.write(
            "Cargo.toml",
            &format!(
                "[package]\nname = \"{name}\"\nversion = \"0.1.0\"\nedition = \"2024\"\n\n[dependencies]\nlimbeck = {{ path \
                 = \"{limbeck}\" }}\n\n[workspace]\n"
            ),
        );
        project.write("src/lib.rs", "pub mod models;\n");
        project.write("src/models.rs", models);
        project
    }

    fn path(&self, file: &str) -> PathBuf {
        self.folder.path().join(file)
    }

    fn write(&self, file: &str, text: &str) {
        let path = self.path(file);
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::fs::write(path, text).unwrap();
    }

    fn models(&self) -> String {
        std::fs::read_to_string(self.path("src/models.rs")).unwrap()
    }

    fn run(&self, arguments: &[&str]) -> Output {
        Command::new(env!("CARGO_BIN_EXE_limbeck"))
            .args(arguments)
            .current_dir(self.folder.path())
            .env("CARGO_TARGET_DIR", Path::new(env!("CARGO_TARGET_TMPDIR")).join("projects"))
            .env("CARGO_NET_OFFLINE", "true")
            .env_remove("CARGO")
            .env_remove("CARGO_MANIFEST_DIR")
            .env_remove("NO_COLOR")
            .output()
            .unwrap()
    }

    /// What it printed on both channels, when it ended with this code.
    fn limbeck(&self, arguments: &[&str], code: i32) -> String {
        let output = self.run(arguments);
        let said = format!("{}{}", String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr));
        assert_eq!(output.status.code(), Some(code), "limbeck {arguments:?}:\n{said}");
        said
    }

    /// What it told a program.
    fn json(&self, arguments: &[&str], code: i32) -> Value {
        let output = self.run(&[arguments, &["--json"]].concat());
        let (out, err) = (String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr));
        assert_eq!(output.status.code(), Some(code), "limbeck {arguments:?}:\n{out}{err}");
        serde_json::from_str(&out).unwrap_or_else(|error| panic!("{error}\n{out}{err}"))
    }
}

/// The line of a text in the models, from 1.
fn line_of(text: &str) -> usize {
    MODELS.lines().position(|line| line.contains(text)).unwrap() + 1
}

#[test]
fn what_fix_writes_compiles_and_is_clean() {
    let project = Project::new("lint-shop", MODELS);
    project.write("echo.log", QUERIES);
    project.limbeck(&["init", "--database", "sqlite"], 0);

    // The place, the line itself, the reason and the ways out.
    let said = project.limbeck(&["lint", "--queries", "echo.log"], 3);
    for expected in [
        "warning[L008]: the table `customers` has no `created_at` and no `updated_at`",
        &format!("--> src/models.rs:{}:12", line_of("pub struct Customer")),
        "pub struct Customer {",
        "= why: The first question to a wrong row",
        "= allow: #[model(allow(L008, reason = \"…\"))]",
        "error[L016]: `Order.currency` is text without a `length`",
        &format!("--> src/models.rs:{}:9", line_of("pub currency: String")),
        "first seen at echo.log:1",
        "1 error, 11 warnings in 3 models; `limbeck lint --fix` can mend 12",
    ] {
        assert!(said.contains(expected), "{expected}\n{said}");
    }
    assert!(!said.contains('\u{1b}'), "no colour where nobody looks");
    assert!(project.limbeck(&["lint", "--color", "always"], 3).contains('\u{1b}'));

    // One JSON object, with what a program needs to find the place.
    let told = project.json(&["lint", "--select", "L014"], 3);
    let findings = told["result"]["findings"].as_array().unwrap();
    assert_eq!(findings.len(), 1);
    assert_eq!(findings[0]["code"], "L014");
    assert_eq!(findings[0]["file"], "src/models.rs");
    assert_eq!(findings[0]["line"], line_of("foreign_key(Customer.id)"));
    assert_eq!((&findings[0]["table"], &findings[0]["field"]), (&"orders".into(), &"customer_id".into()));

    // What would be changed, as a diff, and nothing is.
    let diff = project.limbeck(&["lint", "--fix", "--dry-run", "--select", "L014"], 3);
    assert!(diff.starts_with("--- a/src/models.rs\n+++ b/src/models.rs\n@@"), "{diff}");
    assert!(diff.contains("\n-    #[column(foreign_key(Customer.id))]\n"), "{diff}");
    assert!(diff.contains("\n+    #[column(foreign_key(Customer.id, on_delete = cascade))]\n"), "{diff}");
    assert_eq!(project.models(), MODELS);

    // All of it. What meets another change is made by the next run.
    let mut runs = 0;
    loop {
        let output = project.run(&["lint", "--fix", "--queries", "echo.log"]);
        let said = format!("{}{}", String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr));
        assert!(said.contains("mended"), "{said}");
        runs += 1;
        if output.status.code() == Some(0) {
            break;
        }
        assert!(runs < 3, "{said}");
    }
    let clean = project.limbeck(&["lint", "--queries", "echo.log"], 0);
    assert!(clean.contains("nothing found in 3 models"), "{clean}");
    let fixed = project.models();
    for kept in ["//! A shop.", "    // Of the currency.\n", "    /// When it was changed.\n"] {
        assert!(fixed.contains(kept), "{fixed}");
    }
    assert!(fixed.contains("#[model(allow(L008, reason = \"a standard has them\"))]\n"), "{fixed}");
    // Nothing that was there has moved, apart from what was taken out.
    let gone: Vec<&str> = MODELS.lines().filter(|line| !fixed.lines().any(|other| other == *line)).collect();
    assert!(gone.iter().all(|line| line.trim_start().starts_with("#[")), "{gone:?}");

    // Settings by path: the same project, with rules said for its files.
    project.write("src/models.rs", &MODELS.replace("pub struct Currency", "pub struct Currencies"));
    project.write("src/models.rs", &project.models().replace("Currency.code", "Currencies.code"));
    let settings = "[lint.rules]\nL001 = \"error\"\nunindexed-foreign-key = \"off\"\n\n[[lint.overrides]]\npaths = \
                    [\"src/**\"]\nrules = { L008 = \"error\", L018 = \"off\" }\n";
    project.write("limbeck.toml", settings);
    let told = project.json(&["lint"], 3);
    let severities: Vec<(&str, &str)> = told["result"]["findings"]
        .as_array()
        .unwrap()
        .iter()
        .map(|finding| (finding["code"].as_str().unwrap(), finding["severity"].as_str().unwrap()))
        .collect();
    assert!(severities.contains(&("L008", "error")), "{severities:?}");
    assert!(!severities.iter().any(|(code, _)| ["L003", "L018"].contains(code)), "{severities:?}");
    assert!(!severities.iter().any(|(code, _)| *code == "L001"), "it is allowed: {severities:?}");

    // Files that are not asked are named; where none is, that is an error.
    project.write("limbeck.toml", "[lint]\npaths = [\"src/other.rs\"]\n");
    let said = project.limbeck(&["lint"], 1);
    assert!(said.contains("no model was checked") && said.contains("models.rs"), "{said}");
}

/// Everything that needs no models, and so compiles nothing.
#[test]
fn mistakes_are_answered_before_anything_is_compiled() {
    let project = Project::new("lint-words", MODELS);
    let listed = project.limbeck(&["lint", "--list"], 0);
    assert!(listed.lines().count() > 20 && listed.contains("L001 singular-model-name"), "{listed}");
    let explained = project.limbeck(&["lint", "--explain", "float-money"], 0);
    for expected in ["L011 float-money (error)", "Why: ", "Wrong:", "pub price: f64,", "Right:", "allow(L011"] {
        assert!(explained.contains(expected), "{explained}");
    }
    assert!(!explained.contains("// here"), "{explained}");
    assert_eq!(project.json(&["lint", "--explain", "l011"], 0)["result"]["rule"]["name"], "float-money");
    for (arguments, expected) in [
        (&["lint", "--explain", "money"][..], "did you mean `L011`"),
        (&["lint", "--select", "L0001"], "--select: there is no rule `L0001`: did you mean `L001`"),
        (&["lint", "--ignore", "L001,serde-rename"], "there is no rule `serde-rename`: `limbeck lint --list`"),
        (&["lint", "--queries", "nowhere.log"], "nowhere.log"),
        (&["lint", "--dry-run"], "--fix"),
    ] {
        let said = project.limbeck(arguments, 1);
        assert!(said.contains(expected), "{expected}\n{said}");
    }
    for (settings, expected) in [
        ("[lint.rules]\nL001 = \"off\"\nL0002 = \"off\"\n", "limbeck.toml:3: `lint.rules`: there is no rule `L0002`"),
        ("[lint.rules]\nL001 = \"on\"\n", "limbeck.toml:2: `lint.rules.L001`: expected \"off\", \"warn\" or \"error\""),
        ("[lint]\npath = []\n", "limbeck.toml:2: `lint.path` is not a setting: did you mean `lint.paths`?"),
        ("[lint]\npaths = \"src\"\n", "limbeck.toml:2: `lint.paths`: expected a list"),
        ("[lint]\npaths = []\n", "limbeck.toml:2: `lint.paths`: expected a list of patterns"),
        ("[lint]\npaths = [\"src/{a,b}.rs\"]\n", "limbeck.toml:2: `lint.paths`: `src/{a,b}.rs`: a pattern has names"),
        ("lint = 1\n", "limbeck.toml:1: `lint`: expected a table"),
        ("[[lint.overrides]]\npaths = []\n", "`lint.overrides`: expected tables with `paths` and `rules`"),
        ("[[lint.overrides]]\npaths = [\"**\"]\nrules = {}\nrule = {}\n", "limbeck.toml:4: `lint.overrides.rule`"),
        ("[lint]\noverrides = [1]\n", "`lint.overrides`: expected tables"),
    ] {
        project.write("limbeck.toml", settings);
        let said = project.limbeck(&["lint"], 1);
        assert!(said.contains(expected), "{expected}\n{said}");
    }
}
