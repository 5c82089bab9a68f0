//! The laws for the stores of a native peer, and what only they can show: any history at all, a
//! program that is killed in the middle of a commit, and a file that someone damaged.
#![cfg(all(not(target_arch = "wasm32"), feature = "file"))]
#![allow(clippy::unwrap_used)] // Tests; the lint does not see that of their helpers.

mod laws;

use std::collections::BTreeMap;
use std::io::{BufRead, BufReader};
use std::path::PathBuf;
use std::process::{Command, Stdio};
use std::sync::Mutex;
use std::time::Duration;

use futures::executor::block_on;
use haggle_store::{Error, File, Memory, Record, Store, Write};
use laws::{Bench, put, records};
use proptest::prelude::*;

/// Memories by name, as long as the bench lives.
#[derive(Default)]
struct Memories(Mutex<BTreeMap<String, Memory>>);

impl Bench for Memories {
    type Store = Memory;

    async fn open(&self, profile: &str) -> Result<Memory, Error> {
        Ok(self
            .0
            .lock()
            .unwrap()
            .entry(profile.to_owned())
            .or_default()
            .clone())
    }
}

/// Files in a folder that goes away with the bench.
struct Files(tempfile::TempDir);

impl Files {
    fn new() -> Self {
        Self(tempfile::tempdir().unwrap())
    }

    fn path(&self, profile: &str) -> PathBuf {
        self.0.path().join(profile)
    }
}

impl Bench for Files {
    type Store = File;

    async fn open(&self, profile: &str) -> Result<File, Error> {
        File::open(self.path(profile)).await
    }
}

