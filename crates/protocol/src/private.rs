//! What is said in private: one message of one thread, signed inside the seal by the sender's thread key.
//!
//! The signed bytes hold everything that ties a message to its place: thread, intent, direction, recipient, the
//! next key to answer to, and where the sender can be reached now. So it cannot be forwarded to another buyer, sent back
//! to its sender, re-wrapped with somebody else's reply key, or replayed into another exchange.

use crate::arbitration::{Dispute, Ruling};
use crate::cbor::{Fields, Reader, Writer};
use crate::ids::{IntentId, MessageId, PublicKey, SealPublic, Signature, ThreadId};
use crate::keys::{SigningKey, check_seal_key};
use crate::limits::{CLOCK_SKEW, PRIVATE_LIFETIME_MAX, TRADER_SHOWN_MAX};
use crate::names::Network;
use crate::quote::Quote;
use crate::reach::{self, Entry};
use crate::refusal::Refusal;
use crate::seal::{Context, Direction};
use crate::settlement::{EscrowLock, Settle};
use crate::tag::{Tag, hash, verify};
use crate::time::Timestamp;
use crate::trade::{
    Ack, Cancel, Chat, Contact, Counter, Decline, Delivered, NotSelected, Order, OrderConfirm, Step,
};

/// What a message says.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Body {
    /// An offer.
    Quote(Quote),
    /// No offer, or an order that is not confirmed.
    Decline(Decline),
    /// The buyer takes a quote.
    Order(Order),
    /// The seller binds himself.
    OrderConfirm(OrderConfirm),
    /// The buyer no longer needs a quote.
    NotSelected(NotSelected),
    /// Who and where, for the hand-over.
    Contact(Contact),
    /// A message arrived and was saved.
    Ack(Ack),
    /// Nothing but where the sender can be reached now, after a reload.
    Moved,
    /// The buyer has paid, as agreed.
    PaymentProof(Step),
    /// The seller has sent it or handed it over.
    Dispatch(Step),
    /// The buyer has it: the end of the trade.
    Receipt(Step),
    /// The buyer would take a quote at a lower total.
    Counter(Counter),
    /// One says something to the other.
    Chat(Chat),
    /// One does not go on with a trade.
    Cancel(Cancel),
    /// The seller has handed it over, and has the buyer's code to show for it.
    Delivered(Delivered),
    /// Money is locked between the two.
    EscrowLock(EscrowLock),
    /// What shall become of it.
    Settle(Settle),
    /// One of two who disagree asks their arbiter.
    Dispute(Box<Dispute>),
    /// What he has decided.
    Ruling(Ruling),
}

