//! What this peer said out loud and still holds.
//!
//! A frame counts as out when gossip has handed it to at least one neighbour. What was said while nobody listened is kept
//! and said again when somebody does. A relay forgets what it heard when it is started anew, so a new neighbour is offered
//! everything that still holds once more. Gossip refuses to send the same bytes twice within half an hour; a frame that it
//! knows is offered with other work in front of it: the same frame by its id, its signature unchanged, and ignored by
//! everybody who has it.

use std::collections::BTreeMap;

use haggle_protocol::{Frame, Kind, Network, PublicKey, Timestamp, pow};

/// Frames kept; one's own intents with their reaches stay far below.
const KEPT_MAX: usize = 1_024;
/// Frames that get other work at once, some 25 ms each in a browser. The rest follows with the next pulse.
const STAMPS: usize = 4;
/// Bytes behind the nonce of a frame: the signature.
const SIGNATURE: usize = 64;
/// Bytes of a nonce.
const NONCE: usize = 8;

/// What a frame replaces: the same slot of the same key.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
struct Slot(PublicKey, u8);

/// How far a frame got.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Stage {
    /// Nobody has it yet.
    New,
    /// Somebody has it.
    Out,
    /// Somebody has it, and somebody else may not.
    Again,
}

struct Kept {
    bytes: Vec<u8>,
    expires: Timestamp,
    stage: Stage,
}

/// What gossip made of a frame.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Sent {
    /// Somebody has it.
    Out,
    /// Nobody listens, or every queue is full.
    NotYet,
    /// These very bytes were sent before.
    Known,
    /// It will never be taken.
    Never,
}

#[derive(Default)]
pub(crate) struct Said(BTreeMap<Slot, Kept>);

impl Said {
    /// Keeps a frame until it expires or is replaced.
    pub(crate) fn keep(&mut self, bytes: Vec<u8>, network: Network, now: Timestamp) {
        // The market made it: a frame that does not open would be refused by everybody.
        let Ok(frame) = Frame::open(&bytes, network, now) else {
            tracing::error!("the market said a frame that does not open");
            return;
        };
        let header = frame.header();
        let slot = match header.kind {
            Kind::Intent | Kind::IntentUpdate | Kind::IntentClose => 0,
            Kind::Reach => 1,
            Kind::Other(kind) => kind,
        };
        let expires = header.expires;
        let slot = Slot(header.key, slot);
        if self.0.len() >= KEPT_MAX && !self.0.contains_key(&slot) {
            let oldest = self.0.iter().min_by_key(|(_, kept)| kept.expires);
            let oldest = oldest.map(|(slot, _)| *slot);
            oldest.and_then(|slot| self.0.remove(&slot));
        }
        let stage = Stage::New;
        let kept = Kept {
            bytes,
            expires,
            stage,
        };
        self.0.insert(slot, kept);
    }

    /// Somebody is there who may know nothing of it.
    pub(crate) fn offer_again(&mut self) {
        for kept in self.0.values_mut() {
            if kept.stage == Stage::Out {
                kept.stage = Stage::Again;
            }
        }
    }

    /// Says what not everybody has. `work` is what books ask for now, in bits.
    pub(crate) fn say(
        &mut self,
        network: Network,
        now: Timestamp,
        work: u32,
        mut publish: impl FnMut(&[u8]) -> Sent,
    ) {
        let mut stamps = STAMPS;
        self.0.retain(|_, kept| {
            if kept.expires <= now {
                return false;
            }
            if kept.stage == Stage::Out {
                return true;
            }
            let mut sent = publish(&kept.bytes);
            if sent == Sent::Known && kept.stage == Stage::Again {
                if stamps == 0 {
                    return true;
                }
                stamps -= 1;
                if let Some(bytes) = stamped(&kept.bytes, network, now, work) {
                    kept.bytes = bytes;
                    sent = publish(&kept.bytes);
                }
            }
            match sent {
                Sent::Out | Sent::Known => kept.stage = Stage::Out,
                Sent::NotYet => {}
                Sent::Never => return false,
            }
            true
        });
    }

    /// Whether something waits to be said.
    pub(crate) fn has_more(&self) -> bool {
        self.0.values().any(|kept| kept.stage != Stage::Out)
    }
}

