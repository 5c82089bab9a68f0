//! Real advertisements: 6,259 personal computers that were offered in newspapers and magazines from 1993 to 1995
//! (`Computers` of the R package Ecdat, gathered by T. Stengos and E. Zacharias for "Intertemporal pricing and price
//! discrimination: a semiparametric hedonic analysis of the personal computer market", Journal of Applied
//! Econometrics 21, 2006).
//!
//! # Who offers and who wants
//!
//! Every tenth advertisement, in the order of the file, is held out and becomes an **intent**; all others stock the
//! stalls. Whoever wants what a held-out advertisement describes says:
//!
//! * the category is desktop computers, the quantity one piece, the currency US dollars;
//! * its memory (MB), disk (MB) and speed (MHz) *must* be at least the advertisement's;
//! * its screen (inches) *should* be at least the advertisement's: it only ranks;
//! * it *must* have a CD drive if the advertisement has one;
//! * the budget is the advertisement's price: said out loud for an even row number, sealed for an odd one, and the
//!   most the buyer pays in both cases.
//!
//! Of the 625 intents, 621 are answered by some advertisement at their price, two only for more, and two by none: a
//! test holds that. So a stall knows silence too.

use haggle_market::command::Taste;
use haggle_market::item::{DeliveryOffer, Tier};
use haggle_market::{Draft, Item, ItemId};
use haggle_protocol::attribute::{Attribute, Comparison, Fit, Value, Wish};
use haggle_protocol::category::Category;
use haggle_protocol::intent::{Budget, Delivery};
use haggle_protocol::quote::Quality;
use haggle_protocol::{Asset, Money, Quantity, Refusal, Unit, taxonomy};

use crate::place;
use crate::trouble::{Outcome, Trouble};

/// One advertisement in ten is held out, from the tenth on.
const HELD_OUT: usize = 10;

/// The columns of the file, without the row names.
const COLUMNS: [&str; 10] = [
    "price", "speed", "hd", "ram", "screen", "cd", "multi", "premium", "ads", "trend",
];

/// Desktop computers.
///
/// # Errors
/// If the taxonomy has lost them.
pub fn desktops() -> Outcome<Category> {
    let node = taxonomy::by_slug("desktop-computers");
    node.map(|node| node.category)
        .ok_or_else(|| Trouble::new("no desktop computers"))
}

/// One advertisement.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Advertisement {
    /// Its row name in the file, from 1.
    pub row: u32,
    /// US dollars.
    pub price: u64,
    /// Clock of the processor, in megahertz.
    pub speed: u32,
    /// Size of the disk, in megabytes.
    pub disk: u32,
    /// Size of the memory, in megabytes.
    pub memory: u32,
    /// Diagonal of the screen, in inches.
    pub screen: u32,
    /// Whether it has a CD drive.
    pub cd: bool,
    /// Whether a multimedia kit (speakers, sound card) comes with it.
    pub multimedia: bool,
    /// Whether its maker is one of the large ones (IBM, Compaq, …).
    pub premium: bool,
    /// How many advertisements of the same kind there were in that month.
    pub ads: u32,
    /// The month, counted from January 1993 as 1.
    pub month: u32,
}

/// All advertisements, parted by the rule.
#[derive(Clone, Debug)]
pub struct Computers {
    /// What stocks the stalls.
    pub offers: Vec<Advertisement>,
    /// What intents are made of.
    pub wants: Vec<Advertisement>,
}

impl Computers {
    /// Reads `Computers.csv` from the folder that `HAGGLE_DATA` names.
    ///
    /// # Errors
    /// If the folder is not named or the file is not what it should be.
    #[track_caller]
    pub fn load() -> Outcome<Self> {
        let folder = place::from_environment(
            "HAGGLE_DATA",
            "the folder of Computers.csv, the advertisements that the tests trade on",
        )?;
        let file = folder.join("Computers.csv");
        let text = std::fs::read_to_string(&file).map_err(|error| {
            Trouble::new(format!(
                "{} cannot be read ({error}); `cargo xtask test` fetches it",
                file.display()
            ))
        })?;
        Self::read(&text)
    }

