//! The door for private messages: writing them, bringing them, opening them, acknowledging them.
//!
//! Nothing leaves that was not saved, and nothing is acknowledged that was not saved: see [`crate::batch`]. What a message
//! *means* is for [`crate::orders`] and [`crate::quoting`]; here it is only made sure that it is one of ours, new, and whole.

use core::fmt;
use std::sync::Arc;

use haggle_protocol::keys::{Root, SealSecret, SigningKey};
use haggle_protocol::limits::PRIVATE_LIFETIME_MAX;
use haggle_protocol::private::{Body, Message, TraderProof};
use haggle_protocol::reach::{Circuit, Entry};
use haggle_protocol::seal::{CONTENT_SMALL, Cell, Context, Direction, Hint, Sealer};
use haggle_protocol::trade::Ack;
use haggle_protocol::{
    IntentId, MessageId, Network, PublicKey, Refusal, SealPublic, ThreadId, Timestamp,
};
use rand_chacha::ChaCha20Rng;

use crate::batch::Batch;
use crate::effect::{Answer, Effect};
use crate::event::Event;
use crate::input::Ticket;
use crate::market::Market;
use crate::threads::{Acked, OUTBOX_MAX, Outgoing, Sort, Thread};
use crate::view::Role;

/// Whose key a hint names.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Lock {
    /// The seal key of an intent of mine: a seller's first words.
    Intent(IntentId),
    /// A reply key of this thread.
    Thread(ThreadId),
}

/// Everything it takes to write: keys, dice, and the ways to me.
pub(crate) struct Pen {
    pub(crate) network: Network,
    pub(crate) peer: SigningKey,
    pub(crate) sealer: Arc<dyn Sealer>,
    pub(crate) dice: ChaCha20Rng,
    pub(crate) root: Root,
    pub(crate) trader: SigningKey,
    /// Where I can be reached now, best first.
    pub(crate) ways: Vec<Circuit>,
}

impl fmt::Debug for Pen {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Pen(..)")
    }
}

/// A message that came out of its cell.
pub(crate) struct Opened {
    pub(crate) id: MessageId,
    pub(crate) message: Message,
    /// What the cell held: the message with its signature.
    pub(crate) content: Vec<u8>,
    /// Which of my reply keys opened it; `None` for an intent's seal key.
    used: Option<SealPublic>,
}

/// A message in its cell.
struct Sealed {
    message: MessageId,
    to: SealPublic,
    cell: Vec<u8>,
    /// What the cell holds: the message with its signature.
    content: Vec<u8>,
    expires: Timestamp,
}

impl Pen {
    /// The ways to me, each with the consent of this peer to be named by `key` until `expires`.
    pub(crate) fn entries(&self, key: &PublicKey, expires: Timestamp) -> Vec<Entry> {
        Entry::agree_all(&self.ways, &self.peer, self.network, key, expires)
    }

    /// Signs and seals the next message of a thread.
    fn write(
        &mut self,
        thread: &mut Thread,
        body: Body,
        expires: Timestamp,
        now: Timestamp,
    ) -> Result<Sealed, Refusal> {
        let from = thread.key.0.public();
        let direction = thread.direction();
        // A second at least, so that a message is never born expired; whole seconds, as on the wire.
        let expires = expires.clamp(now + 1, now + PRIVATE_LIFETIME_MAX);
        let recipient = thread.recipient();
        let reply = thread.reply_key(&mut self.dice)?;
        let (epoch, seq) = thread.count();
        // An acknowledgement goes once, to whom may no longer wait for it: who had only that has not been told.
        let arrives = !matches!(body, Body::Ack(_));
        let trader = body.needs_trader().then(|| {
            TraderProof::new(
                &self.trader,
                self.network,
                &thread.id,
                &from,
                direction,
                expires,
            )
        });
        let mut message = Message {
            thread: thread.id,
            intent: thread.intent,
            direction,
            epoch,
            seq,
            prev: thread.last_heard,
            from,
            reply,
            created: now,
            expires,
            body,
            trader,
            intent_proof: thread.proof,
            reach: self.entries(&from, expires),
        };
        let signer = &thread.key.0;
        let mut signed = message.sign(self.network, &recipient, signer)?;
        // Everything that can goes into the small cell, since sizes tell: rather one way less than a large cell.
        let ways = message.reach.clone();
        while signed.1.len() > CONTENT_SMALL && message.reach.len() > 1 {
            message.reach.pop();
            signed = message.sign(self.network, &recipient, signer)?;
        }
        if signed.1.len() > CONTENT_SMALL && ways.len() > 1 {
            message.reach = ways;
            signed = message.sign(self.network, &recipient, signer)?;
        }
        let (id, content) = signed;
        let context = thread.context_to(self.network, &recipient);
        let cell = self.seal(&context, &recipient, &content)?;
        if arrives {
            thread.told.clone_from(&self.ways);
        }
        Ok(Sealed {
            message: id,
            to: recipient,
            cell: cell.into_bytes(),
            content,
            expires,
        })
    }

