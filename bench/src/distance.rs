//! A server that is further away: what goes to it and what comes from it arrives later.
//!
//! Each chunk is delayed on its own and nothing waits for anything else, so that several requests can be on their way
//! at the same time, as on a real line. By threads: tokio's clock ticks once a millisecond, which is what is added here.

use std::io::{Read, Write};
use std::net::{Shutdown, SocketAddr, TcpListener, TcpStream};
use std::sync::mpsc;
use std::thread;
use std::time::{Duration, Instant};

use crate::contender::Result;

/// A way to a server, as long as the program runs.
pub struct Distance {
    url: String,
}

impl Distance {
    /// A longer way to the server that a URL names: each round trip takes that much more.
    pub fn to(url: &str, round_trip: Duration) -> Result<Distance> {
        let (before, rest) = url.split_once("127.0.0.1:").ok_or("the server is not on 127.0.0.1")?;
        let digits = rest.find(|c: char| !c.is_ascii_digit()).unwrap_or(rest.len());
        let server = SocketAddr::from(([127, 0, 0, 1], rest[..digits].parse()?));
        let listener = TcpListener::bind(("127.0.0.1", 0))?;
        let port = listener.local_addr()?.port();
        thread::spawn(move || {
            for client in listener.incoming().flatten() {
                if let Err(error) = connect(client, server, round_trip / 2) {
                    eprintln!("the way to the server: {error}");
                }
            }
        });
        Ok(Distance { url: format!("{before}127.0.0.1:{port}{}", &rest[digits..]) })
    }

    /// The URL of the far end.
    pub fn url(&self) -> &str {
        &self.url
    }
}

fn connect(client: TcpStream, server: SocketAddr, delay: Duration) -> Result<()> {
    let server = TcpStream::connect(server)?;
    client.set_nodelay(true)?;
    server.set_nodelay(true)?;
    carry(client.try_clone()?, server.try_clone()?, delay);
    carry(server, client, delay);
    Ok(())
}

/// One direction: one thread notes when each chunk came, another hands it on when its time has come.
fn carry(mut from: TcpStream, mut to: TcpStream, delay: Duration) {
    let (sender, receiver) = mpsc::channel::<(Instant, Vec<u8>)>();
    thread::spawn(move || {
        let mut buffer = vec![0; 1 << 16];
        while let Ok(count @ 1..) = from.read(&mut buffer) {
            if sender.send((Instant::now() + delay, buffer[..count].to_vec())).is_err() {
                break;
            }
        }
    });
    thread::spawn(move || {
        for (due, chunk) in receiver {
            thread::sleep(due.saturating_duration_since(Instant::now()));
            if to.write_all(&chunk).is_err() {
                break;
            }
        }
        let _ = to.shutdown(Shutdown::Both);
    });
}
