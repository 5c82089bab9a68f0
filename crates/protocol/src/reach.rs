//! Where an intent's owner can be reached now. A record of its own, under the intent key: peers are fresh with each
//! page load, and an intent's name must outlive a reload.
//!
//! An entry names a relay and a peer behind it, with the peer's consent: without it, a forged record would make every
//! seller dial a victim. Entries of unknown kinds are skipped; kind 2 (a drop tag at a relay) and 3 (a gossip bucket) are
//! reserved.

use crate::cbor::{Fields, Reader, Writer};
use crate::ids::{IntentId, PublicKey, Signature};
use crate::intent::Revision;
use crate::keys::SigningKey;
use crate::limits::{ADDRESS_MAX, REACH_ENTRIES_MAX, REACH_ENTRY_MAX};
use crate::names::Network;
use crate::refusal::Refusal;
use crate::tag::{Tag, verify};
use crate::time::Timestamp;

/// A peer behind a relay (circuit relay v2).
#[derive(Clone, Debug, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub struct Circuit {
    /// The relay's Ed25519 peer key.
    pub relay: PublicKey,
    /// How to reach the relay, as a multiaddr without the `/p2p` part; at most 128 bytes, empty if only known relays are meant.
    pub address: String,
    /// The peer's Ed25519 key.
    pub peer: PublicKey,
}

/// The way of entry kind 1.
const KIND_CIRCUIT: u8 = 1;

/// A circuit with the consent of the peer it names.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Entry {
    /// The way.
    pub circuit: Circuit,
    /// The peer's signature over network, intent key and expiry.
    pub consent: Signature,
}

impl Entry {
    /// A way, agreed to by the peer whose key is `peer`, for what `key` says until `expires`.
    #[must_use]
    pub fn agree(
        circuit: Circuit,
        peer: &SigningKey,
        network: Network,
        key: &PublicKey,
        expires: Timestamp,
    ) -> Self {
        let consent = peer.sign(
            Tag::SigReach,
            &[&network.0, &key.0, &expires.to_wire().to_be_bytes()],
        );
        Self { circuit, consent }
    }

    /// The best of these ways, as many as one record takes, each agreed to as by [`Entry::agree`].
    #[must_use]
    pub fn agree_all(
        ways: &[Circuit],
        peer: &SigningKey,
        network: Network,
        key: &PublicKey,
        expires: Timestamp,
    ) -> Vec<Self> {
        let ways = ways.iter().take(REACH_ENTRIES_MAX).cloned();
        ways.map(|way| Self::agree(way, peer, network, key, expires))
            .collect()
    }

    fn to_bytes(&self) -> Vec<u8> {
        let address = self.circuit.address.as_bytes();
        let mut out = vec![KIND_CIRCUIT];
        let len = 32 + 32 + 64 + address.len();
        out.extend_from_slice(&u16::try_from(len).unwrap_or(u16::MAX).to_be_bytes());
        out.extend_from_slice(&self.circuit.relay.0);
        out.extend_from_slice(&self.circuit.peer.0);
        out.extend_from_slice(&self.consent.0);
        out.extend_from_slice(address);
        out
    }

    /// `None` for an entry of a kind that we do not know.
    fn from_bytes(bytes: &[u8]) -> Result<Option<Self>, Refusal> {
        let (&kind, rest) = bytes.split_first().ok_or(Refusal::BadField)?;
        let (len, rest) = rest.split_first_chunk::<2>().ok_or(Refusal::BadField)?;
        if usize::from(u16::from_be_bytes(*len)) != rest.len() {
            return Err(Refusal::BadField);
        }
        if kind != KIND_CIRCUIT {
            return Ok(None);
        }
        let (relay, rest) = rest.split_first_chunk::<32>().ok_or(Refusal::BadField)?;
        let (peer, rest) = rest.split_first_chunk::<32>().ok_or(Refusal::BadField)?;
        let (consent, address) = rest.split_first_chunk::<64>().ok_or(Refusal::BadField)?;
        let address = core::str::from_utf8(address).map_err(|_| Refusal::BadText)?;
        if address.len() > ADDRESS_MAX || !address.bytes().all(|c| c.is_ascii_graphic()) {
            return Err(Refusal::BadText);
        }
        let circuit = Circuit {
            relay: PublicKey(*relay),
            address: address.to_owned(),
            peer: PublicKey(*peer),
        };
        Ok(Some(Self {
            circuit,
            consent: Signature(*consent),
        }))
    }

