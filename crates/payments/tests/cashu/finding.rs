//! A lock that may have been made: found again after a restore, from a backup, or when its answer was lost; and when it is said that
//! there is none, none can come any more.

use std::sync::atomic::Ordering;

use cdk::nuts::CurrencyUnit;
use haggle_payments::{Error, Rail as _};
use haggle_protocol::Party;
use haggle_store::{Record, Store as _};

use crate::laws;
use crate::support::{FAR, Fault, Life, Three, deal, every, in_the_middle};

#[tokio::test]
async fn a_lock_that_other_money_has_paid_for_is_kept_with_its_change_and_this_money_is_free() {
    let mut three = Three::new("sat", 0, 4_096).await;
    let first = three.buyer.memory.load().await.unwrap();
    three.buyer.earns(&three.purse, 4_096).await;
    let records = three.buyer.memory.load().await.unwrap();
    let is_piece = |(key, _): &&Record| key.starts_with("rail/cashu/proof/");
    let minor = |(_, record): &Record| -> u64 {
        let record: serde_json::Value = serde_json::from_slice(record).unwrap();
        record["proof"]["amount"].as_u64().unwrap()
    };
    let known = |key: &String| first.iter().any(|(one, _)| one == key);
    let pieces: Vec<&Record> = records.iter().filter(is_piece).collect();
    let (old, new): (Vec<&Record>, Vec<&Record>) =
        pieces.into_iter().partition(|(key, _)| known(key));
    // Two pieces of ecash that are worth the same; each of two devices has one of them.
    let pairs = old
        .iter()
        .flat_map(|one| new.iter().map(move |other| (*one, *other)));
    let (one, other) = pairs
        .filter(|(one, other)| minor(one) == minor(other))
        .max_by_key(|(one, _)| minor(one))
        .unwrap();
    let worth = minor(one);
    let only = |piece: &Record| -> Vec<Record> {
        let all = records.iter();
        // Nor does it know of what came before that.
        all.filter(|one| !one.0.starts_with("rail/cashu/moved/"))
            .filter(|one| !is_piece(one) || one.0 == piece.0)
            .cloned()
            .collect()
    };
    let contract = three.contract(worth - 96, FAR);
    let buyer = deal(&contract, Party::Buyer);
    // The first sets its piece aside for a lock and never reaches the mint.
    three.buyer.comes_back(only(one)).await;
    three.mint.tricks("/v1/swap", Fault::Lost);
    let unknown = Err(three.mint.unknown());
    assert_eq!(three.buyer.rail.lock(&buyer).await, unknown);
    let begun = three.buyer.memory.load().await.unwrap();
    // The second makes it, with its change in the same places.
    three.buyer.comes_back(only(other)).await;
    let locked = three.buyer.rail.lock(&buyer).await.unwrap();
    assert_eq!(three.buyer.free(&three.purse).await, 96);

    three.buyer.comes_back(begun).await;
    assert_eq!(three.buyer.rail.lock(&buyer).await, Ok(locked));
    assert_eq!(three.buyer.held(&three.purse).await, 0);
    let left = worth + 96;
    assert_eq!(three.buyer.free(&three.purse).await, left);
    let text = three.buyer.rail.give(&three.purse, left).await.unwrap();
    let came = three.seller.rail.take(&text).await.unwrap();
    assert_eq!(came.minor, left);
}

#[tokio::test]
async fn the_words_alone_find_a_lock_when_nothing_is_left_to_pay_for_another_and_when_it_is_late() {
    let unit = || CurrencyUnit::Sat;
    for turned in [None, Some(None), Some(Some(FAR + 1))] {
        for fee in [0, 1_000] {
            let three = Three::new("sat", fee, 4_300).await;
            let contract = three.contract(4_000, FAR);
            let buyer = deal(&contract, Party::Buyer);
            let locked = three.buyer.rail.lock(&buyer).await.unwrap();
            if let Some(end) = turned {
                three.mint.turns_to_keys_until(unit(), end).await;
            }
            let (one, other) = (three.buyer.elsewhere().await, three.buyer.elsewhere().await);
            let said = one.rail.find(&buyer).await;
            assert_eq!(said, Ok(Some(locked.clone())), "{turned:?} {fee}");
            let said = other.rail.lock(&buyer).await;
            assert_eq!(said, Ok(locked.clone()), "{turned:?} {fee}");
            three.seller.rail.verify(&contract, &locked).await.unwrap();
        }
    }
}

