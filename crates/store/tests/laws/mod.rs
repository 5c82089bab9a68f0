//! What holds for every store, whatever it is made of. Each law opens profiles of its own name on
//! a bench, so laws can run in any order and beside each other.

use std::collections::BTreeMap;

use futures::future::poll_immediate;
use haggle_store::{Error, MAX_BATCH_BYTES, Store, Write};

/// Where the stores of one kind are opened. To "reload" is to drop a store and open it again.
pub(crate) trait Bench {
    type Store: Store;
    async fn open(&self, profile: &str) -> Result<Self::Store, Error>;
}

/// Hands the name of each law to a macro that makes a test of it.
#[macro_export]
macro_rules! for_each_law {
    ($make:ident) => {
        $make! {
            what_was_committed_is_there_after_a_reload
            the_last_write_wins
            writes_of_a_batch_apply_in_order
            keys_come_back_in_the_order_of_their_bytes
            bulky_records_are_kept_and_listed_and_not_loaded
            deleting_what_is_not_there_changes_nothing
            an_empty_batch_is_fine
            an_empty_key_and_an_empty_value_are_kept
            erase_leaves_nothing_even_after_a_reload
            a_store_can_be_used_after_it_was_erased
            a_value_of_a_mebibyte_comes_back_whole
            a_batch_beyond_the_bound_is_refused_whole
            a_commit_that_is_given_up_is_kept_whole_or_not_at_all
            commits_that_wait_together_are_all_kept
            profiles_do_not_see_each_other
            debug_never_shows_a_value
            a_boxed_store_is_a_store
            random_histories_end_as_a_sorted_map_would
        }
    };
}

pub(crate) fn put(key: &str, value: &[u8]) -> Write {
    Write::put(key, value)
}

pub(crate) fn records(expected: &[(&str, &[u8])]) -> Vec<(String, Vec<u8>)> {
    expected
        .iter()
        .map(|(key, value)| ((*key).to_owned(), value.to_vec()))
        .collect()
}

pub(crate) async fn what_was_committed_is_there_after_a_reload(bench: &impl Bench) {
    let store = bench.open("kept").await.unwrap();
    assert_eq!(store.load().await.unwrap(), []);
    assert_eq!(store.get("stall/bike").await.unwrap(), None);
    store
        .commit(vec![
            put("stall/bike", b"56 cm"),
            put("key/seed", &[0, 255, 7]),
        ])
        .await
        .unwrap();
    let expected = records(&[("key/seed", &[0, 255, 7]), ("stall/bike", b"56 cm")]);
    assert_eq!(store.load().await.unwrap(), expected);
    drop(store);
    for _ in 0..2 {
        let store = bench.open("kept").await.unwrap();
        assert_eq!(store.load().await.unwrap(), expected);
        assert_eq!(
            store.get("stall/bike").await.unwrap().as_deref(),
            Some(&b"56 cm"[..])
        );
        assert_eq!(store.get("stall/bik").await.unwrap(), None);
    }
}

pub(crate) async fn the_last_write_wins(bench: &impl Bench) {
    let store = bench.open("last").await.unwrap();
    store
        .commit(vec![put("a", b"one"), put("a", b"two")])
        .await
        .unwrap();
    assert_eq!(store.get("a").await.unwrap().as_deref(), Some(&b"two"[..]));
    store.commit(vec![put("a", b"three")]).await.unwrap();
    drop(store);
    let store = bench.open("last").await.unwrap();
    assert_eq!(store.load().await.unwrap(), records(&[("a", b"three")]));
}

pub(crate) async fn writes_of_a_batch_apply_in_order(bench: &impl Bench) {
    let store = bench.open("order").await.unwrap();
    store.commit(vec![put("old", b"there")]).await.unwrap();
    let batch = vec![
        put("gone", b"1"),
        Write::delete("gone"),
        Write::delete("old"),
        put("old", b"again"),
        Write::delete("new"),
        put("new", b"2"),
    ];
    store.commit(batch).await.unwrap();
    assert_eq!(
        store.load().await.unwrap(),
        records(&[("new", b"2"), ("old", b"again")])
    );
}