    fn seal(
        &mut self,
        context: &Context,
        recipient: &SealPublic,
        content: &[u8],
    ) -> Result<Cell, Refusal> {
        Cell::seal(&*self.sealer, context, recipient, content, &mut self.dice)
    }
}

impl Market {
    /// Writes a message, keeps it until it is acknowledged, and sends it if there is a way.
    ///
    /// # Errors
    /// [`Refusal::WhisperRate`] if too much waits already; [`Refusal::TooLarge`].
    pub(crate) fn send(
        &mut self,
        id: ThreadId,
        body: Body,
        expires: Timestamp,
        now: Timestamp,
        batch: &mut Batch,
    ) -> Result<MessageId, Refusal> {
        self.send_signed(id, body, expires, now, batch)
            .map(|(message, _)| message)
    }

    /// The same, with what was signed: the content of the cell.
    ///
    /// # Errors
    /// As [`Market::send`].
    pub(crate) fn send_signed(
        &mut self,
        id: ThreadId,
        body: Body,
        expires: Timestamp,
        now: Timestamp,
        batch: &mut Batch,
    ) -> Result<(MessageId, Vec<u8>), Refusal> {
        let thread = self.threads.get_mut(&id).ok_or(Refusal::WrongState)?;
        let sort = Sort::of(&body).ok_or(Refusal::WrongState)?;
        if thread.outbox.len() >= OUTBOX_MAX {
            return Err(Refusal::WhisperRate);
        }
        let sealed = self.pen.write(thread, body, expires, now)?;
        // What a newer one says again need not arrive any more.
        let stale = |waiting: &Outgoing| waiting.sort == sort && sort == Sort::Moved;
        for waiting in thread.outbox.iter().filter(|waiting| stale(waiting)) {
            self.posted.remove(&waiting.message);
        }
        thread.outbox.retain(|waiting| !stale(waiting));
        thread.outbox.push(Outgoing {
            message: sealed.message,
            sort,
            cell: sealed.cell,
            to: sealed.to,
            expires: sealed.expires,
            tries: 0,
            next: now,
            on_its_way: false,
            unreached: 0,
        });
        self.posted.insert(sealed.message, id);
        self.index_replies(id);
        batch.thread(id);
        self.post(id, now, batch);
        Ok((sealed.message, sealed.content))
    }

    /// Tells the other side of a thread where I am now, if he was told otherwise.
    pub(crate) fn tell_ways(&mut self, id: ThreadId, now: Timestamp, batch: &mut Batch) {
        let Some(thread) = self.threads.get(&id) else {
            return;
        };
        if thread.is_live(now) {
            self.tell_ways_anyway(id, now, batch);
        }
    }

    /// The same for an exchange that is over here, but not over there.
    pub(crate) fn tell_ways_anyway(&mut self, id: ThreadId, now: Timestamp, batch: &mut Batch) {
        /// How long a new way matters, in seconds: the next message brings it again.
        const MOVED_FOR: u64 = 60 * 60;
        let known = self
            .threads
            .get(&id)
            .is_some_and(|thread| thread.told == self.pen.ways);
        if self.pen.ways.is_empty() || known {
            return;
        }
        // A full outbox means that nothing arrives anyway; the next acknowledgement brings the next chance.
        let _ = self.send(id, Body::Moved, now + MOVED_FOR, now, batch);
    }

    /// Hands out what is due of a thread's outbox, if there is a way.
    pub(crate) fn post(&mut self, id: ThreadId, now: Timestamp, batch: &mut Batch) {
        let Some(thread) = self.threads.get_mut(&id) else {
            return;
        };
        batch.due.insert(crate::batch::Subject::Thread(id));
        let way = !thread.ways.is_empty();
        for waiting in thread.outbox.iter_mut().filter(|_| way) {
            if waiting.next <= now && waiting.expires > now {
                waiting.tried(now);
                batch.acts.push(Effect::Whisper {
                    message: waiting.message,
                    to: thread.ways.clone(),
                    cell: waiting.cell.clone(),
                });
            }
        }
        self.ask_all(id, now, batch);
        self.seek(id, now, batch);
    }

