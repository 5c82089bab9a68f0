//! What becomes of a thread by itself: messages arrive or are refused, quotes and orders lapse, what is over is forgotten.

use haggle_protocol::limits::CLOCK_SKEW;
use haggle_protocol::trade::DeclineReason;
use haggle_protocol::{MessageId, Refusal, ThreadId, Timestamp};

use crate::batch::Batch;
use crate::chatting::CHAT_FOR;
use crate::market::Market;
use crate::threads::{Deal, DealState, Over, Sort};
use crate::view::{AnswerState, Role};

/// How long a seller's thread is kept after its quote lapsed and its intent is gone, in seconds: after a restart the book
/// needs a while to fill, and what is kept is not quoted twice.
const KEPT_AFTER: u64 = 60 * 60;
/// How long an order that came to nothing is shown, in seconds.
const FAILED_KEPT: u64 = 7 * 24 * 60 * 60;

impl Market {
    /// A message of mine arrived and was kept.
    pub(crate) fn delivered(
        &mut self,
        id: ThreadId,
        message: MessageId,
        now: Timestamp,
        batch: &mut Batch,
    ) {
        self.escrow_heard(id, message, batch);
        self.judged_heard(id, message, None, batch);
        let Some(thread) = self.threads.get_mut(&id) else {
            return;
        };
        let mut lines = thread.chat.iter_mut();
        if let Some(line) = lines.find(|line| line.message == message) {
            line.delivered = true;
            batch.chats.insert(id);
            return;
        }
        if let Some(said) = &mut thread.counter
            && said.message == message
        {
            said.delivered = true;
            batch.mine.insert(thread.intent);
            return;
        }
        if thread
            .offer
            .as_ref()
            .is_some_and(|offer| offer.message == message)
        {
            self.quote_delivered(id, batch);
            return;
        }
        let Some(deal) = &mut thread.deal else {
            return;
        };
        if deal.is_cancelled_by(message) {
            self.cancel_taken(id, now, batch);
            return;
        }
        let mut sent = thread.outbox.iter().filter(|it| it.message == message);
        if sent.any(|it| it.sort == Sort::OrderConfirm) && now <= deal.order.confirm_by {
            deal.confirm_taken = true;
        }
        if deal.mine_message == Some(message) {
            deal.mine_delivered = true;
            batch.trades.insert(id);
        }
        for taken in deal
            .steps
            .iter_mut()
            .filter(|taken| taken.message == message)
        {
            taken.delivered = true;
            batch.trades.insert(id);
        }
    }

    /// A message of mine is not taken, and would not be if it came again.
    pub(crate) fn refused(
        &mut self,
        id: ThreadId,
        message: MessageId,
        refusal: Refusal,
        now: Timestamp,
        batch: &mut Batch,
    ) {
        self.escrow_heard(id, message, batch);
        self.judged_heard(id, message, Some(refusal), batch);
        let Some(thread) = self.threads.get(&id) else {
            return;
        };
        if thread.chat.iter().any(|line| line.message == message) {
            batch.chats.insert(id);
        }
        let counter = thread.counter.as_ref();
        if counter.is_some_and(|said| said.message == message) {
            batch.mine.insert(thread.intent);
        }
        if thread
            .deal
            .as_ref()
            .is_some_and(|it| it.is_cancelled_by(message))
        {
            self.cancel_refused(id, batch);
            return;
        }
        // An order's deadline and a contact's missing acknowledgement speak for themselves.
        if thread.role == Role::Seller
            && thread.deal.is_none()
            && thread
                .offer
                .as_ref()
                .is_some_and(|offer| offer.message == message)
        {
            self.quote_refused(id, refusal, now, batch);
        }
    }

    pub(crate) fn lapse_thread(&mut self, id: ThreadId, now: Timestamp, batch: &mut Batch) {
        let Some(thread) = self.threads.get(&id) else {
            return;
        };
        if thread.outbox.iter().any(|waiting| waiting.expires <= now) {
            self.drop_outgoing(id, |waiting| waiting.expires <= now);
            // Whatever it said of my ways may never have arrived.
            if let Some(thread) = self.threads.get_mut(&id) {
                thread.told.clear();
                if !thread.chat.is_empty() {
                    batch.chats.insert(id);
                }
                if thread.role == Role::Buyer && thread.counter.is_some() {
                    batch.mine.insert(thread.intent);
                }
            }
            batch.thread(id);
        }
        let Some(thread) = self.threads.get(&id) else {
            return;
        };
        let role = thread.role;
        self.lapse_trade(id, now, batch);
        if self.confirm_deadline(&id).is_some_and(|at| at <= now) {
            self.miss_confirmation(id, role, now, batch);
        }
        match role {
            Role::Buyer => self.lapse_quote(id, now, batch),
            Role::Seller => {
                self.lapse_offer(id, now, batch);
                self.forget(id, now, batch);
            }
        }
        self.pay(id, now, batch);
        self.post(id, now, batch);
    }

