//! gRPC on the admin port: what services mount there, found by the path of a call.
//!
//! The port is served before any service starts, so APIs come while it is open. One API serves all
//! services of the process; what it needs to know of them is shared by its type.

use std::{
    any::{Any, TypeId},
    collections::HashMap,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

use axum::{
    Router,
    extract::{Request, State},
    http::{StatusCode, Version, header::CONTENT_TYPE},
    response::{IntoResponse, Response},
};
use prost_types::FileDescriptorSet;
use tonic::{Status, body::Body, service::Routes};
use tonic_reflection::server::Builder;
use tower::ServiceExt;

use crate::{
    grpc::{GrpcApi, Method, Methods, aside, methods},
    process::Process,
};

const NOT_GRPC: &str = "this is gRPC: call it over HTTP/2 as application/grpc, or with `oms dlq`\n";
const REFLECTION: &str = "grpc.reflection.v1.ServerReflection";

/// The admin APIs of a process.
#[derive(Debug, Default)]
pub(crate) struct AdminApis(Mutex<Mounted>);

#[derive(Debug, Default)]
struct Mounted {
    shared: HashMap<TypeId, Arc<dyn Any + Send + Sync>>,
    routes: HashMap<&'static str, Router>,
    names: Vec<&'static str>,
    described: Vec<FileDescriptorSet>,
    methods: Methods,
}

impl AdminApis {
    /// What all services share of `T`; the first mounts the API over it.
    pub(crate) fn shared<T: Default + Send + Sync + 'static>(
        &self,
        api: impl FnOnce(Arc<T>) -> GrpcApi,
    ) -> Arc<T> {
        let mut mounted = self.mounted();
        let there = mounted.shared.get(&TypeId::of::<T>()).cloned();
        if let Some(Ok(there)) = there.map(Arc::downcast::<T>) {
            return there;
        }
        let fresh = Arc::<T>::default();
        mounted.shared.insert(TypeId::of::<T>(), fresh.clone());
        mounted.mount(api(fresh.clone()));
        fresh
    }

    fn route(&self, path: &str) -> Option<Router> {
        let service = path.strip_prefix('/')?.split('/').next()?;
        self.mounted().routes.get(service).cloned()
    }

    fn method(&self, path: &str) -> Option<Method> {
        self.mounted().methods.get(path).cloned()
    }

    fn mounted(&self) -> MutexGuard<'_, Mounted> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Mounted {
    fn mount(&mut self, api: GrpcApi) {
        self.names.extend(api.names());
        match api.descriptors() {
            Ok(described) => {
                self.methods.extend(methods(&described));
                self.described.extend(described);
            }
            Err(error) => tracing::error!(%error, "an admin API is not described"),
        }
        let names = api.names().to_vec();
        let router = api.into_routes().into_axum_router();
        for name in names {
            self.routes.insert(name, router.clone());
        }
        let mut reflection = Builder::configure();
        for set in &self.described {
            reflection = reflection.register_file_descriptor_set(set.clone());
        }
        for name in self.names.iter().copied().chain([REFLECTION]) {
            reflection = reflection.with_service_name(name);
        }
        match reflection.build_v1() {
            Ok(reflection) => {
                self.routes.insert(REFLECTION, Routes::new(reflection).into_axum_router());
            }
            Err(error) => tracing::error!(%error, "the admin APIs are served without reflection"),
        }
    }
}

/// Whatever no page answers: a call of a mounted API, or nothing.
///
/// Nothing but gRPC reaches an API. A page in a browser may send whatever a form could have sent
/// anywhere, also to this port on its reader's machine, and neither axum nor tonic asks what it is.
/// No browser sends HTTP/2 without TLS, nor this content type elsewhere without asking first.
pub(crate) async fn call(State(process): State<Process>, request: Request) -> Response {
    let mounted = process.admin_apis().route(request.uri().path());
    match mounted {
        Some(_) if !is_grpc(&request) => {
            return (StatusCode::UNSUPPORTED_MEDIA_TYPE, NOT_GRPC).into_response();
        }
        None if !is_grpc(&request) => return StatusCode::NOT_FOUND.into_response(),
        _ => {}
    }
    let method = process.admin_apis().method(request.uri().path());
    let headers = request.headers().clone();
    let answer = async move {
        match mounted {
            Some(router) => match router.oneshot(request).await {
                Ok(response) => response,
                Err(never) => match never {},
            },
            None => nobody(&process).into_http::<Body>().map(axum::body::Body::new),
        }
    };
    aside(method.as_ref(), &headers, answer).await
}

/// What is said of an API that is not mounted: it may come while the process starts.
fn nobody(process: &Process) -> Status {
    if process.health().iter().any(|(_, health)| !health.was_ready()) {
        return crate::Refusal::unavailable("STARTING", "the process is starting").into();
    }
    Status::unimplemented("the admin port has no such service")
}

fn is_grpc(request: &Request) -> bool {
    let kind = request.headers().get(CONTENT_TYPE).and_then(|value| value.to_str().ok());
    let rest = kind.and_then(|kind| kind.strip_prefix("application/grpc"));
    request.version() == Version::HTTP_2
        && rest.is_some_and(|rest| rest.is_empty() || rest.starts_with(['+', ';']))
}
