//! The one place where this crate looks at a clock; whatever decides by time is handed it.

use web_time::Instant;

/// A moment, by a clock that only goes forward.
#[allow(clippy::disallowed_methods)]
pub(crate) fn now() -> Instant {
    Instant::now()
}
