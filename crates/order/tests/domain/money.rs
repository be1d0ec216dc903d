//! Money and its arithmetic.

use oms_order::domain::{Currency, Money, MoneyError};
use proptest::prelude::*;

use crate::support::{line, usd};

fn currency(code: &str) -> Currency {
    Currency::parse(code).unwrap()
}

#[test]
fn currencies_have_their_own_exponent() {
    for (code, exponent) in [("JPY", 0), ("USD", 2), ("RUB", 2), ("KWD", 3), ("CLF", 4)] {
        assert_eq!(currency(code).exponent(), exponent, "{code}");
        assert_eq!(currency(code).code(), code);
    }
}

#[test]
fn what_is_no_currency_is_refused() {
    for code in ["", "usd", "US", "USDX", "AAA", "XXX", "XAU", "$", "ÜSD"] {
        let refused = Currency::parse(code);
        assert_eq!(refused, Err(MoneyError::UnknownCurrency(code.to_owned())), "{code}");
    }
}

#[test]
fn money_is_written_as_people_write_it() {
    let text = |minor, code| Money::new(minor, currency(code)).to_string();
    assert_eq!(text(25_000, "USD"), "250.00 USD");
    assert_eq!(text(5, "USD"), "0.05 USD");
    assert_eq!(text(-5, "USD"), "-0.05 USD");
    assert_eq!(text(250, "JPY"), "250 JPY");
    assert_eq!(text(1_234, "KWD"), "1.234 KWD");
    assert_eq!(text(i64::MIN, "JPY"), "-9223372036854775808 JPY");
}

#[test]
fn two_currencies_have_no_sum() {
    let (dollar, euro) = (usd(1), Money::new(1, currency("EUR")));
    assert_eq!(dollar.plus(euro), Err(MoneyError::Mixed(dollar.currency(), euro.currency())));
    assert_eq!(dollar.minus(euro), Err(MoneyError::Mixed(dollar.currency(), euro.currency())));
}

proptest! {
    #[test]
    fn sums_are_exact_or_refused(a: i64, b: i64) {
        let exact = i128::from(a) + i128::from(b);
        match usd(a).plus(usd(b)) {
            Ok(sum) => prop_assert_eq!(i128::from(sum.minor()), exact),
            Err(error) => {
                prop_assert_eq!(error, MoneyError::Overflow);
                prop_assert!(i64::try_from(exact).is_err());
            }
        }
    }

    #[test]
    fn differences_undo_sums(
        a in -1_000_000_000_000_i64..1_000_000_000_000,
        b in -1_000_000_000_000_i64..1_000_000_000_000,
    ) {
        prop_assert_eq!(usd(a).plus(usd(b)).unwrap().minus(usd(b)).unwrap(), usd(a));
    }

    #[test]
    fn products_are_exact_or_refused(price: i64, qty in 1_i64..1_000_001) {
        let exact = i128::from(price) * i128::from(qty);
        match usd(price).times(qty) {
            Ok(product) => prop_assert_eq!(i128::from(product.minor()), exact),
            Err(_) => prop_assert!(i64::try_from(exact).is_err()),
        }
    }

    #[test]
    fn a_total_is_the_exact_sum_of_its_lines(
        prices in prop::collection::vec((1_i32..1_000_001, 1_i64..=i64::MAX), 1..20),
    ) {
        let lines: Vec<_> =
            (0..).zip(&prices).map(|(n, (qty, price))| line(n, "A", *qty, *price)).collect();
        let exact: i128 =
            prices.iter().map(|(qty, price)| i128::from(*qty) * i128::from(*price)).sum();
        match oms_order::domain::total(&lines, currency("USD")) {
            Ok(total) => prop_assert_eq!(i128::from(total.minor()), exact),
            Err(error) => {
                prop_assert_eq!(error, MoneyError::Overflow);
                prop_assert!(i64::try_from(exact).is_err());
            }
        }
    }
}
