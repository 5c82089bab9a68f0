//! Money and quantities: integers with a unit, never floats. Two units never compare.

use core::cmp::Ordering;
use core::fmt;

use crate::cbor::{Reader, Writer};
use crate::refusal::Refusal;

/// What money is counted in: an ISO 4217 code (`EUR`) or a rail's own unit (`sat`), two to eight ASCII letters.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Asset {
    // Zero-padded: small, `Copy`, and ordered like its text.
    code: [u8; 8],
}

impl Asset {
    /// From its code.
    ///
    /// # Errors
    /// [`Refusal::BadField`] unless it is two to eight ASCII letters.
    pub fn new(code: &str) -> Result<Self, Refusal> {
        let bytes = code.as_bytes();
        if !(2..=8).contains(&bytes.len()) || !bytes.iter().all(u8::is_ascii_alphabetic) {
            return Err(Refusal::BadField);
        }
        let mut padded = [0; 8];
        padded[..bytes.len()].copy_from_slice(bytes);
        Ok(Self { code: padded })
    }

    /// The code.
    #[must_use]
    pub fn code(&self) -> &str {
        let len = self.code.iter().position(|byte| *byte == 0).unwrap_or(8);
        core::str::from_utf8(&self.code[..len]).unwrap_or_default()
    }

    /// Digits behind the decimal point: ISO 4217's exponent, 2 where the list names no other, 0 for `sat`.
    #[must_use]
    pub fn exponent(&self) -> u32 {
        match self.code() {
            "BIF" | "CLP" | "DJF" | "GNF" | "ISK" | "JPY" | "KMF" | "KRW" | "PYG" | "RWF"
            | "UGX" | "UYI" | "VND" | "VUV" | "XAF" | "XOF" | "XPF" | "sat" | "msat" => 0,
            "BHD" | "IQD" | "JOD" | "KWD" | "LYD" | "OMR" | "TND" => 3,
            "CLF" | "UYW" => 4,
            _ => 2,
        }
    }
}

impl fmt::Display for Asset {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.code())
    }
}

impl fmt::Debug for Asset {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.code())
    }
}

impl serde::Serialize for Asset {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(self.code())
    }
}

impl<'de> serde::Deserialize<'de> for Asset {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let code = <String as serde::Deserialize>::deserialize(deserializer)?;
        Self::new(&code)
            .map_err(|_| serde::de::Error::custom("a currency is two to eight letters, like EUR"))
    }
}

/// An amount in minor units of one asset (cents of EUR).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, serde::Serialize, serde::Deserialize)]
pub struct Money {
    /// Minor units, at most [`Money::MAX`].
    pub minor: u64,
    /// What they are units of.
    pub asset: Asset,
}

impl Money {
    /// The largest amount on the wire. JavaScript's numbers are exact up to here, and no trade needs more.
    pub const MAX: u64 = (1 << 53) - 1;

    /// So many minor units.
    #[must_use]
    pub const fn new(minor: u64, asset: Asset) -> Self {
        Self { minor, asset }
    }

    /// The sum, if both are of one asset and it is at most [`Money::MAX`].
    #[must_use]
    pub fn checked_add(self, other: Self) -> Option<Self> {
        let minor = self.minor.checked_add(other.minor)?;
        (self.asset == other.asset && minor <= Self::MAX).then_some(Self { minor, ..self })
    }

    /// The difference, if both are of one asset and it is not negative.
    #[must_use]
    pub fn checked_sub(self, other: Self) -> Option<Self> {
        let minor = self.minor.checked_sub(other.minor)?;
        (self.asset == other.asset).then_some(Self { minor, ..self })
    }

    /// From what a person writes in major units: `400`, `399.90`, `1,5` are fine for EUR; `1.234` is not.
    #[must_use]
    pub fn parse(text: &str, asset: Asset) -> Option<Self> {
        let minor = parse_scaled(text.trim(), asset.exponent())?;
        (minor <= Self::MAX).then_some(Self { minor, asset })
    }

    pub(crate) fn write(&self, writer: &mut Writer) {
        writer.array(2);
        writer.text(self.asset.code());
        writer.uint(self.minor);
    }

