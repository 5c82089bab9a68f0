//! Money that is locked between the two of a trade: what is asked of a rail and when, and what follows from its answers.
//!
//! Nothing here is a list of things to do. What one side knows of its deal (whose keys, what is locked, what was proposed and
//! signed) is saved with the thread, and [`Market::pay`] works out of that alone what the rail has to be asked now: one thing at a
//! time, again after every lost answer and every start, since a rail does nothing twice. Money moves by two signatures or, after its
//! deadline, by the holder's; so whatever happens to either side, every lock comes to its end.
//!
//! ```text
//! order confirmed ── buyer locks ── seller checks ── seller sends it, proposes to renew ── buyer signs, renews: the seller holds it
//!        │                                │                                                         │
//!        └ no lock: nothing to end        └ deadline: back to the buyer                             └ review is over: to the seller
//! receipt: buyer proposes all to the seller ── seller signs, carries it out        cancel: seller proposes all to the buyer ── buyer does
//! ```

mod agreeing;
mod answers;
mod judging;

use haggle_protocol::limits::{CLOCK_SKEW, PRIVATE_LIFETIME_MAX};
use haggle_protocol::private::Body;
use haggle_protocol::settlement::{self, EscrowLock, Settle};
use haggle_protocol::{
    Contract, DealKey, EscrowPlan, Locked, MessageId, Money, Outcome, Party, Settlement, Side,
    Split, ThreadId, Timestamp,
};
use serde::{Deserialize, Serialize};

use crate::asking::Asking;
use crate::batch::Batch;
use crate::command::Complaint;
use crate::effect::Ask;
use crate::market::Market;
use crate::threads::{Deal, DealState, Taken};
use crate::view::{EscrowState, EscrowView, ProposalView, Role, TradeStep};
pub(crate) use judging::bad_words;
pub use judging::usual_review;
use judging::{Disputed, Papers, TOLD_FOR};

/// How long a buyer usually has to object once it is said to be sent or handed over, in seconds: as long as he has to say that he has it.
const REVIEW: u32 = 14 * 24 * 60 * 60;
/// The least time between now and a buyer's deadline for a seller to send it, in seconds: until then the buyer has to have signed that
/// it is the seller's, and a peer that somebody opens once a day shall have the time.
const SEND_BEFORE: u64 = 24 * 60 * 60;
/// The least time between now and the deadline for a lock to be begun, in seconds: later, nobody could still send it in time.
const LOCK_BEFORE: u64 = 2 * SEND_BEFORE;
/// How long after a deadline whoever is not the holder asks what has become of the lock, in seconds, so that the holder is first.
const ASK_AFTER: u64 = 60 * 60;
/// How long after its deadline a lock is left alone by whoever said that he has the goods, in seconds: a seller who was away comes back
/// and takes what was released to him. One who never comes shall not freeze it.
const RELEASED_FOR: u64 = 30 * 24 * 60 * 60;
/// How long after a deadline whoever is not the holder looks what has become of the lock, in seconds. After that it is its holder's affair.
const LOOK_FOR: u64 = 2 * RELEASED_FOR;
/// What a rail says when its custodian does not answer.
const UNKNOWN: &str = "unknown";
/// Proposals that are kept of each side.
const PROPOSALS_MAX: usize = 8;
/// How many of these are not for offers to share out: a renewal and a release shall always find room.
const PROPOSALS_KEPT: usize = 2;

/// One side's view of what is locked in a deal.
#[derive(Clone, Default, Serialize, Deserialize)]
pub(crate) struct Escrow {
    /// My key of this deal, once the rail has named it.
    mine: Option<DealKey>,
    /// The other side's.
    theirs: Option<DealKey>,
    /// Whether a lock may have been made that this side does not hold: one was asked for, or a backup may be older than one, and nothing
    /// has said since that there is none.
    locking: bool,
    /// What is locked now: made or checked by this side.
    lock: Option<Held>,
    /// On the seller's side, what the buyer says is locked and was not checked yet.
    claimed: Option<Held>,
    proposals: Vec<Proposal>,
    /// How I would have it shared out, beside what the trade itself says.
    offer: Option<Split>,
    /// The lock was moved, by what is to be found out.
    moved: bool,
    settled: Option<Settled>,
    /// What both have signed, for an arbiter.
    #[serde(default)]
    papers: Papers,
    /// What I have asked the arbiter.
    #[serde(default)]
    disputed: Option<Disputed>,
    /// By which decision of his the seller holds what is locked now.
    #[serde(default)]
    renewed: Option<Proposal>,
    /// Why the rail did not do what it was asked last.
    trouble: Option<String>,
    /// Whether that says nothing of an earlier question, by which a lock may have been made.
    #[serde(default)]
    in_doubt: bool,
    #[serde(skip)]
    asking: Asking,
    /// Whether a lock may have been made before what was asked last.
    #[serde(skip)]
    doubtful: bool,
}

