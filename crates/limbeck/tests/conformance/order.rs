//! In which order a flush sends what it has to: U1, U2, U13, U16 to U18, U45, U47 and U48.

use limbeck::prelude::*;
use limbeck::session::State;
use limbeck::{Error, Result, metadata};
use limbeck_test_support::{TestDb, both};

use crate::common::{Node, Post, Tag, User, user};
use crate::sent::sessions;

/// Its keys are given by the program, so that another object may have one of them.
#[derive(Model, Debug)]
#[model(table = "ord_desks")]
struct Desk {
    #[column(primary_key, autoincrement = false)]
    id: i64,
    name: String,
    note: Option<String>,
    #[column(server_default = "7")]
    rank: i32,
    #[column(unique)]
    code: Option<i64>,
    #[relationship(back_populates = desk)]
    lamps: HasMany<Lamp>,
    #[relationship(back_populates = desk)]
    drawers: HasMany<Drawer>,
    #[relationship(secondary = "ord_desk_users", back_populates = desks)]
    users: ManyToMany<Sitter>,
}

/// A deletion of the desk sets its key to NULL.
#[derive(Model, Debug)]
#[model(table = "ord_lamps")]
struct Lamp {
    #[column(primary_key)]
    id: i64,
    #[column(foreign_key(Desk.id))]
    desk_id: Option<i64>,
    #[relationship(back_populates = lamps)]
    desk: BelongsTo<Option<Desk>>,
}

/// The database deletes it with the desk.
#[derive(Model, Debug)]
#[model(table = "ord_drawers")]
struct Drawer {
    #[column(primary_key)]
    id: i64,
    #[column(foreign_key(Desk.id, on_delete = cascade))]
    desk_id: i64,
    #[relationship(back_populates = drawers)]
    desk: BelongsTo<Desk>,
}

#[derive(Model, Debug)]
#[model(table = "ord_sitters")]
struct Sitter {
    #[column(primary_key)]
    id: i64,
    #[relationship(secondary = "ord_desk_users", back_populates = users)]
    desks: ManyToMany<Desk>,
}

/// A row switch that is counted.
#[derive(Model, Debug)]
#[model(table = "ord_counted")]
struct Counted {
    #[column(primary_key)]
    key: String,
    text: String,
    #[column(version)]
    version: i32,
}

/// The parent's key is part of the child's.
#[derive(Model, Debug)]
#[model(table = "ord_addresses")]
struct Address {
    #[column(primary_key, foreign_key(Desk.id))]
    desk_id: i64,
    text: String,
    #[relationship]
    desk: BelongsTo<Desk>,
}

#[derive(Model, Debug)]
#[model(table = "ord_people")]
struct Person {
    #[column(primary_key)]
    id: i64,
    name: String,
    #[column(foreign_key(Ball.id))]
    favorite_id: Option<i64>,
    #[relationship(key = favorite_id, post_update)]
    favorite: BelongsTo<Option<Ball>>,
    #[relationship(back_populates = person)]
    balls: HasMany<Ball>,
}

#[derive(Model, Debug)]
#[model(table = "ord_balls")]
struct Ball {
    #[column(primary_key)]
    id: i64,
    #[column(foreign_key(Person.id))]
    person_id: i64,
    #[relationship(back_populates = balls, key = person_id)]
    person: BelongsTo<Person>,
}

/// The collection has its keys written later.
#[derive(Model, Debug)]
#[model(table = "ord_players")]
struct Player {
    #[column(primary_key)]
    id: i64,
    #[column(foreign_key(Bat.id))]
    best_id: i64,
    #[relationship(key = best_id)]
    best: BelongsTo<Bat>,
    #[relationship(back_populates = player, post_update, passive_deletes)]
    bats: HasMany<Bat>,
}

