//! Signalling messages, one after another with a length of two bytes before each: whatever is said, no more candidates are tried than allowed, every
//! one of them may be used, and what was decoded encodes to itself.
#![no_main]

use haggle_webrtc::Limits;
use haggle_webrtc::candidate::{Place, may_use};
use haggle_webrtc::signal::{Negotiation, Signal, Todo};
use libfuzzer_sys::fuzz_target;

fuzz_target!(|bytes: &[u8]| {
    let Some((&way, mut rest)) = bytes.split_first() else {
        return;
    };
    let place = match way % 3 {
        0 => Place::Public,
        1 => Place::Private,
        _ => Place::Loopback,
    };
    let limits = Limits::default();
    let mut negotiation = if way & 4 == 0 {
        Negotiation::responder(limits, place)
    } else {
        Negotiation::initiator(limits, place)
    };
    let mut tried = 0;
    while let Some((length, after)) = rest.split_at_checked(2) {
        let length = usize::from(u16::from_be_bytes([length[0], length[1]])).min(after.len());
        let (message, later) = after.split_at(length);
        rest = later;
        let Ok(signal) = Signal::decode(message) else {
            return;
        };
        assert_eq!(Signal::decode(&signal.clone().encode()), Ok(signal.clone()));
        match negotiation.hear(signal) {
            Ok(Todo::Try(candidate)) => {
                tried += 1;
                assert!(may_use(&candidate.candidate, place));
            }
            Ok(Todo::Describe(description)) => {
                assert!(description.0.len() <= limits.description);
                for line in description
                    .0
                    .lines()
                    .filter(|line| line.starts_with("a=candidate:"))
                {
                    assert!(may_use(line, place));
                }
            }
            Ok(Todo::Nothing) => {}
            Err(_) => return,
        }
        assert!(tried <= limits.candidates);
    }
});
