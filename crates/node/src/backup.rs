//! The backup: everything a profile holds, in one encrypted file.
//!
//! The phrase brings back who one is and what one has said out loud. Trades, exchanges, stall and contacts are nowhere
//! but here, so they travel in this file. It is encrypted by a random key of its own; that key is in the file once for the
//! phrase and, if wished, once more for a passphrase, so that either opens it. Writing a file again with another passphrase
//! leaves older files as they were.
//!
//! ```text
//! "haggle backup" 0x00 | version u8 = 1 | wraps u8, 1 or 2
//! each wrap: kind u8 (1 phrase, 2 passphrase) | salt 16 | memory KiB u32 | passes u32 | lanes u32 | wrapped key 48
//! the rest:  ChaCha20-Poly1305 (RFC 8439) under the file's key, zero nonce, all before it as associated data
//!
//! inside:    written at u64 | count u32 | count times ( key length u16 | key | value length u32 | value )
//! wrapped:   ChaCha20-Poly1305 under the wrapping key, nonce salt[..12]
//! wrapping:  kind 1: HKDF of the phrase (`haggle/1/backup`); kind 2: Argon2id (RFC 9106) of the passphrase and the salt
//! ```
//!
//! Integers are big-endian. For kind 1 memory, passes and lanes are 0.

use core::fmt;
use std::collections::BTreeSet;
use std::sync::Arc;

use argon2::{Algorithm, Argon2, Params, Version};
use chacha20poly1305::aead::{Aead, Payload};
use chacha20poly1305::{ChaCha20Poly1305, KeyInit, Nonce};
use haggle_book::Limits;
use haggle_market::{Complaint, Market, Setup, record};
use haggle_protocol::keys::SigningKey;
use haggle_protocol::phrase::Phrase;
use haggle_protocol::seal::Hpke;
use haggle_protocol::{Network, Timestamp};
use haggle_store::{MAX_BATCH_BYTES, Record, Store, Write};
use zeroize::{Zeroize, Zeroizing};

use crate::clock;
use crate::config::{self, is_the_markets, rails_of};

const MAGIC: &[u8; 14] = b"haggle backup\0";
const VERSION: u8 = 1;
const KIND_PHRASE: u8 = 1;
const KIND_PASSPHRASE: u8 = 2;
const SALT: usize = 16;
const KEY: usize = 32;
const TAG: usize = 16;
/// kind, salt, three parameters, wrapped key.
const WRAP: usize = 1 + SALT + 3 * 4 + KEY + TAG;

/// Argon2id's memory in KiB, passes and lanes: the second choice that RFC 9106 (section 4) recommends, since a telephone
/// cannot spare the first one's 2 GiB.
const COST: Cost = Cost {
    memory: 64 * 1024,
    passes: 3,
    lanes: 4,
};
/// The most a file may ask for: four times what is written here, so that a forged file cannot fill a device's memory.
const COST_MAX: Cost = Cost {
    memory: 256 * 1024,
    passes: 12,
    lanes: 16,
};

/// The shortest passphrase, in characters: a slow hash makes eight good, not one.
pub const PASSPHRASE_MIN: usize = 8;
/// The longest passphrase, in bytes.
pub const PASSPHRASE_MAX: usize = 1_024;
/// The largest file, in bytes: what a store takes back in one piece, and the frame around it.
pub const FILE_MAX: usize = MAX_BATCH_BYTES + 64 * 1024;

#[derive(Clone, Copy, PartialEq, Eq)]
struct Cost {
    memory: u32,
    passes: u32,
    lanes: u32,
}

impl Cost {
    const NONE: Self = Self {
        memory: 0,
        passes: 0,
        lanes: 0,
    };

    const fn is_bearable(self) -> bool {
        self.memory <= COST_MAX.memory
            && self.passes <= COST_MAX.passes
            && self.lanes <= COST_MAX.lanes
    }
}

/// What opens a file.
#[derive(Clone, PartialEq, Eq)]
pub enum Secret {
    /// The words of its profile.
    Phrase(Phrase),
    /// The passphrase that was chosen when it was written.
    Passphrase(String),
}

impl Secret {
    /// What a person typed: the words if it is a phrase, a passphrase otherwise.
    #[must_use]
    pub fn typed(text: &str) -> Self {
        Phrase::parse(text).map_or_else(|_| Self::Passphrase(text.trim().to_owned()), Self::Phrase)
    }
}

