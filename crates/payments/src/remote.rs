//! A rail on the other side of a wall.
//!
//! A rail may be a program of its own, which is loaded when money is first used: what stands before the wall then has a [`Remote`] that
//! writes down what it is asked, and what stands behind it reads that ([`answer`]), asks the real rail, and writes down what that
//! says. Only text crosses. A wall that gives no answer, or one that cannot be read, leaves it unknown whether anything was done, and
//! that is said; the rail does nothing twice, so asking again is always right.
//!
//! What crosses may be money itself (ecash as text). Nothing here prints it.

use core::fmt;

use async_trait::async_trait;
use haggle_protocol::settlement::Deal;
use haggle_protocol::{
    Contract, Custodian, DealKey, Locked, MessageId, Money, Outcome, Party, Settlement,
};
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};

use crate::error::Error;
use crate::history::Moved;
use crate::rail::{Balance, Capabilities, Deposit, Given, LockState, Purse, Rail, Withdrawal};

/// What a wall must be able to do with threads: be shared natively, nothing in a browser, where a page has one thread.
#[cfg(not(target_arch = "wasm32"))]
pub trait Threads: Send + Sync {}
#[cfg(not(target_arch = "wasm32"))]
impl<T: Send + Sync + ?Sized> Threads for T {}
/// What a wall must be able to do with threads: be shared natively, nothing in a browser, where a page has one thread.
#[cfg(target_arch = "wasm32")]
pub trait Threads {}
#[cfg(target_arch = "wasm32")]
impl<T: ?Sized> Threads for T {}

/// What stands between a rail and those who ask it.
#[cfg_attr(target_arch = "wasm32", async_trait(?Send))]
#[cfg_attr(not(target_arch = "wasm32"), async_trait)]
pub trait Wall: Threads {
    /// Hands a question over and brings back what [`answer`] says to it.
    ///
    /// # Errors
    /// [`Error::Unknown`] if nothing came back.
    async fn ask(&self, question: String) -> Result<String, Error>;

    /// The same for the one question that needs no waiting, by [`answer_now`].
    ///
    /// # Errors
    /// As [`Wall::ask`].
    fn key(&self, question: String) -> Result<String, Error>;
}

/// What a rail is asked: its methods with what they take.
#[derive(Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
enum Question {
    Trust(Custodian),
    Distrust(Custodian),
    Trusted,
    Balance,
    History,
    Deposit(Purse, u64),
    Collect,
    Withdraw(Purse, String),
    Give(Purse, u64),
    Given,
    Examine(String),
    Take(String),
    Restore(Purse),
    Key(Party, MessageId),
    Lock(Box<Deal>),
    Find(Box<Deal>),
    Verify(Box<Contract>, Locked),
    Propose(Box<Deal>, Locked, Outcome),
    Contribute(Box<Deal>, Settlement),
    Cosign(Box<Deal>, Locked, Settlement),
    Execute(Box<Contract>, Locked, Settlement),
    Claim(Box<Deal>, Locked, Settlement),
    Refund(Box<Deal>, Locked),
    Status(Box<Contract>, Locked),
    CatchUp,
    Recover,
}

