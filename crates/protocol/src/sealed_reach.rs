//! Where one side of a running trade can be reached now, said out loud and readable by the other side alone.
//!
//! Once an order is confirmed its intent is closed and says no more where its owner is. If both sides then move at once (two
//! reloads, two devices restored from their backups) neither knows the way to the other. So each may publish a frame that
//! everybody carries and nobody understands: under a throw-away key that both derive from a secret of their trade, with the
//! ways inside encrypted by another. Both keys change with the side that speaks and with the day, so that frames of two
//! days, or of the two sides, cannot be told to belong together. All of them have the same size.
//!
//! ```text
//! secret       32 random bytes, drawn by the buyer, said in his Order
//! scope        network[4] ‖ direction[1] ‖ day u32                   day: created / 86,400 s
//! frame key    Ed25519 seed HKDF-Expand(secret, haggle/1/reach-sign ‖ scope, 32)
//! body key     HKDF-Expand(secret, haggle/1/reach-seal ‖ scope, 32)
//! body         nonce[12] ‖ ChaCha20-Poly1305(body key, nonce, header, content)
//! content      1,024 bytes: u16 length ‖ CBOR { 2: ways } ‖ zeros
//! ```
//!
//! HKDF is RFC 5869, the cipher RFC 8439. A nonce is random: one key closes a frame every few minutes of one day.

use chacha20poly1305::aead::{Aead, Payload};
use chacha20poly1305::{ChaCha20Poly1305, KeyInit, Nonce};
use rand_core::CryptoRng;
use zeroize::Zeroizing;

use crate::cbor::{Fields, Reader, Writer};
use crate::frame::{Facets, Header};
use crate::ids::PublicKey;
use crate::keys::SigningKey;
use crate::limits::LIFETIME_DEFAULT;
use crate::names::Network;
use crate::reach::{Circuit, Entry, read_entries, write_entries};
use crate::seal::Direction;
use crate::secret::shared_secret;
use crate::tag::{Tag, expand};
use crate::{Frame, Kind, Refusal, Timestamp};

/// The kind of such a frame. To whoever holds no secret it is a kind like any unknown one.
pub const KIND: Kind = Kind::Other(5);

/// Seconds of a day: how long its keys are used.
pub const DAY: u64 = 24 * 60 * 60;
const NONCE: usize = 12;
const TAG: usize = 16;
/// The content with its length and its padding, in bytes: room for three ways of the greatest length.
const CONTENT: usize = 1_024;
/// Every body has this size, in bytes.
pub const BODY_LEN: usize = NONCE + CONTENT + TAG;

shared_secret! {
    /// What the two sides of a trade find each other by. Whoever has it can read where both of them are.
    ReachSecret
}

impl ReachSecret {
    /// What is said in this direction.
    #[must_use]
    pub const fn towards(&self, network: Network, direction: Direction) -> Towards<'_> {
        Towards {
            secret: self,
            network,
            direction,
        }
    }
}

/// One of the two sides of a secret: what the one says and the other one hears.
#[derive(Clone, Copy, Debug)]
pub struct Towards<'a> {
    secret: &'a ReachSecret,
    network: Network,
    direction: Direction,
}

