//! What the wallet knows, as records of a [`Store`]: proofs, quotes, keys, counters, operations under way.
//!
//! Everything is read once, when the ledger is opened, and kept in memory; every change is committed to the store before it can be
//! seen, in one batch, so that a wallet that is cut off anywhere finds either all of a change or nothing of it. Beside cdk's own
//! tables stand the locks that this crate makes by itself (`lock/…`): their inputs are taken out of the wallet, and their change is
//! put back, in the same batch as the lock's own record. And what a batch moves into a purse or out of it stands in that purse's history
//! (`moved/…`, [`moving`]) by the same batch.
//!
//! Records are JSON: `rail/cashu/proof/02ab…`, `rail/cashu/counter/009a…`. cdk's suite of laws for wallet databases runs over it
//! natively and over IndexedDB (`tests/cashu/database.rs`, `tests/browser.rs`).

mod mending;
mod moving;

use core::fmt;
use std::collections::{BTreeMap, HashMap};

use async_trait::async_trait;
use cdk::mint_url::MintUrl;
use cdk::nuts::{
    CurrencyUnit, Id, KeySet, KeySetInfo, Keys, MintInfo, PublicKey, SpendingConditions, State,
};
use cdk_common::bitcoin::bip32::DerivationPath;
use cdk_common::database::{Error, WalletDatabase, validate_kvstore_params};
use cdk_common::wallet::{
    MeltQuote, MintQuote, P2PKSigningKey, ProofInfo, Transaction, TransactionDirection,
    TransactionId, WalletSaga,
};
use futures::lock::Mutex;
use haggle_store::{Store, Write};
use serde::Serialize;
use serde::de::DeserializeOwned;
use uuid::Uuid;

use super::shared::Shared;
use crate::ecash::RECORDS;
use crate::history::Why;

/// The tables, as parts of a key.
mod table {
    pub(super) const MINT: &str = "mint";
    pub(super) const KEYSET: &str = "keyset";
    pub(super) const KEYS: &str = "keys";
    pub(super) const MINT_QUOTE: &str = "mint-quote";
    pub(super) const MELT_QUOTE: &str = "melt-quote";
    pub(super) const PROOF: &str = "proof";
    pub(super) const TRANSACTION: &str = "transaction";
    pub(super) const COUNTER: &str = "counter";
    pub(super) const SAGA: &str = "saga";
    pub(super) const VALUE: &str = "value";
    pub(super) const SIGNING_KEY: &str = "signing-key";
    pub(super) const LOCK: &str = "lock";
    pub(super) const MOVED: &str = "moved";
    pub(super) const REASON: &str = "reason";
    pub(super) const MOVED_COUNT: &str = "moved-count";
}

pub(super) use self::moving::{Line, Reason};

/// A wallet's database over a store.
pub struct Ledger {
    store: Shared<Box<dyn Store>>,
    rows: Mutex<Rows>,
}

impl fmt::Debug for Ledger {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Ledger(..)")
    }
}

/// Every record, by its key without [`RECORDS`].
type Rows = BTreeMap<String, Vec<u8>>;

/// A keyset and whose it is.
#[derive(serde::Serialize, serde::Deserialize)]
struct KeySetRow {
    mint: MintUrl,
    info: KeySetInfo,
}

fn key(table: &str, name: impl fmt::Display) -> String {
    format!("{table}/{name}")
}

fn decode<T: DeserializeOwned>(bytes: &[u8]) -> Result<T, Error> {
    Ok(serde_json::from_slice(bytes)?)
}

/// One record.
fn one<T: DeserializeOwned>(
    rows: &Rows,
    table: &str,
    name: impl fmt::Display,
) -> Result<Option<T>, Error> {
    rows.get(&key(table, name))
        .map(|row| decode(row))
        .transpose()
}

/// The names in a table and their records, in the order of the names.
fn range<'a>(rows: &'a Rows, table: &str) -> impl Iterator<Item = (&'a str, &'a [u8])> {
    let begin = format!("{table}/");
    rows.range(begin.clone()..)
        .map_while(move |(key, row)| Some((key.strip_prefix(&begin)?, row.as_slice())))
}

