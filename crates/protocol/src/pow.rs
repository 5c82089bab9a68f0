//! A little work in front of each public frame: cheap to show once, dear to show a million times.
//!
//! Hashcash on the frame's id: SHA-256 over tag, id and nonce must begin with so many zero bits. The id covers
//! the creation time, so work cannot be stored up for long.

use crate::ids::FrameId;
use crate::tag::{Tag, hash};

/// Leading zero bits of the work that `nonce` shows for `id`.
#[must_use]
pub fn bits(id: &FrameId, nonce: u64) -> u32 {
    let digest = hash(Tag::Pow, &[&id.0, &nonce.to_be_bytes()]);
    let mut zeros = 0;
    for byte in digest {
        zeros += byte.leading_zeros();
        if byte != 0 {
            break;
        }
    }
    zeros
}

/// The first nonce from `start` on that shows at least `target` bits, looking at `tries` of them at most.
#[must_use]
pub fn search(id: &FrameId, target: u32, start: u64, tries: u64) -> Option<u64> {
    (0..tries)
        .map(|step| start.wrapping_add(step))
        .find(|nonce| bits(id, *nonce) >= target)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn work_found_is_work_shown_and_holds_for_its_id_only() {
        let id = FrameId([3; 32]);
        let nonce = search(&id, 12, 0, 1 << 20).unwrap();
        assert!(bits(&id, nonce) >= 12);
        let others = (0..64u8)
            .filter(|other| bits(&FrameId([*other; 32]), nonce) >= 12)
            .count();
        assert!(others < 8);
    }
}
