//! Messages written by hand: as they should be, or with one thing wrong.
//!
//! Public frames are put together here byte by byte from docs/protocol.md and not by the code under test, so that a
//! mistake of that code is not repeated. Private messages are made by the protocol's own code and then bent.

use haggle_protocol::category::Category;
use haggle_protocol::cbor::Writer;
use haggle_protocol::intent::{Budget, Delivery, IntentClose, Revision, SealKey};
use haggle_protocol::keys::{Mark, SealSecret, SigningKey};
use haggle_protocol::limits::POW_FLOOR;
use haggle_protocol::private::{Body, Message, TraderProof, thread_id};
use haggle_protocol::quote::{Line, Quality};
use haggle_protocol::reach::{Circuit, Entry};
use haggle_protocol::seal::{Cell, Context, Direction, Hint, Hpke, Sealer};
use haggle_protocol::tag::Tag;
use haggle_protocol::{
    Asset, FrameId, Intent, IntentId, Kind, MessageId, Money, Network, PublicKey, Quantity, Quote,
    Reach, Refusal, SealPublic, ThreadId, Timestamp,
};
use rand_chacha::ChaCha20Rng;
use rand_core::{Rng, SeedableRng};
use sha2::{Digest, Sha256};

use crate::trouble::Outcome;

/// Where forged things come from: the same number forges the same things.
#[derive(Debug)]
pub struct Forge {
    /// For which market.
    pub network: Network,
    /// What time it is.
    pub now: Timestamp,
    /// Everything random.
    pub dice: ChaCha20Rng,
}

/// A public frame, field by field.
#[derive(Clone, Debug)]
pub struct Public {
    /// 1 is what everyone reads.
    pub version: u8,
    /// As on the wire.
    pub kind: u8,
    /// Which market.
    pub network: Network,
    /// Seconds; full minutes only.
    pub created: u64,
    /// Seconds.
    pub expires: u64,
    /// Who signs.
    pub key: SigningKey,
    /// Whose key stands in the header.
    pub shown: PublicKey,
    /// Category, cell, currency, band, flags, six zeros.
    pub facets: [u8; 18],
    /// What it says.
    pub body: Vec<u8>,
    /// Leading zero bits of work, or more.
    pub bits: u32,
    /// Whether more would be too much.
    pub exactly: bool,
    /// Where the search for the nonce begins: another start, another nonce.
    pub start: u64,
}

/// What one side of a thread needs to write to the other.
#[derive(Clone, Debug)]
pub struct Pen {
    /// Who writes.
    pub key: SigningKey,
    /// What is answered to.
    pub reply: SealSecret,
    /// Which way.
    pub direction: Direction,
    /// About which intent.
    pub intent: IntentId,
    /// In which thread.
    pub thread: ThreadId,
    /// The key that it is sealed to.
    pub to: SealPublic,
    /// Whether the recipient knows the thread by this key: then the seal names the thread too.
    pub in_thread: bool,
}

impl Forge {
    /// A forge for this market and time.
    #[must_use]
    pub fn new(network: Network, now: Timestamp, number: u64) -> Self {
        Self {
            network,
            now,
            dice: ChaCha20Rng::seed_from_u64(number),
        }
    }

    /// A fresh key.
    pub fn key(&mut self) -> SigningKey {
        SigningKey::random(&mut self.dice)
    }

    /// A fresh seal key.
    pub fn seal(&mut self) -> SealSecret {
        SealSecret::random(&mut self.dice)
    }

    /// An intent that nobody can object to.
    ///
    /// # Errors
    /// None in fact.
    pub fn intent(&mut self, seal: SealPublic) -> Result<Intent, Refusal> {
        let mut mark = [0; 20];
        self.dice.fill_bytes(&mut mark);
        Ok(Intent {
            title: format!("Lamp {}", u16::from_be_bytes([mark[0], mark[1]])),
            details: None,
            category: Category(0),
            wishes: vec![],
            quantity: Quantity::pieces(1),
            budget: Budget::Sealed(Asset::new("EUR")?),
            deliveries: vec![Delivery::Shipping],
            places: vec![],
            window: None,
            quotes_due: self.now + 600,
            until: None,
            max_quotes: None,
            lang: None,
            seal: SealKey::x25519(seal),
            mark: Mark(mark),
            revision: None,
            arbiter: None,
        })
    }

