//! What buyer and seller say to each other after a quote: order, confirmation, contact, and the ways to end it.

use crate::amount::{Money, Quantity};
use crate::attachment::{self, Attachment};
use crate::cbor::{Fields, Reader, Writer};
use crate::handover::{self, HandoverCode};
use crate::ids::{DealKey, HandoverHash, MessageId};
use crate::intent::Delivery;
use crate::limits::{CHAT_MAX, CONTACT_LINE_MAX, CONTACT_WAYS_MAX, LABEL_MAX, NOTE_MAX};
use crate::refusal::Refusal;
use crate::sealed_reach::ReachSecret;
use crate::settlement::EscrowPlan;
use crate::text;
use crate::time::Timestamp;

/// Why a seller does not (or no longer) offer. Codes on the wire, plain words on screen.
#[derive(
    Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, serde::Serialize, serde::Deserialize,
)]
#[serde(rename_all = "kebab-case")]
pub enum DeclineReason {
    /// None left.
    NoStock,
    /// Not at this price.
    Price,
    /// Not in this area.
    Area,
    /// Not by this seller's own rules.
    Policy,
    /// No time.
    Busy,
    /// The quote it refers to no longer holds.
    QuoteExpired,
    /// A reason that this version has no word for.
    Other,
}

impl DeclineReason {
    const KNOWN: [Self; 6] = [
        Self::NoStock,
        Self::Price,
        Self::Area,
        Self::Policy,
        Self::Busy,
        Self::QuoteExpired,
    ];

    fn to_wire(self) -> u64 {
        to_wire(&Self::KNOWN, self)
    }

    fn from_wire(number: u64) -> Self {
        from_wire(&Self::KNOWN, number).unwrap_or(Self::Other)
    }
}

/// Why one of the two does not go on with a trade. Codes on the wire, plain words on screen.
#[derive(
    Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, serde::Serialize, serde::Deserialize,
)]
#[serde(rename_all = "kebab-case")]
pub enum CancelReason {
    /// It is no longer wanted, or can no longer be done.
    ChangedMind,
    /// The buyer has not paid.
    NotPaid,
    /// The seller has not sent it or handed it over.
    NotDelivered,
    /// Something is not as it was agreed on.
    NotAsAgreed,
    /// The other side does not answer.
    NoAnswer,
    /// A reason that this version has no word for.
    Other,
}

impl CancelReason {
    const KNOWN: [Self; 5] = [
        Self::ChangedMind,
        Self::NotPaid,
        Self::NotDelivered,
        Self::NotAsAgreed,
        Self::NoAnswer,
    ];

    fn to_wire(self) -> u64 {
        to_wire(&Self::KNOWN, self)
    }

    fn from_wire(number: u64) -> Self {
        from_wire(&Self::KNOWN, number).unwrap_or(Self::Other)
    }
}

/// Codes are counted from 1; 0 is whatever has no code.
fn to_wire<T: PartialEq>(known: &[T], one: T) -> u64 {
    let at = known.iter().position(|known| *known == one);
    at.map_or(0, |at| at as u64 + 1)
}

fn from_wire<T: Copy>(known: &[T], number: u64) -> Option<T> {
    let at = usize::try_from(number).ok()?.checked_sub(1)?;
    known.get(at).copied()
}

/// How far a trade was, as the one who cancels it knew.
#[derive(
    Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, serde::Serialize, serde::Deserialize,
)]
#[serde(rename_all = "kebab-case")]
pub enum Progress {
    /// The buyer has ordered.
    Ordered,
    /// The seller has confirmed.
    Confirmed,
    /// The buyer has said that he has paid.
    Paid,
}

impl Progress {
    const KNOWN: [Self; 3] = [Self::Ordered, Self::Confirmed, Self::Paid];
}

/// One of the two does not go on with a trade. It counts only if the other one has gone no further than this one knew.
#[derive(Clone, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub struct Cancel {
    /// Of which order.
    pub order: MessageId,
    /// How far it was.
    pub progress: Progress,
    /// Why.
    pub reason: CancelReason,
    /// Anything the other side should know.
    pub note: Option<String>,
}

impl core::fmt::Debug for Cancel {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        f.debug_struct("Cancel")
            .field("order", &self.order)
            .field("progress", &self.progress)
            .field("reason", &self.reason)
            .finish_non_exhaustive()
    }
}

