//! What this program says: one plain line for each thing it does, and one sentence when it cannot
//! go on. No spinners and no colours, so that a log file reads like the screen did.

use std::fmt;
use std::time::{Duration, Instant};

/// Says what is being done now, and why.
pub(crate) fn doing(what: impl fmt::Display) {
    println!("haggle: {what}");
}

/// Says that something was left out, and what follows from that.
pub(crate) fn skipped(what: impl fmt::Display) {
    println!("haggle: skipped: {what}");
}

/// Why a command could not finish: a sentence for the person who typed it, with what to do next.
#[derive(Debug)]
pub(crate) struct Trouble(String);

impl Trouble {
    /// The sentence, as it will be printed.
    pub(crate) fn new(sentence: impl Into<String>) -> Self {
        Self(sentence.into())
    }
}

impl fmt::Display for Trouble {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl From<lexopt::Error> for Trouble {
    fn from(error: lexopt::Error) -> Self {
        Self(format!(
            "{error}; `cargo xtask help` lists the commands and their options"
        ))
    }
}

/// What a step gives back, or the sentence that ends the command.
pub(crate) type Outcome<T = ()> = Result<T, Trouble>;

/// Turns a technical error into a sentence that begins with what was being attempted.
pub(crate) trait OrSay<T> {
    /// `attempt` completes "could not …".
    fn or_say(self, attempt: impl FnOnce() -> String) -> Outcome<T>;
}

impl<T, E: fmt::Display> OrSay<T> for Result<T, E> {
    fn or_say(self, attempt: impl FnOnce() -> String) -> Outcome<T> {
        self.map_err(|error| Trouble(format!("could not {}: {error}", attempt())))
    }
}

/// Measures how long a step takes on the wall.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Stopwatch(Instant);

impl Stopwatch {
    /// Starts now.
    #[allow(
        clippy::disallowed_methods,
        reason = "a task runner tells people how long things took; nothing of the market depends on it"
    )]
    pub(crate) fn start() -> Self {
        Self(Instant::now())
    }

    /// The time since the start.
    pub(crate) fn elapsed(self) -> Duration {
        self.0.elapsed()
    }
}

/// A duration as people read it: `0.4 s`, `12 s`, `3 min 05 s`.
pub(crate) fn how_long(duration: Duration) -> String {
    let seconds = duration.as_secs();
    if duration < Duration::from_secs(10) {
        format!("{}.{} s", seconds, duration.subsec_millis() / 100)
    } else if seconds < 60 {
        format!("{seconds} s")
    } else {
        format!("{} min {:02} s", seconds / 60, seconds % 60)
    }
}

/// A number of bytes as people read it, in thousands: `812 B`, `41.2 kB`, `1.27 MB`.
pub(crate) fn how_big(bytes: u64) -> String {
    if bytes < 1_000 {
        format!("{bytes} B")
    } else if bytes < 1_000_000 {
        format!("{}.{} kB", bytes / 1_000, bytes % 1_000 / 100)
    } else {
        format!("{}.{:02} MB", bytes / 1_000_000, bytes % 1_000_000 / 10_000)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn durations_read_like_speech() {
        assert_eq!(how_long(Duration::from_millis(432)), "0.4 s");
        assert_eq!(how_long(Duration::from_secs(12)), "12 s");
        assert_eq!(how_long(Duration::from_secs(185)), "3 min 05 s");
    }

    #[test]
    fn sizes_read_like_speech() {
        assert_eq!(how_big(812), "812 B");
        assert_eq!(how_big(41_250), "41.2 kB");
        assert_eq!(how_big(1_271_000), "1.27 MB");
    }

    #[test]
    fn a_trouble_says_what_was_attempted_and_what_stood_in_the_way() {
        let outcome: Outcome = Err("no such file").or_say(|| "read Cargo.lock".into());
        assert_eq!(
            outcome.unwrap_err().to_string(),
            "could not read Cargo.lock: no such file"
        );
    }
}
