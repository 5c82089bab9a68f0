//! A gate in front of a server: every request passes through it, and one of them can be held, before the server has heard it or
//! after the server has answered and before whoever asks hears that.
//!
//! Whose request it is, is told by the `Origin` that a browser names. What browsers ask beforehand (`OPTIONS`) is not counted.

use std::io::{BufRead, BufReader, Read, Write};
use std::net::{Ipv4Addr, SocketAddr, TcpListener, TcpStream};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::thread;
use std::time::Duration;

use tokio::time::sleep;

use crate::trouble::{Outcome, Trouble};

/// How long one request may take, without the time for which it is held.
const PATIENCE: Duration = Duration::from_secs(60);

/// The longest head of a request, in bytes; Chromium's are well below 2 kB.
const HEAD_MAX: u64 = 16 * 1024;

/// The longest body of a request that is taken, in bytes.
const BODY_MAX: usize = 1 << 22;

/// How often it is looked whether a request is held.
const GLANCE: Duration = Duration::from_millis(10);

/// A running gate; it ends when dropped.
#[derive(Debug)]
pub struct Gate {
    address: SocketAddr,
    watch: Arc<Watch>,
    stop: Arc<AtomicBool>,
}

/// When a request is held.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Held {
    /// The server has not heard of it, and never will.
    Before,
    /// The server has done what it was asked, and nobody will hear that.
    After,
}

/// What is waited for, and what the threads of requests wait for.
#[derive(Debug, Default)]
struct Watch {
    trap: Mutex<Trap>,
    changed: Condvar,
}

#[derive(Debug, Default)]
enum Trap {
    /// Everything passes.
    #[default]
    Open,
    /// Of the requests from this origin whose names begin so, so many pass, and then one is held.
    Set {
        origin: String,
        only: String,
        pass: usize,
        held: Held,
    },
    /// This one is on its way to the server, and is held once that has answered.
    Closing(String),
    /// This one is held.
    Closed(String),
}

impl Gate {
    /// Opens a gate on a free port of loopback, in front of a server at `http://…`.
    ///
    /// # Errors
    /// If no port can be had, or that is no address.
    pub fn before(server: &str) -> Outcome<Self> {
        let server = server.strip_prefix("http://").unwrap_or(server);
        let server = server.trim_end_matches('/').parse::<SocketAddr>();
        let server = server.map_err(|_| Trouble::new("that is no address of a server"))?;
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0))?;
        let gate = Self {
            address: listener.local_addr()?,
            watch: Arc::default(),
            stop: Arc::default(),
        };
        let (watch, stop) = (Arc::clone(&gate.watch), Arc::clone(&gate.stop));
        thread::spawn(move || {
            for stream in listener.incoming() {
                if stop.load(Ordering::Relaxed) {
                    return;
                }
                let watch = Arc::clone(&watch);
                if let Ok(stream) = stream {
                    // A browser that is killed in the middle is what this is for.
                    thread::spawn(move || drop(passes(&stream, server, &watch)));
                }
            }
        });
        Ok(gate)
    }

    /// Its address, for whoever would ask the server.
    #[must_use]
    pub fn url(&self) -> String {
        format!("http://{}", self.address)
    }

    /// Lets so many requests of pages from `origin` pass from now on, and holds the one that comes then. Counts only those whose method
    /// and path begin as said: with nothing, all.
    pub fn set(&self, origin: &str, only: &str, pass: usize, held: Held) {
        *self.watch.trap() = Trap::Set {
            origin: origin.trim_end_matches('/').to_owned(),
            only: only.to_owned(),
            pass,
            held,
        };
    }

    /// Waits until a request is held, and says which: its method and its path. Without end, if none is.
    pub async fn holds(&self) -> String {
        loop {
            if let Trap::Closed(request) = &*self.watch.trap() {
                return request.clone();
            }
            sleep(GLANCE).await;
        }
    }

    /// Lets everything pass again. What is held is not let through but dropped, with its connection.
    pub fn open(&self) {
        *self.watch.trap() = Trap::Open;
        self.watch.changed.notify_all();
    }
}

impl Drop for Gate {
    fn drop(&mut self) {
        self.open();
        self.stop.store(true, Ordering::Relaxed);
        // Wakes the one that waits for a connection.
        drop(TcpStream::connect(self.address));
    }
}

impl Watch {
    fn trap(&self) -> MutexGuard<'_, Trap> {
        self.trap.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// A request has come; says when it is to be held, if it is.
    fn comes(&self, request: &Request) -> Option<Held> {
        let mut trap = self.trap();
        let Trap::Set {
            origin,
            only,
            pass,
            held,
        } = &mut *trap
        else {
            return None;
        };
        let name = &request.name;
        if name.starts_with("OPTIONS ") || !name.starts_with(&**only) || request.origin != *origin {
            return None;
        }
        if let Some(left) = pass.checked_sub(1) {
            *pass = left;
            return None;
        }
        let held = *held;
        *trap = match held {
            Held::Before => Trap::Closed(request.name.clone()),
            Held::After => Trap::Closing(request.name.clone()),
        };
        Some(held)
    }

    /// The server has answered what is to be held.
    fn closes(&self) {
        let mut trap = self.trap();
        if let Trap::Closing(request) = &mut *trap {
            *trap = Trap::Closed(core::mem::take(request));
        }
    }

    /// Waits until the gate is open again.
    fn waits(&self) {
        let closed = |trap: &mut Trap| matches!(trap, Trap::Closed(_));
        let opened = self.changed.wait_while(self.trap(), closed);
        drop(opened.unwrap_or_else(PoisonError::into_inner));
    }
}

