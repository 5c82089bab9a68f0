//! What a person asks of his money with a rail: who may keep it, what there is, and how it comes in and goes out.
//!
//! Escrow is not asked for here: the market does that by itself, as the trade goes. Texts that are money are in no log.

use core::fmt;

use haggle_market::Complaint;
use haggle_payments::{Balance, Deposit, Error, Given, Moved, Purse, Withdrawal};
use haggle_protocol::{Custodian, Money};

use crate::paying::OpenRail;

/// A question to a rail.
#[derive(Clone, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
#[serde(rename_all = "kebab-case", rename_all_fields = "camelCase")]
pub enum Command {
    /// Who may keep money. Answered by [`Reply::Custodians`].
    Custodians,
    /// Names one who may: until then nothing is asked of him.
    Trust {
        /// Who: for ecash the address of a mint.
        custodian: Custodian,
    },
    /// Takes that back. What he keeps is still there when he is named again.
    Distrust {
        /// Who.
        custodian: Custodian,
    },
    /// What is in every purse. Answered by [`Reply::Balances`].
    Balances,
    /// What has moved in every purse. Answered by [`Reply::History`].
    History,
    /// How a purse can be filled. Answered by [`Reply::Deposit`]; once that is paid, the money comes by itself.
    Deposit {
        /// Which.
        purse: Purse,
        /// With how much, in minor units.
        minor: u64,
    },
    /// Brings in now what was paid for deposits. Answered by [`Reply::Collected`].
    Collect,
    /// Pays a request, such as a Lightning invoice, out of a purse. Answered by [`Reply::Withdrawn`].
    Withdraw {
        /// Out of which.
        purse: Purse,
        /// What is to be paid.
        request: String,
    },
    /// Takes money out of a purse as text: whoever has it first has the money. Answered by [`Reply::Text`].
    Give {
        /// Out of which.
        purse: Purse,
        /// How much, in minor units.
        minor: u64,
    },
    /// What was given away as text and not taken yet. Answered by [`Reply::Given`].
    Given,
    /// What a text that is money says of itself, without asking anybody. Answered by [`Reply::Examined`].
    Examine {
        /// The text.
        text: String,
    },
    /// Takes money that came as text. Answered by [`Reply::Taken`].
    Take {
        /// The text.
        text: String,
    },
    /// Finds what the phrase alone brings back. Answered by [`Reply::Restored`].
    Restore {
        /// Into which purse.
        purse: Purse,
    },
}

impl Command {
    /// Its name, for logs.
    #[must_use]
    pub const fn name(&self) -> &'static str {
        match self {
            Self::Custodians => "custodians",
            Self::Trust { .. } => "trust",
            Self::Distrust { .. } => "distrust",
            Self::Balances => "balances",
            Self::History => "history",
            Self::Deposit { .. } => "deposit",
            Self::Collect => "collect",
            Self::Withdraw { .. } => "withdraw",
            Self::Give { .. } => "give",
            Self::Given => "given",
            Self::Examine { .. } => "examine",
            Self::Take { .. } => "take",
            Self::Restore { .. } => "restore",
        }
    }

    /// How long an answer is waited for, if there is a bound: a withdrawal takes as long as whoever pays it out does.
    pub(crate) const fn is_bounded(&self) -> bool {
        !matches!(self, Self::Withdraw { .. })
    }
}

impl fmt::Debug for Command {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "wallet::Command({})", self.name())
    }
}

/// What a rail answers.
#[derive(Clone, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Reply {
    /// Done, and that is all.
    Done,
    /// Who may keep money.
    Custodians(Vec<Custodian>),
    /// What is in every purse.
    Balances(Vec<Balance>),
    /// What has moved in every purse, the newest first: together what is in it.
    History(Vec<Moved>),
    /// What to pay, and until when.
    Deposit(Deposit),
    /// What came in: how much in which purse, in minor units.
    Collected(Vec<(Purse, u64)>),
    /// What was paid out.
    Withdrawn(Withdrawal),
    /// Money as text.
    Text(String),
    /// What was given away and not taken yet.
    Given(Vec<Given>),
    /// For which purse a text says that it is, and how much it says it is, in minor units: its writer's word.
    Examined(Purse, u64),
    /// How much came in.
    Taken(Money),
    /// How much was found, in minor units.
    Restored(u64),
}

