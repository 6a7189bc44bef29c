//! Why a value of the database could not be read.

/// Why a cell could not be read as the type that was asked for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DecodeError {
    /// What was asked for, as a Rust or SQL type.
    pub expected: &'static str,
    /// What the row had instead, in words.
    pub found: String,
    /// The column's position in the row that was being read, when it is known.
    pub column: Option<usize>,
}

impl DecodeError {
    /// A cell that should have been an `expected` and was `found`.
    #[cold]
    pub fn new(expected: &'static str, found: impl Into<String>) -> Self {
        DecodeError { expected, found: found.into(), column: None }
    }

    /// The same error, with the position at which it happened.
    #[cold]
    pub fn at(mut self, column: usize) -> Self {
        self.column.get_or_insert(column);
        self
    }
}

impl std::fmt::Display for DecodeError {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "expected {}, found {}", self.expected, self.found)?;
        // Nearly always a column that may be NULL and a type that may not.
        if self.found == "NULL" { f.write_str(", which only an `Option` can hold") } else { Ok(()) }
    }
}

impl std::error::Error for DecodeError {}
