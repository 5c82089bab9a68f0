//! The running peer: events out, commands in.
//!
//! One loop. It prints what the peer tells, does what standard input says, takes a quote when that was asked for, and ends on a signal, with
//! everything saved.

use std::io::Write as _;
use std::path::Path;
use std::pin::pin;
use std::time::Duration;

use futures::{FutureExt as _, StreamExt as _};
use haggle_node::market::command::Payment;
use haggle_node::market::view::{IntentState, QuoteState};
use haggle_node::market::{
    Command, Complaint, Draft, Event as MarketEvent, Item, MyIntent, StallView,
};
use haggle_node::store::File;
use haggle_node::{Client, Config, Event, Events, backup, wallet};
use haggle_protocol::quote::Quote;
use haggle_protocol::{Custodian, IntentId, Keeper, ThreadId};
use serde::Serialize;
use serde_json::{Value, json};
use tokio::io::{AsyncBufReadExt as _, BufReader, Lines, Stdin};

use crate::Error;
use crate::args::{Options, Task};
use crate::files::{self, Line};
use crate::mandate::Mandate;
use crate::money;
use crate::stall::Shop;

/// Does a task, until it is at its end or `stop` is.
///
/// # Errors
/// The first [`Error`] that keeps it from going on.
pub async fn run(
    task: Task,
    options: Options,
    stop: impl Future<Output = ()>,
) -> Result<(), Error> {
    match task {
        Task::Print(text) => print(text.trim_end()),
        Task::Check(file) => {
            let shop = Shop::read(&file)?;
            print(&line("checked", &json!({ "items": shop.items.len() }))?)
        }
        Task::Stall(file) => {
            let shop = Shop::read(&file)?;
            let mandate = match &options.mandate {
                Some(other) => Shop::read(other)?.buy_per_day,
                None => shop.buy_per_day,
            };
            let mut agent = Agent::start(&options, Mandate::new(mandate)).await?;
            agent.set_up(shop).await?;
            agent.live(None, stop).await
        }
        Task::Ask { file, take } => {
            let draft = draft(&file)?;
            let mut agent = Agent::start(&options, mandate(&options)?).await?;
            let intent = agent.ask(draft).await?;
            agent.live(Some(Wish { intent, take }), stop).await
        }
        Task::Restore(file) => restore(&file, &options.data).await,
        Task::Live => {
            let mut agent = Agent::start(&options, mandate(&options)?).await?;
            agent.live(None, stop).await
        }
    }
}

/// Puts a backup into a data file that is not there yet. What opens it is the first line of standard input.
async fn restore(path: &Path, data: &Path) -> Result<(), Error> {
    let named = || path.display().to_string();
    let bytes = std::fs::read(path).map_err(|why| Error::File { path: named(), why })?;
    if data.exists() {
        let why = std::io::ErrorKind::AlreadyExists.into();
        let path = data.display().to_string();
        return Err(Error::File { path, why });
    }
    let mut lines = BufReader::new(tokio::io::stdin()).lines();
    let secret = lines.next_line().await.map_err(Error::System)?;
    let secret = backup::Secret::typed(&secret.unwrap_or_default());
    let opened = backup::open(&bytes, &secret).map_err(Complaint::from)?;
    let summary = opened.summary();
    let store = File::open(data).await?;
    opened.restore(&store).await?;
    print(&line("restored", &summary)?)
}

fn mandate(options: &Options) -> Result<Mandate, Error> {
    let shop = options.mandate.as_deref().map(Shop::read).transpose()?;
    Ok(Mandate::new(shop.and_then(|shop| shop.buy_per_day)))
}

fn draft(path: &Path) -> Result<Draft, Error> {
    let named = || path.display().to_string();
    let text = std::fs::read_to_string(path).map_err(|why| Error::File { path: named(), why })?;
    serde_json::from_str(&text).map_err(|error| Error::Content {
        path: named(),
        why: error.to_string(),
    })
}

/// What `haggle ask` waits for.
struct Wish {
    intent: IntentId,
    /// After so many seconds the best quote is taken.
    take: Option<u64>,
}

/// A peer that a program runs.
struct Agent {
    client: Client,
    events: Events,
    mandate: Mandate,
    escrow: Option<Custodian>,
    mine: Vec<MyIntent>,
    stall: Option<StallView>,
}

impl Agent {
    /// Opens the peer and learns what it knows.
    async fn start(options: &Options, mandate: Mandate) -> Result<Self, Error> {
        let store = File::open(&options.data).await?;
        let mut config = Config::new(options.relays.clone(), Box::new(store));
        config.agent = concat!("haggle-agent/", env!("CARGO_PKG_VERSION")).to_owned();
        config.rails = money::rails();
        if let Some(network) = &options.network {
            config.network.clone_from(network);
        }
        let client = haggle_node::open(config).await?;
        let mut agent = Self {
            events: client.events(),
            client,
            mandate,
            escrow: options.escrow.clone(),
            mine: Vec::new(),
            stall: None,
        };
        if let Some(mint) = &options.escrow {
            agent.trust(mint).await?;
        }
        loop {
            let event = agent.events.next().await;
            let ready = matches!(event, Some(Event::Market(MarketEvent::Ready)));
            agent.see(event)?;
            if ready {
                return Ok(agent);
            }
        }
    }