#[derive(Model, Debug)]
#[model(table = "ord_bats")]
struct Bat {
    #[column(primary_key)]
    id: i64,
    #[column(foreign_key(Player.id))]
    player_id: Option<i64>,
    #[relationship(back_populates = bats, key = player_id)]
    player: BelongsTo<Option<Player>>,
}

/// Two tables that refer to each other; nobody asked for a post-update. The second's key is NOT NULL.
#[derive(Model, Debug)]
#[model(table = "ord_towns")]
struct Town {
    #[column(primary_key)]
    id: i64,
    #[column(foreign_key(Mayor.id))]
    mayor_id: Option<i64>,
    #[relationship(key = mayor_id)]
    mayor: BelongsTo<Option<Mayor>>,
}

#[derive(Model, Debug)]
#[model(table = "ord_mayors")]
struct Mayor {
    #[column(primary_key)]
    id: i64,
    #[column(foreign_key(Town.id))]
    town_id: i64,
    #[relationship(key = town_id)]
    town: BelongsTo<Town>,
}

/// Neither key can be NULL.
#[derive(Model, Debug)]
#[model(table = "ord_eggs")]
struct Egg {
    #[column(primary_key)]
    id: i64,
    #[column(foreign_key(Hen.id))]
    hen_id: i64,
    #[relationship(key = hen_id)]
    hen: BelongsTo<Hen>,
}

#[derive(Model, Debug)]
#[model(table = "ord_hens")]
struct Hen {
    #[column(primary_key)]
    id: i64,
    #[column(foreign_key(Egg.id))]
    egg_id: i64,
    #[relationship(key = egg_id)]
    egg: BelongsTo<Egg>,
}

/// Likewise, but one key is looked at when the transaction ends.
#[derive(Model, Debug)]
#[model(table = "ord_locks")]
struct Lock {
    #[column(primary_key)]
    code: String,
    #[column(foreign_key(Key.code, deferrable = initially_deferred))]
    key_code: String,
    #[relationship(key = key_code)]
    key: BelongsTo<Key>,
}

#[derive(Model, Debug)]
#[model(table = "ord_keys")]
struct Key {
    #[column(primary_key)]
    code: String,
    #[column(foreign_key(Lock.code))]
    lock_code: String,
    #[relationship(key = lock_code)]
    lock: BelongsTo<Lock>,
}

/// Likewise, but only PostgreSQL can be told to look later.
#[derive(Model, Debug)]
#[model(table = "ord_bolts")]
struct Bolt {
    #[column(primary_key)]
    code: String,
    #[column(foreign_key(Nut.code, deferrable = initially_immediate))]
    nut_code: String,
    #[relationship(key = nut_code)]
    nut: BelongsTo<Nut>,
}

#[derive(Model, Debug)]
#[model(table = "ord_nuts")]
struct Nut {
    #[column(primary_key)]
    code: String,
    #[column(foreign_key(Bolt.code))]
    bolt_code: String,
    #[relationship(key = bolt_code)]
    bolt: BelongsTo<Bolt>,
}

/// Three levels, and another parent of the middle one.
#[derive(Model, Debug)]
#[model(table = "ord_roots")]
struct Root {
    #[column(primary_key)]
    id: i64,
    #[relationship(back_populates = root, cascade(all))]
    middles: HasMany<Middle>,
}

#[derive(Model, Debug)]
#[model(table = "ord_sides")]
struct Side {
    #[column(primary_key)]
    id: i64,
    #[relationship(back_populates = side)]
    middles: HasMany<Middle>,
}

#[derive(Model, Debug)]
#[model(table = "ord_middles")]
struct Middle {
    #[column(primary_key)]
    id: i64,
    #[column(foreign_key(Root.id))]
    root_id: i64,
    #[column(foreign_key(Side.id))]
    side_id: i64,
    #[relationship(back_populates = middles)]
    root: BelongsTo<Root>,
    #[relationship(back_populates = middles)]
    side: BelongsTo<Side>,
    #[relationship(back_populates = middle, cascade(all))]
    leaves: HasMany<Leaf>,
}

