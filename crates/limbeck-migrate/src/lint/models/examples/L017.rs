pub mod wrong {
    use limbeck::prelude::*;

    #[derive(Model)]
    #[model(index(body))]
    pub struct Article {
        #[column(primary_key)]
        pub id: i64,
        #[column(unique)]
        pub slug: String, // here
        #[column(text)]
        pub body: String, // here
    }
}

pub mod right {
    use limbeck::prelude::*;

    #[derive(Model)]
    #[model(index("md5(body)"))]
    pub struct Article {
        #[column(primary_key)]
        pub id: i64,
        #[column(unique, length = 200)]
        pub slug: String,
        #[column(text)]
        pub body: String,
    }
}
