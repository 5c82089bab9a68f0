//! How a lock moves: as two agree, or at its deadline to its holder; once, to the unit, and by nobody else.

use haggle_payments::{Error, LockState, Locked, Mismatch, Outcome, Settlement};
use haggle_protocol::{Contract, MessageId, Party, Side, Timestamp};

use super::{
    ALL, Bench, FAR, World, agree, all_is_there, claim, contract, deal, is_mismatch, lock,
    nothing_moved, propose, refund, settle, split,
};

pub(crate) async fn a_settlement_pays_exactly_its_split_whichever_two_agree_and_whoever_is_silent(
    bench: &impl Bench,
) {
    let (buyer, seller, arbiter) = (Party::Buyer, Party::Seller, Party::Arbiter);
    for (pair, shares) in [
        ((seller, buyer), [0, 9_000, 0]),
        ((buyer, seller), [9_000, 0, 0]),
        ((seller, buyer), [2_700, 6_300, 0]),
        // The buyer, or the seller, does nothing here but come for his share.
        ((arbiter, seller), [2_700, 6_200, 100]),
        ((arbiter, buyer), [6_300, 2_700, 0]),
        ((buyer, arbiter), [1, 8_998, 1]),
    ] {
        let world = bench.world(10_000).await;
        let contract = contract(&world, 9_000, FAR);
        let locked = lock(&world, &contract).await;
        let outcome = split(shares[0], shares[1], shares[2]);
        let (settlement, next) = settle(&world, &contract, &locked, outcome, pair)
            .await
            .unwrap();
        assert_eq!(next, None, "nothing stays locked");
        for (party, share) in ALL.into_iter().zip(shares) {
            let came = claim(&world, &contract, &locked, &settlement, party).await;
            assert_eq!(came, Ok(share), "the share of {party:?} of {outcome:?}");
            let again = claim(&world, &contract, &locked, &settlement, party).await;
            assert_eq!(again, Ok(0), "{party:?}, once more");
        }
        for party in ALL {
            let state = world.rail(party).status(&contract, &locked).await;
            assert_eq!(state, Ok(LockState::Moved));
            let checked = world.rail(party).verify(&contract, &locked).await;
            assert_eq!(checked, Err(Error::Spent));
        }
        all_is_there(&world, 10_000, 0).await;
    }
}

pub(crate) async fn a_split_of_another_sum_is_refused(bench: &impl Bench) {
    let world = bench.world(9_000).await;
    let contract = contract(&world, 9_000, FAR);
    let locked = lock(&world, &contract).await;
    for outcome in [
        split(0, 9_001, 0),
        split(0, 8_999, 0),
        split(u64::MAX, 9_001, 0),
    ] {
        let pair = (Party::Seller, Party::Buyer);
        let done = settle(&world, &contract, &locked, outcome, pair).await;
        assert_eq!(done, Err(Mismatch::Amount.into()), "{outcome:?}");
    }
    nothing_moved(&world, &contract, &locked, 9_000).await;
}

pub(crate) async fn no_party_alone_moves_a_lock_before_its_deadline(bench: &impl Bench) {
    let world = bench.world(9_000).await;
    let contract = contract(&world, 9_000, FAR);
    let locked = lock(&world, &contract).await;
    for party in ALL {
        let rail = world.rail(party);
        for outcome in [split(9_000, 0, 0), split(0, 9_000, 0), split(0, 0, 9_000)] {
            let alone = propose(&world, &contract, &locked, outcome, party)
                .await
                .unwrap();
            // Twice the same is one, and so is one under two names.
            let mut twice = alone.clone();
            twice.signatures.push(alone.signatures[0].clone());
            let other = ALL.into_iter().find(|other| *other != party).unwrap();
            let mut renamed = twice.clone();
            renamed.signatures[1].party = other;
            for signed in [&alone, &twice, &renamed] {
                let done = rail.execute(&contract, &locked, signed).await;
                assert_eq!(done, Err(Error::Signature), "one key alone, {party:?}'s");
            }
        }
        let taken = refund(&world, &contract, &locked, party).await;
        let expected = match party {
            Party::Buyer => Error::TooEarly,
            Party::Seller | Party::Arbiter => Error::NotYours,
        };
        assert_eq!(taken, Err(expected), "{party:?} before the deadline");
    }
    nothing_moved(&world, &contract, &locked, 9_000).await;
}