#[derive(Model, Debug)]
#[model(table = "ord_leaves")]
struct Leaf {
    #[column(primary_key)]
    id: i64,
    #[column(foreign_key(Middle.id))]
    middle_id: i64,
    #[relationship(back_populates = leaves)]
    middle: BelongsTo<Middle>,
}

fn desks() -> limbeck::schema::Metadata {
    metadata![Desk, Lamp, Drawer, Sitter, Address].expect("metadata")
}

fn desk(id: i64, name: &str) -> impl limbeck::model::New<Model = Desk> + use<> {
    Desk::builder().id(id).name(name)
}

both! {
    async fn u01_a_parent_with_two_children_is_two_inserts_and_the_keys_are_filled_in(db: TestDb) -> Result<()> {
        let (sessions, sent) = sessions(&db, metadata![User, Post, Tag]?).await;
        let mut session = sessions.open();
        let ada = session.add(user("ada"));
        let posts = ["one", "two"].map(|title| session.add(Post::builder().title(title).author(ada)));
        session.commit().await?;
        assert_eq!(sent.take(), ["INSERT users (1)", "INSERT posts (2)"]);
        assert!(posts.iter().all(|post| session[*post].author_id == session[ada].id && session[ada].id != 0));
        Ok(())
    }

    async fn u02_children_that_were_added_first_wait_for_their_parent(db: TestDb) -> Result<()> {
        let (sessions, sent) = sessions(&db, desks()).await;
        let mut session = sessions.open();
        let lamps = [(); 2].map(|()| session.add(Lamp::builder()));
        let desk = session.add(desk(1, "desk"));
        for lamp in lamps {
            session.link(lamp, Lamp.desk, desk)?;
        }
        session.commit().await?;
        assert_eq!(sent.take(), ["INSERT ord_desks (1)", "INSERT ord_lamps (2)"]);
        assert_eq!(session[lamps[1]].desk_id, Some(1));
        Ok(())
    }

    async fn u13_a_tree_of_one_table_is_one_insert_a_level(db: TestDb) -> Result<()> {
        let (sessions, sent) = sessions(&db, metadata![Node]?).await;
        let mut session = sessions.open();
        // 1 + 33 + 1,089 rows, leaves first.
        let mut nodes = Vec::new();
        for at in 0..1123 {
            nodes.push(session.add(Node::builder().name(format!("{at}"))));
        }
        for at in 0..1122 {
            let parent = if at < 1089 { 1089 + at / 33 } else { 1122 };
            session.link(nodes[at], Node.parent, nodes[parent])?;
        }
        session.commit().await?;
        assert_eq!(sent.take(), ["INSERT nodes (1)", "INSERT nodes (33)", "INSERT nodes (1089)"]);
        assert_eq!(session[nodes[0]].parent_id, Some(session[nodes[1089]].id));
        assert_eq!(session[nodes[1089]].parent_id, Some(session[nodes[1122]].id));
        // And back: children before their parents, whatever their keys.
        for node in &nodes {
            session.delete(*node)?;
        }
        session.commit().await?;
        let taken = sent.take();
        assert!(taken.len() <= 3, "{taken:?}");
        assert_eq!(session.count(select(Node)).await?, 0);
        Ok(())
    }

    async fn u16_an_object_that_is_added_in_place_of_a_deleted_one_is_one_update(db: TestDb) -> Result<()> {
        let (sessions, sent) = sessions(&db, desks()).await;
        let mut session = sessions.open();
        let old = session.add(Desk::builder().id(1).name("old").note("n".to_string()).rank(3).code(5));
        session.commit().await?;
        sent.take();
        session.delete(old)?;
        let new = session.add(Desk::builder().id(1).name("new").code(5));
        session.flush().await?;
        // The new object says nothing of the rank: it is what an INSERT would have made it. The unique code stays.
        let texts = sent.texts();
        let updates: Vec<&String> = texts.iter().filter(|sql| sql.contains("ord_desks ")).collect();
        assert_eq!(updates.len(), 1, "{texts:?}");
        let wanted = if db.is_postgres() {
            "UPDATE ord_desks SET name = r.c0, note = r.c1, rank = DEFAULT FROM unnest($1, $2, $3) AS r(c0, c1, k0) \
             WHERE ord_desks.id = r.k0 RETURNING rank"
        } else {
            "UPDATE ord_desks SET name = ?, note = ?, rank = (7) WHERE id = ? RETURNING rank"
        };
        assert_eq!(updates[0], wanted);
        assert_eq!((session.state(old)?, session.state(new)?), (State::Deleted, State::Persistent));
        assert_eq!((session[new].name.as_str(), session[new].rank), ("new", 7));
        assert_eq!(session.get(Desk, 1).await?, Some(new));
        // A rollback gives the row back to the object that had it.
        session.rollback().await?;
        assert_eq!((session.state(old)?, session.state(new)?), (State::Persistent, State::Transient));
        assert_eq!(session.get(Desk, 1).await?, Some(old));
        session.refresh(old).await?;
        assert_eq!((session[old].name.as_str(), session[old].rank), ("old", 3));
        Ok(())
    }

    async fn u16_children_of_a_row_that_is_switched_fare_as_if_it_were_deleted(db: TestDb) -> Result<()> {
        let (sessions, sent) = sessions(&db, desks()).await;
        let mut session = sessions.open();
        let old = session.add(desk(1, "old"));
        let lamps = [(); 3].map(|()| session.add(Lamp::builder().desk(old)));
        let drawer = session.add(Drawer::builder().desk(old));
        let sitter = session.add(Sitter::builder());
        session.link(old, Desk.users, sitter)?;
        session.commit().await?;
        sent.take();
        session.delete(old)?;
        let new = session.add(desk(1, "new"));
        // One of the lamps is moved to the new desk, and it gets one of its own.
        session.link(lamps[0], Lamp.desk, new)?;
        let fresh = session.add(Lamp::builder().desk(new));
        session.flush().await?;
        let taken = sent.take();
        assert_eq!(taken.iter().filter(|sql| sql.contains(" ord_desks ")).count(), 1, "{taken:?}");
        assert!(taken.contains(&"UPDATE ord_desks (1)".to_string()), "{taken:?}");
        assert_eq!(session[lamps[0]].desk_id, Some(1));
        assert_eq!((session[lamps[1]].desk_id, session[lamps[2]].desk.get()), (None, None));
        assert_eq!(session.state(drawer)?, State::Deleted);
        assert_eq!(session[sitter].desks.len(), 0);
        assert_eq!(session[new].lamps.handles().collect::<Vec<_>>(), [lamps[0], fresh]);
        let keys: Vec<Option<i64>> = session.all(select(Lamp.desk_id).order_by(Lamp.id)).await?;
        assert_eq!(keys, [Some(1), None, None, Some(1)]);
        assert_eq!(session.count(select(Drawer)).await?, 0);
        let links: i64 = session.one(sql("SELECT count(*) FROM ord_desk_users").rows::<i64>()).await?;
        assert_eq!(links, 0);
        session.commit().await?;
        Ok(())
    }

    async fn u16_a_switched_row_counts_its_version_and_is_looked_at(db: TestDb) -> Result<()> {
        let (sessions, sent) = sessions(&db, metadata![Counted]?).await;
        let mut session = sessions.open();
        let counted = |text: &str| Counted::builder().key("k").text(text);
        let old = session.add(counted("a"));
        session.commit().await?;
        sent.take();
        session.delete(old)?;
        let new = session.add(counted("b"));
        session.commit().await?;
        assert_eq!(sent.take(), ["UPDATE ord_counted (1)"]);
        let first = session[new].version;
        assert_eq!(session.one(select((Counted.text, Counted.version))).await?, ("b".to_string(), first));
        // Somebody else was faster.
        let mut other = sessions.open();
        let theirs = other.get(Counted, "k".to_string()).await?.expect("the row");
        other[theirs].text = "theirs".into();
        session.rollback().await?;
        other.commit().await?;
        session.delete(new)?;
        session.add(counted("c"));
        assert!(matches!(session.flush().await, Err(Error::StaleRow(_))));
        Ok(())
    }

    async fn u18_a_row_switch_writes_no_key_that_stays(db: TestDb) -> Result<()> {
        let (sessions, sent) = sessions(&db, desks()).await;
        let mut session = sessions.open();
        let desk = session.add(desk(4, "desk"));
        let old = session.add(Address::builder().text("old").desk(desk));
        session.commit().await?;
        sent.take();
        session.delete(old)?;
        let new = session.add(Address::builder().text("new").desk(desk));
        session.commit().await?;
        let texts = sent.texts();
        assert_eq!(texts.len(), 1, "{texts:?}");
        assert!(texts[0].starts_with("UPDATE ord_addresses SET text = "), "{texts:?}");
        assert!(!texts[0].contains("SET text = r.c0,") && !texts[0].contains("?, "), "{texts:?}");
        assert_eq!(session[new].desk_id, 4);
        // Nothing differs: nothing is sent.
        session.delete(new)?;
        let same = session.add(Address::builder().text("new").desk(desk));
        session.flush().await?;
        assert_eq!(sent.take(), Vec::<String>::new());
        assert_eq!((session.state(new)?, session.state(same)?), (State::Deleted, State::Persistent));
        Ok(())
    }

    async fn u45_three_levels_are_deleted_from_below_and_the_other_parent_stays(db: TestDb) -> Result<()> {
        let (sessions, sent) = sessions(&db, metadata![Root, Side, Middle, Leaf]?).await;
        let mut session = sessions.open();
        let (root, side) = (session.add(Root::builder()), session.add(Side::builder()));
        let middle = session.add(Middle::builder().root(root).side(side));
        session.add_all([(); 2].map(|()| Leaf::builder().middle(middle)));
        session.commit().await?;
        sent.take();
        session.delete(root)?;
        session.commit().await?;
        assert_eq!(sent.take(), ["DELETE ord_leaves (2)", "DELETE ord_middles (1)", "DELETE ord_roots (1)"]);
        assert_eq!(session.state(side)?, State::Persistent);
        Ok(())
    }

    async fn u47_a_post_update_of_the_parent_comes_after_the_children(db: TestDb) -> Result<()> {
        let (sessions, sent) = sessions(&db, metadata![Person, Ball]?).await;
        let mut session = sessions.open();
        let person = session.add(Person::builder().name("ada"));
        let balls = [(); 4].map(|()| session.add(Ball::builder().person(person)));
        session.link(person, Person.favorite, balls[2])?;
        session.commit().await?;
        assert_eq!(sent.take(), ["INSERT ord_people (1)", "INSERT ord_balls (4)", "UPDATE ord_people (1)"]);
        assert_eq!(session[person].favorite_id, Some(session[balls[2]].id));
        assert_eq!(session.one(select(Person.favorite_id)).await?, Some(session[balls[2]].id));
        // A row that is there gets what it has of its own first, and the key of the new ball later.
        let ball = session.add(Ball::builder().person(person));
        session.link(person, Person.favorite, ball)?;
        session[person].name = "Ada".into();
        session.commit().await?;
        assert_eq!(sent.take(), ["UPDATE ord_people (1)", "INSERT ord_balls (1)", "UPDATE ord_people (1)"]);
        assert_eq!(session.one(select((Person.name, Person.favorite_id))).await?, ("Ada".to_string(), Some(session[ball].id)));
        // Of a ball that is there, no second UPDATE is needed.
        session.link(person, Person.favorite, balls[0])?;
        session.commit().await?;
        assert_eq!(sent.take(), ["UPDATE ord_people (1)"]);
        for ball in balls.iter().chain([&ball]) {
            session.delete(*ball)?;
        }
        session.delete(person)?;
        session.commit().await?;
        let taken = sent.take();
        assert_eq!(taken, ["UPDATE ord_people (1)", "DELETE ord_balls (5)", "DELETE ord_people (1)"]);
        Ok(())
    }

    async fn u48_a_post_update_of_the_children_comes_after_the_parent(db: TestDb) -> Result<()> {
        let (sessions, sent) = sessions(&db, metadata![Player, Bat]?).await;
        let mut session = sessions.open();
        let bats = [(); 4].map(|()| session.add(Bat::builder()));
        let player = session.add(Player::builder().best(bats[0]));
        for bat in bats {
            session.link(player, Player.bats, bat)?;
        }
        session.commit().await?;
        assert_eq!(sent.take(), ["INSERT ord_bats (4)", "INSERT ord_players (1)", "UPDATE ord_bats (4)"]);
        assert!(bats.iter().all(|bat| session[*bat].player_id == Some(session[player].id)));
        let keys: Vec<Option<i64>> = session.all(select(Bat.player_id)).await?;
        assert_eq!(keys, [Some(session[player].id); 4]);
        bats.iter().try_for_each(|bat| session.delete(*bat))?;
        session.delete(player)?;
        session.commit().await?;
        let taken = sent.take();
        let kinds: Vec<&str> = taken.iter().map(|sql| sql.split(" (").next().unwrap_or_default()).collect();
        assert_eq!(kinds, ["UPDATE ord_bats", "DELETE ord_players", "DELETE ord_bats"]);
        assert_eq!(session.count(select(Bat)).await?, 0);
        Ok(())
    }

    async fn rows_that_point_at_each_other_get_a_post_update_unasked(db: TestDb) -> Result<()> {
        let (sessions, sent) = sessions(&db, metadata![Town, Mayor]?).await;
        let mut session = sessions.open();
        // Many at once are as many statements as one.
        let mut pairs = Vec::new();
        for _ in 0..50 {
            let town = session.add(Town::builder());
            let mayor = session.add(Mayor::builder().town(town));
            session.link(town, Town.mayor, mayor)?;
            pairs.push((town, mayor));
        }
        session.commit().await?;
        assert_eq!(sent.take(), ["INSERT ord_towns (50)", "INSERT ord_mayors (50)", "UPDATE ord_towns (50)"]);
        for (town, mayor) in &pairs {
            assert_eq!(session[*town].mayor_id, Some(session[*mayor].id));
            session.refresh(*town).await?;
            assert_eq!(session[*town].mayor_id, Some(session[*mayor].id));
        }
        sent.take();
        for (town, mayor) in pairs {
            session.delete(town)?;
            session.delete(mayor)?;
        }
        session.commit().await?;
        assert_eq!(sent.take(), ["UPDATE ord_towns (50)", "DELETE ord_mayors (50)", "DELETE ord_towns (50)"]);
        Ok(())
    }

    async fn three_rows_of_one_table_go_round_and_one_points_at_itself(db: TestDb) -> Result<()> {
        let (sessions, sent) = sessions(&db, metadata![Node]?).await;
        let mut session = sessions.open();
        let nodes = ["a", "b", "c"].map(|name| session.add(Node::builder().name(name)));
        for at in 0..3 {
            session.link(nodes[at], Node.parent, nodes[(at + 1) % 3])?;
        }
        session.commit().await?;
        let taken = sent.take();
        assert_eq!(taken, ["INSERT nodes (1)", "INSERT nodes (1)", "INSERT nodes (1)", "UPDATE nodes (1)"]);
        let own = session.add(Node::builder().name("own"));
        session.link(own, Node.parent, own)?;
        session.commit().await?;
        assert_eq!(sent.take(), ["INSERT nodes (1)", "UPDATE nodes (1)"]);
        let rows = session.all(select((Node.id, Node.parent_id)).order_by(Node.name)).await?;
        let id = |at: usize| session[nodes[at]].id;
        assert_eq!(rows[..3], [(id(0), Some(id(1))), (id(1), Some(id(2))), (id(2), Some(id(0)))]);
        assert_eq!(rows[3], (session[own].id, Some(session[own].id)));
        for node in nodes.into_iter().chain([own]) {
            session.delete(node)?;
        }
        session.commit().await?;
        assert_eq!(session.count(select(Node)).await?, 0);
        Ok(())
    }

    async fn a_failed_flush_of_a_circle_leaves_nothing(db: TestDb) -> Result<()> {
        let (sessions, _) = sessions(&db, metadata![Person, Ball, User, Post, Tag]?).await;
        let mut session = sessions.open();
        session.add(Tag::builder().name("taken"));
        session.commit().await?;
        let person = session.add(Person::builder().name("ada"));
        let ball = session.add(Ball::builder().person(person));
        session.link(person, Person.favorite, ball)?;
        let tag = session.add(Tag::builder().name("taken"));
        assert!(matches!(session.flush().await, Err(Error::UniqueViolation(_))));
        assert_eq!((session.state(person)?, session[person].favorite_id, session[person].id), (State::Pending, None, 0));
        session[tag].name = "free".into();
        session.commit().await?;
        assert_eq!(session[person].favorite_id, Some(session[ball].id));
        Ok(())
    }

    async fn keys_that_cannot_be_null_are_a_cycle_before_anything_is_sent(db: TestDb) -> Result<()> {
        let (sessions, sent) = sessions(&db, metadata![Egg, Hen, Lock, Key]?).await;
        let mut session = sessions.open();
        let egg = session.add(Egg::builder().hen_id(5));
        session.add(Hen::builder().id(5).egg(egg));
        let error = session.flush().await.expect_err("a circle");
        assert!(matches!(&error, Error::Cycle { tables } if *tables == ["ord_eggs", "ord_hens"]), "{error}");
        assert_eq!(sent.take(), Vec::<String>::new());
        session.expunge_all();
        // A key that is checked when the transaction ends can be there before its row.
        let lock = session.add(Lock::builder().code("l").key_code("k"));
        let key = session.add(Key::builder().code("k").lock(lock));
        session.commit().await?;
        assert_eq!(sent.take(), ["INSERT ord_locks (1)", "INSERT ord_keys (1)"]);
        session.delete(lock)?;
        session.delete(key)?;
        session.commit().await?;
        assert_eq!(session.count(select(Lock)).await? + session.count(select(Key)).await?, 0);
        Ok(())
    }

    async fn a_key_that_can_be_deferred_is_for_as_long_as_the_flush_lasts(db: TestDb) -> Result<()> {
        let (sessions, sent) = sessions(&db, metadata![Bolt, Nut]?).await;
        let mut session = sessions.open();
        let bolt = session.add(Bolt::builder().code("b").nut_code("n"));
        session.add(Nut::builder().code("n").bolt(bolt));
        if !db.is_postgres() {
            assert!(matches!(session.flush().await, Err(Error::Cycle { .. })));
            return Ok(());
        }
        session.commit().await?;
        let name = "fk_ord_bolts_nut_code_ord_nuts";
        assert_eq!(
            sent.take(),
            [
                format!("SET CONSTRAINTS {name} DEFERRED"),
                "INSERT ord_bolts (1)".into(),
                "INSERT ord_nuts (1)".into(),
                format!("SET CONSTRAINTS {name} IMMEDIATE"),
            ]
        );
        Ok(())
    }
}
