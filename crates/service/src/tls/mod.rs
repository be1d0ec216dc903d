//! TLS of a port that answers plaintext too: the certificate, configured or made here once.
//!
//! Without a configured certificate a local CA and a certificate for the loopbacks are made in a
//! folder and kept there (`docs/adr/0012-one-port-for-plaintext-and-tls.md`).

mod local;
mod pair;
mod settings;

pub use pair::Tls;
pub use settings::TlsSettings;
