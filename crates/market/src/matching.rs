//! Whether an item answers an intent, and what the answer would be: pure, without keys, clock or memory.
//!
//! A category that fits and wishes that hold are facts, on which a rule may quote. Words that two titles share are a
//! hint: shown to a person, never quoted on. What is not stated is not failed, but a rule does not quote on it either.

use std::cmp::Reverse;
use std::collections::BTreeSet;

use haggle_protocol::attribute::{Fit, Value, Wish};
use haggle_protocol::category::{Category, Kinship};
use haggle_protocol::intent::{Delivery, Intent};
use haggle_protocol::place::Place;
use haggle_protocol::quote::{Charge, ChargeKind, Line, Quote};
use haggle_protocol::{FrameId, Money, Quantity, Timestamp};

use crate::item::{DeliveryOffer, Item, Tier};
use crate::view::Match;

/// How an item answers an intent.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Found<'a> {
    /// Which item.
    pub item: &'a Item,
    /// Price of one unit at the wanted quantity, in minor units.
    pub unit_price: u64,
    /// Price of the wanted quantity, in minor units, without delivery.
    pub amount: u64,
    /// The cheapest way in which it gets there; `None` if there is none.
    pub delivery: Option<&'a DeliveryOffer>,
    /// All of it.
    pub total: Money,
    /// Whether a rule may quote on it.
    pub complete: bool,
    /// Must-wishes that fail: the less, the nearer.
    pub failed: usize,
    /// Words of the intent's title that stand in the item's: the more, the nearer.
    pub named: usize,
}

/// How near an item comes to an intent, before anything is priced.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Near {
    /// Whether its category is the wanted one or a special case of it.
    pub same: bool,
    /// Must-wishes that fail.
    pub failed: usize,
    /// Must-wishes of which it says nothing.
    pub unknown: usize,
    /// Words of the intent's title that stand in the item's. Counted by whoever has an index of words; else 0.
    pub named: usize,
}

impl Near {
    /// How near `item` comes to `intent`.
    #[must_use]
    pub fn of(item: &Item, intent: &Intent) -> Self {
        let mut near = Self {
            // "Anything" is no category that an item could be said to be of.
            same: intent.category != Category(0)
                && item.category.kinship(intent.category) == Kinship::Same,
            failed: 0,
            unknown: 0,
            named: 0,
        };
        for wish in intent.wishes.iter().filter(|wish| wish.must) {
            match fit(wish, item) {
                Fit::Yes => {}
                Fit::No => near.failed += 1,
                Fit::Unknown => near.unknown += 1,
            }
        }
        near
    }

    /// Whether a rule could quote on it, if it can be supplied.
    #[must_use]
    pub const fn could_be_complete(&self) -> bool {
        self.same && self.failed == 0 && self.unknown == 0
    }
}

/// As [`Wish::fit`], without asking more of plain text than it takes: this runs for every item of a stall.
fn fit(wish: &Wish, item: &Item) -> Fit {
    if let Value::Text(wanted) = &wish.value
        && let Some(Value::Text(offered)) = item
            .attributes
            .iter()
            .find(|has| has.key == wish.key)
            .map(|has| &has.value)
        && wanted.is_ascii()
        && offered.is_ascii()
    {
        return if wanted.eq_ignore_ascii_case(offered) {
            Fit::Yes
        } else {
            Fit::No
        };
    }
    wish.fit(&item.attributes)
}

/// How `item` answers `intent` at `now`, if it does at all. `free` is what is neither sold nor set aside, in steps of
/// 10^−6 of the item's unit, or `None` if it does not run out.
#[must_use]
pub fn find<'a>(
    item: &'a Item,
    free: Option<u128>,
    intent: &Intent,
    now: Timestamp,
) -> Option<Found<'a>> {
    price(item, Near::of(item, intent), free, intent, now)
}

/// The same, for an item whose nearness is known.
#[must_use]
pub fn price<'a>(
    item: &'a Item,
    near: Near,
    free: Option<u128>,
    intent: &Intent,
    now: Timestamp,
) -> Option<Found<'a>> {
    // Two units never compare, so there is no price either.
    if intent.quantity.unit != item.unit {
        return None;
    }
    let tier = tier_of(item, intent.quantity);
    let unit_price = tier.or_else(|| item.tiers.first())?.unit_price;
    let amount = intent
        .quantity
        .cost(Money::new(unit_price, item.asset))?
        .minor;
    let delivery = delivery_of(item, intent, now);
    let fee = delivery.map_or(0, |way| way.fee);
    let total = amount.checked_add(fee).filter(|sum| *sum <= Money::MAX)?;
    let stocked = free.is_none_or(|free| intent.quantity.micros() <= free);
    let affordable = intent
        .budget
        .ceiling()
        .is_none_or(|ceiling| total <= ceiling);
    Some(Found {
        item,
        unit_price,
        amount,
        delivery,
        total: Money::new(total, item.asset),
        complete: near.could_be_complete()
            && stocked
            && affordable
            && tier.is_some()
            && delivery.is_some()
            && item.asset == intent.budget.asset(),
        failed: near.failed,
        named: near.named,
    })
}

