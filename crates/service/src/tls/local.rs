//! A CA and a certificate for the loopbacks, made once and kept in a folder.
//!
//! The CA's key is never written and forgotten at once: whoever trusts the CA trusts this one
//! certificate, and nobody can sign another with it, whatever becomes of the folder.

use std::{
    fs::{self, File, OpenOptions},
    io::{self, ErrorKind, Write},
    net::{Ipv4Addr, Ipv6Addr},
    path::{Path, PathBuf},
    time::Duration,
};

use chrono::{DateTime, Datelike, TimeDelta, Utc};
use rcgen::{
    BasicConstraints, CertificateParams, CertifiedIssuer, DistinguishedName, DnType,
    ExtendedKeyUsagePurpose, IsCa, KeyPair, KeyUsagePurpose, SanType, date_time_ymd,
};
use tokio_rustls::rustls::{
    RootCertStore,
    client::{WebPkiServerVerifier, danger::ServerCertVerifier},
    pki_types::{PrivateKeyDer, ServerName, UnixTime, pem::PemObject},
};

use super::pair::{Pair, certificates, provider};

/// How long both are valid: clients of a large vendor take no more.
const VALID_DAYS: i64 = 825;
/// How long before their end they are made anew, at a start.
const RENEW_DAYS: i64 = 30;
/// For whom the certificate is.
const NAMES: [&str; 3] = ["localhost", "127.0.0.1", "::1"];

/// What is kept in a folder.
struct Files {
    lock: PathBuf,
    authority: PathBuf,
    certificate: PathBuf,
    key: PathBuf,
}

impl Files {
    fn within(folder: &Path) -> Self {
        let file = |name: &str| folder.join(name);
        Self {
            lock: file(".lock"),
            authority: file("ca.pem"),
            certificate: file("server.pem"),
            key: file("server.key"),
        }
    }
}

/// The pair kept in `folder`, or a new one where there is none that is good at `now` and for a
/// while; and the file of its CA.
///
/// # Errors
/// Which file cannot be read or written, and why.
pub(super) fn kept_or_made(folder: &Path, now: DateTime<Utc>) -> Result<(Pair, PathBuf), String> {
    let files = Files::within(folder);
    fs::create_dir_all(folder).map_err(|error| told(folder, &error))?;
    // Of two processes that start in one folder the second takes what the first has made.
    let lock = File::create(&files.lock).map_err(|error| told(&files.lock, &error))?;
    lock.lock().map_err(|error| told(&files.lock, &error))?;
    let found = [&files.authority, &files.certificate, &files.key].map(|file| file.exists());
    if found.contains(&true) {
        match kept(&files, now) {
            Ok(pair) => return Ok((pair, files.authority)),
            Err(reason) => tracing::warn!(
                folder = %folder.display(), reason,
                "the local certificate is made anew; clients have to trust the new ca.pem"
            ),
        }
    }
    let pair = make(&files, now)?;
    Ok((pair, files.authority))
}

/// Reads the pair, and asks of it what a client would.
fn kept(files: &Files, now: DateTime<Utc>) -> Result<Pair, String> {
    let chain = certificates(&files.certificate)?;
    let key = PrivateKeyDer::from_pem_file(&files.key).map_err(|error| error.to_string())?;
    let mut roots = RootCertStore::empty();
    for authority in certificates(&files.authority)? {
        roots.add(authority).map_err(|error| error.to_string())?;
    }
    let verifier = WebPkiServerVerifier::builder_with_provider(roots.into(), provider());
    let verifier = verifier.build().map_err(|error| error.to_string())?;
    let leaf = chain.first().ok_or("there is no certificate in it")?;
    for name in NAMES {
        let name = ServerName::try_from(name).map_err(|error| error.to_string())?;
        for at in [now, now + TimeDelta::days(RENEW_DAYS)] {
            let seconds = u64::try_from(at.timestamp()).unwrap_or_default();
            let at = UnixTime::since_unix_epoch(Duration::from_secs(seconds));
            let verified = verifier.verify_server_cert(leaf, &[], &name, &[], at);
            verified.map_err(|error| error.to_string())?;
        }
    }
    let copy = Pair { chain: chain.clone(), key: key.clone_key() };
    copy.acceptor()?;
    Ok(Pair { chain, key })
}

