pub mod wrong {
    use limbeck::prelude::*;

    #[derive(Model)]
    pub struct Person {
        #[column(primary_key)]
        pub id: i64,
        #[column(length = 10)]
        pub birth_date: String, // here
    }
}

pub mod right {
    use limbeck::prelude::*;

    #[derive(Model)]
    pub struct Person {
        #[column(primary_key)]
        pub id: i64,
        pub birth_date: NaiveDate,
    }
}
