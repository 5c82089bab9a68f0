//! Haggle's verbs: one trader's market as a pure state machine.
//!
//! [`Market::handle`] takes one thing that happened ([`Input`]) and the time, and answers at once with everything that
//! must now be done ([`Effects`]), in order: what is saved stands before what depends on it. [`Market::next_deadline`] says
//! when to call again if nothing happens before. There is no clock, no network, no async and no JavaScript in here; the
//! dice are seeded by whoever makes the market, so a run can be repeated exactly.
//!
//! A restart is the same path as a first start: [`Market::restore`] reads the records that `Save` wrote.

mod asking;
mod batch;
mod cancelling;
mod cases;
mod chatting;
mod choosing;
pub mod command;
pub mod effect;
mod escrow;
pub mod event;
mod files;
mod finding;
mod haggling;
pub mod input;
mod intents;
pub mod item;
mod lapsing;
mod mail;
mod market;
pub mod matching;
mod orders;
mod quoting;
pub mod ranking;
pub mod record;
mod restoring;
pub mod sheet;
mod stall;
mod steps;
mod telling;
mod threads;
pub mod view;

pub use command::{Command, Complaint, Draft, Reply};
pub use effect::{Answer, Ask, Effect, Effects, Record};
pub use escrow::usual_review;
pub use event::Event;
pub use input::{Heard, Input, Job, Paid, Ticket, Trouble};
pub use item::{Item, ItemId, Rules};
pub use market::{Market, RailFacts, Setup};
pub use record::Damaged;
pub use view::{Case, MyIntent, OpenIntent, QuoteView, Reason, StallView, Trade};
