//! What a buyer says out loud: any good or service, described well enough to be quoted, and nothing about him.
//!
//! The key that signs it is fresh for each intent. A revision is the whole intent again under the same key, naming the
//! first frame and a rising number; a close says only that it is over, never why.

use crate::amount::{Asset, Money, Quantity};
use crate::arbitration::ArbiterTerms;
use crate::attribute::{self, Wish};
use crate::category::Category;
use crate::cbor::{Fields, Reader, Writer};
use crate::frame::{Facets, Frame, Kind};
use crate::ids::{FrameId, IntentId, SealPublic};
use crate::keys::{Mark, check_seal_key};
use crate::limits::{DELIVERIES_MAX, DETAILS_MAX, PLACES_MAX, SEAL_KEY_MAX, TITLE_MAX};
use crate::place::Place;
use crate::refusal::Refusal;
use crate::seal::SUITE_X25519;
use crate::text;
use crate::time::Timestamp;

/// What the buyer is ready to pay. Sealed is the default: a public maximum invites quotes up to it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Budget {
    /// Only the currency is public.
    Sealed(Asset),
    /// The currency and the order of magnitude: `floor(log2(minor units)) + 1`, from 1 to 53.
    Band(Asset, u8),
    /// The most he pays is public.
    Public(Money),
}

impl Budget {
    /// The currency in which quotes are asked for.
    #[must_use]
    pub const fn asset(&self) -> Asset {
        match self {
            Self::Sealed(asset) | Self::Band(asset, _) => *asset,
            Self::Public(money) => money.asset,
        }
    }

    /// The band in which an amount lies.
    #[must_use]
    pub fn band_of(money: Money) -> u8 {
        u8::try_from(u64::BITS - money.minor.leading_zeros()).unwrap_or(53)
    }

    /// The most that is publicly known to be acceptable, in minor units.
    #[must_use]
    pub const fn ceiling(&self) -> Option<u64> {
        match self {
            Self::Sealed(_) => None,
            Self::Band(_, band) => match 1u64.checked_shl(*band as u32) {
                Some(above) => Some(above - 1),
                None => Some(u64::MAX),
            },
            Self::Public(money) => Some(money.minor),
        }
    }
}

/// How it gets to the buyer.
#[derive(
    Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, serde::Serialize, serde::Deserialize,
)]
#[serde(rename_all = "kebab-case")]
pub enum Delivery {
    /// The buyer fetches it.
    Pickup,
    /// It is sent or brought.
    Shipping,
    /// The work is done at the buyer's place.
    OnSite,
    /// It travels over the wire.
    Digital,
    /// From one place to another: a ride, a courier.
    Transport,
}

impl Delivery {
    /// All of them, in the order of their numbers.
    pub const ALL: [Self; 5] = [
        Self::Pickup,
        Self::Shipping,
        Self::OnSite,
        Self::Digital,
        Self::Transport,
    ];

    pub(crate) const fn to_wire(self) -> u64 {
        match self {
            Self::Pickup => 1,
            Self::Shipping => 2,
            Self::OnSite => 3,
            Self::Digital => 4,
            Self::Transport => 5,
        }
    }

    pub(crate) fn read(reader: &mut Reader<'_>) -> Result<Self, Refusal> {
        let number = reader.uint(u64::from(u8::MAX))?;
        Self::ALL
            .into_iter()
            .find(|delivery| delivery.to_wire() == number)
            .ok_or(Refusal::UnknownField)
    }
}

/// A span of time in which it is needed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub struct Window {
    /// Not before.
    pub from: Timestamp,
    /// Not after.
    pub to: Timestamp,
}

/// A key to seal quotes to, with the suite that it is for. No negotiation: who does not know it stays silent.
#[derive(Clone, Debug, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub struct SealKey {
    /// Which suite.
    pub suite: u8,
    /// The key's bytes, as the suite defines them.
    #[serde(with = "crate::hex::vec")]
    pub key: Vec<u8>,
}

impl SealKey {
    /// The suite of today.
    #[must_use]
    pub fn x25519(key: SealPublic) -> Self {
        Self {
            suite: SUITE_X25519,
            key: key.0.to_vec(),
        }
    }

    /// The key, if it is of the suite that we know.
    #[must_use]
    pub fn as_x25519(&self) -> Option<SealPublic> {
        (self.suite == SUITE_X25519)
            .then(|| SealPublic::from_slice(&self.key))
            .flatten()
    }
}

