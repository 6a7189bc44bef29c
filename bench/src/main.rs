//! limbeck beside the drivers it stands on and beside other libraries. Run it by `bench/run`, which pins it to one CPU.

mod contender;
#[cfg(feature = "diesel")]
mod diesel_postgres;
#[cfg(feature = "diesel")]
mod diesel_sqlite;
mod distance;
mod home;
mod measure;
mod ours;
mod raw_postgres;
mod raw_sqlite;
mod report;
#[cfg(feature = "seaorm")]
mod seaorm;
mod sqlalchemy;
#[cfg(feature = "sqlx")]
mod sqlx_postgres;
#[cfg(feature = "sqlx")]
mod sqlx_sqlite;
#[cfg(feature = "toasty")]
mod toasty_orm;
mod user;

use std::path::{Path, PathBuf};
use std::time::Duration;
use std::{env, fs};

use limbeck_test_support::Postgres;

use crate::contender::{Contender, Result};
use crate::distance::Distance;
use crate::home::Home;
use crate::measure::{Seat, Work, measure};
use crate::report::Report;

/// What is measured, and in how many rounds.
const WORK: [(Work, usize); 11] = [
    (Work::Select(1), 31),
    (Work::Select(100), 31),
    (Work::Select(10_000), 15),
    (Work::Get(500), 31),
    (Work::Insert(1), 31),
    (Work::Insert(100), 31),
    (Work::Insert(10_000), 9),
    (Work::Change(1_000), 15),
    (Work::Eager(100), 21),
    (Work::Graph(100), 21),
    (Work::Delete(1_000), 15),
];

/// Likewise where each round trip takes a millisecond more: what takes thousands of them takes seconds.
const FAR: [(Work, usize); 9] = [
    (Work::Select(1), 7),
    (Work::Select(100), 7),
    (Work::Get(100), 5),
    (Work::Insert(1), 7),
    (Work::Insert(100), 7),
    (Work::Change(1_000), 5),
    (Work::Eager(100), 7),
    (Work::Graph(100), 7),
    (Work::Delete(1_000), 5),
];

const AWAY: Duration = Duration::from_millis(1);

/// Those who take part, in the order of the columns; the first is what the others are compared with.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Who {
    Raw,
    Untracked,
    Tracked,
    Diesel,
    DieselPipelined,
    Sqlx,
    SeaOrm,
    Toasty,
    SqlAlchemy,
}

const ALL: [Who; 9] = [
    Who::Raw,
    Who::Untracked,
    Who::Tracked,
    Who::Diesel,
    Who::DieselPipelined,
    Who::Sqlx,
    Who::SeaOrm,
    Who::Toasty,
    Who::SqlAlchemy,
];

impl Who {
    /// What the command line calls it.
    fn word(self) -> &'static str {
        match self {
            Who::Raw => "raw",
            Who::Untracked | Who::Tracked => "limbeck",
            Who::Diesel | Who::DieselPipelined => "diesel",
            Who::Sqlx => "sqlx",
            Who::SeaOrm => "seaorm",
            Who::Toasty => "toasty",
            Who::SqlAlchemy => "sqlalchemy",
        }
    }

    /// Connects to a SQLite file; `None` for one that was not built or is not installed.
    async fn sqlite(self, path: &str) -> Result<Option<Box<dyn Contender>>> {
        let url = format!("sqlite://{path}");
        Ok(Some(match self {
            Who::Raw => Box::new(raw_sqlite::RawSqlite::open(path)?),
            Who::Untracked => Box::new(ours::Untracked::connect(&url).await?),
            Who::Tracked => Box::new(ours::Tracked::connect(&url).await?),
            #[cfg(feature = "diesel")]
            Who::Diesel => Box::new(diesel_sqlite::DieselSqlite::open(path)?),
            #[cfg(feature = "sqlx")]
            Who::Sqlx => Box::new(sqlx_sqlite::Sqlx::connect(path).await?),
            #[cfg(feature = "seaorm")]
            Who::SeaOrm => Box::new(seaorm::SeaOrm::connect(&format!("{url}?mode=rw")).await?),
            #[cfg(feature = "toasty")]
            Who::Toasty => Box::new(toasty_orm::Toasty::connect(&format!("sqlite:{path}")).await?),
            Who::SqlAlchemy => match sqlalchemy::SqlAlchemy::start(&format!("sqlite:///{path}"))? {
                Some(contender) => Box::new(contender),
                None => return Ok(None),
            },
            #[allow(unreachable_patterns)]
            _ => return Ok(None),
        }))
    }

    /// Connects to a PostgreSQL database.
    async fn postgres(self, url: &str) -> Result<Option<Box<dyn Contender>>> {
        Ok(Some(match self {
            Who::Raw => Box::new(raw_postgres::RawPostgres::connect(url).await?),
            Who::Untracked => Box::new(ours::Untracked::connect(url).await?),
            Who::Tracked => Box::new(ours::Tracked::connect(url).await?),
            #[cfg(feature = "diesel")]
            Who::Diesel => Box::new(diesel_postgres::DieselPostgres::connect(url, false).await?),
            #[cfg(feature = "diesel")]
            Who::DieselPipelined => Box::new(diesel_postgres::DieselPostgres::connect(url, true).await?),
            #[cfg(feature = "sqlx")]
            Who::Sqlx => Box::new(sqlx_postgres::Sqlx::connect(url).await?),
            #[cfg(feature = "seaorm")]
            Who::SeaOrm => Box::new(seaorm::SeaOrm::connect(url).await?),
            #[cfg(feature = "toasty")]
            Who::Toasty => Box::new(toasty_orm::Toasty::connect(url).await?),
            Who::SqlAlchemy => match sqlalchemy::SqlAlchemy::start(url)? {
                Some(contender) => Box::new(contender),
                None => return Ok(None),
            },
            #[allow(unreachable_patterns)]
            _ => return Ok(None),
        }))
    }
}

