//! What a seller types to answer an intent by hand. It starts from the best match of his stall, so that mostly
//! nothing is left to type.

use haggle_protocol::attribute::Attribute;
use haggle_protocol::intent::Delivery;
use haggle_protocol::quote::{Charge, ChargeKind, Line, Quality};
use haggle_protocol::{Intent, IntentId, Money, limits};

use super::item::Lead;
use super::{Flaw, Reading, Wrong, amount, digits};
use crate::node::{Item, ItemId, QuoteDraft};

/// The form, as it was typed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct QuoteForm {
    /// Which intent is answered.
    pub intent: IntentId,
    /// The item whose stock it takes.
    pub item: Option<ItemId>,
    /// What is offered.
    pub description: String,
    /// What it is like; taken from the item.
    pub attributes: Vec<Attribute>,
    /// How much of it.
    pub quantity: String,
    /// In which unit.
    pub unit: String,
    /// What one costs.
    pub price: String,
    /// In which currency.
    pub currency: String,
    /// What bringing it costs; empty is nothing.
    pub delivery_fee: String,
    /// A tax that is not in the price; empty is none.
    pub tax: String,
    /// What is taken off; empty is nothing.
    pub discount: String,
    /// Whether an order in time binds me.
    pub firm: bool,
    /// How long it holds.
    pub valid: Lead,
    /// How long it takes.
    pub lead: Lead,
    /// How it gets there.
    pub delivery: Delivery,
    /// How good it is.
    pub quality: Quality,
    /// Anything else.
    pub note: String,
}

/// How long a quote holds if nothing else is said, in seconds: half an hour, as a stall's rules begin with.
const VALID_USUALLY: u64 = 1_800;

/// The fields of this form, as the peer's complaints call them.
/// Quantity and price are parts of what the peer calls `lines`.
pub const FIELDS: [&str; 10] = [
    "lines", "quantity", "price", "asset", "charges", "validFor", "leadTime", "delivery",
    "quality", "note",
];

impl QuoteForm {
    /// A form that answers this intent with this item of the stall, or with nothing but what was asked for.
    #[must_use]
    pub fn answering(id: IntentId, intent: &Intent, item: Option<&Item>) -> Self {
        let ways =
            |delivery: &&crate::node::DeliveryOffer| intent.deliveries.contains(&delivery.delivery);
        let offer = item.and_then(|item| item.deliveries.iter().find(ways));
        let price = item.and_then(|item| {
            let reached = |tier: &&crate::node::Tier| tier.from <= intent.quantity;
            let tier = item
                .tiers
                .iter()
                .rev()
                .find(reached)
                .or(item.tiers.first())?;
            Some(Money::new(tier.unit_price, item.asset))
        });
        Self {
            intent: id,
            item: item.map(|item| item.id),
            description: item.map_or_else(|| intent.title.clone(), |item| item.title.clone()),
            attributes: item.map_or_else(Vec::new, |item| item.attributes.clone()),
            quantity: digits(intent.quantity),
            unit: intent.quantity.unit.code().into(),
            price: price.map_or_else(String::new, amount),
            currency: intent.budget.asset().code().into(),
            delivery_fee: offer
                .zip(item)
                .filter(|(offer, _)| offer.fee > 0)
                .map_or_else(String::new, |(offer, item)| {
                    amount(Money::new(offer.fee, item.asset))
                }),
            tax: String::new(),
            discount: String::new(),
            firm: false,
            valid: Lead::of(VALID_USUALLY),
            lead: Lead::of(offer.map_or(2 * 86_400, |offer| u64::from(offer.lead_time))),
            delivery: offer
                .map(|offer| offer.delivery)
                .or(intent.deliveries.first().copied())
                .unwrap_or(Delivery::Shipping),
            quality: item.map_or(Quality::Good, |item| item.quality),
            note: item.and_then(|item| item.note.clone()).unwrap_or_default(),
        }
    }

