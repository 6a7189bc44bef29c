//! What a revision says, as a number: comments, spaces, line ends and the case of words do not count, so
//! that a checkout with other line ends or a formatter cannot break production.

use limbeck::dialect::Dialect;
use sha2::{Digest, Sha256};

use super::split::directive;
use crate::token::{self, Kind};

/// The hash of a revision file: its statements and its directives, in order, but not its header, so that
/// another parent or date is not another content. 128 bits of SHA-256, in hexadecimal.
pub fn content_hash(dialect: Dialect, source: &str) -> String {
    let mut hasher = Sha256::new();
    match token::tokens(dialect, source) {
        Ok(tokens) => {
            for token in &tokens {
                match token.kind {
                    Kind::Comment => match directive(source, token) {
                        Some(text) if !text.starts_with("revision=") => {
                            hasher.update(b"-- ");
                            hasher.update(text.as_bytes());
                            hasher.update(b"\n");
                        }
                        _ => {}
                    },
                    _ => hasher.update(token::normal_of(std::slice::from_ref(token)).as_bytes()),
                }
            }
        }
        // Reading the file will say what is wrong with it; the hash only has to differ.
        Err(_) => hasher.update(source.as_bytes()),
    }
    hasher.finalize().iter().take(16).map(|byte| format!("{byte:02x}")).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    const FILE: &str = "-- Add a\n-- limbeck: revision=aa revises= created=x\n\n-- limbeck: upgrade\nCREATE TABLE a (b TEXT DEFAULT 'X');\n\n-- limbeck: downgrade\nDROP TABLE a;\n";

    #[test]
    fn what_does_not_matter_does_not_count() {
        let hash = content_hash(Dialect::Sqlite, FILE);
        assert_eq!(hash.len(), 32);
        for same in [
            FILE.replace('\n', "\r\n"),
            FILE.replace("CREATE TABLE a", "create   table A -- why\n"),
            FILE.replace("revises=", "revises=bb"),
            FILE.replace("-- Add a", "-- Add the table a"),
            FILE.replace("-- limbeck: downgrade", "-- limbeck: downgrade      (loses data: a)"),
        ] {
            assert_eq!(content_hash(Dialect::Sqlite, &same), hash, "{same}");
        }
    }

    #[test]
    fn what_matters_counts() {
        let hash = content_hash(Dialect::Sqlite, FILE);
        for other in [
            FILE.replace("'X'", "'x'"),
            FILE.replace("TEXT", "BLOB"),
            FILE.replace("DROP TABLE a;", ""),
            FILE.replace("CREATE", "-- limbeck: sqlite-foreign-keys=off\nCREATE"),
        ] {
            assert_ne!(content_hash(Dialect::Sqlite, &other), hash, "{other}");
        }
    }
}
