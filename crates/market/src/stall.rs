//! What I sell, findable by category and by word, and what of it is set aside.

use std::collections::{BTreeMap, BTreeSet, VecDeque};

use haggle_protocol::arbitration::ARBITERS_MAX;
use haggle_protocol::attribute::Attribute;
use haggle_protocol::category::Category;
use haggle_protocol::limits::{ATTRIBUTES_MAX, LABEL_MAX, NOTE_MAX, TITLE_MAX};
use haggle_protocol::quote::Quote;
use haggle_protocol::settlement::KEEPERS_MAX;
use haggle_protocol::{Intent, IntentId, Money, Quantity, Timestamp, text};

use crate::command::{Complaint, Profile};
use crate::item::{Auto, CONCESSION_MAX, Item, ItemId, MIN_TRUST_MAX, Rules};
use crate::matching::{self, Found, Near};

/// Items of one stall: 10,000 is the largest that was measured; this leaves room and bounds memory.
pub(crate) const ITEMS_MAX: usize = 50_000;
/// Price tiers of one item.
const TIERS_MAX: usize = 8;
/// What a seller calls an item, in bytes.
const SKU_MAX: usize = 64;
/// Ways of delivery of one item, each with an area of its own.
const DELIVERIES_MAX: usize = 16;
/// Places in the area of one way of delivery.
const AREA_MAX: usize = 64;
/// Matches that are shown for one intent.
pub(crate) const MATCHES_SHOWN: usize = 12;
/// Items that are looked at because their titles share words with an intent's.
const BY_WORD_MAX: usize = 64;
/// The longest a quote may hold, in seconds: as long as a private message lives.
pub(crate) const VALID_MAX: u64 = haggle_protocol::limits::PRIVATE_LIFETIME_MAX;
/// The shortest, in seconds: less is over before anybody has read it.
pub(crate) const VALID_MIN: u64 = 60;

/// My stall.
#[derive(Default)]
pub(crate) struct Stall {
    items: BTreeMap<ItemId, Item>,
    by_category: BTreeSet<(Category, ItemId)>,
    by_word: BTreeMap<String, BTreeSet<ItemId>>,
    pub(crate) rules: Rules,
    pub(crate) profile: Profile,
    set_aside: BTreeMap<ItemId, u64>,
    /// When rules wrote quotes within the last hour.
    pub(crate) quoted: VecDeque<Timestamp>,
    /// Intents that are answered by rule when the hour allows it.
    pub(crate) postponed: BTreeSet<IntentId>,
}

impl Stall {
    pub(crate) fn items(&self) -> &BTreeMap<ItemId, Item> {
        &self.items
    }

    pub(crate) fn put(&mut self, item: Item) {
        self.remove(item.id);
        self.by_category.insert((item.category, item.id));
        for word in matching::words(&item.title) {
            self.by_word.entry(word).or_default().insert(item.id);
        }
        self.items.insert(item.id, item);
    }

    pub(crate) fn remove(&mut self, id: ItemId) -> Option<Item> {
        let item = self.items.remove(&id)?;
        self.by_category.remove(&(item.category, id));
        for word in matching::words(&item.title) {
            if let Some(items) = self.by_word.get_mut(&word) {
                items.remove(&id);
                if items.is_empty() {
                    self.by_word.remove(&word);
                }
            }
        }
        Some(item)
    }

    /// Whether my rules would still answer with this item at this price for one unit.
    pub(crate) fn would_still(&self, item: Option<ItemId>, quote: &Quote) -> bool {
        let item = item.and_then(|id| self.items.get(&id));
        let (Some(item), Some(line)) = (item, quote.lines.first()) else {
            return false;
        };
        let auto = item.auto.unwrap_or(self.rules.auto);
        let price = matching::unit_price(item, line.quantity);
        auto != Auto::Off && price.is_some_and(|price| price <= line.unit_price)
    }

    /// What is neither sold nor set aside, in steps of 10^−6; `None` if it does not run out.
    pub(crate) fn free(&self, item: &Item) -> Option<u128> {
        let stock = item.stock?.micros();
        let held = self.set_aside.get(&item.id).copied().unwrap_or(0);
        Some(stock.saturating_sub(u128::from(held)))
    }

    /// Sets so much more aside.
    pub(crate) fn set_aside(&mut self, item: ItemId, micros: u64) {
        let held = self.set_aside.entry(item).or_default();
        *held = held.saturating_add(micros);
    }

    /// Gives so much back.
    pub(crate) fn give_back(&mut self, item: ItemId, micros: u64) {
        if let Some(held) = self.set_aside.get_mut(&item) {
            *held = held.saturating_sub(micros);
            if *held == 0 {
                self.set_aside.remove(&item);
            }
        }
    }

    /// What is set aside or sold of each item.
    pub(crate) fn all_set_aside(&self) -> Vec<(ItemId, u64)> {
        self.set_aside
            .iter()
            .map(|(item, micros)| (*item, *micros))
            .collect()
    }

