//! One profile, one tab. Two tabs that trade with the same keys would be one trader who says two
//! things, so whoever opens a profile holds a [Web Lock](https://www.w3.org/TR/web-locks/) of its
//! name for as long as the store lives. The browser lets go of it when the tab is closed or crashes.

use std::convert::Infallible;

use futures::channel::oneshot;
use futures::future::{Either, select};
use js_sys::{Function, Object, Promise, Reflect};
use wasm_bindgen::{JsCast, JsValue, closure::Closure};
use wasm_bindgen_futures::{JsFuture, future_to_promise};
use web_sys::AbortSignal;

use crate::Error;
use crate::browser::{global, name_of, set, unavailable};

/// How long a profile may take to become free, in milliseconds. A reloaded page can ask before the
/// browser has cleared away the page that it replaces; a person who really has two tabs open waits
/// this long for the answer.
const PATIENCE_MS: u32 = 1_000;

/// A lock that is held until this is dropped.
pub(crate) struct WebLock {
    /// The browser holds the lock until a promise resolves; the promise waits for this to drop.
    _held: oneshot::Sender<Infallible>,
}

impl WebLock {
    /// Takes the lock of that name, or answers [`Error::Busy`] if it does not become free in time.
    pub(crate) async fn take(name: &str) -> Result<Self, Error> {
        let locks = global(&["navigator", "locks"])
            .ok_or_else(|| unavailable("locks need an https address and a recent browser"))?;
        let request: Function = Reflect::get(&locks, &"request".into())
            .and_then(JsCast::dyn_into)
            .map_err(|cause| unavailable(&name_of(&cause)))?;

        let (grant, granted) = oneshot::channel();
        // If `take` was given up, this is gone, the browser's call of it fails, and the lock is free.
        let on_grant = Closure::once(move |_lock: JsValue| -> JsValue {
            let (held, dropped) = oneshot::channel::<Infallible>();
            let _ = grant.send(held);
            future_to_promise(async move {
                let _ = dropped.await;
                Ok(JsValue::UNDEFINED)
            })
            .into()
        });
        let options = Object::new();
        set(
            &options,
            "signal",
            &AbortSignal::timeout_with_u32(PATIENCE_MS),
        );
        let asked: Promise = request
            .call3(&locks, &name.into(), &options, on_grant.as_ref())
            .and_then(JsCast::dyn_into)
            .map_err(|cause| unavailable(&name_of(&cause)))?;
        match select(granted, JsFuture::from(asked)).await {
            Either::Left((Ok(held), _)) => Ok(Self { _held: held }),
            Either::Left((Err(oneshot::Canceled), _)) | Either::Right((Ok(_), _)) => {
                Err(unavailable("the browser dropped the lock"))
            }
            Either::Right((Err(cause), _)) => match name_of(&cause).as_str() {
                "TimeoutError" | "AbortError" => Err(Error::Busy),
                name => Err(unavailable(name)),
            },
        }
    }
}
