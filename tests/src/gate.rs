//! A gate in front of a server: every request passes through it, and to one of them something can happen. It is held, before the server
//! has heard it or after the server has answered and before whoever asks hears that; or it is answered late, asked twice, refused in the
//! server's name, or the server is gone from then on.
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

/// What happens to a request.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Fault {
    /// It is held before the server has heard of it, which it never will.
    HeldBefore,
    /// It is held when the server has done what it was asked, and nobody will hear that.
    HeldAfter,
    /// The answer comes [`LATE`].
    Late,
    /// The server is asked twice, and its second answer is told.
    Twice,
    /// The answer is an error, and the server was never asked.
    ErrorBefore,
    /// The answer is an error, though the server has done what it was asked.
    ErrorAfter,
    /// From this request on nobody is there, until the gate is opened again.
    Gone,
}

impl Fault {
    /// Those after which whoever asked still waits, for something that never comes.
    pub const HELD: [Self; 2] = [Self::HeldBefore, Self::HeldAfter];
    /// Those that a server has of itself.
    pub const SERVER: [Self; 5] = [
        Self::Late,
        Self::Twice,
        Self::ErrorBefore,
        Self::ErrorAfter,
        Self::Gone,
    ];
}

/// How late an answer comes: later than a wallet waits for one (30 seconds).
pub const LATE: Duration = Duration::from_secs(35);

/// What a server says that is not well. A page may read it.
const ERROR: &[u8] = b"HTTP/1.1 500 Internal Server Error\r\nAccess-Control-Allow-Origin: *\r\nContent-Length: 0\r\nConnection: close\r\n\r\n";

/// What is waited for, and what the threads of requests wait for.
#[derive(Debug, Default)]
struct Watch {
    trap: Mutex<Trap>,
    changed: Condvar,
    /// What the server shall not say of itself.
    hidden: Mutex<Option<String>>,
}

#[derive(Debug, Default)]
enum Trap {
    /// Everything passes.
    #[default]
    Open,
    /// Of the requests from this origin whose names begin so, so many pass, and then this happens to one.
    Set {
        origin: String,
        only: String,
        pass: usize,
        fault: Fault,
    },
    /// This one is on its way to the server, and is held once that has answered.
    Closing(String),
    /// This one is held.
    Closed(String),
    /// Something happened to this one, and all else passes.
    Struck(String),
    /// Since this one nobody is there.
    Gone(String),
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

    /// Lets so many requests of pages from `origin` pass from now on, and then this happens to one. Counts only those whose method
    /// and path begin as said: with nothing, all.
    pub fn set(&self, origin: &str, only: &str, pass: usize, fault: Fault) {
        *self.watch.trap() = Trap::Set {
            origin: origin.trim_end_matches('/').to_owned(),
            only: only.to_owned(),
            pass,
            fault,
        };
    }

    /// To which request, by method and path, what was to happen has happened.
    #[must_use]
    pub fn struck(&self) -> Option<String> {
        match &*self.watch.trap() {
            Trap::Closed(request) | Trap::Struck(request) | Trap::Gone(request) => {
                Some(request.clone())
            }
            Trap::Open | Trap::Set { .. } | Trap::Closing(_) => None,
        }
    }

    /// From now on the server does not say that it can do what this number stands for (of a NUT), when it is asked what it can do.
    pub fn hides(&self, nut: &str) {
        *self.watch.hidden() = Some(nut.to_owned());
    }

