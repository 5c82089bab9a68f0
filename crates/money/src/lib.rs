//! Ecash for the page, as a program of its own.
//!
//! The page loads it when money is first used, and never otherwise. It hands over a store and a seed ([`open`]) and gets something to
//! put questions to ([`Rail`]); questions and answers are those of `haggle_payments::remote`, as text. What is here owns no storage and
//! no peer: the page alone has those, everything is kept through it ([`store`]), and so are mints behind peers asked ([`network`]).

#![cfg(target_arch = "wasm32")]

mod network;
mod store;

use std::rc::Rc;
use std::sync::Arc;

use haggle_payments::cashu::{Cashu, over};
use haggle_payments::{Error, remote};
use js_sys::{Function, Promise, Uint8Array};
use wasm_bindgen::prelude::*;
use wasm_bindgen_futures::future_to_promise;
use zeroize::Zeroizing;

use crate::network::Network;
use crate::store::{Page, PageStore};

/// A wallet that is open.
#[wasm_bindgen]
#[derive(Debug)]
pub struct Rail(Rc<Cashu>);

/// Opens the wallet that the page's store holds, with the 64 bytes that the phrase gives it. Mints are reached by HTTP, and those behind
/// peers by `carry`, which takes a peer's key and a request and promises an answer.
///
/// # Errors
/// A text: why not, as the page reads errors of rails.
// A page has one thread, and shares like every other peer.
#[allow(clippy::arc_with_non_send_sync)]
#[wasm_bindgen]
pub async fn open(store: PageStore, seed: Uint8Array, carry: Function) -> Result<Rail, JsValue> {
    if seed.length() != 64 {
        return Err(thrown(&Error::Damaged));
    }
    let mut bytes = Zeroizing::new([0; 64]);
    seed.copy_to(&mut bytes[..]);
    let connect = over(Arc::new(Network(carry)));
    let cashu = Cashu::open(Box::new(Page(store)), bytes, connect).await;
    let cashu = cashu.map_err(|error| thrown(&error))?;
    Ok(Rail(Rc::new(cashu)))
}

#[wasm_bindgen]
impl Rail {
    /// Answers a question.
    pub fn ask(&self, question: String) -> Promise {
        let cashu = Rc::clone(&self.0);
        future_to_promise(async move { Ok(remote::answer(&*cashu, &question).await.into()) })
    }

    /// Answers the question for a key, at once.
    pub fn key(&self, question: &str) -> String {
        remote::answer_now(&*self.0, question)
    }
}

/// An error as text.
fn thrown(error: &Error) -> JsValue {
    serde_json::to_string(error).unwrap_or_default().into()
}
