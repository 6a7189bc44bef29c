pub mod wrong {
    use limbeck::prelude::*;

    #[derive(Model)]
    pub struct Country {
        #[column(primary_key)]
        pub id: i64,
        #[column(foreign_key(City.id, on_delete = restrict))]
        pub capital_id: i64,
    }

    #[derive(Model)]
    pub struct City {
        #[column(primary_key)]
        pub id: i64,
        #[column(foreign_key(Country.id, on_delete = restrict))] // here
        pub country_id: i64,
    }
}

pub mod right {
    use limbeck::prelude::*;

    #[derive(Model)]
    pub struct Country {
        #[column(primary_key)]
        pub id: i64,
        #[column(foreign_key(City.id, on_delete = set_null))]
        pub capital_id: Option<i64>,
    }

    #[derive(Model)]
    pub struct City {
        #[column(primary_key)]
        pub id: i64,
        #[column(foreign_key(Country.id, on_delete = restrict))]
        pub country_id: i64,
    }
}
