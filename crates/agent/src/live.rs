//! The running peer: events out, commands in.
//!
//! One loop. It prints what the peer tells, does what standard input says, takes a quote when that was asked for, and ends on a signal, with
//! everything saved. It waits for no answer: what was asked is under way beside it, so that a mint that says nothing keeps nobody from
//! hearing of his trades.

use std::collections::VecDeque;
use std::path::Path;
use std::pin::{Pin, pin};
use std::sync::OnceLock;
use std::time::Duration;

use futures::stream::FuturesUnordered;
use futures::{FutureExt as _, StreamExt as _};
use haggle_node::market::command::Payment;
use haggle_node::market::view::{IntentState, QuoteState};
use haggle_node::market::{
    Command, Complaint, Draft, Event as MarketEvent, Item, MyIntent, StallView,
};
use haggle_node::store::File;
use haggle_node::{Client, Config, Event, Events, backup, wallet};
use haggle_protocol::quote::Quote;
use haggle_protocol::{Custodian, IntentId, Keeper, Money, ThreadId};
use serde_json::{Value, json};
use tokio::io::{AsyncBufRead, AsyncBufReadExt as _, BufReader};

use crate::Error;
use crate::args::{Options, Task};
use crate::files::{self, Line};
use crate::mandate::{Beyond, Mandate, Order};
use crate::money;
use crate::stall::Shop;
use crate::talk::{Out, next_line, text};

/// How long the peer may take to end. Everything is saved by then.
const ENDING: Duration = Duration::from_secs(10);
/// Questions to the wallet that are under way or wait for that.
const WALLET_MAX: usize = 8;

/// Does a task, until it is at its end or `stop` is.
///
/// # Errors
/// The first [`Error`] that keeps it from going on.
pub async fn run(
    task: Task,
    options: Options,
    stop: impl Future<Output = ()>,
) -> Result<(), Error> {
    run_with(task, options, stop, Out::standard()).await
}

async fn run_with(
    task: Task,
    options: Options,
    stop: impl Future<Output = ()>,
    out: Out,
) -> Result<(), Error> {
    let client = OnceLock::new();
    // Whatever it waits for just then, a line that nobody reads included.
    let done = tokio::select! {
        () = stop => Ok(()),
        done = work(task, &options, &client, out) => done,
    };
    if let Some(client) = client.get() {
        // It is let go of either way.
        let _ = tokio::time::timeout(ENDING, client.close()).await;
    }
    done
}

async fn work(
    task: Task,
    options: &Options,
    client: &OnceLock<Client>,
    mut out: Out,
) -> Result<(), Error> {
    let lines = || BufReader::new(tokio::io::stdin());
    match task {
        Task::Print(text) => out.print(text.trim_end()).await,
        Task::Check(file) => {
            let shop = Shop::read(&file)?;
            let items = shop.items.len();
            out.say("checked", &json!({ "items": items })).await
        }
        Task::Stall(file) => {
            let shop = Shop::read(&file)?;
            let mandate = match &options.mandate {
                Some(other) => Shop::read(other)?.buy_per_day,
                None => shop.buy_per_day,
            };
            let mandate = Mandate::new(mandate);
            let mut agent = Agent::start(options, mandate, client, out).await?;
            agent.set_up(shop).await?;
            agent.live(None, lines()).await
        }
        Task::Ask { file, take } => {
            let draft = draft(&file)?;
            let mut agent = Agent::start(options, mandate(options)?, client, out).await?;
            let intent = agent.ask(draft).await?;
            agent.live(Some(Wish { intent, take }), lines()).await
        }
        Task::Restore(file) => restore(&file, &options.data, out).await,
        Task::Live => {
            let mut agent = Agent::start(options, mandate(options)?, client, out).await?;
            agent.live(None, lines()).await
        }
    }
}

/// Puts a backup into a data file that is not there yet. What opens it is the first line of standard input.
async fn restore(path: &Path, data: &Path, mut out: Out) -> Result<(), Error> {
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
    put_back(opened, data).await?;
    out.say("restored", &summary).await
}

/// Puts a backup into a data file that is not there yet, or leaves none.
async fn put_back(backup: backup::Backup, data: &Path) -> Result<(), Error> {
    let store = File::open(data).await?;
    let restored = backup.restore(&store).await;
    drop(store);
    if restored.is_err() {
        // Nothing of it is whole, and the next try would find it in its way. If it cannot be removed, that one says so.
        let _ = std::fs::remove_file(data);
    }
    Ok(restored?)
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
    out: Out,
    mandate: Mandate,
    escrow: Option<Custodian>,
    mine: Vec<MyIntent>,
    stall: Option<StallView>,
    /// What the peer was asked, and has not answered yet.
    asked: FuturesUnordered<Asked>,
    /// How many payouts are among that.
    payouts: usize,
    /// What the wallet is asked next.
    queue: VecDeque<wallet::Command>,
    /// Whether something is under way that this waits for.
    wallet_waits: bool,
    /// Whether a line is under way that the next one waits for, since lines are answered in their order.
    waits: bool,
}

