//! Somebody who speaks the wire by hand: a seller or a buyer that no market would be, one field away from an honest one.

use haggle_protocol::frame::Header;
use haggle_protocol::intent::SealKey;
use haggle_protocol::keys::{Mark, SealSecret, SigningKey};
use haggle_protocol::private::{Body, Message, TraderProof, intent_proof, thread_id};
use haggle_protocol::quote::{Line, Quality, Quote};
use haggle_protocol::seal::{Cell, Context, Direction, Hint, Hpke, Sealer};
use haggle_protocol::{
    Frame, Intent, IntentId, Kind, MessageId, Money, PublicKey, Quantity, SealPublic, ThreadId,
    Timestamp,
};
use rand_chacha::ChaCha20Rng;
use rand_core::SeedableRng;

use crate::stage::{eur, network};

/// The bytes around the ciphertext of a cell: version, suite, class, hint.
const OUTER: usize = 11;

pub(crate) struct Forger {
    pub(crate) dice: ChaCha20Rng,
    pub(crate) trader: SigningKey,
    /// The thread key.
    pub(crate) key: SigningKey,
    pub(crate) reply: SealSecret,
    pub(crate) intent: IntentId,
    pub(crate) intent_key: PublicKey,
    pub(crate) seal: SealPublic,
    pub(crate) seq: u32,
}

impl Forger {
    /// A seller who answers this intent.
    pub(crate) fn seller(seed: u8, intent: IntentId, key: PublicKey, seal: SealPublic) -> Self {
        let mut dice = ChaCha20Rng::from_seed([seed; 32]);
        Self {
            trader: SigningKey::random(&mut dice),
            key: SigningKey::random(&mut dice),
            reply: SealSecret::random(&mut dice),
            intent,
            intent_key: key,
            seal,
            seq: 0,
            dice,
        }
    }

    pub(crate) fn thread(&self) -> ThreadId {
        thread_id(
            network(),
            &self.intent,
            &self.intent_key,
            &self.key.public(),
        )
    }

    pub(crate) fn quote(&self, total: u64, now: Timestamp) -> Quote {
        Quote {
            number: 1,
            answers: haggle_protocol::FrameId(self.intent.0),
            firm: false,
            lines: vec![Line {
                description: "Laptop".into(),
                quantity: Quantity::pieces(1),
                unit_price: total,
                amount: total,
                attributes: Vec::new(),
            }],
            charges: Vec::new(),
            total: Money::new(total, eur()),
            valid_until: now + 1_800,
            lead_time: 86_400,
            delivery: haggle_protocol::intent::Delivery::Shipping,
            quality: Quality::Good,
            note: None,
            keepers: Vec::new(),
            arbiters: Vec::new(),
        }
    }

    /// An honest message from seller to buyer with this body.
    pub(crate) fn message(&mut self, body: Body, now: Timestamp) -> Message {
        self.seq += 1;
        Message {
            thread: self.thread(),
            intent: self.intent,
            direction: Direction::ToBuyer,
            epoch: 1,
            seq: self.seq,
            prev: None,
            from: self.key.public(),
            reply: self.reply.public().unwrap(),
            created: now,
            expires: now + 1_800,
            body,
            trader: None,
            intent_proof: None,
            reach: Vec::new(),
        }
    }

    pub(crate) fn proof(&self, message: &Message) -> TraderProof {
        TraderProof::new(
            &self.trader,
            network(),
            &message.thread,
            &message.from,
            message.direction,
            message.expires,
        )
    }

    pub(crate) fn context(&self) -> Context {
        Context {
            network: network(),
            direction: Direction::ToBuyer,
            intent: self.intent,
            thread: None,
        }
    }

    /// Signed and sealed as an honest seller's first message is.
    pub(crate) fn sealed(&mut self, message: &Message) -> Vec<u8> {
        let (_, content) = message.sign(network(), &self.seal, &self.key).unwrap();
        self.cell(&content)
    }

    pub(crate) fn cell(&mut self, content: &[u8]) -> Vec<u8> {
        let context = self.context();
        Cell::seal(&Hpke, &context, &self.seal, content, &mut self.dice)
            .unwrap()
            .into_bytes()
    }

    /// A small cell with exactly this plaintext, whatever it is.
    pub(crate) fn raw(&mut self, plain: &[u8]) -> Vec<u8> {
        let mut info = haggle_protocol::tag::Tag::Seal.bytes().to_vec();
        info.extend_from_slice(&network().0);
        info.push(1);
        info.extend_from_slice(&self.intent.0);
        info.extend_from_slice(&[0; 32]);
        info.extend_from_slice(&self.seal.0);
        let mut outer = vec![1, 1, 0];
        outer.extend_from_slice(&Hint::of(&self.seal).0);
        assert_eq!(outer.len(), OUTER);
        let (enc, sealed) = Hpke
            .seal(&self.seal, &info, &outer, plain, &mut self.dice)
            .unwrap();
        outer.extend_from_slice(&enc);
        outer.extend_from_slice(&sealed);
        outer
    }
}