/// U+FF5E sorts before U+1F6B2 by bytes, and after it by the UTF-16 units of a browser.
pub(crate) async fn keys_come_back_in_the_order_of_their_bytes(bench: &impl Bench) {
    let sorted = [
        "",
        "\0",
        "A",
        "Z",
        "a",
        "a\0",
        "a/1",
        "a/10",
        "aa",
        "é",
        "\u{ff5e}",
        "\u{1f6b2}",
    ];
    let store = bench.open("sorted").await.unwrap();
    let batch = sorted
        .iter()
        .rev()
        .map(|key| put(key, key.as_bytes()))
        .collect();
    store.commit(batch).await.unwrap();
    let loaded = store.load().await.unwrap();
    assert!(loaded.iter().all(|(key, value)| key.as_bytes() == value));
    assert_eq!(
        loaded.into_iter().map(|(key, _)| key).collect::<Vec<_>>(),
        sorted
    );
}

pub(crate) async fn bulky_records_are_kept_and_listed_and_not_loaded(bench: &impl Bench) {
    let store = bench.open("bulky").await.unwrap();
    assert_eq!(store.bulky().await.unwrap(), Vec::<String>::new());
    // Neighbours on both sides, to the last byte.
    let small = ["bul", "bulk", "bulk.", "bulk0", "bulky", "c"];
    let bulky = ["bulk/", "bulk/a/0", "bulk/a/1", "bulk/\u{10ffff}"];
    let all = small.iter().chain(&bulky);
    let batch = all.map(|key| put(key, key.as_bytes())).collect();
    store.commit(batch).await.unwrap();
    drop(store);
    let store = bench.open("bulky").await.unwrap();
    let loaded = store.load().await.unwrap();
    let keys: Vec<&str> = loaded.iter().map(|(key, _)| key.as_str()).collect();
    assert_eq!(keys, small);
    assert_eq!(store.bulky().await.unwrap(), bulky);
    for key in bulky {
        let kept = store.get(key).await.unwrap();
        assert_eq!(kept.as_deref(), Some(key.as_bytes()));
    }
    store.commit(vec![Write::delete("bulk/a/0")]).await.unwrap();
    assert_eq!(store.bulky().await.unwrap().len(), bulky.len() - 1);
    store.erase().await.unwrap();
    assert_eq!(store.bulky().await.unwrap(), Vec::<String>::new());
    assert_eq!(store.get("bulk/").await.unwrap(), None);
}

pub(crate) async fn deleting_what_is_not_there_changes_nothing(bench: &impl Bench) {
    let store = bench.open("absent").await.unwrap();
    store
        .commit(vec![put("a", b"1"), Write::delete("b")])
        .await
        .unwrap();
    store.commit(vec![Write::delete("b")]).await.unwrap();
    assert_eq!(store.load().await.unwrap(), records(&[("a", b"1")]));
}

pub(crate) async fn an_empty_batch_is_fine(bench: &impl Bench) {
    let store = bench.open("empty-batch").await.unwrap();
    store.commit(Vec::new()).await.unwrap();
    store.commit(vec![put("a", b"1")]).await.unwrap();
    store.commit(Vec::new()).await.unwrap();
    assert_eq!(store.load().await.unwrap(), records(&[("a", b"1")]));
}

pub(crate) async fn an_empty_key_and_an_empty_value_are_kept(bench: &impl Bench) {
    let store = bench.open("empty-key").await.unwrap();
    store
        .commit(vec![put("", b""), put("a", b"")])
        .await
        .unwrap();
    assert_eq!(store.get("").await.unwrap(), Some(Vec::new()));
    drop(store);
    let store = bench.open("empty-key").await.unwrap();
    assert_eq!(
        store.load().await.unwrap(),
        records(&[("", b""), ("a", b"")])
    );
}

pub(crate) async fn erase_leaves_nothing_even_after_a_reload(bench: &impl Bench) {
    let store = bench.open("erased").await.unwrap();
    store
        .commit(vec![put("a", b"1"), put("b", b"2")])
        .await
        .unwrap();
    store.erase().await.unwrap();
    assert_eq!(store.load().await.unwrap(), []);
    assert_eq!(store.get("a").await.unwrap(), None);
    drop(store);
    let store = bench.open("erased").await.unwrap();
    assert_eq!(store.load().await.unwrap(), []);
}

