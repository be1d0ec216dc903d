//! `oms topics apply`: makes what a file lists and is not there.

use std::{fs, path::PathBuf};

use clap::{Args, Subcommand};
use oms_messaging::kafka::topics::{self, Ensured};
use serde_json::json;

use crate::cli::{Column, Failure, KafkaFlags, Session, Table, misread, untopical};

/// Commands about topics.
#[derive(Subcommand)]
pub(crate) enum TopicsCommand {
    /// Make the topics that a file lists, where they are not there.
    Apply(ApplyArguments),
}

/// Which topics, and where.
#[derive(Args)]
#[command(after_long_help = "\
A topic that is there is left as it is. One that has another number of partitions than the file
says is refused: where an order's events lie depends on it. Where there are fewer brokers than
replicas, as many replicas are made as there are brokers.

Examples:
  oms topics apply --file deploy/kafka/topics.yaml
  oms topics apply --file topics.yaml --bootstrap kafka:9093 \\
    --kafka-property security.protocol=SSL")]
pub(crate) struct ApplyArguments {
    /// The file, as deploy/kafka/topics.yaml.
    #[arg(long, value_name = "FILE")]
    file: PathBuf,
    #[command(flatten)]
    kafka: KafkaFlags,
}

impl TopicsCommand {
    /// Runs it.
    pub(crate) async fn run(self, session: &Session) -> Result<(), Failure> {
        let Self::Apply(apply) = self;
        apply.run(session).await
    }
}

impl ApplyArguments {
    async fn run(self, session: &Session) -> Result<(), Failure> {
        let text = fs::read_to_string(&self.file).map_err(|error| misread(&self.file, &error))?;
        let topics = topics::parse(&text).map_err(|error| misread(&self.file, &error))?;
        let ensured = topics::ensure(&self.kafka.settings()?, topics).await.map_err(untopical)?;
        if session.out.is_json() {
            let all: Vec<_> = ensured.iter().map(document).collect();
            return session.out.document(&json!({ "topics": all }));
        }
        let mut table = Table::new([
            Column::whole("topic"),
            Column::number("partitions"),
            Column::number("replicas"),
            Column::text("outcome"),
        ]);
        for Ensured { topic, made } in &ensured {
            let outcome = outcome(*made).replace('_', " ");
            let (partitions, replicas) = (topic.partitions, topic.replicas);
            table.row([
                topic.name.clone(),
                partitions.to_string(),
                if *made { replicas.to_string() } else { "-".to_owned() },
                outcome,
            ]);
        }
        session.out.page(|page| page.table(&table))
    }
}

fn outcome(made: bool) -> &'static str {
    if made { "made" } else { "was_there" }
}

fn document(ensured: &Ensured) -> serde_json::Value {
    let Ensured { topic, made } = ensured;
    json!({ "name": topic.name, "partitions": topic.partitions, "outcome": outcome(*made) })
}
