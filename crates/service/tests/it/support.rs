//! A small service on a host, and a client for it.

use std::{net::SocketAddr, sync::Arc, time::Duration};

use oms_proto::oms_v1::{
    GetPaymentRequest, GetPaymentResponse, ListPaymentsRequest, ListPaymentsResponse, Payment,
    payment_service_client::PaymentServiceClient,
    payment_service_server::{PaymentService, PaymentServiceServer},
};
use oms_seams::Seams;
use oms_service::{
    GrpcApi, GrpcSettings, Host, MESSAGE_IN_MAX, MESSAGE_OUT_MAX, Process, Tasks, Tls,
};
use tokio::sync::Notify;
use tonic::{Request, Response, Status, transport::Channel};

/// Longer than anything here takes; a test that waits this long has failed.
pub(crate) const PATIENCE: Duration = Duration::from_secs(20);
/// The setting under which the test service binds.
pub(crate) const SETTING: &str = "test.grpc.listen";

/// Waits until `condition` holds.
pub(crate) async fn eventually<F: AsyncFnMut() -> bool>(what: &str, mut condition: F) {
    let held = async {
        while !condition().await {
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
    };
    tokio::time::timeout(PATIENCE, held).await.unwrap_or_else(|_| panic!("never: {what}"));
}

/// Waits for `future`, but not for ever.
pub(crate) async fn soon<F: Future>(what: &str, future: F) -> F::Output {
    tokio::time::timeout(PATIENCE, future).await.unwrap_or_else(|_| panic!("never: {what}"))
}

/// Signals between a test and a call it makes.
#[derive(Clone, Debug, Default)]
pub(crate) struct Signals {
    /// The call has begun.
    pub(crate) started: Arc<Notify>,
    /// Lets the call go on.
    pub(crate) release: Arc<Notify>,
    /// The call has done its work.
    pub(crate) finished: Arc<Notify>,
}

struct Payments {
    signals: Signals,
    tasks: Tasks,
}

#[tonic::async_trait]
impl PaymentService for Payments {
    /// What it does, the order id says.
    async fn get_payment(
        &self,
        request: Request<GetPaymentRequest>,
    ) -> Result<Response<GetPaymentResponse>, Status> {
        let order_id = request.into_inner().order_id;
        let Signals { started, release, finished } = self.signals.clone();
        let work = async move {
            started.notify_one();
            release.notified().await;
            finished.notify_one();
        };
        let mut payment = Payment { order_id: order_id.clone(), ..Default::default() };
        match order_id.as_str() {
            "panic" => panic!("as asked"),
            "wait" => work.await,
            "detached" => self.tasks.detach_from_caller(work).await,
            "detached panic" => {
                self.tasks.detach_from_caller(async { panic!("as asked, detached") }).await
            }
            "trace" => payment.currency = oms_telemetry::current_trace_id().unwrap_or_default(),
            "too large" => payment.currency = "x".repeat(MESSAGE_OUT_MAX),
            "missing" => return Err(Status::not_found("order not found")),
            _ => {}
        }
        Ok(Response::new(GetPaymentResponse { payment: Some(payment) }))
    }

    async fn list_payments(
        &self,
        _request: Request<ListPaymentsRequest>,
    ) -> Result<Response<ListPaymentsResponse>, Status> {
        Ok(Response::new(ListPaymentsResponse::default()))
    }
}

/// The test service, served but not yet said to be ready.
pub(crate) struct Served {
    pub(crate) host: Host,
    pub(crate) address: SocketAddr,
    pub(crate) signals: Signals,
}

impl Served {
    pub(crate) async fn start() -> Self {
        Self::start_with(GrpcSettings::at("localhost:0")).await
    }

    pub(crate) async fn start_with(settings: GrpcSettings) -> Self {
        Self::start_or_tls(settings, None).await
    }

    /// On a port that answers TLS too.
    pub(crate) async fn secured(tls: Tls) -> Self {
        let served = Self::start_or_tls(GrpcSettings::at("localhost:0"), Some(tls)).await;
        served.host.ready(PATIENCE).await.unwrap();
        served
    }

    async fn start_or_tls(settings: GrpcSettings, tls: Option<Tls>) -> Self {
        let host = host();
        let signals = Signals::default();
        let payments = Payments { signals: signals.clone(), tasks: host.tasks().clone() };
        let payments = PaymentServiceServer::new(payments)
            .max_decoding_message_size(MESSAGE_IN_MAX)
            .max_encoding_message_size(MESSAGE_OUT_MAX);
        let api = GrpcApi::new(oms_proto::FILE_DESCRIPTOR_SET).service(payments);
        let address = host.serve_grpc_or_tls(SETTING, &settings, tls, api).await.unwrap();
        Self { host, address, signals }
    }

    pub(crate) async fn ready() -> Self {
        let served = Self::start().await;
        served.host.ready(PATIENCE).await.unwrap();
        served
    }

    pub(crate) async fn channel(&self) -> Channel {
        channel(self.address).await
    }

    pub(crate) async fn client(&self) -> PaymentServiceClient<Channel> {
        PaymentServiceClient::new(self.channel().await)
    }
}

pub(crate) fn host() -> Host {
    Host::new("test", Seams::system(), Process::new())
}

pub(crate) async fn channel(address: SocketAddr) -> Channel {
    Channel::from_shared(format!("http://{address}")).unwrap().connect().await.unwrap()
}

pub(crate) fn order(id: &str) -> GetPaymentRequest {
    GetPaymentRequest { order_id: id.to_owned() }
}
