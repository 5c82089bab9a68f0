//! With our own checks switched off: what goes straight to a mint, and what the mint says to it. Locks are made by our own rail; then
//! requests are made by bare hands, with the keys that somebody has, and posted.
//!
//! It is tried at a real mint from two sides: natively, in the same process, and in a browser, over HTTP.

pub(crate) mod bare;

use std::rc::Rc;
use std::sync::Arc;

use cdk::nuts::{
    BlindSignature, BlindedMessage, CheckStateRequest, KeySet, PreMintSecrets, Proofs,
    ProofsMethods as _, RestoreRequest, SigFlag, SpendingConditions, State, SwapRequest,
};
use cdk::wallet::MintConnector;
use haggle_payments::cashu::Cashu;
use haggle_payments::{Deal, Outcome, Purse, Rail as _};
use haggle_protocol::keys::Root;
use haggle_protocol::{Contract, MessageId, Money, Party, Side, Split, Timestamp};

/// Where three people meet at a mint.
pub(crate) trait Place {
    /// Three people who trust it; the buyer has this much, in minor units.
    async fn three(&self, minor: u64) -> Three;
}

/// Somebody with a wallet, and what grows from his phrase.
pub(crate) struct One {
    pub(crate) root: Root,
    pub(crate) rail: Arc<Cashu>,
}

/// Buyer, seller and arbiter, and a way to their mint without any wallet.
pub(crate) struct Three {
    pub(crate) buyer: One,
    pub(crate) seller: One,
    pub(crate) arbiter: One,
    pub(crate) purse: Purse,
    pub(crate) client: Arc<dyn MintConnector + Send + Sync>,
}

/// Hands the name of each attack to a macro that makes a test of it.
#[macro_export]
macro_rules! for_each_attack {
    ($make:ident) => {
        $make! {
            the_lock_at_the_mint_is_the_one_that_the_contract_names
            the_mint_refuses_one_key_alone_whosever_it_is
            the_mint_refuses_the_holder_before_the_deadline_and_pays_him_after_it
            the_mint_refuses_outputs_that_were_changed_after_signing
            the_mint_refuses_signatures_used_again_and_answers_whoever_repeats_himself
            the_mint_refuses_to_spend_a_lock_twice
            what_is_paid_out_only_its_payee_can_bring_in
        }
    };
}

/// The quote of the deal.
const QUOTE: MessageId = MessageId([3; 32]);
/// A time that has not come when any test ends.
const FAR: u64 = 4_000_000_000;
/// A time that has passed.
const PAST: u64 = 1_700_000_000;
/// What is locked, in minor units.
const LOCKED: u64 = 9_000;
/// What a mint says to signatures that do not suffice.
const UNSIGNED: &str = "Signature missing or invalid";

impl Three {
    fn one(&self, party: Party) -> &One {
        match party {
            Party::Buyer => &self.buyer,
            Party::Seller => &self.seller,
            Party::Arbiter => &self.arbiter,
        }
    }

    fn contract(&self, order: u8, deadline: u64) -> Contract {
        let key = |party| self.one(party).rail.key(party, &QUOTE).unwrap();
        Contract {
            order: MessageId([order; 32]),
            custodian: self.purse.custodian.clone(),
            amount: Money::new(LOCKED, self.purse.asset),
            buyer: key(Party::Buyer),
            seller: key(Party::Seller),
            arbiter: Some(key(Party::Arbiter)),
            holder: Side::Buyer,
            deadline: Timestamp(deadline),
        }
    }
}

fn deal(contract: &Contract, party: Party) -> Deal {
    Deal {
        contract: contract.clone(),
        party,
        quote: QUOTE,
    }
}

/// A lock at the mint, taken out of the hands of our rail.
struct Bare {
    three: Rc<Three>,
    contract: Contract,
    keyset: KeySet,
    proofs: Proofs,
}

impl Bare {
    async fn new(place: &impl Place, deadline: u64) -> Self {
        let three = place.three(LOCKED).await;
        Self::of(Rc::new(three), 4, deadline).await
    }