/// Every record of a table.
fn all<T: DeserializeOwned>(rows: &Rows, table: &str) -> Result<Vec<T>, Error> {
    range(rows, table).map(|(_, row)| decode(row)).collect()
}

/// A change on its way to the store: what it reads is what it has written so far.
struct Change<'a> {
    rows: &'a Rows,
    writes: BTreeMap<String, Option<Vec<u8>>>,
    /// What it is about, if this crate makes it itself.
    reason: Option<Reason>,
}

impl Change<'_> {
    fn get<T: DeserializeOwned>(
        &self,
        table: &str,
        name: impl fmt::Display,
    ) -> Result<Option<T>, Error> {
        let key = key(table, name);
        let row = match self.writes.get(&key) {
            Some(written) => written.as_ref(),
            None => self.rows.get(&key),
        };
        row.map(|row| decode(row)).transpose()
    }

    fn put(
        &mut self,
        table: &str,
        name: impl fmt::Display,
        row: &impl Serialize,
    ) -> Result<(), Error> {
        self.writes
            .insert(key(table, name), Some(serde_json::to_vec(row)?));
        Ok(())
    }

    fn delete(&mut self, table: &str, name: impl fmt::Display) {
        self.writes.insert(key(table, name), None);
    }

    /// Lets `edit` change every record of a table; what it answers no to stays as it is.
    fn each<T: DeserializeOwned + Serialize>(
        &mut self,
        table: &str,
        edit: impl Fn(&mut T) -> bool,
    ) -> Result<(), Error> {
        for (name, row) in range(self.rows, table) {
            let mut row: T = decode(row)?;
            if edit(&mut row) {
                self.put(table, name, &row)?;
            }
        }
        Ok(())
    }

    /// Counts on and returns the new count.
    fn count(&mut self, name: &str, by: u32) -> Result<u32, Error> {
        let count: u32 = self.get(table::COUNTER, name)?.unwrap_or_default();
        let count = count
            .checked_add(by)
            .ok_or_else(|| Error::Internal("a counter is at its end".into()))?;
        self.put(table::COUNTER, name, &count)?;
        Ok(count)
    }

    fn add_proof(&mut self, mut proof: ProofInfo) -> Result<(), Error> {
        if let Some(mut known) = self.get::<ProofInfo>(table::PROOF, proof.y)? {
            // A proof that is told of again may come without the place where it grew; the seed still needs it.
            let place = proof.derivation_index.or(known.derivation_index);
            (proof.derivation_index, known.derivation_index) = (place, place);
            let set_aside = known.used_by_operation.is_some()
                && matches!(
                    known.state,
                    State::Reserved | State::Pending | State::PendingSpent
                );
            match proof.used_by_operation {
                // What an operation has is not free because somebody comes across it again.
                None if set_aside && proof.state != State::Spent => proof = known,
                // Nor is it another operation's before the first one has ended. What is given away is: it can be taken back.
                Some(_)
                    if set_aside
                        && proof.used_by_operation != known.used_by_operation
                        && known.state != State::PendingSpent =>
                {
                    return Err(Error::ProofNotUnspent);
                }
                _ => {}
            }
        }
        self.put(table::PROOF, proof.y, &proof)
    }

    /// Takes proofs away, and adds what they were exchanged for.
    fn exchange(&mut self, gone: &[PublicKey], came: Vec<ProofInfo>) -> Result<(), Error> {
        for y in gone {
            self.delete(table::PROOF, y);
        }
        for proof in came {
            self.add_proof(proof)?;
        }
        Ok(())
    }

    /// Draws places from a keyset's counter, and keeps of a lock what `record` makes of the first of them.
    fn draw(
        &mut self,
        name: &str,
        (keyset, places): (Id, u32),
        record: impl FnOnce(u32) -> serde_json::Result<serde_json::Value>,
    ) -> Result<(), Error> {
        let end = self.count(&keyset.to_string(), places)?;
        self.put(table::LOCK, name, &record(end - places)?)
    }

    /// Sets proofs aside for one operation: all of them, or none.
    fn reserve(&mut self, ys: &[PublicKey], operation: Uuid) -> Result<(), Error> {
        for y in ys {
            let mut proof: ProofInfo = self.get(table::PROOF, y)?.ok_or(Error::ProofNotFound)?;
            if proof.state != State::Unspent {
                return Err(Error::ProofNotUnspent);
            }
            proof.state = State::Reserved;
            proof.used_by_operation = Some(operation);
            self.put(table::PROOF, y, &proof)?;
        }
        Ok(())
    }

    fn release(&mut self, operation: Uuid) -> Result<(), Error> {
        self.each(table::PROOF, |proof: &mut ProofInfo| {
            let ours = proof.used_by_operation == Some(operation)
                && matches!(proof.state, State::Reserved | State::Pending);
            if ours {
                proof.state = State::Unspent;
                proof.used_by_operation = None;
            }
            ours
        })
    }
}