#[tokio::test]
async fn a_lock_that_is_known_here_nobody_has_to_be_asked_for() {
    let three = Three::new("sat", 0, 10_000).await;
    let buyer = deal(&three.contract(4_000, FAR), Party::Buyer);
    let locked = three.buyer.rail.lock(&buyer).await.unwrap();
    three.mint.gone.store(true, Ordering::SeqCst);
    assert_eq!(three.buyer.rail.find(&buyer).await, Ok(Some(locked)));
}

#[tokio::test]
async fn once_there_is_no_lock_a_request_that_was_on_its_way_makes_none() {
    let (mut made, mut none) = (0, 0);
    for request in 0.. {
        let mut three = Three::new("sat", 0, 10_000).await;
        let contract = three.contract(4_000, FAR);
        let buyer = deal(&contract, Party::Buyer);
        three.mint.tricks("/v1/swap", Fault::Held);
        let unknown = Err(three.mint.unknown());
        assert_eq!(three.buyer.rail.lock(&buyer).await, unknown);
        let (life, barrier) = Life::pausing(request);
        three.buyer.restart(life).await;
        let ask = three.buyer.rail.find(&buyer);
        let (found, came) = in_the_middle(&barrier, ask, three.mint.lets_in()).await;
        three.buyer.restart(Life::default()).await;
        match found.unwrap_or_else(|error| panic!("{request}: {error}")) {
            Some(told) => {
                three.seller.rail.verify(&contract, &told).await.unwrap();
                assert_eq!(three.buyer.free(&three.purse).await, 6_000);
                made += 1;
            }
            None => {
                assert!(
                    three
                        .mint
                        .lets_in()
                        .await
                        .iter()
                        .all(|status| *status != 200)
                );
                assert_eq!(three.buyer.free(&three.purse).await, 10_000);
                assert_eq!(three.buyer.rail.find(&buyer).await, Ok(None));
                // Whoever wants it still gets it, and the rest is real money.
                three.buyer.rail.lock(&buyer).await.unwrap();
                let text = three.buyer.rail.give(&three.purse, 6_000).await.unwrap();
                three.seller.rail.take(&text).await.unwrap();
                assert_eq!(three.buyer.rail.recover().await, Ok(true));
                none += 1;
            }
        }
        assert_eq!(three.buyer.held(&three.purse).await, 0);
        assert_eq!(three.mint.outstanding().await, 10_000);
        if came.is_none() {
            break;
        }
    }
    assert!(made > 2 && none > 0, "{made} {none}");
}

/// Lives that meet with one fault, or end, at each of the first requests and steps.
fn lives() -> Vec<Life> {
    let faults =
        (0..9).flat_map(|request| laws::Fault::ALL.map(|fault| (request, Fault::from(fault))));
    let faults = faults.map(|fault| Life {
        fault: Some(fault),
        ..Life::default()
    });
    let ends = (0..20).map(|step| Life {
        ends_at: Some(step),
        ..Life::default()
    });
    faults.chain(ends).collect()
}

#[tokio::test]
async fn whoever_is_cut_off_while_he_asks_for_a_lock_has_lost_nothing() {
    let (mut cut, mut made) = (0, 0);
    for life in lives().into_iter().step_by(every(3)) {
        let told = format!("{:?} {:?}", life.fault, life.ends_at);
        let mut three = Three::new("sat", 100, 10_000).await;
        let contract = three.contract(4_000, FAR);
        let buyer = deal(&contract, Party::Buyer);
        three.mint.tricks("/v1/swap", Fault::Lost);
        assert!(three.buyer.rail.lock(&buyer).await.is_err());
        three.buyer.restart(life).await;
        match three.buyer.rail.find(&buyer).await {
            Ok(found) => assert_eq!(found, None, "{told}"),
            Err(Error::Unknown(_) | Error::NotSaved(_)) => cut += 1,
            Err(other) => panic!("{told}: {other}"),
        }
        three.buyer.restart(Life::default()).await;
        assert_eq!(three.buyer.rail.recover().await, Ok(true), "{told}");
        let found = three.buyer.rail.find(&buyer).await.unwrap();
        let (free, all) = (
            three.buyer.free(&three.purse).await,
            three.mint.outstanding().await,
        );
        match found {
            // What was only begun is ended at a start.
            Some(locked) => {
                three.seller.rail.verify(&contract, &locked).await.unwrap();
                made += 1;
            }
            None => assert_eq!(free, all, "{told}"),
        }
        assert_eq!(three.buyer.held(&three.purse).await, 0, "{told}");
        let again = three.buyer.rail.lock(&buyer).await.unwrap();
        three.seller.rail.verify(&contract, &again).await.unwrap();
    }
    assert!(cut > 3 && made > 0, "{cut} {made}");
}
