//! The pages generated from code: `docs/events.md` and `docs/states.md`.

mod events;
mod examples;
mod page;

pub use page::{Page, pages};
