//! Files that go with what is said: photos in a talk, digital goods with a dispatch.
//!
//! A message names its files and binds its sender to their bytes; the bytes are kept, encrypted as they travel, in records
//! of their own, and fetched piece by piece by whoever was told of them. Each piece is saved before the next one is asked
//! for, so a reload, or two people who are online for ten seconds at a time, lose nothing of what has come. Nothing is
//! fetched unasked from a stranger but a few small photos; the rest waits until its reader wants it.

use std::collections::BTreeSet;

use haggle_protocol::attachment::{Attachment, FileKey, Hashing, Piece};
use haggle_protocol::limits::{FILES_MAX, PIECE_LEN, PRIVATE_LIFETIME_MAX};
use haggle_protocol::{FileId, Refusal, ThreadId, Timestamp};
use serde::{Deserialize, Serialize};

use crate::batch::{Batch, Subject};
use crate::command::{Complaint, FILES_BYTES_MAX, NewFile};
use crate::effect::{Effect, Record};
use crate::market::Market;
use crate::record::{self, Key, Locker, hex_bytes};
use crate::threads::{Deal, Thread};
use crate::view::{FileState, FileView, Role, TradeStep};

/// Bytes of all files that are kept at once: a browser gives a page much more, and a person should not have to care.
const KEPT_MAX: u64 = 64 * 1024 * 1024;
/// Of these, what may come unasked: what I send, and what I ask for, has the other half.
const UNASKED_MAX: u64 = KEPT_MAX / 2;
/// Of what comes unasked, bytes that those with whom nothing is agreed on may take together.
const STRANGERS_MAX: u64 = 8 * 1024 * 1024;
/// What comes unasked from one with whom nothing is agreed on: so many files, of so many bytes together.
const STRANGER: (usize, u64) = (8, 2 * 1024 * 1024);
/// What comes unasked from the other side of a trade, in bytes: the files of one message.
const PARTNER: u64 = FILES_BYTES_MAX;
/// The largest photo that is fetched unasked from one with whom nothing is agreed on, in bytes: the page sends smaller ones.
const PHOTO_MAX: u32 = 512 * 1024;
/// How long the pieces of a file are asked for, in seconds, before it waits to be wanted again: as long as any message lives.
const FETCH_FOR: u64 = PRIVATE_LIFETIME_MAX;
/// Pieces that are asked for at the same time, in all and in one exchange: most of the ways stay free for messages, and a slow
/// line has one thing to do.
const AT_ONCE: usize = 4;
/// When a file whose turn it was not is looked at again, in seconds.
const TURN: u64 = 2;
/// How long a piece is waited for if nothing is heard of it, in seconds: the shell gives a way 40 s, there are up to four ways,
/// and it reports what came of them.
const IN_FLIGHT: u64 = 180;
/// The longest wait between two tries, in seconds.
const BACKOFF_MAX: u64 = 60;
/// What is shown as a photo. Nothing that can run a script (SVG) is among them.
const PHOTOS: [&str; 4] = ["image/jpeg", "image/png", "image/webp", "image/gif"];

/// A file that one of the two has named.
#[derive(Clone, Serialize, Deserialize)]
pub(crate) struct File {
    pub(crate) thread: ThreadId,
    name: String,
    media_type: String,
    bytes: u32,
    #[serde(with = "hex_bytes::fixed")]
    hash: [u8; 32],
    key: Locker,
    /// Whether I have named it.
    mine: bool,
    /// When I named it, learned of it or wanted it last.
    at: Timestamp,
    /// How many of its pieces are kept, from the first on.
    have: u32,
    /// What has come so far, hashed.
    #[serde(default, with = "hex_bytes")]
    hashed: Vec<u8>,
    state: FileState,
    #[serde(skip)]
    asking: Asking,
}

/// How the next piece is asked for.
#[derive(Clone, Copy, Default)]
struct Asking {
    tries: u32,
    next: Timestamp,
    /// Whether a piece is asked for, and nothing was heard of it yet.
    on_its_way: bool,
    /// How many tries in a row reached nobody.
    unreached: u32,
    /// How often the other side had moved at the last try.
    moves: u32,
}