impl fmt::Debug for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Secret(..)")
    }
}

/// Why a file is not written, read or put back.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Error {
    /// It does not begin like a backup.
    #[error(
        "This is no backup file of Haggle. Choose the file that was saved by \"Save a backup file\"."
    )]
    NotOne,
    /// Written by a newer program.
    #[error(
        "This file was written by a newer version of Haggle. Reload the page, or install the newer version."
    )]
    Newer,
    /// Neither the phrase nor the passphrase of this file.
    #[error(
        "These are neither the words nor the passphrase of this file. Check for slips; capitals count in a passphrase."
    )]
    WrongSecret,
    /// Cut off or altered.
    #[error(
        "This file is damaged: a part is missing or altered. Use another copy of it; nothing was changed."
    )]
    Damaged,
    /// It would not go back into a store.
    #[error(
        "There is too much in this profile for one file ({0} bytes). Remove old items from the stall, then try again."
    )]
    TooLarge(usize),
    /// A passphrase that can be guessed, or that nobody types.
    #[error("A passphrase has at least 8 characters and at most 1,024 bytes.")]
    Passphrase,
}

impl Error {
    /// The name of this error for programs.
    #[must_use]
    pub const fn code(&self) -> &'static str {
        match self {
            Self::NotOne => "backup-none",
            Self::Newer => "backup-newer",
            Self::WrongSecret => "backup-secret",
            Self::Damaged => "backup-damaged",
            Self::TooLarge(_) => "backup-too-large",
            Self::Passphrase => "backup-passphrase",
        }
    }

    const fn field(&self) -> &'static str {
        match self {
            Self::NotOne | Self::Newer | Self::Damaged | Self::TooLarge(_) => "file",
            Self::WrongSecret => "secret",
            Self::Passphrase => "passphrase",
        }
    }
}

impl From<Error> for Complaint {
    fn from(error: Error) -> Self {
        Self {
            code: error.code().to_owned(),
            field: Some(error.field().to_owned()),
            sentence: error.to_string(),
        }
    }
}

/// A file that was opened.
pub struct Backup {
    written: Timestamp,
    records: Vec<Record>,
}

impl fmt::Debug for Backup {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Backup")
            .field("written", &self.written)
            .field("records", &self.records.len())
            .finish()
    }
}

/// What is in a file, for a person who checks it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, serde::Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Summary {
    /// When it was written.
    pub written: Timestamp,
    /// Requests, open and over.
    pub intents: usize,
    /// Exchanges with others: quotes, trades, messages.
    pub threads: usize,
    /// Items in the stall.
    pub items: usize,
}

/// Bytes that are left free beside the bytes of files: a file is put back in one batch, which also deletes what was there
/// before, a name each.
const MARGIN: usize = 1024 * 1024;

/// How many bytes of further records fit into one file beside these.
#[must_use]
pub fn room(records: &[Record]) -> usize {
    let taken = records.iter().map(|(key, value)| needed(key, value));
    MAX_BATCH_BYTES.saturating_sub(taken.sum::<usize>() + MARGIN)
}

/// How many bytes one record takes in a file: its lengths, its key and its value.
#[must_use]
pub const fn needed(key: &str, value: &[u8]) -> usize {
    2 + 4 + key.len() + value.len()
}