pub(crate) async fn a_store_can_be_used_after_it_was_erased(bench: &impl Bench) {
    let store = bench.open("reused").await.unwrap();
    store.erase().await.unwrap();
    store.commit(vec![put("a", b"1")]).await.unwrap();
    store.erase().await.unwrap();
    store.commit(vec![put("b", b"2")]).await.unwrap();
    drop(store);
    let store = bench.open("reused").await.unwrap();
    assert_eq!(store.load().await.unwrap(), records(&[("b", b"2")]));
}

pub(crate) async fn a_value_of_a_mebibyte_comes_back_whole(bench: &impl Bench) {
    let mut dice = Dice(7);
    let value: Vec<u8> = (0..1 << 20).map(|_| dice.roll(256) as u8).collect();
    let store = bench.open("large").await.unwrap();
    store
        .commit(vec![put("photo", &value), put("small", b"1")])
        .await
        .unwrap();
    drop(store);
    let store = bench.open("large").await.unwrap();
    assert!(store.get("photo").await.unwrap().as_ref() == Some(&value));
    assert!(store.load().await.unwrap()[0].1 == value);
}

pub(crate) async fn a_batch_beyond_the_bound_is_refused_whole(bench: &impl Bench) {
    let store = bench.open("bound").await.unwrap();
    let batch = |bytes: usize| vec![put("first", b"1"), put("big", &vec![9; bytes])];
    let keys = "first1big".len();
    let over = MAX_BATCH_BYTES - keys + 1;
    let refused = store.commit(batch(over)).await.unwrap_err();
    assert_eq!(
        refused,
        Error::TooLarge {
            bytes: MAX_BATCH_BYTES + 1
        }
    );
    assert_eq!(refused.code(), "store-too-large");
    assert_eq!(store.load().await.unwrap(), []);
    store.commit(batch(over - 1)).await.unwrap();
    assert_eq!(
        store.get("big").await.unwrap().map(|value| value.len()),
        Some(over - 1)
    );
}

/// A batch in flight when its caller goes away (a tab that closes, a task that is dropped).
pub(crate) async fn a_commit_that_is_given_up_is_kept_whole_or_not_at_all(bench: &impl Bench) {
    let store = bench.open("given-up").await.unwrap();
    let all = |round: u8| -> Vec<Write> {
        (0..50)
            .map(|n| put(&format!("k{n:02}"), &[round; 2_000]))
            .collect()
    };
    store.commit(all(0)).await.unwrap();
    drop(store);
    let mut newest = 0;
    for round in 1..=8 {
        let store = bench.open("given-up").await.unwrap();
        let _ = poll_immediate(store.commit(all(round))).await;
        drop(store);
        let store = bench.open("given-up").await.unwrap();
        let found = store.load().await.unwrap();
        assert_eq!(found.len(), 50);
        let first = found[0].1[0];
        assert!(
            first == round || first == newest,
            "neither this round's nor the one before"
        );
        assert!(
            found.iter().all(|(_, value)| *value == [first; 2_000]),
            "half a batch"
        );
        newest = first;
    }
}

pub(crate) async fn commits_that_wait_together_are_all_kept(bench: &impl Bench) {
    let store = bench.open("together").await.unwrap();
    let commits =
        (0..20_u8).map(|n| store.commit(vec![put(&format!("own/{n:02}"), &[n]), put("all", &[n])]));
    for done in futures::future::join_all(commits).await {
        done.unwrap();
    }
    let found = store.load().await.unwrap();
    assert_eq!(found.len(), 21);
    // They were first polled in this order, so they apply in this order.
    assert_eq!(found[0], ("all".to_owned(), vec![19]));
    assert!(
        found[1..]
            .iter()
            .zip(0..)
            .all(|((_, value), n)| *value == [n])
    );
}

pub(crate) async fn profiles_do_not_see_each_other(bench: &impl Bench) {
    let ben = bench.open("ben").await.unwrap();
    let ada = bench.open("ada").await.unwrap();
    ben.commit(vec![put("name", b"ben")]).await.unwrap();
    assert_eq!(ada.load().await.unwrap(), []);
    ada.commit(vec![put("name", b"ada")]).await.unwrap();
    ada.erase().await.unwrap();
    assert_eq!(ben.load().await.unwrap(), records(&[("name", b"ben")]));
}

