//! What the screen knows: a fold over the peer's events, and the questions that the screen asks of it.
//!
//! Each event carries the whole of what it is about, so folding is replacing; what remains to be found
//! out here is what of it is *news*, because only news is announced and moves. A snapshot is no news,
//! neither is what is told twice. When a listener was too slow its peer sends a fresh snapshot instead of
//! what was missed; a notice that an intent is over may be among what was missed, so at the end of
//! each snapshot whatever was not told since the last one is forgotten.

use std::collections::BTreeMap;

use haggle_protocol::category::Category;
use haggle_protocol::{Arbiter, IntentId, MessageId, Money, PublicKey, Side, ThreadId, Timestamp};

use crate::node::{
    AnswerState, Balance, Case, CaseState, Chat, EscrowState, EscrowView, Event, IntentState, Link,
    MarketEvent, MyIntent, NetworkView, OpenIntent, Purse, QuoteState, QuoteView, Role, RulingView,
    StallView, Trade, TradeState, TradeStep, wallet,
};

/// All that the screen knows.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Board {
    mine: BTreeMap<IntentId, MyIntent>,
    open: BTreeMap<IntentId, Told>,
    trades: BTreeMap<ThreadId, Trade>,
    chats: BTreeMap<ThreadId, Chat>,
    cases: BTreeMap<MessageId, Case>,
    stall: Option<Box<StallView>>,
    network: Option<NetworkView>,
    purses: BTreeMap<String, Vec<Balance>>,
    stopped: Option<Stopped>,
    /// How many snapshots were told to their end.
    snapshots: u64,
}

/// An open intent and when it was last told of.
#[derive(Clone, Debug, PartialEq)]
struct Told {
    intent: OpenIntent,
    /// The count of whole snapshots at that time.
    during: u64,
}

/// Why the peer ended.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Stopped {
    /// Stable, for programs.
    pub code: String,
    /// For people, in English.
    pub sentence: String,
}

/// Something that happened just now and is worth a sentence.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum News {
    /// A seller has answered, or improved on an answer.
    Quote {
        /// Which of my intents.
        intent: IntentId,
        /// Whose quote.
        thread: ThreadId,
    },
    /// Somebody ordered from me.
    Order {
        /// In which thread.
        thread: ThreadId,
    },
    /// A seller confirmed my order, or my own confirmation is on its way.
    Confirmed {
        /// In which thread.
        thread: ThreadId,
    },
    /// An order was not confirmed, with or without a word.
    NotConfirmed {
        /// In which thread.
        thread: ThreadId,
    },
    /// The other one does not go on with it.
    Cancelled {
        /// In which thread.
        thread: ThreadId,
    },
    /// A trade has ended because nobody went on with it.
    Lapsed {
        /// In which thread.
        thread: ThreadId,
    },
    /// The other one had gone on when my cancel came.
    CancelRefused {
        /// In which thread.
        thread: ThreadId,
    },
    /// The other one has said who and where.
    Contact {
        /// In which thread.
        thread: ThreadId,
    },
    /// The other one has paid, sent it, handed it over, or received it.
    Step {
        /// In which thread.
        thread: ThreadId,
        /// Which.
        step: TradeStep,
    },
    /// A buyer has made a counter to my quote.
    Counter {
        /// To which intent.
        intent: IntentId,
    },
    /// The other one has said something.
    Chat {
        /// In which thread.
        thread: ThreadId,
    },
    /// Money has come into a purse.
    CameIn {
        /// Into which.
        purse: Purse,
        /// How much, in minor units.
        minor: u64,
    },
    /// The arbiter of a trade has decided.
    Ruled {
        /// In which thread.
        thread: ThreadId,
    },
    /// Somebody asks me to decide.
    Case,
    /// Somebody wants what I have.
    Match {
        /// Which intent.
        intent: IntentId,
    },
}

