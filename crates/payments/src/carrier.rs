//! Who brings requests to mints that have no web address: the peer's own network, which is not known here.

use std::sync::Arc;

use async_trait::async_trait;
use haggle_protocol::mint::Why;

use crate::remote::Threads;

pub use haggle_protocol::PublicKey;
pub use haggle_protocol::mint::{Answer, Request};

/// Why no answer of a mint came. What the mint did is not known by it: it may have had the request, or an earlier one.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum NotCarried {
    /// No way to the peer is known, or none leads there now.
    #[error("the peer that carries this mint cannot be reached")]
    Unreachable,
    /// The peer is there and carries no mint.
    #[error("the peer of that name carries no mint")]
    NoMint,
    /// The connection ended before the answer came, or it did not come in time.
    #[error("the answer was lost on its way")]
    Lost,
    /// More is asked at the same time than is carried.
    #[error("too much is being asked at the same time")]
    Busy,
    /// The peer did not bring it, and said why.
    #[error("the peer that carries this mint says {}", .0.code())]
    Refused(Why),
}

/// Brings requests to mints that peers carry.
#[cfg_attr(target_arch = "wasm32", async_trait(?Send))]
#[cfg_attr(not(target_arch = "wasm32"), async_trait)]
pub trait Carrier: Threads {
    /// Brings a request to the mint of the peer with this key, and what it answers back.
    ///
    /// # Errors
    /// [`NotCarried`].
    async fn carry(&self, mint: &PublicKey, request: Request) -> Result<Answer, NotCarried>;
}

/// A carrier, shared by all who ask.
pub type SharedCarrier = Arc<dyn Carrier>;

/// No network: every mint of a peer is out of reach.
#[derive(Clone, Copy, Debug, Default)]
pub struct Nobody;

#[cfg_attr(target_arch = "wasm32", async_trait(?Send))]
#[cfg_attr(not(target_arch = "wasm32"), async_trait)]
impl Carrier for Nobody {
    async fn carry(&self, _: &PublicKey, _: Request) -> Result<Answer, NotCarried> {
        Err(NotCarried::Unreachable)
    }
}
