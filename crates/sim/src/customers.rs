//! Customers: what they order, and what they call for.

use oms_order::{
    commands::{CreateOrder, WantedLine},
    domain::{Currency, Money, Stage, Status},
};

use crate::{
    dice::Dice,
    edits::{Edit, Wavering},
};

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
    /// A change of what is ordered, paid by this method.
    Edit(Edit, Option<&'static str>),
    /// The same, and then another stage.
    Update(Edit, Stage, Option<&'static str>),
    /// Another stage alone.
    Move(Stage),
}

/// One call, which may be made again as it is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Call {
    /// What it asks for.
    pub verb: Verb,
    /// Its idempotency key.
    pub key: Option<String>,
}

/// A customer with one order.
#[derive(Debug)]
pub(crate) struct Customer {
    /// Number, from 1.
    pub number: usize,
    /// What is ordered.
    pub wish: CreateOrder,
    created_with: Option<String>,
    paid: bool,
    /// Whether the goods are what counts for this customer, or the way out.
    wants_goods: bool,
    /// How this customer changes what is ordered, if at all.
    wavers: Option<Wavering>,
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
            wavers: None,
            calls: 0,
            last: None,
            order: None,
            told_canceled: false,
            told_shipped: false,
        })
    }

    /// Lets the customer change what is ordered, again and again.
    pub(crate) fn waver(&mut self, skus: usize, dice: &mut Dice) {
        self.wavers = Some(Wavering::draw(skus, dice));
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
        let pays = |to: &Stage| *to == Stage::Processing;
        self.paid |= match &call.verb {
            Verb::Pay(_) => true,
            Verb::Move(to) | Verb::Update(_, to, _) => pays(to),
            _ => false,
        };
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
        if let Some(verb) = self.wavers.and_then(|wavers| wavers.verb(seen, self.paid, dice)) {
            return verb;
        }
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
}

/// The name of a SKU.
#[must_use]
pub(crate) fn sku(index: usize) -> String {
    format!("SKU-{}", index + 1)
}
