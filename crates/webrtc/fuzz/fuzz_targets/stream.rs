//! Messages of a data channel, cut as the first bytes say, through the decoder of frames and the machine of the stream's halves: nothing panics,
//! nothing grows past its bound, and at most one FIN and never data after the end comes out.
#![no_main]

use haggle_webrtc::frame::{Decoder, FRAME_MAX, Flag};
use haggle_webrtc::halves::{Acknowledge, Halves};
use libfuzzer_sys::fuzz_target;

fuzz_target!(|bytes: &[u8]| {
    let Some((&way, mut rest)) = bytes.split_first() else {
        return;
    };
    let acknowledge = if way & 1 == 0 {
        Acknowledge::AtOnce
    } else {
        Acknowledge::WhenClosed
    };
    let step = usize::from(way >> 1) + 1;
    let mut halves = Halves::new(acknowledge);
    let mut decoder = Decoder::default();
    let mut ended = false;
    let mut fins = 0;
    while !rest.is_empty() {
        let (now, later) = rest.split_at(step.min(rest.len()));
        rest = later;
        decoder.put(now.to_vec().into());
        loop {
            let frame = match decoder.take() {
                Ok(Some(frame)) => frame,
                Ok(None) => break,
                Err(_) => return,
            };
            assert!(frame.data.len() <= FRAME_MAX);
            let Ok(reaction) = halves.on_frame(!frame.data.is_empty(), frame.flag) else {
                return;
            };
            assert!(!(ended && reaction.deliver), "data after the end");
            assert!(matches!(reaction.reply, None | Some(Flag::FinAck)));
            ended |= halves.is_ended_by_remote();
            if frame.data.first() == Some(&7) {
                let sent = halves.close_writing();
                fins += sent.iter().filter(|flag| **flag == Some(Flag::Fin)).count();
            }
            assert!(fins <= 1);
        }
    }
});
