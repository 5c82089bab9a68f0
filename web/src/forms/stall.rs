//! What a seller types about his stall as a whole: how it answers, and who he is to the one he trades with.

use haggle_protocol::trade::ContactWay;
use haggle_protocol::{Arbiter, Custodian, Keeper, Money, limits};

use super::item::Lead;
use super::money::{KeeperRow, keepers};
use super::{Flaw, Reading, Wrong};
use crate::node::{Auto, ECASH, Profile, Rules};

/// How the stall answers, as it was typed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RulesForm {
    /// How far by itself.
    pub auto: Auto,
    /// How long a quote holds.
    pub valid: Lead,
    /// Quotes an hour by itself at most.
    pub per_hour: String,
    /// By how many per cent it gives way at most.
    pub concession: String,
    /// How many finished trades make a buyer trusted; empty if none does.
    pub min_trust: String,
    /// How an order is paid.
    pub payment: String,
    /// What may be promised a day, which this form has no field for; kept as it is.
    pub per_day: Option<Money>,
    /// The mints at which a buyer's money may be locked.
    pub mints: Vec<KeeperRow>,
    /// One more that is being typed.
    pub next: KeeperRow,
    /// Who else may keep it, which this form has no field for; kept as it is.
    pub others: Vec<Keeper>,
    /// Who may decide about it.
    pub arbiters: Vec<Arbiter>,
}

impl RulesForm {
    /// The form that would give these rules again.
    #[must_use]
    pub fn from_rules(rules: &Rules) -> Self {
        let is_ecash = |keeper: &&Keeper| keeper.rail == ECASH.name;
        let (mints, others): (Vec<_>, Vec<_>) = rules.keepers.iter().partition(is_ecash);
        Self {
            auto: rules.auto,
            valid: Lead::of(rules.valid_for),
            per_hour: rules.per_hour.to_string(),
            concession: rules.concession.to_string(),
            min_trust: rules.min_trust.map_or_else(String::new, |n| n.to_string()),
            payment: rules.payment.clone().unwrap_or_default(),
            per_day: rules.per_day,
            mints: mints.into_iter().map(KeeperRow::of).collect(),
            next: KeeperRow::default(),
            others: others.into_iter().cloned().collect(),
            arbiters: rules.arbiters.clone(),
        }
    }

    /// The rules.
    ///
    /// # Errors
    /// Every flaw that was found.
    pub fn read(&self) -> Result<Rules, Vec<Flaw>> {
        let mut reading = Reading::default();
        let valid_for = self.valid.read("validFor", &mut reading);
        if valid_for == 0 && reading.flaws.is_empty() {
            reading.wrong("validFor", Wrong::Zero);
        }
        let per_hour = reading.count("perHour", &self.per_hour);
        let concession = reading.share("concession", &self.concession);
        let min_trust = reading.optional_count("minTrust", &self.min_trust);
        let rules = Rules {
            auto: self.auto,
            valid_for,
            per_hour: u32::try_from(per_hour).unwrap_or(u32::MAX),
            payment: reading.optional("payment", &self.payment, limits::NOTE_MAX),
            per_day: self.per_day,
            concession,
            min_trust: min_trust.map(|count| u32::try_from(count).unwrap_or(u32::MAX)),
            keepers: self.keepers(&self.others, &mut reading),
            arbiters: self.arbiters.clone(),
        };
        reading.end(rules)
    }

    fn keepers(&self, others: &[Keeper], reading: &mut Reading) -> Vec<Keeper> {
        let rows = self.mints.iter().chain([&self.next]);
        keepers(rows, ECASH.name, others, reading)
    }

    /// The mints with the one that is being typed.
    ///
    /// # Errors
    /// Every flaw that was found.
    pub fn taken(&self) -> Result<Vec<KeeperRow>, Vec<Flaw>> {
        let mut reading = Reading::default();
        let keepers = self.keepers(&[], &mut reading);
        reading.end(keepers.iter().map(KeeperRow::of).collect())
    }
}

/// The mints that these rules name, each once: to check what is locked there, this peer asks them.
#[must_use]
pub fn mints_of(rules: &Rules) -> Vec<Custodian> {
    let ecash = rules.keepers.iter().filter(|it| it.rail == ECASH.name);
    let mut mints: Vec<_> = ecash.map(|it| it.custodian.clone()).collect();
    mints.sort();
    mints.dedup();
    mints
}

/// Who I am to the one I trade with, as it was typed.
#[derive(Clone, Default, PartialEq, Eq)]
pub struct ProfileForm {
    /// A name to ask for.
    pub name: String,
    /// Telephone.
    pub phone: String,
    /// Mail.
    pub email: String,
    /// Ways that this form has no field for; kept as they are.
    pub others: Vec<ContactWay>,
    /// Where to bring or fetch it.
    pub address: String,
    /// Anything that helps.
    pub instructions: String,
}