impl Ledger {
    /// Opens what a store holds.
    ///
    /// # Errors
    /// What the store says.
    pub async fn open(store: Box<dyn Store>) -> Result<Self, haggle_store::Error> {
        let rows = store
            .load()
            .await?
            .into_iter()
            .filter_map(|(key, row)| Some((key.strip_prefix(RECORDS)?.to_owned(), row)))
            .collect();
        Ok(Self {
            store: Shared::new(store),
            rows: Mutex::new(rows),
        })
    }

    async fn read<T>(&self, look: impl FnOnce(&Rows) -> Result<T, Error>) -> Result<T, Error> {
        look(&*self.rows.lock().await)
    }

    /// Makes a change: what `edit` writes is committed in one batch, and only then seen. If it fails nothing has changed.
    async fn change<T>(
        &self,
        edit: impl FnOnce(&mut Change<'_>) -> Result<T, Error>,
    ) -> Result<T, Error> {
        let mut rows = self.rows.lock().await;
        let mut change = Change {
            rows: &rows,
            writes: BTreeMap::new(),
            reason: None,
        };
        let outcome = edit(&mut change)?;
        change.tell()?;
        let writes = change.writes;
        let batch = writes
            .iter()
            .map(|(key, row)| match row {
                Some(row) => Write::put(format!("{RECORDS}{key}"), row.clone()),
                None => Write::delete(format!("{RECORDS}{key}")),
            })
            .collect();
        self.store
            .commit(batch)
            .await
            .map_err(|error| Error::Internal(format!("not saved: {error}")))?;
        for (key, row) in writes {
            match row {
                Some(row) => drop(rows.insert(key, row)),
                None => drop(rows.remove(&key)),
            }
        }
        Ok(outcome)
    }

    /// The mints that the person has named, in the order of their names.
    pub(super) async fn mints(&self) -> Result<Vec<MintUrl>, Error> {
        Ok(self
            .get_mints()
            .await?
            .into_keys()
            .collect::<std::collections::BTreeSet<_>>()
            .into_iter()
            .collect())
    }

    /// A record of this crate's own about a lock.
    pub(super) async fn lock_record<T: DeserializeOwned>(
        &self,
        name: &str,
    ) -> Result<Option<T>, Error> {
        self.read(|rows| one(rows, table::LOCK, name)).await
    }

    /// Every record of this crate's own.
    pub(super) async fn lock_records<T: DeserializeOwned>(&self) -> Result<Vec<T>, Error> {
        self.read(|rows| all(rows, table::LOCK)).await
    }

    /// Begins a lock: its inputs are set aside for it, places for its change are drawn from the keyset's counter, and what `record`
    /// makes of the first of these places is kept under its name.
    pub(super) async fn begin_lock(
        &self,
        name: &str,
        inputs: &[PublicKey],
        operation: Uuid,
        places: (Id, u32),
        record: impl FnOnce(u32) -> serde_json::Result<serde_json::Value>,
    ) -> Result<(), Error> {
        self.change(|change| {
            change.reserve(inputs, operation)?;
            change.draw(name, places, record)
        })
        .await
    }

    /// Changes what is kept of a lock to what `record` makes of the first of the places that are drawn from a keyset's counter.
    pub(super) async fn note_lock_at(
        &self,
        name: &str,
        places: (Id, u32),
        record: impl FnOnce(u32) -> serde_json::Result<serde_json::Value>,
    ) -> Result<(), Error> {
        self.change(|change| change.draw(name, places, record))
            .await
    }

    /// Ends a lock that will never be made: what its inputs were exchanged for is here instead of them.
    pub(super) async fn undo_lock(
        &self,
        name: &str,
        inputs: &[PublicKey],
        back: Vec<ProofInfo>,
        reason: Reason,
    ) -> Result<(), Error> {
        self.change(|change| {
            change.because(reason);
            change.exchange(inputs, back)?;
            change.delete(table::LOCK, name);
            Ok(())
        })
        .await
    }

    /// Changes what is kept of a lock.
    pub(super) async fn note_lock(&self, name: &str, record: &impl Serialize) -> Result<(), Error> {
        self.change(|change| change.put(table::LOCK, name, record))
            .await
    }

    /// Ends a lock that was made: its inputs are gone, its change is here.
    pub(super) async fn finish_lock(
        &self,
        name: &str,
        inputs: &[PublicKey],
        change_back: Vec<ProofInfo>,
        (history, reason): (&Transaction, Reason),
        record: &impl Serialize,
    ) -> Result<(), Error> {
        self.change(|change| {
            change.because(reason);
            change.exchange(inputs, change_back)?;
            change.put(table::TRANSACTION, history.id(), history)?;
            change.put(table::LOCK, name, record)
        })
        .await
    }

    /// Keeps a lock that did not need its inputs: they are free again, and so is what else came of it.
    pub(super) async fn keep_lock(
        &self,
        name: &str,
        operation: Uuid,
        change_back: Vec<ProofInfo>,
        record: &impl Serialize,
    ) -> Result<(), Error> {
        self.change(|change| {
            change.because(Reason::alone(Why::Found));
            change.release(operation)?;
            change.exchange(&[], change_back)?;
            change.put(table::LOCK, name, record)
        })
        .await
    }

    /// Ends a lock that was refused: its inputs are free again, but for those that turned out to be spent.
    pub(super) async fn drop_lock(
        &self,
        name: &str,
        operation: Uuid,
        spent: &[PublicKey],
    ) -> Result<(), Error> {
        self.change(|change| {
            change.because(Reason::alone(Why::Elsewhere));
            change.release(operation)?;
            change.exchange(spent, Vec::new())?;
            change.delete(table::LOCK, name);
            Ok(())
        })
        .await
    }
}

/// Whether a proof is one of those that are asked for.
fn wanted(
    proof: &ProofInfo,
    mint: Option<&MintUrl>,
    unit: Option<&CurrencyUnit>,
    states: Option<&[State]>,
    conditions: Option<&[SpendingConditions]>,
) -> bool {
    mint.is_none_or(|mint| *mint == proof.mint_url)
        && unit.is_none_or(|unit| *unit == proof.unit)
        && states.is_none_or(|states| states.contains(&proof.state))
        && conditions.is_none_or(|conditions| {
            let own = proof.spending_condition.as_ref();
            own.is_some_and(|own| conditions.contains(own))
        })
}

#[cfg_attr(target_arch = "wasm32", async_trait(?Send))]
#[cfg_attr(not(target_arch = "wasm32"), async_trait)]
impl WalletDatabase<Error> for Ledger {
    async fn get_mint(&self, mint_url: MintUrl) -> Result<Option<MintInfo>, Error> {
        let row: Option<Option<MintInfo>> =
            self.read(|rows| one(rows, table::MINT, mint_url)).await?;
        Ok(row.flatten())
    }