    /// The frame of an intent: of its first one, or of a revision.
    #[must_use]
    pub fn frame(&self, key: &SigningKey, intent: &Intent) -> Public {
        let facets = intent.facets();
        let mut bytes = [0; 18];
        bytes[..4].copy_from_slice(&facets.category.0.to_be_bytes());
        bytes[4..8].copy_from_slice(&facets.cell.to_be_bytes());
        bytes[10] = facets.band;
        let kind = if intent.revision.is_some() {
            Kind::IntentUpdate
        } else {
            Kind::Intent
        };
        Public {
            facets: bytes,
            ..self.public(key, kind.to_wire(), intent.to_body())
        }
    }

    /// A frame of any kind with this body.
    #[must_use]
    pub fn public(&self, key: &SigningKey, kind: u8, body: Vec<u8>) -> Public {
        let created = self.now.to_minute().0;
        Public {
            version: 1,
            kind,
            network: self.network,
            created,
            expires: created + 1_800,
            key: key.clone(),
            shown: key.public(),
            facets: [0; 18],
            body,
            bits: POW_FLOOR,
            exactly: false,
            start: 0,
        }
    }

    /// A fresh intent in its frame, with the key that it is under.
    ///
    /// # Errors
    /// None in fact.
    pub fn fresh(&mut self) -> Result<(SigningKey, Intent, Public), Refusal> {
        let key = self.key();
        let seal = self.seal().public()?;
        let intent = self.intent(seal)?;
        let frame = self.frame(&key, &intent);
        Ok((key, intent, frame))
    }

    /// A close of the intent of this name.
    #[must_use]
    pub fn close(&self, key: &SigningKey, revision: Revision) -> Public {
        let body = IntentClose { revision }.to_body();
        self.public(key, Kind::IntentClose.to_wire(), body)
    }

    /// A Reach record that names `peer` behind a relay of that address, with the consent of `consents`.
    #[must_use]
    pub fn reach(
        &self,
        key: &SigningKey,
        revision: Revision,
        circuit: Circuit,
        consents: &SigningKey,
    ) -> Public {
        let expires = Timestamp(self.now.to_minute().0 + 1_800);
        let entry = Entry::agree(circuit, consents, self.network, &key.public(), expires);
        let body = Reach {
            revision,
            entries: vec![entry],
        }
        .to_body();
        self.public(key, Kind::Reach.to_wire(), body)
    }

    /// A seller's pen for the first word about an intent.
    pub fn seller(&mut self, intent: IntentId, intent_key: &PublicKey, to: SealPublic) -> Pen {
        let key = self.key();
        let thread = thread_id(self.network, &intent, intent_key, &key.public());
        Pen {
            reply: self.seal(),
            direction: Direction::ToBuyer,
            intent,
            thread,
            to,
            in_thread: false,
            key,
        }
    }

    /// A quote that nobody can object to, in answer to `answers`.
    ///
    /// # Errors
    /// None in fact.
    pub fn quote(&self, answers: FrameId, asset: &str, price: u64) -> Result<Quote, Refusal> {
        Ok(Quote {
            number: 1,
            answers,
            firm: false,
            lines: vec![Line {
                description: "A reading lamp".into(),
                quantity: Quantity::pieces(1),
                unit_price: price,
                amount: price,
                attributes: vec![],
            }],
            charges: vec![],
            total: Money::new(price, Asset::new(asset)?),
            valid_until: self.now + 600,
            lead_time: 86_400,
            delivery: Delivery::Shipping,
            quality: Quality::Good,
            note: None,
            keepers: Vec::new(),
            arbiters: Vec::new(),
        })
    }

    /// A message that says this, first in its thread.
    ///
    /// # Errors
    /// None in fact.
    pub fn message(&self, pen: &Pen, body: Body) -> Result<Message, Refusal> {
        Ok(Message {
            thread: pen.thread,
            intent: pen.intent,
            direction: pen.direction,
            epoch: 1,
            seq: 1,
            prev: None,
            from: pen.key.public(),
            reply: pen.reply.public()?,
            created: self.now,
            expires: self.now + 600,
            body,
            trader: None,
            intent_proof: None,
            reach: vec![],
        })
    }

    /// Shows a trader in a message.
    pub fn show_trader(&mut self, message: &mut Message) -> SigningKey {
        let trader = self.key();
        message.trader = Some(TraderProof::new(
            &trader,
            self.network,
            &message.thread,
            &message.from,
            message.direction,
            message.expires,
        ));
        trader
    }

    /// The content of a cell, signed: inner bytes and signature.
    ///
    /// # Errors
    /// If the pen's key is not the message's.
    pub fn content(&self, pen: &Pen, message: &Message) -> Result<(MessageId, Vec<u8>), Refusal> {
        message.sign(self.network, &pen.to, &pen.key)
    }

