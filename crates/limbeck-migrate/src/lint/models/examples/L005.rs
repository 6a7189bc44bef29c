pub mod wrong {
    use limbeck::prelude::*;

    #[derive(Model)]
    pub struct User {
        #[column(primary_key)]
        pub id: i64,
        #[column(default = Some(0))]
        pub logins: Option<i32>, // here
        #[column(server_default = "0")]
        pub points: Option<i32>, // here
    }
}

pub mod right {
    use limbeck::prelude::*;

    #[derive(Model)]
    pub struct User {
        #[column(primary_key)]
        pub id: i64,
        #[column(default = 0)]
        pub logins: i32,
        #[column(server_default = "0")]
        pub points: i32,
        pub last_login: Option<DateTime<Utc>>,
    }
}
