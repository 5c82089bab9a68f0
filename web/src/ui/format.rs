//! Numbers, amounts and dates as the reader's language writes them, by the browser's own `Intl`.

use std::cell::RefCell;
use std::collections::BTreeMap;

use haggle_protocol::attribute::{Comparison, Value, Wish};
use haggle_protocol::place::Place;
use haggle_protocol::{Asset, Custodian, Money, Quantity, Timestamp, Unit};
use js_sys::{Array, Date, Function, Intl, Object, Reflect};
use wasm_bindgen::JsValue;

use crate::app::{called, lang, w};
use crate::browser;
use crate::forms::files::Scale;
use crate::places;
use crate::words::{Lang, duration, property};

thread_local! {
    /// Making a formatter is slow, using it is not.
    static FORMATTERS: RefCell<BTreeMap<String, Function>> = const { RefCell::new(BTreeMap::new()) };
}

/// The language of the page as this browser's owner speaks it: `en-GB` and `en-US` write times differently.
fn tag() -> String {
    let own = browser::language().filter(|tag| {
        let base = tag.split('-').next().unwrap_or_default();
        base.eq_ignore_ascii_case(lang().tag())
    });
    own.unwrap_or_else(|| lang().tag().to_owned())
}

fn formatter(
    key: &str,
    make: impl FnOnce(&Array, &Object) -> Function,
    options: &[(&str, JsValue)],
) -> Function {
    let tag = tag();
    let key = format!("{tag}/{key}");
    FORMATTERS.with_borrow_mut(|known| {
        let made = known.entry(key).or_insert_with(|| {
            let dictionary = Object::new();
            for (name, value) in options {
                let _ = Reflect::set(&dictionary, &JsValue::from_str(name), value);
            }
            make(&Array::of1(&tag.into()), &dictionary)
        });
        made.clone()
    })
}

fn number_format(locales: &Array, options: &Object) -> Function {
    Intl::NumberFormat::new(locales, options).format()
}

fn date_format(locales: &Array, options: &Object) -> Function {
    Intl::DateTimeFormat::new(locales, options).format()
}

fn written(format: &Function, value: &JsValue) -> String {
    let text = format.call1(&JsValue::UNDEFINED, value);
    text.ok()
        .and_then(|text| text.as_string())
        .unwrap_or_default()
}

/// Whether a unit of money is one that `Intl` knows how to write: three capitals, as ISO 4217 has them.
fn is_currency(asset: Asset) -> bool {
    let code = asset.code();
    code.len() == 3 && code.bytes().all(|c| c.is_ascii_uppercase())
}

/// An amount with its currency: `€399.90`, `399,90 €`, `21,000 sat`.
pub(crate) fn money(money: Money) -> String {
    let exponent = money.asset.exponent();
    // Exact for every amount on the wire, which are all below 2^53 minor units.
    let value = money.minor as f64 / 10f64.powi(i32::try_from(exponent).unwrap_or(0));
    let digits = JsValue::from(exponent);
    let code = money.asset.code();
    let mut options = vec![
        ("minimumFractionDigits", digits.clone()),
        ("maximumFractionDigits", digits),
    ];
    if is_currency(money.asset) {
        options.push(("style", "currency".into()));
        options.push(("currency", code.into()));
        return written(&formatter(code, number_format, &options), &value.into());
    }
    let number = written(
        &formatter(&format!("plain{exponent}"), number_format, &options),
        &value.into(),
    );
    format!("{number} {code}")
}

/// An amount that a mint keeps: as any other, and that it is play money, where it is.
pub(crate) fn kept(amount: Money, mint: &Custodian) -> String {
    called(|play| play.amount(money(amount), mint))
}

/// A mint's name, and that its money is play money, where it is.
pub(crate) fn mint(mint: &Custodian) -> String {
    called(|play| play.name(mint))
}

/// A part of the whole, in thousandths: `2.5 %`.
pub(crate) fn share(thousandths: u16) -> String {
    format!("{} %", number(u64::from(thousandths), 1))
}

