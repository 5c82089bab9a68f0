//! The part that needs a browser: connections, their streams, and the making of both.
//!
//! Everything here lives on one thread, the page's. Callbacks of the browser only put what arrived into a queue and wake whoever waits; no
//! callback drops a callback. What libp2p wants to be `Send` is wrapped, and panics if it ever leaves the thread.

mod channel;
mod connection;
pub mod direct;
mod negotiate;
mod peer;

pub use channel::Stream;
pub use connection::Connection;
pub(crate) use negotiate::{Offer, answer};

use std::rc::Rc;

use wasm_bindgen::JsValue;
use wasm_bindgen::convert::FromWasmAbi;
use wasm_bindgen::prelude::Closure;

use crate::error::Error;

/// Whether there is WebRTC here: pages have it, workers do not.
pub(crate) fn is_here() -> Result<(), Error> {
    let has = js_sys::Reflect::has(&js_sys::global(), &JsValue::from_str("RTCPeerConnection"));
    if has.unwrap_or(false) {
        Ok(())
    } else {
        Err(Error::NotABrowser)
    }
}

/// What the browser says went wrong.
fn browser_error(error: &JsValue) -> Error {
    let message = js_sys::Reflect::get(error, &JsValue::from_str("message"));
    let message = message.ok().and_then(|message| message.as_string());
    Error::Browser(message.unwrap_or_else(|| "unknown".to_owned()))
}

/// A callback for the browser that keeps nothing alive: once its target has gone, it does nothing.
fn on<T: 'static, E: FromWasmAbi + 'static>(
    target: &Rc<T>,
    act: fn(&Rc<T>, E),
) -> Closure<dyn FnMut(E)> {
    let target = Rc::downgrade(target);
    Closure::new(move |event: E| {
        if let Some(target) = target.upgrade() {
            act(&target, event);
        }
    })
}
