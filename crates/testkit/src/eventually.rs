//! Waiting for what must become true, instead of sleeping and hoping.

use std::time::Duration;

use anyhow::bail;
use tokio::time::Instant;

/// Looks again and again until `look` gives a value.
///
/// # Errors
/// After `patience`, with what `look` said last.
pub async fn eventually<T, F, Fut>(patience: Duration, mut look: F) -> anyhow::Result<T>
where
    F: FnMut() -> Fut,
    Fut: Future<Output = anyhow::Result<Result<T, String>>>,
{
    let until = Instant::now() + patience;
    let mut pause = Duration::from_millis(2);
    loop {
        match look().await? {
            Ok(value) => return Ok(value),
            Err(why) if Instant::now() > until => bail!("not within {patience:?}: {why}"),
            Err(_) => {}
        }
        tokio::time::sleep(pause).await;
        pause = (pause * 2).min(Duration::from_millis(50));
    }
}