/// What of the open intents is looked at.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Filter {
    /// Only those that something in my stall answers.
    pub matching: bool,
    /// Only those that have all these words in title or details, without regard to case.
    pub text: String,
    /// Only those of this category or below it.
    pub category: Category,
    /// Also those that I do not want to see.
    pub dismissed: bool,
}

impl Board {
    /// Takes one event and says what of it is news.
    pub fn apply(&mut self, event: Event) -> Vec<News> {
        match event {
            Event::Market(event) => self.market_event(event),
            Event::Network(view) => {
                self.network = Some(view);
                Vec::new()
            }
            Event::Wallet(view) => self.wallet_event(view),
            Event::Stopped { code, sentence } => {
                self.stopped = Some(Stopped { code, sentence });
                Vec::new()
            }
        }
    }

    fn market_event(&mut self, event: MarketEvent) -> Vec<News> {
        match event {
            MarketEvent::MyIntent(mine) => {
                let before = self.mine.get(&mine.id);
                let news = self.when_ready(|| quote_news(before, &mine));
                self.mine.insert(mine.id, *mine);
                news
            }
            MarketEvent::OpenIntent(intent) => {
                let before = self.open.get(&intent.id).map(|told| &told.intent);
                let newly = !before.is_some_and(is_match) && is_match(&intent);
                let id = intent.id;
                let matched = newly.then_some(News::Match { intent: id });
                let countered = has_new_counter(before, &intent);
                let countered = countered.then_some(News::Counter { intent: id });
                let news = self.when_ready(|| matched.into_iter().chain(countered).collect());
                let during = self.snapshots;
                let told = Told {
                    intent: *intent,
                    during,
                };
                self.open.insert(told.intent.id, told);
                news
            }
            MarketEvent::Gone(id) => {
                self.open.remove(&id);
                Vec::new()
            }
            MarketEvent::Trade(trade) => {
                let before = self.trades.get(&trade.thread);
                let news = self.when_ready(|| trade_news(before, &trade));
                self.trades.insert(trade.thread, *trade);
                news
            }
            MarketEvent::Chat(chat) => {
                let before = self.chats.get(&chat.thread);
                let news = self.when_ready(|| chat_news(before, &chat));
                self.chats.insert(chat.thread, *chat);
                news
            }
            MarketEvent::Case(case) => {
                let before = self.cases.get(&case.order);
                let asked = before.map_or(0, |before| before.claims.len()) < case.claims.len();
                let news = self.when_ready(|| asked.then_some(News::Case).into_iter().collect());
                self.cases.insert(case.order, *case);
                news
            }
            MarketEvent::Forgotten(thread, _) => {
                self.trades.remove(&thread);
                self.chats.remove(&thread);
                Vec::new()
            }
            MarketEvent::Stall(stall) => {
                self.stall = Some(stall);
                Vec::new()
            }
            MarketEvent::Ready => {
                let last = self.snapshots;
                self.open.retain(|_, told| told.during == last);
                self.snapshots += 1;
                Vec::new()
            }
        }
    }

    /// What was told first of a rail's purses is no news: it was there before.
    fn wallet_event(&mut self, view: wallet::View) -> Vec<News> {
        let before = self.purses.insert(view.rail, view.balances.clone());
        let Some(before) = before else {
            return Vec::new();
        };
        let sum = |balance: &Balance| balance.free.saturating_add(balance.held);
        let more = view.balances.iter().filter_map(|now| {
            let was = before.iter().find(|was| was.purse == now.purse);
            let minor = sum(now).checked_sub(was.map_or(0, sum))?;
            let purse = now.purse.clone();
            (minor > 0).then_some(News::CameIn { purse, minor })
        });
        more.collect()
    }

    fn when_ready(&self, news: impl FnOnce() -> Vec<News>) -> Vec<News> {
        if self.is_ready() { news() } else { Vec::new() }
    }

    /// Whether everything that was known at the start has been told.
    #[must_use]
    pub const fn is_ready(&self) -> bool {
        self.snapshots > 0
    }

