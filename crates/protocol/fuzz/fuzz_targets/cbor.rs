//! Any value, passed over: what is not read must still be in its one form.
#![no_main]

use haggle_protocol::cbor::Reader;
use haggle_protocol_fuzz::refused;
use libfuzzer_sys::fuzz_target;

fuzz_target!(|bytes: &[u8]| {
    let mut reader = Reader::new(bytes);
    if let Err(refusal) = reader.skip().and_then(|()| reader.end()) {
        refused(refusal);
    }
});
