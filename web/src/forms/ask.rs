//! What a buyer types before it is said out loud.

use haggle_protocol::category::Category;
use haggle_protocol::intent::{Budget, Delivery, Window};
use haggle_protocol::{Money, Timestamp, limits};

use super::{Flaw, PropertyRow, Reading, Wrong};
use crate::node::{Draft, Taste};
use crate::places;

/// How much of the budget is said out loud.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub enum Say {
    /// Only the currency.
    #[default]
    Nothing,
    /// Roughly.
    Roughly,
    /// The amount.
    All,
}

/// The form, as it was typed.
#[derive(Clone, Debug, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub struct AskForm {
    /// In one line.
    pub title: String,
    /// In more words.
    pub details: String,
    /// Where it belongs; 0 is anything.
    pub category: u32,
    /// Whether the person chose the category, so that it is not suggested over.
    pub category_chosen: bool,
    /// How much of it.
    pub quantity: String,
    /// In which unit.
    pub unit: String,
    /// In which currency.
    pub currency: String,
    /// The most I pay.
    pub limit: String,
    /// How much of that is said.
    pub say: Say,
    /// What it must or should be like.
    pub wishes: Vec<PropertyRow>,
    /// How it may get here.
    pub deliveries: Vec<Delivery>,
    /// Around which city, by its English name; empty is anywhere.
    pub place: String,
    /// Where to, for a ride or a courier.
    pub place_to: String,
    /// Not later than the end of this day, as `2026-11-30`; empty is any time.
    pub needed_by: String,
    /// How long it stays open, in seconds.
    pub open_for: u64,
    /// How long quotes are taken, in seconds; 0 is as long as it is open.
    pub quotes_for: u64,
    /// What matters when quotes are ranked.
    pub taste: Taste,
}

/// Choices for how long an intent stays open, in seconds: half an hour to thirty days.
pub const OPEN_CHOICES: [u64; 6] = [1_800, 7_200, 86_400, 259_200, 604_800, 2_592_000];

/// How long it stays open if nothing else is chosen: a day, so that sellers of every time zone see it.
const OPEN_USUALLY: u64 = 86_400;

/// Choices for how long quotes are taken, in seconds; 0 is as long as it is open.
pub const QUOTES_CHOICES: [u64; 5] = [0, 600, 1_800, 7_200, 86_400];

impl Default for AskForm {
    fn default() -> Self {
        Self {
            title: String::new(),
            details: String::new(),
            category: 0,
            category_chosen: false,
            quantity: "1".into(),
            unit: "C62".into(),
            currency: "EUR".into(),
            limit: String::new(),
            say: Say::Nothing,
            wishes: Vec::new(),
            deliveries: vec![Delivery::Pickup, Delivery::Shipping],
            place: String::new(),
            place_to: String::new(),
            needed_by: String::new(),
            open_for: OPEN_USUALLY,
            quotes_for: 0,
            taste: Taste::Balanced,
        }
    }
}

/// The fields of this form, as the peer's complaints call them.
pub const FIELDS: [&str; 12] = [
    "title",
    "details",
    "category",
    "wishes",
    "quantity",
    "budget",
    "limit",
    "deliveries",
    "places",
    "window",
    "openFor",
    "quotesFor",
];

impl AskForm {
    /// A form that starts with what this person used last: the same currency and place, nothing of the last wish.
    #[must_use]
    pub fn after(last: &Self) -> Self {
        Self {
            currency: last.currency.clone(),
            place: last.place.clone(),
            ..Self::default()
        }
    }

    /// The form that would give this draft again.
    #[must_use]
    pub fn from_draft(draft: &Draft) -> Self {
        let city = |at: usize| {
            let place = draft.places.get(at).and_then(places::nearest);
            place.map_or_else(String::new, |city| city.english.to_owned())
        };
        let say = match draft.budget {
            Budget::Sealed(_) => Say::Nothing,
            Budget::Band(..) => Say::Roughly,
            Budget::Public(_) => Say::All,
        };
        let public = match draft.budget {
            Budget::Public(money) => Some(money),
            Budget::Sealed(_) | Budget::Band(..) => None,
        };
        Self {
            title: draft.title.clone(),
            details: draft.details.clone().unwrap_or_default(),
            category: draft.category.0,
            category_chosen: draft.category.0 != 0,
            quantity: super::digits(draft.quantity),
            unit: draft.quantity.unit.code().into(),
            currency: draft.budget.asset().code().into(),
            limit: draft
                .limit
                .or(public)
                .map_or_else(String::new, super::amount),
            say,
            wishes: draft.wishes.iter().map(PropertyRow::from_wish).collect(),
            deliveries: draft.deliveries.clone(),
            place: city(0),
            place_to: city(1),
            needed_by: String::new(),
            open_for: draft.open_for.unwrap_or(OPEN_USUALLY),
            quotes_for: draft.quotes_for.unwrap_or(0),
            taste: draft.taste,
        }
    }

