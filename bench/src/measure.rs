//! Measuring: in rounds, in each of which every contender has its turn, so that a slow moment of the machine meets
//! all of them.

use std::time::{Duration, Instant};

use crate::contender::{Contender, Outcome, Result, Task};
use crate::home::Home;
use crate::user::{NewGraph, NewUser, STORED, graph, users};

/// A contender and its database.
pub struct Seat {
    pub contender: Box<dyn Contender>,
    pub home: Home,
}

/// What is measured.
#[derive(Clone, Copy, Debug)]
pub enum Work {
    Select(i64),
    Get(usize),
    Insert(usize),
    Change(i64),
    Eager(i64),
    Graph(usize),
    Delete(i64),
}

impl Work {
    pub fn label(self) -> String {
        match self {
            Work::Select(1) => "select 1 user".into(),
            Work::Select(n) => format!("select {} users", thousands(n)),
            Work::Get(_) => "get by primary key".into(),
            Work::Insert(1) => "insert 1 user".into(),
            Work::Insert(n) => format!("insert {} users", thousands(n as i64)),
            Work::Change(n) => format!("read {} users, change one column of each", thousands(n)),
            Work::Eager(n) => format!("read {n} users with 10 posts with 10 tags each"),
            Work::Graph(n) => format!("insert {n} users with 10 posts with 2 tags each"),
            Work::Delete(n) => format!("read {} users, delete each", thousands(n)),
        }
    }

    /// How often it is done for one sample, which should take a millisecond or more.
    fn repeats(self) -> usize {
        match self {
            Work::Select(n) => (400 / n).max(1) as usize,
            Work::Insert(n) => (200 / n).max(1),
            Work::Eager(n) => (200 / n).max(1) as usize,
            Work::Get(_) | Work::Change(_) | Work::Graph(_) | Work::Delete(_) => 1,
        }
    }

    /// How many of what the label says one repeat does.
    fn count(self) -> usize {
        if let Work::Get(n) = self { n } else { 1 }
    }
}

fn thousands(n: i64) -> String {
    if n < 1000 { n.to_string() } else { format!("{},{:03}", n / 1000, n % 1000) }
}

/// Seconds for one, of each contender: one sample a round. Empty for a contender that does not do this.
pub type Samples = Vec<Vec<f64>>;

/// Measures one kind of work. An error when contenders disagree about what they read, or did something else than
/// was asked.
pub async fn measure(work: Work, seats: &mut [Seat], rounds: usize) -> Result<Samples> {
    let mut samples: Samples = seats.iter().map(|_| Vec::with_capacity(rounds)).collect();
    for round in 0..rounds {
        let mut expected = None;
        for turn in 0..seats.len() {
            let at = (round + turn) % seats.len();
            if !seats[at].contender.does(work) {
                continue;
            }
            let (seconds, outcome) = sample(work, &mut seats[at], round).await?;
            samples[at].push(seconds);
            let expected = expected.get_or_insert(outcome.sum);
            if *expected != outcome.sum {
                let name = seats[at].contender.name();
                return Err(format!("{}: {name} read something else than the others", work.label()).into());
            }
        }
    }
    Ok(samples)
}

/// One warm-up, which may fill caches that the cleaning emptied, then the repeats that count.
async fn sample(work: Work, seat: &mut Seat, round: usize) -> Result<(f64, Outcome)> {
    let repeats = work.repeats();
    let input = Input::new(work, repeats + 1, round);
    let mut last = one(work, seat, input.task(work, 0)).await?.1;
    let start = Instant::now();
    // What is not to be counted: making ready, and waiting for one that measures itself.
    let mut beside = Duration::ZERO;
    for repeat in 1..=repeats {
        let (other, outcome) = one(work, seat, input.task(work, repeat)).await?;
        beside += other;
        last = outcome;
    }
    let seconds = start.elapsed().saturating_sub(beside).as_secs_f64() / (repeats * work.count()) as f64;
    match work {
        Work::Insert(_) if round == 0 => seat.home.check_keys(&last.keys, &input.batches[repeats]).await?,
        Work::Change(n) => seat.home.check_names(n, &input.names[repeats]).await?,
        Work::Graph(_) if round == 0 => seat.home.check_graph(&last.keys, &input.graphs[repeats]).await?,
        Work::Delete(_) => seat.home.check_deleted().await?,
        _ => {}
    }
    if matches!(work, Work::Insert(_) | Work::Change(_) | Work::Graph(_) | Work::Delete(_)) {
        seat.home.clean().await?;
    }
    Ok((seconds, last))
}

/// Does it once, and says how much of the time is not to be counted.
async fn one(work: Work, seat: &mut Seat, task: Task<'_>) -> Result<(Duration, Outcome)> {
    let mut beside = Duration::ZERO;
    if let Work::Delete(n) = work {
        let start = Instant::now();
        seat.home.add_doomed(n).await?;
        beside += start.elapsed();
    }
    let Some(start) = seat.contender.measures_itself().then(Instant::now) else {
        return Ok((beside, seat.contender.run(task).await?));
    };
    let outcome = seat.contender.run(task).await?;
    let counted = Duration::from_secs_f64(outcome.seconds.unwrap_or_default());
    Ok((beside + start.elapsed().saturating_sub(counted), outcome))
}

/// What the repeats of a sample work on; the same for all contenders of a round.
#[derive(Default)]
struct Input {
    ids: Vec<i64>,
    batches: Vec<Vec<NewUser>>,
    names: Vec<String>,
    graphs: Vec<NewGraph>,
}

impl Input {
    fn new(work: Work, repeats: usize, round: usize) -> Input {
        let mut input = Input::default();
        match work {
            Work::Select(_) | Work::Eager(_) | Work::Delete(_) => {}
            // Spread over the table, and no key twice.
            Work::Get(n) => input.ids = (0..n as i64).map(|i| (i * 7919 + round as i64) % 10_000 + 1).collect(),
            Work::Insert(n) => {
                input.batches = (0..repeats).map(|at| users(1_000_000 + (at * n) as i64, n)).collect();
            }
            Work::Change(_) => input.names = (0..repeats).map(|at| format!("Round {round}.{at} ")).collect(),
            Work::Graph(n) => input.graphs = (0..repeats).map(|at| graph(1_000_000 + (at * n) as i64, n)).collect(),
        }
        input
    }

    fn task(&self, work: Work, repeat: usize) -> Task<'_> {
        match work {
            Work::Select(n) => Task::Select(n),
            Work::Get(_) => Task::Get(&self.ids),
            Work::Insert(_) => Task::Insert(&self.batches[repeat]),
            Work::Change(n) => Task::Change(n, &self.names[repeat]),
            Work::Eager(n) => Task::Eager(n),
            Work::Graph(_) => Task::Graph(&self.graphs[repeat]),
            Work::Delete(_) => Task::Delete(STORED),
        }
    }
}

/// The middle one; the mean of the two in the middle where there are two.
pub fn median(values: &[f64]) -> Option<f64> {
    let mut sorted = values.to_vec();
    sorted.sort_by(f64::total_cmp);
    let middle = sorted.len() / 2;
    if sorted.is_empty() {
        None
    } else if sorted.len() % 2 == 1 {
        Some(sorted[middle])
    } else {
        Some((sorted[middle - 1] + sorted[middle]) / 2.0)
    }
}

/// The median of the rounds' ratios: what drifts from round to round falls out of it.
pub fn ratio(samples: &[f64], reference: &[f64]) -> Option<f64> {
    let ratios: Vec<f64> = samples.iter().zip(reference).map(|(a, b)| a / b).collect();
    median(&ratios)
}
