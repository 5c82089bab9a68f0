//! The only place that looks at the sky. Everything else is handed the time.
//!
//! Two clocks: the wall clock in whole seconds, which the market and the wire speak, and a monotonic one for how long to
//! wait. A browser freezes hidden tabs and people set clocks, so nobody sleeps until a far wall time: whoever waits for
//! one looks again at least every [`LONGEST_NAP`].

use std::time::Duration;

use futures_timer::Delay;
use haggle_protocol::Timestamp;
pub(crate) use web_time::Instant;
use web_time::{SystemTime, UNIX_EPOCH};

/// After this long the wall clock is looked at again, whatever was planned: a laptop that slept, or a person who set
/// the clock, is noticed within half a minute.
const LONGEST_NAP: Duration = Duration::from_secs(30);

/// The wall clock.
pub(crate) fn now() -> Timestamp {
    let since = SystemTime::now()
        .duration_since(UNIX_EPOCH)
        .unwrap_or_default();
    Timestamp(since.as_secs())
}

/// The monotonic clock.
pub(crate) fn instant() -> Instant {
    Instant::now()
}

/// A timer that ends when `deadline` should have come, or after [`LONGEST_NAP`].
pub(crate) fn alarm(deadline: Option<Timestamp>, now: Timestamp) -> Delay {
    let nap = match deadline {
        // A deadline of this very second waits a little, so that a machine that asks for "now" again and again
        // cannot keep the loop from everything else.
        Some(deadline) => Duration::from_secs(deadline.since(now)).max(Duration::from_millis(100)),
        None => LONGEST_NAP,
    };
    Delay::new(nap.min(LONGEST_NAP))
}
