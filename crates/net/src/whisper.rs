//! Carries one sealed cell to a peer and brings back one sealed answer, or asks for one encrypted piece of a file. What is
//! inside is nobody's business here.
//!
//! `/haggle/whisper/1` over one substream, each side closing its half after writing:
//!
//! ```text
//! request   cell                        exactly 2,048 or 15,360 bytes
//!           file id | n u32             exactly 36 bytes: piece n of a file
//! answer    0x00 | cell                 the sealed acknowledgement, of the same two sizes
//!           0x01 | code                 why nothing was kept, or given: 1 to 32 of a-z, 0-9 and '-'
//!           0x02 | piece                17 to 65,536 bytes
//! ```
//!
//! Anything else ends the stream. Nothing beyond the largest size is ever read.

use std::io;

use futures::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt};
use haggle_protocol::attachment::{Piece, SEALED_PIECE_MAX};
use haggle_protocol::limits::{CELL_LARGE, CELL_SMALL};
use haggle_protocol::names::PROTOCOL_WHISPER;
use libp2p::StreamProtocol;
use libp2p::request_response::{self, Config, ProtocolSupport};

/// The private channel.
pub type Behaviour = request_response::Behaviour<Codec>;

/// How long a code may be, in bytes.
pub const CODE_MAX: usize = 32;
/// Whispers under way with one connection at the same time, each way.
const STREAMS_MAX: usize = 16;
/// The first byte of an answer that holds a cell.
const STATUS_CELL: u8 = 0;
/// The first byte of an answer that holds a code.
const STATUS_REFUSED: u8 = 1;
/// The first byte of an answer that holds a piece of a file.
const STATUS_PIECE: u8 = 2;
/// A byte and its tag: the shortest piece.
const PIECE_MIN: usize = 17;

/// The private channel; an answer that is not there after `timeout` will not come.
#[must_use]
pub fn behaviour(timeout: core::time::Duration) -> Behaviour {
    Behaviour::with_codec(
        Codec,
        [(StreamProtocol::new(PROTOCOL_WHISPER), ProtocolSupport::Full)],
        Config::default()
            .with_request_timeout(timeout)
            .with_max_concurrent_streams(STREAMS_MAX),
    )
}

/// A sealed cell of one of the two sizes.
#[derive(Clone, PartialEq, Eq)]
pub struct CellBytes(Vec<u8>);

impl CellBytes {
    /// Takes bytes of exactly one of the two sizes.
    #[must_use]
    pub fn new(bytes: Vec<u8>) -> Option<Self> {
        (bytes.len() == CELL_SMALL || bytes.len() == CELL_LARGE).then_some(Self(bytes))
    }

    /// The bytes.
    #[must_use]
    pub fn as_bytes(&self) -> &[u8] {
        &self.0
    }

    /// The bytes.
    #[must_use]
    pub fn into_bytes(self) -> Vec<u8> {
        self.0
    }
}

impl core::fmt::Debug for CellBytes {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        write!(f, "CellBytes({} bytes)", self.0.len())
    }
}

/// A refusal's code as it came: short, lower case, harmless to print and to count.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Code(String);

impl Code {
    /// Takes a code of 1 to 32 of `a-z`, `0-9` and `-`.
    #[must_use]
    pub fn new(text: &str) -> Option<Self> {
        let good = !text.is_empty()
            && text.len() <= CODE_MAX
            && text
                .bytes()
                .all(|c| c.is_ascii_lowercase() || c.is_ascii_digit() || c == b'-');
        good.then(|| Self(text.to_owned()))
    }

    /// The text.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl From<haggle_protocol::Refusal> for Code {
    fn from(refusal: haggle_protocol::Refusal) -> Self {
        Self(refusal.code().to_owned())
    }
}

/// What is asked.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Request {
    /// That a cell is kept.
    Cell(CellBytes),
    /// That a piece of a file is given.
    Piece(Piece),
}

