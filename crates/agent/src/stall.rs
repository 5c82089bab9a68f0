//! The file of a stall: what a shop offers, how it answers, and what it may promise and buy in a day. TOML, in the words that a shopkeeper
//! would use; every mistake is said with its place and what would be right.
//!
//! The file is what holds. At each start the peer's stall is made like it: items are known by their `sku`, what is no longer in the file is
//! taken out, and what was sold stays sold.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};

use haggle_node::market::command::Profile;
use haggle_node::market::item::{Auto, DeliveryOffer, Tier};
use haggle_node::market::{Item, ItemId, Rules, sheet};
use haggle_protocol::attribute::{Attribute, Value};
use haggle_protocol::intent::Delivery;
use haggle_protocol::place::Place;
use haggle_protocol::quote::Quality;
use haggle_protocol::settlement::KEEPERS_MAX;
use haggle_protocol::trade::ContactWay;
use haggle_protocol::{Asset, Keeper, Money, Quantity, Unit, taxonomy};
use serde::Deserialize;

use crate::{Error, money};

/// Seconds of a day.
const DAY: f64 = 86_400.0;

/// A stall, as its file says.
#[derive(Clone, Debug, PartialEq)]
pub struct Shop {
    /// Who stands behind it.
    pub profile: Profile,
    /// How it answers.
    pub rules: Rules,
    /// What it offers, each with the id that its `sku` always gives.
    pub items: Vec<Item>,
    /// The most that may be bought in a day; nothing if not said.
    pub buy_per_day: Option<Money>,
}

impl Shop {
    /// Reads a stall's file.
    ///
    /// # Errors
    /// [`Error::File`] if it cannot be read, [`Error::Content`] if it says something that cannot be.
    pub fn read(path: &Path) -> Result<Self, Error> {
        let named = || path.display().to_string();
        let text =
            std::fs::read_to_string(path).map_err(|why| Error::File { path: named(), why })?;
        let folder = path.parent().unwrap_or_else(|| Path::new(""));
        Self::parse(&text, folder).map_err(|why| Error::Content { path: named(), why })
    }

    /// Reads the text of a stall's file; the product list that it may name is looked for in `folder`.
    ///
    /// # Errors
    /// Where it is wrong and what would be right.
    pub fn parse(text: &str, folder: &Path) -> Result<Self, String> {
        let sheet: Sheet = toml::from_str(text).map_err(|error| error.to_string())?;
        sheet.shop(folder)
    }
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
struct Sheet {
    currency: String,
    #[serde(default)]
    profile: Who,
    #[serde(default)]
    rules: How,
    /// Where buyers can lock what they pay.
    #[serde(default)]
    escrow: Vec<At>,
    #[serde(default)]
    mandate: Bounds,
    #[serde(default)]
    items: Vec<Row>,
    /// A product list beside this file.
    items_from: Option<PathBuf>,
}

#[derive(Default, Deserialize)]
#[serde(deny_unknown_fields, default, rename_all = "kebab-case")]
struct Who {
    name: String,
    /// By kind: phone, email, …
    ways: BTreeMap<String, String>,
    address: Option<String>,
    instructions: Option<String>,
}

#[derive(Default, Deserialize)]
#[serde(deny_unknown_fields, default, rename_all = "kebab-case")]
struct How {
    answer: Option<Auto>,
    valid_minutes: Option<u64>,
    per_hour: Option<u32>,
    payment: Option<String>,
    concession_percent: Option<u8>,
    min_trust: Option<u32>,
}

/// A mint that this shop trusts to keep money until it is released.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct At {
    mint: String,
    /// What it is counted in there; the shop's currency if not said.
    currency: Option<String>,
}

impl At {
    fn keeper(&self, usual: Asset) -> Result<Keeper, String> {
        let code = self.currency.as_deref();
        let asset = code.map_or(Ok(usual), Asset::new).map_err(|_| {
            let code = code.unwrap_or_default();
            format!("escrow: {code:?} is no code like \"EUR\" or \"sat\"")
        })?;
        Ok(Keeper {
            rail: money::RAIL.to_owned(),
            custodian: money::mint(&self.mint).map_err(|why| format!("escrow: {why}"))?,
            asset,
        })
    }
}

