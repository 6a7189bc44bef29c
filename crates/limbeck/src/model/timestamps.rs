//! When a row was made and last changed: the columns that nearly every table has.

use chrono::{DateTime, Utc};
use limbeck_macros::Embed;

/// `created_at` and `updated_at`, to be embedded.
///
/// Both are set when an object is added without them; `updated_at` is set anew whenever a changed object is written and
/// it was not set itself.
///
/// ```
/// use limbeck::prelude::*;
/// use limbeck::model::Timestamps;
///
/// #[derive(Model)]
/// struct Note {
///     #[column(primary_key)]
///     id: i64,
///     text: String,
///     #[model(embed)]
///     timestamps: Timestamps,
/// }
///
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() -> limbeck::Result<()> {
/// # let engine = Engine::builder("sqlite::memory:").connect().await?;
/// # engine.create_all(&limbeck::metadata![Note]?).await?;
/// # let mut session = engine.sessionmaker().open();
/// let note = session.add(Note::builder().text("Remember the milk"));
/// session.commit().await?;
/// let newest = select(Note).order_by(Note.timestamps.created_at.desc());
/// assert_eq!(session.first(newest).await?, Some(note));
/// # Ok(())
/// # }
/// ```
#[derive(Embed, Clone, Copy, Debug, PartialEq, Eq)]
pub struct Timestamps {
    /// When the row was made.
    #[column(default = Utc::now())]
    pub created_at: DateTime<Utc>,
    /// When the row was changed last.
    #[column(default = Utc::now(), on_update = Utc::now())]
    pub updated_at: DateTime<Utc>,
}
