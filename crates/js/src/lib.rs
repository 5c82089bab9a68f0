//! Haggle for programs: a peer of the market in a few lines of JavaScript or TypeScript.
//!
//! ```js
//! const peer = await Haggle.open({ relays });
//! peer.on("quote", ({ thread, quote }) => console.log(quote.total));
//! await peer.publish({ title: "A road bike, 56 cm", … });
//! ```
//!
//! Thin on purpose: one line a method, and the types of `types.d.ts` are what the node's own values are in JSON. What is
//! private to a peer stays in the browser's storage, under the profile's name. Errors are `Error` objects with a `code`
//! for programs, the `field` they are about, and a `cause` where there is one.

#![cfg(target_arch = "wasm32")]

mod error;
mod listen;

use futures::StreamExt;
use haggle_node::backup::{self, Secret};
use haggle_node::store::{IndexedDb, Memory, Store};
use haggle_node::{Client, Config, Event, NetworkView, RelayState};
use haggle_protocol::category::Category;
use haggle_protocol::taxonomy;
use js_sys::{Array, Function};
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};
use wasm_bindgen::prelude::*;

use crate::error::{bad_argument, of_complaint, of_error, of_store};
use crate::listen::Kind;

#[wasm_bindgen(typescript_custom_section)]
const TYPES: &str = include_str!("types.d.ts");

/// The profile of a program that names none.
const PROFILE: &str = "program";

/// How a peer is opened.
#[derive(Deserialize)]
#[serde(default)]
struct Options {
    network: String,
    relays: Vec<String>,
    stun: Vec<String>,
    profile: String,
    memory: bool,
}

impl Default for Options {
    fn default() -> Self {
        Self {
            network: haggle_protocol::Network::MAIN_NAME.to_owned(),
            relays: Vec::new(),
            stun: Vec::new(),
            profile: PROFILE.to_owned(),
            memory: false,
        }
    }
}

/// A peer of the market.
#[wasm_bindgen]
#[derive(Debug)]
pub struct Haggle(Client);

#[wasm_bindgen]
impl Haggle {
    /// Opens a peer: reads what its profile holds and connects. It is fresh on the network each time.
    #[wasm_bindgen(unchecked_return_type = "Haggle")]
    pub async fn open(
        #[wasm_bindgen(unchecked_param_type = "OpenOptions")] options: JsValue,
    ) -> Result<Self, JsValue> {
        let options: Options = read("options", options)?;
        let store: Box<dyn Store> = if options.memory {
            Box::new(Memory::new())
        } else {
            let store = IndexedDb::open(&options.profile).await;
            Box::new(store.map_err(|error| of_store(&error))?)
        };
        let config = Config {
            network: options.network,
            agent: concat!("haggle-js/", env!("CARGO_PKG_VERSION")).to_owned(),
            stun: options.stun,
            ..Config::new(options.relays, store)
        };
        let client = haggle_node::open(config).await;
        client.map(Self).map_err(|error| of_error(&error))
    }

    /// The categories that a text in English or German speaks of, the likeliest first.
    #[wasm_bindgen(unchecked_return_type = "CategoryName[]")]
    pub fn suggest(text: &str) -> Result<JsValue, JsValue> {
        let named = taxonomy::suggest(text)
            .into_iter()
            .filter_map(taxonomy::node);
        write(&named.map(CategoryName::from).collect::<Vec<_>>())
    }

    /// Calls back with everything of this type that is known, then with what happens. The result ends that.
    // Its type is generic and stands in `types.d.ts`.
    #[wasm_bindgen(skip_typescript)]
    pub fn on(&self, kind: &str, callback: Function) -> Result<Function, JsValue> {
        Ok(listen::start(&self.0, Kind::named(kind)?, callback))
    }

