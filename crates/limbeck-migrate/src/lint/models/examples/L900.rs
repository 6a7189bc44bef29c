pub mod wrong {
    use limbeck::prelude::*;

    #[derive(Model)]
    #[model(allow(L0008, reason = "a tag is a word"))] // here
    pub struct Tag {
        #[column(primary_key)]
        pub id: i64,
    }
}

pub mod right {
    use limbeck::prelude::*;

    #[derive(Model)]
    #[model(allow(L008, reason = "a tag is a word"))]
    pub struct Tag {
        #[column(primary_key)]
        pub id: i64,
    }
}
