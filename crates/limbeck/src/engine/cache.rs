//! Rendered statements, found by the shape of their query.

use std::sync::{Arc, PoisonError, RwLock};

use rustc_hash::FxHashMap;

use crate::driver::Stmt;
use crate::session::Trust;

/// Rendered statements of an engine, shared by all its connections.
///
/// The key is the *shape* of a query as bytes (its tables, columns, operators and which literals are bound,
/// but no values), compared in full: two queries of equal hash must never share a statement.
pub(crate) struct StatementCache {
    map: RwLock<FxHashMap<Box<[u8]>, Arc<Stmt>>>,
    capacity: usize,
    /// Tables whose rows cannot be tied to objects as usual, by their model's number. Nearly always empty.
    trust: RwLock<FxHashMap<usize, Trust>>,
}

impl std::fmt::Debug for StatementCache {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("StatementCache").field("capacity", &self.capacity).finish_non_exhaustive()
    }
}

impl StatementCache {
    pub(crate) fn new(capacity: usize) -> Self {
        StatementCache { map: RwLock::default(), capacity, trust: RwLock::default() }
    }

    pub(crate) fn get(&self, shape: &[u8]) -> Option<Arc<Stmt>> {
        self.map.read().unwrap_or_else(PoisonError::into_inner).get(shape).map(Arc::clone)
    }

    /// How rows of a model's table are tied to objects.
    pub(crate) fn trust(&self, model: usize) -> Trust {
        self.trust.read().unwrap_or_else(PoisonError::into_inner).get(&model).copied().unwrap_or_default()
    }

    /// Remembers that rows of a model's table could not be tied to objects that way.
    pub(crate) fn distrust(&self, model: usize) {
        let mut trust = self.trust.write().unwrap_or_else(PoisonError::into_inner);
        let of_model = trust.entry(model).or_default();
        *of_model = of_model.less();
    }

    /// Keeps a statement. When the cache is full it is emptied: a program has either far fewer shapes than
    /// fit, or makes new ones without end, and no order of eviction helps with that.
    pub(crate) fn insert(&self, shape: Box<[u8]>, stmt: Arc<Stmt>) {
        if self.capacity == 0 {
            return;
        }
        let mut map = self.map.write().unwrap_or_else(PoisonError::into_inner);
        if map.len() >= self.capacity {
            map.clear();
        }
        map.insert(shape, stmt);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::driver::Access;

    #[test]
    fn a_statement_is_found_by_its_whole_shape_and_the_cache_stays_bounded() {
        let cache = StatementCache::new(2);
        let one = Stmt::new("SELECT 1".into(), vec![], Access::Reads);
        cache.insert(Box::new([1, 2]), Arc::clone(&one));
        assert_eq!(cache.get(&[1, 2]).map(|s| s.id), Some(one.id));
        assert!(cache.get(&[1]).is_none());
        for shape in 3..9u8 {
            cache.insert(Box::new([shape]), Stmt::new(String::new(), vec![], Access::Reads));
            assert!(cache.map.read().unwrap().len() <= 2);
        }
    }
}
