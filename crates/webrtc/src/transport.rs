//! The half of the crate that lives among the swarm's transports: dials and listens, by streams that the behaviour brings.

use std::collections::VecDeque;
use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};

use futures::channel::{mpsc, oneshot};
use futures::future::{BoxFuture, Either, FutureExt as _, select};
use futures::{SinkExt as _, StreamExt as _};
use futures_timer::Delay;
use libp2p_core::Multiaddr;
use libp2p_core::multiaddr::Protocol;
use libp2p_core::transport::{DialOpts, ListenerId, TransportError, TransportEvent};
use libp2p_identity::PeerId;

use crate::addr::{self, webrtc_through};
use crate::behaviour::{Offered, Opened, ToTransport, Wanted};
use crate::config::Shared;
use crate::error::Error;
use crate::platform::{Connection, Offer, answer};

type Event = TransportEvent<BoxFuture<'static, Result<(PeerId, Connection), Error>>, Error>;

/// See [`new`](crate::new).
#[derive(Debug)]
pub struct Transport {
    me: PeerId,
    shared: Arc<Shared>,
    wanted: mpsc::Sender<Wanted>,
    from_behaviour: mpsc::Receiver<ToTransport>,
    listener: Option<ListenerId>,
    /// Where we can be reached, as relays know it.
    reachable: Vec<Multiaddr>,
    events: VecDeque<Event>,
    waker: Option<std::task::Waker>,
}

impl Transport {
    pub(crate) fn new(
        me: PeerId,
        shared: Arc<Shared>,
        wanted: mpsc::Sender<Wanted>,
        from_behaviour: mpsc::Receiver<ToTransport>,
    ) -> Self {
        Self {
            me,
            shared,
            wanted,
            from_behaviour,
            listener: None,
            reachable: Vec::new(),
            events: VecDeque::new(),
            waker: None,
        }
    }

    fn push(&mut self, event: Event) {
        self.events.push_back(event);
        if let Some(waker) = self.waker.take() {
            waker.wake();
        }
    }

    fn announce(&mut self, listener_id: ListenerId, relayed: &Multiaddr, new: bool) {
        if let Some(listen_addr) = webrtc_through(relayed, self.me) {
            self.push(if new {
                TransportEvent::NewAddress {
                    listener_id,
                    listen_addr,
                }
            } else {
                TransportEvent::AddressExpired {
                    listener_id,
                    listen_addr,
                }
            });
        }
    }

    fn hear(&mut self, news: ToTransport) {
        match news {
            ToTransport::Reachable(relayed) => {
                if !self.reachable.contains(&relayed) {
                    self.reachable.push(relayed.clone());
                    if let Some(listener) = self.listener {
                        self.announce(listener, &relayed, true);
                    }
                }
            }
            ToTransport::Unreachable(relayed) => {
                self.reachable.retain(|known| *known != relayed);
                if let Some(listener) = self.listener {
                    self.announce(listener, &relayed, false);
                }
            }
            ToTransport::Offered(offered) => {
                let Offered {
                    peer,
                    stream,
                    entry,
                    called_off,
                    over,
                } = *offered;
                // Without a listener the stream is dropped, which tells the remote.
                let Some(listener_id) = self.listener.filter(|_| self.shared.takes_offers()) else {
                    return;
                };
                let shared = Arc::clone(&self.shared);
                let upgrade = async move {
                    let _entry = entry;
                    let limit = shared.config.limits.time;
                    let answered = within(limit, answer(stream, shared));
                    match select(Box::pin(answered), called_off).await {
                        Either::Left((answered, _)) => Ok((peer, answered?)),
                        Either::Right(_) => Err(Error::Superseded),
                    }
                };
                let event = TransportEvent::Incoming {
                    listener_id,
                    upgrade: upgrade.boxed(),
                    // Not just `/webrtc`, which js-libp2p says: told back to it as the address under which it was seen,
                    // it fails its identify.
                    local_addr: over.clone().with(Protocol::WebRTC),
                    send_back_addr: over.with(Protocol::WebRTC).with(Protocol::P2p(peer)),
                };
                self.push(event);
            }
        }
    }
}