    /// Why the peer ended, if it did.
    #[must_use]
    pub const fn stopped(&self) -> Option<&Stopped> {
        self.stopped.as_ref()
    }

    /// What is known of the connection.
    #[must_use]
    pub const fn network(&self) -> Option<&NetworkView> {
        self.network.as_ref()
    }

    /// How it stands with the connection; connecting until something is known.
    #[must_use]
    pub fn link(&self) -> Link {
        self.network
            .as_ref()
            .map_or(Link::Connecting, |network| network.state)
    }

    /// My stall, once it was told of.
    #[must_use]
    pub fn stall(&self) -> Option<&StallView> {
        self.stall.as_deref()
    }

    /// What is in every purse that was ever used.
    #[must_use]
    pub fn balances(&self) -> Vec<Balance> {
        self.purses.values().flatten().cloned().collect()
    }

    /// One of my intents.
    #[must_use]
    pub fn mine(&self, id: &IntentId) -> Option<&MyIntent> {
        self.mine.get(id)
    }

    /// What I ask for: what goes on first, then the newest first.
    #[must_use]
    pub fn my_intents(&self) -> Vec<IntentId> {
        self.mine_that(|mine| mine.draft.arbiter.is_none())
    }

    /// Where I have said that I decide for others: what goes on first, then the newest first.
    #[must_use]
    pub fn my_offers(&self) -> Vec<IntentId> {
        self.mine_that(|mine| mine.draft.arbiter.is_some())
    }

    fn mine_that(&self, is_it: impl Fn(&MyIntent) -> bool) -> Vec<IntentId> {
        let mut mine: Vec<_> = self.mine.values().filter(|mine| is_it(mine)).collect();
        mine.sort_by_key(|mine| (is_over(mine.state), core::cmp::Reverse(mine.created)));
        mine.into_iter().map(|mine| mine.id).collect()
    }

    /// One quote of one of my intents.
    #[must_use]
    pub fn quote(&self, intent: &IntentId, thread: &ThreadId) -> Option<&QuoteView> {
        let mine = self.mine.get(intent)?;
        mine.quotes.iter().find(|quote| quote.thread == *thread)
    }

    /// An open intent of somebody else.
    #[must_use]
    pub fn open(&self, id: &IntentId) -> Option<&OpenIntent> {
        self.open.get(id).map(|told| &told.intent)
    }

    /// What others want.
    fn wants(&self) -> impl Iterator<Item = &OpenIntent> {
        let open = self.open.values().map(|told| &told.intent);
        open.filter(|open| open.intent.arbiter.is_none())
    }

    /// How many things others want.
    #[must_use]
    pub fn wanted(&self) -> usize {
        self.wants().count()
    }

    /// Those of whom it is heard that they decide for others by this rail, the newest first, each with what he calls himself.
    #[must_use]
    pub fn arbiters(&self, rail: &str) -> Vec<(Arbiter, String)> {
        let mut open: Vec<_> = self.open.values().map(|told| &told.intent).collect();
        open.sort_by_key(|open| (core::cmp::Reverse(open.created), open.id));
        let named = open.into_iter().filter_map(|open| {
            let terms = open.intent.arbiter.clone()?;
            let arbiter = Arbiter {
                intent: open.id,
                terms,
            };
            (arbiter.terms.rail == rail).then(|| (arbiter, open.intent.title.clone()))
        });
        named.collect()
    }

    /// What an arbiter calls himself, if it is heard of him, on just these terms.
    #[must_use]
    pub fn arbiter(&self, arbiter: &Arbiter) -> Option<&str> {
        let intent = &self.open(&arbiter.intent)?.intent;
        let same = intent.arbiter.as_ref() == Some(&arbiter.terms);
        same.then_some(intent.title.as_str())
    }

    /// One case that I was asked to decide.
    #[must_use]
    pub fn case(&self, order: &MessageId) -> Option<&Case> {
        self.cases.get(order)
    }

