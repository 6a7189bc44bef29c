//! Lists whose items have a place that no other item of the list has: swapped, moved up, inserted, replaced, handed over.
//! And rows that know the next and the one before.

use limbeck::prelude::*;
use limbeck::session::Session;
use limbeck::{Result, metadata};
use limbeck_test_support::{TestDb, both};

use crate::sent::{Sent, sessions};

#[derive(Model, Debug)]
#[model(table = "li_lists")]
struct List {
    #[column(primary_key)]
    id: i64,
    #[relationship(back_populates = list, order_by = place, cascade(all, delete_orphan))]
    items: HasMany<Item>,
}

/// Neither the list nor the place can be NULL.
#[derive(Model, Debug)]
#[model(table = "li_items", unique(list_id, place))]
struct Item {
    #[column(primary_key)]
    id: i64,
    text: String,
    place: i32,
    #[column(foreign_key(List.id))]
    list_id: i64,
    #[relationship(back_populates = items)]
    list: BelongsTo<List>,
}

/// A train: both keys are unique.
#[derive(Model, Debug)]
#[model(table = "li_cars")]
struct Car {
    #[column(primary_key)]
    id: i64,
    #[column(unique, foreign_key(Car.id))]
    next_id: Option<i64>,
    #[column(unique, foreign_key(Car.id))]
    before_id: Option<i64>,
    #[relationship(key = next_id)]
    next: BelongsTo<Option<Car>>,
    #[relationship(key = before_id)]
    before: BelongsTo<Option<Car>>,
}

async fn open(db: &TestDb) -> Result<(Session, Sent)> {
    let (sessions, sent) = sessions(db, metadata![List, Item, Car]?).await;
    Ok((sessions.open(), sent))
}

fn item(text: &str, place: i32, list: Tracked<List>) -> impl limbeck::model::New<Model = Item> + use<> {
    Item::builder().text(text).place(place).list(list)
}

/// A list of the items 1 to `count`, committed.
async fn list(session: &mut Session, sent: &Sent, count: i32) -> Result<(Tracked<List>, Vec<Tracked<Item>>)> {
    let list = session.add(List::builder());
    let items = session.add_all((1..=count).map(|place| item(&place.to_string(), place, list)));
    session.commit().await?;
    sent.take();
    Ok((list, items))
}

/// What the database has, list by list.
async fn texts(session: &mut Session) -> Result<String> {
    let rows = session.all(select(Item.text).order_by((Item.list_id, Item.place))).await?;
    Ok(rows.join(" "))
}

