//! The models and the revisions, which nobody should have to compare by eye: `limbeck check`, as a test.

mod common;

use limbeck::schema::Metadata;
use limbeck_migrate::Migrator;
use limbeck_migrate::autogenerate::difference;

#[tokio::test]
async fn the_revisions_make_what_the_models_say() -> limbeck_migrate::Result<()> {
    let database = common::database().await;
    let migrator = Migrator::embedded(&service::MIGRATIONS)?;
    let found = difference(&migrator, database.engine(), &Metadata::registered()?).await?;
    assert!(found.diff.ops.is_empty(), "`limbeck revision --autogenerate` would write {:?}", found.diff.ops);
    Ok(())
}