/// A buyer by hand: publishes an intent and reads what comes.
pub(crate) struct FakeBuyer {
    pub(crate) dice: ChaCha20Rng,
    pub(crate) trader: SigningKey,
    pub(crate) intent_key: SigningKey,
    pub(crate) seal: SealSecret,
    pub(crate) key: SigningKey,
    pub(crate) reply: SealSecret,
    pub(crate) id: IntentId,
    pub(crate) frame: Vec<u8>,
    pub(crate) seq: u32,
}

/// What a fake buyer found in a seller's cell.
pub(crate) struct Read {
    pub(crate) id: MessageId,
    pub(crate) message: Message,
}

impl FakeBuyer {
    pub(crate) fn new(seed: u8, like: &Intent, now: Timestamp) -> Self {
        let mut dice = ChaCha20Rng::from_seed([seed; 32]);
        let seal = SealSecret::random(&mut dice);
        let intent_key = SigningKey::random(&mut dice);
        let mut mark = [0; 20];
        mark[0] = seed;
        let intent = Intent {
            seal: SealKey::x25519(seal.public().unwrap()),
            mark: Mark(mark),
            revision: None,
            ..like.clone()
        };
        let header = Header {
            kind: Kind::Intent,
            network: network(),
            created: now,
            expires: now.to_minute() + 1_800,
            key: intent_key.public(),
            facets: intent.facets(),
        };
        let frame = Frame::sign(header, &intent.to_body(), &intent_key, 16, 0).unwrap();
        Self {
            trader: SigningKey::random(&mut dice),
            key: SigningKey::random(&mut dice),
            reply: SealSecret::random(&mut dice),
            intent_key,
            seal,
            id: frame.id().into(),
            frame: frame.bytes().to_vec(),
            seq: 0,
            dice,
        }
    }

    /// Where this buyer says he can be reached.
    pub(crate) fn reach(&self, peer: &SigningKey, now: Timestamp) -> Vec<u8> {
        let expires = now.to_minute() + 1_800;
        let circuit = haggle_protocol::reach::Circuit {
            relay: PublicKey([7; 32]),
            address: String::new(),
            peer: peer.public(),
        };
        let key = self.intent_key.public();
        let entry = haggle_protocol::reach::Entry::agree(circuit, peer, network(), &key, expires);
        let revision = haggle_protocol::intent::Revision {
            first: self.id,
            rev: now.0,
        };
        let reach = haggle_protocol::Reach {
            revision,
            entries: vec![entry],
        };
        let header = Header {
            kind: Kind::Reach,
            network: network(),
            created: now,
            expires,
            key,
            facets: haggle_protocol::frame::Facets::default(),
        };
        let frame = Frame::sign(header, &reach.to_body(), &self.intent_key, 16, 0).unwrap();
        frame.bytes().to_vec()
    }

    pub(crate) fn open(&self, cell: Vec<u8>, now: Timestamp) -> Read {
        let context = Context {
            network: network(),
            direction: Direction::ToBuyer,
            intent: self.id,
            thread: None,
        };
        let cell = Cell::from_bytes(cell).unwrap();
        let content = cell.open(&Hpke, &self.seal, &context).unwrap();
        let recipient = self.seal.public().unwrap();
        let key = self.intent_key.public();
        let (id, message) = Message::open(&content, &context, &recipient, &key, now).unwrap();
        Read { id, message }
    }

    /// An honest message to the seller of this thread.
    pub(crate) fn message(&mut self, thread: ThreadId, body: Body, now: Timestamp) -> Message {
        self.seq += 1;
        let from = self.key.public();
        let mut message = Message {
            thread,
            intent: self.id,
            direction: Direction::ToSeller,
            epoch: 1,
            seq: self.seq,
            prev: None,
            from,
            reply: self.reply.public().unwrap(),
            created: now,
            expires: now + 600,
            body,
            trader: None,
            intent_proof: Some(intent_proof(&self.intent_key, network(), &thread, &from)),
            reach: Vec::new(),
        };
        if message.body.needs_trader() {
            message.trader = Some(TraderProof::new(
                &self.trader,
                network(),
                &thread,
                &from,
                Direction::ToSeller,
                message.expires,
            ));
        }
        message
    }

    pub(crate) fn sealed(
        &mut self,
        message: &Message,
        to: SealPublic,
        key: &SigningKey,
    ) -> Vec<u8> {
        let (_, content) = message.sign(network(), &to, key).unwrap();
        let context = Context {
            network: network(),
            direction: Direction::ToSeller,
            intent: self.id,
            thread: Some(message.thread),
        };
        Cell::seal(&Hpke, &context, &to, &content, &mut self.dice)
            .unwrap()
            .into_bytes()
    }
}
