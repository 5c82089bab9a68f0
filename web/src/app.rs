//! Starts the peer for the profile in the page's address, feeds what it tells into the board, and carries commands to
//! it. Everything on screen hangs on one [`Desk`].

use std::cell::Cell;
use std::collections::{BTreeMap, BTreeSet};

use futures::{FutureExt, StreamExt};
use haggle_protocol::phrase::Phrase;
use haggle_protocol::{Custodian, FileId, IntentId, Money, ThreadId, Timestamp};
use leptos::prelude::*;
use leptos::task::spawn_local;

use crate::board::{Board, News};
use crate::browser;
use crate::forms::ask::AskForm;
use crate::forms::money::Play;
use crate::node::{
    Backup, Client, Command, Complaint, Config, Draft, ECASH, Event, IndexedDb, NewFile, Preview,
    Profile, Reply, Safe, open, restore_phrase, wallet,
};
use crate::route::{Route, Screen};
use crate::words::{Lang, Words};

/// The profile of somebody who gave no name. A store's name cannot be empty.
const NAMELESS: &str = "you";

/// What the peer says of its program.
const AGENT: &str = concat!("haggle-web/", env!("CARGO_PKG_VERSION"));

/// How long events are gathered before the screen is drawn again, in milliseconds: bursts become one drawing and one
/// announcement, and nobody sees the delay.
const GATHER_MS: i32 = 60;

/// Events taken in one go at most, so that a flood never blocks the tab for long.
const GATHER_MAX: usize = 256;

/// How long a withdrawal can still be undone, in seconds.
pub(crate) const UNDO_SECONDS: u64 = 6;

/// The id of a trade's card.
pub(crate) fn trade_id(thread: &ThreadId) -> String {
    format!("trade-{thread}")
}

/// After which time a trade that one goes to gets the keyboard, in milliseconds: after its screen, which is announced first.
const TRADE_MS: i32 = 120;
/// How long a fresh card is shown as fresh, in milliseconds.
const FRESH_MS: i32 = 4_000;

/// How often it is tried to say that I decide, and how long it is waited in between, in milliseconds: the rail answers from this device.
const OFFERS: u32 = 40;
const OFFER_AGAIN_MS: i32 = 250;

/// How far the page is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Stage {
    /// The store is being opened.
    Opening,
    /// The peer runs.
    Running,
    /// The profile is open in another window.
    Busy,
    /// It cannot be opened.
    Failed {
        /// Stable.
        code: String,
        /// For people.
        sentence: String,
    },
}

/// With what somebody comes back.
pub(crate) enum Back {
    /// A file that was opened.
    File(Backup),
    /// The words alone.
    Phrase(Phrase),
}

/// What all parts of the page share.
#[derive(Clone, Copy)]
pub(crate) struct Desk {
    /// What is known.
    pub(crate) board: RwSignal<Board>,
    /// The time, every second.
    pub(crate) now: RwSignal<Timestamp>,
    /// Which screen, as whom.
    pub(crate) route: RwSignal<Route>,
    /// In which language.
    pub(crate) lang: RwSignal<Lang>,
    /// How far the page is.
    pub(crate) stage: RwSignal<Stage>,
    /// What is being asked for, kept while other screens are shown.
    pub(crate) ask: RwSignal<AskForm>,
    /// The last announcement, for those who do not see the page.
    pub(crate) said: RwSignal<String>,
    /// A short visible message.
    pub(crate) toast: RwSignal<Option<String>>,
    /// Quotes and trades that arrived just now.
    pub(crate) fresh: RwSignal<BTreeSet<ThreadId>>,
    /// Withdrawals that can still be undone, and until when.
    pub(crate) leaving: RwSignal<BTreeMap<IntentId, Timestamp>>,
    /// Whether the list of relays that belongs to the page could not be read.
    pub(crate) relays_missing: RwSignal<bool>,
    /// What would survive the loss of this device, once that is known.
    pub(crate) safe: RwSignal<Option<Safe>>,
    /// Whether the browser has agreed to keep what is here, once that is known.
    pub(crate) stays: RwSignal<Option<bool>>,
    /// Whether the dialog about that is open.
    pub(crate) safe_open: RwSignal<bool>,
    /// The mints that this person trusts, once somebody wanted to know.
    pub(crate) mints: RwSignal<Option<Vec<Custodian>>>,
    client: StoredValue<Option<Client>, LocalStorage>,
    asked_to_keep: StoredValue<bool>,
}