/// A piece of a file as it travels: encrypted, of at most [`SEALED_PIECE_MAX`] bytes.
#[derive(Clone, PartialEq, Eq)]
pub struct PieceBytes(Vec<u8>);

impl PieceBytes {
    /// Takes bytes of a possible length.
    #[must_use]
    pub fn new(bytes: Vec<u8>) -> Option<Self> {
        (PIECE_MIN..=SEALED_PIECE_MAX)
            .contains(&bytes.len())
            .then_some(Self(bytes))
    }

    /// The bytes.
    #[must_use]
    pub fn into_bytes(self) -> Vec<u8> {
        self.0
    }
}

impl core::fmt::Debug for PieceBytes {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        write!(f, "PieceBytes({} bytes)", self.0.len())
    }
}

/// What comes back.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Answer {
    /// The sealed acknowledgement.
    Cell(CellBytes),
    /// The piece.
    Piece(PieceBytes),
    /// It was not kept, and why.
    Refused(Code),
}

/// Reads and writes whispers.
#[derive(Clone, Copy, Debug, Default)]
pub struct Codec;

impl request_response::Codec for Codec {
    type Protocol = StreamProtocol;
    type Request = Request;
    type Response = Answer;

    async fn read_request<T>(&mut self, _: &StreamProtocol, io: &mut T) -> io::Result<Request>
    where
        T: AsyncRead + Unpin + Send,
    {
        let bytes = read_to_end(io, CELL_LARGE).await?;
        if let Some(piece) = Piece::from_bytes(&bytes) {
            return Ok(Request::Piece(piece));
        }
        let cell = CellBytes::new(bytes).map(Request::Cell);
        cell.ok_or_else(|| malformed("neither a cell nor the name of a piece"))
    }

    async fn read_response<T>(&mut self, _: &StreamProtocol, io: &mut T) -> io::Result<Answer>
    where
        T: AsyncRead + Unpin + Send,
    {
        let mut bytes = read_to_end(io, 1 + SEALED_PIECE_MAX).await?;
        let answer = match bytes.first() {
            Some(&STATUS_CELL) => {
                bytes.remove(0);
                CellBytes::new(bytes).map(Answer::Cell)
            }
            Some(&STATUS_PIECE) => {
                bytes.remove(0);
                PieceBytes::new(bytes).map(Answer::Piece)
            }
            Some(&STATUS_REFUSED) => core::str::from_utf8(&bytes[1..])
                .ok()
                .and_then(Code::new)
                .map(Answer::Refused),
            Some(_) | None => None,
        };
        answer.ok_or_else(|| malformed("not an answer"))
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
        match &request {
            Request::Cell(cell) => io.write_all(&cell.0).await?,
            Request::Piece(piece) => io.write_all(&piece.to_bytes()).await?,
        }
        io.close().await
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
        let bytes = match &answer {
            Answer::Cell(cell) => [&[STATUS_CELL], cell.as_bytes()].concat(),
            Answer::Piece(piece) => [&[STATUS_PIECE], piece.0.as_slice()].concat(),
            Answer::Refused(code) => [&[STATUS_REFUSED], code.0.as_bytes()].concat(),
        };
        io.write_all(&bytes).await?;
        io.close().await
    }
}

/// Reads until the other side closes, at most `max` bytes; room grows with what arrives, not with what is announced.
async fn read_to_end<T>(io: &mut T, max: usize) -> io::Result<Vec<u8>>
where
    T: AsyncRead + Unpin + Send,
{
    let mut bytes = Vec::new();
    // One byte more than allowed tells "too long" from "just fits".
    io.take(max as u64 + 1).read_to_end(&mut bytes).await?;
    if bytes.len() > max {
        return Err(malformed("too long"));
    }
    Ok(bytes)
}

fn malformed(what: &'static str) -> io::Error {
    io::Error::new(io::ErrorKind::InvalidData, what)
}

