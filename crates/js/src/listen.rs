//! Callbacks: each has a queue of its own, begins with what is known and ends when its function is called.

use std::collections::BTreeSet;

use futures::StreamExt;
use futures::future::{AbortHandle, abortable};
use haggle_node::market::view::{QuoteState, QuoteView};
use haggle_node::market::{Event as MarketEvent, MyIntent};
use haggle_node::protocol::{IntentId, MessageId, ThreadId};
use haggle_node::{Client, Event};
use js_sys::{Function, Promise};
use serde::Serialize;
use wasm_bindgen::closure::Closure;
use wasm_bindgen::{JsCast, JsValue};

use crate::error::unknown_event;
use crate::write;

/// What can be listened to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Kind {
    Network,
    Stopped,
    MyIntent,
    OpenIntent,
    Gone,
    Trade,
    Chat,
    Forgotten,
    Stall,
    Ready,
    Quote,
}

impl Kind {
    /// By its name.
    pub(crate) fn named(name: &str) -> Result<Self, JsValue> {
        Ok(match name {
            "network" => Self::Network,
            "stopped" => Self::Stopped,
            "my-intent" => Self::MyIntent,
            "open-intent" => Self::OpenIntent,
            "gone" => Self::Gone,
            "trade" => Self::Trade,
            "chat" => Self::Chat,
            "forgotten" => Self::Forgotten,
            "stall" => Self::Stall,
            "ready" => Self::Ready,
            "quote" => Self::Quote,
            other => return Err(unknown_event(other)),
        })
    }
}

/// A quote as it arrives.
#[derive(Serialize)]
struct Quoted<'a> {
    intent: IntentId,
    title: &'a str,
    #[serde(flatten)]
    view: &'a QuoteView,
}

/// Which quotes a callback was told of: a quote comes once, and comes anew when its seller improves on it.
#[derive(Default)]
struct Told(BTreeSet<(ThreadId, MessageId)>);

impl Told {
    fn news<'a>(&mut self, mine: &'a MyIntent) -> Vec<Quoted<'a>> {
        let standing = mine
            .quotes
            .iter()
            .filter(|quote| quote.state == QuoteState::Standing);
        let news = standing.filter(|quote| self.0.insert((quote.thread, quote.message)));
        news.map(|view| Quoted {
            intent: mine.id,
            title: &mine.intent.title,
            view,
        })
        .collect()
    }
}

/// Starts to call back; the function that is returned ends it.
pub(crate) fn start(client: &Client, kind: Kind, callback: Function) -> Function {
    let mut events = client.events();
    let (telling, abort) = abortable(async move {
        let mut told = Told::default();
        while let Some(event) = events.next().await {
            for data in data_of(kind, &event, &mut told) {
                call(&callback, data);
            }
        }
    });
    wasm_bindgen_futures::spawn_local(async move {
        // Whether it was ended or ran out makes no difference.
        let _ = telling.await;
    });
    off(abort)
}

fn off(abort: AbortHandle) -> Function {
    let off = Closure::<dyn Fn()>::new(move || abort.abort());
    off.into_js_value().unchecked_into()
}

/// What a callback of this kind is told of an event.
fn data_of(kind: Kind, event: &Event, told: &mut Told) -> Vec<Result<JsValue, JsValue>> {
    let one = |is: Kind, value: Result<JsValue, JsValue>| {
        if is == kind { vec![value] } else { Vec::new() }
    };
    match event {
        Event::Network(view) => one(Kind::Network, write(view)),
        // No rail is set up for programs in a browser yet.
        Event::Wallet(_) => Vec::new(),
        Event::Stopped { code, sentence } => one(Kind::Stopped, write(&Stopped { code, sentence })),
        Event::Market(event) => match event {
            MarketEvent::MyIntent(mine) if kind == Kind::Quote => {
                told.news(mine).iter().map(write).collect()
            }
            MarketEvent::MyIntent(mine) => one(Kind::MyIntent, write(mine)),
            MarketEvent::OpenIntent(open) => one(Kind::OpenIntent, write(open)),
            MarketEvent::Gone(id) => one(Kind::Gone, write(id)),
            MarketEvent::Trade(trade) => one(Kind::Trade, write(trade)),
            MarketEvent::Chat(chat) => one(Kind::Chat, write(chat)),
            // Nobody arbitrates without a rail.
            MarketEvent::Case(_) => Vec::new(),
            MarketEvent::Forgotten(thread, _) => one(Kind::Forgotten, write(thread)),
            MarketEvent::Stall(stall) => one(Kind::Stall, write(stall)),
            MarketEvent::Ready => one(Kind::Ready, Ok(JsValue::UNDEFINED)),
        },
    }
}

/// Why the peer has stopped.
#[derive(Serialize)]
struct Stopped<'a> {
    code: &'a str,
    sentence: &'a str,
}

/// Calls back. What a callback throws is its program's own: it shows up as an unhandled rejection and ends nothing.
fn call(callback: &Function, data: Result<JsValue, JsValue>) {
    let thrown = match data {
        Ok(data) => callback.call1(&JsValue::UNDEFINED, &data).err(),
        Err(error) => Some(error),
    };
    if let Some(error) = thrown {
        drop(Promise::reject(&error));
    }
}
