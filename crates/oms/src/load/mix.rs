//! What becomes of orders, by weight.

use std::{
    str::FromStr,
    sync::{Mutex, PoisonError},
};

/// The largest weight.
const WEIGHT_MAX: i64 = 1_000_000;

/// What an order is made to become.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Kind {
    /// Bought.
    Ok,
    /// The card is declined.
    Declined,
    /// One line cannot be held.
    OutOfStock,
    /// Cancelled while the saga runs.
    Cancel,
    /// Bought, then half of the money is given back.
    Refund,
}

impl Kind {
    /// Every kind.
    pub(super) const ALL: [Self; 5] =
        [Self::Ok, Self::Declined, Self::OutOfStock, Self::Cancel, Self::Refund];

    /// Its name on the command line.
    pub(super) const fn name(self) -> &'static str {
        match self {
            Self::Ok => "ok",
            Self::Declined => "declined",
            Self::OutOfStock => "out-of-stock",
            Self::Cancel => "cancel",
            Self::Refund => "refund",
        }
    }
}

/// Kinds and their weights.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Mix(Vec<(Kind, i64)>);

impl FromStr for Mix {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let mut mix: Vec<(Kind, i64)> = Vec::new();
        for part in text.split(',') {
            let form = || format!("{part:?}: expected KIND=WEIGHT, for example ok=70");
            let (name, weight) = part.trim().split_once('=').ok_or_else(form)?;
            let names = Kind::ALL.map(Kind::name).join(", ");
            let kind = Kind::ALL.into_iter().find(|kind| kind.name() == name);
            let kind = kind.ok_or_else(|| format!("{name:?} is none of {names}"))?;
            let weight: i64 = weight.parse().map_err(|_| form())?;
            if !(0..=WEIGHT_MAX).contains(&weight) {
                return Err(format!("{name}: a weight is 0 to {WEIGHT_MAX}"));
            }
            if mix.iter().any(|(known, _)| *known == kind) {
                return Err(format!("{name} is given twice"));
            }
            mix.push((kind, weight));
        }
        if mix.iter().all(|(_, weight)| *weight == 0) {
            return Err("every weight is 0".to_owned());
        }
        Ok(Self(mix))
    }
}

/// Deals kinds out so that at any moment each is as frequent as its weight says, as nearly as
/// whole orders can be (smooth weighted round robin). No chance is involved.
#[derive(Debug)]
pub(super) struct Dealer(Mutex<Vec<(Kind, i64, i64)>>);

impl Dealer {
    pub(super) fn new(mix: &Mix) -> Self {
        Self(Mutex::new(mix.0.iter().map(|&(kind, weight)| (kind, weight, 0)).collect()))
    }

    /// The kind of the next order.
    pub(super) fn deal(&self) -> Kind {
        let mut hands = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let all: i64 = hands.iter().map(|(_, weight, _)| weight).sum();
        for (_, weight, credit) in hands.iter_mut() {
            *credit += *weight;
        }
        // A mix has at least one kind.
        let richest = hands.iter_mut().max_by_key(|(_, _, credit)| *credit);
        richest.map_or(Kind::Ok, |(kind, _, credit)| {
            *credit -= all;
            *kind
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_hundred_orders_are_dealt_as_the_weights_say() {
        let mix: Mix = "ok=70,declined=15,out-of-stock=10,cancel=3,refund=2".parse().unwrap();
        let dealer = Dealer::new(&mix);
        let dealt: Vec<Kind> = (0..100).map(|_| dealer.deal()).collect();
        for (kind, weight) in mix.0 {
            let count = dealt.iter().filter(|dealt| **dealt == kind).count();
            assert_eq!(i64::try_from(count).unwrap(), weight, "{kind:?}");
        }
        let early = dealt[..20].iter().filter(|kind| **kind == Kind::Ok).count();
        assert_eq!(early, 14, "evenly, not one kind after the other");
    }

    #[test]
    fn a_mix_that_is_none_says_why() {
        for (text, why) in [
            ("ok", "expected KIND=WEIGHT"),
            ("ok=x", "expected KIND=WEIGHT"),
            ("good=1", "is none of ok, declined"),
            ("ok=1,ok=2", "given twice"),
            ("ok=-1", "0 to 1000000"),
            ("ok=0", "every weight is 0"),
        ] {
            let said = text.parse::<Mix>().unwrap_err();
            assert!(said.contains(why), "{text}: {said}");
        }
    }
}
