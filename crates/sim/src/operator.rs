//! Poison about customers' orders, and the operator who takes dead letters in hand (rule 4).

use std::collections::BTreeSet;

use futures::FutureExt;
use oms_events::Service;
use oms_messaging::{
    DeadLetters, Failure, Letter, LetterFilter,
    consumer::letters::{CameTo, Orders, Settlement},
};
use oms_testkit::invariants;
use sea_orm::{ConnectionTrait, Statement};

use crate::{
    dice::Dice,
    trap::{Arms, Ended},
    world::{SERVICES, World},
};

/// Letters in one go.
const MAX: usize = 50;
/// Goes at rest: each takes all there is, and what follows from one may be parked too.
const GOES: usize = 10;

impl World<'_> {
    /// Something is wrong with an event, or somebody looks after those with which it was.
    pub(crate) async fn trouble_with_events(&mut self, dice: &mut Dice, arms: Arms) {
        match dice.below(100) {
            0..25 => self.poison(dice).await,
            25..60 => {
                let service = dice.pick(&SERVICES, Service::Order);
                self.spoil_of(service).next_event();
                self.line(&format!("{} has a bug with the next event", service.name()));
            }
            _ => self.operate(dice, arms).await,
        }
    }

    /// An operator looks into one service: mends it perhaps, and redrives or discards something.
    async fn operate(&mut self, dice: &mut Dice, arms: Arms) {
        let at = dice.index(self.instances.len());
        let (mends, discards) = (dice.chance(60), dice.chance(25));
        let service = self.instances[at].0;
        let letters = self.instances[at].1.letters.clone();
        let Ok(found) = letters.list(&LetterFilter::default(), 0, MAX as u64).await else { return };
        let Some(letter) = found.get(dice.index(found.len())).cloned() else { return };
        if mends {
            self.spoil_of(service).mend();
            self.line(&format!("{} is mended", service.name()));
        }
        let title = self.title(at);
        let (which, verb) = match letter.stream {
            Some(_) if discards => (LetterFilter::of_ids([letter.id]), "discards in"),
            Some(stream) => (LetterFilter::of_stream(stream), "redrives in"),
            None => (LetterFilter::of_ids([letter.id]), "redrives in"),
        };
        let work = async move {
            match verb {
                "discards in" => letters.discard(&which, &orders()).await,
                _ => letters.redrive(&which, &orders()).await,
            }
        };
        match self.trap.clone().drive(work.boxed(), arms).await {
            Ended::Done(done) => {
                self.applied.add(service, applied(&done));
                let text = told(&done);
                self.line(&format!("an operator {verb} {title} {text}"));
            }
            Ended::Crashed(point, work) => {
                self.line(&format!("an operator {verb} {title}, which dies at {point}"));
                drop(work);
                self.restart(at);
            }
            Ended::Held(_) => self.line("an operator was held, which none is"),
        }
    }

    /// Everything is mended, and an operator empties parking: what belongs to an order is redriven,
    /// and has to succeed; what never was an event is discarded. Whether there was anything.
    ///
    /// # Errors
    /// When a database fails.
    pub(crate) async fn empty_parking(&mut self) -> anyhow::Result<bool> {
        let mut any = false;
        for service in SERVICES {
            self.spoil_of(service).mend();
            let Some(at) = self.of(service).first().copied() else { continue };
            let letters = self.instances[at].1.letters.clone();
            for _ in 0..GOES {
                if letters.list(&LetterFilter::default(), 0, 1).await?.is_empty() {
                    break;
                }
                any = true;
                self.empty_one(service, &letters).await?;
            }
            for letter in letters.list(&LetterFilter::default(), 0, MAX as u64).await? {
                let name = service.name();
                self.broken.push(format!("I8 {name} cannot get rid of {}", text_of(&letter)));
            }
        }
        Ok(any)
    }

    async fn empty_one(&mut self, service: Service, letters: &DeadLetters) -> anyhow::Result<()> {
        let name = service.name();
        let done = letters.redrive(&LetterFilter::default(), &orders()).await;
        self.applied.add(service, applied(&done));
        self.line(&format!("an operator redrives all in {name} {}", told(&done)));
        for one in done?.settled {
            let CameTo::Failed { code, .. } = &one.came_to else { continue };
            let garbage = one.letter.stream.as_ref().is_none_or(|s| self.poisoned.contains(s));
            if garbage {
                let this = LetterFilter::of_ids([one.letter.id]);
                letters.discard(&this, &orders()).await?;
                self.line(&format!("an operator discards in {name} {}", text_of(&one.letter)));
            } else {
                let what = text_of(&one.letter);
                self.broken.push(format!("{name} is mended and fails again, {code}: {what}"));
            }
        }
        Ok(())
    }

    /// Orders of which an event was discarded: they may wait for ever, and nothing else.
    ///
    /// # Errors
    /// When a database cannot be read.
    pub(crate) async fn given_up(&self) -> anyhow::Result<BTreeSet<String>> {
        let sql = "SELECT DISTINCT stream FROM interventions \
                   WHERE action = 'discarded' AND stream IS NOT NULL";
        let mut orders = BTreeSet::new();
        for database in [&self.stores.order, &self.stores.inventory, &self.stores.payment] {
            let read = Statement::from_string(database.read.get_database_backend(), sql);
            for row in database.read.query_all_raw(read).await? {
                orders.insert(row.try_get_by_index::<String>(0)?);
            }
        }
        Ok(orders)
    }

    /// What is open, less the waiting of orders of which an event was discarded.
    ///
    /// # Errors
    /// When a database cannot be read.
    pub(crate) async fn open_business(&self) -> anyhow::Result<Vec<String>> {
        let mut open = invariants::open_business(&self.stores.seen()).await?;
        let given_up = self.given_up().await?;
        open.retain(|line| !given_up.iter().any(|order| waits(line, order)));
        Ok(open)
    }

    /// What is broken at rest, less that of orders which are not at rest because an event of theirs
    /// was discarded: while they wait, their ledgers need not agree. What must hold in every motion
    /// and what messaging owes is owed to them too.
    ///
    /// # Errors
    /// When a database cannot be read.
    pub(crate) async fn less_given_up(&self, broken: Vec<String>) -> anyhow::Result<Vec<String>> {
        let databases = self.stores.seen();
        let open = invariants::open_business(&databases).await?;
        let mut waiting = self.given_up().await?;
        waiting.retain(|order| open.iter().any(|line| waits(line, order)));
        let always = invariants::broken_in_motion(&databases).await?;
        let excused = |line: &String| {
            let of_messaging = line.starts_with("I6") || line.starts_with("I8");
            !of_messaging
                && !always.contains(line)
                && waiting.iter().any(|order| line.contains(order))
        };
        Ok(broken.into_iter().filter(|line| !excused(line)).collect())
    }

    /// Streams whose dead letters break nothing.
    pub(crate) fn may_be_dead(&self) -> Vec<String> {
        let spoilt = self.spoils.iter().flat_map(|spoil| spoil.orders());
        self.poisoned.iter().cloned().chain(spoilt).collect()
    }
}

