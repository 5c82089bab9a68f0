//! After the confirmation, until the end of a trade: the buyer has paid, the seller has sent it, the buyer has it.
//!
//! Each step is said once, by the side whose step it is, and kept by both; nothing depends on their order, because what is agreed on (cash at the
//! door, payment before or after) is for the two to agree on. What is handed over in person can be said with proof: by the code that its buyer has
//! committed to in his order, and told the seller when he held the goods.

use haggle_protocol::handover::HandoverCode;
use haggle_protocol::intent::Delivery;
use haggle_protocol::limits::PRIVATE_LIFETIME_MAX;
use haggle_protocol::private::Body;
use haggle_protocol::trade::{Delivered, Order, Step};
use haggle_protocol::{FileId, MessageId, Refusal, ThreadId, Timestamp};

use crate::batch::Batch;
use crate::cancelling::being_cancelled;
use crate::command::{Complaint, NewFile};
use crate::files::Packed;
use crate::mail::Opened;
use crate::market::Market;
use crate::orders::{bad_note, no_such_thread, unsent};
use crate::record::Handover;
use crate::threads::{Deal, DealState, Taken};
use crate::view::{Role, TradeStep};

/// What is said with a step.
pub(crate) struct Said {
    pub(crate) note: Option<String>,
    pub(crate) files: Vec<NewFile>,
    pub(crate) code: Option<String>,
}

impl Deal {
    /// Whether the other side may say this step now.
    fn takes(&self, step: TradeStep) -> bool {
        let fits = match self.state {
            DealState::Confirmed => true,
            // It may overtake the confirmation that it follows, also one that comes late.
            DealState::Ordered | DealState::NotConfirmed => {
                matches!(step, TradeStep::Dispatched | TradeStep::Delivered)
            }
            DealState::Declined(_) | DealState::Cancelled { .. } => false,
        };
        fits && !self.has(step)
    }

    /// Whether its seller can still say by the buyer's code that he has handed it over.
    pub(crate) fn may_deliver(&self) -> bool {
        let open = !self.has(TradeStep::Delivered) && !self.has(TradeStep::Received);
        self.state == DealState::Confirmed && self.order.handover.is_some() && open
    }

    /// The code as its buyer is shown it: from the confirmation on, until the seller has it.
    pub(crate) fn shown_code(&self, me: Role) -> Option<String> {
        let code = self.code.as_ref().filter(|_| me == Role::Buyer)?;
        self.may_deliver().then(|| code.0.shown())
    }
}

