//! The rails of this crate are put through the laws of every rail: ecash at a real mint, the same on the other side of a wall, and payment
//! outside. So are rails that were bent on purpose: what each of them does wrong, a law says.

use std::panic::AssertUnwindSafe;
use std::sync::Arc;
use std::sync::atomic::{AtomicU8, Ordering};

use async_trait::async_trait;
use futures::FutureExt as _;
use haggle_payments::remote::{Remote, Wall, answer, answer_now};
use haggle_payments::{Deal, Direct, Error, Outcome, Purse};
use haggle_protocol::{Asset, Custodian, MessageId, Party, Side, Split, Timestamp};
use serde_json::{Value, json};

use crate::laws::{self, AnyRail, Bench, FAR, Lived, Mishap, World};
use crate::support::{self, Life, PAST, Person, Three, every};
use crate::{for_each_law, for_each_law_of_escrow};

/// Ecash at a mint.
struct AtMint;

/// Three people and a stranger at one mint.
struct Table {
    three: Three,
    stranger: Person,
}

impl Bench for AtMint {
    type World = Table;

    fn every(&self, part: usize) -> usize {
        every(part)
    }

    async fn world(&self, minor: u64) -> Table {
        let three = Three::new("sat", 0, minor).await;
        Table {
            stranger: Person::new(9, std::slice::from_ref(&three.mint)).await,
            three,
        }
    }
}

impl World for Table {
    fn rail(&self, party: Party) -> AnyRail {
        Arc::clone(&self.three.person(party).rail) as _
    }

    fn stranger(&self) -> AnyRail {
        Arc::clone(&self.stranger.rail) as _
    }

    fn purse(&self) -> Purse {
        self.three.purse.clone()
    }

    async fn outstanding(&self) -> u64 {
        self.three.mint.outstanding().await
    }

    fn soon(&self) -> Timestamp {
        // A mint goes by the time of day, and does not mind a deadline that is over when it is asked to lock until then.
        Timestamp(PAST)
    }

    async fn waits_for(&self, deadline: Timestamp) {
        assert_eq!(deadline, self.soon(), "it would take years");
    }

    fn answers(&self, does: bool) {
        self.three.mint.gone.store(!does, Ordering::SeqCst);
    }

    async fn restart(&mut self, party: Party, mishap: Option<Mishap>) {
        let life = mishap.map_or_else(Life::default, |mishap| match mishap {
            Mishap::Ends(step) => Life {
                ends_at: Some(step),
                ..Life::default()
            },
            Mishap::Meets(request, fault) => Life {
                fault: Some((request, support::Fault::from(fault))),
                ..Life::default()
            },
        });
        self.three.person_mut(party).restart(life).await;
    }

    fn tells(&self) -> bool {
        true
    }

    fn lived(&self, party: Party) -> Lived {
        let life = &self.three.person(party).life;
        Lived {
            steps: life.steps(),
            requests: life.requests(),
        }
    }
}

/// Payment outside: there is nobody to ask, to wait for or to be cut off from.
struct Outside;

impl Bench for Outside {
    type World = Self;

    fn every(&self, part: usize) -> usize {
        part
    }

    async fn world(&self, _: u64) -> Self {
        Self
    }
}

impl World for Outside {
    fn rail(&self, _: Party) -> AnyRail {
        Arc::new(Direct)
    }

    fn stranger(&self) -> AnyRail {
        Arc::new(Direct)
    }

    fn purse(&self) -> Purse {
        Purse {
            custodian: Custodian::new("nobody").unwrap(),
            asset: Asset::new("EUR").unwrap(),
        }
    }

    async fn outstanding(&self) -> u64 {
        0
    }

    fn soon(&self) -> Timestamp {
        FAR
    }

    async fn waits_for(&self, _: Timestamp) {}

    fn answers(&self, _: bool) {}

    async fn restart(&mut self, _: Party, _: Option<Mishap>) {}

    fn tells(&self) -> bool {
        false
    }

    fn lived(&self, _: Party) -> Lived {
        Lived {
            steps: 0,
            requests: 0,
        }
    }
}

/// The rails of another bench, each behind a wall that does this to what crosses it.
struct Behind<B>(B, Bend);

/// A world behind walls.
struct Walled<W> {
    world: W,
    bend: Bend,
    /// How often any of them was asked what its bend is about.
    asked: Arc<AtomicU8>,
}

