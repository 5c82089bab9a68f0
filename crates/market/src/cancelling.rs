//! How a trade ends before its time: one of the two cancels it, or nobody goes on with it.
//!
//! A cancel says how far its writer believed the trade to be. If the other side has gone further meanwhile (confirmed, paid, dispatched), it refuses, and
//! the trade goes on with both knowing more; so both always agree on whether it was cancelled. Once something was sent or handed over, nobody can
//! cancel alone. A trade that nobody goes on with ends by its deadline, on either side by itself.

use haggle_protocol::limits::PRIVATE_LIFETIME_MAX;
use haggle_protocol::private::Body;
use haggle_protocol::trade::{Cancel, CancelReason, Progress};
use haggle_protocol::{MessageId, Refusal, ThreadId, Timestamp};

use crate::batch::Batch;
use crate::command::Complaint;
use crate::mail::Opened;
use crate::market::Market;
use crate::orders::{bad_note, no_such_thread, unsent};
use crate::threads::{Cancelling, Deal, DealState, Over, Sort, Taken};
use crate::view::{AnswerState, Role, TradeStep};

/// How long after the time that was quoted it is waited for word that something was sent or handed over, in seconds: two weeks, for holidays.
pub(crate) const DISPATCH_GRACE: u64 = 14 * 24 * 60 * 60;
/// How long after that it is waited for word that it has arrived, in seconds.
const RECEIPT_WITHIN: u64 = 14 * 24 * 60 * 60;

impl Deal {
    /// Whether this message is my cancel.
    pub(crate) fn is_cancelled_by(&self, message: MessageId) -> bool {
        let mine = self.cancelling.as_ref();
        mine.is_some_and(|cancelling| cancelling.message == message)
    }

    /// Whether I have wanted to cancel it, and the other side has not taken that.
    pub(crate) const fn was_cancelled(&self) -> bool {
        self.cancelling.is_some() || self.cancel_refused
    }

    /// Whether its seller has said that he sent it or handed it over.
    pub(crate) fn was_sent(&self) -> bool {
        self.sent().is_some()
    }

    /// Where its seller has said so first.
    pub(crate) fn sent(&self) -> Option<&Taken> {
        let mut steps = self.steps.iter();
        steps.find(|it| matches!(it.step, TradeStep::Dispatched | TradeStep::Delivered))
    }

    /// How far it is, as this side knows; `None` once something was sent, handed over or received.
    fn progress(&self) -> Option<Progress> {
        if self.was_sent() || self.has(TradeStep::Received) {
            return None;
        }
        match self.state {
            DealState::Ordered => Some(Progress::Ordered),
            DealState::Confirmed if self.has(TradeStep::Paid) => Some(Progress::Paid),
            DealState::Confirmed => Some(Progress::Confirmed),
            DealState::Declined(_) | DealState::NotConfirmed | DealState::Cancelled { .. } => None,
        }
    }

    /// Whether the other side, in this role, knows what this side has done if it believes the trade to be so far; what it did itself it knows.
    fn is_known_to(&self, other: Role, believed: Progress) -> bool {
        let known = |own: Progress, fact: Progress| (own == fact) == (believed == fact);
        // That it has lapsed meanwhile is nothing that this side has done.
        self.progress().is_some_and(|own| match other {
            Role::Buyer => known(own, Progress::Ordered),
            Role::Seller => known(own, Progress::Paid),
        })
    }

    /// When a confirmed trade ends by itself.
    pub(crate) fn deadline(&self) -> Option<Timestamp> {
        if self.state != DealState::Confirmed || !self.under_way() {
            return None;
        }
        Some(match self.sent() {
            Some(sent) => sent.at + RECEIPT_WITHIN,
            None => self.at + u64::from(self.quote.lead_time) + DISPATCH_GRACE,
        })
    }
}

pub(crate) fn being_cancelled() -> Complaint {
    let sentence = "Your cancel is on its way to the other side. Wait for what becomes of it.";
    Complaint::new("cancelling", sentence)
}

