//! Opens and accepts signalling streams on one connection. A stream keeps the relayed connection alive for as long as it is
//! open, and no longer.

use std::collections::VecDeque;
use std::sync::Arc;
use std::task::{Context, Poll};

use either::Either;
use futures::channel::oneshot;
use libp2p_core::upgrade::{DeniedUpgrade, ReadyUpgrade};
use libp2p_swarm::handler::{
    ConnectionEvent, DialUpgradeError, FullyNegotiatedInbound, FullyNegotiatedOutbound,
};
use libp2p_swarm::{
    ConnectionHandler, ConnectionHandlerEvent, Stream, StreamProtocol, StreamUpgradeError,
    SubstreamProtocol,
};

use crate::behaviour::Opened;
use crate::config::Shared;
use crate::error::Error;
use crate::negotiations::Entry;
use crate::signal::PROTOCOL;

/// Open a signalling stream.
#[derive(Debug)]
pub struct Open {
    pub(crate) entry: Entry,
    pub(crate) called_off: oneshot::Receiver<()>,
    pub(crate) reply: oneshot::Sender<Result<Opened, Error>>,
}

impl Open {
    fn done(self, opened: Result<Stream, Error>) {
        let opened = opened.map(|stream| Opened {
            stream,
            entry: self.entry,
            called_off: self.called_off,
        });
        // Whoever dialed may have gone.
        let _ = self.reply.send(opened);
    }
}

/// The handler of one connection.
#[derive(Debug)]
pub struct Handler {
    shared: Arc<Shared>,
    /// Whether it can carry a negotiation: a direct connection between browsers has no use for one.
    carrier: bool,
    to_open: VecDeque<Open>,
    offered: VecDeque<Stream>,
}

impl Handler {
    pub(crate) const fn new(shared: Arc<Shared>, carrier: bool) -> Self {
        Self {
            shared,
            carrier,
            to_open: VecDeque::new(),
            offered: VecDeque::new(),
        }
    }
}

impl ConnectionHandler for Handler {
    type FromBehaviour = Open;
    type ToBehaviour = Stream;
    type InboundProtocol = Either<ReadyUpgrade<StreamProtocol>, DeniedUpgrade>;
    type OutboundProtocol = ReadyUpgrade<StreamProtocol>;
    type InboundOpenInfo = ();
    type OutboundOpenInfo = Open;

    fn listen_protocol(&self) -> SubstreamProtocol<Self::InboundProtocol> {
        if self.carrier && self.shared.takes_offers() {
            SubstreamProtocol::new(Either::Left(ReadyUpgrade::new(PROTOCOL)), ())
        } else {
            SubstreamProtocol::new(Either::Right(DeniedUpgrade), ())
        }
    }

    fn poll(
        &mut self,
        _: &mut Context<'_>,
    ) -> Poll<ConnectionHandlerEvent<Self::OutboundProtocol, Open, Stream>> {
        if let Some(stream) = self.offered.pop_front() {
            return Poll::Ready(ConnectionHandlerEvent::NotifyBehaviour(stream));
        }
        if let Some(open) = self.to_open.pop_front() {
            return Poll::Ready(ConnectionHandlerEvent::OutboundSubstreamRequest {
                protocol: SubstreamProtocol::new(ReadyUpgrade::new(PROTOCOL), open),
            });
        }
        Poll::Pending
    }

    fn on_behaviour_event(&mut self, open: Open) {
        if self.carrier {
            self.to_open.push_back(open);
        } else {
            open.done(Err(Error::NotOffered));
        }
    }

    // The other events do not concern us, and the list of them may grow.
    #[allow(clippy::wildcard_enum_match_arm)]
    fn on_connection_event(
        &mut self,
        event: ConnectionEvent<'_, Self::InboundProtocol, Self::OutboundProtocol, (), Open>,
    ) {
        match event {
            ConnectionEvent::FullyNegotiatedInbound(FullyNegotiatedInbound {
                protocol: futures::future::Either::Left(stream),
                ..
            }) => self.offered.push_back(stream),
            ConnectionEvent::FullyNegotiatedOutbound(FullyNegotiatedOutbound {
                protocol: stream,
                info,
            }) => info.done(Ok(stream)),
            ConnectionEvent::DialUpgradeError(DialUpgradeError { info, error }) => {
                info.done(Err(match error {
                    StreamUpgradeError::Timeout => Error::Timeout,
                    StreamUpgradeError::NegotiationFailed => Error::NotOffered,
                    StreamUpgradeError::Io(error) => Error::Carrier(error.to_string()),
                    StreamUpgradeError::Apply(never) => match never {},
                }));
            }
            _ => {}
        }
    }
}