impl Market {
    /// The order with a commitment to a fresh hand-over code, if anything can be handed over.
    pub(crate) fn with_code(&mut self, order: Order) -> (Order, Option<Handover>) {
        match order.delivery {
            Delivery::Digital => (order, None),
            Delivery::Pickup | Delivery::Shipping | Delivery::OnSite | Delivery::Transport => {
                let code = HandoverCode::random(&mut self.pen.dice);
                let handover = Some(code.commit(&order.quote));
                (Order { handover, ..order }, Some(Handover(code)))
            }
        }
    }

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
        self.taking(step, opened, said.order)?;
        self.check_files(id, &said.files)?;
        self.took(opened, now, batch);
        let files = self.learn_files(id, &said.files, now, batch);
        self.take_heard(step, opened, said.note.clone(), files, now, batch);
        Ok(())
    }

    /// The seller says that he has handed it over, and shows my code.
    pub(crate) fn hear_delivered(
        &mut self,
        opened: &Opened,
        said: &Delivered,
        now: Timestamp,
        batch: &mut Batch,
    ) -> Result<(), Refusal> {
        let step = TradeStep::Delivered;
        let deal = self.taking(step, opened, said.order)?;
        if deal.code.as_ref().is_none_or(|code| code.0 != said.code) {
            return Err(Refusal::BadField);
        }
        self.took(opened, now, batch);
        self.take_heard(step, opened, said.note.clone(), Vec::new(), now, batch);
        Ok(())
    }

    /// The deal in which the other side may say this step of this order now.
    fn taking(&self, step: TradeStep, opened: &Opened, order: MessageId) -> Result<&Deal, Refusal> {
        let deal = self.deal(&opened.message.thread);
        let deal = deal.filter(|deal| deal.message == order && deal.takes(step));
        let deal = deal.ok_or(Refusal::WrongState)?;
        deal.check_trader(opened)?;
        Ok(deal)
    }

    fn take_heard(
        &mut self,
        step: TradeStep,
        opened: &Opened,
        note: Option<String>,
        files: Vec<FileId>,
        now: Timestamp,
        batch: &mut Batch,
    ) {
        let taken = Taken {
            step,
            message: opened.id,
            at: now,
            note,
            delivered: true,
            files,
        };
        self.take_step(opened.message.thread, taken, batch);
    }

    /// I have taken a step, and the other side shall know.
    pub(crate) fn report(
        &mut self,
        id: ThreadId,
        step: TradeStep,
        said: Said,
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
        if step == TradeStep::Paid && deal.order.escrow.is_some() {
            let sentence = "The seller sees it by itself once your money is locked.";
            return Err(Complaint::about("escrow-pays", "step", sentence));
        }
        if step.role() == Role::Seller {
            deal.may_be_sent(now)?;
        }
        if step.role() == Role::Seller && deal.has(TradeStep::Received) {
            let sentence = "The buyer has it already.";
            return Err(Complaint::new("received", sentence));
        }
        let order = deal.message;
        let say: fn(Step) -> Body = match step {
            TradeStep::Paid => Body::PaymentProof,
            TradeStep::Dispatched => Body::Dispatch,
            TradeStep::Received => Body::Receipt,
            TradeStep::Delivered => {
                let code = checked_code(deal, said.code.as_deref())?;
                let delivered = Delivered {
                    order,
                    code: code.clone(),
                    note: said.note.clone(),
                };
                delivered.check().map_err(|_| bad_note())?;
                let (body, none) = (Body::Delivered(delivered), Packed::default());
                self.say_step(id, step, body, said.note, none, now, batch)?;
                if let Some(deal) = self.deal_mut(&id) {
                    deal.code = Some(Handover(code));
                }
                return Ok(());
            }
        };
        let packed = self.pack(said.files)?;
        let plain = Step {
            order,
            note: said.note.clone(),
            files: packed.named(),
        };
        plain.check().map_err(|_| bad_note())?;
        self.say_step(id, step, say(plain), said.note, packed, now, batch)
    }

    #[allow(
        clippy::too_many_arguments,
        reason = "what is sent and what is kept of it"
    )]
    fn say_step(
        &mut self,
        id: ThreadId,
        step: TradeStep,
        body: Body,
        note: Option<String>,
        packed: Packed,
        now: Timestamp,
        batch: &mut Batch,
    ) -> Result<(), Complaint> {
        let sent = self.send(id, body, now + PRIVATE_LIFETIME_MAX, now, batch);
        let taken = Taken {
            step,
            message: sent.map_err(unsent)?,
            at: now,
            note,
            delivered: false,
            files: self.shelve(id, packed, now, batch),
        };
        self.take_step(id, taken, batch);
        Ok(())
    }

    pub(crate) fn take_step(&mut self, id: ThreadId, taken: Taken, batch: &mut Batch) {
        if let Some(deal) = self.deal_mut(&id) {
            deal.steps.push(taken);
            batch.thread(id);
            batch.trades.insert(id);
        }
    }
}

/// The code that the buyer is said to have told me, if it is his.
fn checked_code(deal: &Deal, typed: Option<&str>) -> Result<HandoverCode, Complaint> {
    let Some(handover) = &deal.order.handover else {
        let sentence =
            "This order has no hand-over code. Say instead that you have handed it over.";
        return Err(Complaint::new("no-code", sentence));
    };
    let code = typed.and_then(HandoverCode::parse).ok_or_else(|| {
        let sentence = "Type the ten characters that the buyer reads to you.";
        Complaint::about("bad-code", "code", sentence)
    })?;
    if code.commit(&deal.order.quote) == *handover {
        return Ok(code);
    }
    let sentence = "This is not the code of this order. Have the buyer read it to you once more.";
    Err(Complaint::about("wrong-code", "code", sentence))
}
