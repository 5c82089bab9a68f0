//! The loop: waits for one thing to happen, deals with it, and looks after what follows.
//!
//! One's own questions and one's own times come before what strangers send, and a turn is one event of any kind, so a
//! flood from the network delays a command by one event and not by the flood. When events come without a pause, the loop
//! steps aside now and then: in a browser everything else lives in the same thread.

use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::future::poll_fn;
use std::sync::Arc;
use std::task::{Context, Poll};
use std::time::Duration;

use futures::channel::{mpsc, oneshot};
use futures::{FutureExt, StreamExt};
use futures_timer::Delay;
use haggle_book::Source;
use haggle_market::command::NewFile;
use haggle_market::input::Heard;
use haggle_market::{Command, Complaint, Effects, Input, Market, Ticket, record};
use haggle_net::book::Rates;
use haggle_protocol::reach::Circuit;
use haggle_protocol::{FileId, Network, PublicKey, Timestamp};
use haggle_store::{Store, Write};
use libp2p::request_response::OutboundRequestId;
use libp2p::swarm::{ConnectionId, SwarmEvent};
use libp2p::{Multiaddr, PeerId, StreamProtocol, Swarm};

use crate::backup;
use crate::behaviour::{Behaviour, BehaviourEvent};
use crate::client::{ASKS, Ask, Safe};
use crate::clock::{self, Instant};
use crate::config::{SAFE, roll};
use crate::event::{Event, Link, NetworkView};
use crate::feed::Feed;
use crate::mints::{Carry, Mints};
use crate::paths::{Path, Paths};
use crate::paying::{Done, Paying, RailSetup};
use crate::perform::About;
use crate::relays::{Relays, Remembered};
use crate::said::Said;
use crate::swarm::DIRECT;
use crate::sync::Sync;
use crate::wallet;
use crate::whispers::Whispers;

/// How often the loop looks after what has no event of its own: waits that are over, the view of the network.
const PULSE: Duration = Duration::from_secs(1);
/// For this long the loop works without a pause; then it lets a page draw and a person click.
const STINT: Duration = Duration::from_millis(12);
/// Questions that are answered in a row while the network has something to say.
const ASKS_IN_A_ROW: usize = ASKS;
/// Whispers that one peer may send at once, and the seconds until it has earned one more. A trade is a dozen messages.
const WHISPERS: (u64, u64) = (30, 1);
/// Pieces of files that one peer may fetch at once, and the seconds until it has earned one more: the files of one message,
/// and then 64 KiB in a second.
const PIECES: (u64, u64) = (256, 1);
/// Frames from books that wait to be looked at; while there are any, no book is asked for more.
const BACKLOG_MAX: usize = 16_384;

/// What a peer is made of.
pub(crate) struct Parts {
    pub(crate) swarm: Swarm<Behaviour>,
    pub(crate) market: Market,
    pub(crate) store: Arc<dyn Store>,
    pub(crate) asks: mpsc::Receiver<Ask>,
    pub(crate) network: Network,
    /// The public half of the identity.
    pub(crate) key: PublicKey,
    /// Whether the network address is hidden from other traders.
    pub(crate) hidden: bool,
    /// Whom we hide from and have dealt with before.
    pub(crate) kept_off: BTreeSet<PeerId>,
    pub(crate) safe: Safe,
    pub(crate) rails: Vec<RailSetup>,
}

/// A running peer.
pub(crate) struct Peer {
    pub(crate) swarm: Swarm<Behaviour>,
    pub(crate) market: Market,
    pub(crate) store: Arc<dyn Store>,
    asks: mpsc::Receiver<Ask>,
    pub(crate) network: Network,
    pub(crate) key: PublicKey,

    pub(crate) feeds: Vec<Feed>,
    view: NetworkView,
    pub(crate) refusals: BTreeMap<String, u64>,

    pub(crate) relays: Relays,
    /// Relays are to be looked after now and not only at the next pulse.
    pub(crate) tend: bool,
    /// Who is said by Kademlia to keep a book, until an address is known.
    pub(crate) providers: BTreeSet<PeerId>,
    /// What peers that are not known as relays, but directly connected, told of themselves.
    pub(crate) identified: BTreeMap<PeerId, (Vec<StreamProtocol>, Vec<Multiaddr>)>,
    /// Where the market was told that we can be reached.
    pub(crate) reach: Vec<Circuit>,
    /// When to look for further relays.
    pub(crate) look_at: Instant,
    /// How often that was done since relays came or went.
    pub(crate) looks: u32,

