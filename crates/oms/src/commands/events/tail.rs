//! `oms events tail`.

use std::{collections::BTreeMap, time::Duration};

use chrono::{DateTime, Utc};
use clap::{Args, Subcommand};
use oms_events::TOPIC;
use oms_messaging::{
    Delivery, LogError,
    kafka::{From, Observer},
};

use super::{filter::Filter, sighting::Sighting};
use crate::cli::{Exit, Failure, KafkaFlags, Session, counted, observer};

/// Records taken at once, and how long a look lasts.
const RECORDS_MAX: usize = 2_000;
const LOOK: Duration = Duration::from_millis(500);
/// How often a broker that went away is looked for before the tail gives up.
const TROUBLE_MAX: u32 = 60;
const TROUBLE_PAUSE: Duration = Duration::from_secs(1);
/// Commands about events.
#[derive(Subcommand)]
pub(crate) enum EventsCommand {
    /// Show events as they are published, one a line.
    Tail(TailArguments),
}

/// What to show of the topic.
#[derive(Args)]
#[command(after_long_help = "\
A line is: time, partition/offset, order, type without its leading oms., source, data.
The tail joins no consumer group and commits nothing: it takes nothing away from anybody.

Examples:
  oms events tail
  oms events tail --order $ORDER --from-beginning --no-follow
  oms events tail --type 'payment.*' --source payment --since 15m --json | jq .event.data")]
pub(crate) struct TailArguments {
    #[command(flatten)]
    filter: Filter,
    /// Begin with the oldest event there is, instead of with the next one.
    #[arg(long, conflicts_with = "since", help_heading = "Where to begin and end")]
    from_beginning: bool,
    /// Begin with what was written since: a duration (15m), or an instant (2026-01-31T12:00:00Z).
    #[arg(long, value_name = "WHEN", help_heading = "Where to begin and end")]
    since: Option<String>,
    /// Wait for further events; the default.
    #[arg(long, overrides_with = "no_follow", help_heading = "Where to begin and end")]
    follow: bool,
    /// End after what is there now; begins with the oldest event unless told otherwise.
    #[arg(long, overrides_with = "follow", help_heading = "Where to begin and end")]
    no_follow: bool,
    /// End after so many events.
    #[arg(long, value_name = "COUNT", help_heading = "Where to begin and end")]
    limit: Option<u64>,
    #[command(flatten)]
    kafka: KafkaFlags,
    /// The topic.
    #[arg(long, value_name = "NAME", default_value = TOPIC, help_heading = "Connection")]
    topic: String,
}

impl EventsCommand {
    /// Runs it.
    pub(crate) async fn run(self, session: &Session) -> Result<(), Failure> {
        let Self::Tail(tail) = self;
        tail.run(session).await
    }
}

impl TailArguments {
    async fn run(&self, session: &Session) -> Result<(), Failure> {
        let from = self.begin(session.seams.clock.now())?;
        let opened = observer(&self.kafka, &self.topic, from).await;
        let mut observer = opened.map_err(|failure| match failure.exit {
            Exit::NotFound => failure.next(format!("the services' topic is {TOPIC}")),
            _ => failure,
        })?;
        let (mut shown, mut read, mut trouble) = (0, 0, 0);
        let limit = self.limit.unwrap_or(u64::MAX);
        while shown < limit && !session.out.is_closed() {
            // Asked before the look: what arrives during it is still shown.
            let complete = self.no_follow && observer.has_caught_up();
            let deliveries = match look(&mut observer).await {
                Ok(deliveries) => deliveries,
                Err(error) => {
                    trouble += 1;
                    if trouble > TROUBLE_MAX {
                        return Err(Failure::new(Exit::Unavailable, error.to_string()));
                    }
                    session.out.note(format!("{error}; looking again"));
                    tokio::time::sleep(TROUBLE_PAUSE).await;
                    continue;
                }
            };
            trouble = 0;
            read += deliveries.len();
            for delivery in in_time_order(&deliveries) {
                let sighting = Sighting::of(delivery);
                if shown < limit && sighting.passes(&self.filter) {
                    show(session, &sighting)?;
                    shown += 1;
                }
            }
            if complete && deliveries.is_empty() {
                break;
            }
        }
        if shown == 0 && self.no_follow {
            session
                .out
                .note(format!("{} read, none of them is as asked for", counted(read, "event")));
        }
        Ok(())
    }

    /// Where to begin.
    fn begin(&self, now: DateTime<Utc>) -> Result<From, Failure> {
        let Some(since) = &self.since else {
            let all = self.from_beginning || self.no_follow;
            return Ok(if all { From::Beginning } else { From::End });
        };
        let wrong = || {
            let form = "a duration (15m) or an instant (2026-01-31T12:00:00Z)";
            Failure::new(Exit::Usage, format!("--since {since:?}: expected {form}"))
        };
        if let Ok(at) = DateTime::parse_from_rfc3339(since) {
            return Ok(From::Time(at.to_utc()));
        }
        let ago = humantime::parse_duration(since).map_err(|_| wrong())?;
        let ago = chrono::Duration::from_std(ago).map_err(|_| wrong())?;
        now.checked_sub_signed(ago).map(From::Time).ok_or_else(wrong)
    }
}

fn show(session: &Session, sighting: &Sighting<'_>) -> Result<(), Failure> {
    if session.out.is_json() {
        return session.out.document_line(&sighting.document());
    }
    session.out.page(|page| page.line(sighting.line(session.out.width())))
}

/// What is there now. While history is read its partitions come one after the other: they are
/// gathered, so that an order by time means something.
async fn look(observer: &mut Observer) -> Result<Vec<Delivery>, LogError> {
    let mut taken = observer.poll(RECORDS_MAX, LOOK).await?;
    while !taken.is_empty() && taken.len() < RECORDS_MAX && !observer.has_caught_up() {
        match observer.poll(RECORDS_MAX - taken.len(), LOOK).await {
            Ok(more) => taken.extend(more),
            // What was taken must not be lost; the trouble comes again.
            Err(_) => break,
        }
    }
    Ok(taken)
}

/// Oldest first over all partitions, and each partition in its own order.
fn in_time_order(deliveries: &[Delivery]) -> Vec<&Delivery> {
    let mut newest = BTreeMap::<i32, Option<DateTime<Utc>>>::new();
    let mut timed: Vec<_> = deliveries
        .iter()
        .map(|delivery| {
            // A clock that went back must not turn a partition around.
            let known = newest.entry(delivery.partition.number).or_default();
            *known = (*known).max(delivery.written_at);
            (*known, delivery)
        })
        .collect();
    timed.sort_by_key(|(at, _)| *at);
    timed.into_iter().map(|(_, delivery)| delivery).collect()
}

#[cfg(test)]
mod tests {
    use oms_messaging::{Record, log::Partition};

    use super::*;

    #[test]
    fn partitions_are_merged_by_time_and_keep_their_own_order() {
        let delivery = |number, offset, millis| Delivery {
            partition: Partition { topic: String::new(), number },
            offset,
            written_at: DateTime::from_timestamp_millis(millis),
            record: Record {
                topic: String::new(),
                key: None,
                payload: Vec::new(),
                headers: Vec::new(),
            },
        };
        let all = [delivery(0, 1, 50), delivery(0, 2, 10), delivery(1, 1, 20), delivery(1, 2, 60)];
        let order: Vec<(i32, i64)> =
            in_time_order(&all).iter().map(|d| (d.partition.number, d.offset)).collect();
        assert_eq!(order, [(1, 1), (0, 1), (0, 2), (1, 2)]);
    }
}
