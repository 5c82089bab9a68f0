//! Bringing money in, a text or what a settlement pays out, and ending what was begun and cut off.
//!
//! cdk brings ecash in by an operation that it saves before it asks the mint, with one record for each piece of ecash that names the
//! operation. A second operation about the same pieces would take the records over, and with them the only way to what the mint signed
//! for the first. So there is one at a time, and what is under way is ended before anything new is begun about the same money.
//!
//! What this peer has given away itself and takes back stays written down as given away until the mint has exchanged it.

use std::collections::{BTreeSet, HashSet};

use cdk::cdk_database::WalletDatabase as _;
use cdk::nuts::{KeySetInfo, Proofs, ProofsMethods as _, PublicKey, State, Token};
use cdk::wallet::Wallet;
use cdk_common::wallet::{
    KeysetLoadPolicy, OperationData, ProofInfo, ReceiveOptions, TransactionId, TransactionStatus,
    WalletSaga,
};
use uuid::Uuid;

use super::Cashu;
use super::ledger::Reason;
use super::mint::{Remembered, not_saved, remembered, spent, trouble};
use crate::error::Error;
use crate::rail::Purse;

impl Cashu {
    /// Brings ecash into a purse, all of it or nothing; says how much that came to. With it can come its memo and the text that it was, and why
    /// it comes, if not as text from somebody.
    pub(super) async fn bring_in(
        &self,
        purse: &Purse,
        proofs: Proofs,
        options: ReceiveOptions,
        (memo, text): (Option<String>, Option<String>),
        reason: Option<Reason>,
    ) -> Result<u64, Error> {
        let wallet = self.wallet(purse).await?;
        let _alone = self.purses.wait(purse).await;
        let ys = proofs.ys().map_err(|_| Error::Damaged)?;
        let mut known = self.records(&ys).await?;
        if known.iter().any(under_way) {
            let coming = known.len() == ys.len() && known.iter().all(under_way);
            let operations: BTreeSet<Uuid> = known
                .iter()
                .filter_map(|one| one.used_by_operation)
                .collect();
            self.pick_up(purse).await?;
            known = self.records(&ys).await?;
            if known.iter().any(under_way) {
                return Err(Error::Unknown(wallet.mint_url.to_string()));
            }
            let came = self.came_in(&operations).await?;
            if coming && came > 0 {
                return Ok(came);
            }
        }
        if !spent(&wallet, &ys).await?.is_empty() {
            return Err(Error::Spent);
        }
        if let Some(reason) = reason {
            let noted = self.ledger.note_reason(&ys, reason).await;
            noted.map_err(not_saved)?;
        }
        let error = match wallet.receive_proofs(proofs, options, memo, text).await {
            Ok(came) => return Ok(came.to_u64()),
            Err(error) => error,
        };
        // A refusal takes away the records that were there before as well.
        self.ledger.put_back(&known).await.map_err(not_saved)?;
        if matches!(error, cdk::Error::TokenAlreadySpent) {
            // Somebody was faster than this request, or this is its own echo: the mint knows.
            self.pick_up(purse).await?;
        }
        Err(trouble(&error, &wallet))
    }

    async fn records(&self, ys: &[PublicKey]) -> Result<Vec<ProofInfo>, Error> {
        let known = self.ledger.get_proofs_by_ys(ys.to_vec()).await;
        known.map_err(not_saved)
    }

    /// What these operations have brought in.
    async fn came_in(&self, operations: &BTreeSet<Uuid>) -> Result<u64, Error> {
        let mut came = 0;
        for operation in operations {
            let id = TransactionId::from_saga_id(*operation);
            let done = self.ledger.get_transaction(id).await.map_err(not_saved)?;
            let done = done.filter(|one| one.status == TransactionStatus::Completed);
            came += done.map_or(0, |one| one.amount.to_u64());
        }
        Ok(came)
    }