    /// The quote, and its total as the buyer will see it.
    ///
    /// # Errors
    /// Every flaw that was found.
    pub fn read(&self) -> Result<(QuoteDraft, Money), Vec<Flaw>> {
        let mut reading = Reading::default();
        let asset = reading.asset("asset", &self.currency);
        let description = reading.line("lines", &self.description, limits::LABEL_MAX);
        let quantity = reading.quantity("quantity", &self.quantity, &self.unit);
        let price = reading.money("price", &self.price, asset);
        let cost = quantity.cost(price).unwrap_or_else(|| {
            reading.wrong("price", Wrong::TooLong);
            Money::new(0, asset)
        });
        let mut charges = Vec::new();
        let mut total = Some(cost);
        for (kind, text) in [
            (ChargeKind::Delivery, &self.delivery_fee),
            (ChargeKind::Tax, &self.tax),
            (ChargeKind::Discount, &self.discount),
        ] {
            let money = reading.optional_money("charges", text, asset);
            let Some(money) = money.filter(|money| money.minor > 0) else {
                continue;
            };
            total = match kind {
                ChargeKind::Discount => total.and_then(|total| total.checked_sub(money)),
                ChargeKind::Delivery | ChargeKind::Tax | ChargeKind::Fee => {
                    total.and_then(|total| total.checked_add(money))
                }
            };
            charges.push(Charge {
                kind,
                label: String::new(),
                amount: money.minor,
            });
        }
        if total.is_none() {
            reading.wrong("charges", Wrong::BelowZero);
        }
        let valid_for = self.valid.read("validFor", &mut reading);
        if valid_for == 0 {
            reading.wrong("validFor", Wrong::Zero);
        }
        let lead_time = self.lead.read("leadTime", &mut reading);
        let draft = QuoteDraft {
            intent: self.intent,
            item: self.item,
            asset,
            lines: vec![Line {
                description,
                quantity,
                unit_price: price.minor,
                amount: cost.minor,
                attributes: self.attributes.clone(),
            }],
            charges,
            firm: self.firm,
            valid_for,
            lead_time: u32::try_from(lead_time).unwrap_or(u32::MAX),
            delivery: self.delivery,
            quality: self.quality,
            note: reading.optional("note", &self.note, limits::NOTE_MAX),
        };
        let total = total.unwrap_or(Money::new(0, asset));
        reading.end((draft, total))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::board::tests::{intent, item};

    #[test]
    fn the_form_starts_with_what_the_stall_would_say() {
        let form = QuoteForm::answering(IntentId([1; 32]), &intent("A road bike"), Some(&item()));
        let (draft, total) = form.read().unwrap();
        assert_eq!(draft.lines[0].description, "Steel road bike");
        assert_eq!(draft.item, Some(ItemId(7)));
        assert_eq!(total.minor, 36_990 + 1_200);
        assert_eq!(draft.charges.len(), 1);
        assert_eq!(draft.delivery, Delivery::Shipping);
    }

    #[test]
    fn without_a_match_only_the_price_is_left_to_type() {
        let mut form = QuoteForm::answering(IntentId([1; 32]), &intent("A road bike"), None);
        let flaws = form.read().unwrap_err();
        assert_eq!(
            flaws,
            [Flaw {
                field: "price",
                wrong: Wrong::Missing
            }]
        );
        form.price = "350".into();
        let (draft, total) = form.read().unwrap();
        assert_eq!(draft.lines[0].description, "A road bike");
        assert_eq!(total.minor, 35_000);
    }

    #[test]
    fn a_discount_is_taken_off_and_never_goes_below_nothing() {
        let mut form = QuoteForm::answering(IntentId([1; 32]), &intent("A road bike"), None);
        form.price = "350".into();
        form.discount = "50,50".into();
        assert_eq!(form.read().unwrap().1.minor, 29_950);
        form.discount = "351".into();
        let flaws = form.read().unwrap_err();
        assert_eq!(
            (flaws[0].field, flaws[0].wrong),
            ("charges", Wrong::BelowZero)
        );
        assert!(FIELDS.contains(&flaws[0].field));
    }
}
