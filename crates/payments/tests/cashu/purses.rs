//! Money in purses, when the same text is taken twice, a mint refuses, and words bring back what was never lost.

use std::sync::atomic::Ordering;

use cdk::nuts::{CurrencyUnit, KeySetInfo};
use cdk_common::database::WalletDatabase as _;
use haggle_payments::cashu::Ledger;
use haggle_payments::{Error, Purse, Rail};
use haggle_protocol::Party;
use haggle_store::Store as _;

use crate::support::{FAR, Fault, Life, Mint, PAST, Person, Three, deal};

/// Two people at one mint; the first has 500.
async fn two() -> (Mint, Purse, Person, Person) {
    let mint = Mint::new("mint", 0).await;
    let purse = mint.purse("sat");
    let ana = Person::new(1, std::slice::from_ref(&mint)).await;
    let ben = Person::new(2, std::slice::from_ref(&mint)).await;
    ana.earns(&purse, 500).await;
    (mint, purse, ana, ben)
}

#[tokio::test]
async fn a_text_that_is_taken_again_after_a_lost_answer_comes_in_once() {
    let (mint, purse, ana, mut ben) = two().await;
    let mut lost = 0;
    for request in 0..12 {
        for fault in [Fault::AnswerLost, Fault::Lost, Fault::Late, Fault::Stumble] {
            let text = ana.rail.give(&purse, 4).await.unwrap();
            let before = ben.free(&purse).await;
            ben.restart(Life {
                fault: Some((request, fault)),
                ..Life::default()
            })
            .await;
            let first = ben.rail.take(&text).await;
            if first.is_err() {
                lost += 1;
                let again = ben.rail.take(&text).await;
                assert_eq!(again.map(|came| came.minor), Ok(4), "{request} {fault:?}");
            }
            ben.restart(Life::default()).await;
            assert_eq!(ben.rail.take(&text).await, Err(Error::Spent));
            assert_eq!(ben.rail.recover().await, Ok(true), "{request} {fault:?}");
            let now = (ben.free(&purse).await, ben.held(&purse).await);
            assert_eq!(now, (before + 4, 0), "{request} {fault:?}");
        }
    }
    assert!(lost >= 4, "{lost}");
    assert_eq!(ana.rail.recover().await, Ok(true));
    assert_eq!(mint.outstanding().await, 500);
}

#[tokio::test]
async fn a_text_that_somebody_else_has_taken_leaves_nothing_behind() {
    let (mint, purse, ana, ben) = two().await;
    let text = ana.rail.give(&purse, 200).await.unwrap();
    let late = Person::new(3, std::slice::from_ref(&mint)).await;
    ben.rail.take(&text).await.unwrap();
    for person in [&ana, &ben, &late] {
        assert_eq!(person.rail.take(&text).await, Err(Error::Spent));
    }
    for person in [&ana, &ben, &late] {
        assert_eq!(person.rail.recover().await, Ok(true));
        assert_eq!(person.held(&purse).await, 0);
    }
    assert_eq!((ana.free(&purse).await, ben.free(&purse).await), (300, 200));
}

#[tokio::test]
async fn what_was_given_away_stays_known_until_the_mint_gives_it_back() {
    let (mint, purse, mut ana, _) = two().await;
    let mut text = ana.rail.give(&purse, 200).await.unwrap();
    let (mut kept, mut back) = (0, 0);
    for request in 0..8 {
        for fault in [Fault::Busy, Fault::Lost, Fault::AnswerLost, Fault::Stumble] {
            ana.restart(Life {
                fault: Some((request, fault)),
                ..Life::default()
            })
            .await;
            let taken = ana.rail.take(&text).await;
            ana.restart(Life::default()).await;
            assert_eq!(ana.rail.recover().await, Ok(true), "{request} {fault:?}");
            let given = ana.rail.given().await.unwrap();
            let has = (ana.free(&purse).await, ana.held(&purse).await);
            if given.iter().any(|one| one.text == text) {
                assert!(taken.is_err());
                assert_eq!(has, (300, 200), "{request} {fault:?}");
                kept += 1;
            } else {
                // The mint has done it after all, or did it when it was asked again.
                assert_eq!(has, (500, 0), "{request} {fault:?}");
                back += 1;
                text = ana.rail.give(&purse, 200).await.unwrap();
            }
        }
    }
    assert!(kept > 4 && back > 4, "{kept} {back}");
    assert_eq!(mint.outstanding().await, 500);
}

#[tokio::test]
async fn whoever_is_ended_while_he_takes_a_text_has_it_once_in_the_end() {
    for own in [false, true] {
        let (mint, purse, mut ana, mut ben) = two().await;
        let mut ended = 0;
        for end in 0.. {
            let text = ana.rail.give(&purse, 4).await.unwrap();
            let taker = if own { &mut ana } else { &mut ben };
            let before = taker.free(&purse).await;
            let life = Life {
                ends_at: Some(end),
                ..Life::default()
            };
            taker.restart(life).await;
            let first = taker.rail.take(&text).await;
            taker.restart(Life::default()).await;
            assert_eq!(taker.rail.recover().await, Ok(true), "{own} {end}");
            match taker.rail.take(&text).await {
                Ok(came) => assert_eq!((came.minor, first.is_err()), (4, true)),
                Err(error) => assert_eq!(error, Error::Spent, "{own} {end}"),
            }
            assert_eq!(taker.rail.recover().await, Ok(true), "{own} {end}");
            let now = (taker.free(&purse).await, taker.held(&purse).await);
            assert_eq!(now, (before + 4, 0), "{own} {end}");
            if first.is_ok() {
                break;
            }
            ended += 1;
        }
        assert!(ended > 8, "{ended}");
        assert_eq!(mint.outstanding().await, 500);
    }
}

