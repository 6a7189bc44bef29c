pub mod wrong {
    use limbeck::prelude::*;

    #[derive(Model)]
    pub struct Post {
        #[column(primary_key)]
        pub id: i64,
        #[column(length = 20)]
        pub status: String, // here
        #[column(length = 2, check("language IN ('de', 'en')"))]
        pub language: String, // here
    }
}

pub mod right {
    use limbeck::prelude::*;

    #[derive(DbEnum, Clone, Debug, PartialEq)]
    pub enum Status {
        Draft,
        Published,
    }

    #[derive(DbEnum, Clone, Debug, PartialEq)]
    pub enum Language {
        De,
        En,
    }

    #[derive(Model)]
    pub struct Post {
        #[column(primary_key)]
        pub id: i64,
        pub status: Status,
        pub language: Language,
        #[column(length = 100)]
        pub content_type: String,
    }
}
