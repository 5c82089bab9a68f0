//! A page with a peer of haggle-webrtc. It offers the same methods as the page of js-libp2p beside it (`tests/interop/src/page.mjs`), so
//! that a test can put any two of them together.

#![cfg(target_arch = "wasm32")]

mod node;
mod talk;

use std::time::Duration;

use futures::SinkExt as _;
use futures::channel::{mpsc, oneshot};
use libp2p::{Multiaddr, PeerId};
use serde::{Deserialize, Serialize};
use wasm_bindgen::prelude::*;
use web_time::Instant;

use crate::node::{Ask, Only};

/// How a peer is started.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase", default)]
struct Options {
    relay: String,
    ice_servers: Vec<Ice>,
    reserve: bool,
    hide: bool,
}

impl Default for Options {
    fn default() -> Self {
        Self {
            relay: String::new(),
            ice_servers: Vec::new(),
            reserve: true,
            hide: false,
        }
    }
}

#[derive(Deserialize)]
struct Ice {
    urls: String,
}

#[derive(Serialize)]
struct Started {
    peer: String,
    ms: f64,
}

#[derive(Serialize)]
struct Dialed {
    ms: f64,
    remote: String,
    limited: bool,
}

#[derive(Serialize)]
struct Outcome {
    ok: bool,
    ms: f64,
    failed: usize,
}

#[derive(Serialize)]
struct Seen {
    seen: bool,
    ms: f64,
}

/// The peer of the page.
#[wasm_bindgen]
#[derive(Default)]
pub struct Page {
    node: std::cell::OnceCell<(mpsc::Sender<Ask>, libp2p_stream::Control)>,
}

impl core::fmt::Debug for Page {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        let started = self.node.get().is_some();
        f.debug_struct("Page").field("started", &started).finish()
    }
}

fn bad(error: impl ToString) -> JsValue {
    js_sys::Error::new(&error.to_string()).into()
}

fn give<T: Serialize>(value: &T) -> Result<JsValue, JsValue> {
    value
        .serialize(&serde_wasm_bindgen::Serializer::json_compatible())
        .map_err(bad)
}

fn ms(since: Instant) -> f64 {
    since.elapsed().as_secs_f64() * 1000.0
}

fn peer(text: &str) -> Result<PeerId, JsValue> {
    text.parse().map_err(bad)
}

#[wasm_bindgen]
impl Page {
    /// A page whose peer has not been started.
    #[wasm_bindgen(constructor)]
    pub fn new() -> Self {
        Self::default()
    }

    fn node(&self) -> Result<(mpsc::Sender<Ask>, libp2p_stream::Control), JsValue> {
        self.node.get().cloned().ok_or_else(|| bad("not started"))
    }

    /// Starts it; resolves when it can be reached.
    pub async fn start(&self, options: JsValue) -> Result<JsValue, JsValue> {
        let began = Instant::now();
        let options: Options = serde_wasm_bindgen::from_value(options).map_err(bad)?;
        let relay: Multiaddr = options.relay.parse().map_err(bad)?;
        let servers = options
            .ice_servers
            .into_iter()
            .map(|ice| ice.urls)
            .collect();
        let (me, asks, control) = node::start(servers, options.hide).map_err(bad)?;
        talk::answer(&control).map_err(bad)?;
        if self.node.set((asks, control)).is_err() {
            return Err(bad("started already"));
        }
        self.ask(|reply| Ask::Join(relay, options.reserve, reply))
            .await??;
        give(&Started {
            peer: me.to_string(),
            ms: ms(began),
        })
    }

    async fn ask<T>(&self, ask: impl FnOnce(oneshot::Sender<T>) -> Ask) -> Result<T, JsValue> {
        let (reply, answer) = oneshot::channel();
        let (mut asks, _) = self.node()?;
        asks.send(ask(reply)).await.map_err(bad)?;
        answer.await.map_err(bad)
    }

    /// Its own `/webrtc` addresses.
    pub async fn addresses(&self) -> Result<JsValue, JsValue> {
        give(&self.ask(Ask::Addresses).await?)
    }

    /// Dials exactly this address.
    pub async fn dial(&self, address: String) -> Result<JsValue, JsValue> {
        let began = Instant::now();
        let address: Multiaddr = address.parse().map_err(bad)?;
        let remote = self.ask(|reply| Ask::Dial(address, reply)).await?;
        let remote = remote.map_err(bad)?;
        give(&Dialed {
            ms: ms(began),
            limited: haggle_webrtc::addr::is_relayed(&remote),
            remote: remote.to_string(),
        })
    }

    /// What connections there are with this peer.
    pub async fn connections(&self, id: String) -> Result<JsValue, JsValue> {
        let id = peer(&id)?;
        give(&self.ask(|reply| Ask::Connections(id, reply)).await?)
    }

    /// Closes connections with this peer; resolves when they are.
    #[wasm_bindgen(js_name = hangUp)]
    pub async fn hang_up(&self, id: String, only: String) -> Result<(), JsValue> {
        let id = peer(&id)?;
        let only = match only.as_str() {
            "webrtc" => Only::Direct,
            "relayed" => Only::Relayed,
            _ => Only::All,
        };
        self.ask(|reply| Ask::HangUp(id, only, reply)).await
    }

