//! Locking: from a purse into a contract, once, whatever happens on the way.
//!
//! Before the mint is asked, the inputs are set aside, the places of the change are drawn, and both are saved with the salt: a
//! [`Lock`]. Then the mint signs lock and change in one request. Whoever is cut off anywhere finds the [`Lock`] and asks again, with
//! the same bytes. If the mint has answered before, it says that the inputs are spent and what it signed for them.

use std::collections::{BTreeSet, HashMap};

use cdk::Amount;
use cdk::nuts::{
    BlindSignature, Id, KeySet, PreMintSecrets, Proof, Proofs, ProofsMethods as _, PublicKey,
    State, SwapRequest,
};
use cdk::wallet::Wallet;
use cdk_common::wallet::{ProofInfo, Transaction, TransactionDirection, TransactionStatus};
use haggle_protocol::settlement::Deal;
use haggle_protocol::{Contract, Locked, Party};
use uuid::Uuid;

use super::finding::Undo;
use super::ledger::Reason;
use super::mint::{
    Remembered, able, active_keys, not_saved, outlives, remembered, spent, trouble, unknown,
};
use super::names::purse_of;
use super::outputs::{self, For, Output, Told};
use super::{CEILING, Cashu};
use crate::error::{Error, Mismatch};
use crate::history::Why;

/// A lock that this peer pays for, from before the mint is asked.
#[derive(serde::Serialize, serde::Deserialize)]
pub(super) struct Lock {
    pub(super) deal: Deal,
    salt: [u8; 32],
    pub(super) operation: Uuid,
    keyset: Id,
    sum: u64,
    pub(super) inputs: Proofs,
    /// What comes back beside the lock, and the first of the places in the seed's order that it takes.
    change: u64,
    change_at: u32,
    /// Whether an answer was ever missed: until it is clear what the mint did, the inputs stay set aside.
    #[serde(default)]
    asked: bool,
    /// What the inputs are to come back as, since the lock is not to be made any more.
    #[serde(default)]
    pub(super) undo: Option<Undo>,
    /// How the lock is told of, once it is made.
    pub(super) told: Option<Locked>,
}

impl Lock {
    /// One that was made before anything was written down of it.
    pub(super) fn made(deal: Deal, operation: Uuid, told: &Told) -> Self {
        Self {
            deal,
            salt: told.salt,
            operation,
            keyset: told.keyset,
            sum: told.sum,
            inputs: Proofs::new(),
            change: 0,
            change_at: 0,
            asked: false,
            undo: None,
            told: Some(told.write()),
        }
    }

    /// What moves by it in the purse that it is paid from.
    pub(super) const fn reason(&self, why: Why) -> Reason {
        Reason {
            why,
            order: Some(self.deal.contract.order),
            operation: Some(self.operation),
        }
    }
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
        let amounts = outputs::parts(lock.sum, &outputs::sizes(&keyset))?;
        if let Err(error) = outputs::keys(contract) {
            // Nobody can have asked for a lock to keys that are none.
            let dropped = self.ledger.drop_lock(&name, lock.operation, &[]).await;
            dropped.map_err(not_saved)?;
            return Err(error);
        }
        let outputs = outputs::outputs(contract, &lock.salt, For::Lock, &amounts)?;
        let change = self.drawn(&keyset, lock.change_at, lock.change)?;
        let mut asked = outputs::messages(&outputs, lock.keyset);
        asked.extend(change.blinded_messages());
        let request = SwapRequest::new(lock.inputs.clone(), asked.clone());
        let ys = lock.inputs.ys().map_err(|_| Error::Damaged)?;
        let signatures = match wallet.mint_connector().post_swap(request).await {
            Ok(response) => response.signatures,
            Err(error) => match remembered(&wallet, &asked).await? {
                Remembered::Signed(signatures) => {
                    if spent(&wallet, &ys).await?.is_empty() {
                        // Signed for other inputs: nothing of these was taken, as when a backup knows nothing of the first time. What
                        // that one was paid too much came back in the same places as it would now.
                        let (_, for_change) = halves(signatures, outputs.len())?;
                        let back = change_back(&change, for_change, &keyset, &wallet);
                        let told = self.made(&lock.deal, &wallet).await?;
                        let told = told.ok_or_else(|| unknown(&error, &wallet))?;
                        let back = back.unwrap_or_default();
                        return self.made_before(lock, told, back, &wallet).await;
                    }
                    signatures
                }
                Remembered::Nothing => return Err(self.refused(lock, error, &wallet).await?),
                Remembered::Spoiled => {
                    let why = match self.made(&lock.deal, &wallet).await {
                        Ok(Some(told)) => {
                            return self.made_before(lock, told, Vec::new(), &wallet).await;
                        }
                        // The mint will not sign these again, so what was set aside for it is free. Other change can be asked for; the
                        // lock itself cannot.
                        Ok(None) => trouble(&error, &wallet),
                        Err(spoiled @ Error::Mismatch(Mismatch::Spoiled)) => spoiled,
                        Err(other) => return Err(other),
                    };
                    let gone = spent(&wallet, &ys).await?;
                    self.ledger
                        .drop_lock(&name, lock.operation, &gone)
                        .await
                        .map_err(not_saved)?;
                    return Err(why);
                }
            },
        };
        let (for_lock, for_change) = halves(signatures, outputs.len())?;
        // Checked before the inputs are given up: a mint that signs something else has still to answer for them.
        outputs::proofs(&outputs, for_lock.clone(), &keyset)?;
        let back = change_back(&change, for_change, &keyset, &wallet)?;
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
        let reason = lock.reason(Why::Locked);
        self.ledger
            .finish_lock(&name, &ys, back, (&history, reason), &lock)
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

