//! The inside of a private message of any type (quotes and orders among them), signed as its sender would sign it, so
//! that what lies behind the signature is reached too.
#![no_main]

use haggle_protocol::private::{Body, Message};
use haggle_protocol::trade::DeclineReason;
use haggle_protocol_fuzz::{NOW, one_encoding, people, refused};
use libfuzzer_sys::fuzz_target;

fuzz_target!(|inner: &[u8]| {
    let people = people();
    for way in &people.ways {
        let content = way.sign(inner);
        match Message::open(
            &content,
            &way.context,
            &way.to_public,
            &people.intent_key,
            NOW,
        ) {
            Ok((_, message)) => {
                assert_eq!(message.direction, way.direction);
                // Reasons that we have no word for are one word to us.
                let unworded = matches!(
                    &message.body,
                    Body::Decline(decline) if decline.reason == DeclineReason::Other
                );
                let ours = message.sign(people.network, &way.to_public, &way.from);
                if let (Ok((_, ours)), false) = (ours, unworded) {
                    one_encoding(inner, &ours[..ours.len() - 64]);
                }
            }
            Err(refusal) => refused(refusal),
        }
    }
});
