//! What is typed where a third decides: on which terms somebody offers to, how he decides, and what each of the two asks him for.

use haggle_protocol::arbitration::{FEE_MAX, WITHIN_MAX, WITHIN_MIN};
use haggle_protocol::category::Category;
use haggle_protocol::intent::{Budget, Delivery};
use haggle_protocol::{Money, Quantity, limits};

use super::item::Lead;
use super::{Flaw, Reading, Wrong};
use crate::node::{Arbitration, Draft, ECASH, Taste};
use crate::units::unit;

/// How long an offer to decide stays open, in seconds: as long as anything can. Whoever has chosen him finds him by it.
const OPEN_FOR: u64 = 30 * 24 * 60 * 60;
/// A thousandth, in millionths of a per cent.
const THOUSANDTH: u128 = 100_000;

/// On which terms somebody decides for others, as it was typed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct OfferForm {
    /// What he calls himself, in one line.
    pub title: String,
    /// Of what he knows something, and how he decides.
    pub details: String,
    /// What he takes, in per cent.
    pub fee: String,
    /// How long he needs at most.
    pub within: Lead,
}

impl Default for OfferForm {
    fn default() -> Self {
        Self {
            title: String::new(),
            details: String::new(),
            fee: "0".to_owned(),
            within: Lead::of(3 * 24 * 60 * 60),
        }
    }
}

impl OfferForm {
    /// What is said out loud.
    ///
    /// # Errors
    /// Every flaw that was found.
    pub fn read(&self, lang: &str) -> Result<Draft, Vec<Flaw>> {
        let mut reading = Reading::default();
        let title = reading.line("title", &self.title, limits::TITLE_MAX);
        let details = reading.optional("details", &self.details, limits::DETAILS_MAX);
        let fee = self.read_fee(&mut reading);
        let within = self.within.read("within", &mut reading);
        let within = u32::try_from(within).unwrap_or(u32::MAX);
        if !(WITHIN_MIN..=WITHIN_MAX).contains(&within) {
            reading.wrong("within", Wrong::NotThatTime);
        }
        let asset = reading.asset("title", "EUR");
        reading.end(Draft {
            title,
            details,
            // He wants nothing himself: what an intent has to say of a want is the least it can be.
            category: Category(0),
            wishes: Vec::new(),
            quantity: Quantity::pieces(1),
            budget: Budget::Sealed(asset),
            limit: None,
            deliveries: vec![Delivery::Digital],
            places: Vec::new(),
            window: None,
            open_for: Some(OPEN_FOR),
            quotes_for: None,
            lang: Some(lang.to_owned()),
            taste: Taste::default(),
            arbiter: Some(Arbitration {
                rail: ECASH.name.to_owned(),
                fee,
                within,
            }),
        })
    }

    /// Per cent with at most one digit behind the point, in thousandths.
    fn read_fee(&self, reading: &mut Reading) -> u16 {
        let text = self.fee.trim().trim_end_matches('%').trim_end();
        if text.is_empty() {
            return 0;
        }
        let typed = Quantity::parse(&text.replace(',', "."), unit("P1"));
        let micros = typed.map(|it| it.micros());
        let fee = micros.filter(|it| it.is_multiple_of(THOUSANDTH));
        let wrong = match fee.map(|it| u16::try_from(it / THOUSANDTH)) {
            Some(Ok(fee)) if fee <= FEE_MAX => return fee,
            Some(_) => Wrong::OverATenth,
            None => Wrong::NotANumber,
        };
        reading.wrong("fee", wrong);
        0
    }
}

/// What somebody would have the buyer get, and why, as it was typed: to an arbiter, or by him.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ShareForm {
    /// The buyer's part.
    pub buyer: String,
    /// Why.
    pub words: String,
}

/// Why something is decided.
///
/// # Errors
/// That it is missing or too long.
pub fn reason(typed: &str) -> Result<String, Vec<Flaw>> {
    let mut reading = Reading::default();
    let words = reading.line("words", typed, limits::NOTE_MAX);
    reading.end(words)
}

impl ShareForm {
    /// The buyer's part in minor units, and why. `shared` is what is locked, less what the arbiter takes.
    ///
    /// # Errors
    /// Every flaw that was found.
    pub fn read(&self, shared: Money) -> Result<(u64, String), Vec<Flaw>> {
        let mut reading = Reading::default();
        let buyer = reading.money("buyer", &self.buyer, shared.asset).minor;
        if buyer > shared.minor {
            reading.wrong("buyer", Wrong::TooMuch);
        }
        let words = reading.line("words", &self.words, limits::NOTE_MAX);
        reading.end((buyer, words))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use haggle_protocol::Asset;

    fn offer(fee: &str, within: Lead) -> OfferForm {
        OfferForm {
            title: "I decide about bicycles".into(),
            fee: fee.into(),
            within,
            ..OfferForm::default()
        }
    }

    #[test]
    fn what_an_arbiter_takes_is_read_in_per_cent_to_one_digit() {
        for (typed, thousandths) in [
            ("", 0),
            ("0", 0),
            ("2", 20),
            (" 2.5 % ", 25),
            ("2,5", 25),
            ("10", 100),
        ] {
            let draft = offer(typed, Lead::of(86_400)).read("en").unwrap();
            let terms = draft.arbiter.unwrap();
            assert_eq!((terms.fee, terms.within), (thousandths, 86_400), "{typed}");
        }
        for (typed, wrong) in [
            ("10.1", Wrong::OverATenth),
            ("11", Wrong::OverATenth),
            ("2.55", Wrong::NotANumber),
            ("-1", Wrong::NotANumber),
            ("two", Wrong::NotANumber),
            (".", Wrong::NotANumber),
        ] {
            let flaws = offer(typed, Lead::of(86_400)).read("en").unwrap_err();
            let field = "fee";
            assert_eq!(flaws, [Flaw { field, wrong }], "{typed}");
        }
    }

    #[test]
    fn an_arbiter_needs_between_an_hour_and_thirty_days() {
        for (seconds, fits) in [
            (3_540, false),
            (3_600, true),
            (2_592_000, true),
            (2_592_060, false),
        ] {
            let read = offer("0", Lead::of(seconds)).read("en");
            assert_eq!(read.is_ok(), fits, "{seconds}");
        }
    }

    #[test]
    fn a_share_is_at_most_what_is_left_for_the_two_and_has_its_reason() {
        let shared = Money::new(900, Asset::new("EUR").unwrap());
        let share = |buyer: &str, words: &str| {
            let form = ShareForm {
                buyer: buyer.into(),
                words: words.into(),
            };
            form.read(shared)
                .map_err(|flaws| flaws.iter().map(|flaw| flaw.field).collect::<Vec<_>>())
        };
        assert_eq!(share("9", " It is bent. "), Ok((900, "It is bent.".into())));
        assert_eq!(share("0", "x"), Ok((0, "x".into())));
        assert_eq!(share("9.01", "x"), Err(vec!["buyer"]));
        assert_eq!(share("", ""), Err(vec!["buyer", "words"]));
    }
}
