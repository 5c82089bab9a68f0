//! What must hold on every day, whatever was lost, doubled, delayed or reloaded.

use std::collections::BTreeMap;

use haggle_market::Trade;
use haggle_market::record::PIECES;
use haggle_market::view::{
    ChatState, EscrowState, FileState, FileView, IntentState, QuoteState, Role, TradeState,
    TradeStep,
};
use haggle_protocol::attachment::Hashing;
use haggle_protocol::keys::SealSecret;
use haggle_protocol::limits::CLOCK_SKEW;
use haggle_protocol::seal::{Cell, Context, Direction, Hint, Hpke};
use haggle_protocol::{IntentId, Refusal, ThreadId, Timestamp};

use super::town::Town;
use super::trader::{Done, Screen, Trader, network};

/// A cell that is brought to somebody else than its recipient means nothing to him.
pub(crate) fn a_stray_cell_is_nobodys(answer: &Result<Vec<u8>, Refusal>, done: &Done) {
    assert_eq!(answer, &Err(Refusal::UnknownRecipient), "a stray cell");
    assert!(done.saved.is_empty() && done.events == 0 && done.whispers.is_empty());
}

/// The same cell again is acknowledged again, and that is all.
pub(crate) fn what_was_acknowledged_has_no_second_effect(done: &Done) {
    assert_eq!(done.events, 0, "a message had a second effect");
    assert!(
        done.saved.iter().all(|key| key.starts_with("thread/")) && done.saved.len() <= 1,
        "a message that came again changed {:?}",
        done.saved
    );
}

/// What was shown before the page was loaded again is shown after it.
pub(crate) fn a_reload_changes_nothing(who: usize, before: &Screen, after: &Screen) {
    assert!(
        before.mine == after.mine,
        "trader {who}: a reload changed an intent or its quotes"
    );
    assert!(
        before.trades == after.trades,
        "trader {who}: a reload changed a trade"
    );
    for (thread, chat) in &before.chats {
        let same = after.chats.get(thread) == Some(chat);
        assert!(
            same,
            "trader {who}: a reload changed what was said: {:?} to {:?}",
            chat.lines,
            after.chats.get(thread).map(|it| &it.lines)
        );
    }
    assert_eq!(before.chats.len(), after.chats.len(), "trader {who}");
    assert!(
        before.stall == after.stall,
        "trader {who}: a reload changed the stall"
    );
}

/// What waits for an answer waits no longer than it says.
pub(crate) fn no_order_outlives_its_deadline(trader: &Trader, now: Timestamp) {
    let waiting = |trade: &&Trade| trade.state == TradeState::Ordered;
    for trade in trader.screen.trades.values().filter(waiting) {
        let until = trade.awaited.and_then(|awaited| awaited.until);
        // A buyer grants what clocks differ by.
        let late = until.is_none_or(|until| until + CLOCK_SKEW < trader.clock(now));
        assert!(!late, "an order of trader {} never ended", trader.at);
    }
}

/// All that must hold when the day is over and everything had time to come to its end.
pub(crate) fn at_the_end(town: &mut Town) {
    both_sides_agree(town);
    nobody_buys_twice(town);
    stock_is_sold_once(town);
    what_was_said_was_heard_once(town);
    files_come_whole_and_nothing_else_is_kept(town);
    let traders = &town.traders;
    let quotes = traders
        .iter()
        .flat_map(|trader| trader.screen.mine.values());
    town.tally.quotes = quotes.map(|mine| mine.quotes.len() as u64).sum();
    let confirmed = bought(town)
        .values()
        .filter(|(_, trade)| is_confirmed(trade))
        .count();
    town.tally.confirmed = confirmed as u64;
    let ends: Vec<TradeState> = bought(town).values().map(|(_, it)| it.state).collect();
    let count = |is: fn(&TradeState) -> bool| ends.iter().filter(|end| is(end)).count() as u64;
    town.tally.received = count(|end| *end == TradeState::Received);
    town.tally.cancelled = count(|end| cancelled_by(*end).is_some());
}

