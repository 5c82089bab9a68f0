//! A window on what passes: every byte of every stream, above the transport's encryption, in both directions.
//!
//! It shows what an operator of a relay could see at the most, which is how a test proves that no quote passes in the
//! clear. Without a tap, nothing is wrapped and nothing is spent.

use std::io;
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::task::{Context, Poll};

use futures::{AsyncRead, AsyncWrite};
use libp2p::PeerId;
use libp2p::core::muxing::{StreamMuxer, StreamMuxerBox, StreamMuxerEvent, SubstreamBox};

/// Which way bytes went.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Direction {
    /// The peer sent them.
    In,
    /// The relay sent them.
    Out,
}

/// Some bytes of one stream.
#[derive(Clone, Copy, Debug)]
pub struct TapEvent<'a> {
    /// With whom the stream is.
    pub peer: PeerId,
    /// Which stream, counted from 0 over all connections of one tap.
    pub stream: u64,
    /// Which way.
    pub direction: Direction,
    /// The bytes.
    pub bytes: &'a [u8],
}

/// Is shown everything that passes.
pub type Tap = Arc<dyn Fn(TapEvent<'_>) + Send + Sync>;

/// Puts the tap, if there is one, between the relay and a connection.
pub(crate) fn tapped(tap: Option<&Tapped>, peer: PeerId, muxer: StreamMuxerBox) -> StreamMuxerBox {
    match tap {
        None => muxer,
        Some(tapped) => StreamMuxerBox::new(TappedMuxer {
            inner: muxer,
            peer,
            tapped: tapped.clone(),
        }),
    }
}

/// A tap and its count of streams.
#[derive(Clone)]
pub(crate) struct Tapped {
    tap: Tap,
    streams: Arc<AtomicU64>,
}

impl Tapped {
    pub(crate) fn new(tap: Tap) -> Self {
        Self {
            tap,
            streams: Arc::default(),
        }
    }
}

struct TappedMuxer {
    inner: StreamMuxerBox,
    peer: PeerId,
    tapped: Tapped,
}

impl TappedMuxer {
    fn wrap(&self, inner: SubstreamBox) -> TappedStream {
        TappedStream {
            inner,
            peer: self.peer,
            stream: self.tapped.streams.fetch_add(1, Ordering::Relaxed),
            tap: Arc::clone(&self.tapped.tap),
        }
    }
}

impl StreamMuxer for TappedMuxer {
    type Substream = TappedStream;
    type Error = io::Error;

    fn poll_inbound(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<io::Result<TappedStream>> {
        let poll = Pin::new(&mut self.inner).poll_inbound(cx);
        poll.map_ok(|stream| self.wrap(stream))
    }

    fn poll_outbound(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<io::Result<TappedStream>> {
        let poll = Pin::new(&mut self.inner).poll_outbound(cx);
        poll.map_ok(|stream| self.wrap(stream))
    }

    fn poll_close(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.inner).poll_close(cx)
    }

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<StreamMuxerEvent>> {
        Pin::new(&mut self.inner).poll(cx)
    }
}

struct TappedStream {
    inner: SubstreamBox,
    peer: PeerId,
    stream: u64,
    tap: Tap,
}

impl TappedStream {
    fn show(&self, direction: Direction, bytes: &[u8]) {
        if !bytes.is_empty() {
            (self.tap)(TapEvent {
                peer: self.peer,
                stream: self.stream,
                direction,
                bytes,
            });
        }
    }
}

impl AsyncRead for TappedStream {
    fn poll_read(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buffer: &mut [u8],
    ) -> Poll<io::Result<usize>> {
        let poll = Pin::new(&mut self.inner).poll_read(cx, buffer);
        if let Poll::Ready(Ok(read)) = &poll {
            self.show(Direction::In, &buffer[..*read]);
        }
        poll
    }
}

impl AsyncWrite for TappedStream {
    fn poll_write(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        let poll = Pin::new(&mut self.inner).poll_write(cx, bytes);
        if let Poll::Ready(Ok(written)) = &poll {
            self.show(Direction::Out, &bytes[..*written]);
        }
        poll
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.inner).poll_flush(cx)
    }

    fn poll_close(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.inner).poll_close(cx)
    }
}