/// Money under a contract.
#[derive(Clone, Serialize, Deserialize)]
struct Held {
    contract: Contract,
    locked: Locked,
    /// The message that told the other side of it, and whether it arrived.
    said: Option<(MessageId, bool)>,
}

/// What one side would have become of the lock.
#[derive(Clone, Serialize, Deserialize)]
struct Proposal {
    settlement: Settlement,
    by: Role,
    /// Whether I agree to what the other side proposes.
    agreed: bool,
    /// It was carried out.
    done: bool,
    /// It cannot be carried out any more.
    dead: bool,
    /// The message that told the other side of it as it is now, and whether it arrived.
    said: Option<(MessageId, bool)>,
    /// An arbiter has decided so.
    #[serde(default)]
    ruled: bool,
    /// Not before then it is said once more to a side that is away for long.
    #[serde(default)]
    again: Timestamp,
}

impl Proposal {
    fn new(settlement: Settlement, by: Role, agreed: bool) -> Self {
        Self {
            settlement,
            by,
            agreed,
            done: false,
            dead: false,
            said: None,
            ruled: false,
            again: Timestamp(0),
        }
    }
}

/// How it ended.
#[derive(Clone, Copy, Serialize, Deserialize)]
struct Settled {
    /// `None` if the other side has taken what was his.
    outcome: Option<Outcome>,
    /// What came to me, in minor units.
    mine: u64,
}

impl Role {
    pub(crate) const fn side(self) -> Side {
        match self {
            Self::Buyer => Side::Buyer,
            Self::Seller => Side::Seller,
        }
    }
}

impl Escrow {
    /// Whether money is locked, or may be, that has not come to its end.
    pub(crate) const fn is_open(&self) -> bool {
        let any = self.locking || self.lock.is_some() || self.claimed.is_some();
        any && self.settled.is_none()
    }

    /// Whether the seller has seen that the money is there.
    pub(crate) const fn is_funded(&self) -> bool {
        self.lock.is_some() && self.settled.is_none() && !self.moved
    }

    /// Whether the money has come to its end, whatever is still said of the goods.
    pub(crate) const fn is_settled(&self) -> bool {
        self.settled.is_some()
    }

    /// The contract under which the buyer locks first, if the other side's key is this one.
    fn contract(
        &self,
        role: Role,
        order: MessageId,
        plan: &EscrowPlan,
        theirs: Option<DealKey>,
    ) -> Option<Contract> {
        let (mine, theirs) = (self.mine?, theirs?);
        let (buyer, seller) = match role {
            Role::Buyer => (mine, theirs),
            Role::Seller => (theirs, mine),
        };
        let contract = plan.contract(order, buyer, seller);
        contract.check().ok().map(|()| contract)
    }

    /// The contracts that would come of what this side has proposed to renew.
    fn renewals(&self, role: Role) -> impl Iterator<Item = Contract> {
        self.lock.iter().flat_map(move |lock| {
            let mine = self.proposals.iter().filter(move |it| it.by == role);
            mine.filter_map(|it| match it.settlement.outcome {
                Outcome::Renew { holder, deadline } => {
                    Some(lock.contract.renewed(holder, deadline))
                }
                Outcome::Split(_) | Outcome::Expired => None,
            })
        })
    }

