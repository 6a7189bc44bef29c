use super::*;
use crate::revision::Target;

/// Each revision with its parents, and after them other words of its header.
fn history(revisions: &[(&str, &str)]) -> Result<History> {
    let mut lock = LockFile::default();
    let mut texts = HashMap::new();
    for (id, words) in revisions {
        let file = format!("{id}.sql");
        let text = format!("-- {id}\n-- limbeck: revision={id} revises={words}\n-- limbeck: upgrade\n");
        let parents = words.split(' ').next().unwrap_or_default();
        let parents = parents.split(',').filter(|p| !p.is_empty()).map(str::to_string).collect();
        lock.lines.push(Line {
            id: (*id).into(),
            parents,
            file: file.clone(),
            hash: content_hash(Dialect::Postgres, &text),
        });
        texts.insert(file, text);
    }
    History::build(lock, |file| Ok(texts[file].clone()))
}

fn ids(revisions: Vec<&Revision>) -> Vec<&str> {
    revisions.into_iter().map(|r| r.id.as_str()).collect()
}

fn set(ids: &[&str]) -> BTreeSet<String> {
    ids.iter().map(|id| id.to_string()).collect()
}

#[test]
fn the_way_up_and_down_a_line() {
    let history = history(&[("cccc1", "bbbb1"), ("aaaa1", ""), ("bbbb1", "aaaa1")]).unwrap();
    let up = |applied: &[&str], target: &str| {
        history.upgrades(&set(applied), &Target::parse(target).unwrap()).map(ids).map_err(|e| e.to_string())
    };
    let down = |applied: &[&str], target: &str| {
        history.downgrades(&set(applied), &Target::parse(target).unwrap()).map(ids).map_err(|e| e.to_string())
    };
    assert_eq!(up(&[], "head").unwrap(), ["aaaa1", "bbbb1", "cccc1"]);
    assert_eq!(up(&["aaaa1"], "+1").unwrap(), ["bbbb1"]);
    assert_eq!(up(&[], "bbbb").unwrap(), ["aaaa1", "bbbb1"]);
    assert!(up(&["aaaa1", "bbbb1", "cccc1"], "+1").unwrap_err().contains("only 0"));
    assert!(up(&[], "base").unwrap_err().contains("goes up"));
    assert!(up(&["zzzz"], "head").unwrap_err().contains("zzzz"));
    assert_eq!(down(&["aaaa1", "bbbb1", "cccc1"], "-2").unwrap(), ["cccc1", "bbbb1"]);
    assert_eq!(down(&["aaaa1", "bbbb1", "cccc1"], "aaaa1").unwrap(), ["cccc1", "bbbb1"]);
    assert_eq!(down(&["aaaa1"], "base").unwrap(), ["aaaa1"]);
    assert!(down(&["aaaa1"], "bbbb1").unwrap_err().contains("does not have"));
    assert!(down(&["aaaa1"], "head").unwrap_err().contains("goes down"));
}

#[test]
fn a_branch_has_two_heads_until_it_is_merged() {
    let branches = [("aaaa", ""), ("bbbb", "aaaa"), ("cccc", "aaaa")];
    let two = history(&branches).unwrap();
    assert!(two.upgrades(&set(&[]), &Target::HEAD).unwrap_err().to_string().contains("bbbb and cccc"));
    assert_eq!(ids(two.upgrades(&set(&[]), &Target::revision("cccc")).unwrap()), ["aaaa", "cccc"]);
    assert_eq!(ids(two.current(&set(&["aaaa", "bbbb", "cccc"]))), ["bbbb", "cccc"]);
    let one = history(&[&branches[..], &[("dddd", "bbbb,cccc")]].concat()).unwrap();
    // What an older branch brings is applied, though a newer revision already is.
    assert_eq!(ids(one.upgrades(&set(&["aaaa", "cccc"]), &Target::HEAD).unwrap()), ["bbbb", "dddd"]);
}

#[test]
fn partial_ids_need_four_characters_and_be_clear() {
    let history = history(&[("abcd1", ""), ("abcd2", "abcd1"), ("ef", "abcd2")]).unwrap();
    assert_eq!(history.find("ef").unwrap().id, "ef");
    assert!(history.find("abcd").unwrap_err().to_string().contains("abcd1 or abcd2"));
    assert!(history.find("e").unwrap_err().to_string().contains("four characters"));
    assert!(history.find("zzzz").is_err());
}

#[test]
fn circles_and_missing_parents_are_errors() {
    assert!(history(&[("aa", "bb"), ("bb", "aa")]).unwrap_err().to_string().contains("circle"));
    assert!(history(&[("aa", "bb")]).unwrap_err().to_string().contains("follows bb"));
}

#[test]
fn an_edited_file_is_found_and_one_for_another_database_refused() {
    let text = "-- a\n-- limbeck: revision=aa revises= database=sqlite\n-- limbeck: upgrade\nSELECT 1;\n";
    let line = Line {
        id: "aa".into(),
        parents: vec![],
        file: "aa.sql".into(),
        hash: content_hash(Dialect::Sqlite, &text.replace('1', "2")),
    };
    let history = History::build(LockFile { lines: vec![line] }, |_| Ok(text.to_string())).unwrap();
    assert_eq!(history.edited()[0].hash, content_hash(Dialect::Sqlite, text));
    assert!(history.revisions()[0].for_database(Dialect::Sqlite).is_ok());
    assert!(
        history.revisions()[0].for_database(Dialect::Postgres).unwrap_err().to_string().contains("only for sqlite")
    );
}

