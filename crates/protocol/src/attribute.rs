//! Typed properties of an item (`ram: 16 GB`, `frame: 56 cm`, `brand: Bianchi`), wanted or offered.
//!
//! A wish compares one property with a value and says whether it must hold. The answer is three-valued: a
//! seller who does not state a property has not failed it, the gap is shown.

use core::fmt;

use crate::amount::Quantity;
use crate::cbor::{Reader, Writer};
use crate::limits::{ATTRIBUTE_KEY_MAX, ATTRIBUTE_TEXT_MAX, ATTRIBUTES_MAX};
use crate::refusal::Refusal;
use crate::text;

/// What a property can be.
#[derive(Clone, Debug, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Value {
    /// A word or a name, compared without regard to case.
    Text(String),
    /// A measure with its unit.
    Measure(Quantity),
    /// It has it, or it has it not.
    Flag(bool),
}

/// How a wish compares.
#[derive(Clone, Copy, Debug, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Comparison {
    /// Exactly this.
    Is,
    /// This much or more.
    AtLeast,
    /// This much or less.
    AtMost,
}

/// A property that an item has.
#[derive(Clone, Debug, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub struct Attribute {
    /// Its name: lower-case ASCII.
    pub key: String,
    /// Its value.
    pub value: Value,
}

/// A property that a buyer wants.
#[derive(Clone, Debug, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub struct Wish {
    /// Its name: lower-case ASCII.
    pub key: String,
    /// How to compare.
    pub comparison: Comparison,
    /// With what.
    pub value: Value,
    /// Whether it must hold; otherwise it only ranks.
    pub must: bool,
}

/// What came of comparing a wish with an item.
#[derive(Clone, Copy, Debug, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Fit {
    /// It holds.
    Yes,
    /// It does not hold.
    No,
    /// The item does not say, or says it in another unit.
    Unknown,
}

impl Wish {
    /// Whether an item with these attributes has what is wished.
    #[must_use]
    pub fn fit(&self, attributes: &[Attribute]) -> Fit {
        let Some(found) = attributes
            .iter()
            .find(|attribute| attribute.key == self.key)
        else {
            return Fit::Unknown;
        };
        let holds =
            match (&self.value, &found.value) {
                (Value::Text(wanted), Value::Text(offered)) => {
                    Some(wanted.to_lowercase() == offered.to_lowercase())
                }
                (Value::Flag(wanted), Value::Flag(offered)) => Some(wanted == offered),
                (Value::Measure(wanted), Value::Measure(offered)) => offered
                    .partial_cmp(wanted)
                    .map(|order| match self.comparison {
                        Comparison::Is => order.is_eq(),
                        Comparison::AtLeast => order.is_ge(),
                        Comparison::AtMost => order.is_le(),
                    }),
                (Value::Text(_) | Value::Flag(_) | Value::Measure(_), _) => None,
            };
        match holds {
            Some(true) => Fit::Yes,
            Some(false) => Fit::No,
            None => Fit::Unknown,
        }
    }

    fn write(&self, writer: &mut Writer) {
        writer.array(4);
        writer.text(&self.key);
        writer.uint(match self.comparison {
            Comparison::Is => 0,
            Comparison::AtLeast => 1,
            Comparison::AtMost => 2,
        });
        self.value.write(writer);
        writer.uint(u64::from(self.must));
    }

    fn read(reader: &mut Reader<'_>) -> Result<Self, Refusal> {
        reader.tuple(4)?;
        let key = text::name(reader.text(ATTRIBUTE_KEY_MAX)?, ATTRIBUTE_KEY_MAX)?;
        let comparison = match reader.small::<u8>()? {
            0 => Comparison::Is,
            1 => Comparison::AtLeast,
            2 => Comparison::AtMost,
            _ => return Err(Refusal::UnknownField),
        };
        let value = Value::read(reader)?;
        Ok(Self {
            key,
            comparison,
            value,
            must: reader.flag()?,
        })
    }

    /// Checks a wish made here as a stranger's would be.
    ///
    /// # Errors
    /// [`Refusal::BadText`] or [`Refusal::BadField`].
    pub fn check(&self) -> Result<(), Refusal> {
        text::name(&self.key, ATTRIBUTE_KEY_MAX)?;
        if self.comparison != Comparison::Is && !matches!(self.value, Value::Measure(_)) {
            return Err(Refusal::BadField);
        }
        self.value.check()
    }
}

impl Attribute {
    pub(crate) fn write(&self, writer: &mut Writer) {
        writer.array(2);
        writer.text(&self.key);
        self.value.write(writer);
    }

    pub(crate) fn read(reader: &mut Reader<'_>) -> Result<Self, Refusal> {
        reader.tuple(2)?;
        let key = text::name(reader.text(ATTRIBUTE_KEY_MAX)?, ATTRIBUTE_KEY_MAX)?;
        Ok(Self {
            key,
            value: Value::read(reader)?,
        })
    }

    /// Checks an attribute made here as a stranger's would be.
    ///
    /// # Errors
    /// [`Refusal::BadText`] or [`Refusal::BadField`].
    pub fn check(&self) -> Result<(), Refusal> {
        text::name(&self.key, ATTRIBUTE_KEY_MAX)?;
        self.value.check()
    }
}

impl Value {
    fn check(&self) -> Result<(), Refusal> {
        match self {
            Self::Text(value) => text::line(value, ATTRIBUTE_TEXT_MAX).map(|_| ()),
            Self::Measure(quantity) if quantity.scale > Quantity::SCALE_MAX => {
                Err(Refusal::BadField)
            }
            Self::Measure(_) | Self::Flag(_) => Ok(()),
        }
    }

