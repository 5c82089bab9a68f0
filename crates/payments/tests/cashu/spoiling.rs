//! What somebody of the three can have a mint sign beforehand, and keys that are none: what comes of it is said, and nothing is lost.

use std::sync::atomic::Ordering;

use cdk::nuts::{KeySetInfo, SwapRequest, Token};
use cdk::wallet::MintConnector as _;
use haggle_payments::{Error, LockState, Mismatch, Outcome, Rail as _, Settlement};
use haggle_protocol::{Contract, DealKey, MessageId, Party, Side, Timestamp};

use crate::attacks::bare;
use crate::support::{FAR, Life, Three, deal, settle, split};

/// Has the mint sign these outputs of a settlement for these amounts, paid with the buyer's free money.
async fn signs_before(
    three: &Three,
    contract: &Contract,
    settlement: &Settlement,
    payee: Option<Party>,
    amounts: &[u64],
) {
    let client = three.mint.client();
    let keysets = client.get_mint_keys().await.unwrap();
    let keyset = keysets
        .into_iter()
        .find(|one| one.unit.to_string() == "sat")
        .unwrap();
    let text = three
        .buyer
        .rail
        .give(&three.purse, amounts.iter().sum())
        .await
        .unwrap();
    let known: Vec<KeySetInfo> = client.get_mint_keysets().await.unwrap().keysets;
    let token: Token = text.parse().unwrap();
    let paid = token.proofs(&known).unwrap();
    let outputs = bare::outputs(contract, &settlement.salt, payee, amounts.len());
    let asked = bare::messages(&outputs, amounts, keyset.id);
    client
        .post_swap(SwapRequest::new(paid, asked))
        .await
        .unwrap();
}

#[tokio::test]
async fn what_was_signed_for_less_beforehand_is_no_settlement_carried_out() {
    let all = split(0, 9_000, 0);
    let renewal = Outcome::Renew {
        holder: Side::Seller,
        deadline: Timestamp(FAR + 1),
    };
    let (units, exact) = (vec![1; bare::powers(9_000).len()], bare::powers(9_000));
    for (outcome, amounts) in [
        (all, units.clone()),
        // One of them is enough to spoil it.
        (all, vec![1]),
        (renewal, units),
        // For what it says: a gift to the payee, and still no release of what is locked.
        (all, exact),
    ] {
        let three = Three::new("sat", 0, 20_000).await;
        let contract = three.contract(9_000, FAR);
        let (buyer, seller) = (
            deal(&contract, Party::Buyer),
            deal(&contract, Party::Seller),
        );
        let locked = three.buyer.rail.lock(&buyer).await.unwrap();
        let proposed = three
            .seller
            .rail
            .propose(&seller, &locked, outcome)
            .await
            .unwrap();
        let (terms, payee) = match outcome {
            Outcome::Renew { holder, deadline } => (contract.renewed(holder, deadline), None),
            Outcome::Split(_) | Outcome::Expired => (contract.clone(), Some(Party::Seller)),
        };
        signs_before(&three, &terms, &proposed, payee, &amounts).await;
        let signed = three
            .buyer
            .rail
            .cosign(&buyer, &locked, proposed)
            .await
            .unwrap();
        let done = three.buyer.rail.execute(&contract, &locked, &signed).await;
        assert_eq!(
            done,
            Err(Error::Mismatch(Mismatch::Spoiled)),
            "{outcome:?} {amounts:?}"
        );
        let state = three.buyer.rail.status(&contract, &locked).await;
        assert_eq!(state, Ok(LockState::Locked));
        // Another one, with another salt, is carried out as ever.
        let pair = (Party::Buyer, Party::Seller);
        let done = settle(&three, &contract, &locked, all, pair).await;
        let (signed, next) = done.unwrap();
        assert_eq!(next, None);
        let paid = three.seller.rail.claim(&seller, &locked, &signed).await;
        assert_eq!(paid.unwrap().minor, 9_000);
    }
}

#[tokio::test]
async fn what_was_spoiled_is_proposed_again_in_other_outputs_and_carried_out() {
    let three = Three::new("sat", 0, 20_000).await;
    let contract = three.contract(9_000, FAR);
    let (buyer, seller) = (
        deal(&contract, Party::Buyer),
        deal(&contract, Party::Seller),
    );
    let locked = three.buyer.rail.lock(&buyer).await.unwrap();
    let outcome = split(0, 9_000, 0);
    let propose = async || {
        let rail = &three.seller.rail;
        rail.propose(&seller, &locked, outcome).await.unwrap()
    };
    let mut salts = Vec::new();
    for _ in 0..3 {
        let proposed = propose().await;
        assert_eq!(propose().await.salt, proposed.salt, "as long as it can be");
        assert!(!salts.contains(&proposed.salt));
        salts.push(proposed.salt);
        signs_before(&three, &contract, &proposed, Some(Party::Seller), &[1]).await;
    }
    // Without the mint nobody can tell; what comes of it is refused later, and no worse.
    three.mint.gone.store(true, Ordering::SeqCst);
    assert_eq!(propose().await.salt, salts[0]);
    three.mint.gone.store(false, Ordering::SeqCst);
    let good = propose().await;
    let rail = &three.buyer.rail;
    let signed = rail.cosign(&buyer, &locked, good.clone()).await.unwrap();
    assert_eq!(rail.execute(&contract, &locked, &signed).await, Ok(None));
    let came = three.seller.rail.claim(&seller, &locked, &signed).await;
    assert_eq!(came.unwrap().minor, 9_000);
}

#[tokio::test]
async fn a_key_that_is_no_point_is_refused_before_anything_is_set_aside() {
    let mut three = Three::new("sat", 0, 10_000).await;
    let good = three.contract(9_000, FAR);
    let told = three.buyer.rail.lock(&deal(&good, Party::Buyer)).await;
    let told = told.unwrap();
    three.buyer.earns(&three.purse, 9_000).await;
    let none = (1..=u8::MAX)
        .map(|last| {
            let mut bytes = [0; 33];
            (bytes[0], bytes[32]) = (2, last);
            bytes
        })
        .find(|bytes| cdk::nuts::PublicKey::from_slice(bytes).is_err());
    let none = DealKey(none.unwrap());
    let as_seller = Contract {
        order: MessageId([8; 32]),
        seller: none,
        ..good.clone()
    };
    let as_arbiter = Contract {
        order: MessageId([9; 32]),
        arbiter: Some(none),
        ..good.clone()
    };
    for contract in [as_seller, as_arbiter] {
        let refused = three.buyer.rail.lock(&deal(&contract, Party::Buyer)).await;
        assert_eq!(refused, Err(Error::Damaged));
        let checked = three.seller.rail.verify(&contract, &told).await;
        assert_eq!(checked, Err(Error::Damaged));
        assert_eq!(three.buyer.held(&three.purse).await, 0);
    }
    assert_eq!(three.buyer.free(&three.purse).await, 10_000);
    three.buyer.restart(Life::default()).await;
    assert_eq!(three.buyer.rail.recover().await, Ok(true));
    assert_eq!(three.buyer.free(&three.purse).await, 10_000);
}
