//! The ways money moves: rails.
//!
//! Two people agree on a [`Contract`](haggle_protocol::Contract): so much, kept by this custodian, for one of them or the other. A
//! [`Rail`] locks it, lets both check it, shares it out as two of its three keys agree, and gives it to its holder when its deadline
//! passes. What the market asks a rail for, and when, is not decided here.
//!
//! | rail | escrow | who keeps the money |
//! |---|---|---|
//! | [`Direct`] | none | nobody: the two pay each other outside |
//! | `Cashu` (feature `cashu`) | two of three keys, a holder after the deadline | a mint, which is a custodian, on the web or behind a peer |
//!
//! Secrets (seeds, keys of deals, ecash) are never printed, by `Debug` or in an error.

pub mod carrier;
#[cfg(feature = "cashu")]
pub mod cashu;
mod direct;
mod ecash;
mod error;
mod history;
mod rail;
pub mod remote;

pub use carrier::{Carrier, NotCarried, SharedCarrier};
pub use direct::Direct;
pub use ecash::{ECASH, ECASH_TEXT_MAX, ECASH_TYPE, RECORDS, TIP_NAME};
pub use error::{Error, Mismatch};
pub use haggle_protocol::settlement::Deal;
pub use haggle_protocol::{Locked, Outcome, Settlement, Signed};
pub use history::{HISTORY_MAX, Moved, Way, Why};
pub use rail::{Balance, Capabilities, Deposit, Given, LockState, Purse, Rail, Withdrawal};