    /// Bends the inner bytes of a content and signs them again.
    ///
    /// # Errors
    /// If they cannot be bent so.
    pub fn bent(
        &self,
        pen: &Pen,
        content: &[u8],
        bend: impl FnOnce(&mut Vec<u8>) -> Outcome,
    ) -> Outcome<Vec<u8>> {
        let mut inner = content[..content.len() - 64].to_vec();
        bend(&mut inner)?;
        let signature = pen.key.sign(Tag::SigPrivate, &[&self.network.0, &inner]);
        inner.extend_from_slice(&signature.0);
        Ok(inner)
    }

    /// Seals a content as the pen's place demands.
    ///
    /// # Errors
    /// If the recipient's key is none.
    pub fn cell(&mut self, pen: &Pen, content: &[u8]) -> Result<Vec<u8>, Refusal> {
        let cell = Cell::seal(&Hpke, &self.context(pen), &pen.to, content, &mut self.dice)?;
        Ok(cell.into_bytes())
    }

    /// A message in its cell, and its name.
    ///
    /// # Errors
    /// As its parts.
    pub fn sealed(
        &mut self,
        pen: &Pen,
        message: &Message,
    ) -> Result<(MessageId, Vec<u8>), Refusal> {
        let (id, content) = self.content(pen, message)?;
        Ok((id, self.cell(pen, &content)?))
    }

    /// A cell whose padding is not zero: put together by hand, since the protocol's code would not.
    ///
    /// # Errors
    /// If the recipient's key is none.
    pub fn cell_with_padding(
        &mut self,
        pen: &Pen,
        content: &[u8],
        padding: u8,
    ) -> Result<Vec<u8>, Refusal> {
        let outer = [&[1, 1, 0][..], &Hint::of(&pen.to).0].concat();
        let room = haggle_protocol::limits::CELL_SMALL - outer.len() - 32 - 16;
        let len = u16::try_from(content.len()).map_err(|_| Refusal::TooLarge)?;
        let mut plain = [&len.to_be_bytes()[..], content].concat();
        plain.resize(room, padding);
        let mut info = Tag::Seal.bytes().to_vec();
        info.extend_from_slice(&self.network.0);
        info.push(pen.direction.to_wire());
        info.extend_from_slice(&pen.intent.0);
        info.extend_from_slice(&if pen.in_thread { pen.thread.0 } else { [0; 32] });
        info.extend_from_slice(&pen.to.0);
        let (enc, sealed) = Hpke.seal(&pen.to, &info, &outer, &plain, &mut self.dice)?;
        Ok([&outer[..], &enc, &sealed].concat())
    }

    /// Where a cell of this pen belongs.
    #[must_use]
    pub fn context(&self, pen: &Pen) -> Context {
        Context {
            network: self.network,
            direction: pen.direction,
            intent: pen.intent,
            thread: pen.in_thread.then_some(pen.thread),
        }
    }
}

impl Public {
    /// Its name, as docs/protocol.md makes it.
    #[must_use]
    pub fn id(&self) -> FrameId {
        let body: [u8; 32] = Sha256::digest(&self.body).into();
        let mut hasher = Sha256::new();
        hasher.update(Tag::IdPublic.bytes());
        hasher.update(self.header());
        hasher.update(body);
        FrameId(hasher.finalize().into())
    }

    fn header(&self) -> [u8; 64] {
        let seconds = |time: u64| u32::try_from(time).unwrap_or(u32::MAX).to_be_bytes();
        let mut header = [0; 64];
        header[0] = self.version;
        header[1] = self.kind;
        header[2..6].copy_from_slice(&self.network.0);
        header[6..10].copy_from_slice(&seconds(self.created));
        header[10..14].copy_from_slice(&seconds(self.expires));
        header[14..46].copy_from_slice(&self.shown.0);
        header[46..].copy_from_slice(&self.facets);
        header
    }

    /// Its bytes, with work and signature.
    #[must_use]
    pub fn bytes(&self) -> Vec<u8> {
        let id = self.id();
        let enough = |bits: u32| bits == self.bits || bits > self.bits && !self.exactly;
        let mut nonce = self.start;
        while !enough(work(&id, nonce)) {
            nonce += 1;
        }
        let len = u16::try_from(self.body.len()).unwrap_or(u16::MAX);
        let mut bytes = self.header().to_vec();
        bytes.extend_from_slice(&len.to_be_bytes());
        bytes.extend_from_slice(&self.body);
        bytes.extend_from_slice(&nonce.to_be_bytes());
        bytes.extend_from_slice(&self.key.sign(Tag::SigPublic, &[&id.0]).0);
        bytes
    }
}

