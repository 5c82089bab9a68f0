//! What the two of a trade agree on about locked money, and what one hears of the other: the plan of an order, a lock that is told of, a
//! proposal how to share it out.

use haggle_protocol::limits::CLOCK_SKEW;
use haggle_protocol::settlement::{EscrowLock, Settle};
use haggle_protocol::{
    Contract, ContractId, EscrowPlan, Money, Outcome, Party, Refusal, Side, Split, ThreadId,
    Timestamp,
};

use super::judging::usual_review;
use super::{Escrow, Held, LOCK_BEFORE, PROPOSALS_KEPT, PROPOSALS_MAX, Proposal, leaves_a_review};
use crate::batch::Batch;
use crate::command::{Complaint, Payment};
use crate::mail::Opened;
use crate::market::Market;
use crate::orders::no_such_thread;
use crate::threads::{Deal, DealState};
use crate::view::Role;

impl Escrow {
    /// Whether this is a contract that my side knows and has not seen the lock of: it is being looked at, or on its way here.
    fn may_come_to(&self, role: Role, deal: &Deal, plan: &EscrowPlan, id: &ContractId) -> bool {
        let claimed = self.claimed.as_ref().map(|it| it.contract.id());
        // Until the buyer has told his key, nobody can say which one the first is.
        let first = self.contract(role, deal.message, plan, self.theirs);
        let first = first.map_or(role == Role::Seller, |it| it.id() == *id);
        let mut renewals = self.renewals(role);
        // By an arbiter's word it is locked anew without this side, once.
        let lock = self.lock.as_ref().map(|it| &it.contract);
        let by_arbiter = plan.arbiter.is_some()
            && lock.is_some_and(|it| it.holder == Side::Buyer && it.id() != *id);
        (self.lock.is_none() && first)
            || claimed == Some(*id)
            || by_arbiter
            || renewals.any(|it| it.id() == *id)
    }
}

impl Deal {
    /// Whether a rule may take what its order plans: the total itself, with the usual times. At a rate a person has to look.
    pub(crate) fn is_usual(&self, now: Timestamp) -> bool {
        let usual = |plan: &EscrowPlan| {
            let least = now + u64::from(self.quote.lead_time) + LOCK_BEFORE;
            plan.keeper.asset == self.quote.total.asset
                && plan.review <= usual_review(plan.arbiter.as_ref())
                && plan.deadline > least
        };
        self.order.escrow.as_ref().is_none_or(usual)
    }
}

impl Market {
    /// What a buyer who pays through escrow plans: with whom, how much, and until when.
    pub(crate) fn plan(
        &self,
        id: ThreadId,
        payment: &Payment,
        now: Timestamp,
    ) -> Result<EscrowPlan, Complaint> {
        let offer = self.threads.get(&id).and_then(|it| it.offer.as_ref());
        let quote = &offer.ok_or_else(no_such_thread)?.quote;
        if !quote.keepers.contains(&payment.keeper) {
            let sentence = "The seller does not take that. Choose one of the places that his quote names, or pay him directly.";
            return Err(Complaint::about("not-offered", "keeper", sentence));
        }
        let same = payment.keeper.asset == quote.total.asset;
        let minor = match payment.minor {
            None if same => quote.total.minor,
            Some(minor) if !same || minor == quote.total.minor => minor,
            Some(_) => {
                let sentence = "In the currency of the quote, what is locked is its total.";
                return Err(Complaint::about("wrong-total", "minor", sentence));
            }
            None => {
                let sentence = "Say how much of it you pay: the quote is in another currency, and only the two of you can agree on a rate.";
                return Err(Complaint::about("no-rate", "minor", sentence));
            }
        };
        let facts = self.rails.iter().find(|it| it.name == payment.keeper.rail);
        let facts = facts.ok_or_else(|| {
            let sentence = "This way of paying is not set up here.";
            Complaint::about("no-rail", "keeper", sentence)
        })?;
        if minor < facts.floor || minor > facts.ceiling {
            let sentence = format!(
                "Between {} and {} can be locked there. Pay this one directly, or by another way.",
                Money::new(facts.floor, payment.keeper.asset),
                Money::new(facts.ceiling, payment.keeper.asset)
            );
            let code = if minor < facts.floor {
                "below-floor"
            } else {
                "above-ceiling"
            };
            return Err(Complaint::about(code, "minor", &sentence));
        }
        let arbiter = payment.arbiter.map(|one| self.chosen(one, payment, quote));
        let arbiter = arbiter.transpose()?;
        let plan = EscrowPlan {
            keeper: payment.keeper.clone(),
            minor,
            deadline: now + u64::from(quote.lead_time) + crate::cancelling::DISPATCH_GRACE,
            review: usual_review(arbiter.as_ref()),
            arbiter,
        };
        let bad = |_| Complaint::about("bad-field", "minor", "This cannot be locked.");
        plan.check().map_err(bad)?;
        Ok(plan)
    }

