//! Where there is no browser: everything compiles, nothing is dialed. See [`Error::NotABrowser`].

use std::sync::Arc;
use std::task::{Context, Poll};

use libp2p_core::muxing::{StreamMuxer, StreamMuxerEvent};

use crate::config::Shared;
use crate::error::Error;

/// A connection, which cannot exist here.
#[derive(Debug)]
pub enum Connection {}

/// A stream, which cannot exist here.
#[derive(Debug)]
pub enum Stream {}

/// An offer, which cannot be made here.
#[derive(Debug)]
pub(crate) enum Offer {}

pub(crate) const fn is_here() -> Result<(), Error> {
    Err(Error::NotABrowser)
}

impl Offer {
    pub(crate) fn prepare(_: Arc<Shared>) -> std::future::Ready<Result<Self, Error>> {
        std::future::ready(Err(Error::NotABrowser))
    }

    pub(crate) fn make(
        self,
        _: libp2p_swarm::Stream,
    ) -> std::future::Ready<Result<Connection, Error>> {
        match self {}
    }
}

pub(crate) fn answer(
    _: libp2p_swarm::Stream,
    _: Arc<Shared>,
) -> std::future::Ready<Result<Connection, Error>> {
    std::future::ready(Err(Error::NotABrowser))
}

impl StreamMuxer for Connection {
    type Substream = Stream;
    type Error = Error;

    fn poll_inbound(
        self: std::pin::Pin<&mut Self>,
        _: &mut Context<'_>,
    ) -> Poll<Result<Stream, Error>> {
        match *self {}
    }

    fn poll_outbound(
        self: std::pin::Pin<&mut Self>,
        _: &mut Context<'_>,
    ) -> Poll<Result<Stream, Error>> {
        match *self {}
    }

    fn poll_close(self: std::pin::Pin<&mut Self>, _: &mut Context<'_>) -> Poll<Result<(), Error>> {
        match *self {}
    }

    fn poll(
        self: std::pin::Pin<&mut Self>,
        _: &mut Context<'_>,
    ) -> Poll<Result<StreamMuxerEvent, Error>> {
        match *self {}
    }
}

impl futures::AsyncRead for Stream {
    fn poll_read(
        self: std::pin::Pin<&mut Self>,
        _: &mut Context<'_>,
        _: &mut [u8],
    ) -> Poll<std::io::Result<usize>> {
        match *self {}
    }
}

impl futures::AsyncWrite for Stream {
    fn poll_write(
        self: std::pin::Pin<&mut Self>,
        _: &mut Context<'_>,
        _: &[u8],
    ) -> Poll<std::io::Result<usize>> {
        match *self {}
    }

    fn poll_flush(
        self: std::pin::Pin<&mut Self>,
        _: &mut Context<'_>,
    ) -> Poll<std::io::Result<()>> {
        match *self {}
    }

    fn poll_close(
        self: std::pin::Pin<&mut Self>,
        _: &mut Context<'_>,
    ) -> Poll<std::io::Result<()>> {
        match *self {}
    }
}
