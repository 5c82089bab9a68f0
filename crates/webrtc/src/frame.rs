//! What travels on a data channel: length-prefixed frames, each a flag, a piece of data, or both.
//!
//! libp2p's specification (`webrtc/README.md`, "Multiplexing") puts a thin layer over data channels because a browser cannot
//! close one half of a channel or reset it. A frame with its prefix is at most 16 KiB, the most that all implementations take.

use bytes::{Buf, Bytes, BytesMut};
use prost::Message as _;

/// The largest frame with its prefix, in bytes (the specification's bound).
pub const FRAME_MAX: usize = 16 * 1024;

/// The most data that one frame carries, in bytes: what is left of [`FRAME_MAX`] after the prefix (2) and after the
/// encoding around a flag and the data (5).
pub const DATA_MAX: usize = FRAME_MAX - 7;

/// The most data in a frame for a server of rust-libp2p, in bytes. libp2p-webrtc 0.10.0-alpha reads channels through a clone, which in
/// webrtc-data 0.17.2 has a buffer of 8 KiB, and ends the stream at a longer message.
pub const DATA_MAX_SERVER: usize = 8 * 1024 - 7;

/// What a frame says about the stream.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Flag {
    /// The sender sends no more data.
    Fin,
    /// The sender reads no more data.
    StopSending,
    /// The sender gives the stream up.
    Reset,
    /// The sender has seen [`Flag::Fin`].
    FinAck,
}

impl Flag {
    const fn to_wire(self) -> i32 {
        match self {
            Self::Fin => 0,
            Self::StopSending => 1,
            Self::Reset => 2,
            Self::FinAck => 3,
        }
    }

    const fn from_wire(number: i32) -> Option<Self> {
        match number {
            0 => Some(Self::Fin),
            1 => Some(Self::StopSending),
            2 => Some(Self::Reset),
            3 => Some(Self::FinAck),
            _ => None,
        }
    }
}

/// A frame. Flags of later versions of the specification read as no flag.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Frame {
    /// What it says about the stream.
    pub flag: Option<Flag>,
    /// Data; empty if it has none.
    pub data: Bytes,
}

/// Why bytes are no frames. Nothing after them can be understood, so the stream ends.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum FrameError {
    /// A length of more than [`FRAME_MAX`], or no length.
    #[error("a frame of more than {FRAME_MAX} bytes, or one without a length")]
    Length,
    /// Not the encoding of a frame.
    #[error("bytes that are no frame")]
    Encoding,
}

#[derive(Clone, PartialEq, prost::Message)]
struct Wire {
    #[prost(int32, optional, tag = "1")]
    flag: Option<i32>,
    #[prost(bytes = "bytes", optional, tag = "2")]
    message: Option<Bytes>,
}

/// One frame that says something about the stream.
#[must_use]
pub fn encode_flag(flag: Flag) -> Vec<u8> {
    let wire = Wire {
        flag: Some(flag.to_wire()),
        message: None,
    };
    wire.encode_length_delimited_to_vec()
}

/// One frame with as much of the data as it can carry, and how much that is: at most `most` bytes, and never more than
/// [`DATA_MAX`].
#[must_use]
pub fn encode_data(data: &[u8], most: usize) -> (Vec<u8>, usize) {
    let taken = data.len().min(most).min(DATA_MAX);
    let piece = data.get(..taken).unwrap_or_default();
    // Field 2, wire type 2: written by hand, because a message of its own would copy the data once more.
    let mut lengths = unsigned_varint::encode::usize_buffer();
    let length = unsigned_varint::encode::usize(taken, &mut lengths);
    let body = 1 + length.len() + taken;
    let mut prefixes = unsigned_varint::encode::usize_buffer();
    let prefix = unsigned_varint::encode::usize(body, &mut prefixes);
    let mut bytes = Vec::with_capacity(prefix.len() + body);
    bytes.extend_from_slice(prefix);
    bytes.push(0x12);
    bytes.extend_from_slice(length);
    bytes.extend_from_slice(piece);
    (bytes, taken)
}

/// Takes frames out of the messages of a data channel. A frame may be spread over messages and a message may hold several:
/// implementations differ. Holds at most one unfinished frame beside what was just put in.
#[derive(Debug, Default)]
pub struct Decoder {
    pending: Bytes,
}

impl Decoder {
    /// A message arrived.
    pub fn put(&mut self, message: Bytes) {
        if self.pending.is_empty() {
            self.pending = message;
        } else {
            let mut joined = BytesMut::with_capacity(self.pending.len() + message.len());
            joined.extend_from_slice(&self.pending);
            joined.extend_from_slice(&message);
            self.pending = joined.freeze();
        }
    }