    pub(crate) said: Said,
    /// When everything was offered again to a new neighbour.
    pub(crate) offered: Instant,
    pub(crate) sync: Sync,
    pub(crate) readings: BTreeMap<OutboundRequestId, u64>,
    pub(crate) readers: Rates,
    pub(crate) whispers: Whispers,
    pub(crate) sendings: BTreeMap<(Path, OutboundRequestId), u64>,
    pub(crate) paths: Paths,
    /// Direct connections with other browsers.
    pub(crate) direct: BTreeMap<ConnectionId, PeerId>,
    /// Of those, who keeps a book.
    pub(crate) keepers: BTreeSet<PeerId>,
    pub(crate) hidden: bool,
    safe: Safe,
    /// Private messages that travelled directly, and through relays.
    pub(crate) private: BTreeMap<Path, u64>,
    pub(crate) whisperers: Rates,
    pub(crate) fetchers: Rates,
    /// Relays that only a stranger named, dialed in the minute that began then.
    pub(crate) strangers: (Instant, u32),

    /// What the shell itself has to tell the market.
    pub(crate) own: VecDeque<Input>,
    pub(crate) backlog: VecDeque<(Vec<u8>, Source)>,
    pub(crate) paying: Paying,
    pub(crate) mints: Mints,
    /// What there is with each rail, as it was told last.
    wallets: BTreeMap<String, wallet::View>,
    tickets: u64,
    /// What the alarm is set to.
    due: Option<Timestamp>,
    alarm: Delay,
    pulse: Delay,
    asked_in_a_row: usize,
    books_turn: bool,
}

/// One thing that happened.
enum Turn {
    /// `None`: nobody is left who could ask.
    Ask(Option<Ask>),
    Alarm,
    Pulse,
    Own(Input),
    Rail(Done),
    Mint(Carry),
    Backlog(Vec<u8>, Source),
    Swarm(Box<SwarmEvent<BehaviourEvent>>),
}

/// How the loop goes on.
enum Next {
    On,
    End(Option<oneshot::Sender<()>>),
}

impl Peer {
    pub(crate) fn new(parts: Parts, relays: &[String], remembered: &Remembered) -> Self {
        let Parts {
            mut swarm,
            market,
            store,
            asks,
            network,
            key,
            hidden,
            kept_off,
            safe,
            rails,
        } = parts;
        let me = *swarm.local_peer_id();
        let mut relays = Relays::new(me, relays, remembered);
        swarm.behaviour_mut().kad.set_here(relays.here());
        relays.set_hides(hidden);
        swarm.behaviour_mut().kad.set_quiet(hidden);
        if hidden {
            swarm.behaviour_mut().webrtc.set_enabled(false);
        }
        // What has become his own choice since sees him.
        for peer in kept_off.into_iter().filter(|peer| !relays.is_chosen(peer)) {
            swarm.behaviour_mut().kad.keep_off(peer);
        }
        let now = clock::instant();
        let mints = Mints::new();
        Self {
            swarm,
            market,
            asks,
            network,
            key,
            feeds: Vec::new(),
            view: NetworkView::default(),
            refusals: BTreeMap::new(),
            relays,
            tend: true,
            providers: BTreeSet::new(),
            identified: BTreeMap::new(),
            reach: Vec::new(),
            look_at: now,
            looks: 0,
            said: Said::default(),
            offered: now,
            sync: Sync::default(),
            readings: BTreeMap::new(),
            readers: Rates::peer(),
            whispers: Whispers::default(),
            sendings: BTreeMap::new(),
            paths: Paths::default(),
            direct: BTreeMap::new(),
            keepers: BTreeSet::new(),
            hidden,
            safe,
            private: BTreeMap::new(),
            whisperers: Rates::new(WHISPERS.0, WHISPERS.1),
            fetchers: Rates::new(PIECES.0, PIECES.1),
            strangers: (now, 0),
            own: VecDeque::new(),
            backlog: VecDeque::new(),
            paying: Paying::new(rails, Arc::clone(&store), Arc::new(mints.line())),
            mints,
            wallets: BTreeMap::new(),
            tickets: 0,
            due: None,
            alarm: clock::alarm(None),
            pulse: Delay::new(Duration::ZERO),
            asked_in_a_row: 0,
            books_turn: false,
            store,
        }
    }

