//! Tables made by hand, and a project in a folder of its own.
#![allow(dead_code, reason = "each test file uses a part")]

use limbeck::dialect::Dialect;
use limbeck::engine::Engine;
use limbeck::schema::{
    Action, Column, ForeignKey, Index, Metadata, PrimaryKey, SqlType, Table, UniqueConstraint, in_creation_order,
    naming,
};
use limbeck_migrate::Migrator;
use limbeck_migrate::autogenerate::{Difference, difference};
use limbeck_migrate::compare::{Op, Spelling, compare};
use limbeck_migrate::reflect::Schema;
use limbeck_migrate::render::{Plan, render};
use limbeck_migrate::revision::{History, LOCK_FILE, NewRevision, owned_tables};
use limbeck_test_support::{TempFolder, TestDb};

/// A table with a generated key `id`.
pub(crate) fn table(name: &str) -> Table {
    Table {
        name: name.into(),
        columns: vec![Column { generated: true, ..Column::new("id", SqlType::BigInteger) }],
        primary_key: Some(PrimaryKey { name: Some(naming::primary_key(name)), columns: vec!["id".into()] }),
        ..<Table as Default>::default()
    }
}

pub(crate) trait With: Sized {
    fn column(self, name: &str, sql_type: SqlType) -> Self;
    fn nullable(self) -> Self;
    fn default(self, sql: &str) -> Self;
    fn unique(self, columns: &[&str]) -> Self;
    fn index(self, columns: &[&str]) -> Self;
    fn refers(self, column: &str, target: &str, on_delete: Action) -> Self;
    fn key(self, columns: &[&str]) -> Self;
    fn without(self, column: &str) -> Self;
}

impl With for Table {
    fn column(mut self, name: &str, sql_type: SqlType) -> Self {
        self.columns.push(Column::new(name, sql_type));
        self
    }

    fn nullable(mut self) -> Self {
        self.columns.last_mut().unwrap().nullable = true;
        self
    }

    fn default(mut self, sql: &str) -> Self {
        self.columns.last_mut().unwrap().server_default = Some(sql.into());
        self
    }

    fn unique(mut self, columns: &[&str]) -> Self {
        let columns: Vec<String> = columns.iter().map(|c| c.to_string()).collect();
        self.uniques.push(UniqueConstraint {
            name: Some(naming::unique(&self.name, &columns)),
            columns,
            ..UniqueConstraint::default()
        });
        self
    }

    fn index(mut self, columns: &[&str]) -> Self {
        let columns: Vec<String> = columns.iter().map(|c| c.to_string()).collect();
        let name = naming::index(&self.name, &columns);
        self.indexes.push(Index { name, columns, ..Index::default() });
        self
    }

    fn refers(mut self, column: &str, target: &str, on_delete: Action) -> Self {
        self.foreign_keys.push(ForeignKey {
            name: Some(naming::foreign_key(&self.name, &[column], target)),
            columns: vec![column.into()],
            target_table: target.into(),
            target_columns: vec!["id".into()],
            on_delete,
            ..ForeignKey::default()
        });
        self
    }

    fn key(mut self, columns: &[&str]) -> Self {
        let generated = columns == ["id"];
        for column in &mut self.columns {
            column.generated = generated && column.name == "id";
        }
        self.primary_key.as_mut().unwrap().columns = columns.iter().map(|c| c.to_string()).collect();
        self
    }

    fn without(mut self, column: &str) -> Self {
        self.columns.retain(|c| c.name != column);
        self.uniques.retain(|u| !u.columns.iter().any(|c| c == column));
        self.indexes.retain(|i| !i.columns.iter().any(|c| c == column));
        self.foreign_keys.retain(|k| !k.columns.iter().any(|c| c == column));
        self
    }
}

pub(crate) fn metadata(tables: Vec<Table>) -> Metadata {
    Metadata::new(in_creation_order(tables))
}

/// A folder of migrations and a database.
pub(crate) struct Project {
    folder: TempFolder,
    pub(crate) engine: Engine,
    pub(crate) db: TestDb,
}

impl Project {
    pub(crate) async fn new(db: TestDb) -> Project {
        let folder = TempFolder::new();
        std::fs::write(folder.path().join(LOCK_FILE), "").unwrap();
        let engine = Engine::builder(db.url()).connect().await.unwrap();
        Project { folder, engine, db }
    }

    pub(crate) fn path(&self) -> &std::path::Path {
        self.folder.path()
    }

    pub(crate) fn dialect(&self) -> Dialect {
        self.engine.dialect()
    }

    pub(crate) fn history(&self) -> History {
        History::read(self.folder.path()).unwrap()
    }

    pub(crate) fn migrator(&self) -> Migrator {
        Migrator::new(self.history())
    }

    pub(crate) async fn difference(&self, wanted: &Metadata) -> Difference {
        difference(&self.migrator(), &self.engine, wanted).await.unwrap()
    }

