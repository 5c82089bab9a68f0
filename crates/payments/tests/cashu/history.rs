//! What a purse tells of its past: each thing that was done, once, and nothing that was not.
//!
//! That it adds up to what is in the purse is looked at by every test here that looks into one (`Person::free`), and the plays of
//! `laws/surviving.rs` look at each line.

use cdk::Amount;
use cdk::nuts::{CurrencyUnit, Proof, SecretKey, State};
use cdk::secret::Secret;
use cdk_common::database::WalletDatabase as _;
use cdk_common::wallet::ProofInfo;
use futures::future::{Either, select};
use haggle_payments::cashu::Ledger;
use haggle_payments::{Error, HISTORY_MAX, Outcome, Rail, Why};
use haggle_protocol::{Party, Side, Split};
use haggle_store::Store as _;

use crate::support::{FAR, Fault, Life, Mint, PAST, Person, Three, deal, settle};

/// An invoice for this much, of another mint's making.
async fn invoice(minor: u64) -> String {
    let other = Mint::new("other", 0).await;
    let payee = Person::new(9, std::slice::from_ref(&other)).await;
    let deposit = payee.rail.deposit(&other.purse("sat"), minor).await;
    deposit.unwrap().request
}

#[tokio::test]
async fn each_thing_that_was_done_stands_in_a_history_with_its_reason_its_order_and_its_cost() {
    // Each piece that the mint takes back costs one.
    let mut three = Three::new("sat", 1_000, 8_000).await;
    let purse = three.purse.clone();
    let contract = three.contract(1_000, PAST);
    let mine = deal(&contract, Party::Buyer);
    let locked = three.buyer.rail.lock(&mine).await.unwrap();
    let back = three.buyer.rail.refund(&mine, &locked).await.unwrap().minor;
    let text = three.buyer.rail.give(&purse, 300).await.unwrap();
    let taken = three.seller.rail.take(&text).await.unwrap().minor;
    assert_eq!(three.buyer.rail.recover().await, Ok(true));
    let request = invoice(100).await;
    let paid = three.buyer.rail.withdraw(&purse, &request).await.unwrap();
    let free = three.buyer.free(&purse).await;

    let lines = three.buyer.tells(&purse).await;
    let whys: Vec<Why> = lines.iter().map(|line| line.why).collect();
    assert_eq!(
        whys,
        [
            Why::Deposit,
            Why::Locked,
            Why::Refunded,
            Why::Given,
            Why::Withdrawal
        ]
    );
    let [filled, lock, refund, given, payout] = &lines[..] else {
        panic!("{lines:#?}")
    };
    assert_eq!((filled.minor, filled.cost, filled.order), (8_000, 0, None));
    let order = Some(contract.order);
    assert_eq!((lock.order, refund.order), (order, order));
    assert!(lock.cost > 0 && lock.minor > 1_000 + lock.cost, "{lock:#?}");
    assert_eq!(refund.minor, back);
    assert!(refund.cost > 0, "{refund:#?}");
    // What the taker's own exchange costs is in the text.
    assert!(
        given.cost > 0 && given.minor == 300 + given.cost,
        "{given:#?}"
    );
    // The rail does not count what it cost to have the right pieces for it.
    assert_eq!(payout.minor, paid.paid + payout.cost);
    assert!(payout.cost >= paid.cost, "{payout:#?}");
    assert!(lines.iter().all(|line| !line.open && line.when.0 > PAST));
    let told = three.seller.tells(&purse).await;
    let [came] = &told[..] else {
        panic!("{told:#?}")
    };
    assert_eq!((came.why, came.minor), (Why::Taken, taken));
    assert_eq!(three.seller.free(&purse).await, taken);
    for person in [&three.buyer, &three.seller] {
        assert_eq!(person.held(&purse).await, 0);
    }

    // A new start tells the same, and whoever comes with the words alone is told that nothing is known of how it came.
    three.buyer.restart(Life::default()).await;
    assert_eq!(three.buyer.tells(&purse).await, lines);
    let again = three.buyer.elsewhere().await;
    assert_eq!(again.tells(&purse).await, []);
    assert_eq!(again.rail.restore(&purse).await, Ok(free));
    let free = i64::try_from(free).unwrap();
    assert_eq!(again.tells_shortly(&purse).await, [(Why::Found, free)]);
    assert_eq!(again.free(&purse).await, u64::try_from(free).unwrap());
}

