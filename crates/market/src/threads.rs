//! The private exchange of one buyer with one seller about one intent, as one side of it keeps it.
//!
//! Every message is sealed to the newest key the other side has shown, signed by a key that was made for this thread
//! alone, kept until it is acknowledged, and sent again byte for byte. What came is remembered until it expires, so that
//! it has its effect once. Two rules keep old keys both short-lived and sufficient: a key is deleted when something
//! sealed to a newer one arrives, and nobody seals to a newer key while something sealed to an older one is still
//! unacknowledged.

use std::collections::VecDeque;

use haggle_protocol::keys::{SealSecret, SigningKey};
use haggle_protocol::private::{Body, Message};
use haggle_protocol::reach::Circuit;
use haggle_protocol::seal::{Context, Direction, Hint};
use haggle_protocol::trade::{
    CancelReason, Contact, Counter, DeclineReason, Order, OrderConfirm, Progress,
};
use haggle_protocol::{
    FileId, IntentId, MessageId, Network, PublicKey, Quote, Refusal, SealPublic, Signature,
    ThreadId, Timestamp,
};
use rand_core::CryptoRng;
use serde::{Deserialize, Serialize};

use crate::chatting::CHAT_FOR;
use crate::command::Profile;
use crate::escrow::Escrow;
use crate::finding::SealedReach;
use crate::item::ItemId;
use crate::record::{Handover, Opener, Signer, hex_bytes};
use crate::view::{AnswerState, Role, TradeState, TradeStep};

/// Private reply keys kept at once (docs/protocol.md): the newest, and those the other side may still be answering to.
const REPLY_KEYS: usize = 3;
/// Acknowledgements kept to be given again for a cell that comes again; older ones are written anew.
const ACKS_KEPT: usize = 16;
/// Messages of the other side remembered until they expire. An honest exchange needs a dozen.
const SEEN_MAX: usize = 512;
/// New messages taken at once from the other side, and then one a second: more than any person or rule writes.
const BURST: u64 = 32;
/// Ways to the other side that are kept: those he told last, and those before in case they were told out of order.
const WAYS_KEPT: usize = 4;
/// Messages waiting for an acknowledgement in one thread: more are never written, see `Market::send`.
pub(crate) const OUTBOX_MAX: usize = 16;
/// How long a whisper may be on its way, in seconds, before it is sent again without a report: a relayed dial may take ten.
const IN_FLIGHT: u64 = 20;
/// The longest wait between two tries, in seconds.
const BACKOFF_MAX: u64 = 60;

/// A key the other side can answer to.
#[derive(Clone, Serialize, Deserialize)]
pub(crate) struct ReplyKey {
    pub(crate) secret: Opener,
    pub(crate) public: SealPublic,
}

/// A message that was seen, until it expires.
#[derive(Clone, Copy, Serialize, Deserialize)]
struct Seen {
    epoch: u64,
    seq: u32,
    message: MessageId,
    expires: Timestamp,
}

/// An acknowledgement that was given.
#[derive(Clone, Serialize, Deserialize)]
pub(crate) struct Acked {
    /// Of the cell that was acknowledged.
    #[serde(with = "hex_bytes::fixed")]
    pub(crate) digest: [u8; 32],
    pub(crate) message: MessageId,
    /// To which key the acknowledgement is sealed.
    pub(crate) to: SealPublic,
    #[serde(with = "hex_bytes")]
    pub(crate) cell: Vec<u8>,
    pub(crate) expires: Timestamp,
}

/// What a sent message was.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub(crate) enum Sort {
    Quote,
    Decline,
    Order,
    OrderConfirm,
    NotSelected,
    Contact,
    Moved,
    PaymentProof,
    Dispatch,
    Receipt,
    Counter,
    Chat,
    Cancel,
    Delivered,
    EscrowLock,
    Settle,
    Dispute,
    Ruling,
}

