//! The town in which the day happens: its traders, the network between them, and everything that goes wrong.

use std::collections::{BTreeMap, BTreeSet};
use std::ops::Range;

use haggle_book::{Limits, Source};
use haggle_market::{Answer, Ask, Command, Heard, Input, Job, Paid, Trouble};
use haggle_protocol::attachment::Piece;
use haggle_protocol::reach::Circuit;
use haggle_protocol::{MessageId, Refusal, Timestamp};

use super::bank::{Bank, Fault};
use super::dice::Dice;
use super::laws;
use super::people;
use super::trader::{Done, Life, SKEW, Trader};

/// When the day begins.
pub(crate) const START: Timestamp = Timestamp(1_800_000_000);

/// Every so many cells, one is tried on the keys that others have.
const OVERHEARD: u64 = 100;
/// Traders from which on a town is a large one.
const MANY: u64 = 20;

/// How long before the end of a day the last one decides something, in seconds: what is on its way is tried again within a minute.
const LAST_WORDS: u64 = 600;

/// How large a day is, and how bad.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Plan {
    pub(crate) traders: usize,
    pub(crate) intents: u64,
    /// For how long people publish and decide while things go wrong, in seconds.
    pub(crate) busy: u64,
    /// For how long nothing goes wrong any more, so that everything comes to its end.
    pub(crate) calm: u64,
    /// Percentages of what is on its way.
    pub(crate) lost: u64,
    pub(crate) doubled: u64,
    pub(crate) misdelivered: u64,
    /// Page loads on the day, over all traders.
    pub(crate) reloads: u64,
    /// For how long, in seconds, the town is in two parts of which neither hears the other.
    pub(crate) parted: u64,
}

/// Something that will happen.
enum Next {
    Frame {
        to: usize,
        from: usize,
        bytes: Vec<u8>,
    },
    Cell {
        from: (usize, Life),
        to: usize,
        message: MessageId,
        bytes: Vec<u8>,
        stray: bool,
    },
    Answered {
        to: (usize, Life),
        message: MessageId,
        answer: Result<Vec<u8>, Refusal>,
    },
    Undelivered {
        to: (usize, Life),
        message: MessageId,
    },
    Asked {
        from: (usize, Life),
        to: usize,
        piece: Piece,
    },
    Piece {
        to: (usize, Life),
        piece: Piece,
        /// `None` if nobody was found.
        answer: Option<Result<Vec<u8>, Refusal>>,
    },
    /// A question comes to the bank, or its answer comes back.
    Pay {
        from: (usize, Life),
        job: Job,
        ask: Box<Ask>,
    },
    Publish {
        by: usize,
    },
    Decide {
        by: usize,
    },
    ReadBook {
        by: usize,
    },
    Leave {
        who: usize,
        for_seconds: u64,
    },
    Return {
        who: usize,
    },
}

/// What happened, so that a day on which nothing happens does not count as a good one.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Tally {
    pub(crate) published: u64,
    pub(crate) cells: u64,
    pub(crate) lost: u64,
    pub(crate) doubled: u64,
    pub(crate) strays: u64,
    pub(crate) reloads: u64,
    pub(crate) acknowledged: u64,
    pub(crate) quotes: u64,
    pub(crate) confirmed: u64,
    pub(crate) received: u64,
    pub(crate) cancelled: u64,
    pub(crate) countered: u64,
    pub(crate) lines: u64,
    /// Files that came whole.
    pub(crate) files: u64,
    /// Trades that were handed over with the buyer's code.
    pub(crate) delivered: u64,
    /// What did not cross from one part of the town to the other.
    pub(crate) uncrossed: u64,
    /// Locks that their sellers and their buyers got in the end, and those that were shared out.
    pub(crate) released: u64,
    pub(crate) refunded: u64,
    pub(crate) shared: u64,
}

pub(crate) struct Town {
    pub(crate) now: Timestamp,
    pub(crate) traders: Vec<Trader>,
    pub(crate) dice: Dice,
    pub(crate) tally: Tally,
    pub(crate) plan: Plan,
    pub(crate) bank: Bank,
    calm: bool,
    /// When the town is in two parts, and who is on the far side.
    parting: Range<Timestamp>,
    far: BTreeSet<usize>,
    agenda: BTreeMap<(Timestamp, u64), Next>,
    counted: u64,
}

