//! SeaORM, on either database: entities, `load_many`, `insert_many`; changes and deletes one by one.

use std::future::Future;
use std::pin::Pin;

use sea_orm::ActiveValue::Set;
use sea_orm::{
    ActiveModelTrait, ColumnTrait, ConnectOptions, Database, DatabaseConnection, EntityTrait, IntoActiveModel,
    LoaderTrait, ModelTrait, QueryFilter, QueryOrder, TransactionTrait,
};

use crate::contender::{Contender, Outcome, Result, Task};
use crate::user::{NewGraph, NewUser, Sum};

mod user {
    use sea_orm::entity::prelude::*;

    #[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
    #[sea_orm(table_name = "users")]
    pub struct Model {
        #[sea_orm(primary_key)]
        pub id: i64,
        #[sea_orm(unique)]
        pub email: String,
        #[sea_orm(unique)]
        pub username: String,
        pub hashed_password: String,
        pub full_name: Option<String>,
        pub is_active: bool,
        pub created_at: ChronoDateTimeUtc,
        pub updated_at: ChronoDateTimeUtc,
    }

    #[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
    pub enum Relation {
        #[sea_orm(has_many = "super::post::Entity")]
        Post,
    }

    impl Related<super::post::Entity> for Entity {
        fn to() -> RelationDef {
            Relation::Post.def()
        }
    }

    impl ActiveModelBehavior for ActiveModel {}
}

mod post {
    use sea_orm::entity::prelude::*;

    #[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
    #[sea_orm(table_name = "posts")]
    pub struct Model {
        #[sea_orm(primary_key)]
        pub id: i64,
        pub title: String,
        pub body: String,
        pub author_id: i64,
    }

    #[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
    pub enum Relation {
        #[sea_orm(belongs_to = "super::user::Entity", from = "Column::AuthorId", to = "super::user::Column::Id")]
        User,
    }

    impl Related<super::user::Entity> for Entity {
        fn to() -> RelationDef {
            Relation::User.def()
        }
    }

    impl Related<super::tag::Entity> for Entity {
        fn to() -> RelationDef {
            super::post_tag::Relation::Tag.def()
        }

        fn via() -> Option<RelationDef> {
            Some(super::post_tag::Relation::Post.def().rev())
        }
    }

    impl ActiveModelBehavior for ActiveModel {}
}

mod tag {
    use sea_orm::entity::prelude::*;

    #[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
    #[sea_orm(table_name = "tags")]
    pub struct Model {
        #[sea_orm(primary_key)]
        pub id: i64,
        #[sea_orm(unique)]
        pub name: String,
    }

    #[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
    pub enum Relation {}

    impl ActiveModelBehavior for ActiveModel {}
}

mod post_tag {
    use sea_orm::entity::prelude::*;

    #[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
    #[sea_orm(table_name = "post_tags")]
    pub struct Model {
        #[sea_orm(primary_key, auto_increment = false)]
        pub post_id: i64,
        #[sea_orm(primary_key, auto_increment = false)]
        pub tag_id: i64,
    }

    #[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
    pub enum Relation {
        #[sea_orm(belongs_to = "super::post::Entity", from = "Column::PostId", to = "super::post::Column::Id")]
        Post,
        #[sea_orm(belongs_to = "super::tag::Entity", from = "Column::TagId", to = "super::tag::Column::Id")]
        Tag,
    }

    impl ActiveModelBehavior for ActiveModel {}
}

/// Rows in one INSERT: SQLite binds 32,766 values at most, PostgreSQL twice as many.
const ROWS: usize = 4_000;

pub struct SeaOrm {
    database: DatabaseConnection,
}

impl SeaOrm {
    pub async fn connect(url: &str) -> Result<SeaOrm> {
        let mut options = ConnectOptions::new(url);
        options.max_connections(1).sqlx_logging(false);
        if url.starts_with("sqlite") {
            use sea_orm::sqlx::sqlite::{SqliteJournalMode, SqliteSynchronous};
            options.map_sqlx_sqlite_opts(|options| {
                options.journal_mode(SqliteJournalMode::Wal).synchronous(SqliteSynchronous::Normal).foreign_keys(true)
            });
        }
        Ok(SeaOrm { database: Database::connect(options).await? })
    }

    async fn select(&self, n: i64) -> Result<Outcome> {
        let query = user::Entity::find().filter(user::Column::Id.lte(n)).order_by_asc(user::Column::Id);
        Ok(sum(&query.all(&self.database).await?).into())
    }

    async fn get(&self, ids: &[i64]) -> Result<Outcome> {
        let mut total = Sum::default();
        for id in ids {
            add(&mut total, &user::Entity::find_by_id(*id).one(&self.database).await?.ok_or("no such user")?);
        }
        Ok(total.into())
    }

    async fn insert(&self, users: &[NewUser]) -> Result<Outcome> {
        let transaction = self.database.begin().await?;
        let mut keys = Vec::with_capacity(users.len());
        for rows in users.chunks(ROWS) {
            let rows = user::Entity::insert_many(rows.iter().map(new));
            keys.extend(rows.exec_with_returning(&transaction).await?.into_iter().map(|user| user.id));
        }
        transaction.commit().await?;
        Ok(keys.into())
    }