impl Sort {
    /// `None` for an acknowledgement, which is never kept to be sent again.
    pub(crate) const fn of(body: &Body) -> Option<Self> {
        match body {
            Body::Quote(_) => Some(Self::Quote),
            Body::Decline(_) => Some(Self::Decline),
            Body::Order(_) => Some(Self::Order),
            Body::OrderConfirm(_) => Some(Self::OrderConfirm),
            Body::NotSelected(_) => Some(Self::NotSelected),
            Body::Contact(_) => Some(Self::Contact),
            Body::Moved => Some(Self::Moved),
            Body::PaymentProof(_) => Some(Self::PaymentProof),
            Body::Dispatch(_) => Some(Self::Dispatch),
            Body::Receipt(_) => Some(Self::Receipt),
            Body::Counter(_) => Some(Self::Counter),
            Body::Chat(_) => Some(Self::Chat),
            Body::Cancel(_) => Some(Self::Cancel),
            Body::Delivered(_) => Some(Self::Delivered),
            Body::EscrowLock(_) => Some(Self::EscrowLock),
            Body::Settle(_) => Some(Self::Settle),
            Body::Dispute(_) => Some(Self::Dispute),
            Body::Ruling(_) => Some(Self::Ruling),
            Body::Ack(_) => None,
        }
    }
}

/// A message that waits for its acknowledgement.
#[derive(Clone, Serialize, Deserialize)]
pub(crate) struct Outgoing {
    pub(crate) message: MessageId,
    pub(crate) sort: Sort,
    #[serde(with = "hex_bytes")]
    pub(crate) cell: Vec<u8>,
    pub(crate) to: SealPublic,
    pub(crate) expires: Timestamp,
    /// How often it was tried since this peer started or the other side moved.
    #[serde(skip)]
    pub(crate) tries: u32,
    /// When to try next; after a start, at once.
    #[serde(skip)]
    pub(crate) next: Timestamp,
    /// Whether nothing was heard of the last try yet.
    #[serde(skip)]
    pub(crate) on_its_way: bool,
    /// How many tries in a row reached nobody.
    #[serde(skip)]
    pub(crate) unreached: u32,
}

impl Outgoing {
    /// It is on its way now.
    pub(crate) fn tried(&mut self, now: Timestamp) {
        if self.on_its_way {
            // Nobody said a word about the last time.
            self.unreached = self.unreached.saturating_add(1);
        }
        self.on_its_way = true;
        self.tries = self.tries.saturating_add(1);
        self.next = now + IN_FLIGHT.max(self.wait());
    }

    /// It did not arrive, whether somebody was `reached` or not.
    pub(crate) fn failed(&mut self, reached: bool, now: Timestamp) {
        self.on_its_way = false;
        self.unreached = if reached {
            0
        } else {
            self.unreached.saturating_add(1)
        };
        self.next = now + self.wait();
    }

    /// 2, 4, 8 … seconds.
    fn wait(&self) -> u64 {
        1_u64
            .checked_shl(self.tries)
            .unwrap_or(BACKOFF_MAX)
            .clamp(2, BACKOFF_MAX)
    }
}

/// The newest quote of a thread, on either side.
#[derive(Clone, Serialize, Deserialize)]
pub(crate) struct Offer {
    pub(crate) message: MessageId,
    pub(crate) quote: Quote,
    pub(crate) trader: Option<PublicKey>,
    /// When it came, or when I wrote it.
    pub(crate) at: Timestamp,
    /// The item it takes, on the seller's side.
    #[serde(default)]
    pub(crate) item: Option<ItemId>,
    /// Whether a rule wrote it.
    #[serde(default)]
    pub(crate) automatic: bool,
    /// Why it can no longer be taken, if not by time.
    #[serde(default)]
    pub(crate) over: Option<Over>,
    /// Its time is over, and that was told.
    #[serde(default)]
    pub(crate) lapsed: bool,
}

/// The buyer's newest counter, on either side.
#[derive(Clone, Serialize, Deserialize)]
pub(crate) struct Countered {
    pub(crate) message: MessageId,
    pub(crate) counter: Counter,
    /// How many this side has made or heard in this exchange: on the seller's side what a rule counts, not what the buyer says.
    #[serde(default)]
    pub(crate) count: u8,
    /// When it came, or when I wrote it.
    pub(crate) at: Timestamp,
    /// Whether the other side is known to have it: always, if it is his.
    pub(crate) delivered: bool,
}