    async fn get_mints(&self) -> Result<HashMap<MintUrl, Option<MintInfo>>, Error> {
        self.read(|rows| {
            range(rows, table::MINT)
                .map(|(name, row)| {
                    let url = name
                        .parse()
                        .map_err(|_| Error::Internal("a mint's name is none".into()))?;
                    Ok((url, decode(row)?))
                })
                .collect()
        })
        .await
    }

    async fn get_mint_keysets(&self, mint_url: MintUrl) -> Result<Option<Vec<KeySetInfo>>, Error> {
        let rows: Vec<KeySetRow> = self.read(|rows| all(rows, table::KEYSET)).await?;
        let of_mint: Vec<_> = rows
            .into_iter()
            .filter(|row| row.mint == mint_url)
            .map(|row| row.info)
            .collect();
        Ok((!of_mint.is_empty()).then_some(of_mint))
    }

    async fn get_keyset_by_id(&self, keyset_id: &Id) -> Result<Option<KeySetInfo>, Error> {
        let row: Option<KeySetRow> = self
            .read(|rows| one(rows, table::KEYSET, keyset_id))
            .await?;
        Ok(row.map(|row| row.info))
    }

    async fn get_mint_quote(&self, quote_id: &str) -> Result<Option<MintQuote>, Error> {
        self.read(|rows| one(rows, table::MINT_QUOTE, quote_id))
            .await
    }

