//! What is typed about money: mints, sums of a purse, shares of what is locked, and which mints a stall takes.

use std::net::{Ipv4Addr, SocketAddrV4};

use haggle_protocol::{Asset, Custodian, Keeper, Money};

use super::{Flaw, Reading, Wrong};
use crate::node::{Balance, Payment, Purse};
use crate::words::PlayWords;

/// The mint at an address as it is typed.
///
/// # Errors
/// What is wrong with it.
pub fn mint(text: &str) -> Result<Custodian, Wrong> {
    let text = text.trim();
    if text.is_empty() {
        return Err(Wrong::Missing);
    }
    let (scheme, rest) = text.split_once("://").ok_or(Wrong::NotAMint)?;
    let web = matches!(scheme, "https" | "http");
    let host = rest.split(['/', '?', '#']).next().unwrap_or_default();
    let mint = Custodian::new(text).map_err(|_| Wrong::NotAMint)?;
    if web && !host.is_empty() && !text.contains(['"', '<', '>', '\\']) {
        Ok(mint)
    } else {
        Err(Wrong::NotAMint)
    }
}

/// What is said of play money, where the page was served with a mint of such.
#[derive(Clone, Copy, Debug)]
pub struct Play<'a> {
    /// The mint.
    pub mint: Option<&'a Custodian>,
    /// The sentences of the language that is set.
    pub words: &'a PlayWords,
}

impl Play<'_> {
    /// Whether what this mint keeps is play money.
    #[must_use]
    pub fn is(self, mint: &Custodian) -> bool {
        self.mint == Some(mint)
    }

    /// A mint as one reads it: its address without what all of them begin with, and with it that its money is none. The only way in which
    /// a mint is named to a person.
    #[must_use]
    pub fn name(self, mint: &Custodian) -> String {
        let name = mint.name();
        let secure = name.strip_prefix("https://");
        if self.is(mint) {
            let plain = name.strip_prefix("http://");
            return (self.words.name)(secure.or(plain).unwrap_or(name));
        }
        secure.unwrap_or(name).to_owned()
    }

    /// An amount that this mint keeps, out of how it is written.
    #[must_use]
    pub fn amount(self, written: String, mint: &Custodian) -> String {
        if self.is(mint) {
            (self.words.amount)(&written)
        } else {
            written
        }
    }

    /// A sentence of a rail's, in which a mint stands by its address.
    #[must_use]
    pub fn sentence(self, said: String) -> String {
        match self.mint {
            Some(mint) => said.replace(mint.name(), &self.name(mint)),
            None => said,
        }
    }
}

/// The mint of play money that the page was served with: one on this machine, since elsewhere nobody starts such a thing.
#[must_use]
pub fn play(text: &str) -> Option<Custodian> {
    let address: SocketAddrV4 = text.strip_prefix("http://")?.parse().ok()?;
    (*address.ip() == Ipv4Addr::LOCALHOST).then(|| mint(text).ok())?
}

/// How much of which money, as it was typed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SumForm {
    /// Which currency.
    pub currency: String,
    /// How much.
    pub amount: String,
}

impl Default for SumForm {
    fn default() -> Self {
        Self {
            currency: "EUR".to_owned(),
            amount: String::new(),
        }
    }
}

impl SumForm {
    /// The sum; more than nothing.
    ///
    /// # Errors
    /// Every flaw that was found.
    pub fn read(&self) -> Result<Money, Vec<Flaw>> {
        let mut reading = Reading::default();
        let asset = reading.asset("currency", &self.currency);
        let money = some(&mut reading, "amount", &self.amount, asset);
        reading.end(money)
    }
}

/// What a purse is counted in, as it was typed.
///
/// # Errors
/// Every flaw that was found.
pub fn unit(text: &str) -> Result<Asset, Vec<Flaw>> {
    let mut reading = Reading::default();
    let asset = reading.asset("currency", text);
    reading.end(asset)
}

/// A sum out of a purse, as it was typed.
///
/// # Errors
/// Every flaw that was found.
pub fn out_of(purse: &Purse, balances: &[Balance], text: &str) -> Result<u64, Vec<Flaw>> {
    let mut reading = Reading::default();
    let money = some(&mut reading, "amount", text, purse.asset);
    if money.minor > free(balances, &purse.custodian, purse.asset) {
        reading.wrong("amount", Wrong::TooMuch);
    }
    reading.end(money.minor)
}

