//! A port that answers plaintext and TLS, and the certificate it shows.

use std::{fs, net::SocketAddr, path::Path, sync::Arc};

use chrono::{DateTime, TimeDelta, Utc};
use oms_service::{
    Tls, TlsSettings,
    testing::{call_over, framed},
};
use prost::Message;
use tokio::{io::AsyncReadExt, net::TcpStream};
use tokio_rustls::{
    TlsConnector,
    client::TlsStream,
    rustls::{
        ClientConfig, RootCertStore,
        crypto::ring,
        pki_types::{CertificateDer, ServerName, pem::PemObject},
    },
};

use crate::support::{PATIENCE, Served, order, soon};

const SETTING: &str = "order.orders.tls";

fn instant(text: &str) -> DateTime<Utc> {
    text.parse().unwrap()
}

fn local(folder: &Path, now: DateTime<Utc>) -> Tls {
    let folder = folder.display().to_string();
    let settings = TlsSettings { folder, ..TlsSettings::default() };
    Tls::open(SETTING, &settings, now).unwrap().unwrap()
}

/// A handshake with the server at `address` by a client that trusts what is in `authority`.
async fn handshake(
    address: SocketAddr,
    name: &'static str,
    authority: Option<&Path>,
) -> std::io::Result<TlsStream<TcpStream>> {
    let mut roots = RootCertStore::empty();
    if let Some(file) = authority {
        roots.add(CertificateDer::from_pem_file(file).unwrap()).unwrap();
    }
    let provider = Arc::new(ring::default_provider());
    let builder = ClientConfig::builder_with_provider(provider);
    let builder = builder.with_safe_default_protocol_versions().unwrap();
    let mut config = builder.with_root_certificates(roots).with_no_client_auth();
    config.alpn_protocols = vec![b"h2".to_vec()];
    let stream = TcpStream::connect(address).await.unwrap();
    TlsConnector::from(Arc::new(config)).connect(ServerName::try_from(name).unwrap(), stream).await
}

async fn call(stream: TlsStream<TcpStream>) {
    assert_eq!(stream.get_ref().1.alpn_protocol(), Some(&b"h2"[..]));
    let path = "/oms.v1.PaymentService/GetPayment";
    let body = framed(&order("x").encode_to_vec());
    soon("an answer", call_over(stream, "https://localhost", path, &[], body)).await.unwrap();
}

/// Clients look at the machine's clock.
fn now() -> DateTime<Utc> {
    Utc::now()
}

#[tokio::test]
async fn one_port_answers_plaintext_and_whoever_trusts_the_local_authority() {
    let folder = tempfile::tempdir().unwrap();
    let tls = local(folder.path(), now());
    let authority = tls.authority().unwrap().to_owned();
    let served = Served::secured(tls).await;
    served.client().await.get_payment(order("x")).await.unwrap();
    for name in ["localhost", "127.0.0.1", "::1"] {
        call(handshake(served.address, name, Some(&authority)).await.unwrap()).await;
    }
    for (name, authority) in [("localhost", None), ("example.org", Some(authority.as_path()))] {
        let refused = handshake(served.address, name, authority).await.unwrap_err();
        assert!(refused.to_string().contains("certificate"), "{name}: {refused}");
    }
    served.client().await.get_payment(order("x")).await.unwrap();
}

#[tokio::test]
async fn connections_that_say_nothing_or_half_a_handshake_hold_nobody_up() {
    let folder = tempfile::tempdir().unwrap();
    let tls = local(folder.path(), now());
    let authority = tls.authority().unwrap().to_owned();
    let served = Served::secured(tls).await;
    let mut held = Vec::new();
    for half in [&[][..], &[0x16], &[0x16, 3, 1, 2, 0, 1]].into_iter().cycle().take(150) {
        let mut stream = TcpStream::connect(served.address).await.unwrap();
        tokio::io::AsyncWriteExt::write_all(&mut stream, half).await.unwrap();
        held.push(stream);
    }
    call(handshake(served.address, "localhost", Some(&authority)).await.unwrap()).await;
    served.client().await.get_payment(order("x")).await.unwrap();
    // What is no handshake after all is hung up on.
    let mut garbage = TcpStream::connect(served.address).await.unwrap();
    tokio::io::AsyncWriteExt::write_all(&mut garbage, &[0x16; 64]).await.unwrap();
    let mut said = Vec::new();
    let _ = soon("the end", garbage.read_to_end(&mut said)).await;
    // And a drain waits for none of them.
    soon("the drain", served.host.drain(PATIENCE * 10)).await;
    drop(held);
}