fn trades(town: &Town, role: Role) -> BTreeMap<ThreadId, (usize, Trade)> {
    let all = town.traders.iter().flat_map(|trader| {
        trader
            .screen
            .trades
            .values()
            .map(move |trade| (trade.thread, (trader.at, trade.clone())))
    });
    all.filter(|(_, (_, trade))| trade.role == role).collect()
}

fn bought(town: &Town) -> BTreeMap<ThreadId, (usize, Trade)> {
    trades(town, Role::Buyer)
}

const fn is_confirmed(trade: &Trade) -> bool {
    matches!(
        trade.state,
        TradeState::Confirmed
            | TradeState::ContactsExchanged
            | TradeState::Dispatched
            | TradeState::Delivered
            | TradeState::Received
    )
}

/// Who cancelled a trade, if anybody did.
fn cancelled_by(state: TradeState) -> Option<Role> {
    if let TradeState::Cancelled { by, .. } = state {
        Some(by)
    } else {
        None
    }
}

/// A trade is confirmed on both sides or on neither, with the same terms; both know who the other is and what was done. It is cancelled on both sides or on
/// neither, and both say by whom.
fn both_sides_agree(town: &Town) {
    let bought = bought(town);
    let sold = trades(town, Role::Seller);
    for (thread, (buyer, trade)) in &bought {
        assert_ne!(
            trade.state,
            TradeState::Ordered,
            "an order that never ended"
        );
        assert!(
            !trade.cancelling,
            "a cancel that never ended: {:?}",
            trade.state
        );
        if let Some(by) = cancelled_by(trade.state) {
            // If the order never came there is nothing to cancel over there.
            if let Some((seller, other)) = sold.get(thread) {
                let theirs = cancelled_by(other.state);
                assert_eq!(theirs, Some(by), "seller {seller}: {:?}", other.state);
                // Whoever cancelled knew what the other one had done.
                let paid = |trade: &Trade| {
                    let mut steps = trade.steps.iter();
                    steps.any(|taken| taken.step == TradeStep::Paid)
                };
                match by {
                    Role::Seller => assert_eq!(paid(other), paid(trade), "cancelled though paid"),
                    Role::Buyer => assert_eq!(
                        other.confirm.is_some(),
                        trade.confirm.is_some(),
                        "cancelled though confirmed"
                    ),
                }
            }
        }
        if !is_confirmed(trade) {
            continue;
        }
        assert!(
            trade.mine_delivered && trade.theirs.is_some(),
            "buyer {buyer} does not know whom to meet"
        );
        let (seller, other) = sold.get(thread).expect("a confirmed trade has a seller");
        assert_eq!(other.state, trade.state, "seller {seller}");
        assert!(other.mine_delivered, "seller {seller}");
        let steps = |trade: &Trade| {
            let mut steps: Vec<_> = trade.steps.iter().map(|taken| taken.step).collect();
            steps.sort_by_key(|step| format!("{step:?}"));
            (steps, trade.steps.iter().all(|taken| taken.delivered))
        };
        assert_eq!(steps(other), steps(trade));
        assert!(steps(trade).1, "a step that never arrived");
        assert_eq!(other.quote, trade.quote);
        assert_eq!(other.confirm, trade.confirm);
        let names = |trade: &Trade| trade.theirs.as_ref().map(|contact| contact.name.clone());
        assert_eq!(names(trade), Some(format!("Trader {seller}")));
        assert_eq!(names(other), Some(format!("Trader {buyer}")));
    }
    for (thread, (seller, trade)) in &sold {
        assert_ne!(
            trade.state,
            TradeState::Ordered,
            "an order that seller {seller} never ended"
        );
        if is_confirmed(trade) {
            let other = bought.get(thread).map(|(_, other)| other.state);
            assert_eq!(other, Some(trade.state), "seller {seller} waits alone");
        }
        if cancelled_by(trade.state).is_some() {
            let (_, other) = &bought[thread];
            let both = cancelled_by(other.state).is_some();
            assert!(both, "cancelled at seller {seller} only: {:?}", other.state);
        }
    }
}

