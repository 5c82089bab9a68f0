//! Asks a peer for the public frames that still hold: `/haggle/book/1`.
//!
//! A newcomer subscribes to gossip first and then asks two books what was said before; relays compare their books so. One
//! question and one answer over one substream, each a big-endian `u32` length and then deterministic CBOR
//! ([`haggle_protocol::cbor`]): maps with ascending keys, unknown odd keys are skipped, unknown even ones end the stream.
//!
//! ```text
//! question, at most 12 KiB                        answer, at most 1 MiB + 64 KiB
//!  2: network    4 bytes                            2: cursor     [epoch u64, at u64]      (not for mode 5)
//!  4: mode       u8                                 4: more       0 | 1
//!  7: since      [epoch u64, at u64]                6: frames     list of 1 to 4,096 bytes each
//!  8: max bytes  up to 1,048,576                    8: ids        list of 32 bytes each
//! 10: ids        up to 256 of 32 bytes (mode 5)    10: refused    code of 1 to 32 of a-z, 0-9 and '-'
//!                                                  11: others     u32
//!                                                  13: now        u64, seconds since 1970
//! ```
//!
//! A relay says in `others` how many peers it is connected to beside the one that asks and its fellow relays, and in `now`
//! what its clock shows. Both are shown to people as what they are, a relay's word, and nothing depends on them.
//!
//! Modes: 0 frames from the cursor on, 1 only their ids, 5 frames by id. 2 (digests), 3 (blocks) and 4 (reconciliation) are
//! reserved and answered by a refusal, as is every other number. A cursor of another epoch (the book was started anew)
//! reads from the beginning. `max bytes` bounds frames with 3 bytes of overhead each, or ids with 2.
//!
//! What comes back is a stranger's word: each frame goes through [`haggle_book::Book::enter`] like gossip.

use std::collections::BTreeMap;
use std::io;

use futures::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt};
use haggle_book::{Book, Cursor};
use haggle_protocol::cbor::{Fields, Map, Reader, Writer};
use haggle_protocol::limits::FRAME_MAX;
use haggle_protocol::names::PROTOCOL_BOOK;
use haggle_protocol::{FrameId, Network, Refusal, Timestamp};
use libp2p::request_response::{self, Config, ProtocolSupport};
use libp2p::{PeerId, StreamProtocol};

use crate::whisper::Code;

/// The book protocol.
pub type Behaviour = request_response::Behaviour<Codec>;

/// The most that one answer may be asked to hold, in bytes.
pub const BYTES_MAX: usize = 1 << 20;
/// Ids in one question.
pub const IDS_ASKED_MAX: usize = 256;
/// One question, in bytes: [`IDS_ASKED_MAX`] ids of 34 bytes, and the rest.
const QUESTION_MAX: usize = 12 * 1_024;
/// One answer, in bytes: [`BYTES_MAX`] and what surrounds it.
const ANSWER_MAX: usize = BYTES_MAX + 64 * 1_024;
/// What CBOR adds to a frame: head of a byte string.
const FRAME_HEAD: usize = 3;
/// What an id takes: head and 32 bytes.
const ID_COST: usize = 34;
/// Frames or ids in one answer: what fits into [`BYTES_MAX`] if each is as small as can be.
const ITEMS_MAX: usize = BYTES_MAX / ID_COST;
/// Questions under way with one connection at the same time, each way: each may hold an answer of a mebibyte.
const STREAMS_MAX: usize = 4;
/// An answer of a mebibyte over a slow line takes its time.
const TIMEOUT: core::time::Duration = core::time::Duration::from_secs(30);

/// The book protocol, asking and answering.
#[must_use]
pub fn behaviour() -> Behaviour {
    Behaviour::with_codec(
        Codec,
        [(StreamProtocol::new(PROTOCOL_BOOK), ProtocolSupport::Full)],
        Config::default()
            .with_request_timeout(TIMEOUT)
            .with_max_concurrent_streams(STREAMS_MAX),
    )
}