    /// Carries out what the market wants at its start.
    ///
    /// # Errors
    /// If it could not be saved.
    pub(crate) async fn begin(&mut self, effects: Effects) -> Result<(), haggle_store::Error> {
        self.perform(effects, About::Nothing).await?;
        self.set_alarm();
        Ok(())
    }

    /// Runs until it is closed, or until nobody is left who could ask, or until a save fails.
    pub(crate) async fn live(self) {
        let closed = self.turn_until_the_end().await;
        // By now the store is dropped, and whoever waits may open it again.
        if let Some(closed) = closed {
            // An error means that nobody waits.
            let _ = closed.send(());
        }
    }

    async fn turn_until_the_end(mut self) -> Option<oneshot::Sender<()>> {
        let mut busy_since = clock::instant();
        loop {
            let turn = match self.next_turn().now_or_never() {
                Some(turn) => {
                    if clock::instant().saturating_duration_since(busy_since) >= STINT {
                        Delay::new(Duration::ZERO).await;
                        busy_since = clock::instant();
                    }
                    turn
                }
                None => {
                    let turn = self.next_turn().await;
                    busy_since = clock::instant();
                    turn
                }
            };
            match self.take(turn).await {
                Ok(Next::On) => self.look_after(),
                Ok(Next::End(closed)) => {
                    for feed in &self.feeds {
                        feed.end();
                    }
                    return closed;
                }
                Err(error) => {
                    self.stop(&error);
                    return None;
                }
            }
        }
    }

