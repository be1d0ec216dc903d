//! The blocks of a page.

/// A block of commands.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Block {
    /// The line of its first command, from 1.
    pub(super) line: usize,
    /// The commands.
    pub(super) commands: Vec<String>,
    /// What they print, where the page says so.
    pub(super) prints: Vec<String>,
    /// Why it is not run.
    pub(super) skipped: Option<String>,
}

const COMMANDS: &str = "```bash";
const OUTPUT: &str = "```text";
const FENCE: &str = "```";
const SKIP: &str = "<!-- not walked: ";

/// Every block of commands, in the order of the page.
pub(super) fn blocks(text: &str) -> Vec<Block> {
    let mut found: Vec<Block> = Vec::new();
    let mut skipped = None;
    let mut lines = text.lines().enumerate();
    while let Some((at, line)) = lines.next() {
        let line = line.trim();
        if let Some(why) = line.strip_prefix(SKIP) {
            skipped = Some(why.trim_end_matches("-->").trim().to_owned());
            continue;
        }
        if !line.starts_with(FENCE) {
            if !line.is_empty() {
                skipped = None;
            }
            continue;
        }
        let body: Vec<String> = lines
            .by_ref()
            .map(|(_, line)| line)
            .take_while(|line| line.trim() != FENCE)
            .map(str::to_owned)
            .collect();
        match (line, found.last_mut()) {
            (COMMANDS, _) => found.push(Block {
                line: at + 2,
                commands: body,
                skipped: skipped.take(),
                ..Block::default()
            }),
            (OUTPUT, Some(block)) if block.prints.is_empty() => block.prints = body,
            _ => {}
        }
    }
    found
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn commands_come_with_what_they_print_and_why_they_are_left_out() {
        let page = "# A\n```\nno language\n```\n```bash\na\nb\n```\nPrints:\n\n```text\nx\n```\n\
                    <!-- not walked: it deletes things -->\n\n```bash\nrm\n```\n```json\n{}\n```\n\
                    <!-- not walked: far away -->\nProse.\n```bash\nc\n```\n";
        let block = |line, commands: &[&str], prints: &[&str], skipped: Option<&str>| Block {
            line,
            commands: commands.iter().map(|line| (*line).to_owned()).collect(),
            prints: prints.iter().map(|line| (*line).to_owned()).collect(),
            skipped: skipped.map(str::to_owned),
        };
        let expected = [
            block(6, &["a", "b"], &["x"], None),
            block(17, &["rm"], &[], Some("it deletes things")),
            block(25, &["c"], &[], None),
        ];
        assert_eq!(blocks(page), expected);
    }
}
