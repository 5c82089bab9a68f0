//! Money survives: whoever is cut off anywhere, and whatever a custodian does, nothing is lost, nothing is made, and in the end everybody
//! has what was agreed on, and a history that tells of it once.
//!
//! Each play is one way through a deal. It is told from its beginning once for each step at which somebody is ended, and once for each
//! request that meets with a fault. Whoever was ended starts again from what he saved, and asks the same again.

use haggle_payments::{Error, LockState, Locked, Outcome, Purse, Settlement, Way, Why};
use haggle_protocol::{Contract, MessageId, Party, Side, Timestamp};

use super::{
    ALL, AnyRail, Bench, FAR, Fault, Lived, Mishap, World, agree, all_is_there, claim, contract,
    deal, free, has, is_unknown, lock, nothing_moved, refund, settle, split,
};

pub(crate) async fn what_cannot_be_known_now_is_unknown(bench: &impl Bench) {
    let world = bench.world(20_000).await;
    let contract = contract(&world, 9_000, world.soon());
    let next = Contract {
        order: MessageId([5; 32]),
        ..contract.clone()
    };
    let locked = lock(&world, &contract).await;
    let pair = (Party::Seller, Party::Buyer);
    let signed = agree(&world, &contract, &locked, split(0, 9_000, 0), pair)
        .await
        .unwrap();
    world.waits_for(contract.deadline).await;
    world.answers(false);
    let rail = world.rail(Party::Buyer);
    let (mine, other) = (deal(&contract, Party::Buyer), deal(&next, Party::Buyer));
    for party in ALL {
        let state = world.rail(party).status(&contract, &locked).await;
        assert_eq!(state, Ok(LockState::Unknown), "whether it still holds");
        let checked = world.rail(party).verify(&contract, &locked).await;
        assert!(is_unknown(&checked), "whether it is there: {checked:?}");
        let came = claim(&world, &contract, &locked, &signed, party).await;
        assert!(is_unknown(&came), "whether it was shared out: {came:?}");
    }
    let done = rail.execute(&contract, &locked, &signed).await;
    assert!(is_unknown(&done), "whether it was carried out: {done:?}");
    let taken = rail.refund(&mine, &locked).await;
    assert!(is_unknown(&taken), "whether it was taken: {taken:?}");
    let made = rail.lock(&other).await;
    assert!(is_unknown(&made), "whether it was locked: {made:?}");
    let found = rail.find(&other).await;
    assert!(is_unknown(&found), "whether there is a lock: {found:?}");
    world.answers(true);
    // None of it was done, since nobody heard it, and all of it can be.
    let state = rail.status(&contract, &locked).await;
    assert_eq!(state, Ok(LockState::Locked));
    assert_eq!(rail.lock(&other).await.map(drop), Ok(()));
    assert_eq!(
        rail.refund(&mine, &locked).await.map(|it| it.minor),
        Ok(9_000)
    );
    assert_eq!(rail.recover().await, Ok(true));
    all_is_there(&world, 20_000, 9_000).await;
}

/// Asks until there is an answer; after an error that leaves it open, the person's program is started again and picks up what it left.
async fn insist<T>(
    world: &mut impl World,
    party: Party,
    ask: impl AsyncFn(AnyRail) -> Result<T, Error>,
) -> T {
    for _ in 0..4 {
        match ask(world.rail(party)).await {
            Ok(answer) => return answer,
            Err(Error::Unknown(_) | Error::NotSaved(_)) => {
                world.restart(party, None).await;
                assert_eq!(
                    world.rail(party).recover().await,
                    Ok(true),
                    "{party:?} recovers"
                );
            }
            Err(error) => panic!("{party:?} was told: {error}"),
        }
    }
    panic!("{party:?} asked in vain")
}