/// The seller does not offer, or does not confirm an order.
#[derive(Clone, Debug, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub struct Decline {
    /// Why.
    pub reason: DeclineReason,
    /// Whether asking again is of no use.
    pub last: bool,
    /// The order that is declined, if it is one.
    pub order: Option<MessageId>,
}

/// The buyer takes a quote.
#[derive(Clone, Debug, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub struct Order {
    /// The message that held the quote: its id covers every term.
    pub quote: MessageId,
    /// The total again, so that nobody orders by mistake.
    pub total: Money,
    /// How much of the first line.
    pub quantity: Quantity,
    /// How it gets there.
    pub delivery: Delivery,
    /// Until when the seller must confirm.
    pub confirm_by: Timestamp,
    /// Anything the seller should know.
    pub note: Option<String>,
    /// What the buyer's hand-over code is checked against, if he has drawn one.
    #[serde(default)]
    pub handover: Option<HandoverHash>,
    /// What its buyer will lock once it is confirmed; none: it is paid without escrow.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub escrow: Option<EscrowPlan>,
    /// By what the two find each other again from now on. Never part of a view: whoever keeps an order keeps it beside.
    #[serde(skip)]
    pub reach_secret: Option<ReachSecret>,
}

/// The seller binds himself: the stock is set aside, the trade begins.
#[derive(Clone, Debug, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub struct OrderConfirm {
    /// Which order.
    pub order: MessageId,
    /// How it is paid, as agreed between the two; payment through escrow is a later message.
    pub payment: Option<String>,
    /// Anything the buyer should know.
    pub note: Option<String>,
    /// The seller's key of this deal, if the order plans escrow.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub key: Option<DealKey>,
}

/// The buyer no longer needs this quote. Reads the same whether he took another, withdrew, or let it end.
#[derive(Clone, Debug, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub struct NotSelected {
    /// The message that held the quote.
    pub quote: MessageId,
}

/// The buyer would take a quote at a lower total. It binds nobody: the seller answers with a new quote, or not.
#[derive(Clone, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub struct Counter {
    /// The message that held the quote.
    pub quote: MessageId,
    /// What he would pay for the same, in all.
    pub total: Money,
    /// The how-maniest of this exchange, from 1 to [`Counter::ROUNDS`]. Each offers more than the one before.
    pub round: u8,
    /// Anything the seller should know.
    pub note: Option<String>,
}

impl core::fmt::Debug for Counter {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        f.debug_struct("Counter")
            .field("quote", &self.quote)
            .field("round", &self.round)
            .finish_non_exhaustive()
    }
}

/// One says something to the other: a question before a quote, an answer, a word during a trade. It changes nothing else.
#[derive(Clone, PartialEq, Eq)]
pub struct Chat {
    /// Paragraphs of at most [`CHAT_MAX`] bytes; may be empty beside a file.
    pub text: String,
    /// What goes with it: at most [`FILES_MAX`](crate::limits::FILES_MAX).
    pub files: Vec<Attachment>,
}

impl core::fmt::Debug for Chat {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        f.write_str("Chat(..)")
    }
}

/// How to reach a person.
#[derive(Clone, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub struct ContactWay {
    /// `phone`, `email`, `matrix`, … : lower-case ASCII.
    pub kind: String,
    /// The number or the address.
    pub value: String,
}

/// Who and where, for the hand-over; only after the confirmation, only to one.
#[derive(Clone, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub struct Contact {
    /// For which order.
    pub order: MessageId,
    /// A name to ask for.
    pub name: String,
    /// How to reach this person, if at all beside this channel.
    pub ways: Vec<ContactWay>,
    /// Where to bring or fetch it, in as many lines as needed.
    pub address: Option<String>,
    /// Anything that helps the hand-over.
    pub instructions: Option<String>,
}

impl core::fmt::Debug for Contact {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        f.debug_struct("Contact")
            .field("order", &self.order)
            .finish_non_exhaustive()
    }
}

impl core::fmt::Debug for ContactWay {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        f.debug_struct("ContactWay")
            .field("kind", &self.kind)
            .finish_non_exhaustive()
    }
}

/// A step after the confirmation, said by the one who took it: `payment-proof` (the buyer has paid, as agreed), `dispatch` (the seller has sent or
/// handed over), `receipt` (the buyer has it).
#[derive(Clone, PartialEq, Eq)]
pub struct Step {
    /// Of which order.
    pub order: MessageId,
    /// Anything the other side should know: a reference of the payment, where the parcel is.
    pub note: Option<String>,
    /// What goes with it, at most [`FILES_MAX`](crate::limits::FILES_MAX): digital goods, a receipt of a payment.
    pub files: Vec<Attachment>,
}

