//! When the two do not agree: one of them, or both, ask the arbiter whom they chose with the order, and what he has decided comes true by one
//! more signature.
//!
//! Whoever asks shows what both have signed; whoever hears the ruling signs it by himself, since he agreed to the arbiter with the order, has
//! it carried out, and tells the other side. That side needs to do nothing: a settlement that an arbiter and the other one have signed can
//! come true without it, so it is never signed here on their word alone, only carried out as it is, and its share is claimed. Nothing waits
//! for an arbiter beyond the deadline of the lock.

use haggle_protocol::arbitration::{Arbiter, Dispute, Ruling};
use haggle_protocol::limits::{CLOCK_SKEW, PRIVATE_LIFETIME_MAX};
use haggle_protocol::private::Body;
use haggle_protocol::settlement::REVIEW_MAX;
use haggle_protocol::{
    ContractId, IntentId, MessageId, Outcome, Party, Quote, Refusal, Settlement, Side, Split,
    ThreadId, Timestamp,
};
use serde::{Deserialize, Serialize};

use super::{Escrow, LOOK_FOR, PROPOSALS_MAX, Proposal, REVIEW};
use crate::batch::Batch;
use crate::command::{Complaint, Payment};
use crate::mail::Opened;
use crate::market::Market;
use crate::orders::{no_such_thread, unsent};
use crate::record::hex_bytes;
use crate::threads::Deal;
use crate::view::{DisputeState, DisputeView, Role, RulingView};

/// How much more time than an arbiter wants there must be before the deadline of a lock for him to be asked, in seconds: his ruling has to
/// be heard and carried out, and a peer that somebody opens once a day shall have the time.
const MARGIN: u32 = 24 * 60 * 60;
/// How long after the deadline of a lock an exchange with its arbiter is kept, in seconds: for words.
const KEPT_AFTER: u64 = 30 * 24 * 60 * 60;

/// How long it is tried to tell a side that is away for long of what was carried out, in seconds, each week anew.
pub(super) const TOLD_FOR: u64 = 24 * 60 * 60;

/// What both have signed, as a cell held it: kept only if there is an arbiter to show it to.
#[derive(Clone, Default, Serialize, Deserialize)]
pub(super) struct Papers {
    #[serde(with = "hex_bytes")]
    order: Vec<u8>,
    #[serde(with = "hex_bytes")]
    confirm: Vec<u8>,
}

/// What one has asked the arbiter.
#[derive(Clone, Serialize, Deserialize)]
pub(super) struct Disputed {
    /// The exchange with him.
    thread: ThreadId,
    /// About which lock.
    contract: ContractId,
    /// The message that asked him, and whether it arrived.
    message: MessageId,
    arrived: bool,
    /// Why he does not take it.
    refused: Option<String>,
    /// What I want for the buyer, in minor units.
    buyer: u64,
    words: String,
    at: Timestamp,
    ruled: Option<Ruled>,
}

/// What he has decided.
#[derive(Clone, Serialize, Deserialize)]
struct Ruled {
    /// Nothing: the seller holds it.
    split: Option<Split>,
    /// Until when he does.
    #[serde(default)]
    held_until: Option<Timestamp>,
    words: String,
}

impl Ruled {
    fn view(&self) -> RulingView {
        let share = |of: fn(&Split) -> u64| self.split.as_ref().map_or(0, of);
        RulingView {
            buyer: share(|it| it.buyer),
            seller: share(|it| it.seller),
            arbiter: share(|it| it.arbiter),
            words: Some(self.words.clone()),
            held_until: self.held_until,
        }
    }
}

/// What a side is shown of what an arbiter has decided, by the settlement alone.
fn view_of(outcome: Outcome) -> Option<RulingView> {
    let (split, held_until) = match outcome {
        Outcome::Split(split) => (split, None),
        Outcome::Renew { deadline, .. } => (Split::default(), Some(deadline)),
        Outcome::Expired => return None,
    };
    Some(RulingView {
        buyer: split.buyer,
        seller: split.seller,
        arbiter: split.arbiter,
        words: None,
        held_until,
    })
}

/// Until when an arbiter can be asked about what is locked until this deadline.
fn ask_by(arbiter: &Arbiter, deadline: Timestamp) -> Timestamp {
    deadline - (u64::from(arbiter.terms.within) + u64::from(MARGIN))
}

/// How long a buyer usually has to object, in seconds: at least half of it is left for him when the arbiter's own time is taken off.
#[must_use]
pub fn usual_review(arbiter: Option<&Arbiter>) -> u32 {
    let least = arbiter.map_or(0, |one| one.terms.within.saturating_add(MARGIN) * 2);
    REVIEW.max(least).min(REVIEW_MAX)
}

