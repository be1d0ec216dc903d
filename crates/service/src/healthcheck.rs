//! A service asked by its own binary whether it answers calls: images have no curl.

use std::{net::IpAddr, time::Duration};

use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::TcpStream,
    time::timeout,
};

use crate::error::StartError;

/// How long the answer may take; container engines wait longer.
const ANSWER_WITHIN: Duration = Duration::from_secs(3);
/// The answer at most, in bytes.
const ANSWER_MAX: u64 = 64 * 1024;
const PATH: &str = "/readyz/calls";

/// Asks the admin port at `listen`, as `setting` has it, whether calls are answered.
///
/// # Errors
/// [`StartError::Unwell`] with what the service said, or why it said nothing.
pub(crate) async fn ask(setting: &str, listen: &str) -> Result<(), StartError> {
    let (host, port) = listen.rsplit_once(':').unwrap_or((listen, ""));
    if port == "0" {
        let why = format!("{setting}: port 0 is another one at each start; set a fixed one");
        return Err(StartError::Setting(why));
    }
    let answer = timeout(ANSWER_WITHIN, get(&reachable(host), port)).await;
    let unwell = |why: String| StartError::Unwell(format!("{listen}{PATH}: {why}"));
    let page = match answer {
        Err(_) => return Err(unwell(format!("no answer within {ANSWER_WITHIN:?}"))),
        Ok(Err(error)) => return Err(unwell(error.to_string())),
        Ok(Ok(page)) => page,
    };
    let (head, body) = page.split_once("\r\n\r\n").unwrap_or((&page, ""));
    match head.split(' ').nth(1) {
        Some("200") => Ok(()),
        Some(_) => Err(unwell(body.trim().replace('\n', "; "))),
        None => Err(unwell("no HTTP answer".to_owned())),
    }
}

async fn get(host: &str, port: &str) -> std::io::Result<String> {
    let mut stream = TcpStream::connect(format!("{host}:{port}")).await?;
    let request = format!("GET {PATH} HTTP/1.1\r\nHost: {host}\r\nConnection: close\r\n\r\n");
    stream.write_all(request.as_bytes()).await?;
    let mut answer = String::new();
    stream.take(ANSWER_MAX).read_to_string(&mut answer).await?;
    Ok(answer)
}

/// Who listens on all addresses is reached on the loopback.
fn reachable(host: &str) -> String {
    match host.trim_matches(['[', ']']).parse::<IpAddr>() {
        Ok(IpAddr::V4(at)) if at.is_unspecified() => "127.0.0.1".to_owned(),
        Ok(IpAddr::V6(at)) if at.is_unspecified() => "[::1]".to_owned(),
        _ => host.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use oms_seams::Seams;

    use super::*;
    use crate::{admin::Admin, host::Host, process::Process};

    const SETTING: &str = "test.admin.listen";

    async fn asked(admin: &Admin) -> Result<(), String> {
        let answer = ask(SETTING, &format!("0.0.0.0:{}", admin.address().port())).await;
        answer.map_err(|error| error.to_string())
    }

    #[tokio::test]
    async fn a_service_is_well_while_it_answers_calls() {
        let process = Process::new();
        let admin = Admin::serve(&process, SETTING, "127.0.0.1:0").await.unwrap();
        let host = Host::new("test", Seams::system(), process.clone());
        let [database, broker] = ["database", "broker"].map(|name| host.health().component(name));
        database.up();
        let starting = asked(&admin).await.unwrap_err();
        assert!(starting.contains("test.broker: down: starting"), "{starting}");
        broker.up();
        host.ready(Duration::from_secs(20)).await.unwrap();
        asked(&admin).await.unwrap();
        broker.down("away");
        asked(&admin).await.unwrap();
        database.down("away");
        asked(&admin).await.unwrap_err();
        database.up();
        asked(&admin).await.unwrap();
        host.kill();
        let draining = asked(&admin).await.unwrap_err();
        assert!(draining.contains("test: draining"), "{draining}");
    }

    #[tokio::test]
    async fn nobody_there_is_unwell_and_a_port_that_is_not_known_a_fault_of_the_settings() {
        let error = ask(SETTING, "127.0.0.1:1").await.unwrap_err();
        assert!(error.to_string().starts_with("not well: 127.0.0.1:1/readyz/calls: "), "{error}");
        assert_eq!(error.exit_code(), 1);
        let error = ask(SETTING, "localhost:0").await.unwrap_err();
        assert_eq!(error.exit_code(), 2, "{error}");
    }

    #[test]
    fn who_listens_everywhere_is_asked_on_the_loopback() {
        let at = ["0.0.0.0", "[::]", "localhost", "10.0.0.7"].map(reachable);
        assert_eq!(at, ["127.0.0.1", "[::1]", "localhost", "10.0.0.7"]);
    }
}