impl core::fmt::Debug for Step {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        f.debug_struct("Step")
            .field("order", &self.order)
            .finish_non_exhaustive()
    }
}

/// The seller has handed it over, and has the buyer's code to show for it.
#[derive(Clone, PartialEq, Eq)]
pub struct Delivered {
    /// Of which order.
    pub order: MessageId,
    /// The code whose hash stands in the order.
    pub code: HandoverCode,
    /// Anything the buyer should know.
    pub note: Option<String>,
}

impl core::fmt::Debug for Delivered {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        f.debug_struct("Delivered")
            .field("order", &self.order)
            .finish_non_exhaustive()
    }
}

/// A message arrived and was saved.
#[derive(Clone, Copy, Debug, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub struct Ack {
    /// Which message.
    pub message: MessageId,
}

impl Decline {
    pub(crate) fn write(&self, writer: &mut Writer) {
        writer.map(|map| {
            map.field(2, |w| w.uint(self.reason.to_wire()));
            map.field(4, |w| w.uint(u64::from(self.last)));
            map.optional(6, self.order, |w, order| w.bytes(&order.0));
        });
    }

    pub(crate) fn read(r: &mut Reader<'_>) -> Result<Self, Refusal> {
        let mut fields = r.map()?;
        let (mut reason, mut last, mut order) = (None, None, None);
        while let Some(key) = fields.next(r)? {
            match key {
                2 => reason = Some(DeclineReason::from_wire(r.uint(255)?)),
                4 => last = Some(r.flag()?),
                6 => order = Some(MessageId(r.fixed()?)),
                other => Fields::unknown(other, r)?,
            }
        }
        Ok(Self {
            reason: reason.ok_or(Refusal::MissingField)?,
            last: last.ok_or(Refusal::MissingField)?,
            order,
        })
    }
}

impl Order {
    /// Checks texts and bounds.
    ///
    /// # Errors
    /// [`Refusal::BadText`], [`Refusal::BadField`].
    pub fn check(&self) -> Result<(), Refusal> {
        if self.quantity.n == 0
            || self.quantity.scale > Quantity::SCALE_MAX
            || self.total.minor > Money::MAX
        {
            return Err(Refusal::BadField);
        }
        if let Some(plan) = &self.escrow {
            plan.check()?;
        }
        note(self.note.as_deref())
    }

    pub(crate) fn write(&self, writer: &mut Writer) {
        writer.map(|map| {
            map.field(2, |w| w.bytes(&self.quote.0));
            map.field(4, |w| self.total.write(w));
            map.optional(5, self.note.as_deref(), Writer::text);
            map.field(6, |w| self.quantity.write(w));
            map.optional(7, self.handover, |w, hash| w.bytes(&hash.0));
            map.field(8, |w| w.uint(self.delivery.to_wire()));
            map.optional(9, self.reach_secret.as_ref(), |w, secret| {
                w.bytes(&secret.to_bytes());
            });
            map.field(10, |w| w.uint(u64::from(self.confirm_by.to_wire())));
            map.optional(12, self.escrow.as_ref(), |w, plan| plan.write(w));
        });
    }

    pub(crate) fn read(r: &mut Reader<'_>) -> Result<Self, Refusal> {
        let mut fields = r.map()?;
        let (mut quote, mut total, mut quantity) = (None, None, None);
        let (mut delivery, mut confirm_by, mut note) = (None, None, None);
        let (mut handover, mut reach_secret, mut escrow) = (None, None, None);
        while let Some(key) = fields.next(r)? {
            match key {
                2 => quote = Some(MessageId(r.fixed()?)),
                4 => total = Some(Money::read(r)?),
                5 => note = Some(r.text(NOTE_MAX)?.to_owned()),
                6 => quantity = Some(Quantity::read(r)?),
                7 => handover = Some(HandoverHash(r.fixed()?)),
                8 => delivery = Some(Delivery::read(r)?),
                9 => reach_secret = Some(ReachSecret::from_bytes(r.fixed()?)),
                10 => confirm_by = Some(Timestamp::from(r.small::<u32>()?)),
                12 => escrow = Some(EscrowPlan::read(r)?),
                other => Fields::unknown(other, r)?,
            }
        }
        let order = Self {
            quote: quote.ok_or(Refusal::MissingField)?,
            total: total.ok_or(Refusal::MissingField)?,
            quantity: quantity.ok_or(Refusal::MissingField)?,
            delivery: delivery.ok_or(Refusal::MissingField)?,
            confirm_by: confirm_by.ok_or(Refusal::MissingField)?,
            note,
            handover,
            escrow,
            reach_secret,
        };
        order.check()?;
        Ok(order)
    }
}

