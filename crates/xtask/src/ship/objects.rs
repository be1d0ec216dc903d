//! Objects of Kubernetes, as the chart renders them.

use anyhow::Context;
use serde_json::Value;

/// What a chart rendered.
#[derive(Debug)]
pub(super) struct Objects(pub(super) Vec<Value>);

/// A pod that will run: the object that makes it, its labels and its specification.
pub(super) struct Pod<'a> {
    pub(super) owner: String,
    pub(super) kind: &'a str,
    pub(super) labels: &'a Value,
    pub(super) spec: &'a Value,
}

impl Objects {
    /// The documents of a YAML stream.
    pub(super) fn parse(yaml: &str) -> anyhow::Result<Self> {
        let documents: Vec<Value> =
            serde_saphyr::from_multiple(yaml).context("what was rendered is no YAML")?;
        Ok(Self(documents.into_iter().filter(|document| !document.is_null()).collect()))
    }

    /// Those of a kind.
    pub(super) fn of_kind<'a>(&'a self, kind: &'a str) -> impl Iterator<Item = &'a Value> {
        self.0.iter().filter(move |object| object["kind"] == kind)
    }

    /// The one of a kind and a name.
    pub(super) fn named<'a>(&'a self, kind: &'a str, name: &str) -> Option<&'a Value> {
        self.of_kind(kind).find(|object| object["metadata"]["name"] == name)
    }

    /// Every pod.
    pub(super) fn pods(&self) -> impl Iterator<Item = Pod<'_>> {
        self.0.iter().filter_map(|object| {
            let kind = object["kind"].as_str()?;
            let template = match kind {
                "Deployment" | "StatefulSet" | "Job" => &object["spec"]["template"],
                "Pod" => object,
                _ => return None,
            };
            let labels = &template["metadata"]["labels"];
            Some(Pod { owner: title(object), kind, labels, spec: &template["spec"] })
        })
    }
}

impl<'a> Pod<'a> {
    /// Its containers.
    pub(super) fn containers(&self) -> impl Iterator<Item = &'a Value> + use<'a> {
        let all = [&self.spec["initContainers"], &self.spec["containers"]];
        all.into_iter().flat_map(|list| list.as_array().into_iter().flatten())
    }

    /// Whether a selector's labels are all on it.
    pub(super) fn is_selected_by(&self, selector: &Value) -> bool {
        let Some(wanted) = selector.as_object() else { return false };
        wanted.iter().all(|(name, value)| self.labels[name] == *value)
    }
}

/// An object as people name it: `Deployment/oms-order`.
pub(super) fn title(object: &Value) -> String {
    let text = |value: &Value| value.as_str().unwrap_or("?").to_owned();
    format!("{}/{}", text(&object["kind"]), text(&object["metadata"]["name"]))
}