/// What is asked for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Want {
    /// Frames from the cursor on.
    Frames(Option<Cursor>),
    /// Ids of the frames from the cursor on.
    Ids(Option<Cursor>),
    /// These frames, as far as they are known.
    ById(Vec<FrameId>),
    /// Something that this version does not know; it is refused, politely.
    Other(u8),
}

impl Want {
    const fn mode(&self) -> u8 {
        match self {
            Self::Frames(_) => 0,
            Self::Ids(_) => 1,
            Self::ById(_) => 5,
            Self::Other(mode) => *mode,
        }
    }
}

/// A question to a book.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Request {
    /// Which market.
    pub network: Network,
    /// What of it.
    pub want: Want,
    /// How large the answer may be, in bytes; at most [`BYTES_MAX`].
    pub max_bytes: usize,
}

impl Request {
    /// Asks for as much as one answer holds.
    #[must_use]
    pub const fn new(network: Network, want: Want) -> Self {
        Self {
            network,
            want,
            max_bytes: BYTES_MAX,
        }
    }

    /// As on the wire, without the length.
    #[must_use]
    pub fn to_bytes(&self) -> Vec<u8> {
        let mut writer = Writer::new();
        writer.map(|map| {
            map.field(2, |w| w.bytes(&self.network.0));
            map.field(4, |w| w.uint(u64::from(self.want.mode())));
            let since = match &self.want {
                Want::Frames(since) | Want::Ids(since) => *since,
                Want::ById(_) | Want::Other(_) => None,
            };
            map.optional(7, since, write_cursor);
            map.field(8, |w| w.uint(self.max_bytes.min(BYTES_MAX) as u64));
            if let Want::ById(ids) = &self.want {
                let ids = &ids[..ids.len().min(IDS_ASKED_MAX)];
                map.field(10, |w| write_ids(w, ids));
            }
        });
        writer.into_bytes()
    }

    /// Reads what [`Request::to_bytes`] writes.
    ///
    /// # Errors
    /// The [`Refusal`] of the first thing that is wrong.
    pub fn from_bytes(bytes: &[u8]) -> Result<Self, Refusal> {
        let mut reader = Reader::new(bytes);
        let r = &mut reader;
        let mut fields = r.map()?;
        let (mut network, mut mode, mut since, mut max_bytes, mut ids) =
            (None, None, None, None, None);
        while let Some(field) = fields.next(r)? {
            match field {
                2 => network = Some(Network(r.fixed()?)),
                4 => mode = Some(r.small::<u8>()?),
                7 => since = Some(read_cursor(r)?),
                8 => max_bytes = Some(r.uint(BYTES_MAX as u64)?),
                10 => ids = Some(r.list(IDS_ASKED_MAX, |r| r.fixed().map(FrameId))?),
                other => Fields::unknown(other, r)?,
            }
        }
        r.end()?;
        let want = match (mode, ids) {
            (Some(0), None) => Want::Frames(since),
            (Some(1), None) => Want::Ids(since),
            (Some(5), Some(ids)) => Want::ById(ids),
            (Some(0 | 1), Some(_)) => return Err(Refusal::BadField),
            (Some(5) | None, _) => return Err(Refusal::MissingField),
            (Some(other), _) => Want::Other(other),
        };
        let max_bytes = usize::try_from(max_bytes.ok_or(Refusal::MissingField)?)
            .map_err(|_| Refusal::BadField)?;
        Ok(Self {
            network: network.ok_or(Refusal::MissingField)?,
            want,
            max_bytes,
        })
    }
}

/// What an answerer says of itself beside its answer. A word to show, and no more.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Notice {
    /// How many participants it is connected to beside the asker and fellow relays.
    pub others: Option<u32>,
    /// What its clock shows.
    pub now: Option<Timestamp>,
}

impl Notice {
    fn write(self, map: &mut Map) {
        map.optional(11, self.others, |w, others| w.uint(others.into()));
        map.optional(13, self.now, |w, now| w.uint(now.0));
    }
}

