//! The store of a browser: one [IndexedDB](https://www.w3.org/TR/IndexedDB/) database per profile.
//!
//! `web-sys` is used as it is, since the wrappers around it cannot ask for strict durability, and
//! without it Chromium and Firefox answer before the disk has anything. Keys are stored as their
//! UTF-8 bytes: as text they would sort by UTF-16 units, which is another order. A commit is one
//! transaction, and counts only when the browser says `complete`.

use std::fmt;

use js_sys::{Array, ArrayBuffer, Function, Object, Reflect, Uint8Array};
use wasm_bindgen::{JsCast, JsValue, closure::Closure};
use wasm_bindgen_futures::JsFuture;
use web_sys::{
    IdbDatabase, IdbFactory, IdbKeyRange, IdbObjectStore, IdbOpenDbRequest, IdbRequest,
    IdbTransaction,
};

use crate::browser::{either, global, name_of, set, unavailable};
use crate::web_lock::WebLock;
use crate::{Answer, BEHIND_BULK, BULK, Error, Record, Store, Write, check};

/// The form of the database: one object store of bytes under bytes. A program that changes the
/// form raises this, and older programs then answer [`Error::Newer`].
const VERSION: u32 = 1;

/// The one object store of the database.
const RECORDS: &str = "records";

/// The most characters of a profile's name. It comes from the page's address, which a stranger may
/// have written.
const MAX_PROFILE_CHARS: usize = 64;

/// The records of one profile in this browser, open in one tab at a time.
pub struct IndexedDb {
    profile: String,
    database: IdbDatabase,
    // Dropped after the database was closed.
    _lock: WebLock,
}

impl IndexedDb {
    /// Opens the profile, or makes it. It stays reserved for this tab until the store is dropped.
    ///
    /// # Errors
    /// [`Error::Profile`] for a name that is empty, over 64 characters or holds control
    /// characters; [`Error::Busy`] (after a second) if another tab has it open;
    /// [`Error::Unavailable`] if this browser or window keeps nothing; [`Error::Newer`],
    /// [`Error::Full`], [`Error::Failed`].
    pub async fn open(profile: &str) -> Result<Self, Error> {
        let fits = (1..=MAX_PROFILE_CHARS).contains(&profile.chars().count());
        if !fits || profile.chars().any(char::is_control) {
            return Err(Error::Profile);
        }
        let factory = factory()?;
        let name = name_of_database(profile);
        let lock = WebLock::take(&name).await?;
        let database = open(&factory, &name).await?;
        Ok(Self {
            profile: profile.to_owned(),
            database,
            _lock: lock,
        })
    }

    /// Removes the profile from this browser: its records and the database itself. Its place is free for a new one.
    ///
    /// # Errors
    /// [`Error::Unavailable`], [`Error::Failed`].
    pub async fn remove(self) -> Result<(), Error> {
        let factory = factory()?;
        self.database.close();
        let request = factory
            .delete_database(&name_of_database(&self.profile))
            .map_err(|cause| opening(&cause))?;
        either(|removed, failed| {
            request.set_onsuccess(Some(removed));
            request.set_onerror(Some(failed));
            request.set_onblocked(Some(failed));
        })
        .await
        .map(drop)
        .map_err(|_event| refused(&request))
    }

    /// Asks the browser not to throw this site's data away when the disk gets full, and tells
    /// whether it agreed. Some browsers ask the person: call it after something worth keeping was
    /// done, not at the start. `false` also where browsers do not know the question.
    pub async fn persist() -> bool {
        Self::asked("persist").await
    }

    /// Whether the browser has agreed to that. Private windows never do.
    pub async fn persisted() -> bool {
        Self::asked("persisted").await
    }

    async fn asked(question: &str) -> bool {
        let Some(storage) = global(&["navigator", "storage"]) else {
            return false;
        };
        let asked = Reflect::get(&storage, &question.into())
            .and_then(JsCast::dyn_into::<Function>)
            .and_then(|question| question.call0(&storage))
            .and_then(JsCast::dyn_into);
        match asked {
            Ok(promise) => JsFuture::from(js_sys::Promise::unchecked_from_js(promise))
                .await
                .is_ok_and(|agreed| agreed.is_truthy()),
            Err(_) => false,
        }
    }

    /// Begins a transaction. All its requests must be made before anything is awaited, else the
    /// browser ends it.
    fn begin(&self, mode: &str) -> Result<(IdbTransaction, IdbObjectStore), Error> {
        let options = Object::new();
        set(&options, "durability", &"strict".into());
        let transaction: IdbTransaction = Reflect::get(&self.database, &"transaction".into())
            .and_then(JsCast::dyn_into::<Function>)
            .and_then(|begin| begin.call3(&self.database, &RECORDS.into(), &mode.into(), &options))
            .and_then(JsCast::dyn_into)
            .map_err(|cause| refusal(&cause))?;
        let records = transaction
            .object_store(RECORDS)
            .map_err(|cause| refusal(&cause))?;
        Ok((transaction, records))
    }