impl File {
    fn new(thread: ThreadId, named: &Attachment, mine: bool, now: Timestamp) -> Self {
        Self {
            thread,
            name: named.name.clone(),
            media_type: named.media_type.clone(),
            bytes: named.bytes,
            hash: named.hash,
            key: Locker(named.key.clone()),
            mine,
            at: now,
            have: if mine { named.pieces() } else { 0 },
            hashed: Vec::new(),
            state: if mine {
                FileState::Here
            } else {
                FileState::Offered
            },
            asking: Asking::default(),
        }
    }

    pub(crate) fn attachment(&self) -> Attachment {
        Attachment {
            name: self.name.clone(),
            media_type: self.media_type.clone(),
            bytes: self.bytes,
            hash: self.hash,
            key: self.key.0.clone(),
        }
    }

    /// The room it takes or is about to take, in bytes.
    fn room(&self) -> u64 {
        match self.state {
            FileState::Here | FileState::Coming => u64::from(self.bytes),
            FileState::Offered | FileState::Wrong | FileState::Gone | FileState::Removed => {
                u64::from(self.received())
            }
        }
    }

    /// How much of it is here, in bytes.
    fn received(&self) -> u32 {
        // A piece's length fits into 17 bits.
        self.have.saturating_mul(PIECE_LEN as u32).min(self.bytes)
    }

    fn view(&self, id: FileId) -> FileView {
        FileView {
            id,
            name: self.name.clone(),
            media_type: self.media_type.clone(),
            bytes: self.bytes,
            received: self.received(),
            mine: self.mine,
            photo: PHOTOS.contains(&self.media_type.as_str()),
            state: self.state,
        }
    }

    /// What came is of no use, or no more wanted.
    fn let_go(&mut self, id: FileId, state: FileState, batch: &mut Batch) {
        // Also one that was kept and not counted yet.
        for index in 0..=self.have {
            batch.pieces.push(Record {
                key: record::piece(&id, index),
                value: None,
            });
        }
        self.have = 0;
        self.hashed.clear();
        self.state = state;
        self.asking = Asking::default();
    }

    fn wait(&self) -> u64 {
        let doubled = 1_u64.checked_shl(self.asking.tries);
        doubled.unwrap_or(BACKOFF_MAX).clamp(2, BACKOFF_MAX)
    }
}

/// The room that files take together, in bytes.
fn rooms<'a>(files: impl Iterator<Item = &'a File>) -> u64 {
    files.map(File::room).sum()
}

/// Files that were named, with their bytes, and are not sent yet.
#[derive(Default)]
pub(crate) struct Packed {
    files: Vec<(Attachment, Vec<u8>)>,
    /// What makes room for them.
    needless: Vec<FileId>,
}

impl Packed {
    /// What the message says of them.
    pub(crate) fn named(&self) -> Vec<Attachment> {
        self.files.iter().map(|(named, _)| named.clone()).collect()
    }
}

impl Market {
    /// Names files that shall go with a message. Nothing has changed until they are shelved.
    ///
    /// # Errors
    /// `too-many-files`, `bad-file`, `file-too-large`, `files-full`.
    pub(crate) fn pack(&mut self, files: Vec<NewFile>) -> Result<Packed, Complaint> {
        if files.len() > FILES_MAX {
            let sentence =
                "At most four files go with one message. Send the others with the next one.";
            return Err(Complaint::about("too-many-files", "files", sentence));
        }
        let sizes = files.iter().map(|file| file.bytes.len() as u64);
        let all = sizes.fold(0, u64::saturating_add);
        if all > FILES_BYTES_MAX {
            let sentence = "The files of one message have at most 16 MB together. Send some with the next one.";
            return Err(Complaint::about("file-too-large", "files", sentence));
        }
        let named = files.into_iter().map(|file| {
            let key = FileKey::random(&mut self.pen.dice);
            let named = Attachment::of(file.name, file.media_type, &file.bytes, key);
            Ok((named.map_err(unfit)?, file.bytes))
        });
        let files: Vec<_> = named.collect::<Result<_, Complaint>>()?;
        let needless = self.make_room(all).ok_or_else(full)?;
        Ok(Packed { files, needless })
    }

