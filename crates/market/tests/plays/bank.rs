//! A bank that keeps money between two: what a rail promises and no arithmetic beside it, for markets under test.
//!
//! It answers every question twice if it is asked twice, does nothing twice, moves a lock once, and counts: what is in purses and
//! locks is always the same sum. That it keeps to the laws of every rail is tried in `tests/tests/simulated_rail.rs`.

use std::collections::{BTreeMap, BTreeSet};

use haggle_market::{Ask, Paid, Trouble};
use haggle_protocol::{
    Asset, Contract, ContractId, DealKey, Locked, MessageId, Money, Outcome, Party, Settlement,
    Signed, Timestamp,
};

/// What the bank's rail is called.
pub(crate) const RAIL: &str = "bank";

/// What a fault does to one question.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Fault {
    /// The question never came.
    Deaf,
    /// It was done, and the answer never came.
    Mute,
}

#[derive(Default)]
pub(crate) struct Bank {
    pub(crate) purses: BTreeMap<usize, u64>,
    locks: BTreeMap<ContractId, Lock>,
    owners: BTreeMap<DealKey, usize>,
    /// Who has signed what, under which salt.
    signed: BTreeMap<([u8; 32], Party), Vec<Agreed>>,
    /// Shares that nobody has brought in yet.
    shares: BTreeMap<([u8; 32], Party), u64>,
    /// How each order's money was moved in the end.
    pub(crate) ends: BTreeMap<MessageId, Vec<Outcome>>,
    /// How often somebody claimed by what he never signed.
    pub(crate) unsigned: u32,
    /// Who has not named this bank as one that he trusts.
    pub(crate) distrusted: BTreeSet<usize>,
}

struct Lock {
    contract: Contract,
    /// By which settlement it was moved.
    moved: Option<Way>,
}

/// Which lock somebody has signed for, and what should become of it.
type Agreed = (ContractId, Outcome);

/// A way for a lock to move: a settlement's salt and outcome.
type Way = ([u8; 32], Outcome);

/// The salt of what a holder takes after the deadline.
const EXPIRED: Way = ([0xee; 32], Outcome::Expired);

impl Bank {
    /// All the money there is: in purses, locked, and shared out but not brought in.
    pub(crate) fn sum(&self) -> u64 {
        let held = self.locks.values().filter(|lock| lock.moved.is_none());
        let held: u64 = held.map(|lock| lock.contract.amount.minor).sum();
        self.purses.values().sum::<u64>() + held + self.shares.values().sum::<u64>()
    }

    #[allow(dead_code, reason = "not every play has a third who decides")]
    /// How many have signed this outcome of any lock, whether or not it came true.
    pub(crate) fn signers(&self, salt: &[u8; 32]) -> usize {
        self.signed.keys().filter(|(one, _)| one == salt).count()
    }

    #[allow(dead_code, reason = "not every play has a third who decides")]
    /// Whether this one has signed anything.
    pub(crate) fn has_signed(&self, party: Party) -> bool {
        self.signed.keys().any(|(_, one)| *one == party)
    }

    /// What is still locked.
    pub(crate) fn locked(&self) -> usize {
        let held = self.locks.values().filter(|lock| lock.moved.is_none());
        held.count()
    }

    #[allow(dead_code, reason = "not every play has a bank that forgets")]
    /// A bank that knows nothing of any lock any more: nobody has ever paid.
    pub(crate) fn forget(&mut self) {
        self.locks.clear();
    }

    fn key(&mut self, owner: usize, party: Party, quote: &MessageId) -> DealKey {
        let mut key = [2; 33];
        // An arbiter is chosen by a key that he published before anybody knew of the deal.
        if party != Party::Arbiter {
            key[1..].copy_from_slice(&quote.0);
        }
        key[1] ^= owner.to_be_bytes()[7];
        key[2] = match party {
            Party::Buyer => 1,
            Party::Seller => 2,
            Party::Arbiter => 3,
        };
        self.owners.insert(DealKey(key), owner);
        DealKey(key)
    }

    fn is(&self, owner: usize, contract: &Contract, party: Party) -> bool {
        let key = contract.key(party);
        key.is_some_and(|key| self.owners.get(&key) == Some(&owner))
    }

