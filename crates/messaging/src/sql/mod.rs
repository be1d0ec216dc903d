//! Statements whose text does not depend on how much they are about.
//!
//! A statement is planned once per connection and text. A batch of any size must therefore be one
//! text: on PostgreSQL rows and lists travel as arrays that `unnest` unfolds, on SQLite lists
//! travel as JSON. Rows go into SQLite by multi-row `VALUES`, which it plans in no time.
//!
//! - [`insert`]: rows of an entity, new or in place of what is there
//! - [`one_of`]: a condition on a list
//! - [`statement`], [`texts`], [`numbers`], [`text_list`], [`number_list`]: the pieces, for
//!   statements written out

mod array;
mod insert;
mod lists;

pub use insert::insert;
pub use lists::{number_list, numbers, one_of, statement, text_list, texts};