    /// What answers an intent, best first.
    pub(crate) fn matches(&self, intent: &Intent, now: Timestamp) -> Vec<Found<'_>> {
        let mut best: Vec<Found<'_>> = Vec::with_capacity(MATCHES_SHOWN + 1);
        if intent.arbiter.is_some() {
            // Its owner decides for others, and wants nothing himself.
            return best;
        }
        let words = matching::words(&intent.title);
        let shelves: Vec<&BTreeSet<ItemId>> = words
            .iter()
            .filter_map(|word| self.by_word.get(word))
            .collect();
        for item in self.candidates(intent) {
            let mut near = Near::of(item, intent);
            near.named = shelves.iter().filter(|on| on.contains(&item.id)).count();
            let worst = best.last().filter(|_| best.len() >= MATCHES_SHOWN);
            if let Some(worst) = worst
                && (worst.complete, usize::MAX - worst.failed)
                    > (near.could_be_complete(), usize::MAX - near.failed)
            {
                continue;
            }
            let Some(found) = matching::price(item, near, self.free(item), intent, now) else {
                continue;
            };
            let place = found.place();
            let at = best.partition_point(|other| other.place() < place);
            if at < MATCHES_SHOWN {
                best.insert(at, found);
                best.truncate(MATCHES_SHOWN);
            }
        }
        best
    }

    /// Whether this item could be among an intent's matches.
    pub(crate) fn concerns(item: &Item, intent: &Intent) -> bool {
        is_akin(item.category, intent.category)
            || shares_enough(
                &matching::words(&item.title),
                &matching::words(&intent.title),
            )
    }

    /// Items inside the wanted category, in the wider ones around it, and those whose titles share words with it.
    fn candidates(&self, intent: &Intent) -> impl Iterator<Item = &Item> {
        let wanted = intent.category;
        let (first, last) = inside(wanted);
        let inside = (wanted.0 != 0).then_some((first, ItemId(0))..=(last, ItemId(u64::MAX)));
        let parents = core::iter::successors(wanted.parent(), |node| node.parent());
        let wider = parents.filter(|node| node.0 != 0);
        let wider = wider.map(|node| (node, ItemId(0))..=(node, ItemId(u64::MAX)));
        let ranges = inside.into_iter().chain(wider);
        let named = ranges.flat_map(|range| self.by_category.range(range).map(|(_, id)| *id));
        named
            .chain(self.by_words(intent))
            .filter_map(|id| self.items.get(&id))
    }

    /// Items outside these categories whose titles share words with an intent's, the rarest words first.
    fn by_words(&self, intent: &Intent) -> BTreeSet<ItemId> {
        let wanted = matching::words(&intent.title);
        let mut shelves: Vec<&BTreeSet<ItemId>> = wanted
            .iter()
            .filter_map(|word| self.by_word.get(word))
            .collect();
        shelves.sort_by_key(|items| items.len());
        let candidates = shelves.into_iter().flatten().take(BY_WORD_MAX * 4);
        let elsewhere = |item: &&Item| !is_akin(item.category, intent.category);
        candidates
            .filter_map(|id| self.items.get(id))
            .filter(elsewhere)
            .filter(|item| shares_enough(&matching::words(&item.title), &wanted))
            .take(BY_WORD_MAX)
            .map(|item| item.id)
            .collect()
    }
}

/// Whether one category lies in the other.
fn is_akin(offered: Category, wanted: Category) -> bool {
    (wanted.0 != 0 && offered.within(wanted)) || (offered.0 != 0 && wanted.within(offered))
}

/// At least half of the wanted words are there.
fn shares_enough(offered: &BTreeSet<String>, wanted: &BTreeSet<String>) -> bool {
    let shared = wanted.intersection(offered).count();
    shared > 0 && shared * 2 >= wanted.len()
}

/// The numbers of the categories inside one: its digits filled up.
fn inside(category: Category) -> (Category, Category) {
    let last = match category.0 {
        0 => Category::MAX,
        code if code % 10_000 == 0 => code + 9_999,
        code if code % 100 == 0 => code + 99,
        code => code,
    };
    (category, Category(last))
}