    /// A lock that an older request has made after all, with other inputs: these are free again. What came back of the others is kept
    /// unless it was spent since.
    async fn made_before(
        &self,
        mut lock: Lock,
        told: Told,
        mut back: Vec<ProofInfo>,
        wallet: &Wallet,
    ) -> Result<Locked, Error> {
        let ys: Vec<PublicKey> = back.iter().map(|one| one.y).collect();
        let gone = spent(wallet, &ys).await?;
        back.retain(|one| !gone.contains(&one.y));
        let told = told.write();
        lock.told = Some(told.clone());
        lock.inputs.clear();
        let name = lock.deal.contract.id().to_string();
        self.ledger
            .keep_lock(&name, lock.operation, back, &lock)
            .await
            .map_err(not_saved)?;
        Ok(told)
    }

    /// Checks that a deal is one that this peer locks money for.
    pub(super) fn payer(&self, deal: &Deal) -> Result<(), Error> {
        deal.contract.check()?;
        outputs::keys(&deal.contract)?;
        if deal.party != Party::Buyer {
            return Err(Error::NotYours);
        }
        self.own(deal).map(drop)
    }

    /// By what name a lock's inputs are set aside: the same for the same deal.
    pub(super) fn operation(&self, deal: &Deal) -> Result<Uuid, Error> {
        Ok(Uuid::from_bytes(half(&self.salt(deal, b"operation")?)))
    }

    /// What is written down of a contract's lock.
    pub(super) async fn lock_of(&self, contract: &Contract) -> Result<Option<Lock>, Error> {
        let known = self.ledger.lock_record(&contract.id().to_string()).await;
        known.map_err(not_saved)
    }

    /// What a sum comes back in: the outputs at the seed's places from this one on.
    pub(super) fn drawn(
        &self,
        keyset: &KeySet,
        at: u32,
        sum: u64,
    ) -> Result<PreMintSecrets, Error> {
        PreMintSecrets::from_seed(
            keyset.id,
            at,
            &self.seed,
            Amount::from(sum),
            &cdk::amount::SplitTarget::None,
            &outputs::sizes(keyset),
        )
        .map_err(|_| Error::Damaged)
    }

    /// Chooses what to pay a lock with, and saves that before anything is asked.
    pub(super) async fn begin(&self, deal: &Deal, wallet: &Wallet) -> Result<Lock, Error> {
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
        // First what lies under keys that were turned, so that it is used up. Where that is enough for the lock alone, cdk does not count
        // what it costs to spend it, so what falls short then is chosen from everything alike.
        let used_up = vec![keyset.id];
        let others: BTreeSet<Id> = free.iter().map(|one| one.keyset_id).collect();
        let mut alike = used_up.clone();
        alike.extend(others.into_iter().filter(|id| *id != keyset.id));
        let (mut need, mut chosen) = (sum, None);
        for active in [used_up, alike] {
            let target = Amount::from(sum);
            let inputs = Wallet::select_proofs(target, free.clone(), &active, &fees, true);
            let Ok(inputs) = inputs else {
                continue;
            };
            let paid = inputs.total_amount().map_err(|_| Error::Damaged)?.to_u64();
            let cost = wallet.get_proofs_fee(&inputs).await;
            let cost = cost
                .map_err(|error| trouble(&error, wallet))?
                .total
                .to_u64();
            need = sum.saturating_add(cost);
            if let Some(change) = paid.checked_sub(need) {
                chosen = Some((inputs, change));
                break;
            }
        }
        let (inputs, change) = chosen.ok_or(Error::NotEnough { have, need })?;
        let places = u32::try_from(outputs::parts(change, &sizes)?.len()).unwrap_or(u32::MAX);
        let salt = self.salt(deal, b"lock")?;
        // What the mint will be asked for can be made: after this it can be asked, or the inputs would be set aside for nothing.
        let amounts = outputs::parts(sum, &sizes)?;
        outputs::outputs(contract, &salt, For::Lock, &amounts)?;
        let ys = inputs.ys().map_err(|_| Error::Damaged)?;
        let operation = self.operation(deal)?;
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
            undo: None,
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
            .map_err(not_saved)?;
        Ok(lock)
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
pub(super) fn change_back(
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
