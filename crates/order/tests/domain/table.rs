//! The whole cross product of status × run × fact, and the page printed from it.

use oms_order::domain::{
    HeardError, RunKind, Status, states_markdown,
    table::{
        self, CompleteVerdict, Effect, Fit, Heard, PayVerdict, RefundVerdict, ShipVerdict, Verdict,
        Whose,
    },
};

const FITS: [Fit; 4] = [Fit::Current, Fit::Earlier, Fit::Ahead, Fit::OtherMoney];
const WHOSE: [Whose; 8] = [
    Whose::OpenRun,
    Whose::Ended,
    Whose::Cancel,
    Whose::OpenAmend,
    Whose::Amend,
    Whose::Ahead,
    Whose::OtherMoney,
    Whose::Nobody,
];

fn every_fact() -> Vec<Heard> {
    let mut all = vec![Heard::Released, Heard::Closed, Heard::Dispatched];
    for fit in FITS {
        all.extend([
            Heard::Reserved(fit),
            Heard::Rejected(fit),
            Heard::Captured(fit),
            Heard::Declined(fit),
            Heard::ReservationExpired(fit),
        ]);
    }
    for whose in WHOSE {
        all.extend([Heard::Refunded(whose), Heard::RefundFailed(whose)]);
    }
    all
}

fn every_state() -> Vec<(Status, RunKind)> {
    let pairs = |status| RunKind::ALL.map(|run| (status, run));
    Status::ALL.into_iter().flat_map(pairs).collect()
}

/// What the contract says, written down a second time and the other way round: by effect.
fn expected(status: Status, run: RunKind, heard: Heard) -> Verdict {
    use Heard as H;
    let impossible = match heard {
        H::Reserved(fit)
        | H::Rejected(fit)
        | H::Captured(fit)
        | H::Declined(fit)
        | H::ReservationExpired(fit) => match fit {
            Fit::Ahead => Some(HeardError::RevisionAhead),
            Fit::OtherMoney => Some(HeardError::OtherMoney),
            Fit::Current | Fit::Earlier => None,
        },
        H::Refunded(whose) | H::RefundFailed(whose) => match whose {
            Whose::Ahead => Some(HeardError::RevisionAhead),
            Whose::OtherMoney => Some(HeardError::OtherMoney),
            Whose::Nobody => Some(HeardError::UnknownRefund),
            Whose::OpenRun | Whose::Ended | Whose::Cancel | Whose::OpenAmend | Whose::Amend => None,
        },
        H::Released | H::Closed | H::Dispatched => None,
    };
    if let Some(error) = impossible {
        return Verdict::Refused(error);
    }
    let pay_run = run == RunKind::Pay && [Status::Pending, Status::Reserved].contains(&status);
    let amend_run = run == RunKind::Amend && status == Status::Confirmed;
    let canceled = status == Status::Canceled;
    let late = |fit| canceled && [Fit::Current, Fit::Earlier].contains(&fit);
    let rules = [
        (
            heard == H::Reserved(Fit::Current) && pay_run && status == Status::Pending,
            Effect::Reserve,
        ),
        (heard == H::Captured(Fit::Current) && pay_run, Effect::Confirm),
        (heard == H::Rejected(Fit::Current) && pay_run, Effect::CancelUnavailable),
        (heard == H::Declined(Fit::Current) && pay_run, Effect::CancelDeclined),
        (heard == H::Captured(Fit::Current) && amend_run, Effect::AcceptAmendment),
        (heard == H::Refunded(Whose::OpenAmend) && amend_run, Effect::AcceptAmendment),
        (heard == H::Rejected(Fit::Current) && amend_run, Effect::RefuseUnavailable),
        (heard == H::Declined(Fit::Current) && amend_run, Effect::RefuseDeclined),
        (heard == H::RefundFailed(Whose::OpenAmend) && amend_run, Effect::RefuseNotGivenBack),
        (heard == H::Refunded(Whose::Amend) && canceled, Effect::NoteLateDecrease),
        (matches!(heard, H::ReservationExpired(_)) && pay_run, Effect::CancelExpired),
        (heard == H::Refunded(Whose::OpenRun) && run == RunKind::Refund, Effect::EndRefund),
        (heard == H::RefundFailed(Whose::OpenRun) && run == RunKind::Refund, Effect::FailRefund),
        (heard == H::Refunded(Whose::Cancel) && canceled, Effect::NoteCancelRefund),
        (heard == H::RefundFailed(Whose::Cancel) && canceled, Effect::NoteCancelRefundFailed),
        (heard == H::Released && (canceled || status == Status::Refunded), Effect::NoteReleased),
        (heard == H::Closed && canceled, Effect::NoteClosed),
        (matches!(heard, H::Captured(fit) if late(fit)), Effect::NoteLateCapture),
        (
            heard == H::Dispatched
                && [Status::Shipped, Status::Completed, Status::Refunded].contains(&status),
            Effect::NoteDispatched,
        ),
    ];
    let mut hits = rules.into_iter().filter(|(holds, _)| *holds);
    match (hits.next(), heard) {
        (Some((_, effect)), _) => {
            assert!(hits.next().is_none(), "two rules for {status} {run:?} {heard:?}");
            Verdict::Moved(effect)
        }
        (None, H::ReservationExpired(_)) => Verdict::Repeat,
        (None, _) => Verdict::Already,
    }
}

