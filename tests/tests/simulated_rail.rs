//! The bank of the simulated markets is put through the laws of every rail, so that what holds for markets over it rests on a rail that
//! could be. Each question to it is two steps: it leaves, and its answer comes.
#![allow(
    clippy::unwrap_used,
    clippy::unwrap_in_result,
    clippy::wildcard_enum_match_arm,
    clippy::print_stdout,
    reason = "a test ends at what it did not expect, also at the answer to another question, and a table says how long it was"
)]

#[path = "../../crates/market/tests/plays/bank.rs"]
#[allow(
    dead_code,
    reason = "markets look into its books for more than the laws do"
)]
mod bank;
#[path = "../../crates/payments/tests/laws/mod.rs"]
mod laws;

use std::fmt;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Mutex};

use async_trait::async_trait;
use haggle_market::{Ask, Paid, Trouble};
use haggle_payments::{
    Balance, Capabilities, Deal, Error, LockState, Locked, Mismatch, Outcome, Purse, Rail,
    Settlement,
};
use haggle_protocol::{Asset, Contract, Custodian, DealKey, MessageId, Money, Party, Timestamp};

use bank::{Bank, RAIL};
use laws::{AnyRail, Bench, Fault, Lived, Mishap, World};

/// When a world begins; nothing here takes time by itself.
const NOW: u64 = 1_800_000_000;

/// What such a rail can do.
const ABLE: Capabilities = Capabilities {
    name: RAIL,
    escrow: true,
    custodial: true,
    floor: 1,
    ceiling: 1 << 31,
};

/// The bank, what time it is there, and whether anybody comes through to it.
#[derive(Clone)]
struct Counter {
    bank: Arc<Mutex<Bank>>,
    now: Arc<AtomicU64>,
    open: Arc<AtomicBool>,
}

/// A customer's rail.
struct Customer {
    owner: usize,
    counter: Counter,
    life: Mutex<Life>,
    /// What was given up and has not arrived yet: it does before the next question, whoever has been started again meanwhile.
    late: Arc<Mutex<Option<Ask>>>,
}

/// One life of his program.
struct Life {
    mishap: Option<Mishap>,
    lived: Lived,
}

impl Life {
    /// Whether it is over, from this step on.
    fn over(&mut self) -> bool {
        let step = self.lived.steps;
        self.lived.steps += 1;
        matches!(self.mishap, Some(Mishap::Ends(end)) if step >= end)
    }

    /// What the next request meets with.
    fn meets(&mut self) -> Option<Fault> {
        let number = self.lived.requests;
        self.lived.requests += 1;
        match self.mishap {
            Some(Mishap::Meets(at, fault)) if at == number => Some(fault),
            Some(_) | None => None,
        }
    }
}

impl fmt::Debug for Customer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Customer({})", self.owner)
    }
}

impl Customer {
    fn new(owner: usize, counter: &Counter, mishap: Option<Mishap>) -> Self {
        let lived = Lived {
            steps: 0,
            requests: 0,
        };
        Self {
            owner,
            counter: counter.clone(),
            life: Mutex::new(Life { mishap, lived }),
            late: Arc::default(),
        }
    }

    fn ask(&self, ask: &Ask) -> Result<Paid, Error> {
        let unknown = || Err(Error::Unknown(custodian().name().to_owned()));
        let now = Timestamp(self.counter.now.load(Ordering::SeqCst));
        let mut bank = self.counter.bank.lock().unwrap();
        let mut life = self.life.lock().unwrap();
        if let Some(late) = self.late.lock().unwrap().take() {
            let _ = bank.ask(self.owner, &late, now);
        }
        if life.over() || !self.counter.open.load(Ordering::SeqCst) {
            return unknown();
        }
        let said = match life.meets() {
            Some(Fault::Lost | Fault::Stumble) => return unknown(),
            Some(Fault::AnswerLost) => {
                let _ = bank.ask(self.owner, ask, now);
                return unknown();
            }
            Some(Fault::Late) => {
                *self.late.lock().unwrap() = Some(ask.clone());
                return unknown();
            }
            Some(Fault::Twice) => {
                let _ = bank.ask(self.owner, ask, now);
                bank.ask(self.owner, ask, now)
            }
            None => bank.ask(self.owner, ask, now),
        };
        if life.over() {
            return unknown();
        }
        said.map_err(|trouble| error(&trouble))
    }
}