/// Which intent is changed, and how often it was.
#[derive(Clone, Copy, Debug, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub struct Revision {
    /// The intent's name: the id of its first frame.
    pub first: IntentId,
    /// Rises with each revision: `max(time of publishing, last + 1)`, so that a restored device outranks its former self.
    pub rev: u64,
}

/// What somebody wants.
#[derive(Clone, Debug, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub struct Intent {
    /// In one line.
    pub title: String,
    /// In more words, if needed.
    pub details: Option<String>,
    /// Where it belongs.
    pub category: Category,
    /// What it must or should be like.
    pub wishes: Vec<Wish>,
    /// How much of it.
    pub quantity: Quantity,
    /// What it may cost.
    pub budget: Budget,
    /// How it may get here; at least one.
    pub deliveries: Vec<Delivery>,
    /// Coarsely where: none (anywhere), one, or from and to.
    pub places: Vec<Place>,
    /// When it is needed.
    pub window: Option<Window>,
    /// Until when quotes are taken.
    pub quotes_due: Timestamp,
    /// Until when its owner goes on renewing it, if longer than one frame lives.
    pub until: Option<Timestamp>,
    /// How many quotes are taken at most.
    pub max_quotes: Option<u16>,
    /// In which language its owner likes to read, as a BCP 47 tag of at most eight characters.
    pub lang: Option<String>,
    /// The key to which quotes are sealed.
    pub seal: SealKey,
    /// By which its owner finds it again.
    pub mark: Mark,
    /// On which terms its owner decides for others who disagree: then he wants nothing himself, and no stall answers it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub arbiter: Option<ArbiterTerms>,
    /// Set in an update, absent in the first frame.
    pub revision: Option<Revision>,
}

/// Quotes an intent takes when it does not say: enough to choose from, few enough to read.
pub const MAX_QUOTES_DEFAULT: u16 = 64;

impl Intent {
    /// The body of a frame.
    #[must_use]
    pub fn to_body(&self) -> Vec<u8> {
        let mut writer = Writer::new();
        writer.map(|map| {
            map.field(2, |w| w.text(&self.title));
            map.optional(3, self.details.as_deref(), Writer::text);
            map.field(4, |w| w.uint(u64::from(self.category.0)));
            map.field(6, |w| attribute::write_wishes(&self.wishes, w));
            map.optional(7, self.max_quotes, |w, max| w.uint(u64::from(max)));
            map.field(8, |w| self.quantity.write(w));
            map.optional(9, self.until, |w, until| w.uint(u64::from(until.to_wire())));
            map.field(10, |w| self.write_budget(w));
            map.optional(11, self.lang.as_deref(), Writer::text);
            map.field(12, |w| {
                w.array(self.deliveries.len());
                for delivery in &self.deliveries {
                    w.uint(delivery.to_wire());
                }
            });
            map.field(14, |w| {
                w.array(self.places.len());
                for place in &self.places {
                    place.write(w);
                }
            });
            map.optional(16, self.window, |w, window| {
                w.array(2);
                w.uint(u64::from(window.from.to_wire()));
                w.uint(u64::from(window.to.to_wire()));
            });
            map.field(18, |w| w.uint(u64::from(self.quotes_due.to_wire())));
            map.field(20, |w| {
                w.array(2);
                w.uint(u64::from(self.seal.suite));
                w.bytes(&self.seal.key);
            });
            map.field(22, |w| w.bytes(&self.mark.0));
            map.optional(23, self.arbiter.as_ref(), |w, terms| terms.write(w));
            if let Some(revision) = self.revision {
                map.field(26, |w| w.bytes(&revision.first.0));
                map.field(28, |w| w.uint(revision.rev));
            }
        });
        writer.into_bytes()
    }

    /// Reads the body of a frame of kind [`Kind::Intent`] or [`Kind::IntentUpdate`].
    ///
    /// # Errors
    /// The [`Refusal`] of the first thing that is wrong.
    pub fn from_frame(frame: &Frame) -> Result<Self, Refusal> {
        let header = frame.header();
        let revised = match header.kind {
            Kind::Intent => false,
            Kind::IntentUpdate => true,
            Kind::IntentClose | Kind::Reach | Kind::Other(_) => return Err(Refusal::UnknownKind),
        };
        let intent = Self::from_body(frame.body())?;
        // The header repeats what can be sorted by; a frame that says two things is refused.
        if intent.revision.is_some() != revised
            || intent.facets() != header.facets_without_reserved()
        {
            return Err(Refusal::BadField);
        }
        Ok(intent)
    }

