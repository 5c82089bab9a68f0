//! Lines out and lines in: how a program hears of this peer, and tells it what to do.
//!
//! Whoever reads slowly holds up what follows, and nothing else: a line that is not taken can be given up at any time.

use std::pin::Pin;

use haggle_node::market::Complaint;
use serde::Serialize;
use serde_json::{Value, json};
use tokio::io::{AsyncBufRead, AsyncWrite, AsyncWriteExt as _, Lines};

use crate::Error;

/// Where lines go.
pub(crate) struct Out(Pin<Box<dyn AsyncWrite + Send>>);

impl Out {
    /// Standard output.
    pub(crate) fn standard() -> Self {
        Self::to(tokio::io::stdout())
    }

    pub(crate) fn to(whom: impl AsyncWrite + Send + 'static) -> Self {
        Self(Box::pin(whom))
    }

    /// One line, at once: whoever reads along waits for it.
    pub(crate) async fn print(&mut self, line: &str) -> Result<(), Error> {
        let line = format!("{line}\n");
        self.0
            .write_all(line.as_bytes())
            .await
            .map_err(Error::System)?;
        self.0.flush().await.map_err(Error::System)
    }

    /// A line of a kind.
    pub(crate) async fn say(&mut self, kind: &str, data: &impl Serialize) -> Result<(), Error> {
        self.print(&text(&json!({ "type": kind, "data": data }))?)
            .await
    }

    /// The answer to a line.
    pub(crate) async fn answer(&mut self, answer: &Result<Value, Complaint>) -> Result<(), Error> {
        match answer {
            Ok(reply) => self.say("reply", reply).await,
            Err(complaint) => self.say("complaint", complaint).await,
        }
    }
}

/// A value as it stands in a line.
pub(crate) fn text(value: &impl Serialize) -> Result<String, Error> {
    serde_json::to_string(value).map_err(|error| Error::System(error.into()))
}

/// The next line that comes; never, once there are no more.
pub(crate) async fn next_line<R: AsyncBufRead + Unpin>(lines: &mut Option<Lines<R>>) -> String {
    if let Some(open) = lines {
        if let Ok(Some(line)) = open.next_line().await {
            return line;
        }
        *lines = None;
    }
    std::future::pending().await
}
