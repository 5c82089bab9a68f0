//! From what a person typed to what is said, and back. A form keeps text exactly as it was typed; only here it
//! becomes numbers, and what cannot is a [`Flaw`] beside its field. Nothing typed is changed or lost by it.

pub mod ask;
pub mod counter;
pub mod deciding;
pub mod files;
pub mod item;
pub mod list;
pub mod money;
pub mod quote;
pub mod safe;
pub mod stall;
pub mod tip;

use haggle_protocol::attribute::{Attribute, Comparison, Value, Wish};
use haggle_protocol::{Asset, Money, Quantity, limits};

use crate::node::Complaint;
use crate::units::unit;

/// What is wrong with a field. Each language has a sentence for each.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Wrong {
    /// Nothing stands in a field that is needed.
    Missing,
    /// Longer than the wire takes.
    TooLong,
    /// Not a number, or with more digits behind the point than its currency or unit has.
    NotANumber,
    /// Must be more than nothing.
    Zero,
    /// Not a currency's code.
    NotACurrency,
    /// At least one must be chosen.
    NoneChosen,
    /// A property has a value but no name, or a name without letters.
    NoName,
    /// At least and at most need a number.
    NeedsNumber,
    /// The reduction is larger than everything else.
    BelowZero,
    /// As much as is asked, or more.
    NotLess,
    /// Not the address of a mint.
    NotAMint,
    /// More than there is.
    TooMuch,
    /// A box that has to be ticked first.
    Unticked,
    /// More than an arbiter can take.
    OverATenth,
    /// Less or more time than an arbiter can have.
    NotThatTime,
}

/// A field and what is wrong with it. Fields are called as the peer's complaints call them.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Flaw {
    /// Which field.
    pub field: &'static str,
    /// What is wrong.
    pub wrong: Wrong,
}

/// Everything that is known to be wrong with a form: what was found here, and what the peer complained of.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Faults {
    /// Found here.
    pub flaws: Vec<Flaw>,
    /// Said by the peer.
    pub complaint: Option<Complaint>,
}

impl Faults {
    /// From what was found here.
    #[must_use]
    pub const fn found(flaws: Vec<Flaw>) -> Self {
        Self {
            flaws,
            complaint: None,
        }
    }

    /// From what the peer said.
    #[must_use]
    pub const fn said(complaint: Complaint) -> Self {
        Self {
            flaws: Vec::new(),
            complaint: Some(complaint),
        }
    }

    /// Whether there are none.
    #[must_use]
    pub const fn is_empty(&self) -> bool {
        self.flaws.is_empty() && self.complaint.is_none()
    }

    /// What is wrong with a field, if found here.
    #[must_use]
    pub fn flaw(&self, field: &str) -> Option<Wrong> {
        let mut flaws = self.flaws.iter();
        flaws
            .find(|flaw| flaw.field == field)
            .map(|flaw| flaw.wrong)
    }

    /// What the peer complained of, if it is about this field.
    #[must_use]
    pub fn complaint(&self, field: &str) -> Option<&Complaint> {
        let about = |complaint: &&Complaint| complaint.field.as_deref() == Some(field);
        self.complaint.as_ref().filter(about)
    }

    /// What the peer complained of, if it is about none of these fields.
    #[must_use]
    pub fn general(&self, fields: &[&str]) -> Option<&Complaint> {
        let known = |field: &str| fields.contains(&field);
        let general = |complaint: &&Complaint| !complaint.field.as_deref().is_some_and(known);
        self.complaint.as_ref().filter(general)
    }
}

/// Currencies that are offered first; any other code can be typed.
pub const CURRENCIES: [&str; 24] = [
    "EUR", "USD", "GBP", "CHF", "AUD", "BRL", "CAD", "CNY", "CZK", "DKK", "HKD", "HUF", "INR",
    "JPY", "KRW", "MXN", "NOK", "NZD", "PLN", "RON", "SEK", "SGD", "TRY", "ZAR",
];

/// A row of a property, wanted or had.
#[derive(Clone, Debug, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub struct PropertyRow {
    /// What it is called.
    pub name: String,
    /// How a wish compares; an item's own property always is.
    pub comparison: Comparison,
    /// Its value as typed.
    pub value: String,
    /// Code of the unit; empty for a word.
    pub unit: String,
    /// Whether a wish must hold.
    pub must: bool,
}