#[test]
fn a_local_certificate_is_made_once_and_its_key_is_its_owners_alone() {
    let scratch = tempfile::tempdir().unwrap();
    let folder = scratch.path().join("data/tls");
    let at = instant("2026-11-25T12:00:00Z");
    local(&folder, at);
    let files =
        || ["ca.pem", "server.pem", "server.key"].map(|f| fs::read(folder.join(f)).unwrap());
    let made = files();
    local(&folder, at + TimeDelta::days(700));
    assert_eq!(files(), made);
    #[cfg(unix)]
    {
        let mode = fs::metadata(folder.join("server.key")).unwrap();
        assert_eq!(std::os::unix::fs::PermissionsExt::mode(&mode.permissions()) & 0o777, 0o600);
    }
    // Nothing else is kept: there is no key of the authority to lose.
    let kept = fs::read_dir(&folder).unwrap().count();
    assert_eq!(kept, 4, "three files and the lock");
}

#[test]
fn a_local_certificate_that_is_about_to_expire_or_was_damaged_is_made_anew() {
    let scratch = tempfile::tempdir().unwrap();
    let folder = scratch.path();
    let at = instant("2026-11-25T12:00:00Z");
    let key = || fs::read(folder.join("server.key")).unwrap();
    local(folder, at);
    let mut last = key();
    let mut is_new = |why: &str, now: DateTime<Utc>| {
        local(folder, now);
        let made = key();
        assert_ne!(made, last, "{why}");
        last = made;
    };
    is_new("it ends in 20 days", at + TimeDelta::days(805));
    // Another pair's key, no key, no certificate, an authority that did not sign it.
    let other = tempfile::tempdir().unwrap();
    local(other.path(), at + TimeDelta::days(805));
    for file in ["server.key", "server.pem", "ca.pem"] {
        fs::copy(other.path().join(file), folder.join(file)).unwrap();
        is_new(file, at + TimeDelta::days(805));
        fs::remove_file(folder.join(file)).unwrap();
        is_new(file, at + TimeDelta::days(805));
        fs::write(folder.join(file), "nothing").unwrap();
        is_new(file, at + TimeDelta::days(805));
    }
}

#[tokio::test]
async fn a_configured_certificate_is_served() {
    let scratch = tempfile::tempdir().unwrap();
    local(scratch.path(), now());
    let file = |name: &str| scratch.path().join(name).display().to_string();
    let settings = TlsSettings {
        certificate_path: file("server.pem"),
        key_path: file("server.key"),
        folder: String::new(),
    };
    let tls = Tls::open(SETTING, &settings, now()).unwrap().unwrap();
    assert_eq!(tls.authority(), None);
    let served = Served::secured(tls).await;
    let authority = scratch.path().join("ca.pem");
    call(handshake(served.address, "localhost", Some(&authority)).await.unwrap()).await;
}

#[test]
fn what_hinders_is_told_with_its_setting_and_is_the_operators_to_change() {
    let scratch = tempfile::tempdir().unwrap();
    let file = scratch.path().join("file");
    fs::write(&file, "nothing").unwrap();
    let (file, gone) = (file.display().to_string(), scratch.path().join("gone"));
    let gone = gone.display().to_string();
    let told = |certificate: &str, key: &str, folder: &str| {
        let settings = TlsSettings {
            certificate_path: certificate.to_owned(),
            key_path: key.to_owned(),
            folder: folder.to_owned(),
        };
        let refused = Tls::open(SETTING, &settings, now()).unwrap_err();
        assert_eq!(refused.exit_code(), 2);
        refused.to_string()
    };
    let path = "order.orders.tls.certificate_path: ";
    for (certificate, key) in [(&gone, &gone), (&file, &file)] {
        let told = told(certificate, key, "");
        assert!(told.starts_with(path) && told.contains(certificate.as_str()), "{told}");
    }
    let told = told("", "", &format!("{file}/tls"));
    assert!(told.starts_with("order.orders.tls.folder: ") && told.contains("plaintext"), "{told}");
    assert!(Tls::open(SETTING, &TlsSettings::off(), now()).unwrap().is_none());
}
