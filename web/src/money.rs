//! Ecash in the page: a module of its own, which is loaded when money is first used.
//!
//! `cargo xtask site` names its files in a `<meta>` of the page. Whoever opens the rail loads them, hands over the seed and a store,
//! and has from then on a rail behind a wall (`haggle_node::payments::remote`): only text crosses. The page alone has its storage open,
//! so the module's store is three functions of the page, which serve it its own records and no others. The page alone is a peer, so one
//! more function brings what the module asks mints that have no web address. If the module cannot be loaded, that is said, and the next
//! question tries again.

use std::rc::Rc;
use std::sync::Arc;

use async_trait::async_trait;
use js_sys::{Array, Error, Function, Object, Promise, Reflect, Uint8Array};
use leptos::prelude::{document, window};
use wasm_bindgen::prelude::*;
use wasm_bindgen_futures::{JsFuture, future_to_promise};
use web_sys::{RequestInit, Response};

use crate::node::{
    ECASH, OpenRail, PublicKey, RECORDS, RailError, RailFacts, RailSetup, Remote, Request,
    SharedCarrier, Store, StoreError, Wall, Write,
};

/// Where the page names the module's files.
const META: &str = "meta[name=haggle-money]";
/// The page's own function for `import()`, which only JavaScript can write.
const IMPORT: &str = "haggleImport";
/// Who does not answer if the module cannot be loaded.
const SERVER: &str = "the page's server";

/// The rails of the page: ecash, if the page was built with it.
pub(crate) fn rails() -> Vec<RailSetup> {
    let setup = |files: Files| RailSetup {
        facts: RailFacts {
            name: ECASH.name.to_owned(),
            floor: ECASH.floor,
            ceiling: ECASH.ceiling,
        },
        open: Arc::new(move |store, seed, carrier| {
            let files = files.clone();
            Box::pin(async move { open(&files, store, &seed, carrier).await })
        }),
    };
    Files::named().map(setup).into_iter().collect()
}

/// Whether the page was built with ecash.
pub(crate) fn is_there() -> bool {
    Files::named().is_some()
}

/// The module's files, each with its integrity hash.
#[derive(Clone, serde::Deserialize)]
struct Files {
    js: String,
    js_integrity: String,
    wasm: String,
    integrity: String,
}

impl Files {
    fn named() -> Option<Self> {
        let meta = document().query_selector(META).ok()??;
        serde_json::from_str(&meta.get_attribute("content")?).ok()
    }

    /// Loads the module and starts it, if that was not done yet.
    async fn load(&self) -> Result<JsValue, JsValue> {
        // Before it is imported: some browsers never try an import again that has failed once.
        fetched(&self.js, &self.js_integrity).await?;
        let import: Function = Reflect::get(&js_sys::global(), &IMPORT.into())?.dyn_into()?;
        let module = import.call1(&JsValue::UNDEFINED, &self.js.as_str().into())?;
        let module = JsFuture::from(Promise::resolve(&module)).await?;
        let program = fetched(&self.wasm, &self.integrity).await?;
        let options = Object::new();
        Reflect::set(&options, &"module_or_path".into(), &program)?;
        call(&module, "default", &[options.into()]).await?;
        Ok(module)
    }
}

async fn fetched(file: &str, integrity: &str) -> Result<JsValue, JsValue> {
    let options = RequestInit::new();
    options.set_integrity(integrity);
    let response = window().fetch_with_str_and_init(file, &options);
    let response: Response = JsFuture::from(response).await?.dyn_into()?;
    if response.ok() {
        Ok(response.into())
    } else {
        Err(response.into())
    }
}

/// Calls a function of an object and waits for what it gives.
async fn call(object: &JsValue, name: &str, arguments: &[JsValue]) -> Result<JsValue, JsValue> {
    let value = call_now(object, name, arguments)?;
    JsFuture::from(Promise::resolve(&value)).await
}

fn call_now(object: &JsValue, name: &str, arguments: &[JsValue]) -> Result<JsValue, JsValue> {
    let function: Function = Reflect::get(object, &name.into())?.dyn_into()?;
    function.apply(object, &arguments.iter().collect())
}

// The node holds rails alike everywhere; a page has one thread.
#[allow(clippy::arc_with_non_send_sync)]
async fn open(
    files: &Files,
    store: Box<dyn Store>,
    seed: &[u8; 64],
    carrier: SharedCarrier,
) -> Result<OpenRail, RailError> {
    let module = files.load().await;
    let module = module.map_err(|_| RailError::Unknown(SERVER.to_owned()))?;
    let store = Lent::new(store);
    let bytes = Uint8Array::from(&seed[..]);
    let carry = lend(carrier);
    let arguments = [
        store.object.clone().into(),
        bytes.clone().into(),
        carry.as_ref().clone(),
    ];
    let opened = call(&module, "open", &arguments).await;
    bytes.fill(0, 0, bytes.length());
    let rail = opened.map_err(|thrown| {
        let said = thrown.as_string();
        let error = said.and_then(|text| serde_json::from_str(&text).ok());
        error.unwrap_or_else(unknown)
    })?;
    let module = Module {
        rail,
        _store: store,
        _carry: carry,
    };
    Ok(Arc::new(Remote::new(ECASH, module)))
}

