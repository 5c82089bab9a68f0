//! A real peer without a face: the shell as a program holds it, with all that it told so far at hand.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use futures::StreamExt;
use haggle_market::Draft;
use haggle_market::command::Taste;
use haggle_market::view::{MyIntent, OpenIntent, StallView, Trade};
use haggle_node::{Client, Config, Event, Link, NetworkView, open};
use haggle_protocol::category::Category;
use haggle_protocol::intent::{Budget, Delivery};
use haggle_protocol::seal::Sealer;
use haggle_protocol::{Asset, IntentId, Quantity, ThreadId};
use haggle_store::Memory;
use tokio::sync::watch;
use tokio::task::JoinHandle;
use tokio::time::timeout;

use crate::trouble::{Outcome, Trouble};

/// Everything that a peer told, folded, and every event as it came.
#[derive(Clone, Debug, Default)]
pub struct Seen {
    /// How the network is.
    pub network: NetworkView,
    /// Its own intents.
    pub mine: BTreeMap<IntentId, MyIntent>,
    /// Those of others.
    pub open: BTreeMap<IntentId, OpenIntent>,
    /// Its orders and trades.
    pub trades: BTreeMap<ThreadId, Trade>,
    /// Its stall.
    pub stall: Option<StallView>,
    /// Why it stopped, if it did.
    pub stopped: Option<String>,
    /// Every event in JSON, one a line.
    pub told: String,
}

/// A running peer.
#[derive(Debug)]
pub struct Peer {
    client: Client,
    store: Memory,
    seen: watch::Receiver<Seen>,
    task: JoinHandle<()>,
}

impl Peer {
    /// Starts a peer that knows these relays. `None` seals as in life.
    ///
    /// # Errors
    /// If it does not start.
    pub async fn start(relays: Vec<String>, sealer: Option<Arc<dyn Sealer>>) -> Outcome<Self> {
        Self::start_on(Memory::new(), relays, sealer).await
    }

    /// Starts a peer on what another one kept.
    ///
    /// # Errors
    /// If it does not start.
    pub async fn start_on(
        store: Memory,
        relays: Vec<String>,
        sealer: Option<Arc<dyn Sealer>>,
    ) -> Outcome<Self> {
        let mut config = Config::new(relays, Box::new(store.clone()));
        config.sealer = sealer;
        let client = open(config)
            .await
            .map_err(|error| Trouble::new(error.to_string()))?;
        let (tell, seen) = watch::channel(Seen::default());
        let mut events = client.events();
        let task = tokio::spawn(async move {
            while let Some(event) = events.next().await {
                tell.send_modify(|seen| seen.add(event));
            }
        });
        Ok(Self {
            client,
            store,
            seen,
            task,
        })
    }

    /// Its handle.
    #[must_use]
    pub const fn client(&self) -> &Client {
        &self.client
    }

    /// What it told so far.
    #[must_use]
    pub fn seen(&self) -> Seen {
        self.seen.borrow().clone()
    }

    /// Looks at what it told so far.
    pub fn look<T>(&self, at: impl FnOnce(&Seen) -> T) -> T {
        at(&self.seen.borrow())
    }

    /// What it keeps, and what it has kept when it is closed.
    #[must_use]
    pub const fn store(&self) -> &Memory {
        &self.store
    }

    /// Waits until what was told has something.
    ///
    /// # Errors
    /// If it does not within the time.
    pub async fn until<T>(
        &self,
        what: &str,
        within: Duration,
        mut has: impl FnMut(&Seen) -> Option<T>,
    ) -> Outcome<T> {
        let mut seen = self.seen.clone();
        let mut found = None;
        let waited = timeout(
            within,
            seen.wait_for(|seen| {
                found = has(seen);
                found.is_some()
            }),
        )
        .await;
        let held = matches!(waited, Ok(Ok(_)));
        drop(waited);
        found.filter(|_| held).ok_or_else(|| {
            let told = self.seen.borrow();
            let from = told.told.len().saturating_sub(4_000);
            let tail = told.told.get(from..).unwrap_or_default();
            Trouble::new(format!(
                "waited {within:?} in vain for {what}; told last:\n{tail}"
            ))
        })
    }

    /// Waits until it is online and others can reach it.
    ///
    /// # Errors
    /// If it is not within the time.
    pub async fn online(&self, within: Duration) -> Outcome {
        self.until("being online", within, |seen| {
            let reserved = seen
                .network
                .relays
                .iter()
                .any(|relay| relay.state == haggle_node::RelayState::Reserved);
            (seen.network.state == Link::Online && reserved).then_some(())
        })
        .await
    }
}

impl Drop for Peer {
    fn drop(&mut self) {
        self.task.abort();
    }
}

impl Seen {
    fn add(&mut self, event: Event) {
        use haggle_market::Event as Told;
        if let Ok(json) = serde_json::to_string(&event) {
            self.told.push_str(&json);
            self.told.push('\n');
        }
        match event {
            Event::Network(network) => self.network = network,
            Event::Stopped { code, sentence } => self.stopped = Some(format!("{code}: {sentence}")),
            Event::Market(Told::MyIntent(mine)) => drop(self.mine.insert(mine.id, *mine)),
            Event::Market(Told::OpenIntent(open)) => drop(self.open.insert(open.id, *open)),
            Event::Market(Told::Gone(id)) => drop(self.open.remove(&id)),
            Event::Market(Told::Trade(trade)) => drop(self.trades.insert(trade.thread, *trade)),
            Event::Market(Told::Stall(stall)) => self.stall = Some(*stall),
            Event::Market(Told::Chat(_) | Told::Case(_) | Told::Forgotten(..) | Told::Ready)
            | Event::Wallet(_) => {}
        }
    }
}

/// One piece of anything, shipped, with a budget in euros that is not said: a draft that says no more than its title.
///
/// # Errors
/// If euros are no currency any more.
pub fn plain_draft(title: &str) -> Outcome<Draft> {
    Ok(Draft {
        title: title.to_owned(),
        details: None,
        category: Category(0),
        wishes: vec![],
        quantity: Quantity::pieces(1),
        budget: Budget::Sealed(Asset::new("EUR")?),
        limit: None,
        deliveries: vec![Delivery::Shipping],
        places: vec![],
        window: None,
        open_for: None,
        quotes_for: None,
        lang: None,
        taste: Taste::Balanced,
        arbiter: None,
    })
}