/// How far a trade is that this side can cancel.
///
/// # Errors
/// Why it cannot.
pub(crate) fn may_cancel(role: Role, deal: &Deal) -> Result<Progress, Complaint> {
    if deal.cancelling.is_some() {
        return Err(being_cancelled());
    }
    if !deal.under_way() {
        return Err(Complaint::new("over", "This trade is over."));
    }
    match deal.progress() {
        Some(Progress::Ordered) if role == Role::Seller => {
            let sentence = "You are not bound yet: refuse the order instead.";
            Err(Complaint::new("not-confirmed", sentence))
        }
        Some(progress) => Ok(progress),
        None => {
            let sentence = "It was sent or handed over, so nobody can cancel alone any more. Write to the other side.";
            Err(Complaint::new("dispatched", sentence))
        }
    }
}

impl Market {
    /// I do not go on with a trade.
    pub(crate) fn cancel(
        &mut self,
        id: ThreadId,
        reason: CancelReason,
        note: Option<String>,
        now: Timestamp,
        batch: &mut Batch,
    ) -> Result<(), Complaint> {
        let thread = self.threads.get(&id).ok_or_else(no_such_thread)?;
        let deal = thread.deal.as_ref().ok_or_else(no_such_thread)?;
        let cancel = Cancel {
            order: deal.message,
            progress: may_cancel(thread.role, deal)?,
            reason,
            note,
        };
        cancel.check().map_err(|_| bad_note())?;
        self.send_cancel(id, cancel, now, batch).map_err(unsent)?;
        // An order that has not arrived need not arrive any more.
        self.drop_outgoing(id, |waiting| waiting.sort == Sort::Order);
        if let Some(deal) = self.deal_mut(&id) {
            deal.cancel_refused = false;
        }
        batch.trades.insert(id);
        Ok(())
    }

    fn send_cancel(
        &mut self,
        id: ThreadId,
        cancel: Cancel,
        now: Timestamp,
        batch: &mut Batch,
    ) -> Result<(), Refusal> {
        let until = now + PRIVATE_LIFETIME_MAX;
        let message = self.send(id, Body::Cancel(cancel.clone()), until, now, batch)?;
        if let Some(deal) = self.deal_mut(&id) {
            deal.cancelling = Some(Cancelling {
                message,
                progress: cancel.progress,
                reason: cancel.reason,
                note: cancel.note,
            });
        }
        batch.thread(id);
        Ok(())
    }

    /// The other side does not go on with a trade.
    pub(crate) fn hear_cancel(
        &mut self,
        opened: &Opened,
        cancel: &Cancel,
        now: Timestamp,
        batch: &mut Batch,
    ) -> Result<(), Refusal> {
        let id = opened.message.thread;
        let thread = self.threads.get(&id).ok_or(Refusal::UnknownRecipient)?;
        let role = thread.role;
        let Some(deal) = thread
            .deal
            .as_ref()
            .filter(|deal| deal.message == cancel.order)
        else {
            // It has overtaken its order.
            if role == Role::Buyer {
                return Err(Refusal::WrongState);
            }
            self.took(opened, now, batch);
            if let Some(thread) = self.threads.get_mut(&id) {
                thread.cancelled = Some(cancel.order);
            }
            return Ok(());
        };
        deal.check_trader(opened)?;
        // If both cancel at once, the buyer's cancel is what both record, unless it does not count because he did not know of the confirmation.
        let mine = deal.cancelling.as_ref();
        let mine = mine.filter(|mine| role == Role::Buyer && mine.progress != Progress::Ordered);
        let (by, reason, note) = match deal.state {
            DealState::Cancelled {
                by: Role::Seller, ..
            } if role == Role::Seller => {
                if cancel.progress == Progress::Ordered {
                    return Err(Refusal::WrongState);
                }
                (Role::Buyer, cancel.reason, cancel.note.clone())
            }
            DealState::Cancelled { .. } => {
                self.took(opened, now, batch);
                return Ok(());
            }
            DealState::Ordered | DealState::Confirmed => {
                if !deal.is_known_to(role.other(), cancel.progress) {
                    return Err(Refusal::WrongState);
                }
                match mine {
                    Some(mine) => (Role::Buyer, mine.reason, mine.note.clone()),
                    None => (role.other(), cancel.reason, cancel.note.clone()),
                }
            }
            DealState::Declined(_) | DealState::NotConfirmed => return Err(Refusal::WrongState),
        };
        self.took(opened, now, batch);
        self.end_cancelled(id, by, reason, note, now, batch);
        Ok(())
    }

