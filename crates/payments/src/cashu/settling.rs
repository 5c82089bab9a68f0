//! Settling: what is signed, and by whom it counts.

use std::collections::BTreeMap;

use cdk::nuts::{BlindSignature, BlindedMessage, Id, P2PKWitness, SecretKey, SwapRequest, Witness};
use cdk::secp256k1::schnorr;
use cdk_common::nuts::nut10::SpendingConditionVerification as _;
use haggle_protocol::settlement::Deal;
use haggle_protocol::{Contract, Outcome, Party, Settlement, Signed};

use super::mint::{Remembered, moved, remembered, trouble};
use super::outputs::{self, For, Use};
use super::{Cashu, Opened};
use crate::error::{Error, Mismatch};

impl Cashu {
    /// The request that a settlement stands for, without its signatures.
    pub(super) fn request(
        contract: &Contract,
        opened: &Opened,
        settlement: &Settlement,
        keyset: Id,
    ) -> Result<SwapRequest, Error> {
        if settlement.contract != contract.id() {
            return Err(Error::NotYours);
        }
        let outputs = match settlement.outcome {
            Outcome::Renew { holder, deadline } => {
                let renewed = contract.renewed(holder, deadline);
                if renewed == *contract {
                    return Err(Mismatch::Conditions.into());
                }
                let amounts = outputs::parts(opened.rest()?, &opened.sizes())?;
                outputs::outputs(&renewed, &settlement.salt, For::Lock, &amounts)?
            }
            Outcome::Split(_) | Outcome::Expired => {
                let mut all = Vec::new();
                let shares = opened.shares(contract, &settlement.outcome)?;
                for (party, amounts) in shares.into_iter().filter(|(_, all)| !all.is_empty()) {
                    let purpose = For::Pay(party);
                    let part = outputs::outputs(contract, &settlement.salt, purpose, &amounts)?;
                    all.extend(part);
                }
                all
            }
        };
        let messages = outputs::messages(&outputs, keyset);
        Ok(SwapRequest::new(opened.proofs.clone(), messages))
    }

    /// What one proposes, not signed yet. Its salt is the same for the same outcome, as long as it can still be carried out. Whoever
    /// heard of it can have the mint sign something of it for money of his own, and it never can be then; the next one is taken.
    pub(super) async fn proposal(
        &self,
        deal: &Deal,
        opened: &Opened,
        outcome: Outcome,
    ) -> Result<Settlement, Error> {
        let what = serde_json::to_vec(&outcome).map_err(|_| Error::Damaged)?;
        let first = self.salt(deal, &what)?;
        let mut settlement = Settlement {
            contract: deal.contract.id(),
            outcome,
            salt: first,
            signatures: Vec::new(),
        };
        if outcome == Outcome::Expired {
            // Nobody hears of it before it is carried out.
            return Ok(settlement);
        }
        for attempt in 1..=ATTEMPTS {
            let request = Self::request(&deal.contract, opened, &settlement, opened.keyset.id)?;
            match carried_out(opened, request.outputs()).await {
                Err(Error::Mismatch(Mismatch::Spoiled)) => {
                    let next = [&what[..], &[attempt]].concat();
                    settlement.salt = self.salt(deal, &next)?;
                }
                // Without the mint nobody can tell. If it is spoiled, nothing worse comes of it than another proposal.
                Err(Error::Unknown(_)) => {
                    settlement.salt = first;
                    break;
                }
                Ok(_) | Err(_) => break,
            }
        }
        Ok(settlement)
    }

    /// Signs what a settlement stands for, with one's own secret for the deal.
    pub(super) fn signed(
        deal: &Deal,
        secret: &SecretKey,
        opened: &Opened,
        mut settlement: Settlement,
        usage: Use,
    ) -> Result<Settlement, Error> {
        // The keyset is not part of what is signed: a mint that has changed its keys in between can still carry it out.
        let request = Self::request(&deal.contract, opened, &settlement, opened.keyset.id)?;
        let key = outputs::branch_secret(secret, &deal.contract.order, usage)?;
        let signature = key
            .sign(request.sig_all_msg_to_sign().as_bytes())
            .map_err(|_| Error::Signature)?;
        settlement.signatures.retain(|one| one.party != deal.party);
        settlement.signatures.push(Signed {
            party: deal.party,
            signature: signature.serialize().to_vec(),
        });
        Ok(settlement)
    }