pub(crate) async fn debug_never_shows_a_value(bench: &impl Bench) {
    let secret = "tulip-lamp-anchor";
    let store = bench.open("debug").await.unwrap();
    let batch = vec![put("seed", secret.as_bytes())];
    let bytes = format!("{:?}", secret.as_bytes());
    let of_batch = format!("{batch:?} {batch:#?}");
    store.commit(batch).await.unwrap();
    for shown in [of_batch, format!("{store:?} {store:#?}")] {
        assert!(
            !shown.contains(secret) && !shown.contains(&bytes[1..bytes.len() - 1]),
            "{shown}"
        );
        assert!(!shown.contains("116"), "a byte of the value: {shown}");
    }
}

pub(crate) async fn a_boxed_store_is_a_store(bench: &impl Bench) {
    async fn through(store: impl Store) {
        store
            .commit(vec![put("a", b"1"), put("b", b"2")])
            .await
            .unwrap();
        assert_eq!(store.get("b").await.unwrap().as_deref(), Some(&b"2"[..]));
        assert_eq!(store.load().await.unwrap().len(), 2);
        store.erase().await.unwrap();
        assert_eq!(store.load().await.unwrap(), []);
    }
    let store: Box<dyn Store + '_> = Box::new(bench.open("boxed").await.unwrap());
    through(store).await;
}

pub(crate) async fn random_histories_end_as_a_sorted_map_would(bench: &impl Bench) {
    for seed in 0..4 {
        let mut dice = Dice(seed);
        let history = (0..25)
            .map(|_| (0..dice.roll(12)).map(|_| write(&mut dice)).collect())
            .collect::<Vec<Vec<Write>>>();
        history_ends_as_a_sorted_map_would(bench, &format!("history {seed}"), history).await;
    }
}

/// Plays a history on a store and on the model, with a reload after every fifth batch.
pub(crate) async fn history_ends_as_a_sorted_map_would(
    bench: &impl Bench,
    profile: &str,
    history: Vec<Vec<Write>>,
) {
    let mut model = BTreeMap::new();
    let mut store = bench.open(profile).await.unwrap();
    store.erase().await.unwrap();
    for (step, batch) in history.into_iter().enumerate() {
        for write in &batch {
            match write {
                Write::Put { key, value } => model.insert(key.clone(), value.clone()),
                Write::Delete { key } => model.remove(key),
            };
        }
        store.commit(batch).await.unwrap();
        if step % 5 == 4 {
            drop(store);
            store = bench.open(profile).await.unwrap();
        }
        let expected: Vec<_> = model.clone().into_iter().collect();
        assert_eq!(
            store.load().await.unwrap(),
            expected,
            "after batch {step} of {profile}"
        );
    }
}

/// Only for stores that outlive the program: two owners of one profile would be one trader who
/// says two things.
pub(crate) async fn a_profile_is_busy_until_its_store_is_dropped(bench: &impl Bench) {
    let first = bench.open("one-owner").await.unwrap();
    first.commit(vec![put("a", b"1")]).await.unwrap();
    for _ in 0..2 {
        let refused = bench.open("one-owner").await.err().unwrap();
        assert_eq!(refused, Error::Busy);
        assert_eq!(refused.code(), "store-busy");
    }
    first.commit(vec![put("b", b"2")]).await.unwrap();
    drop(first);
    let second = bench.open("one-owner").await.unwrap();
    assert_eq!(
        second.load().await.unwrap(),
        records(&[("a", b"1"), ("b", b"2")])
    );
}

/// Dice that fall the same way in every run: SplitMix64 (Steele, Lea and Flood, 2014).
pub(crate) struct Dice(pub(crate) u64);

impl Dice {
    pub(crate) fn roll(&mut self, sides: u64) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut mixed = self.0;
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        (mixed ^ (mixed >> 31)) % sides
    }
}

/// A write under one of a few common keys, or under any text at all.
fn write(dice: &mut Dice) -> Write {
    let key: String = if dice.roll(2) == 0 {
        format!("intent/{}", dice.roll(6))
    } else {
        // Half of the rolls that are no character are surrogates, the others are past the end.
        (0..dice.roll(6))
            .filter_map(|_| {
                let plane = [0x80, 0x800, 0x1_0000, 0x11_0000][dice.roll(4) as usize];
                char::from_u32(dice.roll(plane) as u32)
            })
            .collect()
    };
    if dice.roll(4) == 0 {
        Write::delete(key)
    } else {
        let length = dice.roll(300);
        Write::put(
            key,
            (0..length)
                .map(|_| dice.roll(256) as u8)
                .collect::<Vec<_>>(),
        )
    }
}
