//! A sealer that seals like another one and writes down every cell: as it is handed to the transport at one end, and as
//! it comes out of it at the other. And one that does not seal at all, by which a test shows that it would notice.

use std::fmt;
use std::path::PathBuf;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use haggle_protocol::keys::SealSecret;
use haggle_protocol::seal::{Hpke, Sealer};
use haggle_protocol::{Refusal, SealPublic};
use haggle_relay::{Config, Direction, Running, TapEvent};
use rand_core::CryptoRng;
use tempfile::TempDir;

use crate::search::Recording;
use crate::trouble::{Outcome, Trouble};

/// A recording that many write to.
#[derive(Clone, Default)]
pub struct Notebook(Arc<Mutex<Recording>>);

impl Notebook {
    /// Adds bytes behind what was recorded at the same place.
    pub fn add(&self, place: &str, bytes: &[u8]) {
        self.open().add(place, bytes);
    }

    /// What was recorded so far.
    #[must_use]
    pub fn read(&self) -> Recording {
        self.open().clone()
    }

    fn open(&self) -> MutexGuard<'_, Recording> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl fmt::Debug for Notebook {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Notebook(..)")
    }
}

/// A relay in this process, with a site or without, that writes down every byte of every stream, under `relay/`. It lives as long as the folder
/// of its keys.
///
/// # Errors
/// If it does not start.
pub async fn tapped_relay(
    notebook: &Notebook,
    site: Option<PathBuf>,
) -> Outcome<(Running, TempDir)> {
    let data = tempfile::tempdir()?;
    let mut config = Config {
        data: data.path().to_path_buf(),
        ..Config::default()
    };
    config.http.listen = ([127, 0, 0, 1], 0).into();
    config.http.site = site;
    config.listen.tcp = vec![([127, 0, 0, 1], 0).into()];
    let notebook = notebook.clone();
    let tap = move |event: TapEvent<'_>| {
        let way = match event.direction {
            Direction::In => "in",
            Direction::Out => "out",
        };
        let place = format!("relay/{}/{}/{way}", event.peer, event.stream);
        notebook.add(&place, event.bytes);
    };
    let relay = haggle_relay::start_with(config, Some(Arc::new(tap))).await;
    Ok((
        relay.map_err(|error| Trouble::new(error.to_string()))?,
        data,
    ))
}

/// Writes down every cell of one peer.
#[derive(Debug)]
pub struct Witness {
    name: String,
    notebook: Notebook,
    sealer: Arc<dyn Sealer>,
}

impl Witness {
    /// Of the peer of this name, which seals as in life, or not at all.
    #[must_use]
    pub fn of(name: &str, notebook: &Notebook, seals: bool) -> Arc<dyn Sealer> {
        let sealer: Arc<dyn Sealer> = if seals {
            Arc::new(Hpke)
        } else {
            Arc::new(Identity)
        };
        Arc::new(Self {
            name: name.to_owned(),
            notebook: notebook.clone(),
            sealer,
        })
    }
}

impl Sealer for Witness {
    fn seal(
        &self,
        recipient: &SealPublic,
        info: &[u8],
        aad: &[u8],
        plain: &[u8],
        dice: &mut dyn CryptoRng,
    ) -> Result<([u8; 32], Vec<u8>), Refusal> {
        let (enc, sealed) = self.sealer.seal(recipient, info, aad, plain, dice)?;
        // Version, suite, class and hint; key; ciphertext: the whole cell, as it will be sent.
        let cell = [aad, &enc, &sealed].concat();
        self.notebook
            .add(&format!("cells/{}/out", self.name), &cell);
        Ok((enc, sealed))
    }

    fn open(
        &self,
        secret: &SealSecret,
        enc: &[u8; 32],
        info: &[u8],
        aad: &[u8],
        sealed: &[u8],
    ) -> Result<Vec<u8>, Refusal> {
        let cell = [aad, enc, sealed].concat();
        self.notebook.add(&format!("cells/{}/in", self.name), &cell);
        self.sealer.open(secret, enc, info, aad, sealed)
    }
}

/// Seals nothing: what goes in can be read by everyone on the way.
#[derive(Clone, Copy, Debug)]
struct Identity;

impl Sealer for Identity {
    fn seal(
        &self,
        _: &SealPublic,
        _: &[u8],
        _: &[u8],
        plain: &[u8],
        _: &mut dyn CryptoRng,
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
        let len = sealed.len().checked_sub(16).ok_or(Refusal::SealBroken)?;
        Ok(sealed[..len].to_vec())
    }
}
