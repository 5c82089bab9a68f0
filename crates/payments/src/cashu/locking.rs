//! Locking: from a purse into a contract, once, whatever happens on the way.
//!
//! Before the mint is asked, the inputs are set aside, the places of the change are drawn, and both are saved with the salt: a
//! [`Lock`]. Then the mint signs lock and change in one request. Whoever is cut off anywhere finds the [`Lock`] and asks again, with
//! the same bytes. If the mint has answered before, it says that the inputs are spent and what it signed for them.

use std::collections::HashMap;

use cdk::Amount;
use cdk::nuts::{
    BlindSignature, Id, KeySet, PreMintSecrets, Proof, Proofs, ProofsMethods as _, State,
    SwapRequest,
};
use cdk::wallet::Wallet;
use cdk_common::wallet::{ProofInfo, Transaction, TransactionDirection, TransactionStatus};
use haggle_protocol::Locked;
use haggle_protocol::settlement::Deal;
use uuid::Uuid;

use super::mint::{Remembered, able, active_keys, not_saved, outlives, remembered, spent, trouble};
use super::names::purse_of;
use super::outputs::{self, For, Output, Told};
use super::{CEILING, Cashu};
use crate::error::{Error, Mismatch};

/// A lock that this peer pays for, from before the mint is asked.
#[derive(serde::Serialize, serde::Deserialize)]
pub(super) struct Lock {
    deal: Deal,
    salt: [u8; 32],
    operation: Uuid,
    keyset: Id,
    sum: u64,
    inputs: Proofs,
    /// What comes back beside the lock, and the first of the places in the seed's order that it takes.
    change: u64,
    change_at: u32,
    /// Whether an answer was ever missed: until it is clear what the mint did, the inputs stay set aside.
    #[serde(default)]
    asked: bool,
    /// How the lock is told of, once it is made.
    told: Option<Locked>,
}

impl Cashu {
    /// Ends a lock that was begun: asks the mint, or finds out what it did when it was asked before.
    pub(super) async fn finish(&self, mut lock: Lock) -> Result<Locked, Error> {
        if let Some(told) = lock.told {
            return Ok(told);
        }
        let contract = &lock.deal.contract;
        let name = contract.id().to_string();
        let wallet = self.wallet(&purse_of(contract)).await?;
        let keyset = self.keyset(&wallet, lock.keyset).await?;
        let sizes = outputs::sizes(&keyset);
        let amounts = outputs::parts(lock.sum, &sizes)?;
        if let Err(error) = outputs::keys(contract) {
            // Nobody can have asked for a lock to keys that are none.
            let dropped = self.ledger.drop_lock(&name, lock.operation, &[]).await;
            dropped.map_err(not_saved)?;
            return Err(error);
        }
        let outputs = outputs::outputs(contract, &lock.salt, For::Lock, &amounts)?;
        let change = PreMintSecrets::from_seed(
            lock.keyset,
            lock.change_at,
            &self.seed,
            Amount::from(lock.change),
            &cdk::amount::SplitTarget::None,
            &sizes,
        )
        .map_err(|_| Error::Damaged)?;
        let mut asked = outputs::messages(&outputs, lock.keyset);
        asked.extend(change.blinded_messages());
        let request = SwapRequest::new(lock.inputs.clone(), asked.clone());
        let signatures = match wallet.mint_connector().post_swap(request).await {
            Ok(response) => response.signatures,
            Err(error) => match remembered(&wallet, &asked).await? {
                Remembered::Signed(signatures) => {
                    let ys = lock.inputs.ys().map_err(|_| Error::Damaged)?;
                    if spent(&wallet, &ys).await?.is_empty() {
                        // Signed for other inputs: nothing of these was taken, as when a backup knows nothing of the first time.
                        return self.made_before(lock, &outputs, signatures, &wallet).await;
                    }
                    signatures
                }
                Remembered::Nothing => return Err(self.refused(lock, error, &wallet).await?),
                Remembered::Spoiled => {
                    let for_lock = outputs::messages(&outputs, lock.keyset);
                    return match remembered(&wallet, &for_lock).await? {
                        Remembered::Signed(signatures) => {
                            self.made_before(lock, &outputs, signatures, &wallet).await
                        }
                        known @ (Remembered::Nothing | Remembered::Spoiled) => {
                            // The mint will not sign these again, so what was set aside for it is free. Other change can be asked for;
                            // the lock itself cannot.
                            let ys = lock.inputs.ys().map_err(|_| Error::Damaged)?;
                            let gone = spent(&wallet, &ys).await?;
                            self.ledger
                                .drop_lock(&name, lock.operation, &gone)
                                .await
                                .map_err(not_saved)?;
                            Err(match known {
                                Remembered::Spoiled => Mismatch::Spoiled.into(),
                                Remembered::Nothing | Remembered::Signed(_) => {
                                    trouble(&error, &wallet)
                                }
                            })
                        }
                    };
                }
            },
        };
        let (for_lock, for_change) = halves(signatures, outputs.len())?;
        // Checked before the inputs are given up: a mint that signs something else has still to answer for them.
        outputs::proofs(&outputs, for_lock.clone(), &keyset)?;
        let back = change_back(&change, for_change, &keyset, &wallet)?;
        let ys = lock.inputs.ys().map_err(|_| Error::Damaged)?;
        let told = Told::new(lock.salt, lock.keyset, lock.sum, &for_lock)?.write();
        let history = Transaction {
            mint_url: wallet.mint_url.clone(),
            direction: TransactionDirection::Outgoing,
            amount: Amount::from(lock.sum),
            fee: lock
                .inputs
                .total_amount()
                .ok()
                .and_then(|paid| paid.checked_sub(Amount::from(lock.sum + lock.change)))
                .unwrap_or_default(),
            unit: wallet.unit.clone(),
            ys: ys.clone(),
            timestamp: cdk::util::unix_time(),
            memo: None,
            metadata: HashMap::from([("contract".to_owned(), name.clone())]),
            quote_id: None,
            payment_request: None,
            payment_proof: None,
            payment_method: None,
            saga_id: Some(lock.operation),
            status: TransactionStatus::Completed,
        };
        lock.told = Some(told.clone());
        lock.inputs.clear();
        self.ledger
            .finish_lock(&name, &ys, back, &history, &lock)
            .await
            .map_err(not_saved)?;
        Ok(told)
    }

