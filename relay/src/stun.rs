//! STUN: tells a browser under which address the world sees it, so that two browsers find a way to each other without asking
//! a stranger's server.
//!
//! Binding requests over UDP are answered, and nothing else is ([RFC 8489]): no TCP, no accounts, no relaying. A datagram's source
//! can be forged, so an answer must be worth nothing to who forges it: it is at most twice as long as what was asked (with an IPv6
//! address 44 bytes for 20), and each network gets so many and no more. Nothing is remembered but one number for each of a fixed
//! count of slots.
//!
//! [RFC 8489]: https://www.rfc-editor.org/rfc/rfc8489

use std::hash::{BuildHasher, RandomState};
use std::net::{IpAddr, SocketAddr};
use std::time::{Duration, Instant};

use prometheus_client::metrics::counter::Counter;
use prometheus_client::metrics::family::Family;
use tokio::net::UdpSocket;
use tokio::sync::watch;

use crate::clock;
use crate::metrics::Code;
use crate::proxy::{cut4, cut6};

/// The longest request that is looked at, in bytes: what fits a packet where the path is not known (RFC 8489, 6.1).
const REQUEST_MAX: usize = 548;
/// The header: type, length, magic cookie, transaction.
const HEADER: usize = 20;
/// Marks STUN since RFC 5389 (RFC 8489, 5).
const MAGIC: u32 = 0x2112_a442;

/// Message types (RFC 8489, 5 and 18.1).
const BINDING_REQUEST: u16 = 0x0001;
const BINDING_INDICATION: u16 = 0x0011;
const BINDING_SUCCESS: u16 = 0x0101;
const BINDING_ERROR: u16 = 0x0111;

/// Attributes (RFC 8489, 18.3).
const ERROR_CODE: u16 = 0x0009;
const UNKNOWN_ATTRIBUTES: u16 = 0x000a;
const XOR_MAPPED_ADDRESS: u16 = 0x0020;
/// From here on an attribute that is not understood may be passed over.
const OPTIONAL: u16 = 0x8000;
/// What must be understood and is: it says who asks, which makes no difference to the answer. USERNAME, MESSAGE-INTEGRITY, REALM,
/// NONCE, MESSAGE-INTEGRITY-SHA256, PASSWORD-ALGORITHM, USERHASH.
const UNDERSTOOD: [u16; 7] = [0x0006, 0x0008, 0x0014, 0x0015, 0x001c, 0x001d, 0x001e];

/// Attributes not understood that an answer names. Each took at least four bytes of the request and takes two of the answer.
const NAMED_MAX: usize = 16;
/// The longest answer: the error that names [`NAMED_MAX`] attributes.
const ANSWER_MAX: usize = HEADER + 8 + 4 + 2 * NAMED_MAX;

/// One network gets one answer in this time, in milliseconds: twenty a second.
const INTERVAL: u64 = 50;
/// And so many at once: a page asks three or four times when it opens, and an office opens many.
const BURST: u64 = 100;
/// Slots in which networks are counted. Two that share a slot share its allowance; a few thousand do so rarely.
const SLOTS: usize = 16_384;

/// An answer to send.
#[derive(Clone, Copy, Debug)]
struct Answer {
    bytes: [u8; ANSWER_MAX],
    len: usize,
    code: &'static str,
}

impl Answer {
    /// Begins an answer to the request with this header.
    fn to(request: &[u8; HEADER], kind: u16, code: &'static str) -> Self {
        let mut bytes = [0; ANSWER_MAX];
        bytes[..HEADER].copy_from_slice(request);
        bytes[..2].copy_from_slice(&kind.to_be_bytes());
        Self {
            bytes,
            len: HEADER,
            code,
        }
    }

    /// Adds bytes, as many as fit.
    fn put(&mut self, bytes: &[u8]) {
        let room = &mut self.bytes[self.len..];
        let count = bytes.len().min(room.len());
        room[..count].copy_from_slice(&bytes[..count]);
        self.len += count;
    }

    /// Adds an attribute, padded to four bytes.
    fn attribute(&mut self, kind: u16, value: &[u8]) {
        self.put(&kind.to_be_bytes());
        self.put(&u16::try_from(value.len()).unwrap_or(u16::MAX).to_be_bytes());
        self.put(value);
        self.put(&[0; 3][..value.len().next_multiple_of(4) - value.len()]);
    }

    /// Writes the length into the header.
    fn done(mut self) -> Self {
        let length = u16::try_from(self.len - HEADER).unwrap_or(0);
        self.bytes[2..4].copy_from_slice(&length.to_be_bytes());
        self
    }

    fn as_bytes(&self) -> &[u8] {
        &self.bytes[..self.len]
    }
}