/// What the command line asks for.
struct Wish {
    databases: Vec<&'static str>,
    quick: bool,
    /// Only work whose label has this in it.
    work: Option<String>,
    /// Only these, beside the driver.
    with: Option<Vec<String>>,
    /// As many rounds as this.
    rounds: Option<usize>,
}

impl Wish {
    fn read() -> Result<Wish> {
        let mut wish = Wish { databases: Vec::new(), quick: false, work: None, with: None, rounds: None };
        for argument in env::args().skip(1) {
            match argument.split_once('=') {
                None if argument == "--quick" => wish.quick = true,
                None => match ["sqlite", "postgres", "far"].into_iter().find(|known| *known == argument) {
                    Some(known) => wish.databases.push(known),
                    None => return Err(format!("`{argument}` is none of sqlite, postgres, far, --quick").into()),
                },
                Some(("--work", part)) => wish.work = Some(part.into()),
                Some(("--with", names)) => wish.with = Some(names.split(',').map(String::from).collect()),
                Some(("--rounds", rounds)) => wish.rounds = Some(rounds.parse()?),
                Some(_) => return Err(format!("`{argument}` is none of --work=…, --with=…, --rounds=…").into()),
            }
        }
        Ok(wish)
    }

    fn is_whole(&self) -> bool {
        self.databases.is_empty() && !self.quick && self.work.is_none() && self.with.is_none() && self.rounds.is_none()
    }

    fn has(&self, database: &str) -> bool {
        self.databases.is_empty() || self.databases.contains(&database)
    }

    fn who(&self) -> impl Iterator<Item = Who> {
        let wanted = |who: &Who| self.with.as_ref().is_none_or(|names| names.iter().any(|name| name == who.word()));
        ALL.into_iter().filter(move |who| *who == Who::Raw || wanted(who))
    }

    async fn measure(&self, database: String, work: &[(Work, usize)], seats: &mut [Seat]) -> Result<Report> {
        let names = seats.iter().map(|seat| seat.contender.name()).collect();
        let mut rows = Vec::new();
        for (work, rounds) in work {
            if self.work.as_ref().is_some_and(|part| !work.label().contains(part.as_str())) {
                continue;
            }
            eprintln!("{database}: {}", work.label());
            let rounds = self.rounds.unwrap_or(if self.quick { 3 } else { *rounds });
            rows.push((work.label(), measure(*work, seats, rounds).await?));
        }
        Ok(Report { database, names, rows })
    }
}

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<()> {
    let wish = Wish::read()?;
    let mut reports = Vec::new();
    if wish.has("sqlite") {
        reports.push(sqlite(&wish).await?);
    }
    if wish.has("postgres") {
        reports.push(postgres(&wish, None).await?);
    }
    if wish.has("far") {
        reports.push(postgres(&wish, Some(AWAY)).await?);
    }
    write(&reports, wish.is_whole())
}

async fn sqlite(wish: &Wish) -> Result<Report> {
    // Memory, where there is a file system of it: a disk's mood is not what is measured.
    let shm = Path::new("/dev/shm");
    let folder = if shm.is_dir() { shm.to_path_buf() } else { env::temp_dir() };
    let folder = folder.join(format!("limbeck-bench-{}", std::process::id()));
    fs::create_dir(&folder)?;
    let report = sqlite_in(&folder, wish).await;
    let _ = fs::remove_dir_all(&folder);
    report
}

async fn sqlite_in(folder: &Path, wish: &Wish) -> Result<Report> {
    let mut seats = Vec::new();
    for who in wish.who() {
        let path = folder.join(format!("{who:?}.db"));
        let home = Home::sqlite(&path, who == Who::Toasty).await?;
        if let Some(contender) = who.sqlite(&path.to_string_lossy()).await? {
            seats.push(Seat { contender, home });
        }
    }
    let database = seats[0].home.version().await?;
    wish.measure(database, &WORK, &mut seats).await
}

async fn postgres(wish: &Wish, away: Option<Duration>) -> Result<Report> {
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
    let mut distances = Vec::new();
    for who in wish.who() {
        let database = server.database();
        let home = Home::postgres(database.url()).await?;
        let url = match away {
            None => database.url().to_string(),
            Some(round_trip) => {
                let distance = Distance::to(database.url(), round_trip)?;
                let url = distance.url().to_string();
                distances.push(distance);
                url
            }
        };
        if let Some(contender) = who.postgres(&url).await? {
            seats.push(Seat { contender, home });
        }
        databases.push(database);
    }
    let database = seats[0].home.version().await?;
    match away {
        None => wish.measure(database, &WORK, &mut seats).await,
        Some(_) => wish.measure(format!("{database}, each round trip 1 ms longer"), &FAR, &mut seats).await,
    }
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
