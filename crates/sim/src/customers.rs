//! Customers: what they order, what they call, and what they were told.

use futures::future::BoxFuture;
use oms_order::{
    commands::{
        CancelOrder, CommandError, CompleteOrder, Context, CreateOrder, GivenBack, Keyed, Patience,
        PayOrder, RefundOrder, Reply, ShipOrder, StatusNow, WantedLine, cancel_order,
        complete_order, create_order, pay_order, refund_order, ship_order,
    },
    domain::{Currency, Money, Order, Status},
};
use oms_service::idempotency::{Answer, IdempotencyKey};
use tokio::time::Instant;
use tokio_util::sync::CancellationToken;

use crate::dice::Dice;

/// What a customer calls for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Verb {
    /// CreateOrder.
    Create,
    /// PayOrder with this method.
    Pay(&'static str),
    /// CancelOrder.
    Cancel,
    /// RefundOrder of so much, or of all that is left.
    Refund(Option<i64>),
    /// ShipOrder.
    Ship,
    /// CompleteOrder.
    Complete,
}

/// One call, which may be made again as it is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Call {
    /// What it asks for.
    pub verb: Verb,
    /// Its idempotency key.
    pub key: Option<String>,
}

/// What a call that was not refused was told.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Told {
    /// The order, where the answer names it.
    pub order: Option<String>,
    /// The status, where the answer is the call's own.
    pub status: Option<Status>,
    /// What a key must answer ever after.
    pub remembered: Option<Answer>,
}

/// A call under way.
pub(crate) type Calling = BoxFuture<'static, Result<Told, CommandError>>;

/// A customer with one order.
#[derive(Debug)]
pub(crate) struct Customer {
    /// Number, from 1.
    pub number: usize,
    wish: CreateOrder,
    created_with: Option<String>,
    paid: bool,
    /// Whether the goods are what counts for this customer, or the way out.
    wants_goods: bool,
    calls: u64,
    last: Option<Call>,
    /// The order's id, once an answer told it.
    pub order: Option<String>,
    /// Whether an answer said that it is cancelled.
    pub told_canceled: bool,
    /// Whether an answer said that its goods have left.
    pub told_shipped: bool,
}

/// Methods, by how often they are used.
const METHODS: [(&str, u64); 5] = [
    ("pm_card_visa", 60),
    ("pm_card_declined", 12),
    ("pm_card_insufficient_funds", 6),
    ("pm_card_timeout", 12),
    ("pm_refund_fails", 16),
];

impl Customer {
    /// A customer who will order some of these SKUs.
    ///
    /// # Errors
    /// Never: the currency is known.
    pub(crate) fn new(number: usize, skus: usize, dice: &mut Dice) -> anyhow::Result<Self> {
        let currency = Currency::parse("USD")?;
        let line = |dice: &mut Dice| WantedLine {
            sku: sku(dice.index(skus)),
            qty: i32::try_from(dice.between(1, 3)).unwrap_or(1),
            price: Money::new(i64::try_from(dice.between(1, 900)).unwrap_or(1) * 100, currency),
            name: String::new(),
        };
        let lines = (0..dice.between(1, 3)).map(|_| line(dice)).collect();
        let created_with = dice.chance(70).then(|| format!("create-{number}"));
        let reference = created_with.clone().unwrap_or_default();
        let customer_id = format!("customer-{number}");
        let wish = CreateOrder { customer_id, currency, lines, reference, repeats: true };
        Ok(Self {
            number,
            wish,
            created_with,
            paid: false,
            wants_goods: dice.chance(50),
            calls: 0,
            last: None,
            order: None,
            told_canceled: false,
            told_shipped: false,
        })
    }

    /// The first call of all.
    pub(crate) fn creates(&mut self) -> Call {
        self.calling(Call { verb: Verb::Create, key: self.created_with.clone() })
    }

    /// The call that pays, mostly with what will do.
    pub(crate) fn pays(&mut self, dice: &mut Dice) -> Call {
        let methods = [("pm_card_visa", 70), ("pm_refund_fails", 15), ("pm_card_timeout", 15)];
        let verb = Verb::Pay(dice.weighted(&methods, "pm_card_visa"));
        let key = self.fresh_key(dice);
        self.calling(Call { verb, key })
    }

    fn fresh_key(&mut self, dice: &mut Dice) -> Option<String> {
        self.calls += 1;
        dice.chance(60).then(|| format!("key-{}-{}", self.number, self.calls))
    }

    fn calling(&mut self, call: Call) -> Call {
        self.paid |= matches!(call.verb, Verb::Pay(_));
        self.last = Some(call.clone());
        call
    }

    /// What the customer calls for next, having seen the order's status or not.
    pub(crate) fn next_call(&mut self, seen: Option<Status>, dice: &mut Dice) -> Call {
        let key = self.fresh_key(dice);
        let call = match (&self.last, &self.order) {
            (Some(last), _) if dice.chance(25) => last.clone(),
            (_, None) => Call { verb: Verb::Create, key: self.created_with.clone() },
            (_, Some(_)) => Call { verb: self.verb(seen, dice), key },
        };
        self.calling(call)
    }

