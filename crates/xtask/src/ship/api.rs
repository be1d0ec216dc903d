//! The API of Kubernetes as schemas, and objects held against them by kubeconform.

use std::{
    fs,
    path::{Path, PathBuf},
};

use anyhow::Context;
use serde_json::{Map, Value, json};
use tokio::process::Command;

use super::{
    objects::{Objects, title},
    tools,
};

/// Where Kubernetes keeps its API.
const SWAGGER: &str = "api/openapi-spec/swagger.json";
/// The API of one version.
pub(super) struct Api {
    definitions: Map<String, Value>,
    kubeconform: PathBuf,
    schemas: PathBuf,
}

impl Api {
    /// The API and what holds objects against it; else what would bring them.
    pub(super) async fn open() -> anyhow::Result<Result<Self, String>> {
        let brought = async {
            let kubeconform = tools::KUBECONFORM.program().await?;
            let swagger = tools::module_file(tools::KUBERNETES, SWAGGER).await?;
            Ok((kubeconform, swagger, tools::operators_kinds().await?, tools::folder()?))
        };
        let (kubeconform, swagger, kinds, tools) = match brought.await {
            Ok(brought) => brought,
            Err(why) => return Ok(Err(why)),
        };
        let schemas = tools.with_file_name(tools::KUBERNETES.replace(['/', '@'], "-"));
        fs::create_dir_all(&schemas)?;
        let text = fs::read(&swagger).with_context(|| swagger.display().to_string())?;
        let mut definitions = definitions(serde_json::from_slice(&text)?)?;
        for kind in kinds {
            let text = fs::read_to_string(&kind).with_context(|| kind.display().to_string())?;
            definitions.extend(custom(&serde_saphyr::from_str(&text)?)?);
        }
        Ok(Ok(Self { definitions, kubeconform, schemas }))
    }

    /// Where rendered objects do not fit their types; `rendered` is the file they are in.
    pub(super) async fn violations(
        &self,
        objects: &Objects,
        rendered: &Path,
    ) -> anyhow::Result<Vec<String>> {
        let mut found = Vec::new();
        for object in &objects.0 {
            if let Some(schema) = schema_of(&self.definitions, object) {
                fs::write(self.schemas.join(file_of(object)), schema.to_string())?;
            } else {
                found.push(format!("{}: no such kind", title(object)));
            }
        }
        let place = self.schemas.join("{{ .ResourceKind }}{{ .KindSuffix }}.json");
        let mut command = Command::new(&self.kubeconform);
        command.arg("-schema-location").arg(place).arg(rendered);
        found.extend(tools::run(command).await.err().map(|error| error.to_string()));
        Ok(found)
    }
}

/// Every type, strictly: an object has the fields that its type has, and no others.
fn definitions(mut swagger: Value) -> anyhow::Result<Map<String, Value>> {
    let definitions = swagger["definitions"].as_object_mut().context("no definitions")?;
    definitions.values_mut().for_each(strict);
    Ok(std::mem::take(definitions))
}

/// The types that the definition of a custom kind brings, one for each version, as strict.
fn custom(definition: &Value) -> anyhow::Result<Map<String, Value>> {
    let spec = &definition["spec"];
    let versions = spec["versions"].as_array().context("a kind without versions")?;
    let types = versions.iter().map(|version| {
        let mut schema = version["schema"]["openAPIV3Schema"].clone();
        strict(&mut schema);
        let (group, kind, name) = (&spec["group"], &spec["names"]["kind"], &version["name"]);
        schema["x-kubernetes-group-version-kind"] =
            json!([{ "group": group, "kind": kind, "version": name }]);
        (format!("{group}.{name}.{kind}").replace('"', ""), schema)
    });
    Ok(types.collect())
}

/// The schema of an object, with all that it refers to.
fn schema_of(definitions: &Map<String, Value>, object: &Value) -> Option<Value> {
    let version = object["apiVersion"].as_str()?;
    let (group, version) = version.rsplit_once('/').unwrap_or(("", version));
    let wanted = json!({ "group": group, "kind": object["kind"], "version": version });
    let is_it = |definition: &Value| {
        let kinds = definition["x-kubernetes-group-version-kind"].as_array();
        kinds.is_some_and(|kinds| kinds.len() == 1 && kinds[0] == wanted)
    };
    let (name, _) = definitions.iter().find(|(_, definition)| is_it(definition))?;
    let (mut all, mut wanted) = (Map::new(), vec![name.clone()]);
    while let Some(name) = wanted.pop() {
        let Some(definition) = definitions.get(&name) else { continue };
        if all.insert(name, definition.clone()).is_none() {
            references(definition, &mut wanted);
        }
    }
    Some(json!({ "$ref": format!("#/definitions/{name}"), "definitions": all }))
}

