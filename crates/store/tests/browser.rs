//! The laws for the stores of a browser, and what only a browser can do to a store: a full quota,
//! a second tab that deletes the database, a newer version, a window without storage. The browser
//! is a real one; where it has to misbehave, a test bends the one function that does.
#![cfg(target_arch = "wasm32")]
#![allow(clippy::unwrap_used)] // Tests; the lint does not see that of their helpers.

mod laws;

use std::cell::RefCell;
use std::collections::BTreeMap;

use haggle_store::{Error, IndexedDb, Memory, Store, Write};
use js_sys::{Function, Object, Promise, Reflect};
use laws::{Bench, put, records};
use wasm_bindgen::{JsCast, JsValue};
use wasm_bindgen_futures::JsFuture;
use wasm_bindgen_test::{wasm_bindgen_test, wasm_bindgen_test_configure};

wasm_bindgen_test_configure!(run_in_browser);

/// Memories by name, as long as the bench lives.
#[derive(Default)]
struct Memories(RefCell<BTreeMap<String, Memory>>);

impl Bench for Memories {
    type Store = Memory;

    async fn open(&self, profile: &str) -> Result<Memory, Error> {
        Ok(self
            .0
            .borrow_mut()
            .entry(profile.to_owned())
            .or_default()
            .clone())
    }
}

/// The databases of the browser, which starts each run with an empty folder.
struct Databases;

impl Bench for Databases {
    type Store = IndexedDb;

    async fn open(&self, profile: &str) -> Result<IndexedDb, Error> {
        IndexedDb::open(profile).await
    }
}

macro_rules! of_memory {
    ($($law:ident)*) => {
        $( #[wasm_bindgen_test] async fn $law() { laws::$law(&Memories::default()).await; } )*
    };
}
macro_rules! of_indexed_db {
    ($($law:ident)*) => {
        $( #[wasm_bindgen_test] async fn $law() { laws::$law(&Databases).await; } )*
    };
}

mod memory {
    use super::*;
    for_each_law!(of_memory);
}

mod indexed_db {
    use super::*;
    for_each_law!(of_indexed_db);
    of_indexed_db!(a_profile_is_busy_until_its_store_is_dropped);
}

/// Runs the body of an async JavaScript function.
async fn js(body: &str) -> JsValue {
    let made: Promise = Function::new_no_args(&format!("return (async () => {{ {body} }})()"))
        .call0(&JsValue::NULL)
        .unwrap()
        .unchecked_into();
    JsFuture::from(made)
        .await
        .unwrap_or_else(|thrown| panic!("{thrown:?}"))
}

/// A property of the browser that a test has put something else in place of, until this is dropped.
struct Bent {
    object: Object,
    property: JsValue,
    original: JsValue,
}

/// Puts the value of a JavaScript expression in place of a property. In the expression `original`
/// is what was there.
async fn bend(object: &str, property: &str, value: &str) -> Bent {
    let object: Object = js(&format!("return {object};")).await.unchecked_into();
    let property = JsValue::from_str(property);
    let original = Reflect::get_own_property_descriptor(&object, &property).unwrap();
    let was = Reflect::get(&object, &property).unwrap();
    let value = Function::new_with_args("original", &format!("return {value};"))
        .call1(&JsValue::NULL, &was)
        .unwrap();
    let descriptor = Object::new();
    Reflect::set(&descriptor, &"value".into(), &value).unwrap();
    Reflect::set(&descriptor, &"configurable".into(), &true.into()).unwrap();
    Object::define_property(&object, &property, &descriptor);
    Bent {
        object,
        property,
        original,
    }
}

impl Drop for Bent {
    fn drop(&mut self) {
        if self.original.is_undefined() {
            // It was inherited: uncovers it again.
            Reflect::delete_property(&self.object, &self.property).unwrap();
        } else {
            Object::define_property(&self.object, &self.property, self.original.unchecked_ref());
        }
    }
}

/// Opens a database in JavaScript as `db`, runs `body`, and closes it.
async fn raw(name: &str, version: u32, body: &str) -> JsValue {
    js(&format!(
        "const opening = indexedDB.open('haggle/{name}', {version});
         const db = await new Promise((done, fail) => {{
             opening.onupgradeneeded = () => opening.result.createObjectStore('records');
             opening.onsuccess = () => done(opening.result);
             opening.onerror = () => fail(opening.error);
             opening.onblocked = () => fail('blocked');
         }});
         try {{ return await (async () => {{ {body} }})(); }} finally {{ db.close(); }}"
    ))
    .await
}

#[wasm_bindgen_test]
async fn every_commit_asks_for_strict_durability() {
    let store = IndexedDb::open("strict").await.unwrap();
    js("globalThis.begun = [];").await;
    let watch = "function (...args) {
        const made = original.apply(this, args);
        globalThis.begun.push(made.mode + ' ' + made.durability);
        return made;
    }";
    let watched = bend("IDBDatabase.prototype", "transaction", watch).await;
    store.commit(vec![put("a", b"1")]).await.unwrap();
    store.erase().await.unwrap();
    drop(watched);
    let begun = js("return globalThis.begun.join();").await;
    assert_eq!(
        begun.as_string().unwrap(),
        "readwrite strict,readwrite strict"
    );
}

#[wasm_bindgen_test]
async fn a_commit_is_confirmed_only_after_the_browser_has_completed_it() {
    let store = IndexedDb::open("completed").await.unwrap();
    js("globalThis.completed = 0;").await;
    let watch = "function (...args) {
        const made = original.apply(this, args);
        made.addEventListener('complete', () => { globalThis.completed += 1; });
        return made;
    }";
    let _watched = bend("IDBDatabase.prototype", "transaction", watch).await;
    for n in 1..=5_u8 {
        store
            .commit(vec![put("a", &[n]), put("b", &[n])])
            .await
            .unwrap();
        assert_eq!(
            Reflect::get(&js_sys::global(), &"completed".into()).unwrap(),
            n
        );
    }
}