    pub(crate) fn read(reader: &mut Reader<'_>) -> Result<Self, Refusal> {
        reader.tuple(2)?;
        let asset = Asset::new(reader.text(8)?)?;
        Ok(Self {
            minor: reader.uint(Self::MAX)?,
            asset,
        })
    }
}

impl PartialOrd for Money {
    /// `None` for two assets: they never compare.
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        (self.asset == other.asset).then(|| self.minor.cmp(&other.minor))
    }
}

impl fmt::Display for Money {
    /// `399.90 EUR`.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "{} {}",
            scaled(self.minor, self.asset.exponent()),
            self.asset
        )
    }
}

/// A UN/CEFACT Recommendation 20 unit code (`KGM`, `HUR`, `C62`), two or three upper-case letters or digits.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Unit([u8; 3]);

impl Unit {
    /// One of something that is counted.
    pub const ONE: Self = Self(*b"C62");

    /// From its code.
    ///
    /// # Errors
    /// [`Refusal::BadField`] unless it is two or three upper-case letters or digits.
    pub fn new(code: &str) -> Result<Self, Refusal> {
        let bytes = code.as_bytes();
        if !(2..=3).contains(&bytes.len())
            || !bytes
                .iter()
                .all(|byte| byte.is_ascii_uppercase() || byte.is_ascii_digit())
        {
            return Err(Refusal::BadField);
        }
        let mut padded = [0; 3];
        padded[..bytes.len()].copy_from_slice(bytes);
        Ok(Self(padded))
    }

    /// The code.
    #[must_use]
    pub fn code(&self) -> &str {
        let len = self.0.iter().position(|byte| *byte == 0).unwrap_or(3);
        core::str::from_utf8(&self.0[..len]).unwrap_or_default()
    }
}

impl fmt::Display for Unit {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.code())
    }
}

impl fmt::Debug for Unit {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.code())
    }
}

impl serde::Serialize for Unit {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(self.code())
    }
}

impl<'de> serde::Deserialize<'de> for Unit {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let code = <String as serde::Deserialize>::deserialize(deserializer)?;
        Self::new(&code)
            .map_err(|_| serde::de::Error::custom("a unit is a UN/CEFACT code, like KGM or C62"))
    }
}

/// `n` × 10^−`scale` of a unit: 2.5 kg is `{ n: 25, scale: 1, unit: KGM }`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, serde::Serialize, serde::Deserialize)]
pub struct Quantity {
    /// The digits, at most [`Money::MAX`].
    pub n: u64,
    /// How many of them stand behind the decimal point, at most [`Quantity::SCALE_MAX`].
    pub scale: u8,
    /// What is counted or measured.
    pub unit: Unit,
}

impl Quantity {
    /// Digits behind the point. Six tell micrograms in grams; more would overflow comparisons.
    pub const SCALE_MAX: u8 = 6;

    /// So many pieces.
    #[must_use]
    pub const fn pieces(n: u64) -> Self {
        Self {
            n,
            scale: 0,
            unit: Unit::ONE,
        }
    }

    /// From what a person writes: `2`, `2.5`, `0,75`.
    #[must_use]
    pub fn parse(text: &str, unit: Unit) -> Option<Self> {
        let text = text.trim();
        let behind = text
            .split_once(['.', ','])
            .map_or(0, |(_, digits)| digits.len());
        let scale = u8::try_from(behind)
            .ok()
            .filter(|scale| *scale <= Self::SCALE_MAX)?;
        let n = parse_scaled(text, u32::from(scale))?;
        (n <= Money::MAX).then_some(Self { n, scale, unit })
    }

    /// In the smallest steps that the wire knows (10^−6 of the unit), for exact comparisons.
    #[must_use]
    pub fn micros(&self) -> u128 {
        let shift = u32::from(Self::SCALE_MAX.saturating_sub(self.scale));
        u128::from(self.n) * 10u128.pow(shift)
    }

    /// What this much costs at `price` a unit, rounded half up to the minor unit; `None` beyond [`Money::MAX`].
    #[must_use]
    pub fn cost(&self, price: Money) -> Option<Money> {
        let exact = self.micros().checked_mul(u128::from(price.minor))?;
        let minor = u64::try_from((exact + 500_000) / 1_000_000).ok()?;
        (minor <= Money::MAX).then_some(Money { minor, ..price })
    }

