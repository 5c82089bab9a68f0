//! A relay as its neighbours meet it: real peers, real sockets, all on loopback. Nothing waits for a guessed time; everything
//! waits for what must happen, up to a deadline.

#![allow(
    clippy::unwrap_used,
    clippy::wildcard_enum_match_arm,
    reason = "a test fails by panicking, and looks for one event among the library's many"
)]

mod books;
mod circuits;
mod gossip;
mod http;
mod peer;
mod process;
mod stun;
mod transports;
mod web;
