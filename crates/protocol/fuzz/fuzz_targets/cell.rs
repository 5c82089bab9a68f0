//! A cell as it came, and the plaintext of one that did open (sealing is left out for that, since no fuzzer guesses a tag).
#![no_main]

use haggle_protocol::keys::SealSecret;
use haggle_protocol::limits::CELL_SMALL;
use haggle_protocol::seal::{Cell, Hpke, Sealer};
use haggle_protocol::{Refusal, SealPublic};
use haggle_protocol_fuzz::{people, refused};
use libfuzzer_sys::fuzz_target;

/// Seals nothing, so that the plaintext is the fuzzer's.
#[derive(Debug)]
struct Glass;

impl Sealer for Glass {
    fn seal(
        &self,
        _: &SealPublic,
        _: &[u8],
        _: &[u8],
        plain: &[u8],
        _: &mut dyn rand_core::CryptoRng,
    ) -> Result<([u8; 32], Vec<u8>), Refusal> {
        Ok(([0; 32], [plain, &[0; 16]].concat()))
    }

    fn open(
        &self,
        _: &SealSecret,
        _: &[u8; 32],
        _: &[u8],
        _: &[u8],
        sealed: &[u8],
    ) -> Result<Vec<u8>, Refusal> {
        Ok(sealed[..sealed.len() - 16].to_vec())
    }
}

fuzz_target!(|bytes: &[u8]| {
    let way = &people().ways[0];
    match Cell::from_bytes(bytes.to_vec()) {
        Ok(cell) => {
            let _ = cell.open(&Hpke, &way.to, &way.context);
        }
        Err(refusal) => refused(refusal),
    }
    let mut plain = vec![0; CELL_SMALL];
    plain[..3].copy_from_slice(&[1, 1, 0]);
    let len = bytes.len().min(CELL_SMALL - 43);
    plain[43..43 + len].copy_from_slice(&bytes[..len]);
    match Cell::from_bytes(plain).and_then(|cell| cell.open(&Glass, &way.to, &way.context)) {
        Ok(content) => assert!(content.len() <= CELL_SMALL),
        Err(refusal) => refused(refusal),
    }
});