impl Proposal {
    /// Whether an arbiter and the other side have signed it, so that it can come true without this party. Whether their signatures are any
    /// the rail says when it is carried out or claimed by.
    pub(super) fn is_without(&self, party: Party) -> bool {
        let others = [Party::Buyer, Party::Seller, Party::Arbiter];
        let mut others = others.into_iter().filter(|one| *one != party);
        self.ruled && others.all(|one| self.settlement.is_signed_by(one))
    }
}

impl Escrow {
    /// Whether it needs nothing of me any more: an arbiter and the other side have signed it, while the lock's deadline is not over.
    pub(super) fn is_decided(&self, role: Role, proposal: &Proposal, now: Timestamp) -> bool {
        let lock = self.lock.as_ref();
        let in_time = lock.is_some_and(|it| now < it.contract.deadline);
        in_time && proposal.is_without(role.side().into())
    }

    /// Whether the other side has to hear now, once more, of what was carried out, since nobody else tells it: it never signed it.
    pub(super) fn must_be_told(&self, proposal: &Proposal, now: Timestamp) -> bool {
        let lock = self.lock.as_ref();
        let open = lock.is_some_and(|it| now < it.contract.deadline + LOOK_FOR);
        proposal.ruled && open && proposal.again <= now
    }

    /// When the other side has to hear of it next, if it is away for long.
    pub(super) fn tell_at(&self, now: Timestamp) -> Option<Timestamp> {
        let unheard = |it: &&Proposal| {
            let arrived = it.said.is_some_and(|(_, arrived)| arrived);
            it.ruled && it.done && !it.dead && !arrived && it.again > now
        };
        let unheard = self.proposals.iter().filter(unheard);
        let again = unheard.map(|it| it.again).min()?;
        let over = self.lock.as_ref()?.contract.deadline + LOOK_FOR;
        (again < over).then_some(again)
    }

    /// Whether an arbiter has decided so, as far as is known here.
    pub(super) fn is_ruled(&self, settlement: &Settlement) -> bool {
        let same = |it: &Proposal| it.settlement.salt == settlement.salt;
        self.proposals.iter().any(|it| same(it) && it.ruled)
    }

    /// Keeps what the other side says that an arbiter has decided, with both their signatures.
    fn take_decided(&mut self, role: Role, settlement: &Settlement, message: MessageId) {
        let me = Party::from(role.side());
        let mut theirs = settlement.clone();
        theirs.signatures.retain(|one| one.party != me);
        if self.proposal(settlement).is_none() {
            let proposal = Proposal::new(theirs.clone(), role.other(), false);
            self.proposals.push(proposal);
        }
        let Some(known) = self.proposal(settlement) else {
            return;
        };
        let signed = &mut known.settlement.signatures;
        // What the arbiter himself has told me nobody replaces.
        let kept = |party| party == me || (known.ruled && known.agreed && party == Party::Arbiter);
        signed.retain(|one| kept(one.party));
        theirs.signatures.retain(|one| !kept(one.party));
        signed.append(&mut theirs.signatures);
        (known.ruled, known.done, known.dead) = (true, true, false);
        // Its sender knows.
        known.said = Some((message, true));
    }

    /// What an arbiter has decided, as far as is known here.
    pub(super) fn ruling(&self) -> Option<RulingView> {
        let asked = self.disputed.as_ref().and_then(|it| it.ruled.as_ref());
        if let Some(ruled) = asked {
            return Some(ruled.view());
        }
        let told = self.proposals.iter().filter(|it| it.ruled && !it.dead);
        let mut told = told.chain(&self.renewed);
        told.find_map(|it| view_of(it.settlement.outcome))
    }
}

impl Deal {
    fn papers(&mut self) -> Option<&mut Papers> {
        let plan = self.order.escrow.as_ref()?;
        plan.arbiter.as_ref()?;
        self.escrow.as_mut().map(|it| &mut it.papers)
    }

    /// The order, as it was signed.
    pub(crate) fn keep_order(&mut self, content: &[u8]) {
        if let Some(papers) = self.papers() {
            papers.order = content.to_vec();
        }
    }

    /// Its confirmation, as it was signed.
    pub(crate) fn keep_confirm(&mut self, content: &[u8]) {
        if let Some(papers) = self.papers() {
            papers.confirm = content.to_vec();
        }
    }
}