    /// What has to go so that so many bytes more can be kept; `None` if there is not enough that nobody needs: files of mine
    /// in trades that are at their end, first those that the buyer has said he has, and of these the oldest.
    fn make_room(&self, bytes: u64) -> Option<Vec<FileId>> {
        let mut missing = (rooms(self.files.values()) + bytes).saturating_sub(KEPT_MAX);
        if bytes == 0 || missing == 0 {
            return Some(Vec::new());
        }
        let over = |file: &File| {
            let deal = self.threads.get(&file.thread)?.deal.as_ref()?;
            let received = deal.has(TradeStep::Received);
            (received || !deal.under_way()).then_some(!received)
        };
        let mine = self
            .files
            .iter()
            .filter(|(_, file)| file.mine && file.room() > 0);
        let needless = mine.filter_map(|(id, file)| Some((over(file)?, file.at, *id, file.room())));
        let mut needless: Vec<_> = needless.collect();
        needless.sort_unstable();
        let mut gone = Vec::new();
        for (_, _, id, room) in needless {
            if missing == 0 {
                break;
            }
            missing = missing.saturating_sub(room);
            gone.push(id);
        }
        (missing == 0).then_some(gone)
    }

    /// Keeps files of mine beside the message that names them. Gives their names here.
    pub(crate) fn shelve(
        &mut self,
        thread: ThreadId,
        packed: Packed,
        now: Timestamp,
        batch: &mut Batch,
    ) -> Vec<FileId> {
        self.drop_files(&packed.needless, batch);
        let mut ids = Vec::new();
        for (named, content) in packed.files {
            let id = named.id(self.pen.network, &thread);
            for index in 0..named.pieces() {
                // Cannot fail: the file is the one that was named.
                let value = named.seal_piece(&id, index, &content).ok();
                batch.pieces.push(Record {
                    key: record::piece(&id, index),
                    value,
                });
            }
            self.files.insert(id, File::new(thread, &named, true, now));
            batch.save.insert(Key::File(id));
            ids.push(id);
        }
        ids
    }

    fn drop_files(&mut self, ids: &[FileId], batch: &mut Batch) {
        for id in ids {
            if let Some(file) = self.files.get_mut(id) {
                file.let_go(*id, FileState::Removed, batch);
                batch.save.insert(Key::File(*id));
                self.file_changed(*id, batch);
            }
        }
    }

    /// Whether files that the other side has named are new.
    ///
    /// # Errors
    /// [`Refusal::WrongState`] if one is known already, or named twice.
    pub(crate) fn check_files(
        &self,
        thread: ThreadId,
        named: &[Attachment],
    ) -> Result<(), Refusal> {
        let ids: Vec<FileId> = self.file_ids(thread, named).collect();
        let twice = (1..ids.len()).any(|at| ids[..at].contains(&ids[at]));
        if twice || ids.iter().any(|id| self.files.contains_key(id)) {
            return Err(Refusal::WrongState);
        }
        Ok(())
    }

    fn file_ids(&self, thread: ThreadId, named: &[Attachment]) -> impl Iterator<Item = FileId> {
        let network = self.pen.network;
        named.iter().map(move |named| named.id(network, &thread))
    }

    /// The other side has named files. Gives their names here; what may come unasked is asked for at once.
    pub(crate) fn learn_files(
        &mut self,
        thread: ThreadId,
        named: &[Attachment],
        now: Timestamp,
        batch: &mut Batch,
    ) -> Vec<FileId> {
        let ids: Vec<FileId> = self.file_ids(thread, named).collect();
        for (id, named) in ids.iter().zip(named) {
            let mut file = File::new(thread, named, false, now);
            if self.comes_unasked(&file) {
                file.state = FileState::Coming;
            }
            self.files.insert(*id, file);
            batch.save.insert(Key::File(*id));
            batch.due.insert(Subject::File(*id));
        }
        ids
    }

    /// Whether a file that was named is fetched without my asking. A buyer has chosen his seller; a seller has bound himself to
    /// his buyer by a confirmation; anybody else is a stranger, however often he orders.
    fn comes_unasked(&self, file: &File) -> bool {
        let partner = |thread: &ThreadId| {
            let thread = self.threads.get(thread);
            thread.is_some_and(|thread| match (&thread.deal, thread.role) {
                (Some(_), Role::Buyer) => true,
                (Some(deal), Role::Seller) => deal.confirm.is_some(),
                (None, _) => false,
            })
        };
        let unasked = || {
            let all = self.files.values();
            all.filter(|other| !other.mine && other.room() > 0)
        };
        let bytes = u64::from(file.bytes);
        let fits = |used: u64, most: u64| used + bytes <= most;
        let theirs = || unasked().filter(|other| other.thread == file.thread);
        if !fits(rooms(self.files.values()), KEPT_MAX) || !fits(rooms(unasked()), UNASKED_MAX) {
            return false;
        }
        if partner(&file.thread) {
            return fits(rooms(theirs()), PARTNER);
        }
        let strangers = unasked().filter(|other| !partner(&other.thread));
        PHOTOS.contains(&file.media_type.as_str())
            && file.bytes <= PHOTO_MAX
            && theirs().count() < STRANGER.0
            && fits(rooms(theirs()), STRANGER.1)
            && fits(rooms(strangers), STRANGERS_MAX)
    }

