//! Names of things: fixed-width byte strings, each a type of its own so that a thread id can never be
//! handed over where an intent id is meant. In JSON they are lower-case hexadecimal.

use core::fmt;

use crate::hex;

macro_rules! fixed_bytes {
    ($(#[$doc:meta])* $name:ident, $len:literal) => {
        $(#[$doc])*
        #[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub struct $name(pub [u8; $len]);

        impl $name {
            /// The length in bytes.
            pub const LEN: usize = $len;

            /// The bytes.
            #[must_use]
            pub const fn as_bytes(&self) -> &[u8; $len] {
                &self.0
            }

            /// From a slice of exactly the right length.
            #[must_use]
            pub fn from_slice(bytes: &[u8]) -> Option<Self> {
                bytes.try_into().ok().map(Self)
            }

            /// From lower- or upper-case hexadecimal of exactly the right length.
            #[must_use]
            pub fn from_hex(text: &str) -> Option<Self> {
                hex::decode(text).map(Self)
            }

            /// The first four bytes in hexadecimal: enough to follow one thing through a log.
            #[must_use]
            pub fn short(&self) -> String {
                hex::encode(&self.0[..4])
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(&hex::encode(&self.0))
            }
        }

        impl fmt::Debug for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                write!(f, "{}({})", stringify!($name), self.short())
            }
        }

        impl serde::Serialize for $name {
            fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
                serializer.serialize_str(&hex::encode(&self.0))
            }
        }

        impl<'de> serde::Deserialize<'de> for $name {
            fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
                let text = <String as serde::Deserialize>::deserialize(deserializer)?;
                Self::from_hex(&text).ok_or_else(|| {
                    serde::de::Error::custom(concat!("not a ", stringify!($name), " in hexadecimal"))
                })
            }
        }
    };
}

fixed_bytes!(
    /// Names one public frame: the hash of its header and of its body's hash, without nonce and signature.
    FrameId, 32
);
fixed_bytes!(
    /// Names an intent for all its life: the [`FrameId`] of its *first* frame, whatever revisions follow.
    IntentId, 32
);
fixed_bytes!(
    /// Names the private exchange of one buyer with one seller about one intent.
    ThreadId, 32
);
fixed_bytes!(
    /// Names one private message: the hash of what was signed inside the seal.
    MessageId, 32
);
fixed_bytes!(
    /// Names one file in one thread: what its pieces are asked for by.
    FileId, 32
);
fixed_bytes!(
    /// What an order says of the buyer's hand-over code.
    HandoverHash, 32
);
fixed_bytes!(
    /// Names the terms under which money is locked between two people.
    ContractId, 32
);
fixed_bytes!(
    /// A public key of a rail, made for one deal: a point of secp256k1, compressed (SEC 1 §2.3.3).
    DealKey, 33
);
fixed_bytes!(
    /// An Ed25519 public key (RFC 8032): of an intent, a thread, a trader or a peer.
    PublicKey, 32
);
fixed_bytes!(
    /// An X25519 public key (RFC 7748) to which cells are sealed.
    SealPublic, 32
);
fixed_bytes!(
    /// An Ed25519 signature (RFC 8032).
    Signature, 64
);

impl From<FrameId> for IntentId {
    fn from(id: FrameId) -> Self {
        Self(id.0)
    }
}