impl Default for PropertyRow {
    fn default() -> Self {
        Self {
            name: String::new(),
            comparison: Comparison::Is,
            value: String::new(),
            unit: String::new(),
            must: false,
        }
    }
}

impl PropertyRow {
    /// Whether nothing was typed.
    #[must_use]
    pub fn is_blank(&self) -> bool {
        self.name.trim().is_empty() && self.value.trim().is_empty()
    }

    /// What is wished for by it.
    ///
    /// # Errors
    /// What is wrong with it.
    pub fn to_wish(&self) -> Result<Wish, Wrong> {
        let Attribute { key, value } = self.to_attribute()?;
        if self.comparison != Comparison::Is && !matches!(value, Value::Measure(_)) {
            return Err(Wrong::NeedsNumber);
        }
        Ok(Wish {
            key,
            comparison: self.comparison,
            value,
            must: self.must,
        })
    }

    /// What is had by it.
    ///
    /// # Errors
    /// What is wrong with it.
    pub fn to_attribute(&self) -> Result<Attribute, Wrong> {
        let known = crate::categories::property_key(&self.name).map(ToOwned::to_owned);
        let key = known.or_else(|| slug(&self.name)).ok_or(Wrong::NoName)?;
        let value = value(&self.value, &self.unit)?;
        Ok(Attribute { key, value })
    }

    /// As a row that would give this attribute.
    #[must_use]
    pub fn from_attribute(attribute: &Attribute) -> Self {
        let (value, unit) = match &attribute.value {
            Value::Text(text) => (text.clone(), String::new()),
            Value::Measure(quantity) => (digits(*quantity), quantity.unit.code().to_owned()),
            Value::Flag(flag) => ((if *flag { "yes" } else { "no" }).to_owned(), String::new()),
        };
        Self {
            name: attribute.key.clone(),
            value,
            unit,
            ..Self::default()
        }
    }

    /// As a row that would give this wish.
    #[must_use]
    pub fn from_wish(wish: &Wish) -> Self {
        let attribute = Attribute {
            key: wish.key.clone(),
            value: wish.value.clone(),
        };
        Self {
            comparison: wish.comparison,
            must: wish.must,
            ..Self::from_attribute(&attribute)
        }
    }
}

/// A value as typed: `yes` and `no` (`ja`, `nein`) are flags, anything with a unit must be a number, a bare
/// number counts something, the rest is a word. Buyers and sellers type into the same kind of row, so that
/// what they mean alike becomes alike.
fn value(text: &str, code: &str) -> Result<Value, Wrong> {
    let text = text.trim();
    if text.is_empty() {
        return Err(Wrong::Missing);
    }
    if code.is_empty() {
        match text.to_lowercase().as_str() {
            "yes" | "ja" => return Ok(Value::Flag(true)),
            "no" | "nein" => return Ok(Value::Flag(false)),
            _ => {}
        }
        if let Some(count) = Quantity::parse(text, unit("C62")) {
            return Ok(Value::Measure(count));
        }
        if text.len() > limits::ATTRIBUTE_TEXT_MAX {
            return Err(Wrong::TooLong);
        }
        return Ok(Value::Text(text.to_owned()));
    }
    let measure = Quantity::parse(text, unit(code)).ok_or(Wrong::NotANumber)?;
    Ok(Value::Measure(measure))
}

/// A property's name as the wire takes it: small ASCII letters, digits and dashes. `Größe` is `groesse`.
#[must_use]
pub fn slug(name: &str) -> Option<String> {
    let mut slug = String::new();
    for c in name.trim().chars().flat_map(char::to_lowercase) {
        match c {
            'a'..='z' | '0'..='9' | '_' => slug.push(c),
            'ä' | 'æ' => slug.push_str("ae"),
            'ö' | 'ø' | 'œ' => slug.push_str("oe"),
            'ü' => slug.push_str("ue"),
            'ß' => slug.push_str("ss"),
            'á' | 'à' | 'â' | 'å' | 'ã' => slug.push('a'),
            'é' | 'è' | 'ê' | 'ë' => slug.push('e'),
            'í' | 'ì' | 'î' | 'ï' => slug.push('i'),
            'ó' | 'ò' | 'ô' | 'õ' => slug.push('o'),
            'ú' | 'ù' | 'û' => slug.push('u'),
            'ç' => slug.push('c'),
            'ñ' => slug.push('n'),
            _ if !slug.is_empty() && !slug.ends_with('-') => slug.push('-'),
            _ => {}
        }
    }
    let slug: String = slug.chars().take(limits::ATTRIBUTE_KEY_MAX).collect();
    let slug = slug.trim_end_matches('-');
    (!slug.is_empty()).then(|| slug.to_owned())
}

