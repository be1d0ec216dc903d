//! Orders in every stage, built through the aggregate's own verbs and notes.

use chrono::{DateTime, Utc};
use oms_order::domain::{
    Cause, Currency, Edit, Line, Money, NewOrder, Order, RunKind, Status, Terms, Totals,
};
use uuid::Uuid;

/// When [`Stage::Canceled`] was cancelled.
const CANCEL_AT: i64 = 50;

/// So many seconds after the beginning of a test's time.
pub(crate) fn at(seconds: i64) -> DateTime<Utc> {
    DateTime::from_timestamp(1_760_000_000 + seconds, 0).unwrap()
}

/// A call at that time.
pub(crate) fn call(seconds: i64) -> Cause {
    Cause::call(at(seconds), Some("4bf92f3577b34da6a3ce929d0e0e4736".to_owned()))
}

/// An event of another service at that time.
pub(crate) fn cause(seconds: i64) -> Cause {
    Cause::event(at(seconds), Uuid::from_u128(0xE0_0000 + seconds.unsigned_abs() as u128), None)
}

pub(crate) fn usd(minor: i64) -> Money {
    Money::new(minor, Currency::parse("USD").unwrap())
}

pub(crate) fn line(n: u128, sku: &str, qty: i32, price: i64) -> Line {
    Line {
        id: Uuid::from_u128(0x11_0000 + n),
        sku: sku.to_owned(),
        qty,
        price: usd(price),
        name: String::new(),
        created_at: at(0),
    }
}

/// The document's order: 2 × 100.00 and 1 × 50.00.
pub(crate) fn new_order(n: u128) -> NewOrder {
    NewOrder {
        id: Uuid::from_u128(n),
        customer_id: "customer-123".to_owned(),
        currency: Currency::parse("USD").unwrap(),
        lines: vec![line(n * 10, "SKU-001", 2, 10_000), line(n * 10 + 1, "SKU-002", 1, 5_000)],
        reference: String::new(),
    }
}

pub(crate) fn order(n: u128) -> Order {
    Order::create(new_order(n), &call(0)).unwrap()
}

/// With the pay run open.
pub(crate) fn paying(n: u128) -> Order {
    let mut order = order(n);
    order.pay("pm_card_visa", Uuid::from_u128(0x5A6A), at(900), &call(1)).unwrap();
    order
}

/// Paid and confirmed.
pub(crate) fn confirmed(n: u128) -> Order {
    let mut order = paying(n);
    order.note_reserved(1, &cause(2)).unwrap();
    order.note_captured(1, usd(25_000), totals(1, 25_000, 0), &cause(3)).unwrap();
    order
}

/// Its goods have left.
pub(crate) fn shipped(n: u128) -> Order {
    let mut order = confirmed(n);
    order.ship(&call(5)).unwrap();
    order
}

/// With an amend run open that is to add a third unit of the first line: 100.00 more.
pub(crate) fn amending(n: u128) -> Order {
    let mut order = confirmed(n);
    let first = order.lines()[0].id;
    order.edit(Edit::SetQuantity { line: first, qty: 3 }, terms(), &call(30)).unwrap();
    order
}

/// An amend run paid as the order was.
pub(crate) fn terms() -> Terms {
    Terms { saga_id: Uuid::from_u128(0x5A6B), method: None }
}

/// Payment's totals with a sequence.
pub(crate) fn totals(sequence: i64, captured_minor: i64, refunded_minor: i64) -> Totals {
    Totals { sequence, captured_minor, refunded_minor }
}

/// Every state an order can rest or run in.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Stage {
    Pending,
    Paying,
    Reserved,
    Confirmed,
    Refunding,
    /// With an amend run that costs more.
    Amending,
    /// Cancelled while the amend run was open.
    CanceledAmending,
    /// After the customer cancelled a confirmed order.
    Canceled,
    /// Cancelled while a refund run was open.
    CanceledRefunding,
    /// Cancelled while the pay run was open.
    CanceledEarly,
    /// Cancelled before any run.
    CanceledPending,
    Refunded,
    Shipped,
    /// With a refund run for all that is left.
    ShippedRefunding,
    Completed,
    /// Given back in full after the goods had left.
    RefundedShipped,
}

