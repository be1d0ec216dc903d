//! Three services in one or several instances each, on servers, with a topic of their own.

use std::{collections::BTreeMap, path::PathBuf, process::Stdio, time::Duration};

use anyhow::{Context, ensure};
use oms_events::{DEAD_LETTER_TOPIC, Service, TOPIC};
use oms_messaging::{KafkaSettings, kafka::topics};
use oms_servers::{
    databases::{self, ServiceDatabase},
    ports,
};
use oms_testkit::Clients;
use tokio::{process::Command, task::spawn_blocking};

use super::{Instance, World, audit::Audit, topic};
use crate::Ports;

/// The three services, in the order in which they are started.
const SERVICES: [Service; 3] = [Service::Order, Service::Inventory, Service::Payment];
const TOPICS: &str = include_str!("../../../deploy/kafka/topics.yaml");
const MIGRATED_WITHIN: Duration = Duration::from_secs(60);

/// What a story wants of its system.
#[derive(Clone, Debug, Default)]
pub struct Wishes {
    /// Instances of each service; none means one.
    pub copies: usize,
    /// A service whose database is on a PostgreSQL server of its own, by the administrator's URL.
    pub apart: Option<(Service, String)>,
    /// Further environment of every instance.
    pub environment: Vec<(String, String)>,
}

/// A system under test.
#[derive(Debug)]
pub struct System {
    instances: Vec<Instance>,
    audit: Audit,
    kafka: String,
    suffix: String,
    /// Orders with poison: each has one dead letter.
    poisoned: Vec<String>,
}

impl System {
    /// Makes topics and databases for one story, migrates, and starts every instance.
    ///
    /// # Errors
    /// When any of it fails.
    pub async fn start(world: &World, story: &str, wishes: Wishes) -> anyhow::Result<Self> {
        let suffix = format!(".{story}.{}", world.run);
        let kafka = world.servers.kafka_address();
        make_topics(&kafka, &suffix).await.context("topics")?;
        let databases = Databases::make(world, story, &wishes)?;
        let audit = Audit::open(databases.servers(), &databases.prefix).await?;
        let (instances, poisoned) = (Vec::new(), Vec::new());
        let mut system = Self { instances, audit, kafka, suffix, poisoned };
        let logs = world.logs.join(story);
        std::fs::create_dir_all(&logs)?;
        for service in SERVICES {
            let binary = world.binaries.join(format!("oms-{}", service.name()));
            ensure!(binary.exists(), "{} is missing: run `make build`", binary.display());
            migrate(&binary, databases.environment(service, true)).await?;
            for copy in 0..wishes.copies.max(1) {
                let log = logs.join(format!("{}-{copy}.log", service.name()));
                let mut environment = databases.environment(service, false);
                environment.extend(wishes.environment.clone());
                system.add(service, binary.clone(), log, environment)?;
            }
        }
        for instance in &mut system.instances {
            instance.launch()?;
        }
        for instance in &mut system.instances {
            instance.ready().await?;
        }
        Ok(system)
    }

    fn add(
        &mut self,
        service: Service,
        binary: PathBuf,
        log: PathBuf,
        mut environment: Vec<(String, String)>,
    ) -> anyhow::Result<()> {
        let [grpc, admin] = ports::free()?;
        let section = format!("OMS_{}", service.name().to_uppercase());
        environment.extend([
            ("OMS_KAFKA__BOOTSTRAP".to_owned(), self.kafka.clone()),
            // The least that Apache Kafka takes: a killed member is missed sooner.
            ("OMS_KAFKA__SESSION_TIMEOUT_MS".to_owned(), "6000".to_owned()),
            ("OMS_LOG__LEVEL".to_owned(), "info,sea_orm_migration=warn".to_owned()),
            (format!("{section}__GRPC__LISTEN"), format!("127.0.0.1:{grpc}")),
            (format!("{section}__ADMIN__LISTEN"), format!("127.0.0.1:{admin}")),
            // Of the order service alone: no story speaks to it here.
            ("OMS_ORDER__ORDERS__LISTEN".to_owned(), "127.0.0.1:0".to_owned()),
            ("OMS_ORDER__ORDERS__TLS__FOLDER".to_owned(), String::new()),
            (format!("{section}__TOPIC"), self.topic()),
            (format!("{section}__DEAD_LETTER_TOPIC"), self.dead_letters()),
            (format!("{section}__CONSUMER_GROUP"), self.group(service)),
        ]);
        self.instances.push(Instance {
            service,
            grpc,
            admin,
            binary,
            environment,
            log,
            presence: super::Presence::default(),
            process: None,
            revivals: 0,
            was_ready: false,
        });
        Ok(())
    }