impl Body {
    /// The name of its type, for logs and counters.
    #[must_use]
    pub const fn name(&self) -> &'static str {
        match self {
            Self::Quote(_) => "quote",
            Self::Decline(_) => "decline",
            Self::Order(_) => "order",
            Self::OrderConfirm(_) => "order-confirm",
            Self::NotSelected(_) => "not-selected",
            Self::Contact(_) => "contact",
            Self::Ack(_) => "ack",
            Self::Moved => "moved",
            Self::PaymentProof(_) => "payment-proof",
            Self::Dispatch(_) => "dispatch",
            Self::Receipt(_) => "receipt",
            Self::Counter(_) => "counter",
            Self::Chat(_) => "chat",
            Self::Cancel(_) => "cancel",
            Self::Delivered(_) => "delivered",
            Self::EscrowLock(_) => "escrow-lock",
            Self::Settle(_) => "settle",
            Self::Dispute(_) => "dispute",
            Self::Ruling(_) => "ruling",
        }
    }

    const fn to_wire(&self) -> u64 {
        match self {
            Self::Quote(_) => 1,
            Self::Decline(_) => 2,
            Self::Order(_) => 3,
            Self::OrderConfirm(_) => 4,
            Self::NotSelected(_) => 5,
            Self::Contact(_) => 6,
            Self::Ack(_) => 7,
            Self::Moved => 8,
            Self::PaymentProof(_) => 9,
            Self::Dispatch(_) => 10,
            Self::Receipt(_) => 11,
            Self::Counter(_) => 12,
            Self::Chat(_) => 13,
            Self::Cancel(_) => 14,
            Self::Delivered(_) => 15,
            Self::EscrowLock(_) => 16,
            Self::Settle(_) => 17,
            Self::Dispute(_) => 18,
            Self::Ruling(_) => 19,
        }
    }

    /// Whether its sender stands behind it with his trader key: firm quotes, orders and all that follows.
    #[must_use]
    pub const fn needs_trader(&self) -> bool {
        match self {
            Self::Quote(quote) => quote.firm,
            Self::Order(_)
            | Self::OrderConfirm(_)
            | Self::PaymentProof(_)
            | Self::Dispatch(_)
            | Self::Receipt(_)
            | Self::Delivered(_)
            | Self::EscrowLock(_)
            | Self::Settle(_)
            | Self::Dispute(_)
            | Self::Ruling(_)
            | Self::Cancel(_) => true,
            Self::Decline(_)
            | Self::NotSelected(_)
            | Self::Contact(_)
            | Self::Counter(_)
            | Self::Chat(_)
            | Self::Ack(_)
            | Self::Moved => false,
        }
    }

    fn write(&self, writer: &mut Writer) {
        match self {
            Self::Quote(quote) => quote.write(writer),
            Self::Decline(decline) => decline.write(writer),
            Self::Order(order) => order.write(writer),
            Self::OrderConfirm(confirm) => confirm.write(writer),
            Self::NotSelected(not_selected) => not_selected.write(writer),
            Self::Contact(contact) => contact.write(writer),
            Self::Ack(ack) => ack.write(writer),
            Self::Moved => writer.map(|_| {}),
            Self::PaymentProof(step) | Self::Dispatch(step) | Self::Receipt(step) => {
                step.write(writer);
            }
            Self::Counter(counter) => counter.write(writer),
            Self::Chat(chat) => chat.write(writer),
            Self::Cancel(cancel) => cancel.write(writer),
            Self::Delivered(delivered) => delivered.write(writer),
            Self::EscrowLock(lock) => lock.write(writer),
            Self::Settle(settle) => settle.write(writer),
            Self::Dispute(dispute) => dispute.write(writer),
            Self::Ruling(ruling) => ruling.write(writer),
        }
    }

    fn read(kind: u64, r: &mut Reader<'_>) -> Result<Self, Refusal> {
        Ok(match kind {
            1 => Self::Quote(Quote::read(r)?),
            2 => Self::Decline(Decline::read(r)?),
            3 => Self::Order(Order::read(r)?),
            4 => Self::OrderConfirm(OrderConfirm::read(r)?),
            5 => Self::NotSelected(NotSelected::read(r)?),
            6 => Self::Contact(Contact::read(r)?),
            7 => Self::Ack(Ack::read(r)?),
            8 => {
                let mut fields = r.map()?;
                while let Some(key) = fields.next(r)? {
                    Fields::unknown(key, r)?;
                }
                Self::Moved
            }
            9 => Self::PaymentProof(Step::read(r)?),
            10 => Self::Dispatch(Step::read(r)?),
            11 => Self::Receipt(Step::read(r)?),
            12 => Self::Counter(Counter::read(r)?),
            13 => Self::Chat(Chat::read(r)?),
            14 => Self::Cancel(Cancel::read(r)?),
            15 => Self::Delivered(Delivered::read(r)?),
            16 => Self::EscrowLock(EscrowLock::read(r)?),
            17 => Self::Settle(Settle::read(r)?),
            18 => Self::Dispute(Box::new(Dispute::read(r)?)),
            19 => Self::Ruling(Ruling::read(r)?),
            _ => return Err(Refusal::UnknownMessage),
        })
    }
}

/// A trader, shown inside one thread by his own signature; of no use in any other thread.
#[derive(Clone, Copy, Debug, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub struct TraderProof {
    /// Who.
    pub trader: PublicKey,
    /// Until when this proof holds.
    pub expires: Timestamp,
    /// Over network, thread, thread key, role and expiry.
    pub signature: Signature,
}

/// Tag of a trader shown by signature. 0 is "nobody"; 2 is kept for a deniable proof.
const TRADER_SIGNED: u64 = 1;
/// Bytes of a trader shown by signature: key, expiry, signature.
const TRADER_SIGNED_LEN: usize = 32 + 4 + 64;

impl TraderProof {
    /// Shows `trader` as the one behind the thread key `from`, who writes in `direction`.
    #[must_use]
    pub fn new(
        trader: &SigningKey,
        network: Network,
        thread: &ThreadId,
        from: &PublicKey,
        direction: Direction,
        expires: Timestamp,
    ) -> Self {
        let expires = Timestamp::from(expires.to_wire());
        let wire = expires.to_wire().to_be_bytes();
        let parts: [&[u8]; 5] = [
            &network.0,
            &thread.0,
            &from.0,
            &[direction.to_wire()],
            &wire,
        ];
        Self {
            trader: trader.public(),
            expires,
            signature: trader.sign(Tag::SigTrader, &parts),
        }
    }