    /// One that is about this order.
    async fn of(three: Rc<Three>, order: u8, deadline: u64) -> Self {
        let contract = three.contract(order, deadline);
        let rail = &three.buyer.rail;
        let locked = rail.lock(&deal(&contract, Party::Buyer)).await.unwrap();
        let mut keysets = three.client.get_mint_keys().await.unwrap().into_iter();
        let keyset = keysets.find(|one| one.unit.to_string() == "sat").unwrap();
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
        let amounts = self.keyset.keys.iter();
        let amounts = amounts.map(|(amount, _)| amount.to_u64()).collect();
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
            let root = &self.three.one(*party).root;
            let key = bare::key(root, &self.contract, *party, &QUOTE, bare::SIGN);
            request.sign_sig_all(key).unwrap();
        }
    }

    async fn post(&self, request: SwapRequest) -> Result<Vec<BlindSignature>, String> {
        let said = self.three.client.post_swap(request).await;
        let said = said.map(|answer| answer.signatures);
        said.map_err(|error| error.to_string())
    }

    /// The mint refuses it in these words, and the lock still holds.
    async fn is_refused(&self, request: SwapRequest, words: &str) {
        assert_eq!(self.post(request).await, Err(words.to_owned()));
        assert!(self.unspent().await);
    }

    async fn unspent(&self) -> bool {
        let ys = self.proofs.ys().unwrap();
        let request = CheckStateRequest { ys };
        let said = self.three.client.post_check_state(request).await.unwrap();
        said.states.iter().all(|one| one.state == State::Unspent)
    }
}

pub(crate) async fn the_lock_at_the_mint_is_the_one_that_the_contract_names(place: &impl Place) {
    let bare = Bare::new(place, FAR).await;
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
    assert!(bare.unspent().await);
}

pub(crate) async fn the_mint_refuses_one_key_alone_whosever_it_is(place: &impl Place) {
    let bare = Bare::new(place, FAR).await;
    bare.is_refused(bare.request(), UNSIGNED).await;
    for party in [Party::Buyer, Party::Seller, Party::Arbiter] {
        let mut request = bare.request();
        bare.sign(&mut request, &[party]);
        bare.is_refused(request, UNSIGNED).await;
        // Nor by two signatures of one.
        let mut twice = bare.request();
        bare.sign(&mut twice, &[party, party]);
        assert!(bare.post(twice).await.is_err(), "{party:?} twice");
        assert!(bare.unspent().await);
    }
}

pub(crate) async fn the_mint_refuses_the_holder_before_the_deadline_and_pays_him_after_it(
    place: &impl Place,
) {
    for (deadline, paid) in [(FAR, false), (PAST, true)] {
        let bare = Bare::new(place, deadline).await;
        let mut request = bare.request();
        let root = &bare.three.buyer.root;
        let key = bare::key(root, &bare.contract, Party::Buyer, &QUOTE, bare::HOLD);
        request.sign_sig_all(key).unwrap();
        assert_eq!(bare.post(request).await.is_ok(), paid);
        assert_eq!(bare.unspent().await, !paid);
    }
}

pub(crate) async fn the_mint_refuses_outputs_that_were_changed_after_signing(place: &impl Place) {
    let bare = Bare::new(place, FAR).await;
    let mut signed = bare.request();
    bare.sign(&mut signed, &[Party::Buyer, Party::Seller]);
    let witness = signed.inputs()[0].witness.clone();

    // Other outputs under the same signatures, or the same ones in another order.
    let mut other = bare.request();
    other.inputs_mut()[0].witness.clone_from(&witness);
    bare.is_refused(other, UNSIGNED).await;
    let mut turned: Vec<BlindedMessage> = signed.outputs().clone();
    turned.reverse();
    let mut request = SwapRequest::new(bare.proofs.clone(), turned);
    request.inputs_mut()[0].witness = witness;
    bare.is_refused(request, UNSIGNED).await;

    // As it was signed it is carried out.
    assert!(bare.post(signed).await.is_ok());
    assert!(!bare.unspent().await);
}