    /// What I was asked to decide: what waits for me first, then the newest first.
    #[must_use]
    pub fn cases(&self) -> Vec<MessageId> {
        let mut cases: Vec<_> = self.cases.values().collect();
        let asked = |case: &Case| case.claims.iter().map(|claim| claim.at).max();
        cases.sort_by_key(|case| {
            (
                !is_undecided(case),
                core::cmp::Reverse(asked(case)),
                case.order,
            )
        });
        cases.into_iter().map(|case| case.order).collect()
    }

    /// The exchanges with those who have asked me to decide.
    #[must_use]
    pub fn case_threads(&self) -> Vec<ThreadId> {
        let claims = self.cases.values().flat_map(|case| &case.claims);
        claims.map(|claim| claim.thread).collect()
    }

    /// Whether I have ever said that I decide for others.
    #[must_use]
    pub fn decides(&self) -> bool {
        !self.cases.is_empty() || self.mine.values().any(|mine| mine.draft.arbiter.is_some())
    }

    /// Cases that wait for me, and exchanges about them in which there is something that I have not looked at.
    #[must_use]
    pub fn cases_waiting_for_me(&self) -> usize {
        let cases = self.cases.values().filter(|case| is_undecided(case));
        cases.count() + self.unread_that(|chat| self.place_of(chat) == Place::Case)
    }

    /// The open intents that pass the filter: what my stall answers first, then the newest first.
    #[must_use]
    pub fn market(&self, filter: &Filter) -> Vec<IntentId> {
        let words: Vec<String> = filter
            .text
            .split_whitespace()
            .map(str::to_lowercase)
            .collect();
        let passes = |open: &&OpenIntent| {
            (!filter.matching || is_match(open))
                && (filter.dismissed || !is_dismissed(open))
                && open.intent.category.within(filter.category)
                && has_words(open, &words)
        };
        let mut found: Vec<_> = self.wants().filter(passes).collect();
        found.sort_by_key(|open| (!is_match(open), core::cmp::Reverse(open.created), open.id));
        found.into_iter().map(|open| open.id).collect()
    }

    /// One order or trade.
    #[must_use]
    pub fn trade(&self, thread: &ThreadId) -> Option<&Trade> {
        self.trades.get(thread)
    }

    /// The trade of an order.
    #[must_use]
    pub fn trade_of(&self, order: &MessageId) -> Option<&Trade> {
        self.trades.values().find(|trade| trade.order == *order)
    }

    /// My orders and trades of either side: those that wait for me first, then the newest first.
    #[must_use]
    pub fn trades(&self) -> Vec<ThreadId> {
        let mut trades: Vec<_> = self.trades.values().collect();
        trades.sort_by_key(|trade| (!waits_for_me(trade), core::cmp::Reverse(trade.ordered)));
        trades.into_iter().map(|trade| trade.thread).collect()
    }

    /// What whoever is about to take a quote for this sum should think of.
    #[must_use]
    pub fn cautions(&self, seller: Option<&PublicKey>, total: Money) -> Vec<Caution> {
        let ended = || {
            let trades = self.trades.values();
            trades.filter(|trade| trade.state == TradeState::Received)
        };
        let first = match seller {
            None => Some(Caution::Unnamed),
            Some(seller) if ended().any(|it| it.trader.as_ref() == Some(seller)) => None,
            Some(_) => Some(Caution::First),
        };
        let sums = ended().map(|it| it.quote.total);
        let most = sums.filter(|it| it.asset == total.asset).map(|it| it.minor);
        let largest = most.max().is_some_and(|most| total.minor > most);
        let largest = largest.then_some(Caution::Largest);
        first.into_iter().chain(largest).collect()
    }

    /// Quotes that can be taken, of intents for which none was taken yet.
    #[must_use]
    pub fn quotes_to_choose_from(&self) -> usize {
        let open = self
            .mine
            .values()
            .filter(|mine| mine.state == IntentState::Open);
        open.map(standing).sum()
    }

