//! The handle that faces hold: cheap to clone, every method a question to the loop.

use futures::SinkExt;
use futures::channel::{mpsc, oneshot};
use haggle_market::command::{NewFile, Preview, Profile, QuoteDraft};
use haggle_market::view::TradeStep;
use haggle_market::{Command, Complaint, Draft, Item, ItemId, Reply, Rules};
use haggle_protocol::trade::{CancelReason, DeclineReason};
use haggle_protocol::{FileId, IntentId, Money, ThreadId, Timestamp};
use zeroize::Zeroizing;

use crate::event::Event;
use crate::feed::{Events, Feed};
use crate::wallet;

/// Questions that may wait for the loop before the next asker waits too.
pub(crate) const ASKS: usize = 32;

/// A question to the loop.
pub(crate) enum Ask {
    Command(Box<Command>, oneshot::Sender<Result<Reply, Complaint>>),
    Preview(Box<Draft>, oneshot::Sender<Result<Preview, Complaint>>),
    Listen(Feed),
    AddRelay(String, oneshot::Sender<Result<(), Complaint>>),
    RemoveRelay(String, oneshot::Sender<Result<(), Complaint>>),
    Hide(bool, oneshot::Sender<Result<(), Complaint>>),
    Phrase(oneshot::Sender<Result<Vec<&'static str>, Complaint>>),
    WrittenDown(oneshot::Sender<Result<(), Complaint>>),
    Safe(oneshot::Sender<Result<Safe, Complaint>>),
    Backup(
        Option<Zeroizing<String>>,
        oneshot::Sender<Result<Vec<u8>, Complaint>>,
    ),
    File(FileId, oneshot::Sender<Result<NewFile, Complaint>>),
    Wallet(
        String,
        wallet::Command,
        oneshot::Sender<Result<wallet::Reply, Complaint>>,
    ),
    Close(oneshot::Sender<()>),
}

/// What of this profile would survive the loss of this device.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub struct Safe {
    /// When its owner last showed that he has the phrase.
    pub phrase: Option<Timestamp>,
    /// When a backup file was last written.
    pub file: Option<Timestamp>,
}

/// A handle to a running peer. Clones speak to the same peer; it ends with [`Client::close`], or when the last clone is
/// gone.
#[derive(Clone)]
pub struct Client {
    asks: mpsc::Sender<Ask>,
}

impl core::fmt::Debug for Client {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        f.write_str("Client(..)")
    }
}

impl Client {
    pub(crate) fn new() -> (Self, mpsc::Receiver<Ask>) {
        let (asks, receiver) = mpsc::channel(ASKS);
        (Self { asks }, receiver)
    }

    async fn ask<T>(
        &self,
        ask: impl FnOnce(oneshot::Sender<Result<T, Complaint>>) -> Ask,
    ) -> Result<T, Complaint> {
        let (answer, answered) = oneshot::channel();
        let sent = self.asks.clone().send(ask(answer)).await;
        sent.map_err(|_| stopped())?;
        answered.await.unwrap_or_else(|_| Err(stopped()))
    }

    /// Has a command carried out.
    ///
    /// # Errors
    /// The market's [`Complaint`]; `peer-stopped` once the peer has ended.
    pub async fn command(&self, command: Command) -> Result<Reply, Complaint> {
        self.ask(|answer| Ask::Command(Box::new(command), answer))
            .await
    }

    /// What of a draft everybody would see, and what stays here.
    ///
    /// # Errors
    /// As [`Client::command`].
    pub async fn preview(&self, draft: Draft) -> Result<Preview, Complaint> {
        self.ask(|answer| Ask::Preview(Box::new(draft), answer))
            .await
    }

    /// Everything that is known, ending with the market's `Ready`, then what happens. A slow listener misses no state:
    /// of what waits for it, news replaces what it makes old.
    pub fn events(&self) -> Events {
        let (feed, events) = Feed::new();
        // A fresh clone of the sender always has a place in the queue, so this only fails if the loop has ended.
        let listening = self.asks.clone().try_send(Ask::Listen(feed.clone()));
        if listening.is_err() {
            let Complaint { code, sentence, .. } = stopped();
            feed.push(Event::Stopped { code, sentence });
            feed.end();
        }
        events
    }

