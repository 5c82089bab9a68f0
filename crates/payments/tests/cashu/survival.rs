//! Money survives: whoever is cut off anywhere, and whatever the mint does, nothing is lost, nothing is made, and in the end everybody
//! has what was agreed on, and a history that tells of it once.
//!
//! Each play is one way through a deal. It is told from its beginning once for each step at which somebody is ended (between a request
//! and its answer, before and after each commit), and once for each request that meets with a fault. Whoever was ended starts again
//! from what he saved, and asks the same again.

use std::future::Future;
use std::pin::Pin;

use haggle_payments::{Error, Locked, Outcome, Rail, Settlement, Why};
use haggle_protocol::{Contract, Party, Side, Split, Timestamp};

use crate::support::{FAR, Fault, Life, PAST, Three, deal, every, split};

/// What the buyer has before a play.
const BEFORE: u64 = 10_000;
/// What is locked.
const LOCKED: u64 = 7_321;

/// A way through a deal.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Play {
    /// The buyer locks, and has it back at the deadline.
    Refund,
    /// The buyer locks and releases; the seller carries it out.
    Release,
    /// The lock becomes the seller's, and an arbiter shares it out with him.
    Ruling,
}

/// What has moved in whose purse when a play is over: buyer, seller, arbiter.
fn story(play: Play) -> [Vec<(Why, i64)>; 3] {
    let filled = (Why::Deposit, 10_000);
    let locked = (Why::Locked, -7_321);
    match play {
        Play::Refund => [vec![filled, locked, (Why::Refunded, 7_321)], vec![], vec![]],
        Play::Release => [vec![filled, locked], vec![(Why::Paid, 7_321)], vec![]],
        Play::Ruling => [
            vec![filled, locked, (Why::Returned, 2_321)],
            vec![(Why::Paid, 4_900)],
            vec![(Why::Decided, 100)],
        ],
    }
}

/// Who has how much when a play is over: buyer, seller, arbiter.
fn ending(play: Play) -> [u64; 3] {
    match play {
        Play::Refund => [BEFORE, 0, 0],
        Play::Release => [BEFORE - LOCKED, LOCKED, 0],
        Play::Ruling => [BEFORE - LOCKED + 2_321, 4_900, 100],
    }
}

type Step<'a, T> = Pin<Box<dyn Future<Output = Result<T, Error>> + 'a>>;

/// Asks until there is an answer: after an error, the person's peer is started again and picks up what it left.
async fn insist<T>(
    three: &mut Three,
    party: Party,
    ask: impl for<'a> Fn(&'a Three) -> Step<'a, T>,
) -> T {
    for _ in 0..4 {
        match ask(three).await {
            Ok(answer) => return answer,
            Err(Error::Unknown(_) | Error::NotSaved(_)) => {
                let person = three.person_mut(party);
                person.restart(Life::default()).await;
                assert_eq!(person.rail.recover().await, Ok(true), "{party:?} recovers");
            }
            Err(error) => panic!("{party:?} was told: {error}"),
        }
    }
    panic!("{party:?} asked in vain")
}

async fn lock(three: &mut Three, contract: &Contract) -> Locked {
    let mine = deal(contract, Party::Buyer);
    insist(three, Party::Buyer, move |three| {
        let mine = mine.clone();
        Box::pin(async move { three.buyer.rail.lock(&mine).await })
    })
    .await
}

/// `first` proposes, `second` cosigns and carries out.
async fn settle(
    three: &mut Three,
    contract: &Contract,
    locked: &Locked,
    outcome: Outcome,
    (first, second): (Party, Party),
) -> (Settlement, Option<Locked>) {
    let (mine, told) = (deal(contract, first), locked.clone());
    let proposed = insist(three, first, move |three| {
        let (mine, told) = (mine.clone(), told.clone());
        Box::pin(async move {
            three
                .person(first)
                .rail
                .propose(&mine, &told, outcome)
                .await
        })
    })
    .await;
    let (mine, told) = (deal(contract, second), locked.clone());
    let signed = insist(three, second, move |three| {
        let (mine, told, proposed) = (mine.clone(), told.clone(), proposed.clone());
        Box::pin(async move {
            three
                .person(second)
                .rail
                .cosign(&mine, &told, proposed)
                .await
        })
    })
    .await;
    let (terms, told, both) = (contract.clone(), locked.clone(), signed.clone());
    let next = insist(three, second, move |three| {
        let (terms, told, both) = (terms.clone(), told.clone(), both.clone());
        Box::pin(async move {
            three
                .person(second)
                .rail
                .execute(&terms, &told, &both)
                .await
        })
    })
    .await;
    (signed, next)
}

