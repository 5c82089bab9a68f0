//! Secret keys and the tree they grow on.
//!
//! One seed restores the reputation and one's own open intents: signing keys derive from it by HKDF labels.
//! Seal keys never do: what was deleted must stay closed, even to whoever finds the seed later. No type here
//! prints its secret.

use core::fmt;

use hpke::kem::X25519HkdfSha256;
use hpke::{Deserializable, Kem, Serializable};
use rand_core::CryptoRng;
use zeroize::{Zeroize, ZeroizeOnDrop};

use crate::ids::{PublicKey, SealPublic, Signature};
use crate::refusal::Refusal;
use crate::tag::{Tag, expand, extract, mac, sign};

/// An Ed25519 secret: of an intent, a thread or a trader.
#[derive(Clone)]
pub struct SigningKey(ed25519_dalek::SigningKey);

impl SigningKey {
    /// A fresh random key.
    #[must_use]
    pub fn random(dice: &mut impl CryptoRng) -> Self {
        let mut seed = [0; 32];
        dice.fill_bytes(&mut seed);
        let key = Self::from_seed(&seed);
        seed.zeroize();
        key
    }

    /// The key of this 32-byte seed (RFC 8032 §5.1.5).
    #[must_use]
    pub fn from_seed(seed: &[u8; 32]) -> Self {
        Self(ed25519_dalek::SigningKey::from_bytes(seed))
    }

    /// The seed, to be stored.
    #[must_use]
    pub fn to_seed(&self) -> [u8; 32] {
        self.0.to_bytes()
    }

    /// The public half.
    #[must_use]
    pub fn public(&self) -> PublicKey {
        PublicKey(self.0.verifying_key().to_bytes())
    }

    /// Signs the parts under a tag.
    #[must_use]
    pub fn sign(&self, tag: Tag, parts: &[&[u8]]) -> Signature {
        sign(tag, &self.0, parts)
    }
}

impl fmt::Debug for SigningKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "SigningKey(of {})", self.public().short())
    }
}

/// An X25519 secret that opens cells. Random, independent of every signing key.
#[derive(Clone, Zeroize, ZeroizeOnDrop)]
pub struct SealSecret([u8; 32]);

impl SealSecret {
    /// A fresh random key.
    #[must_use]
    pub fn random(dice: &mut impl CryptoRng) -> Self {
        let (secret, _) = X25519HkdfSha256::gen_keypair_with_rng(dice);
        Self(secret.to_bytes().into())
    }

    /// From stored bytes.
    #[must_use]
    pub const fn from_bytes(bytes: [u8; 32]) -> Self {
        Self(bytes)
    }

    /// The bytes, to be stored.
    #[must_use]
    pub const fn to_bytes(&self) -> [u8; 32] {
        self.0
    }

    /// The public half.
    ///
    /// # Errors
    /// [`Refusal::BadKey`] if the stored bytes are no key.
    pub fn public(&self) -> Result<SealPublic, Refusal> {
        let public = X25519HkdfSha256::sk_to_pk(&self.secret()?);
        Ok(SealPublic(public.to_bytes().into()))
    }

    pub(crate) fn secret(&self) -> Result<<X25519HkdfSha256 as Kem>::PrivateKey, Refusal> {
        <X25519HkdfSha256 as Kem>::PrivateKey::from_bytes(&self.0).map_err(|_| Refusal::BadKey)
    }
}

impl fmt::Debug for SealSecret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("SealSecret(..)")
    }
}