/// Writes everything of a store into a file.
///
/// # Errors
/// [`Error::TooLarge`], [`Error::Passphrase`].
pub fn seal(
    records: &[Record],
    phrase: &Phrase,
    passphrase: Option<&str>,
    written: Timestamp,
    dice: [u8; KEY + 2 * SALT],
) -> Result<Vec<u8>, Error> {
    let dice = Zeroizing::new(dice);
    let (file_key, salts) = dice.split_at(KEY);
    let mut inside = Zeroizing::new(Vec::new());
    inside.extend(written.0.to_be_bytes());
    let too_large = |_| Error::TooLarge(usize::MAX);
    inside.extend(
        u32::try_from(records.len())
            .map_err(too_large)?
            .to_be_bytes(),
    );
    for (key, value) in records {
        inside.extend(u16::try_from(key.len()).map_err(too_large)?.to_be_bytes());
        inside.extend(key.as_bytes());
        inside.extend(u32::try_from(value.len()).map_err(too_large)?.to_be_bytes());
        inside.extend(value);
    }
    if inside.len() > MAX_BATCH_BYTES {
        return Err(Error::TooLarge(inside.len()));
    }
    let mut file = MAGIC.to_vec();
    file.push(VERSION);
    file.push(1 + u8::from(passphrase.is_some()));
    let (first, second) = salts.split_at(SALT);
    let by_phrase = Zeroizing::new(phrase.root().backup());
    wrap(
        &mut file,
        KIND_PHRASE,
        first,
        Cost::NONE,
        &by_phrase,
        file_key,
    )?;
    if let Some(passphrase) = passphrase {
        let passphrase = passphrase.trim();
        let long = passphrase.chars().count() >= PASSPHRASE_MIN;
        if !long || passphrase.len() > PASSPHRASE_MAX {
            return Err(Error::Passphrase);
        }
        let key = stretch(passphrase, second, COST)?;
        wrap(&mut file, KIND_PASSPHRASE, second, COST, &key, file_key)?;
    }
    let payload = Payload {
        msg: &inside,
        aad: &file,
    };
    let sealed = cipher(file_key).encrypt(&Nonce::default(), payload);
    file.extend(sealed.map_err(|_| Error::TooLarge(inside.len()))?);
    Ok(file)
}

/// Opens a file.
///
/// # Errors
/// [`Error::NotOne`], [`Error::Newer`], [`Error::WrongSecret`], [`Error::Damaged`].
pub fn open(file: &[u8], secret: &Secret) -> Result<Backup, Error> {
    let rest = file.strip_prefix(MAGIC).ok_or(Error::NotOne)?;
    let (&version, rest) = rest.split_first().ok_or(Error::Damaged)?;
    if version != VERSION {
        return Err(Error::Newer);
    }
    let (&count, rest) = rest.split_first().ok_or(Error::Damaged)?;
    if !matches!(count, 1 | 2) || file.len() > FILE_MAX {
        return Err(Error::Damaged);
    }
    let wraps = rest
        .get(..usize::from(count) * WRAP)
        .ok_or(Error::Damaged)?;
    let sealed = &rest[wraps.len()..];
    let head = &file[..file.len() - sealed.len()];
    let mut key = None;
    for wrap in wraps.chunks_exact(WRAP) {
        if let Some(found) = unwrap(wrap, secret)? {
            key = Some(found);
        }
    }
    let key = key.ok_or(Error::WrongSecret)?;
    let payload = Payload {
        msg: sealed,
        aad: head,
    };
    let inside = cipher(&key).decrypt(&Nonce::default(), payload);
    let inside = Zeroizing::new(inside.map_err(|_| Error::Damaged)?);
    read(&inside).ok_or(Error::Damaged)
}

impl Backup {
    /// What is in it.
    #[must_use]
    pub fn summary(&self) -> Summary {
        let count = |prefix: &str| {
            let keys = self.records.iter().map(|(key, _)| key);
            keys.filter(|key| key.starts_with(prefix)).count()
        };
        Summary {
            written: self.written,
            intents: count("intent/"),
            threads: count("thread/"),
            items: count("item/"),
        }
    }

    /// Puts everything back, in place of whatever the store holds, after a market was seen to start with it.
    ///
    /// # Errors
    /// [`crate::Error::Damaged`] if this program cannot read it, as when a newer one wrote it, and as [`Store::commit`];
    /// then the store is as it was, unless it could not be read before.
    pub async fn restore(mut self, store: &dyn Store) -> Result<(), crate::Error> {
        let not_bulky = |key: &str| !key.starts_with(haggle_store::BULK);
        let rest = self.records.iter();
        let rest = rest.filter(|(key, _)| is_the_markets(key) && not_bulky(key));
        try_start(rest.cloned().collect())?;
        fill(store, core::mem::take(&mut self.records)).await?;
        Ok(())
    }
}

impl Drop for Backup {
    fn drop(&mut self) {
        for (_, value) in &mut self.records {
            value.zeroize();
        }
    }
}