/// Where kubeconform looks for the schema of an object.
fn file_of(object: &Value) -> String {
    let text = |value: &Value| value.as_str().unwrap_or_default().to_lowercase();
    let version = text(&object["apiVersion"]);
    let suffix = match version.split_once('/') {
        Some((group, version)) => {
            format!("{}-{version}", group.split('.').next().unwrap_or_default())
        }
        None => version,
    };
    format!("{}-{suffix}.json", text(&object["kind"]))
}

fn references(value: &Value, found: &mut Vec<String>) {
    match value {
        Value::Object(entries) => {
            let name = entries.get("$ref").and_then(Value::as_str);
            let name = name.and_then(|name| name.strip_prefix("#/definitions/"));
            found.extend(name.map(str::to_owned));
            entries.values().for_each(|value| references(value, found));
        }
        Value::Array(items) => items.iter().for_each(|item| references(item, found)),
        _ => {}
    }
}

/// No other fields than those that are listed; what may be a number or a text may be either.
fn strict(schema: &mut Value) {
    match schema {
        Value::Object(entries) => {
            let either = entries.get("format").is_some_and(|format| format == "int-or-string")
                || entries.get("description").and_then(Value::as_str).is_some_and(is_quantity);
            if either {
                entries.insert("type".to_owned(), json!(["string", "number"]));
                entries.remove("format");
            }
            let has_fields = entries.get("properties").is_some_and(Value::is_object);
            if has_fields && !entries.contains_key("additionalProperties") {
                entries.insert("additionalProperties".to_owned(), json!(false));
            }
            entries.values_mut().for_each(strict);
        }
        Value::Array(items) => items.iter_mut().for_each(strict),
        _ => {}
    }
}

fn is_quantity(description: &str) -> bool {
    description.starts_with("Quantity is a fixed-point representation of a number")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_type_has_its_fields_and_no_others_and_comes_with_what_it_refers_to() {
        let swagger = json!({ "definitions": {
            "apps.Deployment": {
                "properties": {
                    "metadata": { "$ref": "#/definitions/Meta" },
                    "port": { "type": "string", "format": "int-or-string" },
                },
                "x-kubernetes-group-version-kind":
                    [{ "group": "apps", "kind": "Deployment", "version": "v1" }],
            },
            "Meta": { "properties": { "name": { "type": "string" } } },
            "Other": {},
        } });
        let all = definitions(swagger).unwrap();
        let object = json!({ "apiVersion": "apps/v1", "kind": "Deployment" });
        let schema = schema_of(&all, &object).unwrap();
        assert_eq!(schema["$ref"], "#/definitions/apps.Deployment");
        let types = schema["definitions"].as_object().unwrap();
        assert_eq!(types.keys().collect::<Vec<_>>(), ["Meta", "apps.Deployment"]);
        assert_eq!(types["Meta"]["additionalProperties"], false);
        let port = &types["apps.Deployment"]["properties"]["port"];
        assert_eq!(port, &json!({ "type": ["string", "number"] }));
        let older = json!({ "apiVersion": "apps/v1beta1", "kind": "Deployment" });
        assert_eq!(schema_of(&all, &older), None);
    }

    #[test]
    fn a_custom_kind_is_a_type_like_the_others() {
        let schema = json!({ "properties": { "spec": { "properties": { "a": {} } } } });
        let kind = json!({ "spec": {
            "group": "example.org", "names": { "kind": "Kind" },
            "versions": [{ "name": "v1", "schema": { "openAPIV3Schema": schema } }],
        } });
        let all = custom(&kind).unwrap();
        let object = json!({ "apiVersion": "example.org/v1", "kind": "Kind" });
        let schema = schema_of(&all, &object).unwrap();
        let kind = &schema["definitions"]["example.org.v1.Kind"];
        assert_eq!(kind["properties"]["spec"]["additionalProperties"], false);
        custom(&json!({})).unwrap_err();
    }

    #[test]
    fn a_schema_is_where_kubeconform_looks_for_it() {
        let file = |version: &str| file_of(&json!({ "apiVersion": version, "kind": "Kind" }));
        assert_eq!(file("v1"), "kind-v1.json");
        assert_eq!(file("networking.k8s.io/v1"), "kind-networking-v1.json");
    }
}
