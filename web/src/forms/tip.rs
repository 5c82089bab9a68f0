//! A tip: ecash that goes as a file with a message, once a trade is over. What is typed for one, and which file is one.
//!
//! Nothing is suggested: neither how much, nor that there should be one at all. A file that came is a tip because somebody says so; what it
//! is worth, its mint says when it is taken.

use haggle_protocol::limits::CHAT_MAX;

use super::money::out_of;
use super::{Flaw, Reading};
use crate::node::{Balance, ECASH_TEXT_MAX, ECASH_TYPE, FileView, Given, NewFile, Purse, TIP_NAME};

/// A tip as it was typed.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct TipForm {
    /// How much.
    pub amount: String,
    /// What goes with it.
    pub words: String,
}

impl TipForm {
    /// How much of this purse, in minor units, and what goes with it: nothing, or at most [`CHAT_MAX`] bytes.
    ///
    /// # Errors
    /// Every flaw that was found.
    pub fn read(&self, purse: &Purse, balances: &[Balance]) -> Result<(u64, String), Vec<Flaw>> {
        let mut reading = Reading::default();
        let minor = out_of(purse, balances, &self.amount);
        let minor = minor.unwrap_or_else(|flaws| {
            reading.flaws.extend(flaws);
            0
        });
        let words = reading.optional("text", &self.words, CHAT_MAX);
        reading.end((minor, words.unwrap_or_default()))
    }
}

/// Ecash as the file of a message.
#[must_use]
pub fn file(ecash: &str) -> NewFile {
    NewFile {
        name: TIP_NAME.to_owned(),
        media_type: ECASH_TYPE.to_owned(),
        bytes: ecash.as_bytes().to_vec(),
    }
}

/// The text in such a file. What is no text becomes one that no wallet takes.
#[must_use]
pub fn ecash(file: &NewFile) -> String {
    String::from_utf8_lossy(&file.bytes).into_owned()
}

/// Whether somebody says of a file that it is a tip, and it may be one: what is larger than a wallet reads stays a file.
#[must_use]
pub fn is_tip(file: &FileView) -> bool {
    let fits = usize::try_from(file.bytes).is_ok_and(|bytes| bytes <= ECASH_TEXT_MAX);
    fits && file.media_type == ECASH_TYPE
}

/// Whether this text is still among those that I have given away and that nobody has taken, as far as is known here.
#[must_use]
pub fn is_waiting(given: &[Given], ecash: &str) -> bool {
    given.iter().any(|one| one.text == ecash)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::forms::Wrong;
    use crate::node::FileState;
    use haggle_protocol::{Asset, Custodian, FileId};

    fn purse() -> Purse {
        Purse {
            custodian: Custodian::new("https://mint.example").unwrap(),
            asset: Asset::new("EUR").unwrap(),
        }
    }

    fn read(amount: &str, words: &str) -> Result<(u64, String), Vec<Wrong>> {
        let form = TipForm {
            amount: amount.into(),
            words: words.into(),
        };
        let balances = [Balance {
            purse: purse(),
            free: 500,
            held: 900,
        }];
        let read = form.read(&purse(), &balances);
        read.map_err(|flaws| flaws.iter().map(|flaw| flaw.wrong).collect())
    }

    fn view(media_type: &str, bytes: u32) -> FileView {
        FileView {
            id: FileId([1; 32]),
            name: "anything".into(),
            media_type: media_type.into(),
            bytes,
            received: bytes,
            mine: false,
            photo: false,
            state: FileState::Here,
        }
    }

    #[test]
    fn nothing_is_suggested() {
        let form = TipForm::default();
        assert_eq!((&*form.amount, &*form.words), ("", ""));
        assert_eq!(read("", ""), Err(vec![Wrong::Missing]));
    }

    #[test]
    fn a_tip_is_more_than_nothing_and_at_most_what_is_free_in_its_purse() {
        assert_eq!(read("5", ""), Ok((500, String::new())));
        assert_eq!(read("1.50", " Thanks! "), Ok((150, "Thanks!".to_owned())));
        assert_eq!(read("0", ""), Err(vec![Wrong::Zero]));
        assert_eq!(read("5.01", ""), Err(vec![Wrong::TooMuch]));
        assert_eq!(read("much", ""), Err(vec![Wrong::NotANumber]));
    }

    #[test]
    fn words_that_no_message_holds_are_found_before_the_money_leaves_its_purse() {
        let long = "x".repeat(CHAT_MAX + 1);
        assert!(read("1", &long[1..]).is_ok());
        assert_eq!(read("1", &long), Err(vec![Wrong::TooLong]));
        assert_eq!(read("0", &long), Err(vec![Wrong::Zero, Wrong::TooLong]));
    }

    #[test]
    fn what_is_given_is_recognised_where_it_comes_and_reads_the_same_there() {
        let sent = file("cashuBsecret");
        let came = view(&sent.media_type, 12);
        assert!(is_tip(&came));
        assert_eq!(ecash(&sent), "cashuBsecret");
        assert!(!format!("{sent:?}").contains("secret"));
    }

    #[test]
    fn a_file_is_a_tip_by_what_it_says_it_is_and_never_larger_than_a_wallet_reads() {
        let most = u32::try_from(ECASH_TEXT_MAX).unwrap();
        assert!(is_tip(&view(ECASH_TYPE, most)));
        assert!(!is_tip(&view(ECASH_TYPE, most + 1)));
        for other in [
            "text/plain",
            "application/octet-stream",
            "application/x-cashu+json",
        ] {
            assert!(!is_tip(&view(other, 12)), "{other}");
        }
        // What is none of a text is read as one that is none of a mint's.
        let mut broken = file("");
        broken.bytes = vec![0xff, 0xfe];
        assert!(!ecash(&broken).starts_with("cashu"));
    }

    #[test]
    fn a_tip_waits_until_its_text_is_taken() {
        let given = [Given {
            purse: purse(),
            minor: 5,
            text: "cashuBone".into(),
        }];
        assert!(is_waiting(&given, "cashuBone"));
        assert!(!is_waiting(&given, "cashuBother"));
        assert!(!is_waiting(&[], "cashuBone"));
    }
}