    /// The other side has taken my cancel.
    pub(crate) fn cancel_taken(&mut self, id: ThreadId, now: Timestamp, batch: &mut Batch) {
        let Some(thread) = self.threads.get_mut(&id) else {
            return;
        };
        let role = thread.role;
        let mine = thread.deal.as_mut().and_then(|it| it.cancelling.take());
        if let Some(mine) = mine {
            self.end_cancelled(id, role, mine.reason, mine.note, now, batch);
        }
    }

    /// The other side had gone on.
    pub(crate) fn cancel_refused(&mut self, id: ThreadId, batch: &mut Batch) {
        if let Some(deal) = self.deal_mut(&id) {
            deal.cancelling = None;
            deal.cancel_refused = true;
            batch.thread(id);
            batch.trades.insert(id);
        }
    }

    fn end_cancelled(
        &mut self,
        id: ThreadId,
        by: Role,
        reason: CancelReason,
        note: Option<String>,
        now: Timestamp,
        batch: &mut Batch,
    ) {
        let Some(thread) = self.threads.get_mut(&id) else {
            return;
        };
        let (role, intent) = (thread.role, thread.intent);
        let Some(deal) = &mut thread.deal else {
            return;
        };
        match deal.state {
            // Who no longer waited for the confirmation hears that there will be none.
            DealState::Ordered
            | DealState::Confirmed
            | DealState::NotConfirmed
            | DealState::Cancelled { .. } => {}
            DealState::Declined(_) => return,
        }
        deal.state = DealState::Cancelled { by, reason };
        deal.cancelling = None;
        deal.cancel_refused = false;
        deal.cancel_note = note;
        deal.ended = Some(now);
        batch.thread(id);
        batch.trades.insert(id);
        self.drop_outgoing(id, |waiting| match waiting.sort {
            Sort::Order
            | Sort::OrderConfirm
            | Sort::Contact
            | Sort::PaymentProof
            | Sort::Dispatch
            | Sort::Delivered
            | Sort::Receipt => true,
            Sort::Quote
            | Sort::Decline
            | Sort::NotSelected
            | Sort::Moved
            | Sort::Counter
            | Sort::Chat
            | Sort::EscrowLock
            | Sort::Settle
            | Sort::Dispute
            | Sort::Ruling
            | Sort::Cancel => false,
        });
        match role {
            Role::Buyer => {
                batch.mine.insert(intent);
                self.reopen(id, now, batch);
            }
            Role::Seller => {
                self.end_offer(id, Over::NotSelected, batch);
                if let Some(thread) = self.threads.get_mut(&id) {
                    thread.answer = AnswerState::NotSelected;
                }
                self.release(id, now, batch);
            }
        }
    }

    /// A trade that nobody goes on with ends, and a cancel that found no way for as long as a message lives is written anew until then.
    pub(crate) fn lapse_trade(&mut self, id: ThreadId, now: Timestamp, batch: &mut Batch) {
        let Some(thread) = self.threads.get_mut(&id) else {
            return;
        };
        let Some(deal) = &mut thread.deal else {
            return;
        };
        if deal.deadline().is_some_and(|at| at <= now) {
            let idle = deal.steps.is_empty() && thread.role == Role::Seller;
            deal.ended = Some(now);
            batch.thread(id);
            batch.trades.insert(id);
            if idle {
                // Nobody has paid it, and nobody has sent it: it is there for others.
                self.release(id, now, batch);
            }
        }
        self.lapse_cancel(id, now, batch);
    }

    fn lapse_cancel(&mut self, id: ThreadId, now: Timestamp, batch: &mut Batch) {
        let Some(thread) = self.threads.get_mut(&id) else {
            return;
        };
        let mine = thread.deal.as_ref().and_then(|it| it.cancelling.clone());
        let lost = mine.filter(|mine| !thread.waits(mine.message));
        let Some(deal) = &mut thread.deal else {
            return;
        };
        let Some(lost) = lost else {
            return;
        };
        if !deal.under_way() {
            deal.cancelling = None;
            // A confirmation that comes after all is not welcome.
            deal.cancel_refused = deal.state == DealState::NotConfirmed;
            batch.thread(id);
            batch.trades.insert(id);
            return;
        }
        let cancel = Cancel {
            order: deal.message,
            // What its writer learned since, he did not know when he cancelled.
            progress: lost.progress,
            reason: lost.reason,
            note: lost.note,
        };
        // If too much waits for the other side, it is tried again when some of that has expired.
        let _ = self.send_cancel(id, cancel, now, batch);
    }
}
