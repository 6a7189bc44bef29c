//! Proof that the session is right: random programs beside a reference that is simple enough to be seen to be right.
//!
//! After each operation all that the session holds (columns, both sides of loaded relationships, states, what it is
//! to insert and to delete) says what the reference says. After each flush, commit and rollback the database is read
//! by a statement written by hand, and agrees with both. Where the reference says that the end of a flush satisfies
//! all constraints, the flush has to succeed: no order that the session chose may violate one. Where it does not, the
//! flush has to fail by the right error, and leave everything as it was.
//!
//! 6,000 operations are done on SQLite and 4,000 on PostgreSQL, of each kind a two hundredth of that at least, and each
//! time the same. `LIMBECK_MACHINE_STEPS` says how many others are done, and draws them anew; `PROPTEST_RNG_SEED` draws
//! those that were drawn once; `LIMBECK_MACHINE_SHRINKING` says how often a program that fails is made smaller, which
//! takes its time. `scripts/mutants` proves that faults are found.
#![cfg(all(feature = "sqlite", feature = "postgres"))]
#![allow(unreachable_pub)]

mod add;
mod agree;
mod change;
mod compute;
mod database;
mod family;
mod machine;
mod many;
mod merge;
mod models;
mod objects;
mod operation;
mod read;
mod reference;
mod relate;
mod run;
mod sides;
mod stale;

use std::cell::{Cell, RefCell};
use std::collections::BTreeMap;

use limbeck::prelude::*;
use limbeck::session::SessionMaker;
use limbeck_test_support::{Kind, TestDb};
use proptest::prelude::*;
use proptest::test_runner::{Config, RngSeed, TestRunner};

use machine::{Machine, Outcome, said};
use models::*;
use operation::{ALL, Program, What};

/// How long a program is.
const LENGTH: std::ops::Range<usize> = 1..240;

async fn run(sessions: &SessionMaker, program: &Program, done: &mut BTreeMap<What, usize>) -> Result<(), String> {
    let mut connection = sessions.engine().connect().await.map_err(said)?;
    database::clear(&mut connection).await.map_err(said)?;
    let maker = sessions.clone().autoflush(program.autoflush).expire_on_commit(program.expire_on_commit);
    let mut session = maker.open();
    let mut machine = Machine::new(connection, program.autoflush);
    let outcome: Outcome = run::program(&mut machine, &mut session, program).await;
    for (what, times) in std::mem::take(&mut machine.done) {
        *done.entry(what).or_default() += times;
    }
    outcome.map_err(|why| {
        let settings = format!("autoflush: {}, expire_on_commit: {}", program.autoflush, program.expire_on_commit);
        format!("{why}\n// {settings}\n{}", machine.trace())
    })
}

async fn prepared(url: &str) -> limbeck::Result<SessionMaker> {
    let engine = Engine::builder(url).connect().await?;
    let models = limbeck::metadata![Person, Profile, Passport, Task, Tag, Room, Pin, Badge, Doc, Page, Cover, Mark]?;
    engine.create_all(&models).await?;
    Ok(engine.sessionmaker())
}

/// What the environment asks for.
fn number_of<N: std::str::FromStr>(name: &str) -> Option<N> {
    std::env::var(name).ok()?.parse().ok()
}

fn check(kind: Kind) {
    let Some(db) = TestDb::of(kind) else { return };
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().expect("a runtime");
    let sessions = runtime.block_on(prepared(db.url())).expect("the tables");
    let steps: usize = number_of("LIMBECK_MACHINE_STEPS").unwrap_or(if kind == Kind::Sqlite { 6_000 } else { 4_000 });
    let cases = u32::try_from(steps.div_ceil(LENGTH.end * 5 / 12) + 1).expect("not that many");
    // `scripts/mutants` wants to know whether, not why.
    let max_shrink_iters = number_of("LIMBECK_MACHINE_SHRINKING").unwrap_or(1000);
    let mut config = Config { cases, failure_persistence: None, max_shrink_iters, ..Config::default() };
    if number_of::<usize>("LIMBECK_MACHINE_STEPS").is_none() && config.rng_seed == RngSeed::Random {
        config.rng_seed = RngSeed::Fixed(7);
    }
    let done = RefCell::new(BTreeMap::new());
    let (failing, first) = (RefCell::new(String::new()), Cell::new(None));
    let outcome = TestRunner::new(config).run(&operation::program(LENGTH), |program| {
        let mut done = done.borrow_mut();
        runtime.block_on(run(&sessions, &program, &mut done)).map_err(|why| {
            if first.get().is_none() {
                first.set(Some(done.values().sum::<usize>()));
            }
            *failing.borrow_mut() = why.clone();
            TestCaseError::fail(why)
        })
    });
    if outcome.is_err() {
        let after = first.get().unwrap_or_default();
        panic!("after {after} steps, and shrunk:\n{}", failing.borrow());
    }
    let done = done.into_inner();
    let total: usize = done.values().sum();
    println!("{total} steps: {done:?}");
    if max_shrink_iters == 0 {
        return;
    }
    assert!(total >= steps, "{total} of {steps} steps found something to be done to");
    for (what, _) in ALL {
        let times = done.get(what).copied().unwrap_or_default();
        assert!(times >= steps / 200, "{what:?} was done {times} times in {total} steps");
    }
}

/// On a thread of its own, since the futures of a debug build lie deep on the stack.
fn check_on(kind: Kind) {
    let thread = std::thread::Builder::new().stack_size(256 << 20).spawn(move || check(kind)).expect("a thread");
    if let Err(panic) = thread.join() {
        std::panic::resume_unwind(panic);
    }
}

#[test]
fn session_database_and_reference_agree_on_sqlite() {
    check_on(Kind::Sqlite);
}

#[test]
fn session_database_and_reference_agree_on_postgres() {
    check_on(Kind::Postgres);
}

/// A patch that no longer fits would prove nothing; whether the faults are found, `scripts/mutants` proves.
#[test]
fn each_mutant_still_applies() {
    let folder = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/machine/mutants");
    let root = concat!(env!("CARGO_MANIFEST_DIR"), "/../..");
    let mut patches = 0;
    for entry in std::fs::read_dir(folder).expect("the mutants") {
        let path = entry.expect("a patch").path();
        let patch = std::fs::read_to_string(&path).expect("a patch");
        let file = patch.lines().find_map(|line| line.strip_prefix("--- a/")).expect("a file");
        let source = std::fs::read_to_string(format!("{root}/{file}")).expect("the file that it changes");
        let hunks: Vec<&str> = patch.split("\n@@").skip(1).collect();
        assert!(!hunks.is_empty(), "{path:?} changes nothing");
        for hunk in hunks {
            let lines = hunk.lines().skip(1);
            let old: String =
                lines.filter(|line| !line.starts_with('+')).map(|line| format!("{}\n", &line[1..])).collect();
            assert!(source.contains(&old), "{path:?} does not apply any more: mend it by hand");
        }
        patches += 1;
    }
    assert!(patches >= 10, "there are {patches} mutants");
}
