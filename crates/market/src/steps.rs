//! After the confirmation, until the end of a trade: the buyer has paid, the seller has sent it, the buyer has it.
//!
//! Each step is said once, by the side whose step it is, and kept by both; nothing depends on their order, because what is agreed on (cash at the
//! door, payment before or after) is for the two to agree on.

use haggle_protocol::limits::PRIVATE_LIFETIME_MAX;
use haggle_protocol::private::Body;
use haggle_protocol::trade::Step;
use haggle_protocol::{Refusal, ThreadId, Timestamp};

use crate::batch::Batch;
use crate::cancelling::being_cancelled;
use crate::command::Complaint;
use crate::mail::Opened;
use crate::market::Market;
use crate::orders::{bad_note, no_such_thread, unsent};
use crate::threads::{DealState, Taken};
use crate::view::TradeStep;

impl Market {
    /// The other side says that it has taken a step.
    pub(crate) fn hear_step(
        &mut self,
        step: TradeStep,
        opened: &Opened,
        said: &Step,
        now: Timestamp,
        batch: &mut Batch,
    ) -> Result<(), Refusal> {
        let id = opened.message.thread;
        let deal = self.deal(&id).filter(|deal| deal.message == said.order);
        let deal = deal.ok_or(Refusal::WrongState)?;
        let fits = match deal.state {
            DealState::Confirmed => true,
            // It may overtake the confirmation that it follows, also one that comes late.
            DealState::Ordered | DealState::NotConfirmed => step == TradeStep::Dispatched,
            DealState::Declined(_) | DealState::Cancelled { .. } => false,
        };
        if !fits || deal.has(step) {
            return Err(Refusal::WrongState);
        }
        deal.check_trader(opened)?;
        self.took(opened, now, batch);
        let taken = Taken {
            step,
            message: opened.id,
            at: now,
            note: said.note.clone(),
            delivered: true,
        };
        self.take_step(id, taken, batch);
        Ok(())
    }

    /// I have taken a step, and the other side shall know.
    pub(crate) fn report(
        &mut self,
        id: ThreadId,
        step: TradeStep,
        note: Option<String>,
        now: Timestamp,
        batch: &mut Batch,
    ) -> Result<(), Complaint> {
        let thread = self.threads.get(&id).ok_or_else(no_such_thread)?;
        let deal = thread.deal.as_ref().ok_or_else(no_such_thread)?;
        if step.role() != thread.role {
            let sentence = "This is for the other side to say.";
            return Err(Complaint::about("not-yours", "step", sentence));
        }
        if deal.state != DealState::Confirmed {
            let sentence = "This can be said once the order is confirmed.";
            return Err(Complaint::new("not-confirmed", sentence));
        }
        if deal.has(step) {
            let sentence = "You have said so already.";
            return Err(Complaint::new("said-already", sentence));
        }
        if deal.cancelling.is_some() {
            return Err(being_cancelled());
        }
        if step == TradeStep::Dispatched && deal.has(TradeStep::Received) {
            let sentence = "The buyer has it already.";
            return Err(Complaint::new("received", sentence));
        }
        let said = Step {
            order: deal.message,
            note,
        };
        said.check().map_err(|_| bad_note())?;
        let note = said.note.clone();
        let body = match step {
            TradeStep::Paid => Body::PaymentProof(said),
            TradeStep::Dispatched => Body::Dispatch(said),
            TradeStep::Received => Body::Receipt(said),
        };
        let sent = self.send(id, body, now + PRIVATE_LIFETIME_MAX, now, batch);
        let taken = Taken {
            step,
            message: sent.map_err(unsent)?,
            at: now,
            note,
            delivered: false,
        };
        self.take_step(id, taken, batch);
        Ok(())
    }

    fn take_step(&mut self, id: ThreadId, taken: Taken, batch: &mut Batch) {
        if let Some(deal) = self.deal_mut(&id) {
            deal.steps.push(taken);
            batch.thread(id);
            batch.trades.insert(id);
        }
    }
}
