//! What must survive a reload: how it is written, and what happens if it cannot be read.
//!
//! One record is one thing with a name (`intent/<id>`, `thread/<id>`, `item/<n>`, `rules`, `profile`, `seed`,
//! `dismissed/<id>`, `file/<id>`, `case/<order>`, `restored`), as JSON with a version of its own. A newer version may add fields, which an older one skips;
//! a record of a newer version, or one that does not read, is [`Damaged`]: the market does not start and overwrites nothing.
//!
//! The bytes of files stand beside them, under [`PIECES`], as they travel: no market reads them at its start.

use haggle_protocol::attachment::FileKey;
use haggle_protocol::handover::HandoverCode;
use haggle_protocol::keys::{SealSecret, SigningKey};
use haggle_protocol::phrase::Phrase;
use haggle_protocol::sealed_reach::ReachSecret;
use haggle_protocol::{FileId, IntentId, MessageId, ThreadId};
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};
use zeroize::{Zeroize, Zeroizing};

use crate::effect::Record;
use crate::item::ItemId;

/// The version of every record that is written today. A change that an older reader would misread raises it.
pub(crate) const VERSION: u32 = 1;

/// A record that cannot be read. Nothing is overwritten: a newer version of the program, or a backup, may still read it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Damaged {
    /// Which record.
    pub key: String,
    /// What is wrong with it, for people.
    pub why: String,
}

impl core::fmt::Display for Damaged {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        write!(
            f,
            "The saved record {} cannot be read: {}. Nothing was changed. Open it with the version that wrote it, or \
             restore a backup.",
            self.key, self.why
        )
    }
}

impl core::error::Error for Damaged {}

/// What the names of records begin with that hold the bytes of files. A store is not asked for them at a start.
pub const PIECES: &str = "bulk/";

/// The name of the record that holds a piece of a file.
#[must_use]
pub fn piece(file: &FileId, index: u32) -> String {
    format!("{PIECES}{file}/{index}")
}

const RESTORED: &str = "restored";

/// The record that whoever fills a store from a backup puts beside what was in it: the next start then knows that this
/// trader may have said things since that are not in there.
#[must_use]
pub fn restored() -> Record {
    write(Key::Restored, &true)
}

/// The records of somebody of whom nothing but the phrase is left.
#[must_use]
pub fn of_phrase(phrase: &Phrase) -> Vec<Record> {
    let entropy = phrase.entropy().to_vec();
    vec![write(Key::Seed, &Seed { entropy }), restored()]
}

/// The name of a record.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Key {
    /// The entropy of the phrase.
    Seed,
    /// One of my intents.
    Intent(IntentId),
    /// A private exchange.
    Thread(ThreadId),
    /// Something I offer.
    Item(ItemId),
    /// How my stall answers.
    Rules,
    /// Who I am.
    Profile,
    /// An intent that I do not want to see.
    Dismissed(IntentId),
    /// A file that one of the two has named.
    File(FileId),
    /// What two others disagree about, by their order.
    Case(MessageId),
    /// There if everything else was read from a backup and no market has started with it since.
    Restored,
}

impl Key {
    pub(crate) fn name(self) -> String {
        match self {
            Self::Seed => "seed".into(),
            Self::Intent(id) => format!("intent/{id}"),
            Self::Thread(id) => format!("thread/{id}"),
            Self::Item(id) => format!("item/{}", id.0),
            Self::Rules => "rules".into(),
            Self::Profile => "profile".into(),
            Self::Dismissed(id) => format!("dismissed/{id}"),
            Self::File(id) => format!("file/{id}"),
            Self::Case(order) => format!("case/{order}"),
            Self::Restored => RESTORED.into(),
        }
    }

    /// `None` for a record of somebody else: the shell keeps its own beside ours.
    pub(crate) fn parse(name: &str) -> Option<Self> {
        match name.split_once('/') {
            None => match name {
                "seed" => Some(Self::Seed),
                "rules" => Some(Self::Rules),
                "profile" => Some(Self::Profile),
                RESTORED => Some(Self::Restored),
                _ => None,
            },
            Some(("intent", id)) => IntentId::from_hex(id).map(Self::Intent),
            Some(("thread", id)) => ThreadId::from_hex(id).map(Self::Thread),
            Some(("item", id)) => id.parse().ok().map(|id| Self::Item(ItemId(id))),
            Some(("dismissed", id)) => IntentId::from_hex(id).map(Self::Dismissed),
            Some(("file", id)) => FileId::from_hex(id).map(Self::File),
            Some(("case", order)) => MessageId::from_hex(order).map(Self::Case),
            Some(_) => None,
        }
    }
}

