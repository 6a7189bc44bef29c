pub mod wrong {
    use limbeck::prelude::*;

    #[derive(Model)]
    pub struct Meeting {
        #[column(primary_key)]
        pub id: i64,
        pub begins_at: NaiveDateTime, // here
    }
}

pub mod right {
    use limbeck::prelude::*;

    #[derive(Model)]
    pub struct Meeting {
        #[column(primary_key)]
        pub id: i64,
        pub begins_at: DateTime<Utc>,
        pub breakfast_local: NaiveDateTime,
        #[column(allow(L010, reason = "as the clock in the hall shows it, whatever its zone"))]
        pub doors_open: NaiveDateTime,
    }
}
