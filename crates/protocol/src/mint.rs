//! Mints without a domain: how one is named, and what it is asked over the market's own network.
//!
//! A mint is a custodian, named by its web address. One that a relay carries has no web address but the relay's peer id, which whoever
//! connects is shown a proof of. So its name is an address that no name server knows:
//!
//! ```text
//! http://k51qzi5uqu5d….libp2p.alt      the peer id as CIDv1 (libp2p-key) in base36, which fits one label
//! ```
//!
//! `.alt` is set aside for names outside the DNS (RFC 9476). Contracts, ecash as text and wallets hold it like any other address, and
//! one mint has one name: no port, no path, no other letters, no other scheme.
//!
//! What such a mint is asked is its own HTTP, without the HTTP: a [`Request`] and an [`Answer`], each a map of deterministic CBOR. They
//! carry ecash, so neither prints what is in it.

use core::fmt;

use crate::cbor::{Fields, Reader, Writer};
use crate::escrow::Custodian;
use crate::ids::PublicKey;
use crate::refusal::Refusal;

/// The longest path, in bytes: the longest that a mint has holds the id of a quote, some 80.
pub const PATH_MAX: usize = 256;
/// The largest body of a request, in bytes: mints take a thousand inputs and outputs at once, which are some 700 KB of JSON.
pub const REQUEST_BODY_MAX: usize = 1 << 20;
/// The largest body of an answer, in bytes: a list of a thousand keysets is 200 KB, what a mint remembers of a thousand outputs 600 KB;
/// keys of many units at once need the most.
pub const ANSWER_BODY_MAX: usize = 4 << 20;
/// What surrounds a body, in bytes: a path, heads, and what a later version may add.
const AROUND: usize = 1_024;
/// A whole request, in bytes.
pub const REQUEST_MAX: usize = REQUEST_BODY_MAX + AROUND;
/// A whole answer, in bytes.
pub const ANSWER_MAX: usize = ANSWER_BODY_MAX + AROUND;
/// The longest code of a refusal, in bytes.
const CODE_MAX: usize = 32;

/// What stands before a peer's label in its name as a custodian.
const SCHEME: &str = "http://";
/// What stands behind it.
const SUFFIX: &str = ".libp2p.alt";
/// The names that no name server knows.
const OUTSIDE_DNS: &str = ".alt";
/// What every path of a mint begins with.
const ROOT: &str = "/v1/";

/// CIDv1, codec libp2p-key, identity multihash of 36 bytes, which hold an Ed25519 key of 32 bytes.
const CID_HEAD: [u8; 8] = [0x01, 0x72, 0x00, 0x24, 0x08, 0x01, 0x12, 0x20];
/// A peer id as CID, in bytes.
const CID_LEN: usize = CID_HEAD.len() + 32;
/// The digits of base36.
const DIGITS: &[u8; 36] = b"0123456789abcdefghijklmnopqrstuvwxyz";
/// By which multibase says base36 in lower case.
const BASE36: char = 'k';
/// Digits of a label: CIDs of 40 bytes that begin with 0x01 have this many.
const LABEL_DIGITS: usize = 61;

impl Custodian {
    /// The mint that a peer carries, by its Ed25519 key.
    #[must_use]
    pub fn at_peer(key: &PublicKey) -> Self {
        // Its characters and its length are those of a name, which a test holds.
        Self(format!("{SCHEME}{}{SUFFIX}", label(key)))
    }

    /// The key of the peer that carries this mint; `None` for a mint with a web address, and for every other way of writing that name.
    #[must_use]
    pub fn peer(&self) -> Option<PublicKey> {
        let label = self.name().strip_prefix(SCHEME)?.strip_suffix(SUFFIX)?;
        let key = key_of(label)?;
        (Self::at_peer(&key) == *self).then_some(key)
    }