    /// The mint did not make a lock and has signed nothing of it: what that means for its inputs.
    async fn refused(
        &self,
        mut lock: Lock,
        error: cdk::Error,
        wallet: &Wallet,
    ) -> Result<Error, Error> {
        let name = lock.deal.contract.id().to_string();
        // What is spent and not by this lock, another device of the same words has spent.
        let spent_elsewhere = matches!(error, cdk::Error::TokenAlreadySpent);
        // While an older request may still be on its way, "too many requests" says nothing of that one.
        let sure = error.is_definitive_failure()
            && !(lock.asked && matches!(error, cdk::Error::HttpError(..)));
        if spent_elsewhere || sure {
            let ys = lock.inputs.ys().map_err(|_| Error::Damaged)?;
            let gone = match spent_elsewhere {
                true => spent(wallet, &ys).await?,
                false => Vec::new(),
            };
            self.ledger
                .drop_lock(&name, lock.operation, &gone)
                .await
                .map_err(not_saved)?;
        } else if !lock.asked {
            lock.asked = true;
            self.ledger
                .note_lock(&name, &lock)
                .await
                .map_err(not_saved)?;
        }
        Ok(trouble(&error, wallet))
    }

    /// A lock that an older request has made after all, with other inputs: these are free again.
    async fn made_before(
        &self,
        mut lock: Lock,
        outputs: &[Output],
        signatures: Vec<BlindSignature>,
        wallet: &Wallet,
    ) -> Result<Locked, Error> {
        let signed_by = signatures.first().map_or(lock.keyset, |one| one.keyset_id);
        let keyset = self.keyset(wallet, signed_by).await?;
        outputs::proofs(outputs, signatures.clone(), &keyset)?;
        let told = Told::new(lock.salt, signed_by, lock.sum, &signatures)?.write();
        lock.told = Some(told.clone());
        lock.inputs.clear();
        let name = lock.deal.contract.id().to_string();
        self.ledger
            .keep_lock(&name, lock.operation, &lock)
            .await
            .map_err(not_saved)?;
        Ok(told)
    }