pub(crate) async fn what_a_lost_answer_was_about_is_done_once(bench: &impl Bench) {
    for request in (0..6).step_by(bench.every(2)) {
        let lost = Some(Mishap::Meets(request, Fault::AnswerLost));
        let mut world = bench.world(20_000).await;
        let contract = contract(&world, 9_000, FAR);
        let mine = deal(&contract, Party::Buyer);
        world.restart(Party::Buyer, lost).await;
        let first = world.rail(Party::Buyer).lock(&mine).await;
        let locked = insist(&mut world, Party::Buyer, async |rail| {
            rail.lock(&mine).await
        })
        .await;
        assert!(first.is_err() || first.as_ref() == Ok(&locked));
        world.restart(Party::Buyer, None).await;
        assert_eq!(world.rail(Party::Buyer).recover().await, Ok(true));
        assert_eq!(free(&world, Party::Buyer).await, 11_000, "charged once");
        nothing_moved(&world, &contract, &locked, 20_000).await;

        let pair = (Party::Buyer, Party::Seller);
        let signed = agree(&world, &contract, &locked, split(1_000, 8_000, 0), pair)
            .await
            .unwrap();
        world.restart(Party::Seller, lost).await;
        let ask = async |rail: AnyRail| rail.execute(&contract, &locked, &signed).await;
        assert_eq!(insist(&mut world, Party::Seller, ask).await, None);
        for (party, share) in [(Party::Seller, 8_000), (Party::Buyer, 12_000)] {
            world.restart(party, lost).await;
            let his = deal(&contract, party);
            let ask = async |rail: AnyRail| rail.claim(&his, &locked, &signed).await;
            insist(&mut world, party, ask).await;
            world.restart(party, None).await;
            assert_eq!(world.rail(party).recover().await, Ok(true));
            assert_eq!(free(&world, party).await, share, "paid once");
        }
        all_is_there(&world, 20_000, 0).await;

        let soon = Contract {
            order: MessageId([5; 32]),
            deadline: world.soon(),
            ..contract
        };
        let locked = lock(&world, &soon).await;
        world.waits_for(soon.deadline).await;
        world.restart(Party::Buyer, lost).await;
        let mine = deal(&soon, Party::Buyer);
        let ask = async |rail: AnyRail| rail.refund(&mine, &locked).await;
        insist(&mut world, Party::Buyer, ask).await;
        world.restart(Party::Buyer, None).await;
        assert_eq!(world.rail(Party::Buyer).recover().await, Ok(true));
        all_is_there(&world, 20_000, 0).await;
    }
}

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

const PLAYS: [(Play, Party); 6] = [
    (Play::Refund, Party::Buyer),
    (Play::Release, Party::Buyer),
    (Play::Release, Party::Seller),
    (Play::Ruling, Party::Buyer),
    (Play::Ruling, Party::Seller),
    (Play::Ruling, Party::Arbiter),
];

/// What has moved in whose purse when a play is over: buyer, seller, arbiter.
fn story(play: Play) -> [Vec<(Why, i128)>; 3] {
    let filled = (Why::Deposit, i128::from(BEFORE));
    let locked = (Why::Locked, -i128::from(LOCKED));
    match play {
        Play::Refund => [
            vec![filled, locked, (Why::Refunded, i128::from(LOCKED))],
            vec![],
            vec![],
        ],
        Play::Release => [
            vec![filled, locked],
            vec![(Why::Paid, i128::from(LOCKED))],
            vec![],
        ],
        Play::Ruling => [
            vec![filled, locked, (Why::Returned, 2_321)],
            vec![(Why::Paid, 4_900)],
            vec![(Why::Decided, 100)],
        ],
    }
}

/// What a rail tells of a purse, the oldest first: why, and how much came or went.
async fn told(rail: &AnyRail, purse: &Purse) -> Vec<(Why, i128)> {
    let mut lines = rail.history().await.unwrap();
    lines.retain(|line| line.purse == *purse);
    let short = lines.iter().rev().map(|line| {
        let minor = i128::from(line.minor);
        match line.way {
            Way::In => (line.why, minor),
            Way::Out => (line.why, -minor),
        }
    });
    short.collect()
}

