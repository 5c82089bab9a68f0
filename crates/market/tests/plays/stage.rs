//! A stage for short plays: a few markets, a network that does what the play asks, and a clock that jumps.
//!
//! The stage is the shell of every market on it: it performs effects in order and keeps what is saved. Along the way it
//! holds the shell's side of the contract: one verdict for a frame, one answer for a cell, one reply for a command, and
//! nothing sent that was not saved before.

use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::sync::Arc;

use haggle_book::{Limits, Source};
use haggle_market::view::{Case, Chat};
use haggle_market::{
    Answer, Ask, Command, Complaint, Draft, Effect, Effects, Event, Heard, Input, Item, ItemId,
    Job, Market, MyIntent, OpenIntent, Paid, RailFacts, Reply, Setup, StallView, Ticket, Trade,
    Trouble,
};
use haggle_protocol::attachment::Piece;
use haggle_protocol::keys::SigningKey;
use haggle_protocol::reach::Circuit;
use haggle_protocol::seal::{Hpke, Sealer};
use haggle_protocol::{
    Asset, IntentId, MessageId, Network, PublicKey, Quantity, Refusal, ThreadId, Timestamp,
};

use crate::bank::{Bank, Fault, RAIL};

/// When every play begins.
pub(crate) const START: Timestamp = Timestamp(1_800_000_000);

/// What is on its way.
#[derive(Clone)]
pub(crate) enum Post {
    Frame {
        to: usize,
        bytes: Vec<u8>,
    },
    Cell {
        from: usize,
        to: Option<usize>,
        message: MessageId,
        bytes: Vec<u8>,
    },
    Answered {
        to: usize,
        message: MessageId,
        answer: Result<Vec<u8>, Refusal>,
    },
    Asked {
        from: usize,
        to: Option<usize>,
        piece: Piece,
    },
    Piece {
        to: usize,
        piece: Piece,
        answer: Result<Vec<u8>, Refusal>,
    },
    /// A question to the bank.
    Pay {
        from: usize,
        job: Job,
        ask: Box<Ask>,
    },
}

/// What the network does with something that is on its way.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Fate {
    Arrives,
    Lost,
    /// Lost without a word to anybody.
    Forgotten,
    Twice,
    Later,
    /// Kept until the play lets it go on.
    Held,
}

/// This for each cell of one actor, that for everything else.
pub(crate) fn cells_of(who: usize, this: Fate, that: Fate) -> Box<dyn FnMut(&Post) -> Fate> {
    Box::new(move |post| match post {
        Post::Cell { from, .. } if *from == who => this,
        Post::Cell { .. }
        | Post::Frame { .. }
        | Post::Answered { .. }
        | Post::Asked { .. }
        | Post::Piece { .. }
        | Post::Pay { .. } => that,
    })
}

/// This for questions of one kind to the bank; everything else arrives.
pub(crate) fn questions(is: fn(&Ask) -> bool, this: Fate) -> Box<dyn FnMut(&Post) -> Fate> {
    Box::new(move |post| match post {
        Post::Pay { ask, .. } if is(ask) => this,
        Post::Pay { .. }
        | Post::Cell { .. }
        | Post::Frame { .. }
        | Post::Answered { .. }
        | Post::Asked { .. }
        | Post::Piece { .. } => Fate::Arrives,
    })
}

/// A trader with his shell.
pub(crate) struct Actor {
    pub(crate) name: &'static str,
    pub(crate) market: Market,
    pub(crate) saved: BTreeMap<String, Vec<u8>>,
    pub(crate) peer: SigningKey,
    pub(crate) online: bool,
    starts: u32,
    /// What the faces know: a fold over events.
    pub(crate) mine: BTreeMap<IntentId, MyIntent>,
    pub(crate) open: BTreeMap<IntentId, OpenIntent>,
    pub(crate) trades: BTreeMap<ThreadId, Trade>,
    pub(crate) chats: BTreeMap<ThreadId, Chat>,
    pub(crate) cases: BTreeMap<MessageId, Case>,
    pub(crate) stall: Option<StallView>,
    pub(crate) events: Vec<Event>,
    /// Refusals that this one gave.
    pub(crate) refused: Vec<Refusal>,
    /// Every cell that this one was given and every frame that he heard.
    pub(crate) received: Vec<Vec<u8>>,
    replies: BTreeMap<Ticket, Result<Reply, Complaint>>,
    asked: BTreeMap<Ticket, (usize, MessageId)>,
}

