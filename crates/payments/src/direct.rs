//! The rail that is none: the two pay each other as they like, cash on hand-over or a bank transfer, and tell each other so.
//!
//! What they tell stands in the trade's own messages, signed by the keys of its thread (`payment-proof`, `receipt`); there is nothing
//! for a rail to keep, to lock or to give back. That it has no escrow is what it says of itself, and what the page says of it.

use haggle_protocol::Money;

use crate::rail::{Capabilities, Rail};

/// Payment outside, between the two.
#[derive(Clone, Copy, Debug, Default)]
pub struct Direct;

impl Rail for Direct {
    fn capabilities(&self) -> Capabilities {
        Capabilities {
            name: "direct",
            escrow: false,
            custodial: false,
            floor: 0,
            ceiling: Money::MAX,
        }
    }
}
