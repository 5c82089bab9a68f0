//! Locks between three people at a real mint: each way one can end, what must be refused, and by whom.

use crate::support::{FAR, Life, Mint, PAST, Person, QUOTE, Three, agree, deal, settle, split};
use haggle_payments::{
    Direct, Error, LockState, Locked, Mismatch, Outcome, Purse, Rail, Settlement,
};
use haggle_protocol::{Contract, Custodian, MessageId, Money, Party, Side, Timestamp};
use haggle_store::Store as _;

const ALL: [Party; 3] = [Party::Buyer, Party::Seller, Party::Arbiter];

async fn claim(
    three: &Three,
    contract: &Contract,
    locked: &Locked,
    settlement: &Settlement,
    party: Party,
) -> Result<u64, Error> {
    let rail = &three.person(party).rail;
    let came = rail
        .claim(&deal(contract, party), locked, settlement)
        .await?;
    Ok(came.minor)
}

#[tokio::test]
async fn each_two_of_three_can_share_out_a_lock_and_each_is_paid_to_the_unit() {
    for (pair, outcome) in [
        ((Party::Seller, Party::Buyer), split(0, 9_000, 0)),
        ((Party::Buyer, Party::Seller), split(9_000, 0, 0)),
        ((Party::Seller, Party::Buyer), split(2_700, 6_300, 0)),
        ((Party::Arbiter, Party::Seller), split(2_700, 6_200, 100)),
        ((Party::Arbiter, Party::Buyer), split(6_300, 2_700, 0)),
    ] {
        let three = Three::new("EUR", 0, 10_000).await;
        let contract = three.contract(9_000, FAR);
        let locked = three
            .buyer
            .rail
            .lock(&deal(&contract, Party::Buyer))
            .await
            .unwrap();
        assert_eq!(three.buyer.free(&three.purse).await, 1_000);
        for party in [Party::Seller, Party::Arbiter] {
            three
                .person(party)
                .rail
                .verify(&contract, &locked)
                .await
                .unwrap();
        }

        let (settlement, _) = settle(&three, &contract, &locked, outcome, pair)
            .await
            .unwrap();

        let Outcome::Split(shares) = outcome else {
            unreachable!()
        };
        for party in ALL {
            let came = claim(&three, &contract, &locked, &settlement, party)
                .await
                .unwrap();
            assert_eq!(came, shares.of(party), "{party:?} of {outcome:?}");
        }
        assert_eq!(three.free().await, 10_000);
        assert_eq!(three.mint.outstanding().await, 10_000);
        let state = three.seller.rail.status(&contract, &locked).await.unwrap();
        assert_eq!(state, LockState::Moved);
    }
}

#[tokio::test]
async fn whoever_is_silent_is_paid_all_the_same_when_he_comes_back() {
    let three = Three::new("sat", 0, 10_000).await;
    let contract = three.contract(10_000, FAR);
    let locked = three
        .buyer
        .rail
        .lock(&deal(&contract, Party::Buyer))
        .await
        .unwrap();
    // The buyer does nothing from here on.
    let pair = (Party::Arbiter, Party::Seller);
    let (ruling, _) = settle(&three, &contract, &locked, split(7_000, 3_000, 0), pair)
        .await
        .unwrap();
    assert_eq!(
        claim(&three, &contract, &locked, &ruling, Party::Seller).await,
        Ok(3_000)
    );

    assert_eq!(
        claim(&three, &contract, &locked, &ruling, Party::Buyer).await,
        Ok(7_000)
    );
    assert_eq!(three.mint.outstanding().await, three.free().await);
}

#[tokio::test]
async fn at_the_deadline_the_holder_takes_it_alone_and_before_it_nobody_does() {
    let three = Three::new("sat", 0, 10_000).await;
    for (order, deadline) in [(1, FAR), (2, PAST)] {
        let contract = Contract {
            order: MessageId([order; 32]),
            ..three.contract(4_000, deadline)
        };
        let buyer = deal(&contract, Party::Buyer);
        let locked = three.buyer.rail.lock(&buyer).await.unwrap();
        // Another than the holder cannot even ask.
        let seller = deal(&contract, Party::Seller);
        assert_eq!(
            three.seller.rail.refund(&seller, &locked).await,
            Err(Error::NotYours)
        );
        let taken = three.buyer.rail.refund(&buyer, &locked).await;
        match deadline {
            FAR => assert_eq!(taken, Err(Error::TooEarly)),
            _ => {
                assert_eq!(taken, Ok(Money::new(4_000, three.purse.asset)));
                let again = three.buyer.rail.refund(&buyer, &locked).await;
                assert_eq!(again, Ok(Money::new(0, three.purse.asset)));
            }
        }
    }
    assert_eq!(three.buyer.free(&three.purse).await, 6_000);
}

