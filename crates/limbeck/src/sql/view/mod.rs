//! Views: structs that are queries.
//!
//! A [`View`] names what it wants of a model by its fields, and the statement selects that and nothing else: a column,
//! an expression, a view over the row at the other end of a to-one relationship (a JOIN), and lists of the rows at the
//! other end of a to-many (one more statement a level, whatever the number of rows).
//!
//! What a field is follows from the constant of the model that it names and from its own type: [`ViewField`] is
//! implemented for the pairs that fit, so that a field of another type than its column does not compile. The statement
//! is put together in `plan`, rows are read in the same order by `read`, and `list` does what comes after the rows.

mod derived;
mod field;
mod list;
mod plan;

use std::marker::PhantomData;

pub use derived::{by_hand, check_view, read_view, target_of, track_view, view_expression, view_field};
pub use field::{End, Reader, Via, ViewField};
pub use list::{Access, ListPlan, Lists, lists_of};
pub(crate) use list::{Channel, Filling};
pub use plan::Plan;
pub(crate) use plan::kept;

use super::fetch::Fetch;
use super::select::{Select, SelectCore};
use super::selection::{ProjectionList, Selection};
use crate::error::Result;
use crate::model::Model;
use crate::types::DecodeError;

/// A struct whose fields say what is selected of a model. `#[derive(View)]` implements it, and defines a constant of
/// the struct's own name for `select`.
///
/// ```
/// # use limbeck::prelude::*;
/// # #[derive(Model)]
/// # struct User {
/// #     #[column(primary_key)] id: i64,
/// #     username: String,
/// #     hashed_password: String,
/// #     #[relationship(back_populates = author)] posts: HasMany<Post>,
/// # }
/// # #[derive(Model)]
/// # struct Post {
/// #     #[column(primary_key)] id: i64,
/// #     title: String,
/// #     #[column(foreign_key(User.id))] author_id: i64,
/// #     #[relationship(back_populates = posts)] author: BelongsTo<User>,
/// #     #[relationship(secondary = "post_tags", back_populates = posts)] tags: ManyToMany<Tag>,
/// # }
/// # #[derive(Model)]
/// # struct Tag {
/// #     #[column(primary_key)] id: i64,
/// #     name: String,
/// #     #[relationship(secondary = "post_tags", back_populates = tags)] posts: ManyToMany<Post>,
/// # }
/// #[derive(View, Debug)]
/// #[view(Post)]
/// struct PostCard {
///     title: String,                          // a column of the same name
///     author: AuthorName,                     // a JOIN
///     tags: Vec<TagName>,                     // one more statement, for all posts
///     #[view(path = author.username)]
///     by: String,                             // a column at the other end
///     #[view(expr = Post.title.length())]
///     length: i32,                            // an expression
/// }
///
/// #[derive(View, Debug)]
/// #[view(User)]
/// struct AuthorName {
///     username: String,
/// }
///
/// #[derive(View, Debug)]
/// #[view(Tag)]
/// struct TagName {
///     name: String,
/// }
///
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() -> limbeck::Result<()> {
/// # let engine = Engine::builder("sqlite::memory:").connect().await?;
/// # engine.create_all(&limbeck::metadata![User, Post, Tag]?).await?;
/// # let mut session = engine.sessionmaker().open();
/// # let ada = session.add(User::builder().username("ada").hashed_password("…"));
/// # let rust = session.add(Tag::builder().name("rust"));
/// # session.add(Post::builder().title("Hello").author(ada).tags([rust]));
/// # session.flush().await?;
/// let cards = session.all(select(PostCard).filter(User.username.eq("ada")).order_by(Post.id)).await?;
/// assert_eq!(cards[0].author.username, "ada");
/// assert_eq!(cards[0].tags[0].name, "rust");
/// # Ok(())
/// # }
/// ```
///
/// Its rows are values that no session tracks, on a session as on a connection.
///
/// # What a field is
/// - A column, by its name or `#[view(column = name)]`: of the column's own type.
/// - A view over the target of a to-one relationship: an inner JOIN. `Option` of it: a LEFT JOIN, and `None` where
///   there is no row. A relationship that may lead nowhere needs the `Option`; without, the query is refused, since the
///   rows that have no partner would vanish.
/// - `Vec` of a view over the target of a to-many relationship: the rows of all of them in one statement. They come in
///   the order of the target's key, or by `#[view(order_by = Tag.name)]`; `#[view(filter = Tag.name.ne("draft"))]`
///   leaves some out.
/// - `#[view(path = author.company.name)]`: any of these at the end of to-one relationships. A column is an `Option`
///   where one of them may lead nowhere. `#[view(path = tags.name)]` with `Vec<String>`: a column of each row of a
///   to-many relationship.
/// - `#[view(expr = Post.title.upper())]`: an expression over the model's columns, of the same type.
///
/// # Tables and their names
/// The model's table has its own name in the statement, and so has each joined table that is in it for the first time:
/// filters and orders name their columns as ever. A table that is in it a second time is called like the relationship
/// that leads to it: `User.alias("reviewer")`.
///
/// No column is selected that no field names, apart from the keys by which lists are found.
#[diagnostic::on_unimplemented(message = "`{Self}` is not a view", label = "add `#[derive(View)]` to this struct")]
pub trait View: Fetch<Tracked = Self> {
    /// The model that it shows.
    type Model: Model;

    /// The struct's name.
    #[doc(hidden)]
    const NAME: &'static str;

    /// Names what it selects, in the order of the fields.
    #[doc(hidden)]
    fn plan(plan: &mut Plan);

    /// How many columns its fields take in a row.
    #[doc(hidden)]
    fn columns() -> usize;

    /// Reads the next columns of a row; lists are empty.
    ///
    /// # Errors
    /// When a column holds something that its type cannot read.
    #[doc(hidden)]
    fn read(row: &mut Reader<'_, '_>) -> Result<Self, DecodeError>;

    /// Names its lists, in the order in which the plan names their keys.
    #[doc(hidden)]
    fn gather<Root: Send + 'static>(access: &Access<Root, Self>, lists: &mut Lists<Root>);
}

/// The constant of a view: `PostCard` in `select(PostCard)`.
pub struct ViewOf<V>(PhantomData<fn() -> V>);

impl<V> ViewOf<V> {
    /// Used by `derive(View)`.
    #[doc(hidden)]
    #[allow(clippy::new_without_default)]
    pub const fn new() -> Self {
        ViewOf(PhantomData)
    }
}

impl<V> Clone for ViewOf<V> {
    fn clone(&self) -> Self {
        *self
    }
}

impl<V> Copy for ViewOf<V> {}

impl<V: View> std::fmt::Debug for ViewOf<V> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(V::NAME)
    }
}

/// What `select` takes: the constant of a model or of a view, a column, an expression, or a tuple of models, columns
/// and expressions.
#[diagnostic::on_unimplemented(
    message = "`{Self}` cannot be selected",
    label = "expected a model's name (as in `select(User)`), a view's, a column, or a tuple of columns"
)]
pub trait Selectable {
    /// What a row becomes.
    type Row: Fetch;

    /// The query, as it begins.
    #[doc(hidden)]
    fn begin(self) -> Select<Self::Row>;
}

#[diagnostic::do_not_recommend]
impl<S: Selection> Selectable for S {
    type Row = S::Row;

    fn begin(self) -> Select<S::Row> {
        let mut list = ProjectionList::default();
        self.project(&mut list);
        let from = list.origin();
        Select::of(SelectCore { projection: list.0, from, ..SelectCore::default() })
    }
}

// A view stands alone: what its lists hold is read after its own rows.
#[diagnostic::do_not_recommend]
impl<V: View> Selectable for ViewOf<V> {
    type Row = V;

    fn begin(self) -> Select<V> {
        Select::of(Plan::of::<V>().core())
    }
}
