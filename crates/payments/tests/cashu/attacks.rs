//! With our own checks switched off: what goes straight to the mint, and what the mint says to it.

use std::sync::atomic::Ordering;

use cdk::nuts::{
    BlindedMessage, CheckStateRequest, KeySet, KeySetInfo, PreMintSecrets, Proofs, ProofsMethods,
    RestoreRequest, SigFlag, SpendingConditions, State, SwapRequest, Token,
};
use cdk::wallet::MintConnector as _;
use haggle_payments::{Error, LockState, Mismatch, Outcome, Rail, Settlement};
use haggle_protocol::{Contract, DealKey, MessageId, Party, Side, Timestamp};

use crate::bare;
use crate::support::{FAR, Life, PAST, QUOTE, Three, deal, settle, split};

/// A lock at the mint, taken out of the hands of our rail.
struct Bare {
    three: Three,
    contract: Contract,
    keyset: KeySet,
    proofs: Proofs,
}

impl Bare {
    async fn new(deadline: u64) -> Self {
        Self::of(MessageId([4; 32]), deadline).await
    }

    async fn of(order: MessageId, deadline: u64) -> Self {
        let three = Three::new("sat", 0, 9_000).await;
        let contract = Contract {
            order,
            ..three.contract(9_000, deadline)
        };
        let buyer = deal(&contract, Party::Buyer);
        let locked = three.buyer.rail.lock(&buyer).await.unwrap();
        let keysets = three.mint.client().get_mint_keys().await.unwrap();
        let keyset = keysets
            .into_iter()
            .find(|one| one.unit.to_string() == "sat")
            .unwrap();
        let proofs = bare::proofs(&contract, &locked, &keyset);
        Self {
            three,
            contract,
            keyset,
            proofs,
        }
    }

    /// A request that pays all of it to whoever asks.
    fn request(&self) -> SwapRequest {
        let amounts = self
            .keyset
            .keys
            .iter()
            .map(|(amount, _)| amount.to_u64())
            .collect();
        let outputs = PreMintSecrets::random(
            self.keyset.id,
            self.proofs.total_amount().unwrap(),
            &cdk::amount::SplitTarget::None,
            &(0, amounts).into(),
        );
        SwapRequest::new(self.proofs.clone(), outputs.unwrap().blinded_messages())
    }

    /// Signs a request as these parties do for what two agree on.
    fn sign(&self, request: &mut SwapRequest, parties: &[Party]) {
        for party in parties {
            let root = &self.three.person(*party).root;
            let key = bare::key(root, &self.contract, *party, &QUOTE, bare::SIGN);
            request.sign_sig_all(key).unwrap();
        }
    }

    async fn post(&self, request: SwapRequest) -> Result<(), String> {
        let said = self.three.mint.client().post_swap(request).await;
        said.map(drop).map_err(|error| error.to_string())
    }

    async fn unspent(&self) -> bool {
        let ys = self.proofs.ys().unwrap();
        let request = CheckStateRequest { ys };
        let said = self.three.mint.client().post_check_state(request).await;
        said.unwrap()
            .states
            .iter()
            .all(|one| one.state == State::Unspent)
    }
}

/// What a mint says to signatures that do not suffice.
const UNSIGNED: &str = "Signature missing or invalid";

#[tokio::test]
async fn the_lock_at_the_mint_is_the_one_that_the_contract_names() {
    let bare = Bare::new(FAR).await;
    for proof in &bare.proofs {
        let terms = SpendingConditions::try_from(&proof.secret).unwrap();
        assert_eq!(terms.num_sigs(), Some(2));
        assert_eq!(terms.pubkeys().unwrap().len(), 3);
        assert_eq!(terms.locktime(), Some(FAR));
        assert_eq!(terms.refund_keys().unwrap().len(), 1);
        let SpendingConditions::P2PKConditions { conditions, .. } = terms else {
            panic!("another kind of lock");
        };
        assert_eq!(conditions.unwrap().sig_flag, SigFlag::SigAll);
    }
}

#[tokio::test]
async fn the_mint_refuses_one_key_alone_whosever_it_is() {
    let bare = Bare::new(FAR).await;
    for party in [Party::Buyer, Party::Seller, Party::Arbiter] {
        let mut request = bare.request();
        bare.sign(&mut request, &[party]);
        assert_eq!(
            bare.post(request).await,
            Err(UNSIGNED.to_owned()),
            "{party:?}"
        );
    }
    let mut twice = bare.request();
    bare.sign(&mut twice, &[Party::Seller, Party::Seller]);
    assert!(bare.post(twice).await.is_err());
    assert!(bare.unspent().await);
}