/// The X25519 keys of small order, as little-endian u-coordinates: with any of them the shared secret is the same for
/// everyone. 0, 1, two points of order 8, and p − 1, p, p + 1 (which are −1, 0 and 1 again).
const SMALL_ORDER: [[u8; 32]; 7] = {
    let zero = [0; 32];
    let mut one = [0; 32];
    one[0] = 1;
    let mut below = [0xff; 32];
    below[31] = 0x7f;
    let mut prime = below;
    let mut above = below;
    below[0] = 0xec;
    prime[0] = 0xed;
    above[0] = 0xee;
    [
        zero,
        one,
        [
            0xe0, 0xeb, 0x7a, 0x7c, 0x3b, 0x41, 0xb8, 0xae, 0x16, 0x56, 0xe3, 0xfa, 0xf1, 0x9f,
            0xc4, 0x6a, 0xda, 0x09, 0x8d, 0xeb, 0x9c, 0x32, 0xb1, 0xfd, 0x86, 0x62, 0x05, 0x16,
            0x5f, 0x49, 0xb8, 0x00,
        ],
        [
            0x5f, 0x9c, 0x95, 0xbc, 0xa3, 0x50, 0x8c, 0x24, 0xb1, 0xd0, 0xb1, 0x55, 0x9c, 0x83,
            0xef, 0x5b, 0x04, 0x44, 0x5c, 0xc4, 0x58, 0x1c, 0x8e, 0x86, 0xd8, 0x22, 0x4e, 0xdd,
            0xd0, 0x9f, 0x11, 0x57,
        ],
        below,
        prime,
        above,
    ]
};

/// Whether something can be sealed to this key: any key but those of small order, which HPKE refuses (RFC 9180
/// §7.1.4). Checked when a key is heard, not only when it is used, so that nobody is asked to answer to a key that
/// no answer can be sealed to.
///
/// # Errors
/// [`Refusal::BadKey`].
pub fn check_seal_key(key: &SealPublic) -> Result<(), Refusal> {
    let mut point = key.0;
    // RFC 7748 §5: the last bit is not looked at.
    point[31] &= 0x7f;
    if SMALL_ORDER.contains(&point) {
        return Err(Refusal::BadKey);
    }
    Ok(())
}

/// Random to everyone but its owner, who recognises by it his own intents after a restore: 12 bytes of salt
/// and 8 bytes of a MAC over it. A salt and not a counter: a restored device would reuse counters, and a used
/// key links two intents.
#[derive(Clone, Copy, Debug, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub struct Mark(#[serde(with = "mark_hex")] pub [u8; 20]);

mod mark_hex {
    //! A mark in JSON is hexadecimal, like every id.
    use crate::hex;

    pub(super) fn serialize<S: serde::Serializer>(
        mark: &[u8; 20],
        serializer: S,
    ) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(&hex::encode(mark))
    }

    pub(super) fn deserialize<'de, D: serde::Deserializer<'de>>(
        deserializer: D,
    ) -> Result<[u8; 20], D::Error> {
        let text = <String as serde::Deserialize>::deserialize(deserializer)?;
        hex::decode(&text).ok_or_else(|| serde::de::Error::custom("not a mark in hexadecimal"))
    }
}

/// The root of one person's keys, made from the entropy of the phrase.
#[derive(Clone, Zeroize, ZeroizeOnDrop)]
pub struct Root([u8; 32]);

impl Root {
    /// From the entropy of the phrase: 16 or 32 bytes.
    #[must_use]
    pub fn from_entropy(entropy: &[u8]) -> Self {
        Self(extract(Tag::Root, entropy))
    }

    /// The long-lived key of one persona, counted from 0.
    #[must_use]
    pub fn trader(&self, persona: u32) -> SigningKey {
        SigningKey::from_seed(&expand(Tag::KeyTrader, &self.0, &[&persona.to_be_bytes()]))
    }

    /// A fresh intent key and the mark by which it is found again.
    #[must_use]
    pub fn intent(&self, dice: &mut impl CryptoRng) -> (SigningKey, Mark) {
        let mut salt = [0; 12];
        dice.fill_bytes(&mut salt);
        let mut mark = [0; 20];
        mark[..12].copy_from_slice(&salt);
        mark[12..].copy_from_slice(&self.mark_of(&salt));
        (self.intent_of(&salt), Mark(mark))
    }

    /// The key of an intent with this mark, if it is one of ours.
    #[must_use]
    pub fn recognise(&self, mark: &Mark) -> Option<SigningKey> {
        let mut salt = [0; 12];
        salt.copy_from_slice(&mark.0[..12]);
        (self.mark_of(&salt) == mark.0[12..]).then(|| self.intent_of(&salt))
    }