    /// A cell came: it is answered once, whatever it is.
    pub(crate) fn hear_cell(
        &mut self,
        bytes: Vec<u8>,
        ticket: Ticket,
        now: Timestamp,
        batch: &mut Batch,
    ) {
        let answer = match self.take_cell(bytes, now, batch) {
            Ok(ack) => Answer::Ack(ack),
            Err(refusal) => Answer::Refused(refusal),
        };
        batch.acts.push(Effect::Answer(ticket, answer));
    }

    fn take_cell(
        &mut self,
        bytes: Vec<u8>,
        now: Timestamp,
        batch: &mut Batch,
    ) -> Result<Vec<u8>, Refusal> {
        let cell = Cell::from_bytes(bytes)?;
        let digest = cell.digest();
        if let Some(ack) = self.ack_again(&digest, now, batch)? {
            return Ok(ack);
        }
        let lock = *self
            .locks
            .get(&cell.hint())
            .ok_or(Refusal::UnknownRecipient)?;
        let opened = match lock {
            Lock::Intent(intent) => self.open_first(&cell, intent, now)?,
            Lock::Thread(thread) => self.open_reply(&cell, thread, now)?,
        };
        let (id, message) = (opened.id, &opened.message);
        if matches!(message.body, Body::Ack(_)) {
            return Err(Refusal::WrongState);
        }
        let (thread, expires) = (message.thread, message.expires);
        let known = self.threads.get(&thread);
        if let Some(known) = known
            && !known.is_new(id, message, now)?
        {
            // Seen, but its acknowledgement is no longer kept: written anew.
            return self.acknowledge(thread, id, digest, expires, now, batch);
        }
        if known.and_then(|known| known.their_reply) != Some(message.reply) {
            // A key that cannot be sealed to would leave this message applied and never acknowledged.
            let context = Context {
                network: self.pen.network,
                direction: message.direction.reverse(),
                intent: message.intent,
                thread: Some(thread),
            };
            self.pen.seal(&context, &message.reply, &[])?;
        }
        self.apply(&opened, now, batch)?;
        self.tell_ways(thread, now, batch);
        self.post(thread, now, batch);
        self.acknowledge(thread, id, digest, expires, now, batch)
    }

    /// A message is taken: from now on it is seen, its sender's newest key and ways hold, what it answers has arrived.
    /// Stands before whatever it brings about.
    pub(crate) fn took(&mut self, opened: &Opened, now: Timestamp, batch: &mut Batch) {
        let id = opened.message.thread;
        let Some(thread) = self.threads.get_mut(&id) else {
            return;
        };
        thread.took(opened.id, &opened.message, now);
        for hint in opened.used.iter().flat_map(|key| thread.used(key)) {
            self.locks.remove(&hint);
        }
        batch.thread(id);
        self.delivered_by_reference(&opened.message, now, batch);
    }

    /// A cell that was acknowledged before is so again, without opening it.
    fn ack_again(
        &mut self,
        digest: &[u8; 32],
        now: Timestamp,
        batch: &mut Batch,
    ) -> Result<Option<Vec<u8>>, Refusal> {
        let Some(id) = self.heard.get(digest).copied() else {
            return Ok(None);
        };
        let Some(thread) = self.threads.get(&id) else {
            return Ok(None);
        };
        let Some(ack) = thread.acks.iter().find(|ack| ack.digest == *digest) else {
            return Ok(None);
        };
        if ack.expires <= now {
            return Err(Refusal::Expired);
        }
        if ack.to == thread.recipient() {
            return Ok(Some(ack.cell.clone()));
        }
        // The key it was sealed to may be deleted over there by now.
        let (message, expires) = (ack.message, ack.expires);
        self.acknowledge(id, message, *digest, expires, now, batch)
            .map(Some)
    }

    fn acknowledge(
        &mut self,
        id: ThreadId,
        message: MessageId,
        digest: [u8; 32],
        expires: Timestamp,
        now: Timestamp,
        batch: &mut Batch,
    ) -> Result<Vec<u8>, Refusal> {
        let thread = self.threads.get_mut(&id).ok_or(Refusal::WrongState)?;
        let sealed = self
            .pen
            .write(thread, Body::Ack(Ack { message }), expires, now)?;
        let kept = Acked {
            digest,
            message,
            to: sealed.to,
            cell: sealed.cell.clone(),
            expires: sealed.expires,
        };
        for old in thread.keep_ack(kept, now) {
            self.heard.remove(&old);
        }
        self.heard.insert(digest, id);
        self.index_replies(id);
        batch.thread(id);
        Ok(sealed.cell)
    }