    /// Waits until a request is held or nobody is there any more, and says at which: its method and its path. Without end, if neither comes.
    pub async fn closes(&self) -> String {
        loop {
            if let Trap::Closed(request) | Trap::Gone(request) = &*self.watch.trap() {
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

    fn hidden(&self) -> MutexGuard<'_, Option<String>> {
        self.hidden.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// An answer without what is hidden. It stays as long as it was: the number is another one that means nothing.
    fn hide(&self, request: &Request, mut answer: Vec<u8>) -> Vec<u8> {
        if let Some(nut) = self
            .hidden()
            .as_deref()
            .filter(|_| request.name.ends_with(" /v1/info"))
        {
            let said = format!("\"{nut}\":");
            let found = memchr::memmem::find(&answer, said.as_bytes());
            if let Some(at) = found {
                answer[at + 1..at + 1 + nut.len()].fill(b'9');
            }
        }
        answer
    }

    /// A request has come; says what happens to it, if anything does.
    fn comes(&self, request: &Request) -> Option<Fault> {
        let mut trap = self.trap();
        if matches!(*trap, Trap::Gone(_)) {
            return Some(Fault::Gone);
        }
        let Trap::Set {
            origin,
            only,
            pass,
            fault,
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
        let (fault, name) = (*fault, request.name.clone());
        *trap = match fault {
            Fault::HeldBefore => Trap::Closed(name),
            Fault::HeldAfter => Trap::Closing(name),
            Fault::Gone => Trap::Gone(name),
            Fault::Late | Fault::Twice | Fault::ErrorBefore | Fault::ErrorAfter => {
                Trap::Struck(name)
            }
        };
        Some(fault)
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
    let answer = match watch.comes(&request) {
        None => watch.hide(&request, ask(server, &request.bytes)?),
        Some(Fault::HeldBefore) => {
            watch.waits();
            return Ok(());
        }
        Some(Fault::HeldAfter) => {
            // Held as well if the server did not answer.
            drop(ask(server, &request.bytes));
            watch.closes();
            watch.waits();
            return Ok(());
        }
        Some(Fault::Gone) => return Ok(()),
        Some(Fault::ErrorBefore) => ERROR.to_vec(),
        Some(Fault::ErrorAfter) => {
            ask(server, &request.bytes)?;
            ERROR.to_vec()
        }
        Some(Fault::Twice) => {
            ask(server, &request.bytes)?;
            ask(server, &request.bytes)?
        }
        Some(Fault::Late) => {
            let answer = ask(server, &request.bytes)?;
            thread::sleep(LATE);
            answer
        }
    };
    Ok(stream.write_all(&answer)?)
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
        gate.set(PAGE, "", 1, Fault::HeldBefore);
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
        for (fault, heard) in Fault::HELD.into_iter().zip([0, 1]) {
            *count.lock().unwrap() = 0;
            let gate = Arc::new(Gate::before(&url).unwrap());
            gate.set(PAGE, "POST /a", 0, fault);
            assert!(asks(&gate, "GET", PAGE).ends_with("hi"));
            let asked = Arc::clone(&gate);
            let asking = thread::spawn(move || asks(&asked, "POST", PAGE));
            assert_eq!(gate.closes().await, "POST /a");
            assert_eq!(*count.lock().unwrap(), 1 + heard);
            assert!(asks(&gate, "GET", PAGE).ends_with("hi"), "others pass");
            gate.open();
            assert_eq!(asking.join().unwrap(), "");
            assert_eq!(*count.lock().unwrap(), 2 + heard);
        }
    }

    #[test]
    fn a_server_fails_in_one_answer_and_is_well_again() {
        let (url, count) = server();
        for (fault, heard, says) in [
            (Fault::Twice, 2, "POST /a "),
            (Fault::ErrorBefore, 0, "HTTP/1.1 500 "),
            (Fault::ErrorAfter, 1, "HTTP/1.1 500 "),
        ] {
            *count.lock().unwrap() = 0;
            let gate = Gate::before(&url).unwrap();
            gate.set(PAGE, "POST /a", 0, fault);
            assert_eq!(gate.struck(), None);
            let answer = asks(&gate, "POST", PAGE);
            assert!(answer.starts_with(says), "{fault:?}: {answer}");
            assert_eq!(*count.lock().unwrap(), heard, "{fault:?}");
            assert_eq!(gate.struck().as_deref(), Some("POST /a"));
            assert!(asks(&gate, "POST", PAGE).starts_with("POST /a "));
        }
    }

    #[test]
    fn a_server_that_is_gone_answers_nobody_until_it_is_back() {
        let (url, count) = server();
        let gate = Gate::before(&url).unwrap();
        gate.set(PAGE, "POST /a", 0, Fault::Gone);
        for _ in 0..2 {
            assert_eq!(asks(&gate, "POST", PAGE), "");
        }
        assert_eq!(asks(&gate, "GET", "http://other"), "");
        gate.open();
        assert!(asks(&gate, "GET", PAGE).starts_with("GET /a "));
        assert_eq!(*count.lock().unwrap(), 1);
    }
}
