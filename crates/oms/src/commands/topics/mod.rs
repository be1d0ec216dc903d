//! `oms topics`: the topics of the system on somebody's Kafka.

mod apply;

pub(super) use apply::TopicsCommand;
