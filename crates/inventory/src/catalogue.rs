//! The start-up catalogue: stock from a CSV file, loaded once, into an empty stock table.

use std::{collections::BTreeMap, path::Path};

use oms_messaging::{Failure, Messaging};
use sea_orm::{ActiveValue::Set, EntityTrait, sea_query::OnConflict};
use serde::Deserialize;

use crate::{
    domain::{Movement, MovementKind},
    limits,
    store::{entities::stock as table, stock},
};

/// The catalogue used where no file is configured.
const BUILT_IN: &str = include_str!("../../../deploy/catalog/stock.csv");

/// Why a catalogue cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum CatalogueError {
    /// The file cannot be read.
    #[error("cannot read {path}: {reason}")]
    Unreadable {
        /// The file.
        path: String,
        /// What the system said.
        reason: String,
    },
    /// Lines of the file are wrong; every one of them is listed.
    #[error("{}", .0.join("\n"))]
    Lines(Vec<String>),
    /// It could not be written.
    #[error(transparent)]
    Store(#[from] Failure),
}

/// A line of the catalogue.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Item {
    /// The SKU.
    pub sku: String,
    /// Units to begin with.
    pub qty: i64,
    /// For the ledger.
    pub note: String,
}

/// Reads the catalogue from a file, or the built-in one.
///
/// # Errors
/// When the file cannot be read, or with all its bad lines at once, by number.
pub fn read(path: Option<&Path>) -> Result<Vec<Item>, CatalogueError> {
    let Some(path) = path else { return parse(BUILT_IN) };
    let text = std::fs::read_to_string(path).map_err(|error| CatalogueError::Unreadable {
        path: path.display().to_string(),
        reason: error.to_string(),
    })?;
    parse(&text)
}

/// Parses `sku,qty[,note]` lines under a header; lines that start with `#` are ignored.
///
/// # Errors
/// All bad lines at once, by number.
pub fn parse(text: &str) -> Result<Vec<Item>, CatalogueError> {
    let mut reader = csv::ReaderBuilder::new()
        .comment(Some(b'#'))
        .trim(csv::Trim::All)
        .flexible(true)
        .from_reader(text.trim_start_matches('\u{feff}').as_bytes());
    let header = reader.headers().cloned().unwrap_or_default();
    if !matches!(header.iter().collect::<Vec<_>>()[..], ["sku", "qty"] | ["sku", "qty", "note"]) {
        let wrong = "line 1: the header must be sku,qty or sku,qty,note";
        return Err(CatalogueError::Lines(vec![wrong.to_owned()]));
    }
    let (mut items, mut wrong) = (Vec::new(), Vec::new());
    let mut seen = BTreeMap::<String, u64>::new();
    for record in reader.records() {
        let number = |position: Option<&csv::Position>| position.map_or(0, csv::Position::line);
        let record = match record {
            Ok(record) => record,
            Err(error) => {
                wrong.push(format!("line {}: {error}", number(error.position())));
                continue;
            }
        };
        let line = number(record.position());
        match item(&record, &header) {
            Ok(item) => {
                if let Some(first) = seen.insert(item.sku.clone(), line) {
                    wrong.push(format!("line {line}: {} is already on line {first}", item.sku));
                }
                items.push(item);
            }
            Err(reasons) => {
                wrong.extend(reasons.into_iter().map(|why| format!("line {line}: {why}")));
            }
        }
    }
    if wrong.is_empty() { Ok(items) } else { Err(CatalogueError::Lines(wrong)) }
}

fn item(record: &csv::StringRecord, header: &csv::StringRecord) -> Result<Item, Vec<String>> {
    #[derive(Deserialize)]
    struct Row<'a> {
        sku: &'a str,
        qty: &'a str,
        note: Option<&'a str>,
    }
    if record.len() < 2 || record.len() > header.len() {
        return Err(vec![format!("{} fields instead of {}", record.len(), header.len())]);
    }
    let mut padded = record.clone();
    while padded.len() < header.len() {
        padded.push_field("");
    }
    let row: Row<'_> = padded.deserialize(Some(header)).map_err(|error| vec![error.to_string()])?;
    let mut wrong = Vec::new();
    if let Err(why) = limits::sku(row.sku) {
        wrong.push(why);
    }
    let qty = row.qty.parse::<i64>().ok().filter(|qty| (0..=limits::RECEIVE_MAX).contains(qty));
    if qty.is_none() {
        wrong.push(format!("qty {:?} is no number from 0 to {}", row.qty, limits::RECEIVE_MAX));
    }
    let note = row.note.unwrap_or_default();
    if let Err(why) = limits::text("note", note, limits::NOTE_BYTES_MAX) {
        wrong.push(why);
    }
    match qty {
        Some(qty) if wrong.is_empty() => {
            Ok(Item { sku: row.sku.to_owned(), qty, note: note.to_owned() })
        }
        _ => Err(wrong),
    }
}

