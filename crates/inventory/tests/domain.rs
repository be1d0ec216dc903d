//! The whole cross product of status and fact.

use chrono::{DateTime, TimeDelta, Utc};
use oms_inventory::domain::{
    Change, Counts, Fact, Lines, Refused, RejectReason, Reservation, Shelf, Snapshot, Status,
};

const STOCK: i64 = 10;

fn at(seconds: i64) -> DateTime<Utc> {
    DateTime::from_timestamp(seconds, 0).unwrap()
}

fn lines(lines: &[(&str, i64)]) -> Lines {
    Lines::sum(lines.iter().map(|(sku, qty)| ((*sku).to_owned(), *qty))).unwrap()
}

fn two() -> Lines {
    lines(&[("a", 2), ("b", 1)])
}

/// A reservation in this state over two SKUs of ten units each, and the shelf that agrees with it.
fn given(status: Option<Status>, answered: i32) -> (Reservation, Shelf) {
    use Status::{Committed, Held, Shipped};
    let has = matches!(status, Some(Held | Committed | Shipped));
    let in_state = |qty| {
        let taken = if matches!(status, Some(Held | Committed | Shipped)) { qty } else { 0 };
        let only = |wanted| if status == Some(wanted) { qty } else { 0 };
        Counts {
            available: STOCK - taken,
            held: only(Held),
            committed: only(Committed),
            shipped: only(Shipped),
        }
    };
    let shelf = [("a".to_owned(), in_state(2)), ("b".to_owned(), in_state(1))];
    let reservation = Reservation::restore(Snapshot {
        order_id: "o".to_owned(),
        status,
        answered,
        settled: if matches!(status, Some(Committed | Shipped)) { answered } else { 0 },
        lines: if has { two() } else { Lines::default() },
        expires_at: (status == Some(Held)).then(|| at(60)),
        expired_at: None,
    });
    (reservation, Shelf::new(shelf))
}

#[derive(Clone, Copy, Debug)]
enum Said {
    Submitted(i32),
    Confirmed(i32),
    Canceled,
    Refunded,
    Shipped(i32),
    Time(i64),
}

fn tell(reservation: &mut Reservation, shelf: &mut Shelf, said: Said) -> Result<Change, Refused> {
    match said {
        Said::Submitted(revision) => reservation.note_submitted(revision, &two(), at(60), shelf),
        Said::Confirmed(revision) => reservation.note_confirmed(revision, &two(), shelf),
        Said::Canceled => reservation.note_canceled(shelf),
        Said::Refunded => reservation.note_refunded(shelf),
        Said::Shipped(revision) => reservation.note_shipped(revision, &two(), shelf),
        Said::Time(now) => Ok(reservation.expire(at(now))),
    }
}

/// What the table of `docs/saga.md` says: the answer and the status after it.
fn expected(from: Option<Status>, said: Said) -> Result<(Change, Option<Status>), ()> {
    use Status::{Committed, Fenced, Held, Rejected, Released, Shipped};
    let moved = |fact, to| Ok((Change::Moved(fact), Some(to)));
    let already = Ok((Change::Already, from));
    match (from, said) {
        (None | Some(Rejected), Said::Submitted(revision)) if revision > 1 || from.is_none() => {
            moved(Some(Fact::Reserved { revision, until: at(60) }), Held)
        }
        (Some(end @ (Released | Fenced)), Said::Submitted(revision)) if revision > 1 => {
            let (reason, shortages) = (RejectReason::Released, vec![]);
            moved(Some(Fact::Rejected { revision, reason, shortages }), end)
        }
        (_, Said::Submitted(_)) => already,
        (Some(Held | Committed), Said::Confirmed(2)) => moved(None, Committed),
        (Some(Held), Said::Confirmed(1)) => moved(None, Committed),
        (None | Some(Rejected), Said::Confirmed(1 | 2)) => Err(()),
        (None, Said::Confirmed(_)) => Err(()),
        (_, Said::Confirmed(_)) => already,
        (None, Said::Canceled | Said::Refunded) => moved(Some(Fact::Released), Fenced),
        (Some(Held | Committed | Rejected), Said::Canceled | Said::Refunded) => {
            moved(Some(Fact::Released), Released)
        }
        (Some(Released | Fenced), Said::Canceled | Said::Refunded) => already,
        (Some(Shipped), Said::Canceled | Said::Refunded) => Err(()),
        // Also before `confirmed` was heard, and whatever the revision: it is the last word.
        (Some(Held | Committed), Said::Shipped(_)) => moved(Some(Fact::Dispatched), Shipped),
        (Some(Shipped), Said::Shipped(_)) => already,
        (None | Some(Rejected | Released | Fenced), Said::Shipped(_)) => Err(()),
        (Some(Held), Said::Time(60..)) => moved(Some(Fact::Expired { revision: 1 }), Held),
        (_, Said::Time(_)) => already,
    }
}

