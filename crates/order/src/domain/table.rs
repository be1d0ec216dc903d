//! The status table: status × run × fact, as one exhaustive match.
//!
//! Refused is only what no interleaving can produce; duplicates, early and late facts are
//! `Already` (`docs/saga.md`, "Order status and runs"). `docs/states.md` is printed from here.

use super::{
    HeardError, RunKind,
    Status::{self, Canceled, Completed, Confirmed, Paid, Pending, Refunded, Reserved, Shipped},
};

/// How a fact about a revision relates to the order's revision.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Fit {
    /// It is the order's revision.
    Current,
    /// An earlier one.
    Earlier,
    /// One that was never submitted.
    Ahead,
    /// Another currency or amount than was due.
    OtherMoney,
}

/// How a fact about a refund relates to the order's refunds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Whose {
    /// The refund the open run waits for.
    OpenRun,
    /// A refund asked for whose outcome is known.
    Ended,
    /// Payment's own at the cancellation.
    Cancel,
    /// What goes back by the open amend run.
    OpenAmend,
    /// What goes back by an amendment that has ended.
    Amend,
    /// The decrease of an amendment that was never submitted.
    Ahead,
    /// Another currency or amount than was asked for.
    OtherMoney,
    /// Nobody's.
    Nobody,
}

/// A fact of inventory or payment.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Heard {
    /// `oms.inventory.reserved.v1`
    Reserved(Fit),
    /// `oms.inventory.rejected.v1`
    Rejected(Fit),
    /// `oms.payment.captured.v1`
    Captured(Fit),
    /// `oms.payment.declined.v1`
    Declined(Fit),
    /// `oms.payment.refunded.v1`
    Refunded(Whose),
    /// `oms.payment.refund_failed.v1`
    RefundFailed(Whose),
    /// `oms.inventory.released.v1`
    Released,
    /// `oms.payment.closed.v1`
    Closed,
    /// `oms.inventory.reservation_expired.v1`
    ReservationExpired(Fit),
    /// `oms.inventory.dispatched.v1`
    Dispatched,
}

/// What a fact does.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Effect {
    /// RESERVED.
    Reserve,
    /// PAID and CONFIRMED in one step (RESERVED before, where it was missed); the pay run ends.
    Confirm,
    /// CANCELED, because inventory could not hold the lines; the pay run ends.
    CancelUnavailable,
    /// CANCELED, because payment was declined; the pay run ends.
    CancelDeclined,
    /// CANCELED, because the hold waited too long; the pay run ends.
    CancelExpired,
    /// The amend run ends: the lines wished for are in force.
    AcceptAmendment,
    /// The amend run ends without effect, because inventory could not hold what was to be added.
    RefuseUnavailable,
    /// The amend run ends without effect, because payment was declined.
    RefuseDeclined,
    /// The amend run ends without effect, because the money could not be given back.
    RefuseNotGivenBack,
    /// The refund run ends with the money given back; REFUNDED when nothing is left.
    EndRefund,
    /// The refund run ends without effect.
    FailRefund,
    /// The cancellation's refund is known to have succeeded.
    NoteCancelRefund,
    /// The cancellation's refund is known to have failed.
    NoteCancelRefundFailed,
    /// The hold is known to be gone.
    NoteReleased,
    /// Payment is known to be through with the order.
    NoteClosed,
    /// A capture became known after the cancellation; payment gives it back by itself.
    NoteLateCapture,
    /// What an amendment gave back became known after the cancellation.
    NoteLateDecrease,
    /// The shipment is known to be booked out.
    NoteDispatched,
}

/// The answer to a fact.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Verdict {
    /// The order changes.
    Moved(Effect),
    /// Nothing to do now.
    Already,
    /// Say everything again.
    Repeat,
    /// No interleaving can produce this.
    Refused(HeardError),
}