/// What to answer to a datagram from there; else the code of why nothing is.
fn answer(datagram: &[u8], from: SocketAddr) -> Result<Answer, &'static str> {
    if datagram.len() > REQUEST_MAX {
        return Err("too-large");
    }
    let Some((header, attributes)) = datagram.split_first_chunk::<HEADER>() else {
        return Err("not-stun");
    };
    let word = |at: usize| u16::from_be_bytes([header[at], header[at + 1]]);
    if header[4..8] != MAGIC.to_be_bytes() {
        return Err("not-stun");
    }
    if usize::from(word(2)) != attributes.len() {
        return Err("malformed");
    }
    match word(0) {
        BINDING_REQUEST => {}
        // Somebody keeps his way open; there is nothing to answer.
        BINDING_INDICATION => return Err("indication"),
        _ => return Err("not-binding"),
    }
    let (unknown, count) = unknown_attributes(attributes)?;
    if count > 0 {
        let mut answer = Answer::to(header, BINDING_ERROR, "unknown-attribute");
        // Class 4, number 20, without a text: 420 Unknown Attribute.
        answer.attribute(ERROR_CODE, &[0, 0, 4, 20]);
        answer.attribute(UNKNOWN_ATTRIBUTES, &unknown[..2 * count]);
        return Ok(answer.done());
    }
    let mut answer = Answer::to(header, BINDING_SUCCESS, "answered");
    let [magic_high, magic_low, ..] = MAGIC.to_be_bytes();
    let port = from.port() ^ u16::from_be_bytes([magic_high, magic_low]);
    let [port_high, port_low] = port.to_be_bytes();
    // The address is veiled with the cookie and the transaction, so that no box on the way rewrites it.
    let veiled = |octets: &mut [u8]| {
        for (octet, veil) in octets.iter_mut().zip(&header[4..]) {
            *octet ^= veil;
        }
    };
    match from.ip().to_canonical() {
        IpAddr::V4(ip) => {
            let mut octets = ip.octets();
            veiled(&mut octets);
            let [a, b, c, d] = octets;
            answer.attribute(XOR_MAPPED_ADDRESS, &[0, 1, port_high, port_low, a, b, c, d]);
        }
        IpAddr::V6(ip) => {
            let mut value = [0; 20];
            value[1] = 2;
            value[2] = port_high;
            value[3] = port_low;
            value[4..].copy_from_slice(&ip.octets());
            veiled(&mut value[4..]);
            answer.attribute(XOR_MAPPED_ADDRESS, &value);
        }
    }
    Ok(answer.done())
}

/// The attributes that would have to be understood and are not, two bytes each, and how many of them are named.
fn unknown_attributes(mut rest: &[u8]) -> Result<([u8; 2 * NAMED_MAX], usize), &'static str> {
    let (mut unknown, mut count) = ([0; 2 * NAMED_MAX], 0);
    while !rest.is_empty() {
        let Some(([k1, k2, l1, l2], value)) = rest.split_first_chunk() else {
            return Err("malformed");
        };
        let kind = u16::from_be_bytes([*k1, *k2]);
        let padded = usize::from(u16::from_be_bytes([*l1, *l2])).next_multiple_of(4);
        rest = value.get(padded..).ok_or("malformed")?;
        if kind < OPTIONAL && !UNDERSTOOD.contains(&kind) && count < NAMED_MAX {
            unknown[2 * count..2 * count + 2].copy_from_slice(&kind.to_be_bytes());
            count += 1;
        }
    }
    Ok((unknown, count))
}

/// How often each network is answered: [`BURST`] at once, then one each [`INTERVAL`]. A fixed table, so that a flood from forged
/// addresses takes no memory; which networks share a slot is drawn at random at each start.
#[derive(Debug)]
struct Rates {
    /// When each slot's allowance will be whole again, in milliseconds since `start`.
    whole_at: Box<[u64]>,
    seed: RandomState,
    start: Instant,
}

impl Rates {
    fn new(start: Instant) -> Self {
        Self {
            whole_at: vec![0; SLOTS].into(),
            seed: RandomState::new(),
            start,
        }
    }

    /// Whether this address is answered now; if so, it is counted.
    fn allow(&mut self, ip: IpAddr, now: Instant) -> bool {
        let now = now.saturating_duration_since(self.start).as_millis();
        let now = u64::try_from(now).unwrap_or(u64::MAX / 2);
        let slots = self.whole_at.len() as u64;
        let slot = self.seed.hash_one(network_of(ip)) % slots;
        let Some(whole_at) = usize::try_from(slot)
            .ok()
            .and_then(|slot| self.whole_at.get_mut(slot))
        else {
            return false;
        };
        let next = now.max(*whole_at) + INTERVAL;
        if next > now + BURST * INTERVAL {
            return false;
        }
        *whole_at = next;
        true
    }
}

