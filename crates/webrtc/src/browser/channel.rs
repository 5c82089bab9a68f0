//! One data channel and the stream on it.
//!
//! The browser's callbacks drive the machine of [`Halves`] even while nobody reads or writes, so that a remote gets its
//! acknowledgement at once, and a stream that was dropped comes to its end without its owner. What arrives is kept up to a bound, beyond
//! which the stream is reset: a data channel cannot tell the remote to wait.
//!
//! One channel in some tens of thousands is lost by Chromium: where it was opened by the remote it arrives open, everything sent on it
//! arrives too, and then its `readyState` falls back to "connecting" for good, so that nothing can be answered. The side that has such a
//! channel closes it unanswered. The side that opened it, hearing its end without having heard a single byte, begins again on a fresh
//! channel with everything that it had sent.

use std::cell::{Cell, RefCell};
use std::collections::VecDeque;
use std::io;
use std::pin::Pin;
use std::rc::{Rc, Weak};
use std::task::{Context, Poll, Waker};
use std::time::Duration;

use bytes::{Buf as _, Bytes};
use futures::{AsyncRead, AsyncWrite};
use send_wrapper::SendWrapper;
use wasm_bindgen::JsCast as _;
use wasm_bindgen::prelude::Closure;
use web_sys::{Event, MessageEvent, RtcDataChannel, RtcDataChannelState, RtcDataChannelType};
use web_time::Instant;

use super::on;
use super::peer::{Peer, Phase};
use crate::clock::now;
use crate::config::Bounds;
use crate::frame::{DATA_MAX, DATA_MAX_SERVER, Decoder, Flag, encode_data, encode_flag};
use crate::halves::{Acknowledge, Halves, ResetBy};

/// Why nothing more can be read or written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Broken {
    /// The remote broke the protocol.
    Violation,
    /// More arrived than is kept unread.
    Overrun,
    /// The channel or its connection has gone.
    Gone,
    /// The browser refused to send.
    Unsendable,
}

impl Broken {
    fn error(self) -> io::Error {
        let (kind, why) = match self {
            Self::Violation => (
                io::ErrorKind::InvalidData,
                "the remote broke the protocol of streams",
            ),
            Self::Overrun => (
                io::ErrorKind::OutOfMemory,
                "more arrived than is kept unread",
            ),
            Self::Gone => (io::ErrorKind::ConnectionReset, "the channel has gone"),
            Self::Unsendable => (io::ErrorKind::BrokenPipe, "the browser could not send"),
        };
        io::Error::new(kind, why)
    }
}

/// How long a channel that was open may be "connecting" before it is taken for lost. A browser that is only late with its events is so by
/// milliseconds.
const LOST: Duration = Duration::from_millis(500);

/// How often a stream is begun again. Each time by itself is as rare as the first.
const AGAIN_MAX: u8 = 2;

/// Who has opened a channel.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Opener {
    /// We did, to a browser: it can be begun again.
    Us,
    /// The remote did.
    Remote,
    /// Both, by agreement; or we did, to a server, which loses none.
    Agreed,
}

/// What was sent on a channel that nothing was heard on yet.
#[derive(Default)]
struct Unheard {
    frames: Vec<Vec<u8>>,
    /// In all of them.
    bytes: usize,
    /// How often the stream was begun again.
    again: u8,
    /// The channel has ended, and the stream is to be begun again.
    lost: bool,
    /// The channel is a fresh one: all of it is to be sent before anything else.
    owed: bool,
}

impl Unheard {
    /// More than this is not kept, in bytes; then the stream is not begun again. Before the remote's first word there is the name of a
    /// protocol and at most a request.
    const MOST: usize = 64 * 1024;
}

/// A data channel with all that is known of the stream on it.
pub(super) struct Channel {
    dc: RefCell<RtcDataChannel>,
    peer: Weak<Peer>,
    bounds: Bounds,
    /// The most data in one frame.
    piece: usize,
    core: RefCell<Core>,
    handlers: RefCell<Option<Handlers>>,
    /// When it was dropped by its user while it was not over yet.
    dropped: Cell<Option<Instant>>,
    /// We have closed the channel and wait for the browser to say that it is.
    closing: Cell<Option<Instant>>,
    /// Gone as soon as the remote is heard, or when there is too much of it.
    unheard: RefCell<Option<Unheard>>,
    /// Whether the channel has been open.
    was_open: Cell<bool>,
    /// It has been open and is "connecting" since then.
    fell_back: Cell<Option<Instant>>,
}

