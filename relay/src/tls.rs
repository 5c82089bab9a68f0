//! A certificate of the relay's own, from PEM files.

use std::path::Path;
use std::sync::{Arc, RwLock};

use rustls::ServerConfig;
use rustls_pki_types::pem::PemObject as _;
use rustls_pki_types::{CertificateDer, PrivateKeyDer};

use crate::config::Tls;
use crate::http::TlsSlot;

/// Why a certificate is of no use. The text is a sentence for the operator.
#[derive(Debug, thiserror::Error)]
pub enum TlsError {
    /// A file cannot be read or is not PEM.
    #[error(
        "{key}: {path} is not readable as PEM ({problem}). Name a file that begins with -----BEGIN and that this user may read."
    )]
    File {
        /// The configuration's key.
        key: &'static str,
        /// Which file.
        path: String,
        /// What is wrong.
        problem: String,
    },
    /// Certificate and key do not fit.
    #[error(
        "http.tls_key: the key does not fit the certificate ({0}). Give the two files that were issued together."
    )]
    Pair(#[from] rustls::Error),
}

/// Reads both files into a slot that can be refilled.
///
/// # Errors
/// [`TlsError`].
pub(crate) fn slot(files: &Tls) -> Result<TlsSlot, TlsError> {
    Ok(Arc::new(RwLock::new(server_config(files)?)))
}

/// Reads both files.
///
/// # Errors
/// [`TlsError`].
pub(crate) fn server_config(files: &Tls) -> Result<Arc<ServerConfig>, TlsError> {
    let chain = CertificateDer::pem_file_iter(&files.certificate)
        .and_then(Iterator::collect::<Result<Vec<_>, _>>)
        .map_err(|error| unreadable("http.tls_certificate", &files.certificate, &error))?;
    if chain.is_empty() {
        let none = "it holds no certificate";
        return Err(unreadable(
            "http.tls_certificate",
            &files.certificate,
            &none,
        ));
    }
    let key = PrivateKeyDer::from_pem_file(&files.key)
        .map_err(|error| unreadable("http.tls_key", &files.key, &error))?;
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let mut config = ServerConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()?
        .with_no_client_auth()
        .with_single_cert(chain, key)?;
    // A WebSocket begins with HTTP/1.1.
    config.alpn_protocols = vec![b"http/1.1".to_vec()];
    Ok(Arc::new(config))
}

fn unreadable(key: &'static str, path: &Path, problem: &dyn std::fmt::Display) -> TlsError {
    TlsError::File {
        key,
        path: path.display().to_string(),
        problem: problem.to_string(),
    }
}
