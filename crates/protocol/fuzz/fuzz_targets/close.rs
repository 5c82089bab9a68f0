//! The body of a close.
#![no_main]

use haggle_protocol::intent::IntentClose;
use haggle_protocol_fuzz::{one_encoding, refused};
use libfuzzer_sys::fuzz_target;

fuzz_target!(|body: &[u8]| {
    match IntentClose::from_body(body) {
        Ok(close) => one_encoding(body, &close.to_body()),
        Err(refusal) => refused(refusal),
    }
});
