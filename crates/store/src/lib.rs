//! Keys and bytes that survive a reload.
//!
//! A trader's keys, stall, intents, quotes and orders are records: a key that sorts, and bytes that
//! only their owner understands. This crate keeps them and knows nothing of what they mean, so it
//! imports no other crate of the project. A peer owns exactly one store:
//!
//! | store | where | survives |
//! |---|---|---|
//! | [`Memory`] | everywhere | as long as one clone of it lives |
//! | `IndexedDb` | in a browser | reload, crash, power cut |
//! | `File` | natively | restart, crash, power cut |
//!
//! All of them obey the same laws (`tests/laws`): what [`Store::commit`] confirmed is there after
//! the next start, a batch is kept whole or not at all, and nobody else has the same profile open.
//! "Saved before it is spoken" rests on that: a peer that hears an error from `commit` must not
//! say what it wanted to save, and should stop.
//!
//! Values may hold secrets. Nothing here prints them, in `Debug` or in an error; what is deleted
//! is gone for every reader of the store, but bytes of it may stay on the disk until the browser
//! or the file system uses their place again.

#[cfg(target_arch = "wasm32")]
mod browser;
mod error;
#[cfg(all(not(target_arch = "wasm32"), feature = "file"))]
mod file;
#[cfg(target_arch = "wasm32")]
mod indexed_db;
mod memory;
#[cfg(target_arch = "wasm32")]
mod web_lock;

use std::fmt;
use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;

pub use crate::error::Error;
#[cfg(all(not(target_arch = "wasm32"), feature = "file"))]
pub use crate::file::File;
#[cfg(target_arch = "wasm32")]
pub use crate::indexed_db::IndexedDb;
pub use crate::memory::Memory;

/// The most bytes that one batch may hold, keys and values together: 32 MiB.
///
/// A batch stands in memory twice while it is written (here and in the browser or the database),
/// and a whole peer is meant to live in 150 MB. It is also well below what Chromium can hand to its
/// storage process at once.
pub const MAX_BATCH_BYTES: usize = 32 * 1024 * 1024;

/// What the keys of bulky records begin with: bytes that are read one by one when somebody wants to see them, and that a
/// start has no need of.
pub const BULK: &str = "bulk/";

/// One record: its key and its bytes.
pub type Record = (String, Vec<u8>);

/// What a store will answer. Boxed, so that a peer can hold any store as `Box<dyn Store>`; it can
/// move between threads natively, and stays in its page in a browser.
#[cfg(not(target_arch = "wasm32"))]
pub type Answer<'a, T> = Pin<Box<dyn Future<Output = Result<T, Error>> + Send + 'a>>;
/// What a store will answer. Boxed, so that a peer can hold any store as `Box<dyn Store>`; it can
/// move between threads natively, and stays in its page in a browser.
#[cfg(target_arch = "wasm32")]
pub type Answer<'a, T> = Pin<Box<dyn Future<Output = Result<T, Error>> + 'a>>;

/// What a store must be able to do with threads: be shared natively, nothing in a browser, where
/// a page has one thread.
#[cfg(not(target_arch = "wasm32"))]
pub trait Threads: Send + Sync {}
#[cfg(not(target_arch = "wasm32"))]
impl<T: Send + Sync + ?Sized> Threads for T {}
/// What a store must be able to do with threads: be shared natively, nothing in a browser, where
/// a page has one thread.
#[cfg(target_arch = "wasm32")]
pub trait Threads {}
#[cfg(target_arch = "wasm32")]
impl<T: ?Sized> Threads for T {}

/// A place for keys and bytes.
///
/// Keys are any UTF-8 text and sort by their bytes. Work starts when an answer is first polled; a
/// commit whose answer is dropped half-way is kept whole or not at all.
pub trait Store: fmt::Debug + Threads {
    /// Every record but the bulky ones, in the order of the keys.
    ///
    /// # Errors
    /// [`Error::Damaged`] if a record cannot be read back as it was written, and what any
    /// operation may meet: [`Error::Closed`], [`Error::Failed`].
    fn load(&self) -> Answer<'_, Vec<Record>>;

