pub mod wrong {
    use limbeck::prelude::*;

    #[derive(Model)]
    pub struct User {
        #[column(primary_key)]
        pub id: i64,
    }

    #[derive(Model)]
    pub struct Post {
        #[column(primary_key)]
        pub id: i64,
        #[column(foreign_key(User.id, on_delete = cascade), index = false)] // here
        pub author_id: i64,
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
    #[model(unique(editor_id, edition))]
    pub struct Post {
        #[column(primary_key)]
        pub id: i64,
        #[column(foreign_key(User.id, on_delete = cascade))]
        pub author_id: i64,
        #[column(foreign_key(User.id, on_delete = cascade), index = false)]
        pub editor_id: i64,
        pub edition: i32,
    }
}
