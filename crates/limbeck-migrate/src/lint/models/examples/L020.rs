pub mod wrong {
    use limbeck::prelude::*;

    #[derive(Model)]
    pub struct Event {
        #[column(primary_key)]
        pub id: i32, // here
    }
}

pub mod right {
    use limbeck::prelude::*;

    #[derive(Model)]
    pub struct Event {
        #[column(primary_key)]
        pub id: i64,
    }
}