/// What a book answers.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Response {
    /// Frames as they were signed. The cursor is absent if they were asked for by id; `more` says that there would have
    /// been more but for the size.
    Frames {
        /// Where the next question goes on.
        cursor: Option<Cursor>,
        /// Whether there is more.
        more: bool,
        /// The frames.
        frames: Vec<Vec<u8>>,
        /// What the answerer says of itself.
        notice: Notice,
    },
    /// Ids only.
    Ids {
        /// Where the next question goes on.
        cursor: Cursor,
        /// Whether there is more.
        more: bool,
        /// The ids.
        ids: Vec<FrameId>,
        /// What the answerer says of itself.
        notice: Notice,
    },
    /// No answer, and why: one of [`OTHER_NETWORK`], [`UNKNOWN_MODE`], [`TOO_OFTEN`], [`BUSY`], or what a later version says.
    Refused(Code),
}

/// The question is about another market.
pub const OTHER_NETWORK: &str = "other-network";
/// The mode is not known here.
pub const UNKNOWN_MODE: &str = "unknown-mode";
/// The same peer asks more often than it is answered.
pub const TOO_OFTEN: &str = "too-often";
/// This book is not read to others.
pub const CLOSED: &str = "closed";
/// Too many others are being answered.
pub const BUSY: &str = "busy";

impl Response {
    /// The memory that the answer holds, in bytes, about.
    #[must_use]
    pub fn weight(&self) -> usize {
        match self {
            Self::Frames { frames, .. } => {
                frames.iter().map(|frame| frame.len() + FRAME_HEAD).sum()
            }
            Self::Ids { ids, .. } => ids.len() * ID_COST,
            Self::Refused(_) => 0,
        }
    }

    /// A refusal by one of the codes above.
    #[must_use]
    pub fn refused(code: &'static str) -> Self {
        // The codes above are codes, which a test holds; any other becomes the least specific one.
        Self::Refused(Code::new(code).unwrap_or_else(|| Code::from(Refusal::Blocked)))
    }

    /// What the answerer says of itself; nothing with a refusal.
    #[must_use]
    pub fn notice(&self) -> Notice {
        match self {
            Self::Frames { notice, .. } | Self::Ids { notice, .. } => *notice,
            Self::Refused(_) => Notice::default(),
        }
    }

    /// The same answer with this notice; a refusal carries none.
    #[must_use]
    pub fn with_notice(mut self, word: Notice) -> Self {
        match &mut self {
            Self::Frames { notice, .. } | Self::Ids { notice, .. } => *notice = word,
            Self::Refused(_) => {}
        }
        self
    }

    /// As on the wire, without the length.
    #[must_use]
    pub fn to_bytes(&self) -> Vec<u8> {
        let mut writer = Writer::new();
        writer.map(|map| match self {
            Self::Frames {
                cursor,
                more,
                frames,
                notice,
            } => {
                map.optional(2, *cursor, write_cursor);
                map.field(4, |w| w.uint(u64::from(*more)));
                map.field(6, |w| {
                    w.array(frames.len());
                    for frame in frames {
                        w.bytes(frame);
                    }
                });
                notice.write(map);
            }
            Self::Ids {
                cursor,
                more,
                ids,
                notice,
            } => {
                map.field(2, |w| write_cursor(w, *cursor));
                map.field(4, |w| w.uint(u64::from(*more)));
                map.field(8, |w| write_ids(w, ids));
                notice.write(map);
            }
            Self::Refused(code) => map.field(10, |w| w.text(code.as_str())),
        });
        writer.into_bytes()
    }