/// An answer on its way.
type Asked = Pin<Box<dyn Future<Output = (About, Result<Value, Complaint>)> + Send>>;

/// What an answer is about.
enum About {
    /// The line that was read last.
    Line,
    /// That line or a wish, which is an order.
    Order(Order),
    /// Money: the next such line waits for it.
    Wallet,
    /// Money that is paid out, which takes as long as whoever does that.
    Payout,
}

impl Agent {
    /// Opens the peer and learns what it knows.
    async fn start(
        options: &Options,
        mandate: Mandate,
        opened: &OnceLock<Client>,
        out: Out,
    ) -> Result<Self, Error> {
        let store = File::open(&options.data).await?;
        let mut config = Config::new(options.relays.clone(), Box::new(store));
        config.agent = concat!("haggle-agent/", env!("CARGO_PKG_VERSION")).to_owned();
        config.rails = money::rails();
        config.hidden = options.hide;
        if let Some(network) = &options.network {
            config.network.clone_from(network);
        }
        let client = haggle_node::open(config).await?;
        let client = opened.get_or_init(|| client).clone();
        let mut agent = Self::over(client, mandate, options.escrow.clone(), out);
        if let Some(mint) = &options.escrow {
            agent.trust(mint).await?;
        }
        agent.begin().await?;
        Ok(agent)
    }

    fn over(client: Client, mandate: Mandate, escrow: Option<Custodian>, out: Out) -> Self {
        Self {
            events: client.events(),
            client,
            out,
            mandate,
            escrow,
            mine: Vec::new(),
            stall: None,
            asked: FuturesUnordered::new(),
            payouts: 0,
            queue: VecDeque::new(),
            wallet_waits: false,
            waits: false,
        }
    }

    /// Learns what the peer knows.
    async fn begin(&mut self) -> Result<(), Error> {
        loop {
            let event = self.events.next().await;
            let ready = matches!(event, Some(Event::Market(MarketEvent::Ready)));
            self.see(event).await?;
            if ready {
                return Ok(());
            }
        }
    }

    /// An event: remembered if it matters here, and printed.
    async fn see(&mut self, event: Option<Event>) -> Result<(), Error> {
        let Some(event) = event else {
            return Err(Error::Stopped("The peer has ended.".to_owned()));
        };
        match &event {
            Event::Stopped { sentence, .. } => {
                self.out.print(&text(&event)?).await?;
                return Err(Error::Stopped(sentence.clone()));
            }
            Event::Market(MarketEvent::Trade(trade)) => {
                self.mandate.see(trade);
            }
            Event::Market(MarketEvent::MyIntent(mine)) => {
                self.mine.retain(|known| known.id != mine.id);
                self.mine.push((**mine).clone());
            }
            Event::Market(MarketEvent::Stall(stall)) => {
                self.stall = Some((**stall).clone());
                // The items stand in the file; ten thousand of them after each order would drown everything else.
                let data = json!({ "items": stall.items.len(), "reserved": stall.reserved });
                return self.out.say("stall", &data).await;
            }
            Event::Market(
                MarketEvent::OpenIntent(_)
                | MarketEvent::Gone(_)
                | MarketEvent::Chat(_)
                | MarketEvent::Case(_)
                | MarketEvent::Forgotten(..)
                | MarketEvent::Ready,
            )
            | Event::Network(_)
            | Event::Wallet(_) => {}
        }
        self.out.print(&text(&event)?).await
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
        self.out.say("published", &intent).await?;
        Ok(intent)
    }