    /// Whether no name server knows the host in this name: nobody is asked for it by HTTP.
    #[must_use]
    pub fn is_outside_dns(&self) -> bool {
        let name = self.name();
        let rest = name.split_once("://").map_or(name, |(_, rest)| rest);
        let host = rest.split(['/', '?', '#']).next().unwrap_or_default();
        let host = host.rsplit('@').next().unwrap_or_default();
        let host = host.split(':').next().unwrap_or_default();
        let host = host.trim_end_matches('.').to_ascii_lowercase();
        host.ends_with(OUTSIDE_DNS) || host == OUTSIDE_DNS[1..]
    }
}

/// The label of a peer: its id as CIDv1, in base36.
fn label(key: &PublicKey) -> String {
    let mut rest = [0; CID_LEN];
    rest[..CID_HEAD.len()].copy_from_slice(&CID_HEAD);
    rest[CID_HEAD.len()..].copy_from_slice(&key.0);
    let mut digits = Vec::with_capacity(LABEL_DIGITS);
    while rest.iter().any(|byte| *byte != 0) {
        // One division of the whole number by 36; what is left over is the next digit from the right.
        let left = rest.iter_mut().fold(0, |left: u32, byte| {
            let value = left << 8 | u32::from(*byte);
            *byte = u8::try_from(value / 36).unwrap_or(u8::MAX);
            value % 36
        });
        digits.push(char::from(DIGITS[left as usize]));
    }
    core::iter::once(BASE36)
        .chain(digits.into_iter().rev())
        .collect()
}

/// The key of the peer with this label.
fn key_of(label: &str) -> Option<PublicKey> {
    let digits = label.strip_prefix(BASE36)?;
    if digits.len() != LABEL_DIGITS {
        return None;
    }
    let mut cid = [0; CID_LEN];
    for digit in digits.bytes() {
        let value = DIGITS.iter().position(|one| *one == digit)?;
        // 36 times what there is, and the digit.
        let over = cid.iter_mut().rev().fold(value, |carry, byte| {
            let value = usize::from(*byte) * 36 + carry;
            *byte = u8::try_from(value & 0xff).unwrap_or(u8::MAX);
            value >> 8
        });
        if over != 0 {
            return None;
        }
    }
    let (head, key) = cid.split_first_chunk::<{ CID_HEAD.len() }>()?;
    (*head == CID_HEAD)
        .then(|| key.try_into().ok().map(PublicKey))
        .flatten()
}

/// How a mint is asked.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Method {
    /// For something that it knows.
    Get,
    /// With a body.
    Post,
}

/// What a mint is asked.
#[derive(Clone, PartialEq, Eq)]
pub struct Request {
    /// How.
    pub method: Method,
    /// What for, as [`Request::is_for_a_mint`] says; at most [`PATH_MAX`] bytes.
    pub path: String,
    /// JSON, of at most [`REQUEST_BODY_MAX`] bytes; empty with [`Method::Get`].
    pub body: Vec<u8>,
}

impl Request {
    /// Whether its path is one that a mint has: below `/v1/`, of letters, digits and `-._~+=`, without empty parts and without parts
    /// that lead elsewhere. Nothing else of whatever answers there is ever asked.
    #[must_use]
    pub fn is_for_a_mint(&self) -> bool {
        let fine = |byte: u8| byte.is_ascii_alphanumeric() || b"-._~+=".contains(&byte);
        let good = |part: &str| !matches!(part, "" | "." | "..") && part.bytes().all(fine);
        self.path.len() <= PATH_MAX
            && self
                .path
                .strip_prefix(ROOT)
                .is_some_and(|rest| rest.split('/').all(good))
    }

    /// As on the wire.
    #[must_use]
    pub fn to_bytes(&self) -> Vec<u8> {
        let mut writer = Writer::new();
        writer.map(|map| {
            map.field(2, |w| w.uint(u64::from(self.method == Method::Post)));
            map.field(4, |w| w.text(&self.path));
            map.field(6, |w| w.bytes(&self.body));
        });
        writer.into_bytes()
    }