#[derive(Serialize)]
struct SheetOut<'a, T> {
    version: u32,
    content: &'a T,
}

#[derive(Deserialize)]
struct Version {
    version: u32,
}

#[derive(Deserialize)]
struct SheetIn<T> {
    content: T,
}

/// The record of a thing.
pub(crate) fn write<T: Serialize>(key: Key, content: &T) -> Record {
    let sheet = SheetOut {
        version: VERSION,
        content,
    };
    // Maps have text keys and nothing else can fail: see the test that writes every kind of record.
    let value = serde_json::to_vec(&sheet).ok();
    debug_assert!(value.is_some(), "{key:?} has no JSON form");
    Record {
        key: key.name(),
        value,
    }
}

/// The record that deletes a thing.
pub(crate) fn delete(key: Key) -> Record {
    Record {
        key: key.name(),
        value: None,
    }
}

/// Reads a thing from its record.
pub(crate) fn read<T: DeserializeOwned>(name: &str, bytes: &[u8]) -> Result<T, Damaged> {
    let damaged = |why: String| Damaged {
        key: name.to_owned(),
        why,
    };
    let version: Version = serde_json::from_slice(bytes).map_err(|error| {
        damaged(format!(
            "it is not a record of this program ({})",
            place(&error)
        ))
    })?;
    if version.version != VERSION {
        return Err(damaged(format!(
            "it was written in form {}, and this program reads form {VERSION}",
            version.version
        )));
    }
    serde_json::from_slice::<SheetIn<T>>(bytes)
        .map(|sheet| sheet.content)
        .map_err(|error| {
            damaged(format!(
                "a part of it is missing or altered ({})",
                place(&error)
            ))
        })
}

/// Where a JSON error is; its own text could quote a secret.
fn place(error: &serde_json::Error) -> String {
    format!("line {}, column {}", error.line(), error.column())
}

/// The entropy of the phrase, from which trader and intent keys grow.
#[derive(Clone, Serialize, Deserialize, Zeroize, zeroize::ZeroizeOnDrop)]
pub(crate) struct Seed {
    /// 16 bytes, as the twelve words of a phrase hold.
    #[serde(with = "hex_bytes")]
    pub(crate) entropy: Vec<u8>,
}

impl core::fmt::Debug for Seed {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        f.write_str("Seed(..)")
    }
}

pub(crate) mod hex_bytes {
    //! Bytes of any length in lower-case hexadecimal.
    use serde::{Deserialize, Deserializer, Serializer};

    pub(crate) fn encode(bytes: &[u8]) -> String {
        let digit = |nibble: u8| char::from(b"0123456789abcdef"[usize::from(nibble)]);
        bytes
            .iter()
            .flat_map(|byte| [digit(byte >> 4), digit(byte & 15)])
            .collect()
    }

    fn decode(text: &str) -> Option<Vec<u8>> {
        let digits = text.as_bytes();
        if !digits.len().is_multiple_of(2) {
            return None;
        }
        let nibble = |digit: u8| char::from(digit).to_digit(16);
        digits
            .chunks_exact(2)
            .map(|pair| u8::try_from(nibble(pair[0])? * 16 + nibble(pair[1])?).ok())
            .collect()
    }

    pub(crate) fn serialize<S: Serializer>(bytes: &[u8], serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(&encode(bytes))
    }

    pub(crate) fn deserialize<'de, D: Deserializer<'de>>(
        deserializer: D,
    ) -> Result<Vec<u8>, D::Error> {
        let text = String::deserialize(deserializer)?;
        decode(&text).ok_or_else(|| serde::de::Error::custom("not hexadecimal"))
    }

    /// The same for exactly 32 bytes.
    pub(crate) mod fixed {
        use super::{Deserializer, Serializer};