impl Towards<'_> {
    /// The public key of what is said on the day of `at`.
    #[must_use]
    pub fn key(&self, at: Timestamp) -> PublicKey {
        self.signer(at).public()
    }

    /// Says where `peer` can be reached: a frame made at `now`, good for [`LIFETIME_DEFAULT`] seconds, with `bits` of
    /// work. The nonce of the work is searched from `start` on. At most three ways are taken, the best first.
    ///
    /// # Errors
    /// As [`Frame::sign`]; [`Refusal::TooLarge`] for ways that are longer than the wire allows.
    pub fn seal(
        &self,
        ways: &[Circuit],
        peer: &SigningKey,
        now: Timestamp,
        bits: u32,
        start: u64,
        dice: &mut impl CryptoRng,
    ) -> Result<Frame, Refusal> {
        let network = self.network;
        let created = now.to_minute();
        let signer = self.signer(created);
        let key = signer.public();
        let header = Header {
            kind: KIND,
            network,
            created,
            expires: created + LIFETIME_DEFAULT,
            key,
            facets: Facets::default(),
        };
        let entries = Entry::agree_all(ways, peer, network, &key, header.expires);
        let mut writer = Writer::new();
        writer.map(|map| map.field(2, |w| write_entries(&entries, w)));
        let said = writer.into_bytes();
        let mut content = [0; CONTENT];
        let room = content
            .get_mut(2..2 + said.len())
            .ok_or(Refusal::TooLarge)?;
        room.copy_from_slice(&said);
        content[..2].copy_from_slice(&u16::try_from(said.len()).unwrap_or(0).to_be_bytes());

        let mut nonce = Nonce::default();
        dice.fill_bytes(&mut nonce);
        let payload = Payload {
            msg: &content,
            aad: &header.to_bytes(),
        };
        let cipher = self.cipher(created);
        // ChaCha20-Poly1305 fails for messages of 256 GiB and more.
        let closed = cipher
            .encrypt(&nonce, payload)
            .map_err(|_| Refusal::TooLarge)?;
        let body = [&nonce[..], &closed[..]].concat();
        Frame::sign(header, &body, &signer, bits, start)
    }

    /// Where the side that speaks says that it is, best first. Ways of unknown kinds are left out.
    ///
    /// # Errors
    /// [`Refusal::WrongSender`] for a frame of another kind or key; [`Refusal::SealBroken`] if it does not open; the
    /// form's refusals for what it holds.
    pub fn open(&self, frame: &Frame) -> Result<Vec<Circuit>, Refusal> {
        let header = frame.header();
        let created = header.created;
        if header.kind != KIND || header.key != self.key(created) {
            return Err(Refusal::WrongSender);
        }
        if frame.body().len() != BODY_LEN {
            return Err(Refusal::BadField);
        }
        let (nonce, closed) = frame.body().split_at(NONCE);
        let mut whole = Nonce::default();
        whole.copy_from_slice(nonce);
        let payload = Payload {
            msg: closed,
            aad: &header.to_bytes(),
        };
        let cipher = self.cipher(created);
        let content = cipher
            .decrypt(&whole, payload)
            .map_err(|_| Refusal::SealBroken)?;
        let (len, rest) = content.split_first_chunk::<2>().ok_or(Refusal::Truncated)?;
        let len = usize::from(u16::from_be_bytes(*len));
        let (said, padding) = rest.split_at_checked(len).ok_or(Refusal::Truncated)?;
        if padding.iter().any(|byte| *byte != 0) {
            return Err(Refusal::BadField);
        }
        let mut reader = Reader::new(said);
        let r = &mut reader;
        let mut fields = r.map()?;
        let mut entries = None;
        while let Some(field) = fields.next(r)? {
            match field {
                2 => entries = Some(read_entries(r, self.network, &header.key, header.expires)?),
                other => Fields::unknown(other, r)?,
            }
        }
        r.end()?;
        let entries = entries.ok_or(Refusal::MissingField)?;
        Ok(entries.into_iter().map(|entry| entry.circuit).collect())
    }

    fn signer(&self, at: Timestamp) -> SigningKey {
        SigningKey::from_seed(&self.derive(Tag::ReachSign, at))
    }

    fn cipher(&self, at: Timestamp) -> ChaCha20Poly1305 {
        ChaCha20Poly1305::new(&(*self.derive(Tag::ReachSeal, at)).into())
    }

    fn derive(&self, tag: Tag, at: Timestamp) -> Zeroizing<[u8; 32]> {
        // Seconds since 1970 fit 32 bits on the wire, so their days do.
        let day = u32::try_from(day(at)).unwrap_or(u32::MAX);
        let scope: [&[u8]; 3] = [
            &self.network.0,
            &[self.direction.to_wire()],
            &day.to_be_bytes(),
        ];
        Zeroizing::new(expand(tag, &self.secret.0, &scope))
    }
}

/// The day of a time, counted from 1970: what the keys of a secret change with.
#[must_use]
pub const fn day(at: Timestamp) -> u64 {
    at.0 / DAY
}

#[cfg(test)]
mod tests {
    use super::*;
    use rand_chacha::ChaCha20Rng;
    use rand_core::SeedableRng;

    /// Five minutes before a midnight.
    const NOW: Timestamp = Timestamp(1_790_000_000 / DAY * DAY + DAY - 300);