    /// Where a tip for the other side of a trade, or for whoever decided about it, would be said: in an exchange that is still open, and
    /// only once there is something to be thankful for.
    #[must_use]
    pub fn tip_to(&self, thread: &ThreadId, whom: Thanked) -> Option<ThreadId> {
        let trade = self.trades.get(thread)?;
        let place = match (whom, trade.role) {
            (Thanked::Buyer, Role::Buyer) | (Thanked::Seller, Role::Seller) => None,
            (Thanked::Buyer | Thanked::Seller, _) => has_succeeded(trade).then_some(trade.thread),
            (Thanked::Arbiter, _) => {
                let ruled =
                    |escrow: &&EscrowView| decided(escrow).is_some() && is_paid_out(escrow.state);
                trade.escrow.as_ref().filter(ruled)?;
                dispute_thread(trade)
            }
        };
        place.filter(|place| self.chat(place).is_none_or(|chat| chat.can_say))
    }

    /// What was said in an exchange.
    #[must_use]
    pub fn chat(&self, thread: &ThreadId) -> Option<&Chat> {
        self.chats.get(thread)
    }

    /// What I and the owner of an open intent have said to each other.
    #[must_use]
    pub fn chat_with_owner(&self, intent: &IntentId) -> Option<&Chat> {
        let mut chats = self.chats.values();
        chats.find(|chat| chat.intent == *intent && chat.role == Role::Seller)
    }

    /// Where sellers who have not quoted ask something about an intent of mine.
    #[must_use]
    pub fn questions(&self, intent: &IntentId) -> Vec<ThreadId> {
        let of = self.chats.values();
        let of = of.filter(|chat| chat.intent == *intent && chat.role == Role::Buyer);
        let threads = of.map(|chat| chat.thread);
        let quoted = |thread: &ThreadId| self.quote(intent, thread).is_some();
        threads.filter(|thread| !quoted(thread)).collect()
    }

    /// Orders and trades in which the next step is mine, or in which the other one has said something that I have not
    /// looked at.
    #[must_use]
    pub fn trades_waiting_for_me(&self) -> usize {
        let unread = |trade: &Trade| {
            let arbiter = dispute_thread(trade).map_or(0, |thread| self.unread(&thread));
            self.unread(&trade.thread) + arbiter > 0
        };
        let trades = self.trades.values();
        let waits = trades.filter(|trade| waits_for_me(trade) || unread(trade));
        waits.count()
    }

    /// On which screen an exchange is read.
    fn place_of(&self, chat: &Chat) -> Place {
        let mine = self.mine.get(&chat.intent);
        if mine.is_some_and(|mine| mine.draft.arbiter.is_some()) {
            return Place::Case;
        }
        let asked = |trade: &Trade| dispute_thread(trade) == Some(chat.thread);
        if self.trades.contains_key(&chat.thread) || self.trades.values().any(asked) {
            return Place::Trade;
        }
        Place::BeforeOrder
    }

    /// Of so many of these exchanges I have not looked at everything.
    fn unread_that(&self, is_it: impl Fn(&Chat) -> bool) -> usize {
        let chats = self.chats.values().filter(|chat| chat.unread > 0);
        chats.filter(|chat| is_it(chat)).count()
    }

    /// How many lines of an exchange I have not looked at.
    #[must_use]
    pub fn unread(&self, thread: &ThreadId) -> u32 {
        self.chats.get(thread).map_or(0, |chat| chat.unread)
    }

    /// Exchanges without an order in which the other one has said something that I have not looked at, by the side on
    /// which I am.
    #[must_use]
    pub fn unread_before_orders(&self, role: Role) -> usize {
        self.unread_that(|chat| chat.role == role && self.place_of(chat) == Place::BeforeOrder)
    }

    /// Trades from which something is still awaited, from whomever.
    #[must_use]
    pub fn trades_under_way(&self) -> usize {
        let awaited = self.trades.values();
        awaited.filter(|trade| trade.awaited.is_some()).count()
    }