    /// What is to be said, and what only I know.
    ///
    /// `by` is the end of the day that [`AskForm::needed_by`] names, which only the browser's calendar can tell.
    ///
    /// # Errors
    /// Every flaw that was found.
    pub fn read(
        &self,
        now: Timestamp,
        by: Option<Timestamp>,
        lang: &str,
    ) -> Result<Draft, Vec<Flaw>> {
        let mut reading = Reading::default();
        let title = reading.line("title", &self.title, limits::TITLE_MAX);
        let details = reading.optional("details", &self.details, limits::DETAILS_MAX);
        let quantity = reading.quantity("quantity", &self.quantity, &self.unit);
        let asset = reading.asset("budget", &self.currency);
        let limit = reading.optional_money("limit", &self.limit, asset);
        let budget = match (self.say, limit) {
            (Say::Nothing, _) => Budget::Sealed(asset),
            (Say::Roughly, Some(money)) => Budget::Band(asset, Budget::band_of(money)),
            (Say::All, Some(money)) => Budget::Public(money),
            (Say::Roughly | Say::All, None) => {
                if reading.flaws.iter().all(|flaw| flaw.field != "limit") {
                    reading.wrong("limit", Wrong::Missing);
                }
                Budget::Sealed(asset)
            }
        };
        if limit == Some(Money::new(0, asset)) {
            reading.wrong("limit", Wrong::Zero);
        }
        let wishes = self.read_wishes(&mut reading);
        let mut deliveries = self.deliveries.clone();
        deliveries.sort_unstable();
        deliveries.dedup();
        if deliveries.is_empty() {
            reading.wrong("deliveries", Wrong::NoneChosen);
        }
        let window = by.map(|to| Window {
            from: now.to_minute(),
            to: to.max(now).to_minute(),
        });
        let draft = Draft {
            title,
            details,
            category: Category(self.category),
            wishes,
            quantity,
            budget,
            limit,
            places: self.read_places(),
            deliveries,
            window,
            open_for: Some(self.open_for),
            quotes_for: (self.quotes_for > 0).then_some(self.quotes_for.min(self.open_for)),
            lang: Some(lang.to_owned()),
            taste: self.taste,
            arbiter: None,
        };
        reading.end(draft)
    }

    fn read_wishes(&self, reading: &mut Reading) -> Vec<haggle_protocol::attribute::Wish> {
        let mut wishes = Vec::new();
        for row in self.wishes.iter().filter(|row| !row.is_blank()) {
            match row.to_wish() {
                Ok(wish) => wishes.push(wish),
                Err(wrong) => reading.wrong("wishes", wrong),
            }
        }
        if wishes.len() > limits::ATTRIBUTES_MAX {
            reading.wrong("wishes", Wrong::TooLong);
        }
        wishes
    }

    fn read_places(&self) -> Vec<haggle_protocol::place::Place> {
        let to = if self.deliveries.contains(&Delivery::Transport) {
            self.place_to.as_str()
        } else {
            ""
        };
        let cities = [self.place.as_str(), to].into_iter();
        cities
            .filter_map(places::named)
            .map(places::City::place)
            .collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use haggle_protocol::attribute::Comparison;

    const NOW: Timestamp = Timestamp(1_795_000_000);

    fn bike() -> AskForm {
        AskForm {
            title: " A road bike ".into(),
            limit: "400".into(),
            wishes: vec![PropertyRow {
                name: "Frame".into(),
                comparison: Comparison::Is,
                value: "56".into(),
                unit: "CMT".into(),
                must: true,
            }],
            place: "Berlin".into(),
            ..AskForm::default()
        }
    }

    #[test]
    fn a_limit_is_never_part_of_a_sealed_budget() {
        let draft = bike().read(NOW, None, "en").unwrap();
        assert_eq!(draft.title, "A road bike");
        assert_eq!(draft.limit.unwrap().minor, 40_000);
        assert_eq!(draft.budget, Budget::Sealed(draft.limit.unwrap().asset));
        assert_eq!(draft.places.len(), 1);
        assert_eq!(draft.wishes[0].key, "frame");
    }

    #[test]
    fn what_is_said_of_the_budget_is_what_was_chosen() {
        let mut form = bike();
        form.say = Say::All;
        let draft = form.read(NOW, None, "en").unwrap();
        assert_eq!(draft.budget.ceiling(), Some(40_000));
        form.say = Say::Roughly;
        let draft = form.read(NOW, None, "en").unwrap();
        assert_eq!(draft.budget.ceiling(), Some(65_535));
        form.limit.clear();
        let flaws = form.read(NOW, None, "en").unwrap_err();
        assert_eq!(
            flaws,
            [Flaw {
                field: "limit",
                wrong: Wrong::Missing
            }]
        );
    }

    #[test]
    fn all_flaws_are_told_at_once_and_each_by_its_field() {
        let form = AskForm {
            quantity: "many".into(),
            currency: "€".into(),
            deliveries: Vec::new(),
            wishes: vec![PropertyRow {
                name: "ram".into(),
                ..PropertyRow::default()
            }],
            ..AskForm::default()
        };
        let flaws = form.read(NOW, None, "en").unwrap_err();
        let fields: Vec<_> = flaws.iter().map(|flaw| flaw.field).collect();
        assert_eq!(
            fields,
            ["title", "quantity", "budget", "wishes", "deliveries"]
        );
        assert!(flaws.iter().all(|flaw| FIELDS.contains(&flaw.field)));
    }

    #[test]
    fn a_ride_has_two_places_and_everything_else_one() {
        let mut form = bike();
        form.place_to = "Hamburg".into();
        assert_eq!(form.read(NOW, None, "en").unwrap().places.len(), 1);
        form.deliveries = vec![Delivery::Transport];
        assert_eq!(form.read(NOW, None, "en").unwrap().places.len(), 2);
    }

    #[test]
    fn a_form_made_from_a_draft_gives_that_draft() {
        let mut form = bike();
        form.say = Say::Roughly;
        form.quotes_for = 600;
        let draft = form.read(NOW, None, "en").unwrap();
        let again = AskForm::from_draft(&draft).read(NOW, None, "en").unwrap();
        assert_eq!(again, draft);
    }

    #[test]
    fn a_day_that_is_over_by_now_still_gives_a_span_of_time() {
        let draft = bike().read(NOW, Some(NOW - 100), "en").unwrap();
        let window = draft.window.unwrap();
        assert!(window.from <= window.to);
    }
}
