//! What a contract looks like to a mint.
//!
//! Nothing in a lock or in a settlement is free to choose beside one salt. From the contract's id, the salt and a number follow each
//! secret that a mint signs and the factor that blinds it, so that everybody who knows the contract can work out every output for
//! himself: the seller what must be locked, whoever cosigns what he signs for, a payee what is his, also after a lost reply, from
//! what the mint remembers (NUT-09). These secrets are no keys. What moves money are signatures (NUT-11), by keys that grow from the
//! parties' keys of the deal, each for one use, so that a mint that sees one does not know the others:
//!
//! ```text
//! branch    key + SHA-256(haggle/1/deal-branch ‖ key ‖ order id ‖ use) · G      use: 1 sign, 2 take after the deadline, 3 be paid
//! nonce     SHA-256(haggle/1/deal-output ‖ contract id ‖ salt ‖ what ‖ 0 ‖ number u32)
//! blinding  SHA-256(haggle/1/deal-output ‖ contract id ‖ salt ‖ what ‖ 1 ‖ number u32)
//!           what: 0 locked, 1 paid to the buyer, 2 to the seller, 3 to the arbiter
//! ```
//!
//! A lock is P2PK to the seller's key, with buyer and arbiter as further keys, two signatures over all inputs and outputs (SIG_ALL),
//! and the holder's key for after the locktime. What is paid out is P2PK to one key of the payee, who alone can take it, whenever he
//! comes: nobody has to be there to be paid.

use cdk::amount::FeeAndAmounts;
use cdk::dhke::{blind_message, construct_proofs};
use cdk::nuts::{
    BlindSignature, BlindSignatureDleq, BlindedMessage, Id, KeySet, Proofs, PublicKey, SecretKey,
};
use cdk::secp256k1::{self, Scalar};
use cdk::secret::Secret;
use cdk::{Amount, SECP256K1};
use haggle_protocol::cbor::{Reader, Writer};
use haggle_protocol::tag::{Tag, hash};
use haggle_protocol::{Contract, DealKey, Locked, MessageId, Party, Side, Split};

use crate::error::{Error, Mismatch};

/// What a key that grows from a deal's key is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Use {
    /// To be one of the two who agree.
    Sign = 1,
    /// To take what is the holder's after the deadline.
    Hold = 2,
    /// To be paid.
    Paid = 3,
}

fn tweak(key: &DealKey, order: &MessageId, usage: Use) -> Result<Scalar, Error> {
    let bytes = hash(
        Tag::DealBranch,
        &[key.as_bytes(), order.as_bytes(), &[usage as u8]],
    );
    // No hash is known that is not below the order of the curve; there is one for every 2^128.
    Scalar::from_be_bytes(bytes).map_err(|_| Error::Damaged)
}

/// The public key for one use.
///
/// # Errors
/// [`Error::Damaged`] if the key is no point of the curve.
pub(super) fn branch(key: &DealKey, order: &MessageId, usage: Use) -> Result<PublicKey, Error> {
    let point = secp256k1::PublicKey::from_slice(key.as_bytes()).map_err(|_| Error::Damaged)?;
    let grown = point
        .add_exp_tweak(&SECP256K1, &tweak(key, order, usage)?)
        .map_err(|_| Error::Damaged)?;
    Ok(grown.into())
}

/// The secret key for one use.
///
/// # Errors
/// [`Error::Damaged`] for a secret that meets its tweak's negative, which nobody can find.
pub(super) fn branch_secret(
    secret: &SecretKey,
    order: &MessageId,
    usage: Use,
) -> Result<SecretKey, Error> {
    let key = DealKey(secret.public_key().to_bytes());
    let grown = secret
        .add_tweak(&tweak(&key, order, usage)?)
        .map_err(|_| Error::Damaged)?;
    Ok(grown.into())
}

/// What an output is for, as the derivation counts it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum For {
    /// To be locked.
    Lock,
    /// To be paid to one of the parties.
    Pay(Party),
}

impl For {
    const fn number(self) -> u8 {
        match self {
            Self::Lock => 0,
            Self::Pay(Party::Buyer) => 1,
            Self::Pay(Party::Seller) => 2,
            Self::Pay(Party::Arbiter) => 3,
        }
    }
}