    /// Reads the text of the file.
    ///
    /// # Errors
    /// If a line is not as it should be; it is named.
    pub fn read(text: &str) -> Outcome<Self> {
        let mut lines = text.lines();
        let head: Vec<_> = lines
            .next()
            .unwrap_or_default()
            .split(',')
            .map(unquoted)
            .collect();
        if head.get(1..) != Some(&COLUMNS[..]) {
            return Err(Trouble::new(format!("unexpected columns: {head:?}")));
        }
        let mut all = Self {
            offers: Vec::new(),
            wants: Vec::new(),
        };
        for (index, line) in lines.enumerate() {
            let read = Advertisement::read(line)
                .ok_or_else(|| Trouble::new(format!("line {}: {line}", index + 2)))?;
            if (index + 1).is_multiple_of(HELD_OUT) {
                all.wants.push(read);
            } else {
                all.offers.push(read);
            }
        }
        Ok(all)
    }
}

/// One want and those who meet over it.
#[derive(Clone, Debug)]
pub struct Scene {
    /// What is wanted; its budget is said out loud.
    pub want: Advertisement,
    /// Answers it at the lowest price.
    pub cheap: Advertisement,
    /// Answers it for a little more: at most one part in twenty.
    pub dearer: Advertisement,
    /// Answers it too.
    pub another: Advertisement,
    /// Lacks something that it must have.
    pub lacking: Advertisement,
}

impl Computers {
    /// The first want over which such sellers meet.
    ///
    /// # Errors
    /// If there is none, which a test would notice.
    pub fn scene(&self) -> Outcome<Scene> {
        let wants = self.wants.iter().filter(|want| want.row.is_multiple_of(2));
        for want in wants {
            let musts: Vec<_> = want
                .wishes()?
                .into_iter()
                .filter(|wish| wish.must)
                .collect();
            let (mut answers, mut lacking) = (Vec::new(), None);
            for offer in &self.offers {
                let has = offer.attributes()?;
                let fits = musts.iter().all(|wish| wish.fit(&has) == Fit::Yes);
                match (fits, offer.price <= want.price) {
                    (true, true) => answers.push(offer),
                    (true, false) => {}
                    // Cheap enough, so that its price is not what keeps it silent.
                    (false, true) => lacking = lacking.or(Some(offer)),
                    (false, false) => {}
                }
            }
            answers.sort_by_key(|offer| offer.price);
            let Some(cheap) = answers.first() else {
                continue;
            };
            let little_more = cheap.price + 1..=cheap.price + cheap.price / 20;
            let dearer = answers
                .iter()
                .find(|offer| little_more.contains(&offer.price));
            let another = answers.last();
            if let (Some(dearer), Some(another), Some(lacking)) = (dearer, another, lacking) {
                return Ok(Scene {
                    want: want.clone(),
                    cheap: (*cheap).clone(),
                    dearer: (*dearer).clone(),
                    another: (*another).clone(),
                    lacking: lacking.clone(),
                });
            }
        }
        Err(Trouble::new("no want has such sellers"))
    }
}

impl Advertisement {
    fn read(line: &str) -> Option<Self> {
        let fields: Vec<_> = line.split(',').map(unquoted).collect();
        let [
            row,
            price,
            speed,
            disk,
            memory,
            screen,
            cd,
            multimedia,
            premium,
            ads,
            month,
        ] = fields[..]
        else {
            return None;
        };
        let number = |text: &str| text.parse::<u32>().ok();
        let flag = |text: &str| match text {
            "yes" => Some(true),
            "no" => Some(false),
            _ => None,
        };
        Some(Self {
            row: number(row)?,
            price: number(price)?.into(),
            speed: number(speed)?,
            disk: number(disk)?,
            memory: number(memory)?,
            screen: number(screen)?,
            cd: flag(cd)?,
            multimedia: flag(multimedia)?,
            premium: flag(premium)?,
            ads: number(ads)?,
            month: number(month)?,
        })
    }

    /// In one line, as a seller writes it.
    #[must_use]
    pub fn title(&self) -> String {
        format!(
            "PC {} MHz, {} MB RAM, {} MB disk, {}\" screen{}",
            self.speed,
            self.memory,
            self.disk,
            self.screen,
            if self.cd { ", CD" } else { "" }
        )
    }

    /// In one line, as a buyer asks for it.
    #[must_use]
    pub fn wanted_title(&self) -> String {
        format!(
            "A PC with at least {} MHz, {} MB RAM and {} MB disk (no. {})",
            self.speed, self.memory, self.disk, self.row
        )
    }