    /// What this side proposes by itself, as the trade stands.
    fn wanted(&self, role: Role, deal: &Deal, plan: &EscrowPlan, now: Timestamp) -> Vec<Outcome> {
        let Some(lock) = &self.lock else {
            return Vec::new();
        };
        let amount = lock.contract.amount;
        let confirmed = deal.state == DealState::Confirmed;
        let cancelled = matches!(deal.state, DealState::Cancelled { .. });
        let mut wanted = Vec::new();
        match role {
            Role::Buyer if confirmed && deal.has(TradeStep::Received) => {
                wanted.push(Outcome::Split(Split::all_to(Side::Seller, amount)));
            }
            Role::Seller if cancelled => {
                wanted.push(Outcome::Split(Split::all_to(Side::Buyer, amount)));
            }
            Role::Seller if confirmed && lock.contract.holder == Side::Buyer => {
                let renewed = deal.sent().map(|sent| Outcome::Renew {
                    holder: Side::Seller,
                    deadline: sent.at + u64::from(plan.review),
                });
                wanted.extend(renewed.filter(|_| lock.contract.deadline > now));
            }
            Role::Buyer | Role::Seller => {}
        }
        wanted.extend(self.offer.map(Outcome::Split));
        wanted
    }

    /// Whether this side agrees to a proposal of the other one without asking anybody: it gets everything, or it was agreed on with the order.
    fn agrees(
        &self,
        role: Role,
        deal: &Deal,
        plan: &EscrowPlan,
        proposal: &Proposal,
        now: Timestamp,
    ) -> bool {
        if self.is_decided(role, proposal, now) {
            return true;
        }
        match proposal.settlement.outcome {
            Outcome::Split(split) => {
                proposal.agreed || split == Split::all_to(role.side(), plan.amount())
            }
            // He was chosen with the order, and told me himself.
            Outcome::Renew { holder, .. } if proposal.ruled && proposal.agreed => {
                holder == Side::Seller
            }
            Outcome::Renew { holder, deadline } => {
                // A custodian may have been away for days since it was heard.
                let signed = proposal.settlement.is_signed_by(role.side().into());
                let in_time = signed || leaves_a_review(plan, deadline, now);
                // Who has asked the arbiter has objected.
                let fine = in_time && self.disputed.is_none();
                proposal.agreed && fine && holder == Side::Seller && deal.was_sent()
            }
            Outcome::Expired => false,
        }
    }

    /// What can still come true, or can have: what was signed here, and what an arbiter has decided, if the other side has signed it or may have.
    /// What the other side alone proposes cannot.
    fn live(&self, role: Role) -> impl Iterator<Item = &Proposal> {
        let party = role.side().into();
        let live = self.proposals.iter().filter(|it| !it.dead);
        live.filter(move |it| {
            it.settlement.is_signed_by(party) || it.is_without(party) || (it.ruled && self.moved)
        })
    }

    /// Whether this side would get something by what was signed, if the other one still carried it out.
    fn may_come_in(&self, role: Role) -> bool {
        let party = role.side().into();
        self.live(role).any(|it| match it.settlement.outcome {
            Outcome::Split(split) => split.of(party) > 0,
            Outcome::Renew { holder, .. } => holder == role.side(),
            Outcome::Expired => false,
        })
    }

    /// Whether this side has said that the money is the other one's, and he may still come for it.
    fn is_released(&self, role: Role, deal: &Deal, lock: &Held, now: Timestamp) -> bool {
        let received = role == Role::Buyer && deal.has(TradeStep::Received);
        received && now < lock.contract.deadline + RELEASED_FOR
    }

