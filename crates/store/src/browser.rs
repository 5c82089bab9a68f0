//! The few things that every conversation with the browser needs. Looked up by name and not by
//! type, because a page and a worker have different globals with the same storage in them, and a
//! browser may have none.

use js_sys::{Function, Object, Promise, Reflect};
use wasm_bindgen::{JsCast, JsValue};
use wasm_bindgen_futures::JsFuture;
use web_sys::DomException;

use crate::Error;

/// What stands under this path of names in the page or the worker, if it is there.
pub(crate) fn global(path: &[&str]) -> Option<JsValue> {
    let mut here = JsValue::from(js_sys::global());
    for name in path {
        here = Reflect::get(&here, &JsValue::from_str(name)).ok()?;
        if here.is_null() || here.is_undefined() {
            return None;
        }
    }
    Some(here)
}

/// Sets one option of a dictionary that was made here.
pub(crate) fn set(options: &Object, name: &str, value: &JsValue) {
    // A plain object refuses no property.
    let _ = Reflect::set(options, &JsValue::from_str(name), value);
}

/// Waits until one of two event handlers is called. `wire` must set them before it returns; the
/// first is the happy one. The handlers are the promise's own, so nothing of ours must outlive
/// the wait.
pub(crate) async fn either(wire: impl FnOnce(&Function, &Function)) -> Result<JsValue, JsValue> {
    let mut wire = Some(wire);
    let promise = Promise::new(&mut |yes, no| {
        if let Some(wire) = wire.take() {
            wire(&yes, &no);
        }
    });
    JsFuture::from(promise).await
}

/// The name of what was thrown, such as `QuotaExceededError`.
pub(crate) fn name_of(cause: &JsValue) -> String {
    match cause.dyn_ref::<DomException>() {
        Some(exception) => exception.name(),
        None => match cause.dyn_ref::<js_sys::Error>() {
            Some(error) => error.name().into(),
            None => "unknown".to_owned(),
        },
    }
}

/// Nothing can be kept in this browser, for this reason.
pub(crate) fn unavailable(reason: &str) -> Error {
    Error::Unavailable {
        reason: reason.to_owned(),
    }
}