/// Puts a question that came through a wall to a rail, and gives back what is to go through the wall as the answer.
pub async fn answer<R: Rail + Sync + ?Sized>(rail: &R, question: &str) -> String {
    let Ok(question) = serde_json::from_str(question) else {
        return said::<()>(Err(Error::Damaged));
    };
    match question {
        Question::Trust(custodian) => said(rail.trust(&custodian).await),
        Question::Distrust(custodian) => said(rail.distrust(&custodian).await),
        Question::Trusted => said(rail.trusted().await),
        Question::Balance => said(rail.balance().await),
        Question::History => said(rail.history().await),
        Question::Deposit(purse, minor) => said(rail.deposit(&purse, minor).await),
        Question::Collect => said(rail.collect().await),
        Question::Withdraw(purse, request) => said(rail.withdraw(&purse, &request).await),
        Question::Give(purse, minor) => said(rail.give(&purse, minor).await),
        Question::Given => said(rail.given().await),
        Question::Examine(text) => said(rail.examine(&text).await),
        Question::Take(text) => said(rail.take(&text).await),
        Question::Restore(purse) => said(rail.restore(&purse).await),
        Question::Key(party, quote) => said(rail.key(party, &quote)),
        Question::Lock(deal) => said(rail.lock(&deal).await),
        Question::Find(deal) => said(rail.find(&deal).await),
        Question::Verify(contract, locked) => said(rail.verify(&contract, &locked).await),
        Question::Propose(deal, locked, outcome) => {
            said(rail.propose(&deal, &locked, outcome).await)
        }
        Question::Contribute(deal, settlement) => said(rail.contribute(&deal, settlement).await),
        Question::Cosign(deal, locked, settlement) => {
            said(rail.cosign(&deal, &locked, settlement).await)
        }
        Question::Execute(contract, locked, settlement) => {
            said(rail.execute(&contract, &locked, &settlement).await)
        }
        Question::Claim(deal, locked, settlement) => {
            said(rail.claim(&deal, &locked, &settlement).await)
        }
        Question::Refund(deal, locked) => said(rail.refund(&deal, &locked).await),
        Question::Status(contract, locked) => said(rail.status(&contract, &locked).await),
        Question::CatchUp => said(rail.catch_up().await),
        Question::Recover => said(rail.recover().await),
    }
}

/// The same for the one question that can be answered without waiting, [`Rail::key`]. Any other is not for here.
pub fn answer_now<R: Rail + ?Sized>(rail: &R, question: &str) -> String {
    if let Ok(Question::Key(party, quote)) = serde_json::from_str(question) {
        said(rail.key(party, &quote))
    } else {
        said::<()>(Err(Error::Damaged))
    }
}

/// An answer as text.
fn said<T: Serialize>(answer: Result<T, Error>) -> String {
    // Empty for what cannot be written; whoever reads that takes it for unknown.
    serde_json::to_string(&answer).unwrap_or_default()
}

/// A rail behind a wall.
pub struct Remote<W> {
    capabilities: Capabilities,
    wall: W,
}

impl<W> Remote<W> {
    /// What can do this, behind that.
    pub const fn new(capabilities: Capabilities, wall: W) -> Self {
        Self { capabilities, wall }
    }
}

impl<W> fmt::Debug for Remote<W> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Remote")
            .field(&self.capabilities.name)
            .finish()
    }
}

impl<W: Wall> Remote<W> {
    async fn ask<T: DeserializeOwned>(&self, question: Question) -> Result<T, Error> {
        let answer = self.wall.ask(written(&question)?).await?;
        self.read(&answer)
    }

    /// What the answer says. One that cannot be read says nothing of what was done.
    fn read<T: DeserializeOwned>(&self, answer: &str) -> Result<T, Error> {
        serde_json::from_str(answer)
            .unwrap_or_else(|_| Err(Error::Unknown(self.capabilities.name.to_owned())))
    }
}

/// A question as text.
fn written(question: &Question) -> Result<String, Error> {
    serde_json::to_string(question).map_err(|_| Error::Damaged)
}

#[cfg_attr(target_arch = "wasm32", async_trait(?Send))]
#[cfg_attr(not(target_arch = "wasm32"), async_trait)]
impl<W: Wall> Rail for Remote<W> {
    fn capabilities(&self) -> Capabilities {
        self.capabilities
    }

    async fn trust(&self, custodian: &Custodian) -> Result<(), Error> {
        self.ask(Question::Trust(custodian.clone())).await
    }

    async fn distrust(&self, custodian: &Custodian) -> Result<(), Error> {
        self.ask(Question::Distrust(custodian.clone())).await
    }

    async fn trusted(&self) -> Result<Vec<Custodian>, Error> {
        self.ask(Question::Trusted).await
    }

    async fn balance(&self) -> Result<Vec<Balance>, Error> {
        self.ask(Question::Balance).await
    }

    async fn history(&self) -> Result<Vec<Moved>, Error> {
        self.ask(Question::History).await
    }