/// Whether the line says that this order waits.
fn waits(line: &str, order: &str) -> bool {
    let services = SERVICES.into_iter().map(Service::name);
    services.map(|name| format!("{name} waits: {order}")).any(|said| line == said)
        || line.starts_with(&format!("order: {order},"))
}

fn orders() -> Orders {
    Orders { note: "simulated".to_owned(), dry_run: false, after: 0, max: MAX }
}

fn text_of(letter: &Letter) -> String {
    format!("{}({})", letter.event_type, letter.stream.as_deref().unwrap_or("no order"))
}

/// Events that were applied.
fn applied(done: &Result<Settlement, Failure>) -> u64 {
    let Ok(done) = done else { return 0 };
    done.settled.iter().filter(|one| one.came_to == CameTo::Redriven).count() as u64
}

fn told(done: &Result<Settlement, Failure>) -> String {
    let done = match done {
        Ok(done) => done,
        Err(failure) => return format!("in vain: {failure}"),
    };
    let one = |one: &oms_messaging::consumer::letters::Settled| {
        let word = match one.came_to {
            CameTo::Redriven => "redriven",
            CameTo::Discarded => "discarded",
            CameTo::Failed { .. } => "failed",
        };
        format!("{word} {}", text_of(&one.letter))
    };
    done.settled.iter().map(one).collect::<Vec<_>>().join(", ")
}