#[tokio::test]
async fn of_two_ways_to_share_out_a_lock_one_comes_true_whatever_was_signed() {
    let three = Three::new("sat", 0, 9_000).await;
    let contract = three.contract(9_000, PAST);
    let locked = three
        .buyer
        .rail
        .lock(&deal(&contract, Party::Buyer))
        .await
        .unwrap();
    let mut signed = Vec::new();
    for (outcome, pair) in [
        (split(0, 9_000, 0), (Party::Seller, Party::Buyer)),
        (split(9_000, 0, 0), (Party::Buyer, Party::Seller)),
        (split(4_500, 4_500, 0), (Party::Arbiter, Party::Seller)),
    ] {
        let both = agree(&three, &contract, &locked, outcome, pair).await;
        signed.push(both.unwrap());
    }
    let seller = &three.seller.rail;
    assert_eq!(
        seller.execute(&contract, &locked, &signed[0]).await,
        Ok(None)
    );
    // Again is no second time; anything else is too late.
    assert_eq!(
        seller.execute(&contract, &locked, &signed[0]).await,
        Ok(None)
    );
    assert_eq!(
        seller.execute(&contract, &locked, &signed[1]).await,
        Err(Error::Spent)
    );
    assert_eq!(
        seller.execute(&contract, &locked, &signed[2]).await,
        Err(Error::Spent)
    );
    let late = three
        .buyer
        .rail
        .refund(&deal(&contract, Party::Buyer), &locked)
        .await;
    assert_eq!(late, Err(Error::Spent));
    for settlement in &signed[1..] {
        assert_eq!(
            claim(&three, &contract, &locked, settlement, Party::Buyer).await,
            Err(Error::Spent)
        );
    }
    assert_eq!(
        claim(&three, &contract, &locked, &signed[0], Party::Seller).await,
        Ok(9_000)
    );
    assert_eq!(
        claim(&three, &contract, &locked, &signed[0], Party::Seller).await,
        Ok(0)
    );
    assert_eq!(
        (three.free().await, three.mint.outstanding().await),
        (9_000, 9_000)
    );
}

#[tokio::test]
async fn when_the_goods_are_on_their_way_the_lock_becomes_the_seller_s_at_its_new_deadline() {
    let three = Three::new("sat", 0, 9_000).await;
    let contract = three.contract(9_000, FAR);
    let locked = three
        .buyer
        .rail
        .lock(&deal(&contract, Party::Buyer))
        .await
        .unwrap();
    let renewal = Outcome::Renew {
        holder: Side::Seller,
        deadline: Timestamp(PAST),
    };
    let pair = (Party::Seller, Party::Buyer);
    let (_, next) = settle(&three, &contract, &locked, renewal, pair)
        .await
        .unwrap();
    let renewed = contract.renewed(Side::Seller, Timestamp(PAST));
    let next = next.unwrap();
    three.buyer.rail.verify(&renewed, &next).await.unwrap();
    three.seller.rail.verify(&renewed, &next).await.unwrap();
    assert_eq!(
        three.seller.rail.verify(&contract, &locked).await,
        Err(Error::Spent)
    );

    let buyer = three
        .buyer
        .rail
        .refund(&deal(&renewed, Party::Buyer), &next)
        .await;
    assert_eq!(buyer, Err(Error::NotYours));
    let seller = three
        .seller
        .rail
        .refund(&deal(&renewed, Party::Seller), &next)
        .await;
    assert_eq!(seller, Ok(Money::new(9_000, three.purse.asset)));
}

