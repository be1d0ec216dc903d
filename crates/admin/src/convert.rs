//! Between messaging's letters and the wire's.

use chrono::{DateTime, Utc};
use oms_messaging::{
    Applied, Failure, Letter, Said,
    consumer::letters::{CameTo, Settled, WholeLetter},
};
use oms_proto::oms_admin_v1 as wire;
use oms_service::Refusal;
use prost_types::Timestamp;

use crate::explain::Owed;

pub(crate) fn letter(service: &str, letter: Letter) -> wire::DeadLetter {
    wire::DeadLetter {
        service: service.to_owned(),
        id: letter.id,
        order_id: letter.stream.unwrap_or_default(),
        event_type: letter.event_type,
        event_id: letter.identity,
        topic: letter.topic,
        partition: letter.partition,
        offset: letter.offset,
        reason: letter.reason,
        message: letter.message,
        parked_at: Some(timestamp(letter.parked_at)),
    }
}

pub(crate) fn whole(service: &str, whole: WholeLetter) -> wire::GetDeadLetterResponse {
    let header = |(name, value)| wire::RecordHeader { name, value };
    wire::GetDeadLetterResponse {
        dead_letter: Some(letter(service, whole.letter)),
        payload: whole.payload,
        key: whole.key.unwrap_or_default(),
        headers: whole.headers.into_iter().map(header).collect(),
        waiting_behind: i64::try_from(whole.behind).unwrap_or(i64::MAX),
    }
}

pub(crate) fn result(service: &str, settled: Settled) -> wire::DeadLetterResult {
    let (outcome, failure_code, failure_message) = match settled.came_to {
        CameTo::Redriven => (wire::DeadLetterOutcome::Redriven, String::new(), String::new()),
        CameTo::Discarded => (wire::DeadLetterOutcome::Discarded, String::new(), String::new()),
        CameTo::Failed { code, message } => (wire::DeadLetterOutcome::Failed, code, message),
    };
    wire::DeadLetterResult {
        dead_letter: Some(letter(service, settled.letter)),
        outcome: outcome.into(),
        failure_code,
        failure_message,
    }
}

pub(crate) fn owed(owed: Owed) -> wire::OwedWord {
    wire::OwedWord {
        word: owed.word.to_owned(),
        by: owed.by.to_owned(),
        since: owed.since.map(timestamp),
        deadline: owed.deadline.map(timestamp),
        detail: owed.detail,
    }
}

pub(crate) fn said(said: Said) -> wire::SaidEvent {
    wire::SaidEvent {
        event_id: said.id,
        event_type: said.event_type,
        causation_id: said.causation.unwrap_or_default(),
        said_at: Some(timestamp(said.at)),
        published_at: said.published_at.map(timestamp),
        refused: said.refused.unwrap_or_default(),
        repeated: said.repeated,
    }
}

pub(crate) fn heard(heard: Applied) -> wire::HeardEvent {
    wire::HeardEvent { event_id: heard.id, heard_at: Some(timestamp(heard.at)) }
}

/// Logged here, because here it is handled; the caller learns nothing about the inside.
pub(crate) fn store(failure: Failure) -> Refusal {
    match failure {
        Failure::Transient(error) => {
            tracing::warn!(%error, "the database is away or busy");
            Refusal::unavailable("DATABASE_UNAVAILABLE", "the database is not available")
        }
        Failure::Poison { .. } | Failure::Unclassified(_) => {
            tracing::error!(error = %failure, "a call of an operator failed");
            Refusal::internal()
        }
    }
}

pub(crate) fn timestamp(at: DateTime<Utc>) -> Timestamp {
    let nanos = i32::try_from(at.timestamp_subsec_nanos()).unwrap_or(0);
    Timestamp { seconds: at.timestamp(), nanos }
}