#[tokio::test]
async fn the_mint_refuses_the_holder_before_the_deadline_and_pays_him_after_it() {
    for (deadline, paid) in [(FAR, false), (PAST, true)] {
        let bare = Bare::new(deadline).await;
        let mut request = bare.request();
        let root = &bare.three.buyer.root;
        let key = bare::key(root, &bare.contract, Party::Buyer, &QUOTE, bare::HOLD);
        request.sign_sig_all(key).unwrap();
        assert_eq!(bare.post(request).await.is_ok(), paid);
        assert_eq!(bare.unspent().await, !paid);
    }
}

#[tokio::test]
async fn the_mint_refuses_outputs_that_were_changed_after_signing_and_signatures_used_again() {
    let bare = Bare::new(FAR).await;
    let mut signed = bare.request();
    bare.sign(&mut signed, &[Party::Buyer, Party::Seller]);
    let witness = signed.inputs()[0].witness.clone();

    // Other outputs under the same signatures, or the same ones in another order.
    let mut other = bare.request();
    other.inputs_mut()[0].witness = witness.clone();
    assert_eq!(bare.post(other).await, Err(UNSIGNED.to_owned()));
    let mut turned: Vec<BlindedMessage> = signed.outputs().clone();
    turned.reverse();
    let mut request = SwapRequest::new(bare.proofs.clone(), turned);
    request.inputs_mut()[0].witness = witness;
    assert_eq!(bare.post(request).await, Err(UNSIGNED.to_owned()));
    assert!(bare.unspent().await);

    // As it was signed it is carried out, once: whoever repeats it hears the same answer again (NUT-19), and no money is made.
    assert_eq!(bare.post(signed.clone()).await, Ok(()));
    assert_eq!(bare.post(signed.clone()).await, Ok(()));
    assert_eq!(bare.three.mint.outstanding().await, 9_000);
    assert!(!bare.unspent().await);
    // The signatures are no use for another lock of the same three either.
    let next = Bare::of(MessageId([5; 32]), FAR).await;
    let mut request = SwapRequest::new(next.proofs.clone(), signed.outputs().clone());
    request.inputs_mut()[0].witness = signed.inputs()[0].witness.clone();
    assert_eq!(next.post(request).await, Err(UNSIGNED.to_owned()));
    assert!(next.unspent().await);
}

#[tokio::test]
async fn the_mint_refuses_to_spend_a_lock_twice() {
    let bare = Bare::new(FAR).await;
    let mut first = bare.request();
    bare.sign(&mut first, &[Party::Buyer, Party::Arbiter]);
    assert_eq!(bare.post(first).await, Ok(()));
    let mut second = bare.request();
    bare.sign(&mut second, &[Party::Seller, Party::Arbiter]);
    assert_eq!(
        bare.post(second).await,
        Err("Token Already Spent".to_owned())
    );
}

#[tokio::test]
async fn what_is_paid_out_only_its_payee_can_bring_in() {
    let bare = Bare::new(FAR).await;
    let (three, contract) = (&bare.three, &bare.contract);
    let buyer = deal(contract, Party::Buyer);
    let locked = three.buyer.rail.lock(&buyer).await.unwrap();
    let all = split(0, 9_000, 0);
    let pair = (Party::Seller, Party::Buyer);
    let (signed, _) = settle(three, contract, &locked, all, pair).await.unwrap();

    // The buyer knows every secret of these outputs and gets the mint's signatures, but has not the key.
    let amounts = bare::powers(9_000);
    let outputs = bare::outputs(contract, &signed.salt, Some(Party::Seller), amounts.len());
    let asked = bare::messages(&outputs, &amounts, bare.keyset.id);
    let request = RestoreRequest { outputs: asked };
    let said = three.mint.client().post_restore(request).await.unwrap();
    assert_eq!(said.signatures.len(), amounts.len());
    let proofs = bare::unblinded(outputs, said.signatures, &bare.keyset);
    let stolen = Bare { proofs, ..bare };
    let plain = stolen.request();
    assert_eq!(stolen.post(plain).await, Err(UNSIGNED.to_owned()));
    for usage in [bare::SIGN, bare::HOLD, bare::PAID] {
        let root = &stolen.three.buyer.root;
        let wrong = bare::key(root, &stolen.contract, Party::Buyer, &QUOTE, usage);
        let mut forged = stolen.request();
        for proof in forged.inputs_mut() {
            proof.sign_p2pk(wrong.clone()).unwrap_or_default();
        }
        assert_eq!(stolen.post(forged).await, Err(UNSIGNED.to_owned()));
    }
    assert!(stolen.unspent().await);
    // The payee has it.
    let mut own = stolen.request();
    let root = &stolen.three.seller.root;
    let right = bare::key(root, &stolen.contract, Party::Seller, &QUOTE, bare::PAID);
    for proof in own.inputs_mut() {
        proof.sign_p2pk(right.clone()).unwrap();
    }
    assert_eq!(stolen.post(own).await, Ok(()));
}

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
