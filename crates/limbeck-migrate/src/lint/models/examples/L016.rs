pub mod wrong {
    use limbeck::prelude::*;

    #[derive(Model)]
    pub struct Currency {
        #[column(primary_key, length = 3)]
        pub code: String,
    }

    #[derive(Model)]
    pub struct Invoice {
        #[column(primary_key)]
        pub id: i64,
        #[column(foreign_key(Currency.code, on_delete = restrict))]
        pub currency: String, // here
    }
}

pub mod right {
    use limbeck::prelude::*;

    #[derive(Model)]
    pub struct Currency {
        #[column(primary_key, length = 3)]
        pub code: String,
    }

    #[derive(Model)]
    pub struct Invoice {
        #[column(primary_key)]
        pub id: i64,
        #[column(foreign_key(Currency.code, on_delete = restrict), length = 3)]
        pub currency: String,
    }
}