    /// Reads what [`Response::to_bytes`] writes.
    ///
    /// # Errors
    /// The [`Refusal`] of the first thing that is wrong.
    pub fn from_bytes(bytes: &[u8]) -> Result<Self, Refusal> {
        let mut reader = Reader::new(bytes);
        let r = &mut reader;
        let mut fields = r.map()?;
        let (mut cursor, mut more, mut frames, mut ids, mut refused) =
            (None, None, None, None, None);
        let mut notice = Notice::default();
        while let Some(field) = fields.next(r)? {
            match field {
                2 => cursor = Some(read_cursor(r)?),
                4 => more = Some(r.flag()?),
                6 => frames = Some(read_frames(r)?),
                8 => ids = Some(read_items(r, |r| r.fixed().map(FrameId))?),
                10 => {
                    let code = r.text(crate::whisper::CODE_MAX)?;
                    refused = Some(Code::new(code).ok_or(Refusal::BadText)?);
                }
                11 => notice.others = Some(r.small::<u32>()?),
                13 => notice.now = Some(Timestamp(r.uint(u64::MAX)?)),
                other => Fields::unknown(other, r)?,
            }
        }
        r.end()?;
        match (refused, frames, ids) {
            (Some(code), None, None) => Ok(Self::Refused(code)),
            (None, Some(frames), None) => Ok(Self::Frames {
                cursor,
                more: more.ok_or(Refusal::MissingField)?,
                frames,
                notice,
            }),
            (None, None, Some(ids)) => Ok(Self::Ids {
                cursor: cursor.ok_or(Refusal::MissingField)?,
                more: more.ok_or(Refusal::MissingField)?,
                ids,
                notice,
            }),
            (None, None, None) => Err(Refusal::MissingField),
            (Some(_) | None, ..) => Err(Refusal::BadField),
        }
    }
}

/// What this book says to this question. Whether the peer may ask so often is [`Rates`]' to say, before.
#[must_use]
pub fn answer(book: &Book, network: Network, request: &Request) -> Response {
    if request.network != network {
        return Response::refused(OTHER_NETWORK);
    }
    let max_bytes = request.max_bytes.min(BYTES_MAX);
    match &request.want {
        Want::Frames(since) => {
            let page = book.page(*since, max_bytes);
            Response::Frames {
                cursor: Some(page.cursor),
                more: page.more,
                frames: page.frames,
                notice: Notice::default(),
            }
        }
        Want::Ids(since) => {
            let (ids, cursor, more) = book.ids(*since, max_bytes / ID_COST);
            Response::Ids {
                cursor,
                more,
                ids,
                notice: Notice::default(),
            }
        }
        Want::ById(ids) => {
            let frames = book.frames(ids, max_bytes);
            Response::Frames {
                cursor: None,
                more: false,
                frames,
                notice: Notice::default(),
            }
        }
        Want::Other(_) => Response::refused(UNKNOWN_MODE),
    }
}

/// How often each peer is answered: a burst, and then one each so many seconds. Remembers a bounded number of peers; the
/// ones whose allowance is whole again are forgotten first, and when all others are busy a newcomer must wait.
#[derive(Clone, Debug)]
pub struct Rates {
    burst: u64,
    seconds: u64,
    /// When each peer's allowance will be whole again.
    whole_at: BTreeMap<PeerId, Timestamp>,
}

/// Peers whose rate is remembered.
const RATED_MAX: usize = 8_192;

impl Rates {
    /// For a peer in a browser: four at once, then one in ten seconds.
    #[must_use]
    pub const fn peer() -> Self {
        Self::new(4, 10)
    }

    /// For a relay, which is there to be asked, and whose fellow relays compare books by pages: thirty at once, then one a
    /// second.
    #[must_use]
    pub const fn relay() -> Self {
        Self::new(30, 1)
    }

    /// `burst` at once, then one in `seconds`.
    #[must_use]
    pub const fn new(burst: u64, seconds: u64) -> Self {
        Self {
            burst,
            seconds,
            whole_at: BTreeMap::new(),
        }
    }

    /// Whether this peer is answered now; if so, it is counted.
    pub fn allow(&mut self, peer: PeerId, now: Timestamp) -> bool {
        let whole_at = self.whole_at.get(&peer).copied().unwrap_or(now).max(now);
        // One more must not push the time beyond what the whole burst takes to earn.
        let next = whole_at + self.seconds;
        if next > now + self.burst * self.seconds {
            return false;
        }
        if !self.whole_at.contains_key(&peer) && self.whole_at.len() >= RATED_MAX {
            self.whole_at.retain(|_, at| *at > now);
            if self.whole_at.len() >= RATED_MAX {
                return false;
            }
        }
        self.whole_at.insert(peer, next);
        true
    }
}