    /// Ends what was cut off in a purse, and says whether nothing is left open. Whoever asks is alone with it.
    pub(super) async fn pick_up(&self, purse: &Purse) -> Result<bool, Error> {
        let wallet = self.wallet(purse).await?;
        let Some(_quiet) = self.paying_out.now(purse).await else {
            return Ok(false);
        };
        let (mint, unit) = (&wallet.mint_url, &wallet.unit);
        // cdk drops what was given away when another operation has its records.
        let given = self.ledger.overwritten(mint, unit).await;
        let given = given.map_err(not_saved)?;
        let report = match wallet.recover_incomplete_sagas().await {
            Ok(report) => Some(report),
            Err(error) => {
                tracing::warn!(%error, "a wallet's unfinished business stays unfinished");
                None
            }
        };
        let dropped = self.drop_hopeless(&wallet).await?;
        let of_given: HashSet<PublicKey> = given
            .iter()
            .flat_map(|(_, records)| records.iter().map(|one| one.y))
            .collect();
        let cleared = self.ledger.drop_unowned(mint, unit, &of_given).await;
        cleared.map_err(not_saved)?;
        for (saga, records) in given {
            self.give_back(&wallet, saga, records).await?;
        }
        // What was given away and not taken is no unfinished business of this side's.
        let waiting = self.ledger.waiting(mint, unit).await.map_err(not_saved)?;
        Ok(report.is_some_and(|one| one.skipped <= waiting && one.failed <= dropped))
    }

    /// Drops the operations that cannot bring anything in any more, since somebody else has spent what they were about; says how many.
    async fn drop_hopeless(&self, wallet: &Wallet) -> Result<usize, Error> {
        let sagas = self
            .ledger
            .get_incomplete_sagas()
            .await
            .map_err(not_saved)?;
        let mut dropped = 0;
        for saga in sagas {
            let OperationData::Receive(data) = &saga.data else {
                continue;
            };
            let asked = data.blinded_messages.as_deref().unwrap_or_default();
            if saga.mint_url != wallet.mint_url || saga.unit != wallet.unit || asked.is_empty() {
                continue;
            }
            let inputs = self.ledger.get_reserved_proofs(&saga.id).await;
            let ys: Vec<PublicKey> = inputs.map_err(not_saved)?.iter().map(|one| one.y).collect();
            // First what is spent, then what was signed: if it was this operation that spent it, the mint has signed by then.
            let Ok(gone) = spent(wallet, &ys).await else {
                continue;
            };
            if gone.is_empty() {
                continue;
            }
            if let Ok(Remembered::Nothing) = remembered(wallet, asked).await {
                let ended = self.ledger.drop_receive(saga.id).await;
                ended.map_err(not_saved)?;
                dropped += 1;
            }
        }
        Ok(dropped)
    }

    /// Writes down again what was given away, if it was not exchanged after all, and lets go of it if it was.
    async fn give_back(
        &self,
        wallet: &Wallet,
        saga: WalletSaga,
        records: Vec<ProofInfo>,
    ) -> Result<(), Error> {
        let ys: Vec<PublicKey> = records.iter().map(|one| one.y).collect();
        // If the mint does not say, it stays written down, and is asked about again.
        let gone = spent(wallet, &ys).await.unwrap_or_default();
        let left: Vec<ProofInfo> = records
            .into_iter()
            .filter(|one| !gone.contains(&one.y))
            .collect();
        let kept = self.ledger.give_back(&saga, &left, &gone).await;
        kept.map_err(not_saved)
    }
}

/// The ecash that a text is.
pub(super) async fn proofs_of(token: &Token, wallet: &Wallet) -> Result<Proofs, Error> {
    if let Token::TokenV3(token) = token
        && token.is_multi_mint()
    {
        return Err(Error::Damaged);
    }
    // The mint may have turned its keys since it was asked for them last.
    for policy in [KeysetLoadPolicy::default(), KeysetLoadPolicy::Refresh] {
        let keysets = wallet.keysets(policy).await;
        let keysets: Vec<KeySetInfo> = keysets
            .map_err(|error| trouble(&error, wallet))?
            .into_iter()
            .map(|one| KeySetInfo {
                id: one.id,
                unit: one.unit,
                active: one.active.unwrap_or_default(),
                input_fee_ppk: one.input_fee_ppk,
                final_expiry: one.final_expiry,
            })
            .collect();
        if let Ok(proofs) = token.proofs(&keysets) {
            return Ok(proofs);
        }
    }
    Err(Error::Damaged)
}

/// Whether an operation has begun with this and not ended.
fn under_way(record: &ProofInfo) -> bool {
    matches!(record.state, State::Reserved | State::Pending)
}
