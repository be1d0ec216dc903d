//! From the chart's objects to commands of this machine.

use std::{
    fs,
    path::{Path, PathBuf},
    process::Stdio,
    time::Duration,
};

use anyhow::{Context, ensure};
use oms_servers::ports;
use serde_json::Value;
use tokio::{process::Command, time::timeout};

use super::instance::Instance;
use crate::ship::{
    chart,
    objects::{Objects, Pod},
};

/// The services, in the order in which a rollout replaces them.
pub(super) const SERVICES: [&str; 3] = ["order", "inventory", "payment"];
/// Where the chart says that their gRPC is.
const GRPC: [&str; 3] = ["oms-order:50051", "oms-inventory:50052", "oms-payment:50053"];
/// Where it mounts the topics.
const TOPICS: &str = "/etc/oms/topics/topics.yaml";
/// What its readiness probes ask; `healthcheck` asks the same.
const READY: &str = "/readyz/calls";

/// How the chart's addresses and paths are called here.
pub(super) struct Plan<'a> {
    objects: &'a Objects,
    folder: PathBuf,
    binaries: PathBuf,
    mapped: Vec<(String, String)>,
    balanced: [u16; 3],
}

/// A command that ends by itself.
pub(super) struct Task {
    /// Whose it is: `Job/oms-topics-1`.
    pub(super) owner: String,
    command: Command,
}

impl<'a> Plan<'a> {
    /// A plan with the binaries of a folder, in which `mapped` says what is where; calls go to the
    /// ports in `balanced`.
    pub(super) fn new(
        objects: &'a Objects,
        binaries: &Path,
        folder: &Path,
        mut mapped: Vec<(String, String)>,
        balanced: [u16; 3],
    ) -> anyhow::Result<Self> {
        let topics = folder.join("topics.yaml");
        let map = objects.named("ConfigMap", "oms-topics").context("no ConfigMap of topics")?;
        fs::write(&topics, map["data"]["topics.yaml"].as_str().context("no topics.yaml")?)?;
        mapped.push((TOPICS.to_owned(), topics.display().to_string()));
        let grpc = GRPC.into_iter().zip(balanced);
        mapped.extend(grpc.map(|(name, port)| (name.to_owned(), format!("127.0.0.1:{port}"))));
        let (folder, binaries) = (folder.to_owned(), binaries.to_owned());
        Ok(Self { objects, folder, binaries, mapped, balanced })
    }

    /// Starts one instance of a service as its Deployment says, on ports of its own.
    pub(super) fn launch(&self, service: &str, copy: usize) -> anyhow::Result<Instance> {
        let pod = self.pod(&format!("Deployment/oms-{service}"))?;
        let container = pod.containers().next().context("no container")?;
        let probe = &container["readinessProbe"]["httpGet"]["path"];
        ensure!(probe == READY, "{}: the readiness probe asks {probe}", pod.owner);
        let [grpc, orders, admin] = ports::free()?;
        let mut environment = self.environment(container);
        for (name, value) in &mut environment {
            let port = match name.as_str() {
                name if name.ends_with("__GRPC__LISTEN") => grpc,
                name if name.ends_with("__ADMIN__LISTEN") => admin,
                name if name.ends_with("__ORDERS__LISTEN") => orders,
                _ => continue,
            };
            *value = format!("127.0.0.1:{port}");
        }
        let grace = pod.spec["terminationGracePeriodSeconds"].as_u64().context("no grace")?;
        let log = self.log(&format!("{service}-{copy}"));
        let (program, arguments) = self.words(container)?;
        Instance::launch(&program, &arguments, environment, &log, grpc, grace)
    }

    /// The Jobs: topics first, as their names are in order.
    pub(super) fn jobs(&self) -> anyhow::Result<Vec<Task>> {
        let jobs = self.objects.pods().filter(|pod| pod.kind == "Job");
        let mut tasks: Vec<Task> =
            jobs.map(|pod| self.task(&pod)).collect::<anyhow::Result<_>>()?;
        let found = tasks.len();
        ensure!(found == 4, "{found} Jobs, and not one of topics and three of migrations");
        tasks.sort_by(|a, b| b.owner.cmp(&a.owner));
        Ok(tasks)
    }

    /// What `helm test` runs.
    pub(super) fn test(&self) -> anyhow::Result<Task> {
        self.task(&self.pod("Pod/oms-test-order")?)
    }

