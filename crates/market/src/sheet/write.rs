//! Writing a stall's items out.

use core::fmt::Write as _;
use std::collections::{BTreeMap, BTreeSet};

use haggle_protocol::attribute::{Attribute, Value};
use haggle_protocol::{Asset, Money, Quantity, Unit, taxonomy};

use super::{
    ANSWERS, COLUMNS_MAX, Column, FLAG, FORMULA, Fault, HIDES, NO, PROPERTY, QUALITIES, SPANS,
    WAYS, YES, name_of,
};
use crate::item::{DeliveryOffer, Item, Tier};

/// Where an item's property stands: its name and what kind of value it has.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord)]
struct Property {
    key: String,
    kind: Option<String>,
}

impl Property {
    fn of(attribute: &Attribute) -> Self {
        let kind = match &attribute.value {
            Value::Text(_) => None,
            Value::Measure(measure) => Some(measure.unit.code().to_owned()),
            Value::Flag(_) => Some(FLAG.to_owned()),
        };
        Self {
            key: attribute.key.clone(),
            kind,
        }
    }

    fn header(&self) -> String {
        match &self.kind {
            None => format!("{PROPERTY}{}", self.key),
            Some(kind) => format!("{PROPERTY}{} [{kind}]", self.key),
        }
    }
}

/// The items as a table, separated by commas.
///
/// # Errors
/// [`Fault::TooLarge`] if they have more different properties than a table may have columns; [`json`] takes them.
pub fn csv<'a>(items: impl IntoIterator<Item = &'a Item>) -> Result<String, Fault> {
    let items: Vec<&Item> = items.into_iter().collect();
    let attributes = items.iter().flat_map(|item| &item.attributes);
    let properties: BTreeSet<Property> = attributes.map(Property::of).collect();
    if properties.len() + Column::ALL.len() > COLUMNS_MAX {
        return Err(Fault::TooLarge);
    }
    let mut writer = csv::Writer::from_writer(Vec::new());
    let columns = Column::ALL.iter().map(|column| column.name().to_owned());
    let headers = properties.iter().map(Property::header);
    // Writing into memory fails for nothing but a record of another length, and all have the same.
    let _ = writer.write_record(columns.chain(headers));
    for item in items {
        let own = Column::ALL.iter().map(|column| cell(item, *column));
        let attributes = item.attributes.iter();
        let has: BTreeMap<Property, String> = attributes
            .map(|attribute| (Property::of(attribute), value(&attribute.value)))
            .collect();
        let is = properties.iter();
        let is = is.map(|property| has.get(property).cloned().unwrap_or_default());
        let _ = writer.write_record(own.chain(is).map(|text| safe(&text)));
    }
    let bytes = writer.into_inner().unwrap_or_default();
    Ok(String::from_utf8(bytes).unwrap_or_default())
}

/// The items as JSON, each in a line, in the form in which programs put them in.
#[must_use]
pub fn json<'a>(items: impl IntoIterator<Item = &'a Item>) -> String {
    let items = items.into_iter();
    let lines: Vec<String> = items
        .map(|item| serde_json::to_string(item).unwrap_or_default())
        .collect();
    format!("[\n{}\n]\n", lines.join(",\n"))
}

fn cell(item: &Item, column: Column) -> String {
    match column {
        Column::Sku => item.sku.clone().unwrap_or_default(),
        Column::Id => match item.sku {
            Some(_) => String::new(),
            None => item.id.0.to_string(),
        },
        Column::Title => item.title.clone(),
        Column::Category => match taxonomy::node(item.category) {
            Some(node) => node.slug.to_owned(),
            None => item.category.0.to_string(),
        },
        Column::Price => prices(&item.tiers, item.asset),
        Column::Floor => match item.floor {
            Some(floor) => amount(floor, item.asset),
            None => String::new(),
        },
        Column::Currency => item.asset.code().to_owned(),
        Column::Unit => item.unit.code().to_owned(),
        Column::Stock => item.stock.map_or_else(String::new, number),
        Column::Quality => name_of(&QUALITIES, &item.quality).to_owned(),
        Column::Answer => match &item.auto {
            Some(auto) => name_of(&ANSWERS, auto).to_owned(),
            None => String::new(),
        },
        Column::Deliveries => {
            let ways = item.deliveries.iter().map(|way| delivery(way, item.asset));
            ways.collect::<Vec<_>>().join(" | ")
        }
        Column::Note => item.note.clone().unwrap_or_default(),
    }
}

fn prices(tiers: &[Tier], asset: Asset) -> String {
    let price = |tier: &Tier| amount(tier.unit_price, asset);
    match tiers {
        [one] if one.from.n == 0 && one.from.scale == 0 => price(one),
        more => {
            let steps = more
                .iter()
                .map(|tier| format!("{}: {}", number(tier.from), price(tier)));
            steps.collect::<Vec<_>>().join(" | ")
        }
    }
}

fn delivery(offer: &DeliveryOffer, asset: Asset) -> String {
    let mut text = name_of(&WAYS, &offer.delivery).to_owned();
    let places = &offer.area;
    if offer.fee > 0 || offer.lead_time > 0 || !places.is_empty() {
        // Writing to a string does not fail.
        let _ = write!(text, " {}", amount(offer.fee, asset));
    }
    if offer.lead_time > 0 || !places.is_empty() {
        let _ = write!(text, " {}", span(offer.lead_time));
    }
    for (at, place) in places.iter().enumerate() {
        let before = if at == 0 { ' ' } else { ',' };
        let _ = write!(text, "{before}{}", place.geohash);
        if place.radius_m > 0 {
            let _ = write!(text, "~{}", place.radius_m);
        }
    }
    text
}

fn span(seconds: u32) -> String {
    let whole = SPANS
        .iter()
        .find(|(span, _)| seconds > 0 && seconds.is_multiple_of(*span));
    whole.map_or_else(
        || "0".to_owned(),
        |(span, letter)| format!("{}{letter}", seconds / span),
    )
}

fn value(value: &Value) -> String {
    match value {
        Value::Text(text) => text.clone(),
        Value::Measure(measure) => number(*measure),
        Value::Flag(true) => YES.to_owned(),
        Value::Flag(false) => NO.to_owned(),
    }
}

fn amount(minor: u64, asset: Asset) -> String {
    before_space(&Money::new(minor, asset).to_string())
}

fn number(quantity: Quantity) -> String {
    let unit = Unit::ONE;
    before_space(&Quantity { unit, ..quantity }.to_string())
}

fn before_space(text: &str) -> String {
    let number = text.split_once(' ').map_or(text, |(number, _)| number);
    number.to_owned()
}

/// What no spreadsheet takes for a formula.
fn safe(text: &str) -> String {
    if text.starts_with(FORMULA) || text.starts_with(HIDES) {
        format!("{HIDES}{text}")
    } else {
        text.to_owned()
    }
}
