//! The envelope of everything private: a cell of one of two sizes that only its recipient's seal key opens.
//!
//! HPKE (RFC 9180, base mode) with X25519, HKDF-SHA-256 and ChaCha20-Poly1305, one fresh encapsulation a cell. What
//! binds a cell to its place stands in `info`: network, direction, intent, thread, recipient. Who wrote it is said
//! by a signature *inside* ([`crate::private`]); HPKE's own authentication modes are leaving the standard.
//!
//! ```text
//! ver u8=1 | suite u8 | class u8 | hint[8] | enc[32] | ciphertext and tag          2,048 or 15,360 bytes
//! plaintext = len u16 | content | zeros
//! ```
//!
//! The hint names the key, so nobody tries many keys on one cell. Sizes tell nothing: whatever fits the small cell uses it.

use core::fmt;

use hpke::aead::ChaCha20Poly1305;
use hpke::kdf::HkdfSha256;
use hpke::kem::X25519HkdfSha256;
use hpke::{Deserializable, Kem, OpModeR, OpModeS, Serializable};
use rand_core::CryptoRng;
use zeroize::Zeroize;

use crate::ids::{IntentId, SealPublic, ThreadId};
use crate::keys::SealSecret;
use crate::limits::{CELL_LARGE, CELL_SMALL};
use crate::names::Network;
use crate::refusal::Refusal;
use crate::tag::{Tag, hash};

/// The version of the cell's outside.
pub const CELL_VERSION: u8 = 1;
/// DHKEM(X25519, HKDF-SHA256), HKDF-SHA256, ChaCha20Poly1305. 2 is kept for X-Wing.
pub const SUITE_X25519: u8 = 1;

/// The outside that is readable and authenticated: version, suite, class, hint.
const OUTER: usize = 3 + 8;
/// The encapsulated key of X25519.
const ENC: usize = 32;
/// The tag of Poly1305.
const AEAD_TAG: usize = 16;
/// What surrounds the content of a cell.
const OVERHEAD: usize = OUTER + ENC + AEAD_TAG + 2;

/// Content that fits the small cell, in bytes.
pub const CONTENT_SMALL: usize = CELL_SMALL - OVERHEAD;
/// Content that fits the large cell, in bytes.
pub const CONTENT_LARGE: usize = CELL_LARGE - OVERHEAD;

/// Which way a message goes.
#[derive(
    Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, serde::Serialize, serde::Deserialize,
)]
#[serde(rename_all = "kebab-case")]
pub enum Direction {
    /// From the seller to the buyer.
    ToBuyer,
    /// From the buyer to the seller.
    ToSeller,
}

impl Direction {
    /// As on the wire.
    #[must_use]
    pub const fn to_wire(self) -> u8 {
        match self {
            Self::ToBuyer => 1,
            Self::ToSeller => 2,
        }
    }

    /// The other way.
    #[must_use]
    pub const fn reverse(self) -> Self {
        match self {
            Self::ToBuyer => Self::ToSeller,
            Self::ToSeller => Self::ToBuyer,
        }
    }
}

/// Where a cell belongs; it opens nowhere else.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Context {
    /// Which market.
    pub network: Network,
    /// Which way.
    pub direction: Direction,
    /// About which intent.
    pub intent: IntentId,
    /// In which thread; `None` when sealed to the intent's own key, as a first contact is.
    pub thread: Option<ThreadId>,
}

impl Context {
    fn info(&self, recipient: &SealPublic) -> Vec<u8> {
        let mut info = Tag::Seal.bytes().to_vec();
        info.extend_from_slice(&self.network.0);
        info.push(self.direction.to_wire());
        info.extend_from_slice(&self.intent.0);
        info.extend_from_slice(&self.thread.map_or([0; 32], |thread| thread.0));
        info.extend_from_slice(&recipient.0);
        info
    }
}

/// Short name of a seal key on the outside of a cell.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Hint(pub [u8; 8]);

impl Hint {
    /// The name of this key.
    #[must_use]
    pub fn of(key: &SealPublic) -> Self {
        let digest = hash(Tag::Hint, &[&key.0]);
        let mut hint = [0; 8];
        hint.copy_from_slice(&digest[..8]);
        Self(hint)
    }
}

/// How content becomes unreadable. There is one real way, [`Hpke`]; the market takes it as a value so that a test can
/// show that it finds what would be readable without it.
pub trait Sealer: fmt::Debug + Send + Sync {
    /// The encapsulated key (32 bytes) and the ciphertext with its tag (`plain.len() + 16` bytes).
    ///
    /// # Errors
    /// [`Refusal::BadKey`] if the recipient's key is none.
    fn seal(
        &self,
        recipient: &SealPublic,
        info: &[u8],
        aad: &[u8],
        plain: &[u8],
        dice: &mut dyn CryptoRng,
    ) -> Result<([u8; ENC], Vec<u8>), Refusal>;

