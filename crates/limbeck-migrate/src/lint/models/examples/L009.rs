pub mod wrong {
    use limbeck::prelude::*;

    #[derive(Model)]
    pub struct Post {
        #[column(primary_key)]
        pub id: i64,
        #[column(server_default = "now()")]
        pub created_at: DateTime<Utc>,
        #[column(default = Utc::now())]
        pub updated_at: DateTime<Utc>, // here
    }

    #[derive(Model)]
    pub struct Comment {
        #[column(primary_key)]
        pub id: i64,
        pub created_at: DateTime<Utc>, // here
    }
}

pub mod right {
    use limbeck::prelude::*;

    #[derive(Model)]
    pub struct Post {
        #[column(primary_key)]
        pub id: i64,
        #[column(server_default = "now()")]
        pub created_at: DateTime<Utc>,
        #[column(default = Utc::now(), on_update = Utc::now())]
        pub updated_at: DateTime<Utc>,
    }
}
