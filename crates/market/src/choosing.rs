//! The buyer's side: quotes come in, one is taken, the others are told no more than that they are not needed.
//!
//! A stranger can make a buyer remember one quote for each exchange and as many exchanges as the intent takes quotes; then the
//! best are kept.

use haggle_protocol::intent::MAX_QUOTES_DEFAULT;
use haggle_protocol::limits::PRIVATE_LIFETIME_MAX;
use haggle_protocol::private::Body;
use haggle_protocol::quote::Quote;
use haggle_protocol::sealed_reach::ReachSecret;
use haggle_protocol::trade::{Decline, NotSelected, Order, OrderConfirm};
use haggle_protocol::{IntentId, MessageId, Money, Refusal, ThreadId, Timestamp};

use crate::batch::Batch;
use crate::command::{Complaint, Payment};
use crate::intents::Mine;
use crate::mail::Opened;
use crate::market::Market;
use crate::orders::{bad_note, no_such_thread, unsent};
use crate::ranking::{self, Candidate, Wanted};
use crate::record::Key;
use crate::threads::{About, Deal, DealState, Offer, Over, Sort, Thread};
use crate::view::{IntentState, Role};

/// How long a buyer waits for a confirmation, in seconds: a person at a screen needs a few minutes.
const CONFIRM_WITHIN: u64 = 10 * 60;
/// The least time a seller is given to confirm, in seconds, even if his quote ends sooner.
const CONFIRM_LEAST: u64 = 2 * 60;
/// The least time for which it is tried to tell a seller that he was not selected, in seconds.
const NOT_SELECTED_FOR: u64 = 10 * 60;

impl Market {
    pub(crate) fn check_quote(
        &self,
        id: ThreadId,
        intent: IntentId,
        quote: &Quote,
        now: Timestamp,
    ) -> Result<(), Refusal> {
        let mine = self.intents.get(&intent).ok_or(Refusal::UnknownRecipient)?;
        if !mine.is_open() {
            return Err(Refusal::Closed);
        }
        if mine.intent.arbiter.is_some() {
            // Its owner wants nothing himself.
            return Err(Refusal::WrongState);
        }
        if quote.asset() != mine.intent.budget.asset() {
            return Err(Refusal::WrongUnit);
        }
        if !mine.frames.contains(&quote.answers) {
            return Err(Refusal::UnknownRevision);
        }
        if mine.intent.quotes_due < now {
            return Err(Refusal::TooLate);
        }
        if quote.valid_until <= now {
            return Err(Refusal::Expired);
        }
        match self.deal(&id).map(|deal| deal.state) {
            Some(DealState::Confirmed) => Err(Refusal::WrongState),
            Some(
                DealState::Ordered
                | DealState::Declined(_)
                | DealState::NotConfirmed
                | DealState::Cancelled { .. },
            )
            | None => Ok(()),
        }
    }

    /// Takes a message into its thread, which it begins if it is a seller's first and there is room for him.
    pub(crate) fn begin_buyer(
        &mut self,
        opened: &Opened,
        quote: Option<&Quote>,
        now: Timestamp,
        batch: &mut Batch,
    ) -> Result<(), Refusal> {
        let (id, intent) = (opened.message.thread, opened.message.intent);
        let mine = self.intents.get(&intent);
        if mine.is_some_and(|mine| mine.has_turned_away(opened.id)) {
            return Err(Refusal::TooManyQuotes);
        }
        if !self.threads.contains_key(&id) {
            let mine = self.intents.get(&intent).ok_or(Refusal::UnknownRecipient)?;
            if !mine.is_open() {
                return Err(Refusal::Closed);
            }
            // Its seller knows this side by a key that is gone: nothing that is begun anew could be agreed on with him.
            if mine.crowded_out.contains(&id) {
                return Err(Refusal::TooManyQuotes);
            }
            let key = self
                .pen
                .root
                .recognise(&mine.mark)
                .ok_or(Refusal::UnknownRecipient)?;
            let title = mine.intent.title.clone();
            let about = About {
                intent,
                title: &title,
                key: mine.key,
                seal: mine.seal_public,
            };
            let worst = self.worst_of_too_many(intent, opened.id, quote, now);
            if let Some(mine) = self.intents.get_mut(&intent)
                && quote.is_some()
                && worst == Err(Refusal::TooManyQuotes)
            {
                batch.save.insert(Key::Intent(intent));
                return Err(mine.turn_away(opened.id, opened.message.expires, now));
            }
            if let Some(worst) = worst? {
                self.remove_thread(worst, now, batch);
                if let Some(mine) = self.intents.get_mut(&intent) {
                    mine.crowd_out(worst);
                    batch.intent(intent);
                }
            }
            let thread = Thread::buyer(self.pen.network, id, &about, &key, now, &mut self.pen.dice);
            self.threads.insert(id, thread);
            self.index_thread(id);
        }
        self.took(opened, now, batch);
        Ok(())
    }

