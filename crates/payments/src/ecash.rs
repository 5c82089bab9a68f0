//! What is known of ecash before any of it is loaded: a program that keeps the rail itself for when it is needed says by this what it
//! will be able to do.

use crate::rail::Capabilities;

/// What the ecash rail's records begin with, so that they can share a store with others': a wallet is kept in its peer's own.
pub const RECORDS: &str = "rail/cashu/";

/// What the ecash rail can do.
pub const ECASH: Capabilities = Capabilities {
    name: "cashu",
    escrow: true,
    custodial: true,
    floor: 1,
    // Some twenty million of anything with cents. Mints give out powers of two up to this one, so that a lock has at most one output
    // for each bit of its amount.
    ceiling: 1 << 31,
};
