//! The binary, run as a person or a script would.

use std::process::{Command, Output, Stdio};

use serde_json::Value;

/// The program with these arguments and nothing of this process's own settings.
pub(crate) fn command(arguments: &[&str]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_oms"));
    command.args(arguments).stdin(Stdio::null());
    for variable in [
        "OMS_ORDER_ADDR",
        "OMS_INVENTORY_ADDR",
        "OMS_PAYMENT_ADDR",
        "OMS_ADMIN_ADDR",
        "OMS_BOOTSTRAP",
        "OMS_DEADLINE",
        "OMS_RETRIES",
        "COLUMNS",
    ] {
        command.env_remove(variable);
    }
    command
}

/// Runs it to its end.
pub(crate) fn oms(arguments: &[&str]) -> Output {
    command(arguments).output().expect("oms can be run")
}

pub(crate) fn text(bytes: &[u8]) -> String {
    String::from_utf8_lossy(bytes).into_owned()
}

/// How a run ended.
pub(crate) struct Ended {
    pub(crate) code: i32,
    pub(crate) out: String,
    pub(crate) err: String,
}

impl Ended {
    pub(crate) fn of(output: &Output) -> Self {
        let code = output.status.code().unwrap_or(-1);
        Self { code, out: text(&output.stdout), err: text(&output.stderr) }
    }

    /// The one JSON document on standard output.
    pub(crate) fn json(&self) -> Value {
        serde_json::from_str(&self.out).unwrap_or_else(|why| panic!("{why}: {}", self.out))
    }

    /// Fails unless it ended so.
    #[track_caller]
    pub(crate) fn exits(self, code: i32) -> Self {
        assert_eq!(self.code, code, "stdout: {}\nstderr: {}", self.out, self.err);
        self
    }

    /// Fails unless standard error says so.
    #[track_caller]
    pub(crate) fn says(self, what: &str) -> Self {
        assert!(self.err.contains(what), "{what:?} is not in {}", self.err);
        self
    }
}