    /// What the peer says of itself over the direct connection.
    pub async fn identify(&self, id: String) -> Result<JsValue, JsValue> {
        let id = peer(&id)?;
        give(&self.ask(|reply| Ask::Identify(id, reply)).await?)
    }

    /// A ping over the direct connection, in milliseconds.
    pub async fn ping(&self, id: String) -> Result<f64, JsValue> {
        let id = peer(&id)?;
        self.ask(|reply| Ask::Ping(id, reply)).await
    }

    /// Resolves when there is no direct connection with this peer any more, with how long that took.
    #[wasm_bindgen(js_name = closedAt)]
    pub async fn closed_at(&self, id: String) -> Result<f64, JsValue> {
        let began = Instant::now();
        let id = peer(&id)?;
        let closed = self.ask(|reply| Ask::Closed(id, reply));
        let late = futures_timer::Delay::new(Duration::from_secs(60));
        match futures::future::select(std::pin::pin!(closed), late).await {
            futures::future::Either::Left((closed, _)) => closed.map(|()| ms(began)),
            futures::future::Either::Right(_) => Err(bad("not closed within a minute")),
        }
    }

    /// Sends so much, ends its half, and gets it back.
    pub async fn echo(&self, id: String, size: usize) -> Result<JsValue, JsValue> {
        let (id, (_, mut control)) = (peer(&id)?, self.node()?);
        let began = Instant::now();
        let ok = talk::echo(&mut control, id, size).await.map_err(bad)?;
        outcome(began, usize::from(!ok))
    }

    /// Sends so much; the other side says what it got by its hash.
    pub async fn send(&self, id: String, size: usize) -> Result<JsValue, JsValue> {
        let (id, (_, mut control)) = (peer(&id)?, self.node()?);
        let (ok, ms) = talk::send(&mut control, id, size).await.map_err(bad)?;
        give(&Outcome {
            ok,
            ms,
            failed: usize::from(!ok),
        })
    }

    /// So many streams one after another.
    pub async fn sequence(&self, id: String, count: usize) -> Result<JsValue, JsValue> {
        let (id, (_, mut control)) = (peer(&id)?, self.node()?);
        let began = Instant::now();
        for _ in 0..count {
            if !talk::echo(&mut control, id, 32).await.map_err(bad)? {
                return outcome(began, 1);
            }
        }
        outcome(began, 0)
    }

    /// So many streams at once.
    pub async fn parallel(&self, id: String, count: usize) -> Result<JsValue, JsValue> {
        let (id, (_, control)) = (peer(&id)?, self.node()?);
        at_once(&control, id, count, 1024).await
    }

    /// Dials, and opens so many streams at once without waiting for anything.
    #[wasm_bindgen(js_name = dialAndBurst)]
    pub async fn dial_and_burst(&self, address: String, count: usize) -> Result<JsValue, JsValue> {
        let (_, control) = self.node()?;
        let address: Multiaddr = address.parse().map_err(bad)?;
        let (id, _) = haggle_webrtc::addr::parse(&address).ok_or_else(|| bad("no peer"))?;
        self.ask(|reply| Ask::Dial(address, reply))
            .await?
            .map_err(bad)?;
        at_once(&control, id, count, 32).await
    }

    /// Opens a stream that the other side resets.
    pub async fn reset(&self, id: String) -> Result<JsValue, JsValue> {
        let (id, (_, mut control)) = (peer(&id)?, self.node()?);
        let began = Instant::now();
        let seen = talk::reset(&mut control, id).await.map_err(bad)?;
        give(&Seen {
            seen,
            ms: ms(began),
        })
    }

    /// How long messages of this size take there and back, on one stream or on a fresh one each.
    pub async fn roundtrips(
        &self,
        id: String,
        size: usize,
        count: usize,
        fresh: bool,
    ) -> Result<JsValue, JsValue> {
        let (id, (_, mut control)) = (peer(&id)?, self.node()?);
        let mut times = Vec::new();
        if fresh {
            for _ in 0..count {
                let began = Instant::now();
                if !talk::echo(&mut control, id, size).await.map_err(bad)? {
                    return Err(bad("something else came back"));
                }
                times.push(ms(began));
            }
        } else {
            times = talk::pong(&mut control, id, size, count)
                .await
                .map_err(bad)?;
        }
        give(&times)
    }
}

async fn at_once(
    control: &libp2p_stream::Control,
    id: PeerId,
    count: usize,
    size: usize,
) -> Result<JsValue, JsValue> {
    let began = Instant::now();
    let all = (0..count).map(|_| {
        let mut control = control.clone();
        async move { talk::echo(&mut control, id, size).await }
    });
    let all = futures::future::join_all(all).await;
    let failed = all.iter().filter(|one| !matches!(one, Ok(true))).count();
    outcome(began, failed)
}

fn outcome(began: Instant, failed: usize) -> Result<JsValue, JsValue> {
    give(&Outcome {
        ok: failed == 0,
        ms: ms(began),
        failed,
    })
}
