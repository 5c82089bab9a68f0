//! The store that forgets: for tests, and for a person in a private window who goes on knowing
//! that nothing stays. A clone shares the records, so a test "reloads" a peer by giving a second
//! one a clone of the first one's memory.

use std::collections::BTreeMap;
use std::fmt;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use crate::{Answer, BULK, Record, Store, Write, check};

/// Records in memory, shared by all clones, gone with the last of them.
#[derive(Clone, Default)]
pub struct Memory {
    records: Arc<Mutex<BTreeMap<String, Vec<u8>>>>,
}

impl Memory {
    /// An empty memory that shares nothing.
    pub fn new() -> Self {
        Self::default()
    }

    /// The records. Nothing in this file can panic between two writes of one batch, so even a
    /// poisoned lock guards whole batches.
    fn records(&self) -> MutexGuard<'_, BTreeMap<String, Vec<u8>>> {
        self.records.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Store for Memory {
    fn load(&self) -> Answer<'_, Vec<Record>> {
        Box::pin(async {
            Ok(self
                .records()
                .iter()
                .filter(|(key, _)| !key.starts_with(BULK))
                .map(|(key, value)| (key.clone(), value.clone()))
                .collect())
        })
    }

    fn bulky(&self) -> Answer<'_, Vec<String>> {
        Box::pin(async {
            let records = self.records();
            let bulky = records.keys().filter(|key| key.starts_with(BULK));
            Ok(bulky.cloned().collect())
        })
    }

    fn get<'a>(&'a self, key: &'a str) -> Answer<'a, Option<Vec<u8>>> {
        Box::pin(async move { Ok(self.records().get(key).cloned()) })
    }

    fn commit(&self, batch: Vec<Write>) -> Answer<'_, ()> {
        Box::pin(async move {
            check(&batch)?;
            let mut records = self.records();
            for write in batch {
                match write {
                    Write::Put { key, value } => records.insert(key, value),
                    Write::Delete { key } => records.remove(&key),
                };
            }
            Ok(())
        })
    }

    fn erase(&self) -> Answer<'_, ()> {
        Box::pin(async {
            self.records().clear();
            Ok(())
        })
    }
}

/// Shows how many records there are, never what they hold.
impl fmt::Debug for Memory {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Memory")
            .field("records", &self.records().len())
            .finish()
    }
}
