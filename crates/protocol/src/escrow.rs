//! What two people agree on before money is set aside between them: who keeps it, how much of what, whose keys can move it,
//! and who gets it if nothing moves it until its deadline.
//!
//! A contract is the same bytes for everyone who knows the order, so that its id can stand for all of it. What a rail locks,
//! it locks under that id: nobody has to compare two descriptions of one lock.
//!
//! ```text
//! contract  CBOR array of 8: order id, custodian, [asset, amount], buyer's key, seller's key, arbiter's key or empty,
//!           holder (0 buyer, 1 seller), deadline
//! id        SHA-256(haggle/1/id/contract ‖ contract)
//! ```

use core::fmt;

use crate::amount::Money;
use crate::cbor::{Reader, Writer};
use crate::ids::{ContractId, DealKey, MessageId};
use crate::refusal::Refusal;
use crate::tag::{Tag, hash};
use crate::time::Timestamp;

/// The longest name of a custodian, in bytes.
pub const CUSTODIAN_MAX: usize = 128;

/// Who keeps the money while it is locked, as a rail names it: a mint's address. Everybody who uses the lock trusts it.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash, serde::Serialize)]
#[serde(transparent)]
pub struct Custodian(pub(crate) String);

impl Custodian {
    /// From its name: one to [`CUSTODIAN_MAX`] visible ASCII characters. Slashes at its end say nothing and are dropped, so that one
    /// mint has one name.
    ///
    /// # Errors
    /// [`Refusal::BadField`].
    pub fn new(name: &str) -> Result<Self, Refusal> {
        let name = name.trim_end_matches('/');
        let fine = (1..=CUSTODIAN_MAX).contains(&name.len())
            && name.bytes().all(|byte| byte.is_ascii_graphic());
        fine.then(|| Self(name.to_owned())).ok_or(Refusal::BadField)
    }

    /// The name.
    #[must_use]
    pub fn name(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for Custodian {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl fmt::Debug for Custodian {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Custodian({})", self.0)
    }
}

impl<'de> serde::Deserialize<'de> for Custodian {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let name = <String as serde::Deserialize>::deserialize(deserializer)?;
        Self::new(&name).map_err(|_| serde::de::Error::custom("not the name of a custodian"))
    }
}

/// One of the two who trade.
#[derive(
    Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, serde::Serialize, serde::Deserialize,
)]
#[serde(rename_all = "kebab-case")]
pub enum Side {
    /// Who pays.
    Buyer,
    /// Who delivers.
    Seller,
}

impl Side {
    /// The other one.
    #[must_use]
    pub const fn other(self) -> Self {
        match self {
            Self::Buyer => Self::Seller,
            Self::Seller => Self::Buyer,
        }
    }
}

/// One of the three who can have a key in a contract.
#[derive(
    Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, serde::Serialize, serde::Deserialize,
)]
#[serde(rename_all = "kebab-case")]
pub enum Party {
    /// Who pays.
    Buyer,
    /// Who delivers.
    Seller,
    /// Whom both chose to decide if they disagree.
    Arbiter,
}

impl From<Side> for Party {
    fn from(side: Side) -> Self {
        match side {
            Side::Buyer => Self::Buyer,
            Side::Seller => Self::Seller,
        }
    }
}

/// Money between two people. Any two of its keys move it, at any time; from its deadline on its holder alone can take it too.
#[derive(Clone, Debug, PartialEq, Eq, Hash, serde::Serialize, serde::Deserialize)]
pub struct Contract {
    /// For which order.
    pub order: MessageId,
    /// Who keeps the money.
    pub custodian: Custodian,
    /// What is shared out in the end. A custodian's own costs come on top.
    pub amount: Money,
    /// The buyer's key, made for this deal.
    pub buyer: DealKey,
    /// The seller's.
    pub seller: DealKey,
    /// The arbiter's, if the two chose one. Without one it takes both of them.
    pub arbiter: Option<DealKey>,
    /// Who gets it if nothing moves it until the deadline.
    pub holder: Side,
    /// Until when.
    pub deadline: Timestamp,
}

impl Contract {
    /// Its id: it stands for every term.
    #[must_use]
    pub fn id(&self) -> ContractId {
        let mut writer = Writer::new();
        self.write(&mut writer);
        ContractId(hash(Tag::IdContract, &[&writer.into_bytes()]))
    }

