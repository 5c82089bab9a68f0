//! What the targets share: the people of the golden vectors, and the rule that everything accepted has one encoding.
//!
//! ```text
//! cargo run --example seeds                       # corpus/<target>/ from ../vectors
//! RUSTC_BOOTSTRAP=1 cargo fuzz run message        # until it is stopped
//! ```

use std::sync::OnceLock;

use haggle_protocol::keys::{SealSecret, SigningKey};
use haggle_protocol::seal::{Context, Direction};
use haggle_protocol::tag::Tag;
use haggle_protocol::{IntentId, Network, PublicKey, Refusal, SealPublic, ThreadId, Timestamp};
use serde_json::Value;

/// When every target's clock stands still.
pub const NOW: Timestamp = Timestamp(1_790_000_040);

/// Hexadecimal digits as bytes; the vectors are ours, so nothing else is in them.
pub fn unhex(text: &str) -> Vec<u8> {
    let digit = |c: u8| u8::try_from(char::from(c).to_digit(16).unwrap_or(0)).unwrap_or(0);
    let pairs = text.as_bytes().chunks_exact(2);
    pairs
        .map(|pair| digit(pair[0]) << 4 | digit(pair[1]))
        .collect()
}

/// The golden vectors of one file.
pub fn vectors(name: &str) -> Value {
    let text = match name {
        "frames" => include_str!("../../vectors/frames.json"),
        "private" => include_str!("../../vectors/private.json"),
        _ => include_str!("../../vectors/cells.json"),
    };
    serde_json::from_str(text).expect("vectors are JSON")
}

fn fixed<const N: usize>(value: &Value) -> [u8; N] {
    let bytes = unhex(value.as_str().unwrap_or_default());
    bytes.try_into().expect("a vector of this length")
}

/// One side of the example: who writes, to whom, and where it belongs.
pub struct Way {
    /// Which way.
    pub direction: Direction,
    /// Signs what goes this way.
    pub from: SigningKey,
    /// Opens what goes this way.
    pub to: SealSecret,
    /// Its public half.
    pub to_public: SealPublic,
    /// Where it belongs.
    pub context: Context,
}

/// The people of the vectors.
pub struct People {
    /// The market.
    pub network: Network,
    /// The intent's key.
    pub intent_key: PublicKey,
    /// To the buyer, and to the seller.
    pub ways: [Way; 2],
}

/// The people of the vectors, read once.
pub fn people() -> &'static People {
    static PEOPLE: OnceLock<People> = OnceLock::new();
    PEOPLE.get_or_init(|| {
        let (private, cells) = (vectors("private"), vectors("cells"));
        let network = Network(fixed(&private["network"]));
        let way = |at: usize, direction, seed: &str, thread| {
            let to = SealSecret::from_bytes(fixed(&cells["cells"][at]["recipient_secret"]));
            Way {
                direction,
                from: SigningKey::from_seed(&fixed(&private[seed])),
                to_public: to.public().expect("a key"),
                to,
                context: Context {
                    network,
                    direction,
                    intent: IntentId(fixed(&private["intent"])),
                    thread,
                },
            }
        };
        let thread = ThreadId(fixed(&private["thread"]));
        People {
            network,
            intent_key: PublicKey(fixed(&private["intent_key"])),
            ways: [
                way(0, Direction::ToBuyer, "seller_thread_seed", None),
                way(1, Direction::ToSeller, "buyer_thread_seed", Some(thread)),
            ],
        }
    })
}

impl Way {
    /// Signs inner bytes as the sender of this way would, whatever they say.
    pub fn sign(&self, inner: &[u8]) -> Vec<u8> {
        let network = self.context.network;
        let signature = self.from.sign(Tag::SigPrivate, &[&network.0, inner]);
        [inner, &signature.0].concat()
    }
}

/// What was accepted is what we would write, but for parts that only a newer version knows.
pub fn one_encoding(given: &[u8], ours: &[u8]) {
    assert!(
        ours.len() <= given.len(),
        "ours is longer than what was accepted"
    );
    if ours.len() == given.len() {
        assert_eq!(ours, given, "accepted another encoding than ours");
    }
}

/// A refusal's code finds the refusal again.
pub fn refused(refusal: Refusal) {
    assert_eq!(Refusal::from_code(refusal.code()), Some(refusal));
}
