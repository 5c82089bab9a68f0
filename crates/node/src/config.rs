//! How a peer is started.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use haggle_book::Limits;
use haggle_market::{Market, Setup};
use haggle_protocol::Network;
use haggle_protocol::keys::SigningKey;
use haggle_protocol::seal::{Hpke, Sealer};
use haggle_store::{Store, Write};
use libp2p::PeerId;
use libp2p::identity::Keypair;

use crate::client::{Client, Safe};
use crate::error::Error;
use crate::paying::RailSetup;
use crate::peer::{Parts, Peer};
use crate::relays::Remembered;
use crate::{clock, spawn, swarm};

/// Keys of records that are the node's own; all others are the market's.
const OWN: &str = "node/";

/// What the names of rails' records begin with; each rail keeps its own by its name behind that.
const RAILS_OWN: &str = "rail/";

/// There if a rail's records are a backup's, of which nobody knows what happened since.
pub(crate) fn restored(rail: &str) -> String {
    format!("{RAILS_OWN}{rail}/restored")
}

/// The rails of which something is saved.
pub(crate) fn rails_of(keys: impl Iterator<Item = impl AsRef<str>>) -> BTreeSet<String> {
    let name = |key: &str| {
        let rest = key.strip_prefix(RAILS_OWN)?;
        rest.split('/').next().map(str::to_owned)
    };
    keys.filter_map(|key| name(key.as_ref())).collect()
}

/// Whether a record is the node's own.
fn is_own(key: &str) -> bool {
    key.starts_with(OWN)
}

/// Whether a record is one of a rail's.
fn is_a_rails(key: &str) -> bool {
    key.starts_with(RAILS_OWN)
}

/// Whether a record is the market's.
pub(crate) fn is_the_markets(key: &str) -> bool {
    !is_own(key) && !is_a_rails(key)
}

/// Relays that the person added, and relays that were found.
pub(crate) const RELAYS: &str = "node/relays";
/// There if the person has chosen to hide the network address: which peers are never dialed directly then, as JSON. A single 1 names none.
pub(crate) const HIDDEN: &str = "node/hidden";

/// Since when the phrase is written down, and when a backup file was last saved.
pub(crate) const SAFE: &str = "node/safe";

/// What a peer is started with.
pub struct Config {
    /// The name of the market: [`Network::MAIN_NAME`] in life.
    pub network: String,
    /// Addresses of relays to begin with, each ending in `/p2p/<peer>`. One that is malformed or cannot be dialed here is
    /// shown as refused and does no harm.
    pub relays: Vec<String>,
    /// STUN servers, `stun:host:port`, by which this peer learns under which address the world sees it; only browsers ask them, and
    /// only for direct connections. Each one asked learns that address.
    pub stun: Vec<String>,
    /// Where everything that must survive is kept. Opened by the caller, who can then say why it could not be.
    pub store: Box<dyn Store>,
    /// How cells are closed; `None` is [`Hpke`]. Only tests hand in another.
    pub sealer: Option<Arc<dyn Sealer>>,
    /// The rails by which money can be locked; none: every trade is paid as agreed between the two.
    pub rails: Vec<RailSetup>,
    /// Whether the network address is hidden from other traders and from mints behind relays, from now on; `None`: as it was.
    pub hidden: Option<bool>,
    /// What relays are told of the program, such as `haggle/0.1.0`.
    pub agent: String,
}

impl Config {
    /// The public market with these relays and this store.
    #[must_use]
    pub fn new(relays: Vec<String>, store: Box<dyn Store>) -> Self {
        Self {
            network: Network::MAIN_NAME.to_owned(),
            relays,
            stun: Vec::new(),
            store,
            sealer: None,
            rails: Vec::new(),
            hidden: None,
            agent: concat!("haggle/", env!("CARGO_PKG_VERSION")).to_owned(),
        }
    }
}

impl core::fmt::Debug for Config {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        f.debug_struct("Config")
            .field("network", &self.network)
            .field("relays", &self.relays)
            .field("stun", &self.stun)
            .field("store", &self.store)
            .field("rails", &self.rails)
            .field("hidden", &self.hidden)
            .field("agent", &self.agent)
            .finish_non_exhaustive()
    }
}