/// Who has how much when a play is over: buyer, seller, arbiter.
fn ending(play: Play) -> [u64; 3] {
    match play {
        Play::Refund => [BEFORE, 0, 0],
        Play::Release => [BEFORE - LOCKED, LOCKED, 0],
        Play::Ruling => [BEFORE - LOCKED + 2_321, 4_900, 100],
    }
}

/// `first` proposes, `second` cosigns and carries out, and these claim.
async fn settles(
    world: &mut impl World,
    contract: &Contract,
    locked: &Locked,
    outcome: Outcome,
    (first, second): (Party, Party),
    claims: &[Party],
) -> Option<Locked> {
    let mine = deal(contract, first);
    let ask = async |rail: AnyRail| rail.propose(&mine, locked, outcome).await;
    let proposed = insist(world, first, ask).await;
    let mine = deal(contract, second);
    let ask = async |rail: AnyRail| rail.cosign(&mine, locked, proposed.clone()).await;
    let signed = insist(world, second, ask).await;
    let ask = async |rail: AnyRail| rail.execute(contract, locked, &signed).await;
    let next = insist(world, second, ask).await;
    for party in claims {
        let mine = deal(contract, *party);
        let ask = async |rail: AnyRail| rail.claim(&mine, locked, &signed).await;
        insist(world, *party, ask).await;
    }
    next
}

/// One play from its beginning, with this mishap to one party; says how far its program came if there was none.
async fn tell(bench: &impl Bench, play: Play, party: Party, mishap: Option<Mishap>) -> Lived {
    let mut world = bench.world(BEFORE).await;
    world.restart(party, mishap).await;
    let deadline = match play {
        Play::Refund => world.soon(),
        Play::Release | Play::Ruling => FAR,
    };
    let contract = contract(&world, LOCKED, deadline);
    let mine = deal(&contract, Party::Buyer);
    let locked = insist(&mut world, Party::Buyer, async |rail| {
        rail.lock(&mine).await
    })
    .await;
    match play {
        Play::Refund => {
            world.waits_for(deadline).await;
            let ask = async |rail: AnyRail| rail.refund(&mine, &locked).await;
            insist(&mut world, Party::Buyer, ask).await;
        }
        Play::Release => {
            let pair = (Party::Buyer, Party::Seller);
            let all = split(0, LOCKED, 0);
            settles(&mut world, &contract, &locked, all, pair, &[Party::Seller]).await;
        }
        Play::Ruling => {
            let (holder, deadline) = (Side::Seller, Timestamp(FAR.0 + 1));
            let renewal = Outcome::Renew { holder, deadline };
            let pair = (Party::Buyer, Party::Seller);
            let next = settles(&mut world, &contract, &locked, renewal, pair, &[]).await;
            let next = next.expect("a renewal says how the new lock is told of");
            let renewed = contract.renewed(holder, deadline);
            let pair = (Party::Arbiter, Party::Seller);
            let ruling = split(2_321, 4_900, 100);
            settles(&mut world, &renewed, &next, ruling, pair, &ALL).await;
        }
    }
    let lived = world.lived(party);
    let endings = ending(play).into_iter().zip(story(play));
    for (party, (share, story)) in ALL.into_iter().zip(endings) {
        // What was left half done at the very end is picked up at the next start.
        world.restart(party, None).await;
        assert_eq!(world.rail(party).recover().await, Ok(true));
        assert_eq!(
            free(&world, party).await,
            share,
            "what {party:?} has in the end"
        );
        if world.tells() {
            let told = told(&world.rail(party), &world.purse()).await;
            assert_eq!(told, story, "{party:?} is told once of all that was done");
        }
    }
    all_is_there(&world, BEFORE, 0).await;
    lived
}

pub(crate) async fn whoever_is_ended_at_any_step_of_a_deal_has_in_the_end_what_was_agreed_on(
    bench: &impl Bench,
) {
    let mut told = 0;
    for (at, (play, party)) in PLAYS.into_iter().enumerate() {
        let steps = tell(bench, play, party, None).await.steps;
        assert!(steps > 3, "{play:?} takes {party:?} only {steps} steps");
        let part = bench.every(7);
        for end in (0..=steps).skip(at % part).step_by(part) {
            tell(bench, play, party, Some(Mishap::Ends(end))).await;
            told += 1;
        }
    }
    println!("{told} deals were cut once, all came out as agreed");
}