    /// Reads a body; see [`Intent::from_frame`] for a frame.
    ///
    /// # Errors
    /// The [`Refusal`] of the first thing that is wrong.
    pub fn from_body(body: &[u8]) -> Result<Self, Refusal> {
        let mut reader = Reader::new(body);
        let r = &mut reader;
        let mut fields = r.map()?;
        let (mut title, mut details, mut category, mut wishes) = (None, None, None, None);
        let (mut quantity, mut budget, mut deliveries, mut places) = (None, None, None, None);
        let (mut window, mut quotes_due, mut until, mut max_quotes) = (None, None, None, None);
        let (mut lang, mut seal, mut mark, mut first, mut rev) = (None, None, None, None, None);
        let mut arbiter = None;
        while let Some(key) = fields.next(r)? {
            match key {
                2 => title = Some(r.text(TITLE_MAX)?.to_owned()),
                3 => details = Some(r.text(DETAILS_MAX)?.to_owned()),
                4 => category = Some(Category(r.small()?)),
                6 => wishes = Some(attribute::read_wishes(r)?),
                7 => max_quotes = Some(r.small()?),
                8 => quantity = Some(Quantity::read(r)?),
                9 => until = Some(Timestamp::from(r.small::<u32>()?)),
                10 => budget = Some(read_budget(r)?),
                11 => lang = Some(r.text(8)?.to_owned()),
                12 => deliveries = Some(r.list(DELIVERIES_MAX, Delivery::read)?),
                14 => places = Some(r.list(PLACES_MAX, Place::read)?),
                16 => {
                    r.tuple(2)?;
                    let from = Timestamp::from(r.small::<u32>()?);
                    window = Some(Window {
                        from,
                        to: r.small::<u32>()?.into(),
                    });
                }
                18 => quotes_due = Some(Timestamp::from(r.small::<u32>()?)),
                20 => {
                    r.tuple(2)?;
                    let suite = r.small()?;
                    seal = Some(SealKey {
                        suite,
                        key: r.bytes(SEAL_KEY_MAX)?.to_vec(),
                    });
                }
                22 => mark = Some(Mark(r.fixed()?)),
                23 => arbiter = Some(ArbiterTerms::read(r)?),
                26 => first = Some(IntentId(r.fixed()?)),
                28 => rev = Some(r.uint(Money::MAX)?),
                other => Fields::unknown(other, r)?,
            }
        }
        r.end()?;
        let intent = Self {
            title: title.ok_or(Refusal::MissingField)?,
            details,
            category: category.ok_or(Refusal::MissingField)?,
            wishes: wishes.ok_or(Refusal::MissingField)?,
            quantity: quantity.ok_or(Refusal::MissingField)?,
            budget: budget.ok_or(Refusal::MissingField)?,
            deliveries: deliveries.ok_or(Refusal::MissingField)?,
            places: places.ok_or(Refusal::MissingField)?,
            window,
            quotes_due: quotes_due.ok_or(Refusal::MissingField)?,
            until,
            max_quotes,
            lang,
            seal: seal.ok_or(Refusal::MissingField)?,
            mark: mark.ok_or(Refusal::MissingField)?,
            arbiter,
            revision: match (first, rev) {
                (Some(first), Some(rev)) => Some(Revision { first, rev }),
                (None, None) => None,
                (Some(_), None) | (None, Some(_)) => return Err(Refusal::MissingField),
            },
        };
        intent.check()?;
        Ok(intent)
    }

    /// Checks what a stranger's would be checked for; one's own goes through it before it is signed.
    ///
    /// # Errors
    /// [`Refusal::BadText`] or [`Refusal::BadField`].
    pub fn check(&self) -> Result<(), Refusal> {
        text::line(&self.title, TITLE_MAX)?;
        if let Some(details) = &self.details {
            text::paragraphs(details, DETAILS_MAX)?;
        }
        if let Some(lang) = &self.lang {
            let fine = lang.bytes().all(|c| c.is_ascii_alphanumeric() || c == b'-');
            if lang.is_empty() || lang.len() > 8 || !fine {
                return Err(Refusal::BadText);
            }
        }
        if self.places.len() > PLACES_MAX {
            return Err(Refusal::BadField);
        }
        attribute::check_wishes(&self.wishes)?;
        if let Some(terms) = &self.arbiter {
            terms.check()?;
        }
        for place in &self.places {
            place.check()?;
        }
        let ascending = self.deliveries.windows(2).all(|pair| pair[0] < pair[1]);
        if self.deliveries.is_empty()
            || !ascending
            || self.category.0 > Category::MAX
            || self.quantity.n == 0
            || self.quantity.scale > Quantity::SCALE_MAX
            || self.max_quotes == Some(0)
            || self.window.is_some_and(|window| window.to < window.from)
            || self.seal.key.len() > SEAL_KEY_MAX
        {
            return Err(Refusal::BadField);
        }
        if self.seal.suite == SUITE_X25519 {
            check_seal_key(&self.seal.as_x25519().ok_or(Refusal::BadField)?)?;
        }
        match self.budget {
            Budget::Band(_, band) if !(1..=53).contains(&band) => Err(Refusal::BadField),
            Budget::Public(money) if money.minor == 0 || money.minor > Money::MAX => {
                Err(Refusal::BadField)
            }
            Budget::Sealed(_) | Budget::Band(..) | Budget::Public(_) => Ok(()),
        }
    }

