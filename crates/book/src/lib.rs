//! Haggle's book: what was said out loud and still holds, checked, bounded, fair and expiring.
//!
//! A peer's market and a relay each own one [`Book`]. Every public frame that comes in goes through
//! [`Book::enter`], which either takes it or names the [`Refusal`](haggle_protocol::Refusal); what it says of a
//! frame is also the verdict that gossip acts on. Newcomers and other books are served by [`Book::page`],
//! a walk by ascending cursor over the original signed bytes.
//!
//! Three rules shape it:
//!
//! * **One slot for each intent key**, with the newest revision, the close and the newest reach. What order
//!   frames arrive in does not matter, so two honest books that heard the same frames hold the same.
//! * **Room is work and fairness.** Memory is bounded; when it runs short, what showed the least work goes first,
//!   and whoever brought more than a share makes room among what he himself brought.
//! * **No clock and no dice.** Time is handed in, a rate is counted in it, and every map is ordered.

mod book;
mod limits;
mod room;
mod shelf;
#[cfg(test)]
mod tests;

pub use book::{Book, Cursor, Entered, Noun, Open, Page};
pub use limits::{Limits, Source};