    async fn get_mint_quotes(&self) -> Result<Vec<MintQuote>, Error> {
        self.read(|rows| all(rows, table::MINT_QUOTE)).await
    }

    async fn get_unissued_mint_quotes(&self) -> Result<Vec<MintQuote>, Error> {
        let mut quotes = self.get_mint_quotes().await?;
        quotes
            .retain(|quote| quote.amount_issued.to_u64() == 0 || quote.payment_method.is_bolt12());
        Ok(quotes)
    }

    async fn get_melt_quote(&self, quote_id: &str) -> Result<Option<MeltQuote>, Error> {
        self.read(|rows| one(rows, table::MELT_QUOTE, quote_id))
            .await
    }

    async fn get_melt_quotes(&self) -> Result<Vec<MeltQuote>, Error> {
        self.read(|rows| all(rows, table::MELT_QUOTE)).await
    }

    async fn get_keys(&self, id: &Id) -> Result<Option<Keys>, Error> {
        self.read(|rows| one(rows, table::KEYS, id)).await
    }

    async fn get_proofs(
        &self,
        mint_url: Option<MintUrl>,
        unit: Option<CurrencyUnit>,
        state: Option<Vec<State>>,
        spending_conditions: Option<Vec<SpendingConditions>>,
    ) -> Result<Vec<ProofInfo>, Error> {
        let mut proofs: Vec<ProofInfo> = self.read(|rows| all(rows, table::PROOF)).await?;
        proofs.retain(|proof| {
            wanted(
                proof,
                mint_url.as_ref(),
                unit.as_ref(),
                state.as_deref(),
                spending_conditions.as_deref(),
            )
        });
        Ok(proofs)
    }

    async fn get_proofs_by_ys(&self, ys: Vec<PublicKey>) -> Result<Vec<ProofInfo>, Error> {
        self.read(|rows| {
            ys.iter()
                .filter_map(|y| one(rows, table::PROOF, y).transpose())
                .collect()
        })
        .await
    }

    async fn get_balance(
        &self,
        mint_url: Option<MintUrl>,
        unit: Option<CurrencyUnit>,
        state: Option<Vec<State>>,
    ) -> Result<u64, Error> {
        self.get_proofs(mint_url, unit, state, None)
            .await?
            .iter()
            .try_fold(0u64, |sum, proof| {
                sum.checked_add(proof.proof.amount.to_u64())
            })
            .ok_or(Error::AmountOverflow)
    }

    async fn get_transaction(&self, id: TransactionId) -> Result<Option<Transaction>, Error> {
        self.read(|rows| one(rows, table::TRANSACTION, id)).await
    }

    async fn list_transactions(
        &self,
        mint_url: Option<MintUrl>,
        direction: Option<TransactionDirection>,
        unit: Option<CurrencyUnit>,
    ) -> Result<Vec<Transaction>, Error> {
        let mut found: Vec<Transaction> = self.read(|rows| all(rows, table::TRANSACTION)).await?;
        found.retain(|one| one.matches_conditions(&mint_url, &direction, &unit));
        found.sort();
        Ok(found)
    }

