//! What a seller types to put an item into his stall.

use haggle_protocol::category::Category;
use haggle_protocol::intent::Delivery;
use haggle_protocol::quote::Quality;
use haggle_protocol::{Asset, Money, Quantity, Unit, limits};

use super::{Flaw, PropertyRow, Reading, Wrong, amount, digits};
use crate::node::{Auto, DeliveryOffer, Item, ItemId, Tier};
use crate::places;
use crate::units::unit;

/// The form, as it was typed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ItemForm {
    /// The item that is changed; 0 for a new one.
    pub id: ItemId,
    /// What a list calls it, which this form has no field for; kept as it is.
    pub sku: Option<String>,
    /// In one line.
    pub title: String,
    /// Where it belongs; 0 is anything.
    pub category: u32,
    /// Whether the person chose the category.
    pub category_chosen: bool,
    /// What it is like.
    pub attributes: Vec<PropertyRow>,
    /// In what it is sold.
    pub unit: String,
    /// How much there is; empty if it does not run out.
    pub stock: String,
    /// In which currency.
    pub currency: String,
    /// Prices by quantity.
    pub tiers: Vec<TierRow>,
    /// The least for one when a buyer haggles; empty if only the stall's rules say how far it goes.
    pub floor: String,
    /// How good it is.
    pub quality: Quality,
    /// How it gets to the buyer.
    pub deliveries: Vec<DeliveryRow>,
    /// What may be said with each quote.
    pub note: String,
    /// How this one is answered, if not as the stall's rules say.
    pub auto: Option<Auto>,
}

/// From this quantity on, one costs this much.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct TierRow {
    /// The least quantity.
    pub from: String,
    /// The price of one.
    pub price: String,
}

/// One way in which it gets to the buyer.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DeliveryRow {
    /// How.
    pub delivery: Delivery,
    /// Around which city, by its English name; empty is anywhere.
    pub place: String,
    /// What it costs; empty is nothing.
    pub fee: String,
    /// How long it takes.
    pub lead: Lead,
}

/// A time as one types it: a number and what it counts.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Lead {
    /// How many.
    pub count: String,
    /// Of what.
    pub span: Span,
}

/// What a time is counted in.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Span {
    /// Minutes.
    Minutes,
    /// Hours.
    Hours,
    /// Days.
    #[default]
    Days,
}

impl Span {
    /// From the shortest to the longest.
    pub const ALL: [Self; 3] = [Self::Minutes, Self::Hours, Self::Days];

    /// Seconds of one.
    #[must_use]
    pub const fn seconds(self) -> u64 {
        match self {
            Self::Minutes => 60,
            Self::Hours => 3_600,
            Self::Days => 86_400,
        }
    }

    /// Its name in a form.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Minutes => "minutes",
            Self::Hours => "hours",
            Self::Days => "days",
        }
    }

    /// The one of this name; days if there is none.
    #[must_use]
    pub fn named(name: &str) -> Self {
        let mut all = Self::ALL.into_iter();
        all.find(|span| span.name() == name).unwrap_or_default()
    }
}

impl Lead {
    /// So many seconds, in the largest span that divides them.
    #[must_use]
    pub fn of(seconds: u64) -> Self {
        let divides = |span: &Span| seconds > 0 && seconds.is_multiple_of(span.seconds());
        let mut spans = Span::ALL.into_iter().rev();
        let span = spans.find(divides).unwrap_or(Span::Minutes);
        Self {
            count: (seconds / span.seconds()).to_string(),
            span,
        }
    }

    /// In seconds; nothing typed is at once.
    pub(super) fn read(&self, field: &'static str, reading: &mut Reading) -> u64 {
        let count = self.count.trim();
        if count.is_empty() {
            return 0;
        }
        match count.parse::<u32>() {
            Ok(count) => u64::from(count) * self.span.seconds(),
            Err(_) => {
                reading.wrong(field, Wrong::NotANumber);
                0
            }
        }
    }
}

impl DeliveryRow {
    /// The usual one: two days.
    #[must_use]
    pub fn new(delivery: Delivery) -> Self {
        Self {
            delivery,
            place: String::new(),
            fee: String::new(),
            lead: Lead::of(2 * 86_400),
        }
    }
}