    /// What the rail has to be asked now, if anything.
    fn next(&self, role: Role, deal: &Deal, plan: &EscrowPlan, now: Timestamp) -> Option<Ask> {
        let party = Party::from(role.side());
        let quote = deal.order.quote;
        let needs_key = deal.under_way() || self.locking;
        if self.settled.is_some() || (self.mine.is_none() && !needs_key) {
            return None;
        }
        if self.mine.is_none() {
            return Some(Ask::Key { party, quote });
        }
        if let Some(claimed) = &self.claimed {
            return Some(Ask::Verify {
                contract: claimed.contract.clone(),
                locked: claimed.locked.clone(),
            });
        }
        let Some(lock) = &self.lock else {
            let begins = deal.state == DealState::Confirmed
                && !deal.has(TradeStep::Received)
                && deal.cancelling.is_none()
                && deal.ended.is_none()
                && now + LOCK_BEFORE < plan.deadline;
            let looks = role == Role::Buyer && (self.locking || begins);
            let contract = self.contract(role, deal.message, plan, self.theirs);
            let deal = settlement::Deal {
                contract: contract.filter(|_| looks)?,
                party,
                quote,
            };
            // What is not wanted any more is not made, but if it was made, it has to come to its end.
            return Some(match begins {
                true => Ask::Lock { deal },
                false => Ask::Find { deal },
            });
        };
        let (contract, locked) = (lock.contract.clone(), lock.locked.clone());
        let mine = |contract| settlement::Deal {
            contract,
            party,
            quote,
        };
        let over = contract.deadline + CLOCK_SKEW;
        let mine_now = contract.holder == role.side()
            && over < now
            && !self.is_released(role, deal, lock, now);
        // What is only said to be done keeps nobody from what is his by now: if it is done, the rail says that the lock is spent.
        let done = |it: &&Proposal| self.moved || (it.done && !mine_now);
        if let Some(done) = self.live(role).find(done) {
            if matches!(done.settlement.outcome, Outcome::Renew { .. }) {
                // Perhaps it was locked anew, and I was not told: then the rail finds that lock.
                return Some(Ask::Execute {
                    contract,
                    locked,
                    settlement: done.settlement.clone(),
                });
            }
            return Some(Ask::Claim {
                deal: mine(contract),
                locked,
                settlement: done.settlement.clone(),
            });
        }
        if self.moved {
            return None;
        }
        let theirs = self
            .proposals
            .iter()
            .filter(|it| !it.dead && it.by != role && self.agrees(role, deal, plan, it, now));
        if let Some(agreed) =
            theirs.min_by_key(|it| matches!(it.settlement.outcome, Outcome::Renew { .. }))
        {
            let settlement = agreed.settlement.clone();
            return Some(
                if settlement.is_signed_by(party) || agreed.is_without(party) {
                    Ask::Execute {
                        contract,
                        locked,
                        settlement,
                    }
                } else {
                    Ask::Cosign {
                        deal: mine(contract),
                        locked,
                        settlement,
                    }
                },
            );
        }
        if mine_now {
            return Some(Ask::Refund {
                deal: mine(contract),
                locked,
            });
        }
        let proposed = |outcome: &Outcome| {
            let mut mine = self.proposals.iter().filter(|it| it.by == role);
            mine.any(|it| it.settlement.outcome == *outcome)
        };
        let mut wanted = self.wanted(role, deal, plan, now).into_iter();
        if let Some(outcome) = wanted.find(|outcome| !proposed(outcome)) {
            return Some(Ask::Propose {
                deal: mine(contract),
                locked,
                outcome,
            });
        }
        let looks = contract.holder != role.side() && over + ASK_AFTER < now;
        looks.then_some(Ask::Status { contract, locked })
    }

    /// When there is something to be done for it without anything happening before.
    fn due(&self, role: Role, deal: &Deal, plan: &EscrowPlan, now: Timestamp) -> Option<Timestamp> {
        let may_at = self.asking.may_at(now)?;
        if self.settled.is_some() {
            return self.tell_at(now);
        }
        if self.next(role, deal, plan, now).is_some() {
            return Some(may_at);
        }
        let over = self.lock.as_ref()?.contract.deadline + CLOCK_SKEW + 1;
        let later = [over, over + ASK_AFTER, over + RELEASED_FOR];
        later.into_iter().find(|at| *at > now)
    }

    /// Whether a lock may have been made. What was not made for a reason is not being made only because it is tried again.
    fn may_be_locked(&self) -> bool {
        let for_a_reason = self.trouble.as_deref().is_some_and(|code| code != UNKNOWN);
        self.locking && (self.in_doubt || !for_a_reason)
    }

    /// The rail has done what it was asked.
    fn went_well(&mut self) {
        self.asking.at_once();
        self.trouble = None;
    }

    fn proposal(&mut self, settlement: &Settlement) -> Option<&mut Proposal> {
        self.proposals
            .iter_mut()
            .find(|it| it.settlement.salt == settlement.salt)
    }

    /// The same, or the decision by which the seller holds what is locked now.
    fn told(&mut self, settlement: &Settlement) -> Option<&mut Proposal> {
        let mut all = self.proposals.iter_mut().chain(&mut self.renewed);
        all.find(|it| it.settlement.salt == settlement.salt)
    }