    /// What of a draft everybody would see, and what stays here.
    #[wasm_bindgen(unchecked_return_type = "Preview")]
    pub async fn preview(
        &self,
        #[wasm_bindgen(unchecked_param_type = "Draft")] draft: JsValue,
    ) -> Result<JsValue, JsValue> {
        done(self.0.preview(read("draft", draft)?).await)
    }

    /// Says out loud what I want.
    #[wasm_bindgen(unchecked_return_type = "IntentId")]
    pub async fn publish(
        &self,
        #[wasm_bindgen(unchecked_param_type = "Draft")] draft: JsValue,
    ) -> Result<JsValue, JsValue> {
        done(self.0.publish(read("draft", draft)?).await)
    }

    /// Changes what I want; the name stays.
    pub async fn revise(
        &self,
        #[wasm_bindgen(unchecked_param_type = "IntentId")] intent: JsValue,
        #[wasm_bindgen(unchecked_param_type = "Draft")] draft: JsValue,
    ) -> Result<(), JsValue> {
        nothing(
            self.0
                .revise(read("intent", intent)?, read("draft", draft)?)
                .await,
        )
    }

    /// I no longer want it.
    pub async fn withdraw(
        &self,
        #[wasm_bindgen(unchecked_param_type = "IntentId")] intent: JsValue,
    ) -> Result<(), JsValue> {
        nothing(self.0.withdraw(read("intent", intent)?).await)
    }

    /// Puts an item into my stall, or changes the one of its id.
    #[wasm_bindgen(js_name = "putItem", unchecked_return_type = "ItemId")]
    pub async fn put_item(
        &self,
        #[wasm_bindgen(unchecked_param_type = "NewItem")] item: JsValue,
    ) -> Result<JsValue, JsValue> {
        done(self.0.put_item(read("item", item)?).await)
    }

    /// Takes an item out of my stall.
    #[wasm_bindgen(js_name = "removeItem")]
    pub async fn remove_item(
        &self,
        #[wasm_bindgen(unchecked_param_type = "ItemId")] item: JsValue,
    ) -> Result<(), JsValue> {
        nothing(self.0.remove_item(read("item", item)?).await)
    }

    /// Sets how my stall answers.
    #[wasm_bindgen(js_name = "setRules")]
    pub async fn set_rules(
        &self,
        #[wasm_bindgen(unchecked_param_type = "Partial<Rules>")] rules: JsValue,
    ) -> Result<(), JsValue> {
        nothing(self.0.set_rules(read("rules", rules)?).await)
    }

    /// Sets who I am to the one I trade with; shown only after a confirmation.
    #[wasm_bindgen(js_name = "setProfile")]
    pub async fn set_profile(
        &self,
        #[wasm_bindgen(unchecked_param_type = "Profile")] profile: JsValue,
    ) -> Result<(), JsValue> {
        nothing(self.0.set_profile(read("profile", profile)?).await)
    }

    /// Answers an open intent by hand, or improves on my last quote.
    #[wasm_bindgen(unchecked_return_type = "ThreadId")]
    pub async fn quote(
        &self,
        #[wasm_bindgen(unchecked_param_type = "QuoteDraft")] draft: JsValue,
    ) -> Result<JsValue, JsValue> {
        done(self.0.quote(read("draft", draft)?).await)
    }

    /// Says no to an open intent, or stops seeing it.
    pub async fn dismiss(
        &self,
        #[wasm_bindgen(unchecked_param_type = "IntentId")] intent: JsValue,
        reason: Option<String>,
    ) -> Result<(), JsValue> {
        nothing(
            self.0
                .dismiss(read("intent", intent)?, read("reason", reason.into())?)
                .await,
        )
    }

    /// Takes this seller's newest quote, whose total is `total`.
    pub async fn accept(
        &self,
        #[wasm_bindgen(unchecked_param_type = "ThreadId")] thread: JsValue,
        #[wasm_bindgen(unchecked_param_type = "Money")] total: JsValue,
        note: Option<String>,
    ) -> Result<(), JsValue> {
        nothing(
            self.0
                .accept(read("thread", thread)?, read("total", total)?, note)
                .await,
        )
    }

