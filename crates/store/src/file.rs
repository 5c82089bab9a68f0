//! The store of a native peer: one file, kept by [redb](https://docs.rs/redb), which is atomic, checks
//! every page against a checksum, and locks the file against other programs.
//!
//! The file lives on a thread of its own, so that a disk that takes its time never holds up the
//! network; requests are served one after the other, in the order in which they were first polled.
//! Whoever drops the store waits until what was begun is on the disk and the file is free again.

use std::fmt;
use std::fs;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::mpsc::{Receiver, SyncSender, sync_channel};
use std::thread::JoinHandle;

use futures::channel::oneshot;
use redb::backends::FileBackend;
use redb::{Database, ReadableDatabase, TableDefinition};

use crate::{Answer, BEHIND_BULK, BULK, Error, Record, Store, Write, check};

/// The one table of the file. redb sorts `&str` by its bytes.
const RECORDS: TableDefinition<'_, &str, &[u8]> = TableDefinition::new("records");

/// How many requests may wait for the disk. A peer awaits its commits, so more than a few are
/// never open; a program that floods the store is held up here instead of filling the memory.
const WAITING: usize = 64;

/// How much of the file redb may keep in memory, in bytes: 8 MiB. A peer loads everything once at
/// its start and then only writes, so a large cache would never be read.
const CACHE_BYTES: usize = 8 * 1024 * 1024;

type Request = Box<dyn FnOnce(&mut Database) + Send>;

/// Records in one file, open in one program at a time.
///
/// After the disk refused to write ([`Error::Full`], [`Error::Failed`]), the state of the file is
/// only known by reading it again: until then everything is answered by [`Error::Closed`].
pub struct File {
    path: PathBuf,
    /// Always there until the store is dropped.
    requests: Option<SyncSender<Request>>,
    worker: Option<JoinHandle<()>>,
}

impl File {
    /// Opens the file, or makes it, readable for its owner alone. All of it is checked, which
    /// reads it once; a batch that was cut off by a crash is forgotten.
    ///
    /// # Errors
    /// [`Error::Busy`] if this or another program has it open; [`Error::Damaged`] if it is no
    /// store or any part of it was changed; [`Error::Unavailable`] if the file cannot be made or
    /// may not be written; [`Error::Full`], [`Error::Failed`].
    pub async fn open(path: impl Into<PathBuf>) -> Result<Self, Error> {
        let path = path.into();
        let (opened, outcome) = oneshot::channel();
        let (requests, queue) = sync_channel(WAITING);
        let place = path.clone();
        let worker = std::thread::Builder::new()
            .name("haggle-store".to_owned())
            .spawn(move || match open(&place) {
                Ok(database) => {
                    // If nobody waits any more, the queue has no sender and ends at once.
                    let _ = opened.send(Ok(()));
                    serve(database, &queue);
                }
                Err(error) => {
                    let _ = opened.send(Err(error));
                }
            })
            .map_err(|error| Error::Failed {
                reason: error.to_string(),
            })?;
        let file = Self {
            path,
            requests: Some(requests),
            worker: Some(worker),
        };
        // Cancelled only if redb panicked over the file.
        outcome.await.unwrap_or_else(|_| {
            Err(Error::Damaged {
                what: "the file cannot be understood".to_owned(),
            })
        })?;
        Ok(file)
    }

    /// Has the worker do something, and waits for what comes of it.
    async fn ask<T: Send + 'static>(
        &self,
        work: impl FnOnce(&mut Database) -> Result<T, Error> + Send + 'static,
    ) -> Result<T, Error> {
        let (answer, answered) = oneshot::channel();
        let request: Request = Box::new(move |database| {
            let _ = answer.send(work(database));
        });
        let requests = self.requests.as_ref().ok_or(Error::Closed)?;
        requests.send(request).map_err(|_| Error::Closed)?;
        answered.await.map_err(|_| Error::Closed)?
    }
}

impl Store for File {
    fn load(&self) -> Answer<'_, Vec<Record>> {
        Box::pin(self.ask(load))
    }

    fn bulky(&self) -> Answer<'_, Vec<String>> {
        Box::pin(self.ask(bulky))
    }

    fn get<'a>(&'a self, key: &'a str) -> Answer<'a, Option<Vec<u8>>> {
        let key = key.to_owned();
        Box::pin(self.ask(move |database| {
            let reading = database.begin_read().map_err(refusal)?;
            let records = reading.open_table(RECORDS).map_err(refusal)?;
            let found = records.get(key.as_str()).map_err(refusal)?;
            Ok(found.map(|value| value.value().to_vec()))
        }))
    }

    fn commit(&self, batch: Vec<Write>) -> Answer<'_, ()> {
        Box::pin(async move {
            check(&batch)?;
            self.ask(move |database| write(database, &batch)).await
        })
    }

    fn erase(&self) -> Answer<'_, ()> {
        Box::pin(self.ask(erase))
    }
}

impl Drop for File {
    fn drop(&mut self) {
        drop(self.requests.take());
        if let Some(worker) = self.worker.take() {
            // A panic there has been answered as an error already.
            let _ = worker.join();
        }
    }
}

