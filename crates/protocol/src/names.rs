//! Names that both ends must agree on: topics, protocols, networks.

use crate::tag::{Tag, hash};

/// The one gossip topic. Never one per category or place: subscriptions are public.
pub const TOPIC_INTENTS: &str = "/haggle/1/intents";
/// Asks a peer for the public frames that are still open.
pub const PROTOCOL_BOOK: &str = "/haggle/book/1";
/// Carries one sealed cell and brings back its acknowledgement.
pub const PROTOCOL_WHISPER: &str = "/haggle/whisper/1";
/// Carries a request to a mint, and its answer.
pub const PROTOCOL_MINT: &str = "/haggle/mint/1";
/// Kademlia, apart from every other network's.
pub const PROTOCOL_KAD: &str = "/haggle/kad/1";
/// What identify says of us.
pub const PROTOCOL_IDENTIFY: &str = "/haggle/id/1";

/// Which market this is. Four bytes of the hash of its name stand in everything that is signed, sealed or
/// hashed, so that nothing from a test market is ever valid on the real one.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Network(pub [u8; 4]);

impl Network {
    /// The name of the public market.
    pub const MAIN_NAME: &'static str = "haggle";

    /// The network of this name.
    #[must_use]
    pub fn named(name: &str) -> Self {
        let digest = hash(Tag::HashNetwork, &[name.as_bytes()]);
        Self([digest[0], digest[1], digest[2], digest[3]])
    }

    /// The public market.
    #[must_use]
    pub fn main() -> Self {
        Self::named(Self::MAIN_NAME)
    }
}