    fn network() -> Network {
        Network::named("test")
    }

    fn peer() -> SigningKey {
        SigningKey::from_seed(&[9; 32])
    }

    fn way(relay: u8, address: usize) -> Circuit {
        Circuit {
            relay: PublicKey([relay; 32]),
            address: "/".repeat(address),
            peer: peer().public(),
        }
    }

    fn said(secret: &ReachSecret, direction: Direction, ways: &[Circuit], now: Timestamp) -> Frame {
        let mut dice = ChaCha20Rng::from_seed([4; 32]);
        let side = secret.towards(network(), direction);
        side.seal(ways, &peer(), now, 16, 0, &mut dice).unwrap()
    }

    #[test]
    fn only_the_other_side_of_the_same_trade_reads_where_one_is() {
        let ours = ReachSecret::from_bytes([1; 32]);
        let theirs = ReachSecret::from_bytes([2; 32]);
        let ways = [way(7, 128), way(8, 0), way(9, 128)];
        let frame = said(&ours, Direction::ToBuyer, &ways, NOW);
        let heard = Frame::open(frame.bytes(), network(), NOW).unwrap();
        let side = ours.towards(network(), Direction::ToBuyer);
        assert_eq!(side.open(&heard), Ok(ways.to_vec()));
        for other in [
            ours.towards(network(), Direction::ToSeller),
            theirs.towards(network(), Direction::ToBuyer),
            ours.towards(Network::named("other"), Direction::ToBuyer),
        ] {
            assert_eq!(other.open(&heard), Err(Refusal::WrongSender));
        }
    }

    #[test]
    fn frames_of_two_days_two_sides_or_two_trades_share_nothing_but_their_size() {
        let one = ReachSecret::from_bytes([1; 32]);
        let ways = [way(7, 20)];
        let frames = [
            said(&one, Direction::ToBuyer, &ways, NOW),
            said(&one, Direction::ToSeller, &ways, NOW),
            said(&one, Direction::ToBuyer, &ways, NOW + 600),
            said(
                &ReachSecret::from_bytes([2; 32]),
                Direction::ToBuyer,
                &[way(7, 20), way(8, 128)],
                NOW,
            ),
        ];
        for (at, frame) in frames.iter().enumerate() {
            assert_eq!(frame.body().len(), BODY_LEN);
            assert_eq!(frame.header().facets, Facets::default());
            for other in &frames[..at] {
                assert_ne!(frame.header().key, other.header().key);
                assert_ne!(
                    frame.body()[NONCE..NONCE + 32],
                    other.body()[NONCE..NONCE + 32]
                );
            }
        }
    }

    #[test]
    fn ways_are_not_read_from_a_frame_that_the_cipher_did_not_close_whoever_signed_it() {
        let secret = ReachSecret::from_bytes([1; 32]);
        let side = secret.towards(network(), Direction::ToBuyer);
        let frame = said(&secret, Direction::ToBuyer, &[way(7, 20)], NOW);
        let signed = |body: &[u8], header: Header| {
            let signer = side.signer(NOW);
            Frame::sign(header, body, &signer, 16, 0).unwrap()
        };
        let header = *frame.header();
        assert_eq!(
            side.open(&signed(frame.body(), header)),
            Ok(vec![way(7, 20)])
        );
        let mut flipped = frame.body().to_vec();
        flipped[NONCE + 40] ^= 1;
        assert_eq!(
            side.open(&signed(&flipped, header)),
            Err(Refusal::SealBroken)
        );
        let later = Header {
            expires: header.expires + 60,
            ..header
        };
        assert_eq!(
            side.open(&signed(frame.body(), later)),
            Err(Refusal::SealBroken),
            "what stands around it is part of it"
        );
        assert_eq!(
            side.open(&signed(&frame.body()[1..], header)),
            Err(Refusal::BadField)
        );
    }

    #[test]
    fn no_secret_is_printed() {
        let secret = ReachSecret::from_bytes([0xab; 32]);
        let side = secret.towards(network(), Direction::ToBuyer);
        let printed = format!("{secret:?} {side:?}");
        assert!(
            !printed.contains("171") && !printed.contains("abab"),
            "{printed}"
        );
    }
}
