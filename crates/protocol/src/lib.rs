//! Haggle's nouns: what is said on the wire and who said it.
//!
//! A buyer's **intent** is public: a signed [`frame::Frame`] that everybody can check without knowing
//! anything else. A seller's **quote** is private: a [`private::Message`] signed by a throw-away
//! thread key and closed into a fixed-size [`seal::Cell`] that only the buyer's seal key opens.
//! Everything here is bytes and values: there are no verbs, no clock, no dice, no network, no
//! JavaScript. Time, randomness and keys are handed in, so the same input always gives the same output.
//!
//! What a stranger sends is never an error but a [`Refusal`]: a value with a stable code, counted by
//! whoever holds the door. The only way to a [`frame::Frame`] is [`frame::Frame::open`], and the only
//! way to a private message is [`private::Message::open`]: past the door signatures are not discussed.
//!
//! The format in prose, with every number, stands in `docs/protocol.md`; vectors in `vectors/`.

pub mod amount;
pub mod arbitration;
pub mod attachment;
pub mod attribute;
pub mod category;
pub mod cbor;
pub mod escrow;
pub mod frame;
pub mod handover;
mod hex;
pub mod ids;
pub mod intent;
pub mod keys;
pub mod limits;
pub mod mint;
pub mod names;
pub mod phrase;
pub mod place;
pub mod pow;
pub mod private;
pub mod quote;
pub mod reach;
pub mod refusal;
pub mod seal;
pub mod sealed_reach;
mod secret;
pub mod settlement;
pub mod tag;
pub mod taxonomy;
pub mod text;
pub mod time;
pub mod trade;

pub use amount::{Asset, Money, Quantity, Unit};
pub use arbitration::{Arbiter, ArbiterTerms};
pub use escrow::{Contract, Custodian, Party, Side, Split};
pub use frame::{Frame, Kind};
pub use ids::{
    ContractId, DealKey, FileId, FrameId, HandoverHash, IntentId, MessageId, PublicKey, SealPublic,
    Signature, ThreadId,
};
pub use intent::Intent;
pub use names::Network;
pub use quote::Quote;
pub use reach::Reach;
pub use refusal::{Refusal, Verdict};
pub use settlement::{EscrowPlan, Keeper, Locked, Outcome, Settlement, Signed};
pub use time::Timestamp;
