//! `limbeck stamp`

use limbeck_migrate::alembic_heads;
use serde_json::json;

use super::upgrade::described;
use crate::Outcome;
use crate::output::{green, line, results, yellow};
use crate::project::Context;

#[derive(Debug, clap::Args)]
pub(crate) struct Stamp {
    /// Where the database is: head, an id, base.
    #[arg(default_value = "head")]
    revision: String,

    /// Forgets revisions that are not among the migrations here.
    #[arg(long)]
    purge: bool,

    /// Makes sure first that Alembic has run on the database, and says where it was.
    #[arg(long)]
    from_alembic: bool,
}

pub(crate) async fn run(context: &Context, args: &Stamp) -> Outcome {
    let migrator = context.migrator()?;
    let engine = context.engine().await?;
    let alembic = if args.from_alembic { alembic_heads(&engine).await? } else { Vec::new() };
    let stamped = migrator.stamp(&engine, &args.revision, args.purge).await?;
    results(json!({
        "database": engine.url(),
        "added": stamped.added.iter().map(described).collect::<Vec<_>>(),
        "removed": stamped.removed,
        "alembic": alembic,
    }));
    if !alembic.is_empty() {
        line(&format!("Alembic was at {}; its table is left as it is", alembic.join(" and ")));
    }
    for applied in &stamped.added {
        line(&format!("{} {} {}", green("recorded"), applied.id, applied.message));
    }
    for id in &stamped.removed {
        line(&format!("{} {id}", yellow("forgot")));
    }
    if stamped.added.is_empty() && stamped.removed.is_empty() {
        line("nothing to do: the database is there already");
    }
    engine.close().await;
    Ok(0)
}