    /// Says to this seller what I would pay instead: three times at most, each time more.
    pub async fn counter(
        &self,
        #[wasm_bindgen(unchecked_param_type = "ThreadId")] thread: JsValue,
        #[wasm_bindgen(unchecked_param_type = "Money")] total: JsValue,
        note: Option<String>,
    ) -> Result<(), JsValue> {
        nothing(
            self.0
                .counter(read("thread", thread)?, read("total", total)?, note)
                .await,
        )
    }

    /// Quotes anew at what the buyer of this exchange has offered.
    pub async fn meet(
        &self,
        #[wasm_bindgen(unchecked_param_type = "ThreadId")] thread: JsValue,
    ) -> Result<(), JsValue> {
        nothing(self.0.meet(read("thread", thread)?).await)
    }

    /// Asks the owner of an open intent something before a quote; gives the exchange it is asked in.
    #[wasm_bindgen(unchecked_return_type = "ThreadId")]
    pub async fn inquire(
        &self,
        #[wasm_bindgen(unchecked_param_type = "IntentId")] intent: JsValue,
        text: String,
    ) -> Result<JsValue, JsValue> {
        done(self.0.inquire(read("intent", intent)?, text).await)
    }

    /// Says something to the other side of an exchange.
    pub async fn say(
        &self,
        #[wasm_bindgen(unchecked_param_type = "ThreadId")] thread: JsValue,
        text: String,
        #[wasm_bindgen(unchecked_param_type = "NewFile[] | null")] files: Option<Array>,
    ) -> Result<(), JsValue> {
        let files = listed("files", files)?;
        nothing(self.0.say(read("thread", thread)?, text, files).await)
    }

    /// I have looked at what the other side of an exchange has said so far; nobody is told.
    pub async fn read(
        &self,
        #[wasm_bindgen(unchecked_param_type = "ThreadId")] thread: JsValue,
    ) -> Result<(), JsValue> {
        nothing(self.0.read(read("thread", thread)?).await)
    }

    /// Reads a file that is here as a whole.
    #[wasm_bindgen(unchecked_return_type = "NewFile")]
    pub async fn file(
        &self,
        #[wasm_bindgen(unchecked_param_type = "FileId")] file: JsValue,
    ) -> Result<JsValue, JsValue> {
        done(self.0.file(read("file", file)?).await)
    }

    /// Fetches a file that the other side has named and that does not come by itself.
    pub async fn fetch(
        &self,
        #[wasm_bindgen(unchecked_param_type = "FileId")] file: JsValue,
    ) -> Result<(), JsValue> {
        nothing(self.0.fetch(read("file", file)?).await)
    }

    /// Keeps a file no more; the other side can then not fetch it any more.
    #[wasm_bindgen(js_name = "removeFile")]
    pub async fn remove_file(
        &self,
        #[wasm_bindgen(unchecked_param_type = "FileId")] file: JsValue,
    ) -> Result<(), JsValue> {
        nothing(self.0.remove_file(read("file", file)?).await)
    }

    /// Binds me to an order.
    pub async fn confirm(
        &self,
        #[wasm_bindgen(unchecked_param_type = "ThreadId")] thread: JsValue,
        payment: Option<String>,
        note: Option<String>,
    ) -> Result<(), JsValue> {
        nothing(self.0.confirm(read("thread", thread)?, payment, note).await)
    }

    /// Does not confirm an order.
    pub async fn refuse(
        &self,
        #[wasm_bindgen(unchecked_param_type = "ThreadId")] thread: JsValue,
        #[wasm_bindgen(unchecked_param_type = "DeclineReason")] reason: JsValue,
    ) -> Result<(), JsValue> {
        nothing(
            self.0
                .refuse(read("thread", thread)?, read("reason", reason)?)
                .await,
        )
    }

