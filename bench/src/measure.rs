//! Measuring: in rounds, in each of which every contender has its turn, so that a slow moment of the machine meets
//! all of them.

use std::time::Instant;

use crate::contender::{Contender, Outcome, Result, Task};
use crate::home::Home;
use crate::user::{NewUser, users};

/// A contender and its database.
pub struct Seat {
    pub contender: Box<dyn Contender>,
    pub home: Home,
}

/// What is measured.
#[derive(Clone, Copy)]
pub enum Work {
    Select(i64),
    Get(usize),
    Insert(usize),
    Change(i64),
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
        }
    }

    /// How often it is done for one sample, which should take a millisecond or more.
    fn repeats(self) -> usize {
        match self {
            Work::Select(n) => (400 / n).max(1) as usize,
            Work::Insert(n) => (200 / n).max(1),
            Work::Get(_) | Work::Change(_) => 1,
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
    let mut last = seat.contender.run(input.task(work, 0)).await?;
    let start = Instant::now();
    for repeat in 1..=repeats {
        last = seat.contender.run(input.task(work, repeat)).await?;
    }
    let seconds = start.elapsed().as_secs_f64() / (repeats * work.count()) as f64;
    match work {
        Work::Insert(_) if round == 0 => seat.home.check_keys(&last.keys, &input.batches[repeats]).await?,
        Work::Change(n) => seat.home.check_names(n, &input.names[repeats]).await?,
        _ => {}
    }
    if matches!(work, Work::Insert(_) | Work::Change(_)) {
        seat.home.clean().await?;
    }
    Ok((seconds, last))
}

/// What the repeats of a sample work on; the same for all contenders of a round.
struct Input {
    ids: Vec<i64>,
    batches: Vec<Vec<NewUser>>,
    names: Vec<String>,
}

impl Input {
    fn new(work: Work, repeats: usize, round: usize) -> Input {
        let mut input = Input { ids: Vec::new(), batches: Vec::new(), names: Vec::new() };
        match work {
            Work::Select(_) => {}
            // Spread over the table, and no key twice.
            Work::Get(n) => input.ids = (0..n as i64).map(|i| (i * 7919 + round as i64) % 10_000 + 1).collect(),
            Work::Insert(n) => {
                input.batches = (0..repeats).map(|at| users(1_000_000 + (at * n) as i64, n)).collect();
            }
            Work::Change(_) => input.names = (0..repeats).map(|at| format!("Round {round}.{at} ")).collect(),
        }
        input
    }

    fn task(&self, work: Work, repeat: usize) -> Task<'_> {
        match work {
            Work::Select(n) => Task::Select(n),
            Work::Get(_) => Task::Get(&self.ids),
            Work::Insert(_) => Task::Insert(&self.batches[repeat]),
            Work::Change(n) => Task::Change(n, &self.names[repeat]),
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
