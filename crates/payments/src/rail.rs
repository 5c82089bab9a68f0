//! What every rail can be asked, and what it answers.
//!
//! A rail moves money between people who agreed on it elsewhere. It knows contracts, not trades: when money may be locked, who
//! deserves it and whose turn it is are the market's affair. What every rail must hold, and is put through (`tests/laws`):
//!
//! - money is neither made nor lost by anything that is asked, answered, refused, repeated or cut off;
//! - of two ways to share out one lock at most one comes true;
//! - before its deadline no party alone moves a lock, after it the holder alone can, and nobody else ever;
//! - whoever asks twice is answered twice and charged once;
//! - what cannot be known now is unknown: it is never taken for done, nor for not done.

use core::fmt;

use async_trait::async_trait;
use haggle_protocol::settlement::Deal;
use haggle_protocol::{
    Asset, Contract, Custodian, DealKey, Locked, MessageId, Money, Outcome, Party, Settlement,
    Timestamp,
};

use crate::error::Error;
use crate::history::Moved;

/// What a rail can do.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Capabilities {
    /// How it is called on the wire and in settings.
    pub name: &'static str,
    /// Whether money can be locked until two agree. Without it, say so wherever the rail is offered: "no escrow".
    pub escrow: bool,
    /// Whether somebody keeps the money for its owner, who can refuse, vanish, or be made to freeze it.
    pub custodial: bool,
    /// The smallest amount that can be locked, in minor units.
    pub floor: u64,
    /// The largest.
    pub ceiling: u64,
}

/// Money of one kind with one custodian.
#[derive(
    Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, serde::Serialize, serde::Deserialize,
)]
pub struct Purse {
    /// Who keeps it.
    pub custodian: Custodian,
    /// What it is counted in.
    pub asset: Asset,
}

/// What is in a purse.
#[derive(Clone, Debug, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub struct Balance {
    /// Which purse.
    pub purse: Purse,
    /// What can be spent, in minor units.
    pub free: u64,
    /// What is on its way: set aside for something that has not ended yet.
    pub held: u64,
}

/// How a purse is filled: somebody pays what is asked for here, and [`Rail::collect`] brings it in.
#[derive(Clone, Debug, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub struct Deposit {
    /// Its name with the custodian.
    pub id: String,
    /// What to pay: for a mint on Lightning, an invoice.
    pub request: String,
    /// Until when it can be paid.
    pub expires: Timestamp,
}

/// Money that was given away as text and that nobody has taken yet.
#[derive(Clone, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub struct Given {
    /// Out of which purse.
    pub purse: Purse,
    /// How much, in minor units.
    pub minor: u64,
    /// The text: whoever has it first has the money, so its giver can have it back by it.
    pub text: String,
}

impl fmt::Debug for Given {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Given")
            .field("purse", &self.purse)
            .field("minor", &self.minor)
            .finish_non_exhaustive()
    }
}

/// What became of a payment out of a purse.
#[derive(Clone, Debug, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub struct Withdrawal {
    /// What was paid, in minor units.
    pub paid: u64,
    /// What it cost beside that.
    pub cost: u64,
    /// What shows that it was paid, if the way of paying has such a thing.
    pub proof: Option<String>,
}

/// Whether a lock still holds.
#[derive(Clone, Copy, Debug, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum LockState {
    /// It does.
    Locked,
    /// It was moved: shared out, renewed, or taken after its deadline.
    Moved,
    /// Nobody can tell now, since the custodian does not answer. Not to be taken for either of the two.
    Unknown,
}

/// A way for money to move.
///
/// Every question may be asked again, after a lost answer or a new start: what was done is not done twice. What a rail cannot do it
/// answers with [`Error::Unsupported`], and that is what everything here answers that a rail does not write for itself.
#[cfg_attr(target_arch = "wasm32", async_trait(?Send))]
#[cfg_attr(not(target_arch = "wasm32"), async_trait)]
pub trait Rail: fmt::Debug {
    /// What it can do.
    fn capabilities(&self) -> Capabilities;

    /// Names a custodian as one to keep money with: until then nothing is asked of him. Asks nobody.
    async fn trust(&self, _custodian: &Custodian) -> Result<(), Error> {
        Err(Error::Unsupported)
    }

    /// Takes that back. What he keeps stays written down, and can be moved again once he is named again. Asks nobody.
    async fn distrust(&self, _custodian: &Custodian) -> Result<(), Error> {
        Err(Error::Unsupported)
    }

    /// The custodians that are named, in the order of their names.
    async fn trusted(&self) -> Result<Vec<Custodian>, Error> {
        Ok(Vec::new())
    }

    /// What is in every purse. Asks nobody.
    async fn balance(&self) -> Result<Vec<Balance>, Error> {
        Ok(Vec::new())
    }

    /// What has moved in every purse, the newest first, at most [`HISTORY_MAX`](crate::HISTORY_MAX) movements of each and what is older
    /// as one sum: together what is in them. Asks nobody.
    async fn history(&self) -> Result<Vec<Moved>, Error> {
        Ok(Vec::new())
    }