both! {
    async fn two_items_swap_their_places(db: TestDb) -> Result<()> {
        let (mut session, sent) = open(&db).await?;
        let (_, items) = list(&mut session, &sent, 4).await?;
        let (a, b) = session.pair_mut(items[0], items[1])?;
        std::mem::swap(&mut a.place, &mut b.place);
        session.commit().await?;
        assert_eq!(sent.take(), ["UPDATE li_items (2)", "UPDATE li_items (2)"]);
        assert_eq!(texts(&mut session).await?, "2 1 3 4");
        Ok(())
    }

    async fn an_item_is_inserted_in_the_middle(db: TestDb) -> Result<()> {
        let (mut session, sent) = open(&db).await?;
        let (list, items) = list(&mut session, &sent, 5).await?;
        for item in &items[1..] {
            session[*item].place += 1;
        }
        session.add(item("new", 2, list));
        session.commit().await?;
        assert_eq!(sent.take(), ["UPDATE li_items (3)", "UPDATE li_items (4)", "INSERT li_items (1)"]);
        assert_eq!(texts(&mut session).await?, "1 new 2 3 4 5");
        Ok(())
    }

    async fn the_first_item_is_taken_away_and_all_others_move_up(db: TestDb) -> Result<()> {
        let (mut session, sent) = open(&db).await?;
        let (list, items) = list(&mut session, &sent, 5).await?;
        session.unlink(list, List.items, items[0])?;
        for item in &items[1..] {
            session[*item].place -= 1;
        }
        session.commit().await?;
        assert_eq!(sent.take(), ["UPDATE li_items (3)", "DELETE li_items (1)", "UPDATE li_items (4)"]);
        assert_eq!(texts(&mut session).await?, "2 3 4 5");
        assert_eq!(session[list].items.handles().collect::<Vec<_>>(), items[1..]);
        Ok(())
    }

    async fn a_thousand_items_cost_as_many_statements_as_ten(db: TestDb) -> Result<()> {
        let (mut session, sent) = open(&db).await?;
        for count in [10, 1000] {
            let (list, items) = list(&mut session, &sent, count).await?;
            for item in &items {
                session[*item].place = count + 1 - session[*item].place;
            }
            session.commit().await?;
            assert_eq!(sent.take().len(), 2);
            // Now the first is the last: it goes, all others move down, and a new one comes to the front.
            session.delete(items[0])?;
            for item in &items[1..] {
                session[*item].place += 1;
            }
            session.add(item("front", 1, list));
            session.commit().await?;
            assert_eq!(sent.take().len(), 4);
            session.refresh(list).await?;
            assert_eq!(session[session[list].items.handles().next().expect("an item")].text, "front");
            session.delete(list)?;
            session.commit().await?;
        }
        assert_eq!(session.count(select(Item)).await?, 0);
        Ok(())
    }

    async fn two_lists_exchange_what_they_hold(db: TestDb) -> Result<()> {
        let (mut session, sent) = open(&db).await?;
        let (first, a) = list(&mut session, &sent, 3).await?;
        let (second, b) = list(&mut session, &sent, 3).await?;
        session.assign(first, List.items, b.clone()).await?;
        session.assign(second, List.items, a.clone()).await?;
        session.commit().await?;
        assert_eq!(sent.take(), ["UPDATE li_items (6)", "UPDATE li_items (6)"]);
        let of = |session: &Session, list: Tracked<List>| session[list].items.handles().collect::<Vec<_>>();
        assert_eq!((of(&session, first), of(&session, second)), (b.clone(), a));
        let rows = session.all(select(Item.id).filter(Item.list_id.eq(session[first].id)).order_by(Item.place)).await?;
        assert_eq!(rows, b.iter().map(|item| session[*item].id).collect::<Vec<_>>());
        Ok(())
    }

    async fn an_orphans_place_is_taken_by_one_of_another_list_whose_place_is_taken_by_a_new_one(db: TestDb) -> Result<()> {
        let (mut session, sent) = open(&db).await?;
        let (first, a) = list(&mut session, &sent, 2).await?;
        let (second, b) = list(&mut session, &sent, 2).await?;
        session[b[0]].text = "b".into();
        session.unlink(first, List.items, a[0])?;
        session.link(first, List.items, b[0])?;
        session.add(item("new", 1, second));
        session.commit().await?;
        assert_eq!(sent.take(), ["DELETE li_items (1)", "UPDATE li_items (1)", "INSERT li_items (1)"]);
        assert_eq!(texts(&mut session).await?, "b 2 new 2");
        Ok(())
    }

    async fn a_list_that_is_not_loaded_is_replaced_place_by_place(db: TestDb) -> Result<()> {
        let (mut session, sent) = open(&db).await?;
        list(&mut session, &sent, 3).await?;
        session.expunge_all();
        let list = session.one(select(List)).await?;
        session.assign(list, List.items, []).await?;
        session.add_all([1, 2, 3].map(|place| item("new", place, list)));
        session.commit().await?;
        assert_eq!(sent.take(), ["DELETE li_items (3)", "INSERT li_items (3)"]);
        assert_eq!(texts(&mut session).await?, "new new new");
        Ok(())
    }

    async fn a_train_is_coupled_anew(db: TestDb) -> Result<()> {
        let (mut session, _) = open(&db).await?;
        let couple = |session: &mut Session, train: &[Tracked<Car>]| -> Result<()> {
            for pair in train.windows(2) {
                session.link(pair[0], Car.next, pair[1])?;
                session.link(pair[1], Car.before, pair[0])?;
            }
            Ok(())
        };
        let cars = session.add_all((0..4).map(|_| Car::builder()));
        let (a, b, c, d) = (cars[0], cars[1], cars[2], cars[3]);
        couple(&mut session, &cars)?;
        session.commit().await?;
        // The second one goes, a new one comes in its place; then two change places.
        session.delete(b)?;
        couple(&mut session, &[a, c])?;
        session.commit().await?;
        let new = session.add(Car::builder());
        couple(&mut session, &[a, new, c])?;
        session.commit().await?;
        couple(&mut session, &[a, c, new, d])?;
        session.commit().await?;
        let id = |car: Tracked<Car>| Some(session[car].id);
        let train = [
            (id(a), id(c), None),
            (id(c), id(new), id(a)),
            (id(new), id(d), id(c)),
            (id(d), None, id(new)),
        ];
        for (car, next, before) in train {
            let keys = select((Car.next_id, Car.before_id)).filter(Car.id.eq(car.expect("a key")));
            assert_eq!(session.one(keys).await?, (next, before));
        }
        for car in [a, c, new, d] {
            session.delete(car)?;
        }
        session.commit().await?;
        assert_eq!(session.count(select(Car)).await?, 0);
        Ok(())
    }
}