#[tokio::test]
async fn a_mint_that_takes_fees_is_paid_out_of_what_the_buyer_put_in_and_everybody_gets_his_share()
{
    for fee in [1, 100, 1_000] {
        let three = Three::new("sat", fee, 20_000).await;
        let contract = three.contract(9_000, FAR);
        let locked = three
            .buyer
            .rail
            .lock(&deal(&contract, Party::Buyer))
            .await
            .unwrap();
        three.seller.rail.verify(&contract, &locked).await.unwrap();
        let renewal = Outcome::Renew {
            holder: Side::Seller,
            deadline: Timestamp(FAR + 1),
        };
        let pair = (Party::Seller, Party::Buyer);
        let (_, next) = settle(&three, &contract, &locked, renewal, pair)
            .await
            .unwrap();
        let (renewed, next) = (
            contract.renewed(Side::Seller, Timestamp(FAR + 1)),
            next.unwrap(),
        );
        three.seller.rail.verify(&renewed, &next).await.unwrap();
        let pair = (Party::Arbiter, Party::Seller);
        let outcome = split(2_700, 6_200, 100);
        let (settlement, _) = settle(&three, &renewed, &next, outcome, pair)
            .await
            .unwrap();
        for (party, share) in [(Party::Seller, 6_200), (Party::Arbiter, 100)] {
            let came = claim(&three, &renewed, &next, &settlement, party)
                .await
                .unwrap();
            assert!(
                // Exactly, or the next sum that the mint's powers of two allow.
                (share..=share + (13 * fee).div_ceil(1_000)).contains(&came),
                "{party:?} got {came} at {fee}"
            );
        }
        let came = claim(&three, &renewed, &next, &settlement, Party::Buyer)
            .await
            .unwrap();
        assert!(came >= 2_700, "the buyer got {came} at {fee}");
        assert_eq!(three.free().await, three.mint.outstanding().await);
    }
}

#[tokio::test]
async fn one_signature_is_not_enough_and_a_foreign_or_altered_one_is_none() {
    let three = Three::new("sat", 0, 9_000).await;
    let contract = three.contract(9_000, FAR);
    let locked = three
        .buyer
        .rail
        .lock(&deal(&contract, Party::Buyer))
        .await
        .unwrap();
    let seller = &three.seller.rail;
    let mine = deal(&contract, Party::Seller);
    let alone = seller
        .propose(&mine, &locked, split(0, 9_000, 0))
        .await
        .unwrap();
    assert_eq!(
        seller.execute(&contract, &locked, &alone).await,
        Err(Error::Signature)
    );
    // Twice the same is one.
    let mut twice = alone.clone();
    twice.signatures.push(alone.signatures[0].clone());
    assert_eq!(
        seller.execute(&contract, &locked, &twice).await,
        Err(Error::Signature)
    );
    // The seller's signature is not the buyer's.
    let mut forged = alone.clone();
    let mut other = alone.signatures[0].clone();
    other.party = Party::Buyer;
    forged.signatures.push(other);
    assert_eq!(
        seller.execute(&contract, &locked, &forged).await,
        Err(Error::Signature)
    );
    // What the buyer signed for one outcome counts for no other.
    let buyer = &three.buyer.rail;
    let half = seller
        .propose(&mine, &locked, split(4_500, 4_500, 0))
        .await
        .unwrap();
    let both = buyer
        .cosign(&deal(&contract, Party::Buyer), &locked, half)
        .await
        .unwrap();
    let mut moved = alone.clone();
    moved.signatures.push(both.signatures[1].clone());
    assert_eq!(
        seller.execute(&contract, &locked, &moved).await,
        Err(Error::Signature)
    );
    let mut altered = both.clone();
    altered.outcome = split(0, 9_000, 0);
    assert_eq!(
        seller.execute(&contract, &locked, &altered).await,
        Err(Error::Signature)
    );
    // A third signature that is none does not spoil two that are.
    let mut spoilt = both;
    let mut garbage = alone.signatures[0].clone();
    garbage.party = Party::Arbiter;
    garbage.signature.truncate(7);
    spoilt.signatures.insert(0, garbage);
    // Nobody signs for somebody else.
    let stranger = Person::new(9, std::slice::from_ref(&three.mint)).await;
    let as_buyer = stranger
        .rail
        .cosign(&deal(&contract, Party::Buyer), &locked, alone)
        .await;
    assert_eq!(as_buyer, Err(Error::NotYours));
    assert_eq!(
        seller.status(&contract, &locked).await,
        Ok(LockState::Locked)
    );
    assert_eq!(seller.execute(&contract, &locked, &spoilt).await, Ok(None));
}

