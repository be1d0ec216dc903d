//! gRPC: `oms.v1.PaymentService`.

mod convert;
mod payment_service;
mod refuse;
mod request;

pub use payment_service::PaymentApi;
