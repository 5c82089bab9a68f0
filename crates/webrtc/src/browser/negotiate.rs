//! How two browsers come to a connection: the exchange of [`signal`](crate::signal), acted out with a browser.

use std::future::{Future, poll_fn};
use std::pin::pin;
use std::rc::Rc;
use std::sync::Arc;
use std::task::Poll;
use std::time::Duration;

use futures::channel::oneshot;
use futures::future::{Either, select};
use futures_timer::Delay;
use libp2p_swarm::Stream;
use send_wrapper::SendWrapper;
use wasm_bindgen_futures::spawn_local;
use web_sys::RtcSdpType;

use super::connection::Connection;
use super::peer::{Peer, Phase};
use crate::config::Shared;
use crate::error::Error;
use crate::halves::Acknowledge;
use crate::signal::{Description, Negotiation, Signal, SignalError, Signals, Todo};

/// How long the end of the exchange may take, which happens beside the connection's use.
const FAREWELL: Duration = Duration::from_secs(5);

/// How long a connection may still take once the remote says no more: it may be connected already, and we not yet.
const LAST_CHANCE: Duration = Duration::from_secs(5);

/// Closes the connection unless it was handed on.
struct Guard(Option<Rc<Peer>>);

impl Guard {
    fn peer(&self) -> Result<&Rc<Peer>, Error> {
        self.0.as_ref().ok_or(Error::Closed)
    }

    fn done(mut self) -> Result<Connection, Error> {
        self.0.take().map(Connection::new).ok_or(Error::Closed)
    }
}

impl Drop for Guard {
    fn drop(&mut self) {
        if let Some(peer) = self.0.take() {
            peer.close();
        }
    }
}

/// An offer that only needs a stream to be made on. It gathers our addresses already.
pub(crate) struct Offer {
    inner: SendWrapper<Inner>,
}

struct Inner {
    peer: Guard,
    shared: Arc<Shared>,
    description: String,
    init: oneshot::Receiver<()>,
}

impl Offer {
    pub(crate) fn prepare(shared: Arc<Shared>) -> impl Future<Output = Result<Self, Error>> + Send {
        SendWrapper::new(async move {
            let peer = Guard(Some(Peer::new(&shared, Acknowledge::AtOnce).await?));
            let init = peer.peer()?.open_init()?;
            let description = peer.peer()?.offer().await?;
            Ok(Self {
                inner: SendWrapper::new(Inner {
                    peer,
                    shared,
                    description,
                    init,
                }),
            })
        })
    }

    /// Makes the offer and waits for the connection.
    pub(crate) fn make(
        self,
        stream: Stream,
    ) -> impl Future<Output = Result<Connection, Error>> + Send {
        SendWrapper::new(async move {
            let Inner {
                peer,
                shared,
                description,
                init,
            } = self.inner.take();
            let limits = shared.config.limits;
            let mut signals = Signals::new(stream, &limits);
            signals.say(Signal::Offer(description)).await?;
            let mut negotiation = Negotiation::initiator(limits, shared.place());
            let Todo::Describe(Description(answer)) = negotiation.hear(signals.hear().await?)?
            else {
                return Err(SignalError::OutOfOrder.into());
            };
            peer.peer()?
                .describe_remote(RtcSdpType::Answer, &answer)
                .await?;
            until_connected(peer.peer()?, &mut signals, &mut negotiation).await?;
            // The remote waits for the stream until it is connected itself, which it is when the channel is open.
            let weak = Rc::downgrade(peer.peer()?);
            spawn_local(async move {
                select(init, Delay::new(FAREWELL)).await;
                if let Some(peer) = weak.upgrade() {
                    peer.close_init();
                }
                select(pin!(signals.close()), Delay::new(FAREWELL)).await;
            });
            peer.done()
        })
    }
}

/// Answers the offer that comes on the stream and waits for the connection.
pub(crate) fn answer(
    stream: Stream,
    shared: Arc<Shared>,
) -> impl Future<Output = Result<Connection, Error>> + Send {
    SendWrapper::new(async move {
        let limits = shared.config.limits;
        let mut signals = Signals::new(stream, &limits);
        let mut negotiation = Negotiation::responder(limits, shared.place());
        let Todo::Describe(Description(offer)) = negotiation.hear(signals.hear().await?)? else {
            return Err(SignalError::OutOfOrder.into());
        };
        let peer = Guard(Some(Peer::new(&shared, Acknowledge::AtOnce).await?));
        peer.peer()?
            .describe_remote(RtcSdpType::Offer, &offer)
            .await?;
        let answer = peer.peer()?.answer().await?;
        // Candidates come only once the answer is in force, and so after it on the stream.
        signals.say(Signal::Answer(answer.clone())).await?;
        peer.peer()?
            .describe_local(RtcSdpType::Answer, &answer)
            .await?;
        until_connected(peer.peer()?, &mut signals, &mut negotiation).await?;
        spawn_local(async move {
            // The initiator closes it when it sees that both are connected.
            {
                let heard = pin!(async { while signals.hear().await.is_ok() {} });
                select(heard, Delay::new(FAREWELL)).await;
            }
            select(pin!(signals.close()), Delay::new(FAREWELL)).await;
        });
        peer.done()
    })
}

enum News {
    Phase(Phase),
    Candidate(String),
    Heard(Result<Signal, SignalError>),
}

/// Exchanges candidates until the connection stands.
async fn until_connected(
    peer: &Rc<Peer>,
    signals: &mut Signals<Stream>,
    negotiation: &mut Negotiation,
) -> Result<(), Error> {
    loop {
        let news = {
            let mut hear = pin!(signals.hear());
            poll_fn(|cx| {
                peer.wait(cx);
                let phase = peer.phase();
                if phase != Phase::Connecting {
                    return Poll::Ready(News::Phase(phase));
                }
                if let Some(candidate) = peer.next_candidate() {
                    return Poll::Ready(News::Candidate(candidate));
                }
                hear.as_mut().poll(cx).map(News::Heard)
            })
            .await
        };
        match news {
            News::Phase(Phase::Lost(loss)) => return Err(loss.error()),
            News::Phase(Phase::Connecting | Phase::Connected) => return Ok(()),
            News::Candidate(candidate) => {
                if signals.say(Signal::Candidate(candidate)).await.is_err() {
                    return last_chance(peer).await;
                }
            }
            News::Heard(Ok(signal)) => match negotiation.hear(signal)? {
                Todo::Try(candidate) => peer.try_candidate(&candidate),
                Todo::Nothing => {}
                Todo::Describe(_) => return Err(SignalError::OutOfOrder.into()),
            },
            News::Heard(Err(SignalError::Ended)) => return last_chance(peer).await,
            News::Heard(Err(error)) => return Err(error.into()),
        }
    }
}

async fn last_chance(peer: &Rc<Peer>) -> Result<(), Error> {
    let over = poll_fn(|cx| {
        peer.wait(cx);
        match peer.phase() {
            Phase::Connecting => Poll::Pending,
            phase @ (Phase::Connected | Phase::Lost(_)) => Poll::Ready(phase),
        }
    });
    match select(pin!(over), Delay::new(LAST_CHANCE)).await {
        Either::Left((Phase::Lost(loss), _)) => Err(loss.error()),
        Either::Left(_) => Ok(()),
        Either::Right(_) => Err(SignalError::Ended.into()),
    }
}