    /// If an intent has as many quoters as it takes: the one that makes room for a newcomer.
    fn worst_of_too_many(
        &self,
        intent: IntentId,
        newcomer: MessageId,
        quote: Option<&Quote>,
        now: Timestamp,
    ) -> Result<Option<ThreadId>, Refusal> {
        let mine = self.intents.get(&intent).ok_or(Refusal::UnknownRecipient)?;
        let quoters = self.quoters.get(&intent);
        let most = usize::from(mine.intent.max_quotes.unwrap_or(MAX_QUOTES_DEFAULT));
        if quoters.is_none_or(|quoters| quoters.len() < most) {
            return Ok(None);
        }
        let threads = || {
            let ids = quoters.into_iter().flatten();
            ids.filter_map(|id| self.threads.get(id))
                .filter(|thread| thread.deal.is_none() && !thread.is_before_arbiter(now))
        };
        let idle = |thread: &&Thread| !thread.offer.as_ref().is_some_and(|offer| offer.stands(now));
        if let Some(thread) = threads().filter(idle).min_by_key(|thread| thread.since) {
            return Ok(Some(thread.id));
        }
        let quote = quote.ok_or(Refusal::TooManyQuotes)?;
        let offers: Vec<(ThreadId, &Offer)> = threads()
            .filter_map(|thread| Some((thread.id, thread.offer.as_ref()?)))
            .collect();
        let mut candidates: Vec<Candidate<'_>> = offers
            .iter()
            .map(|(_, offer)| candidate(offer, true))
            .collect();
        candidates.push(Candidate {
            message: newcomer,
            quote,
            standing: true,
            received: now,
        });
        let ranked = ranking::rank(&candidates, &wanted(mine));
        let last = ranked.last().map(|(at, _)| *at);
        let worst = last.and_then(|at| offers.get(at)).map(|(id, _)| *id);
        worst.map(Some).ok_or(Refusal::TooManyQuotes)
    }

    pub(crate) fn take_quote(
        &mut self,
        opened: &Opened,
        quote: &Quote,
        now: Timestamp,
        batch: &mut Batch,
    ) {
        let message = &opened.message;
        let Some(thread) = self.threads.get_mut(&message.thread) else {
            return;
        };
        // One that was overtaken by a newer one changes nothing.
        if thread
            .offer
            .as_ref()
            .is_some_and(|offer| offer.quote.number >= quote.number)
        {
            return;
        }
        thread.offer = Some(Offer {
            message: opened.id,
            quote: quote.clone(),
            trader: message.trader.map(|proof| proof.trader),
            at: now,
            item: None,
            automatic: false,
            over: None,
            lapsed: false,
        });
        batch.mine.insert(message.intent);
    }

    pub(crate) fn check_decline(&self, id: ThreadId, decline: &Decline) -> Result<(), Refusal> {
        let Some(order) = decline.order else {
            return Ok(());
        };
        let deal = self.deal(&id).filter(|deal| deal.message == order);
        match deal.ok_or(Refusal::WrongState)?.state {
            DealState::Ordered | DealState::Declined(_) | DealState::NotConfirmed => Ok(()),
            DealState::Confirmed | DealState::Cancelled { .. } => Err(Refusal::WrongState),
        }
    }

    pub(crate) fn take_decline(
        &mut self,
        id: ThreadId,
        decline: &Decline,
        now: Timestamp,
        batch: &mut Batch,
    ) {
        let Some(thread) = self.threads.get_mut(&id) else {
            return;
        };
        batch.mine.insert(thread.intent);
        if decline.order.is_none() {
            if let Some(offer) = thread.offer.as_mut().filter(|offer| offer.over.is_none()) {
                offer.over = Some(Over::Withdrawn(decline.reason));
            }
            return;
        }
        if let Some(deal) = &mut thread.deal {
            let awaited = deal.state == DealState::Ordered;
            deal.state = DealState::Declined(decline.reason);
            batch.trades.insert(id);
            if awaited {
                self.reopen(id, now, batch);
            }
        }
    }

