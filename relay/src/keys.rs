//! What a relay keeps: its key and its WebRTC certificate. Peers know it by both (the peer id, the certificate's hash in its
//! address), so they outlive a restart. The files can be read by the relay's own user only.

use std::io::Write as _;
use std::os::unix::fs::{DirBuilderExt as _, OpenOptionsExt as _, PermissionsExt as _};
use std::path::Path;

use libp2p::identity::Keypair;
use libp2p_webrtc::tokio::Certificate;

/// File of the relay's key: libp2p's protobuf form of an Ed25519 key pair.
const KEY_FILE: &str = "relay.key";
/// File of the WebRTC certificate with its key, in PEM.
const CERTIFICATE_FILE: &str = "webrtc.pem";
/// Neither file is ever longer, in bytes.
const FILE_MAX: u64 = 64 * 1_024;

/// Why the relay's files are of no use.
#[derive(Debug, thiserror::Error)]
pub enum KeyError {
    /// Reading or writing failed.
    #[error(
        "data: {path} cannot be used ({source}). Let the relay's user own the folder, or name another with --data"
    )]
    Io {
        /// Which file or folder.
        path: String,
        /// What the system says.
        source: std::io::Error,
    },
    /// The file is not what it should be.
    #[error(
        "data: {path} is damaged. Restore it from a backup, or move it away to begin with a new one, which peers must then learn anew"
    )]
    Damaged {
        /// Which file.
        path: String,
    },
}

/// The relay's key, made at the first start.
///
/// # Errors
/// [`KeyError`] if the folder cannot be used or the file is damaged; it is never replaced silently.
pub(crate) fn identity(data: &Path) -> Result<Keypair, KeyError> {
    let path = data.join(KEY_FILE);
    if let Some(bytes) = read(&path)? {
        let key = Keypair::from_protobuf_encoding(&bytes).map_err(|_| damaged(&path))?;
        return Ok(key);
    }
    let key = Keypair::generate_ed25519();
    let bytes = key.to_protobuf_encoding().map_err(|_| damaged(&path))?;
    write(data, &path, &bytes)?;
    Ok(key)
}

/// The certificate for WebRTC-direct, made at the first start.
///
/// # Errors
/// As [`identity`].
pub(crate) fn certificate(data: &Path) -> Result<Certificate, KeyError> {
    let path = data.join(CERTIFICATE_FILE);
    if let Some(bytes) = read(&path)? {
        let text = String::from_utf8(bytes).map_err(|_| damaged(&path))?;
        return Certificate::from_pem(&text).map_err(|_| damaged(&path));
    }
    let certificate = Certificate::generate(&mut rand::rng()).map_err(|_| damaged(&path))?;
    write(data, &path, certificate.serialize_pem().as_bytes())?;
    Ok(certificate)
}

fn read(path: &Path) -> Result<Option<Vec<u8>>, KeyError> {
    let meta = match std::fs::metadata(path) {
        Ok(meta) => meta,
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Ok(None),
        Err(source) => return Err(io(path, source)),
    };
    if meta.len() > FILE_MAX {
        return Err(damaged(path));
    }
    if meta.permissions().mode() & 0o077 != 0 {
        // Others could read it: close it, as it should have been.
        std::fs::set_permissions(path, std::fs::Permissions::from_mode(0o600))
            .map_err(|source| io(path, source))?;
    }
    std::fs::read(path)
        .map(Some)
        .map_err(|source| io(path, source))
}

/// Writes beside and renames, so that a crash leaves the old file or the new one, and never half of one.
fn write(data: &Path, path: &Path, bytes: &[u8]) -> Result<(), KeyError> {
    std::fs::DirBuilder::new()
        .recursive(true)
        .mode(0o700)
        .create(data)
        .map_err(|source| io(data, source))?;
    let beside = path.with_extension("new");
    let written = std::fs::OpenOptions::new()
        .write(true)
        .create(true)
        .truncate(true)
        .mode(0o600)
        .open(&beside)
        .and_then(|mut file| {
            file.write_all(bytes)?;
            file.sync_all()
        })
        .and_then(|()| std::fs::rename(&beside, path));
    written.map_err(|source| io(path, source))
}

fn io(path: &Path, source: std::io::Error) -> KeyError {
    KeyError::Io {
        path: path.display().to_string(),
        source,
    }
}

fn damaged(path: &Path) -> KeyError {
    KeyError::Damaged {
        path: path.display().to_string(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn folder(name: &str) -> std::path::PathBuf {
        let path = std::env::temp_dir().join(format!("haggle-keys-{}-{name}", std::process::id()));
        let _ = std::fs::remove_dir_all(&path);
        path
    }

    #[test]
    fn the_key_and_the_certificate_are_made_once_and_found_again() {
        let data = folder("again");
        let first = identity(&data).unwrap().public();
        assert_eq!(identity(&data).unwrap().public(), first);
        let hash = certificate(&data).unwrap().fingerprint();
        assert_eq!(certificate(&data).unwrap().fingerprint(), hash);
        for file in [KEY_FILE, CERTIFICATE_FILE] {
            let mode = std::fs::metadata(data.join(file))
                .unwrap()
                .permissions()
                .mode();
            assert_eq!(mode & 0o777, 0o600, "{file}");
        }
        std::fs::remove_dir_all(&data).unwrap();
    }

    #[test]
    fn a_key_that_others_could_read_is_closed() {
        let data = folder("open");
        identity(&data).unwrap();
        let path = data.join(KEY_FILE);
        std::fs::set_permissions(&path, std::fs::Permissions::from_mode(0o644)).unwrap();
        identity(&data).unwrap();
        let mode = std::fs::metadata(&path).unwrap().permissions().mode();
        assert_eq!(mode & 0o777, 0o600);
        std::fs::remove_dir_all(&data).unwrap();
    }

    #[test]
    fn a_damaged_key_is_named_and_left_alone() {
        let data = folder("damaged");
        identity(&data).unwrap();
        std::fs::write(data.join(KEY_FILE), b"not a key").unwrap();
        let error = identity(&data).unwrap_err();
        assert!(
            error.to_string().contains("relay.key is damaged"),
            "{error}"
        );
        assert_eq!(std::fs::read(data.join(KEY_FILE)).unwrap(), b"not a key");
        std::fs::remove_dir_all(&data).unwrap();
    }
}