/// An intent ends in one trade or in none, and in the end it is over.
fn nobody_buys_twice(town: &Town) {
    for trader in &town.traders {
        for mine in trader.screen.mine.values() {
            let trades = trader.screen.trades.values();
            let confirmed = trades
                .filter(|trade| trade.intent == mine.id && is_confirmed(trade))
                .count();
            let trades = trader.screen.trades.values();
            let cancelled = trades
                .filter(|trade| trade.intent == mine.id && trade.confirm.is_some())
                .filter(|trade| cancelled_by(trade.state).is_some());
            let awarded = usize::from(mine.state == IntentState::Awarded);
            assert_eq!(
                confirmed + cancelled.count(),
                awarded,
                "an intent of trader {}",
                trader.at
            );
            let taken = mine
                .quotes
                .iter()
                .filter(|quote| quote.state == QuoteState::Confirmed);
            assert!(taken.count() <= awarded);
            let over = match mine.state {
                IntentState::Awarded | IntentState::Withdrawn | IntentState::Expired => true,
                IntentState::Open | IntentState::Ordered => false,
            };
            assert!(over, "an intent that never ended: {:?}", mine.state);
        }
    }
}

/// What one has said and the other has taken stands there once, and nobody was told what nobody said.
fn what_was_said_was_heard_once(town: &mut Town) {
    let mut said = BTreeMap::new();
    let mut heard = BTreeMap::new();
    for trader in &town.traders {
        for chat in trader.screen.chats.values() {
            for line in &chat.lines {
                // When both have moved, only who still waits for the other one says where he is.
                let trade = trader.screen.trades.get(&chat.thread);
                let awaited = trade.is_some_and(|trade| trade.awaited.is_some());
                if line.state == ChatState::Sending && awaited {
                    let name = format!("thread/{}", chat.thread);
                    let mut others = town.traders.iter().filter(|it| it.at != trader.at);
                    let kept = others.any(|other| other.saved.contains_key(&name));
                    assert!(!kept, "a line that never arrives: {}", line.text);
                }
                let words = (chat.thread, line.text.clone());
                let lines = if line.mine { &mut said } else { &mut heard };
                let before = lines.insert(words, line.state);
                assert!(before.is_none(), "said or heard twice: {}", line.text);
            }
        }
    }
    for (words, state) in &said {
        // What the other side has forgotten with its whole exchange was delivered all the same.
        if *state == ChatState::Lost {
            assert!(!heard.contains_key(words), "{words:?} was heard, not lost");
        }
    }
    for words in heard.keys() {
        let mut traders = town.traders.iter();
        let known = traders.any(|trader| trader.screen.said.contains(words));
        assert!(known, "{words:?} was said by nobody");
    }
    town.tally.lines = heard.len() as u64;
    let mine = town
        .traders
        .iter()
        .flat_map(|trader| trader.screen.mine.values());
    let countered = mine
        .flat_map(|mine| &mine.quotes)
        .filter(|quote| quote.counter.is_some());
    town.tally.countered = countered.count() as u64;
}

/// Cells that a day may see for each request: some sixty on a usual one. What is said again waits longer each time, so whoever is not
/// understood grows quiet.
const CELLS_FOR_EACH: u64 = 1_000;

/// What does not arrive, or is not understood, is not said for ever.
pub(crate) fn nobody_talks_for_ever(town: &Town) {
    let bound = town.plan.intents * CELLS_FOR_EACH;
    assert!(town.tally.cells <= bound, "{} cells", town.tally.cells);
}

/// Whether the two sides of an exchange have the secret by which they find each other when both have moved: whose order never arrived, nobody looks for
/// once its request is over.
fn can_find_each_other(town: &Town, thread: ThreadId) -> bool {
    let name = format!("thread/{thread}");
    let kept = town.traders.iter().filter_map(|it| it.saved.get(&name));
    let secrets = kept.map(|kept| {
        let kept: serde_json::Value = serde_json::from_slice(kept).unwrap();
        kept["content"]["sealed_reach"]["secret"].clone()
    });
    let secrets: Vec<_> = secrets.filter(|secret| !secret.is_null()).collect();
    secrets.len() == 2 && secrets[0] == secrets[1]
}

