//! How the simulated gateway judges, by payment method, customer and what it holds of the order.

use iso_currency::Currency;

use super::ledger::{Account, Asked, Kind};
use crate::gateway::Verdict;

/// Declines every time.
pub(super) const DECLINED: &str = "pm_card_declined";
/// Declines above [`FUNDS_MAJOR`].
pub(super) const INSUFFICIENT_FUNDS: &str = "pm_card_insufficient_funds";
/// Approves after a while.
pub(super) const SLOW: &str = "pm_card_slow";
/// Charges, but the first ask learns nothing of it.
pub(super) const TIMEOUT: &str = "pm_card_timeout";
/// Charges, but gives nothing back.
pub(super) const REFUND_FAILS: &str = "pm_refund_fails";
/// Approves.
pub(super) const VISA: &str = "pm_card_visa";

/// What [`INSUFFICIENT_FUNDS`] has, in major units of any currency.
const FUNDS_MAJOR: i64 = 1_000;
/// Customers whose every capture is declined.
const DECLINED_CUSTOMER: &str = "declined-";

fn declined(code: &str, reason: &str) -> Verdict {
    Verdict::Declined { code: code.to_owned(), reason: reason.to_owned() }
}

/// The verdict on a movement never asked for before. Never gives back more than was taken (I2).
pub(super) fn decide(asked: &Asked, account: &Account) -> Verdict {
    if asked.amount <= 0 {
        return declined("invalid_amount", "The amount must be positive.");
    }
    match asked.kind {
        Kind::Capture => decide_capture(asked),
        Kind::Refund if account.refuses_refunds => {
            declined("refund_failed", "The card does not take refunds.")
        }
        Kind::Refund if asked.amount > account.captured - account.refunded => {
            declined("exceeds_captured", "More than was taken cannot be given back.")
        }
        Kind::Refund => Verdict::Approved,
    }
}

fn decide_capture(asked: &Asked) -> Verdict {
    if asked.customer_id.starts_with(DECLINED_CUSTOMER) {
        return declined("card_declined", "The card was declined.");
    }
    match asked.method.as_str() {
        VISA | SLOW | TIMEOUT | REFUND_FAILS => Verdict::Approved,
        DECLINED => declined("card_declined", "The card was declined."),
        INSUFFICIENT_FUNDS if asked.amount > funds(&asked.currency) => {
            declined("insufficient_funds", "The card has insufficient funds.")
        }
        INSUFFICIENT_FUNDS => Verdict::Approved,
        _ => declined("unknown_payment_method", "The payment method is not known."),
    }
}

fn funds(currency: &str) -> i64 {
    let exponent = Currency::from_code(currency).and_then(Currency::exponent).unwrap_or(2);
    FUNDS_MAJOR.saturating_mul(10_i64.saturating_pow(u32::from(exponent)))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn capture(method: &str, amount: i64, currency: &str) -> Asked {
        Asked {
            key: "capture:o:1".to_owned(),
            kind: Kind::Capture,
            order_id: "o".to_owned(),
            customer_id: "customer-1".to_owned(),
            amount,
            currency: currency.to_owned(),
            method: method.to_owned(),
        }
    }

    fn code(verdict: Verdict) -> String {
        match verdict {
            Verdict::Approved => "approved".to_owned(),
            Verdict::Declined { code, .. } => code,
        }
    }

    #[test]
    fn each_test_method_decides_as_documented() {
        for (method, amount, currency, expected) in [
            (VISA, 1, "USD", "approved"),
            (SLOW, 1, "USD", "approved"),
            (TIMEOUT, 1, "USD", "approved"),
            (REFUND_FAILS, 1, "USD", "approved"),
            (DECLINED, 1, "USD", "card_declined"),
            (INSUFFICIENT_FUNDS, 100_000, "USD", "approved"),
            (INSUFFICIENT_FUNDS, 100_001, "USD", "insufficient_funds"),
            (INSUFFICIENT_FUNDS, 1_000, "JPY", "approved"),
            (INSUFFICIENT_FUNDS, 1_001, "JPY", "insufficient_funds"),
            (INSUFFICIENT_FUNDS, 1_000_000, "KWD", "approved"),
            (INSUFFICIENT_FUNDS, 1_000_001, "KWD", "insufficient_funds"),
            ("pm_nobody_knows", 1, "USD", "unknown_payment_method"),
            (VISA, 0, "USD", "invalid_amount"),
        ] {
            let verdict = decide(&capture(method, amount, currency), &Account::default());
            assert_eq!(code(verdict), expected, "{method} {amount} {currency}");
        }
    }

    #[test]
    fn customers_named_declined_are_declined_whatever_their_card() {
        let mut asked = capture(VISA, 1, "USD");
        asked.customer_id = "declined-7".to_owned();
        assert_eq!(code(decide(&asked, &Account::default())), "card_declined");
    }

    #[test]
    fn no_more_goes_back_than_was_taken_and_some_cards_take_nothing_back() {
        let mut asked = capture("", 30, "USD");
        asked.kind = Kind::Refund;
        let mut account = Account { captured: 100, refunded: 70, refuses_refunds: false };
        assert_eq!(code(decide(&asked, &account)), "approved");
        account.refunded = 71;
        assert_eq!(code(decide(&asked, &account)), "exceeds_captured");
        account = Account { captured: 100, refunded: 0, refuses_refunds: true };
        assert_eq!(code(decide(&asked, &account)), "refund_failed");
    }
}
