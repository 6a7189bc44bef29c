use limbeck::prelude::*;

fn main() {
    let name = "users";
    let _ = sql(format!("SELECT * FROM {name}"));
}
