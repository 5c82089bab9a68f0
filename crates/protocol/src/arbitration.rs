//! A third, whom two who trade have chosen with the order to decide if they disagree: what he offers, what he is told, what he answers.
//!
//! Whoever decides for others says so out loud, in an intent like any other. What two have agreed on he is shown as they have
//! signed it, by either of them alone: order and confirmation make the contract, and the rail says whether it is locked. So one
//! side is enough for a ruling, and a transcript that somebody has made up is worth nothing.

use core::fmt;

use crate::cbor::{Fields, Reader, Writer};
use crate::escrow::{Contract, Side};
use crate::ids::{DealKey, IntentId, MessageId, PublicKey};
use crate::limits::NOTE_MAX;
use crate::names::Network;
use crate::private::{Body, Message};
use crate::refusal::Refusal;
use crate::seal::Direction;
use crate::settlement::{EscrowPlan, Locked, RAIL_MAX, Settlement};
use crate::text;
use crate::trade::{Order, OrderConfirm};

/// Arbiters that a quote can name.
pub const ARBITERS_MAX: usize = 4;
/// The most that an arbiter takes, in thousandths of what is locked.
pub const FEE_MAX: u16 = 100;
/// The least time that an arbiter can want for a ruling, in seconds.
pub const WITHIN_MIN: u32 = 60 * 60;
/// The most, in seconds.
pub const WITHIN_MAX: u32 = 30 * 24 * 60 * 60;
/// A message that is shown to an arbiter, with its signature, in bytes. The longest order and the longest confirmation are shorter.
pub const SHOWN_MAX: usize = 4_096;

/// On which terms somebody decides for others.
#[derive(Clone, Debug, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct ArbiterTerms {
    /// By which rail: lower-case ASCII, at most [`RAIL_MAX`] bytes.
    pub rail: String,
    /// His key on that rail, the same for all whom he decides for.
    pub key: DealKey,
    /// What he takes of what is locked if he rules, in thousandths: 0 to [`FEE_MAX`].
    pub fee: u16,
    /// How long he needs at most until he rules, in seconds: [`WITHIN_MIN`] to [`WITHIN_MAX`].
    pub within: u32,
}

impl ArbiterTerms {
    /// What he takes of so much, in minor units, rounded down.
    #[must_use]
    pub fn fee_of(&self, minor: u64) -> u64 {
        let fee = u128::from(minor) * u128::from(self.fee) / 1_000;
        u64::try_from(fee).unwrap_or(minor).min(minor)
    }

    /// Checks name and bounds.
    ///
    /// # Errors
    /// [`Refusal::BadText`], [`Refusal::BadField`].
    pub fn check(&self) -> Result<(), Refusal> {
        text::name(&self.rail, RAIL_MAX)?;
        let fine = self.fee <= FEE_MAX && (WITHIN_MIN..=WITHIN_MAX).contains(&self.within);
        fine.then_some(()).ok_or(Refusal::BadField)
    }

    pub(crate) fn write(&self, writer: &mut Writer) {
        writer.array(4);
        self.write_items(writer);
    }

    fn write_items(&self, writer: &mut Writer) {
        writer.text(&self.rail);
        writer.bytes(self.key.as_bytes());
        writer.uint(u64::from(self.fee));
        writer.uint(u64::from(self.within));
    }

    pub(crate) fn read(r: &mut Reader<'_>) -> Result<Self, Refusal> {
        r.tuple(4)?;
        Self::read_items(r)
    }

    fn read_items(r: &mut Reader<'_>) -> Result<Self, Refusal> {
        let terms = Self {
            rail: text::name(r.text(RAIL_MAX)?, RAIL_MAX)?,
            key: DealKey(r.fixed()?),
            fee: r.small()?,
            within: r.small()?,
        };
        terms.check()?;
        Ok(terms)
    }
}

/// Somebody who decides for others, as a quote and an order name him.
#[derive(Clone, Debug, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Arbiter {
    /// The intent in which he says so: there he is written to.
    pub intent: IntentId,
    /// On which terms.
    #[serde(flatten)]
    pub terms: ArbiterTerms,
}

impl Arbiter {
    pub(crate) fn write(&self, writer: &mut Writer) {
        writer.array(5);
        writer.bytes(self.intent.as_bytes());
        self.terms.write_items(writer);
    }

