pub mod wrong {
    use limbeck::prelude::*;

    #[derive(Model)]
    pub struct User {
        #[column(primary_key)]
        pub id: i64,
    }

    #[derive(Model)]
    #[model(index(author_id, views))]
    pub struct Post {
        #[column(primary_key)]
        pub id: i64,
        #[column(foreign_key(User.id, on_delete = cascade))]
        pub author_id: i64, // here
        #[column(unique, index, length = 200)] // here
        pub slug: String,
        pub views: i64,
    }
}

pub mod right {
    use limbeck::prelude::*;

    #[derive(Model)]
    pub struct User {
        #[column(primary_key)]
        pub id: i64,
    }

    #[derive(Model)]
    #[model(index(author_id, views))]
    pub struct Post {
        #[column(primary_key)]
        pub id: i64,
        #[column(foreign_key(User.id, on_delete = cascade), index = false)]
        pub author_id: i64,
        #[column(unique, length = 200)]
        pub slug: String,
        pub views: i64,
    }
}
