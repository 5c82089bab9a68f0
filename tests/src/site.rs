//! The plainest static host there is: files of a folder under a path, with a content type and nothing else. No
//! special headers, no fallback page, no ranges: what trades through this trades through any host.

use std::io::{BufRead, BufReader, Read, Write};
use std::net::{Ipv4Addr, SocketAddr, TcpListener, TcpStream};
use std::path::{Component, Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;
use std::time::Duration;

use crate::trouble::Outcome;

/// How long one request may take: a browser on the same machine needs a fraction of it.
const PATIENCE: Duration = Duration::from_secs(10);

/// The longest head of a request, in bytes; Chromium's are well below 2 kB.
const HEAD_MAX: u64 = 16 * 1024;

/// A running host; it ends when dropped.
#[derive(Debug)]
pub struct Host {
    address: SocketAddr,
    path: String,
    stop: Arc<AtomicBool>,
}

impl Host {
    /// Serves `folder` under `path` (like `/shop/haggle/`) on a free port of loopback.
    ///
    /// # Errors
    /// If no port can be had.
    pub fn serve(folder: &Path, path: &str) -> Outcome<Self> {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0))?;
        let address = listener.local_addr()?;
        let stop = Arc::new(AtomicBool::new(false));
        let (folder, prefix, stopped) = (folder.to_path_buf(), path.to_owned(), Arc::clone(&stop));
        thread::spawn(move || {
            for stream in listener.incoming() {
                if stopped.load(Ordering::Relaxed) {
                    return;
                }
                let (folder, prefix) = (folder.clone(), prefix.clone());
                if let Ok(stream) = stream {
                    // A browser that goes away in the middle is no trouble of the host's.
                    thread::spawn(move || drop(answer(stream, &folder, &prefix)));
                }
            }
        });
        Ok(Self {
            address,
            path: path.to_owned(),
            stop,
        })
    }

    /// The address of the folder, with its path.
    #[must_use]
    pub fn url(&self) -> String {
        format!("http://{}{}", self.address, self.path)
    }
}

impl Drop for Host {
    fn drop(&mut self) {
        self.stop.store(true, Ordering::Relaxed);
        // Wakes the one that waits for a connection.
        drop(TcpStream::connect(self.address));
    }
}

fn answer(stream: TcpStream, folder: &Path, prefix: &str) -> Outcome {
    stream.set_read_timeout(Some(PATIENCE))?;
    stream.set_write_timeout(Some(PATIENCE))?;
    let mut reader = BufReader::new((&stream).take(HEAD_MAX));
    let mut request = String::new();
    reader.read_line(&mut request)?;
    let mut line = String::new();
    while reader.read_line(&mut line)? > 2 {
        line.clear();
    }
    let target = request.split_whitespace().nth(1).unwrap_or_default();
    let found = file_of(target, folder, prefix).and_then(|file| {
        std::fs::read(&file)
            .ok()
            .map(|bytes| (content_type(&file), bytes))
    });
    let (status, kind, body) = match found {
        Some((kind, body)) => ("200 OK", kind, body),
        None => (
            "404 Not Found",
            "text/plain",
            b"There is no such file here.".to_vec(),
        ),
    };
    let length = body.len();
    let head = format!(
        "HTTP/1.1 {status}\r\nContent-Type: {kind}\r\nContent-Length: {length}\r\nConnection: close\r\n\r\n"
    );
    let mut out = &stream;
    out.write_all(head.as_bytes())?;
    out.write_all(&body)?;
    Ok(())
}

/// The file that a request's target names; none outside the folder.
fn file_of(target: &str, folder: &Path, prefix: &str) -> Option<PathBuf> {
    let path = target.split(['?', '#']).next()?.strip_prefix(prefix)?;
    let path = if path.is_empty() { "index.html" } else { path };
    let inside = Path::new(path)
        .components()
        .all(|part| matches!(part, Component::Normal(_)));
    inside.then(|| folder.join(path))
}

fn content_type(file: &Path) -> &'static str {
    match file.extension().and_then(|extension| extension.to_str()) {
        Some("html") => "text/html; charset=utf-8",
        Some("js" | "mjs") => "text/javascript",
        Some("css") => "text/css",
        Some("wasm") => "application/wasm",
        Some("json" | "webmanifest") => "application/json",
        Some("svg") => "image/svg+xml",
        Some("png") => "image/png",
        _ => "application/octet-stream",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_host_serves_its_folder_under_its_path_and_nothing_else() {
        let folder = tempfile::tempdir().unwrap();
        std::fs::write(folder.path().join("index.html"), "hello").unwrap();
        let host = Host::serve(folder.path(), "/a/b/").unwrap();
        let ask = |path: &str| {
            let mut stream = TcpStream::connect(host.address).unwrap();
            write!(stream, "GET {path} HTTP/1.1\r\nHost: x\r\n\r\n").unwrap();
            let mut text = String::new();
            stream.read_to_string(&mut text).unwrap();
            text
        };
        assert!(ask("/a/b/").ends_with("hello"));
        assert!(ask("/a/b/index.html?x").contains("text/html"));
        for elsewhere in [
            "/",
            "/index.html",
            "/a/b/../index.html",
            "/a/b//etc/passwd",
            "/a/b/no",
        ] {
            assert!(ask(elsewhere).starts_with("HTTP/1.1 404"), "{elsewhere}");
        }
    }
}
