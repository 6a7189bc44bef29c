//! `limbeck diagram` of databases. That of models is tested by `examples/blog`, whose picture is in the README.

use std::process::{Command, Output};

use limbeck::dialect::Dialect;
use limbeck::engine::Engine;
use limbeck_migrate::revision::RevisionFile;
use limbeck_test_support::{Kind, TempFolder, TestDb};
use serde_json::Value;

fn limbeck(folder: &TempFolder, arguments: &[&str]) -> Output {
    let mut command = Command::new(env!("CARGO_BIN_EXE_limbeck"));
    command.arg("diagram").args(arguments).current_dir(folder.path());
    command.env_remove("DATABASE_URL").env_remove("CARGO_MANIFEST_DIR").output().expect("limbeck runs")
}

/// What it prints, of this database.
fn drawn(url: &str, arguments: &[&str]) -> String {
    let output = limbeck(&TempFolder::new(), &[&["--url", url], arguments].concat());
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    String::from_utf8(output.stdout).expect("UTF-8")
}

async fn run(url: &str, statements: &[&str]) {
    let engine = Engine::builder(url).connect().await.expect("an engine");
    let mut connection = engine.connect().await.expect("a connection");
    for sql in statements {
        connection.execute_raw(sql).await.unwrap_or_else(|error| panic!("{error}\n{sql}"));
    }
    drop(connection);
    engine.close().await;
}

/// Each kind of tie: to-one and optional, one-to-one, many-to-many, to itself, and two between the same tables.
const SHOP: &[&str] = &[
    "CREATE TABLE people (id integer PRIMARY KEY, boss_id integer REFERENCES people (id), name varchar(50) NOT NULL)",
    "CREATE TABLE profiles (person_id integer PRIMARY KEY REFERENCES people (id), bio text)",
    "CREATE TABLE posts (id integer PRIMARY KEY, author_id integer NOT NULL REFERENCES people (id), \
     editor_id integer REFERENCES people (id))",
    "CREATE TABLE tags (id integer PRIMARY KEY, name varchar(20) NOT NULL UNIQUE)",
    "CREATE TABLE post_tags (post_id integer NOT NULL REFERENCES posts (id), tag_id integer NOT NULL REFERENCES tags \
     (id), PRIMARY KEY (post_id, tag_id))",
];

async fn shop(kind: Kind) -> Option<TestDb> {
    let db = TestDb::of(kind)?;
    run(db.url(), SHOP).await;
    Some(db)
}

#[tokio::test]
async fn mermaid_has_keys_and_cardinalities() {
    for kind in [Kind::Sqlite, Kind::Postgres] {
        let Some(db) = shop(kind).await else { continue };
        let text = drawn(db.url(), &["--columns", "keys"]);
        let integer = if kind == Kind::Sqlite { "bigint" } else { "integer" };
        let wanted = format!(
            "erDiagram
    \"people\" {{
        {integer} id PK
        {integer} boss_id FK \"nullable\"
    }}
    \"posts\" {{
        {integer} id PK
        {integer} author_id FK
        {integer} editor_id FK \"nullable\"
    }}
    \"profiles\" {{
        {integer} person_id PK, FK
    }}
    \"tags\" {{
        {integer} id PK
    }}
    \"people\" |o--o{{ \"people\" : \"boss_id\"
    \"posts\" }}o--o{{ \"tags\" : \"post_tags\"
    \"people\" ||--o{{ \"posts\" : \"author_id\"
    \"people\" |o--o{{ \"posts\" : \"editor_id\"
    \"people\" ||--o| \"profiles\" : \"person_id\"
"
        );
        let lines = |text: &str| {
            let mut lines: Vec<String> = text.lines().map(str::to_string).collect();
            // Neither the order of two keys of one table nor that of the ends of a many-to-many is the database's.
            lines.iter_mut().for_each(|line| {
                if line.contains("}o--o{") {
                    *line = line.replace("\"tags\" }o--o{ \"posts\"", "\"posts\" }o--o{ \"tags\"");
                }
            });
            lines.sort();
            lines
        };
        assert_eq!(lines(&text), lines(&wanted), "{text}");

        let tables = drawn(db.url(), &["--associations", "tables", "--columns", "none"]);
        assert!(tables.contains("\"posts\" ||--o{ \"post_tags\" : \"post_id\""), "{tables}");
        assert!(!tables.contains("}o--o{") && !tables.contains("PK"), "{tables}");
        assert!(drawn(db.url(), &[]).contains("varchar(50) name"), "all columns, if not said otherwise");
    }
}

#[tokio::test]
async fn a_part_can_be_drawn() {
    let Some(db) = shop(Kind::Sqlite).await else { return };
    let tables = |arguments: &[&str]| {
        let told: Value = serde_json::from_str(&drawn(db.url(), &[arguments, &["--json"]].concat())).expect("JSON");
        let tables = told["result"]["tables"].as_array().expect("tables").clone();
        tables.iter().filter_map(|table| table.as_str().map(str::to_string)).collect::<Vec<_>>().join(" ")
    };
    assert_eq!(tables(&["--only", "tags,people"]), "people tags");
    assert_eq!(tables(&["--around", "tags"]), "post_tags tags");
    assert_eq!(tables(&["--around", "tags", "--depth", "2"]), "post_tags posts tags");
    assert_eq!(tables(&["--around", "profiles", "--depth", "0"]), "profiles");
    let wrong = limbeck(&TempFolder::new(), &["--url", db.url(), "--only", "poeple"]);
    assert_eq!(wrong.status.code(), Some(1));
    let said = String::from_utf8_lossy(&wrong.stderr);
    assert!(said.contains("there is no table `poeple`: did you mean `people`?"), "{said}");
}