    /// Whose key is whose.
    #[must_use]
    pub const fn key(&self, party: Party) -> Option<DealKey> {
        match party {
            Party::Buyer => Some(self.buyer),
            Party::Seller => Some(self.seller),
            Party::Arbiter => self.arbiter,
        }
    }

    /// The same money, with another holder and deadline: what becomes of a contract when the goods are on their way.
    #[must_use]
    pub fn renewed(&self, holder: Side, deadline: Timestamp) -> Self {
        Self {
            holder,
            deadline,
            ..self.clone()
        }
    }

    /// Writes it.
    pub fn write(&self, writer: &mut Writer) {
        writer.array(FIELDS);
        writer.bytes(self.order.as_bytes());
        writer.text(self.custodian.name());
        self.amount.write(writer);
        writer.bytes(self.buyer.as_bytes());
        writer.bytes(self.seller.as_bytes());
        writer.bytes(
            self.arbiter
                .as_ref()
                .map_or(&[][..], |key| &key.as_bytes()[..]),
        );
        writer.uint(match self.holder {
            Side::Buyer => 0,
            Side::Seller => 1,
        });
        writer.uint(self.deadline.0);
    }

    /// Reads one.
    ///
    /// # Errors
    /// [`Refusal::BadField`] for nothing to share out, for keys that are none or not all different, and what the reader refuses.
    pub fn read(reader: &mut Reader<'_>) -> Result<Self, Refusal> {
        reader.tuple(FIELDS)?;
        let contract = Self {
            order: MessageId(reader.fixed()?),
            custodian: Custodian::new(reader.text(CUSTODIAN_MAX)?)?,
            amount: Money::read(reader)?,
            buyer: DealKey(reader.fixed()?),
            seller: DealKey(reader.fixed()?),
            arbiter: match reader.bytes(DealKey::LEN)? {
                [] => None,
                bytes => Some(DealKey::from_slice(bytes).ok_or(Refusal::BadField)?),
            },
            holder: match reader.uint(1)? {
                0 => Side::Buyer,
                _ => Side::Seller,
            },
            deadline: Timestamp(reader.uint(u64::from(u32::MAX))?),
        };
        contract.check()?;
        Ok(contract)
    }

    /// Whether it can be locked at all: there is something to share out, and each of its keys is another one's.
    ///
    /// # Errors
    /// [`Refusal::BadField`].
    pub fn check(&self) -> Result<(), Refusal> {
        // The x-coordinate alone: signatures do not tell a point from its mirror image (BIP-340), so such two are one key.
        let x = |key: &DealKey| key.0[1..].to_vec();
        let arbiter = self.arbiter.as_ref().map(x);
        let (buyer, seller) = (x(&self.buyer), x(&self.seller));
        let distinct = buyer != seller && arbiter.is_none_or(|key| key != buyer && key != seller);
        if self.amount.minor == 0 || !distinct {
            return Err(Refusal::BadField);
        }
        Ok(())
    }
}

/// Fields of a contract.
const FIELDS: usize = 8;

/// How the amount of a contract is shared out, in its minor units.
#[derive(
    Clone, Copy, Debug, Default, PartialEq, Eq, Hash, serde::Serialize, serde::Deserialize,
)]
pub struct Split {
    /// To the buyer.
    pub buyer: u64,
    /// To the seller.
    pub seller: u64,
    /// To the arbiter, for his work.
    pub arbiter: u64,
}

impl Split {
    /// All of it to one side.
    #[must_use]
    pub const fn all_to(side: Side, amount: Money) -> Self {
        match side {
            Side::Buyer => Self {
                buyer: amount.minor,
                seller: 0,
                arbiter: 0,
            },
            Side::Seller => Self {
                buyer: 0,
                seller: amount.minor,
                arbiter: 0,
            },
        }
    }

    /// What one of them gets.
    #[must_use]
    pub const fn of(&self, party: Party) -> u64 {
        match party {
            Party::Buyer => self.buyer,
            Party::Seller => self.seller,
            Party::Arbiter => self.arbiter,
        }
    }

