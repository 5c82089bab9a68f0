//! What a transport is started with, and what can be changed while it runs.

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use crate::candidate::Place;
use crate::limits::Limits;

/// How a transport behaves.
#[derive(Clone, Debug, Default)]
pub struct Config {
    /// Addresses of STUN or TURN servers (`stun:192.0.2.1:3478`). None by default: each one learns the network address of everybody
    /// who dials.
    pub ice_servers: Vec<IceServer>,
    /// Bounds on what strangers may ask.
    pub limits: Limits,
    /// Bounds of a connection.
    pub bounds: Bounds,
    /// Where the page was loaded from; read from its address if `None`.
    pub place: Option<Place>,
}

/// A STUN or TURN server.
#[derive(Clone, PartialEq, Eq)]
pub struct IceServer {
    /// Such as `stun:192.0.2.1:3478`.
    pub url: String,
    /// Name and password, for TURN.
    pub credential: Option<(String, String)>,
}

impl IceServer {
    /// A server that needs no password.
    #[must_use]
    pub fn stun(url: impl Into<String>) -> Self {
        Self {
            url: url.into(),
            credential: None,
        }
    }
}

impl core::fmt::Debug for IceServer {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        f.debug_struct("IceServer")
            .field("url", &self.url)
            .field("has_credential", &self.credential.is_some())
            .finish()
    }
}

/// Bounds of one connection.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Bounds {
    /// Bytes that arrived on one stream and were not read yet; beyond it the stream is reset. Data channels cannot tell the remote to
    /// wait; js-libp2p keeps as many.
    pub unread_of_stream: usize,
    /// The same, of all streams of a connection together.
    pub unread: usize,
    /// Bytes handed to the browser and not sent yet; while there are more, writing waits.
    pub unsent_of_stream: u32,
    /// Streams of a connection at the same time. Browsers share 1,024 numbers of channels between the two sides.
    pub streams: usize,
    /// Streams that the remote opened and that nobody took yet; one more is reset.
    pub waiting: usize,
    /// How long a stream that was dropped waits for the remote's last words.
    pub linger: Duration,
    /// How long a connection is kept once the browser says that it hears nothing of the remote any more. Chromium says so after six to eight
    /// seconds, Firefox after five to ten, and somebody waits for an answer meanwhile.
    pub silence: Duration,
}

impl Default for Bounds {
    fn default() -> Self {
        Self {
            unread_of_stream: 4 * 1024 * 1024,
            unread: 16 * 1024 * 1024,
            unsent_of_stream: 1024 * 1024,
            streams: 480,
            waiting: 128,
            linger: Duration::from_secs(10),
            silence: Duration::from_secs(3),
        }
    }
}

/// What the transport and the behaviour share.
#[derive(Debug)]
pub(crate) struct Shared {
    pub(crate) config: Config,
    ice_servers: Mutex<Vec<IceServer>>,
    enabled: AtomicBool,
    listening: AtomicBool,
    #[cfg(target_arch = "wasm32")]
    certificate: Mutex<Option<Certificate>>,
}

/// What connections are recognised by. Belongs to the page's thread.
#[cfg(target_arch = "wasm32")]
struct Certificate(send_wrapper::SendWrapper<wasm_bindgen::JsValue>);

#[cfg(target_arch = "wasm32")]
impl core::fmt::Debug for Certificate {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        f.write_str("Certificate")
    }
}

impl Shared {
    pub(crate) fn new(config: Config) -> Arc<Self> {
        Arc::new(Self {
            ice_servers: Mutex::new(config.ice_servers.clone()),
            config,
            enabled: AtomicBool::new(true),
            listening: AtomicBool::new(false),
            #[cfg(target_arch = "wasm32")]
            certificate: Mutex::new(None),
        })
    }

    #[cfg(target_arch = "wasm32")]
    pub(crate) fn certificate(&self) -> Option<wasm_bindgen::JsValue> {
        let known = lock(&self.certificate);
        known.as_ref().map(|known| (*known.0).clone())
    }

    #[cfg(target_arch = "wasm32")]
    pub(crate) fn keep_certificate(&self, made: &wasm_bindgen::JsValue) {
        let made = send_wrapper::SendWrapper::new(made.clone());
        *lock(&self.certificate) = Some(Certificate(made));
    }

    pub(crate) fn ice_servers(&self) -> Vec<IceServer> {
        lock(&self.ice_servers).clone()
    }

    pub(crate) fn set_ice_servers(&self, servers: Vec<IceServer>) {
        *lock(&self.ice_servers) = servers;
    }

    pub(crate) fn is_enabled(&self) -> bool {
        self.enabled.load(Ordering::Relaxed)
    }

    pub(crate) fn set_enabled(&self, enabled: bool) {
        self.enabled.store(enabled, Ordering::Relaxed);
    }

    pub(crate) fn set_listening(&self, listening: bool) {
        self.listening.store(listening, Ordering::Relaxed);
    }

    /// Whether offers of others are taken.
    pub(crate) fn takes_offers(&self) -> bool {
        self.is_enabled() && self.listening.load(Ordering::Relaxed)
    }

    #[cfg(target_arch = "wasm32")]
    pub(crate) fn place(&self) -> Place {
        self.config.place.unwrap_or_else(|| {
            let host = js_sys::global();
            let host = wasm_bindgen::JsCast::dyn_into::<web_sys::Window>(host)
                .ok()
                .and_then(|window| window.location().hostname().ok());
            Place::of_host(&host.unwrap_or_default())
        })
    }
}

/// Nothing panics while one of our locks is held, and what it guards is whole at every step.
pub(crate) fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
