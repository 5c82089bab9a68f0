//! Ecash with escrow: a wallet over [`cdk`], and locks of two keys out of three.
//!
//! A mint is a custodian. It keeps the money that its ecash stands for and is the only one who enforces a lock; whoever uses this rail
//! trusts the mints that he named. What it cannot do is see who pays whom (its signatures are blind), or move locked money by itself.
//!
//! The wallet (deposits, withdrawals, change, ecash as text) is cdk's, over a [`Ledger`] of ours. The locks are ours, on cdk's types,
//! since the wallet cannot spend what is signed over all outputs. Everything about a lock follows from its contract and one salt
//! ([`outputs`]), so there is little to lose: what was asked of a mint is saved before it is asked, and after a lost reply the mint
//! says by itself what it signed. Requests to it go through a [`Connect`], by HTTP or over the market's own network.

mod answers;
mod carried;
mod finding;
mod ledger;
mod locking;
mod mint;
mod names;
mod outputs;
mod patience;
mod settling;
mod shared;
mod taking;
mod turns;

use core::fmt;
use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use cdk::cdk_database::WalletDatabase as _;
use cdk::mint_url::MintUrl;
use cdk::nuts::{Id, KeySet, Proofs, SecretKey};
use cdk::wallet::{BaseHttpClient, HttpClient, MintConnector, Wallet, WalletBuilder};
use futures::lock::Mutex;
use haggle_protocol::settlement::Deal;
use haggle_protocol::tag::{Tag, expand, hash};
use haggle_protocol::{Contract, DealKey, Locked, MessageId, Outcome, Party};
use haggle_store::Store;
use zeroize::Zeroizing;

pub use ledger::Ledger;
pub use patience::within;

use self::carried::Carried;
use self::mint::not_saved;
use self::names::{custodian_of, purse_of, unit_of, url_of};
use self::outputs::{For, Told};
use self::patience::PATIENCE;
use self::shared::Shared;
use self::turns::Turns;
use crate::carrier::{Nobody, SharedCarrier};
use crate::ecash::ECASH;
use crate::error::{Error, Mismatch};
use crate::rail::{Capabilities, Purse};

/// How a mint is reached.
pub type Connect = Box<dyn Fn(&MintUrl) -> Arc<dyn MintConnector + Send + Sync> + Send + Sync>;

/// Reaches mints by HTTP, at the addresses that are their names; those behind peers are out of reach.
#[must_use]
pub fn http() -> Connect {
    // A page has one thread, and shares like every other peer.
    #[allow(clippy::arc_with_non_send_sync)]
    over(Arc::new(Nobody))
}

/// Reaches mints by HTTP, at the addresses that are their names, and those that are behind a peer through this carrier.
#[must_use]
pub fn over(carrier: SharedCarrier) -> Connect {
    let carrier = Shared::new(carrier);
    Box::new(move |url| {
        // A name that nobody resolves and that is no peer's does not come this far (`url_of`).
        let peer = custodian_of(url).ok().and_then(|it| it.peer());
        match peer {
            Some(peer) => {
                let carried = Carried::new(SharedCarrier::clone(&carrier), peer);
                Arc::new(BaseHttpClient::with_transport(url.clone(), carried, None))
            }
            None => Arc::new(HttpClient::new(url.clone(), None)),
        }
    })
}

/// The most that is locked at once, in minor units.
const CEILING: u64 = ECASH.ceiling;

/// What it can do.
pub const CAPABILITIES: Capabilities = ECASH;

/// Money with mints.
pub struct Cashu {
    ledger: Arc<Ledger>,
    seed: Zeroizing<[u8; 64]>,
    root: Zeroizing<[u8; 32]>,
    connect: Shared<Connect>,
    wallets: Mutex<BTreeMap<Purse, Wallet>>,
    /// Whose turn it is to make or end a lock out of a purse, so that one contract is not locked twice by two who ask at once.
    locking: Turns,
    /// Whose turn it is to move money in or out of a purse by an operation of cdk's, so that none is picked up as cut off while it is
    /// under way. Whoever needs both takes `locking` first.
    purses: Turns,
    /// The same for a withdrawal, which may take as long as Lightning does and holds nobody up: while there is one, nothing of its purse
    /// is picked up.
    paying_out: Turns,
    /// The purses that have caught up with their mints while others could not yet.
    caught_up: Mutex<BTreeSet<Purse>>,
}

impl fmt::Debug for Cashu {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Cashu(..)")
    }
}

impl Cashu {
    /// Opens the wallet that a store holds. The seed is that of the phrase for this rail. A mint is waited for half a minute at each
    /// question, and in a withdrawal as long as that takes.
    ///
    /// # Errors
    /// [`Error::NotSaved`] if the store cannot be read.
    pub async fn open(
        store: Box<dyn Store>,
        seed: Zeroizing<[u8; 64]>,
        connect: Connect,
    ) -> Result<Self, Error> {
        let ledger = Ledger::open(store)
            .await
            .map_err(|error| Error::NotSaved(error.to_string()))?;
        let root = Zeroizing::new(hash(Tag::KeyDeal, &[&seed[..]]));
        Ok(Self {
            ledger: Arc::new(ledger),
            seed,
            root,
            connect: Shared::new(within(connect, PATIENCE)),
            wallets: Mutex::new(BTreeMap::new()),
            locking: Turns::default(),
            purses: Turns::default(),
            paying_out: Turns::default(),
            caught_up: Mutex::default(),
        })
    }

