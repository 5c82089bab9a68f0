//! What has become of a lock, asked without making one.
//!
//! The salt of a lock is the buyer's own and the same whenever he asks, and it alone says what the mint signs for it. So the mint can
//! be asked whether it has, by whoever has the words, without any record. And that none can come any more is certain once what was set
//! aside to pay for it was exchanged for other money: the mint takes it once, and of two requests that name it the first one counts.

use cdk::nuts::{BlindSignature, Id, KeySet, ProofsMethods as _, SwapRequest};
use cdk::wallet::Wallet;
use cdk_common::wallet::KeysetLoadPolicy;
use haggle_protocol::Locked;
use haggle_protocol::settlement::Deal;

use super::Cashu;
use super::locking::{Lock, change_back};
use super::mint::{
    Remembered, active_keys, keyset, not_saved, recalled, remembered, spent, trouble, unknown,
};
use super::names::purse_of;
use super::outputs::{self, For, OUTPUTS_MAX, Told};
use crate::error::{Error, Mismatch};
use crate::history::Why;

/// How often other places are drawn for what comes back, before it is left for the next time.
const TRIES: usize = 3;

/// What comes back for the inputs of a lock that is not to be made any more: how much in which keys, and the first of the places in the
/// seed's order that it takes.
#[derive(Clone, Copy, serde::Serialize, serde::Deserialize)]
pub(super) struct Undo {
    keyset: Id,
    sum: u64,
    at: u32,
}

impl Cashu {
    /// The lock that a mint has made for a deal, as it is told of. Whatever the mint's keys were then.
    ///
    /// # Errors
    /// [`Mismatch::Spoiled`] if the mint has signed what such a lock is made of, and that is none.
    pub(super) async fn made(&self, deal: &Deal, wallet: &Wallet) -> Result<Option<Told>, Error> {
        let contract = &deal.contract;
        let salt = self.salt(deal, b"lock")?;
        // How many there are, and of which amounts, the mint says: neither is part of what it is asked about.
        let places = outputs::outputs(contract, &salt, For::Lock, &[1; OUTPUTS_MAX])?;
        let keysets = wallet.keysets(KeysetLoadPolicy::default()).await;
        let keysets = keysets.map_err(|error| trouble(&error, wallet))?;
        let Some(any) = keysets.first() else {
            return Ok(None);
        };
        let known = recalled(wallet, &outputs::messages(&places, any.id)).await?;
        let first = known.iter().take_while(|one| one.is_some()).count();
        let signatures: Vec<BlindSignature> = known.into_iter().flatten().collect();
        let Some(id) = signatures.first().map(|one| one.keyset_id) else {
            return Ok(None);
        };
        let spoiled = || Error::from(Mismatch::Spoiled);
        let keyset = keyset(wallet, id).await?.ok_or_else(spoiled)?;
        let sizes = outputs::sizes(&keyset);
        let amounts: Vec<u64> = signatures.iter().map(|one| one.amount.to_u64()).collect();
        let sum = amounts
            .iter()
            .try_fold(0_u64, |sum, one| sum.checked_add(*one));
        let sum = sum.ok_or_else(spoiled)?;
        let whole = first == signatures.len()
            && outputs::parts(sum, &sizes).is_ok_and(|parts| parts == amounts)
            && outputs::least(contract, &sizes).is_some_and(|least| sum >= least);
        if !whole {
            return Err(spoiled());
        }
        let outputs = outputs::outputs(contract, &salt, For::Lock, &amounts)?;
        outputs::proofs(&outputs, signatures.clone(), &keyset).map_err(|_| spoiled())?;
        Told::new(salt, id, sum, &signatures).map(Some)
    }

    /// The lock that a mint has made for a deal of which nothing is written down here, and writes it down.
    pub(super) async fn found(
        &self,
        deal: &Deal,
        wallet: &Wallet,
    ) -> Result<Option<Locked>, Error> {
        let Some(told) = self.made(deal, wallet).await? else {
            return Ok(None);
        };
        let operation = self.operation(deal)?;
        let lock = Lock::made(deal.clone(), operation, &told);
        let name = deal.contract.id().to_string();
        let kept = self
            .ledger
            .keep_lock(&name, operation, Vec::new(), &lock)
            .await;
        kept.map_err(not_saved)?;
        Ok(lock.told)
    }

