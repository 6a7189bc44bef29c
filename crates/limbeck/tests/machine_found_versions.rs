//! What the state machine (`machine`) found of rows with a version whose keys a statement over many rows sets to NULL in
//! the flush that writes them as well, each case as small as it can be.
#![cfg(all(feature = "sqlite", feature = "postgres"))]

use limbeck::Result;
use limbeck::prelude::*;
use limbeck::session::Session;
use limbeck_test_support::{TestDb, both};

/// The program gives its key.
#[derive(Model, Debug)]
#[model(table = "guilds")]
struct Guild {
    #[column(primary_key)]
    code: String,
    #[column(unique)]
    name: String,
    #[relationship(back_populates = guild)]
    members: HasMany<Member>,
    #[relationship(back_populates = guild)]
    chief: HasOne<Chief>,
    #[relationship(back_populates = guild)]
    oaths: HasMany<Oath>,
}

#[derive(Model, Debug)]
#[model(table = "members")]
struct Member {
    #[column(primary_key)]
    id: i64,
    title: String,
    #[column(version)]
    version: i64,
    #[column(foreign_key(Guild.code))]
    guild_code: Option<String>,
    #[relationship(back_populates = members, key = guild_code)]
    guild: BelongsTo<Option<Guild>>,
}

#[derive(Model, Debug)]
#[model(table = "chiefs")]
struct Chief {
    #[column(primary_key)]
    id: i64,
    title: String,
    #[column(version)]
    version: i64,
    #[column(unique, foreign_key(Guild.code))]
    guild_code: Option<String>,
    #[relationship(back_populates = chief, key = guild_code)]
    guild: BelongsTo<Option<Guild>>,
}

/// The database deletes it with its guild.
#[derive(Model, Debug)]
#[model(table = "oaths")]
struct Oath {
    #[column(primary_key)]
    code: String,
    title: String,
    #[column(version)]
    version: i64,
    #[column(foreign_key(Guild.code, on_delete = cascade))]
    guild_code: Option<String>,
    #[relationship(back_populates = oaths, key = guild_code)]
    guild: BelongsTo<Option<Guild>>,
}

/// A session over these.
async fn guilds(url: &str) -> Result<Session> {
    let engine = Engine::builder(url).connect().await?;
    engine.create_all(&limbeck::metadata![Guild, Member, Chief, Oath]?).await?;
    Ok(engine.sessionmaker().open())
}

/// Titles, guilds and versions of the rows of members.
async fn members(session: &mut Session) -> Result<Vec<(String, Option<String>, i64)>> {
    session.all(select((Member.title, Member.guild_code, Member.version)).order_by(Member.id)).await
}