thread_local! {
    static LANG: Cell<Lang> = const { Cell::new(Lang::English) };
    /// The mint of play money that the page was served with, which no page out of `cargo xtask site` has.
    static PLAY: Option<Custodian> = browser::play_money().and_then(|mint| crate::forms::money::play(&mint));
}

/// The mint of play money that the page was served with, if it was.
pub(crate) fn play_mint() -> Option<Custodian> {
    PLAY.with(Clone::clone)
}

/// How mints and what they keep are called.
pub(crate) fn called<T>(ask: impl FnOnce(Play<'_>) -> T) -> T {
    let words = &w().play;
    PLAY.with(|mint| {
        let mint = mint.as_ref();
        ask(Play { mint, words })
    })
}

/// The sentences of the language that is set. Not reactive: the page is drawn anew when the language changes.
pub(crate) fn w() -> &'static Words {
    LANG.get().words()
}

/// The language that is set.
pub(crate) fn lang() -> Lang {
    LANG.get()
}

/// What all parts of the page share.
pub(crate) fn desk() -> Desk {
    expect_context()
}

impl Desk {
    /// A desk before anything is known.
    pub(crate) fn new() -> Self {
        let lang = browser::remembered("haggle/language")
            .or_else(browser::language)
            .map_or(Lang::English, |tag| Lang::of(&tag));
        LANG.set(lang);
        let route = Route::parse(&browser::hash());
        let ask = browser::kept(&ask_key(&route.profile))
            .and_then(|text| serde_json::from_str(&text).ok())
            .unwrap_or_default();
        Self {
            board: RwSignal::new(Board::default()),
            now: RwSignal::new(browser::now()),
            route: RwSignal::new(route),
            lang: RwSignal::new(lang),
            stage: RwSignal::new(Stage::Opening),
            ask: RwSignal::new(ask),
            said: RwSignal::new(String::new()),
            toast: RwSignal::new(None),
            fresh: RwSignal::new(BTreeSet::new()),
            leaving: RwSignal::new(BTreeMap::new()),
            relays_missing: RwSignal::new(false),
            safe: RwSignal::new(None),
            stays: RwSignal::new(None),
            safe_open: RwSignal::new(false),
            mints: RwSignal::new(None),
            client: StoredValue::new_local(None),
            asked_to_keep: StoredValue::new(false),
        }
    }

    /// Sets the clock going, listens to the address, and keeps what is typed.
    pub(crate) fn run(self) {
        set_interval(
            move || self.now.set(browser::now()),
            core::time::Duration::from_secs(1),
        );
        window_event_listener_untyped("hashchange", move |_| {
            let route = Route::parse(&browser::hash());
            if route.profile != self.route.with_untracked(|old| old.profile.clone()) {
                browser::reload();
                return;
            }
            self.route.set(route);
        });
        Effect::new(move |_| {
            let profile = self.route.with_untracked(|route| route.profile.clone());
            if let Ok(text) = self.ask.with(serde_json::to_string) {
                browser::keep(&ask_key(&profile), &text);
            }
        });
        Effect::new(move |_| {
            let lang = self.lang.get();
            browser::set_page_language(lang.tag());
        });
        // What waits is told in the window's title too: mostly another tab is in front.
        let waiting = Memo::new(move |_| self.board.with(Board::waiting));
        Effect::new(move |_| {
            self.lang.track();
            let title = w().all.title;
            browser::set_title(&match waiting.get() {
                0 => title.to_owned(),
                count => format!("({count}) {title}"),
            });
        });
        browser::when_called(&self.call_name(), move || self.give_way());
        self.start();
    }

    /// The name under which windows of this profile call out to each other.
    fn call_name(self) -> String {
        format!("haggle/take-over/{}", self.store_name())
    }

