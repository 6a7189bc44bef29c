//! limbeck beside the drivers it stands on and beside Diesel. Run it by `bench/run`, which pins it to one CPU.

mod contender;
mod diesel_postgres;
mod diesel_sqlite;
mod home;
mod measure;
mod ours;
mod raw_postgres;
mod raw_sqlite;
mod report;
mod user;

use std::path::{Path, PathBuf};
use std::{env, fs};

use limbeck_test_support::Postgres;

use crate::contender::{Contender, Result};
use crate::diesel_postgres::DieselPostgres;
use crate::diesel_sqlite::DieselSqlite;
use crate::home::Home;

use crate::measure::{Seat, Work, measure};
use crate::raw_postgres::RawPostgres;
use crate::raw_sqlite::RawSqlite;
use crate::report::Report;

const WORK: [(Work, usize); 8] = [
    (Work::Select(1), 41),
    (Work::Select(100), 41),
    (Work::Select(10_000), 21),
    (Work::Get(500), 41),
    (Work::Insert(1), 41),
    (Work::Insert(100), 41),
    (Work::Insert(10_000), 11),
    (Work::Change(1_000), 21),
];

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<()> {
    let arguments: Vec<String> = env::args().skip(1).collect();
    let has = |word: &str| arguments.iter().any(|argument| argument == word);
    if let Some(unknown) = arguments.iter().find(|a| !["sqlite", "postgres", "--quick"].contains(&a.as_str())) {
        return Err(format!("`{unknown}` is neither `sqlite`, `postgres` nor `--quick`").into());
    }
    let all = !has("sqlite") && !has("postgres");
    let mut reports = Vec::new();
    if all || has("sqlite") {
        reports.push(sqlite(has("--quick")).await?);
    }
    if all || has("postgres") {
        reports.push(postgres(has("--quick")).await?);
    }
    write(&reports, all && !has("--quick"))
}

async fn sqlite(quick: bool) -> Result<Report> {
    // Memory, where there is a file system of it: a disk's mood is not what is measured.
    let shm = Path::new("/dev/shm");
    let folder = if shm.is_dir() { shm.to_path_buf() } else { env::temp_dir() };
    let folder = folder.join(format!("limbeck-bench-{}", std::process::id()));
    fs::create_dir(&folder)?;
    let report = sqlite_in(&folder, quick).await;
    let _ = fs::remove_dir_all(&folder);
    report
}

async fn sqlite_in(folder: &Path, quick: bool) -> Result<Report> {
    let mut seats = Vec::new();
    for number in 0..4 {
        let path = folder.join(format!("{number}.db"));
        let home = Home::sqlite(&path).await?;
        let path = path.to_string_lossy();
        let url = format!("sqlite://{path}");
        let contender: Box<dyn Contender> = match number {
            0 => Box::new(RawSqlite::open(&path)?),
            1 => Box::new(ours::Untracked::connect(&url).await?),
            2 => Box::new(ours::Tracked::connect(&url).await?),
            _ => Box::new(DieselSqlite::open(&path)?),
        };
        seats.push(Seat { contender, home });
    }
    measure_all(&mut seats, quick).await
}

async fn postgres(quick: bool) -> Result<Report> {
    let server = Postgres::own_with(&[
        "shared_buffers = 256MB",
        "autovacuum = off",
        "max_wal_size = 4GB",
        "checkpoint_timeout = 1h",
        // Or the server plans anew for each value, which is half of what a small statement costs and noise here.
        "plan_cache_mode = force_generic_plan",
    ]);
    let mut databases = Vec::new();
    let mut seats = Vec::new();
    for number in 0..5 {
        let database = server.database();
        let home = Home::postgres(database.url()).await?;
        let url = database.url();
        let contender: Box<dyn Contender> = match number {
            0 => Box::new(RawPostgres::connect(url).await?),
            1 => Box::new(ours::Untracked::connect(url).await?),
            2 => Box::new(ours::Tracked::connect(url).await?),
            3 => Box::new(DieselPostgres::connect(url, false).await?),
            _ => Box::new(DieselPostgres::connect(url, true).await?),
        };
        seats.push(Seat { contender, home });
        databases.push(database);
    }
    measure_all(&mut seats, quick).await
}

async fn measure_all(seats: &mut [Seat], quick: bool) -> Result<Report> {
    let database = seats[0].home.version().await?;
    let names = seats.iter().map(|seat| seat.contender.name()).collect();
    let mut rows = Vec::new();
    for (work, rounds) in WORK {
        eprintln!("{database}: {}", work.label());
        let rounds = if quick { 3 } else { rounds };
        rows.push((work.label(), measure(work, seats, rounds).await?));
    }
    Ok(Report { database, names, rows })
}

/// Where the README has its tables.
const BEGIN: &str = "<!-- The tables are written by bench/run. -->\n";
const END: &str = "<!-- Until here. -->";

/// Prints the tables and, when they are whole, keeps them in `results` and in the README.
fn write(reports: &[Report], keep: bool) -> Result<()> {
    let tables = reports.iter().map(Report::markdown).collect::<Vec<_>>().join("\n");
    println!("{tables}");
    if !keep {
        return Ok(());
    }
    let folder = PathBuf::from(env!("CARGO_MANIFEST_DIR"));
    let measured = format!("{}\n\n{tables}", machine());
    fs::write(folder.join("results/latest.md"), format!("# limbeck measured\n\n{measured}"))?;
    let json: Vec<String> = reports.iter().map(Report::json).collect();
    fs::write(folder.join("results/latest.json"), format!("[\n{}\n]\n", json.join(",\n")))?;
    let readme = folder.join("../README.md");
    let text = fs::read_to_string(&readme)?;
    let (before, rest) = text.split_once(BEGIN).ok_or("README.md has no place for the tables")?;
    let (_, after) = rest.split_once(END).ok_or("README.md has no end of the tables")?;
    fs::write(readme, format!("{before}{BEGIN}\n{}\n{END}{after}", measured.replace("\n## ", "\n### ")))?;
    println!("kept in bench/results and README.md");
    Ok(())
}

fn machine() -> String {
    let cpu = fs::read_to_string("/proc/cpuinfo").unwrap_or_default();
    let cpu = cpu.lines().find_map(|line| line.strip_prefix("model name")?.split(": ").nth(1));
    format!(
        "By `bench/run` on {}: {}, one CPU for client and server, release build with LTO. Times are medians of rounds in \
         which all contenders took turns; ratios are medians of the rounds' ratios to the first column.",
        chrono::Utc::now().format("%Y-%m-%d"),
        cpu.unwrap_or("an unknown processor").trim(),
    )
}