    /// Answers a question of `owner`, whose clock it goes by no more than by its own.
    pub(crate) fn ask(&mut self, owner: usize, ask: &Ask, now: Timestamp) -> Result<Paid, Trouble> {
        let never = |code: &str| Err(Trouble::Never(code.to_owned()));
        let blocked = |code: &str| Err(Trouble::Blocked(code.to_owned()));
        if self.distrusted.contains(&owner) && !matches!(ask, Ask::Key { .. }) {
            return blocked("not-trusted");
        }
        match ask {
            Ask::Key { party, quote } => Ok(Paid::Key(self.key(owner, *party, quote))),
            Ask::Lock { deal } => {
                let (contract, party) = (&deal.contract, deal.party);
                let (id, amount) = (contract.id(), contract.amount.minor);
                if !self.is(owner, contract, party) || party != Party::Buyer {
                    return never("not-yours");
                }
                if !self.locks.contains_key(&id) {
                    let purse = self.purses.entry(owner).or_default();
                    let Some(rest) = purse.checked_sub(amount) else {
                        return blocked("not-enough");
                    };
                    *purse = rest;
                    let contract = contract.clone();
                    self.locks.insert(
                        id,
                        Lock {
                            contract,
                            moved: None,
                        },
                    );
                }
                Ok(Paid::Locked(Locked(id.0.to_vec())))
            }
            Ask::Find { deal } => {
                let (contract, party) = (&deal.contract, deal.party);
                if !self.is(owner, contract, party) || party != Party::Buyer {
                    return never("not-yours");
                }
                let id = contract.id();
                let known = self.locks.contains_key(&id);
                Ok(Paid::Found(known.then(|| Locked(id.0.to_vec()))))
            }
            Ask::Verify { contract, locked } => {
                self.untouched(contract, locked)?;
                Ok(Paid::Done)
            }
            Ask::Propose {
                deal,
                locked,
                outcome,
            } => {
                let contract = &deal.contract;
                self.untouched(contract, locked)?;
                let mut salt = contract.id().0;
                salt[0] ^= owner.to_be_bytes()[7];
                // Another outcome, another salt.
                let (kind, terms) = match outcome {
                    Outcome::Split(split) => (1, [split.buyer, split.seller, split.arbiter]),
                    Outcome::Renew { holder, deadline } => (2, [*holder as u64, deadline.0, 0]),
                    Outcome::Expired => (3, [0; 3]),
                };
                salt[1] ^= kind;
                for (bytes, term) in salt[2..26].chunks_exact_mut(8).zip(terms) {
                    bytes.copy_from_slice(&term.to_be_bytes());
                }
                let settlement = Settlement {
                    contract: contract.id(),
                    outcome: *outcome,
                    salt,
                    signatures: Vec::new(),
                };
                self.sign(owner, contract, deal.party, settlement)
            }
            Ask::Cosign {
                deal,
                locked,
                settlement,
            } => {
                self.untouched(&deal.contract, locked)?;
                self.sign(owner, &deal.contract, deal.party, settlement.clone())
            }
            Ask::Execute {
                contract,
                settlement,
                ..
            } => self.execute(contract, settlement),
            Ask::Claim {
                deal, settlement, ..
            } => {
                let (contract, party) = (&deal.contract, deal.party);
                if !self.is(owner, contract, party) {
                    return never("not-yours");
                }
                // What an arbiter and the other one have signed pays whoever has not.
                if !self.has_agreed(contract, settlement, party) && contract.arbiter.is_none() {
                    self.unsigned += 1;
                    return never("signature");
                }
                match self.locks.get(&contract.id()).map(|lock| lock.moved) {
                    Some(Some(way)) if way == (settlement.salt, settlement.outcome) => {}
                    Some(Some(_)) => return Err(Trouble::Spent),
                    Some(None) => return Err(Trouble::Later("not-done".to_owned())),
                    None => return never("mismatch"),
                }
                let share = self.shares.remove(&(settlement.salt, party));
                Ok(Paid::Money(self.pay(owner, share, contract.amount.asset)))
            }
            Ask::Refund { deal, .. } => {
                let contract = &deal.contract;
                let holder = Party::from(contract.holder);
                if !self.is(owner, contract, deal.party) || deal.party != holder {
                    return never("not-yours");
                }
                if now <= contract.deadline {
                    return Err(Trouble::Later("too-early".to_owned()));
                }
                let Some(lock) = self.locks.get_mut(&contract.id()) else {
                    return never("mismatch");
                };
                let share = match lock.moved {
                    None => {
                        lock.moved = Some(EXPIRED);
                        let ends = self.ends.entry(contract.order).or_default();
                        ends.push(Outcome::Expired);
                        Some(contract.amount.minor)
                    }
                    Some(EXPIRED) => None,
                    Some(_) => return Err(Trouble::Spent),
                };
                Ok(Paid::Money(self.pay(owner, share, contract.amount.asset)))
            }
            Ask::Status { contract, .. } => match self.locks.get(&contract.id()) {
                Some(lock) if lock.moved.is_some() => Ok(Paid::Moved),
                Some(_) => Ok(Paid::Done),
                None => never("mismatch"),
            },
        }
    }