    /// Goes on here with a profile that is open in another window: that one ends its peer and says where it goes on.
    pub(crate) fn take_over(self) {
        browser::call_out(&self.call_name());
        self.start();
    }

    /// Another window wants to go on with this profile.
    fn give_way(self) {
        let Some(client) = self.client.try_update_value(Option::take).flatten() else {
            return;
        };
        spawn_local(async move {
            // Everything that was confirmed is saved, and its store is free for the other window.
            client.close().await;
            self.stage.set(Stage::Busy);
        });
    }

    /// Opens the store and starts the peer.
    pub(crate) fn start(self) {
        self.stage.set(Stage::Opening);
        spawn_local(async move {
            match self.open().await {
                Ok(client) => {
                    self.client.set_value(Some(client.clone()));
                    self.stage.set(Stage::Running);
                    self.remember_profile();
                    self.listen(client).await;
                }
                Err(stage) => self.stage.set(stage),
            }
        });
    }

    /// The name of this profile's store.
    fn store_name(self) -> String {
        let profile = self.route.with_untracked(|route| route.profile.clone());
        if profile.is_empty() {
            NAMELESS.to_owned()
        } else {
            profile
        }
    }

    async fn open(self) -> Result<Client, Stage> {
        let store = IndexedDb::open(&self.store_name()).await.map_err(|error| {
            if error.code() == "store-busy" {
                return Stage::Busy;
            }
            Stage::Failed {
                code: error.code().to_owned(),
                sentence: error.to_string(),
            }
        })?;
        let beginning = browser::beginning().await;
        self.relays_missing.set(beginning.is_none());
        let (relays, stun, network) = beginning.map_or_else(Default::default, |beginning| {
            (beginning.relays, beginning.stun, beginning.network)
        });
        let mut config = Config::new(relays, Box::new(store));
        config.stun = stun;
        config.rails = crate::money::rails();
        AGENT.clone_into(&mut config.agent);
        if let Some(network) = network {
            config.network = network;
        }
        open(config).await.map_err(|error| Stage::Failed {
            code: error.code().to_owned(),
            sentence: error.to_string(),
        })
    }

    async fn listen(self, client: Client) {
        let mut events = client.events();
        while let Some(first) = events.next().await {
            let mut batch = vec![first];
            while batch.len() < GATHER_MAX {
                match events.next().now_or_never() {
                    Some(Some(event)) => batch.push(event),
                    Some(None) | None => break,
                }
            }
            self.take(batch);
            browser::wait(GATHER_MS).await;
        }
    }

    /// Folds events into the board and tells what of them is news.
    pub(crate) fn take(self, events: Vec<Event>) {
        let mut news = Vec::new();
        self.board.update(|board| {
            news = events
                .into_iter()
                .flat_map(|event| board.apply(event))
                .collect();
        });
        if !news.is_empty() {
            self.tell(&news);
        }
    }