/// One request as it came.
struct Request {
    /// Its method and its path.
    name: String,
    origin: String,
    bytes: Vec<u8>,
}

impl Request {
    /// Reads one; none if whoever connected says nothing.
    fn read(stream: &TcpStream) -> Outcome<Option<Self>> {
        let mut reader = BufReader::new(stream);
        let mut head = (&mut reader).take(HEAD_MAX);
        let (mut origin, mut length) = (String::new(), 0);
        let mut line = String::new();
        if head.read_line(&mut line)? == 0 {
            return Ok(None);
        }
        let name: Vec<&str> = line.split_whitespace().take(2).collect();
        let name = name.join(" ");
        let mut bytes = line.clone().into_bytes();
        loop {
            line.clear();
            if head.read_line(&mut line)? <= 2 {
                break;
            }
            let (field, value) = line.split_once(':').unwrap_or((&line, ""));
            match field.to_ascii_lowercase().as_str() {
                // Each connection is for one request.
                "connection" => continue,
                "origin" => value.trim().clone_into(&mut origin),
                "content-length" => length = value.trim().parse().unwrap_or(usize::MAX),
                _ => {}
            }
            bytes.extend_from_slice(line.as_bytes());
        }
        if length > BODY_MAX {
            return Err(Trouble::new(format!("{name} is too long")));
        }
        bytes.extend_from_slice(b"Connection: close\r\n\r\n");
        let body = bytes.len();
        bytes.resize(body + length, 0);
        reader.read_exact(&mut bytes[body..])?;
        Ok(Some(Self {
            name,
            origin,
            bytes,
        }))
    }
}

fn passes(mut stream: &TcpStream, server: SocketAddr, watch: &Watch) -> Outcome {
    stream.set_read_timeout(Some(PATIENCE))?;
    stream.set_write_timeout(Some(PATIENCE))?;
    let Some(request) = Request::read(stream)? else {
        return Ok(());
    };
    let held = watch.comes(&request);
    if held == Some(Held::Before) {
        watch.waits();
        return Ok(());
    }
    let answer = ask(server, &request.bytes);
    if held == Some(Held::After) {
        watch.closes();
        watch.waits();
        return Ok(());
    }
    Ok(stream.write_all(&answer?)?)
}

fn ask(server: SocketAddr, request: &[u8]) -> Outcome<Vec<u8>> {
    let mut stream = TcpStream::connect(server)?;
    stream.set_read_timeout(Some(PATIENCE))?;
    stream.write_all(request)?;
    let mut answer = Vec::new();
    stream.read_to_end(&mut answer)?;
    Ok(answer)
}

#[cfg(test)]
mod tests {
    use super::*;

    const PAGE: &str = "http://localhost:80";

    /// A server that answers each request with all of what was asked, and counts them.
    fn server() -> (String, Arc<Mutex<usize>>) {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).unwrap();
        let url = format!("http://{}", listener.local_addr().unwrap());
        let count = Arc::new(Mutex::new(0));
        let counted = Arc::clone(&count);
        thread::spawn(move || {
            for stream in listener.incoming() {
                let mut stream = stream.unwrap();
                let request = Request::read(&stream).unwrap().unwrap();
                *counted.lock().unwrap() += 1;
                stream.write_all(&request.bytes).unwrap();
            }
        });
        (url, count)
    }

    fn asks(gate: &Gate, method: &str, origin: &str) -> String {
        let mut stream = TcpStream::connect(gate.address).unwrap();
        let head = format!("{method} /a HTTP/1.1\r\nOrigin: {origin}\r\nContent-Length: 2\r\n\r\n");
        stream.write_all(head.as_bytes()).unwrap();
        stream.write_all(b"hi").unwrap();
        let mut answer = String::new();
        stream.read_to_string(&mut answer).unwrap();
        answer
    }

    #[test]
    fn what_is_not_to_be_held_passes_with_its_body() {
        let (url, count) = server();
        let gate = Gate::before(&url).unwrap();
        gate.set(PAGE, "", 1, Held::Before);
        for (method, origin) in [
            ("POST", "http://other"),
            ("OPTIONS", PAGE),
            ("POST", PAGE),
            ("GET", "http://other"),
        ] {
            let answer = asks(&gate, method, origin);
            assert!(answer.starts_with(&format!("{method} /a ")), "{answer}");
            assert!(answer.ends_with("Connection: close\r\n\r\nhi"), "{answer}");
        }
        assert_eq!(*count.lock().unwrap(), 4);
    }

    #[tokio::test(flavor = "multi_thread")]
    async fn one_request_is_held_and_dropped_before_it_is_heard_or_after_it_is_answered() {
        let (url, count) = server();
        for (held, heard) in [(Held::Before, 0), (Held::After, 1)] {
            *count.lock().unwrap() = 0;
            let gate = Arc::new(Gate::before(&url).unwrap());
            gate.set(PAGE, "POST /a", 0, held);
            assert!(asks(&gate, "GET", PAGE).ends_with("hi"));
            let asked = Arc::clone(&gate);
            let asking = thread::spawn(move || asks(&asked, "POST", PAGE));
            assert_eq!(gate.holds().await, "POST /a");
            assert_eq!(*count.lock().unwrap(), 1 + heard);
            assert!(asks(&gate, "GET", PAGE).ends_with("hi"), "others pass");
            gate.open();
            assert_eq!(asking.join().unwrap(), "");
            assert_eq!(*count.lock().unwrap(), 2 + heard);
        }
    }
}
