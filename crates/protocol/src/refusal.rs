//! What is said to a stranger's nonsense. A refusal is a value, not an error: it has a stable code that is
//! counted, and for public frames a [`Verdict`] that gossip acts on.

/// What gossip does with a frame that was looked at.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Verdict {
    /// Good: take it and pass it on.
    Accept,
    /// Not for us or not now: drop it, think no worse of who passed it on. Everything that depends on a clock,
    /// on load or on a newer version ends here, so that honest peers never punish each other.
    Ignore,
    /// Provably wrong whoever looks: drop it and hold it against who passed it on.
    Reject,
}

macro_rules! refusals {
    ($($(#[$doc:meta])* $name:ident = $code:literal, $verdict:ident;)*) => {
        /// Why something was not taken. The codes are stable: programs may match on them.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, thiserror::Error)]
        #[non_exhaustive]
        pub enum Refusal { $($(#[$doc])* #[error($code)] $name,)* }

        impl Refusal {
            /// Every refusal, for tables and counters.
            pub const ALL: &'static [Self] = &[$(Self::$name,)*];

            /// The stable name that is counted.
            #[must_use]
            pub const fn code(self) -> &'static str {
                match self { $(Self::$name => $code,)* }
            }

            /// What gossip does with a public frame that was refused so.
            #[must_use]
            pub const fn verdict(self) -> Verdict {
                match self { $(Self::$name => Verdict::$verdict,)* }
            }

            /// The refusal of this code.
            #[must_use]
            pub fn from_code(code: &str) -> Option<Self> {
                Self::ALL.iter().copied().find(|refusal| refusal.code() == code)
            }
        }
    };
}

refusals! {
    // Form, public and private.
    /// Longer than anything of its kind may be.
    TooLarge = "too-large", Reject;
    /// Ends before it is whole, or has bytes behind its end.
    Truncated = "truncated", Reject;
    /// Not the one canonical encoding (RFC 8949 §4.2.1 as narrowed by docs/protocol.md).
    NotCanonical = "not-canonical", Reject;
    /// A known field holds what it may not hold.
    BadField = "bad-field", Reject;
    /// A text with control characters, with direction overrides, empty, or too long.
    BadText = "bad-text", Reject;
    /// A required field is missing.
    MissingField = "missing-field", Reject;
    /// An even key we do not know: whoever wrote it says that it must be understood.
    UnknownField = "unknown-field", Ignore;
    /// A version of the frame or of the cell that we do not know.
    UnknownVersion = "unknown-version", Ignore;
    /// A kind of frame whose body we do not know: checked, kept and passed on, but not read.
    UnknownKind = "unknown-kind", Accept;
    /// Belongs to another market.
    OtherNetwork = "other-network", Ignore;

    // Time and work.
    /// Its time is over.
    Expired = "expired", Ignore;
    /// From the future, by more than clocks differ.
    FromTheFuture = "from-the-future", Ignore;
    /// Wants to live longer than anything may.
    LivesTooLong = "lives-too-long", Reject;
    /// Less work than the floor that never moves.
    NoWork = "no-work", Reject;
    /// Less work than is asked at the present load.
    TooLittleWork = "too-little-work", Ignore;

    // Keys and signatures.
    /// A public key that is no key, or one of small order.
    BadKey = "bad-key", Reject;
    /// The signature does not fit.
    BadSignature = "bad-signature", Reject;
    /// A Reach entry without the consent of the peer it names.
    BadReach = "bad-reach", Reject;

    // The book.
    /// Known already.
    Duplicate = "duplicate", Ignore;
    /// A newer revision is known.
    OlderRevision = "older-revision", Ignore;
    /// Speaks of another intent than its key's. Which of two was first depends on who looks, so whoever passed it
    /// on may be honest.
    WrongIntent = "wrong-intent", Ignore;
    /// Its owner has closed it.
    Closed = "closed", Ignore;
    /// Too many from this key in too short a time.
    AuthorRate = "author-rate", Ignore;
    /// Too many by way of this peer in too short a time.
    SourceRate = "source-rate", Ignore;
    /// The book is full of better ones.
    BookFull = "book-full", Ignore;
    /// Its owner or its kind is blocked here.
    Blocked = "blocked", Ignore;

    // The private channel.
    /// Not one of the two cell sizes.
    CellSize = "cell-size", Reject;
    /// Sealed to a key that is not ours (any more).
    UnknownRecipient = "unknown-recipient", Ignore;
    /// The seal does not open: altered, or sealed in another context.
    SealBroken = "seal-broken", Ignore;
    /// Bytes where only padding may be.
    BadPadding = "bad-padding", Reject;
    /// Says one direction and was sealed for the other.
    WrongDirection = "wrong-direction", Reject;
    /// Names a thread that its keys do not make.
    WrongThread = "wrong-thread", Reject;
    /// Names another recipient than the key it was sealed to.
    WrongRecipient = "wrong-recipient", Reject;
    /// Signed by another key than the thread's.
    WrongSender = "wrong-sender", Reject;
    /// A buyer's thread key that his intent key did not vouch for.
    NoIntentProof = "no-intent-proof", Reject;
    /// A trader shown without a proof for this thread.
    BadTraderProof = "bad-trader-proof", Reject;
    /// A firm quote or an order by nobody: the trader must be shown.
    NoTrader = "no-trader", Reject;
    /// A message type we do not know.
    UnknownMessage = "unknown-message", Ignore;
    /// The sums do not add up.
    WrongSum = "wrong-sum", Reject;
    /// Another currency or unit than was asked for.
    WrongUnit = "wrong-unit", Reject;
    /// Answers a revision that we never published.
    UnknownRevision = "unknown-revision", Ignore;
    /// The thread has gone another way: there is nothing this message could do.
    WrongState = "wrong-state", Ignore;
    /// A sequence number that was used already, for something else.
    Replayed = "replayed", Ignore;
    /// The intent takes no more quotes.
    TooManyQuotes = "too-many-quotes", Ignore;
    /// Too many private messages in too short a time.
    WhisperRate = "whisper-rate", Ignore;
    /// A file that is not kept here (any more), or a piece that it does not have.
    NoSuchFile = "no-such-file", Ignore;
    /// After the deadline that the intent named for quotes, or too late for the arbiter who is asked.
    TooLate = "too-late", Ignore;
    /// The peer could not be asked to keep it: it is ending, or its storage failed.
    NotKept = "not-kept", Ignore;
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::BTreeSet;

    #[test]
    fn every_refusal_has_a_code_of_its_own_and_is_found_by_it() {
        let codes: BTreeSet<_> = Refusal::ALL.iter().map(|refusal| refusal.code()).collect();
        assert_eq!(codes.len(), Refusal::ALL.len());
        for refusal in Refusal::ALL {
            assert_eq!(Refusal::from_code(refusal.code()), Some(*refusal));
        }
    }

    #[test]
    fn nothing_that_depends_on_a_clock_a_version_or_load_is_held_against_the_one_who_passed_it_on()
    {
        for refusal in [
            Refusal::Expired,
            Refusal::FromTheFuture,
            Refusal::UnknownVersion,
            Refusal::UnknownField,
            Refusal::TooLittleWork,
            Refusal::AuthorRate,
            Refusal::SourceRate,
            Refusal::BookFull,
            Refusal::Duplicate,
            Refusal::OlderRevision,
            Refusal::WrongIntent,
            Refusal::Closed,
        ] {
            assert_eq!(refusal.verdict(), Verdict::Ignore, "{refusal}");
        }
    }
}