    async fn change(&self, n: i64, name: &str) -> Result<Outcome> {
        let transaction = self.database.begin().await?;
        let query = user::Entity::find().filter(user::Column::Id.lte(n)).order_by_asc(user::Column::Id);
        let users = query.all(&transaction).await?;
        let total = sum(&users);
        for user in users {
            let name = format!("{name}{}", user.id);
            let mut user = user.into_active_model();
            user.full_name = Set(Some(name));
            user.update(&transaction).await?;
        }
        transaction.commit().await?;
        Ok(total.into())
    }

    async fn eager(&self, n: i64) -> Result<Outcome> {
        let query = user::Entity::find().filter(user::Column::Id.lte(n)).order_by_asc(user::Column::Id);
        let users = query.all(&self.database).await?;
        let posts = users.load_many(post::Entity, &self.database).await?;
        let flat: Vec<post::Model> = posts.into_iter().flatten().collect();
        let tags = flat.load_many_to_many(tag::Entity, post_tag::Entity, &self.database).await?;
        let mut posts = flat.iter().zip(&tags).peekable();
        let mut total = Sum::default();
        for user in &users {
            add(&mut total, user);
            while let Some((post, tags)) = posts.next_if(|(post, _)| post.author_id == user.id) {
                let tags = tags.iter().map(|tag| (tag.id, tag.name.as_str()));
                total.post(post.id, &post.title, &post.body, post.author_id, tags);
            }
        }
        Ok(total.into())
    }

    async fn graph(&self, graph: &NewGraph) -> Result<Outcome> {
        let transaction = self.database.begin().await?;
        let tags = graph.tags.iter().map(|name| tag::ActiveModel { name: Set(name.clone()), ..Default::default() });
        let tags = tag::Entity::insert_many(tags).exec_with_returning(&transaction).await?;
        let users = user::Entity::insert_many(graph.users.iter().map(|(user, _)| new(user)));
        let users = users.exec_with_returning(&transaction).await?;
        let posts = || {
            let authors = graph.users.iter().zip(&users);
            authors.flat_map(|((_, posts), author)| posts.iter().map(move |post| (author.id, post)))
        };
        let rows = posts().map(|(author, (post, _))| post::ActiveModel {
            title: Set(post.title.clone()),
            body: Set(post.body.clone()),
            author_id: Set(author),
            ..Default::default()
        });
        let stored = post::Entity::insert_many(rows).exec_with_returning(&transaction).await?;
        let links = posts().zip(&stored).flat_map(|((_, (_, of)), post)| {
            of.map(|tag| post_tag::ActiveModel { post_id: Set(post.id), tag_id: Set(tags[tag].id) })
        });
        post_tag::Entity::insert_many(links).exec_without_returning(&transaction).await?;
        transaction.commit().await?;
        Ok(users.iter().map(|user| user.id).collect::<Vec<i64>>().into())
    }

    async fn delete(&self, above: i64) -> Result<Outcome> {
        let transaction = self.database.begin().await?;
        let query = user::Entity::find().filter(user::Column::Id.gt(above)).order_by_asc(user::Column::Id);
        let users = query.all(&transaction).await?;
        let total = sum(&users);
        for user in users {
            user.delete(&transaction).await?;
        }
        transaction.commit().await?;
        Ok(total.into())
    }
}

impl Contender for SeaOrm {
    fn name(&self) -> &'static str {
        "SeaORM"
    }

    fn run<'a>(&'a mut self, task: Task<'a>) -> Pin<Box<dyn Future<Output = Result<Outcome>> + 'a>> {
        Box::pin(async move {
            match task {
                Task::Select(n) => self.select(n).await,
                Task::Get(ids) => self.get(ids).await,
                Task::Insert(users) => self.insert(users).await,
                Task::Change(n, name) => self.change(n, name).await,
                Task::Eager(n) => self.eager(n).await,
                Task::Graph(graph) => self.graph(graph).await,
                Task::Delete(above) => self.delete(above).await,
            }
        })
    }
}

fn new(user: &NewUser) -> user::ActiveModel {
    user::ActiveModel {
        email: Set(user.email.clone()),
        username: Set(user.username.clone()),
        hashed_password: Set(user.hashed_password.clone()),
        full_name: Set(user.full_name.clone()),
        is_active: Set(user.is_active),
        created_at: Set(user.created_at),
        updated_at: Set(user.updated_at),
        ..Default::default()
    }
}

fn sum(users: &[user::Model]) -> Sum {
    let mut total = Sum::default();
    users.iter().for_each(|user| add(&mut total, user));
    total
}

fn add(total: &mut Sum, user: &user::Model) {
    total.add(
        user.id,
        &user.email,
        &user.username,
        &user.hashed_password,
        user.full_name.as_deref(),
        user.is_active,
        user.created_at,
        user.updated_at,
    );
}
