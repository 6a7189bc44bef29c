//! The chapter "A web service" shows pieces of `examples/service`. They are compiled there; here they are compared.

use std::path::Path;

#[test]
fn what_the_chapter_shows_is_in_the_example() {
    let home = Path::new(env!("CARGO_MANIFEST_DIR")).join("../examples/service");
    let mut files = Vec::new();
    for folder in ["src", "tests", "tests/common"] {
        for entry in home.join(folder).read_dir().expect("the folders of the example") {
            let path = entry.expect("an entry").path();
            if path.extension().is_some_and(|extension| extension == "rs") {
                files.push(std::fs::read_to_string(path).expect("a file"));
            }
        }
    }
    let chapter = include_str!("../src/service.md");
    let pieces: Vec<&str> =
        chapter.split("```rust,ignore\n").skip(1).filter_map(|rest| rest.split("```").next()).collect();
    assert!(pieces.len() > 10, "{} pieces were found", pieces.len());
    for piece in pieces {
        assert!(files.iter().any(|file| file.contains(piece)), "not in examples/service any more:\n{piece}");
    }
}