macro_rules! of_memory {
    ($($law:ident)*) => { $( #[test] fn $law() { block_on(laws::$law(&Memories::default())); } )* };
}
macro_rules! of_file {
    ($($law:ident)*) => { $( #[test] fn $law() { block_on(laws::$law(&Files::new())); } )* };
}

mod memory {
    use super::*;
    for_each_law!(of_memory);
}

mod file {
    use super::*;
    for_each_law!(of_file);
    of_file!(a_profile_is_busy_until_its_store_is_dropped);
}

fn any_write() -> impl Strategy<Value = Write> {
    let key = prop_oneof!["[a-c]", any::<String>()];
    let value = proptest::collection::vec(any::<u8>(), 0..200);
    prop_oneof![
        3 => (key.clone(), value).prop_map(|(key, value)| Write::put(key, value)),
        1 => key.prop_map(Write::delete),
    ]
}

fn any_history() -> impl Strategy<Value = Vec<Vec<Write>>> {
    proptest::collection::vec(proptest::collection::vec(any_write(), 0..8), 0..12)
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 64, failure_persistence: None, ..Default::default() })]

    #[test]
    fn any_history_ends_in_memory_as_a_sorted_map_would(history in any_history()) {
        block_on(laws::history_ends_as_a_sorted_map_would(&Memories::default(), "any", history));
    }

    #[test]
    fn any_history_ends_in_a_file_as_a_sorted_map_would(history in any_history()) {
        block_on(laws::history_ends_as_a_sorted_map_would(&Files::new(), "any", history));
    }
}

#[test]
fn a_clone_of_a_memory_shares_its_records_and_a_new_one_does_not() {
    block_on(async {
        let memory = Memory::new();
        let clone = memory.clone();
        memory.commit(vec![put("a", b"1")]).await.unwrap();
        drop(memory);
        assert_eq!(clone.load().await.unwrap(), records(&[("a", b"1")]));
        assert_eq!(Memory::new().load().await.unwrap(), []);
    });
}

/// A peer may await its store on any thread, so this must compile.
#[test]
fn answers_and_stores_can_move_between_threads() {
    let store: Box<dyn Store> = Box::new(Memory::new());
    std::thread::spawn(move || {
        let answer = store.commit(vec![put("a", b"1")]);
        std::thread::scope(|scope| scope.spawn(|| block_on(answer)).join().unwrap().unwrap());
    })
    .join()
    .unwrap();
}

/// The variable under which a test starts itself as the program that will be killed.
const VICTIM: &str = "HAGGLE_STORE_VICTIM";
/// How many records each of the victim's batches holds.
const WIDTH: usize = 40;

/// Not a test of its own: what `a_program_that_is_killed_keeps_whole_batches_and_all_confirmed`
/// starts and kills. Without the variable it does nothing.
#[test]
fn victim() {
    let Some(path) = std::env::var_os(VICTIM) else {
        return;
    };
    block_on(async {
        let store = File::open(path).await.unwrap();
        let first = store
            .get("k00")
            .await
            .unwrap()
            .map_or(0, |value| number(&value));
        // Ends by itself if nobody kills it.
        for round in first + 1..first + 100_000 {
            let value = round.to_le_bytes().repeat(200);
            let batch = (0..WIDTH)
                .map(|n| put(&format!("k{n:02}"), &value))
                .collect();
            store.commit(batch).await.unwrap();
            println!("confirmed {round}");
        }
    });
}

fn number(value: &[u8]) -> u64 {
    u64::from_le_bytes(value[..8].try_into().unwrap())
}

#[test]
fn a_program_that_is_killed_keeps_whole_batches_and_all_confirmed() {
    let files = Files::new();
    let path = files.path("killed");
    let mut newest = 0;
    for kill in 0..12_u64 {
        let mut victim = Command::new(std::env::current_exe().unwrap())
            .args(["--exact", "victim", "--nocapture"])
            .env(VICTIM, &path)
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()
            .unwrap();
        let mut confirmed = newest;
        let mut left = 3 + kill;
        for line in BufReader::new(victim.stdout.take().unwrap()).lines() {
            let line = line.unwrap();
            if let Some((_, round)) = line.split_once("confirmed ") {
                confirmed = round.parse().unwrap();
                left -= 1;
                if left == 0 {
                    // Each kill hits another moment of the next batch.
                    std::thread::sleep(Duration::from_micros(200 * kill));
                    victim.kill().unwrap();
                    break;
                }
            }
        }
        victim.wait().unwrap();
        assert_eq!(left, 0, "the victim ended by itself");
        let found = block_on(async { File::open(&path).await.unwrap().load().await.unwrap() });
        assert_eq!(found.len(), WIDTH);
        let round = number(&found[0].1);
        assert!(
            round >= confirmed,
            "{confirmed} was confirmed, {round} was found"
        );
        assert!(
            found
                .iter()
                .all(|(_, value)| *value == round.to_le_bytes().repeat(200))
        );
        newest = round;
    }
}

/// Not a test of its own: what `a_full_disk_refuses_the_batch_and_keeps_what_was_confirmed` starts
/// where files may not grow. Without the variable it does nothing.
#[cfg(unix)]
#[test]
fn victim_of_a_full_disk() {
    let Some(path) = std::env::var_os(VICTIM) else {
        return;
    };
    block_on(async {
        let store = File::open(path).await.unwrap();
        for round in 1..100_u64 {
            let value = round.to_le_bytes().repeat(2_000);
            let batch = (0..WIDTH)
                .map(|n| put(&format!("{round:03}/{n:02}"), &value))
                .collect();
            match store.commit(batch).await {
                Ok(()) => println!("confirmed {round}"),
                Err(error) => {
                    println!("refused {}", error.code());
                    // What is on the disk is not known until the file is opened again.
                    println!(
                        "then {}",
                        store.commit(Vec::new()).await.unwrap_err().code()
                    );
                    return;
                }
            }
        }
    });
}

#[cfg(unix)]
#[test]
fn a_full_disk_refuses_the_batch_and_keeps_what_was_confirmed() {
    let files = Files::new();
    let path = files.path("full");
    // The shell's limit is in blocks of 512 or 1,024 bytes: at most 8 MB, so about ten batches.
    let output = Command::new("sh")
        .args(["-c", "trap '' XFSZ; ulimit -f 8000; exec \"$0\" \"$@\""])
        .arg(std::env::current_exe().unwrap())
        .args(["--exact", "victim_of_a_full_disk", "--nocapture"])
        .env(VICTIM, &path)
        .output()
        .unwrap();
    let said = String::from_utf8(output.stdout).unwrap();
    assert!(
        said.contains("refused store-full\nthen store-closed\n"),
        "{said}"
    );
    let confirmed = said.matches("confirmed ").count();
    assert!(confirmed > 1, "{said}");
    let found = block_on(async { File::open(&path).await.unwrap().load().await.unwrap() });
    assert_eq!(
        found.len(),
        confirmed * WIDTH,
        "the confirmed batches and nothing else"
    );
}

/// A store with a few records, closed, as bytes.
fn closed_file(files: &Files) -> (PathBuf, Vec<u8>, Vec<Record>) {
    let path = files.path("closed");
    let all = block_on(async {
        let store = File::open(&path).await.unwrap();
        for n in 0..6_u8 {
            let batch = (0..5)
                .map(|k| put(&format!("{n}/{k}"), &[n; 700]))
                .collect();
            store.commit(batch).await.unwrap();
        }
        store.load().await.unwrap()
    });
    let bytes = std::fs::read(&path).unwrap();
    (path, bytes, all)
}

#[test]
fn a_damaged_file_is_refused_or_read_right_but_never_read_wrong() {
    let files = Files::new();
    let (_, whole, expected) = closed_file(&files);
    let path = files.path("damaged");
    let mut refused = 0;
    for at in (0..whole.len()).step_by(whole.len() / 400) {
        let mut bytes = whole.clone();
        bytes[at] ^= 0x41;
        std::fs::write(&path, bytes).unwrap();
        let found = block_on(async { File::open(&path).await?.load().await });
        match found {
            // That byte belonged to nothing, or could be told from its second copy.
            Ok(found) => assert_eq!(found, expected, "byte {at}"),
            Err(error) => {
                assert_eq!(error.code(), "store-damaged", "byte {at}: {error}");
                refused += 1;
            }
        }
    }
    assert!(
        refused > 20,
        "only {refused} damages were noticed: the test hit nothing"
    );
}

#[test]
fn a_file_that_was_cut_short_is_refused_and_stays_as_it_is() {
    let files = Files::new();
    let (path, whole, _) = closed_file(&files);
    for length in [1, 100, whole.len() / 2, whole.len() - 1] {
        std::fs::write(&path, &whole[..length]).unwrap();
        let error = block_on(File::open(&path)).unwrap_err();
        assert_eq!(error.code(), "store-damaged", "at {length}: {error}");
        assert!(
            std::fs::read(&path).unwrap() == whole[..length],
            "changed at {length}"
        );
    }
}

#[test]
fn a_file_of_another_kind_is_refused_and_stays_as_it_is() {
    let files = Files::new();
    let path = files.path("letter");
    let letter = "Dear seller, ".repeat(1_000);
    std::fs::write(&path, &letter).unwrap();
    let error = block_on(File::open(&path)).unwrap_err();
    assert_eq!(error.code(), "store-damaged", "{error}");
    assert_eq!(std::fs::read_to_string(&path).unwrap(), letter);
}

#[test]
fn a_file_that_cannot_be_made_says_that_nothing_can_be_saved_here() {
    let files = Files::new();
    for path in [
        files.path("no-such-folder").join("a"),
        files.0.path().to_owned(),
    ] {
        let error = block_on(File::open(path)).unwrap_err();
        assert_eq!(error.code(), "store-unavailable", "{error}");
    }
}

#[cfg(unix)]
#[test]
fn only_its_owner_may_read_a_new_file() {
    use std::os::unix::fs::PermissionsExt;
    let files = Files::new();
    let store = block_on(files.open("private")).unwrap();
    let mode = std::fs::metadata(files.path("private"))
        .unwrap()
        .permissions()
        .mode();
    assert_eq!(mode & 0o777, 0o600);
    drop(store);
}

#[test]
fn what_was_erased_is_not_in_the_file_any_more() {
    let files = Files::new();
    let marker = b"tulip-lamp-anchor".repeat(20);
    let found = || {
        let bytes = std::fs::read(files.path("wiped")).unwrap();
        bytes.windows(17).any(|window| window == &marker[..17])
    };
    block_on(async {
        let store = files.open("wiped").await.unwrap();
        for n in 0..50 {
            store
                .commit(vec![put(&format!("{n}"), &marker)])
                .await
                .unwrap();
        }
        assert!(found(), "the search finds what is there");
        store.erase().await.unwrap();
        assert!(!found());
    });
}