both! {
    async fn who_is_linked_elsewhere_is_found_though_the_parent_made_room_before(db: TestDb) -> Result<()> {
        let mut session = guilds(db.url()).await?;
        let old = session.add(Guild::builder().code("a").name("masons"));
        let other = session.add(Guild::builder().code("b").name("bakers"));
        let member = session.add(Member::builder().title("ada").guild(old));
        let staying = session.add(Member::builder().title("bob").guild(old));
        session.commit().await?;
        session.delete(old)?;
        session.link(member, Member.guild, other)?;
        session[staying].title = "bea".into();
        session.add(Guild::builder().code("c").name("masons"));
        session.commit().await?;
        assert_eq!(members(&mut session).await?, [("ada".into(), Some("b".into()), 2), ("bea".into(), None, 2)]);
        assert_eq!((session[member].version, session[staying].version), (2, 2));
        session[staying].title = "cid".into();
        session.commit().await?;
        assert_eq!(session[staying].version, 3);
        Ok(())
    }

    async fn a_version_that_the_program_sets_stays_though_the_key_was_set_to_null_before(db: TestDb) -> Result<()> {
        let mut session = guilds(db.url()).await?;
        let old = session.add(Guild::builder().code("a").name("masons"));
        let member = session.add(Member::builder().title("ada").guild(old));
        session.commit().await?;
        session.delete(old)?;
        session[member].version = 20;
        session.add(Guild::builder().code("c").name("masons"));
        session.flush().await?;
        assert_eq!(session[member].version, 20);
        assert_eq!(members(&mut session).await?, [("ada".into(), None, 20)]);
        session.rollback().await?;
        assert_eq!(session.fresh(member).await?.version, 1);
        Ok(())
    }

    async fn who_is_changed_or_deleted_is_found_though_the_row_of_the_parent_got_another_object(db: TestDb) -> Result<()> {
        let mut session = guilds(db.url()).await?;
        let old = session.add(Guild::builder().code("a").name("masons"));
        let member = session.add(Member::builder().title("ada").guild(old));
        let leaving = session.add(Member::builder().title("bob").guild(old));
        session.commit().await?;
        session.delete(old)?;
        session.delete(leaving)?;
        session[member].title = "bea".into();
        session.add(Guild::builder().code("a").name("bakers"));
        session.commit().await?;
        assert_eq!(members(&mut session).await?, [("bea".into(), None, 2)]);
        assert_eq!((session[member].version, session[member].guild_code.as_deref()), (2, None));
        Ok(())
    }

    async fn who_loses_its_place_is_found_when_it_is_changed_as_well(db: TestDb) -> Result<()> {
        let mut session = guilds(db.url()).await?;
        let guild = session.add(Guild::builder().code("a").name("masons"));
        let first = session.add(Chief::builder().title("ada").guild(guild));
        session.commit().await?;
        // Whose place it is, only the row says.
        session.expire(guild)?;
        session[first].title = "bea".into();
        let second = session.add(Chief::builder().title("bob").guild(guild));
        session.commit().await?;
        assert_eq!((session[first].version, session[first].guild_code.as_deref()), (2, None));
        assert_eq!(session.all(select(Chief.version).order_by(Chief.id)).await?, [2, 1]);
        assert_eq!(session.related(guild, Guild.chief).await?, [second]);
        Ok(())
    }

    async fn what_is_deleted_with_a_row_that_gets_another_object_may_be_gone_before(db: TestDb) -> Result<()> {
        let mut session = guilds(db.url()).await?;
        let old = session.add(Guild::builder().code("a").name("masons"));
        let oath = session.add(Oath::builder().code("a").title("ada").guild(old));
        session.commit().await?;
        session.delete(old)?;
        session.delete(oath)?;
        session.add(Guild::builder().code("a").name("bakers"));
        session.commit().await?;
        assert_eq!(session.count(select(Oath)).await?, 0);
        Ok(())
    }

    async fn a_row_and_what_refers_to_it_get_other_objects_in_one_flush(db: TestDb) -> Result<()> {
        let mut session = guilds(db.url()).await?;
        let old = session.add(Guild::builder().code("a").name("masons"));
        let oath = session.add(Oath::builder().code("a").title("ada").guild(old));
        session.commit().await?;
        session.delete(old)?;
        session.delete(oath)?;
        let new = session.add(Guild::builder().code("a").name("bakers"));
        let other = session.add(Oath::builder().code("a").title("bea").guild(new));
        session.commit().await?;
        assert_eq!(session.all(select((Oath.title, Oath.guild_code))).await?, [("bea".into(), Some("a".into()))]);
        assert_eq!(session.related(new, Guild.oaths).await?, [other]);
        Ok(())
    }

    async fn a_row_whose_key_was_set_to_null_gets_it_again_with_its_other_object(db: TestDb) -> Result<()> {
        let mut session = guilds(db.url()).await?;
        let old = session.add(Guild::builder().code("a").name("masons"));
        let member = session.add(Member::builder().id(7).title("ada").guild(old));
        let place = session.add(Guild::builder().code("b").name("bakers"));
        let chief = session.add(Chief::builder().id(7).title("ada").guild(place));
        session.commit().await?;
        session.delete(old)?;
        session.delete(member)?;
        let new = session.add(Guild::builder().code("a").name("smiths"));
        let other = session.add(Member::builder().id(7).title("bea").guild(new));
        session.expire(place)?;
        session.delete(chief)?;
        let next = session.add(Chief::builder().id(7).title("bea").guild(place));
        session.commit().await?;
        assert_eq!(members(&mut session).await?, [("bea".into(), Some("a".into()), session[other].version)]);
        assert_eq!(session.related(new, Guild.members).await?, [other]);
        assert_eq!(session.all(select(Chief.guild_code)).await?, [Some("b".into())]);
        session[next].title = "cid".into();
        session[other].title = "cid".into();
        session.commit().await?;
        Ok(())
    }

    async fn who_was_linked_to_a_deleted_parent_that_made_room_is_counted_twice(db: TestDb) -> Result<()> {
        let mut session = guilds(db.url()).await?;
        let old = session.add(Guild::builder().code("a").name("masons"));
        let other = session.add(Guild::builder().code("b").name("bakers"));
        let member = session.add(Member::builder().title("ada").guild(other));
        session.commit().await?;
        session.link(member, Member.guild, old)?;
        session.delete(old)?;
        session.add(Guild::builder().code("c").name("masons"));
        session.commit().await?;
        assert_eq!(session[member].guild_code, None);
        assert_eq!(members(&mut session).await?, [("ada".into(), None, session[member].version)]);
        session[member].title = "bea".into();
        session.commit().await?;
        Ok(())
    }
}