impl Found<'_> {
    /// For the screen.
    #[must_use]
    pub fn view(&self, wishes: &[Wish]) -> Match {
        let fits = wishes
            .iter()
            .map(|wish| (wish.key.clone(), wish.fit(&self.item.attributes)));
        Match {
            item: self.item.id,
            title: self.item.title.clone(),
            fits: fits.collect(),
            total: self.total,
            complete: self.complete,
        }
    }

    /// The order in which matches are shown and chosen from: what can be quoted first, then what fails least, then what is called most like
    /// it, then the lowest total.
    #[must_use]
    pub fn place(&self) -> (bool, usize, bool, Reverse<usize>, u64, crate::item::ItemId) {
        (
            !self.complete,
            self.failed,
            self.delivery.is_none(),
            Reverse(self.named),
            self.total.minor,
            self.item.id,
        )
    }

    /// The quote that this match makes; `None` if it does not get to the buyer.
    #[must_use]
    pub fn quote(
        &self,
        intent: &Intent,
        answers: FrameId,
        firm: bool,
        valid_until: Timestamp,
    ) -> Option<Quote> {
        let way = self.delivery?;
        let charges = (way.fee > 0).then(|| Charge {
            kind: ChargeKind::Delivery,
            label: String::new(),
            amount: way.fee,
        });
        let quote = Quote {
            number: 1,
            answers,
            firm,
            lines: vec![Line {
                description: self.item.title.clone(),
                quantity: intent.quantity,
                unit_price: self.unit_price,
                amount: self.amount,
                attributes: self.item.attributes.clone(),
            }],
            charges: charges.into_iter().collect(),
            total: self.total,
            valid_until,
            lead_time: way.lead_time,
            delivery: way.delivery,
            quality: self.item.quality,
            note: self.item.note.clone(),
            keepers: Vec::new(),
            arbiters: Vec::new(),
        };
        quote.check().ok().map(|()| quote)
    }
}

/// What one unit costs when so much is taken, in minor units, if that much is sold.
pub(crate) fn unit_price(item: &Item, quantity: Quantity) -> Option<u64> {
    tier_of(item, quantity).map(|tier| tier.unit_price)
}

/// The price for a quantity: the last tier that begins at or below it.
fn tier_of(item: &Item, quantity: Quantity) -> Option<&Tier> {
    let reached = |tier: &&Tier| tier.from.micros() <= quantity.micros();
    item.tiers
        .iter()
        .filter(reached)
        .max_by_key(|tier| tier.from.micros())
}

/// The cheapest way, the faster one of two, in which it gets there in time.
fn delivery_of<'a>(item: &'a Item, intent: &Intent, now: Timestamp) -> Option<&'a DeliveryOffer> {
    let in_time = |way: &&DeliveryOffer| {
        intent
            .window
            .is_none_or(|window| now + u64::from(way.lead_time) <= window.to)
    };
    let wanted = |way: &&DeliveryOffer| {
        intent.deliveries.contains(&way.delivery) && serves(way, &intent.places)
    };
    let ways = item.deliveries.iter().filter(wanted).filter(in_time);
    ways.min_by_key(|way| (way.fee, way.lead_time, way.delivery))
}

/// Whether a way reaches the places of an intent: one of them, or both for something that goes from one to the other.
fn serves(way: &DeliveryOffer, places: &[Place]) -> bool {
    if way.delivery == Delivery::Digital || way.area.is_empty() || places.is_empty() {
        return true;
    }
    let within = |place: &Place| way.area.iter().any(|area| area.overlaps(place));
    if way.delivery == Delivery::Transport {
        places.iter().all(within)
    } else {
        places.iter().any(within)
    }
}

/// Words of a title that can tell something: lower case, three characters or more.
#[must_use]
pub fn words(title: &str) -> BTreeSet<String> {
    /// Words that stand in any title.
    const EMPTY: [&str; 14] = [
        "and", "any", "das", "der", "die", "ein", "eine", "for", "from", "mit", "new", "the",
        "und", "with",
    ];
    let words = title
        .split(|c: char| !c.is_alphanumeric())
        .map(str::to_lowercase);
    words
        .filter(|word| word.chars().count() >= 3 && !EMPTY.contains(&word.as_str()))
        .collect()
}
