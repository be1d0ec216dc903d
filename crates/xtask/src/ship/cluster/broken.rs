//! A chart with one word changed, which an API server that enforces "restricted" must not take.

use std::fs;

use anyhow::{bail, ensure};
use tokio::process::Command;

use super::{release, server::Server};
use crate::ship::{
    chart::{self, Scratch},
    objects::Objects,
    tools,
};

const HELPERS: &str = "templates/_helpers.tpl";
const GOOD: &str = "allowPrivilegeEscalation: false";
const BAD: &str = "allowPrivilegeEscalation: true";

/// Whether its pods are refused, and its workloads warned of.
pub(super) async fn is_refused(server: &Server<'_>, scratch: &Scratch) -> anyhow::Result<()> {
    let copy = scratch.write("ignored", "")?.with_file_name("broken");
    let mut command = Command::new("cp");
    command.arg("-R").arg(chart::root(chart::CHART)).arg(&copy);
    tools::run(command).await?;
    let helpers = copy.join(HELPERS);
    let text = fs::read_to_string(&helpers)?;
    ensure!(text.contains(GOOD), "{HELPERS} does not say {GOOD:?}");
    fs::write(&helpers, text.replace(GOOD, BAD))?;

    let namespace = server.make_namespace("broken").await?;
    let rendered = chart::render_at(&server.helm, &copy, &[], &[]).await?;
    let objects = Objects::parse(&rendered)?;
    let install = ["install", "oms", &copy.display().to_string()].map(str::to_owned);
    let pods = release::admit_pods(server, &namespace, &objects).await;
    let installed = server.helm(&namespace, &install).await;
    let uninstalled = server.helm(&namespace, &["uninstall", "oms"].map(str::to_owned)).await;
    server.delete_namespace(&namespace).await?;
    expect("its pods", pods.map(drop), "violates PodSecurity")?;
    expect("its installation", installed, "would violate PodSecurity")?;
    uninstalled
}

fn expect(what: &str, outcome: anyhow::Result<()>, said: &str) -> anyhow::Result<()> {
    let Err(error) = outcome else { bail!("{what}: not refused") };
    let text = format!("{error:#}");
    ensure!(text.contains(said), "{what}: refused for another reason: {text}");
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_word_that_is_changed_is_in_the_chart_and_a_refusal_is_told_by_its_reason() {
        let helpers = chart::root(chart::CHART).join(HELPERS);
        let text = fs::read_to_string(&helpers).unwrap();
        assert!(text.contains(GOOD));
        expect("a", Ok(()), "why").unwrap_err();
        expect("a", Err(anyhow::anyhow!("other")), "why").unwrap_err();
        expect("a", Err(anyhow::anyhow!("that is why")), "why").unwrap();
    }
}
