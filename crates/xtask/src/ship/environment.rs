//! Whether the services take the settings they are given: their own check says.

use oms_inventory::config::InventoryConfig;
use oms_order::config::OrderConfig;
use oms_payment::config::PaymentConfig;
use oms_service::config::{SECTIONS, Sources, Validate, load_from};
use serde::{Serialize, de::DeserializeOwned};

/// What stands for a value that only a Secret knows, by the variable it goes into.
pub(super) fn stand_in(variable: &str) -> String {
    let database = variable.to_lowercase();
    if database.ends_with("url") {
        format!("postgres://role:password@host/{database}")
    } else {
        "secret".to_owned()
    }
}

/// What a service's binary says of an environment; nothing of one that is no service's.
pub(super) fn violations(binary: &str, environment: Vec<(String, String)>) -> Vec<String> {
    match binary {
        "oms-order" => of::<OrderConfig>(environment),
        "oms-inventory" => of::<InventoryConfig>(environment),
        "oms-payment" => of::<PaymentConfig>(environment),
        _ => Vec::new(),
    }
}

fn of<T>(environment: Vec<(String, String)>) -> Vec<String>
where
    T: Default + Serialize + DeserializeOwned + Validate,
{
    let sources = Sources { environment, ..Sources::default() };
    match load_from::<T>(sources, &SECTIONS) {
        Ok(_) => Vec::new(),
        Err(error) => error.violations().to_vec(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn said(binary: &str, name: &str, value: &str) -> usize {
        violations(binary, vec![(name.to_owned(), value.to_owned())]).len()
    }

    #[test]
    fn a_service_says_which_setting_it_does_not_take() {
        assert_eq!(said("oms-order", "OMS_ORDER__GRPC__LISTEN", "0.0.0.0:50051"), 0);
        assert_eq!(said("oms-order", "OMS_ORDER__GRPC__LISTEM", "0.0.0.0:50051"), 1);
        assert_eq!(said("oms-order", "OMS_ORDER__GRPC__LISTEN", "nowhere"), 1);
        assert_eq!(said("oms-payment", "OMS_KAFKA__PROPERTIES__SASL__PASSWORD", "a"), 0);
    }
}
