//! Connections to the three services.

use std::time::Duration;

use tonic::transport::{Channel, Endpoint};

use super::{Exit, Failure};

/// How long a connection may take.
const CONNECT_WAIT: Duration = Duration::from_secs(3);

/// A connection to `address`; `flag` is how to name another one.
pub(crate) async fn channel(address: &str, flag: &str) -> Result<Channel, Failure> {
    let url =
        if address.contains("://") { address.to_owned() } else { format!("http://{address}") };
    let wrong = |why: String| Failure::new(Exit::Usage, format!("{flag} {address:?}: {why}"));
    let endpoint = Endpoint::from_shared(url).map_err(|error| wrong(error.to_string()))?;
    if endpoint.uri().scheme_str() != Some("http") || endpoint.uri().port().is_none() {
        return Err(wrong("expected HOST:PORT or http://HOST:PORT".to_owned()));
    }
    endpoint.connect_timeout(CONNECT_WAIT).connect().await.map_err(|error| {
        let cause = root_cause(&error);
        Failure::new(Exit::Unavailable, format!("cannot connect to {address}: {cause}"))
            .next("is the system running? start it with `make run`")
            .next(format!("or name another address with {flag}"))
    })
}

/// What the machine said: the innermost of the errors.
fn root_cause(error: &dyn std::error::Error) -> String {
    let mut cause = error;
    while let Some(inner) = cause.source() {
        cause = inner;
    }
    cause.to_string()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn an_address_that_is_none_is_a_usage_error_naming_the_flag() {
        for address in ["localhost", "https://localhost:1", "a b:1", ""] {
            let failure = channel(address, "--order-addr").await.unwrap_err();
            assert_eq!(failure.exit, Exit::Usage, "{address}: {failure:?}");
            assert!(failure.message.starts_with("--order-addr"), "{failure:?}");
        }
    }

    #[tokio::test]
    async fn where_nobody_listens_the_next_step_is_told() {
        let free = std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
        let failure = channel(&free.to_string(), "--order-addr").await.unwrap_err();
        assert_eq!(failure.exit, Exit::Unavailable);
        assert!(failure.lines().iter().any(|line| line.contains("make run")), "{failure:?}");
    }
}