/// What one has attached and the other was told of has come to him, byte for byte; and nothing is kept that nobody named.
fn files_come_whole_and_nothing_else_is_kept(town: &mut Town) {
    let mut came = 0;
    for trader in &town.traders {
        let chats = trader.screen.chats.values();
        let lines = chats.flat_map(|it| it.lines.iter().map(|line| (it.thread, &line.files)));
        let trades = trader.screen.trades.values();
        let steps = trades.flat_map(|it| it.steps.iter().map(|step| (it.thread, &step.files)));
        let files = lines.chain(steps);
        let files = files.flat_map(|(thread, files)| files.iter().map(move |file| (thread, file)));
        let files: Vec<(ThreadId, &FileView)> = files.collect();
        for (thread, file) in &files {
            let here = trader.market.file(&file.id);
            assert_eq!(here.is_some(), file.state == FileState::Here);
            let Some(named) = here else {
                let mut others = town.traders.iter().filter(|it| it.at != trader.at);
                let given = others.any(|other| other.market.file(&file.id).is_some());
                let fits = match file.state {
                    FileState::Coming => !given || !can_find_each_other(town, *thread),
                    // Its sender has removed it, or forgotten the whole exchange.
                    FileState::Gone => !given,
                    FileState::Removed => true,
                    // Nothing here is large, and nobody names many.
                    FileState::Offered | FileState::Wrong | FileState::Here => false,
                };
                assert!(
                    fits,
                    "trader {}: {:?}, given {given}",
                    trader.at, file.state
                );
                continue;
            };
            let mut hashing = Hashing::new();
            for index in 0..named.pieces() {
                let kept = &trader.saved[&haggle_market::record::piece(&file.id, index)];
                hashing.update(&named.open_piece(&file.id, index, kept).unwrap());
            }
            assert_eq!(hashing.finish(), named.hash);
            came += u64::from(!file.mine);
        }
        let about_files = |name: &&String| name.starts_with(PIECES) || name.starts_with("file/");
        for name in trader.saved.keys().filter(about_files) {
            let mut named = files.iter();
            let known = named.any(|(_, file)| name.contains(&file.id.to_string()));
            assert!(known, "trader {} keeps what nobody names", trader.at);
        }
    }
    town.tally.files = came;
    let ends = bought(town);
    let delivered = ends.values().filter(|(_, trade)| {
        let mut steps = trade.steps.iter();
        steps.any(|taken| taken.step == TradeStep::Delivered)
    });
    town.tally.delivered = delivered.count() as u64;
}

/// What is set aside at the end is exactly what was sold, and no more than there was.
fn stock_is_sold_once(town: &Town) {
    for trader in &town.traders {
        let Some(stall) = &trader.screen.stall else {
            continue;
        };
        let reserved: BTreeMap<_, _> = stall.reserved.iter().copied().collect();
        for item in stall.items.iter().filter(|item| item.stock.is_some()) {
            let stock = item.stock.map_or(0, |stock| stock.micros());
            let mut sold = 0;
            for trade in trader.screen.trades.values() {
                let line = &trade.quote.lines[0];
                if trade.role == Role::Seller
                    && is_confirmed(trade)
                    && line.description == item.title
                {
                    sold += line.quantity.micros();
                }
            }
            assert!(
                sold <= stock,
                "trader {} sold more of {} than there was",
                trader.at,
                item.title
            );
            let held = u128::from(reserved.get(&item.id).copied().unwrap_or(0));
            assert_eq!(held, sold, "trader {}: {}", trader.at, item.title);
        }
    }
}

/// How many keys of others a cell is tried on: each costs a tenth of a millisecond.
const KEYS_TRIED: usize = 4_000;

