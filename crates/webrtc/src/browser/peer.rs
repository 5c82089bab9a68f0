//! An `RTCPeerConnection` with everything that it tells: the state that callbacks fill, and whom they wake.

use std::cell::{Cell, RefCell};
use std::collections::VecDeque;
use std::rc::Rc;
use std::task::{Context, Waker};

use futures::channel::oneshot;
use js_sys::{Array, JSON, Object, Reflect};
use wasm_bindgen::prelude::Closure;
use wasm_bindgen::{JsCast as _, JsValue};
use wasm_bindgen_futures::JsFuture;
use web_sys::{
    Event, RtcConfiguration, RtcDataChannel, RtcDataChannelEvent, RtcIceCandidateInit,
    RtcPeerConnection, RtcPeerConnectionIceEvent, RtcPeerConnectionState, RtcSdpType,
    RtcSessionDescriptionInit,
};
use web_time::Instant;

use super::channel::{Channel, Opener};
use super::{browser_error, on};
use crate::clock::now;
use crate::config::{Bounds, Shared};
use crate::error::Error;
use crate::halves::Acknowledge;
use crate::signal::Candidate;

/// The channel whose only purpose is to have something to negotiate about.
pub(super) const INIT: &str = "init";

/// The event of a page that is left or closed.
const PAGE_ENDS: &str = "pagehide";