    /// Announces news in as few sentences as possible, and marks what arrived.
    fn tell(self, news: &[News]) {
        let words = w();
        let (mut quotes, mut matches) = (0, 0);
        let (mut sentences, mut came) = (Vec::new(), Vec::new());
        let mut threads = Vec::new();
        for item in news {
            match item {
                News::Quote { thread, .. } => {
                    quotes += 1;
                    threads.push(*thread);
                }
                News::Match { .. } => matches += 1,
                News::Counter { .. } => sentences.push(words.haggling.news.to_owned()),
                News::Order { thread } => {
                    let title = self.board.with_untracked(|board| {
                        board.trade(thread).map(|trade| trade.title.clone())
                    });
                    let sentence = words.requests.arrived_order;
                    sentences.push(sentence(&title.unwrap_or_default()));
                    threads.push(*thread);
                }
                News::Chat { thread } => {
                    let title = self
                        .board
                        .with_untracked(|board| board.chat(thread).map(|chat| chat.title.clone()));
                    sentences.push((words.chat.news)(&title.unwrap_or_default()));
                    threads.push(*thread);
                }
                News::Confirmed { thread } => {
                    sentences.push(words.requests.arrived_confirmed.to_owned());
                    threads.push(*thread);
                }
                News::NotConfirmed { thread } => {
                    sentences.push(words.requests.arrived_not.to_owned());
                    threads.push(*thread);
                }
                News::Cancelled { thread } => {
                    sentences.push(words.cancel.news.to_owned());
                    threads.push(*thread);
                }
                News::Lapsed { thread } => {
                    sentences.push(words.cancel.news_lapsed.to_owned());
                    threads.push(*thread);
                }
                News::CancelRefused { thread } => {
                    sentences.push(words.cancel.refused.to_owned());
                    threads.push(*thread);
                }
                News::Step { thread, step } => {
                    sentences.push((words.trades.step_news)(*step).to_owned());
                    threads.push(*thread);
                }
                News::CameIn { purse, minor } => {
                    let amount = Money::new(*minor, purse.asset);
                    let amount = crate::ui::format::kept(amount, &purse.custodian);
                    came.push((words.money.came)(&amount));
                }
                News::Ruled { thread } => {
                    sentences.push(words.decide.news_ruled.to_owned());
                    threads.push(*thread);
                }
                News::Case => sentences.push(words.decide.news_case.to_owned()),
                News::Contact { thread } => {
                    sentences.push(words.requests.arrived_contact.to_owned());
                    threads.push(*thread);
                }
            }
        }
        if quotes > 0 {
            sentences.insert(0, (words.requests.arrived)(quotes));
        }
        if matches > 0 {
            sentences.push((words.requests.arrived_match)(matches));
        }
        if !came.is_empty() {
            // Whoever has just asked for it looks here and not at a list.
            self.show(&came.join(" "));
        }
        sentences.append(&mut came);
        let sentences = sentences.join(" ");
        browser::notice(&sentences);
        self.say(&sentences);
        self.freshen(threads);
    }

    /// Shows the cards of these as fresh, for a while.
    fn freshen(self, threads: Vec<ThreadId>) {
        self.fresh.update(|fresh| fresh.extend(&threads));
        browser::later(FRESH_MS, move || {
            self.fresh
                .update(|fresh| fresh.retain(|thread| !threads.contains(thread)));
        });
    }

    /// Goes to a trade.
    pub(crate) fn show_trade(self, thread: ThreadId) {
        self.go(Screen::Trades);
        self.freshen(vec![thread]);
        browser::later(TRADE_MS, move || browser::focus(&trade_id(&thread)));
    }

    /// Says something to those who do not see the page.
    pub(crate) fn say(self, sentence: &str) {
        self.said.set(sentence.to_owned());
    }

    /// Says something to everybody, shortly.
    pub(crate) fn note(self, sentence: &str) {
        self.say(sentence);
        self.show(sentence);
    }

    /// Shows something shortly.
    fn show(self, sentence: &str) {
        self.toast.set(Some(sentence.to_owned()));
        let shown = sentence.to_owned();
        browser::later(4_000, move || {
            if self
                .toast
                .with_untracked(|toast| toast.as_ref() == Some(&shown))
            {
                self.toast.set(None);
            }
        });
    }

    /// Goes to a screen.
    pub(crate) fn go(self, screen: Screen) {
        let hash = self.route.with_untracked(|route| route.to(screen).hash());
        browser::set_hash(&hash);
        browser::to_top();
    }

    /// The address of a screen, for a link.
    pub(crate) fn href(self, screen: Screen) -> String {
        self.route.with(|route| route.to(screen).hash())
    }

    fn client(self) -> Result<Client, Complaint> {
        let client = self.client.with_value(Clone::clone);
        client.ok_or_else(|| Complaint {
            code: "peer-stopped".into(),
            field: None,
            sentence: w().ask.not_yet.into(),
        })
    }

    /// Has a command carried out.
    pub(crate) async fn command(self, command: Command) -> Result<Reply, Complaint> {
        let worth_keeping = matches!(
            command,
            Command::Publish(_)
                | Command::PutItem(_)
                | Command::PutItems(_)
                | Command::Accept { .. }
        );
        let reply = self.client()?.command(command).await?;
        if worth_keeping && !self.asked_to_keep.get_value() {
            self.asked_to_keep.set_value(true);
            // Some browsers ask the person; either way what was done is done.
            spawn_local(async {
                IndexedDb::persist().await;
            });
        }
        Ok(reply)
    }