    /// Whether it shares out exactly the contract's amount, and nothing to an arbiter who is not there.
    #[must_use]
    pub fn fits(&self, contract: &Contract) -> bool {
        let total = self
            .buyer
            .checked_add(self.seller)
            .and_then(|sum| sum.checked_add(self.arbiter));
        total == Some(contract.amount.minor) && (self.arbiter == 0 || contract.arbiter.is_some())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::amount::Asset;

    fn key(number: u8) -> DealKey {
        let mut bytes = [number; 33];
        bytes[0] = 2;
        DealKey(bytes)
    }

    fn contract() -> Contract {
        Contract {
            order: MessageId([7; 32]),
            custodian: Custodian::new("https://mint.example.org/").unwrap(),
            amount: Money::new(9_000, Asset::new("EUR").unwrap()),
            buyer: key(1),
            seller: key(2),
            arbiter: Some(key(3)),
            holder: Side::Buyer,
            deadline: Timestamp(1_900_000_000),
        }
    }

    fn read_back(contract: &Contract) -> Result<Contract, Refusal> {
        let mut writer = Writer::new();
        contract.write(&mut writer);
        let bytes = writer.into_bytes();
        let mut reader = Reader::new(&bytes);
        Contract::read(&mut reader)
    }

    #[test]
    fn a_contract_reads_as_it_was_written() {
        let whole = contract();
        assert_eq!(read_back(&whole), Ok(whole.clone()));
        let without = Contract {
            arbiter: None,
            holder: Side::Seller,
            ..whole
        };
        assert_eq!(read_back(&without), Ok(without));
    }

    #[test]
    fn each_term_is_part_of_a_contract_s_id() {
        let one = contract();
        let others = [
            Contract {
                order: MessageId([8; 32]),
                ..one.clone()
            },
            Contract {
                custodian: Custodian::new("https://other.example.org").unwrap(),
                ..one.clone()
            },
            Contract {
                amount: Money::new(9_001, one.amount.asset),
                ..one.clone()
            },
            Contract {
                amount: Money::new(9_000, Asset::new("USD").unwrap()),
                ..one.clone()
            },
            Contract {
                buyer: key(4),
                ..one.clone()
            },
            Contract {
                seller: key(4),
                ..one.clone()
            },
            Contract {
                arbiter: Some(key(4)),
                ..one.clone()
            },
            Contract {
                arbiter: None,
                ..one.clone()
            },
            Contract {
                holder: Side::Seller,
                ..one.clone()
            },
            Contract {
                deadline: Timestamp(1_900_000_001),
                ..one.clone()
            },
        ];
        for other in others {
            assert_ne!(other.id(), one.id(), "{other:?}");
        }
        assert_eq!(contract().id(), one.id());
    }

    #[test]
    fn a_contract_over_nothing_or_with_one_key_twice_is_refused() {
        let one = contract();
        let mut mirrored = one.buyer;
        mirrored.0[0] = 3;
        for wrong in [
            Contract {
                amount: Money::new(0, one.amount.asset),
                ..one.clone()
            },
            Contract {
                seller: one.buyer,
                ..one.clone()
            },
            Contract {
                seller: mirrored,
                ..one.clone()
            },
            Contract {
                arbiter: Some(one.seller),
                ..one
            },
        ] {
            assert_eq!(read_back(&wrong), Err(Refusal::BadField), "{wrong:?}");
        }
    }

    #[test]
    fn a_split_shares_out_everything_and_nothing_more() {
        let one = contract();
        let split = |buyer, seller, arbiter| Split {
            buyer,
            seller,
            arbiter,
        };
        assert!(split(2_700, 6_300, 0).fits(&one));
        assert!(split(2_700, 6_200, 100).fits(&one));
        assert!(!split(2_700, 6_301, 0).fits(&one));
        assert!(!split(2_700, 6_299, 0).fits(&one));
        assert!(!split(u64::MAX, 9_001, 0).fits(&one));
        let alone = Contract {
            arbiter: None,
            ..one.clone()
        };
        assert!(!split(0, 8_900, 100).fits(&alone));
        assert!(Split::all_to(Side::Seller, one.amount).fits(&alone));
        assert!(Split::all_to(Side::Buyer, one.amount).fits(&alone));
    }

    #[test]
    fn one_custodian_has_one_name() {
        assert_eq!(
            Custodian::new("https://mint.example.org/"),
            Custodian::new("https://mint.example.org")
        );
        for wrong in [
            "",
            "/",
            "https://mint example",
            "https://münze.example",
            &"x".repeat(129),
        ] {
            assert_eq!(Custodian::new(wrong), Err(Refusal::BadField), "{wrong}");
        }
    }
}