    fn check(&self, network: Network, message: &Message, now: Timestamp) -> Result<(), Refusal> {
        if self.expires <= now {
            return Err(Refusal::BadTraderProof);
        }
        self.check_signature(network, message)
    }

    fn check_signature(&self, network: Network, message: &Message) -> Result<(), Refusal> {
        let wire = self.expires.to_wire().to_be_bytes();
        let direction = [message.direction.to_wire()];
        let parts: [&[u8]; 5] = [
            &network.0,
            &message.thread.0,
            &message.from.0,
            &direction,
            &wire,
        ];
        verify(Tag::SigTrader, &self.trader, &parts, &self.signature)
            .map_err(|_| Refusal::BadTraderProof)
    }

    fn to_bytes(self) -> Vec<u8> {
        let mut out = Vec::with_capacity(TRADER_SIGNED_LEN);
        out.extend_from_slice(&self.trader.0);
        out.extend_from_slice(&self.expires.to_wire().to_be_bytes());
        out.extend_from_slice(&self.signature.0);
        out
    }

    fn from_bytes(bytes: &[u8]) -> Result<Self, Refusal> {
        let (trader, rest) = bytes
            .split_first_chunk::<32>()
            .ok_or(Refusal::BadTraderProof)?;
        let (expires, rest) = rest
            .split_first_chunk::<4>()
            .ok_or(Refusal::BadTraderProof)?;
        Ok(Self {
            trader: PublicKey(*trader),
            expires: u32::from_be_bytes(*expires).into(),
            signature: Signature::from_slice(rest).ok_or(Refusal::BadTraderProof)?,
        })
    }
}

/// One private message, inside its seal.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Message {
    /// In which exchange.
    pub thread: ThreadId,
    /// About which intent.
    pub intent: IntentId,
    /// Which way.
    pub direction: Direction,
    /// Drawn at random at each restore from a backup, so that a number used twice is not held against an honest person.
    pub epoch: u64,
    /// Counts this sender's messages in this thread and epoch.
    pub seq: u32,
    /// The last message of the other side that was seen.
    pub prev: Option<MessageId>,
    /// The sender's thread key.
    pub from: PublicKey,
    /// The key to answer to.
    pub reply: SealPublic,
    /// When it was written.
    pub created: Timestamp,
    /// Until when it means anything.
    pub expires: Timestamp,
    /// What it says.
    pub body: Body,
    /// Who stands behind it, if he shows himself.
    pub trader: Option<TraderProof>,
    /// The intent key's signature over thread and thread key: that the buyer of this thread is the owner of the intent.
    pub intent_proof: Option<Signature>,
    /// Where the sender can be reached now.
    pub reach: Vec<Entry>,
}

/// Names the exchange of one buyer with one seller about one intent.
#[must_use]
pub fn thread_id(
    network: Network,
    intent: &IntentId,
    buyer_intent_key: &PublicKey,
    seller_thread_key: &PublicKey,
) -> ThreadId {
    ThreadId(hash(
        Tag::IdThread,
        &[
            &network.0,
            &intent.0,
            &buyer_intent_key.0,
            &seller_thread_key.0,
        ],
    ))
}

/// The buyer's intent key vouches for his thread key.
#[must_use]
pub fn intent_proof(
    intent_key: &SigningKey,
    network: Network,
    thread: &ThreadId,
    thread_key: &PublicKey,
) -> Signature {
    intent_key.sign(Tag::SigThread, &[&network.0, &thread.0, &thread_key.0])
}

fn recipient_name(key: &SealPublic) -> [u8; 32] {
    hash(Tag::IdSealKey, &[&key.0])
}

impl Message {
    /// The id and the content of a cell for `recipient`, signed by `key`, which must be the one that `from` names.
    ///
    /// # Errors
    /// [`Refusal::WrongSender`] if it is not; [`Refusal::LivesTooLong`].
    pub fn sign(
        &self,
        network: Network,
        recipient: &SealPublic,
        key: &SigningKey,
    ) -> Result<(MessageId, Vec<u8>), Refusal> {
        if key.public() != self.from {
            return Err(Refusal::WrongSender);
        }
        if self.expires.since(self.created) > PRIVATE_LIFETIME_MAX {
            return Err(Refusal::LivesTooLong);
        }
        let inner = self.inner(recipient);
        let id = MessageId(hash(Tag::IdPrivate, &[&network.0, &inner]));
        let signature = key.sign(Tag::SigPrivate, &[&network.0, &inner]);
        let mut content = inner;
        content.extend_from_slice(&signature.0);
        Ok((id, content))
    }

