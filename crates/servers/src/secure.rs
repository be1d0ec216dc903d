//! Servers that speak TLS, for tests: with a certificate of somebody else's making.

use std::{
    fs::{self, OpenOptions},
    io::Write,
    os::unix::fs::PermissionsExt,
    path::Path,
};

use crate::{Kafka, Postgres, account, ports};

/// A server's certificate and key, as PEM files; and where nobody else may look.
#[derive(Clone, Copy, Debug)]
pub struct Certificate<'a> {
    /// The certificate, and those between it and its CA.
    pub chain: &'a Path,
    /// Its private key.
    pub key: &'a Path,
}

impl Postgres {
    /// Restarts it as a server that takes TLS and nothing else.
    ///
    /// # Errors
    /// When it does not start so.
    pub fn speak_tls(&self, certificate: Certificate<'_>) -> anyhow::Result<()> {
        self.stop()?;
        for (from, name) in [(certificate.chain, "server.crt"), (certificate.key, "server.key")] {
            let file = self.data().join(name);
            fs::copy(from, &file)?;
            fs::set_permissions(&file, fs::Permissions::from_mode(0o600))?;
            account::give(&file)?;
        }
        let conf = self.data().join("postgresql.conf");
        OpenOptions::new().append(true).open(conf)?.write_all(b"ssl = on\n")?;
        fs::write(self.data().join("pg_hba.conf"), "hostssl all all 127.0.0.1/32 md5\n")?;
        self.start()
    }
}

impl Kafka {
    /// Restarts it, empty, with one more listener: SASL SCRAM-SHA-512 over TLS, for one user. The
    /// address of that listener.
    ///
    /// # Errors
    /// When it does not start so.
    pub fn speak_tls(
        &self,
        certificate: Certificate<'_>,
        user: &str,
        password: &str,
    ) -> anyhow::Result<String> {
        self.stop()?;
        let [port] = ports::free()?;
        // Kafka wants both in one file.
        let both = self.properties().with_file_name("server.pem");
        let (key, chain) = (fs::read(certificate.key)?, fs::read(certificate.chain)?);
        fs::write(&both, [key, chain].concat())?;
        let properties = fs::read_to_string(self.properties())?;
        fs::write(self.properties(), with_tls(&properties, port, &both))?;
        self.format_anew(&format!("SCRAM-SHA-512=[name={user},password={password}]"))?;
        self.start()?;
        Ok(format!("localhost:{port}"))
    }
}

fn with_tls(properties: &str, port: u16, pem: &Path) -> String {
    const LISTENERS: &str = "listeners=PLAINTEXT://";
    let address = format!("SECURE://localhost:{port},");
    let more = format!(
        "listener.security.protocol.map=PLAINTEXT:PLAINTEXT,CONTROLLER:PLAINTEXT,SECURE:SASL_SSL\n\
         inter.broker.listener.name=PLAINTEXT\n\
         listener.name.secure.ssl.keystore.type=PEM\n\
         listener.name.secure.ssl.keystore.location={}\n\
         listener.name.secure.sasl.enabled.mechanisms=SCRAM-SHA-512\n\
         listener.name.secure.scram-sha-512.sasl.jaas.config=\
         org.apache.kafka.common.security.scram.ScramLoginModule required;\n",
        pem.display()
    );
    // Both `listeners` and `advertised.listeners` end so.
    properties.replace(LISTENERS, &format!("listeners={address}PLAINTEXT://")) + &more
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn both_lists_of_listeners_name_the_secure_one() {
        let plain =
            "listeners=PLAINTEXT://a:1,CONTROLLER://a:2\nadvertised.listeners=PLAINTEXT://a:1\n";
        let secure = with_tls(plain, 3, Path::new("/p"));
        assert!(secure.starts_with("listeners=SECURE://localhost:3,PLAINTEXT://a:1,"), "{secure}");
        let advertised = "\nadvertised.listeners=SECURE://localhost:3,PLAINTEXT://a:1\n";
        assert!(secure.contains(advertised), "{secure}");
        assert!(secure.ends_with("ScramLoginModule required;\n"), "{secure}");
    }
}