impl fmt::Debug for Reply {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("wallet::Reply(..)")
    }
}

/// What there is with a rail.
#[derive(Clone, Debug, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct View {
    /// Which rail.
    pub rail: String,
    /// Every purse that was ever used.
    pub balances: Vec<Balance>,
}

/// Puts a person's question to a rail.
pub(crate) async fn answer(rail: &OpenRail, command: Command) -> Result<Reply, Error> {
    Ok(match command {
        Command::Custodians => Reply::Custodians(rail.trusted().await?),
        Command::Trust { custodian } => {
            rail.trust(&custodian).await?;
            Reply::Done
        }
        Command::Distrust { custodian } => {
            rail.distrust(&custodian).await?;
            Reply::Done
        }
        Command::Balances => Reply::Balances(rail.balance().await?),
        Command::History => Reply::History(rail.history().await?),
        Command::Deposit { purse, minor } => Reply::Deposit(rail.deposit(&purse, minor).await?),
        Command::Collect => Reply::Collected(rail.collect().await?),
        Command::Withdraw { purse, request } => {
            Reply::Withdrawn(rail.withdraw(&purse, &request).await?)
        }
        Command::Give { purse, minor } => Reply::Text(rail.give(&purse, minor).await?),
        Command::Given => Reply::Given(rail.given().await?),
        Command::Examine { text } => {
            let (purse, minor) = rail.examine(&text).await?;
            Reply::Examined(purse, minor)
        }
        Command::Take { text } => Reply::Taken(rail.take(&text).await?),
        Command::Restore { purse } => Reply::Restored(rail.restore(&purse).await?),
    })
}

/// What a person is told if a rail did not do it.
pub(crate) fn complaint(error: &Error) -> Complaint {
    let sentence = match error {
        Error::Unsupported => "This way of paying cannot do that.".to_owned(),
        Error::Unknown(who) => format!(
            "{who} does not answer. Whether it was done shows when it does again; nothing is lost meanwhile."
        ),
        Error::NotTrusted(who) => {
            format!("You have not named {who} as one who may keep your money. Do that first.")
        }
        Error::NotEnough { have, need } => {
            format!("{need} are needed, the custodian's costs included, and {have} are there.")
        }
        Error::Damaged => "This cannot be read. Copy all of it, and try again.".to_owned(),
        Error::Spent => "Somebody has taken this money already.".to_owned(),
        Error::Refused(why) => format!("The custodian says no: {why}."),
        Error::NotSaved(_) => {
            "It could not be saved on this device, so it was not done. Make some room, and try again."
                .to_owned()
        }
        other @ (Error::BelowFloor { .. }
        | Error::AboveCeiling { .. }
        | Error::Mismatch(_)
        | Error::NotDone
        | Error::TooEarly
        | Error::Signature
        | Error::NotYours) => {
            let text = other.to_string();
            let mut letters = text.chars();
            let first = letters.next().map(|one| one.to_uppercase().to_string());
            format!("{}{}.", first.unwrap_or_default(), letters.as_str())
        }
    };
    Complaint {
        code: error.code().to_owned(),
        field: None,
        sentence,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_text_that_is_money_stands_in_no_log() {
        let text = "cashuBsecret".to_owned();
        let take = Command::Take { text: text.clone() };
        let examine = Command::Examine { text: text.clone() };
        for command in [take, examine] {
            assert!(!format!("{command:?}").contains("secret"));
        }
        assert!(!format!("{:?}", Reply::Text(text)).contains("secret"));
    }

    #[test]
    fn commands_are_read_as_programs_write_them() {
        let text = r#"{"deposit":{"purse":{"custodian":"https://mint.example","asset":"EUR"},"minor":500}}"#;
        let read: Command = serde_json::from_str(text).unwrap();
        assert!(matches!(read, Command::Deposit { minor: 500, .. }));
        assert_eq!(
            serde_json::from_str::<Command>("\"balances\"").unwrap(),
            Command::Balances
        );
    }
}