/// The number of a quantity without its unit, as one types it: `2.5`.
#[must_use]
pub fn digits(quantity: Quantity) -> String {
    let text = quantity.to_string();
    let number = text.split(' ').next().unwrap_or_default();
    if number.contains('.') {
        let trimmed = number.trim_end_matches('0').trim_end_matches('.');
        return trimmed.to_owned();
    }
    number.to_owned()
}

/// The number of an amount without its currency, as one types it: `399.90`, or `400` where there are no cents.
#[must_use]
pub fn amount(money: Money) -> String {
    let text = money.to_string();
    let number = text.split(' ').next().unwrap_or_default();
    let whole = number
        .split_once('.')
        .filter(|(_, cents)| cents.bytes().all(|c| c == b'0'));
    whole.map_or(number, |(whole, _)| whole).to_owned()
}

/// Collects flaws while a form is read, so that all of them are shown at once.
#[derive(Debug, Default)]
struct Reading {
    flaws: Vec<Flaw>,
}

impl Reading {
    fn wrong(&mut self, field: &'static str, wrong: Wrong) {
        self.flaws.push(Flaw { field, wrong });
    }

    /// A text that must be there.
    fn line(&mut self, field: &'static str, text: &str, max: usize) -> String {
        if text.trim().is_empty() {
            self.wrong(field, Wrong::Missing);
        }
        self.optional(field, text, max).unwrap_or_default()
    }

    /// A text that may be there.
    fn optional(&mut self, field: &'static str, text: &str, max: usize) -> Option<String> {
        let text = text.trim().replace("\r\n", "\n");
        if text.len() > max {
            self.wrong(field, Wrong::TooLong);
        }
        (!text.is_empty()).then_some(text)
    }

    fn quantity(&mut self, field: &'static str, text: &str, code: &str) -> Quantity {
        match Quantity::parse(text, unit(code)) {
            Some(quantity) if quantity.n > 0 => return quantity,
            Some(_) => self.wrong(field, Wrong::Zero),
            None if text.trim().is_empty() => self.wrong(field, Wrong::Missing),
            None => self.wrong(field, Wrong::NotANumber),
        }
        Quantity::pieces(1)
    }

    fn asset(&mut self, field: &'static str, code: &str) -> Asset {
        let code = code.trim();
        // Rails count in small letters (`sat`); currencies of countries are written in capitals.
        let found = Asset::new(code).ok().filter(|asset| {
            let code = asset.code();
            code.chars().all(|c| c.is_ascii_uppercase())
                || !code.chars().any(|c| c.is_ascii_uppercase())
        });
        match found {
            Some(asset) => asset,
            None => {
                self.wrong(field, Wrong::NotACurrency);
                Asset::new("EUR").unwrap_or_else(|_| unreachable!("EUR is a currency"))
            }
        }
    }

    /// An amount that must be there.
    fn money(&mut self, field: &'static str, text: &str, asset: Asset) -> Money {
        if text.trim().is_empty() {
            self.wrong(field, Wrong::Missing);
        }
        self.optional_money(field, text, asset)
            .unwrap_or(Money::new(0, asset))
    }

    /// An amount that may be there.
    fn optional_money(&mut self, field: &'static str, text: &str, asset: Asset) -> Option<Money> {
        if text.trim().is_empty() {
            return None;
        }
        let money = Money::parse(text, asset);
        if money.is_none() {
            self.wrong(field, Wrong::NotANumber);
        }
        money
    }

    /// A whole number of something, at least 1.
    fn count(&mut self, field: &'static str, text: &str) -> u64 {
        match text.trim().parse() {
            Ok(0) => self.wrong(field, Wrong::Zero),
            Ok(count) => return count,
            Err(_) if text.trim().is_empty() => self.wrong(field, Wrong::Missing),
            Err(_) => self.wrong(field, Wrong::NotANumber),
        }
        1
    }

    /// The same, or nothing.
    fn optional_count(&mut self, field: &'static str, text: &str) -> Option<u64> {
        (!text.trim().is_empty()).then(|| self.count(field, text))
    }

