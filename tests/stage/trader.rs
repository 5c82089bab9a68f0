//! One trader: his market, what it has saved, and what his screen shows.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use haggle_book::{Cursor, Limits};
use haggle_market::view::Chat;
use haggle_market::{
    Ask, Command, Complaint, Effect, Effects, Event, Heard, Input, Job, Market, MyIntent,
    OpenIntent, RailFacts, Reply, Setup, StallView, Ticket, Trade,
};
use haggle_protocol::attachment::Piece;
use haggle_protocol::keys::SigningKey;
use haggle_protocol::reach::Circuit;
use haggle_protocol::seal::Hpke;
use haggle_protocol::{IntentId, MessageId, Network, PublicKey, Refusal, ThreadId, Timestamp};

use super::bank::RAIL;
use super::dice::Dice;

/// What a screen shows: a fold over events.
#[derive(Clone, Default, PartialEq)]
pub(crate) struct Screen {
    pub(crate) mine: BTreeMap<IntentId, MyIntent>,
    pub(crate) open: BTreeMap<IntentId, OpenIntent>,
    pub(crate) trades: BTreeMap<ThreadId, Trade>,
    pub(crate) chats: BTreeMap<ThreadId, Chat>,
    /// All that this one ever said, also in exchanges that are forgotten.
    pub(crate) said: BTreeSet<(ThreadId, String)>,
    pub(crate) stall: Option<StallView>,
}

impl Screen {
    fn learn(&mut self, event: Event) {
        match event {
            Event::MyIntent(mine) => {
                self.mine.insert(mine.id, *mine);
            }
            Event::OpenIntent(open) => {
                self.open.insert(open.id, *open);
            }
            Event::Gone(id) => {
                self.open.remove(&id);
            }
            Event::Trade(trade) => {
                self.trades.insert(trade.thread, *trade);
            }
            Event::Chat(chat) => {
                let mine = chat.lines.iter().filter(|line| line.mine);
                self.said
                    .extend(mine.map(|line| (chat.thread, line.text.clone())));
                self.chats.insert(chat.thread, *chat);
            }
            Event::Forgotten(thread, _) => {
                self.trades.remove(&thread);
                self.chats.remove(&thread);
            }
            Event::Stall(stall) => self.stall = Some(*stall),
            // Nobody decides for others here.
            Event::Case(_) | Event::Ready => {}
        }
    }

    /// Without what a restart may forget: whether something was said since, and the intents of others, on which it depends whether their owners
    /// can be asked.
    pub(crate) fn lasting(&self) -> Self {
        let mut lasting = self.clone();
        lasting.open.clear();
        for mine in lasting.mine.values_mut() {
            mine.said = false;
        }
        for chat in lasting.chats.values_mut() {
            chat.can_say = false;
        }
        lasting
    }
}

/// Which of a trader's page loads something belongs to.
pub(crate) type Life = u32;

pub(crate) struct Trader {
    pub(crate) at: usize,
    pub(crate) market: Market,
    pub(crate) saved: BTreeMap<String, Vec<u8>>,
    pub(crate) peer: SigningKey,
    pub(crate) life: Life,
    pub(crate) online: bool,
    /// By how many seconds his clock is ahead, minus [`SKEW`].
    skew: u64,
    pub(crate) screen: Screen,
    pub(crate) book: Limits,
    /// How far he has read in whose book.
    pub(crate) read: BTreeMap<usize, Cursor>,
    /// Digests of cells that he has acknowledged.
    pub(crate) acknowledged: BTreeSet<Vec<u8>>,
    tickets: u64,
}

/// Half of what clocks differ by at most, in seconds. Below the 120 s that the wire allows.
pub(crate) const SKEW: u64 = 40;

/// What came of one input, beside what was saved and shown.
#[derive(Default)]
pub(crate) struct Done {
    pub(crate) broadcasts: Vec<Vec<u8>>,
    pub(crate) whispers: Vec<(MessageId, Vec<Circuit>, Vec<u8>)>,
    pub(crate) fetches: Vec<(Piece, Vec<Circuit>)>,
    pub(crate) asks: Vec<(Job, Box<Ask>)>,
    pub(crate) answer: Option<haggle_market::Answer>,
    pub(crate) reply: Option<Result<Reply, Complaint>>,
    pub(crate) events: usize,
    /// Names of records that were written.
    pub(crate) saved: Vec<String>,
}

pub(crate) fn network() -> Network {
    Network::named("market-day")
}

impl Trader {
    pub(crate) fn new(at: usize, book: Limits, now: Timestamp, dice: &mut Dice) -> (Self, Done) {
        let skew = dice.between(0, 2 * SKEW);
        let peer = SigningKey::from_seed(&dice.bytes());
        let clock = now + skew - SKEW;
        let (market, effects) = start(&BTreeMap::new(), &peer, book, clock, dice);
        let mut trader = Self {
            at,
            market,
            saved: BTreeMap::new(),
            peer,
            life: 0,
            online: true,
            skew,
            screen: Screen::default(),
            book,
            read: BTreeMap::new(),
            acknowledged: BTreeSet::new(),
            tickets: 0,
        };
        let done = trader.perform(effects);
        (trader, done)
    }

    /// What his clock shows.
    pub(crate) fn clock(&self, now: Timestamp) -> Timestamp {
        now + self.skew - SKEW
    }

