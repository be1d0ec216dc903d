//! `cargo xtask ship`: what ships, checked without a container engine and without a cluster.
//!
//! The chart is linted, rendered with default, production and odd values, validated against the
//! API of a stated version of Kubernetes, and held to rules of our own. The compose file is read
//! by the reference implementation; what it mounts must be there, and the services must take its
//! settings. What a tool is missing for is skipped, and said so.

mod api;
mod chart;
mod cluster;
mod compose;
mod copies;
mod environment;
mod image;
mod native;
mod objects;
mod policy;
mod reach;
mod readme;
mod report;
mod tools;

pub use cluster::cluster;
pub use copies::write;
pub use native::{image, native};
pub use report::Report;

/// Checks what needs no tool.
///
/// # Errors
/// When a file cannot be read.
pub fn check_files() -> anyhow::Result<Report> {
    let mut report = Report::default();
    report.add("copies in the chart", copies::check()?);
    report.add("image", image::check()?);
    report.add("compose", compose::check()?);
    Ok(report)
}

/// Checks everything.
///
/// # Errors
/// When a file cannot be read or a tool does not do what it is for.
pub async fn check() -> anyhow::Result<Report> {
    let mut report = check_files()?;
    compose::check_schema(&mut report).await;
    chart::check(&mut report).await?;
    Ok(report)
}