    /// The command line, told where the services are.
    pub(super) fn oms(&self, arguments: &[&str]) -> Command {
        let mut command = Command::new(self.binaries.join("oms"));
        command.args(arguments).stdin(Stdio::null()).kill_on_drop(true);
        let flags = ["--order-addr", "--inventory-addr", "--payment-addr"];
        for (flag, port) in flags.into_iter().zip(self.balanced) {
            command.arg(format!("{flag}=127.0.0.1:{port}"));
        }
        command
    }

    /// Where somebody's output goes.
    pub(super) fn log(&self, of: &str) -> PathBuf {
        self.folder.join(format!("{of}.log"))
    }

    fn pod(&self, owner: &str) -> anyhow::Result<Pod<'a>> {
        self.objects.pods().find(|pod| pod.owner == owner).with_context(|| format!("no {owner}"))
    }

    fn task(&self, pod: &Pod<'_>) -> anyhow::Result<Task> {
        let container = pod.containers().next().context("no container")?;
        let (program, arguments) = self.words(container)?;
        let mut command = Command::new(program);
        command.args(arguments).envs(self.environment(container));
        command.env("OMS_LOG__LEVEL", "warn").stdin(Stdio::null()).kill_on_drop(true);
        Ok(Task { owner: pod.owner.clone(), command })
    }

    /// The program and its arguments.
    fn words(&self, container: &Value) -> anyhow::Result<(PathBuf, Vec<String>)> {
        let name = container["command"][0].as_str().context("no command")?;
        let program = self.binaries.join(name);
        ensure!(program.exists(), "{} is missing: run `make build`", program.display());
        let environment = self.environment(container);
        let arguments = container["args"].as_array().into_iter().flatten();
        let arguments = arguments.filter_map(Value::as_str);
        let arguments = arguments.map(|word| expanded(&self.here(word), &environment)).collect();
        Ok((program, arguments))
    }

    fn environment(&self, container: &Value) -> Vec<(String, String)> {
        let all = chart::variables(container, self.objects).into_iter();
        all.map(|(name, value)| (name, self.here(&value))).collect()
    }

    /// A text of the chart, as it is called here.
    fn here(&self, text: &str) -> String {
        let all = self.mapped.iter();
        all.fold(text.to_owned(), |text, (there, here)| text.replace(there, here))
    }
}

/// An argument as Kubernetes gives it: `$(NAME)` is the value of that variable.
fn expanded(argument: &str, environment: &[(String, String)]) -> String {
    let all = environment.iter();
    all.fold(argument.to_owned(), |text, (name, value)| text.replace(&format!("$({name})"), value))
}

impl Task {
    /// Runs it to its end, which must be a good one; whose it was.
    pub(super) async fn run(mut self, within: Duration) -> anyhow::Result<String> {
        let owner = &self.owner;
        let ended = timeout(within, self.command.output()).await;
        let ended = ended.with_context(|| format!("{owner} did not end within {within:?}"))??;
        let said = String::from_utf8_lossy(&ended.stderr);
        ensure!(ended.status.success(), "{owner}: {}\n{said}", ended.status);
        Ok(self.owner)
    }
}

/// An administrator's URL in its parts.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Administrator {
    pub(super) user: String,
    pub(super) password: String,
    /// `host:port`.
    pub(super) address: String,
}

impl Administrator {
    /// Takes a URL apart.
    pub(super) fn of(url: &str) -> anyhow::Result<Self> {
        let rest = url.split_once("://").context("the administrator's URL is none")?.1;
        let (who, rest) = rest.rsplit_once('@').context("the administrator has no name")?;
        let (user, password) = who.split_once(':').unwrap_or((who, ""));
        let address = rest.split('/').next().unwrap_or_default();
        let [user, password, address] = [user, password, address].map(str::to_owned);
        Ok(Self { user, password, address })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_argument_takes_the_value_of_a_variable() {
        let environment = vec![("A".to_owned(), "secret".to_owned())];
        assert_eq!(expanded("--b=$(A)", &environment), "--b=secret");
        assert_eq!(expanded("--b=$(C)", &environment), "--b=$(C)");
    }

    #[test]
    fn an_administrator_has_a_name_an_address_and_perhaps_a_password() {
        let of = |url: &str| {
            let Administrator { user, password, address } = Administrator::of(url).unwrap();
            format!("{user} {password} {address}")
        };
        assert_eq!(of("postgres://a:b@127.0.0.1:5433/postgres"), "a b 127.0.0.1:5433");
        assert_eq!(of("postgres://a@h:1/d"), "a  h:1");
        Administrator::of("postgres://h/d").unwrap_err();
    }
}
