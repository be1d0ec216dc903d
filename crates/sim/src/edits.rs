//! What customers who waver change about their orders, and when.

use oms_order::{
    commands::{
        Change, CommandError, Context, EditOrder, Edited, Expected, Keyed, Patience, PlacedLine,
        Reply, UpdateOrder, WantedLine, edit_order, update_order,
    },
    domain::{Currency, Line, Money, Order, Stage, Status},
    store::load_orders,
};
use uuid::Uuid;

use crate::{
    customers::{Verb, sku},
    dice::Dice,
};

/// Declines every difference.
const DECLINED: &str = "pm_card_declined";
/// Declines differences above 1,000.00.
const FUNDS: &str = "pm_card_insufficient_funds";

/// How differences are paid, by how often: mostly as the order was.
const METHODS: [(Option<&str>, u64); 5] = [
    (None, 55),
    (Some("pm_card_visa"), 12),
    (Some(DECLINED), 18),
    (Some(FUNDS), 10),
    (Some("pm_card_timeout"), 5),
];

/// A change of what is ordered, by the places of lines: what ids they have a customer looks up.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Edit {
    /// One more line, of the first of these SKUs that is not on the order.
    Add(Vec<String>, i32, i64),
    /// One line less.
    Remove(usize),
    /// Another quantity of one line.
    SetQuantity(usize, i32),
    /// Another SKU in one line, which costs the same.
    Swap(usize, String),
    /// One line alone, at this price.
    Only(usize, i64),
    /// Other lines altogether.
    Replace(Vec<(String, i32, i64)>),
}

/// Who changes their mind, again and again.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Wavering {
    skus: usize,
    /// Neither cancels nor ships nor wants everything back: more amendments of one order follow on
    /// one another.
    steadfast: bool,
}

impl Wavering {
    /// A customer of a world with so many SKUs.
    pub(crate) fn draw(skus: usize, dice: &mut Dice) -> Self {
        Self { skus, steadfast: dice.chance(60) }
    }

    /// What this customer calls for; none when it is what others would call for.
    pub(crate) fn verb(self, seen: Option<Status>, paid: bool, dice: &mut Dice) -> Option<Verb> {
        match (seen, dice.below(100)) {
            (Some(Status::Confirmed), roll) => Some(self.amends(roll, dice)),
            (Some(Status::Pending), 0..30) => Some(self.edits(dice)),
            (Some(Status::Pending), 30..40) if !paid => Some(self.updates(Stage::Processing, dice)),
            (Some(Status::Pending), 40..48) if !paid => Some(Verb::Move(Stage::Processing)),
            // Too early, where others may cancel.
            (Some(Status::Pending | Status::Reserved), _) if paid && self.steadfast => {
                Some(self.edits(dice))
            }
            // Too late.
            (_, 0..12) => Some(self.edits(dice)),
            _ => None,
        }
    }

    /// Of an order that is CONFIRMED. An amendment may be open, which the status does not tell.
    fn amends(self, roll: u64, dice: &mut Dice) -> Verb {
        match (self.steadfast, roll) {
            (_, 0..62) => self.edits(dice),
            (_, 62..68) => self.updates(Stage::Processing, dice),
            (_, 68..80) => Verb::Refund(Some(dice.pick(&[100, 5_000, 20_000], 100))),
            (true, _) => self.edits(dice),
            (false, 80..86) => Verb::Cancel,
            (false, 86..90) => Verb::Refund(None),
            (false, 90..93) => {
                let to = dice.pick(&[Stage::Shipped, Stage::Cancelled], Stage::Shipped);
                self.updates(to, dice)
            }
            (false, 93..95) => Verb::Move(Stage::Cancelled),
            (false, _) => Verb::Ship,
        }
    }

    fn edits(self, dice: &mut Dice) -> Verb {
        Verb::Edit(Edit::draw(self.skus, dice), dice.weighted(&METHODS, None))
    }

    fn updates(self, to: Stage, dice: &mut Dice) -> Verb {
        Verb::Update(Edit::draw(self.skus, dice), to, dice.weighted(&METHODS, None))
    }
}

