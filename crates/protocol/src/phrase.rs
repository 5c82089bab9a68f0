//! The phrase: twelve or 24 English words that are a person's keys on paper.
//!
//! [BIP-39](https://github.com/bitcoin/bips/blob/master/bip-0039.mediawiki) gives the word list and the checksum that
//! notices a wrong word. Its own stretching to a seed is not used: the entropy itself goes into [`Root`], so a phrase is
//! exactly as strong as the dice it was drawn with. What comes back by it stands with [`Root`]; what does not is in a
//! backup file.

use core::fmt;

use bip39::{Language, Mnemonic};
use zeroize::{Zeroize, ZeroizeOnDrop};

use crate::keys::Root;

/// The longest text that is looked at, in bytes: 24 of the longest words with generous white space.
pub const PHRASE_MAX: usize = 1_024;

/// The entropy of a phrase: 16 bytes for twelve words, 32 for 24.
#[derive(Clone, PartialEq, Eq, Zeroize, ZeroizeOnDrop)]
pub struct Phrase(Vec<u8>);

/// Why words are no phrase.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum NoPhrase {
    /// Neither twelve nor 24 words.
    #[error("A phrase has 12 or 24 words; this has {0}.")]
    Count(usize),
    /// The word at this place, counted from 1, is not on the list.
    #[error("Word {0} is not one of the 2,048 words of the list. Look for a slip of the pen.")]
    Unknown(usize),
    /// All words are on the list, but they do not belong together.
    #[error(
        "These words do not belong together: one of them is another word of the list, or two changed places."
    )]
    Checksum,
}

impl NoPhrase {
    /// The name of this error for programs.
    #[must_use]
    pub const fn code(&self) -> &'static str {
        match self {
            Self::Count(_) => "phrase-count",
            Self::Unknown(_) => "phrase-word",
            Self::Checksum => "phrase-checksum",
        }
    }
}

impl Phrase {
    /// Of entropy that was drawn: 16 or 32 bytes, `None` for any other length.
    #[must_use]
    pub fn of(entropy: &[u8]) -> Option<Self> {
        matches!(entropy.len(), 16 | 32).then(|| Self(entropy.to_vec()))
    }

    /// Reads words as a person typed them: any white space between them, upper or lower case.
    ///
    /// # Errors
    /// [`NoPhrase`], which says what to look at.
    pub fn parse(text: &str) -> Result<Self, NoPhrase> {
        if text.len() > PHRASE_MAX {
            return Err(NoPhrase::Count(text.split_whitespace().count()));
        }
        let mut plain = String::with_capacity(text.len());
        for word in text.split_whitespace() {
            if !plain.is_empty() {
                plain.push(' ');
            }
            plain.push_str(&word.to_lowercase());
        }
        let count = plain.split(' ').filter(|word| !word.is_empty()).count();
        if !matches!(count, 12 | 24) {
            plain.zeroize();
            return Err(NoPhrase::Count(count));
        }
        let parsed = Mnemonic::parse_in_normalized(Language::English, &plain);
        plain.zeroize();
        match parsed {
            Ok(mnemonic) => {
                let (mut bytes, len) = mnemonic.to_entropy_array();
                let entropy = bytes[..len].to_vec();
                bytes.zeroize();
                Ok(Self(entropy))
            }
            Err(bip39::Error::UnknownWord(at)) => Err(NoPhrase::Unknown(at + 1)),
            Err(
                bip39::Error::InvalidChecksum
                | bip39::Error::BadWordCount(_)
                | bip39::Error::BadEntropyBitCount(_)
                | bip39::Error::AmbiguousLanguages(_),
            ) => Err(NoPhrase::Checksum),
        }
    }

    /// The words, in order.
    #[must_use]
    pub fn words(&self) -> Vec<&'static str> {
        // 16 or 32 bytes always have words.
        Mnemonic::from_entropy_in(Language::English, &self.0)
            .map(|mnemonic| mnemonic.words().collect())
            .unwrap_or_default()
    }

    /// The entropy, to be stored.
    #[must_use]
    pub fn entropy(&self) -> &[u8] {
        &self.0
    }

    /// All keys that grow from it.
    #[must_use]
    pub fn root(&self) -> Root {
        Root::from_entropy(&self.0)
    }
}

impl fmt::Debug for Phrase {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Phrase(..)")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_words_are_those_that_everybody_computes() {
        // Vectors of BIP-39's reference implementation.
        for (entropy, words) in [
            (
                vec![0x00; 16],
                "abandon abandon abandon abandon abandon abandon abandon abandon abandon abandon abandon about",
            ),
            (
                vec![0x7f; 16],
                "legal winner thank year wave sausage worth useful legal winner thank yellow",
            ),
            (
                vec![0xff; 32],
                "zoo zoo zoo zoo zoo zoo zoo zoo zoo zoo zoo zoo zoo zoo zoo zoo zoo zoo zoo zoo zoo zoo zoo vote",
            ),
        ] {
            let phrase = Phrase::of(&entropy).unwrap();
            assert_eq!(phrase.words().join(" "), words);
            assert_eq!(Phrase::parse(words).unwrap().entropy(), entropy);
        }
        assert!(Phrase::of(&[1; 20]).is_none());
    }

    #[test]
    fn words_are_read_however_they_were_typed() {
        let typed =
            "  Legal winner\n thank YEAR wave sausage worth\tuseful legal winner thank  yellow ";
        assert_eq!(Phrase::parse(typed).unwrap().entropy(), vec![0x7f; 16]);
    }

    #[test]
    fn a_slip_of_the_pen_is_named() {
        let right = "legal winner thank year wave sausage worth useful legal winner thank yellow";
        assert_eq!(Phrase::parse(""), Err(NoPhrase::Count(0)));
        assert_eq!(Phrase::parse("legal winner"), Err(NoPhrase::Count(2)));
        let slip = right.replace("year", "yaer");
        assert_eq!(Phrase::parse(&slip), Err(NoPhrase::Unknown(4)));
        let other = right.replace("year", "wave");
        assert_eq!(Phrase::parse(&other), Err(NoPhrase::Checksum));
        let flood = "legal ".repeat(100_000);
        assert_eq!(Phrase::parse(&flood), Err(NoPhrase::Count(100_000)));
    }

    #[test]
    fn a_phrase_never_prints() {
        let phrase = Phrase::of(&[0x7f; 16]).unwrap();
        let printed = format!("{phrase:?}");
        assert!(
            !printed.contains("legal") && !printed.contains("127"),
            "{printed}"
        );
    }
}
