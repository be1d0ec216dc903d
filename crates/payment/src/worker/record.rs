//! Recording outcomes: one transaction for all that are ready, which locks their orders and looks
//! again, so that an outcome is recorded once however many workers learnt it.

use std::sync::Arc;

use oms_messaging::{Failure, Messaging};

use super::{call::Answered, due::Movement, settings::WorkerSettings};
use crate::{
    domain::Effect,
    gateway::{Unknown, Verdict},
    metrics::PaymentMetrics,
    store::{Attempt, Session},
};

/// What recording needs.
#[derive(Clone, Debug)]
pub(super) struct Recorder {
    pub messaging: Messaging,
    pub metrics: Arc<PaymentMetrics>,
    pub settings: WorkerSettings,
}

impl Recorder {
    /// Records all of them in one transaction. Returns whether something new has fallen due.
    pub(super) async fn record(&self, answers: &[Answered]) -> Result<bool, Failure> {
        let faults = &self.messaging.seams().faults;
        let orders: Vec<String> =
            answers.iter().map(|answer| answer.due.order_id.clone()).collect();
        let mut tx = self.messaging.begin().await?;
        tx.lock(orders.iter().cloned()).await?;
        let mut session = Session::load(&tx, orders).await?;
        for answer in answers {
            self.apply(&mut session, answer)?;
        }
        let saved = session.save(&mut tx).await?;
        faults.hit("outcome.before_commit").await;
        tx.commit().await?;
        faults.hit("outcome.after_commit").await;
        for (order_id, said) in &saved.said {
            self.metrics.note(order_id, said);
        }
        Ok(saved.fell_due)
    }

    /// Records what can be recorded: all together, or, when that fails for a reason that is not
    /// the database's absence, one by one. Returns those that failed, and whether something new
    /// has fallen due.
    pub(super) async fn record_each(&self, answers: Vec<Answered>) -> (Vec<Answered>, bool) {
        let failure = match self.record(&answers).await {
            Ok(fell_due) => return (Vec::new(), fell_due),
            Err(failure) => failure,
        };
        if answers.len() == 1 || matches!(failure, Failure::Transient(_)) {
            tracing::warn!(outcomes = answers.len(), %failure, "outcomes not recorded yet");
            return (answers, false);
        }
        let (mut failed, mut fell_due) = (Vec::new(), false);
        for answer in answers {
            match self.record(std::slice::from_ref(&answer)).await {
                Ok(more) => fell_due |= more,
                Err(failure) => {
                    let order_id = &answer.due.order_id;
                    tracing::warn!(order_id, %failure, "outcome not recorded yet");
                    failed.push(answer);
                }
            }
        }
        (failed, fell_due)
    }

    fn apply(&self, session: &mut Session, answer: &Answered) -> Result<Effect, Failure> {
        let (due, now) = (&answer.due, session.now());
        session.note_attempt(Attempt {
            order_id: due.order_id.clone(),
            idempotency_key: due.key(),
            outcome: answer.outcome(),
            detail: detail(&answer.result),
        });
        let until = now + self.settings.retry_delay(due.attempts);
        session.change(&due.order_id, |payment| {
            Ok(match (&due.movement, &answer.result) {
                (Movement::Capture { revision, .. }, Ok(verdict)) => {
                    payment.record_capture(*revision, verdict, now)
                }
                (Movement::Refund { refund_id }, Ok(verdict)) => {
                    payment.record_refund(refund_id, verdict, now)
                }
                (Movement::Capture { revision, .. }, Err(Unknown(_))) => {
                    payment.postpone_capture(*revision, until)
                }
                (Movement::Refund { refund_id }, Err(Unknown(_))) => {
                    payment.postpone_refund(refund_id, until)
                }
            })
        })
    }
}

fn detail(result: &Result<Verdict, Unknown>) -> String {
    match result {
        Ok(Verdict::Approved) => String::new(),
        Ok(Verdict::Declined { code, .. }) => code.clone(),
        Err(Unknown(why)) => why.clone(),
    }
}