#[tokio::test]
async fn what_was_not_done_and_what_was_not_taken_stand_in_no_history() {
    let mut three = Three::new("sat", 0, 500).await;
    let purse = three.purse.clone();
    let filled = [(Why::Deposit, 500)];
    // Too much, refused by the mint, and a text that nobody can take any more.
    assert!(three.buyer.rail.give(&purse, 501).await.is_err());
    let contract = three.contract(400, FAR);
    let mine = deal(&contract, Party::Buyer);
    three.mint.tricks("/swap", Fault::Busy);
    assert!(three.buyer.rail.lock(&mine).await.is_err());
    assert_eq!(three.buyer.tells_shortly(&purse).await, filled);
    let text = three.buyer.rail.give(&purse, 200).await.unwrap();
    assert_eq!(three.buyer.tells_shortly(&purse).await, filled);
    assert_eq!(
        (
            three.buyer.free(&purse).await,
            three.buyer.held(&purse).await
        ),
        (300, 200)
    );
    // It is taken back.
    three.buyer.rail.take(&text).await.unwrap();
    assert_eq!(three.buyer.rail.recover().await, Ok(true));
    assert_eq!(three.buyer.tells_shortly(&purse).await, filled);
    assert_eq!(three.seller.rail.take(&text).await, Err(Error::Spent));
    assert_eq!(three.seller.tells(&purse).await, []);
    // What is taken by somebody else has gone once that is known.
    let text = three.buyer.rail.give(&purse, 100).await.unwrap();
    three.seller.rail.take(&text).await.unwrap();
    assert_eq!(three.buyer.tells_shortly(&purse).await, filled);
    three.buyer.restart(Life::default()).await;
    assert_eq!(three.buyer.rail.recover().await, Ok(true));
    let given = [(Why::Deposit, 500), (Why::Given, -100)];
    assert_eq!(three.buyer.tells_shortly(&purse).await, given);
    assert_eq!(three.buyer.free(&purse).await, 400);
}

#[tokio::test]
async fn a_lock_that_is_not_to_be_made_any_more_leaves_only_what_that_cost() {
    for (fee, costs) in [(0, false), (1_000, true)] {
        let mut three = Three::new("sat", fee, 4_000).await;
        let purse = three.purse.clone();
        let contract = three.contract(1_000, FAR);
        let mine = deal(&contract, Party::Buyer);
        three.mint.tricks("/swap", Fault::Lost);
        assert_eq!(
            three.buyer.rail.lock(&mine).await,
            Err(three.mint.unknown())
        );
        assert_eq!(
            three.buyer.tells_shortly(&purse).await,
            [(Why::Deposit, 4_000)]
        );
        assert_eq!(three.buyer.rail.find(&mine).await, Ok(None));
        let lost = 4_000 - three.buyer.free(&purse).await;
        let lines = three.buyer.tells(&purse).await;
        assert_eq!(lines.len(), if costs { 2 } else { 1 }, "{lines:#?}");
        assert_eq!(lost > 0, costs);
        if let Some(line) = lines.get(1) {
            assert_eq!(
                (line.why, line.minor, line.cost),
                (Why::Unlocked, lost, lost)
            );
            assert_eq!(line.order, Some(contract.order));
        }
        // And a lock that is made then is told of beside that.
        three.buyer.restart(Life::default()).await;
        three.buyer.rail.lock(&mine).await.unwrap();
        let lines = three.buyer.tells(&purse).await;
        assert_eq!(lines.last().map(|line| line.why), Some(Why::Locked));
        three.buyer.free(&purse).await;
    }
}

