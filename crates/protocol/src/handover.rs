//! The hand-over code: how a buyer proves to a seller, at the door, that he is the buyer, and gives him a proof that the
//! goods were handed over.
//!
//! The buyer draws the code and commits to it in his order, which he signs. He tells it to nobody until he holds the goods;
//! then he reads it to the seller, whose message `delivered` carries it. Whoever sees order and message can check that they
//! belong together. The commitment is slow to compute, so that a code short enough to be read aloud cannot be found by
//! trying: 2^50 codes of 2^16 hashes each.
//!
//! ```text
//! code         10 characters of Crockford's base 32 (no I, L, O, U)
//! commitment   SHA-256(haggle/1/handover ‖ quote[32] ‖ code), and then 65,535 times SHA-256 of the 32 bytes before
//! ```

use core::fmt;

use rand_core::CryptoRng;
use sha2::{Digest, Sha256};
use zeroize::{Zeroize, ZeroizeOnDrop};

use crate::ids::{HandoverHash, MessageId};
use crate::refusal::Refusal;
use crate::tag::{Tag, hash};

/// Characters of a code.
pub const CODE_LEN: usize = 10;
/// Hashes for one commitment: some 25 ms in a browser, once for each order and each code that is typed.
const ROUNDS: u32 = 1 << 16;
/// Douglas Crockford's base 32: nothing in it is mistaken for something else.
const ALPHABET: &[u8; 32] = b"0123456789ABCDEFGHJKMNPQRSTVWXYZ";

/// A hand-over code.
#[derive(Clone, PartialEq, Eq, Zeroize, ZeroizeOnDrop)]
pub struct HandoverCode([u8; CODE_LEN]);

impl fmt::Debug for HandoverCode {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("HandoverCode(..)")
    }
}

impl HandoverCode {
    /// A fresh random code.
    #[must_use]
    pub fn random(dice: &mut impl CryptoRng) -> Self {
        let mut code = [0; CODE_LEN];
        dice.fill_bytes(&mut code);
        Self(code.map(|byte| ALPHABET[usize::from(byte % 32)]))
    }

    /// What a person typed: in either case, with any blanks and hyphens, and with `O` for zero and `I` or `L` for one.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        let mut code = [0; CODE_LEN];
        let mut len = 0;
        for c in text.chars().filter(|c| !(c.is_whitespace() || *c == '-')) {
            let c = match c.to_ascii_uppercase() {
                'O' => '0',
                'I' | 'L' => '1',
                other => other,
            };
            let digit = u8::try_from(c).ok().filter(|c| ALPHABET.contains(c))?;
            *code.get_mut(len)? = digit;
            len += 1;
        }
        (len == CODE_LEN).then_some(Self(code))
    }

    /// Its characters, without a break.
    #[must_use]
    pub fn as_str(&self) -> &str {
        core::str::from_utf8(&self.0).unwrap_or_default()
    }

    /// As it is shown: two groups of five.
    #[must_use]
    pub fn shown(&self) -> String {
        let (first, second) = self.as_str().split_at(CODE_LEN / 2);
        format!("{first} {second}")
    }

    /// What an order that takes this quote says of it.
    #[must_use]
    pub fn commit(&self, quote: &MessageId) -> HandoverHash {
        let mut state = hash(Tag::Handover, &[&quote.0, &self.0]);
        for _ in 1..ROUNDS {
            state = Sha256::digest(state).into();
        }
        HandoverHash(state)
    }

    /// From a message, where it has exactly one form.
    ///
    /// # Errors
    /// [`Refusal::BadField`].
    pub(crate) fn read(text: &str) -> Result<Self, Refusal> {
        Self::parse(text)
            .filter(|code| code.as_str() == text)
            .ok_or(Refusal::BadField)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use rand_chacha::ChaCha20Rng;
    use rand_core::SeedableRng;

    #[test]
    fn a_code_is_understood_however_it_is_typed() {
        let code = HandoverCode::parse("0o1il-abcde").unwrap();
        assert_eq!(code.as_str(), "00111ABCDE");
        assert_eq!(code.shown(), "00111 ABCDE");
        assert_eq!(HandoverCode::parse(" 00111 abcde\n"), Some(code));
        for wrong in ["", "00111ABCD", "00111ABCDEF", "00111ABCDU", "00111ABCDÉ"] {
            assert_eq!(HandoverCode::parse(wrong), None, "{wrong}");
        }
    }

    #[test]
    fn a_commitment_fits_one_code_and_one_quote() {
        let mut dice = ChaCha20Rng::from_seed([1; 32]);
        let (code, other) = (
            HandoverCode::random(&mut dice),
            HandoverCode::random(&mut dice),
        );
        let (quote, another) = (MessageId([1; 32]), MessageId([2; 32]));
        assert_ne!(code, other);
        assert_eq!(code.commit(&quote), code.commit(&quote));
        assert_ne!(code.commit(&quote), other.commit(&quote));
        assert_ne!(code.commit(&quote), code.commit(&another));
        assert_eq!(format!("{code:?}"), "HandoverCode(..)");
    }

    #[test]
    fn a_message_holds_a_code_in_one_form_only() {
        assert!(HandoverCode::read("00111ABCDE").is_ok());
        for other in ["00111abcde", "00111 ABCDE", "O0111ABCDE"] {
            assert_eq!(HandoverCode::read(other), Err(Refusal::BadField));
        }
    }
}