    async fn update_proofs(
        &self,
        added: Vec<ProofInfo>,
        removed_ys: Vec<PublicKey>,
    ) -> Result<(), Error> {
        self.change(|change| {
            for proof in added {
                change.add_proof(proof)?;
            }
            for y in removed_ys {
                change.delete(table::PROOF, y);
            }
            Ok(())
        })
        .await
    }

    async fn update_proofs_state(&self, ys: Vec<PublicKey>, state: State) -> Result<(), Error> {
        self.change(|change| {
            for y in ys {
                if let Some(mut proof) = change.get::<ProofInfo>(table::PROOF, y)? {
                    proof.state = state;
                    change.put(table::PROOF, y, &proof)?;
                }
            }
            Ok(())
        })
        .await
    }

    async fn add_transaction(&self, transaction: Transaction) -> Result<(), Error> {
        self.change(|change| {
            change.price(&transaction)?;
            change.put(table::TRANSACTION, transaction.id(), &transaction)
        })
        .await
    }

    async fn update_mint_url(&self, old: MintUrl, new: MintUrl) -> Result<(), Error> {
        self.change(|change| {
            change.each(table::PROOF, |proof: &mut ProofInfo| {
                let moved = proof.mint_url == old;
                if moved {
                    proof.mint_url = new.clone();
                }
                moved
            })?;
            change.each(table::MINT_QUOTE, |quote: &mut MintQuote| {
                let moved = quote.mint_url == old;
                if moved {
                    quote.mint_url = new.clone();
                }
                moved
            })
        })
        .await
    }

    async fn increment_keyset_counter(&self, keyset_id: &Id, count: u32) -> Result<u32, Error> {
        self.change(|change| change.count(&keyset_id.to_string(), count))
            .await
    }

    async fn increment_derivation_counter(
        &self,
        namespace: &str,
        count: u32,
    ) -> Result<u32, Error> {
        // No keyset is called so: their names are hexadecimal.
        self.change(|change| change.count(&format!("derivation-{namespace}"), count))
            .await
    }

    async fn add_mint(&self, mint_url: MintUrl, mint_info: Option<MintInfo>) -> Result<(), Error> {
        self.change(|change| change.put(table::MINT, mint_url, &mint_info))
            .await
    }

    async fn remove_mint(&self, mint_url: MintUrl) -> Result<(), Error> {
        self.change(|change| {
            change.delete(table::MINT, mint_url);
            Ok(())
        })
        .await
    }

    async fn add_mint_keysets(
        &self,
        mint_url: MintUrl,
        keysets: Vec<KeySetInfo>,
    ) -> Result<(), Error> {
        self.change(|change| {
            for info in keysets {
                // Whose a keyset is and what it counts never changes, whoever says so; the rest only its own mint can change.
                let row = match change.get::<KeySetRow>(table::KEYSET, info.id)? {
                    Some(known) if known.mint != mint_url => continue,
                    Some(known) => KeySetRow {
                        info: KeySetInfo {
                            active: info.active,
                            input_fee_ppk: info.input_fee_ppk,
                            ..known.info
                        },
                        mint: known.mint,
                    },
                    None => KeySetRow {
                        mint: mint_url.clone(),
                        info,
                    },
                };
                change.put(table::KEYSET, row.info.id, &row)?;
            }
            Ok(())
        })
        .await
    }

    async fn add_mint_quote(&self, mut quote: MintQuote) -> Result<(), Error> {
        self.change(|change| {
            if let Some(known) = change.get::<MintQuote>(table::MINT_QUOTE, &quote.id)? {
                if known.version != quote.version {
                    return Err(Error::ConcurrentUpdate);
                }
                quote.version = quote.version.wrapping_add(1);
            }
            change.put(table::MINT_QUOTE, &quote.id, &quote)
        })
        .await
    }

    async fn remove_mint_quote(&self, quote_id: &str) -> Result<(), Error> {
        self.change(|change| {
            change.delete(table::MINT_QUOTE, quote_id);
            Ok(())
        })
        .await
    }

