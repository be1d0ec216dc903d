//! `oms order wait` and `oms order watch`.

use std::time::Duration;

use oms_proto::oms_v1::{GetOrderResponse, Order, OrderStatus, WatchOrderResponse};

use super::{
    advice,
    command::{Until, WaitArguments, WatchArguments},
    follow::{Follow, Step},
    page,
};
use crate::cli::{Exit, Failure, Session};

/// A watch is patient: it tries so many times as often as a call does.
const WATCH_PATIENCE: u32 = 10;

/// What is waited for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Wanted {
    Confirmed,
    Ended,
}

/// `oms order wait`.
pub(super) async fn wait(session: &Session, arguments: &WaitArguments) -> Result<(), Failure> {
    let wanted = match arguments.until {
        Until::Confirmed => Wanted::Confirmed,
        Until::Ended => Wanted::Ended,
    };
    until(session, &arguments.one.order, wanted, arguments.timeout, Shown::Whole).await
}

/// What is printed of an order that was waited for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Shown {
    Whole,
    Id,
}

/// Waits, shows the order, and fails when it became something else.
pub(super) async fn until(
    session: &Session,
    order: &str,
    wanted: Wanted,
    timeout: Duration,
    show: Shown,
) -> Result<(), Failure> {
    let mut follow = follow(session, order, 0).await?;
    let mut seen = GetOrderResponse::default();
    let waiting = reach(session, &mut follow, wanted, &mut seen);
    let reached = tokio::time::timeout(timeout, waiting).await;
    let stands = seen.order.clone().unwrap_or_default();
    match reached {
        Err(_) => Err(late(&stands, order, timeout)),
        Ok(Err(failure)) => Err(advice::about(order, failure)),
        Ok(Ok(())) => {
            session.out.answer(&seen, |shown| match show {
                Shown::Whole => page::show(shown, &seen, &[]),
                Shown::Id => shown.line(order),
            })?;
            if wanted == Wanted::Confirmed && stands.status() == OrderStatus::Canceled {
                let why = page::reason(&stands);
                return Err(Failure::new(Exit::Refused, format!("the order is canceled: {why}")));
            }
            Ok(())
        }
    }
}

async fn reach(
    session: &Session,
    follow: &mut Follow,
    wanted: Wanted,
    seen: &mut GetOrderResponse,
) -> Result<(), Failure> {
    loop {
        match follow.next().await? {
            Step::Ended => return Ok(()),
            Step::Lost(failure, pause) => {
                let why = &failure.message;
                session.out.verbose(|| format!("{why}: watched again after {pause:?}"));
            }
            Step::Seen(step) => {
                add(seen, *step);
                if wanted == Wanted::Confirmed && seen.order.as_ref().is_some_and(decided) {
                    return Ok(());
                }
            }
        }
    }
}

/// What a step tells on top of the others; one without an order tells nothing new of it.
fn add(seen: &mut GetOrderResponse, step: WatchOrderResponse) {
    seen.order = step.order.or(seen.order.take());
    seen.timeline.extend(step.timeline);
}

/// Whether it is known if the order is confirmed.
fn decided(order: &Order) -> bool {
    use OrderStatus::{Canceled, Completed, Confirmed, Refunded, Shipped};
    matches!(order.lifecycle_status(), Confirmed | Shipped | Completed | Refunded | Canceled)
}

fn late(stands: &Order, order: &str, timeout: Duration) -> Failure {
    let now = page::status(stands);
    let within = humantime::format_duration(timeout);
    let failure =
        Failure::new(Exit::Unavailable, format!("not so within {within}: the order is {now}"));
    if stands.status() == OrderStatus::Pending {
        return failure.next(format!("was it paid? `oms order pay {order} --wait`"));
    }
    failure.next(format!("wait longer: `oms order wait {order} --timeout 5m`"))
}

/// `oms order watch`.
pub(super) async fn watch(session: &Session, arguments: &WatchArguments) -> Result<(), Failure> {
    let order = &arguments.one.order;
    let mut follow = follow(session, order, arguments.after_version).await?;
    let mut status = String::new();
    while !session.out.is_closed() {
        match follow.next().await.map_err(|failure| advice::about(order, failure))? {
            Step::Ended => {
                session.out.verbose(|| "the order has ended".to_owned());
                break;
            }
            Step::Lost(failure, pause) => {
                session.out.note(format!("{}: watched again after {pause:?}", failure.message));
            }
            Step::Seen(step) => {
                let now = step.order.as_ref().map_or_else(String::new, page::status);
                session.out.one_of_many(&*step, |shown| {
                    let lines = step.timeline.iter().map(page::entry);
                    lines.for_each(|line| shown.line(line));
                    if now != status {
                        shown.line(format_args!("{:>26}  {now}", "now"));
                    }
                })?;
                status = now;
            }
        }
    }
    Ok(())
}

async fn follow(session: &Session, order: &str, after_version: i32) -> Result<Follow, Failure> {
    let tries = session.flags.calls.retries.saturating_mul(WATCH_PATIENCE);
    Ok(Follow::new(session.orders().await?, order, after_version, tries))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_answer_without_an_order_does_not_forget_the_one_that_is_known() {
        let order = |version| Some(Order { version, ..Order::default() });
        let mut seen = GetOrderResponse::default();
        for (step, known) in [(order(1), order(1)), (None, order(1)), (order(2), order(2))] {
            add(&mut seen, WatchOrderResponse { order: step, ..WatchOrderResponse::default() });
            assert_eq!(seen.order, known);
        }
    }

    #[test]
    fn whoever_waits_for_confirmed_is_told_as_soon_as_it_is_known() {
        use OrderStatus::{
            Canceled, Completed, Confirmed, Paid, Pending, Refunded, Reserved, Shipped,
        };
        for (status, known) in [
            (Pending, false),
            (Reserved, false),
            (Paid, false),
            (Confirmed, true),
            (Shipped, true),
            (Completed, true),
            (Refunded, true),
            (Canceled, true),
        ] {
            let order = Order { lifecycle_status: status.into(), ..Order::default() };
            assert_eq!(decided(&order), known, "{status:?}");
        }
    }
}
