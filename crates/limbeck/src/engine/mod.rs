//! The engine: settings, pool, connections and transactions.