/// Begins anew with a phrase, in place of whatever the store holds.
///
/// # Errors
/// As [`Backup::restore`].
pub async fn restore_phrase(store: &dyn Store, phrase: &Phrase) -> Result<(), haggle_store::Error> {
    let records = record::of_phrase(phrase).into_iter();
    let records = records.filter_map(|record| Some((record.key, record.value?)));
    fill(store, records.collect()).await
}

/// Starts a market that nobody hears of.
fn try_start(records: Vec<Record>) -> Result<(), crate::Error> {
    let setup = Setup {
        network: Network::main(),
        dice: [0; KEY],
        peer: SigningKey::from_seed(&[0; KEY]),
        sealer: Arc::new(Hpke),
        book: Limits::peer(),
        rails: Vec::new(),
    };
    let started = Market::restore(records, setup, clock::now());
    started.map(drop).map_err(crate::Error::from)
}

async fn fill(store: &dyn Store, mut records: Vec<Record>) -> Result<(), haggle_store::Error> {
    let restored = record::restored();
    records.retain(|(key, _)| *key != restored.key);
    records.extend(restored.value.map(|value| (restored.key, value)));
    let rails = rails_of(records.iter().map(|(key, _)| key));
    records.extend(rails.iter().map(|rail| (config::restored(rail), vec![1])));
    let kept: BTreeSet<&str> = records.iter().map(|(key, _)| key.as_str()).collect();
    let mut batch = Vec::new();
    match store.load().await {
        Ok(old) => {
            let gone = old.into_iter().map(|(key, _)| key);
            let gone = gone.chain(store.bulky().await?);
            batch.extend(
                gone.filter(|key| !kept.contains(key.as_str()))
                    .map(Write::delete),
            );
        }
        // What cannot be read is what is to be replaced.
        Err(haggle_store::Error::Damaged { .. }) => store.erase().await?,
        Err(other) => return Err(other),
    }
    batch.extend(
        records
            .into_iter()
            .map(|(key, value)| Write::put(key, value)),
    );
    store.commit(batch).await
}

fn cipher(key: &[u8]) -> ChaCha20Poly1305 {
    let mut whole = [0; KEY];
    whole.copy_from_slice(key);
    let cipher = ChaCha20Poly1305::new(&whole.into());
    whole.zeroize();
    cipher
}

/// The nonce of a wrap: both its keys are fresh for each salt, or almost never used.
fn nonce(salt: &[u8]) -> Nonce {
    let mut nonce = Nonce::default();
    nonce.copy_from_slice(&salt[..12]);
    nonce
}

fn wrap(
    file: &mut Vec<u8>,
    kind: u8,
    salt: &[u8],
    cost: Cost,
    by: &[u8; KEY],
    key: &[u8],
) -> Result<(), Error> {
    file.push(kind);
    file.extend(salt);
    for part in [cost.memory, cost.passes, cost.lanes] {
        file.extend(part.to_be_bytes());
    }
    let wrapped = cipher(by).encrypt(&nonce(salt), key);
    file.extend(wrapped.map_err(|_| Error::TooLarge(KEY))?);
    Ok(())
}

/// The file's key, if this wrap is for this secret.
fn unwrap(wrap: &[u8], secret: &Secret) -> Result<Option<Zeroizing<Vec<u8>>>, Error> {
    let (kind, rest) = (wrap[0], &wrap[1..]);
    let (salt, rest) = rest.split_at(SALT);
    let (cost, wrapped) = rest.split_at(3 * 4);
    let by = match (kind, secret) {
        (KIND_PHRASE, Secret::Phrase(phrase)) => Zeroizing::new(phrase.root().backup()),
        (KIND_PASSPHRASE, Secret::Passphrase(passphrase)) => {
            let part = |at: usize| {
                let mut bytes = [0; 4];
                bytes.copy_from_slice(&cost[4 * at..4 * at + 4]);
                u32::from_be_bytes(bytes)
            };
            let cost = Cost {
                memory: part(0),
                passes: part(1),
                lanes: part(2),
            };
            if passphrase.len() > PASSPHRASE_MAX {
                return Ok(None);
            }
            stretch(passphrase, salt, cost)?
        }
        _ => return Ok(None),
    };
    let key = cipher(&*by).decrypt(&nonce(salt), wrapped).ok();
    Ok(key.filter(|key| key.len() == KEY).map(Zeroizing::new))
}