impl Market {
    /// The arbiter whom a buyer chooses: one of those that the quote names, who says out loud what the quote says of him.
    pub(super) fn chosen(
        &self,
        one: IntentId,
        payment: &Payment,
        quote: &Quote,
    ) -> Result<Arbiter, Complaint> {
        let mut named = quote.arbiters.iter();
        let arbiter = named.find(|it| it.intent == one && it.terms.rail == payment.keeper.rail);
        let arbiter = arbiter.ok_or_else(|| {
            let sentence = "The seller does not take that. Choose one of the arbiters that his quote names, or none.";
            Complaint::about("not-offered", "arbiter", sentence)
        })?;
        if !self.decides(arbiter) {
            return Err(away());
        }
        Ok(arbiter.clone())
    }

    /// Whether somebody else says out loud that he decides on these terms.
    fn decides(&self, arbiter: &Arbiter) -> bool {
        let open = self.book.open(&arbiter.intent);
        open.is_some_and(|open| {
            let mine = self.is_mine(&arbiter.intent, &open.key, &open.intent.mark);
            !mine && open.intent.arbiter.as_ref() == Some(&arbiter.terms)
        })
    }

    /// Asks the arbiter of a trade: so much to the buyer, as I would have it. Gives the exchange with him.
    pub(crate) fn dispute(
        &mut self,
        id: ThreadId,
        buyer: u64,
        words: String,
        now: Timestamp,
        batch: &mut Batch,
    ) -> Result<ThreadId, Complaint> {
        let (_, _, plan, escrow) = self.escrow(&id).ok_or_else(no_such_thread)?;
        let Some(arbiter) = plan.arbiter.clone() else {
            let sentence = "No arbiter was chosen with this order. Write to the other side, and offer to share it out.";
            return Err(Complaint::new("no-arbiter", sentence));
        };
        let lock = escrow.lock.as_ref().filter(|_| escrow.is_funded());
        let Some(lock) = lock else {
            let sentence = "Nothing is locked that could be shared out.";
            return Err(Complaint::new("not-locked", sentence));
        };
        if let Some(before) = &escrow.disputed {
            self.may_ask_again(before, lock.contract.id())?;
        }
        let contract = lock.contract.clone();
        let within = u64::from(arbiter.terms.within);
        if now >= ask_by(&arbiter, contract.deadline) {
            let sentence = "There is not enough time left for the arbiter before the money goes to whoever holds it then. Write to the other side.";
            return Err(Complaint::new("too-late", sentence));
        }
        let shared = plan.minor - arbiter.terms.fee_of(plan.minor);
        if buyer > shared {
            let sentence = "That is more than is locked, less what the arbiter takes.";
            return Err(Complaint::about("wrong-sum", "buyer", sentence));
        }
        let papers = escrow.papers.clone();
        let thread = self.threads.get(&id).ok_or_else(no_such_thread)?;
        let said = Dispute {
            contract: contract.clone(),
            locked: lock.locked.clone(),
            intent_key: thread.intent_key,
            order: papers.order,
            confirm: papers.confirm,
            buyer,
            words: words.clone(),
        };
        said.check().map_err(|_| bad_words())?;
        let wanted = self.wanted(&arbiter.intent);
        let wanted = wanted.filter(|_| self.decides(&arbiter)).ok_or_else(away)?;
        let with = self
            .thread_for(arbiter.intent, &wanted, now)
            .map_err(unsent)?;
        // Later he would not take it.
        let until = now + PRIVATE_LIFETIME_MAX.min(contract.deadline.since(now) - within);
        let body = Body::Dispute(Box::new(said));
        let message = self.send(with, body, until, now, batch).map_err(unsent)?;
        if let Some(thread) = self.threads.get_mut(&with) {
            thread.keep_for_ruling(contract.deadline + KEPT_AFTER, Some(id));
        }
        if let Some(escrow) = self.escrow_mut(&id) {
            escrow.disputed = Some(Disputed {
                thread: with,
                contract: contract.id(),
                message,
                arrived: false,
                refused: None,
                buyer,
                words,
                at: now,
                ruled: None,
            });
        }
        batch.thread(id);
        batch.trades.insert(id);
        batch.open.insert(arbiter.intent);
        Ok(with)
    }

    /// Until when I can ask the arbiter of a trade, if there is one and something that he could decide about.
    pub(crate) fn may_ask_by(&self, id: &ThreadId) -> Option<Timestamp> {
        let (_, _, plan, escrow) = self.escrow(id)?;
        let arbiter = plan.arbiter.as_ref()?;
        let lock = escrow.lock.as_ref().filter(|_| escrow.is_funded())?;
        let before = escrow.disputed.as_ref();
        let asked = before.map(|it| self.may_ask_again(it, lock.contract.id()));
        asked
            .is_none_or(|again| again.is_ok())
            .then(|| ask_by(arbiter, lock.contract.deadline))
    }

