//! The relay's only look at the sky: wall-clock time for frames, monotonic time for everything else.

use std::time::{Duration, Instant, SystemTime};

use haggle_protocol::Timestamp;

/// Now, in Unix seconds; 0 on a machine whose clock stands before 1970.
#[must_use]
#[allow(
    clippy::disallowed_methods,
    reason = "this is the one place that asks the clock"
)]
pub(crate) fn now() -> Timestamp {
    let since = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH);
    Timestamp(since.map_or(0, |since| since.as_secs()))
}

/// Now, on a clock that never goes back.
#[must_use]
#[allow(
    clippy::disallowed_methods,
    reason = "this is the one place that asks the clock"
)]
pub(crate) fn instant() -> Instant {
    Instant::now()
}

/// How long ago that was.
#[must_use]
pub(crate) fn since(earlier: Instant) -> Duration {
    instant().saturating_duration_since(earlier)
}
