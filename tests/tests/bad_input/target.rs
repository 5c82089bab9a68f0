//! What is attacked: a running peer, or a running relay, behind one front.

use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::time::{Duration, SystemTime};

use haggle_node::Client;
use haggle_protocol::{Network, Timestamp};
use haggle_relay::{Config, Running};
use haggle_tests::forge::book_question;
use haggle_tests::peer::Peer;
use haggle_tests::raw::{Channel, Raw};
use haggle_tests::{Outcome, Trouble, ensure, http};
use libp2p::PeerId;
use tempfile::TempDir;
use tokio::time::{Instant, sleep};

use crate::SOON;

/// How often a counter is read while one waits for it.
const GLANCE: Duration = Duration::from_millis(50);

/// Refusals by code.
pub(crate) type Counts = BTreeMap<String, u64>;

/// One of the two.
pub(crate) enum Target {
    /// A peer, to which the attacker is a relay.
    Peer(Box<Peer>, PeerId),
    /// A relay, with the folder of its keys.
    Relay { relay: Box<Running>, _keys: TempDir },
}

/// The time of this machine.
#[allow(clippy::disallowed_methods, reason = "a test is where time comes from")]
pub(crate) fn now() -> Outcome<Timestamp> {
    let since = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH);
    since
        .map(|since| Timestamp(since.as_secs()))
        .map_err(|error| Trouble::new(error.to_string()))
}

impl Target {
    /// A peer that knows no relay yet.
    pub(crate) async fn peer() -> Outcome<Self> {
        let peer = Peer::start(vec![], None).await?;
        let id = peer
            .until("its id", SOON, |seen| {
                seen.network.peer.parse::<PeerId>().ok()
            })
            .await?;
        Ok(Self::Peer(Box::new(peer), id))
    }

    /// A relay on loopback.
    pub(crate) async fn relay() -> Outcome<Self> {
        Self::relay_with(Config::default().limits.book_bytes).await
    }

    /// A relay on loopback with so much room for its book.
    pub(crate) async fn relay_with(book_bytes: u64) -> Outcome<Self> {
        let data = tempfile::tempdir()?;
        let mut config = Config {
            data: data.path().to_path_buf(),
            ..Config::default()
        };
        let free = SocketAddr::from(([127, 0, 0, 1], 0));
        config.http.listen = free;
        config.listen.tcp = vec![free];
        config.limits.book_bytes = book_bytes;
        let relay = haggle_relay::start(config)
            .await
            .map_err(|error| Trouble::new(error.to_string()))?;
        Ok(Self::Relay {
            relay: Box::new(relay),
            _keys: data,
        })
    }

    /// Its peer id.
    pub(crate) fn id(&self) -> PeerId {
        match self {
            Self::Peer(_, id) => *id,
            Self::Relay { relay, .. } => relay.peer_id,
        }
    }

    /// The handle of the peer.
    pub(crate) fn client(&self) -> Outcome<&Client> {
        match self {
            Self::Peer(peer, _) => Ok(peer.client()),
            Self::Relay { .. } => Err(Trouble::new("a relay has no user")),
        }
    }

    /// Connects it with a test peer, until gossip can flow.
    pub(crate) async fn meet(&self, raw: &Raw) -> Outcome {
        match self {
            Self::Peer(peer, id) => {
                let added = peer.client().add_relay(raw.address()).await;
                added.map_err(|complaint| Trouble::new(complaint.sentence))?;
                raw.listened_to_by(id).await
            }
            Self::Relay { relay, .. } => {
                let tcp = relay.addresses().iter().map(ToString::to_string);
                let tcp = tcp.into_iter().find(|address| !address.contains("/ws"));
                let tcp = tcp.ok_or_else(|| Trouble::new("no TCP listener"))?;
                raw.meet(&tcp).await.map(drop)
            }
        }
    }

    /// Takes leave of a test peer.
    pub(crate) async fn part(&self, raw: &Raw) -> Outcome {
        match self {
            Self::Peer(peer, _) => {
                let removed = peer.client().remove_relay(raw.address()).await;
                removed.map_err(|complaint| Trouble::new(complaint.sentence))
            }
            Self::Relay { relay, .. } => raw.hang_up(relay.peer_id).await,
        }
    }

    /// What it refused so far.
    pub(crate) async fn refusals(&self) -> Outcome<Counts> {
        match self {
            Self::Peer(peer, _) => Ok(peer.seen().network.refusals),
            Self::Relay { relay, .. } => {
                http::counts(relay.http_addr, "haggle_refusals_total").await
            }
        }
    }

    /// Waits until one more was refused under this code, and sees to it that nothing was under another.
    pub(crate) async fn until_refused(&self, code: &str, before: &Counts) -> Outcome {
        let deadline = Instant::now() + SOON;
        let had = before.get(code).copied().unwrap_or(0);
        loop {
            let now = self.refusals().await?;
            if now.get(code).is_some_and(|count| *count > had) {
                let others = now.iter().filter(|(other, _)| *other != code);
                let others: Counts = others.map(|(code, count)| (code.clone(), *count)).collect();
                let mut expected = before.clone();
                expected.remove(code);
                return ensure(others == expected, || format!("{before:?} became {now:?}"));
            }
            if Instant::now() >= deadline {
                let sentence = format!("nothing was counted as {code}: {before:?}, {now:?}");
                return Err(Trouble::new(sentence));
            }
            sleep(GLANCE).await;
        }
    }

    /// What its book answered so far, if it counts that.
    pub(crate) async fn book_answers(&self) -> Outcome<Option<Counts>> {
        match self {
            Self::Peer(..) => Ok(None),
            Self::Relay { relay, .. } => {
                http::counts(relay.http_addr, "haggle_book_requests_total")
                    .await
                    .map(Some)
            }
        }
    }

    /// Waits until its book has answered so once more.
    pub(crate) async fn until_book_answers(&self, label: &str, before: &Counts) -> Outcome {
        let deadline = Instant::now() + SOON;
        loop {
            let now = self.book_answers().await?.unwrap_or_default();
            if now.get(label) > before.get(label) {
                return Ok(());
            }
            if Instant::now() >= deadline {
                return Err(Trouble::new(format!("not counted as {label}: {now:?}")));
            }
            sleep(GLANCE).await;
        }
    }

    /// Whether it is still there for others: a newcomer is heard, and shown the book.
    pub(crate) async fn serves(&self) -> Outcome {
        if let Self::Peer(peer, _) = self {
            let stopped = peer.seen().stopped;
            ensure(stopped.is_none(), || format!("{stopped:?}"))?;
        }
        if let Self::Relay { relay, .. } = self {
            let (status, text) = http::get(relay.http_addr, "/readyz").await?;
            ensure(status == 200, || {
                format!("/readyz answers {status}: {text}")
            })?;
        }
        let newcomer = Raw::start(8_000).await?;
        self.meet(&newcomer).await?;
        let right = book_question(Network::main(), 0, None);
        let answer = newcomer.say(Channel::Book, self.id(), right).await?;
        ensure(answer.len() > 4, || "the book is not shown".into())?;
        self.part(&newcomer).await
    }
}