#[test]
fn every_status_run_and_fact_has_the_contracts_answer() {
    let mut walked = 0;
    for (status, run) in every_state() {
        for heard in every_fact() {
            let answer = table::hear(status, run, heard);
            assert_eq!(answer, expected(status, run, heard), "{status} {run:?} {heard:?}");
            walked += 1;
        }
    }
    assert_eq!(walked, 8 * 4 * (3 + 4 * 5 + 8 * 2));
}

#[test]
fn a_fact_is_refused_whatever_the_state_or_in_no_state() {
    for heard in every_fact() {
        let refused =
            |(status, run)| matches!(table::hear(status, run, heard), Verdict::Refused(_));
        let count = every_state().into_iter().filter(|state| refused(*state)).count();
        assert!([0, every_state().len()].contains(&count), "{heard:?} is refused in {count}");
    }
}

#[test]
fn nothing_heard_moves_an_order_at_rest_forward() {
    for status in Status::ALL {
        for heard in every_fact() {
            let forward =
                [Effect::Reserve, Effect::Confirm, Effect::AcceptAmendment, Effect::EndRefund];
            let forward = forward.map(Verdict::Moved);
            assert!(!forward.contains(&table::hear(status, RunKind::Idle, heard)), "{heard:?}");
        }
    }
}

#[test]
fn exactly_one_state_starts_a_pay_run() {
    let starts = |(status, run)| table::pay(status, run) == PayVerdict::Start;
    let states: Vec<_> = every_state().into_iter().filter(|state| starts(*state)).collect();
    assert_eq!(states, [(Status::Pending, RunKind::Idle)]);
}

#[test]
fn a_refund_starts_only_with_no_run_open() {
    for (status, run) in every_state() {
        for closed in [false, true] {
            if table::refund(status, run, closed) == RefundVerdict::Start {
                assert_eq!(run, RunKind::Idle);
                assert!(status.is_in_force() || (status == Status::Canceled && closed));
            }
        }
    }
}

/// ShipOrder and CompleteOrder by status × run × what the run takes: what the contract says.
#[test]
fn goods_leave_from_confirmed_alone_and_orders_are_closed_from_shipped_alone() {
    for (status, run) in every_state() {
        for takes_all in [false, true] {
            let hinders = [RunKind::Pay, RunKind::Amend].contains(&run)
                || (run == RunKind::Refund && takes_all);
            let expected = match status {
                Status::Shipped => ShipVerdict::Already,
                Status::Confirmed if hinders => ShipVerdict::Busy,
                Status::Confirmed => ShipVerdict::Ship,
                _ => ShipVerdict::Refused,
            };
            let answer = table::ship(status, run, takes_all);
            assert_eq!(answer, expected, "{status} {run:?} {takes_all}");
        }
        let expected = match status {
            Status::Shipped => CompleteVerdict::Complete,
            Status::Completed => CompleteVerdict::Already,
            _ => CompleteVerdict::Refused,
        };
        assert_eq!(table::complete(status), expected, "{status}");
    }
}

#[test]
fn the_page_of_states_names_every_state_and_fact() {
    let page = states_markdown();
    for status in Status::ALL.into_iter().filter(|status| *status != Status::Paid) {
        assert!(page.contains(&format!("| {} |", status.as_str().to_uppercase())), "{status}");
    }
    for fact in ["reserved", "captured", "closed", "reservation_expired", "dispatched"] {
        assert!(page.contains(&format!("## {fact}\n")), "{fact}");
    }
    assert_eq!(page, states_markdown(), "the page is the same each time");
}