    /// The same with a fault: what happened then nobody can tell.
    pub(crate) fn ask_in_vain(
        &mut self,
        owner: usize,
        ask: &Ask,
        now: Timestamp,
        fault: Fault,
    ) -> Trouble {
        if fault == Fault::Mute {
            let _ = self.ask(owner, ask, now);
        }
        Trouble::Later("unknown".to_owned())
    }

    fn untouched(&self, contract: &Contract, locked: &Locked) -> Result<(), Trouble> {
        let id = contract.id();
        match self.locks.get(&id) {
            Some(lock) if locked.0 != id.0 || lock.contract != *contract => {
                Err(Trouble::Never("mismatch".to_owned()))
            }
            Some(lock) if lock.moved.is_some() => Err(Trouble::Spent),
            Some(_) => Ok(()),
            None => Err(Trouble::Never("mismatch".to_owned())),
        }
    }

    fn sign(
        &mut self,
        owner: usize,
        contract: &Contract,
        party: Party,
        mut settlement: Settlement,
    ) -> Result<Paid, Trouble> {
        if !self.is(owner, contract, party) {
            return Err(Trouble::Never("not-yours".to_owned()));
        }
        if let Outcome::Split(split) = settlement.outcome
            && !split.fits(contract)
        {
            return Err(Trouble::Never("lock-amount".to_owned()));
        }
        let signed = self.signed.entry((settlement.salt, party)).or_default();
        signed.push((contract.id(), settlement.outcome));
        settlement.signatures.retain(|one| one.party != party);
        settlement.signatures.push(Signed {
            party,
            signature: vec![1],
        });
        Ok(Paid::Settlement(settlement))
    }

    /// Whether a party has signed this very settlement of this very lock.
    fn has_agreed(&self, contract: &Contract, settlement: &Settlement, party: Party) -> bool {
        let signed = self.signed.get(&(settlement.salt, party));
        signed.is_some_and(|all| all.contains(&(contract.id(), settlement.outcome)))
    }

    fn execute(&mut self, contract: &Contract, settlement: &Settlement) -> Result<Paid, Trouble> {
        let signed =
            |party| settlement.is_signed_by(party) && self.has_agreed(contract, settlement, party);
        let signers = [Party::Buyer, Party::Seller, Party::Arbiter];
        // What it has done it tells whoever asks.
        let before = self.locks.get(&contract.id()).and_then(|lock| lock.moved);
        let way = (settlement.salt, settlement.outcome);
        if before != Some(way) && signers.into_iter().filter(|party| signed(*party)).count() < 2 {
            return Err(Trouble::Never("signature".to_owned()));
        }
        let Some(lock) = self.locks.get_mut(&contract.id()) else {
            return Err(Trouble::Never("mismatch".to_owned()));
        };
        let first = lock.moved.is_none();
        if *lock.moved.get_or_insert(way) != way {
            return Err(Trouble::Spent);
        }
        match settlement.outcome {
            Outcome::Split(split) => {
                assert!(
                    split.fits(contract),
                    "shared out another sum than was locked"
                );
                if first {
                    for party in signers {
                        self.shares
                            .insert((settlement.salt, party), split.of(party));
                    }
                    let ends = self.ends.entry(contract.order).or_default();
                    ends.push(settlement.outcome);
                }
                Ok(Paid::Executed(None))
            }
            Outcome::Renew { holder, deadline } => {
                let renewed = contract.renewed(holder, deadline);
                let id = renewed.id();
                if first {
                    let lock = Lock {
                        contract: renewed,
                        moved: None,
                    };
                    self.locks.insert(id, lock);
                }
                Ok(Paid::Executed(Some(Locked(id.0.to_vec()))))
            }
            Outcome::Expired => Err(Trouble::Never("signature".to_owned())),
        }
    }

    fn pay(&mut self, owner: usize, share: Option<u64>, asset: Asset) -> Money {
        let share = share.unwrap_or_default();
        *self.purses.entry(owner).or_default() += share;
        Money::new(share, asset)
    }
}
