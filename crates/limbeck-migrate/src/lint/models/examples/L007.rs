pub mod wrong {
    use limbeck::prelude::*;

    #[derive(Model)]
    pub struct User {
        #[column(primary_key)]
        pub id: i64,
        pub is_active: Option<bool>, // here
    }
}

pub mod right {
    use limbeck::prelude::*;

    #[derive(Model)]
    pub struct User {
        #[column(primary_key)]
        pub id: i64,
        #[column(default = true)]
        pub is_active: bool,
    }
}