pub(crate) async fn a_signature_counts_for_one_party_and_one_outcome(bench: &impl Bench) {
    let world = bench.world(20_000).await;
    let contract = contract(&world, 9_000, FAR);
    let locked = lock(&world, &contract).await;
    let seller = world.rail(Party::Seller);
    let mine = deal(&contract, Party::Seller);
    let pair = (Party::Seller, Party::Buyer);
    let half = agree(&world, &contract, &locked, split(4_500, 4_500, 0), pair)
        .await
        .unwrap();
    // What the buyer signed for one outcome counts for no other: under another salt, under the same, or for another lock.
    let all = seller.propose(&mine, &locked, split(0, 9_000, 0)).await;
    let mut moved = all.unwrap();
    let by_buyer = half.signatures.iter().find(|one| one.party == Party::Buyer);
    moved.signatures.extend(by_buyer.cloned());
    let mut altered = half.clone();
    altered.outcome = split(0, 9_000, 0);
    for signed in [&moved, &altered] {
        let done = seller.execute(&contract, &locked, signed).await;
        assert_eq!(done, Err(Error::Signature), "signed for another outcome");
    }
    let next = Contract {
        order: MessageId([5; 32]),
        ..contract.clone()
    };
    let second = lock(&world, &next).await;
    let replayed = Settlement {
        contract: next.id(),
        ..half.clone()
    };
    for signed in [&half, &replayed] {
        let done = seller.execute(&next, &second, signed).await;
        let refused = done == Err(Error::Signature) || is_mismatch(&done);
        assert!(refused, "signed for another lock: {done:?}");
    }
    for (contract, locked) in [(&contract, &locked), (&next, &second)] {
        let state = seller.status(contract, locked).await;
        assert_eq!(state, Ok(LockState::Locked));
    }
    // A third signature that is none does not spoil two that are.
    let mut spoilt = half;
    let mut garbage = spoilt.signatures[0].clone();
    garbage.party = Party::Arbiter;
    garbage.signature = vec![7];
    spoilt.signatures.insert(0, garbage);
    let done = seller.execute(&contract, &locked, &spoilt).await;
    assert_eq!(done, Ok(None));
    altered.signatures = spoilt.signatures.clone();
    let done = seller.execute(&contract, &locked, &altered).await;
    let refused = matches!(done, Err(Error::Spent | Error::Signature));
    assert!(refused, "altered after it was carried out: {done:?}");
    for party in [Party::Buyer, Party::Seller] {
        let came = claim(&world, &contract, &locked, &spoilt, party).await;
        assert_eq!(came, Ok(4_500));
    }
    all_is_there(&world, 20_000, 9_000).await;
}

pub(crate) async fn after_the_deadline_the_holder_takes_it_alone_and_nobody_else_does(
    bench: &impl Bench,
) {
    let world = bench.world(10_000).await;
    let contract = contract(&world, 4_000, world.soon());
    let locked = lock(&world, &contract).await;
    let pair = (Party::Arbiter, Party::Seller);
    let late = agree(&world, &contract, &locked, split(0, 4_000, 0), pair)
        .await
        .unwrap();
    world.waits_for(contract.deadline).await;
    for party in [Party::Seller, Party::Arbiter] {
        let taken = refund(&world, &contract, &locked, party).await;
        assert_eq!(taken, Err(Error::NotYours), "{party:?} is not the holder");
        let alone = propose(&world, &contract, &locked, split(0, 4_000, 0), party).await;
        let rail = world.rail(party);
        let done = rail.execute(&contract, &locked, &alone.unwrap()).await;
        assert_eq!(done, Err(Error::Signature), "{party:?} alone");
    }
    nothing_moved(&world, &contract, &locked, 10_000).await;
    let taken = refund(&world, &contract, &locked, Party::Buyer).await;
    assert_eq!(taken, Ok(4_000), "the holder's");
    let again = refund(&world, &contract, &locked, Party::Buyer).await;
    assert_eq!(again, Ok(0), "once more");
    // What two had agreed on before is too late.
    let rail = world.rail(Party::Seller);
    let done = rail.execute(&contract, &locked, &late).await;
    assert_eq!(done, Err(Error::Spent));
    let state = rail.status(&contract, &locked).await;
    assert_eq!(state, Ok(LockState::Moved));
    all_is_there(&world, 10_000, 0).await;
}

