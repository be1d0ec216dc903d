//! I1 under random stories: batches of any events about few orders and fewer SKUs.

use oms_messaging::{Event, Failure};

use crate::support::{Shop, canceled, confirmed_at, refunded, shipped, submitted_at};

/// A small generator, so that a failing seed can be run again.
struct Dice(u64);

impl Dice {
    fn roll(&mut self, sides: u64) -> u64 {
        self.0 = self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963);
        (self.0 >> 33) % sides
    }

    /// Of a few orders at a time, and of others as the rounds go on: each comes to its end soon.
    fn event(&mut self, round: u64) -> Event {
        let order = format!("order-{}", round / 10 + self.roll(6));
        let revision = 1 + i32::try_from(self.roll(2)).unwrap();
        let mut lines = Vec::new();
        for sku in ["a", "b", "c", "none"] {
            let sides = if sku == "none" { 20 } else { 2 };
            if self.roll(sides) == 0 {
                lines.push((sku, 1 + i64::try_from(self.roll(3)).unwrap()));
            }
        }
        if lines.is_empty() {
            lines.push(("a", 1));
        }
        match self.roll(7) {
            0 | 1 => submitted_at(&order, revision, &lines),
            2 | 3 => confirmed_at(&order, revision, &lines),
            4 => canceled(&order),
            5 => shipped(&order, &[(lines[0].0, 1)]),
            _ => refunded(&order, self.roll(2) == 0),
        }
    }
}

#[tokio::test]
async fn no_story_makes_or_loses_a_unit() {
    for shop in Shop::everywhere().await {
        let shop = shop.with(&[("a", 9), ("b", 6), ("c", 3)]).await;
        let mut dice = Dice(7);
        let mut refused = 0;
        for round in 0..120 {
            let batch: Vec<Event> = (0..=dice.roll(4)).map(|_| dice.event(round)).collect();
            // As the consumer does: a batch that fails is applied one by one.
            if shop.hear(&batch).await.is_err() {
                for event in &batch {
                    match shop.hear_one(event).await {
                        Ok(_) => {}
                        Err(Failure::Poison { .. }) => refused += 1,
                        Err(other) => panic!("{other}"),
                    }
                }
            }
            shop.audit().await;
        }
        assert!(refused > 0, "the dice never rolled a fact that does not fit");
        let mut total = 0;
        for sku in ["a", "b", "c"] {
            total += shop.stock(sku).await.total();
        }
        assert_eq!(total, 18);
        let mut left = 0;
        for sku in ["a", "b", "c"] {
            left += shop.stock(sku).await.shipped;
        }
        assert!(left > 0, "the dice never shipped anything");
    }
}