    /// Money is locked anew: what was proposed about the lock before is over. What an arbiter has decided is still to be told to a side that he
    /// has not told.
    fn hold(&mut self, held: Held) {
        let by = |it: &Contract| {
            held.contract == it.renewed(held.contract.holder, held.contract.deadline)
        };
        let old = self.lock.as_ref().filter(|it| by(&it.contract));
        let deadline = held.contract.deadline;
        let is_it = |it: &Proposal| match it.settlement.outcome {
            Outcome::Renew {
                deadline: until, ..
            } => it.ruled && until == deadline,
            Outcome::Split(_) | Outcome::Expired => false,
        };
        let found = self
            .proposals
            .iter()
            .position(is_it)
            .filter(|_| old.is_some());
        self.renewed = found.map(|at| Proposal {
            done: true,
            ..self.proposals.swap_remove(at)
        });
        self.proposals.clear();
        self.moved = false;
        self.locking = false;
        self.lock = Some(held);
    }

    fn settle(&mut self, outcome: Option<Outcome>, mine: u64) {
        self.settled = Some(Settled { outcome, mine });
        self.proposals
            .retain(|it| !it.said.is_some_and(|(_, arrived)| arrived));
    }

    /// A message of mine arrived, or is not taken; either way it is not said again.
    fn heard(&mut self, message: MessageId) -> bool {
        let held = self.lock.iter_mut().map(|it| &mut it.said);
        let all = self.proposals.iter_mut().chain(&mut self.renewed);
        let said = held.chain(all.map(|it| &mut it.said));
        let mut found = false;
        for (_, arrived) in said.flatten().filter(|(one, _)| *one == message) {
            *arrived = true;
            found = true;
        }
        found
    }

    pub(crate) fn view(&self, role: Role, plan: &EscrowPlan) -> EscrowView {
        let contract = self.lock.as_ref().or(self.claimed.as_ref());
        let contract = contract.map(|held| &held.contract);
        let amount = plan.amount();
        let state = match (&self.settled, &self.lock) {
            (Some(settled), _) => match settled.outcome {
                Some(Outcome::Split(split)) if split == Split::all_to(Side::Seller, amount) => {
                    EscrowState::Released
                }
                Some(Outcome::Split(split)) if split == Split::all_to(Side::Buyer, amount) => {
                    EscrowState::Refunded
                }
                Some(Outcome::Split(split)) => EscrowState::Shared {
                    buyer: split.buyer,
                    seller: split.seller,
                },
                Some(Outcome::Expired | Outcome::Renew { .. }) | None => {
                    match contract.map(|it| it.holder) {
                        Some(Side::Seller) => EscrowState::Released,
                        Some(Side::Buyer) | None => EscrowState::Refunded,
                    }
                }
            },
            (None, Some(_)) => EscrowState::Locked,
            (None, None) if self.claimed.is_some() => EscrowState::Locking,
            (None, None) if self.may_be_locked() => EscrowState::Locking,
            (None, None) => EscrowState::Planned,
        };
        let open = |it: &&Proposal| !it.dead && !it.done && !it.ruled;
        let proposals = self.proposals.iter().filter(open);
        let moved = self.moved || self.settled.is_some();
        EscrowView {
            keeper: plan.keeper.clone(),
            amount,
            state,
            holder: contract.map_or(Side::Buyer, |it| it.holder),
            deadline: contract.map_or(plan.deadline, |it| it.deadline),
            review: plan.review,
            trouble: self.trouble.clone(),
            mine: self.settled.map(|it| Money::new(it.mine, amount.asset)),
            proposals: proposals
                .filter_map(|it| match it.settlement.outcome {
                    Outcome::Split(split) => Some(ProposalView {
                        by: it.by,
                        buyer: split.buyer,
                        seller: split.seller,
                        agreed: it.by == role || it.agreed,
                    }),
                    Outcome::Renew { .. } | Outcome::Expired => None,
                })
                .collect(),
            moved,
            arbiter: plan.arbiter.clone(),
            ask_by: None,
            dispute: None,
            ruling: self.ruling(),
        }
    }
}