    /// Reads what [`Request::to_bytes`] writes. Whether its path is a mint's is for [`Request::is_for_a_mint`] to say.
    ///
    /// # Errors
    /// The [`Refusal`] of the first thing that is wrong.
    pub fn from_bytes(bytes: &[u8]) -> Result<Self, Refusal> {
        let mut reader = Reader::new(bytes);
        let r = &mut reader;
        let mut fields = r.map()?;
        let (mut method, mut path, mut body) = (None, None, None);
        while let Some(field) = fields.next(r)? {
            match field {
                2 => {
                    method = Some(match r.flag()? {
                        false => Method::Get,
                        true => Method::Post,
                    });
                }
                4 => path = Some(r.text(PATH_MAX)?.to_owned()),
                6 => body = Some(r.bytes(REQUEST_BODY_MAX)?.to_vec()),
                other => Fields::unknown(other, r)?,
            }
        }
        r.end()?;
        Ok(Self {
            method: method.ok_or(Refusal::MissingField)?,
            path: path.ok_or(Refusal::MissingField)?,
            body: body.ok_or(Refusal::MissingField)?,
        })
    }
}

impl fmt::Debug for Request {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { method, path, body } = self;
        write!(f, "Request({method:?} {path}, {} bytes)", body.len())
    }
}

/// Why whoever carries a mint did not bring its answer. What the mint did is not known by it, whatever the reason.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Why {
    /// That is no path of a mint.
    NotAPath,
    /// Asked more often than is carried.
    TooOften,
    /// Too many others are being answered.
    Busy,
    /// The mint did not answer.
    Silent,
    /// The mint's answer is too large.
    TooLarge,
    /// A reason of a later version.
    Other,
}

impl Why {
    /// Every one.
    pub const ALL: [Self; 6] = [
        Self::NotAPath,
        Self::TooOften,
        Self::Busy,
        Self::Silent,
        Self::TooLarge,
        Self::Other,
    ];

    /// The code, the same in every version.
    #[must_use]
    pub const fn code(self) -> &'static str {
        match self {
            Self::NotAPath => "not-a-path",
            Self::TooOften => "too-often",
            Self::Busy => "busy",
            Self::Silent => "mint-silent",
            Self::TooLarge => "too-large",
            Self::Other => "other",
        }
    }

    fn from_code(code: &str) -> Self {
        let known = Self::ALL.into_iter().find(|why| why.code() == code);
        known.unwrap_or(Self::Other)
    }
}

/// What comes back.
#[derive(Clone, PartialEq, Eq)]
pub enum Answer {
    /// What the mint said.
    Said {
        /// HTTP's status, 100 to 599.
        status: u16,
        /// JSON, as a rule; at most [`ANSWER_BODY_MAX`] bytes.
        body: Vec<u8>,
    },
    /// Nothing, and why.
    Refused(Why),
}

impl Answer {
    /// As on the wire.
    #[must_use]
    pub fn to_bytes(&self) -> Vec<u8> {
        let mut writer = Writer::new();
        writer.map(|map| match self {
            Self::Said { status, body } => {
                map.field(2, |w| w.uint((*status).into()));
                map.field(4, |w| w.bytes(body));
            }
            Self::Refused(why) => map.field(6, |w| w.text(why.code())),
        });
        writer.into_bytes()
    }

    /// Reads what [`Answer::to_bytes`] writes.
    ///
    /// # Errors
    /// The [`Refusal`] of the first thing that is wrong.
    pub fn from_bytes(bytes: &[u8]) -> Result<Self, Refusal> {
        let mut reader = Reader::new(bytes);
        let r = &mut reader;
        let mut fields = r.map()?;
        let (mut status, mut body, mut refused) = (None, None, None);
        while let Some(field) = fields.next(r)? {
            match field {
                2 => status = Some(r.small::<u16>()?),
                4 => body = Some(r.bytes(ANSWER_BODY_MAX)?.to_vec()),
                6 => refused = Some(Why::from_code(r.text(CODE_MAX)?)),
                other => Fields::unknown(other, r)?,
            }
        }
        r.end()?;
        match (status, body, refused) {
            (Some(status @ 100..=599), Some(body), None) => Ok(Self::Said { status, body }),
            (None, None, Some(why)) => Ok(Self::Refused(why)),
            (None, _, None) | (Some(_), None, None) => Err(Refusal::MissingField),
            (Some(_), ..) | (None, ..) => Err(Refusal::BadField),
        }
    }
}

