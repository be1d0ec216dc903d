//! The order itself, pure: no I/O, no clock, no randomness. Ids and instants are passed in.
//!
//! [`Order`] is the aggregate. Commands are its verbs ([`Order::pay`], [`Order::cancel`],
//! [`Order::edit`], [`Order::request_refund`], [`Order::ship`], [`Order::complete`]); what other
//! services say is noted ([`Order::note_captured`] and its siblings). Which fact does what in which
//! state is one exhaustive match in [`table`].

mod amend;
mod cause;
mod create;
mod edit;
mod fact;
mod fits;
mod fulfil;
mod hearing;
mod intervention;
mod line;
mod money;
mod notes;
mod order;
mod refund;
mod refusal;
mod run;
mod stage;
mod state;
mod states;
mod status;
mod steps;
pub mod table;
mod timeline;
mod verbs;

pub use amend::{Amendment, AmendmentEnd, Terms};
pub use cause::Cause;
pub use create::{InvalidOrder, NewOrder};
pub use edit::{Edit, Editing, Placed};
pub use fact::{By, Compensation, Fact, Milestone, RunOutcome};
pub use fulfil::Fulfilling;
pub use hearing::{HeardError, Noted};
pub use intervention::Intervention;
pub use line::{LINES_MAX, Line, total};
pub use money::{Currency, Money, MoneyError};
pub use notes::Totals;
pub use order::Order;
pub use refund::{Refund, RefundName, RefundState, amendment_name};
pub use refusal::Refusal;
pub use run::{Run, RunKind};
pub use stage::Stage;
pub use state::{Ledger, OrderState, StatusReason};
pub use states::states_markdown;
pub use status::Status;
pub use steps::{Step, StepEnd};
pub use timeline::Entry;
pub use verbs::{Canceling, Paying};