/// Candidates of our own that wait to be told; a machine has a handful of addresses.
const CANDIDATES_MAX: usize = 64;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Phase {
    Connecting,
    Connected,
    /// Over, for good.
    Lost(Loss),
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Loss {
    NoRoute,
    Closed,
}

impl Loss {
    pub(super) const fn error(self) -> Error {
        match self {
            Self::NoRoute => Error::NoRoute,
            Self::Closed => Error::Closed,
        }
    }
}

/// One connection to one browser, or to one server.
pub(super) struct Peer {
    pc: RtcPeerConnection,
    bounds: Bounds,
    acknowledge: Acknowledge,
    state: RefCell<State>,
    unread: Cell<usize>,
    handlers: RefCell<Option<Handlers>>,
}

struct State {
    phase: Phase,
    /// Nothing was heard of the remote since then.
    silent: Option<Instant>,
    /// Our own candidates that were not told yet.
    candidates: VecDeque<String>,
    /// Every stream's channel, until the browser has closed it.
    channels: Vec<Rc<Channel>>,
    /// Those that the remote opened and nobody has taken yet.
    incoming: VecDeque<Rc<Channel>>,
    /// Held, because a browser may close what nobody holds.
    init: Option<RtcDataChannel>,
    wakers: Vec<Waker>,
}

struct Handlers {
    _state: Closure<dyn FnMut(Event)>,
    _candidate: Closure<dyn FnMut(RtcPeerConnectionIceEvent)>,
    _channel: Closure<dyn FnMut(RtcDataChannelEvent)>,
    /// Of the page, whose end the remote would otherwise have to guess from silence.
    page: Closure<dyn FnMut(Event)>,
    /// Of the transport under the channels, once there is one.
    under: Option<Under>,
    init: Option<Closure<dyn FnMut(Event)>>,
}

type Under = (JsValue, Closure<dyn FnMut(Event)>);

impl Peer {
    /// A fresh one. All callbacks are in place before anything can happen on it.
    pub(super) async fn new(shared: &Shared, acknowledge: Acknowledge) -> Result<Rc<Self>, Error> {
        let certificate = certificate(shared).await?;
        Self::with(shared, acknowledge, &certificate)
    }

    fn with(
        shared: &Shared,
        acknowledge: Acknowledge,
        certificate: &JsValue,
    ) -> Result<Rc<Self>, Error> {
        let configuration = RtcConfiguration::new();
        configuration.set_certificates(&Array::of1(certificate));
        let servers = Array::new();
        for server in shared.ice_servers() {
            let entry = Object::new();
            set(&entry, "urls", &server.url.into())?;
            if let Some((name, password)) = server.credential {
                set(&entry, "username", &name.into())?;
                set(&entry, "credential", &password.into())?;
            }
            servers.push(&entry);
        }
        configuration.set_ice_servers(&servers);
        let pc = RtcPeerConnection::new_with_configuration(&configuration)
            .map_err(|error| browser_error(&error))?;
        let peer = Rc::new(Self {
            pc,
            bounds: shared.config.bounds,
            acknowledge,
            state: RefCell::new(State {
                phase: Phase::Connecting,
                silent: None,
                candidates: VecDeque::new(),
                channels: Vec::new(),
                incoming: VecDeque::new(),
                init: None,
                wakers: Vec::new(),
            }),
            unread: Cell::new(0),
            handlers: RefCell::new(None),
        });
        peer.attach();
        Ok(peer)
    }

    fn attach(self: &Rc<Self>) {
        let handlers = Handlers {
            _state: on(self, |peer, _: Event| peer.on_state()),
            _candidate: on(self, |peer, event: RtcPeerConnectionIceEvent| {
                peer.on_candidate(&event)
            }),
            _channel: on(self, |peer, event: RtcDataChannelEvent| {
                peer.on_channel(event.channel());
            }),
            page: on(self, |peer, _: Event| peer.pc.close()),
            under: None,
            init: None,
        };
        if let Some(window) = window() {
            let listener = handlers.page.as_ref().unchecked_ref();
            // Without it the remote notices later.
            let _ = window.add_event_listener_with_callback(PAGE_ENDS, listener);
        }
        let pc = &self.pc;
        pc.set_onconnectionstatechange(Some(handlers._state.as_ref().unchecked_ref()));
        pc.set_onicecandidate(Some(handlers._candidate.as_ref().unchecked_ref()));
        pc.set_ondatachannel(Some(handlers._channel.as_ref().unchecked_ref()));
        *self.handlers.borrow_mut() = Some(handlers);
    }

    fn on_state(self: &Rc<Self>) {
        let connection = self.pc.connection_state();
        {
            let mut state = self.state.borrow_mut();
            if connection == RtcPeerConnectionState::Connected {
                state.silent = None;
                if state.phase == Phase::Connecting {
                    state.phase = Phase::Connected;
                }
            } else if connection == RtcPeerConnectionState::Disconnected {
                // It may come back: the network has changed, or packets were lost.
                state.silent.get_or_insert_with(now);
            } else if connection == RtcPeerConnectionState::Failed {
                state.lose(Loss::NoRoute);
            } else if connection == RtcPeerConnectionState::Closed {
                state.lose(Loss::Closed);
            }
        }
        if connection == RtcPeerConnectionState::Connected {
            self.watch_transport();
        }
        self.wake();
    }

    /// The transport under the channels is told by the remote when it closes, long before ICE finds nobody there any more.
    fn watch_transport(self: &Rc<Self>) {
        let get = |of: &JsValue, name: &str| Reflect::get(of, &JsValue::from_str(name)).ok();
        let Some(transport) = get(&self.pc, "sctp").and_then(|sctp| get(&sctp, "transport")) else {
            return;
        };
        let weak = Rc::downgrade(self);
        let of = transport.clone();
        let changed = Closure::new(move |_: Event| {
            let state = Reflect::get(&of, &JsValue::from_str("state")).ok();
            let state = state.and_then(|state| state.as_string());
            if matches!(state.as_deref(), Some("closed" | "failed"))
                && let Some(peer) = weak.upgrade()
            {
                peer.state.borrow_mut().lose(Loss::Closed);
                peer.wake();
            }
        });
        let set = Reflect::set(
            &transport,
            &JsValue::from_str("onstatechange"),
            changed.as_ref(),
        );
        if set.is_ok()
            && let Some(handlers) = self.handlers.borrow_mut().as_mut()
            && handlers.under.is_none()
        {
            handlers.under = Some((transport, changed));
        }
    }

    fn on_candidate(&self, event: &RtcPeerConnectionIceEvent) {
        // The end of candidates needs no message: js-libp2p sends none, and understands few of its forms.
        let Some(candidate) = event.candidate().filter(|c| !c.candidate().is_empty()) else {
            return;
        };
        let Ok(json) = JSON::stringify(&candidate.to_json()) else {
            return;
        };
        {
            let mut state = self.state.borrow_mut();
            if state.candidates.len() < CANDIDATES_MAX {
                state.candidates.push_back(json.into());
            }
        }
        self.wake();
    }

    fn on_channel(self: &Rc<Self>, dc: RtcDataChannel) {
        if dc.label() == INIT {
            let mut state = self.state.borrow_mut();
            if state.init.is_none() {
                state.init = Some(dc);
            } else {
                dc.close();
            }
            return;
        }
        let full = {
            let state = self.state.borrow();
            state.channels.len() >= self.bounds.streams * 2
                || state.incoming.len() >= self.bounds.waiting
        };
        if full {
            dc.close();
            return;
        }
        let channel = Channel::new(dc, self, self.acknowledge, Opener::Remote);
        {
            let mut state = self.state.borrow_mut();
            state.channels.push(Rc::clone(&channel));
            state.incoming.push_back(channel);
        }
        self.wake();
    }

    pub(super) const fn bounds(&self) -> Bounds {
        self.bounds
    }

    pub(super) fn unread(&self) -> usize {
        self.unread.get()
    }

    pub(super) fn count_unread(&self, came: usize, went: usize) {
        self.unread
            .set((self.unread.get() + came).saturating_sub(went));
    }

    pub(super) fn phase(&self) -> Phase {
        self.state.borrow().phase
    }

    /// Wakes whoever waits for news of this connection.
    pub(super) fn wake(&self) {
        let wakers = core::mem::take(&mut self.state.borrow_mut().wakers);
        for waker in wakers {
            waker.wake();
        }
    }

    /// Wakes this task at the next news.
    pub(super) fn wait(&self, cx: &Context<'_>) {
        let mut state = self.state.borrow_mut();
        if !state.wakers.iter().any(|known| known.will_wake(cx.waker())) {
            state.wakers.push(cx.waker().clone());
        }
    }

    /// A candidate of our own to tell the remote.
    pub(super) fn next_candidate(&self) -> Option<String> {
        self.state.borrow_mut().candidates.pop_front()
    }

    pub(super) fn next_incoming(&self) -> Option<Rc<Channel>> {
        self.state.borrow_mut().incoming.pop_front()
    }

    pub(super) fn streams(&self) -> usize {
        self.state.borrow().channels.len()
    }

    /// A data channel for a stream.
    pub(super) fn create(&self) -> Result<RtcDataChannel, Error> {
        create_channel(&self.pc, "", None)
    }

    /// Opens a channel for a stream.
    pub(super) fn open(self: &Rc<Self>) -> Result<Rc<Channel>, Error> {
        let opener = match self.acknowledge {
            Acknowledge::AtOnce => Opener::Us,
            Acknowledge::WhenClosed => Opener::Agreed,
        };
        let channel = Channel::new(self.create()?, self, self.acknowledge, opener);
        self.state.borrow_mut().channels.push(Rc::clone(&channel));
        Ok(channel)
    }

    /// Opens the channel on which a server and we make sure who we are: number 0, agreed on beforehand.
    pub(super) fn open_first(self: &Rc<Self>) -> Result<Rc<Channel>, Error> {
        let dc = create_channel(&self.pc, "", Some(0))?;
        let channel = Channel::new(dc, self, self.acknowledge, Opener::Agreed);
        self.state.borrow_mut().channels.push(Rc::clone(&channel));
        Ok(channel)
    }

    /// Opens the channel that gives the two browsers something to negotiate about. The receiver hears when it is open.
    pub(super) fn open_init(&self) -> Result<oneshot::Receiver<()>, Error> {
        let dc = create_channel(&self.pc, INIT, None)?;
        let (open, opened) = oneshot::channel();
        let mut open = Some(open);
        let on_open = Closure::new(move |_: Event| {
            if let Some(open) = open.take() {
                // Nobody waits if the negotiation was given up.
                let _ = open.send(());
            }
        });
        dc.set_onopen(Some(on_open.as_ref().unchecked_ref()));
        self.state.borrow_mut().init = Some(dc);
        if let Some(handlers) = self.handlers.borrow_mut().as_mut() {
            handlers.init = Some(on_open);
        }
        Ok(opened)
    }

    /// It has served its purpose. The object stays, because the browser is still at it.
    pub(super) fn close_init(&self) {
        if let Some(dc) = self.state.borrow().init.as_ref() {
            dc.close();
        }
    }

    /// Looks after channels that come to their end and after a remote that is silent. Returns whether time is to be kept.
    pub(super) fn tend(&self) -> bool {
        let now = now();
        let channels = self.state.borrow().channels.clone();
        let mut gone = Vec::new();
        let mut lingers = false;
        for channel in &channels {
            if channel.tend(now) {
                gone.push(Rc::clone(channel));
            } else {
                lingers |= channel.lingers();
            }
        }
        let mut state = self.state.borrow_mut();
        if !gone.is_empty() {
            for channel in &gone {
                channel.detach();
            }
            state
                .channels
                .retain(|channel| !gone.iter().any(|gone| Rc::ptr_eq(gone, channel)));
            // Whoever waits for a free number.
            for waker in core::mem::take(&mut state.wakers) {
                waker.wake();
            }
        }
        if let Some(since) = state.silent
            && now.saturating_duration_since(since) >= self.bounds.silence
        {
            state.lose(Loss::NoRoute);
        }
        lingers || state.silent.is_some()
    }

    /// Ends it. Never called from a callback.
    pub(super) fn close(&self) {
        self.pc.set_onconnectionstatechange(None);
        self.pc.set_onicecandidate(None);
        self.pc.set_ondatachannel(None);
        if let Some(handlers) = self.handlers.borrow_mut().take() {
            if let Some(window) = window() {
                let listener = handlers.page.as_ref().unchecked_ref();
                // What is not there need not be taken away.
                let _ = window.remove_event_listener_with_callback(PAGE_ENDS, listener);
            }
            if let Some((transport, _)) = &handlers.under {
                let name = JsValue::from_str("onstatechange");
                // Setting a property of an object of the browser's does not fail.
                let _ = Reflect::set(transport, &name, &JsValue::NULL);
            }
        }
        let (channels, init) = {
            let mut state = self.state.borrow_mut();
            state.lose(Loss::Closed);
            state.incoming.clear();
            (core::mem::take(&mut state.channels), state.init.take())
        };
        if let Some(init) = init {
            init.set_onopen(None);
        }
        for channel in channels {
            channel.lose();
            channel.detach();
        }
        self.pc.close();
        self.wake();
    }

    /// Our offer, which is in force when this returns.
    pub(super) async fn offer(&self) -> Result<String, Error> {
        let description = self.make_offer().await?;
        self.describe_local(RtcSdpType::Offer, &description).await?;
        Ok(description)
    }

    /// Makes an offer, which is not in force yet.
    pub(super) async fn make_offer(&self) -> Result<String, Error> {
        let offer = await_js(self.pc.create_offer()).await?;
        description_of(&offer)
    }

    /// Makes an answer, which is not in force yet.
    pub(super) async fn answer(&self) -> Result<String, Error> {
        let answer = await_js(self.pc.create_answer()).await?;
        description_of(&answer)
    }

    pub(super) async fn describe_local(
        &self,
        kind: RtcSdpType,
        description: &str,
    ) -> Result<(), Error> {
        let init = described(kind, description);
        await_js(self.pc.set_local_description(&init)).await?;
        Ok(())
    }

    pub(super) async fn describe_remote(
        &self,
        kind: RtcSdpType,
        description: &str,
    ) -> Result<(), Error> {
        let init = described(kind, description);
        await_js(self.pc.set_remote_description(&init)).await?;
        Ok(())
    }

    /// Tries a candidate of the remote's. One that the browser does not like is no reason to give up.
    pub(super) fn try_candidate(&self, candidate: &Candidate) {
        let init = RtcIceCandidateInit::new(&candidate.candidate);
        init.set_sdp_mid(candidate.sdp_mid.as_deref());
        init.set_sdp_m_line_index(candidate.sdp_m_line_index);
        if let Some(user) = &candidate.username_fragment {
            // Setting a property of a fresh object does not fail.
            let _ = Reflect::set(&init, &JsValue::from_str("usernameFragment"), &user.into());
        }
        let tried = self
            .pc
            .add_ice_candidate_with_opt_rtc_ice_candidate_init(Some(&init));
        wasm_bindgen_futures::spawn_local(async move {
            if JsFuture::from(tried).await.is_err() {
                tracing::debug!("the browser did not take a candidate");
            }
        });
    }
}

impl State {
    fn lose(&mut self, loss: Loss) {
        if !matches!(self.phase, Phase::Lost(_)) {
            self.phase = Phase::Lost(loss);
        }
    }
}

impl core::fmt::Debug for Peer {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        f.debug_struct("Peer")
            .field("phase", &self.phase())
            .field("streams", &self.streams())
            .finish_non_exhaustive()
    }
}