/// A bank's trouble as a rail's error.
fn error(trouble: &Trouble) -> Error {
    let (Trouble::Later(code) | Trouble::Blocked(code) | Trouble::Never(code)) = trouble else {
        return Error::Spent;
    };
    match code.as_str() {
        "not-yours" => Error::NotYours,
        "signature" => Error::Signature,
        "too-early" => Error::TooEarly,
        "not-done" => Error::NotDone,
        "lock-amount" => Mismatch::Amount.into(),
        "not-enough" => Error::NotEnough { have: 0, need: 0 },
        "mismatch" => Mismatch::Conditions.into(),
        other => panic!("a bank never says {other} here"),
    }
}

fn custodian() -> Custodian {
    Custodian::new("https://bank.example").unwrap()
}

fn purse() -> Purse {
    Purse {
        custodian: custodian(),
        asset: Asset::new("EUR").unwrap(),
    }
}

/// What was answered to something else.
fn another<T>(said: &Paid) -> Result<T, Error> {
    panic!("{said:?} is the answer to another question")
}

#[async_trait]
impl Rail for Customer {
    fn capabilities(&self) -> Capabilities {
        ABLE
    }

    async fn balance(&self) -> Result<Vec<Balance>, Error> {
        let bank = self.counter.bank.lock().unwrap();
        Ok(vec![Balance {
            purse: purse(),
            free: bank.purses.get(&self.owner).copied().unwrap_or_default(),
            held: 0,
        }])
    }

    fn key(&self, party: Party, quote: &MessageId) -> Result<DealKey, Error> {
        let ask = Ask::Key {
            party,
            quote: *quote,
        };
        let mut bank = self.counter.bank.lock().unwrap();
        match bank.ask(self.owner, &ask, Timestamp(NOW)) {
            Ok(Paid::Key(key)) => Ok(key),
            other => panic!("{other:?} is no key"),
        }
    }

    async fn lock(&self, deal: &Deal) -> Result<Locked, Error> {
        let need = deal.contract.amount.minor;
        if need < ABLE.floor {
            return Err(Error::BelowFloor { floor: ABLE.floor });
        }
        if need > ABLE.ceiling {
            let ceiling = ABLE.ceiling;
            return Err(Error::AboveCeiling { ceiling });
        }
        let have = self.balance().await?[0].free;
        let ask = Ask::Lock { deal: deal.clone() };
        match self.ask(&ask) {
            Ok(Paid::Locked(locked)) => Ok(locked),
            Ok(other) => another(&other),
            // The bank does not say how much.
            Err(Error::NotEnough { .. }) => Err(Error::NotEnough { have, need }),
            Err(other) => Err(other),
        }
    }

    async fn find(&self, deal: &Deal) -> Result<Option<Locked>, Error> {
        let ask = Ask::Find { deal: deal.clone() };
        match self.ask(&ask)? {
            Paid::Found(locked) => Ok(locked),
            other => another(&other),
        }
    }

    async fn verify(&self, contract: &Contract, locked: &Locked) -> Result<(), Error> {
        let ask = Ask::Verify {
            contract: contract.clone(),
            locked: locked.clone(),
        };
        match self.ask(&ask)? {
            Paid::Done => Ok(()),
            other => another(&other),
        }
    }

    async fn propose(
        &self,
        deal: &Deal,
        locked: &Locked,
        outcome: Outcome,
    ) -> Result<Settlement, Error> {
        let ask = Ask::Propose {
            deal: deal.clone(),
            locked: locked.clone(),
            outcome,
        };
        match self.ask(&ask)? {
            Paid::Settlement(settlement) => Ok(settlement),
            other => another(&other),
        }
    }

    async fn cosign(
        &self,
        deal: &Deal,
        locked: &Locked,
        settlement: Settlement,
    ) -> Result<Settlement, Error> {
        let ask = Ask::Cosign {
            deal: deal.clone(),
            locked: locked.clone(),
            settlement,
        };
        match self.ask(&ask)? {
            Paid::Settlement(settlement) => Ok(settlement),
            other => another(&other),
        }
    }

