//! What faces and programs are told: what the market tells, and how the network is. Only what is known, never invented.

use std::collections::BTreeMap;

use haggle_market::event::Event as MarketEvent;

pub use crate::paths::Path;
use crate::wallet;

/// Something a person or a program may want to know. In JSON one flat list of types: the market's own
/// (`my-intent`, `open-intent`, `gone`, `trade`, `stall`, `ready`) beside `network`, `wallet` and `stopped`.
#[derive(Clone, Debug, PartialEq, serde::Serialize, serde::Deserialize)]
#[serde(tag = "type", content = "data", rename_all = "kebab-case")]
pub enum Event {
    /// How the network is.
    Network(NetworkView),
    /// What there is with a rail. Told once one has been used.
    Wallet(wallet::View),
    /// The peer has stopped and will do nothing more. Everything that was confirmed is saved.
    Stopped {
        /// Stable, for programs: `store-full`, `store-closed`, `closed`, …
        code: String,
        /// For people: what happened and what to do.
        sentence: String,
    },
    /// What the market tells.
    #[serde(untagged)]
    Market(MarketEvent),
}

/// How the network is.
#[derive(Clone, Debug, Default, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct NetworkView {
    /// This peer's id, fresh with every start.
    pub peer: String,
    /// Whether anybody is reached.
    pub state: Link,
    /// The relays that are known, those the person chose first.
    pub relays: Vec<RelayView>,
    /// Peers with whom gossip is exchanged directly.
    pub neighbours: u32,
    /// How many further participants the relays tell of, if they do.
    pub others: Option<u32>,
    /// Open intents that are known, one's own among them.
    pub book: u32,
    /// What was refused since the start, by code.
    pub refusals: BTreeMap<String, u64>,
    /// Whether the person has chosen to hide the network address: then other browsers are reached through relays only.
    pub hidden: bool,
    /// Whether direct connections can be made here at all.
    pub can_be_direct: bool,
    /// This peer's own `/webrtc` addresses, as any libp2p peer can dial them. None while it hides.
    pub addresses: Vec<String>,
    /// Peers, relays left out, with whom there is a connection now.
    pub traders: Vec<TraderView>,
    /// Private messages since the start, sent and received, that travelled directly.
    pub private_direct: u64,
    /// The same, through a relay.
    pub private_relayed: u64,
    /// By how many seconds this device's clock is ahead of the relays' (negative: behind), if that is known and worth telling.
    pub clock_ahead: Option<i64>,
}

/// A peer with whom there is a connection.
#[derive(Clone, Debug, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct TraderView {
    /// Its id.
    pub peer: String,
    /// How it is reached.
    pub path: Path,
}

/// Whether anybody is reached.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Link {
    /// Relays are being tried.
    #[default]
    Connecting,
    /// A relay is connected and gossip runs through it.
    Online,
    /// No relay is reached; it is tried again.
    Offline,
}

/// One relay.
#[derive(Clone, Debug, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct RelayView {
    /// Its address, as given or as found, with `/p2p/<peer>` at its end.
    pub address: String,
    /// Its peer id; empty if the address is no address.
    pub peer: String,
    /// How it stands.
    pub state: RelayState,
    /// Whether the person or the site chose it; `false` if other relays told of it.
    pub configured: bool,
    /// Why it is not connected or gives no place, as a stable code: `unreachable`, `timeout`, `wrong-peer`,
    /// `denied`, `bad-address`, `unsupported-address`, `reservation-refused`, `closed`.
    pub reason: Option<String>,
}

/// How a relay stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
#[serde(rename_all = "kebab-case", rename_all_fields = "camelCase")]
pub enum RelayState {
    /// It is being dialed.
    Connecting,
    /// It is connected.
    Connected,
    /// It is connected and others can reach this peer through it.
    Reserved,
    /// It could not be reached and is tried again.
    Waiting {
        /// In so many seconds.
        retry_in: u64,
    },
    /// It will not be tried: see the reason.
    Refused,
}