    /// When he has something to do next, by everybody's time.
    pub(crate) fn next_deadline(&self) -> Option<Timestamp> {
        let due = self.online.then(|| self.market.next_deadline()).flatten();
        due.map(|due| due + SKEW - self.skew)
    }

    pub(crate) fn way(&self) -> Circuit {
        Circuit {
            relay: PublicKey([7; 32]),
            address: "/dns4/relay.example/tcp/443/wss".to_owned(),
            peer: self.peer.public(),
        }
    }

    pub(crate) fn handle(&mut self, input: Input, now: Timestamp) -> Done {
        let effects = self.market.handle(input, self.clock(now));
        assert!(
            self.market.book().bytes() <= self.book.bytes,
            "trader {}: the book grew beyond its bound",
            self.at
        );
        self.perform(effects)
    }

    pub(crate) fn command(&mut self, command: Command, now: Timestamp) -> Done {
        let ticket = self.ticket();
        self.handle(Input::Command(ticket, command), now)
    }

    pub(crate) fn cell(&mut self, bytes: Vec<u8>, now: Timestamp) -> Done {
        let ticket = self.ticket();
        self.handle(Input::Heard(Heard::Cell { bytes, ticket }), now)
    }

    fn ticket(&mut self) -> Ticket {
        self.tickets += 1;
        Ticket(self.tickets)
    }

    /// The page is loaded again from what was saved.
    pub(crate) fn reload(&mut self, now: Timestamp, dice: &mut Dice) -> Done {
        self.peer = SigningKey::from_seed(&dice.bytes());
        self.life += 1;
        self.online = true;
        let clock = self.clock(now);
        let (market, effects) = start(&self.saved, &self.peer, self.book, clock, dice);
        self.market = market;
        self.read.clear();
        self.screen = Screen {
            said: core::mem::take(&mut self.screen.said),
            ..Screen::default()
        };
        let mut done = self.perform(effects);
        done.append(self.command(Command::Snapshot, now));
        done
    }

    /// What the screen would show if the page were loaded again at this moment.
    pub(crate) fn after_reload(&self, now: Timestamp, dice: &mut Dice) -> Screen {
        let mut twin = Self {
            market: start(&self.saved, &self.peer, self.book, self.clock(now), dice).0,
            saved: self.saved.clone(),
            peer: self.peer.clone(),
            screen: Screen::default(),
            read: BTreeMap::new(),
            acknowledged: BTreeSet::new(),
            ..*self
        };
        twin.command(Command::Snapshot, now);
        twin.screen
    }

    /// A piece of a file, as a node would give it to whoever asks.
    pub(crate) fn piece(&self, piece: &Piece) -> Result<Vec<u8>, Refusal> {
        let key = self.market.piece(piece).ok_or(Refusal::NoSuchFile)?;
        Ok(self.saved[&key].clone())
    }

    /// Keeps a piece that is wanted, as a node does before it says that it came.
    pub(crate) fn keep(&mut self, piece: &Piece, bytes: &[u8]) {
        if self.market.wants(piece) {
            let key = haggle_market::record::piece(&piece.file, piece.index);
            self.saved.insert(key, bytes.to_vec());
        }
    }

    fn perform(&mut self, effects: Effects) -> Done {
        let mut done = Done::default();
        for effect in effects {
            match effect {
                Effect::Save(records) => {
                    let spoken = !done.broadcasts.is_empty()
                        || !done.whispers.is_empty()
                        || !done.fetches.is_empty()
                        || !done.asks.is_empty();
                    assert!(
                        !spoken && done.answer.is_none(),
                        "saved after it was spoken"
                    );
                    for record in records {
                        done.saved.push(record.key.clone());
                        match record.value {
                            Some(value) => self.saved.insert(record.key, value),
                            None => self.saved.remove(&record.key),
                        };
                    }
                }
                Effect::Verdict(_) => {}
                Effect::Broadcast(frame) => done.broadcasts.push(frame),
                Effect::Whisper { message, to, cell } => done.whispers.push((message, to, cell)),
                Effect::Fetch { piece, to } => done.fetches.push((piece, to)),
                Effect::Pay { job, ask, .. } => done.asks.push((job, ask)),
                Effect::Answer(_, answer) => {
                    assert!(
                        done.answer.replace(answer).is_none(),
                        "one answer for a cell"
                    );
                }
                Effect::Reply(_, reply) => done.reply = Some(reply),
                Effect::Tell(event) => {
                    done.events += 1;
                    self.screen.learn(event);
                }
            }
        }
        done
    }
}

impl Done {
    pub(crate) fn append(&mut self, other: Self) {
        self.broadcasts.extend(other.broadcasts);
        self.whispers.extend(other.whispers);
        self.fetches.extend(other.fetches);
        self.asks.extend(other.asks);
        self.events += other.events;
        self.saved.extend(other.saved);
    }
}

fn start(
    saved: &BTreeMap<String, Vec<u8>>,
    peer: &SigningKey,
    book: Limits,
    clock: Timestamp,
    dice: &mut Dice,
) -> (Market, Effects) {
    let setup = Setup {
        network: network(),
        dice: dice.bytes(),
        peer: peer.clone(),
        sealer: Arc::new(Hpke),
        book,
        rails: vec![RailFacts {
            name: RAIL.to_owned(),
            floor: 100,
            ceiling: 100_000_000,
        }],
    };
    let records = saved
        .iter()
        .map(|(key, value)| (key.clone(), value.clone()))
        .collect();
    Market::restore(records, setup, clock).unwrap()
}