    /// Connects to one more relay, now and after every restart.
    ///
    /// # Errors
    /// `bad-address` if it is no multiaddr that ends with `/p2p/<peer>`, `unsupported-address` if this peer cannot dial
    /// it, `too-many-relays`, and as [`Client::command`].
    pub async fn add_relay(&self, address: String) -> Result<(), Complaint> {
        self.ask(|answer| Ask::AddRelay(address, answer)).await
    }

    /// Forgets a relay and hangs up.
    ///
    /// # Errors
    /// `no-such-relay`, and as [`Client::command`].
    pub async fn remove_relay(&self, address: String) -> Result<(), Complaint> {
        self.ask(|answer| Ask::RemoveRelay(address, answer)).await
    }

    /// Hides the network address from other traders, or shows it again; remembered. While it is hidden no connection between browsers
    /// is made, those that there are end, and everything goes through relays.
    ///
    /// # Errors
    /// As [`Client::command`].
    pub async fn hide(&self, hidden: bool) -> Result<(), Complaint> {
        self.ask(|answer| Ask::Hide(hidden, answer)).await
    }

    /// The words that bring back this trader's reputation and open requests. Whoever has them has both.
    ///
    /// # Errors
    /// As [`Client::command`].
    pub async fn phrase(&self) -> Result<Vec<&'static str>, Complaint> {
        self.ask(Ask::Phrase).await
    }

    /// The person has shown that he has the phrase.
    ///
    /// # Errors
    /// As [`Client::command`].
    pub async fn written_down(&self) -> Result<(), Complaint> {
        self.ask(Ask::WrittenDown).await
    }

    /// What would survive the loss of this device.
    ///
    /// # Errors
    /// As [`Client::command`].
    pub async fn safe(&self) -> Result<Safe, Complaint> {
        self.ask(Ask::Safe).await
    }

    /// Everything that is saved, as an encrypted file that the phrase opens and, if one is given, the passphrase; see
    /// [`crate::backup`].
    ///
    /// # Errors
    /// `backup-passphrase`, `backup-too-large`, and as [`Client::command`].
    pub async fn backup(&self, passphrase: Option<String>) -> Result<Vec<u8>, Complaint> {
        let passphrase = passphrase.map(Zeroizing::new);
        self.ask(|answer| Ask::Backup(passphrase, answer)).await
    }

    /// Asks a rail about my money with it; see [`wallet::Command`].
    ///
    /// # Errors
    /// The rail's own code (`not-trusted`, `not-enough`, `unknown`, …) and as [`Client::command`].
    pub async fn wallet(
        &self,
        rail: &str,
        command: wallet::Command,
    ) -> Result<wallet::Reply, Complaint> {
        let rail = rail.to_owned();
        self.ask(|answer| Ask::Wallet(rail, command, answer)).await
    }

    /// Ends the peer: nothing is announced, everything is saved already, and the store is free for the next one.
    pub async fn close(&self) {
        let (answer, answered) = oneshot::channel();
        if self.asks.clone().send(Ask::Close(answer)).await.is_ok() {
            // An error means that the loop has ended, which is what was asked for.
            let _ = answered.await;
        }
    }

    /// Says out loud what I want.
    ///
    /// # Errors
    /// As [`Client::command`].
    pub async fn publish(&self, draft: Draft) -> Result<IntentId, Complaint> {
        match self.command(Command::Publish(Box::new(draft))).await? {
            Reply::Published(id) => Ok(id),
            other @ (Reply::Done | Reply::Item(_) | Reply::Quoted(_) | Reply::Inquired(_)) => {
                Err(unexpected(&other))
            }
        }
    }

    /// Changes what I want; the name stays.
    ///
    /// # Errors
    /// As [`Client::command`].
    pub async fn revise(&self, intent: IntentId, draft: Draft) -> Result<(), Complaint> {
        let draft = Box::new(draft);
        self.done(Command::Revise { intent, draft }).await
    }

    /// I no longer want it.
    ///
    /// # Errors
    /// As [`Client::command`].
    pub async fn withdraw(&self, intent: IntentId) -> Result<(), Complaint> {
        self.done(Command::Withdraw { intent }).await
    }

    /// Puts an item into my stall, or changes the one of its id.
    ///
    /// # Errors
    /// As [`Client::command`].
    pub async fn put_item(&self, item: Item) -> Result<ItemId, Complaint> {
        match self.command(Command::PutItem(Box::new(item))).await? {
            Reply::Item(id) => Ok(id),
            other @ (Reply::Done | Reply::Published(_) | Reply::Quoted(_) | Reply::Inquired(_)) => {
                Err(unexpected(&other))
            }
        }
    }

    /// Takes an item out of my stall.
    ///
    /// # Errors
    /// As [`Client::command`].
    pub async fn remove_item(&self, item: ItemId) -> Result<(), Complaint> {
        self.done(Command::RemoveItem { item }).await
    }

    /// Sets how my stall answers.
    ///
    /// # Errors
    /// As [`Client::command`].
    pub async fn set_rules(&self, rules: Rules) -> Result<(), Complaint> {
        self.done(Command::SetRules(rules)).await
    }

    /// Sets who I am to the one I trade with.
    ///
    /// # Errors
    /// As [`Client::command`].
    pub async fn set_profile(&self, profile: Profile) -> Result<(), Complaint> {
        self.done(Command::SetProfile(profile)).await
    }

    /// Answers an open intent by hand, or improves on my last quote.
    ///
    /// # Errors
    /// As [`Client::command`].
    pub async fn quote(&self, draft: QuoteDraft) -> Result<ThreadId, Complaint> {
        match self.command(Command::Quote(Box::new(draft))).await? {
            Reply::Quoted(thread) => Ok(thread),
            other @ (Reply::Done | Reply::Published(_) | Reply::Item(_) | Reply::Inquired(_)) => {
                Err(unexpected(&other))
            }
        }
    }

    /// Says no to an open intent, or stops seeing it.
    ///
    /// # Errors
    /// As [`Client::command`].
    pub async fn dismiss(
        &self,
        intent: IntentId,
        reason: Option<DeclineReason>,
    ) -> Result<(), Complaint> {
        self.done(Command::Dismiss { intent, reason }).await
    }

    /// Takes this seller's newest quote, whose total is `total`.
    ///
    /// # Errors
    /// As [`Client::command`].
    pub async fn accept(
        &self,
        thread: ThreadId,
        total: Money,
        note: Option<String>,
    ) -> Result<(), Complaint> {
        self.done(Command::Accept {
            thread,
            total,
            note,
            escrow: None,
        })
        .await
    }

    /// Says to this seller what I would pay instead: three times at most, each time more.
    ///
    /// # Errors
    /// As [`Client::command`].
    pub async fn counter(
        &self,
        thread: ThreadId,
        total: Money,
        note: Option<String>,
    ) -> Result<(), Complaint> {
        self.done(Command::Counter {
            thread,
            total,
            note,
        })
        .await
    }

    /// Quotes anew at what the buyer of this exchange has offered.
    ///
    /// # Errors
    /// As [`Client::command`].
    pub async fn meet(&self, thread: ThreadId) -> Result<(), Complaint> {
        self.done(Command::Meet { thread }).await
    }

    /// Asks the owner of an open intent something before a quote; gives the exchange it is asked in.
    ///
    /// # Errors
    /// As [`Client::command`].
    pub async fn inquire(&self, intent: IntentId, text: String) -> Result<ThreadId, Complaint> {
        match self.command(Command::Inquire { intent, text }).await? {
            Reply::Inquired(thread) => Ok(thread),
            other @ (Reply::Done | Reply::Published(_) | Reply::Item(_) | Reply::Quoted(_)) => {
                Err(unexpected(&other))
            }
        }
    }

    /// Says something to the other side of an exchange, with up to four files; the text may be empty beside one.
    ///
    /// # Errors
    /// As [`Client::command`].
    pub async fn say(
        &self,
        thread: ThreadId,
        text: String,
        files: Vec<NewFile>,
    ) -> Result<(), Complaint> {
        self.done(Command::Say {
            thread,
            text,
            files,
        })
        .await
    }

    /// I have looked at what the other side of an exchange has said so far; nobody is told.
    ///
    /// # Errors
    /// As [`Client::command`].
    pub async fn read(&self, thread: ThreadId) -> Result<(), Complaint> {
        self.done(Command::Read { thread }).await
    }

    /// Reads a file that is here as a whole.
    ///
    /// # Errors
    /// `no-such-file`, `file-damaged`, and as [`Client::command`].
    pub async fn file(&self, file: FileId) -> Result<NewFile, Complaint> {
        self.ask(|answer| Ask::File(file, answer)).await
    }

    /// Fetches a file that the other side has named and that does not come by itself.
    ///
    /// # Errors
    /// As [`Client::command`].
    pub async fn fetch(&self, file: FileId) -> Result<(), Complaint> {
        self.done(Command::Fetch { file }).await
    }

    /// Keeps a file no more.
    ///
    /// # Errors
    /// As [`Client::command`].
    pub async fn remove_file(&self, file: FileId) -> Result<(), Complaint> {
        self.done(Command::RemoveFile { file }).await
    }

    /// Binds me to an order.
    ///
    /// # Errors
    /// As [`Client::command`].
    pub async fn confirm(
        &self,
        thread: ThreadId,
        payment: Option<String>,
        note: Option<String>,
    ) -> Result<(), Complaint> {
        self.done(Command::Confirm {
            thread,
            payment,
            note,
        })
        .await
    }

    /// Does not confirm an order.
    ///
    /// # Errors
    /// As [`Client::command`].
    pub async fn refuse(&self, thread: ThreadId, reason: DeclineReason) -> Result<(), Complaint> {
        self.done(Command::Refuse { thread, reason }).await
    }

    /// Sends who and where to the other side of a confirmed trade.
    ///
    /// # Errors
    /// As [`Client::command`].
    pub async fn send_contact(&self, thread: ThreadId, profile: Profile) -> Result<(), Complaint> {
        self.done(Command::SendContact { thread, profile }).await
    }

    /// Says that a step of mine in a confirmed trade is taken, with up to four files.
    ///
    /// # Errors
    /// As [`Client::command`].
    pub async fn report(
        &self,
        thread: ThreadId,
        step: TradeStep,
        note: Option<String>,
        files: Vec<NewFile>,
    ) -> Result<(), Complaint> {
        self.done(Command::Report {
            thread,
            step,
            note,
            files,
            code: None,
        })
        .await
    }

    /// Says that I have handed it over, and shows the code that the buyer has told me.
    ///
    /// # Errors
    /// `bad-code`, `wrong-code`, `no-code`, and as [`Client::command`].
    pub async fn deliver(
        &self,
        thread: ThreadId,
        code: String,
        note: Option<String>,
    ) -> Result<(), Complaint> {
        self.done(Command::Report {
            thread,
            step: TradeStep::Delivered,
            note,
            files: Vec::new(),
            code: Some(code),
        })
        .await
    }

    /// Does not go on with an order of mine, or with a confirmed trade of which nothing was sent yet.
    ///
    /// # Errors
    /// As [`Client::command`].
    pub async fn cancel(
        &self,
        thread: ThreadId,
        reason: CancelReason,
        note: Option<String>,
    ) -> Result<(), Complaint> {
        self.done(Command::Cancel {
            thread,
            reason,
            note,
        })
        .await
    }

    /// For commands whose reply says nothing new.
    async fn done(&self, command: Command) -> Result<(), Complaint> {
        self.command(command).await.map(drop)
    }
}

/// What every question gets once the peer has ended.
fn stopped() -> Complaint {
    Complaint {
        code: "peer-stopped".to_owned(),
        field: None,
        sentence:
            "Haggle has stopped here. Everything that was confirmed is saved; reload to go on."
                .to_owned(),
    }
}

fn unexpected(reply: &Reply) -> Complaint {
    Complaint {
        code: "unexpected-reply".to_owned(),
        field: None,
        sentence: format!("This was done, but answered in an unexpected way ({reply:?})."),
    }
}
