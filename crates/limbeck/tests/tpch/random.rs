//! Random values that are the same on every run and every machine: SplitMix64.

use chrono::Days;
use limbeck::prelude::*;

/// A stream of random values.
pub struct Random(u64);

impl Random {
    /// Each table has a stream of its own, so that a change of one leaves the others alone. With this seed every query
    /// has an answer.
    pub fn of(table: &str) -> Random {
        Random(
            table
                .bytes()
                .chain("12".bytes())
                .fold(0xcbf2_9ce4_8422_2325, |hash, b| (hash ^ u64::from(b)).wrapping_mul(0x0100_0000_01b3)),
        )
    }

    fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        z ^ (z >> 31)
    }

    /// A number from `low` to `high`, both included.
    pub fn number(&mut self, low: i32, high: i32) -> i32 {
        let span = u64::from(high.abs_diff(low)) + 1;
        low.wrapping_add((self.next() % span) as i32)
    }

    /// An amount of money, from and to which are in cents.
    pub fn money(&mut self, low: i32, high: i32) -> Decimal {
        Decimal::new(i64::from(self.number(low, high)), 2)
    }

    /// One in `n`.
    pub fn one_in(&mut self, n: i32) -> bool {
        self.number(1, n) == 1
    }

    /// One of a list.
    pub fn pick<'a>(&mut self, list: &[&'a str]) -> &'a str {
        list[self.number(0, list.len() as i32 - 1) as usize]
    }

    /// A word of each list.
    pub fn words(&mut self, lists: &[&[&str]]) -> String {
        let words: Vec<&str> = lists.iter().map(|list| self.pick(list)).collect();
        words.join(" ")
    }

    /// Words, of `low` to `high` characters together.
    pub fn text(&mut self, low: i32, high: i32) -> String {
        let length = self.number(low, high) as usize;
        let mut text = String::with_capacity(length + 12);
        while text.len() < length {
            if !text.is_empty() {
                text.push(' ');
            }
            text.push_str(self.pick(WORDS));
        }
        text.truncate(length);
        text.trim_end().to_owned()
    }

    /// Letters and digits, of `low` to `high` characters.
    pub fn address(&mut self, low: i32, high: i32) -> String {
        const LETTERS: &[u8] = b"0123456789abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ ,";
        let length = self.number(low, high);
        (0..length).map(|_| char::from(LETTERS[self.number(0, LETTERS.len() as i32 - 1) as usize])).collect()
    }

    /// A phone number of a nation.
    pub fn phone(&mut self, nation: i32) -> String {
        let (a, b, c) = (self.number(100, 999), self.number(100, 999), self.number(1000, 9999));
        format!("{}-{a}-{b}-{c}", nation + 10)
    }

    /// A day `low` to `high` days after another.
    pub fn day_after(&mut self, day: NaiveDate, low: i32, high: i32) -> NaiveDate {
        day + Days::new(self.number(low, high) as u64)
    }
}

#[rustfmt::skip]
const WORDS: &[&str] = &[
    "accounts", "across", "after", "again", "asymptotes", "beans", "blithely", "bold", "boost", "braids", "busily",
    "careful", "carefully", "courts", "daringly", "decoys", "deposits", "detect", "dolphins", "doze", "dugouts",
    "enticing", "epitaphs", "escapades", "even", "excuses", "express", "final", "fluffily", "foxes", "frays",
    "furious", "grouches", "haggle", "hockey", "ideas", "idle", "instructions", "integrate", "ironic", "kindle",
    "lose", "maintain", "multipliers", "nag", "orbits", "packages", "patterns", "pending", "permanent", "pinto",
    "platelets", "players", "quick", "quickly", "quietly", "realms", "regular", "requests", "ruthless", "sauternes",
    "sentiments", "serve", "sheaves", "silent", "sleep", "slyly", "special", "theodolites", "thin", "tithes",
    "unusual", "warhorses", "wake",
];