struct Core {
    halves: Halves,
    decoder: Decoder,
    inbox: VecDeque<Bytes>,
    /// Bytes in the inbox.
    unread: usize,
    broken: Option<Broken>,
    reader: Option<Waker>,
    writer: Option<Waker>,
}

struct Handlers {
    _message: Closure<dyn FnMut(MessageEvent)>,
    _open: Closure<dyn FnMut(Event)>,
    _close: Closure<dyn FnMut(Event)>,
    _low: Closure<dyn FnMut(Event)>,
}

impl Channel {
    /// Takes the channel over; from here on its callbacks are ours.
    pub(super) fn new(
        dc: RtcDataChannel,
        peer: &Rc<Peer>,
        acknowledge: Acknowledge,
        opener: Opener,
    ) -> Rc<Self> {
        let bounds = peer.bounds();
        let channel = Rc::new(Self {
            was_open: Cell::new(dc.ready_state() == RtcDataChannelState::Open),
            dc: RefCell::new(dc),
            peer: Rc::downgrade(peer),
            bounds,
            piece: match acknowledge {
                Acknowledge::AtOnce => DATA_MAX,
                Acknowledge::WhenClosed => DATA_MAX_SERVER,
            },
            core: RefCell::new(Core {
                halves: Halves::new(acknowledge),
                decoder: Decoder::default(),
                inbox: VecDeque::new(),
                unread: 0,
                broken: None,
                reader: None,
                writer: None,
            }),
            handlers: RefCell::new(None),
            dropped: Cell::new(None),
            closing: Cell::new(None),
            unheard: RefCell::new((opener == Opener::Us).then(Unheard::default)),
            fell_back: Cell::new(None),
        });
        channel.attach();
        channel
    }

    fn attach(self: &Rc<Self>) {
        let handlers = Handlers {
            _message: on(self, |channel, event: MessageEvent| {
                channel.on_message(&event)
            }),
            _open: on(self, |channel, _: Event| channel.on_open()),
            _close: on(self, |channel, _: Event| channel.on_close()),
            _low: on(self, |channel, _: Event| channel.wake_writer()),
        };
        let dc = self.dc.borrow();
        dc.set_binary_type(RtcDataChannelType::Arraybuffer);
        dc.set_buffered_amount_low_threshold(self.bounds.unsent_of_stream / 2);
        dc.set_onmessage(Some(handlers._message.as_ref().unchecked_ref()));
        dc.set_onopen(Some(handlers._open.as_ref().unchecked_ref()));
        dc.set_onclose(Some(handlers._close.as_ref().unchecked_ref()));
        dc.set_onbufferedamountlow(Some(handlers._low.as_ref().unchecked_ref()));
        *self.handlers.borrow_mut() = Some(handlers);
    }

    /// Lets the browser forget us. Never called from one of the callbacks.
    pub(super) fn detach(&self) {
        let dc = self.dc.borrow();
        dc.set_onmessage(None);
        dc.set_onopen(None);
        dc.set_onclose(None);
        dc.set_onbufferedamountlow(None);
        drop(dc);
        self.handlers.borrow_mut().take();
    }

    fn on_open(&self) {
        self.was_open.set(true);
        self.fell_back.set(None);
        if let Err(broken) = self.send_owed() {
            self.fail(broken);
        }
        self.wake_writer();
    }

