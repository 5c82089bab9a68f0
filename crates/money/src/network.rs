//! The page's way to mints that have no web address, as this program sees it: one function that the page hands over. It takes the key of
//! the peer that carries the mint and a request, both as bytes, and gives the answer as bytes.

use async_trait::async_trait;
use haggle_payments::carrier::{Answer, Carrier, NotCarried, PublicKey, Request};
use js_sys::{Function, Promise, Uint8Array};
use wasm_bindgen::prelude::*;
use wasm_bindgen_futures::JsFuture;

/// The page's peer.
pub(crate) struct Network(pub(crate) Function);

impl Network {
    async fn ask(&self, mint: &PublicKey, request: &Request) -> Result<JsValue, JsValue> {
        let mint = Uint8Array::from(&mint.0[..]);
        let request = Uint8Array::from(&request.to_bytes()[..]);
        let asked = self.0.call2(&JsValue::UNDEFINED, &mint, &request)?;
        JsFuture::from(Promise::resolve(&asked)).await
    }
}

#[async_trait(?Send)]
impl Carrier for Network {
    async fn carry(&self, mint: &PublicKey, request: Request) -> Result<Answer, NotCarried> {
        // Why it was not carried the page has in its own log; what the mint did is open either way.
        let answer = self.ask(mint, &request).await;
        let answer = answer.ok().and_then(|bytes| bytes.dyn_into().ok());
        let bytes = answer.map(|bytes: Uint8Array| bytes.to_vec());
        let answer = bytes.and_then(|bytes| Answer::from_bytes(&bytes).ok());
        answer.ok_or(NotCarried::Lost)
    }
}