    /// An instance of a service.
    ///
    /// # Panics
    /// When there are fewer.
    pub fn instance(&mut self, service: Service, copy: usize) -> &mut Instance {
        let mut of = self.instances.iter_mut().filter(|instance| instance.service == service);
        of.nth(copy).expect("a copy that was wished for")
    }

    /// Every instance of a service.
    pub fn of(&self, service: Service) -> impl Iterator<Item = &Instance> {
        self.instances.iter().filter(move |instance| instance.service == service)
    }

    /// Every instance.
    pub fn all(&mut self) -> &mut [Instance] {
        &mut self.instances
    }

    /// Clients of the first instance of each service.
    ///
    /// # Errors
    /// When one does not answer.
    pub async fn clients(&self) -> anyhow::Result<Clients> {
        let at = |service| self.of(service).next().map(|instance| Ports::at(instance.grpc));
        let [order, inventory, payment] =
            SERVICES.map(|service| at(service).context("no instance"));
        Clients::connect(order?, inventory?, payment?).await
    }

    /// Waits until nobody waits; how long that took.
    ///
    /// # Errors
    /// What is still open then.
    pub async fn rest(&self, within: Duration) -> anyhow::Result<Duration> {
        self.audit.rest(within).await
    }

    /// Every order's status: id -> status.
    ///
    /// # Errors
    /// When the database cannot be read.
    pub async fn statuses(&self) -> anyhow::Result<BTreeMap<String, String>> {
        self.audit.statuses().await
    }

    /// What the services decided so far.
    ///
    /// # Errors
    /// When a database cannot be read.
    pub async fn decisions(&self) -> anyhow::Result<BTreeMap<String, String>> {
        self.audit.decisions().await
    }

    /// Gives inventory a bug: it can write nothing about these orders until [`System::mend`], so
    /// that the next event about each becomes poison.
    ///
    /// # Errors
    /// When the database refuses.
    pub async fn poison(&mut self, orders: &[&str]) -> anyhow::Result<()> {
        self.poisoned.extend(orders.iter().map(|order| (*order).to_owned()));
        self.audit.bug(&self.poisoned).await
    }

    /// Takes the bug away.
    ///
    /// # Errors
    /// When the database refuses.
    pub async fn mend(&self) -> anyhow::Result<()> {
        self.audit.mend().await
    }

    /// Puts a service that has no running instance back to the first record of the topic.
    ///
    /// # Errors
    /// When Kafka refuses, for example because a member is there.
    pub async fn rewind(&self, service: Service) -> anyhow::Result<()> {
        let (kafka, topic, group) = (self.kafka.clone(), self.topic(), self.group(service));
        spawn_blocking(move || topic::rewind(&kafka, &topic, &group)).await?
    }

    /// How many records a service has before it.
    ///
    /// # Errors
    /// When Kafka does not answer.
    pub async fn lag(&self, service: Service) -> anyhow::Result<i64> {
        let (kafka, topic, group) = (self.kafka.clone(), self.topic(), self.group(service));
        spawn_blocking(move || topic::lag(&kafka, &topic, &group)).await?
    }

    /// Checks every invariant of a system at rest, and ends every instance.
    ///
    /// # Errors
    /// All that is broken.
    pub async fn finish(mut self) -> anyhow::Result<Finished> {
        let (kafka, name, dead) = (self.kafka.clone(), self.topic(), self.dead_letters());
        let (events, dead) = spawn_blocking(move || {
            anyhow::Ok((topic::read(&kafka, &name)?, topic::length(&kafka, &dead)?))
        })
        .await??;
        self.audit.invariants(&events, &self.poisoned).await?;
        let poisoned = i64::try_from(self.poisoned.len())?;
        ensure!(dead == poisoned, "I8 {dead} dead letters of {poisoned} poisoned orders");
        let orders = self.audit.statuses().await?.len();
        let charges = self.audit.charges().await?;
        for instance in self.instances.iter_mut().filter(|instance| instance.runs()) {
            let status = instance.drain().await?;
            ensure!(status.success(), "{} drained with {status}", instance.service.name());
        }
        Ok(Finished { orders, events: events.len(), charges })
    }