#[tokio::test]
async fn the_extension_of_the_file_says_what_is_written() {
    let Some(db) = shop(Kind::Sqlite).await else { return };
    let folder = TempFolder::new();
    for (file, begins) in [("a.svg", "<svg xmlns"), ("a.mmd", "erDiagram"), ("a.dot", "digraph")] {
        let output = limbeck(&folder, &["--url", db.url(), "-o", file]);
        assert_eq!(output.status.code(), Some(0));
        let text = std::fs::read_to_string(folder.path().join(file)).expect("the file");
        assert!(text.starts_with(begins), "{text}");
    }
    assert!(limbeck(&folder, &["--url", db.url(), "-o", "a.txt", "--format", "dot"]).status.success());
    let wrong = limbeck(&folder, &["--url", db.url(), "-o", "a.png"]);
    assert!(String::from_utf8_lossy(&wrong.stderr).contains(".svg, .mmd or .dot"));
    assert!(!folder.path().join("a.png").exists());
}

#[tokio::test]
async fn names_with_anything_in_them_are_escaped() {
    for kind in [Kind::Sqlite, Kind::Postgres] {
        let Some(db) = TestDb::of(kind) else { continue };
        let statements = [
            "CREATE TABLE \"a <b> & 'c' 100%\" (\"the \\\\ \"\" key\" integer PRIMARY KEY)",
            "CREATE TABLE \"größe 尺寸\" (id integer PRIMARY KEY, \"x]]>\" integer REFERENCES \"a <b> & 'c' 100%\")",
        ];
        run(db.url(), &statements).await;
        let svg = drawn(db.url(), &["--format", "svg"]);
        let tree = roxmltree::Document::parse(&svg).unwrap_or_else(|error| panic!("{error}\n{svg}"));
        let texts: Vec<&str> = tree.descendants().filter_map(|node| node.text()).collect();
        for name in ["a <b> & 'c' 100%", "the \\\\ \" key", "größe 尺寸", "x]]>"] {
            assert!(texts.contains(&name), "{name}: {texts:?}");
        }
        let mermaid = drawn(db.url(), &[]);
        assert!(mermaid.contains("\"a <b> & 'c' 100_\" |o--o{ \"größe 尺寸\" : \"x]]>\""), "{mermaid}");
        let dot = drawn(db.url(), &["--format", "dot"]);
        assert!(dot.contains("<b>a &lt;b&gt; &amp; &#39;c&#39; 100%</b>"), "{dot}");
    }
}

#[tokio::test]
async fn tables_of_other_schemas_are_drawn_when_they_are_named() {
    let Some(db) = TestDb::of(Kind::Postgres) else { return };
    let statements = [
        "CREATE SCHEMA stock",
        "CREATE TABLE items (id integer PRIMARY KEY)",
        "CREATE TABLE stock.items (id integer PRIMARY KEY REFERENCES items (id))",
    ];
    run(db.url(), &statements).await;
    assert!(!drawn(db.url(), &[]).contains("stock"));
    let both = drawn(db.url(), &["--schema", "stock"]);
    assert!(both.contains("\"items\" ||--o| \"stock.items\" : \"id\""), "{both}");
}

/// Loads a schema of the corpus, as far as this server can.
async fn load(db: &TestDb, dialect: Dialect, file: &std::path::Path) {
    let sql = std::fs::read_to_string(file).expect("a schema");
    let source = format!("-- x\n-- limbeck: revision=aaaa\n-- limbeck: upgrade\n{sql}");
    let parsed = RevisionFile::parse(dialect, "x.sql", &source).expect("statements");
    let engine = Engine::builder(db.url()).connect().await.expect("an engine");
    let mut connection = engine.connect().await.expect("a connection");
    for statement in parsed.upgrade.statements {
        let _ = connection.execute_raw(&statement.sql).await;
    }
    connection.close_on_return();
    drop(connection);
    engine.close().await;
}

/// Real schemas of up to a hundred and more tables: every one is drawn, and is XML.
#[tokio::test]
async fn the_schemas_of_the_corpus_are_drawn() {
    let Some(corpus) = std::env::var_os("LIMBECK_CORPUS") else { return };
    let corpus = std::path::PathBuf::from(corpus);
    let files = [
        (Kind::Sqlite, Dialect::Sqlite, "sqlite/chinook.sql", 10),
        (Kind::Sqlite, Dialect::Sqlite, "sqlite/bacula.sql", 26),
        (Kind::Sqlite, Dialect::Sqlite, "sqlite/mediawiki.sql", 58),
        (Kind::Postgres, Dialect::Postgres, "postgres/lemmy.sql", 50),
        (Kind::Postgres, Dialect::Postgres, "postgres/vaultwarden.sql", 20),
    ];
    for (kind, dialect, file, least) in files {
        let Some(db) = TestDb::of(kind) else { continue };
        load(&db, dialect, &corpus.join(file)).await;
        for columns in ["all", "keys", "none"] {
            let svg = drawn(db.url(), &["--format", "svg", "--columns", columns]);
            let tree = roxmltree::Document::parse(&svg).unwrap_or_else(|error| panic!("{file}: {error}"));
            let boxes = tree.descendants().filter(|node| node.attribute("class") == Some("box")).count();
            assert!(boxes >= least, "{file}: {boxes}");
        }
    }
}