    /// Sends who and where to the other side of a confirmed trade.
    #[wasm_bindgen(js_name = "sendContact")]
    pub async fn send_contact(
        &self,
        #[wasm_bindgen(unchecked_param_type = "ThreadId")] thread: JsValue,
        #[wasm_bindgen(unchecked_param_type = "Profile")] profile: JsValue,
    ) -> Result<(), JsValue> {
        nothing(
            self.0
                .send_contact(read("thread", thread)?, read("profile", profile)?)
                .await,
        )
    }

    /// Says that a step of mine in a confirmed trade is taken.
    pub async fn report(
        &self,
        #[wasm_bindgen(unchecked_param_type = "ThreadId")] thread: JsValue,
        #[wasm_bindgen(unchecked_param_type = "TradeStep")] step: JsValue,
        note: Option<String>,
        #[wasm_bindgen(unchecked_param_type = "NewFile[] | null")] files: Option<Array>,
    ) -> Result<(), JsValue> {
        let files = listed("files", files)?;
        let (thread, step) = (read("thread", thread)?, read("step", step)?);
        nothing(self.0.report(thread, step, note, files).await)
    }

    /// Says that I have handed it over, and shows the code that the buyer has told me.
    pub async fn deliver(
        &self,
        #[wasm_bindgen(unchecked_param_type = "ThreadId")] thread: JsValue,
        code: String,
        note: Option<String>,
    ) -> Result<(), JsValue> {
        nothing(self.0.deliver(read("thread", thread)?, code, note).await)
    }

    /// Does not go on with an order of mine, or with a confirmed trade of which nothing was sent yet.
    pub async fn cancel(
        &self,
        #[wasm_bindgen(unchecked_param_type = "ThreadId")] thread: JsValue,
        #[wasm_bindgen(unchecked_param_type = "CancelReason")] reason: JsValue,
        note: Option<String>,
    ) -> Result<(), JsValue> {
        nothing(
            self.0
                .cancel(read("thread", thread)?, read("reason", reason)?, note)
                .await,
        )
    }

    /// Connects to one more relay, now and after every restart.
    #[wasm_bindgen(js_name = "addRelay")]
    pub async fn add_relay(&self, address: String) -> Result<(), JsValue> {
        nothing(self.0.add_relay(address).await)
    }

    /// Forgets a relay and hangs up.
    #[wasm_bindgen(js_name = "removeRelay")]
    pub async fn remove_relay(&self, address: String) -> Result<(), JsValue> {
        nothing(self.0.remove_relay(address).await)
    }

    /// How the network is now.
    #[wasm_bindgen(unchecked_return_type = "Network")]
    pub async fn network(&self) -> Result<JsValue, JsValue> {
        write(&view(&self.0).await)
    }

    /// Hides the network address from other traders, or shows it again; remembered with the profile. While it is hidden everything goes
    /// through relays.
    pub async fn hide(&self, hidden: bool) -> Result<(), JsValue> {
        nothing(self.0.hide(hidden).await)
    }

    /// Where others reach this peer now: directly, as any libp2p peer that speaks /webrtc can dial it, then through each relay that holds a
    /// place for it.
    #[wasm_bindgen(unchecked_return_type = "string[]")]
    pub async fn addresses(&self) -> Result<JsValue, JsValue> {
        let view = view(&self.0).await;
        let held = view
            .relays
            .iter()
            .filter(|relay| relay.state == RelayState::Reserved);
        let relayed = held.map(|relay| format!("{}/p2p-circuit/p2p/{}", relay.address, view.peer));
        let addresses = view.addresses.iter().cloned().chain(relayed);
        write(&addresses.collect::<Vec<_>>())
    }

