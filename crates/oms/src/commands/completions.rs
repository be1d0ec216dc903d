//! `oms completions`: what a shell needs to complete commands and flags.

use std::io::Write;

use clap::{Args, CommandFactory};
use clap_complete::{Shell, generate};

/// Print completions for a shell.
#[derive(Args)]
pub(crate) struct CompletionsArguments {
    /// The shell.
    shell: Shell,
}

impl CompletionsArguments {
    /// Writes the script for the command line `C`.
    pub(crate) fn write<C: CommandFactory>(&self, out: &mut impl Write) -> std::io::Result<()> {
        let mut script = Vec::new();
        generate(self.shell, &mut C::command(), "oms", &mut script);
        out.write_all(&script)
    }
}