    /// Asks about ecash. Whoever asks for the first time loads what is needed for it.
    pub(crate) async fn wallet(self, command: wallet::Command) -> Result<wallet::Reply, Complaint> {
        self.client()?.wallet(ECASH.name, command).await
    }

    /// Finds out which mints are trusted.
    pub(crate) async fn look_at_mints(self) -> Result<(), Complaint> {
        if let wallet::Reply::Custodians(mints) = self.wallet(wallet::Command::Custodians).await? {
            self.mints.set(Some(mints));
        }
        Ok(())
    }

    /// Trusts these mints, from now on.
    pub(crate) async fn trust(self, mints: Vec<Custodian>) -> Result<(), Complaint> {
        for custodian in mints {
            self.wallet(wallet::Command::Trust { custodian }).await?;
        }
        self.look_at_mints().await
    }

    /// Says that I decide for others. The rail is asked for my key first, and until it has answered that cannot be said.
    pub(crate) async fn offer_to_decide(self, draft: Draft) -> Result<Reply, Complaint> {
        self.look_at_mints().await?;
        let mut tries = 0;
        loop {
            let said = self
                .command(Command::Publish(Box::new(draft.clone())))
                .await;
            tries += 1;
            match said {
                Err(complaint) if complaint.code == "rail-not-ready" && tries < OFFERS => {
                    browser::wait(OFFER_AGAIN_MS).await;
                }
                said => return said,
            }
        }
    }

    /// Says what of a draft everybody would see.
    pub(crate) async fn preview(self, draft: Draft) -> Result<Preview, Complaint> {
        self.client()?.preview(draft).await
    }

    /// A file that is here as a whole.
    pub(crate) async fn file(self, id: FileId) -> Result<NewFile, Complaint> {
        self.client()?.file(id).await
    }

    /// Connects to one more relay.
    pub(crate) async fn add_relay(self, address: String) -> Result<(), Complaint> {
        self.client()?.add_relay(address).await
    }

    /// Forgets a relay.
    pub(crate) async fn remove_relay(self, address: String) -> Result<(), Complaint> {
        self.client()?.remove_relay(address).await
    }

    /// Hides the network address from other traders, or shows it.
    pub(crate) async fn hide(self, hidden: bool) -> Result<(), Complaint> {
        self.client()?.hide(hidden).await
    }

    /// Finds out what would survive the loss of this device.
    pub(crate) fn look_at_safe(self) {
        spawn_local(async move {
            if let Ok(client) = self.client()
                && let Ok(safe) = client.safe().await
            {
                self.safe.set(Some(safe));
            }
            self.stays.set(Some(IndexedDb::persisted().await));
        });
    }

