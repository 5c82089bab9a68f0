//! Why a peer could not be started.

/// Why a peer could not be started.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// The store could not be read or written.
    #[error(transparent)]
    Store(#[from] haggle_store::Error),
    /// What was saved cannot be understood; nothing was overwritten.
    #[error(
        "What was saved in this profile cannot be read ({key}: {why}). Restore it from your backup, or start with another profile; nothing was changed."
    )]
    Damaged {
        /// Which record.
        key: String,
        /// What is wrong with it.
        why: String,
    },
    /// This device gives no random numbers, without which no key is safe.
    #[error(
        "This device gives no random numbers, so no key would be safe. Use another browser or system."
    )]
    Dice,
    /// The network cannot be set up on this device.
    #[error("The network cannot be set up here ({reason}). Use a current browser, or report this.")]
    Network {
        /// In the words of the library.
        reason: String,
    },
}

impl From<haggle_market::record::Damaged> for Error {
    fn from(damaged: haggle_market::record::Damaged) -> Self {
        Self::Damaged {
            key: damaged.key,
            why: damaged.why,
        }
    }
}

impl Error {
    /// The name of this error for programs. It stays the same when the sentence changes.
    #[must_use]
    pub fn code(&self) -> &'static str {
        match self {
            Self::Store(error) => error.code(),
            Self::Damaged { .. } => "records-damaged",
            Self::Dice => "no-dice",
            Self::Network { .. } => "no-network",
        }
    }
}