    async fn deposit(&self, purse: &Purse, minor: u64) -> Result<Deposit, Error> {
        self.ask(Question::Deposit(purse.clone(), minor)).await
    }

    async fn collect(&self) -> Result<Vec<(Purse, u64)>, Error> {
        self.ask(Question::Collect).await
    }

    async fn withdraw(&self, purse: &Purse, request: &str) -> Result<Withdrawal, Error> {
        self.ask(Question::Withdraw(purse.clone(), request.to_owned()))
            .await
    }

    async fn give(&self, purse: &Purse, minor: u64) -> Result<String, Error> {
        self.ask(Question::Give(purse.clone(), minor)).await
    }

    async fn given(&self) -> Result<Vec<Given>, Error> {
        self.ask(Question::Given).await
    }

    async fn examine(&self, text: &str) -> Result<(Purse, u64), Error> {
        self.ask(Question::Examine(text.to_owned())).await
    }

    async fn take(&self, text: &str) -> Result<Money, Error> {
        self.ask(Question::Take(text.to_owned())).await
    }

    async fn restore(&self, purse: &Purse) -> Result<u64, Error> {
        self.ask(Question::Restore(purse.clone())).await
    }

    fn key(&self, party: Party, quote: &MessageId) -> Result<DealKey, Error> {
        let answer = self.wall.key(written(&Question::Key(party, *quote))?)?;
        self.read(&answer)
    }

    async fn lock(&self, deal: &Deal) -> Result<Locked, Error> {
        self.ask(Question::Lock(boxed(deal))).await
    }

    async fn find(&self, deal: &Deal) -> Result<Option<Locked>, Error> {
        self.ask(Question::Find(boxed(deal))).await
    }

    async fn verify(&self, contract: &Contract, locked: &Locked) -> Result<(), Error> {
        self.ask(Question::Verify(boxed(contract), locked.clone()))
            .await
    }

    async fn propose(
        &self,
        deal: &Deal,
        locked: &Locked,
        outcome: Outcome,
    ) -> Result<Settlement, Error> {
        self.ask(Question::Propose(boxed(deal), locked.clone(), outcome))
            .await
    }

    async fn contribute(&self, deal: &Deal, settlement: Settlement) -> Result<Settlement, Error> {
        self.ask(Question::Contribute(boxed(deal), settlement))
            .await
    }

    async fn cosign(
        &self,
        deal: &Deal,
        locked: &Locked,
        settlement: Settlement,
    ) -> Result<Settlement, Error> {
        self.ask(Question::Cosign(boxed(deal), locked.clone(), settlement))
            .await
    }

    async fn execute(
        &self,
        contract: &Contract,
        locked: &Locked,
        settlement: &Settlement,
    ) -> Result<Option<Locked>, Error> {
        let (contract, settlement) = (boxed(contract), settlement.clone());
        self.ask(Question::Execute(contract, locked.clone(), settlement))
            .await
    }

    async fn claim(
        &self,
        deal: &Deal,
        locked: &Locked,
        settlement: &Settlement,
    ) -> Result<Money, Error> {
        let (deal, settlement) = (boxed(deal), settlement.clone());
        self.ask(Question::Claim(deal, locked.clone(), settlement))
            .await
    }

    async fn refund(&self, deal: &Deal, locked: &Locked) -> Result<Money, Error> {
        self.ask(Question::Refund(boxed(deal), locked.clone()))
            .await
    }

    async fn status(&self, contract: &Contract, locked: &Locked) -> Result<LockState, Error> {
        self.ask(Question::Status(boxed(contract), locked.clone()))
            .await
    }

    async fn catch_up(&self) -> Result<bool, Error> {
        self.ask(Question::CatchUp).await
    }

    async fn recover(&self) -> Result<bool, Error> {
        self.ask(Question::Recover).await
    }
}

fn boxed<T: Clone>(value: &T) -> Box<T> {
    Box::new(value.clone())
}

#[cfg(test)]
#[cfg(not(target_arch = "wasm32"))]
mod tests {
    use std::sync::{Arc, Mutex};

