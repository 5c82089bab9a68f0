//! A simulated market day: many whole markets, virtual time, and a network that loses, doubles, delays and reorders.
//!
//! Each trader is a [`Market`](haggle_market::Market) in a shell that keeps what it saves and does what it says, as the node
//! does. Everything is decided by one seed: the same seed gives the same day, message by message. Time is a queue of
//! things that will happen; it jumps from one to the next, and from deadline to deadline.
//!
//! The laws that must hold on every day stand in [`laws`]; what people do on it, in [`people`].

#[path = "../../crates/market/tests/plays/bank.rs"]
pub(crate) mod bank;
pub(crate) mod dice;
pub(crate) mod laws;
pub(crate) mod people;
pub(crate) mod town;
pub(crate) mod trader;