    /// When the newest of my trades was ordered.
    #[must_use]
    pub fn newest_order(&self) -> Option<Timestamp> {
        self.trades.values().map(|trade| trade.ordered).max()
    }

    /// Everything that waits for me.
    #[must_use]
    pub fn waiting(&self) -> usize {
        let words =
            self.unread_before_orders(Role::Buyer) + self.unread_before_orders(Role::Seller);
        self.quotes_to_choose_from()
            + self.trades_waiting_for_me()
            + self.matches_to_answer()
            + self.cases_waiting_for_me()
            + words
    }

    /// Open intents that my stall answers and that I have neither answered nor dismissed.
    #[must_use]
    pub fn matches_to_answer(&self) -> usize {
        self.wants()
            .filter(|open| is_match(open) && open.answer.is_none())
            .count()
    }
}

/// What somebody should think of before he takes a quote.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Caution {
    /// The seller has not shown who he is.
    Unnamed,
    /// No trade with this seller has come to its end yet.
    First,
    /// More than any trade of mine in this currency that has come to its end.
    Largest,
}

/// Who has decided, to whoever reads it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Ruler {
    /// The one who reads it.
    Me,
    /// The arbiter, as he has told himself or as the money shows.
    Arbiter,
    /// The arbiter, if the other side is right.
    Said,
}

/// Whom somebody may be thankful to.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Thanked {
    /// Who wanted it.
    Buyer,
    /// Who had it.
    Seller,
    /// Who decided.
    Arbiter,
}

/// On which screen an exchange is read.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Place {
    /// With the case that I was asked to decide, or with what I say of deciding.
    Case,
    /// With its trade: what its arbiter was asked stands there too.
    Trade,
    /// With what somebody wants.
    BeforeOrder,
}

/// The exchange with the arbiter of a trade, if I have asked him.
fn dispute_thread(trade: &Trade) -> Option<ThreadId> {
    let dispute = trade.escrow.as_ref()?.dispute.as_ref()?;
    Some(dispute.thread)
}

/// Whether a case waits for its arbiter, me: to decide, or to let its mint be asked.
#[must_use]
pub fn is_undecided(case: &Case) -> bool {
    case.state == CaseState::Open || is_unasked(case)
}

/// Whether its mint is one that I have not named, so that it is not asked whether the money is there.
#[must_use]
pub fn is_unasked(case: &Case) -> bool {
    case.state == CaseState::Looking && case.trouble.as_deref() == Some("not-trusted")
}

/// Whether locked money has come to its end.
#[must_use]
pub const fn is_paid_out(state: EscrowState) -> bool {
    match state {
        EscrowState::Released | EscrowState::Refunded | EscrowState::Shared { .. } => true,
        EscrowState::Planned | EscrowState::Locking | EscrowState::Locked => false,
    }
}

/// How an arbiter has shared it out, as far as more than the other side's word stands for it: he has told me himself, or my rail has found it.
#[must_use]
pub fn decided(escrow: &EscrowView) -> Option<&RulingView> {
    let ruling = escrow.ruling.as_ref().filter(|it| it.held_until.is_none());
    ruling.filter(|ruling| ruling.words.is_some() || escrow.moved)
}

/// Whether an arbiter has decided that the seller holds it, as far as that stands in the same way: it is locked so by now.
#[must_use]
pub fn is_held_by_ruling(escrow: &EscrowView) -> bool {
    let ruling = escrow.ruling.as_ref();
    ruling.is_some_and(|ruling| {
        let is_locked_so =
            ruling.held_until == Some(escrow.deadline) && escrow.holder == Side::Seller;
        ruling.held_until.is_some() && (ruling.words.is_some() || is_locked_so)
    })
}

/// Sellers who have answered one of my intents.
#[must_use]
pub fn answers(mine: &MyIntent) -> usize {
    mine.quotes.len()
}