/// A number with up to six digits behind its point.
fn number(n: u64, scale: u8) -> String {
    let value = n as f64 / 10f64.powi(i32::from(scale));
    let options = [("maximumFractionDigits", JsValue::from(6))];
    written(&formatter("number", number_format, &options), &value.into())
}

/// A whole number.
pub(crate) fn count(n: u64) -> String {
    number(n, 0)
}

/// The size of a file: `2.1 MB`.
pub(crate) fn size(bytes: u32) -> String {
    let scale = Scale::of(bytes);
    let (n, digits) = scale.round(bytes);
    (w().files.size)(scale, &number(n, digits))
}

/// How much of a file has come: `12 of 340 KB have come`.
pub(crate) fn come(received: u32, bytes: u32) -> String {
    let (n, digits) = Scale::of(bytes).floor(received);
    (w().files.coming)(&number(n, digits), &size(bytes))
}

/// A quantity with its unit in words. What is counted in pieces needs none: `2`.
pub(crate) fn quantity(quantity: Quantity) -> String {
    let digits = number(quantity.n, quantity.scale);
    if quantity.unit == Unit::ONE {
        return digits;
    }
    format!(
        "{digits}\u{a0}{}",
        unit(quantity.unit, quantity == one(quantity.unit))
    )
}

fn one(unit: Unit) -> Quantity {
    Quantity {
        n: 1,
        scale: 0,
        unit,
    }
}

/// A unit in words.
pub(crate) fn unit(unit: Unit, single: bool) -> String {
    (w().word.unit)(unit.code(), single).map_or_else(|| unit.code().to_owned(), ToOwned::to_owned)
}

/// A value of a property.
pub(crate) fn value(value: &Value) -> String {
    match value {
        Value::Text(text) => text.clone(),
        Value::Measure(measure) => quantity(*measure),
        Value::Flag(true) => w().all.yes.to_owned(),
        Value::Flag(false) => w().all.no.to_owned(),
    }
}

/// A wish in short: `frame 56 cm`, `memory at least 8 GB`.
pub(crate) fn wish(wish: &Wish) -> String {
    let name = property(w(), &wish.key);
    let value = value(&wish.value);
    match wish.comparison {
        Comparison::Is => format!("{name} {value}"),
        Comparison::AtLeast | Comparison::AtMost => {
            format!("{name} {} {value}", (w().word.comparison)(wish.comparison))
        }
    }
}

/// Where, in words.
pub(crate) fn places(found: &[Place]) -> String {
    let city = |place: &Place| {
        places::nearest(place).map_or(w().all.somewhere, |city| match lang() {
            Lang::English => city.english,
            Lang::German => city.german,
        })
    };
    match found {
        [] => w().all.anywhere.to_owned(),
        [place] => (w().all.around)(city(place)),
        [from, to, ..] => (w().all.from_to)(city(from), city(to)),
    }
}

fn date(time: Timestamp) -> Date {
    Date::new(&JsValue::from(time.0 as f64 * 1_000.0))
}

/// A time: the hour if it is of today, the day too if not.
pub(crate) fn time(time: Timestamp) -> String {
    let (then, now) = (date(time), Date::new_0());
    let today = then.get_full_year() == now.get_full_year()
        && then.get_month() == now.get_month()
        && then.get_date() == now.get_date();
    let two = JsValue::from("2-digit");
    let mut options = vec![("hour", two.clone()), ("minute", two)];
    if !today {
        options.push(("day", "numeric".into()));
        options.push(("month", "short".into()));
    }
    let key = if today { "hour" } else { "day-hour" };
    written(&formatter(key, date_format, &options), &then)
}

/// A day.
pub(crate) fn day(time: Timestamp) -> String {
    let options = [
        ("weekday", JsValue::from("short")),
        ("day", "numeric".into()),
        ("month", "short".into()),
    ];
    written(&formatter("day", date_format, &options), &date(time))
}

/// How soon it is there: `within 2 days`, `at once`.
pub(crate) fn lead(seconds: u32) -> String {
    match seconds {
        0 => w().word.at_once.to_owned(),
        _ => (w().word.within)(&duration(w(), u64::from(seconds))),
    }
}
