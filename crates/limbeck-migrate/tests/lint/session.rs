//! What `--queries` makes of the echo of a session.

use std::sync::{Arc, Mutex};

use limbeck::engine::Engine;
use limbeck::model::{Timestamps, registered};
use limbeck::prelude::*;
use limbeck::schema::Metadata;
use limbeck_migrate::lint::models::{QueryLog, check};
use limbeck_test_support::{TestDb, both};

use crate::support::{only, root};

#[derive(Model)]
pub struct Reader {
    #[column(primary_key)]
    pub id: i64,
    #[column(unique, length = 254)]
    pub email: String,
    #[column(length = 50)]
    pub city: String,
    #[column(default = true)]
    pub is_active: bool,
    #[model(embed)]
    pub timestamps: Timestamps,
    #[relationship(back_populates = reader)]
    pub loans: HasMany<Loan>,
}

#[derive(Model)]
pub struct Loan {
    #[column(primary_key)]
    pub id: i64,
    #[column(foreign_key(Reader.id, on_delete = cascade))]
    pub reader_id: i64,
    #[column(length = 200)]
    pub title: String,
    pub days: i32,
    #[model(embed)]
    pub timestamps: Timestamps,
    #[relationship(back_populates = loans)]
    pub reader: BelongsTo<Reader>,
}

async fn work(url: &str) -> Vec<String> {
    let lines = Arc::new(Mutex::new(Vec::new()));
    let sink = Arc::clone(&lines);
    let engine =
        Engine::builder(url).echo_to(move |line| sink.lock().unwrap().push(line.to_string())).connect().await.unwrap();
    engine.create_all(&limbeck::metadata![Reader, Loan].unwrap()).await.unwrap();
    let mut session = engine.sessionmaker().open();
    let ada = session.add(Reader::builder().email("ada@example.com").city("London"));
    let loans: Vec<_> =
        (0..3).map(|n| session.add(Loan::builder().title(format!("Where n = {n}")).days(n).reader(ada))).collect();
    session.commit().await.unwrap();
    // Served: by the unique, by the foreign key's index, by the key.
    session
        .all(select(Reader).filter(Reader.email.eq("ada@example.com")).filter(Reader.city.eq("London")))
        .await
        .unwrap();
    session.load(ada, Reader.loans).await.unwrap();
    session.refresh(loans[0]).await.unwrap();
    session.all(select(Reader).join(Reader.loans).filter(Reader.is_active.eq(true))).await.unwrap();
    // Not served.
    session.all(select(Loan).filter(Loan.days.gt(1)).filter(Loan.title.eq("x"))).await.unwrap();
    session.all(select(Reader).filter(Reader.city.eq("Paris"))).await.unwrap();
    session.all(select(Reader).filter(Reader.timestamps.created_at.lt(Utc::now()))).await.unwrap();
    session[loans[1]].days = 20;
    session.delete(loans[2]).unwrap();
    session.commit().await.unwrap();
    engine.close().await;
    Arc::try_unwrap(lines).map_or_else(|shared| shared.lock().unwrap().clone(), |own| own.into_inner().unwrap())
}

both! {
    async fn columns_that_a_session_filters_by_without_an_index_are_found(db: TestDb) {
        let log = QueryLog::read("echo.log", &work(db.url()).await.join("\n"));
        assert!(log.len() > 8, "{log:?}");
        let models: Vec<_> = registered().into_iter().filter(|model| model.module == "lint::session").collect();
        let report = check(&models, &Metadata::of(&models).unwrap(), root(), &only("L004"), Some(&log));
        let found: Vec<(&str, Option<&str>, String)> = report
            .findings
            .iter()
            .map(|found| (found.message.as_str(), found.field.as_deref(), found.help.split(';').next().unwrap().to_string()))
            .collect();
        assert_eq!(
            found,
            [
                (
                    "a statement filters `readers` by `city`, and no index begins with it",
                    Some("city"),
                    "add `#[column(index)]`".to_string(),
                ),
                (
                    "a statement filters `readers` by `created_at`, and no index begins with it",
                    Some("timestamps"),
                    "add `#[model(index(timestamps.created_at))]`".to_string(),
                ),
                (
                    "a statement filters `loans` by `title`, `days`, and no index begins with any of them",
                    Some("title"),
                    "add `#[model(index(title, days))]`".to_string(),
                ),
            ]
        );
    }
}