impl Stage {
    pub(crate) const ALL: [Self; 16] = [
        Self::Pending,
        Self::Paying,
        Self::Reserved,
        Self::Confirmed,
        Self::Refunding,
        Self::Amending,
        Self::CanceledAmending,
        Self::Canceled,
        Self::CanceledRefunding,
        Self::CanceledEarly,
        Self::CanceledPending,
        Self::Refunded,
        Self::Shipped,
        Self::ShippedRefunding,
        Self::Completed,
        Self::RefundedShipped,
    ];

    /// The stages whose refund has [`Stage::refund_id`], which is unique in the table.
    pub(crate) const SHARING: [Self; 4] =
        [Self::CanceledRefunding, Self::Refunded, Self::ShippedRefunding, Self::RefundedShipped];

    /// The refund that the stage's run waits for, or ended with.
    pub(crate) fn refund_id() -> Uuid {
        Uuid::from_u128(0x0EF0)
    }

    pub(crate) fn build(self, n: u128) -> Order {
        let refunding = |mut order: Order| {
            order.request_refund(Self::refund_id(), None, "damaged", &call(10)).unwrap();
            order
        };
        let refunded = |mut order: Order| {
            let (id, given) = (Self::refund_id().to_string(), totals(2, 25_000, 25_000));
            order.note_refunded(&id, usd(25_000), given, &cause(11)).unwrap();
            order
        };
        let canceled = |mut order: Order| {
            order.cancel("changed my mind", &call(CANCEL_AT)).unwrap();
            order
        };
        match self {
            Self::Pending => order(n),
            Self::Paying => paying(n),
            Self::Reserved => {
                let mut order = paying(n);
                order.note_reserved(1, &cause(2)).unwrap();
                order
            }
            Self::Confirmed => confirmed(n),
            Self::Refunding => refunding(confirmed(n)),
            Self::Amending => amending(n),
            Self::CanceledAmending => canceled(amending(n)),
            Self::Canceled => canceled(confirmed(n)),
            Self::CanceledRefunding => canceled(refunding(confirmed(n))),
            Self::CanceledEarly => canceled(paying(n)),
            Self::CanceledPending => canceled(order(n)),
            Self::Refunded => refunded(refunding(confirmed(n))),
            Self::Shipped => shipped(n),
            Self::ShippedRefunding => refunding(shipped(n)),
            Self::Completed => {
                let mut order = shipped(n);
                order.complete(&call(6)).unwrap();
                order
            }
            Self::RefundedShipped => refunded(refunding(shipped(n))),
        }
    }

    pub(crate) fn expected(self) -> (Status, RunKind) {
        match self {
            Self::Pending => (Status::Pending, RunKind::Idle),
            Self::Paying => (Status::Pending, RunKind::Pay),
            Self::Reserved => (Status::Reserved, RunKind::Pay),
            Self::Confirmed => (Status::Confirmed, RunKind::Idle),
            Self::Refunding => (Status::Confirmed, RunKind::Refund),
            Self::Amending => (Status::Confirmed, RunKind::Amend),
            Self::Canceled
            | Self::CanceledEarly
            | Self::CanceledPending
            | Self::CanceledAmending => (Status::Canceled, RunKind::Idle),
            Self::CanceledRefunding => (Status::Canceled, RunKind::Refund),
            Self::Refunded | Self::RefundedShipped => (Status::Refunded, RunKind::Idle),
            Self::Shipped => (Status::Shipped, RunKind::Idle),
            Self::ShippedRefunding => (Status::Shipped, RunKind::Refund),
            Self::Completed => (Status::Completed, RunKind::Idle),
        }
    }
}