/// The browser refuses the third write of five: the two before it must not stay.
#[wasm_bindgen_test]
async fn a_batch_that_the_browser_refuses_half_way_leaves_nothing() {
    let store = IndexedDb::open("half-way").await.unwrap();
    store
        .commit(vec![put("k0", b"before"), put("other", b"before")])
        .await
        .unwrap();
    js("globalThis.puts = 0;").await;
    let refuse = "function (...args) {
        globalThis.puts += 1;
        if (globalThis.puts === 3) throw new DOMException('no room', 'QuotaExceededError');
        return original.apply(this, args);
    }";
    let mut batch = vec![Write::delete("other")];
    batch.extend((0..5).map(|n| put(&format!("k{n}"), b"after")));
    let bent = bend("IDBObjectStore.prototype", "put", refuse).await;
    let refused = store.commit(batch.clone()).await.unwrap_err();
    drop(bent);
    assert_eq!((refused.code(), refused), ("store-full", Error::Full));
    let before = records(&[("k0", b"before"), ("other", b"before")]);
    assert_eq!(store.load().await.unwrap(), before);
    drop(store);
    let store = IndexedDb::open("half-way").await.unwrap();
    assert_eq!(store.load().await.unwrap(), before);
    store.commit(batch).await.unwrap();
    assert_eq!(store.load().await.unwrap().len(), 5);
}