/// The fields of this form, as the peer's complaints call them.
pub const FIELDS: [&str; 11] = [
    "title",
    "category",
    "attributes",
    "unit",
    "stock",
    "asset",
    "tiers",
    "floor",
    "quality",
    "deliveries",
    "note",
];

/// Tiers and delivery rows that one form takes: more than a shop has prices for, few enough to read.
pub const ROWS_MAX: usize = 8;

impl ItemForm {
    /// An empty form in this currency.
    #[must_use]
    pub fn new(currency: &str) -> Self {
        Self {
            id: ItemId(0),
            sku: None,
            title: String::new(),
            category: 0,
            category_chosen: false,
            attributes: Vec::new(),
            unit: "C62".into(),
            stock: "1".into(),
            currency: currency.into(),
            tiers: vec![TierRow {
                from: "1".into(),
                price: String::new(),
            }],
            floor: String::new(),
            quality: Quality::Good,
            deliveries: vec![DeliveryRow::new(Delivery::Shipping)],
            note: String::new(),
            auto: None,
        }
    }

    /// The form that would give this item again.
    #[must_use]
    pub fn from_item(item: &Item) -> Self {
        let money = |minor| amount(Money::new(minor, item.asset));
        Self {
            id: item.id,
            sku: item.sku.clone(),
            title: item.title.clone(),
            category: item.category.0,
            category_chosen: item.category.0 != 0,
            attributes: item
                .attributes
                .iter()
                .map(PropertyRow::from_attribute)
                .collect(),
            unit: item.unit.code().into(),
            stock: item.stock.map_or_else(String::new, digits),
            currency: item.asset.code().into(),
            tiers: item
                .tiers
                .iter()
                .map(|tier| TierRow {
                    from: digits(tier.from),
                    price: money(tier.unit_price),
                })
                .collect(),
            floor: item.floor.map_or_else(String::new, money),
            quality: item.quality,
            deliveries: item
                .deliveries
                .iter()
                .map(|offer| DeliveryRow {
                    delivery: offer.delivery,
                    place: offer
                        .area
                        .first()
                        .and_then(places::nearest)
                        .map_or_else(String::new, |city| city.english.into()),
                    fee: if offer.fee == 0 {
                        String::new()
                    } else {
                        money(offer.fee)
                    },
                    lead: Lead::of(u64::from(offer.lead_time)),
                })
                .collect(),
            note: item.note.clone().unwrap_or_default(),
            auto: item.auto,
        }
    }

    /// The item.
    ///
    /// # Errors
    /// Every flaw that was found.
    pub fn read(&self) -> Result<Item, Vec<Flaw>> {
        let mut reading = Reading::default();
        let title = reading.line("title", &self.title, limits::LABEL_MAX);
        let asset = reading.asset("asset", &self.currency);
        let sold_in = unit(&self.unit);
        let stock = (!self.stock.trim().is_empty())
            .then(|| self.read_stock(sold_in, &mut reading))
            .flatten();
        let item = Item {
            id: self.id,
            sku: self.sku.clone(),
            title,
            category: Category(self.category),
            attributes: self.read_attributes(&mut reading),
            unit: sold_in,
            stock,
            asset,
            tiers: self.read_tiers(asset, &mut reading),
            floor: reading
                .optional_money("floor", &self.floor, asset)
                .map(|floor| floor.minor),
            quality: self.quality,
            deliveries: self.read_deliveries(asset, &mut reading),
            note: reading.optional("note", &self.note, limits::NOTE_MAX),
            auto: self.auto,
        };
        reading.end(item)
    }

    /// None left is a fine stock: it keeps the item and answers nobody.
    fn read_stock(&self, sold_in: Unit, reading: &mut Reading) -> Option<Quantity> {
        let stock = Quantity::parse(&self.stock, sold_in);
        if stock.is_none() {
            reading.wrong("stock", Wrong::NotANumber);
        }
        stock
    }

    fn read_attributes(&self, reading: &mut Reading) -> Vec<haggle_protocol::attribute::Attribute> {
        let mut attributes = Vec::new();
        for row in self.attributes.iter().filter(|row| !row.is_blank()) {
            match row.to_attribute() {
                Ok(attribute) => attributes.push(attribute),
                Err(wrong) => reading.wrong("attributes", wrong),
            }
        }
        if attributes.len() > limits::ATTRIBUTES_MAX {
            reading.wrong("attributes", Wrong::TooLong);
        }
        attributes
    }