#[tokio::test]
async fn what_is_not_locked_as_agreed_is_refused_before_anything_is_sent_off() {
    let three = Three::new("sat", 0, 20_000).await;
    let contract = three.contract(9_000, FAR);
    let buyer = deal(&contract, Party::Buyer);
    let locked = three.buyer.rail.lock(&buyer).await.unwrap();
    let seller = &three.seller.rail;
    seller.verify(&contract, &locked).await.unwrap();
    let conditions = Err(Error::Mismatch(Mismatch::Conditions));

    // The same money, told of as if it were locked otherwise: to other keys, for another holder, until another time, for another order,
    // or for more.
    let stranger = three.arbiter.rail.key(Party::Buyer, &QUOTE).unwrap();
    for other in [
        Contract {
            arbiter: None,
            ..contract.clone()
        },
        Contract {
            arbiter: Some(stranger),
            ..contract.clone()
        },
        Contract {
            seller: stranger,
            ..contract.clone()
        },
        Contract {
            holder: Side::Seller,
            ..contract.clone()
        },
        Contract {
            deadline: Timestamp(FAR + 1),
            ..contract.clone()
        },
        Contract {
            order: MessageId([5; 32]),
            ..contract.clone()
        },
        Contract {
            amount: Money::new(9_001, contract.amount.asset),
            ..contract.clone()
        },
    ] {
        assert_eq!(
            seller.verify(&other, &locked).await,
            conditions,
            "{other:?}"
        );
    }

    // One unit short: locked for a smaller contract, so another one.
    let short = Contract {
        amount: Money::new(8_999, contract.amount.asset),
        ..contract.clone()
    };
    let told = three
        .buyer
        .rail
        .lock(&deal(&short, Party::Buyer))
        .await
        .unwrap();
    assert_eq!(seller.verify(&contract, &told).await, conditions);

    // Another unit, another mint.
    let euro = Contract {
        amount: Money::new(9_000, three.mint.purse("EUR").asset),
        ..contract.clone()
    };
    assert_eq!(
        seller.verify(&euro, &locked).await,
        Err(Error::Mismatch(Mismatch::Purse))
    );
    let elsewhere = Contract {
        custodian: Custodian::new("https://other.example").unwrap(),
        ..contract.clone()
    };
    let named = elsewhere.custodian.name().to_owned();
    assert_eq!(
        seller.verify(&elsewhere, &locked).await,
        Err(Error::NotTrusted(named))
    );

    // Bytes that a mint never signed.
    for at in [40, 60, 100, locked.0.len() - 1] {
        let mut false_proof = locked.clone();
        false_proof.0[at] ^= 1;
        let refused = seller.verify(&contract, &false_proof).await;
        let expected = matches!(
            refused,
            Err(Error::Damaged
                | Error::Mismatch(Mismatch::Conditions | Mismatch::Purse | Mismatch::Amount))
        );
        assert!(expected, "byte {at}: {refused:?}");
    }
    for length in [0, 1, 40, locked.0.len() - 1] {
        let cut = Locked(locked.0[..length].to_vec());
        assert_eq!(
            seller.verify(&contract, &cut).await,
            Err(Error::Damaged),
            "{length} bytes"
        );
    }
    assert_eq!(
        seller
            .verify(&contract, &Locked(vec![0; Locked::MAX + 1]))
            .await,
        Err(Error::Damaged)
    );

    // Money that is gone.
    let pair = (Party::Seller, Party::Buyer);
    settle(&three, &contract, &locked, split(9_000, 0, 0), pair)
        .await
        .unwrap();
    assert_eq!(seller.verify(&contract, &locked).await, Err(Error::Spent));
}

#[tokio::test]
async fn a_mint_that_does_not_say_that_it_keeps_to_locks_is_refused_by_both() {
    for lacking in ["7", "9", "10", "11", "12"] {
        let three = Three::new("sat", 0, 20_000).await;
        let first = three.contract(9_000, FAR);
        let locked = three
            .buyer
            .rail
            .lock(&deal(&first, Party::Buyer))
            .await
            .unwrap();
        three.mint.without.lock().unwrap().insert(lacking);
        let refused = Err(Error::Mismatch(Mismatch::Capability));
        assert_eq!(three.seller.rail.verify(&first, &locked).await, refused);
        let second = Contract {
            order: MessageId([5; 32]),
            ..first
        };
        let again = three.buyer.rail.lock(&deal(&second, Party::Buyer)).await;
        assert_eq!(again.map(drop), refused);
        assert_eq!(three.buyer.free(&three.purse).await, 11_000);
    }
}

