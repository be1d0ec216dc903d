//! How what other services say relates to what the order asked of them: the other half of the
//! table's question.

use uuid::Uuid;

use super::{
    Money, Order, RefundName, Run,
    table::{Fit, Whose},
};

impl Order {
    /// How a fact about a revision relates to the order's.
    pub(super) fn fit(&self, revision: i32) -> Fit {
        match revision.cmp(&self.revision()) {
            std::cmp::Ordering::Less => Fit::Earlier,
            std::cmp::Ordering::Equal if revision == 0 => Fit::Ahead,
            std::cmp::Ordering::Equal => Fit::Current,
            std::cmp::Ordering::Greater => Fit::Ahead,
        }
    }

    /// How a fact about a refund relates to the order's.
    pub(super) fn whose(&self, refund_id: &str, amount: Money) -> Whose {
        if amount.currency() != self.currency() {
            return Whose::OtherMoney;
        }
        match RefundName::parse(refund_id, self.id()) {
            None => Whose::Nobody,
            Some(RefundName::Cancel) => Whose::Cancel,
            Some(RefundName::Amend(revision)) if revision > self.revision() => Whose::Ahead,
            Some(RefundName::Amend(revision)) if revision == self.revision() => {
                match self.difference() {
                    None => Whose::Amend,
                    Some(difference) if amount.minor().checked_neg() == Some(difference) => {
                        Whose::OpenAmend
                    }
                    Some(_) => Whose::OtherMoney,
                }
            }
            Some(RefundName::Amend(_)) => Whose::Amend,
            Some(RefundName::Asked(id)) => match self.refund(refund_id) {
                None => Whose::Nobody,
                Some(refund) if refund.amount != amount => Whose::OtherMoney,
                Some(_) if self.waits_for_refund(id) => Whose::OpenRun,
                Some(_) => Whose::Ended,
            },
        }
    }

    fn waits_for_refund(&self, id: Uuid) -> bool {
        matches!(self.run(), Some(Run::Refund { refund_id, .. }) if *refund_id == id)
    }

    /// Whether so much may be taken for the order's revision. What an amendment that has ended was
    /// to take is not kept.
    pub(super) fn is_due(&self, amount: Money) -> bool {
        match self.difference() {
            Some(difference) => amount.minor() == difference,
            None => self.revision() > 1 || amount == self.total(),
        }
    }
}
