//! What a request says beside its message.

use oms_service::Refusal;
use tonic::metadata::MetadataMap;

use crate::commands::PAYMENT_METHODS;

/// The request metadata that names a payment method.
const PAYMENT_METHOD: &str = "payment-method";

/// How the caller wants to pay; `None` when it does not say.
pub(super) fn payment_method(metadata: &MetadataMap) -> Result<Option<String>, Refusal> {
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
