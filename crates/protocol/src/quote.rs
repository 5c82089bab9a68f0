//! A private answer to one intent: what, how much of it, at which price, how and when.
//!
//! The total is the exact sum of lines and charges; a quote that does not add up is refused before anyone sees it.

use crate::amount::{Asset, Money, Quantity};
use crate::arbitration::{ARBITERS_MAX, Arbiter};
use crate::attribute::{self, Attribute};
use crate::cbor::{Fields, Reader, Writer};
use crate::ids::FrameId;
use crate::intent::Delivery;
use crate::limits::{LABEL_MAX, NOTE_MAX, QUOTE_CHARGES_MAX, QUOTE_LINES_MAX};
use crate::refusal::Refusal;
use crate::settlement::{KEEPERS_MAX, Keeper};
use crate::text;
use crate::time::Timestamp;

/// One thing that is offered.
#[derive(Clone, Debug, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub struct Line {
    /// What it is.
    pub description: String,
    /// How much of it.
    pub quantity: Quantity,
    /// Minor units for one unit of it.
    pub unit_price: u64,
    /// Minor units for all of it: quantity times unit price, rounded half up.
    pub amount: u64,
    /// What it is like.
    pub attributes: Vec<Attribute>,
}

/// What a charge is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum ChargeKind {
    /// Bringing or sending it.
    Delivery,
    /// A tax that is not in the prices.
    Tax,
    /// Any other fee.
    Fee,
    /// Less, not more.
    Discount,
}

/// What is added to the lines, or taken off.
#[derive(Clone, Debug, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub struct Charge {
    /// What for.
    pub kind: ChargeKind,
    /// In words, may be empty.
    pub label: String,
    /// Minor units.
    pub amount: u64,
}

/// How good it is, said by the seller: comparable within one category, and part of what he is rated on.
#[derive(
    Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, serde::Serialize, serde::Deserialize,
)]
#[serde(rename_all = "kebab-case")]
pub enum Quality {
    /// For parts, or as a beginner would do it.
    Basic,
    /// Used and working, or ordinary work.
    Fair,
    /// Good as most expect it.
    Good,
    /// Like new, or by somebody with experience.
    Fine,
    /// New, or the best there is.
    Finest,
}

impl Quality {
    /// From the least to the best.
    pub const ALL: [Self; 5] = [
        Self::Basic,
        Self::Fair,
        Self::Good,
        Self::Fine,
        Self::Finest,
    ];

    /// From 1, the least, to 5.
    #[must_use]
    pub const fn grade(self) -> u8 {
        match self {
            Self::Basic => 1,
            Self::Fair => 2,
            Self::Good => 3,
            Self::Fine => 4,
            Self::Finest => 5,
        }
    }

    /// From a grade of 1 to 5.
    #[must_use]
    pub fn from_grade(grade: u8) -> Option<Self> {
        Self::ALL
            .into_iter()
            .find(|quality| quality.grade() == grade)
    }
}

/// A private answer to one intent.
#[derive(Clone, Debug, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub struct Quote {
    /// Counts this seller's quotes in this thread, from 1; the highest holds.
    pub number: u32,
    /// The frame that is answered: the first one or a revision.
    pub answers: FrameId,
    /// Whether an order within `valid_until` binds the seller, who has set the stock aside.
    pub firm: bool,
    /// What is offered; at least one.
    pub lines: Vec<Line>,
    /// What is added or taken off.
    pub charges: Vec<Charge>,
    /// The sum of it all.
    pub total: Money,
    /// Until when it holds.
    pub valid_until: Timestamp,
    /// Seconds from the order until it is there.
    pub lead_time: u32,
    /// How it gets there.
    pub delivery: Delivery,
    /// How good it is.
    pub quality: Quality,
    /// Anything else the buyer should know.
    pub note: Option<String>,
    /// With whom its seller lets money be kept until the trade is over, at most [`KEEPERS_MAX`]; none: it is paid without escrow.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub keepers: Vec<Keeper>,
    /// Who may decide if the two disagree about money that is kept so, at most [`ARBITERS_MAX`]; none: nobody.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub arbiters: Vec<Arbiter>,
}