#[tokio::test]
async fn whoever_is_ended_while_he_pays_out_is_told_once_what_that_took() {
    let (mint, mut ended) = (Mint::new("mint", 0).await, 0);
    let purse = mint.purse("sat");
    let mut ana = Person::new(1, std::slice::from_ref(&mint)).await;
    ana.earns(&purse, 5_000).await;
    for end in 0.. {
        let before = ana.tells_shortly(&purse).await;
        let had = ana.free(&purse).await;
        let request = invoice(10).await;
        ana.restart(Life {
            ends_at: Some(end),
            ..Life::default()
        })
        .await;
        // A payout goes on asking for as long as there is somebody to ask: whoever is ended is not there any more.
        let over = async {
            while ana.life.steps() <= end {
                tokio::task::yield_now().await;
            }
        };
        let payout = Box::pin(ana.rail.withdraw(&purse, &request));
        let done = match select(payout, Box::pin(over)).await {
            Either::Left((done, _)) => done.is_ok(),
            Either::Right(_) => false,
        };
        ana.restart(Life::default()).await;
        assert_eq!(ana.rail.recover().await, Ok(true), "{end}");
        let now = ana.tells_shortly(&purse).await;
        let has = ana.free(&purse).await;
        assert_eq!(ana.held(&purse).await, 0, "{end}");
        let new = now
            .strip_prefix(&before[..])
            .expect("what is over stays as it is");
        match new {
            [] => assert!(!done && had == has, "{end}"),
            [(Why::Withdrawal, minor)] => {
                assert_eq!(i64::try_from(had - has).unwrap(), -minor, "{end}");
            }
            other => panic!("{end}: {other:?}"),
        }
        if done {
            break;
        }
        ended += 1;
    }
    assert!(ended > 8, "{ended}");
    // What is in the purse is what the mint has to answer for.
    assert_eq!(ana.free(&purse).await, mint.outstanding().await);
}

#[tokio::test]
async fn whoever_comes_back_with_an_older_backup_is_told_what_was_spent_since() {
    let mut three = Three::new("sat", 0, 2_000).await;
    let purse = three.purse.clone();
    let backup = three.buyer.memory.load().await.unwrap();
    let contract = three.contract(1_500, FAR);
    let mine = deal(&contract, Party::Buyer);
    let locked = three.buyer.rail.lock(&mine).await.unwrap();
    let all = Outcome::Split(Split::all_to(Side::Seller, contract.amount));
    let pair = (Party::Buyer, Party::Seller);
    let (settlement, _) = settle(&three, &contract, &locked, all, pair).await.unwrap();
    let yours = deal(&contract, Party::Seller);
    three
        .seller
        .rail
        .claim(&yours, &locked, &settlement)
        .await
        .unwrap();
    three.buyer.comes_back(backup).await;
    assert_eq!(three.buyer.rail.catch_up().await, Ok(true));
    assert_eq!(three.buyer.free(&purse).await, 500);
    let lines = three.buyer.tells_shortly(&purse).await;
    let [filled, rest @ ..] = &lines[..] else {
        panic!("{lines:?}")
    };
    assert_eq!(*filled, (Why::Deposit, 2_000));
    let known = |why| matches!(why, Why::Found | Why::Elsewhere);
    assert!(rest.iter().all(|(why, _)| known(*why)), "{lines:?}");
    assert_eq!(rest.iter().map(|(_, minor)| minor).sum::<i64>(), -1_500);
}

#[tokio::test]
async fn the_past_of_a_purse_is_bounded_and_still_adds_up() {
    let mint = Mint::new("mint", 0).await;
    let purse = mint.purse("sat");
    let mut ana = Person::new(1, std::slice::from_ref(&mint)).await;
    let other = mint.purse("EUR");
    ana.earns(&other, 7).await;
    let keyset = mint.mint.keysets().keysets.first().unwrap().id;
    let ledger = Ledger::open(Box::new(ana.memory.clone())).await.unwrap();
    let url: cdk::mint_url::MintUrl = mint.name.name().parse().unwrap();
    let more = 5;
    for _ in 0..HISTORY_MAX + more {
        let key = SecretKey::generate().public_key();
        let proof = Proof::new(Amount::from(2), keyset, Secret::generate(), key);
        let piece = ProofInfo::new(proof, url.clone(), State::Unspent, CurrencyUnit::Sat).unwrap();
        ledger.update_proofs(vec![piece], vec![]).await.unwrap();
    }
    ana.restart(Life::default()).await;
    let lines = ana.tells_shortly(&purse).await;
    assert_eq!(lines.len(), HISTORY_MAX + 1);
    let sum = i64::try_from(2 * more).unwrap();
    assert_eq!(lines[0], (Why::Earlier, sum));
    assert!(lines[1..].iter().all(|line| *line == (Why::Other, 2)));
    let all = u64::try_from(2 * (HISTORY_MAX + more)).unwrap();
    assert_eq!(ana.free(&purse).await, all);
    // Another purse has a past of its own.
    assert_eq!(ana.tells_shortly(&other).await, [(Why::Deposit, 7)]);
}
