use limbeck::prelude::*;

#[derive(ColumnType, Clone, PartialEq)]
enum Status {
    Draft,
}

#[derive(ColumnType, Clone, PartialEq)]
struct Range(i64, i64);

#[derive(ColumnType, Clone, PartialEq)]
struct Id<T>(T);

fn main() {}
