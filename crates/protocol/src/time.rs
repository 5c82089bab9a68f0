//! Time as the wire knows it: whole Unix seconds, handed in by whoever owns a clock.

use core::fmt;
use core::ops::{Add, Sub};

/// Seconds since the Unix epoch, UTC. Public times are rounded down to the minute: finer stamps show the
/// offset of a device's clock, which links keys that belong to one person.
#[derive(
    Clone,
    Copy,
    Debug,
    Default,
    PartialEq,
    Eq,
    PartialOrd,
    Ord,
    Hash,
    serde::Serialize,
    serde::Deserialize,
)]
#[serde(transparent)]
pub struct Timestamp(pub u64);

impl Timestamp {
    /// Rounded down to the full minute, as every public time is.
    #[must_use]
    pub const fn to_minute(self) -> Self {
        Self(self.0 - self.0 % 60)
    }

    /// As the wire's 32 bits, which last until the year 2106; later times are cut to the last one.
    #[must_use]
    pub fn to_wire(self) -> u32 {
        u32::try_from(self.0).unwrap_or(u32::MAX)
    }

    /// Seconds from `earlier` until `self`, zero if `earlier` is later.
    #[must_use]
    pub const fn since(self, earlier: Self) -> u64 {
        self.0.saturating_sub(earlier.0)
    }
}

impl From<u32> for Timestamp {
    fn from(seconds: u32) -> Self {
        Self(u64::from(seconds))
    }
}

impl Add<u64> for Timestamp {
    type Output = Self;
    fn add(self, seconds: u64) -> Self {
        Self(self.0.saturating_add(seconds))
    }
}

impl Sub<u64> for Timestamp {
    type Output = Self;
    fn sub(self, seconds: u64) -> Self {
        Self(self.0.saturating_sub(seconds))
    }
}

impl fmt::Display for Timestamp {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}
