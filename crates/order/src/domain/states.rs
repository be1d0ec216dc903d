//! docs/states.md, printed from the status table.

use std::fmt::Write;

use super::{
    RunKind, Status,
    table::{self, CancelVerdict, Effect, Fit, Heard, PayVerdict, RefundVerdict, Verdict, Whose},
};

/// The states an order can rest or run in; PAID is passed through within one transaction.
const REACHABLE: [(Status, RunKind); 12] = [
    (Status::Pending, RunKind::Idle),
    (Status::Pending, RunKind::Pay),
    (Status::Reserved, RunKind::Pay),
    (Status::Confirmed, RunKind::Idle),
    (Status::Confirmed, RunKind::Refund),
    (Status::Shipped, RunKind::Idle),
    (Status::Shipped, RunKind::Refund),
    (Status::Completed, RunKind::Idle),
    (Status::Completed, RunKind::Refund),
    (Status::Canceled, RunKind::Idle),
    (Status::Canceled, RunKind::Refund),
    (Status::Refunded, RunKind::Idle),
];

/// The facts of the page, with what they are called on it.
const FACTS: [(&str, Heard); 17] = [
    ("reserved", Heard::Reserved(Fit::Current)),
    ("reserved, earlier revision", Heard::Reserved(Fit::Earlier)),
    ("rejected", Heard::Rejected(Fit::Current)),
    ("rejected, earlier revision", Heard::Rejected(Fit::Earlier)),
    ("captured", Heard::Captured(Fit::Current)),
    ("captured, earlier revision", Heard::Captured(Fit::Earlier)),
    ("declined", Heard::Declined(Fit::Current)),
    ("declined, earlier revision", Heard::Declined(Fit::Earlier)),
    ("refunded, the open run's", Heard::Refunded(Whose::OpenRun)),
    ("refunded, known already", Heard::Refunded(Whose::Ended)),
    ("refunded, of the cancellation", Heard::Refunded(Whose::Cancel)),
    ("refund_failed, the open run's", Heard::RefundFailed(Whose::OpenRun)),
    ("refund_failed, known already", Heard::RefundFailed(Whose::Ended)),
    ("refund_failed, of the cancellation", Heard::RefundFailed(Whose::Cancel)),
    ("released", Heard::Released),
    ("closed", Heard::Closed),
    ("reservation_expired", Heard::ReservationExpired(Fit::Current)),
];

/// The page `docs/states.md`, whole.
#[must_use]
pub fn states_markdown() -> String {
    let mut page = String::from(
        "# The order's status table\n\n\
         Printed from `crates/order/src/domain/table.rs` by `cargo xtask docs`; do not edit.\n\
         `·` means that there is nothing to do now (a duplicate, early or late); *repeat* means that \
         the order says everything again.\n\n\
         Refused, and dead-lettered, in every state: a fact about a revision that was never \
         submitted, another currency or amount than was due, a refund nobody asked for, an unknown \
         order.\n\n\
         ## Commands\n\n\
         | Status | Open run | PayOrder | CancelOrder | RefundOrder |\n|---|---|---|---|---|\n",
    );
    for (status, run) in REACHABLE {
        let refund = match status {
            Status::Canceled => format!(
                "{}; once closed: {}",
                refund_word(table::refund(status, run, false)),
                refund_word(table::refund(status, run, true))
            ),
            _ => refund_word(table::refund(status, run, false)).to_owned(),
        };
        let pay = pay_word(table::pay(status, run));
        let cancel = cancel_word(table::cancel(status, run));
        row(&mut page, [&name(status), run_word(run), pay, cancel, &refund]);
    }
    for (fact, heard) in FACTS {
        let mut rows = String::new();
        for (status, run) in REACHABLE {
            let verdict = table::hear(status, run, heard);
            if verdict != Verdict::Already {
                row(&mut rows, [&name(status), run_word(run), verdict_word(verdict)]);
            }
        }
        let _ = write!(page, "\n## {fact}\n\n");
        if rows.is_empty() {
            page.push_str("Everywhere `·`.\n");
        } else {
            let head = "| Status | Open run | What follows |\n|---|---|---|";
            let _ = writeln!(page, "{head}\n{rows}\nElsewhere `·`.");
        }
    }
    page
}

fn row<const N: usize>(page: &mut String, cells: [&str; N]) {
    let _ = writeln!(page, "| {} |", cells.join(" | "));
}

fn name(status: Status) -> String {
    status.as_str().to_uppercase()
}

const fn run_word(run: RunKind) -> &'static str {
    match run {
        RunKind::Idle => "none",
        RunKind::Pay => "pay",
        RunKind::Refund => "refund",
    }
}

const fn pay_word(verdict: PayVerdict) -> &'static str {
    match verdict {
        PayVerdict::Start => "the pay run begins",
        PayVerdict::Running => "· (it runs already)",
        PayVerdict::Refused => "refused",
        PayVerdict::RefusedByReason => "refused; the status reason says why",
    }
}

const fn cancel_word(verdict: CancelVerdict) -> &'static str {
    match verdict {
        CancelVerdict::Cancel => "→ CANCELED",
        CancelVerdict::Already => "·",
        CancelVerdict::Refused => "refused",
    }
}

const fn refund_word(verdict: RefundVerdict) -> &'static str {
    match verdict {
        RefundVerdict::Start => "the refund run begins if something is left",
        RefundVerdict::Busy => "waits for the open run",
        RefundVerdict::Refused => "refused",
    }
}

const fn verdict_word(verdict: Verdict) -> &'static str {
    match verdict {
        Verdict::Already => "·",
        Verdict::Repeat => "*repeat*",
        Verdict::Refused(_) => "refused",
        Verdict::Moved(effect) => match effect {
            Effect::Reserve => "→ RESERVED",
            Effect::Confirm => "→ (RESERVED →) PAID → CONFIRMED; the pay run ends; says confirmed",
            Effect::CancelUnavailable => {
                "→ CANCELED (inventory_unavailable); the pay run ends; says canceled"
            }
            Effect::CancelDeclined => {
                "→ CANCELED (payment_declined); the pay run ends; says canceled"
            }
            Effect::CancelExpired => {
                "→ CANCELED (reservation_expired); the pay run ends; says canceled"
            }
            Effect::EndRefund => {
                "the refund run ends; with nothing left, and not CANCELED: → REFUNDED, says refunded"
            }
            Effect::FailRefund => "the refund run ends without effect",
            Effect::NoteCancelRefund => "noted: the cancellation gave the money back",
            Effect::NoteCancelRefundFailed => "noted: the cancellation could not give it back",
            Effect::NoteReleased => "noted: the hold is gone",
            Effect::NoteClosed => "noted: payment is through with the order",
            Effect::NoteLateCapture => "the ledger moves; payment gives it back by itself",
        },
    }
}
