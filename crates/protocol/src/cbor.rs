//! Deterministic CBOR, narrowed to what bodies need: unsigned integers, byte and text strings, arrays and
//! maps with ascending unsigned keys. No floats, tags, negatives, null or indefinite lengths.
//!
//! There is exactly one encoding of a value (RFC 8949 §4.2.1), and the reader takes no other: shortest
//! integers, definite lengths, strictly ascending keys, nothing behind the end. That is why it is our own
//! 200 lines: general decoders accept more than one encoding, and what is accepted twice can be signed once.
//! A reader never allocates: strings are borrowed, lengths are compared with what is left before they are used.
//!
//! Fields of a map follow one rule for the future: an unknown **odd** key is skipped (its bytes stay in what was
//! signed), an unknown **even** key refuses the message.

use crate::limits::DEPTH_MAX;
use crate::refusal::Refusal;

/// Writes deterministic CBOR.
#[derive(Clone, Debug, Default)]
pub struct Writer {
    out: Vec<u8>,
}

impl Writer {
    /// An empty writer.
    #[must_use]
    pub const fn new() -> Self {
        Self { out: Vec::new() }
    }

    /// What was written.
    #[must_use]
    pub fn into_bytes(self) -> Vec<u8> {
        self.out
    }

    /// An unsigned integer.
    pub fn uint(&mut self, value: u64) {
        self.head(0, value);
    }

    /// A byte string.
    pub fn bytes(&mut self, value: &[u8]) {
        self.head(2, value.len() as u64);
        self.out.extend_from_slice(value);
    }

    /// A text string.
    pub fn text(&mut self, value: &str) {
        self.head(3, value.len() as u64);
        self.out.extend_from_slice(value.as_bytes());
    }

    /// The head of an array; exactly `len` items must follow.
    pub fn array(&mut self, len: usize) {
        self.head(4, len as u64);
    }

    /// A map, its fields written in ascending order of their keys.
    pub fn map(&mut self, fields: impl FnOnce(&mut Map)) {
        let mut map = Map {
            writer: Self::new(),
            len: 0,
            last: None,
        };
        fields(&mut map);
        self.head(5, map.len);
        self.out.extend_from_slice(&map.writer.out);
    }

    fn head(&mut self, major: u8, value: u64) {
        let major = major << 5;
        let bytes = value.to_be_bytes();
        match value {
            0..=23 => self.out.push(major | bytes[7]),
            24..=0xff => self.out.extend_from_slice(&[major | 24, bytes[7]]),
            0x100..=0xffff => {
                self.out.push(major | 25);
                self.out.extend_from_slice(&bytes[6..]);
            }
            0x1_0000..=0xffff_ffff => {
                self.out.push(major | 26);
                self.out.extend_from_slice(&bytes[4..]);
            }
            _ => {
                self.out.push(major | 27);
                self.out.extend_from_slice(&bytes);
            }
        }
    }
}

/// The fields of a map under way.
#[derive(Debug)]
pub struct Map {
    writer: Writer,
    len: u64,
    last: Option<u64>,
}

impl Map {
    /// One field. Keys must ascend.
    pub fn field(&mut self, key: u64, value: impl FnOnce(&mut Writer)) {
        debug_assert!(self.last.is_none_or(|last| last < key), "keys ascend");
        self.last = Some(key);
        self.len += 1;
        self.writer.uint(key);
        value(&mut self.writer);
    }

    /// One field if there is a value for it.
    pub fn optional<T>(&mut self, key: u64, value: Option<T>, write: impl FnOnce(&mut Writer, T)) {
        if let Some(value) = value {
            self.field(key, |writer| write(writer, value));
        }
    }
}

/// Reads deterministic CBOR from borrowed bytes.
#[derive(Clone, Debug)]
pub struct Reader<'a> {
    rest: &'a [u8],
    depth: u8,
}

impl<'a> Reader<'a> {
    /// Reads from the start of `bytes`.
    #[must_use]
    pub const fn new(bytes: &'a [u8]) -> Self {
        Self {
            rest: bytes,
            depth: 0,
        }
    }

    /// # Errors
    /// [`Refusal::Truncated`] if anything is left.
    pub const fn end(&self) -> Result<(), Refusal> {
        if self.rest.is_empty() {
            Ok(())
        } else {
            Err(Refusal::Truncated)
        }
    }

    /// An unsigned integer of at most `max`.
    ///
    /// # Errors
    /// [`Refusal::BadField`] if it is larger; [`Refusal::NotCanonical`] or [`Refusal::Truncated`] for the form.
    pub fn uint(&mut self, max: u64) -> Result<u64, Refusal> {
        let value = self.head(0)?;
        if value > max {
            Err(Refusal::BadField)
        } else {
            Ok(value)
        }
    }

