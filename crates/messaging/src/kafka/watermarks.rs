//! How far a member is behind the end of its partitions.

use std::{collections::BTreeMap, time::Duration};

use rdkafka::{
    Offset, TopicPartitionList,
    consumer::{Consumer, StreamConsumer},
    error::KafkaResult,
};

use super::membership::Membership;
use crate::log::Partition;

/// Records between the stored positions and the ends, per partition. Blocks: two questions to each
/// broker, and a third while a position is not known yet.
pub(super) fn lag(
    consumer: &StreamConsumer<Membership>,
    held: Vec<(Partition, Option<i64>)>,
    timeout: Duration,
) -> KafkaResult<Vec<(Partition, i64)>> {
    let all = || held.iter().map(|(partition, _)| partition);
    let unknown: Vec<&Partition> =
        held.iter().filter(|(_, stored)| stored.is_none()).map(|(at, _)| at).collect();
    let committed = if unknown.is_empty() {
        BTreeMap::new()
    } else {
        let list = list(unknown.into_iter(), Offset::Invalid)?;
        offsets(&consumer.committed_offsets(list, timeout)?)?
    };
    // A list of "times" may ask for the two ends as well (ListOffsets with -2 and -1).
    let low = consumer.offsets_for_times(list(all(), Offset::Beginning)?, timeout)?;
    let high = consumer.offsets_for_times(list(all(), Offset::End)?, timeout)?;
    let (low, high) = (offsets(&low)?, offsets(&high)?);
    let behind = |(partition, stored): (Partition, Option<i64>)| {
        let end = *high.get(&partition)?;
        let first = low.get(&partition).copied().unwrap_or(0);
        let position = stored.or_else(|| committed.get(&partition).copied());
        Some((partition, end - effective(position, first, end)))
    };
    Ok(held.into_iter().filter_map(behind).collect())
}

/// Where reading really goes on: a position that is not in the log any more, because the log was
/// trimmed or lost, is reset to the earliest record.
fn effective(position: Option<i64>, first: i64, end: i64) -> i64 {
    position.filter(|at| (first..=end).contains(at)).unwrap_or(first)
}

/// The partitions, each at the same place.
pub(super) fn list<'a>(
    partitions: impl Iterator<Item = &'a Partition>,
    at: Offset,
) -> KafkaResult<TopicPartitionList> {
    let mut list = TopicPartitionList::new();
    for partition in partitions {
        list.add_partition_offset(&partition.topic, partition.number, at)?;
    }
    Ok(list)
}

/// The offsets that are known.
pub(super) fn offsets(list: &TopicPartitionList) -> KafkaResult<BTreeMap<Partition, i64>> {
    let mut offsets = BTreeMap::new();
    for element in list.elements() {
        element.error()?;
        let partition =
            Partition { topic: element.topic().to_owned(), number: element.partition() };
        if let Offset::Offset(offset) = element.offset() {
            offsets.insert(partition, offset);
        }
    }
    Ok(offsets)
}

#[cfg(test)]
mod tests {
    use super::effective;

    #[test]
    fn a_position_outside_of_the_log_counts_from_its_beginning() {
        assert_eq!(effective(None, 3, 9), 3, "nothing stored");
        assert_eq!(effective(Some(5), 3, 9), 5);
        assert_eq!(effective(Some(9), 3, 9), 9, "at the end");
        assert_eq!(effective(Some(1), 3, 9), 3, "trimmed");
        assert_eq!(effective(Some(12), 0, 4), 0, "the log was lost");
    }
}