#[derive(Default, Deserialize)]
#[serde(deny_unknown_fields, default, rename_all = "kebab-case")]
struct Bounds {
    sell_per_day: Option<String>,
    buy_per_day: Option<String>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
struct Row {
    sku: String,
    title: String,
    category: String,
    price: Option<String>,
    #[serde(default)]
    prices: Vec<Step>,
    floor: Option<String>,
    unit: Option<String>,
    stock: Option<String>,
    quality: Quality,
    note: Option<String>,
    answer: Option<Auto>,
    deliveries: Vec<Way>,
    /// Its properties: a text, a yes or no, or a measure.
    #[serde(default)]
    is: BTreeMap<String, Property>,
}

/// A price from a quantity on.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Step {
    from: String,
    each: String,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Way {
    way: Delivery,
    /// Geohashes of one to five characters; anywhere if none.
    #[serde(default)]
    area: Vec<String>,
    #[serde(default)]
    fee: Option<String>,
    /// Until it is there.
    #[serde(default)]
    days: f64,
}

#[derive(Deserialize)]
#[serde(untagged)]
enum Property {
    Flag(bool),
    Text(String),
    Measure { n: String, unit: String },
}

impl Sheet {
    fn shop(self, folder: &Path) -> Result<Shop, String> {
        let asset = Asset::new(&self.currency)
            .map_err(|_| format!("currency: {:?} is no code like \"EUR\"", self.currency))?;
        let usual = Rules::default();
        let keepers = self.escrow.iter().map(|at| at.keeper(asset));
        let keepers = keepers.collect::<Result<Vec<_>, _>>()?;
        if keepers.len() > KEEPERS_MAX {
            return Err(format!("escrow: at most {KEEPERS_MAX} can be named"));
        }
        let amount = |place: &str, text: &Option<String>| {
            text.as_deref()
                .map(|text| money(place, text, asset))
                .transpose()
        };
        let rules = Rules {
            auto: self.rules.answer.unwrap_or(Auto::Firm),
            valid_for: self
                .rules
                .valid_minutes
                .map_or(usual.valid_for, |n| n.saturating_mul(60)),
            per_hour: self.rules.per_hour.unwrap_or(usual.per_hour),
            payment: self.rules.payment,
            per_day: amount("mandate.sell-per-day", &self.mandate.sell_per_day)?,
            concession: self.rules.concession_percent.unwrap_or(0),
            min_trust: self.rules.min_trust,
            keepers,
            arbiters: Vec::new(),
        };
        let buy_per_day = amount("mandate.buy-per-day", &self.mandate.buy_per_day)?;
        let ways = self.profile.ways.into_iter();
        let profile = Profile {
            name: self.profile.name,
            ways: ways
                .map(|(kind, value)| ContactWay { kind, value })
                .collect(),
            address: self.profile.address,
            instructions: self.profile.instructions,
        };
        let mut ids = BTreeSet::new();
        let mut items = Vec::with_capacity(self.items.len());
        for row in self.items {
            let item = row.item(asset)?;
            if !ids.insert(item.id) {
                return Err(format!("{:?}: this sku stands here twice", item.title));
            }
            items.push(item);
        }
        if let Some(name) = self.items_from {
            for item in listed(&folder.join(name))? {
                if !ids.insert(item.id) {
                    return Err(format!("{:?}: this sku stands here twice", item.title));
                }
                items.push(item);
            }
        }
        Ok(Shop {
            profile,
            rules,
            items,
            buy_per_day,
        })
    }
}

impl Row {
    fn item(self, asset: Asset) -> Result<Item, String> {
        let at = |field: &str| format!("item {:?}, {field}", self.sku);
        let node = taxonomy::by_slug(&self.category).ok_or_else(|| {
            let place = at("category");
            format!(
                "{place}: there is no {:?}; `haggle categories` lists all",
                self.category
            )
        })?;
        let unit = self
            .unit
            .as_deref()
            .map_or(Ok(Unit::ONE), |code| unit_of(&at("unit"), code))?;
        let tiers = match (&self.price, self.prices.as_slice()) {
            (Some(price), []) => vec![Tier {
                from: Quantity {
                    n: 0,
                    scale: 0,
                    unit,
                },
                unit_price: money(&at("price"), price, asset)?.minor,
            }],
            (None, steps @ [_, ..]) => {
                let tier = |step: &Step| {
                    Ok::<_, String>(Tier {
                        from: quantity(&at("prices"), &step.from, unit)?,
                        unit_price: money(&at("prices"), &step.each, asset)?.minor,
                    })
                };
                steps.iter().map(tier).collect::<Result<_, _>>()?
            }
            _ => {
                let place = at("price");
                return Err(format!(
                    "{place}: give either one price, or prices from quantities on"
                ));
            }
        };
        let stock = self.stock.as_deref();
        let stock = stock
            .map(|text| quantity(&at("stock"), text, unit))
            .transpose()?;
        let floor = self.floor.as_deref();
        let floor = floor.map(|text| money(&at("floor"), text, asset));
        let floor = floor.transpose()?.map(|money| money.minor);
        let attributes = self.is.iter().map(|(key, property)| {
            let value = match property {
                Property::Flag(flag) => Value::Flag(*flag),
                Property::Text(text) => Value::Text(text.clone()),
                Property::Measure { n, unit: code } => {
                    let unit = unit_of(&at(key), code)?;
                    Value::Measure(quantity(&at(key), n, unit)?)
                }
            };
            Ok::<_, String>(Attribute {
                key: key.clone(),
                value,
            })
        });
        let attributes = attributes.collect::<Result<_, _>>()?;
        let delivery = |way: &Way| {
            let fee = way
                .fee
                .as_deref()
                .map(|fee| money(&at("fee"), fee, asset))
                .transpose()?;
            let seconds = way.days * DAY;
            if !(0.0..=f64::from(u32::MAX)).contains(&seconds) {
                return Err(format!("{}: {} is no number of days", at("days"), way.days));
            }
            #[allow(
                clippy::cast_possible_truncation,
                clippy::cast_sign_loss,
                reason = "the range is checked above"
            )]
            let lead_time = seconds.round() as u32;
            let place = |geohash: &String| Place {
                geohash: geohash.clone(),
                radius_m: 0,
            };
            Ok(DeliveryOffer {
                delivery: way.way,
                area: way.area.iter().map(place).collect(),
                fee: fee.map_or(0, |fee| fee.minor),
                lead_time,
            })
        };
        Ok(Item {
            id: ItemId::of_sku(&self.sku),
            sku: Some(self.sku.clone()),
            category: node.category,
            attributes,
            unit,
            stock,
            asset,
            tiers,
            floor,
            quality: self.quality,
            deliveries: self
                .deliveries
                .iter()
                .map(delivery)
                .collect::<Result<_, _>>()?,
            note: self.note.clone(),
            auto: self.answer,
            title: self.title.clone(),
        })
    }
}