/// Quotes of an intent that can be taken now.
#[must_use]
pub fn standing(mine: &MyIntent) -> usize {
    let quotes = mine.quotes.iter();
    quotes
        .filter(|quote| quote.state == QuoteState::Standing)
        .count()
}

/// The best quote that can be taken, if no other was.
#[must_use]
pub fn best(mine: &MyIntent) -> Option<&QuoteView> {
    if mine.state != IntentState::Open {
        return None;
    }
    let standing = |quote: &&QuoteView| quote.state == QuoteState::Standing;
    mine.quotes.iter().filter(standing).min_by_key(|q| q.rank)
}

/// Whether a seller whom I had ordered from let me down, so that the next best is offered to me.
#[must_use]
pub fn let_down(mine: &MyIntent) -> bool {
    let lost = |state| matches!(state, QuoteState::Declined(_) | QuoteState::NotConfirmed);
    mine.state == IntentState::Open && mine.quotes.iter().any(|quote| lost(quote.state))
}

/// Whether an intent is over for its owner.
#[must_use]
pub const fn is_over(state: IntentState) -> bool {
    match state {
        IntentState::Open | IntentState::Ordered => false,
        IntentState::Awarded | IntentState::Withdrawn | IntentState::Expired => true,
    }
}

/// Whether something in my stall answers it.
#[must_use]
pub fn is_match(open: &OpenIntent) -> bool {
    open.matches.iter().any(|found| found.complete)
}

/// Whether I have said that I do not want to see it.
#[must_use]
pub fn is_dismissed(open: &OpenIntent) -> bool {
    let state = open.answer.as_ref().map(|answer| answer.state);
    state == Some(AnswerState::Dismissed)
}

/// Whether the next step of a trade is mine.
#[must_use]
pub fn waits_for_me(trade: &Trade) -> bool {
    trade
        .awaited
        .is_some_and(|awaited| awaited.from == trade.role)
}

/// Whether its seller has confirmed a trade and nobody has cancelled it, however far it has come since.
#[must_use]
pub const fn was_confirmed(state: TradeState) -> bool {
    match state {
        TradeState::Confirmed
        | TradeState::ContactsExchanged
        | TradeState::Dispatched
        | TradeState::Delivered
        | TradeState::Received
        | TradeState::Lapsed => true,
        TradeState::Ordered
        | TradeState::Declined(_)
        | TradeState::NotConfirmed
        | TradeState::Cancelled { .. } => false,
    }
}

/// The steps of a trade that I can say of myself now.
#[must_use]
pub fn sayable(trade: &Trade) -> Vec<TradeStep> {
    if !was_confirmed(trade.state) {
        return Vec::new();
    }
    let taken = |step| trade.steps.iter().any(|taken| taken.step == step);
    let paid_out = trade
        .escrow
        .as_ref()
        .is_some_and(|escrow| is_paid_out(escrow.state));
    let sayable = |step: &TradeStep| match step {
        // What was locked has gone where it belongs, and nothing that a seller says moves it.
        TradeStep::Dispatched | TradeStep::Delivered if paid_out => false,
        // What is paid through escrow, the lock pays.
        TradeStep::Paid => trade.escrow.is_none(),
        TradeStep::Received => true,
        // Who has the proof of it, or whose buyer has it, has no more to say.
        TradeStep::Dispatched => !taken(TradeStep::Delivered) && !taken(TradeStep::Received),
        TradeStep::Delivered => trade.can_deliver,
    };
    let all = [
        TradeStep::Paid,
        TradeStep::Dispatched,
        TradeStep::Delivered,
        TradeStep::Received,
    ];
    let mine = all.into_iter().filter(|step| step.role() == trade.role);
    mine.filter(|step| !taken(*step)).filter(sayable).collect()
}

/// Whether a trade is over because its buyer has what he ordered, or because what was locked for it went to its seller, or to both.
#[must_use]
pub fn has_succeeded(trade: &Trade) -> bool {
    let money = trade.escrow.as_ref().map(|escrow| escrow.state);
    let paid = matches!(
        money,
        Some(EscrowState::Released | EscrowState::Shared { .. })
    );
    paid || trade.state == TradeState::Received
}

