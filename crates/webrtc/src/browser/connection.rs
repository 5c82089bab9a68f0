//! The connection as libp2p sees it: a muxer whose streams are data channels.

use std::pin::Pin;
use std::rc::Rc;
use std::task::{Context, Poll};
use std::time::Duration;

use futures::FutureExt as _;
use futures_timer::Delay;
use libp2p_core::muxing::{StreamMuxer, StreamMuxerEvent};
use send_wrapper::SendWrapper;

use super::channel::Stream;
use super::peer::{Peer, Phase};
use crate::error::Error;

/// How often is looked whether something has waited long enough, while anything waits.
const TICK: Duration = Duration::from_secs(1);

/// A direct connection to another browser, or to a server. Dropping it closes it.
pub struct Connection {
    peer: SendWrapper<Rc<Peer>>,
    tick: Option<Delay>,
}

impl Connection {
    pub(super) fn new(peer: Rc<Peer>) -> Self {
        Self {
            peer: SendWrapper::new(peer),
            tick: None,
        }
    }

    fn alive(&self) -> Result<(), Error> {
        match self.peer.phase() {
            Phase::Lost(loss) => Err(loss.error()),
            Phase::Connecting | Phase::Connected => Ok(()),
        }
    }
}

impl core::fmt::Debug for Connection {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        f.debug_tuple("Connection").field(&**self.peer).finish()
    }
}

impl Drop for Connection {
    fn drop(&mut self) {
        self.peer.close();
    }
}

impl StreamMuxer for Connection {
    type Substream = Stream;
    type Error = Error;

    fn poll_inbound(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Result<Stream, Error>> {
        if let Some(channel) = self.peer.next_incoming() {
            return Poll::Ready(Ok(Stream::new(channel)));
        }
        self.alive()?;
        self.peer.wait(cx);
        Poll::Pending
    }

    fn poll_outbound(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Result<Stream, Error>> {
        self.alive()?;
        let streams = self.peer.streams();
        if streams < self.peer.bounds().streams {
            match self.peer.open() {
                Ok(channel) => return Poll::Ready(Ok(Stream::new(channel))),
                // All numbers are taken: some come back when streams end.
                Err(_) if streams > 0 => {}
                Err(error) => return Poll::Ready(Err(error)),
            }
        }
        self.peer.wait(cx);
        Poll::Pending
    }

    fn poll_close(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<Result<(), Error>> {
        self.peer.close();
        Poll::Ready(Ok(()))
    }

    fn poll(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Result<StreamMuxerEvent, Error>> {
        self.peer.wait(cx);
        let keep_time = self.peer.tend();
        self.alive()?;
        if keep_time {
            let tick = self.tick.get_or_insert_with(|| Delay::new(TICK));
            if tick.poll_unpin(cx).is_ready() {
                tick.reset(TICK);
                // Registers the timer anew.
                cx.waker().wake_by_ref();
            }
        } else {
            self.tick = None;
        }
        Poll::Pending
    }
}