impl Town {
    pub(crate) fn new(seed: u64, plan: Plan) -> Self {
        let mut town = Self {
            now: START,
            traders: Vec::new(),
            dice: Dice::new(seed),
            tally: Tally::default(),
            plan,
            bank: Bank::default(),
            calm: false,
            parting: START..START,
            far: BTreeSet::new(),
            agenda: BTreeMap::new(),
            counted: 0,
        };
        for at in 0..plan.traders {
            // Some cannot pay everything that they want.
            let purse = town.dice.between(0, 400_000);
            town.bank.purses.insert(at, purse);
            // Some have hardly any room, so that the bound is not only there but reached.
            let book = if at % 5 == 4 {
                Limits {
                    bytes: 96 << 10,
                    ..Limits::peer()
                }
            } else {
                Limits::peer()
            };
            let (trader, done) = Trader::new(at, book, town.now, &mut town.dice);
            town.traders.push(trader);
            town.carry(at, done);
            town.open_up(at);
        }
        town.plan_the_day();
        town
    }

    fn plan_the_day(&mut self) {
        let plan = self.plan;
        for _ in 0..plan.intents {
            let by = self.anybody();
            self.within(plan.busy, Next::Publish { by });
        }
        for _ in 0..plan.reloads {
            let who = self.anybody();
            let for_seconds = *self.dice.pick(&[0, 0, 3, 60, 600]);
            self.within(plan.busy, Next::Leave { who, for_seconds });
        }
        let first = self
            .dice
            .between(0, plan.busy.saturating_sub(plan.parted).max(1));
        self.parting = START + first..START + first + plan.parted;
        for who in 0..plan.traders {
            if self.dice.percent(50) {
                self.far.insert(who);
            }
        }
        for by in 0..plan.traders {
            let first = self.dice.between(1, 60);
            self.later(first, Next::Decide { by });
            self.later(first, Next::ReadBook { by });
        }
    }

    /// Stock, rules and a name, and a place at the relay.
    fn open_up(&mut self, at: usize) {
        let items = self.dice.between(0, 12);
        let items = (1..=items)
            .map(|number| people::item(at, number, &mut self.dice))
            .collect();
        let rules = people::rules(&mut self.dice);
        for command in [
            Command::SetProfile(people::profile(at)),
            Command::SetRules(rules),
            Command::PutItems(items),
        ] {
            let done = self.traders[at].command(command, self.now);
            assert!(matches!(done.reply, Some(Ok(_))));
            self.carry(at, done);
        }
        self.connect(at);
    }

    fn connect(&mut self, at: usize) {
        let way = self.traders[at].way();
        let done = self.traders[at].handle(Input::Heard(Heard::Reachable(vec![way])), self.now);
        self.carry(at, done);
    }

    /// The whole day, until nothing is left to happen but renewals.
    pub(crate) fn live(&mut self) {
        self.run_until(START + self.plan.busy);
        self.calm = true;
        for at in 0..self.traders.len() {
            if !self.traders[at].online {
                self.come_back(at);
            }
        }
        self.run_until(START + self.plan.busy + self.plan.calm);
    }

    fn run_until(&mut self, end: Timestamp) {
        loop {
            let happens = self.agenda.first_key_value().map(|((at, _), _)| *at);
            let due = self
                .traders
                .iter()
                .filter_map(|trader| Some((trader.next_deadline()?, trader.at)));
            let due = due.min();
            let strikes = due.is_some_and(|(at, _)| happens.is_none_or(|next| at <= next));
            let next = if strikes {
                due.map(|(at, _)| at)
            } else {
                happens
            };
            let Some(at) = next.filter(|at| *at <= end) else {
                break;
            };
            self.now = self.now.max(at);
            if let Some((_, who)) = due.filter(|_| strikes) {
                let done = self.traders[who].handle(Input::Tick, self.now);
                let next = self.traders[who].next_deadline();
                assert!(next.is_none_or(|next| next > self.now), "due again at once");
                self.carry(who, done);
            } else if let Some((_, next)) = self.agenda.pop_first() {
                self.happen(next);
            }
        }
        self.now = end;
    }