/// Loads the catalogue if there is no stock at all; returns how many SKUs it brought. Two
/// processes may do this at once: each SKU is received by one of them.
///
/// # Errors
/// Any failure of the store.
pub async fn load(messaging: &Messaging, items: &[Item]) -> Result<usize, CatalogueError> {
    let tx = messaging.begin().await?;
    if table::Entity::find().one(tx.conn()).await.map_err(Failure::from)?.is_some() {
        return Ok(0);
    }
    let now = tx.now().timestamp_micros();
    let mut fresh = Vec::new();
    for chunk in items.chunks(500) {
        let rows = chunk.iter().map(|item| table::ActiveModel {
            sku: Set(item.sku.clone()),
            available: Set(item.qty),
            held: Set(0),
            committed: Set(0),
            shipped: Set(0),
            updated_at: Set(now),
        });
        let inserted = table::Entity::insert_many(rows)
            .on_conflict(OnConflict::column(table::Column::Sku).do_nothing().to_owned())
            .exec_with_returning(tx.conn())
            .await
            .map_err(Failure::from)?;
        fresh.extend(inserted.into_iter().map(|row| row.sku));
    }
    let notes: BTreeMap<&str, &Item> = items.iter().map(|item| (item.sku.as_str(), item)).collect();
    let received = fresh.iter().filter_map(|sku| notes.get(sku.as_str()));
    let movements: Vec<Movement> = received
        .filter(|item| item.qty > 0)
        .map(|item| Movement {
            sku: item.sku.clone(),
            kind: MovementKind::Received,
            order_id: None,
            qty: item.qty,
            note: item.note.clone(),
        })
        .collect();
    stock::record(tx.conn(), &movements, now).await.map_err(Failure::from)?;
    tx.commit().await?;
    Ok(fresh.len())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn wrong(text: &str) -> Vec<String> {
        match parse(text) {
            Err(CatalogueError::Lines(lines)) => lines,
            other => panic!("{other:?}"),
        }
    }

    #[test]
    fn the_built_in_catalogue_is_what_the_documents_buy() {
        let items = read(None).unwrap();
        let qty = |sku: &str| items.iter().find(|item| item.sku == sku).map(|item| item.qty);
        for n in 1..=10 {
            assert_eq!(qty(&format!("SKU-{n:03}")), Some(10_000));
        }
        for n in 1..=50 {
            assert_eq!(qty(&format!("SKU-LOAD-{n:02}")), Some(100_000_000));
        }
        for n in 1..=4 {
            assert_eq!(qty(&format!("550e8400-e29b-41d4-a716-44665544000{n}")), Some(10_000));
        }
        assert_eq!(qty("SKU-OUT-OF-STOCK"), Some(0));
        assert_eq!(items.len(), 10 + 50 + 4 + 1);
    }

    #[test]
    fn the_note_is_optional_and_spaces_are_trimmed() {
        let item =
            |sku: &str, qty, note: &str| Item { sku: sku.to_owned(), qty, note: note.to_owned() };
        assert_eq!(parse("sku,qty\n a , 1 \n").unwrap(), [item("a", 1, "")]);
        let text = "\u{feff}sku,qty,note\n# a comment\na,1\nb,2,\"x, y\"\n";
        assert_eq!(parse(text).unwrap(), [item("a", 1, ""), item("b", 2, "x, y")]);
    }

    #[test]
    fn all_bad_lines_are_reported_at_once_by_number() {
        let long = "x".repeat(257);
        let text = format!("sku,qty,note\na,1\n,-1\n{long},x\nb,1,n,more\nc\na,2\n");
        let wrong = wrong(&text);
        let expected = [
            "line 3: sku is required",
            "line 3: qty \"-1\"",
            "line 4: sku must be at most 256 bytes",
            "line 4: qty \"x\"",
            "line 5: 4 fields instead of 3",
            "line 6: 1 fields instead of 3",
            "line 7: a is already on line 2",
        ];
        assert_eq!(wrong.len(), expected.len(), "{wrong:#?}");
        for (found, expected) in wrong.iter().zip(expected) {
            assert!(found.starts_with(expected), "{found} / {expected}");
        }
    }

    #[test]
    fn a_file_without_the_header_is_refused() {
        assert_eq!(wrong("a,1\n").len(), 1);
        assert_eq!(wrong("").len(), 1);
    }
}