pub(crate) async fn whatever_happens_to_one_request_of_a_deal_it_comes_out_as_agreed_on(
    bench: &impl Bench,
) {
    let mut told = 0;
    for (at, (play, party)) in PLAYS.into_iter().enumerate() {
        let requests = tell(bench, play, party, None).await.requests;
        let all = (0..requests).flat_map(|request| Fault::ALL.map(|fault| (request, fault)));
        let part = bench.every(11);
        for (request, fault) in all.skip(at % part).step_by(part) {
            tell(bench, play, party, Some(Mishap::Meets(request, fault))).await;
            told += 1;
        }
    }
    println!("{told} deals met one fault, all came out as agreed");
}

/// Numbers that look like chance and are the same for the same seed (xorshift64*).
struct Dice(u64);

impl Dice {
    fn below(&mut self, end: usize) -> usize {
        self.0 ^= self.0 >> 12;
        self.0 ^= self.0 << 25;
        self.0 ^= self.0 >> 27;
        let high = self.0.wrapping_mul(0x2545_F491_4F6C_DD1D) >> 33;
        usize::try_from(high).unwrap() % end
    }

    fn of<T: Clone>(&mut self, all: &[T]) -> T {
        all[self.below(all.len())].clone()
    }
}

/// How much is asked in one history.
const QUESTIONS: u64 = 40;

/// What has come up so far: locks, and settlements of them that at least one has signed.
#[derive(Default)]
struct Known {
    locks: Vec<(Contract, Locked)>,
    settlements: Vec<(Contract, Locked, Settlement)>,
}

impl Known {
    fn lock(&mut self, contract: Contract, locked: Locked) {
        let lock = (contract, locked);
        if !self.locks.contains(&lock) {
            self.locks.push(lock);
        }
    }

    fn renewed(&mut self, contract: &Contract, settlement: &Settlement, next: Option<Locked>) {
        if let (Outcome::Renew { holder, deadline }, Some(next)) = (settlement.outcome, next) {
            self.lock(contract.renewed(holder, deadline), next);
        }
    }
}

/// Any of the three asks anything about a few contracts, over lost answers, power cuts and silence; refusals are as good as answers.
pub(crate) async fn whatever_is_asked_in_whatever_order_money_is_neither_made_nor_lost(
    bench: &impl Bench,
) {
    let mut moved = 0;
    for seed in (1..=20).step_by(bench.every(10)) {
        let mut dice = Dice(seed);
        let mut world = bench.world(BEFORE).await;
        let contracts: Vec<Contract> = [(1, FAR), (2, world.soon()), (3, FAR)]
            .into_iter()
            .map(|(order, deadline)| Contract {
                order: MessageId([order; 32]),
                ..contract(&world, 3_000, deadline)
            })
            .collect();
        let mut known = Known::default();
        for number in 0..QUESTIONS {
            if number == QUESTIONS / 2 {
                world.waits_for(world.soon()).await;
            }
            ask_anything(&mut world, &mut dice, number, &contracts, &mut known).await;
            let out = world.outstanding().await;
            assert_eq!(out, BEFORE, "out after question {number} of history {seed}");
        }
        moved += come_to_an_end(&mut world, &contracts, &mut known).await;
        all_is_there(&world, BEFORE, 0).await;
        let stranger = has(&world.stranger(), &world.purse()).await;
        assert_eq!(stranger, (0, 0), "history {seed}");
    }
    assert!(moved > 0, "no history has moved anything");
}