    fn happen(&mut self, next: Next) {
        match next {
            Next::Frame { to, from, bytes } => {
                if self.traders[to].online {
                    let source = Source::Peer(self.traders[from].peer.public());
                    let heard = Heard::Frame { bytes, source };
                    let done = self.traders[to].handle(Input::Heard(heard), self.now);
                    self.carry(to, done);
                }
            }
            Next::Cell {
                from,
                to,
                message,
                bytes,
                stray,
            } => {
                self.deliver(from, to, message, bytes, stray);
            }
            Next::Answered {
                to: (to, life),
                message,
                answer,
            } => {
                if self.is_there(to, life) {
                    let heard = Heard::Answered { message, answer };
                    let done = self.traders[to].handle(Input::Heard(heard), self.now);
                    self.carry(to, done);
                }
            }
            Next::Undelivered {
                to: (to, life),
                message,
            } => {
                if self.is_there(to, life) {
                    let heard = Heard::Undelivered { message };
                    let done = self.traders[to].handle(Input::Heard(heard), self.now);
                    self.carry(to, done);
                }
            }
            Next::Asked { from, to, piece } => {
                let there = self.traders[to].online;
                let answer = there.then(|| self.traders[to].piece(&piece));
                let to = from;
                self.fate(Next::Piece { to, piece, answer });
            }
            Next::Piece {
                to: (to, life),
                piece,
                answer,
            } => {
                if self.is_there(to, life) {
                    if let Some(Ok(bytes)) = &answer {
                        self.traders[to].keep(&piece, bytes);
                    }
                    let heard = match answer {
                        Some(answer) => Heard::Piece { piece, answer },
                        None => Heard::NoPiece { piece },
                    };
                    let done = self.traders[to].handle(Input::Heard(heard), self.now);
                    self.carry(to, done);
                }
            }
            Next::Pay {
                from: (who, life),
                job,
                ask,
            } => {
                let answer = self.ask_bank(who, &ask);
                if self.is_there(who, life) {
                    let paid = Input::Paid { job, answer };
                    let done = self.traders[who].handle(paid, self.now);
                    self.carry(who, done);
                }
            }
            Next::Publish { by } => {
                if self.traders[by].online {
                    let draft = people::draft(&mut self.dice);
                    let publish = Command::Publish(Box::new(draft));
                    let done = self.traders[by].command(publish, self.now);
                    assert!(matches!(done.reply, Some(Ok(_))), "{:?}", done.reply);
                    self.tally.published += 1;
                    self.carry(by, done);
                }
            }
            Next::Decide { by } => {
                if self.traders[by].online {
                    laws::no_order_outlives_its_deadline(&self.traders[by], self.now);
                }
                // In the end nobody begins anything that could not come to its end.
                let end = START + self.plan.busy + self.plan.calm;
                if self.traders[by].online
                    && self.now + LAST_WORDS < end
                    && let Some(command) = people::decide(by, &self.traders, &mut self.dice)
                {
                    let done = self.traders[by].command(command, self.now);
                    self.carry(by, done);
                }
                let pause = self.dice.between(20, 120);
                self.later(pause, Next::Decide { by });
            }
            Next::ReadBook { by } => {
                self.read_book(by);
                let pause = self.dice.between(20, 60);
                self.later(pause, Next::ReadBook { by });
            }
            Next::Leave { who, for_seconds } => self.leave(who, for_seconds),
            Next::Return { who } => {
                if !self.traders[who].online {
                    self.come_back(who);
                }
            }
        }
    }

    fn is_there(&self, who: usize, life: Life) -> bool {
        self.traders[who].online && self.traders[who].life == life
    }

    fn deliver(
        &mut self,
        from: (usize, Life),
        to: usize,
        message: MessageId,
        bytes: Vec<u8>,
        stray: bool,
    ) {
        if !self.traders[to].online {
            self.later(5, Next::Undelivered { to: from, message });
            return;
        }
        let again = self.traders[to].acknowledged.contains(&bytes);
        let done = self.traders[to].cell(bytes.clone(), self.now);
        let answer = match &done.answer {
            Some(Answer::Ack(cell)) => Ok(cell.clone()),
            Some(Answer::Refused(refusal)) => Err(*refusal),
            None => panic!("a cell without an answer"),
        };
        if stray {
            laws::a_stray_cell_is_nobodys(&answer, &done);
            return;
        }
        if answer.is_ok() {
            if again {
                laws::what_was_acknowledged_has_no_second_effect(&done);
            } else {
                self.tally.acknowledged += 1;
                self.traders[to].acknowledged.insert(bytes);
            }
        }
        self.carry(to, done);
        self.fate(Next::Answered {
            to: from,
            message,
            answer,
        });
    }

