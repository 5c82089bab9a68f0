//! Why there is no connection, or none any more.

use crate::limits::Refused;
use crate::signal::SignalError;

/// Why a connection could not be made or has ended.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Error {
    /// This is not a browser: only there is WebRTC at hand for this crate.
    #[error("WebRTC between browsers needs a browser; this program is not running in one")]
    NotABrowser,
    /// Switched off by [`Behaviour::set_enabled`](crate::Behaviour::set_enabled).
    #[error("WebRTC is switched off, so that no network address is shown to other peers")]
    SwitchedOff,
    /// Not an address that this transport dials or listens on.
    #[error("not an address of the form <relay>/p2p-circuit/webrtc/p2p/<peer>")]
    Address,
    /// The remote cannot be reached through the relay, so nothing can be negotiated.
    #[error("the peer could not be reached through the relay: {0}")]
    Carrier(String),
    /// The remote does not speak the signalling protocol: it is no browser, or hides its network address.
    #[error("the peer does not take direct connections")]
    NotOffered,
    /// A limit of ours.
    #[error(transparent)]
    Refused(#[from] Refused),
    /// What the remote said was wrong, or it ended the negotiation.
    #[error(transparent)]
    Signal(#[from] SignalError),
    /// The other side dialed at the same time; its connection takes the place of this one.
    #[error("the peer dialed at the same time, and its connection is used")]
    Superseded,
    /// Nothing came of it within the time.
    #[error("the negotiation took too long")]
    Timeout,
    /// No way between the two networks was found, or it was lost.
    #[error("no direct way between the two networks was found, or it was lost")]
    NoRoute,
    /// The remote or this side has closed the connection.
    #[error("the connection was closed")]
    Closed,
    /// The server at the address is another peer than the address names.
    #[error("another peer answered than the address names")]
    WrongPeer,
    /// The browser refused something.
    #[error("the browser refused it: {0}")]
    Browser(String),
}

impl Error {
    /// A stable name for programs.
    #[must_use]
    pub const fn code(&self) -> &'static str {
        match self {
            Self::NotABrowser => "webrtc-not-a-browser",
            Self::SwitchedOff => "webrtc-switched-off",
            Self::Address => "webrtc-address",
            Self::Carrier(_) => "webrtc-carrier",
            Self::NotOffered => "webrtc-not-offered",
            Self::Refused(refused) => refused.code(),
            Self::Signal(error) => error.code(),
            Self::Superseded => "webrtc-superseded",
            Self::Timeout => "webrtc-timeout",
            Self::NoRoute => "webrtc-no-route",
            Self::Closed => "webrtc-closed",
            Self::WrongPeer => "webrtc-wrong-peer",
            Self::Browser(_) => "webrtc-browser",
        }
    }
}

impl From<Error> for std::io::Error {
    fn from(error: Error) -> Self {
        Self::other(error)
    }
}
