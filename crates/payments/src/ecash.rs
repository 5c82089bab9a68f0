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

/// The longest text that is taken for ecash, in bytes: more than a thousand proofs.
pub const ECASH_TEXT_MAX: usize = 1 << 20;

/// What a file says it is (RFC 6838) that holds ecash as text and nothing else. No such type is registered, and only what is registered
/// goes without `x-`.
pub const ECASH_TYPE: &str = "application/x-cashu";

/// What the file is called in which a tip goes with a message. A message's own words are shorter than ecash as text, and are shown as they are; a
/// file is fetched over reloads and opened by nobody but its reader.
pub const TIP_NAME: &str = "tip.cashu";