    async fn add_melt_quote(&self, mut quote: MeltQuote) -> Result<(), Error> {
        self.change(|change| {
            if let Some(known) = change.get::<MeltQuote>(table::MELT_QUOTE, &quote.id)? {
                if known.version != quote.version {
                    return Err(Error::ConcurrentUpdate);
                }
                quote.version = quote.version.wrapping_add(1);
                quote.payment_proof = quote.payment_proof.or(known.payment_proof);
            }
            change.put(table::MELT_QUOTE, &quote.id, &quote)
        })
        .await
    }

    async fn remove_melt_quote(&self, quote_id: &str) -> Result<(), Error> {
        self.change(|change| {
            change.delete(table::MELT_QUOTE, quote_id);
            Ok(())
        })
        .await
    }

    async fn add_keys(&self, keyset: KeySet) -> Result<(), Error> {
        keyset.verify_id()?;
        self.change(|change| change.put(table::KEYS, keyset.id, &keyset.keys))
            .await
    }

    async fn remove_keys(&self, id: &Id) -> Result<(), Error> {
        self.change(|change| {
            change.delete(table::KEYS, id);
            Ok(())
        })
        .await
    }

    async fn remove_transaction(&self, id: TransactionId) -> Result<(), Error> {
        self.change(|change| {
            change.delete(table::TRANSACTION, id);
            Ok(())
        })
        .await
    }

    async fn add_saga(&self, saga: WalletSaga) -> Result<(), Error> {
        self.change(|change| {
            if change.get::<WalletSaga>(table::SAGA, saga.id)?.is_some() {
                return Err(Error::Duplicate);
            }
            change.put(table::SAGA, saga.id, &saga)
        })
        .await
    }

    async fn get_saga(&self, id: &Uuid) -> Result<Option<WalletSaga>, Error> {
        self.read(|rows| one(rows, table::SAGA, id)).await
    }

    async fn update_saga(&self, saga: WalletSaga) -> Result<bool, Error> {
        self.change(|change| {
            let known: Option<WalletSaga> = change.get(table::SAGA, saga.id)?;
            let newest = known.is_some_and(|known| known.version == saga.version.saturating_sub(1));
            if newest {
                change.put(table::SAGA, saga.id, &saga)?;
            }
            Ok(newest)
        })
        .await
    }

    async fn delete_saga(&self, id: &Uuid) -> Result<(), Error> {
        self.change(|change| {
            change.delete(table::SAGA, id);
            Ok(())
        })
        .await
    }

    async fn get_incomplete_sagas(&self) -> Result<Vec<WalletSaga>, Error> {
        let mut sagas: Vec<WalletSaga> = self.read(|rows| all(rows, table::SAGA)).await?;
        sagas.sort_by_key(|saga| saga.created_at);
        Ok(sagas)
    }

    async fn reserve_proofs(&self, ys: Vec<PublicKey>, operation_id: &Uuid) -> Result<(), Error> {
        self.change(|change| change.reserve(&ys, *operation_id))
            .await
    }

    async fn release_proofs(&self, operation_id: &Uuid) -> Result<(), Error> {
        self.change(|change| change.release(*operation_id)).await
    }

    async fn get_reserved_proofs(&self, operation_id: &Uuid) -> Result<Vec<ProofInfo>, Error> {
        // In whatever state they are: what is asked of a mint is pending, and no less the operation's own.
        let mut proofs = self.get_proofs(None, None, None, None).await?;
        proofs.retain(|proof| proof.used_by_operation == Some(*operation_id));
        Ok(proofs)
    }

    async fn reserve_melt_quote(&self, quote_id: &str, operation_id: &Uuid) -> Result<(), Error> {
        self.change(|change| {
            let mut quote: MeltQuote = change
                .get(table::MELT_QUOTE, quote_id)?
                .ok_or(Error::UnknownQuote)?;
            take(&mut quote.used_by_operation, operation_id)?;
            change.put(table::MELT_QUOTE, quote_id, &quote)
        })
        .await
    }

