//! What the compiler says: the messages are part of the interface, so each is kept beside its cause.
//!
//! After a change that is meant: `TRYBUILD=overwrite cargo test -p limbeck --test ui`.

#[test]
fn messages() {
    let cases = trybuild::TestCases::new();
    cases.pass("tests/ui/pass/*.rs");
    cases.compile_fail("tests/ui/fail/*.rs");
}
