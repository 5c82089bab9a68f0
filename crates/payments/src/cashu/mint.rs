//! What a mint is asked beside the wallet's own business, and what its answers mean.

use std::collections::HashMap;

use cdk::nuts::{
    BlindSignature, BlindedMessage, CheckStateRequest, Id, KeySet, Proofs, ProofsMethods as _,
    PublicKey, RestoreRequest, State,
};
use cdk::wallet::Wallet;
use cdk_common::wallet::KeysetLoadPolicy;
use haggle_protocol::Contract;

use crate::error::{Error, Mismatch};

/// What a mint remembers of outputs (NUT-09).
pub(super) enum Remembered {
    /// It has signed none of them.
    Nothing,
    /// It has signed each of them for its amount, all with one of the keysets of this wallet's unit.
    Signed(Vec<BlindSignature>),
    /// It has signed some of them, or for other amounts, or in another unit: whoever knew them early had that done. No mint signs an
    /// output twice, so no request with all of these can ever be carried out.
    Spoiled,
}

/// Asks a mint what it has signed of these, each in its place.
pub(super) async fn recalled(
    wallet: &Wallet,
    outputs: &[BlindedMessage],
) -> Result<Vec<Option<BlindSignature>>, Error> {
    let request = RestoreRequest {
        outputs: outputs.to_vec(),
    };
    let response = wallet
        .mint_connector()
        .post_restore(request)
        .await
        .map_err(|error| unknown(&error, wallet))?;
    let known: HashMap<PublicKey, BlindSignature> = response
        .outputs
        .iter()
        .map(|output| output.blinded_secret)
        .zip(response.signatures)
        .collect();
    Ok(outputs
        .iter()
        .map(|output| known.get(&output.blinded_secret).cloned())
        .collect())
}

/// Asks a mint whether it has signed these.
pub(super) async fn remembered(
    wallet: &Wallet,
    outputs: &[BlindedMessage],
) -> Result<Remembered, Error> {
    let known = recalled(wallet, outputs).await?;
    let signatures: Vec<BlindSignature> = known.into_iter().flatten().collect();
    let Some(keyset) = signatures.first().map(|one| one.keyset_id) else {
        return Ok(Remembered::Nothing);
    };
    let fits = |(output, signature): (&BlindedMessage, &BlindSignature)| {
        signature.amount == output.amount && signature.keyset_id == keyset
    };
    let all = signatures.len() == outputs.len() && outputs.iter().zip(&signatures).all(fits);
    if all && self::keyset(wallet, keyset).await?.is_some() {
        Ok(Remembered::Signed(signatures))
    } else {
        Ok(Remembered::Spoiled)
    }
}

/// The keys of one of a mint's keysets for the unit of this wallet; `None` if the mint says that it has no such keyset.
///
/// A mint may have turned its keys since it was asked for them last, so that what is not remembered is asked for. cdk answers from its
/// memory when the mint does not, and that a keyset is not in there says nothing: only the mint's own list does.
///
/// # Errors
/// [`Error::Unknown`] if the mint does not say.
pub(super) async fn keyset(wallet: &Wallet, id: Id) -> Result<Option<KeySet>, Error> {
    if let Ok(keyset) = wallet.keyset(id).await {
        return Ok(Some(keyset));
    }
    let listed = wallet
        .mint_connector()
        .get_mint_keysets()
        .await
        .map_err(|error| unknown(&error, wallet))?;
    let mut listed = listed.keysets.iter();
    if !listed.any(|one| one.id == id && one.unit == wallet.unit) {
        return Ok(None);
    }
    let keys = wallet.keyset_with_policy(id, KeysetLoadPolicy::Refresh);
    let keys = keys.await.map_err(|error| unknown(&error, wallet))?;
    Ok(Some(keys))
}