/// Leading zero bits of the hash of tag, id and nonce.
fn work(id: &FrameId, nonce: u64) -> u32 {
    let mut hasher = Sha256::new();
    hasher.update(Tag::Pow.bytes());
    hasher.update(id.0);
    hasher.update(nonce.to_be_bytes());
    let digest = hasher.finalize();
    let zeros = digest.iter().take_while(|byte| **byte == 0).count();
    let rest = digest.get(zeros).map_or(0, |byte| byte.leading_zeros());
    u32::try_from(zeros).unwrap_or(0) * 8 + rest
}

/// A question to a book, field by field, with its length in front.
#[must_use]
pub fn book_question(network: Network, mode: u64, ids: Option<&[FrameId]>) -> Vec<u8> {
    let mut writer = Writer::new();
    writer.map(|map| {
        map.field(2, |w| w.bytes(&network.0));
        map.field(4, |w| w.uint(mode));
        map.field(8, |w| w.uint(1 << 20));
        map.optional(10, ids, |w, ids| {
            w.array(ids.len());
            for id in ids {
                w.bytes(&id.0);
            }
        });
    });
    with_length(&writer.into_bytes())
}

/// Bytes with their length in front, as the book protocol frames them.
#[must_use]
pub fn with_length(bytes: &[u8]) -> Vec<u8> {
    let len = u32::try_from(bytes.len()).unwrap_or(u32::MAX);
    [&len.to_be_bytes(), bytes].concat()
}

#[cfg(test)]
mod tests {
    use super::*;
    use haggle_protocol::Frame;

    const NOW: Timestamp = Timestamp(1_800_000_123);

    #[test]
    fn what_is_put_together_by_hand_is_what_the_protocol_reads() {
        let mut forge = Forge::new(Network::main(), NOW, 1);
        let (key, intent, public) = forge.fresh().unwrap();
        let frame = Frame::open(&public.bytes(), Network::main(), NOW).unwrap();
        assert_eq!(frame.id(), public.id());
        assert_eq!(Intent::from_frame(&frame).unwrap(), intent);

        let revision = Revision {
            first: frame.id().into(),
            rev: 1,
        };
        let circuit = Circuit {
            relay: key.public(),
            address: String::new(),
            peer: key.public(),
        };
        for public in [
            forge.close(&key, revision),
            forge.reach(&key, revision, circuit, &key),
        ] {
            Frame::open(&public.bytes(), Network::main(), NOW).unwrap();
        }
        let lazy = Public {
            bits: 3,
            exactly: true,
            ..public
        };
        assert_eq!(
            Frame::open(&lazy.bytes(), Network::main(), NOW),
            Err(Refusal::NoWork)
        );
    }

    #[test]
    fn a_cell_put_together_by_hand_opens_only_if_its_padding_is_zero() {
        let mut forge = Forge::new(Network::main(), NOW, 2);
        let (key, _, frame) = forge.fresh().unwrap();
        let seal = forge.seal();
        let to = seal.public().unwrap();
        let pen = forge.seller(frame.id().into(), &key.public(), to);
        for (padding, result) in [(0, Ok(b"hello".to_vec())), (1, Err(Refusal::BadPadding))] {
            let bytes = forge.cell_with_padding(&pen, b"hello", padding).unwrap();
            let cell = Cell::from_bytes(bytes).unwrap();
            assert_eq!(cell.open(&Hpke, &seal, &forge.context(&pen)), result);
        }
    }

    #[test]
    fn a_quote_written_here_is_read_there_and_a_bent_one_is_noticed() {
        let mut forge = Forge::new(Network::main(), NOW, 3);
        let (key, _, frame) = forge.fresh().unwrap();
        let (seal, id) = (forge.seal(), frame.id());
        let to = seal.public().unwrap();
        let pen = forge.seller(id.into(), &key.public(), to);
        let quote = forge.quote(id, "EUR", 1_234).unwrap();
        let message = forge.message(&pen, Body::Quote(quote)).unwrap();
        let (name, content) = forge.content(&pen, &message).unwrap();
        let context = forge.context(&pen);
        let read = |content: &[u8]| Message::open(content, &context, &to, &key.public(), NOW);
        assert_eq!(read(&content), Ok((name, message)));
        // The second byte behind the map's head is the type's key, the third the type.
        let at = if content[0] == 0xb8 { 3 } else { 2 };
        assert_eq!(content[at - 1..=at], [2, 1]);
        let bent = forge.bent(&pen, &content, |inner| {
            inner[at] = 23;
            Ok(())
        });
        assert_eq!(read(&bent.unwrap()), Err(Refusal::UnknownMessage));
    }
}
