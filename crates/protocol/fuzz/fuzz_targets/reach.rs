//! The body of a reach.
#![no_main]

use haggle_protocol::Reach;
use haggle_protocol_fuzz::{NOW, one_encoding, people, refused};
use libfuzzer_sys::fuzz_target;

fuzz_target!(|body: &[u8]| {
    let people = people();
    match Reach::from_body(body, people.network, &people.intent_key, NOW + 1_800) {
        Ok(reach) => one_encoding(body, &reach.to_body()),
        Err(refusal) => refused(refusal),
    }
});