/// The keys that a mint signs with: as they were known last, or asked for anew, since a mint turns them when it likes.
pub(super) async fn active_keys(wallet: &Wallet, anew: bool) -> Result<KeySet, Error> {
    let policy = if anew {
        KeysetLoadPolicy::Refresh
    } else {
        KeysetLoadPolicy::default()
    };
    let keys = wallet.active_keyset_with_policy(policy).await;
    keys.map_err(|error| trouble(&error, wallet))
}

/// How long after a deadline a mint's keys must still be good, in seconds: a holder may come late.
const HOLDER_COMES: u64 = 60 * 24 * 60 * 60;

/// Whether keys are good for as long as a lock may lie there (NUT-02, final expiry).
pub(super) fn outlives(keyset: &KeySet, contract: &Contract) -> Result<(), Error> {
    let needed = contract.deadline.0.saturating_add(HOLDER_COMES);
    match keyset.final_expiry {
        Some(end) if end < needed => Err(Mismatch::Expires.into()),
        Some(_) | None => Ok(()),
    }
}

/// Which of these are spent (NUT-07).
pub(super) async fn spent(wallet: &Wallet, ys: &[PublicKey]) -> Result<Vec<PublicKey>, Error> {
    if ys.is_empty() {
        return Ok(Vec::new());
    }
    let states = wallet
        .mint_connector()
        .post_check_state(CheckStateRequest { ys: ys.to_vec() })
        .await
        .map_err(|error| unknown(&error, wallet))?
        .states;
    let mut spent = Vec::new();
    for y in ys {
        match states.iter().find(|one| one.y == *y).map(|one| one.state) {
            Some(State::Spent) => spent.push(*y),
            Some(State::Unspent) => {}
            Some(State::Pending | State::Reserved | State::PendingSpent) | None => {
                return Err(Error::Unknown(wallet.mint_url.to_string()));
            }
        }
    }
    Ok(spent)
}

/// Whether proofs are spent (NUT-07).
pub(super) async fn moved(wallet: &Wallet, proofs: &Proofs) -> Result<bool, Error> {
    let ys = proofs.ys().map_err(|_| Error::Damaged)?;
    Ok(!spent(wallet, &ys).await?.is_empty())
}

/// Whether a mint says that it keeps to locks, proves its signatures, and tells states and signatures again. One that knows nothing of
/// locks takes locked ecash for anybody's.
pub(super) async fn able(wallet: &Wallet) -> Result<(), Error> {
    let nuts = wallet
        .mint_connector()
        .get_mint_info()
        .await
        .map_err(|error| unknown(&error, wallet))?
        .nuts;
    let all = [nuts.nut07, nuts.nut09, nuts.nut10, nuts.nut11, nuts.nut12];
    if all.iter().all(|one| one.supported) {
        Ok(())
    } else {
        Err(Mismatch::Capability.into())
    }
}

/// What cdk says, as a rail says it.
// cdk has some hundred errors; which of them leave open what the mint did is for cdk to know.
#[allow(clippy::wildcard_enum_match_arm)]
pub(super) fn trouble(error: &cdk::Error, wallet: &Wallet) -> Error {
    match error {
        cdk::Error::TokenAlreadySpent => Error::Spent,
        // Enough for the amount was there when it was looked at, so it is the mint's fees that are missing.
        cdk::Error::InsufficientFunds => {
            Error::Refused("too little for the mint's fees".to_owned())
        }
        cdk::Error::Database(error) => Error::NotSaved(error.to_string()),
        other if other.is_definitive_failure() => Error::Refused(other.to_string()),
        other => unknown(other, wallet),
    }
}

pub(super) fn unknown(error: &cdk::Error, wallet: &Wallet) -> Error {
    tracing::debug!(%error, "a mint did not say what was asked");
    Error::Unknown(wallet.mint_url.to_string())
}

/// What can be spent in a wallet.
pub(super) async fn free(wallet: &Wallet) -> Result<u64, Error> {
    let sum = wallet.total_balance().await;
    Ok(sum.map_err(|error| trouble(&error, wallet))?.to_u64())
}

pub(super) fn not_saved(error: cdk_common::database::Error) -> Error {
    Error::NotSaved(error.to_string())
}