impl OrderConfirm {
    /// Checks texts.
    ///
    /// # Errors
    /// [`Refusal::BadText`].
    pub fn check(&self) -> Result<(), Refusal> {
        note(self.payment.as_deref())?;
        note(self.note.as_deref())
    }

    pub(crate) fn write(&self, writer: &mut Writer) {
        writer.map(|map| {
            map.field(2, |w| w.bytes(&self.order.0));
            map.optional(3, self.payment.as_deref(), Writer::text);
            map.optional(5, self.note.as_deref(), Writer::text);
            map.optional(8, self.key, |w, key| w.bytes(key.as_bytes()));
        });
    }

    pub(crate) fn read(r: &mut Reader<'_>) -> Result<Self, Refusal> {
        let mut fields = r.map()?;
        let (mut order, mut payment, mut note, mut deal_key) = (None, None, None, None);
        while let Some(key) = fields.next(r)? {
            match key {
                2 => order = Some(MessageId(r.fixed()?)),
                3 => payment = Some(r.text(NOTE_MAX)?.to_owned()),
                5 => note = Some(r.text(NOTE_MAX)?.to_owned()),
                8 => deal_key = Some(DealKey(r.fixed()?)),
                other => Fields::unknown(other, r)?,
            }
        }
        let confirm = Self {
            order: order.ok_or(Refusal::MissingField)?,
            payment,
            note,
            key: deal_key,
        };
        confirm.check()?;
        Ok(confirm)
    }
}

impl NotSelected {
    pub(crate) fn write(&self, writer: &mut Writer) {
        writer.map(|map| map.field(2, |w| w.bytes(&self.quote.0)));
    }

    pub(crate) fn read(r: &mut Reader<'_>) -> Result<Self, Refusal> {
        Ok(Self { quote: one_id(r)? })
    }
}

impl Counter {
    /// Counters in one exchange: enough to meet, and too few to find out a seller's lowest price by halving.
    pub const ROUNDS: u8 = 3;

    /// Checks the round, the total and the note.
    ///
    /// # Errors
    /// [`Refusal::BadField`], [`Refusal::BadText`].
    pub fn check(&self) -> Result<(), Refusal> {
        if !(1..=Self::ROUNDS).contains(&self.round)
            || self.total.minor == 0
            || self.total.minor > Money::MAX
        {
            return Err(Refusal::BadField);
        }
        note(self.note.as_deref())
    }

    pub(crate) fn write(&self, writer: &mut Writer) {
        writer.map(|map| {
            map.field(2, |w| w.bytes(&self.quote.0));
            map.field(4, |w| self.total.write(w));
            map.optional(5, self.note.as_deref(), Writer::text);
            map.field(6, |w| w.uint(u64::from(self.round)));
        });
    }

    pub(crate) fn read(r: &mut Reader<'_>) -> Result<Self, Refusal> {
        let mut fields = r.map()?;
        let (mut quote, mut total, mut round, mut note) = (None, None, None, None);
        while let Some(key) = fields.next(r)? {
            match key {
                2 => quote = Some(MessageId(r.fixed()?)),
                4 => total = Some(Money::read(r)?),
                5 => note = Some(r.text(NOTE_MAX)?.to_owned()),
                6 => round = Some(r.small()?),
                other => Fields::unknown(other, r)?,
            }
        }
        let counter = Self {
            quote: quote.ok_or(Refusal::MissingField)?,
            total: total.ok_or(Refusal::MissingField)?,
            round: round.ok_or(Refusal::MissingField)?,
            note,
        };
        counter.check()?;
        Ok(counter)
    }
}

impl Step {
    /// Checks the note and the files.
    ///
    /// # Errors
    /// [`Refusal::BadText`], and as [`Attachment::check`].
    pub fn check(&self) -> Result<(), Refusal> {
        attachment::check_all(&self.files)?;
        note(self.note.as_deref())
    }