/// Something a mint is asked to sign.
pub(super) struct Output {
    pub(super) amount: u64,
    pub(super) secret: Secret,
    pub(super) blinding: SecretKey,
    pub(super) blinded: PublicKey,
}

impl Output {
    pub(super) fn message(&self, keyset: Id) -> BlindedMessage {
        BlindedMessage::new(Amount::from(self.amount), keyset, self.blinded)
    }
}

/// The messages of these outputs.
pub(super) fn messages(outputs: &[Output], keyset: Id) -> Vec<BlindedMessage> {
    outputs
        .iter()
        .map(|output| output.message(keyset))
        .collect()
}

/// The outputs of these amounts for one purpose.
///
/// # Errors
/// [`Error::Damaged`] for keys that are none, [`Error::NotYours`] for an arbiter who is not there.
pub(super) fn outputs(
    contract: &Contract,
    salt: &[u8; 32],
    purpose: For,
    amounts: &[u64],
) -> Result<Vec<Output>, Error> {
    let id = contract.id();
    let (data, tags) = match purpose {
        For::Lock => lock_terms(contract)?,
        For::Pay(party) => {
            let key = contract.key(party).ok_or(Error::NotYours)?;
            let payee = branch(&key, &contract.order, Use::Paid)?;
            (payee, r#"[["sigflag","SIG_INPUTS"]]"#.to_owned())
        }
    };
    let one = |(number, amount): (u32, &u64)| {
        let derive = |part: u8| {
            hash(
                Tag::DealOutput,
                &[
                    id.as_bytes(),
                    salt,
                    &[purpose.number(), part],
                    &number.to_be_bytes(),
                ],
            )
        };
        let nonce = cdk::util::hex::encode(derive(0));
        // Written by hand, since everybody must write the same bytes, whatever a library's next version does.
        let secret = Secret::new(format!(
            r#"["P2PK",{{"nonce":"{nonce}","data":"{}","tags":{tags}}}]"#,
            data.to_hex()
        ));
        let factor = SecretKey::from_slice(&derive(1)).map_err(|_| Error::Damaged)?;
        let (blinded, blinding) =
            blind_message(secret.as_bytes(), Some(factor)).map_err(|_| Error::Damaged)?;
        Ok(Output {
            amount: *amount,
            secret,
            blinding,
            blinded,
        })
    };
    (0..).zip(amounts).map(one).collect()
}

/// Checks that each key of a contract is one: that its bytes are a point of the curve, which a contract by itself does not know of.
///
/// # Errors
/// [`Error::Damaged`].
pub(super) fn keys(contract: &Contract) -> Result<(), Error> {
    let all = [
        Some(&contract.buyer),
        Some(&contract.seller),
        contract.arbiter.as_ref(),
    ];
    for key in all.into_iter().flatten() {
        secp256k1::PublicKey::from_slice(key.as_bytes()).map_err(|_| Error::Damaged)?;
    }
    Ok(())
}

/// The seller's key and the tags of NUT-11 that make two of three, a time, and whose it is then.
fn lock_terms(contract: &Contract) -> Result<(PublicKey, String), Error> {
    let sign = |key: &DealKey| branch(key, &contract.order, Use::Sign);
    let mut others = format!("\"{}\"", sign(&contract.buyer)?.to_hex());
    if let Some(arbiter) = &contract.arbiter {
        others = format!("{others},\"{}\"", sign(arbiter)?.to_hex());
    }
    let holder = match contract.holder {
        Side::Buyer => &contract.buyer,
        Side::Seller => &contract.seller,
    };
    let holder = branch(holder, &contract.order, Use::Hold)?;
    let tags = format!(
        r#"[["pubkeys",{others}],["locktime","{}"],["n_sigs","2"],["refund","{}"],["sigflag","SIG_ALL"]]"#,
        contract.deadline.0,
        holder.to_hex()
    );
    Ok((sign(&contract.seller)?, tags))
}

/// The proofs that a mint's signatures make of these outputs, each checked against the mint's published key (NUT-12).
///
/// # Errors
/// [`Mismatch::Conditions`] if a signature is for something else, or for another amount.
pub(super) fn proofs(
    outputs: &[Output],
    signatures: Vec<BlindSignature>,
    keyset: &KeySet,
) -> Result<Proofs, Error> {
    if signatures.len() != outputs.len() {
        return Err(Mismatch::Conditions.into());
    }
    for (output, signature) in outputs.iter().zip(&signatures) {
        let amount = Amount::from(output.amount);
        let key = keyset.keys.amount_key(amount).ok_or(Mismatch::Purse)?;
        if signature.amount != amount || signature.keyset_id != keyset.id {
            return Err(Mismatch::Conditions.into());
        }
        signature
            .verify_dleq(key, output.blinded)
            .map_err(|_| Mismatch::Conditions)?;
    }
    let blindings = outputs
        .iter()
        .map(|output| output.blinding.clone())
        .collect();
    let secrets = outputs.iter().map(|output| output.secret.clone()).collect();
    construct_proofs(signatures, blindings, secrets, &keyset.keys)
        .map_err(|_| Mismatch::Conditions.into())
}

/// What a keyset takes for each input, and what it gives out.
pub(super) fn sizes(keyset: &KeySet) -> FeeAndAmounts {
    let amounts = keyset
        .keys
        .iter()
        .map(|(amount, _)| amount.to_u64())
        .collect();
    (keyset.input_fee_ppk, amounts).into()
}

/// What a mint takes for a request with so many inputs (NUT-02).
pub(super) fn fee(inputs: usize, sizes: &FeeAndAmounts) -> u64 {
    (inputs as u64).saturating_mul(sizes.fee()).div_ceil(1_000)
}

/// The most that one request about a contract's amount is taken to cost: one output for each bit of it, and one more.
fn step(contract: &Contract, sizes: &FeeAndAmounts) -> u64 {
    let bits = u64::BITS - contract.amount.minor.leading_zeros();
    fee(bits as usize + 1, sizes)
}

/// What is locked for a contract: its amount, and the mint's costs of locking it anew once, of sharing it out, and of bringing in three
/// parts of it. What is left of that in the end is the buyer's, who paid it. For a mint that takes nothing nothing is added.
pub(super) fn total(contract: &Contract, sizes: &FeeAndAmounts) -> Option<u64> {
    contract
        .amount
        .minor
        .checked_add(step(contract, sizes).checked_mul(5)?)
}

/// The least that must be locked so that sharing it out can give each what the contract says.
pub(super) fn least(contract: &Contract, sizes: &FeeAndAmounts) -> Option<u64> {
    contract
        .amount
        .minor
        .checked_add(step(contract, sizes).checked_mul(4)?)
}

/// In which outputs a sum is locked or paid: the largest amounts first. Sums and amounts may be a stranger's, so outputs are counted
/// before any is made.
///
/// # Errors
/// [`Mismatch::Amount`] if the keyset has no outputs for it, or it would take more than [`OUTPUTS_MAX`].
pub(super) fn parts(sum: u64, sizes: &FeeAndAmounts) -> Result<Vec<u64>, Error> {
    let mut amounts = sizes.amounts().to_vec();
    amounts.sort_unstable_by(|one, other| other.cmp(one));
    let (mut rest, mut parts) = (sum, Vec::new());
    for amount in amounts.into_iter().filter(|amount| *amount > 0) {
        let room = (OUTPUTS_MAX - parts.len()) as u64;
        let count = rest / amount;
        if count > room {
            return Err(Mismatch::Amount.into());
        }
        parts.extend((0..count).map(|_| amount));
        rest %= amount;
    }
    if rest > 0 {
        return Err(Mismatch::Amount.into());
    }
    Ok(parts)
}

/// In which outputs a payee is paid so that this much is left when he has brought it in: exactly, where the keyset has outputs for
/// that, and otherwise the next possible sum above.
fn net(minor: u64, sizes: &FeeAndAmounts) -> Result<Vec<u64>, Error> {
    let most = fee(OUTPUTS_MAX, sizes);
    if minor == 0 || most > COST_MAX {
        return if minor == 0 {
            Ok(Vec::new())
        } else {
            Err(Mismatch::Amount.into())
        };
    }
    let mut above: Option<Vec<u64>> = None;
    for sum in minor..=minor.checked_add(most).ok_or(Mismatch::Amount)? {
        let parts = parts(sum, sizes)?;
        match sum.checked_sub(fee(parts.len(), sizes)) {
            Some(left) if left == minor => return Ok(parts),
            Some(left) if left > minor && above.is_none() => above = Some(parts),
            _ => {}
        }
    }
    above.ok_or_else(|| Mismatch::Amount.into())
}

/// Who is paid in which outputs when so much is shared out.
///
/// Seller and arbiter are paid what the split says and what it costs to bring that in; the buyer gets all the rest, which is at least
/// what the split says.
///
/// # Errors
/// [`Mismatch::Amount`] if there is not enough for that.
pub(super) fn shares(
    split: &Split,
    sum: u64,
    sizes: &FeeAndAmounts,
) -> Result<Vec<(Party, Vec<u64>)>, Error> {
    let seller = net(split.seller, sizes)?;
    let arbiter = net(split.arbiter, sizes)?;
    let taken: u64 = seller.iter().chain(&arbiter).sum();
    let rest = sum
        .checked_sub(taken)
        .filter(|rest| *rest >= split.buyer)
        .ok_or(Mismatch::Amount)?;
    Ok(vec![
        (Party::Buyer, parts(rest, sizes)?),
        (Party::Seller, seller),
        (Party::Arbiter, arbiter),
    ])
}

/// What a lock is told of by: the salt it was made with, how much of which keys, and the mint's signatures under it. Who knows the
/// contract knows the rest.
#[derive(Clone, PartialEq, Eq)]
pub(super) struct Told {
    pub(super) salt: [u8; 32],
    pub(super) keyset: Id,
    pub(super) sum: u64,
    signatures: Vec<[u8; SIGNATURE]>,
}

/// Bytes of one signature: C_ as a compressed point, and the two scalars of its DLEQ proof.
const SIGNATURE: usize = 33 + 32 + 32;
/// The most outputs of one lock: what fits [`Locked::MAX`], and more than any amount below the rail's ceiling needs.
pub(super) const OUTPUTS_MAX: usize = 64;
/// The most that bringing in one part may cost, in minor units. Mints take a unit or two; whoever names more would make everybody count
/// for long.
const COST_MAX: u64 = 1_000;
/// Bytes of the longest id of a keyset.
const KEYSET_MAX: usize = 33;

impl Told {
    /// Of signatures that a mint made.
    ///
    /// # Errors
    /// [`Mismatch::Capability`] for signatures without the proof that the mint's own key made them.
    pub(super) fn new(
        salt: [u8; 32],
        keyset: Id,
        sum: u64,
        signatures: &[BlindSignature],
    ) -> Result<Self, Error> {
        let bytes = |signature: &BlindSignature| {
            let dleq = signature.dleq.as_ref().ok_or(Mismatch::Capability)?;
            let mut bytes = [0; SIGNATURE];
            bytes[..33].copy_from_slice(&signature.c.to_bytes());
            bytes[33..65].copy_from_slice(dleq.e.as_secret_bytes());
            bytes[65..].copy_from_slice(dleq.s.as_secret_bytes());
            Ok(bytes)
        };
        Ok(Self {
            salt,
            keyset,
            sum,
            signatures: signatures.iter().map(bytes).collect::<Result<_, Error>>()?,
        })
    }

    /// As another party is told.
    pub(super) fn write(&self) -> Locked {
        let mut writer = Writer::new();
        writer.array(4);
        writer.bytes(&self.salt);
        writer.bytes(&self.keyset.to_bytes());
        writer.uint(self.sum);
        writer.array(self.signatures.len());
        for signature in &self.signatures {
            writer.bytes(signature);
        }
        Locked(writer.into_bytes())
    }

    /// Reads what another party told.
    ///
    /// # Errors
    /// [`Error::Damaged`].
    pub(super) fn read(locked: &Locked) -> Result<Self, Error> {
        if locked.0.len() > Locked::MAX {
            return Err(Error::Damaged);
        }
        let mut reader = Reader::new(&locked.0);
        reader.tuple(4)?;
        let salt = reader.fixed()?;
        let keyset = reader.bytes(KEYSET_MAX)?;
        let keyset = Id::from_bytes(keyset).map_err(|_| Error::Damaged)?;
        let sum = reader.uint(u64::MAX)?;
        let count = reader.array(OUTPUTS_MAX)?;
        let mut signatures = Vec::with_capacity(count);
        for _ in 0..count {
            signatures.push(reader.fixed()?);
        }
        reader.end()?;
        Ok(Self {
            salt,
            keyset,
            sum,
            signatures,
        })
    }

    /// The signatures, for these outputs.
    ///
    /// # Errors
    /// [`Error::Damaged`] for points and scalars that are none, [`Mismatch::Conditions`] if there are more or fewer than outputs.
    pub(super) fn signatures(&self, outputs: &[Output]) -> Result<Vec<BlindSignature>, Error> {
        if outputs.len() != self.signatures.len() {
            return Err(Mismatch::Conditions.into());
        }
        let one = |(output, bytes): (&Output, &[u8; SIGNATURE])| {
            let scalar =
                |at: usize| SecretKey::from_slice(&bytes[at..at + 32]).map_err(|_| Error::Damaged);
            Ok(BlindSignature {
                amount: Amount::from(output.amount),
                keyset_id: self.keyset,
                c: PublicKey::from_slice(&bytes[..33]).map_err(|_| Error::Damaged)?,
                dleq: Some(BlindSignatureDleq {
                    e: scalar(33)?,
                    s: scalar(65)?,
                }),
            })
        };
        outputs.iter().zip(&self.signatures).map(one).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn sizes(fee: u64, amounts: &[u64]) -> FeeAndAmounts {
        (fee, amounts.to_vec()).into()
    }

    #[test]
    fn a_sum_is_put_out_in_few_outputs_or_not_at_all() {
        let powers: Vec<u64> = (0..32).map(|bit| 1 << bit).collect();
        let usual = sizes(0, &powers);
        assert_eq!(parts(0, &usual), Ok(vec![]));
        assert_eq!(parts(11, &usual), Ok(vec![8, 2, 1]));
        assert_eq!(parts((1 << 32) - 1, &usual).unwrap().len(), 32);
        assert_eq!(parts(5 << 31, &usual), Ok(vec![1 << 31; 5]));
        let refused = Err(Error::Mismatch(Mismatch::Amount));
        // What a stranger names is not put out one by one to see how much it is.
        assert_eq!(parts(u64::MAX, &usual), refused);
        assert_eq!(parts((1 << 31) - 1, &sizes(0, &[1, 1 << 31])), refused);
        assert_eq!(parts(65, &sizes(0, &[1])), refused);
        assert_eq!(parts(64, &sizes(0, &[0, 1])).unwrap().len(), 64);
        assert_eq!(parts(3, &sizes(0, &[2])), refused);
        assert_eq!(parts(1, &sizes(0, &[])), refused);
    }

    #[test]
    fn whoever_is_paid_has_his_share_when_the_mint_has_taken_its_own() {
        let powers: Vec<u64> = (0..32).map(|bit| 1 << bit).collect();
        for ppk in [0, 1, 100, 999, 1_000, 2_500] {
            let sizes = sizes(ppk, &powers);
            for minor in [1, 2, 3, 99, 100, 6_200, 65_535, 1_000_001] {
                let parts = net(minor, &sizes).unwrap();
                let left = parts.iter().sum::<u64>() - fee(parts.len(), &sizes);
                assert!(left >= minor, "{minor} at {ppk}: {left}");
                assert!(left - minor <= fee(32, &sizes), "{minor} at {ppk}: {left}");
            }
        }
        assert_eq!(net(0, &sizes(100, &powers)), Ok(vec![]));
        let dear = net(100, &sizes(u64::MAX, &powers));
        assert_eq!(dear, Err(Error::Mismatch(Mismatch::Amount)));
    }
}