async fn claim(
    three: &mut Three,
    contract: &Contract,
    locked: &Locked,
    settlement: &Settlement,
    party: Party,
) {
    let (mine, told, both) = (deal(contract, party), locked.clone(), settlement.clone());
    insist(three, party, move |three| {
        let (mine, told, both) = (mine.clone(), told.clone(), both.clone());
        Box::pin(async move { three.person(party).rail.claim(&mine, &told, &both).await })
    })
    .await;
}

/// One play from its beginning, with `party`'s life as given; says how that life went.
async fn play(play: Play, party: Party, life: Life) -> (usize, usize) {
    let mut three = Three::new("sat", 0, BEFORE).await;
    three.person_mut(party).restart(life).await;
    let watched = three.person(party).life.clone();
    let deadline = match play {
        Play::Refund => PAST,
        Play::Release | Play::Ruling => FAR,
    };
    let contract = three.contract(LOCKED, deadline);
    let locked = lock(&mut three, &contract).await;
    match play {
        Play::Refund => {
            let (mine, told) = (deal(&contract, Party::Buyer), locked.clone());
            insist(&mut three, Party::Buyer, move |three| {
                let (mine, told) = (mine.clone(), told.clone());
                Box::pin(async move { three.buyer.rail.refund(&mine, &told).await })
            })
            .await;
        }
        Play::Release => {
            let all = Outcome::Split(Split::all_to(Side::Seller, contract.amount));
            let pair = (Party::Buyer, Party::Seller);
            let (settlement, _) = settle(&mut three, &contract, &locked, all, pair).await;
            claim(&mut three, &contract, &locked, &settlement, Party::Seller).await;
        }
        Play::Ruling => {
            let renewal = Outcome::Renew {
                holder: Side::Seller,
                deadline: Timestamp(FAR + 1),
            };
            let pair = (Party::Buyer, Party::Seller);
            let (_, next) = settle(&mut three, &contract, &locked, renewal, pair).await;
            let next = next.expect("a renewal says how the new lock is told of");
            let renewed = contract.renewed(Side::Seller, Timestamp(FAR + 1));
            let ruling = split(2_321, 4_900, 100);
            let pair = (Party::Arbiter, Party::Seller);
            let (settlement, _) = settle(&mut three, &renewed, &next, ruling, pair).await;
            for party in [Party::Buyer, Party::Seller, Party::Arbiter] {
                claim(&mut three, &renewed, &next, &settlement, party).await;
            }
        }
    }
    let mut has = [0; 3];
    let parties = [Party::Buyer, Party::Seller, Party::Arbiter];
    for ((one, story), party) in has.iter_mut().zip(story(play)).zip(parties) {
        // What was left half done at the very end is picked up at the next start.
        let person = three.person_mut(party);
        person.restart(Life::default()).await;
        assert_eq!(person.rail.recover().await, Ok(true));
        *one = three.person(party).free(&three.purse).await;
        assert_eq!(three.person(party).held(&three.purse).await, 0, "{party:?}");
        let told = three.person(party).tells_shortly(&three.purse).await;
        assert_eq!(
            told, story,
            "{party:?} is told once of each thing that was done"
        );
    }
    assert_eq!(has, ending(play));
    assert_eq!(three.mint.outstanding().await, BEFORE);
    (watched.steps(), watched.requests())
}

const PLAYS: [(Play, Party); 6] = [
    (Play::Refund, Party::Buyer),
    (Play::Release, Party::Buyer),
    (Play::Release, Party::Seller),
    (Play::Ruling, Party::Buyer),
    (Play::Ruling, Party::Seller),
    (Play::Ruling, Party::Arbiter),
];

#[tokio::test]
async fn whoever_is_ended_at_any_step_of_a_deal_has_in_the_end_what_was_agreed_on() {
    let mut told = 0;
    for (at, (what, party)) in PLAYS.into_iter().enumerate() {
        let (steps, _) = play(what, party, Life::default()).await;
        assert!(steps > 5, "{what:?} takes {party:?} only {steps} steps");
        let part = every(7);
        for end in (0..=steps).skip(at % part).step_by(part) {
            let life = Life {
                ends_at: Some(end),
                ..Life::default()
            };
            play(what, party, life).await;
            told += 1;
        }
    }
    println!("{told} deals were cut once, all came out as agreed");
}

#[tokio::test]
async fn whatever_happens_to_one_request_of_a_deal_it_comes_out_as_agreed_on() {
    let mut told = 0;
    for (at, (what, party)) in PLAYS.into_iter().enumerate() {
        let (_, requests) = play(what, party, Life::default()).await;
        let all = (0..requests).flat_map(|request| Fault::ALL.map(|fault| (request, fault)));
        let part = every(11);
        for fault in all.skip(at % part).step_by(part) {
            let life = Life {
                fault: Some(fault),
                ..Life::default()
            };
            play(what, party, life).await;
            told += 1;
        }
    }
    println!("{told} deals met one fault, all came out as agreed");
}
