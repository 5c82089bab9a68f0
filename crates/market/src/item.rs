//! A stall: what a seller offers and how he answers.

use haggle_protocol::attribute::Attribute;
use haggle_protocol::category::Category;
use haggle_protocol::intent::Delivery;
use haggle_protocol::place::Place;
use haggle_protocol::quote::Quality;
use haggle_protocol::{Arbiter, Asset, Keeper, Money, Quantity, Unit};
use sha2::{Digest as _, Sha256};

/// Names an item of one's own stall; never leaves this peer.
#[derive(
    Clone,
    Copy,
    Debug,
    Default,
    PartialEq,
    Eq,
    PartialOrd,
    Ord,
    Hash,
    serde::Serialize,
    serde::Deserialize,
)]
#[serde(transparent)]
pub struct ItemId(pub u64);

impl ItemId {
    /// The id of the item that its seller calls so: 48 bits of the name's SHA-256, so that it is the same in every list and
    /// fits a JavaScript number. Two of 50,000 items meet with a probability of 1 in 200,000, and then a list is refused.
    #[must_use]
    pub fn of_sku(sku: &str) -> Self {
        let hash = Sha256::digest(sku.as_bytes());
        let bytes = hash.iter().take(6);
        let id = bytes.fold(0_u64, |id, byte| id << 8 | u64::from(*byte));
        Self(id.max(1))
    }
}

/// Something that can be offered: a good, a service, hours of work, a file.
#[derive(Clone, Debug, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Item {
    /// 0 for a new one.
    #[serde(default)]
    pub id: ItemId,
    /// What its seller calls it (stock keeping unit), to find it again in a list; never leaves this peer.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub sku: Option<String>,
    /// In one line.
    pub title: String,
    /// Where it belongs.
    pub category: Category,
    /// What it is like.
    #[serde(default)]
    pub attributes: Vec<Attribute>,
    /// In what it is sold.
    pub unit: Unit,
    /// How much there is: `n` at the unit's scale; `None` if it does not run out (a service, a file).
    pub stock: Option<Quantity>,
    /// The currency of its prices.
    pub asset: Asset,
    /// Prices for one unit by quantity, the smallest first; at least one.
    pub tiers: Vec<Tier>,
    /// How good it is.
    pub quality: Quality,
    /// Minor units for one unit below which no rule goes when a buyer haggles, whatever it may give way by; never leaves
    /// this peer.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub floor: Option<u64>,
    /// How it gets to the buyer; at least one.
    pub deliveries: Vec<DeliveryOffer>,
    /// What may be said to the buyer with each quote.
    #[serde(default)]
    pub note: Option<String>,
    /// How this one is answered, if not as the stall's rules say.
    #[serde(default)]
    pub auto: Option<Auto>,
}

/// From this quantity on, one unit costs this much.
#[derive(Clone, Copy, Debug, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Tier {
    /// The least quantity for this price, in the item's unit.
    pub from: Quantity,
    /// Minor units for one unit.
    pub unit_price: u64,
}

/// One way in which an item gets to the buyer.
#[derive(Clone, Debug, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct DeliveryOffer {
    /// How.
    pub delivery: Delivery,
    /// Where; empty is anywhere.
    #[serde(default)]
    pub area: Vec<Place>,
    /// What it costs, in minor units.
    pub fee: u64,
    /// Seconds from the order until it is there.
    pub lead_time: u32,
}

/// How far a stall answers by itself.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Auto {
    /// It only shows what matches; each quote is written by hand.
    #[default]
    Off,
    /// It quotes what matches, without binding: the order is confirmed by hand, unless [`Rules::min_trust`] lets its buyer's be by itself.
    Indicative,
    /// It quotes, sets the stock aside, and confirms orders in time by itself.
    Firm,
}

/// How a stall answers.
#[derive(Clone, Debug, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct Rules {
    /// How far by itself.
    pub auto: Auto,
    /// How long a quote holds, in seconds.
    pub valid_for: u64,
    /// Quotes an hour by itself at most: what a harvester of prices can learn.
    pub per_hour: u32,
    /// How an order is paid, unless said otherwise with a confirmation.
    pub payment: Option<String>,
    /// What may be promised by rule within 24 hours: no firm quote is written beyond it, and none in another currency. `None` is no bound.
    pub per_day: Option<Money>,
    /// By how many per cent a rule gives way at most when a buyer makes a counter, never below an item's floor, from 0 to [`CONCESSION_MAX`]: a third of it in each round.
    pub concession: u8,
    /// The least trust: how many trades with me a buyer's trader must have finished for his order on an indicative quote to be confirmed by
    /// itself, from 1 to [`MIN_TRUST_MAX`]. `None`: each such order is confirmed by hand.
    pub min_trust: Option<u32>,
    /// With whom I let a buyer's money be kept until a trade is over, at most [`KEEPERS_MAX`](haggle_protocol::settlement::KEEPERS_MAX): each quote names them.
    pub keepers: Vec<Keeper>,
    /// Who may decide about money that is kept so if a buyer and I disagree, at most [`ARBITERS_MAX`](haggle_protocol::arbitration::ARBITERS_MAX):
    /// each quote names them, and a buyer chooses one or none.
    pub arbiters: Vec<Arbiter>,
}

/// The most finished trades that a rule may ask for. More is a slip of the finger.
pub const MIN_TRUST_MAX: u32 = 1_000;

/// The most that a rule may give way, in per cent. More is a slip of the finger.
pub const CONCESSION_MAX: u8 = 90;

impl Default for Rules {
    fn default() -> Self {
        Self {
            auto: Auto::Off,
            valid_for: 30 * 60,
            per_hour: 120,
            payment: None,
            per_day: None,
            concession: 0,
            min_trust: None,
            keepers: Vec::new(),
            arbiters: Vec::new(),
        }
    }
}
