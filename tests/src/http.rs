//! One question over HTTP, as an operator asks it: for a relay's metrics and its readiness.

use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::time::Duration;

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::time::timeout;

use crate::trouble::{Outcome, Trouble};

/// How long an answer may take.
const PATIENCE: Duration = Duration::from_secs(10);

/// The status and the body of what stands at a path.
///
/// # Errors
/// If nothing answers in time.
pub async fn get(address: SocketAddr, path: &str) -> Outcome<(u16, String)> {
    let asked = async {
        let mut stream = TcpStream::connect(address).await?;
        let question =
            format!("GET {path} HTTP/1.1\r\nHost: {address}\r\nConnection: close\r\n\r\n");
        stream.write_all(question.as_bytes()).await?;
        let mut answer = Vec::new();
        stream.read_to_end(&mut answer).await?;
        Outcome::Ok(String::from_utf8_lossy(&answer).into_owned())
    };
    let answer = timeout(PATIENCE, asked).await??;
    let (head, body) = answer.split_once("\r\n\r\n").unwrap_or((&answer, ""));
    let status = head
        .split(' ')
        .nth(1)
        .and_then(|status| status.parse().ok());
    let status = status.ok_or_else(|| Trouble::new(format!("no status: {head}")))?;
    Ok((status, body.to_owned()))
}

/// The values of one counter of `/metrics`, by the value of its label `code`.
///
/// # Errors
/// If there are no metrics.
pub async fn counts(address: SocketAddr, metric: &str) -> Outcome<BTreeMap<String, u64>> {
    let (status, text) = get(address, "/metrics").await?;
    if status != 200 {
        return Err(Trouble::new(format!("/metrics answers {status}")));
    }
    let beginning = format!("{metric}{{code=\"");
    let count = |line: &str| {
        let (code, rest) = line.strip_prefix(&beginning)?.split_once('"')?;
        let value = rest.rsplit(' ').next()?.parse::<f64>().ok()?;
        // Counters are whole numbers, small enough to be exact.
        Some((code.to_owned(), value as u64))
    };
    Ok(text.lines().filter_map(count).collect())
}