#[cfg(test)]
mod tests {
    use super::*;
    use futures::executor::block_on;
    use futures::io::Cursor;
    use libp2p::request_response::Codec as _;

    const NAME: StreamProtocol = StreamProtocol::new(PROTOCOL_WHISPER);

    fn request(bytes: &[u8]) -> io::Result<Request> {
        block_on(Codec.read_request(&NAME, &mut Cursor::new(bytes)))
    }

    fn response(bytes: &[u8]) -> io::Result<Answer> {
        block_on(Codec.read_response(&NAME, &mut Cursor::new(bytes)))
    }

    #[test]
    fn cells_of_the_two_sizes_and_names_of_pieces_pass_and_no_other() {
        for len in [CELL_SMALL, CELL_LARGE] {
            let cell = Request::Cell(CellBytes::new(vec![7; len]).unwrap());
            let mut wire = Cursor::new(Vec::new());
            block_on(Codec.write_request(&NAME, &mut wire, cell.clone())).unwrap();
            assert_eq!(wire.get_ref().len(), len, "nothing but the cell is written");
            assert_eq!(request(wire.get_ref()).unwrap(), cell);
        }
        let piece = Request::Piece(Piece {
            file: haggle_protocol::FileId([3; 32]),
            index: 0x0102_0304,
        });
        let mut wire = Cursor::new(Vec::new());
        block_on(Codec.write_request(&NAME, &mut wire, piece.clone())).unwrap();
        assert_eq!(wire.get_ref()[32..], [1, 2, 3, 4]);
        assert_eq!(request(wire.get_ref()).unwrap(), piece);
        for len in [
            0,
            1,
            Piece::LEN - 1,
            Piece::LEN + 1,
            CELL_SMALL - 1,
            CELL_SMALL + 1,
            CELL_LARGE - 1,
            CELL_LARGE + 1,
            1 << 20,
        ] {
            assert!(request(&vec![7; len]).is_err(), "{len}");
        }
    }

    #[test]
    fn answers_come_back_as_they_were_given() {
        let cell = CellBytes::new(vec![9; CELL_SMALL]).unwrap();
        let code = Code::from(haggle_protocol::Refusal::SealBroken);
        let piece = |len| Answer::Piece(PieceBytes::new(vec![5; len]).unwrap());
        for answer in [
            Answer::Cell(cell),
            Answer::Refused(code),
            piece(PIECE_MIN),
            piece(SEALED_PIECE_MAX),
        ] {
            let mut wire = Cursor::new(Vec::new());
            block_on(Codec.write_response(&NAME, &mut wire, answer.clone())).unwrap();
            assert_eq!(response(wire.get_ref()).unwrap(), answer);
        }
    }

    #[test]
    fn every_malformed_answer_is_refused() {
        let long = [&[1][..], &[b'a'; CODE_MAX + 1]].concat();
        for bad in [
            &[][..],
            &[0],
            &[1],
            &[2, 0],
            &[2; PIECE_MIN],
            &[2; SEALED_PIECE_MAX + 2],
            &[3; CELL_SMALL],
            b"\x01UPPER",
            b"\x01with space",
            b"\x01\xff\xfe",
            &long,
            &[0; CELL_SMALL],
            &[0; CELL_LARGE + 2],
        ] {
            assert!(response(bad).is_err(), "{} bytes", bad.len());
        }
    }

    #[test]
    fn every_refusal_of_the_protocol_is_a_code() {
        for refusal in haggle_protocol::Refusal::ALL {
            assert!(Code::new(refusal.code()).is_some(), "{refusal}");
        }
    }

    #[test]
    fn a_cell_does_not_print_its_bytes() {
        let cell = CellBytes::new(vec![0xab; CELL_SMALL]).unwrap();
        assert_eq!(format!("{cell:?}"), "CellBytes(2048 bytes)");
    }
}
