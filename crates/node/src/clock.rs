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

/// A timer for a deadline that has come already waits this long, so that a machine that asks for "now" again and again
/// cannot keep the loop from everything else.
const OVERDUE: Duration = Duration::from_millis(50);

/// The wall clock, in whole seconds.
#[must_use]
pub fn now() -> Timestamp {
    Timestamp(since_epoch().as_secs())
}

#[allow(
    clippy::disallowed_methods,
    reason = "this is the place where time comes in"
)]
fn since_epoch() -> Duration {
    // A clock that stands before 1970 counts as 1970: every frame is then from the future, and says so.
    SystemTime::now()
        .duration_since(UNIX_EPOCH)
        .unwrap_or_default()
}

/// The monotonic clock.
#[allow(
    clippy::disallowed_methods,
    reason = "this is the place where time comes in"
)]
pub(crate) fn instant() -> Instant {
    Instant::now()
}

/// A timer that ends when `deadline` has come, or after [`LONGEST_NAP`].
pub(crate) fn alarm(deadline: Option<Timestamp>) -> Delay {
    Delay::new(nap(deadline, since_epoch()))
}

fn nap(deadline: Option<Timestamp>, since_epoch: Duration) -> Duration {
    let Some(deadline) = deadline else {
        return LONGEST_NAP;
    };
    let until = Duration::from_secs(deadline.0).saturating_sub(since_epoch);
    // Timers may end a little early by the wall clock, and then would have to be set again.
    (until + Duration::from_millis(1)).clamp(OVERDUE, LONGEST_NAP)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_alarm_ends_within_its_second_and_never_sleeps_for_long() {
        let now = Duration::from_millis(1_000_900);
        assert_eq!(nap(Some(Timestamp(1_001)), now), Duration::from_millis(101));
        assert_eq!(nap(Some(Timestamp(999)), now), OVERDUE);
        assert_eq!(nap(Some(Timestamp(9_999)), now), LONGEST_NAP);
        assert_eq!(nap(None, now), LONGEST_NAP);
    }
}