    /// The plaintext.
    ///
    /// # Errors
    /// [`Refusal::SealBroken`] if anything differs.
    fn open(
        &self,
        secret: &SealSecret,
        enc: &[u8; ENC],
        info: &[u8],
        aad: &[u8],
        sealed: &[u8],
    ) -> Result<Vec<u8>, Refusal>;
}

/// RFC 9180, base mode, suite 1.
#[derive(Clone, Copy, Debug, Default)]
pub struct Hpke;

impl Sealer for Hpke {
    fn seal(
        &self,
        recipient: &SealPublic,
        info: &[u8],
        aad: &[u8],
        plain: &[u8],
        mut dice: &mut dyn CryptoRng,
    ) -> Result<([u8; ENC], Vec<u8>), Refusal> {
        let recipient = <X25519HkdfSha256 as Kem>::PublicKey::from_bytes(&recipient.0)
            .map_err(|_| Refusal::BadKey)?;
        let (enc, sealed) = hpke::single_shot_seal_with_rng::<
            ChaCha20Poly1305,
            HkdfSha256,
            X25519HkdfSha256,
        >(&OpModeS::Base, &recipient, info, plain, aad, &mut dice)
        .map_err(|_| Refusal::BadKey)?;
        Ok((enc.to_bytes().into(), sealed))
    }

    fn open(
        &self,
        secret: &SealSecret,
        enc: &[u8; ENC],
        info: &[u8],
        aad: &[u8],
        sealed: &[u8],
    ) -> Result<Vec<u8>, Refusal> {
        let enc = <X25519HkdfSha256 as Kem>::EncappedKey::from_bytes(enc)
            .map_err(|_| Refusal::SealBroken)?;
        hpke::single_shot_open::<ChaCha20Poly1305, HkdfSha256, X25519HkdfSha256>(
            &OpModeR::Base,
            &secret.secret()?,
            &enc,
            info,
            sealed,
            aad,
        )
        .map_err(|_| Refusal::SealBroken)
    }
}

/// A sealed cell: what travels. Its size is one of two.
#[derive(Clone, PartialEq, Eq)]
pub struct Cell(Vec<u8>);

impl Cell {
    /// Seals content for a recipient.
    ///
    /// # Errors
    /// [`Refusal::TooLarge`] if it does not fit the large cell; [`Refusal::BadKey`].
    pub fn seal(
        sealer: &dyn Sealer,
        context: &Context,
        recipient: &SealPublic,
        content: &[u8],
        dice: &mut dyn CryptoRng,
    ) -> Result<Self, Refusal> {
        let (class, size) = match content.len() {
            0..=CONTENT_SMALL => (0, CELL_SMALL),
            _ if content.len() <= CONTENT_LARGE => (1, CELL_LARGE),
            _ => return Err(Refusal::TooLarge),
        };
        let mut outer = [0; OUTER];
        outer[..3].copy_from_slice(&[CELL_VERSION, SUITE_X25519, class]);
        outer[3..].copy_from_slice(&Hint::of(recipient).0);

        let mut plain = vec![0; size - OUTER - ENC - AEAD_TAG];
        let len = u16::try_from(content.len()).map_err(|_| Refusal::TooLarge)?;
        plain[..2].copy_from_slice(&len.to_be_bytes());
        plain[2..2 + content.len()].copy_from_slice(content);
        let sealed = sealer.seal(recipient, &context.info(recipient), &outer, &plain, dice);
        plain.zeroize();
        let (enc, sealed) = sealed?;

        let mut cell = Vec::with_capacity(size);
        cell.extend_from_slice(&outer);
        cell.extend_from_slice(&enc);
        cell.extend_from_slice(&sealed);
        Ok(Self(cell))
    }

    /// A stranger's bytes, if they have a cell's size and a version that we know.
    ///
    /// # Errors
    /// [`Refusal::CellSize`], [`Refusal::UnknownVersion`].
    pub fn from_bytes(bytes: Vec<u8>) -> Result<Self, Refusal> {
        let class = match bytes.len() {
            CELL_SMALL => 0,
            CELL_LARGE => 1,
            _ => return Err(Refusal::CellSize),
        };
        if bytes[0] != CELL_VERSION || bytes[1] != SUITE_X25519 {
            return Err(Refusal::UnknownVersion);
        }
        if bytes[2] != class {
            return Err(Refusal::CellSize);
        }
        Ok(Self(bytes))
    }

    /// Which key it says it is sealed to.
    #[must_use]
    pub fn hint(&self) -> Hint {
        let mut hint = [0; 8];
        hint.copy_from_slice(&self.0[3..OUTER]);
        Hint(hint)
    }

