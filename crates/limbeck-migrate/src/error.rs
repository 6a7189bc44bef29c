//! What can go wrong with migrations, each with the exit code of the command line.

use std::fmt;

use limbeck::schema::MetadataError;

/// The result of nearly everything here.
pub type Result<T, E = Error> = std::result::Result<T, E>;

/// What went wrong. `{:?}` shows the message, as `{}` does, since `main` and `unwrap` print that.
#[non_exhaustive]
pub enum Error {
    /// The database said no, outside of a revision's own statements.
    Database(limbeck::Error),
    /// A statement of a revision failed. Nothing of that revision was kept, except for what stands before it where a
    /// step has no transaction.
    Statement {
        /// The revision file.
        file: String,
        /// The line on which the statement begins.
        line: usize,
        /// The statement.
        sql: String,
        /// How many statements of the revision were applied before and stay: another run goes on after them.
        kept: usize,
        /// What the database said.
        source: Box<limbeck::Error>,
    },
    /// A revision file or `limbeck.lock` cannot be understood.
    File {
        /// The file.
        file: String,
        /// The line, where it is known.
        line: Option<usize>,
        /// What is wrong, and what to do.
        message: String,
    },
    /// A file could not be read or written.
    Io {
        /// The file.
        file: String,
        /// What the system said.
        source: std::io::Error,
    },
    /// The revisions do not fit together, or the one that was asked for is not there.
    Revision(String),
    /// A revision was edited after it was applied.
    Edited {
        /// The revision.
        id: String,
        /// Its file.
        file: String,
    },
    /// The database is not at head.
    NotAtHead {
        /// The revisions that are missing, in the order in which they would be applied: id and message.
        missing: Vec<(String, String)>,
    },
    /// Another run held the lock for the whole wait.
    Locked {
        /// How long this run waited.
        waited: std::time::Duration,
    },
    /// Only a person can decide this: nothing was written.
    NeedsPerson(String),
    /// The models do not make a schema.
    Models(MetadataError),
    /// What was done broke a promise of the database, and was undone.
    Integrity(String),
}

impl Error {
    /// The exit code of the command line: 1 for an error, 2 where revisions are pending, 4 where the lock of the run or
    /// of a table was not obtained, 5 where a person has to decide.
    pub fn exit_code(&self) -> u8 {
        match self {
            Error::NotAtHead { .. } => 2,
            Error::Locked { .. } => 4,
            Error::Statement { source, .. } if source.is_retryable() => 4,
            Error::NeedsPerson(_) => 5,
            _ => 1,
        }
    }

    /// What kind of error it is, in a word for programs: `database`, `statement`, `file`, `io`, `revision`, `edited`,
    /// `not_at_head`, `locked`, `needs_person`, `models`, `integrity`.
    pub fn kind(&self) -> &'static str {
        match self {
            Error::Database(_) => "database",
            Error::Statement { .. } => "statement",
            Error::File { .. } => "file",
            Error::Io { .. } => "io",
            Error::Revision(_) => "revision",
            Error::Edited { .. } => "edited",
            Error::NotAtHead { .. } => "not_at_head",
            Error::Locked { .. } => "locked",
            Error::NeedsPerson(_) => "needs_person",
            Error::Models(_) => "models",
            Error::Integrity(_) => "integrity",
        }
    }

    /// The file that it is about, and the line where that is known.
    pub fn place(&self) -> Option<(&str, Option<usize>)> {
        match self {
            Error::Statement { file, line, .. } => Some((file, Some(*line))),
            Error::File { file, line, .. } => Some((file, *line)),
            Error::Io { file, .. } | Error::Edited { file, .. } => Some((file, None)),
            _ => None,
        }
    }

    /// A revision that cannot be taken back.
    pub(crate) fn without_downgrade(id: &str, file: String) -> Self {
        Error::file(file, None, format!("revision {id} has no `downgrade` section"))
    }

    pub(crate) fn file(file: impl Into<String>, line: impl Into<Option<usize>>, message: impl Into<String>) -> Self {
        Error::File { file: file.into(), line: line.into(), message: message.into() }
    }

    /// An error of the system about a file.
    pub fn io(file: impl Into<String>, source: std::io::Error) -> Self {
        Error::Io { file: file.into(), source }
    }
}

impl fmt::Debug for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Error::Database(error) => error.fmt(f),
            Error::Statement { file, line, sql, kept, source } => {
                write!(f, "{file}:{line}: {}", first_line(source))?;
                for line in sql.lines() {
                    write!(f, "\n  | {line}")?;
                }
                match kept {
                    0 => f.write_str("\nnothing of this revision was applied"),
                    _ => write!(
                        f,
                        "\n{kept} statement(s) of this revision were applied and stay: when the cause is mended, the same \
                         command goes on after them"
                    ),
                }
            }
            Error::File { file, line: Some(line), message } => write!(f, "{file}:{line}: {message}"),
            Error::File { file, line: None, message } => write!(f, "{file}: {message}"),
            Error::Io { file, source } => write!(f, "{file}: {source}"),
            Error::Revision(message) | Error::NeedsPerson(message) | Error::Integrity(message) => f.write_str(message),
            Error::Edited { id, file } => write!(
                f,
                "{file}: revision {id} was edited after this database applied it; undo the edit and write a new \
                 revision, or, if the database has been changed accordingly, record the edit by `limbeck repair`"
            ),
            Error::NotAtHead { missing } => {
                f.write_str("the database is not at head: run `limbeck upgrade head`; missing")?;
                for (id, message) in missing {
                    write!(f, "\n  {id} {message}")?;
                }
                Ok(())
            }
            Error::Locked { waited } => write!(
                f,
                "another migration run holds the lock; gave up after {:.0} s and changed nothing",
                waited.as_secs_f64()
            ),
            Error::Models(error) => error.fmt(f),
        }
    }
}

/// The database's message without the statement, which is shown on its own.
fn first_line(error: &limbeck::Error) -> String {
    let text = error.to_string();
    text.split("\n  in: ").next().unwrap_or_default().to_string()
}

impl std::error::Error for Error {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        match self {
            Error::Database(source) => Some(source),
            Error::Statement { source, .. } => Some(source),
            Error::Io { source, .. } => Some(source),
            Error::Models(source) => Some(source),
            _ => None,
        }
    }
}

impl From<limbeck::Error> for Error {
    fn from(error: limbeck::Error) -> Self {
        Error::Database(error)
    }
}

impl From<MetadataError> for Error {
    fn from(error: MetadataError) -> Self {
        Error::Models(error)
    }
}
