//! UUIDs as keys, and in the two forms that SQLite may keep.

use limbeck::prelude::*;
use limbeck_test_support::{TestDb, both};
use uuid::Uuid;

use crate::case::{case, check};

#[derive(Model, Debug)]
#[model(table = "owners")]
struct Owner {
    #[column(primary_key, default = Uuid::now_v7())]
    id: Uuid,
    name: String,
    #[relationship(back_populates = owner)]
    things: HasMany<Owned>,
}

#[derive(Model, Debug)]
#[model(table = "owned")]
struct Owned {
    #[column(primary_key, text, default = Uuid::now_v7())]
    id: Uuid,
    #[column(foreign_key(Owner.id))]
    owner_id: Uuid,
    #[relationship(back_populates = things)]
    owner: BelongsTo<Owner>,
}

case!(Binary: Uuid, (), Uuid::from_u128(7));
case!(Text: Uuid, (text), Uuid::from_u128(7));

const SEVEN: [&str; 2] = ["'00000000-0000-0000-0000-000000000007'"; 2];

async fn owners(db: &TestDb) -> Engine {
    let engine = Engine::builder(db.url()).connect().await.unwrap();
    engine.create_all(&limbeck::metadata![Owner, Owned].unwrap()).await.unwrap();
    engine
}

both! {
    async fn as_bytes(db: TestDb) {
        check::<Binary>(db, vec![Uuid::nil(), Uuid::max(), Uuid::now_v7()], SEVEN).await;
    }

    async fn as_text(db: TestDb) {
        check::<Text>(db, vec![Uuid::nil(), Uuid::max(), Uuid::now_v7()], SEVEN).await;
    }

    async fn as_keys_that_the_program_makes(db: TestDb) {
        let sessions = owners(&db).await.sessionmaker();
        let mut session = sessions.open();
        let ada = session.add(Owner::builder().name("Ada"));
        let things: Vec<_> = (0..3).map(|_| session.add(Owned::builder().owner(ada))).collect();
        session.commit().await.unwrap();
        let (key, thing) = (session[ada].id, session[things[0]].id);
        assert_eq!((key.get_version_num(), thing.get_version_num()), (7, 7));

        let mut other = sessions.open();
        let owner = other.get(Owner, key).await.unwrap().unwrap();
        assert_eq!(other[owner].name, "Ada");
        let query = select(Owned).filter(Owned.id.in_([thing])).with(Owned.owner);
        let row = other.one(query).await.unwrap();
        assert_eq!(other[row].owner_id, key);
        assert_eq!(other[row].owner.get(), Some(owner));
        let all = other.all(select(Owner).with(Owner.things)).await.unwrap();
        assert_eq!(other[all[0]].things.len(), 3);
        let rows: Vec<_> = (&other[all[0]].things).into_iter().collect();
        for row in rows {
            other.delete(row).unwrap();
        }
        other.commit().await.unwrap();
        assert_eq!(other.count(select(Owned)).await.unwrap(), 0);
    }
}

#[tokio::test]
async fn sqlite_keeps_what_was_said_and_reads_either() {
    let Some(db) = TestDb::of(limbeck_test_support::Kind::Sqlite) else { return };
    let engine = owners(&db).await;
    let mut session = engine.sessionmaker().open();
    let id = Uuid::from_u128(0x0011_2233_4455_6677_8899_aabb_ccdd_eeff);
    let ada = session.add(Owner::builder().id(id).name("Ada"));
    session.add(Owned::builder().id(id).owner(ada));
    session.commit().await.unwrap();
    let kept = |text| {
        let text = sql(text).rows::<(String, String)>();
        let mut session = engine.sessionmaker().open();
        async move { session.one(text).await.unwrap() }
    };
    let (kind, digits) = kept("SELECT typeof(id), hex(id) FROM owners").await;
    assert_eq!((kind.as_str(), digits.as_str()), ("blob", "00112233445566778899AABBCCDDEEFF"));
    let (kind, digits) = kept("SELECT typeof(id), id FROM owned").await;
    assert_eq!((kind.as_str(), digits.as_str()), ("text", "00112233445566778899aabbccddeeff"));
    // With hyphens, as other programs write them.
    session.execute(sql("UPDATE owned SET id = '00112233-4455-6677-8899-AABBCCDDEEFF'")).await.unwrap();
    session.expunge_all();
    let row = session.one(select(Owned)).await.unwrap();
    assert_eq!(session[row].id, id);
}