/// Starts a peer: reads what was saved and connects. The identity on the network is fresh each time, so that what is said
/// in two sittings cannot be linked by it. Natively this must be called within a tokio runtime.
///
/// # Errors
/// If the store cannot be read or written, if what is saved cannot be understood (nothing is overwritten then), or if
/// this device lacks something.
pub async fn open(config: Config) -> Result<Client, Error> {
    let Config {
        network,
        relays,
        stun,
        store,
        sealer,
        rails,
        hidden,
        agent,
    } = config;
    let network = Network::named(&network);
    let now = clock::now();
    let store: Arc<dyn Store> = Arc::from(store);

    let records = store.load().await?;
    let (records, others): (Vec<_>, Vec<_>) = records
        .into_iter()
        .partition(|(key, _)| is_the_markets(key));
    // A rail reads its records itself.
    let used = rails_of(others.iter().map(|(key, _)| key));
    let own = others.into_iter().filter(|(key, _)| is_own(key));
    let own: BTreeMap<_, _> = own.collect();
    // The market looks at their names alone.
    let bulky = store.bulky().await?.into_iter();
    let records = records
        .into_iter()
        .chain(bulky.map(|key| (key, Vec::new())));
    let was_hidden = own.contains_key(HIDDEN);
    let hidden = hidden.unwrap_or(was_hidden);
    if hidden != was_hidden {
        // Before a rail asks anybody, and saved first: what was promised holds at the next start.
        store.commit(vec![hide(hidden, &BTreeSet::new())]).await?;
    }
    let kept_off = own.get(HIDDEN).filter(|_| hidden);
    let kept_off = kept_off.map_or_else(BTreeSet::new, |bytes| kept_off_in(bytes));
    let remembered = match own.get(RELAYS) {
        Some(bytes) => serde_json::from_slice(bytes).map_err(|error| Error::Damaged {
            key: RELAYS.to_owned(),
            why: error.to_string(),
        })?,
        None => Remembered::default(),
    };

    let safe = match own.get(SAFE) {
        Some(bytes) => serde_json::from_slice(bytes).map_err(|error| Error::Damaged {
            key: SAFE.to_owned(),
            why: error.to_string(),
        })?,
        None => Safe::default(),
    };

    let identity = SigningKey::from_seed(&roll()?);
    let keypair = Keypair::ed25519_from_bytes(identity.to_seed()).map_err(|_| Error::Dice)?;
    let key = identity.public();
    let setup = Setup {
        network,
        dice: roll()?,
        peer: identity,
        sealer: sealer.unwrap_or_else(|| Arc::new(Hpke)),
        book: Limits::peer(),
        rails: rails.iter().map(|rail| rail.facts.clone()).collect(),
    };
    let (market, effects) = Market::restore(records.collect(), setup, now)?;
    let swarm = swarm::build(keypair, agent, stun).map_err(|reason| Error::Network { reason })?;

    let (client, asks) = Client::new();
    let parts = Parts {
        swarm,
        market,
        store,
        asks,
        network,
        key,
        hidden,
        kept_off,
        safe,
        rails,
    };
    let mut peer = Peer::new(parts, &relays, &remembered);
    // Whoever has paid or been paid before has something there, or something to end.
    for rail in used {
        peer.paying.begin(peer.market.root(), &rail);
    }
    peer.begin(effects).await?;
    spawn::spawn(peer.live());
    Ok(client)
}

/// Remembers whether the network address is hidden, and which peers are never dialed directly then.
pub(crate) fn hide(hidden: bool, kept_off: &BTreeSet<PeerId>) -> Write {
    if !hidden {
        return Write::delete(HIDDEN);
    }
    let texts: Vec<String> = kept_off.iter().map(ToString::to_string).collect();
    // A list of texts can always be written.
    Write::put(HIDDEN, serde_json::to_vec(&texts).unwrap_or_default())
}

fn kept_off_in(bytes: &[u8]) -> BTreeSet<PeerId> {
    let texts: Vec<String> = serde_json::from_slice(bytes).unwrap_or_default();
    texts.iter().filter_map(|text| text.parse().ok()).collect()
}

/// Random bytes from the operating system or the browser.
pub(crate) fn roll<const N: usize>() -> Result<[u8; N], Error> {
    let mut bytes = [0; N];
    getrandom::fill(&mut bytes).map_err(|_| Error::Dice)?;
    Ok(bytes)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn whom_we_hide_from_is_read_back_as_it_was_written() {
        let peers: BTreeSet<_> = (0..3).map(|_| PeerId::random()).collect();
        let Write::Put { key, value } = hide(true, &peers) else {
            panic!("nothing is written");
        };
        assert_eq!(key, HIDDEN);
        assert_eq!(kept_off_in(&value), peers);
        assert_eq!(kept_off_in(&[1]), BTreeSet::new());
        assert!(matches!(hide(false, &peers), Write::Delete { .. }));
    }
}
