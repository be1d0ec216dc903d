//! Tables that fit: wide columns shrink, then the least important ones are left out.
//!
//! Own code, because no table crate leaves columns out: they wrap, and an id over three lines can
//! be neither read nor copied.

use unicode_width::UnicodeWidthStr;

/// Spaces between columns.
const GAP: usize = 2;
/// A column that may shrink is never narrower.
const LEAST: usize = 8;

/// A column: its title, its side, and what may happen to it where there is little room.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Column {
    title: &'static str,
    right: bool,
    shrinks: bool,
    /// 0: stays; else the highest is left out first.
    rank: u8,
}

impl Column {
    /// Text that may be cut.
    pub(crate) const fn text(title: &'static str) -> Self {
        Self { title, right: false, shrinks: true, rank: 0 }
    }

    /// Text that is of no use when it is cut, such as an id.
    pub(crate) const fn whole(title: &'static str) -> Self {
        Self { title, right: false, shrinks: false, rank: 0 }
    }

    /// A number: on the right, never cut.
    pub(crate) const fn number(title: &'static str) -> Self {
        Self { title, right: true, shrinks: false, rank: 0 }
    }

    /// May be left out; the highest rank goes first.
    pub(crate) const fn optional(mut self, rank: u8) -> Self {
        self.rank = rank;
        self
    }
}

/// Rows under columns.
#[derive(Clone, Debug)]
pub(crate) struct Table {
    columns: Vec<Column>,
    rows: Vec<Vec<String>>,
}

impl Table {
    /// An empty table.
    pub(crate) fn new(columns: impl Into<Vec<Column>>) -> Self {
        Self { columns: columns.into(), rows: Vec::new() }
    }

    /// Adds a row: a cell per column. Cells are one line each.
    pub(crate) fn row<const N: usize>(&mut self, cells: [String; N]) {
        debug_assert_eq!(N, self.columns.len(), "a cell per column");
        self.rows.push(cells.iter().map(|cell| super::one_line(cell)).collect());
    }

    /// The lines, at most `width` wide where that is possible without losing a whole column that
    /// must stay.
    pub(crate) fn render(&self, width: Option<usize>) -> String {
        let mut shown: Vec<usize> = (0..self.columns.len()).collect();
        let mut widths: Vec<usize> = shown.iter().map(|&at| self.natural(at)).collect();
        if let Some(width) = width {
            self.leave_out(&mut shown, width);
            self.shrink(&shown, &mut widths, width);
        }
        let titles: Vec<String> = self.columns.iter().map(|c| c.title.to_owned()).collect();
        let mut text = String::new();
        for cells in std::iter::once(&titles).chain(&self.rows) {
            let line: Vec<String> =
                shown.iter().map(|&at| self.cell(at, &cells[at], widths[at])).collect();
            text.push_str(line.join(&" ".repeat(GAP)).trim_end());
            text.push('\n');
        }
        text
    }

    /// The widest cell of a column.
    fn natural(&self, at: usize) -> usize {
        let cells = self.rows.iter().map(|row| row[at].width());
        cells.chain([self.columns[at].title.width()]).max().unwrap_or(0)
    }

    fn narrowest(&self, at: usize) -> usize {
        let natural = self.natural(at);
        if self.columns[at].shrinks { natural.min(LEAST) } else { natural }
    }

    fn leave_out(&self, shown: &mut Vec<usize>, width: usize) {
        let least = |shown: &[usize]| {
            shown.iter().map(|&at| self.narrowest(at)).sum::<usize>()
                + GAP * shown.len().saturating_sub(1)
        };
        while least(shown) > width {
            let candidate = shown.iter().copied().filter(|&at| self.columns[at].rank > 0);
            let Some(out) = candidate.max_by_key(|&at| self.columns[at].rank) else { return };
            shown.retain(|&at| at != out);
        }
    }

