//! What a rail's answers mean for an escrow: it did what it was asked, it did not, or nobody can tell.

use haggle_protocol::{Contract, Locked, Outcome, Settlement, ThreadId, Timestamp};

use super::{Escrow, Held, LOOK_FOR, Proposal};
use crate::asking::AGAIN_MAX;
use crate::batch::Batch;
use crate::effect::Ask;
use crate::input::{Job, Paid, Trouble};
use crate::market::Market;
use crate::view::Role;

/// What a rail says of what nobody has carried out.
const NOT_DONE: &str = "not-done";
/// What a rail says before a deadline.
const TOO_EARLY: &str = "too-early";

impl Market {
    /// A rail has answered.
    pub(crate) fn paid(
        &mut self,
        job: Job,
        answer: Result<Paid, Trouble>,
        now: Timestamp,
        batch: &mut Batch,
    ) {
        if self.court.awaits(&job) {
            self.court_hears(job, answer, now, batch);
            return;
        }
        let id = job.thread;
        let Some((role, ..)) = self.escrow(&id) else {
            return;
        };
        let Some(escrow) = self.escrow_mut(&id) else {
            return;
        };
        // An answer to something that was asked before a start, or of an order that another one has replaced.
        let Some(ask) = escrow.asking.answered(&job) else {
            return;
        };
        match answer {
            Ok(paid) => {
                escrow.went_well();
                self.did(id, role, ask, paid, now, batch);
            }
            Err(trouble) => escrow.did_not(role, &ask, trouble, now),
        }
        batch.thread(id);
        batch.trades.insert(id);
    }

    fn did(
        &mut self,
        id: ThreadId,
        role: Role,
        ask: Ask,
        paid: Paid,
        now: Timestamp,
        batch: &mut Batch,
    ) {
        let Some(escrow) = self.escrow_mut(&id) else {
            return;
        };
        match (ask, paid) {
            (Ask::Key { .. }, Paid::Key(key)) => {
                escrow.mine = Some(key);
                if role == Role::Seller {
                    self.confirm_by_rule(id, now, batch);
                }
            }
            (Ask::Lock { deal }, Paid::Locked(locked))
            | (Ask::Find { deal }, Paid::Found(Some(locked))) => {
                escrow.hold(Held {
                    contract: deal.contract,
                    locked,
                    said: None,
                });
            }
            (Ask::Find { .. }, Paid::Found(None)) => escrow.locking = false,
            (Ask::Verify { contract, locked }, Paid::Done) => {
                if let Some(held) = escrow.take_claimed(&contract, &locked) {
                    escrow.hold(held);
                }
            }
            (Ask::Propose { .. }, Paid::Settlement(settlement)) => {
                escrow.proposals.push(Proposal::new(settlement, role, true));
            }
            (Ask::Cosign { settlement, .. }, Paid::Settlement(signed)) => {
                if let Some(proposal) = escrow.proposal(&settlement) {
                    proposal.settlement = signed;
                }
            }
            (
                Ask::Execute {
                    contract,
                    settlement,
                    ..
                },
                Paid::Executed(renewed),
            ) => match (settlement.outcome, renewed) {
                (Outcome::Renew { holder, deadline }, Some(locked)) => escrow.hold(Held {
                    contract: contract.renewed(holder, deadline),
                    locked,
                    said: None,
                }),
                _ => {
                    if let Some(proposal) = escrow.proposal(&settlement) {
                        proposal.done = true;
                        proposal.said = None;
                    }
                }
            },
            (Ask::Claim { settlement, .. }, Paid::Money(money)) => {
                // A rail says what came in now: nothing, if it had come in before and only the answer was lost.
                let share = match settlement.outcome {
                    Outcome::Split(split) => split.of(role.side().into()),
                    Outcome::Renew { .. } | Outcome::Expired => 0,
                };
                escrow.settle(Some(settlement.outcome), money.minor.max(share));
            }
            (Ask::Refund { deal, .. }, Paid::Money(money)) => {
                let mine = money.minor.max(deal.contract.amount.minor);
                escrow.settle(Some(Outcome::Expired), mine);
            }
            (Ask::Status { .. }, Paid::Moved) => escrow.moved_away(role),
            // It is still there: its holder has not come for it, and one day it is no more looked for.
            (Ask::Status { contract, .. }, _) => {
                if contract.deadline + LOOK_FOR < now && !escrow.may_come_in(role) {
                    escrow.settle(None, 0);
                }
                escrow.asking.look_again(now);
            }
            // Not an answer to what was asked.
            _ => escrow.asking.again(AGAIN_MAX, now),
        }
    }
}