/// Whether the time of something is over.
#[must_use]
pub fn is_past(until: Timestamp, now: Timestamp) -> bool {
    until <= now
}

fn has_words(open: &OpenIntent, words: &[String]) -> bool {
    if words.is_empty() {
        return true;
    }
    let details = open.intent.details.as_deref().unwrap_or_default();
    let text = format!("{} {details}", open.intent.title).to_lowercase();
    words.iter().all(|word| text.contains(word.as_str()))
}

fn quote_news(before: Option<&MyIntent>, now: &MyIntent) -> Vec<News> {
    let known = |quote: &QuoteView| {
        let mut old = before.iter().flat_map(|before| &before.quotes);
        old.any(|old| old.message == quote.message)
    };
    let arrived = now.quotes.iter().filter(|quote| !known(quote));
    let news = |quote: &QuoteView| News::Quote {
        intent: now.id,
        thread: quote.thread,
    };
    arrived.map(news).collect()
}

/// Whether the buyer has made another counter.
fn has_new_counter(before: Option<&OpenIntent>, now: &OpenIntent) -> bool {
    let round = |open: &OpenIntent| {
        let counter = open.answer.as_ref()?.counter.as_ref()?;
        Some(counter.round)
    };
    round(now).is_some() && before.and_then(round) != round(now)
}

fn chat_news(before: Option<&Chat>, now: &Chat) -> Vec<News> {
    let last = |chat: &Chat| {
        let mut theirs = chat.lines.iter().rev().filter(|line| !line.mine);
        theirs.next().map(|line| line.message)
    };
    let thread = now.thread;
    let newest = last(now);
    let news = newest.is_some() && before.and_then(last) != newest;
    news.then_some(News::Chat { thread }).into_iter().collect()
}

fn trade_news(before: Option<&Trade>, now: &Trade) -> Vec<News> {
    let thread = now.thread;
    let mut news = Vec::new();
    if before.map(|before| before.state) != Some(now.state) {
        news.extend(match now.state {
            TradeState::Ordered if now.role == Role::Seller => Some(News::Order { thread }),
            // One's own order is no news.
            TradeState::Ordered => None,
            TradeState::Confirmed => Some(News::Confirmed { thread }),
            TradeState::Declined(_) | TradeState::NotConfirmed => {
                Some(News::NotConfirmed { thread })
            }
            TradeState::Cancelled { by, .. } if by != now.role => Some(News::Cancelled { thread }),
            TradeState::Cancelled { .. } => None,
            TradeState::Lapsed => Some(News::Lapsed { thread }),
            // Told by the contact itself, below.
            TradeState::ContactsExchanged => None,
            // Told by the step itself, below.
            TradeState::Dispatched | TradeState::Delivered | TradeState::Received => None,
        });
    }
    let refused = before.is_some_and(|before| before.cancelling && !now.cancelling);
    if refused && now.cancel_refused {
        news.push(News::CancelRefused { thread });
    }
    let known = before.map_or(0, |before| before.steps.len());
    let theirs = now.steps.iter().skip(known);
    let theirs = theirs.filter(|taken| taken.step.role() != now.role);
    news.extend(theirs.map(|taken| News::Step {
        thread,
        step: taken.step,
    }));
    let ruling = |trade: &Trade| {
        let ruled = |it: &EscrowView| decided(it).is_some() || is_held_by_ruling(it);
        trade.escrow.as_ref().is_some_and(ruled)
    };
    if ruling(now) && !before.is_some_and(ruling) {
        news.push(News::Ruled { thread });
    }
    if now.theirs.is_some()
        && before.and_then(|before| before.theirs.as_ref()) != now.theirs.as_ref()
    {
        news.push(News::Contact { thread });
    }
    news
}

#[cfg(test)]
pub(crate) mod tests;