/// Makes CA and certificate, and keeps what has to be kept.
fn make(files: &Files, now: DateTime<Utc>) -> Result<Pair, String> {
    let Made { authority, certificate, key } = made(now).map_err(|error| error.to_string())?;
    // The key first: what a crash leaves behind does not match and is made anew.
    write(&files.key, key.as_bytes(), true).map_err(|error| told(&files.key, &error))?;
    for (file, text) in [(&files.certificate, certificate), (&files.authority, authority)] {
        write(file, text.as_bytes(), false).map_err(|error| told(file, &error))?;
    }
    kept(files, now)
}

/// As PEM.
struct Made {
    authority: String,
    certificate: String,
    key: String,
}

fn made(now: DateTime<Utc>) -> Result<Made, rcgen::Error> {
    let mut params = params(now, "OMS local CA")?;
    params.is_ca = IsCa::Ca(BasicConstraints::Constrained(0));
    params.key_usages = vec![KeyUsagePurpose::KeyCertSign, KeyUsagePurpose::CrlSign];
    let authority = CertifiedIssuer::self_signed(params, KeyPair::generate()?)?;

    let mut params = self::params(now, "OMS on this machine")?;
    params.subject_alt_names = vec![
        SanType::DnsName("localhost".try_into()?),
        SanType::IpAddress(Ipv4Addr::LOCALHOST.into()),
        SanType::IpAddress(Ipv6Addr::LOCALHOST.into()),
    ];
    params.key_usages = vec![KeyUsagePurpose::DigitalSignature];
    params.extended_key_usages = vec![ExtendedKeyUsagePurpose::ServerAuth];
    params.use_authority_key_identifier_extension = true;
    let key = KeyPair::generate()?;
    let certificate = params.signed_by(&key, &authority)?;
    let (authority, certificate) = (authority.pem(), certificate.pem());
    Ok(Made { authority, certificate, key: key.serialize_pem() })
}

fn params(now: DateTime<Utc>, name: &str) -> Result<CertificateParams, rcgen::Error> {
    let mut params = CertificateParams::new(Vec::<String>::new())?;
    params.distinguished_name = DistinguishedName::new();
    // The day tells one CA from the next in a list of trusted ones.
    let common_name = format!("{name}, {}", now.format("%Y-%m-%d"));
    params.distinguished_name.push(DnType::CommonName, common_name);
    let day = |at: DateTime<Utc>| {
        // Months and days are below 32.
        let small = |number: u32| u8::try_from(number).unwrap_or(1);
        date_time_ymd(at.year(), small(at.month()), small(at.day()))
    };
    // From the day before: clocks differ.
    params.not_before = day(now - TimeDelta::days(1));
    params.not_after = day(now + TimeDelta::days(VALID_DAYS - 1));
    Ok(params)
}

/// Writes a file whole or not at all; a secret one for its owner alone.
fn write(path: &Path, text: &[u8], secret: bool) -> io::Result<()> {
    let beside = path.with_extension("new");
    match fs::remove_file(&beside) {
        Err(error) if error.kind() != ErrorKind::NotFound => return Err(error),
        _ => {}
    }
    let mut options = OpenOptions::new();
    options.write(true).create_new(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, if secret { 0o600 } else { 0o644 });
    #[cfg(not(unix))]
    let _ = secret;
    let mut file = options.open(&beside)?;
    file.write_all(text)?;
    file.sync_all()?;
    fs::rename(&beside, path)
}

fn told(path: &Path, error: &io::Error) -> String {
    format!("{}: {error}", path.display())
}
