//! The Cashu rail at a real mint, and the laws of every rail.
#![cfg(all(feature = "cashu", not(target_arch = "wasm32")))]
#![allow(
    clippy::disallowed_methods,
    clippy::unwrap_used,
    clippy::unwrap_in_result,
    clippy::print_stdout,
    reason = "a test ends at what it did not expect, a table says how long it was, and cdk's laws name their databases by the time"
)]

#[path = "../attacks/mod.rs"]
mod attacks;
mod carried;
mod database;
mod escrow;
mod finding;
mod history;
mod lawful;
#[path = "../laws/mod.rs"]
mod laws;
mod purses;
mod silence;
mod spoiling;
mod support;
mod thieves;
