use limbeck::prelude::*;

#[derive(Model)]
struct Setting {
    name: String,
    value: Option<String>,
}

fn main() {}