impl Quote {
    /// The sum of lines and charges, if there is one that is not negative and not too large.
    #[must_use]
    pub fn sum(&self) -> Option<u64> {
        let mut plus: u64 = 0;
        let mut minus: u64 = 0;
        for line in &self.lines {
            plus = plus.checked_add(line.amount)?;
        }
        for charge in &self.charges {
            match charge.kind {
                ChargeKind::Discount => minus = minus.checked_add(charge.amount)?,
                ChargeKind::Delivery | ChargeKind::Tax | ChargeKind::Fee => {
                    plus = plus.checked_add(charge.amount)?;
                }
            }
        }
        plus.checked_sub(minus).filter(|sum| *sum <= Money::MAX)
    }

    /// The currency of every amount in it.
    #[must_use]
    pub const fn asset(&self) -> Asset {
        self.total.asset
    }

    /// Checks texts, bounds and sums; one's own goes through it before it is signed.
    ///
    /// # Errors
    /// [`Refusal::WrongSum`], [`Refusal::BadText`], [`Refusal::BadField`].
    pub fn check(&self) -> Result<(), Refusal> {
        if self.lines.is_empty()
            || self.lines.len() > QUOTE_LINES_MAX
            || self.charges.len() > QUOTE_CHARGES_MAX
            || self.number == 0
            || self.keepers.len() > KEEPERS_MAX
            || self.arbiters.len() > ARBITERS_MAX
            || self.total.minor > Money::MAX
        {
            return Err(Refusal::BadField);
        }
        for line in &self.lines {
            text::line(&line.description, LABEL_MAX)?;
            if line.quantity.n == 0 || line.quantity.scale > Quantity::SCALE_MAX {
                return Err(Refusal::BadField);
            }
            attribute::check_attributes(&line.attributes)?;
            let cost = line
                .quantity
                .cost(Money::new(line.unit_price, self.asset()));
            if cost.map(|cost| cost.minor) != Some(line.amount) {
                return Err(Refusal::WrongSum);
            }
        }
        for charge in &self.charges {
            if !charge.label.is_empty() {
                text::line(&charge.label, LABEL_MAX)?;
            }
        }
        if let Some(note) = &self.note {
            text::paragraphs(note, NOTE_MAX)?;
        }
        for keeper in &self.keepers {
            keeper.check()?;
        }
        for arbiter in &self.arbiters {
            arbiter.terms.check()?;
        }
        if self.sum() != Some(self.total.minor) {
            return Err(Refusal::WrongSum);
        }
        Ok(())
    }

    pub(crate) fn write(&self, writer: &mut Writer) {
        writer.map(|map| {
            map.field(2, |w| w.uint(u64::from(self.number)));
            map.field(4, |w| w.bytes(&self.answers.0));
            map.optional(5, self.note.as_deref(), Writer::text);
            map.field(6, |w| w.uint(u64::from(self.firm)));
            if !self.keepers.is_empty() {
                map.field(7, |w| {
                    w.array(self.keepers.len());
                    for keeper in &self.keepers {
                        keeper.write(w);
                    }
                });
            }
            map.field(8, |w| {
                w.array(self.lines.len());
                for line in &self.lines {
                    w.array(5);
                    w.text(&line.description);
                    line.quantity.write(w);
                    w.uint(line.unit_price);
                    w.uint(line.amount);
                    attribute::write_attributes(&line.attributes, w);
                }
            });
            if !self.arbiters.is_empty() {
                map.field(9, |w| {
                    w.array(self.arbiters.len());
                    for arbiter in &self.arbiters {
                        arbiter.write(w);
                    }
                });
            }
            map.field(10, |w| {
                w.array(self.charges.len());
                for charge in &self.charges {
                    w.array(3);
                    w.uint(charge.kind as u64);
                    w.text(&charge.label);
                    w.uint(charge.amount);
                }
            });
            map.field(12, |w| self.total.write(w));
            map.field(14, |w| w.uint(u64::from(self.valid_until.to_wire())));
            map.field(16, |w| w.uint(u64::from(self.lead_time)));
            map.field(18, |w| w.uint(self.delivery.to_wire()));
            map.field(20, |w| w.uint(u64::from(self.quality.grade())));
        });
    }