    /// An unsigned integer that fits `T`.
    ///
    /// # Errors
    /// As [`Reader::uint`].
    pub fn small<T: TryFrom<u64>>(&mut self) -> Result<T, Refusal> {
        T::try_from(self.head(0)?).map_err(|_| Refusal::BadField)
    }

    /// A truth value: 0 or 1.
    ///
    /// # Errors
    /// As [`Reader::uint`].
    pub fn flag(&mut self) -> Result<bool, Refusal> {
        Ok(self.uint(1)? == 1)
    }

    /// A byte string of at most `max` bytes.
    ///
    /// # Errors
    /// [`Refusal::BadField`] if it is longer; [`Refusal::NotCanonical`] or [`Refusal::Truncated`] for the form.
    pub fn bytes(&mut self, max: usize) -> Result<&'a [u8], Refusal> {
        let len = self.head(2)?;
        self.take(len, max)
    }

    /// A byte string of exactly `N` bytes.
    ///
    /// # Errors
    /// As [`Reader::bytes`].
    pub fn fixed<const N: usize>(&mut self) -> Result<[u8; N], Refusal> {
        self.bytes(N)?.try_into().map_err(|_| Refusal::BadField)
    }

    /// A text of at most `max` bytes of UTF-8. What may stand in it is [`crate::text`]'s to say.
    ///
    /// # Errors
    /// As [`Reader::bytes`], and [`Refusal::NotCanonical`] if it is not UTF-8.
    pub fn text(&mut self, max: usize) -> Result<&'a str, Refusal> {
        let len = self.head(3)?;
        core::str::from_utf8(self.take(len, max)?).map_err(|_| Refusal::NotCanonical)
    }

    /// The head of an array of at most `max` items; the items follow.
    ///
    /// # Errors
    /// As [`Reader::bytes`].
    pub fn array(&mut self, max: usize) -> Result<usize, Refusal> {
        let len = self.head(4)?;
        match usize::try_from(len) {
            Ok(len) if len <= max => Ok(len),
            _ => Err(Refusal::BadField),
        }
    }

    /// The head of an array of exactly `len` items; the items follow.
    ///
    /// # Errors
    /// As [`Reader::bytes`].
    pub fn tuple(&mut self, len: usize) -> Result<(), Refusal> {
        if self.array(len)? == len {
            Ok(())
        } else {
            Err(Refusal::BadField)
        }
    }

    /// A list of at most `max` items, each read by `item`.
    ///
    /// # Errors
    /// As [`Reader::array`], and what `item` says.
    pub fn list<T>(
        &mut self,
        max: usize,
        mut item: impl FnMut(&mut Self) -> Result<T, Refusal>,
    ) -> Result<Vec<T>, Refusal> {
        let len = self.array(max)?;
        let mut out = Vec::with_capacity(len);
        for _ in 0..len {
            out.push(item(self)?);
        }
        Ok(out)
    }

    /// A map; its fields follow by [`Fields::next`].
    ///
    /// # Errors
    /// [`Refusal::NotCanonical`] or [`Refusal::Truncated`] for the form.
    pub fn map(&mut self) -> Result<Fields, Refusal> {
        let left = self.head(5)?;
        if left > self.rest.len() as u64 {
            return Err(Refusal::Truncated);
        }
        Ok(Fields { left, last: None })
    }

    /// Passes over one value of any shape, checking its form.
    ///
    /// # Errors
    /// [`Refusal::NotCanonical`] or [`Refusal::Truncated`] for the form, [`Refusal::BadField`] if it nests too deep.
    pub fn skip(&mut self) -> Result<(), Refusal> {
        let first = *self.rest.first().ok_or(Refusal::Truncated)?;
        match first >> 5 {
            0 => self.head(0).map(|_| ()),
            2 => self.bytes(usize::MAX).map(|_| ()),
            3 => self.text(usize::MAX).map(|_| ()),
            4 => {
                let len = self.head(4)?;
                self.nested(|reader| {
                    for _ in 0..len {
                        reader.skip()?;
                    }
                    Ok(())
                })
            }
            5 => {
                let mut fields = self.map()?;
                self.nested(|reader| {
                    while fields.next(reader)?.is_some() {
                        reader.skip()?;
                    }
                    Ok(())
                })
            }
            _ => Err(Refusal::NotCanonical),
        }
    }

    fn nested(
        &mut self,
        walk: impl FnOnce(&mut Self) -> Result<(), Refusal>,
    ) -> Result<(), Refusal> {
        if self.depth >= DEPTH_MAX {
            return Err(Refusal::BadField);
        }
        self.depth += 1;
        walk(self)?;
        self.depth -= 1;
        Ok(())
    }

    fn head(&mut self, major: u8) -> Result<u64, Refusal> {
        let (&first, rest) = self.rest.split_first().ok_or(Refusal::Truncated)?;
        if first >> 5 != major {
            return Err(Refusal::NotCanonical);
        }
        let (width, least) = match first & 31 {
            value @ 0..=23 => {
                self.rest = rest;
                return Ok(u64::from(value));
            }
            24 => (1, 24),
            25 => (2, 0x100),
            26 => (4, 0x1_0000),
            27 => (8, 0x1_0000_0000),
            _ => return Err(Refusal::NotCanonical),
        };
        let (bytes, rest) = rest.split_at_checked(width).ok_or(Refusal::Truncated)?;
        let value = bytes
            .iter()
            .fold(0, |value: u64, byte| value << 8 | u64::from(*byte));
        if value < least {
            return Err(Refusal::NotCanonical);
        }
        self.rest = rest;
        Ok(value)
    }

    fn take(&mut self, len: u64, max: usize) -> Result<&'a [u8], Refusal> {
        let len = usize::try_from(len).map_err(|_| Refusal::Truncated)?;
        let (taken, rest) = self.rest.split_at_checked(len).ok_or(Refusal::Truncated)?;
        if len > max {
            return Err(Refusal::BadField);
        }
        self.rest = rest;
        Ok(taken)
    }
}