impl<B: Bench> Bench for Behind<B> {
    type World = Walled<B::World>;

    fn every(&self, part: usize) -> usize {
        // What lies behind is told of more often without a wall.
        self.0.every(8 * part)
    }

    async fn world(&self, minor: u64) -> Walled<B::World> {
        Walled {
            world: self.0.world(minor).await,
            bend: self.1,
            asked: Arc::default(),
        }
    }
}

impl<W> Walled<W> {
    fn wall(&self, rail: AnyRail) -> AnyRail {
        let wall = Paper {
            rail: Arc::clone(&rail),
            bend: self.bend,
            asked: Arc::clone(&self.asked),
        };
        Arc::new(Remote::new(rail.capabilities(), wall))
    }
}

impl<W: World> World for Walled<W> {
    fn rail(&self, party: Party) -> AnyRail {
        self.wall(self.world.rail(party))
    }

    fn stranger(&self) -> AnyRail {
        self.wall(self.world.stranger())
    }

    fn purse(&self) -> Purse {
        self.world.purse()
    }

    async fn outstanding(&self) -> u64 {
        self.world.outstanding().await
    }

    fn soon(&self) -> Timestamp {
        self.world.soon()
    }

    async fn waits_for(&self, deadline: Timestamp) {
        self.world.waits_for(deadline).await;
    }

    fn answers(&self, does: bool) {
        self.world.answers(does);
    }

    async fn restart(&mut self, party: Party, mishap: Option<Mishap>) {
        self.world.restart(party, mishap).await;
    }

    fn tells(&self) -> bool {
        self.world.tells()
    }

    fn lived(&self, party: Party) -> Lived {
        self.world.lived(party)
    }
}

/// A wall of paper: only what is written on it crosses.
struct Paper {
    rail: AnyRail,
    bend: Bend,
    asked: Arc<AtomicU8>,
}

/// What a wall makes of what crosses it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Bend {
    Straight,
    /// What is unknown is carried out.
    UnknownIsDone,
    /// What is unknown still holds.
    UnknownIsLocked,
    /// When it is unknown whether there is a lock, there is none.
    UnknownIsNone,
    /// Every lock is what every contract says.
    VerifiesAnything,
    /// Looking for a lock makes one.
    FindingLocks,
    /// A lock that is asked for again is another one.
    LocksAgain,
    /// With each lock something is given away.
    Skims,
    /// One key for all quotes.
    OneKey,
    /// Another key whenever it is asked for.
    ManyKeys,
    /// Whoever is paid hears of twice as much.
    CountsTwice,
    /// One signature is enough.
    OneIsEnough,
    /// A second way comes true as well.
    SpentIsDone,
    /// What was not carried out can be claimed.
    NotDoneIsDone,
    /// The holder has it before the deadline.
    TooEarlyIsDone,
    /// Whoever asks for what is another's has nothing, and is not refused.
    AnybodyIsAnswered,
    /// A renewal is for another holder.
    RenewsOtherwise,
    /// The seller is paid the buyer's share.
    SharesOutOtherwise,
    /// There is escrow where there is none.
    Pretends,
}

impl Bend {
    /// What is proposed instead of this.
    fn other(self, outcome: Outcome) -> Outcome {
        match outcome {
            Outcome::Renew { deadline, .. } if self == Self::RenewsOtherwise => Outcome::Renew {
                holder: Side::Buyer,
                deadline,
            },
            Outcome::Split(split) if self == Self::SharesOutOtherwise => Outcome::Split(Split {
                buyer: 0,
                seller: split.seller.saturating_add(split.buyer),
                arbiter: split.arbiter,
            }),
            Outcome::Renew { .. } | Outcome::Split(_) | Outcome::Expired => outcome,
        }
    }
}