    /// The words that bring this trader back.
    pub(crate) async fn phrase(self) -> Result<Vec<&'static str>, Complaint> {
        self.client()?.phrase().await
    }

    /// The person has shown that he has the words.
    pub(crate) async fn written_down(self) -> Result<(), Complaint> {
        self.client()?.written_down().await?;
        self.look_at_safe();
        Ok(())
    }

    /// Everything of this profile, as an encrypted file.
    pub(crate) async fn backup(self, passphrase: Option<String>) -> Result<Vec<u8>, Complaint> {
        self.client()?.backup(passphrase).await
    }

    /// What a backup file is called.
    pub(crate) fn file_name(self, now: u64) -> String {
        let name = self.store_name();
        let plain: String = name
            .chars()
            .map(|c| if c.is_alphanumeric() { c } else { '-' })
            .collect();
        format!("haggle-{plain}-{}.backup", browser::day(Timestamp(now)))
    }

    /// Puts a backup, or the words alone, in place of this profile. The page must be loaded again afterwards.
    pub(crate) async fn come_back(self, back: Back) -> Result<(), Complaint> {
        let store = self.store_alone().await?;
        let done = match back {
            Back::File(backup) => backup.restore(&store).await,
            Back::Phrase(phrase) => restore_phrase(&store, &phrase).await.map_err(Into::into),
        };
        done.map_err(undone)
    }

    /// Removes everything of this profile from this browser. The page must be loaded again afterwards.
    pub(crate) async fn erase(self) -> Result<(), Complaint> {
        let store = self.store_alone().await?;
        store.remove().await.map_err(|error| undone(error.into()))?;
        let profile = self.route.with_untracked(|route| route.profile.clone());
        let mut names = profiles();
        names.retain(|name| *name != profile);
        if let Ok(text) = serde_json::to_string(&names) {
            browser::remember("haggle/profiles", &text);
        }
        browser::keep_no_more(&ask_key(&profile));
        Ok(())
    }

    /// Ends the peer and opens its store.
    async fn store_alone(self) -> Result<IndexedDb, Complaint> {
        if let Ok(client) = self.client() {
            client.close().await;
            self.client.set_value(None);
        }
        let store = IndexedDb::open(&self.store_name()).await;
        store.map_err(|error| undone(error.into()))
    }

    /// Withdraws an intent, unless it is undone in time.
    pub(crate) fn withdraw(self, intent: IntentId) {
        let until = browser::now() + UNDO_SECONDS;
        self.leaving.update(|leaving| {
            leaving.insert(intent, until);
        });
        self.say(w().requests.withdrawing);
        let milliseconds = i32::try_from(UNDO_SECONDS * 1_000).unwrap_or(i32::MAX);
        browser::later(milliseconds, move || {
            // Undone, or undone and begun again: then another timer ends it.
            if self
                .leaving
                .with_untracked(|leaving| leaving.get(&intent) != Some(&until))
            {
                return;
            }
            self.leaving.update(|leaving| {
                leaving.remove(&intent);
            });
            spawn_local(async move {
                if let Err(complaint) = self.command(Command::Withdraw { intent }).await {
                    self.note(&sentence(&complaint));
                }
            });
        });
    }

    /// Who I am to the one I trade with, as far as it was said.
    pub(crate) fn profile(self) -> Profile {
        self.board
            .with(|board| board.stall().map(|stall| stall.profile.clone()))
            .unwrap_or_default()
    }

    /// Sets and remembers the language; the page is drawn anew.
    pub(crate) fn speak(self, lang: Lang) {
        browser::remember("haggle/language", lang.tag());
        LANG.set(lang);
        self.lang.set(lang);
    }

    fn remember_profile(self) {
        let profile = self.route.with_untracked(|route| route.profile.clone());
        let mut names = profiles();
        if !names.contains(&profile) {
            names.push(profile);
            if let Ok(text) = serde_json::to_string(&names) {
                browser::remember("haggle/profiles", &text);
            }
        }
    }
}

/// The names of the profiles that were used in this browser; the nameless one is empty.
pub(crate) fn profiles() -> Vec<String> {
    browser::remembered("haggle/profiles")
        .and_then(|text| serde_json::from_str(&text).ok())
        .unwrap_or_default()
}

/// What the peer complains of, in the language that is set.
pub(crate) fn sentence(complaint: &Complaint) -> String {
    let field = complaint.field.as_deref().unwrap_or_default();
    match (w().word.complaint)(&complaint.code, field) {
        Some(ours) => ours.to_owned(),
        None => called(|play| play.sentence(complaint.sentence.clone())),
    }
}

fn undone(error: crate::node::PeerError) -> Complaint {
    Complaint {
        code: error.code().to_owned(),
        field: None,
        sentence: error.to_string(),
    }
}

/// Where the form of what is asked for is kept while the window is open.
fn ask_key(profile: &str) -> String {
    format!("haggle/ask/{profile}")
}

/// Draws the page and starts the peer.
pub fn start() {
    browser::loaded();
    mount_to_body(|| {
        let desk = Desk::new();
        let words = &w().stop;
        browser::say_when_broken(words.stopped_heading, words.stopped_safe, words.reload);
        provide_context(desk);
        desk.run();
        crate::ui::page()
    });
}
