//! What two who trade tell each other about money that is locked between them: where it can be kept, what was agreed on with the
//! order, that it is locked, and what shall become of it.
//!
//! What a rail needs beside that is bytes to everybody else: [`Locked`] and the signatures of a [`Settlement`] mean something to the
//! rail alone, which checks them against the [`Contract`] that both sides work out for themselves.

use core::fmt;

use zeroize::{Zeroize, ZeroizeOnDrop};

use crate::amount::{Asset, Money};
use crate::arbitration::Arbiter;
use crate::cbor::{Fields, Reader, Writer};
use crate::escrow::{CUSTODIAN_MAX, Contract, Custodian, Party, Side, Split};
use crate::ids::{ContractId, DealKey, MessageId};
use crate::refusal::Refusal;
use crate::text;
use crate::time::Timestamp;

/// Custodians that a quote can name.
pub const KEEPERS_MAX: usize = 4;
/// The name of a rail, in bytes.
pub const RAIL_MAX: usize = 16;
/// One signature of a settlement, in bytes.
pub const DEAL_SIGNATURE_MAX: usize = 128;
/// The longest time a buyer has to look at what has come before its seller is paid, in seconds.
pub const REVIEW_MAX: u32 = 60 * 24 * 60 * 60;

/// Who can keep money until a trade is over, on which rail, counted in what.
#[derive(
    Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, serde::Serialize, serde::Deserialize,
)]
pub struct Keeper {
    /// By which rail: lower-case ASCII, at most [`RAIL_MAX`] bytes.
    pub rail: String,
    /// Who.
    pub custodian: Custodian,
    /// In what.
    pub asset: Asset,
}

impl Keeper {
    /// Checks the name of the rail.
    ///
    /// # Errors
    /// [`Refusal::BadText`].
    pub fn check(&self) -> Result<(), Refusal> {
        text::name(&self.rail, RAIL_MAX).map(|_| ())
    }

    pub(crate) fn write(&self, writer: &mut Writer) {
        writer.array(3);
        writer.text(&self.rail);
        writer.text(self.custodian.name());
        writer.text(self.asset.code());
    }

    pub(crate) fn read(r: &mut Reader<'_>) -> Result<Self, Refusal> {
        r.tuple(3)?;
        Ok(Self {
            rail: text::name(r.text(RAIL_MAX)?, RAIL_MAX)?,
            custodian: Custodian::new(r.text(CUSTODIAN_MAX)?)?,
            asset: Asset::new(r.text(8)?)?,
        })
    }
}

/// What an order says of the money that its buyer will lock once the order is confirmed.
#[derive(Clone, Debug, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub struct EscrowPlan {
    /// Who keeps it, one of those that the quote names, and in what.
    pub keeper: Keeper,
    /// How much, in minor units of the keeper's asset. Where that is not the quote's currency, this is the rate that both agree on.
    pub minor: u64,
    /// Until when the seller has to say that he has sent it or handed it over. Then the buyer gets his money back.
    pub deadline: Timestamp,
    /// How long after that word the buyer has to object, in seconds, until the seller is paid: 1 to [`REVIEW_MAX`].
    pub review: u32,
    /// Who decides if the two disagree, one of those that the quote names; none: what both do not agree on stays until the deadline.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub arbiter: Option<Arbiter>,
}

impl EscrowPlan {
    /// What will be locked.
    #[must_use]
    pub const fn amount(&self) -> Money {
        Money::new(self.minor, self.keeper.asset)
    }

    /// Checks names and bounds.
    ///
    /// # Errors
    /// [`Refusal::BadText`], [`Refusal::BadField`].
    pub fn check(&self) -> Result<(), Refusal> {
        self.keeper.check()?;
        let mut fine =
            (1..=Money::MAX).contains(&self.minor) && (1..=REVIEW_MAX).contains(&self.review);
        if let Some(arbiter) = &self.arbiter {
            arbiter.terms.check()?;
            // His key is one of that rail's.
            fine &= arbiter.terms.rail == self.keeper.rail;
        }
        fine.then_some(()).ok_or(Refusal::BadField)
    }

    pub(crate) fn write(&self, writer: &mut Writer) {
        // Without an arbiter it is as long as it was before there were any.
        writer.array(4 + usize::from(self.arbiter.is_some()));
        self.keeper.write(writer);
        writer.uint(self.minor);
        writer.uint(u64::from(self.deadline.to_wire()));
        writer.uint(u64::from(self.review));
        if let Some(arbiter) = &self.arbiter {
            arbiter.write(writer);
        }
    }

