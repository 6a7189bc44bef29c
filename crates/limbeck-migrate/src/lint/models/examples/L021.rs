pub mod wrong {
    use limbeck::prelude::*;

    #[derive(Model)]
    pub struct Job {
        #[column(primary_key)]
        pub id: i64,
        #[column(index)] // here
        pub failed: bool,
    }
}

pub mod right {
    use limbeck::prelude::*;

    #[derive(Model)]
    #[model(index(id, where = "failed"))]
    pub struct Job {
        #[column(primary_key)]
        pub id: i64,
        pub failed: bool,
    }
}
