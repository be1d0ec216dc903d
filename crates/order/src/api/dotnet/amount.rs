//! Amounts of money as doubles.
//!
//! A double stands for the shortest decimal text that reads as this double: that is what its sender
//! wrote, and what a receiver prints. So 999.99 is 99,999 cents, exactly, and 0.1 + 0.2, which is
//! 0.30000000000000004, is no amount of cents.

/// Every decimal number of up to 15 digits survives being a double and back; of 16 not every one.
const MINOR_MAX: i64 = 999_999_999_999_999;

/// Why a double is no amount.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum NoAmount {
    /// Infinite, or no number at all.
    NotFinite,
    /// Zero or less.
    NotPositive,
    /// More decimals than the currency has.
    TooManyDecimals,
    /// More than 15 digits.
    OutOfRange,
}

/// A positive amount in minor units of a currency with that exponent.
pub(super) fn minor_units(amount: f64, exponent: u16) -> Result<i64, NoAmount> {
    if !amount.is_finite() {
        return Err(NoAmount::NotFinite);
    }
    if amount <= 0.0 {
        return Err(NoAmount::NotPositive);
    }
    // The shortest text, and never with an exponent.
    let text = amount.to_string();
    let (whole, part) = text.split_once('.').unwrap_or((&text, ""));
    let decimals = usize::from(exponent);
    if part.len() > decimals {
        return Err(NoAmount::TooManyDecimals);
    }
    let digits = format!("{whole}{part:0<decimals$}");
    match digits.parse() {
        Ok(minor) if minor <= MINOR_MAX => Ok(minor),
        _ => Err(NoAmount::OutOfRange),
    }
}

/// The double nearest to so many minor units of a currency with that exponent.
pub(super) fn decimal(minor: i64, exponent: u16) -> f64 {
    // Reading rounds once, where a division of large numbers would round twice. The text is a
    // number, so that it always reads; should it not, no amount is better than a wrong one.
    format!("{minor}e-{exponent}").parse().unwrap_or(f64::NAN)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const JPY: u16 = 0;
    const USD: u16 = 2;
    const KWD: u16 = 3;

    #[test]
    fn what_a_caller_wrote_is_exact() {
        for (amount, exponent, minor) in [
            (0.3, USD, 30),
            (999.99, USD, 99_999),
            (0.01, USD, 1),
            (2_099.96, USD, 209_996),
            (100.0, JPY, 100),
            (1.234, KWD, 1_234),
            (9_999_999_999_999.99, USD, MINOR_MAX),
            (1e14, JPY, 100_000_000_000_000),
        ] {
            assert_eq!(minor_units(amount, exponent), Ok(minor), "{amount}");
            assert_eq!(decimal(minor, exponent).to_bits(), amount.to_bits(), "{minor}");
        }
    }

    #[test]
    fn what_is_no_amount_is_refused() {
        use NoAmount::{NotFinite, NotPositive, OutOfRange, TooManyDecimals};
        for (amount, exponent, why) in [
            (0.1 + 0.2, USD, TooManyDecimals),
            (19.999, USD, TooManyDecimals),
            (100.5, JPY, TooManyDecimals),
            (1.0005, KWD, TooManyDecimals),
            (f64::MIN_POSITIVE, KWD, TooManyDecimals),
            (5e-324, USD, TooManyDecimals),
            (0.0, USD, NotPositive),
            (-0.0, USD, NotPositive),
            (-1.0, USD, NotPositive),
            (-1e300, USD, NotPositive),
            (f64::NAN, USD, NotFinite),
            (f64::INFINITY, USD, NotFinite),
            (f64::NEG_INFINITY, USD, NotFinite),
            (1e300, USD, OutOfRange),
            (f64::MAX, JPY, OutOfRange),
            (1e15, JPY, OutOfRange),
            (1e13, USD, OutOfRange),
            (1e19, JPY, OutOfRange),
        ] {
            assert_eq!(minor_units(amount, exponent), Err(why), "{amount}");
        }
    }

    #[test]
    fn totals_beyond_what_is_exact_are_the_nearest_double() {
        assert_eq!(decimal(i64::MAX, JPY).to_bits(), 9_223_372_036_854_775_807.0_f64.to_bits());
        assert_eq!(decimal(i64::MAX, USD).to_bits(), 92_233_720_368_547_758.07_f64.to_bits());
        assert_eq!(decimal(0, USD).to_bits(), 0.0_f64.to_bits());
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(4_096))]

        #[test]
        fn every_amount_goes_out_and_comes_back(
            minor in prop_oneof![1..=MINOR_MAX, 1_i64..1_000_000, MINOR_MAX - 1_000..=MINOR_MAX],
            exponent in prop_oneof![Just(JPY), Just(USD), Just(KWD)],
        ) {
            prop_assert_eq!(minor_units(decimal(minor, exponent), exponent), Ok(minor));
        }

        #[test]
        fn a_decimal_more_than_the_currency_has_is_refused(
            minor in 1_i64..1_000_000_000_000,
            digit in 1_i64..10,
            exponent in prop_oneof![Just(JPY), Just(USD), Just(KWD)],
        ) {
            let amount = decimal(minor * 10 + digit, exponent + 1);
            prop_assert_eq!(minor_units(amount, exponent), Err(NoAmount::TooManyDecimals));
        }

        #[test]
        fn any_double_at_all_is_exact_or_refused(
            bits: u64,
            exponent in prop_oneof![Just(JPY), Just(USD), Just(KWD)],
        ) {
            let amount = f64::from_bits(bits);
            if let Ok(minor) = minor_units(amount, exponent) {
                prop_assert_eq!(decimal(minor, exponent).to_bits(), bits);
            }
        }
    }
}