#[test]
fn every_status_answers_every_fact_as_the_table_says() {
    let facts = [
        Said::Submitted(1),
        Said::Submitted(2),
        Said::Confirmed(0),
        Said::Confirmed(1),
        Said::Confirmed(2),
        Said::Canceled,
        Said::Refunded,
        Said::Shipped(0),
        Said::Shipped(1),
        Said::Shipped(2),
        Said::Time(59),
        Said::Time(60),
    ];
    let states = std::iter::once(None).chain(Status::ALL.map(Some));
    for status in states {
        for said in facts {
            let (mut reservation, mut shelf) = given(status, i32::from(status.is_some()));
            let found = tell(&mut reservation, &mut shelf, said);
            let found = found.map(|change| (change, reservation.status())).map_err(|_| ());
            assert_eq!(found, expected(status, said), "{status:?} hears {said:?}");
        }
    }
}

#[test]
fn telling_a_fact_twice_is_telling_it_once() {
    for status in std::iter::once(None).chain(Status::ALL.map(Some)) {
        let facts = [Said::Submitted(2), Said::Confirmed(2), Said::Canceled, Said::Refunded];
        for said in facts.into_iter().chain([Said::Shipped(2)]) {
            let (mut reservation, mut shelf) = given(status, i32::from(status.is_some()));
            if tell(&mut reservation, &mut shelf, said).is_err() {
                continue;
            }
            let (after, changes) = (reservation.clone(), shelf.changes().count());
            let again = tell(&mut reservation, &mut shelf, said);
            assert_eq!(again, Ok(Change::Already), "{status:?} hears {said:?} again");
            assert_eq!((&reservation, shelf.changes().count()), (&after, changes));
        }
    }
}

/// I1: nothing appears or vanishes, and what the rows hold is what the reservation says.
#[test]
fn no_fact_makes_or_loses_units() {
    for status in std::iter::once(None).chain(Status::ALL.map(Some)) {
        let facts = [Said::Submitted(2), Said::Confirmed(2), Said::Canceled, Said::Time(60)];
        for said in facts.into_iter().chain([Said::Shipped(2)]) {
            let (mut reservation, mut shelf) = given(status, i32::from(status.is_some()));
            let _ = tell(&mut reservation, &mut shelf, said);
            for sku in ["a", "b"] {
                let counts = shelf.counts(sku).unwrap();
                assert_eq!(counts.total(), STOCK, "{status:?} hears {said:?}");
                let reserved = reservation.snapshot().lines.of(sku);
                let has = counts.held + counts.committed + counts.shipped;
                assert_eq!(has, reserved, "{status:?} hears {said:?}");
            }
        }
    }
}

#[test]
fn confirmed_trims_the_hold_to_exactly_its_lines() {
    let (mut reservation, mut shelf) = given(Some(Status::Held), 1);
    let change = reservation.note_confirmed(1, &lines(&[("a", 1)]), &mut shelf);
    assert_eq!(change, Ok(Change::Moved(None)));
    let counts = |sku| shelf.counts(sku).unwrap();
    assert_eq!(counts("a"), Counts { available: 9, committed: 1, ..Counts::default() });
    assert_eq!(counts("b"), Counts { available: 10, ..Counts::default() });
    assert_eq!(reservation.snapshot().lines, lines(&[("a", 1)]));
}

#[test]
fn a_later_revision_trims_what_is_committed() {
    let (mut reservation, mut shelf) = given(Some(Status::Committed), 1);
    let change = reservation.note_confirmed(3, &lines(&[("a", 1)]), &mut shelf);
    assert_eq!(change, Ok(Change::Moved(None)));
    let a = Counts { available: 9, committed: 1, ..Counts::default() };
    assert_eq!(shelf.counts("a"), Some(a));
    assert_eq!(reservation.snapshot().settled, 3);
}

