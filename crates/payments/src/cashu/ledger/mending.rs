//! What the ledger does beside cdk's own tables' needs, so that money that is cut off, given away or found again is written down once
//! and under one name.

use std::collections::{BTreeSet, HashSet};

use cdk::mint_url::MintUrl;
use cdk::nuts::{CurrencyUnit, Proofs, PublicKey, State};
use cdk_common::database::{Error, WalletDatabase as _};
use cdk_common::wallet::{
    OperationData, ProofInfo, SendSagaState, Transaction, TransactionId, TransactionStatus,
    WalletSaga, WalletSagaState,
};
use uuid::Uuid;

use super::{Change, KeySetRow, Ledger, Reason, all, decode, one, range, table, wanted};
use crate::history::Why;

impl Ledger {
    /// Every proof that is known.
    pub(in super::super) async fn ys(&self) -> Result<HashSet<PublicKey>, Error> {
        let proofs = self.get_proofs(None, None, None, None).await?;
        Ok(proofs.into_iter().map(|proof| proof.y).collect())
    }

    /// Each mint and unit of which keys are known.
    pub(in super::super) async fn kinds(&self) -> Result<BTreeSet<(MintUrl, CurrencyUnit)>, Error> {
        let rows: Vec<KeySetRow> = self.read(|rows| all(rows, table::KEYSET)).await?;
        Ok(rows
            .into_iter()
            .map(|row| (row.mint, row.info.unit))
            .collect())
    }

    /// Takes over the proofs of another ledger that are new here, and says what they are worth together; `known` are those that were
    /// here before that other one was written, and may have gone since. Counters that are further on there are as far here.
    pub(in super::super) async fn take_over(
        &self,
        other: &Self,
        known: &HashSet<PublicKey>,
    ) -> Result<u64, Error> {
        let proofs = other.get_proofs(None, None, None, None).await?;
        let counters = other.read(|rows| {
            let counters = range(rows, table::COUNTER);
            let counters = counters.map(|(name, row)| Ok((name.to_owned(), decode::<u32>(row)?)));
            counters.collect::<Result<Vec<_>, Error>>()
        });
        let counters = counters.await?;
        self.change(|change| {
            change.because(Reason::alone(Why::Found));
            let mut new = 0;
            for proof in proofs {
                let here = change.get::<ProofInfo>(table::PROOF, proof.y)?;
                if here.is_none() && !known.contains(&proof.y) {
                    if proof.state == State::Unspent {
                        new += proof.proof.amount.to_u64();
                    }
                    change.put(table::PROOF, proof.y, &proof)?;
                }
            }
            for (name, count) in counters {
                let here = change.get::<u32>(table::COUNTER, &name)?;
                if here.is_none_or(|here| here < count) {
                    change.put(table::COUNTER, &name, &count)?;
                }
            }
            Ok(new)
        })
        .await
    }

    /// Takes away what was spent, and not by this peer.
    pub(in super::super) async fn spent_elsewhere(&self, ys: &[PublicKey]) -> Result<(), Error> {
        self.change(|change| {
            change.because(Reason::alone(Why::Elsewhere));
            change.exchange(ys, Vec::new())
        })
        .await
    }

    /// Puts back those of these proofs that are no longer here, as they were.
    pub(in super::super) async fn put_back(&self, proofs: &[ProofInfo]) -> Result<(), Error> {
        self.change(|change| put_missing(change, proofs)).await
    }

    /// How much was given away and not taken yet: so many operations.
    pub(in super::super) async fn waiting(
        &self,
        mint: &MintUrl,
        unit: &CurrencyUnit,
    ) -> Result<usize, Error> {
        let sagas = self.get_incomplete_sagas().await?;
        let given = sagas.iter().filter_map(|saga| given(saga, mint, unit));
        Ok(given.count())
    }

    /// What was given away, and is being taken back by other operations: what each gave, as its records were before.
    pub(in super::super) async fn overwritten(
        &self,
        mint: &MintUrl,
        unit: &CurrencyUnit,
    ) -> Result<Vec<(WalletSaga, Vec<ProofInfo>)>, Error> {
        let sagas = self.get_incomplete_sagas().await?;
        self.read(|rows| {
            let mut all = Vec::new();
            for saga in sagas {
                let Some(proofs) = given(&saga, mint, unit) else {
                    continue;
                };
                let (mut records, mut whole) = (Vec::new(), true);
                for proof in proofs {
                    let mut record = ProofInfo::new_with_operations(
                        proof.clone(),
                        mint.clone(),
                        State::PendingSpent,
                        unit.clone(),
                        Some(saga.id),
                        None,
                    )
                    .map_err(|error| Error::Internal(error.to_string()))?;
                    let known: Option<ProofInfo> = one(rows, table::PROOF, record.y)?;
                    record.derivation_index = known.as_ref().and_then(|one| one.derivation_index);
                    whole &= known.is_some_and(|one| one.used_by_operation == Some(saga.id));
                    records.push(record);
                }
                if !whole {
                    all.push((saga, records));
                }
            }
            Ok(all)
        })
        .await
    }