    fn topic(&self) -> String {
        format!("{TOPIC}{}", self.suffix)
    }

    fn dead_letters(&self) -> String {
        format!("{DEAD_LETTER_TOPIC}{}", self.suffix)
    }

    fn group(&self, service: Service) -> String {
        format!("oms-{}{}", service.name(), self.suffix)
    }
}

/// What a system came to.
#[derive(Clone, Copy, Debug)]
pub struct Finished {
    /// Orders in the end.
    pub orders: usize,
    /// Events on the topic, each counted once.
    pub events: usize,
    /// Calls the gateway decided.
    pub charges: usize,
}

/// The databases of one story.
struct Databases {
    prefix: String,
    shared: String,
    apart: Option<(Service, String)>,
    services: Vec<(Service, ServiceDatabase)>,
    gateway: ServiceDatabase,
}

impl Databases {
    fn make(world: &World, story: &str, wishes: &Wishes) -> anyhow::Result<Self> {
        let prefix = format!("{}_{}_", story.replace('-', "_"), world.run);
        let (shared, apart) = (world.servers.postgres_url(), wishes.apart.clone());
        let logs = world.servers.folder();
        let mut services = Vec::new();
        for service in SERVICES {
            let server = match &apart {
                Some((of, server)) if *of == service => server,
                _ => &shared,
            };
            let made = databases::create(server, &prefix, service.name(), logs)?;
            services.push((service, made));
        }
        let gateway = databases::create(&shared, &prefix, "gateway", logs)?;
        Ok(Self { prefix, shared, apart, services, gateway })
    }

    /// Where order's, inventory's, payment's and the gateway's are.
    fn servers(&self) -> [&str; 4] {
        let of = |service| match &self.apart {
            Some((apart, server)) if *apart == service => server.as_str(),
            _ => self.shared.as_str(),
        };
        let [order, inventory, payment] = SERVICES.map(of);
        [order, inventory, payment, &self.shared]
    }

    /// What tells a service of its databases, as their owner or as who may only use them.
    fn environment(&self, service: Service, owner: bool) -> Vec<(String, String)> {
        let url = |of: &ServiceDatabase| if owner { of.owner.clone() } else { of.runner.clone() };
        let section = service.name().to_uppercase();
        let own = self.services.iter().find(|(of, _)| *of == service);
        let mut environment: Vec<_> = own
            .map(|(_, database)| (format!("OMS_{section}__DATABASE__URL"), url(database)))
            .into_iter()
            .collect();
        if service == Service::Payment {
            environment.push(("OMS_PAYMENT__GATEWAY__URL".to_owned(), url(&self.gateway)));
        }
        environment
    }
}

/// `oms-<service> migrate`, as the owner.
async fn migrate(binary: &PathBuf, environment: Vec<(String, String)>) -> anyhow::Result<()> {
    let mut command = Command::new(binary);
    command.arg("migrate").envs(environment).stdin(Stdio::null()).kill_on_drop(true);
    let output = tokio::time::timeout(MIGRATED_WITHIN, command.output()).await??;
    let said = String::from_utf8_lossy(&output.stderr);
    ensure!(output.status.success(), "{} migrate: {}\n{said}", binary.display(), output.status);
    Ok(())
}

/// Every topic of the file, each name with `suffix` behind it.
async fn make_topics(bootstrap: &str, suffix: &str) -> anyhow::Result<()> {
    let settings = KafkaSettings { bootstrap: bootstrap.to_owned(), ..KafkaSettings::default() };
    let mut wanted = topics::parse(TOPICS)?;
    wanted.iter_mut().for_each(|topic| topic.name.push_str(suffix));
    topics::ensure(&settings, wanted).await?;
    Ok(())
}
