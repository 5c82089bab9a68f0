//! The public frame, frozen for ever: what is said out loud, in a form that a peer can check without
//! understanding it.
//!
//! ```text
//! frame_ver u8=1 | kind u8 | network[4] | created u32 | expires u32 | key[32] | facets[18]    64 bytes of header
//! body_len u16 | body | nonce u64 | sig[64]                                                   all big-endian
//! ```
//!
//! The id covers the header and the hash of the body, not the nonce and the signature: signing again does not
//! make a new thing. Size, network, times, work and signature are checked for every kind, known or not; only then is
//! the body read, and an unknown kind is kept and passed on. So upgrades travel through peers that do not know them.

use core::fmt;

use crate::category::Category;
use crate::ids::{FrameId, PublicKey, Signature};
use crate::keys::SigningKey;
use crate::limits::{
    BODY_MAX, CLOCK_SKEW, FRAME_MAX, FRAME_OVERHEAD, HEADER_LEN, LIFETIME_MAX, POW_FLOOR,
};
use crate::names::Network;
use crate::pow;
use crate::refusal::Refusal;
use crate::tag::{Tag, hash, verify};
use crate::time::Timestamp;

/// The version this code writes and reads.
pub const FRAME_VERSION: u8 = 1;

/// What a frame's body is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Kind {
    /// What somebody wants: [`crate::Intent`] without a revision.
    Intent,
    /// The same, changed or renewed: [`crate::Intent`] with a revision.
    IntentUpdate,
    /// It is no longer wanted: [`crate::intent::IntentClose`].
    IntentClose,
    /// Where its owner can be reached now: [`crate::Reach`].
    Reach,
    /// Something that a newer or another version reads: kept and passed on.
    Other(u8),
}

impl Kind {
    /// As on the wire.
    #[must_use]
    pub const fn to_wire(self) -> u8 {
        match self {
            Self::Intent => 1,
            Self::IntentUpdate => 2,
            Self::IntentClose => 3,
            Self::Reach => 4,
            Self::Other(kind) => kind,
        }
    }

    /// From the wire.
    #[must_use]
    pub const fn from_wire(kind: u8) -> Self {
        match kind {
            1 => Self::Intent,
            2 => Self::IntentUpdate,
            3 => Self::IntentClose,
            4 => Self::Reach,
            other => Self::Other(other),
        }
    }
}

/// Coarse public properties that a peer can sort by without reading the body. Zero means "not said".
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Facets {
    /// Where it belongs.
    pub category: Category,
    /// A coarse place, see [`crate::place::Place::cell`].
    pub cell: u32,
    /// ISO 4217 numeric code of the budget's currency, when it is public.
    pub currency: u16,
    /// Order of magnitude of the budget, when its owner shows it: floor(log2(minor units)) + 1.
    pub band: u8,
    /// Reserved; written as 0 and not looked at.
    pub flags: u8,
}

/// What a frame says about itself.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Header {
    /// What the body is.
    pub kind: Kind,
    /// Which market it belongs to.
    pub network: Network,
    /// When it was made, rounded down to the minute.
    pub created: Timestamp,
    /// When it ends.
    pub expires: Timestamp,
    /// Who says it: the intent key.
    pub key: PublicKey,
    /// What can be sorted by.
    pub facets: Facets,
}

impl Header {
    /// As on the wire.
    #[must_use]
    pub fn to_bytes(&self) -> [u8; HEADER_LEN] {
        let mut out = [0; HEADER_LEN];
        out[0] = FRAME_VERSION;
        out[1] = self.kind.to_wire();
        out[2..6].copy_from_slice(&self.network.0);
        out[6..10].copy_from_slice(&self.created.to_wire().to_be_bytes());
        out[10..14].copy_from_slice(&self.expires.to_wire().to_be_bytes());
        out[14..46].copy_from_slice(&self.key.0);
        out[46..50].copy_from_slice(&self.facets.category.0.to_be_bytes());
        out[50..54].copy_from_slice(&self.facets.cell.to_be_bytes());
        out[54..56].copy_from_slice(&self.facets.currency.to_be_bytes());
        out[56] = self.facets.band;
        out[57] = self.facets.flags;
        out
    }

    fn from_bytes(bytes: &[u8; HEADER_LEN]) -> Self {
        let u32_at = |at: usize| {
            u32::from_be_bytes([bytes[at], bytes[at + 1], bytes[at + 2], bytes[at + 3]])
        };
        let mut key = [0; 32];
        key.copy_from_slice(&bytes[14..46]);
        Self {
            kind: Kind::from_wire(bytes[1]),
            network: Network([bytes[2], bytes[3], bytes[4], bytes[5]]),
            created: u32_at(6).into(),
            expires: u32_at(10).into(),
            key: PublicKey(key),
            facets: Facets {
                category: Category(u32_at(46)),
                cell: u32_at(50),
                currency: u16::from_be_bytes([bytes[54], bytes[55]]),
                band: bytes[56],
                flags: bytes[57],
            },
        }
    }
}

/// A public frame that was checked: whoever holds one knows that its key signed it, for this market, with work.
#[derive(Clone, PartialEq, Eq)]
pub struct Frame {
    bytes: Vec<u8>,
    header: Header,
    id: FrameId,
    work: u32,
}