    /// A buyer's quote lapses.
    fn lapse_quote(&mut self, id: ThreadId, now: Timestamp, batch: &mut Batch) {
        let Some(thread) = self.threads.get_mut(&id) else {
            return;
        };
        let intent = thread.intent;
        if let Some(offer) = &mut thread.offer
            && !offer.lapsed
            && offer.quote.valid_until <= now
        {
            offer.lapsed = true;
            batch.thread(id);
            batch.mine.insert(intent);
        }
    }

    fn miss_confirmation(&mut self, id: ThreadId, role: Role, now: Timestamp, batch: &mut Batch) {
        if let Some(deal) = self.deal_mut(&id) {
            deal.state = DealState::NotConfirmed;
        }
        batch.thread(id);
        batch.trades.insert(id);
        match role {
            Role::Buyer => {
                if let Some(thread) = self.threads.get(&id) {
                    batch.mine.insert(thread.intent);
                }
                self.reopen(id, now, batch);
            }
            Role::Seller => {
                self.end_offer(id, Over::Withdrawn(DeclineReason::QuoteExpired), batch);
                self.release(id, now, batch);
            }
        }
    }

    /// Until when a confirmation is waited for: a buyer grants what clocks differ by.
    fn confirm_deadline(&self, id: &ThreadId) -> Option<Timestamp> {
        let thread = self.threads.get(id)?;
        let deal = thread
            .deal
            .as_ref()
            .filter(|deal| deal.state == DealState::Ordered)?;
        Some(match thread.role {
            Role::Buyer => deal.order.confirm_by + CLOCK_SKEW,
            Role::Seller => deal.order.confirm_by,
        })
    }

    pub(crate) fn thread_deadline(&self, id: &ThreadId, now: Timestamp) -> Option<Timestamp> {
        let thread = self.threads.get(id)?;
        let can_send = !thread.ways.is_empty();
        let outbox = thread
            .outbox
            .iter()
            .flat_map(|waiting| [Some(waiting.expires), can_send.then_some(waiting.next)]);
        let offer = thread.offer.as_ref().filter(|offer| !offer.lapsed);
        let offer = match thread.role {
            Role::Buyer => offer,
            Role::Seller => offer.filter(|offer| offer.over.is_none()),
        };
        let seller = thread.role == Role::Seller;
        let later = [
            offer.map(|offer| offer.quote.valid_until),
            self.confirm_deadline(id),
            thread.deal.as_ref().and_then(Deal::deadline),
            self.seek_deadline(id, now),
            self.escrow_deadline(id, now),
            seller.then(|| self.release_at(id)).flatten(),
            seller.then(|| self.forget_at(id)).flatten(),
        ];
        outbox.chain(later).flatten().min()
    }

    /// A seller's quote lapses: its stock is free a little later, since an order may still be on its way; and if the buyer
    /// still asks, a rule answers anew.
    fn lapse_offer(&mut self, id: ThreadId, now: Timestamp, batch: &mut Batch) {
        let Some(thread) = self.threads.get_mut(&id) else {
            return;
        };
        let intent = thread.intent;
        let idle = !thread.deal.as_ref().is_some_and(Deal::under_way);
        if let Some(offer) = &mut thread.offer
            && offer.over.is_none()
            && !offer.lapsed
            && offer.quote.valid_until <= now
        {
            offer.lapsed = true;
            if idle && matches!(thread.answer, AnswerState::Sending | AnswerState::Delivered) {
                thread.answer = AnswerState::Expired;
            }
            batch.thread(id);
            batch.open.insert(intent);
            self.consider(intent, now, batch);
        }
        if self.release_at(&id).is_some_and(|at| at <= now) {
            self.release(id, now, batch);
        }
    }

    /// When what a lapsing quote has set aside is free again.
    fn release_at(&self, id: &ThreadId) -> Option<Timestamp> {
        let thread = self.threads.get(id)?;
        thread.set_aside?;
        if thread.is_ordered() {
            return None;
        }
        thread
            .offer
            .as_ref()
            .map(|offer| offer.quote.valid_until + CLOCK_SKEW)
    }

    /// Forgets a seller's thread that is of no more use.
    pub(crate) fn forget(&mut self, id: ThreadId, now: Timestamp, batch: &mut Batch) {
        if self.forget_at(&id).is_some_and(|at| at <= now) {
            self.remove_thread(id, now, batch);
        }
    }

    /// When a seller's thread is of no more use.
    fn forget_at(&self, id: &ThreadId) -> Option<Timestamp> {
        let thread = self.threads.get(id)?;
        if self.is_sold(thread) || self.holds_money(id) {
            return None;
        }
        if let Some(judged) = &thread.judged {
            return Some(judged.until);
        }
        match &thread.deal {
            Some(deal) if deal.under_way() => None,
            Some(deal) => Some(deal.ended.unwrap_or(deal.at) + FAILED_KEPT),
            None if self.book.open(&thread.intent).is_some() => None,
            None => {
                let end = thread
                    .offer
                    .as_ref()
                    .map_or(thread.since, |offer| offer.quote.valid_until);
                // What was said last may still be answered.
                let said = thread.chat.back().map(|line| line.at + CHAT_FOR);
                Some((end + KEPT_AFTER).max(said.unwrap_or_default()))
            }
        }
    }
}
