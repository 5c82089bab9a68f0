//! What people do on a market day: what they want, what they offer, and how they decide.

use haggle_market::command::{NewFile, Payment, Profile, QuoteDraft};
use haggle_market::view::{
    EscrowState, IntentState, QuoteState, Role, Trade, TradeState, TradeStep,
};
use haggle_market::{Command, Draft, Item, Rules};
use haggle_protocol::trade::{CancelReason, DeclineReason};
use haggle_protocol::{Asset, Custodian, Keeper, Money};
use serde_json::json;

use super::bank::RAIL;
use super::dice::Dice;
use super::trader::Trader;

/// What is traded here: ordinary goods, services and rides, each with one property that can be asked for.
const GOODS: [(u32, &str, &str, &str); 5] = [
    (100_201, "Laptop", "ram", "E34"),
    (110_101, "Bicycle", "frame", "CMT"),
    (120_300, "Piano lesson", "length", "MIN"),
    (130_200, "Ride to the station", "seats", "C62"),
    (140_105, "Firewood", "moisture", "P1"),
];

/// A stall's item. Its title is unique, so that a quote shows which item it takes.
pub(crate) fn item(trader: usize, number: u64, dice: &mut Dice) -> Item {
    let (category, name, property, unit) = *dice.pick(&GOODS);
    let price = dice.between(2_000, 90_000);
    let stock = if dice.percent(80) {
        json!({"n": dice.between(1, 3), "scale": 0, "unit": "C62"})
    } else {
        json!(null)
    };
    let auto = *dice.pick(&["off", "indicative", "firm", "firm"]);
    serde_json::from_value(json!({
        "title": format!("{name} {number} of {trader}"),
        "category": category,
        "attributes": [{
            "key": property,
            "value": {"measure": {"n": dice.between(1, 64), "scale": 0, "unit": unit}},
        }],
        "unit": "C62",
        "stock": stock,
        "asset": "EUR",
        "tiers": [{"from": {"n": 1, "scale": 0, "unit": "C62"}, "unitPrice": price}],
        "quality": dice.pick(&["basic", "fair", "good", "fine", "finest"]),
        "deliveries": [
            {"delivery": "shipping", "fee": dice.between(0, 900), "leadTime": dice.between(3_600, 500_000)},
            {"delivery": "pickup", "fee": 0, "leadTime": 3_600},
        ],
        "auto": auto,
    }))
    .unwrap()
}

pub(crate) fn rules(dice: &mut Dice) -> Rules {
    serde_json::from_value(json!({
        "auto": "indicative",
        "validFor": dice.between(300, 2_400),
        "perHour": dice.between(10, 200),
        "payment": "On delivery",
        "concession": dice.pick(&[0, 10, 30]),
        "keepers": if dice.percent(60) { json!([keeper()]) } else { json!([]) },
    }))
    .unwrap()
}

pub(crate) fn profile(trader: usize) -> Profile {
    serde_json::from_value(json!({
        "name": format!("Trader {trader}"),
        "ways": [{"kind": "phone", "value": format!("+49 30 {trader:06}")}],
        "address": format!("Market Street {trader}"),
    }))
    .unwrap()
}

pub(crate) fn draft(dice: &mut Dice) -> Draft {
    let (category, name, property, unit) = *dice.pick(&GOODS);
    serde_json::from_value(json!({
        "title": format!("Wanted: {name}"),
        "category": category,
        "wishes": [{
            "key": property, "comparison": "at-least", "must": dice.percent(50),
            "value": {"measure": {"n": dice.between(1, 40), "scale": 0, "unit": unit}},
        }],
        "quantity": {"n": dice.between(1, 2), "scale": 0, "unit": "C62"},
        "budget": if dice.percent(70) {
            json!({"sealed": "EUR"})
        } else {
            json!({"public": {"minor": dice.between(20_000, 200_000), "asset": "EUR"}})
        },
        "deliveries": ["shipping"],
        "openFor": dice.between(900, 5_400),
        "taste": dice.pick(&["balanced", "cheapest", "fastest", "best"]),
    }))
    .unwrap()
}