        pub(crate) fn serialize<S: Serializer>(
            bytes: &[u8; 32],
            serializer: S,
        ) -> Result<S::Ok, S::Error> {
            super::serialize(bytes, serializer)
        }

        pub(crate) fn deserialize<'de, D: Deserializer<'de>>(
            deserializer: D,
        ) -> Result<[u8; 32], D::Error> {
            let bytes = super::deserialize(deserializer)?;
            bytes
                .try_into()
                .map_err(|_| serde::de::Error::custom("not 32 bytes"))
        }
    }
}

/// Secrets of 32 bytes that are saved in hexadecimal; what they are written from and read into is wiped.
macro_rules! saved_secrets {
    ($($(#[$doc:meta])* $Saved:ident($Secret:ty), $to:ident, $from:expr;)*) => {
        $($(#[$doc])*
        #[derive(Clone, Debug)]
        pub(crate) struct $Saved(pub(crate) $Secret);

        impl Serialize for $Saved {
            fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
                let bytes = Zeroizing::new(self.0.$to());
                hex_bytes::fixed::serialize(&bytes, serializer)
            }
        }

        impl<'de> Deserialize<'de> for $Saved {
            fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
                let bytes = Zeroizing::new(hex_bytes::fixed::deserialize(deserializer)?);
                let from: fn(&[u8; 32]) -> $Secret = $from;
                Ok(Self(from(&bytes)))
            }
        })*
    };
}

saved_secrets! {
    /// An Ed25519 secret, as its seed.
    Signer(SigningKey), to_seed, SigningKey::from_seed;
    /// An X25519 secret.
    Opener(SealSecret), to_bytes, |bytes| SealSecret::from_bytes(*bytes);
    /// What the two sides of a trade find each other by.
    Shared(ReachSecret), to_bytes, |bytes| ReachSecret::from_bytes(*bytes);
    /// What a file is encrypted by.
    Locker(FileKey), to_bytes, |bytes| FileKey::from_bytes(*bytes);
}

/// A hand-over code, in its characters.
#[derive(Clone, Debug)]
pub(crate) struct Handover(pub(crate) HandoverCode);

impl Serialize for Handover {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(self.0.as_str())
    }
}

impl<'de> Deserialize<'de> for Handover {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = Zeroizing::new(String::deserialize(deserializer)?);
        let code = HandoverCode::parse(&text);
        code.map(Self)
            .ok_or_else(|| serde::de::Error::custom("not a hand-over code"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_of_records_read_back_and_foreign_ones_are_left_alone() {
        for key in [
            Key::Seed,
            Key::Intent(IntentId([1; 32])),
            Key::Thread(ThreadId([2; 32])),
            Key::Item(ItemId(7)),
            Key::Rules,
            Key::Profile,
            Key::Dismissed(IntentId([3; 32])),
            Key::File(FileId([4; 32])),
            Key::Case(MessageId([5; 32])),
            Key::Restored,
        ] {
            assert_eq!(Key::parse(&key.name()), Some(key));
        }
        assert_eq!(Key::parse("relays"), None);
        assert_eq!(Key::parse("backup/1"), None);
    }

    #[test]
    fn a_record_that_does_not_read_says_why_without_quoting_what_it_holds() {
        let seed = Seed {
            entropy: vec![0xab; 16],
        };
        let record = write(Key::Seed, &seed);
        let value = record.value.unwrap();
        assert_eq!(
            read::<Seed>("seed", &value).unwrap().entropy,
            vec![0xab; 16]
        );
        let text = String::from_utf8(value).unwrap();
        let newer = text.replace("\"version\":1", "\"version\":2");
        let why = read::<Seed>("seed", newer.as_bytes())
            .unwrap_err()
            .to_string();
        assert!(why.contains("form 2"), "{why}");
        let broken = text.replace("abab", "xyz!");
        let why = read::<Seed>("seed", broken.as_bytes())
            .unwrap_err()
            .to_string();
        assert!(!why.contains("abab") && why.contains("seed"), "{why}");
        assert!(read::<Seed>("seed", b"").is_err());
        let more = text.replace("\"entropy\"", "\"colour\":3,\"entropy\"");
        assert!(
            read::<Seed>("seed", more.as_bytes()).is_ok(),
            "a newer field is skipped"
        );
    }
}
