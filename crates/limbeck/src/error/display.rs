//! What errors say: what was met, what was expected, and what to do.

use std::fmt;

use super::Error;

impl fmt::Debug for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Error::Config(message) | Error::Mapping(message) | Error::Statement(message) => f.write_str(message),
            Error::FeatureMissing { scheme, feature } => {
                write!(f, "limbeck is compiled without {scheme}: add the feature `{feature}` to limbeck in Cargo.toml")
            }
            Error::Connect { url, message } => write!(f, "cannot connect to {url}: {message}"),
            Error::ConnectionLost { message } => write!(f, "the connection to the database was lost: {message}"),
            Error::PoolTimeout { waited, limit, holders } => {
                write!(
                    f,
                    "no connection became free in {:.1} s: all {limit} (pool_size + max_overflow) are in use",
                    waited.as_secs_f64()
                )?;
                for holder in holders {
                    write!(f, "\n  held for {:.1} s, taken at {}", holder.held.as_secs_f64(), holder.location)?;
                }
                Ok(())
            }
            Error::Closed => f.write_str("the engine is closed"),
            Error::UniqueViolation(v) => v.describe(f, "a row with the same value exists already", "unique constraint"),
            Error::ForeignKeyViolation(v) => {
                v.describe(f, "it refers to a row that is not there, or rows that are there refer to it", "foreign key")
            }
            Error::NotNullViolation(v) => v.describe(f, "a column that is NOT NULL got no value", "NOT NULL"),
            Error::CheckViolation(v) => v.describe(f, "a condition on the row does not hold", "check"),
            Error::Conflict { code, message } => {
                write!(f, "the transaction met another one and was aborted ({code}): {message}; it can be run again")
            }
            Error::Database(e) => {
                f.write_str(&e.message)?;
                if let Some(code) = &e.code {
                    write!(f, " ({code})")?;
                }
                if !e.sql.is_empty() {
                    write!(f, "\n  in: {}", e.sql)?;
                }
                Ok(())
            }
            Error::Decode { table, column, source } if table.is_empty() => {
                write!(f, "cannot read {column} of the result: {source}")
            }
            Error::Decode { table, column, source } => write!(f, "cannot read {table}.{column}: {source}"),
            Error::InvalidValue { model, column, reason, .. } => write!(f, "{model}.{column}: {reason}"),
            Error::ForeignHandle { model } => {
                write!(f, "this handle to a `{model}` belongs to another session")
            }
            Error::StaleHandle { model } => {
                write!(f, "this session no longer has that `{model}`: it was expunged, or its row was deleted")
            }
            Error::Expired { model } => write!(
                f,
                "this `{model}` is expired, so that it may not be what its row is: call `session.fresh(handle).await?` before \
                 reading it"
            ),
            Error::Deferred { column } => write!(
                f,
                "`{column}` is deferred and was not loaded: add `.undefer({column})` to the query, or call \
                 `session.load_column(handle, {column}).await?`"
            ),
            Error::NotLoaded { relation } => write!(
                f,
                "`{relation}` is not loaded: add `.with({relation})` to the query, or call \
                 `session.load(handle, {relation}).await?` first"
            ),
            Error::RelationshipAssigned { relation } => write!(
                f,
                "`{relation}` was assigned directly, which the session cannot follow: use \
                 `session.link(handle, {relation}, target)`, `unlink` or `assign`"
            ),
            Error::KeyConflict { relation, column } => {
                write!(f, "`{relation}` and its key `{column}` were both changed and disagree: change one of them")
            }
            Error::InvalidState { model, reason } => write!(f, "`{model}`: {reason}"),
            Error::StaleRow(stale) => stale.describe(f),
            Error::NotInserted { table, expected, found } => write!(
                f,
                "{expected} row(s) were sent to {table}, but {found} were inserted: a trigger or rule holds them back"
            ),
            Error::UniqueCycle { table, columns, objects } => write!(
                f,
                "{} rows of {table} are to get unique values of ({}) that others of them still have, and the columns \
                 can hold nothing else meanwhile: flush in two steps, with one of them moved to a value that is free",
                objects.len(),
                columns.join(", ")
            ),
            Error::Cycle { tables } => write!(
                f,
                "rows of {} refer to each other in a circle over keys that are NOT NULL, so that none can be first: make \
                 one of the keys an `Option`, or deferrable where the keys are known",
                tables.join(", ")
            ),
            Error::Interrupted => f.write_str(
                "the future of a flush or commit was dropped before it ended: call `session.rollback().await?` first",
            ),
            Error::NPlusOne { relation, remedy, loads, location } => write!(
                f,
                "`{relation}` was loaded for one object at a time, {loads} times and by a query each, last at {location}: \
                 add `{remedy}` to the query that loads the objects, or load it for all of their handles at once"
            ),
            Error::Hook(error) => write!(f, "{error}"),
            Error::InHook { call } => {
                write!(
                    f,
                    "`{call}` cannot be called in a hook of a flush: what the hook changes is a part of that flush"
                )
            }
            Error::HookLoop { hook, rounds } => write!(
                f,
                "the hooks of a flush still made new work for each other after {rounds} rounds, last {hook}: let the \
                 hook leave out what it has made itself"
            ),
            Error::NoRows => f.write_str("expected one row, found none"),
            Error::MultipleRows => f.write_str("expected one row, found more"),
        }
    }
}
