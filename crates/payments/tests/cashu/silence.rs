//! A mint that answers one thing and not another, or late, or never: what cannot be known then is unknown, and what others keep
//! elsewhere goes on.

use std::sync::atomic::Ordering;
use std::time::Duration;

use cdk::nuts::CurrencyUnit;
use futures::future::{Either, select};
use haggle_payments::{Error, LockState, Purse, Rail as _};
use haggle_protocol::{Contract, MessageId, Money, Party, Side, Timestamp};

use crate::support::{
    FAR, Fault, Life, Mint, Person, QUOTE, Three, agree, deal, in_the_middle, settle, split,
};

/// Where a mint tells of its keys.
const KEYS: &[&str] = &["/v1/keysets", "/v1/keys/"];

#[tokio::test]
async fn a_lock_under_keys_that_the_mint_does_not_tell_of_now_is_unknown_and_not_another_unit_s() {
    let three = Three::new("sat", 0, 10_000).await;
    let contract = three.contract(4_000, FAR);
    let buyer = deal(&contract, Party::Buyer);
    let first = three.buyer.rail.lock(&buyer).await.unwrap();
    // The seller knows the first keys, and not those that the mint has turned to.
    three.seller.rail.verify(&contract, &first).await.unwrap();
    three.mint.turns_its_keys(CurrencyUnit::Sat).await;
    let next = three.contract(4_000, FAR + 1);
    let locked = three.buyer.rail.lock(&deal(&next, Party::Buyer)).await;
    let locked = locked.unwrap();
    let unknown = Err(three.mint.unknown());
    for path in ["/v1/keysets", "/v1/keys/", "/v1/info"] {
        three.mint.hears_all_but(&[path]);
        let checked = three.seller.rail.verify(&next, &locked).await;
        assert_eq!(checked, unknown, "{path}");
    }
    three.mint.hears_all_but(&[]);
    three.seller.rail.verify(&next, &locked).await.unwrap();
}

#[tokio::test]
async fn what_was_carried_out_under_keys_that_the_mint_does_not_tell_of_now_can_still_be_claimed() {
    let three = Three::new("sat", 0, 10_000).await;
    let contract = three.contract(4_000, FAR);
    let (buyer, seller) = (
        deal(&contract, Party::Buyer),
        deal(&contract, Party::Seller),
    );
    let locked = three.buyer.rail.lock(&buyer).await.unwrap();
    three.seller.rail.verify(&contract, &locked).await.unwrap();
    three.mint.turns_its_keys(CurrencyUnit::Sat).await;
    let pair = (Party::Seller, Party::Buyer);
    let (signed, _) = settle(&three, &contract, &locked, split(0, 4_000, 0), pair)
        .await
        .unwrap();
    let unknown = three.mint.unknown();
    three.mint.hears_all_but(KEYS);
    let rail = &three.seller.rail;
    let claimed = rail.claim(&seller, &locked, &signed).await;
    assert_eq!(claimed, Err(unknown.clone()));
    let done = rail.execute(&contract, &locked, &signed).await;
    assert_eq!(done, Err(unknown));
    three.mint.hears_all_but(&[]);
    assert_eq!(rail.execute(&contract, &locked, &signed).await, Ok(None));
    let came = rail.claim(&seller, &locked, &signed).await.unwrap();
    assert_eq!(came.minor, 4_000);
}

#[tokio::test]
async fn a_share_that_is_claimed_while_it_is_carried_out_is_not_called_gone() {
    let (mut early, mut paid) = (0, 0);
    for request in 0.. {
        let mut three = Three::new("sat", 0, 5_000).await;
        let contract = three.contract(4_000, FAR);
        let (buyer, seller) = (
            deal(&contract, Party::Buyer),
            deal(&contract, Party::Seller),
        );
        let locked = three.buyer.rail.lock(&buyer).await.unwrap();
        let pair = (Party::Seller, Party::Buyer);
        let signed = agree(&three, &contract, &locked, split(0, 4_000, 0), pair)
            .await
            .unwrap();
        let (life, barrier) = Life::pausing(request);
        three.seller.restart(life).await;
        let (answer, done) = in_the_middle(
            &barrier,
            three.seller.rail.claim(&seller, &locked, &signed),
            three.buyer.rail.execute(&contract, &locked, &signed),
        )
        .await;
        match answer.map(|came| came.minor) {
            Ok(4_000) => paid += 1,
            Err(Error::NotDone) => early += 1,
            other => panic!("carried out before request {request}: {other:?}"),
        }
        if done.is_none() {
            break;
        }
    }
    assert!(early > 0 && paid > 0, "{early} {paid}");
}