    async fn live(
        &mut self,
        wish: Option<Wish>,
        lines: impl AsyncBufRead + Unpin,
    ) -> Result<(), Error> {
        let mut lines = Some(lines.lines());
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
                Some((about, answer)) = self.asked.next() => self.answered(&about, &answer).await?,
                event = self.events.next() => self.see(event).await?,
                line = next_line(&mut lines), if !self.waits => self.obey(&line).await?,
                () = &mut take => taking = true,
            }
            if let Some(wish) = &wish {
                if taking && !self.waits && self.take_best(wish.intent).await? {
                    taking = false;
                }
                if self.asked.is_empty() && self.is_over(wish.intent) {
                    return Ok(());
                }
            }
        }
    }

    /// Begins what a line of standard input says.
    async fn obey(&mut self, text: &str) -> Result<(), Error> {
        if text.trim().is_empty() {
            return Ok(());
        }
        let line = match files::read(text) {
            Ok(line) => line,
            Err(complaint) => return self.out.answer(&Err(complaint)).await,
        };
        let client = self.client.clone();
        match line {
            Line::Command(Command::Accept {
                thread,
                total,
                note,
                escrow,
            }) => {
                let begun = self.accept(thread, total, note, escrow, json!("done"));
                if let Err(complaint) = begun {
                    return self.out.answer(&Err(complaint)).await;
                }
            }
            Line::Backup(to) => self.ask_for(About::Line, async move {
                let file = client.backup(to.passphrase).await?;
                files::save(&file, &to.path)?;
                Ok(json!("done"))
            }),
            Line::Phrase => self.ask_for(About::Line, async move {
                let words = client.phrase().await?;
                Ok(json!({ "phrase": words.join(" ") }))
            }),
            Line::Wallet(_) if self.wallet_questions() >= WALLET_MAX => {
                return self.out.answer(&Err(wallet_busy())).await;
            }
            Line::Wallet(command) => {
                self.queue.push_back(command);
                self.ask_wallet();
            }
            Line::Save(save) => self.ask_for(About::Line, async move {
                let file = client.file(save.file).await?;
                files::save(&file.bytes, &save.path)?;
                Ok(json!("done"))
            }),
            Line::Command(command) => self.ask_for(About::Line, async move {
                let reply = client.command(command).await?;
                Ok(json!(reply))
            }),
        }
        Ok(())
    }

    /// How many questions to the wallet are under way or wait for that.
    fn wallet_questions(&self) -> usize {
        self.queue.len() + usize::from(self.wallet_waits) + self.payouts
    }

    /// Asks the wallet what is next. It does one thing after the other, but waits for no payout.
    fn ask_wallet(&mut self) {
        while !self.wallet_waits {
            let Some(command) = self.queue.pop_front() else {
                return;
            };
            let about = if matches!(command, wallet::Command::Withdraw { .. }) {
                About::Payout
            } else {
                About::Wallet
            };
            let client = self.client.clone();
            self.ask_for(about, async move {
                let reply = client.wallet(money::RAIL, command).await?;
                Ok(json!({ "wallet": reply }))
            });
        }
    }

    /// A question to the peer, on its way.
    fn ask_for(
        &mut self,
        about: About,
        answer: impl Future<Output = Result<Value, Complaint>> + Send + 'static,
    ) {
        match about {
            About::Line | About::Order(_) => self.waits = true,
            About::Wallet => self.wallet_waits = true,
            About::Payout => self.payouts += 1,
        }
        self.asked.push(Box::pin(answer.map(|it| (about, it))));
    }

    /// The peer has answered.
    async fn answered(
        &mut self,
        about: &About,
        answer: &Result<Value, Complaint>,
    ) -> Result<(), Error> {
        match about {
            About::Line => self.waits = false,
            About::Order(order) => {
                self.waits = false;
                self.mandate.end(*order, answer.is_ok());
            }
            About::Wallet => {
                self.wallet_waits = false;
                self.ask_wallet();
            }
            About::Payout => self.payouts -= 1,
        }
        self.out.answer(answer).await
    }

    /// Takes a quote, if the mandate allows it; answered with `done`.
    fn accept(
        &mut self,
        thread: ThreadId,
        total: Money,
        note: Option<String>,
        escrow: Option<Payment>,
        done: Value,
    ) -> Result<(), Complaint> {
        let at = haggle_node::now();
        if let Some(payment) = &escrow {
            let locked = payment.keeper.asset;
            let allowed = Mandate::allows_lock(total, locked);
            allowed.map_err(|beyond| refusal("other-currency", "escrow", &beyond))?;
        }
        let quoted = |mine: &&MyIntent| mine.quotes.iter().any(|quote| quote.thread == thread);
        let intent = self.mine.iter().find(quoted).map(|mine| mine.id);
        let allowed = self.mandate.allows(total, intent, at);
        allowed.map_err(|beyond| refusal("beyond-mandate", "total", &beyond))?;
        // Counted before the trade is told of: two commands in a row do not spend the same money.
        let order = Order {
            thread,
            intent,
            total,
            at,
        };
        self.mandate.begin(order);
        let client = self.client.clone();
        let accept = Command::Accept {
            thread,
            total,
            note,
            escrow,
        };
        self.ask_for(About::Order(order), async move {
            client.command(accept).await?;
            Ok(done)
        });
        Ok(())
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
        let done = json!({ "accepted": { "thread": thread, "total": total } });
        if let Err(complaint) = self.accept(thread, total, None, escrow, done) {
            self.out.answer(&Err(complaint)).await?;
        }
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
        arbiter: None,
    })
}

/// What the mandate says no to.
fn refusal(code: &str, field: &str, beyond: &Beyond) -> Complaint {
    Complaint {
        code: code.to_owned(),
        field: Some(field.to_owned()),
        sentence: beyond.to_string(),
    }
}

fn wallet_busy() -> Complaint {
    Complaint {
        code: "wallet-busy".to_owned(),
        field: None,
        sentence: format!(
            "The wallet has {WALLET_MAX} questions to answer. Wait for one of the answers and ask again; this was not asked."
        ),
    }
}

#[cfg(test)]
mod tests;
