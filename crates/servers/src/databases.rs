//! Databases and roles as `deploy/postgres/service.sql` makes them.

use std::{path::Path, process::Command, time::Duration};

use anyhow::Context;

use crate::{committed, installed, program};

const FILE: &str = "deploy/postgres/service.sql";
const FIX: &str = "apt-get install postgresql-client";
const WITHIN: Duration = Duration::from_secs(60);
/// The roles are for tests on servers made for tests.
const PASSWORD: &str = "oms";

/// A service's database, as each of its two roles reaches it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ServiceDatabase {
    /// The role that owns it: for `migrate`.
    pub owner: String,
    /// The role that may change rows and no tables: for `serve`.
    pub runner: String,
}

/// Makes a service's database and roles, named `<prefix><service>` and `<prefix><service>_owner`.
///
/// # Errors
/// When psql is missing or `server` refuses.
pub fn create(
    server: &str,
    prefix: &str,
    service: &str,
    logs: &Path,
) -> anyhow::Result<ServiceDatabase> {
    let mut psql = Command::new(installed::needed("psql", FIX)?);
    psql.args(["--no-psqlrc", "--quiet", "--set=ON_ERROR_STOP=1"]);
    for (name, value) in [
        ("prefix", prefix),
        ("service", service),
        ("owner_password", PASSWORD),
        ("runner_password", PASSWORD),
    ] {
        psql.arg(format!("--set={name}={value}"));
    }
    psql.arg("--file").arg(committed(FILE)).arg(server);
    let log = logs.join(format!("{prefix}{service}.psql.log"));
    program::run(&mut psql, &log, WITHIN).with_context(|| FILE)?;
    named(server, prefix, service)
}

/// How a service's database is reached that [`create`] makes.
///
/// # Errors
/// When `server` is no URL.
pub fn named(server: &str, prefix: &str, service: &str) -> anyhow::Result<ServiceDatabase> {
    let database = format!("{prefix}{service}");
    Ok(ServiceDatabase {
        owner: url(server, &format!("{database}_owner"), &database)?,
        runner: url(server, &database, &database)?,
    })
}

/// The same server, as another role in another database.
fn url(server: &str, role: &str, database: &str) -> anyhow::Result<String> {
    let (scheme, rest) = server.split_once("://").context("no URL of a PostgreSQL server")?;
    let (rest, query) = rest.split_once('?').map_or((rest, ""), |(rest, query)| (rest, query));
    let host = rest.split('/').next().unwrap_or_default();
    let host = host.rsplit_once('@').map_or(host, |(_, host)| host);
    let query = if query.is_empty() { String::new() } else { format!("?{query}") };
    Ok(format!("{scheme}://{role}:{PASSWORD}@{host}/{database}{query}"))
}

/// A database of the same server, as the administrator reaches it.
///
/// # Errors
/// When `server` is no URL.
pub fn as_administrator(server: &str, database: &str) -> anyhow::Result<String> {
    let (base, query) = server.split_once('?').unwrap_or((server, ""));
    let start = base.find("://").context("no URL of a PostgreSQL server")? + 3;
    let host = base[start..].find('/').map_or(base, |at| &base[..start + at]);
    let query = if query.is_empty() { String::new() } else { format!("?{query}") };
    Ok(format!("{host}/{database}{query}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn roles_and_databases_take_their_places_in_the_url() {
        let server = "postgres://postgres:se@cret@127.0.0.1:5433/postgres?sslmode=disable";
        assert_eq!(
            url(server, "r", "d").unwrap(),
            "postgres://r:oms@127.0.0.1:5433/d?sslmode=disable"
        );
        assert_eq!(
            as_administrator(server, "d").unwrap(),
            "postgres://postgres:se@cret@127.0.0.1:5433/d?sslmode=disable"
        );
        assert_eq!(as_administrator("postgres://h", "d").unwrap(), "postgres://h/d");
        as_administrator("h", "d").unwrap_err();
    }
}