    pub(crate) fn read(r: &mut Reader<'_>) -> Result<Self, Refusal> {
        let items = r.array(5)?;
        if items < 4 {
            return Err(Refusal::BadField);
        }
        let plan = Self {
            keeper: Keeper::read(r)?,
            minor: r.uint(Money::MAX)?,
            deadline: Timestamp::from(r.small::<u32>()?),
            review: r.small()?,
            arbiter: (items == 5).then(|| Arbiter::read(r)).transpose()?,
        };
        plan.check()?;
        Ok(plan)
    }
}

/// A contract and who one is in it.
#[derive(Clone, Debug, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub struct Deal {
    /// The terms.
    pub contract: Contract,
    /// Which of its parties one is.
    pub party: Party,
    /// By which quote this party's key was made.
    pub quote: MessageId,
}

/// What a locking party tells the others, in the rail's own form: everything that is needed to check and to move the lock beside the
/// contract and a key. Nobody can take the money by it.
#[derive(Clone, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub struct Locked(pub Vec<u8>);

impl Locked {
    /// The longest, in bytes: it must fit a private message beside what else is said.
    pub const MAX: usize = 8_192;
}

impl fmt::Debug for Locked {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Locked({} bytes)", self.0.len())
    }
}

/// What is to become of a lock.
#[derive(Clone, Copy, Debug, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Outcome {
    /// It is shared out. Two keys agree.
    Split(Split),
    /// It stays locked, for another holder and until another time. Two keys agree.
    Renew {
        /// Who gets it then if nothing moves it.
        holder: Side,
        /// Until when.
        deadline: Timestamp,
    },
    /// The deadline has passed: the holder takes it, alone.
    Expired,
}

impl Outcome {
    fn write(&self, writer: &mut Writer) {
        let numbers: &[u64] = match *self {
            Self::Split(split) => &[0, split.buyer, split.seller, split.arbiter],
            Self::Renew { holder, deadline } => &[
                1,
                match holder {
                    Side::Buyer => 0,
                    Side::Seller => 1,
                },
                u64::from(deadline.to_wire()),
            ],
            Self::Expired => &[2],
        };
        writer.array(numbers.len());
        for number in numbers {
            writer.uint(*number);
        }
    }

    fn read(r: &mut Reader<'_>) -> Result<Self, Refusal> {
        let numbers = r.list(4, |r| r.uint(Money::MAX))?;
        match numbers[..] {
            [0, buyer, seller, arbiter] => Ok(Self::Split(Split {
                buyer,
                seller,
                arbiter,
            })),
            [1, holder @ 0..=1, deadline] => Ok(Self::Renew {
                holder: if holder == 0 {
                    Side::Buyer
                } else {
                    Side::Seller
                },
                deadline: u32::try_from(deadline)
                    .map_err(|_| Refusal::BadField)?
                    .into(),
            }),
            [2] => Ok(Self::Expired),
            _ => Err(Refusal::BadField),
        }
    }
}

/// An outcome on its way: signed by one, then by another, then carried out by either.
#[derive(Clone, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub struct Settlement {
    /// Of which contract.
    pub contract: ContractId,
    /// What is agreed on.
    pub outcome: Outcome,
    /// Drawn by whoever proposes it, so that nobody else could prepare for it.
    pub salt: [u8; 32],
    /// Who has signed, at most once each.
    pub signatures: Vec<Signed>,
}

impl Settlement {
    /// Whether one of the three has signed it.
    #[must_use]
    pub fn is_signed_by(&self, party: Party) -> bool {
        self.signatures.iter().any(|one| one.party == party)
    }

    /// Checks that each party has signed at most once, with no more bytes than a signature has.
    ///
    /// # Errors
    /// [`Refusal::BadField`].
    pub fn check(&self) -> Result<(), Refusal> {
        let signers = || self.signatures.iter().map(|one| one.party);
        let once = signers().all(|party| signers().filter(|other| *other == party).count() == 1);
        let fits = |one: &Signed| one.signature.len() <= DEAL_SIGNATURE_MAX;
        if !once || !self.signatures.iter().all(fits) {
            return Err(Refusal::BadField);
        }
        Ok(())
    }

    pub(crate) fn write(&self, writer: &mut Writer) {
        writer.array(4);
        writer.bytes(self.contract.as_bytes());
        self.outcome.write(writer);
        writer.bytes(&self.salt);
        writer.array(self.signatures.len());
        for one in &self.signatures {
            writer.array(2);
            writer.uint(match one.party {
                Party::Buyer => 0,
                Party::Seller => 1,
                Party::Arbiter => 2,
            });
            writer.bytes(&one.signature);
        }
    }