    fn on_message(&self, event: &MessageEvent) {
        self.unheard.take();
        let Ok(buffer) = event.data().dyn_into::<js_sys::ArrayBuffer>() else {
            // Text, which no stream has.
            self.fail(Broken::Violation);
            return;
        };
        let bytes = js_sys::Uint8Array::new(&buffer).to_vec();
        let replies = {
            let mut core = self.core.borrow_mut();
            if core.broken.is_some() {
                return;
            }
            core.decoder.put(bytes.into());
            let mut replies = Vec::new();
            let outcome = loop {
                match core.decoder.take() {
                    Ok(Some(frame)) => {
                        let has_data = !frame.data.is_empty();
                        match core.halves.on_frame(has_data, frame.flag) {
                            Ok(reaction) => {
                                if reaction.deliver {
                                    core.unread += frame.data.len();
                                    self.count_unread(frame.data.len(), 0);
                                    core.inbox.push_back(frame.data);
                                }
                                replies.extend(reaction.reply);
                            }
                            Err(_) => break Err(Broken::Violation),
                        }
                    }
                    Ok(None) => break Ok(()),
                    Err(_) => break Err(Broken::Violation),
                }
            };
            let of_all = self.peer.upgrade().map_or(0, |peer| peer.unread());
            let too_much =
                core.unread > self.bounds.unread_of_stream || of_all > self.bounds.unread;
            match outcome {
                Ok(()) if too_much => Err(Broken::Overrun),
                Ok(()) => Ok(replies),
                Err(broken) => Err(broken),
            }
        };
        match replies {
            Ok(replies) => {
                for flag in replies {
                    self.send_flag(flag);
                }
                self.wake_reader();
                let halves = self.core.borrow().halves;
                if !halves.is_writable() {
                    self.wake_writer();
                }
                self.end_if_over();
            }
            Err(broken) => self.fail(broken),
        }
    }

    /// Bytes that were put into the inbox and taken out of it, for the bound of the whole connection.
    fn count_unread(&self, came: usize, went: usize) {
        if let Some(peer) = self.peer.upgrade() {
            peer.count_unread(came, went);
        }
    }

    fn on_close(&self) {
        if self.can_begin_again() {
            if let Some(unheard) = self.unheard.borrow_mut().as_mut() {
                unheard.lost = true;
            }
            self.wake_owner();
            return;
        }
        self.end();
    }

    /// Nothing more will come or go.
    fn end(&self) {
        {
            let mut core = self.core.borrow_mut();
            core.halves.on_channel_closed();
            core.broken.get_or_insert(Broken::Gone);
        }
        self.wake_reader();
        self.wake_writer();
        self.wake_owner();
    }

    /// The connection underneath has gone.
    pub(super) fn lose(&self) {
        self.unheard.take();
        self.end();
    }

    /// Whether the channel has ended without our doing before anything was heard on it.
    fn can_begin_again(&self) -> bool {
        let unheard = self.unheard.borrow();
        let connected = |peer: Rc<Peer>| peer.phase() == Phase::Connected;
        unheard.as_ref().is_some_and(|it| it.again < AGAIN_MAX)
            && self.closing.get().is_none()
            && self.dropped.get().is_none()
            && self.core.borrow().broken.is_none()
            && self.peer.upgrade().is_some_and(connected)
    }

    /// Takes a fresh channel for a stream whose channel was lost. Never called from one of the callbacks.
    fn begin_again(self: &Rc<Self>) {
        let fresh = self
            .peer
            .upgrade()
            .filter(|_| self.can_begin_again())
            .and_then(|peer| peer.create().ok());
        let Some(fresh) = fresh else {
            self.unheard.take();
            self.end();
            return;
        };
        tracing::debug!("a stream is begun again, because its channel was lost");
        self.detach();
        *self.dc.borrow_mut() = fresh;
        self.was_open.set(false);
        if let Some(unheard) = self.unheard.borrow_mut().as_mut() {
            unheard.lost = false;
            unheard.owed = true;
            unheard.again += 1;
        }
        self.attach();
        self.wake_writer();
    }

    fn fail(&self, broken: Broken) {
        let flag = {
            let mut core = self.core.borrow_mut();
            core.broken.get_or_insert(broken);
            core.halves.reset()
        };
        if let Some(flag) = flag {
            self.send_flag(flag);
        }
        self.wake_reader();
        self.wake_writer();
        self.end_if_over();
    }

    fn wake_reader(&self) {
        let waker = self.core.borrow_mut().reader.take();
        if let Some(waker) = waker {
            waker.wake();
        }
    }

    fn wake_writer(&self) {
        let waker = self.core.borrow_mut().writer.take();
        if let Some(waker) = waker {
            waker.wake();
        }
    }

    fn wake_owner(&self) {
        if let Some(peer) = self.peer.upgrade() {
            peer.wake();
        }
    }

    fn state(&self) -> RtcDataChannelState {
        self.dc.borrow().ready_state()
    }

    fn is_open(&self) -> bool {
        self.state() == RtcDataChannelState::Open
    }