    /// The bank answers, unless it does not: then nobody knows whether it was done.
    fn ask_bank(&mut self, who: usize, ask: &Ask) -> Result<Paid, Trouble> {
        let sum = self.bank.sum();
        let lost = self.plan.lost * u64::from(!self.calm);
        let fault = match () {
            () if self.dice.percent(lost) => Some(Fault::Deaf),
            () if self.dice.percent(lost) => Some(Fault::Mute),
            () => None,
        };
        let answer = match fault {
            Some(fault) => Err(self.bank.ask_in_vain(who, ask, self.now, fault)),
            None => self.bank.ask(who, ask, self.now),
        };
        assert_eq!(self.bank.sum(), sum, "{} made or lost money", ask.name());
        answer
    }

    /// The weeks after, in which nobody hears of anybody any more: only machines that wake now and then, and the bank.
    pub(crate) fn live_on(&mut self) {
        self.calm = true;
        for _ in 0..60 * 4 {
            self.now = self.now + 6 * 60 * 60;
            for at in 0..self.traders.len() {
                let mut asks = self.traders[at].handle(Input::Tick, self.now).asks;
                while let Some((job, ask)) = asks.pop() {
                    let answer = self.ask_bank(at, &ask);
                    let paid = Input::Paid { job, answer };
                    asks.extend(self.traders[at].handle(paid, self.now).asks);
                }
            }
        }
    }

    /// What one trader's market wants done in the world.
    fn carry(&mut self, at: usize, done: Done) {
        let life = self.traders[at].life;
        for bytes in done.broadcasts {
            for to in (0..self.traders.len()).filter(|to| *to != at) {
                let bytes = bytes.clone();
                self.fate(Next::Frame {
                    to,
                    from: at,
                    bytes,
                });
            }
        }
        for (job, ask) in done.asks {
            let from = (at, life);
            let pause = self.dice.between(0, 3);
            self.later(pause, Next::Pay { from, job, ask });
        }
        for (piece, ways) in done.fetches {
            let from = (at, life);
            match self.find(&ways) {
                Some(to) => self.fate(Next::Asked { from, to, piece }),
                None => {
                    let (to, answer) = (from, None);
                    self.later(5, Next::Piece { to, piece, answer });
                }
            }
        }
        for (message, ways, bytes) in done.whispers {
            self.tally.cells += 1;
            laws::nobody_talks_for_ever(self);
            let Some(to) = self.find(&ways) else {
                let pause = self.dice.between(1, 10);
                self.later(
                    pause,
                    Next::Undelivered {
                        to: (at, life),
                        message,
                    },
                );
                continue;
            };
            if self.dice.percent(self.plan.misdelivered) {
                let others: BTreeSet<usize> = (0..self.traders.len())
                    .filter(|other| *other != to)
                    .collect();
                let others: Vec<usize> = others.into_iter().collect();
                let stray = *self.dice.pick(&others);
                let (from, bytes) = ((at, life), bytes.clone());
                self.tally.strays += 1;
                self.later(
                    1,
                    Next::Cell {
                        from,
                        to: stray,
                        message,
                        bytes,
                        stray: true,
                    },
                );
            }
            // A large town says more, and the sum of it shall not be looked at for hours.
            let each = OVERHEARD * (self.plan.traders as u64).div_ceil(MANY);
            if self.tally.cells.is_multiple_of(each) {
                let nth = self.tally.cells / each;
                laws::only_its_recipient_can_open_it(self, to, &bytes, nth);
            }
            self.fate(Next::Cell {
                from: (at, life),
                to,
                message,
                bytes,
                stray: false,
            });
        }
    }

    /// Who can be reached by one of these ways now.
    fn find(&self, ways: &[Circuit]) -> Option<usize> {
        ways.iter().find_map(|way| {
            let there = |trader: &&Trader| trader.online && trader.peer.public() == way.peer;
            self.traders.iter().find(there).map(|trader| trader.at)
        })
    }

    /// Whether neither of the two hears the other now.
    fn are_parted(&self, one: usize, other: usize) -> bool {
        self.parting.contains(&self.now) && self.far.contains(&one) != self.far.contains(&other)
    }

