#![doc = include_str!("../README.md")]
// Without a browser the parts that only it uses are compiled and tested, but not called.
#![cfg_attr(not(target_arch = "wasm32"), allow(dead_code))]

pub mod addr;
mod behaviour;
pub mod candidate;
mod clock;
mod config;
mod error;
pub mod frame;
pub mod halves;
mod handler;
pub mod limits;
mod negotiations;
pub mod signal;
mod transport;

#[cfg(target_arch = "wasm32")]
#[path = "browser/mod.rs"]
mod platform;
#[cfg(not(target_arch = "wasm32"))]
#[path = "elsewhere.rs"]
mod platform;

use std::sync::Arc;

use futures::channel::mpsc;
use libp2p_identity::PeerId;

pub use behaviour::{Behaviour, Event};
pub use config::{Bounds, Config, IceServer};
pub use error::Error;
pub use handler::{Handler, Open};
pub use limits::Limits;
pub use platform::{Connection, Stream};
pub use transport::Transport;

#[cfg(target_arch = "wasm32")]
pub use platform::direct;

/// Dials that may wait for the behaviour to look at them.
const WANTED_MAX: usize = 16;

/// Makes the two halves, for the peer that runs them. Both must be part of the same swarm, and the transport must come *before* a relay
/// client's transport: that one would take a `/webrtc` address for a relayed one and serve it as such.
#[must_use]
pub fn new(me: PeerId, config: Config) -> (Transport, Behaviour) {
    let (wanted, from_transport) = mpsc::channel(WANTED_MAX);
    let (to_transport, from_behaviour) = mpsc::channel(config.limits.at_once);
    let shared = config::Shared::new(config);
    let negotiations = negotiations::Negotiations::new(me, shared.config.limits);
    let transport = Transport::new(me, Arc::clone(&shared), wanted, from_behaviour);
    let behaviour = Behaviour::new(shared, negotiations, from_transport, to_transport);
    (transport, behaviour)
}