    /// What it is like.
    ///
    /// # Errors
    /// None in fact: every unit is one.
    pub fn attributes(&self) -> Result<Vec<Attribute>, Refusal> {
        let attribute = |key: &str, value| Attribute {
            key: key.into(),
            value,
        };
        Ok(vec![
            attribute("ram", measure(self.memory, "4L")?),
            attribute("hd", measure(self.disk, "4L")?),
            attribute("speed", measure(self.speed, "MHZ")?),
            attribute("screen", measure(self.screen, "INH")?),
            attribute("cd", Value::Flag(self.cd)),
            attribute("multimedia", Value::Flag(self.multimedia)),
            attribute("premium", Value::Flag(self.premium)),
        ])
    }

    /// What whoever wants it asks for, by the rule above.
    ///
    /// # Errors
    /// None in fact: every unit is one.
    pub fn wishes(&self) -> Result<Vec<Wish>, Refusal> {
        let at_least = |key: &str, value, must| Wish {
            key: key.into(),
            comparison: Comparison::AtLeast,
            value,
            must,
        };
        let mut wishes = vec![
            at_least("ram", measure(self.memory, "4L")?, true),
            at_least("hd", measure(self.disk, "4L")?, true),
            at_least("speed", measure(self.speed, "MHZ")?, true),
            at_least("screen", measure(self.screen, "INH")?, false),
        ];
        if self.cd {
            wishes.push(Wish {
                key: "cd".into(),
                comparison: Comparison::Is,
                value: Value::Flag(true),
                must: true,
            });
        }
        Ok(wishes)
    }

    /// As an item of a stall, of which there are so many pieces.
    ///
    /// # Errors
    /// If the taxonomy has lost desktop computers.
    pub fn item(&self, quality: Quality, stock: u32, lead_time: u32) -> Outcome<Item> {
        Ok(Item {
            id: ItemId(0),
            sku: None,
            title: self.title(),
            category: desktops()?,
            attributes: self.attributes()?,
            unit: Unit::ONE,
            stock: Some(Quantity::pieces(u64::from(stock))),
            asset: Asset::new("USD")?,
            floor: None,
            tiers: vec![Tier {
                from: Quantity::pieces(1),
                unit_price: self.money()?.minor,
            }],
            quality,
            deliveries: vec![DeliveryOffer {
                delivery: Delivery::Shipping,
                area: vec![],
                fee: 0,
                lead_time,
            }],
            note: None,
            auto: None,
        })
    }

    /// As a draft of whoever wants it, by the rule above.
    ///
    /// # Errors
    /// If the taxonomy has lost desktop computers.
    pub fn draft(&self) -> Outcome<Draft> {
        Ok(Draft {
            title: self.wanted_title(),
            details: None,
            category: desktops()?,
            wishes: self.wishes()?,
            quantity: Quantity::pieces(1),
            budget: self.budget()?,
            limit: Some(self.money()?),
            deliveries: vec![Delivery::Pickup, Delivery::Shipping],
            places: vec![],
            window: None,
            open_for: None,
            quotes_for: None,
            lang: None,
            taste: Taste::Balanced,
            arbiter: None,
        })
    }

    /// The price.
    ///
    /// # Errors
    /// None in fact: USD is a currency.
    pub fn money(&self) -> Result<Money, Refusal> {
        Ok(Money::new(self.price * 100, Asset::new("USD")?))
    }

    /// What is public of the budget of whoever wants it.
    ///
    /// # Errors
    /// None in fact: USD is a currency.
    pub fn budget(&self) -> Result<Budget, Refusal> {
        let money = self.money()?;
        Ok(if self.row.is_multiple_of(2) {
            Budget::Public(money)
        } else {
            Budget::Sealed(money.asset)
        })
    }
}

fn measure(n: u32, unit: &str) -> Result<Value, Refusal> {
    Ok(Value::Measure(Quantity {
        n: u64::from(n),
        scale: 0,
        unit: Unit::new(unit)?,
    }))
}

fn unquoted(field: &str) -> &str {
    field.trim_matches('"')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_file_of_other_columns_or_with_a_broken_line_is_refused() {
        let head = "\"\",\"price\",\"speed\",\"hd\",\"ram\",\"screen\",\"cd\",\"multi\",\"premium\",\"ads\",\"trend\"\n";
        assert!(Computers::read("a,b\n").is_err());
        assert!(Computers::read(head).is_ok());
        assert!(
            Computers::read(&format!(
                "{head}\"1\",1499,25,80,4,14,\"no\",\"no\",\"yes\",94\n"
            ))
            .is_err()
        );
        assert!(
            Computers::read(&format!(
                "{head}\"1\",1499,25,80,4,14,\"no\",\"no\",\"so\",94,1\n"
            ))
            .is_err()
        );
    }
}