/// What one of the two has said.
#[derive(Clone, Serialize, Deserialize)]
pub(crate) struct Line {
    pub(crate) message: MessageId,
    /// Whether I said it.
    pub(crate) mine: bool,
    pub(crate) text: String,
    /// When it came, or when I wrote it.
    pub(crate) at: Timestamp,
    /// Whether the other side is known to have it: always, if it is his.
    pub(crate) delivered: bool,
    #[serde(default)]
    pub(crate) files: Vec<FileId>,
}

/// Why a quote is over before its time.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub(crate) enum Over {
    /// Its seller took it back.
    Withdrawn(DeclineReason),
    /// Its buyer does not need it.
    NotSelected,
}

impl Offer {
    /// Whether it can be taken now.
    pub(crate) fn stands(&self, now: Timestamp) -> bool {
        self.over.is_none() && self.quote.valid_until > now
    }
}

/// An order, and what came of it.
#[derive(Clone, Serialize, Deserialize)]
pub(crate) struct Deal {
    /// The message that held the order: what everything after it refers to.
    pub(crate) message: MessageId,
    pub(crate) order: Order,
    pub(crate) quote: Quote,
    pub(crate) item: Option<ItemId>,
    /// Who the other side is.
    pub(crate) trader: Option<PublicKey>,
    pub(crate) at: Timestamp,
    pub(crate) state: DealState,
    pub(crate) confirm: Option<OrderConfirm>,
    /// Whether the buyer is known to have had my confirmation while he waited for it.
    #[serde(default)]
    pub(crate) confirm_taken: bool,
    /// What I sent about me, and in which message.
    pub(crate) mine: Option<Profile>,
    pub(crate) mine_message: Option<MessageId>,
    pub(crate) mine_delivered: bool,
    pub(crate) theirs: Option<Contact>,
    /// The steps after the confirmation, in the order in which this side learned of them; each kind once.
    #[serde(default)]
    pub(crate) steps: Vec<Taken>,
    /// My cancel, until the other side has taken or refused it.
    #[serde(default)]
    pub(crate) cancelling: Option<Cancelling>,
    /// Whether the other side had gone on when my cancel came.
    #[serde(default)]
    pub(crate) cancel_refused: bool,
    /// What was said with the cancel that ended it.
    #[serde(default)]
    pub(crate) cancel_note: Option<String>,
    /// When it ended before its time, or because nobody went on.
    #[serde(default)]
    pub(crate) ended: Option<Timestamp>,
    /// The hand-over code: drawn by the buyer, and on the seller's side what the buyer told him.
    #[serde(default)]
    pub(crate) code: Option<Handover>,
    /// The money that is locked for it, if it is paid so.
    #[serde(default)]
    pub(crate) escrow: Option<Escrow>,
}

/// A cancel that is on its way.
#[derive(Clone, Serialize, Deserialize)]
pub(crate) struct Cancelling {
    pub(crate) message: MessageId,
    /// How far the trade was when it was cancelled.
    #[serde(default = "Cancelling::usual_progress")]
    pub(crate) progress: Progress,
    pub(crate) reason: CancelReason,
    pub(crate) note: Option<String>,
}

impl Cancelling {
    /// What a record without it is about: only a confirmed trade waits long enough for its cancel to be written anew.
    const fn usual_progress() -> Progress {
        Progress::Confirmed
    }
}

/// A step that was taken after the confirmation.
#[derive(Clone, Serialize, Deserialize)]
pub(crate) struct Taken {
    pub(crate) step: TradeStep,
    /// The message that said so.
    pub(crate) message: MessageId,
    pub(crate) at: Timestamp,
    pub(crate) note: Option<String>,
    /// Whether the other side is known to have the message: always, if it is his.
    pub(crate) delivered: bool,
    #[serde(default)]
    pub(crate) files: Vec<FileId>,
}