impl Paper {
    /// What is asked behind the wall instead of a question of this kind.
    async fn question(&self, kind: &str, asked: Value) -> Value {
        let nth = || self.asked.fetch_add(1, Ordering::SeqCst);
        let about = asked[kind].clone();
        match (self.bend, kind) {
            (Bend::FindingLocks, "find") => json!({ "lock": about }),
            (Bend::LocksAgain, "lock") => {
                let mut deal: Deal = read(about);
                deal.contract.order.0[0] ^= nth();
                json!({ "lock": deal })
            }
            (Bend::Skims, "lock") => {
                let deal: Deal = read(about);
                let purse = Purse {
                    custodian: deal.contract.custodian,
                    asset: deal.contract.amount.asset,
                };
                // Nobody has this text.
                let _ = self.rail.give(&purse, 1).await;
                asked
            }
            (Bend::OneKey | Bend::ManyKeys, "key") => {
                let (party, _): (Party, MessageId) = read(about);
                let number = u8::from(self.bend == Bend::ManyKeys) * nth();
                json!({ "key": (party, MessageId([number; 32])) })
            }
            (Bend::RenewsOtherwise | Bend::SharesOutOtherwise, "propose") => {
                let (deal, locked, outcome): (Value, Value, Outcome) = read(about);
                json!({ "propose": (deal, locked, self.bend.other(outcome)) })
            }
            _ => asked,
        }
    }

    /// What comes back instead of the answer to a question of this kind.
    fn answer(&self, kind: &str, mut said: Value) -> Value {
        let unknown = said["Err"].get("unknown").is_some();
        let error = said["Err"].as_str().unwrap_or_default().to_owned();
        let nothing = || json!({ "Ok": { "minor": 0, "asset": "sat" } });
        let done = json!({ "Ok": null });
        match (self.bend, kind) {
            (Bend::UnknownIsDone, "execute") | (Bend::UnknownIsNone, "find") if unknown => done,
            (Bend::UnknownIsLocked, "status") if said["Ok"] == "unknown" => {
                json!({ "Ok": "locked" })
            }
            (Bend::VerifiesAnything, "verify") => done,
            (Bend::CountsTwice, "claim" | "refund") => {
                if let Some(minor) = said["Ok"]["minor"].as_u64() {
                    said["Ok"]["minor"] = json!(minor * 2);
                }
                said
            }
            (Bend::OneIsEnough, "execute") if error == "signature" => done,
            (Bend::SpentIsDone, "execute") if error == "spent" => done,
            (Bend::NotDoneIsDone, "claim") if error == "not-done" => nothing(),
            (Bend::TooEarlyIsDone, "refund") if error == "too-early" => nothing(),
            (Bend::AnybodyIsAnswered, "refund" | "claim") if error == "not-yours" => nothing(),
            (Bend::Pretends, "lock") => json!({ "Ok": [] }),
            _ => said,
        }
    }
}

fn read<T: serde::de::DeserializeOwned>(value: Value) -> T {
    serde_json::from_value(value).unwrap()
}

/// What kind of question it is.
fn kind(question: &Value) -> String {
    let name = |all: &serde_json::Map<String, Value>| all.keys().next().cloned();
    let kind = question.as_object().and_then(name);
    kind.unwrap_or_else(|| question.as_str().unwrap_or_default().to_owned())
}

#[async_trait]
impl Wall for Paper {
    async fn ask(&self, question: String) -> Result<String, Error> {
        let asked: Value = serde_json::from_str(&question).unwrap();
        let kind = kind(&asked);
        let asked = self.question(&kind, asked).await;
        let said = answer(&*self.rail, &asked.to_string()).await;
        let said = self.answer(&kind, serde_json::from_str(&said).unwrap());
        Ok(said.to_string())
    }

    fn key(&self, question: String) -> Result<String, Error> {
        let asked = serde_json::from_str(&question).unwrap();
        let asked = self.question("key", asked).now_or_never().unwrap();
        Ok(answer_now(&*self.rail, &asked.to_string()))
    }
}