#[tokio::test]
async fn keys_that_end_before_the_holder_could_come_are_locked_under_by_nobody() {
    const MONTH: u64 = 30 * 24 * 60 * 60;
    let three = Three::new("sat", 0, 9_000).await;
    let (late, soon) = (FAR + 3 * MONTH, FAR + MONTH);
    let unit = || cdk::nuts::CurrencyUnit::Sat;
    three.mint.turns_to_keys_until(unit(), Some(soon)).await;
    let contract = three.contract(4_000, FAR);
    let buyer = deal(&contract, Party::Buyer);
    let refused = three.buyer.rail.lock(&buyer).await;
    assert_eq!(refused, Err(Mismatch::Expires.into()));
    assert_eq!(three.buyer.free(&three.purse).await, 9_000);

    // Good for long enough: locked, and taken for locked. For a later deadline it is not.
    three.mint.turns_to_keys_until(unit(), Some(late)).await;
    let locked = three.buyer.rail.lock(&buyer).await.unwrap();
    three.seller.rail.verify(&contract, &locked).await.unwrap();
    let outcome = Outcome::Renew {
        holder: Side::Seller,
        deadline: Timestamp(FAR + 2 * MONTH),
    };
    let pair = (Party::Seller, Party::Buyer);
    let (_, renewed) = settle(&three, &contract, &locked, outcome, pair)
        .await
        .unwrap();
    let (longer, renewed) = (
        contract.renewed(Side::Seller, Timestamp(FAR + 2 * MONTH)),
        renewed.unwrap(),
    );
    // It is the seller's now: nobody else's money is at stake, and to refuse it would only lose it.
    three.seller.rail.verify(&longer, &renewed).await.unwrap();
    let back = Outcome::Renew {
        holder: Side::Buyer,
        deadline: Timestamp(FAR + 2 * MONTH + 1),
    };
    let (_, again) = settle(&three, &longer, &renewed, back, pair).await.unwrap();
    let returned = longer.renewed(Side::Buyer, Timestamp(FAR + 2 * MONTH + 1));
    let checked = three.seller.rail.verify(&returned, &again.unwrap()).await;
    assert_eq!(checked, Err(Mismatch::Expires.into()));
}

#[tokio::test]
async fn money_under_keys_that_were_turned_is_enough_if_it_is_enough_for_the_fees_too() {
    for amount in [16_384, 18_432, 19_900] {
        let three = Three::new("sat", 1_000, 20_000).await;
        let unit = cdk::nuts::CurrencyUnit::Sat;
        three.mint.turns_its_keys(unit).await;
        let contract = three.contract(amount, FAR);
        let buyer = deal(&contract, Party::Buyer);
        let locked = three.buyer.rail.lock(&buyer).await;
        let locked = locked.unwrap_or_else(|error| panic!("{amount}: {error}"));
        three.seller.rail.verify(&contract, &locked).await.unwrap();
    }
}

#[tokio::test]
async fn too_little_money_is_said_before_anything_is_locked() {
    let three = Three::new("sat", 0, 1_000).await;
    let contract = three.contract(1_001, FAR);
    let refused = three.buyer.rail.lock(&deal(&contract, Party::Buyer)).await;
    let short = Error::NotEnough {
        have: 1_000,
        need: 1_001,
    };
    assert_eq!(refused, Err(short.clone()));
    assert_eq!(three.buyer.rail.give(&three.purse, 1_001).await, Err(short));
    let large = three.contract((1 << 31) + 1, FAR);
    let refused = three.buyer.rail.lock(&deal(&large, Party::Buyer)).await;
    assert_eq!(refused, Err(Error::AboveCeiling { ceiling: 1 << 31 }));
    // A seller does not lock, and nobody locks by a key that is not his.
    let contract = three.contract(500, FAR);
    let seller = three
        .seller
        .rail
        .lock(&deal(&contract, Party::Seller))
        .await;
    assert_eq!(seller, Err(Error::NotYours));
    let stranger = three.seller.rail.lock(&deal(&contract, Party::Buyer)).await;
    assert_eq!(stranger, Err(Error::NotYours));
    assert_eq!(three.buyer.free(&three.purse).await, 1_000);
}

#[tokio::test]
async fn a_mint_that_does_not_answer_is_unknown_and_never_spent_or_unspent() {
    let three = Three::new("sat", 0, 9_000).await;
    let contract = three.contract(9_000, PAST);
    let buyer = deal(&contract, Party::Buyer);
    let locked = three.buyer.rail.lock(&buyer).await.unwrap();
    three
        .mint
        .gone
        .store(true, std::sync::atomic::Ordering::SeqCst);
    let unknown = three.mint.unknown();
    let rail = &three.buyer.rail;
    assert_eq!(
        rail.status(&contract, &locked).await,
        Ok(LockState::Unknown)
    );
    assert_eq!(rail.verify(&contract, &locked).await, Err(unknown.clone()));
    assert_eq!(rail.refund(&buyer, &locked).await, Err(unknown));
    three
        .mint
        .gone
        .store(false, std::sync::atomic::Ordering::SeqCst);
    assert_eq!(rail.status(&contract, &locked).await, Ok(LockState::Locked));
    assert_eq!(rail.refund(&buyer, &locked).await.unwrap().minor, 9_000);
}