    /// Writes down again what was given away and is not spent, where no other operation has it, and lets go of what is. cdk lets go only
    /// of the records that name the operation, and what it exchanges for a gift does not.
    pub(in super::super) async fn give_back(
        &self,
        saga: &WalletSaga,
        left: &[ProofInfo],
        spent: &[PublicKey],
    ) -> Result<(), Error> {
        self.change(|change| {
            change.because(Reason {
                why: Why::Given,
                order: None,
                operation: Some(saga.id),
            });
            put_missing(change, left)?;
            for y in spent {
                let known: Option<ProofInfo> = change.get(table::PROOF, y)?;
                if known.is_some_and(|one| one.state == State::PendingSpent) {
                    change.delete(table::PROOF, y);
                }
            }
            if !left.is_empty() && change.get::<WalletSaga>(table::SAGA, saga.id)?.is_none() {
                change.put(table::SAGA, saga.id, saga)?;
            }
            Ok(())
        })
        .await
    }

    /// Drops the records of what was about to be brought in by an operation that was cut off before it was saved itself: nothing was
    /// asked for it. What grew from the seed is dropped only if it is among `given` and will be written down again. And frees what such an
    /// operation had set aside; what a lock has set aside is not, since that is saved with it.
    pub(in super::super) async fn drop_unowned(
        &self,
        mint: &MintUrl,
        unit: &CurrencyUnit,
        given: &HashSet<PublicKey>,
    ) -> Result<(), Error> {
        self.change(|change| {
            let proofs: Vec<ProofInfo> = all(change.rows, table::PROOF)?;
            let locks: Vec<Operation> = all(change.rows, table::LOCK)?;
            for mut proof in proofs {
                let Some(operation) = proof.used_by_operation else {
                    continue;
                };
                if !wanted(&proof, Some(mint), Some(unit), None, None)
                    || change.get::<WalletSaga>(table::SAGA, operation)?.is_some()
                {
                    continue;
                }
                if proof.state == State::Pending
                    && (proof.derivation_index.is_none() || given.contains(&proof.y))
                {
                    change.delete(table::PROOF, proof.y);
                } else if proof.state == State::Reserved
                    && !locks.iter().any(|lock| lock.operation == operation)
                {
                    proof.state = State::Unspent;
                    proof.used_by_operation = None;
                    change.put(table::PROOF, proof.y, &proof)?;
                }
            }
            Ok(())
        })
        .await
    }

    /// Drops an operation that was to bring something in, with its records.
    pub(in super::super) async fn drop_receive(&self, operation: Uuid) -> Result<(), Error> {
        self.change(|change| {
            let proofs: Vec<ProofInfo> = all(change.rows, table::PROOF)?;
            for proof in proofs {
                if proof.used_by_operation == Some(operation) {
                    change.delete(table::PROOF, proof.y);
                }
            }
            let id = TransactionId::from_saga_id(operation);
            if let Some(mut history) = change.get::<Transaction>(table::TRANSACTION, id)? {
                history.status = TransactionStatus::Failed;
                change.put(table::TRANSACTION, id, &history)?;
            }
            change.delete(table::SAGA, operation);
            Ok(())
        })
        .await
    }
}

/// What a lock has set its inputs aside for.
#[derive(serde::Deserialize)]
struct Operation {
    operation: Uuid,
}

/// Writes those of these proofs that are not there.
fn put_missing(change: &mut Change<'_>, proofs: &[ProofInfo]) -> Result<(), Error> {
    for proof in proofs {
        if change.get::<ProofInfo>(table::PROOF, proof.y)?.is_none() {
            change.put(table::PROOF, proof.y, proof)?;
        }
    }
    Ok(())
}

/// What an operation has given away that waits to be taken, if it is one of this mint and unit.
fn given<'a>(saga: &'a WalletSaga, mint: &MintUrl, unit: &CurrencyUnit) -> Option<&'a Proofs> {
    let waits = saga.state == WalletSagaState::Send(SendSagaState::TokenCreated);
    if !waits || saga.mint_url != *mint || saga.unit != *unit {
        return None;
    }
    let OperationData::Send(sent) = &saga.data else {
        return None;
    };
    sent.proofs.as_ref()
}