/// How far an order is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub(crate) enum DealState {
    Ordered,
    Confirmed,
    Declined(DeclineReason),
    NotConfirmed,
    Cancelled { by: Role, reason: CancelReason },
}

impl Deal {
    pub(crate) fn view(&self) -> TradeState {
        match self.state {
            DealState::Ordered => TradeState::Ordered,
            DealState::Confirmed if self.has(TradeStep::Received) => TradeState::Received,
            DealState::Confirmed if self.has(TradeStep::Delivered) => TradeState::Delivered,
            DealState::Confirmed if self.ended.is_some() => TradeState::Lapsed,
            DealState::Confirmed if self.has(TradeStep::Dispatched) => TradeState::Dispatched,
            DealState::Confirmed if self.mine_delivered && self.theirs.is_some() => {
                TradeState::ContactsExchanged
            }
            DealState::Confirmed => TradeState::Confirmed,
            DealState::Declined(reason) => TradeState::Declined(reason),
            DealState::NotConfirmed => TradeState::NotConfirmed,
            DealState::Cancelled { by, reason } => TradeState::Cancelled { by, reason },
        }
    }

    /// Whether a step was taken.
    pub(crate) fn has(&self, step: TradeStep) -> bool {
        self.steps.iter().any(|taken| taken.step == step)
    }

    /// Whether something is still awaited from either side.
    pub(crate) fn under_way(&self) -> bool {
        match self.view() {
            TradeState::Ordered
            | TradeState::Confirmed
            | TradeState::ContactsExchanged
            | TradeState::Dispatched => true,
            // Its end needs no word of the buyer any more.
            TradeState::Delivered => self.ended.is_none(),
            TradeState::Received
            | TradeState::Declined(_)
            | TradeState::NotConfirmed
            | TradeState::Cancelled { .. }
            | TradeState::Lapsed => false,
        }
    }
}

/// Stock that is set aside for, or sold in, a thread.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct SetAside {
    pub(crate) item: ItemId,
    /// In steps of 10^−6 of the item's unit.
    pub(crate) micros: u64,
}

/// What makes an exchange one with an arbiter.
#[derive(Clone, Default, Serialize, Deserialize)]
pub(crate) struct Judged {
    /// Until when it is kept, whatever becomes of his intent.
    pub(crate) until: Timestamp,
    /// The trades about which I have asked him here; none on his own side.
    pub(crate) trades: Vec<ThreadId>,
}

/// One side of one exchange.
#[derive(Clone, Serialize, Deserialize)]
pub(crate) struct Thread {
    pub(crate) id: ThreadId,
    pub(crate) intent: IntentId,
    /// The intent's title, to be shown when the intent itself is long forgotten.
    pub(crate) title: String,
    pub(crate) role: Role,
    pub(crate) since: Timestamp,
    /// The buyer's intent key.
    pub(crate) intent_key: PublicKey,
    /// The intent's seal key, to which a seller writes first.
    pub(crate) intent_seal: SealPublic,
    pub(crate) key: Signer,
    /// A buyer's proof that this thread is his.
    pub(crate) proof: Option<Signature>,
    /// The other side's thread key, once known: it never changes.
    pub(crate) their_key: Option<PublicKey>,
    pub(crate) their_reply: Option<SealPublic>,
    their_latest: Option<(u64, u32)>,
    pub(crate) replies: Vec<ReplyKey>,
    /// Whether something came since the newest reply key was made.
    fresh: bool,
    epoch: u64,
    next_seq: u32,
    pub(crate) last_heard: Option<MessageId>,
    seen: Vec<Seen>,
    pub(crate) acks: VecDeque<Acked>,
    pub(crate) outbox: Vec<Outgoing>,
    pub(crate) ways: Vec<Circuit>,
    /// The ways to me that the other side was told last.
    #[serde(default)]
    pub(crate) told: Vec<Circuit>,
    pub(crate) offer: Option<Offer>,
    pub(crate) deal: Option<Deal>,
    /// The order that its buyer cancelled, should it come after its cancel.
    #[serde(default)]
    pub(crate) cancelled: Option<MessageId>,
    #[serde(default)]
    pub(crate) counter: Option<Countered>,
    /// By how much a rule has given way so far, in minor units.
    #[serde(default)]
    pub(crate) conceded: u64,
    /// What was said, in the order in which this side learned of it.
    #[serde(default)]
    pub(crate) chat: VecDeque<Line>,
    /// The newest line of the other side that its reader has looked at.
    #[serde(default)]
    pub(crate) read: Option<MessageId>,
    #[serde(default)]
    pub(crate) set_aside: Option<SetAside>,
    /// By what the two sides of an order find each other again.
    #[serde(default)]
    pub(crate) sealed_reach: Option<SealedReach>,
    /// Set if it is with an arbiter, on either side.
    #[serde(default)]
    pub(crate) judged: Option<Judged>,
    /// How far my answer got, on the seller's side.
    pub(crate) answer: AnswerState,
    /// How often the other side has moved since this peer started.
    #[serde(skip)]
    pub(crate) moves: u32,
    /// New messages that may still come at once, and since when it is counted.
    #[serde(skip)]
    bucket: Option<(u64, Timestamp)>,
}