pub(crate) async fn a_stranger_moves_nothing_whatever_he_knows(bench: &impl Bench) {
    let world = bench.world(9_000).await;
    let contract = contract(&world, 9_000, world.soon());
    let locked = lock(&world, &contract).await;
    let all = split(0, 9_000, 0);
    let proposed = propose(&world, &contract, &locked, all, Party::Seller)
        .await
        .unwrap();
    let stranger = world.stranger();
    let not_his = Err(Error::NotYours);
    world.waits_for(contract.deadline).await;
    for party in ALL {
        let as_him = deal(&contract, party);
        let signed = stranger.propose(&as_him, &locked, all).await;
        assert_eq!(signed, not_his, "a proposal as {party:?}");
        let signed = stranger.cosign(&as_him, &locked, proposed.clone()).await;
        assert_eq!(signed, not_his, "a signature as {party:?}");
        let taken = stranger.refund(&as_him, &locked).await;
        assert_eq!(taken, Err(Error::NotYours), "a refund as {party:?}");
    }
    nothing_moved(&world, &contract, &locked, 9_000).await;
    // What is shared out is for those who are named, also when somebody else carries it out.
    let buyer = world.rail(Party::Buyer);
    let signed = buyer
        .cosign(&deal(&contract, Party::Buyer), &locked, proposed)
        .await
        .unwrap();
    assert_eq!(
        stranger.execute(&contract, &locked, &signed).await,
        Ok(None)
    );
    for party in ALL {
        let came = stranger
            .claim(&deal(&contract, party), &locked, &signed)
            .await;
        assert_eq!(came, Err(Error::NotYours), "a claim as {party:?}");
    }
    let came = claim(&world, &contract, &locked, &signed, Party::Seller).await;
    assert_eq!(came, Ok(9_000));
    all_is_there(&world, 9_000, 0).await;
}

/// Three ways to share out one lock, each signed by two.
async fn three_ways(world: &impl World, contract: &Contract, locked: &Locked) -> Vec<Settlement> {
    let mut signed = Vec::new();
    for (outcome, pair) in [
        (split(0, 9_000, 0), (Party::Seller, Party::Buyer)),
        (split(9_000, 0, 0), (Party::Buyer, Party::Seller)),
        (split(4_500, 4_500, 0), (Party::Arbiter, Party::Seller)),
    ] {
        let both = agree(world, contract, locked, outcome, pair).await;
        signed.push(both.unwrap());
    }
    signed
}

