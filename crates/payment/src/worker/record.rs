//! Recording outcomes: one transaction for all that are ready, which locks their orders and looks
//! again, so that an outcome is recorded once however many workers learnt it.

use std::sync::Arc;

use oms_messaging::{Failure, Messaging, Tx};

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
        self.record_in(self.messaging.begin().await?, answers).await
    }

    async fn record_in(&self, mut tx: Tx, answers: &[Answered]) -> Result<bool, Failure> {
        let faults = &self.messaging.seams().faults;
        // Open until the commit, so that each trace shows how long its outcome took to be kept.
        let spans: Vec<_> = answers.iter().map(Answered::recording).collect();
        let orders: Vec<String> =
            answers.iter().map(|answer| answer.due.order_id.clone()).collect();
        tx.lock(orders.iter().cloned()).await?;
        let mut session = Session::load(&tx, orders).await?;
        for (answer, span) in answers.iter().zip(&spans) {
            span.in_scope(|| self.apply(&mut session, answer))?;
        }
        let saved = session.save(&mut tx).await?;
        faults.hit("outcome.before_commit").await;
        tx.commit().await?;
        spans.iter().for_each(oms_telemetry::ends_now);
        faults.hit("outcome.after_commit").await;
        for (order_id, said) in &saved.said {
            self.metrics.note(order_id, said);
        }
        Ok(saved.fell_due)
    }

    /// Records what can be recorded: all together, or, when that fails, one by one: what stands
    /// in the way, a locked stream for example, may be the matter of one of them. Only a database
    /// that cannot even begin is left alone. Returns those that failed, and whether something new
    /// has fallen due.
    pub(super) async fn record_each(&self, answers: Vec<Answered>) -> (Vec<Answered>, bool) {
        let all_failed = |answers: Vec<Answered>, failure| {
            tracing::warn!(outcomes = answers.len(), %failure, "outcomes not recorded yet");
            answers
        };
        let tx = match self.messaging.begin().await {
            Ok(tx) => tx,
            Err(failure) => return (all_failed(answers, failure), false),
        };
        match self.record_in(tx, &answers).await {
            Ok(fell_due) => return (Vec::new(), fell_due),
            Err(failure) if answers.len() == 1 => return (all_failed(answers, failure), false),
            Err(failure) => tracing::debug!(%failure, "outcomes are recorded one by one"),
        }
        let (mut failed, mut fell_due) = (Vec::new(), false);
        let mut left = answers.into_iter();
        while let Some(answer) = left.next() {
            let tx = match self.messaging.begin().await {
                Ok(tx) => tx,
                Err(failure) => {
                    let rest = std::iter::once(answer).chain(left).collect();
                    failed.extend(all_failed(rest, failure));
                    break;
                }
            };
            match self.record_in(tx, std::slice::from_ref(&answer)).await {
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
