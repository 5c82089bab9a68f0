//! Whole-system tests of Haggle: what they are built from.
//!
//! Nothing here stands in for a part of the system. [`browser`] drives a real Chromium, [`relay`] starts the real
//! relay, [`site`] is the plainest static host there is, [`data`] reads advertisements that real people once placed.
//! Every wait is for a condition and has a deadline; none is for a guess.

pub mod agent;
pub mod bicycle;
pub mod browser;
pub mod cable;
mod clock;
pub mod data;
pub mod deciding;
pub mod firefox;
pub mod forge;
pub mod gate;
pub mod http;
pub mod interop;
pub mod list;
pub mod mint;
pub mod peer;
pub mod person;
pub mod photo;
pub mod place;
pub mod play;
pub mod process;
pub mod program;
pub mod purse;
pub mod rail;
pub mod raw;
pub mod relay;
pub mod search;
pub mod site;
pub mod town;
pub mod trouble;
pub mod witness;

pub use trouble::{Outcome, Trouble, ensure};