    pub(crate) fn read(r: &mut Reader<'_>) -> Result<Self, Refusal> {
        r.tuple(5)?;
        Ok(Self {
            intent: IntentId(r.fixed()?),
            terms: ArbiterTerms::read_items(r)?,
        })
    }
}

impl EscrowPlan {
    /// The contract under which its buyer locks first, by the keys of the two.
    #[must_use]
    pub fn contract(&self, order: MessageId, buyer: DealKey, seller: DealKey) -> Contract {
        Contract {
            order,
            custodian: self.keeper.custodian.clone(),
            amount: self.amount(),
            buyer,
            seller,
            arbiter: self.arbiter.as_ref().map(|it| it.terms.key),
            holder: Side::Buyer,
            deadline: self.deadline,
        }
    }
}

/// One of two who disagree asks the arbiter whom both have chosen.
#[derive(Clone, PartialEq, Eq)]
pub struct Dispute {
    /// What is locked, under which terms.
    pub contract: Contract,
    /// How it can be found and checked.
    pub locked: Locked,
    /// The key of the intent that was answered: both messages are of a thread of its.
    pub intent_key: PublicKey,
    /// The order as its buyer has signed it: what a cell held, at most [`SHOWN_MAX`] bytes.
    pub order: Vec<u8>,
    /// The confirmation as its seller has signed it.
    pub confirm: Vec<u8>,
    /// What the buyer shall get, in minor units of what is locked, as whoever asks would have it.
    pub buyer: u64,
    /// Why: paragraphs of at most [`NOTE_MAX`] bytes.
    pub words: String,
}

impl fmt::Debug for Dispute {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Dispute")
            .field("order", &self.contract.order)
            .finish_non_exhaustive()
    }
}

/// What two have signed to each other, looked through.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Shown {
    /// What was ordered.
    pub order: Order,
    /// What was agreed on about the money.
    pub plan: EscrowPlan,
    /// How it was confirmed.
    pub confirm: OrderConfirm,
    /// The buyer's trader key.
    pub buyer: PublicKey,
    /// The seller's.
    pub seller: PublicKey,
}

impl Shown {
    /// Which of the two this trader is.
    #[must_use]
    pub fn side(&self, trader: &PublicKey) -> Option<Side> {
        if self.buyer == *trader {
            Some(Side::Buyer)
        } else {
            (self.seller == *trader).then_some(Side::Seller)
        }
    }
}

impl Dispute {
    /// Looks through what is shown: both have signed it, in one thread, and the contract is what follows from it, or what became of that
    /// by a renewal. Whether it is locked the rail says: the buyer's key stands in no message that is shown.
    ///
    /// # Errors
    /// The [`Refusal`] of the first thing that does not fit; [`Refusal::WrongThread`] for two messages that do not belong together,
    /// [`Refusal::BadField`] for another contract than theirs, or one without an arbiter.
    pub fn shown(&self, network: Network) -> Result<Shown, Refusal> {
        let (id, ordered) = Message::witnessed(&self.order, network, &self.intent_key)?;
        let (_, confirmed) = Message::witnessed(&self.confirm, network, &self.intent_key)?;
        let ways = (ordered.direction, confirmed.direction);
        if ways != (Direction::ToSeller, Direction::ToBuyer) {
            return Err(Refusal::WrongDirection);
        }
        if ordered.thread != confirmed.thread || ordered.intent != confirmed.intent {
            return Err(Refusal::WrongThread);
        }
        let (Body::Order(order), Body::OrderConfirm(confirm)) = (ordered.body, confirmed.body)
        else {
            return Err(Refusal::BadField);
        };
        let plan = order.escrow.clone().ok_or(Refusal::BadField)?;
        let seller = confirm.key.ok_or(Refusal::BadField)?;
        let first = plan.contract(id, self.contract.buyer, seller);
        let renewed = first.renewed(Side::Seller, self.contract.deadline);
        let follows = confirm.order == id && (self.contract == first || self.contract == renewed);
        if !follows || plan.arbiter.is_none() {
            return Err(Refusal::BadField);
        }
        self.contract.check()?;
        Ok(Shown {
            order,
            plan,
            confirm,
            buyer: ordered.trader.ok_or(Refusal::NoTrader)?.trader,
            seller: confirmed.trader.ok_or(Refusal::NoTrader)?.trader,
        })
    }

