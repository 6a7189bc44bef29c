pub mod wrong {
    use limbeck::prelude::*;

    #[derive(Model)]
    #[model(unique(id, email))] // here
    pub struct User {
        #[column(primary_key, unique)] // here
        pub id: i64,
        #[column(length = 254)]
        pub email: String,
    }
}

pub mod right {
    use limbeck::prelude::*;

    #[derive(Model)]
    pub struct User {
        #[column(primary_key)]
        pub id: i64,
        #[column(unique, length = 254)]
        pub email: String,
    }
}
