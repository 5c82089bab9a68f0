//! Why a store could not do what it was asked: a sentence for people that says what to do next, a
//! stable code for programs. No error carries a value, and no key: keys may name private threads.

use crate::MAX_BATCH_BYTES;

/// Why a store could not do what it was asked.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Error {
    /// There is no room left, on the disk or in what the browser allows this site.
    #[error(
        "There is no room left to save to, so this was not saved. Free some disk space, then try again."
    )]
    Full,
    /// Nothing can be kept here at all: a private window, a page that is not served over https or
    /// from this machine, a browser without storage, or a folder that may not be written.
    #[error(
        "Nothing can be saved here ({reason}). Use a normal window and an https address, or go on knowing that everything is forgotten when this is closed."
    )]
    Unavailable {
        /// What is missing, in the words of the browser or the system.
        reason: String,
    },
    /// Another tab, window or program has the same profile open.
    #[error(
        "This profile is already open in another tab, window or program. Close it there and try again, or choose another profile."
    )]
    Busy,
    /// What was saved cannot be read back as it was written.
    #[error(
        "What was saved in this profile is damaged ({what}). Restore it from your backup, or start with another profile; nothing was changed."
    )]
    Damaged {
        /// What does not fit.
        what: String,
    },
    /// The profile was last saved by a newer program than this one.
    #[error(
        "This profile was saved by a newer version of Haggle. Reload the page, or install the newer version."
    )]
    Newer,
    /// The store was closed under its owner: its data was deleted, or a newer version in another
    /// tab wants to open it, or it broke before.
    #[error(
        "The storage of this profile was closed, because it was deleted, taken over elsewhere, or failed before. Reload to go on."
    )]
    Closed,
    /// One batch was beyond [`MAX_BATCH_BYTES`].
    #[error(
        "This is too large to be saved at once: {bytes} bytes, {MAX_BATCH_BYTES} are possible. Save it in smaller parts."
    )]
    TooLarge {
        /// How large it was, in bytes of keys and values.
        bytes: usize,
    },
    /// A profile name that cannot be used.
    #[error(
        "A profile's name must have 1 to 64 characters and no control characters. Choose another name."
    )]
    Profile,
    /// Reading or writing failed for another reason; what was asked for may not be done.
    #[error(
        "Reading or saving failed ({reason}). Reload and check what is there before you go on."
    )]
    Failed {
        /// What the browser or the system said.
        reason: String,
    },
}

impl Error {
    /// The name of this error for programs. It stays the same when the sentence changes.
    pub fn code(&self) -> &'static str {
        match self {
            Self::Full => "store-full",
            Self::Unavailable { .. } => "store-unavailable",
            Self::Busy => "store-busy",
            Self::Damaged { .. } => "store-damaged",
            Self::Newer => "store-newer",
            Self::Closed => "store-closed",
            Self::TooLarge { .. } => "store-too-large",
            Self::Profile => "store-profile",
            Self::Failed { .. } => "store-failed",
        }
    }
}