    pub(crate) fn write(&self, writer: &mut Writer) {
        writer.array(3);
        writer.uint(self.n);
        writer.uint(u64::from(self.scale));
        writer.text(self.unit.code());
    }

    pub(crate) fn read(reader: &mut Reader<'_>) -> Result<Self, Refusal> {
        reader.tuple(3)?;
        let n = reader.uint(Money::MAX)?;
        let scale = reader.uint(u64::from(Self::SCALE_MAX))?;
        let unit = Unit::new(reader.text(3)?)?;
        Ok(Self {
            n,
            scale: u8::try_from(scale).unwrap_or(Self::SCALE_MAX),
            unit,
        })
    }
}

impl PartialOrd for Quantity {
    /// `None` for two units: they never compare.
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        (self.unit == other.unit).then(|| self.micros().cmp(&other.micros()))
    }
}

impl fmt::Display for Quantity {
    /// `2.5 KGM`; the screen has its own words for units.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {}", scaled(self.n, u32::from(self.scale)), self.unit)
    }
}

/// `12345` with two digits behind the point is `123.45`.
fn scaled(n: u64, digits: u32) -> String {
    if digits == 0 {
        return n.to_string();
    }
    let power = 10u64.pow(digits.min(19));
    format!(
        "{}.{:0width$}",
        n / power,
        n % power,
        width = digits as usize
    )
}

fn parse_scaled(text: &str, digits: u32) -> Option<u64> {
    let (whole, behind) = text.split_once(['.', ',']).unwrap_or((text, ""));
    let all_digits = |part: &str| part.bytes().all(|byte| byte.is_ascii_digit());
    if (whole.is_empty() && behind.is_empty())
        || behind.len() > digits as usize
        || !all_digits(whole)
        || !all_digits(behind)
    {
        return None;
    }
    let padded = format!("{whole}{behind:0<width$}", width = digits as usize);
    padded.parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn eur() -> Asset {
        Asset::new("EUR").unwrap()
    }

    #[test]
    fn two_currencies_never_compare_and_never_add() {
        let euro = Money::new(100, eur());
        let yen = Money::new(100, Asset::new("JPY").unwrap());
        assert_eq!(euro.partial_cmp(&yen), None);
        assert_eq!(euro.checked_add(yen), None);
        assert_eq!(euro.checked_sub(yen), None);
    }

    #[test]
    fn money_reads_and_writes_what_people_write_with_each_currency_s_own_digits() {
        assert_eq!(
            Money::parse("399.90", eur()).unwrap().to_string(),
            "399.90 EUR"
        );
        assert_eq!(Money::parse("1,5", eur()).unwrap().minor, 150);
        assert_eq!(Money::parse("1.234", eur()), None);
        assert_eq!(Money::parse("", eur()), None);
        assert_eq!(Money::parse("-1", eur()), None);
        assert_eq!(Money::parse("99999999999999999999", eur()), None);
        let yen = Asset::new("JPY").unwrap();
        assert_eq!(Money::parse("1200", yen).unwrap().to_string(), "1200 JPY");
        let dinar = Asset::new("KWD").unwrap();
        assert_eq!(Money::parse("0.005", dinar).unwrap().minor, 5);
    }

    #[test]
    fn a_quantity_costs_its_exact_share_rounded_half_up() {
        let kilo = Unit::new("KGM").unwrap();
        let two_and_a_half = Quantity::parse("2.5", kilo).unwrap();
        assert_eq!(
            two_and_a_half.cost(Money::new(333, eur())).unwrap().minor,
            833
        );
        assert_eq!(
            Quantity::pieces(3)
                .cost(Money::new(100, eur()))
                .unwrap()
                .minor,
            300
        );
        assert_eq!(
            Quantity::pieces(Money::MAX).cost(Money::new(2, eur())),
            None
        );
        assert!(Quantity::pieces(3) > Quantity::pieces(2));
        assert_eq!(Quantity::pieces(3).partial_cmp(&two_and_a_half), None);
    }
}