impl core::fmt::Debug for ProfileForm {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        f.write_str("ProfileForm(..)")
    }
}

impl ProfileForm {
    /// The form that would give this profile again.
    #[must_use]
    pub fn from_profile(profile: &Profile) -> Self {
        let way = |kind: &str| {
            let mut ways = profile.ways.iter();
            let found = ways.find(|way| way.kind == kind);
            found.map_or_else(String::new, |way| way.value.clone())
        };
        let other = |way: &&ContactWay| way.kind != "phone" && way.kind != "email";
        Self {
            name: profile.name.clone(),
            phone: way("phone"),
            email: way("email"),
            others: profile.ways.iter().filter(other).cloned().collect(),
            address: profile.address.clone().unwrap_or_default(),
            instructions: profile.instructions.clone().unwrap_or_default(),
        }
    }

    /// The profile.
    ///
    /// # Errors
    /// Every flaw that was found.
    pub fn read(&self) -> Result<Profile, Vec<Flaw>> {
        let mut reading = Reading::default();
        let name = reading.line("name", &self.name, limits::LABEL_MAX);
        let mut ways = Vec::new();
        for (kind, text) in [("phone", &self.phone), ("email", &self.email)] {
            let value = reading.optional("ways", text, limits::CONTACT_LINE_MAX);
            ways.extend(value.map(|value| ContactWay {
                kind: kind.into(),
                value,
            }));
        }
        ways.extend(self.others.iter().cloned());
        let profile = Profile {
            name,
            ways,
            address: reading.optional("address", &self.address, limits::NOTE_MAX),
            instructions: reading.optional("instructions", &self.instructions, limits::NOTE_MAX),
        };
        reading.end(profile)
    }
}

#[cfg(test)]
mod tests {
    use haggle_protocol::{ArbiterTerms, Asset, DealKey, IntentId};

    use super::*;

    fn keeper(rail: &str, mint: &str) -> Keeper {
        Keeper {
            rail: rail.into(),
            custodian: Custodian::new(mint).unwrap(),
            asset: Asset::new("EUR").unwrap(),
        }
    }

    #[test]
    fn forms_made_from_rules_and_profile_give_them_again() {
        let rules = Rules {
            auto: Auto::Firm,
            valid_for: 5_400,
            per_hour: 30,
            payment: Some("Bank transfer".into()),
            per_day: Some(Money::new(50_000, Asset::new("EUR").unwrap())),
            concession: 15,
            min_trust: Some(3),
            keepers: vec![
                keeper("other", "https://bank.example.org"),
                keeper("cashu", "https://mint.example.org"),
            ],
            arbiters: vec![Arbiter {
                intent: IntentId([5; 32]),
                terms: ArbiterTerms {
                    rail: "cashu".into(),
                    key: DealKey([2; 33]),
                    fee: 20,
                    within: 86_400,
                },
            }],
        };
        let mints = mints_of(&rules);
        assert_eq!(mints, [rules.keepers[1].custodian.clone()]);
        assert_eq!(RulesForm::from_rules(&rules).read(), Ok(rules));
        let way = |kind: &str| ContactWay {
            kind: kind.into(),
            value: "x".into(),
        };
        let profile = Profile {
            name: "Ben".into(),
            ways: vec![way("phone"), way("email"), way("matrix")],
            address: Some("Market square 1\nBerlin".into()),
            instructions: None,
        };
        assert!(ProfileForm::from_profile(&profile).read() == Ok(profile));
    }

    #[test]
    fn a_price_may_be_fixed_and_nobody_trusted() {
        for fixed in ["0", " "] {
            let mut form = RulesForm::from_rules(&Rules::default());
            form.concession = fixed.into();
            form.min_trust = " ".into();
            let rules = form.read().unwrap();
            assert_eq!((rules.concession, rules.min_trust), (0, None));
        }
    }

    #[test]
    fn a_quote_that_holds_for_no_time_and_a_person_without_a_name_are_flaws() {
        let mut form = RulesForm::from_rules(&Rules::default());
        form.valid.count = "0".into();
        form.per_hour.clear();
        form.concession = "-1".into();
        form.min_trust = "0".into();
        let fields: Vec<_> = form.read().unwrap_err().iter().map(|f| f.field).collect();
        assert_eq!(fields, ["validFor", "perHour", "concession", "minTrust"]);
        let flaws = ProfileForm::default().read().unwrap_err();
        assert_eq!(flaws[0].field, "name");
    }
}