impl core::fmt::Debug for Thread {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        f.debug_struct("Thread")
            .field("id", &self.id)
            .field("role", &self.role)
            .finish_non_exhaustive()
    }
}

/// What is known of an intent when a thread about it begins.
pub(crate) struct About<'a> {
    pub(crate) intent: IntentId,
    pub(crate) title: &'a str,
    pub(crate) key: PublicKey,
    pub(crate) seal: SealPublic,
}

impl Thread {
    /// A seller's side, before his first word.
    pub(crate) fn seller(
        network: Network,
        about: &About<'_>,
        ways: Vec<Circuit>,
        now: Timestamp,
        dice: &mut impl CryptoRng,
    ) -> Self {
        let key = SigningKey::random(dice);
        let id =
            haggle_protocol::private::thread_id(network, &about.intent, &about.key, &key.public());
        Self::new(id, about, Role::Seller, key, ways, now, dice)
    }

    /// A buyer's side, made when a seller's first message opened.
    pub(crate) fn buyer(
        network: Network,
        id: ThreadId,
        about: &About<'_>,
        intent_key: &SigningKey,
        now: Timestamp,
        dice: &mut impl CryptoRng,
    ) -> Self {
        let key = SigningKey::random(dice);
        let proof = haggle_protocol::private::intent_proof(intent_key, network, &id, &key.public());
        Self {
            proof: Some(proof),
            ..Self::new(id, about, Role::Buyer, key, Vec::new(), now, dice)
        }
    }

    fn new(
        id: ThreadId,
        about: &About<'_>,
        role: Role,
        key: SigningKey,
        ways: Vec<Circuit>,
        now: Timestamp,
        dice: &mut impl CryptoRng,
    ) -> Self {
        let mut epoch = [0; 8];
        dice.fill_bytes(&mut epoch);
        Self {
            id,
            intent: about.intent,
            title: about.title.to_owned(),
            role,
            since: now,
            intent_key: about.key,
            intent_seal: about.seal,
            key: Signer(key),
            proof: None,
            their_key: None,
            their_reply: None,
            their_latest: None,
            replies: Vec::new(),
            fresh: true,
            epoch: u64::from_be_bytes(epoch),
            next_seq: 0,
            last_heard: None,
            seen: Vec::new(),
            acks: VecDeque::new(),
            outbox: Vec::new(),
            ways,
            told: Vec::new(),
            offer: None,
            deal: None,
            cancelled: None,
            counter: None,
            conceded: 0,
            chat: VecDeque::new(),
            read: None,
            set_aside: None,
            sealed_reach: None,
            judged: None,
            answer: AnswerState::Sending,
            moves: 0,
            bucket: None,
        }
    }

    /// Whether it holds an order that goes on, or that was confirmed, however that ended.
    pub(crate) fn is_ordered(&self) -> bool {
        self.deal
            .as_ref()
            .is_some_and(|deal| deal.under_way() || deal.state == DealState::Confirmed)
    }

