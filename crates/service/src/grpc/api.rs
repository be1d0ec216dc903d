//! What a service puts on its gRPC port.

use std::{collections::HashMap, convert::Infallible};

use axum::response::IntoResponse;
use http::Request;
use prost::Message;
use prost_types::FileDescriptorSet;
use tonic::{
    body::Body,
    server::NamedService,
    service::{Routes, RoutesBuilder},
};
use tonic_reflection::pb;
use tower::Service;

/// The gRPC services of one port, with the descriptors that reflection serves.
#[derive(Clone, Debug)]
pub struct GrpcApi {
    routes: RoutesBuilder,
    names: Vec<&'static str>,
    descriptors: &'static [u8],
}

impl GrpcApi {
    /// An API whose services are described in `descriptors`, an encoded `FileDescriptorSet` that
    /// may describe more.
    #[must_use]
    pub fn new(descriptors: &'static [u8]) -> Self {
        Self { routes: Routes::builder(), names: Vec::new(), descriptors }
    }

    /// Adds a service. Set its message limits first:
    /// `.max_decoding_message_size(MESSAGE_IN_MAX).max_encoding_message_size(MESSAGE_OUT_MAX)`.
    #[must_use]
    pub fn service<S>(mut self, service: S) -> Self
    where
        S: Service<Request<Body>, Error = Infallible>
            + NamedService
            + Clone
            + Send
            + Sync
            + 'static,
        S::Response: IntoResponse,
        S::Future: Send + 'static,
    {
        self.names.push(S::NAME);
        self.routes.add_service(service);
        self
    }

    pub(crate) fn names(&self) -> &[&'static str] {
        &self.names
    }

    pub(crate) fn into_routes(self) -> Routes {
        self.routes.routes()
    }

    /// Everything that reflection describes on this port.
    pub(crate) fn descriptors(&self) -> Result<Vec<FileDescriptorSet>, prost::DecodeError> {
        let mut error_details = FileDescriptorSet::decode(tonic_types::pb::FILE_DESCRIPTOR_SET)?;
        // The crate compiles these two outside of their folder; tools know them by their full name.
        for file in &mut error_details.file {
            if matches!(file.name(), "status.proto" | "error_details.proto") {
                file.name = Some(format!("google/rpc/{}", file.name()));
            }
        }
        Ok(vec![
            FileDescriptorSet::decode(self.descriptors)?,
            FileDescriptorSet::decode(tonic_health::pb::FILE_DESCRIPTOR_SET)?,
            FileDescriptorSet::decode(pb::v1::FILE_DESCRIPTOR_SET)?,
            FileDescriptorSet::decode(pb::v1alpha::FILE_DESCRIPTOR_SET)?,
            error_details,
        ])
    }
}

/// A method that is described.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Method {
    pub(super) service: String,
    pub(super) name: String,
    /// Whether it answers with a stream, which may go on for hours.
    pub(super) streams: bool,
}

/// Methods by their path.
pub(crate) type Methods = HashMap<String, Method>;

/// Every method that is described, by its path: what may become a metric's label.
pub(crate) fn methods(described: &[FileDescriptorSet]) -> Methods {
    let mut methods = HashMap::new();
    for file in described.iter().flat_map(|set| &set.file) {
        for service in &file.service {
            let name = format!("{}.{}", file.package(), service.name());
            for method in &service.method {
                let path = format!("/{name}/{}", method.name());
                let (service, streams) = (name.clone(), method.server_streaming());
                let name = method.name().to_owned();
                methods.insert(path, Method { service, name, streams });
            }
        }
    }
    methods
}