pub(crate) async fn of_two_ways_to_share_out_a_lock_one_comes_true(bench: &impl Bench) {
    let world = bench.world(9_000).await;
    let contract = contract(&world, 9_000, world.soon());
    let locked = lock(&world, &contract).await;
    let signed = three_ways(&world, &contract, &locked).await;
    world.waits_for(contract.deadline).await;
    let seller = world.rail(Party::Seller);
    // Again is no second time; anything else is too late.
    for _ in 0..2 {
        let done = seller.execute(&contract, &locked, &signed[0]).await;
        assert_eq!(done, Ok(None));
    }
    for other in &signed[1..] {
        let done = seller.execute(&contract, &locked, other).await;
        assert_eq!(done, Err(Error::Spent), "a second way");
    }
    let late = refund(&world, &contract, &locked, Party::Buyer).await;
    assert_eq!(
        late,
        Err(Error::Spent),
        "the holder, after it was shared out"
    );
    for other in &signed[1..] {
        for party in [Party::Buyer, Party::Seller] {
            let came = claim(&world, &contract, &locked, other, party).await;
            assert_eq!(came, Err(Error::Spent), "a share of a second way");
        }
    }
    let came = claim(&world, &contract, &locked, &signed[0], Party::Seller).await;
    assert_eq!(came, Ok(9_000));
    all_is_there(&world, 9_000, 0).await;
}

pub(crate) async fn of_two_ways_that_are_carried_out_at_once_one_comes_true(bench: &impl Bench) {
    let world = bench.world(9_000).await;
    let contract = contract(&world, 9_000, world.soon());
    let locked = lock(&world, &contract).await;
    let signed = three_ways(&world, &contract, &locked).await;
    world.waits_for(contract.deadline).await;
    let rails = ALL.map(|party| world.rail(party));
    let holder = deal(&contract, Party::Buyer);
    let mut done = futures::join!(
        async {
            rails[1]
                .execute(&contract, &locked, &signed[0])
                .await
                .is_ok()
        },
        async {
            rails[0]
                .execute(&contract, &locked, &signed[1])
                .await
                .is_ok()
        },
        async {
            rails[2]
                .execute(&contract, &locked, &signed[2])
                .await
                .is_ok()
        },
        async { rails[0].refund(&holder, &locked).await.is_ok() },
    );
    let count = |done: (bool, bool, bool, bool)| {
        [done.0, done.1, done.2, done.3]
            .into_iter()
            .filter(|one| *one)
            .count()
    };
    assert!(count(done) <= 1, "more than one way: {done:?}");
    // Whoever was told nothing certain asks again.
    done.0 = rails[1]
        .execute(&contract, &locked, &signed[0])
        .await
        .is_ok();
    done.1 = rails[0]
        .execute(&contract, &locked, &signed[1])
        .await
        .is_ok();
    done.2 = rails[2]
        .execute(&contract, &locked, &signed[2])
        .await
        .is_ok();
    done.3 = rails[0].refund(&holder, &locked).await.is_ok();
    assert_eq!(count(done), 1, "one way: {done:?}");
    for settlement in &signed {
        for party in ALL {
            let came = claim(&world, &contract, &locked, settlement, party).await;
            assert!(matches!(came, Ok(_) | Err(Error::Spent)), "{came:?}");
        }
    }
    all_is_there(&world, 9_000, 0).await;
}

pub(crate) async fn a_renewal_keeps_the_amount_and_changes_holder_and_deadline(bench: &impl Bench) {
    // As the two agree, and as an arbiter decides whose word the buyer was not there to hear.
    for pair in [
        (Party::Seller, Party::Buyer),
        (Party::Arbiter, Party::Seller),
    ] {
        renewed_by(bench, pair).await;
    }
}

