//! Domain separation: what a hash, a signature or a key is *for* stands in front of what it covers.
//!
//! The tags are a closed enum, all distinct and prefix-free (each ends in a zero byte, none holds another).
//! No function here signs or hashes a caller's raw bytes without one.

use ed25519_dalek::Signer;
use hkdf::Hkdf;
use hmac::{Hmac, KeyInit, Mac};
use sha2::{Digest, Sha256};

use crate::ids::{PublicKey, Signature};
use crate::refusal::Refusal;

macro_rules! tags {
    ($($(#[$doc:meta])* $name:ident = $text:literal,)*) => {
        /// What a hash, a signature or a derived key is for.
        #[derive(Clone, Copy, Debug, PartialEq, Eq)]
        pub enum Tag { $($(#[$doc])* $name,)* }

        impl Tag {
            /// Every tag, for the tests that compare them.
            pub const ALL: &'static [Self] = &[$(Self::$name,)*];

            /// The bytes in front of what is covered.
            #[must_use]
            pub const fn bytes(self) -> &'static [u8] {
                match self { $(Self::$name => concat!($text, "\0").as_bytes(),)* }
            }
        }
    };
}

tags! {
    /// First bytes of a network's name.
    HashNetwork = "haggle/1/network",
    /// Id of a public frame.
    IdPublic = "haggle/1/id/public",
    /// Id of a private message.
    IdPrivate = "haggle/1/id/private",
    /// Id of a thread.
    IdThread = "haggle/1/id/thread",
    /// Id of a file.
    IdFile = "haggle/1/id/file",
    /// Id of a contract.
    IdContract = "haggle/1/id/contract",
    /// Commitment to a hand-over code.
    Handover = "haggle/1/handover",
    /// Names a seal key inside a message.
    IdSealKey = "haggle/1/id/seal-key",
    /// Work done for a public frame.
    Pow = "haggle/1/pow",
    /// Signature of a public frame by its intent key.
    SigPublic = "haggle/1/sig/public",
    /// Signature of a private message by its thread key.
    SigPrivate = "haggle/1/sig/private",
    /// The intent key vouches for the buyer's thread key.
    SigThread = "haggle/1/sig/thread",
    /// A trader shows himself inside a thread.
    SigTrader = "haggle/1/sig/trader",
    /// A peer agrees to be named in a Reach record.
    SigReach = "haggle/1/sig/reach",
    /// Context of every seal.
    Seal = "haggle/1/seal",
    /// Short name of a seal key on the outside of a cell.
    Hint = "haggle/1/hint",
    /// Salt of the key tree's root.
    Root = "haggle/1/root",
    /// Long-lived trader keys.
    KeyTrader = "haggle/1/trader",
    /// Keys of single intents.
    KeyIntent = "haggle/1/intent-sign",
    /// Recognises one's own intents after a restore.
    KeyMark = "haggle/1/intent-mark",
    /// Encrypts backups.
    KeyBackup = "haggle/1/backup",
    /// Throw-away keys under which the two sides of a trade say where they are.
    ReachSign = "haggle/1/reach-sign",
    /// Keys that close what they say there.
    ReachSeal = "haggle/1/reach-seal",
    /// The seed of one rail's keys.
    KeyRail = "haggle/1/rail",
    /// One's own secret for one deal.
    KeyDeal = "haggle/1/deal",
    /// Keys that grow from the public key of a deal.
    DealBranch = "haggle/1/deal-branch",
    /// What makes the outputs of a lock and of a settlement one's own.
    DealOutput = "haggle/1/deal-output",
    /// Names a book on the DHT.
    Book = "haggle/1/book",
}

/// SHA-256 over the tag and the parts, one after another.
#[must_use]
pub fn hash(tag: Tag, parts: &[&[u8]]) -> [u8; 32] {
    let mut hasher = Sha256::new();
    hasher.update(tag.bytes());
    for part in parts {
        hasher.update(part);
    }
    hasher.finalize().into()
}

/// Ed25519 over the tag and the parts.
#[must_use]
pub(crate) fn sign(tag: Tag, key: &ed25519_dalek::SigningKey, parts: &[&[u8]]) -> Signature {
    Signature(key.sign(&joined(tag, parts)).to_bytes())
}

/// Checks an Ed25519 signature over the tag and the parts, strictly: small-order keys and points and
/// non-canonical encodings are refused (`verify_strict`), so that one message has one signer.
///
/// # Errors
/// [`Refusal::BadKey`] for a key that is no key, [`Refusal::BadSignature`] otherwise.
pub fn verify(
    tag: Tag,
    key: &PublicKey,
    parts: &[&[u8]],
    signature: &Signature,
) -> Result<(), Refusal> {
    let key = ed25519_dalek::VerifyingKey::from_bytes(&key.0).map_err(|_| Refusal::BadKey)?;
    if key.is_weak() {
        return Err(Refusal::BadKey);
    }
    key.verify_strict(
        &joined(tag, parts),
        &ed25519_dalek::Signature::from_bytes(&signature.0),
    )
    .map_err(|_| Refusal::BadSignature)
}

/// HMAC-SHA-256 under `key` over the tag and the parts.
#[must_use]
pub(crate) fn mac(tag: Tag, key: &[u8; 32], parts: &[&[u8]]) -> [u8; 32] {
    // 32 bytes are below the block size, so this length is always taken.
    let mut mac = Hmac::<Sha256>::new(&(*key).into_block());
    mac.update(tag.bytes());
    for part in parts {
        mac.update(part);
    }
    mac.finalize().into_bytes().into()
}

/// HKDF-Extract (RFC 5869) with the tag as salt.
#[must_use]
pub(crate) fn extract(tag: Tag, secret: &[u8]) -> [u8; 32] {
    Hkdf::<Sha256>::extract(Some(tag.bytes()), secret).0.into()
}

/// HKDF-Expand (RFC 5869) of 32 bytes with the tag and the parts as info.
#[must_use]
pub fn expand(tag: Tag, root: &[u8; 32], parts: &[&[u8]]) -> [u8; 32] {
    let mut out = [0; 32];
    let info = joined(tag, parts);
    // Both lengths are constants inside HKDF's bounds (a 32-byte root, 32 bytes out of at most 8,160).
    if let Ok(hkdf) = Hkdf::<Sha256>::from_prk(root) {
        let expanded = hkdf.expand(&info, &mut out);
        debug_assert!(expanded.is_ok(), "32 bytes are within HKDF's bound");
    }
    out
}

fn joined(tag: Tag, parts: &[&[u8]]) -> Vec<u8> {
    let mut out = tag.bytes().to_vec();
    for part in parts {
        out.extend_from_slice(part);
    }
    out
}

/// Pads a short key to HMAC's block, as RFC 2104 does.
trait IntoBlock {
    fn into_block(self) -> hmac::digest::Key<Hmac<Sha256>>;
}

impl IntoBlock for [u8; 32] {
    fn into_block(self) -> hmac::digest::Key<Hmac<Sha256>> {
        let mut block = hmac::digest::Key::<Hmac<Sha256>>::default();
        block[..32].copy_from_slice(&self);
        block
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tags_are_distinct_and_none_is_a_prefix_of_another() {
        for (i, a) in Tag::ALL.iter().enumerate() {
            for (j, b) in Tag::ALL.iter().enumerate() {
                assert!(
                    i == j || !a.bytes().starts_with(b.bytes()),
                    "{a:?} begins with {b:?}"
                );
            }
        }
    }

    #[test]
    fn the_same_bytes_under_two_tags_have_two_hashes_and_two_signatures() {
        let key = ed25519_dalek::SigningKey::from_bytes(&[7; 32]);
        let public = PublicKey(key.verifying_key().to_bytes());
        assert_ne!(hash(Tag::IdPublic, &[b"x"]), hash(Tag::IdPrivate, &[b"x"]));
        let signature = sign(Tag::SigPublic, &key, &[b"x"]);
        assert_eq!(verify(Tag::SigPublic, &public, &[b"x"], &signature), Ok(()));
        assert_eq!(
            verify(Tag::SigPrivate, &public, &[b"x"], &signature),
            Err(Refusal::BadSignature)
        );
    }

    #[test]
    fn a_small_order_key_is_refused_even_with_a_signature_that_would_pass_a_lax_check() {
        // The identity point: with it, any message verifies under R = s·B in a lax implementation.
        let mut identity = [0; 32];
        identity[0] = 1;
        let signature = Signature([0; 64]);
        assert_eq!(
            verify(Tag::SigPublic, &PublicKey(identity), &[b"x"], &signature),
            Err(Refusal::BadKey)
        );
    }
}
