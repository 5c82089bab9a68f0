//! Carries a request to a mint that a relay has, and brings back its answer: `/haggle/mint/1`.
//!
//! One request and one answer over one substream, each a big-endian `u32` length and then the map of
//! [`haggle_protocol::mint`]. Whoever asks knows by the transport that he speaks with the peer whose id stands in the mint's name.
//!
//! A request may be a mebibyte, and a relay has thousands of connections. So those that are being read or wait to be carried share one
//! [`Room`]: what does not fit is refused by ending its substream, and what was read of it is let go.

use std::io;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use futures::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt};
use haggle_protocol::Refusal;
use haggle_protocol::mint::{ANSWER_MAX, Answer, REQUEST_MAX, Request};
use haggle_protocol::names::PROTOCOL_MINT;
use libp2p::StreamProtocol;
use libp2p::request_response::{self, Config, ProtocolSupport};

/// The mint protocol.
pub type Behaviour = request_response::Behaviour<Codec>;

/// How long an answer is waited for, the request's own way included: paying out over Lightning takes as long as its slowest hop.
pub const PATIENCE: Duration = Duration::from_secs(150);
/// Requests under way with one connection at the same time: a wallet asks one thing after another, for a purse or two, and those that
/// it has given up are still under way.
pub const STREAMS_MAX: usize = 8;
/// Bytes that are read before room for more is asked for.
const STEP: usize = 64 * 1_024;

/// For peers, who ask.
#[must_use]
pub fn asking() -> Behaviour {
    behaviour(Codec { room: None }, ProtocolSupport::Outbound)
}

/// For relays, which carry. What is being read at the same time shares this room.
#[must_use]
pub fn carrying(room: Room) -> Behaviour {
    behaviour(Codec { room: Some(room) }, ProtocolSupport::Inbound)
}

fn behaviour(codec: Codec, support: ProtocolSupport) -> Behaviour {
    Behaviour::with_codec(
        codec,
        [(StreamProtocol::new(PROTOCOL_MINT), support)],
        Config::default()
            .with_request_timeout(PATIENCE)
            .with_max_concurrent_streams(STREAMS_MAX),
    )
}

/// Bytes that all requests together may take while they are here.
#[derive(Clone, Debug)]
pub struct Room(Arc<AtomicUsize>);

impl Room {
    /// So many bytes.
    #[must_use]
    pub fn new(bytes: usize) -> Self {
        Self(Arc::new(AtomicUsize::new(bytes)))
    }

    fn take(&self, bytes: usize) -> bool {
        let less = |left: usize| left.checked_sub(bytes);
        let (set, fetch) = (Ordering::AcqRel, Ordering::Acquire);
        self.0.fetch_update(set, fetch, less).is_ok()
    }
}

/// Room that is taken, until this is dropped.
#[derive(Debug)]
struct Taken {
    room: Room,
    bytes: usize,
}

impl Drop for Taken {
    fn drop(&mut self) {
        self.room.0.fetch_add(self.bytes, Ordering::AcqRel);
    }
}

/// A request on its way, with the room that it takes here.
#[derive(Debug)]
pub struct Asked {
    /// It.
    pub request: Request,
    _taken: Option<Taken>,
}

impl From<Request> for Asked {
    fn from(request: Request) -> Self {
        Self {
            request,
            _taken: None,
        }
    }
}

/// Reads and writes requests to a mint.
#[derive(Clone, Debug)]
pub struct Codec {
    room: Option<Room>,
}

impl request_response::Codec for Codec {
    type Protocol = StreamProtocol;
    type Request = Asked;
    type Response = Answer;

    async fn read_request<T>(&mut self, _: &StreamProtocol, io: &mut T) -> io::Result<Asked>
    where
        T: AsyncRead + Unpin + Send,
    {
        let (bytes, taken) = read(io, REQUEST_MAX, self.room.as_ref()).await?;
        let request = Request::from_bytes(&bytes).map_err(malformed)?;
        Ok(Asked {
            request,
            _taken: taken,
        })
    }

    async fn read_response<T>(&mut self, _: &StreamProtocol, io: &mut T) -> io::Result<Answer>
    where
        T: AsyncRead + Unpin + Send,
    {
        let (bytes, _) = read(io, ANSWER_MAX, None).await?;
        Answer::from_bytes(&bytes).map_err(malformed)
    }

    async fn write_request<T>(
        &mut self,
        _: &StreamProtocol,
        io: &mut T,
        asked: Asked,
    ) -> io::Result<()>
    where
        T: AsyncWrite + Unpin + Send,
    {
        write(io, &asked.request.to_bytes(), REQUEST_MAX).await
    }

    async fn write_response<T>(
        &mut self,
        _: &StreamProtocol,
        io: &mut T,
        answer: Answer,
    ) -> io::Result<()>
    where
        T: AsyncWrite + Unpin + Send,
    {
        write(io, &answer.to_bytes(), ANSWER_MAX).await
    }
}