    /// It is an exchange with an arbiter from now on, until then, about this trade of mine if I am not the arbiter.
    pub(crate) fn keep_for_ruling(&mut self, until: Timestamp, trade: Option<ThreadId>) {
        let judged = self.judged.get_or_insert_default();
        judged.until = judged.until.max(until);
        judged.trades.extend(trade);
        judged.trades.sort_unstable();
        judged.trades.dedup();
    }

    /// Whether an arbiter may still be asked, or say something, here.
    pub(crate) fn is_before_arbiter(&self, now: Timestamp) -> bool {
        self.judged.as_ref().is_some_and(|it| it.until > now)
    }

    /// Whether a message of this side still waits for its acknowledgement.
    pub(crate) fn waits(&self, message: MessageId) -> bool {
        self.outbox.iter().any(|it| it.message == message)
    }

    /// Which way this side writes.
    pub(crate) const fn direction(&self) -> Direction {
        match self.role {
            Role::Buyer => Direction::ToSeller,
            Role::Seller => Direction::ToBuyer,
        }
    }

    /// Where cells for the other side belong, if sealed to this key.
    pub(crate) fn context_to(&self, network: Network, recipient: &SealPublic) -> Context {
        let to_intent = self.role == Role::Seller && *recipient == self.intent_seal;
        Context {
            network,
            direction: self.direction(),
            intent: self.intent,
            thread: (!to_intent).then_some(self.id),
        }
    }

    /// Where cells for this side's reply keys belong.
    pub(crate) const fn context_from(&self, network: Network) -> Context {
        Context {
            network,
            direction: self.direction().reverse(),
            intent: self.intent,
            thread: Some(self.id),
        }
    }

    /// The key to seal to now: the newest of the other side, but none newer than what is still unacknowledged.
    pub(crate) fn recipient(&self) -> SealPublic {
        self.outbox.first().map_or_else(
            || self.their_reply.unwrap_or(self.intent_seal),
            |waiting| waiting.to,
        )
    }

    /// The key for the other side to answer to; a fresh one if something came since the last was made.
    pub(crate) fn reply_key(&mut self, dice: &mut impl CryptoRng) -> Result<SealPublic, Refusal> {
        if let Some(newest) = self.replies.last()
            && (!self.fresh || self.replies.len() >= REPLY_KEYS)
        {
            return Ok(newest.public);
        }
        let secret = SealSecret::random(dice);
        let public = secret.public()?;
        self.replies.push(ReplyKey {
            secret: Opener(secret),
            public,
        });
        self.fresh = false;
        Ok(public)
    }

    /// The number of the next message, with the epoch it counts in.
    pub(crate) fn count(&mut self) -> (u64, u32) {
        let seq = self.next_seq;
        self.next_seq = seq.saturating_add(1);
        (self.epoch, seq)
    }

    /// Counts on in a new epoch, and tells anew where I am.
    pub(crate) fn count_anew(&mut self, epoch: u64) {
        self.epoch = epoch;
        self.next_seq = 0;
        self.told.clear();
    }

    /// My key of this hint.
    pub(crate) fn key_of(&self, hint: Hint) -> Option<&ReplyKey> {
        self.replies
            .iter()
            .find(|key| Hint::of(&key.public) == hint)
    }

    /// Something sealed to this key of mine arrived: older ones are deleted. Gives the hints that nobody needs any more.
    pub(crate) fn used(&mut self, public: &SealPublic) -> Vec<Hint> {
        let at = self.replies.iter().position(|key| key.public == *public);
        let older = self.replies.drain(..at.unwrap_or(0));
        older.map(|key| Hint::of(&key.public)).collect()
    }

