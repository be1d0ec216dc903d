//! A page as one shell script, and what came of it block by block.

use anyhow::{bail, ensure};

use super::{page::Block, printed};

/// Begins the output of a block.
const MARK: &str = "::walk::";

/// What a reader's second terminal is for, and the end of both.
const PRELUDE: &str = r#"set -euo pipefail
running=
walk_run() {
  # A group of its own, as in a terminal of its own.
  set -m
  make run > "$WALK_LOG" 2>&1 &
  running=$!
  set +m
  for _ in $(seq 1200); do
    grep -q '^ready' "$WALK_LOG" && return
    kill -0 "$running" 2> /dev/null || break
    sleep 0.25
  done
  echo "make run did not become ready:"
  tail -n 20 "$WALK_LOG"
  exit 1
}
walk_end() {
  if [ -n "$running" ]; then
    kill -INT -- "-$running" 2> /dev/null || true
    wait "$running" || true
  fi
}
trap walk_end EXIT
"#;

/// The script of a page. What it prints of ports and files is replaced by what the walk has.
pub(super) fn script(blocks: &[Block], moved: &[(String, String)]) -> String {
    let mut script = PRELUDE.to_owned();
    for (number, block) in blocks.iter().enumerate() {
        script.push_str(&format!("echo '{MARK}{number}'\n"));
        for line in block.commands.iter().filter(|_| block.skipped.is_none()) {
            let command = line.split(" #").next().unwrap_or_default().trim();
            script.push_str(if command == "make run" { "walk_run" } else { line });
            script.push('\n');
        }
    }
    for (printed, here) in moved {
        script = script.replace(printed, here);
    }
    script.push_str(&format!("echo '{MARK}end'\n"));
    script
}

/// Says which block failed, or printed something else than the page says.
///
/// # Errors
/// That.
pub(super) fn judge(page: &str, blocks: &[Block], output: &str) -> anyhow::Result<()> {
    let ended = output.contains(&format!("{MARK}end"));
    for (number, block) in blocks.iter().enumerate() {
        let of_block = output
            .split(MARK)
            .find_map(|part| part.strip_prefix(&format!("{number}\n")))
            .unwrap_or_default();
        let last = !output.contains(&format!("{MARK}{}\n", number + 1));
        let at = format!("{page}:{}", block.line);
        ensure!(ended || !last, "{at} fails:\n{}", tail(of_block));
        if let Some(line) = printed::missing(of_block, &block.prints) {
            bail!("{at} does not print {line:?}, but:\n{}", tail(of_block));
        }
    }
    ensure!(ended, "{page} does not end");
    Ok(())
}

/// The last lines of what a block printed.
fn tail(text: &str) -> String {
    let lines: Vec<&str> = text.lines().collect();
    lines[lines.len().saturating_sub(30)..].join("\n")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn block(line: usize, commands: &str, prints: &str) -> Block {
        let lines = |text: &str| text.lines().map(str::to_owned).collect();
        Block { line, commands: lines(commands), prints: lines(prints), skipped: None }
    }

    #[test]
    fn the_system_is_started_in_the_background_and_ports_and_files_are_those_of_the_walk() {
        let mut blocks = vec![block(3, "make run   # starts", ""), block(9, "rm", "")];
        blocks[1].skipped = Some("no".to_owned());
        let script = script(
            &[blocks.clone(), vec![block(12, "x ca.pem localhost:50051", "")]].concat(),
            &[("localhost:50051", "localhost:16000"), ("ca.pem", "/walk/ca.pem")]
                .map(|(printed, here)| (printed.to_owned(), here.to_owned())),
        );
        assert!(script.contains("::walk::0'\nwalk_run\n"), "{script}");
        assert!(!script.contains("rm\n"), "{script}");
        assert!(script.contains("x /walk/ca.pem localhost:16000"), "{script}");
    }

    #[test]
    fn a_block_that_fails_or_prints_something_else_is_named() {
        let blocks = [block(3, "a", "1"), block(9, "b", "2")];
        let told = |output| judge("p.md", &blocks, output).map_err(|error| error.to_string());
        told("::walk::0\n1\n::walk::1\n2\n::walk::end\n").unwrap();
        let failed = told("::walk::0\n1\n::walk::1\nno such file\n").unwrap_err();
        assert!(failed.contains("p.md:9 fails:\nno such file"), "{failed}");
        let other = told("::walk::0\n7\n::walk::1\n2\n::walk::end\n").unwrap_err();
        assert!(other.starts_with("p.md:3 does not print \"1\""), "{other}");
    }
}