async fn ask_anything(
    world: &mut impl World,
    dice: &mut Dice,
    number: u64,
    contracts: &[Contract],
    known: &mut Known,
) {
    let party = dice.of(&ALL);
    let rail = world.rail(party);
    let fresh = dice.of(contracts);
    let (contract, locked) = match known.locks.len() {
        0 => (fresh.clone(), Locked(Vec::new())),
        _ => dice.of(&known.locks),
    };
    let mine = deal(&contract, party);
    match dice.below(12) {
        0 | 1 => {
            // Mostly by who can.
            let asks = world.rail(Party::Buyer);
            if let Ok(told) = asks.lock(&deal(&fresh, Party::Buyer)).await {
                known.lock(fresh, told);
            }
        }
        2 => {
            if let Ok(Some(told)) = rail.find(&deal(&fresh, party)).await {
                known.lock(fresh, told);
            }
        }
        3 | 4 => {
            let outcome = match dice.below(4) {
                0 => split(0, 3_000, 0),
                1 => split(3_000, 0, 0),
                2 => split(1_000, 1_900, 100),
                _ => Outcome::Renew {
                    holder: dice.of(&[Side::Buyer, Side::Seller]),
                    deadline: Timestamp(FAR.0 + 1 + number),
                },
            };
            if let Ok(proposed) = rail.propose(&mine, &locked, outcome).await {
                known.settlements.push((contract, locked, proposed));
            }
        }
        5 | 6 if !known.settlements.is_empty() => {
            let at = dice.below(known.settlements.len());
            let (contract, locked, proposed) = known.settlements[at].clone();
            let mine = deal(&contract, party);
            if let Ok(signed) = rail.cosign(&mine, &locked, proposed).await {
                known.settlements[at].2 = signed;
            }
        }
        7 | 8 if !known.settlements.is_empty() => {
            let (contract, locked, signed) = dice.of(&known.settlements);
            if let Ok(next) = rail.execute(&contract, &locked, &signed).await {
                known.renewed(&contract, &signed, next);
            }
        }
        9 if !known.settlements.is_empty() => {
            let (contract, locked, signed) = dice.of(&known.settlements);
            let _ = rail.claim(&deal(&contract, party), &locked, &signed).await;
        }
        10 => {
            let _ = rail.refund(&mine, &locked).await;
        }
        11 => {
            let mishap = match dice.below(3) {
                0 => Mishap::Ends(dice.below(12)),
                _ => Mishap::Meets(dice.below(6), dice.of(&Fault::ALL)),
            };
            world.answers(dice.below(4) > 0);
            world.restart(party, Some(mishap)).await;
        }
        _ => {
            let _ = rail.recover().await;
        }
    }
}

/// Everybody starts again, whatever is locked is shared out, and everybody comes for what is his. Says how many locks there were.
async fn come_to_an_end(
    world: &mut impl World,
    contracts: &[Contract],
    known: &mut Known,
) -> usize {
    world.answers(true);
    for party in ALL {
        world.restart(party, None).await;
        assert_eq!(world.rail(party).recover().await, Ok(true));
    }
    let buyer = world.rail(Party::Buyer);
    for contract in contracts {
        if let Some(told) = buyer.find(&deal(contract, Party::Buyer)).await.unwrap() {
            known.lock(contract.clone(), told);
        }
    }
    // What was carried out says so again, so no lock that grew out of another one is missed.
    for (contract, locked, signed) in known.settlements.clone() {
        if let Ok(next) = buyer.execute(&contract, &locked, &signed).await {
            known.renewed(&contract, &signed, next);
        }
    }
    let mut at = 0;
    while let Some((contract, locked)) = known.locks.get(at).cloned() {
        at += 1;
        let state = buyer.status(&contract, &locked).await;
        if state == Ok(LockState::Locked) {
            let pair = (Party::Buyer, Party::Seller);
            let all = split(0, contract.amount.minor, 0);
            let done = settle(world, &contract, &locked, all, pair).await;
            known.settlements.push((contract, locked, done.unwrap().0));
        } else {
            assert_eq!(state, Ok(LockState::Moved));
            // By the holder it may have been, and he did not hear of it.
            let holder = Party::from(contract.holder);
            let _ = refund(world, &contract, &locked, holder).await;
        }
    }
    for (contract, locked, signed) in &known.settlements {
        for party in ALL {
            let _ = claim(world, contract, locked, signed, party).await;
        }
    }
    at
}