    use haggle_protocol::escrow::{Side, Split};
    use haggle_protocol::{Asset, ContractId, Signed, Timestamp};

    use super::*;
    use crate::direct::Direct;
    use crate::error::Mismatch;
    use crate::history::{Way, Why};

    /// A wall behind which a rail is asked.
    struct Paper<R>(R);

    #[async_trait]
    impl<R: Rail + Send + Sync> Wall for Paper<R> {
        async fn ask(&self, question: String) -> Result<String, Error> {
            Ok(answer(&self.0, &question).await)
        }

        fn key(&self, question: String) -> Result<String, Error> {
            Ok(answer_now(&self.0, &question))
        }
    }

    /// A wall that says one thing to whatever is asked.
    struct Saying(Result<&'static str, Error>);

    #[async_trait]
    impl Wall for Saying {
        async fn ask(&self, _: String) -> Result<String, Error> {
            self.0.clone().map(str::to_owned)
        }

        fn key(&self, _: String) -> Result<String, Error> {
            self.0.clone().map(str::to_owned)
        }
    }

    fn behind<W>(wall: W) -> Remote<W> {
        Remote::new(crate::ECASH, wall)
    }

    /// A rail that writes down what it is asked, and answers each question in its own way.
    #[derive(Clone, Debug, Default)]
    struct Diary(Arc<Mutex<Vec<String>>>);

    impl Diary {
        fn note(&self, name: &str, about: &impl Serialize) {
            let line = format!("{name} {}", serde_json::to_string(about).unwrap());
            self.0.lock().unwrap().push(line);
        }

        fn read(&self) -> Vec<String> {
            core::mem::take(&mut *self.0.lock().unwrap())
        }
    }

    #[async_trait]
    impl Rail for Diary {
        fn capabilities(&self) -> Capabilities {
            crate::ECASH
        }

        async fn trust(&self, custodian: &Custodian) -> Result<(), Error> {
            self.note("trust", custodian);
            Ok(())
        }

        async fn distrust(&self, custodian: &Custodian) -> Result<(), Error> {
            self.note("distrust", custodian);
            Err(Error::NotTrusted("mint".to_owned()))
        }

        async fn trusted(&self) -> Result<Vec<Custodian>, Error> {
            self.note("trusted", &());
            Ok(vec![contract().custodian])
        }

        async fn balance(&self) -> Result<Vec<Balance>, Error> {
            self.note("balance", &());
            Ok(vec![Balance {
                purse: purse(),
                free: u64::MAX,
                held: 1,
            }])
        }

        async fn history(&self) -> Result<Vec<Moved>, Error> {
            self.note("history", &());
            Ok(vec![Moved {
                when: Timestamp(9),
                purse: purse(),
                way: Way::Out,
                minor: u64::MAX,
                cost: 2,
                why: Why::Locked,
                order: Some(contract().order),
                open: false,
            }])
        }

        async fn deposit(&self, purse: &Purse, minor: u64) -> Result<Deposit, Error> {
            self.note("deposit", &(purse, minor));
            Ok(Deposit {
                id: "7".to_owned(),
                request: "lnbc".to_owned(),
                expires: Timestamp(9),
            })
        }

        async fn collect(&self) -> Result<Vec<(Purse, u64)>, Error> {
            self.note("collect", &());
            Ok(vec![(purse(), 3)])
        }

        async fn withdraw(&self, purse: &Purse, request: &str) -> Result<Withdrawal, Error> {
            self.note("withdraw", &(purse, request));
            Ok(Withdrawal {
                paid: 5,
                cost: 1,
                proof: None,
            })
        }

        async fn give(&self, purse: &Purse, minor: u64) -> Result<String, Error> {
            self.note("give", &(purse, minor));
            Ok("cashuB".to_owned())
        }

        async fn given(&self) -> Result<Vec<Given>, Error> {
            self.note("given", &());
            Ok(vec![Given {
                purse: purse(),
                minor: 4,
                text: "cashuB".to_owned(),
            }])
        }

        async fn examine(&self, text: &str) -> Result<(Purse, u64), Error> {
            self.note("examine", &text);
            Ok((purse(), 6))
        }

        async fn take(&self, text: &str) -> Result<Money, Error> {
            self.note("take", &text);
            Ok(contract().amount)
        }

        async fn restore(&self, purse: &Purse) -> Result<u64, Error> {
            self.note("restore", purse);
            Err(Error::NotEnough { have: 1, need: 2 })
        }

        fn key(&self, party: Party, quote: &MessageId) -> Result<DealKey, Error> {
            self.note("key", &(party, quote));
            Ok(DealKey([2; 33]))
        }

        async fn lock(&self, deal: &Deal) -> Result<Locked, Error> {
            self.note("lock", deal);
            Ok(locked())
        }

        async fn find(&self, deal: &Deal) -> Result<Option<Locked>, Error> {
            self.note("find", deal);
            Ok(Some(locked()))
        }

        async fn verify(&self, contract: &Contract, locked: &Locked) -> Result<(), Error> {
            self.note("verify", &(contract, locked));
            Err(Mismatch::Conditions.into())
        }

        async fn propose(
            &self,
            deal: &Deal,
            locked: &Locked,
            outcome: Outcome,
        ) -> Result<Settlement, Error> {
            self.note("propose", &(deal, locked, outcome));
            Ok(settlement())
        }

        async fn contribute(&self, deal: &Deal, given: Settlement) -> Result<Settlement, Error> {
            self.note("contribute", &(deal, &given));
            Ok(given)
        }

        async fn cosign(
            &self,
            deal: &Deal,
            locked: &Locked,
            given: Settlement,
        ) -> Result<Settlement, Error> {
            self.note("cosign", &(deal, locked, &given));
            Err(Error::Signature)
        }

        async fn execute(
            &self,
            contract: &Contract,
            locked: &Locked,
            given: &Settlement,
        ) -> Result<Option<Locked>, Error> {
            self.note("execute", &(contract, locked, given));
            Ok(None)
        }

        async fn claim(
            &self,
            deal: &Deal,
            locked: &Locked,
            given: &Settlement,
        ) -> Result<Money, Error> {
            self.note("claim", &(deal, locked, given));
            Ok(contract().amount)
        }

        async fn refund(&self, deal: &Deal, locked: &Locked) -> Result<Money, Error> {
            self.note("refund", &(deal, locked));
            Err(Error::BelowFloor { floor: 6 })
        }

        async fn status(&self, contract: &Contract, locked: &Locked) -> Result<LockState, Error> {
            self.note("status", &(contract, locked));
            Ok(LockState::Moved)
        }

        async fn catch_up(&self) -> Result<bool, Error> {
            self.note("catch_up", &());
            Ok(false)
        }

        async fn recover(&self) -> Result<bool, Error> {
            self.note("recover", &());
            Ok(true)
        }
    }

    fn contract() -> Contract {
        let asset = Asset::new("SAT").unwrap();
        Contract {
            order: MessageId([1; 32]),
            custodian: Custodian::new("https://mint.example").unwrap(),
            amount: Money::new(1_000, asset),
            buyer: DealKey([2; 33]),
            seller: DealKey([3; 33]),
            arbiter: Some(DealKey([4; 33])),
            holder: Side::Buyer,
            deadline: Timestamp(1_800_000_000),
        }
    }

    fn purse() -> Purse {
        Purse {
            custodian: contract().custodian,
            asset: contract().amount.asset,
        }
    }

    fn locked() -> Locked {
        Locked(vec![0, 1, 255])
    }

    fn settlement() -> Settlement {
        Settlement {
            contract: ContractId([5; 32]),
            outcome: Outcome::Expired,
            salt: [6; 32],
            signatures: vec![Signed {
                party: Party::Seller,
                signature: vec![7; 64],
            }],
        }
    }

    /// Asks a rail everything that a rail can be asked; its answers as text.
    async fn everything(rail: &(dyn Rail + Sync)) -> Vec<String> {
        let (purse, contract, locked) = (purse(), contract(), locked());
        let deal = Deal {
            contract: contract.clone(),
            party: Party::Seller,
            quote: MessageId([8; 32]),
        };
        let split = Outcome::Split(Split {
            buyer: 1,
            seller: 2,
            arbiter: 3,
        });
        vec![
            said(rail.trust(&purse.custodian).await),
            said(rail.distrust(&purse.custodian).await),
            said(rail.trusted().await),
            said(rail.balance().await),
            said(rail.history().await),
            said(rail.deposit(&purse, u64::MAX).await),
            said(rail.collect().await),
            said(rail.withdraw(&purse, "lnbc \"1\"").await),
            said(rail.give(&purse, 1).await),
            said(rail.given().await),
            said(rail.examine("cashuB").await),
            said(rail.take("cashuB").await),
            said(rail.restore(&purse).await),
            said(rail.key(Party::Arbiter, &MessageId([9; 32]))),
            said(rail.lock(&deal).await),
            said(rail.find(&deal).await),
            said(rail.verify(&contract, &locked).await),
            said(rail.propose(&deal, &locked, split).await),
            said(rail.contribute(&deal, settlement()).await),
            said(rail.cosign(&deal, &locked, settlement()).await),
            said(rail.execute(&contract, &locked, &settlement()).await),
            said(rail.claim(&deal, &locked, &settlement()).await),
            said(rail.refund(&deal, &locked).await),
            said(rail.status(&contract, &locked).await),
            said(rail.catch_up().await),
            said(rail.recover().await),
        ]
    }

    /// The questions of the trait as it is written, in their order.
    fn methods() -> Vec<&'static str> {
        let (_, body) = include_str!("rail.rs")
            .split_once("pub trait Rail")
            .unwrap();
        let (body, _) = body.split_once("\n}").unwrap();
        let names = body.split(" fn ").skip(1);
        let names = names.map(|rest| rest.split('(').next().unwrap());
        names.filter(|name| *name != "capabilities").collect()
    }