#[tokio::test]
async fn a_contract_without_an_arbiter_takes_both_or_the_deadline() {
    let three = Three::new("sat", 0, 9_000).await;
    let contract = Contract {
        arbiter: None,
        ..three.contract(9_000, FAR)
    };
    let locked = three
        .buyer
        .rail
        .lock(&deal(&contract, Party::Buyer))
        .await
        .unwrap();
    three.seller.rail.verify(&contract, &locked).await.unwrap();
    let nobody = three
        .arbiter
        .rail
        .propose(
            &deal(&contract, Party::Arbiter),
            &locked,
            split(9_000, 0, 0),
        )
        .await;
    assert_eq!(nobody, Err(Error::NotYours));
    let with_fee = three
        .seller
        .rail
        .propose(
            &deal(&contract, Party::Seller),
            &locked,
            split(0, 8_900, 100),
        )
        .await;
    assert_eq!(with_fee, Err(Error::Mismatch(Mismatch::Amount)));
    let pair = (Party::Buyer, Party::Seller);
    let (settlement, _) = settle(&three, &contract, &locked, split(0, 9_000, 0), pair)
        .await
        .unwrap();
    assert_eq!(
        claim(&three, &contract, &locked, &settlement, Party::Seller).await,
        Ok(9_000)
    );
}

#[tokio::test]
async fn a_rail_without_escrow_says_so_and_refuses_to_pretend() {
    let three = Three::new("sat", 0, 1).await;
    let contract = three.contract(1, FAR);
    let buyer = deal(&contract, Party::Buyer);
    let locked = Locked(Vec::new());
    let rail = Direct;
    assert!(!rail.capabilities().escrow && !rail.capabilities().custodial);
    assert_eq!(rail.balance().await, Ok(Vec::new()));
    assert_eq!(rail.lock(&buyer).await, Err(Error::Unsupported));
    assert_eq!(rail.find(&buyer).await, Err(Error::Unsupported));
    assert_eq!(
        rail.verify(&contract, &locked).await,
        Err(Error::Unsupported)
    );
    assert_eq!(rail.refund(&buyer, &locked).await, Err(Error::Unsupported));
    assert_eq!(
        rail.status(&contract, &locked).await,
        Err(Error::Unsupported)
    );
    let proposed = rail.propose(&buyer, &locked, split(0, 1, 0)).await;
    assert_eq!(proposed, Err(Error::Unsupported));
    assert_eq!(rail.give(&three.purse, 1).await, Err(Error::Unsupported));
    assert_eq!(rail.recover().await, Ok(true));
}

#[tokio::test]
async fn ecash_as_text_goes_from_one_to_another_once_and_only_from_a_mint_that_he_trusts() {
    let (one, other) = (Mint::new("one", 0).await, Mint::new("other", 0).await);
    let ana = Person::new(1, &[one.clone(), other.clone()]).await;
    let ben = Person::new(2, std::slice::from_ref(&one)).await;
    let purse = |mint: &Mint| -> Purse { mint.purse("EUR") };
    ana.earns(&purse(&one), 500).await;
    ana.earns(&purse(&other), 300).await;
    let text = ana.rail.give(&purse(&one), 200).await.unwrap();
    assert_eq!(ben.rail.take(&text).await.unwrap().minor, 200);
    assert_eq!(ben.rail.take(&text).await, Err(Error::Spent));
    let strange = ana.rail.give(&purse(&other), 100).await.unwrap();
    let refused = ben.rail.take(&strange).await;
    assert_eq!(
        refused,
        Err(Error::NotTrusted(other.name.name().to_owned()))
    );
    assert_eq!(ben.rail.take("cashuBsomething").await, Err(Error::Damaged));
    assert_eq!(
        (ana.free(&purse(&one)).await, ben.free(&purse(&one)).await),
        (300, 200)
    );
    assert_eq!(one.outstanding().await, 500);
}

