//! Haggle's shell: what a market needs in order to live.
//!
//! [`open`] starts a peer: one loop that owns the swarm, the market, the store, the clock and the dice. It waits for one
//! thing to happen (a question of its user, a time that has come, something from the network), hands it to
//! [`haggle_market::Market::handle`] and carries out the effects in order, awaiting each save before it goes on. It is
//! the same loop natively and in a browser; what differs is how time passes, how a task runs and what can be dialed.
//!
//! Faces hold a [`Client`]: commands in, [`Event`]s out. No market rule stands in here, and nothing of a page.

pub mod backup;
mod behaviour;
pub mod client;
mod clock;
mod config;
mod discovery;
mod error;
pub mod event;
mod feed;
mod gate;
mod mints;
mod paths;
pub mod paying;
mod peer;
mod perform;
mod relays;
mod said;
mod spawn;
mod swarm;
mod sync;
pub mod wallet;
mod whispers;

pub use client::{Client, Safe};
pub use clock::now;
pub use config::{Config, open};
pub use error::Error;
pub use event::{Event, Link, NetworkView, Path, RelayState, RelayView, TraderView};
pub use feed::Events;
pub use paying::{OpenRail, RailSetup};
pub use {
    haggle_market as market, haggle_payments as payments, haggle_protocol as protocol,
    haggle_store as store,
};
