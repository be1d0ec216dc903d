//! A certificate with its key, ready to be served.

use std::{
    fmt,
    path::{Path, PathBuf},
    sync::Arc,
};

use chrono::{DateTime, Utc};
use tokio_rustls::{
    TlsAcceptor,
    rustls::{
        self, ServerConfig,
        crypto::{CryptoProvider, ring},
        pki_types::{CertificateDer, PrivateKeyDer, pem::PemObject},
    },
};

use super::{local, settings::TlsSettings};
use crate::error::StartError;

/// TLS as a port offers it. Cheap to clone.
#[derive(Clone)]
pub struct Tls {
    acceptor: TlsAcceptor,
    authority: Option<PathBuf>,
}

impl fmt::Debug for Tls {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.debug_struct("Tls").field("authority", &self.authority).finish_non_exhaustive()
    }
}

impl Tls {
    /// The configured certificate, or the local one, made where there is none or it is about to
    /// expire at `now`. `None` where the settings want plaintext alone. `setting` names the
    /// section.
    ///
    /// # Errors
    /// [`StartError::Certificate`], which names the setting and what hinders.
    pub fn open(
        setting: &str,
        settings: &TlsSettings,
        now: DateTime<Utc>,
    ) -> Result<Option<Self>, StartError> {
        let TlsSettings { certificate_path, key_path, folder } = settings;
        if !certificate_path.is_empty() {
            let acceptor = configured(Path::new(certificate_path), Path::new(key_path));
            let acceptor = acceptor.map_err(|reason| StartError::Certificate {
                setting: format!("{setting}.certificate_path"),
                reason,
            })?;
            return Ok(Some(Self { acceptor, authority: None }));
        }
        if folder.is_empty() {
            return Ok(None);
        }
        let made = local::kept_or_made(Path::new(folder), now);
        let (pair, authority) = made.map_err(|reason| StartError::Certificate {
            setting: format!("{setting}.folder"),
            reason: format!(
                "{reason}; name a folder that can be written, configure a certificate, or leave \
                 it empty for plaintext alone"
            ),
        })?;
        let acceptor = pair.acceptor().map_err(|reason| StartError::Certificate {
            setting: format!("{setting}.folder"),
            reason,
        })?;
        Ok(Some(Self { acceptor, authority: Some(authority) }))
    }

    /// The file of the local CA that clients may trust; `None` with a configured certificate.
    #[must_use]
    pub fn authority(&self) -> Option<&Path> {
        self.authority.as_deref()
    }

    pub(crate) fn acceptor(&self) -> &TlsAcceptor {
        &self.acceptor
    }
}

/// A certificate, those between it and its CA, and its key.
pub(super) struct Pair {
    pub(super) chain: Vec<CertificateDer<'static>>,
    pub(super) key: PrivateKeyDer<'static>,
}

impl Pair {
    /// As a server offers it, to HTTP/2 alone. Fails when the key is not the certificate's.
    pub(super) fn acceptor(self) -> Result<TlsAcceptor, String> {
        let said = |error: rustls::Error| error.to_string();
        let mut config = ServerConfig::builder_with_provider(provider())
            .with_safe_default_protocol_versions()
            .map_err(said)?
            .with_no_client_auth()
            .with_single_cert(self.chain, self.key)
            .map_err(said)?;
        config.alpn_protocols = vec![b"h2".to_vec()];
        Ok(TlsAcceptor::from(Arc::new(config)))
    }
}

/// Named everywhere: rustls's own default is a process global.
pub(super) fn provider() -> Arc<CryptoProvider> {
    Arc::new(ring::default_provider())
}

fn configured(certificate: &Path, key: &Path) -> Result<TlsAcceptor, String> {
    let said = |path: &Path, error: &dyn fmt::Display| format!("{}: {error}", path.display());
    let chain = certificates(certificate).map_err(|error| said(certificate, &error))?;
    let private = PrivateKeyDer::from_pem_file(key).map_err(|error| said(key, &error))?;
    Pair { chain, key: private }.acceptor().map_err(|error| said(certificate, &error))
}

/// Every certificate in a PEM file; at least one.
pub(super) fn certificates(path: &Path) -> Result<Vec<CertificateDer<'static>>, String> {
    let read = CertificateDer::pem_file_iter(path).and_then(Iterator::collect::<Result<Vec<_>, _>>);
    match read.map_err(|error| error.to_string())? {
        none if none.is_empty() => Err("there is no certificate in it".to_owned()),
        chain => Ok(chain),
    }
}