    pub(crate) fn read(r: &mut Reader<'_>) -> Result<Self, Refusal> {
        r.tuple(4)?;
        let settlement = Self {
            contract: ContractId(r.fixed()?),
            outcome: Outcome::read(r)?,
            salt: r.fixed()?,
            signatures: r.list(3, |r| {
                r.tuple(2)?;
                Ok(Signed {
                    party: match r.uint(2)? {
                        0 => Party::Buyer,
                        1 => Party::Seller,
                        _ => Party::Arbiter,
                    },
                    signature: r.bytes(DEAL_SIGNATURE_MAX)?.to_vec(),
                })
            })?,
        };
        settlement.check()?;
        Ok(settlement)
    }
}

impl fmt::Debug for Settlement {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let signers: Vec<_> = self.signatures.iter().map(|one| one.party).collect();
        f.debug_struct("Settlement")
            .field("contract", &self.contract)
            .field("outcome", &self.outcome)
            .field("signed by", &signers)
            .finish_non_exhaustive()
    }
}

/// One party's signature under a settlement.
#[derive(Clone, PartialEq, Eq, Zeroize, ZeroizeOnDrop, serde::Serialize, serde::Deserialize)]
pub struct Signed {
    /// Whose.
    #[zeroize(skip)]
    pub party: Party,
    /// In the rail's own form.
    pub signature: Vec<u8>,
}

impl fmt::Debug for Signed {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Signed({:?})", self.party)
    }
}

/// The buyer has locked what was agreed on, or what was locked is locked anew for its seller.
#[derive(Clone, PartialEq, Eq)]
pub struct EscrowLock {
    /// For which order.
    pub order: MessageId,
    /// The buyer's key of this deal: with it its seller knows the whole contract.
    pub key: DealKey,
    /// Under which contract: the order's, or what became of it.
    pub contract: ContractId,
    /// How it can be found and checked.
    pub locked: Locked,
}

impl fmt::Debug for EscrowLock {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("EscrowLock")
            .field("order", &self.order)
            .finish_non_exhaustive()
    }
}

impl EscrowLock {
    pub(crate) fn write(&self, writer: &mut Writer) {
        writer.map(|map| {
            map.field(2, |w| w.bytes(&self.order.0));
            map.field(4, |w| w.bytes(self.key.as_bytes()));
            map.field(6, |w| w.bytes(self.contract.as_bytes()));
            map.field(8, |w| w.bytes(&self.locked.0));
        });
    }

    pub(crate) fn read(r: &mut Reader<'_>) -> Result<Self, Refusal> {
        let mut fields = r.map()?;
        let (mut order, mut key, mut contract, mut locked) = (None, None, None, None);
        while let Some(field) = fields.next(r)? {
            match field {
                2 => order = Some(MessageId(r.fixed()?)),
                4 => key = Some(DealKey(r.fixed()?)),
                6 => contract = Some(ContractId(r.fixed()?)),
                8 => locked = Some(Locked(r.bytes(Locked::MAX)?.to_vec())),
                other => Fields::unknown(other, r)?,
            }
        }
        Ok(Self {
            order: order.ok_or(Refusal::MissingField)?,
            key: key.ok_or(Refusal::MissingField)?,
            contract: contract.ok_or(Refusal::MissingField)?,
            locked: locked.ok_or(Refusal::MissingField)?,
        })
    }
}

/// What one of the two would have become of the lock, signed by him, or by both once it was carried out.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Settle {
    /// Of which order.
    pub order: MessageId,
    /// What, and who has signed it.
    pub settlement: Settlement,
}

impl Settle {
    pub(crate) fn write(&self, writer: &mut Writer) {
        writer.map(|map| {
            map.field(2, |w| w.bytes(&self.order.0));
            map.field(4, |w| self.settlement.write(w));
        });
    }

    pub(crate) fn read(r: &mut Reader<'_>) -> Result<Self, Refusal> {
        let mut fields = r.map()?;
        let (mut order, mut settlement) = (None, None);
        while let Some(field) = fields.next(r)? {
            match field {
                2 => order = Some(MessageId(r.fixed()?)),
                4 => settlement = Some(Settlement::read(r)?),
                other => Fields::unknown(other, r)?,
            }
        }
        Ok(Self {
            order: order.ok_or(Refusal::MissingField)?,
            settlement: settlement.ok_or(Refusal::MissingField)?,
        })
    }
}
