//! What operators call: the admin API of the services in a process, beside metrics and health.
//!
//! messaging knows no process, and the process knows no messaging; they meet here. A service hands
//! over what operators may work on ([`serve`]); the first one of a process puts the API on its
//! admin port. A further admin API is a further file here, over the same desks.
#![forbid(unsafe_code)]

mod convert;
mod dead_letters;
mod desks;
mod explain;
mod request;

use std::sync::Arc;

use oms_messaging::DeadLetters;
use oms_proto::{
    FILE_DESCRIPTOR_SET,
    oms_admin_v1::{
        dead_letter_service_server::DeadLetterServiceServer,
        explain_service_server::ExplainServiceServer,
    },
};
use oms_service::{GrpcApi, Host, MESSAGE_IN_MAX, MESSAGE_OUT_MAX};
use sea_orm::DatabaseConnection;

use desks::Desks;
use explain::{Book, Books, ExplainApi};

pub use explain::{Owed, Standing, Teller};

/// Lets operators work on the dead letters of the service on `host`, until its workers stop.
pub fn serve(host: &Host, letters: DeadLetters) {
    let desks = host.process().admin_api::<Desks>(|desks| {
        let service = DeadLetterServiceServer::new(dead_letters::DeadLetterApi::new(desks))
            .max_decoding_message_size(MESSAGE_IN_MAX)
            .max_encoding_message_size(MESSAGE_OUT_MAX);
        GrpcApi::new(FILE_DESCRIPTOR_SET).service(service)
    });
    let open = desks.open(host, letters);
    let stop = host.workers();
    host.tasks().spawn("admin desk", async move {
        stop.cancelled().await;
        drop(open);
        Ok::<_, std::convert::Infallible>(())
    });
}

/// Lets operators ask where an order stands in the service on `host`, until its workers stop: what
/// `teller` says, what messaging knows, read through `read`, and what lies parked in `letters`.
pub fn explain(
    host: &Host,
    letters: DeadLetters,
    read: DatabaseConnection,
    teller: impl Teller + 'static,
) {
    let books = host.process().admin_api::<Books>(|books| {
        let service = ExplainServiceServer::new(ExplainApi(books))
            .max_decoding_message_size(MESSAGE_IN_MAX)
            .max_encoding_message_size(MESSAGE_OUT_MAX);
        GrpcApi::new(FILE_DESCRIPTOR_SET).service(service)
    });
    let (process, teller) = (host.process().clone(), Arc::new(teller));
    let book = Arc::new(Book { read, letters, teller, process });
    let (service, stop) = (host.name(), host.workers());
    books.open(service, book.clone());
    host.tasks().spawn("admin book", async move {
        stop.cancelled().await;
        books.close(service, &book);
        Ok::<_, std::convert::Infallible>(())
    });
}