#[tokio::test]
async fn what_is_claimed_again_before_the_first_answer_is_picked_up_comes_in_once() {
    let mut came_late = 0;
    for request in 0..10 {
        for fault in [Fault::AnswerLost, Fault::Late] {
            let mut three = Three::new("sat", 0, 4_000).await;
            let contract = three.contract(4_000, PAST);
            let buyer = deal(&contract, Party::Buyer);
            let locked = three.buyer.rail.lock(&buyer).await.unwrap();
            three
                .buyer
                .restart(Life {
                    fault: Some((request, fault)),
                    ..Life::default()
                })
                .await;
            if three.buyer.rail.refund(&buyer, &locked).await.is_err() {
                came_late += 1;
                three.buyer.rail.refund(&buyer, &locked).await.unwrap();
            }
            let has = three.buyer.free(&three.purse).await;
            assert_eq!(has, 4_000, "{request} {fault:?}");
            assert_eq!(three.buyer.held(&three.purse).await, 0);
            assert_eq!(three.buyer.rail.recover().await, Ok(true));
            assert_eq!(three.buyer.free(&three.purse).await, 4_000);
        }
    }
    assert!(came_late > 4, "{came_late}");
}

#[tokio::test]
async fn words_bring_back_nothing_twice_on_a_peer_that_has_lost_nothing() {
    let (mint, purse, ana, ben) = two().await;
    let text = ana.rail.give(&purse, 200).await.unwrap();
    let counters = ana.counters().await;
    for _ in 0..2 {
        ana.rail.restore(&purse).await.unwrap();
        assert_eq!((ana.free(&purse).await, ana.held(&purse).await), (300, 200));
        assert_eq!(ana.counters().await, counters);
        assert_eq!(ana.rail.given().await.unwrap().len(), 1);
    }
    ben.rail.take(&text).await.unwrap();
    assert_eq!(ana.rail.recover().await, Ok(true));
    assert_eq!((ana.free(&purse).await, ana.held(&purse).await), (300, 0));
    let again = ana.elsewhere().await;
    assert_eq!(again.rail.restore(&purse).await, Ok(300));
    assert_eq!(again.counters().await, counters);
    assert_eq!(again.free(&purse).await, 300);
    assert_eq!(mint.outstanding().await, 500);
}

#[tokio::test]
async fn only_an_unmet_deadline_is_too_early() {
    for (deadline, expected) in [(FAR, true), (PAST, false)] {
        let mut three = Three::new("sat", 0, 10_000).await;
        let contract = three.contract(4_000, deadline);
        let buyer = deal(&contract, Party::Buyer);
        let locked = three.buyer.rail.lock(&buyer).await.unwrap();
        let mut refused = 0;
        for request in 0..8 {
            three
                .buyer
                .restart(Life {
                    fault: Some((request, Fault::Busy)),
                    ..Life::default()
                })
                .await;
            match three.buyer.rail.refund(&buyer, &locked).await {
                Err(Error::Refused(_)) => refused += 1,
                Err(Error::Unknown(_)) => {}
                Err(Error::TooEarly) => {
                    // There was no request for the mint to be too busy for.
                    assert!(expected && three.buyer.life.requests() <= request);
                }
                Ok(_) => assert!(!expected),
                Err(other) => panic!("{other}"),
            }
        }
        assert!(refused > 0);
    }
}

#[tokio::test]
async fn a_purse_that_has_caught_up_is_not_asked_again_while_another_one_cannot_be() {
    let (one, other) = (Mint::new("one", 0).await, Mint::new("other", 0).await);
    let mut ana = Person::new(1, &[one.clone(), other.clone()]).await;
    for mint in [&one, &other] {
        ana.earns(&mint.purse("sat"), 500).await;
    }
    let backup = ana.memory.load().await.unwrap();
    for mint in [&one, &other] {
        let text = ana.rail.give(&mint.purse("sat"), 200).await.unwrap();
        ana.rail.take(&text).await.unwrap();
    }
    ana.comes_back(backup).await;
    // Keys of the mint's that no money of the market can be counted in.
    let url = one.name.name().parse().unwrap();
    let odd = KeySetInfo {
        id: "009a1f293253e41e".parse().unwrap(),
        unit: CurrencyUnit::Custom("no asset".into()),
        active: true,
        input_fee_ppk: 0,
        final_expiry: None,
    };
    let ledger = Ledger::open(Box::new(ana.memory.clone())).await.unwrap();
    ledger.add_mint_keysets(url, vec![odd]).await.unwrap();
    ana.restart(Life::default()).await;

    other.gone.store(true, Ordering::SeqCst);
    assert_eq!(ana.rail.catch_up().await, Ok(false));
    let asked = ana.life.requests();
    assert!(asked > 0);
    assert_eq!(ana.free(&one.purse("sat")).await, 500);
    assert_eq!(ana.rail.catch_up().await, Ok(false));
    assert_eq!(ana.life.requests(), asked);
    other.gone.store(false, Ordering::SeqCst);
    assert_eq!(ana.rail.catch_up().await, Ok(true));
    for mint in [&one, &other] {
        let text = ana.rail.give(&mint.purse("sat"), 500).await.unwrap();
        assert_eq!(ana.rail.take(&text).await.unwrap().minor, 500);
    }
}