    pub(crate) fn write(&self, writer: &mut Writer) {
        writer.map(|map| {
            map.field(2, |w| w.bytes(&self.order.0));
            map.optional(5, self.note.as_deref(), Writer::text);
            if !self.files.is_empty() {
                map.field(7, |w| attachment::write_all(&self.files, w));
            }
        });
    }

    pub(crate) fn read(r: &mut Reader<'_>) -> Result<Self, Refusal> {
        let mut fields = r.map()?;
        let (mut order, mut note, mut files) = (None, None, Vec::new());
        while let Some(key) = fields.next(r)? {
            match key {
                2 => order = Some(MessageId(r.fixed()?)),
                5 => note = Some(r.text(NOTE_MAX)?.to_owned()),
                7 => files = some_files(r)?,
                other => Fields::unknown(other, r)?,
            }
        }
        let step = Self {
            order: order.ok_or(Refusal::MissingField)?,
            note,
            files,
        };
        step.check()?;
        Ok(step)
    }
}

impl Delivered {
    /// Checks the note.
    ///
    /// # Errors
    /// [`Refusal::BadText`].
    pub fn check(&self) -> Result<(), Refusal> {
        note(self.note.as_deref())
    }

    pub(crate) fn write(&self, writer: &mut Writer) {
        writer.map(|map| {
            map.field(2, |w| w.bytes(&self.order.0));
            map.field(4, |w| w.text(self.code.as_str()));
            map.optional(5, self.note.as_deref(), Writer::text);
        });
    }

    pub(crate) fn read(r: &mut Reader<'_>) -> Result<Self, Refusal> {
        let mut fields = r.map()?;
        let (mut order, mut code, mut note) = (None, None, None);
        while let Some(key) = fields.next(r)? {
            match key {
                2 => order = Some(MessageId(r.fixed()?)),
                4 => code = Some(HandoverCode::read(r.text(handover::CODE_LEN)?)?),
                5 => note = Some(r.text(NOTE_MAX)?.to_owned()),
                other => Fields::unknown(other, r)?,
            }
        }
        let delivered = Self {
            order: order.ok_or(Refusal::MissingField)?,
            code: code.ok_or(Refusal::MissingField)?,
            note,
        };
        delivered.check()?;
        Ok(delivered)
    }
}

impl Cancel {
    /// Checks the note.
    ///
    /// # Errors
    /// [`Refusal::BadText`].
    pub fn check(&self) -> Result<(), Refusal> {
        note(self.note.as_deref())
    }

    pub(crate) fn write(&self, writer: &mut Writer) {
        writer.map(|map| {
            map.field(2, |w| w.bytes(&self.order.0));
            map.field(4, |w| w.uint(to_wire(&Progress::KNOWN, self.progress)));
            map.optional(5, self.note.as_deref(), Writer::text);
            map.field(6, |w| w.uint(self.reason.to_wire()));
        });
    }

    pub(crate) fn read(r: &mut Reader<'_>) -> Result<Self, Refusal> {
        let mut fields = r.map()?;
        let (mut order, mut progress, mut reason, mut note) = (None, None, None, None);
        while let Some(key) = fields.next(r)? {
            match key {
                2 => order = Some(MessageId(r.fixed()?)),
                4 => {
                    let known = from_wire(&Progress::KNOWN, r.uint(255)?);
                    progress = Some(known.ok_or(Refusal::BadField)?);
                }
                5 => note = Some(r.text(NOTE_MAX)?.to_owned()),
                6 => reason = Some(CancelReason::from_wire(r.uint(255)?)),
                other => Fields::unknown(other, r)?,
            }
        }
        let cancel = Self {
            order: order.ok_or(Refusal::MissingField)?,
            progress: progress.ok_or(Refusal::MissingField)?,
            reason: reason.ok_or(Refusal::MissingField)?,
            note,
        };
        cancel.check()?;
        Ok(cancel)
    }
}

impl Chat {
    /// Checks the text and the files: there is one or the other.
    ///
    /// # Errors
    /// [`Refusal::BadText`], and as [`Attachment::check`].
    pub fn check(&self) -> Result<(), Refusal> {
        attachment::check_all(&self.files)?;
        if self.text.is_empty() && !self.files.is_empty() {
            return Ok(());
        }
        text::paragraphs(&self.text, CHAT_MAX).map(|_| ())
    }

    pub(crate) fn write(&self, writer: &mut Writer) {
        writer.map(|map| {
            map.field(2, |w| w.text(&self.text));
            if !self.files.is_empty() {
                map.field(3, |w| attachment::write_all(&self.files, w));
            }
        });
    }