    /// What its header repeats.
    #[must_use]
    pub fn facets(&self) -> Facets {
        Facets {
            category: self.category,
            cell: self.places.first().map_or(0, Place::cell),
            currency: 0,
            band: match self.budget {
                Budget::Sealed(_) => 0,
                Budget::Band(_, band) => band,
                Budget::Public(money) => Budget::band_of(money),
            },
            flags: 0,
        }
    }

    fn write_budget(&self, writer: &mut Writer) {
        match self.budget {
            Budget::Sealed(asset) => {
                writer.array(2);
                writer.uint(0);
                writer.text(asset.code());
            }
            Budget::Band(asset, band) => {
                writer.array(3);
                writer.uint(1);
                writer.text(asset.code());
                writer.uint(u64::from(band));
            }
            Budget::Public(money) => {
                writer.array(2);
                writer.uint(2);
                money.write(writer);
            }
        }
    }
}

/// Items in a budget of any kind, known or not.
const BUDGET_ITEMS_MAX: usize = 8;

fn read_budget(reader: &mut Reader<'_>) -> Result<Budget, Refusal> {
    let len = reader.array(BUDGET_ITEMS_MAX)?;
    match (len, reader.small::<u8>()?) {
        (2, 0) => Ok(Budget::Sealed(Asset::new(reader.text(8)?)?)),
        (3, 1) => {
            let asset = Asset::new(reader.text(8)?)?;
            Ok(Budget::Band(asset, reader.small()?))
        }
        (2, 2) => Ok(Budget::Public(Money::read(reader)?)),
        (_, 0..=2) => Err(Refusal::BadField),
        // A way of stating a budget that a newer version knows.
        _ => Err(Refusal::UnknownField),
    }
}

/// It is over. Nothing says why: filled, cancelled and expired look the same.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct IntentClose {
    /// Which intent.
    pub revision: Revision,
}

impl IntentClose {
    /// The body of a frame.
    #[must_use]
    pub fn to_body(&self) -> Vec<u8> {
        let mut writer = Writer::new();
        writer.map(|map| {
            map.field(2, |w| w.bytes(&self.revision.first.0));
            map.field(4, |w| w.uint(self.revision.rev));
        });
        writer.into_bytes()
    }

    /// Reads the body of a frame of kind [`Kind::IntentClose`].
    ///
    /// # Errors
    /// The [`Refusal`] of the first thing that is wrong.
    pub fn from_body(body: &[u8]) -> Result<Self, Refusal> {
        let mut reader = Reader::new(body);
        let r = &mut reader;
        let mut fields = r.map()?;
        let (mut first, mut rev) = (None, None);
        while let Some(key) = fields.next(r)? {
            match key {
                2 => first = Some(IntentId(r.fixed()?)),
                4 => rev = Some(r.uint(Money::MAX)?),
                other => Fields::unknown(other, r)?,
            }
        }
        r.end()?;
        match (first, rev) {
            (Some(first), Some(rev)) => Ok(Self {
                revision: Revision { first, rev },
            }),
            _ => Err(Refusal::MissingField),
        }
    }
}

impl crate::frame::Header {
    fn facets_without_reserved(&self) -> Facets {
        Facets {
            currency: 0,
            flags: 0,
            ..self.facets
        }
    }
}

/// The intent that a frame of it belongs to: its own id for the first, the named one for a revision.
#[must_use]
pub fn intent_id(frame_id: FrameId, revision: Option<Revision>) -> IntentId {
    revision.map_or_else(|| frame_id.into(), |revision| revision.first)
}