/// The fields of a map being read.
#[derive(Debug)]
pub struct Fields {
    left: u64,
    last: Option<u64>,
}

impl Fields {
    /// The next key, whose value then must be read; `None` after the last.
    ///
    /// # Errors
    /// [`Refusal::NotCanonical`] if the keys do not ascend.
    pub fn next(&mut self, reader: &mut Reader<'_>) -> Result<Option<u64>, Refusal> {
        if self.left == 0 {
            return Ok(None);
        }
        self.left -= 1;
        let key = reader.uint(u64::MAX)?;
        if self.last.is_some_and(|last| last >= key) {
            return Err(Refusal::NotCanonical);
        }
        self.last = Some(key);
        Ok(Some(key))
    }

    /// What to do with a key that this version does not know: an odd one is passed over, an even one refuses.
    ///
    /// # Errors
    /// [`Refusal::UnknownField`] for an even key; the form of the skipped value otherwise.
    pub fn unknown(key: u64, reader: &mut Reader<'_>) -> Result<(), Refusal> {
        if key.is_multiple_of(2) {
            Err(Refusal::UnknownField)
        } else {
            reader.skip()
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn integers_have_one_encoding_and_every_longer_one_is_refused() {
        for (value, bytes) in [
            (0, &[0x00][..]),
            (23, &[0x17]),
            (24, &[0x18, 24]),
            (255, &[0x18, 255]),
            (256, &[0x19, 1, 0]),
            (65_536, &[0x1a, 0, 1, 0, 0]),
            (u64::MAX, &[0x1b, 255, 255, 255, 255, 255, 255, 255, 255]),
        ] {
            let mut writer = Writer::new();
            writer.uint(value);
            assert_eq!(writer.into_bytes(), bytes);
            assert_eq!(Reader::new(bytes).uint(u64::MAX), Ok(value));
        }
        for longer in [
            &[0x18, 23][..],
            &[0x19, 0, 255],
            &[0x1a, 0, 0, 255, 255],
            &[0x1f],
        ] {
            assert_eq!(
                Reader::new(longer).uint(u64::MAX),
                Err(Refusal::NotCanonical)
            );
        }
    }

    #[test]
    fn keys_must_ascend_and_unknown_ones_follow_their_parity() {
        let twice = [0xa2, 1, 0, 1, 0];
        let mut reader = Reader::new(&twice);
        let mut fields = reader.map().unwrap();
        assert_eq!(fields.next(&mut reader), Ok(Some(1)));
        reader.skip().unwrap();
        assert_eq!(fields.next(&mut reader), Err(Refusal::NotCanonical));

        let mut value = Reader::new(&[0x00]);
        assert_eq!(Fields::unknown(7, &mut value), Ok(()));
        assert_eq!(Fields::unknown(8, &mut value), Err(Refusal::UnknownField));
    }

    #[test]
    fn a_length_beyond_the_end_is_refused_before_anything_is_allocated() {
        let huge = [0x5b, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff];
        assert_eq!(
            Reader::new(&huge).bytes(usize::MAX),
            Err(Refusal::Truncated)
        );
        let map = [0xbb, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff];
        assert!(Reader::new(&map).map().is_err());
        let array = [0x9b, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff];
        assert_eq!(Reader::new(&array).skip(), Err(Refusal::Truncated));
    }

    #[test]
    fn nesting_ends_at_its_bound() {
        let deep = [0x81; 64];
        assert_eq!(Reader::new(&deep).skip(), Err(Refusal::BadField));
    }

    #[test]
    fn floats_tags_negatives_and_null_are_refused() {
        for byte in [0x20, 0xc0, 0xf4, 0xf6, 0xf9, 0xfb, 0x5f, 0x9f, 0xbf] {
            assert_eq!(
                Reader::new(&[byte, 0, 0, 0, 0, 0, 0, 0, 0]).skip(),
                Err(Refusal::NotCanonical)
            );
        }
    }
}