/// Something that nobody else says.
fn words(dice: &mut Dice) -> String {
    format!("Word {}", dice.between(0, u64::MAX >> 1))
}

/// A small photo, or goods of two pieces now and then.
fn file(dice: &mut Dice) -> NewFile {
    let len = if dice.percent(3) { 66_000 } else { 300 };
    let start = dice.bytes()[0];
    NewFile {
        name: "photo.jpg".to_owned(),
        media_type: "image/jpeg".to_owned(),
        bytes: (0..len)
            .map(|at: u32| start ^ at.to_be_bytes()[3])
            .collect(),
    }
}

/// Who keeps money here.
fn keeper() -> Keeper {
    Keeper {
        rail: RAIL.to_owned(),
        custodian: Custodian::new("https://bank.example").unwrap(),
        asset: Asset::new("EUR").unwrap(),
    }
}

/// What somebody does about money that is locked.
fn share_out(trade: &Trade, dice: &mut Dice, choices: &mut Vec<Command>) {
    let thread = trade.thread;
    let Some(escrow) = trade.escrow.as_ref() else {
        return;
    };
    if escrow.state != EscrowState::Locked {
        return;
    }
    if dice.percent(5) {
        let buyer = dice.between(0, escrow.amount.minor);
        choices.push(Command::Settle { thread, buyer });
    }
    let offered = escrow.proposals.iter().find(|offered| !offered.agreed);
    if let Some(offered) = offered
        && dice.percent(20)
    {
        let buyer = offered.buyer;
        choices.push(Command::Agree { thread, buyer });
    }
}

/// What somebody does about a trade.
fn go_on_with(trade: &Trade, all: &[Trader], dice: &mut Dice, choices: &mut Vec<Command>) {
    let thread = trade.thread;
    let locked = trade.escrow.as_ref();
    let locked = locked.is_some_and(|escrow| escrow.state == EscrowState::Locked);
    // So that on every day some money comes back.
    if trade.can_cancel && dice.percent(if locked { 8 } else { 4 }) {
        choices.push(Command::Cancel {
            thread,
            reason: *dice.pick(&[CancelReason::ChangedMind, CancelReason::NoAnswer]),
            note: None,
        });
    }
    if !matches!(
        trade.state,
        TradeState::Confirmed
            | TradeState::ContactsExchanged
            | TradeState::Dispatched
            | TradeState::Delivered
    ) {
        return;
    }
    for step in [TradeStep::Paid, TradeStep::Dispatched, TradeStep::Received] {
        let said = trade.steps.iter().any(|taken| taken.step == step);
        // Nobody says that he has it before it was sent.
        let sent = matches!(trade.state, TradeState::Dispatched | TradeState::Delivered);
        let early = step == TradeStep::Received && !sent;
        if step.role() == trade.role && !said && !early && dice.percent(25) {
            let goods = dice.percent(30);
            choices.push(Command::Report {
                thread,
                step,
                note: None,
                files: goods.then(|| file(dice)).into_iter().collect(),
                code: None,
            });
        }
    }
    if trade.can_deliver && dice.percent(10) {
        // They meet, and the buyer reads his code aloud.
        let told = all.iter().find_map(|other| {
            let trade = other.screen.trades.get(&thread)?;
            trade.handover_code.clone()
        });
        choices.push(Command::Report {
            thread,
            step: TradeStep::Delivered,
            note: None,
            files: Vec::new(),
            code: told.or_else(|| Some("00000 00000".to_owned())),
        });
    }
}