    /// Chooses what to pay a lock with, and saves that before anything is asked.
    pub(super) async fn begin(&self, deal: &Deal, wallet: &Wallet) -> Result<(), Error> {
        let contract = &deal.contract;
        able(wallet).await?;
        let keyset = active_keys(wallet, true).await?;
        outlives(&keyset, contract)?;
        let sizes = outputs::sizes(&keyset);
        let sum =
            outputs::total(contract, &sizes).ok_or(Error::AboveCeiling { ceiling: CEILING })?;
        let free = wallet
            .get_unspent_proofs()
            .await
            .map_err(|error| trouble(&error, wallet))?;
        let have = free.total_amount().map_err(|_| Error::Damaged)?.to_u64();
        let fees = wallet
            .get_keyset_fees_and_amounts()
            .await
            .map_err(|error| trouble(&error, wallet))?;
        let chosen = Wallet::select_proofs(Amount::from(sum), free, &vec![keyset.id], &fees, true);
        let inputs = chosen.map_err(|_| Error::NotEnough { have, need: sum })?;
        let paid = inputs.total_amount().map_err(|_| Error::Damaged)?.to_u64();
        let cost = wallet
            .get_proofs_fee(&inputs)
            .await
            .map_err(|error| trouble(&error, wallet))?
            .total
            .to_u64();
        let change = paid
            .checked_sub(cost)
            .and_then(|rest| rest.checked_sub(sum))
            .ok_or(Error::NotEnough {
                have,
                need: sum + cost,
            })?;
        let places = u32::try_from(outputs::parts(change, &sizes)?.len()).unwrap_or(u32::MAX);
        let salt = self.salt(deal, b"lock")?;
        // What the mint will be asked for can be made: after this it can be asked, or the inputs would be set aside for nothing.
        let amounts = outputs::parts(sum, &sizes)?;
        outputs::outputs(contract, &salt, For::Lock, &amounts)?;
        let ys = inputs.ys().map_err(|_| Error::Damaged)?;
        let operation = Uuid::from_bytes(half(&self.salt(deal, b"operation")?));
        let mut lock = Lock {
            deal: deal.clone(),
            salt,
            operation,
            keyset: keyset.id,
            sum,
            inputs,
            change,
            change_at: 0,
            asked: false,
            told: None,
        };
        self.ledger
            .begin_lock(
                &contract.id().to_string(),
                &ys,
                operation,
                (keyset.id, places),
                |at| {
                    lock.change_at = at;
                    serde_json::to_value(&lock)
                },
            )
            .await
            .map_err(not_saved)
    }
}

/// What a mint signed for the lock, and what for the change.
fn halves(
    mut signatures: Vec<BlindSignature>,
    first: usize,
) -> Result<(Vec<BlindSignature>, Vec<BlindSignature>), Error> {
    if signatures.len() < first {
        return Err(Mismatch::Conditions.into());
    }
    let second = signatures.split_off(first);
    Ok((signatures, second))
}

/// The change of a lock, as proofs of the wallet.
fn change_back(
    change: &PreMintSecrets,
    signatures: Vec<BlindSignature>,
    keyset: &KeySet,
    wallet: &Wallet,
) -> Result<Vec<ProofInfo>, Error> {
    let outputs: Vec<Output> = change
        .iter()
        .map(|one| Output {
            amount: one.amount.to_u64(),
            secret: one.secret.clone(),
            blinding: one.r.clone(),
            blinded: one.blinded_message.blinded_secret,
        })
        .collect();
    let proofs = outputs::proofs(&outputs, signatures, keyset)?;
    let info = |(proof, place): (Proof, Option<u32>)| {
        let (mint, unit) = (wallet.mint_url.clone(), wallet.unit.clone());
        let mut info =
            ProofInfo::new(proof, mint, State::Unspent, unit).map_err(|_| Error::Damaged)?;
        info.derivation_index = place;
        Ok(info)
    };
    let places = change.iter().map(|one| one.derivation_index);
    proofs.into_iter().zip(places).map(info).collect()
}

fn half(bytes: &[u8; 32]) -> [u8; 16] {
    let mut half = [0; 16];
    half.copy_from_slice(&bytes[..16]);
    half
}
