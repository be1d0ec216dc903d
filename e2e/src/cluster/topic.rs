//! The topic as an outsider reads it, and the groups' places in it.

use std::time::{Duration, Instant};

use anyhow::{Context, ensure};
use oms_testkit::invariants::Topic;
use rdkafka::{
    ClientConfig, Message, Offset, TopicPartitionList,
    consumer::{BaseConsumer, CommitMode, Consumer},
};
use serde_json::Value;

const ANSWER_WITHIN: Duration = Duration::from_secs(10);
const READ_WITHIN: Duration = Duration::from_secs(120);

/// Every event on a topic: id -> type.
pub(super) fn read(bootstrap: &str, topic: &str) -> anyhow::Result<Topic> {
    let reader = client(bootstrap, "observer")?;
    let ends = ends(&reader, topic)?;
    let mut places = TopicPartitionList::new();
    for (partition, (first, _)) in ends.iter().enumerate() {
        let partition = i32::try_from(partition)?;
        places.add_partition_offset(topic, partition, Offset::Offset(*first))?;
    }
    reader.assign(&places)?;
    let mut left: i64 = ends.iter().map(|(first, next)| next - first).sum();
    let mut events = Topic::new();
    let until = Instant::now() + READ_WITHIN;
    while left > 0 {
        ensure!(Instant::now() < until, "{topic}: {left} records are not read in {READ_WITHIN:?}");
        let Some(record) = reader.poll(Duration::from_millis(200)) else { continue };
        let record = record?;
        let (_, next) = ends[usize::try_from(record.partition())?];
        if record.offset() >= next {
            continue;
        }
        left -= 1;
        let event: Value = serde_json::from_slice(record.payload().context("no value")?)?;
        let text = |name: &str| event[name].as_str().map(str::to_owned).context("no envelope");
        events.insert(text("id")?, text("type")?);
    }
    Ok(events)
}

/// How many records a topic ever had.
pub(super) fn length(bootstrap: &str, topic: &str) -> anyhow::Result<i64> {
    let ends = ends(&client(bootstrap, "observer")?, topic)?;
    Ok(ends.iter().map(|(_, next)| next).sum())
}

/// How many records a group has before it.
pub(super) fn lag(bootstrap: &str, topic: &str, group: &str) -> anyhow::Result<i64> {
    let member = client(bootstrap, group)?;
    let ends = ends(&member, topic)?;
    let mut places = TopicPartitionList::new();
    for partition in 0..ends.len() {
        places.add_partition(topic, i32::try_from(partition)?);
    }
    let committed = member.committed_offsets(places, ANSWER_WITHIN)?;
    let read = committed.elements().into_iter().map(|place| match place.offset() {
        Offset::Offset(next) => next,
        _ => 0,
    });
    let read: i64 = read.sum();
    Ok(ends.iter().map(|(_, next)| next).sum::<i64>() - read)
}

/// Puts a group that has no members back to the first record.
pub(super) fn rewind(bootstrap: &str, topic: &str, group: &str) -> anyhow::Result<()> {
    let member = client(bootstrap, group)?;
    let mut places = TopicPartitionList::new();
    for (partition, (first, _)) in ends(&member, topic)?.iter().enumerate() {
        let partition = i32::try_from(partition)?;
        places.add_partition_offset(topic, partition, Offset::Offset(*first))?;
    }
    member.commit(&places, CommitMode::Sync).context("the group's place cannot be set")
}

fn client(bootstrap: &str, group: &str) -> anyhow::Result<BaseConsumer> {
    Ok(ClientConfig::new()
        .set("bootstrap.servers", bootstrap)
        .set("group.id", group)
        .set("enable.auto.commit", "false")
        .create()?)
}

/// The first offset and the one behind the last, of each partition.
fn ends(client: &BaseConsumer, topic: &str) -> anyhow::Result<Vec<(i64, i64)>> {
    let seen = client.fetch_metadata(Some(topic), ANSWER_WITHIN)?;
    let partitions = seen.topics().first().context("no such topic")?.partitions().len();
    (0..i32::try_from(partitions)?)
        .map(|partition| Ok(client.fetch_watermarks(topic, partition, ANSWER_WITHIN)?))
        .collect()
}
