//! What holds for every rail, whatever money is on it. Each law plays in a world of its own that the rail's bench builds: three people
//! who agreed on something, a stranger, and a custodian who can be cut off from them.
//!
//! A rail is put through them by writing a [`Bench`] and a [`World`] for it, and handing [`for_each_law`](crate::for_each_law) a macro
//! that makes a test of a name. A custodian that takes fees is tried elsewhere: here every sum is exact.

mod locking;
mod moving;
mod surviving;

use std::sync::Arc;

use haggle_payments::{Deal, Error, LockState, Locked, Mismatch, Outcome, Purse, Rail, Settlement};
use haggle_protocol::{Contract, MessageId, Money, Party, Side, Split, Timestamp};

pub(crate) use self::locking::*;
pub(crate) use self::moving::*;
pub(crate) use self::surviving::*;

/// A rail, whatever it is.
pub(crate) type AnyRail = Arc<dyn Rail + Send + Sync>;

/// Where worlds of one rail are built.
pub(crate) trait Bench {
    type World: World;
    /// Of a long table every so-manieth is told: `part` where a world takes its time, 1 where it costs nothing.
    fn every(&self, part: usize) -> usize;
    /// Three people and a stranger with one custodian; the buyer has this much, in minor units.
    async fn world(&self, minor: u64) -> Self::World;
}

/// Three people, a stranger, and a custodian.
pub(crate) trait World {
    /// How one of the three asks, since he was started last.
    fn rail(&self, party: Party) -> AnyRail;
    /// How somebody asks who has no key in any contract.
    fn stranger(&self) -> AnyRail;
    /// Where they keep their money.
    fn purse(&self) -> Purse;
    /// All that there is by the custodian's own books, in minor units: in purses, in locks, and shared out and not brought in.
    async fn outstanding(&self) -> u64;
    /// A deadline that is over once it was waited for.
    fn soon(&self) -> Timestamp;
    /// Waits until a deadline is over by the custodian's clock.
    async fn waits_for(&self, deadline: Timestamp);
    /// Whether the custodian answers, from now on.
    fn answers(&self, does: bool);
    /// Ends a person's program and starts it again from what it saved; then this happens to it.
    async fn restart(&mut self, party: Party, mishap: Option<Mishap>);
    /// Whether its rails tell what has moved in a purse.
    fn tells(&self) -> bool;
    /// How far somebody's program has come since then.
    fn lived(&self, party: Party) -> Lived;
}

/// What happens to somebody's program once.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Mishap {
    /// It ends at this step, counted from 0, as by a power cut.
    Ends(usize),
    /// Its request of this number, counted from 0, meets with this.
    Meets(usize, Fault),
}

/// What a request can meet with.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Fault {
    /// It never arrives.
    Lost,
    /// It arrives; its answer does not.
    AnswerLost,
    /// It arrives twice; the second answer is heard.
    Twice,
    /// It is given up, and arrives before the next one.
    Late,
    /// The custodian stumbles before he looks at it.
    Stumble,
}

impl Fault {
    pub(crate) const ALL: [Self; 5] = [
        Self::Lost,
        Self::AnswerLost,
        Self::Twice,
        Self::Late,
        Self::Stumble,
    ];
}

/// How far a program has come.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Lived {
    /// Places where it could have been ended.
    pub(crate) steps: usize,
    /// What it asked its custodian.
    pub(crate) requests: usize,
}

/// Hands the names of the laws to a macro that makes a test of each. This one is for every rail; the others are for those with escrow.
#[macro_export]
macro_rules! for_each_law {
    ($make:ident) => {
        $make! {
            what_a_rail_says_of_itself_is_so
        }
    };
}

/// The laws of a rail with escrow.
#[macro_export]
macro_rules! for_each_law_of_escrow {
    ($make:ident) => {
        $make! {
            what_a_rail_says_of_itself_is_so
            a_quote_has_one_key_two_have_two_and_an_arbiter_has_one
            a_lock_is_made_once_however_often_and_at_once_it_is_asked_for
            a_lock_is_its_buyer_s_to_make_out_of_what_he_has
            a_lock_is_found_or_there_is_none_and_asking_makes_none
            what_is_not_locked_as_agreed_on_is_refused
            a_settlement_pays_exactly_its_split_whichever_two_agree_and_whoever_is_silent
            a_split_of_another_sum_is_refused
            no_party_alone_moves_a_lock_before_its_deadline
            a_signature_counts_for_one_party_and_one_outcome
            after_the_deadline_the_holder_takes_it_alone_and_nobody_else_does
            a_stranger_moves_nothing_whatever_he_knows
            of_two_ways_to_share_out_a_lock_one_comes_true
            of_two_ways_that_are_carried_out_at_once_one_comes_true
            a_renewal_keeps_the_amount_and_changes_holder_and_deadline
            what_was_not_carried_out_cannot_be_claimed
            without_an_arbiter_it_takes_both_or_the_deadline
            what_cannot_be_known_now_is_unknown
            what_a_lost_answer_was_about_is_done_once
            whoever_is_ended_at_any_step_of_a_deal_has_in_the_end_what_was_agreed_on
            whatever_happens_to_one_request_of_a_deal_it_comes_out_as_agreed_on
            whatever_is_asked_in_whatever_order_money_is_neither_made_nor_lost
        }
    };
}

