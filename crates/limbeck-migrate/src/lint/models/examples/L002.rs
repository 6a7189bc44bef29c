pub mod wrong {
    use limbeck::prelude::*;

    #[derive(Model)]
    #[model(table = "user_status")] // here
    pub struct UserStatus {
        #[column(primary_key)]
        pub id: i64,
    }
}

pub mod right {
    use limbeck::prelude::*;

    #[derive(Model)]
    #[model(table = "user_statuses")]
    pub struct UserStatus {
        #[column(primary_key)]
        pub id: i64,
    }

    #[derive(Model)]
    #[model(table = "news")]
    pub struct NewsItem {
        #[column(primary_key)]
        pub id: i64,
    }
}
