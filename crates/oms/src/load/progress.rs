//! How far the load is: a bar on a terminal, else a line every few seconds.

use std::time::Duration;

use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};
use tokio::time::{Instant, interval};

use super::crowd::Crowd;

const LOOK: Duration = Duration::from_millis(200);
const LINE_EVERY: Duration = Duration::from_secs(5);
const BAR: &str = "{bar:30} {pos}/{len} orders  {msg}  {elapsed}";

/// Shows progress until it is dropped.
pub(super) async fn show(crowd: &Crowd, orders: u64) -> std::convert::Infallible {
    let style = ProgressStyle::with_template(BAR).unwrap_or_else(|_| ProgressStyle::default_bar());
    let bar = ProgressBar::with_draw_target(Some(orders), ProgressDrawTarget::stderr());
    bar.set_style(style);
    let _cleared = Cleared(&bar);
    let (mut looks, began, mut lines) = (interval(LOOK), Instant::now(), 1);
    loop {
        looks.tick().await;
        let (begun, well, errors) = crowd.recorder.counts();
        let text = format!("{well} as they should, {errors} errors");
        if bar.is_hidden() {
            if began.elapsed() >= LINE_EVERY * lines {
                lines += 1;
                crowd.session.out.note(format!("{begun}/{orders} orders begun, {text}"));
            }
            continue;
        }
        bar.set_position(begun);
        bar.set_message(text);
    }
}

/// The bar goes away when nobody shows it any more.
struct Cleared<'a>(&'a ProgressBar);

impl Drop for Cleared<'_> {
    fn drop(&mut self) {
        self.0.finish_and_clear();
    }
}