    fn send(&self, bytes: &[u8]) -> Result<(), Broken> {
        self.send_owed()?;
        self.send_now(bytes)?;
        let mut unheard = self.unheard.borrow_mut();
        if let Some(kept) = unheard.as_mut() {
            kept.bytes += bytes.len();
            kept.frames.push(bytes.to_vec());
            if kept.bytes > Unheard::MOST {
                *unheard = None;
            }
        }
        Ok(())
    }

    /// Sends what the remote has not heard because the channel before this one was lost.
    fn send_owed(&self) -> Result<(), Broken> {
        let mut unheard = self.unheard.borrow_mut();
        if let Some(kept) = unheard.as_mut()
            && core::mem::take(&mut kept.owed)
        {
            for frame in &kept.frames {
                self.send_now(frame)?;
            }
        }
        Ok(())
    }

    fn send_now(&self, bytes: &[u8]) -> Result<(), Broken> {
        let dc = self.dc.borrow();
        dc.send_with_u8_array(bytes).map_err(|_| Broken::Unsendable)
    }

    /// Sends a flag if the channel can still carry it; where it cannot, the remote has noticed something stronger.
    fn send_flag(&self, flag: Flag) {
        if self.is_open() && self.send(&encode_flag(flag)).is_err() {
            self.core
                .borrow_mut()
                .broken
                .get_or_insert(Broken::Unsendable);
        }
    }

    /// Once both sides are through, the channel is closed: what is in its queue is still sent, and its number comes back.
    fn end_if_over(&self) {
        let over = self.core.borrow().halves.is_over();
        if over && self.closing.get().is_none() {
            self.close();
        }
    }

    fn close(&self) {
        self.closing.set(Some(now()));
        self.dc.borrow().close();
        self.wake_owner();
    }

    /// Looks after a channel without a user or one that is being closed. Returns whether it is to be forgotten.
    pub(super) fn tend(self: &Rc<Self>, now: Instant) -> bool {
        let linger = self.bounds.linger;
        let waited = |since: Instant| now.saturating_duration_since(since) >= linger;
        if self.unheard.borrow().as_ref().is_some_and(|it| it.lost) {
            self.begin_again();
        }
        if self.state() == RtcDataChannelState::Closed {
            return true;
        }
        let lost = |since: Instant| now.saturating_duration_since(since) >= LOST;
        if self.fell_back.get().is_some_and(lost) && self.closing.get().is_none() {
            tracing::debug!("the browser has lost a channel");
            self.fail(Broken::Gone);
        }
        if self.closing.get().is_some_and(waited) {
            return true;
        }
        if self.closing.get().is_none() && self.dropped.get().is_some_and(waited) {
            self.close();
        }
        false
    }

    /// Whether time has to be kept for it.
    pub(super) fn lingers(&self) -> bool {
        self.closing.get().is_some()
            || self.dropped.get().is_some()
            || self.fell_back.get().is_some()
    }

    /// Its user has dropped it.
    fn abandon(&self) {
        self.dropped.set(Some(now()));
        if self.state() == RtcDataChannelState::Connecting {
            // Nothing was said on it, so there is nothing to take back.
            let _ = self.core.borrow_mut().halves.reset();
        } else {
            let flag = self.core.borrow_mut().halves.abandon();
            if let Some(flag) = flag {
                self.send_flag(flag);
            }
        }
        let unread = {
            let mut core = self.core.borrow_mut();
            core.inbox.clear();
            core.reader = None;
            core.writer = None;
            core::mem::take(&mut core.unread)
        };
        self.count_unread(0, unread);
        self.end_if_over();
        self.wake_owner();
    }

    fn poll_read(&self, cx: &mut Context<'_>, into: &mut [u8]) -> Poll<io::Result<usize>> {
        let mut core = self.core.borrow_mut();
        let mut filled = 0;
        while filled < into.len()
            && let Some(front) = core.inbox.front_mut()
        {
            let room = into.get_mut(filled..).unwrap_or_default();
            let count = room.len().min(front.len());
            front.copy_to_slice(room.get_mut(..count).unwrap_or_default());
            if front.is_empty() {
                core.inbox.pop_front();
            }
            core.unread -= count;
            filled += count;
        }
        if filled > 0 || into.is_empty() {
            drop(core);
            self.count_unread(0, filled);
            return Poll::Ready(Ok(filled));
        }
        // What arrived before the end or the failure has been read by now.
        match core.halves.reset_origin() {
            Some(ResetBy::Remote) => {
                return Poll::Ready(Err(io::Error::new(
                    io::ErrorKind::ConnectionReset,
                    "the remote reset the stream",
                )));
            }
            Some(ResetBy::Us) => {
                let broken = core.broken.unwrap_or(Broken::Gone);
                return Poll::Ready(Err(broken.error()));
            }
            None => {}
        }
        if core.halves.is_ended_by_remote() {
            return Poll::Ready(Ok(0));
        }
        if let Some(broken) = core.broken {
            return Poll::Ready(Err(broken.error()));
        }
        core.reader = Some(cx.waker().clone());
        Poll::Pending
    }

