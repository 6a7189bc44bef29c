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

/// How many posts there are, with the keys 1 to this: ten of each of the first users, in order.
pub const POSTS: i64 = 1_000;

/// How many tags there are, with the keys 1 to this.
pub const TAGS: i64 = 100;

/// A post without a key; whose it is says where it is.
#[derive(Clone, Debug)]
pub struct NewPost {
    pub title: String,
    pub body: String,
}

/// The `n`th post; the same on every run.
pub fn post(n: i64) -> NewPost {
    NewPost { title: format!("Post number {n}"), body: format!("{n} words, of which {:060} are long", n * 104_729) }
}

/// The name of the `n`th tag.
pub fn tag(n: i64) -> String {
    format!("tag{n}")
}

/// The author of the stored post with that key.
pub fn author_of(post: i64) -> i64 {
    (post - 1) / 10 + 1
}

/// The ten tags of the stored post with that key.
pub fn tags_of(post: i64) -> impl Iterator<Item = i64> {
    (0..10).map(move |k| (post * 7 + k * 11) % TAGS + 1)
}

/// Objects that refer to each other, none of which is stored yet.
#[derive(Clone, Debug)]
pub struct NewGraph {
    pub tags: Vec<String>,
    /// Each with its posts, each of which has these two of the tags.
    pub users: Vec<(NewUser, Vec<(NewPost, [usize; 2])>)>,
}

/// Users from `from` on, ten posts of each, two of twenty tags at each.
pub fn graph(from: i64, count: usize) -> NewGraph {
    let posts =
        |n: i64| (n * 10..n * 10 + 10).map(|n| (post(n), [n as usize % 20, (n as usize / 10 + 1 + n as usize) % 20]));
    let distinct = |(post, [a, b]): (NewPost, [usize; 2])| (post, [a, if a == b { (b + 1) % 20 } else { b }]);
    NewGraph {
        tags: (0..20).map(|k| tag(from * 20 + k)).collect(),
        users: (from..).take(count).map(|n| (user(n), posts(n).map(distinct).collect())).collect(),
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

    /// A post with its tags. It does not matter in which order posts and tags come.
    #[inline]
    pub fn post<'a>(
        &mut self,
        id: i64,
        title: &str,
        body: &str,
        author_id: i64,
        tags: impl Iterator<Item = (i64, &'a str)>,
    ) {
        let tags = tags.fold(0_u64, |sum, (id, name)| sum.wrapping_add((id as u64) << 5).wrapping_add(text(name)));
        let post = (id as u64)
            .wrapping_add(text(title) << 5)
            .wrapping_add(text(body) << 9)
            .wrapping_add((author_id as u64) << 20)
            .wrapping_add(tags << 13);
        self.0 = self.0.wrapping_add(post.wrapping_mul(0x9e37_79b9));
    }
}

fn text(s: &str) -> u64 {
    s.len() as u64 * 31 + s.as_bytes().last().map_or(0, |b| u64::from(*b))
}