/// Reads a length and then so many bytes; memory and room grow with what arrives, not with what is announced.
async fn read<T>(
    io: &mut T,
    max: usize,
    room: Option<&Room>,
) -> io::Result<(Vec<u8>, Option<Taken>)>
where
    T: AsyncRead + Unpin + Send,
{
    let mut len = [0; 4];
    io.read_exact(&mut len).await?;
    let len = u32::from_be_bytes(len) as usize;
    if len > max {
        return Err(malformed(Refusal::TooLarge));
    }
    let mut taken = room.map(|room| Taken {
        room: room.clone(),
        bytes: 0,
    });
    let mut bytes = Vec::new();
    while bytes.len() < len {
        let (at, step) = (bytes.len(), STEP.min(len - bytes.len()));
        if let Some(taken) = &mut taken {
            if !taken.room.take(step) {
                return Err(io::Error::other("too much is being read"));
            }
            taken.bytes += step;
        }
        bytes.reserve_exact(step);
        bytes.resize(at + step, 0);
        io.read_exact(&mut bytes[at..]).await?;
    }
    Ok((bytes, taken))
}

async fn write<T>(io: &mut T, bytes: &[u8], max: usize) -> io::Result<()>
where
    T: AsyncWrite + Unpin + Send,
{
    let len = u32::try_from(bytes.len()).ok();
    let len = len.filter(|_| bytes.len() <= max);
    let len = len.ok_or_else(|| malformed(Refusal::TooLarge))?;
    io.write_all(&len.to_be_bytes()).await?;
    io.write_all(bytes).await?;
    io.close().await
}

fn malformed(refusal: Refusal) -> io::Error {
    io::Error::new(io::ErrorKind::InvalidData, refusal.code())
}

#[cfg(test)]
mod tests {
    use futures::executor::block_on;
    use futures::io::Cursor;
    use haggle_protocol::mint::{ANSWER_BODY_MAX, Method, PATH_MAX, REQUEST_BODY_MAX, Why};
    use haggle_protocol::{Custodian, PublicKey};
    use libp2p::PeerId;
    use libp2p::request_response::Codec as _;

    use super::*;

    const NAME: StreamProtocol = StreamProtocol::new(PROTOCOL_MINT);

    fn request(body: usize) -> Request {
        Request {
            method: Method::Post,
            path: format!("/v1/{}", "a".repeat(PATH_MAX - 4)),
            body: vec![7; body],
        }
    }

    fn written(request: Request) -> Vec<u8> {
        let mut wire = Cursor::new(Vec::new());
        let codec = &mut Codec { room: None };
        block_on(codec.write_request(&NAME, &mut wire, request.into())).unwrap();
        wire.into_inner()
    }

    fn read_with(room: &Room, bytes: &[u8]) -> io::Result<Asked> {
        let room = Some(room.clone());
        block_on(Codec { room }.read_request(&NAME, &mut Cursor::new(bytes)))
    }

    fn left(room: &Room) -> usize {
        room.0.load(Ordering::Acquire)
    }

    #[test]
    fn over_the_wire_both_ways_and_nothing_longer_than_its_bound() {
        let room = Room::new(2 * REQUEST_MAX);
        let bytes = written(request(REQUEST_BODY_MAX));
        let read = read_with(&room, &bytes).unwrap();
        assert_eq!(read.request, request(REQUEST_BODY_MAX));
        assert!(read_with(&room, &bytes[..bytes.len() - 1]).is_err(), "cut");
        assert!(read_with(&room, &[0xff; 4]).is_err(), "four gibibytes");
        assert!(read_with(&room, &[0, 0, 0, 1, 0]).is_err(), "no map");
        let codec = &mut Codec { room: None };
        for answer in [
            Answer::Said {
                status: 400,
                body: vec![3; ANSWER_BODY_MAX],
            },
            Answer::Refused(Why::Busy),
        ] {
            let mut wire = Cursor::new(Vec::new());
            block_on(codec.write_response(&NAME, &mut wire, answer.clone())).unwrap();
            let bytes = wire.into_inner();
            let read = block_on(codec.read_response(&NAME, &mut Cursor::new(bytes)));
            assert_eq!(read.unwrap(), answer);
        }
        let long = Answer::Said {
            status: 200,
            body: vec![0; ANSWER_MAX],
        };
        let wire = &mut Cursor::new(Vec::new());
        assert!(block_on(codec.write_response(&NAME, wire, long)).is_err());
        assert!(wire.get_ref().is_empty(), "nothing of it was written");
    }

    #[test]
    fn requests_share_their_room_for_as_long_as_they_are_here() {
        let bytes = written(request(REQUEST_BODY_MAX));
        let room = Room::new(bytes.len() + 100);
        let first = read_with(&room, &bytes).unwrap();
        assert!(left(&room) <= 104);
        assert!(read_with(&room, &bytes).is_err(), "no room");
        assert!(read_with(&room, &written(request(0))).is_err(), "nor this");
        drop(first);
        assert_eq!(left(&room), bytes.len() + 100);
        assert!(read_with(&room, &bytes[..STEP]).is_err(), "never ends");
        assert_eq!(left(&room), bytes.len() + 100, "and leaves nothing");
        assert!(read_with(&room, &bytes).is_ok());
    }

    #[test]
    fn a_mint_s_name_is_the_id_of_its_peer() {
        let key = PublicKey(
            *b";j'\xbc\xce\xb6\xa4-b\xa3\xa8\xd0*o\rse2\x15w\x1d\xe2C\xa6:\xc0H\xa1\x8bY\xda)",
        );
        let peer = crate::addr::peer_of(&key).unwrap();
        let known = "12D3KooWDpJ7As7BWAwRMfu1VU2WCqNjvq387JEYKDBj4kx6nXTN";
        assert_eq!(peer, known.parse::<PeerId>().unwrap());
        let name = Custodian::at_peer(&crate::addr::key_of(&peer).unwrap());
        assert_eq!(name.peer(), Some(key));
    }
}