impl Market {
    /// The escrow of a thread's deal, with all that decides what is to be done for it.
    fn escrow(&self, id: &ThreadId) -> Option<(Role, &Deal, &EscrowPlan, &Escrow)> {
        let thread = self.threads.get(id)?;
        let deal = thread.deal.as_ref()?;
        let plan = deal.order.escrow.as_ref()?;
        Some((thread.role, deal, plan, deal.escrow.as_ref()?))
    }

    fn escrow_mut(&mut self, id: &ThreadId) -> Option<&mut Escrow> {
        self.deal_mut(id)?.escrow.as_mut()
    }

    /// Whether money of a thread's deal has not come to its end.
    pub(crate) fn holds_money(&self, id: &ThreadId) -> bool {
        self.deal(id).is_some_and(Deal::holds_money)
    }

    /// When a thread's escrow has something to do.
    pub(crate) fn escrow_deadline(&self, id: &ThreadId, now: Timestamp) -> Option<Timestamp> {
        let (role, deal, plan, escrow) = self.escrow(id)?;
        escrow.due(role, deal, plan, now)
    }

    /// Says what is to be said about a thread's escrow, and asks the rail what it has to be asked.
    pub(crate) fn pay(&mut self, id: ThreadId, now: Timestamp, batch: &mut Batch) {
        self.say_lock(id, now, batch);
        self.say_proposals(id, now, batch);
        let Some((role, deal, plan, escrow)) = self.escrow(&id) else {
            return;
        };
        if escrow.asking.rests(now) {
            return;
        }
        let Some(ask) = escrow.next(role, deal, plan, now) else {
            return;
        };
        let rail = plan.keeper.rail.clone();
        let job = self.ask_rail(id, rail, ask.clone(), batch);
        if let Some(escrow) = self.escrow_mut(&id) {
            escrow.doubtful = escrow.locking;
            escrow.locking |= matches!(ask, Ask::Lock { .. });
            escrow.asking.asks(job, ask);
        }
        batch.thread(id);
        batch.trades.insert(id);
    }

    /// The buyer tells of what he has locked, until it has arrived.
    fn say_lock(&mut self, id: ThreadId, now: Timestamp, batch: &mut Batch) {
        let Some((Role::Buyer, deal, _, escrow)) = self.escrow(&id) else {
            return;
        };
        let (Some(held), Some(key)) = (&escrow.lock, escrow.mine) else {
            return;
        };
        let late = held.contract.deadline <= now && held.said.is_some();
        if escrow.settled.is_some() || late || self.is_said(&id, held.said) {
            return;
        }
        let told = EscrowLock {
            order: deal.message,
            key,
            contract: held.contract.id(),
            locked: held.locked.clone(),
        };
        let until = now + PRIVATE_LIFETIME_MAX;
        // If too much waits for the other side, it is said when some of that has arrived or expired.
        let Ok(message) = self.send(id, Body::EscrowLock(told), until, now, batch) else {
            return;
        };
        if let Some(held) = self.escrow_mut(&id).and_then(|it| it.lock.as_mut()) {
            held.said = Some((message, false));
        }
        self.pay_by_lock(id, message, false, now, batch);
    }

    /// A lock counts as the buyer's payment, once and while the trade goes on.
    fn pay_by_lock(
        &mut self,
        id: ThreadId,
        message: MessageId,
        delivered: bool,
        now: Timestamp,
        batch: &mut Batch,
    ) {
        let step = TradeStep::Paid;
        let open = |deal: &Deal| deal.state == DealState::Confirmed && !deal.has(step);
        if self.deal(&id).is_some_and(open) {
            let taken = Taken {
                step,
                message,
                at: now,
                note: None,
                delivered,
                files: Vec::new(),
            };
            self.take_step(id, taken, batch);
        }
        batch.trades.insert(id);
    }