/// The same frame with other work in front of it.
fn stamped(bytes: &[u8], network: Network, now: Timestamp, work: u32) -> Option<Vec<u8>> {
    let frame = Frame::open(bytes, network, now).ok()?;
    let at = bytes.len().checked_sub(SIGNATURE + NONCE)?;
    let nonce = bytes.get(at..at + NONCE)?.try_into().ok()?;
    let start = u64::from_be_bytes(nonce).wrapping_add(1);
    // Books that are full ask for more than the floor, but nobody asks for so much that it cannot be found.
    let work = work.clamp(haggle_protocol::limits::POW_FLOOR, 24);
    let nonce = pow::search(&frame.id(), work, start, 1 << (work + 7))?;
    let mut bytes = bytes.to_vec();
    bytes[at..at + NONCE].copy_from_slice(&nonce.to_be_bytes());
    Some(bytes)
}

#[cfg(test)]
mod tests {
    use haggle_protocol::frame::{Facets, Header};
    use haggle_protocol::keys::SigningKey;

    use super::*;

    const NOW: Timestamp = Timestamp(1_800_000_000);

    fn frame(seed: u8, kind: u8) -> Vec<u8> {
        let key = SigningKey::from_seed(&[seed; 32]);
        let header = Header {
            kind: Kind::from_wire(kind),
            network: Network::main(),
            created: NOW.to_minute(),
            expires: NOW.to_minute() + 600,
            key: key.public(),
            facets: Facets::default(),
        };
        let frame = Frame::sign(header, &[0xa0], &key, 0, 0);
        frame.unwrap().bytes().to_vec()
    }

    fn told(said: &mut Said, now: Timestamp, sent: Sent) -> Vec<Vec<u8>> {
        let mut out = Vec::new();
        said.say(Network::main(), now, 0, |bytes| {
            out.push(bytes.to_vec());
            sent
        });
        out
    }

    #[test]
    fn what_nobody_heard_is_said_until_somebody_does_and_then_only_if_asked_for() {
        let mut said = Said::default();
        let expected = [frame(1, 200)];
        said.keep(expected[0].clone(), Network::main(), NOW);
        assert_eq!(told(&mut said, NOW, Sent::NotYet), expected);
        assert!(said.has_more());
        assert_eq!(told(&mut said, NOW, Sent::Out), expected);
        assert!(!said.has_more());
        assert!(told(&mut said, NOW, Sent::Out).is_empty());
        said.offer_again();
        assert_eq!(told(&mut said, NOW, Sent::Out), expected);
    }

    #[test]
    fn a_frame_that_gossip_knows_is_offered_again_under_the_same_id_with_other_work() {
        let mut said = Said::default();
        let first = frame(1, 200);
        said.keep(first.clone(), Network::main(), NOW);
        told(&mut said, NOW, Sent::Out);
        said.offer_again();
        let mut offered = Vec::new();
        said.say(Network::main(), NOW, 0, |bytes| {
            let sent = if bytes == first {
                Sent::Known
            } else {
                Sent::Out
            };
            offered.push(bytes.to_vec());
            sent
        });
        assert_eq!(offered.len(), 2);
        assert_ne!(offered[1], first);
        let id = |bytes: &[u8]| Frame::open(bytes, Network::main(), NOW).unwrap().id();
        assert_eq!(id(&offered[1]), id(&first));
        assert!(!said.has_more());
    }

    #[test]
    fn many_frames_are_offered_again_a_few_at_a_time() {
        let mut said = Said::default();
        for seed in 1..=6 {
            said.keep(frame(seed, 200), Network::main(), NOW);
        }
        told(&mut said, NOW, Sent::Out);
        said.offer_again();
        assert_eq!(told(&mut said, NOW, Sent::Known).len(), 6 + STAMPS);
        assert!(said.has_more());
        assert_eq!(told(&mut said, NOW, Sent::Known).len(), 2 + 2);
        assert!(!said.has_more());
    }

    #[test]
    fn a_newer_frame_takes_the_slot_of_the_older_and_expired_ones_are_forgotten() {
        let mut said = Said::default();
        said.keep(frame(1, 200), Network::main(), NOW);
        said.keep(frame(1, 200), Network::main(), NOW);
        said.keep(frame(1, 201), Network::main(), NOW);
        said.keep(frame(2, 200), Network::main(), NOW);
        assert_eq!(told(&mut said, NOW, Sent::NotYet).len(), 3);
        assert!(told(&mut said, NOW + 3_600, Sent::Out).is_empty());
        assert!(!said.has_more());
    }
}