    /// An order came to nothing: its intent takes quotes and orders again, or is over by now.
    pub(crate) fn reopen(&mut self, id: ThreadId, now: Timestamp, batch: &mut Batch) {
        let Some(intent) = self.threads.get(&id).map(|thread| thread.intent) else {
            return;
        };
        let Some(mine) = self.intents.get_mut(&intent) else {
            return;
        };
        if mine.state != IntentState::Ordered || mine.taken != Some(id) {
            return;
        }
        mine.taken = None;
        mine.state = IntentState::Open;
        batch.intent(intent);
        if mine.until <= now {
            self.close(intent, IntentState::Expired, now, batch);
        }
    }

    pub(crate) fn accept(
        &mut self,
        id: ThreadId,
        total: Money,
        note: Option<String>,
        payment: Option<&Payment>,
        now: Timestamp,
        batch: &mut Batch,
    ) -> Result<(), Complaint> {
        let thread = self
            .threads
            .get(&id)
            .filter(|thread| thread.role == Role::Buyer);
        let thread = thread.ok_or_else(no_such_thread)?;
        let mine = self
            .intents
            .get(&thread.intent)
            .ok_or_else(no_such_thread)?;
        match mine.state {
            IntentState::Open => {}
            IntentState::Ordered => {
                let sentence = "You have ordered from another seller. Wait for his answer; if none comes in time, you can take this one.";
                return Err(Complaint::new("already-ordered", sentence));
            }
            IntentState::Awarded | IntentState::Withdrawn | IntentState::Expired => {
                return Err(Complaint::new(
                    "not-open",
                    "This request is over. Publish it anew if you still want it.",
                ));
            }
        }
        let offer = thread.offer.as_ref().ok_or_else(no_such_thread)?;
        let tried = thread
            .deal
            .as_ref()
            .is_some_and(|deal| deal.order.quote == offer.message);
        if offer.over.is_some() || tried {
            return Err(Complaint::new(
                "quote-gone",
                "This quote was withdrawn or declined. Take another one.",
            ));
        }
        if !offer.stands(now) {
            return Err(Complaint::new(
                "quote-expired",
                "This quote no longer holds. Take another one, or wait for a new one.",
            ));
        }
        if offer.quote.total != total {
            return Err(Complaint::about(
                "wrong-total",
                "total",
                "The seller has changed the quote meanwhile. Look at its total again.",
            ));
        }
        if self.holds_money(&id) {
            let sentence = "Money of the order before is still locked. Wait until you have it back, or take another quote.";
            return Err(Complaint::new("still-locked", sentence));
        }
        let plan = payment.map(|payment| self.plan(id, payment, now));
        let escrow = plan.transpose()?;
        let line = offer.quote.lines.first().ok_or_else(no_such_thread)?;
        let latest = (now + CONFIRM_WITHIN).min(offer.quote.valid_until);
        let order = Order {
            quote: offer.message,
            total,
            quantity: line.quantity,
            delivery: offer.quote.delivery,
            confirm_by: latest.max(now + CONFIRM_LEAST),
            note,
            handover: None,
            escrow,
            reach_secret: None,
        };
        order.check().map_err(|_| bad_note())?;
        let (quote, trader, intent) = (offer.quote.clone(), offer.trader, thread.intent);
        let (order, code) = self.with_code(order);
        let secret = ReachSecret::random(&mut self.pen.dice);
        let said = Order {
            reach_secret: Some(secret.clone()),
            ..order.clone()
        };
        let sent = self.send_signed(id, Body::Order(said), order.confirm_by, now, batch);
        let (message, content) = sent.map_err(unsent)?;
        // An answer to what waits there would replace the very quote that is taken.
        self.drop_outgoing(id, |waiting| waiting.sort == Sort::Counter);
        if let Some(thread) = self.threads.get_mut(&id) {
            let mut deal = Deal::ordered(message, order, quote, None, trader, now);
            deal.keep_order(&content);
            let before = thread.deal.replace(Deal { code, ..deal });
            let files: Vec<_> = before.iter().flat_map(Deal::file_ids).collect();
            self.forget_files(&files, batch);
        }
        self.share(id, secret, now);
        if let Some(mine) = self.intents.get_mut(&intent) {
            mine.state = IntentState::Ordered;
            mine.taken = Some(id);
        }
        batch.intent(intent);
        batch.trades.insert(id);
        Ok(())
    }

