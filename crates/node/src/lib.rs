//! Haggle's shell: what a market needs in order to live.
pub mod client;
mod clock;
pub mod event;
mod feed;
mod spawn;

pub use client::Client;
pub use event::{Event, Link, NetworkView, RelayState, RelayView};
pub use feed::Events;
pub use {haggle_market as market, haggle_protocol as protocol, haggle_store as store};