    /// Makes all requests of a writing transaction and waits until the disk has them.
    async fn write(
        &self,
        requests: impl FnOnce(&IdbObjectStore) -> Result<(), JsValue>,
    ) -> Result<(), Error> {
        let (transaction, records) = self.begin("readwrite")?;
        if let Err(cause) = requests(&records) {
            // Fails only if the browser has ended it already, and then nothing is kept either.
            let _ = transaction.abort();
            return Err(refusal(&cause));
        }
        complete(&transaction).await
    }
}

impl Store for IndexedDb {
    fn load(&self) -> Answer<'_, Vec<Record>> {
        Box::pin(async {
            let (transaction, records) = self.begin("readonly")?;
            let mut asked = Vec::new();
            for range in small().map_err(|cause| refusal(&cause))? {
                let keys = records.get_all_keys_with_key(&range);
                let values = records.get_all_with_key(&range);
                asked.push((
                    keys.map_err(|cause| refusal(&cause))?,
                    values.map_err(|cause| refusal(&cause))?,
                ));
            }
            complete(&transaction).await?;
            let mut all = Vec::new();
            for (keys, values) in asked {
                for (key, value) in list(&keys)?.iter().zip(list(&values)?.iter()) {
                    all.push((key_of(key)?, value_of(value)?));
                }
            }
            Ok(all)
        })
    }

    fn bulky(&self) -> Answer<'_, Vec<String>> {
        Box::pin(async {
            let (transaction, records) = self.begin("readonly")?;
            let (from, to) = (bytes(BULK.as_bytes()), bytes(BEHIND_BULK.as_bytes()));
            let keys = IdbKeyRange::bound_with_lower_open_and_upper_open(&from, &to, false, true)
                .and_then(|range| records.get_all_keys_with_key(&range))
                .map_err(|cause| refusal(&cause))?;
            complete(&transaction).await?;
            list(&keys)?.iter().map(key_of).collect()
        })
    }

    fn get<'a>(&'a self, key: &'a str) -> Answer<'a, Option<Vec<u8>>> {
        Box::pin(async move {
            let (transaction, records) = self.begin("readonly")?;
            let found = records
                .get(&bytes(key.as_bytes()))
                .map_err(|cause| refusal(&cause))?;
            complete(&transaction).await?;
            let found = found.result().map_err(|cause| refusal(&cause))?;
            if found.is_undefined() {
                Ok(None)
            } else {
                value_of(found).map(Some)
            }
        })
    }

    fn commit(&self, batch: Vec<Write>) -> Answer<'_, ()> {
        Box::pin(async move {
            check(&batch)?;
            self.write(|records| {
                for write in &batch {
                    match write {
                        Write::Put { key, value } => {
                            records.put_with_key(&bytes(value), &bytes(key.as_bytes()))?
                        }
                        Write::Delete { key } => records.delete(&bytes(key.as_bytes()))?,
                    };
                }
                Ok(())
            })
            .await
        })
    }

    fn erase(&self) -> Answer<'_, ()> {
        Box::pin(self.write(|records| records.clear().map(drop)))
    }
}

impl Drop for IndexedDb {
    fn drop(&mut self) {
        // What was begun is still finished by the browser, before anyone else gets to read.
        self.database.close();
    }
}

/// Shows the profile, never what it holds.
impl fmt::Debug for IndexedDb {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("IndexedDb")
            .field("profile", &self.profile)
            .finish_non_exhaustive()
    }
}

fn factory() -> Result<IdbFactory, Error> {
    global(&["indexedDB"])
        .and_then(|found| found.dyn_into().ok())
        .ok_or_else(|| unavailable("this browser or window has no storage"))
}

fn name_of_database(profile: &str) -> String {
    format!("haggle/{profile}")
}