    /// Asks the mint to do what is signed, unless it has done so already.
    pub(super) async fn carry_out(
        &self,
        contract: &Contract,
        opened: &Opened,
        settlement: &Settlement,
        keyset: Id,
    ) -> Result<Carried, Error> {
        let wallet = &opened.wallet;
        let mut request = Self::request(contract, opened, settlement, keyset)?;
        let messages = request.outputs().clone();
        if let Some(signatures) = carried_out(opened, &messages).await? {
            return Ok(Carried::Out(signatures));
        }
        let witness = witness(contract, settlement, &request)?;
        if let Some(first) = request.inputs_mut().first_mut() {
            first.witness = Some(Witness::P2PKWitness(witness));
        }
        let error = match wallet.mint_connector().post_swap(request).await {
            Ok(response) => return Ok(Carried::Out(response.signatures)),
            Err(error) => error,
        };
        // The answer may have been lost, or somebody else was faster.
        if let Some(signatures) = carried_out(opened, &messages).await? {
            return Ok(Carried::Out(signatures));
        }
        if matches!(error, cdk::Error::InactiveKeyset) {
            return Ok(Carried::OldKeys);
        }
        // A mint says the same of a signature that is not good and of one that is not good yet. That it is good was checked above.
        let unmet = contract.deadline.0.saturating_add(CLOCKS_APART) > cdk::util::unix_time();
        if settlement.outcome == Outcome::Expired
            && unmet
            && matches!(error, cdk::Error::SignatureMissingOrInvalid)
        {
            return Err(Error::TooEarly);
        }
        Err(trouble(&error, wallet))
    }
}

/// How many salts of one outcome are looked at: each that is spoiled has cost somebody money.
const ATTEMPTS: u8 = 16;

/// How far the clock of a mint may be behind this one, in seconds: a day is more than a wrong time zone makes. After that, a holder
/// whom the mint still refuses is not early.
const CLOCKS_APART: u64 = 24 * 60 * 60;

/// What a mint signed when it carried a settlement out, if it has. That it has signed the outputs does not say so: whoever drew the
/// salt can have had them signed for money of his own, and the lock stays where it is. What is locked has moved only when it is spent.
///
/// # Errors
/// [`Error::Spent`] if it moved otherwise, and [`Mismatch::Spoiled`] if it has not moved and this can never move it.
pub(super) async fn carried_out(
    opened: &Opened,
    messages: &[BlindedMessage],
) -> Result<Option<Vec<BlindSignature>>, Error> {
    Ok(match signed_for(opened, messages).await? {
        (Remembered::Signed(signatures), true) => Some(signatures),
        // By something else: with these outputs it cannot have been.
        (Remembered::Nothing | Remembered::Spoiled, true) => return Err(Error::Spent),
        (Remembered::Nothing, false) => None,
        (Remembered::Signed(_) | Remembered::Spoiled, false) => {
            return Err(Mismatch::Spoiled.into());
        }
    })
}

/// What a mint has signed of these, and whether what is locked has moved.
///
/// Whatever moves it signs at the same moment, and other people ask the mint too while it is asked here. So it is asked first whether it
/// has moved: what is not signed after that was not what moved it. What is signed and had not moved may have come between.
pub(super) async fn signed_for(
    opened: &Opened,
    messages: &[BlindedMessage],
) -> Result<(Remembered, bool), Error> {
    let before = moved(&opened.wallet, &opened.proofs).await?;
    let known = remembered(&opened.wallet, messages).await?;
    let moved = match known {
        Remembered::Signed(_) | Remembered::Spoiled if !before => {
            moved(&opened.wallet, &opened.proofs).await?
        }
        Remembered::Signed(_) | Remembered::Spoiled | Remembered::Nothing => before,
    };
    Ok((known, moved))
}

/// What became of a request to a mint.
pub(super) enum Carried {
    /// It was carried out, now or before.
    Out(Vec<BlindSignature>),
    /// It was not, since the mint no longer signs with these keys.
    OldKeys,
}

/// The signatures of a settlement as the mint wants them, each checked: two parties' for what two agree on, the holder's for what is
/// his after the deadline.
fn witness(
    contract: &Contract,
    settlement: &Settlement,
    request: &SwapRequest,
) -> Result<P2PKWitness, Error> {
    let message = request.sig_all_msg_to_sign();
    let holder = Party::from(contract.holder);
    let (usage, needed) = match settlement.outcome {
        Outcome::Split(_) | Outcome::Renew { .. } => (Use::Sign, 2),
        Outcome::Expired => (Use::Hold, 1),
    };
    let mut signatures = BTreeMap::new();
    for one in &settlement.signatures {
        if usage == Use::Hold && one.party != holder {
            continue;
        }
        let Some(key) = contract.key(one.party) else {
            continue;
        };
        let key = outputs::branch(&key, &contract.order, usage)?;
        // What is no signature does not spoil those that are.
        let Ok(signature) = schnorr::Signature::from_slice(&one.signature) else {
            continue;
        };
        if key.verify(message.as_bytes(), &signature).is_ok() {
            signatures.insert(one.party, signature.to_string());
        }
    }
    if signatures.len() < needed {
        return Err(Error::Signature);
    }
    Ok(P2PKWitness {
        signatures: signatures.into_values().take(needed).collect(),
    })
}