/// Reads and writes the book protocol.
#[derive(Clone, Copy, Debug, Default)]
pub struct Codec;

impl request_response::Codec for Codec {
    type Protocol = StreamProtocol;
    type Request = Request;
    type Response = Response;

    async fn read_request<T>(&mut self, _: &StreamProtocol, io: &mut T) -> io::Result<Request>
    where
        T: AsyncRead + Unpin + Send,
    {
        let bytes = read_prefixed(io, QUESTION_MAX).await?;
        Request::from_bytes(&bytes).map_err(malformed)
    }

    async fn read_response<T>(&mut self, _: &StreamProtocol, io: &mut T) -> io::Result<Response>
    where
        T: AsyncRead + Unpin + Send,
    {
        let bytes = read_prefixed(io, ANSWER_MAX).await?;
        Response::from_bytes(&bytes).map_err(malformed)
    }

    async fn write_request<T>(
        &mut self,
        _: &StreamProtocol,
        io: &mut T,
        request: Request,
    ) -> io::Result<()>
    where
        T: AsyncWrite + Unpin + Send,
    {
        write_prefixed(io, &request.to_bytes(), QUESTION_MAX).await
    }

    async fn write_response<T>(
        &mut self,
        _: &StreamProtocol,
        io: &mut T,
        response: Response,
    ) -> io::Result<()>
    where
        T: AsyncWrite + Unpin + Send,
    {
        write_prefixed(io, &response.to_bytes(), ANSWER_MAX).await
    }
}

/// Reads a length and then so many bytes; room grows with what arrives, not with what is announced.
async fn read_prefixed<T>(io: &mut T, max: usize) -> io::Result<Vec<u8>>
where
    T: AsyncRead + Unpin + Send,
{
    let mut len = [0; 4];
    io.read_exact(&mut len).await?;
    let len = u32::from_be_bytes(len);
    if len as usize > max {
        return Err(malformed(Refusal::TooLarge));
    }
    let mut bytes = Vec::new();
    io.take(u64::from(len)).read_to_end(&mut bytes).await?;
    if bytes.len() == len as usize {
        Ok(bytes)
    } else {
        Err(malformed(Refusal::Truncated))
    }
}

async fn write_prefixed<T>(io: &mut T, bytes: &[u8], max: usize) -> io::Result<()>
where
    T: AsyncWrite + Unpin + Send,
{
    if bytes.len() > max {
        return Err(malformed(Refusal::TooLarge));
    }
    let len = u32::try_from(bytes.len()).map_err(|_| malformed(Refusal::TooLarge))?;
    io.write_all(&len.to_be_bytes()).await?;
    io.write_all(bytes).await?;
    io.close().await
}

fn malformed(refusal: Refusal) -> io::Error {
    io::Error::new(io::ErrorKind::InvalidData, refusal.code())
}

fn write_cursor(writer: &mut Writer, cursor: Cursor) {
    writer.array(2);
    writer.uint(cursor.epoch);
    writer.uint(cursor.at);
}

fn read_cursor(reader: &mut Reader<'_>) -> Result<Cursor, Refusal> {
    reader.tuple(2)?;
    Ok(Cursor {
        epoch: reader.uint(u64::MAX)?,
        at: reader.uint(u64::MAX)?,
    })
}

fn write_ids(writer: &mut Writer, ids: &[FrameId]) {
    writer.array(ids.len());
    for id in ids {
        writer.bytes(&id.0);
    }
}

fn read_frames(reader: &mut Reader<'_>) -> Result<Vec<Vec<u8>>, Refusal> {
    read_items(reader, |r| {
        let frame = r.bytes(FRAME_MAX)?;
        if frame.is_empty() {
            return Err(Refusal::BadField);
        }
        Ok(frame.to_vec())
    })
}

