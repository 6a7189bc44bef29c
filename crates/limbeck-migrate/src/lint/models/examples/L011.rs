pub mod wrong {
    use limbeck::prelude::*;

    #[derive(Model)]
    pub struct Product {
        #[column(primary_key)]
        pub id: i64,
        pub price: f64,                 // here
        pub shipping_cost: Option<f32>, // here
        pub tax_rate: f64,
        pub total_kwh: f64,
    }
}

pub mod right {
    use limbeck::prelude::*;

    #[derive(Model)]
    pub struct Product {
        #[column(primary_key)]
        pub id: i64,
        #[column(numeric(12, 2))]
        pub price: Decimal,
        pub shipping_cost: Option<i64>,
        pub tax_rate: f64,
    }
}