    /// What has become of a lock that was begun: it is ended if it was made, and otherwise made impossible and forgotten.
    ///
    /// # Errors
    /// [`Error::Unknown`] until the mint has said which of the two it is.
    pub(super) async fn unmade(&self, mut lock: Lock) -> Result<Option<Locked>, Error> {
        if lock.told.is_some() {
            return Ok(lock.told);
        }
        let contract = &lock.deal.contract;
        let name = contract.id().to_string();
        let wallet = self.wallet(&purse_of(contract)).await?;
        let ys = lock.inputs.ys().map_err(|_| Error::Damaged)?;
        for _ in 0..TRIES {
            // What was begun to come back may have come back: that is asked for again first, and says by itself if the lock was faster.
            if lock.undo.is_none() && self.is_made(&lock, &wallet).await? {
                return self.finish(lock).await.map(Some);
            }
            let undo = match lock.undo {
                Some(undo) => undo,
                None => self.begin_undo(&mut lock, &wallet).await?,
            };
            let keyset = self.keyset(&wallet, undo.keyset).await?;
            let back = self.drawn(&keyset, undo.at, undo.sum)?;
            let asked = back.blinded_messages();
            let request = SwapRequest::new(lock.inputs.clone(), asked.clone());
            let signatures = match wallet.mint_connector().post_swap(request).await {
                Ok(response) => response.signatures,
                // First what is spent, then what was signed: whatever has spent it was signed by then.
                Err(error) => {
                    let gone = spent(&wallet, &ys).await?;
                    let known = remembered(&wallet, &asked).await?;
                    match (known, gone.is_empty()) {
                        (Remembered::Signed(signatures), false) => signatures,
                        (Remembered::Nothing | Remembered::Spoiled, false) => {
                            if self.is_made(&lock, &wallet).await? {
                                return self.finish(lock).await.map(Some);
                            }
                            // Another device of the same words has spent some of it: the mint takes what is left for nothing else.
                            let dropped = self.ledger.drop_lock(&name, lock.operation, &gone).await;
                            dropped.map_err(not_saved)?;
                            return Ok(None);
                        }
                        (known, true) => {
                            // These keys or places are none that it could come back in: other ones are drawn.
                            let others = matches!(
                                error,
                                cdk::Error::InactiveKeyset | cdk::Error::TransactionUnbalanced(..)
                            ) || !matches!(known, Remembered::Nothing);
                            if !others {
                                return Err(unknown(&error, &wallet));
                            }
                            lock.undo = None;
                            continue;
                        }
                    }
                }
            };
            let back = change_back(&back, signatures, &keyset, &wallet)?;
            let reason = lock.reason(Why::Unlocked);
            let undone = self.ledger.undo_lock(&name, &ys, back, reason).await;
            undone.map_err(not_saved)?;
            return Ok(None);
        }
        Err(Error::Unknown(wallet.mint_url.to_string()))
    }

    /// Whether the mint has made a lock that was begun, or another one for the same deal.
    async fn is_made(&self, lock: &Lock, wallet: &Wallet) -> Result<bool, Error> {
        match self.made(&lock.deal, wallet).await {
            Ok(told) => Ok(told.is_some()),
            // What it has signed of it is no lock, and none can come of it.
            Err(Error::Mismatch(Mismatch::Spoiled)) => Ok(false),
            Err(error) => Err(error),
        }
    }

    /// Draws where the inputs of a lock come back to, and saves that before anything is asked.
    async fn begin_undo(&self, lock: &mut Lock, wallet: &Wallet) -> Result<Undo, Error> {
        let keys: KeySet = active_keys(wallet, true).await?;
        let cost = wallet.get_proofs_fee(&lock.inputs).await;
        let cost = cost.map_err(|error| trouble(&error, wallet))?.total;
        let paid = lock.inputs.total_amount().map_err(|_| Error::Damaged)?;
        let sum = paid.checked_sub(cost).map_or(0, u64::from);
        let places = outputs::parts(sum, &outputs::sizes(&keys))?.len();
        let places = u32::try_from(places).unwrap_or(u32::MAX);
        let name = lock.deal.contract.id().to_string();
        let mut drawn = Undo {
            keyset: keys.id,
            sum,
            at: 0,
        };
        self.ledger
            .note_lock_at(&name, (keys.id, places), |at| {
                drawn.at = at;
                lock.undo = Some(drawn);
                serde_json::to_value(&*lock)
            })
            .await
            .map_err(not_saved)?;
        Ok(drawn)
    }
}
