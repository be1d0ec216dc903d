//! The commands of the client side: each talks to a running system as any gRPC client would.

mod completions;
mod dlq;
mod events;
mod explain;
mod group;
mod order;
mod paging;
mod payment;
mod stock;
mod topics;

pub(crate) use completions::CompletionsArguments;
pub(crate) use group::ClientCommand;
pub(crate) use order::{Follow, Step};