    async fn release_melt_quote(&self, operation_id: &Uuid) -> Result<(), Error> {
        self.change(|change| {
            change.each(table::MELT_QUOTE, |quote: &mut MeltQuote| {
                let_go(&mut quote.used_by_operation, operation_id)
            })
        })
        .await
    }

    async fn reserve_mint_quote(&self, quote_id: &str, operation_id: &Uuid) -> Result<(), Error> {
        self.change(|change| {
            let mut quote: MintQuote = change
                .get(table::MINT_QUOTE, quote_id)?
                .ok_or(Error::UnknownQuote)?;
            take(&mut quote.used_by_operation, operation_id)?;
            change.put(table::MINT_QUOTE, quote_id, &quote)
        })
        .await
    }

    async fn release_mint_quote(&self, operation_id: &Uuid) -> Result<(), Error> {
        self.change(|change| {
            change.each(table::MINT_QUOTE, |quote: &mut MintQuote| {
                let_go(&mut quote.used_by_operation, operation_id)
            })
        })
        .await
    }

    async fn kv_read(
        &self,
        primary: &str,
        secondary: &str,
        name: &str,
    ) -> Result<Option<Vec<u8>>, Error> {
        validate_kvstore_params(primary, secondary, Some(name))?;
        self.read(|rows| one(rows, table::VALUE, format!("{primary}/{secondary}/{name}")))
            .await
    }

    async fn kv_list(&self, primary: &str, secondary: &str) -> Result<Vec<String>, Error> {
        validate_kvstore_params(primary, secondary, None)?;
        let begin = format!("{}/{primary}/{secondary}", table::VALUE);
        self.read(|rows| {
            Ok(range(rows, &begin)
                .map(|(name, _)| name.to_owned())
                .collect())
        })
        .await
    }

    async fn kv_write(
        &self,
        primary: &str,
        secondary: &str,
        name: &str,
        value: &[u8],
    ) -> Result<(), Error> {
        validate_kvstore_params(primary, secondary, Some(name))?;
        self.change(|change| {
            change.put(
                table::VALUE,
                format!("{primary}/{secondary}/{name}"),
                &value,
            )
        })
        .await
    }

    async fn kv_remove(&self, primary: &str, secondary: &str, name: &str) -> Result<(), Error> {
        validate_kvstore_params(primary, secondary, Some(name))?;
        self.change(|change| {
            change.delete(table::VALUE, format!("{primary}/{secondary}/{name}"));
            Ok(())
        })
        .await
    }

    async fn add_p2pk_key(
        &self,
        pubkey: &PublicKey,
        derivation_path: DerivationPath,
        derivation_index: u32,
    ) -> Result<(), Error> {
        let row = P2PKSigningKey {
            pubkey: *pubkey,
            derivation_path,
            derivation_index,
            created_time: cdk::util::unix_time(),
        };
        self.change(|change| change.put(table::SIGNING_KEY, pubkey, &row))
            .await
    }

    async fn get_p2pk_key(&self, pubkey: &PublicKey) -> Result<Option<P2PKSigningKey>, Error> {
        self.read(|rows| one(rows, table::SIGNING_KEY, pubkey))
            .await
    }

    async fn list_p2pk_keys(&self) -> Result<Vec<P2PKSigningKey>, Error> {
        let mut keys: Vec<P2PKSigningKey> = self.read(|rows| all(rows, table::SIGNING_KEY)).await?;
        keys.sort_by_key(|key| core::cmp::Reverse(key.derivation_index));
        Ok(keys)
    }

    async fn latest_p2pk(&self) -> Result<Option<P2PKSigningKey>, Error> {
        Ok(self.list_p2pk_keys().await?.into_iter().next())
    }
}

fn take(user: &mut Option<String>, operation: &Uuid) -> Result<(), Error> {
    if user.is_some() {
        return Err(Error::QuoteAlreadyInUse);
    }
    *user = Some(operation.to_string());
    Ok(())
}

fn let_go(user: &mut Option<String>, operation: &Uuid) -> bool {
    let ours = user.as_deref() == Some(operation.to_string().as_str());
    if ours {
        *user = None;
    }
    ours
}