/// All of them.
pub(crate) struct Stage {
    pub(crate) now: Timestamp,
    pub(crate) actors: Vec<Actor>,
    pub(crate) queue: VecDeque<Post>,
    pub(crate) held: Vec<Post>,
    /// Every frame that was ever said, for those who come late.
    pub(crate) air: Vec<Vec<u8>>,
    /// What the network does; decided for each thing on its way.
    pub(crate) fate: Box<dyn FnMut(&Post) -> Fate>,
    /// Whether every actor is started anew from what he saved after every single input.
    pub(crate) restless: bool,
    pub(crate) sealer: Arc<dyn Sealer>,
    /// Who did what when: what left a market, by kind.
    pub(crate) log: Vec<(Timestamp, usize, &'static str)>,
    pub(crate) bank: Bank,
    tickets: u64,
    seed: u8,
}

pub(crate) fn network() -> Network {
    Network::named("stage")
}

impl Stage {
    pub(crate) fn new(names: &[&'static str]) -> Self {
        Self::seeded(names, 0, Arc::new(Hpke))
    }

    pub(crate) fn seeded(names: &[&'static str], seed: u8, sealer: Arc<dyn Sealer>) -> Self {
        let mut stage = Self {
            now: START,
            actors: Vec::new(),
            queue: VecDeque::new(),
            held: Vec::new(),
            air: Vec::new(),
            fate: Box::new(|_| Fate::Arrives),
            restless: false,
            sealer,
            log: Vec::new(),
            bank: Bank::default(),
            tickets: 0,
            seed,
        };
        for name in names {
            stage.enter(name);
        }
        stage
    }

    /// Somebody new comes, is reachable, and reads what is still open.
    pub(crate) fn enter(&mut self, name: &'static str) -> usize {
        let at = self.actors.len();
        let (market, peer, effects) = self.start(at, 0, BTreeMap::new(), None);
        self.actors.push(Actor {
            name,
            market,
            saved: BTreeMap::new(),
            peer,
            online: true,
            starts: 1,
            mine: BTreeMap::new(),
            open: BTreeMap::new(),
            trades: BTreeMap::new(),
            chats: BTreeMap::new(),
            cases: BTreeMap::new(),
            stall: None,
            events: Vec::new(),
            refused: Vec::new(),
            received: Vec::new(),
            replies: BTreeMap::new(),
            asked: BTreeMap::new(),
        });
        self.perform(at, effects, None);
        self.greet(at);
        at
    }

    fn start(
        &self,
        at: usize,
        starts: u32,
        saved: BTreeMap<String, Vec<u8>>,
        peer: Option<SigningKey>,
    ) -> (Market, SigningKey, Effects) {
        let number = u8::try_from(at).unwrap();
        let mut dice = [self.seed; 32];
        dice[0] = number;
        dice[1..5].copy_from_slice(&starts.to_be_bytes());
        let mut key = [self.seed ^ 0x5a; 32];
        key[0] = number;
        key[1..5].copy_from_slice(&starts.to_be_bytes());
        let peer = peer.unwrap_or_else(|| SigningKey::from_seed(&key));
        let setup = Setup {
            network: network(),
            dice,
            peer: peer.clone(),
            sealer: Arc::clone(&self.sealer),
            book: Limits::peer(),
            rails: vec![RailFacts {
                name: RAIL.to_owned(),
                floor: 100,
                ceiling: 10_000_000,
            }],
        };
        let (market, effects) =
            Market::restore(saved.into_iter().collect(), setup, self.now).unwrap();
        (market, peer, effects)
    }

    /// The page is loaded again: the same records, a new peer key, another place at the relay.
    pub(crate) fn reload(&mut self, at: usize) {
        self.restart(at, None);
        self.greet(at);
    }

    /// The device is gone; another one begins with these records, which are a backup's.
    pub(crate) fn come_back(&mut self, at: usize, records: BTreeMap<String, Vec<u8>>) {
        let actor = &mut self.actors[at];
        actor.saved = records;
        let restored = haggle_market::record::restored();
        actor
            .saved
            .extend(restored.value.map(|value| (restored.key, value)));
        actor.mine.clear();
        actor.trades.clear();
        actor.chats.clear();
        self.reload(at);
        self.settle();
    }

    /// A market that knows nothing, at the place of another one.
    pub(crate) fn start_anew(&mut self, at: usize, peer: SigningKey) {
        self.restart(at, Some(peer));
        self.greet(at);
    }

    fn restart(&mut self, at: usize, peer: Option<SigningKey>) {
        // What was asked of the bank is done, but whoever asked is no more.
        for post in core::mem::take(&mut self.queue) {
            if let Post::Pay { from, ask, .. } = &post
                && *from == at
            {
                let _ = self.bank.ask(*from, ask, self.now);
            } else {
                self.queue.push_back(post);
            }
        }
        let starts = self.actors[at].starts;
        let saved = self.actors[at].saved.clone();
        let (market, peer, effects) = self.start(at, starts, saved, peer);
        let actor = &mut self.actors[at];
        actor.starts += 1;
        actor.market = market;
        actor.peer = peer;
        actor.asked.clear();
        self.perform(at, effects, None);
    }

    /// Reachable, and told what is still open.
    fn greet(&mut self, at: usize) {
        let way = self.way(at);
        self.quietly(at, Input::Heard(Heard::Reachable(vec![way])));
        for bytes in self.air.clone() {
            self.quietly(
                at,
                Input::Heard(Heard::Frame {
                    bytes,
                    source: Source::Own,
                }),
            );
        }
        self.quietly(at, Input::Command(Ticket(0), Command::Snapshot));
    }

    pub(crate) fn way(&self, at: usize) -> Circuit {
        Circuit {
            relay: PublicKey([7; 32]),
            address: "/dns4/relay.example/tcp/443/wss".to_owned(),
            peer: self.actors[at].peer.public(),
        }
    }

    /// A command of one actor; everything that follows from it at once happens.
    pub(crate) fn tell(&mut self, at: usize, command: Command) -> Result<Reply, Complaint> {
        self.tickets += 1;
        let ticket = Ticket(self.tickets);
        self.input(at, Input::Command(ticket, command));
        let reply = self.actors[at]
            .replies
            .remove(&ticket)
            .expect("one reply for a command");
        self.settle();
        reply
    }

    pub(crate) fn publish(&mut self, at: usize, draft: Draft) -> IntentId {
        match self.tell(at, Command::Publish(Box::new(draft))) {
            Ok(Reply::Published(id)) => id,
            other => panic!("{} could not publish: {other:?}", self.actors[at].name),
        }
    }

    /// Takes the best quote for an intent.
    pub(crate) fn accept(&mut self, at: usize, intent: IntentId) {
        let best = self.actors[at].mine[&intent].quotes[0].clone();
        let accept = Command::Accept {
            thread: best.thread,
            total: best.quote.total,
            note: None,
            escrow: None,
        };
        self.tell(at, accept).unwrap();
    }

    pub(crate) fn put(&mut self, at: usize, item: Item) -> ItemId {
        match self.tell(at, Command::PutItem(Box::new(item))) {
            Ok(Reply::Item(id)) => id,
            other => panic!("{} could not stock: {other:?}", self.actors[at].name),
        }
    }

    /// Everything that is on its way arrives, or is lost, as fate has it.
    pub(crate) fn settle(&mut self) {
        let mut steps = 0;
        while let Some(post) = self.queue.pop_front() {
            steps += 1;
            assert!(steps < 200_000, "the network never comes to rest");
            match (self.fate)(&post) {
                Fate::Arrives => self.deliver(post),
                Fate::Lost => self.lose(post),
                Fate::Forgotten => self.forget(post),
                Fate::Twice => {
                    self.queue.push_back(post.clone());
                    self.deliver(post);
                }
                Fate::Later => self.queue.push_back(post),
                Fate::Held => self.held.push(post),
            }
        }
    }

    /// What was held arrives.
    pub(crate) fn release(&mut self) {
        for post in core::mem::take(&mut self.held) {
            self.deliver(post);
        }
        self.settle();
    }

    /// What is lost on its way to somebody is not delivered; what is lost on its way back nobody hears of.
    fn lose(&mut self, post: Post) {
        match post {
            Post::Cell { from, message, .. } => {
                self.input(from, Input::Heard(Heard::Undelivered { message }));
            }
            Post::Answered { to, message, .. } => {
                self.input(to, Input::Heard(Heard::Undelivered { message }));
            }
            Post::Asked {
                from: to, piece, ..
            }
            | Post::Piece { to, piece, .. } => {
                self.input(to, Input::Heard(Heard::NoPiece { piece }));
            }
            Post::Frame { .. } => {}
            Post::Pay { from, job, ask } => {
                let trouble = self.bank.ask_in_vain(from, &ask, self.now, Fault::Deaf);
                self.paid(from, job, Err(trouble));
            }
        }
    }

    /// What is lost without a word; only a bank's shell says at last that no answer came.
    fn forget(&mut self, post: Post) {
        if let Post::Pay { from, job, ask } = post {
            let trouble = self.bank.ask_in_vain(from, &ask, self.now, Fault::Mute);
            self.paid(from, job, Err(trouble));
        }
    }

    fn paid(&mut self, to: usize, job: Job, answer: Result<Paid, Trouble>) {
        if self.actors[to].online {
            self.input(to, Input::Paid { job, answer });
        }
    }

    pub(crate) fn deliver(&mut self, post: Post) {
        match post {
            Post::Frame { to, bytes } => {
                if self.actors[to].online {
                    self.actors[to].received.push(bytes.clone());
                    let source = Source::Own;
                    self.input(to, Input::Heard(Heard::Frame { bytes, source }));
                }
            }
            Post::Cell {
                from,
                to,
                message,
                bytes,
            } => match to {
                Some(to) if self.actors[to].online => {
                    self.tickets += 1;
                    let ticket = Ticket(self.tickets);
                    self.actors[to].received.push(bytes.clone());
                    self.actors[to].asked.insert(ticket, (from, message));
                    self.input(to, Input::Heard(Heard::Cell { bytes, ticket }));
                }
                Some(_) | None => {
                    self.input(from, Input::Heard(Heard::Undelivered { message }));
                }
            },
            Post::Answered {
                to,
                message,
                answer,
            } => {
                if let Ok(cell) = &answer {
                    self.actors[to].received.push(cell.clone());
                }
                self.input(to, Input::Heard(Heard::Answered { message, answer }));
            }
            Post::Asked { from, to, piece } => match to {
                Some(to) if self.actors[to].online => {
                    let actor = &self.actors[to];
                    let key = actor.market.piece(&piece);
                    let kept = key.map(|key| actor.saved[&key].clone());
                    let answer = kept.ok_or(Refusal::NoSuchFile);
                    let to = from;
                    self.queue.push_back(Post::Piece { to, piece, answer });
                }
                Some(_) | None => {
                    self.input(from, Input::Heard(Heard::NoPiece { piece }));
                }
            },
            Post::Piece { to, piece, answer } => {
                if let Ok(bytes) = &answer {
                    let actor = &mut self.actors[to];
                    actor.received.push(bytes.clone());
                    if actor.market.wants(&piece) {
                        let key = haggle_market::record::piece(&piece.file, piece.index);
                        actor.saved.insert(key, bytes.clone());
                    }
                }
                self.input(to, Input::Heard(Heard::Piece { piece, answer }));
            }
            Post::Pay { from, job, ask } => {
                let before = self.bank.sum();
                let answer = self.bank.ask(from, &ask, self.now);
                assert_eq!(self.bank.sum(), before, "{}", ask.name());
                self.paid(from, job, answer);
            }
        }
    }

    /// One input, and if the play is restless, a restart behind it.
    pub(crate) fn input(&mut self, at: usize, input: Input) {
        self.quietly(at, input);
        if self.restless {
            let peer = self.actors[at].peer.clone();
            self.restart(at, Some(peer));
            self.greet(at);
        }
    }

    fn quietly(&mut self, at: usize, input: Input) {
        let expected = match &input {
            Input::Command(ticket, _) => Expected::Reply(*ticket),
            Input::Heard(Heard::Frame { .. }) => Expected::Verdict,
            Input::Heard(Heard::Cell { ticket, .. }) => Expected::Answer(*ticket),
            Input::Heard(
                Heard::Answered { .. }
                | Heard::Undelivered { .. }
                | Heard::Piece { .. }
                | Heard::NoPiece { .. }
                | Heard::NoRoom { .. }
                | Heard::Reachable(_),
            )
            | Input::Paid { .. }
            | Input::Tick => Expected::Nothing,
        };
        let effects = self.actors[at].market.handle(input, self.now);
        self.perform(at, effects, Some(expected));
    }

    fn perform(&mut self, at: usize, effects: Effects, expected: Option<Expected>) {
        let mut verdicts = 0;
        let mut answered = Vec::new();
        let mut replied = Vec::new();
        let mut acted = false;
        for effect in effects {
            match effect {
                Effect::Save(records) => {
                    assert!(!acted, "a save stands before what depends on it");
                    for record in records {
                        match record.value {
                            Some(value) => self.actors[at].saved.insert(record.key, value),
                            None => self.actors[at].saved.remove(&record.key),
                        };
                    }
                }
                Effect::Verdict(_) => verdicts += 1,
                Effect::Broadcast(bytes) => {
                    acted = true;
                    self.log.push((self.now, at, "broadcast"));
                    self.air.push(bytes.clone());
                    for to in (0..self.actors.len()).filter(|to| *to != at) {
                        self.queue.push_back(Post::Frame {
                            to,
                            bytes: bytes.clone(),
                        });
                    }
                }
                Effect::Whisper { message, to, cell } => {
                    acted = true;
                    self.log.push((self.now, at, "whisper"));
                    assert!(!to.is_empty(), "nobody whispers without a way");
                    let to = self.find(&to);
                    self.queue.push_back(Post::Cell {
                        from: at,
                        to,
                        message,
                        bytes: cell,
                    });
                }
                Effect::Fetch { piece, to } => {
                    acted = true;
                    self.log.push((self.now, at, "fetch"));
                    assert!(!to.is_empty(), "nobody asks without a way");
                    let to = self.find(&to);
                    let from = at;
                    self.queue.push_back(Post::Asked { from, to, piece });
                }
                Effect::Pay { job, rail, ask } => {
                    acted = true;
                    self.log.push((self.now, at, "pay"));
                    assert_eq!(rail, RAIL);
                    let from = at;
                    self.queue.push_back(Post::Pay { from, job, ask });
                }
                Effect::Answer(ticket, answer) => {
                    acted = true;
                    answered.push(ticket);
                    if let Answer::Refused(refusal) = &answer {
                        self.actors[at].refused.push(*refusal);
                    }
                    if let Some((to, message)) = self.actors[at].asked.remove(&ticket) {
                        let answer = match answer {
                            Answer::Ack(cell) => Ok(cell),
                            Answer::Refused(refusal) => Err(refusal),
                        };
                        self.queue.push_back(Post::Answered {
                            to,
                            message,
                            answer,
                        });
                    }
                }
                Effect::Reply(ticket, reply) => {
                    replied.push(ticket);
                    self.actors[at].replies.insert(ticket, reply);
                }
                Effect::Tell(event) => {
                    self.log.push((self.now, at, kind(&event)));
                    self.actors[at].learn(event);
                }
            }
        }
        match expected {
            Some(Expected::Verdict) => assert_eq!(verdicts, 1, "one verdict for a frame"),
            Some(Expected::Answer(ticket)) => assert_eq!(answered, vec![ticket]),
            Some(Expected::Reply(ticket)) => assert_eq!(replied, vec![ticket]),
            Some(Expected::Nothing) | None => {
                assert_eq!((verdicts, answered.len(), replied.len()), (0, 0, 0));
            }
        }
    }

    fn find(&self, ways: &[Circuit]) -> Option<usize> {
        ways.iter().find_map(|way| {
            self.actors
                .iter()
                .position(|actor| actor.online && actor.peer.public() == way.peer)
        })
    }

    /// The next time at which anybody has something to do.
    pub(crate) fn next_deadline(&self) -> Option<Timestamp> {
        let online = self.actors.iter().filter(|actor| actor.online);
        online
            .filter_map(|actor| actor.market.next_deadline())
            .min()
    }

    /// Time jumps from deadline to deadline until `end`.
    pub(crate) fn run_until(&mut self, end: Timestamp) {
        self.settle();
        while let Some(at) = self.next_deadline().filter(|at| *at <= end) {
            assert!(
                at > self.now || self.now == START,
                "a deadline at {at} was missed at {}",
                self.now
            );
            self.now = self.now.max(at);
            self.tick();
        }
        self.now = end;
    }

    /// Everybody's clock strikes.
    pub(crate) fn tick(&mut self) {
        for at in 0..self.actors.len() {
            let market = &self.actors[at].market;
            if self.actors[at].online && market.next_deadline().is_some_and(|due| due <= self.now) {
                self.input(at, Input::Tick);
                let next = self.actors[at].market.next_deadline();
                assert!(
                    next.is_none_or(|next| next > self.now),
                    "{} ticked and is due at once again",
                    self.actors[at].name
                );
            }
        }
        self.settle();
    }

    /// Everybody's clock strikes every second, whether or not anything is due.
    pub(crate) fn pass_by_seconds(&mut self, seconds: u64) {
        self.settle();
        for _ in 0..seconds {
            self.now = self.now + 1;
            for at in (0..self.actors.len())
                .filter(|at| self.actors[*at].online)
                .collect::<Vec<_>>()
            {
                self.input(at, Input::Tick);
            }
            self.settle();
        }
    }

    pub(crate) fn pass(&mut self, seconds: u64) {
        self.run_until(self.now + seconds);
    }
}

const fn kind(event: &Event) -> &'static str {
    match event {
        Event::MyIntent(_) => "my-intent",
        Event::OpenIntent(_) => "open-intent",
        Event::Gone(_) => "gone",
        Event::Trade(_) => "trade",
        Event::Chat(_) => "chat",
        Event::Case(_) => "case",
        Event::Forgotten(..) => "forgotten",
        Event::Stall(_) => "stall",
        Event::Ready => "ready",
    }
}

enum Expected {
    Verdict,
    Answer(Ticket),
    Reply(Ticket),
    Nothing,
}

impl Actor {
    fn learn(&mut self, event: Event) {
        match &event {
            Event::MyIntent(mine) => {
                self.mine.insert(mine.id, (**mine).clone());
            }
            Event::OpenIntent(open) => {
                self.open.insert(open.id, (**open).clone());
            }
            Event::Gone(id) => {
                self.open.remove(id);
            }
            Event::Trade(trade) => {
                self.trades.insert(trade.thread, (**trade).clone());
            }
            Event::Chat(chat) => {
                self.chats.insert(chat.thread, (**chat).clone());
            }
            Event::Case(case) => {
                self.cases.insert(case.order, (**case).clone());
            }
            Event::Forgotten(thread, _) => {
                self.trades.remove(thread);
                self.chats.remove(thread);
            }
            Event::Stall(stall) => self.stall = Some((**stall).clone()),
            Event::Ready => {}
        }
        self.events.push(event);
    }