    /// Whether what an order plans is something that its quote has offered, with time enough for its seller.
    pub(crate) fn check_plan(
        &self,
        id: ThreadId,
        plan: &EscrowPlan,
        now: Timestamp,
    ) -> Result<(), Refusal> {
        let offer = self.threads.get(&id).and_then(|it| it.offer.as_ref());
        let quote = &offer.ok_or(Refusal::WrongState)?.quote;
        if !quote.keepers.contains(&plan.keeper) {
            return Err(Refusal::BadField);
        }
        let named = |one| quote.arbiters.contains(one);
        if !plan.arbiter.as_ref().is_none_or(named) {
            return Err(Refusal::BadField);
        }
        if plan.keeper.asset == quote.total.asset && plan.minor != quote.total.minor {
            return Err(Refusal::WrongSum);
        }
        if plan.deadline <= now + LOCK_BEFORE {
            return Err(Refusal::Expired);
        }
        Ok(())
    }

    /// The buyer says that money is locked.
    pub(crate) fn hear_lock(
        &mut self,
        opened: &Opened,
        said: &EscrowLock,
        now: Timestamp,
        batch: &mut Batch,
    ) -> Result<(), Refusal> {
        let id = opened.message.thread;
        let (role, deal, plan, escrow) = self.escrow(&id).ok_or(Refusal::WrongState)?;
        let confirmed = deal.state == DealState::Confirmed;
        let cancelled = matches!(deal.state, DealState::Cancelled { .. });
        if deal.message != said.order || escrow.settled.is_some() || !(confirmed || cancelled) {
            return Err(Refusal::WrongState);
        }
        deal.check_trader(opened)?;
        if escrow.theirs.is_some_and(|known| known != said.key) {
            return Err(Refusal::WrongSender);
        }
        let is_it = |it: &Contract| it.id() == said.contract;
        if escrow.lock.as_ref().is_some_and(|it| is_it(&it.contract)) {
            // What he has found to be locked anew, this side has locked anew itself.
            self.took(opened, now, batch);
            return Ok(());
        }
        let contract = match &escrow.lock {
            None => escrow
                .contract(role, deal.message, plan, Some(said.key))
                .filter(is_it),
            Some(_) => escrow.renewals(role).find(is_it),
        };
        let contract = contract.ok_or(Refusal::BadField)?;
        self.took(opened, now, batch);
        if let Some(escrow) = self.escrow_mut(&id) {
            escrow.theirs = Some(said.key);
            escrow.went_well();
            escrow.claimed = Some(Held {
                contract,
                locked: said.locked.clone(),
                said: None,
            });
        }
        self.pay_by_lock(id, opened.id, true, now, batch);
        Ok(())
    }

    /// The other side proposes what shall become of the lock, or has carried out what I proposed.
    pub(crate) fn hear_settle(
        &mut self,
        opened: &Opened,
        said: &Settle,
        now: Timestamp,
        batch: &mut Batch,
    ) -> Result<(), Refusal> {
        let id = opened.message.thread;
        let (role, deal, ..) = self.escrow(&id).ok_or(Refusal::WrongState)?;
        if deal.message != said.order {
            return Err(Refusal::WrongState);
        }
        deal.check_trader(opened)?;
        let other = Party::from(role.other().side());
        let settlement = &said.settlement;
        if !settlement.is_signed_by(other) {
            return Err(Refusal::BadField);
        }
        if self.hear_decided(opened, settlement, now, batch)? {
            return Ok(());
        }
        let (role, deal, plan, escrow) = self.escrow(&id).ok_or(Refusal::WrongState)?;
        let known = escrow
            .proposals
            .iter()
            .find(|it| it.settlement.salt == settlement.salt);
        if let Some(known) = known {
            let mine = &known.settlement;
            let (known_by, renews) = (known.by, matches!(mine.outcome, Outcome::Renew { .. }));
            if known_by == role
                && (mine.contract != settlement.contract || mine.outcome != settlement.outcome)
            {
                return Err(Refusal::BadField);
            }
            self.took(opened, now, batch);
            if known_by != role || renews {
                // He says again what he proposed; or that he has renewed, which a lock tells and nothing else.
                return Ok(());
            }
            let escrow = self.escrow_mut(&id);
            if let Some(proposal) = escrow.and_then(|it| it.proposal(settlement)) {
                // Whether it is true the rail says, by what this side has signed.
                proposal.done = true;
                // He knows.
                proposal.said = proposal.said.map(|(message, _)| (message, true));
            }
            self.hurry_escrow(id, batch);
            return Ok(());
        }
        if escrow.settled.is_some() {
            // What is settled already is settled.
            self.took(opened, now, batch);
            return Ok(());
        }
        // Of a lock that I have not seen yet it is said again later.
        if escrow.may_come_to(role, deal, plan, &settlement.contract) {
            return Err(Refusal::NotKept);
        }
        let lock = escrow.lock.as_ref().ok_or(Refusal::WrongState)?;
        let (agreed, fits) = match settlement.outcome {
            Outcome::Split(split) => (false, split.fits(&lock.contract)),
            Outcome::Renew { holder, deadline } => {
                let review = u64::from(plan.review);
                // The seller has waited no longer than he has said.
                let in_time = deadline <= now + review + CLOCK_SKEW;
                let enough = in_time && leaves_a_review(plan, deadline, now);
                let fits = role == Role::Buyer && holder == Side::Seller;
                (enough, fits && lock.contract.holder == Side::Buyer)
            }
            Outcome::Expired => (false, false),
        };
        if !fits || settlement.contract != lock.contract.id() {
            return Err(Refusal::BadField);
        }
        let theirs = escrow.proposals.iter().filter(|it| it.by != role).count();
        if theirs >= PROPOSALS_MAX {
            return Err(Refusal::WhisperRate);
        }
        self.took(opened, now, batch);
        if let Some(escrow) = self.escrow_mut(&id) {
            // What anybody else has signed he does not say: by my own signature I would take it for what I have agreed to.
            let mut theirs = settlement.clone();
            theirs.signatures.retain(|one| one.party == other);
            escrow
                .proposals
                .push(Proposal::new(theirs, role.other(), agreed));
        }
        self.hurry_escrow(id, batch);
        Ok(())
    }

