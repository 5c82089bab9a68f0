//! What the loop tells and the HTTP port shows.

use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::{Duration, Instant};

use libp2p::{Multiaddr, PeerId};

use crate::clock;
use crate::metrics::Metrics;

/// The loop is alive if it has turned within this time.
const ALIVE: Duration = Duration::from_secs(5);

/// What the loop tells.
pub(crate) struct State {
    pub(crate) peer_id: PeerId,
    pub(crate) metrics: Metrics,
    /// What the operator announces.
    pub(crate) external: Vec<Multiaddr>,
    /// Where it is reached by WebRTC-direct; the hash of the certificate is in each.
    pub(crate) direct: Vec<Multiaddr>,
    started: Instant,
    /// Milliseconds from the start to the last turn of the loop.
    turned: AtomicU64,
    ready: AtomicBool,
}

impl State {
    pub(crate) fn new(
        peer_id: PeerId,
        metrics: Metrics,
        external: Vec<Multiaddr>,
        direct: Vec<Multiaddr>,
    ) -> Self {
        Self {
            peer_id,
            metrics,
            external,
            direct,
            started: clock::instant(),
            turned: AtomicU64::new(0),
            ready: AtomicBool::new(false),
        }
    }

    /// The loop has turned.
    pub(crate) fn turn(&self) {
        self.turned.store(self.elapsed(), Ordering::Relaxed);
    }

    /// Whether the loop has turned lately.
    pub(crate) fn is_alive(&self) -> bool {
        let age = self
            .elapsed()
            .saturating_sub(self.turned.load(Ordering::Relaxed));
        Duration::from_millis(age) < ALIVE
    }

    /// Every listener is bound, or no longer.
    pub(crate) fn set_ready(&self, ready: bool) {
        self.ready.store(ready, Ordering::Relaxed);
    }

    /// Whether every listener is bound.
    pub(crate) fn is_ready(&self) -> bool {
        self.ready.load(Ordering::Relaxed)
    }

    fn elapsed(&self) -> u64 {
        u64::try_from(clock::since(self.started).as_millis()).unwrap_or(u64::MAX)
    }
}
