//! A file that goes with a private message: a photo of what is offered, or the digital goods themselves.
//!
//! The message names the file: its size, its SHA-256, and a key that nobody else knows. So whoever signs the message
//! binds himself to every byte of the file. The bytes themselves are fetched afterwards, in pieces, whenever both sides
//! are there; each piece is encrypted by that key, so the path it takes needs no trust.
//!
//! ```text
//! id       SHA-256(haggle/1/id/file ‖ network[4] ‖ thread[32] ‖ key[32] ‖ hash[32] ‖ u32 bytes)
//! piece n  bytes [n × 65,520 .. (n+1) × 65,520) of the file, the last one shorter, and a tag of 16 bytes:
//!          ChaCha20-Poly1305(key, nonce = u64 zero ‖ u32 n, associated data = id, bytes)
//! ```
//!
//! The cipher is RFC 8439. A key is drawn for one file in one thread, so no nonce is used twice. An id tells nothing of
//! the file, and whoever knows it can fetch only what he cannot read.

use core::fmt;

use chacha20poly1305::aead::{Aead, Payload};
use chacha20poly1305::{ChaCha20Poly1305, KeyInit, Nonce};
use sha2::digest::common::hazmat::SerializableState;
use sha2::{Digest, Sha256};

use crate::cbor::{Fields, Reader, Writer};
use crate::ids::{FileId, ThreadId};
use crate::limits::{FILE_BYTES_MAX, FILES_MAX, LABEL_MAX, MEDIA_TYPE_MAX, PIECE_LEN};
use crate::names::Network;
use crate::refusal::Refusal;
use crate::secret::shared_secret;
use crate::tag::{Tag, hash};
use crate::text;

/// Bytes by which a sealed piece is longer than what is in it.
const TAG: usize = 16;
/// A whole sealed piece, in bytes.
pub const SEALED_PIECE_MAX: usize = PIECE_LEN + TAG;

shared_secret! {
    /// What one file is encrypted by.
    FileKey
}

/// A file, as the message that goes with it names it.
#[derive(Clone, PartialEq, Eq)]
pub struct Attachment {
    /// What it is called: one line, without a path.
    pub name: String,
    /// What it says it is (RFC 6838), in lower case: `image/jpeg`. Only a hint.
    pub media_type: String,
    /// Its size in bytes, from 1 to [`FILE_BYTES_MAX`].
    pub bytes: u32,
    /// SHA-256 (FIPS 180-4) of all its bytes.
    pub hash: [u8; 32],
    /// What its pieces are encrypted by.
    pub key: FileKey,
}

impl fmt::Debug for Attachment {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Attachment")
            .field("bytes", &self.bytes)
            .finish_non_exhaustive()
    }
}

impl Attachment {
    /// Names a file.
    ///
    /// # Errors
    /// As [`Attachment::check`]; [`Refusal::TooLarge`].
    pub fn of(
        name: String,
        media_type: String,
        content: &[u8],
        key: FileKey,
    ) -> Result<Self, Refusal> {
        let bytes = u32::try_from(content.len()).map_err(|_| Refusal::TooLarge)?;
        let attachment = Self {
            name,
            media_type,
            bytes,
            hash: Sha256::digest(content).into(),
            key,
        };
        attachment.check().map(|()| attachment)
    }

    /// Checks texts and size.
    ///
    /// # Errors
    /// [`Refusal::BadText`]; [`Refusal::BadField`] if it is empty; [`Refusal::TooLarge`].
    pub fn check(&self) -> Result<(), Refusal> {
        text::line(&self.name, LABEL_MAX)?;
        if self.name.contains(['/', '\\']) || self.name.starts_with('.') {
            return Err(Refusal::BadText);
        }
        let fine = |c: u8| {
            c.is_ascii_lowercase() || c.is_ascii_digit() || matches!(c, b'/' | b'.' | b'+' | b'-')
        };
        let both = self.media_type.split_once('/');
        let both = both.is_some_and(|(kind, rest)| !kind.is_empty() && !rest.is_empty());
        if !both || self.media_type.len() > MEDIA_TYPE_MAX || !self.media_type.bytes().all(fine) {
            return Err(Refusal::BadText);
        }
        match self.bytes {
            0 => Err(Refusal::BadField),
            bytes if bytes > FILE_BYTES_MAX => Err(Refusal::TooLarge),
            _ => Ok(()),
        }
    }

    /// What its pieces are asked for by.
    #[must_use]
    pub fn id(&self, network: Network, thread: &ThreadId) -> FileId {
        let bytes = self.bytes.to_be_bytes();
        let parts: [&[u8]; 5] = [&network.0, &thread.0, &self.key.0, &self.hash, &bytes];
        FileId(hash(Tag::IdFile, &parts))
    }

    /// How many pieces it has: at least one.
    #[must_use]
    pub const fn pieces(&self) -> u32 {
        // The length of a piece fits into 17 bits.
        self.bytes.div_ceil(PIECE_LEN as u32)
    }

