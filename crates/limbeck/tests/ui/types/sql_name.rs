use limbeck::prelude::*;

fn main() {
    let _ = sql!("SELECT {idd}");
}