    /// On its way it is lost, doubled, or only delayed.
    fn fate(&mut self, next: Next) {
        let delay = self.dice.between(0, if self.calm { 1 } else { 4 });
        let crosses = match &next {
            Next::Frame { to, from, .. } => self.are_parted(*from, *to),
            Next::Cell { to, from, .. } | Next::Asked { to, from, .. } => {
                self.are_parted(from.0, *to)
            }
            Next::Answered { .. }
            | Next::Undelivered { .. }
            | Next::Piece { .. }
            | Next::Pay { .. }
            | Next::Publish { .. }
            | Next::Decide { .. }
            | Next::ReadBook { .. }
            | Next::Leave { .. }
            | Next::Return { .. } => false,
        };
        self.tally.uncrossed += u64::from(crosses);
        if crosses || (!self.calm && self.dice.percent(self.plan.lost)) {
            self.tally.lost += 1;
            let told = match next {
                Next::Cell {
                    from: to, message, ..
                }
                | Next::Answered { to, message, .. } => Next::Undelivered { to, message },
                Next::Asked {
                    from: to, piece, ..
                }
                | Next::Piece { to, piece, .. } => {
                    let answer = None;
                    Next::Piece { to, piece, answer }
                }
                Next::Frame { .. }
                | Next::Undelivered { .. }
                | Next::Pay { .. }
                | Next::Publish { .. }
                | Next::Decide { .. }
                | Next::ReadBook { .. }
                | Next::Leave { .. }
                | Next::Return { .. } => return,
            };
            // One in ten is lost without anybody being told.
            if !self.dice.percent(10) {
                let pause = self.dice.between(1, 10);
                self.later(pause, told);
            }
            return;
        }
        if !self.calm
            && self.dice.percent(self.plan.doubled)
            && let Next::Cell {
                from,
                to,
                message,
                bytes,
                stray,
            } = &next
        {
            self.tally.doubled += 1;
            let (from, to, message, stray) = (*from, *to, *message, *stray);
            let twin = Next::Cell {
                from,
                to,
                message,
                bytes: bytes.clone(),
                stray,
            };
            let pause = self.dice.between(0, 300);
            self.later(pause, twin);
        }
        self.later(delay, next);
    }

    /// Asks somebody for what is new in his book, as a node does now and then.
    fn read_book(&mut self, by: usize) {
        let whom = self.anybody();
        let there = self.traders[by].online && self.traders[whom].online;
        if whom == by || !there || self.are_parted(by, whom) {
            return;
        }
        let since = self.traders[by].read.get(&whom).copied();
        let page = self.traders[whom].market.book().page(since, 32 << 10);
        self.traders[by].read.insert(whom, page.cursor);
        let source = Source::Book(self.traders[whom].peer.public());
        for bytes in page.frames {
            let heard = Heard::Frame { bytes, source };
            let done = self.traders[by].handle(Input::Heard(heard), self.now);
            self.carry(by, done);
        }
    }

    fn leave(&mut self, who: usize, for_seconds: u64) {
        if !self.traders[who].online {
            return;
        }
        let before = self.traders[who].screen.lasting();
        let after = self.traders[who]
            .after_reload(self.now, &mut self.dice)
            .lasting();
        laws::a_reload_changes_nothing(who, &before, &after);
        self.traders[who].online = false;
        if for_seconds == 0 {
            self.come_back(who);
        } else {
            self.later(for_seconds, Next::Return { who });
        }
    }

    fn come_back(&mut self, who: usize) {
        self.tally.reloads += 1;
        let done = self.traders[who].reload(self.now, &mut self.dice);
        self.carry(who, done);
        self.connect(who);
    }

    fn anybody(&mut self) -> usize {
        let last = u64::try_from(self.plan.traders).unwrap() - 1;
        usize::try_from(self.dice.between(0, last)).unwrap()
    }

    fn later(&mut self, seconds: u64, next: Next) {
        self.counted += 1;
        // What is due at the same second happens in an order of its own.
        let order = self.dice.between(0, u64::from(u32::MAX)) << 32 | self.counted;
        self.agenda.insert((self.now + seconds, order), next);
    }

    fn within(&mut self, seconds: u64, next: Next) {
        let at = self.dice.between(SKEW, seconds);
        self.later(at, next);
    }
}