    /// Reads and checks the content of an opened cell. `recipient` is the key that opened it, `intent_key` the key of the
    /// intent, which makes the thread's id (to the buyer) or must have vouched for the sender (to the seller, whose
    /// context must name the thread).
    ///
    /// Whether the thread is in a state for it, and whether it came before, is the market's to say.
    ///
    /// # Errors
    /// The [`Refusal`] of the first check that fails.
    pub fn open(
        content: &[u8],
        context: &Context,
        recipient: &SealPublic,
        intent_key: &PublicKey,
        now: Timestamp,
    ) -> Result<(MessageId, Self), Refusal> {
        let (inner, signature) = content.split_last_chunk::<64>().ok_or(Refusal::Truncated)?;
        let network = context.network;
        let (message, to) = Self::read(inner, network)?;
        if message.direction != context.direction {
            return Err(Refusal::WrongDirection);
        }
        if message.intent != context.intent {
            return Err(Refusal::WrongIntent);
        }
        if to != recipient_name(recipient) {
            return Err(Refusal::WrongRecipient);
        }
        let thread_fits = match message.direction {
            Direction::ToBuyer => {
                message.thread == thread_id(network, &message.intent, intent_key, &message.from)
            }
            // The seller made the thread: he knows its id and gives it, always.
            Direction::ToSeller => context.thread.is_some(),
        };
        if !thread_fits
            || context
                .thread
                .is_some_and(|thread| thread != message.thread)
        {
            return Err(Refusal::WrongThread);
        }
        if message.expires <= message.created {
            return Err(Refusal::BadField);
        }
        if message.expires.since(message.created) > PRIVATE_LIFETIME_MAX {
            return Err(Refusal::LivesTooLong);
        }
        if message.expires <= now {
            return Err(Refusal::Expired);
        }
        if message.created > now + CLOCK_SKEW {
            return Err(Refusal::FromTheFuture);
        }
        message.check_signature(inner, &Signature(*signature), network, intent_key)?;
        match &message.trader {
            Some(proof) => proof.check(network, &message, now)?,
            None if message.body.needs_trader() => return Err(Refusal::NoTrader),
            None => {}
        }
        let id = MessageId(hash(Tag::IdPrivate, &[&network.0, inner]));
        Ok((id, message))
    }

    /// Reads and checks what one of two has signed to the other, for a third to whom it is shown: its form, its signature, that it is of a
    /// thread of the intent with this key, and who stands behind it. It was said to somebody else, and perhaps long ago: to whom it was
    /// sealed and whether its time is over is not looked at.
    ///
    /// # Errors
    /// The [`Refusal`] of the first check that fails.
    pub fn witnessed(
        content: &[u8],
        network: Network,
        intent_key: &PublicKey,
    ) -> Result<(MessageId, Self), Refusal> {
        let (inner, signature) = content.split_last_chunk::<64>().ok_or(Refusal::Truncated)?;
        let (message, _) = Self::read(inner, network)?;
        let thread = thread_id(network, &message.intent, intent_key, &message.from);
        if message.direction == Direction::ToBuyer && message.thread != thread {
            return Err(Refusal::WrongThread);
        }
        message.check_signature(inner, &Signature(*signature), network, intent_key)?;
        match &message.trader {
            Some(proof) => proof.check_signature(network, &message)?,
            None if message.body.needs_trader() => return Err(Refusal::NoTrader),
            None => {}
        }
        let id = MessageId(hash(Tag::IdPrivate, &[&network.0, inner]));
        Ok((id, message))
    }

    /// Whether its thread key has signed it, and for a buyer's whether the intent's key stands behind that.
    fn check_signature(
        &self,
        inner: &[u8],
        signature: &Signature,
        network: Network,
        intent_key: &PublicKey,
    ) -> Result<(), Refusal> {
        verify(Tag::SigPrivate, &self.from, &[&network.0, inner], signature)?;
        if self.direction == Direction::ToSeller {
            let proof = self.intent_proof.ok_or(Refusal::NoIntentProof)?;
            let parts: [&[u8]; 3] = [&network.0, &self.thread.0, &self.from.0];
            verify(Tag::SigThread, intent_key, &parts, &proof)
                .map_err(|_| Refusal::NoIntentProof)?;
        }
        Ok(())
    }