    pub(crate) fn check_confirm(
        &self,
        opened: &Opened,
        confirm: &OrderConfirm,
    ) -> Result<(), Refusal> {
        let id = opened.message.thread;
        let deal = self.deal(&id).filter(|deal| deal.message == confirm.order);
        let deal = deal.ok_or(Refusal::WrongState)?;
        if matches!(
            deal.state,
            DealState::Declined(_) | DealState::Cancelled { .. }
        ) {
            return Err(Refusal::WrongState);
        }
        if deal.order.escrow.is_some() != confirm.key.is_some() {
            return Err(Refusal::BadField);
        }
        deal.check_trader(opened)
    }

    pub(crate) fn take_confirm(
        &mut self,
        opened: &Opened,
        confirm: &OrderConfirm,
        now: Timestamp,
        batch: &mut Batch,
    ) {
        let (id, intent) = (opened.message.thread, opened.message.intent);
        let Some(thread) = self.threads.get(&id) else {
            return;
        };
        let (Some(deal), Some(mine)) = (&thread.deal, self.intents.get(&intent)) else {
            return;
        };
        let wanted = match deal.state {
            DealState::Ordered => true,
            // It comes late: welcome if nobody else was asked meanwhile.
            DealState::NotConfirmed => mine.state == IntentState::Open && !deal.was_cancelled(),
            DealState::Confirmed | DealState::Declined(_) | DealState::Cancelled { .. } => return,
        };
        let quote = deal.order.quote;
        if !wanted {
            // He has bound himself, and shall not wait for a contact that never comes.
            let until = now + PRIVATE_LIFETIME_MAX;
            let _ = self.send(
                id,
                Body::NotSelected(NotSelected { quote }),
                until,
                now,
                batch,
            );
            return;
        }
        if let Some(deal) = self.deal_mut(&id) {
            deal.confirmed(Role::Buyer, confirm);
            deal.keep_confirm(&opened.content);
            deal.trader = opened.message.trader.map(|proof| proof.trader);
        }
        if let Some(mine) = self.intents.get_mut(&intent) {
            mine.taken = Some(id);
        }
        batch.thread(id);
        batch.trades.insert(id);
        self.introduce(id, now, batch);
        self.close(intent, IntentState::Awarded, now, batch);
    }

    /// Tells those whose quotes still stand that they are not needed. Reads the same whatever the reason.
    pub(crate) fn not_selected(&mut self, intent: IntentId, now: Timestamp, batch: &mut Batch) {
        let taken = self.intents.get(&intent).and_then(|mine| mine.taken);
        let quoters = self.quoters.get(&intent).cloned().unwrap_or_default();
        for id in quoters.into_iter().filter(|id| Some(*id) != taken) {
            let Some(thread) = self.threads.get_mut(&id) else {
                continue;
            };
            let Some(offer) = thread.offer.as_mut().filter(|offer| offer.stands(now)) else {
                continue;
            };
            offer.over = Some(Over::NotSelected);
            let quote = offer.message;
            let until = offer.quote.valid_until.max(now + NOT_SELECTED_FOR);
            batch.thread(id);
            // Silence says the same in the end.
            let _ = self.send(
                id,
                Body::NotSelected(NotSelected { quote }),
                until,
                now,
                batch,
            );
        }
    }
}

/// A quote as a candidate for a place.
pub(crate) fn candidate(offer: &Offer, standing: bool) -> Candidate<'_> {
    Candidate {
        message: offer.message,
        quote: &offer.quote,
        standing,
        received: offer.at,
    }
}

/// What the buyer of an intent looks for.
pub(crate) fn wanted(mine: &Mine) -> Wanted<'_> {
    Wanted {
        wishes: &mine.intent.wishes,
        quantity: mine.intent.quantity,
        limit: mine.limit(),
        taste: mine.draft.taste,
    }
}