    async fn execute(
        &self,
        contract: &Contract,
        locked: &Locked,
        settlement: &Settlement,
    ) -> Result<Option<Locked>, Error> {
        let ask = Ask::Execute {
            contract: contract.clone(),
            locked: locked.clone(),
            settlement: settlement.clone(),
        };
        match self.ask(&ask)? {
            Paid::Executed(next) => Ok(next),
            other => another(&other),
        }
    }

    async fn claim(
        &self,
        deal: &Deal,
        locked: &Locked,
        settlement: &Settlement,
    ) -> Result<Money, Error> {
        let ask = Ask::Claim {
            deal: deal.clone(),
            locked: locked.clone(),
            settlement: settlement.clone(),
        };
        match self.ask(&ask)? {
            Paid::Money(money) => Ok(money),
            other => another(&other),
        }
    }

    async fn refund(&self, deal: &Deal, locked: &Locked) -> Result<Money, Error> {
        let ask = Ask::Refund {
            deal: deal.clone(),
            locked: locked.clone(),
        };
        match self.ask(&ask)? {
            Paid::Money(money) => Ok(money),
            other => another(&other),
        }
    }

    async fn status(&self, contract: &Contract, locked: &Locked) -> Result<LockState, Error> {
        let ask = Ask::Status {
            contract: contract.clone(),
            locked: locked.clone(),
        };
        match self.ask(&ask) {
            Ok(Paid::Moved) => Ok(LockState::Moved),
            Ok(Paid::Done) => Ok(LockState::Locked),
            Ok(other) => another(&other),
            Err(Error::Unknown(_)) => Ok(LockState::Unknown),
            Err(other) => Err(other),
        }
    }
}

/// Three customers and a stranger.
struct Branch {
    counter: Counter,
    people: [Arc<Customer>; 4],
}

struct Banks;

impl Bench for Banks {
    type World = Branch;

    fn every(&self, _: usize) -> usize {
        1
    }

    async fn world(&self, minor: u64) -> Branch {
        let mut bank = Bank::default();
        bank.purses.insert(0, minor);
        let counter = Counter {
            bank: Arc::new(Mutex::new(bank)),
            now: Arc::new(AtomicU64::new(NOW)),
            open: Arc::new(AtomicBool::new(true)),
        };
        Branch {
            people: [0, 1, 2, 3].map(|owner| Arc::new(Customer::new(owner, &counter, None))),
            counter,
        }
    }
}

/// Which customer a party is.
const fn owner(party: Party) -> usize {
    match party {
        Party::Buyer => 0,
        Party::Seller => 1,
        Party::Arbiter => 2,
    }
}

impl World for Branch {
    fn rail(&self, party: Party) -> AnyRail {
        Arc::clone(&self.people[owner(party)]) as _
    }

    fn stranger(&self) -> AnyRail {
        Arc::clone(&self.people[3]) as _
    }

    fn purse(&self) -> Purse {
        purse()
    }

    async fn outstanding(&self) -> u64 {
        self.counter.bank.lock().unwrap().sum()
    }

    fn soon(&self) -> Timestamp {
        Timestamp(NOW + 60)
    }

    async fn waits_for(&self, deadline: Timestamp) {
        self.counter.now.fetch_max(deadline.0 + 1, Ordering::SeqCst);
    }

    fn answers(&self, does: bool) {
        self.counter.open.store(does, Ordering::SeqCst);
    }

    async fn restart(&mut self, party: Party, mishap: Option<Mishap>) {
        let at = owner(party);
        let late = Arc::clone(&self.people[at].late);
        self.people[at] = Arc::new(Customer {
            late,
            ..Customer::new(at, &self.counter, mishap)
        });
    }

    fn tells(&self) -> bool {
        false
    }

    fn lived(&self, party: Party) -> Lived {
        self.people[owner(party)].life.lock().unwrap().lived
    }
}

macro_rules! at_the_bank {
    ($($law:ident)*) => { $( #[tokio::test] async fn $law() { laws::$law(&Banks).await; } )* };
}

for_each_law_of_escrow!(at_the_bank);