    /// The length of a piece before it is sealed, in bytes; 0 for one that it does not have.
    #[must_use]
    pub const fn piece_len(&self, index: u32) -> usize {
        let before = (index as usize).saturating_mul(PIECE_LEN);
        let rest = (self.bytes as usize).saturating_sub(before);
        if rest < PIECE_LEN { rest } else { PIECE_LEN }
    }

    /// Encrypts one piece of its content, which must be the file that it names.
    ///
    /// # Errors
    /// [`Refusal::BadField`] for a piece that it does not have.
    pub fn seal_piece(&self, id: &FileId, index: u32, content: &[u8]) -> Result<Vec<u8>, Refusal> {
        let start = (index as usize).saturating_mul(PIECE_LEN);
        let piece = content
            .get(start..start + self.piece_len(index))
            .filter(|piece| !piece.is_empty())
            .ok_or(Refusal::BadField)?;
        let payload = Payload {
            msg: piece,
            aad: &id.0,
        };
        let sealed = self.cipher().encrypt(&nonce(index), payload);
        sealed.map_err(|_| Refusal::TooLarge)
    }

    /// Opens one piece.
    ///
    /// # Errors
    /// [`Refusal::SealBroken`] if it was altered, is another piece, or has not its length.
    pub fn open_piece(&self, id: &FileId, index: u32, sealed: &[u8]) -> Result<Vec<u8>, Refusal> {
        let len = self.piece_len(index);
        if len == 0 || sealed.len() != len + TAG {
            return Err(Refusal::SealBroken);
        }
        let payload = Payload {
            msg: sealed,
            aad: &id.0,
        };
        let opened = self.cipher().decrypt(&nonce(index), payload);
        opened.map_err(|_| Refusal::SealBroken)
    }

    fn cipher(&self) -> ChaCha20Poly1305 {
        ChaCha20Poly1305::new(&self.key.0.into())
    }

    fn write(&self, writer: &mut Writer) {
        writer.map(|map| {
            map.field(2, |w| w.text(&self.name));
            map.field(4, |w| w.text(&self.media_type));
            map.field(6, |w| w.uint(u64::from(self.bytes)));
            map.field(8, |w| w.bytes(&self.hash));
            map.field(10, |w| w.bytes(&self.key.0));
        });
    }

    fn read(r: &mut Reader<'_>) -> Result<Self, Refusal> {
        let mut fields = r.map()?;
        let (mut name, mut media_type, mut bytes) = (None, None, None);
        let (mut hash, mut key) = (None, None);
        while let Some(number) = fields.next(r)? {
            match number {
                2 => name = Some(r.text(LABEL_MAX)?.to_owned()),
                4 => media_type = Some(r.text(MEDIA_TYPE_MAX)?.to_owned()),
                6 => bytes = Some(r.small()?),
                8 => hash = Some(r.fixed()?),
                10 => key = Some(FileKey(r.fixed()?)),
                other => Fields::unknown(other, r)?,
            }
        }
        let attachment = Self {
            name: name.ok_or(Refusal::MissingField)?,
            media_type: media_type.ok_or(Refusal::MissingField)?,
            bytes: bytes.ok_or(Refusal::MissingField)?,
            hash: hash.ok_or(Refusal::MissingField)?,
            key: key.ok_or(Refusal::MissingField)?,
        };
        attachment.check()?;
        Ok(attachment)
    }
}

/// Names one piece of a file: what is asked for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Piece {
    /// Of which file.
    pub file: FileId,
    /// Which one, from 0.
    pub index: u32,
}

impl Piece {
    /// Its length on the wire, in bytes.
    pub const LEN: usize = FileId::LEN + 4;

    /// As it is asked for.
    #[must_use]
    pub fn to_bytes(&self) -> [u8; Self::LEN] {
        let mut out = [0; Self::LEN];
        out[..FileId::LEN].copy_from_slice(&self.file.0);
        out[FileId::LEN..].copy_from_slice(&self.index.to_be_bytes());
        out
    }

    /// From exactly [`Piece::LEN`] bytes.
    #[must_use]
    pub fn from_bytes(bytes: &[u8]) -> Option<Self> {
        let (file, index) = bytes.split_first_chunk()?;
        Some(Self {
            file: FileId(*file),
            index: u32::from_be_bytes(index.try_into().ok()?),
        })
    }
}

fn nonce(index: u32) -> Nonce {
    let mut nonce = Nonce::default();
    nonce[8..].copy_from_slice(&index.to_be_bytes());
    nonce
}

pub(crate) fn write_all(files: &[Attachment], w: &mut Writer) {
    w.array(files.len());
    for file in files {
        file.write(w);
    }
}

pub(crate) fn read_all(r: &mut Reader<'_>) -> Result<Vec<Attachment>, Refusal> {
    r.list(FILES_MAX, Attachment::read)
}

/// Checks how many there are, and each of them.
///
/// # Errors
/// [`Refusal::BadField`], and as [`Attachment::check`].
pub(crate) fn check_all(files: &[Attachment]) -> Result<(), Refusal> {
    if files.len() > FILES_MAX {
        return Err(Refusal::BadField);
    }
    files.iter().try_for_each(Attachment::check)
}