/// The items of a product list, each of which needs a name to be found again by at the next start.
fn listed(path: &Path) -> Result<Vec<Item>, String> {
    let place = path.display();
    let bytes = std::fs::read(path).map_err(|why| format!("items-from: {place}: {why}"))?;
    let items = sheet::read(&bytes).map_err(|mistakes| format!("{place}:\n{mistakes}"))?;
    match items.iter().find(|item| item.sku.is_none()) {
        Some(item) => Err(format!("{place}: {:?} has no sku", item.title)),
        None => Ok(items),
    }
}

fn money(place: &str, text: &str, asset: Asset) -> Result<Money, String> {
    Money::parse(text, asset)
        .ok_or_else(|| format!("{place}: {text:?} is no amount of {asset} like \"399.90\""))
}

fn quantity(place: &str, text: &str, unit: Unit) -> Result<Quantity, String> {
    Quantity::parse(text, unit)
        .ok_or_else(|| format!("{place}: {text:?} is no quantity like \"2\" or \"2.5\""))
}

fn unit_of(place: &str, code: &str) -> Result<Unit, String> {
    Unit::new(code).map_err(|_| {
        format!("{place}: {code:?} is no unit; C62 are pieces, HUR hours, KGM kilograms")
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parse(text: &str) -> Result<Shop, String> {
        Shop::parse(text, Path::new(""))
    }

    const BIKES: &str = r#"
        currency = "EUR"

        [profile]
        name = "Bike shop"
        ways = { phone = "+49 30 5550123" }

        [rules]
        answer = "firm"
        valid-minutes = 60
        payment = "Cash on hand-over"
        concession-percent = 12
        min-trust = 2

        [mandate]
        sell-per-day = "2000"

        [[escrow]]
        mint = "https://mint.example"

        [[escrow]]
        mint = "https://other.example/cashu"
        currency = "sat"

        [[items]]
        sku = "road-56"
        title = "Road bike, 56 cm, steel"
        category = "bicycles"
        price = "380"
        stock = "2"
        quality = "good"
        deliveries = [{ way = "pickup", area = ["u33d"], days = 0.5 }]
        is = { frame = { n = "56", unit = "CMT" }, colour = "blue", lights = true }
    "#;

    #[test]
    fn a_stall_is_read_as_it_stands_in_its_file() {
        let shop = parse(BIKES).unwrap();
        let eur = Asset::new("EUR").unwrap();
        assert_eq!(shop.rules.auto, Auto::Firm);
        assert_eq!(shop.rules.valid_for, 3_600);
        assert_eq!(shop.rules.concession, 12);
        assert_eq!(shop.rules.min_trust, Some(2));
        assert_eq!(shop.rules.per_day, Some(Money::new(200_000, eur)));
        assert_eq!(shop.buy_per_day, None);
        let keepers = shop.rules.keepers.iter();
        let keepers: Vec<String> = keepers
            .map(|it| format!("{} {} {}", it.rail, it.custodian, it.asset))
            .collect();
        assert_eq!(
            keepers,
            [
                "cashu https://mint.example EUR",
                "cashu https://other.example/cashu sat"
            ]
        );
        assert_eq!(shop.profile.ways[0].kind, "phone");
        let [item] = shop.items.as_slice() else {
            panic!("{:?}", shop.items)
        };
        assert_eq!(item.tiers[0].unit_price, 38_000);
        assert_eq!(item.stock, Some(Quantity::pieces(2)));
        assert_eq!(item.deliveries[0].lead_time, 43_200);
        assert_eq!(item.attributes.len(), 3);
    }

    #[test]
    fn the_sample_stalls_can_be_read() {
        let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("stalls");
        let files = std::fs::read_dir(folder).unwrap();
        let shops: Vec<Shop> = files
            .map(|file| Shop::read(&file.unwrap().path()).unwrap())
            .collect();
        assert_eq!(shops.len(), 3);
        assert!(shops.iter().all(|shop| shop.items.len() >= 8));
    }

    #[test]
    fn an_item_keeps_its_id_for_ever() {
        let [item] = &parse(BIKES).unwrap().items[..] else {
            panic!("one item")
        };
        assert_eq!(item.id, ItemId(95_599_359_643_224));
    }

    #[test]
    fn a_mistake_is_said_with_its_place() {
        let table = [
            ("\"bicycles\"", "\"bikes\"", "item \"road-56\", category"),
            ("\"380\"", "\"3,8,0\"", "item \"road-56\", price"),
            ("price = \"380\"", "", "item \"road-56\", price"),
            (
                "stock = \"2\"",
                "stock = \"two\"",
                "item \"road-56\", stock",
            ),
            ("\"CMT\"", "\"cm\"", "item \"road-56\", frame"),
            ("days = 0.5", "days = -1", "item \"road-56\", days"),
            ("\"EUR\"", "\"€\"", "currency"),
            (
                "sell-per-day = \"2000\"",
                "sell-per-day = \"much\"",
                "mandate.sell-per-day",
            ),
            ("valid-minutes", "valid-minuets", "valid-minuets"),
            ("https://mint.example", "mint.example", "escrow"),
            ("\"sat\"", "\"a coin\"", "escrow"),
        ];
        for (right, wrong, place) in table {
            let why = parse(&BIKES.replace(right, wrong)).unwrap_err();
            assert!(why.contains(place), "{wrong}: {why}");
        }
        let item = BIKES.find("[[items]]").unwrap();
        let twice = format!("{BIKES}{}", &BIKES[item..]);
        assert!(parse(&twice).unwrap_err().contains("twice"));
    }

    #[test]
    fn a_stall_takes_what_a_product_list_beside_its_file_offers() {
        let folder = tempfile::tempdir().unwrap();
        let stall = folder.path().join("stall.toml");
        let list = folder.path().join("bikes.csv");
        std::fs::write(&stall, "currency = \"EUR\"\nitems-from = \"bikes.csv\"\n").unwrap();
        let missing = Shop::read(&stall).unwrap_err().to_string();
        assert!(missing.contains("bikes.csv"), "{missing}");
        let head = "sku,title,category,price,currency,quality,deliveries\n";
        let rows =
            "a,Road bike,bicycles,380,EUR,good,pickup\nb,Saddle,bicycles,20,EUR,good,pickup\n";
        std::fs::write(&list, format!("{head}{rows}")).unwrap();
        let shop = Shop::read(&stall).unwrap();
        let ids: Vec<_> = shop.items.iter().map(|item| item.id).collect();
        assert_eq!(ids, [ItemId::of_sku("a"), ItemId::of_sku("b")]);
        for (rows, why) in [
            (rows.replace("380", "dear"), "line 2, price"),
            (rows.replace("b,Saddle", ",Saddle"), "has no sku"),
        ] {
            std::fs::write(&list, format!("{head}{rows}")).unwrap();
            let said = Shop::read(&stall).unwrap_err().to_string();
            assert!(said.contains(why), "{said}");
        }
    }
}