    /// A share in per cent; none if nothing was typed. What is too much of it is for the peer to say.
    fn share(&mut self, field: &'static str, text: &str) -> u8 {
        let text = text.trim().trim_end_matches('%').trim_end();
        if text.is_empty() {
            return 0;
        }
        text.parse().unwrap_or_else(|_| {
            self.wrong(field, Wrong::NotANumber);
            0
        })
    }

    fn end<T>(self, whole: T) -> Result<T, Vec<Flaw>> {
        if self.flaws.is_empty() {
            Ok(whole)
        } else {
            Err(self.flaws)
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn row(name: &str, value: &str, unit: &str) -> PropertyRow {
        PropertyRow {
            name: name.into(),
            value: value.into(),
            unit: unit.into(),
            ..PropertyRow::default()
        }
    }

    #[test]
    fn names_become_what_the_wire_takes_in_any_language() {
        assert_eq!(slug("RAM").as_deref(), Some("ram"));
        assert_eq!(slug(" Größe (Rahmen) ").as_deref(), Some("groesse-rahmen"));
        assert_eq!(slug("screen size").as_deref(), Some("screen-size"));
        assert_eq!(slug("名前"), None);
        assert_eq!(slug(""), None);
        let long = slug(&"ab ".repeat(40)).unwrap();
        assert!(long.len() <= limits::ATTRIBUTE_KEY_MAX && !long.ends_with('-'));
    }

    #[test]
    fn a_row_is_read_as_a_word_a_number_or_a_yes() {
        let value = |text, unit| row("x", text, unit).to_attribute().map(|found| found.value);
        assert_eq!(value("Bianchi", ""), Ok(Value::Text("Bianchi".into())));
        assert_eq!(value("ja", ""), Ok(Value::Flag(true)));
        assert_eq!(value("NO", ""), Ok(Value::Flag(false)));
        assert_eq!(value("8", ""), Ok(Value::Measure(Quantity::pieces(8))));
        let centimetres = Quantity::parse("56", unit("CMT")).unwrap();
        assert_eq!(value("56", "CMT"), Ok(Value::Measure(centimetres)));
        assert_eq!(value("big", "CMT"), Err(Wrong::NotANumber));
        assert_eq!(value(" ", ""), Err(Wrong::Missing));
        assert_eq!(row("", "x", "").to_attribute(), Err(Wrong::NoName));
    }

    #[test]
    fn at_least_and_at_most_want_a_number() {
        let mut brand = row("brand", "Bianchi", "");
        brand.comparison = Comparison::AtLeast;
        assert_eq!(brand.to_wish(), Err(Wrong::NeedsNumber));
        brand.comparison = Comparison::Is;
        assert!(brand.to_wish().is_ok());
    }

    #[test]
    fn what_was_read_can_be_written_into_the_same_row_again() {
        for (text, unit) in [
            ("56", "CMT"),
            ("2.5", "KGM"),
            ("Bianchi", ""),
            ("yes", ""),
            ("8", "C62"),
        ] {
            let attribute = row("frame", text, unit).to_attribute().unwrap();
            let again = PropertyRow::from_attribute(&attribute);
            assert_eq!(again.to_attribute(), Ok(attribute));
        }
    }

    #[test]
    fn amounts_are_written_as_one_types_them() {
        let eur = Asset::new("EUR").unwrap();
        assert_eq!(amount(Money::new(39_990, eur)), "399.90");
        assert_eq!(amount(Money::new(40_000, eur)), "400");
        assert_eq!(
            amount(Money::new(1_200, Asset::new("JPY").unwrap())),
            "1200"
        );
        assert_eq!(digits(Quantity::parse("2.50", unit("KGM")).unwrap()), "2.5");
        assert_eq!(digits(Quantity::pieces(10)), "10");
    }

    #[test]
    fn a_complaint_is_shown_beside_its_field_or_else_for_the_whole_form() {
        let about = |field: Option<&str>| {
            Faults::said(Complaint {
                code: "bad-text".into(),
                field: field.map(Into::into),
                sentence: "Shorter, please.".into(),
            })
        };
        let fields = ["title", "details"];
        assert!(about(Some("title")).complaint("title").is_some());
        assert!(about(Some("title")).general(&fields).is_none());
        assert!(about(Some("stars")).general(&fields).is_some());
        assert!(about(None).general(&fields).is_some());
    }
}
