pub mod wrong {
    use limbeck::prelude::*;

    #[derive(Model)]
    pub struct Post {
        #[column(primary_key)]
        pub id: i64,
        #[column(length = 200)]
        pub slug: String, // here
        pub views: i64, // here
    }
}

pub mod right {
    use limbeck::prelude::*;

    #[derive(Model)]
    pub struct Post {
        #[column(primary_key)]
        pub id: i64,
        #[column(unique, length = 200)]
        pub slug: String,
        #[column(index)]
        pub views: i64,
    }
}
