//! The environment: `OMS_ORDER__GRPC__LISTEN` sets `order.grpc.listen`.

const PREFIX: &str = "OMS_";
const SEPARATOR: &str = "__";

/// The settings in this process's environment.
pub(crate) fn settings() -> Vec<(String, String)> {
    of(std::env::vars_os()
        .filter_map(|(name, value)| Some((name.into_string().ok()?, value.into_string().ok()?))))
}

/// The settings among `variables`: only names with `__`, because others that begin with `OMS_` are
/// not ours (`OMS_ORDER_PORT`, which Kubernetes injects for a Service named `oms-order`).
pub(crate) fn of(variables: impl IntoIterator<Item = (String, String)>) -> Vec<(String, String)> {
    let mut found: Vec<_> = variables
        .into_iter()
        .filter_map(|(name, value)| {
            let path = name.strip_prefix(PREFIX)?;
            path.contains(SEPARATOR).then(|| (path.to_lowercase().replace(SEPARATOR, "."), value))
        })
        .collect();
    found.sort();
    found
}

/// The PostgreSQL server that tests may use, as a URL.
#[cfg(feature = "testing")]
#[allow(clippy::disallowed_methods, reason = "the one legal caller")]
pub(crate) fn test_postgres() -> Option<String> {
    std::env::var("OMS_TEST_POSTGRES").ok().filter(|url| !url.is_empty())
}