/// A time that has not come when any test ends.
pub(crate) const FAR: Timestamp = Timestamp(4_000_000_000);

pub(crate) const ALL: [Party; 3] = [Party::Buyer, Party::Seller, Party::Arbiter];

/// The quote that deals are about.
const QUOTE: MessageId = MessageId([3; 32]);

/// A contract of the three over this much.
fn contract(world: &impl World, minor: u64, deadline: Timestamp) -> Contract {
    let key = |party| world.rail(party).key(party, &QUOTE).unwrap();
    let purse = world.purse();
    Contract {
        order: MessageId([4; 32]),
        custodian: purse.custodian,
        amount: Money::new(minor, purse.asset),
        buyer: key(Party::Buyer),
        seller: key(Party::Seller),
        arbiter: Some(key(Party::Arbiter)),
        holder: Side::Buyer,
        deadline,
    }
}

/// What one of them is in it.
fn deal(contract: &Contract, party: Party) -> Deal {
    Deal {
        contract: contract.clone(),
        party,
        quote: QUOTE,
    }
}

fn split(buyer: u64, seller: u64, arbiter: u64) -> Outcome {
    Outcome::Split(Split {
        buyer,
        seller,
        arbiter,
    })
}

async fn lock(world: &impl World, contract: &Contract) -> Locked {
    let rail = world.rail(Party::Buyer);
    let locked = rail.lock(&deal(contract, Party::Buyer)).await;
    locked.unwrap()
}

async fn propose(
    world: &impl World,
    contract: &Contract,
    locked: &Locked,
    outcome: Outcome,
    party: Party,
) -> Result<Settlement, Error> {
    let (rail, mine) = (world.rail(party), deal(contract, party));
    let proposed = rail.propose(&mine, locked, outcome).await?;
    rail.contribute(&mine, proposed).await
}

/// One proposes, another one cosigns.
async fn agree(
    world: &impl World,
    contract: &Contract,
    locked: &Locked,
    outcome: Outcome,
    (first, second): (Party, Party),
) -> Result<Settlement, Error> {
    let proposed = propose(world, contract, locked, outcome, first).await?;
    let (rail, mine) = (world.rail(second), deal(contract, second));
    let proposed = rail.contribute(&mine, proposed).await?;
    rail.cosign(&mine, locked, proposed).await
}

/// The same, and the second carries it out.
async fn settle(
    world: &impl World,
    contract: &Contract,
    locked: &Locked,
    outcome: Outcome,
    pair: (Party, Party),
) -> Result<(Settlement, Option<Locked>), Error> {
    let signed = agree(world, contract, locked, outcome, pair).await?;
    let rail = world.rail(pair.1);
    let next = rail.execute(contract, locked, &signed).await?;
    Ok((signed, next))
}

async fn claim(
    world: &impl World,
    contract: &Contract,
    locked: &Locked,
    settlement: &Settlement,
    party: Party,
) -> Result<u64, Error> {
    let rail = world.rail(party);
    let mine = deal(contract, party);
    let came = rail.claim(&mine, locked, settlement).await?;
    assert_eq!(came.asset, contract.amount.asset);
    Ok(came.minor)
}

async fn refund(
    world: &impl World,
    contract: &Contract,
    locked: &Locked,
    party: Party,
) -> Result<u64, Error> {
    let rail = world.rail(party);
    let came = rail.refund(&deal(contract, party), locked).await?;
    assert_eq!(came.asset, contract.amount.asset);
    Ok(came.minor)
}

/// What somebody can spend, and what he has on its way.
async fn has(rail: &AnyRail, purse: &Purse) -> (u64, u64) {
    let all = rail.balance().await.unwrap();
    let one = all.iter().find(|one| one.purse == *purse);
    one.map_or((0, 0), |one| (one.free, one.held))
}

/// What a party can spend, with nothing on its way.
async fn free(world: &impl World, party: Party) -> u64 {
    let (free, held) = has(&world.rail(party), &world.purse()).await;
    assert_eq!(held, 0, "on its way to or from {party:?}");
    free
}

/// Nothing was made or lost: the custodian has given out as much as ever, and all that is not locked is in the purses of the three.
async fn all_is_there(world: &impl World, sum: u64, locked: u64) {
    let mut purses = 0;
    for party in ALL {
        purses += free(world, party).await;
    }
    assert_eq!(world.outstanding().await, sum, "out by the books");
    assert_eq!(purses, sum - locked, "in purses, with {locked} locked");
}

/// The lock still holds, and so does all the rest.
async fn nothing_moved(world: &impl World, contract: &Contract, locked: &Locked, sum: u64) {
    for party in ALL {
        let state = world.rail(party).status(contract, locked).await;
        assert_eq!(state, Ok(LockState::Locked), "a lock that nobody may move");
    }
    all_is_there(world, sum, contract.amount.minor).await;
}

/// A rail can say in more than one way that a lock is not the contract's; it cannot say that it is, or that it does not know.
fn is_mismatch<T>(answer: &Result<T, Error>) -> bool {
    matches!(
        answer,
        Err(
            Error::Mismatch(Mismatch::Purse | Mismatch::Amount | Mismatch::Conditions)
                | Error::NotTrusted(_)
                | Error::NotYours
                | Error::Damaged
        )
    )
}

/// The custodian did not answer.
fn is_unknown<T>(answer: &Result<T, Error>) -> bool {
    matches!(answer, Err(Error::Unknown(_)))
}