#[test]
fn shipped_trims_to_its_lines_and_books_out_what_was_held_or_committed() {
    use oms_inventory::domain::MovementKind::{Committed, Released, Shipped};
    for (status, before) in [(Status::Held, &[Committed][..]), (Status::Committed, &[])] {
        let (mut reservation, mut shelf) = given(Some(status), 1);
        let change = reservation.note_shipped(1, &lines(&[("a", 1)]), &mut shelf);
        assert_eq!(change, Ok(Change::Moved(Some(Fact::Dispatched))), "{status:?}");
        let a = Counts { available: 9, shipped: 1, ..Counts::default() };
        assert_eq!(shelf.counts("a"), Some(a));
        assert_eq!(shelf.counts("b"), Some(Counts { available: 10, ..Counts::default() }));
        let after = reservation.snapshot();
        assert_eq!((&after.lines, after.settled), (&lines(&[("a", 1)]), 1));
        assert_eq!(after.expires_at, None);
        let kinds: Vec<_> = shelf.movements().iter().map(|movement| movement.kind).collect();
        assert_eq!(kinds, [&[Released, Released], before, &[Shipped]].concat(), "{status:?}");
    }
}

#[test]
fn goods_that_have_left_stay_left_whatever_comes_late() {
    let (mut reservation, mut shelf) = given(Some(Status::Held), 1);
    reservation.note_shipped(1, &two(), &mut shelf).unwrap();
    let (after, moved) = (reservation.clone(), shelf.movements().len());
    let late = [Said::Submitted(1), Said::Confirmed(1), Said::Shipped(1), Said::Time(99)];
    for said in late {
        assert_eq!(tell(&mut reservation, &mut shelf, said), Ok(Change::Already), "{said:?}");
    }
    for said in [Said::Canceled, Said::Refunded] {
        assert!(tell(&mut reservation, &mut shelf, said).is_err(), "{said:?}");
    }
    assert_eq!((reservation, shelf.movements().len()), (after, moved));
}

#[test]
fn shipped_lines_that_are_not_held_are_refused() {
    for status in [Status::Held, Status::Committed] {
        let (mut reservation, mut shelf) = given(Some(status), 1);
        let refused = reservation.note_shipped(1, &lines(&[("a", 3)]), &mut shelf).unwrap_err();
        assert_eq!(refused.code(), "refused_transition");
        assert_eq!(shelf.movements().len(), 0);
    }
}

#[test]
fn confirmed_lines_that_are_not_held_are_refused() {
    let (mut reservation, mut shelf) = given(Some(Status::Held), 1);
    let refused = reservation.note_confirmed(1, &lines(&[("a", 3)]), &mut shelf).unwrap_err();
    assert_eq!(refused.code(), "refused_transition");
}

#[test]
fn an_unknown_sku_outweighs_one_out_of_stock_and_all_shortages_are_listed() {
    let mut shelf = Shelf::new([("a".to_owned(), Counts { available: 1, ..Counts::default() })]);
    let wanted = lines(&[("a", 2), ("zz", 1)]);
    let missing = shelf.hold("o", &wanted).unwrap_err();
    assert_eq!(missing.reason, RejectReason::UnknownSku);
    let found: Vec<_> =
        missing.shortages.iter().map(|s| (s.sku.as_str(), s.asked, s.available)).collect();
    assert_eq!(found, [("a", 2, 1), ("zz", 1, 0)]);
    assert_eq!(shelf.changes().count() + shelf.movements().len(), 0);
}

#[test]
fn an_expired_hold_says_so_once_and_keeps_what_it_holds() {
    let (mut reservation, mut shelf) = given(Some(Status::Held), 1);
    assert_eq!(reservation.expire(at(59)), Change::Already);
    let said = Change::Moved(Some(Fact::Expired { revision: 1 }));
    assert_eq!(reservation.expire(at(61)), said);
    assert_eq!(reservation.expire(at(61) + TimeDelta::days(1)), Change::Already);
    assert_eq!(reservation.snapshot().lines, two());
    assert_eq!(reservation.note_confirmed(1, &two(), &mut shelf), Ok(Change::Moved(None)));
}

#[test]
fn a_stock_row_that_disagrees_with_its_reservations_is_loud() {
    let (mut reservation, _) = given(Some(Status::Held), 1);
    let mut empty = Shelf::new([("a".to_owned(), Counts::default())]);
    let refused = reservation.note_canceled(&mut empty).unwrap_err();
    assert_eq!(refused.code(), "stock_out_of_balance");
}
