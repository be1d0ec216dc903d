//! Where a port's certificate comes from.

use serde::{Deserialize, Serialize};

/// Where a port's certificate comes from.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct TlsSettings {
    /// PEM file with the certificate and those between it and its CA; empty means a local one.
    pub certificate_path: String,
    /// PEM file with its private key; set together with the certificate.
    pub key_path: String,
    /// Where a local CA and certificate are made and kept; empty, without a certificate, means
    /// plaintext alone.
    pub folder: String,
}

impl Default for TlsSettings {
    fn default() -> Self {
        Self {
            certificate_path: String::new(),
            key_path: String::new(),
            folder: "data/tls".to_owned(),
        }
    }
}

impl TlsSettings {
    /// Plaintext alone.
    #[must_use]
    pub fn off() -> Self {
        Self { folder: String::new(), ..Self::default() }
    }

    /// Every violation, as `key: what is wrong`; `at` is the path of this section.
    #[must_use]
    pub fn violations(&self, at: &str) -> Vec<String> {
        let missing = match (self.certificate_path.is_empty(), self.key_path.is_empty()) {
            (false, true) => "key_path",
            (true, false) => "certificate_path",
            _ => return Vec::new(),
        };
        vec![format!("{at}.{missing}: must be set, as certificate and key go together")]
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_certificate_without_its_key_and_a_key_alone_are_violations() {
        let with = |certificate: &str, key: &str| TlsSettings {
            certificate_path: certificate.to_owned(),
            key_path: key.to_owned(),
            ..TlsSettings::default()
        };
        assert_eq!(with("", "").violations("a.tls"), Vec::<String>::new());
        assert_eq!(with("c", "k").violations("a.tls"), Vec::<String>::new());
        assert!(with("c", "").violations("a.tls")[0].starts_with("a.tls.key_path: must be set"));
        assert!(with("", "k").violations("a.tls")[0].starts_with("a.tls.certificate_path: must"));
    }
}