/// A storage bucket has a real quota of the browser, only a small one.
#[wasm_bindgen_test]
async fn a_full_quota_refuses_the_batch_and_keeps_what_was_there() {
    js("globalThis.bucket = await navigator.storageBuckets.open('small', { quota: 3000000 });")
        .await;
    let bucket = bend("globalThis", "indexedDB", "globalThis.bucket.indexedDB").await;
    let store = IndexedDb::open("quota").await.unwrap();
    drop(bucket);
    store.commit(vec![put("a", &[1; 1_000])]).await.unwrap();
    let mut dice = laws::Dice(3);
    let noise: Vec<u8> = (0..1_000_000).map(|_| dice.roll(256) as u8).collect();
    let mut batch = vec![Write::delete("a")];
    batch.extend((0..10_usize).map(|n| put(&format!("photo/{n}"), &noise[n..])));
    let refused = store.commit(batch).await.unwrap_err();
    assert_eq!(refused, Error::Full);
    assert_eq!(store.load().await.unwrap(), records(&[("a", &[1; 1_000])]));
    store.commit(vec![put("b", b"2")]).await.unwrap();
    assert_eq!(store.load().await.unwrap().len(), 2);
}

#[wasm_bindgen_test]
async fn a_database_that_is_deleted_elsewhere_is_let_go_and_says_closed() {
    let store = IndexedDb::open("deleted").await.unwrap();
    store.commit(vec![put("a", b"1")]).await.unwrap();
    let outcome = js("return await new Promise((done) => {
            const deleting = indexedDB.deleteDatabase('haggle/deleted');
            deleting.onsuccess = () => done('deleted');
            deleting.onblocked = () => done('blocked');
        });");
    assert_eq!(outcome.await.as_string().unwrap(), "deleted");
    let refused = store.commit(vec![put("a", b"2")]).await.unwrap_err();
    assert_eq!((refused.code(), refused), ("store-closed", Error::Closed));
    assert_eq!(store.load().await.unwrap_err(), Error::Closed);
    assert_eq!(store.get("a").await.unwrap_err(), Error::Closed);
    assert_eq!(store.erase().await.unwrap_err(), Error::Closed);
    drop(store);
    let store = IndexedDb::open("deleted").await.unwrap();
    assert_eq!(store.load().await.unwrap(), []);
}

#[wasm_bindgen_test]
async fn a_dropped_store_closes_its_database() {
    let store = IndexedDb::open("closes").await.unwrap();
    js("globalThis.closedNames = '';").await;
    let watch = "function () {
        globalThis.closedNames += this.name;
        return original.apply(this);
    }";
    let _watched = bend("IDBDatabase.prototype", "close", watch).await;
    drop(store);
    assert_eq!(
        js("return globalThis.closedNames;")
            .await
            .as_string()
            .unwrap(),
        "haggle/closes"
    );
}

#[wasm_bindgen_test]
async fn a_profile_of_a_newer_version_is_left_alone() {
    raw("newer", 7, "").await;
    for _ in 0..2 {
        let refused = IndexedDb::open("newer").await.err().unwrap();
        assert_eq!((refused.code(), refused), ("store-newer", Error::Newer));
    }
    assert_eq!(raw("newer", 7, "return db.version").await, 7);
}

#[wasm_bindgen_test]
async fn a_record_that_is_not_what_was_written_is_damage() {
    let cases = [
        (
            "value",
            "put('text', new Uint8Array([97]))",
            "a value is not bytes",
        ),
        (
            "key",
            "put(new Uint8Array([1]), 'text')",
            "a key is not bytes",
        ),
        (
            "text",
            "put(new Uint8Array([1]), new Uint8Array([0xff]))",
            "a key is not text",
        ),
    ];
    for (name, act, what) in cases {
        let profile = format!("damaged-{name}");
        let body = format!(
            "const writing = db.transaction('records', 'readwrite');
             writing.objectStore('records').{act};
             await new Promise((done) => {{ writing.oncomplete = done; }});"
        );
        raw(&profile, 1, &body).await;
        let store = IndexedDb::open(&profile).await.unwrap();
        let refused = store.load().await.unwrap_err();
        assert_eq!(refused.code(), "store-damaged");
        assert_eq!(
            refused,
            Error::Damaged {
                what: what.to_owned()
            }
        );
        if name == "value" {
            assert_eq!(store.get("a").await.unwrap_err(), refused);
        }
    }
}

