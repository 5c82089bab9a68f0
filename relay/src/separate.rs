//! One message for each write, on streams of WebRTC-direct.
//!
//! libp2p-webrtc-utils 0.5.0 gathers what is written until 16,377 bytes wait, and then hands all of it to the data channel as one message. Two
//! frames of 8 KiB together are more than the 16,384 bytes that a message may have (`webrtc/README.md`, Multiplexing), which
//! webrtc-rs refuses, and the stream is gone: any peer that sends steadily through a circuit meets this after some megabytes. So each
//! frame is handed over before the next one is taken.

use std::io;
use std::pin::Pin;
use std::task::{Context, Poll, ready};

use futures::{AsyncRead, AsyncWrite};
use libp2p::core::muxing::{StreamMuxer, StreamMuxerEvent};

/// A connection whose streams are [`SeparateStream`]s.
pub(crate) struct SeparateMuxer<M>(pub(crate) M);

impl<M> StreamMuxer for SeparateMuxer<M>
where
    M: StreamMuxer + Unpin,
    M::Substream: Unpin,
{
    type Substream = SeparateStream<M::Substream>;
    type Error = M::Error;

    fn poll_inbound(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Result<Self::Substream, M::Error>> {
        Pin::new(&mut self.0)
            .poll_inbound(cx)
            .map_ok(SeparateStream)
    }

    fn poll_outbound(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Result<Self::Substream, M::Error>> {
        Pin::new(&mut self.0)
            .poll_outbound(cx)
            .map_ok(SeparateStream)
    }

    fn poll_close(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Result<(), M::Error>> {
        Pin::new(&mut self.0).poll_close(cx)
    }

    fn poll(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Result<StreamMuxerEvent, M::Error>> {
        Pin::new(&mut self.0).poll(cx)
    }
}

/// A stream on which nothing is written while something written before still waits.
pub(crate) struct SeparateStream<S>(S);

impl<S: AsyncRead + Unpin> AsyncRead for SeparateStream<S> {
    fn poll_read(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        into: &mut [u8],
    ) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.0).poll_read(cx, into)
    }
}

impl<S: AsyncWrite + Unpin> AsyncWrite for SeparateStream<S> {
    fn poll_write(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        ready!(Pin::new(&mut self.0).poll_flush(cx))?;
        Pin::new(&mut self.0).poll_write(cx, bytes)
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.0).poll_flush(cx)
    }

    fn poll_close(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        ready!(Pin::new(&mut self.0).poll_flush(cx))?;
        Pin::new(&mut self.0).poll_close(cx)
    }
}

#[cfg(test)]
mod tests {
    use futures::AsyncWriteExt as _;

    use super::*;

    /// Hands over at a flush what was written since the last one.
    #[derive(Default)]
    struct Gathers {
        waiting: Vec<u8>,
        messages: Vec<Vec<u8>>,
    }

    impl AsyncWrite for Gathers {
        fn poll_write(
            mut self: Pin<&mut Self>,
            _: &mut Context<'_>,
            bytes: &[u8],
        ) -> Poll<io::Result<usize>> {
            self.waiting.extend_from_slice(bytes);
            Poll::Ready(Ok(bytes.len()))
        }

        fn poll_flush(mut self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<io::Result<()>> {
            if !self.waiting.is_empty() {
                let message = core::mem::take(&mut self.waiting);
                self.messages.push(message);
            }
            Poll::Ready(Ok(()))
        }

        fn poll_close(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
            self.waiting.extend_from_slice(b"end");
            self.poll_flush(cx)
        }
    }

    #[tokio::test]
    async fn what_is_written_to_a_webrtc_stream_is_never_gathered_into_one_message() {
        let mut stream = SeparateStream(Gathers::default());
        for write in [b"one".as_slice(), b"two", b"three"] {
            stream.write_all(write).await.unwrap();
        }
        stream.close().await.unwrap();
        let expected = [b"one".as_slice(), b"two", b"three", b"end"];
        assert_eq!(stream.0.messages, expected);
    }
}