/// What counts as one asker: an IPv4 /24, an IPv6 /56. Answers to forged requests all go to one victim's network.
fn network_of(ip: IpAddr) -> u64 {
    match ip.to_canonical() {
        IpAddr::V4(ip) => u64::from(cut4(ip, 24)),
        // The first bit tells the two kinds apart; 56 bits fit beside it.
        IpAddr::V6(ip) => 1 << 63 | u64::try_from(cut6(ip, 56)).unwrap_or(0),
    }
}

/// Answers until told to stop.
pub(crate) async fn serve(
    socket: UdpSocket,
    counts: Family<Code, Counter>,
    loopback_exempt: bool,
    mut stop: watch::Receiver<bool>,
) {
    // After an error of the socket itself, which on a working machine does not happen.
    const PAUSE: Duration = Duration::from_millis(100);
    let count = |code| {
        counts.get_or_create(&Code { code }).inc();
    };
    let mut rates = Rates::new(clock::instant());
    // One byte more, so that what is too long is seen to be.
    let mut buffer = [0; REQUEST_MAX + 1];
    loop {
        let received = tokio::select! {
            _ = stop.changed() => return,
            received = socket.recv_from(&mut buffer) => received,
        };
        let Ok((len, from)) = received else {
            tokio::time::sleep(PAUSE).await;
            continue;
        };
        let ip = from.ip().to_canonical();
        let is_exempt = loopback_exempt && ip.is_loopback();
        if !is_exempt && !rates.allow(ip, clock::instant()) {
            count("too-often");
            continue;
        }
        match answer(&buffer[..len], from) {
            // A full buffer drops the answer, as the network might.
            Ok(answer) => match socket.try_send_to(answer.as_bytes(), from) {
                Ok(_) => count(answer.code),
                Err(_) => count("not-sent"),
            },
            Err(code) => count(code),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const TRANSACTION: [u8; 12] = [
        0xb7, 0xe7, 0xa7, 0x01, 0xbc, 0x34, 0xd6, 0x86, 0xfa, 0x87, 0xdf, 0xae,
    ];

    fn request(attributes: &[u8]) -> Vec<u8> {
        let length = u16::try_from(attributes.len()).unwrap();
        let kind = BINDING_REQUEST.to_be_bytes();
        [
            &kind[..],
            &length.to_be_bytes(),
            &MAGIC.to_be_bytes(),
            &TRANSACTION,
            attributes,
        ]
        .concat()
    }

    fn at(text: &str) -> SocketAddr {
        text.parse().unwrap()
    }

    #[test]
    fn the_address_is_told_as_in_the_vectors_of_rfc_5769() {
        // RFC 5769, 2.2 and 2.3: the same transaction, the same two addresses, and XOR-MAPPED-ADDRESS as printed there.
        let told = answer(&request(&[]), at("192.0.2.1:32853")).unwrap();
        assert_eq!(
            told.as_bytes()[HEADER..],
            [
                0x00, 0x20, 0x00, 0x08, 0x00, 0x01, 0xa1, 0x47, 0xe1, 0x12, 0xa6, 0x43
            ]
        );
        let told = answer(
            &request(&[]),
            at("[2001:db8:1234:5678:11:2233:4455:6677]:32853"),
        )
        .unwrap();
        assert_eq!(
            told.as_bytes()[HEADER..],
            [
                0x00, 0x20, 0x00, 0x14, 0x00, 0x02, 0xa1, 0x47, 0x01, 0x13, 0xa9, 0xfa, 0xa5, 0xd3,
                0xf1, 0x79, 0xbc, 0x25, 0xf4, 0xb5, 0xbe, 0xd2, 0xb9, 0xd9
            ]
        );
        assert_eq!(told.as_bytes()[..4], [1, 1, 0, 24]);
        assert_eq!(told.as_bytes()[8..HEADER], TRANSACTION);
    }

    #[test]
    fn who_comes_through_a_socket_for_both_kinds_is_told_his_ipv4_address() {
        let plain = answer(&request(&[]), at("192.0.2.1:32853")).unwrap();
        let mapped = answer(&request(&[]), at("[::ffff:192.0.2.1]:32853")).unwrap();
        assert_eq!(plain.as_bytes(), mapped.as_bytes());
    }

    #[test]
    fn what_a_browser_adds_is_passed_over_and_what_must_be_understood_is_named() {
        // SOFTWARE (optional), USERNAME (understood).
        let told = answer(
            &request(&[0x80, 0x22, 0, 1, b'x', 0, 0, 0, 0, 6, 0, 0]),
            at("1.2.3.4:5"),
        )
        .unwrap();
        assert_eq!(told.code, "answered");
        // CHANGE-REQUEST of RFC 5780 would make an answer come from elsewhere.
        let told = answer(&request(&[0, 3, 0, 4, 0, 0, 0, 6]), at("1.2.3.4:5")).unwrap();
        assert_eq!(told.code, "unknown-attribute");
        assert_eq!(
            told.as_bytes()[HEADER..],
            [0, 9, 0, 4, 0, 0, 4, 20, 0, 10, 0, 2, 0, 3, 0, 0]
        );
    }

    #[test]
    fn nothing_but_a_binding_request_is_answered() {
        let mut other_magic = request(&[]);
        other_magic[4] = 0;
        let mut response = request(&[]);
        response[0] = 1;
        let mut indication = request(&[]);
        indication[1] = 0x11;
        let mut short = request(&[]);
        short[3] = 4;
        for (bytes, code) in [
            (vec![], "not-stun"),
            (vec![0; 19], "not-stun"),
            (other_magic, "not-stun"),
            (response, "not-binding"),
            (indication, "indication"),
            (short, "malformed"),
            (request(&[0, 6, 0]), "malformed"),
            (request(&[0, 6, 0, 5, 1, 2, 3, 4]), "malformed"),
            (request(&[0, 6, 0xff, 0xff]), "malformed"),
            (vec![0; REQUEST_MAX + 1], "too-large"),
        ] {
            assert_eq!(
                answer(&bytes, at("1.2.3.4:5")).unwrap_err(),
                code,
                "{bytes:?}"
            );
        }
    }

    #[test]
    fn an_answer_is_at_most_twice_as_long_as_the_question_and_a_little() {
        for count in 0..=(REQUEST_MAX - HEADER) / 4 {
            let attributes = [0, 0x33, 0, 0].repeat(count);
            let asked = request(&attributes);
            for from in ["1.2.3.4:5", "[2001:db8::1]:5"] {
                let told = answer(&asked, at(from)).unwrap();
                let most = if told.code == "answered" {
                    asked.len() + 24
                } else {
                    2 * asked.len()
                };
                assert!(told.len <= most, "{} for {}", told.len, asked.len());
            }
        }
    }

    #[test]
    fn no_datagram_makes_it_panic() {
        // Every length, and every first byte of kind and length, over a body that varies.
        for len in 0..REQUEST_MAX {
            for salt in 0..=255_u8 {
                let mut bytes: Vec<u8> = (0..len)
                    .map(|at| salt.wrapping_mul(31).wrapping_add(at.to_le_bytes()[0]))
                    .collect();
                if let Some(header) = bytes.first_chunk_mut::<8>() {
                    let length = u16::try_from(len.saturating_sub(HEADER))
                        .unwrap()
                        .to_be_bytes();
                    *header = [0, 1, length[0], length[1], 0x21, 0x12, 0xa4, 0x42];
                }
                let _ = answer(&bytes, at("1.2.3.4:5"));
            }
        }
    }

    #[test]
    fn a_network_gets_its_burst_and_then_twenty_a_second() {
        let start = clock::instant();
        let mut rates = Rates::new(start);
        let one: IpAddr = "192.0.2.1".parse().unwrap();
        let neighbour: IpAddr = "192.0.2.200".parse().unwrap();
        let taken = (0..200).filter(|_| rates.allow(one, start)).count();
        assert_eq!(taken, 100);
        assert!(!rates.allow(neighbour, start), "the same /24");
        let later = start + Duration::from_secs(1);
        let taken = (0..200).filter(|_| rates.allow(neighbour, later)).count();
        assert_eq!(taken, 20);
    }

    #[test]
    fn a_flood_from_forged_addresses_takes_no_memory_and_leaves_most_others_their_allowance() {
        let start = clock::instant();
        let mut rates = Rates::new(start);
        for forged in 0..100_000_u32 {
            rates.allow(IpAddr::V4((forged << 8).into()), start);
        }
        assert_eq!(rates.whole_at.len(), SLOTS);
        let others = (0..1_000_u32).map(|n| IpAddr::V6((u128::from(n) << 72).into()));
        let served = others.filter(|ip| rates.allow(*ip, start)).count();
        assert_eq!(served, 1_000);
    }

    #[test]
    fn networks_are_told_apart_by_24_and_by_56_bits() {
        let network = |text: &str| network_of(text.parse().unwrap());
        assert_eq!(network("10.1.2.3"), network("10.1.2.77"));
        assert_eq!(network("10.1.2.3"), network("::ffff:10.1.2.3"));
        assert_ne!(network("10.1.2.3"), network("10.1.3.3"));
        assert_eq!(network("2001:db8:0:aa00::1"), network("2001:db8:0:aaff::2"));
        assert_ne!(network("2001:db8:0:aa00::1"), network("2001:db8:0:ab00::1"));
    }
}