    #[tokio::test]
    async fn every_question_of_a_rail_goes_through_the_wall_and_comes_back_as_it_was_meant() {
        let diary = Diary::default();
        let near = everything(&diary).await;
        let asked = diary.read();
        assert_eq!(everything(&behind(Paper(diary.clone()))).await, near);
        assert_eq!(diary.read(), asked);
        let names: Vec<_> = asked
            .iter()
            .map(|line| line.split(' ').next().unwrap())
            .collect();
        assert_eq!(names, methods());
    }

    #[tokio::test]
    async fn what_a_rail_cannot_do_it_cannot_do_behind_a_wall_either() {
        let remote = behind(Paper(Direct));
        assert_eq!(everything(&remote).await, everything(&Direct).await);
    }

    #[tokio::test]
    async fn an_answer_that_cannot_be_read_leaves_it_unknown() {
        let unknown = || Error::Unknown("cashu".to_owned());
        for broken in ["", "null", "{\"Ok\":7}", "{\"Err\":\"never-heard-of\"}"] {
            let remote = behind(Saying(Ok(broken)));
            assert_eq!(remote.trusted().await, Err(unknown()), "{broken}");
            let quote = MessageId([1; 32]);
            assert_eq!(remote.key(Party::Buyer, &quote), Err(unknown()), "{broken}");
        }
    }

    #[tokio::test]
    async fn a_wall_that_gives_no_answer_says_so_itself() {
        let gone = Error::Unknown("the page's server".to_owned());
        let remote = behind(Saying(Err(gone.clone())));
        assert_eq!(remote.recover().await, Err(gone));
    }

    #[tokio::test]
    async fn a_question_that_cannot_be_read_is_not_asked() {
        let diary = Diary::default();
        let damaged = said::<()>(Err(Error::Damaged));
        assert_eq!(answer(&diary, "{\"empty-all-purses\":1}").await, damaged);
        assert_eq!(answer_now(&diary, "\"recover\"").as_str(), damaged);
        assert_eq!(diary.read(), [""; 0]);
    }

    #[test]
    fn nothing_that_crosses_is_shown() {
        assert_eq!(format!("{:?}", behind(Paper(Direct))), "Remote(\"cashu\")");
    }
}
