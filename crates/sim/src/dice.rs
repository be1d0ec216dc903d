//! Chance that can be repeated: everything a simulation decides is drawn from its seed.

/// A stream of numbers that its seed decides (SplitMix64).
#[derive(Clone, Debug)]
pub(crate) struct Dice(u64);

impl Dice {
    /// The stream of a seed, and of what it is for: streams with other salts are others.
    #[must_use]
    pub(crate) fn new(seed: u64, salt: u64) -> Self {
        let mut dice = Self(seed ^ salt.wrapping_mul(0xD6E8_FEB8_6659_FD93));
        dice.roll();
        dice
    }

    /// The next number.
    pub(crate) fn roll(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let mut mixed = self.0;
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        mixed ^ (mixed >> 31)
    }

    /// A number below `bound`; 0 when there is none.
    pub(crate) fn below(&mut self, bound: u64) -> u64 {
        self.roll() % bound.max(1)
    }

    /// A number of a range, both ends included.
    pub(crate) fn between(&mut self, low: u64, high: u64) -> u64 {
        low + self.below(high.saturating_sub(low) + 1)
    }

    /// An index of a list of this length.
    pub(crate) fn index(&mut self, len: usize) -> usize {
        usize::try_from(self.below(len as u64)).unwrap_or(0)
    }

    /// True in so many of a hundred cases.
    pub(crate) fn chance(&mut self, percent: u64) -> bool {
        self.below(100) < percent
    }

    /// One of these.
    pub(crate) fn pick<T: Copy>(&mut self, of: &[T], otherwise: T) -> T {
        of.get(self.index(of.len())).copied().unwrap_or(otherwise)
    }

    /// One of these, by their weights.
    pub(crate) fn weighted<T: Copy>(&mut self, of: &[(T, u64)], otherwise: T) -> T {
        let mut left = self.below(of.iter().map(|(_, weight)| weight).sum());
        for (value, weight) in of {
            if left < *weight {
                return *value;
            }
            left -= weight;
        }
        otherwise
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_seed_decides_its_stream_and_a_salt_makes_another() {
        let rolls = |seed, salt| {
            let mut dice = Dice::new(seed, salt);
            [dice.roll(), dice.roll(), dice.roll()]
        };
        assert_eq!(rolls(7, 1), rolls(7, 1));
        assert_ne!(rolls(7, 1), rolls(7, 2));
        assert_ne!(rolls(7, 1), rolls(8, 1));
    }

    #[test]
    fn weights_decide_how_often_something_comes() {
        let mut dice = Dice::new(1, 0);
        let rolls: Vec<u8> =
            (0..1_000).map(|_| dice.weighted(&[(1, 9), (2, 1), (3, 0)], 4)).collect();
        let count = |wanted| rolls.iter().filter(|roll| **roll == wanted).count();
        assert!(count(1) > 800 && count(2) > 50, "{} and {}", count(1), count(2));
        assert_eq!((count(3), count(4)), (0, 0));
    }
}
