//! What moves an order: pay, cancel, refund, ship, complete.

use oms_proto::oms_v1::{
    CancelOrderRequest, CompleteOrderRequest, GetOrderRequest, Money, Order, OrderStatus,
    PayOrderRequest, PayOrderResponse, RefundOrderRequest, ShipOrderRequest,
};

use super::{
    advice,
    command::{CancelArguments, PayArguments, RefundArguments, StepArguments},
    page,
    wait::{self, Shown, Wanted},
};
use crate::cli::{Exit, Failure, Named, Session, again, amount, money, status_word};

/// Starts the saga and gives the first answer. The caller says how it is repeated by its key.
pub(super) async fn start(
    session: &Session,
    order: &str,
    method: &str,
    key: &str,
    expected_version: Option<i32>,
) -> Result<PayOrderResponse, Failure> {
    let client = session.orders().await?;
    let request = PayOrderRequest {
        order_id: order.to_owned(),
        payment_method: method.to_owned(),
        expected_version,
    };
    let send = |request| {
        let mut client = client.clone();
        async move { client.pay_order(request).await }
    };
    let started = session.change_by(request, key, send).await;
    let started = started.map_err(|failure| advice::about(order, failure))?;
    Ok(started.answer)
}

/// `oms order pay`.
pub(super) async fn pay(session: &Session, arguments: &PayArguments) -> Result<(), Failure> {
    let (order, key) = (&arguments.one.order, session.key(&arguments.key));
    let version = arguments.after.expected_version;
    let answer = start(session, order, &arguments.method, &key, version).await;
    let answer = answer.map_err(|failure| failure.unless_known(|| again(&key)))?;
    if arguments.wait {
        return wait::until(session, order, Wanted::Confirmed, arguments.timeout, Shown::Whole)
            .await;
    }
    session.out.answer(&answer, |page| {
        page.line(format_args!("{order}  {}, the saga runs", status_word(answer.status)));
        page.line(format_args!("next: oms order wait {order}"));
    })
}

/// `oms order cancel`.
pub(super) async fn cancel(session: &Session, arguments: CancelArguments) -> Result<(), Failure> {
    let client = session.orders().await?;
    let order = arguments.one.order;
    let request = CancelOrderRequest {
        order_id: order.clone(),
        reason: arguments.reason,
        expected_version: arguments.after.expected_version,
    };
    let send = |request| {
        let mut client = client.clone();
        async move { client.cancel_order(request).await }
    };
    let answer = session.change(request, &arguments.key, send).await;
    let answer = answer.map_err(|failure| advice::about(&order, failure))?;
    stands(session, &answer, &order, answer.status).await
}

/// `oms order ship`.
pub(super) async fn ship(session: &Session, arguments: StepArguments) -> Result<(), Failure> {
    let client = session.orders().await?;
    let order = arguments.one.order;
    let expected_version = arguments.after.expected_version;
    let request = ShipOrderRequest { order_id: order.clone(), expected_version };
    let send = |request| {
        let mut client = client.clone();
        async move { client.ship_order(request).await }
    };
    let answer = session.change(request, &arguments.key, send).await;
    let answer = answer.map_err(|failure| advice::about(&order, failure))?;
    stands(session, &answer, &order, answer.status).await
}

/// `oms order complete`.
pub(super) async fn complete(session: &Session, arguments: StepArguments) -> Result<(), Failure> {
    let client = session.orders().await?;
    let order = arguments.one.order;
    let expected_version = arguments.after.expected_version;
    let request = CompleteOrderRequest { order_id: order.clone(), expected_version };
    let send = |request| {
        let mut client = client.clone();
        async move { client.complete_order(request).await }
    };
    let answer = session.change(request, &arguments.key, send).await;
    let answer = answer.map_err(|failure| advice::about(&order, failure))?;
    stands(session, &answer, &order, answer.status).await
}

/// `oms order refund`.
pub(super) async fn refund(session: &Session, arguments: RefundArguments) -> Result<(), Failure> {
    let order = arguments.one.order;
    let (amount, currency) = match arguments.amount {
        None => (None, None),
        Some(text) => {
            let currency = match arguments.currency {
                Some(currency) => currency,
                None => currency_of(session, &order).await?,
            };
            let minor = amount(&text, &currency)
                .map_err(|why| Failure::new(Exit::Usage, format!("--amount {why}")))?;
            (Some(Money { currency: currency.clone(), amount_minor: minor }), Some(currency))
        }
    };
    let client = session.orders().await?;
    let request = RefundOrderRequest {
        order_id: order.clone(),
        amount,
        reason: arguments.reason,
        expected_version: arguments.after.expected_version,
    };
    let send = |request| {
        let mut client = client.clone();
        async move { client.refund_order(request).await }
    };
    let answer = session.change(request, &arguments.key, send).await;
    let answer = answer.map_err(|failure| advice::about(&order, failure))?;
    let currency = match currency {
        Some(currency) => currency,
        None if session.out.is_json() => String::new(),
        None => currency_of(session, &order).await?,
    };
    session.out.answer(&answer, |page| {
        let given = money(answer.refunded_amount, &currency);
        page.line(format_args!("{order}  {}, {given} given back", status_word(answer.status)));
    })
}

async fn currency_of(session: &Session, order: &str) -> Result<String, Failure> {
    Ok(kept(session, order).await?.currency)
}

async fn kept(session: &Session, order: &str) -> Result<Order, Failure> {
    let client = session.orders().await?;
    let ask = |request| {
        let mut client = client.clone();
        async move { client.get_order(request).await }
    };
    let answer = session.ask(GetOrderRequest { order_id: order.to_owned() }, ask).await;
    let answer = answer.map_err(|failure| advice::about(order, failure))?;
    Ok(answer.order.unwrap_or_default())
}

/// Tells where the order stands after a step that was done. REFUNDED hides how far it has come,
/// which is what the step was about: then the order is looked at, too.
async fn stands<M: Named>(
    session: &Session,
    answer: &M,
    order: &str,
    status: i32,
) -> Result<(), Failure> {
    let mut now = status_word(status);
    if status == i32::from(OrderStatus::Refunded) && !session.out.is_json() {
        match kept(session, order).await {
            Ok(kept) => now = page::status(&kept),
            // It is done: not to know more of it is no failure.
            Err(failure) => session.out.verbose(|| failure.message),
        }
    }
    session.out.answer(answer, |page| page.line(format_args!("{order}  {now}")))
}
