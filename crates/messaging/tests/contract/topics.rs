//! Making topics: Apache Kafka alone can, where `OMS_TEST_KAFKA` names it.

use std::collections::BTreeMap;

use oms_messaging::{
    KafkaSettings,
    kafka::topics::{Topic, TopicsError, ensure},
};
use oms_seams::{Ids, SystemIds};

use super::bench::Bench;

fn topic(name: &str, partitions: i32) -> Topic {
    let config = [("min.insync.replicas", "2"), ("retention.ms", "60000")];
    let config: BTreeMap<_, _> =
        config.map(|(name, value)| (name.to_owned(), value.to_owned())).into();
    Topic { name: name.to_owned(), partitions, replicas: 3, config }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_topic_is_made_once_and_its_partitions_stay_as_they_are() {
    let Some(Bench::Apache(bootstrap)) = Bench::apache() else { return };
    let settings = KafkaSettings { bootstrap, ..KafkaSettings::default() };
    let name = format!("oms.topics.{}", SystemIds.next());
    for made in [true, false] {
        let ensured = ensure(&settings, vec![topic(&name, 3)]).await.unwrap();
        assert_eq!(ensured.len(), 1);
        assert_eq!(ensured[0].made, made);
    }
    let error = ensure(&settings, vec![topic(&name, 4)]).await.unwrap_err();
    assert_eq!(error, TopicsError::OtherPartitions { name, there: 3, wanted: 4 });
}