    pub(crate) fn read(r: &mut Reader<'_>) -> Result<Self, Refusal> {
        let mut fields = r.map()?;
        let (mut text, mut files) = (None, Vec::new());
        while let Some(key) = fields.next(r)? {
            match key {
                2 => text = Some(r.text(CHAT_MAX)?.to_owned()),
                3 => files = some_files(r)?,
                other => Fields::unknown(other, r)?,
            }
        }
        let chat = Self {
            text: text.ok_or(Refusal::MissingField)?,
            files,
        };
        chat.check()?;
        Ok(chat)
    }
}

/// Files are either left out or at least one, so that a message has one form.
fn some_files(r: &mut Reader<'_>) -> Result<Vec<Attachment>, Refusal> {
    let files = attachment::read_all(r)?;
    if files.is_empty() {
        return Err(Refusal::NotCanonical);
    }
    Ok(files)
}

impl Ack {
    pub(crate) fn write(&self, writer: &mut Writer) {
        writer.map(|map| map.field(2, |w| w.bytes(&self.message.0)));
    }

    pub(crate) fn read(r: &mut Reader<'_>) -> Result<Self, Refusal> {
        Ok(Self {
            message: one_id(r)?,
        })
    }
}

impl Contact {
    /// Checks texts and bounds.
    ///
    /// # Errors
    /// [`Refusal::BadText`], [`Refusal::BadField`].
    pub fn check(&self) -> Result<(), Refusal> {
        text::line(&self.name, LABEL_MAX)?;
        if self.ways.len() > CONTACT_WAYS_MAX {
            return Err(Refusal::BadField);
        }
        for way in &self.ways {
            text::name(&way.kind, crate::limits::ATTRIBUTE_KEY_MAX)?;
            text::line(&way.value, CONTACT_LINE_MAX)?;
        }
        note(self.address.as_deref())?;
        note(self.instructions.as_deref())
    }

    pub(crate) fn write(&self, writer: &mut Writer) {
        writer.map(|map| {
            map.field(2, |w| w.bytes(&self.order.0));
            map.field(4, |w| w.text(&self.name));
            map.optional(5, self.instructions.as_deref(), Writer::text);
            map.field(6, |w| {
                w.array(self.ways.len());
                for way in &self.ways {
                    w.array(2);
                    w.text(&way.kind);
                    w.text(&way.value);
                }
            });
            map.optional(7, self.address.as_deref(), Writer::text);
        });
    }

    pub(crate) fn read(r: &mut Reader<'_>) -> Result<Self, Refusal> {
        let mut fields = r.map()?;
        let (mut order, mut name, mut ways, mut address, mut instructions) =
            (None, None, None, None, None);
        while let Some(key) = fields.next(r)? {
            match key {
                2 => order = Some(MessageId(r.fixed()?)),
                4 => name = Some(r.text(LABEL_MAX)?.to_owned()),
                5 => instructions = Some(r.text(NOTE_MAX)?.to_owned()),
                6 => {
                    ways = Some(r.list(CONTACT_WAYS_MAX, |r| {
                        r.tuple(2)?;
                        let kind = r.text(crate::limits::ATTRIBUTE_KEY_MAX)?.to_owned();
                        Ok(ContactWay {
                            kind,
                            value: r.text(CONTACT_LINE_MAX)?.to_owned(),
                        })
                    })?);
                }
                7 => address = Some(r.text(NOTE_MAX)?.to_owned()),
                other => Fields::unknown(other, r)?,
            }
        }
        let contact = Self {
            order: order.ok_or(Refusal::MissingField)?,
            name: name.ok_or(Refusal::MissingField)?,
            ways: ways.ok_or(Refusal::MissingField)?,
            address,
            instructions,
        };
        contact.check()?;
        Ok(contact)
    }
}

fn one_id(r: &mut Reader<'_>) -> Result<MessageId, Refusal> {
    let mut fields = r.map()?;
    let mut id = None;
    while let Some(key) = fields.next(r)? {
        match key {
            2 => id = Some(MessageId(r.fixed()?)),
            other => Fields::unknown(other, r)?,
        }
    }
    id.ok_or(Refusal::MissingField)
}

fn note(note: Option<&str>) -> Result<(), Refusal> {
    note.map_or(Ok(()), |note| text::paragraphs(note, NOTE_MAX).map(|_| ()))
}
