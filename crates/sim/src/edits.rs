//! What customers change about their orders.

use oms_order::{
    commands::{
        Change, CommandError, Context, EditOrder, Edited, Expected, Keyed, Patience, PlacedLine,
        Reply, WantedLine, edit_order,
    },
    domain::{Currency, Line, Money},
    store::load_orders,
};
use uuid::Uuid;

use crate::{customers::sku, dice::Dice};

/// A change of what is ordered, by the places of lines: what ids they have a customer looks up.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Edit {
    /// One more line of this SKU, at this price.
    Add(String, i32, i64),
    /// One line less.
    Remove(usize),
    /// Another quantity of one line.
    SetQuantity(usize, i32),
    /// The first line alone, at this price.
    Only(usize, i64),
    /// Other lines altogether.
    Replace(Vec<(String, i32, i64)>),
}

impl Edit {
    /// Draws a change.
    pub(crate) fn draw(skus: usize, dice: &mut Dice) -> Self {
        let place = dice.index(3);
        let line = |dice: &mut Dice| {
            let qty = i32::try_from(dice.between(1, 3)).unwrap_or(1);
            let price = i64::try_from(dice.between(1, 900)).unwrap_or(1) * 100;
            (sku(dice.index(skus)), qty, price)
        };
        let (sku, qty, price) = line(dice);
        match dice.below(100) {
            0..25 => Self::Add(sku, qty, price),
            25..40 => Self::Remove(place),
            40..65 => Self::SetQuantity(place, qty),
            65..80 => Self::Only(place, price),
            _ => Self::Replace((0..dice.between(1, 3)).map(|_| line(dice)).collect()),
        }
    }

    /// The command's change of an order with these lines.
    fn of(&self, lines: &[Line], currency: Currency) -> Change {
        let id = |place: usize| lines.get(place).map_or(Uuid::nil(), |line| line.id);
        let wanted = |(sku, qty, price): (String, i32, i64)| WantedLine {
            sku,
            qty,
            price: Money::new(price, currency),
            name: String::new(),
        };
        let replace = |lines| Change::Replace { customer_id: None, currency: None, lines };
        match self.clone() {
            Self::Add(sku, qty, price) => Change::Add(wanted((sku, qty, price))),
            Self::Remove(place) => Change::Remove { line: id(place) },
            Self::SetQuantity(place, qty) => Change::SetQuantity { line: id(place), qty },
            Self::Only(place, price) => {
                let known = lines.get(place).map(|line| (line.sku.clone(), line.qty, price));
                let line = wanted(known.unwrap_or_else(|| (sku(0), 1, price)));
                replace(vec![PlacedLine { id: Some(id(place)), line }])
            }
            Self::Replace(lines) => replace(
                lines.into_iter().map(|line| PlacedLine { id: None, line: wanted(line) }).collect(),
            ),
        }
    }
}

/// Makes the change, as it is possible now.
pub(crate) async fn make(
    context: Context,
    order: String,
    edit: Edit,
    method: Option<&'static str>,
    keyed: Option<Keyed<Edited>>,
    patience: Patience,
) -> Result<Reply<Edited>, CommandError> {
    let known = load_orders(&context.read, std::slice::from_ref(&order)).await?;
    let change = match known.get(&order) {
        Some(order) => edit.of(order.lines(), order.currency()),
        None => return Err(CommandError::NotFound),
    };
    let method = method.map(str::to_owned);
    let wish = EditOrder { change, method, expected: Expected::default() };
    edit_order(&context, order, wish, keyed, patience).await
}
