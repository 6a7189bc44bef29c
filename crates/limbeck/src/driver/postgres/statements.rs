//! The prepared statements of a connection.

use std::borrow::Borrow;
use std::hash::Hash;

use rustc_hash::FxHashMap;
use tokio_postgres::Statement;

/// A bounded map that forgets what was not used for longest. Forgetting closes the statement on the server.
pub(super) struct Statements<K> {
    map: FxHashMap<K, Entry>,
    capacity: usize,
    clock: u64,
}

struct Entry {
    statement: Statement,
    used: u64,
}

impl<K: Hash + Eq + Clone> Statements<K> {
    pub(super) fn new(capacity: usize) -> Self {
        Statements { map: FxHashMap::default(), capacity, clock: 0 }
    }

    /// Whether statements are prepared by name at all.
    pub(super) fn enabled(&self) -> bool {
        self.capacity > 0
    }

    pub(super) fn get<Q: Hash + Eq + ?Sized>(&mut self, key: &Q) -> Option<Statement>
    where
        K: Borrow<Q>,
    {
        self.clock += 1;
        let entry = self.map.get_mut(key)?;
        entry.used = self.clock;
        Some(entry.statement.clone())
    }

    pub(super) fn insert(&mut self, key: K, statement: Statement) {
        // A search through all is nothing beside the round trip that preparing took.
        if self.map.len() >= self.capacity
            && let Some(oldest) = self.map.iter().min_by_key(|(_, entry)| entry.used).map(|(key, _)| key.clone())
        {
            self.map.remove(&oldest);
        }
        self.map.insert(key, Entry { statement, used: self.clock });
    }

    pub(super) fn remove<Q: Hash + Eq + ?Sized>(&mut self, key: &Q)
    where
        K: Borrow<Q>,
    {
        self.map.remove(key);
    }

    pub(super) fn clear(&mut self) {
        self.map.clear();
    }
}
