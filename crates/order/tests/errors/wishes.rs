//! What an order as it stands refuses at once.

use oms_proto::oms_v1::{CancelOrderRequest, Money, PayOrderRequest, RefundOrderRequest};

use super::stage::{Stage, refund_with};
use crate::served::{cancel, get, keyed, pay, refund, usd};

pub(crate) const UNKNOWN: &str = "0190f5fe-7a3b-7000-8000-000000000001";

/// Texts that name no order.
pub(crate) const NO_IDS: [&str; 4] = ["order-1", "0190f5fe7a3b70008000000000000001", "\0", "ы"];

pub(super) async fn get_order(stage: &mut Stage) {
    let mut client = stage.client();
    for id in ["", "  ", UNKNOWN].into_iter().chain(NO_IDS) {
        stage.refused("GetOrder", client.get_order(get(id))).await;
    }
}

pub(super) async fn pay_order(stage: &mut Stage) {
    const METHOD: &str = "PayOrder";
    let mut client = stage.client();
    for id in ["", UNKNOWN].into_iter().chain(NO_IDS) {
        stage.refused(METHOD, client.pay_order(keyed("pay-free", pay(id)))).await;
    }
    let pending = stage.pending.clone();
    for method in ["pm_gold", "\0", " ", &"x".repeat(300)] {
        let payment_method = method.to_owned();
        let request = PayOrderRequest { payment_method, ..pay(&pending) };
        stage.refused(METHOD, client.pay_order(request)).await;
    }
    stage.refused(METHOD, client.pay_order(keyed("", pay(&pending)))).await;
    stage.refused(METHOD, client.pay_order(keyed("used", pay(&pending)))).await;
    let expected_version = Some(7);
    let request = PayOrderRequest { expected_version, ..pay(&pending) };
    stage.refused(METHOD, client.pay_order(request)).await;
    for order in [&stage.confirmed, &stage.refunded, &stage.canceled].map(Clone::clone) {
        stage.refused(METHOD, client.pay_order(keyed("pay-free", pay(&order)))).await;
    }
    for order in [&stage.unavailable, &stage.declined].map(Clone::clone) {
        stage.refused(METHOD, client.pay_order(keyed("pay-free", pay(&order)))).await;
    }
}

pub(super) async fn cancel_order(stage: &mut Stage) {
    const METHOD: &str = "CancelOrder";
    let mut client = stage.client();
    for id in ["", UNKNOWN].into_iter().chain(NO_IDS) {
        stage.refused(METHOD, client.cancel_order(keyed("cancel-free", cancel(id)))).await;
    }
    let confirmed = stage.confirmed.clone();
    for reason in ["x".repeat(1_025), "\0".to_owned()] {
        let request = CancelOrderRequest { reason, ..cancel(&confirmed) };
        stage.refused(METHOD, client.cancel_order(request)).await;
    }
    stage.refused(METHOD, client.cancel_order(keyed("", cancel(&confirmed)))).await;
    stage.refused(METHOD, client.cancel_order(keyed("used", cancel(&confirmed)))).await;
    let expected_version = Some(i32::MIN);
    let request = CancelOrderRequest { expected_version, ..cancel(&confirmed) };
    stage.refused(METHOD, client.cancel_order(request)).await;
    let refunded = cancel(&stage.refunded);
    stage.refused(METHOD, client.cancel_order(keyed("cancel-free", refunded))).await;
}

pub(super) async fn refund_order(stage: &mut Stage) {
    const METHOD: &str = "RefundOrder";
    let mut client = stage.client();
    for id in ["", UNKNOWN].into_iter().chain(NO_IDS) {
        stage.refused(METHOD, client.refund_order(keyed("refund-free", refund(id, None)))).await;
    }
    let confirmed = stage.confirmed.clone();
    let of = |currency: &str, amount_minor| {
        let amount = Some(Money { currency: currency.to_owned(), amount_minor });
        refund_with(&confirmed, |request| request.amount = amount)
    };
    let wrong = [
        refund_with(&confirmed, |request| request.reason = "x".repeat(1_025)),
        refund_with(&confirmed, |request| request.reason = "\0".to_owned()),
        of("USD", 0),
        of("USD", i64::MIN),
        of("", 1),
        of("usd", 1),
        of("", 0),
        of("EUR", 1),
        of("USD", 10_001),
        of("USD", i64::MAX),
    ];
    for request in wrong {
        stage.refused(METHOD, client.refund_order(keyed("refund-free", request))).await;
    }
    stage.refused(METHOD, client.refund_order(keyed("", refund(&confirmed, None)))).await;
    stage.refused(METHOD, client.refund_order(keyed("used", refund(&confirmed, None)))).await;
    let expected_version = Some(0);
    let request = RefundOrderRequest { expected_version, ..refund(&confirmed, None) };
    stage.refused(METHOD, client.refund_order(request)).await;
    for order in [&stage.pending, &stage.refunded, &stage.canceled].map(Clone::clone) {
        let amount = Some(usd(1));
        let request = refund_with(&order, |request| request.amount = amount);
        stage.refused(METHOD, client.refund_order(keyed("refund-free", request))).await;
    }
}