    /// The next thing that happens. Dropping the future loses nothing.
    fn next_turn(&mut self) -> impl Future<Output = Turn> + '_ {
        poll_fn(|context| self.poll_turn(context))
    }

    fn poll_turn(&mut self, context: &mut Context<'_>) -> Poll<Turn> {
        let patient = self.asked_in_a_row < ASKS_IN_A_ROW;
        if patient && let Poll::Ready(ask) = self.asks.poll_next_unpin(context) {
            self.asked_in_a_row += 1;
            return Poll::Ready(Turn::Ask(ask));
        }
        self.asked_in_a_row = 0;
        if self.alarm.poll_unpin(context).is_ready() {
            return Poll::Ready(Turn::Alarm);
        }
        if self.pulse.poll_unpin(context).is_ready() {
            return Poll::Ready(Turn::Pulse);
        }
        if let Some(input) = self.own.pop_front() {
            return Poll::Ready(Turn::Own(input));
        }
        if let Poll::Ready(done) = self.paying.poll_next(context) {
            return Poll::Ready(Turn::Rail(done));
        }
        if let Poll::Ready(carry) = self.mints.poll_asked(context) {
            return Poll::Ready(Turn::Mint(carry));
        }
        // Gossip and books in turns: neither starves the other.
        self.books_turn = !self.books_turn;
        if self.books_turn
            && let Some((bytes, source)) = self.backlog.pop_front()
        {
            return Poll::Ready(Turn::Backlog(bytes, source));
        }
        if let Poll::Ready(Some(event)) = self.swarm.poll_next_unpin(context) {
            return Poll::Ready(Turn::Swarm(Box::new(event)));
        }
        if let Some((bytes, source)) = self.backlog.pop_front() {
            return Poll::Ready(Turn::Backlog(bytes, source));
        }
        if !patient && let Poll::Ready(ask) = self.asks.poll_next_unpin(context) {
            return Poll::Ready(Turn::Ask(ask));
        }
        Poll::Pending
    }

    async fn take(&mut self, turn: Turn) -> Result<Next, haggle_store::Error> {
        match turn {
            Turn::Ask(Some(ask)) => return self.answer(ask).await,
            Turn::Ask(None) => return Ok(Next::End(None)),
            Turn::Alarm => {
                let now = clock::now();
                if self.market.next_deadline().is_some_and(|due| due <= now) {
                    self.handle(Input::Tick, About::Nothing).await?;
                }
                self.due = self.market.next_deadline();
                self.alarm = clock::alarm(self.due);
            }
            Turn::Pulse => {
                self.pulse = Delay::new(PULSE);
                self.tend = true;
                if self.said.has_more() {
                    self.say();
                }
                self.tell_network();
            }
            Turn::Own(input) => self.handle(input, About::Nothing).await?,
            Turn::Rail(done) => {
                // First what it means for the trade, then what is left in the purse.
                if let Some((job, answer)) = done.paid {
                    let input = Input::Paid { job, answer };
                    self.handle(input, About::Nothing).await?;
                }
                if let Some(view) = done.view {
                    self.tell_wallet(view);
                }
            }
            Turn::Mint(carry) => self.carry(carry).await?,
            Turn::Backlog(bytes, source) => {
                let input = Input::Heard(Heard::Frame { bytes, source });
                self.handle(input, About::Book).await?;
                // Where the last frame was looked at, the next page can come.
                self.tend |= self.backlog.is_empty();
            }
            Turn::Swarm(event) => self.on_swarm(*event).await?,
        }
        Ok(Next::On)
    }

    /// What may have become due by the last turn.
    fn look_after(&mut self) {
        self.send_whispers();
        self.look_after_mints();
        if core::mem::take(&mut self.tend) {
            self.tend_relays();
            self.look_for_relays();
            self.read_books();
            self.tell_network();
        }
    }

    async fn answer(&mut self, ask: Ask) -> Result<Next, haggle_store::Error> {
        match ask {
            Ask::Command(command, reply) => {
                if let Err(complaint) = self.is_room_for(&command).await? {
                    // An error means that nobody waits any more.
                    let _ = reply.send(Err(complaint));
                    return Ok(Next::On);
                }
                let ticket = self.ticket();
                let input = Input::Command(ticket, *command);
                self.handle(input, About::Command(ticket, Some(reply)))
                    .await?;
            }
            Ask::Preview(draft, answer) => {
                // An error means that nobody waits any more.
                let _ = answer.send(self.market.preview(&draft, clock::now()));
            }
            Ask::Listen(feed) => {
                // What has lapsed by now is news for everybody, and not part of one listener's snapshot.
                self.handle(Input::Tick, About::Nothing).await?;
                feed.push(Event::Network(self.network_view()));
                for view in self.wallets.values() {
                    feed.push(Event::Wallet(view.clone()));
                }
                let ticket = self.ticket();
                let input = Input::Command(ticket, Command::Snapshot);
                self.handle(input, About::Snapshot(feed.clone())).await?;
                self.feeds.push(feed);
            }
            Ask::AddRelay(address, answer) => {
                let done = self.add_relay(&address);
                self.remember_relays(done.is_ok()).await?;
                let _ = answer.send(done);
            }
            Ask::RemoveRelay(address, answer) => {
                let done = self.remove_relay(&address);
                self.remember_relays(done.is_ok()).await?;
                let _ = answer.send(done);
            }
            Ask::Hide(hidden, answer) => {
                self.hide(hidden).await?;
                // An error means that nobody waits any more.
                let _ = answer.send(Ok(()));
            }
            Ask::Phrase(answer) => {
                let phrase = self.market.phrase();
                let words = phrase.map(|phrase| phrase.words()).unwrap_or_default();
                // An error means that nobody waits any more.
                let _ = answer.send(Ok(words));
            }
            Ask::Safe(answer) => {
                let _ = answer.send(Ok(self.safe));
            }
            Ask::WrittenDown(answer) => {
                self.safe.phrase = Some(clock::now());
                self.remember_safe().await?;
                let _ = answer.send(Ok(()));
            }
            Ask::Backup(passphrase, answer) => {
                let file = self
                    .back_up(passphrase.as_deref().map(String::as_str))
                    .await?;
                if file.is_ok() {
                    self.safe.file = Some(clock::now());
                    self.remember_safe().await?;
                }
                let _ = answer.send(file);
            }
            Ask::File(id, answer) => {
                let file = self.read_file(id).await?;
                // An error means that nobody waits any more.
                let _ = answer.send(file);
            }
            Ask::Wallet(rail, command, answer) => {
                let root = self.market.root();
                self.paying.ask_for(root, &rail, command, answer);
            }
            Ask::Close(closed) => return Ok(Next::End(Some(closed))),
        }
        Ok(Next::On)
    }

    /// Tells what there is with a rail, if that has changed.
    fn tell_wallet(&mut self, view: wallet::View) {
        if self.wallets.get(&view.rail) == Some(&view) {
            return;
        }
        for feed in &self.feeds {
            feed.push(Event::Wallet(view.clone()));
        }
        self.wallets.insert(view.rail.clone(), view);
    }

    /// Whether the files of a command can be kept: found out by keeping so many bytes for a moment, since a save that fails
    /// later would end this peer.
    async fn is_room_for(
        &mut self,
        command: &Command,
    ) -> Result<Result<(), Complaint>, haggle_store::Error> {
        /// The name of the record that is kept for a moment.
        const TRIAL: &str = "bulk/trial";
        let (Command::Say { files, .. } | Command::Report { files, .. }) = command else {
            return Ok(Ok(()));
        };
        let bytes: usize = files.iter().map(|file| file.bytes.len()).sum();
        // More than a batch holds is refused by the market.
        if bytes == 0 || bytes > haggle_store::MAX_BATCH_BYTES / 2 {
            return Ok(Ok(()));
        }
        let trial = Write::put(TRIAL, vec![0; bytes]);
        match self.store.commit(vec![trial]).await {
            Ok(()) => {
                self.store.commit(vec![Write::delete(TRIAL)]).await?;
                Ok(Ok(()))
            }
            Err(haggle_store::Error::Full) => {
                let sentence = "There is no room left on this device for these files. Make some, then send them again; nothing was sent.";
                Ok(Err(about("files", "store-full", sentence)))
            }
            Err(error) => Err(error),
        }
    }

    /// The bytes of a bulky record; what is damaged is as good as missing.
    pub(crate) async fn kept(&mut self, key: &str) -> Result<Option<Vec<u8>>, haggle_store::Error> {
        match self.store.get(key).await {
            Err(haggle_store::Error::Damaged { .. }) => Ok(None),
            other => other,
        }
    }

    /// A file that is here as a whole.
    async fn read_file(
        &mut self,
        id: FileId,
    ) -> Result<Result<NewFile, Complaint>, haggle_store::Error> {
        let Some(named) = self.market.file(&id) else {
            let code = "no-such-file";
            let sentence = "This file is not here. Load it first, or ask for it once more.";
            return Ok(Err(about("file", code, sentence)));
        };
        let mut bytes = Vec::new();
        for index in 0..named.pieces() {
            let kept = self.kept(&record::piece(&id, index)).await?;
            let piece = kept.and_then(|kept| named.open_piece(&id, index, &kept).ok());
            let Some(piece) = piece else {
                let code = "file-damaged";
                let sentence =
                    "A part of this file is missing or damaged here. Remove it, and load it again.";
                return Ok(Err(about("file", code, sentence)));
            };
            bytes.extend(piece);
        }
        Ok(Ok(NewFile {
            name: named.name,
            media_type: named.media_type,
            bytes,
        }))
    }

    /// Everything that is saved, as a file.
    async fn back_up(
        &mut self,
        passphrase: Option<&str>,
    ) -> Result<Result<Vec<u8>, Complaint>, haggle_store::Error> {
        let mut records = self.store.load().await?;
        let mut room = backup::room(&records);
        // Whole files as far as they fit; the screen says that others are fetched again, or lost with this device.
        let mut bulky = self.store.bulky().await?;
        while let Some(last) = bulky.last() {
            let file = last
                .rsplit_once('/')
                .map_or("", |(file, _)| file)
                .to_owned();
            let of_file = |key: &String| key.rsplit_once('/').is_some_and(|(it, _)| it == file);
            let names = bulky.split_off(bulky.partition_point(|key| !of_file(key)));
            let mut pieces = Vec::new();
            for key in names {
                if let Some(value) = self.kept(&key).await? {
                    pieces.push((key, value));
                }
            }
            let needed = pieces.iter().map(|(key, value)| backup::needed(key, value));
            let needed: usize = needed.sum();
            if needed <= room {
                room -= needed;
                records.extend(pieces);
            }
        }
        let (Some(phrase), Ok(dice)) = (self.market.phrase(), roll()) else {
            let error = crate::Error::Dice;
            return Ok(Err(Complaint {
                code: error.code().to_owned(),
                field: None,
                sentence: error.to_string(),
            }));
        };
        let file = backup::seal(&records, &phrase, passphrase, clock::now(), dice);
        Ok(file.map_err(Complaint::from))
    }

    async fn remember_safe(&mut self) -> Result<(), haggle_store::Error> {
        // Two numbers always have a JSON form.
        let bytes = serde_json::to_vec(&self.safe).unwrap_or_default();
        let write = Write::put(SAFE, bytes);
        self.store.commit(vec![write]).await
    }

    /// Hands one thing that happened to the market and does what it wants done.
    pub(crate) async fn handle(
        &mut self,
        input: Input,
        about: About,
    ) -> Result<(), haggle_store::Error> {
        let effects = self.market.handle(input, clock::now());
        self.perform(effects, about).await?;
        self.set_alarm();
        Ok(())
    }

    fn set_alarm(&mut self) {
        let due = self.market.next_deadline();
        if due != self.due {
            self.due = due;
            self.alarm = clock::alarm(due);
        }
    }

    pub(crate) fn ticket(&mut self) -> Ticket {
        self.tickets += 1;
        Ticket(self.tickets)
    }

    /// Room for frames from a book.
    pub(crate) fn backlog_room(&self) -> usize {
        BACKLOG_MAX.saturating_sub(self.backlog.len())
    }

    pub(crate) fn count(&mut self, code: &str) {
        // Codes come from closed lists, ours and the wire's; the bound is for what a later list may bring.
        const CODES_MAX: usize = 256;
        if let Some(count) = self.refusals.get_mut(code) {
            *count += 1;
        } else if self.refusals.len() < CODES_MAX {
            self.refusals.insert(code.to_owned(), 1);
        }
    }

    pub(crate) fn tell(&mut self, event: &Event) {
        self.feeds.retain(|feed| !feed.is_deaf());
        for feed in &self.feeds {
            feed.push(event.clone());
        }
    }

    pub(crate) fn tell_network(&mut self) {
        let view = self.network_view();
        if view != self.view {
            self.view = view.clone();
            self.tell(&Event::Network(view));
        }
    }

    fn network_view(&self) -> NetworkView {
        let neighbours = self.neighbours();
        let state = if self.relays.connected() > 0 && neighbours > 0 {
            Link::Online
        } else if self.relays.connected() == 0 && self.relays.all_failed() {
            Link::Offline
        } else {
            Link::Connecting
        };
        let count = |number: usize| u32::try_from(number).unwrap_or(u32::MAX);
        NetworkView {
            peer: self.swarm.local_peer_id().to_string(),
            state,
            relays: self.relays.views(clock::instant()),
            neighbours: count(neighbours),
            others: self.sync.others(),
            book: count(self.market.book().iter_open().count()),
            refusals: self.refusals.clone(),
            hidden: self.hidden,
            can_be_direct: DIRECT,
            addresses: self.addresses(),
            traders: self.traders(),
            private_direct: self.private.get(&Path::Direct).copied().unwrap_or(0),
            private_relayed: self.private.get(&Path::Relayed).copied().unwrap_or(0),
            clock_ahead: self.sync.clock_ahead(),
        }
    }

    /// A save failed: nothing more is said or done, and everybody is told why.
    fn stop(&mut self, error: &haggle_store::Error) {
        let event = Event::Stopped {
            code: error.code().to_owned(),
            sentence: error.to_string(),
        };
        self.tell(&event);
        for feed in &self.feeds {
            feed.end();
        }
    }

    pub(crate) fn now(&self) -> Timestamp {
        clock::now()
    }
}

/// A random number, for what needs no secret: how long to wait.
pub(crate) fn jitter() -> u32 {
    getrandom::u32().unwrap_or(u32::MAX / 2)
}

/// A complaint about a relay's address.
pub(crate) fn complaint(code: &str, sentence: &str) -> Complaint {
    about("address", code, sentence)
}

fn about(field: &str, code: &str, sentence: &str) -> Complaint {
    Complaint {
        code: code.to_owned(),
        field: Some(field.to_owned()),
        sentence: sentence.to_owned(),
    }
}

#[cfg(test)]
mod tests;