impl fmt::Debug for Answer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Said { status, body } => write!(f, "Answer({status}, {} bytes)", body.len()),
            Self::Refused(why) => write!(f, "Answer({})", why.code()),
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn a_peer_s_label_is_that_of_everybody_else() {
        // The peer 12D3KooWDpJ7As7BWAwRMfu1VU2WCqNjvq387JEYKDBj4kx6nXTN; its key is that of RFC 8032's seed of zeros.
        let key = PublicKey([
            0x3b, 0x6a, 0x27, 0xbc, 0xce, 0xb6, 0xa4, 0x2d, 0x62, 0xa3, 0xa8, 0xd0, 0x2a, 0x6f,
            0x0d, 0x73, 0x65, 0x32, 0x15, 0x77, 0x1d, 0xe2, 0x43, 0xa6, 0x3a, 0xc0, 0x48, 0xa1,
            0x8b, 0x59, 0xda, 0x29,
        ]);
        let name = Custodian::at_peer(&key);
        assert_eq!(
            name.name(),
            "http://k51qzi5uqu5dhnwe629wdlncpql6frppdpwnz4wtlcw816aysd5wwlk63g4wmh.libp2p.alt"
        );
        assert_eq!(name.peer(), Some(key));
    }

    #[test]
    fn a_mint_has_one_name() {
        let name = Custodian::at_peer(&PublicKey([7; 32]));
        let text = name.name().to_owned();
        assert!(name.is_outside_dns());
        let other = |text: &str| Custodian::new(text).unwrap();
        assert_eq!(other(&format!("{text}/")), name, "slashes say nothing");
        for wrong in [
            text.replace("http:", "https:"),
            text.replace("http://k", "http://K"),
            text.to_uppercase(),
            text.replace("libp2p", "LIBP2P"),
            format!("{text}:80"),
            format!("{text}:3338"),
            format!("{text}/mint"),
            format!("{text}."),
            format!("{text}?a"),
            text.replace("://", "://user@"),
            text.replace(".libp2p", "0.libp2p"),
            text.replace("//k", "//a.k"),
            "http://.libp2p.alt".to_owned(),
            "http://alt".to_owned(),
            "http://k51qzi5uqu5d.libp2p.alt".to_owned(),
            format!("http://k{}.libp2p.alt", "z".repeat(LABEL_DIGITS)),
            format!("http://k{}.libp2p.alt", "0".repeat(LABEL_DIGITS)),
        ] {
            let name = other(&wrong);
            assert_eq!(name.peer(), None, "{wrong}");
            assert!(name.is_outside_dns(), "{wrong}");
        }
        for web in [
            "https://mint.example",
            "http://127.0.0.1:3338",
            "https://alt.example",
            "https://mint.example/a.alt",
            "https://malt",
        ] {
            assert_eq!(other(web).peer(), None);
            assert!(!other(web).is_outside_dns(), "{web}");
        }
    }

    fn asked(path: &str) -> Request {
        Request {
            method: Method::Get,
            path: path.to_owned(),
            body: Vec::new(),
        }
    }

    #[test]
    fn only_a_mint_s_own_paths_are_asked() {
        for good in [
            "/v1/info",
            "/v1/keys/00ffd48b8f5ecf80",
            "/v1/mint/quote/bolt11/0195d7e6-1f1a-7c3f-9d3c-9c7d",
            "/v1/keys/I2yN-iRYfkzT=",
        ] {
            assert!(asked(good).is_for_a_mint(), "{good}");
        }
        for bad in [
            "",
            "/",
            "/v1",
            "/v1/",
            "v1/info",
            "/v2/info",
            "/admin",
            "/v1//info",
            "/v1/info/",
            "/v1/../admin",
            "/v1/..",
            "/v1/./info",
            "/v1/%2e%2e/admin",
            "/v1/info?a=b",
            "/v1/info#a",
            "/v1/a b",
            "/v1/a\r\nHost: b",
            "/v1/\\..\\admin",
            "http://mint.example/v1/info",
            "//mint.example/v1/info",
            &format!("/v1/{}", "a".repeat(PATH_MAX)),
        ] {
            assert!(!asked(bad).is_for_a_mint(), "{bad:?}");
        }
        assert!(asked(&format!("/v1/{}", "a".repeat(PATH_MAX - 4))).is_for_a_mint());
    }

    #[test]
    fn nothing_is_longer_than_its_bound() {
        for (path, body, good) in [
            (PATH_MAX, REQUEST_BODY_MAX, true),
            (PATH_MAX + 1, 0, false),
            (0, REQUEST_BODY_MAX + 1, false),
        ] {
            let request = Request {
                method: Method::Post,
                path: "a".repeat(path),
                body: vec![0; body],
            };
            let bytes = request.to_bytes();
            assert_eq!(Request::from_bytes(&bytes).is_ok(), good);
            assert!(!good || bytes.len() <= REQUEST_MAX);
        }
        for (status, body, good) in [
            (200, ANSWER_BODY_MAX, true),
            (100, 0, true),
            (599, 0, true),
            (99, 0, false),
            (600, 0, false),
            (200, ANSWER_BODY_MAX + 1, false),
        ] {
            let body = vec![0; body];
            let bytes = Answer::Said { status, body }.to_bytes();
            assert_eq!(Answer::from_bytes(&bytes).is_ok(), good, "{status}");
            assert!(!good || bytes.len() <= ANSWER_MAX);
        }
    }

    #[test]
    fn ecash_on_its_way_is_printed_nowhere() {
        let body = b"cashuBsecret".to_vec();
        let request = Request {
            method: Method::Post,
            path: "/v1/swap".to_owned(),
            body: body.clone(),
        };
        assert!(!format!("{request:?}").contains("secret"));
        let answer = Answer::Said { status: 200, body };
        assert!(!format!("{answer:?}").contains("115"), "nor as numbers");
        assert!(!format!("{answer:?}").contains("secret"));
    }

    fn requests() -> impl Strategy<Value = Request> {
        let body = proptest::collection::vec(any::<u8>(), 0..300);
        (any::<bool>(), "[ -~]{0,80}", body).prop_map(|(post, path, body)| Request {
            method: if post { Method::Post } else { Method::Get },
            path,
            body,
        })
    }

    fn answers() -> impl Strategy<Value = Answer> {
        let body = proptest::collection::vec(any::<u8>(), 0..300);
        prop_oneof![
            (100..600u16, body).prop_map(|(status, body)| Answer::Said { status, body }),
            proptest::sample::select(&Why::ALL[..]).prop_map(Answer::Refused),
        ]
    }

    proptest! {
        #[test]
        fn what_is_written_is_read_again(request in requests(), answer in answers()) {
            prop_assert_eq!(Request::from_bytes(&request.to_bytes()), Ok(request));
            prop_assert_eq!(Answer::from_bytes(&answer.to_bytes()), Ok(answer));
        }

        #[test]
        fn no_bytes_make_the_readers_panic(bytes in proptest::collection::vec(any::<u8>(), 0..400)) {
            let _ = Request::from_bytes(&bytes);
            let _ = Answer::from_bytes(&bytes);
        }

        #[test]
        fn a_flipped_bit_is_refused_or_reads_as_something_else(request in requests(), at: prop::sample::Index, bit in 0u8..8) {
            let mut bytes = request.to_bytes();
            let at = at.index(bytes.len());
            bytes[at] ^= 1 << bit;
            prop_assert_ne!(Request::from_bytes(&bytes), Ok(request));
        }

        #[test]
        fn every_key_has_a_name_of_its_own(key: [u8; 32]) {
            let name = Custodian::at_peer(&PublicKey(key));
            // A label of the DNS has 63 characters at most.
            prop_assert_eq!(name.name().len(), "http://".len() + 62 + ".libp2p.alt".len());
            prop_assert_eq!(name.peer(), Some(PublicKey(key)));
            prop_assert_eq!(Custodian::new(name.name()), Ok(name));
        }
    }
}