impl Frame {
    /// Signs a frame. The nonce is searched from `start` on until it shows `bits` of work (at least the floor).
    ///
    /// # Errors
    /// [`Refusal::TooLarge`] if the body is; [`Refusal::BadField`] if it would end before it begins;
    /// [`Refusal::LivesTooLong`] (counted from the full minute that `created` is rounded to); [`Refusal::NoWork`] if 2^(bits+7) nonces did
    /// not show it, which does not happen (probability below e^−128).
    pub fn sign(
        header: Header,
        body: &[u8],
        key: &SigningKey,
        bits: u32,
        start: u64,
    ) -> Result<Self, Refusal> {
        if body.len() > BODY_MAX {
            return Err(Refusal::TooLarge);
        }
        let header = Header {
            created: header.created.to_minute(),
            key: key.public(),
            ..header
        };
        if header.expires <= header.created {
            return Err(Refusal::BadField);
        }
        if header.expires.since(header.created) > LIFETIME_MAX {
            return Err(Refusal::LivesTooLong);
        }
        let head = header.to_bytes();
        let id = id_of(&head, body);
        let bits = bits.clamp(POW_FLOOR, 40);
        let nonce = pow::search(&id, bits, start, 1 << (bits + 7)).ok_or(Refusal::NoWork)?;
        let signature = key.sign(Tag::SigPublic, &[&id.0]);

        let mut bytes = Vec::with_capacity(FRAME_OVERHEAD + body.len());
        bytes.extend_from_slice(&head);
        bytes.extend_from_slice(&u16::try_from(body.len()).unwrap_or(u16::MAX).to_be_bytes());
        bytes.extend_from_slice(body);
        bytes.extend_from_slice(&nonce.to_be_bytes());
        bytes.extend_from_slice(&signature.0);
        Ok(Self {
            bytes,
            header,
            id,
            work: pow::bits(&id, nonce),
        })
    }

    /// Checks a stranger's bytes: size, version, network, times, work, signature, in this order (cheap before dear,
    /// and what another clock or version could see otherwise before what is provable). The body is not read here.
    ///
    /// # Errors
    /// The [`Refusal`] of the first check that fails.
    pub fn open(bytes: &[u8], network: Network, now: Timestamp) -> Result<Self, Refusal> {
        if bytes.len() > FRAME_MAX {
            return Err(Refusal::TooLarge);
        }
        match bytes.first() {
            Some(&FRAME_VERSION) => {}
            Some(_) => return Err(Refusal::UnknownVersion),
            None => return Err(Refusal::Truncated),
        }
        let (head, rest) = bytes
            .split_first_chunk::<HEADER_LEN>()
            .ok_or(Refusal::Truncated)?;
        let (body_len, rest) = rest.split_first_chunk::<2>().ok_or(Refusal::Truncated)?;
        let body_len = usize::from(u16::from_be_bytes(*body_len));
        if rest.len() != body_len + 8 + 64 {
            return Err(Refusal::Truncated);
        }
        let (body, rest) = rest.split_at(body_len);
        let (nonce, signature) = rest.split_first_chunk::<8>().ok_or(Refusal::Truncated)?;
        let signature = Signature::from_slice(signature).ok_or(Refusal::Truncated)?;

        let header = Header::from_bytes(head);
        if header.network != network {
            return Err(Refusal::OtherNetwork);
        }
        if !header.created.0.is_multiple_of(60) || header.expires <= header.created {
            return Err(Refusal::BadField);
        }
        if header.expires.since(header.created) > LIFETIME_MAX {
            return Err(Refusal::LivesTooLong);
        }
        if header.expires <= now {
            return Err(Refusal::Expired);
        }
        if header.created > now + CLOCK_SKEW {
            return Err(Refusal::FromTheFuture);
        }
        let id = id_of(head, body);
        let work = pow::bits(&id, u64::from_be_bytes(*nonce));
        if work < POW_FLOOR {
            return Err(Refusal::NoWork);
        }
        verify(Tag::SigPublic, &header.key, &[&id.0], &signature)?;
        Ok(Self {
            bytes: bytes.to_vec(),
            header,
            id,
            work,
        })
    }

    /// What it says about itself.
    #[must_use]
    pub const fn header(&self) -> &Header {
        &self.header
    }

    /// Its name.
    #[must_use]
    pub const fn id(&self) -> FrameId {
        self.id
    }

    /// The body as it was signed.
    #[must_use]
    pub fn body(&self) -> &[u8] {
        &self.bytes[HEADER_LEN + 2..self.bytes.len() - 8 - 64]
    }

    /// The bytes as they came, to be passed on unchanged.
    #[must_use]
    pub fn bytes(&self) -> &[u8] {
        &self.bytes
    }

    /// Leading zero bits of work shown.
    #[must_use]
    pub const fn work(&self) -> u32 {
        self.work
    }
}

impl fmt::Debug for Frame {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Frame")
            .field("id", &self.id)
            .field("kind", &self.header.kind)
            .field("expires", &self.header.expires)
            .field("work", &self.work)
            .finish_non_exhaustive()
    }
}

fn id_of(head: &[u8; HEADER_LEN], body: &[u8]) -> FrameId {
    FrameId(hash(Tag::IdPublic, &[head, &body_hash(body)]))
}

/// SHA-256 of the body alone, so that an id can be checked from a header and 32 bytes.
fn body_hash(body: &[u8]) -> [u8; 32] {
    use sha2::Digest;
    sha2::Sha256::digest(body).into()
}
