//! Short plays on a stage: whole exchanges between markets, with time that jumps.

#![allow(
    clippy::unwrap_used,
    reason = "helpers of tests: what cannot be is a failed test"
)]

mod arbiter_renews;
mod arbitration;
mod bank;
mod cancelling;
mod chatting;
mod escrow;
mod escrow_lies;
mod escrow_lost;
mod faults;
mod files;
mod finding;
mod forge;
mod haggling;
mod handover;
mod refusals;
mod restoring;
mod secrets;
mod stage;
mod steps;
mod trading;
mod trust;
mod windows;
