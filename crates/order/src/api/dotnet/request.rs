//! What a request says beside its message.

use oms_service::Refusal;
use prost::Message;
use tonic::metadata::MetadataMap;

use super::super::calls;
use crate::commands::{Keyed, PAYMENT_METHODS};

/// The request metadata that names a payment method.
const PAYMENT_METHOD: &str = "payment-method";

/// The key of a request that may charge, and how its caller wants to pay. The key stands for both:
/// to be paid otherwise is to want something else.
pub(super) struct Aside<T> {
    pub(super) keyed: Option<Keyed<T>>,
    pub(super) method: Option<String>,
}

impl<T> Aside<T> {
    /// Reads them, or tells what is wrong with either.
    pub(super) fn read<M: Message>(
        metadata: &MetadataMap,
        method: &'static str,
        message: &M,
        encode: fn(&T) -> Vec<u8>,
    ) -> Result<Self, Refusal> {
        let keyed = calls::keyed(metadata, method, message, encode);
        let (keyed, method) = Refusal::both(keyed, payment_method(metadata))?;
        let bound = |Keyed { key, encode }: Keyed<T>| match &method {
            Some(value) => Keyed { key: key.bound_to(PAYMENT_METHOD, value), encode },
            None => Keyed { key, encode },
        };
        Ok(Self { keyed: keyed.map(bound), method })
    }
}

/// How the caller wants to pay; `None` when it does not say.
fn payment_method(metadata: &MetadataMap) -> Result<Option<String>, Refusal> {
    let mut values = metadata.get_all(PAYMENT_METHOD).iter();
    let Some(value) = values.next() else { return Ok(None) };
    let known = value.to_str().ok().filter(|method| PAYMENT_METHODS.contains(method));
    match known {
        Some(method) if values.next().is_none() => Ok(Some(method.to_owned())),
        _ => Err(Refusal::invalid_field(PAYMENT_METHOD, "payment-method is unknown")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_method_that_there_is_may_be_named() {
        let mut metadata = MetadataMap::new();
        assert_eq!(payment_method(&metadata), Ok(None));
        metadata.insert(PAYMENT_METHOD, "pm_card_slow".parse().unwrap());
        assert_eq!(payment_method(&metadata), Ok(Some("pm_card_slow".to_owned())));
        metadata.append(PAYMENT_METHOD, "pm_card_visa".parse().unwrap());
        assert!(payment_method(&metadata).is_err());
        metadata.insert(PAYMENT_METHOD, "pm_gold".parse().unwrap());
        let refused = payment_method(&metadata).unwrap_err();
        assert_eq!(refused.violations[0].field, "payment-method");
    }
}