    /// The keys of the bulky records, in their order: those that begin with [`BULK`].
    ///
    /// # Errors
    /// As [`Store::load`].
    fn bulky(&self) -> Answer<'_, Vec<String>>;

    /// The bytes under `key`, if there are any.
    ///
    /// # Errors
    /// As [`Store::load`].
    fn get<'a>(&'a self, key: &'a str) -> Answer<'a, Option<Vec<u8>>>;

    /// Applies the writes in their order, all or none. When the answer is `Ok`, they survive a
    /// crash of the program and a power cut (as far as the disk keeps its promises).
    ///
    /// # Errors
    /// [`Error::TooLarge`] beyond [`MAX_BATCH_BYTES`], [`Error::Full`] if there is no room, and as
    /// [`Store::load`]. After any error nothing of the batch was confirmed: do not act on it.
    fn commit(&self, batch: Vec<Write>) -> Answer<'_, ()>;

    /// Deletes every record. The store stays open and can be used again.
    ///
    /// # Errors
    /// As [`Store::load`].
    fn erase(&self) -> Answer<'_, ()>;
}

/// What holds a store is one.
macro_rules! held_by {
    ($($pointer:ident),*) => {$(
        impl<S: Store + ?Sized> Store for $pointer<S> {
            fn load(&self) -> Answer<'_, Vec<Record>> {
                (**self).load()
            }

            fn bulky(&self) -> Answer<'_, Vec<String>> {
                (**self).bulky()
            }

            fn get<'a>(&'a self, key: &'a str) -> Answer<'a, Option<Vec<u8>>> {
                (**self).get(key)
            }

            fn commit(&self, batch: Vec<Write>) -> Answer<'_, ()> {
                (**self).commit(batch)
            }

            fn erase(&self) -> Answer<'_, ()> {
                (**self).erase()
            }
        }
    )*};
}

held_by!(Arc, Box);

/// One write of a batch.
#[derive(Clone, PartialEq, Eq)]
pub enum Write {
    /// Keeps `value` under `key`, in place of what was there.
    Put {
        /// Where.
        key: String,
        /// What. May be empty.
        value: Vec<u8>,
    },
    /// Forgets what is under `key`; nothing happens if nothing is there.
    Delete {
        /// Where.
        key: String,
    },
}

impl Write {
    /// Keeps `value` under `key`.
    pub fn put(key: impl Into<String>, value: impl Into<Vec<u8>>) -> Self {
        Self::Put {
            key: key.into(),
            value: value.into(),
        }
    }

    /// Forgets what is under `key`.
    pub fn delete(key: impl Into<String>) -> Self {
        Self::Delete { key: key.into() }
    }

    /// How much this write counts against [`MAX_BATCH_BYTES`].
    fn bytes(&self) -> usize {
        match self {
            Self::Put { key, value } => key.len().saturating_add(value.len()),
            Self::Delete { key } => key.len(),
        }
    }
}

/// Shows the key and how long the value is, never the value.
impl fmt::Debug for Write {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Put { key, value } => f
                .debug_struct("Put")
                .field("key", key)
                .field("value", &format_args!("{} bytes", value.len()))
                .finish(),
            Self::Delete { key } => f.debug_struct("Delete").field("key", key).finish(),
        }
    }
}

/// The first key behind all bulky ones: `0` follows `/`.
const BEHIND_BULK: &str = "bulk0";

/// Refuses a batch that is beyond the bound, before anything of it is written.
fn check(batch: &[Write]) -> Result<(), Error> {
    let bytes = batch
        .iter()
        .map(Write::bytes)
        .fold(0, usize::saturating_add);
    if bytes > MAX_BATCH_BYTES {
        Err(Error::TooLarge { bytes })
    } else {
        Ok(())
    }
}