    /// Whether the arbiter can be asked once more: he has not heard, has not taken it, or it was about a lock that was renewed since.
    fn may_ask_again(&self, before: &Disputed, contract: ContractId) -> Result<(), Complaint> {
        let same = before.contract == contract;
        if same && before.ruled.is_some() {
            return Err(Complaint::new("ruled", "The arbiter has decided already."));
        }
        let open = match self.dispute_state(before) {
            DisputeState::Sending | DisputeState::Delivered => same,
            DisputeState::Refused(_) | DisputeState::Lost => false,
        };
        if open {
            let sentence =
                "You have asked the arbiter already. Write to him if there is more to say.";
            return Err(Complaint::new("disputed", sentence));
        }
        Ok(())
    }

    fn dispute_state(&self, disputed: &Disputed) -> DisputeState {
        let with = self.threads.get(&disputed.thread);
        match &disputed.refused {
            Some(code) => DisputeState::Refused(code.clone()),
            None if disputed.arrived => DisputeState::Delivered,
            None if with.is_some_and(|it| it.waits(disputed.message)) => DisputeState::Sending,
            None => DisputeState::Lost,
        }
    }

    /// What I have asked the arbiter of a trade.
    pub(crate) fn dispute_view(&self, id: &ThreadId) -> Option<DisputeView> {
        let (.., escrow) = self.escrow(id)?;
        let disputed = escrow.disputed.as_ref()?;
        Some(DisputeView {
            thread: disputed.thread,
            buyer: disputed.buyer,
            words: disputed.words.clone(),
            at: disputed.at,
            state: self.dispute_state(disputed),
        })
    }

    /// A message to an arbiter, or of one, arrived, or is not taken.
    pub(crate) fn judged_heard(
        &mut self,
        id: ThreadId,
        message: MessageId,
        refusal: Option<Refusal>,
        batch: &mut Batch,
    ) {
        let judged = self.threads.get(&id).and_then(|it| it.judged.as_ref());
        let Some(trades) = judged.map(|it| it.trades.clone()) else {
            return;
        };
        for trade in trades {
            let escrow = self.escrow_mut(&trade);
            let disputed = escrow.and_then(|it| it.disputed.as_mut());
            if let Some(disputed) = disputed.filter(|it| it.message == message) {
                disputed.arrived = true;
                disputed.refused = refusal.map(|it| it.code().to_owned());
                batch.thread(trade);
                batch.trades.insert(trade);
            }
        }
        self.ruling_heard(message, refusal, batch);
    }

    /// The arbiter has decided. It is refused unless it is about a lock of mine for which I asked him, in time, and adds up.
    pub(crate) fn hear_ruling(
        &mut self,
        opened: &Opened,
        said: &Ruling,
        now: Timestamp,
        batch: &mut Batch,
    ) -> Result<(), Refusal> {
        let with = opened.message.thread;
        let judged = self.threads.get(&with).and_then(|it| it.judged.as_ref());
        let judged = judged.ok_or(Refusal::WrongState)?;
        let settlement = &said.settlement;
        let asked = |trade: &&ThreadId| {
            let disputed = self.escrow(trade).and_then(|it| it.3.disputed.as_ref());
            disputed.is_some_and(|it| it.thread == with && it.contract == settlement.contract)
        };
        let trade = *judged
            .trades
            .iter()
            .find(asked)
            .ok_or(Refusal::WrongState)?;
        let (role, _, plan, escrow) = self.escrow(&trade).ok_or(Refusal::WrongState)?;
        let lock = escrow.lock.as_ref().ok_or(Refusal::WrongState)?;
        let disputed = escrow.disputed.as_ref().ok_or(Refusal::WrongState)?;
        let contract = &lock.contract;
        if contract.id() != settlement.contract || disputed.ruled.is_some() {
            return Err(Refusal::WrongState);
        }
        let (split, held_until) = match settlement.outcome {
            Outcome::Split(split) => (Some(split), None),
            Outcome::Renew { holder, deadline } => {
                // No longer than both have agreed on, from his word on.
                let longest = now + u64::from(plan.review) + CLOCK_SKEW;
                let fits = holder == Side::Seller && contract.holder == Side::Buyer;
                if !fits || deadline <= now || deadline > longest {
                    return Err(Refusal::BadField);
                }
                (None, Some(deadline))
            }
            Outcome::Expired => return Err(Refusal::BadField),
        };
        let terms = plan.arbiter.as_ref().map(|it| &it.terms);
        let fee = terms.map_or(0, |it| it.fee_of(plan.minor));
        if split.is_some_and(|split| !split.fits(contract) || split.arbiter > fee) {
            return Err(Refusal::WrongSum);
        }
        if !settlement.is_signed_by(Party::Arbiter) {
            return Err(Refusal::BadField);
        }
        // From here on it is the holder's.
        if contract.deadline <= now {
            return Err(Refusal::Expired);
        }
        let over = escrow.settled.is_some() || escrow.moved;
        self.took(opened, now, batch);
        if let Some(escrow) = self.escrow_mut(&trade) {
            if let Some(disputed) = &mut escrow.disputed {
                disputed.arrived = true;
                disputed.ruled = Some(Ruled {
                    split,
                    held_until,
                    words: said.words.clone(),
                });
            }
            if !over {
                // The other side may have told me of it before, truly or not: what he says himself holds.
                let told = |it: &Proposal| it.by != role && it.settlement.salt == settlement.salt;
                let same = |it: &Proposal| told(it) && it.settlement.outcome == settlement.outcome;
                let done = escrow.proposals.iter().any(|it| same(it) && it.done);
                escrow.proposals.retain(|it| !told(it));
                // His signature and no other: by my own I would take it for what I have signed.
                let mut theirs = settlement.clone();
                theirs.signatures.retain(|one| one.party == Party::Arbiter);
                let proposal = Proposal::new(theirs, role.other(), true);
                let ruled = true;
                escrow.proposals.push(Proposal {
                    ruled,
                    done,
                    ..proposal
                });
            }
        }
        self.hurry_escrow(trade, batch);
        Ok(())
    }

