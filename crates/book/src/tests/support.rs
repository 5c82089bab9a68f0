//! Frames as an honest peer signs them, for an ordinary market.

use haggle_protocol::amount::{Asset, Quantity};
use haggle_protocol::category::Category;
use haggle_protocol::frame::{Facets, Header};
use haggle_protocol::ids::SealPublic;
use haggle_protocol::intent::{Budget, Delivery, IntentClose, Revision, SealKey};
use haggle_protocol::keys::{Mark, SigningKey};
use haggle_protocol::limits::POW_FLOOR;
use haggle_protocol::reach::{Circuit, Entry};
use haggle_protocol::{Frame, Intent, IntentId, Kind, Network, PublicKey, Reach, Timestamp};

use crate::{Book, Limits, Source};

/// Noon of some day; full minutes, as public times are.
pub(super) const NOON: Timestamp = Timestamp(1_790_000_040);
/// An intent's usual life in these tests, in seconds.
pub(super) const LIFE: u64 = 1_800;

pub(super) fn network() -> Network {
    Network::named("book-tests")
}

pub(super) fn book(limits: Limits) -> Book {
    Book::new(network(), limits, 7)
}

pub(super) fn peer(number: u8) -> Source {
    Source::Peer(PublicKey([number; 32]))
}

/// One person's intent key and what is said under it.
pub(super) struct Author {
    pub(super) key: SigningKey,
    /// Bits of work shown.
    pub(super) bits: u32,
    /// Said so many seconds after noon (rounded to the minute).
    pub(super) after: u64,
    /// Lives so many seconds.
    pub(super) life: u64,
}

impl Author {
    pub(super) fn new(number: u64) -> Self {
        let mut seed = [9; 32];
        seed[..8].copy_from_slice(&number.to_be_bytes());
        Self {
            key: SigningKey::from_seed(&seed),
            bits: POW_FLOOR,
            after: 0,
            life: LIFE,
        }
    }

    pub(super) fn public(&self) -> PublicKey {
        self.key.public()
    }

    pub(super) fn say(&self, kind: Kind, facets: Facets, body: &[u8]) -> Frame {
        let created = (NOON + self.after).to_minute();
        let header = Header {
            kind,
            network: network(),
            created,
            expires: created + self.life,
            key: self.public(),
            facets,
        };
        Frame::sign(header, body, &self.key, self.bits, 0).unwrap()
    }

    pub(super) fn wants(&self, intent: &Intent) -> Frame {
        let kind = match intent.revision {
            None => Kind::Intent,
            Some(_) => Kind::IntentUpdate,
        };
        self.say(kind, intent.facets(), &intent.to_body())
    }

    pub(super) fn first(&self, title: &str) -> Frame {
        self.wants(&intent(title, None))
    }

    pub(super) fn update(&self, first: IntentId, rev: u64, title: &str) -> Frame {
        self.wants(&intent(title, Some(Revision { first, rev })))
    }

    pub(super) fn close(&self, first: IntentId, rev: u64) -> Frame {
        let revision = Revision { first, rev };
        let body = IntentClose { revision }.to_body();
        self.say(Kind::IntentClose, Facets::default(), &body)
    }

    pub(super) fn reach(&self, first: IntentId, rev: u64) -> Frame {
        let at = SigningKey::from_seed(&[77; 32]);
        let circuit = Circuit {
            relay: PublicKey([5; 32]),
            address: "/dns4/relay.example/tcp/443/wss".into(),
            peer: at.public(),
        };
        let expires = (NOON + self.after).to_minute() + self.life;
        let entry = Entry::agree(circuit, &at, network(), &self.public(), expires);
        let reach = Reach {
            revision: Revision { first, rev },
            entries: vec![entry],
        };
        self.say(Kind::Reach, Facets::default(), &reach.to_body())
    }

    pub(super) fn unheard(&self, kind: u8, body: &[u8]) -> Frame {
        self.say(Kind::Other(kind), Facets::default(), body)
    }
}

pub(super) fn id(frame: &Frame) -> IntentId {
    frame.id().into()
}

pub(super) fn intent(title: &str, revision: Option<Revision>) -> Intent {
    Intent {
        title: title.into(),
        details: None,
        category: Category(100_201),
        wishes: Vec::new(),
        quantity: Quantity::pieces(1),
        budget: Budget::Sealed(Asset::new("EUR").unwrap()),
        deliveries: vec![Delivery::Pickup],
        places: Vec::new(),
        window: None,
        quotes_due: NOON + LIFE,
        until: None,
        max_quotes: None,
        lang: None,
        seal: SealKey::x25519(SealPublic([4; 32])),
        mark: Mark([0; 20]),
        revision,
        arbiter: None,
    }
}