    /// Something has changed for an escrow: the rail is asked at once.
    pub(super) fn hurry_escrow(&mut self, id: ThreadId, batch: &mut Batch) {
        if let Some(escrow) = self.escrow_mut(&id) {
            escrow.asking.at_once();
        }
        batch.thread(id);
        batch.trades.insert(id);
    }

    /// Try again now what a rail did not do: money is there, or a mint answers again.
    pub(crate) fn pay_again(
        &mut self,
        id: ThreadId,
        now: Timestamp,
        batch: &mut Batch,
    ) -> Result<(), Complaint> {
        if self.escrow(&id).is_some() {
            self.hurry_escrow(id, batch);
            return Ok(());
        }
        self.hurry_case(id, now, batch).ok_or_else(no_such_thread)
    }

    /// Offers to share out what is locked.
    pub(crate) fn offer_split(
        &mut self,
        id: ThreadId,
        buyer: u64,
        batch: &mut Batch,
    ) -> Result<(), Complaint> {
        let (role, _, plan, escrow) = self.escrow(&id).ok_or_else(no_such_thread)?;
        if !escrow.is_funded() {
            let sentence = "Nothing is locked that could be shared out.";
            return Err(Complaint::new("not-locked", sentence));
        }
        let Some(seller) = plan.minor.checked_sub(buyer) else {
            let sentence = "That is more than is locked.";
            return Err(Complaint::about("wrong-sum", "buyer", sentence));
        };
        let split = Split {
            buyer,
            seller,
            arbiter: 0,
        };
        let mine = escrow.proposals.iter().filter(|it| it.by == role);
        if mine.count() >= PROPOSALS_MAX - PROPOSALS_KEPT {
            let sentence = "You have made many offers already. Write to the other side, and agree to one of them.";
            return Err(Complaint::new("too-many-offers", sentence));
        }
        if let Some(escrow) = self.escrow_mut(&id) {
            escrow.offer = Some(split);
        }
        self.hurry_escrow(id, batch);
        Ok(())
    }

    /// Agrees to how the other side would have it shared out.
    pub(crate) fn agree(
        &mut self,
        id: ThreadId,
        buyer: u64,
        batch: &mut Batch,
    ) -> Result<(), Complaint> {
        let (role, ..) = self.escrow(&id).ok_or_else(no_such_thread)?;
        let escrow = self.escrow_mut(&id).ok_or_else(no_such_thread)?;
        let open = |it: &&mut Proposal| it.by != role && !it.dead && !it.done && !it.ruled;
        let same = |it: &&mut Proposal| match it.settlement.outcome {
            Outcome::Split(split) => split.buyer == buyer,
            Outcome::Renew { .. } | Outcome::Expired => false,
        };
        let mut proposals = escrow.proposals.iter_mut().filter(open);
        let proposal = proposals.find(same).ok_or_else(|| {
            let sentence = "The other side has not offered that.";
            Complaint::about("no-such-offer", "buyer", sentence)
        })?;
        proposal.agreed = true;
        self.hurry_escrow(id, batch);
        Ok(())
    }
}
