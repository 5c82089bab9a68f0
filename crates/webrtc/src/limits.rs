//! How much a stranger may ask of us before a connection stands: sizes, counts, times, and how often.

use std::collections::HashMap;
use std::time::Duration;

use libp2p_identity::PeerId;
use web_time::Instant;

/// Bounds on negotiations. The defaults fit a page that trades with dozens of peers.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Limits {
    /// Bytes of a session description. A browser's own for data channels has about 600.
    pub description: usize,
    /// Bytes of a message with an ICE candidate. Browsers write about 250.
    pub candidate: usize,
    /// Candidates of one remote that are used; further ones are dropped.
    pub candidates: usize,
    /// Messages of one remote in one negotiation; one more ends it.
    pub messages: usize,
    /// How long a negotiation may take, from the first message until the connection stands.
    pub time: Duration,
    /// Negotiations that others began and that are under way at the same time.
    pub at_once: usize,
    /// Offers that one peer may make at once.
    pub burst: u32,
    /// After this long a peer that has made offers may make one more.
    pub refill: Duration,
    /// Peers whose offers are counted; while the table is full of recent ones, offers of further peers are refused.
    pub counted: usize,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            description: 8 * 1024,
            candidate: 512,
            candidates: 20,
            messages: 64,
            time: Duration::from_secs(15),
            at_once: 8,
            burst: 8,
            refill: Duration::from_secs(3),
            counted: 1024,
        }
    }
}

/// Why an offer was not even looked at.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Refused {
    /// More negotiations under way than [`Limits::at_once`].
    #[error("too many negotiations are under way")]
    Busy,
    /// More offers than [`Limits::burst`] and [`Limits::refill`] allow.
    #[error("this peer makes too many offers")]
    TooOften,
    /// A negotiation with this peer is under way already.
    #[error("a negotiation with this peer is under way already")]
    Already,
    /// Both sides dialed at once, and ours goes on.
    #[error("both sides dialed at once, and the dial of the lower peer goes on")]
    Glare,
}

impl Refused {
    /// A stable name for programs.
    #[must_use]
    pub const fn code(self) -> &'static str {
        match self {
            Self::Busy => "webrtc-busy",
            Self::TooOften => "webrtc-too-often",
            Self::Already => "webrtc-already",
            Self::Glare => "webrtc-glare",
        }
    }
}

/// Who may make an offer now. A bucket per peer that refills with time (GCRA).
#[derive(Debug)]
pub(crate) struct Rates {
    limits: Limits,
    /// When each peer will have its whole burst again.
    full_at: HashMap<PeerId, Instant>,
}

impl Rates {
    pub(crate) fn new(limits: Limits) -> Self {
        Self {
            limits,
            full_at: HashMap::new(),
        }
    }

    /// Counts one offer of a peer, or refuses it.
    pub(crate) fn take(&mut self, peer: PeerId, now: Instant) -> Result<(), Refused> {
        if self.full_at.len() >= self.limits.counted && !self.full_at.contains_key(&peer) {
            self.full_at.retain(|_, full_at| *full_at > now);
            if self.full_at.len() >= self.limits.counted {
                return Err(Refused::TooOften);
            }
        }
        let full_at = self.full_at.get(&peer).copied().unwrap_or(now).max(now);
        let most = self.limits.refill * self.limits.burst;
        let after = full_at + self.limits.refill;
        if after.saturating_duration_since(now) > most {
            return Err(Refused::TooOften);
        }
        self.full_at.insert(peer, after);
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn limits() -> Limits {
        Limits {
            burst: 3,
            counted: 4,
            ..Limits::default()
        }
    }

    #[test]
    fn a_peer_has_a_burst_and_then_one_offer_per_interval() {
        let limits = limits();
        let mut rates = Rates::new(limits);
        let (peer, other) = (PeerId::random(), PeerId::random());
        let now = crate::clock::now();
        for _ in 0..3 {
            assert_eq!(rates.take(peer, now), Ok(()));
        }
        assert_eq!(rates.take(peer, now), Err(Refused::TooOften));
        assert_eq!(rates.take(other, now), Ok(()));
        assert_eq!(rates.take(peer, now + limits.refill), Ok(()));
        assert_eq!(
            rates.take(peer, now + limits.refill),
            Err(Refused::TooOften)
        );
    }

    #[test]
    fn the_table_of_peers_has_a_bound_and_forgets_those_who_have_waited() {
        let limits = limits();
        let mut rates = Rates::new(limits);
        let now = crate::clock::now();
        for _ in 0..4 {
            assert_eq!(rates.take(PeerId::random(), now), Ok(()));
        }
        assert_eq!(rates.take(PeerId::random(), now), Err(Refused::TooOften));
        let later = now + limits.refill;
        assert_eq!(rates.take(PeerId::random(), later), Ok(()));
        assert_eq!(rates.full_at.len(), 1);
    }
}
