use limbeck::prelude::*;

fn main() {
    let (id, ids, text) = (1i64, [1i64], String::from("SELECT 1"));
    let _ = sql!(text);
    let _ = sql!(format!("SELECT {id}"));
    let _ = sql!("SELECT '{id}'");
    let _ = sql!("SELECT {id + 1}");
    let _ = sql!("SELECT {}", id);
    let _ = sql!("SELECT {id}", ids = 1);
    let _ = sql!("SELECT 1 WHERE 1 = {..ids}");
    let _ = sql!("SELECT '{\"a\": 1}'");
    let _ = sql!("SELECT {}");
}
