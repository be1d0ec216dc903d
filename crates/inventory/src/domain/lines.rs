//! What an order asks for: units per SKU.

use std::collections::BTreeMap;

use super::Refused;

/// Units per SKU, each greater than zero, in SKU order. A SKU named twice is summed.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Lines(BTreeMap<String, i64>);

impl Lines {
    /// Sums lines as an event carries them.
    ///
    /// # Errors
    /// [`Refused::Malformed`] for no lines at all, a quantity that is not positive, or a sum that
    /// overflows.
    pub fn sum(lines: impl IntoIterator<Item = (String, i64)>) -> Result<Self, Refused> {
        let mut sums = BTreeMap::<String, i64>::new();
        for (sku, qty) in lines {
            if qty <= 0 {
                return Err(Refused::Malformed(format!("quantity of {sku:?} is {qty}")));
            }
            let sum = sums.get(&sku).copied().unwrap_or(0).checked_add(qty);
            let sum = sum.ok_or_else(|| Refused::Malformed(format!("{sku:?} overflows")))?;
            sums.insert(sku, sum);
        }
        if sums.is_empty() {
            return Err(Refused::Malformed("no lines".to_owned()));
        }
        Ok(Self(sums))
    }

    /// Lines as they were stored, where none at all is legal.
    pub fn stored(lines: impl IntoIterator<Item = (String, i64)>) -> Self {
        Self(lines.into_iter().collect())
    }

    /// SKU and units, in SKU order.
    pub fn iter(&self) -> impl Iterator<Item = (&str, i64)> {
        self.0.iter().map(|(sku, qty)| (sku.as_str(), *qty))
    }

    /// Units of one SKU.
    #[must_use]
    pub fn of(&self, sku: &str) -> i64 {
        self.0.get(sku).copied().unwrap_or(0)
    }

    /// Whether nothing is asked for or held.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// Of each SKU the larger of both.
    #[must_use]
    pub fn larger(&self, other: &Self) -> Self {
        let mut larger = self.0.clone();
        for (sku, qty) in other.iter() {
            let most = larger.entry(sku.to_owned()).or_insert(qty);
            *most = qty.max(*most);
        }
        Self(larger)
    }

    /// Of each SKU what these lines have more.
    #[must_use]
    pub fn more_than(&self, other: &Self) -> Self {
        let more = self.iter().map(|(sku, qty)| (sku.to_owned(), qty - other.of(sku)));
        Self(more.filter(|(_, qty)| *qty > 0).collect())
    }

    /// What these lines have beyond `kept`; `None` when they do not cover it.
    #[must_use]
    pub fn beyond(&self, kept: &Self) -> Option<Self> {
        if kept.iter().any(|(sku, qty)| self.of(sku) < qty) {
            return None;
        }
        Some(self.more_than(kept))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn lines(lines: &[(&str, i64)]) -> Lines {
        Lines::sum(lines.iter().map(|(sku, qty)| ((*sku).to_owned(), *qty))).unwrap()
    }

    #[test]
    fn the_same_sku_in_several_lines_is_summed() {
        let sums = lines(&[("b", 1), ("a", 2), ("b", 3)]);
        assert_eq!(sums.iter().collect::<Vec<_>>(), [("a", 2), ("b", 4)]);
    }

    #[test]
    fn what_no_order_can_ask_for_is_malformed() {
        let max = ("a".to_owned(), i64::MAX);
        let bad =
            [vec![], vec![("a".to_owned(), 0)], vec![("a".to_owned(), -1)], vec![max.clone(), max]];
        for lines in bad {
            assert!(matches!(Lines::sum(lines), Err(Refused::Malformed(_))));
        }
    }

    #[test]
    fn the_larger_of_both_covers_both_and_nothing_more() {
        let (settled, desired) = (lines(&[("a", 3), ("b", 1)]), lines(&[("a", 1), ("c", 2)]));
        let larger = settled.larger(&desired);
        assert_eq!(larger, lines(&[("a", 3), ("b", 1), ("c", 2)]));
        assert_eq!(larger.more_than(&settled), lines(&[("c", 2)]));
        assert_eq!(larger.more_than(&desired), lines(&[("a", 2), ("b", 1)]));
        assert_eq!(settled.more_than(&larger), Lines::default());
    }

    #[test]
    fn beyond_is_the_rest_and_absent_when_not_covered() {
        let hold = lines(&[("a", 3), ("b", 1), ("c", 2)]);
        assert_eq!(hold.beyond(&lines(&[("a", 1), ("b", 1)])), Some(lines(&[("a", 2), ("c", 2)])));
        assert_eq!(hold.beyond(&hold), Some(Lines::default()));
        assert_eq!(hold.beyond(&lines(&[("a", 4)])), None);
        assert_eq!(hold.beyond(&lines(&[("d", 1)])), None);
    }
}