    /// An event: remembered if it matters here, and printed.
    fn see(&mut self, event: Option<Event>) -> Result<(), Error> {
        let Some(event) = event else {
            return Err(Error::Stopped("The peer has ended.".to_owned()));
        };
        let text = match &event {
            Event::Stopped { sentence, .. } => {
                print(&text(&event)?)?;
                return Err(Error::Stopped(sentence.clone()));
            }
            Event::Market(MarketEvent::Trade(trade)) => {
                self.mandate.see(trade);
                text(&event)?
            }
            Event::Market(MarketEvent::MyIntent(mine)) => {
                self.mine.retain(|known| known.id != mine.id);
                self.mine.push((**mine).clone());
                text(&event)?
            }
            Event::Market(MarketEvent::Stall(stall)) => {
                self.stall = Some((**stall).clone());
                // The items stand in the file; ten thousand of them after each order would drown everything else.
                let data = json!({ "items": stall.items.len(), "reserved": stall.reserved });
                line("stall", &data)?
            }
            Event::Market(
                MarketEvent::OpenIntent(_)
                | MarketEvent::Gone(_)
                | MarketEvent::Chat(_)
                | MarketEvent::Forgotten(..)
                | MarketEvent::Ready,
            )
            | Event::Network(_)
            | Event::Wallet(_) => text(&event)?,
        };
        print(&text)
    }

    /// Names a mint as one to keep money with, since its owner has.
    async fn trust(&self, mint: &Custodian) -> Result<(), Complaint> {
        let custodian = mint.clone();
        let trust = wallet::Command::Trust { custodian };
        self.client.wallet(money::RAIL, trust).await.map(drop)
    }

    /// Makes the peer's stall like its file.
    async fn set_up(&mut self, shop: Shop) -> Result<(), Error> {
        let known = self.stall.take();
        let known = known.as_ref();
        let items: &[Item] = known.map_or(&[], |stall| &stall.items);
        for old in items {
            if !shop.items.iter().any(|item| item.id == old.id) {
                self.client.remove_item(old.id).await?;
            }
        }
        for keeper in &shop.rules.keepers {
            self.trust(&keeper.custodian).await?;
        }
        // Before the items, so that none is answered by rules that no longer hold.
        if known.is_none_or(|stall| stall.rules != shop.rules) {
            self.client.set_rules(shop.rules).await?;
        }
        if known.is_none_or(|stall| stall.profile != shop.profile) {
            self.client.set_profile(shop.profile).await?;
        }
        let mut changed = shop.items;
        changed.retain(|item| !items.contains(item));
        if !changed.is_empty() {
            self.client.command(Command::PutItems(changed)).await?;
        }
        Ok(())
    }

    /// Publishes a request, unless the very same is open already: after a restart it goes on.
    async fn ask(&mut self, draft: Draft) -> Result<IntentId, Error> {
        let same = |mine: &&MyIntent| {
            mine.draft == draft && matches!(mine.state, IntentState::Open | IntentState::Ordered)
        };
        let intent = match self.mine.iter().find(same) {
            Some(open) => open.id,
            None => self.client.publish(draft).await?,
        };
        print(&line("published", &intent)?)?;
        Ok(intent)
    }

    async fn live(
        &mut self,
        wish: Option<Wish>,
        stop: impl Future<Output = ()>,
    ) -> Result<(), Error> {
        let mut stop = pin!(stop.fuse());
        let mut told = Some(BufReader::new(tokio::io::stdin()).lines());
        let take = wish.as_ref().and_then(|wish| wish.take);
        let mut take = pin!(
            async move {
                match take {
                    Some(seconds) => tokio::time::sleep(Duration::from_secs(seconds)).await,
                    None => std::future::pending().await,
                }
            }
            .fuse()
        );
        let mut taking = false;
        loop {
            tokio::select! {
                () = &mut stop => break,
                event = self.events.next() => self.see(event)?,
                command = next_line(&mut told) => self.obey(&command).await?,
                () = &mut take => taking = true,
            }
            if let Some(wish) = &wish {
                if taking && self.take_best(wish.intent).await? {
                    taking = false;
                }
                if self.is_over(wish.intent) {
                    break;
                }
            }
        }
        self.client.close().await;
        Ok(())
    }