impl Escrow {
    /// The rail did not do what it was asked.
    fn did_not(&mut self, role: Role, ask: &Ask, trouble: Trouble, now: Timestamp) {
        self.asking.again(AGAIN_MAX, now);
        match ask {
            Ask::Lock { .. } => {
                // Not known, or not locked by this question: that says nothing of an earlier one. What was to be locked and is spent,
                // another device of this person has spent; what is missing (money, a custodian that is trusted) may be there later.
                let later = matches!(trouble, Trouble::Later(_));
                self.locking = self.doubtful || later;
                self.in_doubt = self.locking && !later;
                self.trouble = Some(trouble.into_code());
            }
            Ask::Verify { contract, locked } => {
                if matches!(trouble, Trouble::Spent | Trouble::Never(_)) {
                    // A newer claim is looked at by itself.
                    let claimed = self.take_claimed(contract, locked);
                    if let Some(held) = claimed.filter(|_| trouble == Trouble::Spent) {
                        // It was there and has moved before this side could look: an arbiter and the other side may have shared it out.
                        self.hold(held);
                        self.moved_away(role);
                    }
                }
                self.trouble = Some(trouble.into_code());
            }
            Ask::Claim { settlement, .. } => self.not_claimed(role, settlement, trouble),
            Ask::Cosign { settlement, .. } | Ask::Execute { settlement, .. } => match trouble {
                Trouble::Later(code) | Trouble::Blocked(code) => self.trouble = Some(code),
                Trouble::Never(code) if !self.moved => {
                    self.bury(settlement);
                    self.trouble = Some(code);
                }
                // An arbiter and the other side may have carried out the very same.
                Trouble::Spent
                    if matches!(ask, Ask::Cosign { .. }) && self.is_ruled(settlement) =>
                {
                    self.moved_away(role);
                }
                Trouble::Spent | Trouble::Never(_) => self.moved_otherwise(role, settlement),
            },
            Ask::Propose { .. } | Ask::Refund { .. } | Ask::Status { .. } => match trouble {
                Trouble::Spent => self.moved_away(role),
                Trouble::Later(code) if code == TOO_EARLY => self.trouble = None,
                Trouble::Later(code) | Trouble::Blocked(code) | Trouble::Never(code) => {
                    self.trouble = Some(code);
                }
            },
            Ask::Find { .. } => {
                self.in_doubt = self.locking;
                self.trouble = Some(trouble.into_code());
            }
            Ask::Key { .. } => self.trouble = Some(trouble.into_code()),
        }
    }

    /// What was said to be carried out brought nothing in.
    fn not_claimed(&mut self, role: Role, settlement: &Settlement, trouble: Trouble) {
        match trouble {
            Trouble::Spent => self.moved_otherwise(role, settlement),
            Trouble::Later(code) if code == NOT_DONE => {
                if self.moved {
                    self.moved_otherwise(role, settlement);
                } else {
                    self.only_said(settlement);
                    self.trouble = None;
                }
            }
            Trouble::Never(code) => {
                self.only_said(settlement);
                self.trouble = Some(code);
            }
            Trouble::Later(code) | Trouble::Blocked(code) => self.trouble = Some(code),
        }
    }

    /// A proposal was said to be carried out and was not. Whatever else can become of the lock goes on, and if it moves, this is tried again.
    fn only_said(&mut self, settlement: &Settlement) {
        if let Some(proposal) = self.proposal(settlement) {
            proposal.done = false;
        }
    }

    /// The lock was moved, and not by this proposal.
    fn moved_otherwise(&mut self, role: Role, settlement: &Settlement) {
        self.bury(settlement);
        self.moved_away(role);
    }

    /// A proposal cannot come true any more.
    fn bury(&mut self, settlement: &Settlement) {
        if let Some(proposal) = self.proposal(settlement) {
            proposal.dead = true;
        }
    }

    /// What was claimed and has been looked at now, if nothing else is claimed meanwhile.
    fn take_claimed(&mut self, contract: &Contract, locked: &Locked) -> Option<Held> {
        self.claimed
            .take_if(|it| it.contract == *contract && it.locked == *locked)
    }

    /// The lock was moved: by something that was signed here, whose shares can be claimed, or by its holder.
    fn moved_away(&mut self, role: Role) {
        self.moved = true;
        self.asking.at_once();
        if self.live(role).next().is_none() && self.claimed.is_none() {
            self.settle(None, 0);
        }
    }
}
