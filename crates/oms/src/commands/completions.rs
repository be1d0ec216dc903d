//! `oms completions`: what a shell needs to complete commands and flags.

use clap::{Args, CommandFactory};
use clap_complete::{Shell, generate};

/// Print completions for a shell.
#[derive(Args)]
#[command(
    after_long_help = "Examples:\n  source <(oms completions bash)\n  oms completions zsh > \
                             ~/.zfunc/_oms\n  oms completions fish | source"
)]
pub(crate) struct CompletionsArguments {
    /// The shell.
    shell: Shell,
}

impl CompletionsArguments {
    /// The script for the command line `C`.
    pub(crate) fn script<C: CommandFactory>(&self) -> String {
        let mut script = Vec::new();
        generate(self.shell, &mut C::command(), "oms", &mut script);
        String::from_utf8_lossy(&script).into_owned()
    }
}