#[wasm_bindgen_test]
async fn a_database_without_its_records_is_damage() {
    js("const opening = indexedDB.open('haggle/hollow', 1);
        await new Promise((done) => { opening.onsuccess = done; });
        opening.result.close();")
    .await;
    let store = IndexedDb::open("hollow").await.unwrap();
    assert_eq!(store.load().await.unwrap_err().code(), "store-damaged");
    assert_eq!(
        store.commit(vec![put("a", b"1")]).await.unwrap_err().code(),
        "store-damaged"
    );
}

#[wasm_bindgen_test]
async fn a_window_without_storage_or_locks_says_that_nothing_can_be_saved_here() {
    for (object, property) in [("globalThis", "indexedDB"), ("navigator", "locks")] {
        let bent = bend(object, property, "undefined").await;
        let opened = IndexedDb::open("nowhere").await;
        drop(bent);
        assert_eq!(
            opened.err().unwrap().code(),
            "store-unavailable",
            "{property}"
        );
    }
    // What some browsers do in a private window.
    let refuse = "() => { throw new DOMException('', 'InvalidStateError'); }";
    let bent = bend("IDBFactory.prototype", "open", refuse).await;
    let opened = IndexedDb::open("nowhere").await;
    drop(bent);
    assert_eq!(opened.err().unwrap().code(), "store-unavailable");
    // And a store that failed to open holds no lock.
    IndexedDb::open("nowhere").await.unwrap();
}

#[wasm_bindgen_test]
async fn an_open_that_is_given_up_leaves_the_profile_free() {
    for _ in 0..3 {
        let _ = futures::future::poll_immediate(IndexedDb::open("given-up-open")).await;
    }
    IndexedDb::open("given-up-open").await.unwrap();
}

#[wasm_bindgen_test]
async fn a_tab_that_holds_the_lock_for_a_moment_only_is_waited_for() {
    js(
        "globalThis.moment = navigator.locks.request('haggle/moment',
            () => new Promise((done) => setTimeout(done, 150)));",
    )
    .await;
    IndexedDb::open("moment").await.unwrap();
}

/// Another document of this site, as a second tab is, that has the profile open and is then closed.
#[wasm_bindgen_test]
async fn a_profile_is_busy_until_the_other_document_is_gone() {
    js(
        "const frame = globalThis.frame = document.createElement('iframe');
        document.body.append(frame);
        const other = frame.contentWindow;
        await new Promise((done) => other.navigator.locks.request('haggle/tab', () => {
            done();
            return new other.Promise(() => {});
        }));",
    )
    .await;
    assert_eq!(IndexedDb::open("tab").await.err().unwrap(), Error::Busy);
    js("globalThis.frame.remove();").await;
    IndexedDb::open("tab").await.unwrap();
}

#[wasm_bindgen_test]
async fn a_name_that_cannot_be_a_profile_is_refused() {
    let long = "ä".repeat(64);
    drop(IndexedDb::open(&long).await.unwrap());
    for name in ["", "a\nb", "\u{7f}", &format!("{long}a")] {
        let refused = IndexedDb::open(name).await.err().unwrap();
        assert_eq!(
            (refused.code(), refused),
            ("store-profile", Error::Profile),
            "{name:?}"
        );
    }
}

#[wasm_bindgen_test]
async fn the_browser_is_asked_to_persist_and_its_answer_is_told() {
    for agreed in [true, false] {
        let _bent = bend(
            "navigator.storage",
            "persist",
            &format!("async () => {agreed}"),
        )
        .await;
        assert_eq!(IndexedDb::persist().await, agreed);
    }
    // The browser's own answer is its own business; there must be one.
    IndexedDb::persist().await;
    let _bent = bend("navigator", "storage", "undefined").await;
    assert!(!IndexedDb::persist().await);
}