    /// Opens a cell that is sealed to an intent of mine.
    fn open_first(&self, cell: &Cell, intent: IntentId, now: Timestamp) -> Result<Opened, Refusal> {
        let mine = self.intents.get(&intent).ok_or(Refusal::UnknownRecipient)?;
        let secret = mine.seal.as_ref().ok_or(Refusal::UnknownRecipient)?;
        let context = Context {
            network: self.pen.network,
            direction: Direction::ToBuyer,
            intent,
            thread: None,
        };
        self.open(cell, &secret.0, &context, &mine.key, now)
    }

    /// Opens a cell that is sealed to a reply key of a thread.
    fn open_reply(&self, cell: &Cell, id: ThreadId, now: Timestamp) -> Result<Opened, Refusal> {
        let thread = self.threads.get(&id).ok_or(Refusal::UnknownRecipient)?;
        let key = thread
            .key_of(cell.hint())
            .ok_or(Refusal::UnknownRecipient)?;
        let context = thread.context_from(self.pen.network);
        let opened = self.open(cell, &key.secret.0, &context, &thread.intent_key, now)?;
        let used = Some(key.public);
        Ok(Opened { used, ..opened })
    }

    fn open(
        &self,
        cell: &Cell,
        secret: &SealSecret,
        context: &Context,
        intent_key: &PublicKey,
        now: Timestamp,
    ) -> Result<Opened, Refusal> {
        let content = cell.open(&*self.pen.sealer, secret, context)?;
        let (id, message) = Message::open(&content, context, &secret.public()?, intent_key, now)?;
        Ok(Opened {
            id,
            message,
            content,
            used: None,
        })
    }

    /// The answer to a whisper came.
    pub(crate) fn hear_answer(
        &mut self,
        message: MessageId,
        answer: Result<Vec<u8>, Refusal>,
        now: Timestamp,
        batch: &mut Batch,
    ) {
        let Some(id) = self.posted.get(&message).copied() else {
            return;
        };
        let acknowledged = match answer {
            Ok(bytes) => self.take_ack(id, message, bytes, now, batch).is_ok(),
            Err(refusal) if is_final(refusal) => {
                self.forget_outgoing(id, message, batch);
                // What it said of my ways was not taken either.
                if let Some(thread) = self.threads.get_mut(&id) {
                    thread.told.clear();
                }
                self.refused(id, message, refusal, now, batch);
                return;
            }
            Err(_) => false,
        };
        if acknowledged {
            self.forget_outgoing(id, message, batch);
            self.tell_ways(id, now, batch);
            self.post(id, now, batch);
        } else {
            self.failed(message, true, now, batch);
        }
    }

    /// A whisper found no way.
    pub(crate) fn undelivered(&mut self, message: MessageId, now: Timestamp, batch: &mut Batch) {
        self.failed(message, false, now, batch);
    }

    /// A whisper was of no use, whether it reached somebody or not.
    fn failed(&mut self, message: MessageId, reached: bool, now: Timestamp, batch: &mut Batch) {
        let Some(id) = self.posted.get(&message).copied() else {
            return;
        };
        let Some(thread) = self.threads.get_mut(&id) else {
            return;
        };
        for waiting in thread
            .outbox
            .iter_mut()
            .filter(|waiting| waiting.message == message)
        {
            waiting.failed(reached, now);
        }
        batch.due.insert(crate::batch::Subject::Thread(id));
        self.seek(id, now, batch);
    }

    fn take_ack(
        &mut self,
        id: ThreadId,
        expected: MessageId,
        bytes: Vec<u8>,
        now: Timestamp,
        batch: &mut Batch,
    ) -> Result<(), Refusal> {
        let cell = Cell::from_bytes(bytes)?;
        let Opened { message, used, .. } = self.open_reply(&cell, id, now)?;
        let thread = self.threads.get_mut(&id).ok_or(Refusal::WrongState)?;
        if message.body != Body::Ack(Ack { message: expected }) {
            return Err(Refusal::WrongState);
        }
        if thread.their_key.is_some_and(|known| known != message.from) {
            return Err(Refusal::WrongSender);
        }
        for hint in used.iter().flat_map(|key| thread.used(key)) {
            self.locks.remove(&hint);
        }
        thread.adopt(&message);
        batch.thread(id);
        self.delivered(id, expected, now, batch);
        Ok(())
    }

