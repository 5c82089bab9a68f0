//! Where, coarsely: a geohash of at most five characters and a radius. An exact address is never public; it
//! travels sealed, after the confirmation.

use crate::cbor::{Reader, Writer};
use crate::limits::GEOHASH_MAX;
use crate::refusal::Refusal;

/// A coarse public place.
#[derive(Clone, Debug, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub struct Place {
    /// One to five characters of geohash: the more, the smaller the cell. Three are about 156 km.
    pub geohash: String,
    /// How far around it, in metres; 0 means the cell itself.
    pub radius_m: u32,
}

const ALPHABET: &[u8; 32] = b"0123456789bcdefghjkmnpqrstuvwxyz";

impl Place {
    /// # Errors
    /// [`Refusal::BadField`] unless the geohash is one to five characters of its alphabet.
    pub fn check(&self) -> Result<(), Refusal> {
        let bytes = self.geohash.as_bytes();
        if (1..=GEOHASH_MAX).contains(&bytes.len()) && bytes.iter().all(|c| ALPHABET.contains(c)) {
            Ok(())
        } else {
            Err(Refusal::BadField)
        }
    }

    /// Whether two places can be one: one's cell lies in the other's. Radii are the person's to judge.
    #[must_use]
    pub fn overlaps(&self, other: &Self) -> bool {
        self.geohash.starts_with(&other.geohash) || other.geohash.starts_with(&self.geohash)
    }

    /// For the header: three bits of length and 25 bits of geohash; 0 means anywhere.
    #[must_use]
    pub fn cell(&self) -> u32 {
        let chars = &self.geohash.as_bytes()[..self.geohash.len().min(GEOHASH_MAX)];
        let mut bits = 0;
        for c in chars {
            let digit = ALPHABET.iter().position(|letter| letter == c).unwrap_or(0);
            bits = bits << 5 | u32::try_from(digit).unwrap_or(0);
        }
        let len = u32::try_from(chars.len()).unwrap_or(0);
        len << 25 | bits << (25 - 5 * len)
    }

    pub(crate) fn write(&self, writer: &mut Writer) {
        writer.array(2);
        writer.text(&self.geohash);
        writer.uint(u64::from(self.radius_m));
    }

    pub(crate) fn read(reader: &mut Reader<'_>) -> Result<Self, Refusal> {
        reader.tuple(2)?;
        let place = Self {
            geohash: reader.text(GEOHASH_MAX)?.to_owned(),
            radius_m: reader.small()?,
        };
        place.check()?;
        Ok(place)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_cell_tells_its_length_and_places_overlap_when_one_lies_in_the_other() {
        let place = |geohash: &str| Place {
            geohash: geohash.into(),
            radius_m: 0,
        };
        assert_eq!(place("0").cell(), 1 << 25);
        assert_eq!(place("zzzzz").cell(), (5 << 25) | 0x1ff_ffff);
        assert_ne!(place("u").cell(), place("u0").cell());
        assert!(place("u33").overlaps(&place("u33db")));
        assert!(!place("u33").overlaps(&place("u34")));
        assert_eq!(place("aaaaa").check(), Err(Refusal::BadField));
        assert_eq!(place("u33dbf").check(), Err(Refusal::BadField));
    }
}
