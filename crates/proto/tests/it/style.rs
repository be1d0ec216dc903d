//! What the reader of a `.proto` file may rely on.

use prost_types::{FieldDescriptorProto, field_descriptor_proto::Type};

use crate::descriptors::{child, comments, field_of, files, messages};

/// Says what breaks a rule, all at once.
fn nothing_breaks(broken: &[String], rule: &str) {
    assert!(broken.is_empty(), "{rule}: {broken:#?}");
}

#[test]
fn json_is_snake_case_everywhere() {
    let mut broken = Vec::new();
    for file in files().iter().filter(|file| file.package().starts_with("oms.")) {
        for found in messages(file) {
            for field in found.message.field.iter().filter(|f| f.json_name() != f.name()) {
                broken.push(format!("{}.{}", found.name, field.name()));
            }
        }
    }
    nothing_breaks(&broken, "set json_name to the field's own name");
}

#[test]
fn the_api_that_dotnet_clients_know_is_in_camel_case() {
    let text = crate::render::contract();
    let orders = text.split("file orders/orders.proto\n").nth(1).unwrap();
    assert!(orders.starts_with("csharp_namespace Orders.Api.Grpc\n"));
    let with_underscore =
        orders.lines().filter(|line| line.contains("json=") && line.contains('_'));
    let broken: Vec<String> = with_underscore
        .filter(|line| line.split("json=").nth(1).is_none_or(|json| json.contains('_')))
        .map(str::to_owned)
        .collect();
    nothing_breaks(&broken, "leave json_name at its default");
}

#[test]
fn services_methods_and_enums_say_what_they_are_for() {
    let mut silent = Vec::new();
    for file in files() {
        let told = comments(&file);
        for (i, service) in file.service.iter().enumerate() {
            let path = child(&[], field_of::FILE_SERVICE, i);
            for (m, method) in service.method.iter().enumerate() {
                if !told.contains_key(&child(&path, field_of::SERVICE_METHOD, m)) {
                    silent.push(format!("{}.{}", service.name(), method.name()));
                }
            }
            if !told.contains_key(&path) {
                silent.push(service.name().to_owned());
            }
        }
        for (i, list) in file.enum_type.iter().enumerate() {
            if !told.contains_key(&child(&[], field_of::FILE_ENUM, i)) {
                silent.push(list.name().to_owned());
            }
        }
    }
    nothing_breaks(&silent, "needs a comment");
}

#[test]
fn messages_say_what_they_are_unless_a_method_does() {
    let mut silent = Vec::new();
    for file in files() {
        let told = comments(&file);
        for found in messages(&file) {
            // A request or a response is told at its method.
            let at_method = found.name.ends_with("Request") || found.name.ends_with("Response");
            if !at_method && !told.contains_key(&found.path) {
                silent.push(found.name);
            }
        }
    }
    nothing_breaks(&silent, "needs a comment");
}

#[test]
fn numbers_say_their_unit_or_bounds() {
    let mut silent = Vec::new();
    for file in files() {
        let told = comments(&file);
        for found in messages(&file) {
            for (i, field) in found.message.field.iter().enumerate() {
                let path = child(&found.path, field_of::MESSAGE_FIELD, i);
                if is_number(field) && !told.contains_key(&path) {
                    silent.push(format!("{}.{}", found.name, field.name()));
                }
            }
        }
    }
    nothing_breaks(&silent, "needs a comment with its unit or its bounds");
}

fn is_number(field: &FieldDescriptorProto) -> bool {
    matches!(field.r#type(), Type::Int32 | Type::Int64 | Type::Double | Type::Float)
}

#[test]
fn enums_begin_with_unspecified_and_prefix_their_values() {
    let mut broken = Vec::new();
    for file in files() {
        for list in &file.enum_type {
            let mut prefix = String::new();
            for c in list.name().chars() {
                if c.is_uppercase() && !prefix.is_empty() {
                    prefix.push('_');
                }
                prefix.extend(c.to_uppercase());
            }
            let zero = list.value.iter().find(|value| value.number() == 0);
            let named = zero.is_some_and(|value| value.name() == format!("{prefix}_UNSPECIFIED"));
            let prefixed = list.value.iter().all(|value| value.name().starts_with(&prefix));
            if !named || !prefixed {
                broken.push(list.name().to_owned());
            }
        }
    }
    nothing_breaks(&broken, "0 is <PREFIX>_UNSPECIFIED and every value has the prefix");
}
