//! What is going on while revisions are applied, on standard error.
//!
//! On a terminal it is one line, which shows the statement and how long it has run, and goes when it is done. Elsewhere
//! it is a line for each revision where there are several, and one for a statement that takes long: a log stays short,
//! and one sees that it is not stuck, and at what.

use std::io::{IsTerminal, Write};
use std::sync::mpsc::{self, RecvTimeoutError, Sender};
use std::time::{Duration, Instant};

use limbeck_migrate::run::Progress as Event;

use crate::output;

/// How often is looked whether the line has to be written anew.
const TICK: Duration = Duration::from_millis(200);

/// A statement that is done sooner is not shown.
const SOON: Duration = Duration::from_millis(400);

/// How long a statement takes until a log is told; then after twice the time.
const LONG: Duration = Duration::from_secs(10);

enum News {
    Revision(String),
    Statement(String),
    /// Something else is printed: the line has to go. Answered when it has gone.
    Pause(Sender<()>),
}

/// The display, which a thread of its own keeps: the statements are awaited on the only other one.
pub(crate) struct Progress {
    sender: Option<Sender<News>>,
}

impl Progress {
    pub(crate) fn new() -> Progress {
        if output::is_json() {
            return Progress { sender: None };
        }
        let (sender, news) = mpsc::channel();
        let terminal = std::io::stderr().is_terminal();
        let thread = std::thread::Builder::new().name("progress".into()).spawn(move || show(&news, terminal));
        match thread {
            Ok(_) => Progress { sender: Some(sender) },
            // Without it, all goes on as well.
            Err(_) => Progress { sender: None },
        }
    }

    /// What the migrator tells.
    pub(crate) fn watch(&self) -> impl Fn(&Event<'_>) + Send + Sync + 'static {
        let sender = self.sender.clone();
        move |event| {
            let Some(sender) = &sender else { return };
            let news = match event {
                Event::Revision { id, message, position, of } if *of > 1 => {
                    News::Revision(format!("[{position}/{of}] {id} {message}"))
                }
                Event::Statement { position, of, sql, .. } => {
                    News::Statement(format!("statement {position} of {of}: {}", one_line(sql)))
                }
                _ => return,
            };
            let _ = sender.send(news);
        }
    }

    /// Takes the line away, for something else to be printed.
    pub(crate) fn pause(&self) {
        let (gone, wait) = mpsc::channel();
        if self.sender.as_ref().is_some_and(|sender| sender.send(News::Pause(gone)).is_ok()) {
            let _ = wait.recv_timeout(Duration::from_secs(1));
        }
    }

    /// Takes the line away for good.
    pub(crate) fn end(&mut self) {
        self.pause();
        self.sender = None;
    }
}

fn show(news: &mpsc::Receiver<News>, terminal: bool) {
    let mut statement: Option<(String, Instant, Duration)> = None;
    let mut shown = String::new();
    loop {
        match news.recv_timeout(TICK) {
            Ok(News::Revision(text)) => {
                statement = None;
                clear(&mut shown);
                if !terminal {
                    output::beside(&text);
                }
            }
            Ok(News::Statement(text)) => statement = Some((text, Instant::now(), LONG)),
            Ok(News::Pause(gone)) => {
                statement = None;
                clear(&mut shown);
                let _ = gone.send(());
            }
            Err(RecvTimeoutError::Timeout) => {
                let Some((text, since, next)) = &mut statement else { continue };
                let taken = since.elapsed();
                if terminal && taken >= SOON {
                    let now = format!("{text} ({} s)", taken.as_secs());
                    if now != shown {
                        clear(&mut shown);
                        let _ = write!(std::io::stderr(), "{now}");
                        let _ = std::io::stderr().flush();
                        shown = now;
                    }
                } else if !terminal && taken >= *next {
                    output::beside(&format!("{} s at {text}", taken.as_secs()));
                    *next *= 2;
                }
            }
            Err(RecvTimeoutError::Disconnected) => return clear(&mut shown),
        }
    }
}

/// Takes the line off the terminal.
fn clear(shown: &mut String) {
    if !std::mem::take(shown).is_empty() {
        let _ = write!(std::io::stderr(), "\r\x1b[2K");
        let _ = std::io::stderr().flush();
    }
}

/// The beginning of a statement, short enough for a line, and nothing in it that moves a cursor.
fn one_line(sql: &str) -> String {
    const ROOM: usize = 48;
    let words: Vec<&str> = sql.split_whitespace().collect();
    let text: String = words.join(" ").chars().filter(|c| !c.is_control()).collect();
    if text.chars().count() <= ROOM { text } else { text.chars().take(ROOM).chain(['…']).collect() }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_statement_is_shown_on_one_line() {
        assert_eq!(one_line("CREATE TABLE t (\n    id integer\n)"), "CREATE TABLE t ( id integer )");
        assert_eq!(one_line("SELECT '\x1b[2J'"), "SELECT '[2J'");
        let long = one_line(&"ä".repeat(100));
        assert_eq!((long.chars().count(), long.ends_with('…')), (49, true));
    }
}