    fn write(&self, writer: &mut Writer) {
        writer.array(2);
        match self {
            Self::Text(value) => {
                writer.uint(0);
                writer.text(value);
            }
            Self::Measure(quantity) => {
                writer.uint(1);
                quantity.write(writer);
            }
            Self::Flag(value) => {
                writer.uint(2);
                writer.uint(u64::from(*value));
            }
        }
    }

    fn read(reader: &mut Reader<'_>) -> Result<Self, Refusal> {
        reader.tuple(2)?;
        Ok(match reader.small::<u8>()? {
            0 => Self::Text(text::line(
                reader.text(ATTRIBUTE_TEXT_MAX)?,
                ATTRIBUTE_TEXT_MAX,
            )?),
            1 => Self::Measure(Quantity::read(reader)?),
            2 => Self::Flag(reader.flag()?),
            // A kind of value that a newer version knows: nothing is wrong with it, we only cannot read it.
            _ => return Err(Refusal::UnknownField),
        })
    }
}

impl fmt::Display for Value {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Text(value) => f.write_str(value),
            Self::Measure(quantity) => quantity.fmt(f),
            Self::Flag(value) => f.write_str(if *value { "yes" } else { "no" }),
        }
    }
}

pub(crate) fn write_wishes(wishes: &[Wish], writer: &mut Writer) {
    writer.array(wishes.len());
    for wish in wishes {
        wish.write(writer);
    }
}

pub(crate) fn read_wishes(reader: &mut Reader<'_>) -> Result<Vec<Wish>, Refusal> {
    reader.list(ATTRIBUTES_MAX, Wish::read)
}

/// Checks a list of wishes: their number, each one, and that none compares the same property twice in the same way.
pub(crate) fn check_wishes(wishes: &[Wish]) -> Result<(), Refusal> {
    let again = |(at, wish): (usize, &Wish)| {
        let mut before = wishes[..at].iter();
        before.any(|other| other.key == wish.key && other.comparison == wish.comparison)
    };
    if wishes.len() > ATTRIBUTES_MAX || wishes.iter().enumerate().any(again) {
        return Err(Refusal::BadField);
    }
    wishes.iter().try_for_each(Wish::check)
}

/// Checks a list of attributes: their number, each one, and that no property is stated twice.
pub(crate) fn check_attributes(attributes: &[Attribute]) -> Result<(), Refusal> {
    let again = |(at, attribute): (usize, &Attribute)| {
        let mut before = attributes[..at].iter();
        before.any(|other| other.key == attribute.key)
    };
    if attributes.len() > ATTRIBUTES_MAX || attributes.iter().enumerate().any(again) {
        return Err(Refusal::BadField);
    }
    attributes.iter().try_for_each(Attribute::check)
}

pub(crate) fn write_attributes(attributes: &[Attribute], writer: &mut Writer) {
    writer.array(attributes.len());
    for attribute in attributes {
        attribute.write(writer);
    }
}

pub(crate) fn read_attributes(reader: &mut Reader<'_>) -> Result<Vec<Attribute>, Refusal> {
    reader.list(ATTRIBUTES_MAX, Attribute::read)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::amount::Unit;

    fn measure(n: u64, unit: &str) -> Value {
        Value::Measure(Quantity {
            n,
            scale: 0,
            unit: Unit::new(unit).unwrap(),
        })
    }

    #[test]
    fn a_property_that_is_not_stated_or_stated_in_another_unit_is_unknown_not_failed() {
        let wish = Wish {
            key: "ram".into(),
            comparison: Comparison::AtLeast,
            value: measure(8, "E34"),
            must: true,
        };
        let has = |value| {
            [Attribute {
                key: "ram".into(),
                value,
            }]
        };
        assert_eq!(wish.fit(&has(measure(16, "E34"))), Fit::Yes);
        assert_eq!(wish.fit(&has(measure(4, "E34"))), Fit::No);
        assert_eq!(wish.fit(&has(measure(16, "KGM"))), Fit::Unknown);
        assert_eq!(wish.fit(&has(Value::Flag(true))), Fit::Unknown);
        assert_eq!(wish.fit(&[]), Fit::Unknown);
    }

    #[test]
    fn a_property_is_stated_once_and_wished_for_once_in_each_way() {
        let has = |key: &str| Attribute {
            key: key.into(),
            value: Value::Flag(true),
        };
        assert_eq!(check_attributes(&[has("lock"), has("bell")]), Ok(()));
        assert_eq!(
            check_attributes(&[has("lock"), has("bell"), has("lock")]),
            Err(Refusal::BadField)
        );
        let wants = |comparison, n| Wish {
            key: "frame".into(),
            comparison,
            value: measure(n, "CMT"),
            must: true,
        };
        let between = [
            wants(Comparison::AtLeast, 54),
            wants(Comparison::AtMost, 58),
        ];
        assert_eq!(check_wishes(&between), Ok(()));
        let twice = [
            wants(Comparison::AtLeast, 54),
            wants(Comparison::AtLeast, 58),
        ];
        assert_eq!(check_wishes(&twice), Err(Refusal::BadField));
    }

    #[test]
    fn a_kind_of_value_or_comparison_from_a_newer_version_is_not_held_against_anyone() {
        let mut writer = Writer::new();
        writer.array(2);
        writer.uint(9);
        writer.text("2027-01-01");
        let bytes = writer.into_bytes();
        assert_eq!(
            Value::read(&mut Reader::new(&bytes)),
            Err(Refusal::UnknownField)
        );
        assert_eq!(Refusal::UnknownField.verdict(), crate::Verdict::Ignore);
    }
}