/// Argon2id of a passphrase.
fn stretch(passphrase: &str, salt: &[u8], cost: Cost) -> Result<Zeroizing<[u8; KEY]>, Error> {
    if !cost.is_bearable() {
        return Err(Error::Damaged);
    }
    let params = Params::new(cost.memory, cost.passes, cost.lanes, Some(KEY));
    let params = params.map_err(|_| Error::Damaged)?;
    let mut key = Zeroizing::new([0; KEY]);
    Argon2::new(Algorithm::Argon2id, Version::V0x13, params)
        .hash_password_into(passphrase.as_bytes(), salt, &mut *key)
        .map_err(|_| Error::Damaged)?;
    Ok(key)
}

/// Takes apart what was inside; `None` if it does not fit exactly.
fn read(mut bytes: &[u8]) -> Option<Backup> {
    fn take<'a>(bytes: &mut &'a [u8], len: usize) -> Option<&'a [u8]> {
        let taken = bytes.get(..len)?;
        *bytes = &bytes[len..];
        Some(taken)
    }
    fn number<const N: usize>(bytes: &mut &[u8]) -> Option<u64> {
        let taken = take(bytes, N)?;
        Some(
            taken
                .iter()
                .fold(0, |sum, byte| sum << 8 | u64::from(*byte)),
        )
    }
    let written = Timestamp(number::<8>(&mut bytes)?);
    let count = number::<4>(&mut bytes)?;
    let mut records = Vec::new();
    for _ in 0..count {
        let len = usize::try_from(number::<2>(&mut bytes)?).ok()?;
        let key = core::str::from_utf8(take(&mut bytes, len)?)
            .ok()?
            .to_owned();
        let len = usize::try_from(number::<4>(&mut bytes)?).ok()?;
        records.push((key, take(&mut bytes, len)?.to_vec()));
    }
    bytes.is_empty().then_some(Backup { written, records })
}

#[cfg(test)]
mod tests {
    use super::*;
    use haggle_store::Memory;

    const NOW: Timestamp = Timestamp(1_800_000_000);

    fn phrase() -> Phrase {
        Phrase::of(&[7; 16]).unwrap()
    }

    fn records() -> Vec<Record> {
        vec![
            ("intent/aa".to_owned(), b"one".to_vec()),
            ("seed".to_owned(), b"very secret words".to_vec()),
            ("thread/bb".to_owned(), vec![0; 5_000]),
        ]
    }

    fn file(passphrase: Option<&str>) -> Vec<u8> {
        seal(&records(), &phrase(), passphrase, NOW, [9; 64]).unwrap()
    }

    #[test]
    fn the_words_or_the_passphrase_open_a_file_and_nothing_else_does() {
        let both = file(Some("correct horse"));
        for secret in [
            Secret::typed(&phrase().words().join(" ")),
            Secret::typed(" correct horse\n"),
        ] {
            let opened = open(&both, &secret).unwrap();
            assert_eq!(opened.records, records());
            let expected = Summary {
                written: NOW,
                intents: 1,
                threads: 1,
                items: 0,
            };
            assert_eq!(opened.summary(), expected);
        }
        let other = Secret::Phrase(Phrase::of(&[8; 16]).unwrap());
        for wrong in [other, Secret::typed("Correct horse"), Secret::typed("")] {
            assert_eq!(open(&both, &wrong).unwrap_err(), Error::WrongSecret);
        }
        let words_only = file(None);
        let passphrase = Secret::typed("correct horse");
        assert_eq!(
            open(&words_only, &passphrase).unwrap_err(),
            Error::WrongSecret
        );
    }

    #[test]
    fn nothing_of_what_is_inside_stands_in_the_file_or_is_printed() {
        let bytes = file(None);
        let shows = |needle: &[u8]| bytes.windows(needle.len()).any(|part| part == needle);
        assert!(!shows(b"secret words") && !shows(b"intent/aa"));
        let secret = Secret::Phrase(phrase());
        let printed = format!("{:?} {secret:?}", open(&bytes, &secret).unwrap());
        assert!(!printed.contains("secret words"), "{printed}");
    }

