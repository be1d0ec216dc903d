//! Completions, as shells load them.

use std::process::Command;

use crate::program::{Ended, oms, text};

#[test]
fn bash_loads_the_completions_and_completes_commands_and_flags() {
    let script = Ended::of(&oms(&["completions", "bash"])).exits(0).out;
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("oms.bash");
    std::fs::write(&file, script).unwrap();
    let ask = |words: &[&str]| {
        let asked = words.iter().map(|word| format!("{word:?}")).collect::<Vec<_>>().join(" ");
        let program = format!(
            "set -e; source {}; COMP_WORDS=({asked}); COMP_CWORD={}; _oms oms {:?} {:?} || true; \
             printf '%s\\n' \"${{COMPREPLY[@]}}\"",
            file.display(),
            words.len() - 1,
            words[words.len() - 1],
            words[words.len() - 2],
        );
        let output = Command::new("bash").args(["-c", &program]).output().unwrap();
        assert!(output.status.success(), "{}", text(&output.stderr));
        text(&output.stdout).lines().map(str::to_owned).collect::<Vec<_>>()
    };
    assert_eq!(ask(&["oms", "pay"]), ["payment"]);
    assert_eq!(ask(&["oms", "order", "com"]), ["complete"]);
    assert_eq!(ask(&["oms", "dlq", "re"]), ["redrive"]);
    assert!(ask(&["oms", "dlq", "redrive", "--dry"]).contains(&"--dry-run".to_owned()));
    assert!(ask(&["oms", "order", "list", "--ref"]).contains(&"--reference".to_owned()));
}

#[test]
fn every_shell_gets_a_script() {
    for shell in ["bash", "zsh", "fish", "elvish", "powershell"] {
        let script = Ended::of(&oms(&["completions", shell])).exits(0).out;
        assert!(script.contains("refund"), "{shell}");
        assert!(!script.contains("terminal-columns"), "{shell}: hidden flags");
    }
}
