//! Reading a list: every cell, and every mistake in it.

use std::collections::BTreeMap;

use haggle_protocol::attribute::{Attribute, Value};
use haggle_protocol::category::Category;
use haggle_protocol::place::Place;
use haggle_protocol::{Asset, Money, Quantity, Unit, taxonomy};

use super::fault::{Fault, Mistakes};
use super::{
    ANSWERS, BYTES_MAX, COLUMNS_MAX, Column, FLAG, FORMULA, HIDES, NO, PROPERTY, QUALITIES, SPANS,
    WAYS, YES, named,
};
use crate::item::{DeliveryOffer, Item, ItemId, Tier};
use crate::stall::{ITEMS_MAX, check_item};

/// Reads a list of either form: what begins with a bracket is JSON, anything else a table. An item with a `sku` gets the
/// id that belongs to it, one with neither is new (id 0).
///
/// # Errors
/// Every mistake; then nothing of it should be used.
pub fn read(bytes: &[u8]) -> Result<Vec<Item>, Mistakes> {
    if bytes.len() > BYTES_MAX {
        return Err(Mistakes::of(Fault::TooLarge));
    }
    let text = core::str::from_utf8(bytes).map_err(|_| Mistakes::of(Fault::NotUtf8))?;
    let text = text.strip_prefix('\u{feff}').unwrap_or(text);
    if text.trim_start().starts_with(['[', '{']) {
        json(text)
    } else {
        table(text)
    }
}

/// What was read, with where each name was seen first.
#[derive(Default)]
struct Reading {
    items: Vec<Item>,
    mistakes: Mistakes,
    seen: BTreeMap<ItemId, u64>,
}

impl Reading {
    /// An item that could be read: checked as the stall will, and against those before it.
    fn take(&mut self, line: u64, item: Item) {
        let name = if item.sku.is_some() { "sku" } else { "id" };
        if item.id != ItemId(0)
            && let Some(first) = self.seen.insert(item.id, line)
        {
            self.mistakes.add(line, name, Fault::Twice(first));
        }
        if let Err(complaint) = check_item(&item) {
            let field = complaint.field.clone().unwrap_or_default();
            self.mistakes
                .add(line, column_of(&field), Fault::Unfit(complaint));
        }
        self.items.push(item);
    }

    fn end(self) -> Result<Vec<Item>, Mistakes> {
        if !self.mistakes.is_empty() {
            Err(self.mistakes)
        } else if self.items.is_empty() {
            Err(Mistakes::of(Fault::Empty))
        } else {
            Ok(self.items)
        }
    }
}

/// The column that a field of an item is read from.
fn column_of(field: &str) -> &str {
    match field {
        "tiers" => Column::Price.name(),
        "asset" => Column::Currency.name(),
        "attributes" => PROPERTY.trim_end(),
        other => other,
    }
}

fn json(text: &str) -> Result<Vec<Item>, Mistakes> {
    let items: Vec<Item> = serde_json::from_str(text)
        .map_err(|error| Mistakes::of(Fault::NotJson(error.to_string())))?;
    if items.len() > ITEMS_MAX {
        return Err(Mistakes::of(Fault::TooLarge));
    }
    let mut reading = Reading::default();
    for (line, mut item) in (1..).zip(items) {
        if let Some(sku) = item.sku.as_deref().filter(|_| item.id == ItemId(0)) {
            item.id = ItemId::of_sku(sku);
        }
        reading.take(line, item);
    }
    reading.end()
}

/// What a column holds.
enum Holds {
    Own(Column),
    Text(String),
    Measure(String, Unit),
    Flag(String),
    /// It has no name that is known; that is told once, for the first line.
    Nothing,
}

fn table(text: &str) -> Result<Vec<Item>, Mistakes> {
    if text.contains(END) {
        return Err(Mistakes::of(Fault::NotATable));
    }
    let text = text.replace("\r\n", "\n").replace('\r', "\n");
    let (separator, cut) = separator(&text);
    // A quotation mark that nothing closes would swallow this line too.
    let text = format!("{}\n{END}\n", &text[cut..]);
    let mut lines = Lines {
        text: &text,
        at: 0,
        line: if cut > 0 { 2 } else { 1 },
    };
    let mut ended = false;
    let mut reader = csv::ReaderBuilder::new()
        .delimiter(separator)
        .has_headers(false)
        .flexible(true)
        .trim(csv::Trim::All)
        .from_reader(text.as_bytes());
    let mut reading = Reading::default();
    let mut columns: Vec<(String, Holds)> = Vec::new();
    let mut rows = 0;
    for record in reader.records() {
        let Ok(record) = record else {
            return Err(Mistakes::of(Fault::NotATable));
        };
        let line = lines.of(record.position().map_or(0, csv::Position::byte));
        if record.len() == 1 && &record[0] == END {
            ended = true;
            break;
        }
        if record.iter().all(str::is_empty) {
            continue;
        }
        if columns.is_empty() {
            columns = header(&record, line, &mut reading.mistakes)?;
            continue;
        }
        rows += 1;
        if rows > ITEMS_MAX {
            return Err(Mistakes::of(Fault::TooLarge));
        }
        let mut row = Row {
            line,
            cells: BTreeMap::new(),
            properties: Vec::new(),
            mistakes: &mut reading.mistakes,
        };
        row.cut(&record, &columns);
        if let Some(item) = row.item() {
            reading.take(line, item);
        }
    }
    if ended {
        reading.end()
    } else {
        Err(Mistakes::of(Fault::NotATable))
    }
}

