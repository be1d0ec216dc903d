//! Kafka's jars, brought by Maven once and kept under `target`.

use std::{
    fs,
    path::{Path, PathBuf},
    process::Command,
    time::Duration,
};

use anyhow::Context;

use crate::{committed, installed, program};

const POM: &str = "crates/servers/kafka/pom.xml";
const JAVA_FIX: &str = "apt-get install openjdk-17-jre-headless";
const MAVEN_FIX: &str = "apt-get install maven";
const WITHIN: Duration = Duration::from_secs(300);

/// What runs Java.
pub(crate) fn java() -> anyhow::Result<PathBuf> {
    installed::needed("java", JAVA_FIX)
}

/// The folder of the jars that the pom names; a changed pom brings them anew.
pub(crate) fn folder(cache: &Path) -> anyhow::Result<PathBuf> {
    let (jars, made_of) = (cache.join("jars"), cache.join("pom.xml"));
    let pom = fs::read(committed(POM))?;
    if fs::read(&made_of).is_ok_and(|made_of| made_of == pom) && jars.is_dir() {
        return Ok(jars);
    }
    java()?;
    let maven = installed::needed("mvn", MAVEN_FIX)?;
    fs::create_dir_all(cache)?;
    let _not_there = fs::remove_dir_all(&jars);
    let mut command = Command::new(maven);
    command
        .args(["--batch-mode", "--quiet", "--file"])
        .arg(committed(POM))
        .args(["dependency:copy-dependencies", "-DincludeScope=runtime"])
        .arg(format!("-DoutputDirectory={}", jars.display()));
    program::run(&mut command, &cache.join("maven.log"), WITHIN)
        .context("Maven does not bring the jars of Apache Kafka")?;
    fs::write(made_of, pom)?;
    Ok(jars)
}
