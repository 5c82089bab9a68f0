//! One at a time, purse by purse: what waits for one mint holds up nothing that is kept with another.

use std::collections::BTreeMap;
use std::sync::Arc;

use futures::lock::{Mutex, OwnedMutexGuard};

use crate::rail::Purse;

/// Whose turn it is, in each purse.
#[derive(Default)]
pub(super) struct Turns(Mutex<BTreeMap<Purse, Arc<Mutex<()>>>>);

impl Turns {
    async fn of(&self, purse: &Purse) -> Arc<Mutex<()>> {
        self.0
            .lock()
            .await
            .entry(purse.clone())
            .or_default()
            .clone()
    }

    /// Waits for one's turn in a purse, which lasts until what is returned is dropped.
    pub(super) async fn wait(&self, purse: &Purse) -> OwnedMutexGuard<()> {
        self.of(purse).await.lock_owned().await
    }

    /// The same, unless somebody else has it.
    pub(super) async fn now(&self, purse: &Purse) -> Option<OwnedMutexGuard<()>> {
        self.of(purse).await.try_lock_owned()
    }
}