    fn read_tiers(&self, asset: Asset, reading: &mut Reading) -> Vec<Tier> {
        let mut tiers: Vec<Tier> = Vec::new();
        for row in &self.tiers {
            if row.from.trim().is_empty() && row.price.trim().is_empty() {
                continue;
            }
            let from = reading.quantity("tiers", &row.from, &self.unit);
            let unit_price = reading.money("tiers", &row.price, asset).minor;
            tiers.push(Tier { from, unit_price });
        }
        if tiers.is_empty() {
            reading.wrong("tiers", Wrong::Missing);
        }
        tiers.sort_by_key(|tier| tier.from.micros());
        tiers
    }

    fn read_deliveries(&self, asset: Asset, reading: &mut Reading) -> Vec<DeliveryOffer> {
        if self.deliveries.is_empty() {
            reading.wrong("deliveries", Wrong::NoneChosen);
        }
        let rows = self.deliveries.iter();
        rows.map(|row| {
            let place = places::named(&row.place).map(places::City::place);
            let fee = reading.optional_money("deliveries", &row.fee, asset);
            let lead = row.lead.read("deliveries", reading);
            DeliveryOffer {
                delivery: row.delivery,
                area: place.into_iter().collect(),
                fee: fee.map_or(0, |fee| fee.minor),
                lead_time: u32::try_from(lead).unwrap_or(u32::MAX),
            }
        })
        .collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn bike() -> ItemForm {
        let mut form = ItemForm::new("EUR");
        form.title = "Steel road bike".into();
        form.attributes = vec![PropertyRow {
            name: "frame".into(),
            value: "56".into(),
            unit: "CMT".into(),
            ..PropertyRow::default()
        }];
        form.stock = "2".into();
        form.tiers = vec![
            TierRow {
                from: "2".into(),
                price: "340".into(),
            },
            TierRow {
                from: "1".into(),
                price: "369.90".into(),
            },
        ];
        form.deliveries[0].fee = "12".into();
        form.deliveries[0].place = "Berlin".into();
        form
    }

    #[test]
    fn an_item_has_its_prices_from_the_smallest_quantity_on() {
        let item = bike().read().unwrap();
        let prices: Vec<_> = item.tiers.iter().map(|tier| tier.unit_price).collect();
        assert_eq!(prices, [36_990, 34_000]);
        assert_eq!(item.deliveries[0].fee, 1_200);
        assert_eq!(item.deliveries[0].lead_time, 172_800);
        assert_eq!(item.stock, Some(Quantity::pieces(2)));
    }

    #[test]
    fn a_form_made_from_an_item_gives_that_item() {
        for floor in ["", "320.50"] {
            let mut form = bike();
            form.floor = floor.into();
            let item = form.read().unwrap();
            assert_eq!(item.floor, (!floor.is_empty()).then_some(32_050));
            assert_eq!(ItemForm::from_item(&item).read(), Ok(item));
        }
    }

    #[test]
    fn no_stock_typed_is_a_stock_that_does_not_run_out() {
        let mut form = bike();
        form.stock.clear();
        assert_eq!(form.read().unwrap().stock, None);
        form.stock = "a few".into();
        let flaws = form.read().unwrap_err();
        assert_eq!(
            (flaws[0].field, flaws[0].wrong),
            ("stock", Wrong::NotANumber)
        );
    }

    #[test]
    fn an_item_without_a_price_or_a_way_to_the_buyer_is_not_taken() {
        let mut form = bike();
        form.tiers.clear();
        form.deliveries.clear();
        let fields: Vec<_> = form.read().unwrap_err().iter().map(|f| f.field).collect();
        assert_eq!(fields, ["tiers", "deliveries"]);
        assert!(fields.iter().all(|field| FIELDS.contains(field)));
    }

    #[test]
    fn times_are_shown_in_the_largest_span_that_divides_them() {
        for (seconds, count, span) in [
            (172_800, "2", Span::Days),
            (5_400, "90", Span::Minutes),
            (7_200, "2", Span::Hours),
            (0, "0", Span::Minutes),
        ] {
            let count = count.to_owned();
            assert_eq!(Lead::of(seconds), Lead { count, span });
        }
    }
}