    /// The key that wraps backups.
    #[must_use]
    pub fn backup(&self) -> [u8; 32] {
        expand(Tag::KeyBackup, &self.0, &[])
    }

    /// The seed of one rail's wallet and deals, 64 bytes as BIP-39 makes them. A rail's name keeps it apart from all others.
    #[must_use]
    pub fn rail(&self, name: &str) -> zeroize::Zeroizing<[u8; 64]> {
        let mut seed = zeroize::Zeroizing::new([0; 64]);
        for (half, number) in seed.chunks_mut(32).zip([[1], [2]]) {
            let mut bytes = expand(Tag::KeyRail, &self.0, &[&number, name.as_bytes()]);
            half.copy_from_slice(&bytes);
            bytes.zeroize();
        }
        seed
    }

    fn intent_of(&self, salt: &[u8; 12]) -> SigningKey {
        SigningKey::from_seed(&expand(Tag::KeyIntent, &self.0, &[salt]))
    }

    fn mark_of(&self, salt: &[u8; 12]) -> [u8; 8] {
        let key = expand(Tag::KeyMark, &self.0, &[]);
        let full = mac(Tag::KeyMark, &key, &[salt]);
        let mut short = [0; 8];
        short.copy_from_slice(&full[..8]);
        short
    }
}

impl fmt::Debug for Root {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Root(..)")
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use rand_chacha::ChaCha20Rng;
    use rand_core::SeedableRng;

    #[test]
    fn the_same_phrase_finds_its_own_intents_again_and_nobody_elses() {
        let mut dice = ChaCha20Rng::from_seed([1; 32]);
        let mine = Root::from_entropy(&[5; 16]);
        let other = Root::from_entropy(&[6; 16]);
        let (key, mark) = mine.intent(&mut dice);
        let again = Root::from_entropy(&[5; 16]).recognise(&mark).unwrap();
        assert_eq!(again.public(), key.public());
        assert!(other.recognise(&mark).is_none());
        let (second, _) = mine.intent(&mut dice);
        assert_ne!(second.public(), key.public());
    }

    #[test]
    fn a_seal_key_is_refused_when_heard_exactly_if_nothing_can_be_sealed_to_it() {
        use crate::seal::{Hpke, Sealer};
        let mut dice = ChaCha20Rng::from_seed([1; 32]);
        let good = SealSecret::random(&mut dice).public().unwrap();
        assert_eq!(check_seal_key(&good), Ok(()));
        assert!(Hpke.seal(&good, b"", b"", b"x", &mut dice).is_ok());
        for mut point in SMALL_ORDER {
            for last_bit in [0, 0x80] {
                point[31] = point[31] & 0x7f | last_bit;
                let weak = SealPublic(point);
                assert_eq!(check_seal_key(&weak), Err(Refusal::BadKey));
                assert_eq!(
                    Hpke.seal(&weak, b"", b"", b"x", &mut dice),
                    Err(Refusal::BadKey)
                );
            }
        }
    }

    #[test]
    fn each_rail_has_a_seed_of_its_own_and_the_phrase_brings_it_back() {
        let root = Root::from_entropy(&[5; 16]);
        let seed = root.rail("cashu");
        assert_eq!(*seed, *Root::from_entropy(&[5; 16]).rail("cashu"));
        assert_ne!(*seed, *root.rail("other"));
        assert_ne!(seed[..32], seed[32..]);
    }

    #[test]
    fn no_secret_is_printed() {
        let mut dice = ChaCha20Rng::from_seed([1; 32]);
        let root = Root::from_entropy(&[0xab; 32]);
        let key = SigningKey::from_seed(&[0xab; 32]);
        let seal = SealSecret::random(&mut dice);
        let printed = format!("{root:?} {key:?} {seal:?}");
        assert!(!printed.contains("abab"), "{printed}");
        assert!(!printed.contains("171"), "{printed}");
        assert!(
            !printed.contains(&crate::hex::encode(&seal.to_bytes()[..4])),
            "{printed}"
        );
    }
}
