//! Every form of a query: the SQL that it is on both databases, and what it answers.

mod common;

use common::*;
use limbeck::dialect::Dialect;
use limbeck::engine::Connection;
use limbeck::prelude::*;
use limbeck::sql::Select;
use limbeck_test_support::{TestDb, both};

/// Both spellings, one below the other; one line where they agree.
fn spelled<T: limbeck::sql::Fetch>(query: &Select<T>) -> String {
    let sqlite = query.to_sql(Dialect::Sqlite).expect("a query that can be built");
    let postgres = query.to_sql(Dialect::Postgres).expect("a query that can be built");
    // The list of columns of a model says nothing here.
    let short = |sql: String| {
        let users = "users.id, users.email, users.username, users.hashed_password, users.full_name, \
                     users.is_active, users.created_at, users.updated_at";
        sql.replace(users, "users.*").replace("posts.id, posts.title, posts.author_id, posts.views", "posts.*")
    };
    let (sqlite, postgres) = (short(sqlite), short(postgres));
    if sqlite == postgres { sqlite } else { format!("{sqlite}\n{postgres}") }
}

macro_rules! sql_is {
    ($query:expr, @$snapshot:literal) => {
        insta::assert_snapshot!(spelled(&$query), @$snapshot)
    };
}

/// ada wrote `Hello` (10 views, tags rust and sql) and `100%` (0 views); bea wrote `it's` (7 views, tag sql);
/// cyd, who is not active and has a full name, wrote nothing.
async fn blog(db: &TestDb) -> Connection {
    let engine = engine(db.url()).await;
    let mut session = engine.sessionmaker().open();
    let ada = session.add(user("ada"));
    let bea = session.add(user("bea"));
    session.add(
        User::builder()
            .email("cyd@example.com")
            .username("cyd")
            .hashed_password("…")
            .full_name("Cyd ‘C’ O'Neil")
            .is_active(false),
    );
    let rust = session.add(Tag::builder().name("rust"));
    let sql = session.add(Tag::builder().name("sql"));
    session.add(Post::builder().title("Hello").author(ada).views(10).tags([rust, sql]));
    session.flush().await.expect("the first post");
    session.add(Post::builder().title("100%").author(ada).views(0));
    session.add(Post::builder().title("it's").author(bea).views(7).tags([sql]));
    session.commit().await.expect("the blog");
    engine.connect().await.expect("a connection")
}

/// The names of the users that a query finds, in order of their ids.
async fn names(db: &mut Connection, query: Select<User>) -> Vec<String> {
    let users = db.all(query.order_by(User.id)).await.expect("users");
    users.into_iter().map(|user| user.username).collect()
}

/// The titles of the posts that a query finds, in order of their ids.
async fn titles(db: &mut Connection, query: Select<Post>) -> Vec<String> {
    let posts = db.all(query.order_by(Post.id)).await.expect("posts");
    posts.into_iter().map(|post| post.title).collect()
}

both! {
    async fn comparisons(db: TestDb) {
        let db = &mut blog(&db).await;
        let query = select(Post).filter(Post.title.eq("it's"));
        sql_is!(query, @"");
        assert_eq!(titles(db, query).await, ["it's"]);
        let query = select(Post).filter(Post.views.ne(7)).filter(Post.views.lt(10));
        sql_is!(query, @"");
        assert_eq!(titles(db, query).await, ["100%"]);
        let query = select(Post).filter(Post.views.le(7)).filter(Post.views.gt(0));
        sql_is!(query, @"");
        assert_eq!(titles(db, query).await, ["it's"]);
        let query = select(Post).filter(Post.views.ge(Post.author_id.clone()));
        sql_is!(query, @"");
    }
}