impl Edit {
    fn draw(skus: usize, dice: &mut Dice) -> Self {
        let place = dice.index(3);
        let line = |dice: &mut Dice| {
            let qty = i32::try_from(dice.between(1, 8)).unwrap_or(1);
            let price = i64::try_from(dice.between(1, 900)).unwrap_or(1) * 100;
            (sku(dice.index(skus)), qty, price)
        };
        let (other, qty, price) = line(dice);
        match dice.below(100) {
            0..25 => {
                let first = dice.index(skus);
                Self::Add((0..skus).map(|next| sku((first + next) % skus)).collect(), qty, price)
            }
            25..38 => Self::Remove(place),
            38..63 => Self::SetQuantity(place, qty),
            63..75 => Self::Swap(place, other),
            75..85 => Self::Only(place, price),
            _ => Self::Replace((0..dice.between(1, 3)).map(|_| line(dice)).collect()),
        }
    }

    /// The command's change of an order as it is now.
    fn of(&self, order: &Order) -> Change {
        let (lines, currency) = (order.lines(), order.currency());
        let at = |place: usize| lines.get(place % lines.len().max(1));
        let id = |place| at(place).map_or(Uuid::nil(), |line| line.id);
        let fresh =
            |line: &(String, i32, i64)| PlacedLine { id: None, line: wanted(line, currency) };
        match self {
            Self::Add(skus, qty, price) => {
                let is_new = |sku: &&String| lines.iter().all(|line| line.sku != **sku);
                let sku = skus.iter().find(is_new).or(skus.first()).cloned().unwrap_or_default();
                Change::Add(wanted(&(sku, *qty, *price), currency))
            }
            Self::Remove(place) => Change::Remove { line: id(*place) },
            Self::SetQuantity(place, qty) => Change::SetQuantity { line: id(*place), qty: *qty },
            Self::Swap(place, sku) => {
                let swapped = |line: &Line| {
                    let sku = if line.id == id(*place) { sku } else { &line.sku };
                    Line { sku: sku.clone(), ..line.clone() }
                };
                replace(lines.iter().map(|line| placed(swapped(line))).collect())
            }
            Self::Only(place, minor) => {
                let price = Money::new(*minor, currency);
                let only = at(*place).map(|line| placed(Line { price, ..line.clone() }));
                replace(only.into_iter().collect())
            }
            Self::Replace(lines) => replace(lines.iter().map(fresh).collect()),
        }
    }
}

fn wanted((sku, qty, minor): &(String, i32, i64), currency: Currency) -> WantedLine {
    let price = Money::new(*minor, currency);
    WantedLine { sku: sku.clone(), qty: *qty, price, name: String::new() }
}

fn placed(line: Line) -> PlacedLine {
    let Line { id, sku, qty, price, name, .. } = line;
    PlacedLine { id: Some(id), line: WantedLine { sku, qty, price, name } }
}

fn replace(lines: Vec<PlacedLine>) -> Change {
    Change::Replace { customer_id: None, currency: None, lines }
}

/// What a customer wants of an order.
pub(crate) struct Wanted {
    /// The change.
    pub edit: Edit,
    /// How to pay for it.
    pub method: Option<&'static str>,
    /// Where the order is to stand then; none where that does not matter.
    pub to: Option<Stage>,
}

/// Makes the change, as it is possible now.
pub(crate) async fn make(
    context: Context,
    order: String,
    wanted: Wanted,
    keyed: Option<Keyed<Edited>>,
    patience: Patience,
) -> Result<Reply<Edited>, CommandError> {
    let Wanted { edit, method, to } = wanted;
    let known = load_orders(&context.read, std::slice::from_ref(&order)).await?;
    let change = edit.of(known.get(&order).ok_or(CommandError::NotFound)?);
    let method = method.map(str::to_owned);
    let edit = EditOrder { change, method, expected: Expected::default() };
    match to {
        None => edit_order(&context, order, edit, keyed, patience).await,
        Some(to) => update_order(&context, order, UpdateOrder { edit, to }, keyed, patience).await,
    }
}