#[tokio::test]
async fn a_mint_that_turns_its_keys_in_the_middle_of_a_deal_disturbs_nobody() {
    let three = Three::new("sat", 0, 20_000).await;
    let unit = cdk::nuts::CurrencyUnit::Sat;
    let contract = three.contract(9_000, FAR);
    let buyer = deal(&contract, Party::Buyer);
    let locked = three.buyer.rail.lock(&buyer).await.unwrap();
    three.seller.rail.verify(&contract, &locked).await.unwrap();
    three.mint.turns_its_keys(unit.clone()).await;
    // Everybody still has the old keys in mind.
    let renewal = Outcome::Renew {
        holder: Side::Seller,
        deadline: Timestamp(FAR + 1),
    };
    let pair = (Party::Seller, Party::Buyer);
    let (_, next) = settle(&three, &contract, &locked, renewal, pair)
        .await
        .unwrap();
    let renewed = contract.renewed(Side::Seller, Timestamp(FAR + 1));
    let next = next.unwrap();
    three.seller.rail.verify(&renewed, &next).await.unwrap();
    three.mint.turns_its_keys(unit.clone()).await;
    let outcome = split(2_000, 7_000, 0);
    let (settlement, _) = settle(&three, &renewed, &next, outcome, pair)
        .await
        .unwrap();
    three.mint.turns_its_keys(unit.clone()).await;
    for (party, share) in [(Party::Buyer, 2_000), (Party::Seller, 7_000)] {
        assert_eq!(
            claim(&three, &renewed, &next, &settlement, party).await,
            Ok(share)
        );
    }
    three.mint.turns_its_keys(unit).await;
    let second = Contract {
        order: MessageId([5; 32]),
        ..contract
    };
    let locked = three
        .buyer
        .rail
        .lock(&deal(&second, Party::Buyer))
        .await
        .unwrap();
    three.seller.rail.verify(&second, &locked).await.unwrap();
    assert_eq!(three.mint.outstanding().await, 20_000);
}

#[tokio::test]
async fn ecash_that_another_device_has_spent_does_not_hold_up_the_rest() {
    let three = Three::new("sat", 0, 4_095).await;
    // The same words on another device, which finds the same ecash and gives some of it away.
    let twin = three.buyer.elsewhere().await;
    assert_eq!(twin.rail.restore(&three.purse).await, Ok(4_095));
    let text = twin.rail.give(&three.purse, 2_048).await.unwrap();
    three.seller.rail.take(&text).await.unwrap();

    let large = three.contract(4_000, FAR);
    let refused = three.buyer.rail.lock(&deal(&large, Party::Buyer)).await;
    assert_eq!(refused, Err(Error::Spent));
    assert_eq!(three.buyer.free(&three.purse).await, 2_047);
    assert_eq!(three.buyer.held(&three.purse).await, 0);
    let small = three.contract(2_000, FAR);
    let locked = three
        .buyer
        .rail
        .lock(&deal(&small, Party::Buyer))
        .await
        .unwrap();
    three.seller.rail.verify(&small, &locked).await.unwrap();
    assert_eq!(three.mint.outstanding().await, 4_095);
}

#[tokio::test]
async fn what_was_given_away_and_not_taken_is_still_known_and_can_be_had_back() {
    let mint = Mint::new("mint", 0).await;
    let purse = mint.purse("sat");
    let mut ana = Person::new(1, std::slice::from_ref(&mint)).await;
    let ben = Person::new(2, std::slice::from_ref(&mint)).await;
    ana.earns(&purse, 500).await;
    let texts = [
        ana.rail.give(&purse, 200).await.unwrap(),
        ana.rail.give(&purse, 100).await.unwrap(),
    ];
    ana.restart(Life::default()).await;
    assert_eq!(ana.rail.recover().await, Ok(true));
    let given = ana.rail.given().await.unwrap();
    assert!(
        given
            .iter()
            .all(|one| texts.contains(&one.text) && one.purse == purse)
    );
    assert_eq!(given.iter().map(|one| one.minor).sum::<u64>(), 300);
    assert_eq!((ana.free(&purse).await, ana.held(&purse).await), (200, 300));
    assert!(!format!("{given:?}").contains("cashu"));

    ben.rail.take(&texts[1]).await.unwrap();
    ana.rail.take(&texts[0]).await.unwrap();
    assert_eq!(ana.rail.recover().await, Ok(true));
    assert_eq!(ana.rail.given().await.unwrap(), []);
    assert_eq!((ana.free(&purse).await, ana.held(&purse).await), (400, 0));
}

