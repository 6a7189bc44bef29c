//! Enumerations: enums of the program whose values the database knows by name.
//!
//! On PostgreSQL such a column has a type of its own, made by `CREATE TYPE … AS ENUM`; on SQLite, which has none, it is
//! text with a CHECK, as SQLAlchemy writes it.

use super::ColumnType;

/// An enum that a column can have: `#[derive(DbEnum)]` implements it, and [`ColumnType`] with it.
///
/// ```
/// use limbeck::prelude::*;
/// use limbeck::types::DbEnum as _;
///
/// #[derive(DbEnum, Clone, Copy, Debug, PartialEq)]
/// enum PostStatus {
///     Draft,
///     #[db_enum(rename = "live")]
///     Published,
///     SentBack,
/// }
///
/// #[derive(Model)]
/// struct Post {
///     #[column(primary_key)]
///     id: i64,
///     #[column(default = PostStatus::Draft)]
///     status: PostStatus,
/// }
///
/// assert_eq!(PostStatus::VALUES, ["draft", "live", "sent_back"]);
/// assert_eq!(PostStatus::from_value("live"), Some(PostStatus::Published));
/// let waiting = select(Post).filter(Post.status.in_([PostStatus::Draft, PostStatus::SentBack]));
/// ```
pub trait DbEnum: ColumnType {
    /// The name of its type on PostgreSQL.
    const NAME: &'static str;

    /// The values, as the database names them, in the order of the variants: that in which PostgreSQL sorts them.
    const VALUES: &'static [&'static str];

    /// What the database calls this value.
    fn value(&self) -> &'static str;

    /// The value of that name, if there is one.
    fn from_value(name: &str) -> Option<Self>;
}
