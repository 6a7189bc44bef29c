pub mod wrong {
    use limbeck::prelude::*;

    #[derive(Model)]
    pub struct User {
        #[column(primary_key)]
        pub id: i64,
        #[column(unique, length = 254)]
        pub email: Option<String>, // here
    }

    #[derive(Model)]
    #[model(unique(parent_id, name))]
    pub struct Folder {
        #[column(primary_key)]
        pub id: i64,
        #[column(foreign_key(Folder.id, on_delete = cascade), index = false)]
        pub parent_id: Option<i64>, // here
        #[column(length = 100)]
        pub name: String,
    }
}

pub mod right {
    use limbeck::prelude::*;

    #[derive(Model)]
    pub struct User {
        #[column(primary_key)]
        pub id: i64,
        #[column(unique, length = 254)]
        pub email: String,
    }

    #[derive(Model)]
    #[model(unique(parent_id, name), index(name, unique, where = "parent_id IS NULL"))]
    pub struct Folder {
        #[column(primary_key)]
        pub id: i64,
        #[column(foreign_key(Folder.id, on_delete = cascade), index = false)]
        pub parent_id: Option<i64>,
        #[column(length = 100)]
        pub name: String,
    }
}