#[tokio::test]
async fn what_was_not_carried_out_cannot_be_claimed_and_one_mint_has_one_name() {
    let three = Three::new("sat", 0, 9_000).await;
    let contract = three.contract(9_000, FAR);
    let buyer = deal(&contract, Party::Buyer);
    let locked = three.buyer.rail.lock(&buyer).await.unwrap();
    let seller = deal(&contract, Party::Seller);
    let all = split(0, 9_000, 0);
    let proposed = three
        .seller
        .rail
        .propose(&seller, &locked, all)
        .await
        .unwrap();
    // Also by whom it gives nothing: that it was carried out is what he would conclude from an answer.
    for party in [Party::Seller, Party::Buyer] {
        let early = claim(&three, &contract, &locked, &proposed, party).await;
        assert_eq!(early, Err(Error::NotDone));
    }
    let back = split(9_000, 0, 0);
    let pair = (Party::Seller, Party::Buyer);
    settle(&three, &contract, &locked, back, pair)
        .await
        .unwrap();
    for party in [Party::Seller, Party::Buyer] {
        let late = claim(&three, &contract, &locked, &proposed, party).await;
        assert_eq!(late, Err(Error::Spent));
    }
    let shouted = Custodian::new("https://MINT.example").unwrap();
    assert_eq!(three.seller.rail.trust(&shouted).await, Err(Error::Damaged));
}

#[tokio::test]
async fn the_words_and_the_names_of_the_mints_bring_back_what_lies_in_purses() {
    let three = Three::new("EUR", 0, 10_000).await;
    // Change of a lock and what was paid out count as well.
    let contract = three.contract(4_321, FAR);
    let locked = three
        .buyer
        .rail
        .lock(&deal(&contract, Party::Buyer))
        .await
        .unwrap();
    let pair = (Party::Seller, Party::Buyer);
    let outcome = split(321, 4_000, 0);
    let (settlement, _) = settle(&three, &contract, &locked, outcome, pair)
        .await
        .unwrap();
    for party in [Party::Buyer, Party::Seller] {
        claim(&three, &contract, &locked, &settlement, party)
            .await
            .unwrap();
    }
    for (person, minor) in [(&three.buyer, 6_000), (&three.seller, 4_000)] {
        let again = person.elsewhere().await;
        assert_eq!(again.rail.restore(&three.purse).await, Ok(minor));
        assert_eq!(again.free(&three.purse).await, minor);
        // What was found is real: it can be given away.
        let text = again.rail.give(&three.purse, minor).await.unwrap();
        assert_eq!(three.arbiter.rail.take(&text).await.unwrap().minor, minor);
    }
}

#[tokio::test]
async fn a_backup_s_purse_is_what_is_left_of_it_once_it_has_caught_up() {
    let mut three = Three::new("EUR", 0, 10_000).await;
    let backup = three.buyer.memory.load().await.unwrap();
    // After it some is given away, and some is locked: the backup knows neither.
    let text = three.buyer.rail.give(&three.purse, 1_234).await.unwrap();
    three.seller.rail.take(&text).await.unwrap();
    let contract = three.contract(4_000, FAR);
    let buyer = deal(&contract, Party::Buyer);
    let locked = three.buyer.rail.lock(&buyer).await.unwrap();
    let left = three.buyer.free(&three.purse).await;

    three.buyer.comes_back(backup).await;
    assert_eq!(three.buyer.free(&three.purse).await, 10_000, "as it was");
    assert_eq!(three.buyer.rail.catch_up().await, Ok(true));
    assert_eq!(three.buyer.free(&three.purse).await, left);
    // What is asked for again is found, and not locked a second time.
    assert_eq!(three.buyer.rail.lock(&buyer).await, Ok(locked));
    assert_eq!(three.buyer.free(&three.purse).await, left);
    let text = three.buyer.rail.give(&three.purse, left).await.unwrap();
    assert_eq!(three.seller.rail.take(&text).await.unwrap().minor, left);
}

#[tokio::test]
async fn no_secret_of_money_is_printed() {
    let three = Three::new("sat", 0, 9_000).await;
    let contract = three.contract(9_000, FAR);
    let locked = three
        .buyer
        .rail
        .lock(&deal(&contract, Party::Buyer))
        .await
        .unwrap();
    let mine = deal(&contract, Party::Seller);
    let settlement = three
        .seller
        .rail
        .propose(&mine, &locked, split(0, 9_000, 0))
        .await
        .unwrap();
    let printed = format!(
        "{:?} {locked:?} {settlement:?} {:?}",
        three.buyer.rail, settlement.signatures
    );
    assert_eq!(
        printed,
        format!(
            "Cashu(..) Locked({} bytes) Settlement {{ contract: {:?}, outcome: {:?}, signed by: [Seller], .. }} [Signed(Seller)]",
            locked.0.len(),
            contract.id(),
            settlement.outcome,
        )
    );
}