    /// Carries out a line of standard input.
    async fn obey(&mut self, text: &str) -> Result<(), Error> {
        if text.trim().is_empty() {
            return Ok(());
        }
        let answer = match files::read(text) {
            Ok(Line::Command(Command::Accept {
                thread,
                total,
                note,
                escrow,
            })) => {
                let taken = self.accept(thread, total, note, escrow).await;
                taken.map(|()| json!("done"))
            }
            Ok(Line::Backup(to)) => {
                let file = self.client.backup(to.passphrase).await;
                let saved = file.and_then(|file| files::save(&file, &to.path));
                saved.map(|()| json!("done"))
            }
            Ok(Line::Phrase) => {
                let words = self.client.phrase().await;
                words.map(|words| json!({ "phrase": words.join(" ") }))
            }
            Ok(Line::Wallet(command)) => {
                let reply = self.client.wallet(money::RAIL, command).await;
                reply.map(|reply| json!({ "wallet": reply }))
            }
            Ok(Line::Save(save)) => {
                let file = self.client.file(save.file).await;
                let saved = file.and_then(|file| files::save(&file.bytes, &save.path));
                saved.map(|()| json!("done"))
            }
            Ok(Line::Command(command)) => {
                let reply = self.client.command(command).await;
                reply.map(|reply| json!(reply))
            }
            Err(complaint) => Err(complaint),
        };
        print(&answered(&answer)?)
    }

    /// Takes a quote, if the mandate allows it.
    async fn accept(
        &mut self,
        thread: ThreadId,
        total: haggle_protocol::Money,
        note: Option<String>,
        escrow: Option<Payment>,
    ) -> Result<(), Complaint> {
        let now = haggle_node::now();
        self.mandate
            .allows(total, now)
            .map_err(|beyond| Complaint {
                code: "beyond-mandate".to_owned(),
                field: Some("total".to_owned()),
                sentence: beyond.to_string(),
            })?;
        // Counted before the trade is told of: two commands in a row do not spend the same money.
        self.mandate.spend(thread, total, now);
        let accept = Command::Accept {
            thread,
            total,
            note,
            escrow,
        };
        let taken = self.client.command(accept).await.map(drop);
        if taken.is_err() {
            self.mandate.take_back(thread);
        }
        taken
    }

    /// Takes the best standing quote for a request, if there is one. Returns whether it was tried.
    async fn take_best(&mut self, intent: IntentId) -> Result<bool, Error> {
        let mine = self.mine.iter().find(|mine| mine.id == intent);
        let Some(mine) = mine.filter(|mine| mine.state == IntentState::Open) else {
            return Ok(false);
        };
        let standing = mine
            .quotes
            .iter()
            .filter(|quote| quote.state == QuoteState::Standing);
        let payable = standing.filter_map(|quote| match &self.escrow {
            None => Some((quote, None)),
            Some(mint) => payment(&quote.quote, mint).map(|payment| (quote, Some(payment))),
        });
        let Some((best, escrow)) = payable.min_by_key(|(quote, _)| quote.rank) else {
            return Ok(false);
        };
        let (thread, total) = (best.thread, best.quote.total);
        let taken = self.accept(thread, total, None, escrow).await;
        let taken = taken.map(|()| json!({ "accepted": { "thread": thread, "total": total } }));
        print(&answered(&taken)?)?;
        Ok(true)
    }

    /// Whether a request has come to its end: nobody waits for anything any more.
    fn is_over(&self, intent: IntentId) -> bool {
        let mine = self.mine.iter().find(|mine| mine.id == intent);
        mine.is_some_and(|mine| match mine.state {
            IntentState::Open | IntentState::Ordered | IntentState::Awarded => false,
            IntentState::Withdrawn | IntentState::Expired => true,
        })
    }
}

/// How a quote can be paid through a mint, in its own currency: only a person agrees to a rate.
fn payment(quote: &Quote, mint: &Custodian) -> Option<Payment> {
    let fits = |keeper: &&Keeper| {
        keeper.rail == money::RAIL && keeper.custodian == *mint && keeper.asset == quote.total.asset
    };
    let keeper = quote.keepers.iter().find(fits)?.clone();
    Some(Payment {
        keeper,
        minor: None,
    })
}

/// The next line of standard input; never, once that has ended.
async fn next_line(lines: &mut Option<Lines<BufReader<Stdin>>>) -> String {
    if let Some(open) = lines {
        if let Ok(Some(line)) = open.next_line().await {
            return line;
        }
        *lines = None;
    }
    std::future::pending().await
}

fn answered(answer: &Result<Value, Complaint>) -> Result<String, Error> {
    match answer {
        Ok(reply) => line("reply", reply),
        Err(complaint) => line("complaint", complaint),
    }
}

fn line(kind: &str, data: &impl Serialize) -> Result<String, Error> {
    text(&json!({ "type": kind, "data": data }))
}

fn text(value: &impl Serialize) -> Result<String, Error> {
    serde_json::to_string(value).map_err(|error| Error::System(error.into()))
}

/// One line, at once: whoever reads along waits for it.
fn print(line: &str) -> Result<(), Error> {
    let mut out = std::io::stdout().lock();
    writeln!(out, "{line}")
        .and_then(|()| out.flush())
        .map_err(Error::System)
}
