//! The door for browsers: a libp2p transport whose connections come from the HTTP port.
//!
//! One port serves the site, health, metrics and the bootstrap list, and carries libp2p over WebSocket; so an operator needs
//! one port and one certificate. The HTTP server upgrades a request ([`crate::http`]) and pushes the stream through a bounded
//! channel; here it comes out as an incoming connection, with the client's address as the HTTP server knows it (behind a
//! trusted proxy: the address that the proxy names).

use std::collections::VecDeque;
use std::io;
use std::pin::Pin;
use std::task::{Context, Poll};

use bytes::Bytes;
use futures::future::{Ready, ready};
use futures::{Sink, Stream};
use hyper::upgrade::Upgraded;
use hyper_util::rt::TokioIo;
use libp2p::Multiaddr;
use libp2p::core::transport::{DialOpts, ListenerId, TransportError, TransportEvent};
use rw_stream_sink::RwStreamSink;
use tokio::sync::mpsc;
use tokio_tungstenite::WebSocketStream;
use tokio_tungstenite::tungstenite::protocol::{Role, WebSocketConfig};
use tokio_tungstenite::tungstenite::{Error as WsError, Message};

/// One WebSocket message, in bytes. Noise writes at most 64 KiB at a time; browsers join a few.
const MESSAGE_MAX: usize = 256 * 1_024;
/// What is read from the socket at a time, in bytes; the library's 128 KiB for each connection would be 500 MiB for all.
const READ_BUFFER: usize = 8 * 1_024;
/// Connections that stand at the door until the swarm looks.
pub(crate) const WAITING_MAX: usize = 64;

/// A WebSocket as a stream of bytes.
pub(crate) type WsStream = RwStreamSink<WsBytes>;

/// Somebody at the door.
pub(crate) struct Knock {
    pub(crate) stream: WsStream,
    pub(crate) remote: Multiaddr,
}

/// Makes a stream of bytes of an upgraded HTTP connection.
pub(crate) async fn websocket(upgraded: Upgraded) -> WsStream {
    let config = WebSocketConfig::default()
        .read_buffer_size(READ_BUFFER)
        // Each message is written at once: libp2p flushes when it means it.
        .write_buffer_size(0)
        .max_write_buffer_size(2 * MESSAGE_MAX)
        .max_message_size(Some(MESSAGE_MAX))
        .max_frame_size(Some(MESSAGE_MAX));
    let io = TokioIo::new(upgraded);
    let socket = WebSocketStream::from_raw_socket(io, Role::Server, Some(config)).await;
    RwStreamSink::new(WsBytes(socket))
}

/// WebSocket messages as plain bytes.
pub(crate) struct WsBytes(WebSocketStream<TokioIo<Upgraded>>);

impl Stream for WsBytes {
    type Item = io::Result<Vec<u8>>;

    fn poll_next(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        loop {
            let message = match Pin::new(&mut self.0).poll_next(cx) {
                Poll::Pending => return Poll::Pending,
                Poll::Ready(None) => return Poll::Ready(None),
                Poll::Ready(Some(Err(WsError::ConnectionClosed))) => return Poll::Ready(None),
                Poll::Ready(Some(Err(error))) => return Poll::Ready(Some(Err(other(error)))),
                Poll::Ready(Some(Ok(message))) => message,
            };
            match message {
                Message::Binary(bytes) => return Poll::Ready(Some(Ok(bytes.into()))),
                Message::Close(_) => return Poll::Ready(None),
                // The library answers pings by itself.
                Message::Ping(_) | Message::Pong(_) => {}
                Message::Text(_) | Message::Frame(_) => {
                    let error = io::Error::new(io::ErrorKind::InvalidData, "not binary");
                    return Poll::Ready(Some(Err(error)));
                }
            }
        }
    }
}

impl Sink<Vec<u8>> for WsBytes {
    type Error = io::Error;

    fn poll_ready(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.0).poll_ready(cx).map_err(other)
    }

    fn start_send(mut self: Pin<&mut Self>, bytes: Vec<u8>) -> io::Result<()> {
        Pin::new(&mut self.0)
            .start_send(Message::Binary(Bytes::from(bytes)))
            .map_err(other)
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.0).poll_flush(cx).map_err(other)
    }

    fn poll_close(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.0).poll_close(cx).map_err(other)
    }
}

fn other(error: WsError) -> io::Error {
    if let WsError::Io(error) = error {
        error
    } else {
        io::Error::other(error)
    }
}

/// The transport. It listens on exactly one address, the HTTP port's, and dials nothing.
pub(crate) struct Door {
    address: Multiaddr,
    knocks: mpsc::Receiver<Knock>,
    listener: Option<ListenerId>,
    events: VecDeque<TransportEvent<Ready<io::Result<WsStream>>, io::Error>>,
}

impl Door {
    pub(crate) const fn new(address: Multiaddr, knocks: mpsc::Receiver<Knock>) -> Self {
        Self {
            address,
            knocks,
            listener: None,
            events: VecDeque::new(),
        }
    }
}

impl libp2p::Transport for Door {
    type Output = WsStream;
    type Error = io::Error;
    type ListenerUpgrade = Ready<io::Result<WsStream>>;
    type Dial = Ready<io::Result<WsStream>>;

    fn listen_on(
        &mut self,
        id: ListenerId,
        address: Multiaddr,
    ) -> Result<(), TransportError<io::Error>> {
        if address != self.address || self.listener.is_some() {
            return Err(TransportError::MultiaddrNotSupported(address));
        }
        self.listener = Some(id);
        self.events.push_back(TransportEvent::NewAddress {
            listener_id: id,
            listen_addr: address,
        });
        Ok(())
    }

    fn remove_listener(&mut self, id: ListenerId) -> bool {
        if self.listener != Some(id) {
            return false;
        }
        self.listener = None;
        self.knocks.close();
        self.events.push_back(TransportEvent::ListenerClosed {
            listener_id: id,
            reason: Ok(()),
        });
        true
    }

    fn dial(
        &mut self,
        address: Multiaddr,
        _: DialOpts,
    ) -> Result<Self::Dial, TransportError<io::Error>> {
        Err(TransportError::MultiaddrNotSupported(address))
    }

    fn poll(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<TransportEvent<Self::ListenerUpgrade, io::Error>> {
        if let Some(event) = self.events.pop_front() {
            return Poll::Ready(event);
        }
        let Some(listener_id) = self.listener else {
            return Poll::Pending;
        };
        match self.knocks.poll_recv(cx) {
            Poll::Ready(Some(knock)) => Poll::Ready(TransportEvent::Incoming {
                listener_id,
                upgrade: ready(Ok(knock.stream)),
                local_addr: self.address.clone(),
                send_back_addr: knock.remote,
            }),
            // The HTTP server has ended; so does the relay.
            Poll::Ready(None) | Poll::Pending => Poll::Pending,
        }
    }
}