/// The buyer's share of what is locked, as it was typed: all or nothing of it too.
///
/// # Errors
/// Every flaw that was found.
pub fn share(locked: Money, text: &str) -> Result<u64, Vec<Flaw>> {
    let mut reading = Reading::default();
    let money = reading.money("buyer", text, locked.asset);
    if money.minor > locked.minor {
        reading.wrong("buyer", Wrong::TooMuch);
    }
    reading.end(money.minor)
}

/// How an order is paid through escrow: the total itself, or as much of another currency as was typed. Nobody is chosen to decide.
///
/// # Errors
/// Every flaw that was found.
pub fn payment(keeper: &Keeper, total: Money, text: &str) -> Result<Payment, Vec<Flaw>> {
    let mut reading = Reading::default();
    let other = keeper.asset != total.asset;
    let minor = other.then(|| some(&mut reading, "minor", text, keeper.asset).minor);
    let keeper = keeper.clone();
    let arbiter = None;
    reading.end(Payment {
        keeper,
        minor,
        arbiter,
    })
}

fn some(reading: &mut Reading, field: &'static str, text: &str, asset: Asset) -> Money {
    let money = reading.money(field, text, asset);
    if money.minor == 0 && reading.flaws.is_empty() {
        reading.wrong(field, Wrong::Zero);
    }
    money
}

/// What can be spent of a purse, in minor units.
#[must_use]
pub fn free(balances: &[Balance], mint: &Custodian, asset: Asset) -> u64 {
    let mut purses = balances.iter();
    let found = purses.find(|it| it.purse.custodian == *mint && it.purse.asset == asset);
    found.map_or(0, |it| it.free)
}

/// A mint that a stall takes, as it was typed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct KeeperRow {
    /// Its address.
    pub mint: String,
    /// What is locked there.
    pub currency: String,
}

impl Default for KeeperRow {
    fn default() -> Self {
        Self {
            mint: String::new(),
            currency: SumForm::default().currency,
        }
    }
}

impl KeeperRow {
    /// The row that would give this keeper again.
    #[must_use]
    pub fn of(keeper: &Keeper) -> Self {
        Self {
            mint: keeper.custodian.name().to_owned(),
            currency: keeper.asset.code().to_owned(),
        }
    }
}