    /// The wallet of a purse. Only for mints that were named: a stranger's contract cannot make this peer ask anywhere.
    async fn wallet(&self, purse: &Purse) -> Result<Wallet, Error> {
        let url = url_of(&purse.custodian)?;
        let mut wallets = self.wallets.lock().await;
        if let Some(wallet) = wallets.get(purse) {
            return Ok(wallet.clone());
        }
        let known = self.ledger.get_mints().await.map_err(not_saved)?;
        if !known.contains_key(&url) {
            return Err(Error::NotTrusted(purse.custodian.name().to_owned()));
        }
        let wallet = self.wallet_over(self.ledger.clone(), url, purse)?;
        wallets.insert(purse.clone(), wallet.clone());
        Ok(wallet)
    }

    /// A wallet of this seed over any ledger.
    fn wallet_over(
        &self,
        ledger: Arc<Ledger>,
        url: MintUrl,
        purse: &Purse,
    ) -> Result<Wallet, Error> {
        let client = (self.connect)(&url);
        WalletBuilder::new()
            .mint_url(url)
            .unit(unit_of(purse.asset)?)
            .localstore(ledger)
            .seed(*self.seed)
            .shared_client(client)
            .use_http_subscription()
            .build()
            .map_err(|_| Error::Damaged)
    }

    /// One's own secret for a deal.
    fn secret(&self, party: Party, quote: &MessageId) -> Result<SecretKey, Error> {
        // An arbiter is chosen by a key that he published before anybody knew of the deal.
        let quote = match party {
            Party::Arbiter => &[0; 32],
            Party::Buyer | Party::Seller => quote.as_bytes(),
        };
        let bytes = Zeroizing::new(expand(Tag::KeyDeal, &self.root, &[&[party as u8], quote]));
        SecretKey::from_slice(&bytes[..]).map_err(|_| Error::Damaged)
    }

    /// One's own secret for a deal, if the contract names its key.
    fn own(&self, deal: &Deal) -> Result<SecretKey, Error> {
        let secret = self.secret(deal.party, &deal.quote)?;
        let named = deal.contract.key(deal.party);
        (named == Some(DealKey(secret.public_key().to_bytes())))
            .then_some(secret)
            .ok_or(Error::NotYours)
    }

    /// A salt that nobody else can foresee, the same whenever it is asked for.
    fn salt(&self, deal: &Deal, what: &[u8]) -> Result<[u8; 32], Error> {
        let secret = self.own(deal)?;
        let key = Zeroizing::new(secret.to_secret_bytes());
        let id = deal.contract.id();
        Ok(expand(Tag::DealOutput, &key, &[id.as_bytes(), what]))
    }

    /// The keys of a keyset, asked for if they are not known yet.
    async fn keyset(&self, wallet: &Wallet, id: Id) -> Result<KeySet, Error> {
        let known = mint::keyset(wallet, id).await?;
        known.ok_or_else(|| Mismatch::Purse.into())
    }

    /// A lock as it stands: its proofs, made of what was told, and what its keys cost and give out.
    async fn opened(&self, contract: &Contract, locked: &Locked) -> Result<Opened, Error> {
        contract.check()?;
        outputs::keys(contract)?;
        let told = Told::read(locked)?;
        let wallet = self.wallet(&purse_of(contract)).await?;
        let keyset = self.keyset(&wallet, told.keyset).await?;
        let sizes = outputs::sizes(&keyset);
        let amounts = outputs::parts(told.sum, &sizes)?;
        let outputs = outputs::outputs(contract, &told.salt, For::Lock, &amounts)?;
        let signatures = told.signatures(&outputs)?;
        let proofs = outputs::proofs(&outputs, signatures, &keyset)?;
        Ok(Opened {
            wallet,
            keyset,
            sum: told.sum,
            proofs,
        })
    }
}

/// A lock and where it lies.
struct Opened {
    wallet: Wallet,
    keyset: KeySet,
    sum: u64,
    proofs: Proofs,
}

impl Opened {
    fn sizes(&self) -> cdk::amount::FeeAndAmounts {
        outputs::sizes(&self.keyset)
    }

    /// What is left of it when the mint has taken its fee for moving it.
    fn rest(&self) -> Result<u64, Error> {
        let fee = outputs::fee(self.proofs.len(), &self.sizes());
        Ok(self.sum.checked_sub(fee).ok_or(Mismatch::Amount)?)
    }

    /// Who is paid in which outputs; nobody if it stays locked.
    fn shares(
        &self,
        contract: &Contract,
        outcome: &Outcome,
    ) -> Result<Vec<(Party, Vec<u64>)>, Error> {
        match outcome {
            Outcome::Split(split) if split.fits(contract) => {
                outputs::shares(split, self.rest()?, &self.sizes())
            }
            Outcome::Split(_) => Err(Mismatch::Amount.into()),
            Outcome::Expired => {
                let amounts = outputs::parts(self.rest()?, &self.sizes())?;
                Ok(vec![(contract.holder.into(), amounts)])
            }
            Outcome::Renew { .. } => Ok(Vec::new()),
        }
    }
}
