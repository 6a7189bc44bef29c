//! The picture of the models is what `limbeck diagram` draws of them today.

use std::process::Command;

#[test]
fn the_picture_of_the_models_is_current() {
    let drawn = Command::new(env!("CARGO_BIN_EXE_blog-limbeck"))
        .args(["diagram", "--format", "svg"])
        .current_dir(env!("CARGO_MANIFEST_DIR"))
        .output()
        .expect("blog-limbeck runs");
    assert!(drawn.status.success(), "{}", String::from_utf8_lossy(&drawn.stderr));
    let drawn = String::from_utf8(drawn.stdout).expect("UTF-8");
    assert!(
        drawn == include_str!("../diagram.svg"),
        "the models have changed: `limbeck -p blog diagram -o examples/blog/diagram.svg` draws them anew"
    );
}