fn unknown() -> RailError {
    RailError::Unknown(ECASH.name.to_owned())
}

/// The module with a wallet open in it.
struct Module {
    rail: JsValue,
    /// What the module calls must be there as long as the module is asked.
    _store: Lent,
    _carry: Closure<Carry>,
}

#[async_trait(?Send)]
impl Wall for Module {
    async fn ask(&self, question: String) -> Result<String, RailError> {
        let answer = call(&self.rail, "ask", &[question.into()]).await.ok();
        answer.and_then(|text| text.as_string()).ok_or_else(unknown)
    }

    fn key(&self, question: String) -> Result<String, RailError> {
        let answer = call_now(&self.rail, "key", &[question.into()]).ok();
        answer.and_then(|text| text.as_string()).ok_or_else(unknown)
    }
}

/// What the module asks mints behind peers by: a peer's key and a request, as bytes, for the bytes of an answer.
type Carry = dyn Fn(Uint8Array, Uint8Array) -> Promise;

/// The peer's way to such mints as a function, as long as this lives.
fn lend(carrier: SharedCarrier) -> Closure<Carry> {
    Closure::new(move |mint: Uint8Array, request: Uint8Array| {
        let carrier = Arc::clone(&carrier);
        future_to_promise(async move {
            let mint = <[u8; 32]>::try_from(mint.to_vec()).map_err(|_| lost("no key"))?;
            let request = Request::from_bytes(&request.to_vec());
            let request = request.map_err(|refusal| lost(refusal.code()))?;
            let answer = carrier.carry(&PublicKey(mint), request).await;
            let answer = answer.map_err(|why| lost(&why.to_string()))?;
            Ok(Uint8Array::from(&answer.to_bytes()[..]).into())
        })
    })
}

/// What the module is told when nothing was brought.
fn lost(why: &str) -> JsValue {
    Error::new(why).into()
}

/// What the module can ask of the page's store.
#[derive(Clone, Copy)]
enum Task {
    Load,
    Get,
    Commit,
}

impl Task {
    const ALL: [(&str, Self); 3] = [
        ("load", Self::Load),
        ("get", Self::Get),
        ("commit", Self::Commit),
    ];

    async fn done(self, store: Rc<dyn Store>, with: JsValue) -> Result<JsValue, JsValue> {
        match self {
            Self::Load => {
                let records = store.load().await.map_err(|error| thrown(&error))?;
                let own = records
                    .into_iter()
                    .filter(|(key, _)| key.starts_with(RECORDS));
                let pairs = own.map(|(key, value)| {
                    Array::of2(&key.into(), &Uint8Array::from(&value[..]).into())
                });
                Ok(pairs.collect::<Array>().into())
            }
            Self::Get => {
                let value = store.get(&key(&with)?).await;
                let value = value.map_err(|error| thrown(&error))?;
                Ok(value.map_or(JsValue::UNDEFINED, |bytes| {
                    Uint8Array::from(&bytes[..]).into()
                }))
            }
            Self::Commit => {
                let writes = Array::from(&with);
                let batch = writes.iter().map(|it| write(&it));
                let batch = batch.collect::<Result<_, _>>()?;
                let done = store.commit(batch).await;
                done.map_err(|error| thrown(&error))?;
                Ok(JsValue::UNDEFINED)
            }
        }
    }
}

/// The peer's store as an object of functions, as long as this lives.
struct Lent {
    object: Object,
    _functions: Vec<Closure<dyn Fn(JsValue) -> Promise>>,
}

impl Lent {
    fn new(store: Box<dyn Store>) -> Self {
        let store: Rc<dyn Store> = Rc::from(store);
        let object = Object::new();
        let lend = |(name, task): (&str, Task)| {
            let store = Rc::clone(&store);
            let function = Closure::<dyn Fn(JsValue) -> Promise>::new(move |with| {
                future_to_promise(task.done(Rc::clone(&store), with))
            });
            // A plain object refuses no property.
            let _ = Reflect::set(&object, &name.into(), function.as_ref());
            function
        };
        let functions = Task::ALL.into_iter().map(lend).collect();
        Self {
            object,
            _functions: functions,
        }
    }
}

/// The key of a record of the module's own.
fn key(value: &JsValue) -> Result<String, JsValue> {
    let key = value.as_string().filter(|key| key.starts_with(RECORDS));
    key.ok_or_else(|| Error::new("that is no record of this rail").into())
}

fn write(value: &JsValue) -> Result<Write, JsValue> {
    let pair = Array::from(value);
    let key = key(&pair.get(0))?;
    Ok(match pair.get(1).dyn_into::<Uint8Array>() {
        Ok(bytes) => Write::put(key, bytes.to_vec()),
        Err(_) => Write::delete(key),
    })
}

/// What the store complained of.
fn thrown(error: &StoreError) -> JsValue {
    let made = Error::new(&error.to_string());
    // As above.
    let _ = Reflect::set(&made, &"code".into(), &error.code().into());
    made.into()
}
