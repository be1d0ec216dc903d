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
use tower::Service;

/// The gRPC services of one port, with the descriptors that reflection serves.
#[derive(Clone, Debug)]
pub struct GrpcApi {
    routes: RoutesBuilder,
    names: Vec<&'static str>,
    descriptors: Vec<&'static [u8]>,
}

impl GrpcApi {
    /// An API whose services are described in `descriptors`, an encoded `FileDescriptorSet` that
    /// may describe more.
    #[must_use]
    pub fn new(descriptors: &'static [u8]) -> Self {
        let descriptors = vec![
            descriptors,
            tonic_health::pb::FILE_DESCRIPTOR_SET,
            tonic_types::pb::FILE_DESCRIPTOR_SET,
        ];
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

    pub(super) fn names(&self) -> &[&'static str] {
        &self.names
    }

    pub(super) fn descriptors(&self) -> &[&'static [u8]] {
        &self.descriptors
    }

    pub(super) fn into_routes(self) -> Routes {
        self.routes.routes()
    }

    /// Every method that is described, by its path: what a caller may put into a metric's label.
    pub(super) fn methods(&self) -> Result<Methods, prost::DecodeError> {
        let mut methods = HashMap::new();
        let reflection = [
            tonic_reflection::pb::v1::FILE_DESCRIPTOR_SET,
            tonic_reflection::pb::v1alpha::FILE_DESCRIPTOR_SET,
        ];
        for encoded in self.descriptors.iter().copied().chain(reflection) {
            for file in FileDescriptorSet::decode(encoded)?.file {
                let package = file.package().to_owned();
                for service in &file.service {
                    let name = format!("{package}.{}", service.name());
                    for method in &service.method {
                        let path = format!("/{name}/{}", method.name());
                        methods.insert(path, (name.clone(), method.name().to_owned()));
                    }
                }
            }
        }
        Ok(methods)
    }
}

/// Path of a method to its service and name.
pub(super) type Methods = HashMap<String, (String, String)>;