    /// Who has not paid mostly pays. Who has wants the goods, or something back: each half of the
    /// customers does one thing often, so that both are met with everything that may go wrong.
    fn verb(&self, seen: Option<Status>, dice: &mut Dice) -> Verb {
        let amount = dice.pick(&[None, None, Some(100), Some(5_000), Some(20_000)], None);
        let method = dice.weighted(&METHODS, "pm_card_visa");
        let refunding = matches!(self.last, Some(Call { verb: Verb::Refund(_), .. }));
        if refunding && !self.wants_goods && dice.chance(40) {
            // While the refund is still on its way.
            return Verb::Cancel;
        }
        let roll = dice.below(100);
        match (seen, self.wants_goods, roll) {
            // Few orders come that far before the faults end: who sees it makes use of it.
            (Some(Status::Confirmed), true, 0..60) => return Verb::Ship,
            (Some(Status::Shipped), true, 0..15) => return Verb::Cancel,
            (Some(Status::Shipped), true, 15..40) => return Verb::Complete,
            (Some(Status::Shipped), _, 40..60) => return Verb::Refund(amount),
            _ => {}
        }
        match (self.paid, self.wants_goods, roll) {
            (false, _, 0..80) | (true, _, 0..10) => Verb::Pay(method),
            (false, _, 80..95) | (true, false, 10..40) | (true, true, 10..20) => Verb::Cancel,
            (false, true, 95..97) | (true, true, 20..60) => Verb::Ship,
            (true, true, 60..70) => Verb::Complete,
            _ => Verb::Refund(amount),
        }
    }

    /// The call as the service runs it.
    #[must_use]
    pub(crate) fn make(&self, call: &Call, context: Context) -> Calling {
        let (order, key) = (self.order.clone().unwrap_or_default(), call.key.clone());
        let key = move |method: &'static str, what: String| {
            key.map(|key| IdempotencyKey {
                scope: "global".to_owned(),
                key,
                method,
                request_hash: what,
            })
        };
        let (wish, version) = (self.wish.clone(), None);
        // Callers without patience: what has begun goes on without them.
        let (until, gone) = (Instant::now(), CancellationToken::new());
        let none = Patience::new(until, gone, context.draining.clone());
        match call.verb.clone() {
            Verb::Create => Box::pin(async move {
                let keyed =
                    key("create", String::new()).map(|key| Keyed { key, encode: of_created });
                create_order(&context, wish, keyed, none).await.map(told_of_created)
            }),
            Verb::Pay(method) => Box::pin(async move {
                let keyed =
                    key("pay", method.to_owned()).map(|key| Keyed { key, encode: of_status });
                let wish = PayOrder { method: method.to_owned(), expected_version: version };
                pay_order(&context, order, wish, keyed, none).await.map(told_of_status)
            }),
            Verb::Cancel => Box::pin(async move {
                let keyed =
                    key("cancel", String::new()).map(|key| Keyed { key, encode: of_status });
                let wish = CancelOrder { reason: String::new(), expected_version: version };
                cancel_order(&context, order, wish, keyed, none).await.map(told_of_status)
            }),
            Verb::Refund(amount) => Box::pin(async move {
                let what = format!("{amount:?}");
                let keyed = key("refund", what).map(|key| Keyed { key, encode: of_refund });
                let amount = amount.map(|minor| Money::new(minor, wish.currency));
                let wish = RefundOrder { amount, reason: String::new(), expected_version: version };
                let reply = refund_order(&context, order, wish, keyed, none).await?;
                Ok(told(reply, |_| (None, None)))
            }),
            Verb::Ship => Box::pin(async move {
                let keyed = key("ship", String::new()).map(|key| Keyed { key, encode: of_status });
                let wish = ShipOrder { expected_version: version };
                // Behind a refund of everything it gives up at once.
                ship_order(&context, order, wish, keyed, none).await.map(told_of_status)
            }),
            Verb::Complete => Box::pin(async move {
                let keyed =
                    key("complete", String::new()).map(|key| Keyed { key, encode: of_status });
                let wish = CompleteOrder { expected_version: version };
                complete_order(&context, order, wish, keyed, none).await.map(told_of_status)
            }),
        }
    }
}

/// The name of a SKU.
#[must_use]
pub(crate) fn sku(index: usize) -> String {
    format!("SKU-{}", index + 1)
}

fn of_created(created: &Order) -> Vec<u8> {
    created.id().to_string().into_bytes()
}

fn of_status(now: &StatusNow) -> Vec<u8> {
    format!("{} {:?}", now.order_id, now.status).into_bytes()
}

fn of_refund(given: &GivenBack) -> Vec<u8> {
    format!("{given:?}").into_bytes()
}

fn told_of_created(reply: Reply<Order>) -> Told {
    let mut told = told(reply, |created| (Some(created.id().to_string()), None));
    if let Some(Answer::Ok(order)) = &told.remembered {
        told.order = String::from_utf8(order.clone()).ok();
    }
    told
}

fn told_of_status(reply: Reply<StatusNow>) -> Told {
    told(reply, |now| (Some(now.order_id.clone()), Some(now.status)))
}

fn told<T>(reply: Reply<T>, what: impl FnOnce(&T) -> (Option<String>, Option<Status>)) -> Told {
    match reply {
        Reply::Fresh(fresh) => {
            let (order, status) = what(&fresh);
            Told { order, status, remembered: None }
        }
        Reply::Remembered { answer, .. } => {
            Told { order: None, status: None, remembered: Some(answer) }
        }
    }
}
