//! A contract, a lock and keys as the documentation of the rail describes them, worked out a second time: what a thief, a stranger's
//! program or another wallet would do without any of our checks.

use cdk::SECP256K1;
use cdk::dhke::{blind_message, construct_proofs};
use cdk::nuts::{BlindSignature, BlindedMessage, Id, KeySet, Proofs, PublicKey, SecretKey};
use cdk::secp256k1::{self, Scalar};
use cdk::secret::Secret;
use cdk::util::hex;
use haggle_payments::Locked;
use haggle_protocol::cbor::Reader;
use haggle_protocol::keys::Root;
use haggle_protocol::tag::{Tag, expand, hash};
use haggle_protocol::{Contract, DealKey, MessageId, Party, Side};

pub(crate) const SIGN: u8 = 1;
pub(crate) const HOLD: u8 = 2;
pub(crate) const PAID: u8 = 3;

fn tweak(key: &DealKey, order: &MessageId, usage: u8) -> Scalar {
    let parts: [&[u8]; 3] = [key.as_bytes(), order.as_bytes(), &[usage]];
    Scalar::from_be_bytes(hash(Tag::DealBranch, &parts)).unwrap()
}

fn public(key: &DealKey, order: &MessageId, usage: u8) -> PublicKey {
    let point = secp256k1::PublicKey::from_slice(key.as_bytes()).unwrap();
    let tweak = tweak(key, order, usage);
    point.add_exp_tweak(&SECP256K1, &tweak).unwrap().into()
}

/// A party's secret key for one use, from the words behind it.
pub(crate) fn key(
    root: &Root,
    contract: &Contract,
    party: Party,
    quote: &MessageId,
    usage: u8,
) -> SecretKey {
    let base = hash(Tag::KeyDeal, &[&root.rail("cashu")[..]]);
    let quote = match party {
        Party::Arbiter => [0; 32],
        Party::Buyer | Party::Seller => quote.0,
    };
    let secret =
        SecretKey::from_slice(&expand(Tag::KeyDeal, &base, &[&[party as u8], &quote])).unwrap();
    let own = DealKey(secret.public_key().to_bytes());
    let tweak = tweak(&own, &contract.order, usage);
    secret.add_tweak(&tweak).unwrap().into()
}

/// The secrets, blinding factors and messages of a lock (`None`) or of what is paid to a party.
pub(crate) fn outputs(
    contract: &Contract,
    salt: &[u8; 32],
    payee: Option<Party>,
    count: usize,
) -> Vec<(Secret, SecretKey, PublicKey)> {
    let (what, data, tags) = match payee {
        None => {
            let sign = |key: &DealKey| public(key, &contract.order, SIGN).to_hex();
            let mut others = vec!["pubkeys".to_owned(), sign(&contract.buyer)];
            others.extend(contract.arbiter.as_ref().map(sign));
            let holder = match contract.holder {
                Side::Buyer => &contract.buyer,
                Side::Seller => &contract.seller,
            };
            let tags = serde_json::json!([
                others,
                ["locktime", contract.deadline.0.to_string()],
                ["n_sigs", "2"],
                ["refund", public(holder, &contract.order, HOLD).to_hex()],
                ["sigflag", "SIG_ALL"],
            ]);
            (0, sign(&contract.seller), tags)
        }
        Some(party) => {
            let what = match party {
                Party::Buyer => 1,
                Party::Seller => 2,
                Party::Arbiter => 3,
            };
            let key = contract.key(party).unwrap();
            let tags = serde_json::json!([["sigflag", "SIG_INPUTS"]]);
            (what, public(&key, &contract.order, PAID).to_hex(), tags)
        }
    };
    let id = contract.id();
    (0..u32::try_from(count).unwrap())
        .map(|number| {
            let derive = |part: u8| {
                let parts: [&[u8]; 4] = [id.as_bytes(), salt, &[what, part], &number.to_be_bytes()];
                hash(Tag::DealOutput, &parts)
            };
            let secret = Secret::new(format!(
                r#"["P2PK",{{"nonce":"{}","data":"{data}","tags":{tags}}}]"#,
                hex::encode(derive(0))
            ));
            let factor = SecretKey::from_slice(&derive(1)).unwrap();
            let (blinded, factor) = blind_message(secret.as_bytes(), Some(factor)).unwrap();
            (secret, factor, blinded)
        })
        .collect()
}

/// The denominations of a sum at a mint that gives out powers of two, the largest first.
pub(crate) fn powers(sum: u64) -> Vec<u64> {
    (0..u64::BITS)
        .rev()
        .map(|bit| 1 << bit)
        .filter(|one| sum & one != 0)
        .collect()
}

/// What was locked, as proofs, by whoever heard of it and knows the contract.
pub(crate) fn proofs(contract: &Contract, locked: &Locked, keyset: &KeySet) -> Proofs {
    let mut reader = Reader::new(&locked.0);
    reader.tuple(4).unwrap();
    let salt: [u8; 32] = reader.fixed().unwrap();
    let id = Id::from_bytes(reader.bytes(33).unwrap()).unwrap();
    assert_eq!(id, keyset.id);
    let amounts = powers(reader.uint(u64::MAX).unwrap());
    assert_eq!(reader.array(64).unwrap(), amounts.len());
    let signatures = amounts.iter().map(|amount| {
        let bytes: [u8; 97] = reader.fixed().unwrap();
        BlindSignature {
            amount: (*amount).into(),
            keyset_id: id,
            c: PublicKey::from_slice(&bytes[..33]).unwrap(),
            dleq: None,
        }
    });
    let signatures = signatures.collect();
    unblinded(
        outputs(contract, &salt, None, amounts.len()),
        signatures,
        keyset,
    )
}

/// Proofs of what a mint signed.
pub(crate) fn unblinded(
    outputs: Vec<(Secret, SecretKey, PublicKey)>,
    signatures: Vec<BlindSignature>,
    keyset: &KeySet,
) -> Proofs {
    let secrets = outputs.iter().map(|(secret, ..)| secret.clone()).collect();
    let factors = outputs.into_iter().map(|(_, factor, _)| factor).collect();
    construct_proofs(signatures, factors, secrets, &keyset.keys).unwrap()
}

/// What a mint is asked to sign for these outputs.
pub(crate) fn messages(
    outputs: &[(Secret, SecretKey, PublicKey)],
    amounts: &[u64],
    keyset: Id,
) -> Vec<BlindedMessage> {
    let pairs = outputs.iter().zip(amounts);
    pairs
        .map(|((_, _, blinded), amount)| BlindedMessage::new((*amount).into(), keyset, *blinded))
        .collect()
}