/// Stands behind a table while it is read; no text of a person holds it.
const END: &str = "\u{1}end";

/// Which line of the file a byte stands in; asked in the order of the file.
struct Lines<'a> {
    text: &'a str,
    at: usize,
    line: u64,
}

impl Lines<'_> {
    /// The line in which the record that is read from this byte on begins: empty lines before it are not part of it.
    fn of(&mut self, byte: u64) -> u64 {
        let bytes = self.text.as_bytes();
        let mut to = usize::try_from(byte)
            .unwrap_or(bytes.len())
            .min(bytes.len());
        while bytes.get(to) == Some(&b'\n') {
            to += 1;
        }
        let passed = bytes.get(self.at..to).unwrap_or_default();
        let newlines = passed.iter().filter(|byte| **byte == b'\n').count();
        self.line += u64::try_from(newlines).unwrap_or(0);
        self.at = self.at.max(to);
        self.line
    }
}

/// Whatever the first line that holds something has most of; `sep=;` in front of it, as some spreadsheets write, is believed. Gives
/// too where the table begins.
fn separator(text: &str) -> (u8, usize) {
    let first = text.split('\n').next().unwrap_or_default();
    if let Some(said) = first.strip_prefix("sep=")
        && let [separator] = said.as_bytes()
    {
        return (*separator, (first.len() + 1).min(text.len()));
    }
    let mut held = text.split('\n').filter(|line| !line.trim().is_empty());
    let first = held.next().unwrap_or_default();
    let count = |separator: &u8| first.bytes().filter(|byte| byte == separator).count();
    // The first of those of which there are most.
    let most = [b'\t', b';', b','].into_iter().max_by_key(count);
    (most.unwrap_or(b','), 0)
}

fn header(
    record: &csv::StringRecord,
    line: u64,
    mistakes: &mut Mistakes,
) -> Result<Vec<(String, Holds)>, Mistakes> {
    if record.len() > COLUMNS_MAX {
        return Err(Mistakes::of(Fault::TooLarge));
    }
    let mut columns: Vec<(String, Holds)> = Vec::with_capacity(record.len());
    for name in record {
        let twice = columns
            .iter()
            .any(|(known, _)| !name.is_empty() && known.eq_ignore_ascii_case(name));
        let holds = if twice {
            Err(Fault::ColumnTwice)
        } else {
            holds(name)
        };
        let holds = holds.unwrap_or_else(|fault| {
            mistakes.add(line, name, fault);
            Holds::Nothing
        });
        columns.push((name.to_owned(), holds));
    }
    for needed in Column::NEEDED {
        let there = columns
            .iter()
            .any(|(_, holds)| matches!(holds, Holds::Own(column) if *column == needed));
        if !there {
            mistakes.add(line, needed.name(), Fault::NoColumn);
        }
    }
    if mistakes.is_empty() {
        Ok(columns)
    } else {
        // Every line below would be wrong for the same reason.
        Err(core::mem::take(mistakes))
    }
}

fn holds(name: &str) -> Result<Holds, Fault> {
    if name.is_empty() {
        // That matters only if something stands below it.
        return Ok(Holds::Nothing);
    }
    let mut own = Column::ALL.into_iter();
    if let Some(column) = own.find(|column| column.name().eq_ignore_ascii_case(name)) {
        return Ok(Holds::Own(column));
    }
    let (prefix, property) = name
        .split_at_checked(PROPERTY.len())
        .ok_or(Fault::UnknownColumn)?;
    if !prefix.eq_ignore_ascii_case(PROPERTY) {
        return Err(Fault::UnknownColumn);
    }
    let property = property.trim();
    let Some((key, kind)) = property
        .strip_suffix(']')
        .and_then(|property| property.split_once('['))
    else {
        return Ok(Holds::Text(property.to_ascii_lowercase()));
    };
    let key = key.trim().to_ascii_lowercase();
    if kind.eq_ignore_ascii_case(FLAG) {
        return Ok(Holds::Flag(key));
    }
    let unit =
        Unit::new(&kind.to_ascii_uppercase()).map_err(|_| Fault::NotAUnit(kind.to_owned()))?;
    Ok(Holds::Measure(key, unit))
}