async fn renewed_by(bench: &impl Bench, pair: (Party, Party)) {
    let world = bench.world(9_000).await;
    let contract = contract(&world, 9_000, FAR);
    let locked = lock(&world, &contract).await;
    let deadline = world.soon();
    let holder = Side::Seller;
    let renewal = Outcome::Renew { holder, deadline };
    let (signed, next) = settle(&world, &contract, &locked, renewal, pair)
        .await
        .unwrap();
    let renewed = contract.renewed(holder, deadline);
    let next = next.expect("a renewal says how the new lock is told of");
    for party in [Party::Seller, Party::Buyer] {
        let again = world.rail(party).execute(&contract, &locked, &signed).await;
        assert_eq!(
            again.as_ref(),
            Ok(&Some(next.clone())),
            "the same, once more, to whoever has signed it and to who has not"
        );
    }
    for party in ALL {
        let rail = world.rail(party);
        let checked = rail.verify(&renewed, &next).await;
        assert_eq!(checked, Ok(()), "as it was renewed");
        assert_eq!(rail.verify(&contract, &locked).await, Err(Error::Spent));
        // It is not what it was, nor anything else.
        for other in [
            contract.clone(),
            contract.renewed(Side::Buyer, deadline),
            contract.renewed(holder, Timestamp(deadline.0 + 1)),
        ] {
            let checked = rail.verify(&other, &next).await;
            assert!(is_mismatch(&checked), "{checked:?} of {other:?}");
        }
    }
    nothing_moved(&world, &renewed, &next, 9_000).await;
    world.waits_for(deadline).await;
    let buyer = refund(&world, &renewed, &next, Party::Buyer).await;
    assert_eq!(buyer, Err(Error::NotYours), "the holder that was");
    let seller = refund(&world, &renewed, &next, Party::Seller).await;
    assert_eq!(seller, Ok(9_000), "the amount that was");
    all_is_there(&world, 9_000, 0).await;
}

pub(crate) async fn what_was_not_carried_out_cannot_be_claimed(bench: &impl Bench) {
    let world = bench.world(9_000).await;
    let contract = contract(&world, 9_000, FAR);
    let locked = lock(&world, &contract).await;
    let pair = (Party::Seller, Party::Buyer);
    let signed = agree(&world, &contract, &locked, split(0, 9_000, 0), pair)
        .await
        .unwrap();
    // Also by whom it gives nothing: that it was carried out is what he would conclude from an answer.
    for party in [Party::Seller, Party::Buyer] {
        let early = claim(&world, &contract, &locked, &signed, party).await;
        assert_eq!(early, Err(Error::NotDone), "before it was carried out");
    }
    nothing_moved(&world, &contract, &locked, 9_000).await;
    let back = settle(&world, &contract, &locked, split(9_000, 0, 0), pair).await;
    let (back, _) = back.unwrap();
    for party in [Party::Seller, Party::Buyer] {
        let late = claim(&world, &contract, &locked, &signed, party).await;
        assert_eq!(late, Err(Error::Spent), "another one was carried out");
    }
    let came = claim(&world, &contract, &locked, &back, Party::Buyer).await;
    assert_eq!(came, Ok(9_000));
    all_is_there(&world, 9_000, 0).await;
}

pub(crate) async fn without_an_arbiter_it_takes_both_or_the_deadline(bench: &impl Bench) {
    let world = bench.world(20_000).await;
    let soon = Contract {
        order: MessageId([5; 32]),
        ..contract(&world, 9_000, world.soon())
    };
    for contract in [contract(&world, 9_000, FAR), soon] {
        let contract = Contract {
            arbiter: None,
            ..contract
        };
        let locked = lock(&world, &contract).await;
        let seller = world.rail(Party::Seller);
        assert_eq!(seller.verify(&contract, &locked).await, Ok(()));
        let nobody = propose(
            &world,
            &contract,
            &locked,
            split(9_000, 0, 0),
            Party::Arbiter,
        );
        assert_eq!(nobody.await, Err(Error::NotYours));
        let pair = (Party::Seller, Party::Buyer);
        let with_fee = settle(&world, &contract, &locked, split(0, 8_900, 100), pair).await;
        assert_eq!(with_fee, Err(Mismatch::Amount.into()));
        if contract.deadline == FAR {
            let all = split(0, 9_000, 0);
            let (signed, _) = settle(&world, &contract, &locked, all, pair).await.unwrap();
            let came = claim(&world, &contract, &locked, &signed, Party::Seller).await;
            assert_eq!(came, Ok(9_000));
        } else {
            world.waits_for(contract.deadline).await;
            let back = refund(&world, &contract, &locked, Party::Buyer).await;
            assert_eq!(back, Ok(9_000));
        }
    }
    all_is_there(&world, 20_000, 0).await;
}
