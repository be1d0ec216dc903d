//! The contract as text: one line for everything a client depends on.

use std::fmt::Write;

use prost_types::{
    EnumDescriptorProto, FieldDescriptorProto, FileDescriptorProto, field_descriptor_proto::Label,
};

use crate::descriptors::{files, messages};

/// The whole contract.
pub(crate) fn contract() -> String {
    let mut text = String::new();
    for file in files() {
        render_file(&mut text, &file);
    }
    text
}

fn render_file(text: &mut String, file: &FileDescriptorProto) {
    let package = file.package();
    let _ = writeln!(text, "file {}", file.name());
    if let Some(namespace) = file.options.as_ref().and_then(|o| o.csharp_namespace.as_ref()) {
        let _ = writeln!(text, "csharp_namespace {namespace}");
    }
    for service in &file.service {
        let _ = writeln!(text, "service {package}.{}", service.name());
        for method in &service.method {
            let stream = |streams: bool| if streams { "stream " } else { "" };
            let _ = writeln!(
                text,
                "  rpc {}({}{}) returns ({}{})",
                method.name(),
                stream(method.client_streaming()),
                full(method.input_type()),
                stream(method.server_streaming()),
                full(method.output_type()),
            );
        }
    }
    for list in &file.enum_type {
        render_enum(text, package, list);
    }
    for found in messages(file) {
        let _ = writeln!(text, "message {}", found.name);
        for field in &found.message.field {
            let _ = writeln!(text, "  {}", render_field(field));
        }
        for list in &found.message.enum_type {
            render_enum(text, &found.name, list);
        }
    }
    text.push('\n');
}

fn render_enum(text: &mut String, outer: &str, list: &EnumDescriptorProto) {
    let _ = writeln!(text, "enum {outer}.{}", list.name());
    for value in &list.value {
        let _ = writeln!(text, "  {} {}", value.number(), value.name());
    }
}

/// `2 amount_minor int64 singular json=amount_minor`.
fn render_field(field: &FieldDescriptorProto) -> String {
    let kind = match field.type_name() {
        "" => field.r#type().as_str_name().trim_start_matches("TYPE_").to_lowercase(),
        name => full(name).to_owned(),
    };
    let label = match field.label() {
        Label::Repeated => "repeated",
        _ if field.proto3_optional() => "optional",
        _ => "singular",
    };
    let (number, name, json) = (field.number(), field.name(), field.json_name());
    format!("{number} {name} {kind} {label} json={json}")
}

fn full(name: &str) -> &str {
    name.trim_start_matches('.')
}
