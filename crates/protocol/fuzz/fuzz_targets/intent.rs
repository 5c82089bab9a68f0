//! The body of an intent.
#![no_main]

use haggle_protocol::Intent;
use haggle_protocol_fuzz::{one_encoding, refused};
use libfuzzer_sys::fuzz_target;

fuzz_target!(|body: &[u8]| {
    match Intent::from_body(body) {
        Ok(intent) => {
            one_encoding(body, &intent.to_body());
            assert_eq!(Intent::from_body(&intent.to_body()).as_ref(), Ok(&intent));
            let _ = (
                intent.facets(),
                intent.budget.ceiling(),
                intent.quantity.micros(),
            );
        }
        Err(refusal) => refused(refusal),
    }
});