/// One line of a table.
struct Row<'a> {
    line: u64,
    cells: BTreeMap<Column, String>,
    properties: Vec<Attribute>,
    mistakes: &'a mut Mistakes,
}

impl Row<'_> {
    fn wrong<T>(&mut self, column: Column, fault: Fault) -> Option<T> {
        self.mistakes.add(self.line, column.name(), fault);
        None
    }

    fn cut(&mut self, record: &csv::StringRecord, columns: &[(String, Holds)]) {
        for (at, cell) in record.iter().enumerate().filter(|(_, it)| !it.is_empty()) {
            let text = plain(cell);
            let Some((name, holds)) = columns.get(at) else {
                self.mistakes.add(self.line, "", Fault::NoSuchColumn);
                continue;
            };
            let property = match holds {
                Holds::Nothing => {
                    self.mistakes.add(self.line, "", Fault::NoSuchColumn);
                    continue;
                }
                Holds::Own(column) => {
                    self.cells.insert(*column, text.to_owned());
                    continue;
                }
                Holds::Text(key) => Ok((key, Value::Text(text.to_owned()))),
                Holds::Measure(key, unit) => Quantity::parse(text, *unit)
                    .map(|measure| (key, Value::Measure(measure)))
                    .ok_or_else(|| Fault::NotAQuantity(text.to_owned())),
                Holds::Flag(key) => named(&[(true, YES), (false, NO)], text)
                    .map(|flag| (key, Value::Flag(flag)))
                    .ok_or_else(|| Fault::NotAWord(text.to_owned(), vec![YES, NO])),
            };
            match property {
                Ok((key, value)) => self.properties.push(Attribute {
                    key: key.clone(),
                    value,
                }),
                Err(fault) => self.mistakes.add(self.line, name, fault),
            }
        }
    }

    /// The item, if all of it can be read; otherwise every mistake of the line is told.
    fn item(&mut self) -> Option<Item> {
        let asset = self.needed(Column::Currency).and_then(|text| {
            let asset = Asset::new(&text.to_ascii_uppercase()).ok();
            asset.or_else(|| self.wrong(Column::Currency, Fault::NotACurrency(text)))
        });
        let unit = match self.cells.remove(&Column::Unit) {
            None => Some(Unit::ONE),
            Some(text) => {
                let unit = Unit::new(&text.to_ascii_uppercase()).ok();
                unit.or_else(|| self.wrong(Column::Unit, Fault::NotAUnit(text)))
            }
        };
        let title = self.needed(Column::Title);
        let category = self.needed(Column::Category).and_then(|text| {
            category(&text).or_else(|| self.wrong(Column::Category, Fault::NoCategory(text)))
        });
        let quality = self.needed(Column::Quality);
        let quality = quality.and_then(|text| self.word(Column::Quality, &text, &QUALITIES));
        let auto = match self.cells.remove(&Column::Answer) {
            None => Some(None),
            Some(text) => self.word(Column::Answer, &text, &ANSWERS).map(Some),
        };
        let id = self.name();
        let tiers = self.needed(Column::Price).and_then(|text| {
            let tiers = tiers(&text, asset?, unit?);
            tiers.map_or_else(|fault| self.wrong(Column::Price, fault), Some)
        });
        let floor = match (self.cells.remove(&Column::Floor), asset) {
            (None, _) => Some(None),
            (Some(_), None) => None,
            (Some(text), Some(asset)) => {
                let floor = Money::parse(&text, asset).map(|money| money.minor);
                let wrong = Fault::NotAnAmount(text);
                floor.or_else(|| self.wrong(Column::Floor, wrong)).map(Some)
            }
        };
        let stock = match (self.cells.remove(&Column::Stock), unit) {
            (None, _) => Some(None),
            (Some(_), None) => None,
            (Some(text), Some(unit)) => {
                let stock = Quantity::parse(&text, unit);
                let wrong = Fault::NotAQuantity(text);
                stock.or_else(|| self.wrong(Column::Stock, wrong)).map(Some)
            }
        };
        let deliveries = self.needed(Column::Deliveries).and_then(|text| {
            let asset = asset?;
            let ways = text.split('|').map(|way| delivery(way.trim(), asset));
            let ways = ways.collect::<Result<Vec<_>, _>>();
            ways.map_or_else(|fault| self.wrong(Column::Deliveries, fault), Some)
        });
        let (id, sku) = id?;
        Some(Item {
            id,
            sku,
            title: title?,
            category: category?,
            attributes: core::mem::take(&mut self.properties),
            unit: unit?,
            stock: stock?,
            asset: asset?,
            tiers: tiers?,
            floor: floor?,
            quality: quality?,
            deliveries: deliveries?,
            note: self.cells.remove(&Column::Note),
            auto: auto?,
        })
    }

    fn needed(&mut self, column: Column) -> Option<String> {
        let text = self.cells.remove(&column);
        text.or_else(|| self.wrong(column, Fault::Missing))
    }

    fn word<T: Copy>(
        &mut self,
        column: Column,
        text: &str,
        known: &[(T, &'static str)],
    ) -> Option<T> {
        named(known, text).or_else(|| {
            let names = known.iter().map(|(_, name)| *name).collect();
            self.wrong(column, Fault::NotAWord(text.to_owned(), names))
        })
    }

    /// By what it is known: its sku, its number, or nothing yet.
    fn name(&mut self) -> Option<(ItemId, Option<String>)> {
        let sku = self.cells.remove(&Column::Sku);
        let of_sku = sku.as_deref().map_or(ItemId(0), ItemId::of_sku);
        let Some(text) = self.cells.remove(&Column::Id) else {
            return Some((of_sku, sku));
        };
        // If both are there they have to agree: that is for the stall to say.
        match text.parse() {
            Ok(0) => Some((of_sku, sku)),
            Ok(id) => Some((ItemId(id), sku)),
            Err(_) => self.wrong(Column::Id, Fault::NotAnId(text)),
        }
    }
}

/// Without the apostrophe that hides a formula.
fn plain(cell: &str) -> &str {
    match cell.strip_prefix(HIDES) {
        Some(rest) if rest.starts_with(FORMULA) || rest.starts_with(HIDES) => rest,
        Some(_) | None => cell,
    }
}

fn category(text: &str) -> Option<Category> {
    let slug = text.to_ascii_lowercase();
    let node = taxonomy::by_slug(&slug).map(|node| node.category);
    node.or_else(|| text.parse().ok().map(Category))
}

fn money(text: &str, asset: Asset) -> Result<u64, Fault> {
    let money = Money::parse(text, asset);
    money
        .map(|money| money.minor)
        .ok_or_else(|| Fault::NotAnAmount(text.to_owned()))
}

fn tiers(text: &str, asset: Asset, unit: Unit) -> Result<Vec<Tier>, Fault> {
    let step = |step: &str| {
        let (from, price) = step.split_once(':').unwrap_or(("0", step));
        let from = from.trim();
        Ok(Tier {
            from: Quantity::parse(from, unit)
                .ok_or_else(|| Fault::NotAQuantity(from.to_owned()))?,
            unit_price: money(price.trim(), asset)?,
        })
    };
    text.split('|').map(step).collect()
}

fn delivery(text: &str, asset: Asset) -> Result<DeliveryOffer, Fault> {
    let mut parts = text.split_whitespace();
    let way = parts.next().unwrap_or_default();
    let delivery = named(&WAYS, way).ok_or_else(|| {
        let names = WAYS.iter().map(|(_, name)| *name).collect();
        Fault::NotAWord(way.to_owned(), names)
    })?;
    let fee = parts.next().map_or(Ok(0), |fee| money(fee, asset))?;
    let lead_time = parts.next().map_or(Ok(0), span)?;
    let mut area = Vec::new();
    for place in parts
        .flat_map(|places| places.split(','))
        .filter(|it| !it.is_empty())
    {
        let (geohash, radius) = place.split_once('~').unwrap_or((place, "0"));
        area.push(Place {
            geohash: geohash.to_owned(),
            radius_m: radius
                .parse()
                .map_err(|_| Fault::NotAQuantity(radius.to_owned()))?,
        });
    }
    Ok(DeliveryOffer {
        delivery,
        area,
        fee,
        lead_time,
    })
}

fn span(text: &str) -> Result<u32, Fault> {
    if text == "0" {
        return Ok(0);
    }
    let wrong = || Fault::NotATime(text.to_owned());
    let (span, letter) = SPANS
        .iter()
        .find(|(_, letter)| text.ends_with(*letter))
        .ok_or_else(wrong)?;
    let count = text.trim_end_matches(*letter);
    let count: u32 = count.parse().map_err(|_| wrong())?;
    count.checked_mul(*span).ok_or_else(wrong)
}