    /// Each side tells of what it has proposed, and of what it has carried out.
    fn say_proposals(&mut self, id: ThreadId, now: Timestamp, batch: &mut Batch) {
        let Some((role, deal, _, escrow)) = self.escrow(&id) else {
            return;
        };
        let order = deal.message;
        let over = escrow.settled.is_some();
        let unsaid = |it: &&Proposal| {
            let mine = it.by == role || it.done;
            // Once it has come to its end here, one week of trying is enough: the other side finds it out from the rail.
            let again = !over || it.said.is_none() || escrow.must_be_told(it, now);
            mine && !it.dead && again && !self.is_said(&id, it.said)
        };
        let unsaid: Vec<Settlement> = escrow
            .proposals
            .iter()
            .chain(&escrow.renewed)
            .filter(unsaid)
            .map(|it| it.settlement.clone())
            .collect();
        for settlement in unsaid {
            let body = Body::Settle(Settle {
                order,
                settlement: settlement.clone(),
            });
            let known = |it: &Proposal| it.settlement.salt == settlement.salt && it.said.is_some();
            let again = self
                .escrow(&id)
                .is_some_and(|it| it.3.proposals.iter().chain(&it.3.renewed).any(known));
            let until = now
                + if over && again {
                    TOLD_FOR
                } else {
                    PRIVATE_LIFETIME_MAX
                };
            let Ok(message) = self.send(id, body, until, now, batch) else {
                return;
            };
            let told = self.escrow_mut(&id).and_then(|it| it.told(&settlement));
            if let Some(proposal) = told {
                proposal.said = Some((message, false));
                proposal.again = now + PRIVATE_LIFETIME_MAX;
            }
        }
    }

    /// Whether a message arrived or is still tried.
    fn is_said(&self, id: &ThreadId, said: Option<(MessageId, bool)>) -> bool {
        let waits = |message| self.threads.get(id).is_some_and(|it| it.waits(message));
        said.is_some_and(|(message, arrived)| arrived || waits(message))
    }

    /// A message about an escrow arrived, or is not taken.
    pub(crate) fn escrow_heard(&mut self, id: ThreadId, message: MessageId, batch: &mut Batch) {
        if self.escrow_mut(&id).is_some_and(|it| it.heard(message)) {
            batch.thread(id);
            batch.trades.insert(id);
        }
    }
}

/// Whether a buyer who signs now that the seller holds the lock still has at least half of his time to object.
fn leaves_a_review(plan: &EscrowPlan, deadline: Timestamp, now: Timestamp) -> bool {
    now + u64::from(plan.review) / 2 < deadline
}

impl Deal {
    /// Whether money of it has not come to its end.
    pub(crate) fn holds_money(&self) -> bool {
        self.escrow.as_ref().is_some_and(Escrow::is_open)
    }

    /// Whether its seller may send it: it is paid as agreed outside, or he has seen that the money is locked, and for long enough.
    ///
    /// # Errors
    /// `not-funded`, `too-late`.
    pub(crate) fn may_be_sent(&self, now: Timestamp) -> Result<(), Complaint> {
        if self.order.escrow.is_none() {
            return Ok(());
        }
        let funded = self.escrow.as_ref().filter(|it| it.is_funded());
        let Some(lock) = funded.and_then(|it| it.lock.as_ref()) else {
            let sentence = "The buyer's money is not locked yet. Wait until it is, then send it or hand it over.";
            return Err(Complaint::new("not-funded", sentence));
        };
        let contract = &lock.contract;
        if contract.holder == Side::Buyer && contract.deadline <= now + SEND_BEFORE {
            let sentence = "The buyer can take his money back soon, so do not send it any more. Cancel the order, and let him order again.";
            return Err(Complaint::new("too-late", sentence));
        }
        Ok(())
    }

    /// It comes out of a backup, whose buyer may have locked since.
    pub(crate) fn may_have_locked(&mut self, role: Role) {
        let Some(escrow) = self.escrow.as_mut().filter(|_| role == Role::Buyer) else {
            return;
        };
        // Before he knew of the confirmation he had nothing to lock for.
        escrow.locking |=
            escrow.theirs.is_some() && escrow.lock.is_none() && escrow.settled.is_none();
    }

    /// Whether its seller has the key that his confirmation has to name.
    pub(crate) fn key_to_confirm(&self) -> Option<DealKey> {
        self.escrow.as_ref().and_then(|it| it.mine)
    }

    /// The other side has named its key.
    pub(crate) fn learn_key(&mut self, key: Option<DealKey>) {
        if let (Some(escrow), Some(key)) = (&mut self.escrow, key) {
            escrow.theirs = Some(key);
        }
    }
}