fn described(kind: RtcSdpType, description: &str) -> RtcSessionDescriptionInit {
    let init = RtcSessionDescriptionInit::new(kind);
    init.set_sdp(description);
    init
}

fn window() -> Option<web_sys::Window> {
    js_sys::global().dyn_into().ok()
}

fn create_channel(
    pc: &RtcPeerConnection,
    label: &str,
    id: Option<u16>,
) -> Result<RtcDataChannel, Error> {
    let init = web_sys::RtcDataChannelInit::new();
    if let Some(id) = id {
        init.set_negotiated(true);
        init.set_id(id);
    }
    // web-sys says that this cannot fail; it can, when all numbers are taken or the connection is closed.
    let create = Reflect::get(pc, &JsValue::from_str("createDataChannel"))
        .ok()
        .and_then(|create| create.dyn_into::<js_sys::Function>().ok())
        .ok_or(Error::NotABrowser)?;
    let dc = create
        .call2(pc, &JsValue::from_str(label), &init)
        .map_err(|error| browser_error(&error))?;
    Ok(dc.unchecked_into())
}

fn set(object: &Object, name: &str, value: &JsValue) -> Result<(), Error> {
    Reflect::set(object, &JsValue::from_str(name), value).map_err(|error| browser_error(&error))?;
    Ok(())
}

async fn await_js(promise: js_sys::Promise) -> Result<JsValue, Error> {
    JsFuture::from(promise)
        .await
        .map_err(|error| browser_error(&error))
}

fn description_of(description: &JsValue) -> Result<String, Error> {
    Reflect::get(description, &JsValue::from_str("sdp"))
        .ok()
        .and_then(|sdp| sdp.as_string())
        .ok_or_else(|| Error::Browser("no session description".to_owned()))
}

/// The certificate of this peer. Made once: a fresh one for each connection costs each dial some milliseconds, and whoever is connected
/// to knows the peer anyway.
async fn certificate(shared: &Shared) -> Result<JsValue, Error> {
    if let Some(known) = shared.certificate() {
        return Ok(known);
    }
    let kind = Object::new();
    set(&kind, "name", &"ECDSA".into())?;
    set(&kind, "namedCurve", &"P-256".into())?;
    let made = RtcPeerConnection::generate_certificate_with_object(&kind);
    let made = await_js(made.map_err(|error| browser_error(&error))?).await?;
    shared.keep_certificate(&made);
    Ok(made)
}
