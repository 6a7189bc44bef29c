pub mod wrong {
    use limbeck::prelude::*;

    #[derive(Model)]
    pub struct User {
        #[column(primary_key)]
        pub id: i64,
        #[relationship(back_populates = author, cascade(all, delete_orphan))]
        pub posts: HasMany<Post>,
    }

    #[derive(Model)]
    pub struct Post {
        #[column(primary_key)]
        pub id: i64,
        #[column(foreign_key(User.id))] // here
        pub author_id: i64,
        #[relationship(back_populates = posts)]
        pub author: BelongsTo<User>,
    }
}

pub mod right {
    use limbeck::prelude::*;

    #[derive(Model)]
    pub struct User {
        #[column(primary_key)]
        pub id: i64,
        #[relationship(back_populates = author, cascade(all, delete_orphan))]
        pub posts: HasMany<Post>,
    }

    #[derive(Model)]
    pub struct Post {
        #[column(primary_key)]
        pub id: i64,
        #[column(foreign_key(User.id, on_delete = cascade))]
        pub author_id: i64,
        #[relationship(back_populates = posts)]
        pub author: BelongsTo<User>,
    }
}