    /// What refers to a message of mine shows that it arrived, even if its acknowledgement was lost.
    fn delivered_by_reference(&mut self, message: &Message, now: Timestamp, batch: &mut Batch) {
        let id = message.thread;
        let named = match &message.body {
            Body::Order(order) => Some(order.quote),
            Body::Counter(counter) => Some(counter.quote),
            Body::OrderConfirm(confirm) => Some(confirm.order),
            Body::NotSelected(not_selected) => Some(not_selected.quote),
            Body::Decline(decline) => decline.order,
            Body::PaymentProof(step) | Body::Dispatch(step) | Body::Receipt(step) => {
                Some(step.order)
            }
            Body::Delivered(delivered) => Some(delivered.order),
            Body::Cancel(cancel) => Some(cancel.order),
            Body::EscrowLock(lock) => Some(lock.order),
            Body::Settle(settle) => Some(settle.order),
            Body::Quote(_)
            | Body::Contact(_)
            | Body::Chat(_)
            | Body::Dispute(_)
            | Body::Ruling(_)
            | Body::Ack(_)
            | Body::Moved => None,
        };
        for arrived in named.into_iter().chain(message.prev) {
            if self.posted.get(&arrived) == Some(&id) {
                self.delivered(id, arrived, now, batch);
                self.forget_outgoing(id, arrived, batch);
            }
        }
    }

    /// A message needs no more tries.
    pub(crate) fn forget_outgoing(&mut self, id: ThreadId, message: MessageId, batch: &mut Batch) {
        self.posted.remove(&message);
        if let Some(thread) = self.threads.get_mut(&id) {
            thread.outbox.retain(|waiting| waiting.message != message);
            batch.thread(id);
        }
    }

    /// Makes a thread's reply keys findable by their hints.
    pub(crate) fn index_replies(&mut self, id: ThreadId) {
        if let Some(thread) = self.threads.get(&id) {
            for key in &thread.replies {
                self.locks.insert(Hint::of(&key.public), Lock::Thread(id));
            }
        }
    }

    /// Makes everything of a thread findable: after a start, or when it begins.
    pub(crate) fn index_thread(&mut self, id: ThreadId) {
        self.index_replies(id);
        let Some(thread) = self.threads.get(&id) else {
            return;
        };
        for ack in &thread.acks {
            self.heard.insert(ack.digest, id);
        }
        for waiting in &thread.outbox {
            self.posted.insert(waiting.message, id);
        }
        match thread.role {
            Role::Seller => {
                self.answers.insert(thread.intent, id);
            }
            Role::Buyer => {
                self.quoters.entry(thread.intent).or_default().insert(id);
            }
        }
        if let Some(held) = thread.set_aside {
            self.stall.set_aside(held.item, held.micros);
        }
    }

    /// Forgets a thread altogether, and everything that pointed to it.
    pub(crate) fn remove_thread(&mut self, id: ThreadId, now: Timestamp, batch: &mut Batch) {
        self.release(id, now, batch);
        let Some(thread) = self.threads.remove(&id) else {
            return;
        };
        self.forget_files(&thread.file_ids(), batch);
        for key in &thread.replies {
            self.locks.remove(&Hint::of(&key.public));
        }
        for ack in &thread.acks {
            self.heard.remove(&ack.digest);
        }
        for waiting in &thread.outbox {
            self.posted.remove(&waiting.message);
        }
        if thread.deal.is_some() || !thread.chat.is_empty() {
            batch.events.push(Event::Forgotten(id, thread.role));
        }
        if thread.sealed_reach.is_some() {
            self.expected.forget(id);
        }
        if self.answers.get(&thread.intent) == Some(&id) {
            self.answers.remove(&thread.intent);
        }
        if let Some(quoters) = self.quoters.get_mut(&thread.intent) {
            quoters.remove(&id);
        }
        batch.thread(id);
    }
}

/// Whether sending the same bytes again is of no use.
#[allow(
    clippy::wildcard_enum_match_arm,
    reason = "a refusal that a newer version adds is tried again, until it expires"
)]
const fn is_final(refusal: Refusal) -> bool {
    !matches!(
        refusal,
        Refusal::NotKept
            | Refusal::WhisperRate
            | Refusal::SourceRate
            | Refusal::AuthorRate
            | Refusal::FromTheFuture
            | Refusal::UnknownRecipient
            | Refusal::SealBroken
            | Refusal::UnknownVersion
            | Refusal::Truncated
            | Refusal::CellSize
    )
}