/// What `heard` does to an order in `status` with `run` open.
#[must_use]
pub const fn hear(status: Status, run: RunKind, heard: Heard) -> Verdict {
    use Verdict::{Already, Moved};
    use Whose::{Amend, Cancel, Ended, OpenAmend, OpenRun};
    let paying = matches!((status, run), (Pending | Reserved, RunKind::Pay));
    if let (Confirmed, RunKind::Amend, Some(effect)) = (status, run, ends_amendment(heard)) {
        return Moved(effect);
    }
    match heard {
        Heard::Reserved(Fit::Ahead)
        | Heard::Rejected(Fit::Ahead)
        | Heard::Captured(Fit::Ahead)
        | Heard::Declined(Fit::Ahead)
        | Heard::ReservationExpired(Fit::Ahead)
        | Heard::Refunded(Whose::Ahead)
        | Heard::RefundFailed(Whose::Ahead) => Verdict::Refused(HeardError::RevisionAhead),
        Heard::Reserved(Fit::OtherMoney)
        | Heard::Rejected(Fit::OtherMoney)
        | Heard::Captured(Fit::OtherMoney)
        | Heard::Declined(Fit::OtherMoney)
        | Heard::ReservationExpired(Fit::OtherMoney)
        | Heard::Refunded(Whose::OtherMoney)
        | Heard::RefundFailed(Whose::OtherMoney) => Verdict::Refused(HeardError::OtherMoney),
        Heard::Refunded(Whose::Nobody) | Heard::RefundFailed(Whose::Nobody) => {
            Verdict::Refused(HeardError::UnknownRefund)
        }
        Heard::Reserved(Fit::Current) => match (status, run) {
            (Pending, RunKind::Pay) => Moved(Effect::Reserve),
            _ => Already,
        },
        Heard::Rejected(Fit::Current) if paying => Moved(Effect::CancelUnavailable),
        Heard::Captured(Fit::Current) if paying => Moved(Effect::Confirm),
        Heard::Captured(Fit::Current | Fit::Earlier) if matches!(status, Canceled) => {
            Moved(Effect::NoteLateCapture)
        }
        Heard::Declined(Fit::Current) if paying => Moved(Effect::CancelDeclined),
        Heard::ReservationExpired(Fit::Current | Fit::Earlier) if paying => {
            Moved(Effect::CancelExpired)
        }
        Heard::ReservationExpired(Fit::Current | Fit::Earlier) => Verdict::Repeat,
        Heard::Refunded(Whose::OpenRun) if matches!(run, RunKind::Refund) => {
            Moved(Effect::EndRefund)
        }
        Heard::RefundFailed(Whose::OpenRun) if matches!(run, RunKind::Refund) => {
            Moved(Effect::FailRefund)
        }
        Heard::Refunded(Whose::Amend) if matches!(status, Canceled) => {
            Moved(Effect::NoteLateDecrease)
        }
        Heard::Refunded(Whose::Cancel) if matches!(status, Canceled) => {
            Moved(Effect::NoteCancelRefund)
        }
        Heard::RefundFailed(Whose::Cancel) if matches!(status, Canceled) => {
            Moved(Effect::NoteCancelRefundFailed)
        }
        Heard::Released if matches!(status, Canceled | Refunded) => Moved(Effect::NoteReleased),
        Heard::Closed if matches!(status, Canceled) => Moved(Effect::NoteClosed),
        Heard::Dispatched if matches!(status, Shipped | Completed | Refunded) => {
            Moved(Effect::NoteDispatched)
        }
        Heard::Reserved(Fit::Earlier)
        | Heard::Rejected(Fit::Current | Fit::Earlier)
        | Heard::Captured(Fit::Current | Fit::Earlier)
        | Heard::Declined(Fit::Current | Fit::Earlier)
        | Heard::Refunded(OpenRun | Ended | Cancel | OpenAmend | Amend)
        | Heard::RefundFailed(OpenRun | Ended | Cancel | OpenAmend | Amend)
        | Heard::Released
        | Heard::Closed
        | Heard::Dispatched => Already,
    }
}

/// How `heard` ends an open amend run; `None` when it does not.
const fn ends_amendment(heard: Heard) -> Option<Effect> {
    match heard {
        Heard::Captured(Fit::Current) | Heard::Refunded(Whose::OpenAmend) => {
            Some(Effect::AcceptAmendment)
        }
        Heard::Rejected(Fit::Current) => Some(Effect::RefuseUnavailable),
        Heard::Declined(Fit::Current) => Some(Effect::RefuseDeclined),
        Heard::RefundFailed(Whose::OpenAmend) => Some(Effect::RefuseNotGivenBack),
        _ => None,
    }
}

/// The answer to PayOrder.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum PayVerdict {
    /// The pay run begins.
    Start,
    /// It goes on already.
    Running,
    /// Not PENDING.
    Refused,
    /// CANCELED: the status reason decides what to tell.
    RefusedByReason,
}

