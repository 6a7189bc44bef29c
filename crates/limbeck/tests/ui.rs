//! What the compiler says: the messages are part of the interface, so each is kept beside its cause.
//!
//! After a change that is meant: `TRYBUILD=overwrite cargo test -p limbeck --test ui`.

use std::process::Command;

/// The compiler whose words are kept in `tests/ui/types`: another one says the same in its own way.
const COMPILER: &str = "rustc 1.95.";

#[test]
fn messages() {
    let cases = trybuild::TestCases::new();
    cases.pass("tests/ui/pass/*.rs");
    // What the derive finds, in its words alone.
    cases.compile_fail("tests/ui/derive/*.rs");
    // What the compiler finds in the generated code.
    let compiler = compiler();
    if compiler.starts_with(COMPILER) {
        cases.compile_fail("tests/ui/types/*.rs");
    } else {
        println!("tests/ui/types left out: it is for {COMPILER}x, and this is {compiler}");
    }
}

fn compiler() -> String {
    let rustc = std::env::var_os("RUSTC").unwrap_or_else(|| "rustc".into());
    let output = Command::new(rustc).arg("--version").output().expect("rustc runs, since cargo did");
    String::from_utf8_lossy(&output.stdout).trim().to_owned()
}