    /// Asks how a purse can be filled with this much.
    async fn deposit(&self, _purse: &Purse, _minor: u64) -> Result<Deposit, Error> {
        Err(Error::Unsupported)
    }

    /// Brings in what was paid for deposits since; says how much in which purse.
    async fn collect(&self) -> Result<Vec<(Purse, u64)>, Error> {
        Ok(Vec::new())
    }

    /// Pays a request (a Lightning invoice) out of a purse.
    async fn withdraw(&self, _purse: &Purse, _request: &str) -> Result<Withdrawal, Error> {
        Err(Error::Unsupported)
    }

    /// Takes this much out of a purse, as text that is the money: whoever has it first has it.
    async fn give(&self, _purse: &Purse, _minor: u64) -> Result<String, Error> {
        Err(Error::Unsupported)
    }

    /// What was given away and not taken yet, as far as is known here; [`Rail::recover`] asks who has taken what.
    async fn given(&self) -> Result<Vec<Given>, Error> {
        Ok(Vec::new())
    }

    /// What a text that is money says of itself: for which purse, and how much, in minor units. Asks nobody and moves nothing, so whether
    /// it is worth that shows only when it is taken.
    async fn examine(&self, _text: &str) -> Result<(Purse, u64), Error> {
        Err(Error::Unsupported)
    }

    /// Puts money that came as text into its purse. A custodian that the person has not named is refused.
    async fn take(&self, _text: &str) -> Result<Money, Error> {
        Err(Error::Unsupported)
    }

    /// Finds what the phrase alone brings back into a purse; says how much.
    async fn restore(&self, _purse: &Purse) -> Result<u64, Error> {
        Err(Error::Unsupported)
    }

    /// One's own key for a deal: the same for the same quote, and for an arbiter the same for all. Asks nobody.
    fn key(&self, _party: Party, _quote: &MessageId) -> Result<DealKey, Error> {
        Err(Error::Unsupported)
    }

    /// Locks the contract's amount out of the buyer's purse.
    async fn lock(&self, _deal: &Deal) -> Result<Locked, Error> {
        Err(Error::Unsupported)
    }

    /// What has become of a lock that may have been made: makes none. `None` says that there is none, and that nothing which was asked
    /// for it before can make one any more. Whoever has heard that and wants one still asks for it anew.
    ///
    /// # Errors
    /// [`Error::Unknown`] as long as the custodian does not say.
    async fn find(&self, _deal: &Deal) -> Result<Option<Locked>, Error> {
        Err(Error::Unsupported)
    }

    /// Checks that the contract's amount is locked as the contract says, with a custodian who can hold to it, and not moved yet.
    async fn verify(&self, _contract: &Contract, _locked: &Locked) -> Result<(), Error> {
        Err(Error::Unsupported)
    }

    /// Writes down what should become of a lock and signs it.
    async fn propose(
        &self,
        _deal: &Deal,
        _locked: &Locked,
        _outcome: Outcome,
    ) -> Result<Settlement, Error> {
        Err(Error::Unsupported)
    }

    /// Adds what a payee must bring before anybody else signs. Where payees need not bring anything, it comes back as it is.
    async fn contribute(&self, _deal: &Deal, settlement: Settlement) -> Result<Settlement, Error> {
        Ok(settlement)
    }

    /// Checks a settlement of another party and signs it too. Whoever asks for this agrees to its outcome.
    async fn cosign(
        &self,
        _deal: &Deal,
        _locked: &Locked,
        _settlement: Settlement,
    ) -> Result<Settlement, Error> {
        Err(Error::Unsupported)
    }

    /// Carries out what is signed. After a renewal, says how the new lock is told of.
    async fn execute(
        &self,
        _contract: &Contract,
        _locked: &Locked,
        _settlement: &Settlement,
    ) -> Result<Option<Locked>, Error> {
        Err(Error::Unsupported)
    }

    /// Brings in one's own part of what was carried out, by whomever; says how much came in now.
    async fn claim(
        &self,
        _deal: &Deal,
        _locked: &Locked,
        _settlement: &Settlement,
    ) -> Result<Money, Error> {
        Err(Error::Unsupported)
    }

    /// Takes what is the holder's after the deadline.
    async fn refund(&self, _deal: &Deal, _locked: &Locked) -> Result<Money, Error> {
        Err(Error::Unsupported)
    }

    /// Whether a lock still holds.
    async fn status(&self, _contract: &Contract, _locked: &Locked) -> Result<LockState, Error> {
        Err(Error::Unsupported)
    }

    /// What is saved here is a backup's, and may be older than what happened since: brings every purse up to date with its custodian, as
    /// far as they answer; says whether all did.
    async fn catch_up(&self) -> Result<bool, Error> {
        Ok(true)
    }

    /// Ends what a cut-off left undone, as far as custodians answer; says whether everything is done. To be asked after a start.
    async fn recover(&self) -> Result<bool, Error> {
        Ok(true)
    }
}