    /// I want a file that the other side has named.
    pub(crate) fn fetch(
        &mut self,
        id: FileId,
        now: Timestamp,
        batch: &mut Batch,
    ) -> Result<(), Complaint> {
        let file = self.files.get(&id).ok_or_else(no_such_file)?;
        if file.mine || matches!(file.state, FileState::Here | FileState::Coming) {
            return Ok(());
        }
        let more = u64::from(file.bytes) - file.room().min(u64::from(file.bytes));
        let needless = self.make_room(more).ok_or_else(full)?;
        self.drop_files(&needless, batch);
        let file = self.files.get_mut(&id).ok_or_else(no_such_file)?;
        file.state = FileState::Coming;
        file.at = now;
        file.asking = Asking::default();
        batch.save.insert(Key::File(id));
        self.file_changed(id, batch);
        self.ask(id, now, batch);
        Ok(())
    }

    /// I do not want to keep a file any more.
    pub(crate) fn remove_file(&mut self, id: FileId, batch: &mut Batch) -> Result<(), Complaint> {
        if !self.files.contains_key(&id) {
            return Err(no_such_file());
        }
        self.drop_files(&[id], batch);
        Ok(())
    }

    /// Forgets files altogether: what named them is forgotten.
    pub(crate) fn forget_files(&mut self, ids: &[FileId], batch: &mut Batch) {
        for id in ids {
            if let Some(mut file) = self.files.remove(id) {
                file.let_go(*id, FileState::Removed, batch);
                batch.save.insert(Key::File(*id));
                batch.due.insert(Subject::File(*id));
            }
        }
    }

    /// Asks for the next pieces of a thread's files, where it is time to.
    pub(crate) fn ask_all(&mut self, thread: ThreadId, now: Timestamp, batch: &mut Batch) {
        let ids = self.threads.get(&thread).map(Thread::file_ids);
        for id in ids.unwrap_or_default() {
            self.ask(id, now, batch);
        }
    }

    fn ask(&mut self, id: FileId, now: Timestamp, batch: &mut Batch) {
        let Some(file) = self.files.get(&id) else {
            return;
        };
        if file.state != FileState::Coming {
            return;
        }
        batch.due.insert(Subject::File(id));
        let on_their_way = self.files.values();
        let on_their_way = on_their_way.filter(|other| {
            other.state == FileState::Coming && other.asking.on_its_way && other.asking.next > now
        });
        let others: Vec<ThreadId> = on_their_way.map(|other| other.thread).collect();
        let turn = others.len() < AT_ONCE && !others.contains(&file.thread);
        let Some(thread) = self.threads.get(&file.thread) else {
            return;
        };
        let (ways, moves) = (thread.ways.clone(), thread.moves);
        let Some(file) = self.files.get_mut(&id) else {
            return;
        };
        let asked = file.asking.on_its_way && file.asking.next > now;
        if file.asking.moves != moves && !asked {
            file.asking = Asking {
                moves,
                ..Asking::default()
            };
        }
        if ways.is_empty() || file.asking.next > now {
            return;
        }
        if !turn {
            file.asking.next = now + TURN;
            return;
        }
        file.asking.tries = file.asking.tries.saturating_add(1);
        file.asking.on_its_way = true;
        file.asking.next = now + IN_FLIGHT;
        let index = file.have;
        let piece = Piece { file: id, index };
        batch.acts.push(Effect::Fetch { piece, to: ways });
    }

    /// Whether this is the piece that is asked for. The shell keeps it, and only then says that it came.
    #[must_use]
    pub fn wants(&self, piece: &Piece) -> bool {
        let file = self.files.get(&piece.file);
        file.is_some_and(|file| file.state == FileState::Coming && piece.index == file.have)
    }

    /// The file of which this is the piece that is asked for, with the news that it was heard of.
    fn answered(&mut self, piece: Piece) -> Option<&mut File> {
        if !self.wants(&piece) {
            return None;
        }
        let file = self.files.get_mut(&piece.file)?;
        file.asking.on_its_way = false;
        Some(file)
    }