    pub(crate) fn trade(&self) -> &Trade {
        assert_eq!(self.trades.len(), 1, "{} has one trade", self.name);
        self.trades.values().next().unwrap()
    }

    /// Where `needle` stands in anything that this one received, as it came.
    pub(crate) fn received_any(&self, needle: &[u8]) -> bool {
        self.received
            .iter()
            .any(|bytes| bytes.windows(needle.len()).any(|part| part == needle))
    }

    pub(crate) fn kinds(&self) -> BTreeSet<String> {
        self.saved
            .keys()
            .map(|key| key.split('/').next().unwrap_or_default().to_owned())
            .collect()
    }
}

pub(crate) fn eur() -> Asset {
    Asset::new("EUR").unwrap()
}

pub(crate) fn laptop(price: u64, stock: u64) -> Item {
    serde_json::from_value(serde_json::json!({
        "title": "Laptop 14 inch, 16 GB",
        "category": 100_201,
        "attributes": [
            {"key": "ram", "value": {"measure": {"n": 16, "scale": 0, "unit": "E34"}}},
        ],
        "unit": "C62",
        "stock": {"n": stock, "scale": 0, "unit": "C62"},
        "asset": "EUR",
        "tiers": [{"from": {"n": 1, "scale": 0, "unit": "C62"}, "unitPrice": price}],
        "quality": "good",
        "deliveries": [{"delivery": "shipping", "fee": 500, "leadTime": 172_800}],
    }))
    .unwrap()
}

pub(crate) fn wants_laptop() -> Draft {
    serde_json::from_value(serde_json::json!({
        "title": "A laptop with 16 GB",
        "category": 100_200,
        "wishes": [
            {"key": "ram", "comparison": "at-least", "value": {"measure": {"n": 16, "scale": 0, "unit": "E34"}}, "must": true},
        ],
        "quantity": Quantity::pieces(1),
        "budget": {"sealed": "EUR"},
        "deliveries": ["shipping"],
        "openFor": 6 * 60 * 60,
    }))
    .unwrap()
}

pub(crate) fn rules(auto: &str) -> Command {
    ruled(
        serde_json::json!({"auto": auto, "validFor": 1_800, "perHour": 120, "payment": "On delivery"}),
    )
}

/// A stall answers by these rules from now on; what is not said is as usual.
pub(crate) fn ruled(rules: serde_json::Value) -> Command {
    Command::SetRules(serde_json::from_value(rules).unwrap())
}

pub(crate) fn profile(name: &str) -> haggle_market::command::Profile {
    serde_json::from_value(serde_json::json!({
        "name": name,
        "ways": [{"kind": "phone", "value": "+49 30 123456"}],
        "address": format!("{name}, Long Street 1"),
    }))
    .unwrap()
}