/// A cell opens under a key of its recipient, and under no key that anybody else has, even in the place where it belongs.
/// The first half is the control: with it, the search is known to find what would open.
/// Others are asked in turn, a different one first each time, until [`KEYS_TRIED`] were tried.
pub(crate) fn only_its_recipient_can_open_it(town: &Town, to: usize, bytes: &[u8], nth: u64) {
    let cell = Cell::from_bytes(bytes.to_vec()).unwrap();
    let kept = keys_of(&town.traders[to].saved);
    let fitting = kept
        .iter()
        .find(|key| Hint::of(&key.secret.public().unwrap()) == cell.hint());
    // A key that was replaced meanwhile is deleted: then it opens for nobody at all.
    let place = fitting.map(|key| key.place);
    if let Some(key) = fitting {
        assert!(
            cell.open(&Hpke, &key.secret, &key.place).is_ok(),
            "its recipient can open it"
        );
    }
    let first = usize::try_from(nth).unwrap() % town.traders.len();
    let (before, after) = town.traders.split_at(first);
    let others = after.iter().chain(before).filter(|other| other.at != to);
    let mut tried = 0;
    for other in others {
        if tried >= KEYS_TRIED {
            break;
        }
        for key in keys_of(&other.saved) {
            tried += 1;
            let hint = Hint::of(&key.secret.public().unwrap());
            assert_ne!(
                hint,
                cell.hint(),
                "{} has a key for what was said to {to}",
                other.at
            );
            if let Some(place) = place {
                let opened = cell.open(&Hpke, &key.secret, &place);
                assert!(opened.is_err(), "{} reads what was said to {to}", other.at);
            }
        }
    }
}

/// A private key that a trader keeps, and where what is sealed to it belongs.
struct Kept {
    secret: SealSecret,
    place: Context,
}

/// Every private seal key in what a trader has saved: one of each intent, and the reply keys of each thread.
fn keys_of(saved: &BTreeMap<String, Vec<u8>>) -> Vec<Kept> {
    let mut kept = Vec::new();
    for (name, value) in saved {
        if name.starts_with(PIECES) {
            continue;
        }
        let value: serde_json::Value = serde_json::from_slice(value).unwrap();
        let content = &value["content"];
        let mut keep = |text: &serde_json::Value, direction, intent: &serde_json::Value, thread| {
            let text = text.as_str().unwrap_or_default();
            if let Some(bytes) = haggle_protocol::SealPublic::from_hex(text) {
                let secret = SealSecret::from_bytes(bytes.0);
                let intent = IntentId::from_hex(intent.as_str().unwrap()).unwrap();
                let place = Context {
                    network: network(),
                    direction,
                    intent,
                    thread,
                };
                kept.push(Kept { secret, place });
            }
        };
        if name.starts_with("intent/") {
            keep(&content["seal"], Direction::ToBuyer, &content["id"], None);
        } else if name.starts_with("thread/") {
            let thread = ThreadId::from_hex(content["id"].as_str().unwrap());
            let buyer = content["role"] == "buyer";
            let direction = if buyer {
                Direction::ToBuyer
            } else {
                Direction::ToSeller
            };
            for key in content["replies"].as_array().into_iter().flatten() {
                keep(&key["secret"], direction, &content["intent"], thread);
            }
        }
    }
    kept
}

/// Money moves once, whoever is lost on the way: never both released and refunded. And when the weeks are over, nothing is locked any more.
pub(crate) fn every_lock_moves_once_and_ends(town: &mut Town) {
    town.live_on();
    assert_eq!(town.bank.locked(), 0, "money that nobody ever gets");
    for (order, ends) in &town.bank.ends {
        assert_eq!(ends.len(), 1, "{} was moved twice: {ends:?}", order.short());
    }
    for trader in &town.traders {
        for trade in trader.screen.trades.values() {
            let Some(escrow) = &trade.escrow else {
                continue;
            };
            let tally = &mut town.tally;
            match escrow.state {
                EscrowState::Planned => {}
                EscrowState::Released => tally.released += 1,
                EscrowState::Refunded => tally.refunded += 1,
                EscrowState::Shared { .. } => tally.shared += 1,
                EscrowState::Locking | EscrowState::Locked => {
                    panic!("trader {}: {escrow:?} never ended", trader.at)
                }
            }
        }
    }
}