    /// A piece came, or is refused there. What came is kept already.
    pub(crate) fn hear_piece(
        &mut self,
        piece: Piece,
        answer: Result<Vec<u8>, Refusal>,
        now: Timestamp,
        batch: &mut Batch,
    ) {
        let id = piece.file;
        let Some(file) = self.answered(piece) else {
            return;
        };
        match answer {
            Ok(bytes) => file.take(id, &bytes, batch),
            Err(Refusal::NoSuchFile) => file.let_go(id, FileState::Gone, batch),
            Err(_) => {
                file.asking.unreached = 0;
                file.asking.next = now + file.wait();
                batch.due.insert(Subject::File(id));
                return;
            }
        }
        batch.save.insert(Key::File(id));
        batch.due.insert(Subject::File(id));
        self.file_changed(id, batch);
        if let Some(file) = self.files.get(&id) {
            // Its own next piece first, then whose turn it was not.
            let thread = file.thread;
            self.ask(id, now, batch);
            self.ask_all(thread, now, batch);
        }
    }

    /// There was no room to keep a piece that came.
    pub(crate) fn no_room(&mut self, piece: Piece, batch: &mut Batch) {
        if let Some(file) = self.answered(piece) {
            file.state = FileState::Offered;
            batch.save.insert(Key::File(piece.file));
            batch.due.insert(Subject::File(piece.file));
            self.file_changed(piece.file, batch);
        }
    }

    /// Nobody was found to ask for a piece.
    pub(crate) fn no_piece(&mut self, piece: Piece, now: Timestamp, batch: &mut Batch) {
        if let Some(file) = self.answered(piece) {
            file.asking.unreached = file.asking.unreached.saturating_add(1);
            file.asking.next = now + file.wait();
            batch.due.insert(Subject::File(piece.file));
            let thread = file.thread;
            self.seek(thread, now, batch);
        }
    }

    /// How many tries in a row, for whatever file of a thread, reached nobody.
    pub(crate) fn files_unreached(&self, thread: ThreadId) -> u32 {
        let ids = self.threads.get(&thread).map(Thread::file_ids);
        let files = ids.unwrap_or_default();
        let files = files.iter().filter_map(|id| self.files.get(id));
        let coming = files.filter(|file| file.state == FileState::Coming);
        coming.map(|file| file.asking.unreached).max().unwrap_or(0)
    }

    /// Asks again, or no more.
    pub(crate) fn lapse_file(&mut self, id: FileId, now: Timestamp, batch: &mut Batch) {
        let Some(file) = self.files.get_mut(&id) else {
            return;
        };
        if file.state == FileState::Coming && file.at + FETCH_FOR <= now {
            file.state = FileState::Offered;
            batch.save.insert(Key::File(id));
            self.file_changed(id, batch);
        }
        self.ask(id, now, batch);
    }

    pub(crate) fn file_deadline(&self, id: &FileId) -> Option<Timestamp> {
        let file = self.files.get(id)?;
        let thread = self.threads.get(&file.thread)?;
        if file.state != FileState::Coming {
            return None;
        }
        let end = file.at + FETCH_FOR;
        Some(if thread.ways.is_empty() {
            end
        } else {
            file.asking.next.min(end)
        })
    }

    /// After a start: what nothing names is let go of, and what is said to be here is looked for among the pieces that were
    /// `kept`. A backup may hold none of them.
    pub(crate) fn begin_files(&mut self, kept: &BTreeSet<String>, batch: &mut Batch) {
        let named = |(id, file): &(&FileId, &File)| {
            let thread = self.threads.get(&file.thread);
            thread.is_some_and(|thread| thread.file_ids().contains(id))
        };
        let lost = self.files.iter().filter(|file| !named(file));
        let lost: Vec<FileId> = lost.map(|(id, _)| *id).collect();
        self.forget_files(&lost, batch);
        let mut expected = BTreeSet::new();
        for (id, file) in &mut self.files {
            let all = (0..file.have).map(|index| record::piece(id, index));
            let all: Vec<String> = all.collect();
            if all.iter().all(|name| kept.contains(name)) {
                expected.extend(all);
            } else {
                let state = match file.state {
                    _ if file.mine => FileState::Removed,
                    FileState::Here | FileState::Coming => FileState::Coming,
                    state @ (FileState::Offered
                    | FileState::Wrong
                    | FileState::Gone
                    | FileState::Removed) => state,
                };
                file.let_go(*id, state, batch);
                batch.save.insert(Key::File(*id));
            }
        }
        let unnamed = kept.iter().filter(|name| !expected.contains(*name));
        batch.pieces.extend(unnamed.map(|name| Record {
            key: name.clone(),
            value: None,
        }));
        batch
            .due
            .extend(self.files.keys().copied().map(Subject::File));
    }

