//! The users of the design's first page: what is stored, and a sum over what is read.

use chrono::{DateTime, TimeDelta, Utc};

/// How many users each database has before anything is measured, with the keys 1 to this.
pub const STORED: i64 = 10_000;

/// A user without a key.
#[derive(Clone, Debug)]
pub struct NewUser {
    pub email: String,
    pub username: String,
    pub hashed_password: String,
    pub full_name: Option<String>,
    pub is_active: bool,
    pub created_at: DateTime<Utc>,
    pub updated_at: DateTime<Utc>,
}

/// The `n`th user; the same on every run.
pub fn user(n: i64) -> NewUser {
    let epoch = DateTime::from_timestamp(1_700_000_000, 0).unwrap_or_default();
    let created_at = epoch + TimeDelta::microseconds(n * 61_000_017);
    NewUser {
        email: format!("user{n}@example.com"),
        username: format!("user{n}"),
        hashed_password: format!("$2b$12${:053}", n * 7919),
        full_name: (n % 3 != 0).then(|| format!("User Number {n}")),
        is_active: n % 5 != 0,
        created_at,
        updated_at: created_at + TimeDelta::microseconds(n * 1_000_003),
    }
}

/// Users `from` to `from + count`.
pub fn users(from: i64, count: usize) -> Vec<NewUser> {
    (from..).take(count).map(user).collect()
}

/// A sum over the fields of users, so that whoever read something else, or not at all, is found. Cheap beside
/// the reading, and the same code for all.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Sum(pub u64);

impl Sum {
    #[allow(clippy::too_many_arguments)]
    #[inline]
    pub fn add(
        &mut self,
        id: i64,
        email: &str,
        username: &str,
        hashed_password: &str,
        full_name: Option<&str>,
        is_active: bool,
        created_at: DateTime<Utc>,
        updated_at: DateTime<Utc>,
    ) {
        let text = |s: &str| s.len() as u64 * 31 + s.as_bytes().last().map_or(0, |b| u64::from(*b));
        let row = (id as u64)
            .wrapping_add(text(email) << 3)
            .wrapping_add(text(username) << 7)
            .wrapping_add(text(hashed_password) << 11)
            .wrapping_add(full_name.map_or(1, text) << 15)
            .wrapping_add(u64::from(is_active) << 23)
            .wrapping_add(created_at.timestamp_micros() as u64)
            .wrapping_add((updated_at.timestamp_micros() as u64).rotate_left(9));
        self.0 = self.0.rotate_left(1).wrapping_add(row);
    }
}
