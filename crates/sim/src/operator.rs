//! Poison about customers' orders, and the operator who takes dead letters in hand (rule 4).

use futures::FutureExt;
use oms_events::Service;
use oms_messaging::{
    DeadLetters, Failure, Letter, LetterFilter,
    consumer::letters::{CameTo, Orders, Settlement},
};

use crate::{
    dice::Dice,
    trap::{Arms, Ended},
    world::{SERVICES, World},
};

/// Letters in one go.
const MAX: usize = 50;
/// In the midst of things an operator may take few at a time, and leave a stream half redriven.
const FEW: [usize; 3] = [1, 2, MAX];
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
        let found = match letters.list(&LetterFilter::default(), 0, MAX as u64).await {
            Ok(found) => found,
            Err(failure) => return self.broken.push(format!("no list of letters: {failure}")),
        };
        let Some(letter) = found.get(dice.index(found.len())).cloned() else { return };
        let orders = Orders { max: dice.pick(&FEW, MAX), ..orders() };
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
                "discards in" => letters.discard(&which, &orders).await,
                _ => letters.redrive(&which, &orders).await,
            }
        };
        match self.trap.clone().drive(work.boxed(), arms).await {
            Ended::Done(done) => {
                let text = self.settled(service, &done);
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

    /// Counts what an operator has settled, for people too. No database fails here: whatever does
    /// is a bug.
    fn settled(&mut self, service: Service, done: &Result<Settlement, Failure>) -> String {
        let done = match done {
            Ok(done) => done,
            Err(failure) => {
                self.broken.push(format!("{} settles nothing: {failure}", service.name()));
                return format!("in vain: {failure}");
            }
        };
        let came_to =
            |what: &CameTo| done.settled.iter().filter(|one| one.came_to == *what).count() as u64;
        let (redriven, discarded) = (came_to(&CameTo::Redriven), came_to(&CameTo::Discarded));
        self.applied.add(service, redriven);
        self.applied.discard(service, discarded);
        self.trail.count(|counts| {
            counts.redriven += redriven;
            counts.discarded += discarded;
        });
        told(done)
    }

    async fn empty_one(&mut self, service: Service, letters: &DeadLetters) -> anyhow::Result<()> {
        let name = service.name();
        let done = letters.redrive(&LetterFilter::default(), &orders()).await;
        let text = self.settled(service, &done);
        self.line(&format!("an operator redrives all in {name} {text}"));
        for one in done?.settled {
            let CameTo::Failed { code, .. } = &one.came_to else { continue };
            let garbage = one.letter.stream.as_ref().is_none_or(|s| self.poisoned.contains(s));
            if garbage {
                let this = LetterFilter::of_ids([one.letter.id]);
                let done = letters.discard(&this, &orders()).await;
                let text = self.settled(service, &done);
                self.line(&format!("an operator discards in {name} {text}"));
            } else {
                let what = text_of(&one.letter);
                self.broken.push(format!("{name} is mended and fails again, {code}: {what}"));
            }
        }
        Ok(())
    }
}

fn orders() -> Orders {
    Orders { note: "simulated".to_owned(), dry_run: false, after: 0, max: MAX }
}

fn text_of(letter: &Letter) -> String {
    format!("{}({})", letter.event_type, letter.stream.as_deref().unwrap_or("no order"))
}

fn told(done: &Settlement) -> String {
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
