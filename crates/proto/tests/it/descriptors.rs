//! The files of OMS in the descriptor set, with their comments.

use std::collections::BTreeMap;

use oms_proto::FILE_DESCRIPTOR_SET;
use prost::Message;
use prost_types::{DescriptorProto, FileDescriptorProto, FileDescriptorSet};

/// Our own files, by name; imports from `google` left out.
pub(crate) fn files() -> Vec<FileDescriptorProto> {
    let set = FileDescriptorSet::decode(FILE_DESCRIPTOR_SET).unwrap();
    let ours = |file: &FileDescriptorProto| !file.package().starts_with("google.");
    let mut files: Vec<_> = set.file.into_iter().filter(ours).collect();
    files.sort_by(|a, b| a.name().cmp(b.name()));
    files
}

/// Where something stands in a file: the path of `SourceCodeInfo`.
pub(crate) type Path = Vec<i32>;

/// Numbers of the fields of descriptor.proto that paths are made of.
pub(crate) mod field_of {
    pub(crate) const FILE_MESSAGE: i32 = 4;
    pub(crate) const FILE_ENUM: i32 = 5;
    pub(crate) const FILE_SERVICE: i32 = 6;
    pub(crate) const MESSAGE_FIELD: i32 = 2;
    pub(crate) const MESSAGE_NESTED: i32 = 3;
    pub(crate) const SERVICE_METHOD: i32 = 2;
}

/// `parent`, then the `index`-th element of its field `number`.
pub(crate) fn child(parent: &[i32], number: i32, index: usize) -> Path {
    [parent, &[number, i32::try_from(index).unwrap()]].concat()
}

/// The comments in front of things, by path.
pub(crate) fn comments(file: &FileDescriptorProto) -> BTreeMap<Path, String> {
    let locations = file.source_code_info.iter().flat_map(|info| &info.location);
    locations
        .filter(|location| !location.leading_comments().trim().is_empty())
        .map(|location| (location.path.clone(), location.leading_comments().to_owned()))
        .collect()
}

/// A message, nested or not.
pub(crate) struct Found<'a> {
    /// Its full name, `oms.v1.Payment.Capture` for example.
    pub(crate) name: String,
    /// Where it stands.
    pub(crate) path: Path,
    /// The message.
    pub(crate) message: &'a DescriptorProto,
}

/// Every message of a file, outer before inner, in the order of the file.
pub(crate) fn messages(file: &FileDescriptorProto) -> Vec<Found<'_>> {
    let mut found = Vec::new();
    for (i, message) in file.message_type.iter().enumerate() {
        let path = vec![field_of::FILE_MESSAGE, i32::try_from(i).unwrap()];
        collect(&mut found, file.package(), path, message);
    }
    found
}

fn collect<'a>(found: &mut Vec<Found<'a>>, outer: &str, path: Path, message: &'a DescriptorProto) {
    let name = format!("{outer}.{}", message.name());
    found.push(Found { name: name.clone(), path: path.clone(), message });
    for (i, nested) in message.nested_type.iter().enumerate() {
        collect(found, &name, child(&path, field_of::MESSAGE_NESTED, i), nested);
    }
}