/// Checks an item as a buyer's peer would check the quote that is made of it.
pub(crate) fn check_item(item: &Item) -> Result<(), Complaint> {
    let complain = |field: &str, sentence: &str| Err(Complaint::about("bad-item", field, sentence));
    if text::line(&item.title, TITLE_MAX.min(LABEL_MAX)).is_err() {
        return complain(
            "title",
            "Give the item a title of one line, at most 120 letters, without spaces at its ends.",
        );
    }
    if item.id.0 > Money::MAX {
        return complain("id", "Leave the number of a new item empty.");
    }
    if let Some(sku) = &item.sku {
        if text::line(sku, SKU_MAX).is_err() {
            return complain("sku", "Call the item by one line of at most 64 letters.");
        }
        if item.id != ItemId(0) && item.id != ItemId::of_sku(sku) {
            let sentence = "This is the number of another item. Leave it or the sku empty.";
            return complain("id", sentence);
        }
    }
    if item.category.0 > Category::MAX {
        return complain("category", "Choose a category from the list.");
    }
    if item.attributes.len() > ATTRIBUTES_MAX
        || item
            .attributes
            .iter()
            .any(|attribute| attribute.check().is_err())
    {
        return complain(
            "attributes",
            "Give at most 16 properties, each with a small name like ram-size and a short value.",
        );
    }
    if repeats(&item.attributes) {
        return complain("attributes", "Give each property once.");
    }
    if item
        .stock
        .is_some_and(|stock| stock.unit != item.unit || stock.scale > Quantity::SCALE_MAX)
    {
        return complain(
            "stock",
            "Count the stock in the unit in which the item is sold.",
        );
    }
    if item
        .stock
        .is_some_and(|stock| u64::try_from(stock.micros()).is_err())
    {
        return complain(
            "stock",
            "That is more than can be counted; leave the stock empty if it does not run out.",
        );
    }
    let same_unit = item.tiers.iter().all(|tier| {
        tier.from.unit == item.unit
            && tier.from.scale <= Quantity::SCALE_MAX
            && tier.unit_price <= Money::MAX
    });
    let rising = item
        .tiers
        .windows(2)
        .all(|pair| pair[0].from.micros() < pair[1].from.micros());
    if item.tiers.is_empty() || item.tiers.len() > TIERS_MAX || !same_unit || !rising {
        return complain(
            "tiers",
            "Give one to eight prices in the item's own unit, the smallest quantity first.",
        );
    }
    let cheapest = item.tiers.iter().map(|tier| tier.unit_price).min();
    if item.floor > cheapest {
        return complain(
            "floor",
            "Make the lowest price no higher than the lowest that is asked.",
        );
    }
    if item.deliveries.is_empty() || item.deliveries.len() > DELIVERIES_MAX {
        return complain(
            "deliveries",
            "Say at least one way in which the buyer gets it.",
        );
    }
    let places_fine = item.deliveries.iter().all(|way| {
        way.area.len() <= AREA_MAX
            && way.area.iter().all(|place| place.check().is_ok())
            && way.fee <= Money::MAX
    });
    if !places_fine {
        return complain(
            "deliveries",
            "Give each area as at most 64 places on the map, and its fee as an amount.",
        );
    }
    if let Some(note) = &item.note
        && text::paragraphs(note, NOTE_MAX).is_err()
    {
        return complain(
            "note",
            "Keep the note below 600 letters, without spaces at its ends.",
        );
    }
    Ok(())
}

fn repeats(attributes: &[Attribute]) -> bool {
    let keys: BTreeSet<&str> = attributes
        .iter()
        .map(|attribute| attribute.key.as_str())
        .collect();
    keys.len() != attributes.len()
}

/// Checks how a stall answers.
pub(crate) fn check_rules(rules: &Rules) -> Result<(), Complaint> {
    if !(VALID_MIN..=VALID_MAX).contains(&rules.valid_for) {
        return Err(Complaint::about(
            "bad-rules",
            "validFor",
            "Let a quote hold for at least a minute and at most a week.",
        ));
    }
    let keepers = &rules.keepers;
    if keepers.len() > KEEPERS_MAX || keepers.iter().any(|keeper| keeper.check().is_err()) {
        return Err(Complaint::about(
            "bad-rules",
            "keepers",
            "Name at most four places where a buyer's money may be kept.",
        ));
    }
    let arbiters = &rules.arbiters;
    if arbiters.len() > ARBITERS_MAX || arbiters.iter().any(|one| one.terms.check().is_err()) {
        return Err(Complaint::about(
            "bad-rules",
            "arbiters",
            "Name at most four who may decide if you and a buyer disagree.",
        ));
    }
    if rules.concession > CONCESSION_MAX {
        return Err(Complaint::about(
            "bad-rules",
            "concession",
            "Give way by at most 90 per cent.",
        ));
    }
    if rules
        .min_trust
        .is_some_and(|least| !(1..=MIN_TRUST_MAX).contains(&least))
    {
        return Err(Complaint::about(
            "bad-rules",
            "minTrust",
            "Ask for one to a thousand finished trades, or for none and confirm by hand.",
        ));
    }
    if rules.per_day.is_some_and(|most| most.minor > Money::MAX) {
        return Err(Complaint::about(
            "bad-rules",
            "perDay",
            "Give what may be promised a day as an amount.",
        ));
    }
    if let Some(payment) = &rules.payment
        && text::paragraphs(payment, NOTE_MAX).is_err()
    {
        return Err(Complaint::about(
            "bad-rules",
            "payment",
            "Say how it is paid in at most 600 letters, without spaces at its ends.",
        ));
    }
    Ok(())
}