    /// The content.
    ///
    /// # Errors
    /// [`Refusal::SealBroken`] if it was not sealed to this key in this context, [`Refusal::BadPadding`] if there
    /// is more in it than its content.
    pub fn open(
        &self,
        sealer: &dyn Sealer,
        secret: &SealSecret,
        context: &Context,
    ) -> Result<Vec<u8>, Refusal> {
        let (outer, rest) = self.0.split_at(OUTER);
        let (enc, sealed) = rest.split_first_chunk::<ENC>().ok_or(Refusal::CellSize)?;
        let info = context.info(&secret.public()?);
        let mut plain = sealer.open(secret, enc, &info, outer, sealed)?;
        let len = match plain.first_chunk::<2>() {
            Some(len) => usize::from(u16::from_be_bytes(*len)),
            None => return Err(Refusal::BadPadding),
        };
        let padding = plain.get(2 + len..).ok_or(Refusal::BadPadding)?;
        if padding.iter().any(|byte| *byte != 0) {
            return Err(Refusal::BadPadding);
        }
        let content = plain[2..2 + len].to_vec();
        plain.zeroize();
        Ok(content)
    }

    /// The bytes, to be sent.
    #[must_use]
    pub fn as_bytes(&self) -> &[u8] {
        &self.0
    }

    /// The bytes, to be sent.
    #[must_use]
    pub fn into_bytes(self) -> Vec<u8> {
        self.0
    }

    /// By which a resent cell is recognised without opening it.
    #[must_use]
    pub fn digest(&self) -> [u8; 32] {
        use sha2::Digest;
        sha2::Sha256::digest(&self.0).into()
    }
}

impl fmt::Debug for Cell {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Cell({} bytes)", self.0.len())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use rand_chacha::ChaCha20Rng;
    use rand_core::SeedableRng;

    fn context() -> Context {
        Context {
            network: Network::main(),
            direction: Direction::ToBuyer,
            intent: IntentId([1; 32]),
            thread: None,
        }
    }

    #[test]
    fn a_cell_opens_only_for_its_recipient_and_only_in_its_own_place() {
        let mut dice = ChaCha20Rng::from_seed([9; 32]);
        let secret = SealSecret::random(&mut dice);
        let other = SealSecret::random(&mut dice);
        let public = secret.public().unwrap();
        let cell = Cell::seal(&Hpke, &context(), &public, b"eighty euros", &mut dice).unwrap();
        assert_eq!(
            cell.open(&Hpke, &secret, &context()).as_deref(),
            Ok(&b"eighty euros"[..])
        );
        assert_eq!(
            cell.open(&Hpke, &other, &context()),
            Err(Refusal::SealBroken)
        );
        for elsewhere in [
            Context {
                network: Network::named("test"),
                ..context()
            },
            Context {
                direction: Direction::ToSeller,
                ..context()
            },
            Context {
                intent: IntentId([2; 32]),
                ..context()
            },
            Context {
                thread: Some(ThreadId([3; 32])),
                ..context()
            },
        ] {
            assert_eq!(
                cell.open(&Hpke, &secret, &elsewhere),
                Err(Refusal::SealBroken)
            );
        }
    }

    #[test]
    fn the_size_of_a_cell_tells_only_which_of_two_sizes_it_has() {
        let mut dice = ChaCha20Rng::from_seed([9; 32]);
        let public = SealSecret::random(&mut dice).public().unwrap();
        for (len, size) in [
            (0, CELL_SMALL),
            (1, CELL_SMALL),
            (CONTENT_SMALL, CELL_SMALL),
            (CONTENT_SMALL + 1, CELL_LARGE),
            (CONTENT_LARGE, CELL_LARGE),
        ] {
            let cell = Cell::seal(&Hpke, &context(), &public, &vec![7; len], &mut dice).unwrap();
            assert_eq!(cell.as_bytes().len(), size);
        }
        let too_long = vec![7; CONTENT_LARGE + 1];
        assert_eq!(
            Cell::seal(&Hpke, &context(), &public, &too_long, &mut dice),
            Err(Refusal::TooLarge)
        );
    }

    #[test]
    fn every_altered_byte_is_noticed() {
        let mut dice = ChaCha20Rng::from_seed([9; 32]);
        let secret = SealSecret::random(&mut dice);
        let cell = Cell::seal(
            &Hpke,
            &context(),
            &secret.public().unwrap(),
            b"x",
            &mut dice,
        )
        .unwrap();
        for at in (0..CELL_SMALL).step_by(37).chain(0..OUTER) {
            let mut bytes = cell.as_bytes().to_vec();
            bytes[at] ^= 1;
            let opened =
                Cell::from_bytes(bytes).and_then(|cell| cell.open(&Hpke, &secret, &context()));
            assert!(opened.is_err(), "byte {at}");
        }
    }

    #[test]
    fn an_all_zero_key_is_refused() {
        let mut dice = ChaCha20Rng::from_seed([9; 32]);
        let sealed = Cell::seal(&Hpke, &context(), &SealPublic([0; 32]), b"x", &mut dice);
        assert_eq!(sealed, Err(Refusal::BadKey));
    }
}