/// Shows where the file is, never what it holds.
impl fmt::Debug for File {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("File")
            .field("path", &self.path)
            .finish_non_exhaustive()
    }
}

/// Serves requests until the store is dropped.
fn serve(mut database: Database, queue: &Receiver<Request>) {
    while let Ok(request) = queue.recv() {
        request(&mut database);
    }
}

fn open(path: &Path) -> Result<Database, Error> {
    let unavailable = |error: io::Error| {
        let refusal = refusal(error);
        if let Error::Failed { reason } = refusal {
            Error::Unavailable { reason }
        } else {
            refusal
        }
    };
    let new = !path.exists();
    let mut options = fs::OpenOptions::new();
    options.read(true).write(true).create(true).truncate(false);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    let file = options.open(path).map_err(unavailable)?;
    let database = Database::builder()
        .set_cache_size(CACHE_BYTES)
        .set_check_integrity_on_open(true)
        .create_with_backend(FileBackend::new(file).map_err(refusal)?)
        .map_err(refusal)?;
    // Makes the table if it is not there.
    write(&database, &[])?;
    if new {
        sync_folder(path).map_err(unavailable)?;
    }
    Ok(database)
}

/// Makes sure that the name of a new file survives a power cut as its content does.
fn sync_folder(path: &Path) -> io::Result<()> {
    let folder = match path.parent() {
        Some(folder) if !folder.as_os_str().is_empty() => folder,
        Some(_) | None => Path::new("."),
    };
    // Elsewhere a folder cannot be opened as a file, and need not be.
    if cfg!(unix) {
        fs::File::open(folder)?.sync_all()
    } else {
        Ok(())
    }
}

fn load(database: &mut Database) -> Result<Vec<Record>, Error> {
    let reading = database.begin_read().map_err(refusal)?;
    let records = reading.open_table(RECORDS).map_err(refusal)?;
    let mut all = Vec::new();
    let before = records.range(..BULK).map_err(refusal)?;
    let behind = records.range(BEHIND_BULK..).map_err(refusal)?;
    for record in before.chain(behind) {
        let (key, value) = record.map_err(refusal)?;
        all.push((key.value().to_owned(), value.value().to_vec()));
    }
    Ok(all)
}

fn bulky(database: &mut Database) -> Result<Vec<String>, Error> {
    let reading = database.begin_read().map_err(refusal)?;
    let records = reading.open_table(RECORDS).map_err(refusal)?;
    let bulky = records.range(BULK..BEHIND_BULK).map_err(refusal)?;
    bulky
        .map(|record| Ok(record.map_err(refusal)?.0.value().to_owned()))
        .collect()
}

/// One transaction. An error on the way drops it, and nothing of it is kept.
fn write(database: &Database, batch: &[Write]) -> Result<(), Error> {
    let mut writing = database.begin_write().map_err(refusal)?;
    // The values are partly strangers' bytes: with one phase alone, bytes that are made to look
    // like a page could survive a cut-off commit as if they were one.
    writing.set_two_phase_commit(true);
    {
        let mut records = writing.open_table(RECORDS).map_err(refusal)?;
        for write in batch {
            match write {
                Write::Put { key, value } => records
                    .insert(key.as_str(), value.as_slice())
                    .map_err(refusal)?,
                Write::Delete { key } => records.remove(key.as_str()).map_err(refusal)?,
            };
        }
    }
    writing.commit().map_err(refusal)
}

/// Deletes everything, then gives the freed room back, so that the file shrinks.
fn erase(database: &mut Database) -> Result<(), Error> {
    let mut writing = database.begin_write().map_err(refusal)?;
    writing.set_two_phase_commit(true);
    writing.delete_table(RECORDS).map_err(refusal)?;
    drop(writing.open_table(RECORDS).map_err(refusal)?);
    writing.commit().map_err(refusal)?;
    database.compact().map_err(refusal)?;
    Ok(())
}

/// What a refusal means.
#[allow(clippy::wildcard_enum_match_arm)] // redb's and the system's errors may grow at any time.
fn refusal(error: impl Into<redb::Error>) -> Error {
    match error.into() {
        redb::Error::DatabaseAlreadyOpen | redb::Error::LockProtocolMismatch => Error::Busy,
        redb::Error::PreviousIo
        | redb::Error::DatabaseClosed
        | redb::Error::LockPoisoned(_)
        | redb::Error::TransactionPoisoned => Error::Closed,
        redb::Error::Io(error) => match error.kind() {
            io::ErrorKind::StorageFull
            | io::ErrorKind::QuotaExceeded
            | io::ErrorKind::FileTooLarge => Error::Full,
            io::ErrorKind::InvalidData | io::ErrorKind::UnexpectedEof => Error::Damaged {
                what: error.to_string(),
            },
            _ => Error::Failed {
                reason: error.to_string(),
            },
        },
        error @ (redb::Error::Corrupted(_)
        | redb::Error::TableTypeMismatch { .. }
        | redb::Error::TableIsMultimap(_)
        | redb::Error::TypeDefinitionChanged { .. }) => Error::Damaged {
            what: error.to_string(),
        },
        error => Error::Failed {
            reason: error.to_string(),
        },
    }
}