/// The hash of a file whose pieces come one after another, over days and restarts.
#[derive(Clone)]
pub struct Hashing(Sha256);

impl Hashing {
    /// Length of its saved form, in bytes.
    pub const LEN: usize = {
        use sha2::digest::typenum::Unsigned;
        <<Sha256 as SerializableState>::SerializedStateSize as Unsigned>::USIZE
    };

    /// Before the first byte.
    #[must_use]
    pub fn new() -> Self {
        Self(Sha256::new())
    }

    /// The next bytes.
    pub fn update(&mut self, bytes: &[u8]) {
        self.0.update(bytes);
    }

    /// The hash of all of them.
    #[must_use]
    pub fn finish(&self) -> [u8; 32] {
        self.0.clone().finalize().into()
    }

    /// To be saved.
    #[must_use]
    pub fn to_bytes(&self) -> Vec<u8> {
        self.0.serialize().to_vec()
    }

    /// As it was saved.
    #[must_use]
    pub fn from_bytes(bytes: &[u8]) -> Option<Self> {
        let state = bytes.try_into().ok()?;
        Sha256::deserialize(&state).ok().map(Self)
    }
}

impl Default for Hashing {
    fn default() -> Self {
        Self::new()
    }
}

impl fmt::Debug for Hashing {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Hashing(..)")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const THREAD: ThreadId = ThreadId([7; 32]);

    fn file(len: usize) -> (Vec<u8>, Attachment) {
        let content: Vec<u8> = (0..len).map(|at| (at % 251) as u8).collect();
        let key = FileKey([3; 32]);
        let attachment = Attachment::of("a.pdf".into(), "application/pdf".into(), &content, key);
        (content, attachment.unwrap())
    }

    #[test]
    fn the_pieces_of_a_file_come_together_to_it_across_a_restart() {
        for len in [1, PIECE_LEN - 1, PIECE_LEN, PIECE_LEN + 1, 3 * PIECE_LEN] {
            let (content, attachment) = file(len);
            let id = attachment.id(Network::main(), &THREAD);
            let mut whole = Vec::new();
            let mut hashing = Hashing::new();
            for index in 0..attachment.pieces() {
                let sealed = attachment.seal_piece(&id, index, &content).unwrap();
                assert!(sealed.len() <= SEALED_PIECE_MAX);
                let opened = attachment.open_piece(&id, index, &sealed).unwrap();
                hashing.update(&opened);
                hashing = Hashing::from_bytes(&hashing.to_bytes()).unwrap();
                whole.extend(opened);
            }
            assert!(whole == content, "{len}");
            assert_eq!(hashing.finish(), attachment.hash);
            assert!(
                attachment
                    .seal_piece(&id, attachment.pieces(), &content)
                    .is_err()
            );
        }
    }

    #[test]
    fn a_piece_that_was_altered_moved_or_taken_from_another_file_does_not_open() {
        let (content, attachment) = file(2 * PIECE_LEN);
        let id = attachment.id(Network::main(), &THREAD);
        let sealed = attachment.seal_piece(&id, 0, &content).unwrap();
        let mut altered = sealed.clone();
        altered[100] ^= 1;
        assert!(attachment.open_piece(&id, 0, &altered).is_err());
        assert!(attachment.open_piece(&id, 1, &sealed).is_err());
        assert!(attachment.open_piece(&id, 2, &sealed).is_err());
        assert!(attachment.open_piece(&id, 0, &sealed[1..]).is_err());
        assert!(attachment.open_piece(&id, 0, &[]).is_err());
        let elsewhere = attachment.id(Network::main(), &ThreadId([8; 32]));
        assert!(attachment.open_piece(&elsewhere, 0, &sealed).is_err());
    }

    #[test]
    fn a_name_with_a_path_or_a_type_that_is_none_is_refused() {
        let with = |name: &str, media_type: &str, bytes: u32| {
            let (_, good) = file(1);
            Attachment {
                name: name.into(),
                media_type: media_type.into(),
                bytes,
                ..good
            }
            .check()
        };
        assert_eq!(with("a photo.jpg", "image/jpeg", 1), Ok(()));
        for name in [
            "",
            "../a",
            "a/b",
            "a\\b",
            ".profile",
            "a\nb",
            "gnp\u{202e}.exe",
        ] {
            assert_eq!(with(name, "image/jpeg", 1), Err(Refusal::BadText), "{name}");
        }
        for media_type in [
            "",
            "image",
            "/jpeg",
            "image/",
            "image/JPEG",
            "text/html; a=b",
        ] {
            assert_eq!(
                with("a", media_type, 1),
                Err(Refusal::BadText),
                "{media_type}"
            );
        }
        assert_eq!(with("a", "image/jpeg", 0), Err(Refusal::BadField));
        let large = with("a", "image/jpeg", FILE_BYTES_MAX + 1);
        assert_eq!(large, Err(Refusal::TooLarge));
    }

    #[test]
    fn neither_key_nor_name_is_printed() {
        let (_, attachment) = file(9);
        let printed = format!("{attachment:?} {:?}", attachment.key);
        assert_eq!(printed, "Attachment { bytes: 9, .. } FileKey(..)");
    }
}