    /// Whether a message is new; `Ok(false)` if it had its effect already.
    ///
    /// # Errors
    /// [`Refusal::WrongSender`], [`Refusal::Replayed`], [`Refusal::WhisperRate`].
    pub(crate) fn is_new(
        &self,
        id: MessageId,
        message: &Message,
        now: Timestamp,
    ) -> Result<bool, Refusal> {
        if self.their_key.is_some_and(|known| known != message.from) {
            return Err(Refusal::WrongSender);
        }
        let same = |seen: &&Seen| seen.epoch == message.epoch && seen.seq == message.seq;
        match self.seen.iter().find(same) {
            Some(seen) if seen.message == id => return Ok(false),
            Some(_) => return Err(Refusal::Replayed),
            None => {}
        }
        let alive = self.seen.iter().filter(|seen| seen.expires > now).count();
        if alive >= SEEN_MAX || self.allowance(now) == 0 {
            return Err(Refusal::WhisperRate);
        }
        Ok(true)
    }

    fn allowance(&self, now: Timestamp) -> u64 {
        self.bucket.map_or(BURST, |(left, at)| {
            left.saturating_add(now.since(at)).min(BURST)
        })
    }

    /// A new message is taken: it is remembered, and what it says of keys and ways holds from now on.
    pub(crate) fn took(&mut self, id: MessageId, message: &Message, now: Timestamp) {
        self.bucket = Some((self.allowance(now).saturating_sub(1), now));
        self.seen.retain(|seen| seen.expires > now);
        self.seen.push(Seen {
            epoch: message.epoch,
            seq: message.seq,
            message: id,
            expires: message.expires,
        });
        self.last_heard = Some(id);
        self.adopt(message);
    }

    /// What an authenticated message says of its sender's keys and ways, if it is his newest.
    pub(crate) fn adopt(&mut self, message: &Message) {
        self.their_key = Some(message.from);
        self.fresh = true;
        let newest = self
            .their_latest
            .is_none_or(|(epoch, seq)| message.epoch != epoch || message.seq > seq);
        if newest {
            self.their_latest = Some((message.epoch, message.seq));
            self.their_reply = Some(message.reply);
            let ways = message.reach.iter().map(|entry| entry.circuit.clone());
            self.learn_ways(ways.collect());
        }
    }

    /// The other side can be reached so. Gives whether that is news; then everything unacknowledged is tried at once.
    pub(crate) fn learn_ways(&mut self, mut ways: Vec<Circuit>) -> bool {
        if ways.is_empty() || self.ways.starts_with(&ways) {
            return false;
        }
        for old in self.ways.drain(..) {
            if !ways.contains(&old) {
                ways.push(old);
            }
        }
        ways.truncate(WAYS_KEPT);
        self.ways = ways;
        self.moves = self.moves.wrapping_add(1);
        self.hurry();
        true
    }

    /// Everything unacknowledged is tried at once.
    pub(crate) fn hurry(&mut self) {
        for waiting in &mut self.outbox {
            waiting.tries = 0;
            waiting.next = Timestamp(0);
            waiting.on_its_way = false;
            waiting.unreached = 0;
        }
    }

    /// Keeps an acknowledgement for the time that its message may come again. Gives those that fell out.
    pub(crate) fn keep_ack(&mut self, ack: Acked, now: Timestamp) -> Vec<[u8; 32]> {
        let mut gone = Vec::new();
        self.acks.retain(|old| {
            let keep = old.expires > now && old.digest != ack.digest;
            if !keep && old.digest != ack.digest {
                gone.push(old.digest);
            }
            keep
        });
        if self.acks.len() >= ACKS_KEPT {
            gone.extend(self.acks.pop_front().map(|old| old.digest));
        }
        self.acks.push_back(ack);
        gone
    }

    /// Whether the exchange can still come to something, so that the other side should know where I am.
    pub(crate) fn is_live(&self, now: Timestamp) -> bool {
        self.offer.as_ref().is_some_and(|offer| offer.stands(now))
            || self.deal.as_ref().is_some_and(Deal::under_way)
            || self.deal.as_ref().is_some_and(Deal::holds_money)
            || self.is_before_arbiter(now)
            || self
                .chat
                .back()
                .is_some_and(|line| line.at + CHAT_FOR > now)
            || !self.outbox.is_empty()
    }
}
