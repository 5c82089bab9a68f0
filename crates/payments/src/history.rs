//! What has moved in one's purses.
//!
//! It tells only what is over: what is set aside, or given away and not taken, is still in its purse ([`Balance::held`]), and what was
//! refused or came back has not moved at all. So the law of every history: what came into a purse, less what went out of it, is what
//! is in it, free and held together, but for what others have sent and is still being brought in.
//!
//! [`Balance::held`]: crate::Balance::held

use haggle_protocol::{MessageId, Timestamp};

use crate::rail::Purse;

/// How much of the past of one purse is kept, in movements. A page draws them all and a peer reads them all when it starts: these are
/// some 60 kB, and months for whoever trades every day. What is older stands as one sum ([`Why::Earlier`]).
pub const HISTORY_MAX: usize = 200;

/// Why money moved.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, serde::Serialize, serde::Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Why {
    /// A deposit was paid.
    Deposit,
    /// A request was paid out of the purse, with what that cost.
    Withdrawal,
    /// It was given away as text, and somebody has taken it.
    Given,
    /// It came as text.
    Taken,
    /// One's own text was taken back, and that cost something.
    TakenBack,
    /// It was locked for an order.
    Locked,
    /// It was to be locked and was not, and that cost something.
    Unlocked,
    /// It was paid to the seller, me, out of a lock.
    Paid,
    /// It came back to the buyer, me, out of a lock that was shared out.
    Returned,
    /// It came back to the buyer, me, after the deadline of a lock.
    Refunded,
    /// It is what the arbiter, me, has for deciding.
    Decided,
    /// The custodian knew of it by the seed alone. How it came there, or what it was paid for, no one knows here.
    Found,
    /// It was spent by another device of the same seed, or after the backup that this one began with.
    Elsewhere,
    /// What the wallet does by itself, such as changing one piece of money for others.
    Other,
    /// What is older than all that is kept, in one sum.
    Earlier,
}

/// Into a purse or out of it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, serde::Serialize, serde::Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Way {
    /// Into it.
    In,
    /// Out of it.
    Out,
}

/// Money that has moved into a purse or out of it.
#[derive(Clone, Debug, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub struct Moved {
    /// When this was written down. Of [`Why::Earlier`], when the last of it was.
    pub when: Timestamp,
    /// Which purse.
    pub purse: Purse,
    /// Into it or out of it.
    pub way: Way,
    /// By how much the purse became fuller or emptier, in minor units: more than 0.
    pub minor: u64,
    /// What of it custodians took for moving it, in minor units: it went out with the rest, or it is what less came in.
    pub cost: u64,
    /// Why.
    pub why: Why,
    /// For which order, if it was for one.
    pub order: Option<MessageId>,
    /// Whether more may move by the same operation: it has begun and not ended.
    pub open: bool,
}