    /// The words that bring back this trader's reputation and open requests. Whoever has them has both.
    #[wasm_bindgen(unchecked_return_type = "string[]")]
    pub async fn phrase(&self) -> Result<JsValue, JsValue> {
        let words = self.0.phrase().await;
        write(&words.map_err(|complaint| of_complaint(&complaint))?)
    }

    /// Everything that is saved, as an encrypted file that the words open and, if one is given, the passphrase.
    pub async fn backup(&self, passphrase: Option<String>) -> Result<Vec<u8>, JsValue> {
        let file = self.0.backup(passphrase).await;
        file.map_err(|complaint| of_complaint(&complaint))
    }

    /// Puts a backup file in place of what a profile holds, which must not be open. `secret` are its words or its passphrase.
    pub async fn restore(profile: String, file: Vec<u8>, secret: String) -> Result<(), JsValue> {
        let opened = backup::open(&file, &Secret::typed(&secret));
        let opened = opened.map_err(|error| of_complaint(&error.into()))?;
        let store = IndexedDb::open(&profile).await;
        let store = store.map_err(|error| of_store(&error))?;
        let restored = opened.restore(&store).await;
        restored.map_err(|error| of_error(&error))
    }

    /// Ends the peer; everything that was confirmed is saved already.
    pub async fn close(&self) {
        self.0.close().await;
    }
}

/// A category with its names.
#[derive(Serialize)]
struct CategoryName {
    category: Category,
    slug: &'static str,
    en: &'static str,
    de: &'static str,
}

impl From<&'static taxonomy::Node> for CategoryName {
    fn from(node: &'static taxonomy::Node) -> Self {
        Self {
            category: node.category,
            slug: node.slug,
            en: node.en,
            de: node.de,
        }
    }
}

/// How the network is: what every listener is told first.
async fn view(client: &Client) -> NetworkView {
    let mut events = client.events();
    while let Some(event) = events.next().await {
        match event {
            Event::Network(view) => return view,
            Event::Stopped { .. } => break,
            Event::Market(_) | Event::Wallet(_) => {}
        }
    }
    NetworkView {
        state: haggle_node::Link::Offline,
        ..NetworkView::default()
    }
}

/// A value of JavaScript as one of ours.
fn read<T: DeserializeOwned>(argument: &str, value: JsValue) -> Result<T, JsValue> {
    serde_wasm_bindgen::from_value(value).map_err(|cause| bad_argument(argument, cause.into()))
}

/// An argument that lists some, or none.
fn listed<T: DeserializeOwned>(argument: &str, value: Option<Array>) -> Result<Vec<T>, JsValue> {
    value.map_or_else(|| Ok(Vec::new()), |value| read(argument, value.into()))
}

/// A value of ours as JavaScript knows it from JSON: plain objects, numbers, `null`.
fn write(value: &impl Serialize) -> Result<JsValue, JsValue> {
    let json = serde_wasm_bindgen::Serializer::json_compatible();
    // The bytes of a file are the one thing that JSON has no good form for.
    let json = json.serialize_bytes_as_arrays(false);
    value.serialize(&json).map_err(JsValue::from)
}

/// What a method gives back that has something to say.
fn done<T: Serialize>(
    result: Result<T, haggle_node::market::Complaint>,
) -> Result<JsValue, JsValue> {
    write(&result.map_err(|complaint| of_complaint(&complaint))?)
}

/// What a method gives back that has nothing to say but that it is done.
fn nothing(result: Result<(), haggle_node::market::Complaint>) -> Result<(), JsValue> {
    result.map_err(|complaint| of_complaint(&complaint))
}

#[wasm_bindgen]
extern "C" {
    /// The console, for what ends the program.
    #[wasm_bindgen(js_namespace = console, js_name = error)]
    fn print_error(text: &str);
}

/// A panic ends the peer; the console then says where, and not only `unreachable`.
#[wasm_bindgen(start)]
pub fn start() {
    std::panic::set_hook(Box::new(|panic| print_error(&panic.to_string())));
}
