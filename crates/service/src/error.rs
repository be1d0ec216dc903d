//! Why a service could not start, in one line an operator can act on.

use std::fmt::Display;

use crate::{config::ConfigError, database::DatabaseError};

/// Exit code: the operator has to change a setting.
const SETTING: u8 = 2;
/// Exit code: what is needed is not there now; another start may find it.
const AWAY: u8 = 4;
/// Exit code: a fault that no setting and no patience mends.
const FAULT: u8 = 5;

/// Exit code of a health check that found the service unwell: what container engines ask for.
const UNWELL: u8 = 1;

/// Why a service could not start.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum StartError {
    /// Another program has the port.
    #[error(
        "{setting}: port {port} is already in use; stop the other program or set another address \
         ({variable})"
    )]
    PortTaken {
        /// The setting that names the address.
        setting: String,
        /// The port.
        port: u16,
        /// The environment variable that sets it.
        variable: String,
    },
    /// The address cannot be listened on.
    #[error("{setting}: cannot listen on {address:?}: {reason}")]
    Address {
        /// The setting that names the address.
        setting: String,
        /// The address as it was given.
        address: String,
        /// What the system said.
        reason: String,
    },
    /// The configuration is wrong.
    #[error(transparent)]
    Config(#[from] ConfigError),
    /// The database cannot be used.
    #[error("{setting}: {source}")]
    Database {
        /// The setting that names the database.
        setting: String,
        /// What is wrong with it.
        source: DatabaseError,
    },
    /// The folder of the databases cannot be used.
    #[error("--data {folder}: {reason}")]
    Folder {
        /// The folder as it was given.
        folder: String,
        /// What hinders.
        reason: String,
    },
    /// A setting that only the part it is made for can judge.
    #[error("{0}")]
    Setting(String),
    /// Something that must not end has ended, as it says itself.
    #[error("{0}")]
    Stopped(String),
    /// The certificate of a port cannot be used, or no local one be made.
    #[error("{setting}: {reason}")]
    Certificate {
        /// The setting that names the certificate, or the folder of the local one.
        setting: String,
        /// What is wrong.
        reason: String,
    },
    /// A health check found that calls are not answered.
    #[error("not well: {0}")]
    Unwell(String),
    /// Anything else; `what` names the part that failed.
    #[error("{what}: {reason}")]
    Other {
        /// The part that failed, best the setting's path.
        what: String,
        /// Why.
        reason: String,
    },
}

impl StartError {
    /// A start that failed in `what` for `reason`.
    pub fn other(what: impl Into<String>, reason: impl Display) -> Self {
        Self::Other { what: what.into(), reason: reason.to_string() }
    }

    /// A start that failed because of the database that `setting` names.
    pub fn database(setting: impl Into<String>, source: DatabaseError) -> Self {
        Self::Database { setting: setting.into(), source }
    }

    /// A start that failed because of a setting in `section`, which `reason` names where it can.
    #[must_use]
    pub fn setting(section: &str, reason: String) -> Self {
        let named = reason.starts_with(&format!("{section}."));
        Self::Setting(if named { reason } else { format!("{section}: {reason}") })
    }

    /// Whether it may pass without a change of settings: a database that is not there yet, or that
    /// somebody else has still to bring up to date.
    #[must_use]
    pub fn may_pass(&self) -> bool {
        let Self::Database { source, .. } = self else { return false };
        source.is_away() || matches!(source, DatabaseError::NoRight { .. })
    }

    /// The process's exit code: 1 where a health check found the service unwell, 2 where the
    /// operator has to change a setting, 4 where a database is not there now, else 5.
    #[must_use]
    pub fn exit_code(&self) -> u8 {
        match self {
            Self::PortTaken { .. }
            | Self::Address { .. }
            | Self::Config(_)
            | Self::Setting(_)
            | Self::Certificate { .. }
            | Self::Folder { .. } => SETTING,
            Self::Unwell(_) => UNWELL,
            Self::Database { source, .. } if source.is_setting() => SETTING,
            Self::Database { source, .. } if source.is_away() => AWAY,
            Self::Database { .. } | Self::Stopped(_) | Self::Other { .. } => FAULT,
        }
    }
}

/// The environment variable of a setting: `order.grpc.listen` is `OMS_ORDER__GRPC__LISTEN`.
#[must_use]
pub fn variable_of(setting: &str) -> String {
    format!("OMS_{}", setting.replace('.', "__").to_uppercase())
}
