use limbeck::prelude::*;

#[derive(DbEnum, Clone, PartialEq)]
enum Status {
    Draft,
    Published { at: i64 },
    Rejected(String),
}

#[derive(DbEnum, Clone, PartialEq)]
enum Nothing {}

#[derive(DbEnum, Clone, PartialEq)]
struct Level(i64);

#[derive(DbEnum, Clone, PartialEq)]
#[db_enum(rename_all = "snake")]
enum Kind {
    Small,
}

#[derive(DbEnum, Clone, PartialEq)]
enum Same {
    First,
    #[db_enum(rename = "first")]
    Second,
}

fn main() {}
