//! Tables at the widths people have.

use crate::fake::Fake;

#[test]
fn a_list_fits_narrow_and_wide_terminals_and_is_whole_in_a_pipe() {
    Fake::with(async |fake| {
        let customer = "a-customer-whose-name-is-longer-than-most-names-are";
        let create = ["order", "create", "--customer", customer, "--item", "a@100", "--reference"];
        fake.oms(&[&create[..], &["a-reference-that-is-not-short-either"]].concat()).await.exits(0);
        for width in [60, 80, 200] {
            let columns = width.to_string();
            let listed = fake.oms(&["order", "list", "--width", &columns]).await.exits(0).out;
            for line in listed.lines() {
                assert!(line.chars().count() <= width, "{width}: {line}");
            }
            assert!(listed.contains("0199aaaa-0000-7000-8000-000000000001"), "{listed}");
            assert_eq!(listed.contains("CREATED"), width == 200, "{listed}");
        }
        let piped = fake.oms(&["order", "list"]).await.exits(0).out;
        assert!(piped.contains(customer) && !piped.contains('…'), "{piped}");
        assert!(!piped.contains('\u{1b}'), "no colours in a pipe");
    });
}

#[test]
fn an_order_is_shown_at_every_width() {
    Fake::with(async |fake| {
        let create = ["order", "create", "--customer", "c", "--item", "SKU-001:2@100", "--quiet"];
        let order = fake.oms(&create).await.exits(0).out;
        for width in ["60", "80", "200"] {
            let shown = ["order", "show", order.trim(), "--width", width];
            let shown = fake.oms(&shown).await.exits(0).out;
            assert!(shown.contains("200.00 USD"), "{shown}");
        }
    });
}
