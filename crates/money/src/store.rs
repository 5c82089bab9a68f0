//! The page's store, as this program sees it: three functions of an object that the page hands over. A record is an array of its key
//! and its bytes; a write is the same, without bytes where the record is to go.
//!
//! The page shows this program its own records and no others; none of them is bulky. Erasing is not among the functions: a person does
//! that, to everything.

use core::fmt;

use haggle_store::{Answer, Error, Record, Store, Write};
use js_sys::{Array, Reflect, Uint8Array};
use wasm_bindgen::prelude::*;

#[wasm_bindgen]
extern "C" {
    /// What the page hands over.
    pub type PageStore;

    /// All records.
    #[wasm_bindgen(method, catch)]
    async fn load(this: &PageStore) -> Result<JsValue, JsValue>;

    /// The bytes under a key, or nothing.
    #[wasm_bindgen(method, catch)]
    async fn get(this: &PageStore, key: &str) -> Result<JsValue, JsValue>;

    /// Writes all or nothing.
    #[wasm_bindgen(method, catch)]
    async fn commit(this: &PageStore, batch: Array) -> Result<JsValue, JsValue>;
}

/// The store that lies with the page.
pub(crate) struct Page(pub(crate) PageStore);

impl fmt::Debug for Page {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Page(..)")
    }
}

impl Store for Page {
    fn load(&self) -> Answer<'_, Vec<Record>> {
        Box::pin(async move {
            let records = self.0.load().await.map_err(|thrown| trouble(&thrown))?;
            Array::from(&records).iter().map(|it| record(&it)).collect()
        })
    }

    fn bulky(&self) -> Answer<'_, Vec<String>> {
        Box::pin(core::future::ready(Ok(Vec::new())))
    }

    fn get<'a>(&'a self, key: &'a str) -> Answer<'a, Option<Vec<u8>>> {
        Box::pin(async move {
            let value = self.0.get(key).await.map_err(|thrown| trouble(&thrown))?;
            if value.is_undefined() {
                return Ok(None);
            }
            bytes(value).map(Some)
        })
    }

    fn commit(&self, batch: Vec<Write>) -> Answer<'_, ()> {
        Box::pin(async move {
            let writes: Array = batch.into_iter().map(write).collect();
            let done = self.0.commit(writes).await;
            done.map(drop).map_err(|thrown| trouble(&thrown))
        })
    }

    fn erase(&self) -> Answer<'_, ()> {
        Box::pin(core::future::ready(Err(Error::Failed {
            reason: "only the page erases what is saved".to_owned(),
        })))
    }
}

fn record(value: &JsValue) -> Result<Record, Error> {
    let pair = Array::from(value);
    let key = pair.get(0).as_string().ok_or_else(malformed)?;
    Ok((key, bytes(pair.get(1))?))
}

fn bytes(value: JsValue) -> Result<Vec<u8>, Error> {
    let array: Uint8Array = value.dyn_into().map_err(|_| malformed())?;
    Ok(array.to_vec())
}

fn write(write: Write) -> JsValue {
    match write {
        Write::Put { key, value } => {
            Array::of2(&key.into(), &Uint8Array::from(&value[..]).into()).into()
        }
        Write::Delete { key } => Array::of1(&key.into()).into(),
    }
}

fn malformed() -> Error {
    Error::Failed {
        reason: "the page's store answered something else".to_owned(),
    }
}

/// What the page's store complained of.
fn trouble(thrown: &JsValue) -> Error {
    let text = |name: &str| {
        let value = Reflect::get(thrown, &JsValue::from_str(name)).ok()?;
        value.as_string()
    };
    match text("code").as_deref() {
        Some("store-full") => Error::Full,
        Some("store-closed") => Error::Closed,
        _ => Error::Failed {
            reason: text("message").unwrap_or_else(|| "the page's store is gone".to_owned()),
        },
    }
}