/// A list whose room grows with its items: an announced length alone allocates nothing.
fn read_items<T>(
    reader: &mut Reader<'_>,
    mut item: impl FnMut(&mut Reader<'_>) -> Result<T, Refusal>,
) -> Result<Vec<T>, Refusal> {
    let len = reader.array(ITEMS_MAX)?;
    let mut items = Vec::new();
    for _ in 0..len {
        items.push(item(reader)?);
    }
    Ok(items)
}

const _: () = assert!(QUESTION_MAX > IDS_ASKED_MAX * ID_COST + 128);
const _: () = assert!(ANSWER_MAX > BYTES_MAX + (BYTES_MAX / 138) * FRAME_HEAD + 128);

#[cfg(test)]
mod tests {
    use super::*;
    use futures::executor::block_on;
    use futures::io;
    use haggle_protocol::keys::SigningKey;
    use libp2p::request_response::Codec as _;
    use proptest::prelude::*;

    const NAME: StreamProtocol = StreamProtocol::new(PROTOCOL_BOOK);

    fn questions() -> impl Strategy<Value = Request> {
        let cursor = proptest::option::of(
            (any::<u64>(), any::<u64>()).prop_map(|(epoch, at)| Cursor { epoch, at }),
        );
        let ids = proptest::collection::vec(any::<[u8; 32]>().prop_map(FrameId), 0..20);
        let want = prop_oneof![
            cursor.clone().prop_map(Want::Frames),
            cursor.prop_map(Want::Ids),
            ids.prop_map(Want::ById),
            (6u8..).prop_map(Want::Other),
        ];
        (any::<[u8; 4]>(), want, 0..=BYTES_MAX).prop_map(|(network, want, max_bytes)| Request {
            network: Network(network),
            want,
            max_bytes,
        })
    }

    fn answers() -> impl Strategy<Value = Response> {
        let cursor = (any::<u64>(), any::<u64>()).prop_map(|(epoch, at)| Cursor { epoch, at });
        let frame = proptest::collection::vec(any::<u8>(), 1..300);
        let frames = proptest::collection::vec(frame, 0..10);
        let ids = proptest::collection::vec(any::<[u8; 32]>().prop_map(FrameId), 0..20);
        let notice = || {
            any::<(Option<u32>, Option<u64>)>().prop_map(|(others, now)| Notice {
                others,
                now: now.map(Timestamp),
            })
        };
        let some_cursor = proptest::option::of(cursor.clone());
        prop_oneof![
            (some_cursor, any::<bool>(), frames, notice()).prop_map(
                |(cursor, more, frames, notice)| Response::Frames {
                    cursor,
                    more,
                    frames,
                    notice
                }
            ),
            (cursor, any::<bool>(), ids, notice()).prop_map(|(cursor, more, ids, notice)| {
                Response::Ids {
                    cursor,
                    more,
                    ids,
                    notice,
                }
            }),
            Just(Response::refused(TOO_OFTEN)),
        ]
    }

    proptest! {
        #[test]
        fn what_is_written_is_read_again(question in questions(), answer in answers()) {
            prop_assert_eq!(Request::from_bytes(&question.to_bytes()), Ok(question));
            prop_assert_eq!(Response::from_bytes(&answer.to_bytes()), Ok(answer));
        }

        #[test]
        fn no_bytes_make_the_readers_panic(bytes in proptest::collection::vec(any::<u8>(), 0..400)) {
            let _ = Request::from_bytes(&bytes);
            let _ = Response::from_bytes(&bytes);
        }

        #[test]
        fn a_flipped_bit_is_refused_or_reads_as_something_else(answer in answers(), at: prop::sample::Index, bit in 0u8..8) {
            let mut bytes = answer.to_bytes();
            let at = at.index(bytes.len());
            bytes[at] ^= 1 << bit;
            prop_assert_ne!(Response::from_bytes(&bytes), Ok(answer));
        }
    }

    #[test]
    fn the_codes_of_refusals_are_codes() {
        for code in [OTHER_NETWORK, UNKNOWN_MODE, TOO_OFTEN, BUSY] {
            assert_eq!(
                Response::refused(code),
                Response::Refused(Code::new(code).unwrap())
            );
        }
    }

    #[test]
    fn over_the_wire_both_ways_and_nothing_longer_than_its_bound() {
        let question = Request::new(Network::main(), Want::Ids(None));
        let mut wire = io::Cursor::new(Vec::new());
        block_on(Codec.write_request(&NAME, &mut wire, question.clone())).unwrap();
        let bytes = wire.into_inner();
        let read = |bytes: &[u8]| block_on(Codec.read_request(&NAME, &mut io::Cursor::new(bytes)));
        assert_eq!(read(&bytes).unwrap(), question);
        assert!(read(&bytes[..bytes.len() - 1]).is_err(), "cut short");
        assert!(read(&[0xff; 4]).is_err(), "announces four gibibytes");
        let largest = Response::Frames {
            cursor: None,
            more: true,
            frames: vec![vec![0; 138]; BYTES_MAX / 138],
            notice: Notice {
                others: Some(u32::MAX),
                now: Some(Timestamp(u64::MAX)),
            },
        };
        let mut wire = io::Cursor::new(Vec::new());
        block_on(Codec.write_response(&NAME, &mut wire, largest.clone())).unwrap();
        let again = block_on(Codec.read_response(&NAME, &mut io::Cursor::new(wire.into_inner())));
        assert_eq!(again.unwrap(), largest);
    }

    #[test]
    fn a_question_of_a_later_version_is_understood_well_enough_to_be_refused() {
        let later = Request {
            network: Network::main(),
            want: Want::Other(4),
            max_bytes: 1,
        };
        let read = Request::from_bytes(&later.to_bytes()).unwrap();
        let book = Book::new(Network::main(), haggle_book::Limits::relay(), 1);
        assert_eq!(
            answer(&book, Network::main(), &read),
            Response::refused(UNKNOWN_MODE)
        );
        let other = Request::new(Network::named("another"), Want::Frames(None));
        assert_eq!(
            answer(&book, Network::main(), &other),
            Response::refused(OTHER_NETWORK)
        );
    }

    #[test]
    fn a_frame_beyond_its_bound_and_an_empty_one_are_refused() {
        for (len, good) in [
            (0, false),
            (1, true),
            (FRAME_MAX, true),
            (FRAME_MAX + 1, false),
        ] {
            let bytes = Response::Frames {
                cursor: None,
                more: false,
                frames: vec![vec![7; len]],
                notice: Notice::default(),
            }
            .to_bytes();
            assert_eq!(Response::from_bytes(&bytes).is_ok(), good, "{len}");
        }
    }

    #[test]
    fn a_peer_is_answered_four_times_at_once_and_then_each_ten_seconds() {
        let mut rates = Rates::peer();
        let peer = PeerId::random();
        let start = Timestamp(1_000);
        let taken = (0..10).filter(|_| rates.allow(peer, start)).count();
        assert_eq!(taken, 4);
        assert!(!rates.allow(peer, start + 9));
        assert!(rates.allow(peer, start + 10));
        assert!(!rates.allow(peer, start + 19));
        assert!(
            rates.allow(PeerId::random(), start),
            "another peer has its own"
        );
        assert!((0..4).all(|_| rates.allow(peer, start + 100)));
    }

    #[test]
    fn the_memory_of_rates_is_bounded_and_clears_itself() {
        let mut rates = Rates::new(1, 10);
        let start = Timestamp(1_000);
        for n in 0..RATED_MAX {
            let mut seed = [0; 32];
            seed[..8].copy_from_slice(&n.to_be_bytes());
            let key = SigningKey::from_seed(&seed).public();
            assert!(rates.allow(crate::addr::peer_of(&key).unwrap(), start));
        }
        assert!(!rates.allow(PeerId::random(), start));
        assert!(rates.allow(PeerId::random(), start + 10));
        assert!(rates.whole_at.len() <= RATED_MAX);
    }
}