    /// The other side says what an arbiter has decided, and that it was carried out. It is believed when the rail says so: nothing is signed
    /// on this word. Gives whether it was that.
    pub(super) fn hear_decided(
        &mut self,
        opened: &Opened,
        settlement: &Settlement,
        now: Timestamp,
        batch: &mut Batch,
    ) -> Result<bool, Refusal> {
        let id = opened.message.thread;
        let (role, _, plan, escrow) = self.escrow(&id).ok_or(Refusal::WrongState)?;
        let Some(lock) = escrow.lock.as_ref().filter(|_| plan.arbiter.is_some()) else {
            return Ok(false);
        };
        let contract = &lock.contract;
        let signed = settlement.is_signed_by(Party::Arbiter);
        let renewed = escrow.renewed.as_ref();
        if renewed.is_some_and(|it| signed && it.settlement.salt == settlement.salt) {
            // It is known here, and what came of it is locked.
            self.took(opened, now, batch);
            return Ok(true);
        }
        if !signed || settlement.contract != contract.id() {
            return Ok(false);
        }
        let fits = match settlement.outcome {
            Outcome::Split(split) => split.fits(contract),
            Outcome::Renew { holder, .. } => {
                holder == Side::Seller && contract.holder == Side::Buyer
            }
            Outcome::Expired => return Ok(false),
        };
        if !fits {
            return Err(Refusal::BadField);
        }
        let mut known = escrow.proposals.iter();
        let known = known.find(|it| it.settlement.salt == settlement.salt);
        if known.is_some_and(|it| it.by == role || it.settlement.outcome != settlement.outcome) {
            return Ok(false);
        }
        let theirs = escrow.proposals.iter().filter(|it| it.by != role).count();
        if known.is_none() && theirs >= PROPOSALS_MAX {
            return Err(Refusal::WhisperRate);
        }
        // A lock that is gone, nobody knew by what, may have gone by this.
        let by_nobody = escrow.settled.is_some_and(|it| it.outcome.is_none());
        let over = escrow.settled.is_some() && !by_nobody;
        self.took(opened, now, batch);
        if let Some(escrow) = self.escrow_mut(&id).filter(|_| !over) {
            if by_nobody {
                escrow.settled = None;
                escrow.moved = true;
            }
            escrow.take_decided(role, settlement, opened.id);
        }
        self.hurry_escrow(id, batch);
        Ok(true)
    }
}

fn away() -> Complaint {
    let sentence = "The arbiter does not say any more that he decides on these terms, or has not been heard of since this peer started. Try again later.";
    Complaint::about("arbiter-away", "arbiter", sentence)
}

pub(crate) fn bad_words() -> Complaint {
    let sentence = "Say why in at most 600 letters, without spaces at the ends.";
    Complaint::about("bad-text", "words", sentence)
}
