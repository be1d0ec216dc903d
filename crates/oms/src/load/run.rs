//! The load from its first question to its report.

use std::sync::Arc;

use tokio::time::Instant;
use tokio_util::sync::CancellationToken;

use super::{
    LoadArguments, arguments::ORDERS_MAX, crowd::Crowd, pace, progress, report::Report, stock,
    verify::verify,
};
use crate::cli::{Exit, Failure, Session};

impl LoadArguments {
    /// Runs it.
    pub(crate) async fn run(self, session: Session) -> Result<(), Failure> {
        let stop = CancellationToken::new();
        let playing = self.play(session, &stop);
        tokio::pin!(playing);
        tokio::select! {
            ended = &mut playing => return ended,
            signal = tokio::signal::ctrl_c() => signal.map_err(no_signal)?,
        }
        stop.cancel();
        tokio::select! {
            ended = &mut playing => ended,
            signal = tokio::signal::ctrl_c() => {
                signal.map_err(no_signal)?;
                Err(Failure::new(Exit::Refused, "ended at once: nothing was verified"))
            }
        }
    }

    async fn play(&self, session: Session, stop: &CancellationToken) -> Result<(), Failure> {
        let (at_once, orders) = match (self.rate, self.duration) {
            (Some(rate), Some(duration)) => (self.outstanding, pace::planned(rate, duration)),
            _ => (self.clients, self.requests),
        };
        if orders > ORDERS_MAX {
            let why = format!("{orders} orders are too many: a load has at most {ORDERS_MAX}");
            return Err(
                Failure::new(Exit::Usage, why).next("a shorter --duration or a lower --rate")
            );
        }
        let before = stock::counts(&session).await?;
        let crowd = Arc::new(Crowd::gather(session, &self.mix, at_once, self.settle).await?);
        let began = Instant::now();
        tokio::select! {
            () = self.pace(&crowd, stop) => {}
            never = progress::show(&crowd, orders) => match never {},
        }
        let took = began.elapsed();
        // Whoever ends the verification has not ended the load.
        let interrupted = stop.is_cancelled();
        if interrupted {
            crowd.session.out.note("ended early; asking whether money and stock agree");
        }
        let verdict = verify(&crowd, &before, self.settle).await;
        let figures = crowd.recorder.so_far();
        let report = Report { figures, verdict, took, interrupted };
        if crowd.session.out.is_json() {
            crowd.session.out.document(&report.document())?;
        } else {
            crowd.session.out.page(|page| report.page(page))?;
        }
        if report.is_well() {
            return Ok(());
        }
        Err(report.complaint())
    }

    async fn pace(&self, crowd: &Arc<Crowd>, stop: &CancellationToken) {
        match (self.rate, self.duration) {
            (Some(rate), Some(duration)) => {
                pace::open(crowd, rate, duration, self.outstanding, stop).await;
            }
            _ => pace::closed(crowd, self.clients, self.requests, stop).await,
        }
    }
}

fn no_signal(error: std::io::Error) -> Failure {
    Failure::new(Exit::Fault, format!("Ctrl-C cannot be heard: {error}"))
}
