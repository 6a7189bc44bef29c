pub mod wrong {
    use limbeck::prelude::*;

    #[derive(Model)]
    #[model(table = "people")]
    pub struct People {
        // here
        #[column(primary_key)]
        pub id: i64,
    }
}

pub mod right {
    use limbeck::prelude::*;

    #[derive(Model)]
    #[model(table = "people")]
    pub struct Person {
        #[column(primary_key)]
        pub id: i64,
    }
}