    /// Checks texts and bounds.
    ///
    /// # Errors
    /// [`Refusal::BadText`], [`Refusal::WrongSum`] for more than is locked.
    pub fn check(&self) -> Result<(), Refusal> {
        text::paragraphs(&self.words, NOTE_MAX)?;
        let fits = self.buyer <= self.contract.amount.minor;
        fits.then_some(()).ok_or(Refusal::WrongSum)
    }

    pub(crate) fn write(&self, writer: &mut Writer) {
        writer.map(|map| {
            map.field(2, |w| self.contract.write(w));
            map.field(4, |w| w.bytes(&self.locked.0));
            map.field(6, |w| w.bytes(&self.intent_key.0));
            map.field(8, |w| w.bytes(&self.order));
            map.field(10, |w| w.bytes(&self.confirm));
            map.field(12, |w| w.uint(self.buyer));
            map.field(14, |w| w.text(&self.words));
        });
    }

    pub(crate) fn read(r: &mut Reader<'_>) -> Result<Self, Refusal> {
        let mut fields = r.map()?;
        let (mut contract, mut locked, mut intent_key) = (None, None, None);
        let (mut order, mut confirm, mut buyer, mut words) = (None, None, None, None);
        while let Some(field) = fields.next(r)? {
            match field {
                2 => contract = Some(Contract::read(r)?),
                4 => locked = Some(Locked(r.bytes(Locked::MAX)?.to_vec())),
                6 => intent_key = Some(PublicKey(r.fixed()?)),
                8 => order = Some(r.bytes(SHOWN_MAX)?.to_vec()),
                10 => confirm = Some(r.bytes(SHOWN_MAX)?.to_vec()),
                12 => buyer = Some(r.uint(crate::Money::MAX)?),
                14 => words = Some(r.text(NOTE_MAX)?.to_owned()),
                other => Fields::unknown(other, r)?,
            }
        }
        let dispute = Self {
            contract: contract.ok_or(Refusal::MissingField)?,
            locked: locked.ok_or(Refusal::MissingField)?,
            intent_key: intent_key.ok_or(Refusal::MissingField)?,
            order: order.ok_or(Refusal::MissingField)?,
            confirm: confirm.ok_or(Refusal::MissingField)?,
            buyer: buyer.ok_or(Refusal::MissingField)?,
            words: words.ok_or(Refusal::MissingField)?,
        };
        dispute.check()?;
        Ok(dispute)
    }
}

/// What an arbiter has decided. With one more signature, of either side, it can be carried out.
#[derive(Clone, PartialEq, Eq)]
pub struct Ruling {
    /// Who gets what, signed by him.
    pub settlement: Settlement,
    /// Why: paragraphs of at most [`NOTE_MAX`] bytes.
    pub words: String,
}

impl fmt::Debug for Ruling {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Ruling")
            .field("contract", &self.settlement.contract)
            .finish_non_exhaustive()
    }
}

impl Ruling {
    /// Checks the text.
    ///
    /// # Errors
    /// [`Refusal::BadText`].
    pub fn check(&self) -> Result<(), Refusal> {
        text::paragraphs(&self.words, NOTE_MAX).map(|_| ())
    }

    pub(crate) fn write(&self, writer: &mut Writer) {
        writer.map(|map| {
            map.field(2, |w| self.settlement.write(w));
            map.field(4, |w| w.text(&self.words));
        });
    }

    pub(crate) fn read(r: &mut Reader<'_>) -> Result<Self, Refusal> {
        let mut fields = r.map()?;
        let (mut settlement, mut words) = (None, None);
        while let Some(field) = fields.next(r)? {
            match field {
                2 => settlement = Some(Settlement::read(r)?),
                4 => words = Some(r.text(NOTE_MAX)?.to_owned()),
                other => Fields::unknown(other, r)?,
            }
        }
        let ruling = Self {
            settlement: settlement.ok_or(Refusal::MissingField)?,
            words: words.ok_or(Refusal::MissingField)?,
        };
        ruling.check()?;
        Ok(ruling)
    }
}