/// Opens a database, and makes its object store if it is new.
async fn open(factory: &IdbFactory, name: &str) -> Result<IdbDatabase, Error> {
    let request = factory
        .open_with_u32(name, VERSION)
        .map_err(|cause| opening(&cause))?;
    let new = request.clone();
    let make = Closure::once(move || {
        let made = new
            .result()
            .and_then(|result| result.dyn_into::<IdbDatabase>())
            .and_then(|database| database.create_object_store(RECORDS));
        if let (Err(_), Some(transaction)) = (made, new.transaction()) {
            // Without its object store the database must not come to be.
            let _ = transaction.abort();
        }
    });
    request.set_onupgradeneeded(Some(make.as_ref().unchecked_ref()));
    either(|opened, failed| {
        request.set_onsuccess(Some(opened));
        request.set_onerror(Some(failed));
        request.set_onblocked(Some(failed));
    })
    .await
    .map_err(|_event| refused(&request))?;
    let database: IdbDatabase = request
        .result()
        .and_then(JsCast::dyn_into)
        .map_err(|cause| opening(&cause))?;
    // Whoever deletes the database or wants to change its form must not wait for this tab; what is
    // asked of this store from then on is answered by `Error::Closed`.
    let close: Function = Reflect::get(&database, &"close".into())
        .and_then(JsCast::dyn_into)
        .map_err(|cause| opening(&cause))?;
    database.set_onversionchange(Some(&close.bind(&database)));
    Ok(database)
}

/// Why a database was not opened.
fn refused(request: &IdbOpenDbRequest) -> Error {
    match request.error() {
        Ok(Some(cause)) => opening(&cause),
        Ok(None) => Error::Failed {
            reason: "no reason given".to_owned(),
        },
        // Not decided yet: another tab still has an older form of the database open. The request
        // goes on waiting; if it succeeds after all, nobody wants the connection any more.
        Err(_) => {
            let late = request.clone();
            request.set_onsuccess(Some(
                Closure::once_into_js(move || {
                    if let Ok(database) = late.result() {
                        IdbDatabase::unchecked_from_js(database).close();
                    }
                })
                .unchecked_ref(),
            ));
            Error::Busy
        }
    }
}

/// Waits for the end of a transaction: `Ok` when all of it is on the disk.
async fn complete(transaction: &IdbTransaction) -> Result<(), Error> {
    let ended = either(|complete, aborted| {
        transaction.set_oncomplete(Some(complete));
        transaction.set_onabort(Some(aborted));
    })
    .await;
    match (ended, transaction.error()) {
        (Ok(_), _) => Ok(()),
        (Err(_), Some(cause)) => Err(refusal(&cause)),
        // The browser ended it without an error: the connection was cut under it.
        (Err(_), None) => Err(Error::Closed),
    }
}

/// What a refusal means while a database is opened.
fn opening(cause: &JsValue) -> Error {
    match name_of(cause).as_str() {
        "VersionError" => Error::Newer,
        // Private windows of some browsers, storage switched off, a page without an origin.
        name @ ("InvalidStateError" | "SecurityError" | "NotSupportedError") => unavailable(name),
        _ => refusal(cause),
    }
}

/// What a refusal means in a database that is open.
fn refusal(cause: &JsValue) -> Error {
    match name_of(cause).as_str() {
        "QuotaExceededError" => Error::Full,
        "InvalidStateError" | "TransactionInactiveError" => Error::Closed,
        name @ ("NotFoundError" | "NotReadableError" | "DataError") => Error::Damaged {
            what: format!("the browser says {name}"),
        },
        // Only the name: a message may quote what was to be stored.
        name => Error::Failed {
            reason: name.to_owned(),
        },
    }
}

/// Where the records lie that are read at a start: before the bulky ones, and behind them.
fn small() -> Result<[IdbKeyRange; 2], JsValue> {
    let before = bytes(BULK.as_bytes());
    let behind = bytes(BEHIND_BULK.as_bytes());
    Ok([
        IdbKeyRange::upper_bound_with_open(&before, true)?,
        IdbKeyRange::lower_bound(&behind)?,
    ])
}

/// What a request for many has brought.
fn list(request: &IdbRequest) -> Result<Array, Error> {
    let found = request.result().and_then(JsCast::dyn_into);
    found.map_err(|cause| refusal(&cause))
}

/// A key as it was written.
fn key_of(key: JsValue) -> Result<String, Error> {
    let key = key
        .dyn_into::<ArrayBuffer>()
        .map_err(|_| damaged("a key is not bytes"))?;
    String::from_utf8(Uint8Array::new(&key).to_vec()).map_err(|_| damaged("a key is not text"))
}

/// The bytes of one value.
fn value_of(value: JsValue) -> Result<Vec<u8>, Error> {
    let value = value
        .dyn_into::<Uint8Array>()
        .map_err(|_| damaged("a value is not bytes"))?;
    Ok(value.to_vec())
}

fn damaged(what: &str) -> Error {
    Error::Damaged {
        what: what.to_owned(),
    }
}

/// A copy for the browser.
fn bytes(bytes: &[u8]) -> Uint8Array {
    Uint8Array::from(bytes)
}