    fn check(&self, network: Network, key: &PublicKey, expires: Timestamp) -> Result<(), Refusal> {
        let parts: [&[u8]; 3] = [&network.0, &key.0, &expires.to_wire().to_be_bytes()];
        verify(Tag::SigReach, &self.circuit.peer, &parts, &self.consent)
            .map_err(|_| Refusal::BadReach)
    }
}

/// Writes ways as a list of byte strings; the same form stands inside private messages.
pub fn write_entries(entries: &[Entry], writer: &mut Writer) {
    writer.array(entries.len());
    for entry in entries {
        writer.bytes(&entry.to_bytes());
    }
}

/// Reads ways, skipping those of unknown kinds, and checks the consent of each for what `key` says until `expires`.
///
/// # Errors
/// [`Refusal::BadReach`] without consent; the form's refusals.
pub fn read_entries(
    reader: &mut Reader<'_>,
    network: Network,
    key: &PublicKey,
    expires: Timestamp,
) -> Result<Vec<Entry>, Refusal> {
    let read = reader.list(REACH_ENTRIES_MAX, |r| {
        Entry::from_bytes(r.bytes(REACH_ENTRY_MAX)?)
    })?;
    // Whoever cannot be reached says nothing, in one way: by leaving the list out. Ways that only a newer version
    // knows are another matter: they make a list that is empty to us.
    if read.is_empty() {
        return Err(Refusal::BadField);
    }
    let entries: Vec<Entry> = read.into_iter().flatten().collect();
    for entry in &entries {
        entry.check(network, key, expires)?;
    }
    Ok(entries)
}

/// Where an intent's owner can be reached now.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Reach {
    /// Which intent, and how often its owner has moved.
    pub revision: Revision,
    /// The ways, best first; one to three on the wire, of which those of unknown kinds are left out here.
    pub entries: Vec<Entry>,
}

impl Reach {
    /// The body of a frame.
    #[must_use]
    pub fn to_body(&self) -> Vec<u8> {
        let mut writer = Writer::new();
        writer.map(|map| {
            map.field(2, |w| w.bytes(&self.revision.first.0));
            map.field(4, |w| w.uint(self.revision.rev));
            map.field(6, |w| write_entries(&self.entries, w));
        });
        writer.into_bytes()
    }

    /// Reads the body of a frame of kind [`crate::Kind::Reach`] under `key`, valid until `expires`.
    ///
    /// # Errors
    /// The [`Refusal`] of the first thing that is wrong.
    pub fn from_body(
        body: &[u8],
        network: Network,
        key: &PublicKey,
        expires: Timestamp,
    ) -> Result<Self, Refusal> {
        let mut reader = Reader::new(body);
        let r = &mut reader;
        let mut fields = r.map()?;
        let (mut first, mut rev, mut entries) = (None, None, None);
        while let Some(field) = fields.next(r)? {
            match field {
                2 => first = Some(IntentId(r.fixed()?)),
                4 => rev = Some(r.uint(crate::Money::MAX)?),
                6 => entries = Some(read_entries(r, network, key, expires)?),
                other => Fields::unknown(other, r)?,
            }
        }
        r.end()?;
        match (first, rev, entries) {
            (Some(first), Some(rev), Some(entries)) => Ok(Self {
                revision: Revision { first, rev },
                entries,
            }),
            _ => Err(Refusal::MissingField),
        }
    }
}
