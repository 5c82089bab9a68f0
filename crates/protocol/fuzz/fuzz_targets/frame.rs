//! A stranger's frame, at the door: as it came, and again with its body read.
#![no_main]

use haggle_protocol::{Frame, Intent};
use haggle_protocol_fuzz::{NOW, people, refused};
use libfuzzer_sys::fuzz_target;

fuzz_target!(|bytes: &[u8]| {
    match Frame::open(bytes, people().network, NOW) {
        Ok(frame) => {
            assert_eq!(frame.bytes(), bytes);
            let _ = Intent::from_frame(&frame);
        }
        Err(refusal) => refused(refusal),
    }
});
