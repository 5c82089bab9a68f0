//! What a rail answers instead of doing it. Each has a stable code for programs; the page has its own words.

use haggle_protocol::Refusal;

/// Why a rail did not do what it was asked.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error, serde::Serialize, serde::Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Error {
    /// This rail cannot do it.
    #[error("this way of paying cannot do that")]
    Unsupported,
    /// It is not known whether it was done: the custodian did not answer. Ask again later.
    #[error("{0} does not answer; whether it was done is not known yet")]
    Unknown(String),
    /// The person has not named this custodian as one to keep money with.
    #[error("{0} is not among the custodians that you trust")]
    NotTrusted(String),
    /// There is less in the purse.
    #[error("the purse holds {have}, and {need} are needed")]
    NotEnough {
        /// Minor units that are free.
        have: u64,
        /// Minor units that would be needed, the custodian's own costs included.
        need: u64,
    },
    /// Less than the rail can lock.
    #[error("less than {floor} cannot be locked")]
    BelowFloor {
        /// In minor units.
        floor: u64,
    },
    /// More than the rail can lock.
    #[error("more than {ceiling} cannot be locked")]
    AboveCeiling {
        /// In minor units.
        ceiling: u64,
    },
    /// What is said to be locked is not what the contract says.
    #[error("the lock is not what was agreed on: {0}")]
    Mismatch(Mismatch),
    /// It was moved already: to somebody else, or by another settlement.
    #[error("that money has moved already")]
    Spent,
    /// It was not carried out yet.
    #[error("that was not carried out yet")]
    NotDone,
    /// The deadline has not passed, by the custodian's clock.
    #[error("the deadline has not passed yet")]
    TooEarly,
    /// A signature is missing, or is none.
    #[error("not enough valid signatures")]
    Signature,
    /// The owner of the rail is not the party who can do this, or the contract does not name his key.
    #[error("that is for another party of the contract to do")]
    NotYours,
    /// What was handed over cannot be read.
    #[error("cannot be read")]
    Damaged,
    /// The custodian said no.
    #[error("refused by the custodian: {0}")]
    Refused(String),
    /// It could not be saved, so it was not done.
    #[error("could not be saved: {0}")]
    NotSaved(String),
}

impl Error {
    /// The code, the same in every version.
    #[must_use]
    pub const fn code(&self) -> &'static str {
        match self {
            Self::Unsupported => "unsupported",
            Self::Unknown(_) => "unknown",
            Self::NotTrusted(_) => "not-trusted",
            Self::NotEnough { .. } => "not-enough",
            Self::BelowFloor { .. } => "below-floor",
            Self::AboveCeiling { .. } => "above-ceiling",
            Self::Mismatch(mismatch) => mismatch.code(),
            Self::Spent => "spent",
            Self::NotDone => "not-done",
            Self::TooEarly => "too-early",
            Self::Signature => "signature",
            Self::NotYours => "not-yours",
            Self::Damaged => "damaged",
            Self::Refused(_) => "refused",
            Self::NotSaved(_) => "not-saved",
        }
    }
}

impl From<Refusal> for Error {
    fn from(_: Refusal) -> Self {
        Self::Damaged
    }
}

/// In what a lock differs from its contract.
#[derive(
    Clone, Copy, Debug, PartialEq, Eq, thiserror::Error, serde::Serialize, serde::Deserialize,
)]
#[serde(rename_all = "kebab-case")]
pub enum Mismatch {
    /// It is counted in something else, or kept by somebody else: the custodian has no such keys for this unit.
    #[error("it is not with that custodian, or not in that unit")]
    Purse,
    /// It is less than the contract's amount and the custodian's costs of sharing it out.
    #[error("it is too little")]
    Amount,
    /// The custodian never signed a lock with these keys, this holder and this deadline.
    #[error("it is not locked to these keys, this holder and this deadline")]
    Conditions,
    /// The custodian does not say that it keeps to locks.
    #[error("its custodian does not keep to locks")]
    Capability,
    /// The custodian's keys end before the holder could have come for it, and ecash under them is worth nothing then.
    #[error("the keys of its custodian end too soon after the deadline")]
    Expires,
    /// The custodian has signed what a settlement pays out for something else before, so that this settlement can never be carried out.
    /// Another one can.
    #[error("what it is to be paid out in was signed for something else before")]
    Spoiled,
}

impl Mismatch {
    /// The code, the same in every version.
    #[must_use]
    pub const fn code(self) -> &'static str {
        match self {
            Self::Purse => "lock-purse",
            Self::Amount => "lock-amount",
            Self::Conditions => "lock-conditions",
            Self::Capability => "lock-capability",
            Self::Expires => "lock-expires",
            Self::Spoiled => "lock-spoiled",
        }
    }
}

impl From<Mismatch> for Error {
    fn from(mismatch: Mismatch) -> Self {
        Self::Mismatch(mismatch)
    }
}
