use super::*;

fn history(revisions: &[(&str, &str)]) -> Result<History> {
    let mut lock = LockFile::default();
    let mut texts = HashMap::new();
    for (id, parents) in revisions {
        let file = format!("{id}.sql");
        let text = format!("-- {id}\n-- limbeck: revision={id} revises={parents}\n-- limbeck: upgrade\n");
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
    assert!(two.upgrades(&set(&[]), &Target::Head).unwrap_err().to_string().contains("bbbb and cccc"));
    assert_eq!(ids(two.upgrades(&set(&[]), &Target::Revision("cccc".into())).unwrap()), ["aaaa", "cccc"]);
    assert_eq!(ids(two.current(&set(&["aaaa", "bbbb", "cccc"]))), ["bbbb", "cccc"]);
    let one = history(&[&branches[..], &[("dddd", "bbbb,cccc")]].concat()).unwrap();
    // What an older branch brings is applied, though a newer revision already is.
    assert_eq!(ids(one.upgrades(&set(&["aaaa", "cccc"]), &Target::Head).unwrap()), ["bbbb", "dddd"]);
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