    fn shrink(&self, shown: &[usize], widths: &mut [usize], width: usize) {
        let gaps = GAP * shown.len().saturating_sub(1);
        while shown.iter().map(|&at| widths[at]).sum::<usize>() + gaps > width {
            let candidate = shown
                .iter()
                .copied()
                .filter(|&at| self.columns[at].shrinks && widths[at] > LEAST)
                .max_by_key(|&at| widths[at]);
            let Some(at) = candidate else { return };
            widths[at] -= 1;
        }
    }

    fn cell(&self, at: usize, text: &str, width: usize) -> String {
        let text = cut(text, width);
        let pad = " ".repeat(width.saturating_sub(text.width()));
        if self.columns[at].right { format!("{pad}{text}") } else { format!("{text}{pad}") }
    }
}

/// The text in at most `width` columns, with `…` where something is missing.
pub(crate) fn cut(text: &str, width: usize) -> String {
    if text.width() <= width {
        return text.to_owned();
    }
    let room = width.saturating_sub(1);
    // What stands so far is measured, not its letters: some make the one before them wider.
    let ends = text.char_indices().map(|(at, letter)| at + letter.len_utf8());
    let fits = ends.take_while(|&end| text[..end].width() <= room).last().unwrap_or(0);
    format!("{}…", &text[..fits])
}

#[cfg(test)]
mod tests {
    use super::*;

    fn table() -> Table {
        let mut table = Table::new([
            Column::whole("ORDER"),
            Column::number("TOTAL"),
            Column::text("CUSTOMER").optional(1),
            Column::whole("CREATED").optional(2),
        ]);
        let id = "019a0000-0000-7000-8000-000000000001";
        let cells = [id, "7.00 USD", "a-customer-with-a-long-name", "2026-01-01 00:00:00Z"];
        table.row(cells.map(str::to_owned));
        let cells = [id, "1250.00 USD", "客客客客客客客客客客客客客客客客", "2026-01-01 00:00:00Z"];
        table.row(cells.map(str::to_owned));
        table
    }

    #[test]
    fn every_line_fits_and_ids_stay_whole() {
        for width in [50, 60, 80, 100, 200] {
            let text = table().render(Some(width));
            for line in text.lines() {
                assert!(line.width() <= width, "{width}: {line}");
            }
            assert_eq!(text.matches("019a0000-0000-7000-8000-000000000001").count(), 2);
        }
        assert!(!table().render(Some(80)).contains("CREATED"), "left out first");
        assert!(table().render(Some(80)).contains("CUSTOMER"));
        assert!(!table().render(Some(50)).contains("CUSTOMER"));
    }

    #[test]
    fn without_a_bound_nothing_is_cut() {
        let text = table().render(None);
        assert!(text.contains("a-customer-with-a-long-name "), "{text}");
        assert!(!text.contains('…'));
    }

    #[test]
    fn numbers_stand_on_the_right() {
        let text = table().render(None);
        let ends: Vec<Option<usize>> = text.lines().skip(1).map(|line| line.find(" USD")).collect();
        assert_eq!(ends[0], ends[1], "{text}");
    }

    #[test]
    fn what_is_cut_says_so() {
        assert_eq!(cut("abcdef", 4), "abc…");
        assert_eq!(cut("客客客", 4), "客…");
        assert_eq!(cut("abc", 3), "abc");
    }

    #[test]
    fn letters_that_join_or_widen_others_are_measured_together() {
        let heart = "\u{2764}\u{fe0f}";
        let family = "\u{1f468}\u{200d}\u{1f469}\u{200d}\u{1f467}";
        for name in [heart.repeat(20), family.repeat(20), format!("{heart}{family}").repeat(9)] {
            let mut table = Table::new([Column::whole("ORDER"), Column::text("CUSTOMER")]);
            table.row(["an-id".to_owned(), name.clone()]);
            for width in 1..=45 {
                assert!(cut(&name, width).width() <= width, "{width}: {name}");
                for line in table.render(Some(width.max(20))).lines() {
                    assert!(line.width() <= width.max(20), "{width}: {line}");
                }
            }
        }
    }
}