    /// Ready when the channel is open; an error if it never will be.
    fn poll_open(&self, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        let mut core = self.core.borrow_mut();
        if let Some(broken) = core.broken {
            return Poll::Ready(Err(broken.error()));
        }
        let state = self.state();
        let begins_again = self.unheard.borrow().as_ref().is_some_and(|it| it.lost);
        if state == RtcDataChannelState::Open {
            Poll::Ready(Ok(()))
        } else if state == RtcDataChannelState::Connecting || begins_again {
            core.writer = Some(cx.waker().clone());
            drop(core);
            if self.was_open.get() && self.fell_back.get().is_none() && !begins_again {
                self.fell_back.set(Some(now()));
                self.wake_owner();
            }
            Poll::Pending
        } else {
            Poll::Ready(Err(Broken::Gone.error()))
        }
    }

    fn poll_write(&self, cx: &mut Context<'_>, data: &[u8]) -> Poll<io::Result<usize>> {
        if !self.core.borrow().halves.is_writable() {
            let why = "this half of the stream is closed";
            return Poll::Ready(Err(io::Error::new(io::ErrorKind::BrokenPipe, why)));
        }
        match self.poll_open(cx) {
            Poll::Ready(Ok(())) => {}
            Poll::Ready(Err(error)) => return Poll::Ready(Err(error)),
            Poll::Pending => return Poll::Pending,
        }
        if data.is_empty() {
            return Poll::Ready(Ok(0));
        }
        if self.dc.borrow().buffered_amount() >= self.bounds.unsent_of_stream {
            self.core.borrow_mut().writer = Some(cx.waker().clone());
            return Poll::Pending;
        }
        let (frame, taken) = encode_data(data, self.piece);
        match self.send(&frame) {
            Ok(()) => Poll::Ready(Ok(taken)),
            Err(broken) => {
                self.fail(broken);
                Poll::Ready(Err(broken.error()))
            }
        }
    }

    fn poll_close(&self, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        if self.core.borrow().halves.is_write_closed() {
            return Poll::Ready(Ok(()));
        }
        match self.poll_open(cx) {
            Poll::Ready(Ok(())) => {}
            Poll::Ready(Err(error)) => return Poll::Ready(Err(error)),
            Poll::Pending => return Poll::Pending,
        }
        let flags = self.core.borrow_mut().halves.close_writing();
        for flag in flags.into_iter().flatten() {
            self.send_flag(flag);
        }
        self.end_if_over();
        Poll::Ready(Ok(()))
    }
}

/// A stream of a [`Connection`](super::Connection). Closing it ends our half; dropping it before that resets it.
pub struct Stream {
    channel: SendWrapper<Rc<Channel>>,
}

impl Stream {
    pub(super) fn new(channel: Rc<Channel>) -> Self {
        Self {
            channel: SendWrapper::new(channel),
        }
    }
}

impl core::fmt::Debug for Stream {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        f.debug_struct("Stream")
            .field("id", &self.channel.dc.borrow().id())
            .finish_non_exhaustive()
    }
}

impl Drop for Stream {
    fn drop(&mut self) {
        self.channel.abandon();
    }
}

impl AsyncRead for Stream {
    fn poll_read(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        into: &mut [u8],
    ) -> Poll<io::Result<usize>> {
        self.channel.poll_read(cx, into)
    }
}

impl AsyncWrite for Stream {
    fn poll_write(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        data: &[u8],
    ) -> Poll<io::Result<usize>> {
        self.channel.poll_write(cx, data)
    }

    fn poll_flush(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<io::Result<()>> {
        // Whatever was written is the browser's already, which sends it as fast as it can.
        Poll::Ready(Ok(()))
    }

    fn poll_close(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        self.channel.poll_close(cx)
    }
}