#[tokio::test]
async fn what_another_carries_out_while_this_one_asks_is_carried_out_for_both() {
    let mut asked = 0;
    for lost in [false, true] {
        for request in 0.. {
            let mut three = Three::new("sat", 0, 5_000).await;
            let contract = three.contract(4_000, FAR);
            let buyer = deal(&contract, Party::Buyer);
            let locked = three.buyer.rail.lock(&buyer).await.unwrap();
            let pair = (Party::Seller, Party::Buyer);
            let signed = agree(&three, &contract, &locked, split(0, 4_000, 0), pair)
                .await
                .unwrap();
            let (life, barrier) = Life::pausing(request);
            three.seller.restart(life).await;
            if lost {
                three.mint.tricks("/v1/swap", Fault::Lost);
            }
            let other = async {
                let first = three.buyer.rail.execute(&contract, &locked, &signed).await;
                match first {
                    // His is the one that was lost.
                    Err(Error::Unknown(_)) => {
                        three.buyer.rail.execute(&contract, &locked, &signed).await
                    }
                    other => other,
                }
            };
            let ask = three.seller.rail.execute(&contract, &locked, &signed);
            let (answer, done) = in_the_middle(&barrier, ask, other).await;
            match answer {
                Ok(None) | Err(Error::Unknown(_)) => {}
                other => panic!("carried out before request {request}, lost {lost}: {other:?}"),
            }
            if done.is_none() {
                break;
            }
            assert_eq!(done, Some(Ok(None)));
            asked += 1;
        }
    }
    assert!(asked > 6, "{asked}");
}

#[tokio::test]
async fn one_mint_that_never_answers_holds_up_no_purse_at_another() {
    let (one, other) = (Mint::new("one", 0).await, Mint::new("other", 0).await);
    let mints = [one.clone(), other.clone()];
    let (ana, ben) = (Person::new(1, &mints).await, Person::new(2, &mints).await);
    let (dead, alive) = (one.purse("sat"), other.purse("sat"));
    for purse in [&dead, &alive] {
        ana.earns(purse, 5_000).await;
    }
    let text = ben_s_gift(&ana, &ben, &dead).await;
    let order = |purse: &Purse, order| {
        let key = |person: &Person, party| person.rail.key(party, &QUOTE).unwrap();
        let contract = Contract {
            order: MessageId([order; 32]),
            custodian: purse.custodian.clone(),
            amount: Money::new(4_000, purse.asset),
            buyer: key(&ana, Party::Buyer),
            seller: key(&ben, Party::Seller),
            arbiter: None,
            holder: Side::Buyer,
            deadline: Timestamp(FAR),
        };
        deal(&contract, Party::Buyer)
    };
    let (stuck, goes_on) = (order(&dead, 1), order(&alive, 2));
    one.silent.store(true, Ordering::SeqCst);
    let rail = &ana.rail;
    let waits = async {
        let asks = (
            rail.lock(&stuck),
            rail.take(&text),
            rail.restore(&dead),
            rail.withdraw(&dead, "lnbc1"),
        );
        futures::join!(asks.0, asks.1, asks.2, asks.3)
    };
    let others = async {
        let locked = rail.lock(&goes_on).await.unwrap();
        ben.rail.verify(&goes_on.contract, &locked).await.unwrap();
        let text = rail.give(&alive, 500).await.unwrap();
        assert_eq!(rail.take(&text).await.unwrap().minor, 500);
        assert_eq!(rail.restore(&alive).await, Ok(0));
    };
    let both = select(Box::pin(waits), Box::pin(others));
    // As long as a test may last: what holds nobody up is over long before.
    let first = tokio::time::timeout(Duration::from_secs(60), both).await;
    assert!(matches!(first, Ok(Either::Right(_))), "held up");
}

/// A text that the first can take back: ecash of this purse that the second gave him.
async fn ben_s_gift(ana: &Person, ben: &Person, purse: &Purse) -> String {
    let text = ana.rail.give(purse, 100).await.unwrap();
    ben.rail.take(&text).await.unwrap();
    ben.rail.give(purse, 100).await.unwrap()
}

#[tokio::test]
async fn what_a_mint_does_not_answer_in_time_is_unknown_and_can_be_asked_again() {
    let mut three = Three::new("sat", 0, 10_000).await;
    let contract = three.contract(4_000, FAR);
    let next = three.contract(4_000, FAR + 1);
    let (first, second) = (deal(&contract, Party::Buyer), deal(&next, Party::Buyer));
    let locked = three.buyer.rail.lock(&first).await.unwrap();
    let short = Life {
        patience: Some(Duration::from_millis(50)),
        ..Life::default()
    };
    three.buyer.restart(short).await;
    three.mint.silent.store(true, Ordering::SeqCst);
    let unknown = three.mint.unknown();
    let rail = &three.buyer.rail;
    assert_eq!(rail.lock(&second).await, Err(unknown.clone()));
    assert_eq!(rail.find(&second).await, Err(unknown.clone()));
    assert_eq!(rail.verify(&contract, &locked).await, Err(unknown.clone()));
    let deposit = rail.deposit(&three.purse, 5).await;
    assert_eq!(deposit, Err(unknown.clone()));
    assert_eq!(rail.restore(&three.purse).await, Err(unknown));
    let state = rail.status(&contract, &locked).await;
    assert_eq!(state, Ok(LockState::Unknown));
    three.mint.silent.store(false, Ordering::SeqCst);
    three.buyer.restart(Life::default()).await;
    let rail = &three.buyer.rail;
    assert_eq!(rail.status(&contract, &locked).await, Ok(LockState::Locked));
    assert_eq!(rail.restore(&three.purse).await, Ok(0));
    let again = rail.lock(&second).await.unwrap();
    three.seller.rail.verify(&next, &again).await.unwrap();
}