/// What a stall takes: its rows with this rail, beside what other rails keep.
///
/// # Errors
/// Every flaw that was found.
pub(super) fn keepers<'a>(
    rows: impl IntoIterator<Item = &'a KeeperRow>,
    rail: &str,
    others: &[Keeper],
    reading: &mut Reading,
) -> Vec<Keeper> {
    let mut keepers = others.to_vec();
    let typed = rows.into_iter().filter(|row| !row.mint.trim().is_empty());
    for row in typed {
        match mint(&row.mint) {
            Ok(custodian) => {
                let keeper = Keeper {
                    rail: rail.to_owned(),
                    custodian,
                    asset: reading.asset("keepers", &row.currency),
                };
                if !keepers.contains(&keeper) {
                    keepers.push(keeper);
                }
            }
            Err(wrong) => reading.wrong("keepers", wrong),
        }
    }
    keepers
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::words::Lang;

    fn eur() -> Asset {
        Asset::new("EUR").unwrap()
    }

    fn keeper(asset: &str) -> Keeper {
        Keeper {
            rail: "cashu".into(),
            custodian: Custodian::new("https://mint.example").unwrap(),
            asset: Asset::new(asset).unwrap(),
        }
    }

    #[test]
    fn a_mint_is_the_address_of_a_web_server() {
        for good in [
            "https://mint.example",
            " https://mint.example/cashu/ ",
            "http://127.0.0.1:3338",
        ] {
            assert!(mint(good).is_ok(), "{good}");
        }
        for bad in [
            "mint.example",
            "https://",
            "ftp://mint.example",
            "javascript://x",
            "https://a b",
            "https:///x",
        ] {
            assert_eq!(mint(bad), Err(Wrong::NotAMint), "{bad}");
        }
        assert_eq!(mint(" "), Err(Wrong::Missing));
    }

    #[test]
    fn a_mint_and_what_it_keeps_are_called_play_money_where_they_are_that_and_nowhere_else() {
        let mint = mint("https://mint.example/").unwrap();
        let demo = play("http://127.0.0.1:8788").unwrap();
        let said = |play: Option<&Custodian>, lang: Lang, mint| {
            let (mint_of_play, words) = (play, &lang.words().play);
            let play = Play {
                mint: mint_of_play,
                words,
            };
            [play.name(mint), play.amount("5 EUR".to_owned(), mint)]
        };
        for lang in Lang::ALL {
            assert_eq!(said(Some(&demo), lang, &mint), ["mint.example", "5 EUR"]);
            let plain = ["http://127.0.0.1:8788", "5 EUR"];
            assert_eq!(said(None, lang, &demo), plain);
        }
        assert_eq!(
            said(Some(&demo), Lang::English, &demo),
            ["127.0.0.1:8788 (play money)", "5 EUR of play money"]
        );
        assert_eq!(
            said(Some(&demo), Lang::German, &demo),
            ["127.0.0.1:8788 (Spielgeld)", "5 EUR Spielgeld"]
        );
        let play = Play {
            mint: Some(&demo),
            words: &Lang::English.words().play,
        };
        let told = play.sentence("http://127.0.0.1:8788 does not answer.".to_owned());
        assert_eq!(told, "127.0.0.1:8788 (play money) does not answer.");
    }

    #[test]
    fn only_a_mint_on_this_machine_can_be_one_of_play_money() {
        assert!(play("http://127.0.0.1:8788").is_some());
        for other in [
            "",
            "8788",
            "https://mint.example",
            "http://mint.example",
            "http://192.168.0.7:8788",
            "http://127.0.0.1.mint.example:8788",
            "http://127.0.0.1:8788@mint.example",
            "http://127.0.0.1:8788/elsewhere",
            "https://127.0.0.1:8788",
            "http://12d3koo.libp2p.alt",
        ] {
            assert_eq!(play(other), None, "{other}");
        }
    }

    #[test]
    fn what_is_taken_out_of_a_purse_is_in_it() {
        let purse = Purse {
            custodian: keeper("EUR").custodian,
            asset: eur(),
        };
        let balances = [Balance {
            purse: purse.clone(),
            free: 500,
            held: 900,
        }];
        let wrong = |text| {
            let flaws = out_of(&purse, &balances, text).unwrap_err();
            flaws.first().map(|flaw| flaw.wrong)
        };
        assert_eq!(out_of(&purse, &balances, "5"), Ok(500));
        assert_eq!(wrong("5.01"), Some(Wrong::TooMuch));
        assert_eq!(wrong("0"), Some(Wrong::Zero));
        assert_eq!(wrong("x"), Some(Wrong::NotANumber));
    }

    #[test]
    fn a_share_is_at_most_what_is_locked_and_may_be_nothing() {
        let locked = Money::new(1_000, eur());
        assert_eq!(share(locked, "7"), Ok(700));
        assert_eq!(share(locked, "0"), Ok(0));
        assert_eq!(share(locked, "10"), Ok(1_000));
        assert_eq!(share(locked, "10.01").unwrap_err()[0].wrong, Wrong::TooMuch);
        assert!(share(locked, "").is_err());
    }

    #[test]
    fn in_another_currency_a_buyer_says_how_much_of_it() {
        let total = Money::new(1_000, eur());
        assert_eq!(payment(&keeper("EUR"), total, "").unwrap().minor, None);
        let sat = payment(&keeper("sat"), total, "21000").unwrap();
        assert_eq!(sat.minor, Some(21_000));
        assert!(payment(&keeper("sat"), total, "").is_err());
        assert!(payment(&keeper("sat"), total, "0").is_err());
    }

    #[test]
    fn what_a_stall_takes_is_read_row_by_row_and_once() {
        let row = |mint: &str| KeeperRow {
            mint: mint.into(),
            currency: "EUR".into(),
        };
        let other = Keeper {
            rail: "other".into(),
            ..keeper("USD")
        };
        let mut reading = Reading::default();
        let rows = [
            row("https://mint.example/"),
            row(" "),
            row("https://mint.example"),
        ];
        let read = keepers(&rows, "cashu", core::slice::from_ref(&other), &mut reading);
        assert_eq!(read, [other, keeper("EUR")]);
        assert!(reading.flaws.is_empty());
        keepers(&[row("mint")], "cashu", &[], &mut reading);
        assert_eq!(reading.flaws[0].field, "keepers");
    }
}