    /// The next whole frame.
    ///
    /// # Errors
    /// If the bytes are none; the decoder is of no use after that.
    pub fn take(&mut self) -> Result<Option<Frame>, FrameError> {
        let (length, rest) = match unsigned_varint::decode::usize(&self.pending) {
            Ok(found) => found,
            Err(unsigned_varint::decode::Error::Insufficient)
                if self.pending.len() < LENGTH_BYTES_MAX =>
            {
                return Ok(None);
            }
            Err(_) => return Err(FrameError::Length),
        };
        if length > FRAME_MAX {
            return Err(FrameError::Length);
        }
        if rest.len() < length {
            return Ok(None);
        }
        let prefix = self.pending.len() - rest.len();
        self.pending.advance(prefix);
        let body = self.pending.split_to(length);
        let wire = Wire::decode(body).map_err(|_| FrameError::Encoding)?;
        Ok(Some(Frame {
            flag: wire.flag.and_then(Flag::from_wire),
            data: wire.message.unwrap_or_default(),
        }))
    }
}

/// A length of up to [`FRAME_MAX`] takes three bytes.
const LENGTH_BYTES_MAX: usize = 3;

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn flags_are_encoded_as_the_specification_says() {
        assert_eq!(encode_flag(Flag::Fin), [2, 8, 0]);
        assert_eq!(encode_flag(Flag::StopSending), [2, 8, 1]);
        assert_eq!(encode_flag(Flag::Reset), [2, 8, 2]);
        assert_eq!(encode_flag(Flag::FinAck), [2, 8, 3]);
    }

    #[test]
    fn data_is_encoded_as_a_message_of_its_own_would_be() {
        for size in [0, 1, 127, 128, 300, DATA_MAX] {
            let data = vec![7; size];
            let (ours, taken) = encode_data(&data, DATA_MAX);
            let wire = Wire {
                flag: None,
                message: Some(data.into()),
            };
            assert_eq!(ours, wire.encode_length_delimited_to_vec());
            assert_eq!(taken, size);
            assert!(ours.len() <= FRAME_MAX);
        }
    }

    #[test]
    fn more_data_than_a_frame_carries_is_left_for_the_next() {
        let (bytes, taken) = encode_data(&vec![1; DATA_MAX + 1], usize::MAX);
        assert_eq!(taken, DATA_MAX);
        assert!(bytes.len() <= FRAME_MAX);
    }

    #[test]
    fn a_flag_of_a_later_version_is_no_error() {
        let mut decoder = Decoder::default();
        decoder.put(Bytes::from_static(&[2, 8, 9]));
        assert_eq!(decoder.take(), Ok(Some(Frame::default())));
    }

    #[test]
    fn a_length_beyond_the_bound_is_refused_before_anything_is_kept() {
        for bytes in [&[0x81, 0x80, 0x01][..], &[0xff, 0xff, 0xff], &[0xff; 11]] {
            let mut decoder = Decoder::default();
            decoder.put(Bytes::copy_from_slice(bytes));
            assert_eq!(decoder.take(), Err(FrameError::Length));
        }
    }

    #[test]
    fn what_is_no_message_is_refused() {
        let mut decoder = Decoder::default();
        decoder.put(Bytes::from_static(&[2, 0x12, 9]));
        assert_eq!(decoder.take(), Err(FrameError::Encoding));
    }

    proptest! {
        #[test]
        fn frames_arrive_whole_however_they_are_cut(
            pieces in proptest::collection::vec(proptest::collection::vec(any::<u8>(), 0..600), 1..8),
            cuts in proptest::collection::vec(1_usize..400, 1..40),
        ) {
            let mut sent: Vec<u8> = Vec::new();
            for piece in &pieces {
                sent.extend(encode_data(piece, DATA_MAX).0);
                sent.extend(encode_flag(Flag::FinAck));
            }
            let mut decoder = Decoder::default();
            let mut got = Vec::new();
            let mut rest = &sent[..];
            for cut in cuts.iter().cycle() {
                let (now, later) = rest.split_at((*cut).min(rest.len()));
                decoder.put(Bytes::copy_from_slice(now));
                while let Some(frame) = decoder.take().unwrap() {
                    got.push(frame);
                }
                rest = later;
                if rest.is_empty() {
                    break;
                }
            }
            let data: Vec<_> = got.iter().step_by(2).map(|frame| frame.data.to_vec()).collect();
            prop_assert_eq!(data, pieces);
            prop_assert!(got.iter().skip(1).step_by(2).all(|frame| frame.flag == Some(Flag::FinAck)));
        }

        #[test]
        fn no_bytes_make_it_panic_or_keep_more_than_it_was_given(
            messages in proptest::collection::vec(proptest::collection::vec(any::<u8>(), 0..64), 0..32),
        ) {
            let mut decoder = Decoder::default();
            'all: for message in messages {
                decoder.put(message.into());
                loop {
                    match decoder.take() {
                        Ok(Some(frame)) => prop_assert!(frame.data.len() <= FRAME_MAX),
                        Ok(None) => break,
                        Err(_) => break 'all,
                    }
                }
                prop_assert!(decoder.pending.len() <= FRAME_MAX + LENGTH_BYTES_MAX);
            }
        }
    }
}
