//! Messages as JSON, the way grpcurl prints them: protojson with the names of the `.proto` files.

use prost::Message;
use prost_reflect::{DescriptorPool, DynamicMessage};
use serde_json::Value;

use super::{Exit, Failure};

/// A message that knows its name in the descriptor set.
pub(crate) trait Named: Message {
    /// For example `oms.v1.Order`.
    const NAME: &'static str;
}

/// Names messages as the package does.
macro_rules! named {
    ($($message:ident),+ $(,)?) => {
        $(impl Named for oms_proto::oms_v1::$message {
            const NAME: &'static str = concat!("oms.v1.", stringify!($message));
        })+
    };
}

named!(
    AdjustStockResponse,
    CancelOrderResponse,
    CompleteOrderResponse,
    CreateOrderResponse,
    GetOrderResponse,
    GetPaymentResponse,
    GetStockResponse,
    ListOrdersResponse,
    ListPaymentsResponse,
    ListStockResponse,
    PayOrderResponse,
    ReceiveStockResponse,
    RefundOrderResponse,
    ShipOrderResponse,
    WatchOrderResponse,
);

/// Turns messages into JSON by the descriptors that reflection serves too.
#[derive(Debug)]
pub(crate) struct Printer(DescriptorPool);

impl Printer {
    pub(crate) fn new() -> Result<Self, Failure> {
        DescriptorPool::decode(oms_proto::FILE_DESCRIPTOR_SET).map(Self).map_err(fault)
    }

    /// The message as protojson: 64-bit integers as strings, enums by name, defaults left out.
    pub(crate) fn value<M: Named>(&self, message: &M) -> Result<Value, Failure> {
        let named = self.0.get_message_by_name(M::NAME);
        let mut dynamic = DynamicMessage::new(named.ok_or_else(|| fault(M::NAME))?);
        dynamic.transcode_from(message).map_err(fault)?;
        serde_json::to_value(dynamic).map_err(fault)
    }
}

fn fault(why: impl std::fmt::Display) -> Failure {
    Failure::new(Exit::Fault, format!("the answer cannot be printed: {why}"))
}

/// The same for what operators call.
macro_rules! named_admin {
    ($($message:ident),+ $(,)?) => {
        $(impl Named for oms_proto::oms_admin_v1::$message {
            const NAME: &'static str = concat!("oms.admin.v1.", stringify!($message));
        })+
    };
}

named_admin!(
    DiscardDeadLettersResponse,
    ExplainOrderResponse,
    GetDeadLetterResponse,
    ListDeadLettersResponse,
    RedriveDeadLettersResponse,
);

#[cfg(test)]
mod tests {
    use oms_proto::oms_v1::{GetOrderResponse, GetPaymentResponse, Order, OrderStatus, Payment};
    use serde_json::json;

    use super::*;

    #[test]
    fn names_integers_enums_and_instants_are_those_of_protojson() {
        let at = prost_types::Timestamp { seconds: 1_700_000_000, nanos: 120_000_000 };
        let order = Order {
            id: "o".into(),
            status: OrderStatus::Confirmed.into(),
            amount_minor: 25_000,
            version: 4,
            created_at: Some(at),
            ..Order::default()
        };
        let answer = GetOrderResponse { order: Some(order), timeline: Vec::new() };
        let expected = json!({ "order": {
            "id": "o",
            "status": "ORDER_STATUS_CONFIRMED",
            "amount_minor": "25000",
            "version": 4,
            "created_at": "2023-11-14T22:13:20.120Z",
        }});
        assert_eq!(Printer::new().unwrap().value(&answer).unwrap(), expected);
    }

    #[test]
    fn an_enum_value_from_the_future_is_its_number() {
        let payment = Payment { status: 77, ..Payment::default() };
        let answer = GetPaymentResponse { payment: Some(payment) };
        let printed = Printer::new().unwrap().value(&answer).unwrap();
        assert_eq!(printed, json!({ "payment": { "status": 77 } }));
    }
}