pub(crate) async fn the_mint_refuses_signatures_used_again_and_answers_whoever_repeats_himself(
    place: &impl Place,
) {
    let three = Rc::new(place.three(2 * LOCKED).await);
    let bare = Bare::of(Rc::clone(&three), 4, FAR).await;
    let mut signed = bare.request();
    bare.sign(&mut signed, &[Party::Buyer, Party::Seller]);
    // Once: whoever repeats it hears the very same answer again (NUT-19), and no money is made.
    let first = bare.post(signed.clone()).await.unwrap();
    assert_eq!(bare.post(signed.clone()).await, Ok(first));
    assert!(!bare.unspent().await);
    // The signatures are no use for another lock of the same three.
    let next = Bare::of(three, 5, FAR).await;
    let mut request = SwapRequest::new(next.proofs.clone(), signed.outputs().clone());
    request.inputs_mut()[0].witness = signed.inputs()[0].witness.clone();
    next.is_refused(request, UNSIGNED).await;
}

pub(crate) async fn the_mint_refuses_to_spend_a_lock_twice(place: &impl Place) {
    let bare = Bare::new(place, FAR).await;
    let mut first = bare.request();
    bare.sign(&mut first, &[Party::Buyer, Party::Arbiter]);
    assert!(bare.post(first).await.is_ok());
    let mut second = bare.request();
    bare.sign(&mut second, &[Party::Seller, Party::Arbiter]);
    let said = bare.post(second).await;
    assert_eq!(said, Err("Token Already Spent".to_owned()));
}

pub(crate) async fn what_is_paid_out_only_its_payee_can_bring_in(place: &impl Place) {
    let bare = Bare::new(place, FAR).await;
    let (three, contract) = (&bare.three, &bare.contract);
    let (buyer, seller) = (deal(contract, Party::Buyer), deal(contract, Party::Seller));
    let locked = three.buyer.rail.lock(&buyer).await.unwrap();
    let all = Outcome::Split(Split::all_to(Side::Seller, contract.amount));
    let proposed = three.seller.rail.propose(&seller, &locked, all).await;
    let signed = three.buyer.rail.cosign(&buyer, &locked, proposed.unwrap());
    let signed = signed.await.unwrap();
    let done = three.buyer.rail.execute(contract, &locked, &signed).await;
    assert_eq!(done, Ok(None));

    // The buyer knows every secret of these outputs and gets the mint's signatures, but has not the key.
    let amounts = bare::powers(LOCKED);
    let outputs = bare::outputs(contract, &signed.salt, Some(Party::Seller), amounts.len());
    let asked = bare::messages(&outputs, &amounts, bare.keyset.id);
    let request = RestoreRequest { outputs: asked };
    let said = three.client.post_restore(request).await.unwrap();
    assert_eq!(said.signatures.len(), amounts.len());
    let proofs = bare::unblinded(outputs, said.signatures, &bare.keyset);
    let stolen = Bare { proofs, ..bare };
    stolen.is_refused(stolen.request(), UNSIGNED).await;
    for usage in [bare::SIGN, bare::HOLD, bare::PAID] {
        let root = &stolen.three.buyer.root;
        let wrong = bare::key(root, &stolen.contract, Party::Buyer, &QUOTE, usage);
        let mut forged = stolen.request();
        for proof in forged.inputs_mut() {
            proof.sign_p2pk(wrong.clone()).unwrap_or_default();
        }
        stolen.is_refused(forged, UNSIGNED).await;
    }
    // The payee has it.
    let mut own = stolen.request();
    let root = &stolen.three.seller.root;
    let right = bare::key(root, &stolen.contract, Party::Seller, &QUOTE, bare::PAID);
    for proof in own.inputs_mut() {
        proof.sign_p2pk(right.clone()).unwrap();
    }
    assert!(stolen.post(own).await.is_ok());
}