    /// What differs, whether the database is at head or not.
    pub(crate) async fn ops(&self, wanted: &Metadata) -> Vec<Op> {
        let mut connection = self.engine.connect().await.unwrap();
        let owned = owned_tables(&self.history(), self.dialect()).unwrap();
        let live = Schema::read_for(&mut connection, wanted, &owned).await.unwrap();
        let wanted = live.adopt(wanted).unwrap();
        let spelling = Spelling::ask(&mut connection, &wanted, &live).await.unwrap();
        compare(&wanted, &live, &spelling, &owned).ops
    }

    /// Writes a revision that brings the database to `wanted`; `None` where nothing differs.
    pub(crate) async fn autogenerate(&self, message: &str, wanted: &Metadata) -> Option<Plan> {
        let found = self.difference(wanted).await;
        if found.diff.ops.is_empty() {
            return None;
        }
        let plan = render(&found.diff.ops, &found.live);
        NewRevision::new(message)
            .write(self.folder.path(), &self.history(), &[(self.dialect(), plan.clone())])
            .unwrap();
        Some(plan)
    }

    /// Writes a revision by hand.
    pub(crate) fn write(&self, message: &str, upgrade: &str, downgrade: &str) -> String {
        let revision = NewRevision::new(message);
        let paths = revision.write(self.folder.path(), &self.history(), &[(self.dialect(), Plan::default())]).unwrap();
        let text = std::fs::read_to_string(&paths[0]).unwrap();
        let (head, tail) = text.split_once("\n-- limbeck: downgrade").unwrap();
        let text = format!("{head}{upgrade}\n\n-- limbeck: downgrade{tail}{downgrade}\n");
        std::fs::write(&paths[0], text).unwrap();
        limbeck_migrate::revision::repair_folder(self.folder.path()).unwrap();
        revision.id
    }

    pub(crate) async fn upgrade(&self) {
        if let Err(error) = self.migrator().upgrade(&self.engine, "head").await {
            panic!("{error}");
        }
    }

    pub(crate) async fn downgrade(&self, target: &str) {
        if let Err(error) = self.migrator().downgrade(&self.engine, target).await {
            panic!("{error}");
        }
    }

    /// The schema without the text that SQLite keeps, of which only the meaning comes back.
    pub(crate) async fn schema(&self) -> Vec<Table> {
        self.schema_of(&Metadata::default()).await
    }

    /// The same, with the schemas that these tables are in.
    pub(crate) async fn schema_of(&self, tables: &Metadata) -> Vec<Table> {
        let mut connection = self.engine.connect().await.unwrap();
        Schema::read_for(&mut connection, tables, &Default::default()).await.unwrap().tables
    }

    pub(crate) async fn run(&self, sql: &str) {
        self.engine.connect().await.unwrap().execute_raw(sql).await.unwrap();
    }

    pub(crate) async fn count(&self, table: &str) -> i64 {
        let mut connection = self.engine.connect().await.unwrap();
        let rows: Vec<(i64,)> = connection.fetch_raw(&format!("SELECT count(*) FROM {table}"), &[]).await.unwrap();
        rows[0].0
    }
}

/// A schema with its parts in an order that does not depend on how it came about.
pub(crate) fn sorted(mut tables: Vec<Table>) -> Vec<Table> {
    for table in &mut tables {
        table.columns.sort_by(|a, b| a.name.cmp(&b.name));
        table.uniques.sort_by(|a, b| a.columns.cmp(&b.columns));
        table.indexes.sort_by(|a, b| a.name.cmp(&b.name));
        table.foreign_keys.sort_by(|a, b| (&a.columns, &a.target_table).cmp(&(&b.columns, &b.target_table)));
        table.checks.sort_by(|a, b| a.expression.cmp(&b.expression));
    }
    tables.sort_by(|a, b| a.name.cmp(&b.name));
    tables
}

/// The words of an SQLite statement, however they are quoted and spaced, and wherever they stand: a column may have
/// another place, and a constraint may stand with its column.
pub(crate) fn sqlite_words(sql: &str) -> String {
    let mut words = Vec::new();
    let mut rest = sql.chars().peekable();
    while let Some(c) = rest.next() {
        let close = match c {
            '"' | '`' | '\'' => c,
            '[' => ']',
            _ if c.is_alphanumeric() || c == '_' => {
                let mut word = c.to_lowercase().to_string();
                while let Some(next) = rest.next_if(|next| next.is_alphanumeric() || *next == '_') {
                    word.extend(next.to_lowercase());
                }
                words.push(word);
                continue;
            }
            _ if c.is_whitespace() || matches!(c, ',' | '(' | ')' | ';') => continue,
            _ => {
                words.push(c.to_string());
                continue;
            }
        };
        let quoted: String = rest.by_ref().take_while(|next| *next != close).collect();
        words.push(if c == '\'' { format!("'{quoted}'") } else { quoted.to_lowercase() });
    }
    words.sort_unstable();
    words.join(" ")
}