/// Two lines that begin on their own, a branch on the first, and a revision that depends on the other line.
fn branched() -> History {
    history(&[
        ("main1", " labels=main"),
        ("main2", "main1"),
        ("side1", "main1 labels=side"),
        ("bill1", " labels=billing"),
        ("bill2", "bill1 depends_on=main2"),
        ("side2", "side1"),
    ])
    .unwrap()
}

#[test]
fn labels_name_branches_and_revisions() {
    let history = branched();
    let up = |applied: &[&str], target: &str| {
        history.upgrades(&set(applied), &Target::parse(target).unwrap()).map(ids).map_err(|e| e.to_string())
    };
    assert_eq!(up(&[], "side@head").unwrap(), ["main1", "side1", "side2"]);
    assert_eq!(up(&["main1"], "side@+1").unwrap(), ["side1"]);
    assert_eq!(up(&[], "billing").unwrap(), ["bill1"]);
    assert_eq!(up(&[], "billing+1").unwrap(), ["main1", "main2", "bill1", "bill2"]);
    assert_eq!(up(&[], "side2-1").unwrap(), ["main1", "side1"]);
    assert_eq!(up(&[], "heads").unwrap(), ["main1", "main2", "side1", "bill1", "bill2", "side2"]);
    assert!(up(&[], "head").unwrap_err().contains("3 heads"));
    assert!(up(&[], "+1").unwrap_err().contains("3 heads"));
    assert!(up(&[], "main@head").unwrap_err().contains("main2 and side2"));
    assert!(up(&[], "main+1").unwrap_err().contains("several revisions above main1, main2 and side1"));
    assert!(up(&[], "billing@main2").unwrap_err().contains("not on the branch"));
    assert!(up(&[], "bilig@head").unwrap_err().contains("labels are main, side, billing"));
}

#[test]
fn what_depends_on_a_revision_goes_before_it() {
    let history = branched();
    let all = ["main1", "main2", "side1", "bill1", "bill2", "side2"];
    let down = |applied: &[&str], target: &str| {
        history.downgrades(&set(applied), &Target::parse(target).unwrap()).map(ids).map_err(|e| e.to_string())
    };
    assert_eq!(down(&all, "main1").unwrap(), ["side2", "bill2", "side1", "main2"]);
    assert_eq!(down(&all, "side@base").unwrap(), ["side2", "side1"]);
    assert_eq!(down(&all, "billing@-1").unwrap(), ["bill2"]);
    assert_eq!(down(&all, "billing@base").unwrap(), ["bill2", "bill1"]);
    assert_eq!(down(&all, "side2-1").unwrap(), ["side2"]);
    assert_eq!(down(&all, "base").unwrap().len(), 6);
    assert!(down(&all, "-1").unwrap_err().contains("say the branch"));
}

#[test]
fn ranges_have_both_ends() {
    let history = branched();
    let range = |text: &str| history.range(text, Some(&set(&["main1", "side1"]))).map(ids).map_err(|e| e.to_string());
    assert_eq!(range("side1:side2").unwrap(), ["side1", "side2"]);
    assert_eq!(range("main1:side@head").unwrap(), ["main1", "side1", "side2"]);
    assert_eq!(range("current:").unwrap(), ["side1", "side2"]);
    assert_eq!(range("base:bill1").unwrap(), ["bill1"]);
    assert_eq!(range(":").unwrap().len(), 6);
    assert!(range("head").unwrap_err().contains("not a range"));
    assert!(history.range("current:", None).is_err());
}

#[test]
fn a_label_is_taken_once() {
    let twice = history(&[("aaaa", " labels=x"), ("bbbb", "aaaa labels=x")]).unwrap_err().to_string();
    assert!(twice.contains("`x` is taken by revision bbbb"), "{twice}");
    assert!(history(&[("aaaa", ""), ("bbbb", "aaaa labels=aaaa")]).is_err());
    assert!(history(&[("aaaa", " labels=a-b")]).unwrap_err().to_string().contains("aaaa.sql:2"));
}

#[test]
fn the_branch_that_was_not_applied_moves() {
    let forked = [("aaaa", ""), ("bbbb", "aaaa"), ("cccc", "aaaa"), ("dddd", "cccc")];
    let history = history(&forked).unwrap();
    let plan = |head, onto, applied: &[&str]| {
        let applied = set(applied);
        history.rebase(head, onto, |r| applied.contains(&r.id)).map_err(|e| e.to_string())
    };
    let moved = plan(None, None, &["aaaa", "bbbb"]).unwrap();
    assert_eq!((moved.first.as_str(), moved.onto.as_str()), ("cccc", "bbbb"));
    assert_eq!(moved.moved, ["cccc", "dddd"]);
    assert_eq!(plan(Some("bbbb"), None, &[]).unwrap().onto, "dddd");
    assert!(plan(None, None, &[]).unwrap_err().contains("say which branch moves"));
    assert!(plan(Some("dddd"), None, &["cccc"]).unwrap_err().contains("has revision cccc already"));
    assert!(plan(Some("dddd"), Some("aaaa"), &[]).unwrap_err().contains("cccc follows aaaa already"));
    assert!(plan(Some("bbbb"), Some("bbbb"), &[]).unwrap_err().contains("does not stand beside"));
}