    /// The record that holds a piece which may be given to whoever asks for it: only two know its name.
    #[must_use]
    pub fn piece(&self, piece: &Piece) -> Option<String> {
        let file = self.files.get(&piece.file)?;
        let whole = file.state == FileState::Here && piece.index < file.have;
        whole.then(|| record::piece(&piece.file, piece.index))
    }

    /// A file that is here as a whole; its pieces are in the records of [`record::piece`].
    #[must_use]
    pub fn file(&self, id: &FileId) -> Option<Attachment> {
        let file = self.files.get(id)?;
        (file.state == FileState::Here).then(|| file.attachment())
    }

    /// What is shown of files.
    pub(crate) fn file_views(&self, ids: &[FileId]) -> Vec<FileView> {
        let known = ids.iter().filter_map(|id| Some((id, self.files.get(id)?)));
        known.map(|(id, file)| file.view(*id)).collect()
    }

    fn file_changed(&self, id: FileId, batch: &mut Batch) {
        let Some(file) = self.files.get(&id) else {
            return;
        };
        let Some(thread) = self.threads.get(&file.thread) else {
            return;
        };
        if thread.chat.iter().any(|line| line.files.contains(&id)) {
            batch.chats.insert(thread.id);
        } else {
            batch.trades.insert(thread.id);
        }
    }
}

impl File {
    /// The next piece came, and is kept.
    fn take(&mut self, id: FileId, sealed: &[u8], batch: &mut Batch) {
        let named = self.attachment();
        let hashing = match self.have {
            0 => Some(Hashing::new()),
            _ => Hashing::from_bytes(&self.hashed),
        };
        let Some(mut hashing) = hashing else {
            // Another version of this program has hashed it: from the start again.
            return self.let_go(id, FileState::Coming, batch);
        };
        let Ok(opened) = named.open_piece(&id, self.have, sealed) else {
            return self.let_go(id, FileState::Wrong, batch);
        };
        hashing.update(&opened);
        self.have += 1;
        self.asking = Asking {
            moves: self.asking.moves,
            ..Asking::default()
        };
        if self.have < named.pieces() {
            self.hashed = hashing.to_bytes();
        } else if hashing.finish() == self.hash {
            self.hashed.clear();
            self.state = FileState::Here;
        } else {
            self.let_go(id, FileState::Wrong, batch);
        }
    }
}

impl Thread {
    /// The files that stand in its steps and lines.
    pub(crate) fn file_ids(&self) -> Vec<FileId> {
        let steps = self.deal.iter().flat_map(Deal::file_ids);
        let lines = self.chat.iter().flat_map(|line| &line.files);
        steps.chain(lines.copied()).collect()
    }
}

impl Deal {
    /// The files that stand in its steps.
    pub(crate) fn file_ids(&self) -> impl Iterator<Item = FileId> + '_ {
        self.steps.iter().flat_map(|taken| &taken.files).copied()
    }
}

fn unfit(refusal: Refusal) -> Complaint {
    let (code, sentence) = if refusal == Refusal::TooLarge {
        let sentence =
            "A file has at most 8 MB. Send a smaller one, or say where it can be fetched.";
        ("file-too-large", sentence)
    } else if refusal == Refusal::BadField {
        ("bad-file", "This file is empty. Choose another one.")
    } else {
        let sentence = "This file has a name that cannot be sent: at most 120 letters, without slashes, not beginning with a dot.";
        ("bad-file", sentence)
    };
    Complaint::about(code, "files", sentence)
}

fn full() -> Complaint {
    let sentence = "The files of all your trades have reached 64 MB. Save and remove some of them, then try again.";
    Complaint::about("files-full", "files", sentence)
}

fn no_such_file() -> Complaint {
    let sentence = "This file is forgotten, with the talk or the trade that it belonged to.";
    Complaint::about("no-such-file", "file", sentence)
}