    #[test]
    fn a_file_that_was_cut_or_altered_anywhere_is_refused() {
        let whole = file(None);
        let secret = Secret::Phrase(phrase());
        for at in 0..whole.len().min(400) {
            let mut altered = whole.clone();
            altered[at] ^= 1;
            assert!(open(&altered, &secret).is_err(), "byte {at}");
        }
        for len in 0..whole.len() {
            assert!(open(&whole[..len], &secret).is_err(), "{len} bytes");
        }
        assert_eq!(open(b"PK\x03\x04", &secret).unwrap_err(), Error::NotOne);
        let mut newer = whole;
        newer[MAGIC.len()] = 2;
        assert_eq!(open(&newer, &secret).unwrap_err(), Error::Newer);
    }

    #[test]
    fn a_forged_file_cannot_ask_for_more_memory_than_its_bound() {
        let mut forged = file(Some("correct horse"));
        let memory = MAGIC.len() + 2 + WRAP + 1 + SALT;
        forged[memory..memory + 4].copy_from_slice(&u32::MAX.to_be_bytes());
        let opened = open(&forged, &Secret::typed("correct horse"));
        assert_eq!(opened.unwrap_err(), Error::Damaged);
    }

    #[test]
    fn a_passphrase_that_can_be_guessed_is_refused() {
        for weak in ["", "1234567", "       x"] {
            let sealed = seal(&records(), &phrase(), Some(weak), NOW, [9; 64]);
            assert_eq!(sealed.unwrap_err(), Error::Passphrase);
        }
    }

    /// What a market saves at its first start.
    fn first_records() -> Vec<Record> {
        let records = record::of_phrase(&phrase()).into_iter();
        let records = records.filter_map(|record| Some((record.key, record.value?)));
        records.filter(|(key, _)| key == "seed").collect()
    }

    async fn keys(store: &Memory) -> Vec<String> {
        let records = store.load().await.unwrap();
        records.into_iter().map(|(key, _)| key).collect()
    }

    #[test]
    fn what_is_put_back_takes_the_place_of_what_was_there() {
        futures::executor::block_on(async {
            let store = Memory::new();
            let before = vec![Write::put("item/1", "old"), Write::put("seed", "old")];
            store.commit(before).await.unwrap();
            let mut records = first_records();
            records.push((config::HIDDEN.to_owned(), vec![1]));
            let file = seal(&records, &phrase(), None, NOW, [9; 64]).unwrap();
            let backup = open(&file, &Secret::Phrase(phrase())).unwrap();
            backup.restore(&store).await.unwrap();
            assert_eq!(keys(&store).await, ["node/hidden", "restored", "seed"]);
            let seed = store.get("seed").await.unwrap();
            assert_eq!(seed.as_deref(), Some(&*records[0].1));
            restore_phrase(&store, &phrase()).await.unwrap();
            assert_eq!(keys(&store).await, ["restored", "seed"]);
        });
    }

    #[test]
    fn the_bytes_of_files_are_put_back_too_and_none_of_another_profile_stay() {
        futures::executor::block_on(async {
            assert_eq!(record::PIECES, haggle_store::BULK);
            let store = Memory::new();
            let before = vec![Write::put("bulk/old/0", "old")];
            store.commit(before).await.unwrap();
            let mut records = first_records();
            let piece = ("bulk/aa/0".to_owned(), vec![7; 100]);
            let least = room(&records);
            records.push(piece.clone());
            assert_eq!(room(&records), least - needed(&piece.0, &piece.1));
            let file = seal(&records, &phrase(), None, NOW, [9; 64]).unwrap();
            let backup = open(&file, &Secret::Phrase(phrase())).unwrap();
            backup.restore(&store).await.unwrap();
            assert_eq!(store.bulky().await.unwrap(), ["bulk/aa/0"]);
            assert_eq!(store.get("bulk/aa/0").await.unwrap(), Some(piece.1));
        });
    }

    #[test]
    fn a_file_that_this_program_cannot_start_with_replaces_nothing() {
        futures::executor::block_on(async {
            let store = Memory::new();
            store
                .commit(vec![Write::put("seed", "mine")])
                .await
                .unwrap();
            let backup = open(&file(None), &Secret::Phrase(phrase())).unwrap();
            let refused = backup.restore(&store).await.unwrap_err();
            assert_eq!(refused.code(), "records-damaged");
            assert_eq!(
                store.get("seed").await.unwrap().as_deref(),
                Some(&b"mine"[..])
            );
        });
    }
}
