//! An option of the table names a column that the embedded struct does not have.
use limbeck::model::Timestamps;
use limbeck::prelude::*;

#[derive(Model)]
#[model(index(timestamps.created))]
struct User {
    #[column(primary_key)]
    id: i64,
    #[model(embed)]
    timestamps: Timestamps,
}

fn main() {}