/// What PayOrder does.
#[must_use]
pub const fn pay(status: Status, run: RunKind) -> PayVerdict {
    match (status, run) {
        (Pending | Reserved | Paid, RunKind::Pay) => PayVerdict::Running,
        (Pending, RunKind::Idle) => PayVerdict::Start,
        (Canceled, _) => PayVerdict::RefusedByReason,
        (Pending, RunKind::Amend | RunKind::Refund)
        | (Reserved | Paid, RunKind::Idle | RunKind::Amend | RunKind::Refund)
        | (Confirmed | Refunded | Shipped | Completed, _) => PayVerdict::Refused,
    }
}

/// The answer to a change of what is ordered.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum EditVerdict {
    /// Nobody else has heard of the lines: they are changed at once.
    Plain,
    /// The amend run begins.
    Amend,
    /// A run is open: wait for its end.
    Busy,
    /// Too late.
    Refused,
}

/// What a change of an order's lines does.
#[must_use]
pub const fn edit(status: Status, run: RunKind) -> EditVerdict {
    match (status, run) {
        (Pending, RunKind::Idle) => EditVerdict::Plain,
        (Confirmed, RunKind::Idle) => EditVerdict::Amend,
        (
            Pending | Reserved | Paid | Confirmed,
            RunKind::Pay | RunKind::Amend | RunKind::Refund,
        ) => EditVerdict::Busy,
        (Reserved | Paid, RunKind::Idle) | (Canceled | Refunded | Shipped | Completed, _) => {
            EditVerdict::Refused
        }
    }
}

/// The answer to CancelOrder.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum CancelVerdict {
    /// It is cancelled; an open pay or amend run ends, an open refund run goes on.
    Cancel,
    /// It was cancelled before.
    Already,
    /// Too late.
    Refused,
}

/// What CancelOrder does. It is no run: it always wins.
#[must_use]
pub const fn cancel(status: Status, _: RunKind) -> CancelVerdict {
    match status {
        Pending | Reserved | Paid | Confirmed => CancelVerdict::Cancel,
        Canceled => CancelVerdict::Already,
        Refunded | Shipped | Completed => CancelVerdict::Refused,
    }
}

/// The answer to RefundOrder, before amounts are looked at.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum RefundVerdict {
    /// The refund run begins if something is left.
    Start,
    /// Another run is open: wait for its end.
    Busy,
    /// Not eligible.
    Refused,
}

/// What RefundOrder does; `closed` is payment's last word on a cancelled order.
#[must_use]
pub const fn refund(status: Status, run: RunKind, closed: bool) -> RefundVerdict {
    match (status, run) {
        (Confirmed | Shipped | Completed, RunKind::Idle) => RefundVerdict::Start,
        (Confirmed | Shipped | Completed, RunKind::Pay | RunKind::Amend | RunKind::Refund) => {
            RefundVerdict::Busy
        }
        (Canceled, RunKind::Idle) if closed => RefundVerdict::Start,
        (Canceled, RunKind::Pay | RunKind::Amend | RunKind::Refund) if closed => {
            RefundVerdict::Busy
        }
        (Canceled | Pending | Reserved | Paid | Refunded, _) => RefundVerdict::Refused,
    }
}

/// The answer to ShipOrder.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ShipVerdict {
    /// The goods leave.
    Ship,
    /// They have left.
    Already,
    /// A run that has to end first is open: wait for its end.
    Busy,
    /// Not ready, or never more.
    Refused,
}

/// What ShipOrder does; `takes_all` is whether the open refund run gives back all that is left.
#[must_use]
pub const fn ship(status: Status, run: RunKind, takes_all: bool) -> ShipVerdict {
    match (status, run) {
        (Confirmed, RunKind::Pay | RunKind::Amend) => ShipVerdict::Busy,
        (Confirmed, RunKind::Refund) if takes_all => ShipVerdict::Busy,
        (Confirmed, RunKind::Idle | RunKind::Refund) => ShipVerdict::Ship,
        (Shipped, _) => ShipVerdict::Already,
        (Pending | Reserved | Paid | Canceled | Refunded | Completed, _) => ShipVerdict::Refused,
    }
}

/// The answer to CompleteOrder.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum CompleteVerdict {
    /// The order is closed.
    Complete,
    /// It was closed before.
    Already,
    /// Its goods have not left, or the order is dead.
    Refused,
}

/// What CompleteOrder does. It is no run, and no refund run hinders it.
#[must_use]
pub const fn complete(status: Status) -> CompleteVerdict {
    match status {
        Shipped => CompleteVerdict::Complete,
        Completed => CompleteVerdict::Already,
        Pending | Reserved | Paid | Confirmed | Canceled | Refunded => CompleteVerdict::Refused,
    }
}