/// What one person does now, looking at the screen.
pub(crate) fn decide(by: usize, all: &[Trader], dice: &mut Dice) -> Option<Command> {
    let screen = &all[by].screen;
    let mut choices = Vec::new();
    for mine in screen
        .mine
        .values()
        .filter(|mine| mine.state == IntentState::Open)
    {
        if dice.percent(2) {
            choices.push(Command::Withdraw { intent: mine.id });
        }
        let best = mine
            .quotes
            .iter()
            .find(|quote| quote.state == QuoteState::Standing);
        if let Some(best) = best
            && dice.percent(60)
        {
            let (thread, total) = (best.thread, best.quote.total);
            if best.can_counter && dice.percent(40) {
                let less = total.minor * dice.between(60, 99) / 100;
                choices.push(Command::Counter {
                    thread,
                    total: Money::new(less, total.asset),
                    note: None,
                });
            }
            choices.push(Command::Accept {
                thread,
                total,
                note: Some("Thank you.".into()),
                escrow: if dice.percent(70) {
                    let mut keepers = best.quote.keepers.iter().cloned();
                    keepers.next().map(|keeper| Payment {
                        keeper,
                        minor: None,
                        arbiter: None,
                    })
                } else {
                    None
                },
            });
        }
    }
    let selling = screen
        .trades
        .values()
        .filter(|trade| trade.role == Role::Seller);
    for trade in selling.filter(|trade| trade.state == TradeState::Ordered) {
        let thread = trade.thread;
        match dice.between(0, 9) {
            0 => choices.push(Command::Refuse {
                thread,
                reason: DeclineReason::Busy,
            }),
            // Some do not look for a while.
            1 | 2 => {}
            _ => choices.push(Command::Confirm {
                thread,
                payment: None,
                note: None,
            }),
        }
    }
    for trade in screen.trades.values() {
        share_out(trade, dice, &mut choices);
        go_on_with(trade, all, dice, &mut choices);
    }
    for chat in screen.chats.values().filter(|chat| chat.can_say) {
        let answers = chat.lines.last().is_some_and(|line| !line.mine);
        if dice.percent(if answers { 30 } else { 3 }) {
            choices.push(Command::Say {
                thread: chat.thread,
                text: words(dice),
                files: if dice.percent(15) {
                    vec![file(dice)]
                } else {
                    Vec::new()
                },
            });
        }
    }
    let lines = screen.chats.values().flat_map(|chat| &chat.lines);
    let steps = screen.trades.values().flat_map(|trade| &trade.steps);
    let files = lines
        .map(|line| &line.files)
        .chain(steps.map(|it| &it.files));
    for file in files.flatten().map(|file| file.id) {
        if dice.percent(2) {
            choices.push(Command::RemoveFile { file });
        } else if dice.percent(2) {
            choices.push(Command::Fetch { file });
        }
    }
    for open in screen.open.values() {
        let answer = open.answer.as_ref();
        let counter = answer.and_then(|answer| answer.counter.as_ref());
        if let Some(thread) = answer.and_then(|answer| answer.thread)
            && counter.is_some_and(|counter| !counter.answered)
            && dice.percent(30)
        {
            choices.push(Command::Meet { thread });
        }
        if dice.percent(1) {
            choices.push(Command::Inquire {
                intent: open.id,
                text: words(dice),
            });
        }
        let by_hand = open.matches.first().filter(|_| open.answer.is_none());
        if let Some(found) = by_hand
            && dice.percent(10)
        {
            let quote: QuoteDraft = serde_json::from_value(json!({
                "intent": open.id,
                "item": found.item,
                "asset": "EUR",
                "lines": [{
                    "description": found.title,
                    "quantity": open.intent.quantity,
                    "unit_price": dice.between(1_000, 60_000),
                    "amount": 0,
                    "attributes": [],
                }],
                "firm": dice.percent(50),
                "validFor": dice.between(120, 3_600),
                "leadTime": dice.between(3_600, 300_000),
                "delivery": "shipping",
                "quality": "good",
            }))
            .unwrap();
            choices.push(Command::Quote(Box::new(quote)));
        } else if open.answer.is_none() && dice.percent(2) {
            choices.push(Command::Dismiss {
                intent: open.id,
                reason: Some(DeclineReason::Policy),
            });
        }
    }
    let last = u64::try_from(choices.len()).ok()?.checked_sub(1)?;
    let at = usize::try_from(dice.between(0, last)).ok()?;
    Some(choices.swap_remove(at))
}