    pub(crate) fn read(r: &mut Reader<'_>) -> Result<Self, Refusal> {
        let mut fields = r.map()?;
        let (mut number, mut answers, mut firm, mut lines, mut charges) =
            (None, None, None, None, None);
        let (mut total, mut valid_until, mut lead_time) = (None, None, None);
        let (mut delivery, mut quality, mut note) = (None, None, None);
        let (mut keepers, mut arbiters) = (Vec::new(), Vec::new());
        while let Some(key) = fields.next(r)? {
            match key {
                2 => number = Some(r.small()?),
                4 => answers = Some(FrameId(r.fixed()?)),
                5 => note = Some(r.text(NOTE_MAX)?.to_owned()),
                6 => firm = Some(r.flag()?),
                7 => {
                    keepers = r.list(KEEPERS_MAX, Keeper::read)?;
                    // Left out or at least one, so that a quote has one form.
                    if keepers.is_empty() {
                        return Err(Refusal::NotCanonical);
                    }
                }
                8 => lines = Some(r.list(QUOTE_LINES_MAX, read_line)?),
                9 => {
                    arbiters = r.list(ARBITERS_MAX, Arbiter::read)?;
                    if arbiters.is_empty() {
                        return Err(Refusal::NotCanonical);
                    }
                }
                10 => charges = Some(r.list(QUOTE_CHARGES_MAX, read_charge)?),
                12 => total = Some(Money::read(r)?),
                14 => valid_until = Some(Timestamp::from(r.small::<u32>()?)),
                16 => lead_time = Some(r.small()?),
                18 => delivery = Some(Delivery::read(r)?),
                20 => quality = Some(Quality::from_grade(r.small()?).ok_or(Refusal::BadField)?),
                other => Fields::unknown(other, r)?,
            }
        }
        let quote = Self {
            number: number.ok_or(Refusal::MissingField)?,
            answers: answers.ok_or(Refusal::MissingField)?,
            firm: firm.ok_or(Refusal::MissingField)?,
            lines: lines.ok_or(Refusal::MissingField)?,
            charges: charges.ok_or(Refusal::MissingField)?,
            total: total.ok_or(Refusal::MissingField)?,
            valid_until: valid_until.ok_or(Refusal::MissingField)?,
            lead_time: lead_time.ok_or(Refusal::MissingField)?,
            delivery: delivery.ok_or(Refusal::MissingField)?,
            quality: quality.ok_or(Refusal::MissingField)?,
            note,
            keepers,
            arbiters,
        };
        quote.check()?;
        Ok(quote)
    }
}

fn read_line(r: &mut Reader<'_>) -> Result<Line, Refusal> {
    r.tuple(5)?;
    Ok(Line {
        description: r.text(LABEL_MAX)?.to_owned(),
        quantity: Quantity::read(r)?,
        unit_price: r.uint(Money::MAX)?,
        amount: r.uint(Money::MAX)?,
        attributes: attribute::read_attributes(r)?,
    })
}

fn read_charge(r: &mut Reader<'_>) -> Result<Charge, Refusal> {
    r.tuple(3)?;
    let kind = match r.uint(3)? {
        0 => ChargeKind::Delivery,
        1 => ChargeKind::Tax,
        2 => ChargeKind::Fee,
        _ => ChargeKind::Discount,
    };
    Ok(Charge {
        kind,
        label: r.text(LABEL_MAX)?.to_owned(),
        amount: r.uint(Money::MAX)?,
    })
}