macro_rules! at_a_mint {
    ($($law:ident)*) => { $( #[tokio::test] async fn $law() { laws::$law(&AtMint).await; } )* };
}
macro_rules! behind_a_wall {
    ($($law:ident)*) => {
        $( #[tokio::test] async fn $law() { laws::$law(&Behind(AtMint, Bend::Straight)).await; } )*
    };
}
macro_rules! outside {
    ($($law:ident)*) => {
        $( #[tokio::test] async fn $law() {
            laws::$law(&Outside).await;
            laws::$law(&Behind(Outside, Bend::Straight)).await;
        } )*
    };
}

mod ecash {
    use super::*;
    for_each_law_of_escrow!(at_a_mint);
}

mod ecash_behind_a_wall {
    use super::*;
    for_each_law_of_escrow!(behind_a_wall);
}

mod payment_outside {
    use super::*;
    for_each_law!(outside);
}

/// Sees that a law ends in these words at a rail that was bent.
async fn caught(law: impl Future<Output = ()>, words: &str) {
    let ended = AssertUnwindSafe(law).catch_unwind().await;
    let why = ended.expect_err("the law holds for a rail that breaks it");
    let text = why.downcast_ref::<String>().map(String::as_str);
    let text = text.or_else(|| why.downcast_ref::<&str>().copied());
    let text = text.unwrap_or_default();
    assert!(text.contains(words), "it ends for another reason: {text}");
}

macro_rules! the_laws_catch_a_rail_that {
    ($($name:ident: $bend:ident of $bench:ident by $law:ident saying $words:literal;)*) => {
        mod the_laws_catch_a_rail_that {
            use super::*;
            $(
                #[tokio::test]
                async fn $name() {
                    caught(laws::$law(&Behind($bench, Bend::$bend)), $words).await;
                }
            )*
        }
    };
}

the_laws_catch_a_rail_that! {
    takes_unknown_for_carried_out: UnknownIsDone of AtMint
        by what_cannot_be_known_now_is_unknown saying "whether it was carried out";
    takes_unknown_for_still_locked: UnknownIsLocked of AtMint
        by what_cannot_be_known_now_is_unknown saying "whether it still holds";
    takes_unknown_for_no_lock: UnknownIsNone of AtMint
        by a_lock_is_found_or_there_is_none_and_asking_makes_none saying "nobody can tell";
    checks_nothing: VerifiesAnything of AtMint
        by what_is_not_locked_as_agreed_on_is_refused saying "Ok(()) of Contract";
    locks_when_it_is_asked_for_a_lock: FindingLocks of AtMint
        by a_lock_is_found_or_there_is_none_and_asking_makes_none saying "asking makes none";
    locks_once_more_when_it_is_asked_again: LocksAgain of AtMint
        by a_lock_is_made_once_however_often_and_at_once_it_is_asked_for saying "two who ask at once";
    keeps_something_for_itself: Skims of AtMint
        by a_lock_is_made_once_however_often_and_at_once_it_is_asked_for saying "on its way";
    has_one_key_for_all: OneKey of AtMint
        by a_quote_has_one_key_two_have_two_and_an_arbiter_has_one saying "keys of Buyer";
    has_another_key_each_time: ManyKeys of AtMint
        by a_quote_has_one_key_two_have_two_and_an_arbiter_has_one saying "one quote, one key";
    counts_what_came_twice: CountsTwice of AtMint
        by a_settlement_pays_exactly_its_split_whichever_two_agree_and_whoever_is_silent saying "the share of";
    shares_out_otherwise: SharesOutOtherwise of AtMint
        by a_settlement_pays_exactly_its_split_whichever_two_agree_and_whoever_is_silent saying "the share of";
    takes_one_signature_for_two: OneIsEnough of AtMint
        by no_party_alone_moves_a_lock_before_its_deadline saying "one key alone";
    says_that_the_holder_has_it_early: TooEarlyIsDone of AtMint
        by no_party_alone_moves_a_lock_before_its_deadline saying "before the deadline";
    answers_whoever_asks: AnybodyIsAnswered of AtMint
        by a_stranger_moves_nothing_whatever_he_knows saying "a refund as";
    says_that_a_second_way_came_true: SpentIsDone of AtMint
        by of_two_ways_to_share_out_a_lock_one_comes_true saying "a second way";
    says_so_of_all_that_are_asked_for_at_once: SpentIsDone of AtMint
        by of_two_ways_that_are_carried_out_at_once_one_comes_true saying "way";
    pays_what_was_not_carried_out: NotDoneIsDone of AtMint
        by what_was_not_carried_out_cannot_be_claimed saying "before it was carried out";
    renews_for_another_holder: RenewsOtherwise of AtMint
        by a_renewal_keeps_the_amount_and_changes_holder_and_deadline saying "as it was renewed";
    loses_money_in_a_history: Skims of AtMint
        by whatever_is_asked_in_whatever_order_money_is_neither_made_nor_lost saying "on its way";
    pretends_to_have_escrow: Pretends of Outside
        by what_a_rail_says_of_itself_is_so saying "lock, without escrow";
}
