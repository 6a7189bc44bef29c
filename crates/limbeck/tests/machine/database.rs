//! What the database holds, read by one statement written by hand: no mapping, no identity map.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write;

use limbeck::Result;
use limbeck::engine::Connection;
use limbeck::prelude::*;
use limbeck::session::Session;

use crate::objects::View;
use crate::reference::{Col, Fk, Id, KINDS, Kind, Row, World};

#[derive(FromRow, Debug)]
struct Line {
    kind: String,
    label: i64,
    c0: Option<String>,
    c1: Option<String>,
    c2: Option<String>,
    c3: Option<String>,
    c4: Option<String>,
    key: Option<String>,
    f0: Option<String>,
    f1: Option<String>,
    tick: Option<i64>,
    r0: Option<i64>,
    r1: Option<i64>,
}

/// The rows of all tables: what they are to the reference, and what objects have to hold.
#[derive(Debug, Default)]
pub struct Dump {
    pub world: World,
    pub views: BTreeMap<Id, View>,
}

/// In the session's own transaction. It flushes first if the session does so.
pub async fn inside(session: &mut Session) -> Result<Dump> {
    let lines = session.all(limbeck::sql::trusted(statement()).rows::<Line>()).await?;
    Ok(dump(lines))
}

/// By a connection of its own: what is committed.
pub async fn committed(connection: &mut Connection) -> Result<Dump> {
    let lines = connection.all(limbeck::sql::trusted(statement()).rows::<Line>()).await?;
    Ok(dump(lines))
}

pub async fn clear(connection: &mut Connection) -> Result<()> {
    for statement in ["UPDATE people SET boss_id = NULL", "DELETE FROM task_tags", "DELETE FROM tasks"] {
        connection.execute_sql(sql(statement)).await?;
    }
    for kind in [
        Kind::Mark,
        Kind::Page,
        Kind::Cover,
        Kind::Doc,
        Kind::Tag,
        Kind::Room,
        Kind::Pin,
        Kind::Badge,
        Kind::Profile,
        Kind::Passport,
        Kind::Person,
    ] {
        connection.execute_sql(limbeck::sql::trusted(format!("DELETE FROM {}", table(kind)))).await?;
    }
    Ok(())
}

fn table(kind: Kind) -> &'static str {
    match kind {
        Kind::Person => "people",
        Kind::Profile => "profiles",
        Kind::Passport => "passports",
        Kind::Task => "tasks",
        Kind::Tag => "tags",
        Kind::Room => "rooms",
        Kind::Pin => "pins",
        Kind::Badge => "badges",
        Kind::Doc => "docs",
        Kind::Page => "pages",
        Kind::Cover => "covers",
        Kind::Mark => "marks",
    }
}

/// The primary key of a row of `alias` as text.
fn key(kind: Kind, alias: &str) -> String {
    match kind {
        Kind::Room => format!("{alias}.code || '/' || CAST({alias}.floor AS text)"),
        Kind::Badge => format!("{alias}.code"),
        _ => format!("CAST({alias}.id AS text)"),
    }
}

/// How a row refers to another: the key as text, and the condition to find the other.
fn reference(fk: Fk, other: &str) -> (String, String) {
    match fk {
        Fk::TaskIn => (
            "t.room_code || '/' || CAST(t.room_floor AS text)".into(),
            format!("{other}.code = t.room_code AND {other}.floor = t.room_floor"),
        ),
        fk => {
            let column = match fk {
                Fk::Boss => "boss_id",
                Fk::PageOf | Fk::CoverOf => "doc_id",
                Fk::MarkOf => "page_id",
                _ => "person_id",
            };
            (format!("CAST(t.{column} AS text)"), format!("{other}.id = t.{column}"))
        }
    }
}

fn statement() -> String {
    let mut text = String::new();
    let names = ["c0", "c1", "c2", "c3", "c4"];
    for kind in KINDS {
        let _ = write!(text, "SELECT CAST('{kind:?}' AS text) AS kind, t.label AS label");
        for (at, name) in names.iter().enumerate() {
            match Col::of(kind).get(at) {
                Some(col) => drop(write!(text, ", CAST(t.\"{}\" AS text) AS {name}", col.name())),
                None => drop(write!(text, ", CAST(NULL AS text) AS {name}")),
            }
        }
        let _ = write!(text, ", {} AS key", key(kind, "t"));
        let fks: Vec<Fk> = Fk::of(kind).collect();
        for at in 0..2 {
            let value = fks.get(at).map_or("CAST(NULL AS text)".into(), |fk| reference(*fk, "").0);
            let _ = write!(text, ", {value} AS f{at}");
        }
        let tick = match kind {
            Kind::Person | Kind::Task => "t.tick",
            Kind::Doc => "t.version",
            _ => "CAST(NULL AS bigint)",
        };
        let _ = write!(text, ", {tick} AS tick");
        for at in 0..2 {
            let value = fks.get(at).map_or("CAST(NULL AS bigint)".into(), |_| format!("p{at}.label"));
            let _ = write!(text, ", {value} AS r{at}");
        }
        let _ = write!(text, " FROM {} t", table(kind));
        for (at, fk) in fks.iter().enumerate() {
            let other = format!("p{at}");
            let _ = write!(text, " LEFT JOIN {} {other} ON {}", table(fk.parent()), reference(*fk, &other).1);
        }
        text.push_str(" UNION ALL ");
    }
    let nulls = "CAST(NULL AS text), CAST(NULL AS text), CAST(NULL AS text), CAST(NULL AS text), CAST(NULL AS text), \
                 CAST(NULL AS text), CAST(NULL AS text), CAST(NULL AS text), CAST(NULL AS bigint)";
    let _ = write!(
        text,
        "SELECT CAST('Link' AS text), t.label, {nulls}, g.label, CAST(NULL AS bigint) FROM task_tags l \
         JOIN tasks t ON t.id = l.task_id JOIN tags g ON g.id = l.tag_id"
    );
    text
}

fn dump(lines: Vec<Line>) -> Dump {
    let mut dump = Dump::default();
    let mut links = BTreeSet::new();
    for line in lines {
        let Some(kind) = KINDS.into_iter().find(|kind| format!("{kind:?}") == line.kind) else {
            assert!(links.insert((line.label, line.r0.expect("a tag"))), "a row of the association is there twice");
            continue;
        };
        let values = [line.c0, line.c1, line.c2, line.c3, line.c4];
        let cols: BTreeMap<Col, Option<String>> = Col::of(kind).iter().copied().zip(values).collect();
        let refs = Fk::of(kind).zip([line.r0, line.r1]).collect();
        let fks = Fk::of(kind).zip([line.f0, line.f1]).collect();
        dump.world.rows.insert(line.label, Row { kind, cols: cols.clone(), refs, computed: BTreeMap::new() });
        let view = View { cols, key: line.key.unwrap_or_default(), fks, tick: line.tick };
        assert!(dump.views.insert(line.label, view).is_none(), "{kind:?} {} is there twice", line.label);
    }
    dump.world.links = links;
    dump
}