    fn inner(&self, recipient: &SealPublic) -> Vec<u8> {
        let mut writer = Writer::new();
        writer.map(|map| {
            map.field(2, |w| w.uint(self.body.to_wire()));
            map.field(4, |w| w.bytes(&self.thread.0));
            map.field(6, |w| w.bytes(&self.intent.0));
            map.field(8, |w| w.uint(u64::from(self.direction.to_wire())));
            map.field(10, |w| w.uint(self.epoch));
            map.field(12, |w| w.uint(u64::from(self.seq)));
            map.optional(14, self.prev, |w, prev| w.bytes(&prev.0));
            map.field(16, |w| w.bytes(&self.from.0));
            map.field(18, |w| w.bytes(&recipient_name(recipient)));
            map.field(20, |w| w.bytes(&self.reply.0));
            map.field(22, |w| w.uint(u64::from(self.created.to_wire())));
            map.field(24, |w| w.uint(u64::from(self.expires.to_wire())));
            map.field(26, |w| self.body.write(w));
            map.optional(28, self.trader, |w, proof| {
                w.array(2);
                w.uint(TRADER_SIGNED);
                w.bytes(&proof.to_bytes());
            });
            map.optional(30, self.intent_proof, |w, proof| w.bytes(&proof.0));
            if !self.reach.is_empty() {
                map.field(31, |w| reach::write_entries(&self.reach, w));
            }
        });
        writer.into_bytes()
    }

    fn read(inner: &[u8], network: Network) -> Result<(Self, [u8; 32]), Refusal> {
        let mut reader = Reader::new(inner);
        let r = &mut reader;
        let mut fields = r.map()?;
        let (mut kind, mut thread, mut intent, mut direction) = (None, None, None, None);
        let (mut epoch, mut seq, mut prev, mut from, mut to, mut reply) =
            (None, None, None, None, None, None);
        let (mut created, mut expires, mut body) = (None, None, None);
        let (mut trader, mut proof, mut reach) = (None, None, Vec::new());
        while let Some(key) = fields.next(r)? {
            match key {
                2 => kind = Some(r.uint(u64::MAX)?),
                4 => thread = Some(ThreadId(r.fixed()?)),
                6 => intent = Some(IntentId(r.fixed()?)),
                8 => {
                    direction = Some(match r.uint(2)? {
                        1 => Direction::ToBuyer,
                        2 => Direction::ToSeller,
                        _ => return Err(Refusal::BadField),
                    });
                }
                10 => epoch = Some(r.uint(u64::MAX)?),
                12 => seq = Some(r.small()?),
                14 => prev = Some(MessageId(r.fixed()?)),
                16 => from = Some(PublicKey(r.fixed()?)),
                18 => to = Some(r.fixed()?),
                20 => {
                    let key = SealPublic(r.fixed()?);
                    check_seal_key(&key)?;
                    reply = Some(key);
                }
                22 => created = Some(Timestamp::from(r.small::<u32>()?)),
                24 => expires = Some(Timestamp::from(r.small::<u32>()?)),
                26 => body = Some(Body::read(kind.ok_or(Refusal::MissingField)?, r)?),
                28 => {
                    r.tuple(2)?;
                    let tag = r.uint(u64::from(u8::MAX))?;
                    let bytes = r.bytes(TRADER_SHOWN_MAX)?;
                    // A trader shown in a way that we do not know is nobody, never a refusal.
                    trader = if tag == TRADER_SIGNED {
                        Some(TraderProof::from_bytes(bytes)?)
                    } else {
                        None
                    };
                }
                30 => proof = Some(Signature(r.fixed()?)),
                31 => {
                    let from = from.ok_or(Refusal::MissingField)?;
                    let expires = expires.ok_or(Refusal::MissingField)?;
                    reach = reach::read_entries(r, network, &from, expires)?;
                }
                other => Fields::unknown(other, r)?,
            }
        }
        r.end()?;
        let message = Self {
            thread: thread.ok_or(Refusal::MissingField)?,
            intent: intent.ok_or(Refusal::MissingField)?,
            direction: direction.ok_or(Refusal::MissingField)?,
            epoch: epoch.ok_or(Refusal::MissingField)?,
            seq: seq.ok_or(Refusal::MissingField)?,
            prev,
            from: from.ok_or(Refusal::MissingField)?,
            reply: reply.ok_or(Refusal::MissingField)?,
            created: created.ok_or(Refusal::MissingField)?,
            expires: expires.ok_or(Refusal::MissingField)?,
            body: body.ok_or(Refusal::MissingField)?,
            trader,
            intent_proof: proof,
            reach,
        };
        Ok((message, to.ok_or(Refusal::MissingField)?))
    }
}