/// Fails with [`Error::Timeout`] after the time.
pub(crate) async fn within<T>(
    limit: core::time::Duration,
    work: impl Future<Output = Result<T, Error>> + Send,
) -> Result<T, Error> {
    match select(Box::pin(work), Delay::new(limit)).await {
        Either::Left((done, _)) => done,
        Either::Right(((), _)) => Err(Error::Timeout),
    }
}

impl libp2p_core::Transport for Transport {
    type Output = (PeerId, Connection);
    type Error = Error;
    type ListenerUpgrade = BoxFuture<'static, Result<Self::Output, Error>>;
    type Dial = BoxFuture<'static, Result<Self::Output, Error>>;

    /// Listens on `/webrtc`: wherever a relay has a place for us, offers are taken.
    fn listen_on(
        &mut self,
        id: ListenerId,
        address: Multiaddr,
    ) -> Result<(), TransportError<Error>> {
        if !addr::is_to_listen_on(&address) {
            return Err(TransportError::MultiaddrNotSupported(address));
        }
        crate::platform::is_here().map_err(TransportError::Other)?;
        self.listener = Some(id);
        self.shared.set_listening(true);
        for relayed in self.reachable.clone() {
            self.announce(id, &relayed, true);
        }
        Ok(())
    }

    fn remove_listener(&mut self, id: ListenerId) -> bool {
        if self.listener != Some(id) {
            return false;
        }
        self.listener = None;
        self.shared.set_listening(false);
        self.push(TransportEvent::ListenerClosed {
            listener_id: id,
            reason: Ok(()),
        });
        true
    }

    fn dial(
        &mut self,
        address: Multiaddr,
        _: DialOpts,
    ) -> Result<Self::Dial, TransportError<Error>> {
        if !addr::is_webrtc(&address) {
            return Err(TransportError::MultiaddrNotSupported(address));
        }
        // Not "unsupported": a relay transport after this one would take such an address for a relayed one.
        let (peer, carrier) = addr::parse(&address).ok_or(TransportError::Other(Error::Address))?;
        crate::platform::is_here().map_err(TransportError::Other)?;
        if !self.shared.is_enabled() {
            return Err(TransportError::Other(Error::SwitchedOff));
        }
        let mut to_behaviour = self.wanted.clone();
        let shared = Arc::clone(&self.shared);
        let dial = async move {
            let (reply, opened) = oneshot::channel();
            let wanted = Wanted {
                peer,
                carrier,
                reply,
            };
            let sent = to_behaviour.send(wanted).await;
            sent.map_err(|_| Error::Closed)?;
            let limit = shared.config.limits.time;
            // The offer is made while the relayed connection is.
            let opened = async { opened.await.map_err(|_| Error::Closed)? };
            let offer = Offer::prepare(Arc::clone(&shared));
            let (opened, offer) = within(limit, futures::future::try_join(opened, offer)).await?;
            let Opened {
                stream,
                entry,
                called_off,
            } = opened;
            let made = within(limit, offer.make(stream));
            let connection = match select(Box::pin(made), called_off).await {
                Either::Left((made, _)) => made?,
                Either::Right(_) => return Err(Error::Superseded),
            };
            drop(entry);
            Ok((peer, connection))
        };
        Ok(dial.boxed())
    }

    fn poll(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<TransportEvent<Self::ListenerUpgrade, Error>> {
        loop {
            if let Some(event) = self.events.pop_front() {
                return Poll::Ready(event);
            }
            match self.from_behaviour.poll_next_unpin(cx) {
                Poll::Ready(Some(news)) => self.hear(news),
                Poll::Ready(None) | Poll::Pending => {
                    self.waker = Some(cx.waker().clone());
                    return Poll::Pending;
                }
            }
        }
    }
}
