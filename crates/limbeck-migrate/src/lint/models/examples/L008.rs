pub mod wrong {
    use limbeck::prelude::*;

    #[derive(Model)]
    pub struct Post {
        // here
        #[column(primary_key)]
        pub id: i64,
    }
}

pub mod right {
    use limbeck::prelude::*;

    #[derive(Model)]
    pub struct Post {
        #[column(primary_key)]
        pub id: i64,
        #[column(default = Utc::now())]
        pub created_at: DateTime<Utc>,
        #[column(default = Utc::now(), on_update = Utc::now())]
        pub updated_at: DateTime<Utc>,
    }

    #[derive(Model)]
    pub struct Comment {
        #[column(primary_key)]
        pub id: i64,
        #[model(embed)]
        pub timestamps: limbeck::model::Timestamps,
    }
}
