//! Locks between three people at a real mint, beside what holds for every rail (`laws`): what a mint takes, how it can fail a lock, and
//! what lies in purses around it.

use crate::support::{FAR, Life, Mint, Person, Three, deal, settle, split};
use haggle_payments::{Error, Locked, Mismatch, Outcome, Purse, Rail as _, Settlement};
use haggle_protocol::{Contract, Custodian, MessageId, Money, Party, Side, Timestamp};
use haggle_store::Store as _;

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
async fn what_a_mint_never_signed_is_no_lock_and_elsewhere_nothing_is_asked() {
    let three = Three::new("sat", 0, 20_000).await;
    let contract = three.contract(9_000, FAR);
    let buyer = deal(&contract, Party::Buyer);
    let locked = three.buyer.rail.lock(&buyer).await.unwrap();
    let seller = &three.seller.rail;
    seller.verify(&contract, &locked).await.unwrap();

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
    for length in [1, 40, locked.0.len() - 1] {
        let cut = Locked(locked.0[..length].to_vec());
        assert_eq!(
            seller.verify(&contract, &cut).await,
            Err(Error::Damaged),
            "{length} bytes"
        );
    }
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
async fn more_than_there_is_cannot_be_given_away() {
    let three = Three::new("sat", 0, 1_000).await;
    let short = Error::NotEnough {
        have: 1_000,
        need: 1_001,
    };
    assert_eq!(three.buyer.rail.give(&three.purse, 1_001).await, Err(short));
    assert_eq!(three.buyer.free(&three.purse).await, 1_000);
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
    let says = Ok((purse(&one), 200));
    assert_eq!(ben.rail.examine(&text).await, says);
    assert_eq!(ben.rail.take(&text).await.unwrap().minor, 200);
    assert_eq!(ben.rail.take(&text).await, Err(Error::Spent));
    // What it says of itself it says for ever, of whatever mint.
    assert_eq!(ben.rail.examine(&text).await, says);
    let strange = ana.rail.give(&purse(&other), 100).await.unwrap();
    assert_eq!(ben.rail.examine(&strange).await, Ok((purse(&other), 100)));
    let refused = ben.rail.take(&strange).await;
    assert_eq!(
        refused,
        Err(Error::NotTrusted(other.name.name().to_owned()))
    );
    for broken in ["cashuBsomething", ""] {
        assert_eq!(ben.rail.take(broken).await, Err(Error::Damaged));
        assert_eq!(ben.rail.examine(broken).await, Err(Error::Damaged));
    }
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
async fn one_mint_has_one_name() {
    let mint = Mint::new("mint", 0).await;
    let ana = Person::new(1, std::slice::from_ref(&mint)).await;
    let shouted = Custodian::new("https://MINT.example").unwrap();
    assert_eq!(ana.rail.trust(&shouted).await, Err(Error::Damaged));
    assert_eq!(ana.rail.trusted().await, Ok(vec![mint.name]));
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
