//! `SKU:QTY@PRICE`: a line of an order in one word.

use oms_proto::oms_v1::{Money, create_order_request::Item};

use crate::cli::amount;

/// A line as it was typed; the price waits for the currency.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Line {
    sku: String,
    qty: i32,
    price: String,
}

/// Reads a line. The price stands after the last `@`, the quantity after the last `:` before it: a
/// SKU that holds a `:` needs its quantity, so that a mistyped one makes no other SKU.
pub(super) fn line(text: &str) -> Result<Line, String> {
    let form = "expected SKU:QTY@PRICE, for example SKU-001:2@100.00";
    let (what, price) = text.rsplit_once('@').ok_or(form)?;
    let (sku, qty) = match what.rsplit_once(':') {
        Some((sku, qty)) => (sku, qty),
        None => (what, "1"),
    };
    if sku.is_empty() || price.is_empty() || sku.trim() != sku {
        return Err(form.to_owned());
    }
    let qty = match (qty.parse::<i64>(), qty.parse()) {
        (Ok(_), Ok(qty)) => qty,
        (Ok(_), Err(_)) => return Err(format!("{qty} is too many of {sku}")),
        (Err(_), _) => return Err(format!("{qty:?} is no quantity; {form}")),
    };
    Ok(Line { sku: sku.to_owned(), qty, price: price.to_owned() })
}

/// The lines as the API takes them, or all that is wrong with them.
pub(super) fn items(lines: &[Line], currency: &str) -> Result<Vec<Item>, Vec<String>> {
    let (mut items, mut wrong) = (Vec::new(), Vec::new());
    for line in lines {
        match amount(&line.price, currency) {
            Ok(amount_minor) => items.push(Item {
                sku: line.sku.clone(),
                qty: line.qty,
                price: Some(Money { currency: currency.to_owned(), amount_minor }),
                name: String::new(),
            }),
            Err(why) => wrong.push(format!("--item {}: {why}", line.sku)),
        }
    }
    if wrong.is_empty() { Ok(items) } else { Err(wrong) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_line_is_sku_quantity_and_price() {
        let parts = |text: &str| line(text).map(|line| (line.sku, line.qty, line.price));
        let of = |sku: &str, qty, price: &str| Ok((sku.to_owned(), qty, price.to_owned()));
        assert_eq!(parts("SKU-001:2@100.00"), of("SKU-001", 2, "100.00"));
        assert_eq!(parts("SKU-001@7"), of("SKU-001", 1, "7"), "one, where no quantity is given");
        assert_eq!(parts("a:b:3@1"), of("a:b", 3, "1"));
        assert_eq!(parts("a@b:c:1@1"), of("a@b:c", 1, "1"));
        assert_eq!(parts("x:-1@1"), of("x", -1, "1"), "the service says what is wrong with it");
        for wrong in ["SKU-001", "SKU-001:2", "@1", "SKU@", "SKU:99999999999@1", ":2@1"] {
            assert!(line(wrong).is_err(), "{wrong}");
        }
        for wrong in ["SKU-001:two@1", "SKU-001:1.5@1", "SKU-001:@1", " SKU-001@1"] {
            assert!(line(wrong).is_err(), "{wrong}");
        }
    }

    #[test]
    fn every_wrong_price_is_told_at_once() {
        let lines = ["a@1.005", "b@1", "c@x"].map(|text| line(text).unwrap());
        let wrong = items(&lines, "USD").unwrap_err();
        assert_eq!(wrong.len(), 2, "{wrong:?}");
        assert!(wrong[0].contains("--item a: 1.005 has too many decimals"), "{wrong:?}");
    }
}
